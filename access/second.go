package access

import (
	"context"
	"crypto/hmac"
	"crypto/subtle"
	"encoding/base32"
	"encoding/base64"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"dtm"
	"dtm/seal"
)

// personal are the roles that see who a person is: for them a password alone opens
// nothing.
var personal = []string{dtm.RoleFocal, dtm.RoleDesk}

// NeedsSecond tells whether a role must have a second factor.
func NeedsSecond(role string) bool { return slices.Contains(personal, role) }

// Seconds checks second factors: codes of an app (TOTP, RFC 6238), codes on paper, and
// passkeys (WebAuthn). Secrets of codes are kept sealed, codes on paper as marks.
type Seconds struct {
	Factors dtm.Accounts
	Door    *Door     // bounds guessing
	Spent   dtm.Spent // answers of browsers, good once
	Key     seal.Key
	Issuer  string // what the app calls the account: the operation's name
	Rand    io.Reader
	Now     func() time.Time

	passkeys passkeys
}

const (
	codeStep      = 30 // seconds
	recoveryCodes = 10
	setUpFor      = 15 * time.Minute
)

func place(email, id string) string { return "factor|" + email + "|" + id }

// SetUp is what an app is given: the secret to type, and the address that its code
// shows. Pending goes with the page and comes back with the first code.
type SetUp struct{ Secret, Address, Pending string }

type pending struct {
	Email  string    `json:"email"`
	Secret string    `json:"secret"`
	Until  time.Time `json:"until"`
}

// Begin makes a new secret for an app.
func (s *Seconds) Begin(email string) (SetUp, error) {
	k, err := totp.Generate(totp.GenerateOpts{Issuer: s.Issuer, AccountName: email, Rand: s.Rand})
	if err != nil {
		return SetUp{}, &dtm.Error{Kind: dtm.Internal, Op: "access.Seconds", Err: err}
	}
	b, err := json.Marshal(pending{email, k.Secret(), s.Now().Add(setUpFor)})
	if err != nil {
		return SetUp{}, err
	}
	sealed, err := s.Key.Seal("set-up|"+email, b)
	return SetUp{Secret: k.Secret(), Address: k.URL(), Pending: base64.RawURLEncoding.EncodeToString(sealed)}, err
}

// Again is the same set-up once more, after a wrong code.
func (s *Seconds) Again(email, back string) (SetUp, error) {
	sealed, err := base64.RawURLEncoding.DecodeString(back)
	if err != nil {
		return SetUp{}, setUpOver()
	}
	b, err := s.Key.Open("set-up|"+email, sealed)
	if err != nil {
		return SetUp{}, setUpOver()
	}
	var p pending
	if err := json.Unmarshal(b, &p); err != nil || p.Email != email || s.Now().After(p.Until) {
		return SetUp{}, setUpOver()
	}
	k, err := otp.NewKeyFromURL("otpauth://totp/" + strings.ReplaceAll(s.Issuer, "/", " ") + ":" + email + "?secret=" + p.Secret + "&issuer=" + s.Issuer)
	if err != nil {
		return SetUp{}, &dtm.Error{Kind: dtm.Internal, Op: "access.Seconds", Err: err}
	}
	return SetUp{Secret: p.Secret, Address: k.URL(), Pending: back}, nil
}

func setUpOver() *dtm.Error {
	return dtm.Errorf(dtm.Invalid, "this took too long; begin again with the new code").Coded("second.over")
}

// Confirm adds the app when the first code is right, and gives codes to write down when
// the user has none yet. The code's step is used up with it.
func (s *Seconds) Confirm(ctx context.Context, email, name, back, code, exceptSession string) ([]string, error) {
	set, err := s.Again(email, back)
	if err != nil {
		return nil, err
	}
	step, ok := s.step(set.Secret, code)
	if !ok {
		return nil, wrongCode()
	}
	f := dtm.Factor{ID: uuid.NewString(), Kind: dtm.FactorTOTP, Name: name, Step: step}
	if f.Secret, err = s.Key.Seal(place(email, f.ID), []byte(set.Secret)); err != nil {
		return nil, err
	}
	return s.add(ctx, email, f, exceptSession)
}

