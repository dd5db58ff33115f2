package warehouse

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"dtm"
)

// Frozen is the state of the facts that the figures of a month need: the facts of
// the month itself, and the sums by month and cell of every month up to it. Rows
// are in canonical order and cells are numbered by theirs, so that the same facts
// are the same Frozen however they came into a warehouse (package release sorts).
type Frozen struct {
	Month dtm.Month
	At    Position // the last event whose facts are in it
	With  string   // fingerprint of the Pack that they were made with; "" when not known

	Cells      []Cell         // those that the rows below name by their place
	Facts      []FrozenFact   // of the month
	Vulnerable []FrozenPeople // of the facts; of earlier months summed up, without source
	Months     []FrozenSum    // up to the month
	Days       []FrozenDay    // up to the month

	// Records are the facts of the month besides movements, by table: values as text,
	// in the order of the table's columns. Days are YYYY-MM-DD, instants RFC 3339.
	Records map[string][][]string
}

// FrozenFact is a row of fact.
type FrozenFact struct {
	Source    string
	Observed  string // YYYY-MM-DD
	MonthOnly bool
	Cell      int32
	People    int64
	Assessed  string
	Main      bool
}

// FrozenPeople is a row of fact_vulnerability, or the sum of a month's.
type FrozenPeople struct {
	Source    string // "" for a sum
	Observed  string // the first of the month for a sum
	MonthOnly bool
	Cell      int32
	Code      string
	People    int64
	Assessed  int64
}

// FrozenSum is a row of fact_month.
type FrozenSum struct {
	Month     string // YYYY-MM
	MonthOnly bool
	Cell      int32
	People    int64
	Main      bool
}

// FrozenDay is a row of point_day.
type FrozenDay struct {
	Observed, Point, PointText, Region string
}

// TextOf writes a value of a column.
func (c Column) TextOf(v any) string {
	switch x := v.(type) {
	case string:
		return x
	case int32:
		return strconv.FormatInt(int64(x), 10)
	case time.Time:
		if c.Kind == Date {
			return x.Format(time.DateOnly)
		}
		return x.UTC().Format(time.RFC3339)
	}
	return ""
}

// Value reads what TextOf wrote.
func (c Column) Value(s string) (any, error) {
	switch c.Kind {
	case Int:
		n, err := strconv.ParseInt(s, 10, 32)
		return int32(n), err
	case Date:
		return time.Parse(time.DateOnly, s)
	case Time:
		return time.Parse(time.RFC3339, s)
	}
	return s, nil
}

// Row gives a frozen row's values and the codes of its sets of answers.
func (t Table) Row(fields []string) (Row, []Answered, error) {
	if len(fields) != len(t.Columns) {
		return nil, nil, fmt.Errorf("%s: %d fields for %d columns", t.Name, len(fields), len(t.Columns))
	}
	var row Row
	var sets []Answered
	for i, c := range t.Columns {
		v, err := c.Value(fields[i])
		if err != nil {
			return nil, nil, fmt.Errorf("%s.%s: %w", t.Name, c.Name, err)
		}
		row = append(row, v)
		if c.List != "" {
			for _, code := range strings.Fields(fields[i]) {
				sets = append(sets, Answered{c.List, fields[i], code})
			}
		}
	}
	return row, sets, nil
}
