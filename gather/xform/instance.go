package xform

import (
	"encoding/xml"
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
}

// Answers are those of the form, or of one turn of a repeat.
type Answers struct {
	Repeat *xlsform.Node // nil for the form itself
	List   []Answer      // in document order
	Turns  []*Answers    // repeats directly inside, in document order
	Parent *Answers
}

// Answer is one question's.
type Answer struct {
	Node  *xlsform.Node
	Value string // as sent, blanks at the ends removed; "" is not answered
}

// Read reads a submission by its form. XML that is not well-formed or is hostile
// is an error of kind Invalid; what does not fit the form becomes flags.
func Read(f *xlsform.Form, doc []byte) (*Instance, error) {
	r := &instanceReader{in: &Instance{Root: &Answers{}}, form: f}
	if err := walk(doc, r); err != nil {
		return nil, err
	}
	return r.in, nil
}

type instanceReader struct {
	form    *xlsform.Form
	in      *Instance
	head    headVisitor
	stack   []*xlsform.Node // nil entries: unknown elements and meta
	answers *Answers
	meta    bool
}

func (r *instanceReader) open(e xml.StartElement, depth int) error {
	if err := r.head.open(e, depth); err != nil {
		return err
	}
	if depth == 1 {
		r.stack = append(r.stack, r.form.Root)
		r.answers = r.in.Root
		return nil
	}
	r.meta = depth == 2 && e.Name.Local == "meta" || r.meta && depth > 2
	parent := r.stack[len(r.stack)-1]
	var n *xlsform.Node
	if parent != nil && !r.meta {
		n = child(parent, e.Name.Local)
		if n == nil && !generated(parent, e.Name.Local) {
			r.in.Flags = append(r.in.Flags, dtm.Flag{Rule: "answer.unknown", Path: parent.Path() + "/" + e.Name.Local, Note: "the form has no such question"})
		}
	}
	if n != nil && n.Kind == xlsform.Repeat {
		turn := &Answers{Repeat: n, Parent: r.answers}
		r.answers.Turns = append(r.answers.Turns, turn)
		r.answers = turn
	}
	r.stack = append(r.stack, n)
	return nil
}

// generated tells elements that the XForm has and the XLSForm does not name.
func generated(parent *xlsform.Node, name string) bool {
	if base, ok := strings.CutSuffix(name, "_count"); ok {
		if n := child(parent, base); n != nil && n.Kind == xlsform.Repeat {
			return true
		}
	}
	base, ok := strings.CutSuffix(name, "_other")
	n := child(parent, base)
	return ok && n != nil && n.Other
}

func child(parent *xlsform.Node, name string) *xlsform.Node {
	for _, n := range parent.Nodes {
		if n.Name == name {
			return n
		}
	}
	return nil
}

func (r *instanceReader) close(name xml.Name, text []byte, leaf bool, depth int) error {
	if err := r.head.close(name, text, leaf, depth); err != nil {
		return err
	}
	n := r.stack[len(r.stack)-1]
	r.stack = r.stack[:len(r.stack)-1]
	switch {
	case depth == 1:
		r.in.HeadInfo = r.head.HeadInfo
	case depth == 3 && r.meta && leaf && name.Local == "instanceName":
		r.in.InstanceName = strings.TrimSpace(string(text))
	case n == nil:
	case n.Kind == xlsform.Repeat:
		r.answers = r.answers.Parent
	case n.Kind == xlsform.Question && leaf:
		r.answers.List = append(r.answers.List, Answer{n, strings.TrimSpace(string(text))})
	case n.Kind == xlsform.Question:
		r.in.Flags = append(r.in.Flags, dtm.Flag{Rule: "answer.shape", Path: n.Path(), Note: "the answer holds elements"})
	}
	if depth == 2 {
		r.meta = false
	}
	return nil
}

// Files names the attachments that a submission's answers mention.
func Files(f *xlsform.Form, doc []byte) []string {
	in, err := Read(f, doc)
	if err != nil {
		return nil
	}
	var out []string
	var each func(a *Answers)
	each = func(a *Answers) {
		for _, x := range a.List {
			if x.Node.Attachment() && x.Value != "" {
				out = append(out, x.Value)
			}
		}
		for _, t := range a.Turns {
			each(t)
		}
	}
	each(in.Root)
	return out
}
