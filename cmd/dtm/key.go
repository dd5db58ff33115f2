package main

import (
	"context"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // of the list of leaked passwords, which is made of it
	"encoding/hex"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"dtm"
	"dtm/access"
	"dtm/access/signon"
	"dtm/seal"
	"dtm/web"
)

// keyName is the file of the data folder's key, beside the data unless the settings say
// elsewhere. Of backups it is only in those that are encrypted, in a file of its own.
const keyName = "key"

// keyFile is where the key lies.
func (h *house) keyFile() string {
	if h.config.KeyFile != "" {
		return h.config.KeyFile
	}
	return filepath.Join(h.dir, keyName)
}

// readKey reads the key, and makes one where nothing is sealed yet. A key that is lost
// is not replaced: what was sealed by it would be lost without a word.
func (h *house) readKey(ctx context.Context) error {
	file := h.keyFile()
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		sealed, err := h.db.HasSealed(ctx)
		if err != nil {
			return err
		}
		if sealed {
			slog.ErrorContext(ctx, "the key file is missing; second factors and webhooks do not work until it is put back", "file", file)
			return nil
		}
		text, err := seal.NewFile(rand.Reader)
		if err != nil {
			return err
		}
		if err := writeNew(file, text); err != nil {
			return dtm.Errorf(dtm.Invalid, "the key file cannot be written: %w", err).At(file)
		}
		b = []byte(text)
	} else if err != nil {
		return dtm.Errorf(dtm.Invalid, "the key file cannot be read: %w", err).At(file)
	}
	if h.key, err = seal.ReadFile(string(b)); err != nil {
		var e *dtm.Error
		if errors.As(err, &e) {
			return e.At(file)
		}
	}
	return err
}

// writeNew writes a file that was not there, on disk when it returns.
func writeNew(file, text string) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Sync(), f.Close())
}

// second checks second factors.
func (h *house) second() *access.Seconds {
	if h.seconds == nil {
		h.seconds = &access.Seconds{Factors: h.db, Door: h.door(), Key: h.key.For("factor"), Issuer: h.op.Title.In(h.op.Languages[0]), Rand: rand.Reader, Now: h.now}
	}
	return h.seconds
}

// goodPassword tells whether a new password may be taken.
func (h *house) goodPassword(password, email string) error {
	var names []string
	for _, l := range h.op.Languages {
		names = append(names, strings.ToLower(h.op.Name.In(l)))
	}
	if err := access.CheckPassword(password, email, names...); err != nil || h.config.Breached == "" {
		return err
	}
	f, err := os.Open(h.config.Breached)
	if err != nil {
		return dtm.Errorf(dtm.Unavailable, "the list of leaked passwords cannot be read: %w", err).At(h.config.Breached)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return err
	}
	sum := sha1.Sum([]byte(password)) //nolint:gosec // see above
	leaked, err := access.Breached{Size: st.Size(), Read: f.ReadAt}.Has(strings.ToUpper(hex.EncodeToString(sum[:])))
	if err == nil && leaked {
		err = dtm.Errorf(dtm.Invalid, "this password is in a list of passwords that have leaked; take another one").Coded("password.leaked")
	}
	return err
}

// provider is the house that vouches for users; nil when the settings name none.
func (h *house) provider() (*signon.Provider, error) {
	if h.config.OIDCIssuer == "" {
		return nil, nil
	}
	p := &signon.Provider{Name: h.config.OIDCName, Issuer: h.config.OIDCIssuer, ID: h.config.OIDCID, Secret: h.config.OIDCSecret, Back: h.baseURL() + web.SignOnBack, Now: h.now}
	if p.Name == "" {
		p.Name = "OpenID"
	}
	return p, p.Check()
}
