// Package sqlite keeps an operation's truth in one SQLite file: the shared text of
// store/relational comes in, what it acknowledges is on disk: write-ahead log,
// synchronous=FULL, one writer that commits in groups.
package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"path/filepath"
	"runtime"

	_ "modernc.org/sqlite" // the driver; pure Go

	"dtm"
	"dtm/store/relational"
	"dtm/store/sqlite/migration"
)

type (
	// Options says whose data it is; Operation is required. Keys is a file.
	Options = relational.Options
	// DB is an open store.
	DB = relational.DB
)

// Open opens the file, made when absent, and brings its tables up to date. It
// refuses, with an error of kind Invalid, a file that a newer program has
// written or whose applied migrations are not those of this program. Beside the
// store's writer a goroutine copies the log back into the file.
func Open(ctx context.Context, path string, o Options) (*DB, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, opened(path, err)
	}
	e := relational.Engine{Alone: true, Words: words{}}
	if e.Write, err = sql.Open("sqlite", dsn(abs, true)); err != nil {
		return nil, opened(path, err)
	}
	e.Write.SetMaxOpenConns(1)
	if err := migrate(ctx, e.Write, abs, migration.Files, o); err != nil {
		e.Write.Close()
		return nil, opened(path, err)
	}
	if e.Read, err = sql.Open("sqlite", dsn(abs, false)); err != nil {
		e.Write.Close()
		return nil, opened(path, err)
	}
	e.Read.SetMaxOpenConns(max(4, 2*runtime.NumCPU()))
	e.Read.SetMaxIdleConns(max(4, 2*runtime.NumCPU()))
	if o.Keys != "" {
		if e.Keys, err = Keys(ctx, o.Keys, o); err != nil {
			e.Read.Close()
			e.Write.Close()
			return nil, err
		}
	}
	c, err := newCopier(abs)
	if err != nil {
		e.Read.Close()
		e.Write.Close()
		return nil, opened(path, err)
	}
	e.Begin = func(exec func(string, ...any) error) error { return exec(`BEGIN IMMEDIATE`) }
	e.Committed, e.Close = c.committed, c.close
	e.Backup = func(ctx context.Context, to string) error { return vacuumInto(ctx, abs, to) }
	db, err := relational.Open(ctx, o, e)
	if err != nil {
		return nil, opened(path, err)
	}
	return db, nil
}

// dsn is the address of the file with the settings every connection gets. The
// wait for locks comes first: the other settings may themselves have to wait.
func dsn(path string, writes bool) string {
	q := url.Values{}
	q.Add("_pragma", "busy_timeout(10000)")
	q.Add("_pragma", "foreign_keys(1)")
	if writes {
		q.Add("_pragma", "journal_mode(WAL)")
		q.Add("_pragma", "synchronous("+synchronous+")")
		// The checkpointer copies the log back beside the writer; at 40 MB the
		// writer stops and does what is left, so that the log does not grow on.
		q.Add("_pragma", "wal_autocheckpoint(10000)")
		q.Add("_pragma", "journal_size_limit(67108864)")
		q.Add("_txlock", "immediate")
	} else {
		q.Add("_pragma", "query_only(1)")
	}
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: q.Encode()}).String()
}

func opened(path string, err error) error {
	if dtm.KindOf(err) != dtm.Internal {
		return err
	}
	return &dtm.Error{Kind: dtm.Unavailable, Op: "sqlite.Open", Where: path, Err: err,
		Msg: fmt.Sprintf("the data file cannot be opened (%v); check that it exists, is a dtm data file and may be written", err)}
}
