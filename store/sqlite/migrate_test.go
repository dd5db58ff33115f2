package sqlite

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"dtm"
	"dtm/store/relational"
)

func TestMigrations(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	files := func(texts ...string) fstest.MapFS {
		m := fstest.MapFS{}
		for i, s := range texts {
			m["000"+string(rune('1'+i))+"_step.sql"] = &fstest.MapFile{Data: []byte(s)}
		}
		return m
	}
	one, two := `CREATE TABLE a (x); INSERT INTO a VALUES (1);`, `ALTER TABLE a ADD COLUMN y DEFAULT 7;`
	setup := func(t *testing.T) (run func(fs fstest.MapFS) error, db *sql.DB, file string) {
		file = filepath.Join(t.TempDir(), "dtm.db")
		db, err := sql.Open("sqlite", dsn(file, true))
		if err != nil {
			t.Fatal(err)
		}
		db.SetMaxOpenConns(1)
		t.Cleanup(func() { db.Close() })
		return func(fs fstest.MapFS) error {
			return migrate(ctx, db, file, fs, Options{})
		}, db, file
	}

	t.Run("OK", func(t *testing.T) {
		t.Parallel()
		run, db, file := setup(t)
		for _, fs := range []fstest.MapFS{files(one), files(one), files(one, two), files(one, two)} {
			if err := run(fs); err != nil {
				t.Fatal(err)
			}
		}
		var y int
		if err := db.QueryRow(`SELECT y FROM a`).Scan(&y); err != nil || y != 7 {
			t.Errorf("y = %d, %v", y, err)
		}
		// The copy is of the state before.
		old, err := sql.Open("sqlite", file+".before-0002")
		if err != nil {
			t.Fatal(err)
		}
		defer old.Close()
		var x int
		if err := old.QueryRow(`SELECT x FROM a`).Scan(&x); err != nil || x != 1 {
			t.Errorf("copy: x = %d, %v", x, err)
		}
		if err := old.QueryRow(`SELECT y FROM a`).Scan(&y); err == nil {
			t.Error("the copy was made after the step")
		}
	})
	t.Run("ErrChanged", func(t *testing.T) {
		t.Parallel()
		run, _, _ := setup(t)
		if err := run(files(one)); err != nil {
			t.Fatal(err)
		}
		err := run(files(one + " "))
		if dtm.KindOf(err) != dtm.Invalid || !strings.Contains(err.Error(), "0001_step") {
			t.Errorf("err = %v", err)
		}
	})
	t.Run("ErrNewer", func(t *testing.T) {
		t.Parallel()
		run, _, _ := setup(t)
		if err := run(files(one, two)); err != nil {
			t.Fatal(err)
		}
		err := run(files(one))
		if dtm.KindOf(err) != dtm.Invalid || !strings.Contains(err.Error(), "newer") {
			t.Errorf("err = %v", err)
		}
	})
	t.Run("ErrStep", func(t *testing.T) {
		t.Parallel()
		run, db, _ := setup(t)
		if err := run(files(one)); err != nil {
			t.Fatal(err)
		}
		if err := run(files(one, `INSERT INTO a VALUES (2); CREATE TABLE b (x); SELECT * FROM nowhere;`)); err == nil {
			t.Fatal("no error")
		}
		var n int
		if err := db.QueryRow(`SELECT (SELECT count(*) FROM a) + (SELECT count(*) FROM sqlite_schema WHERE name = 'b')`).Scan(&n); err != nil || n != 1 {
			t.Errorf("the step was half done: %d, %v", n, err)
		}
		if err := run(files(one, two)); err != nil { // mended, and run again
			t.Error(err)
		}
	})
	t.Run("ErrGap", func(t *testing.T) {
		t.Parallel()
		if _, err := relational.ReadSteps(fstest.MapFS{"0002_x.sql": {}}, nil); err == nil {
			t.Error("a missing number is not noticed")
		}
	})
}

func TestOpenErrors(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	dir := t.TempDir()
	junk := filepath.Join(dir, "junk.db")
	if err := os.WriteFile(junk, []byte(strings.Repeat("this is no database. ", 500)), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{"not a database": junk, "no folder": filepath.Join(dir, "none", "x.db"), "a folder": dir} {
		db, err := Open(ctx, path, Options{Operation: "test"})
		if err == nil {
			db.Close()
			t.Errorf("%s: no error", name)
			continue
		}
		if dtm.KindOf(err) == dtm.Internal || !strings.Contains(err.Error(), filepath.Base(path)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Open(ctx, filepath.Join(dir, "x.db"), Options{}); dtm.KindOf(err) != dtm.Invalid {
		t.Errorf("without operation: %v", err)
	}
}
