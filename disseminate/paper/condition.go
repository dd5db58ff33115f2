package paper

import (
	"slices"
	"strings"

	"dtm/gather/xlsform"
	"dtm/gather/xpath"
	"dtm/locale"
)

// condition is when a question is asked, in the terms of a reader.
type condition struct {
	op     string // "and", "or", "yes", "no", "rule", or what is said of a question (negated)
	of     []*condition
	node   *xlsform.Node
	values []string // codes of choices, or a number
}

// negated are the sayings about a question with their opposites.
var negated = map[string]string{"is": "is_not", "is_not": "is", "chosen": "not_chosen", "not_chosen": "chosen", "at_least": "less", "less": "at_least", "more_than": "at_most", "at_most": "more_than",
	"answered": "empty", "empty": "answered", "yes": "no", "no": "yes", "and": "or", "or": "and"}

// Bounds on how far computed values are followed.
const (
	deepest  = 100
	mostWork = 2000 // terms looked at for one condition
)

// condition reads an expression; "rule" is one that cannot be put in words.
func (w *writer) condition(src string) *condition {
	e, err := xpath.ParseForm(src)
	if err != nil {
		return &condition{op: "rule"}
	}
	w.work = 0
	return w.truth(e.Term(), 0)
}

func rule() *condition { return &condition{op: "rule"} }

func (w *writer) truth(t *xpath.Term, depth int) *condition {
	if w.work++; depth > deepest || w.work > mostWork {
		return rule()
	}
	depth++
	arg := func(i int) *xpath.Term {
		if i < len(t.Args) {
			return t.Args[i]
		}
		return &xpath.Term{Op: "other"}
	}
	switch t.Op {
	case "and", "or":
		return join(t.Op, w.truth(arg(0), depth), w.truth(arg(1), depth))
	case "=":
		return w.equal(arg(0), arg(1), depth)
	case "!=":
		return not(w.equal(arg(0), arg(1), depth))
	case "<", "<=", ">", ">=":
		return w.compare(t.Op, arg(0), arg(1))
	case "call":
		switch t.Text {
		case "true":
			return &condition{op: "yes"}
		case "false":
			return &condition{op: "no"}
		case "not":
			return not(w.truth(arg(0), depth))
		case "selected":
			if n := w.question(arg(0)); n != nil && arg(1).Op == "text" {
				return &condition{op: "chosen", node: n, values: []string{arg(1).Text}}
			}
		}
	}
	return rule()
}

// question is what a reference means, when it is asked and not computed.
func (w *writer) question(t *xpath.Term) *xlsform.Node {
	if n := w.named[t.Text]; t.Op == "ref" && n != nil && n.Bind["calculate"] == "" {
		return n
	}
	return nil
}

func constant(t *xpath.Term) bool { return t.Op == "text" || t.Op == "number" }

// equal is when two terms are the same, one of which stands there.
func (w *writer) equal(a, b *xpath.Term, depth int) *condition {
	if w.work++; depth > deepest || w.work > mostWork {
		return rule()
	}
	depth++
	if constant(a) && !constant(b) {
		a, b = b, a
	}
	if !constant(b) {
		return rule()
	}
	if constant(a) {
		return &condition{op: map[bool]string{true: "yes", false: "no"}[a.Text == b.Text]}
	}
	if n := w.question(a); n != nil {
		if b.Text == "" {
			return &condition{op: "empty", node: n}
		}
		return &condition{op: "is", node: n, values: []string{b.Text}}
	}
	switch {
	case a.Op == "ref" && w.named[a.Text] != nil:
		e, err := xpath.ParseForm(w.named[a.Text].Bind["calculate"])
		if err != nil {
			return rule()
		}
		return w.equal(e.Term(), b, depth)
	case a.Op == "call" && a.Text == "if" && len(a.Args) == 3:
		when := w.truth(a.Args[0], depth)
		return join("or", join("and", when, w.equal(a.Args[1], b, depth)), join("and", not(when), w.equal(a.Args[2], b, depth)))
	case a.Op == "call" && b.Text == "" && (a.Text == "concat" || a.Text == "normalize-space") && len(a.Args) > 0:
		all := &condition{op: "yes"}
		for _, x := range a.Args {
			all = join("and", all, w.equal(x, b, depth))
		}
		return all
	}
	return rule()
}

