package xlsform

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

// reading is the state of one Read.
type reading struct {
	form     *Form
	faults   Faults
	warnings []Warning
	named    map[string][]*Node // name -> nodes
	langs    []string
}

func (p *reading) fault(sheet, cell, code, format string, a ...any) {
	p.faults = append(p.faults, Fault{sheet, cell, code, fmt.Sprintf(format, a...)})
}

func (p *reading) warn(sheet, cell, code, format string, a ...any) {
	p.warnings = append(p.warnings, Warning{sheet, cell, code, fmt.Sprintf(format, a...)})
}

// Read reads an XLSForm, recognised by its content. name is what errors call the
// file, and gives the form its id when the settings do not. A form that cannot be
// used is Faults, all that were found; a file that is not a form is a *dtm.Error.
func Read(name string, data []byte) (*Form, []Warning, error) {
	all, err := sheets(name, data)
	if err != nil {
		return nil, nil, err
	}
	p := &reading{form: &Form{Root: &Node{Kind: Group, Name: "data"}}, named: map[string][]*Node{}}
	by := map[string]sheet{}
	for _, s := range all {
		by[strings.ToLower(strings.TrimSpace(s.name))] = s
	}
	survey, ok := by["survey"]
	if !ok || len(survey.rows) == 0 {
		p.fault("", "", "form.no_survey", "the workbook has no sheet named survey, or it is empty")
		return nil, nil, p.faults
	}
	p.settings(by["settings"], name)
	p.choices(by["choices"])
	p.survey(survey)
	p.languages()
	p.check()
	if len(p.faults) > 0 {
		slices.SortStableFunc(p.faults, func(a, b Fault) int { return strings.Compare(a.Sheet, b.Sheet) })
		return nil, p.warnings, p.faults
	}
	return p.form, p.warnings, nil
}

