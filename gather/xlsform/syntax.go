package xlsform

import (
	"maps"
	"slices"
	"strings"

	"dtm/gather/xpath"
)

// expressions looks over what phones must compute, by the parser that evaluates the
// answers (package xpath): what is no XPath is a fault, for no phone opens such a
// form; so is a function that no phone has, or one with a wrong number of arguments.
func (p *reading) expressions() {
	p.form.Root.WalkAll(func(n *Node) {
		if n.row == nil || n.Made && n.Control["jr:count"] == "" && n.Type != "calculate" {
			return
		}
		for _, b := range slices.Sorted(maps.Keys(n.Bind)) {
			switch b {
			case "relevant", "required", "constraint", "calculate", "readonly":
				column := []string{"bind", b}
				if n.Made {
					column = []string{"control", "jr:count"}
				}
				p.expression(n.row, column, n.Bind[b])
			}
		}
		if strings.HasPrefix(n.Type, "select") || n.Type == "rank" { // elsewhere it has no effect
			p.expression(n.row, colFilter, n.ChoiceFilter)
			p.turns(n)
		}
		if n.Dynamic {
			p.expression(n.row, []string{"default"}, n.Default)
		}
	})
	for _, e := range p.entities {
		for _, x := range e.expressions() {
			p.expression(e.row, []string{x.Name}, x.Value)
		}
	}
	if t := p.settingsTable; len(t.rows) > 0 {
		p.expression(t.rows[0], []string{"instance_name"}, p.instance)
	}
}

// turns warns of a choice filter that compares with a question in a repeat around
// which the select does not stand.
func (p *reading) turns(n *Node) {
	for _, m := range Ref.FindAllStringSubmatch(n.ChoiceFilter, -1) {
		on := p.index[m[2]]
		if m[1] != "" || len(on) != 1 || strings.Contains(n.ChoiceFilter, "indexed-repeat") {
			continue
		}
		if all := on[0].Repeats(); len(all) > 0 && on[0].Kind == Question && !slices.Contains(n.Repeats(), all[len(all)-1]) && n.List != "${"+m[2]+"}" {
			p.warn("survey", n.row.cell(colFilter...), "ref.turns", "${%s} has a value in each turn of a repeat that this question is not in: with several turns Collect cannot tell which is meant", m[2])
		}
	}
}

func (p *reading) expression(r *record, column []string, text string) {
	if _, ok := refNames(text); !ok || strings.TrimSpace(text) == "" {
		return // a reference written badly has been said
	}
	// A default may be meant as words.
	fault := func(code, format string, a ...any) { p.at(r, column, code, format, a...) }
	if column[0] == "default" {
		fault = func(_, format string, a ...any) {
			p.warn(r.table.sheet, r.cell(column...), "default.open", "phones compute this default; if it is words, write them without ( ) + - * or |: %s", hint{format, a})
		}
	}
	e, err := xpath.ParseForm(text)
	if err != nil {
		why := hint{"%s", []any{err.Error()}}
		if format, args, ok := xpath.Explain(err); ok {
			for i, a := range args {
				if want, is := a.(string); is && french[want] != "" {
					args[i] = hint{want, nil} // what should stand there
				}
			}
			why = hint{format, args}
		}
		fault("expression.open", "%s in %s", why, text)
		return
	}
	if axis := e.Axis(); axis != "" {
		fault("expression.axis", "phones do not have %s in paths, only /, .. and names: %s", axis, text)
	}
	for _, name := range e.Calls() {
		if xpath.Known(name) || strings.Contains(name, ":") && !strings.HasPrefix(name, "jr:") {
			continue
		}
		fault("expression.function", "phones know no function %s()%s", name, nearFunction(name))
	}
}

func nearFunction(name string) hint {
	for _, f := range xpath.Functions() {
		if distance(strings.ToLower(name), f) <= 1 {
			return hint{"; is it %s()?", []any{f}}
		}
	}
	return hint{}
}

// cascades are the conditions of a node that others may depend on, in the order in
// which they are looked at; those of a group hold for what lies in it.
var cascades = []string{"relevant", "readonly", "required", "calculate"}

// cycles finds conditions and calculations that depend on themselves, directly or by
// way of others: phones do not open such a form. Another turn of a repeat is another
// node, so expressions that choose a turn by [ ] are passed over.
func (p *reading) cycles() {
	type rule struct {
		n    *Node
		bind string
	}
	needs := map[*Node][]rule{} // rules that read a node
	p.form.Root.Walk(func(n *Node) {
		if n.row == nil || n.Made {
			return
		}
		for _, b := range cascades {
			text := n.Bind[b]
			if text == "" || b == "calculate" && len(n.Triggers) > 0 || strings.Contains(text, "[") {
				continue
			}
			for _, m := range Ref.FindAllStringSubmatch(text, -1) {
				if on := p.index[m[2]]; m[1] == "" && len(on) == 1 {
					needs[on[0]] = append(needs[on[0]], rule{n, b})
				}
			}
		}
	})
	state := map[rule]uint8{}
	var way []rule
	var visit func(r rule)
	visit = func(r rule) {
		switch state[r] {
		case 1:
			from := slices.Index(way, r)
			names := make([]string, 0, len(way)-from+1)
			for _, w := range append(slices.Clone(way[from:]), r) {
				names = append(names, w.n.Name)
			}
			p.at(r.n.row, []string{"bind", r.bind}, "expression.cycle", "%s depends on itself: %s", r.n.Name, strings.Join(names, " → "))
			return
		case 2:
			return
		}
		state[r] = 1
		way = append(way, r)
		next := func(n *Node) {
			for _, o := range needs[n] {
				visit(o)
			}
		}
		next(r.n)
		if r.bind == "relevant" || r.bind == "readonly" {
			r.n.Walk(next)
		}
		way = way[:len(way)-1]
		state[r] = 2
	}
	p.form.Root.Walk(func(n *Node) {
		for _, b := range cascades {
			if n.row != nil && n.Bind[b] != "" {
				visit(rule{n, b})
			}
		}
	})
}
