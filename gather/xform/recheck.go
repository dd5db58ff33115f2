package xform

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"dtm"
	"dtm/gather/xpath"
)

// Env is what a re-check may know beside the submission.
type Env struct {
	// Now is when the submission was received. A form that asks for its end says
	// itself what its today was, and in which zone.
	Now time.Time
	// Lists are the files of the form that are at hand, by name: what depends on
	// others is not judged.
	Lists map[string]*xpath.Node
	// Sealed says what was taken out of the submission when it came; nil: nothing.
	// What rests on such an answer is not judged, nor that it is missing.
	Sealed *Sealing
}

// Recheck computes what a form's expressions make of a submission and flags what
// differs: answer.required, answer.irrelevant, answer.constraint,
// answer.calculate, answer.choice. What cannot be computed again is passed over:
// chance, what only the device knows, lists that are not at hand, clocks. It
// refuses nothing; XML that cannot be read has no flags.
func Recheck(m *Model, instance []byte, env Env) []dtm.Flag {
	c := recheck(m, instance, env, false)
	if c == nil {
		return nil
	}
	return c.flags
}

// Computed gives what the form makes of answers: the values of its questions by
// their paths, calculated ones computed. A question that is not asked is not among
// them, nor what lies in a repeat. XML that cannot be read gives nil.
func Computed(m *Model, instance []byte, env Env) map[string]string {
	c := recheck(m, instance, env, true)
	if c == nil {
		return nil
	}
	out := map[string]string{}
	for _, n := range m.Nodes {
		if n.Kind != Leaf || n.InRepeat() != nil {
			continue
		}
		for _, e := range c.turns[n.Index] {
			if !e.Hidden {
				out[n.Path] = e.Value
			}
		}
	}
	return out
}

// check is one re-check at work.
type check struct {
	m         *Model
	p         *plan
	env       xpath.Env
	clock     bool // Now is that of the phone
	recompute bool // calculated values take the place of those sent
	turns     [][]*xpath.Node
	absent    map[*xpath.Node]bool
	used      xpath.Use              // by the latest expression
	disputed  map[*xpath.Node]string // values on which programs differ, as computed here; with recompute
	flags     []dtm.Flag
	computed  []dtm.Change // what was sent otherwise than the form computes it
}

func recheck(m *Model, instance []byte, env Env, recompute bool) *check {
	doc, err := readAnswers(instance)
	if err != nil || doc.Children[0].Attr("encrypted") == "yes" || doc.Children[0].Name != m.Root.Name {
		return nil
	}
	c := &check{m: m, p: m.planned(), recompute: recompute, turns: make([][]*xpath.Node, len(m.Nodes)), absent: map[*xpath.Node]bool{}, disputed: map[*xpath.Node]string{}}
	c.complete(m.Root, doc.Children[0])
	c.lose(env.Sealed)
	doc.Number()
	c.env = xpath.Env{Now: env.Now, Instance: func(id string) *xpath.Node {
		l := m.List(id)
		if l == nil {
			return nil
		}
		if l.Src == "" {
			return l.Items
		}
		return env.Lists[l.Src[strings.LastIndexByte(l.Src, '/')+1:]]
	}}
	if recompute {
		c.clock = true
	} else if end := c.p.end; end != nil && len(c.turns[end.Index]) == 1 {
		if t, err := time.Parse(time.RFC3339, strings.TrimSpace(c.turns[end.Index][0].Value)); err == nil {
			c.env.Now, c.clock = t, true
		}
	}
	for _, n := range c.p.order {
		for _, e := range c.turns[n.Index] {
			c.settle(n, e)
		}
	}
	for _, n := range m.Nodes {
		if n.Kind != Leaf {
			continue
		}
		r := &c.p.of[n.Index]
		if r.required == nil && r.constraint == nil && r.choices == nil && r.itemset == nil {
			continue
		}
		for _, e := range c.turns[n.Index] {
			if !e.Hidden {
				c.answer(n, r, e)
			}
		}
	}
	return c
}

// complete gives an element those of the form that phones left out, in the form's
// order: expressions see them as empty.
func (c *check) complete(n *Node, e *xpath.Node) {
	e.Owner = n.Index
	c.turns[n.Index] = append(c.turns[n.Index], e)
	if n.Kind == Leaf {
		return
	}
	in := e.Children
	out := make([]*xpath.Node, 0, max(len(n.Children), len(in)))
	taken := 0
	for i, child := range n.Children {
		found := false
		// phones keep the form's order: look where it should be first
		if i < len(in) && len(in) == len(n.Children) && in[i].Name == child.Name && child.Kind != Repeat {
			out, found = append(out, in[i]), true
			taken++
			c.complete(child, in[i])
		} else {
			for _, x := range in {
				if x.Name == child.Name && (child.Kind == Repeat || !found) {
					taken++
					if !hasAttr(x, "jr:template") {
						out, found = append(out, x), true
						c.complete(child, x)
					}
				}
			}
		}
		if !found && child.Kind != Repeat {
			x := &xpath.Node{Kind: xpath.Element, Name: child.Name, Parent: e}
			c.absent[x] = true
			out = append(out, x)
			c.complete(child, x)
		}
	}
	if taken < len(in) {
		for _, x := range in {
			if n.Child(x.Name) == nil {
				out = append(out, x)
			}
		}
	}
	e.Children = out
}

// lose marks the answers that were taken out. One that is there came before its form
// sealed it.
func (c *check) lose(s *Sealing) {
	if s == nil {
		return
	}
	for _, n := range c.m.Nodes {
		if !s.Has(n.Path) {
			continue
		}
		for _, e := range c.turns[n.Index] {
			e.Lost = e.Value == ""
		}
	}
}

