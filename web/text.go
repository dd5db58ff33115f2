package web

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"dtm"
	"dtm/access"
	"dtm/disseminate/overview"
	"dtm/event"
	"dtm/locale"
)

// Editor is what the pages need on which the sentences of reports are put into other words.
type Editor interface {
	dtm.Editions
	// Texts lists the reports of a release that have sentences.
	Texts(r dtm.FrozenRelease) []dtm.Report
	// Sentences gives those of a report as generated: NotFound, Gone when the release was
	// withdrawn.
	Sentences(ctx context.Context, of dtm.ReportText) ([]overview.Bound, error)
	// Carried gives the words of the month's release before, of sentences whose figures are
	// still there: their marks are those of the sentences now, Base that of the one they were
	// written over.
	Carried(ctx context.Context, of dtm.ReportText) ([]dtm.Wording, error)
	// Preview makes the PDF with the words that stand: Conflict when one stands over a
	// sentence that is generated otherwise now.
	Preview(ctx context.Context, of dtm.ReportText) ([]byte, error)
	// Propose keeps the words that stand with their PDF, for a second person to approve:
	// Conflict when there are none, Invalid when a number cannot be published, or needs a
	// note.
	Propose(ctx context.Context, of dtm.ReportText, note string) (dtm.Edition, error)
	// PDF reads that of an edition: Conflict when it is damaged.
	PDF(ctx context.Context, e dtm.Edition) ([]byte, error)
}

// ReportName names a report in the page's language.
func (g page) ReportName(r dtm.Report) string {
	switch r.Product {
	case dtm.ReportAnnual:
		return g.T("report.annual.title") + " " + strconv.Itoa(r.Year)
	case dtm.ReportPoint:
		return g.T("report.point.title", g.PointName(r.Of))
	case dtm.ReportPartner:
		name := r.Of
		if i := slices.IndexFunc(g.p.Operation.Partners, func(p dtm.Partner) bool { return p.Code == r.Of }); i >= 0 {
			name = g.p.Operation.Partners[i].Name.In(g.Lang)
		}
		return g.T("report.partner.title", name)
	case dtm.ReportStranded:
		return g.T("report.stranded.title")
	case dtm.ReportTables:
		return g.T("report.tables.title")
	}
	return g.T("report.title")
}

// editionLink is an edition on a page.
type editionLink struct{ Label, Href, Note string }

// editions are the published ones of a release, for everybody.
func (p *Pages) editions(ctx context.Context, g page, x dtm.FrozenRelease) ([]editionLink, error) {
	if p.Editor == nil || x.State != dtm.StatePublished {
		return nil, nil
	}
	list, err := p.Editor.Editions(ctx, x.Month, x.N)
	if err != nil {
		return nil, err
	}
	var out []editionLink
	for _, e := range list {
		r, err := dtm.ParseReport(e.Of.Report)
		if err != nil || e.State != dtm.StatePublished {
			continue
		}
		out = append(out, editionLink{g.ReportName(r) + " (" + ownNames[e.Of.Lang] + ")", g.Link("/releases/" + x.Number + "/" + e.File()),
			g.T("edition.published.on", e.N, locale.Date(g.Lang, e.Decided.In(p.Operation.Zone)))})
	}
	return out, nil
}

// editionFile serves the PDF of a published edition under its release; done tells whether
// the address was one of an edition.
func (p *Pages) editionFile(w http.ResponseWriter, r *http.Request, x dtm.FrozenRelease) (done bool, err error) {
	report, l, n, ok := dtm.ParseEditionFile(r.PathValue("file"))
	if !ok || p.Editor == nil {
		return false, nil
	}
	e, err := p.Editor.Edition(r.Context(), dtm.ReportText{Month: x.Month, N: x.N, Report: report, Lang: l}, n)
	if err == nil && e.State != dtm.StatePublished {
		err = dtm.Errorf(dtm.NotFound, "there is no such file").Coded("notfound")
	}
	if err != nil {
		return true, err
	}
	b, err := p.Editor.PDF(r.Context(), e)
	if err != nil {
		return true, err
	}
	return true, p.pdf(w, e.File(), b)
}

