package xform

import (
	"strings"

	"dtm/gather/xlsform"
)

// xformsVersion is that of the ODK XForms specification which the output follows.
const xformsVersion = "1.0.0"

// writer holds what is needed while a form is written.
type writer struct {
	form  *xlsform.Form
	named map[string][]*xlsform.Node
	texts itext
	sets  map[string][]*xlsform.Node // name of a trigger -> the questions it computes
}

// Write returns the XForm of a form, by the ODK XForms specification 1.0.0: what
// ODK Collect, KoboCollect and Enketo read. Its layout is that of the XForms that
// pyxform writes.
func Write(f *xlsform.Form) ([]byte, error) {
	w := &writer{form: f, named: map[string][]*xlsform.Node{}, sets: map[string][]*xlsform.Node{}}
	f.Root.WalkAll(func(n *xlsform.Node) {
		w.named[n.Name] = append(w.named[n.Name], n)
		for _, t := range n.Triggers {
			if n.Kind != xlsform.Question {
				break // a group has no value to compute
			}
			w.sets[t] = append(w.sets[t], n)
		}
	})
	w.gather()

	model := el("model", "odk:xforms-version", xformsVersion)
	if f.EntitiesVersion != "" {
		model.set("entities:entities-version", f.EntitiesVersion)
	}
	model.add(w.submission(), w.texts.element(w, f.DefaultLanguage))
	model.add(el("instance").add(w.primary()))
	for _, i := range w.secondary() {
		model.add(i)
	}
	w.binds(f.Root, model)

	body := el("h:body")
	if f.Style != "" {
		body.set("class", f.Style)
	}
	w.body(f.Root, body)

	html := el("h:html", "xmlns", "http://www.w3.org/2002/xforms", "xmlns:h", "http://www.w3.org/1999/xhtml", "xmlns:ev", "http://www.w3.org/2001/xml-events",
		"xmlns:xsd", "http://www.w3.org/2001/XMLSchema", "xmlns:jr", "http://openrosa.org/javarosa", "xmlns:orx", "http://openrosa.org/xforms", "xmlns:odk", "http://www.opendatakit.org/xforms")
	own := len(html.attrs)
	for _, ns := range f.Namespaces {
		known := false
		for i := 0; i < own; i += 2 {
			known = known || html.attrs[i] == "xmlns:"+ns.Name
		}
		if !known {
			html.set("xmlns:"+ns.Name, ns.Value)
		}
	}
	if f.EntitiesVersion != "" {
		html.set("xmlns:entities", "http://www.opendatakit.org/xforms/entities")
	}
	title := el("h:title")
	if f.Title != "" {
		title.add(words(f.Title))
	}
	html.add(el("h:head").add(title, model), body)

	var b strings.Builder
	b.WriteString("<?xml version=\"1.0\"?>\n")
	html.write(&b, "")
	b.WriteString("\n")
	return []byte(b.String()), nil
}

// submission says where and how finished forms are sent; nil when the form
// leaves that to the phone.
func (w *writer) submission() *element {
	f := w.form
	s := el("submission")
	if f.SubmissionURL != "" {
		s.set("action", f.SubmissionURL)
		s.set("method", "post")
	}
	for _, a := range [][2]string{{"base64RsaPublicKey", f.PublicKey}, {"orx:auto-send", f.AutoSend}, {"orx:auto-delete", f.AutoDelete}} {
		if a[1] != "" {
			s.set(a[0], a[1])
		}
	}
	if f.ClientEditable {
		s.set("odk:client-editable", "true")
	}
	if len(s.attrs) == 0 {
		return nil
	}
	return s
}
