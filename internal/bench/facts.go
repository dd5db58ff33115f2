package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	_ "github.com/duckdb/duckdb-go/v2" // the warehouse's driver, for the same texts run bare

	"dtm"
	"dtm/analyse/indicator"
	"dtm/analyse/warehouse"
	"dtm/analyse/warehouse/duckdb"
	"dtm/operation"
)

// measureFacts measures the warehouse, and how soon what a phone sends is seen.
func measureFacts(bin, keep string, compare, large int) error {
	op, err := operation.Pack("djibouti")
	if err != nil {
		return err
	}
	if err := facts(op, keep, compare, large); err != nil {
		return err
	}
	if bin, err = filepath.Abs(bin); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "dtm-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if _, _, err := run(bin, "init", "-data", dir); err != nil {
		return err
	}
	return seen(bin, dir)
}

// facts measures the warehouse at two sizes: every indicator of movements against
// the same texts run bare at 10 million facts, the questions of a dashboard at 100
// million, and loading. What is generated is kept in the folder keep, and taken from
// there; "" keeps nothing.
func facts(op *dtm.Operation, keep string, compare, large int) error {
	ctx := context.Background()
	dir, err := os.MkdirTemp(keep, "dtm-facts-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if keep == "" {
		keep = dir
	}
	line("measure", "seen", "allowed")
	if b, err := os.ReadFile("/proc/loadavg"); err == nil {
		line("load of the machine before", strings.TrimSpace(string(b)), "")
	}
	if err := loading(ctx, op, dir); err != nil {
		return err
	}
	if compare > 0 {
		if err := against(ctx, op, keep, compare); err != nil {
			return err
		}
	}
	if large > 0 {
		if err := questions(ctx, op, keep, large); err != nil {
			return err
		}
	}
	if b, err := os.ReadFile("/proc/loadavg"); err == nil {
		line("load of the machine after", strings.TrimSpace(string(b)), "")
	}
	return nil
}

// loading applies two million rows of 300,000 registered keys, as the loader does.
func loading(ctx context.Context, op *dtm.Operation, dir string) error {
	const n = 2_000_000
	w, err := duckdb.Open(ctx, filepath.Join(dir, "load.duckdb"), op)
	if err != nil {
		return err
	}
	defer w.Close()
	ways := []string{"ETH", "YEM", "DJI", "SOM", "SAU"}
	var took time.Duration
	var at warehouse.Position
	rows := make([]dtm.Movement, 100_000)
	for part := range n / len(rows) {
		for k := range rows {
			i := part*len(rows) + k
			way := i * 7919 % 2003
			rows[k] = dtm.Movement{
				Source: fmt.Sprintf("%016x", uint64(i)*0x9e3779b97f4a7c15), Observed: time.Date(2019, time.Month(1+i*60/n), 1+i%28, 0, 0, 0, 0, time.UTC),
				Point: op.Points[way%len(op.Points)].Code, Direction: "outgoing", Route: "Eastern Corridor", Previous: ways[way%5], Next: ways[way/5%5], Breakdown: dtm.BySexAge,
				Sex: []string{"male", "female"}[i%2], Age: []string{"adults", "children"}[i/2%2], People: 1 + i%40, Reasons: []string{"economic"},
			}
		}
		b := warehouse.Batch{From: at, To: warehouse.Position{Seq: at.Seq + 1, Hash: "x"}}
		for chunk := range slices.Chunk(rows, 5000) {
			b.Chunks = append(b.Chunks, warehouse.Chunk{Hash: chunk[0].Source, Rows: chunk})
		}
		began := time.Now()
		if _, err := w.Apply(ctx, b); err != nil {
			return err
		}
		took += time.Since(began)
		at = b.To
	}
	line(fmt.Sprintf("loader, %d facts with days", n), fmt.Sprintf("%.0f facts/s", n/took.Seconds()), "500,000 facts/s")
	return nil
}