func (p *Pages) pdf(w http.ResponseWriter, name string, b []byte) error {
	w.Header().Set("Content-Type", "application/pdf")
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("Content-Disposition", `inline; filename="`+p.Operation.Code+"-"+name+`"`)
	_, err := w.Write(b)
	return err
}

// textRoutes are the pages of a release's texts.
func (p *Pages) textRoutes(page func(pattern string, a access.Action, fn func(http.ResponseWriter, *http.Request) error)) {
	const at, text = "/releases/{month}/{n}/texts/", "/releases/{month}/{n}/texts/{report}/{lang}/"
	page("GET "+at+"{$}", access.ReadSubmissions, p.texts)
	page("GET "+text+"{$}", access.CreateReleases, p.text)
	page("POST "+text+"{$}", access.CreateReleases, p.saveText)
	page("POST "+text+"check", access.CreateReleases, p.checkText)
	page("GET "+text+"preview.pdf", access.CreateReleases, p.previewText)
	page("POST "+text+"propose", access.CreateReleases, p.proposeText)
	page("GET "+text+"{edition}/report.pdf", access.CreateReleases, p.editionPDF)
	page("POST "+text+"{edition}/publish", access.CreateReleases, p.publishText)
	page("POST "+text+"{edition}/return", access.CreateReleases, p.returnText)
}

// textAt reads the address of a report's text.
func (p *Pages) textAt(r *http.Request) (dtm.ReportText, dtm.Report, error) {
	notFound := dtm.Errorf(dtm.NotFound, "there is no such page").Coded("notfound")
	m, n, err := dtm.ParseReleaseNumber(r.PathValue("month") + "/" + r.PathValue("n"))
	x, err2 := dtm.ParseReport(r.PathValue("report"))
	l := dtm.Lang(r.PathValue("lang"))
	if err != nil || err2 != nil || !slices.Contains(p.langs, l) || x.Check(p.Operation) != nil {
		return dtm.ReportText{}, x, notFound
	}
	return dtm.ReportText{Month: m, N: n, Report: x.Name(), Lang: l}, x, nil
}

// textsView lists the reports of a release with the state of their words.
type textsView struct {
	page
	Back string
	Rows []textRow
}

type textRow struct {
	Label string
	Texts []textLink
}

type textLink struct{ Name, Href, Note, State string }

func (p *Pages) texts(w http.ResponseWriter, r *http.Request) error {
	x, err := p.frozenAt(r)
	if err != nil {
		return err
	}
	v := textsView{page: p.inside(r, "releases", "release.title", "/releases/"+x.Number+"/texts/")}
	v.Title, v.Back = v.T("edition.texts", x.Number), v.Link("/staff/releases/"+x.Number)
	list, err := p.Editor.Editions(r.Context(), x.Month, x.N)
	if err != nil {
		return err
	}
	for _, report := range p.Editor.Texts(x) {
		row := textRow{Label: v.ReportName(report)}
		for _, l := range p.langs {
			of := dtm.ReportText{Month: x.Month, N: x.N, Report: report.Name(), Lang: l}
			link := textLink{Name: ownNames[l], Note: v.T("edition.generated")}
			if v.MayRelease() && x.State != dtm.StateWithdrawn {
				link.Href = v.Link("/staff/releases/" + x.Number + "/texts/" + of.Report + "/" + string(l) + "/")
			}
			words, err := p.Editor.Wordings(r.Context(), of)
			if err != nil {
				return err
			}
			if n := len(slices.DeleteFunc(words, func(w dtm.Wording) bool { return w.Words == "" })); n > 0 {
				link.Note = v.T("edition.changed", n)
			}
			if i := slices.IndexFunc(list, func(e dtm.Edition) bool { return e.Of == of }); i >= 0 {
				link.State = list[i].State
				link.Note += " · " + v.T("edition.is", list[i].N, v.T("edition.state."+list[i].State))
			}
			row.Texts = append(row.Texts, link)
		}
		v.Rows = append(v.Rows, row)
	}
	return p.show(w, http.StatusOK, "texts", v)
}

