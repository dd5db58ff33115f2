package duckdb

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"

	"github.com/duckdb/duckdb-go/v2"

	"dtm"
	"dtm/analyse/warehouse"
)

// orderAfter is how many rows may be added to fact_month in all before it is put
// in order.
const orderAfter = 300_000

// Apply adds a batch in one transaction and returns what became of its chunks.
// It is a Conflict when the warehouse does not stand at b.From: somebody else
// loaded, or the file is not this log's.
func (w *Warehouse) Apply(ctx context.Context, b warehouse.Batch) ([]warehouse.Outcome, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := warehouse.NewStage(&b, w.pack, w.cells, &w.keys)
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

func (x *writer) Fill(ctx context.Context, table string, columns []string, n int, row func(i int) []any) error {
	skip := 0 // leading columns that the rows need not carry
	return x.w.writer.Raw(func(conn any) error {
		var a *duckdb.Appender
		var err error
		switch {
		case x.temps[table]:
			a, err = duckdb.NewAppender(conn.(driver.Conn), "temp", "main", table)
		case n >= manyRows && columns[0] == "operation":
			skip = 1
			a, err = x.w.many(conn.(driver.Conn), table, columns)
		default:
			a, err = duckdb.NewAppender(conn.(driver.Conn), "", "main", table)
		}
		if err != nil {
			return err
		}
		var values []driver.Value
		for i := 0; i < n && err == nil; i++ {
			if r := row(i); r != nil {
				values = values[:0]
				for _, v := range r[skip:] {
					values = append(values, v)
				}
				err = a.AppendRow(values...)
			}
		}
		return errors.Join(err, a.CloseWithCancel(ctx))
	})
}

// manyRows is from how many rows on an INSERT that DuckDB plans is worth it: it writes
// in parallel and is not given the same operation with every row.
const manyRows = 5000

func (w *Warehouse) many(conn driver.Conn, table string, columns []string) (*duckdb.Appender, error) {
	var types []duckdb.TypeInfo
	for _, c := range columns[1:] {
		t, err := duckdb.NewTypeInfo(w.types[table+"."+c])
		if err != nil {
			return nil, fmt.Errorf("%s.%s: %w", table, c, err)
		}
		types = append(types, t)
	}
	list := strings.Join(columns[1:], ", ")
	return duckdb.NewQueryAppender(conn, `INSERT INTO `+table+` (operation, `+list+`) SELECT '`+strings.ReplaceAll(w.op.Code, "'", "''")+`', `+list+` FROM appended_data`, "", types, columns[1:])
}

func appendRows(c driver.Conn, catalog, table string, fill func(add func(...driver.Value) error) error) error {
	a, err := duckdb.NewAppender(c, catalog, "main", table)
	if err != nil {
		return err
	}
	err = fill(a.AppendRow)
	return errors.Join(err, a.Close())
}
