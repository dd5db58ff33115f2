package xform

import (
	"slices"
	"strings"
)

// Visitor is told of the elements of a submission as they open and close, and of the
// text between. What it is given is only good until it returns.
type Visitor interface {
	// Open gives the element's name without prefix; its depth is 1 for the root.
	Open(name []byte, depth int) error
	// Text may come in pieces; references are replaced.
	Text(piece []byte)
	Close(depth int) error
}

// Visit reads a submission in one pass, without a tree. Its errors are those of
// Read's XML: Invalid with line and column.
func Visit(doc []byte, v Visitor) error { return scan(doc, visiting{v}) }

// FilesOf names the attachments that a submission's answers mention, by the model of
// its form.
func FilesOf(m *Model, doc []byte) []string {
	f := filesOf{at: m.Root}
	if err := Visit(doc, &f); err != nil {
		return nil // what is wrong with it was said before
	}
	return f.names
}

// filesOf follows a submission along its model. at is nil below what is not in it.
type filesOf struct {
	at    *Node
	stray int
	text  []byte
	names []string
}

func (f *filesOf) Open(name []byte, depth int) error {
	f.text = f.text[:0]
	if depth == 1 {
		return nil
	}
	if f.stray == 0 {
		if c := f.at.Child(string(name)); c != nil {
			f.at = c
			return nil
		}
	}
	f.stray++
	return nil
}

func (f *filesOf) Text(piece []byte) { f.text = append(f.text, piece...) }

func (f *filesOf) Close(depth int) error {
	if f.stray > 0 {
		f.stray--
		return nil
	}
	if name := strings.TrimSpace(string(f.text)); name != "" && f.at.Binary() && f.at.Kind == Leaf && !slices.Contains(f.names, name) {
		f.names = append(f.names, name)
	}
	f.text = f.text[:0]
	if depth > 1 {
		f.at = f.at.Parent
	}
	return nil
}

type visiting struct{ Visitor }

func (v visiting) open(name []byte, _ []attr, depth int) error { return v.Open(name, depth) }
func (v visiting) text(piece []byte)                           { v.Text(piece) }
func (v visiting) close(depth int) error                       { return v.Close(depth) }
