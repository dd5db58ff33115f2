package xform

import (
	"slices"
	"strings"

	"dtm/gather/xpath"
)

// plan is what Recheck works by, made once of a form: its expressions understood,
// and the order in which nodes depend on each other.
type plan struct {
	of    []rules // by Node.Index
	order []*Node
	end   *Node // when the phone closed the form
}

type rules struct {
	relevant, required, constraint, calculate, itemset *xpath.Expr
	choices                                            map[string]bool // nil when they depend on answers or files
	set                                                bool            // an action gives the answer
}

// expr understands an expression; one that phones would not understand either is
// not checked.
func (m *Model) expr(src string) *xpath.Expr {
	if src == "" {
		return nil
	}
	e, err := xpath.Parse(src)
	if err != nil {
		return nil
	}
	return e
}

func (m *Model) planned() *plan {
	m.once.Do(func() { m.plan = m.makePlan() })
	return m.plan
}

func (m *Model) makePlan() *plan {
	p := &plan{of: make([]rules, len(m.Nodes))}
	for i, n := range m.Nodes {
		b := n.Bind
		r := &p.of[i]
		*r = rules{relevant: m.expr(b.Relevant), required: m.expr(b.Required), constraint: m.expr(b.Constraint), calculate: m.expr(b.Calculate)}
		if n.Kind != Leaf {
			r.calculate = nil
		}
		if b.Preload == "timestamp" && b.PreloadParams == "end" {
			p.end = n
		}
		if n.Type != "select" && n.Type != "select1" && n.Type != "odk:rank" || strings.Contains(n.Appearance, "search(") {
			continue
		}
		r.itemset = m.expr(n.Itemset)
		if len(n.Choices) > 0 && n.Itemset == "" {
			r.choices = map[string]bool{}
			for _, c := range n.Choices {
				r.choices[c] = true
			}
		}
		if r.itemset != nil && !strings.Contains(n.Itemset, "[") {
			env := xpath.Env{Instance: m.inline}
			if v, used, err := r.itemset.Eval(&xpath.Node{Kind: xpath.Document}, &env); err == nil && used&^xpath.UsedChance == 0 {
				r.choices = names(n, v.Nodes())
			}
		}
	}
	for _, a := range m.actions {
		p.of[a.node.Index].set = true
	}
	state := make([]uint8, len(m.Nodes))
	var visit func(n *Node)
	visit = func(n *Node) {
		if state[n.Index] != 0 {
			return // done, or a ring: then in the order of the form
		}
		state[n.Index] = 1
		if n.Parent != nil {
			visit(n.Parent)
		}
		r := &p.of[n.Index]
		for _, e := range []*xpath.Expr{r.relevant, r.calculate} {
			if e == nil {
				continue
			}
			for _, ref := range e.References() {
				for _, on := range m.referred(n, ref) {
					if !on.above(n) {
						visit(on)
					}
				}
			}
		}
		p.order = append(p.order, n)
	}
	for _, n := range m.Nodes {
		visit(n)
	}
	return p
}

func (m *Model) inline(id string) *xpath.Node {
	if l := m.List(id); l != nil && l.Src == "" {
		return l.Items
	}
	return nil
}

func names(n *Node, items []*xpath.Node) map[string]bool {
	out := make(map[string]bool, len(items))
	for _, i := range items {
		if v := i.Child(n.ValueRef); v != nil {
			out[v.Value] = true
		}
	}
	return out
}

func (n *Node) above(of *Node) bool {
	for p := of; p != nil; p = p.Parent {
		if p == n {
			return true
		}
	}
	return false
}

// referred lists the nodes that a path of an expression at n may name, with what
// lies under them.
func (m *Model) referred(n *Node, r xpath.Reference) (out []*Node) {
	at := n
	if r.Absolute {
		at = nil
	}
	for i, s := range r.Steps {
		switch {
		case r.Inner:
			at = nil
		case s == ".":
			continue
		case s == "..":
			if at == nil || at.Parent == nil {
				return nil
			}
			at = at.Parent
			continue
		case s == "*":
			return m.Nodes[at.index():]
		case at == nil && i == 0:
			if at = m.byPath["/"+s]; at == nil {
				return nil
			}
			continue
		default:
			if at == nil {
				return nil
			}
			if at = at.Child(s); at == nil {
				return nil
			}
			continue
		}
	}
	if r.Inner && len(r.Steps) > 0 {
		last := r.Steps[len(r.Steps)-1]
		for _, x := range m.Nodes {
			if x.Name == last {
				out = append(out, x)
			}
		}
		return out
	}
	if at == nil {
		return nil
	}
	out = append(out, at)
	for _, x := range m.Nodes[at.Index+1:] {
		if at != m.Root && at.above(x) && !at.above(n) {
			out = append(out, x)
		}
	}
	return slices.Clip(out)
}

func (n *Node) index() int {
	if n == nil {
		return 0
	}
	return n.Index
}
