package storetest

import (
	"reflect"
	"testing"

	"dtm"
	"dtm/event"
)

// areas: versions are counted in the order of the log, whoever had not seen the newest
// is refused, and none is ever another.
func areas(t *testing.T, d Dialect) {
	s, place := d.open(t)
	if l, err := s.AreaVersions(ctx, 0); err != nil || len(l) != 0 {
		t.Fatalf("versions in a new store: %v, %v", l, err)
	}
	as := event.WithActor(ctx, "user:a@example.org")
	must(t, s.Record(as, dtm.AreasUploaded, "areas", `{}`)) // changes nothing
	a, err := s.ReplaceAreas(as, dtm.AreaVersion{Files: []dtm.AreaFile{{Name: "adm1.geojson", Hash: "sha256:1", Size: 7}}, Atlas: "sha256:2", Counts: []int{6, 20}, Gone: []string{"DJ09"}, Reason: "the new law"}, 0)
	must(t, err)
	_, err = s.AddWebhook(ctx, dtm.Webhook{URL: "https://a.example.org"})
	must(t, err)
	if _, err := s.ReplaceAreas(as, dtm.AreaVersion{Atlas: "sha256:3"}, 0); dtm.KindOf(err) != dtm.Conflict || err == nil {
		t.Errorf("by somebody who had not seen version 1: %v", err)
	}
	zero := 0
	b, err := s.ReplaceAreas(ctx, dtm.AreaVersion{Backs: &zero, Counts: []int{6, 20}}, 1)
	must(t, err)
	if a.N != 1 || b.N != 2 || a.Actor != "user:a@example.org" || b.Actor != event.System || b.Seq <= a.Seq || a.At.IsZero() {
		t.Errorf("made %+v and %+v", a, b)
	}
	must(t, s.Close())
	s = d.openAt(t, place)
	for seq, want := range map[int64][]dtm.AreaVersion{0: {a, b}, a.Seq: {a}, b.Seq - 1: {a}, b.Seq: {a, b}} {
		if got, err := s.AreaVersions(ctx, seq); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("up to %d: %+v, %v, want %+v", seq, got, err, want)
		}
	}
	if l, err := s.AreaVersions(ctx, a.Seq-1); err != nil || len(l) != 0 {
		t.Errorf("before the first: %v, %v", l, err)
	}
	must(t, s.Verify(ctx))
}
