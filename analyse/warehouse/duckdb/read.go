package duckdb

import (
	"context"
	"database/sql"
	"errors"
	"regexp"
	"strconv"
	"strings"

	"dtm"
	"dtm/analyse/warehouse"
)

// Read calls f with a Reader of one state of the data: what is loaded meanwhile
// is not seen.
func (w *Warehouse) Read(ctx context.Context, f func(warehouse.Reader) error) error {
	before := w.commits.Load()
	tx, err := w.db.BeginTx(ctx, nil) // sees what is committed now: immediate_transaction_mode
	if err != nil {
		return wrap("Read", err)
	}
	r := reader{w: w, tx: tx}
	if at := w.stands.Load(); before%2 == 0 && w.commits.Load() == before {
		r.at = at // nothing was committed while it began
	}
	err = f(r)
	return errors.Join(wrap("Read", err), wrap("Read", tx.Rollback()))
}

type reader struct {
	w  *Warehouse
	tx *sql.Tx
	at *warehouse.Position // of what is seen; nil when it has to be looked up
}

// Position is asked with every question, so it is remembered, and its statement is
// kept. It has no argument and no condition, because DuckDB would plan it again for
// them each time: a file holds one operation.
func (r reader) Position(ctx context.Context) (warehouse.Position, error) {
	if r.at != nil {
		return *r.at, nil
	}
	return positionFrom(r.tx.StmtContext(ctx, r.w.position).QueryRowContext(ctx))
}

const positionText = `SELECT seq, hash, event_at FROM load_position`

func positionFrom(row *sql.Row) (p warehouse.Position, err error) {
	err = row.Scan(&p.Seq, &p.Hash, &p.At)
	p.At = p.At.UTC()
	return p, err
}

func (r reader) Query(ctx context.Context, text string, args []any, row func(scan func(dest ...any) error) error) error {
	text, args = written(text, args)
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

var numbered = regexp.MustCompile(`\$(\d+)`)

// written puts the arguments into the text: DuckDB plans a text with arguments twice,
// once without them and once with them. Codes, days and numbers alone are put in; one
// argument that holds anything else leaves all of them arguments.
func written(text string, args []any) (string, []any) {
	values := make([]string, len(args))
	for i, a := range args {
		switch v := a.(type) {
		case string:
			if strings.IndexFunc(v, beyondCode) >= 0 {
				return text, args
			}
			values[i] = "'" + v + "'"
		case int:
			values[i] = strconv.Itoa(v)
		default:
			return text, args
		}
	}
	known := true
	out := numbered.ReplaceAllStringFunc(text, func(s string) string {
		n, err := strconv.Atoi(s[1:])
		if err != nil || n < 1 || n > len(values) {
			known = false
			return s
		}
		return values[n-1]
	})
	if !known {
		return text, args
	}
	return out, nil
}

func beyondCode(c rune) bool {
	return (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && c != '_' && c != '-'
}

// Position tells how far the event log is loaded.
func (w *Warehouse) Position(ctx context.Context) (warehouse.Position, error) {
	p, err := positionFrom(w.position.QueryRowContext(ctx))
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
