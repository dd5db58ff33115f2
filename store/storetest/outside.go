package storetest

import (
	"testing"
	"time"

	"dtm"
)

// outsides: a later count of a month and place takes the place of the earlier one, and a
// file is taken back whole.
func outsides(t *testing.T, d Dialect) {
	s, place := d.open(t)
	july, august := dtm.Month{Year: 2020, Month: time.July}, dtm.Month{Year: 2020, Month: time.August}
	first := []dtm.Outside{
		{Series: "far_shore", Place: "Ras", Month: july, People: 257, Source: "report of July"},
		{Series: "far_shore", Place: "Bab", Month: july, People: 40, Source: "report of July"},
		{Series: "far_shore", Place: "Ras", Month: august, People: 131, Source: "report of August"},
	}
	seq, err := s.ImportOutside(ctx, "a.csv", first)
	must(t, err)
	if again, err := s.ImportOutside(ctx, "a.csv", first); err != nil || again != 0 {
		t.Errorf("the same file again: event %d, %v; want none", again, err)
	}
	corrected, err := s.ImportOutside(ctx, "b.csv", []dtm.Outside{{Series: "far_shore", Place: "Ras", Month: august, People: 130, Source: "report of September"}})
	must(t, err)
	must(t, s.Close())
	s = d.openAt(t, place)
	list, err := s.Outside(ctx)
	must(t, err)
	if len(list) != 3 || list[0].Place != "Bab" || list[0].Month != july || list[2].People != 130 || list[2].Source != "report of September" || list[2].Seq != corrected || list[1].Seq != seq {
		t.Fatalf("%+v", list)
	}
	must(t, s.WithdrawOutside(ctx, seq))
	wantKind(t, s.WithdrawOutside(ctx, seq), dtm.NotFound)
	if list, err = s.Outside(ctx); err != nil || len(list) != 1 || list[0].People != 130 {
		t.Errorf("after one file was taken back: %+v, %v", list, err)
	}
	events, err := s.Events(ctx, 0, 100)
	must(t, err)
	var names []string
	for _, e := range events {
		if e.Name == dtm.OutsideImported || e.Name == dtm.OutsideWithdrawn {
			names = append(names, e.Name)
		}
	}
	if len(names) != 3 {
		t.Errorf("the log has %v", names)
	}
}
