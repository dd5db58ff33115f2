package access

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"dtm"
)

// passkeys are the library, by the address that pages are open at.
type passkeys struct {
	mu   sync.Mutex
	site map[string]*webauthn.WebAuthn
}

// ceremony is what the browser was asked. It goes there sealed and comes back with the
// answer, to whichever server.
type ceremony struct {
	Data  webauthn.SessionData
	Email string // "" when the passkey itself says whose it is
	Until time.Time
}

const ceremonyFor = 5 * time.Minute

// keeper is a user as the library knows them.
type keeper struct {
	email string
	list  []webauthn.Credential
	ids   []string // of the factors, in order of list
}

// handle names a user to their passkeys: no address, and the same each time.
func (s *Seconds) handle(email string) []byte { return s.Key.Mark("passkey|" + email) }

type keeperOf struct {
	keeper
	id []byte
}

func (k keeperOf) WebAuthnID() []byte                         { return k.id }
func (k keeperOf) WebAuthnName() string                       { return k.email }
func (k keeperOf) WebAuthnDisplayName() string                { return k.email }
func (k keeperOf) WebAuthnCredentials() []webauthn.Credential { return k.list }

func (s *Seconds) keeper(ctx context.Context, email string) (keeperOf, error) {
	list, err := s.Factors.Factors(ctx, email)
	if err != nil {
		return keeperOf{}, err
	}
	k := keeperOf{keeper: keeper{email: email}}
	if k.id = s.handle(email); k.id == nil {
		return k, dtm.Errorf(dtm.Unavailable, "the key file is missing; put it back and start the server again").Coded("seal.no_key")
	}
	for _, f := range list {
		if f.Kind != dtm.FactorPasskey {
			continue
		}
		var c webauthn.Credential
		if err := json.Unmarshal(f.Secret, &c); err != nil {
			return k, &dtm.Error{Kind: dtm.Internal, Op: "access.Passkeys", Err: err}
		}
		k.list, k.ids = append(k.list, c), append(k.ids, f.ID)
	}
	return k, nil
}

// Passkeys tells whether browsers keep passkeys for an address: one with a name.
func Passkeys(origin string) bool {
	u, err := url.Parse(origin)
	return err == nil && u.Hostname() != "" && net.ParseIP(u.Hostname()) == nil
}

// at is the library for the address that the pages are open at, "https://dtm.example.org".
func (s *Seconds) at(origin string) (*webauthn.WebAuthn, error) {
	u, err := url.Parse(origin)
	if err != nil || u.Hostname() == "" {
		return nil, dtm.Errorf(dtm.Invalid, "%q is no address of pages", origin)
	}
	if !Passkeys(origin) {
		return nil, dtm.Errorf(dtm.Invalid, "passkeys need a name in the address, not a number").Coded("passkey.address")
	}
	s.passkeys.mu.Lock()
	defer s.passkeys.mu.Unlock()
	if w := s.passkeys.site[origin]; w != nil {
		return w, nil
	}
	w, err := webauthn.New(&webauthn.Config{RPID: u.Hostname(), RPDisplayName: s.Issuer, RPOrigins: []string{origin},
		AuthenticatorSelection: protocol.AuthenticatorSelection{ResidentKey: protocol.ResidentKeyRequirementPreferred, UserVerification: protocol.VerificationRequired}})
	if err != nil {
		return nil, &dtm.Error{Kind: dtm.Internal, Op: "access.Passkeys", Err: err}
	}
	if s.passkeys.site == nil || len(s.passkeys.site) > 10 {
		s.passkeys.site = map[string]*webauthn.WebAuthn{}
	}
	s.passkeys.site[origin] = w
	return w, nil
}

func (s *Seconds) begin(c ceremony, options any) (Ask, error) {
	c.Until = s.Now().Add(ceremonyFor)
	b, err := json.Marshal(c)
	if err != nil {
		return Ask{}, &dtm.Error{Kind: dtm.Internal, Op: "access.Passkeys", Err: err}
	}
	sealed, err := s.Key.Seal("passkey", b)
	return Ask{base64.RawURLEncoding.EncodeToString(sealed), options}, err
}

// take reads the ceremony that an answer belongs to.
func (s *Seconds) take(id string) (c ceremony, ok bool) {
	sealed, err := base64.RawURLEncoding.DecodeString(id)
	if err != nil {
		return c, false
	}
	b, err := s.Key.Open("passkey", sealed)
	if err != nil || json.Unmarshal(b, &c) != nil {
		return c, false
	}
	left := c.Until.Sub(s.Now())
	return c, left > 0 && left <= ceremonyFor+dtm.ClockSkew
}

// spend ends a ceremony whose answer is right: an answer is good once, at all servers.
func (s *Seconds) spend(ctx context.Context, c ceremony) error {
	err := s.Spent.Spend(ctx, "passkey|"+c.Data.Challenge, c.Until)
	if err != nil && dtm.KindOf(err) == dtm.Conflict {
		return passkeyFailed(err)
	}
	return err
}

// Ask is what a browser's script is given: the ceremony, sealed, and the options
// for navigator.credentials.
type Ask struct {
	ID      string `json:"id"`
	Options any    `json:"options"`
}

func passkeyFailed(err error) error {
	return &dtm.Error{Kind: dtm.Unauthenticated, Code: "passkey.failed", Err: err, Msg: "the passkey was not accepted; try again, or use another way"}
}

