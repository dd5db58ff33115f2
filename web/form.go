package web

import (
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"path"
	"path/filepath"
	"strings"

	"dtm"
	"dtm/event"
	"dtm/locale"
	"dtm/serve"
)

// maxForm is the size in bytes of an XLSForm that the page takes, with its files.
const maxForm = 20 << 20

type formsView struct {
	page
	Forms   []formRow
	Checked *checkedForm
	Message string
	Done    *dtm.Form // just published
}

type formRow struct {
	dtm.Form
	Count  int // submissions
	Source string
	XForm  string
	Paper  string // to fill in with a pen
	Rows   string // the list of submissions
}

// checkedForm is a form that was sent and read. The file travels in the page, so
// that what is published is what was checked.
type checkedForm struct {
	Name    string
	Form    dtm.Form
	Faults  []Remark
	Remarks []Remark
	Usable  bool
	Current *dtm.Form // of the same id, "" version when there is none
	Same    bool      // that version is published already, with this content
	File    string    // base64
	Media   []carried
}

type carried struct{ Name, Data string }

func (p *Pages) forms(w http.ResponseWriter, r *http.Request) error {
	return p.showForms(w, r, http.StatusOK, formsView{})
}

func (p *Pages) showForms(w http.ResponseWriter, r *http.Request, status int, v formsView) error {
	ctx := r.Context()
	v.page = p.inside(r, "forms", "staff.forms", "/forms/")
	list, err := p.Staff.Forms.Forms(ctx)
	if err != nil {
		return err
	}
	for _, f := range list {
		_, n, err := p.Staff.Submissions.Submissions(ctx, dtm.SubmissionFilter{Form: &f.ID, Limit: 1})
		if err != nil {
			return err
		}
		at := v.Link("/staff/forms/" + f.ID + "/")
		row := formRow{Form: f, Count: n, XForm: at + f.ID + ".xml", Rows: v.Link("/staff/submissions/?form=" + f.ID)}
		if f.SourceName != "" {
			row.Source = at + "source"
			if p.Staff.Paper != nil {
				row.Paper = at + "paper.pdf"
			}
		}
		v.Forms = append(v.Forms, row)
	}
	return p.show(w, status, "forms", v)
}

// checkForm reads a form that was sent; with publish it is published too.
func (p *Pages) checkForm(w http.ResponseWriter, r *http.Request) error {
	ctx, l := r.Context(), p.guess(r)
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseMultipartForm(maxForm); err != nil {
		return serve.BodyError(err)
	}
	name, data, media, err := sent(r)
	if err != nil {
		return err
	}
	if len(data) == 0 {
		return p.showForms(w, r, http.StatusUnprocessableEntity, formsView{Message: locale.Say(l, "form.file.missing")})
	}
	form, remarks, err := p.Staff.Check(ctx, name, data, media, l)
	if dtm.KindOf(err) == dtm.Invalid && err != nil || dtm.KindOf(err) == dtm.Unsupported && err != nil {
		return p.showForms(w, r, http.StatusUnprocessableEntity, formsView{Message: locale.Error(l, err)})
	}
	if err != nil {
		return err
	}
	c := checkedForm{Name: name, Form: form, File: base64.StdEncoding.EncodeToString(data), Usable: form.ID != ""}
	for _, m := range media {
		c.Media = append(c.Media, carried{m.Name, base64.StdEncoding.EncodeToString(m.Data)})
	}
	for _, m := range remarks {
		if m.Fault {
			c.Faults = append(c.Faults, m)
		} else {
			c.Remarks = append(c.Remarks, m)
		}
	}
	if !c.Usable {
		return p.showForms(w, r, http.StatusUnprocessableEntity, formsView{Checked: &c})
	}
	if r.PostFormValue("publish") != "" {
		err := p.Staff.Forms.Publish(event.WithActor(ctx, actor(r)), form)
		if dtm.KindOf(err) == dtm.Conflict && err != nil {
			return p.showForms(w, r, http.StatusConflict, formsView{Checked: &c, Message: locale.Say(l, "form.version.taken", form.Version)})
		}
		if err != nil {
			return err
		}
		return p.showForms(w, r, http.StatusOK, formsView{Done: &form})
	}
	switch now, err := p.Staff.Forms.Form(ctx, form.ID, ""); {
	case err == nil:
		c.Current, c.Same = &now, now.Version == form.Version && now.Hash == form.Hash
	case dtm.KindOf(err) != dtm.NotFound:
		return err
	}
	return p.showForms(w, r, http.StatusOK, formsView{Checked: &c})
}

// sent takes the form and its files from the request: as files of the browser, or
// as the page carried them.
func sent(r *http.Request) (name string, data []byte, media []dtm.Media, err error) {
	read := func(h *multipart.FileHeader) ([]byte, error) {
		f, err := h.Open()
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return io.ReadAll(f)
	}
	add := func(name string, data []byte) {
		media = append(media, dtm.Media{Name: name, Type: mime.TypeByExtension(path.Ext(name)), Data: data})
	}
	bad := dtm.Errorf(dtm.Invalid, "the form that the page carried is damaged; choose the file again").Coded("form.carried")
	if text := r.PostFormValue("carried"); text != "" {
		if data, err = base64.StdEncoding.DecodeString(text); err != nil {
			return "", nil, nil, bad
		}
		names, files := r.PostForm["media_name"], r.PostForm["media_data"]
		if len(names) != len(files) {
			return "", nil, nil, bad
		}
		for i := range names {
			b, err := base64.StdEncoding.DecodeString(files[i])
			if err != nil {
				return "", nil, nil, bad
			}
			add(base(names[i]), b)
		}
		return base(r.PostFormValue("name")), data, media, nil
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
			add(base(h.Filename), b)
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

// formFile gives a published form's source or XForm.
func (p *Pages) formFile(w http.ResponseWriter, r *http.Request) error {
	f, err := p.Staff.Forms.Form(r.Context(), r.PathValue("id"), r.URL.Query().Get("version"))
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
	case f.ID + ".xml":
		download(w, "application/xml", f.ID+".xml")
		_, err = w.Write(f.XForm)
	default:
		return dtm.Errorf(dtm.NotFound, "there is no such file").Coded("notfound")
	}
	return err
}
