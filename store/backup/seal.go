package backup

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"

	"filippo.io/age"

	"dtm"
)

// Key is a new pair for backups: Identity is the secret half, to be kept away from
// the server, Recipient the public one, for the server's settings.
type Key struct{ Identity, Recipient string }

// NewKey makes a key.
func NewKey() (Key, error) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		return Key{}, err
	}
	return Key{id.String(), id.Recipient().String()}, nil
}

// Recipients reads public keys, separated by commas or blanks.
func Recipients(list string) ([]age.Recipient, error) {
	var rs []age.Recipient
	for _, s := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' }) {
		r, err := age.ParseX25519Recipient(s)
		if err != nil {
			return nil, dtm.Errorf(dtm.Invalid, "%q is no public key for backups; `dtm backup key` makes one, it begins with age1", s)
		}
		rs = append(rs, r)
	}
	return rs, nil
}

// Identities reads a file of secret keys as `dtm backup key` and age-keygen write it.
func Identities(r io.Reader) ([]age.Identity, error) {
	ids, err := age.ParseIdentities(r)
	if err != nil {
		return nil, dtm.Errorf(dtm.Invalid, "this is no file of secret keys for backups: %w", err)
	}
	return ids, nil
}

// seal encrypts what is written for the recipients; without any it only passes on.
func seal(w io.Writer, to []age.Recipient) (io.WriteCloser, error) {
	if len(to) == 0 {
		return open{w}, nil
	}
	return age.Encrypt(w, to...)
}

type open struct{ io.Writer }

func (open) Close() error { return nil }

// begins is how every file of age does.
var begins = []byte("age-encryption.org/")

// unseal decrypts r if it is encrypted.
func unseal(r io.Reader, ids []age.Identity) (io.Reader, error) {
	b := bufio.NewReader(r)
	if head, _ := b.Peek(len(begins)); !bytes.Equal(head, begins) {
		return b, nil
	}
	if len(ids) == 0 {
		return nil, dtm.Errorf(dtm.Invalid, "this backup is encrypted; give the file of its secret key with -key")
	}
	plain, err := age.Decrypt(b, ids...)
	var none *age.NoIdentityMatchError
	if errors.As(err, &none) {
		return nil, dtm.Errorf(dtm.Invalid, "this backup is encrypted for another key than the one given")
	}
	if err != nil {
		return nil, dtm.Errorf(dtm.Invalid, "this is no whole backup of dtm: %w", err)
	}
	return plain, nil
}
