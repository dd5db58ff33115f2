package sqlite_test

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dtm/seal"
	"dtm/store/sqlite"
	"dtm/store/storetest"
)

var dialect = storetest.Dialect{
	Place: func(t testing.TB) string { return filepath.Join(t.TempDir(), "d é?#%.db") },
	Open: func(place, operation string, now func() time.Time) (storetest.Store, error) {
		return sqlite.Open(context.Background(), place, sqlite.Options{Operation: operation, Now: now, Keys: place + ".keys", Seal: testKey, Programmes: storetest.Programmes, Redact: storetest.Redact})
	},
	Exec: func(t testing.TB, place, statement string, args ...any) {
		t.Helper()
		db := raw(t, place)
		for _, name := range triggers(t, db) {
			if _, err := db.Exec(`DROP TRIGGER ` + name); err != nil {
				t.Fatal(err)
			}
		}
		r, err := db.Exec(statement, args...)
		if err != nil {
			t.Fatal(err)
		}
		if n, _ := r.RowsAffected(); n == 0 {
			t.Fatalf("%s: changed nothing", statement)
		}
	},
	Protected: func(t testing.TB, place, statement string, args ...any) error {
		_, err := raw(t, place).Exec(statement, args...)
		return err
	},
	Query: func(t testing.TB, place, query string, args ...any) []string {
		t.Helper()
		rows, err := raw(t, place).Query(query, args...)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		columns, _ := rows.Columns()
		values, dest := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			dest[i] = &values[i]
		}
		if !rows.Next() {
			t.Fatal("no row")
		}
		if err := rows.Scan(dest...); err != nil {
			t.Fatal(err)
		}
		list := make([]string, len(values))
		for i, v := range values {
			list[i] = fmt.Sprint(v)
		}
		return list
	},
	Sound: func(t testing.TB, place string) {
		t.Helper()
		var verdict string
		if err := raw(t, place).QueryRow(`PRAGMA integrity_check`).Scan(&verdict); err != nil || verdict != "ok" {
			t.Errorf("integrity check: %s %v", verdict, err)
		}
	},
}

// testKey wraps the persons' keys of the suite's stores.
var testKey, _ = seal.ReadFile(strings.Repeat("A", 43) + "=")

// raw opens the file without the store.
func raw(t testing.TB, place string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", sqlite.DSN(place))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func triggers(t testing.TB, db *sql.DB) (names []string) {
	t.Helper()
	rows, err := db.Query(`SELECT name FROM sqlite_schema WHERE type = 'trigger'`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var n string
		if err := rows.Scan(&n); err != nil {
			t.Fatal(err)
		}
		names = append(names, n)
	}
	return names
}

func TestMain(m *testing.M) {
	storetest.Child(dialect)
	os.Exit(m.Run())
}

func TestConformance(t *testing.T) {
	t.Parallel()
	storetest.Run(t, dialect)
}

var histories = flag.Int("histories", 0, "histories of accept, reject and withdraw to race")

// TestHistories is the long form of ReferralHistories, by hand.
func TestHistories(t *testing.T) {
	if *histories > 0 {
		storetest.Histories(t, dialect, *histories, 20261128)
	}
}
