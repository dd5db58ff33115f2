// Package sqlite keeps an operation's truth in one SQLite file: published forms,
// devices, submissions, imported history, users and the audit log come in by the
// contracts of package dtm and go out by the same. What it acknowledges is on
// disk: write-ahead log, synchronous=FULL, one writer that commits in groups.
package sqlite

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	_ "modernc.org/sqlite" // the driver; pure Go

	"dtm"
	"dtm/event"
	"dtm/seal"
)

// Options says whose data it is; Operation is required.
type Options struct {
	Operation string           // first part of every key, "djibouti"
	Now       func() time.Time // time.Now when nil
	Rand      io.Reader        // for ids and tokens; crypto/rand when nil
	// Keys is the file of persons' keys, wrapped by Seal; "": nothing personal is read or
	// kept.
	Keys string
	Seal seal.Key
	// Programmes are those of the operation: which of them return people decides where
	// referrals may go.
	Programmes []dtm.Programme
	// Redact takes out of a submission what its form seals, and tells whether there was
	// any; nil: no form seals anything.
	Redact func(ctx context.Context, form, version string, xml []byte) (public []byte, private bool, err error)
}

// DB is an open store. Reads go to a pool of connections that cannot write;
// writes go through one goroutine, beside which another one copies the log back
// into the file. Close ends both and waits for them.
type DB struct {
	path      string
	operation string
	now       func() time.Time
	rand      io.Reader

	read  *sql.DB
	write *sql.DB
	// Asked for each submission, on read: parsing them each time was a tenth of the
	// work.
	byToken, byID, filesOf, arrived *sql.Stmt

	copier     *sql.DB       // the checkpointer's connection
	checkpoint chan struct{} // wakes it

	queue   chan *job
	closing chan struct{} // closed by Close: no more writes are taken
	closed  sync.Once
	ended   chan struct{} // closed when the writer has ended
	senders sync.RWMutex  // held for reading while a job is handed over

	broken atomic.Bool // a sync failed: no write is taken until the next start

	bell     bell
	tail     tail
	admitted admitted
	seen     lastSeen

	keys       *keys
	secrets    sync.Map // use -> seal.Key
	programmes []dtm.Programme
	redact     func(ctx context.Context, form, version string, xml []byte) (public []byte, private bool, err error)
}

var (
	_ dtm.Forms       = (*DB)(nil)
	_ dtm.Devices     = (*DB)(nil)
	_ dtm.Submissions = (*DB)(nil)
	_ dtm.Imports     = (*DB)(nil)
	_ dtm.Events      = (*DB)(nil)
	_ dtm.Users       = (*DB)(nil)
)

// Open opens the file, made when absent, and brings its tables up to date. It
// refuses, with an error of kind Invalid, a file that a newer program has
// written or whose applied migrations are not those of this program.
func Open(ctx context.Context, path string, o Options) (*DB, error) {
	if o.Operation == "" {
		return nil, dtm.Errorf(dtm.Invalid, "the store needs the code of its operation")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, opened(path, err)
	}
	db := &DB{
		path:       abs,
		operation:  o.Operation,
		now:        func() time.Time { return o.Now().UTC().Truncate(time.Millisecond) },
		rand:       o.Rand,
		checkpoint: make(chan struct{}),
		queue:      make(chan *job, 4*groupLimit),
		closing:    make(chan struct{}),
		ended:      make(chan struct{}),
	}
	if db.write, err = sql.Open("sqlite", dsn(abs, true)); err != nil {
		return nil, opened(path, err)
	}
	db.write.SetMaxOpenConns(1)
	if err := migrate(ctx, db.write, abs, db.now); err != nil {
		db.write.Close()
		return nil, opened(path, err)
	}
	if db.read, err = sql.Open("sqlite", dsn(abs, false)); err != nil {
		db.write.Close()
		return nil, opened(path, err)
	}
	db.read.SetMaxOpenConns(max(4, 2*runtime.NumCPU()))
	db.read.SetMaxIdleConns(max(4, 2*runtime.NumCPU()))
	for _, q := range []struct {
		into **sql.Stmt
		text string
	}{{&db.byToken, byTokenQuery}, {&db.byID, byIDQuery}, {&db.filesOf, filesOfQuery}, {&db.arrived, arrivedQuery}} {
		if err == nil {
			*q.into, err = db.read.PrepareContext(ctx, q.text)
		}
	}
	var head event.Chain
	if err == nil {
		head, err = db.head(ctx)
	}
	if err != nil {
		db.read.Close()
		db.write.Close()
		return nil, opened(path, err)
	}
	if db.copier, err = sql.Open("sqlite", dsn(abs, true)); err != nil {
		db.read.Close()
		db.write.Close()
		return nil, opened(path, err)
	}
	db.copier.SetMaxOpenConns(1)
	if o.Keys != "" {
		if db.keys, err = openKeys(ctx, o.Keys, o.Seal, o.Rand); err != nil {
			return nil, errors.Join(err, db.read.Close(), db.write.Close(), db.copier.Close())
		}
	}
	db.programmes, db.redact = o.Programmes, o.Redact
	db.bell.ring(head.Seq)
	go db.writer()
	if db.keys != nil {
		if err := db.sealHooks(ctx); err != nil {
			return nil, errors.Join(err, db.Close())
		}
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

// Close takes no more writes, lets the waiting ones finish and closes the file.
func (db *DB) Close() error {
	db.closed.Do(func() {
		db.senders.Lock()
		close(db.closing)
		db.senders.Unlock()
		close(db.queue)
	})
	<-db.ended
	err := db.read.Close()
	if e := db.copier.Close(); err == nil {
		err = e
	}
	if e := db.write.Close(); err == nil {
		err = e
	}
	if e := db.keys.close(); err == nil {
		err = e
	}
	return err
}

// Ready tells whether reads are answered and writes are taken: for /readyz.
func (db *DB) Ready(ctx context.Context) error {
	select {
	case <-db.closing:
		return errClosed()
	default:
	}
	if db.broken.Load() {
		return dtm.Errorf(dtm.Unavailable, "the disk failed to keep a write; look at the disk, then start the server again").Coded("store.broken")
	}
	_, err := db.head(ctx)
	return failure("sqlite.Ready", err)
}

func errClosed() *dtm.Error {
	return dtm.Errorf(dtm.Unavailable, "the store is closed; try again when the server is back").Coded("store.closed")
}

// head returns the end of the log as readers see it.
func (db *DB) head(ctx context.Context) (event.Chain, error) {
	return head(ctx, db.read, db.operation)
}
