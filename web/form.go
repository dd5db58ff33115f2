package web

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"dtm"
	"dtm/access"
	"dtm/event"
	"dtm/locale"
	"dtm/serve"
)

// maxForm is the size in bytes of an XLSForm that the page takes, with its files.
const maxForm = 16 << 20

type formsView struct {
	page
	Forms   []formRow
	Drafts  []formRow // of forms that were never published
	Checked *checkedForm
	Message string
	Gone    string // title of a draft that was discarded
}

type formRow struct {
	dtm.Form
	Href  string
	State string
	Count int // submissions
	Last  time.Time
	Rows  string // the list of submissions
	Draft *dtm.Draft
}

// checkedForm is a form that was sent and read.
type checkedForm struct {
	Name    string
	Form    dtm.Form
	Faults  []Remark
	Remarks []Remark
	Usable  bool
	Taken   bool // its version is published already with other content

	page // of the reader
}

func (p *Pages) forms(w http.ResponseWriter, r *http.Request) error {
	return p.showForms(w, r, http.StatusOK, formsView{Gone: r.URL.Query().Get("discarded")})
}

func (p *Pages) showForms(w http.ResponseWriter, r *http.Request, status int, v formsView) error {
	ctx := r.Context()
	v.page = p.inside(r, "forms", "staff.forms", "/forms/")
	list, err := p.Staff.Forms.Forms(ctx)
	if err != nil {
		return err
	}
	states, err := p.Staff.States.FormStates(ctx)
	if err != nil {
		return err
	}
	drafts, err := p.Staff.Drafts.Drafts(ctx)
	if err != nil {
		return err
	}
	for _, f := range list {
		newest, n, err := p.Staff.Submissions.Submissions(ctx, dtm.SubmissionFilter{Form: &f.ID, Limit: 1})
		if err != nil {
			return err
		}
		row := formRow{Form: f, Href: v.formLink(f.ID), State: cmp.Or(states[f.ID], dtm.FormOpen), Count: n, Rows: v.Link("/staff/submissions/?form=" + url.QueryEscape(f.ID))}
		if len(newest) > 0 {
			row.Last = newest[0].Received
		}
		if i := slices.IndexFunc(drafts, func(d dtm.Draft) bool { return d.ID == f.ID }); i >= 0 {
			row.Draft = &drafts[i]
		}
		v.Forms = append(v.Forms, row)
	}
	for i, d := range drafts {
		if !slices.ContainsFunc(list, func(f dtm.Form) bool { return f.ID == d.ID }) {
			v.Drafts = append(v.Drafts, formRow{Form: d.Form, Href: v.formLink(d.ID), Draft: &drafts[i]})
		}
	}
	return p.show(w, status, "forms", v)
}

// formLink is the page of a form.
func (g page) formLink(id string) string { return g.Link("/staff/forms/" + url.PathEscape(id) + "/") }

// read reads the form that a request carries. What is wrong with it, too, is in what
// comes back; the error is of the request.
func (p *Pages) read(w http.ResponseWriter, r *http.Request) (checkedForm, error) {
	ctx, l := r.Context(), p.guess(r)
	c := checkedForm{page: p.page(l, "", "", "", nil)}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseMultipartForm(maxForm); err != nil {
		return c, serve.BodyError(err)
	}
	name, data, media, err := sent(r)
	if err != nil {
		return c, err
	}
	c.Name = name
	fault := func(where, text string) (checkedForm, error) {
		c.Faults = append(c.Faults, Remark{Where: where, Text: text, Fault: true})
		return c, nil
	}
	if len(data) == 0 {
		return fault("", locale.Say(l, "form.file.missing"))
	}
	form, remarks, err := p.Staff.Check(ctx, name, data, media, l)
	if dtm.KindOf(err) == dtm.Invalid && err != nil || dtm.KindOf(err) == dtm.Unsupported && err != nil {
		return fault("", locale.Error(l, err))
	}
	if err != nil {
		return c, err
	}
	for _, m := range remarks {
		if m.Fault {
			c.Faults = append(c.Faults, m)
		} else {
			c.Remarks = append(c.Remarks, m)
		}
	}
	if form.ID == "" {
		return c, nil
	}
	if id := r.PathValue("id"); id != "" && form.ID != id {
		return fault("settings", locale.Say(l, "form.other", form.ID, id))
	}
	c.Form, c.Usable = form, true
	c.Taken, err = p.taken(ctx, form)
	return c, err
}

