package operation

import (
	"encoding/csv"
	"errors"
	"io"
	"io/fs"
	"strings"

	"dtm"
)

// row is one line of a CSV file of the pack, by column name.
type row struct {
	line   int
	fields map[string]string
	order  []string
}

func (r row) get(column string) string { return r.fields[column] }

// table reads a CSV file with a header row that must have the wanted columns.
func (l *loader) table(file string, want ...string) []row {
	f, err := l.fs.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		l.fault(file, 0, "the file is missing")
		return nil
	}
	if err != nil {
		l.fault(file, 0, "%v", err)
		return nil
	}
	defer f.Close()
	c := csv.NewReader(f)
	c.FieldsPerRecord = -1
	head, err := c.Read()
	if err != nil {
		l.fault(file, 1, "the header row is missing")
		return nil
	}
	head[0] = strings.TrimPrefix(head[0], "\ufeff")
	have := map[string]bool{}
	for _, h := range head {
		if have[h] {
			l.fault(file, 1, "the column %q is there twice", h)
		}
		have[h] = true
	}
	for _, w := range want {
		if !have[w] {
			l.fault(file, 1, "the column %q is missing", w)
		}
	}
	var out []row
	for {
		rec, err := c.Read()
		if errors.Is(err, io.EOF) {
			return out
		}
		var bad *csv.ParseError
		if errors.As(err, &bad) { // the reader goes on with the next line
			l.fault(file, bad.Line, "%v", bad.Err)
			continue
		}
		if err != nil {
			l.fault(file, 0, "%v", err)
			return out
		}
		line, _ := c.FieldPos(0)
		if len(rec) != len(head) {
			l.fault(file, line, "%d fields, the header has %d", len(rec), len(head))
			continue
		}
		r := row{line: line, fields: map[string]string{}, order: head}
		for i, h := range head {
			r.fields[h] = strings.TrimSpace(rec[i])
		}
		out = append(out, r)
	}
}

// text gathers the columns named for the operation's languages: en, fr, ar ..
func (l *loader) text(r row) dtm.Text {
	t := dtm.Text{}
	for _, lang := range l.op.Languages {
		if s := r.get(string(lang)); s != "" {
			t[lang] = s
		}
	}
	return t
}

// once wants a code that no line before has.
func (l *loader) once(file string, r row, seen map[string]int) {
	code := r.get("code")
	switch first, twice := seen[code]; {
	case code == "":
		l.fault(file, r.line, "the code is missing")
	case twice:
		l.fault(file, r.line, "the code %q is on line %d already", code, first)
	default:
		seen[code] = r.line
	}
}

// named reads a file of code,en,fr,ar and further columns into values of any type.
func named[T any](l *loader, file string, value func(r row, name dtm.Text) T) []T {
	var out []T
	seen := map[string]int{}
	for _, r := range l.table(file, "code") {
		code := r.get("code")
		l.once(file, r, seen)
		name := l.text(r)
		l.complete(file, r.line, code, name)
		out = append(out, value(r, name))
	}
	return out
}
