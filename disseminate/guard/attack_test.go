package guard

import (
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/optimize/convex/lp"
)

// attackByGonum is Attack by another's simplex method.
func attackByGonum(s Sums, hidden []bool, i int) Bounds {
	if !hidden[i] {
		return Bounds{s.Count[i], s.Count[i]}
	}
	// Only hidden counts that hang together with this one matter.
	of := map[int]int{i: 0}
	cells := []int{i}
	used := make([]bool, len(s.Rows))
	var rows [][]int
	for again := true; again; {
		again = false
		for n, row := range s.Rows {
			if used[n] {
				continue
			}
			for _, c := range row {
				if _, in := of[c]; !in {
					continue
				}
				used[n], again = true, true
				rows = append(rows, row)
				for _, c := range row {
					if _, in := of[c]; hidden[c] && !in {
						of[c] = len(cells)
						cells = append(cells, c)
					}
				}
				break
			}
		}
	}
	var a [][]float64
	for _, row := range rows {
		v := make([]float64, len(cells)+1)
		for q, c := range row {
			sign := -1.0
			if q == 0 {
				sign = 1
			}
			if k, in := of[c]; in {
				v[k] += sign
			} else {
				v[len(cells)] -= sign * s.Count[c]
			}
		}
		a = append(a, v)
	}
	a, ok := independent(a, len(cells))
	if !ok {
		panic("guard: counts that do not add up")
	}
	if len(a) == 0 {
		return Bounds{0, math.Inf(1)}
	}
	if len(a) == len(cells) { // one solution
		return Bounds{s.Count[i], s.Count[i]}
	}
	low, _ := minimise(unit(len(cells), 1), a)
	high, unbounded := minimise(unit(len(cells), -1), a)
	b := Bounds{low[0], math.Inf(1)}
	if !unbounded {
		b.High = high[0]
	}
	return b
}

func unit(n int, v float64) []float64 {
	c := make([]float64, n)
	c[0] = v
	return c
}

// minimise solves min cx, Ax = b, x >= 0; the last column of a is b. x is nil when
// there is no solution.
func minimise(c []float64, a [][]float64) (x []float64, unbounded bool) {
	n := len(c)
	m := mat.NewDense(len(a), n, nil)
	b := make([]float64, len(a))
	for i, row := range a {
		m.SetRow(i, row[:n])
		b[i] = row[n]
	}
	_, x, err := lp.Simplex(c, m, b, 1e-10, nil)
	if err == lp.ErrUnbounded {
		return make([]float64, n), true
	}
	if err != nil {
		return nil, false
	}
	return x, false
}

// independent returns rows of m columns without those that follow from the others,
// by elimination; the last column is the right side. ok is false when a row says
// 0 = c.
func independent(rows [][]float64, m int) (out [][]float64, ok bool) {
	const none = 1e-9
	var reduced [][]float64
	var pivot []int
	for _, row := range rows {
		v := append([]float64(nil), row...)
		for k, q := range reduced {
			if f := v[pivot[k]]; f != 0 {
				for j := range v {
					v[j] -= f * q[j]
				}
			}
		}
		p := -1
		for j, x := range v[:m] {
			if x > none || x < -none {
				p = j
				break
			}
		}
		if p < 0 {
			if v[m] > none || v[m] < -none {
				return nil, false
			}
			continue
		}
		f := v[p]
		for j := range v {
			v[j] /= f
		}
		reduced, pivot = append(reduced, v), append(pivot, p)
		out = append(out, row)
	}
	return out, true
}
