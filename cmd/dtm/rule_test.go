package main

import (
	"strings"
	"testing"
)

// TestRuleCommands: a rule is tried without changing anything, switched with limits of
// one's own, and holds for what comes; flags of series are raised and cleared.
func TestRuleCommands(t *testing.T) {
	t.Parallel()
	data, ids := reviewed(t)
	if out := dtmRun(t, "rule", "list", "-data", data, "-lang", "fr"); !strings.Contains(out, "Un très grand groupe") || strings.Count(out, "\n") < 40 {
		t.Errorf("the rules: %s", out)
	}
	try := func(limit string) string {
		return dtmRun(t, "rule", "try", "-data", data, "-from", "2026-03", "-to", "2026-03", "group.large", limit)
	}
	if out := try("people=100000"); !strings.Contains(out, ": 0 findings, 0.0 in a thousand (as it is in use: 0). Nothing was changed.") {
		t.Errorf("tried: %s", out)
	}
	if out := try("people=1"); strings.Contains(out, ": 0 findings") {
		t.Errorf("tried: %s", out)
	}
	if list := dtmRun(t, "review", "list", "-data", data, "-rule", "group.large"); strings.Contains(list, "large") {
		t.Errorf("trying raised flags: %s", list)
	}
	for _, wrong := range [][]string{{"rule", "try", "-data", data, "group.large", "horses=3"}, {"rule", "try", "-data", data, "no.rule"}, {"rule", "on", "-data", data, "-why", "x", "no.rule"}} {
		if code, _, stderr := dtmTry(t, wrong...); code != 1 {
			t.Errorf("%v: %d %s", wrong, code, stderr)
		}
	}
	if code, _, _ := dtmTry(t, "rule", "off", "-data", data, "group.large"); code != 2 {
		t.Error("a rule was switched without a reason")
	}
	dtmRun(t, "rule", "on", "-data", data, "-why", "buses of a hundred", "group.large", "people=1000")
	dtmRun(t, "review", "correct", "-data", data, "-why", "a bus", ids[0], "/data/block[1]/men=900")
	if list := dtmRun(t, "review", "list", "-data", data, "-rule", "group.large"); strings.Contains(list, "large") {
		t.Errorf("the program's limit holds still: %s", list)
	}
	dtmRun(t, "review", "correct", "-data", data, "-why", "no bus", ids[1], "/data/block[1]/men=2000")
	dtmRun(t, "review", "reject", "-data", data, "-why", "invented", ids[1])
	if out := dtmRun(t, "rule", "show", "-data", data, "group.large"); !strings.Contains(out, "reviewers agreed: 100%") {
		t.Errorf("agreed: %s", out)
	}
	if out := dtmRun(t, "rule", "show", "-data", data, "group.large"); !strings.Contains(out, "limit people: 1000 (the program's: 250)") || !strings.Contains(out, "buses of a hundred") {
		t.Errorf("shown: %s", out)
	}
	// The same group twice.
	raise := func() {
		t.Helper()
		if code, _, stderr := dtmTry(t, "quality", "-data", data, "-month", "2026-03", "-raise"); code != 0 || !strings.Contains(stderr, "flags raised") {
			t.Fatalf("%d %s", code, stderr)
		}
	}
	raise()
	if list := dtmRun(t, "review", "list", "-data", data, "-rule", "duplicate.point"); !strings.Contains(list, "The same group twice") {
		t.Errorf("the twin is not in the queue: %s", list)
	}
	dtmRun(t, "rule", "off", "-data", data, "-why", "a test", "duplicate.point")
	raise()
	if list := dtmRun(t, "review", "list", "-data", data, "-rule", "duplicate.point"); strings.Contains(list, "twice") {
		t.Errorf("flags of a rule that is off are open: %s", list)
	}
}
