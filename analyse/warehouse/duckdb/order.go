package duckdb

import (
	"context"
	"time"

	"dtm/analyse/warehouse"
)

// order makes the rollups short again after much was imported: what has the same
// month and cell, or day and place, becomes one row, and months and days lie together,
// so that a page about one month does not read the others. It waits until half as much has been added
// as there was, so that an import of any length orders each row a few times.
func (w *Warehouse) order(ctx context.Context, s *warehouse.Stage) error {
	added := 0
	for _, by := range []map[time.Time]int{w.deltas, s.Months} {
		for _, n := range by {
			added += n
		}
	}
	if added < orderAfter {
		return nil
	}
	var rows int
	if err := w.writer.QueryRowContext(ctx, `SELECT CAST(count(*) AS integer) FROM fact_month`).Scan(&rows); err != nil || added < rows/3 {
		return err
	}
	for _, text := range []string{`
		CREATE OR REPLACE TEMP TABLE ordered AS
		SELECT operation, month, month_only, cell, CAST(sum(people) AS bigint) AS people, main
		FROM fact_month
		GROUP BY operation, month, month_only, cell, main
		ORDER BY month, cell`, `
		DELETE FROM fact_month`, `
		INSERT INTO fact_month SELECT * FROM ordered`, `
		DROP TABLE ordered`, `
		CREATE OR REPLACE TEMP TABLE ordered AS
		SELECT operation, observed, month, point, point_text, region, direction, CAST(sum(people) AS bigint) AS people, main
		FROM point_day
		GROUP BY operation, observed, month, point, point_text, region, direction, main
		ORDER BY observed, point`, `
		DELETE FROM point_day`, `
		INSERT INTO point_day SELECT * FROM ordered`, `
		DROP TABLE ordered`,
	} {
		if err := w.exec(ctx, text); err != nil {
			return err
		}
	}
	for m := range w.deltas {
		s.SumUp = append(s.SumUp, m)
	}
	for m := range s.Months {
		s.SumUp = append(s.SumUp, m)
	}
	return nil
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
	}
	return wrap("SumUp", err)
}