// taken tells whether the form's version is published already with other content.
func (p *Pages) taken(ctx context.Context, f dtm.Form) (bool, error) {
	now, err := p.Staff.Forms.Form(ctx, f.ID, f.Version)
	if dtm.KindOf(err) == dtm.NotFound && err != nil {
		return false, nil
	}
	return err == nil && (f.Version == "" || now.Version == f.Version) && (now.Hash != f.Hash || !maps.Equal(now.Titles, f.Titles)), err
}

// checkForm answers while the workbook is still being chosen: a part of the page
// alone.
func (p *Pages) checkForm(w http.ResponseWriter, r *http.Request) error {
	c, err := p.read(w, r)
	if err != nil {
		return err
	}
	return p.showPart(w, "forms", "checked", &c)
}

// saveDraft makes what was sent the draft of its form.
func (p *Pages) saveDraft(w http.ResponseWriter, r *http.Request) error {
	ctx := event.WithActor(r.Context(), actor(r))
	c, err := p.read(w, r)
	if err != nil {
		return err
	}
	if !c.Usable {
		if r.PathValue("id") != "" {
			return p.showForm(w, r, http.StatusUnprocessableEntity, formView{Checked: &c})
		}
		return p.showForms(w, r, http.StatusUnprocessableEntity, formsView{Checked: &c})
	}
	f, err := p.withFiles(ctx, c.Form)
	if err != nil {
		return err
	}
	if _, err := p.Staff.Drafts.SaveDraft(ctx, f); err != nil {
		return err
	}
	return p.backToForm(w, r, f.ID, "saved", "#draft")
}

// withFiles gives a first draft the files of the published version that it still asks
// for: they need not be sent again.
func (p *Pages) withFiles(ctx context.Context, f dtm.Form) (dtm.Form, error) {
	_, err := p.Staff.Drafts.Draft(ctx, f.ID)
	if err == nil {
		return f, nil
	}
	var now dtm.Form
	if dtm.KindOf(err) == dtm.NotFound {
		now, err = p.Staff.Forms.Form(ctx, f.ID, "")
	}
	if dtm.KindOf(err) == dtm.NotFound {
		return f, nil
	}
	if err != nil {
		return f, err
	}
	wanted, err := p.Staff.Wants(ctx, f)
	if err != nil {
		return f, err
	}
	for _, m := range now.Media {
		asked := slices.ContainsFunc(wanted, func(x Wanted) bool { return x.Name == m.Name })
		if asked && !slices.ContainsFunc(f.Media, func(x dtm.Media) bool { return x.Name == m.Name }) {
			f.Media = append(f.Media, m)
		}
	}
	return f, nil
}

func (p *Pages) backToForm(w http.ResponseWriter, r *http.Request, id, done, at string) error {
	g := p.page(p.guess(r), "", "", "", nil)
	http.Redirect(w, r, g.formLink(id)+"?done="+done+at, http.StatusSeeOther)
	return nil
}

// formView is the page of one form.
type formView struct {
	page
	ID       string
	Name     string // its title
	State    string
	Now      *dtm.FormVersion // nil: never published
	Versions []dtm.FormVersion
	Count    int // submissions with any version
	Last     time.Time
	Rows     string
	Base     string
	Files    []Wanted // of the published version
	Missing  int
	Draft    *draftView
	Checked  *checkedForm
	Done     string
	Message  string
	Compare  [2][]option
}

// draftView is the draft on the page of its form.
type draftView struct {
	dtm.Draft
	Remarks []Remark
	Files   []Wanted
	Missing int
	Taken   bool
	Same    bool // as what is published
	Changes int
	Ended   bool // its code
	Phone   phoneCode
	Trials  []trialRow
}

type trialRow struct {
	dtm.Submission
	Trial
	Unread  string
	Remarks map[string]string // by path: what would be remarked there
	Files   []fileView
}

// shownTrials is how many test records the page shows, the newest.
const shownTrials = 20

