package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"os"
)

// copyTo leaves a copy at a name, whole or not at all, also when the process is killed or
// the power goes meanwhile.
func copyTo(ctx context.Context, path, to string) error {
	coming := to + ".coming"
	if err := os.Remove(coming); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := vacuumInto(ctx, path, coming); err != nil {
		return err
	}
	f, err := os.Open(coming)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(coming, to)
}

// vacuumInto writes everything committed so far to the file at path into a new one.
func vacuumInto(ctx context.Context, path, to string) error {
	own, err := sql.Open("sqlite", dsn(path, true))
	if err != nil {
		return err
	}
	defer own.Close()
	_, err = own.ExecContext(ctx, `VACUUM INTO $1`, to)
	return err
}
