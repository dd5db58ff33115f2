package guard

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"dtm"
)

// busyMonth is a month at n points in six regions: few usual ways, many others; when
// spread, all as frequent as each other.
func busyMonth(n int, spread bool) *counts {
	r := rand.New(rand.NewPCG(uint64(n), 9))
	people := map[[5]string]int64{}
	usual := func(list ...string) string {
		if spread {
			return list[r.IntN(len(list))]
		}
		return list[int(float64(len(list))*math.Pow(r.Float64(), 2.5))]
	}
	for range n * 100 {
		p := r.IntN(n)
		people[[5]string{usual("outgoing", "incoming"), usual("SAU", "YEM", "DJI", "ETH"), string(rune('A' + p)), usual("ETH", "DJI", "YEM", "SOM"), string(rune('a' + p%6))}] += int64(1 + r.IntN(20))
	}
	t := &lines{by: []string{"direction", "next", "point", "previous", "region"}}
	for _, k := range slices.SortedFunc(maps.Keys(people), func(a, b [5]string) int { return slices.Compare(a[:], b[:]) }) {
		t.list = append(t.list, line{codes: k[:], n: people[k]})
	}
	c := newCounts("")
	c.add("total", cubes[0], t)
	return c
}

// TestManyPoints: the small counts of a month at many points are protected by few others,
// found without a question over all counts at once: those take minutes each.
func TestManyPoints(t *testing.T) {
	for name, spread := range map[string]bool{"usual ways": false, "all ways": true} {
		t.Run(name, func(t *testing.T) { manyPoints(t, busyMonth(16, spread)) })
	}
}

func manyPoints(t *testing.T, c *counts) {
	p, err := c.choose(t.Context(), dtm.Month{Year: 2022, Month: 12}, 10, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Open) > 0 || p.Small < 40 || p.Company > 8*p.Small {
		t.Fatalf("%d counts, %d small, %d hidden for them, %d open", len(p.Cells), p.Small, p.Company, len(p.Open))
	}
	t.Logf("%d counts, %d small, %d hidden for them", len(p.Cells), p.Small, p.Company)
	var s Sums
	var hidden []bool
	at := map[*entry]int{}
	for _, k := range slices.Sorted(maps.Keys(c.cells)) {
		e, cell := c.cells[k].root(), p.Cells[k]
		if _, there := at[e]; there {
			continue
		}
		at[e] = s.Add(float64(e.n))
		least, most := 1.0, math.Inf(1)
		if cell.Company && cell.High >= 0 {
			least, most = float64(cell.Low), float64(cell.High)
		}
		s.Least, s.Most, hidden = append(s.Least, least), append(s.Most, most), append(hidden, cell.Hidden)
	}
	for _, row := range c.rows {
		var r []int
		for _, e := range row {
			r = append(r, at[e.root()])
		}
		if len(r) > 2 {
			s.Rows = append(s.Rows, r)
		}
	}
	m := s.whatReadersSee(hidden)
	looked := 0
	for i, n := range s.Count {
		if n >= 10 {
			continue
		}
		if !hidden[i] {
			t.Fatalf("%g is shown", n)
		}
		if looked++; looked%3 > 0 { // each takes a while
			continue
		}
		if b := s.attack(m, hidden, i); b.High-b.Low < 10-1e-6 {
			t.Errorf("%g is known to be %g to %g", n, b.Low, b.High)
		}
	}
}