func (p *Pages) formPage(w http.ResponseWriter, r *http.Request) error {
	return p.showForm(w, r, http.StatusOK, formView{Done: r.URL.Query().Get("done")})
}

func (p *Pages) showForm(w http.ResponseWriter, r *http.Request, status int, v formView) error {
	ctx, id := r.Context(), r.PathValue("id")
	v.page = p.inside(r, "forms", "word.form", "/forms/"+url.PathEscape(id)+"/")
	v.ID, v.Base = id, v.formLink(id)
	if key := "form.done." + v.Done; v.Done == "" || !locale.Has(key) {
		v.Done = ""
	} else {
		v.Done = v.T(key)
	}
	draft, err := p.Staff.Drafts.Draft(ctx, id)
	drafted := err == nil
	if err != nil && dtm.KindOf(err) != dtm.NotFound {
		return err
	}
	v.Versions, err = p.Staff.History.FormVersions(ctx, id)
	if err != nil && (dtm.KindOf(err) != dtm.NotFound || !drafted) {
		return err
	}
	if len(v.Versions) > 0 {
		if err := p.published(ctx, &v, drafted); err != nil {
			return err
		}
	}
	if drafted {
		if v.Now == nil {
			v.Name = draft.TitleIn(v.Lang)
		}
		if v.Draft, err = p.draft(ctx, &v, draft); err != nil {
			return err
		}
	}
	v.Title = v.Name
	return p.show(w, status, "form", v)
}

// published fills in what the page says of the published versions.
func (p *Pages) published(ctx context.Context, v *formView, drafted bool) error {
	v.Now = &v.Versions[0]
	v.Name = v.Now.TitleIn(v.Lang)
	states, err := p.Staff.States.FormStates(ctx)
	if err != nil {
		return err
	}
	v.State = cmp.Or(states[v.ID], dtm.FormOpen)
	v.Rows = v.Link("/staff/submissions/?form=" + url.QueryEscape(v.ID))
	for _, x := range v.Versions {
		v.Count += x.Submissions
		if x.Last.After(v.Last) {
			v.Last = x.Last
		}
	}
	f, err := p.Staff.Forms.Form(ctx, v.ID, v.Now.Version)
	if err != nil {
		return err
	}
	if v.Files, err = p.Staff.Wants(ctx, f); err != nil {
		return err
	}
	v.Missing = missing(v.Files)
	if len(v.Versions) > 1 && !drafted {
		for i, x := range v.Versions {
			v.Compare[0] = append(v.Compare[0], option{x.Version, v.versionName(x.Version), i == 1})
			v.Compare[1] = append(v.Compare[1], option{x.Version, v.versionName(x.Version), i == 0})
		}
	}
	return nil
}

// versionName is a version to be read: it may be empty.
func (g page) versionName(version string) string { return cmp.Or(version, g.T("form.version.none")) }

// VersionName is for templates.
func (g page) VersionName(version string) string { return g.versionName(version) }

func missing(files []Wanted) (n int) {
	for _, f := range files {
		if f.From == "" {
			n++
		}
	}
	return n
}

