package web

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"dtm"
	"dtm/event"
	"dtm/locale"
	"dtm/refer"
)

type fieldRow struct{ Name, Label, Value string }

type groupRow struct {
	Group, Label string
	Sealed       bool
	Fields       []fieldRow
	Notes        []noteRow
}

type noteRow struct{ When, Who, Words string }

type consentRow struct {
	dtm.Consent
	To, What, How, When, Ended string
	Owed                       bool // the best interest is not documented yet
	Wait, Mine                 bool // for a second person; asked for by the reader
}

type candidateRow struct {
	ID     string
	Fields []fieldRow
	Agree  string
}

type personView struct {
	page
	Referral   dtm.Referral
	Groups     []groupRow
	Version    int
	Number     string
	Consents   []consentRow
	MayConsent bool
	Recipients []option
	AllGroups  []option
	Candidates []candidateRow
	Family     []candidateRow
	Relations  []option
	NoteGroups []option
	Message    string
	Done       string
	Languages2 []option
}

// person shows what the user may see of the person of a referral, and does what the
// page's forms ask for. It is asked for by POST: opening somebody's data is an act, and
// is recorded as one.
func (p *Pages) person(w http.ResponseWriter, r *http.Request) error {
	x, err := p.referralOf(r)
	if err != nil {
		return err
	}
	ctx, u := event.WithActor(r.Context(), actor(r)), member(r.Context())
	may, err := p.mayOf(ctx, u, x)
	if err != nil {
		return err
	}
	if len(may) == 0 {
		return dtm.Errorf(dtm.Forbidden, "nothing of this person may be shown to you: the consent or the state of the referral does not allow it").Coded("person.closed")
	}
	v := personView{Referral: x}
	if do := r.PostFormValue("do"); do != "" {
		if err := p.workPerson(ctx, r, u, x, may, do, &v); err != nil {
			if k := dtm.KindOf(err); k == dtm.Internal {
				return err
			}
			v.Message = locale.Error(p.guess(r), err)
		}
		// What was done may have shut the page: it is asked again.
		if may, err = p.mayOf(ctx, u, x); err != nil {
			return err
		}
		if len(may) == 0 {
			return p.seeReferral(w, r, x.ID, "")
		}
	}
	return p.showPerson(ctx, w, r, u, x, may, v)
}

func (p *Pages) mayOf(ctx context.Context, u dtm.User, x dtm.Referral) ([]string, error) {
	if x.Person == "" {
		return nil, nil
	}
	person, err := p.Staff.Referring.Persons.Person(ctx, x.Person)
	if err != nil {
		return nil, err
	}
	consents, err := p.Staff.Referring.Consents.ConsentsOf(ctx, x.Person)
	if err != nil {
		return nil, err
	}
	a, err := p.asker(ctx, u)
	return maySee(a, x, consents, person), err
}

