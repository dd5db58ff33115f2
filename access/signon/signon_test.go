package signon

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"dtm"
	"dtm/seal"
	"dtm/store/sqlite"
)

// liar is a provider that answers with whatever token it is told to. A provider that
// keeps the rules is in the tests of the pages.
type liar struct {
	*httptest.Server
	key   *rsa.PrivateKey
	token func() string
	asked url.Values // of the latest exchange
}

func newLiar(t *testing.T) *liar {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	l := &liar{key: key}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, r *http.Request) {
		json.NewEncoder(w).Encode(map[string]any{"issuer": l.URL, "authorization_endpoint": l.URL + "/auth", "token_endpoint": l.URL + "/token", "jwks_uri": l.URL + "/keys",
			"id_token_signing_alg_values_supported": []string{"RS256", "none"}})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, r *http.Request) {
		json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k", Algorithm: "RS256", Use: "sig"}}})
	})
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		r.ParseForm()
		l.asked = r.Form
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(map[string]any{"access_token": "a", "token_type": "Bearer", "id_token": l.token()})
	})
	l.Server = httptest.NewServer(mux)
	t.Cleanup(l.Close)
	return l
}

func (l *liar) sign(t *testing.T, key any, alg jose.SignatureAlgorithm, claims map[string]any) string {
	t.Helper()
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, (&jose.SignerOptions{}).WithHeader("kid", "k"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	o, err := s.Sign(b)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := o.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// TestEnd: whatever is not exactly the token of this sign-in is refused.
func TestEnd(t *testing.T) {
	t.Parallel()
	l := newLiar(t)
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	text, err := seal.NewFile(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	k, err := seal.ReadFile(text)
	if err != nil {
		t.Fatal(err)
	}
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "dtm.db"), sqlite.Options{Operation: "test"})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	server := func() *Provider {
		return &Provider{Name: "House", Issuer: l.URL, ID: "dtm", Secret: "s", Back: "https://dtm.example.org/staff/signon", Key: k, Spent: db, Now: func() time.Time { return now }}
	}
	p, second := server(), server() // a browser may come back to another server than sent it away
	none := func(claims map[string]any) string {
		b, _ := json.Marshal(claims)
		e := base64.RawURLEncoding
		return e.EncodeToString([]byte(`{"alg":"none"}`)) + "." + e.EncodeToString(b) + "."
	}
	good := func(nonce string) map[string]any {
		return map[string]any{"iss": l.URL, "sub": "1", "aud": "dtm", "nonce": nonce, "exp": now.Add(time.Hour).Unix(), "iat": now.Unix(), "email": "a@example.org", "email_verified": true}
	}
	with := func(c map[string]any, k string, v any) map[string]any { c[k] = v; return c }
	for _, c := range []struct {
		name  string
		ok    bool
		token func(nonce string) string
		query func(q url.Values)
		from  string // another browser
		later time.Duration
	}{
		{name: "good", ok: true},
		{name: "second factor there", ok: true, token: func(n string) string {
			return l.sign(t, l.key, jose.RS256, with(good(n), "amr", []string{"pwd", "otp"}))
		}},
		{name: "unsigned", token: func(n string) string { return none(good(n)) }},
		{name: "signature cut off", token: func(n string) string {
			s := l.sign(t, l.key, jose.RS256, good(n))
			return s[:strings.LastIndex(s, ".")+1]
		}},
		{name: "another key", token: func(n string) string { return l.sign(t, other, jose.RS256, good(n)) }},
		{name: "the public key as a secret", token: func(n string) string {
			return l.sign(t, l.key.N.Bytes(), jose.HS256, good(n))
		}},
		{name: "another issuer", token: func(n string) string {
			return l.sign(t, l.key, jose.RS256, with(good(n), "iss", "https://evil.example"))
		}},
		{name: "another site", token: func(n string) string { return l.sign(t, l.key, jose.RS256, with(good(n), "aud", "shop")) }},
		{name: "another nonce", token: func(string) string { return l.sign(t, l.key, jose.RS256, good("x")) }},
		{name: "no nonce", token: func(n string) string { return l.sign(t, l.key, jose.RS256, with(good(n), "nonce", "")) }},
		{name: "over", token: func(n string) string {
			return l.sign(t, l.key, jose.RS256, with(good(n), "exp", now.Add(-time.Hour).Unix()))
		}},
		{name: "nobody", token: func(n string) string { return l.sign(t, l.key, jose.RS256, with(good(n), "sub", "")) }},
		{name: "no token", token: func(string) string { return "" }},
		{name: "another state", query: func(q url.Values) { q.Set("state", "x") }},
		{name: "no code", query: func(q url.Values) { q.Del("code") }},
		{name: "answer of another issuer", query: func(q url.Values) { q.Set("iss", "https://evil.example") }},
		{name: "another browser", from: "x"},
		{name: "too late", later: 11 * time.Minute},
	} {
		now = time.Now()
		at, browser, err := p.Begin(t.Context(), "/en/staff/")
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(at)
		if err != nil {
			t.Fatal(err)
		}
		q := u.Query()
		if q.Get("code_challenge_method") != "S256" || q.Get("code_challenge") == "" || len(q.Get("nonce")) < 20 || len(q.Get("state")) < 20 || q.Get("redirect_uri") != p.Back {
			t.Fatalf("asked with %v", q)
		}
		nonce := q.Get("nonce")
		l.token = func() string {
			if c.token != nil {
				return c.token(nonce)
			}
			return l.sign(t, l.key, jose.RS256, good(nonce))
		}
		back := url.Values{"state": {q.Get("state")}, "code": {"c"}}
		if c.query != nil {
			c.query(back)
		}
		if c.from != "" {
			browser = c.from
		}
		now = now.Add(c.later)
		id, to, err := second.End(t.Context(), back, browser)
		if c.ok != (err == nil) || !c.ok && dtm.KindOf(err) != dtm.Unauthenticated {
			t.Errorf("%s: %+v, %v", c.name, id, err)
			continue
		}
		if !c.ok {
			continue
		}
		if id.Issuer != l.URL || id.Subject != "1" || id.Email != "a@example.org" || !id.Verified || to != "/en/staff/" || id.Second != (c.name != "good") {
			t.Errorf("%s: %+v, %s", c.name, id, to)
		}
		if l.asked.Get("code_verifier") == "" {
			t.Error("the code was exchanged without its verifier")
		}
		if _, _, err := p.End(t.Context(), back, browser); dtm.KindOf(err) != dtm.Unauthenticated || err == nil {
			t.Errorf("%s: the same answer is taken twice: %v", c.name, err)
		}
	}
}

// TestBegin: a provider that is away, or that sends elsewhere, is not followed.
func TestBegin(t *testing.T) {
	t.Parallel()
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the redirect was followed") }))
	defer inside.Close()
	away := httptest.NewServer(http.RedirectHandler(inside.URL, http.StatusFound))
	defer away.Close()
	for _, issuer := range []string{away.URL, "http://127.0.0.1:1"} {
		p := &Provider{Name: "House", Issuer: issuer, ID: "dtm", Now: time.Now}
		if _, _, err := p.Begin(t.Context(), "/"); err == nil || dtm.KindOf(err) != dtm.Unavailable {
			t.Errorf("%s: %v", issuer, err)
		}
	}
	for issuer, ok := range map[string]bool{"https://id.example.org": true, "http://id.example.org": false, "http://127.0.0.1:9": true, "": false, "file:///etc/passwd": false} {
		if err := (&Provider{Issuer: issuer, ID: "dtm"}).Check(); (err == nil) != ok {
			t.Errorf("%q: %v", issuer, err)
		}
	}
}
