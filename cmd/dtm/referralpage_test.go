package main

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"dtm"
	"dtm/event"
)

// visitor is a browser of somebody of the staff.
type visitor struct {
	t     *testing.T
	base  string
	email string
	http.Client
}

func (s *screened) server() *httptest.Server {
	s.t.Helper()
	mux, err := s.h.routes()
	if err != nil {
		s.t.Fatal(err)
	}
	server := httptest.NewServer(mux)
	s.t.Cleanup(server.Close)
	return server
}

// visit lets somebody in who has given a password and a second factor.
func (s *screened) visit(base string, u dtm.User) *visitor {
	s.t.Helper()
	ctx, now := s.t.Context(), s.now.now().UTC()
	err := s.h.db.AddUser(ctx, u, "hash")
	if err == nil {
		err = s.h.db.AddFactors(ctx, u.Email, []dtm.Factor{{ID: "app", Kind: dtm.FactorTOTP, Name: "app", Secret: []byte("sealed"), Created: now}}, "")
	}
	if err != nil {
		s.t.Fatal(err)
	}
	v := &visitor{t: s.t, base: base, email: u.Email}
	v.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	s.again(v)
	return v
}

// again lets a visitor sign in now.
func (s *screened) again(v *visitor) {
	s.t.Helper()
	token, now := rand.Text()+rand.Text(), s.now.now().UTC()
	if err := s.h.db.AddSession(s.t.Context(), token, dtm.Session{Kind: dtm.SessionKindPages, Email: v.email, Created: now, Expires: now.Add(30 * time.Minute), Second: now, Proved: now}); err != nil {
		s.t.Fatal(err)
	}
	v.Jar = jar{{Name: "dtm", Value: token}}
}

type jar []*http.Cookie

func (jar) SetCookies(*url.URL, []*http.Cookie) {}
func (j jar) Cookies(*url.URL) []*http.Cookie   { return j }

func (v *visitor) get(path string) (int, string) {
	v.t.Helper()
	r, err := v.Get(v.base + path)
	return v.read(r, err)
}

func (v *visitor) post(path string, form url.Values) (int, string) {
	v.t.Helper()
	r, err := v.PostForm(v.base+path, form)
	return v.read(r, err)
}

