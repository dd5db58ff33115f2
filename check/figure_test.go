package check_test

import (
	"testing"
	"time"

	"dtm"
	"dtm/check"
)

// TestFigures: what each device did, and the middle of the team, which one device that
// is unlike the others does not move.
func TestFigures(t *testing.T) {
	t.Parallel()
	var records []*check.Record
	add := func(device string, n int, took time.Duration, sex string) {
		for range n {
			records = append(records, &check.Record{Device: device, Observed: someday, Start: someday.Add(9 * time.Hour), End: someday.Add(9*time.Hour + took),
				Rows: []dtm.Movement{{Previous: "ETH", Next: "YEM", Sex: sex, Age: "adults", People: 2}}})
		}
	}
	add("a", 10, time.Minute, "male")
	add("b", 12, 2*time.Minute, "male")
	add("c", 500, time.Hour, dtm.Unknown)
	add("", 7, time.Hour, "male") // sent by a user
	list, team := check.Figures(records, map[string]int{"c": 400, "a": 2})
	if len(list) != 3 || list[0] != (check.Figure{Device: "a", Records: 10, People: 20, Complete: 1, Flagged: 2, Seconds: 60}) {
		t.Errorf("figures: %+v", list)
	}
	if c := list[2]; c.Complete != 0 || c.FlaggedShare() != 0.8 || c.Seconds != 3600 {
		t.Errorf("c: %+v", c)
	}
	if want := (check.Figure{Records: 12, People: 24, Complete: 1, Flagged: 2, Seconds: 120}); team != want {
		t.Errorf("team: %+v, want %+v", team, want)
	}
	if list, team := check.Figures(nil, nil); len(list) != 0 || team != (check.Figure{}) {
		t.Errorf("of nothing: %+v %+v", list, team)
	}
}
