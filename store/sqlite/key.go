package sqlite

import (
	"context"
	"database/sql"
	"path/filepath"

	"dtm/store/relational"
)

// Keys opens the file of persons' keys, made when absent.
func Keys(ctx context.Context, path string, o Options) (*relational.Keys, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, opened(path, err)
	}
	db, err := sql.Open("sqlite", dsn(abs, true))
	if err != nil {
		return nil, opened(path, err)
	}
	db.SetMaxOpenConns(1)
	// What is deleted is overwritten: a key that was destroyed is in no page of the file.
	for _, statement := range []string{`PRAGMA secure_delete = ON`, relational.KeyTable} {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			db.Close()
			return nil, opened(abs, err)
		}
	}
	return &relational.Keys{DB: db, Wrap: o.Seal, Rand: o.Rand,
		Forget: func(ctx context.Context) error { // nor in the file's log
			_, err := db.ExecContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`)
			return err
		},
		Copy: func(ctx context.Context, to string) error {
			_, err := db.ExecContext(ctx, `VACUUM INTO $1`, to)
			return err
		},
	}, nil
}
