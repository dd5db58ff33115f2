package xform

import "dtm/gather/xlsform"

// primary is the instance that a phone fills in.
func (w *writer) primary() *element {
	f := w.form
	root := w.group(f.Root, false)
	for _, a := range f.Attributes {
		root.set(a.Name, a.Value)
	}
	root.set("id", f.ID)
	if f.Version != "" {
		root.set("version", f.Version)
	}
	return root
}

// group writes a group with its answers. Each repeat is there twice, as the
// template of a new turn and as the first turn; within a first turn the
// templates of inner repeats are not said again.
func (w *writer) group(g *xlsform.Node, first bool) *element {
	e := el(g.Name)
	w.attributes(e, g)
	for _, n := range g.Nodes {
		if n.Kind == xlsform.Repeat && !first {
			e.add(w.template(n), w.group(n, true))
			continue
		}
		w.answer(e, n, first)
	}
	w.meta(e, g)
	return e
}

func (w *writer) template(g *xlsform.Node) *element {
	e := el(g.Name, "jr:template", "")
	for _, n := range g.Nodes {
		if n.Kind == xlsform.Repeat {
			e.add(w.template(n))
			continue
		}
		w.answer(e, n, false)
	}
	w.meta(e, g)
	return e
}

// declares tells the rows that only name a file: they ask nothing.
func declares(n *xlsform.Node) bool { return n.Type == "csv-external" || n.Type == "xml-external" }

func (w *writer) answer(e *element, n *xlsform.Node, first bool) {
	switch {
	case n.Kind != xlsform.Question:
		e.add(w.group(n, first))
	case declares(n):
	default:
		a := el(n.Name)
		if n.Default != "" && !n.Dynamic {
			a.add(words(n.Default))
		}
		w.attributes(a, n)
		e.add(a)
	}
}

func (w *writer) attributes(e *element, n *xlsform.Node) {
	out := map[string]string{}
	for k, v := range n.Instance {
		out[k] = w.expr(v, n, how{})
	}
	e.give(out)
}

// meta writes a meta group: the entity declared in the group, then the audit log,
// the id and the name.
func (w *writer) meta(e *element, g *xlsform.Node) {
	if g.Meta == nil {
		return
	}
	m := el(g.Meta.Name)
	if d := g.Meta.Entity; d != nil {
		entity := el("entity", "dataset", d.List)
		if d.Creates() {
			entity.set("create", "1")
		}
		if d.Updates() {
			entity.give(map[string]string{"update": "1", "baseVersion": "", "trunkVersion": "", "branchId": ""})
		}
		entity.set("id", "")
		if d.Label != "" {
			entity.add(el("label"))
		}
		m.add(entity)
	}
	for _, n := range g.Meta.Nodes {
		w.answer(m, n, false)
	}
	e.add(m)
}
