package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"

	"dtm"
	"dtm/access"
	"dtm/analyse/indicator"
	"dtm/event"
	"dtm/gather/entity"
	"dtm/gather/entry"
	"dtm/gather/odata"
	"dtm/gather/openrosa"
	"dtm/gather/webhook"
	"dtm/gather/xform"
	"dtm/gather/xlsform"
	"dtm/refer"
	"dtm/web"
)

// staff is what the pages behind sign-in are made of.
func (h *house) staff() (*web.Staff, error) {
	provider, err := h.provider()
	return &web.Staff{
		Sessions: h.db, Secure: strings.HasPrefix(h.baseURL(), "https://"), Door: h.door(), Accounts: h.db, Agreements: h.db, Seconds: h.second(), SignOn: provider, Origin: h.baseURL(), CheckPassword: h.goodPassword,
		Users: h.db, Forms: h.db, Drafts: h.db, States: h.db, History: h.db, Devices: h.db, DeviceCare: h.db, Submissions: h.db, Blobs: h.blobs, Events: h.db, Audit: h.db, Trail: h.trail(), Signing: h.signing(), Retention: h.retention, RetainNightly: h.config.RetainNightly, Readings: h.db, Entities: h.db, Webhooks: h.db, EntityCSV: h.entityCSV, CheckWebhook: func(url string) error { return webhook.CheckURL(url, nil) }, TryWebhook: h.tryWebhook, Replacement: h.db.Replacement, Answered: h.answered,
		Answers: h.answers, Name: h.instanceName,
		Planning:  &web.Planning{Figures: h.figures, Arrivals: h.figures, Capacities: h.db},
		Surveying: &web.Surveying{Interviews: h.figures, Figures: h.figures},
		Alerting:  &web.Alerting{Alerts: h.db, Figures: h.figures},
		Points:    &web.Network{Points: h, Arrivals: h.figures, Silences: h.db, Coverage: h.figures.Coverage, Touched: h.touched, Crew: h.crew, Areas: h},
		HashPassword: func(ctx context.Context, password string) (string, error) {
			return access.HashPassword(ctx, rand.Reader, password)
		},
		Phone: func(token string, l dtm.Lang) (address, code, browser string, err error) {
			address = h.baseURL() + openrosa.Path(token)
			code, err = openrosa.Settings(address, h.op.Title.In(l), l)
			return address, code, h.baseURL() + entry.Path(token), err
		},
		Check: checkForm, Paper: h.paper, Trial: h.trialCode, ReadTrials: h.readTrials, Compare: h.compareForms, Questions: h.questions, Wants: h.wants,
		Import:      h.importing(),
		Viewing:     &web.Viewing{Reach: h.reach, Of: h.reachOfPartner, Share: h.shareView, Shared: h.sharedView},
		Subscribing: &web.Subscribing{Subscriptions: h.db, Reach: h.reach, Check: h.checkSubscription, Try: h.trySubscription, Words: h.words, Mail: func() error { return h.mailer().Check() }},
		Workshop: &web.Workshop{Figures: h.figures, Rows: askRows{h}, Releases: askFigures{h}, Views: h.db, Statement: h.figures.Statement,
			Label: func(dim, code string, l dtm.Lang) string { return indicator.Label(h.op, dim, code, l) }, Word: indicator.Word,
			Codes: func(dim string) []string { return indicator.Codes(h.op, dim) },
			Print: func(w io.Writer, t dtm.Table) error { return indicator.Print(w, t, "csv", h.op, dtm.English) }},
		Referring: &web.Referring{
			Referrals: h.db, Desks: h.db, Persons: h.db, Consents: h.db, Cases: h.db, Agreements: h.db, Glasses: h.db, Rights: web.Rights{Dossier: h.dossier, Erase: h.erase, Forgotten: h.forgotten}, Slip: h.slip, SlipReferral: h.db.SlipReferral,
			Offers: func(ctx context.Context, r dtm.Referral) ([]refer.Offer, error) { return h.offers(ctx, r, nil) },
		},
		Review: &web.Reviewing{
			Reviews: h.db, Corrections: h.db, Flags: h.db, Questions: h.db, Correct: h.correct, Settled: h.current, Enumerators: h.enumerators, Rules: h.forms.rules, Switches: h.db.RuleSwitches, Switch: h.useRule, Try: h.tryRule, Measured: measured,
			Fields: func(ctx context.Context, s dtm.Submission, changes []dtm.Change, l dtm.Lang) (_ []web.Field, err error) {
				if s.XML, err = xform.Amended(s.XML, changes); err != nil {
					return nil, err
				}
				return h.fields(ctx, s, l)
			},
		},
	}, err
}

