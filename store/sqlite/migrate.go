package sqlite

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"sort"
	"strconv"
	"strings"
	"time"

	"dtm"
)

//go:embed migration/*.sql
var migrationFiles embed.FS

// migration is one step of the tables' history, from migration/NNNN_name.sql.
type migration struct {
	Number int
	Name   string
	SQL    string
	Hash   string // hex SHA-256 of SQL
}

// readMigrations returns the files of dir in order. Numbers start at 1 and leave
// no gap.
func readMigrations(files fs.FS) ([]migration, error) {
	names, err := fs.Glob(files, "migration/*.sql")
	if err != nil {
		return nil, err
	}
	sort.Strings(names)
	var all []migration
	for i, n := range names {
		num, name, ok := strings.Cut(strings.TrimSuffix(path.Base(n), ".sql"), "_")
		number, err := strconv.Atoi(num)
		if !ok || err != nil || len(num) != 4 || number != i+1 {
			return nil, dtm.Errorf(dtm.Internal, "migration file %s: want %04d_name.sql", n, i+1)
		}
		text, err := fs.ReadFile(files, n)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(text)
		all = append(all, migration{Number: number, Name: name, SQL: string(text), Hash: hex.EncodeToString(sum[:])})
	}
	return all, nil
}

func migrate(ctx context.Context, db *sql.DB, file string, now func() time.Time) error {
	all, err := readMigrations(migrationFiles)
	if err != nil {
		return err
	}
	return apply(ctx, db, file, all, now)
}

// apply brings the file up to date, one transaction a step. Before the first
// step on a file that holds data a copy is left beside it.
func apply(ctx context.Context, db *sql.DB, file string, all []migration, now func() time.Time) error {
	_, err := db.ExecContext(ctx, `
		CREATE TABLE IF NOT EXISTS migration (
		  number INTEGER PRIMARY KEY,
		  name TEXT NOT NULL,
		  hash TEXT NOT NULL,
		  applied TEXT NOT NULL
		)`)
	if err != nil {
		return err
	}
	done, err := applied(ctx, db)
	if err != nil {
		return err
	}
	for i, m := range done {
		switch {
		case i >= len(all):
			return dtm.Errorf(dtm.Invalid,
				"%s: the data file was written by a newer program (migration %04d_%s is not known here); use that program, or restore the copy made before the upgrade",
				file, m.Number, m.Name).Coded("store.newer", m.Number)
		case m.Number != all[i].Number || m.Hash != all[i].Hash:
			return dtm.Errorf(dtm.Invalid,
				"%s: migration %04d_%s was applied with other content than this program has; use the program that wrote the file",
				file, m.Number, m.Name).Coded("store.changed", m.Number)
		}
	}
	if len(done) > 0 && len(done) < len(all) {
		backup := fmt.Sprintf("%s.before-%04d", file, all[len(done)].Number)
		// A copy that is there is of an upgrade that failed: this one is the same.
		if _, err := os.Stat(backup); errors.Is(err, fs.ErrNotExist) {
			if _, err := db.ExecContext(ctx, `VACUUM INTO $1`, backup); err != nil {
				return fmt.Errorf("copy to %s before the upgrade: %w", backup, err)
			}
		}
	}
	for _, m := range all[len(done):] {
		if err := step(ctx, db, m, now()); err != nil {
			return fmt.Errorf("migration %04d_%s: %w", m.Number, m.Name, err)
		}
	}
	return nil
}

func applied(ctx context.Context, db *sql.DB) ([]migration, error) {
	rows, err := db.QueryContext(ctx, `
		SELECT number, name, hash
		FROM migration
		ORDER BY number`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var done []migration
	for rows.Next() {
		var m migration
		if err := rows.Scan(&m.Number, &m.Name, &m.Hash); err != nil {
			return nil, err
		}
		done = append(done, m)
	}
	return done, rows.Err()
}

func step(ctx context.Context, db *sql.DB, m migration, now time.Time) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(ctx, m.SQL); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO migration (number, name, hash, applied)
		VALUES ($1, $2, $3, $4)`, m.Number, m.Name, m.Hash, timeText(now))
	if err != nil {
		return err
	}
	return tx.Commit()
}
