package odata

import (
	"encoding/json"
	"strconv"
	"strings"

	"dtm/gather/xform"
)

// layout is how the submissions of a form, in all its versions, become tables.
type layout struct {
	form   string
	root   *table
	tables []*table // the root first, then repeats as they come
	newest *xform.Model
}

// table is the submissions themselves or the turns of a repeat.
type table struct {
	name   string // "Submissions", "Submissions.group.repeat"
	parent *table
	top    *node   // the element whose children are the columns
	leaves []*node // in order; a record has a value for each
	subs   []*table
	index  int // among the parent's subs
}

type kind uint8

const (
	leafNode kind = iota
	groupNode
	repeatNode
)

// node is an element of the form.
type node struct {
	kind  kind
	name  string // of the element
	safe  string // as OData writes it
	key   []byte // `"name":`
	path  []string
	field *xform.Node
	nodes []*node
	slot  int    // of leaves
	sub   *table // of repeats
	xpath string
}

// identifier makes a name that OData allows.
func identifier(s string) string {
	out := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r > 0x7F {
			return r
		}
		return '_'
	}, s)
	if out == "" || out[0] >= '0' && out[0] <= '9' {
		out = "_" + out
	}
	return out
}

// newLayout joins the versions of a form, the newest first: columns are those of the
// newest, then what older ones had besides.
func newLayout(form string, versions []*xform.Model) *layout {
	l := &layout{form: form, root: &table{name: "Submissions"}}
	l.root.top = &node{kind: groupNode, name: "data"}
	for i, m := range versions {
		if i == 0 {
			l.newest = m
			l.root.top.name, l.root.top.field = m.Root.Name, m.Root
		}
		l.join(l.root.top, m.Root)
	}
	l.arrange(l.root)
	return l
}

// join adds what a field has below to a node.
func (l *layout) join(n *node, f *xform.Node) {
	for _, c := range f.Children {
		if c.Name == "entity" && f.Name == "meta" {
			continue // what the server does with an answer is no answer
		}
		have := n.child([]byte(c.Name))
		k := leafNode
		switch {
		case c.Kind == xform.Repeat:
			k = repeatNode
		case c.Kind == xform.Group:
			k = groupNode
		}
		if have == nil {
			safe := n.free(identifier(c.Name))
			key, _ := json.Marshal(safe)
			have = &node{kind: k, name: c.Name, safe: safe, key: append(key, ':'), field: c, path: append(append([]string{}, n.path...), safe), xpath: c.Path}
			n.nodes = append(n.nodes, have)
		}
		if have.kind == k { // a question that became a group is its newest self
			l.join(have, c)
		}
	}
}

// free is a name that no other column below n has: two questions may differ in what
// OData does not allow only.
func (n *node) free(safe string) string {
	for i := 2; ; i++ {
		taken := false
		for _, c := range n.nodes {
			taken = taken || c.safe == safe
		}
		if !taken {
			return safe
		}
		safe = safe + "_" + strconv.Itoa(i)
	}
}

func (n *node) child(name []byte) *node {
	for _, c := range n.nodes {
		if c.name == string(name) {
			return c
		}
	}
	return nil
}

// arrange numbers the leaves and makes tables of the repeats.
func (l *layout) arrange(t *table) {
	l.tables = append(l.tables, t)
	var walk func(n *node)
	walk = func(n *node) {
		for _, c := range n.nodes {
			switch c.kind {
			case leafNode:
				c.slot = len(t.leaves)
				t.leaves = append(t.leaves, c)
			case groupNode:
				walk(c)
			case repeatNode:
				c.sub = &table{name: l.root.name + "." + strings.Join(c.path, "."), parent: t, top: c, index: len(t.subs)}
				t.subs = append(t.subs, c.sub)
			}
		}
	}
	walk(t.top)
	for _, s := range t.subs {
		l.arrange(s)
	}
}

func (l *layout) table(name string) *table {
	for _, t := range l.tables {
		if t.name == name {
			return t
		}
	}
	return nil
}

// parentKey is the column of a repeat's rows that names the row they belong to.
func (t *table) parentKey() string { return "__" + strings.ReplaceAll(t.parent.name, ".", "-") + "-id" }

// edm is the OData type of a leaf.
func (n *node) edm() string {
	switch n.field.Type {
	case "int":
		return "Edm.Int64"
	case "decimal":
		return "Edm.Decimal"
	case "date":
		return "Edm.Date"
	case "dateTime":
		return "Edm.DateTimeOffset"
	case "geopoint":
		return "Edm.GeographyPoint"
	case "geotrace":
		return "Edm.GeographyLineString"
	case "geoshape":
		return "Edm.GeographyPolygon"
	}
	return "Edm.String"
}

// relative is the path of a node below its table's top.
func (t *table) relative(n *node) []string { return n.path[len(t.top.path):] }

// find is the leaf that a path of OData names, in this table.
func (t *table) find(path []string) *node {
	n := t.top
	for _, p := range path {
		var next *node
		for _, c := range n.nodes {
			if c.safe == p {
				next = c
				break
			}
		}
		if next == nil || next.kind == repeatNode {
			return nil
		}
		n = next
	}
	return n
}
