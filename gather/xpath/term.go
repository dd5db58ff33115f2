package xpath

// Term is an expression taken apart, for those who put it into other words.
type Term struct {
	Op   string // "text", "number", "ref" (${name}), "call", an operator such as "and", or "other"
	Text string // the text, the number as written by string(), the name
	Args []*Term
}

// Term takes the expression apart.
func (e *Expr) Term() *Term { return termOf(e.root) }

func termOf(x expr) *Term {
	switch x := x.(type) {
	case literal:
		if x.v.Type == TypeNumber {
			return &Term{Op: "number", Text: x.v.String()}
		}
		return &Term{Op: "text", Text: x.v.String()}
	case *variable:
		return &Term{Op: "ref", Text: x.name}
	case *binary:
		return &Term{Op: x.op, Args: []*Term{termOf(x.left), termOf(x.right)}}
	case *call:
		t := &Term{Op: "call", Text: x.name}
		for _, a := range x.args {
			t.Args = append(t.Args, termOf(a))
		}
		return t
	}
	return &Term{Op: "other"}
}
