package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"dtm"
)

// TestGlass: a desk opens in an emergency what it may not see, for three hours, with a
// reason that somebody else judges; it may look and not answer; the agreement's end ends
// it too.
func TestGlass(t *testing.T) {
	t.Parallel()
	s := newScreened(t)
	base := s.server().URL
	_, sick := s.send("health", "soon", "refer", "health", "person_name", plantedName, "person_phone", plantedPhone)
	day := dtm.DayOf(s.now.now(), s.h.op.Zone)
	agreement, err := s.h.db.AddAgreement(t.Context(), dtm.Agreement{Partner: "iom", Kind: dtm.AgreementCases, Purpose: "p", Programmes: []string{"protection"}, Groups: dtm.FieldGroups, From: day.AddDate(0, 0, -1), To: day.AddDate(0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	guard := s.visit(base, dtm.User{Email: "p@example.org", Role: dtm.RoleDesk, Partner: "iom", Desk: "mrc-obock-protection"})
	alien := s.visit(base, dtm.User{Email: "u@example.org", Role: dtm.RoleDesk, Partner: "unhcr", Desk: "mrc-obock-protection"})
	focal := s.visit(base, dtm.User{Email: "f@example.org", Role: dtm.RoleFocal})
	auditor := s.visit(base, dtm.User{Email: "a@example.org", Role: dtm.RoleAuditor})
	at, number := "/en/staff/referrals/"+sick[0].ID, sick[0].Number
	const reason = "Quartzmann bleeds at our door"
	refused := func(v *visitor, form url.Values, want int) {
		t.Helper()
		if status, body := v.post("/en/staff/glass/", form); status != want || !strings.Contains(body, `role="alert"`) {
			t.Errorf("%v: %d, want %d", form, status, want)
		}
	}
	if status, _ := guard.get(at); status != http.StatusNotFound {
		t.Fatalf("before: %d", status)
	}
	if _, body := guard.get("/en/staff/referrals/?number=" + url.QueryEscape(number)); !strings.Contains(body, "/en/staff/glass/?number="+number[:8]) {
		t.Error("no way to the emergency")
	}
	refused(guard, url.Values{"number": {number}, "reason": {"short"}}, http.StatusUnprocessableEntity)
	before := s.count(dtm.AccessRefused)
	refused(guard, url.Values{"number": {"000000000"}, "reason": {reason}}, http.StatusUnprocessableEntity)
	if s.count(dtm.AccessRefused) != before+1 {
		t.Error("a number that was tried is not in the log")
	}
	refused(alien, url.Values{"number": {number}, "reason": {reason}}, http.StatusForbidden)
	for _, v := range []*visitor{focal, auditor} {
		if status, _ := v.post("/en/staff/glass/", url.Values{"number": {number}, "reason": {reason}}); status != http.StatusForbidden {
			t.Errorf("somebody else breaks the glass: %d", status)
		}
	}
	if s.count(dtm.GlassBroken) != 0 {
		t.Fatal("opened")
	}
	status, to := guard.post("/en/staff/glass/", url.Values{"number": {number}, "reason": {reason}})
	if status != http.StatusSeeOther || !strings.HasSuffix(to, at) || s.count(dtm.GlassBroken) != 1 {
		t.Fatalf("%d %s", status, to)
	}
	status, body := guard.get(at)
	if status != http.StatusOK || !strings.Contains(body, "because you took access in an emergency") || strings.Contains(body, `value="acknowledge"`) {
		t.Errorf("the referral: %d", status)
	}
	if status, body = guard.post(at+"/person", url.Values{}); status != http.StatusOK || !strings.Contains(body, plantedName) || strings.Contains(body, `id="g-health"`) {
		t.Errorf("the person: %d", status)
	}
	for _, form := range []url.Values{{"do": {"acknowledge"}, "version": {"2"}}, {"do": {"accept"}, "version": {"2"}}, {"step": {"counselling"}, "day": {"2026-11-28"}}} {
		if status, _ = guard.post(at, form); status != http.StatusForbidden {
			t.Errorf("%v by who may only look: %d", form, status)
		}
	}
	if status, _ = guard.post(at+"/slip", url.Values{}); status != http.StatusForbidden {
		t.Errorf("a slip: %d", status)
	}
	if status, _ = alien.get(at); status != http.StatusNotFound {
		t.Errorf("somebody else sees it too: %d", status)
	}

	// Who judges sees it at once, on the page they come in by, and in the queue.
	for first, v := range map[string]*visitor{"/en/staff/referrals/": focal, "/en/staff/": auditor} {
		if _, body = v.get(first); !strings.Contains(body, "not judged yet: 1") {
			t.Error("no notice")
		}
		if status, body = v.get("/en/staff/glass/queue"); status != http.StatusOK || !strings.Contains(body, reason) || !strings.Contains(body, "p@example.org") {
			t.Errorf("the queue: %d", status)
		}
	}
	if _, body = auditor.get("/en/staff/glass/queue"); strings.Contains(body, sick[0].ID) {
		t.Error("an auditor is led to the referral")
	}
	list, err := s.h.db.GlassToReview(t.Context(), s.now.now())
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	if status, _ = guard.post("/en/staff/glass/queue", url.Values{"id": {list[0].ID}, "right": {"yes"}}); status != http.StatusForbidden {
		t.Errorf("a desk judges: %d", status)
	}
	if status, _ = auditor.post("/en/staff/glass/queue", url.Values{"id": {list[0].ID}}); status != http.StatusUnprocessableEntity {
		t.Errorf("no judgement: %d", status)
	}

	// The agreement's end shuts it; a new one opens it for what is left of the three hours.
	if err := s.h.db.EndAgreement(t.Context(), agreement.ID, "ended"); err != nil {
		t.Fatal(err)
	}
	if status, _ = guard.get(at); status != http.StatusNotFound {
		t.Errorf("after the agreement's end: %d", status)
	}
	agreement.ID, agreement.Ended = "", nil
	if _, err = s.h.db.AddAgreement(t.Context(), agreement); err != nil {
		t.Fatal(err)
	}
	if status, _ = guard.get(at); status != http.StatusOK {
		t.Errorf("under a new agreement: %d", status)
	}
	for _, c := range []struct {
		after time.Duration
		want  int
	}{{dtm.GlassFor - time.Second, http.StatusOK}, {dtm.GlassFor, http.StatusNotFound}} {
		s.now.to(list[0].At.Add(c.after))
		s.again(guard)
		if status, _ = guard.get(at); status != c.want {
			t.Errorf("after %v: %d, want %d", c.after, status, c.want)
		}
	}
	s.now.to(list[0].At.AddDate(0, 0, 2))
	s.again(auditor)
	s.again(focal)
	if _, body = auditor.get("/en/staff/glass/queue"); !strings.Contains(body, "should have been judged by") {
		t.Error("nobody is told that it is late")
	}
	if f, err := s.h.seeGlass(t.Context(), s.now.now()); err != nil || f.level != warning {
		t.Errorf("the doctor says %+v, %v", f, err)
	}
	if status, body = auditor.post("/en/staff/glass/queue", url.Values{"id": {list[0].ID}, "right": {"no"}, "verdict": {"a bandage"}}); status != http.StatusOK || !strings.Contains(body, "It was not needed") {
		t.Errorf("the judgement: %d", status)
	}
	if _, body = focal.get("/en/staff/referrals/"); strings.Contains(body, "not judged yet") {
		t.Error("the notice stays")
	}
	s.searched()
}

// count is how many entries of the log have a name.
func (s *screened) count(name string) int {
	s.t.Helper()
	list, err := s.h.db.FindEvents(s.t.Context(), dtm.EventFilter{Name: name})
	if err != nil {
		s.t.Fatal(err)
	}
	return len(list)
}