// textView is the page on which a report's sentences are written.
type textView struct {
	page
	Of        dtm.ReportText
	Back      string
	At        string // of this page
	Message   string
	Saved     bool
	Closed    bool // one is proposed: nothing is changed meanwhile
	Changed   int
	Carried   int // sentences that begin with the words of the release before
	Doubts    int // findings in what stands
	Stops     int // of them those that cannot be published
	Note      string
	Sentences []sentenceView
	Editions  []editionView
}

type sentenceView struct {
	Tag     string // for addresses and ids
	ID      string
	Lead    string // "" when it is that of the sentence before
	Bound   overview.Bound
	Words   string // in the field
	Written bool   // in a writer's words
	By      string
	Stale   bool
	Carried string // from where
	Dir     string
	Said    saidView
}

// saidView is what is told of the words of one sentence.
type saidView struct {
	page
	Tag      string
	Findings []string
	Stops    bool
	Reads    string // as it will be printed
	Dir      string
}

type editionView struct {
	dtm.Edition
	Href, By, Decision string
	Mine, Waiting      bool
}

func tagOf(sentence string) string { return strings.ReplaceAll(sentence, "/", "-") }

// said reads words as they would be printed, and tells what is wrong with them.
func (p *Pages) said(g page, s overview.Bound, words string, l dtm.Lang) saidView {
	v := saidView{page: g, Tag: tagOf(s.ID), Reads: s.Fill(words), Dir: dirOf(l)}
	for _, f := range s.Check(words) {
		switch {
		case f.Kind == overview.NoMark:
			v.Stops = true
			v.Findings = append(v.Findings, g.T("wording.mark", f.Number))
		case f.Kind == overview.Kept:
			v.Stops = true
			v.Findings = append(v.Findings, g.T("wording.withheld", f.Number, f.Name))
		case f.Value != "":
			v.Findings = append(v.Findings, g.T("wording.differs", f.Number, f.Name, f.Value))
		default:
			v.Findings = append(v.Findings, g.T("wording.foreign", f.Number))
		}
	}
	return v
}

func dirOf(l dtm.Lang) string {
	if l.RTL() {
		return "rtl"
	}
	return "ltr"
}

func (p *Pages) text(w http.ResponseWriter, r *http.Request) error {
	return p.showText(w, r, http.StatusOK, "", nil)
}