func (p *reading) settings(s sheet, file string) {
	f := p.form
	f.ID = strings.TrimSuffix(path.Base(strings.ReplaceAll(file, `\`, "/")), path.Ext(file))
	_, recs := p.table(s)
	if len(recs) > 0 {
		r := recs[0]
		if id := r.get("form_id"); id != "" {
			f.ID = id
		}
		f.Title, f.Version, f.Style = r.get("form_title"), r.get("version"), r.get("style")
		f.InstanceName, f.DefaultLanguage = r.get("instance_name"), r.get("default_language")
		f.PublicKey, f.SubmissionURL, f.Namespaces = r.get("public_key"), r.get("submission_url"), r.get("namespaces")
		if n := r.get("name"); n != "" {
			if !xmlName.MatchString(n) {
				p.fault(s.name, r.where("name"), "form.name", "%q cannot be the name of the instance: it must begin with a letter and hold no blanks", n)
			}
			f.Root.Name = n
		}
	}
	if f.Title == "" {
		f.Title = f.ID
	}
}

var xmlName = regexp.MustCompile(`^[\p{L}_][\p{L}\p{N}_.\-]*$`)

func (p *reading) choices(s sheet) {
	cols, recs := p.table(s)
	seen := map[string]map[string]string{}
	known := map[string]bool{"list name": true, "name": true, "label": true}
	for _, r := range recs {
		list := r.get("list name")
		if list == "" {
			p.fault(r.sheet, r.where("list name"), "choice.no_list", "the choice has no list_name")
			continue
		}
		l := p.form.ChoiceList(list)
		if l == nil {
			l = &List{Name: list}
			p.form.Lists = append(p.form.Lists, l)
			seen[list] = map[string]string{}
		}
		c := Choice{Name: r.get("name"), Label: Texts(r.langs["label"]), Media: media(r)}
		if c.Name == "" {
			p.fault(r.sheet, r.where("name"), "choice.no_name", "the choice of list %q has no name", list)
			continue
		}
		if first, twice := seen[list][c.Name]; twice {
			p.fault(r.sheet, r.where("name"), "choice.twice", "the name %q is in list %q already (%s)", c.Name, list, first)
		}
		seen[list][c.Name] = r.where("name")
		for _, h := range cols {
			if h.name != "" && !known[h.name] && !translated[h.name] && h.attr == "" {
				if xmlName.MatchString(h.raw) {
					c.Extra = append(c.Extra, Column{h.raw, r.get(h.name)})
				}
			}
		}
		p.noteLanguages(r)
		l.Choices = append(l.Choices, c)
	}
}

func media(r record) map[string]Texts {
	var out map[string]Texts
	for _, kind := range []string{"image", "audio", "video", "big-image"} {
		if t := r.langs["media::"+kind]; t != nil {
			if out == nil {
				out = map[string]Texts{}
			}
			out[kind] = t
		}
	}
	return out
}

func (p *reading) noteLanguages(r record) {
	for _, t := range r.langs {
		for lang := range t {
			if !slices.Contains(p.langs, lang) {
				p.langs = append(p.langs, lang)
			}
		}
	}
}

func (p *reading) survey(s sheet) {
	cols, recs := p.table(s)
	if !slices.ContainsFunc(cols, func(c column) bool { return c.name == "type" }) {
		p.fault(s.name, "", "survey.no_type", "the survey has no column named type")
		return
	}
	here := p.form.Root
	var opened []record
	for _, r := range recs {
		word := r.get("type")
		if word == "" {
			if r.get("name") != "" || r.langs["label"] != nil {
				p.fault(r.sheet, r.where("type"), "survey.type_missing", "the row has no type")
			}
			continue
		}
		if r.get("disabled") != "" && truth(r.get("disabled")) {
			continue
		}
		lower := strings.Join(strings.Fields(strings.ReplaceAll(strings.ToLower(word), "_", " ")), " ")
		switch lower {
		case "begin group", "begin repeat", "begin loop":
			n := p.node(r, here)
			n.Kind = Group
			if lower != "begin group" {
				n.Kind = Repeat
			}
			n.RepeatCount = r.get("repeat_count")
			here.Nodes = append(here.Nodes, n)
			here, opened = n, append(opened, r)
			continue
		case "end group", "end repeat", "end loop":
			want := map[bool]string{true: "repeat", false: "group"}[here.Kind == Repeat]
			if here.Parent == nil {
				p.fault(r.sheet, r.where("type"), "survey.end", "%q ends nothing: no group or repeat is open here", word)
				continue
			}
			if strings.HasSuffix(lower, "group") != (want == "group") {
				p.fault(r.sheet, r.where("type"), "survey.end", "%q stands where the %s %q of %s must end", word, want, here.Name, opened[len(opened)-1].where("type"))
			}
			if len(here.Nodes) == 0 {
				p.warn(r.sheet, r.where("type"), "survey.empty_group", "the %s %q holds no question", want, here.Name)
			}
			here, opened = here.Parent, opened[:len(opened)-1]
			continue
		}
		n := p.node(r, here)
		if typ, tail, ok := cutSelect(word); ok {
			n.Type = typ
			p.choose(n, r, strings.Fields(tail))
		} else if typ, ok := types[lower]; ok {
			n.Type = typ
		} else {
			first, _, _ := strings.Cut(lower, " ")
			hint := ""
			if t := nearest(first); t != "" {
				hint = fmt.Sprintf("; is it %q?", t)
			}
			p.fault(r.sheet, r.where("type"), "survey.type_unknown", "%q is not a question type%s", word, hint)
			continue
		}
		if n.Name == "" && metadata[n.Type] {
			n.Name = n.Type
		}
		here.Nodes = append(here.Nodes, n)
	}
	for _, r := range opened {
		p.fault(r.sheet, r.where("type"), "survey.not_ended", "the %s %q is never ended", strings.TrimPrefix(strings.ReplaceAll(r.get("type"), "_", " "), "begin "), r.get("name"))
	}
	if len(p.form.Root.Nodes) == 0 && len(p.faults) == 0 {
		p.fault(s.name, "", "survey.empty", "the survey has no question")
	}
}

// node makes what every row has.
func (p *reading) node(r record, parent *Node) *Node {
	p.noteLanguages(r)
	n := &Node{Name: r.get("name"), Parent: parent, Line: r.line, Cells: r.places,
		Label: Texts(r.langs["label"]), Hint: Texts(r.langs["hint"]), Guidance: Texts(r.langs["guidance_hint"]),
		ConstraintMessage: Texts(r.langs["constraint_message"]), RequiredMessage: Texts(r.langs["required_message"]), Media: media(r),
		Relevant: r.get("relevant"), Required: r.get("required"), Constraint: r.get("constraint"), Calculation: r.get("calculation"), ReadOnly: r.get("readonly"),
		Default: r.get("default"), Appearance: r.get("appearance"), ChoiceFilter: r.get("choice_filter"), Trigger: r.get("trigger"),
		Bind: r.attrs["bind"], Body: r.attrs["body"], Instance: r.attrs["instance"], HXL: normalTag(r.get("hxl"))}
	if s := r.get("parameters"); s != "" {
		n.Parameters = map[string]string{}
		for _, kv := range strings.FieldsFunc(s, func(c rune) bool { return c == ' ' || c == ',' || c == ';' }) {
			k, v, ok := strings.Cut(kv, "=")
			if !ok {
				p.fault(r.sheet, r.where("parameters"), "survey.parameters", "%q: write parameters as name=value", kv)
			}
			n.Parameters[strings.ToLower(k)] = v
		}
	}
	return n
}

// normalTag writes an HXL tag with its attributes in order, "#affected +f+children"
// as "#affected+children+f".
func normalTag(s string) string {
	s = strings.ToLower(strings.Join(strings.Fields(s), ""))
	if s == "" {
		return ""
	}
	parts := strings.Split(s, "+")
	attrs := parts[1:]
	slices.Sort(attrs)
	return strings.Join(append([]string{parts[0]}, attrs...), "+")
}

// cutSelect splits "select_one list or_other" into its type and the rest.
func cutSelect(word string) (typ, tail string, ok bool) {
	norm := strings.Join(strings.Fields(word), " ")
	lower := strings.ToLower(norm)
	for _, prefix := range selectNames {
		if strings.HasPrefix(lower, prefix.name+" ") {
			return prefix.typ, norm[len(prefix.name)+1:], true
		}
		if lower == prefix.name {
			return prefix.typ, "", true
		}
	}
	return "", "", false
}

func (p *reading) choose(n *Node, r record, words []string) {
	cell := r.where("type")
	if len(words) > 0 && (strings.EqualFold(words[len(words)-1], "or_other")) {
		n.Other, words = true, words[:len(words)-1]
	}
	if len(words) > 1 && strings.EqualFold(words[len(words)-1], "other") && strings.EqualFold(words[len(words)-2], "or") {
		n.Other, words = true, words[:len(words)-2]
	}
	if len(words) != 1 {
		p.fault(r.sheet, cell, "select.no_list", "%q: name one choice list after the type", r.get("type"))
		return
	}
	if strings.HasSuffix(n.Type, "_from_file") {
		n.Type = strings.TrimSuffix(n.Type, "_from_file")
		n.File = words[0]
		ext := strings.ToLower(path.Ext(n.File))
		if !slices.Contains([]string{".csv", ".xml", ".geojson"}, ext) {
			p.fault(r.sheet, cell, "select.file", "%q: a file of choices ends in .csv, .xml or .geojson", n.File)
			return
		}
		id := strings.TrimSuffix(n.File, path.Ext(n.File))
		if !slices.Contains(p.form.External, External{id, n.File}) {
			if slices.ContainsFunc(p.form.External, func(e External) bool { return e.ID == id }) {
				p.fault(r.sheet, cell, "select.file_twice", "two files are named %q but for their ending; give one another name", id)
			}
			p.form.External = append(p.form.External, External{id, n.File})
		}
		return
	}
	n.List = words[0]
	if p.form.ChoiceList(n.List) == nil && !strings.HasPrefix(n.List, "${") {
		p.fault(r.sheet, cell, "select.list_unknown", "there is no choice list %q in the sheet choices", n.List)
	}
}

func truth(s string) bool {
	switch strings.ToLower(s) {
	case "yes", "true", "true()", "1", "y":
		return true
	}
	return false
}

// languages settles the languages of the form and tells what is not translated.
func (p *reading) languages() {
	f := p.form
	named := slices.DeleteFunc(slices.Clone(p.langs), func(l string) bool { return l == "" })
	f.Languages = named
	if len(named) == 0 {
		f.Languages = []string{""}
		return
	}
	if f.DefaultLanguage != "" && !slices.Contains(named, f.DefaultLanguage) {
		// A header may write "French (fr)" where the settings say "French".
		for _, l := range named {
			if strings.EqualFold(strings.TrimSpace(strings.Split(l, "(")[0]), strings.TrimSpace(strings.Split(f.DefaultLanguage, "(")[0])) {
				f.DefaultLanguage = l
			}
		}
	}
	if f.DefaultLanguage == "" && slices.Contains(p.langs, "") {
		f.DefaultLanguage = "default"
		f.Languages = append([]string{"default"}, named...)
	}
	if f.DefaultLanguage == "" {
		f.DefaultLanguage = "default"
		if !slices.Contains(named, "default") {
			f.DefaultLanguage = named[0]
		}
	}
	untagged := func(t Texts) {
		if s, ok := t[""]; ok {
			delete(t, "")
			if t[f.DefaultLanguage] == "" {
				t[f.DefaultLanguage] = s
			}
		}
	}
	missing := map[string][]string{}
	each := func(sheet, cell string, t Texts) {
		if len(t) == 0 {
			return
		}
		untagged(t)
		for _, l := range f.Languages {
			if t[l] == "" {
				missing[l] = append(missing[l], sheet+"!"+cell)
			}
		}
	}
	f.Root.Walk(func(n *Node) {
		each("survey", n.Cells["label"], n.Label)
		each("survey", n.Cells["hint"], n.Hint)
		each("survey", n.Cells["guidance_hint"], n.Guidance)
		each("survey", n.Cells["constraint_message"], n.ConstraintMessage)
		each("survey", n.Cells["required_message"], n.RequiredMessage)
		for _, t := range n.Media {
			untagged(t)
		}
	})
	for _, l := range f.Lists {
		for _, c := range l.Choices {
			each("choices", l.Name+"/"+c.Name, c.Label)
			for _, t := range c.Media {
				untagged(t)
			}
		}
	}
	for _, l := range f.Languages {
		if m := missing[l]; len(m) > 0 {
			p.warn("survey", "", "form.translation_missing", "%d texts are missing in %q, the first at %s", len(m), l, m[0])
		}
	}
}
