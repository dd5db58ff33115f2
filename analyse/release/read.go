package release

import (
	"cmp"
	"context"
	"embed"
	"fmt"
	"slices"
	"strings"
	"time"

	"dtm"
	"dtm/analyse/warehouse"
)

//go:embed query/*.sql
var queries embed.FS

// Read takes the facts that the figures of month m need out of a warehouse, as the
// reader's one state has them.
func Read(ctx context.Context, rd warehouse.Reader, operation string, m dtm.Month) (warehouse.Frozen, error) {
	f := warehouse.Frozen{Month: m}
	ask := func(file string, args []any, row func(scan func(...any) error) error) error {
		text, err := queries.ReadFile("query/" + file + ".sql")
		if err == nil {
			err = rd.Query(ctx, string(text), args, row)
		}
		if err != nil {
			return fmt.Errorf("freezing %s: %s: %w", m, file, err)
		}
		return nil
	}
	month := m.First().Format(time.DateOnly)
	cells := map[int32]warehouse.Cell{}
	for _, q := range []struct {
		file string
		args []any
		row  func(scan func(...any) error) error
	}{
		{"position", []any{operation}, func(scan func(...any) error) error {
			err := scan(&f.At.Seq, &f.At.Hash, &f.At.At, &f.With)
			f.At.At = f.At.At.UTC()
			return err
		}},
		{"cell", []any{operation}, func(scan func(...any) error) error {
			var n int32
			var c warehouse.Cell
			err := scan(append([]any{&n}, columnsOf(&c)...)...)
			cells[n] = c
			return err
		}},
		{"fact", []any{operation, month}, func(scan func(...any) error) error {
			var x warehouse.FrozenFact
			err := scan(&x.Source, &x.Observed, &x.MonthOnly, &x.Cell, &x.People, &x.Assessed, &x.Main)
			x.Observed = day(x.Observed)
			f.Facts = append(f.Facts, x)
			return err
		}},
		{"people", []any{operation, month}, func(scan func(...any) error) error {
			var x warehouse.FrozenPeople
			err := scan(&x.Source, &x.Observed, &x.MonthOnly, &x.Cell, &x.Code, &x.People, &x.Assessed)
			x.Observed = day(x.Observed)
			f.Vulnerable = append(f.Vulnerable, x)
			return err
		}},
		{"sum", []any{operation, month}, func(scan func(...any) error) error {
			var x warehouse.FrozenSum
			err := scan(&x.Month, &x.MonthOnly, &x.Cell, &x.People, &x.Main)
			x.Month = day(x.Month)[:7]
			f.Months = append(f.Months, x)
			return err
		}},
		{"day", []any{operation, month}, func(scan func(...any) error) error {
			var x warehouse.FrozenDay
			err := scan(&x.Observed, &x.Point, &x.PointText, &x.Region)
			x.Observed = day(x.Observed)
			f.Days = append(f.Days, x)
			return err
		}},
	} {
		if err := ask(q.file, q.args, q.row); err != nil {
			return f, err
		}
	}
	if err := records(ctx, rd, operation, &f); err != nil {
		return f, err
	}
	return f, canonical(&f, cells)
}

// records reads the facts of the month besides movements.
func records(ctx context.Context, rd warehouse.Reader, operation string, f *warehouse.Frozen) error {
	f.Records = map[string][][]string{}
	for _, t := range warehouse.Records {
		where := `month = CAST($2 AS date)`
		if !slices.ContainsFunc(t.Columns, func(c warehouse.Column) bool { return c.Name == "month" }) {
			where = `source IN (SELECT source FROM site_count WHERE operation = $1 AND month = CAST($2 AS date))`
		}
		text := `SELECT ` + strings.Join(t.Names()[1:], ", ") + ` FROM ` + t.Name + ` WHERE operation = $1 AND ` + where
		err := rd.Query(ctx, text, []any{operation, f.Month.First().Format(time.DateOnly)}, func(scan func(...any) error) error {
			dest := make([]any, len(t.Columns))
			for i, c := range t.Columns {
				switch c.Kind {
				case warehouse.Int:
					dest[i] = new(int32)
				case warehouse.Date, warehouse.Time:
					dest[i] = new(time.Time)
				default:
					dest[i] = new(string)
				}
			}
			if err := scan(dest...); err != nil {
				return err
			}
			row := make([]string, len(dest))
			for i, d := range dest {
				switch v := d.(type) {
				case *int32:
					row[i] = t.Columns[i].TextOf(*v)
				case *time.Time:
					row[i] = t.Columns[i].TextOf(*v)
				case *string:
					row[i] = *v
				}
			}
			f.Records[t.Name] = append(f.Records[t.Name], row)
			return nil
		})
		if err != nil {
			return fmt.Errorf("freezing %s: %s: %w", f.Month, t.Name, err)
		}
		slices.SortFunc(f.Records[t.Name], slices.Compare[[]string])
	}
	return nil
}

