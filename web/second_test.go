package web_test

import (
	"context"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
	"github.com/pquerna/otp/totp"

	"dtm"
	"dtm/store/sqlite"
)

// events of a name, of whom.
func noted(t *testing.T, db *sqlite.DB, name string) (subjects []string) {
	t.Helper()
	list, err := db.Events(t.Context(), 0, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		if e.Name == name {
			subjects = append(subjects, e.Subject)
		}
	}
	return subjects
}

// landed is where a client is after following redirects.
func landed(t *testing.T, c *http.Client, to string) string {
	t.Helper()
	resp, err := c.Get(to)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.Request.URL.Path
}

// TestSecondFactor: a role that sees who people are opens nothing with a password alone;
// a code is good once, a code on paper too; one cannot remove the last; a new password
// does not get around it.
func TestSecondFactor(t *testing.T) {
	t.Parallel()
	s, db := office(t)
	in := func() *http.Client {
		jar, _ := cookiejar.New(nil)
		c := &http.Client{Jar: jar}
		if status, _ := send(t, c, s.URL+"/en/staff/signin", url.Values{"email": {"focal@example.org"}, "password": {password}}); status != http.StatusOK {
			t.Fatal(status)
		}
		return c
	}
	c := in()
	for _, page := range []string{"/en/staff/", "/en/staff/log", "/en/staff/submissions/"} {
		resp, err := c.Get(s.URL + page)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if at := resp.Request.URL.Path; at != "/en/staff/account/" && resp.StatusCode != http.StatusForbidden {
			t.Errorf("%s with a password alone leads to %s, %d", page, at, resp.StatusCode)
		}
	}
	u, _ := url.Parse(s.URL)
	before := c.Jar.Cookies(u)[0].Value
	secret, codes := addApp(t, c, s.URL)
	if c.Jar.Cookies(u)[0].Value == before {
		t.Error("the token is the same with the second factor as without")
	}
	if at := landed(t, c, s.URL+"/en/staff/"); at != "/en/staff/" {
		t.Errorf("with a second factor: %s", at)
	}
	if list, err := db.Factors(t.Context(), "focal@example.org"); err != nil || len(list) != 11 || strings.Contains(string(list[0].Secret), secret) {
		t.Errorf("factors %d, %v: the secret lies in clear", len(list), err)
	}

	// Another browser: password, then a code.
	c = in()
	if at := landed(t, c, s.URL+"/en/staff/"); at != "/en/staff/second" {
		t.Fatalf("not asked for the second factor: %s", at)
	}
	for _, page := range []string{"/en/staff/account/", "/en/staff/account/app"} {
		if at := landed(t, c, s.URL+page); at != "/en/staff/second" {
			t.Errorf("%s opens without the second factor: %s", page, at)
		}
	}
	give := func(c *http.Client, code string) int {
		status, _ := send(t, c, s.URL+"/en/staff/second", url.Values{"code": {code}, "password": {password}})
		return status
	}
	now, _ := totp.GenerateCode(secret, time.Now())
	old, _ := totp.GenerateCode(secret, time.Now().Add(-2*time.Minute))
	if give(c, old) != http.StatusUnauthorized {
		t.Error("a code of two minutes ago is taken")
	}
	if give(c, now) != http.StatusUnauthorized {
		t.Error("the code with which the app was added is taken again")
	}
	if give(c, codes[0]) != http.StatusOK || landed(t, c, s.URL+"/en/staff/") != "/en/staff/" {
		t.Error("a code on paper is not taken")
	}
	c = in()
	if give(c, codes[0]) != http.StatusUnauthorized {
		t.Error("a code on paper is taken twice")
	}
	if give(c, strings.ToLower(strings.ReplaceAll(codes[1], "-", " "))) != http.StatusOK {
		t.Error("a code on paper as one types it is not taken")
	}
	if n := len(noted(t, db, dtm.SecondRefused)); n != 3 {
		t.Errorf("%d refusals are in the log, want 3", n)
	}
	list, _ := db.Factors(t.Context(), "focal@example.org")
	for _, f := range list {
		if f.Kind == dtm.FactorTOTP {
			if status, body := send(t, c, s.URL+"/en/staff/account/factor", url.Values{"factor": {f.ID}}); status != http.StatusUnprocessableEntity || !strings.Contains(body, "add another one") {
				t.Errorf("the last second factor is removed: %d", status)
			}
		}
	}

	// A new password by an address does not replace the second factor, and ends sessions.
	if err := db.Invite(t.Context(), "the-token", dtm.Invitation{Kind: dtm.InviteReset, Email: "focal@example.org"}); err != nil {
		t.Fatal(err)
	}
	jar, _ := cookiejar.New(nil)
	d := &http.Client{Jar: jar}
	if _, body := send(t, d, s.URL+"/en/staff/invitation/the-token", url.Values{"password": {"another sentence of six words"}}); !strings.Contains(body, `name="code"`) {
		t.Error("a new password alone lets in")
	}
	if at := landed(t, d, s.URL+"/en/staff/"); at != "/en/staff/second" {
		t.Errorf("after a new password: %s", at)
	}
	if at := landed(t, c, s.URL+"/en/staff/"); at != "/en/staff/signin" {
		t.Errorf("a session of the old password goes on: %s", at)
	}

	// Guessing six digits has to wait.
	tries := 0
	for ; tries < 20; tries++ {
		if give(d, "123456") == http.StatusTooManyRequests {
			break
		}
	}
	if tries > 6 {
		t.Errorf("%d codes could be guessed at once", tries)
	}
}

