// Package seal keeps secrets that must be readable again: plain bytes and the place
// they belong to come in, sealed bytes go out, and back. One key from a file that lies
// apart from the data gives a key for each use. AES-256-GCM, HKDF and HMAC with SHA-256,
// from the standard library.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"strings"

	"dtm"
)

const size = 32

// Key seals for one use. The zero Key is none: it seals and opens nothing.
type Key struct {
	bytes [size]byte
	set   bool
}

// NewFile returns the text of a key file with a new key from rand.
func NewFile(rand io.Reader) (string, error) {
	var b [size]byte
	if _, err := io.ReadFull(rand, b[:]); err != nil {
		return "", &dtm.Error{Kind: dtm.Internal, Op: "seal.NewFile", Err: err}
	}
	return "# The key of a dtm data folder. Without it second factors, webhooks and sealed data\n" +
		"# cannot be used. Keep a copy apart from backups of the data; show it to nobody.\n" +
		base64.StdEncoding.EncodeToString(b[:]) + "\n", nil
}

// ReadFile reads the text of a key file; Invalid when it holds no key.
func ReadFile(text string) (Key, error) {
	k := Key{set: true}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		b, err := base64.StdEncoding.DecodeString(line)
		if err != nil || len(b) != size {
			break
		}
		copy(k.bytes[:], b)
		return k, nil
	}
	return Key{}, dtm.Errorf(dtm.Invalid, "the key file holds no key: a line of 44 characters of base64 is missing; put the right file back")
}

// For is the key for one use, "webhook" or "factor": from one nothing follows about
// another.
func (k Key) For(use string) Key {
	if !k.set {
		return Key{}
	}
	b, err := hkdf.Key(sha256.New, k.bytes[:], nil, "dtm "+use, size)
	if err != nil {
		panic(err) // the length is a constant
	}
	out := Key{set: true}
	copy(out.bytes[:], b)
	return out
}

func (k Key) aead() (cipher.AEAD, error) {
	if !k.set {
		return nil, dtm.Errorf(dtm.Unavailable, "the key file is missing; put it back and start the server again").Coded("seal.no_key")
	}
	block, err := aes.NewCipher(k.bytes[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// Seal seals plain so that it opens only at the same place, "factor|EMAIL|ID".
func (k Key) Seal(place string, plain []byte) ([]byte, error) {
	a, err := k.aead()
	if err != nil {
		return nil, err
	}
	return a.Seal(nil, nil, plain, []byte(place)), nil
}

// Open opens what Seal made for the same place: Conflict when any byte was changed or
// it belongs elsewhere.
func (k Key) Open(place string, sealed []byte) ([]byte, error) {
	a, err := k.aead()
	if err != nil {
		return nil, err
	}
	plain, err := a.Open(nil, nil, sealed, []byte(place))
	if err != nil {
		return nil, &dtm.Error{Kind: dtm.Conflict, Code: "seal.broken", Args: []any{place}, Err: err,
			Msg: fmt.Sprintf("what is sealed at %s was changed, or the key file is another one", place)}
	}
	return plain, nil
}

// Mark is a fingerprint of text that only the key's owner can make: it finds what is
// equal without keeping it.
func (k Key) Mark(text string) []byte {
	if !k.set {
		return nil
	}
	m := hmac.New(sha256.New, k.bytes[:])
	m.Write([]byte(text))
	return m.Sum(nil)
}

// Signer is the ed25519 key that follows from this one; nil without a key.
func (k Key) Signer() ed25519.PrivateKey {
	if !k.set {
		return nil
	}
	return ed25519.NewKeyFromSeed(k.bytes[:])
}
