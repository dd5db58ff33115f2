package watch

import (
	"context"
	"math"
	"slices"

	"dtm"
	"dtm/analyse/stat"
)

// roughly is the part of a count that its standard error is at least: who is at a point
// does not see everybody who passes.
const roughly = 0.1

// Passing is what a point of the network counted of those who follow the roads.
type Passing struct {
	Point    string
	Days     int     // observed; 0 where history knows the month only
	Observed float64 // NaN: not observed, or withheld
	SE       float64
	Balanced float64 // NaN: nothing is known that bears on it
	Z        float64 // how far Observed is from what the others say, in standard errors; NaN: they say nothing
}

// Told is whether the counting at the point should be looked at.
func (p Passing) Told() bool { return math.Abs(p.Z) > 3 }

// Road is how many went from a point to the next, as the counts of all points have it.
type Road struct {
	dtm.Link
	People float64
}

// NetworkBalance is a period's counts of points on common roads, held against each other.
type NetworkBalance struct {
	Points     []Passing // in the order of the roads, entries first
	Roads      []Road
	Conditions int     // independent ones that what was observed is under
	Chi2       float64 // of their residuals
}

// mostBalanced bounds the equations, whose work grows with the cube of the points: a fifth
// of a second at a hundred.
const mostBalanced = 300

// ReadBalance asks the figures for the movements of the operation's flow by point, and
// changes them as little as can be so that who passes one point of a road passes the
// next (Stone, Champernowne and Meade 1942). Nothing is held of what went along a single
// road. A count's standard error is that of a Poisson law, with a tenth of the count and
// with the part of the period that the longest road at the point takes: who set out
// before its end is counted at its other end after it. NotFound when no points lie on
// roads, or more than can be balanced.
func ReadBalance(ctx context.Context, f dtm.Figures, op *dtm.Operation, p dtm.Period) (NetworkBalance, error) {
	var out NetworkBalance
	if len(op.Links) == 0 {
		return out, dtm.Errorf(dtm.NotFound, "the operation's pack declares no roads between points (links.csv)").Coded("network.links")
	}
	order := inOrder(op.Links)
	if len(order) > mostBalanced {
		return out, dtm.Errorf(dtm.NotFound, "%d points lie on common roads; the counts of at most %d can be held against each other", len(order), mostBalanced).Coded("network.many", len(order), mostBalanced)
	}
	t, err := f.Table(ctx, dtm.Query{Indicator: "total_movements", Period: p, By: []string{"point"}, Where: op.Flow.Where})
	if err != nil {
		return out, err
	}
	counts := map[string]float64{}
	for _, x := range t.Figures {
		if x.Value != nil {
			counts[x.Keys[0]] = *x.Value
		}
	}
	for _, code := range order {
		x := Passing{Point: code, Observed: math.NaN(), SE: math.NaN(), Balanced: math.NaN(), Z: math.NaN()}
		if n, ok := counts[code]; ok {
			way := 0.0
			for _, l := range op.Links {
				if l.From == code || l.To == code {
					way = max(way, l.Days)
				}
			}
			part := min(1, way/float64(max(1, p.Days())))
			x.Observed, x.SE = n, math.Sqrt(max(n, 1)+n*n*(roughly*roughly+part*part))
		}
		out.Points = append(out.Points, x)
	}
	return Balance(out.Points, op.Links)
}

// inOrder lists the points of roads, each after those that lead to it.
func inOrder(links []dtm.Link) []string {
	var out []string
	var add func(code string)
	add = func(code string) {
		if slices.Contains(out, code) {
			return
		}
		for _, l := range links {
			if l.To == code {
				add(l.From)
			}
		}
		out = append(out, code)
	}
	for _, l := range links {
		add(l.To)
	}
	return out
}

// Balance holds the counts of points against each other. Roads form no circle.
func Balance(points []Passing, links []dtm.Link) (NetworkBalance, error) {
	out := NetworkBalance{Points: slices.Clone(points)}
	n := len(points)
	y, v := make([]float64, n+len(links)), make([]float64, n+len(links))
	at := map[string]int{}
	seen := 0
	for i, x := range points {
		at[x.Point] = i
		y[i], v[i] = x.Observed, x.SE*x.SE
		if !math.IsNaN(x.Observed) {
			seen++
		}
	}
	if seen < 2 {
		return out, nil
	}
	var conserve [][]float64
	for i, x := range points {
		in, from := make([]float64, n+len(links)), make([]float64, n+len(links))
		in[i], from[i] = -1, -1
		ins, outs := false, false
		for k, l := range links {
			y[n+k], v[n+k] = math.NaN(), math.Inf(1)
			if l.To == x.Point {
				in[n+k], ins = 1, true
			}
			if l.From == x.Point {
				from[n+k], outs = 1, true
			}
		}
		if ins {
			conserve = append(conserve, in)
		}
		if outs {
			conserve = append(conserve, from)
		}
	}
	a, err := stat.Adjust(y, v, conserve)
	if err != nil {
		return out, err
	}
	out.Conditions, out.Chi2 = a.Conditions, a.Chi2
	b, err := stat.Balance(y, v, conserve, nil)
	if err != nil {
		return out, err
	}
	for i := range out.Points {
		out.Points[i].Z = a.Z[i]
		out.Points[i].Balanced = b.Flows[i]
	}
	for k, l := range links {
		out.Roads = append(out.Roads, Road{l, b.Flows[n+k]})
	}
	return out, nil
}
