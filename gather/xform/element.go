package xform

import (
	"slices"
	"strings"
)

// element is a part of the XForm. Children are elements and words; where words
// stand among them nothing is indented.
type element struct {
	name     string
	attrs    []string // name, value, name, value ...
	children []any    // *element or words
}

// words is text of an element.
type words string

func el(name string, attrs ...string) *element { return &element{name: name, attrs: attrs} }

// add appends children; nil ones are left out.
func (e *element) add(children ...any) *element {
	for _, c := range children {
		if x, ok := c.(*element); ok && x == nil {
			continue
		}
		e.children = append(e.children, c)
	}
	return e
}

// set gives an attribute its value; the last one given holds.
func (e *element) set(name, value string) {
	for i := 0; i < len(e.attrs); i += 2 {
		if e.attrs[i] == name {
			e.attrs[i+1] = value
			return
		}
	}
	e.attrs = append(e.attrs, name, value)
}

// give sets attributes in the order of their names.
func (e *element) give(attrs map[string]string) {
	names := make([]string, 0, len(attrs))
	for k := range attrs {
		names = append(names, k)
	}
	slices.Sort(names)
	for _, k := range names {
		e.set(k, attrs[k])
	}
}

func (e *element) write(b *strings.Builder, indent string) {
	b.WriteString("<" + e.name)
	for i := 0; i < len(e.attrs); i += 2 {
		b.WriteString(" " + e.attrs[i] + `="` + attrText.Replace(e.attrs[i+1]) + `"`)
	}
	if len(e.children) == 0 {
		b.WriteString("/>")
		return
	}
	b.WriteString(">")
	mixed := slices.ContainsFunc(e.children, func(c any) bool { _, ok := c.(words); return ok })
	for i, c := range e.children {
		switch c := c.(type) {
		case words:
			// Phones join words and answers as they stand, so they are kept apart.
			if i == 0 && len(e.children) > 1 {
				b.WriteByte(' ')
			}
			b.WriteString(bodyText.Replace(string(c)))
		case *element:
			if !mixed {
				b.WriteString("\n" + indent + "  ")
			}
			c.write(b, indent+"  ")
		}
		if mixed && len(e.children) > 1 && i == len(e.children)-1 {
			b.WriteByte(' ')
		}
	}
	if !mixed {
		b.WriteString("\n" + indent)
	}
	b.WriteString("</" + e.name + ">")
}

var (
	bodyText = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
	attrText = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;")
)