// TestProve: what gives rights or cannot be undone asks again who is there, when that
// was proved more than ten minutes ago.
func TestProve(t *testing.T) {
	t.Parallel()
	s, db := office(t)
	c := visitor(t, s, dtm.RoleAdmin)
	invite := url.Values{"email": {"new@example.org"}, "role": {dtm.RoleManager}}
	if status, body := send(t, c, s.URL+"/en/staff/users/", invite); status != http.StatusOK || !strings.Contains(body, "/staff/invitation/") {
		t.Fatalf("%d %s", status, body)
	}
	// The session as it would be eleven minutes later.
	u, _ := url.Parse(s.URL)
	old, now := "a-token-of-an-old-session-0123456789", time.Now().UTC()
	if err := db.AddSession(t.Context(), old, dtm.Session{Kind: dtm.SessionKindPages, Email: "admin@example.org", Created: now.Add(-11 * time.Minute), Expires: now.Add(time.Hour), Proved: now.Add(-11 * time.Minute)}); err != nil {
		t.Fatal(err)
	}
	c.Jar.SetCookies(u, []*http.Cookie{{Name: "dtm", Value: old, Path: "/"}})
	for path, form := range map[string]url.Values{
		"users/": {"email": {"other@example.org"}, "role": {dtm.RoleAdmin}}, "users/manager@example.org": {"do": {"rights"}, "role": {dtm.RoleAdmin}},
		"account/app": {}, "account/passkey": {}, "account/passkey/ask": {}, "account/factor": {},
	} {
		if status, body := send(t, c, s.URL+"/en/staff/"+path, form); status != http.StatusOK || !strings.Contains(body, `name="password"`) || strings.Contains(body, "/staff/invitation/") {
			t.Errorf("%s is done without asking again: %d", path, status)
		}
	}
	if u, _, err := db.User(t.Context(), "manager@example.org"); err != nil || u.Role != dtm.RoleManager {
		t.Errorf("the role was changed: %+v %v", u, err)
	}
	if status, _ := send(t, c, s.URL+"/en/staff/second", url.Values{"password": {"wrong password it is"}}); status != http.StatusUnauthorized {
		t.Errorf("a wrong password proves it: %d", status)
	}
	if status, _ := send(t, c, s.URL+"/en/staff/second", url.Values{"password": {password}}); status != http.StatusOK {
		t.Errorf("the right password does not prove it: %d", status)
	}
	if status, body := send(t, c, s.URL+"/en/staff/users/", url.Values{"email": {"other@example.org"}, "role": {dtm.RoleAdmin}}); status != http.StatusOK || !strings.Contains(body, "/staff/invitation/") {
		t.Errorf("proved, and still refused: %d", status)
	}
}

