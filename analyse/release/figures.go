package release

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"dtm"
)

// Named returns figures whose tables name the release. Single days of other months
// than the release's are Invalid: it holds the sums of those. So are other months of
// what is no movement: the release holds its own month's.
func Named(inner dtm.Figures, r dtm.FrozenRelease) dtm.Figures { return &named{inner, r} }

type named struct {
	dtm.Figures
	frozen dtm.FrozenRelease
}

func (n *named) Release(context.Context) (dtm.Release, error) { return n.frozen.Release, nil }

func (n *named) Table(ctx context.Context, q dtm.Query) (dtm.Table, error) {
	own := dtm.Months(n.frozen.Month, n.frozen.Month)
	byDay := !q.Period.WholeMonths() || slices.Contains(q.By, "day")
	if i, err := n.Indicator(q.Indicator); err == nil && i.Facts != "movement" && i.Facts != "vulnerability" && i.Facts != "" {
		byDay = true
	}
	if byDay && (q.Period.From.Before(own.From) || q.Period.To.After(own.To)) {
		return dtm.Table{}, dtm.Errorf(dtm.Invalid, "release %s holds the days of %s only; ask for whole months, or for the provisional figures", n.frozen.Number, n.frozen.Month).
			Coded("release.days", n.frozen.Number, n.frozen.Month.String())
	}
	if q.Period.To.After(own.To) {
		return dtm.Table{}, dtm.Errorf(dtm.NotFound, "release %s ends with %s; ask for an earlier period, or for a later release", n.frozen.Number, n.frozen.Month).
			Coded("release.ends", n.frozen.Number, n.frozen.Month.String())
	}
	t, err := n.Figures.Table(ctx, q)
	t.Release = n.frozen.Release
	return t, err
}

// Splits are the dimensions, one at a time, that the figures of a release are kept
// by, beside those of the indicator's own: what a public answer may be split by.
var Splits = []string{"point", "region", "direction", "previous", "next"}

// Tables asks for every indicator of the month: as it is by default, in one figure
// when it can be, and by each of the dimensions. What an indicator does not answer is
// left out.
func Tables(ctx context.Context, f dtm.Figures, m dtm.Month) ([]dtm.Table, error) {
	var out []dtm.Table
	seen := map[string]bool{}
	for _, i := range f.Catalogue() {
		asks := [][]string{slices.Clone(i.Default), nil}
		for _, d := range Splits {
			if slices.Contains(i.By, d) {
				asks = append(asks, []string{d})
			}
		}
		for _, by := range asks {
			t, err := f.Table(ctx, dtm.Query{Indicator: i.ID, Period: dtm.Months(m, m), By: by})
			switch {
			case err != nil && (dtm.KindOf(err) == dtm.Invalid || dtm.KindOf(err) == dtm.NotFound):
				continue
			case err != nil:
				return nil, err
			case seen[t.ID]:
				continue
			}
			seen[t.ID] = true
			out = append(out, t)
		}
	}
	return out, nil
}

// EncodeFigures writes guarded tables as two parts: every figure with its value as
// published, and the pattern of those that guard withholds. The lines are sorted.
func EncodeFigures(tables []dtm.Table) (figures, withheld []byte) {
	var shown, hidden [][]string
	for _, t := range tables {
		for _, f := range t.Figures {
			key := []string{t.Indicator.ID, t.Query.Period.String(), strings.Join(t.By, "+"), strings.Join(f.Keys, "+")}
			if f.Suppressed {
				hidden = append(hidden, append(key, t.ID))
				continue
			}
			shown = append(shown, append(key, published(t.Indicator, f.Value), plain(f.Numerator), plain(f.Denominator), t.Indicator.Unit, t.Basis, t.ID))
		}
	}
	write := func(rows [][]string, head ...string) []byte {
		slices.SortFunc(rows, slices.Compare[[]string])
		s := &sheet{}
		s.line(head...)
		for _, r := range rows {
			s.line(r...)
		}
		return s.bytes()
	}
	return write(shown, "indicator", "period", "by", "keys", "value", "numerator", "denominator", "unit", "basis", "table"),
		write(hidden, "indicator", "period", "by", "keys", "table")
}

func published(i dtm.Indicator, v *float64) string {
	if v == nil {
		return ""
	}
	r := i.Round(*v) + 0 // no negative zero
	return plain(&r)
}

func plain(v *float64) string {
	if v == nil {
		return ""
	}
	return strconv.FormatFloat(*v, 'f', -1, 64)
}
