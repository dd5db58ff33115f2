package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"dtm"
	"dtm/event"
	"dtm/refer"
)

// TestOverride: nobody is passed on without consent by one person alone, nor by one who
// names another: the second signs in and confirms. Of a referral that names nobody and of
// a person alike.
func TestOverride(t *testing.T) {
	t.Parallel()
	s := newScreened(t)
	base := s.server().URL
	one := s.visit(base, dtm.User{Email: "one@example.org", Role: dtm.RoleFocal})
	two := s.visit(base, dtm.User{Email: "two@example.org", Role: dtm.RoleFocal})
	_, list := s.send("share", "no", "health", "emergency")
	id := list[0].ID
	at := "/en/staff/referrals/" + id
	version := func() string {
		r, err := s.h.db.Referral(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return string('0' + rune(r.Version))
	}
	state := func() dtm.ReferralState {
		r, err := s.h.db.Referral(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return r.State
	}
	ask := url.Values{"do": {"consent"}, "reason": {"vital_interest"}, "version": {version()}, "second": {"two@example.org"}}
	if status, _ := one.post(at, ask); status != http.StatusBadRequest || state() != dtm.ReferralHeld {
		t.Fatalf("without a reason: %d %s", status, state())
	}
	ask.Set("words", "Bleeds and does not answer")
	if status, body := one.post(at, ask); status != http.StatusOK || state() != dtm.ReferralHeld || !strings.Contains(body, "another focal point has signed in") || strings.Contains(body, "Confirm as the second person") {
		t.Fatalf("asked: %d %s", status, state())
	}
	// Whoever signs in is told that it waits, beside the menu and on their first page; who
	// asked, that it is another's.
	told := func(v *visitor, want string, n int, lacks string) {
		t.Helper()
		if _, body := v.get("/en/staff/referrals/"); strings.Count(body, want) != n || lacks != "" && strings.Contains(body, lacks) || strings.Contains(body, "Bleeds") {
			t.Errorf("%s is told %q %d times, not %d:\n%s", v.email, want, strings.Count(body, want), n, body)
		}
	}
	told(two, "1 waiting for your confirmation", 3, "you asked") // of a wide window, of a phone open and shut
	told(two, "asked by one@example.org", 1, "")
	told(one, "you asked; another focal point has to confirm", 1, "waiting for your confirmation")
	for lang, want := range map[string]string{"fr": "demandée par one@example.org", "ar": "طلبها one@example.org"} {
		if _, body := two.get("/" + lang + "/staff/referrals/"); !strings.Contains(body, want) {
			t.Errorf("%s: %q is not said", lang, want)
		}
	}
	desk := s.visit(base, dtm.User{Email: "d@example.org", Role: dtm.RoleDesk, Partner: "iom", Desk: "mrc-obock-health"})
	told(desk, "waits for a second person", 0, "")
	if f, err := s.h.seeSeconds(t.Context(), s.now.now()); err != nil || f.level == warning {
		t.Errorf("the doctor says %+v, %v", f, err)
	}
	if f, err := s.h.seeSeconds(t.Context(), s.now.now().Add(25*time.Hour)); err != nil || f.level != warning {
		t.Errorf("the doctor says %+v, %v", f, err)
	}
	if status, _ := one.post(at, ask); status != http.StatusForbidden || state() != dtm.ReferralHeld {
		t.Fatalf("confirmed by who asked: %d %s", status, state())
	}
	if _, body := two.get(at); !strings.Contains(body, "Bleeds and does not answer") || !strings.Contains(body, "Confirm as the second person") {
		t.Fatal("the second person is not asked")
	}
	if status, body := two.post(at, url.Values{"do": {"consent"}, "reason": {"vital_interest"}, "version": {version()}}); status != http.StatusSeeOther || state() != dtm.ReferralSubmitted {
		t.Fatalf("confirmed: %d %s %s", status, state(), body)
	}
	// The history does not say that the person agreed.
	if _, body := two.get(at); !strings.Contains(body, "passed on without consent") || strings.Contains(body, "consent given") {
		t.Errorf("the history says:\n%s", body)
	}
	told(two, "waiting for your confirmation", 0, "waits for a second person")
	if s.count(dtm.ConsentAsked) != 1 || s.count(dtm.ConsentConfirmed) != 1 {
		t.Error("the log does not say who asked and who confirmed")
	}

	_, list = s.send("health", "soon", "refer", "health", "person_name", plantedName)
	at = "/en/staff/referrals/" + list[0].ID + "/person"
	covers := func() []string {
		list, err := s.h.db.ConsentsOf(event.WithActor(t.Context(), "test"), list[0].Person)
		if err != nil {
			t.Fatal(err)
		}
		return refer.Covers(list, "unicef", "protection", s.now.now())
	}
	form := url.Values{"do": {"consent"}, "recipient": {"unicef"}, "group": {"identity"}, "wording": {"1"}, "lang": {"en"}, "how": {"witnessed"}, "of": {dtm.ConsentVitalInterest}, "why": {"Planted danger"}, "second": {"two@example.org"}}
	if status, body := one.post(at, form); status != http.StatusOK || !strings.Contains(body, "waits for a second person") || len(covers()) != 0 {
		t.Fatalf("asked: %d %v", status, covers())
	}
	consents, err := s.h.db.ConsentsOf(t.Context(), list[0].Person)
	if err != nil {
		t.Fatal(err)
	}
	told(two, "1 waiting for your confirmation", 3, "")
	told(two, list[0].ID, 2, "") // in the notice and in the list
	confirm := url.Values{"do": {"confirm"}, "consent": {consents[len(consents)-1].ID}}
	if one.post(at, confirm); len(covers()) != 0 {
		t.Error("confirmed by who asked")
	}
	manager := s.visit(base, dtm.User{Email: "m@example.org", Role: dtm.RoleManager})
	if manager.post(at, confirm); len(covers()) != 0 {
		t.Error("confirmed by who may not decide")
	}
	if status, body := two.post(at, confirm); status != http.StatusOK || !strings.Contains(body, "it takes effect now") || len(covers()) != 1 {
		t.Errorf("confirmed: %d %v", status, covers())
	}
	if two.post(at, confirm); s.count(dtm.ConsentConfirmed) != 2 {
		t.Errorf("confirmed %d times", s.count(dtm.ConsentConfirmed))
	}
}