// showText shows the page; typed are words that were sent and not kept.
func (p *Pages) showText(w http.ResponseWriter, r *http.Request, status int, message string, typed map[string]string) error {
	of, report, err := p.textAt(r)
	if err != nil {
		return err
	}
	list, err := p.Editor.Sentences(r.Context(), of)
	if err != nil {
		return err
	}
	number := dtm.ReleaseNumber(of.Month, of.N)
	at := "/releases/" + number + "/texts/"
	v := textView{page: p.inside(r, "releases", "release.title", at+of.Report+"/"+string(of.Lang)+"/"), Of: of, Message: message, Saved: r.URL.Query().Get("saved") != "", Note: r.PostFormValue("note")}
	v.Title = v.ReportName(report) + " (" + ownNames[of.Lang] + ") · " + v.T("release.one", number)
	v.Back, v.At = v.Link("/staff"+at), v.Link("/staff"+at+of.Report+"/"+string(of.Lang)+"/")
	words, err := p.Editor.Wordings(r.Context(), of)
	if err != nil {
		return err
	}
	before, err := p.Editor.Carried(r.Context(), of)
	if err != nil {
		return err
	}
	lead := ""
	for _, s := range list {
		x := sentenceView{Tag: tagOf(s.ID), ID: s.ID, Bound: s, Words: s.Base, Dir: dirOf(of.Lang)}
		if s.Lead != lead {
			x.Lead, lead = s.Lead, s.Lead
		}
		if i := slices.IndexFunc(words, func(w dtm.Wording) bool { return w.Sentence == s.ID }); i >= 0 {
			w := words[i]
			x.By = v.T("wording.by", v.Who(w.Author), v.When(w.At))
			if w.Words != "" {
				x.Words, x.Written, x.Stale = w.Words, true, w.Base != s.Base
				v.Changed++
			} else {
				x.By = v.T("wording.undone", v.Who(w.Author), v.When(w.At))
			}
		} else if i := slices.IndexFunc(before, func(w dtm.Wording) bool { return w.Sentence == s.ID }); i >= 0 {
			w := before[i]
			x.Words, x.Carried, x.By = w.Words, v.T("wording.carried"), v.T("wording.by", v.Who(w.Author), v.When(w.At))
			if w.Base != s.Base {
				x.Carried += " " + v.T("wording.carried.changed")
			}
			v.Carried++
		}
		if t, ok := typed[s.ID]; ok {
			x.Words = t
		}
		x.Said = p.said(v.page, s, x.Words, of.Lang)
		if x.Written || typed != nil {
			v.Doubts += len(x.Said.Findings)
			if x.Said.Stops || x.Stale {
				v.Stops++
			}
		}
		v.Sentences = append(v.Sentences, x)
	}
	editions, err := p.Editor.Editions(r.Context(), of.Month, of.N)
	if err != nil {
		return err
	}
	me := actor(r)
	for _, e := range editions {
		if e.Of != of {
			continue
		}
		x := editionView{Edition: e, Href: v.At + strconv.Itoa(e.N) + "/report.pdf", By: v.T("edition.proposed.by", v.Who(e.Proposer), v.When(e.Proposed)),
			Waiting: e.State == dtm.StateProposed, Mine: me == e.Proposer || slices.Contains(e.Authors(), me)}
		if e.Decided != nil {
			x.Decision = v.T("edition.decided."+e.State, v.Who(e.Decider), v.When(*e.Decided))
		}
		v.Closed = v.Closed || x.Waiting
		v.Editions = append(v.Editions, x)
	}
	return p.show(w, status, "text", v)
}

// saveText keeps what was written; a sentence whose words are those that are generated, or
// that is undone, is as generated again.
func (p *Pages) saveText(w http.ResponseWriter, r *http.Request) error {
	of, _, err := p.textAt(r)
	if err != nil {
		return err
	}
	list, err := p.Editor.Sentences(r.Context(), of)
	if err != nil {
		return err
	}
	stand, err := p.Editor.Wordings(r.Context(), of)
	if err != nil {
		return err
	}
	before, err := p.Editor.Carried(r.Context(), of)
	if err != nil {
		return err
	}
	undo := r.PostFormValue("undo")
	typed := map[string]string{}
	var words []dtm.Wording
	for _, s := range list {
		if _, sent := r.PostForm["w."+s.ID]; !sent {
			continue
		}
		text := overview.Typeset(of.Lang, r.PostFormValue("w."+s.ID))
		typed[s.ID] = text
		if text == overview.Typeset(of.Lang, s.Base) || s.ID == undo {
			text = ""
		}
		is := func(w dtm.Wording) bool { return w.Sentence == s.ID }
		if text == "" && !slices.ContainsFunc(stand, is) && !slices.ContainsFunc(before, is) {
			continue // as generated, and never anything else
		}
		words = append(words, dtm.Wording{Sentence: s.ID, Base: s.Base, Words: text})
	}
	err = p.Editor.SaveWordings(event.WithActor(r.Context(), actor(r)), of, words)
	if k := dtm.KindOf(err); err != nil && (k == dtm.Invalid || k == dtm.Conflict) {
		return p.showText(w, r, http.StatusConflict, locale.Error(p.guess(r), err), typed)
	}
	if err != nil {
		return err
	}
	to := ""
	if undo != "" {
		to = "#s-" + tagOf(undo)
	}
	return p.backToText(w, r, of, "?saved=1"+to)
}

