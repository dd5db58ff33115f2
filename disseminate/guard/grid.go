package guard

import (
	"slices"
	"sort"
	"strings"

	"dtm"
)

// grid is a table while cells are chosen: those that the table has, then, for two
// dimensions, the pairs that did not occur.
type grid struct {
	by     []string
	cells  []dtm.Figure
	given  int // so many are the table's own
	hidden []bool
	lines  [][]int // cells that share all keys but one, which is not the time
	of     [][]int // lines of each cell
	places nest
}

// nest says which region each place of a dimension lies in; the zero nest says nothing.
type nest struct {
	dim string
	in  map[string]string
}

const region = "region"

// nested tells whether the table's places lie in regions that it is not split by.
func (g *grid) nested() bool { return g.places.dim != "" }

// region is that of a cell's place.
func (g *grid) region(keys []string) string {
	return g.places.in[keys[slices.Index(g.by, g.places.dim)]]
}

func newGrid(t dtm.Table, places nest) *grid {
	g := &grid{by: t.By, cells: slices.Clone(t.Figures), given: len(t.Figures), places: places}
	if len(t.By) == 2 {
		g.fill()
	}
	g.hidden = make([]bool, len(g.cells))
	by := map[string][]int{}
	for d, dim := range t.By {
		if isTime(dim) {
			continue
		}
		for i, f := range g.cells {
			if d < len(f.Keys) {
				rest := slices.Delete(slices.Clone(f.Keys), d, d+1)
				key := string(rune('a'+d)) + strings.Join(rest, "\x00")
				by[key] = append(by[key], i)
				if g.nested() && dim == places.dim {
					key += "\x00\x00" + g.region(f.Keys)
					by[key] = append(by[key], i)
				}
			}
		}
	}
	keys := make([]string, 0, len(by))
	for k := range by {
		keys = append(keys, k)
	}
	sort.Strings(keys) // the same cells are hidden every time
	g.of = make([][]int, len(g.cells))
	for n, k := range keys {
		g.lines = append(g.lines, by[k])
		for _, i := range by[k] {
			g.of[i] = append(g.of[i], n)
		}
	}
	return g
}

// isTime tells whether cells of different codes are no company to each other, because
// each is published alone too.
func isTime(dim string) bool { return dim == "month" || dim == "day" }

// fill adds the pairs of the table's keys that did not occur.
func (g *grid) fill() {
	have := map[[2]string]bool{}
	var keys [2][]string
	for _, f := range g.cells {
		have[[2]string(f.Keys)] = true
		for side, k := range f.Keys {
			if !slices.Contains(keys[side], k) {
				keys[side] = append(keys[side], k)
			}
		}
	}
	for _, a := range keys[0] {
		for _, b := range keys[1] {
			if !have[[2]string{a, b}] {
				zero := 0.0
				g.cells = append(g.cells, dtm.Figure{Keys: []string{a, b}, Value: &zero})
			}
		}
	}
}

func (g *grid) count(line int) (n int) {
	for _, i := range g.lines[line] {
		if g.hidden[i] {
			n++
		}
	}
	return n
}

// accompany hides one more cell in each line that has a single hidden one, until
// no line has. Each round hides at least one cell, so it ends.
func (g *grid) accompany() {
	for again := true; again; {
		again = false
		for n, line := range g.lines {
			if g.count(n) != 1 {
				continue
			}
			best := -1
			for _, i := range line {
				if !g.hidden[i] && given(g.cells[i]) && (best < 0 || g.better(i, best)) {
					best = i
				}
			}
			if best >= 0 {
				g.hidden[best], again = true, true
			}
		}
	}
}

// better prefers, in two dimensions, pairs without people; then cells that leave
// the fewest other lines with a single hidden cell; then the fewest people above
// none.
func (g *grid) better(a, b int) bool {
	if len(g.of[a]) > 1 {
		if x, y := g.cells[a].People == 0, g.cells[b].People == 0; x != y {
			return x
		}
		if x, y := g.opened(a), g.opened(b); g.cells[a].People == 0 && x != y {
			return x < y
		}
	}
	if x, y := g.cells[a].People == 0, g.cells[b].People == 0; x != y {
		return y
	}
	return g.cells[a].People < g.cells[b].People
}

// opened counts the lines that hiding a cell would leave with a single hidden one,
// less those that it would give company.
func (g *grid) opened(i int) (n int) {
	for _, line := range g.of[i] {
		switch g.count(line) {
		case 0:
			n++
		case 1:
			n--
		}
	}
	return n
}

// shown are the table's own cells and the added ones that are hidden.
func (g *grid) shown() []dtm.Figure {
	var out []dtm.Figure
	for i, f := range g.cells {
		switch {
		case g.hidden[i]:
			out = append(out, dtm.Figure{Keys: f.Keys, Suppressed: true})
		case i < g.given:
			out = append(out, f)
		}
	}
	return out
}
