package sqlite

import (
	"context"
	"database/sql"
)

// Backup writes everything committed so far into a new file at path, while the store
// goes on being used. An error leaves no whole file there.
func (db *DB) Backup(ctx context.Context, path string) error {
	const op = "sqlite.Backup"
	own, err := sql.Open("sqlite", dsn(db.path, true))
	if err != nil {
		return failure(op, err)
	}
	defer own.Close()
	_, err = own.ExecContext(ctx, `VACUUM INTO $1`, path)
	return failure(op, err)
}
