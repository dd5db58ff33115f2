package main

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"dtm"
	"dtm/disseminate/guard"
	"dtm/web"
)

// keepChosen chooses what is withheld of the last month with data ahead of readers,
// until ctx ends: after new records the choice takes a second, which the first reader
// would wait for. It takes a tenth of one processor at most.
func (h *house) keepChosen(ctx context.Context) {
	g, ok := h.public.(*guard.Guard)
	if !ok {
		return
	}
	for pause := time.Second; ; {
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		h.calm(ctx, time.Minute)
		start := time.Now()
		span, err := g.Span(ctx)
		if err == nil && !span.From.IsZero() {
			_, err = g.Pattern(ctx, dtm.MonthOf(span.To.AddDate(0, 0, -1)))
		}
		if err != nil && ctx.Err() == nil {
			slog.WarnContext(ctx, "what is withheld could not be chosen ahead of readers", "error", err)
		}
		pause = max(time.Second, 9*time.Since(start))
	}
}

// keepAhead computes what pages show that takes long ahead of readers, when what it rests
// on has changed, until ctx ends. It takes a fifth of one processor at most.
func (h *house) keepAhead(ctx context.Context, p *web.Pages) {
	for pause := aheadFirst; ; {
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		calm := func(ctx context.Context) { h.calm(ctx, aheadLatest) }
		calm(ctx)
		start := time.Now()
		_, _, _, err := h.enumerators(ctx)
		if err == nil {
			err = p.Prepare(ctx, calm)
		}
		if err != nil && ctx.Err() == nil {
			slog.WarnContext(ctx, "what pages show could not be computed ahead of readers; it will be tried again", "error", err)
		}
		pause = max(aheadEvery, 4*time.Since(start))
	}
}

// calm returns when no more than a few records a second come in and no page is asked for,
// ctx ends, or the longest has passed: what is computed while many records come is of no
// use a moment later, and who sends or reads waits for it. Readers are waited for no
// longer than readersLatest, because some may always be there.
func (h *house) calm(ctx context.Context, longest time.Duration) {
	start := time.Now()
	before, err := h.db.Last(ctx)
	read := h.visits.Load()
	for err == nil && time.Since(start) < longest {
		select {
		case <-ctx.Done():
			return
		case <-time.After(calmEvery):
		}
		var now int64
		now, err = h.db.Last(ctx)
		asked := h.visits.Load()
		if now-before < calmEntries && (asked == read || time.Since(start) > readersLatest) {
			return
		}
		before, read = now, asked
	}
}

// fewer than calmEntries within calmEvery are calm.
const (
	calmEvery     = time.Second
	calmEntries   = 50
	readersLatest = 20 * time.Second
)

// counted counts the pages that are asked for, so that what can wait does.
func (h *house) counted(pages http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.visits.Add(1)
		pages.ServeHTTP(w, r)
	})
}

// aheadLatest is how long what pages show waits for that.
const aheadLatest = 5 * time.Minute

// aheadFirst is when that begins, after a start; aheadEvery the least time between two
// looks whether anything has changed.
const aheadFirst, aheadEvery = time.Second, 30 * time.Second
