// Package load brings the event log into the warehouse: events come in from the
// store, each is turned into facts (an imported chunk, a phone's submission),
// and batches of facts go out to the warehouse with the position they stand
// for.
//
// A batch and its position are one transaction, so every event counts exactly
// once, wherever the program is stopped. The warehouse holds nothing that the log
// does not say: when it is empty, of another pack, or stands at an event that this
// log does not have, it is loaded from the first event, with the same result.
package load

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"dtm"
	"dtm/analyse/warehouse"
	"dtm/event"
)

// Warehouse is where batches go. Implemented by the rooms under warehouse/.
type Warehouse interface {
	// Position tells how far the log is loaded.
	Position(ctx context.Context) (warehouse.Position, error)
	// Apply adds a batch with its position in one transaction: Conflict when the
	// warehouse does not stand where the batch starts.
	Apply(ctx context.Context, b warehouse.Batch) ([]warehouse.Outcome, error)
	// Outcome tells what became of a chunk: NotFound while it is not loaded.
	Outcome(ctx context.Context, chunk string) (warehouse.Outcome, error)
	// Reset empties the warehouse.
	Reset(ctx context.Context) error
	// Adopt makes the facts follow the operation's points as the register has them
	// now. It tells whether the warehouse had to be emptied for it.
	Adopt(ctx context.Context, op *dtm.Operation) (emptied bool, err error)
}

// Events is the part of dtm.Events that loading needs.
type Events interface {
	Events(ctx context.Context, after int64, limit int) ([]dtm.Event, error)
	Wait(ctx context.Context, after int64) error
}

// Submissions is the part of dtm.Submissions that loading needs.
type Submissions interface {
	dtm.Recorded
	Submission(ctx context.Context, id string) (dtm.Submission, error)
	// Standing is what review had made of a submission at event upTo.
	Standing(ctx context.Context, id string, upTo int64) (dtm.Standing, error)
}

// Chunks is the part of dtm.Imports that loading needs.
type Chunks interface {
	Chunk(ctx context.Context, hash string) (dtm.Chunk, error)
	// WithdrawnChunks gives, of each chunk that was ever taken back, the last event that
	// took it back, up to an event; 0: of all.
	WithdrawnChunks(ctx context.Context, upTo int64) (map[string]int64, error)
}

// Outcome is what became of an imported chunk.
type Outcome = warehouse.Outcome

// Problem is an event whose content could not be turned into facts. The
// submission stays in the store; it has no facts.
type Problem struct {
	Event dtm.Event
	Err   error
}

// Result counts what loading did.
type Result struct {
	Events      int
	Submissions int
	Rows        int // movement rows read, before comparison
	Chunks      []Outcome
	Problems    []Problem
	To          warehouse.Position
}

// Loader follows the log. Set the fields, then call CatchUp or Run; one at a time
// does the work, both may be called from several goroutines.
type Loader struct {
	Operation   *dtm.Operation
	Events      Events
	Submissions Submissions
	Chunks      Chunks
	Warehouse   Warehouse

	// DecodeChunk gives the movements of an imported chunk. Every row has a
	// Source of its own that names its cell in the file.
	DecodeChunk func(op *dtm.Operation, data []byte) ([]dtm.Movement, error)
	// DecodeSubmission gives the facts of a submission and what is odd about it. A
	// form without tags has no facts. An error of kind Invalid,
	// NotFound or Unsupported means that this submission will never have any. Its
	// Changes are those of the corrections made up to the event that is loaded.
	DecodeSubmission func(ctx context.Context, s dtm.Submission) (dtm.Facts, []dtm.Flag, error)
	// Register brings Operation up to the register of points; called when the log has
	// a change of it. nil: Operation follows by other means.
	Register func(ctx context.Context) error
	// Arrival tells how a submission with movements came; nil: nobody asks.
	Arrival func(ctx context.Context, s dtm.Submission, rows []dtm.Movement) *warehouse.Arrival
	// Flagged is told what DecodeSubmission found odd, before the facts are
	// written and again if loading is repeated; nil to ignore.
	Flagged func(ctx context.Context, s dtm.Submission, facts dtm.Facts, flags []dtm.Flag) error
	// Loaded is told of every batch after it is written; nil to ignore. Run calls
	// it, so that Problems reach the log.
	Loaded func(Result)

	// Until is the event after which the log is not looked at; 0: there is none.
	Until int64

	// Every is the least time between two batches of Run: what phones send
	// meanwhile goes together. 0 means 100 ms.
	Every time.Duration
	// Limit is how many movement rows make a batch full. 0 means 100,000.
	Limit int

	mu      sync.Mutex // one batch at a time
	checked bool       // the warehouse is known to belong to this log
	pos     warehouse.Position
	gone    map[string]int64   // chunks that were taken back, with the last event that did it
	ahead   map[int64]*reading // by event

	wait    sync.Mutex
	loaded  int64
	changed chan struct{} // closed when loaded grows
}

const (
	defaultEvery = 100 * time.Millisecond
	defaultLimit = 100_000
	eventsPage   = 1000
	// Submissions closer together than this are many.
	manySubmissions = 5 * time.Millisecond
	burst           = 30 * time.Second // what is further behind is not a burst of phones
)

