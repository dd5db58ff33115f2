package xform

import (
	"bytes"
	"strings"

	"dtm"
	"dtm/gather/xlsform"
)

// Instance is a submission understood by its form.
type Instance struct {
	HeadInfo
	InstanceName string
	Root         *Answers
	Flags        []dtm.Flag // what does not fit the form
	Files        []string   // names of the attachments that the answers mention
}

// Answers are those of the form, or of one turn of a repeat.
type Answers struct {
	Repeat *xlsform.Node // nil for the form itself
	List   []Answer      // in document order
	Turns  []*Answers    // repeats directly inside, in document order
	Parent *Answers      // around the turn; nil for the form itself
}

// Answer is one question's. Its path, type and HXL tag are the node's.
type Answer struct {
	Node  *xlsform.Node
	Value string // as sent, blanks at the ends removed; "" is not answered
}

// Get returns the answer to a question of the form itself or of the turn.
func (a *Answers) Get(n *xlsform.Node) (string, bool) {
	for _, x := range a.List {
		if x.Node == n {
			return x.Value, true
		}
	}
	return "", false
}

// Each calls f for every answer with the answers that it is among, outer ones
// first.
func (a *Answers) Each(f func(Answer, *Answers)) {
	for _, x := range a.List {
		f(x, a)
	}
	for _, t := range a.Turns {
		t.Each(f)
	}
}

// maxFlags bounds what one submission may fill the log with.
const maxFlags = 200

// Read reads a submission by its form. XML that is not well-formed or is hostile
// is an error of kind Invalid; what does not fit the form becomes flags:
// answer.unknown, answer.shape, answer.twice, answer.missing, answer.root.
func Read(f *xlsform.Form, doc []byte) (*Instance, error) {
	r := &instanceReader{in: &Instance{Root: &Answers{}}, form: f}
	if err := scan(doc, r); err != nil {
		return nil, err
	}
	r.in.HeadInfo = r.head.HeadInfo
	return r.in, nil
}

// Files names the attachments that a submission's answers mention; of an
// encrypted submission those that hold the answers. It is nil when the submission
// cannot be read.
func Files(f *xlsform.Form, doc []byte) []string {
	in, err := Read(f, doc)
	if err != nil {
		return nil
	}
	return in.Files
}

type instanceReader struct {
	form  *xlsform.Form
	in    *Instance
	head  headReader
	stack []place
	turn  *Answers
	held  []byte
}

// place is an element that is open.
type place struct {
	node     *xlsform.Node // nil: not of the form
	name     string        // of what is not of the form
	children int
	seen     []bool // of groups: which nodes came, by their place in the group
	meta     bool   // and whether the meta group did
	next     int    // where the next one is, if they come in the form's order
}

func (r *instanceReader) flag(rule, path, note string) {
	if len(r.in.Flags) < maxFlags {
		r.in.Flags = append(r.in.Flags, dtm.Flag{Rule: rule, Path: path, Note: note})
	}
}

func (r *instanceReader) open(name []byte, attrs []attr, depth int) error {
	if err := r.head.open(name, attrs, depth); err != nil {
		return err
	}
	r.held = r.held[:0]
	if depth == 1 {
		root := r.form.Root
		if string(name) != root.Name && !r.head.Encrypted {
			r.flag("answer.root", "/"+string(name), "≠ /"+root.Name)
		}
		r.turn = r.in.Root
		r.stack = append(r.stack, place{node: root})
		return nil
	}
	around := &r.stack[len(r.stack)-1]
	around.children++
	var p place
	if g := around.node; g != nil && g.Kind != xlsform.Question {
		n, i := child(g, name, around.next)
		switch {
		case n != nil:
			came := &around.meta
			if i >= 0 {
				if around.seen == nil {
					around.seen = make([]bool, len(g.Nodes))
				}
				came, around.next = &around.seen[i], i+1
			}
			if *came && n.Kind != xlsform.Repeat {
				r.flag("answer.twice", n.Path(), "")
			}
			*came = true
			p.node = n
			if n.Kind == xlsform.Repeat {
				t := &Answers{Repeat: n, Parent: r.turn}
				r.turn.Turns = append(r.turn.Turns, t)
				r.turn = t
			}
		case string(name) != "meta" && g.Name != "meta" && !r.head.Encrypted:
			r.flag("answer.unknown", g.Path()+"/"+string(name), "")
		}
	}
	if p.node == nil {
		p.name = string(name)
	}
	r.stack = append(r.stack, p)
	return nil
}

