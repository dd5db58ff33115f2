package relational

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/base64"
	"errors"
	"io"

	"dtm"
	"dtm/seal"
)

// Keys are the persons' keys in a place of their own, each wrapped by the key that lies
// apart from both. Who has the data without this place, or this place without that key,
// can read nobody's fields; destroying a row destroys what was sealed with it.
type Keys struct {
	DB   *sql.DB // has the table key
	Wrap seal.Key
	Rand io.Reader // nil: crypto/rand
	// Forget has the database overwrite what was deleted; Copy writes a copy of the
	// place into a file, nil where the database has means of its own.
	Forget func(ctx context.Context) error
	Copy   func(ctx context.Context, path string) error
}

// KeyTable is the table of keys. What is deleted must be overwritten there: that is the
// engine's to see to.
const KeyTable = `
	CREATE TABLE IF NOT EXISTS key (
	  operation TEXT NOT NULL,
	  id TEXT NOT NULL,
	  wrapped BLOB NOT NULL,
	  PRIMARY KEY (operation, id)
	) WITHOUT ROWID`

func (k *Keys) close() error {
	if k == nil {
		return nil
	}
	return k.DB.Close()
}

func (k *Keys) wrap() seal.Key { return k.Wrap.For("person") }

func (k *Keys) random() io.Reader {
	if k.Rand == nil {
		return rand.Reader
	}
	return k.Rand
}

func noKeys() *dtm.Error {
	return dtm.Errorf(dtm.Unavailable, "the file of persons' keys is not open: nothing personal can be read or kept").Coded("person.no_keys")
}

// make returns the key of an id, a new one when there is none. It is durable before
// anything is sealed with it.
func (k *Keys) make(ctx context.Context, operation, id string) (seal.Key, error) {
	if k == nil {
		return seal.Key{}, noKeys()
	}
	var b [32]byte
	if _, err := io.ReadFull(k.random(), b[:]); err != nil {
		return seal.Key{}, err
	}
	wrapped, err := k.wrap().Seal(keyPlace(operation, id), b[:])
	if err != nil {
		return seal.Key{}, err
	}
	_, err = k.DB.ExecContext(ctx, `
		INSERT INTO key (operation, id, wrapped)
		VALUES ($1, $2, $3)
		ON CONFLICT (operation, id) DO NOTHING`, operation, id, wrapped)
	if err != nil {
		return seal.Key{}, err
	}
	return k.get(ctx, operation, id)
}

func keyPlace(operation, id string) string { return "key|" + operation + "|" + id }

// get returns the key of an id: Gone when it was destroyed.
func (k *Keys) get(ctx context.Context, operation, id string) (seal.Key, error) {
	if k == nil {
		return seal.Key{}, noKeys()
	}
	var wrapped []byte
	err := k.DB.QueryRowContext(ctx, `
		SELECT wrapped
		FROM key
		WHERE operation = $1 AND id = $2`, operation, id).Scan(&wrapped)
	if errors.Is(err, sql.ErrNoRows) {
		return seal.Key{}, dtm.Errorf(dtm.Gone, "the key of this person was destroyed: nothing of it can be read any more").Coded("person.erased")
	}
	if err != nil {
		return seal.Key{}, err
	}
	b, err := k.wrap().Open(keyPlace(operation, id), wrapped)
	if err != nil {
		return seal.Key{}, err
	}
	return seal.ReadFile(base64.StdEncoding.EncodeToString(b))
}

// destroy forgets the key of an id, in the file's log too.
func (k *Keys) destroy(ctx context.Context, operation, id string) error {
	if k == nil {
		return noKeys()
	}
	if _, err := k.DB.ExecContext(ctx, `
		DELETE FROM key
		WHERE operation = $1 AND id = $2`, operation, id); err != nil {
		return err
	}
	return k.Forget(ctx)
}

// secret is the key for one use that no person owns: the marks of the register, the
// numbers of an agency.
func (db *DB) secret(ctx context.Context, use string) (seal.Key, error) {
	if k, ok := db.secrets.Load(use); ok {
		return k.(seal.Key), nil
	}
	k, err := db.keys.make(ctx, db.operation, "use:"+use)
	if err == nil {
		db.secrets.Store(use, k)
	}
	return k, err
}

// BackupKeys writes a copy of the file of keys. It does not belong beside a backup of
// the data, and is kept no longer than an erased person may be readable.
func (db *DB) BackupKeys(ctx context.Context, path string) error {
	if db.keys == nil {
		return noKeys()
	}
	if db.keys.Copy == nil {
		return dtm.Errorf(dtm.Unsupported, "the persons' keys are on a database server: back them up there, apart from the data").Coded("store.keys_elsewhere")
	}
	return failure("store.BackupKeys", db.keys.Copy(ctx, path))
}
