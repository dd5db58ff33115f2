package xlsform

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// block is a group or repeat whose end is still to come.
type block struct {
	node  *Node
	row   *record
	kind  string // "group", "repeat", "loop"
	list  *List  // of loops
	table string // table-list: "" none, "?" list not known yet, else the list
	names map[string]*Node
	lower map[string]bool
}

var (
	beginRow = regexp.MustCompile(`(?i)^begin[\s_](group|lgroup|repeat|loop|looped group)(?: (?:over )?(\S+))?$`)
	endRow   = regexp.MustCompile(`(?i)^end[\s_](group|lgroup|repeat|loop|looped group)$`)
	orOther  = regexp.MustCompile(`(?i)^(.*\S) (?:or specify other|or_other|or other)$`)
)

func blockKind(word string) string {
	switch strings.ToLower(word) {
	case "group":
		return "group"
	case "loop":
		return "loop"
	}
	return "repeat"
}

func newBlock(n *Node, r *record, kind string) *block {
	return &block{node: n, row: r, kind: kind, names: map[string]*Node{}, lower: map[string]bool{}}
}

func (p *reading) survey(s sheet) {
	f := p.form
	t := surveyDialect.read(p, s, f.DefaultLanguage, p.tidy)
	p.surveyTable = t
	if !t.has("type") {
		p.fault(s.name, cellName(0, t.line), "survey.no_type_column", "the survey needs a column type")
		return
	}
	stack := []*block{newBlock(f.Root, nil, "")}
	for _, r := range t.rows {
		here := stack[len(stack)-1]
		if d := r.get("disabled"); d != "" {
			p.warn(t.sheet, r.cell("disabled"), "survey.disabled", "the column disabled is not part of the standard; use relevant")
			if yes(d) {
				continue
			}
		}
		word := r.get("type")
		if word == "" {
			switch {
			case r.kid("name") != nil || r.kid("label") != nil:
				p.at(r, colType, "survey.no_type", "the row has no type")
			case len(r.keys) > 0:
				p.warn(t.sheet, r.cell("type"), "survey.comment", "the row has no type, name or label and is left out")
			}
			continue
		}
		if m := endRow.FindStringSubmatch(word); m != nil {
			kind := blockKind(m[1])
			for _, name := range p.triggers(r, r.get("trigger")) {
				p.ends = append(p.ends, mentioned{r, name})
			}
			if r.get("bind", "entities:saveto") != "" {
				p.at(r, colSaveTo, "entities.group", "a group or repeat cannot be saved to an entity; move save_to to a question")
			}
			switch {
			case len(stack) == 1:
				p.at(r, colType, "survey.end", "%q ends nothing: no %s is open here", word, kind)
			case here.kind != kind:
				p.at(r, colType, "survey.end_other", "%q stands where the %s %q of %s must end first", word, here.kind, here.node.Name, here.row.cell("type"))
				// Close what was meant, so that one slip is one fault.
				if i := slices.IndexFunc(stack, func(b *block) bool { return b.kind == kind }); i > 0 {
					for len(stack) > i {
						stack = p.closed(stack)
					}
				}
			default:
				stack = p.closed(stack)
			}
			continue
		}
		switch strings.ToLower(word) {
		case "form_title", "set_form_title":
			f.Title = r.get("name")
			continue
		case "form_id", "set_form_id":
			f.ID = r.get("name")
			continue
		}
		if b := p.row(r, word, here); b != nil {
			stack = append(stack, b)
			if len(stack) > maxGroups || len(b.node.Repeats()) > maxRepeats {
				p.at(r, colType, "survey.deep", "groups lie at most %d deep in one another, repeats %d", maxGroups, maxRepeats)
				return
			}
		}
	}
	for _, b := range stack[1:] {
		p.at(b.row, colType, "survey.not_ended", "the %s %q is never ended; add a row end_%s", b.kind, b.node.Name, b.kind)
	}
}

// closed takes the innermost block off the stack.
func (p *reading) closed(stack []*block) []*block {
	if b := stack[len(stack)-1]; b.list != nil {
		p.loop(b)
	}
	stack[len(stack)-2].table = "" // the end of an inner group ends the table list around it
	return stack[:len(stack)-1]
}