// draft fills in what the page says of the draft.
func (p *Pages) draft(ctx context.Context, v *formView, d dtm.Draft) (*draftView, error) {
	out := &draftView{Draft: d, Ended: !p.Now().Before(d.Until)}
	var err error
	if d.SourceName != "" {
		if _, out.Remarks, err = p.Staff.Check(ctx, d.SourceName, d.Source, nil, v.Lang); err != nil {
			return nil, err
		}
	}
	if out.Files, err = p.Staff.Wants(ctx, d.Form); err != nil {
		return nil, err
	}
	out.Missing = missing(out.Files)
	if out.Taken, err = p.taken(ctx, d.Form); err != nil {
		return nil, err
	}
	if v.Now != nil {
		out.Same = v.Now.Version == d.Version && v.Now.Hash == d.Hash && maps.Equal(v.Now.Titles, d.Titles)
		now, err := p.Staff.Forms.Form(ctx, v.ID, v.Now.Version)
		if err != nil {
			return nil, err
		}
		changes, err := p.Staff.Compare(ctx, now, d.Form, v.Lang)
		if err != nil && dtm.KindOf(err) != dtm.Unsupported {
			return nil, err
		}
		out.Changes = len(changes)
		for i, x := range v.Versions {
			v.Compare[0] = append(v.Compare[0], option{x.Version, v.versionName(x.Version), i == 0})
			v.Compare[1] = append(v.Compare[1], option{x.Version, v.versionName(x.Version), false})
		}
		v.Compare[1] = append(v.Compare[1], option{draftChoice, v.T("form.draft.of", v.versionName(d.Version)), true})
	}
	if !out.Ended {
		address, code, browser, err := p.Staff.Trial(d, v.Lang)
		if err == nil {
			out.Phone, err = codeOf(address, code, browser)
		}
		if err != nil {
			return nil, err
		}
	}
	list, err := p.Staff.Drafts.Trials(ctx, d.ID)
	if err != nil {
		return nil, err
	}
	list = list[:min(len(list), shownTrials)]
	read, err := p.Staff.ReadTrials(ctx, d.Form, list, v.Lang)
	if err != nil {
		return nil, err
	}
	for i, s := range list {
		row := trialRow{Submission: s, Trial: read[i], Remarks: map[string]string{}}
		if row.Err != nil {
			row.Unread = locale.Error(v.Lang, row.Err)
		}
		for _, f := range row.Trial.Flags {
			row.Remarks[f.Path] = v.Rule(f.Rule)
		}
		for _, a := range s.Attachments {
			f := fileView{Name: a.Name, Size: a.Size, Image: slices.Contains(pictures, a.Type)}
			if a.Size <= dtm.MaxTrialMedia {
				f.Href = v.Base + "draft/trials/" + url.PathEscape(s.ID) + "/" + url.PathEscape(a.Name)
			}
			row.Files = append(row.Files, f)
		}
		out.Trials = append(out.Trials, row)
	}
	return out, nil
}

// trialFile gives a file that came with a test record.
func (p *Pages) trialFile(w http.ResponseWriter, r *http.Request) error {
	m, err := p.Staff.Drafts.TrialMedia(r.Context(), r.PathValue("id"), r.PathValue("record"), r.PathValue("name"))
	if err != nil {
		return err
	}
	return giveFile(w, m.Name, m.Type, bytes.NewReader(m.Data))
}

// publishDraft makes the draft the current version.
func (p *Pages) publishDraft(w http.ResponseWriter, r *http.Request) error {
	ctx, id := event.WithActor(r.Context(), actor(r)), r.PathValue("id")
	d, err := p.Staff.Drafts.Draft(ctx, id)
	if err != nil {
		return err
	}
	// What is published is what the page showed.
	if h := r.PostFormValue("hash"); h != d.Hash {
		return p.showForm(w, r, http.StatusConflict, formView{Message: locale.Say(p.guess(r), "form.draft.changed")})
	}
	err = p.Staff.Drafts.PublishDraft(ctx, d.Form)
	if dtm.KindOf(err) == dtm.Conflict && err != nil {
		return p.showForm(w, r, http.StatusConflict, formView{Message: locale.Say(p.guess(r), "form.version.taken", d.Version)})
	}
	if err != nil {
		return err
	}
	return p.backToForm(w, r, id, "published", "")
}

// discardDraft forgets the draft with its test records.
func (p *Pages) discardDraft(w http.ResponseWriter, r *http.Request) error {
	ctx, id := event.WithActor(r.Context(), actor(r)), r.PathValue("id")
	d, err := p.Staff.Drafts.Draft(ctx, id)
	if err != nil {
		return err
	}
	if err := p.Staff.Drafts.DeleteDraft(ctx, id); err != nil {
		return err
	}
	if _, err := p.Staff.Forms.Form(ctx, id, ""); err != nil { // no page is left of it
		http.Redirect(w, r, "/"+string(p.guess(r))+"/staff/forms/?discarded="+url.QueryEscape(d.TitleIn(p.guess(r))), http.StatusSeeOther)
		return nil
	}
	return p.backToForm(w, r, id, "discarded", "")
}

