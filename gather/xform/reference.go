package xform

import (
	"regexp"
	"slices"
	"strings"

	"dtm/gather/xlsform"
)

// find returns the node that ${name} means. Names that are referred to are unique
// in the form, except those that the form makes itself: there the one beside the
// question is meant.
func (w *writer) find(name string, from *xlsform.Node) *xlsform.Node {
	all := w.named[name]
	if len(all) == 0 {
		return nil
	}
	for _, n := range all {
		if from != nil && n.Parent == from.Parent {
			return n
		}
	}
	return all[0]
}

// How references of a text are written.
type how struct {
	current bool // in a choice filter, a climbing path starts from the question
	parent  bool // of the choices from a repeat: climb past the repeat, so that all its turns are meant
}

var (
	brackets      = regexp.MustCompile(`\[([^\]]+)\]`)
	anInstance    = regexp.MustCompile(`instance\([^)]+.+`)
	indexedRepeat = regexp.MustCompile(`indexed-repeat\([^)]+\)`)
)

// expr writes an expression for a node: ${name} becomes the path of that node,
// climbing where both are in one repeat, so that the same turn is meant.
func (w *writer) expr(s string, from *xlsform.Node, h how) string {
	if !strings.Contains(s, "${") {
		return s
	}
	var b strings.Builder
	last := 0
	for _, m := range xlsform.Ref.FindAllStringSubmatchIndex(s, -1) {
		b.WriteString(s[last:m[0]])
		b.WriteString(w.path(s, m, from, h))
		last = m[1]
	}
	b.WriteString(s[last:])
	return b.String()
}

// path writes one reference; m is its place in s, by groups of xlsform.Ref.
func (w *writer) path(s string, m []int, from *xlsform.Node, h how) string {
	name := s[m[4]:m[5]]
	target := w.find(name, from)
	if target == nil {
		return s[m[0]:m[1]] // Read has refused it
	}
	if m[2] >= 0 {
		return " instance('__last-saved')" + target.Path() + " "
	}
	if from != nil && relativeHere(s, m) {
		if p, ok := climb(from, target, h.parent); ok {
			if h.current || inPredicate(s, m) {
				return " current()/" + p + " "
			}
			return " " + p + " "
		}
	}
	return " " + target.Path() + " "
}

// inPredicate tells whether a reference stands in the brackets of a path into a
// list, where a path without current() would start from the list's item.
func inPredicate(s string, m []int) bool {
	return anInstance.MatchString(s) && slices.ContainsFunc(brackets.FindAllStringIndex(s, -1), func(b []int) bool { return m[0] >= b[0] && m[1] <= b[1] })
}

// relativeHere tells whether a reference may climb: as argument of
// indexed-repeat() only where it is an index, because the function takes the
// nodes and the repeats by their whole path.
func relativeHere(s string, m []int) bool {
	for _, call := range indexedRepeat.FindAllStringIndex(s, -1) {
		if m[0] < call[0] || m[1] > call[1] {
			continue
		}
		inside := s[call[0]+len("indexed-repeat(") : m[0]]
		switch strings.Count(inside, ",") {
		case 0, 1, 3, 5:
			return false
		}
		return true
	}
	return true
}

// enclosing lists the groups and repeats around a node, innermost first, without
// the form itself.
func enclosing(n *xlsform.Node) []*xlsform.Node {
	var out []*xlsform.Node
	for p := n.Parent; p != nil && p.Parent != nil; p = p.Parent {
		out = append(out, p)
	}
	return out
}

// climb is the path from a node to another one of the same repeat: up to the
// innermost group that holds both, then down.
func climb(from, target *xlsform.Node, parent bool) (string, bool) {
	around := enclosing(target)
	isRepeat := func(n *xlsform.Node) bool { return n.Kind == xlsform.Repeat }
	shared := func(match func(*xlsform.Node) bool) (*xlsform.Node, int) {
		for i, g := range enclosing(from) {
			if match(g) && slices.Contains(around, g) {
				return g, i + 1
			}
		}
		return nil, 0
	}
	repeat, steps := shared(isRepeat)
	if repeat == nil {
		return "", false
	}
	if parent {
		// Only past the repeat that is the target's own, and only where there is no
		// repeat around it that would be left too, or the question is in a deeper one.
		nearest := func(n *xlsform.Node) *xlsform.Node {
			if i := slices.IndexFunc(enclosing(n), isRepeat); i >= 0 {
				return enclosing(n)[i]
			}
			return nil
		}
		if repeat == nearest(target) && (nearest(repeat) == nil || nearest(from) != repeat) {
			return up(steps+1) + target.PathFrom(repeat.Parent), true
		}
	}
	group, steps := shared(func(g *xlsform.Node) bool { return g.Kind != xlsform.Declaration })
	return up(steps) + target.PathFrom(group), true
}

func up(steps int) string { return strings.TrimSuffix(strings.Repeat("../", steps), "/") }