func hasAttr(n *xpath.Node, name string) bool {
	for _, a := range n.Attrs {
		if a.Name == name {
			return true
		}
	}
	return false
}

// eval evaluates at a node; sure tells whether the phone must have come to the
// same.
func (c *check) eval(x *xpath.Expr, at *xpath.Node) (v xpath.Value, sure bool) {
	v, used, err := x.Eval(at, &c.env)
	if c.used = used; err != nil {
		return v, false
	}
	if c.clock {
		used &^= xpath.UsedClock
	}
	return v, used == 0
}

// holds tells whether a condition does at a node, and whether the phone must have
// found so too.
func (c *check) holds(x *xpath.Expr, at *xpath.Node) (yes, sure bool) {
	v, sure := c.eval(x, at)
	yes, agreed := v.Truth()
	if !agreed {
		c.used |= xpath.UsedDisputed
	}
	if c.recompute && c.used&xpath.UsedDisputed != 0 {
		c.disputed[at] = ""
	}
	return yes, sure && agreed
}

// settle finds a node's relevance and value.
func (c *check) settle(n *Node, e *xpath.Node) {
	r := &c.p.of[n.Index]
	hidden := e.Parent.Hidden
	if !hidden && r.relevant != nil {
		yes, sure := c.holds(r.relevant, e)
		switch {
		case sure:
			hidden = !yes
		case c.recompute:
			hidden = c.absent[e]
		default: // as the phone saw it
			hidden = c.absent[e] || n.Kind == Leaf && e.Value == ""
		}
	}
	if n.Kind == Leaf && hidden && e.Value != "" && !c.recompute && !meta(n) && n.Bind.Preload == "" {
		c.flag("answer.irrelevant", n, e, "")
	}
	if e.Hidden = hidden; hidden || e.Lost || r.calculate == nil {
		return
	}
	v, sure := c.eval(r.calculate, e)
	if c.recompute && c.used&xpath.UsedDisputed != 0 {
		c.disputed[e] = v.String()
	}
	if !sure || r.set && !c.recompute {
		return
	}
	want := v.String()
	if c.recompute {
		e.Value = want
		return
	}
	if c.used&xpath.UsedClock != 0 {
		return // computed when the form was opened or changed, not at its end
	}
	if !c.absent[e] && !same(n, e.Value, want) && !meta(n) {
		c.computed = append(c.computed, dtm.Change{Path: c.where(n, e), Was: e.Value, Now: want})
		c.flag("answer.calculate", n, e, short(e.Value)+" ≠ "+short(want))
	}
}

func meta(n *Node) bool {
	for p := n; p != nil; p = p.Parent {
		if p.Name == "meta" {
			return true
		}
	}
	return false
}

func short(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:59]) + "…"
	}
	return s
}

// same compares a computed value with the one sent: numbers and positions by their
// value, dates by their day.
func same(n *Node, sent, want string) bool {
	sent, want = strings.TrimSpace(sent), strings.TrimSpace(want)
	if sent == want || want == "NaN" && sent == "" {
		return true
	}
	if n.Type == "date" && len(sent) >= 10 && len(want) >= 10 {
		return sent[:10] == want[:10]
	}
	if strings.HasPrefix(n.Type, "geo") {
		apart := func(r rune) bool { return r == ' ' || r == ';' }
		a, b := strings.FieldsFunc(sent, apart), strings.FieldsFunc(want, apart)
		return slices.EqualFunc(a, b, func(x, y string) bool { return same(&Node{}, x, y) })
	}
	a, e1 := strconv.ParseFloat(sent, 64)
	b, e2 := strconv.ParseFloat(want, 64)
	if e1 != nil || e2 != nil {
		return false
	}
	if n.Type == "int" {
		b = math.Trunc(b)
	}
	return a == b || math.Abs(a-b) <= 1e-9*max(math.Abs(a), math.Abs(b))
}

// answer judges a leaf that is relevant.
func (c *check) answer(n *Node, r *rules, e *xpath.Node) {
	value := e.Value
	if value == "" {
		if !e.Lost && r.required != nil && n.Control != "" {
			if yes, sure := c.holds(r.required, e); sure && yes {
				c.flag("answer.required", n, e, "")
			}
		}
		return
	}
	if r.constraint != nil {
		if yes, sure := c.holds(r.constraint, e); sure && !yes {
			c.flag("answer.constraint", n, e, short(value)+" ∉ "+short(n.Bind.Constraint))
		}
	}
	choices := r.choices
	if choices == nil && r.itemset != nil {
		v, used, err := r.itemset.Eval(e, &c.env)
		if err != nil || used&^(xpath.UsedChance) != 0 || v.Type != xpath.TypeNodes {
			return
		}
		choices = names(n, v.Nodes())
	}
	if choices == nil {
		return
	}
	one := []string{strings.TrimSpace(value)}
	if n.Multiple() {
		one = strings.Fields(value)
	}
	for _, v := range one {
		if !choices[v] {
			c.flag("answer.choice", n, e, short(v))
		}
	}
}

// flag notes what differs, with the turn in the path of what lies in a repeat.
func (c *check) flag(rule string, n *Node, e *xpath.Node, note string) {
	if len(c.flags) < maxFlags {
		c.flags = append(c.flags, dtm.Flag{Rule: rule, Path: c.where(n, e), Note: note})
	}
}

func (c *check) where(n *Node, e *xpath.Node) string {
	if n.Kind != Repeat && n.InRepeat() == nil {
		return n.Path
	}
	own := "/" + n.Name
	if n.Kind == Repeat {
		pos := 0
		for _, x := range e.Parent.Children {
			if x.Name == e.Name {
				pos++
			}
			if x == e {
				break
			}
		}
		own += "[" + strconv.Itoa(pos) + "]"
	}
	return c.where(n.Parent, e.Parent) + own
}
