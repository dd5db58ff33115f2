package duckdb

import (
	"context"
	"time"

	"dtm/analyse/warehouse"
)

// orderAfter is how many rows may be added to a rollup in all before it is put in
// order.
const orderAfter = 300_000

// rollups are put in order by their first column, then by cell.
var rollups = map[string]string{
	"fact_month": `SELECT operation, month, month_only, cell, CAST(sum(people) AS bigint) AS people, main FROM fact_month GROUP BY operation, month, month_only, cell, main ORDER BY month, cell`,
	"fact_day":   `SELECT operation, observed, month, cell, CAST(sum(people) AS bigint) AS people, main FROM fact_day GROUP BY operation, observed, month, cell, main ORDER BY observed, cell`,
}

// order makes rollups short again after much was imported: what has the same month,
// or day, and cell becomes one row, and months and days lie together, so that a page
// about one month does not read the others. It waits until half as much has been
// added as there was, so that an import of any length orders each row a few times.
func (w *Warehouse) order(ctx context.Context, s *warehouse.Stage) error {
	added := 0
	for _, by := range []map[time.Time]int{w.deltas, s.Months} {
		for _, n := range by {
			added += n
		}
	}
	months, err := w.orderOne(ctx, "fact_month", added)
	if err != nil {
		return err
	}
	if months {
		for _, by := range []map[time.Time]int{w.deltas, s.Months} {
			for m := range by {
				s.SumUp = append(s.SumUp, m)
			}
		}
	}
	days, err := w.orderOne(ctx, "fact_day", w.days+s.Days)
	if days {
		s.Days = -w.days
	}
	return err
}

func (w *Warehouse) orderOne(ctx context.Context, table string, added int) (done bool, err error) {
	if added < orderAfter {
		return false, nil
	}
	var rows int
	if err := w.writer.QueryRowContext(ctx, `SELECT CAST(count(*) AS integer) FROM `+table).Scan(&rows); err != nil || added < rows/3 {
		return false, err
	}
	for _, text := range []string{
		`CREATE OR REPLACE TEMP TABLE ordered AS ` + rollups[table],
		`DELETE FROM ` + table,
		`INSERT INTO ` + table + ` SELECT * FROM ordered`,
		`DROP TABLE ordered`,
	} {
		if err := w.exec(ctx, text); err != nil {
			return false, err
		}
	}
	return true, nil
}

// SumUp makes the rollups of all months again from the facts.
func (w *Warehouse) SumUp(ctx context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	err := w.tx(ctx, func() error {
		m := w.merger()
		var months []time.Time
		if err := m.Each(ctx, func(scan func(...any) error) error {
			var at time.Time
			err := scan(&at)
			months = append(months, at)
			return err
		}, `SELECT DISTINCT month FROM fact`); err != nil {
			return err
		}
		return m.SumUp(ctx, months)
	})
	if err == nil {
		clear(w.deltas)
		w.days = 0
	}
	return wrap("SumUp", err)
}
