package indicator

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"time"

	"dtm"
)

func TestQueriesLint(t *testing.T) {
	t.Parallel()
	files, err := fs.Glob(queries, "query/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatal("no queries", err)
	}
	for _, f := range files {
		data, err := queries.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, fault := range Lint(string(data)) {
			t.Errorf("%s: %s", f, fault)
		}
		if !strings.HasPrefix(string(data), "-- ") {
			t.Errorf("%s does not begin with a comment that says what it gives", f)
		}
	}
}

// TestLintBites makes sure that each rule can be broken.
func TestLintBites(t *testing.T) {
	t.Parallel()
	const good = "SELECT a, CAST(sum(n) AS bigint), CAST(n AS double precision) / CAST(m AS double precision)\nFROM t\nWHERE operation = $1\nORDER BY a NULLS LAST"
	if faults := Lint(good); len(faults) != 0 {
		t.Errorf("a good text has faults: %v", faults)
	}
	for bad, want := range map[string]string{
		"SELECT n / 2 FROM t WHERE operation = $1":                      "division",
		"SELECT sum(n) FROM t WHERE operation = $1":                     "sum or avg",
		"SELECT round(avg(n)) FROM t WHERE operation = $1":              "sum or avg",
		"SELECT n FROM t WHERE operation = $1 ORDER BY n":               "order by",
		"SELECT n FROM t WHERE operation = $1 ORDER BY n NULLS LAST, m": "order by",
		"SELECT to_char(d) FROM t WHERE operation = $1":                 "only one engine",
		"SELECT d::text FROM t WHERE operation = $1":                    "only one engine",
		"SELECT n FROM t WHERE operation = $1 GROUP BY ALL":             "only one engine",
		"SELECT n FROM t WHERE operation = $1 AND d < now()":            "a clock",
		"DELETE FROM t WHERE operation = $1":                            "something else",
		"SELECT * FROM t WHERE operation = $1":                          "all columns",
		"SELECT n FROM t WHERE operation = $1; SELECT 1":                "more than one",
		"SELECT n FROM t": "not filtered",
	} {
		if !strings.Contains(strings.Join(Lint(bad), ", "), want) {
			t.Errorf("%s: faults %v, want %s", bad, Lint(bad), want)
		}
	}
}

// TestTextsNumberTheirArguments fills every text with filters and looks whether
// each argument is used and none is missing.
func TestTextsNumberTheirArguments(t *testing.T) {
	t.Parallel()
	files, err := fs.Glob(queries, "query/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	p := dtm.Period{From: time.Date(2022, 1, 3, 0, 0, 0, 0, time.UTC), To: time.Date(2022, 2, 1, 0, 0, 0, 0, time.UTC)}
	for _, f := range files {
		name := strings.TrimSuffix(strings.TrimPrefix(f, "query/"), ".sql")
		a := ask{by: []string{"month", "sex"}, period: p, rows: mainRows, where: map[string][]string{"previous": {"ETH", "YEM"}, "reason": {"economic"}, "point": {"a"}}}
		body, args, err := text(name, "op", a, "extra", "more")
		if err != nil {
			t.Fatal(err)
		}
		used := map[string]bool{}
		for _, m := range argument.FindAllString(body, -1) {
			used[m] = true
		}
		for n := range args {
			if !used[fmt.Sprintf("$%d", n+1)] {
				t.Errorf("%s: argument $%d is not used in\n%s", name, n+1, body)
			}
		}
		if len(used) != len(args) {
			t.Errorf("%s: %d arguments for %d numbers in\n%s", name, len(args), len(used), body)
		}
		if m := marker.FindString(body); m != "" {
			t.Errorf("%s: the marker %s is left", name, m)
		}
	}
}
