package demo_test

import (
	"bytes"
	"testing"
	"time"

	"dtm/demo"
	"dtm/gather/xform"
	"dtm/gather/xlsform"
	"dtm/operation"
)

// TestDays: a year of groups is what the package says: deterministic, understood
// by the form, faults included but rare, the season visible.
func TestDays(t *testing.T) {
	t.Parallel()
	op, err := operation.Pack("djibouti")
	if err != nil {
		t.Fatal(err)
	}
	registry, _ := op.Form("fmr")
	form, _, err := xlsform.Read(registry.File, registry.Data)
	if err != nil {
		t.Fatal(err)
	}
	start := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	people, groups, flagged := map[time.Month]int{}, 0, 0
	ids := map[string]bool{}
	for n := range 365 {
		day := start.AddDate(0, 0, n)
		list := demo.Day(op, form, start, day, 7)
		again := demo.Day(op, form, start, day, 7)
		for i, x := range list {
			if !bytes.Equal(x.XML, again[i].XML) {
				t.Fatal("another run gives other data")
			}
			if ids[x.ID] {
				t.Fatal("an id twice")
			}
			ids[x.ID] = true
			in, err := xform.Read(form, x.XML)
			if err != nil {
				t.Fatal(err)
			}
			rows, flags := xform.Movements(op, form, in)
			groups++
			if len(flags)+len(in.Flags) > 0 {
				flagged++
			}
			for _, m := range rows {
				people[day.Month()] += m.People
			}
		}
	}
	if groups < 8000 || groups > 16000 {
		t.Errorf("%d groups a year", groups)
	}
	if flagged == 0 || flagged > groups/20 {
		t.Errorf("%d of %d groups are flagged", flagged, groups)
	}
	if people[time.March] >= people[time.January] || people[time.July] >= people[time.November] {
		t.Errorf("no season: %v", people)
	}
}
