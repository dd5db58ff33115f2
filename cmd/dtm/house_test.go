package main

import (
	"context"
	"os"
	"testing"
	"time"

	"dtm"
	"dtm/config"
	"dtm/demo"
)

// inside opens a data folder as a command does.
func inside(t *testing.T, data string, do func(ctx context.Context, h *house)) {
	t.Helper()
	ctx := testContext(t)
	cfg, err := config.FromFolder(os.DirFS(data), testEnv, os.ReadFile)
	if err != nil {
		t.Fatal(err)
	}
	h, err := openHouse(ctx, realPath(data), cfg, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := h.close(); err != nil {
			t.Error(err)
		}
	}()
	do(ctx, h)
}

// send stores the groups of some days as phones send them.
func send(t *testing.T, data string, start time.Time, days int, seed uint64) {
	t.Helper()
	inside(t, data, func(ctx context.Context, h *house) {
		form, err := h.forms.form(ctx, "fmr", "")
		if err != nil {
			t.Fatal(err)
		}
		for n := range days {
			for _, x := range demo.Day(h.op, form, start, start.AddDate(0, 0, n), seed) {
				if _, err := h.db.Receive(ctx, dtm.Submission{ID: x.ID, Form: form.ID, Version: form.Version, Received: x.At, XML: x.XML}); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}