func (p *Pages) workPerson(ctx context.Context, r *http.Request, u dtm.User, x dtm.Referral, may []string, do string, v *personView) error {
	d, value := p.Staff.Referring, func(name string) string { return strings.TrimSpace(r.PostFormValue(name)) }
	denied := dtm.Errorf(dtm.Forbidden, "this is for the focal point to do").Coded("referral.who")
	if u.Role != dtm.RoleFocal && do != "note" {
		return denied
	}
	most := map[string]int{"words": 4000, "why": 1000, "wording": 100, "number": 16}
	for _, f := range dtm.PersonFields {
		most["field."+f.Name] = 200
	}
	if err := tooLong(r, most); err != nil {
		return err
	}
	switch do {
	case "note":
		if !slices.Contains(may, value("group")) {
			return dtm.Errorf(dtm.Forbidden, "notes of this group are not yours to write").Coded("person.closed")
		}
		_, err := d.Cases.AddCaseNote(ctx, dtm.CaseNote{Person: x.Person, Referral: x.ID, Group: value("group"), Desk: u.Desk, Words: value("words")})
		return err
	case "consent":
		lang := value("lang")
		c := dtm.Consent{Person: x.Person, Recipient: value("recipient"), Groups: r.PostForm["group"], Wording: value("wording"), Lang: lang, How: value("how"), Of: value("of"), Assent: value("assent") == "yes", Reason: value("why"), Actor: actor(r)}
		if !slices.ContainsFunc(p.Operation.Partners, func(x dtm.Partner) bool { return x.Code == c.Recipient }) && !slices.ContainsFunc(p.Operation.Programmes, func(x dtm.Programme) bool { return refer.ForProgramme(x.Code) == c.Recipient }) {
			return dtm.Errorf(dtm.Invalid, "%q is nobody to whom a consent can be given", c.Recipient).Coded("consent.recipient")
		}
		c, err := d.Consents.GiveConsent(ctx, c)
		switch {
		case err == nil && c.Waits():
			v.Done = locale.Say(p.guess(r), "consent.asked")
		case err == nil:
			v.Done = locale.Say(p.guess(r), "consent.done")
		}
		return err
	case "confirm":
		list, err := d.Consents.ConsentsOf(ctx, x.Person)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(list, func(c dtm.Consent) bool { return c.ID == value("consent") }) {
			return dtm.Errorf(dtm.NotFound, "there is no such consent").Coded("consent.unknown")
		}
		_, err = d.Consents.ConfirmConsent(ctx, value("consent"))
		if err == nil {
			v.Done = locale.Say(p.guess(r), "consent.confirmed.done")
		}
		return err
	case "withdraw":
		list, err := d.Consents.ConsentsOf(ctx, x.Person)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(list, func(c dtm.Consent) bool { return c.ID == value("consent") }) {
			return dtm.Errorf(dtm.NotFound, "there is no such consent").Coded("consent.unknown")
		}
		saw, err := d.Consents.WithdrawConsent(ctx, value("consent"), value("why"))
		if err == nil {
			var who []string
			for _, s := range saw {
				if name := strings.TrimPrefix(s, "user:"); name != u.Email { // who withdraws it knows
					who = append(who, name)
				}
			}
			if v.Done = locale.Say(p.guess(r), "consent.withdrawn.done"); len(who) > 0 {
				v.Done += " " + locale.Say(p.guess(r), "consent.withdrawn.tell", together(p.guess(r), who))
			}
		}
		return err
	case "merge", "apart":
		other := value("other")
		list, err := d.Persons.Candidates(ctx, x.Person)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(list, func(c dtm.Candidate) bool { return c.Person == other }) {
			return dtm.Errorf(dtm.NotFound, "there is no such person").Coded("person.unknown")
		}
		if do == "merge" {
			return d.Persons.Merge(ctx, other, x.Person, value("why"))
		}
		return d.Persons.NotSame(ctx, other, x.Person, value("why"))
	case "link":
		other, err := d.Referrals.ReferralByNumber(ctx, value("number"))
		if err != nil {
			return err
		}
		if other.Person == "" {
			return dtm.Errorf(dtm.NotFound, "there is no such person").Coded("person.unknown")
		}
		return d.Cases.LinkFamily(ctx, dtm.FamilyLink{Person: x.Person, Other: other.Person, Relation: value("relation")})
	case "change":
		now, err := d.Persons.Person(ctx, x.Person)
		if err != nil {
			return err
		}
		fields := map[string]string{}
		for _, f := range dtm.PersonFields {
			if _, sent := r.PostForm["field."+f.Name]; sent && slices.Contains(may, f.Group) {
				fields[f.Name] = value("field." + f.Name)
			}
		}
		if value("version") != "" && value("version") != strconv.Itoa(now.Version) {
			return dtm.Errorf(dtm.Conflict, "somebody changed this person meanwhile; look again").Coded("person.stale")
		}
		_, err = d.Persons.ChangePerson(ctx, x.Person, now.Version, fields)
		return err
	}
	return dtm.Errorf(dtm.Invalid, "there is nothing called %q to do", do).Coded("code.unknown", do, "do")
}

