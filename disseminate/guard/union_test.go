package guard_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"dtm"
	"dtm/analyse/indicator"
	"dtm/disseminate/guard"
)

// record is a line of a registry.
type record struct {
	at  map[string]string // by dimension
	fmp string
	n   int
}

// registry writes both files of the records.
func registry(list []record) [][]byte {
	var a, b strings.Builder
	a.WriteString("month,fmp,movement,previous,next,sex,age,n,reason_economic\n")
	b.WriteString("month,fmp,movement,previous,next,nat,n,reason_economic\n")
	for _, r := range list {
		fmt.Fprintf(&a, "2022-12,%s,%s,%s,%s,%s,%s,%d,1\n", r.fmp, r.at["direction"], r.at["previous"], r.at["next"], r.at["sex"], r.at["age"], r.n)
		fmt.Fprintf(&b, "2022-12,%s,%s,%s,%s,%s,%d,1\n", r.fmp, r.at["direction"], r.at["previous"], r.at["next"], r.at["nationality"], r.n)
	}
	return [][]byte{[]byte(a.String()), []byte(b.String())}
}

func randomMonth(r *rand.Rand, op *dtm.Operation) []record {
	points := map[string]string{"Obock": "obock", "Dikhil": "dikhil", "Yoboki": "yoboki", "Loyada": "loyada"}
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	most := 10 + r.IntN(120)
	seen := map[string]int{}
	var out []record
	for range 12 + r.IntN(25) {
		name := pick(slices.Sorted(maps.Keys(points))...)
		p, _ := op.Point(points[name])
		sex := pick("male", "male", "female")
		x := record{fmp: name, n: 1 + r.IntN(most), at: map[string]string{"point": p.Code, "region": p.Area, "direction": pick("incoming", "outgoing"), "previous": pick("ETH", "ETH", "SOM", "DJI", "YEM"),
			"next": pick("DJI", "SAU", "YEM"), "sex": sex, "age": pick("adults", "adults", "children"), "nationality": pick("ETH", "ETH", "ETH", "SOM", "DJI", "ERI")}}
		k := fmt.Sprint(x.at)
		if n, ok := seen[k]; ok {
			out[n].n += x.n
			continue
		}
		seen[k] = len(out)
		out = append(out, x)
	}
	return out
}

// world is all that can be asked of a month: each count once, whatever table it is in.
type world struct {
	guard.Sums
	at     map[string]int
	hidden []bool
}

func name(of string, at map[string]string) string {
	at = maps.Clone(at)
	if at["point"] != "" {
		delete(at, "region")
	}
	return of + fmt.Sprint(at)
}

// levels lists the ways to leave dimensions out.
func levels(dims ...string) [][]string {
	out := [][]string{{}, {"region"}, {"region", "point"}}
	for _, d := range append([]string{"direction"}, dims...) {
		for _, l := range slices.Clone(out) {
			out = append(out, append(slices.Clone(l), d))
		}
	}
	return out
}

func only(at map[string]string, dims []string) map[string]string {
	out := map[string]string{}
	for _, d := range dims {
		out[d] = at[d]
	}
	return out
}

