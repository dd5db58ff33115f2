package watch

import (
	"context"
	"math"
	"slices"

	"dtm"
	"dtm/analyse/stat"
)

// Journey is a cell of the table of where movements come from and go to.
type Journey struct {
	From, To  string // codes
	Observed  float64
	Completed float64 // with the movements of which one side is not known
}

// Matrix is a table of journeys, completed.
type Matrix struct {
	Journeys []Journey // the largest first
	Known    float64   // movements with both sides
	Half     float64   // with one side: spread over the other
	Left     float64   // with no side, or a side that nothing known has: in no cell
	Withheld []Journey // by guard: in no cell and in no sum
}

// blank tells whether a code says that the place is not known.
func blank(code string) bool { return code == "" || code == "UNK" || code == "unknown" }

// ReadMatrix asks the figures for the movements of a period by where they come from and
// where they go next, and completes the table.
func ReadMatrix(ctx context.Context, f dtm.Figures, p dtm.Period, where map[string][]string) (Matrix, error) {
	t, err := f.Table(ctx, dtm.Query{Indicator: "origin_destination", Period: p, By: []string{"previous", "next"}, Where: where})
	if err != nil {
		return Matrix{}, err
	}
	var list, withheld []Journey
	for _, x := range t.Figures {
		switch {
		case x.Value != nil:
			list = append(list, Journey{From: x.Keys[0], To: x.Keys[1], Observed: *x.Value})
		case x.Suppressed:
			withheld = append(withheld, Journey{From: x.Keys[0], To: x.Keys[1], Observed: math.NaN(), Completed: math.NaN()})
		}
	}
	m, err := Complete(list)
	m.Withheld = withheld
	return m, err
}

// Complete spreads movements of which one side is not known over the journeys that are
// known: those from a place over its destinations, those to a place over its origins, in
// proportion; then rows and columns are scaled in turn to the totals that follow
// (iterative proportional fitting). A journey that nobody made is a structural zero and
// stays one. Where no known journey has the side that is known, movements are left out
// and told.
func Complete(list []Journey) (Matrix, error) {
	var out Matrix
	var from, to []string
	at := map[[2]string]float64{}
	for _, j := range list {
		if blank(j.From) || blank(j.To) || !(j.Observed > 0) {
			continue
		}
		if !slices.Contains(from, j.From) {
			from = append(from, j.From)
		}
		if !slices.Contains(to, j.To) {
			to = append(to, j.To)
		}
		at[[2]string{j.From, j.To}] += j.Observed
		out.Known += j.Observed
	}
	slices.Sort(from)
	slices.Sort(to)
	seed := make([][]float64, len(from))
	rows, cols := make([]float64, len(from)), make([]float64, len(to))
	for i, a := range from {
		seed[i] = make([]float64, len(to))
		for k, b := range to {
			v := at[[2]string{a, b}]
			seed[i][k] = v
			rows[i] += v
			cols[k] += v
		}
	}
	// What one side is known of is added to that side, and to the other in proportion.
	addRow, addCol := make([]float64, len(from)), make([]float64, len(to))
	for _, j := range list {
		if !(j.Observed > 0) || !blank(j.From) && !blank(j.To) {
			continue
		}
		i, k := slices.Index(from, j.From), slices.Index(to, j.To)
		switch {
		case !blank(j.From) && i >= 0:
			out.Half += j.Observed
			addRow[i] += j.Observed
			for c := range to {
				addCol[c] += j.Observed * seed[i][c] / rows[i]
			}
		case !blank(j.To) && k >= 0:
			out.Half += j.Observed
			addCol[k] += j.Observed
			for r := range from {
				addRow[r] += j.Observed * seed[r][k] / cols[k]
			}
		default:
			out.Left += j.Observed
		}
	}
	if len(from) == 0 {
		return out, nil
	}
	for i := range rows {
		rows[i] += addRow[i]
	}
	for k := range cols {
		cols[k] += addCol[k]
	}
	fit, err := stat.IPF(seed, rows, cols)
	if err != nil {
		return out, err
	}
	for i, a := range from {
		for k, b := range to {
			if seed[i][k] > 0 {
				out.Journeys = append(out.Journeys, Journey{a, b, seed[i][k], fit.Table[i][k]})
			}
		}
	}
	slices.SortStableFunc(out.Journeys, func(a, b Journey) int { return int(math.Copysign(1, b.Completed-a.Completed)) })
	return out, nil
}
