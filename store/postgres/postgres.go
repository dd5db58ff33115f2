// Package postgres keeps the truth of operations in a PostgreSQL database, several of
// them in one and several processes on one: the shared text of store/relational comes
// in, what it acknowledges is committed there.
package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"dtm"
	"dtm/store/relational"
	"dtm/store/sqlite"
)

type (
	// Options says whose data it is; Operation is required. Keys is the address of another
	// database than that of the data, postgres://..., or a file.
	Options = relational.Options
	// DB is an open store.
	DB = relational.DB
)

// Open opens the operation's rows in the database at url, postgres://..., and brings the
// tables up to date. It refuses, with an error of kind Invalid, an address that is none
// and a database that a newer program has written; Unavailable when the server cannot be
// reached.
func Open(ctx context.Context, url string, o Options) (*DB, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	e := relational.Engine{Words: words{}}
	var err error
	// The writer asks by key. Its statements are planned once, when a table may still be
	// empty and reading the whole of it look cheap.
	if e.Write, err = pool(url, map[string]string{"enable_seqscan": "off", "plan_cache_mode": "force_custom_plan"}, 4); err != nil {
		return nil, err
	}
	closing := []*sql.DB{e.Write}
	fail := func(err error) (*DB, error) {
		for _, db := range closing {
			err = errors.Join(err, db.Close())
		}
		return nil, opened(err)
	}
	if err := migrate(ctx, e.Write, o.Operation, o); err != nil {
		return fail(err)
	}
	if err := notMoving(ctx, e.Write, o.Operation); err != nil {
		return fail(err)
	}
	if _, err := e.Write.ExecContext(ctx, `
		INSERT INTO log_lock (operation)
		VALUES ($1)
		ON CONFLICT (operation) DO NOTHING`, o.Operation); err != nil {
		return fail(err)
	}
	// A list and its total are of one moment: a transaction that reads has one snapshot.
	if e.Read, err = pool(url, map[string]string{"default_transaction_read_only": "on", "default_transaction_isolation": "repeatable read"}, 24); err != nil {
		return fail(err)
	}
	closing = append(closing, e.Read)
	if o.Keys != "" {
		if e.Keys, err = keys(ctx, o.Keys, o); err != nil {
			return fail(err)
		}
		closing = append(closing, e.Keys.DB)
	}
	e.Begin = func(exec func(string, ...any) error) error {
		if err := exec(`BEGIN`); err != nil {
			return err
		}
		return exec(`SELECT 1 FROM log_lock WHERE operation = $1 FOR UPDATE`, o.Operation)
	}
	e.Send = send
	counts := newAnalyst(e.Write)
	e.Committed, e.Close = counts.committed, counts.close
	e.Listen = func(ctx context.Context, ring func(int64)) { listen(ctx, url, o.Operation, e.Read, ring) }
	e.Claim = claimer{db: e.Write, operation: o.Operation, holder: holder()}.claim
	db, err := relational.Open(ctx, o, e)
	if err != nil {
		return nil, opened(err)
	}
	return db, nil
}

func pool(url string, settings map[string]string, most int) (*sql.DB, error) {
	c, err := config(url)
	if err != nil {
		return nil, err
	}
	for k, v := range settings {
		c.RuntimeParams[k] = v
	}
	db := sql.OpenDB(newConnector(*c))
	db.SetMaxOpenConns(most)
	db.SetMaxIdleConns(most)
	db.SetConnMaxIdleTime(5 * time.Minute)
	return db, nil
}

func config(url string) (*pgx.ConnConfig, error) {
	c, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, dtm.Errorf(dtm.Invalid, "this is not the address of a PostgreSQL database; write postgres://USER@HOST/DATABASE").Coded("store.url")
	}
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = 10 * time.Second
	}
	c.RuntimeParams["timezone"] = "UTC"
	c.RuntimeParams["application_name"] = "dtm"
	// What is acknowledged is on disk, whatever the server's own setting is.
	if c.RuntimeParams["synchronous_commit"] == "" {
		c.RuntimeParams["synchronous_commit"] = "on"
	}
	return c, nil
}

func opened(err error) error {
	if dtm.KindOf(err) != dtm.Internal {
		return err
	}
	if tell := relational.Failure("postgres.Open", err); dtm.KindOf(tell) != dtm.Internal {
		return tell
	}
	return &dtm.Error{Kind: dtm.Unavailable, Op: "postgres.Open", Code: "store.unopened", Err: err,
		Msg: fmt.Sprintf("the database cannot be opened (%v); check that it exists and that its user may make tables there", err)}
}

// keys opens the place of persons' keys: a file, or a database of its own.
func keys(ctx context.Context, place string, o Options) (*relational.Keys, error) {
	if !strings.HasPrefix(place, "postgres") {
		return sqlite.Keys(ctx, place, o)
	}
	db, err := pool(place, nil, 4)
	if err != nil {
		return nil, err
	}
	if _, err := db.ExecContext(ctx, types.Replace(relational.KeyTable)); err != nil {
		return nil, errors.Join(opened(err), db.Close())
	}
	return &relational.Keys{DB: db, Wrap: o.Seal, Rand: o.Rand, Forget: func(ctx context.Context) error {
		// The row's page is overwritten; the server's log and its backups forget with
		// their age: doc/postgres.md.
		_, err := db.ExecContext(ctx, `VACUUM key`)
		return err
	}}, nil
}

// HasSealed tells whether the database at place has anything of the operation that the
// key file is needed for: persons' keys, second factors.
func HasSealed(ctx context.Context, place, operation string) (there bool, err error) {
	db, err := pool(place, nil, 1)
	if err != nil {
		return false, err
	}
	defer db.Close()
	for _, table := range []string{"key", "factor"} {
		err := db.QueryRowContext(ctx, `SELECT to_regclass($1) IS NOT NULL`, table).Scan(&there)
		if err == nil && there {
			err = db.QueryRowContext(ctx, `
				SELECT EXISTS (SELECT 1 FROM `+table+` WHERE operation = $1)`, operation).Scan(&there)
		}
		if err != nil {
			return false, opened(err)
		}
		if there {
			return true, nil
		}
	}
	return false, nil
}