// entityCSV writes an entity list as phones read it, whole.
func (h *house) entityCSV(ctx context.Context, w io.Writer, l dtm.EntityList) error {
	here := false
	list, _, err := h.db.Entities(ctx, dtm.EntityFilter{List: l.Name, Deleted: &here})
	if err != nil {
		return err
	}
	return entity.WriteCSV(w, l, list, false, dtm.EntityScope{})
}

// door is the one by which users sign in, to the pages and to the API.
func (h *house) door() *access.Door {
	h.doorway.Do(func() { h.signIns = &access.Door{Users: h.db, Tries: h.db, Now: h.now} })
	return h.signIns
}

// trail is where exports and refusals are noted, of pages and API alike.
func (h *house) trail() *access.Trail {
	h.tracing.Do(func() { h.traces = &access.Trail{Audit: h.db, Now: h.now} })
	return h.traces
}

// exported notes an export by whoever the context says.
func (h *house) exported(ctx context.Context, what string, how map[string]any) error {
	return h.trail().Exported(ctx, event.Actor(ctx), what, how)
}

// answered writes the answers to a form of those submissions that a search finds.
func (h *house) answered(w http.ResponseWriter, r *http.Request, form string, among dtm.SubmissionSearch) error {
	t := &odata.Handler{Stream: amongStream{h.db, among}, Submissions: h.db, Blobs: h.blobs, Devices: h.db, Audit: h.db, Exported: h.exported, Now: h.now, Base: h.config.BaseURL, Tags: h.tags}
	return t.CSV(w, r, form)
}

// amongStream leaves out what a search does not find.
type amongStream struct {
	dtm.SubmissionStream
	among dtm.SubmissionSearch
}

func (a amongStream) Stream(ctx context.Context, q dtm.SubmissionQuery, f func([]dtm.Streamed) error) error {
	q.Among = &a.among
	return a.SubmissionStream.Stream(ctx, q, f)
}

func (a amongStream) CountSubmissions(ctx context.Context, q dtm.SubmissionQuery) (int, error) {
	q.Among = &a.among
	return a.SubmissionStream.CountSubmissions(ctx, q)
}

// checkForm reads an XLSForm and gives it as it would be published.
func checkForm(_ context.Context, name string, data []byte, media []dtm.Media, l dtm.Lang) (dtm.Form, []web.Remark, error) {
	f, xml, warnings, err := readForm(name, data)
	var remarks []web.Remark
	var faults xlsform.Faults
	if errors.As(err, &faults) {
		for _, x := range faults {
			remarks = append(remarks, web.Remark{Where: x.Where(), Text: x.In(l), Fault: true})
		}
		err = nil
	}
	for _, w := range warnings {
		remarks = append(remarks, web.Remark{Where: xlsform.Fault(w).Where(), Text: w.In(l)})
	}
	if err != nil || len(faults) > 0 {
		return dtm.Form{}, remarks, err
	}
	return published(f, xml, name, data, media), remarks, nil
}

// readForm makes a form's definition and its XForm.
func readForm(name string, data []byte) (*xlsform.Form, []byte, []xlsform.Warning, error) {
	f, warnings, err := xlsform.Read(name, data)
	var xml []byte
	if err == nil {
		xml, err = xform.Write(f)
	}
	return f, xml, warnings, err
}

// titlesOf reads a form's titles from its workbook; one that is no longer read has none.
func titlesOf(name string, source []byte) dtm.Text {
	f, _, err := xlsform.Read(name, source)
	if err != nil {
		return nil
	}
	return f.TitleText()
}

// published is the form as the store keeps it.
func published(f *xlsform.Form, xml []byte, name string, source []byte, media []dtm.Media) dtm.Form {
	for i := range media {
		media[i].Hash = dtm.FileHash(media[i].Data)
	}
	return dtm.Form{ID: f.ID, Version: f.Version, Title: f.Title, Titles: f.TitleText(), Hash: dtm.FileHash(xml), XForm: xml, Source: source, SourceName: filepath.Base(name), Media: media}
}

