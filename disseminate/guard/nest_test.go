package guard

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"dtm"
)

// people of points in regions by sex: what counts of sites and interviews are.
type person struct{ point, region, sex string }

func placed(r *rand.Rand) (people map[person]int64, in nest) {
	people, in = map[person]int64{}, nest{dim: "point", in: map[string]string{}}
	most := 10 + r.IntN(150)
	for p := range 3 + r.IntN(6) {
		point, region := fmt.Sprint("p", p), fmt.Sprint("r", r.IntN(3))
		in.in[point] = region
		for _, sex := range []string{"female", "male", "unknown"} {
			if r.IntN(4) > 0 {
				people[person{point, region, sex}] = int64(1 + r.IntN(1+r.IntN(most)))
			}
		}
	}
	return people, in
}

func (p person) at(dim string) string {
	return map[string]string{"point": p.point, "region": p.region, "sex": p.sex}[dim]
}

// placesAsked is every table of such counts, one by one as a reader asks for them, in one
// system of sums.
func placesAsked(people map[person]int64, in, known nest) (s Sums, hidden []bool) {
	at := map[string]int{}
	name := func(p person, dims []string) string {
		var b strings.Builder
		for _, d := range dims {
			b.WriteString(d + "=" + p.at(d) + " ")
		}
		return b.String()
	}
	order := slices.SortedFunc(maps.Keys(people), func(a, b person) int {
		return strings.Compare(fmt.Sprint(a), fmt.Sprint(b))
	})
	tables := [][]string{{}, {"region"}, {"point"}, {"sex"}, {"region", "sex"}, {"point", "sex"}}
	for _, by := range tables {
		t := dtm.Table{Indicator: dtm.Indicator{Counts: true}, By: by}
		place := map[string]int{}
		for _, p := range order {
			k := name(p, by)
			n, ok := place[k]
			if !ok {
				n = len(t.Figures)
				place[k] = n
				keys := []string{}
				for _, d := range by {
					keys = append(keys, p.at(d))
				}
				t.Figures = append(t.Figures, dtm.Figure{Keys: keys, Value: new(float64)})
			}
			t.Figures[n].People += people[p]
			*t.Figures[n].Value += float64(people[p])
		}
		out, _, _ := alone(t, 10, func() (nest, error) {
			if slices.Contains(by, "point") {
				return known, nil
			}
			return nest{}, nil
		})
		count := map[string]int64{}
		for _, f := range t.Figures {
			count[fmt.Sprint(f.Keys)] = f.People
		}
		for _, f := range out.Figures { // withheld pairs of which nobody is behind among them
			p := person{}
			for i, d := range by {
				switch d {
				case "point":
					p.point = f.Keys[i]
				case "region":
					p.region = f.Keys[i]
				case "sex":
					p.sex = f.Keys[i]
				}
			}
			at[name(p, by)] = s.Add(float64(count[fmt.Sprint(f.Keys)]))
			hidden = append(hidden, f.Suppressed)
		}
	}
	var all []person // those that nobody is behind too
	for _, point := range slices.Sorted(maps.Keys(in.in)) {
		for _, sex := range []string{"female", "male", "unknown"} {
			all = append(all, person{point, in.in[point], sex})
		}
	}
	for _, x := range []struct{ whole, parts []string }{
		{nil, []string{"region"}}, {nil, []string{"sex"}}, {[]string{"region"}, []string{"point"}}, {[]string{"region"}, []string{"region", "sex"}},
		{[]string{"sex"}, []string{"region", "sex"}}, {[]string{"point"}, []string{"point", "sex"}}, {[]string{"region", "sex"}, []string{"point", "sex"}},
	} {
		rows := map[string][]int{}
		for _, p := range all {
			k := name(p, x.whole)
			whole, is := at[k]
			part, there := at[name(p, x.parts)]
			if !is || !there { // known to be none
				continue
			}
			if rows[k] == nil {
				rows[k] = []int{whole}
			}
			if !slices.Contains(rows[k][1:], part) {
				rows[k] = append(rows[k], part)
			}
		}
		for _, k := range slices.Sorted(maps.Keys(rows)) {
			s.Rows = append(s.Rows, rows[k])
		}
	}
	return s, hidden
}

// TestPlacesInRegions: tables by point and by region of the same people, each protected
// as it is asked for, hardly give a small count away together; without knowing which
// region a point is in, a third of them. What is left is where the tables of fewer
// dimensions, chosen before, leave the finer one no way out.
func TestPlacesInRegions(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(21, 4))
	small, narrow, apart := 0, 0, 0
	for range 200 {
		people, in := placed(r)
		for _, known := range []bool{true, false} {
			n := in
			if !known {
				n = nest{}
			}
			s, hidden := placesAsked(people, in, n)
			for i, b := range Attack(s, hidden) {
				if s.Count[i] >= 10 || s.Count[i] == 0 {
					continue
				}
				if !hidden[i] {
					t.Fatalf("%v is shown", s.Count[i])
				}
				open := b.High-b.Low < 10-1e-6
				switch {
				case known:
					small++
					if open {
						narrow++
					}
				case open:
					apart++
				}
			}
		}
	}
	t.Logf("%d small counts, %d narrower than 10; without the regions %d", small, narrow, apart)
	if narrow*100 > small {
		t.Error("small counts are given away")
	}
	if apart*10 < small {
		t.Error("the attack finds little where regions are not looked at: it cannot fail")
	}
}
