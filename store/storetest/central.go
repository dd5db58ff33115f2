package storetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dtm"
	"dtm/event"
)

func sessions(t *testing.T, d Dialect) {
	now := time.Date(2026, 5, 1, 8, 0, 0, 0, time.UTC)
	s, err := d.Open(d.Place(t), Operation, func() time.Time { return now })
	must(t, err)
	defer s.Close()
	a := dtm.Session{Email: "a@example.org", CSRF: "c", Created: now, Expires: now.Add(time.Hour)}
	must(t, s.AddSession(ctx, "token-a", a))
	got, err := s.Session(ctx, "token-a")
	must(t, err)
	a.ID, a.Kind, a.Seen = got.ID, dtm.SessionKindAPI, now
	if len(a.ID) < 12 {
		t.Errorf("id %q", a.ID)
	}
	if diff := cmp.Diff(a, got); diff != "" {
		t.Error(diff)
	}
	_, err = s.Session(ctx, "token-b")
	wantKind(t, err, dtm.Unauthenticated)
	now = now.Add(time.Hour)
	_, err = s.Session(ctx, "token-a")
	wantKind(t, err, dtm.Unauthenticated)
	must(t, s.AddSession(ctx, "token-c", dtm.Session{Email: "c@example.org", Created: now, Expires: now.Add(time.Hour)}))
	must(t, s.EndSession(ctx, "token-c"))
	must(t, s.EndSession(ctx, "token-c"))
	_, err = s.Session(ctx, "token-c")
	wantKind(t, err, dtm.Unauthenticated)
	for _, token := range []string{"token-d", "token-e", "token-f"} {
		must(t, s.AddSession(ctx, token, dtm.Session{Kind: dtm.SessionKindPages, Email: "d@example.org", Agent: "Firefox", Created: now, Expires: now.Add(time.Minute)}))
	}
	must(t, s.ProlongSession(ctx, "token-d", now.Add(time.Hour)))
	now = now.Add(30 * time.Second)
	must(t, s.ProlongSession(ctx, "token-e", now.Add(time.Hour)))
	own, err := s.SessionsOf(ctx, "d@example.org")
	must(t, err)
	e, err := s.Session(ctx, "token-e")
	must(t, err)
	if len(own) != 3 || e.Agent != "Firefox" || e.Kind != dtm.SessionKindPages || !e.Seen.Equal(now) {
		t.Errorf("sessions %+v, e %+v", own, e)
	}
	now = now.Add(time.Minute)
	if own, err = s.SessionsOf(ctx, "d@example.org"); err != nil || len(own) != 2 {
		t.Errorf("after its end a session is listed: %+v", own)
	}
	d1, err := s.Session(ctx, "token-d")
	must(t, err)
	must(t, s.EndSessions(ctx, "c@example.org", e.ID, "")) // somebody else's
	_, err = s.Session(ctx, "token-e")
	must(t, err)
	must(t, s.EndSessions(ctx, "d@example.org", "", d1.ID))
	_, err = s.Session(ctx, "token-e")
	wantKind(t, err, dtm.Unauthenticated)
	_, err = s.Session(ctx, "token-d")
	must(t, err)
	must(t, s.EndSessions(ctx, "d@example.org", d1.ID, ""))
	_, err = s.Session(ctx, "token-d")
	wantKind(t, err, dtm.Unauthenticated)
	if e := allEvents(t, s); len(e) != 7 || e[5].Name != dtm.SessionsEnded || e[0].Name != dtm.SignedIn || e[0].Actor != "user:a@example.org" {
		t.Errorf("events = %+v", e)
	}
	// The clocks of two servers differ a little; one begun by a clock that stood far ahead
	// would live as long as that.
	must(t, s.AddSession(ctx, "token-near", dtm.Session{Email: "g@example.org", Created: now.Add(time.Minute), Expires: now.Add(time.Hour)}))
	must(t, s.AddSession(ctx, "token-ahead", dtm.Session{Email: "g@example.org", Created: now.AddDate(1, 0, 0), Expires: now.AddDate(1, 0, 1)}))
	_, err = s.Session(ctx, "token-near")
	must(t, err)
	_, err = s.Session(ctx, "token-ahead")
	wantKind(t, err, dtm.Unauthenticated)
}

