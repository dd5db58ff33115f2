package check

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"dtm"
)

// written names every spelling that is not the register's or a code list's own, once,
// on the first month in which it stands: those that were understood (by an alias, a
// label, whatever the case and accents), and those that were not but are like a known
// one. Codes that are like none are named too: they are in no list.
func (r Rules) written(op *dtm.Operation, rows []monthRow) []Finding {
	if op == nil {
		return nil
	}
	type key struct{ rule, subject, text, means string }
	first, count := map[key]monthRow{}, map[key]int{}
	see := func(k key, x monthRow) {
		if _, off := r.limit(k.rule, ""); off {
			return
		}
		count[k]++
		if f, ok := first[k]; !ok || x.Observed.Before(f.Observed) {
			first[k] = x
		}
	}
	points := nearest(func(yield func(string, string) bool) {
		for _, p := range op.Network() {
			for s := range p.Spellings {
				if !yield(p.Code, s) {
					return
				}
			}
		}
	})
	lists := map[string]func(string) string{}
	for _, x := range rows {
		m := &x.Rows[0]
		p, known := op.Point(x.Point)
		switch {
		case m.PointText == "":
		case known && !proper(p, m.PointText):
			see(key{"point.spelling", p.Code, m.PointText, p.Name.In(dtm.English)}, x)
		case !known:
			if code := points(m.PointText); code != "" {
				p, _ := op.Point(code)
				see(key{"point.spelling", code, m.PointText, p.Name.In(dtm.English)}, x)
			}
		}
		for _, f := range m.Flags {
			switch f.Rule {
			case "code.spelling":
				see(key{f.Rule, f.Path, f.Note, meant(m, f.Path)}, x)
			case "code.unknown":
				near, ok := lists[f.Path]
				if !ok {
					near = nearest(codesOf(op, f.Path))
					lists[f.Path] = near
				}
				if code := near(f.Note); code != "" {
					see(key{"code.spelling", f.Path, f.Note, code}, x)
				} else {
					see(key{f.Rule, f.Path, f.Note, ""}, x)
				}
			}
		}
	}
	var out []Finding
	for _, k := range slices.SortedFunc(maps.Keys(first), func(a, b key) int {
		return cmp.Or(cmp.Compare(a.rule, b.rule), cmp.Compare(a.subject, b.subject), cmp.Compare(a.text, b.text))
	}) {
		x := first[k]
		text := k.text
		if k.means != "" {
			text += " → " + k.means
		}
		out = append(out, Finding{Rule: k.rule, Text: text, Subject: k.subject, Day: x.Observed, Seen: float64(count[k])})
	}
	return out
}

// proper tells whether the text is the point's code or one of its names.
func proper(p dtm.Point, text string) bool {
	text = strings.TrimSpace(text)
	if text == p.Code {
		return true
	}
	for _, n := range p.Name {
		if n == text {
			return true
		}
	}
	return false
}

// meant is the code that a row has in a column of the registry.
func meant(m *dtm.Movement, column string) string {
	switch column {
	case "route":
		return m.Route
	case "subroute":
		return m.Subroute
	case "movement":
		return m.Direction
	case "flow_type":
		return m.FlowType
	case "origin":
		return m.Origin
	case "previous":
		return m.Previous
	case "next":
		return m.Next
	case "final":
		return m.Final
	case "nat":
		return m.Nationality
	case "sex":
		return m.Sex
	case "age":
		return m.Age
	}
	return ""
}

// codesOf gives the codes and labels of the list that a column of the registry is
// coded by.
func codesOf(op *dtm.Operation, column string) func(func(string, string) bool) {
	name := column
	switch column {
	case "movement":
		name = "direction"
	case "origin", "previous", "next", "final", "nat":
		name = "country"
	}
	return func(yield func(string, string) bool) {
		for _, c := range op.Lists[name].Codes {
			if !yield(c.Code, c.Code) {
				return
			}
			for _, label := range c.Label {
				if !yield(c.Code, label) {
					return
				}
			}
		}
	}
}

// nearest gives a function that tells which known spelling's code a text was meant to
// be: the only one within one edit, from seven letters on within two; "" when there
// is none or more than one.
func nearest(known func(func(code, spelling string) bool)) func(string) string {
	type word struct {
		code string
		fold []rune
	}
	var words []word
	known(func(code, s string) bool {
		if f := []rune(dtm.Fold(s)); len(f) > 3 {
			words = append(words, word{code, f})
		}
		return true
	})
	return func(text string) string {
		t := []rune(dtm.Fold(text))
		best, code := 3, ""
		for _, w := range words {
			most := 1
			if min(len(t), len(w.fold)) >= 7 {
				most = 2
			}
			if n := edits(t, w.fold, most); n <= most && n < best {
				best, code = n, w.code
			} else if n == best && n <= most && w.code != code {
				code = ""
			}
		}
		return code
	}
}

// edits is the least number of letters to add, take away, change or swap with their
// neighbour that makes one word of the other (Damerau 1964, each letter touched once);
// more than most when it is.
func edits(a, b []rune, most int) int {
	if len(a)-len(b) > most || len(b)-len(a) > most {
		return most + 1
	}
	var before, last []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range a {
		before, last, row = last, row, make([]int, len(b)+1)
		row[0] = i + 1
		for j := range b {
			change := 1
			if a[i] == b[j] {
				change = 0
			}
			row[j+1] = min(row[j]+1, last[j+1]+1, last[j]+change)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
	}
	return row[len(b)]
}
