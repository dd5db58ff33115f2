// Package signon has another house vouch for a user, by OpenID Connect: in goes what
// its provider is called and where, out goes an address for the browser and, when it
// comes back, who it is. Authorization code with PKCE, state and nonce; the token's
// signature, issuer, audience, times and nonce are checked.
package signon

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"dtm"
	"dtm/seal"
)

// Provider is the other house. ID, Secret and Back are as they were registered there.
type Provider struct {
	Name   string // on the button
	Issuer string // https://...
	ID     string
	Secret string
	Back   string // the address that the browser comes back to
	Key    seal.Key
	Spent  dtm.Spent
	Now    func() time.Time

	mu    sync.Mutex
	known *oidc.Provider
}

// begun is what a browser was sent away with. It goes along sealed, as the state, and
// comes back to whichever server.
type begun struct {
	Nonce, Verifier, To, Browser string
	Until                        time.Time
}

const (
	takes   = 10 * time.Minute // to sign in there
	waitFor = 10 * time.Second
)

// Identity is who the provider says it is. Users are known by Issuer and Subject:
// addresses change hands.
type Identity struct {
	Issuer, Subject, Email string
	Verified               bool // the provider has checked the address
	Second                 bool // they were asked for more than a password there
}

// client follows no redirects: what answers is the provider or nobody.
var client = &http.Client{Timeout: waitFor, CheckRedirect: func(*http.Request, []*http.Request) error {
	return errors.New("the provider answers with a redirect")
}}

func failed(err error) error {
	return &dtm.Error{Kind: dtm.Unauthenticated, Code: "signon.failed", Err: err, Msg: "signing in there did not work; try again, or use your password"}
}

// Check refuses settings that would not be safe: a provider in clear text elsewhere.
func (p *Provider) Check() error {
	u, err := url.Parse(p.Issuer)
	if err != nil || u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || u.Hostname() != "127.0.0.1" && u.Hostname() != "localhost") {
		return dtm.Errorf(dtm.Invalid, "oidc_issuer = %q: want an address that begins with https://", p.Issuer)
	}
	if p.ID == "" {
		return dtm.Errorf(dtm.Invalid, "oidc_client_id is missing: the provider gives it when this site is registered there")
	}
	return nil
}

// discover asks the provider what it is, once; when it cannot be reached, again next
// time.
func (p *Provider) discover(ctx context.Context) (*oidc.Provider, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known != nil {
		return p.known, nil
	}
	// The provider keeps the context for its keys.
	known, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), client), p.Issuer)
	if err != nil {
		return nil, &dtm.Error{Kind: dtm.Unavailable, Code: "signon.away", Args: []any{p.Name}, Err: err, Msg: p.Name + " does not answer; use your password, or try again later"}
	}
	p.known = known
	return known, nil
}

func (p *Provider) config(known *oidc.Provider) *oauth2.Config {
	return &oauth2.Config{ClientID: p.ID, ClientSecret: p.Secret, Endpoint: known.Endpoint(), RedirectURL: p.Back, Scopes: []string{oidc.ScopeOpenID, "email"}}
}

// Begin returns the address to send the browser to, and what it must bring back in a
// cookie: another browser cannot end what this one began. to is where it goes then.
func (p *Provider) Begin(ctx context.Context, to string) (address, browser string, err error) {
	known, err := p.discover(ctx)
	if err != nil {
		return "", "", err
	}
	b := begun{Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(), To: to, Browser: rand.Text(), Until: p.Now().Add(takes)}
	plain, err := json.Marshal(b)
	if err != nil {
		return "", "", err
	}
	sealed, err := p.Key.Seal("signon", plain)
	if err != nil {
		return "", "", err
	}
	state := base64.RawURLEncoding.EncodeToString(sealed)
	return p.config(known).AuthCodeURL(state, oidc.Nonce(b.Nonce), oauth2.S256ChallengeOption(b.Verifier)), b.Browser, nil
}

// began reads the state that a browser has brought back.
func (p *Provider) began(state string) (b begun, ok bool) {
	sealed, err := base64.RawURLEncoding.DecodeString(state)
	if err != nil {
		return b, false
	}
	plain, err := p.Key.Open("signon", sealed)
	if err != nil || json.Unmarshal(plain, &b) != nil {
		return b, false
	}
	left := b.Until.Sub(p.Now())
	return b, left > 0 && left <= takes+dtm.ClockSkew
}

// End takes what the browser came back with and returns who it is, and where to go.
// Unauthenticated when anything is not as it was begun.
func (p *Provider) End(ctx context.Context, query url.Values, browser string) (Identity, string, error) {
	b, ok := p.began(query.Get("state"))
	if !ok || subtle.ConstantTimeCompare([]byte(b.Browser), []byte(browser)) != 1 || query.Get("code") == "" {
		return Identity{}, "", failed(errors.New(query.Get("error")))
	}
	if iss := query.Get("iss"); iss != "" && iss != p.Issuer { // RFC 9207
		return Identity{}, "", failed(errors.New("another issuer"))
	}
	known, err := p.discover(ctx)
	if err != nil {
		return Identity{}, "", err
	}
	ctx = oidc.ClientContext(ctx, client)
	token, err := p.config(known).Exchange(ctx, query.Get("code"), oauth2.VerifierOption(b.Verifier))
	if err != nil {
		return Identity{}, "", failed(err)
	}
	if err := p.Spent.Spend(ctx, "signon|"+b.Nonce, b.Until); err != nil {
		if dtm.KindOf(err) == dtm.Conflict {
			err = failed(err)
		}
		return Identity{}, "", err
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := p.identity(ctx, known, raw, b.Nonce)
	if err == nil && id.Email == "" {
		id.Email, id.Verified = p.asked(ctx, known, token, id.Subject)
	}
	return id, b.To, err
}

// asked is the address that the provider gives on asking, when the token does not name
// it; nothing when it speaks of another user.
func (p *Provider) asked(ctx context.Context, known *oidc.Provider, token *oauth2.Token, subject string) (string, bool) {
	info, err := known.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil || info.Subject != subject {
		return "", false
	}
	return info.Email, info.EmailVerified
}

// identity checks the token.
func (p *Provider) identity(ctx context.Context, known *oidc.Provider, raw, nonce string) (Identity, error) {
	t, err := known.Verifier(&oidc.Config{ClientID: p.ID, Now: p.Now}).Verify(ctx, raw)
	if err != nil {
		return Identity{}, failed(err)
	}
	if subtle.ConstantTimeCompare([]byte(t.Nonce), []byte(nonce)) != 1 || nonce == "" || t.Subject == "" {
		return Identity{}, failed(errors.New("another nonce"))
	}
	var claims struct {
		Email    string   `json:"email"`
		Verified bool     `json:"email_verified"`
		Ways     []string `json:"amr"` // RFC 8176
	}
	if err := t.Claims(&claims); err != nil {
		return Identity{}, failed(err)
	}
	second := slices.ContainsFunc(claims.Ways, func(w string) bool { return slices.Contains([]string{"mfa", "otp", "hwk", "swk", "fpt", "face"}, w) })
	return Identity{Issuer: t.Issuer, Subject: t.Subject, Email: claims.Email, Verified: claims.Verified, Second: second}, nil
}
