package xlsform

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/text/language"
)

// finish adds what no row names, and finds what can only be seen once the whole
// form is read.
func (p *reading) finish() {
	p.meta()
	p.form.Root.WalkAll(func(n *Node) {
		if n.Name != "" {
			p.index[n.Name] = append(p.index[n.Name], n)
		}
	})
	if len(p.form.Root.Nodes) == 0 && len(p.faults) == 0 {
		p.warn("survey", "", "survey.empty", "the survey has no question")
	}
	p.references()
	p.expressions()
	p.cycles()
	p.place()
	p.form.Root.Walk(p.checkNode)
	p.instances()
	p.languages()
}

// meta makes the meta group of the form: the audit log, the id of the instance
// and its name.
func (p *reading) meta() {
	root := p.form.Root
	m := &Node{Kind: Group, Name: "meta", Parent: root, Made: true}
	for _, a := range p.audits {
		a.Parent = m
		m.Nodes = append(m.Nodes, a)
	}
	add := func(name string, bind map[string]string) {
		m.Nodes = append(m.Nodes, &Node{Name: name, Type: "calculate", Parent: m, Made: true, Bind: bind})
	}
	if !p.noID {
		add("instanceID", map[string]string{"type": "string", "readonly": "true()", "jr:preload": p.instanceID})
	}
	if p.instance != "" {
		add("instanceName", map[string]string{"type": "string", "calculate": p.instance})
	}
	if len(m.Nodes) > 0 {
		root.Meta = m
	}
}

// references checks every ${name} of the workbook where it stands.
func (p *reading) references() {
	check := func(t *table, columns func(c column) bool) {
		if t == nil {
			return
		}
		for _, r := range t.rows {
			if yes(r.get("disabled")) {
				continue
			}
			for _, c := range t.columns {
				if text, filled := r.raw[c.at]; filled && columns(c) {
					p.reference(t.sheet, cellName(c.at, r.line), text)
				}
			}
		}
	}
	check(p.settingsTable, func(column) bool { return true })
	check(p.entitiesTable, func(c column) bool { return c.path[0] != "dataset" && c.path[0] != "repeat" })
	check(p.surveyTable, func(c column) bool { return c.path[0] != "name" && c.path[0] != "trigger" && c.path[0] != "type" })
	check(p.choicesTable, func(c column) bool { return c.path[0] == "label" || c.path[0] == "media" })
	trigger := func(r *record, name string, effect bool) {
		switch targets := p.index[name]; {
		case len(targets) == 0 || targets[0].Kind != Question:
			p.at(r, colTrigger, "ref.unknown", "the trigger ${%s} is no question of the survey", name)
		case len(targets) > 1:
			p.at(r, colTrigger, "ref.twice", "the trigger ${%s} may mean %d questions; names that are referred to must be unique", name, len(targets))
		case effect && hidden(targets[0]):
			p.at(r, colTrigger, "trigger.hidden", "the question %q is not shown, so nobody can change it: it cannot be a trigger", name)
		}
	}
	for _, m := range p.ends {
		trigger(m.row, m.name, false)
	}
	p.form.Root.Walk(func(n *Node) {
		for _, name := range n.Triggers {
			trigger(n.row, name, n.Kind == Question)
		}
		if n.List == "" || n.Made {
			return
		}
		if strings.HasPrefix(n.Type, "geo") {
			p.geometryOf(n)
		} else if name, ok := OnlyRef(n.List); ok {
			p.resolve("survey", n.row.cell("type"), name)
			if on := p.index[name]; len(on) == 1 && len(on[0].Repeats()) == 0 {
				p.at(n.row, colType, "select.no_repeat", "%q takes its choices from the turns of a repeat, and ${%s} is in none", n.Name, name)
			}
		}
	})
}

func (p *reading) reference(sheet, cell, text string) {
	names, ok := refNames(text)
	if !ok {
		p.fault(sheet, cell, "ref.syntax", "write a reference as ${name}, without blanks inside, and end it with }")
	}
	for _, n := range names {
		p.resolve(sheet, cell, n)
	}
}

