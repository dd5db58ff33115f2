package main

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"dtm"
)

// TestAlerts: on a real store and warehouse, a month that trebles is raised once for all
// points, for its point and its corridor; it is decided from the command line; when the
// records that made it are taken for what they are it is over; what is years ago raises
// nothing.
func TestAlerts(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	var clock atomic.Int64
	set := func(at time.Time) { clock.Store(at.UnixNano()) }
	set(time.Date(2023, 1, 3, 8, 0, 0, 0, time.UTC))
	dir := t.TempDir()
	var b strings.Builder
	b.WriteString("month,fmp,fmp_country,route,subroute,movement,origin,previous,next,final,sex,age,n,uac,reason_economic,reason_conflict\n")
	for i, m := range dtm.Months(dtm.Month{Year: 2018, Month: 1}, dtm.Month{Year: 2022, Month: 12}).Months() {
		n := 1000 + int(200*math.Sin(float64(i)/12*2*math.Pi)) + i*37%61
		if i == 59 {
			n *= 3
		}
		fmt.Fprintf(&b, "%s,Obock,DJI,Eastern Corridor,Outgoing to Eastern Corridor,outgoing,OOO,ETH,YEM,OOO,male,adults,%d,,1,1\n", m, n)
	}
	if err := os.WriteFile(filepath.Join(dir, "history.csv"), []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	c := &call{dir: dir, env: func(string) string { return "" }, out: &out, err: &out}
	h, err := c.makeHouse(ctx, "data", "djibouti", false, func() time.Time { return time.Unix(0, clock.Load()) })
	if err != nil {
		t.Fatal(err)
	}
	defer h.close()
	dtmRun := func(want int, args ...string) string {
		t.Helper()
		out.Reset()
		c := &call{args: args, dir: dir, env: c.env, out: &out, err: &out, folders: folders{running: h}}
		cmd, rest, ok := find(args)
		if !ok {
			t.Fatal(args)
		}
		c.command, c.rest = cmd, rest
		if code := c.exit(cmd.run(ctx, c)); code != want {
			t.Fatalf("%v: %d\n%s", args, code, out.String())
		}
		return out.String()
	}
	data := filepath.Join(dir, "data")
	dtmRun(0, "import", "movements", "-data", data, "history.csv")

	look := func(raised, cleared int) {
		t.Helper()
		r, c, err := h.look(ctx)
		if err != nil || r != raised || c != cleared {
			t.Errorf("raised %d, cleared %d, %v: want %d, %d", r, c, err, raised, cleared)
		}
	}
	look(3, 0)
	look(0, 0)
	list := dtmRun(0, "alert", "list", "-data", data, "-format", "csv")
	for _, want := range []string{"month/all/2022-12-01,All points,", "month/point:obock/2022-12-01,Obock,", "month/route:"} {
		if !strings.Contains(list, want) {
			t.Errorf("the list lacks %q:\n%s", want, list)
		}
	}
	dtmRun(2, "alert", "dismiss", "-data", data, "month/all/2022-12-01")
	if said := dtmRun(1, "alert", "dismiss", "-data", data, "-reason", "tea", "month/all/2022-12-01"); !strings.Contains(said, "known_event") {
		t.Errorf("a reason that is none: %s", said)
	}
	if said := dtmRun(1, "alert", "confirm", "-data", data, "week/all/1999-01-04"); !strings.Contains(said, "dtm alert list") {
		t.Errorf("an alert that is none: %s", said)
	}
	dtmRun(0, "alert", "dismiss", "-data", data, "-reason", "known_event", "-note", "boats", "month/all/2022-12-01")
	dtmRun(0, "alert", "confirm", "-data", data, "month/point:obock/2022-12-01")
	look(0, 0)
	if said := dtmRun(0, "alert", "list", "-data", data, "-state", "dismissed", "-lang", "fr"); !strings.Contains(said, "Un événement connu l’explique: boats") {
		t.Errorf("dismissed: %s", said)
	}
	if said := dtmRun(0, "alert", "list", "-data", data, "-id", "month/all/2022-12-01"); !strings.Contains(said, "raised") || !strings.Contains(said, "dismissed") {
		t.Errorf("history: %s", said)
	}
	if said := dtmRun(0, "alert", "reopen", "-data", data, "month/all/2022-12-01"); !strings.Contains(said, "1 open again") {
		t.Errorf("reopened: %s", said)
	}

	// The same counts seen a year later are history.
	set(time.Date(2023, 12, 3, 8, 0, 0, 0, time.UTC))
	look(0, 0)
	if list := dtmRun(0, "alert", "list", "-data", data, "-state", "all", "-format", "csv"); strings.Count(list, "month/") != 3 {
		t.Errorf("a year later:\n%s", list)
	}
}
