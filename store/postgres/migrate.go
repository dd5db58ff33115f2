package postgres

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"io/fs"
	"strings"

	"dtm/store/relational"
	"dtm/store/sqlite/migration"
)

// The folder has what differs: NNNN_before.sql and NNNN_after.sql go around the shared
// step, a file of the step's own name stands in its place. They are in PostgreSQL's words.
//
//go:embed migration/*.sql
var own embed.FS

// steps gives the shared history of the tables in PostgreSQL's words.
func steps() ([]relational.Step, error) {
	s := &speller{tables: map[string]string{}}
	var failed error
	part := func(name string) []string {
		b, err := fs.ReadFile(own, "migration/"+name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			failed = err
		}
		return ownStatements(string(b))
	}
	number := 0
	all, err := relational.ReadSteps(migration.Files, func(name, text string) []string {
		number++
		list := part(name[:4] + "_before.sql")
		if _, err := fs.Stat(own, "migration/"+name); err == nil {
			list = append(list, part(name)...)
		} else {
			list = append(list, s.statements(number, text)...)
		}
		return append(list, part(name[:4]+"_after.sql")...)
	})
	return all, errors.Join(failed, err)
}

// ownStatements splits a file at its semicolons, but for those of functions.
func ownStatements(text string) (list []string) {
	for i, part := range strings.Split(comment.ReplaceAllString(text, ""), "$$") {
		if i%2 == 1 {
			list[len(list)-1] += " $$" + part + "$$"
			continue
		}
		for j, q := range strings.Split(part, ";") {
			if j == 0 && i > 0 { // what follows a function's body
				list[len(list)-1] += q
			} else if strings.TrimSpace(q) != "" {
				list = append(list, strings.TrimSpace(q))
			}
		}
	}
	return list
}

// migrateLock is held while tables are brought up to date, so that of two processes that
// start at once the second finds it done.
const migrateLock = 0x64746d // "dtm"

func migrate(ctx context.Context, db *sql.DB, place string, o Options) error {
	all, err := steps()
	if err != nil {
		return err
	}
	c, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := c.ExecContext(ctx, `SELECT pg_advisory_lock($1)`, migrateLock); err != nil {
		return err
	}
	defer c.ExecContext(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock($1)`, migrateLock)
	// The database's own backup goes before an upgrade: doc/postgres.md.
	return relational.Migrate(ctx, db, place, all, o, func(int) error { return nil })
}