// draftCode renews the code for trying the draft, or ends it.
func (p *Pages) draftCode(w http.ResponseWriter, r *http.Request) error {
	ctx, id := event.WithActor(r.Context(), actor(r)), r.PathValue("id")
	if r.PostFormValue("end") != "" {
		if err := p.Staff.Drafts.EndDraft(ctx, id); err != nil {
			return err
		}
		return p.backToForm(w, r, id, "ended", "#try")
	}
	if _, err := p.Staff.Drafts.RenewDraft(ctx, id); err != nil {
		return err
	}
	return p.backToForm(w, r, id, "renewed", "#try")
}

// draftFiles adds files to the draft, or takes one away.
func (p *Pages) draftFiles(w http.ResponseWriter, r *http.Request) error {
	ctx, id := event.WithActor(r.Context(), actor(r)), r.PathValue("id")
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseMultipartForm(maxForm); err != nil {
		return serve.BodyError(err)
	}
	if name := r.PostFormValue("remove"); name != "" {
		if err := p.Staff.Drafts.DraftMedia(ctx, id, name, nil); err != nil {
			return err
		}
		return p.backToForm(w, r, id, "file.removed", "#files")
	}
	_, _, media, err := sent(r)
	if err != nil {
		return err
	}
	for _, m := range media {
		if err := p.Staff.Drafts.DraftMedia(ctx, id, m.Name, &m); err != nil {
			return err
		}
	}
	if len(media) == 0 {
		return p.showForm(w, r, http.StatusUnprocessableEntity, formView{Message: locale.Say(p.guess(r), "form.file.missing")})
	}
	return p.backToForm(w, r, id, "file.added", "#files")
}

// setFormState opens a form, lets it close, or closes it.
func (p *Pages) setFormState(w http.ResponseWriter, r *http.Request) error {
	ctx, id, state := event.WithActor(r.Context(), actor(r)), r.PathValue("id"), r.PostFormValue("state")
	if err := p.Staff.States.SetFormState(ctx, id, state); err != nil {
		return err
	}
	return p.backToForm(w, r, id, state, "#state")
}

// diffView sets two versions side by side.
type diffView struct {
	page
	ID, Name, Base string
	From, To       string
	FromName       string
	ToName         string
	Versions       [2][]option
	Groups         []changeGroup
	Unread         string
}

// changeGroup are the changes of one question, choice or of the form.
type changeGroup struct {
	Kind, Label, Place string
	Changes            []Change
}

// draftChoice stands for the draft where versions are chosen.
const draftChoice = "(draft)"

func (p *Pages) formDiff(w http.ResponseWriter, r *http.Request) error {
	ctx, id, q := r.Context(), r.PathValue("id"), r.URL.Query()
	v := diffView{page: p.inside(r, "forms", "form.diff", "/forms/"+url.PathEscape(id)+"/diff"), ID: id}
	v.Base = v.formLink(id)
	versions, err := p.Staff.History.FormVersions(ctx, id)
	if err != nil {
		return err
	}
	v.Name, v.From, v.To = versions[0].TitleIn(v.Lang), q.Get("from"), q.Get("to")
	from, err := p.Staff.Forms.Form(ctx, id, v.From)
	if err != nil {
		return err
	}
	var to dtm.Form
	var d dtm.Draft
	toDraft := v.To == draftChoice && !slices.ContainsFunc(versions, func(x dtm.FormVersion) bool { return x.Version == v.To })
	if toDraft {
		d, err = p.Staff.Drafts.Draft(ctx, id)
		to = d.Form
	} else {
		to, err = p.Staff.Forms.Form(ctx, id, v.To)
	}
	if err != nil {
		return err
	}
	v.From, v.To = from.Version, to.Version
	v.FromName, v.ToName = v.versionName(v.From), v.versionName(v.To)
	if toDraft {
		v.ToName = v.T("form.draft.of", v.ToName)
	}
	for _, x := range versions {
		v.Versions[0] = append(v.Versions[0], option{x.Version, v.versionName(x.Version), x.Version == v.From})
		v.Versions[1] = append(v.Versions[1], option{x.Version, v.versionName(x.Version), !toDraft && x.Version == v.To})
	}
	if toDraft {
		v.Versions[1] = append(v.Versions[1], option{draftChoice, v.ToName, true})
	}
	changes, err := p.Staff.Compare(ctx, from, to, v.Lang)
	if dtm.KindOf(err) == dtm.Unsupported && err != nil {
		v.Unread, err = locale.Error(v.Lang, err), nil
	}
	if err != nil {
		return err
	}
	for _, c := range changes {
		n := len(v.Groups)
		if n > 0 && v.Groups[n-1].Place == c.Place && v.Groups[n-1].Kind == c.Kind && c.Kind == changeAltered {
			v.Groups[n-1].Changes = append(v.Groups[n-1].Changes, c)
			continue
		}
		v.Groups = append(v.Groups, changeGroup{c.Kind, c.Label, c.Place, []Change{c}})
	}
	return p.show(w, http.StatusOK, "formdiff", v)
}

