package central

import (
	"context"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"

	"dtm"
	"dtm/event"
)

func itoa(n int) string { return strconv.Itoa(n) }

type formOut struct {
	Project     int     `json:"projectId"`
	ID          string  `json:"xmlFormId"`
	Name        string  `json:"name"`
	Version     string  `json:"version"`
	Hash        string  `json:"hash"`
	State       string  `json:"state"`
	Key         *int    `json:"keyId"`
	Enketo      *string `json:"enketoId"`
	EnketoOnce  *string `json:"enketoOnceId"`
	Created     string  `json:"createdAt"`
	Updated     *string `json:"updatedAt"`
	Published   *string `json:"publishedAt"`
	DraftToken  *string `json:"draftToken"`
	Submissions *int    `json:"submissions,omitempty"`
	Last        *string `json:"lastSubmission,omitempty"`
	Excel       *string `json:"excelContentType,omitempty"`

	// Beyond ODK Central, where a form has one name.
	Titles dtm.Text `json:"titles,omitempty"`
}

func (h *Handler) formOut(ctx context.Context, f dtm.Form, more bool) (formOut, error) {
	states, err := h.States.FormStates(ctx)
	if err != nil {
		return formOut{}, err
	}
	out := formOut{Project: 1, ID: f.ID, Name: f.Title, Titles: f.Titles, Version: f.Version, Hash: strings.TrimPrefix(f.Hash, "md5:"), State: dtm.FormOpen, Created: instant(f.Published)}
	if s, ok := states[f.ID]; ok {
		out.State = s
	}
	if !f.Published.IsZero() {
		at := instant(f.Published)
		out.Published = &at
	}
	if more {
		list, n, err := h.Submissions.Submissions(ctx, dtm.SubmissionFilter{Form: &f.ID, Limit: 1})
		if err != nil {
			return out, err
		}
		out.Submissions = &n
		if len(list) > 0 {
			at := instant(list[0].Received)
			out.Last = &at
		}
		if kind := spreadsheet(f.SourceName); kind != "" {
			out.Excel = &kind
		}
	}
	return out, nil
}

// spreadsheet is the type of an XLSForm's file, "" when it is none.
func spreadsheet(name string) string {
	switch path.Ext(name) {
	case ".xlsx":
		return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	case ".xls":
		return "application/vnd.ms-excel"
	}
	return ""
}

func (h *Handler) forms(w http.ResponseWriter, r *http.Request) error {
	list, err := h.Forms.Forms(r.Context())
	if err != nil {
		return err
	}
	out := []formOut{}
	for _, f := range list {
		x, err := h.formOut(r.Context(), f, extended(r))
		if err != nil {
			return err
		}
		out = append(out, x)
	}
	return answer(w, out)
}

// form answers forms/ID, forms/ID.xml, forms/ID.xlsx and forms/ID.svc.
func (h *Handler) form(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	id, suffix := cutSuffix(r.PathValue("form"), ".xml", ".xlsx", ".xls", ".svc")
	if suffix == ".svc" {
		return h.tables(w, r)
	}
	f, err := h.Forms.Form(ctx, id, "")
	if dtm.KindOf(err) == dtm.NotFound && err != nil {
		if d, e := h.Drafts.Draft(ctx, id); e == nil && suffix == "" {
			return h.answerDraft(w, d)
		}
		if whole, e := h.Forms.Form(ctx, r.PathValue("form"), ""); e == nil { // an id that ends so
			f, err, suffix = whole, nil, ""
		}
	}
	if err != nil {
		return err
	}
	switch suffix {
	case "":
		out, err := h.formOut(ctx, f, extended(r))
		if err != nil {
			return err
		}
		return answer(w, out)
	case ".xml":
		w.Header().Set("Content-Type", "application/xml; charset=utf-8")
		_, err = w.Write(f.XForm)
		return err
	}
	if path.Ext(f.SourceName) != suffix {
		return dtm.Errorf(dtm.NotFound, "form %q was not made of a %s file", id, suffix).Coded("form.no_source")
	}
	w.Header().Set("Content-Type", spreadsheet(f.SourceName))
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": f.SourceName}))
	_, err = w.Write(f.Source)
	return err
}