// row reads a question or the beginning of a group; it returns the block that it
// opens.
func (p *reading) row(r *record, word string, here *block) *block {
	begin := beginRow.FindStringSubmatch(word)
	n := p.node(r, here.node)
	if begin == nil && strings.ToLower(word) == "audit" {
		p.audit(n, r)
		return nil
	}
	k, listName, filed, isSelect := selectOf(word)
	if begin == nil && !isSelect {
		var ok bool
		if k, ok = typeOf(word); !ok {
			if osm := strings.Fields(word); len(osm) > 1 && strings.EqualFold(osm[0], "osm") {
				k, ok = types["osm"], true
				listName = osm[1]
			}
			if !ok {
				p.at(r, colType, "survey.type", "%q is not a question type%s", word, meant(word))
			}
		}
	}
	p.named(n, r, k.canon, here)
	if begin != nil {
		return p.begin(n, r, begin, here)
	}
	p.typed(n, k)
	p.parameters(n, r)
	switch {
	case isSelect:
		p.choose(n, r, listName, filed, here)
		return nil
	case k.canon == "csv-external" || k.canon == "xml-external":
		// The row names a file and asks nothing; its other cells have no effect.
		n.Label, n.Hint, n.Guidance, n.Media, n.Triggers, n.Default, n.ChoiceFilter, n.Dynamic = nil, nil, nil, nil, nil, "", "", false
		n.ConstraintMessage, n.RequiredMessage, n.NoAppError = nil, nil, nil
		n.Bind, n.Control, n.Instance = map[string]string{}, map[string]string{}, map[string]string{}
	case k.canon == "osm" && listName != "":
		p.osmTags(n, r, listName)
	case k.canon == "calculate":
		if n.Bind["calculate"] == "" && !n.Dynamic {
			p.at(r, colCalculate, "survey.no_calculation", "the calculate %q has no calculation", n.Name)
		}
	case k.canon == "simserial" || k.canon == "subscriberid":
		p.warn(r.table.sheet, r.cell("type"), "survey.device", "%s is not known to today's phones", k.canon)
	case k.canon == "background-geopoint":
		if len(n.Triggers) == 0 {
			p.at(r, colTrigger, "survey.no_trigger", "a background-geopoint needs a trigger")
		}
		if n.Bind["calculate"] != "" {
			p.at(r, colCalculate, "survey.calculation", "a background-geopoint takes no calculation")
		}
	}
	here.node.Nodes = append(here.node.Nodes, n)
	return nil
}

func meant(word string) hint {
	first, _, _ := strings.Cut(word, " ")
	for _, w := range []string{word, first} {
		if t := nearest(w); t != "" {
			return hint{"; is it %q?", []any{t}}
		}
	}
	return hint{}
}

// node reads what every row has.
func (p *reading) node(r *record, parent *Node) *Node {
	n := &Node{Name: r.get("name"), Parent: parent, row: r,
		Label: texts(r.kid("label")), Hint: texts(r.kid("hint")), Guidance: texts(r.kid("guidance_hint")), Media: p.media(r),
		Default: r.get("default"), ChoiceFilter: r.get("choice_filter"), HXL: hxl(r.get("hxl")),
		Bind: map[string]string{}, Control: map[string]string{}, Instance: map[string]string{}}
	if b := r.kid("bind"); !b.leaf() {
		for _, k := range b.keys {
			v := b.kids[k]
			switch k {
			case "jr:constraintMsg":
				n.ConstraintMessage = texts(v)
			case "jr:requiredMsg":
				n.RequiredMessage = texts(v)
			case "jr:noAppErrorString":
				n.NoAppError = texts(v)
			default:
				p.attribute(r, n.Bind, "bind", k, v)
			}
		}
	}
	for _, x := range []struct {
		column string
		into   map[string]string
	}{{"control", n.Control}, {"instance", n.Instance}} {
		if c := r.kid(x.column); !c.leaf() {
			for _, k := range c.keys {
				p.attribute(r, x.into, x.column, k, c.kids[k])
			}
		}
	}
	n.Triggers = p.triggers(r, r.get("trigger"))
	if n.Appearance() == "label" && len(n.Label) == 0 {
		// A row of column headings shows no question of its own.
		n.Label = Texts{{"", " "}}
	}
	return n
}

