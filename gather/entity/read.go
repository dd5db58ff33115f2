package entity

import (
	"bytes"
	"encoding/xml"
	"errors"
	"html"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"dtm"
)

// Model is what a form declares: where an entity is declared and which answers
// are saved to it. Paths leave the root element out, "/household/name".
type Model struct {
	form   string
	at     map[string]string // path of the element around meta/entity -> list
	saveTo map[string]string // path of an answer -> property
}

const (
	entitiesSpace = "http://www.opendatakit.org/xforms/entities"
	xformsSpace   = "http://www.w3.org/2002/xforms"
)

// ReadModel reads the declarations of a form from its XForm: Invalid when it is
// not well-formed. A form without any has no lists.
func ReadModel(form string, xform []byte) (*Model, error) {
	m := &Model{form: form, at: map[string]string{}, saveTo: map[string]string{}}
	if !bytes.Contains(xform, []byte(entitiesSpace)) && !bytes.Contains(xform, []byte("<entity")) {
		return m, nil
	}
	root, err := parse(xform)
	if err != nil {
		return nil, err
	}
	model := root.find("head").find("model")
	for _, n := range model.children {
		switch {
		case n.name.Local == "instance" && len(m.at) == 0 && len(n.children) == 1:
			m.declarations(n.children[0], "")
		case n.name.Local == "bind" && n.name.Space == xformsSpace:
			path := afterRoot(n.attr("", "nodeset"))
			if property := n.attr(entitiesSpace, "saveto"); property != "" && path != "" {
				m.saveTo[path] = property
			}
		}
	}
	return m, nil
}

// afterRoot is an absolute path without its first step.
func afterRoot(path string) string {
	steps := strings.SplitN(strings.TrimPrefix(path, "/"), "/", 2)
	if len(steps) < 2 {
		return ""
	}
	return "/" + steps[1]
}

func (m *Model) declarations(n *node, path string) {
	if e := n.find("meta").find("entity"); e != nil {
		if list := e.attr("", "dataset"); list != "" {
			m.at[path] = list
		}
	}
	for _, c := range n.children {
		m.declarations(c, path+"/"+c.name.Local)
	}
}

// container is the nearest element at or above a path that declares an entity.
func (m *Model) container(path string) (string, bool) {
	for {
		if _, ok := m.at[path]; ok {
			return path, true
		}
		i := strings.LastIndexByte(path, '/')
		if i < 0 {
			return "", false
		}
		path = path[:i]
	}
}

// Lists are the lists that the form declares, with the properties it saves to.
func (m *Model) Lists() []dtm.EntityList {
	var out []dtm.EntityList
	for _, list := range m.at {
		if !slices.ContainsFunc(out, func(l dtm.EntityList) bool { return l.Name == list }) {
			out = append(out, dtm.EntityList{Name: list})
		}
	}
	slices.SortFunc(out, func(a, b dtm.EntityList) int { return strings.Compare(a.Name, b.Name) })
	for i := range out {
		seen := map[string]bool{}
		for path, property := range m.saveTo {
			if in, ok := m.container(path); ok && m.at[in] == out[i].Name && !seen[property] {
				seen[property] = true
				out[i].Properties = append(out[i].Properties, dtm.EntityProperty{Name: property, Forms: []string{m.form}})
			}
		}
		slices.SortFunc(out[i].Properties, func(a, b dtm.EntityProperty) int { return strings.Compare(a.Name, b.Name) })
	}
	return out
}

// Declared gives what a submission of the form asks for, in document order. The
// list is the one that the form declares, whatever the submission names.
func (m *Model) Declared(submission []byte) ([]Declared, error) {
	if len(m.at) == 0 {
		return nil, nil
	}
	root, err := parse(submission)
	if err != nil {
		return nil, err
	}
	if root.attr("", "encrypted") == "yes" {
		return nil, nil // its answers are not to be read here
	}
	r := reader{model: m}
	r.read(root, "", nil)
	out := make([]Declared, len(r.out))
	for i, d := range r.out {
		out[i] = *d
	}
	return out, nil
}

