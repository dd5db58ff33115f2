package sqlite

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"io"
	"path/filepath"

	"dtm"
	"dtm/seal"
)

// keys are the persons' keys in a file of their own, each wrapped by the key that lies
// apart from both. Who has the data without this file, or this file without that key,
// can read nobody's fields; destroying a row destroys what was sealed with it.
type keys struct {
	db   *sql.DB
	wrap seal.Key
	rand io.Reader
}

func openKeys(ctx context.Context, path string, wrap seal.Key, rand io.Reader) (*keys, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", dsn(abs, true))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	// What is deleted is overwritten: a key that was destroyed is in no page of the file.
	for _, statement := range []string{`PRAGMA secure_delete = ON`, `
		CREATE TABLE IF NOT EXISTS key (
		  operation TEXT NOT NULL,
		  id TEXT NOT NULL,
		  wrapped BLOB NOT NULL,
		  PRIMARY KEY (operation, id)
		) WITHOUT ROWID`} {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			db.Close()
			return nil, opened(abs, err)
		}
	}
	return &keys{db: db, wrap: wrap.For("person"), rand: rand}, nil
}

func (k *keys) close() error {
	if k == nil {
		return nil
	}
	return k.db.Close()
}

func noKeys() *dtm.Error {
	return dtm.Errorf(dtm.Unavailable, "the file of persons' keys is not open: nothing personal can be read or kept").Coded("person.no_keys")
}

// make returns the key of an id, a new one when there is none. It is durable before
// anything is sealed with it.
func (k *keys) make(ctx context.Context, operation, id string) (seal.Key, error) {
	if k == nil {
		return seal.Key{}, noKeys()
	}
	var b [32]byte
	if _, err := io.ReadFull(k.rand, b[:]); err != nil {
		return seal.Key{}, err
	}
	wrapped, err := k.wrap.Seal(keyPlace(operation, id), b[:])
	if err != nil {
		return seal.Key{}, err
	}
	_, err = k.db.ExecContext(ctx, `
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
func (k *keys) get(ctx context.Context, operation, id string) (seal.Key, error) {
	if k == nil {
		return seal.Key{}, noKeys()
	}
	var wrapped []byte
	err := k.db.QueryRowContext(ctx, `
		SELECT wrapped
		FROM key
		WHERE operation = $1 AND id = $2`, operation, id).Scan(&wrapped)
	if errors.Is(err, sql.ErrNoRows) {
		return seal.Key{}, dtm.Errorf(dtm.Gone, "the key of this person was destroyed: nothing of it can be read any more").Coded("person.erased")
	}
	if err != nil {
		return seal.Key{}, err
	}
	b, err := k.wrap.Open(keyPlace(operation, id), wrapped)
	if err != nil {
		return seal.Key{}, err
	}
	return seal.ReadFile(base64.StdEncoding.EncodeToString(b))
}

// destroy forgets the key of an id, in the file's log too.
func (k *keys) destroy(ctx context.Context, operation, id string) error {
	if k == nil {
		return noKeys()
	}
	if _, err := k.db.ExecContext(ctx, `
		DELETE FROM key
		WHERE operation = $1 AND id = $2`, operation, id); err != nil {
		return err
	}
	_, err := k.db.ExecContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`)
	return err
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
	_, err := db.keys.db.ExecContext(ctx, `VACUUM INTO $1`, path)
	return failure("sqlite.BackupKeys", err)
}
