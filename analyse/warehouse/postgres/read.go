package postgres

import (
	"context"
	"database/sql"
	"errors"

	"dtm"
	"dtm/analyse/warehouse"
)

// Read calls f with a Reader of one state of the data: what is loaded meanwhile
// is not seen.
func (w *Warehouse) Read(ctx context.Context, f func(warehouse.Reader) error) error {
	tx, err := w.db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return wrap("Read", err)
	}
	err = f(reader{tx})
	return errors.Join(wrap("Read", err), wrap("Read", tx.Rollback()))
}

type reader struct{ tx *sql.Tx }

func (r reader) Position(ctx context.Context) (warehouse.Position, error) {
	return positionFrom(r.tx.QueryRowContext(ctx, positionText))
}

const positionText = `SELECT seq, hash, event_at FROM load_position`

func positionFrom(row *sql.Row) (p warehouse.Position, err error) {
	err = row.Scan(&p.Seq, &p.Hash, &p.At)
	p.At = p.At.UTC()
	return p, err
}

func (r reader) Query(ctx context.Context, text string, args []any, row func(scan func(dest ...any) error) error) error {
	rows, err := r.tx.QueryContext(ctx, text, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	return errors.Join(rows.Err(), rows.Close())
}

// Position tells how far the event log is loaded.
func (w *Warehouse) Position(ctx context.Context) (warehouse.Position, error) {
	p, err := positionFrom(w.db.QueryRowContext(ctx, positionText))
	return p, wrap("Position", err)
}

// Outcome tells what became of an imported chunk: NotFound while it is not loaded.
func (w *Warehouse) Outcome(ctx context.Context, chunk string) (warehouse.Outcome, error) {
	o := warehouse.Outcome{Chunk: chunk}
	err := w.db.QueryRowContext(ctx, `
		SELECT row_count, added, unchanged, changed
		FROM outcome
		WHERE operation = $1 AND chunk = $2`, w.op.Code, chunk).Scan(&o.Rows, &o.Added, &o.Unchanged, &o.Changed)
	if errors.Is(err, sql.ErrNoRows) {
		return o, dtm.Errorf(dtm.NotFound, "the chunk %s is not loaded into the warehouse yet", chunk)
	}
	return o, wrap("Outcome", err)
}

var _ warehouse.Reader = reader{}
