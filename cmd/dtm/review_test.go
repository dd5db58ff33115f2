package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"dtm"
	"dtm/demo"
)

// reviewed is a data folder with the demo's groups of one day, sent by a device.
func reviewed(t *testing.T) (data string, ids []string) {
	t.Helper()
	data = filepath.Join(t.TempDir(), "data")
	dtmRun(t, "init", "-data", data)
	c := &call{env: testEnv, dir: t.TempDir()}
	h, done, err := c.open(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	form, err := h.forms.form(t.Context(), "fmr", "")
	if err != nil {
		t.Fatal(err)
	}
	phone, _, err := h.db.AddDevice(t.Context(), "obock-1", "obock")
	if err != nil {
		t.Fatal(err)
	}
	day := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	list := demo.Day(h.op, form, day, day, 7)
	twin := list[2] // sent again as another record
	twin.ID = "uuid:00000000-0000-4000-8000-00000000twin"
	twin.XML = bytes.ReplaceAll(twin.XML, []byte(list[2].ID), []byte(twin.ID))
	for _, x := range append(list, twin) {
		if _, err := h.db.Receive(t.Context(), dtm.Submission{ID: x.ID, Form: form.ID, Version: form.Version, Device: phone.ID, Received: x.At, XML: x.XML}); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, x.ID)
	}
	if err := h.current(context.Background()); err != nil {
		t.Fatal(err)
	}
	return data, ids
}

// TestReview: corrections and rejections change the figures and nothing that was sent;
// what the form computes follows; flags are raised and settled by it; a warehouse
// loaded anew from the log says the same.
func TestReview(t *testing.T) {
	t.Parallel()
	data, ids := reviewed(t)
	total := func() (n int) {
		if _, err := fmt.Sscan(value(t, data, "total_movements", "2026-03", "2026-03"), &n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	shown := dtmRun(t, "review", "show", "-data", data, ids[0])
	m := regexp.MustCompile(`(?m)^(/\S*\[1\]/men)\s+(\d+)$`).FindStringSubmatch(shown)
	sum := regexp.MustCompile(`(?m)^(/\S*/total)\s+(\d+)$`).FindStringSubmatch(shown)
	if m == nil || sum == nil {
		t.Fatalf("no count is shown:\n%s", shown)
	}
	first := total()
	var was, all int
	fmt.Sscan(m[2], &was)
	fmt.Sscan(sum[2], &all)
	out := dtmRun(t, "review", "correct", "-data", data, "-why", "two digits too many", ids[0], m[1]+"=4000")
	if !strings.Contains(out, "correction 1") || !strings.Contains(out, fmt.Sprintf("%s: %q → %q", m[1], m[2], "4000")) ||
		!strings.Contains(out, fmt.Sprintf("%s: %q → %q", sum[1], sum[2], fmt.Sprint(all+4000-was))) {
		t.Errorf("the total does not follow: %s", out)
	}
	if got, want := total(), first+4000-was; got != want {
		t.Errorf("%d movements after the correction, want %d", got, want)
	}
	if list := dtmRun(t, "review", "list", "-data", data, "-rule", "group.large"); !strings.Contains(list, ids[0]) || !strings.Contains(list, "A very large group") {
		t.Errorf("the corrected record was not checked again:\n%s", list)
	}
	// Made on what is no more: refused, kept, and the first stands.
	if code, _, stderr := dtmTry(t, "review", "correct", "-data", data, "-why", "another", "-base", "0", ids[0], m[1]+"=77"); code != 1 || !strings.Contains(stderr, "somebody else") {
		t.Errorf("a correction of a past state: %d %s", code, stderr)
	}
	dtmRun(t, "review", "correct", "-data", data, "-why", "back", ids[0], m[1]+"="+m[2])
	if got := total(); got != first {
		t.Errorf("%d movements after correcting back, want %d", got, first)
	}
	shown = dtmRun(t, "review", "show", "-data", data, ids[0])
	for _, want := range []string{"refused", "flag confirmed", "two digits too many", "corrected", "another"} {
		if !strings.Contains(shown, want) {
			t.Errorf("%q is not shown:\n%s", want, shown)
		}
	}
	if code, _, _ := dtmTry(t, "review", "reject", "-data", data, ids[1]); code != 2 {
		t.Error("a record was rejected without a reason")
	}
	dtmRun(t, "review", "reject", "-data", data, "-why", "a test of the phone", ids[0])
	rejected := total()
	if rejected != first-all {
		t.Errorf("%d movements after the rejection, want %d", rejected, first-all)
	}
	for _, f := range []string{"facts.duckdb", "facts.duckdb.wal"} {
		if err := os.Remove(filepath.Join(data, f)); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	events := func() string {
		h, done, err := (&call{env: testEnv, dir: t.TempDir()}).open(t.Context(), data)
		if err != nil {
			t.Fatal(err)
		}
		defer done()
		n, err := h.db.Last(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(n)
	}
	before := events()
	if got := total(); got != rejected {
		t.Errorf("%d movements from the log alone, want %d", got, rejected)
	}
	if after := events(); after != before {
		t.Errorf("loading the log anew added to it: %s events, %s before", after, before)
	}
	dtmRun(t, "review", "confirm", "-data", data, ids[0])
	if got := total(); got != first {
		t.Errorf("%d movements after taking the rejection back, want %d", got, first)
	}
	if out := dtmRun(t, "review", "ask", "-data", data, ids[0], "4 or 40?"); !strings.Contains(out, "goes to obock-1") {
		t.Errorf("asked: %s", out)
	}
	dtmRun(t, "check", "-data", data)
}
