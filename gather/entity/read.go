package entity

import (
	"html"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"dtm"
	"dtm/gather/xform"
	"dtm/gather/xpath"
)

// Model is what a form declares: where an entity is declared and which answers
// are saved to it. Paths leave the root element out, "/household/name".
type Model struct {
	form   string
	at     map[string]string // path of the element around meta/entity -> list
	saveTo map[string]string // path of an answer -> property
}

// ReadModel reads the declarations of a form from its XForm: Invalid when it is
// not well-formed. A form without any has no lists.
func ReadModel(form string, doc []byte) (*Model, error) {
	m := &Model{form: form, at: map[string]string{}, saveTo: map[string]string{}}
	x, err := xform.ReadModel(doc)
	if err != nil {
		return nil, err
	}
	for _, e := range x.Entities {
		m.at[afterRoot(e.In.Path)] = e.List
	}
	for _, n := range x.Leaves() {
		if n.SaveTo != "" {
			m.saveTo[afterRoot(n.Path)] = n.SaveTo
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
	doc, err := xform.Document(submission)
	if err != nil {
		return nil, err
	}
	root := doc.Children[0] // a document has one
	if root.Attr("encrypted") == "yes" {
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

func (r *reader) read(n *xpath.Node, path string, d *Declared) {
	if list, ok := r.model.at[path]; ok {
		d = nil
		if e := n.Child("meta").Child("entity"); e != nil && len(r.out) < maxDeclared {
			d = declaration(list, e)
			r.out = append(r.out, d)
		}
	}
	if property, ok := r.model.saveTo[path]; ok && d != nil && len(n.Children) == 0 {
		d.Data[property] = strings.TrimSpace(n.Value)
	}
	for _, c := range n.Children {
		if c.Name != "meta" {
			r.read(c, path+"/"+c.Name, d)
		}
	}
}

func declaration(list string, e *xpath.Node) *Declared {
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
	d := &Declared{List: list, ID: NormalID(e.Attr("id")), Create: yes(e.Attr("create")), Update: yes(e.Attr("update")),
		Base: number(e.Attr("baseVersion")), Trunk: number(e.Attr("trunkVersion")), Branch: NormalID(e.Attr("branchId")),
		Data: map[string]string{}}
	if l := e.Child("label"); l != nil {
		d.Label = strings.TrimSpace(l.Value)
	}
	return d
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