// answers reads a submission for people.
func (h *house) answers(ctx context.Context, s dtm.Submission, l dtm.Lang) ([]web.Answer, error) {
	f, err := h.forms.form(ctx, s.Form, s.Version)
	if err != nil {
		return nil, err
	}
	if f == nil {
		return nil, noSource(s.Form)
	}
	list, err := h.answersBy(f, s, l)
	if err != nil {
		return nil, err
	}
	sealed, err := h.forms.sealing(ctx, s.Form, s.Version)
	for i, a := range list {
		list[i].Sealed = !a.Head && a.Value == "" && sealed.Has(a.Path)
	}
	return list, err
}

// answersBy reads a submission by a form.
func (h *house) answersBy(f *xlsform.Form, s dtm.Submission, l dtm.Lang) ([]web.Answer, error) {
	in, err := xform.Read(f, s.XML)
	if err != nil {
		return nil, err
	}
	r := answerReader{op: h.op, form: f, reader: l, lang: languageOf(f, l)}
	r.level(f.Root, in.Root, 0)
	return r.out, nil
}

// instanceName is what the form has the submission call itself.
func (h *house) instanceName(ctx context.Context, s dtm.Submission) string {
	f, err := h.forms.form(ctx, s.Form, s.Version)
	if err != nil || f == nil {
		return ""
	}
	in, err := xform.Read(f, s.XML)
	if err != nil {
		return ""
	}
	return in.InstanceName
}

type answerReader struct {
	op     *dtm.Operation
	form   *xlsform.Form
	reader dtm.Lang
	lang   string // as the form names the reader's
	out    []web.Answer
}

// level writes the answers of a group or a turn in the form's order.
func (r *answerReader) level(n *xlsform.Node, a *xform.Answers, depth int) {
	for _, c := range n.Nodes {
		switch c.Kind {
		case xlsform.Group:
			if label := r.words(c.Label); label != "" {
				r.out = append(r.out, web.Answer{Depth: depth, Head: true, Path: c.Path(), Label: label})
			}
			r.level(c, a, depth+1)
		case xlsform.Repeat:
			turn := 0
			for _, t := range a.Turns {
				if t.Repeat != c {
					continue
				}
				turn++
				label := r.words(c.Label)
				if label == "" {
					label = c.Name
				}
				r.out = append(r.out, web.Answer{Depth: depth, Head: true, Path: c.Path(), Label: label + " " + strconv.Itoa(turn)})
				r.level(c, t, depth+1)
			}
		default:
			value, asked := a.Get(c)
			if !asked || c.Type == "note" {
				continue
			}
			x := web.Answer{Depth: depth, Path: c.Path(), Label: r.words(c.Label), Value: r.say(c, value)}
			if x.Label == "" {
				x.Label = c.Name
			}
			if x.Value != value {
				x.Raw = value
			}
			if c.Attachment() {
				x.File = value
			}
			r.out = append(r.out, x)
		}
	}
}

// say puts labels for the codes of choices.
func (r *answerReader) say(n *xlsform.Node, value string) string {
	list := r.form.ChoiceList(n.List)
	if value == "" || list == nil && n.File == "" {
		return value
	}
	codes := []string{value}
	if n.Type == "select_multiple" || n.Type == "rank" {
		codes = strings.Fields(value)
	}
	for i, code := range codes {
		if n.File == pointsFile {
			if p, ok := r.op.Point(code); ok {
				codes[i] = p.Name.In(r.reader)
			}
		}
		if list == nil {
			continue
		}
		for _, c := range list.Choices {
			if c.Name == code {
				if label := r.words(c.Label); label != "" {
					codes[i] = label
				}
			}
		}
	}
	return strings.Join(codes, " · ")
}

// words is a text in the reader's language, else in any; references to answers in
// it are left out.
func (r *answerReader) words(t xlsform.Texts) string {
	s := t.In(r.lang)
	if s == "" && len(t) > 0 {
		s = t[0].Words
	}
	for {
		a := strings.Index(s, "${")
		b := strings.Index(s[max(a, 0):], "}")
		if a < 0 || b < 0 {
			return strings.TrimSpace(s)
		}
		s = s[:a] + "…" + s[a+b+1:]
	}
}

// languageOf finds the form's name for a language: "Français (fr)", or "fr".
func languageOf(f *xlsform.Form, l dtm.Lang) string {
	return cmp.Or(f.Language(l), f.DefaultLanguage)
}
