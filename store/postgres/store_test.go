package postgres_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"

	"dtm/internal/pgtest"
	"dtm/seal"
	"dtm/store/postgres"
	"dtm/store/storetest"
)

// template is a database with the tables, which each test gets a copy of.
var template struct {
	sync.Mutex
	address string
}

func place(t testing.TB) string {
	t.Helper()
	template.Lock()
	defer template.Unlock()
	if template.address == "" {
		address := pgtest.Database(t, "")
		db, err := postgres.Open(context.Background(), address, postgres.Options{Operation: storetest.Operation})
		if err == nil {
			err = db.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		template.address = address
	}
	return pgtest.Database(t, template.address)
}

var dialect = storetest.Dialect{
	Place: place,
	Open: func(place, operation string, now func() time.Time) (storetest.Store, error) {
		return postgres.Open(context.Background(), place, postgres.Options{Operation: operation, Now: now, Keys: place, Seal: testKey, Programmes: storetest.Programmes, Redact: storetest.Redact})
	},
	Exec: func(t testing.TB, place, statement string, args ...any) {
		t.Helper()
		db := raw(t, place)
		if _, err := db.Exec(`SET session_replication_role = 'replica'`); err != nil {
			t.Fatal(err)
		}
		r, err := db.Exec(spelt.Replace(statement), args...)
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
		rows, err := raw(t, place).Query(spelt.Replace(query), args...)
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
			t.Fatal("no row: ", rows.Err())
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
	Registry: true, Longest: 2000,
}

// spelt are the suite's own statements in PostgreSQL's words.
var spelt = strings.NewReplacer(
	"CAST(substr(sealed, 1, length(sealed) - 1) || char(1) AS BLOB)", `substr(sealed, 1, length(sealed) - 1) || '\x01'::bytea`,
	"instr(", "pg_temp.position_of(",
)

// testKey wraps the persons' keys of the suite's stores.
var testKey, _ = seal.ReadFile(strings.Repeat("A", 43) + "=")

// raw opens the database without the store.
func raw(t testing.TB, place string) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", place)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(1)
	for _, as := range []string{`(bytea, text) RETURNS integer LANGUAGE sql AS $$ SELECT position(convert_to($2, 'UTF8') IN $1) $$`, `(text, text) RETURNS integer LANGUAGE sql AS $$ SELECT position($2 IN $1) $$`} {
		if _, err := db.Exec(`CREATE OR REPLACE FUNCTION pg_temp.position_of` + as); err != nil {
			t.Fatal(err)
		}
	}
	return db
}

func TestMain(m *testing.M) {
	storetest.Child(dialect)
	pgtest.Main(m)
}

func TestConformance(t *testing.T) {
	t.Parallel()
	storetest.Run(t, dialect)
}
