package xlsform

// Form is an XLSForm understood: what package xform writes and reads instances by.
type Form struct {
	ID, Version, Title string
	DefaultLanguage    string
	Languages          []string // as the headers name them, "" alone when they name none
	Style              string
	InstanceName       string
	PublicKey          string
	SubmissionURL      string
	Namespaces         string
	Root               *Node // group of everything
	Lists              []*List
	External           []External // external instances, in order of first use
}

// Kind of a node of the form.
type Kind uint8

const (
	Question Kind = iota
	Group
	Repeat
)

// Node is a question, a group or a repeat.
type Node struct {
	Kind   Kind
	Type   string // canonical question type: "integer", "select_one" ...
	Name   string
	Parent *Node
	Nodes  []*Node // of groups and repeats

	Label, Hint, Guidance              Texts
	ConstraintMessage, RequiredMessage Texts
	Media                              map[string]Texts // "image", "audio", "video", "big-image"

	Relevant, Required, Constraint, Calculation, ReadOnly string
	Default, Appearance, RepeatCount, ChoiceFilter        string
	Trigger                                               string
	Parameters                                            map[string]string
	Bind, Body, Instance                                  map[string]string // pass-through attributes
	HXL                                                   string            // "#affected+f+children"

	List  string            // of selects: name of the choice list
	File  string            // of selects from file: "points.csv"
	Other bool              // or_other
	Cells map[string]string // column -> cell, for faults found later
	Line  int
}

// Texts is a text by language as the header names it.
type Texts map[string]string

// List is a choice list.
type List struct {
	Name    string
	Choices []Choice
}

// Choice is one entry of a list.
type Choice struct {
	Name  string
	Label Texts
	Media map[string]Texts
	Extra []Column // further columns, for filters
}

// Column is a further column of a choice.
type Column struct{ Name, Value string }

// External is a file that the form reads choices from.
type External struct{ ID, File string }

// ExternalFiles names the files that go with the form.
func (f *Form) ExternalFiles() []string {
	var out []string
	for _, e := range f.External {
		out = append(out, e.File)
	}
	return out
}

// Path is the node's XPath in the instance: "/data/group/name".
func (n *Node) Path() string {
	if n.Parent == nil {
		return "/" + n.Name
	}
	return n.Parent.Path() + "/" + n.Name
}

// Repeats lists the repeats around the node, outermost first, itself included.
func (n *Node) Repeats() []*Node {
	var out []*Node
	for p := n; p != nil; p = p.Parent {
		if p.Kind == Repeat {
			out = append([]*Node{p}, out...)
		}
	}
	return out
}

// Walk calls f for every node below n, in order.
func (n *Node) Walk(f func(*Node)) {
	for _, c := range n.Nodes {
		f(c)
		c.Walk(f)
	}
}

// ChoiceList returns the list of that name, nil when there is none.
func (f *Form) ChoiceList(name string) *List {
	for _, l := range f.Lists {
		if l.Name == name {
			return l
		}
	}
	return nil
}