// day is the date of a column that an engine may write with a time.
func day(s string) string { return s[:min(len(s), len(time.DateOnly))] }

// columnsOf are the columns of a cell, in the order in which cells are compared.
func columnsOf(c *warehouse.Cell) []any {
	return []any{&c.Point, &c.PointText, &c.Region, &c.Role, &c.Direction, &c.FlowType, &c.Route, &c.Subroute, &c.Origin, &c.Previous,
		&c.Next, &c.Final, &c.Breakdown, &c.Nationality, &c.Sex, &c.Age, &c.AgeBand, &c.ReasonSet, &c.TransportSet}
}

// cellColumns names them.
var cellColumns = []string{"point", "point_text", "region", "role", "direction", "flow_type", "route", "subroute", "origin", "previous",
	"next", "final", "breakdown", "nationality", "sex", "age", "age_band", "reason_set", "transport_set"}

func compareCells(a, b *warehouse.Cell) int {
	x, y := columnsOf(a), columnsOf(b)
	for i := range x {
		if d := strings.Compare(*x[i].(*string), *y[i].(*string)); d != 0 {
			return d
		}
	}
	return 0
}

// canonical numbers the cells in use by their order and puts the rows in theirs.
// Bytes are compared, not letters: no collation may differ between machines.
func canonical(f *warehouse.Frozen, cells map[int32]warehouse.Cell) error {
	used := map[int32]bool{}
	each(f, func(c *int32) { used[*c] = true })
	numbers := make([]int32, 0, len(used))
	for n := range used {
		if _, ok := cells[n]; !ok {
			return dtm.Errorf(dtm.Internal, "a fact names cell %d, which is not there", n)
		}
		numbers = append(numbers, n)
	}
	list := make([]warehouse.Cell, 0, len(numbers))
	slices.SortFunc(numbers, func(a, b int32) int {
		x, y := cells[a], cells[b]
		return compareCells(&x, &y)
	})
	place := map[int32]int32{}
	for _, n := range numbers {
		c := cells[n]
		if last := len(list) - 1; last < 0 || list[last] != c {
			list = append(list, c)
		}
		place[n] = int32(len(list) - 1)
	}
	f.Cells = list
	each(f, func(c *int32) { *c = place[*c] })
	slices.SortFunc(f.Facts, func(a, b warehouse.FrozenFact) int {
		return cmp.Or(strings.Compare(a.Source, b.Source), strings.Compare(a.Observed, b.Observed), cmp.Compare(a.Cell, b.Cell),
			cmp.Compare(a.People, b.People), strings.Compare(a.Assessed, b.Assessed), truth(a.MonthOnly, b.MonthOnly), truth(a.Main, b.Main))
	})
	slices.SortFunc(f.Vulnerable, func(a, b warehouse.FrozenPeople) int {
		return cmp.Or(strings.Compare(a.Source, b.Source), strings.Compare(a.Observed, b.Observed), cmp.Compare(a.Cell, b.Cell), strings.Compare(a.Code, b.Code),
			cmp.Compare(a.People, b.People), cmp.Compare(a.Assessed, b.Assessed), truth(a.MonthOnly, b.MonthOnly))
	})
	slices.SortFunc(f.Months, func(a, b warehouse.FrozenSum) int {
		return cmp.Or(strings.Compare(a.Month, b.Month), cmp.Compare(a.Cell, b.Cell), truth(a.MonthOnly, b.MonthOnly), truth(a.Main, b.Main))
	})
	slices.SortFunc(f.Days, func(a, b warehouse.FrozenDay) int {
		return cmp.Or(strings.Compare(a.Observed, b.Observed), strings.Compare(a.Point, b.Point), strings.Compare(a.PointText, b.PointText), strings.Compare(a.Region, b.Region))
	})
	return nil
}

func each(f *warehouse.Frozen, do func(cell *int32)) {
	for i := range f.Facts {
		do(&f.Facts[i].Cell)
	}
	for i := range f.Vulnerable {
		do(&f.Vulnerable[i].Cell)
	}
	for i := range f.Months {
		do(&f.Months[i].Cell)
	}
}

func truth(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}
