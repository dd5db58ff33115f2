package xlsform

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
)

// reading is the state of one Read.
type reading struct {
	form     *Form
	names    []string // of the sheets, as written
	faults   Faults
	warnings []Warning

	tidy       bool // runs of blanks in the survey count as one
	duplicates bool // a list may hold a name twice
	instanceID string
	noID       bool
	instance   string // instance_name
	nameCell   string // of instance_name

	settingsTable, choicesTable, surveyTable, entitiesTable *table

	osm      map[string]*List
	entities []*Entity
	audits   []*Node
	repeats  map[string]*Node
	index    map[string][]*Node // name -> nodes, once the survey is read
	other    string             // cell of the first or_other
	looped   int                // nodes made by loops
	ends     []mentioned        // triggers of rows that end groups: checked, of no effect
}

// mentioned is a name that a row refers to.
type mentioned struct {
	row  *record
	name string
}

// Bounds of a form, far above any that is used: phones must open it, and a file
// made to harm must not keep a server busy.
const (
	maxFaults    = 500
	maxGroups    = 60 // within one another; a submission's XML may be 64 deep
	maxRepeats   = 10 // within one another: each doubles the instance
	maxNodes     = 50_000
	maxLanguages = 60
)

func (p *reading) fault(sheet, cell, code, format string, a ...any) {
	if len(p.faults) >= maxFaults {
		return
	}
	p.faults = append(p.faults, Fault{Sheet: sheet, Cell: cell, Code: code, Msg: fmt.Sprintf(format, a...), Args: a, format: format})
}

func (p *reading) warn(sheet, cell, code, format string, a ...any) {
	p.warnings = append(p.warnings, Warning{Sheet: sheet, Cell: cell, Code: code, Msg: fmt.Sprintf(format, a...), Args: a, format: format})
}

// at reports a fault of a row's column.
func (p *reading) at(r *record, column []string, code, format string, a ...any) {
	p.fault(r.table.sheet, r.cell(column...), code, format, a...)
}

// Names of the columns, for cells.
var (
	colType       = []string{"type"}
	colName       = []string{"name"}
	colLabel      = []string{"label"}
	colParameters = []string{"parameters"}
	colTrigger    = []string{"trigger"}
	colFilter     = []string{"choice_filter"}
	colCalculate  = []string{"bind", "calculate"}
	colSaveTo     = []string{"bind", "entities:saveto"}
	colAppearance = []string{"control", "appearance"}
	colGuidance   = []string{"guidance_hint"}
)

// Read reads an XLSForm, recognised by its content. name is what errors call the
// file, and gives the form its id when the settings do not. A form that cannot be
// used is Faults, all that were found; a file that is not a form is a *dtm.Error.
// Warnings are for the author; the form can be used with them.
func Read(name string, data []byte) (*Form, []Warning, error) {
	all, err := sheets(name, data)
	if err != nil {
		return nil, nil, err
	}
	p := &reading{
		form: &Form{ID: stem(name), DefaultLanguage: "default", Root: &Node{Kind: Group, Name: "data"}},
		tidy: true, instanceID: "uid", repeats: map[string]*Node{}, index: map[string][]*Node{}, osm: map[string]*List{},
	}
	by := map[string]sheet{}
	for _, s := range all {
		p.names = append(p.names, s.name)
		key := strings.ToLower(strings.TrimSpace(s.name))
		if !slices.Contains(known, key) && len(all) == 1 {
			key = "survey" // the only sheet needs no name
		}
		if _, twice := by[key]; twice && slices.Contains(known, key) {
			p.fault(s.name, "A1", "sheet.twice", "there are two sheets named %q; keep one", key)
			continue
		}
		by[key] = s
	}
	if s, ok := by["survey"]; !ok || len(s.rows) == 0 {
		p.fault("survey", "A1", "survey.missing", "the form needs a sheet named survey with a row of headers%s", p.similar("survey"))
		return nil, nil, p.faults
	}
	p.settings(by["settings"])
	p.choices(by["choices"], by["external_choices"], by["osm"])
	p.declarations(by["entities"])
	p.survey(by["survey"])
	p.finish()
	if len(p.faults) > 0 {
		slices.SortStableFunc(p.faults, func(a, b Fault) int {
			return cmp.Or(strings.Compare(a.Sheet, b.Sheet), a.line()-b.line(), len(a.Cell)-len(b.Cell), strings.Compare(a.Cell, b.Cell))
		})
		return nil, p.warnings, slices.CompactFunc(p.faults, func(a, b Fault) bool { return a.Sheet == b.Sheet && a.Cell == b.Cell && a.Msg == b.Msg })
	}
	p.form.Root.WalkAll(func(n *Node) { n.path = n.PathFrom(nil) })
	return p.form, p.warnings, nil
}

