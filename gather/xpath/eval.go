package xpath

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// Bounds of one evaluation.
const (
	MaxSteps  = 2_000_000 // nodes visited and functions called
	maxString = 1 << 20   // bytes of one text
)

// Env is what an expression may use beside the answers. What is nil is not there.
type Env struct {
	Now      time.Time             // in the zone in which the form is filled
	Instance func(id string) *Node // a secondary instance's document node
	Random   func() float64        // from 0 up to 1
	UUID     func() string
	Itext    func(id string) string // text in the reader's language
	Choice   func(value, path string) (string, bool)
	Property func(name string) string
}

// Use says what an evaluation took from outside the answers.
type Use uint8

// What an evaluation used.
const (
	UsedClock  Use = 1 << iota // now() or today()
	UsedChance                 // random(), uuid(), randomize() without seed
	UsedDevice                 // property(), jr:itext(), jr:choice-name(), once()
	UsedLost                   // a list or an answer that is not at hand
	// UsedDisputed: the programs that fill forms in (Collect on JavaRosa, the page on
	// @getodk/xforms-engine) come to different values here; doc/evaluator.md lists
	// where.
	UsedDisputed
)

// Eval evaluates the expression at a node. Its error is of kind Invalid and names
// the character: a function that is not known, arguments that do not fit, bounds.
func (e *Expr) Eval(at *Node, env *Env) (Value, Use, error) {
	c := &context{env: env, node: at, current: at, pos: 1, size: 1, run: &run{src: e.src, left: MaxSteps}}
	v, err := e.root.eval(c)
	if b, ok := e.root.(*binary); ok && b.loose {
		c.run.used |= UsedDisputed
	}
	return v, c.run.used, err
}

// truth is boolean() of a value.
func (c *context) truth(v Value) bool {
	yes, sure := v.Truth()
	if !sure {
		c.run.used |= UsedDisputed
	}
	return yes
}

// run is what all contexts of one evaluation share.
type run struct {
	src  string
	left int
	used Use
}

type context struct {
	env       *Env
	node      *Node
	current   *Node
	pos, size int
	run       *run
}

func (c *context) spend(n, at int) error {
	if c.run.left -= n; c.run.left < 0 {
		return fault(c.run.src, at, "steps", "the expression takes more than %d steps", MaxSteps)
	}
	return nil
}

func (c *context) fail(at int, code, format string, a ...any) error {
	return fault(c.run.src, at, code, format, a...)
}

type expr interface {
	eval(c *context) (Value, error)
}

type literal struct{ v Value }

func (l literal) eval(*context) (Value, error) { return l.v, nil }

type variable struct {
	name string
	at   int
}

func (v *variable) eval(c *context) (Value, error) {
	return Value{}, c.fail(v.at, "variable", "the variable $%s has no value: forms have no variables", v.name)
}

type negative struct {
	of  expr
	odd bool
}

func (n *negative) eval(c *context) (Value, error) {
	v, err := n.of.eval(c)
	if err != nil {
		return Value{}, err
	}
	f := v.Number()
	if n.odd {
		f = -f
	}
	return Number(f), nil
}

type binary struct {
	op          string
	left, right expr
	at          int
	loose       bool // and, or, with a right side that is no truth value by itself
}

func (b *binary) eval(c *context) (Value, error) {
	if err := c.spend(1, b.at); err != nil {
		return Value{}, err
	}
	l, err := b.left.eval(c)
	if err != nil {
		return Value{}, err
	}
	switch b.op {
	case "or":
		if c.truth(l) {
			return Bool(true), nil
		}
	case "and":
		if !c.truth(l) {
			return Bool(false), nil
		}
	}
	r, err := b.right.eval(c)
	if err != nil {
		return Value{}, err
	}
	switch b.op {
	case "or", "and":
		return Bool(c.truth(r)), nil
	case "+":
		return Number(l.Number() + r.Number()), nil
	case "-":
		return Number(l.Number() - r.Number()), nil
	case "*":
		return Number(l.Number() * r.Number()), nil
	case "div":
		return Number(l.Number() / r.Number()), nil
	case "mod":
		return Number(math.Mod(l.Number(), r.Number())), nil
	}
	yes, err := compare(c, b, l, r)
	return Bool(yes), err
}