const changeAltered = "altered"

// What says which part of a question changed: "label English (en)" is the label, in
// that language.
func (g page) What(what string) string {
	first, rest, _ := strings.Cut(what, " ")
	if key := "change.what." + first; locale.Has(key) {
		first = g.T(key)
	}
	if rest != "" {
		return first + " · " + rest
	}
	return first
}

// Kind says what kind of change it is.
func (g page) Kind(kind string) string { return g.T("change." + kind) }

// QuestionType says what kind of answer a question takes.
func (g page) QuestionType(t string) string {
	if key := "question." + t; locale.Has(key) {
		return g.T(key)
	}
	return t
}

// questionsView is a form as it is read, without its program.
type questionsView struct {
	page
	ID, Name, Base, Version string
	Questions               []Question
	Langs                   []option
	Draft                   bool
	Unread                  string
}

func (p *Pages) formQuestions(w http.ResponseWriter, r *http.Request) error {
	ctx, id, q := r.Context(), r.PathValue("id"), r.URL.Query()
	v := questionsView{page: p.inside(r, "forms", "form.questions", "/forms/"+url.PathEscape(id)+"/questions"), ID: id, Draft: q.Get("draft") != ""}
	v.Base = v.formLink(id)
	var f dtm.Form
	var err error
	if v.Draft {
		var d dtm.Draft
		d, err = p.Staff.Drafts.Draft(ctx, id)
		f = d.Form
	} else {
		f, err = p.Staff.Forms.Form(ctx, id, q.Get("version"))
	}
	if err != nil {
		return err
	}
	v.Name, v.Version = f.TitleIn(v.Lang), v.versionName(f.Version)
	var languages []string
	var used string
	v.Questions, languages, used, err = p.Staff.Questions(ctx, f, q.Get("lang"), v.Lang)
	if dtm.KindOf(err) == dtm.Unsupported && err != nil {
		v.Unread, err = locale.Error(v.Lang, err), nil
	}
	if err != nil {
		return err
	}
	for _, l := range languages {
		to := url.Values{"lang": {l}}
		for _, k := range []string{"draft", "version"} {
			if q.Get(k) != "" {
				to.Set(k, q.Get(k))
			}
		}
		v.Langs = append(v.Langs, option{"?" + to.Encode(), l, l == used})
	}
	return p.show(w, http.StatusOK, "formquestions", v)
}

// sent takes the form and its files from the request.
func sent(r *http.Request) (name string, data []byte, media []dtm.Media, err error) {
	read := func(h *multipart.FileHeader) ([]byte, error) {
		f, err := h.Open()
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return io.ReadAll(f)
	}
	if list := r.MultipartForm.File["form"]; len(list) > 0 {
		name = base(list[0].Filename)
		if data, err = read(list[0]); err != nil {
			return "", nil, nil, err
		}
	}
	for _, h := range r.MultipartForm.File["media"] {
		b, err := read(h)
		if err != nil {
			return "", nil, nil, err
		}
		if len(b) > 0 {
			name := base(h.Filename)
			media = append(media, dtm.Media{Name: name, Type: mime.TypeByExtension(path.Ext(name)), Hash: dtm.FileHash(b), Data: b})
		}
	}
	return name, data, media, nil
}

