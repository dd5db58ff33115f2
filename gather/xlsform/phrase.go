package xlsform

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"

	"dtm"
)

// Phrase is a text of a form that people read and that can be translated.
type Phrase struct {
	Key     string // "survey/data/age#hint", "choices/country/ETH#label": stays when rows move
	Context string // what it is, for a translator
	Texts   Texts

	sheet  string
	line   int
	column []string // without language
}

// phraseKinds are the texts of a question, by what keys call them.
var phraseKinds = []struct {
	key, word string
	column    []string
	of        func(*Node) Texts
}{
	{"label", "", []string{"label"}, func(n *Node) Texts { return n.Label }},
	{"hint", "hint", []string{"hint"}, func(n *Node) Texts { return n.Hint }},
	{"guidance_hint", "guidance for training", []string{"guidance_hint"}, func(n *Node) Texts { return n.Guidance }},
	{"constraint_message", "said when the answer is not allowed", []string{"bind", "jr:constraintMsg"}, func(n *Node) Texts { return n.ConstraintMessage }},
	{"required_message", "said when the answer is missing", []string{"bind", "jr:requiredMsg"}, func(n *Node) Texts { return n.RequiredMessage }},
	{"no_app_error_string", "said when an app is missing", []string{"bind", "jr:noAppErrorString"}, func(n *Node) Texts { return n.NoAppError }},
}

// Phrases lists the texts of the form in its order: title, questions, choices.
func (f *Form) Phrases() []Phrase {
	var out []Phrase
	if r := f.settingsRow; r != nil {
		title := Texts{{"", f.Title}}
		if len(f.Titles) > 0 {
			title = append(Texts{{f.DefaultLanguage, f.Title}}, f.Titles...)
		}
		out = append(out, Phrase{"settings#title", "title of the form", title, r.table.sheet, r.line, []string{"translated_title"}})
	}
	first := func(t Texts) string {
		if len(t) == 0 {
			return ""
		}
		return t[0].Words
	}
	f.Root.Walk(func(n *Node) {
		if n.Made || n.row == nil {
			return
		}
		for _, k := range phraseKinds {
			t := k.of(n)
			if len(t) == 0 {
				continue
			}
			what := map[Kind]string{Question: strings.ReplaceAll(n.Type, "_", " "), Group: "heading of a group", Repeat: "heading of a repeat"}[n.Kind]
			if k.word != "" {
				what = k.word + " (" + what + ")"
			}
			if in := first(n.Parent.Label); in != "" {
				what += ", in: " + in
			}
			out = append(out, Phrase{"survey" + n.Path() + "#" + k.key, what, t, n.row.table.sheet, n.row.line, k.column})
		}
	})
	for _, list := range slices.Concat(f.Lists, f.ExternalLists) {
		seen := map[string]int{}
		for _, c := range list.Choices {
			if c.row == nil || len(c.Label) == 0 {
				continue
			}
			key := c.row.table.sheet + "/" + list.Name + "/" + c.Name
			if seen[c.Name]++; seen[c.Name] > 1 {
				key += fmt.Sprintf("(%d)", seen[c.Name])
			}
			out = append(out, Phrase{key + "#label", "choice of the list " + list.Name, c.Label, c.row.table.sheet, c.row.line, []string{"label"}})
		}
	}
	return out
}

// Headers of a translators' sheet.
const (
	stringsSheet = "strings"
	keyHeader    = "key"
	untranslated = "text"          // the source of a form without languages
	target       = "translation: " // before the language of a column to be filled in
	contextHead  = "context"
)

// sources are the languages that a sheet gives to translate from: those of the form
// but for the targets.
func (f *Form) sources(targets []string) []string {
	if len(f.Languages) == 0 {
		return []string{untranslated}
	}
	return slices.DeleteFunc(slices.Clone(f.Languages), func(l string) bool { return slices.Contains(targets, l) })
}

// in is the text in a source language.
func (p Phrase) in(lang string) string {
	if plain, ok := p.Texts.Plain(); ok {
		return plain
	}
	return p.Texts.In(lang)
}