// changeForm opens and closes: {"state": "closing"}.
func (h *Handler) changeForm(w http.ResponseWriter, r *http.Request) error {
	var body struct{ State *string }
	if err := readJSON(r, &body); err != nil {
		return err
	}
	if body.State != nil {
		if err := h.States.SetFormState(r.Context(), r.PathValue("form"), *body.State); err != nil {
			return err
		}
	}
	return h.form(w, r)
}

// sent reads the form in the request's body.
func (h *Handler) sent(r *http.Request, fallback string) (dtm.Form, error) {
	data, err := read(r, maxForm)
	if err != nil {
		return dtm.Form{}, err
	}
	if id := r.Header.Get("X-XlsForm-FormId-Fallback"); id != "" {
		fallback = id
	}
	name := fallback
	if name == "" {
		name = "form"
	}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch kind {
	case "application/vnd.ms-excel":
		name += ".xls"
	case "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet":
		name += ".xlsx"
	case "text/markdown":
		name += ".md"
	default: // by its content
		name += ".xml"
		if len(data) > 4 && string(data[:2]) == "PK" {
			name = strings.TrimSuffix(name, ".xml") + ".xlsx"
		}
	}
	f, warnings, err := h.Convert(r.Context(), name, data, fallback)
	if err != nil {
		return dtm.Form{}, err
	}
	if len(warnings) > 0 && !strings.EqualFold(r.URL.Query().Get("ignoreWarnings"), "true") && kind != "application/xml" {
		return dtm.Form{}, dtm.Errorf(dtm.Invalid, "the form can be used, but its author should know: %s. Send it again with ?ignoreWarnings=true to use it so", strings.Join(warnings, "; ")).
			Coded("form.warnings", len(warnings))
	}
	return f, nil
}

// createForm takes a new form as a draft, or with ?publish=true at once.
func (h *Handler) createForm(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	f, err := h.sent(r, "")
	if err != nil {
		return err
	}
	if _, err := h.Forms.Form(ctx, f.ID, ""); err == nil {
		return dtm.Errorf(dtm.Conflict, "there is a form %q already; send a draft of it", f.ID).Coded("form.taken", f.ID)
	} else if dtm.KindOf(err) != dtm.NotFound {
		return err
	}
	if strings.EqualFold(r.URL.Query().Get("publish"), "true") {
		if err := h.Forms.Publish(ctx, f); err != nil {
			return err
		}
		if f, err = h.Forms.Form(ctx, f.ID, ""); err != nil {
			return err
		}
		out, err := h.formOut(ctx, f, false)
		if err != nil {
			return err
		}
		return answer(w, out)
	}
	d, err := h.Drafts.SaveDraft(ctx, f)
	if err != nil {
		return err
	}
	return h.answerDraft(w, d)
}

func (h *Handler) versions(w http.ResponseWriter, r *http.Request) error {
	list, err := h.Stream.Versions(r.Context(), r.PathValue("form"))
	if err != nil {
		return err
	}
	out := []formOut{}
	for _, f := range list {
		x, err := h.formOut(r.Context(), f, false)
		if err != nil {
			return err
		}
		out = append(out, x)
	}
	return answer(w, out)
}

func (h *Handler) fields(w http.ResponseWriter, r *http.Request) error {
	f, err := h.Forms.Form(r.Context(), r.PathValue("form"), "")
	if err != nil {
		return err
	}
	return h.answerFields(w, f)
}

func (h *Handler) answerFields(w http.ResponseWriter, f dtm.Form) error {
	list, err := h.Fields(f)
	if err != nil {
		return err
	}
	return answer(w, list)
}

