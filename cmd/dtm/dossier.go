package main

import (
	"bytes"
	"context"
	"html/template"
	"strings"
	"time"

	"dtm"
	"dtm/locale"
	"dtm/refer"
)

// dossier is everything that is known of a person, as a page that can be read, printed
// and handed over without this program.
type dossier struct {
	Lang           dtm.Lang
	RTL            bool
	Title, Made    string
	Operation, End string
	Parts          []dossierPart
}

type dossierPart struct {
	Title string
	Rows  []dossierRow
}

type dossierRow struct{ Name, Value string }

var dossierPage = template.Must(template.New("").Parse(`<!doctype html>
<html lang="{{.Lang}}"{{if .RTL}} dir="rtl"{{end}}><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{.Title}}</title>
<style>body{font:16px/1.5 sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem}h2{margin:2rem 0 .5rem;font-size:1.1rem}dl{margin:0}div{display:flex;gap:1rem;padding:.3rem 0;border-top:1px solid #ccc;break-inside:avoid}dt{flex:0 0 14rem;color:#444}dd{margin:0;white-space:pre-wrap;overflow-wrap:anywhere}@media(max-width:36rem){div{display:block}}</style>
<h1>{{.Title}}</h1><p>{{.Operation}}. {{.Made}}</p>
{{range .Parts}}<h2>{{.Title}}</h2><dl>{{range .Rows}}<div><dt>{{.Name}}</dt><dd><bdi>{{.Value}}</bdi></dd></div>{{end}}</dl>
{{end}}<p>{{.End}}</p></html>
`))

