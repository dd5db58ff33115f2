package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"dtm"
	"dtm/check"
	"dtm/gather/entry"
	"dtm/web"
)

// figureDays is the period of enumerators' figures; figureAge is how old they may be.
const (
	figureDays = 30
	figureAge  = 10 * time.Minute
)

// team keeps the figures of devices: reading a month of records for each phone that
// asks would be too much. They outlive a restart.
type team struct {
	mu    sync.Mutex
	read  bool // what was kept
	at    time.Time
	basis string
	busy  chan struct{} // closed when they are counted; nil: nobody counts
	err   error         // of the last count
	counted
}

type counted struct {
	List   []check.Figure
	Middle check.Figure
}

// teamName is under which they are kept.
const teamName = "enumerators"

// enumerators are the figures of the last thirty days by device, the team's medians,
// and when they were counted. They are counted beside who asks, when records came and
// the figures are older than figureAge.
func (h *house) enumerators(ctx context.Context) ([]check.Figure, check.Figure, web.Made, error) {
	at, err := h.facts.Position(ctx)
	if err != nil {
		return nil, check.Figure{}, web.Made{}, err
	}
	basis := fmt.Sprint(at.Seq, " ", h.today().Format(time.DateOnly))
	t := &h.team
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.read {
		c, err := h.db.Computed(ctx, teamName)
		if err != nil {
			return nil, check.Figure{}, web.Made{}, err
		}
		if json.Unmarshal(c.Body, &t.counted) == nil {
			t.at, t.basis = c.At, c.Basis
		}
		t.read = true
	}
	if (t.at.IsZero() || t.basis != basis && h.now().Sub(t.at).Abs() >= figureAge) && t.busy == nil {
		busy := make(chan struct{})
		t.busy = busy
		count := func(ctx context.Context) {
			defer close(busy)
			h.countAgain(ctx, basis)
		}
		if h.background == nil { // a command: it waits
			t.mu.Unlock()
			count(ctx)
			t.mu.Lock()
		} else {
			h.loading.Go(func() { count(h.background) })
		}
	}
	if busy := t.busy; busy != nil && t.at.IsZero() {
		t.mu.Unlock()
		wait := time.NewTimer(firstCount)
		defer wait.Stop()
		select {
		case <-busy:
		case <-wait.C:
		case <-ctx.Done():
		}
		t.mu.Lock()
	}
	if t.at.IsZero() && t.busy == nil && t.err != nil {
		return nil, check.Figure{}, web.Made{}, t.err
	}
	return t.List, t.Middle, web.Made{At: t.at, Ready: !t.at.IsZero(), Old: t.busy != nil}, ctx.Err()
}

// firstCount is how long who asks waits for figures that were never counted.
const firstCount = 3 * time.Second

// countAgain counts the figures anew and keeps them.
func (h *house) countAgain(ctx context.Context, basis string) {
	now := h.now()
	c, err := h.countTeam(ctx)
	if err == nil {
		var body []byte
		if body, err = json.Marshal(c); err == nil {
			err = h.db.KeepComputed(ctx, dtm.Computed{Name: teamName, Basis: basis, At: now, Body: body})
		}
	}
	if err != nil && ctx.Err() == nil {
		slog.WarnContext(ctx, "the figures of devices could not be counted; those of before are shown", "error", err)
	}
	h.team.mu.Lock()
	defer h.team.mu.Unlock()
	if h.team.busy, h.team.err = nil, err; err == nil {
		h.team.counted, h.team.at, h.team.basis = c, now, basis
	}
}

// countTeam reads the records of the last thirty days.
func (h *house) countTeam(ctx context.Context) (counted, error) {
	to := h.today().AddDate(0, 0, 1)
	from := to.AddDate(0, 0, -figureDays)
	records, err := h.observedOn(ctx, from, to)
	if err != nil {
		return counted{}, err
	}
	flagged, err := h.db.FlaggedByDevice(ctx, from)
	if err != nil {
		return counted{}, err
	}
	list, middle := check.Figures(records, flagged)
	return counted{list, middle}, nil
}

// deskFigures are those that an enumerator sees of themselves.
func (h *house) deskFigures(ctx context.Context, device string) (own, team entry.Figures, ok bool, err error) {
	list, middle, _, err := h.enumerators(ctx)
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
