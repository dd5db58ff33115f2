package xpath

import "strings"

// Kind of node.
type Kind uint8

// Kinds of node. Namespaces, comments and processing instructions are not kept.
const (
	Document Kind = iota
	Element
	Attribute
	Text
)

// Node is an element of a tree of answers or of a list, or one of its kind made
// from it. Trees are shared between goroutines: nobody writes to them while
// expressions are evaluated.
type Node struct {
	Kind     Kind
	Name     string // without its prefix; of an Attribute with it
	Prefix   string
	Value    string // own text: of an element without child elements its answer
	Parent   *Node
	Children []*Node // elements only
	Attrs    []Attr
	Order    int  // place in its document, counted by Number; unique within it
	Owner    int  // for who made the tree; not used here
	Hidden   bool // not relevant: counts as empty
	Lost     bool // there was an answer or none: it is not at hand
}

// Attr is an attribute of an element.
type Attr struct{ Name, Value string }

// Attr returns an attribute's value by its whole name, "" when it is not there.
func (n *Node) Attr(name string) string {
	for _, a := range n.Attrs {
		if a.Name == name {
			return a.Value
		}
	}
	return ""
}

// Child returns the first child element of that name, or nil.
func (n *Node) Child(name string) *Node {
	if n == nil {
		return nil
	}
	for _, c := range n.Children {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// Number counts the nodes of a tree in document order, with room for their
// attributes and text, and returns how many numbers it used.
func (n *Node) Number() int {
	next := 0
	n.number(&next)
	return next
}

func (n *Node) number(next *int) {
	n.Order = *next
	*next += 2 + len(n.Attrs)
	for _, c := range n.Children {
		c.number(next)
	}
}

// String is the node's string value: XPath 1.0, section 5.
func (n *Node) String() string {
	if n.Hidden {
		return ""
	}
	if len(n.Children) == 0 {
		return n.Value
	}
	var b strings.Builder
	n.text(&b)
	return b.String()
}

func (n *Node) text(b *strings.Builder) {
	if n.Hidden {
		return
	}
	if b.WriteString(n.Value); len(n.Children) > 0 {
		for _, c := range n.Children {
			c.text(b)
		}
	}
}

func (n *Node) root() *Node {
	for n.Parent != nil {
		n = n.Parent
	}
	return n
}
