package odata

import (
	"slices"
	"strings"
	"time"

	"dtm"
)

// system are the columns of __system.
var system = []string{"submissionDate", "updatedAt", "deletedAt", "submitterId", "submitterName", "attachmentsPresent", "attachmentsExpected", "status", "reviewState", "deviceId", "edits", "formVersion"}

// bind finds what the paths of an expression mean in a table. A name that is none is
// Invalid.
func (t *table) bind(e *expr) error {
	if e.op == "path" {
		path := e.path
		if len(path) > 2 && path[0] == "$root" && path[1] == "Submissions" {
			path = path[2:]
		}
		switch {
		case len(path) == 1 && (path[0] == "__id" || t.parent != nil && path[0] == t.parentKey()):
			e.sys = path[0]
			return nil
		case len(path) == 2 && path[0] == "__system" && slices.Contains(system, path[1]):
			e.sys = path[1]
			return nil
		}
		// A row of a repeat may be asked for by answers around it.
		for x := t; x != nil; x = x.parent {
			if n := x.find(path); n != nil && n.kind == leafNode {
				e.node = n
				return nil
			}
		}
		return dtm.Errorf(dtm.Invalid, "there is no column %q in this table", strings.Join(e.path, "/")).Coded("odata.column", strings.Join(e.path, "/"))
	}
	for _, a := range e.args {
		if err := t.bind(a); err != nil {
			return err
		}
	}
	return nil
}

// get is the value of a bound path in a row.
func (r *record) get(names map[string]string) func(*expr) value {
	return func(e *expr) value {
		if e.node != nil {
			for x := r; x != nil; x = x.parent {
				if e.node.slot < len(x.table.leaves) && x.table.leaves[e.node.slot] == e.node {
					return typed(e.node, x.values[e.node.slot])
				}
			}
			return value{}
		}
		s := r.Streamed
		words := func(v string) value {
			if v == "" {
				return value{}
			}
			return value{kind: text, s: v}
		}
		switch e.sys {
		case "__id":
			return words(r.id)
		case "submissionDate":
			return value{kind: instant, t: s.Received.Truncate(time.Millisecond)}
		case "submitterId":
			return words(s.Device)
		case "submitterName":
			return words(names[s.Device])
		case "attachmentsPresent":
			return value{kind: num, f: float64(s.Present)}
		case "attachmentsExpected":
			return value{kind: num, f: float64(len(s.Expected))}
		case "status":
			return words(r.status())
		case "reviewState":
			return words(review(s.State))
		case "deviceId":
			return words(s.DeviceID)
		case "edits":
			return value{kind: num, f: float64(s.Edits)}
		case "formVersion":
			return words(s.Version)
		case "updatedAt", "deletedAt":
			return value{}
		}
		if r.parent != nil {
			return words(r.parent.id)
		}
		return value{}
	}
}

// pick says which nodes a $select keeps: those named, what lies below them and the
// groups around them.
func (v *view) pick(paths [][]string) error {
	if len(paths) == 0 {
		return nil
	}
	v.keep, v.system = map[*node]bool{}, map[string]bool{}
	var below func(n *node)
	below = func(n *node) {
		v.keep[n] = true
		for _, c := range n.nodes {
			below(c)
		}
	}
	for _, path := range paths {
		if strings.HasPrefix(path[0], "__") {
			known := path[0] == "__id" || path[0] == "__system" || v.table.parent != nil && path[0] == v.table.parentKey()
			if !known || len(path) > 2 || len(path) == 2 && !slices.Contains(system, path[1]) {
				return dtm.Errorf(dtm.Invalid, "$select: there is no column %q in this table", strings.Join(path, "/")).Coded("odata.column", strings.Join(path, "/"))
			}
			v.system[path[0]] = true
			continue
		}
		n := v.table.top
		for _, p := range path {
			i := slices.IndexFunc(n.nodes, func(c *node) bool { return c.safe == p })
			if i < 0 {
				return dtm.Errorf(dtm.Invalid, "$select: there is no column %q in this table", strings.Join(path, "/")).Coded("odata.column", strings.Join(path, "/"))
			}
			n = n.nodes[i]
			v.keep[n] = true
		}
		below(n)
	}
	return nil
}
