package warehousetest

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dtm"
	"dtm/analyse/indicator"
	"dtm/analyse/load"
	"dtm/analyse/warehouse"
)

func row(point, date, sex string, people int) dtm.Movement {
	d, err := time.Parse(time.DateOnly, date)
	if err != nil {
		panic(err)
	}
	return dtm.Movement{
		Source: point + date + sex, Observed: d, Point: point, Previous: "BEL", Next: "ALB",
		Breakdown: dtm.Full, Nationality: "BEL", Sex: sex, Age: "adults", People: people,
	}
}

// runLoad checks the contract of a warehouse and of the loader on it.
func runLoad(t *testing.T, open Open) {
	t.Run("Outcome", func(t *testing.T) {
		t.Parallel()
		op, log := Operation(), NewLog()
		w := open(t, op)
		l := log.Loader(op, w)
		if _, err := w.Outcome(t.Context(), "none"); dtm.KindOf(err) != dtm.NotFound {
			t.Errorf("outcome of a chunk that is not there: %v, want NotFound", err)
		}
		first := log.Import(row("GATE", "2022-03-01", "male", 1), row("GATE", "2022-03-01", "female", 2))
		again := row("ROAD", "2022-03-01", "male", 5)
		// The same key twice in one chunk, and in two chunks of one batch.
		second := log.Import(row("GATE", "2022-03-01", "male", 1), row("GATE", "2022-03-01", "female", 3), again, again)
		third := log.Import(again, row("ROAD", "2022-03-01", "female", 0))
		log.Note()
		r := MustCatchUp(t, l)
		want := []load.Outcome{
			{Chunk: first, Rows: 2, Added: 2},
			{Chunk: second, Rows: 4, Added: 1, Unchanged: 2, Changed: 1},
			{Chunk: third, Rows: 2, Added: 1, Unchanged: 1},
		}
		if d := cmp.Diff(want, r.Chunks); d != "" {
			t.Errorf("together:\n%s", d)
		}
		if r.Events != 4 || r.Rows != 8 || r.To.Seq != 4 {
			t.Errorf("result %+v, want 4 events, 8 rows, up to 4", r)
		}
		// One at a time, in another warehouse: the same counts, the same facts.
		apart := open(t, op)
		l2 := log.Loader(op, apart)
		l2.Limit = 1
		if d := cmp.Diff(want, MustCatchUp(t, l2).Chunks); d != "" {
			t.Errorf("apart:\n%s", d)
		}
		if d := cmp.Diff(Facts(t, w), Facts(t, apart)); d != "" {
			t.Errorf("facts differ:\n%s", d)
		}
		for _, o := range want {
			got, err := l.Outcome(t.Context(), o.Chunk)
			if err != nil || got != o {
				t.Errorf("remembered outcome %+v %v, want %+v", got, err, o)
			}
		}
	})

	t.Run("ConflictWhenBehind", func(t *testing.T) {
		t.Parallel()
		op, log := Operation(), NewLog()
		w := open(t, op)
		log.Submit("a", "", row("GATE", "2022-03-01", "male", 1))
		MustCatchUp(t, log.Loader(op, w))
		before := Facts(t, w)
		_, err := w.Apply(t.Context(), warehouse.Batch{
			To:          warehouse.Position{Seq: 7},
			Submissions: []warehouse.Submission{{Source: "b", Facts: dtm.Facts{Movements: []dtm.Movement{row("GATE", "2022-03-01", "male", 9)}}}},
		})
		if dtm.KindOf(err) != dtm.Conflict {
			t.Errorf("a batch that starts elsewhere: %v, want Conflict", err)
		}
		if d := cmp.Diff(before, Facts(t, w)); d != "" {
			t.Errorf("the refused batch left something:\n%s", d)
		}
	})

	t.Run("Withdrawn", func(t *testing.T) {
		t.Parallel()
		op, log := Operation(), NewLog()
		w := open(t, op)
		l := log.Loader(op, w)
		same := func(when string, l *load.Loader, w Warehouse, rows ...[]dtm.Movement) {
			t.Helper()
			MustCatchUp(t, l)
			fresh, only := open(t, op), NewLog()
			for _, r := range rows {
				only.Import(r...)
			}
			only.Submit("s", "", row("ROAD", "2022-03-02", "male", 2))
			MustCatchUp(t, only.Loader(op, fresh))
			if d := cmp.Diff(Facts(t, fresh), Facts(t, w)); d != "" {
				t.Errorf("%s:\n%s", when, d)
			}
		}
		keyed := func(key string, n int) dtm.Movement {
			m := row("GATE", "2022-03-01", "male", n)
			m.Source = key
			return m
		}
		first := []dtm.Movement{keyed("a", 5), keyed("b", 6)}
		second := []dtm.Movement{keyed("b", 60), keyed("c", 7)} // corrects one row of the first, adds one
		log.Import(first...)
		log.Submit("s", "", row("ROAD", "2022-03-02", "male", 2))
		hash := log.Import(second...)
		same("both", l, w, first, second)
		log.Withdraw(hash)
		same("the second taken back", l, w, first)
		apart := open(t, op)
		one := log.Loader(op, apart)
		one.Limit = 1
		same("the same from the beginning", one, apart, first)
		log.Import(second...)
		same("the second again", l, w, first, second)
		same("the second again, behind", one, apart, first, second)
		// As a release of then is verified: nobody had taken anything back.
		if gone, err := log.WithdrawnChunks(t.Context(), 3); err != nil || len(gone) != 0 {
			t.Errorf("taken back by event 3: %v, %v", gone, err)
		}
	})

	t.Run("OtherLog", func(t *testing.T) {
		t.Parallel()
		op := Operation()
		w := open(t, op)
		one, other := NewLog(), NewLog()
		one.Note()
		one.Submit("a", "", row("GATE", "2022-03-01", "male", 1))
		MustCatchUp(t, one.Loader(op, w))
		other.Submit("b", "", row("ROAD", "2022-03-01", "male", 2))
		MustCatchUp(t, other.Loader(op, w))
		fresh := open(t, op)
		MustCatchUp(t, other.Loader(op, fresh))
		if d := cmp.Diff(Facts(t, fresh), Facts(t, w)); d != "" {
			t.Errorf("facts of another log are left:\n%s", d)
		}
	})

	t.Run("Review", func(t *testing.T) {
		t.Parallel()
		op, log := Operation(), NewLog()
		log.Submit("a", "", row("GATE", "2022-03-01", "male", 40))
		log.Submit("b", "", row("GATE", "2022-03-01", "male", 3))
		log.Correct("a", row("GATE", "2022-03-01", "male", 4))
		log.Review("b", dtm.StateRejected)
		log.Review("b", dtm.StateConfirmed)
		log.Review("a", dtm.StateRejected)
		log.Correct("a", row("GATE", "2022-03-01", "male", 5))
		want := []string{"40", "43", "7", "4", "7", "3", "8"}
		w := open(t, op)
		step := log.Loader(op, w)
		events, _ := log.Events(t.Context(), 0, 100)
		for n := range events {
			// As of each event, from the log up to it alone.
			upTo := open(t, op)
			l := log.Loader(op, upTo)
			l.Events = first{log, int64(n + 1)}
			MustCatchUp(t, l)
			step.Events = l.Events
			MustCatchUp(t, step)
			for name, w := range map[string]Warehouse{"at once": upTo, "step by step": w} {
				if got := people(t, w); got != want[n] {
					t.Errorf("%s, as of event %d: %s people, want %s", name, n+1, got, want[n])
				}
			}
		}
	})

	t.Run("Problem", func(t *testing.T) {
		t.Parallel()
		op, log := Operation(), NewLog()
		w := open(t, op)
		log.Submit("good", "", row("GATE", "2022-03-01", "male", 1))
		log.Submit("bad", "")
		log.Submit("later", "", row("GATE", "2022-03-02", "male", 1))
		l := log.Loader(op, w)
		decode := l.DecodeSubmission
		l.DecodeSubmission = func(ctx context.Context, s dtm.Submission) (dtm.Facts, []dtm.Flag, error) {
			if s.ID == "bad" {
				return dtm.Facts{}, nil, dtm.Errorf(dtm.Invalid, "no instance")
			}
			return decode(ctx, s)
		}
		r := MustCatchUp(t, l)
		if len(r.Problems) != 1 || r.Problems[0].Event.Subject != "bad" || r.Submissions != 3 {
			t.Errorf("problems %+v, %d submissions; want bad alone of 3", r.Problems, r.Submissions)
		}
		if n := len(Facts(t, w)); n != 2+1+2+2 { // movement, its month, its days, arrivals
			t.Errorf("%d lines of facts, want 7", n)
		}
	})

	t.Run("Again", func(t *testing.T) {
		t.Parallel()
		op, log := Operation(), NewLog()
		w := open(t, op)
		l := log.Loader(op, w)
		log.Submit("a", "", row("GATE", "2022-03-01", "male", 1), row("ROAD", "2022-03-01", "male", 1))
		MustCatchUp(t, l)
		// One batch holds an instance that is known, one that is new, and one that
		// comes twice in it.
		log.Submit("a", "", row("GATE", "2022-03-01", "male", 5))
		log.Submit("b", "", row("PORT", "2022-03-01", "male", 7))
		log.Submit("c", "", row("WELL", "2022-03-01", "male", 8))
		log.Submit("c", "", row("WELL", "2022-03-01", "male", 9))
		MustCatchUp(t, l)
		apart := open(t, op)
		l2 := log.Loader(op, apart)
		l2.Limit = 1
		MustCatchUp(t, l2)
		if d := cmp.Diff(Facts(t, apart), Facts(t, w)); d != "" {
			t.Errorf("one by one and together differ:\n%s", d)
		}
		e, err := indicator.New(op, w)
		if err != nil {
			t.Fatal(err)
		}
		month := dtm.Month{Year: 2022, Month: 3}
		tab, err := e.Table(t.Context(), dtm.Query{Indicator: "total_movements", Period: dtm.Months(month, month)})
		if err != nil {
			t.Fatal(err)
		}
		if len(tab.Figures) != 1 || *tab.Figures[0].Value != 5+7+9 {
			t.Errorf("%+v, want 21", tab.Figures)
		}
	})

	t.Run("Follow", func(t *testing.T) { runFollow(t, open) })
}