// compare is section 3.4: a node-set compares when one of its nodes does.
func compare(c *context, b *binary, l, r Value) (bool, error) {
	switch {
	case l.Type == TypeNodes && r.Type == TypeBool || l.Type == TypeBool && r.Type == TypeNodes:
		return simple(b.op, Bool(c.truth(l)), Bool(c.truth(r))), nil
	case l.Type == TypeNodes && r.Type == TypeNodes:
		if err := c.spend(len(l.nodes)*len(r.nodes), b.at); err != nil {
			return false, err
		}
		for _, x := range l.nodes {
			s := String(x.String())
			for _, y := range r.nodes {
				if simple(b.op, s, String(y.String())) {
					return true, nil
				}
			}
		}
		return false, nil
	case l.Type == TypeNodes:
		for _, x := range l.nodes {
			if simple(b.op, String(x.String()), r) {
				return true, nil
			}
		}
		return false, nil
	case r.Type == TypeNodes:
		for _, y := range r.nodes {
			if simple(b.op, l, String(y.String())) {
				return true, nil
			}
		}
		return false, nil
	}
	return simple(b.op, l, r), nil
}

func simple(op string, l, r Value) bool {
	if op == "=" || op == "!=" {
		var same bool
		switch {
		case l.Type == TypeBool || r.Type == TypeBool:
			same = l.Bool() == r.Bool()
		case l.Type == TypeNumber || r.Type == TypeNumber:
			same = l.Number() == r.Number()
		default:
			same = l.String() == r.String()
		}
		return same == (op == "=")
	}
	x, y := l.Number(), r.Number()
	switch op {
	case "<":
		return x < y
	case "<=":
		return x <= y
	case ">":
		return x > y
	}
	return x >= y
}

type union struct {
	of []expr
	at int
}

func (u *union) eval(c *context) (Value, error) {
	var all []*Node
	for _, e := range u.of {
		v, err := e.eval(c)
		if err != nil {
			return Value{}, err
		}
		if v.Type != TypeNodes {
			return Value{}, c.fail(u.at, "union", "| joins nodes, and one side is no path")
		}
		all = append(all, v.nodes...)
	}
	return Nodes(ordered(all)), c.spend(len(all), u.at)
}

// ordered sorts nodes into document order and leaves each once.
func ordered(n []*Node) []*Node {
	if len(n) < 2 {
		return n
	}
	slices.SortStableFunc(n, func(a, b *Node) int { return a.Order - b.Order })
	seen := make(map[*Node]bool, len(n))
	return slices.DeleteFunc(n, func(x *Node) bool {
		if x.Kind == Attribute || x.Kind == Text { // made anew for each step
			for y := range seen {
				if y.Kind == x.Kind && y.Parent == x.Parent && y.Name == x.Name {
					return true
				}
			}
		}
		if seen[x] {
			return true
		}
		seen[x] = true
		return false
	})
}

type path struct {
	at        int
	absolute  bool
	from      expr
	fromPreds []expr
	steps     []*step
	inner     bool // stands in a predicate
	whole     bool // of indexed-repeat(), which chooses the turn itself
}

type step struct {
	axis, prefix, test string
	preds              []expr
}

