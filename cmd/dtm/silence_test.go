package main

import (
	"bytes"
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"dtm"
	"dtm/demo"
)

// TestSilent: on a real store and warehouse, a planned day without records raises one
// alert an hour after its end; records that come late end it; a point that is closed
// raises none, and closing one from an earlier day ends what was raised.
func TestSilent(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	var clock atomic.Int64
	set := func(at time.Time) { clock.Store(at.UnixNano()) }
	eat := time.FixedZone("EAT", 3*3600)
	at := func(day, hour, minute int) time.Time { return time.Date(2026, 3, day, hour, minute, 0, 0, eat) }
	set(at(2, 8, 0))
	var out bytes.Buffer
	c := &call{dir: t.TempDir(), env: func(string) string { return "" }, out: &out, err: &out}
	h, err := c.makeHouse(ctx, "data", "djibouti", false, func() time.Time { return time.Unix(0, clock.Load()) })
	if err != nil {
		t.Fatal(err)
	}
	defer h.close()
	first := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	plan, err := dtm.NewPlan("daily", "06:00", "18:00")
	if err != nil {
		t.Fatal(err)
	}
	change := func(x dtm.PointChange) {
		t.Helper()
		if _, err := h.ChangePoint(ctx, x); err != nil {
			t.Fatal(err)
		}
	}
	for _, code := range []string{"obock", "galafi", "loyada"} {
		change(dtm.PointChange{Point: code, Kind: dtm.PointPlanned, From: first.AddDate(0, 0, 1), Plan: &plan})
	}
	change(dtm.PointChange{Point: "loyada", Kind: dtm.PointClosed, From: first})
	form, err := h.forms.form(ctx, "fmr", "")
	if err != nil {
		t.Fatal(err)
	}
	// What the demo's enumerators saw on a day, of one point, comes at a time.
	send := func(day int, point string, received time.Time) {
		t.Helper()
		n := 0
		for _, x := range demo.Day(h.op, form, first, first.AddDate(0, 0, day-1), 1) {
			if !bytes.Contains(x.XML, []byte(">"+point+"<")) {
				continue
			}
			n++
			set(received)
			if _, err := h.db.Receive(ctx, dtm.Submission{ID: x.ID, Form: form.ID, Version: form.Version, Received: received, XML: x.XML}); err != nil {
				t.Fatal(err)
			}
		}
		if n == 0 {
			t.Fatalf("the demo saw nobody at %s on day %d", point, day)
		}
	}
	watch := func(now time.Time) string {
		t.Helper()
		set(now)
		if err := h.watch(ctx); err != nil {
			t.Fatal(err)
		}
		list, err := h.db.Silences(ctx, first)
		if err != nil {
			t.Fatal(err)
		}
		var said []string
		for _, s := range list {
			state := "open"
			switch {
			case s.Ended == nil:
			case s.Reason == "":
				state = "came"
			default:
				state = s.Reason
			}
			said = append(said, s.ID()+" "+state)
		}
		return strings.Join(said, ", ")
	}
	send(2, "obock", at(2, 12, 0))
	for _, x := range []struct {
		now  time.Time
		want string
	}{
		{at(2, 18, 59), ""},
		{at(2, 19, 0), "galafi/2026-03-02 open"},
		{at(2, 19, 1), "galafi/2026-03-02 open"},
	} {
		if got := watch(x.now); got != x.want {
			t.Errorf("%s: %q, want %q", x.now.Format("15:04"), got, x.want)
		}
	}
	send(2, "galafi", at(2, 20, 30))
	if got, want := watch(at(2, 20, 31)), "galafi/2026-03-02 came"; got != want {
		t.Errorf("late records: %q, want %q", got, want)
	}
	send(3, "obock", at(3, 12, 0))
	if got, want := watch(at(3, 19, 30)), "galafi/2026-03-03 open, galafi/2026-03-02 came"; got != want {
		t.Errorf("the day after: %q, want %q", got, want)
	}
	change(dtm.PointChange{Point: "galafi", Kind: dtm.PointClosed, From: first.AddDate(0, 0, 2), Reason: "the road is cut"})
	if got, want := watch(at(4, 12, 0)), "galafi/2026-03-03 not planned, galafi/2026-03-02 came"; got != want {
		t.Errorf("closed from the day of the alert: %q, want %q", got, want)
	}
	if got, want := watch(at(4, 19, 0)), "obock/2026-03-04 open, galafi/2026-03-03 not planned, galafi/2026-03-02 came"; got != want {
		t.Errorf("on the third day: %q, want %q", got, want)
	}
	say := func(args ...string) string {
		t.Helper()
		out.Reset()
		k := *c
		k.args, k.folders = append(args, "-data", h.dir), folders{running: h}
		cmd, rest, _ := find(k.args)
		k.command, k.rest = cmd, rest
		if err := cmd.run(context.Background(), &k); err != nil {
			t.Errorf("%v: %v", args, err)
		}
		return out.String()
	}
	if got := say("point", "silent"); !strings.Contains(got, "obock/2026-03-04") || strings.Contains(got, "galafi") {
		t.Errorf("point silent: %s", got)
	}
	say("point", "dismiss", "obock/2026-03-04", "-reason", "sandstorm")
	if got := say("point", "silent", "-all"); !strings.Contains(got, "sandstorm") || !strings.Contains(got, "records came") {
		t.Errorf("point silent -all: %s", got)
	}
	got := say("coverage", "-month", "2026-03")
	// The first of March had no plan yet: open points were expected all day.
	for _, want := range []string{"Obock       !##!...", "Galafi      !#  ", "hours planned"} {
		if !strings.Contains(got, want) {
			t.Errorf("coverage lacks %q:\n%s", want, got)
		}
	}
	if strings.Contains(got, "Loyada") {
		t.Errorf("a closed point is listed:\n%s", got)
	}
}
