package relational

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"strings"
	"sync"

	"dtm"
	"dtm/event"
)

var _ dtm.Audit = (*DB)(nil)

// queryer is a pool, a connection or a transaction.
type queryer interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

const headQuery = `
	SELECT seq, hash
	FROM event
	WHERE operation = $1
	ORDER BY seq DESC
	LIMIT 1`

func head(ctx context.Context, q queryer, operation string) (event.Chain, error) {
	var c event.Chain
	err := q.QueryRowContext(ctx, headQuery, operation).Scan(&c.Seq, &c.Hash)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return c, err
}

// head reads the end of the log anew in each transaction, so that the chain
// holds even if another process has written to the file.
func (t *tx) head() (event.Chain, error) {
	var c event.Chain
	_, err := t.row(headQuery, []any{t.db.operation}, &c.Seq, &c.Hash)
	return c, err
}

// log appends an entry and returns its number.
func (t *tx) log(name, subject, actor, detail string) (int64, error) {
	e := dtm.Event{Seq: t.chain.Seq + 1, At: t.now, Name: name, Subject: subject, Actor: actor, Detail: detail, Prev: t.chain.Hash}
	e.Hash = event.Hash(e.Prev, e)
	err := t.later(`
		INSERT INTO event (operation, seq, at, name, subject, actor, detail, prev, hash)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		t.db.operation, e.Seq, timeText(e.At), e.Name, e.Subject, e.Actor, e.Detail, e.Prev, e.Hash)
	if err != nil {
		return 0, err
	}
	t.chain = event.Chain{Seq: e.Seq, Hash: e.Hash}
	t.entries = append(t.entries, e)
	return e.Seq, nil
}

// Events returns up to limit entries after seq, oldest first.
func (db *DB) Events(ctx context.Context, after int64, limit int) ([]dtm.Event, error) {
	if list, ok := db.tail.after(after, limit); ok {
		return list, nil
	}
	return db.written(ctx, after, limit)
}

// written is Events from the file itself.
func (db *DB) written(ctx context.Context, after int64, limit int) ([]dtm.Event, error) {
	return db.events(ctx, "store.Events", `
		WHERE operation = $1 AND seq > $2
		ORDER BY seq
		LIMIT $3`, db.operation, after, limit)
}

// events reads entries; which says which and in what order.
func (db *DB) events(ctx context.Context, op, which string, args ...any) ([]dtm.Event, error) {
	rows, err := db.read.QueryContext(ctx, `
		SELECT seq, at, name, subject, actor, detail, prev, hash
		FROM event`+which, args...)
	if err != nil {
		return nil, failure(op, err)
	}
	defer rows.Close()
	var list []dtm.Event
	for rows.Next() {
		var e dtm.Event
		var at string
		if err := rows.Scan(&e.Seq, &at, &e.Name, &e.Subject, &e.Actor, &e.Detail, &e.Prev, &e.Hash); err != nil {
			return nil, failure(op, err)
		}
		if e.At, err = textTime(at); err != nil {
			return nil, dtm.Errorf(dtm.Conflict,
				"the audit log is broken at entry %d: its time %q cannot be read; compare it with a backup", e.Seq, at).
				Coded("event.broken.time", e.Seq, at)
		}
		list = append(list, e)
	}
	return list, failure(op, rows.Err())
}

// Record adds an entry about what changed nothing.
func (db *DB) Record(ctx context.Context, name, subject, detail string) error {
	return db.update(ctx, "store.Record", func(t *tx) error {
		_, err := t.log(name, subject, event.Actor(ctx), detail)
		return err
	})
}

// FindEvents gives the entries that the filter finds, newest first.
func (db *DB) FindEvents(ctx context.Context, f dtm.EventFilter) ([]dtm.Event, error) {
	until, limit := f.Until, f.Limit
	if until == 0 {
		until = math.MaxInt64
	}
	if limit == 0 {
		limit = math.MaxInt64
	}
	from, to := "", "9"
	if !f.From.IsZero() {
		from = timeText(f.From)
	}
	if !f.To.IsZero() {
		to = timeText(f.To)
	}
	// Kinds other than those of nearly all entries have an index.
	index := ``
	kind, _, _ := strings.Cut(f.Name, ".")
	if kind != "" && f.Name != "submission" && f.Name != dtm.SubmissionReceived && f.Name != dtm.SubmissionFlagged {
		index = ` INDEXED BY event_kind`
	}
	which := index + `
		WHERE operation = $1 AND seq <= $2 AND at >= $3 AND at < $4 AND ($5 = '' OR name = $5 OR (name > $5 || '.' AND name < $5 || '/'))`
	args := []any{db.operation, until, from, to, f.Name, limit, f.Offset}
	if index != "" {
		which += ` AND rtrim(name, 'abcdefghijklmnopqrstuvwxyz_') = $8 AND name NOT IN ('submission.received', 'submission.flagged')`
		args = append(args, kind+".")
	}
	return db.events(ctx, "store.FindEvents", which+`
		ORDER BY seq DESC
		LIMIT $6 OFFSET $7`, args...)
}

// LastChange is the number of the newest entry that is none of dtm.Acts.
func (db *DB) LastChange(ctx context.Context) (int64, error) {
	const op = "store.LastChange"
	var seq int64
	err := db.read.QueryRowContext(ctx, `
		SELECT seq
		FROM event
		WHERE operation = $1 AND name NOT IN (SELECT value FROM json_each($2))
		ORDER BY seq DESC
		LIMIT 1`, db.operation, listText(dtm.Acts)).Scan(&seq)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return seq, failure(op, err)
}

// Last returns the number of the newest entry, 0 when there is none.
func (db *DB) Last(ctx context.Context) (int64, error) {
	c, err := db.head(ctx)
	return c.Seq, failure("store.Last", err)
}

// Wait returns when an entry after seq has been committed by this process, which
// is the only one that owns the data folder, or with ctx's error; Unavailable
// when the store is closed meanwhile.
func (db *DB) Wait(ctx context.Context, after int64) error {
	for {
		seq, next := db.bell.listen()
		if seq > after {
			return nil
		}
		select {
		case <-next:
		case <-ctx.Done():
			return ctx.Err()
		case <-db.closing:
			return errClosed()
		}
	}
}

// Verify walks the log, and holds every received submission against the hash
// that its entry recorded. The first difference is an error of kind Conflict
// that names the entry. Entries cut off at the end cannot be missed by a chain
// alone: compare the last number with a published release.
func (db *DB) Verify(ctx context.Context) error {
	var c event.Chain
	for {
		batch, err := db.written(ctx, c.Seq, 1000)
		if err != nil {
			return err
		}
		if len(batch) == 0 {
			break
		}
		for _, e := range batch {
			if c, err = c.Next(e); err != nil {
				return err
			}
		}
	}
	return db.verifyContent(ctx, c.Seq)
}

// bell tells everybody who waits that the log has grown.
type bell struct {
	mu   sync.Mutex
	seq  int64
	next chan struct{} // closed by the next ring; nil while nobody listens
}

func (b *bell) ring(seq int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.seq = max(b.seq, seq)
	if b.next != nil {
		close(b.next)
		b.next = nil
	}
}

func (b *bell) listen() (int64, <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.next == nil {
		b.next = make(chan struct{})
	}
	return b.seq, b.next
}
