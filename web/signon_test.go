package web_test

import (
	"encoding/json"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"

	"dtm"
	"dtm/access/signon"
	"dtm/web"
)

// provider runs an OpenID provider (zitadel/oidc, certified by the OpenID Foundation)
// with some people, for the site at back.
func provider(t *testing.T, back string) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(nil)
	issuer := "http://" + s.Listener.Addr().String()
	people := map[string]any{}
	for id, p := range map[string]struct {
		email    string
		verified bool
	}{"1": {"manager@example.org", true}, "2": {"admin@example.org", false}, "3": {"nobody@example.org", true}, "4": {"focal@example.org", true}} {
		people[id] = map[string]any{"ID": id, "Username": "user" + id, "Password": "there", "Email": p.email, "EmailVerified": p.verified}
	}
	b, err := json.Marshal(people)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "people.json")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	users, err := storage.StoreFromFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s.Config.Handler = exampleop.SetupServer(issuer, storage.NewStorageWithClients(users, map[string]*storage.Client{"dtm": storage.WebClient("dtm", "secret", back)}), nil, false)
	s.Start()
	t.Cleanup(s.Close)
	return s
}

// TestSignOn: who signs in at a real provider is signed in here under the account of
// their checked address, from then on of their subject; nobody else is.
func TestSignOn(t *testing.T) {
	t.Parallel()
	var p *signon.Provider
	s, db := office(t, func(o *web.Staff) {
		p = &signon.Provider{Name: "The House", ID: "dtm", Secret: "secret", Back: o.Origin + web.SignOnBack, Key: testKey, Spent: o.Seconds.Spent, Now: o.Seconds.Now}
		p.Issuer = provider(t, p.Back).URL
		o.SignOn = p
	})
	if err := p.Check(); err != nil {
		t.Fatal(err)
	}
	in := func(user string) (*http.Client, string, string) {
		t.Helper()
		jar, _ := cookiejar.New(nil)
		c := &http.Client{Jar: jar}
		_, body := send(t, c, s.URL+"/en/staff/signin?to=/staff/account/", nil)
		doc, err := goquery.NewDocumentFromReader(strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		link := doc.Find("a.button")
		if !strings.Contains(link.Text(), "The House") {
			t.Fatalf("no way to sign in there: %s", body)
		}
		resp, err := c.Get(s.URL + link.AttrOr("href", ""))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if doc, err = goquery.NewDocumentFromReader(resp.Body); err != nil {
			t.Fatal(err)
		}
		id := doc.Find("input[name=id]").AttrOr("value", "")
		back, err := c.PostForm(resp.Request.URL.Scheme+"://"+resp.Request.URL.Host+"/login/username", url.Values{"username": {user}, "password": {"there"}, "id": {id}})
		if err != nil {
			t.Fatal(err)
		}
		defer back.Body.Close()
		if doc, err = goquery.NewDocumentFromReader(back.Body); err != nil {
			t.Fatal(err)
		}
		return c, back.Request.URL.Path, doc.Find("main").Text()
	}
	if _, at, text := in("user1"); at != "/en/staff/account/" || !strings.Contains(text, "manager@example.org") {
		t.Errorf("the manager is at %s: %s", at, text)
	}
	if email, err := db.IdentityOf(t.Context(), p.Issuer, "1"); err != nil || email != "manager@example.org" {
		t.Errorf("linked to %q, %v", email, err)
	}
	if _, err := db.IdentityOf(t.Context(), "https://elsewhere.example", "1"); dtm.KindOf(err) != dtm.NotFound {
		t.Errorf("the same subject of another issuer: %v", err)
	}
	if _, at, _ := in("user1"); at != "/en/staff/account/" {
		t.Errorf("the second time: %s", at)
	}
	for user, why := range map[string]string{"user2": "whose address nobody checked", "user3": "who has no account"} {
		if c, _, text := in(user); !strings.Contains(text, "no account here") || landed(t, c, s.URL+"/en/staff/") != "/en/staff/signin" {
			t.Errorf("somebody %s is let in: %s", why, text)
		}
	}
	// A role that needs a second factor needs it here too.
	if c, at, _ := in("user4"); at != "/en/staff/account/" || landed(t, c, s.URL+"/en/staff/") != "/en/staff/account/" {
		t.Errorf("the focal point is at %s", at)
	}
	if err := db.DisableUser(t.Context(), "manager@example.org"); err != nil {
		t.Fatal(err)
	}
	if c, _, _ := in("user1"); landed(t, c, s.URL+"/en/staff/") != "/en/staff/signin" {
		t.Error("a closed account is let in by the provider")
	}
	if n := len(noted(t, db, dtm.IdentityLinked)); n != 2 {
		t.Errorf("%d links, want 2", n)
	}
}
