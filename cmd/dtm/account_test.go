package main

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pquerna/otp/totp"

	"dtm"
	"dtm/access"
	"dtm/serve"
)

// overTLS serves the house as it is reached by https.
func (s *screened) overTLS() *httptest.Server {
	s.t.Helper()
	server := httptest.NewUnstartedServer(nil)
	s.h.config.BaseURL = "https://" + server.Listener.Addr().String()
	mux, err := s.h.routes()
	if err != nil {
		s.t.Fatal(err)
	}
	server.Config.Handler = mux
	server.StartTLS()
	s.t.Cleanup(server.Close)
	return server
}

// flagged holds every cookie that comes back against what browsers must be told of it.
type flagged struct {
	t    *testing.T
	next http.RoundTripper
	met  map[string]int
}

func (f *flagged) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := f.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	for _, c := range resp.Cookies() {
		f.met[c.Name]++
		if !strings.HasPrefix(c.Name, "__Host-") || !c.Secure || !c.HttpOnly || c.Path != "/" || c.Domain != "" || c.SameSite != http.SameSiteLaxMode && c.SameSite != http.SameSiteStrictMode {
			f.t.Errorf("%s %s sets %s", r.Method, r.URL.Path, c.Raw)
		}
	}
	return resp, nil
}

// TestAccountSafety: cookies say to browsers what they must; nobody is there before an
// account is made; a password is changed by who knows it, to any sentence, and never for
// its age; invitations end after a day; a change of password or second factor ends the
// other sessions, an administrator ends all, and what has ended is worth nothing any more,
// on the pages and in the API; so it is with a closed account and a phone taken back.
func TestAccountSafety(t *testing.T) {
	t.Parallel()
	s := newScreened(t)
	ctx, db := t.Context(), s.h.db
	server := s.overTLS()
	met := map[string]int{}
	browser := func() *visitor {
		j, err := cookiejar.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		v := &visitor{t: t, base: server.URL}
		v.Jar, v.Transport = j, &flagged{t, server.Client().Transport, met}
		v.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		return v
	}
	in := func(v *visitor, email, password string) int {
		status, _ := v.post("/en/staff/signin", url.Values{"email": {email}, "password": {password}})
		return status
	}
	inside := func(v *visitor) bool {
		status, _ := v.get("/en/staff/account/")
		return status == http.StatusOK
	}
	ask := func(method, path, bearer string) int {
		t.Helper()
		r, err := http.NewRequest(method, server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if user, password, ok := strings.Cut(bearer, " "); ok {
			r.SetBasicAuth(user, password)
		} else if bearer != "" {
			r.Header.Set("Authorization", "Bearer "+bearer)
		}
		v := browser()
		v.Jar = nil
		resp, err := v.Do(r)
		status, _ := v.read(resp, err)
		return status
	}

	// Nobody is there before an account was made by who owns the machine.
	if list, err := db.Users(ctx); err != nil || len(list) > 0 {
		t.Fatalf("accounts of a new folder: %+v, %v", list, err)
	}
	for _, of := range [][2]string{{"admin", "admin"}, {"admin@example.org", "password"}} {
		if v := browser(); in(v, of[0], of[1]) != http.StatusUnauthorized || inside(v) {
			t.Errorf("a new folder lets %q in", of)
		}
	}

	const first, second = "a sentence of five words", "korelumbatixosem" // one case, no digit, no sign
	hash, err := access.HashPassword(ctx, rand.Reader, first)
	if err != nil {
		t.Fatal(err)
	}
	for _, role := range []string{dtm.RoleManager, dtm.RoleAdmin} {
		if err := db.AddUser(ctx, dtm.User{Email: role + "@example.org", Role: role}, hash); err != nil {
			t.Fatal(err)
		}
	}
	const who = "manager@example.org"
	v := browser()
	if status := in(v, who, first); status != http.StatusSeeOther || met["__Host-dtm"] != 1 || !inside(v) {
		t.Fatalf("signing in: %d, cookies %v", status, met)
	}
	elsewhere := func() (pages *visitor, api string) {
		t.Helper()
		now := s.now.now().UTC()
		pages, api = browser(), rand.Text()+rand.Text()
		token := rand.Text() + rand.Text()
		for token, kind := range map[string]string{token: dtm.SessionKindPages, api: dtm.SessionKindAPI} {
			if err := db.AddSession(ctx, token, dtm.Session{Kind: kind, Email: who, Created: now, Expires: now.Add(30 * time.Minute), Second: now, Proved: now}); err != nil {
				t.Fatal(err)
			}
		}
		pages.Jar = jar{{Name: "__Host-dtm", Value: token}}
		if !inside(pages) || ask("GET", "/v1/users/current", api) != http.StatusOK {
			t.Fatal("a session that has just begun is not taken")
		}
		return pages, api
	}
	ended := func(what string, pages *visitor, api string) {
		t.Helper()
		if inside(pages) {
			t.Errorf("%s leaves a session of the pages", what)
		}
		if status := ask("GET", "/v1/users/current", api); status != http.StatusUnauthorized {
			t.Errorf("%s leaves a session of the API: %d", what, status)
		}
	}

	// A password: the one of now is asked for, nothing but length and guessability is.
	pages, api := elsewhere()
	for _, form := range []url.Values{{"new": {second}}, {"password": {"another sentence of words"}, "new": {second}}, {"password": {first}, "new": {"short"}}} {
		if status, body := v.post("/en/staff/account/password", form); status != http.StatusUnprocessableEntity || !strings.Contains(body, `role="alert"`) {
			t.Errorf("%v: %d", form, status)
		}
	}
	if _, now, err := db.User(ctx, who); err != nil || now != hash || !inside(pages) {
		t.Errorf("a refused change changed something: %v", err)
	}
	if status, body := v.post("/en/staff/account/password", url.Values{"password": {first}, "new": {second}}); status != http.StatusOK || strings.Contains(body, `role="alert"`) || !inside(v) {
		t.Errorf("%q is refused: %d", second, status)
	}
	ended("a new password", pages, api)

	// A second factor.
	pages, api = elsewhere()
	if status, _ := v.post("/en/staff/second", url.Values{"password": {second}}); status != http.StatusSeeOther {
		t.Fatalf("proving with the new password: %d", status)
	}
	_, body := v.get("/en/staff/account/app")
	secret, pending := regexp.MustCompile(`<code class="long">([^<]+)`).FindStringSubmatch(body), regexp.MustCompile(`name="pending" value="([^"]+)`).FindStringSubmatch(body)
	if secret == nil || pending == nil {
		t.Fatalf("no secret in the page: %s", body)
	}
	code, err := totp.GenerateCode(secret[1], s.now.now())
	if err != nil {
		t.Fatal(err)
	}
	if status, _ := v.post("/en/staff/account/app", url.Values{"pending": {pending[1]}, "code": {code}, "name": {"app"}}); status != http.StatusOK || !inside(v) {
		t.Fatalf("the app is not added: %d", status)
	}
	ended("a new second factor", pages, api)
	pages, api = elsewhere()
	if status, _ := v.post("/en/staff/account/factor", url.Values{}); status != http.StatusOK { // new codes on paper
		t.Fatal(status)
	}
	ended("new codes on paper", pages, api)

	// Signing out here and in the API: what was a token is none.
	out := browser()
	out.Jar = jar(v.Jar.Cookies(&url.URL{Scheme: "https", Host: strings.TrimPrefix(server.URL, "https://"), Path: "/"}))
	if !inside(out) {
		t.Fatal("a copied token is none: this proves nothing")
	}
	pages, api = elsewhere()
	if status, _ := v.post("/en/staff/signout", url.Values{}); status != http.StatusSeeOther || inside(out) || !inside(pages) {
		t.Errorf("signed out (%d), and the token is still good, or others' is not", status)
	}
	if ask("DELETE", "/v1/sessions/current", api) != http.StatusOK || ask("GET", "/v1/users/current", api) != http.StatusUnauthorized || met["__Host-session"] == 0 {
		t.Errorf("signed out of the API: %v", met)
	}

	// An administrator ends all sessions of somebody, and closes an account.
	boss := browser()
	if status := in(boss, "admin@example.org", first); status != http.StatusSeeOther {
		t.Fatal(status)
	}
	pages, api = elsewhere()
	for do, want := range map[string]int{"": http.StatusBadRequest, "sessions": http.StatusOK} {
		if status, _ := boss.post("/en/staff/users/"+who, url.Values{"do": {do}}); status != want {
			t.Errorf("%q: %d", do, status)
		}
	}
	ended("an administrator", pages, api)
	if err := db.RemoveFactor(ctx, who, "", ""); err != nil {
		t.Fatal(err)
	}
	s.now.to(s.now.now().Add(time.Second))
	pages, api = elsewhere()
	if status := ask("GET", "/v1/users/current", who+" "+second); status != http.StatusOK {
		t.Fatalf("with the password itself: %d", status)
	}
	if status, _ := boss.post("/en/staff/users/"+who, url.Values{"do": {"close"}}); status != http.StatusOK {
		t.Fatal(status)
	}
	ended("closing the account", pages, api)
	if status := ask("GET", "/v1/users/current", who+" "+second); status != http.StatusUnauthorized {
		t.Errorf("a closed account with its password: %d", status)
	}
	device, token, err := db.AddDevice(ctx, "lost", "obock")
	if err != nil {
		t.Fatal(err)
	}
	list := "/v1/key/" + token + "/projects/1/formList"
	if status := ask("GET", list, ""); status != http.StatusOK {
		t.Fatal(status)
	}
	if status, _ := boss.post("/en/staff/devices/"+device.ID+"/revoke", url.Values{"reason": {"lost"}}); status != http.StatusSeeOther && status != http.StatusOK {
		t.Fatal(status)
	}
	if get, send := ask("GET", list, ""), ask("POST", "/v1/key/"+token+"/projects/1/submission", ""); get != http.StatusForbidden || send != http.StatusForbidden {
		t.Errorf("a phone that was taken back: %d, %d", get, send)
	}

	// An invitation is good for a day, to the second.
	for _, c := range []struct {
		after time.Duration
		want  int
	}{{dtm.InviteFor - time.Second, http.StatusOK}, {dtm.InviteFor, http.StatusNotFound}} {
		token := fmt.Sprint("invitation-", c.want)
		if err := db.Invite(ctx, token, dtm.Invitation{Kind: dtm.InviteNew, Email: "new@example.org", Role: dtm.RoleManager}); err != nil {
			t.Fatal(err)
		}
		s.now.to(s.now.now().Add(c.after))
		stranger := browser()
		get, _ := stranger.get("/en/staff/invitation/" + token)
		want := c.want
		if want == http.StatusOK {
			want = http.StatusUnprocessableEntity // a password that is too short uses nothing up
		}
		if post, _ := stranger.post("/en/staff/invitation/"+token, url.Values{"password": {"short"}}); get != c.want || post != want {
			t.Errorf("after %v: %d, %d", c.after, get, post)
		}
	}

	// A password is never too old.
	s.now.to(s.now.now().AddDate(5, 0, 0))
	aged := browser()
	if status := in(aged, "admin@example.org", first); status != http.StatusSeeOther {
		t.Fatal(status)
	}
	if status, body := aged.get("/en/staff/"); status != http.StatusOK || strings.Contains(body, `type="password"`) {
		t.Errorf("after five years: %d", status)
	}
	if met["__Host-dtm"] < 6 {
		t.Errorf("only %v cookies were looked at", met)
	}
}

// TestAsksAgain: who proved eleven minutes ago who they are is asked again before all that
// gives rights, takes a person's data out or opens what one may not see, and before nothing
// else: found by asking for every address behind sign-in.
func TestAsksAgain(t *testing.T) {
	t.Parallel()
	s := newScreened(t)
	ctx, now := t.Context(), s.now.now().UTC()
	pages, err := s.h.pages()
	if err != nil {
		t.Fatal(err)
	}
	inner, ok := pages.(*http.ServeMux)
	if !ok {
		t.Fatalf("the pages are a %T", pages)
	}
	mux := s.h.mux(serve.NewMetrics(), guarded(pages))
	var tokens []string
	for _, role := range []string{dtm.RoleAdmin, dtm.RoleManager, dtm.RoleFocal, dtm.RoleDesk, dtm.RoleAuditor} {
		v := s.visit("", dtm.User{Email: role + "@example.org", Role: role, Partner: "iom", Desk: "mrc-obock-health"})
		old := v.Jar.(jar)[0].Value
		if err := s.h.db.EndSession(ctx, old); err != nil {
			t.Fatal(err)
		}
		token := rand.Text() + rand.Text()
		tokens = append(tokens, token)
		if err := s.h.db.AddSession(ctx, token, dtm.Session{Kind: dtm.SessionKindPages, Email: v.email, Created: now.Add(-11 * time.Minute), Expires: now.Add(20 * time.Minute), Second: now.Add(-11 * time.Minute), Proved: now.Add(-11 * time.Minute)}); err != nil {
			t.Fatal(err)
		}
	}
	asked, tried := []string{}, 0
	for _, p := range patterns(inner) {
		method, path, _ := strings.Cut(p, " ")
		if !strings.HasPrefix(path, "/en/staff/") || strings.HasSuffix(path, "/signout") {
			continue
		}
		again := false
		for _, token := range tokens {
			r := httptest.NewRequest(method, strings.ReplaceAll(regexp.MustCompile(`\{\w+(\.\.\.)?\}`).ReplaceAllString(path, "none"), "{$}", ""), nil)
			r.AddCookie(&http.Cookie{Name: "dtm", Value: token})
			w := httptest.NewRecorder()
			mux.ServeHTTP(w, r)
			tried++
			again = w.Code == http.StatusSeeOther && strings.Contains(w.Header().Get("Location"), "/staff/second?to=")
			if w.Code != http.StatusForbidden {
				break // this role may: it has met all that is asked
			}
		}
		if again {
			asked = append(asked, method+" "+strings.TrimPrefix(path, "/en/staff"))
		}
	}
	slices.Sort(asked)
	want := []string{
		"GET /account/app", "GET /glass/{$}", "GET /referrals/{id}/rights",
		"POST /account/app", "POST /account/factor", "POST /account/passkey", "POST /account/passkey/ask",
		"POST /agreements/{$}", "POST /glass/{$}", "POST /referrals/{id}/rights", "POST /retention/{$}",
		"POST /users/{$}", "POST /users/{email}",
	}
	if d := cmp.Diff(want, asked); d != "" || tried < 150 {
		t.Errorf("of %d requests (- should, + do):\n%s", tried, d)
	}
}
