package storetest

import (
	"strings"
	"testing"
	"time"

	"dtm"
	"dtm/event"
)

func releases(t *testing.T, d Dialect) {
	s, place := d.open(t)
	m := dtm.Month{Year: 2022, Month: time.December}
	if l, err := s.FrozenReleases(ctx); err != nil || len(l) != 0 {
		t.Fatalf("releases of a new store: %v, %v", l, err)
	}
	_, err := s.FrozenRelease(ctx, m, 1)
	wantKind(t, err, dtm.NotFound)
	_, err = s.PublishRelease(ctx, m, 1)
	wantKind(t, err, dtm.NotFound)

	one := event.WithActor(ctx, "user:one@example.org")
	two := event.WithActor(ctx, "user:two@example.org")
	at := time.Date(2023, 1, 4, 9, 0, 0, 5e6, time.UTC)
	in := dtm.FrozenRelease{Release: dtm.Release{Seq: 7, Hash: "abc", At: at}, Month: m, N: 1, Note: "first", Program: "1.0", Manifest: []byte("{}\n"), ManifestHash: "h1", Parts: map[string]string{"facts.csv": "sha256:1"}}
	r, err := s.AddRelease(one, in)
	must(t, err)
	if r.Number != "2022-12/1" || r.State != dtm.StateProposed || r.Creator != "user:one@example.org" || r.Logged != 1 || r.Created.IsZero() {
		t.Errorf("added %+v", r)
	}
	_, err = s.AddRelease(two, in)
	wantKind(t, err, dtm.Conflict)
	again := in
	again.N = 2
	_, err = s.AddRelease(two, again) // one proposal of a month at a time
	wantKind(t, err, dtm.Conflict)

	for _, actor := range []string{"user:one@example.org", "system"} {
		_, err = s.PublishRelease(event.WithActor(ctx, actor), m, 1)
		wantKind(t, err, dtm.Forbidden)
	}
	r, err = s.PublishRelease(two, m, 1)
	must(t, err)
	if r.State != dtm.StatePublished || r.Approver != "user:two@example.org" || r.Published == nil || string(r.Manifest) != "{}\n" || r.Parts["facts.csv"] != "sha256:1" || !r.At.Equal(at) || r.Seq != 7 || r.Hash != "abc" {
		t.Errorf("published %+v", r)
	}
	_, err = s.PublishRelease(two, m, 1)
	wantKind(t, err, dtm.Conflict)
	_, err = s.WithdrawRelease(two, m, 1, " ")
	wantKind(t, err, dtm.Invalid)
	_, err = s.AddRelease(one, again)
	must(t, err)
	r, err = s.WithdrawRelease(two, m, 1, "points were doubled")
	must(t, err)
	if r.State != dtm.StateWithdrawn || r.Reason != "points were doubled" || r.Withdrew != "user:two@example.org" || r.Published == nil {
		t.Errorf("withdrawn %+v", r)
	}
	_, err = s.WithdrawRelease(two, m, 1, "again")
	wantKind(t, err, dtm.Conflict)

	must(t, s.Close())
	s = d.openAt(t, place)
	later := in
	later.Month = m.Add(1)
	_, err = s.AddRelease(one, later)
	must(t, err)
	list, err := s.FrozenReleases(ctx)
	must(t, err)
	var said []string
	for _, x := range list {
		said = append(said, x.Number+" "+x.State)
	}
	if got := strings.Join(said, ", "); got != "2023-01/1 proposed, 2022-12/2 proposed, 2022-12/1 withdrawn" {
		t.Errorf("releases are %s", got)
	}
	if got := strings.Join(names(allEvents(t, s)), " "); got != "release.proposed release.published release.proposed release.withdrawn release.proposed" {
		t.Errorf("log: %s", got)
	}
	if e := allEvents(t, s)[1]; e.Subject != "2022-12/1" || e.Actor != "user:two@example.org" || !strings.Contains(e.Detail, `"h1"`) {
		t.Errorf("entry %+v", e)
	}
	for _, x := range []string{`UPDATE release SET manifest = x'00'`, `DELETE FROM release`, `UPDATE release_state SET state = 'published'`, `DELETE FROM release_state`} {
		if err := d.Protected(t, place, x); err == nil {
			t.Errorf("%s was done", x)
		}
	}
	must(t, s.Verify(ctx))
}
