package event

import (
	"context"
	"time"

	"dtm"
)

// Handler does the work of a batch of entries, oldest first. It is called again
// with the same batch after an error and, after a restart, with entries it has
// seen before: doing them twice must change nothing.
type Handler func(ctx context.Context, batch []dtm.Event) error

// Following says how a log is followed; zero values are replaced.
type Following struct {
	Batch   int                                   // most entries in a call, 500
	Every   time.Duration                         // least time between calls unless there is more than a batch, 100 ms: what comes meanwhile goes together
	First   time.Duration                         // pause after the first failure, 100 ms; doubles with each more
	Longest time.Duration                         // longest pause, 1 minute
	Failed  func(err error, attempt int, of Span) // told of each failure: for the log; may be nil
}

// Span names the entries of a batch.
type Span struct{ First, Last int64 }

// Follow calls h with every entry after position after, in order, and waits for
// more. It returns only when ctx ends, with ctx's error. An error of h or of the
// log is told to f.Failed and tried again after a pause, for ever: an entry is
// never skipped.
func Follow(ctx context.Context, log dtm.Events, after int64, h Handler, f Following) error {
	if f.Batch <= 0 {
		f.Batch = 500
	}
	if f.Every <= 0 {
		f.Every = 100 * time.Millisecond
	}
	if f.First <= 0 {
		f.First = 100 * time.Millisecond
	}
	if f.Longest <= 0 {
		f.Longest = time.Minute
	}
	attempt, pause := 0, f.First
	for {
		done, span, err := step(ctx, log, after, h, f.Batch)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err == nil {
			after, attempt, pause = done, 0, f.First
			if n := span.Last - span.First + 1; span.First > 0 && n < int64(f.Batch) && !sleep(ctx, f.Every) {
				return ctx.Err()
			}
			continue
		}
		attempt++
		if f.Failed != nil {
			f.Failed(err, attempt, span)
		}
		if !sleep(ctx, pause) {
			return ctx.Err()
		}
		pause = min(2*pause, f.Longest)
	}
}

// sleep is false when ctx has ended.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// step does one batch and returns the position after it.
func step(ctx context.Context, log dtm.Events, after int64, h Handler, limit int) (int64, Span, error) {
	batch, err := log.Events(ctx, after, limit)
	if err != nil {
		return after, Span{}, err
	}
	if len(batch) == 0 {
		return after, Span{}, log.Wait(ctx, after)
	}
	span := Span{batch[0].Seq, batch[len(batch)-1].Seq}
	if err := h(ctx, batch); err != nil {
		return after, span, err
	}
	return span.Last, span, nil
}
