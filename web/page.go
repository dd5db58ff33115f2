package web

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"dtm"
	"dtm/locale"
)

//go:embed template/*.html
var templateFiles embed.FS

type views map[string]*template.Template

// parse reads the templates; each page is the layout with its own content, and may
// hold parts (*.part.html) that others hold too.
func (p *Pages) parse() (views, error) {
	v := views{}
	entries, err := templateFiles.ReadDir("template")
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if e.Name() == "layout.html" || strings.HasSuffix(e.Name(), ".part.html") {
			continue
		}
		t := template.New("layout.html").Funcs(template.FuncMap{"asset": func(name string) string { return p.assets.url[name] }, "dict": dict})
		if name, whole := strings.CutSuffix(e.Name(), ".whole.html"); whole { // without the layout, for bad lines
			text, err := templateFiles.ReadFile("template/" + e.Name())
			if err != nil {
				return nil, err
			}
			if t, err = t.ParseFS(templateFiles, "template/*.part.html"); err != nil {
				return nil, err
			}
			if v[name], err = t.Parse(string(text)); err != nil {
				return nil, err
			}
			continue
		}
		t, err := t.ParseFS(templateFiles, "template/layout.html", "template/*.part.html", "template/"+e.Name())
		if err != nil {
			return nil, err
		}
		v[strings.TrimSuffix(e.Name(), ".html")] = t
	}
	return v, nil
}

// dict gives a part of a template more than one thing: names and values in turn.
func dict(list ...any) (map[string]any, error) {
	m := map[string]any{}
	for i := 0; i+1 < len(list); i += 2 {
		name, ok := list[i].(string)
		if !ok {
			return nil, fmt.Errorf("%v is no name", list[i])
		}
		m[name] = list[i+1]
	}
	return m, nil
}

// together writes a list of names as the language does.
func together(l dtm.Lang, names []string) string {
	return strings.Join(names, locale.Say(l, "watch.comma")+" ")
}

// page is what every view has.
type page struct {
	p         *Pages
	Lang      dtm.Lang
	Dir       string
	Title     string
	Operation string
	Site      string
	Synthetic bool
	Source    string
	Contact   string
	Here      string // path after the language, with its query
	Release   string
	Languages []langLink
	Section   string
	User      dtm.User   // who has signed in, on the pages of the staff
	Menu      []menuItem // of the staff
	HasStaff  bool       // there are pages of the staff to go to
	Frozen    bool       // Release is a frozen one

	HasReleases bool
	HasData     bool
}

type langLink struct {
	Lang    dtm.Lang
	Name    string
	Href    string
	Current bool
}

var ownNames = map[dtm.Lang]string{dtm.English: "English", dtm.French: "Français", dtm.Arabic: "العربية"}

// T says a message in the page's language.
func (g page) T(key string, args ...any) string { return locale.Say(g.Lang, key, args...) }

// Staffed tells whether the page is one of the staff's, signing in among them.
func (g page) Staffed() bool { return len(g.Menu) > 0 || g.Section == "staff" }

// Number writes a count.
func (g page) Number(n int) string { return locale.Number(g.Lang, float64(n), 0) }

// Decimal writes a number with one decimal.
func (g page) Decimal(v float64) string { return locale.Number(g.Lang, v, 1) }

// Size writes bytes in the unit that people read.
func (g page) Size(n int64) string {
	switch {
	case n < 1000:
		return g.T("size.b", int(n))
	case n < 1_000_000:
		return g.T("size.kb", locale.Number(g.Lang, float64(n)/1e3, 0))
	}
	return g.T("size.mb", locale.Number(g.Lang, float64(n)/1e6, 1))
}

// SizeOf is Size for a count of bytes in hand.
func (g page) SizeOf(n int) string { return g.Size(int64(n)) }

// Link is an address in the page's language.
func (g page) Link(path string) string { return "/" + string(g.Lang) + path }

// offered are the operation's languages that have a catalogue.
func offered(op *dtm.Operation) []dtm.Lang {
	var out []dtm.Lang
	for _, l := range op.Languages {
		if slices.Contains(locale.Languages, l) {
			out = append(out, l)
		}
	}
	if len(out) == 0 {
		out = []dtm.Lang{dtm.English}
	}
	return out
}

// lang is the language of the address; an address without one is no page.
func (p *Pages) lang(r *http.Request) (dtm.Lang, error) {
	first, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	l := dtm.Lang(first)
	if !slices.Contains(p.langs, l) {
		return "", dtm.Errorf(dtm.NotFound, "there is no such page").Coded("notfound")
	}
	return l, nil
}

// guess is the language for requests whose address names none.
func (p *Pages) guess(r *http.Request) dtm.Lang {
	if l, err := p.lang(r); err == nil {
		return l
	}
	return locale.Match(r.Header.Get("Accept-Language"), p.langs)
}

func (p *Pages) page(l dtm.Lang, section, title, here string, q url.Values) page {
	if e := q.Encode(); e != "" {
		here += "?" + e
	}
	g := page{p: p, Lang: l, Dir: "ltr", Title: title, Operation: p.Operation.Name.In(l), Site: p.Operation.Title.In(l), Synthetic: p.Operation.Synthetic,
		Source: p.Operation.Source.In(l), Contact: p.Operation.Contact, Here: here, Section: section, HasStaff: p.Staff != nil, HasReleases: p.Releases != nil, HasData: p.Datasets != nil}
	if l.RTL() {
		g.Dir = "rtl"
	}
	for _, o := range p.langs {
		g.Languages = append(g.Languages, langLink{o, ownNames[o], "/" + string(o) + here, o == l})
	}
	return g
}

// show writes a view; it is whole before the first byte goes out.
func (p *Pages) show(w http.ResponseWriter, status int, view string, data any) error {
	var b bytes.Buffer
	if err := p.views[view].Execute(&b, data); err != nil {
		return fmt.Errorf("template %s: %w", view, err)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if status != http.StatusOK {
		w.Header().Set("Cache-Control", "no-store")
	}
	w.WriteHeader(status)
	_, err := b.WriteTo(w)
	return err
}

// fresh sets the headers by which a browser may ask whether a page is still what
// it has; true: it is, and that was answered.
func fresh(w http.ResponseWriter, r *http.Request, tag string) bool {
	w.Header().Set("ETag", tag)
	w.Header().Set("Cache-Control", "no-cache")
	for _, have := range strings.Split(r.Header.Get("If-None-Match"), ",") {
		if strings.TrimPrefix(strings.TrimSpace(have), "W/") == strings.TrimPrefix(tag, "W/") {
			w.WriteHeader(http.StatusNotModified)
			return true
		}
	}
	return false
}

// start sends a reader to their language.
func (p *Pages) start(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Vary", "Accept-Language")
	http.Redirect(w, r, "/"+string(p.guess(r))+"/", http.StatusFound)
	return nil
}

func (p *Pages) nothing(http.ResponseWriter, *http.Request) error {
	return dtm.Errorf(dtm.NotFound, "there is no such page").Coded("notfound")
}

// errorPage says an error in the reader's language and offers a way on.
func (p *Pages) errorPage(w http.ResponseWriter, r *http.Request, status int, err error) error {
	l := p.guess(r)
	return p.show(w, status, "error", struct {
		page
		Message string
	}{p.page(l, "", locale.Say(l, "error.title"), "/", nil), locale.Error(l, err)})
}
