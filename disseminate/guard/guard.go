// Package guard stands between figures and everything that publishes: tables of
// counts come in, the same tables go out with small cells suppressed, and with as
// many others as keep them from being computed back from the table's totals. It
// hides the same cells for page, CSV, chart, map and PDF, since all read through
// it.
//
// This is the first guard: a threshold, and complementary suppression within a
// table. It does not yet look across tables, releases or filters.
package guard

import (
	"context"
	"slices"
	"sort"

	"dtm"
)

// New returns figures in which counts of 1 to threshold-1 people, and shares and
// averages that rest on so few, are suppressed.
func New(inner dtm.Figures, threshold int) dtm.Figures {
	return &guarded{inner, int64(threshold)}
}

type guarded struct {
	dtm.Figures
	threshold int64
}

func (g *guarded) Table(ctx context.Context, q dtm.Query) (dtm.Table, error) {
	t, err := g.Figures.Table(ctx, q)
	if err != nil {
		return t, err
	}
	return Suppress(t, g.threshold), nil
}

// Suppress returns the table with its small cells hidden. A value is small when
// the people behind it are 1 to threshold-1. Within each line of the table (the
// cells that differ in one dimension only, and whose sum a reader can know) a
// single hidden cell gets company: the smallest that is shown, a zero if there is
// no other. Values, numerators and denominators of hidden cells are gone; People
// too.
func Suppress(t dtm.Table, threshold int64) dtm.Table {
	if !t.Indicator.Counts && !t.Indicator.Share {
		return t
	}
	f := slices.Clone(t.Figures)
	hidden := make([]bool, len(f))
	any := false
	for i := range f {
		if f[i].Value != nil && f[i].People > 0 && f[i].People < threshold {
			hidden[i], any = true, true
		}
	}
	if any {
		accompany(t, f, hidden)
	}
	for i := range f {
		if hidden[i] {
			f[i] = dtm.Figure{Keys: f[i].Keys, Suppressed: true}
		}
	}
	t.Figures = f
	return t
}

// accompany hides one more cell in each line that has a single hidden one, until
// no line has. Each round hides at least one cell, so it ends.
func accompany(t dtm.Table, f []dtm.Figure, hidden []bool) {
	lines := lines(t, f)
	for again := true; again; {
		again = false
		for _, line := range lines {
			n, best := 0, -1
			for _, i := range line {
				switch {
				case hidden[i]:
					n++
				case f[i].Value == nil:
				case best < 0 || smaller(f[i], f[best]):
					best = i
				}
			}
			if n == 1 && best >= 0 {
				hidden[best], again = true, true
			}
		}
	}
}

// smaller prefers the fewest people above zero: hiding a zero says little, but
// protects when nothing else is there.
func smaller(a, b dtm.Figure) bool {
	if (a.People == 0) != (b.People == 0) {
		return b.People == 0
	}
	return a.People < b.People
}

// lines are the sets of cells that share all keys but one.
func lines(t dtm.Table, f []dtm.Figure) [][]int {
	by := map[string][]int{}
	for d := range t.By {
		for i := range f {
			if d >= len(f[i].Keys) {
				continue
			}
			key := string(rune('a' + d))
			for k, v := range f[i].Keys {
				if k != d {
					key += "\x00" + v
				}
			}
			by[key] = append(by[key], i)
		}
	}
	keys := make([]string, 0, len(by))
	for k := range by {
		keys = append(keys, k)
	}
	sort.Strings(keys) // the same cells are hidden every time
	out := make([][]int, 0, len(keys))
	for _, k := range keys {
		out = append(out, by[k])
	}
	return out
}