// attribute takes a column that becomes an attribute as it is. In a sheet with
// single colons, body:esri:style is taken apart too far; where the form declares
// the prefix it is put together again.
func (p *reading) attribute(r *record, into map[string]string, column, name string, v *tree) {
	if v.leaf() {
		if why := p.notXML(name); why.format != "" {
			p.fault(r.table.sheet, r.headOf(column, name), "header.attribute", "the column %s::%s cannot become an attribute: %s", column, name, why)
			return
		}
		into[name] = truth(name, v.text)
		return
	}
	for _, k := range v.keys {
		if sub := v.kids[k]; sub.leaf() && slices.ContainsFunc(p.form.Namespaces, func(ns Column) bool { return ns.Name == name }) {
			into[name+":"+k] = sub.text
			continue
		}
		p.warn(r.table.sheet, r.headOf(column, name, k), "header.left", "the column %s:%s:%s is left out; declare the prefix %s in the settings, column namespaces, or write %s::%s", column, name, k, name, column, name)
	}
}

// ownPrefixes are those that every XForm declares.
var ownPrefixes = []string{"h", "ev", "xsd", "jr", "orx", "odk", "entities", "xml"}

// notXML says why a name cannot stand in the XForm; nothing when it can.
func (p *reading) notXML(name string) hint {
	if !xmlName.MatchString(name) {
		return hint{"it is no name", nil}
	}
	prefix, _, prefixed := strings.Cut(name, ":")
	if !prefixed || slices.Contains(ownPrefixes, prefix) || slices.ContainsFunc(p.form.Namespaces, func(ns Column) bool { return ns.Name == prefix }) {
		return hint{}
	}
	return hint{"declare the prefix %s in the settings, column namespaces, as %s=\"address\"", []any{prefix, prefix}}
}

// truth writes the yes and no of a spreadsheet as XPath, in binds that are
// conditions.
func truth(bind, s string) string {
	switch bind {
	case "readonly", "required", "relevant", "constraint", "calculate":
		switch s {
		case "yes", "Yes", "YES", "true", "True", "TRUE":
			return "true()"
		case "no", "No", "NO", "false", "False", "FALSE":
			return "false()"
		}
	}
	return s
}

// hxl writes a tag with its attributes in order, "#affected +f+children" as
// "#affected+children+f".
func hxl(s string) string {
	s = strings.ToLower(strings.Join(strings.Fields(s), ""))
	if s == "" {
		return ""
	}
	parts := strings.Split(s, "+")
	attrs := slices.Compact(slices.Sorted(slices.Values(parts[1:])))
	return strings.Join(append(parts[:1:1], attrs...), "+")
}

// typed gives the node what its type brings.
func (p *reading) typed(n *Node, k kind) {
	n.Type, n.Tag = k.canon, k.tag
	for key, v := range k.bind {
		if _, own := n.Bind[key]; !own {
			n.Bind[key] = v
		}
	}
	if k.media != "" {
		if _, own := n.Control["mediatype"]; !own {
			n.Control["mediatype"] = k.media
		}
	}
	if k.hint != "" && len(n.Hint) == 0 {
		n.Hint = Texts{{"", k.hint}}
	}
	n.Dynamic = dynamic(n.Default, n.Type)
	if n.Type == "image" && n.Default != "" && !strings.Contains(n.Default, "jr://images/") {
		n.Default = "jr://images/" + n.Default
	}
}

// phoneName tells whether Collect understands a name in a path: JavaRosa's lexer takes
// letters that have capitals, digits and _ - .
func phoneName(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool {
		return !unicode.IsLower(r) && !unicode.IsUpper(r) && !unicode.IsDigit(r) && !strings.ContainsRune("_-.:", r)
	}) < 0
}

// named checks the name of a row and notes it.
func (p *reading) named(n *Node, r *record, typ string, here *block) {
	if n.Name == "" {
		if typ == "note" {
			n.Name = fmt.Sprintf("generated_note_name_%d", r.line)
		} else {
			p.at(r, colName, "name.missing", "the row has no name")
			return
		}
	}
	switch {
	case !xmlName.MatchString(n.Name):
		p.at(r, colName, "name.invalid", badName, n.Name)
		return
	case !phoneName(n.Name):
		p.at(r, colName, "name.letters", "Collect opens no form with the name %q: of letters it takes those that have capitals (Latin, Greek, Cyrillic); labels may be of any", n.Name)
		return
	case p.notXML(n.Name).format != "":
		p.at(r, colName, "name.prefix", "the name %q has a prefix; %s", n.Name, p.notXML(n.Name))
		return
	case n.Name == "meta":
		p.at(r, colName, "name.meta", "the name meta is the form's own; choose another")
		return
	}
	p.unique(n, r, colName, here)
}

