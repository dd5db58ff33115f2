package relational

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"math"
	"slices"
	"strconv"
	"strings"

	"dtm"
)

// Place is the rows of one operation as they lie in an engine's tables: what is moved
// from one engine to another, row by row and as it is.
type Place struct {
	DB        *sql.DB
	Operation string
	// Tables are those that every engine has, parents before what refers to them.
	Tables []Table
	// Load adds rows to a table, all or none. Values are int64, float64, string, []byte
	// or nil, as the columns are.
	Load func(ctx context.Context, t Table, rows [][]any) error
}

// Table is one with the columns that are moved, in the order of their names.
type Table struct {
	Name    string
	Columns []Column
	Key     []string // by which rows are ordered, operation among them
}

// Column is one of a Table.
type Column struct {
	Name string
	Kind Kind
	Null bool // may be NULL
}

// Kind is what a column holds.
type Kind byte

const (
	Text   Kind = 't'
	Number Kind = 'i'
	Real   Kind = 'r'
	Bytes  Kind = 'b'
)

// Shape gives the tables as they are moved, from those that an engine has: without what
// is an engine's own, or is made anew when the log is read again (words, spans
// of days, sums by device, what entries are about).
func Shape(all []Table) []Table {
	var list []Table
	for _, t := range all {
		switch t.Name {
		case "submission_text", "reading_word", "reading_done", "reading_span", "submission_tally", "event_subject", "submission_registry", "log_lock", "work_claim", "moving":
			continue
		case "submission_reading": // numbered again in their order, and read again: words, spans and sums are made of it
			t.Key = []string{"operation", "seq"}
			t.Columns = slices.DeleteFunc(slices.Clone(t.Columns), func(c Column) bool { return c.Name == "doc" || c.Name == "words" || c.Name == "arrived" })
		case "submission_sealed": // its rows have an order beside their key
			t.Key = []string{"operation", "submission", "rowid"}
		}
		if !slices.ContainsFunc(t.Columns, func(c Column) bool { return c.Name == "operation" }) {
			continue
		}
		slices.SortFunc(t.Columns, func(a, b Column) int { return strings.Compare(a.Name, b.Name) })
		list = append(list, t)
	}
	return list
}

// Sum is what a table holds: the number of its rows and a hash of all of them, in the
// order of their key, which is the same in every engine.
type Sum struct {
	Table string
	Rows  int64
	Hash  string
}

// moved is how many rows go at once.
const moved = 500

// Moving tells how far a move is.
type Moving struct {
	Table       string
	Done, Total int64 // rows of all tables
}

// Move copies what from has of the operation to to, which has nothing of it but what an
// earlier Move that was interrupted brought there: it goes on behind the last row of
// each table. Nothing may be written at either meanwhile. tell is called now and then.
func Move(ctx context.Context, from, to Place, tell func(Moving)) error {
	const op = "store.Move"
	if err := alike(from.Tables, to.Tables); err != nil {
		return err
	}
	var m Moving
	for _, t := range from.Tables {
		n, err := from.count(ctx, t)
		if err != nil {
			return failure(op, err)
		}
		m.Total += n
	}
	for _, t := range from.Tables {
		m.Table = t.Name
		there, err := to.count(ctx, t)
		if err != nil {
			return failure(op, err)
		}
		after, err := to.last(ctx, t)
		if err != nil {
			return failure(op, err)
		}
		m.Done += there
		tell(m)
		for {
			rows, err := from.after(ctx, t, after)
			if err != nil {
				return failure(op, err)
			}
			if len(rows) == 0 {
				break
			}
			if err := to.Load(ctx, t, rows); err != nil {
				if t.Name == "submission" && unique(err) {
					return dtm.Errorf(dtm.Conflict, "a submission belongs to another operation of that database already; nothing of it was moved (%v)", err).Coded("store.moved_elsewhere")
				}
				return failure(op, fmt.Errorf("table %s: %w", t.Name, err))
			}
			after = t.keyOf(rows[len(rows)-1])
			m.Done += int64(len(rows))
			tell(m)
		}
	}
	return nil
}

// alike fails unless both engines have the same tables with the same columns.
func alike(a, b []Table) error {
	names := func(list []Table) map[string]string {
		out := map[string]string{}
		for _, t := range list {
			var s []string
			for _, c := range t.Columns {
				s = append(s, c.Name+" "+string(c.Kind))
			}
			out[t.Name] = strings.Join(s, ", ")
		}
		return out
	}
	x, y := names(a), names(b)
	for name := range x {
		if x[name] != y[name] {
			return dtm.Errorf(dtm.Internal, "table %s differs: (%s) and (%s)", name, x[name], y[name])
		}
	}
	if len(x) != len(y) {
		return dtm.Errorf(dtm.Internal, "%d tables and %d", len(x), len(y))
	}
	return nil
}

func (t Table) names() string {
	list := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		list[i] = c.Name
	}
	return strings.Join(list, ", ")
}

// keyOf are the values of a row's key.
func (t Table) keyOf(row []any) []any {
	key := make([]any, len(t.Key))
	for i, k := range t.Key {
		key[i] = row[slices.IndexFunc(t.Columns, func(c Column) bool { return c.Name == k })]
	}
	return key
}

func (p Place) count(ctx context.Context, t Table) (n int64, err error) {
	err = p.DB.QueryRowContext(ctx, `SELECT count(*) FROM `+t.Name+` WHERE operation = $1`, p.Operation).Scan(&n)
	return n, err
}

