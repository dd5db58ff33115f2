package xform

import (
	"strings"

	"dtm/gather/xlsform"
)

// body writes the controls of a group's nodes into e.
func (w *writer) body(g *xlsform.Node, e *element) {
	for _, n := range g.Nodes {
		switch n.Kind {
		case xlsform.Group:
			c := el("group")
			c.give(w.control(n))
			if a := n.Appearance(); a != "" {
				c.set("appearance", a)
			}
			c.set("ref", n.Path())
			if len(n.Label) > 0 {
				c.add(w.label(n))
			}
			w.body(n, c)
			e.add(c)
		case xlsform.Repeat:
			r := el("repeat", "nodeset", n.Path())
			r.give(w.control(n))
			w.body(n, r)
			w.turns(n, r)
			e.add(el("group", "ref", n.Path()).add(w.label(n), r))
		case xlsform.Question:
			e.add(w.question(n))
		}
	}
}

// turns writes the actions of a new turn of a repeat, for what is in it and in no
// repeat further in.
func (w *writer) turns(g *xlsform.Node, repeat *element) {
	for _, n := range g.Nodes {
		switch n.Kind {
		case xlsform.Group:
			w.turns(n, repeat)
		case xlsform.Question:
			for _, a := range w.actions(n, true) {
				repeat.add(a)
			}
		}
	}
	if m := g.Meta; m != nil && m.Entity != nil && m.Entity.ID == "" {
		repeat.add(w.newID(m, newRepeat))
	}
}

func (w *writer) control(n *xlsform.Node) map[string]string {
	out := map[string]string{}
	for k, v := range n.Control {
		out[k] = w.expr(v, n, how{})
	}
	return out
}

func (w *writer) question(n *xlsform.Node) *element {
	if n.Hidden() {
		return nil
	}
	c := el(n.Tag, "ref", n.Path())
	c.give(w.control(n))
	c.add(w.label(n))
	if len(n.Hint) > 0 || len(n.Guidance) > 0 {
		c.add(w.hint(n))
	}
	switch {
	case n.Type == "select_one_external":
		query := "instance('" + n.List + "')/root/item"
		if n.ChoiceFilter != "" {
			query += "[" + w.expr(n.ChoiceFilter, n, how{current: true}) + "]"
		} else {
			query = ""
		}
		if query != "" {
			c.set("query", query)
		}
	case n.Search:
		w.inline(n, c)
	case n.List != "" || n.File != "":
		c.add(w.itemset(n))
	}
	for _, l := range n.Tags {
		for _, t := range l.Choices {
			tag := el("tag", "key", t.Name)
			label := el("label")
			if len(t.Label) > 0 {
				label.add(words(t.Label[0].Words))
			}
			c.add(tag.add(label))
		}
	}
	var positions []*element
	for _, computed := range w.sets[n.Name] {
		if computed.Type == "background-geopoint" {
			positions = append(positions, el("odk:setgeopoint", "ref", computed.Path(), "event", valueChanged))
			continue
		}
		s := el("setvalue", "ref", computed.Path(), "event", valueChanged)
		if v := computed.Bind["calculate"]; v != "" {
			s.set("value", w.expr(v, n, how{}))
		}
		c.add(s)
	}
	for _, p := range positions {
		c.add(p)
	}
	return c
}

func (w *writer) label(n *xlsform.Node) *element {
	if viaText(n) {
		return el("label", "ref", "jr:itext('"+n.Path()+":label')")
	}
	plain, _ := n.Label.Plain()
	return el("label").add(w.spoken(plain, n)...)
}

func (w *writer) hint(n *xlsform.Node) *element {
	if n.Hint.Translated() || len(n.Guidance) > 0 {
		return el("hint", "ref", "jr:itext('"+n.Path()+":hint')")
	}
	plain, _ := n.Hint.Plain()
	return el("hint").add(w.spoken(plain, n)...)
}

// inline writes the choices of a question that takes them by search(): phones
// read them from the body, with the names of the columns to look up.
func (w *writer) inline(n *xlsform.Node, c *element) {
	l := w.form.ChoiceList(n.List)
	if l == nil {
		return
	}
	for i, choice := range l.Choices {
		label := el("label")
		if l.Translated() {
			label.set("ref", "jr:itext('"+textID(l.Name, i)+"')")
		} else if plain, ok := choice.Label.Plain(); ok && len(n.Label) > 0 {
			label.add(w.spoken(plain, nil)...)
		}
		c.add(el("item").add(label, el("value").add(words(choice.Name))))
	}
}

// itemset says where a question's choices come from.
func (w *writer) itemset(n *xlsform.Node) *element {
	value, label := "name", "label"
	nodeset, filter := "", n.ChoiceFilter
	referred := strings.HasPrefix(n.List, "${")
	geo := strings.HasPrefix(n.Type, "geo")
	switch {
	case n.File != "":
		nodeset = "instance('" + n.FileID() + "')/root/item"
		if strings.HasSuffix(n.File, ".geojson") {
			value, label = "id", "title"
		}
		if v := n.Parameters["value"]; v != "" {
			value = v
		}
		if v := n.Parameters["label"]; v != "" {
			label = v
		}
	case referred:
		path := strings.TrimSpace(w.expr(n.List, n, how{parent: true}))
		if geo {
			nodeset, value = path, "geometry"
		} else if i := strings.LastIndexByte(path, '/'); i >= 0 {
			nodeset, value = path[:i], path[i+1:]
		}
		label = value
		if filter == "" {
			// Also keeps phones from adding the number of the turn to the path.
			filter = "./" + value + " != ''"
		}
	default:
		nodeset = "instance('" + n.List + "')/root/item"
		if l := w.form.ChoiceList(n.List); l != nil && l.Translated() {
			label = "jr:itext(itextId)"
		}
	}
	if n.ChoiceFilter != "" {
		filter = w.expr(n.ChoiceFilter, n, how{current: true, parent: referred})
		if referred {
			filter = strings.ReplaceAll(strings.ReplaceAll(filter, "current()/"+nodeset, "."), nodeset, ".")
		}
	}
	if filter != "" && n.Type != "range" {
		nodeset += "[" + filter + "]"
	}
	if n.Parameters["randomize"] == "true" {
		if seed := n.Parameters["seed"]; seed != "" {
			nodeset = "randomize(" + nodeset + ", " + strings.TrimSpace(w.expr(seed, n, how{})) + ")"
		} else {
			nodeset = "randomize(" + nodeset + ")"
		}
	}
	return el("itemset", "nodeset", nodeset).add(el("value", "ref", value), el("label", "ref", label))
}
