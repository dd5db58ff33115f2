package main

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"dtm"
	"dtm/event"
)

// claimEvery is how often a server asks for work that another one has.
const claimEvery = 3 * time.Second

// alone does a piece of work that goes on until its context ends, as long as no other
// server on the same store does it: whoever comes first has it, and when that server has
// gone another takes over. Each piece goes to any of them; none is the leader.
func (h *house) alone(ctx context.Context, name string, work func(context.Context)) {
	for ctx.Err() == nil {
		release, lost, ok, err := h.db.Claim(ctx, name)
		if err != nil && ctx.Err() == nil {
			slog.ErrorContext(ctx, "work could not be claimed; it will be tried again", "work", name, "error", err)
		}
		if ok {
			working, stop := context.WithCancel(ctx)
			ended := make(chan struct{})
			go func() {
				select {
				case <-lost:
					stop()
				case <-ended:
				}
			}()
			work(working)
			done := working.Err() == nil // by itself: it has nothing to do here
			close(ended)
			stop()
			release()
			if done {
				return
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(claimEvery):
		}
	}
}

// hearOthers takes over what other servers on the same store have changed of what is
// kept in memory here: rules, points, areas.
func (h *house) hearOthers(ctx context.Context) {
	after, err := h.db.Last(ctx)
	for err != nil && ctx.Err() == nil {
		time.Sleep(time.Second)
		after, err = h.db.Last(ctx)
	}
	_ = event.Follow(ctx, h.db, after, func(ctx context.Context, batch []dtm.Event) error {
		var rules, points, areas bool
		for _, e := range batch {
			rules = rules || e.Name == dtm.RuleSwitched
			points = points || strings.HasPrefix(e.Name, "point.")
			areas = areas || e.Name == dtm.AreasReplaced
		}
		if rules {
			if err := h.readRules(ctx); err != nil {
				return err
			}
		}
		if points {
			if err := h.followRegister(ctx); err != nil {
				return err
			}
		}
		if areas {
			return h.followAreas(ctx)
		}
		return nil
	}, event.Following{Failed: func(err error, _ int, of event.Span) {
		slog.ErrorContext(ctx, "what other servers changed could not be taken over; it will be tried again", "first", of.First, "last", of.Last, "error", err)
	}})
}
