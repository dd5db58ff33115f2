package storetest

import (
	"testing"
	"time"

	"dtm"
	"dtm/event"
)

// capacities: what was declared last for the latest day that has begun.
func capacities(t *testing.T, d Dialect) {
	s, place := d.open(t)
	day := func(m time.Month, n int) time.Time { return time.Date(2026, m, n, 0, 0, 0, 0, time.UTC) }
	declare := func(programme string, from time.Time, people int) {
		t.Helper()
		must(t, s.DeclareCapacity(event.WithActor(ctx, "user:m@example.org"), dtm.Capacity{Programme: programme, From: from, People: people, Note: "two teams"}))
	}
	declare("health", day(1, 1), 300)
	declare("health", day(6, 1), 450)
	declare("health", day(1, 1), 320) // corrected
	declare("vhr", day(3, 1), 100)
	declare("vhr", day(9, 1), dtm.Undeclared)
	wantKind(t, s.DeclareCapacity(ctx, dtm.Capacity{Programme: "health", From: day(1, 1), People: -2}), dtm.Invalid)
	must(t, s.Close())
	s = d.openAt(t, place)
	list, err := s.Capacities(ctx)
	must(t, err)
	if len(list) != 5 || list[0].Actor != "user:m@example.org" || list[0].Note != "two teams" || list[0].At.IsZero() {
		t.Fatalf("%+v", list)
	}
	for _, k := range []struct {
		programme string
		day       time.Time
		people    int
		known     bool
	}{{"health", day(1, 1).AddDate(0, 0, -1), 0, false}, {"health", day(1, 1), 320, true}, {"health", day(5, 31), 320, true}, {"health", day(6, 1), 450, true},
		{"vhr", day(8, 31), 100, true}, {"vhr", day(9, 1), 0, false}, {"protection", day(9, 1), 0, false}} {
		if n, known := dtm.CapacityOn(list, k.programme, k.day); n != k.people || known != k.known {
			t.Errorf("%s on %s: %d, %v", k.programme, k.day.Format(time.DateOnly), n, known)
		}
	}
	if err := d.Protected(t, place, `UPDATE capacity SET people = 1`); err == nil {
		t.Error("a declaration was changed")
	}
}