// generated gives the warehouse file of n facts in a folder: one that is there, if it
// is of this program's layout.
func generated(ctx context.Context, op *dtm.Operation, folder string, n int) (string, error) {
	file := filepath.Join(folder, fmt.Sprintf("facts-%d.duckdb", n))
	if _, err := os.Stat(file); err == nil {
		w, err := duckdb.Open(ctx, file, op)
		if err != nil {
			return "", err
		}
		at, err := w.Position(ctx)
		if err := errors.Join(err, w.Close()); err != nil {
			return "", err
		}
		if at.Hash == generatedHash {
			line(fmt.Sprintf("%d facts generated", n), "before", "")
			return file, nil
		}
		if err := os.Remove(file); err != nil {
			return "", err
		}
	}
	began := time.Now()
	if err := synthesize(ctx, op, file, n); err != nil {
		return "", err
	}
	st, err := os.Stat(file)
	if err != nil {
		return "", err
	}
	line(fmt.Sprintf("%d facts generated", n), fmt.Sprintf("%s, %d MB", time.Since(began).Round(time.Second), st.Size()>>20), "")
	return file, nil
}

const generatedHash = "bench"

// synthesize fills a warehouse file with n facts of three years at the points of the
// operation: some 2,000 usual ways, of which few are very usual, by sex, age,
// nationality and reasons.
func synthesize(ctx context.Context, op *dtm.Operation, file string, n int) error {
	w, err := duckdb.Open(ctx, file, op)
	if err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	db, err := sql.Open("duckdb", file)
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	run := func(text string, args ...any) {
		if err == nil {
			if _, err = db.ExecContext(ctx, text, args...); err != nil {
				err = fmt.Errorf("%s: %w", strings.Join(strings.Fields(text), " "), err)
			}
		}
	}
	run(`SET preserve_insertion_order = false; SET memory_limit = '6GB'; SET temp_directory = '` + filepath.Dir(file) + `/spill'`)
	run(`CREATE TEMP TABLE synthetic_point (n INTEGER, code TEXT, region TEXT, role TEXT)`)
	for i, p := range op.Points {
		run(`INSERT INTO synthetic_point VALUES ($1, $2, $3, $4)`, i, p.Code, p.Area, dtm.ValueAt(p.Role, time.Now()))
	}
	run(fmt.Sprintf(`
		CREATE TEMP TABLE synthetic_cell AS
		SELECT CAST(row_number() OVER () AS integer) - 1 AS cell, way, way %% %d AS n, nat, sex, age
		FROM range(2000) w(way), range(5) a(nat), range(2) b(sex), range(2) c(age)`, len(op.Points)))
	run(`
		INSERT INTO cell
		SELECT $1, c.cell, p.code, '', p.region, p.role,
			['incoming', 'outgoing'][1 + way % 2], 'f' || (way % 5), 'r' || (way % 3), 'r' || (way % 7), 'OOO',
			['ETH', 'YEM', 'DJI', 'SOM'][1 + (way // 7) % 4], ['SAU', 'DJI', 'ETH', 'YEM', 'SOM'][1 + (way // 28) % 5], 'OOO',
			'full', ['YEM', 'SOM', 'ERI', 'DJI', 'ETH'][1 + nat], ['male', 'female'][1 + sex], ['adults', 'children'][1 + age], ['adults', 'children'][1 + age],
			['', 'economic', 'conflict economic', 'economic family', 'conflict'][1 + way % 5], ['foot', 'bus foot', 'boat'][1 + way % 3]
		FROM synthetic_cell c
		JOIN synthetic_point p ON p.n = c.n`, op.Code)
	run(`
		INSERT INTO answer_set VALUES ('reason', 'economic', 'economic'), ('reason', 'conflict economic', 'conflict'), ('reason', 'conflict economic', 'economic'),
			('reason', 'economic family', 'economic'), ('reason', 'economic family', 'family'), ('reason', 'conflict', 'conflict'),
			('transport', 'foot', 'foot'), ('transport', 'bus foot', 'bus'), ('transport', 'bus foot', 'foot'), ('transport', 'boat', 'boat')`)
	// A month at a time: the days lie in order, as the log brings them.
	months := 36
	for m := range months {
		from, to := n/months*m, n/months*(m+1)
		run(fmt.Sprintf(`
			INSERT INTO fact
			SELECT '%s', 's' || (i // 4), day, date_trunc('month', day), false,
				way * 20 + (CASE WHEN h %% 40 = 0 THEN (h // 40) %% 4 ELSE 4 END) * 4 + (h // 160) %% 2 * 2 + CAST((h // 320) %% 5 = 0 AS integer),
				1 + h %% 12, '', true
			FROM (
				SELECT i, h, least(1999, CAST(2000 * pow((h // 5000 %% 10000) / 10000.0, 3) AS integer)) AS way, DATE '2021-01-01' + INTERVAL (%d) MONTH + INTERVAL ((i - %d) * 28 // %d) DAY AS day
				FROM (SELECT range AS i, CAST(hash(range) %% 1000000007 AS bigint) AS h FROM range(%d, %d))
			)`, op.Code, m, from, to-from, from, to))
	}
	run(`UPDATE load_position SET seq = 1, hash = '` + generatedHash + `', event_at = TIMESTAMP '2024-01-01'`)
	run(`CHECKPOINT`)
	if err := errors.Join(err, db.Close()); err != nil {
		return err
	}
	if w, err = duckdb.Open(ctx, file, op); err != nil {
		return err
	}
	return errors.Join(w.SumUp(ctx), w.Close())
}

