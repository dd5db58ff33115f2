package guard

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"dtm"
)

// crossed is a random table of two dimensions.
func crossed(r *rand.Rand) dtm.Table {
	t := dtm.Table{Indicator: dtm.Indicator{ID: "total_movements", Counts: true}, By: []string{"previous", "next"}}
	rows, cols, most, empty := 2+r.IntN(6), 2+r.IntN(6), 5+r.IntN(200), r.Float64()*0.7
	for i := range rows {
		for j := range cols {
			if r.Float64() < empty {
				continue
			}
			n := int64(r.IntN(most))
			v := float64(n)
			t.Figures = append(t.Figures, dtm.Figure{Keys: []string{fmt.Sprint("p", i), fmt.Sprint("n", j)}, Value: &v, People: n})
		}
	}
	return t
}

// margin is the table of fewer dimensions that anyone may ask for.
func margin(t dtm.Table, keep ...int) dtm.Table {
	out := dtm.Table{Indicator: t.Indicator}
	for _, d := range keep {
		out.By = append(out.By, t.By[d])
	}
	at := map[string]int{}
	for _, f := range t.Figures {
		keys := []string{}
		for _, d := range keep {
			keys = append(keys, f.Keys[d])
		}
		k := fmt.Sprint(keys)
		n, ok := at[k]
		if !ok {
			n = len(out.Figures)
			at[k] = n
			out.Figures = append(out.Figures, dtm.Figure{Keys: keys, Value: new(float64)})
		}
		out.Figures[n].People += f.People
		*out.Figures[n].Value += *f.Value
	}
	return out
}

// attacked is what the published tables say about the cells: the table, those of its
// dimensions alone and the total are asked for as a reader would, each goes through
// guard, and what is hidden is attacked through all of them at once.
func attacked(t dtm.Table) (s Sums, hidden []bool) {
	at := map[string]int{}
	publish := func(in dtm.Table) {
		people := map[string]int64{}
		for _, f := range in.Figures {
			people[fmt.Sprint(in.By, f.Keys)] = f.People
		}
		for _, f := range withheld(in).Figures {
			k := fmt.Sprint(in.By, f.Keys)
			at[k] = s.Add(float64(people[k]))
			hidden = append(hidden, f.Suppressed)
		}
	}
	total := margin(t)
	publish(t)
	rows, cols := margin(t, 0), margin(t, 1)
	publish(rows)
	publish(cols)
	publish(total)
	sum := func(total string, parts []string) {
		row := []int{at[total]}
		for _, p := range parts {
			if i, ok := at[p]; ok { // a pair that is not there is known to be none
				row = append(row, i)
			}
		}
		s.Rows = append(s.Rows, row)
	}
	var p, n []string
	for _, f := range rows.Figures {
		p = append(p, fmt.Sprint(rows.By, f.Keys))
		var parts []string
		for _, c := range cols.Figures {
			parts = append(parts, fmt.Sprint(t.By, []string{f.Keys[0], c.Keys[0]}))
		}
		sum(p[len(p)-1], parts)
	}
	for _, c := range cols.Figures {
		n = append(n, fmt.Sprint(cols.By, c.Keys))
		var parts []string
		for _, f := range rows.Figures {
			parts = append(parts, fmt.Sprint(t.By, []string{f.Keys[0], c.Keys[0]}))
		}
		sum(n[len(n)-1], parts)
	}
	sum("[] []", p)
	sum("[] []", n)
	return s, hidden
}

// TestLinked: a table, the tables of its dimensions alone and the total, published
// one by one, do not give a small count away together.
func TestLinked(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(8, 9))
	small, narrow := 0, 0
	for range 400 {
		in := crossed(r)
		s, hidden := attacked(in)
		for i, b := range Attack(s, hidden) {
			if n := s.Count[i]; n > 0 && n < 10 {
				small++
				if !hidden[i] {
					t.Fatalf("%v is shown", n)
				}
				if b.High-b.Low < 10-1e-6 {
					narrow++
					t.Logf("%v is known to be %v to %v in %v", n, b.Low, b.High, said(in))
				}
			}
		}
	}
	t.Logf("%d small counts, %d of them narrower than 10", small, narrow)
	if narrow > 0 {
		t.Error("small counts are given away")
	}
}

func said(t dtm.Table) (out []string) {
	for _, f := range t.Figures {
		out = append(out, fmt.Sprintf("%v=%d", f.Keys, f.People))
	}
	return out
}