// compare is a question's number beside one that stands there.
func (w *writer) compare(op string, a, b *xpath.Term) *condition {
	if constant(a) {
		a, b = b, a
		op = map[string]string{"<": ">", "<=": ">=", ">": "<", ">=": "<="}[op]
	}
	n := w.question(a)
	if n == nil || !constant(b) {
		return rule()
	}
	return &condition{op: map[string]string{"<": "less", "<=": "at_most", ">": "more_than", ">=": "at_least"}[op], node: n, values: []string{b.Text}}
}

func not(c *condition) *condition {
	out := *c
	if o, ok := negated[c.op]; ok {
		out.op = o
	}
	out.of = nil
	for _, x := range c.of {
		out.of = append(out.of, not(x))
	}
	return &out
}

// join puts conditions together and leaves out what says nothing. One that cannot be
// put in words makes the whole such a one, unless the others decide.
func join(op string, list ...*condition) *condition {
	neutral, decides := "yes", "no"
	if op == "or" {
		neutral, decides = decides, neutral
	}
	out := &condition{op: op}
	for _, c := range list {
		switch c.op {
		case decides:
			return c
		case neutral:
		case op:
			out.of = append(out.of, c.of...)
		default:
			out.of = append(out.of, c)
		}
	}
	// several choices of one question: one saying
	one := map[string]string{"or": "is chosen", "and": "is_not not_chosen"}[op]
	var merged []*condition
	for _, c := range out.of {
		if n := len(merged); n > 0 && merged[n-1].node == c.node && merged[n-1].op == c.op && slices.Contains(strings.Fields(one), c.op) {
			last := *merged[n-1]
			last.values = append(slices.Clone(last.values), c.values...)
			merged[n-1] = &last
			continue
		}
		merged = append(merged, c)
	}
	switch out.of = merged; {
	case len(merged) == 0:
		return &condition{op: neutral}
	case len(merged) == 1:
		return merged[0]
	case slices.ContainsFunc(merged, func(c *condition) bool { return c.op == "rule" }):
		return rule()
	}
	return out
}

// mostParts is how many sayings a reader can take in.
const mostParts = 12

func (c *condition) parts() int {
	n := 0
	for _, x := range c.of {
		n += x.parts()
	}
	return max(n, 1)
}

// only says when a question is asked: "Only if the answer to 4 is “Yes”."; "" when
// always.
func (w *writer) only(src string) string {
	if src == "" {
		return ""
	}
	c := w.condition(src)
	switch c.op {
	case "yes":
		return ""
	case "no", "rule":
		return w.say("paper.rule", src)
	}
	if c.parts() > mostParts {
		return w.say("paper.long")
	}
	return w.say("paper.only", w.words(c, false))
}

func (w *writer) words(c *condition, inner bool) string {
	if c.op == "and" || c.op == "or" {
		var parts []string
		for _, x := range c.of {
			parts = append(parts, w.words(x, true))
		}
		s := strings.Join(parts, w.say("paper."+c.op))
		if inner {
			s = "(" + s + ")"
		}
		return s
	}
	var values []string
	for _, v := range c.values {
		if w.form.ChoiceList(c.node.List) != nil {
			v = w.say("paper.quoted", w.choice(c.node.List, v))
		}
		values = append(values, v)
	}
	if c.op == "not_chosen" && len(values) > 1 {
		return w.say("paper.none_chosen", w.name(c.node), strings.Join(values, w.say("paper.comma")))
	}
	return w.say("paper."+c.op, w.name(c.node), strings.Join(values, w.say("paper.or")))
}

// name is what a reader finds a question by: its number, else its words.
func (w *writer) name(n *xlsform.Node) string {
	if no := w.numbers[n]; no != "" {
		return no
	}
	return w.say("paper.quoted", w.text(n.Label))
}

func (w *writer) say(key string, args ...any) string { return locale.Say(w.lang, key, args...) }