func (p *path) eval(c *context) (Value, error) {
	var at []*Node
	var one [1]*Node
	switch {
	case p.from != nil:
		v, err := p.from.eval(c)
		if err != nil {
			return Value{}, err
		}
		if v.Type != TypeNodes {
			return Value{}, c.fail(p.at, "path", "a path or [ ] follows what is no node")
		}
		if at, err = p.filter(c, p.fromPreds, v.nodes); err != nil {
			return Value{}, err
		}
	case p.absolute:
		one[0] = c.current.root() // of the answers, from within a list too
		at = one[:]
	default:
		one[0] = c.node
		at = one[:]
	}
	near := p.nearest(c)
	for i, s := range p.steps {
		if i < len(near) {
			if before, after := near[i].siblings(); among(before, near[i].Name) || among(after, near[i].Name) {
				c.run.used |= UsedDisputed
			}
			at = near[i : i+1]
			continue
		}
		var next []*Node
		sorted := len(at) < 2 || s.axis == "child" && s.flat(at) || s.axis == "self" || s.axis == "attribute"
		for _, n := range at {
			found := s.walk(n, nil)
			if len(at) == 1 && len(s.preds) == 0 {
				next = found
			} else {
				if len(s.preds) > 0 {
					var err error
					if found, err = p.filter(c, s.preds, found); err != nil {
						return Value{}, err
					}
				}
				next = append(next, found...)
			}
			if err := c.spend(len(found)+1, p.at); err != nil {
				return Value{}, err
			}
		}
		switch {
		case s.reverse():
			next = ordered(slices.Clone(next))
		case !sorted:
			next = ordered(next)
		}
		at = next
	}
	for _, n := range at {
		if n.Lost {
			c.run.used |= UsedLost
		}
	}
	return Nodes(slices.Clip(at)), nil
}

// nearest lists the nodes that the first steps of an absolute path come to for
// being around the node at hand: from within a turn of a repeat the path means that
// turn, as in Collect (JavaRosa's TreeReference.contextualize). It goes as far as the
// names are the same and no predicate chooses.
func (p *path) nearest(c *context) []*Node {
	if !p.absolute || p.whole {
		return nil
	}
	from := c.node
	if from.root() != c.current.root() {
		from = c.current // at an item of a list
	}
	var around []*Node
	for n := from; n != nil && n.Kind != Document; n = n.Parent {
		around = append(around, n)
	}
	slices.Reverse(around)
	n := 0
	for n < len(p.steps) && n < len(around) {
		if s := p.steps[n]; s.axis != "child" || len(s.preds) > 0 || around[n].Kind != Element || s.test != around[n].Name {
			break
		}
		n++
	}
	return around[:n]
}

func among(nodes []*Node, name string) bool {
	return slices.ContainsFunc(nodes, func(n *Node) bool { return n.Name == name })
}

// flat tells that no node lies under another, so that children come in order.
func (s *step) flat(at []*Node) bool {
	for i := 1; i < len(at); i++ {
		if at[i].Parent != at[0].Parent {
			return false
		}
	}
	return true
}

func (s *step) reverse() bool {
	switch s.axis {
	case "ancestor", "ancestor-or-self", "preceding", "preceding-sibling":
		return true
	}
	return false
}

// filter keeps the nodes for which every predicate holds.
func (p *path) filter(c *context, preds []expr, nodes []*Node) ([]*Node, error) {
	for _, pred := range preds {
		inner := context{env: c.env, current: c.current, run: c.run, size: len(nodes)}
		var kept []*Node
		for i, n := range nodes {
			if err := c.spend(1, p.at); err != nil {
				return nil, err
			}
			inner.node, inner.pos = n, i+1
			v, err := pred.eval(&inner)
			if err != nil {
				return nil, err
			}
			if v.Type == TypeNumber && v.num == float64(i+1) || v.Type != TypeNumber && inner.truth(v) {
				kept = append(kept, n)
			}
		}
		nodes = kept
	}
	return nodes, nil
}

func (s *step) matches(n *Node) bool {
	switch s.test {
	case "node()":
		return true
	case "text()":
		return n.Kind == Text
	case "comment()", "processing-instruction()":
		return false
	}
	if s.axis == "attribute" {
		return n.Kind == Attribute && (s.test == "*" || n.Name == s.test)
	}
	return n.Kind == Element && (s.test == "*" || n.Name == s.test)
}

