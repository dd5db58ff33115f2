package odata

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"
	"unicode/utf8"
)

// view says what of a table is written.
type view struct {
	layout *layout
	table  *table
	expand bool            // repeats inside, as arrays
	wkt    bool            // positions as text
	keep   map[*node]bool  // nil: everything
	system map[string]bool // columns of the program that are written; nil: all
	names  map[string]string
}

const timeLayout = "2006-01-02T15:04:05.000Z"

// row appends a row as a JSON object.
func (v *view) row(b []byte, r *record) []byte {
	b = append(b, '{')
	if v.wants("__id") {
		b = append(append(b, `"__id":`...), ""...)
		b = appendText(b, []byte(r.id))
		b = append(b, ',')
	}
	if r.parent != nil && v.wants(r.table.parentKey()) {
		b = append(b, '"')
		b = append(append(b, r.table.parentKey()...), `":`...)
		b = append(appendText(b, []byte(r.parent.id)), ',')
	}
	if r.parent == nil && v.wants("__system") {
		b = append(v.sys(append(b, `"__system":`...), r), ',')
	}
	b = v.group(b, r, r.table.top)
	if b[len(b)-1] == ',' {
		b = b[:len(b)-1]
	}
	return append(b, '}')
}

func (v *view) wants(column string) bool { return v.system == nil || v.system[column] }

// sys appends what the program knows of a submission, in ODK Central's words.
func (v *view) sys(b []byte, r *record) []byte {
	s := r.Streamed
	b = append(b, `{"submissionDate":"`...)
	b = s.Received.UTC().AppendFormat(b, timeLayout)
	b = append(b, `","updatedAt":null,"deletedAt":null,"submitterId":`...)
	if s.Device == "" {
		b = append(b, "null"...)
	} else {
		b = appendText(b, []byte(s.Device))
	}
	b = append(b, `,"submitterName":`...)
	if name := v.names[s.Device]; name == "" {
		b = append(b, "null"...)
	} else {
		b = appendText(b, []byte(name))
	}
	b = strconv.AppendInt(append(b, `,"attachmentsPresent":`...), int64(s.Present), 10)
	b = strconv.AppendInt(append(b, `,"attachmentsExpected":`...), int64(len(s.Expected)), 10)
	b = append(b, `,"status":`...)
	if status := r.status(); status == "" {
		b = append(b, "null"...)
	} else {
		b = appendText(b, []byte(status))
	}
	b = append(b, `,"reviewState":`...)
	if review := review(s.State); review == "" {
		b = append(b, "null"...)
	} else {
		b = appendText(b, []byte(review))
	}
	b = append(b, `,"deviceId":`...)
	if s.DeviceID == "" {
		b = append(b, "null"...)
	} else {
		b = appendText(b, []byte(s.DeviceID))
	}
	b = strconv.AppendInt(append(b, `,"edits":`...), int64(s.Edits), 10)
	b = appendText(append(b, `,"formVersion":`...), []byte(s.Version))
	return append(b, '}')
}

// status is ODK Central's word for a submission that is not whole.
func (r *record) status() string {
	switch {
	case encrypted(r.XML):
		return "notDecrypted"
	case r.Present < len(r.Expected):
		return "missingAttachments"
	}
	return ""
}

func encrypted(doc []byte) bool {
	head := doc[:min(len(doc), 600)]
	return bytes.Contains(head, []byte("http://opendatakit.org/submissions")) && bytes.Contains(head, []byte("encrypted="))
}

// review is ODK Central's word for our state.
func review(state string) string {
	switch state {
	case "flagged", "hasIssues":
		return "hasIssues"
	case "confirmed", "approved":
		return "approved"
	case "rejected", "edited":
		return state
	case "corrected":
		return "edited"
	}
	return ""
}

func (v *view) group(b []byte, r *record, n *node) []byte {
	for _, c := range n.nodes {
		if v.keep != nil && !v.keep[c] {
			continue
		}
		switch c.kind {
		case leafNode:
			b = append(b, c.key...)
			b = append(v.value(b, c, r.values[c.slot]), ',')
		case groupNode:
			b = append(append(b, c.key...), '{')
			b = v.group(b, r, c)
			if b[len(b)-1] == ',' {
				b = b[:len(b)-1]
			}
			b = append(b, '}', ',')
		case repeatNode:
			if !v.expand {
				b = append(b, c.key[:len(c.key)-2]...) // without `":`
				b = append(b, `@odata.navigationLink":`...)
				link := []byte(r.table.name + "('" + r.id + "')/" + c.safe)
				b = append(appendText(b, link), ',')
				continue
			}
			b = append(append(b, c.key...), '[')
			for i, t := range r.turns[c.sub.index] {
				if i > 0 {
					b = append(b, ',')
				}
				b = v.row(b, t)
			}
			b = append(b, ']', ',')
		}
	}
	return b
}

// value appends an answer by its type; what does not fit its type is null, and
// stays in CSV and in the XML as it came.
func (v *view) value(b []byte, n *node, s []byte) []byte {
	if s == nil {
		return append(b, "null"...)
	}
	switch n.field.Type {
	case "int":
		if i, err := strconv.ParseInt(string(s), 10, 64); err == nil {
			return strconv.AppendInt(b, i, 10)
		}
		return append(b, "null"...)
	case "decimal":
		if f, err := strconv.ParseFloat(string(s), 64); err == nil && f-f == 0 {
			if number(s) {
				return append(b, s...)
			}
			return strconv.AppendFloat(b, f, 'f', -1, 64)
		}
		return append(b, "null"...)
	case "dateTime":
		if t, ok := moment(string(s)); ok {
			return append(t.AppendFormat(append(b, '"'), "2006-01-02T15:04:05.000Z07:00"), '"')
		}
		return appendText(b, s)
	case "geopoint", "geotrace", "geoshape":
		if g, ok := parseGeo(n.field.Type, string(s)); ok {
			return g.append(b, v.wkt)
		}
		return append(b, "null"...)
	}
	return appendText(b, s)
}

// number tells whether s is a number of JSON as it stands.
func number(s []byte) bool {
	i := 0
	if i < len(s) && s[i] == '-' {
		i++
	}
	digits := i
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	if i == digits || s[digits] == '0' && i-digits > 1 {
		return false
	}
	if i < len(s) && s[i] == '.' {
		i++
		digits = i
		for i < len(s) && s[i] >= '0' && s[i] <= '9' {
			i++
		}
		if i == digits {
			return false
		}
	}
	return i == len(s)
}

// moment reads a time stamp as phones write them.
func moment(s string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700", "2006-01-02T15:04:05.999999999", "2006-01-02T15:04"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// appendText appends a JSON string. Most answers need no escaping.
func appendText(b, s []byte) []byte {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf && !plainRune(s, i) {
			t, err := json.Marshal(string(s))
			if err != nil {
				return append(b, "null"...)
			}
			return append(b, t...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

// plainRune tells whether the byte at i is part of valid text that may stand in
// JSON: all but the two line separators that JavaScript once tripped over.
func plainRune(s []byte, i int) bool {
	if s[i] < 0xC0 { // the rest of a rune
		return true
	}
	r, n := utf8.DecodeRune(s[i:])
	return !(r == utf8.RuneError && n == 1) && r != '\u2028' && r != '\u2029'
}