// runFollow sends submissions at 500 a second and measures how long each takes
// until a query sees it.
func runFollow(t *testing.T, open Open) {
	op, log := Operation(), NewLog()
	w := open(t, op)
	l := log.Loader(op, w)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	e, err := indicator.New(op, w)
	if err != nil {
		t.Fatal(err)
	}
	const n = 1000
	sent := make([]time.Time, n+1)
	var last atomic.Int64
	go func() {
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		for i := 1; i <= n; i++ {
			<-tick.C
			sent[i] = time.Now()
			last.Store(log.Submit(fmt.Sprint("s", i), "", row("GATE", "2022-03-01", "male", 1), row("GATE", "2022-03-01", "female", 1)))
		}
	}()
	var latency []time.Duration
	seen := 0
	for seen < n {
		if err := l.WaitFor(ctx, int64(seen+1)); err != nil {
			t.Fatal(err)
		}
		tab, err := e.Table(ctx, dtm.Query{Indicator: "total_movements", Period: dtm.Months(dtm.Month{Year: 2022, Month: 3}, dtm.Month{Year: 2022, Month: 3})})
		if err != nil {
			t.Fatal(err)
		}
		now := time.Now()
		have := int(*tab.Figures[0].Value) / 2
		if int64(have) != tab.Release.Seq {
			t.Fatalf("the figure holds %d submissions, its release names event %d", have, tab.Release.Seq)
		}
		for ; seen < have; seen++ {
			latency = append(latency, now.Sub(sent[seen+1]))
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	slices.Sort(latency)
	p95, most := latency[n*95/100], latency[n-1]
	t.Logf("submission to figure at 500/s: median %v, p95 %v, most %v", latency[n/2], p95, most)
	if p95 > time.Second {
		t.Errorf("p95 %v, want at most 1s", p95)
	}
}

// runRepeat loads invented logs in different ways: whole, in pieces with restarts
// at random places, stopped in the middle of a batch, and again into an emptied
// warehouse. The facts are the same. And the order of imports does not matter.
func runRepeat(t *testing.T, open Open) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint("Seed", seed), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, 1))
			op := Operation()
			steps := randomSteps(r)
			log := NewLog()
			for _, s := range steps {
				s(log)
			}
			whole := open(t, op)
			MustCatchUp(t, log.Loader(op, whole))
			want := Facts(t, whole)

			pieces := open(t, op)
			for {
				l := log.Loader(op, pieces) // a new program each time
				l.Limit = 1 + r.IntN(20)
				ctx, cancel := context.WithCancel(t.Context())
				if r.IntN(3) == 0 {
					decode := l.DecodeSubmission
					l.DecodeSubmission = func(ctx context.Context, s dtm.Submission) (dtm.Facts, []dtm.Flag, error) {
						if r.IntN(8) == 0 {
							cancel() // killed between reading and writing
						}
						return decode(ctx, s)
					}
				}
				_, err := l.CatchUp(ctx)
				stopped := ctx.Err() != nil
				cancel()
				if err == nil {
					break
				}
				if !stopped {
					t.Fatal(err)
				}
			}
			if d := cmp.Diff(want, Facts(t, pieces)); d != "" {
				t.Errorf("in pieces:\n%s", d)
			}

			if err := whole.Reset(t.Context()); err != nil {
				t.Fatal(err)
			}
			if n := len(Facts(t, whole)); n != 0 {
				t.Errorf("%d lines left after Reset", n)
			}
			MustCatchUp(t, log.Loader(op, whole))
			if d := cmp.Diff(want, Facts(t, whole)); d != "" {
				t.Errorf("again after Reset:\n%s", d)
			}
			if res := MustCatchUp(t, log.Loader(op, whole)); res.Events != 0 {
				t.Errorf("nothing was new, yet %d events were loaded", res.Events)
			}
			sum(t, op, whole)
			parts(t, op, whole)
		})
		t.Run(fmt.Sprint("Shuffled", seed), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, 2))
			op := Operation()
			chunks := randomHistory(r)
			var want []string
			for range 3 {
				log := NewLog()
				for _, c := range chunks {
					r.Shuffle(len(c), func(i, j int) { c[i], c[j] = c[j], c[i] })
					log.Import(c...)
				}
				w := open(t, op)
				l := log.Loader(op, w)
				l.Limit = 1 + r.IntN(50)
				MustCatchUp(t, l)
				got := Facts(t, w)
				if want != nil {
					if d := cmp.Diff(want, got); d != "" {
						t.Errorf("in another order:\n%s", d)
					}
				}
				want = got
				sum(t, op, w)
				r.Shuffle(len(chunks), func(i, j int) { chunks[i], chunks[j] = chunks[j], chunks[i] })
			}
		})
	}
}