func (p *reading) resolve(sheet, cell, name string) {
	targets := p.index[name]
	if rows := slices.DeleteFunc(slices.Clone(targets), func(n *Node) bool { return n.Made && n.Name != "instanceID" }); len(rows) > 0 {
		targets = rows
	}
	switch {
	case len(targets) == 0:
		p.fault(sheet, cell, "ref.unknown", "${%s} refers to nothing: no question, group or repeat has this name%s", name, p.similarName(name))
	case len(targets) == 1 && (targets[0].Type == "csv-external" || targets[0].Type == "xml-external"):
		p.fault(sheet, cell, "ref.file", "${%s} is a file, which has no answer; read it with instance('%s')", name, name)
	case name == p.form.Root.Name:
		p.fault(sheet, cell, "ref.root", "${%s} may mean the question or the form itself, which has this name too; rename the question", name)
	case len(targets) > 1:
		p.fault(sheet, cell, "ref.twice", "${%s} may mean %d rows; names that are referred to must be unique", name, len(targets))
	}
}

func (p *reading) similarName(name string) hint {
	if len(p.faults) > 10 {
		return hint{} // a form with many faults wants other help
	}
	var best string
	for n := range p.index {
		if (distance(n, name) == 1 || strings.EqualFold(n, name)) && (best == "" || n < best) {
			best = n
		}
	}
	if best == "" {
		return hint{}
	}
	return hint{"; is it ${%s}?", []any{best}}
}

// geometryOf checks what a reference-geometry names: a list, an entity list, a
// file, or a repeat.
func (p *reading) geometryOf(n *Node) {
	searched, read := false, slices.ContainsFunc(p.entities, func(e *Entity) bool { return e.List == n.List })
	p.form.Root.Walk(func(o *Node) {
		searched = searched || o.Search && o.List == n.List // its choices are in the body, not in an instance
		read = read || o.declared() == n.List
	})
	if read || p.form.ChoiceList(n.List) != nil && !searched {
		return
	}
	if name, ok := OnlyRef(n.List); ok && p.repeats[name] != nil {
		return
	}
	p.at(n.row, colParameters, "geo.reference", "reference-geometry names a choice list, an entity list, a file of the form, or a repeat as ${name}; %q is none", n.List)
}

// shows tells whether a group has anything to show; a repeat can be added to even
// when it is empty.
func shows(g *Node) bool {
	return slices.ContainsFunc(g.Nodes, func(n *Node) bool {
		return n.Kind == Repeat || n.Kind == Group || n.Kind == Question && !n.Hidden()
	})
}

// hidden tells whether a question has no control of its own.
func hidden(n *Node) bool {
	return n.Type == "calculate" || (n.Bind["calculate"] != "" || len(n.Triggers) > 0) && len(n.Label) == 0 && len(n.Hint) == 0
}

// Hidden tells whether the question is computed only and shows nothing.
func (n *Node) Hidden() bool { return n.Tag == "" || hidden(n) }

func (p *reading) checkNode(n *Node) {
	if n.Made {
		return
	}
	if n.Kind == Group && !shows(n) {
		p.at(n.row, colType, "survey.empty_group", "the group %q shows no question, and phones do not open such a form; put its rows elsewhere or give it a note", n.Name)
	}
	if n.Kind == Question && !n.Hidden() {
		switch {
		case len(n.Label) == 0 && len(n.Media) == 0 && len(n.Hint) == 0 && n.row.get("media") == "":
			p.at(n.row, colLabel, "survey.no_label", "the question %q has no label%s", n.Name, map[bool]hint{true: {"; a guidance hint may be out of sight and does not do", nil}}[len(n.Guidance) > 0])
		case n.medium("big-image") && !n.medium("image"):
			p.at(n.row, []string{"media", "big-image"}, "media.big", "big-image needs an image beside it")
		}
	}
	if n.Tag == "select1" || n.Tag == "select" || n.Tag == "odk:rank" {
		if t := n.Bind["type"]; t != "string" && t != "odk:rank" {
			p.at(n.row, []string{"bind", "type"}, "select.bind", "the answer of a select is a string, not %q", t)
		}
	}
	if n.Search {
		if n.File != "" {
			p.at(n.row, colAppearance, "select.search_file", "a select from a file takes no search() in its appearance")
			return
		}
		p.form.Root.Walk(func(o *Node) {
			if o.List == n.List && !o.Search && o.Tag != "" && (o.Tag == "select1" || o.Tag == "select" || o.Tag == "odk:rank") {
				p.at(n.row, colAppearance, "select.search", "%q takes the choices of %q by search(), %q does not; give one of them another list", n.Name, n.List, o.Name)
			}
		})
	}
}

