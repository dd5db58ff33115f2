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
// the people behind it are 1 to threshold-1. In each line of the table (the cells
// that differ in one dimension only, and whose sum a reader can know) a single
// hidden cell gets company. In a table of two dimensions that is a pair that did
// not occur, when there is one: "<10" then also stands for none, and no large
// cell is lost. Otherwise it is the smallest that is shown. Values, numerators,
// denominators and people of hidden cells are gone.
func Suppress(t dtm.Table, threshold int64) dtm.Table {
	if !t.Indicator.Counts && !t.Indicator.Share {
		return t
	}
	g := newGrid(t)
	any := false
	for i, f := range g.cells {
		if f.Suppressed || f.Value != nil && f.People > 0 && f.People < threshold {
			g.hidden[i], any = true, true
		}
	}
	if any {
		g.accompany()
	}
	t.Figures = g.shown()
	return t
}
