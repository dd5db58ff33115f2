package xform

import (
	"fmt"

	"dtm/gather/xlsform"
)

// binds writes, for a group and what is below it, the binds and the actions of
// the model.
func (w *writer) binds(g *xlsform.Node, model *element) {
	for _, n := range g.Nodes {
		w.bind(n, model)
	}
	if g.Meta == nil {
		return
	}
	if g.Meta.Entity != nil {
		w.entity(g.Meta, model)
	}
	w.binds(g.Meta, model)
}

func (w *writer) bind(n *xlsform.Node, model *element) {
	attrs := map[string]string{}
	for k, v := range n.Bind {
		if k == "calculate" && len(n.Triggers) > 0 {
			continue // the trigger's action computes it
		}
		attrs[k] = w.expr(v, n, how{})
	}
	for _, m := range messages(n) {
		switch plain, _ := m.text.Plain(); {
		case len(m.text) == 0:
		case !m.viaText():
			attrs[m.attr] = w.expr(plain, n, how{})
		default:
			attrs[m.attr] = "jr:itext('" + n.Path() + ":" + m.attr + "')"
		}
	}
	if len(attrs) > 0 {
		b := el("bind", "nodeset", n.Path())
		b.give(attrs)
		model.add(b)
	}
	if n.Kind != xlsform.Question {
		w.binds(n, model)
		return
	}
	for _, a := range w.actions(n, false) {
		model.add(a)
	}
}

// Events at which the form acts.
const (
	firstLoad    = "odk-instance-first-load"
	everyLoad    = "odk-instance-load"
	newRepeat    = "odk-new-repeat"
	valueChanged = "xforms-value-changed"
)

// actions are what the form does by itself for a question: when it is first
// opened, or when a turn of the repeat around it is added.
func (w *writer) actions(n *xlsform.Node, turn bool) []*element {
	event := firstLoad
	if turn {
		event = newRepeat
	}
	var out []*element
	if n.Dynamic {
		out = append(out, el("setvalue", "ref", n.Path(), "event", event, "value", w.expr(n.Default, n, how{})))
	}
	if n.Type == "start-geopoint" && !turn {
		out = append(out, el("odk:setgeopoint", "ref", n.Path(), "event", event))
	}
	if n.Type == "background-audio" && !turn {
		a := el("odk:recordaudio", "ref", n.Path(), "event", everyLoad)
		if q := n.Parameters["quality"]; q != "" {
			a.set("odk:quality", q)
		}
		out = append(out, a)
	}
	return out
}

// entity writes the binds of an entity's declaration, by the ODK XForms
// specification of entities.
func (w *writer) entity(meta *xlsform.Node, model *element) {
	d := meta.Entity
	at := &xlsform.Node{Kind: xlsform.Declaration, Name: "entity", Parent: meta}
	bind := func(name, calculate string) {
		n := &xlsform.Node{Name: name, Parent: at}
		b := el("bind", "nodeset", n.Path(), "readonly", "true()", "type", "string")
		if calculate != "" {
			b.set("calculate", w.expr(calculate, n, how{}))
		}
		model.add(b)
	}
	if d.CreateIf != "" {
		bind("@create", d.CreateIf)
	}
	if d.Updates() {
		if d.UpdateIf != "" {
			bind("@update", d.UpdateIf)
		}
		for _, v := range [][2]string{{"@baseVersion", "__version"}, {"@trunkVersion", "__trunkVersion"}, {"@branchId", "__branchId"}} {
			bind(v[0], fmt.Sprintf("instance('%s')/root/item[name=%s]/%s", d.List, d.ID, v[1]))
		}
	}
	bind("@id", d.ID)
	if d.ID == "" {
		model.add(w.newID(meta, firstLoad))
	}
	if d.Label != "" {
		bind("label", d.Label)
	}
}

func (w *writer) newID(meta *xlsform.Node, event string) *element {
	return el("setvalue", "ref", meta.Path()+"/entity/@id", "event", event, "value", "uuid()")
}