func (n *Node) medium(kind string) bool {
	return slices.ContainsFunc(n.Media, func(m Medium) bool { return m.Kind == kind })
}

var pulldata = regexp.MustCompile(`pulldata\s*\(\s*([^,]*?)\s*,`)

// Source is the address that an instance is read from: "jr://file-csv/points.csv".
func (x External) Source() string {
	if strings.HasSuffix(x.File, ".csv") {
		return "jr://file-csv/" + x.File
	}
	return "jr://file/" + x.File
}

// declared is the id of the instance that a node asks for by itself, not by a
// function in an expression.
func (n *Node) declared() string {
	switch {
	case n.Type == "csv-external" || n.Type == "xml-external":
		return n.Name
	case n.File != "" && !strings.HasPrefix(n.Type, "geo"):
		return fileID(n.File)
	}
	return ""
}

// externals lists the files that a node reads.
func (n *Node) externals() []External {
	var out []External
	for _, text := range []string{n.Bind["calculate"], n.Bind["constraint"], n.Bind["readonly"], n.Bind["required"], n.Bind["relevant"], n.ChoiceFilter, n.Default} {
		for _, m := range pulldata.FindAllStringSubmatch(text, -1) {
			if id := strings.TrimSpace(strings.NewReplacer("'", "", `"`, "").Replace(m[1])); id != "" {
				out = append(out, External{id, id + ".csv"})
			}
		}
	}
	if id := n.declared(); id != "" {
		file := n.File
		if file == "" {
			file = n.Name + "." + n.Type[:3]
		}
		out = append(out, External{id, file})
	}
	return out
}

// fileID is the id of the instance that reads a file: its name without ending.
func fileID(file string) string {
	if i := strings.LastIndexByte(file, '.'); i > 0 {
		return file[:i]
	}
	return file
}

// FileID is the id of the instance that the question's choices come from.
func (n *Node) FileID() string { return fileID(n.File) }

// instances checks that two instances with one id are the same file.
func (p *reading) instances() {
	sources, declared := map[string]string{}, map[string]*Node{}
	p.form.Root.Walk(func(n *Node) {
		if n.Kind == Question && (n.Type == "csv-external" || n.Type == "xml-external") {
			if first := declared[n.Name]; first != nil {
				p.at(n.row, colName, "instance.twice", "the file %q is declared already, at %s", n.Name, first.row.cell("name"))
				return
			}
			declared[n.Name] = n
		}
		for _, x := range n.externals() {
			if before, there := sources[x.ID]; there && before != x.Source() {
				p.at(n.row, colType, "instance.source", "the name %q stands for %s and for %s; rename one of the files", x.ID, before, x.Source())
			}
			sources[x.ID] = x.Source()
		}
	})
	for _, l := range p.form.Lists {
		if source, there := sources[l.Name]; there && len(l.Choices) > 0 && l.Choices[0].row != nil {
			p.at(l.Choices[0].row, []string{"list name"}, "instance.source", "the name %q stands for a choice list and for %s; rename one of them", l.Name, source)
		}
	}
}

var languageTag = regexp.MustCompile(`\((.*)\)$`)