// saidOf is what was written at the steps of a referral, for who may see its group.
func (p *Pages) saidOf(ctx context.Context, v page, u dtm.User, x dtm.Referral, may []string, purpose string) (notes []noteRow, err error) {
	if !slices.Contains(may, dtm.GroupOf(x.Programme)) {
		return nil, nil
	}
	words, err := p.Staff.Referring.Referrals.ReferralWords(ctx, x.ID, purpose)
	if err != nil || len(words) == 0 {
		return nil, err
	}
	history, err := p.Staff.Referring.Referrals.ReferralHistory(ctx, x.ID)
	for _, e := range history {
		if w := words[e.Seq]; w != "" {
			notes = append(notes, noteRow{v.When(e.At), v.T("referral.did."+string(e.Action)) + actorAfter(e.Actor, u), w})
		}
	}
	return notes, err
}

func actorAfter(actor string, u dtm.User) string {
	if name := actorName(actor, u); name != "" {
		return ", " + name
	}
	return ""
}

func (p *Pages) showPerson(ctx context.Context, w http.ResponseWriter, r *http.Request, u dtm.User, x dtm.Referral, may []string, v personView) error {
	d := p.Staff.Referring
	v.page = p.inside(r, "referrals", "person.title", "/referrals/"+x.ID)
	purpose := "referral " + x.Number
	person, err := d.Persons.OpenPerson(ctx, x.Person, may, purpose)
	if err != nil {
		return err
	}
	v.Version = person.Version
	notes, err := d.Cases.CaseNotes(ctx, x.Person, may, purpose)
	if err != nil {
		return err
	}
	said, err := p.saidOf(ctx, v.page, u, x, may, purpose)
	if err != nil {
		return err
	}
	for _, g := range may {
		row := groupRow{Group: g, Label: v.T("group." + g), Sealed: dtm.Sealed(g)}
		for _, f := range dtm.PersonFields {
			if f.Group != g {
				continue
			}
			value := person.Fields[f.Name]
			row.Fields = append(row.Fields, fieldRow{f.Name, v.T("person.field." + f.Name), p.fieldSaid(v.page, f.Name, value)})
		}
		for _, n := range notes {
			if n.Group == g {
				row.Notes = append(row.Notes, noteRow{v.When(n.At), actorName(n.Actor, u), n.Words})
			}
		}
		if g == dtm.GroupOf(x.Programme) {
			row.Notes = append(row.Notes, said...)
		}
		v.Groups = append(v.Groups, row)
		v.NoteGroups = append(v.NoteGroups, option{Value: g, Label: row.Label, Selected: g == dtm.GroupOf(x.Programme)})
	}
	if u.Partner != "" {
		if v.Number, err = d.Persons.Pseudonym(ctx, x.Person, u.Partner); err != nil {
			return err
		}
	}
	consents, err := d.Consents.ConsentsOf(ctx, x.Person)
	if err != nil {
		return err
	}
	for _, c := range consents {
		if u.Role != dtm.RoleFocal && c.Recipient != u.Partner && c.Recipient != refer.ForProgramme(x.Programme) {
			continue // to whom else somebody let it be given is not a desk's to know
		}
		var what []string
		for _, g := range c.Groups {
			what = append(what, v.T("group."+g))
		}
		row := consentRow{Consent: c, To: v.Recipient(c.Recipient), What: together(v.Lang, what), How: v.T("consent.of."+c.Of) + " · " + v.T("consent.how."+c.How), When: v.When(c.Given), Ended: v.WhenPtr(c.Withdrawn), Owed: c.Of == dtm.ConsentBestInterest && c.Reason == refer.BestInterestOwed, Wait: c.Waits(), Mine: c.Actor == "user:"+u.Email}
		v.Consents = append(v.Consents, row)
	}
	if v.MayConsent = u.Role == dtm.RoleFocal; v.MayConsent {
		if err := p.focalParts(ctx, &v, x, purpose); err != nil {
			return err
		}
	}
	if slices.Contains(may, dtm.GroupFamily) {
		links, err := d.Cases.FamilyOf(ctx, x.Person)
		if err != nil {
			return err
		}
		for _, l := range links {
			row := candidateRow{ID: l.Other, Agree: v.T("family." + l.Relation)}
			if v.MayConsent {
				if row.Fields, err = p.nameOf(ctx, v.page, l.Other, purpose); err != nil {
					return err
				}
			}
			v.Family = append(v.Family, row)
		}
	}
	return p.show(w, http.StatusOK, "person", v)
}

