// Package relational keeps an operation's truth in tables: published forms, devices,
// submissions, imported history, users and the audit log come in by the contracts of
// package dtm and go out by the same. It holds the hand-written SQL that its sibling
// rooms share (store/sqlite, store/postgres) and the logic around it, once; what differs
// between the databases comes in as an Engine.
package relational

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"io"
	"sync"
	"time"

	"dtm"
	"dtm/event"
	"dtm/seal"
)

// Options says whose data it is; Operation is required.
type Options struct {
	Operation string           // first part of every key, "djibouti"
	Now       func() time.Time // time.Now when nil
	Rand      io.Reader        // for ids and tokens; crypto/rand when nil
	// Until is the migration that the tables are brought to, for campaigns that upgrade an
	// older store; 0: the newest. Only a Place opens on older tables.
	Until int
	// Keys is the file or the address of persons' keys, wrapped by Seal; "": nothing
	// personal is read or kept.
	Keys string
	Seal seal.Key
	// Programmes are those of the operation: which of them return people decides where
	// referrals may go.
	Programmes []dtm.Programme
	// Redact takes out of a submission what its form seals, and tells whether there was
	// any; nil: no form seals anything.
	Redact func(ctx context.Context, form, version string, xml []byte) (public []byte, private bool, err error)
}

// DB is an open store. Reads go to a pool of connections that cannot write; writes go
// through one goroutine, which makes many durable with one commit. Close ends it and
// waits for it.
type DB struct {
	engine    Engine
	operation string
	now       func() time.Time
	rand      io.Reader

	read  *sql.DB
	write *sql.DB
	// Asked for each submission, on read: parsing them each time was a tenth of the
	// work.
	byToken, byID, filesOf, arrived *sql.Stmt

	queue   chan *job
	closing chan struct{} // closed by Close: no more writes are taken
	closed  sync.Once
	ended   chan struct{} // closed when the writer has ended
	senders sync.RWMutex  // held for reading while a job is handed over

	hearing sync.WaitGroup // for what other processes write
	deaf    context.CancelFunc

	broken chan struct{} // closed when a sync failed: no write is taken until the next start

	bell     bell
	tail     tail
	admitted admitted
	seen     lastSeen

	keys       *Keys
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

// Open makes a store of an engine whose tables are up to date. The engine is closed on
// an error.
func Open(ctx context.Context, o Options, e Engine) (*DB, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	db := &DB{
		engine:     e,
		operation:  o.Operation,
		now:        o.clock(),
		rand:       o.Rand,
		read:       e.Read,
		write:      e.Write,
		queue:      make(chan *job, 4*groupLimit),
		closing:    make(chan struct{}),
		ended:      make(chan struct{}),
		broken:     make(chan struct{}),
		keys:       e.Keys,
		programmes: o.Programmes,
		redact:     o.Redact,
	}
	for _, q := range []struct {
		into **sql.Stmt
		text string
	}{{&db.byToken, byTokenQuery}, {&db.byID, byIDQuery}, {&db.filesOf, filesOfQuery}, {&db.arrived, arrivedQuery}} {
		var err error
		if *q.into, err = db.read.PrepareContext(ctx, q.text); err != nil {
			return nil, errors.Join(failure("store.Open", err), e.close())
		}
	}
	head, err := db.head(ctx)
	if err != nil {
		return nil, errors.Join(failure("store.Open", err), e.close())
	}
	db.bell.ring(head.Seq)
	background, stop := context.WithCancel(context.Background())
	db.deaf = stop
	if e.Listen != nil {
		db.hearing.Go(func() { e.Listen(background, db.bell.ring) })
	}
	go db.writer()
	if db.keys != nil {
		if err := db.sealHooks(ctx); err != nil {
			return nil, errors.Join(err, db.Close())
		}
	}
	return db, nil
}

// Check tells what Options lack: Invalid.
func (o Options) Check() error {
	if o.Operation == "" {
		return dtm.Errorf(dtm.Invalid, "the store needs the code of its operation")
	}
	return nil
}

// clock gives the time as columns hold it.
func (o Options) clock() func() time.Time {
	now := o.Now
	if now == nil {
		now = time.Now
	}
	return func() time.Time { return now().UTC().Truncate(time.Millisecond) }
}

func (e *Engine) close() error {
	var errs []error
	if e.Close != nil {
		errs = append(errs, e.Close())
	}
	return errors.Join(append(errs, e.Read.Close(), e.Write.Close(), e.Keys.close())...)
}

// Close takes no more writes, lets the waiting ones finish and closes the engine.
func (db *DB) Close() error {
	var err error
	db.closed.Do(func() {
		db.senders.Lock()
		close(db.closing)
		db.senders.Unlock()
		close(db.queue)
		<-db.ended
		db.deaf()
		db.hearing.Wait()
		err = db.engine.close()
	})
	<-db.ended
	return err
}

// Backup writes everything committed so far into a new file at path, while the store
// goes on being used: Unsupported where the database has means of its own. An error
// leaves no whole file there.
func (db *DB) Backup(ctx context.Context, path string) error {
	if db.engine.Backup == nil {
		return dtm.Errorf(dtm.Unsupported, "the store is on a database server: back it up there (pg_dump, or its log by pgbackrest)").Coded("store.backup_elsewhere")
	}
	return failure("store.Backup", db.engine.Backup(ctx, path))
}

// Ready tells whether reads are answered and writes are taken: for /readyz.
func (db *DB) Ready(ctx context.Context) error {
	select {
	case <-db.closing:
		return errClosed()
	default:
	}
	select {
	case <-db.broken:
		return ErrBroken
	default:
	}
	_, err := db.head(ctx)
	return failure("sqlite.Ready", err)
}

// ErrBroken is what Ready says after Broken.
var ErrBroken = dtm.Errorf(dtm.Unavailable, "the disk failed to keep a write; look at the disk, then start the server again").Coded("store.broken")

// Broken is closed when a sync has failed. What is on disk is then not known until the
// file is opened anew: nothing more is written, and the process should end.
func (db *DB) Broken() <-chan struct{} { return db.broken }

func errClosed() *dtm.Error {
	return dtm.Errorf(dtm.Unavailable, "the store is closed; try again when the server is back").Coded("store.closed")
}

// head returns the end of the log as readers see it.
func (db *DB) head(ctx context.Context) (event.Chain, error) {
	return head(ctx, db.read, db.operation)
}
