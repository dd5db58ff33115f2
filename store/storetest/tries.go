package storetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dtm"
)

func tries(t *testing.T, d Dialect) {
	now := time.Date(2026, 5, 1, 8, 0, 0, 0, time.UTC)
	place := d.Place(t)
	s, err := d.Open(place, Operation, func() time.Time { return now })
	must(t, err)
	defer s.Close()
	keys := []string{"a\x00x@example.org", "b"}
	seen := func(want map[string]dtm.Tried) {
		t.Helper()
		got, err := s.Tries(ctx, keys)
		must(t, err)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
	seen(map[string]dtm.Tried{keys[0]: {}, keys[1]: {}})
	a := dtm.Tried{Failures: 3, Last: now, Until: now.Add(time.Hour)}
	b := dtm.Tried{Right: now, Until: now.Add(2 * time.Hour)}
	must(t, s.CountTries(ctx, keys, func(known map[string]dtm.Tried) map[string]dtm.Tried {
		if diff := cmp.Diff(map[string]dtm.Tried{keys[0]: {}, keys[1]: {}}, known); diff != "" {
			t.Error(diff)
		}
		return map[string]dtm.Tried{keys[0]: a, keys[1]: b}
	}))
	seen(map[string]dtm.Tried{keys[0]: a, keys[1]: b})
	must(t, s.CountTries(ctx, keys, func(known map[string]dtm.Tried) map[string]dtm.Tried {
		x := known[keys[0]]
		x.Failures++
		return map[string]dtm.Tried{keys[0]: x} // the other stays
	}))
	a.Failures = 4
	seen(map[string]dtm.Tried{keys[0]: a, keys[1]: b})
	now = now.Add(time.Hour)
	must(t, s.CountTries(ctx, nil, func(map[string]dtm.Tried) map[string]dtm.Tried { return nil }))
	seen(map[string]dtm.Tried{keys[0]: {}, keys[1]: b}) // its hour is over
	must(t, s.CountTries(ctx, keys, func(map[string]dtm.Tried) map[string]dtm.Tried { return map[string]dtm.Tried{keys[1]: {}} }))
	seen(map[string]dtm.Tried{keys[0]: {}, keys[1]: {}})

	until := now.Add(time.Minute)
	must(t, s.Spend(ctx, "once", until))
	wantKind(t, s.Spend(ctx, "once", until), dtm.Conflict)
	other, err := d.Open(place, "other", func() time.Time { return now })
	must(t, err)
	defer other.Close()
	must(t, other.Spend(ctx, "once", until)) // of another operation
	now = now.Add(time.Minute)
	must(t, s.Spend(ctx, "twice", until.Add(time.Hour)))
	if got := d.Query(t, place, `SELECT count(*) FROM spent WHERE operation = '`+Operation+`'`); got[0] != "1" {
		t.Errorf("%s used tokens are remembered", got[0])
	}
}
