package xlsform

import (
	"strings"

	"github.com/xuri/excelize/v2"
)

// column is a header taken apart: `label::French (fr)` is column label in
// language "French (fr)"; `bind::odk:length` has the rest as its attribute.
type column struct {
	name string // canonical
	lang string // "" when the header names none
	attr string // of bind::, body::, instance::
	raw  string
}

// aliases of column names, after lower case and with blanks as underscores.
var aliases = map[string]string{
	"caption": "label", "relevance": "relevant", "skipif": "relevant", "read_only": "readonly", "calculate": "calculation",
	"constraint_msg": "constraint_message", "constraintmessage": "constraint_message", "requiredmsg": "required_message", "required_msg": "required_message",
	"requiredmessage": "required_message", "command": "type", "tag": "name", "value": "name", "count": "repeat_count", "jr:count": "repeat_count",
	"list_name": "list name", "listname": "list name", "image": "media::image", "audio": "media::audio", "video": "media::video", "big-image": "media::big-image",
	"guidance_hint": "guidance_hint", "title": "form_title", "set_form_title": "form_title", "id_string": "form_id", "set_form_id": "form_id",
	"choicefilter": "choice_filter", "filter": "choice_filter", "defaultlanguage": "default_language", "instancename": "instance_name",
}

// bound columns may be written as bind:: attributes.
var bound = map[string]string{
	"relevant": "relevant", "required": "required", "constraint": "constraint", "calculate": "calculation", "readonly": "readonly",
	"jr:constraintmsg": "constraint_message", "jr:requiredmsg": "required_message", "constraint_message": "constraint_message", "type": "",
}

var translated = map[string]bool{"label": true, "hint": true, "guidance_hint": true, "constraint_message": true, "required_message": true,
	"media::image": true, "media::audio": true, "media::video": true, "media::big-image": true}

func readHeader(s string) column {
	c := column{raw: s}
	sep := "::"
	if !strings.Contains(s, "::") {
		head, _, _ := strings.Cut(s, ":")
		if n := canonical(head); !translated[n] && n != "media" && n != "bind" {
			sep = "\x00"
		} else {
			sep = ":"
		}
	}
	parts := strings.Split(s, sep)
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	c.name = canonical(parts[0])
	rest := parts[1:]
	switch {
	case c.name == "media" && len(rest) > 0:
		c.name = "media::" + strings.ToLower(rest[0])
		rest = rest[1:]
	case (c.name == "bind" || c.name == "body" || c.name == "instance" || c.name == "control") && len(rest) > 0:
		if c.name == "control" {
			c.name = "body"
		}
		c.attr = strings.Join(rest, ":")
		if b, ok := bound[strings.ToLower(c.attr)]; ok && c.name == "bind" && b != "" {
			c.name, c.attr = b, ""
		} else if c.name == "body" && strings.EqualFold(c.attr, "appearance") {
			c.name, c.attr = "appearance", ""
		}
		rest = nil
	}
	if len(rest) > 0 && translated[c.name] {
		c.lang = strings.Join(rest, "::")
	} else if len(rest) > 0 {
		c.name = strings.ToLower(s)
	}
	return c
}

func canonical(s string) string {
	n := strings.ReplaceAll(strings.ToLower(strings.TrimSpace(s)), " ", "_")
	if a, ok := aliases[n]; ok {
		return a
	}
	return n
}

// record is a row by column.
type record struct {
	sheet  string
	line   int
	cells  map[string]string            // canonical name -> text
	langs  map[string]map[string]string // translated column -> language -> text
	attrs  map[string]map[string]string // bind, body, instance -> attribute -> text
	places map[string]string            // canonical name -> cell
	order  []string                     // further columns, in order: of choices
}

func (r record) get(name string) string { return r.cells[name] }

// where is the cell of a column, or the row's first when it is not there.
func (r record) where(name string) string {
	if p, ok := r.places[name]; ok {
		return p
	}
	return cellName(1, r.line)
}

func cellName(col, row int) string {
	s, err := excelize.CoordinatesToCellName(col, row)
	if err != nil {
		return ""
	}
	return s
}

// table turns a sheet into records. Columns without a header are left out.
func (p *reading) table(s sheet) ([]column, []record) {
	if len(s.rows) == 0 {
		return nil, nil
	}
	head := s.rows[0]
	cols := make([]column, len(head.cells))
	seen := map[string]string{}
	for i, h := range head.cells {
		if h == "" {
			continue
		}
		c := readHeader(h)
		key := c.name + "::" + c.lang + "::" + c.attr
		if before, twice := seen[key]; twice {
			p.fault(s.name, cellName(i+1, head.n), "form.column_twice", "the column %q is there twice (also as %q); keep one", h, before)
		}
		seen[key] = h
		cols[i] = c
	}
	var out []record
	for _, l := range s.rows[1:] {
		r := record{sheet: s.name, line: l.n, cells: map[string]string{}, langs: map[string]map[string]string{}, attrs: map[string]map[string]string{}, places: map[string]string{}}
		for i, text := range l.cells {
			if i >= len(cols) || cols[i].name == "" {
				continue
			}
			c := cols[i]
			if _, ok := r.places[c.name]; !ok || text != "" {
				r.places[c.name] = cellName(i+1, l.n)
			}
			if text == "" {
				continue
			}
			switch {
			case c.attr != "":
				if r.attrs[c.name] == nil {
					r.attrs[c.name] = map[string]string{}
				}
				r.attrs[c.name][c.attr] = text
			case translated[c.name]:
				if r.langs[c.name] == nil {
					r.langs[c.name] = map[string]string{}
				}
				r.langs[c.name][c.lang] = text
			default:
				r.cells[c.name] = text
				r.order = append(r.order, c.name)
			}
		}
		out = append(out, r)
	}
	return cols, out
}
