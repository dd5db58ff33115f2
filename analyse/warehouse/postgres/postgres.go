// Package postgres is the warehouse for operations that outgrew the embedded one:
// the same facts, the same texts and the same contract as package duckdb, in a
// schema of its own of a PostgreSQL database. diff -u duckdb postgres shows what
// differs between the two.
package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	_ "embed"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"dtm"
	"dtm/analyse/warehouse"
	"dtm/pg"
)

//go:embed schema.sql
var schema string

// Warehouse is an operation's schema in a PostgreSQL database. One process loads
// it; a second one is kept out by an advisory lock.
type Warehouse struct {
	op     *dtm.Operation
	pack   *warehouse.Pack
	schema string
	db     *sql.DB

	mu     sync.Mutex // one writer
	writer *sql.Conn
	cells  map[warehouse.Cell]int32 // number of each cell in the table cell
	deltas map[time.Time]int        // rows added to fact_month by month since it was last summed up
	keys   warehouse.Keys
	spread bool // the database is spread over servers by Citus
	grown  int  // facts that came since this was opened
	due    int  // how many have the server count what is in the tables
}

// Open opens the warehouse of the operation in the database at url. What was made
// with another layout or another operation pack is emptied: the loader fills it
// again from the event log. It is Unavailable while another process has it open,
// Invalid when url is none.
func Open(ctx context.Context, url string, op *dtm.Operation) (*Warehouse, error) {
	c, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, dtm.Errorf(dtm.Invalid, "this is not the address of a PostgreSQL database; write postgres://USER@HOST/DATABASE").Coded("warehouse.url")
	}
	w := &Warehouse{
		op:     op,
		pack:   warehouse.NewPack(op),
		schema: "dtm_" + op.Code,
		deltas: map[time.Time]int{},
		due:    3000,
	}
	c.RuntimeParams["citus.node_connection_timeout"] = "5000" // ms, of 30,000; to PostgreSQL alone it says nothing
	c.RuntimeParams["search_path"] = pgx.Identifier{w.schema}.Sanitize()
	c.RuntimeParams["timezone"] = "UTC"
	w.db = stdlib.OpenDB(*c)
	w.db.SetMaxOpenConns(9)
	w.db.SetMaxIdleConns(9)
	w.db.SetConnMaxIdleTime(5 * time.Minute)
	if err := w.connect(ctx); err != nil {
		return nil, errors.Join(wrap("Open", err), w.db.Close())
	}
	if err := w.writer.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'citus')`).Scan(&w.spread); err != nil {
		return nil, errors.Join(wrap("Open", err), w.Close())
	}
	if err := w.prepare(ctx); err != nil {
		return nil, errors.Join(wrap("Open", err), w.Close())
	}
	return w, nil
}

// lockWait is the longest pause between two tries for the lock: a server needs a
// moment to see that the connection that held it is gone.
const lockWait = time.Second

// connect takes a connection for writing and the lock that goes with it.
func (w *Warehouse) connect(ctx context.Context) error {
	c, err := w.db.Conn(ctx)
	if err != nil {
		return err
	}
	var free bool
	err = c.QueryRowContext(ctx, `SELECT pg_try_advisory_lock(hashtext($1))`, w.schema).Scan(&free)
	for pause := time.Millisecond; err == nil && !free && pause < lockWait; pause *= 2 {
		select {
		case <-time.After(pause):
			err = c.QueryRowContext(ctx, `SELECT pg_try_advisory_lock(hashtext($1))`, w.schema).Scan(&free)
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	if err == nil && !free {
		err = dtm.Errorf(dtm.Unavailable, "another process has the warehouse open; stop it, or give the command to the running server").Coded("warehouse.locked")
	}
	if err != nil {
		return errors.Join(err, c.Close())
	}
	w.writer = c
	return nil
}

// alive replaces a connection that was lost: pgx gives one up when its context
// ends in the middle of a statement. What was committed is read again.
func (w *Warehouse) alive(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if w.writer != nil {
		err := w.writer.PingContext(ctx)
		if err == nil || ctx.Err() != nil {
			return err
		}
		_ = w.writer.Close() // it is broken, and known to be
		w.writer = nil
	}
	if err := w.connect(ctx); err != nil {
		return err
	}
	clear(w.deltas)
	return w.readCells(ctx)
}

// Close waits for a batch that is being applied and closes the connections.
func (w *Warehouse) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.writer == nil {
		return w.db.Close()
	}
	// A connection that was lost cannot be closed again; that is no fault now.
	if err := w.writer.Close(); err != nil && !errors.Is(err, sql.ErrConnDone) && !errors.Is(err, driver.ErrBadConn) {
		return errors.Join(err, w.db.Close())
	}
	return w.db.Close()
}

// prepare makes the tables, anew when they were made otherwise.
func (w *Warehouse) prepare(ctx context.Context) error {
	var n int
	err := w.writer.QueryRowContext(ctx, `
		SELECT CAST(count(*) AS integer)
		FROM information_schema.tables
		WHERE table_schema = $1 AND table_name = 'load_position'`, w.schema).Scan(&n)
	if err != nil {
		return err
	}
	if n == 1 {
		var found string
		err := w.writer.QueryRowContext(ctx, `SELECT fingerprint FROM load_position`).Scan(&found)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if err == nil && warehouse.Adopt(found, w.pack) != warehouse.Anew {
			if err := w.readCells(ctx); err != nil || found == w.pack.Fingerprint() {
				return err
			}
			return w.recast(ctx, nil)
		}
	}
	return w.reset(ctx)
}

// Reset empties the warehouse and puts it at the start of the event log.
func (w *Warehouse) Reset(ctx context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.alive(ctx); err != nil {
		return wrap("Reset", err)
	}
	return wrap("Reset", w.reset(ctx))
}

func (w *Warehouse) reset(ctx context.Context) error {
	return w.tx(ctx, func() error {
		name := pgx.Identifier{w.schema}.Sanitize()
		texts := []string{`DROP SCHEMA IF EXISTS ` + name + ` CASCADE`, `CREATE SCHEMA ` + name}
		if w.spread {
			texts = append([]string{
				`SET LOCAL citus.multi_shard_modify_mode TO 'sequential'`, // what is made here refers to what was made before
				`SET LOCAL citus.enable_schema_based_sharding TO on`,
			}, texts...)
		}
		for _, text := range append(texts, strings.Split(strings.TrimSpace(schema), ";\n")...) { // Citus takes one statement a message
			if err := w.exec(ctx, text); err != nil {
				return err
			}
		}
		if err := w.merger().EmptySets(ctx); err != nil {
			return err
		}
		w.cells = map[warehouse.Cell]int32{}
		clear(w.deltas)
		w.keys.Begin()
		return w.exec(ctx, `
			INSERT INTO load_position (operation, seq, hash, event_at, fingerprint)
			VALUES ($1, 0, '', CAST('1970-01-01' AS timestamp), $2)`, w.op.Code, w.pack.Fingerprint())
	})
}

// tx runs f between BEGIN and COMMIT on the writer's connection, which COPY needs
// to share.
func (w *Warehouse) tx(ctx context.Context, f func() error) error {
	if err := w.exec(ctx, `BEGIN TRANSACTION`); err != nil {
		return err
	}
	if err := f(); err != nil {
		// Not ctx: it may be the reason, and the connection must be usable again.
		return errors.Join(err, w.exec(context.WithoutCancel(ctx), `ROLLBACK`))
	}
	return w.exec(context.WithoutCancel(ctx), `COMMIT`)
}

func (w *Warehouse) exec(ctx context.Context, text string, args ...any) error {
	_, err := w.run(ctx, text, args...)
	return err
}

// run tells how many rows the statement touched.
func (w *Warehouse) run(ctx context.Context, text string, args ...any) (int64, error) {
	r, err := w.writer.ExecContext(ctx, text, args...)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", strings.Join(strings.Fields(text), " "), err)
	}
	return r.RowsAffected()
}

// each runs a SELECT on the writer's connection and gives row each row's scan.
func (w *Warehouse) each(ctx context.Context, row func(scan func(...any) error) error, text string, args ...any) error {
	rows, err := w.writer.QueryContext(ctx, text, args...)
	if err != nil {
		return fmt.Errorf("%s: %w", strings.Join(strings.Fields(text), " "), err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	return errors.Join(rows.Err(), rows.Close())
}

// readCells remembers which cells have a number, and whether history was imported.
func (w *Warehouse) readCells(ctx context.Context) (err error) {
	if w.cells, err = warehouse.Cells(ctx, w.merger()); err != nil {
		return err
	}
	return w.keys.Look(ctx, w.merger())
}

func wrap(op string, err error) error {
	if err == nil || dtm.KindOf(err) != dtm.Internal || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if pg.Lost(err) || pg.Idle(err) {
		return &dtm.Error{Kind: dtm.Unavailable, Op: "postgres." + op, Err: err, Code: "warehouse.away",
			Msg: "the database of figures does not answer; what was sent is kept, and figures are there again when it is"}
	}
	return &dtm.Error{Kind: dtm.Internal, Op: "postgres." + op, Err: err}
}
