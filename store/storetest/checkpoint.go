package storetest

import (
	"testing"
	"time"

	"dtm"
	"dtm/event"
)

func checkpoints(t *testing.T, d Dialect) {
	s, place := d.open(t)
	if c, err := s.LastCheckpoint(ctx); err != nil || c != (dtm.Checkpoint{}) {
		t.Errorf("%+v, %v", c, err)
	}
	at := time.Date(2026, 11, 28, 6, 0, 0, 0, time.UTC)
	for i, note := range []string{"a\n", "b\n", "c\n"} {
		must(t, s.AddCheckpoint(ctx, dtm.Checkpoint{Seq: int64(10 * (i + 1)), At: at, Note: note}))
	}
	must(t, s.AddCheckpoint(ctx, dtm.Checkpoint{Seq: 20, At: at.Add(time.Hour), Note: "another"}))
	must(t, s.Close())
	s = d.openAt(t, place)
	list, err := s.Checkpoints(ctx, 10, 1)
	must(t, err)
	if len(list) != 1 || list[0] != (dtm.Checkpoint{Seq: 20, At: at, Note: "b\n"}) {
		t.Errorf("%+v", list)
	}
	if c, err := s.LastCheckpoint(ctx); err != nil || c.Seq != 30 {
		t.Errorf("%+v, %v", c, err)
	}
}

// retention: who is due, who is held back, and what goes.
func retention(t *testing.T, d Dialect) {
	now := time.Date(2026, 11, 28, 6, 0, 0, 0, time.UTC)
	place := d.Place(t)
	s, err := d.Open(place, Operation, func() time.Time { return now })
	must(t, err)
	t.Cleanup(func() { s.Close() })
	add := func(id string, age time.Duration, state dtm.ReferralState) dtm.Person {
		t.Helper()
		p, err := s.AddPerson(ctx, dtm.Person{Created: now.Add(-age), Fields: map[string]string{"name": "N " + id}})
		must(t, err)
		if state != "" {
			r := referral(id, "health")
			r.Person, r.State, r.Changed, r.Received, r.Captured = p.ID, state, now.Add(-age), now.Add(-age), now.Add(-age)
			_, err = s.OpenReferrals(ctx, []dtm.Referral{r})
			must(t, err)
		}
		return p
	}
	const year = 365 * 24 * time.Hour
	old := add("old", 3*year, dtm.ReferralClosed)
	older := add("older", 4*year, "")
	add("open", 3*year, dtm.ReferralSubmitted)
	restricted := add("restricted", 3*year, dtm.ReferralClosed)
	add("young", year, dtm.ReferralClosed)
	must(t, s.RestrictPerson(ctx, restricted.ID, true, dtm.RestrictClaim))
	wantKind(t, s.RestrictPerson(ctx, restricted.ID, true, "because"), dtm.Invalid)
	wantKind(t, s.RestrictPerson(ctx, "nobody", true, dtm.RestrictAsked), dtm.NotFound)
	if p, err := s.Person(ctx, restricted.ID); err != nil || !p.Restricted {
		t.Errorf("%+v, %v", p, err)
	}
	list, total, held, err := s.PersonsDue(ctx, now.Add(-2*year), 1)
	must(t, err)
	if len(list) != 1 || list[0] != older.ID || total != 2 || held != 2 {
		t.Errorf("%v of %d, %d held", list, total, held)
	}
	must(t, s.ErasePerson(ctx, older.ID, dtm.EraseRetention))
	must(t, s.RestrictPerson(ctx, restricted.ID, false, dtm.RestrictClaim))
	list, total, held, err = s.PersonsDue(ctx, now.Add(-2*year), 10)
	must(t, err)
	if len(list) != 2 || list[0] != old.ID || total != 2 || held != 1 {
		t.Errorf("%v of %d, %d held", list, total, held)
	}
	wantKind(t, s.RestrictPerson(ctx, older.ID, true, dtm.RestrictAsked), dtm.Gone)

	_, err = s.NewSlip(ctx, "old", now.Add(-time.Hour))
	must(t, err)
	_, err = s.NewSlip(ctx, "old", now.Add(time.Hour))
	must(t, err)
	for _, del := range []bool{false, true} {
		if n, err := s.SlipsDue(ctx, now, del); err != nil || n != 1 {
			t.Errorf("slips: %d, %v", n, err)
		}
	}
	if n, err := s.SlipsDue(ctx, now, false); err != nil || n != 0 {
		t.Errorf("slips: %d, %v", n, err)
	}

	device, _, err := s.AddDevice(ctx, "d", "")
	must(t, err)
	_, err = s.Receive(ctx, dtm.Submission{ID: "uuid:sealed", Form: "screening", Device: device.ID, XML: []byte(`<data id="screening"><name>Planted</name></data>`)})
	must(t, err)
	for _, c := range []struct {
		before time.Time
		del    bool
		want   int
	}{{now.Add(-time.Hour), true, 0}, {now.Add(time.Hour), false, 1}, {now.Add(time.Hour), true, 1}, {now.Add(time.Hour), false, 0}} {
		if n, err := s.OriginalsDue(ctx, c.before, c.del); err != nil || n != c.want {
			t.Errorf("originals before %v: %d, %v; want %d", c.before, n, err, c.want)
		}
	}
	opened, err := s.OpenPerson(event.WithActor(ctx, "user:a"), old.ID, []string{dtm.GroupIdentity, dtm.GroupContact}, "why")
	must(t, err)
	reads, err := s.ReadsOf(ctx, old.ID)
	must(t, err)
	if len(reads) != 1 || reads[0].Actor != "user:a" || len(reads[0].Groups) != 2 || reads[0].Purpose != "why" || opened.Fields["name"] != "N old" {
		t.Errorf("%+v", reads)
	}
}
