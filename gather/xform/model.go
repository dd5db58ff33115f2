package xform

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"

	"dtm"
)

// Model is an XForm understood: the tree of its main instance with what binds and
// controls say of each node. It is read from what phones download, whether we made
// it of an XLSForm or it was published as it is. It does not change.
type Model struct {
	FormID, Version, Title string
	Root                   *Field // of the main instance
	Encrypted              bool   // submissions come encrypted
	Secondary              []Secondary

	byPath map[string]*Field
}

// Field is a node of the main instance: a question, a group or a repeat.
type Field struct {
	Name   string // without prefix
	Parent *Field
	Fields []*Field // of groups and repeats, in order
	Repeat bool
	Meta   bool // the meta element or below it

	Type     string // of the bind, without prefix: "string", "int", "decimal", "date", "time", "dateTime", "geopoint", "geotrace", "geoshape", "binary", "barcode", "boolean"
	Select   string // "one", "multiple" or "rank"; "" when it is no choice
	Shown    bool   // a control of the body is about it
	Default  string
	Bind     map[string]string // attributes of the bind, prefixes as conventional: "relevant", "jr:constraintMsg"
	Property string            // entity property that the answer is saved to
	Entity   map[string]string // attributes of an entity declared here
}

// Secondary is another instance: a list to choose from, or a file.
type Secondary struct {
	ID, Src string
	Items   []map[string]string // of a list in the form
}

// Path is the field's XPath: "/data/group/name".
func (f *Field) Path() string {
	if f.Parent == nil {
		return "/" + f.Name
	}
	return f.Parent.Path() + "/" + f.Name
}

// Leaf tells whether the field holds an answer.
func (f *Field) Leaf() bool { return len(f.Fields) == 0 && !f.Repeat }

