package main

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"time"

	"dtm"
	"dtm/check"
	"dtm/event"
	"dtm/gather/bulk"
	"dtm/locale"
	"dtm/spool"
	"dtm/web"
)

// underway is the import that a page began, one at a time.
type underway struct {
	mu   sync.Mutex
	last web.Underway
	any  bool
}

func (u *underway) now() (web.Underway, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.last, u.any
}

func (u *underway) set(f func(*web.Underway)) {
	u.mu.Lock()
	defer u.mu.Unlock()
	f(&u.last)
}

// begin notes a new one: Conflict while another runs.
func (u *underway) begin(name string) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if s := u.last.Stage; u.any && s != "done" && s != "failed" {
		return dtm.Errorf(dtm.Conflict, "%s is being imported; wait until it is done", u.last.File).Coded("import.running", u.last.File)
	}
	u.last, u.any = web.Underway{File: name, Stage: "reading", Began: time.Now()}, true
	return nil
}

// importing is what the pages about imports need.
func (h *house) importing() *web.Importing {
	return &web.Importing{
		Runs: h.db, Begin: h.beginImport, Now: h.imports.now, Compared: func(ctx context.Context) ([]check.Compared, error) { return h.compareReferences(ctx, ever) },
		TakeBack: func(ctx context.Context, seq int64, why string) error {
			_, err := h.takeBack(ctx, seq, why)
			return err
		},
		Publish: func(ctx context.Context, name string, file io.Reader) (int, []error, error) {
			p, err := h.publish(ctx, name, file)
			return p.Read, p.Faults, err
		},
		Series: func(ctx context.Context, name string, file io.Reader) (int, []error, error) {
			p, err := h.bringSeries(ctx, name, file, "")
			return p.Read, p.Faults, err
		},
		Outside: h.db,
		Unpublish: func(ctx context.Context, seq int64) error {
			if err := h.db.WithdrawReferences(ctx, seq); err != nil {
				return err
			}
			_, err := h.raiseHistory(ctx)
			return err
		},
	}
}

// beginImport takes a file whole, so that who sent it may go, and imports it beside.
func (h *house) beginImport(ctx context.Context, l dtm.Lang, name string, file io.Reader) error {
	if err := h.imports.begin(name); err != nil {
		return err
	}
	failed := func(err error) error {
		h.imports.set(func(u *web.Underway) { u.Stage, u.Err = "failed", err })
		return err
	}
	f, err := spool.Unnamed(h.dir)
	if err != nil {
		return failed(err)
	}
	size, err := io.Copy(f, file)
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		f.Close()
		return failed(err)
	}
	h.imports.set(func(u *web.Underway) { u.Size = size })
	ctx = event.WithActor(h.background, event.Actor(ctx))
	h.loading.Go(func() {
		defer f.Close()
		run, _, err := h.bringIn(ctx, bulk.Source{Name: name, Data: f, Size: size}, func(err error) string { return locale.Error(l, err) }, func(p bulk.Progress) {
			h.imports.set(func(u *web.Underway) { u.Read, u.Rows = p.Read, p.Rows })
		}, func(stage string) { h.imports.set(func(u *web.Underway) { u.Stage = stage }) })
		if err != nil {
			if dtm.KindOf(err) == dtm.Internal {
				slog.ErrorContext(ctx, "an import failed; whole chunks that were read are stored", "file", name, "error", err)
			}
			_ = failed(err) // told on the page
			return
		}
		h.imports.set(func(u *web.Underway) { u.Stage, u.Seq = "done", run.Seq })
	})
	return nil
}