// TestInvitation: an address opens an account once; used, over and never given are
// answered alike; weak and leaked passwords are not taken.
func TestInvitation(t *testing.T) {
	t.Parallel()
	s, db := office(t)
	admin := visitor(t, s, dtm.RoleAdmin)
	_, body := send(t, admin, s.URL+"/fr/staff/users/", url.Values{"email": {"desk1@onars.example"}, "role": {dtm.RoleDesk}, "partner": {"onars"}, "desk": {"health-obock"}})
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	way := doc.Find("code.long").Text()
	if !strings.HasPrefix(way, s.URL+"/fr/staff/invitation/") {
		t.Fatalf("no address: %q in %s", way, body)
	}
	if status, _ := send(t, admin, s.URL+"/fr/staff/users/", url.Values{"email": {"desk2@onars.example"}, "role": {dtm.RoleDesk}}); status != http.StatusUnprocessableEntity {
		t.Errorf("a desk of no partner: %d", status)
	}
	log, err := db.Events(t.Context(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range log {
		if strings.Contains(e.Detail+e.Subject, way[len(way)-20:]) {
			t.Error("the log holds the invitation's token")
		}
	}
	jar, _ := cookiejar.New(nil)
	c := &http.Client{Jar: jar}
	if _, body := send(t, c, way, nil); !strings.Contains(body, "desk1@onars.example") || !strings.Contains(body, "ONARS") {
		t.Errorf("the page does not say what one is invited to: %s", body)
	}
	for _, weak := range []string{"short", "password1234", "desk1desk1desk1"} {
		if status, _ := send(t, c, way, url.Values{"password": {weak}}); status != http.StatusUnprocessableEntity {
			t.Errorf("%q: %d", weak, status)
		}
	}
	if status, body := send(t, c, way, url.Values{"password": {"a sentence of seven good words"}}); status != http.StatusOK || !strings.Contains(body, "deuxième étape") {
		t.Errorf("the account is not opened: %d", status)
	}
	if u, _, err := db.User(t.Context(), "desk1@onars.example"); err != nil || u.Role != dtm.RoleDesk || u.Partner != "onars" || u.Desk != "health-obock" {
		t.Errorf("%+v, %v", u, err)
	}
	used, usedPage := send(t, c, way, nil)
	never, neverPage := send(t, c, s.URL+"/fr/staff/invitation/ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", nil)
	strip := func(s string) string { return s[strings.Index(s, "<main"):] }
	if used != http.StatusNotFound || never != used || strip(usedPage) != strip(neverPage) {
		t.Errorf("used %d and never given %d are told apart", used, never)
	}
}

// TestPasskey: in a browser with an authenticator, a passkey is added, asked for after
// the password, and enough without one.
func TestPasskey(t *testing.T) {
	s, db := office(t)
	base := strings.Replace(s.URL, "127.0.0.1", "localhost", 1) // passkeys know no numbers
	tab := browser(t)
	var id webauthn.AuthenticatorID
	plug := chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		if _, err := cdp.Call(ctx, t, webauthn.Enable, webauthn.EnableParams{}); err != nil {
			return err
		}
		r, err := cdp.Call(ctx, t, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
			Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal, HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true}})
		id = r.AuthenticatorID
		return err
	})
	signIn := chromedp.Steps(chromedp.Navigate(base+"/en/staff/signin"), chromedp.SetValue("input[name=email]", "desk@example.org"),
		chromedp.SetValue("input[name=password]", password), chromedp.Click("main button[type=submit]"))
	const create, get = "form[data-passkey=create] button", "form[data-passkey=get] button"
	if err := chromedp.Do(tab, plug, signIn, chromedp.WaitVisible(create), chromedp.SetValue("form[data-passkey=create] input[name=name]", "My telephone"), chromedp.Click(create), chromedp.WaitVisible(".paper")); err != nil {
		t.Fatal(err)
	}
	if text := ask[string](t, tab, `document.querySelector("main").innerText`); !strings.Contains(text, "My telephone") || !strings.Contains(text, "Added") {
		t.Fatalf("the passkey is not in the account:\n%s", text)
	}
	// After the password.
	if err := chromedp.Do(tab, chromedp.Click(".out button"), chromedp.WaitVisible("input[name=email]"), signIn, chromedp.WaitVisible(`form[action$="/second"] button`)); err != nil {
		t.Fatal(err)
	}
	if at := ask[string](t, tab, `location.pathname`); at != "/en/staff/second" {
		t.Errorf("after the password: %s", at)
	}
	if err := chromedp.Do(tab, chromedp.Click(get), chromedp.WaitVisible(".out")); err != nil {
		t.Fatal(err)
	}
	// Instead of it.
	if err := chromedp.Do(tab, chromedp.Click(".out button"), chromedp.WaitVisible(get), chromedp.Click(get), chromedp.WaitVisible(".out")); err != nil {
		t.Fatal(err)
	}
	if text := ask[string](t, tab, `document.querySelector(".out").innerText`); !strings.Contains(text, "desk@example.org") {
		t.Errorf("signed in as %s", text)
	}
	if n := len(noted(t, db, dtm.FactorUsed)); n != 2 {
		t.Errorf("%d uses are in the log, want 2", n)
	}
	// An answer is good once, and of no other site.
	for name, form := range map[string]url.Values{"no answer": {"answer": {"{}"}}, "an unknown ceremony": {"id": {"none"}, "answer": {`{"id":"x","type":"public-key"}`}}} {
		if status, _ := send(t, visitor(t, s, ""), base+"/en/staff/signin/passkey", form); status != http.StatusUnauthorized {
			t.Errorf("%s: %d", name, status)
		}
	}
	// Somebody who only touches it, without the code or finger that it asks for.
	unverified := chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, webauthn.SetUserVerified, webauthn.SetUserVerifiedParams{AuthenticatorID: id})
		return err
	})
	if err := chromedp.Do(tab, unverified, chromedp.Click(".out button"), chromedp.WaitVisible(get), chromedp.Click(get), chromedp.WaitVisible("form[data-passkey=get] [role=alert]")); err != nil {
		t.Fatal(err)
	}
}
