package stat

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Nowcast is what is still to come of late reports.
type Nowcast struct {
	Known    []float64 // reported so far, by period
	Ultimate []float64
	SE       []float64 // of Ultimate (Mack 1993)
	Lo80     []float64
	Hi80     []float64
	Lo95     []float64
	Hi95     []float64
	Missing  float64 // of all periods together
	TotalSE  float64
	Factors  []float64

	mse, shared []float64 // by period: squared error, and what it shares with later ones
}

// Sum is what is expected of some periods together, with its standard error: periods
// share their factors. Its ends are those of a negative binomial law.
func (n Nowcast) Sum(periods []int, level float64) (known, ultimate, se, lo, hi float64) {
	variance := 0.0
	for k, i := range periods {
		later := 0.0
		for _, j := range periods[k+1:] {
			later += n.Ultimate[j]
		}
		known += n.Known[i]
		ultimate += n.Ultimate[i]
		variance += n.mse[i] + n.Ultimate[i]*later*n.shared[i]
	}
	end := func(p float64) float64 { return known + late(ultimate-known, variance, p) }
	return known, ultimate, math.Sqrt(variance), end(0.5 - level/2), end(0.5 + level/2)
}

// ChainLadder completes a reporting triangle: triangle[i][d] is how many of period i
// had been reported d steps after it, cumulated; later periods have fewer steps. The
// growth from step to step is that of all periods that have both, and its error is
// Mack's (1993). Intervals are of a negative binomial law with that mean and error
// (Poisson where the error is less), on top of what is known: late reports never
// take any back.
func ChainLadder(triangle [][]float64) (Nowcast, error) {
	n := len(triangle)
	if n < 2 {
		return Nowcast{}, invalid("short", "the history has %d steps; this method needs %d", n, 2)
	}
	w := len(triangle[0])
	for i, row := range triangle {
		if len(row) == 0 || i > 0 && len(row) > len(triangle[i-1]) {
			return Nowcast{}, invalid("triangle", "period %d has %d steps: want one or more, and no more than the period before", i+1, len(row))
		}
		for d, v := range row {
			if !(v >= 0) || math.IsInf(v, 0) {
				return Nowcast{}, invalid("negative", "value %d is %v: want a count of 0 or more, or missing", d+1, v)
			}
		}
	}
	f, s2, base := make([]float64, w), make([]float64, w), make([]float64, w)
	for d := range w - 1 {
		up, k := 0.0, 0
		for _, row := range triangle {
			if len(row) > d+1 {
				up += row[d+1]
				base[d] += row[d]
				k++
			}
		}
		if k == 0 {
			return Nowcast{}, invalid("triangle.step", "no period tells how reports grow after step %d", d+1)
		}
		f[d] = 1
		if base[d] > 0 {
			f[d] = up / base[d]
		}
		if k > 1 {
			for _, row := range triangle {
				if len(row) > d+1 && row[d] > 0 {
					r := row[d+1]/row[d] - f[d]
					s2[d] += row[d] * r * r / float64(k-1)
				}
			}
		} else if d >= 2 && s2[d-2] > 0 { // Mack's way out for the last step
			s2[d] = min(s2[d-1]*s2[d-1]/s2[d-2], s2[d-2], s2[d-1])
		} else if d >= 1 {
			s2[d] = s2[d-1]
		}
	}
	out := Nowcast{Factors: f[:w-1]}
	mse := make([]float64, n)
	for i, row := range triangle {
		have := row[len(row)-1]
		c, sum := have, 0.0
		for d := len(row) - 1; d < w-1; d++ {
			if c > 0 && f[d] > 0 && base[d] > 0 {
				sum += s2[d] / (f[d] * f[d]) * (1/c + 1/base[d])
			}
			c *= f[d]
		}
		mse[i] = c * c * sum
		out.Known, out.Ultimate, out.SE = append(out.Known, have), append(out.Ultimate, c), append(out.SE, math.Sqrt(mse[i]))
		out.Missing += c - have
		lo := func(p float64) float64 { return have + late(c-have, mse[i], p) }
		out.Lo80, out.Hi80 = append(out.Lo80, lo(0.1)), append(out.Hi80, lo(0.9))
		out.Lo95, out.Hi95 = append(out.Lo95, lo(0.025)), append(out.Hi95, lo(0.975))
	}
	out.mse, out.shared = mse, make([]float64, n)
	all := make([]int, n)
	for i, row := range triangle {
		all[i] = i
		for d := len(row) - 1; d < w-1; d++ {
			if f[d] > 0 && base[d] > 0 {
				out.shared[i] += 2 * s2[d] / (f[d] * f[d]) / base[d]
			}
		}
	}
	_, _, out.TotalSE, _, _ = out.Sum(all, 0.8)
	return out, nil
}

// late is the quantile of a count of given mean and variance. Above a million the
// normal law stands in for it.
func late(mean, variance, p float64) float64 {
	if mean <= 0 {
		return 0
	}
	if mean > 1e6 {
		return max(0, mean+distuv.UnitNormal.Quantile(p)*math.Sqrt(max(variance, mean)))
	}
	return negBinomialQuantile(p, mean, max(variance/mean, 1))
}