// Child is the field of that name directly below; nil when there is none.
func (f *Field) Child(name string) *Field {
	for _, c := range f.Fields {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// Walk calls fn for every field below, in order.
func (f *Field) Walk(fn func(*Field)) {
	for _, c := range f.Fields {
		fn(c)
		c.Walk(fn)
	}
}

// Field is the field of a path, nil when there is none.
func (m *Model) Field(path string) *Field { return m.byPath[path] }

// prefixes are how namespaces are written by convention, whatever a form calls them.
var prefixes = map[string]string{
	"http://openrosa.org/javarosa": "jr:", "http://openrosa.org/xforms": "orx:", "http://www.opendatakit.org/xforms": "odk:",
	"http://www.opendatakit.org/xforms/entities": "entities:",
}

const (
	xformsSpace   = "http://www.w3.org/2002/xforms"
	javarosaSpace = "http://openrosa.org/javarosa"
)

// element of an XForm while it is read.
type formNode struct {
	space, name string
	attrs       []xml.Attr
	text        string
	nodes       []*formNode
}

func (n *formNode) attr(name string) string {
	for _, a := range n.attrs {
		if a.Name.Space == "" && a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

func (n *formNode) child(name string) *formNode {
	for _, c := range n.nodes {
		if c.name == name {
			return c
		}
	}
	return &formNode{}
}

// parseForm reads XML into a tree, bounded in depth and number.
func parseForm(doc []byte) (*formNode, error) {
	d := xml.NewDecoder(bytes.NewReader(doc))
	d.Entity = map[string]string{}
	top := &formNode{}
	stack := []*formNode{top}
	for count := 0; ; {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			if len(top.nodes) != 1 || len(stack) != 1 {
				return nil, dtm.Errorf(dtm.Invalid, "the XForm is not one whole XML document").Coded("xform.whole")
			}
			return top.nodes[0], nil
		}
		if err != nil {
			return nil, (&dtm.Error{Kind: dtm.Invalid, Err: err, Msg: "the XForm is not well-formed XML: " + err.Error()}).Coded("xform.malformed", err.Error())
		}
		switch t := t.(type) {
		case xml.StartElement:
			if count++; count > maxNodes || len(stack) > maxDepth {
				return nil, dtm.Errorf(dtm.Invalid, "the XForm has more than %d elements, or more than %d in one another", maxNodes, maxDepth).Coded("xform.large", maxNodes, maxDepth)
			}
			n := &formNode{space: t.Name.Space, name: t.Name.Local, attrs: slices.Clone(t.Attr)}
			up := stack[len(stack)-1]
			up.nodes = append(up.nodes, n)
			stack = append(stack, n)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		case xml.CharData:
			stack[len(stack)-1].text += string(t)
		case xml.Directive:
			return nil, dtm.Errorf(dtm.Invalid, "the XForm holds a DOCTYPE, which no form needs").Coded("xform.doctype")
		}
	}
}

// ReadModel reads an XForm. It is Invalid when it is not well-formed or has no main
// instance.
func ReadModel(doc []byte) (*Model, error) {
	root, err := parseForm(doc)
	if err != nil {
		return nil, err
	}
	head, body := root.child("head"), root.child("body")
	model := head.child("model")
	m := &Model{Title: strings.TrimSpace(head.child("title").text), byPath: map[string]*Field{}}
	var main *formNode
	for _, n := range model.nodes {
		switch n.name {
		case "instance":
			if main == nil && len(n.nodes) > 0 && n.attr("id") == "" {
				main = n.nodes[0]
				continue
			}
			m.Secondary = append(m.Secondary, secondary(n))
		case "submission":
			m.Encrypted = m.Encrypted || n.attr("base64RsaPublicKey") != ""
		}
	}
	if main == nil {
		return nil, dtm.Errorf(dtm.Invalid, "the XForm has no main instance: model/instance with one element").Coded("xform.instance")
	}
	m.FormID, m.Version = main.attr("id"), main.attr("version")
	if m.FormID == "" {
		m.FormID = main.space // old forms name themselves by their namespace
	}
	m.Root = m.field(main, nil)
	for _, n := range model.nodes {
		if n.name == "bind" && n.space == xformsSpace {
			m.bind(n)
		}
	}
	m.controls(body)
	return m, nil
}

// field reads a node of the main instance. A repeat's template and its first turn
// are one field.
func (m *Model) field(n *formNode, parent *Field) *Field {
	f := &Field{Name: n.name, Parent: parent, Meta: parent != nil && (parent.Meta || parent.Parent == nil && n.name == "meta")}
	path := f.Path()
	m.byPath[path] = f
	if len(n.nodes) == 0 {
		f.Default = strings.TrimSpace(n.text)
	}
	for _, c := range n.nodes {
		if f.Child(c.name) == nil {
			f.Fields = append(f.Fields, m.field(c, f))
		}
	}
	for _, a := range n.attrs {
		if a.Name.Space == javarosaSpace && a.Name.Local == "template" {
			f.Repeat = true
		}
	}
	if n.name == "entity" && n.attr("dataset") != "" {
		f.Entity = map[string]string{}
		for _, a := range n.attrs {
			f.Entity[a.Name.Local] = a.Value
		}
	}
	return f
}

func secondary(n *formNode) Secondary {
	s := Secondary{ID: n.attr("id"), Src: n.attr("src")}
	if s.Src != "" || len(n.nodes) == 0 {
		return s
	}
	for _, item := range n.nodes[0].nodes {
		values := map[string]string{}
		for _, v := range item.nodes {
			values[v.name] = strings.TrimSpace(v.text)
		}
		s.Items = append(s.Items, values)
	}
	return s
}

func (m *Model) bind(n *formNode) {
	f := m.byPath[plain(n.attr("nodeset"))]
	if f == nil {
		return // of an attribute, or of nothing
	}
	if f.Bind == nil {
		f.Bind = map[string]string{}
	}
	for _, a := range n.attrs {
		f.Bind[prefixes[a.Name.Space]+a.Name.Local] = a.Value
	}
	if t := f.Bind["type"]; t != "" {
		_, local, prefixed := strings.Cut(t, ":")
		if !prefixed {
			local = t
		}
		switch local {
		case "integer":
			local = "int"
		case "rank":
			f.Select, local = "rank", "string"
		case "select", "select1": // by very old forms
			f.Select, local = map[string]string{"select": "multiple", "select1": "one"}[local], "string"
		}
		f.Type = local
	}
	f.Property = f.Bind["entities:saveto"]
}

// plain is a nodeset without blanks.
func plain(path string) string { return strings.ReplaceAll(path, " ", "") }

// controls notes what the body shows.
func (m *Model) controls(n *formNode) {
	for _, c := range n.nodes {
		switch c.name {
		case "repeat":
			if f := m.byPath[plain(c.attr("nodeset"))]; f != nil {
				f.Repeat = true
			}
		case "input", "select", "select1", "upload", "range", "trigger", "rank":
			if f := m.byPath[plain(c.attr("ref"))]; f != nil {
				f.Shown = true
				switch {
				case c.name == "select":
					f.Select = "multiple"
				case c.name == "select1":
					f.Select = "one"
				case c.name == "rank":
					f.Select = "rank"
				case c.name == "upload":
					f.Type = "binary"
				}
			}
		}
		m.controls(c)
	}
}

// Visitor is told of the elements of a document as they open and close, and of the
// text between. What it is given is only good until it returns.
type Visitor interface {
	// Open gives the element's name without prefix; its depth is 1 for the root.
	Open(name []byte, depth int) error
	// Text may come in pieces; references are replaced.
	Text(piece []byte)
	Close(depth int) error
}

// Scan reads a submission in one pass, without a tree. Its errors are those of
// Read's XML: Invalid with line and column.
func Scan(doc []byte, v Visitor) error { return scan(doc, visiting{v}) }

type visiting struct{ Visitor }

func (v visiting) open(name []byte, _ []attr, depth int) error { return v.Open(name, depth) }
func (v visiting) text(piece []byte)                           { v.Text(piece) }
func (v visiting) close(depth int) error                       { return v.Close(depth) }