// CatchUp loads until there are no more events and tells what it did. It returns
// early with ctx's error or the first error of the store or the warehouse; what
// was loaded before stays loaded.
func (l *Loader) CatchUp(ctx context.Context) (Result, error) { return l.CatchUpTelling(ctx, nil) }

// CatchUpTelling is CatchUp that tells of each batch after it is written.
func (l *Loader) CatchUpTelling(ctx context.Context, told func(Result)) (Result, error) {
	var sum Result
	for {
		r, err := l.step(ctx)
		sum.Events += r.Events
		sum.Submissions += r.Submissions
		sum.Rows += r.Rows
		sum.Chunks = append(sum.Chunks, r.Chunks...)
		sum.Problems = append(sum.Problems, r.Problems...)
		sum.To = r.To
		if told != nil && err == nil {
			told(r)
		}
		if err != nil || r.Events == 0 {
			return sum, err
		}
	}
}

// Run loads as events come, until ctx ends (then it returns nil) or something
// fails. It may be called again after a failure.
func (l *Loader) Run(ctx context.Context) error {
	every := l.Every
	if every == 0 {
		every = defaultEvery
	}
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		began := time.Now()
		r, err := l.step(ctx)
		took := time.Since(began)
		if err == nil && r.Events > 0 && l.Loaded != nil {
			l.Loaded(r)
		}
		if err == nil && r.Events == 0 {
			err = l.Events.Wait(ctx, r.To.Seq)
		}
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		behind := r.Events >= eventsPage || r.Rows >= l.limit()
		if len(r.Chunks) > 0 && r.Submissions == 0 || behind && (len(r.Chunks) > 0 || time.Since(r.To.At) > burst) {
			continue // no pause: history, or a warehouse that is built anew
		}
		// Phones that send come first: a batch costs much the same whatever is in it, so
		// that when many of them send, more goes together. Pages are a quarter of a
		// second older for it at most.
		rest := every
		if time.Duration(r.Submissions)*manySubmissions >= every || took > every {
			rest = every * 5 / 2
		}
		pause.Reset(rest)
		select {
		case <-pause.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// WaitFor returns when the event seq is loaded, or with ctx's error. Somebody
// else must be loading.
func (l *Loader) WaitFor(ctx context.Context, seq int64) error {
	for {
		l.wait.Lock()
		if l.loaded >= seq {
			l.wait.Unlock()
			return nil
		}
		if l.changed == nil {
			l.changed = make(chan struct{})
		}
		c := l.changed
		l.wait.Unlock()
		select {
		case <-c:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Outcome tells what became of a chunk: NotFound while it is not loaded.
func (l *Loader) Outcome(ctx context.Context, chunk string) (Outcome, error) {
	return l.Warehouse.Outcome(ctx, chunk)
}

func (l *Loader) limit() int {
	if l.Limit > 0 {
		return l.Limit
	}
	return defaultLimit
}

// step loads one batch.
func (l *Loader) step(ctx context.Context) (Result, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.checked {
		if err := l.check(ctx); err != nil {
			return Result{}, err
		}
		l.checked = true
	}
	r, err := l.batch(ctx)
	if err != nil {
		// Whatever happened, the warehouse knows best where it stands.
		l.checked = false
		return r, err
	}
	l.pos = r.To
	l.tell(r.To.Seq)
	return r, nil
}

func (l *Loader) tell(seq int64) {
	l.wait.Lock()
	defer l.wait.Unlock()
	if seq > l.loaded {
		l.loaded = seq
		if l.changed != nil {
			close(l.changed)
			l.changed = nil
		}
	}
}

// check reads where the warehouse stands and empties it if the log has no such
// event: the store was restored from a backup, or is another one.
func (l *Loader) check(ctx context.Context) error {
	l.readNothing()
	p, err := l.Warehouse.Position(ctx)
	if err != nil {
		return err
	}
	if p.Seq > 0 {
		es, err := l.Events.Events(ctx, p.Seq-1, 1)
		if err != nil {
			return err
		}
		if len(es) == 0 || es[0].Seq != p.Seq || es[0].Hash != p.Hash {
			if err := l.Warehouse.Reset(ctx); err != nil {
				return err
			}
			p = warehouse.Position{}
		}
	}
	if l.gone, err = l.Chunks.WithdrawnChunks(ctx, l.Until); err != nil {
		return err
	}
	l.pos = p
	l.tell(p.Seq)
	return nil
}

// withdraw follows an import that was taken back: rows that are loaded leave the facts
// by being left out when the log is loaded anew, because they may have corrected
// others.
func (l *Loader) withdraw(ctx context.Context) (emptied bool, err error) {
	l.readNothing()
	gone, err := l.Chunks.WithdrawnChunks(ctx, l.Until)
	if err != nil {
		return false, err
	}
	l.gone = gone
	for hash, seq := range gone {
		if seq <= l.pos.Seq {
			continue // followed before
		}
		_, err := l.Warehouse.Outcome(ctx, hash)
		if err == nil {
			return true, l.Warehouse.Reset(ctx)
		}
		if dtm.KindOf(err) != dtm.NotFound {
			return false, err
		}
	}
	return false, nil
}

func (l *Loader) batch(ctx context.Context) (Result, error) {
	r := Result{To: l.pos}
	events, err := l.Events.Events(ctx, l.pos.Seq, eventsPage)
	if err != nil || len(events) == 0 {
		return r, err
	}
	if slices.ContainsFunc(events, func(e dtm.Event) bool { return slices.Contains(dtm.PointEvents, e.Name) }) {
		emptied, err := l.follow(ctx)
		if err != nil {
			return r, err
		}
		if emptied {
			l.restart()
			return l.batch(ctx)
		}
	}
	if slices.ContainsFunc(events, func(e dtm.Event) bool { return e.Name == dtm.ImportWithdrawn }) {
		emptied, err := l.withdraw(ctx)
		if err != nil {
			return r, err
		}
		if emptied {
			l.restart()
			return l.batch(ctx)
		}
	}
	b := warehouse.Batch{From: l.pos}
	ahead := &event.Ahead{From: l.Submissions, Last: events[len(events)-1].Seq}
	l.readAhead(ctx, events)
	for i, e := range events {
		if err := l.add(ctx, e, ahead, &b, &r); err != nil {
			return r, err
		}
		if e.Name == dtm.ChunkImported {
			l.readAhead(ctx, events[i+1:])
		}
		r.Events++
		r.To = warehouse.Position{Seq: e.Seq, Hash: e.Hash, At: e.At}
		if r.Rows >= l.limit() {
			break
		}
	}
	b.To = r.To
	r.Chunks, err = l.Warehouse.Apply(ctx, b)
	return r, err
}

// follow brings the operation and the facts up to the register. What it says of
// days long gone changes their facts too; when the warehouse had to be emptied for
// it, loading begins anew.
func (l *Loader) follow(ctx context.Context) (emptied bool, err error) {
	l.readNothing()
	if l.Register != nil {
		if err := l.Register(ctx); err != nil {
			return false, err
		}
	}
	return l.Warehouse.Adopt(ctx, l.Operation)
}

// restart begins at the start of the log: who waits for an event waits until it is
// loaded again.
func (l *Loader) restart() {
	l.pos = warehouse.Position{}
	l.wait.Lock()
	defer l.wait.Unlock()
	l.loaded = 0
}

// add reads what the event is about into the batch. Events that bring no facts
// only move the position.
func (l *Loader) add(ctx context.Context, e dtm.Event, ahead *event.Ahead, b *warehouse.Batch, r *Result) error {
	switch e.Name {
	case dtm.ChunkImported:
		if l.gone[e.Subject] > e.Seq {
			return nil // taken back since
		}
		rows, err := l.chunk(ctx, e)
		if err != nil {
			return err
		}
		b.Chunks = append(b.Chunks, warehouse.Chunk{Hash: e.Subject, Rows: rows})
		r.Rows += len(rows)
	case dtm.SubmissionReceived, dtm.SubmissionReviewed, dtm.SubmissionCorrected:
		var s dtm.Submission
		var err error
		if e.Name == dtm.SubmissionReceived {
			s, err = ahead.Of(ctx, e)
		} else {
			s, err = l.Submissions.Submission(ctx, e.Subject)
		}
		if err != nil {
			return fmt.Errorf("event %d: %w", e.Seq, err)
		}
		var at dtm.Standing
		if e.Name != dtm.SubmissionReceived {
			if at, err = l.Submissions.Standing(ctx, s.ID, e.Seq); err != nil {
				return fmt.Errorf("event %d: %w", e.Seq, err)
			}
		}
		s.Changes = at.Changes
		facts, flags, err := l.DecodeSubmission(ctx, s)
		if err != nil {
			if !never(err) {
				return fmt.Errorf("event %d, submission %s: %w", e.Seq, s.ID, err)
			}
			r.Problems = append(r.Problems, Problem{e, err})
			facts = dtm.Facts{}
		}
		if (len(flags) > 0 || len(s.Changes) > 0) && err == nil && e.Name != dtm.SubmissionReviewed && l.Flagged != nil {
			if err := l.Flagged(ctx, s, facts, flags); err != nil {
				return err
			}
		}
		var arrival *warehouse.Arrival
		if rows := facts.Movements; len(rows) > 0 && l.Arrival != nil {
			arrival = l.Arrival(ctx, s, rows)
		}
		if at.State == dtm.StateRejected {
			facts = dtm.Facts{} // out of the figures, and back when the review says otherwise
		}
		b.Submissions = append(b.Submissions, warehouse.Submission{Source: s.ID, Replaces: s.Deprecates, Facts: facts, Arrival: arrival})
		r.Submissions++
		r.Rows += len(facts.Movements)
	}
	return nil
}

// never tells whether trying again cannot help.
func never(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	switch dtm.KindOf(err) {
	case dtm.Invalid, dtm.NotFound, dtm.Unsupported, dtm.TooLarge:
		return true
	}
	return false
}