// dossier writes everything about the person of a referral in a language. Opening it is
// recorded like every other read. Conflict when the referral names nobody; Gone when the
// person was erased.
func (h *house) dossier(ctx context.Context, x dtm.Referral, l dtm.Lang) ([]byte, error) {
	if x.Person == "" {
		return nil, nobody()
	}
	const purpose = "subject access"
	say := func(key string, args ...any) string { return locale.Say(l, key, args...) }
	when := func(t time.Time) string {
		t = t.In(h.op.Zone)
		return locale.Date(l, t) + " " + t.Format("15:04")
	}
	label := func(list, code string) string {
		if code == "" {
			return ""
		}
		return h.op.Lists[list].Label(code, l)
	}
	groups := func(list []string) string {
		var out []string
		for _, g := range list {
			out = append(out, say("group."+g))
		}
		return strings.Join(out, ", ")
	}
	programme := func(code string) string {
		for _, p := range h.op.Programmes {
			if p.Code == code {
				return p.Name.In(l)
			}
		}
		return code
	}
	recipient := func(code string) string {
		if p, ok := strings.CutPrefix(code, refer.ForProgramme("")); ok {
			return say("consent.programme", programme(p))
		}
		for _, p := range h.op.Partners {
			if p.Code == code {
				return p.Name.In(l)
			}
		}
		return code
	}
	d := dossier{Lang: l, RTL: l.RTL(), Title: say("dossier.title"), Made: say("dossier.made", when(h.now())), Operation: h.op.Title.In(l), End: say("dossier.end")}
	part := func(title string, rows ...dossierRow) {
		if len(rows) > 0 {
			d.Parts = append(d.Parts, dossierPart{title, rows})
		}
	}
	merged, err := h.db.MergedInto(ctx, x.Person)
	if err != nil {
		return nil, err
	}
	for _, id := range append([]string{x.Person}, merged...) {
		p, err := h.db.OpenPerson(ctx, id, dtm.FieldGroups, purpose)
		if err != nil {
			return nil, err
		}
		var rows []dossierRow
		for _, f := range dtm.PersonFields {
			value := p.Fields[f.Name]
			if value == "" {
				continue
			}
			switch f.Name {
			case "nationality":
				value = label("country", value)
			case "language":
				value = say("language." + value)
			}
			rows = append(rows, dossierRow{say("person.field." + f.Name), value})
		}
		rows = append(rows, dossierRow{say("referral.who"), strings.Trim(label("sex", p.Sex)+", "+say("referral.age."+p.Age), ", ")}, dossierRow{say("dossier.since"), when(p.Created)})
		if p.Restricted {
			rows = append(rows, dossierRow{say("right.restricted"), say("right.restricted.text")})
		}
		part(say("person.title"), rows...)
		consents, err := h.db.ConsentsOf(ctx, id)
		if err != nil {
			return nil, err
		}
		rows = nil
		for _, c := range consents {
			value := groups(c.Groups) + "\n" + say("consent.of."+c.Of) + ", " + say("consent.how."+c.How) + ", " + when(c.Given) + ", " + say("consent.wording", c.Wording)
			if c.Reason != "" && c.Reason != refer.BestInterestOwed {
				value += "\n" + c.Reason
			}
			if c.Withdrawn != nil {
				value += "\n" + say("consent.ended", when(*c.Withdrawn))
			}
			rows = append(rows, dossierRow{recipient(c.Recipient), value})
		}
		part(say("consent.title"), rows...)
		notes, err := h.db.CaseNotes(ctx, id, dtm.FieldGroups, purpose)
		if err != nil {
			return nil, err
		}
		rows = nil
		for _, n := range notes {
			rows = append(rows, dossierRow{say("group."+n.Group) + "\n" + when(n.At), n.Words})
		}
		part(say("dossier.notes"), rows...)
		links, err := h.db.FamilyOf(ctx, id)
		if err != nil {
			return nil, err
		}
		rows = nil
		for _, f := range links { // who the other one is, is the other one's to hear
			rows = append(rows, dossierRow{say("family." + f.Relation), when(f.At)})
		}
		part(say("family.title"), rows...)
	}
	seen := map[string]bool{}
	list, _, err := h.db.Referrals(ctx, dtm.ReferralFilter{Person: &x.Person, Limit: 1000})
	if err != nil {
		return nil, err
	}
	for _, r := range list {
		history, err := h.db.ReferralHistory(ctx, r.ID)
		if err != nil {
			return nil, err
		}
		var rows []dossierRow
		words, err := h.db.ReferralWords(ctx, r.ID, purpose)
		if err != nil {
			return nil, err
		}
		for _, e := range history {
			value := say("referral.did."+string(e.Action)) + " → " + say("referral.state."+string(e.To))
			if desk, err := h.db.Desk(ctx, e.Desk); err == nil {
				value += ", " + desk.Name.In(l)
			}
			if e.Reason != "" {
				value += ", " + say("referral.reason."+e.Reason)
			}
			if w := words[e.Seq]; w != "" {
				value += "\n" + w
			}
			rows = append(rows, dossierRow{when(e.At), value})
		}
		steps, err := h.db.ReturnStepsOf(ctx, r.ID)
		if err != nil {
			return nil, err
		}
		for _, s := range steps {
			rows = append(rows, dossierRow{locale.Date(l, s.On), say("return."+s.Step) + ": " + say("return.outcome."+s.Outcome)})
		}
		part(say("referral.of", r.Number)+" · "+programme(r.Programme), rows...)
		if r.Submission == "" || seen[r.Submission] {
			continue
		}
		seen[r.Submission] = true
		s, _, err := h.db.SealedSubmission(ctx, r.Submission, purpose)
		if k := dtm.KindOf(err); err != nil && (k == dtm.Gone || k == dtm.NotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		answers, err := h.answers(ctx, s, l)
		if err != nil {
			return nil, err
		}
		rows = nil
		for _, a := range answers {
			if !a.Head && a.Value != "" {
				rows = append(rows, dossierRow{a.Label, a.Value})
			}
		}
		part(say("dossier.answers", when(s.Received)), rows...)
	}
	reads, err := h.db.ReadsOf(ctx, x.Person)
	if err != nil {
		return nil, err
	}
	var rows []dossierRow
	for _, r := range reads {
		rows = append(rows, dossierRow{when(r.At), h.institution(ctx, r.Actor, l) + ": " + groups(r.Groups)})
	}
	part(say("dossier.reads"), rows...)
	if err := h.trail().Exported(ctx, "", "person", map[string]any{"person": x.Person, "format": "html"}); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = dossierPage.Execute(&b, d)
	return b.Bytes(), err
}

// institution is whose colleague read, not who: it answers for its people.
func (h *house) institution(ctx context.Context, actor string, l dtm.Lang) string {
	email, user := strings.CutPrefix(actor, "user:")
	if !user {
		return locale.Say(l, "log.system")
	}
	u, _, err := h.db.User(ctx, email)
	for _, p := range h.op.Partners {
		if err == nil && p.Code == u.Partner {
			return p.Name.In(l)
		}
	}
	return h.op.Title.In(l)
}

func nobody() error {
	return dtm.Errorf(dtm.Conflict, "this referral names nobody: there is nothing to open").Coded("glass.nobody")
}
