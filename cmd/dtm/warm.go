package main

import (
	"context"
	"log/slog"
	"time"

	"dtm"
	"dtm/disseminate/guard"
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
