package main

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	_ "modernc.org/sqlite" // to spoil data behind the store's back

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

// unguarded is a folder's store without its protections, until the test ends.
func unguarded(t *testing.T, data string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(data, storeName))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	rows, err := db.Query(`SELECT name FROM sqlite_master WHERE type = 'trigger'`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var triggers []string
	for rows.Next() {
		var n string
		if err := rows.Scan(&n); err != nil {
			t.Fatal(err)
		}
		triggers = append(triggers, n)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		t.Fatal(err)
	}
	for _, n := range triggers {
		if _, err := db.Exec(`DROP TRIGGER "` + n + `"`); err != nil {
			t.Fatal(err)
		}
	}
	return db
}
