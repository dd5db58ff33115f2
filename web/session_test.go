package web_test

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"dtm"
	"dtm/operation"
	"dtm/store/blob"
)

// TestSessions: a session outlives a restart, its owner sees all of theirs and ends
// them, one or all others, and a token of before signing in is worth nothing.
func TestSessions(t *testing.T) {
	t.Parallel()
	s, db := office(t)
	here, there, third := visitor(t, s, dtm.RoleManager), visitor(t, s, dtm.RoleManager), visitor(t, s, dtm.RoleManager)
	in := func(c *http.Client, base string) bool {
		t.Helper()
		status, body := send(t, c, base+"/en/staff/", nil)
		return status == http.StatusOK && !strings.Contains(body, `type="password"`)
	}
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	before := here.Jar.Cookies(u)
	if status, _ := send(t, here, s.URL+"/en/staff/signin", url.Values{"email": {"manager@example.org"}, "password": {password}}); status != http.StatusOK {
		t.Fatal(status)
	}
	if after := here.Jar.Cookies(u); len(before) != 1 || len(after) != 1 || after[0].Value == before[0].Value {
		t.Errorf("the token of before signing in goes on: %v, %v", before, after)
	}
	old, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	old.SetCookies(u, before)
	if in(&http.Client{Jar: old}, s.URL) {
		t.Error("the session that signing in replaced is still open")
	}

	op, err := operation.Pack("djibouti")
	if err != nil {
		t.Fatal(err)
	}
	blobs, err := blob.NewDisk(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	again := serving(t, op, db, blobs) // another program over the same store
	v, err := url.Parse(again.URL)
	if err != nil {
		t.Fatal(err)
	}
	here.Jar.SetCookies(v, here.Jar.Cookies(u))
	if !in(here, again.URL) {
		t.Error("a restart signs everybody out")
	}

	list, err := db.SessionsOf(t.Context(), "manager@example.org")
	if err != nil || len(list) != 3 || slices.ContainsFunc(list, func(s dtm.Session) bool { return strings.Contains(before[0].Value, s.ID) }) {
		t.Fatalf("sessions %+v, %v", list, err)
	}
	_, body := send(t, here, s.URL+"/en/staff/account/", nil)
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if n := doc.Find(".sessions li").Length(); n != 3 || doc.Find(".sessions .state").Length() != 1 {
		t.Errorf("%d sessions are listed", n)
	}
	one := doc.Find("input[name=session]").First().AttrOr("value", "")
	if status, _ := send(t, visitor(t, s, dtm.RoleAdmin), s.URL+"/en/staff/account/", url.Values{"session": {one}}); status != http.StatusOK || !in(there, s.URL) || !in(third, s.URL) {
		t.Error("somebody ended another's session")
	}
	send(t, here, s.URL+"/en/staff/account/", url.Values{"session": {one}})
	if !in(here, s.URL) || in(there, s.URL) == in(third, s.URL) {
		t.Error("not the one session was ended that should be")
	}
	send(t, here, s.URL+"/en/staff/account/", url.Values{})
	if !in(here, s.URL) || in(there, s.URL) || in(third, s.URL) {
		t.Error("signing out everywhere else left one open, or ended this one")
	}
	if _, body := send(t, here, s.URL+"/en/staff/signout", url.Values{}); !strings.Contains(body, `type="password"`) || in(here, s.URL) {
		t.Error("signed out, and still in")
	}
}

// TestSignInLimit: who guesses has to wait, is told how long in their language, and
// the right password does not help meanwhile.
func TestSignInLimit(t *testing.T) {
	t.Parallel()
	s, _ := office(t)
	c := visitor(t, s, "")
	try := func(password string) (*http.Response, string) {
		t.Helper()
		resp, err := c.PostForm(s.URL+"/fr/staff/signin", url.Values{"email": {"admin@example.org"}, "password": {password}})
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		doc, err := goquery.NewDocumentFromReader(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp, doc.Find("[role=alert]").Text()
	}
	for n := range 5 {
		if resp, _ := try("wrong password"); resp.StatusCode != http.StatusUnauthorized {
			t.Fatalf("try %d: %s", n, resp.Status)
		}
	}
	resp, text := try(password)
	if n, err := strconv.Atoi(resp.Header.Get("Retry-After")); resp.StatusCode != http.StatusTooManyRequests || err != nil || n < 1 || n > 2 || !strings.Contains(text, "Réessayez dans") {
		t.Errorf("%s, %q: %s", resp.Status, resp.Header.Get("Retry-After"), text)
	}
	if status, _ := send(t, visitor(t, s, ""), s.URL+"/en/staff/signin", url.Values{"email": {"manager@example.org"}, "password": {password}}); status != http.StatusOK {
		t.Errorf("somebody else cannot sign in: %d", status)
	}
}
