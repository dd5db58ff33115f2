package postgres

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"dtm"
	"dtm/analyse/warehouse"
)

// sumUpAfter is how many rows may be added to a month of fact_month before the
// month is summed up again. Small enough that a month under
// live load reads fast, large enough that summing up is rare.
const sumUpAfter = 20_000

// Apply adds a batch in one transaction and returns what became of its chunks.
// It is a Conflict when the warehouse does not stand at b.From: somebody else
// loaded, or the file is not this log's.
func (w *Warehouse) Apply(ctx context.Context, b warehouse.Batch) ([]warehouse.Outcome, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.alive(ctx); err != nil {
		return nil, wrap("Apply", err)
	}
	s := warehouse.NewStage(&b, w.pack, w.cells)
	err := w.tx(ctx, func() error {
		if err := w.at(ctx, b.From); err != nil {
			return err
		}
		if err := w.write(ctx, s); err != nil {
			return err
		}
		if err := w.merge(ctx, s); err != nil {
			return err
		}
		return w.exec(ctx, `UPDATE load_position SET seq = $1, hash = $2, event_at = $3`, b.To.Seq, b.To.Hash, b.To.At.UTC())
	})
	if err != nil {
		return nil, wrap("Apply", err)
	}
	for i, c := range s.Cells {
		w.cells[c] = s.FirstCell + int32(i)
	}
	for m, n := range s.Months {
		w.deltas[m] += n
	}
	for _, m := range s.SumUp {
		delete(w.deltas, m)
	}
	return s.Outcomes, nil
}

// at fails unless the warehouse stands at p.
func (w *Warehouse) at(ctx context.Context, p warehouse.Position) error {
	var seq int64
	var hash string
	if err := w.writer.QueryRowContext(ctx, `SELECT seq, hash FROM load_position`).Scan(&seq, &hash); err != nil {
		return err
	}
	if seq != p.Seq || hash != p.Hash {
		return dtm.Errorf(dtm.Conflict, "the warehouse is loaded up to event %d, the batch starts after event %d; read the position again", seq, p.Seq)
	}
	return nil
}

// write fills the temporary tables.
func (w *Warehouse) write(ctx context.Context, s *warehouse.Stage) error {
	err := w.exec(ctx, `
		CREATE TEMP TABLE stage (
			number     INTEGER,
			chunk      INTEGER,
			source     TEXT,
			observed   DATE,
			month      DATE,
			month_only BOOLEAN,
			cell       INTEGER,
			people     INTEGER,
			assessed   TEXT
		) ON COMMIT DROP;
		CREATE TEMP TABLE stage_vulnerability (number INTEGER, code TEXT, people INTEGER) ON COMMIT DROP;
		CREATE TEMP TABLE stage_submission (source TEXT) ON COMMIT DROP;
		CREATE TEMP TABLE stage_replaced (source TEXT) ON COMMIT DROP;
		CREATE TEMP TABLE stage_arrival (LIKE arrival) ON COMMIT DROP;
		CREATE TEMP TABLE sum_up (month DATE) ON COMMIT DROP;
		CREATE TEMP TABLE touched (month DATE, point TEXT, point_text TEXT) ON COMMIT DROP`)
	if err != nil {
		return err
	}
	return w.writer.Raw(func(conn any) error {
		c := conn.(*stdlib.Conn).Conn()
		copyRows := func(table, columns string, n int, row func(i int) []any) error {
			var rows [][]any
			for i := range n {
				if r := row(i); r != nil {
					rows = append(rows, r)
				}
			}
			_, err := c.CopyFrom(ctx, pgx.Identifier{table}, strings.Split(columns, " "), pgx.CopyFromRows(rows))
			return err
		}
		one := func(list []string) func(int) []any { return func(i int) []any { return []any{list[i]} } }
		var vulnerable [][]any
		return errors.Join(
			copyRows("cell", cellColumns, len(s.Cells), func(i int) []any { return w.cellRow(&s.Cells[i], s.FirstCell+int32(i)) }),
			copyRows("stage", "number chunk source observed month month_only cell people assessed", len(s.Facts), func(i int) []any {
				f := &s.Facts[i]
				if f.Dropped {
					return nil
				}
				for _, v := range f.Movement.Vulnerable {
					vulnerable = append(vulnerable, []any{int32(i), v.Code, int32(v.People)})
				}
				return []any{int32(i), f.Chunk, f.Source, f.Observed, f.Month, f.MonthOnly, f.Cell, f.People, f.Assessed}
			}),
			copyRows("stage_vulnerability", "number code people", len(vulnerable), func(i int) []any { return vulnerable[i] }),
			copyRows("stage_submission", "source", len(s.Submitted), one(s.Submitted)),
			copyRows("stage_arrival", "operation source observed point point_text device received hour delay positioned lon lat", len(s.Arrivals), func(i int) []any {
				a := &s.Arrivals[i]
				return []any{w.op.Code, a.Source, a.Observed, a.Point, a.PointText, a.Device, a.Received.UTC(), int32(a.Hour), int32(a.Delay), a.Positioned, a.Lon, a.Lat}
			}),
			copyRows("stage_replaced", "source", len(s.Replaced), one(s.Replaced)),
		)
	})
}

const cellColumns = "operation cell point point_text region role direction flow_type route subroute origin previous next final " +
	"breakdown nationality sex age age_band reason_set transport_set"

// cellRow is a cell in the order of cellColumns.
func (w *Warehouse) cellRow(e *warehouse.Cell, n int32) []any {
	return []any{w.op.Code, n, e.Point, e.PointText, e.Region, e.Role, e.Direction, e.FlowType,
		e.Route, e.Subroute, e.Origin, e.Previous, e.Next, e.Final,
		e.Breakdown, e.Nationality, e.Sex, e.Age, e.AgeBand, e.ReasonSet, e.TransportSet}
}
