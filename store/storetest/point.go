package storetest

import (
	"reflect"
	"testing"
	"time"

	"dtm"
	"dtm/event"
)

func points(t *testing.T, d Dialect) {
	s, place := d.open(t)
	if l, err := s.PointChanges(ctx, 0); err != nil || len(l) != 0 {
		t.Fatalf("changes in a new store: %v, %v", l, err)
	}
	from := time.Date(2024, 3, 1, 0, 0, 0, 0, time.UTC)
	as := event.WithActor(ctx, "user:a@example.org")
	a, err := s.ChangePoint(as, dtm.PointChange{Point: "gate", Kind: dtm.PointRoleSet, From: from, Role: dtm.RoleExit, Reason: "a new road"}, 0)
	must(t, err)
	// Other events come between.
	_, err = s.AddWebhook(ctx, dtm.Webhook{URL: "https://a.example.org"})
	must(t, err)
	b, err := s.ChangePoint(ctx, dtm.PointChange{Point: "well", Kind: dtm.PointOpened, From: from, Name: dtm.Text{"en": "Well"},
		Place: &dtm.Place{Lon: 42.5, Lat: 11.25, Positioned: true}, Plan: &dtm.Plan{Days: dtm.EveryDay, Start: 6 * time.Hour, End: 18 * time.Hour}}, a.Seq)
	must(t, err)
	if a.Seq == 0 || b.Seq <= a.Seq || a.Actor != "user:a@example.org" || b.Actor != event.System || a.At.IsZero() {
		t.Errorf("made %+v and %+v", a, b)
	}
	if _, err := s.ChangePoint(ctx, dtm.PointChange{Point: "gate", Kind: dtm.PointClosed, From: from}, a.Seq); dtm.KindOf(err) != dtm.Conflict || err == nil {
		t.Errorf("a change by somebody who had not seen the last one: %v", err)
	}
	must(t, s.Close())
	s = d.openAt(t, place)
	for seq, want := range map[int64][]dtm.PointChange{0: {a, b}, a.Seq: {a}, b.Seq - 1: {a}, b.Seq: {a, b}} {
		got, err := s.PointChanges(ctx, seq)
		must(t, err)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("up to %d: %+v, want %+v", seq, got, want)
		}
	}
	if l, err := s.PointChanges(ctx, a.Seq-1); a.Seq > 1 && (err != nil || len(l) != 0) {
		t.Errorf("before the first: %v, %v", l, err)
	}
	must(t, s.Verify(ctx))
	d.Exec(t, place, `UPDATE event SET detail = replace(detail, 'exit', 'entry') WHERE seq = $1`, a.Seq)
	if err := s.Verify(ctx); dtm.KindOf(err) != dtm.Conflict || err == nil {
		t.Errorf("a role that was altered in the file: %v", err)
	}
}
