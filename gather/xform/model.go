package xform

import (
	"slices"
	"strings"
	"sync"

	"dtm"
	"dtm/gather/xpath"
)

// NodeKind says whether a node of a form holds an answer or other nodes.
type NodeKind uint8

// Kinds of node.
const (
	Leaf NodeKind = iota
	Group
	Repeat
)

// Model is a form as published, read from its XForm: ours, pyxform's or written by
// hand. Nobody changes it once it is read; goroutines share it.
type Model struct {
	ID, Version, Title string
	Root               *Node
	Nodes              []*Node // in document order, Root first
	Lists              []List  // secondary instances
	PublicKey          string  // base64 RSA key of an encrypted form, else ""
	SubmitTo           string  // address of the submission element, else ""
	Entities           []EntityDeclaration

	byPath  map[string]*Node
	actions []action
	once    sync.Once
	plan    *plan
}

// Node is a group, a repeat or a question of a form.
type Node struct {
	Name     string // without prefix
	Path     string // "/data/group/name", without prefixes
	Kind     NodeKind
	Index    int // in Model.Nodes
	Parent   *Node
	Children []*Node
	// Type of a leaf: string, int, decimal, boolean, date, time, dateTime,
	// geopoint, geotrace, geoshape, binary, barcode, select1, select, odk:rank; a
	// type that is not known stays as written.
	Type       string
	Bind       Bind
	Default    string
	Appearance string   // of the control
	Control    string   // element that shows it: input, select1, upload ...; "" for none
	Media      string   // of an upload: "image/*"
	SaveTo     string   // property of the entity that its container declares
	Count      string   // of a repeat: expression or path of jr:count
	Choices    []string // names of choices that stand in the control
	Itemset    string   // expression of choices that come from a list
	ValueRef   string   // name of the item's child that is the answer
}

// Bind is what a form says of a node: expressions as written, "" when there is
// none.
type Bind struct {
	Relevant, Required, Constraint, Calculate, ReadOnly string
	ConstraintMsg, RequiredMsg                          string
	Preload, PreloadParams                              string
}

// List is a secondary instance: items of the form itself, or a file.
type List struct {
	ID    string
	Src   string      // "jr://file-csv/points.csv"; "" for items of the form
	Items *xpath.Node // document node; nil when the form holds none
}

// EntityDeclaration is a meta/entity of a form.
type EntityDeclaration struct {
	List           string
	In             *Node // the root, group or repeat whose meta it stands in
	Node           *Node // the entity element
	Create, Update bool  // it may make an entity; it may change one
	CreateIf       string
	UpdateIf       string
	IDFrom         string // expression of the entity's id
	LabelFrom      string // expression of the label
}

// Multiple tells questions whose answer is several choices with blanks between.
func (n *Node) Multiple() bool { return n.Type == "select" || n.Type == "odk:rank" }

// Binary tells questions whose answer names an attachment.
func (n *Node) Binary() bool { return n.Type == "binary" }

// InRepeat returns the innermost repeat around a node, itself not counted, or nil.
func (n *Node) InRepeat() *Node {
	for p := n.Parent; p != nil; p = p.Parent {
		if p.Kind == Repeat {
			return p
		}
	}
	return nil
}

