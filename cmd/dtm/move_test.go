package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"dtm"
	"dtm/internal/pgtest"
)

// TestMove: a store goes to PostgreSQL, killed on the way and run again, and comes back
// the same; what was interrupted is served by neither; what changed underneath is seen.
func TestMove(t *testing.T) {
	pgtest.Start(t)
	url := pgtest.Database(t, "")
	data := real(t)
	dtmRun(t, "device", "add", "-data", data, "-name", "Obock-1", "-point", "obock")
	send(t, data, time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC), 20, 7)
	// An empty answer that was kept, too.
	inside(t, data, func(ctx context.Context, h *house) {
		if err := h.db.KeepComputed(ctx, dtm.Computed{Name: "nothing", Basis: "none", At: h.now()}); err != nil {
			t.Fatal(err)
		}
	})
	// As a server reads them for lists and searches.
	fmr := "fmr"
	listed := func() (form, device, word, read int) {
		inside(t, data, func(ctx context.Context, h *house) {
			count := func(f dtm.SubmissionSearch) int {
				_, n, err := h.db.Find(ctx, f)
				if err != nil {
					t.Fatal(err)
				}
				return n.N
			}
			_, all, err := h.db.Submissions(ctx, dtm.SubmissionFilter{Form: &fmr, Limit: 1})
			if err != nil {
				t.Fatal(err)
			}
			done, err := h.db.ReadingsDone(ctx)
			if err != nil {
				t.Fatal(err)
			}
			batch, err := h.db.Events(ctx, 0, 1_000_000)
			if err == nil {
				err = h.read(ctx, batch)
			}
			if err != nil {
				t.Fatal(err)
			}
			form, device = all, count(dtm.SubmissionSearch{SubmissionFilter: dtm.SubmissionFilter{Form: &fmr}})
			word, read = count(dtm.SubmissionSearch{Text: "obock"}), int(done)
		})
		return form, device, word, read
	}
	listed()
	form, device, word, read := listed()
	if form == 0 || device == 0 || word == 0 || read == 0 {
		t.Fatalf("%d %d %d %d: this proves nothing", form, device, word, read)
	}
	figure := value(t, data, "total_movements", "2026-09", "2026-09")
	exe, err := exec.LookPath("dtm") // the test binary under the program's name: see TestMain
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile(`(?m)^\w+ +\d+ rows  [0-9a-f]+$`)

	killed := 0
	var there string
	for try := range 40 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(150+50*try)*time.Millisecond)
		out, err := exec.CommandContext(ctx, exe, "move", "-from", data, "-to", url).Output() // ended by SIGKILL
		cancel()
		if err == nil {
			there = string(out)
			break
		}
		killed++
		if _, err := os.Stat(filepath.Join(data, storeName)); err != nil {
			there = string(out) // killed after its last step, before it said so
			break
		}
		if b, err := os.ReadFile(filepath.Join(data, "config.toml")); err != nil || strings.Contains(string(b), "store") {
			break // killed after the folder was told: the next run finishes
		}
	}
	if there == "" {
		there = dtmRun(t, "move", "-from", data, "-to", url)
	}
	t.Logf("killed %d times on the way", killed)
	for i := range 2 {
		f, d, w, r := listed()
		if f != form || d != device || w != word || (r == 0) != (i == 0) {
			t.Errorf("lists have %d, %d, %d, were %d, %d, %d (read to %d)", f, d, w, form, device, word, r)
		}
	}
	if _, err := os.Stat(filepath.Join(data, storeName)); err == nil {
		t.Error("the store is in the folder still")
	}
	if got := value(t, data, "total_movements", "2026-09", "2026-09"); got != figure {
		t.Errorf("%s movements, were %s", got, figure)
	}
	if out := dtmRun(t, "check", "-data", data); !strings.Contains(out, "unbroken") {
		t.Error(out)
	}
	if code, _, said := dtmTry(t, "move", "-from", data, "-to", url); code != 1 || !strings.Contains(said, "already") {
		t.Errorf("moved twice: %d %s", code, said)
	}
	other := real(t)
	if code, _, said := dtmTry(t, "move", "-from", other, "-to", url); code != 1 || !strings.Contains(said, "already") {
		t.Errorf("onto another store: %d %s", code, said)
	}

	back := dtmRun(t, "move", "-from", url, "-to", data)
	a, b := rows.FindAllString(there, -1), rows.FindAllString(back, -1)
	if len(a) < 10 || strings.Join(a, "\n") != strings.Join(b, "\n") {
		t.Errorf("went as\n%s\nand came back as\n%s", there, back)
	}
	if out := dtmRun(t, "check", "-data", data); !strings.Contains(out, "unbroken") {
		t.Error(out)
	}
	if code, _, said := dtmTry(t, "device", "list", "-data", data, "-store", url); code != 1 || !strings.Contains(said, "being moved") {
		t.Errorf("what was moved away is served: %d %s", code, said)
	}
	// There is an older state of it: a move goes on behind it and finds that it differs,
	// or begins anew.
	dtmRun(t, "device", "move", "-data", data, "Obock-1", "Galafi")
	if code, _, said := dtmTry(t, "move", "-from", data, "-to", url); code != 1 || !strings.Contains(said, "device (1, 1)") {
		t.Errorf("a row that changed meanwhile: %d %s", code, said)
	}
	dtmRun(t, "move", "-from", data, "-to", url, "-anew")
	if out := dtmRun(t, "device", "list", "-data", data); !strings.Contains(out, "galafi") {
		t.Error(out)
	}
}
