package chart

import "math"

// ticks gives round steps from lo to at least hi, about n of them. Whole steps
// are kept for counts, since half a movement does not exist.
func ticks(lo, hi float64, n int) []float64 {
	if !(hi-lo > 1e-9) {
		hi = lo + 1
	}
	raw := (hi - lo) / float64(max(n, 1))
	p := math.Pow(10, math.Floor(math.Log10(raw)))
	step := p
	for _, m := range []float64{1, 2, 5, 10} {
		if step = m * p; step >= raw*0.999999 {
			break
		}
	}
	if step < 1 && hi >= 3 {
		step = 1
	}
	from, to := math.Floor(lo/step+1e-9), math.Ceil(hi/step-1e-9)
	out := make([]float64, 0, int(to-from)+1)
	for k := from; k <= to; k++ {
		out = append(out, k*step)
	}
	return out
}

// top is the largest known value, at least zero.
func top(cells ...Cell) float64 {
	m := 0.0
	for _, c := range cells {
		if v, ok := c.known(); ok {
			m = max(m, v)
		}
	}
	return m
}