// fieldSaid puts words for the codes of the register.
func (p *Pages) fieldSaid(g page, name, value string) string {
	switch {
	case value == "":
		return ""
	case name == "nationality":
		return p.Operation.Lists["country"].Label(value, g.Lang)
	case name == "language":
		return g.T("language." + value)
	}
	return value
}

func (p *Pages) nameOf(ctx context.Context, g page, id, purpose string) ([]fieldRow, error) {
	who, err := p.Staff.Referring.Persons.Person(ctx, id)
	if err != nil || who.Restricted {
		return nil, err // nobody reads on, here neither
	}
	o, err := p.Staff.Referring.Persons.OpenPerson(ctx, id, []string{dtm.GroupIdentity, dtm.GroupContact}, purpose)
	if k := dtm.KindOf(err); err != nil && k == dtm.Gone {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []fieldRow
	for _, f := range dtm.PersonFields {
		if value := o.Fields[f.Name]; value != "" {
			out = append(out, fieldRow{f.Name, g.T("person.field." + f.Name), p.fieldSaid(g, f.Name, value)})
		}
	}
	return out, nil
}

// focalParts are what the focal point sees beside: who may be the same person, and the
// form for a new consent.
func (p *Pages) focalParts(ctx context.Context, v *personView, x dtm.Referral, purpose string) error {
	list, err := p.Staff.Referring.Persons.Candidates(ctx, x.Person)
	if err != nil {
		return err
	}
	for _, c := range list[:min(len(list), 5)] {
		row := candidateRow{ID: c.Person}
		var agree []string
		for _, a := range c.Agree {
			agree = append(agree, v.T("person.field."+a))
		}
		row.Agree = together(v.Lang, agree)
		if row.Fields, err = p.nameOf(ctx, v.page, c.Person, purpose); err != nil {
			return err
		}
		v.Candidates = append(v.Candidates, row)
	}
	for _, q := range p.Operation.Programmes {
		v.Recipients = append(v.Recipients, option{Value: refer.ForProgramme(q.Code), Label: v.Recipient(refer.ForProgramme(q.Code)), Selected: q.Code == x.Programme})
	}
	for _, q := range p.Operation.Partners {
		v.Recipients = append(v.Recipients, option{Value: q.Code, Label: q.Name.In(v.Lang)})
	}
	for _, g := range dtm.FieldGroups {
		v.AllGroups = append(v.AllGroups, option{Value: g, Label: v.T("group." + g), Selected: g == dtm.GroupNeed || g == dtm.GroupIdentity || g == dtm.GroupOf(x.Programme)})
	}
	for _, l := range spoken {
		v.Languages2 = append(v.Languages2, option{Value: l, Label: v.T("language." + l), Selected: l == x.Lang})
	}
	for _, rel := range []string{"parent", "child", "sibling", "spouse", "relative", "caregiver"} {
		v.Relations = append(v.Relations, option{Value: rel, Label: v.T("family." + rel)})
	}
	return nil
}

// spoken are the languages that the screening form offers.
var spoken = []string{"om", "am", "so", "aa", "ti", "ar", "fr", "en", "other"}

// Whose are those whose consent it may be.
func (v personView) Whose() []string {
	return []string{dtm.ConsentOfPerson, dtm.ConsentOfCaregiver, dtm.ConsentBestInterest, dtm.ConsentVitalInterest}
}
