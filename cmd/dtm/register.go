package main

import (
	"context"
	"time"

	"dtm"
)

var _ dtm.Points = (*house)(nil)

// Register is the register of points as it is now.
func (h *house) Register(ctx context.Context) (*dtm.Register, error) {
	changes, err := h.db.PointChanges(ctx, 0)
	if err != nil {
		return nil, err
	}
	return dtm.NewRegister(h.op.Points, changes), nil
}

// followRegister brings the operation, which every room holds, up to the register.
func (h *house) followRegister(ctx context.Context) error {
	r, err := h.Register(ctx)
	if err == nil {
		h.op.Follow(r.On(h.today()))
	}
	return err
}

// ChangePoint checks and records a change; pages, phones and the loader follow.
func (h *house) ChangePoint(ctx context.Context, c dtm.PointChange) (dtm.PointChange, error) {
	r, err := h.Register(ctx)
	if err != nil {
		return c, err
	}
	if err := r.Check(h.op, c, h.today()); err != nil {
		return c, err
	}
	if c, err = h.db.ChangePoint(ctx, c, r.Seq()); err != nil {
		return c, err
	}
	if err := h.followRegister(ctx); err != nil {
		return c, err
	}
	return c, h.syncPoints(ctx, h.now())
}

// today is the civil day in the operation's zone.
func (h *house) today() time.Time { return dayIn(h.now(), h.op.Zone) }

// dayIn is the civil day of a moment in a zone, as midnight UTC.
func dayIn(t time.Time, zone *time.Location) time.Time {
	t = t.In(zone)
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
}