func (p *Pages) backToText(w http.ResponseWriter, r *http.Request, of dtm.ReportText, to string) error {
	http.Redirect(w, r, "/"+string(p.guess(r))+"/staff/releases/"+dtm.ReleaseNumber(of.Month, of.N)+"/texts/"+of.Report+"/"+string(of.Lang)+"/"+to, http.StatusSeeOther)
	return nil
}

// checkText answers while a sentence is being written: a part of the page alone. Nothing
// is kept.
func (p *Pages) checkText(w http.ResponseWriter, r *http.Request) error {
	of, _, err := p.textAt(r)
	if err != nil {
		return err
	}
	list, err := p.Editor.Sentences(r.Context(), of)
	if err != nil {
		return err
	}
	id := r.URL.Query().Get("sentence")
	i := slices.IndexFunc(list, func(s overview.Bound) bool { return s.ID == id })
	if i < 0 {
		return dtm.Errorf(dtm.NotFound, "there is no such page").Coded("notfound")
	}
	g := p.inside(r, "releases", "release.title", "/releases/")
	return p.showPart(w, "text", "said", p.said(g, list[i], r.PostFormValue("w."+id), of.Lang))
}

func (p *Pages) previewText(w http.ResponseWriter, r *http.Request) error {
	of, _, err := p.textAt(r)
	if err != nil {
		return err
	}
	b, err := p.Editor.Preview(r.Context(), of)
	if err != nil {
		return err
	}
	return p.pdf(w, of.Report+"-"+string(of.Lang)+"-draft.pdf", b)
}

func (p *Pages) proposeText(w http.ResponseWriter, r *http.Request) error {
	of, _, err := p.textAt(r)
	if err != nil {
		return err
	}
	_, err = p.Editor.Propose(event.WithActor(r.Context(), actor(r)), of, r.PostFormValue("note"))
	return p.textDecided(w, r, of, err)
}

// editionAt reads the address of an edition.
func (p *Pages) editionAt(r *http.Request) (dtm.ReportText, int, error) {
	of, _, err := p.textAt(r)
	if err != nil {
		return of, 0, err
	}
	n, err := strconv.Atoi(r.PathValue("edition"))
	if err != nil {
		err = dtm.Errorf(dtm.NotFound, "there is no such page").Coded("notfound")
	}
	return of, n, err
}

func (p *Pages) editionPDF(w http.ResponseWriter, r *http.Request) error {
	of, n, err := p.editionAt(r)
	if err != nil {
		return err
	}
	e, err := p.Editor.Edition(r.Context(), of, n)
	if err != nil {
		return err
	}
	b, err := p.Editor.PDF(r.Context(), e)
	if err != nil {
		return err
	}
	return p.pdf(w, e.File(), b)
}

func (p *Pages) publishText(w http.ResponseWriter, r *http.Request) error {
	of, n, err := p.editionAt(r)
	if err != nil {
		return err
	}
	e, err := p.Editor.Edition(r.Context(), of, n)
	if err == nil {
		_, err = p.Editor.PDF(r.Context(), e) // what is published can be given out
	}
	if err == nil {
		_, err = p.Editor.PublishEdition(event.WithActor(r.Context(), actor(r)), of, n)
	}
	return p.textDecided(w, r, of, err)
}

func (p *Pages) returnText(w http.ResponseWriter, r *http.Request) error {
	of, n, err := p.editionAt(r)
	if err != nil {
		return err
	}
	_, err = p.Editor.ReturnEdition(event.WithActor(r.Context(), actor(r)), of, n, strings.TrimSpace(r.PostFormValue("reason")))
	return p.textDecided(w, r, of, err)
}

func (p *Pages) textDecided(w http.ResponseWriter, r *http.Request, of dtm.ReportText, err error) error {
	switch k := dtm.KindOf(err); {
	case err == nil:
		return p.backToText(w, r, of, "")
	case k == dtm.Conflict, k == dtm.Invalid, k == dtm.Forbidden:
		return p.showText(w, r, http.StatusConflict, locale.Error(p.guess(r), err), nil)
	}
	return err
}