// unique checks that a name is the only one of its group.
func (p *reading) unique(n *Node, r *record, column []string, here *block) {
	if first, twice := here.names[n.Name]; twice {
		place := "made for another row"
		if first.row != nil && !first.Made {
			place = "at " + first.row.cell("name")
		}
		p.at(r, column, "name.twice", "the name %q is there already in the same group, %s", n.Name, place)
		return
	}
	here.names[n.Name] = n
	if lower := strings.ToLower(n.Name); here.lower[lower] {
		p.warn(r.table.sheet, r.cell("name"), "name.case", "the name %q differs from another one of its group by case only, which many programs do not tell apart", n.Name)
	} else {
		here.lower[lower] = true
	}
}

// made adds a node that the form needs and no row names.
func (p *reading) made(n *Node, r *record, column []string, here *block) {
	n.Made, n.Parent, n.row = true, here.node, r
	if n.Control == nil {
		n.Control = map[string]string{}
	}
	p.unique(n, r, column, here)
	here.node.Nodes = append(here.node.Nodes, n)
}

func (p *reading) begin(n *Node, r *record, m []string, here *block) *block {
	kind := blockKind(m[1])
	b := newBlock(n, r, kind)
	b.table = here.table // a group within a table list is part of it
	n.Kind = Group
	if kind == "repeat" {
		n.Kind = Repeat
		switch {
		case n.Name == p.form.Root.Name:
			p.at(r, colName, "repeat.root", "the repeat may not have the form's own name, %q", n.Name)
		case p.repeats[n.Name] != nil:
			p.at(r, colName, "repeat.twice", "another repeat is named %q, at %s; names of repeats are unique in the form", n.Name, p.repeats[n.Name].row.cell("name"))
		}
		if p.repeats[n.Name] == nil {
			p.repeats[n.Name] = n
		}
		if len(n.Label) == 0 && len(n.Media) == 0 {
			p.warn(r.table.sheet, r.cell("label"), "repeat.no_label", "the repeat %q has no label", n.Name)
		}
	}
	if kind == "loop" {
		switch b.list = p.form.ChoiceList(m[2]); {
		case m[2] == "":
			p.at(r, colType, "loop.no_list", "a loop names the choice list it goes over: begin_loop over LIST")
		case b.list == nil:
			p.at(r, colType, "loop.list", "there is no choice list %q", m[2])
		}
	}
	if n.Bind["entities:saveto"] != "" {
		p.at(r, colSaveTo, "entities.group", "a group or repeat cannot be saved to an entity; move save_to to a question")
	}
	if count := n.Control["jr:count"]; count != "" && n.Name != "" {
		if _, plain := OnlyRef(count); !plain {
			// Phones want the path of a node, so an expression gets one.
			p.made(&Node{Name: n.Name + "_count", Type: "calculate", Bind: map[string]string{"type": "string", "readonly": "true()", "calculate": count}}, r, []string{"control", "jr:count"}, here)
			n.Control["jr:count"] = "${" + n.Name + "_count}"
		}
	}
	if intent := r.get("intent"); intent != "" {
		n.Control["intent"] = intent
	}
	if words := strings.Fields(n.Appearance()); slices.Contains(words, "table-list") {
		b.table = "?"
		n.Control["appearance"] = strings.Join(append([]string{"field-list"}, slices.DeleteFunc(words, func(w string) bool { return w == "table-list" })...), " ")
		if len(n.Label) > 0 || len(n.Hint) > 0 {
			head := &Node{Name: fmt.Sprintf("generated_table_list_label_%d", r.line), Label: n.Label, Hint: n.Hint, Bind: map[string]string{}, Control: map[string]string{}}
			p.typed(head, types["note"])
			n.Label, n.Hint = nil, nil
			p.made(head, r, colName, b)
		}
	}
	here.node.Nodes = append(here.node.Nodes, n)
	return b
}

// selectOf takes a select apart: its type, its list or file, and whether it says
// from file. "or_other" stays with the row.
func selectOf(word string) (k kind, list string, file, ok bool) {
	bare := word
	if m := orOther.FindStringSubmatch(word); m != nil {
		bare = m[1]
	}
	for _, s := range selectWords {
		if len(bare) > len(s.words) && strings.EqualFold(bare[:len(s.words)], s.words) && bare[len(s.words)] == ' ' {
			rest := strings.TrimSpace(bare[len(s.words):])
			if rest != "" && !strings.ContainsAny(rest, " \t\n") {
				return selectKinds[s.canon], rest, s.file, true
			}
		}
	}
	return kind{}, "", false, false
}

