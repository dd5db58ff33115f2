package relational

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"sort"
	"strconv"
	"strings"
	"time"

	"dtm"
)

// Step is one step of the tables' history, from NNNN_name.sql.
type Step struct {
	Number     int
	Name       string
	Hash       string   // hex SHA-256 of the file
	Statements []string // run one after the other in one transaction
}

// ReadSteps returns the files in order. Numbers start at 1 and leave no gap. Spell gives
// a file's statements in the engine's words.
func ReadSteps(files fs.FS, spell func(name, text string) []string) ([]Step, error) {
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		return nil, err
	}
	sort.Strings(names)
	var all []Step
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
		all = append(all, Step{Number: number, Name: name, Hash: hex.EncodeToString(sum[:]), Statements: spell(n, string(text))})
	}
	return all, nil
}

// Migrate brings a place (a file, a database, named in errors) up to date, one
// transaction a step. Before the first step on a place that holds data it calls before
// with the step's number. Invalid, when a newer program has written there or the steps
// applied are not those of this program.
func Migrate(ctx context.Context, db *sql.DB, place string, all []Step, o Options, before func(number int) error) error {
	now := o.clock()
	if o.Until > 0 {
		all = all[:min(o.Until, len(all))]
	}
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
				place, m.Number, m.Name).Coded("store.newer", place, fmt.Sprintf("%04d_%s", m.Number, m.Name))
		case m.Number != all[i].Number || m.Hash != all[i].Hash:
			return dtm.Errorf(dtm.Invalid,
				"%s: migration %04d_%s was applied with other content than this program has; use the program that wrote the file",
				place, m.Number, m.Name).Coded("store.changed", place, fmt.Sprintf("%04d_%s", m.Number, m.Name))
		}
	}
	if len(done) > 0 && len(done) < len(all) {
		if err := before(all[len(done)].Number); err != nil {
			return err
		}
	}
	for _, m := range all[len(done):] {
		if err := step(ctx, db, m, now()); err != nil {
			return fmt.Errorf("migration %04d_%s: %w", m.Number, m.Name, err)
		}
	}
	return nil
}

func applied(ctx context.Context, db *sql.DB) ([]Step, error) {
	rows, err := db.QueryContext(ctx, `
		SELECT number, name, hash
		FROM migration
		ORDER BY number`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var done []Step
	for rows.Next() {
		var m Step
		if err := rows.Scan(&m.Number, &m.Name, &m.Hash); err != nil {
			return nil, err
		}
		done = append(done, m)
	}
	return done, rows.Err()
}

func step(ctx context.Context, db *sql.DB, m Step, now time.Time) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for _, s := range m.Statements {
		if _, err := tx.ExecContext(ctx, s); err != nil {
			return err
		}
	}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO migration (number, name, hash, applied)
		VALUES ($1, $2, $3, $4)`, m.Number, m.Name, m.Hash, timeText(now))
	if err != nil {
		return err
	}
	return tx.Commit()
}
