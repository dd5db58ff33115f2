package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
)

// TestQuality: the known faults of the real history are named, in the reader's
// language, and a month without any is said to have none.
func TestQuality(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	do := func(args ...string) string {
		t.Helper()
		var out bytes.Buffer
		c := &call{args: args, dir: dir, env: func(string) string { return "" }, out: &out, err: &out}
		if code := run(context.Background(), c); code != 0 {
			t.Fatalf("dtm %s: %d\n%s", strings.Join(args, " "), code, out.String())
		}
		return out.String()
	}
	do("init", "-data", "data")
	if out := do("quality", "-data", "data", "-month", "2019-07"); !strings.Contains(out, "2019-07: 0 records") || !strings.Contains(out, "nothing was found") {
		t.Errorf("an empty folder: %s", out)
	}
	do("import", "movements", "-data", "data", shared(t, "data/movements/DJI_dmg_2018_2022.csv"))
	for month, want := range map[string][]string{
		"2019-07": {"One cell makes the month", "A month with sex and age mostly not known"},
		"2020-10": {"No point"},
		"2022-01": {"An answer is used otherwise from this month on"},
	} {
		out := do("quality", "-data", "data", "-month", month)
		for _, w := range want {
			if !strings.Contains(out, w) {
				t.Errorf("%s: %q is not found:\n%s", month, w, out)
			}
		}
	}
	if out := do("quality", "-data", "data", "-month", "2019-07", "-all", "-lang", "fr"); !strings.Contains(out, "Une cellule fait le mois") || !strings.Contains(out, "12\u202f592") || !strings.Contains(out, "Badaf") {
		t.Errorf("in French: %s", out)
	}
}
