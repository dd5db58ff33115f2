package access

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"io"
	"runtime"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/sync/semaphore"

	"dtm"
)

// Cost of a password hash by argon2id (RFC 9106), the least that OWASP's Password
// Storage Cheat Sheet recommends: about a quarter of a second of one core.
const (
	memoryKiB = 19456
	passes    = 2
	lanes     = 1
	saltBytes = 16
	keyBytes  = 32
)

// Length of a password in characters (OWASP ASVS 5.0, 6.2.1 and 6.2.9). No other
// rule is made: rules of composition make passwords worse.
const (
	minPassword = 12
	maxPassword = 128
)

// slots bounds how many passwords are worked on at once, because otherwise a few
// dozen sign-ins would take all memory and time from everybody.
var slots = semaphore.NewWeighted(int64(max(1, runtime.GOMAXPROCS(0)/2)))

// HashPassword returns the argon2id hash of a new password in the PHC string
// format, with a salt from rand. A password of fewer than 12 or more than 128
// characters is Invalid.
func HashPassword(ctx context.Context, rand io.Reader, password string) (string, error) {
	if n := utf8.RuneCountInString(password); n < minPassword || n > maxPassword || !utf8.ValidString(password) {
		return "", dtm.Errorf(dtm.Invalid, "the password must have %d to %d characters; a sentence of four or five words is good",
			minPassword, maxPassword).Coded("password.length", minPassword, maxPassword)
	}
	salt := make([]byte, saltBytes)
	if _, err := io.ReadFull(rand, salt); err != nil {
		return "", &dtm.Error{Kind: dtm.Internal, Op: "access.HashPassword", Err: err}
	}
	h := hash{memory: memoryKiB, passes: passes, lanes: lanes, salt: salt}
	var err error
	if h.key, err = h.compute(ctx, password, keyBytes); err != nil {
		return "", err
	}
	return h.String(), nil
}

// hash is a PHC string taken apart: $argon2id$v=19$m=19456,t=2,p=1$salt$key.
type hash struct {
	memory uint32 // KiB
	passes uint32
	lanes  uint8
	salt   []byte
	key    []byte
}

func (h hash) compute(ctx context.Context, password string, length uint32) ([]byte, error) {
	if err := slots.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	defer slots.Release(1)
	return argon2.IDKey([]byte(password), h.salt, h.passes, h.memory, h.lanes, length), nil
}

func (h hash) String() string {
	e := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.memory, h.passes, h.lanes,
		e.EncodeToString(h.salt), e.EncodeToString(h.key))
}

// parseHash reads a PHC string, with bounds so that a forged one cannot exhaust
// the server.
func parseHash(s string) (hash, error) {
	bad := func() (hash, error) {
		return hash{}, &dtm.Error{Kind: dtm.Internal, Op: "access.parseHash", Err: fmt.Errorf("not an argon2id hash in PHC format")}
	}
	part := strings.Split(s, "$")
	if len(part) != 6 || part[0] != "" || part[1] != "argon2id" || part[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return bad()
	}
	var h hash
	if n, err := fmt.Sscanf(part[3], "m=%d,t=%d,p=%d", &h.memory, &h.passes, &h.lanes); n != 3 || err != nil {
		return bad()
	}
	var err1, err2 error
	h.salt, err1 = base64.RawStdEncoding.DecodeString(part[4])
	h.key, err2 = base64.RawStdEncoding.DecodeString(part[5])
	if err1 != nil || err2 != nil || len(h.salt) < 8 || len(h.key) < 16 || len(h.key) > 64 ||
		h.memory < 8 || h.memory > 1<<20 || h.passes < 1 || h.passes > 10 || h.lanes < 1 || h.lanes > 16 {
		return bad()
	}
	return h, nil
}

// nobody is what a sign-in with an unknown address is compared with, so that it
// takes as long as one with a known address.
var nobody = hash{memory: memoryKiB, passes: passes, lanes: lanes, salt: make([]byte, saltBytes), key: make([]byte, keyBytes)}

// SignIn returns the user whose address and password these are. Every way of
// being wrong (no such address, another password, disabled) is the same error of
// kind Unauthenticated and takes the same time.
func SignIn(ctx context.Context, users dtm.Users, email, password string) (dtm.User, error) {
	u, stored, err := users.User(ctx, email)
	known := err == nil
	if err != nil && dtm.KindOf(err) != dtm.NotFound {
		return dtm.User{}, err
	}
	h := nobody
	if known {
		if h, err = parseHash(stored); err != nil {
			return dtm.User{}, err
		}
	}
	if len(password) > 4*maxPassword {
		password, known = "", false
	}
	key, err := h.compute(ctx, password, uint32(len(h.key)))
	if err != nil {
		return dtm.User{}, err
	}
	if subtle.ConstantTimeCompare(key, h.key) != 1 || !known || u.Disabled != nil {
		return dtm.User{}, dtm.Errorf(dtm.Unauthenticated, "the address or the password is wrong").Coded("signin.wrong")
	}
	return u, nil
}
