package main

import (
	"context"
	"log/slog"
	"time"

	"dtm"
	"dtm/event"
	"dtm/gather/xform"
)

// readShare is how much longer reading waits than it works while there is more to
// read: phones that are sending come first, and a list that is some seconds behind
// says so.
const readShare = 2

// readings reads submissions for lists and searches, in the order of the log, until
// ctx ends.
func (h *house) readings(ctx context.Context) {
	after, err := h.db.ReadingsDone(ctx)
	for pause := time.Second; err != nil; pause = min(2*pause, time.Minute) {
		slog.ErrorContext(ctx, "reading submissions for lists failed; it will be tried again", "error", err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		after, err = h.db.ReadingsDone(ctx)
	}
	_ = event.Follow(ctx, h.db, after, func(ctx context.Context, batch []dtm.Event) error {
		start := time.Now()
		if err := did(ctx, "readings", func(ctx context.Context) error { return h.read(ctx, batch) }); err != nil {
			return err
		}
		if len(batch) < readBatch {
			return nil
		}
		select {
		case <-ctx.Done():
		case <-time.After(readShare * time.Since(start)):
		}
		return nil
	}, event.Following{Batch: readBatch, Failed: func(err error, _ int, of event.Span) {
		slog.ErrorContext(ctx, "reading submissions for lists failed; it will be tried again", "first", of.First, "last", of.Last, "error", err)
	}})
}

// readBatch is how many entries of the log are read in one transaction: few enough
// that a phone that sends meanwhile does not wait.
const readBatch = 100

func (h *house) read(ctx context.Context, batch []dtm.Event) error {
	var list []dtm.Reading
	var about []dtm.Event
	points := map[string]string{} // of devices
	ahead := &event.Ahead{From: h.db, Last: batch[len(batch)-1].Seq}
	for _, e := range batch {
		if e.Name != dtm.SubmissionReceived {
			about = append(about, e)
			continue
		}
		s, err := ahead.Of(ctx, e)
		if err != nil {
			return err
		}
		r := h.reading(ctx, s)
		if r.Seq = e.Seq; r.Point == "" && s.Device != "" {
			if len(points) == 0 {
				devices, err := h.db.Devices(ctx)
				if err != nil {
					return err
				}
				for _, d := range devices {
					points[d.ID] = d.Point
				}
			}
			r.Point = points[s.Device]
		}
		list = append(list, r)
	}
	return h.db.KeepReadings(ctx, list, about, batch[len(batch)-1].Seq)
}

// reading is of a submission by its form; one that cannot be read says nothing.
func (h *house) reading(ctx context.Context, s dtm.Submission) dtm.Reading {
	f, err := h.forms.form(ctx, s.Form, s.Version)
	if err != nil || f == nil {
		return dtm.Reading{}
	}
	in, err := xform.Read(f, s.XML)
	if err != nil {
		return dtm.Reading{}
	}
	return in.Reading(f)
}
