package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"dtm"
)

// streams: newest first, whole whatever the number, without what was replaced.
func streams(t *testing.T, d Dialect) {
	s, _ := d.open(t)
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	const n = 1203
	for i := range n {
		x := submission(i)
		x.Received = start.Add(time.Duration(i) * time.Hour)
		if i == 5 {
			x.Expected, x.Attachments = []string{"a.jpg", "b.jpg"}, []dtm.Attachment{{Name: "a.jpg", Hash: "sha256:aa"}}
		}
		_, err := s.Receive(ctx, x)
		must(t, err)
	}
	other := submission(n)
	other.Form = "other"
	_, err := s.Receive(ctx, other)
	must(t, err)
	edit := submission(n + 1)
	edit.Deprecates = submission(7).ID
	_, err = s.Receive(ctx, edit)
	must(t, err)
	again := submission(n + 2)
	again.Deprecates = edit.ID
	_, err = s.Receive(ctx, again)
	must(t, err)

	form := submission(0).Form
	all := func(q dtm.SubmissionQuery) []dtm.Streamed {
		t.Helper()
		q.Form = form
		var out []dtm.Streamed
		must(t, s.Stream(ctx, q, func(b []dtm.Streamed) error { out = append(out, b...); return nil }))
		return out
	}
	list := all(dtm.SubmissionQuery{})
	if len(list) != n || list[0].ID != again.ID || list[0].Edits != 2 || list[0].Root != edit.Deprecates || list[1].Root != list[1].ID || list[n-1].ID != submission(0).ID {
		t.Fatalf("%d submissions, first %+v", len(list), list[0])
	}
	seen := map[string]bool{}
	for i, x := range list {
		if i > 0 && x.Seq >= list[i-1].Seq || seen[x.ID] || x.ID == edit.ID || x.ID == edit.Deprecates {
			t.Fatalf("out of order, twice or replaced: %s", x.ID)
		}
		seen[x.ID] = true
		if x.ID == submission(5).ID && (x.Present != 1 || len(x.Expected) != 2) {
			t.Errorf("attachments: %+v", x)
		}
	}
	if count, err := s.CountSubmissions(ctx, dtm.SubmissionQuery{Form: form}); err != nil || count != n {
		t.Errorf("count %d %v", count, err)
	}
	if got := all(dtm.SubmissionQuery{Skip: 10, Limit: 3}); len(got) != 3 || got[0].ID != list[10].ID {
		t.Errorf("skipped and limited: %d", len(got))
	}
	if got := all(dtm.SubmissionQuery{Skip: n - 2}); len(got) != 2 {
		t.Errorf("skipped to the end: %d", len(got))
	}
	if got := all(dtm.SubmissionQuery{Before: list[10].Seq, Limit: 2}); len(got) != 2 || got[0].ID != list[11].ID {
		t.Errorf("before: %d", len(got))
	}
	day := dtm.SubmissionQuery{Form: form, From: start.AddDate(0, 0, 10), To: start.AddDate(0, 0, 11)}
	if count, err := s.CountSubmissions(ctx, day); err != nil || count != 24 || len(all(day)) != 24 {
		t.Errorf("a day has %d %v", count, err)
	}
	if by, err := s.Replacement(ctx, edit.Deprecates); err != nil || by != edit.ID {
		t.Errorf("replaced by %q %v", by, err)
	}
	_, err = s.Replacement(ctx, again.ID)
	wantKind(t, err, dtm.NotFound)
	stop := errors.New("enough")
	if err := s.Stream(ctx, dtm.SubmissionQuery{Form: form}, func([]dtm.Streamed) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("stopped with %v", err)
	}

	for v := range 3 {
		must(t, s.Publish(ctx, dtm.Form{ID: "v", Version: fmt.Sprint(v), Title: "V", Titles: dtm.Text{dtm.French: "V fr"}, Hash: "md5:x", XForm: []byte(fmt.Sprint(v))}))
	}
	versions, err := s.Versions(ctx, "v")
	must(t, err)
	if len(versions) != 3 || versions[0].Version != "2" || versions[0].TitleIn(dtm.French) != "V fr" || string(versions[2].XForm) != "0" {
		t.Errorf("versions: %+v", versions)
	}
	_, err = s.Versions(ctx, "none")
	wantKind(t, err, dtm.NotFound)
}