// Child returns the child of that name, or nil.
func (n *Node) Child(name string) *Node {
	for _, c := range n.Children {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// Node returns the node of a path without prefixes, or nil.
func (m *Model) Node(path string) *Node { return m.byPath[path] }

// Leaves lists what holds answers, in document order.
func (m *Model) Leaves() (out []*Node) {
	for _, n := range m.Nodes {
		if n.Kind == Leaf {
			out = append(out, n)
		}
	}
	return out
}

// Repeats lists the repeats, outer ones first.
func (m *Model) Repeats() (out []*Node) {
	for _, n := range m.Nodes {
		if n.Kind == Repeat {
			out = append(out, n)
		}
	}
	return out
}

// List returns a secondary instance by its id, or nil.
func (m *Model) List(id string) *List {
	if i := slices.IndexFunc(m.Lists, func(l List) bool { return l.ID == id }); i >= 0 {
		return &m.Lists[i]
	}
	return nil
}

// action sets a node when something happens: setvalue, setgeopoint.
type action struct {
	event, value string
	node         *Node
}

// ReadModel reads a form from the XForm that phones download. Its error is of kind
// Invalid and names line and column, or the element that is missing.
func ReadModel(xform []byte) (*Model, error) {
	doc, err := readTree(xform)
	if err != nil {
		return nil, err
	}
	html := doc.Children[0]
	head := html.Child("head")
	model := head.Child("model")
	if model == nil {
		return nil, dtm.Errorf(dtm.Invalid, "the form has no head/model: is it an XForm?").At("root element").Coded("xform.no_model")
	}
	m := &Model{byPath: map[string]*Node{}}
	if t := head.Child("title"); t != nil {
		m.Title = t.Value
	}
	for _, i := range model.Children {
		if i.Name != "instance" {
			continue
		}
		if m.Root == nil && i.Attr("src") == "" && len(i.Children) > 0 {
			root := i.Children[0]
			m.ID, m.Version = root.Attr("id"), attrLocal(root, "version")
			if m.ID == "" {
				m.ID = root.Attr("xmlns")
			}
			m.Root = m.add(nil, root)
			continue
		}
		l := List{ID: i.Attr("id"), Src: i.Attr("src")}
		if len(i.Children) > 0 {
			l.Items = &xpath.Node{Kind: xpath.Document, Children: i.Children[:1]}
			i.Children[0].Parent = l.Items
			l.Items.Number()
		}
		m.Lists = append(m.Lists, l)
	}
	if m.Root == nil {
		return nil, dtm.Errorf(dtm.Invalid, "the model has no instance with an element in it: a form needs one").At("model").Coded("xform.no_instance")
	}
	ids := map[string]string{}
	for _, b := range model.Children {
		switch b.Name {
		case "bind":
			m.bind(b, ids)
		case "submission":
			m.PublicKey, m.SubmitTo = attrLocal(b, "base64RsaPublicKey"), b.Attr("action")
		}
	}
	for _, a := range model.Children {
		m.action(a, m.Root.Path, ids)
	}
	if body := html.Child("body"); body != nil {
		m.body(body, m.Root.Path, ids)
	}
	for _, n := range m.Nodes {
		if n.Kind == Leaf && n.Type == "" {
			n.Type = "string"
		}
	}
	m.entities(html)
	return m, nil
}

// attrLocal returns an attribute by its name without prefix.
func attrLocal(n *xpath.Node, name string) string {
	for _, a := range n.Attrs {
		if a.Name[strings.IndexByte(a.Name, ':')+1:] == name {
			return a.Value
		}
	}
	return ""
}

// add takes an element of the primary instance. A repeat's template and its first
// turn are one node.
func (m *Model) add(parent *Node, e *xpath.Node) *Node {
	var n *Node
	if parent != nil {
		n = parent.Child(e.Name)
	}
	if n == nil {
		n = &Node{Name: e.Name, Path: "/" + e.Name, Parent: parent, Default: e.Value, Index: len(m.Nodes)}
		if parent != nil {
			n.Path = parent.Path + n.Path
			parent.Children = append(parent.Children, n)
		}
		m.Nodes = append(m.Nodes, n)
		m.byPath[n.Path] = n
	}
	if attrLocal(e, "template") != "" || slices.ContainsFunc(e.Attrs, func(a xpath.Attr) bool { return a.Name == "jr:template" }) {
		n.Kind = Repeat
	}
	if len(e.Children) > 0 && n.Kind == Leaf {
		n.Kind, n.Default = Group, ""
	}
	for _, c := range e.Children {
		m.add(n, c)
	}
	return n
}

// resolve finds the path that a reference of a bind or control names.
func resolve(ref, base string) string {
	ref = strings.TrimSpace(ref)
	if !strings.HasPrefix(ref, "/") {
		ref = base + "/" + ref
	}
	var parts []string
	for p := range strings.SplitSeq(ref, "/") {
		switch p = strings.TrimSpace(p); p {
		case "", ".":
		case "..":
			parts = parts[:max(len(parts)-1, 0)]
		default:
			parts = append(parts, p[strings.IndexByte(p, ':')+1:])
		}
	}
	return "/" + strings.Join(parts, "/")
}

var typeNames = map[string]string{"integer": "int", "text": "string", "datetime": "dateTime", "select one": "select1", "odk:rank": "odk:rank", "rank": "odk:rank"}

func (m *Model) bind(b *xpath.Node, ids map[string]string) {
	ref := b.Attr("nodeset")
	if ref == "" {
		ref = b.Attr("ref")
	}
	path := resolve(ref, m.Root.Path)
	if id := b.Attr("id"); id != "" {
		ids[id] = path
	}
	n := m.byPath[path]
	if n == nil {
		return
	}
	for _, a := range b.Attrs {
		name := a.Name[strings.IndexByte(a.Name, ':')+1:]
		for k, to := range map[string]*string{"relevant": &n.Bind.Relevant, "required": &n.Bind.Required, "constraint": &n.Bind.Constraint, "calculate": &n.Bind.Calculate, "readonly": &n.Bind.ReadOnly,
			"constraintMsg": &n.Bind.ConstraintMsg, "requiredMsg": &n.Bind.RequiredMsg, "preload": &n.Bind.Preload, "preloadParams": &n.Bind.PreloadParams, "saveto": &n.SaveTo} {
			if k == name {
				*to = a.Value
			}
		}
		if name == "type" {
			t := a.Value[strings.IndexByte(a.Value, ':')+1:]
			if short, ok := typeNames[t]; ok {
				t = short
			}
			n.Type = t
		}
	}
}

// body takes controls, with the path that their references are relative to.
func (m *Model) body(e *xpath.Node, base string, ids map[string]string) {
	for _, c := range e.Children {
		path := base
		ref := c.Attr("ref")
		if ref == "" {
			ref = c.Attr("nodeset")
		}
		switch {
		case ref != "" && c.Name != "itemset" && c.Name != "output" && c.Name != "label" && c.Name != "hint":
			path = resolve(ref, base)
		case c.Attr("bind") != "":
			path = ids[c.Attr("bind")]
		}
		n := m.byPath[path]
		switch c.Name {
		case "label", "hint", "item", "itemset", "value":
			continue
		case "setvalue", "setgeopoint", "recordaudio":
			m.action(c, base, ids)
			continue
		case "group":
			if n != nil && n.Kind == Leaf && path != base {
				n.Kind = Group
			}
			m.body(c, path, ids)
			continue
		case "repeat":
			if n != nil && n != m.Root {
				n.Kind, n.Count = Repeat, attrLocal(c, "count")
			}
			m.body(c, path, ids)
			continue
		}
		if n == nil || n.Kind != Leaf {
			continue
		}
		n.Control, n.Media, n.Appearance = c.Name, attrLocal(c, "mediatype"), c.Attr("appearance")
		switch c.Name {
		case "select", "select1":
			n.Type = c.Name
		case "rank":
			n.Type = "odk:rank"
		case "upload":
			n.Type = "binary"
		}
		for _, i := range c.Children {
			switch i.Name {
			case "item":
				if v := i.Child("value"); v != nil {
					n.Choices = append(n.Choices, v.Value)
				}
			case "itemset":
				n.Itemset, n.ValueRef = i.Attr("nodeset"), "name"
				if v := i.Child("value"); v != nil {
					n.ValueRef = resolve(v.Attr("ref"), "")[1:]
				}
			}
		}
		m.body(c, base, ids)
	}
}

func (m *Model) action(a *xpath.Node, base string, ids map[string]string) {
	switch a.Name {
	case "setvalue", "setgeopoint", "recordaudio":
		ref := a.Attr("ref")
		if ref == "" {
			ref = ids[a.Attr("bind")]
		}
		if n := m.byPath[resolve(ref, base)]; n != nil {
			value := a.Attr("value")
			if value == "" && a.Value != "" {
				value = "'" + a.Value + "'"
			}
			m.actions = append(m.actions, action{a.Attr("event"), value, n})
		}
	}
}

// entities finds what the metas declare. Of create, update and id the form holds
// attributes whose binds say when, or 1 for always.
func (m *Model) entities(html *xpath.Node) {
	model := html.Child("head").Child("model")
	binds := map[string]string{}
	for _, b := range model.Children {
		if b.Name == "bind" {
			binds[resolve(b.Attr("nodeset"), m.Root.Path)] = b.Attr("calculate")
		}
		if b.Name == "setvalue" {
			binds[resolve(b.Attr("ref"), m.Root.Path)] = b.Attr("value")
		}
	}
	var walk func(e *xpath.Node, path string)
	seen := map[string]bool{}
	walk = func(e *xpath.Node, path string) {
		n := m.byPath[path]
		if e.Name == "entity" && n != nil && n.Parent != nil && n.Parent.Name == "meta" && e.Attr("dataset") != "" && !seen[path] {
			seen[path] = true
			d := EntityDeclaration{List: e.Attr("dataset"), In: n.Parent.Parent, Node: n, CreateIf: binds[path+"/@create"], UpdateIf: binds[path+"/@update"], IDFrom: binds[path+"/@id"]}
			d.Create, d.Update = e.Attr("create") != "" || d.CreateIf != "", e.Attr("update") != "" || d.UpdateIf != ""
			if l := n.Child("label"); l != nil {
				d.LabelFrom = l.Bind.Calculate
			}
			m.Entities = append(m.Entities, d)
		}
		for _, c := range e.Children {
			walk(c, path+"/"+c.Name)
		}
	}
	for _, i := range model.Children {
		if i.Name == "instance" && i.Attr("src") == "" && len(i.Children) > 0 {
			walk(i.Children[0], "/"+i.Children[0].Name)
			return
		}
	}
}
