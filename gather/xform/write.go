package xform

import (
	"encoding/xml"
	"fmt"
	"slices"
	"strings"

	"dtm/gather/xlsform"
)

// element is a node of the XForm being built; attrs keep their order.
type element struct {
	name     string
	attrs    []string // name, value, name, value ...
	children []any    // *element or string (already escaped)
}

func el(name string, attrs ...string) *element { return &element{name: name, attrs: attrs} }

func (e *element) add(children ...any) *element {
	for _, c := range children {
		if x, ok := c.(*element); ok && x == nil {
			continue
		}
		e.children = append(e.children, c)
	}
	return e
}

func (e *element) set(name, value string) {
	if value != "" {
		e.attrs = append(e.attrs, name, value)
	}
}

func (e *element) write(b *strings.Builder, indent string) {
	b.WriteString("<" + e.name)
	for i := 0; i < len(e.attrs); i += 2 {
		b.WriteString(" " + e.attrs[i] + `="` + escapeAttr(e.attrs[i+1]) + `"`)
	}
	if len(e.children) == 0 {
		b.WriteString("/>")
		return
	}
	b.WriteString(">")
	mixed := slices.ContainsFunc(e.children, func(c any) bool { _, ok := c.(string); return ok })
	for _, c := range e.children {
		switch c := c.(type) {
		case string:
			b.WriteString(c)
		case *element:
			if !mixed {
				b.WriteString("\n" + indent + "  ")
			}
			c.write(b, indent+"  ")
		}
	}
	if !mixed {
		b.WriteString("\n" + indent)
	}
	b.WriteString("</" + e.name + ">")
}

func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a builder does not fail
	return strings.NewReplacer("&#xA;", "\n", "&#x9;", "\t", "&#34;", `"`, "&#39;", "'").Replace(b.String())
}

func escapeAttr(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a builder does not fail
	return strings.ReplaceAll(b.String(), "&#39;", "'")
}

// writer holds what is gathered while walking the form.
type writer struct {
	form   *xlsform.Form
	multi  bool // the form has languages: texts go through itext
	itext  map[string]map[string][]*element
	ids    []string
	binds  []*element
	late   []*element // setvalue of the model
	faults xlsform.Faults
}

// Write returns the XForm (ODK XForms specification) of the form. Faults that
// only show now are xlsform.Faults.
func Write(f *xlsform.Form) ([]byte, error) {
	w := &writer{form: f, itext: map[string]map[string][]*element{}, multi: len(f.Languages) > 1 || f.Languages[0] != ""}
	root := f.Root.Name
	data := el(root, "id", f.ID)
	data.set("version", f.Version)
	var body []*element
	w.children(f.Root, data, &body)
	w.meta(data)
	if len(w.faults) > 0 {
		return nil, w.faults
	}
	model := el("model", "odk:xforms-version", "1.0.0")
	secondary := w.secondary()
	if w.multi {
		model.add(w.itextElement())
	}
	model.add(el("instance").add(data))
	for _, s := range secondary {
		model.add(s)
	}
	if f.PublicKey != "" || f.SubmissionURL != "" {
		s := el("submission", "method", "post")
		s.set("action", f.SubmissionURL)
		s.set("base64RsaPublicKey", f.PublicKey)
		model.add(s)
	}
	for _, b := range append(w.binds, w.late...) {
		model.add(b)
	}
	bodyElement := el("h:body")
	bodyElement.set("class", f.Style)
	for _, b := range body {
		bodyElement.add(b)
	}
	html := el("h:html", "xmlns", "http://www.w3.org/2002/xforms", "xmlns:h", "http://www.w3.org/1999/xhtml", "xmlns:ev", "http://www.w3.org/2001/xml-events",
		"xmlns:xsd", "http://www.w3.org/2001/XMLSchema", "xmlns:jr", "http://openrosa.org/javarosa", "xmlns:orx", "http://openrosa.org/xforms", "xmlns:odk", "http://www.opendatakit.org/xforms")
	html.add(el("h:head").add(el("h:title").add(escape(f.Title)), model), bodyElement)
	var b strings.Builder
	b.WriteString("<?xml version=\"1.0\"?>\n")
	html.write(&b, "")
	b.WriteString("\n")
	return []byte(b.String()), nil
}

// preloads of metadata questions: jr:preload and jr:preloadParams.
var preloads = map[string][3]string{
	"start": {"timestamp", "start", "dateTime"}, "end": {"timestamp", "end", "dateTime"}, "today": {"date", "today", "date"},
	"deviceid": {"property", "deviceid", "string"}, "username": {"property", "username", "string"}, "phonenumber": {"property", "phonenumber", "string"}, "email": {"property", "email", "string"},
}

