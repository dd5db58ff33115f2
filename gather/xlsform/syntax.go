package xlsform

import (
	"maps"
	"slices"
	"strings"

	"dtm/gather/xpath"
)

// otherwhere are functions that Collect or Enketo have and a server does not
// compute: signatures, other calendars, searches in a file.
var otherwhere = strings.Fields(`encrypt extract-signed intersects is-null relevant search thousandsep hex version date-bikram-sambat format-number`)

// functions are those that phones know.
var functions = append(xpath.Functions(), append(otherwhere, "comment", "node", "processing-instruction", "text")...)

// expressions looks over what phones must compute: a bracket or quotation mark
// that is not closed is a fault, for no phone opens such a form; a function that
// no phone has is a warning.
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
		p.expression(n.row, colFilter, n.ChoiceFilter)
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

func (p *reading) expression(r *record, column []string, text string) {
	if why := unbalanced(text); why.format != "" {
		if column[0] == "default" { // may be meant as words
			p.warn(r.table.sheet, r.cell(column...), "default.open", "phones compute this default, and %s in %s; if it is words, write them without ( ) + - * or |", why, text)
			return
		}
		p.at(r, column, "expression.open", "%s in %s", why, text)
		return
	}
	for _, t := range Tokens(text) {
		if t.Kind != TokenFunction {
			continue
		}
		name := text[t.Start : t.End-1]
		if slices.Contains(functions, name) || strings.Contains(name, ":") && !strings.HasPrefix(name, "jr:") {
			continue
		}
		p.warn(r.table.sheet, r.cell(column...), "expression.function", "phones know no function %s()%s", name, nearFunction(name))
	}
}

func nearFunction(name string) hint {
	for _, f := range functions {
		if distance(strings.ToLower(name), f) <= 1 {
			return hint{"; is it %s()?", []any{f}}
		}
	}
	return hint{}
}

// unbalanced says which bracket or quotation mark of an expression has no partner.
func unbalanced(s string) hint {
	var open []byte
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '\'', '"':
			end := strings.IndexByte(s[i+1:], c)
			if end < 0 {
				return hint{"the quotation mark %c is not closed", []any{c}}
			}
			i += end + 1
		case '(', '[':
			open = append(open, c)
		case ')', ']':
			if len(open) == 0 || (open[len(open)-1] == '(') != (c == ')') {
				return hint{"%c closes nothing", []any{c}}
			}
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		return hint{"%c is not closed", []any{open[len(open)-1]}}
	}
	return hint{}
}
