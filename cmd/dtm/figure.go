package main

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"dtm/check"
	"dtm/gather/entry"
)

// figureDays is the period of enumerators' figures; figureAge is how old they may be.
const (
	figureDays = 30
	figureAge  = 10 * time.Minute
)

// team keeps the figures of devices: reading a month of records for each phone that
// asks would be too much.
type team struct {
	mu     sync.Mutex
	at     time.Time
	busy   bool // being counted anew
	list   []check.Figure
	middle check.Figure
}

// enumerators are the figures of the last thirty days by device, and the team's
// medians.
func (h *house) enumerators(ctx context.Context) ([]check.Figure, check.Figure, error) {
	h.team.mu.Lock()
	defer h.team.mu.Unlock()
	if h.team.at.IsZero() {
		list, middle, err := h.countTeam(ctx)
		if err == nil {
			h.team.list, h.team.middle, h.team.at = list, middle, h.now()
		}
		return list, middle, err
	}
	if h.now().Sub(h.team.at) >= figureAge && !h.team.busy && h.background != nil {
		// Reading thirty days of records takes a while where they are many: meanwhile the
		// figures are those of before.
		h.team.busy = true
		h.loading.Go(func() { h.refreshTeam(h.background) })
	}
	return h.team.list, h.team.middle, nil
}

func (h *house) refreshTeam(ctx context.Context) {
	list, middle, err := h.countTeam(ctx)
	h.team.mu.Lock()
	defer h.team.mu.Unlock()
	if h.team.busy = false; err != nil {
		if ctx.Err() == nil {
			slog.WarnContext(ctx, "the figures of devices could not be refreshed; those of before are shown", "error", err)
		}
		return
	}
	h.team.list, h.team.middle, h.team.at = list, middle, h.now()
}

// countTeam reads the records of the last thirty days.
func (h *house) countTeam(ctx context.Context) ([]check.Figure, check.Figure, error) {
	to := h.today().AddDate(0, 0, 1)
	from := to.AddDate(0, 0, -figureDays)
	records, err := h.observed(ctx, from, to)
	if err != nil {
		return nil, check.Figure{}, err
	}
	flagged, err := h.db.FlaggedByDevice(ctx, from)
	if err != nil {
		return nil, check.Figure{}, err
	}
	list, middle := check.Figures(records, flagged)
	return list, middle, nil
}

// deskFigures are those that an enumerator sees of themselves.
func (h *house) deskFigures(ctx context.Context, device string) (own, team entry.Figures, ok bool, err error) {
	list, middle, err := h.enumerators(ctx)
	as := func(f check.Figure) entry.Figures {
		return entry.Figures{Records: f.Records, Complete: f.Complete, Flagged: f.Flagged, Seconds: f.Seconds}
	}
	for _, f := range list {
		if f.Device == device {
			return as(f), as(middle), true, err
		}
	}
	return own, team, false, err
}
