package main

import (
	"context"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // of the list of leaked passwords, which is made of it
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"dtm"
	"dtm/access"
	"dtm/access/signon"
	"dtm/seal"
	"dtm/store/relational"
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

// keysName is the file of the persons' keys, wrapped by the key file. Of backups it is
// only in those that are encrypted, in a file of its own that is kept for a month.
const keysName = "keys.db"

// readKey reads the key, and makes one where nothing is sealed yet. A key that is lost is
// not replaced: what was sealed by it would be lost without a word. Without it everything
// goes on but what is personal, second factors by app, and webhooks.
func (h *house) readKey(ctx context.Context) (err error) {
	file := h.keyFile()
	b, err := os.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		lost, err := h.sealedBefore(ctx)
		if err != nil {
			return err
		}
		if lost {
			slog.ErrorContext(ctx, "the key file is missing, as after a restore from a backup that is not encrypted: nothing personal can be read or kept, second factors by app and webhooks do not work. Put the file back; when it is lost, `dtm key new` begins anew and says what is lost with it", "file", file)
			return nil
		}
		if b, err = newKey(file); err != nil {
			return err
		}
	case err != nil:
		return dtm.Errorf(dtm.Invalid, "the key file cannot be read: %w", err).At(file)
	}
	h.key, err = seal.ReadFile(string(b))
	var e *dtm.Error
	if errors.As(err, &e) {
		return e.At(file)
	}
	return err
}

func newKey(file string) ([]byte, error) {
	text, err := seal.NewFile(rand.Reader)
	if err != nil {
		return nil, err
	}
	if err := writeNew(file, text); err != nil {
		return nil, dtm.Errorf(dtm.Invalid, "the key file cannot be written: %w", err).At(file)
	}
	return []byte(text), nil
}

// sealedBefore tells whether the folder, whose store is not open yet, holds anything that
// a key has sealed.
func (h *house) sealedBefore(ctx context.Context) (bool, error) {
	if there, err := h.hasKeys(ctx); err != nil || there {
		return there, err
	}
	if _, err := os.Stat(filepath.Join(h.dir, storeName)); err != nil && h.config.Store == "" {
		return false, nil //nolint:nilerr // a new folder
	}
	db, err := h.openStore(ctx, relational.Options{Operation: h.op.Code, Now: h.now})
	if err != nil {
		return false, err
	}
	sealed, err := db.HasSealed(ctx)
	return sealed, errors.Join(err, db.Close())
}

// runKeyNew begins with a new key where the old one is lost, and says what is lost.
func runKeyNew(ctx context.Context, c *call) error {
	flags := c.flags()
	data := c.dataFlag(flags)
	if _, err := c.parse(flags, 0, 0); err != nil {
		return err
	}
	h, done, err := c.open(ctx, *data)
	if err != nil {
		return err
	}
	if _, err := os.Stat(h.keyFile()); err == nil {
		done()
		return dtm.Errorf(dtm.Conflict, "the folder has its key; nothing was changed").At(h.keyFile())
	}
	hooks, err := h.db.Webhooks(ctx)
	users, err2 := h.db.Users(ctx)
	done()
	if err := errors.Join(err, err2); err != nil {
		return err
	}
	// The old keys stay beside: with the old key file they open again.
	keys := h.keysPlace()
	if strings.HasPrefix(keys, "postgres") {
		return dtm.Errorf(dtm.Unsupported, "the persons' keys are on a database server: take the table of keys there out of the way, then start the server")
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Rename(keys+suffix, keys+".lost"+suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if _, err := newKey(h.keyFile()); err != nil {
		return err
	}
	fmt.Fprintf(c.out, "a new key is in %s: keep a copy elsewhere\nWhat the old key had sealed cannot be read any more:\n  persons who were registered before, and the answers sealed with them\n", h.keyFile())
	for _, w := range hooks {
		fmt.Fprintf(c.out, "  the secret of webhook %s: `dtm webhook remove`, then add it again\n", w.ID)
	}
	for _, u := range users {
		if u.Disabled == nil {
			fmt.Fprintf(c.out, "  an app with codes of %s, if they had one: `dtm user reset -second`\n", u.Email)
		}
	}
	return nil
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
		h.seconds = &access.Seconds{Factors: h.db, Door: h.door(), Spent: h.db, Key: h.key.For("factor"), Issuer: h.op.Title.In(h.op.Languages[0]), Rand: rand.Reader, Now: h.now}
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
	p := &signon.Provider{Name: h.config.OIDCName, Issuer: h.config.OIDCIssuer, ID: h.config.OIDCID, Secret: h.config.OIDCSecret, Back: h.baseURL() + web.SignOnBack, Key: h.key.For("signon"), Spent: h.db, Now: h.now}
	if p.Name == "" {
		p.Name = "OpenID"
	}
	return p, p.Check()
}
