package release

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"dtm"
	"dtm/analyse/warehouse"
)

// Names of the parts of a release. Those of facts are never published: they hold
// small counts and single groups.
const (
	PartOperation  = "operation.json"
	PartCells      = "cells.csv"
	PartFacts      = "facts.csv"
	PartVulnerable = "vulnerable.csv"
	PartMonths     = "months.csv"
	PartDays       = "days.csv"
	PartFigures    = "figures.csv"
	PartWithheld   = "withheld.csv"
	PartPattern    = "pattern.csv"
	PartChecks     = "checks.json"
	PartChanges    = "changes.json"
)

// ReportPart is the name of the monthly report in a language.
func ReportPart(l dtm.Lang) string { return "report-" + string(l) + ".pdf" }

// FactParts are those that the event log alone decides.
var FactParts = func() []string {
	out := []string{PartCells, PartFacts, PartVulnerable, PartMonths, PartDays}
	for _, t := range warehouse.Records {
		out = append(out, RecordPart(t))
	}
	return out
}()

// RecordPart is the name of the part that holds the rows of a table of facts besides
// movements. Releases made before the table have none.
func RecordPart(t warehouse.Table) string { return t.Name + ".csv" }

// Public tells whether a part may leave. The changes do: they hold published figures
// and sums, no single group.
func Public(part string) bool {
	switch part {
	case PartFigures, PartWithheld, PartPattern:
		return true
	}
	return len(part) > 4 && part[len(part)-4:] == ".pdf"
}

// Encode writes facts as parts: CSV as package encoding/csv writes it, UTF-8, lines
// ended by \n, a head line with the names of the columns, rows in canonical order,
// booleans as 0 and 1. The same facts give the same bytes on every machine.
func Encode(f warehouse.Frozen) map[string][]byte {
	cells := &sheet{}
	cells.line(cellColumns...)
	for i := range f.Cells {
		var row []string
		for _, c := range columnsOf(&f.Cells[i]) {
			row = append(row, *c.(*string))
		}
		cells.line(row...)
	}
	facts := &sheet{}
	facts.line("source", "observed", "month_only", "cell", "people", "assessed", "main")
	for _, x := range f.Facts {
		facts.line(x.Source, x.Observed, bit(x.MonthOnly), number(int64(x.Cell)), number(x.People), x.Assessed, bit(x.Main))
	}
	people := &sheet{}
	people.line("source", "observed", "month_only", "cell", "code", "people", "assessed")
	for _, x := range f.Vulnerable {
		people.line(x.Source, x.Observed, bit(x.MonthOnly), number(int64(x.Cell)), x.Code, number(x.People), number(x.Assessed))
	}
	months := &sheet{}
	months.line("month", "month_only", "cell", "people", "main")
	for _, x := range f.Months {
		months.line(x.Month, bit(x.MonthOnly), number(int64(x.Cell)), number(x.People), bit(x.Main))
	}
	days := &sheet{}
	days.line("observed", "point", "point_text", "region")
	for _, x := range f.Days {
		days.line(x.Observed, x.Point, x.PointText, x.Region)
	}
	parts := map[string][]byte{PartCells: cells.bytes(), PartFacts: facts.bytes(), PartVulnerable: people.bytes(), PartMonths: months.bytes(), PartDays: days.bytes()}
	for _, t := range warehouse.Records {
		rows := &sheet{}
		rows.line(t.Names()[1:]...)
		for _, r := range f.Records[t.Name] {
			rows.line(r...)
		}
		parts[RecordPart(t)] = rows.bytes()
	}
	return parts
}

// sheet is a CSV file on its way.
type sheet struct {
	b bytes.Buffer
	w *csv.Writer
}

func (s *sheet) line(fields ...string) {
	if s.w == nil {
		s.w = csv.NewWriter(&s.b)
	}
	_ = s.w.Write(fields) // a buffer takes everything
}

func (s *sheet) bytes() []byte {
	if s.w != nil {
		s.w.Flush()
	}
	return s.b.Bytes()
}

func bit(v bool) string {
	if v {
		return "1"
	}
	return "0"
}

func number(n int64) string { return strconv.FormatInt(n, 10) }