var choiceFiles = []string{".csv", ".geojson", ".xml"}

// external tells whether a list is a file, by its ending.
func external(list string) bool { return slices.Contains(choiceFiles, path.Ext(list)) }

func (p *reading) choose(n *Node, r *record, list string, filed bool, here *block) {
	cell := r.cell("type")
	lists := p.form.Lists
	l := p.form.ChoiceList(list)
	switch {
	case n.Type == "select_one_external":
		n.List = list
		if n.ChoiceFilter == "" {
			p.warn(r.table.sheet, cell, "select.external", "select_one_external is meant for lists with a choice_filter")
		}
		switch {
		case len(p.form.ExternalLists) == 0:
			p.fault(r.table.sheet, cell, "select.no_external", "the form needs a sheet external_choices with the columns list_name and name%s", p.similar("external_choices"))
		case !slices.ContainsFunc(p.form.ExternalLists, func(l *List) bool { return l.Name == list }):
			p.fault(r.table.sheet, cell, "select.list_external", "there is no list %q in the sheet external_choices", list)
		}
	case filed && (!external(list) || strings.Count(list, ".") != 1):
		p.fault(r.table.sheet, cell, "select.file", "%q: the name of a file of choices ends in .csv, .geojson or .xml and has no other dot", list)
	case external(list):
		n.File = list
	case strings.Contains(list, "${"):
		n.List = list
		if names, ok := refNames(list); !ok || len(names) != 1 {
			p.fault(r.table.sheet, cell, "ref.syntax", "%q: write a reference as ${name}", list)
		}
		if n.Type == "select_multiple" {
			p.fault(r.table.sheet, cell, "select.earlier", "only select_one takes its choices from earlier answers")
		}
	case l == nil && len(lists) == 0:
		p.fault(r.table.sheet, cell, "select.no_choices", "the form needs a sheet choices with the columns list_name, name and label%s", p.similar("choices"))
	case l == nil:
		p.fault(r.table.sheet, cell, "select.list", "there is no choice list %q in the sheet choices%s", list, p.similarList(list))
	default:
		n.List = list
		for _, c := range l.Choices {
			if n.Type == "select_multiple" && strings.Contains(c.Name, " ") {
				p.at(c.row, colName, "choices.blank", "the name %q of list %q holds a blank, which a select_multiple cannot tell from two answers", c.Name, list)
			}
		}
	}
	var extra *Node
	if orOther.MatchString(r.get("type")) {
		n.Other = true
		if p.other == "" {
			p.other = cell
		}
		switch {
		case n.ChoiceFilter != "":
			p.at(r, colFilter, "select.other_filter", "a select with or_other takes no choice_filter")
		case l == nil || len(l.Choices) == 0:
			p.fault(r.table.sheet, cell, "select.other_choices", "or_other needs a list in the sheet choices")
		default:
			addOther(l)
		}
		extra = &Node{Name: n.Name + "_other", Label: Texts{{"", "Specify other."}}, Bind: map[string]string{"relevant": fmt.Sprintf("selected(../%s, 'other')", n.Name)}, Control: map[string]string{}}
		p.typed(extra, types["text"])
	}
	if here.table != "" {
		if here.table == "?" {
			here.table = list
			if n.ChoiceFilter != "" {
				p.at(r, colFilter, "table.filter", "a table-list takes no choice_filter")
			}
			head := &Node{Name: fmt.Sprintf("reserved_name_for_field_list_labels_%d", r.line), List: n.List, Label: Texts{{"", " "}}, Bind: map[string]string{}, Control: map[string]string{"appearance": "label"}}
			p.typed(head, selectKinds[n.Type])
			p.made(head, r, colName, here)
		}
		if here.table != list {
			p.fault(r.table.sheet, cell, "table.list", "all selects of a table-list have one list: %q is not %q", list, here.table)
		}
		n.Control["appearance"] = "list-nolabel"
	}
	n.Search = search.MatchString(n.Appearance())
	here.node.Nodes = append(here.node.Nodes, n)
	if extra != nil {
		p.made(extra, r, colType, here)
	}
}

var search = regexp.MustCompile(`search\(.*?\)`)

func (p *reading) similarList(name string) hint {
	for _, l := range p.form.Lists {
		if strings.EqualFold(l.Name, name) || distance(l.Name, name) == 1 {
			return hint{"; is it %q?", []any{l.Name}}
		}
	}
	return hint{}
}