// asked is the world as a reader finds it who asks for every table there is.
func asked(t *testing.T, g *guard.Guard, list []record) *world {
	t.Helper()
	w := &world{at: map[string]int{}}
	month := dtm.Months(dtm.Month{Year: 2022, Month: 12}, dtm.Month{Year: 2022, Month: 12})
	entry := func(r record) bool {
		p := r.at["previous"]
		return p != "DJI" && r.at["next"] != p && r.at["point"] != "obock" // Obock is an exit
	}
	for _, q := range []struct {
		of   string
		dims []string
		in   func(record) bool
	}{
		{"total_movements", []string{"previous", "next"}, func(record) bool { return true }},
		{"total_movements", []string{"nationality"}, func(record) bool { return true }},
		{"total_movements", []string{"sex", "age"}, func(record) bool { return true }},
		{"entries", []string{"previous", "next"}, entry},
	} {
		for _, dims := range levels(q.dims...) {
			truth := map[string]int{}
			for _, r := range list {
				if q.in(r) {
					truth[name(q.of, only(r.at, dims))] += r.n
				}
			}
			tab, err := g.Table(t.Context(), dtm.Query{Indicator: q.of, Period: month, By: dims})
			if err != nil {
				t.Fatal(err)
			}
			said := map[string]dtm.Figure{}
			for _, f := range tab.Figures {
				at := map[string]string{}
				for i, d := range tab.By {
					at[d] = f.Keys[i]
				}
				said[name(q.of, at)] = f
			}
			for _, k := range slices.Sorted(maps.Keys(truth)) {
				f, ok := said[k]
				n := truth[k]
				hidden := !ok || f.Suppressed
				if !hidden && int(*f.Value) != n {
					t.Fatalf("%s is %v, not %d", k, *f.Value, n)
				}
				if i, have := w.at[k]; have {
					if ok && hidden != w.hidden[i] { // a joined row is not there at all
						t.Fatalf("%s is withheld in one table and not in another", k)
					}
					continue
				}
				w.at[k] = w.Add(float64(n))
				least, most := 1.0, 1e9
				if hidden && f.Low != nil {
					least, most = *f.Low, *f.High
				}
				w.Least, w.Most, w.hidden = append(w.Least, least), append(w.Most, most), append(w.hidden, hidden)
			}
		}
		// Each count is the sum of those with one dimension more.
		for _, dims := range levels(q.dims...) {
			for _, more := range append([]string{"region", "point", "direction"}, q.dims...) {
				if slices.Contains(dims, more) || more == "point" && !slices.Contains(dims, "region") {
					continue
				}
				rows := map[string][]int{}
				for _, r := range list {
					if !q.in(r) {
						continue
					}
					k := name(q.of, only(r.at, dims))
					if rows[k] == nil {
						rows[k] = []int{w.at[k]}
					}
					part := w.at[name(q.of, only(r.at, append(slices.Clone(dims), more)))]
					if !slices.Contains(rows[k][1:], part) {
						rows[k] = append(rows[k], part)
					}
				}
				for _, k := range slices.Sorted(maps.Keys(rows)) {
					w.Rows = append(w.Rows, rows[k])
				}
			}
		}
	}
	// Entries are a part of the movements.
	for _, k := range slices.Sorted(maps.Keys(w.at)) {
		rest, is := strings.CutPrefix(k, "entries")
		if !is {
			continue
		}
		e, m := w.at[k], w.at["total_movements"+rest]
		row := []int{m, e}
		if n := w.Count[m] - w.Count[e]; n > 0 {
			row = append(row, w.Add(n))
			w.Least, w.Most, w.hidden = append(w.Least, 1), append(w.Most, 1e9), append(w.hidden, true)
		}
		w.Rows = append(w.Rows, row)
	}
	return w
}

// TestUnion: a reader who asks for every table of a month, with every filter, and
// attacks all of them at once concludes no small count to within the threshold. Hiding
// the small ones only is found out.
func TestUnion(t *testing.T) {
	op := djibouti(t)
	r := rand.New(rand.NewPCG(11, uint64(number(t, "DTM_TEST_SEED", 1))))
	var counts, small, hidden, naive int
	months := number(t, "DTM_TEST_MONTHS", 6)
	for range months {
		list := randomMonth(r, op)
		w := asked(t, guard.New(figures(t, op, registry(list)...), op), list)
		poor := guard.Sums{Count: w.Count, Rows: w.Rows, Least: make([]float64, len(w.Count))}
		first := make([]bool, len(w.Count))
		for i, n := range w.Count {
			first[i] = n < 10
		}
		for i, b := range guard.Attack(w.Sums, w.hidden) {
			counts++
			if w.hidden[i] {
				hidden++
			}
			if w.Count[i] >= 10 {
				continue
			}
			small++
			if !w.hidden[i] {
				t.Fatalf("%v is shown", w.Count[i])
			}
			if b.High-b.Low < 10-1e-6 {
				t.Errorf("%v is known to be %v to %v", w.Count[i], b.Low, b.High)
			}
		}
		for i, b := range guard.Attack(poor, first) {
			if w.Count[i] < 10 && b.High-b.Low < 10-1e-6 {
				naive++
			}
		}
	}
	t.Logf("%d months, %d counts, %d small, %d withheld; hiding the small ones only gives %d of them away", months, counts, small, hidden, naive)
	if naive == 0 {
		t.Error("the attack finds nothing where only the small counts are hidden: it cannot fail")
	}
}