func reviews(t *testing.T, d Dialect) {
	s, _ := d.open(t)
	who := event.WithActor(ctx, "user:m@example.org")
	_, err := s.Receive(ctx, submission(1))
	must(t, err)
	id := submission(1).ID
	for _, body := range []string{"first", "second ب"} {
		c, err := s.AddComment(who, id, body)
		must(t, err)
		if c.Body != body || c.Actor != "user:m@example.org" || c.Created.IsZero() {
			t.Errorf("comment %+v", c)
		}
	}
	list, err := s.Comments(ctx, id)
	must(t, err)
	if len(list) != 2 || list[0].Body != "second ب" {
		t.Errorf("comments %+v", list)
	}
	_, err = s.AddComment(who, "uuid:none", "x")
	wantKind(t, err, dtm.NotFound)
	must(t, s.Review(who, id, dtm.StateConfirmed, ""))
	must(t, s.Review(who, id, dtm.StateConfirmed, ""))
	must(t, s.Flag(ctx, id, []dtm.Flag{{Rule: "x"}}))
	got, err := s.Submission(ctx, id)
	must(t, err)
	if got.State != dtm.StateConfirmed || len(got.Flags) != 1 {
		t.Errorf("a rule undid a review: %+v", got)
	}
	wantKind(t, s.Review(who, id, "lovely", ""), dtm.Invalid)
	wantKind(t, s.Review(who, "uuid:none", dtm.StateRejected, ""), dtm.NotFound)
	edit := submission(2)
	edit.Deprecates = id
	_, err = s.Receive(ctx, edit)
	must(t, err)
	wantKind(t, s.Review(who, id, dtm.StateRejected, ""), dtm.Conflict)
	reviewed := 0
	for _, e := range allEvents(t, s) {
		if e.Name == dtm.SubmissionReviewed {
			reviewed++
		}
	}
	if reviewed != 1 {
		t.Errorf("%d reviews in the log", reviewed)
	}
}

func drafts(t *testing.T, d Dialect) {
	s, _ := d.open(t)
	_, err := s.Draft(ctx, "f")
	wantKind(t, err, dtm.NotFound)
	f := dtm.Form{ID: "f", Version: "1", Title: "F", Hash: "md5:1", XForm: []byte("<a/>"), Source: []byte("x"), SourceName: "f.xlsx",
		Media: []dtm.Media{{Name: "a.csv", Type: "text/csv", Hash: "md5:a", Data: []byte("a")}}}
	first, err := s.SaveDraft(ctx, f)
	must(t, err)
	if diff := cmp.Diff(f, first.Form); diff != "" || len(first.Token) < 43 {
		t.Errorf("draft %q: %s", first.Token, diff)
	}
	f.Version, f.Media = "2", nil
	second, err := s.SaveDraft(ctx, f)
	must(t, err)
	if second.Token != first.Token || second.Version != "2" || len(second.Media) != 1 || !second.Created.Equal(first.Created) {
		t.Errorf("saved again: %+v", second)
	}
	must(t, s.DraftMedia(ctx, "f", "b.png", &dtm.Media{Type: "image/png", Hash: "md5:b", Data: []byte("b")}))
	must(t, s.DraftMedia(ctx, "f", "a.csv", nil))
	wantKind(t, s.DraftMedia(ctx, "f", "a.csv", nil), dtm.NotFound)
	wantKind(t, s.DraftMedia(ctx, "g", "a.csv", nil), dtm.NotFound)
	got, err := s.DraftByToken(ctx, first.Token)
	must(t, err)
	if len(got.Media) != 1 || got.Media[0].Name != "b.png" {
		t.Errorf("files: %+v", got.Media)
	}
	_, err = s.DraftByToken(ctx, "none")
	wantKind(t, err, dtm.Forbidden)
	list, err := s.Forms(ctx)
	must(t, err)
	if len(list) != 0 {
		t.Error("a draft is handed out as a form")
	}
	must(t, s.DeleteDraft(ctx, "f"))
	wantKind(t, s.DeleteDraft(ctx, "f"), dtm.NotFound)
	_, err = s.DraftByToken(ctx, first.Token)
	wantKind(t, err, dtm.Forbidden)
}