// dataTypes of questions that are not string.
var dataTypes = map[string]string{"integer": "int", "decimal": "decimal", "date": "date", "time": "time", "dateTime": "dateTime", "geopoint": "geopoint", "start-geopoint": "geopoint",
	"geotrace": "geotrace", "geoshape": "geoshape", "image": "binary", "audio": "binary", "video": "binary", "file": "binary", "background-audio": "binary", "barcode": "barcode",
	"rank": "odk:rank", "range": "int", "audit": "binary"}

// mediaTypes of uploads.
var mediaTypes = map[string]string{"image": "image/*", "audio": "audio/*", "video": "video/*", "file": "application/*"}

func (w *writer) children(group *xlsform.Node, data *element, body *[]*element) {
	for _, n := range group.Nodes {
		switch n.Kind {
		case xlsform.Repeat:
			w.repeat(n, data, body)
		case xlsform.Group:
			w.group(n, data, body)
		default:
			w.question(n, data, body)
		}
	}
}

func (w *writer) group(n *xlsform.Node, data *element, body *[]*element) {
	e := el(n.Name)
	g := el("group", "ref", n.Path())
	g.set("appearance", n.Appearance)
	pass(g, n.Body)
	if len(n.Label) > 0 || len(n.Media) > 0 {
		g.add(w.label(n))
	}
	var inner []*element
	w.bindGroup(n)
	w.children(n, e, &inner)
	for _, x := range inner {
		g.add(x)
	}
	data.add(e)
	*body = append(*body, g)
}

func (w *writer) repeat(n *xlsform.Node, data *element, body *[]*element) {
	g := el("group", "ref", n.Path())
	if len(n.Label) > 0 || len(n.Media) > 0 {
		g.add(w.label(n))
	}
	rep := el("repeat", "nodeset", n.Path())
	rep.set("appearance", n.Appearance)
	pass(rep, n.Body)
	if n.RepeatCount != "" {
		ref := strings.TrimSpace(w.expr(n.RepeatCount, n.Parent))
		if !xlsform.Ref.MatchString(n.RepeatCount) || xlsform.Ref.FindString(n.RepeatCount) != strings.TrimSpace(n.RepeatCount) {
			// The count is an expression: phones want a node, so it gets one.
			name := n.Name + "_count"
			data.add(el(name))
			path := n.Parent.Path() + "/" + name
			w.binds = append(w.binds, el("bind", "nodeset", path, "type", "string", "readonly", "true()", "calculate", ref))
			ref = path
		} else if t := w.form.Find(xlsform.Ref.FindStringSubmatch(n.RepeatCount)[2], n.Parent); t != nil {
			ref = t.Path()
		}
		rep.attrs = append(rep.attrs, "jr:count", ref)
	}
	w.bindGroup(n)
	template := el(n.Name, "jr:template", "")
	var inner []*element
	w.children(n, template, &inner)
	for _, x := range inner {
		rep.add(x)
	}
	data.add(template, &element{name: n.Name, children: withoutTemplates(template.children)})
	g.add(rep)
	*body = append(*body, g)
}

// withoutTemplates copies an instance part as the first instance has it.
func withoutTemplates(in []any) []any {
	var out []any
	for _, c := range in {
		e, ok := c.(*element)
		if !ok {
			out = append(out, c)
			continue
		}
		if slices.Contains(e.attrs, "jr:template") {
			continue
		}
		out = append(out, &element{name: e.name, attrs: e.attrs, children: withoutTemplates(e.children)})
	}
	return out
}

func (w *writer) bindGroup(n *xlsform.Node) {
	b := el("bind", "nodeset", n.Path())
	b.set("relevant", w.expr(n.Relevant, n))
	b.set("readonly", w.boolean(n.ReadOnly, n))
	pass(b, n.Bind)
	if len(b.attrs) > 2 {
		w.binds = append(w.binds, b)
	}
}

func pass(e *element, attrs map[string]string) {
	names := make([]string, 0, len(attrs))
	for k := range attrs {
		names = append(names, k)
	}
	slices.Sort(names)
	for _, k := range names {
		e.set(k, attrs[k])
	}
}

// boolean reads the yes and no of a spreadsheet as XPath.
func (w *writer) boolean(s string, n *xlsform.Node) string {
	switch strings.ToLower(s) {
	case "yes", "true", "true()", "1":
		return "true()"
	case "no", "false", "false()", "0":
		return "false()"
	}
	return w.expr(s, n)
}