// Strings writes the translators' sheet: a row for each phrase with its key, its
// context, its words in every language of the form, and a column for each target
// language ("Somali (so)"), filled in as far as the form has that language.
func Strings(f *Form, targets []string) ([]byte, error) {
	x := excelize.NewFile()
	defer x.Close()
	if err := x.SetSheetName("Sheet1", stringsSheet); err != nil {
		return nil, err
	}
	sources := f.sources(targets)
	header := []string{keyHeader, contextHead}
	header = append(header, sources...)
	for _, t := range targets {
		header = append(header, target+t)
	}
	rows := [][]string{header}
	for _, p := range f.Phrases() {
		row := []string{p.Key, p.Context}
		for _, l := range sources {
			row = append(row, p.in(l))
		}
		for _, t := range targets {
			row = append(row, p.Texts.In(t))
		}
		rows = append(rows, row)
	}
	style := func(s *excelize.Style) int {
		id, err2 := x.NewStyle(s)
		_ = err2 // these styles are well-formed
		return id
	}
	top := &excelize.Alignment{WrapText: true, Vertical: "top"}
	plainStyle := style(&excelize.Style{Alignment: top})
	headStyle := style(&excelize.Style{Font: &excelize.Font{Bold: true, Color: "FFFFFF"}, Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"134B73"}}, Alignment: top})
	fillStyle := style(&excelize.Style{Alignment: top, Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"FFF8E1"}}, NumFmt: 49}) // as text: =, + and figures stay
	for i, row := range rows {
		for k, text := range row {
			cell := cellName(k, i+1)
			if err := x.SetCellStr(stringsSheet, cell, text); err != nil {
				return nil, err
			}
			s := plainStyle
			switch {
			case i == 0:
				s = headStyle
			case k >= 2+len(sources):
				s = fillStyle
			}
			if err := x.SetCellStyle(stringsSheet, cell, cell, s); err != nil {
				return nil, err
			}
		}
	}
	for k := range header {
		col, err := excelize.ColumnNumberToName(k + 1)
		if err != nil {
			return nil, err
		}
		width := 44.0
		if k < 2 {
			width = 26
		}
		if err := x.SetColWidth(stringsSheet, col, col, width); err != nil {
			return nil, err
		}
	}
	if err := x.SetPanes(stringsSheet, &excelize.Panes{Freeze: true, XSplit: 0, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err := x.Write(&b)
	return b.Bytes(), err
}

// Translation is what a translators' sheet says of one language.
type Translation struct {
	Lang  string
	Words map[string]string // by Phrase.Key
}

// ReadStrings reads a translators' sheet that was filled in for a form, in any format
// that forms are read in. What is wrong comes as Faults that name the cell: rows that
// are missing, of no phrase, or there twice; translations that are empty; words that
// the form has changed since; ${name} left out, added or misspelt. A target column
// without any word is passed over.
func ReadStrings(name string, data []byte, f *Form) ([]Translation, error) {
	all, err := sheets(name, data)
	if err != nil {
		return nil, err
	}
	var s sheet
	for _, one := range all {
		if len(one.rows) > 0 && (s.name == "" || one.name == stringsSheet) {
			s = one
		}
	}
	p := &reading{}
	if len(s.rows) == 0 {
		p.fault(stringsSheet, "A1", "strings.column", "the column %q is missing", keyHeader)
		return nil, p.faults
	}
	r := &stringsReader{reading: p, form: f, sheet: s, at: map[string]int{}}
	r.header()
	if len(p.faults) > 0 {
		return nil, p.faults
	}
	out := r.rows()
	if len(p.faults) > 0 {
		slices.SortStableFunc(p.faults, func(a, b Fault) int { return a.line() - b.line() })
		return nil, p.faults
	}
	return out, nil
}

type stringsReader struct {
	*reading
	form    *Form
	sheet   sheet
	at      map[string]int // header -> column
	sources []string
	targets []string // languages
}

func (r *stringsReader) header() {
	head := r.sheet.rows[0]
	for i, h := range head.cells {
		if h == "" {
			continue
		}
		if _, twice := r.at[h]; twice {
			r.fault(r.sheet.name, cellName(i, head.n), "header.twice", "the column %q is there twice, also at %s; remove one", h, cellName(r.at[h], head.n))
		}
		r.at[h] = i
	}
	var named []string
	for _, h := range head.cells {
		lang, ok := strings.CutPrefix(h, strings.TrimSpace(target))
		if lang = strings.TrimSpace(lang); !ok || lang == "" {
			continue
		}
		r.at[target+lang] = r.at[h]
		named = append(named, lang)
		if slices.ContainsFunc(r.sheet.rows[1:], func(l line) bool { return r.cell(l, target+lang) != "" }) {
			r.targets = append(r.targets, lang)
		}
	}
	r.sources = r.form.sources(named)
	for _, h := range append([]string{keyHeader}, r.sources...) {
		if _, ok := r.at[h]; !ok {
			r.fault(r.sheet.name, cellName(0, head.n), "strings.column", "the column %q is missing", h)
		}
	}
	if len(r.targets) == 0 && len(r.faults) == 0 {
		r.fault(r.sheet.name, cellName(0, head.n), "strings.none", "no translation is filled in; the columns to fill in are called %q and so on", target+"Somali (so)")
	}
}

func (r *stringsReader) cell(l line, header string) string {
	if i := r.at[header]; i < len(l.cells) {
		return l.cells[i]
	}
	return ""
}

func (r *stringsReader) rows() []Translation {
	out := make([]Translation, len(r.targets))
	for i, lang := range r.targets {
		out[i] = Translation{lang, map[string]string{}}
	}
	phrases := map[string]Phrase{}
	for _, p := range r.form.Phrases() {
		phrases[p.Key] = p
	}
	seen := map[string]int{}
	for _, l := range r.sheet.rows[1:] {
		fault := func(header, code, format string, a ...any) {
			r.fault(r.sheet.name, cellName(r.at[header], l.n), code, format, a...)
		}
		key := r.cell(l, keyHeader)
		p, ok := phrases[key]
		switch {
		case !ok:
			fault(keyHeader, "strings.extra", "the form has no text with the key %q; remove the row, or make a new sheet of this form", key)
			continue
		case seen[key] > 0:
			fault(keyHeader, "strings.twice", "the key %q is in row %d already; remove one", key, seen[key])
			continue
		}
		seen[key] = l.n
		for _, lang := range r.sources {
			if now, then := p.in(lang), r.cell(l, lang); !sameWords(now, then) {
				fault(lang, "strings.changed", "the form now says %q; make a new sheet, and translate what the form says", excerpt(now))
			}
		}
		for i, lang := range r.targets {
			h := target + lang
			words := r.cell(l, h)
			if words == "" {
				fault(h, "strings.empty", "the translation is missing")
				continue
			}
			if utf8.RuneCountInString(words) > maxText {
				fault(h, "cell.long", "the text is longer than a cell of a workbook can hold (%d characters)", maxText)
				continue
			}
			lost, added := references(r.original(p), words)
			if len(lost) > 0 {
				fault(h, "strings.lost", "the translation leaves out %s; phones put an answer there, so it must stand in the translation as it is", strings.Join(lost, ", "))
			}
			if len(added) > 0 {
				fault(h, "strings.added", "the translation holds %s, which the text does not", strings.Join(added, ", "))
			}
			out[i].Words[key] = words
		}
	}
	for _, p := range r.form.Phrases() {
		if seen[p.Key] == 0 {
			r.fault(r.sheet.name, "", "strings.missing", "the row with the key %q is missing (%q)", p.Key, excerpt(r.original(p)))
		}
	}
	return out
}

// original is the text that a translation is compared with.
func (r *stringsReader) original(p Phrase) string {
	if len(r.sources) > 0 {
		if s := p.in(r.sources[0]); s != "" {
			return s
		}
	}
	return p.Texts[0].Words
}

// sameWords compares a text with what a spreadsheet program made of it: blanks and
// line ends may differ.
func sameWords(a, b string) bool {
	return strings.Join(strings.Fields(plainQuotes.Replace(a)), " ") == strings.Join(strings.Fields(plainQuotes.Replace(b)), " ")
}

func excerpt(s string) string {
	if r := []rune(s); len(r) > 80 {
		return string(r[:79]) + "…"
	}
	return s
}

// references compares the ${name} of a text and of its translation, as often as each
// is there. What begins like one and is none counts as added.
func references(text, translation string) (lost, added []string) {
	count := map[string]int{}
	for _, m := range Ref.FindAllString(text, -1) {
		count[m]++
	}
	for _, m := range Ref.FindAllString(translation, -1) {
		count[m]--
	}
	rest := Ref.ReplaceAllString(translation, "")
	if i := strings.Index(rest, "${"); i >= 0 && !strings.Contains(Ref.ReplaceAllString(text, ""), "${") {
		added = append(added, excerpt(rest[i:]))
	}
	for m, n := range count {
		switch {
		case n > 0:
			lost = append(lost, m)
		case n < 0:
			added = append(added, m)
		}
	}
	slices.Sort(lost)
	slices.Sort(added)
	return lost, added
}

// Translate adds translations to a form's workbook: columns such as
// `label::Somali (so)` beside those that are there, all else as it was. With a version
// the form gets that one. data is the workbook that f was read from; forms in another
// format than .xlsx are Unsupported.
func Translate(name string, data []byte, f *Form, list []Translation, version string) (_ []byte, err error) {
	if !bytes.HasPrefix(data, []byte("PK\x03\x04")) {
		return nil, dtm.Errorf(dtm.Unsupported, "translations are written into .xlsx workbooks only; save the form as .xlsx first").At(name).Coded("form.strings.format")
	}
	x, err := excelize.OpenReader(bytes.NewReader(data), excelize.Options{UnzipSizeLimit: unzipLimit, UnzipXMLSizeLimit: unzipLimit, RawCellValue: true})
	if err != nil {
		return nil, damaged(name, err)
	}
	defer x.Close()
	w := &translator{file: x, tables: map[string]*table{}, next: map[string]int{}, columns: map[string]int{}}
	f.Root.Walk(func(n *Node) {
		if n.row != nil {
			w.tables[n.row.table.sheet] = n.row.table
		}
	})
	for _, l := range slices.Concat(f.Lists, f.ExternalLists) {
		for _, c := range l.Choices {
			if c.row != nil {
				w.tables[c.row.table.sheet] = c.row.table
			}
		}
	}
	if r := f.settingsRow; r != nil {
		w.tables[r.table.sheet] = r.table
	}
	for _, t := range list {
		for _, p := range f.Phrases() {
			if words, ok := t.Words[p.Key]; ok {
				if err := w.set(p, t.Lang, words); err != nil {
					return nil, err
				}
			}
		}
	}
	if version != "" {
		r := f.settingsRow
		if r == nil || !slices.ContainsFunc(r.table.columns, func(c column) bool { return slices.Equal(c.path, []string{"version"}) }) {
			return nil, dtm.Errorf(dtm.Invalid, "the form has no column version in its sheet settings; add one").At(name).Coded("form.strings.version")
		}
		if err := x.SetCellStr(r.table.sheet, r.cell("version"), version); err != nil {
			return nil, err
		}
	}
	var b bytes.Buffer
	err = x.Write(&b)
	return b.Bytes(), err
}

// translator writes into a workbook.
type translator struct {
	file    *excelize.File
	tables  map[string]*table // by sheet
	next    map[string]int    // of a sheet: the first column that is free
	columns map[string]int    // sheet, column and language -> column of the sheet
}

func (w *translator) set(p Phrase, lang, words string) error {
	col, err := w.column(p, lang)
	if err != nil {
		return err
	}
	return w.file.SetCellStr(p.sheet, cellName(col, p.line), words)
}

// column finds the column of a text in a language, or adds it behind all others, with
// the look of the one in another language.
func (w *translator) column(p Phrase, lang string) (int, error) {
	key := p.sheet + "\x00" + strings.Join(p.column, "\x00") + "\x00" + lang
	if c, ok := w.columns[key]; ok {
		return c, nil
	}
	t := w.tables[p.sheet]
	base, like, sep := p.column[len(p.column)-1], -1, "::"
	single := false
	for _, c := range t.columns {
		single = single || strings.Contains(strings.ReplaceAll(c.raw, "jr:", ""), ":")
	}
	if single && !slices.ContainsFunc(t.columns, func(c column) bool { return strings.Contains(c.raw, "::") }) {
		sep = ":" // two colons in one header would change how all others are read
	}
	for _, c := range t.columns {
		if len(c.path) < len(p.column) || !slices.Equal(c.path[:len(p.column)], p.column) {
			continue
		}
		rest := c.path[len(p.column):]
		if len(rest) == 1 && rest[0] == lang {
			w.columns[key] = c.at
			return c.at, nil
		}
		if like < 0 {
			like, base = c.at, c.raw
			if len(rest) == 1 {
				base = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(c.raw), rest[0])), sep))
			}
		}
	}
	if _, known := w.next[p.sheet]; !known {
		rows, err := w.file.GetRows(p.sheet)
		if err != nil {
			return 0, err
		}
		for _, r := range rows {
			w.next[p.sheet] = max(w.next[p.sheet], len(r))
		}
	}
	col := w.next[p.sheet]
	w.next[p.sheet]++
	w.columns[key] = col
	if err := w.file.SetCellStr(p.sheet, cellName(col, t.line), base+sep+lang); err != nil {
		return 0, err
	}
	if like < 0 {
		return col, nil
	}
	from, err := excelize.ColumnNumberToName(like + 1)
	if err != nil {
		return 0, err
	}
	to, err := excelize.ColumnNumberToName(col + 1)
	if err != nil {
		return 0, err
	}
	width, err := w.file.GetColWidth(p.sheet, from)
	if err != nil {
		return 0, err
	}
	if err := w.file.SetColWidth(p.sheet, to, to, width); err != nil {
		return 0, err
	}
	lines := []int{t.line}
	for _, r := range t.rows {
		lines = append(lines, r.line)
	}
	for _, n := range lines {
		style, err := w.file.GetCellStyle(p.sheet, cellName(like, n))
		if err != nil {
			return 0, err
		}
		if err := w.file.SetCellStyle(p.sheet, cellName(col, n), cellName(col, n), style); err != nil {
			return 0, err
		}
	}
	return col, nil
}