// addOther gives a list the choice "other", in the languages of its labels.
func addOther(l *List) {
	if slices.ContainsFunc(l.Choices, func(c Choice) bool { return c.Name == "other" }) {
		return
	}
	var label Texts
	for _, c := range l.Choices {
		for _, t := range c.Label {
			if t.Lang != "" && label.In(t.Lang) == "" {
				label = append(label, Text{t.Lang, "Other"})
			}
		}
	}
	if label == nil {
		label = Texts{{"", "Other"}}
	}
	l.Choices = append(l.Choices, Choice{Name: "other", Label: label})
}

func (p *reading) osmTags(n *Node, r *record, list string) {
	l := p.osm[list]
	if l == nil {
		if len(p.osm) > 0 {
			p.at(r, colType, "osm.list", "there is no list %q in the sheet osm", list)
		}
		return
	}
	n.Tags = append(n.Tags, l)
}

// loop makes a group of a loop's rows for each choice of its list, with
// %(name)s and %(label)s replaced.
func (p *reading) loop(b *block) {
	template, count := b.node.Nodes, 0
	b.node.Walk(func(*Node) { count++ })
	b.node.Nodes = nil
	if p.looped += count * len(b.list.Choices); p.looped > maxNodes {
		p.at(b.row, colType, "loop.large", "the loop would make more than %d questions", maxNodes)
		return
	}
	for _, c := range b.list.Choices {
		if c.Name == "none" {
			continue
		}
		g := &Node{Kind: Group, Name: c.Name, Parent: b.node, Label: c.Label, Media: c.Media, Made: true, row: b.row, Bind: map[string]string{}, Control: map[string]string{}, Instance: map[string]string{}}
		if !xmlName.MatchString(c.Name) {
			p.at(c.row, colName, "name.invalid", badName, c.Name)
		}
		for _, t := range template {
			g.Nodes = append(g.Nodes, looped(t, g, c, true))
			if t.Kind == Repeat && len(b.list.Choices) > 1 {
				p.at(t.row, colName, "repeat.twice", "a repeat in a loop would be there once for each choice; names of repeats are unique in the form")
			}
		}
		b.node.Nodes = append(b.node.Nodes, g)
	}
}

// looped copies a node for a choice. The standard's reference replaces in the
// rows directly in the loop only.
func looped(t, parent *Node, c Choice, direct bool) *Node {
	n := *t
	n.Parent, n.Nodes = parent, nil
	for _, k := range t.Nodes {
		n.Nodes = append(n.Nodes, looped(k, &n, c, false))
	}
	if !direct {
		return &n
	}
	fill := func(s, lang string) string {
		label := c.Label.In(lang)
		if label == "" && len(c.Label) > 0 {
			label = c.Label[0].Words
		}
		return strings.NewReplacer("%(name)s", c.Name, "%(label)s", label, "%%", "%").Replace(s)
	}
	each := func(m map[string]string) map[string]string {
		out := map[string]string{}
		for k, v := range m {
			out[k] = fill(v, "")
		}
		return out
	}
	words := func(t Texts) Texts {
		out := slices.Clone(t)
		for i := range out {
			out[i].Words = fill(out[i].Words, out[i].Lang)
		}
		return out
	}
	n.Name, n.Default, n.ChoiceFilter = fill(n.Name, ""), fill(n.Default, ""), fill(n.ChoiceFilter, "")
	n.Label, n.Hint, n.Guidance = words(n.Label), words(n.Hint), words(n.Guidance)
	n.ConstraintMessage, n.RequiredMessage = words(n.ConstraintMessage), words(n.RequiredMessage)
	n.Bind, n.Control, n.Instance = each(n.Bind), each(n.Control), each(n.Instance)
	return &n
}

// triggers reads the column trigger: references, divided by commas.
func (p *reading) triggers(r *record, s string) []string {
	if s == "" {
		return nil
	}
	if !strings.Contains(s, "${") || len(s) < 3 {
		p.at(r, colTrigger, "trigger.syntax", "a trigger is a reference such as ${name}, or several with commas between")
		return nil
	}
	var out []string
	for _, part := range strings.Split(s, ",") {
		names, ok := refNames(part)
		switch {
		case !ok:
			p.at(r, colTrigger, "ref.syntax", "%q: write a reference as ${name}", strings.TrimSpace(part))
		case len(names) > 1:
			p.at(r, colTrigger, "trigger.comma", "put a comma between the references of a trigger")
		default:
			out = append(out, names...)
		}
	}
	return out
}
