package relational

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"dtm"
	"dtm/event"
)

// groupLimit is the most writes that one commit makes durable. More does not
// save syncs that matter and makes the last one wait.
const groupLimit = 128

// job is one caller's write: fn runs in the transaction of its group. Its error
// undoes what fn did and nothing else.
type job struct {
	fn    func(*tx) error
	id    string     // of the submission that fn stores, "" otherwise
	again bool       // fn may be run a second time after what it wrote was undone; it writes no devices
	done  chan error // buffered: the writer never waits for a caller
}

// update runs fn in the next group and returns after the commit that holds it:
// nil means that it is on disk. A caller whose ctx ends while the write is under
// way still waits for its answer, which is a matter of milliseconds, because
// otherwise it could not know whether the write was done.
func (db *DB) update(ctx context.Context, op string, fn func(*tx) error) error {
	return db.hold(ctx, op, &job{fn: fn})
}

// hold is update of a job.
func (db *DB) hold(ctx context.Context, op string, j *job) error {
	j.done = make(chan error, 1)
	if err := db.hand(ctx, j); err != nil {
		return err
	}
	return failure(op, <-j.done)
}

func (db *DB) hand(ctx context.Context, j *job) error {
	db.senders.RLock()
	defer db.senders.RUnlock()
	select {
	case <-db.closing:
		return errClosed()
	default:
	}
	select {
	case db.queue <- j:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// writer owns the writing connection until the queue is closed and empty.
func (db *DB) writer() {
	defer close(db.ended)
	w := &group{db: db, stmts: map[string]*sql.Stmt{}}
	defer w.release()
	jobs := make([]*job, 0, groupLimit)
	for first := range db.queue {
		jobs = append(jobs[:0], first)
	more:
		for len(jobs) < groupLimit {
			select {
			case j, ok := <-db.queue:
				if !ok {
					break more
				}
				jobs = append(jobs, j)
			default:
				break more
			}
		}
		w.run(jobs)
	}
}

// group runs jobs in transactions on the one writing connection. Statements are
// prepared once and kept.
type group struct {
	db     *DB
	conn   *sql.Conn
	stmts  map[string]*sql.Stmt
	broken error // a commit whose sync failed: what is on disk is not known any more
}

func (w *group) run(jobs []*job) {
	_, span := otel.Tracer("dtm").Start(context.Background(), "store group", trace.WithAttributes(attribute.Int("dtm.writes", len(jobs))))
	defer span.End()
	// Those that can be run again come first: while nothing else has run, a failure
	// costs a second run of the group and not a savepoint around each job, for which
	// SQLite would copy every page before it is changed.
	slices.SortStableFunc(jobs, func(a, b *job) int { return btoi(b.again) - btoi(a.again) })
	errs, err := w.try(jobs, false)
	if errors.Is(err, errAgain) {
		errs, err = w.try(jobs, true)
	}
	for n := 0; err != nil && n < attempts && faultOf(err).Again; n++ {
		errs, err = w.try(jobs, true)
	}
	if slices.ContainsFunc(jobs, func(j *job) bool { return !j.again }) {
		w.db.admitted.clear()
	}
	for i, j := range jobs {
		if err != nil {
			j.done <- err
		} else {
			j.done <- errs[i]
		}
	}
}

// attempts is how often a group that was undone because of others is run again.
const attempts = 5

// errAgain says that a job failed on its own and the group was undone.
var errAgain = errors.New("a job of the group failed")

// unlessFatal is errAgain for an error after which the same jobs may be tried one by one.
func unlessFatal(err error) error {
	if fatal(err) {
		return err
	}
	return errAgain
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// try returns each job's own error, or the one error that undid them all: errAgain when
// a job that ran without a savepoint failed. Carefully, every job has one.
func (w *group) try(jobs []*job, carefully bool) (errs []error, err error) {
	// The connection outlives every caller, so no caller's context is used.
	ctx := context.Background()
	if w.broken != nil {
		return nil, w.broken
	}
	if w.conn == nil {
		if w.conn, err = w.db.write.Conn(ctx); err != nil {
			return nil, err
		}
	}
	defer func() {
		if err != nil {
			w.exec(ctx, `ROLLBACK`) // may be over already: the first error is the one that counts
			w.renew()
		}
	}()
	t := &tx{group: w, ctx: ctx, together: w.db.engine.Send != nil && !carefully}
	if err := w.db.engine.Begin(t.later); err != nil {
		return nil, err
	}
	if t.together {
		t.ask(headQuery, []any{t.db.operation}, func(scan func(...any) error) error { return scan(&t.chain.Seq, &t.chain.Hash) })
		t.askStored(jobs)
		err = t.flush()
	} else {
		t.chain, err = t.head()
	}
	if err != nil {
		return nil, err
	}
	start := t.chain.Seq
	errs = make([]error, len(jobs))
	for i, j := range jobs {
		guarded := len(jobs) > 1 && (carefully || !j.again)
		if errs[i], err = t.do(j, guarded); err != nil {
			return nil, err
		}
		if errs[i] == nil || guarded || len(jobs) == 1 && !(t.together && j.again) {
			continue
		}
		if fatal(errs[i]) {
			return nil, errs[i]
		}
		return nil, errAgain
	}
	if len(jobs) == 1 && errs[0] != nil {
		w.exec(ctx, `ROLLBACK`)
		return errs, nil
	}
	if t.together {
		_ = t.later(`COMMIT`) // waits
		err = t.flush()
		if err != nil && (len(jobs) > 1 || jobs[0].again) {
			err = unlessFatal(err)
		}
	} else {
		err = w.exec(ctx, `COMMIT`)
	}
	if err != nil {
		if faultOf(err).Synced {
			w.broken = err
			close(w.db.broken)
		}
		return nil, err
	}
	if t.chain.Seq > start {
		w.db.tail.add(t.entries)
		w.db.bell.ring(t.chain.Seq)
	}
	if f := w.db.engine.Committed; f != nil {
		f(len(jobs))
	}
	return errs, nil
}

func (w *group) exec(ctx context.Context, query string, args ...any) error {
	s, err := w.stmt(ctx, query)
	if err != nil {
		return err
	}
	_, err = s.ExecContext(ctx, args...)
	return err
}

func (w *group) stmt(ctx context.Context, query string) (*sql.Stmt, error) {
	if s := w.stmts[query]; s != nil {
		return s, nil
	}
	s, err := w.conn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	w.stmts[query] = s
	return s, nil
}

func (w *group) release() {
	for _, s := range w.stmts {
		s.Close()
	}
	clear(w.stmts)
	if w.conn != nil {
		w.conn.Close()
		w.conn = nil
	}
}

// renew gives back a connection that has ended, so that the next group takes another.
func (w *group) renew() {
	if w.conn != nil && w.conn.PingContext(context.Background()) != nil {
		w.release()
	}
}

// tx is what a job sees: the group's transaction at one moment.
type tx struct {
	*group
	ctx   context.Context
	now   time.Time
	chain event.Chain // end of the log, entries of this transaction included

	entries []dtm.Event // of this transaction

	together bool            // later waits
	waiting  []Statement     // of later
	here     map[string]bool // which of the group's submissions are stored; nil: not known
}

// do runs one job; guarded in a savepoint, so that its failure leaves the others
// alone. The second error is one that ended the transaction.
func (t *tx) do(j *job, guarded bool) (own, all error) {
	t.now = t.db.now()
	if !guarded {
		return j.fn(t), nil
	}
	before, entries := t.chain, len(t.entries)
	if err := t.flush(); err != nil { // of jobs that can be run again
		return nil, unlessFatal(err)
	}
	if err := t.exec(`SAVEPOINT job`); err != nil {
		return nil, err
	}
	if own = j.fn(t); own == nil {
		own = t.flush()
	}
	if own != nil {
		t.waiting = nil
		if fatal(own) {
			return nil, own
		}
		t.chain, t.entries = before, t.entries[:entries]
		if err := t.exec(`ROLLBACK TO job`); err != nil {
			return nil, err
		}
	}
	return own, t.exec(`RELEASE job`)
}

// stmt is a statement that sees what later was given.
func (t *tx) stmt(ctx context.Context, query string) (*sql.Stmt, error) {
	if err := t.flush(); err != nil {
		return nil, err
	}
	return t.group.stmt(ctx, query)
}

func (t *tx) exec(query string, args ...any) error {
	s, err := t.stmt(t.ctx, query)
	if err != nil {
		return err
	}
	_, err = s.ExecContext(t.ctx, args...)
	return err
}

// later is exec of what is not expected to fail and of which nothing is asked. Where a
// statement is a way to a server and back it goes there with others, and its error comes
// from a later call: the group is then run again one by one.
func (t *tx) later(query string, args ...any) error {
	if !t.together {
		return t.exec(query, args...)
	}
	t.waiting = append(t.waiting, Statement{Query: query, Args: args})
	return nil
}

// flush runs what waits, in its order.
func (t *tx) flush() error {
	if len(t.waiting) == 0 {
		return nil
	}
	list := t.waiting
	t.waiting = nil
	return t.db.engine.Send(t.ctx, t.conn, list)
}

// ask is later of a query: take is given its rows when what waits is run.
func (t *tx) ask(query string, args []any, take func(scan func(...any) error) error) {
	t.waiting = append(t.waiting, Statement{query, args, take})
}

// askStored asks which of the submissions that jobs store are there.
func (t *tx) askStored(jobs []*job) {
	t.here = map[string]bool{}
	var ids []string
	for _, j := range jobs {
		if j.id != "" {
			ids = append(ids, j.id)
		}
	}
	if len(ids) == 0 {
		return
	}
	t.ask(`
		SELECT id
		FROM submission
		WHERE operation = $1 AND id IN (SELECT value FROM json_each($2))`, []any{t.db.operation, jsonText(ids)}, func(scan func(...any) error) error {
		var id string
		err := scan(&id)
		t.here[id] = true
		return err
	})
}

// change is exec that returns how many rows it changed.
func (t *tx) change(query string, args ...any) (int64, error) {
	s, err := t.stmt(t.ctx, query)
	if err != nil {
		return 0, err
	}
	r, err := s.ExecContext(t.ctx, args...)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// row runs a query of at most one row into dest; false when there is none.
func (t *tx) row(query string, args []any, dest ...any) (bool, error) {
	s, err := t.stmt(t.ctx, query)
	if err != nil {
		return false, err
	}
	err = s.QueryRowContext(t.ctx, args...).Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// rows gives each row of a query to take.
func (t *tx) rows(query string, args []any, take func(scan func(...any) error) error) error {
	s, err := t.stmt(t.ctx, query)
	if err != nil {
		return err
	}
	list, err := s.QueryContext(t.ctx, args...)
	if err != nil {
		return err
	}
	defer list.Close()
	for list.Next() {
		if err := take(list.Scan); err != nil {
			return err
		}
	}
	return list.Err()
}
