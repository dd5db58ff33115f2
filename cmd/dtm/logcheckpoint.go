package main

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"log/slog"
	"os"
	"time"

	"dtm"
	"dtm/event"
	"dtm/web"
)

// signEvery is how often the head of the log is signed.
const signEvery = time.Hour

// logKey signs checkpoints; nil when the key file is lost.
func (h *house) logKey() ed25519.PrivateKey { return h.key.For("log").Signer() }

// checkpoint signs the head of the log, unless the newest checkpoint says it already.
// The zero one when the log is empty.
func (h *house) checkpoint(ctx context.Context) (dtm.Checkpoint, error) {
	seq, err := h.db.Last(ctx)
	if err != nil || seq == 0 {
		return dtm.Checkpoint{}, err
	}
	last, err := h.db.LastCheckpoint(ctx)
	if err != nil || last.Seq == seq {
		return last, err
	}
	head, err := h.db.Events(ctx, seq-1, 1)
	if err != nil || len(head) == 0 {
		return last, err
	}
	c := dtm.Checkpoint{Seq: head[0].Seq, At: h.now().UTC().Truncate(time.Millisecond)}
	if c.Note, err = event.SignCheckpoint(h.op.Code, event.Chain{Seq: c.Seq, Hash: head[0].Hash}, c.At, h.logKey()); err != nil {
		return last, err
	}
	return c, h.db.AddCheckpoint(ctx, c)
}

// keepCheckpoints signs the head of the log every hour until ctx ends.
func (h *house) keepCheckpoints(ctx context.Context) {
	if h.logKey() == nil {
		return // said where the key was looked for
	}
	tick := time.NewTicker(signEvery)
	defer tick.Stop()
	for {
		if _, err := h.checkpoint(ctx); err != nil && ctx.Err() == nil {
			slog.ErrorContext(ctx, "the log could not be signed; it is tried again in an hour", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// hold holds a checkpoint against the log. What does not fit is Conflict and names the
// entry; known tells whether this folder's key has signed it.
func (h *house) hold(ctx context.Context, note string) (c event.Chain, at time.Time, known bool, err error) {
	public, err := event.LogKey(h.op.Code, h.logKey())
	if err != nil {
		return c, at, false, err
	}
	if c, at, known, err = event.ReadCheckpoint(h.op.Code, note, public); err != nil {
		return c, at, known, err
	}
	list, err := h.db.Events(ctx, c.Seq-1, 1)
	if err != nil {
		return c, at, known, err
	}
	when := at.In(h.op.Zone).Format("2006-01-02 15:04")
	switch {
	case len(list) == 0:
		err = dtm.Errorf(dtm.Conflict, "entry %d was signed on %s and is not in the log any more: its end was cut off", c.Seq, when).Coded("checkpoint.cut", c.Seq, when)
	case list[0].Seq != c.Seq || list[0].Hash != c.Hash:
		err = dtm.Errorf(dtm.Conflict, "entry %d is not the one that was signed on %s: the log was written anew before it or there", c.Seq, when).Coded("checkpoint.other", c.Seq, when)
	}
	return c, at, known, err
}

// holdCheckpoints holds every checkpoint of this folder, and those of a text that was
// kept elsewhere, against the log, and tells what it found.
func (h *house) holdCheckpoints(ctx context.Context, kept string) (held, foreign int, err error) {
	look := func(note string) error {
		_, _, known, err := h.hold(ctx, note)
		if err == nil {
			if held++; !known {
				foreign++
			}
		}
		return err
	}
	for after := int64(0); ; {
		list, err := h.db.Checkpoints(ctx, after, 1000)
		if err != nil {
			return held, foreign, err
		}
		if len(list) == 0 {
			break
		}
		for _, c := range list {
			if err := look(c.Note); err != nil {
				return held, foreign, err
			}
		}
		after = list[len(list)-1].Seq
	}
	for _, note := range event.SplitCheckpoints(h.op.Code, kept) {
		if err := look(note); err != nil {
			return held, foreign, err
		}
	}
	return held, foreign, nil
}

// runLogCheckpoint prints the signed head of the log.
func runLogCheckpoint(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	key := fs.Bool("key", false, "print the public key that checkpoints are signed with instead")
	if _, err := c.parse(fs, 0, 0); err != nil {
		return err
	}
	h, done, err := c.open(ctx, *data)
	if err != nil {
		return err
	}
	defer done()
	if *key {
		public, err := event.LogKey(h.op.Code, h.logKey())
		if err == nil && public == "" {
			err = dtm.Errorf(dtm.Unavailable, "the key file is missing; put it back").Coded("seal.no_key")
		}
		if err == nil {
			fmt.Fprintln(c.out, public)
		}
		return err
	}
	p, err := h.checkpoint(ctx)
	if err == nil && p.Seq == 0 {
		err = dtm.Errorf(dtm.NotFound, "the log is empty")
	}
	if err == nil {
		fmt.Fprint(c.out, p.Note)
	}
	return err
}

// keptCheckpoints reads a file of checkpoints that was kept elsewhere.
func (c *call) keptCheckpoints(file string) (string, error) {
	if file == "" {
		return "", nil
	}
	b, err := os.ReadFile(c.path(file))
	if err != nil {
		return "", dtm.Errorf(dtm.NotFound, "the checkpoints cannot be read: %w", err).At(file)
	}
	return string(b), nil
}

// signing is what the page of the log needs.
func (h *house) signing() *web.Signing {
	return &web.Signing{
		Checkpoint: h.checkpoint,
		Key:        func() (string, error) { return event.LogKey(h.op.Code, h.logKey()) },
		Hold: func(ctx context.Context, text string) (list []web.Held, err error) {
			for _, note := range event.SplitCheckpoints(h.op.Code, text) {
				c, at, known, err := h.hold(ctx, note)
				if k := dtm.KindOf(err); err != nil && k != dtm.Conflict && k != dtm.Invalid {
					return nil, err
				}
				list = append(list, web.Held{Seq: c.Seq, At: at, Known: known, Err: err})
			}
			return list, nil
		},
	}
}