// walk appends the nodes of the axis that match, nearest first.
func (s *step) walk(n *Node, out []*Node) []*Node {
	add := func(x *Node) {
		if s.matches(x) {
			out = append(out, x)
		}
	}
	switch s.axis {
	case "child":
		for _, x := range n.Children {
			if s.matches(x) {
				out = append(out, x)
			}
		}
		if t := n.textNode(); t != nil && (s.test == "text()" || s.test == "node()") {
			out = append(out, t)
		}
	case "parent":
		if n.Parent != nil {
			add(n.Parent)
		}
	case "self":
		add(n)
	case "attribute":
		if n.Kind == Element {
			for i, a := range n.Attrs {
				add(&Node{Kind: Attribute, Name: a.Name, Value: a.Value, Parent: n, Order: n.Order + 1 + i})
			}
		}
	case "ancestor", "ancestor-or-self":
		if s.axis == "ancestor-or-self" {
			add(n)
		}
		for p := n.Parent; p != nil; p = p.Parent {
			add(p)
		}
	case "descendant":
		out = s.under(n, out)
	case "descendant-or-self":
		add(n)
		out = s.under(n, out)
	case "following-sibling", "preceding-sibling":
		before, after := n.siblings()
		if s.axis == "following-sibling" {
			for _, x := range after {
				add(x)
			}
			break
		}
		for _, x := range slices.Backward(before) {
			add(x)
		}
	case "following":
		for x := n; x != nil; x = x.Parent {
			_, after := x.siblings()
			for _, y := range after {
				add(y)
				out = s.under(y, out)
			}
		}
	case "preceding":
		for x := n; x != nil; x = x.Parent {
			before, _ := x.siblings()
			for _, y := range slices.Backward(before) {
				under := s.under(y, nil)
				slices.Reverse(under)
				out = append(out, under...)
				add(y)
			}
		}
	}
	return out
}

func (s *step) under(n *Node, out []*Node) []*Node {
	for _, x := range n.Children {
		if s.matches(x) {
			out = append(out, x)
		}
		out = s.under(x, out)
	}
	if t := n.textNode(); t != nil && (s.test == "text()" || s.test == "node()") {
		out = append(out, t)
	}
	return out
}

func (n *Node) textNode() *Node {
	if n.Kind != Element || n.Value == "" {
		return nil
	}
	return &Node{Kind: Text, Value: n.Value, Parent: n, Order: n.Order + 1 + len(n.Attrs), Hidden: n.Hidden}
}

func (n *Node) siblings() (before, after []*Node) {
	if n.Parent == nil || n.Kind != Element {
		return nil, nil
	}
	i := slices.Index(n.Parent.Children, n)
	return n.Parent.Children[:i], n.Parent.Children[i+1:]
}

type call struct {
	name string
	at   int
	src  string
	args []expr
	f    *function
	re   *pattern // of regex() with a pattern that stands there
}

func (x *call) eval(c *context) (Value, error) {
	if x.f == nil {
		return Value{}, c.fail(x.at, "function", "there is no function %s()", x.name)
	}
	if err := c.spend(1, x.at); err != nil {
		return Value{}, err
	}
	if x.f.lazy != nil {
		return x.f.lazy(c, x)
	}
	var few [4]Value
	args := few[:0]
	for _, a := range x.args {
		v, err := a.eval(c)
		if err != nil {
			return Value{}, err
		}
		args = append(args, v)
	}
	v, err := x.f.eager(c, x, args)
	if err != nil {
		return v, err
	}
	if v.Type == TypeString && len(v.str) > maxString {
		return v, c.fail(x.at, "length", "%s() makes a text longer than %d bytes", x.name, maxString)
	}
	return v, c.spend(len(v.str)/64+len(v.nodes), x.at)
}

// bad is an error at a function.
func (x *call) bad(c *context, format string, a ...any) error {
	return c.fail(x.at, "argument", "%s(): %s", x.name, fmt.Sprintf(format, a...))
}
