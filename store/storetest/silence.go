package storetest

import (
	"testing"
	"time"

	"dtm"
	"dtm/event"
)

func silences(t *testing.T, d Dialect) {
	s, place := d.open(t)
	day := func(n int) time.Time { return time.Date(2026, 11, n, 0, 0, 0, 0, time.UTC) }
	a := dtm.Silence{Point: "obock", Day: day(27), Due: day(27).Add(16 * time.Hour)}
	b := dtm.Silence{Point: "ali-sabieh", Day: day(20), Due: day(20).Add(16 * time.Hour)}
	c := dtm.Silence{Point: "obock", Day: day(28), Due: day(28).Add(16 * time.Hour)}
	for i, x := range []dtm.Silence{a, b, a, c, a} {
		raised, err := s.RaiseSilence(ctx, x)
		must(t, err)
		if raised != (i < 2 || i == 3) {
			t.Errorf("%d: %s raised: %v", i, x.ID(), raised)
		}
	}
	must(t, s.EndSilence(ctx, a, ""))
	must(t, s.EndSilence(event.WithActor(ctx, "user:m@example.org"), b, "the road was cut"))
	if err := s.EndSilence(ctx, b, "again"); dtm.KindOf(err) != dtm.Conflict || err == nil {
		t.Errorf("an end twice: %v", err)
	}
	if err := s.EndSilence(ctx, dtm.Silence{Point: "pk9", Day: day(1)}, ""); dtm.KindOf(err) != dtm.NotFound || err == nil {
		t.Errorf("an alert that never was: %v", err)
	}
	if raised, err := s.RaiseSilence(ctx, b); err != nil || raised {
		t.Errorf("raised again after its end: %v, %v", raised, err)
	}
	must(t, s.Close())
	s = d.openAt(t, place)
	list, err := s.Silences(ctx, time.Time{})
	must(t, err)
	if len(list) != 3 || list[0].ID() != "obock/2026-11-28" || list[1].ID() != "ali-sabieh/2026-11-20" || list[2].ID() != "obock/2026-11-27" {
		t.Fatalf("list %+v", list)
	}
	if x := list[0]; x.Ended != nil || !x.Due.Equal(c.Due) || x.Seq == 0 || x.Raised.IsZero() {
		t.Errorf("open: %+v", x)
	}
	if x := list[1]; x.Ended == nil || x.Reason != "the road was cut" || x.By != "user:m@example.org" {
		t.Errorf("dismissed: %+v", x)
	}
	if x := list[2]; x.Ended == nil || x.Reason != "" {
		t.Errorf("broken: %+v", x)
	}
	// From a day on; open ones whatever their day.
	if list, err = s.Silences(ctx, day(29)); err != nil || len(list) != 1 || list[0].ID() != c.ID() {
		t.Errorf("from the 29th: %+v, %v", list, err)
	}
}
