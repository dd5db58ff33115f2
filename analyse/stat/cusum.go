package stat

import (
	"math"

	gstat "gonum.org/v1/gonum/stat"
)

// CUSUM adds up what counts exceed their mean by, in Poisson deviations, less k per
// step, and raises an alarm while the sum is at least h (Rossi, Lampugnani and Marchi
// 1999). The mean is that of the steps before from, counted from 0; the answer
// begins there. A missing step leaves the sum as it was. A step's Upper is the
// count that would have raised it.
//
// k 1.04 and h 2.26 give one false alarm in about 500 steps.
func CUSUM(y []float64, from int, k, h float64) (Bounds, []float64, error) {
	if err := counts(y); err != nil {
		return Bounds{}, nil, err
	}
	if from < 1 || from >= len(y) {
		return Bounds{}, nil, invalid("short", "the history has %d steps; this method needs %d", len(y), from+1)
	}
	if !(k >= 0) || !(h > 0) {
		return Bounds{}, nil, invalid("cusum", "k is %v and h is %v: want 0 or more, and more than 0", k, h)
	}
	base := known(y[:from])
	if len(base) == 0 {
		return Bounds{}, nil, invalid("missing", "the history has no observations")
	}
	m := gstat.Mean(base, nil)
	if m == 0 {
		return Bounds{}, nil, invalid("zeros", "the history holds only zeros: nothing can be expected from it")
	}
	out, sums := newBounds(len(y)), nans(len(y))
	s := 0.0
	for t := from; t < len(y); t++ {
		out.Expected[t] = m
		out.Upper[t] = m + math.Sqrt(m)*(h+k-s)
		if !math.IsNaN(y[t]) {
			s = max(0, s+(y[t]-m)/math.Sqrt(m)-k)
			out.Alarm[t] = s >= h
		}
		sums[t] = s
	}
	return out, sums, nil
}