type mediaJSON struct {
	Name    string  `json:"name"`
	Type    string  `json:"type"`
	Hash    *string `json:"hash"`
	Exists  bool    `json:"exists"`
	Blob    bool    `json:"blobExists"`
	Dataset bool    `json:"datasetExists"`
	Updated *string `json:"updatedAt"`
}

// kindOf is ODK Central's word for a file's type.
func kindOf(name string) string {
	switch kind, _, _ := strings.Cut(mime.TypeByExtension(path.Ext(name)), "/"); kind {
	case "image", "audio", "video":
		return kind
	}
	return "file"
}

func mediaOut(list []dtm.Media, at *string) []mediaJSON {
	out := []mediaJSON{}
	for _, m := range list {
		hash := strings.TrimPrefix(m.Hash, "md5:")
		out = append(out, mediaJSON{Name: m.Name, Type: kindOf(m.Name), Hash: &hash, Exists: true, Blob: true, Updated: at})
	}
	return out
}

func (h *Handler) media(ctx context.Context, f dtm.Form) ([]dtm.Media, error) {
	if h.Media == nil {
		return f.Media, nil
	}
	return h.Media(ctx, f)
}

func (h *Handler) formAttachments(w http.ResponseWriter, r *http.Request) error {
	f, err := h.Forms.Form(r.Context(), r.PathValue("form"), "")
	if err != nil {
		return err
	}
	list, err := h.media(r.Context(), f)
	if err != nil {
		return err
	}
	at := instant(f.Published)
	return answer(w, mediaOut(list, &at))
}

func (h *Handler) formAttachment(w http.ResponseWriter, r *http.Request) error {
	f, err := h.Forms.Form(r.Context(), r.PathValue("form"), "")
	if err != nil {
		return err
	}
	list, err := h.media(r.Context(), f)
	if err != nil {
		return err
	}
	for _, m := range list {
		if m.Name == r.PathValue("name") {
			w.Header().Set("Content-Type", m.Type)
			w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": m.Name}))
			_, err := w.Write(m.Data)
			return err
		}
	}
	return dtm.Errorf(dtm.NotFound, "form %q has no file %q", f.ID, r.PathValue("name")).Coded("form.media", f.ID, r.PathValue("name"))
}

// tables answers FORM.svc/..., FORM/submissions.csv.zip and SUBMISSION.xml.
func (h *Handler) tables(w http.ResponseWriter, r *http.Request) error {
	form, rest := r.PathValue("form"), r.PathValue("rest")
	id, suffix := cutSuffix(form, ".svc")
	if suffix == "" {
		switch {
		case rest == "submissions.csv.zip" || rest == "submissions.csv":
			if h.CSV == nil {
				break
			}
			return h.CSV(w, r, form)
		case rest == "draft.xml":
			d, err := h.Drafts.Draft(r.Context(), form)
			if err != nil {
				return err
			}
			w.Header().Set("Content-Type", "application/xml; charset=utf-8")
			_, err = w.Write(d.XForm)
			return err
		}
		return dtm.Errorf(dtm.NotFound, "there is nothing at this address").Coded("notfound")
	}
	if h.OData == nil {
		return dtm.Errorf(dtm.Unsupported, "tables are not served here").Coded("central.not_here")
	}
	return h.OData(w, r, id, rest)
}

func (h *Handler) entityTables(w http.ResponseWriter, r *http.Request) error {
	name, suffix := cutSuffix(r.PathValue("name"), ".svc")
	if suffix == "" {
		return dtm.Errorf(dtm.NotFound, "there is nothing at this address").Coded("notfound")
	}
	if h.EntityTable == nil {
		return dtm.Errorf(dtm.Unsupported, "tables are not served here").Coded("central.not_here")
	}
	if rest := r.PathValue("rest"); rest != "" && rest != "$metadata" {
		if err := h.Trail.Exported(r.Context(), event.Actor(r.Context()), "entities:"+name, map[string]any{"as": "odata"}); err != nil {
			return err
		}
	}
	return h.EntityTable(w, r, name, r.PathValue("rest"))
}
