package storetest

import (
	"slices"
	"testing"
	"time"

	"dtm"
	"dtm/event"
)

// audit: acts are entries of the chain that change nothing, and the log is searched by
// kind before it is cut into pages.
func audit(t *testing.T, d Dialect) {
	place := d.Place(t)
	now := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	s, err := d.Open(place, Operation, func() time.Time { return now })
	must(t, err)
	defer s.Close()
	if n, err := s.LastChange(ctx); n != 0 || err != nil {
		t.Errorf("the last change of an empty log: %d, %v", n, err)
	}
	as := event.WithActor(ctx, "user:a@example.org")
	for i := range 6 {
		now = now.Add(time.Hour)
		_, _, err := s.AddDevice(as, string(rune('a'+i)), "") // entries 1, 3, 5 ...
		must(t, err)
		must(t, s.Record(as, dtm.DataExported, "form:f", `{"as":"csv"}`))
	}
	must(t, s.Record(as, dtm.AccessRefused, "user.manage", `{}`))
	if n, err := s.LastChange(ctx); n != 11 || err != nil {
		t.Errorf("the last change is entry %d, %v; want 11", n, err)
	}
	start := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name string
		f    dtm.EventFilter
		want []int64
	}{
		{"all", dtm.EventFilter{Limit: 3}, []int64{13, 12, 11}},
		{"a name", dtm.EventFilter{Name: dtm.DataExported, Limit: 2}, []int64{12, 10}},
		{"a page of a name", dtm.EventFilter{Name: dtm.DataExported, Limit: 2, Offset: 4}, []int64{4, 2}},
		{"a beginning", dtm.EventFilter{Name: "access"}, []int64{13}},
		{"a beginning without its full stop", dtm.EventFilter{Name: "acc"}, nil},
		{"until", dtm.EventFilter{Name: dtm.DeviceAdded, Until: 4}, []int64{3, 1}},
		{"times", dtm.EventFilter{From: start.Add(2 * time.Hour), To: start.Add(3 * time.Hour)}, []int64{4, 3}},
		{"none", dtm.EventFilter{Name: "'; DROP TABLE event; --"}, nil},
	} {
		list, err := s.FindEvents(ctx, c.f)
		var got []int64
		for _, e := range list {
			got = append(got, e.Seq)
		}
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, %v; want %v", c.name, got, err, c.want)
		}
	}
	list, err := s.FindEvents(ctx, dtm.EventFilter{Limit: 1})
	if err != nil || list[0].Actor != "user:a@example.org" || list[0].Subject != "user.manage" {
		t.Errorf("the refusal: %+v, %v", list, err)
	}
	must(t, s.Verify(ctx))
}