// languages settles the languages of the form and tells what is not translated.
func (p *reading) languages() {
	f := p.form
	type gap struct {
		count int
		first string
	}
	gaps := map[string]*gap{}
	see := func(visit func(t Texts, sheet, cell string)) {
		f.Root.Walk(func(n *Node) {
			if n.Made {
				return
			}
			for _, x := range []struct {
				t      Texts
				column []string
			}{{n.Label, colLabel}, {n.Hint, []string{"hint"}}, {n.Guidance, colGuidance}, {n.ConstraintMessage, []string{"bind", "jr:constraintMsg"}}, {n.RequiredMessage, []string{"bind", "jr:requiredMsg"}}} {
				visit(x.t, "survey", n.row.cell(x.column...))
			}
			for _, m := range n.Media {
				visit(m.File, "survey", n.row.cell("media", m.Kind))
			}
		})
		for _, l := range f.Lists {
			for _, c := range l.Choices {
				if c.row == nil {
					continue
				}
				visit(c.Label, "choices", c.row.cell("label"))
				for _, m := range c.Media {
					visit(m.File, "choices", c.row.cell("media", m.Kind))
				}
			}
		}
	}
	see(func(t Texts, _, _ string) {
		for _, x := range t {
			if x.Lang != "" && !slices.Contains(f.Languages, x.Lang) {
				f.Languages = append(f.Languages, x.Lang)
			}
		}
	})
	if len(f.Languages) == 0 {
		return
	}
	if len(f.Languages) > maxLanguages {
		p.fault("survey", "A1", "language.many", "the form has %d languages; at most %d are taken", len(f.Languages), maxLanguages)
		return
	}
	p.columnsMissing()
	see(func(t Texts, sheet, cell string) {
		if !t.Translated() {
			return
		}
		for _, l := range f.Languages {
			if t.In(l) == "" && p.columnThere(sheet, cell, l) {
				if gaps[l] == nil {
					gaps[l] = &gap{first: sheet + "!" + cell}
				}
				gaps[l].count++
			}
		}
	})
	for _, l := range f.Languages {
		if g := gaps[l]; g != nil {
			p.warn("survey", "", "language.gap", "%d texts are not translated into %q, the first near %s; phones show a dash", g.count, l, g.first)
		}
	}
	var odd []string
	for _, l := range f.Languages {
		if l == "default" || len(l) < 3 {
			continue
		}
		m := languageTag.FindStringSubmatch(l)
		if m != nil {
			if _, err := language.ParseBase(m[1]); err == nil {
				continue
			}
		}
		odd = append(odd, fmt.Sprintf("%q", l))
	}
	if len(odd) > 0 {
		p.warn("survey", "", "language.code", "the languages %s have no code that machines know; write them like %q", strings.Join(odd, ", "), "French (fr)")
	}
	if p.other != "" {
		p.warn("survey", p.other, "select.other_language", "or_other makes a choice and a question in English only; in a form with languages write both yourself")
	}
}

// translatedColumns are those that a form may write in several languages.
var translatedColumns = []string{"label", "hint", "guidance_hint", "image", "big-image", "audio", "video", "jr:constraintMsg", "jr:requiredMsg"}

// columnLanguage takes a column that can be translated apart.
func columnLanguage(c column) (name, lang string, ok bool) {
	path := c.path
	if len(path) > 1 && (path[0] == "media" || path[0] == "bind") {
		path = path[1:]
	}
	if !slices.Contains(translatedColumns, path[0]) {
		return "", "", false
	}
	if len(path) > 1 {
		return path[0], path[1], true
	}
	return path[0], "default", true
}

// columnsMissing tells, in one warning, which columns are there in one language
// and not in another.
func (p *reading) columnsMissing() {
	var all hints
	for _, t := range []*table{p.surveyTable, p.choicesTable} {
		var names, langs []string
		there := map[[2]string]bool{}
		for _, c := range t.columns {
			if name, lang, ok := columnLanguage(c); ok {
				if !slices.Contains(names, name) {
					names = append(names, name)
				}
				if !slices.Contains(langs, lang) {
					langs = append(langs, lang)
				}
				there[[2]string{name, lang}] = true
			}
		}
		if len(langs) == 0 || len(langs) == 1 && langs[0] == "default" {
			continue
		}
		slices.Sort(langs)
		for _, l := range langs {
			var missing []string
			for _, n := range names {
				if !there[[2]string{n, l}] {
					missing = append(missing, n)
				}
			}
			if len(missing) > 0 {
				slices.Sort(missing)
				all = append(all, hint{"%s lacks %s in %q", []any{t.sheet, strings.Join(missing, ", "), l}})
			}
		}
	}
	if len(all) > 0 {
		p.warn("survey", "", "language.column", "columns are not there in every language: %s", all)
	}
}

// columnThere tells whether the column of a cell exists in a language: a missing
// column is told once, by columnsMissing.
func (p *reading) columnThere(sheet, cell, lang string) bool {
	t := p.surveyTable
	if sheet == "choices" {
		t = p.choicesTable
	}
	var name string
	for _, c := range t.columns {
		if strings.TrimRight(cell, "0123456789") == strings.TrimRight(cellName(c.at, 1), "0123456789") {
			name, _, _ = columnLanguage(c)
		}
	}
	for _, c := range t.columns {
		if n, l, ok := columnLanguage(c); ok && n == name && (l == lang || l == "default" && lang == p.form.DefaultLanguage) {
			return true
		}
	}
	return false
}
