package duckdb

import (
	"context"
	"database/sql/driver"
	"errors"
	"time"

	"dtm"
	"dtm/analyse/warehouse"
)

// Thaw opens a warehouse in memory that holds frozen facts and nothing else, for
// reading. Cells stay as they were frozen: nothing is resolved again.
func Thaw(ctx context.Context, op *dtm.Operation, f warehouse.Frozen) (*Warehouse, error) {
	w, err := Open(ctx, "", op)
	if err != nil {
		return nil, err
	}
	if err := w.thaw(ctx, f); err != nil {
		return nil, errors.Join(wrap("Thaw", err), w.Close())
	}
	return w, nil
}

func (w *Warehouse) thaw(ctx context.Context, f warehouse.Frozen) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	code := w.op.Code
	fill := func(table string, rows int, row func(i int) ([]driver.Value, error)) error {
		if rows == 0 {
			return nil
		}
		return w.writer.Raw(func(conn any) error {
			return appendRows(conn.(driver.Conn), "", table, func(add func(...driver.Value) error) error {
				for i := range rows {
					v, err := row(i)
					if err == nil {
						err = add(v...)
					}
					if err != nil {
						return err
					}
				}
				return nil
			})
		})
	}
	return w.tx(ctx, func() error {
		err := fill("cell", len(f.Cells), func(i int) ([]driver.Value, error) {
			e := &f.Cells[i]
			return []driver.Value{code, int32(i), e.Point, e.PointText, e.Region, e.Role, e.Direction, e.FlowType,
				e.Route, e.Subroute, e.Origin, e.Previous, e.Next, e.Final,
				e.Breakdown, e.Nationality, e.Sex, e.Age, e.AgeBand, e.ReasonSet, e.TransportSet}, nil
		})
		if err != nil {
			return err
		}
		month := f.Month.First()
		if err := fill("fact", len(f.Facts), func(i int) ([]driver.Value, error) {
			x := &f.Facts[i]
			day, err := time.Parse(time.DateOnly, x.Observed)
			return []driver.Value{code, x.Source, day, month, x.MonthOnly, x.Cell, int32(x.People), x.Assessed, x.Main}, err
		}); err != nil {
			return err
		}
		if err := fill("fact_month", len(f.Months), func(i int) ([]driver.Value, error) {
			x := &f.Months[i]
			m, err := dtm.ParseMonth(x.Month)
			return []driver.Value{code, m.First(), x.MonthOnly, x.Cell, x.People, x.Main}, err
		}); err != nil {
			return err
		}
		if err := fill("fact_vulnerability", len(f.Vulnerable), func(i int) ([]driver.Value, error) {
			x := &f.Vulnerable[i]
			day, err := time.Parse(time.DateOnly, x.Observed)
			return []driver.Value{code, x.Source, day, dtm.MonthOf(day).First(), x.MonthOnly, x.Cell, x.Code, int32(x.People), int32(x.Assessed)}, err
		}); err != nil {
			return err
		}
		// Days of months before have no people by day: they stand beside the totals.
		if err := fill("point_day", len(f.Days), func(i int) ([]driver.Value, error) {
			x := &f.Days[i]
			day, err := time.Parse(time.DateOnly, x.Observed)
			return []driver.Value{code, day, dtm.MonthOf(day).First(), x.Point, x.PointText, x.Region, "", int64(0), false}, err
		}); err != nil {
			return err
		}
		if err := w.merger().AddDays(ctx); err != nil {
			return err
		}
		sets := warehouse.SetsOf(f.Cells)
		for _, t := range warehouse.Records {
			rows := f.Records[t.Name]
			if err := fill(t.Name, len(rows), func(i int) ([]driver.Value, error) {
				row, more, err := t.Row(rows[i])
				sets = append(sets, more...)
				values := []driver.Value{code}
				for _, v := range row {
					values = append(values, v)
				}
				return values, err
			}); err != nil {
				return err
			}
		}
		if err := w.merger().AddAnswers(ctx, sets); err != nil {
			return err
		}
		return w.exec(ctx, `UPDATE load_position SET seq = $1, hash = $2, event_at = $3`, f.At.Seq, f.At.Hash, f.At.At.UTC())
	})
}
