package xlsform

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"
)

// tree is a cell's text, or texts by name: `label::French (fr)` and
// `label::English (en)` of one row are one tree with two kids. Names keep the
// order of the columns.
type tree struct {
	text string
	keys []string
	kids map[string]*tree
}

func (t *tree) leaf() bool { return t == nil || t.kids == nil }

func (t *tree) kid(name string) *tree {
	if t == nil {
		return nil
	}
	return t.kids[name]
}

func (t *tree) set(name string, v *tree) {
	if t.kids == nil {
		t.kids = map[string]*tree{}
	}
	if _, there := t.kids[name]; !there {
		t.keys = append(t.keys, name)
	}
	t.kids[name] = v
}

func (t *tree) drop(name string) {
	if _, there := t.kids[name]; there {
		delete(t.kids, name)
		t.keys = slices.DeleteFunc(t.keys, func(k string) bool { return k == name })
	}
}

// merge puts two cells of one column together. A text without language counts as
// the default language's, unless the other side has that language.
func merge(a, b *tree, language string) *tree {
	switch {
	case a == nil || a.leaf() && a.text == "":
		return b
	case b == nil || b.leaf() && b.text == "":
		return a
	}
	if a.leaf() {
		if b.kid(language) != nil {
			return b
		}
		wrapped := &tree{}
		wrapped.set(language, a)
		a = wrapped
	}
	if b.leaf() {
		if a.kid(language) != nil {
			return a
		}
		wrapped := &tree{}
		wrapped.set(language, b)
		b = wrapped
	}
	for _, k := range b.keys {
		a.set(k, merge(a.kids[k], b.kids[k], language))
	}
	return a
}

// column is a header taken apart: `label::French (fr)` is the path "label",
// "French (fr)".
type column struct {
	at   int // of the sheet, from 0
	raw  string
	path []string
}

// dialect is what a sheet calls its columns.
type dialect struct {
	known   []string            // columns under their own name
	aliases map[string][]string // other names, as snake_case, and what they mean
}

func media(kind string) []string { return []string{"media", kind} }

var mediaAliases = map[string][]string{"image": media("image"), "big-image": media("big-image"), "audio": media("audio"), "video": media("video")}

func with(base, more map[string][]string) map[string][]string {
	out := map[string][]string{}
	for _, m := range []map[string][]string{base, more} {
		for k, v := range m {
			out[k] = v
		}
	}
	return out
}

var surveyDialect = dialect{
	known: []string{"name", "label", "hint", "guidance_hint", "type", "bind", "control", "media", "instance", "default", "choice_filter", "parameters", "trigger", "query", "list_name", "actions", "itemset", "choices", "sms_field", "hxl", "disabled", "intent"},
	aliases: with(mediaAliases, map[string][]string{
		"read_only": {"bind", "readonly"}, "readonly": {"bind", "readonly"}, "relevant": {"bind", "relevant"}, "relevance": {"bind", "relevant"},
		"required": {"bind", "required"}, "constraint": {"bind", "constraint"}, "calculation": {"bind", "calculate"}, "calculate": {"bind", "calculate"},
		"constraint_message": {"bind", "jr:constraintMsg"}, "constraining_message": {"bind", "jr:constraintMsg"},
		"required_message": {"bind", "jr:requiredMsg"}, "requiredmsg": {"bind", "jr:requiredMsg"},
		"no_app_error_string": {"bind", "jr:noAppErrorString"}, "noapperrorstring": {"bind", "jr:noAppErrorString"},
		"save_to": {"bind", "entities:saveto"}, "compact_tag": {"instance", "odk:tag"},
		"caption": {"label"}, "command": {"type"}, "tag": {"name"}, "value": {"name"}, "body": {"control"},
		"appearance": {"control", "appearance"}, "autoplay": {"control", "autoplay"}, "rows": {"control", "rows"},
		"count": {"control", "jr:count"}, "repeat_count": {"control", "jr:count"}, "jr:count": {"control", "jr:count"},
	}),
}

var choicesDialect = dialect{
	known:   []string{"name", "label", "media", "sms_option"},
	aliases: with(mediaAliases, map[string][]string{"caption": {"label"}, "list_name": {"list name"}, "value": {"name"}}),
}

var settingsDialect = dialect{
	known: []string{"name", "title", "translated_title", "id_string", "version", "style", "default_language", "instance_name", "instance_id", "instance_xmlns", "namespaces", "public_key", "submission_url", "auto_send", "auto_delete",
		"client_editable", "omit_instanceID", "clean_text_values", "allow_choice_duplicates", "attribute", "delimiter", "flat", "add_none_option", "sms_keyword", "label", "bind", "control", "media", "instance"},
	aliases: map[string][]string{"form_title": {"title"}, "set_form_title": {"title"}, "form_id": {"id_string"}, "set_form_id": {"id_string"}, "prefix": {"prefix"}},
}

var entitiesDialect = dialect{
	known:   []string{"dataset", "entity_id", "create_if", "update_if", "label", "repeat"},
	aliases: map[string][]string{"list_name": {"dataset"}},
}

// snake writes a name as snake_case.
func snake(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), "_")) }

