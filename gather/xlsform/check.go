package xlsform

import (
	"regexp"
	"slices"
	"strings"
)

// Ref finds ${name} in an expression or a label.
var Ref = regexp.MustCompile(`\$\{\s*(last-saved#)?([^{}]*?)\s*\}`)

// check finds what can only be seen once the whole form is read.
func (p *reading) check() {
	f := p.form
	p.names(f.Root)
	if f.Root.Nodes == nil {
		return
	}
	f.Root.Walk(func(n *Node) {
		for column, text := range map[string]string{"relevant": n.Relevant, "required": n.Required, "constraint": n.Constraint, "calculation": n.Calculation,
			"readonly": n.ReadOnly, "default": n.Default, "repeat_count": n.RepeatCount, "choice_filter": n.ChoiceFilter, "trigger": n.Trigger} {
			p.refs(n, column, text)
			p.balanced(n, column, text)
		}
		for column, texts := range map[string]Texts{"label": n.Label, "hint": n.Hint, "constraint_message": n.ConstraintMessage, "required_message": n.RequiredMessage} {
			for _, t := range texts {
				p.refs(n, column, t)
			}
		}
		switch {
		case n.Kind == Question && n.Type == "calculate" && n.Calculation == "" && n.Default == "" && n.Trigger == "":
			p.fault("survey", n.cell("calculation"), "survey.no_calculation", "the calculate %q has no calculation", n.Name)
		case n.Kind == Question && len(n.Label) == 0 && len(n.Hint) == 0 && len(n.Media) == 0 && !metadata[n.Type] && !silent[n.Type] && n.Calculation == "" && n.Default == "":
			p.fault("survey", n.cell("label"), "survey.no_label", "the question %q has no label", n.Name)
		}
		if n.ChoiceFilter != "" && n.List == "" && n.File == "" {
			p.fault("survey", n.cell("choice_filter"), "survey.filter", "only selects take a choice_filter")
		}
		if l := f.ChoiceList(n.List); l != nil {
			for _, c := range l.Choices {
				if len(c.Label) == 0 && len(c.Media) == 0 {
					p.warn("choices", "", "choice.no_label", "the choice %q of list %q has no label", c.Name, l.Name)
				}
				if n.Type == "select_multiple" && strings.ContainsAny(c.Name, " \t") {
					p.fault("choices", "", "choice.blank", "the name %q of list %q holds a blank, which a select_multiple cannot tell from two answers", c.Name, l.Name)
				}
			}
		}
	})
	p.refs(&Node{Cells: map[string]string{}}, "instance_name", f.InstanceName)
}

// cell is the cell of a column of the node's row.
func (n *Node) cell(column string) string {
	if c, ok := n.Cells[column]; ok {
		return c
	}
	return cellName(1, max(1, n.Line))
}

func (p *reading) names(group *Node) {
	seen := map[string]*Node{}
	for _, n := range group.Nodes {
		switch {
		case n.Name == "" && n.Kind == Question && n.Type == "note":
			n.Name = "generated_note_name_" + strings.TrimLeft(n.cell("type"), "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
		case n.Name == "":
			p.fault("survey", n.cell("name"), "survey.no_name", "the row has no name")
		case !xmlName.MatchString(n.Name):
			p.fault("survey", n.cell("name"), "survey.name", "%q is not a name: begin with a letter or _, go on with letters, digits, - _ and .", n.Name)
		case group.Parent == nil && n.Name == "meta":
			p.fault("survey", n.cell("name"), "survey.name_meta", "the name meta is the form's own; choose another")
		}
		if other, twice := seen[strings.ToLower(n.Name)]; twice && n.Name != "" {
			if other.Name == n.Name {
				p.fault("survey", n.cell("name"), "survey.name_twice", "the name %q is there twice in its group (also at %s)", n.Name, other.cell("name"))
			} else {
				p.warn("survey", n.cell("name"), "survey.name_case", "%q and %q differ by case only", n.Name, other.Name)
			}
		}
		seen[strings.ToLower(n.Name)] = n
		p.named[n.Name] = append(p.named[n.Name], n)
		p.names(n)
	}
}

func (p *reading) refs(n *Node, column, text string) {
	if strings.Contains(text, "${") && strings.Count(text, "${") != len(Ref.FindAllString(text, -1)) {
		p.fault("survey", n.cell(column), "survey.ref_open", "%s: a ${ is not closed by }", column)
	}
	for _, m := range Ref.FindAllStringSubmatch(text, -1) {
		switch targets := p.named[m[2]]; {
		case len(targets) == 0:
			p.fault("survey", n.cell(column), "survey.ref_unknown", "%s refers to ${%s}, but no question, group or repeat has this name", column, m[2])
		case len(targets) > 1 && !slices.ContainsFunc(targets, func(t *Node) bool { return t.Parent == n.Parent }):
			p.fault("survey", n.cell(column), "survey.ref_ambiguous", "%s refers to ${%s}, a name that %d rows have", column, m[2], len(targets))
		}
	}
}

// balanced checks the parentheses of an expression.
func (p *reading) balanced(n *Node, column, text string) {
	depth, quote := 0, rune(0)
	for _, c := range text {
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			if column == "default" {
				return // free text may hold an apostrophe
			}
			quote = c
		case c == '(' || c == '[':
			depth++
		case c == ')' || c == ']':
			depth--
		}
		if depth < 0 {
			break
		}
	}
	if (depth != 0 || quote != 0) && column != "default" {
		p.fault("survey", n.cell(column), "survey.unbalanced", "%s: parentheses or quotation marks do not match in %s", column, text)
	}
}

// Find returns the node that ${name} means where from stands: the nearest of that
// name, inside from's own groups first.
func (f *Form) Find(name string, from *Node) *Node {
	var best *Node
	for scope := from; ; scope = scope.Parent {
		if scope == nil {
			scope = f.Root
		}
		scope.Walk(func(n *Node) {
			if n.Name == name && best == nil {
				best = n
			}
		})
		if best != nil || scope == f.Root {
			return best
		}
	}
}