// seen sends 500 submissions a second to a server for twenty seconds.
func seen(bin, data string) error {
	s, _, err := start(bin, data)
	if err != nil {
		return err
	}
	defer s.stop()
	p, err := enrol(bin, data, 10_000)
	if err != nil {
		return err
	}
	return delay(s.base, p.bodies, p.post)
}

// recorder notes the texts that the engine runs.
type recorder struct {
	*duckdb.Warehouse
	ran []recorded
}

type recorded struct {
	text    string
	args    []any
	columns int // that were read
}

type recording struct {
	warehouse.Reader
	to *recorder
}

func (r *recorder) Read(ctx context.Context, f func(warehouse.Reader) error) error {
	return r.Warehouse.Read(ctx, func(rd warehouse.Reader) error { return f(recording{rd, r}) })
}

func (r recording) Query(ctx context.Context, text string, args []any, row func(func(...any) error) error) error {
	r.to.ran = append(r.to.ran, recorded{text: text, args: args})
	ran := &r.to.ran[len(r.to.ran)-1]
	return r.Reader.Query(ctx, text, args, func(scan func(...any) error) error {
		return row(func(dest ...any) error {
			ran.columns = len(dest)
			return scan(dest...)
		})
	})
}

var (
	numbered = regexp.MustCompile(`\$(\d+)`)
	besides  = regexp.MustCompile(`FROM load_position|, main, point, region$`)
)

// bare writes the arguments into the text, as somebody at the DuckDB prompt would.
func (r recorded) bare() string {
	return numbered.ReplaceAllStringFunc(r.text, func(s string) string {
		n, _ := strconv.Atoi(s[1:])
		return fmt.Sprintf("'%v'", r.args[n-1])
	})
}

func monthOf(y, m int) dtm.Month { return dtm.Month{Year: y, Month: time.Month(m)} }

// asks are the questions of every indicator of movements: one month, by its default
// dimensions, and what it needs to know.
func asks(list []dtm.Indicator) (out []dtm.Query) {
	one := dtm.Months(monthOf(2023, 11), monthOf(2023, 11))
	for _, i := range list {
		if i.Facts != indicator.Movements && i.Facts != indicator.Vulnerabilities || i.Operation {
			continue
		}
		q := dtm.Query{Indicator: i.ID, Period: one}
		if strings.HasPrefix(i.ID, "returns") {
			q.Where = map[string][]string{"previous": {"YEM"}}
		}
		if strings.HasPrefix(i.ID, "movement_share") {
			q.Where = map[string][]string{"previous": {"ETH"}}
		}
		out = append(out, q)
	}
	week, _ := dtm.ParsePeriod("2023-11-06", "2023-11-12")
	year := dtm.Months(monthOf(2022, 12), monthOf(2023, 11))
	return append(out,
		dtm.Query{Indicator: "total_movements", Period: week, By: []string{"day"}},
		dtm.Query{Indicator: "total_movements", Period: year, By: []string{"day", "point"}},
		dtm.Query{Indicator: "sex_age_share_pct", Period: year, By: []string{"month", "sex", "age"}},
		dtm.Query{Indicator: "total_movements", Period: dtm.Months(monthOf(2021, 1), monthOf(2023, 12)), By: []string{"month", "point"}})
}

func nameOf(q dtm.Query) string {
	name := q.Indicator
	if len(q.By) > 0 {
		name += " by " + strings.Join(q.By, ",")
	}
	return name
}

