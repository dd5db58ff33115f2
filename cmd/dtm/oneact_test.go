//go:build !race

package main

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"dtm"
	"dtm/access"
)

// TestOneActOneEntry: a sign-in that is refused, a refusal, somebody's particulars read, rows
// taken out by a page and by the API: each is one entry of the log, and who did it is named.
func TestOneActOneEntry(t *testing.T) {
	t.Parallel()
	s := newScreened(t)
	ctx := t.Context()
	base := s.server().URL
	_, list := s.send("health", "soon", "refer", "health", "person_name", plantedName, "person_phone", plantedPhone)
	focal := s.visit(base, dtm.User{Email: "f@example.org", Role: dtm.RoleFocal})
	manager := s.visit(base, dtm.User{Email: "m@example.org", Role: dtm.RoleManager})
	hash, err := access.HashPassword(ctx, zeros{}, "a sentence of five words")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.h.db.AddUser(ctx, dtm.User{Email: "e@example.org", Role: dtm.RoleEnumerator}, hash); err != nil {
		t.Fatal(err)
	}
	stranger := &visitor{t: t, base: base}
	stranger.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	bearer := func(path string) {
		t.Helper()
		r, err := http.NewRequest("GET", base+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+manager.Jar.(jar)[0].Value)
		if status, body := manager.read(manager.Do(r)); status != http.StatusOK {
			t.Fatal(path, status, body)
		}
	}
	forged := "x@example.org\r\ntime=2026-11-28T00:00:00Z level=ERROR msg=forged\x00\u2028"
	for _, c := range []struct {
		what, name, actor string
		do                func()
	}{
		{"a wrong password", dtm.SignInRefused, "stranger", func() {
			stranger.post("/en/staff/signin", url.Values{"email": {"e@example.org"}, "password": {"another sentence of words"}})
		}},
		{"an address that is none", dtm.SignInRefused, "stranger", func() {
			stranger.post("/en/staff/signin", url.Values{"email": {forged}, "password": {"another sentence of words"}})
		}},
		{"what the role may not", dtm.AccessRefused, "user:f@example.org", func() { focal.get("/en/staff/users/") }},
		{"particulars", dtm.PersonRead, "user:f@example.org", func() { focal.post("/en/staff/referrals/"+list[0].ID+"/person", url.Values{}) }},
		{"a list", dtm.DataExported, "user:m@example.org", func() { manager.get("/en/staff/submissions/list.csv") }},
		{"answers", dtm.DataExported, "user:m@example.org", func() { manager.get("/en/staff/submissions/answers.zip?form=screening") }},
		{"a table by the API", dtm.DataExported, "user:m@example.org", func() { bearer("/v1/projects/1/forms/screening.svc/Submissions") }},
		{"files by the API", dtm.DataExported, "user:m@example.org", func() { bearer("/v1/projects/1/forms/screening/submissions.csv.zip") }},
	} {
		before := s.count(c.name)
		c.do()
		events, err := s.h.db.FindEvents(ctx, dtm.EventFilter{Name: c.name})
		if err != nil {
			t.Fatal(err)
		}
		if len(events) != before+1 {
			t.Errorf("%s: %d entries %s, want one more than %d", c.what, len(events), c.name, before)
			continue
		}
		found := false
		for _, e := range events {
			found = found || e.Actor == c.actor
			if strings.Contains(e.Subject+e.Detail+e.Actor, "forged") {
				t.Errorf("%s: what was typed is in the log: %+v", c.what, e)
			}
		}
		if !found {
			t.Errorf("%s: no entry is by %s", c.what, c.actor)
		}
	}
}

// TestNoLineIsForged: whatever is put into the program's log, of its own handlers, is one
// line of it.
func TestNoLineIsForged(t *testing.T) {
	t.Parallel()
	const forged = "a\r\ntime=2026-11-28T00:00:00Z level=ERROR msg=forged\n{\"level\":\"ERROR\"}\u2028\u0085\x1b[2K"
	for _, format := range []string{"text", "json"} {
		var b bytes.Buffer
		log := slog.New(logHandler(&b, format))
		log.Error(forged, "error", forged, forged, forged)
		line := strings.TrimSuffix(b.String(), "\n")
		if len(line) < 100 || strings.ContainsAny(line, "\r\n\x1b\u2028") {
			t.Errorf("%s: %q", format, line)
		}
		if format == "json" && !json.Valid([]byte(line)) {
			t.Errorf("no JSON: %s", line)
		}
	}
}
