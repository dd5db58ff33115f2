package duckdb

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"dtm"
	"dtm/analyse/warehouse"
	"dtm/analyse/warehouse/warehousetest"
)

// rowsWanted is how many facts the benchmarks use: DTM_BENCH_ROWS, 10 million
// unless told.
func rowsWanted(b *testing.B) int {
	s := os.Getenv("DTM_BENCH_ROWS")
	if s == "" {
		return 10_000_000
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// synthetic fills a warehouse with n invented facts of three years at the points
// of the operation: some 2,000 usual ways, of which few are very usual, by sex,
// age, nationality and reasons.
func synthetic(b *testing.B, n int) *Warehouse {
	b.Helper()
	op := warehousetest.Djibouti()
	w, err := Open(b.Context(), filepath.Join(b.TempDir(), "warehouse.duckdb"), op)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { w.Close() })
	ctx := b.Context()
	run := func(text string, args ...any) {
		b.Helper()
		if err := w.exec(ctx, text, args...); err != nil {
			b.Fatal(err)
		}
	}
	run(`CREATE TEMP TABLE synthetic_point (n INTEGER, code TEXT, region TEXT, role TEXT)`)
	for i, p := range op.Points {
		run(`INSERT INTO synthetic_point VALUES ($1, $2, $3, $4)`, i, p.Code, p.Area, dtm.ValueAt(p.Role, time.Now()))
	}
	run(fmt.Sprintf(`
		CREATE TEMP TABLE synthetic AS
		SELECT 's' || (i // 4) AS source, day, 1 + h %% 12 AS people, way, n,
			CASE WHEN h %% 40 = 0 THEN (h // 40) %% 4 ELSE 4 END AS nat, (h // 160) %% 2 AS sex, CAST((h // 320) %% 5 = 0 AS integer) AS age
		FROM (
			SELECT i, h, way, way %% 22 AS n, DATE '2021-01-01' + CAST(i * 1095 // %d AS integer) AS day
			FROM (
				SELECT i, h, CAST(2000 * pow((h // 5000 %% 10000) / 10000.0, 3) AS bigint) AS way
				FROM (SELECT range AS i, CAST(hash(range) %% 1000000007 AS bigint) AS h FROM range(%d))
			)
		)`, n, n))
	run(`
		CREATE TEMP TABLE synthetic_cell AS
		SELECT CAST(row_number() OVER () AS integer) AS cell, *
		FROM (SELECT DISTINCT way, n, nat, sex, age FROM synthetic)`)
	run(`
		INSERT INTO cell
		SELECT 'djibouti', c.cell, p.code, '', p.region, p.role,
			['incoming', 'outgoing'][1 + way % 2], 'f' || (way % 5), 'r' || (way % 3), 'r' || (way % 7), 'OOO',
			['ETH', 'YEM', 'DJI', 'SOM'][1 + (way // 7) % 4], ['SAU', 'DJI', 'ETH', 'YEM', 'SOM'][1 + (way // 28) % 5], 'OOO',
			'full', ['YEM', 'SOM', 'ERI', 'DJI', 'ETH'][1 + nat], ['male', 'female'][1 + sex], ['adults', 'children'][1 + age], ['adults', 'children'][1 + age],
			['', 'economic', 'conflict economic', 'economic family', 'conflict'][1 + way % 5], ['foot', 'bus foot', 'boat'][1 + way % 3]
		FROM synthetic_cell c
		JOIN synthetic_point p ON p.n = c.n`)
	run(`
		INSERT INTO fact
		SELECT 'djibouti', s.source, s.day, date_trunc('month', s.day), false, c.cell, s.people, '', true
		FROM synthetic s
		JOIN synthetic_cell c ON c.way = s.way AND c.nat = s.nat AND c.sex = s.sex AND c.age = s.age
		ORDER BY s.day NULLS LAST`)
	run(`DROP TABLE synthetic`)
	run(`INSERT INTO answer_set VALUES ('reason', 'economic', 'economic'), ('reason', 'conflict economic', 'conflict'),
		('reason', 'conflict economic', 'economic'), ('reason', 'economic family', 'economic'), ('reason', 'economic family', 'family'),
		('reason', 'conflict', 'conflict')`)
	if err := w.SumUp(ctx); err != nil {
		b.Fatal(err)
	}
	run(`UPDATE load_position SET seq = 1, hash = 'bench'`)
	run(`CHECKPOINT`)
	return w
}

// BenchmarkLoad brings a million movement rows in as an import does: chunks of
// 5,000 rows, each row with its own key.
func BenchmarkLoad(b *testing.B) {
	const n = 1_000_000
	op := warehousetest.Djibouti()
	rows := make([]dtm.Movement, n)
	ways := []string{"ETH", "YEM", "DJI", "SOM", "SAU"}
	for i := range rows {
		way := i * 7919 % 2003
		rows[i] = dtm.Movement{
			Source: fmt.Sprintf("%016x", uint64(i)*0x9e3779b97f4a7c15), Observed: time.Date(2019, time.Month(1+i*60/n), 1, 0, 0, 0, 0, time.UTC), MonthOnly: true,
			Point: op.Points[way%len(op.Points)].Code, PointText: "x", Direction: "outgoing", Route: "Eastern Corridor", Subroute: "Outgoing to Eastern Corridor",
			Origin: "OOO", Final: "OOO", Previous: ways[way%5], Next: ways[way/5%5], Breakdown: dtm.BySexAge,
			Sex: []string{"male", "female"}[i%2], Age: []string{"adults", "children"}[i/2%2], People: 1 + i%40, Reasons: []string{"economic"},
		}
	}
	for b.Loop() {
		w, err := Open(b.Context(), filepath.Join(b.TempDir(), "warehouse.duckdb"), op)
		if err != nil {
			b.Fatal(err)
		}
		start := time.Now()
		var at warehouse.Position
		var batch warehouse.Batch
		for part := range slices.Chunk(rows, 5000) {
			batch.Chunks = append(batch.Chunks, warehouse.Chunk{Hash: part[0].Source, Rows: part})
			if batch.Rows() >= 100_000 {
				batch.From, batch.To = at, warehouse.Position{Seq: at.Seq + 1, Hash: part[0].Source}
				if _, err := w.Apply(b.Context(), batch); err != nil {
					b.Fatal(err)
				}
				at, batch = batch.To, warehouse.Batch{}
			}
		}
		took := time.Since(start)
		b.ReportMetric(float64(n)/took.Seconds(), "rows/s")
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFollow adds batches of 50 submissions of 4 rows to the synthetic facts,
// as phones send them, and reports the median and the slowest milliseconds of a
// batch.
func BenchmarkFollow(b *testing.B) {
	w := synthetic(b, rowsWanted(b))
	if err := w.exec(b.Context(), `INSERT INTO submission SELECT DISTINCT operation, source FROM fact`); err != nil {
		b.Fatal(err)
	}
	at, err := w.Position(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	var took []time.Duration
	for b.Loop() {
		batch := warehouse.Batch{From: at, To: warehouse.Position{Seq: at.Seq + 50, Hash: "x"}}
		for i := range 50 {
			m := dtm.Movement{Observed: time.Date(2023, 12, 20, 0, 0, 0, 0, time.UTC), Point: "OBO", Previous: "ETH", Next: "YEM", Nationality: "ETH", Sex: "male", Age: "adults", People: 3}
			batch.Submissions = append(batch.Submissions, warehouse.Submission{
				Source: fmt.Sprintf("uuid:%d-%d", at.Seq, i), Facts: dtm.Facts{Movements: []dtm.Movement{m, m, m, m}},
			})
		}
		start := time.Now()
		if _, err := w.Apply(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(start))
		at = batch.To
	}
	slices.Sort(took)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "median-ms")
	b.ReportMetric(float64(took[len(took)-1].Microseconds())/1000, "most-ms")
}