type reader struct {
	model *Model
	out   []*Declared
}

// maxDeclared bounds what one submission may ask for.
const maxDeclared = 5000

func (r *reader) read(n *node, path string, d *Declared) {
	if list, ok := r.model.at[path]; ok {
		d = nil
		if e := n.find("meta").find("entity"); e != nil && len(r.out) < maxDeclared {
			d = declaration(list, e)
			r.out = append(r.out, d)
		}
	}
	if property, ok := r.model.saveTo[path]; ok && d != nil && len(n.children) == 0 {
		d.Data[property] = strings.TrimSpace(n.text)
	}
	for _, c := range n.children {
		if c.name.Local != "meta" {
			r.read(c, path+"/"+c.name.Local, d)
		}
	}
}

func declaration(list string, e *node) *Declared {
	number := func(s string) int {
		n, err := strconv.Atoi(strings.TrimSpace(s))
		if err != nil || n < 0 {
			return 0
		}
		return n
	}
	yes := func(s string) bool {
		s = strings.TrimSpace(s)
		return s == "1" || strings.EqualFold(s, "true")
	}
	d := &Declared{List: list, ID: NormalID(e.attr("", "id")), Create: yes(e.attr("", "create")), Update: yes(e.attr("", "update")),
		Base: number(e.attr("", "baseVersion")), Trunk: number(e.attr("", "trunkVersion")), Branch: NormalID(e.attr("", "branchId")),
		Data: map[string]string{}}
	if l := e.find("label"); l != nil {
		d.Label = strings.TrimSpace(l.text)
	}
	return d
}

// node is an element. A nil node has no children and no attributes.
type node struct {
	name     xml.Name
	attrs    []xml.Attr
	text     string // of elements without children
	children []*node
}

func (n *node) find(name string) *node {
	if n != nil {
		for _, c := range n.children {
			if c.name.Local == name {
				return c
			}
		}
	}
	return nil
}

func (n *node) attr(space, name string) string {
	if n != nil {
		for _, a := range n.attrs {
			if a.Name.Local == name && a.Name.Space == space {
				return a.Value
			}
		}
	}
	return ""
}

// maxDepth is well above any form's; documents were checked when they came in.
const maxDepth = 200

func parse(doc []byte) (*node, error) {
	bad := func(err error) error {
		return (&dtm.Error{Kind: dtm.Invalid, Err: err, Msg: "the document is not well-formed XML: " + err.Error()}).Coded("entity.xml")
	}
	d := xml.NewDecoder(bytes.NewReader(doc))
	root := &node{}
	stack := []*node{root}
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, bad(err)
		}
		top := stack[len(stack)-1]
		switch t := t.(type) {
		case xml.StartElement:
			if len(stack) > maxDepth {
				return nil, bad(errors.New("elements are nested too deeply"))
			}
			c := &node{name: t.Name, attrs: slices.Clone(t.Attr)}
			top.children = append(top.children, c)
			stack = append(stack, c)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		case xml.CharData:
			if len(top.children) == 0 && len(stack) > 1 {
				top.text += string(t)
			}
		case xml.Directive:
			return nil, bad(errors.New("a document type is not accepted"))
		}
	}
	if len(root.children) != 1 {
		return nil, bad(errors.New("it has no root element, or two"))
	}
	return root.children[0], nil
}

// csvFile finds the lists that a form reads as secondary instances.
var csvFile = regexp.MustCompile(`jr://file(?:-csv)?/([^"'<>]+\.csv)["']`)

// Reads names the CSV files that a form reads, from its XForm.
func Reads(xform []byte) []string {
	var out []string
	for _, m := range csvFile.FindAllSubmatch(xform, -1) {
		if name := html.UnescapeString(string(m[1])); !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}