// header reads a header. A single colon divides only in sheets where no header
// has a double one: it stands within names such as jr:constraintMsg too.
func (d dialect) header(raw string, double bool) []string {
	for _, name := range []string{raw, snake(raw)} {
		if _, alias := d.aliases[name]; !alias && slices.Contains(d.known, name) {
			return []string{name}
		}
	}
	var path []string
	if double || strings.Contains(raw, "::") {
		path = strings.Split(raw, "::")
	} else {
		path = strings.Split(raw, ":")
		if i := slices.Index(path, "jr"); i >= 0 && i+1 < len(path) {
			path = append(append(slices.Clone(path[:i]), "jr:"+path[i+1]), path[i+2:]...)
		}
	}
	for i := range path {
		path[i] = strings.TrimSpace(path[i])
	}
	first := snake(path[0])
	if a, ok := d.aliases[first]; ok {
		return append(slices.Clone(a), path[1:]...)
	}
	if slices.Contains(d.known, first) {
		path[0] = first
	}
	// Other columns keep their case: a choice filter may name them.
	return path
}

// table is a sheet understood.
type table struct {
	sheet   string
	line    int // of the header
	columns []column
	rows    []*record
}

// record is one row.
type record struct {
	*tree
	table *table
	line  int
	raw   map[int]string // by column of the sheet, as written
}

// has tells whether a column begins with the name.
func (t *table) has(first string) bool {
	return t != nil && slices.ContainsFunc(t.columns, func(c column) bool { return c.path[0] == first })
}

// get is the text at a path, "" when there is none or it is translated.
func (r *record) get(path ...string) string {
	t := r.tree
	for _, p := range path {
		t = t.kid(p)
	}
	if t == nil || !t.leaf() {
		return ""
	}
	return t.text
}

// cell names the cell of a column: the one that is filled in, else the column's,
// else the row's first.
func (r *record) cell(path ...string) string {
	best := -1
	for _, c := range r.table.columns {
		if len(c.path) < len(path) || !slices.Equal(c.path[:len(path)], path) {
			continue
		}
		if _, filled := r.raw[c.at]; filled {
			return cellName(c.at, r.line)
		}
		if best < 0 {
			best = c.at
		}
	}
	return cellName(max(best, 0), r.line)
}

// headOf names the cell of a column's header.
func (r *record) headOf(path ...string) string {
	for _, c := range r.table.columns {
		if len(c.path) >= len(path) && slices.Equal(c.path[:len(path)], path) {
			return cellName(c.at, r.table.line)
		}
	}
	return cellName(0, r.table.line)
}

func cellName(col, line int) string {
	s, err := excelize.CoordinatesToCellName(col+1, line)
	if err != nil {
		return "A1" // beyond what a workbook can hold
	}
	return s
}

var plainQuotes = strings.NewReplacer("\u2018", "'", "\u2019", "'", "\u201c", `"`, "\u201d", `"`)

// clean writes the quotation marks that word processors make as XPath wants them,
// in labels too, as every converter does; and, where tidy, runs of blanks as one.
func clean(s string, tidy bool) string {
	if tidy {
		s = strings.TrimSpace(s)
		for strings.Contains(s, "  ") {
			s = strings.ReplaceAll(s, "  ", " ")
		}
	}
	return plainQuotes.Replace(s)
}

// read turns a sheet into a table.
func (d dialect) read(p *reading, s sheet, language string, tidy bool) *table {
	t := &table{sheet: s.name}
	if len(s.rows) == 0 {
		return t
	}
	head := s.rows[0]
	t.line = head.n
	double := slices.ContainsFunc(head.cells, func(h string) bool { return strings.Contains(h, "::") })
	for i, raw := range head.cells {
		if raw == "" {
			continue
		}
		c := column{i, raw, d.header(raw, double)}
		for _, o := range t.columns {
			if slices.Equal(o.path, c.path) {
				if o.raw == c.raw {
					p.fault(s.name, cellName(i, head.n), "header.twice", "the column %q is there twice, also at %s; remove one", raw, cellName(o.at, head.n))
				} else {
					p.fault(s.name, cellName(i, head.n), "header.alias", "the columns %q and %q mean the same; remove one", o.raw, raw)
				}
			}
		}
		t.columns = append(t.columns, c)
	}
	place := make([]int, len(head.cells)) // of a column of the sheet in t.columns, from 1
	for k, c := range t.columns {
		place[c.at] = k + 1
	}
	for _, l := range s.rows[1:] {
		r := &record{tree: &tree{}, table: t, line: l.n, raw: map[int]string{}}
		for i, text := range l.cells {
			if text == "" {
				continue
			}
			if i >= len(place) || place[i] == 0 {
				if s.bare {
					p.fault(s.name, cellName(i, l.n), "header.missing", "the cell stands in a column without a header")
				}
				continue // in a workbook, a note
			}
			if utf8.RuneCountInString(text) > maxText {
				p.fault(s.name, cellName(i, l.n), "cell.long", "the text is longer than a cell of a workbook can hold (%d characters)", maxText)
				continue
			}
			r.raw[i] = text
			path := t.columns[place[i]-1].path
			v := &tree{text: clean(text, tidy)}
			for j := len(path) - 1; j > 0; j-- {
				up := &tree{}
				up.set(path[j], v)
				v = up
			}
			if len(path) == 1 {
				// A plain cell after a translated one of its column wins or joins by the
				// same rule.
				if old := r.kid(path[0]); old != nil && !old.leaf() {
					v = merge(old, v, language)
				} else if old != nil {
					v = old // the column is there twice, which is a fault
				}
				r.set(path[0], v)
				continue
			}
			r.set(path[0], merge(r.kid(path[0]), v, language))
		}
		t.rows = append(t.rows, r)
	}
	return t
}
