package xform

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

type visiting struct{ Visitor }

func (v visiting) open(name []byte, _ []attr, depth int) error { return v.Open(name, depth) }
func (v visiting) text(piece []byte)                           { v.Text(piece) }
func (v visiting) close(depth int) error                       { return v.Close(depth) }
