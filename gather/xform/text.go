package xform

import (
	"slices"
	"strconv"
	"strings"

	"dtm/gather/xlsform"
)

// say makes the element that shows a text: in place when the form has one
// language, by itext otherwise. Media and guidance always need itext.
func (w *writer) label(n *xlsform.Node) *element {
	if len(n.Media) > 0 || w.multi && len(n.Label) > 0 {
		id := n.Path() + ":label"
		w.long(id, n.Label, n)
		for _, kind := range []string{"image", "big-image", "audio", "video"} {
			for lang, file := range n.Media[kind] {
				w.value(id, lang, kind, mediaURL(kind, file))
			}
		}
		return el("label", "ref", "jr:itext('"+id+"')")
	}
	return w.inline("label", n.Label, n)
}

func (w *writer) hint(n *xlsform.Node) *element {
	if len(n.Guidance) > 0 || w.multi {
		id := n.Path() + ":hint"
		w.long(id, n.Hint, n)
		for lang, t := range n.Guidance {
			w.valueOf(id, lang, "guidance", w.outputs(t, n))
		}
		return el("hint", "ref", "jr:itext('"+id+"')")
	}
	return w.inline("hint", n.Hint, n)
}

func (w *writer) inline(name string, t xlsform.Texts, n *xlsform.Node) *element {
	e := el(name)
	for _, l := range append([]string{w.form.DefaultLanguage}, w.form.Languages...) {
		if s := t[l]; s != "" {
			return e.add(w.outputs(s, n)...)
		}
	}
	return e
}

// message is a constraint's or a requirement's: text, or a reference to itext.
func (w *writer) message(n *xlsform.Node, attr string, t xlsform.Texts) string {
	if len(t) == 0 {
		return ""
	}
	if !w.multi {
		for _, s := range t {
			return s
		}
	}
	id := n.Path() + ":" + attr
	w.long(id, t, n)
	return "jr:itext('" + id + "')"
}

// long adds a text in every language; what is not translated shows as a dash, so
// that the phone does not fall over a missing text.
func (w *writer) long(id string, t xlsform.Texts, n *xlsform.Node) {
	if len(t) == 0 {
		return
	}
	for _, l := range w.languages() {
		s := t[l]
		if s == "" {
			s = "-"
		}
		w.valueOf(id, l, "", w.outputs(s, n))
	}
}

func (w *writer) languages() []string {
	if w.multi {
		return w.form.Languages
	}
	return []string{"default"}
}

func (w *writer) value(id, lang, form, text string) { w.valueOf(id, lang, form, []any{escape(text)}) }

func (w *writer) valueOf(id, lang, form string, content []any) {
	if lang == "" {
		lang = "default"
	}
	if w.itext[lang] == nil {
		w.itext[lang] = map[string][]*element{}
	}
	if !slices.Contains(w.ids, id) {
		w.ids = append(w.ids, id)
	}
	v := el("value")
	v.set("form", form)
	w.itext[lang][id] = append(w.itext[lang][id], v.add(content...))
	w.multi = w.multi || !slices.Contains(w.form.Languages, lang)
}

func mediaURL(kind, file string) string {
	folder := map[string]string{"image": "images", "big-image": "images", "audio": "audio", "video": "video"}[kind]
	return "jr://" + folder + "/" + file
}

// outputs splits a text at ${name} into words and output elements.
func (w *writer) outputs(s string, n *xlsform.Node) []any {
	var out []any
	last := 0
	for _, m := range xlsform.Ref.FindAllStringIndex(s, -1) {
		if m[0] > last {
			out = append(out, escape(s[last:m[0]]))
		}
		out = append(out, el("output", "value", w.expr(s[m[0]:m[1]], n)))
		last = m[1]
	}
	if last < len(s) {
		out = append(out, escape(s[last:]))
	}
	return out
}

func (w *writer) itextElement() *element {
	e := el("itext")
	for _, l := range w.languages() {
		tr := el("translation", "lang", l)
		if l == w.form.DefaultLanguage || l == "default" && len(w.languages()) == 1 {
			tr.attrs = []string{"lang", l, "default", "true()"}
		}
		for _, id := range w.ids {
			text := el("text", "id", id)
			for _, v := range w.itext[l][id] {
				text.add(v)
			}
			if len(text.children) > 0 {
				tr.add(text)
			}
		}
		e.add(tr)
	}
	return e
}

func (w *writer) listTranslated(name string) bool {
	l := w.form.ChoiceList(name)
	return l != nil && (w.multi || slices.ContainsFunc(l.Choices, func(c xlsform.Choice) bool { return len(c.Media) > 0 || hasRef(c.Label) }))
}

func hasRef(t xlsform.Texts) bool {
	for _, s := range t {
		if strings.Contains(s, "${") {
			return true
		}
	}
	return false
}

// secondary makes the instances of choice lists in use and of files.
func (w *writer) secondary() []*element {
	used, other := map[string]bool{}, map[string]bool{}
	saved := false
	w.form.Root.Walk(func(n *xlsform.Node) {
		used[n.List] = used[n.List] || n.List != ""
		other[n.List] = other[n.List] || n.Other
		for _, s := range []string{n.Default, n.Calculation, n.Relevant, n.Constraint, n.Required} {
			saved = saved || strings.Contains(s, "last-saved#")
		}
	})
	var out []*element
	for _, l := range w.form.Lists {
		if used[l.Name] {
			out = append(out, w.list(l, other[l.Name]))
		}
	}
	for _, x := range w.form.External {
		kind := "file"
		if strings.HasSuffix(x.File, ".csv") {
			kind = "file-csv"
		}
		out = append(out, el("instance", "id", x.ID, "src", "jr://"+kind+"/"+x.File))
	}
	w.form.Root.Walk(func(n *xlsform.Node) {
		switch n.Type {
		case "xml-external":
			out = append(out, el("instance", "id", n.Name, "src", "jr://file/"+n.Name+".xml"))
		case "csv-external":
			out = append(out, el("instance", "id", n.Name, "src", "jr://file-csv/"+n.Name+".csv"))
		}
	})
	if saved {
		out = append(out, el("instance", "id", "__last-saved", "src", "jr://instance/last-saved"))
	}
	return out
}

func (w *writer) list(l *xlsform.List, other bool) *element {
	root := el("root")
	choices := l.Choices
	if other && !slices.ContainsFunc(choices, func(c xlsform.Choice) bool { return c.Name == "other" }) {
		t := xlsform.Texts{}
		for _, lang := range w.form.Languages {
			t[lang] = "Other"
		}
		choices = append(slices.Clone(choices), xlsform.Choice{Name: "other", Label: t})
	}
	translated := w.listTranslated(l.Name)
	for i, c := range choices {
		item := el("item")
		if translated {
			id := l.Name + "-" + strconv.Itoa(i)
			w.long(id, c.Label, nil)
			for _, kind := range []string{"image", "big-image", "audio", "video"} {
				for lang, file := range c.Media[kind] {
					w.value(id, lang, kind, mediaURL(kind, file))
				}
			}
			item.add(el("itextId").add(escape(id)))
		}
		item.add(el("name").add(escape(c.Name)))
		if !translated {
			label := el("label")
			for _, s := range c.Label {
				label.add(escape(s))
				break
			}
			item.add(label)
		}
		for _, x := range c.Extra {
			e := el(x.Name)
			if x.Value != "" {
				e.add(escape(x.Value))
			}
			item.add(e)
		}
		root.add(item)
	}
	return el("instance", "id", l.Name).add(root)
}