// base is a file's name without folders, wherever the browser had it.
func base(name string) string {
	name = filepath.Base(strings.ReplaceAll(name, `\`, "/"))
	if name == "." || name == "/" || name == ".." {
		return "form.xlsx"
	}
	return name
}

// formPaper prints a published form in the language of the page.
func (p *Pages) formPaper(w http.ResponseWriter, r *http.Request) error {
	l, err := p.lang(r)
	if err != nil {
		return err
	}
	f, err := p.Staff.Forms.Form(r.Context(), r.PathValue("id"), r.URL.Query().Get("version"))
	if err != nil {
		return err
	}
	if p.Staff.Paper == nil {
		return dtm.Errorf(dtm.NotFound, "there is no such file").Coded("notfound")
	}
	b, err := p.Staff.Paper(r.Context(), f, l)
	if err != nil {
		return err
	}
	download(w, "application/pdf", f.ID+"-"+f.Version+"-"+string(l)+".pdf")
	_, err = w.Write(b)
	return err
}

// formFile gives a published form's source or XForm; with draft=yes the draft's.
func (p *Pages) formFile(w http.ResponseWriter, r *http.Request) error {
	var f dtm.Form
	var err error
	if r.URL.Query().Get("draft") != "" {
		var d dtm.Draft
		d, err = p.Staff.Drafts.Draft(r.Context(), r.PathValue("id"))
		f = d.Form
	} else {
		f, err = p.Staff.Forms.Form(r.Context(), r.PathValue("id"), r.URL.Query().Get("version"))
	}
	if err != nil {
		return err
	}
	switch r.PathValue("file") {
	case "source":
		if f.SourceName == "" {
			return dtm.Errorf(dtm.NotFound, "there is no such file").Coded("notfound")
		}
		download(w, "application/octet-stream", f.SourceName)
		_, err = w.Write(f.Source)
	case "xform":
		download(w, "application/xml", f.ID+".xml")
		_, err = w.Write(f.XForm)
	default:
		return dtm.Errorf(dtm.NotFound, "there is no such file").Coded("notfound")
	}
	return err
}

// formMedium gives a file that goes with a form, as a download.
func (p *Pages) formMedium(w http.ResponseWriter, r *http.Request) error {
	ctx, id, name := r.Context(), r.PathValue("id"), r.PathValue("name")
	var list []dtm.Media
	if r.URL.Query().Get("draft") != "" {
		d, err := p.Staff.Drafts.Draft(ctx, id)
		if err != nil {
			return err
		}
		list = d.Media
	} else {
		f, err := p.Staff.Forms.Form(ctx, id, r.URL.Query().Get("version"))
		if err != nil {
			return err
		}
		list = f.Media
	}
	for _, m := range list {
		if m.Name == name {
			download(w, "application/octet-stream", m.Name)
			_, err := w.Write(m.Data)
			return err
		}
	}
	return dtm.Errorf(dtm.NotFound, "there is no such file").Coded("notfound")
}

// showPart writes one template of a view, without the page around it.
func (p *Pages) showPart(w http.ResponseWriter, view, part string, data any) error {
	var b bytes.Buffer
	if err := p.views[view].ExecuteTemplate(&b, part, data); err != nil {
		return fmt.Errorf("template %s of %s: %w", part, view, err)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, err := b.WriteTo(w)
	return err
}

// uploadView is what the part that sends a workbook needs.
type uploadView struct {
	page
	Action, Check string
	Checked       *checkedForm
}

// Upload sends a workbook of any form.
func (v formsView) Upload() uploadView {
	at := v.Link("/staff/forms/")
	return uploadView{v.page, at, at + "check", v.Checked}
}

// Upload sends a workbook of this form.
func (v formView) Upload() uploadView {
	return uploadView{v.page, v.Base + "draft", v.Base + "check", v.Checked}
}

// States are those that a form can be in.
func (v formView) States() []string { return []string{dtm.FormOpen, dtm.FormClosing, dtm.FormClosed} }

// filesView is a list of the files that go with a form.
type filesView struct {
	page
	List      []Wanted
	At, Query string
	Change    bool
}

// NowFiles are those of the published version.
func (v formView) NowFiles() filesView { return filesView{v.page, v.Files, v.Base, "", false} }

// DraftFiles are those of the draft, which can be changed.
func (v formView) DraftFiles() filesView {
	return filesView{v.page, v.Draft.Files, v.Base, "?draft=yes", v.May(string(access.PublishForms))}
}

// HasPaper tells whether forms can be printed to be filled in with a pen.
func (v formView) HasPaper() bool { return v.p.Staff.Paper != nil }