func (w *writer) question(n *xlsform.Node, data *element, body *[]*element) {
	if n.Type == "xml-external" || n.Type == "csv-external" {
		return
	}
	if n.Type == "audit" || n.Type == "background-audio" && n.Name == "" {
		return // of the meta block
	}
	e := el(n.Name)
	data.add(e)
	dynamic := dynamicDefault(n.Default)
	if n.Default != "" && !dynamic {
		e.add(escape(w.staticDefault(n)))
	}
	b := el("bind", "nodeset", n.Path())
	typ := dataTypes[n.Type]
	if n.Type == "range" && (strings.Contains(n.Parameters["step"], ".") || strings.Contains(n.Parameters["start"], ".") || strings.Contains(n.Parameters["end"], ".")) {
		typ = "decimal"
	}
	if typ == "" {
		typ = "string"
	}
	if p, ok := preloads[n.Type]; ok {
		b.attrs = append(b.attrs, "type", p[2], "jr:preload", p[0], "jr:preloadParams", p[1])
	} else {
		b.attrs = append(b.attrs, "type", typ)
	}
	b.set("required", w.boolean(n.Required, n))
	b.set("relevant", w.expr(n.Relevant, n))
	b.set("constraint", w.expr(n.Constraint, n))
	b.set("jr:constraintMsg", w.message(n, "jr:constraintMsg", n.ConstraintMessage))
	b.set("jr:requiredMsg", w.message(n, "jr:requiredMsg", n.RequiredMessage))
	b.set("calculate", w.calculation(n))
	switch {
	case n.Type == "note":
		b.set("readonly", "true()")
	default:
		b.set("readonly", w.boolean(n.ReadOnly, n))
	}
	if px := n.Parameters["max-pixels"]; px != "" {
		b.set("orx:max-pixels", px)
	}
	pass(b, n.Bind)
	w.binds = append(w.binds, b)
	if dynamic {
		event := "odk-instance-first-load"
		if len(n.Repeats()) > 0 {
			event += " odk-new-repeat"
		}
		w.late = append(w.late, el("setvalue", "ref", n.Path(), "value", w.expr(n.Default, n), "event", event))
	}
	if n.Type == "start-geopoint" {
		w.late = append(w.late, el("odk:setgeopoint", "ref", n.Path(), "event", "odk-instance-first-load"))
	}
	if c := w.control(n); c != nil {
		*body = append(*body, c)
		if n.Other {
			other := &xlsform.Node{Kind: xlsform.Question, Type: "text", Name: n.Name + "_other", Parent: n.Parent, Label: w.otherLabel(),
				Relevant: fmt.Sprintf("selected(../%s, 'other')", n.Name)}
			w.question(other, data, body)
		}
	}
}

// otherLabel asks for what "other" is, in the form's languages where we have them.
func (w *writer) otherLabel() xlsform.Texts {
	t := xlsform.Texts{}
	for _, l := range w.form.Languages {
		t[l] = "Specify other."
	}
	return t
}

func (w *writer) calculation(n *xlsform.Node) string {
	if n.Trigger != "" {
		return ""
	}
	return w.expr(n.Calculation, n)
}

// dynamicDefault tells a default that is computed from one that is written.
func dynamicDefault(s string) bool {
	return strings.Contains(s, "${") || strings.HasSuffix(s, ")") && strings.Contains(s, "(")
}

func (w *writer) staticDefault(n *xlsform.Node) string {
	if n.Type == "image" && n.Default != "" && !strings.Contains(n.Default, "://") {
		return "jr://images/" + n.Default
	}
	return n.Default
}

func (w *writer) control(n *xlsform.Node) *element {
	var c *element
	switch {
	case preloads[n.Type][0] != "", n.Type == "hidden", n.Type == "start-geopoint", n.Type == "background-audio":
		return nil
	case n.Type == "calculate", n.Calculation != "" && len(n.Label) == 0 && len(n.Hint) == 0:
		return nil
	case n.Type == "select_one":
		c = el("select1", "ref", n.Path())
	case n.Type == "select_multiple":
		c = el("select", "ref", n.Path())
	case n.Type == "rank":
		c = el("odk:rank", "ref", n.Path())
	case n.Type == "acknowledge":
		c = el("trigger", "ref", n.Path())
	case n.Type == "range":
		c = el("range", "ref", n.Path())
		for _, k := range []string{"start", "end", "step"} {
			v := n.Parameters[k]
			if v == "" {
				v = map[string]string{"start": "1", "end": "10", "step": "1"}[k]
			}
			c.set(k, v)
		}
	case mediaTypes[n.Type] != "":
		c = el("upload", "mediatype", mediaTypes[n.Type], "ref", n.Path())
	default:
		c = el("input", "ref", n.Path())
	}
	c.set("appearance", n.Appearance)
	pass(c, n.Body)
	c.add(w.label(n))
	if len(n.Hint) > 0 || len(n.Guidance) > 0 {
		c.add(w.hint(n))
	}
	if n.List != "" || n.File != "" {
		c.add(w.items(n))
	}
	return c
}