// against asks each question through the engine, run after run without its memory of
// answers, and runs the texts that it ran bare on a connection of its own. Each is first
// in every other run: the second finds what it reads in the processor's memory.
func against(ctx context.Context, op *dtm.Operation, folder string, n int) error {
	file, err := generated(ctx, op, folder, n)
	if err != nil {
		return err
	}
	w, err := duckdb.Open(ctx, file, op)
	if err != nil {
		return err
	}
	defer w.Close()
	rec := &recorder{Warehouse: w}
	worst, name := 0.0, ""
	var catalogue []dtm.Indicator
	if e, err := indicator.New(op, rec); err != nil {
		return err
	} else {
		catalogue = e.Catalogue()
	}
	for _, q := range asks(catalogue) {
		var texts []recorded // as the engine runs them
		var engine, bare []time.Duration
		// Both begin alike: with an engine that knows what is asked once a state of the
		// data and no answer of use, and with nothing left behind of making it.
		ready := func() (*indicator.Engine, error) {
			e, err := indicator.New(op, rec)
			if err != nil {
				return nil, err
			}
			runtime.GC()
			_, err = e.Table(ctx, dtm.Query{Indicator: "coverage_days_pct", Period: dtm.Months(monthOf(2023, 12), monthOf(2023, 12))})
			return e, err
		}
		ask := func() error {
			e, err := ready()
			if err != nil {
				return err
			}
			rec.ran = nil
			at := time.Now()
			if _, err := e.Table(ctx, q); err != nil {
				return fmt.Errorf("%s: %w", nameOf(q), err)
			}
			engine = append(engine, time.Since(at))
			texts = nil
			for _, r := range rec.ran {
				if !besides.MatchString(r.text) {
					r.text = r.bare()
					texts = append(texts, r)
				}
			}
			return nil
		}
		run := func() error {
			if _, err := ready(); err != nil {
				return err
			}
			at := time.Now()
			err := w.Read(ctx, func(rd warehouse.Reader) error {
				for _, r := range texts {
					values := make([]any, r.columns)
					for i := range values {
						values[i] = new(any)
					}
					if err := rd.Query(ctx, r.text, nil, func(scan func(...any) error) error { return scan(values...) }); err != nil {
						return err
					}
				}
				return nil
			})
			bare = append(bare, time.Since(at))
			return err
		}
		if err := ask(); err != nil { // for the texts
			return err
		}
		engine = nil
		for i := range 16 {
			first, second := ask, run
			if i%2 == 1 {
				first, second = run, ask
			}
			if err := first(); err != nil {
				return err
			}
			if err := second(); err != nil {
				return err
			}
		}
		x, y := slices.Min(engine), slices.Min(bare) // what other work on the machine adds is in neither
		ratio := float64(x) / float64(y)
		if ratio > worst {
			worst, name = ratio, nameOf(q)
		}
		line("  "+nameOf(q), fmt.Sprintf("%s, bare %s: %.2f", ms(x), ms(y), ratio), "1.30")
	}
	line(fmt.Sprintf("worst of them, %d facts", n), fmt.Sprintf("%.2f %s", worst, name), "1.30")
	return nil
}

// questions asks what dashboards ask, once each on a warehouse that was just opened.
func questions(ctx context.Context, op *dtm.Operation, folder string, n int) error {
	file, err := generated(ctx, op, folder, n)
	if err != nil {
		return err
	}
	w, err := duckdb.Open(ctx, file, op)
	if err != nil {
		return err
	}
	defer w.Close()
	e, err := indicator.New(op, w)
	if err != nil {
		return err
	}
	first := time.Now()
	if _, err := e.Span(ctx); err != nil {
		return err
	}
	line("  what is there, once a state of the data", ms(time.Since(first)), "1,500 ms")
	worst, name := time.Duration(0), ""
	for _, q := range asks(e.Catalogue()) {
		at := time.Now()
		if _, err := e.Table(ctx, q); err != nil {
			return fmt.Errorf("%s: %w", nameOf(q), err)
		}
		took := time.Since(at)
		if took > worst {
			worst, name = took, nameOf(q)
		}
		line("  "+nameOf(q), ms(took), "1,500 ms")
	}
	line(fmt.Sprintf("slowest of them, %d facts", n), ms(worst)+" "+name, "1,500 ms")
	line("memory of the process after that", memoryOf(os.Getpid(), "VmHWM")+" at most", "4,096 MB")
	return nil
}