// Decode reads the fact parts back. It is Conflict, with the part and the line, when
// one is missing or is not as Encode writes.
func Decode(m dtm.Month, at warehouse.Position, parts map[string][]byte) (warehouse.Frozen, error) {
	f := warehouse.Frozen{Month: m, At: at}
	if err := lines(parts, PartCells, len(cellColumns), func(r *row) {
		var c warehouse.Cell
		for _, p := range columnsOf(&c) {
			*p.(*string) = r.text()
		}
		f.Cells = append(f.Cells, c)
	}); err != nil {
		return f, err
	}
	cell := func(r *row) int32 {
		n := r.number()
		if n < 0 || n >= int64(len(f.Cells)) {
			r.bad = true
			return 0
		}
		return int32(n)
	}
	if err := lines(parts, PartFacts, 7, func(r *row) {
		f.Facts = append(f.Facts, warehouse.FrozenFact{Source: r.text(), Observed: r.date(), MonthOnly: r.bit(), Cell: cell(r), People: r.number(), Assessed: r.text(), Main: r.bit()})
	}); err != nil {
		return f, err
	}
	if err := lines(parts, PartVulnerable, 7, func(r *row) {
		f.Vulnerable = append(f.Vulnerable, warehouse.FrozenPeople{Source: r.text(), Observed: r.date(), MonthOnly: r.bit(), Cell: cell(r), Code: r.text(), People: r.number(), Assessed: r.number()})
	}); err != nil {
		return f, err
	}
	if err := lines(parts, PartMonths, 5, func(r *row) {
		x := warehouse.FrozenSum{Month: r.text(), MonthOnly: r.bit(), Cell: cell(r), People: r.number(), Main: r.bit()}
		if _, err := dtm.ParseMonth(x.Month); err != nil {
			r.bad = true
		}
		f.Months = append(f.Months, x)
	}); err != nil {
		return f, err
	}
	if err := lines(parts, PartDays, 4, func(r *row) {
		f.Days = append(f.Days, warehouse.FrozenDay{Observed: r.date(), Point: r.text(), PointText: r.text(), Region: r.text()})
	}); err != nil {
		return f, err
	}
	f.Records = map[string][][]string{}
	for _, t := range warehouse.Records {
		if _, has := parts[RecordPart(t)]; !has {
			continue
		}
		if err := lines(parts, RecordPart(t), len(t.Columns), func(r *row) {
			if _, _, err := t.Row(r.fields); err != nil {
				r.bad = true
			}
			f.Records[t.Name] = append(f.Records[t.Name], r.fields)
		}); err != nil {
			return f, err
		}
	}
	return f, nil
}

// row is a line that is read field by field.
type row struct {
	fields []string
	bad    bool
}

func (r *row) text() string {
	s := r.fields[0]
	r.fields = r.fields[1:]
	return s
}

func (r *row) number() int64 {
	n, err := strconv.ParseInt(r.text(), 10, 64)
	r.bad = r.bad || err != nil
	return n
}

func (r *row) bit() bool {
	s := r.text()
	r.bad = r.bad || s != "0" && s != "1"
	return s == "1"
}

func (r *row) date() string {
	s := r.text()
	_, err := time.Parse(time.DateOnly, s)
	r.bad = r.bad || err != nil
	return s
}

func lines(parts map[string][]byte, name string, fields int, do func(*row)) error {
	b, ok := parts[name]
	if !ok {
		return broken(name, 0, "it is missing")
	}
	rd := csv.NewReader(bytes.NewReader(b))
	rd.FieldsPerRecord = fields
	rd.ReuseRecord = true
	for n := 1; ; n++ {
		rec, err := rd.Read()
		if err != nil && err.Error() == "EOF" {
			return nil
		}
		if err != nil {
			return broken(name, n, err.Error())
		}
		if n == 1 {
			continue
		}
		r := &row{fields: slices.Clone(rec)}
		if do(r); r.bad {
			return broken(name, n, fmt.Sprintf("a field of %q cannot be read", rec))
		}
	}
}

func broken(part string, line int, what string) error {
	where := part
	if line > 0 {
		where += ":" + strconv.Itoa(line)
	}
	return dtm.Errorf(dtm.Conflict, "the release's part is damaged: %s", what).At(where).Coded("release.part", part)
}

// operation is dtm.Operation as a part: the zone by its name, areas and points as
// they were in use, without forms, which figures do not need.
type operation struct {
	*dtm.Operation
	Areas      []dtm.Area
	Boundaries []byte
	Points     []dtm.Point
	Zone       string
	Forms      []dtm.PackForm `json:",omitempty"`
}

// EncodeOperation writes the operation as the figures saw it, with its areas and
// points.
func EncodeOperation(op *dtm.Operation, areas *dtm.Atlas, points []dtm.Point) ([]byte, error) {
	return json.MarshalIndent(operation{Operation: op, Areas: areas.Areas, Boundaries: areas.Boundaries, Points: points, Zone: op.Zone.String()}, "", " ")
}

// DecodeOperation reads it back: Conflict.
func DecodeOperation(b []byte) (*dtm.Operation, error) {
	o := operation{Operation: &dtm.Operation{}}
	if err := json.Unmarshal(b, &o); err != nil {
		return nil, broken(PartOperation, 0, err.Error())
	}
	zone, err := time.LoadLocation(o.Zone)
	if err != nil {
		return nil, broken(PartOperation, 0, err.Error())
	}
	o.Operation.Areas, o.Operation.Boundaries, o.Operation.Points, o.Operation.Zone = o.Areas, o.Boundaries, o.Points, zone
	return o.Operation, nil
}
