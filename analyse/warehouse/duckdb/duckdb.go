// Package duckdb is the embedded warehouse: batches of movements come in through
// Apply, each in one transaction with the position of the event log it stands
// for; rows of one consistent state come out through Read.
package duckdb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	_ "embed"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/duckdb/duckdb-go/v2"

	"dtm"
	"dtm/analyse/warehouse"
)

//go:embed schema.sql
var schema string

// Warehouse is an open DuckDB file. It admits one process.
type Warehouse struct {
	op   *dtm.Operation
	pack *warehouse.Pack
	db   *sql.DB

	questions asker
	position  *sql.Stmt

	commits atomic.Int64                       // begun and ended, together: odd while one is under way
	stands  atomic.Pointer[warehouse.Position] // of what was committed last; nil when it is not known

	mu     sync.Mutex // one writer
	writer *sql.Conn
	cells  map[warehouse.Cell]int32 // number of each cell in the table cell
	deltas map[time.Time]int        // rows added to fact_month by month since it was last summed up
	keys   warehouse.Keys
	types  map[string]duckdb.Type // of the columns of the tables: "fact.people"
}

// Open opens the warehouse at path, "" for one in memory. A file that was made
// with another layout or another operation pack is emptied: the loader fills it
// again from the event log. A file that another process holds is Unavailable.
func Open(ctx context.Context, path string, op *dtm.Operation) (*Warehouse, error) {
	var once sync.Once
	c, err := duckdb.NewConnector(path, func(conn driver.ExecerContext) (err error) {
		once.Do(func() { err = settle(ctx, conn) })
		return err
	})
	if err != nil {
		if strings.Contains(err.Error(), "lock") {
			return nil, &dtm.Error{Kind: dtm.Unavailable, Op: "duckdb.Open", Where: path, Code: "warehouse.locked", Err: err,
				Msg: "another process has the warehouse open; stop it, or give the command to the running server"}
		}
		return nil, &dtm.Error{Kind: dtm.Internal, Op: "duckdb.Open", Where: path, Err: err}
	}
	w := &Warehouse{
		op:     op,
		pack:   warehouse.NewPack(op),
		db:     sql.OpenDB(c),
		deltas: map[time.Time]int{},
	}
	w.questions = newAsker(w.db, rowViews())
	w.db.SetMaxOpenConns(9)
	w.db.SetMaxIdleConns(9)
	if w.writer, err = w.db.Conn(ctx); err != nil {
		return nil, errors.Join(wrap("Open", err), w.db.Close())
	}
	if err := errors.Join(w.prepare(ctx), w.readTypes(ctx)); err != nil {
		return nil, errors.Join(wrap("Open", err), w.Close())
	}
	if w.position, err = w.db.PrepareContext(ctx, positionText); err != nil {
		return nil, errors.Join(wrap("Open", err), w.Close())
	}
	if at, err := w.Position(ctx); err == nil {
		w.stands.Store(&at)
	}
	return w, nil
}

// mostMemory bounds what DuckDB takes for itself; beyond it, it writes beside its
// file.
const mostMemory = 3 << 30

// settle makes the settings of a database, which hold until it is closed: nothing
// that is asked later can change them.
func settle(ctx context.Context, conn driver.ExecerContext) error {
	memory := int64(mostMemory)
	var machine syscall.Sysinfo_t
	if err := syscall.Sysinfo(&machine); err == nil {
		memory = min(memory, int64(machine.Totalram)*int64(machine.Unit)/2)
	}
	for _, text := range []string{
		// Rows have no order; not keeping one lets DuckDB write in parallel.
		`SET preserve_insertion_order = false`,
		// An import must not stop every 16 MB to compress what it just wrote.
		`SET checkpoint_threshold = '256MB'`,
		fmt.Sprintf(`SET memory_limit = '%d MiB'`, memory>>20),
		// A reader's state is the one when it began, not when it first asked.
		`SET immediate_transaction_mode = true`,
		// No file but its own, no network, no extension.
		`SET enable_external_access = false`,
		`SET lock_configuration = true`,
	} {
		if _, err := conn.ExecContext(ctx, text, nil); err != nil {
			return err
		}
	}
	return nil
}

// Close waits for a batch that is being applied and closes the file.
func (w *Warehouse) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return errors.Join(w.writer.Close(), w.db.Close())
}

// prepare makes the tables, anew when the file was made otherwise.
func (w *Warehouse) prepare(ctx context.Context) error {
	var n int
	err := w.writer.QueryRowContext(ctx, `
		SELECT CAST(count(*) AS integer)
		FROM information_schema.tables
		WHERE table_name = 'load_position'`).Scan(&n)
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
	return wrap("Reset", w.reset(ctx))
}

func (w *Warehouse) reset(ctx context.Context) error {
	return w.tx(ctx, func() error {
		drop := []string{}
		err := w.each(ctx, func(scan func(...any) error) error {
			var name, kind string
			if err := scan(&name, &kind); err != nil {
				return err
			}
			word := "TABLE"
			if kind == "VIEW" {
				word = "VIEW"
			}
			drop = append(drop, "DROP "+word+` "`+strings.ReplaceAll(name, `"`, `""`)+`"`)
			return nil
		}, `
			SELECT table_name, table_type
			FROM information_schema.tables
			WHERE table_schema = 'main' AND table_catalog = current_database()
			ORDER BY table_type DESC NULLS LAST`)
		if err != nil {
			return err
		}
		for _, text := range drop {
			if err := w.exec(ctx, text); err != nil {
				return err
			}
		}
		if err := w.exec(ctx, schema); err != nil {
			return err
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

// tx runs f between BEGIN and COMMIT on the writer's connection, which the
// appender needs to share.
func (w *Warehouse) tx(ctx context.Context, f func() error) error {
	if err := w.exec(ctx, `BEGIN TRANSACTION`); err != nil {
		return err
	}
	if err := f(); err != nil {
		// Not ctx: it may be the reason, and the connection must be usable again.
		return errors.Join(err, w.exec(context.WithoutCancel(ctx), `ROLLBACK`))
	}
	w.commits.Add(1)
	defer w.commits.Add(1)
	w.stands.Store(nil)
	ctx = context.WithoutCancel(ctx)
	if err := w.exec(ctx, `COMMIT`); err != nil {
		return err
	}
	if at, err := positionFrom(w.writer.QueryRowContext(ctx, positionText)); err == nil {
		w.stands.Store(&at) // else readers look it up
	}
	return nil
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

// readTypes remembers what the tables' columns hold.
func (w *Warehouse) readTypes(ctx context.Context) error {
	w.types = map[string]duckdb.Type{}
	names := map[string]duckdb.Type{"VARCHAR": duckdb.TYPE_VARCHAR, "DATE": duckdb.TYPE_DATE, "TIMESTAMP": duckdb.TYPE_TIMESTAMP, "BOOLEAN": duckdb.TYPE_BOOLEAN,
		"INTEGER": duckdb.TYPE_INTEGER, "BIGINT": duckdb.TYPE_BIGINT, "DOUBLE": duckdb.TYPE_DOUBLE}
	return w.each(ctx, func(scan func(...any) error) error {
		var table, column, kind string
		err := scan(&table, &column, &kind)
		w.types[table+"."+column] = names[kind]
		return err
	}, `
		SELECT table_name, column_name, data_type
		FROM information_schema.columns
		WHERE table_schema = 'main' AND table_catalog = current_database()`)
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
	return &dtm.Error{Kind: dtm.Internal, Op: "duckdb." + op, Err: err}
}
