package duckdb

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"time"

	"dtm"
	"dtm/analyse/indicator"
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

type recorded struct {
	text string
	args []any
}

// recorder notes the texts that the engine runs.
type recorder struct {
	*Warehouse
	ran []recorded
}

type recordingReader struct {
	warehouse.Reader
	to *recorder
}

func (r *recorder) Read(ctx context.Context, f func(warehouse.Reader) error) error {
	return r.Warehouse.Read(ctx, func(rd warehouse.Reader) error { return f(recordingReader{rd, r}) })
}

func (r recordingReader) Query(ctx context.Context, text string, args []any, row func(func(...any) error) error) error {
	r.to.ran = append(r.to.ran, recorded{text, args})
	return r.Reader.Query(ctx, text, args, row)
}

// bare writes the arguments into the text, as somebody at the DuckDB prompt would.
func (r recorded) bare() string {
	return numbered.ReplaceAllStringFunc(r.text, func(s string) string {
		n, _ := strconv.Atoi(s[1:])
		return fmt.Sprintf("'%v'", r.args[n-1])
	})
}

// BenchmarkIndicators asks each indicator through the engine and runs the texts
// that the engine ran bare, and over the facts instead of the rollup. It reports
// milliseconds of each, medians, and engine to bare.
func BenchmarkIndicators(b *testing.B) {
	w := synthetic(b, rowsWanted(b))
	rec := &recorder{Warehouse: w}
	e, err := indicator.New(w.op, rec)
	if err != nil {
		b.Fatal(err)
	}
	month := func(y, m int) dtm.Month { return dtm.Month{Year: y, Month: time.Month(m)} }
	one := dtm.Months(month(2023, 11), month(2023, 11))
	year := dtm.Months(month(2022, 11), month(2023, 11))
	week, err := dtm.ParsePeriod("2023-11-06", "2023-11-12")
	if err != nil {
		b.Fatal(err)
	}
	eth := map[string][]string{"previous": {"ETH"}}
	for _, c := range []struct {
		name string
		q    dtm.Query
	}{
		{"total", dtm.Query{Indicator: "total_movements", Period: one}},
		{"total_all_years", dtm.Query{Indicator: "total_movements", Period: dtm.Months(month(2021, 1), month(2023, 12)), By: []string{"month"}}},
		{"total_by_point", dtm.Query{Indicator: "total_movements", Period: one, By: []string{"point"}}},
		{"total_by_day", dtm.Query{Indicator: "total_movements", Period: year, By: []string{"day"}}},
		{"total_week", dtm.Query{Indicator: "total_movements", Period: week}},
		{"daily_average", dtm.Query{Indicator: "daily_average", Period: one}},
		{"daily_average_observed_days", dtm.Query{Indicator: "daily_average_observed_days", Period: one}},
		{"daily_average_per_point", dtm.Query{Indicator: "daily_average_per_point", Period: one}},
		{"change_13_months", dtm.Query{Indicator: "change_on_previous_month_pct", Period: year, By: []string{"month"}}},
		{"change_on_previous_year", dtm.Query{Indicator: "change_on_previous_year_pct", Period: one}},
		{"baseline_change", dtm.Query{Indicator: "baseline_change_pct", Period: one}},
		{"share_of_obock", dtm.Query{Indicator: "obock_share_pct", Period: one}},
		{"sex_age_share", dtm.Query{Indicator: "sex_age_share_pct", Period: one}},
		{"nationality_share", dtm.Query{Indicator: "nationality_share_pct", Period: one}},
		{"destination_share", dtm.Query{Indicator: "destination_share_pct", Period: one}},
		{"reason_share", dtm.Query{Indicator: "reason_share_pct", Period: one}},
		{"origin_destination", dtm.Query{Indicator: "origin_destination", Period: one}},
		{"entries", dtm.Query{Indicator: "entries", Period: one, Where: eth}},
		{"active_points", dtm.Query{Indicator: "active_points", Period: year, By: []string{"month"}}},
		{"panel", dtm.Query{Indicator: "panel_movements", Period: year}},
	} {
		b.Run(c.name, func(b *testing.B) {
			var engine, bare, facts []time.Duration
			for b.Loop() {
				rec.ran = rec.ran[:0]
				start := time.Now()
				if _, err := e.Table(b.Context(), c.q); err != nil {
					b.Fatal(err)
				}
				engine = append(engine, time.Since(start))
				ran := slices.Clone(rec.ran)
				run := func(texts []string) time.Duration {
					start := time.Now()
					for _, text := range texts {
						rows, err := w.db.QueryContext(b.Context(), text)
						if err != nil {
							b.Fatal(text, err)
						}
						for rows.Next() {
						}
						if err := rows.Close(); err != nil {
							b.Fatal(err)
						}
					}
					return time.Since(start)
				}
				var texts, slow []string
				for _, r := range ran {
					if regexp.MustCompile(`load_position|, main, point, region$`).MatchString(r.text) {
						continue // what the engine asks besides counts as its own time
					}
					texts = append(texts, r.bare())
					slow = append(slow, regexp.MustCompile(`\bmovement_month\b`).ReplaceAllString(r.bare(), "movement"))
				}
				bare = append(bare, run(texts))
				facts = append(facts, run(slow))
			}
			median := func(d []time.Duration) float64 {
				slices.Sort(d)
				return float64(d[len(d)/2].Microseconds()) / 1000
			}
			x, y, z := median(engine), median(bare), median(facts)
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(x, "engine-ms")
			b.ReportMetric(y, "bare-ms")
			b.ReportMetric(z, "facts-ms")
			b.ReportMetric(x/z, "engine/facts")
		})
	}
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
