package sqlite

import (
	"context"
	"database/sql"
)

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
