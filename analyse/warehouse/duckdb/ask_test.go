package duckdb

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dtm"
	"dtm/analyse/warehouse"
	"dtm/analyse/warehouse/warehousetest"
)

func asked(t *testing.T) (*Warehouse, string) {
	t.Helper()
	dir := t.TempDir()
	w, err := Open(t.Context(), filepath.Join(dir, "facts.duckdb"), warehousetest.Operation())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	var b warehouse.Batch
	for i, n := range []int{3, 20} {
		b.Submissions = append(b.Submissions, warehouse.Submission{Source: string(rune('a' + i)), Facts: dtm.Facts{Movements: []dtm.Movement{
			{Observed: time.Date(2022, 3, 1+i, 0, 0, 0, 0, time.UTC), Point: "GATE", Sex: "male", Age: "adults", Nationality: "BEL", People: n}}}})
	}
	b.To = warehouse.Position{Seq: 1, Hash: "x"}
	if _, err := w.Apply(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	return w, dir
}

func TestAsk(t *testing.T) {
	t.Parallel()
	w, _ := asked(t)
	q := w.Questions()
	for text, want := range map[string]string{
		"SELECT point, CAST(sum(people) AS bigint) AS people FROM movement WHERE main GROUP BY point":              "point people|GATE 23",
		"with m as (select observed, people from movement) select max(observed) as d from m -- the last":           "d|2022-03-02",
		"SELECT people, rank() OVER (ORDER BY people) AS r FROM movement ORDER BY people":                          "people r|3 1|20 2",
		"SELECT count(*) AS n FROM range(5) r(i) WHERE i % 2 = 0;":                                                 "n|3",
		"SELECT CASE WHEN sex LIKE 'm%' THEN upper(sex) END AS s FROM movement LIMIT 1":                            "s|MALE",
		"FROM point_day SELECT DISTINCT point":                                                                     "point|GATE",
		"SELECT a.code FROM answer_set a WHERE a.list = 'need' UNION ALL SELECT NULL":                              "code||",
		"SELECT date_trunc('month', observed) AS m, avg(people) AS a FROM movement GROUP BY 1 HAVING count(*) > 1": "m a|2022-03-01 11.5",
	} {
		a, err := q.Ask(t.Context(), text, 100)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		got := strings.Join(a.Columns, " ")
		for _, r := range a.Rows {
			got += "|" + strings.Join(r, " ")
		}
		if got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
	a, err := q.Ask(t.Context(), "SELECT i FROM range(1000000000) r(i)", 7)
	if err != nil || len(a.Rows) != 7 || !a.More {
		t.Errorf("%d rows, more %v: %v", len(a.Rows), a.More, err)
	}
	// And the next one is answered.
	if a, err := q.Ask(t.Context(), "SELECT 1 AS one", 7); err != nil || len(a.Rows) != 1 {
		t.Errorf("after that: %v %v", a, err)
	}
}

// TestAskAttacks tries to get at files, other tables, settings and other sessions, and
// to change something. Nothing of it runs.
func TestAskAttacks(t *testing.T) {
	t.Parallel()
	w, dir := asked(t)
	secret := filepath.Join(dir, "secret.csv")
	if err := os.WriteFile(secret, []byte("a,b\n1,2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "out.csv")
	for _, text := range []string{
		"SELECT * FROM read_csv('" + secret + "')",
		"SELECT * FROM '" + secret + "'",
		"SELECT * FROM \"" + secret + "\"",
		"FROM read_text('" + secret + "')",
		"SELECT * FROM read_blob('" + secret + "')",
		"SELECT * FROM read_parquet('x.parquet')",
		"SELECT * FROM glob('/etc/*')",
		"SELECT * FROM sniff_csv('" + secret + "')",
		"COPY (SELECT * FROM movement) TO '" + out + "'",
		"COPY movement FROM '" + secret + "'",
		"EXPORT DATABASE '" + dir + "'",
		"IMPORT DATABASE '" + dir + "'",
		"ATTACH '" + filepath.Join(dir, "other.duckdb") + "' AS o",
		"ATTACH 'postgres:host=localhost' AS p (TYPE postgres)",
		"DETACH facts", "USE memory",
		"PRAGMA database_list", "PRAGMA table_info('fact')", "CALL pragma_version()", "CALL duckdb_settings()",
		"SET threads = 1", "RESET threads", "SET VARIABLE x = 1", "SELECT getvariable('x')", "SELECT current_setting('memory_limit')",
		"SELECT set_config('a', 'b')",
		"INSTALL httpfs", "LOAD httpfs", "FORCE INSTALL json", "UPDATE EXTENSIONS",
		"SELECT 1; SELECT 2", "SELECT 1; DROP TABLE fact", "SELECT 1; COPY movement TO '" + out + "'",
		"INSERT INTO fact SELECT * FROM fact", "UPDATE fact SET people = 0", "DELETE FROM fact", "DROP TABLE fact", "TRUNCATE fact", "ALTER TABLE fact ADD COLUMN x INTEGER",
		"CREATE TABLE mine AS SELECT 1", "CREATE TEMP TABLE mine AS SELECT 1", "CREATE VIEW mine AS SELECT 1", "CREATE MACRO f() AS 1", "CREATE SECRET s (TYPE s3)",
		"WITH x AS (DELETE FROM fact RETURNING *) SELECT * FROM x",
		"BEGIN", "COMMIT", "ROLLBACK", "CHECKPOINT", "FORCE CHECKPOINT", "VACUUM", "ANALYZE",
		"PREPARE p AS SELECT 1", "EXECUTE p", "EXPLAIN ANALYZE SELECT * FROM movement",
		"SELECT * FROM fact", "SELECT * FROM load_position", "SELECT * FROM submission", "SELECT * FROM arrival",
		"SELECT * FROM main.movement", "SELECT * FROM facts.main.fact", "SELECT * FROM information_schema.tables", "SELECT * FROM duckdb_tables()", "SELECT * FROM sqlite_master", "SELECT * FROM pg_catalog.pg_tables",
		"SHOW TABLES", "SHOW ALL TABLES", "DESCRIBE fact", "SUMMARIZE fact",
		"SELECT * FROM query('SELECT * FROM fact')", "SELECT * FROM query_table('fact')", "SELECT * FROM query_table(['fact'])",
		"SELECT json_execute_serialized_sql(json_serialize_sql('SELECT 1'))", "SELECT * FROM json_execute_serialized_sql('{}')",
		"SELECT getenv('HOME')", "SELECT nextval('s')", "SELECT version()", "SELECT pg_typeof(1)", "SELECT system.main.current_setting('threads')",
		"SELECT write_log('x')", "SELECT repeat('x', 1000000000)", "SELECT array_agg(i) FROM range(1000000) r(i)",
		"SELECT (SELECT max(people) FROM fact)", "SELECT 1 WHERE EXISTS (SELECT 1 FROM fact)", "SELECT * FROM movement WHERE people IN (SELECT people FROM fact)",
		"SELECT * FROM movement JOIN fact USING (source)", "SELECT * FROM movement, LATERAL (SELECT * FROM fact)", "SELECT 1 UNION SELECT people FROM fact", "SELECT 1 ORDER BY (SELECT 1 FROM fact)",
		"WITH movement AS (SELECT * FROM fact) SELECT * FROM movement", "PIVOT fact ON point USING sum(people)", "SELECT * FROM (PIVOT movement ON sex USING read_text('" + secret + "'))",
		"SELECT * FROM movement AT (VERSION => 1)", "SELECT * FROM (SHOW TABLES)", "SELECT * FROM (DESCRIBE fact)",
		"", " ", "SELECT", "SELECT 'a", "/* x", "\x00SELECT 1", strings.Repeat("(", 10_000), "SELECT " + strings.Repeat("1+", 15_000) + "1",
	} {
		a, err := w.Questions().Ask(t.Context(), text, 10)
		if err == nil {
			t.Errorf("%.120q was answered: %v", text, a)
		} else if k := dtm.KindOf(err); k != dtm.Invalid && k != dtm.TooLarge {
			t.Errorf("%.120q: %v, want Invalid", text, err)
		}
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("a file was written")
	}
	if a, err := w.Questions().Ask(t.Context(), "SELECT CAST(sum(people) AS bigint) FROM movement", 10); err != nil || a.Rows[0][0] != "23" {
		t.Errorf("after the attacks: %v %v", a, err)
	}
	// What the parser would let through the database refuses by itself.
	for _, text := range []string{"SELECT * FROM read_csv('" + secret + "')", "COPY fact TO '" + out + "'", "ATTACH '" + out + "'", "SET threads = 1", "SET enable_external_access = true", "INSTALL httpfs"} {
		if _, err := w.db.ExecContext(t.Context(), text); err == nil {
			t.Errorf("the database itself runs %s", text)
		}
	}
}

// TestAskStops: a question that goes on when its reader has left is interrupted, and so
// is one of the engine's.
func TestAskStops(t *testing.T) {
	t.Parallel()
	w, _ := asked(t)
	const forever = "SELECT count(*) FROM range(100000) a(i), range(100000000) b(j) WHERE (a.i * b.j) % 7 = 3"
	for name, run := range map[string]func(context.Context) error{
		"ask": func(ctx context.Context) error { _, err := w.Questions().Ask(ctx, forever, 10); return err },
		"read": func(ctx context.Context) error {
			return w.Read(ctx, func(r warehouse.Reader) error {
				return r.Query(ctx, forever, nil, func(func(...any) error) error { return nil })
			})
		},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- run(ctx) }()
		time.Sleep(200 * time.Millisecond)
		left := time.Now()
		cancel()
		select {
		case err := <-done:
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v, want that it was cancelled", name, err)
			}
			t.Logf("%s: interrupted after %v", name, time.Since(left))
		case <-time.After(20 * time.Second):
			t.Fatalf("%s: it still runs", name)
		}
		// The connection is of use again.
		if _, err := w.Questions().Ask(t.Context(), "SELECT 1", 1); err != nil {
			t.Errorf("%s: then %v", name, err)
		}
	}
}

func TestFigures(t *testing.T) {
	t.Parallel()
	f, err := NewFigures(t.Context(), warehousetest.Operation(), [][]string{
		{"2022-12/1", "2022-12", "total_movements", "2022-12", "", "", "19156", "", "", "movements", ""},
		{"2022-12/1", "2022-12", "total_movements", "2022-12", "point", "obock", "", "", "", "movements", ""}})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	a, err := f.Ask(t.Context(), `SELECT release, "by", value FROM figure ORDER BY value NULLS LAST`, 10)
	if err != nil || len(a.Rows) != 2 || a.Rows[0][2] != "19156" || a.Rows[1][2] != "" {
		t.Errorf("%v %v", a, err)
	}
	for _, text := range []string{"SELECT * FROM movement", "SELECT * FROM fact", "SELECT * FROM interview"} {
		if _, err := f.Ask(t.Context(), text, 10); dtm.KindOf(err) != dtm.Invalid {
			t.Errorf("%s: %v", text, err)
		}
	}
}
