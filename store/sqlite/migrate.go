package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"dtm/store/relational"
)

// migrate brings the file up to date. Before the first step on a file that holds data a
// copy is left beside it.
func migrate(ctx context.Context, db *sql.DB, file string, files fs.FS, o Options) error {
	steps, err := relational.ReadSteps(files, func(_, text string) []string { return []string{text} })
	if err != nil {
		return err
	}
	return relational.Migrate(ctx, db, file, steps, o, func(number int) error {
		backup := fmt.Sprintf("%s.before-%04d", file, number)
		// A copy that is there is of an upgrade that failed: this one is the same.
		if _, err := os.Stat(backup); !errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err := copyTo(ctx, file, backup); err != nil {
			return fmt.Errorf("copy to %s before the upgrade: %w", backup, err)
		}
		return nil
	})
}