func (s *Seconds) add(ctx context.Context, email string, f dtm.Factor, exceptSession string) ([]string, error) {
	have, err := s.Factors.Factors(ctx, email)
	if err != nil {
		return nil, err
	}
	list := []dtm.Factor{f}
	var codes []string
	if !slices.ContainsFunc(have, func(f dtm.Factor) bool { return f.Kind == dtm.FactorRecovery }) {
		var on []dtm.Factor
		if codes, on, err = s.recovery(email); err != nil {
			return nil, err
		}
		list = append(list, on...)
	}
	return codes, s.Factors.AddFactors(ctx, email, list, exceptSession)
}

// Recovery replaces the codes on paper.
func (s *Seconds) Recovery(ctx context.Context, email, exceptSession string) ([]string, error) {
	codes, list, err := s.recovery(email)
	if err != nil {
		return nil, err
	}
	return codes, s.Factors.AddFactors(ctx, email, list, exceptSession)
}

// crockford has no letters that look like digits.
var crockford = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

func (s *Seconds) recovery(email string) (codes []string, list []dtm.Factor, err error) {
	for range recoveryCodes {
		b := make([]byte, 10) // 80 bits, 16 letters
		if _, err := io.ReadFull(s.Rand, b); err != nil {
			return nil, nil, &dtm.Error{Kind: dtm.Internal, Op: "access.Seconds", Err: err}
		}
		c := crockford.EncodeToString(b)
		codes = append(codes, c[:4]+"-"+c[4:8]+"-"+c[8:12]+"-"+c[12:])
		list = append(list, dtm.Factor{ID: uuid.NewString(), Kind: dtm.FactorRecovery, Secret: s.mark(email, c)})
	}
	return codes, list, nil
}

func (s *Seconds) mark(email, code string) []byte {
	return s.Key.Mark("recovery|" + email + "|" + code)
}

// letters is a code on paper as it was printed, from what was typed.
func letters(code string) string {
	return strings.NewReplacer("-", "", " ", "", "O", "0", "I", "1", "L", "1", "U", "V").Replace(strings.ToUpper(code))
}

// step finds the step of time for which a code is right: this one or one beside it,
// for a clock that is half a minute off.
func (s *Seconds) step(secret, code string) (int64, bool) {
	code = strings.ReplaceAll(strings.TrimSpace(code), " ", "")
	now := s.Now()
	for _, off := range []time.Duration{0, -codeStep * time.Second, codeStep * time.Second} {
		want, err := totp.GenerateCode(secret, now.Add(off))
		if err == nil && len(code) == len(want) && subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 {
			return now.Add(off).Unix() / codeStep, true
		}
	}
	return 0, false
}

func wrongCode() *dtm.Error {
	return dtm.Errorf(dtm.Unauthenticated, "this code is not right; type the one that the app shows now, or one of your codes on paper").Coded("second.wrong")
}

// Check takes a code of the user's app or from their paper, once each; address is where
// the try comes from. Unauthenticated when it is not right or was used, TooMany when it
// was tried too often.
func (s *Seconds) Check(ctx context.Context, email, code, address string) error {
	return s.Door.bounded(ctx, "second\x00"+email, address, func() error {
		list, err := s.Factors.Factors(ctx, email)
		if err != nil {
			return err
		}
		paper := s.mark(email, letters(code))
		for _, f := range list {
			switch f.Kind {
			case dtm.FactorTOTP:
				secret, err := s.Key.Open(place(email, f.ID), f.Secret)
				if err != nil {
					return err
				}
				step, ok := s.step(string(secret), code)
				if !ok {
					continue
				}
				if err := s.Factors.UseFactor(ctx, email, f.ID, step, nil); dtm.KindOf(err) == dtm.Conflict && err != nil {
					return wrongCode() // used already
				} else if err != nil {
					return err
				}
				return nil
			case dtm.FactorRecovery:
				if paper == nil || !hmac.Equal(paper, f.Secret) {
					continue
				}
				if err := s.Factors.UseFactor(ctx, email, f.ID, 0, nil); dtm.KindOf(err) == dtm.NotFound && err != nil {
					return wrongCode()
				} else if err != nil {
					return err
				}
				return nil
			}
		}
		return wrongCode()
	})
}

// PasswordSuffices tells programs that send no second factor whether they may: nil
// when the user has none and needs none.
func (s *Seconds) PasswordSuffices(ctx context.Context, u dtm.User) error {
	list, err := s.Factors.Factors(ctx, u.Email)
	if err != nil {
		return err
	}
	if len(list) > 0 || NeedsSecond(u.Role) {
		return dtm.Errorf(dtm.Forbidden, "this account is protected by a second factor and cannot be used by programs; use an account of its own for them").Coded("second.api")
	}
	return nil
}
