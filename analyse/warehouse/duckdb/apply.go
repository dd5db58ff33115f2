package duckdb

import (
	"context"
	"database/sql/driver"
	"errors"

	"github.com/duckdb/duckdb-go/v2"

	"dtm"
	"dtm/analyse/warehouse"
)

// Apply adds a batch in one transaction and returns what became of its chunks.
// It is a Conflict when the warehouse does not stand at b.From: somebody else
// loaded, or the file is not this log's.
func (w *Warehouse) Apply(ctx context.Context, b warehouse.Batch) ([]warehouse.Outcome, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := warehouse.NewStage(&b, w.pack, w.cells)
	err := w.tx(ctx, func() error {
		if err := w.at(ctx, b.From); err != nil {
			return err
		}
		if err := w.merger().Merge(ctx, s); err != nil {
			return err
		}
		if err := w.order(ctx, s); err != nil {
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
	w.days += s.Days
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

// merger is the shared part of the work, on the writer's connection.
func (w *Warehouse) merger() warehouse.Merger {
	return warehouse.Merger{Writer: &writer{w: w, temps: map[string]bool{}}, Operation: w.op.Code, Deltas: w.deltas}
}

// writer is the writer's connection within a transaction.
type writer struct {
	w     *Warehouse
	temps map[string]bool
}

func (x *writer) Exec(ctx context.Context, text string, args ...any) (int64, error) {
	return x.w.run(ctx, text, args...)
}

func (x *writer) Each(ctx context.Context, row func(scan func(...any) error) error, text string, args ...any) error {
	return x.w.each(ctx, row, text, args...)
}

func (x *writer) Temp(ctx context.Context, name, definition string, args ...any) error {
	x.temps[name] = true
	return x.w.exec(ctx, `CREATE OR REPLACE TEMP TABLE `+name+` `+definition, args...)
}

func (x *writer) Fill(_ context.Context, table string, _ []string, n int, row func(i int) []any) error {
	catalog := ""
	if x.temps[table] {
		catalog = "temp"
	}
	return x.w.writer.Raw(func(conn any) error {
		return appendRows(conn.(driver.Conn), catalog, table, func(add func(...driver.Value) error) error {
			var values []driver.Value
			for i := range n {
				r := row(i)
				if r == nil {
					continue
				}
				values = values[:0]
				for _, v := range r {
					values = append(values, v)
				}
				if err := add(values...); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

func appendRows(c driver.Conn, catalog, table string, fill func(add func(...driver.Value) error) error) error {
	a, err := duckdb.NewAppender(c, catalog, "main", table)
	if err != nil {
		return err
	}
	err = fill(a.AppendRow)
	return errors.Join(err, a.Close())
}
