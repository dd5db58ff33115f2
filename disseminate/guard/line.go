package guard

import (
	"slices"
	"strings"

	"dtm"
)

// alone withholds in a table that no cube is of: presence, interviews, needs and
// incidents are not counts of the same people by the same dimensions, and are protected
// table by table. A cell is small when the people behind it, or the whole that it is a
// share of, are 1 to threshold-1. Where cells add up, others join the small ones until
// a reader of the table, of the tables of fewer of its dimensions and of the total can
// conclude no small count to within the threshold. Places lie in regions: where the table
// is by a place and not by region, the table by region instead is looked at too. within
// gives the places, when something is withheld.
func alone(t dtm.Table, threshold int64, within func() (nest, error)) (dtm.Table, bool, error) {
	i := t.Indicator
	adds := i.Counts || i.Share
	if !adds && i.Unit != "percent" {
		return t, false, nil
	}
	var places nest
	if adds && slices.ContainsFunc(t.Figures, func(f dtm.Figure) bool { return f.Suppressed || small(i, f, threshold) }) {
		var err error
		if places, err = within(); err != nil {
			return t, false, err
		}
	}
	g := newGrid(t, places)
	any := false
	for n, f := range g.cells {
		if f.Suppressed || small(i, f, threshold) {
			g.hidden[n], any = true, true
		}
	}
	if any && adds {
		g.choose(float64(threshold))
	}
	t.Figures = g.shown()
	return t, any, nil
}

// small tells whether a cell gives away a count from 1 to threshold-1. A figure
// without a value may still carry such a count as its numerator.
func small(i dtm.Indicator, f dtm.Figure, threshold int64) bool {
	if !given(f) {
		return false
	}
	if f.People > 0 && f.People < threshold {
		return true
	}
	// The whole of a share is people; the denominator of an average is days.
	d := f.Denominator
	return d != nil && (i.Share || i.Unit == "movements") && *d > 0 && *d < float64(threshold)
}

// given tells whether a cell says anything.
func given(f dtm.Figure) bool { return f.Value != nil || f.Numerator != nil }

// choose hides more cells until none of those that are hidden already can be
// computed from the others and the table's margins.
func (g *grid) choose(threshold float64) {
	small := append([]bool(nil), g.hidden...)
	g.accompany()
	groups := map[string][]int{} // by time
	for i, f := range g.cells {
		if len(f.Keys) == len(g.by) {
			k := g.key(f.Keys, isTime)
			groups[k] = append(groups[k], i)
		}
	}
	for _, cells := range groups {
		for _, i := range cells {
			if small[i] {
				g.protect(cells, small, threshold)
				break
			}
		}
	}
	g.accompany()
}

// key joins the codes of some dimensions.
func (g *grid) key(keys []string, of func(dim string) bool) string {
	var b strings.Builder
	for d, dim := range g.by {
		if of(dim) {
			b.WriteString(keys[d])
			b.WriteByte(0)
		}
	}
	if g.nested() && of(region) && !of(g.places.dim) {
		b.WriteString(g.region(keys))
	}
	return b.String()
}

// protect hides company among cells of one time. The margins are hidden where the
// table of the fewer dimensions that holds them hides them; the others are known.
func (g *grid) protect(cells []int, small []bool, threshold float64) {
	var s Sums
	var hidden, must []bool
	for _, c := range cells {
		s.Add(float64(g.cells[c].People))
		s.Fixed = append(s.Fixed, !given(g.cells[c]))
		hidden, must = append(hidden, g.hidden[c]), append(must, small[c])
	}
	g.margins(cells, threshold, func(n float64, hide bool, less bool) int {
		s.Fixed, hidden, must = append(s.Fixed, true), append(hidden, hide), append(must, less)
		return s.Add(n)
	}, func(row []int) { s.Rows = append(s.Rows, row) })
	Protect(s, must, hidden, threshold)
	for i, c := range cells {
		g.hidden[c] = hidden[i]
	}
}

// margins adds the margins of cells, which have the indices 0, 1, ..., and the sums.
func (g *grid) margins(cells []int, threshold float64, add func(n float64, hidden, small bool) int, row func([]int)) {
	var sides []string
	for _, dim := range g.by {
		if !isTime(dim) {
			sides = append(sides, dim)
		}
	}
	place, outer := 0, 0 // as bits
	if g.nested() {
		sides = append(sides, region)
		place, outer = 1<<slices.Index(sides, g.places.dim), 1<<(len(sides)-1)
	}
	full := 1<<len(sides) - 1
	table := func(kept int) bool { return kept&place == 0 || kept&outer != 0 } // a place stands in its region
	levels := make([]map[string]int, full+1)                                   // by which sides are kept
	levels[full] = map[string]int{}
	at := func(kept int) func(string) bool {
		return func(dim string) bool {
			for k, s := range sides {
				if s == dim {
					return kept&(1<<k) != 0
				}
			}
			return false
		}
	}
	for i, c := range cells {
		levels[full][g.key(g.cells[c].Keys, at(full))] = i
	}
	for kept := full - 1; kept >= 0; kept-- {
		if !table(kept) {
			continue
		}
		levels[kept] = map[string]int{}
		sub := dtm.Table{Indicator: dtm.Indicator{Counts: true}}
		for k, s := range sides {
			if kept&(1<<k) != 0 && (1<<k != outer || kept&place == 0) {
				sub.By = append(sub.By, s)
			}
		}
		var inner nest
		if kept&place != 0 {
			inner = g.places
		}
		of := map[string]int{}
		for _, c := range cells {
			f := g.cells[c]
			k := g.key(f.Keys, at(kept))
			n, ok := of[k]
			if !ok {
				n = len(sub.Figures)
				of[k] = n
				keys := []string{}
				for d, dim := range g.by {
					if at(kept)(dim) {
						keys = append(keys, f.Keys[d])
					}
				}
				if kept&outer != 0 && kept&place == 0 {
					keys = append(keys, g.region(f.Keys))
				}
				zero := 0.0
				sub.Figures = append(sub.Figures, dtm.Figure{Keys: keys, Value: &zero})
			}
			sub.Figures[n].People += f.People
		}
		h := newGrid(sub, inner)
		less, any := make([]bool, len(h.cells)), false
		for i, f := range h.cells {
			less[i] = f.People > 0 && float64(f.People) < threshold
			h.hidden[i], any = less[i], any || less[i]
		}
		if any {
			h.choose(threshold)
		}
		for k, n := range of {
			levels[kept][k] = add(float64(sub.Figures[n].People), h.hidden[n], less[n])
		}
	}
	// Each margin is the sum of the cells with one dimension more.
	for kept := 0; kept < full; kept++ {
		for k := range sides {
			if kept&(1<<k) != 0 || !table(kept) || !table(kept|1<<k) {
				continue
			}
			rows, seen := map[int][]int{}, map[int]bool{}
			var order []int
			for _, c := range cells {
				total := levels[kept][g.key(g.cells[c].Keys, at(kept))]
				part := levels[kept|1<<k][g.key(g.cells[c].Keys, at(kept|1<<k))]
				if seen[part] {
					continue
				}
				seen[part] = true
				if rows[total] == nil {
					rows[total] = []int{total}
					order = append(order, total)
				}
				rows[total] = append(rows[total], part)
			}
			for _, total := range order {
				row(rows[total])
			}
		}
	}
}