// known are the sheets of a form.
var known = []string{"survey", "choices", "settings", "external_choices", "osm", "entities"}

func stem(name string) string {
	base := path.Base(strings.ReplaceAll(name, `\`, "/"))
	if s := strings.TrimSuffix(base, path.Ext(base)); s != "" && s != "." && s != "/" {
		return s
	}
	return "data"
}

// similar names sheets that may be meant by a name; an underscore before a name
// says that the sheet is not meant.
func (p *reading) similar(name string) hint {
	var out []string
	for _, n := range p.names {
		lower := strings.ToLower(n)
		if !slices.Contains(known, n) && !strings.HasPrefix(n, "_") && distance(lower, name) <= 2 {
			out = append(out, fmt.Sprintf("%q", n))
		}
	}
	if len(out) == 0 {
		return hint{}
	}
	return hint{"; is it %s?", []any{either(out)}}
}

func (p *reading) misspelt(name string) {
	if s := p.similar(name); s.format != "" {
		p.warn("", "", "sheet.misspelt", "there is no sheet %s%s Begin the name of a sheet that is not meant with _", name, s)
	}
}

// yes reads the ways to say yes.
func yes(s string) bool {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "yes", "true", "true()", "1", "y":
		return true
	}
	return false
}

// no reads the ways to say no.
func no(s string) bool {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "no", "false", "false()", "0", "n":
		return true
	}
	return false
}

func (p *reading) settings(s sheet) {
	f := p.form
	t := settingsDialect.read(p, s, "default", false)
	p.settingsTable = t
	if len(t.rows) == 0 {
		p.misspelt("settings")
		f.Title = f.ID
		return
	}
	r := t.rows[0]
	f.settingsRow = r
	if id := r.get("id_string"); id != "" {
		f.ID = id
	}
	f.Title = f.ID
	if title := r.get("title"); title != "" {
		f.Title = title
	}
	if t := r.kid("translated_title"); t != nil {
		for _, lang := range t.keys {
			f.Titles = append(f.Titles, Text{lang, t.kids[lang].text})
		}
	}
	if l := r.get("default_language"); l != "" {
		f.DefaultLanguage = l
	}
	if no(r.get("clean_text_values")) {
		p.tidy = false
	}
	if id := r.get("instance_id"); id != "" {
		p.instanceID = id
	}
	p.duplicates = yes(r.get("allow_choice_duplicates"))
	p.instance, p.nameCell = r.get("instance_name"), r.cell("instance_name")
	f.Version, f.Style, f.PublicKey, f.SubmissionURL = r.get("version"), r.get("style"), r.get("public_key"), r.get("submission_url")
	f.AutoSend, f.AutoDelete, f.ClientEditable = r.get("auto_send"), r.get("auto_delete"), yes(r.get("client_editable"))
	if p.noID = yes(r.get("omit_instanceID")); p.noID && f.PublicKey != "" {
		p.at(r, []string{"omit_instanceID"}, "settings.encrypted", "an encrypted form needs its instanceID; leave omit_instanceID empty")
	}
	if n := r.get("name"); n != "" {
		if !xmlName.MatchString(n) {
			p.at(r, colName, "name.form", badName, n)
		}
		f.Root.Name = n
	}
	if a := r.kid("attribute"); a != nil {
		for _, k := range a.keys {
			f.Attributes = append(f.Attributes, Column{k, a.kids[k].text})
		}
	}
	for _, x := range [][2]string{{"instance_xmlns", "xmlns"}, {"prefix", "odk:prefix"}, {"delimiter", "odk:delimiter"}} {
		if v := r.get(x[0]); v != "" {
			f.Attributes = append(f.Attributes, Column{x[1], v})
		}
	}
	for _, ns := range strings.Fields(r.get("namespaces")) {
		if prefix, address, ok := strings.Cut(ns, "="); ok && prefix != "" && !strings.Contains(address, "=") {
			f.Namespaces = append(f.Namespaces, Column{prefix, strings.Trim(address, `"'`)})
		}
	}
}

const badName = "%q cannot be a name: begin with a letter or _, go on with letters, digits, - _ or ."