// last is the key of the last row, nil when there is none.
func (p Place) last(ctx context.Context, t Table) ([]any, error) {
	rows, err := p.rows(ctx, t, `
		WHERE operation = $1
		ORDER BY `+strings.Join(t.Key, " DESC, ")+` DESC
		LIMIT 1`, p.Operation)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return t.keyOf(rows[0]), nil
}

// after gives the next rows behind a key.
func (p Place) after(ctx context.Context, t Table, key []any) ([][]any, error) {
	end, args := t.Behind(p.Operation, key)
	return p.rows(ctx, t, end, args...)
}

// Behind is the end of the statement that reads the next rows of an operation behind a key,
// nil: the first. The operation stands apart from the rest of the key: SQLite looks a range
// up in an index only when no column of it is bound twice, and goes through all rows from
// the first otherwise, each time.
func (t Table) Behind(operation string, key []any) (string, []any) {
	where, args := `WHERE operation = $1`, []any{operation}
	var names, binds []string
	for i, k := range t.Key {
		if key != nil && k != "operation" {
			args = append(args, key[i])
			names, binds = append(names, k), append(binds, "$"+strconv.Itoa(len(args)))
		}
	}
	switch {
	case len(names) > 0:
		where += ` AND (` + strings.Join(names, ", ") + `) > (` + strings.Join(binds, ", ") + `)`
	case key != nil: // an operation has one row
		where += ` AND 1 = 0`
	}
	return where + ` ORDER BY ` + strings.Join(t.Key, ", ") + ` LIMIT ` + strconv.Itoa(moved), args
}

func (p Place) rows(ctx context.Context, t Table, end string, args ...any) ([][]any, error) {
	rows, err := p.DB.QueryContext(ctx, `SELECT `+t.names()+` FROM `+t.Name+` `+end, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list [][]any
	for rows.Next() {
		row := make([]any, len(t.Columns))
		dest := make([]any, len(row))
		for i := range row {
			dest[i] = &row[i]
		}
		if err := rows.Scan(dest...); err != nil {
			return nil, err
		}
		for i, c := range t.Columns {
			if row[i], err = c.value(row[i]); err != nil {
				return nil, fmt.Errorf("%s: %w", t.Name, err)
			}
		}
		list = append(list, row)
	}
	return list, rows.Err()
}

// value is v as the column holds it: SQLite takes anything in any column.
func (c Column) value(v any) (any, error) {
	if v == nil && c.Null {
		return nil, nil
	}
	switch c.Kind {
	case Text:
		switch x := v.(type) {
		case string:
			return x, nil
		case []byte:
			return string(x), nil
		}
	case Bytes:
		switch x := v.(type) {
		case nil: // an empty one
			return []byte{}, nil
		case string:
			return []byte(x), nil
		case []byte: // nil too, from SQLite, when it is empty
			return blob(x), nil
		}
	case Number:
		if x, ok := v.(int64); ok {
			return x, nil
		}
	case Real:
		switch x := v.(type) {
		case float64:
			return x, nil
		case int64:
			return float64(x), nil
		}
	}
	return nil, fmt.Errorf("column %s holds a %T", c.Name, v)
}

// Sums counts and hashes every table.
func (p Place) Sums(ctx context.Context, tell func(Moving)) ([]Sum, error) {
	var list []Sum
	var m Moving
	for _, t := range p.Tables {
		s, h := Sum{Table: t.Name}, sha256.New()
		m.Table = t.Name
		for after := []any(nil); ; {
			rows, err := p.after(ctx, t, after)
			if err != nil {
				return nil, failure("store.Sums", err)
			}
			if len(rows) == 0 {
				break
			}
			for _, r := range rows {
				for _, v := range r {
					hashValue(h, v)
				}
			}
			s.Rows += int64(len(rows))
			m.Done += int64(len(rows))
			tell(m)
			after = t.keyOf(rows[len(rows)-1])
		}
		s.Hash = hex.EncodeToString(h.Sum(nil))
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b Sum) int { return strings.Compare(a.Table, b.Table) })
	return list, nil
}

func hashValue(h hash.Hash, v any) {
	var b [9]byte
	put := func(kind Kind, n uint64) {
		b[0] = byte(kind)
		binary.BigEndian.PutUint64(b[1:], n)
		h.Write(b[:])
	}
	switch x := v.(type) {
	case nil:
		put('n', 0)
	case int64:
		put(Number, uint64(x))
	case float64:
		put(Real, math.Float64bits(x))
	case string:
		put(Text, uint64(len(x)))
		h.Write([]byte(x))
	case []byte:
		put(Bytes, uint64(len(x)))
		h.Write(x)
	}
}

// Differ tells in which tables two places differ: Conflict; nil when in none.
func Differ(a, b []Sum) error {
	var names []string
	for i := range max(len(a), len(b)) {
		switch {
		case i >= len(a) || i >= len(b):
			return dtm.Errorf(dtm.Conflict, "%d tables and %d", len(a), len(b))
		case a[i] != b[i]:
			names = append(names, fmt.Sprintf("%s (%d, %d)", a[i].Table, a[i].Rows, b[i].Rows))
		}
	}
	if len(names) == 0 {
		return nil
	}
	return dtm.Errorf(dtm.Conflict, "what was moved differs (rows there and here): %s; the place it came from is unchanged", strings.Join(names, ", ")).Coded("store.moved_differs", strings.Join(names, ", "))
}