// AskNew asks for a new passkey of a user.
func (s *Seconds) AskNew(ctx context.Context, origin, email string) (Ask, error) {
	w, err := s.at(origin)
	if err != nil {
		return Ask{}, err
	}
	k, err := s.keeper(ctx, email)
	if err != nil {
		return Ask{}, err
	}
	var have []protocol.CredentialDescriptor
	for _, c := range k.list {
		have = append(have, c.Descriptor())
	}
	options, data, err := w.BeginRegistration(k, webauthn.WithExclusions(have))
	if err != nil {
		return Ask{}, &dtm.Error{Kind: dtm.Internal, Op: "access.AskNew", Err: err}
	}
	return s.begin(ceremony{Data: *data, Email: email}, options.Response)
}

// AddPasskey takes the browser's answer and adds the passkey; it gives codes to write
// down when the user has none yet.
func (s *Seconds) AddPasskey(ctx context.Context, origin, email, name, id string, answer []byte, exceptSession string) ([]string, error) {
	w, err := s.at(origin)
	if err != nil {
		return nil, err
	}
	c, ok := s.take(id)
	if !ok || c.Email != email {
		return nil, passkeyFailed(nil)
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(answer)
	if err != nil {
		return nil, passkeyFailed(err)
	}
	k, err := s.keeper(ctx, email)
	if err != nil {
		return nil, err
	}
	made, err := w.CreateCredential(k, c.Data, parsed)
	if err != nil {
		return nil, passkeyFailed(err)
	}
	if len(made.ID) > 1023 {
		return nil, passkeyFailed(nil)
	}
	if err := s.spend(ctx, c); err != nil {
		return nil, err
	}
	b, err := json.Marshal(made)
	if err != nil {
		return nil, err
	}
	return s.add(ctx, email, dtm.Factor{ID: passkeyID(made.ID), Kind: dtm.FactorPasskey, Name: name, Secret: b}, exceptSession)
}

// passkeyID names a passkey's factor.
func passkeyID(credential []byte) string {
	sum := sha256.Sum256(credential)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// AskFor asks for a passkey of a user; of anybody when email is "".
func (s *Seconds) AskFor(ctx context.Context, origin, email string) (Ask, error) {
	w, err := s.at(origin)
	if err != nil {
		return Ask{}, err
	}
	if email == "" {
		options, data, err := w.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
		if err != nil {
			return Ask{}, &dtm.Error{Kind: dtm.Internal, Op: "access.AskFor", Err: err}
		}
		return s.begin(ceremony{Data: *data}, options.Response)
	}
	k, err := s.keeper(ctx, email)
	if err != nil {
		return Ask{}, err
	}
	if len(k.list) == 0 {
		return Ask{}, noPasskey()
	}
	options, data, err := w.BeginLogin(k, webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return Ask{}, &dtm.Error{Kind: dtm.Internal, Op: "access.AskFor", Err: err}
	}
	return s.begin(ceremony{Data: *data, Email: email}, options.Response)
}

func noPasskey() *dtm.Error {
	return dtm.Errorf(dtm.NotFound, "this account has no passkey").Coded("passkey.none")
}

// ByPasskey takes the browser's answer and returns whose passkey it is: both factors at
// once, because the phone or stick has asked for its own code or finger. The user must be
// one of users, email the one that was asked for; Unauthenticated otherwise.
func (s *Seconds) ByPasskey(ctx context.Context, users dtm.Users, origin, email, id string, answer []byte) (dtm.User, error) {
	w, err := s.at(origin)
	if err != nil {
		return dtm.User{}, err
	}
	c, ok := s.take(id)
	if !ok || c.Email != email {
		return dtm.User{}, passkeyFailed(nil)
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return dtm.User{}, passkeyFailed(err)
	}
	var k keeperOf
	var used *webauthn.Credential
	if c.Email != "" {
		if k, err = s.keeper(ctx, c.Email); err != nil {
			return dtm.User{}, err
		}
		used, err = w.ValidateLogin(k, c.Data, parsed)
	} else {
		used, err = w.ValidateDiscoverableLogin(func(_, handle []byte) (webauthn.User, error) {
			list, err := users.Users(ctx)
			if err != nil {
				return nil, err
			}
			for _, u := range list {
				if bytes.Equal(s.handle(u.Email), handle) {
					k, err = s.keeper(ctx, u.Email)
					return k, err
				}
			}
			return nil, noPasskey()
		}, c.Data, parsed)
	}
	if err != nil {
		return dtm.User{}, passkeyFailed(err)
	}
	if used.Authenticator.CloneWarning {
		return dtm.User{}, passkeyFailed(nil) // its counter went back: there are two of it
	}
	u, _, err := users.User(ctx, k.email)
	if err != nil || u.Disabled != nil {
		return dtm.User{}, passkeyFailed(err)
	}
	if err := s.spend(ctx, c); err != nil {
		return dtm.User{}, err
	}
	b, err := json.Marshal(used)
	if err != nil {
		return dtm.User{}, err
	}
	i := slices.IndexFunc(k.list, func(x webauthn.Credential) bool { return bytes.Equal(x.ID, used.ID) })
	if i < 0 {
		return dtm.User{}, passkeyFailed(nil)
	}
	return u, s.Factors.UseFactor(ctx, k.email, k.ids[i], 0, b)
}