// sum checks that the rollup says what the facts say: each indicator's total over
// whole months (rollup) and over the same days one by one (facts).
func sum(t *testing.T, op *dtm.Operation, w Warehouse) {
	t.Helper()
	err := w.Read(t.Context(), func(r warehouse.Reader) error {
		totals := map[string]int64{}
		for name, text := range map[string]string{
			"facts":  `SELECT CAST(sum(people) AS bigint) FROM movement WHERE operation = $1 AND main`,
			"months": `SELECT CAST(sum(people) AS bigint) FROM movement_month WHERE operation = $1 AND main`,
			"days":   `SELECT count(*) FROM (SELECT DISTINCT observed, point, point_text FROM movement WHERE operation = $1 AND NOT month_only) d`,
			"point":  `SELECT count(*) FROM (SELECT DISTINCT observed, point, point_text FROM point_day WHERE operation = $1) d`,
		} {
			err := r.Query(t.Context(), text, []any{op.Code}, func(scan func(...any) error) error {
				var n *int64
				err := scan(&n)
				if n != nil {
					totals[name] = *n
				}
				return err
			})
			if err != nil {
				return err
			}
		}
		if totals["facts"] != totals["months"] || totals["days"] != totals["point"] {
			t.Errorf("the rollups do not add up to the facts: %v", totals)
		}
		// Of each month and cell, and of each day and place, they say what the facts say.
		day := func(table string) string {
			const by = `observed, month, point, point_text, region, direction, main`
			return `SELECT ` + by + `, CAST(sum(people) AS bigint) AS people FROM ` + table + ` WHERE operation = $1 AND NOT month_only GROUP BY ` + by
		}
		of := func(table string) string {
			const by = `month, month_only, point, point_text, region, role, direction, flow_type, route, subroute, origin, previous, next, final, breakdown, nationality, sex, age, age_band, reason_set, transport_set, main`
			return `SELECT ` + by + `, CAST(sum(people) AS bigint) AS people FROM ` + table + ` WHERE operation = $1 GROUP BY ` + by
		}
		for _, two := range [][2]string{{"movement", "movement_month"}, {"movement_month", "movement"}, {"movement", "movement_point_day"}, {"movement_point_day", "movement"}} {
			of := of
			if slices.Contains(two[:], "movement_point_day") {
				of = day
			}
			n := 0
			if err := r.Query(t.Context(), `SELECT count(*) FROM (`+of(two[0])+` EXCEPT `+of(two[1])+`) d`, []any{op.Code}, func(scan func(...any) error) error { return scan(&n) }); err != nil {
				return err
			}
			if n > 0 {
				t.Errorf("%d rows of %s are not in %s", n, two[0], two[1])
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// parts checks with every dimension that the parts of a total add up to it, that
// shares add up to 100, and that what is known by the day adds up to the months
// where every day is known.
func parts(t *testing.T, op *dtm.Operation, w Warehouse) {
	t.Helper()
	e, err := indicator.New(op, w)
	if err != nil {
		t.Fatal(err)
	}
	period := dtm.Months(dtm.Month{Year: 2022, Month: 2}, dtm.Month{Year: 2022, Month: 4})
	ask := func(id string, by ...string) (sum float64, tab dtm.Table) {
		t.Helper()
		tab, err := e.Table(t.Context(), dtm.Query{Indicator: id, Period: period, By: by})
		if err != nil {
			t.Fatal(id, by, err)
		}
		for _, f := range tab.Figures {
			if f.Value != nil {
				sum += *f.Value
			}
		}
		return sum, tab
	}
	for _, i := range e.Catalogue() {
		switch {
		case i.Unit == "movements" && i.ID != "returns" && i.ID != "panel_movements":
			whole, _ := ask(i.ID, "month")
			for _, dim := range i.By {
				got, tab := ask(i.ID, dim)
				partial := slices.ContainsFunc(tab.Notes, func(n dtm.Note) bool {
					return n.Code == "rows.nationality" || n.Code == "rows.sex_age" || n.Code == "month_only.left_out"
				})
				if got != whole && !partial {
					t.Errorf("%s by %s adds up to %v, the whole is %v, and no note says why", i.ID, dim, got, whole)
				}
			}
		case i.ID == "unknown_sex_age_share_pct" || i.Facts != indicator.Movements: // one part of a whole, or parts that overlap
		case i.Share:
			for _, by := range [][]string{i.Default, append([]string{"month"}, i.Default...)} {
				if len(i.Default) == 0 {
					by = append(by, "point")
				}
				sum, tab := ask(i.ID, by...)
				months := map[string]bool{}
				for _, f := range tab.Figures {
					if by[0] == "month" {
						months[f.Keys[0]] = true
					} else {
						months[""] = true
					}
				}
				if want := 100 * float64(len(months)); math.Abs(sum-want) > 1e-6 && !i.Operation {
					t.Errorf("%s by %v adds up to %v, want %v", i.ID, by, sum, want)
				}
			}
		}
	}
}

var (
	somePoints = []string{"GATE", "ROAD", "PORT", "WELL", ""}
	someSexes  = []string{"male", "female", "unknown"}
)

// randomSteps makes a log of submissions, corrections and imports.
// runVersions: whatever happens, a month whose facts are others has another version,
// and most that happens leaves most months their version.
func runVersions(t *testing.T, open Open) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprint("Seed", seed), func(t *testing.T) {
			t.Parallel()
			versionsOf(t, open, rand.New(rand.NewPCG(seed, 2)))
		})
	}
}

func versionsOf(t *testing.T, open Open, r *rand.Rand) {
	t.Helper()
	op := Operation()
	log := NewLog()
	w := open(t, op)
	l := log.Loader(op, w)
	read := func() (facts map[string]string, versions map[string]int64) {
		facts, versions = map[string]string{}, map[string]int64{}
		for _, f := range Facts(t, w) {
			if part := strings.Split(f, "|"); part[0] == "movement" || part[0] == "movement_month" || part[0] == "point_day" || part[0] == "vulnerability" {
				facts[part[3]] += f + "\n"
			}
		}
		err := w.Read(t.Context(), func(r warehouse.Reader) error {
			return r.Query(t.Context(), `SELECT CAST(month AS text), version FROM month_version WHERE operation = $1`, []any{op.Code}, func(scan func(...any) error) error {
				var m string
				var v int64
				err := scan(&m, &v)
				versions[m] = v
				return err
			})
		})
		if err != nil {
			t.Fatal(err)
		}
		return facts, versions
	}
	facts, versions := read()
	kept := 0
	for _, step := range randomSteps(r) {
		step(log)
		MustCatchUp(t, l)
		now, is := read()
		for m := range now {
			switch {
			case now[m] != facts[m] && is[m] == versions[m]:
				t.Fatalf("%s changed and has its version still:\n%s", m, cmp.Diff(facts[m], now[m]))
			case is[m] == versions[m]:
				kept++
			}
		}
		facts, versions = now, is
	}
	if kept < 50 {
		t.Errorf("months kept their version %d times", kept)
	}
}

func randomSteps(r *rand.Rand) []func(*Log) {
	var out []func(*Log)
	for _, c := range randomHistory(r) {
		out = append(out, func(l *Log) { l.Import(c...) })
	}
	for i := range 60 {
		id, replaces := fmt.Sprint("s", i), ""
		if i > 0 && r.IntN(5) == 0 {
			replaces = fmt.Sprint("s", r.IntN(60)) // earlier or later
		}
		if replaces == id {
			replaces = ""
		}
		rows := make([]dtm.Movement, r.IntN(4))
		for j := range rows {
			rows[j] = randomRow(r)
			// A form without nationality: its rows put rows by nationality aside.
			rows[j].Breakdown, rows[j].Sex = dtm.BySexAge, someSexes[r.IntN(3)]
			if r.IntN(2) == 0 {
				rows[j].Breakdown, rows[j].Nationality = dtm.Full, "BEL"
			}
		}
		out = append(out, func(l *Log) { l.Submit(id, replaces, rows...) })
	}
	for range 5 {
		out = append(out, (*Log).Note)
	}
	r.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

func randomRow(r *rand.Rand) dtm.Movement {
	m := dtm.Movement{
		Observed: time.Date(2022, time.Month(2+r.IntN(3)), 1+r.IntN(28), 0, 0, 0, 0, time.UTC),
		Point:    somePoints[r.IntN(len(somePoints))], Previous: "BEL", Next: "ALB", People: r.IntN(9),
	}
	if m.Point == "" {
		m.PointText = "somewhere"
	}
	if r.IntN(3) == 0 {
		m.Reasons = []string{"conflict", "economic"}[:1+r.IntN(2)]
	}
	if r.IntN(4) == 0 {
		m.Vulnerable = []dtm.Vulnerable{{Code: "uac", People: r.IntN(3)}}
	}
	return m
}

// randomHistory makes chunks of both breakdowns without corrections: a correction
// is the one thing whose order must count.
func randomHistory(r *rand.Rand) [][]dtm.Movement {
	var out [][]dtm.Movement
	seen := map[string]bool{}
	for range 6 {
		var c []dtm.Movement
		for range 30 {
			m := randomRow(r)
			m.Observed = dtm.MonthOf(m.Observed).First()
			m.MonthOnly = true
			if r.IntN(2) == 0 {
				m.Breakdown, m.Nationality = dtm.ByNationality, []string{"BEL", "CYP"}[r.IntN(2)]
				m.Vulnerable = nil
			} else {
				m.Breakdown, m.Sex = dtm.BySexAge, someSexes[r.IntN(3)]
			}
			key := m
			key.People, key.Vulnerable = 0, nil
			m.Source = fmt.Sprint(key)
			if seen[m.Source] {
				continue
			}
			seen[m.Source] = true
			c = append(c, m)
		}
		out = append(out, c)
	}
	return out
}

// first is a log that ends early.
type first struct {
	*Log
	last int64
}

func (f first) Events(ctx context.Context, after int64, limit int) ([]dtm.Event, error) {
	list, err := f.Log.Events(ctx, after, limit)
	return slices.DeleteFunc(list, func(e dtm.Event) bool { return e.Seq > f.last }), err
}

// people is the sum of all facts, as text.
func people(t *testing.T, w Warehouse) string {
	t.Helper()
	var n int64
	if err := w.Read(t.Context(), func(r warehouse.Reader) error {
		return r.Query(t.Context(), `SELECT CAST(coalesce(sum(people), 0) AS bigint) FROM movement`, nil, func(scan func(...any) error) error { return scan(&n) })
	}); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(n)
}
