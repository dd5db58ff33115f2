package postgres

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"dtm"
	"dtm/analyse/warehouse"
)

// Apply adds a batch in one transaction and returns what became of its chunks.
// It is a Conflict when the warehouse does not stand at b.From: somebody else
// loaded, or the file is not this log's.
func (w *Warehouse) Apply(ctx context.Context, b warehouse.Batch) ([]warehouse.Outcome, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.alive(ctx); err != nil {
		return nil, wrap("Apply", err)
	}
	s := warehouse.NewStage(&b, w.pack, w.cells, &w.keys)
	err := w.tx(ctx, func() error {
		if err := w.at(ctx, b.From); err != nil {
			return err
		}
		if err := w.merger().Merge(ctx, s); err != nil {
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
	if w.grown += len(s.Facts); w.grown >= w.due {
		w.due = 3 * w.grown
		// The server counts what is in tables by itself, a minute late. Until then it takes
		// them for empty, and a question for six seconds. Plans are better for it, nothing else.
		_ = w.exec(ctx, `ANALYZE cell, fact, fact_month, fact_vulnerability, point_day, submission, arrival`)
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

// merger is the shared part of the work, on the writer's connection.
func (w *Warehouse) merger() warehouse.Merger {
	return warehouse.Merger{Writer: writer{w}, Operation: w.op.Code, Deltas: w.deltas}
}

// writer is the writer's connection within a transaction.
type writer struct{ w *Warehouse }

func (x writer) Exec(ctx context.Context, text string, args ...any) (int64, error) {
	return x.w.run(ctx, text, args...)
}

func (x writer) Each(ctx context.Context, row func(scan func(...any) error) error, text string, args ...any) error {
	return x.w.each(ctx, row, text, args...)
}

func (x writer) Temp(ctx context.Context, name, definition string, args ...any) error {
	text := `CREATE TEMP TABLE ` + name + ` ` + definition + ` ON COMMIT DROP`
	if rest, made := strings.CutPrefix(definition, "AS"); made {
		text = `CREATE TEMP TABLE ` + name + ` ON COMMIT DROP AS` + rest
	}
	return x.w.exec(ctx, text, args...)
}

func (x writer) Fill(ctx context.Context, table string, columns []string, n int, row func(i int) []any) error {
	return x.w.writer.Raw(func(conn any) error {
		i := 0
		_, err := conn.(*stdlib.Conn).Conn().CopyFrom(ctx, pgx.Identifier{table}, columns, pgx.CopyFromFunc(func() ([]any, error) {
			for ; i < n; i++ {
				if r := row(i); r != nil {
					i++
					return r, nil
				}
			}
			return nil, nil
		}))
		return err
	})
}