// child finds the node of a group that an element is, and its place in the group; the
// group's meta group too, at -1. Names differ within a group: phones keep the form's
// order, so it is looked for where it should be first.
func child(g *xlsform.Node, name []byte, next int) (*xlsform.Node, int) {
	if next < len(g.Nodes) && g.Nodes[next].Name == string(name) {
		return g.Nodes[next], next
	}
	for i, n := range g.Nodes {
		if n.Name == string(name) || localIs(n.Name, name) {
			return n, i
		}
	}
	if g.Meta != nil && string(name) == "meta" {
		return g.Meta, -1
	}
	return nil, 0
}

// localIs compares a name of the form, which may have a prefix.
func localIs(of string, name []byte) bool {
	i := strings.IndexByte(of, ':')
	return i >= 0 && of[i+1:] == string(name)
}

func (r *instanceReader) text(piece []byte) {
	r.head.text(piece)
	r.held = append(r.held, piece...)
}

func (r *instanceReader) close(depth int) error {
	if err := r.head.close(depth); err != nil {
		return err
	}
	p := r.stack[len(r.stack)-1]
	r.stack = r.stack[:len(r.stack)-1]
	value := ""
	if p.children == 0 {
		value = string(bytes.TrimSpace(r.held))
	}
	r.held = r.held[:0]
	n := p.node
	switch {
	case n == nil:
		if r.head.Encrypted && value != "" && (p.name == "file" || p.name == "encryptedXmlFile") {
			r.in.Files = append(r.in.Files, value)
		}
	case n.Kind == xlsform.Question:
		r.answer(n, value, p.children)
	default:
		if !r.head.Encrypted {
			r.missing(n, p.seen)
		}
		if n.Kind == xlsform.Repeat {
			r.turn = r.turn.Parent
		}
	}
	return nil
}

func (r *instanceReader) answer(n *xlsform.Node, value string, children int) {
	if children > 0 {
		r.flag("answer.shape", n.Path(), "")
		return
	}
	if n.Attachment() && value != "" {
		r.in.Files = append(r.in.Files, value)
	}
	if n.Parent == r.form.Root.Meta && n.Parent != nil {
		if n.Name == "instanceName" {
			r.in.InstanceName = value
		}
		return
	}
	r.turn.List = append(r.turn.List, Answer{n, value})
}

// missing flags questions that did not come though nothing in the form can make
// them irrelevant: phones leave out what is not relevant.
func (r *instanceReader) missing(g *xlsform.Node, seen []bool) {
	if g.Bind["relevant"] != "" || g == r.form.Root.Meta || g.Name == "meta" {
		return
	}
	for i, n := range g.Nodes {
		if i < len(seen) && seen[i] || n.Kind == xlsform.Repeat || n.Bind["relevant"] != "" || declares(n) || n.Kind == xlsform.Group && !asks(n) {
			continue
		}
		r.flag("answer.missing", n.Path(), "")
	}
}

// asks tells whether a group holds a question that is always asked.
func asks(g *xlsform.Node) bool {
	for _, n := range g.Nodes {
		if n.Bind["relevant"] == "" && (n.Kind == xlsform.Question || n.Kind == xlsform.Group && asks(n)) {
			return true
		}
	}
	return false
}
