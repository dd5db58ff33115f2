// Package guard stands between figures and everything that publishes: tables of
// counts come in, the same tables go out with small cells suppressed, and with as
// many others as keep them from being computed back from the table's totals. It
// hides the same cells for page, CSV, chart, map and PDF, since all read through
// it.
//
// A table, the tables of fewer of its dimensions and its total are looked at together
// (Protect), as a reader may (Attack). It does not yet look across other tables,
// releases or filters: what answers to such questions give away together is not held
// back.
package guard

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"

	lru "github.com/hashicorp/golang-lru/v2"

	"dtm"
)

// New returns figures in which counts of 1 to threshold-1 people, and shares and
// averages that rest on so few, are suppressed.
func New(inner dtm.Figures, threshold int) dtm.Figures {
	chosen, err := lru.New[[sha256.Size]byte, []bool](4096)
	if err != nil {
		panic(err) // the size is not positive
	}
	return &guarded{inner, int64(threshold), chosen}
}

type guarded struct {
	dtm.Figures
	threshold int64
	// chosen remembers what is hidden in tables with the same people in them: a page
	// asks for the same dozen again and again, and choosing is dearer than counting.
	chosen *lru.Cache[[sha256.Size]byte, []bool]
}

func (g *guarded) Table(ctx context.Context, q dtm.Query) (dtm.Table, error) {
	t, err := g.Figures.Table(ctx, q)
	if err != nil {
		return t, err
	}
	return suppress(t, g.threshold, g.chosen), nil
}

// Suppress returns the table with its small cells hidden. A cell is small when the
// people behind it, or the whole that it is a share of, are 1 to threshold-1:
// counts, averages and shares of people, and changes, whose People are the fewer
// of the two sides. Figures that are not of people (active points) pass.
//
// Where cells add up to a whole that a reader can know, others join the small ones
// until a reader of the table, of the tables of fewer of its dimensions and of the
// total can conclude no small count to within the threshold (Protect), and until no
// line of the table (the cells that differ in one dimension only, but not in time) has
// a single hidden cell. In a table of two dimensions those are pairs that did not
// occur, when there are any: "<10" then also stands for none, and no large cell is
// lost. The note dtm.NoteCompany says that not every hidden cell is a small one.
// Values, numerators, denominators and people of hidden cells are gone.
func Suppress(t dtm.Table, threshold int64) dtm.Table { return suppress(t, threshold, nil) }

func suppress(t dtm.Table, threshold int64, chosen *lru.Cache[[sha256.Size]byte, []bool]) dtm.Table {
	i := t.Indicator
	adds := i.Counts || i.Share
	if !adds && i.Unit != "percent" {
		return t
	}
	g := newGrid(t)
	any := false
	for n, f := range g.cells {
		if f.Suppressed || small(i, f, threshold) {
			g.hidden[n], any = true, true
		}
	}
	if any && adds {
		g.remembered(float64(threshold), chosen)
	}
	t.Figures = g.shown()
	if g.company(threshold) {
		t.Notes = append(slices.Clone(t.Notes), dtm.Note{Code: dtm.NoteCompany, Text: dtm.Text{
			dtm.English: fmt.Sprintf("Some counts of %d and more are withheld too, so that smaller ones cannot be computed from the rest.", threshold),
			dtm.French:  fmt.Sprintf("Certains effectifs de %d et plus ne sont pas publiés non plus, afin que de plus petits ne puissent être calculés à partir du reste.", threshold),
			dtm.Arabic:  fmt.Sprintf("حُجبت أيضًا بعض الأعداد البالغة %d فأكثر حتى لا يمكن حساب أعداد أصغر من الباقي.", threshold),
		}})
	}
	return t
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