// TestReleases: what changed between two releases of a month is withheld where so few
// people are concerned, and a release that gives a change away says so.
func TestReleases(t *testing.T) {
	op := djibouti(t)
	r := rand.New(rand.NewPCG(12, 1))
	months, open := 0, 0
	for range 8 {
		list := randomMonth(r, op)
		first, err := guard.New(figures(t, op, registry(list)...), op).Pattern(t.Context(), dtm.Month{Year: 2022, Month: 12})
		if err != nil {
			t.Fatal(err)
		}
		later := slices.Clone(list)
		for i := range later {
			switch r.IntN(4) {
			case 0:
				later[i].n += 1 + r.IntN(6)
			case 1:
				later[i].n += 30 + r.IntN(60)
			}
		}
		prior := func(context.Context, dtm.Month) ([]map[string]int64, bool, error) {
			return []map[string]int64{first.Shown()}, true, nil
		}
		second, err := guard.New(figures(t, op, registry(later)...), op, guard.After(prior)).Pattern(t.Context(), dtm.Month{Year: 2022, Month: 12})
		if err != nil {
			t.Fatal(err)
		}
		shown := second.Shown()
		for k, n := range first.Shown() {
			m, ok := shown[k]
			if d := m - n; ok && k != "total" && d != 0 && d > -10 && d < 10 {
				t.Errorf("%s was %d and is %d: a change of %d people is published", k, n, m, d)
			}
		}
		months++
		if len(second.Open) > 0 {
			open++
		}
	}
	t.Logf("%d months released twice, %d of them give a change away and cannot be frozen", months, open)

	// Three people more, and nothing else: nothing can hide them.
	list := []record{
		{fmp: "Obock", n: 500, at: map[string]string{"direction": "outgoing", "previous": "ETH", "next": "YEM", "sex": "male", "age": "adults", "nationality": "ETH"}},
		{fmp: "Dikhil", n: 300, at: map[string]string{"direction": "incoming", "previous": "ETH", "next": "DJI", "sex": "male", "age": "adults", "nationality": "ETH"}},
	}
	e := figures(t, op, registry(list)...)
	p, err := guard.New(e, op).Pattern(t.Context(), dtm.Month{Year: 2022, Month: 12})
	if err != nil || len(p.Open) > 0 || p.Small > 0 {
		t.Fatalf("%+v %v", p, err)
	}
	list[1].n += 3
	var e2 *indicator.Engine = figures(t, op, registry(list)...)
	for total, want := range map[bool]bool{true: true, false: false} {
		g := guard.New(e2, op, guard.After(func(context.Context, dtm.Month) ([]map[string]int64, bool, error) {
			return []map[string]int64{p.Shown()}, total, nil
		}))
		q, err := g.Pattern(t.Context(), dtm.Month{Year: 2022, Month: 12})
		if err != nil {
			t.Fatal(err)
		}
		if _, shown := q.Shown()["total"]; shown != want {
			t.Errorf("the total is shown: %v, want %v", shown, want)
		}
		if total && len(q.Open) == 0 {
			t.Error("three people more are published, and nobody is told")
		}
	}
}

func number(t *testing.T, name string, def int) int {
	t.Helper()
	v := os.Getenv(name)
	if v == "" {
		return def
	}
	n, err := strconv.Atoi(v)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
