package relational

import (
	"context"
	"database/sql"

	"dtm"
)

// What the tests of the writer reach beside the contracts: they run on store/sqlite,
// which imports this room.

type (
	Tx  = tx
	Job = job
)

const TailKept = tailKept

func NewJob(again bool, fn func(*tx) error) *job {
	return &job{again: again, done: make(chan error, 1), fn: fn}
}

func (j *job) Done() error { return <-j.done }

func (db *DB) Update(ctx context.Context, op string, fn func(*tx) error) error {
	return db.update(ctx, op, fn)
}
func (db *DB) Hand(ctx context.Context, j *job) error { return db.hand(ctx, j) }
func (db *DB) Pool() *sql.DB                          { return db.read }
func (db *DB) Written(ctx context.Context, after int64, limit int) ([]dtm.Event, error) {
	return db.written(ctx, after, limit)
}
func (db *DB) Tail() (n int, after func(seq int64, limit int) ([]dtm.Event, bool)) {
	return len(db.tail.list), db.tail.after
}

func (t *tx) Log(name, subject, actor, detail string) (int64, error) {
	return t.log(name, subject, actor, detail)
}
func (t *tx) Exec(query string, args ...any) error { return t.exec(query, args...) }
func (t *tx) Row(query string, args []any, dest ...any) (bool, error) {
	return t.row(query, args, dest...)
}

// Few sets how many rows of an index are few, until undo.
func Few(n int) (undo func()) {
	was := few
	few = n
	return func() { few = was }
}