func (w *writer) items(n *xlsform.Node) *element {
	id, value, label := n.List, "name", "label"
	if n.File != "" {
		id = strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(n.File, ".csv"), ".xml"), ".geojson")
		if strings.HasSuffix(n.File, ".geojson") {
			value, label = "id", "title"
		}
		if v := n.Parameters["value"]; v != "" {
			value = v
		}
		if v := n.Parameters["label"]; v != "" {
			label = v
		}
	} else if w.listTranslated(n.List) {
		label = "jr:itext(itextId)"
	}
	nodeset := fmt.Sprintf("instance('%s')/root/item", id)
	if n.ChoiceFilter != "" {
		nodeset += "[" + w.filter(n) + "]"
	}
	if strings.EqualFold(n.Parameters["randomize"], "true") {
		if seed := n.Parameters["seed"]; seed != "" {
			nodeset = "randomize(" + nodeset + ", " + w.expr(seed, n) + ")"
		} else {
			nodeset = "randomize(" + nodeset + ")"
		}
	}
	return el("itemset", "nodeset", nodeset).add(el("value", "ref", value), el("label", "ref", label))
}

// filter writes a choice filter: references are relative to the question, whose
// place an item's expression reaches by current().
func (w *writer) filter(n *xlsform.Node) string {
	return w.substitute(n.ChoiceFilter, func(name, saved string) string {
		t := w.form.Find(name, n)
		if t == nil {
			return ""
		}
		if rel, ok := relative(t, n); ok && saved == "" {
			return " current()/" + rel + " "
		}
		return " " + saved + t.Path() + " "
	})
}

func (w *writer) expr(s string, n *xlsform.Node) string {
	return w.substitute(s, func(name, saved string) string {
		t := w.form.Find(name, n)
		if t == nil {
			return ""
		}
		if saved != "" {
			return " instance('__last-saved')" + t.Path() + " "
		}
		if rel, ok := relative(t, n); ok {
			return " " + rel + " "
		}
		return " " + t.Path() + " "
	})
}

func (w *writer) substitute(s string, with func(name, saved string) string) string {
	return xlsform.Ref.ReplaceAllStringFunc(s, func(m string) string {
		parts := xlsform.Ref.FindStringSubmatch(m)
		return with(parts[2], parts[1])
	})
}

// relative is the path from a node to another inside the same repeat.
func relative(t, from *xlsform.Node) (string, bool) {
	if from == nil {
		return "", false
	}
	a, b := from.Repeats(), t.Repeats()
	if t.Kind == xlsform.Repeat {
		b = b[:len(b)-1] // a repeat is a node of what is around it
	}
	if len(a) == 0 || len(b) == 0 {
		return "", false
	}
	shared := 0
	for shared < len(a) && shared < len(b) && a[shared] == b[shared] {
		shared++
	}
	if shared == 0 {
		return "", false
	}
	top := a[shared-1]
	up := 0
	for p := from; p != top; p = p.Parent {
		up++
	}
	down := strings.TrimPrefix(t.Path(), top.Path()+"/")
	if up == 0 {
		return "./" + down, true
	}
	return strings.Repeat("../", up) + down, true
}

func (w *writer) meta(data *element) {
	root := w.form.Root
	m, base := el("meta"), root.Path()+"/meta/"
	root.Walk(func(n *xlsform.Node) {
		if n.Type == "audit" {
			m.add(el("audit"))
			b := el("bind", "nodeset", base+"audit", "type", "binary")
			for _, k := range []string{"location-priority", "location-min-interval", "location-max-age", "track-changes", "track-changes-reasons", "identify-user"} {
				if v := n.Parameters[k]; v != "" {
					b.set("odk:"+k, v)
				}
			}
			w.binds = append(w.binds, b)
		}
	})
	m.add(el("instanceID"))
	w.binds = append(w.binds, el("bind", "nodeset", base+"instanceID", "type", "string", "readonly", "true()", "jr:preload", "uid"))
	if w.form.InstanceName != "" {
		m.add(el("instanceName"))
		w.binds = append(w.binds, el("bind", "nodeset", base+"instanceName", "type", "string", "calculate", w.expr(w.form.InstanceName, nil)))
	}
	data.add(m)
}