func (v *visitor) read(r *http.Response, err error) (int, string) {
	v.t.Helper()
	if err != nil {
		v.t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	if r.StatusCode == http.StatusSeeOther {
		return r.StatusCode, r.Header.Get("Location")
	}
	return r.StatusCode, string(b)
}

// TestReferralPages: who sees what. A desk sees the preview of what was sent to it and
// nothing of others; the person only after accepting, within the consent; a withdrawal
// ends it with the next click; reading changes nothing but what opening records.
func TestReferralPages(t *testing.T) {
	t.Parallel()
	s := newScreened(t)
	base := s.server().URL
	_, sick := s.send("health", "soon", "refer", "health", "person_name", plantedName, "person_phone", plantedPhone, "language", "om")
	_, child := s.send("age", "15", "child_with", "alone", "refer", "protection", "person_name", plantedName)
	day := dtm.DayOf(s.h.now(), s.h.op.Zone)
	agreement, err := s.h.db.AddAgreement(t.Context(), dtm.Agreement{Partner: "iom", Kind: dtm.AgreementCases, Purpose: "p", Basis: "b", Programmes: []string{"health", "protection"}, Groups: dtm.FieldGroups, From: day.AddDate(0, 0, -1), To: day.AddDate(0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	health := s.visit(base, dtm.User{Email: "h@example.org", Role: dtm.RoleDesk, Partner: "iom", Desk: "mrc-obock-health"})
	guard := s.visit(base, dtm.User{Email: "p@example.org", Role: dtm.RoleDesk, Partner: "iom", Desk: "mrc-obock-protection"})
	focal := s.visit(base, dtm.User{Email: "f@example.org", Role: dtm.RoleFocal})
	at := "/en/staff/referrals/" + sick[0].ID

	status, body := health.get("/en/staff/referrals/")
	if status != http.StatusOK || !strings.Contains(body, sick[0].Number) || strings.Contains(body, child[0].Number) {
		t.Errorf("inbox of the clinic: %d, %.300s", status, body)
	}
	if status, body = health.get(at); status != http.StatusOK || !strings.Contains(body, "Oromo") || strings.Contains(body, "Xylophena") || strings.Contains(body, plantedPhone) {
		t.Errorf("the preview: %d %.500s", status, body)
	}
	// Of a child one speaks as of a child, in each language.
	for lang, want := range map[string]string{"en": "Boy, 5–17 years, alone", "fr": "Garçon, 5 à 17 ans, sans parent ni tuteur"} {
		if _, body = guard.get("/" + lang + "/staff/referrals/"); !strings.Contains(body, want) {
			t.Errorf("%s: the inbox does not say %q:\n%s", lang, want, body)
		}
	}
	for path, form := range map[string]url.Values{"/person": {}, "": {"do": {"accept"}, "version": {"2"}}, "/slip": {}} {
		if status, _ = health.post("/en/staff/referrals/"+child[0].ID+path, form); status != http.StatusNotFound {
			t.Errorf("another desk's referral%s: %d, want 404", path, status)
		}
		if status, _ = guard.post(at+path, form); status != http.StatusNotFound {
			t.Errorf("the clinic's referral%s by another desk: %d, want 404", path, status)
		}
	}
	if status, _ = health.get("/en/staff/referrals/" + child[0].ID); status != http.StatusNotFound {
		t.Errorf("another desk's referral: %d", status)
	}
	if status, body = health.post(at+"/person", url.Values{}); status != http.StatusForbidden || strings.Contains(body, "Xylophena") {
		t.Errorf("the person before acceptance: %d", status)
	}
	for _, role := range []string{dtm.RoleAdmin, dtm.RoleManager, dtm.RoleSupervisor, dtm.RoleEnumerator, dtm.RolePartner, dtm.RoleAuditor} {
		v := s.visit(base, dtm.User{Email: role + "@example.org", Role: role, Partner: "iom", Desk: "mrc-obock-health"})
		for _, path := range []string{"/en/staff/referrals/", at, "/en/staff/desks/", "/en/staff/referrals/figures"} {
			if status, _ := v.get(path); status != http.StatusForbidden {
				t.Errorf("%s, %s: %d, want 403", role, path, status)
			}
		}
		if status, _ := v.post(at+"/person", url.Values{}); status != http.StatusForbidden {
			t.Errorf("%s opens a person: %d", role, status)
		}
	}

	// What a form could add to a request changes nothing else.
	status, to := health.post(at, url.Values{"do": {"accept"}, "version": {"2"}, "state": {"completed"}, "desk": {"mrc-obock-return"}, "programme": {"vhr"}, "guarded": {"false"}})
	r, err := s.h.db.Referral(t.Context(), sick[0].ID)
	if err != nil || status != http.StatusSeeOther || r.State != dtm.ReferralAccepted || r.Desk != "mrc-obock-health" || r.Programme != "health" {
		t.Fatalf("accept: %d %s %+v, %v", status, to, r, err)
	}
	if status, body = health.post(at, url.Values{"do": {"accept"}, "version": {"2"}}); status != http.StatusConflict || !strings.Contains(body, "somebody has answered meanwhile") {
		t.Errorf("accept twice: %d", status)
	}
	before, err := s.h.db.Last(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/en/staff/referrals/", at, "/en/staff/desks/", "/fr/staff/referrals/figures", "/ar" + at[3:]} {
		if status, _ = health.get(path); status != http.StatusOK {
			t.Errorf("%s: %d", path, status)
		}
	}
	if after, err := s.h.db.Last(t.Context()); err != nil || after != before {
		t.Errorf("reading pages made %d events, %v", after-before, err)
	}
	if status, body = health.post(at+"/person", url.Values{}); status != http.StatusOK || !strings.Contains(body, plantedName) || !strings.Contains(body, plantedPhone) {
		t.Errorf("the person after acceptance: %d", status)
	}
	events, err := s.h.db.Events(t.Context(), before, 100)
	if err != nil || len(events) != 1 || events[0].Name != dtm.PersonRead || events[0].Actor != "user:h@example.org" {
		t.Errorf("opening is recorded as %+v, %v", events, err)
	}
	// What the fields of the pages would not take is not taken from others either, and
	// consent is given to somebody there is.
	long := strings.Repeat("ع", 4001)
	for _, c := range []struct {
		by   *visitor
		path string
		form url.Values
		says string
	}{
		{health, at + "/person", url.Values{"do": {"note"}, "group": {"health"}, "words": {long}}, "4,000 characters at most"},
		{focal, at + "/person", url.Values{"do": {"change"}, "field.name": {long}}, "200 characters at most"},
		{focal, at + "/person", url.Values{"do": {"consent"}, "recipient": {"nobody"}, "group": {"need"}, "wording": {"1"}, "lang": {"en"}, "how": {"signed"}, "of": {"person"}}, "to whom"},
		{focal, at, url.Values{"do": {"withdraw"}, "reason": {"other"}, "version": {"3"}, "words": {long}}, "500 characters at most"},
		{health, "/en/staff/desks/mrc-obock-health", url.Values{"pause": {long}}, "100 characters at most"},
		{health, "/en/staff/desks/mrc-obock-health", url.Values{"capacity": {"9223372036854775807"}}, "number"},
	} {
		if _, body = c.by.post(c.path, c.form); !strings.Contains(body, c.says) || strings.Contains(body, long[:400]) {
			t.Errorf("%s: %q is not said", c.path, c.says)
		}
	}
	if now, err := s.h.db.Referral(t.Context(), sick[0].ID); err != nil || now.State != dtm.ReferralAccepted {
		t.Errorf("%+v, %v", now, err)
	}
	if status, _ = health.post(at+"/person", url.Values{"do": {"note"}, "group": {"protection"}, "words": {"x"}}); status != http.StatusOK {
		t.Errorf("%d", status)
	}
	notes, err := s.h.db.CaseNotes(event.WithActor(t.Context(), "user:test"), r.Person, dtm.FieldGroups, "test")
	if err != nil || len(notes) != 0 {
		t.Errorf("a clinic wrote into protection: %+v, %v", notes, err)
	}
	// Hostile words stand as they were written.
	const hostile = `<script>alert(1)</script>`
	if status, body = health.post(at+"/person", url.Values{"do": {"note"}, "group": {"health"}, "words": {hostile}}); status != http.StatusOK || strings.Contains(body, hostile) || !strings.Contains(body, "&lt;script&gt;") {
		t.Errorf("a note: %d", status)
	}
	// The consent ends: the open page's next click is refused.
	list, err := s.h.db.ConsentsOf(t.Context(), r.Person)
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	if status, body = focal.post(at+"/person", url.Values{"do": {"withdraw"}, "consent": {list[0].ID}, "why": {"asked"}}); status != http.StatusOK || !strings.Contains(body, "h@example.org") {
		t.Errorf("withdrawing does not say who saw it: %d", status)
	}
	if status, body = health.post(at+"/person", url.Values{"do": {"note"}, "group": {"health"}, "words": {"more"}}); status != http.StatusForbidden || strings.Contains(body, "Xylophena") {
		t.Errorf("after the withdrawal: %d", status)
	}

	// The hard rule, by the pages: no desk of a return programme is offered or taken.
	atChild := "/en/staff/referrals/" + child[0].ID
	if status, _ = guard.post(atChild, url.Values{"do": {"reject"}, "version": {"2"}, "reason": {"no_capacity"}}); status != http.StatusSeeOther {
		t.Fatalf("reject: %d", status)
	}
	if status, _ = guard.get(atChild); status != http.StatusNotFound {
		t.Errorf("a desk still sees what it rejected: %d", status)
	}
	if status, _ = focal.post(atChild, url.Values{"do": {"redirect"}, "version": {"3"}, "desk": {"mrc-obock-return"}, "programme": {"vhr"}}); status != http.StatusForbidden {
		t.Errorf("a child is redirected to a return programme: %d", status)
	}
	status, to = focal.post(atChild, url.Values{"do": {"redirect"}, "version": {"3"}, "desk": {"mrc-obock-protection"}})
	if status != http.StatusSeeOther || !strings.Contains(to, "done=redirect") || strings.Contains(to, child[0].ID) {
		t.Errorf("redirect: %d %s", status, to)
	}

	// The code on a slip says nothing by itself.
	token, err := s.h.db.NewSlip(t.Context(), sick[0].ID, s.now.now().Add(slipFor))
	if err != nil {
		t.Fatal(err)
	}
	stranger := &visitor{t: t, base: base}
	stranger.CheckRedirect = focal.CheckRedirect
	_, real := stranger.get("/s/" + token)
	_, none := stranger.get("/s/" + strings.Repeat("0", 32))
	same := func(s string) string { return regexp.MustCompile(`[0-9a-f]{32}`).ReplaceAllString(s, "") }
	if same(real) != same(none) || strings.Contains(real, "Health") || strings.Contains(real, sick[0].Number) {
		t.Errorf("a slip tells a stranger something:\n%s", real)
	}
	if status, to = focal.get("/s/" + token); status != http.StatusSeeOther || !strings.HasSuffix(to, sick[0].ID) {
		t.Errorf("the focal point by the slip: %d %s", status, to)
	}
	if _, body = guard.get("/s/" + token); same(body) == "" || strings.Contains(body, sick[0].Number) {
		t.Error("another desk learns of it by the slip")
	}
	// The agreement ends: the next click of that partner is refused.
	if err := s.h.db.EndAgreement(t.Context(), agreement.ID, "ended"); err != nil {
		t.Fatal(err)
	}
	if status, _ = health.get(at); status != http.StatusNotFound {
		t.Errorf("after the agreement's end: %d", status)
	}
	if status, body = health.get("/en/staff/referrals/"); status != http.StatusOK || strings.Contains(body, sick[0].Number) {
		t.Errorf("the inbox after the agreement's end: %d", status)
	}
	s.searched()
}

// TestPatrol: the small page for the road works without a script, is small, shows a
// person's place only after it was accepted, hides a number that is not safe to call, and
// answers by one tap; an answer that comes too late is refused with the page as it is now.
func TestPatrol(t *testing.T) {
	t.Parallel()
	s := newScreened(t)
	base := s.server().URL
	day := dtm.DayOf(s.h.now(), s.h.op.Zone)
	if _, err := s.h.db.AddAgreement(t.Context(), dtm.Agreement{Partner: "iom", Kind: dtm.AgreementCases, Purpose: "p", Basis: "b", Programmes: []string{"mrrm", "health"}, Groups: dtm.FieldGroups, From: day.AddDate(0, 0, -1), To: day.AddDate(0, 0, 1)}); err != nil {
		t.Fatal(err)
	}
	unit := s.visit(base, dtm.User{Email: "u@example.org", Role: dtm.RoleDesk, Partner: "iom", Desk: "patrol-obock"})
	focal := s.visit(base, dtm.User{Email: "f@example.org", Role: dtm.RoleFocal})
	const page = "/en/staff/referrals/patrol"
	if status, body := unit.get(page); status != http.StatusOK || !strings.Contains(body, "Nobody waits for your answer") {
		t.Errorf("the empty page: %d %s", status, body)
	}
	var list []dtm.Referral
	for range 30 {
		_, one := s.send("reach", "no", "need", "water", "refer", "mrrm", "person_name", plantedName, "person_phone", plantedPhone, "safe", "no", "spot", "12.1 43.2 0 9")
		list = append(list, one...)
	}
	if got := toldOf(list[:1]); got != "mrrm sent normal patrol-obock" {
		t.Fatal(got)
	}
	status, body := unit.get(page)
	if status != http.StatusOK || strings.Count(body, "<section") != 25 || !strings.Contains(body, "5 more are in the inbox") || strings.Contains(body, "Xylophena") || strings.Contains(body, "12.1") {
		t.Errorf("the page of thirty: %d %.600s", status, body)
	}
	var wire bytes.Buffer
	z := gzip.NewWriter(&wire)
	fmt.Fprint(z, body)
	z.Close()
	for _, m := range regexp.MustCompile(`(?:href|src)="(/asset/[^"]+)"`).FindAllStringSubmatch(body, -1) {
		_, part := unit.get(m[1])
		fmt.Fprint(&wire, part) // as if it were not compressed
	}
	if wire.Len() > 10_000 {
		t.Errorf("the small page takes %d bytes on the line", wire.Len())
	}
	at := "/en/staff/referrals/" + list[0].ID
	if _, body = unit.post(page, url.Values{"open": {list[0].ID}}); strings.Contains(body, "Xylophena") || strings.Contains(body, "12.1 43.2") {
		t.Error("the place of a person is shown before acceptance")
	}
	if status, to := unit.post(at, url.Values{"back": {"patrol"}, "version": {"2"}, "tap": {"accept "}}); status != http.StatusSeeOther || to != page+"?done=accept" {
		t.Errorf("we go: %d %s", status, to)
	}
	if _, body = unit.post(page, url.Values{"open": {list[0].ID}}); !strings.Contains(body, plantedName) || !strings.Contains(body, "12.1 43.2") || strings.Contains(body, plantedPhone) {
		t.Errorf("name and place after acceptance, without the number that is not safe to call:\n%s", body)
	}
	if status, body = unit.post(at, url.Values{"back": {"patrol"}, "version": {"2"}, "tap": {"reject no_capacity"}}); status != http.StatusConflict || !strings.Contains(body, "<section") {
		t.Errorf("an answer that comes too late: %d", status)
	}
	if status, _ = unit.post(at, url.Values{"back": {"patrol"}, "version": {"3"}, "tap": {"no_show not_found"}}); status != http.StatusSeeOther {
		t.Errorf("not found: %d", status)
	}
	if r, err := s.h.db.Referral(t.Context(), list[0].ID); err != nil || r.State != dtm.ReferralNoShow || r.Reason != "not_found" {
		t.Errorf("%s %s, %v", r.State, r.Reason, err)
	}

	// Who waits where: thirty at Obock, one of them for another way; nobody is named.
	if status, body = focal.get("/en/staff/referrals/waiting"); status != http.StatusOK || !strings.Contains(body, "<strong>30</strong>") || strings.Contains(body, "Xylophena") || strings.Contains(body, list[1].Number) {
		t.Errorf("who waits where: %d %.2000s", status, body)
	}
	// The register finds by sound; the search is recorded without what was asked.
	before, err := s.h.db.Last(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if status, body = focal.post("/en/staff/referrals/find", url.Values{"name": {"hylofena quartzman"}}); status != http.StatusOK || strings.Count(body, "/en/staff/referrals/0")+strings.Count(body, `class="meta full"><a href=`) < 20 || !strings.Contains(body, "More than 20 people agree") {
		t.Errorf("the search: %d %.1500s", status, body)
	}
	events, err := s.h.db.Events(t.Context(), before, 10)
	if err != nil || len(events) != 1 || events[0].Name != dtm.PersonSearched || strings.Contains(strings.ToLower(events[0].Detail), "quar") {
		t.Errorf("recorded as %+v, %v", events, err)
	}
	if _, body = focal.post("/en/staff/referrals/find", url.Values{"name": {"Nobody Suchlike"}}); !strings.Contains(body, "Nobody in the register agrees") {
		t.Error("a search without a result does not say what to do")
	}
	if status, _ = unit.post("/en/staff/referrals/find", url.Values{"name": {plantedName}}); status != http.StatusForbidden {
		t.Errorf("a desk searches the register: %d", status)
	}
	s.searched()
}
