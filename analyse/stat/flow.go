package stat

import (
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Fit is a completed table with its distance from the observed one.
type Fit struct {
	Table [][]float64
	Steps int
}

// IPF scales seed's rows and columns in turn until they sum to the given totals
// (Deming and Stephan 1940). A cell that is 0 in the seed is a structural zero and
// stays 0: a movement that does not occur. Totals that differ by more than one in a
// million, or that the zeros do not allow, are errors.
func IPF(seed [][]float64, rows, cols []float64) (Fit, error) {
	if len(seed) != len(rows) || len(rows) == 0 || len(cols) == 0 {
		return Fit{}, invalid("lengths", "%d values, %d of what belongs to them: want as many of each", len(seed), len(rows))
	}
	r, c := 0.0, 0.0
	for i, v := range rows {
		if !(v >= 0) || math.IsInf(v, 0) {
			return Fit{}, invalid("negative", "value %d is %v: want a count of 0 or more, or missing", i+1, v)
		}
		r += v
	}
	for i, v := range cols {
		if !(v >= 0) || math.IsInf(v, 0) {
			return Fit{}, invalid("negative", "value %d is %v: want a count of 0 or more, or missing", i+1, v)
		}
		c += v
	}
	if math.Abs(r-c) > 1e-6*max(r, c) {
		return Fit{}, invalid("totals", "the rows sum to %v, the columns to %v: they are of the same movements", r, c)
	}
	x := make([][]float64, len(seed))
	for i, row := range seed {
		if len(row) != len(cols) {
			return Fit{}, invalid("lengths", "%d values, %d of what belongs to them: want as many of each", len(row), len(cols))
		}
		for j, v := range row {
			if !(v >= 0) || math.IsInf(v, 0) {
				return Fit{}, invalid("negative", "value %d is %v: want a count of 0 or more, or missing", i*len(cols)+j+1, v)
			}
		}
		x[i] = append([]float64(nil), row...)
	}
	for step := 1; step <= 10000; step++ {
		worst := 0.0
		for i := range x {
			sum := 0.0
			for _, v := range x[i] {
				sum += v
			}
			if sum == 0 {
				if rows[i] > 0 {
					return Fit{}, invalid("zeros.row", "row %d must sum to %v and holds structural zeros only", i+1, rows[i])
				}
				continue
			}
			worst = max(worst, math.Abs(sum-rows[i]))
			for j := range x[i] {
				x[i][j] *= rows[i] / sum
			}
		}
		for j := range cols {
			sum := 0.0
			for i := range x {
				sum += x[i][j]
			}
			if sum == 0 {
				if cols[j] > 0 {
					return Fit{}, invalid("zeros.column", "column %d must sum to %v and holds structural zeros only", j+1, cols[j])
				}
				continue
			}
			worst = max(worst, math.Abs(sum-cols[j]))
			for i := range x {
				x[i][j] *= cols[j] / sum
			}
		}
		if worst <= 1e-11*max(r, 1) {
			return Fit{x, step}, nil
		}
	}
	return Fit{}, invalid("totals.zeros", "no table with these structural zeros has these totals")
}

// Independence compares a table with what its totals alone would give.
type IndependenceFit struct {
	Expected    [][]float64
	LR, Pearson float64
	DF          int
}

// Independence fits row times column (the gravity of totals) to a table of counts.
func Independence(table [][]float64) (IndependenceFit, error) {
	if len(table) == 0 || len(table[0]) == 0 {
		return IndependenceFit{}, invalid("missing", "the history has no observations")
	}
	rows, cols, all := make([]float64, len(table)), make([]float64, len(table[0])), 0.0
	for i, r := range table {
		if len(r) != len(cols) {
			return IndependenceFit{}, invalid("lengths", "%d values, %d of what belongs to them: want as many of each", len(r), len(cols))
		}
		for j, v := range r {
			if !(v >= 0) || math.IsInf(v, 0) {
				return IndependenceFit{}, invalid("negative", "value %d is %v: want a count of 0 or more, or missing", i*len(cols)+j+1, v)
			}
			rows[i] += v
			cols[j] += v
			all += v
		}
	}
	if all == 0 {
		return IndependenceFit{}, invalid("zeros", "the history holds only zeros: nothing can be expected from it")
	}
	f := IndependenceFit{DF: (len(rows) - 1) * (len(cols) - 1)}
	for i := range rows {
		e := make([]float64, len(cols))
		for j := range cols {
			e[j] = rows[i] * cols[j] / all
			if v := table[i][j]; v > 0 {
				f.LR += 2 * v * math.Log(v/e[j])
			}
			if e[j] > 0 {
				f.Pearson += (table[i][j] - e[j]) * (table[i][j] - e[j]) / e[j]
			}
		}
		f.Expected = append(f.Expected, e)
	}
	return f, nil
}

// Balanced are flows that conserve: Residual and Z are of the observed ones, for each
// condition how much they miss it by and that in standard errors. Above 3 in absolute
// value, counting at that node should be looked at.
type Balanced struct {
	Flows       []float64
	Residual, Z []float64
}

// Balance changes observed flows as little as can be, weighed by their variances, so
// that every row of conserve times the flows is what stock says (0 where nothing
// stays), and none is below 0 (Stone, Champernowne and Meade 1942; Byron 1978). A
// flow that was not observed has an infinite variance or is NaN.
func Balance(flows, variance []float64, conserve [][]float64, stock []float64) (Balanced, error) {
	n, k := len(flows), len(conserve)
	if n == 0 || k == 0 {
		return Balanced{}, invalid("missing", "the history has no observations")
	}
	if len(variance) != n || stock != nil && len(stock) != k {
		return Balanced{}, invalid("lengths", "%d values, %d of what belongs to them: want as many of each", n, len(variance))
	}
	y, v := make([]float64, n), make([]float64, n)
	largest := 1.0
	for i := range flows {
		if variance[i] < 0 {
			return Balanced{}, invalid("variance", "variance %d is %v: want 0 or more", i+1, variance[i])
		}
		if !math.IsNaN(flows[i]) && !math.IsInf(variance[i], 0) {
			largest = max(largest, variance[i], flows[i]*flows[i])
		}
	}
	known := make([]bool, n)
	for i := range flows {
		y[i], v[i], known[i] = flows[i], variance[i], true
		if math.IsNaN(flows[i]) || math.IsInf(variance[i], 0) || math.IsNaN(variance[i]) {
			v[i], known[i] = 1e6*largest, false
			if math.IsNaN(flows[i]) {
				y[i] = 0
			}
		}
		if y[i] < 0 || math.IsInf(y[i], 0) {
			return Balanced{}, invalid("negative", "value %d is %v: want a count of 0 or more, or missing", i+1, y[i])
		}
	}
	a := mat.NewDense(k, n, nil)
	b := make([]float64, k)
	for r, row := range conserve {
		if len(row) != n {
			return Balanced{}, invalid("lengths", "%d values, %d of what belongs to them: want as many of each", n, len(row))
		}
		a.SetRow(r, row)
		if stock != nil {
			b[r] = stock[r]
		}
	}
	out := Balanced{Residual: make([]float64, k), Z: make([]float64, k)}
	for r := range k {
		d, se, seen := -b[r], 0.0, true
		for i := range n {
			c := a.At(r, i)
			d += c * y[i]
			se += c * c * v[i]
			seen = seen && (c == 0 || known[i])
		}
		out.Residual[r], out.Z[r] = d, d/math.Sqrt(se)
		if !seen || se == 0 {
			out.Z[r] = math.NaN()
		}
		if !seen {
			out.Residual[r] = math.NaN()
		}
	}
	// Flows that would go below 0 are held there one by one, and let go when the
	// conditions would raise them: an active set method on a strictly convex problem.
	held := make([]bool, n)
	for range 4*n + 10 {
		x, mult, err := conserved(y, v, a, b, held)
		if err != nil {
			return Balanced{}, err
		}
		low, at := -1e-9*math.Sqrt(largest), -1
		for i, f := range x {
			if !held[i] && f < low {
				low, at = f, i
			}
		}
		if at >= 0 {
			held[at] = true
			continue
		}
		// Gradient of a held flow: (0-y)/v + (Aᵀλ); below 0 it wants to grow.
		worst, let := -1e-9, -1
		for i := range n {
			if !held[i] || v[i] == 0 {
				continue
			}
			g := -y[i]
			for r := range k {
				g += v[i] * a.At(r, i) * mult[r]
			}
			if g < worst*math.Sqrt(largest) {
				worst, let = g/math.Sqrt(largest), i
			}
		}
		if let < 0 {
			for i := range x {
				x[i] = max(x[i], 0)
			}
			out.Flows = x
			return out, nil
		}
		held[let] = false
	}
	return Balanced{}, invalid("balance", "no flows of 0 and more meet these conditions")
}

// conserved solves the problem with some flows held at 0 and gives the conditions'
// multipliers. It factors A·V½, not A·V·Aᵀ: the variances of what was seen and of what
// was not lie many powers of ten apart.
func conserved(y, v []float64, a *mat.Dense, b []float64, held []bool) (x, mult []float64, err error) {
	k, n := a.Dims()
	scaled := mat.NewDense(k, n, nil)
	d := make([]float64, k)
	for r := range k {
		d[r] = -b[r]
		for i := range n {
			if !held[i] {
				d[r] += a.At(r, i) * y[i]
				scaled.Set(r, i, a.At(r, i)*math.Sqrt(v[i]))
			}
		}
	}
	var svd mat.SVD // conditions may repeat each other
	if !svd.Factorize(scaled, mat.SVDThin) {
		return nil, nil, invalid("balance", "no flows of 0 and more meet these conditions")
	}
	var left, right mat.Dense
	svd.UTo(&left)
	svd.VTo(&right)
	x, mult = make([]float64, n), make([]float64, k)
	for i := range n {
		if !held[i] {
			x[i] = y[i]
		}
	}
	values := svd.Values(nil)
	for c := range svd.Rank(1e-9) {
		along := 0.0
		for r := range k {
			along += left.At(r, c) * d[r]
		}
		along /= values[c]
		for i := range n {
			if !held[i] {
				x[i] -= math.Sqrt(v[i]) * right.At(i, c) * along
			}
		}
		for r := range k {
			mult[r] += left.At(r, c) * along / values[c]
		}
	}
	for r := range k {
		s, size := -b[r], 1+math.Abs(b[r])
		for i := range n {
			s += a.At(r, i) * x[i]
			size += math.Abs(a.At(r, i) * x[i])
		}
		if math.Abs(s) > 1e-6*size {
			return nil, nil, invalid("balance", "no flows of 0 and more meet these conditions")
		}
	}
	return x, mult, nil
}

// Chapman estimates how many there are from two counts that have m in common
// (Chapman 1951), with variance (Seber 1970) and a normal interval that does not go
// below those seen. Both counts must have had the same chance to meet everybody.
func Chapman(n1, n2, m, level float64) (e Interval, variance float64, err error) {
	if !(n1 >= 0 && n2 >= 0 && m >= 0) || m > n1 || m > n2 {
		return e, 0, invalid("recapture", "%v in common of %v and %v cannot be", m, n1, n2)
	}
	if !(level > 0 && level < 1) {
		return e, 0, invalid("level", "a level of %v is none: want one between 0 and 1, such as 0.95", level)
	}
	n := (n1+1)*(n2+1)/(m+1) - 1
	variance = (n1 + 1) * (n2 + 1) * (n1 - m) * (n2 - m) / ((m + 1) * (m + 1) * (m + 2))
	z := distuv.UnitNormal.Quantile(0.5 + level/2)
	seen := n1 + n2 - m
	return Interval{n, max(seen, n-z*math.Sqrt(variance)), n + z*math.Sqrt(variance)}, variance, nil
}

// Recapture is one cell of counts by lists: On tells for each list whether it holds
// these people.
type Recapture struct {
	On []bool
	N  float64
}

// LogLinear estimates how many there are from who is on which of several lists, by a
// Poisson model with the named pairs of lists dependent (Fienberg 1972). No pair:
// independent lists. The answers of different models may lie far apart, and nothing
// in the lists tells which is right: print more than one.
func LogLinear(cells []Recapture, pairs [][2]int) (float64, error) {
	if len(cells) == 0 {
		return 0, invalid("missing", "the history has no observations")
	}
	lists := len(cells[0].On)
	x := mat.NewDense(len(cells), 1+lists+len(pairs), nil)
	y := make([]float64, len(cells))
	total := 0.0
	for i, c := range cells {
		if len(c.On) != lists {
			return 0, invalid("lengths", "%d values, %d of what belongs to them: want as many of each", lists, len(c.On))
		}
		x.Set(i, 0, 1)
		any := false
		for j, on := range c.On {
			if on {
				x.Set(i, 1+j, 1)
				any = true
			}
		}
		if !any {
			return 0, invalid("recapture.none", "a cell of people on no list: that is what is asked for")
		}
		for k, p := range pairs {
			if p[0] < 0 || p[1] < 0 || p[0] >= lists || p[1] >= lists {
				return 0, invalid("lengths", "%d values, %d of what belongs to them: want as many of each", lists, max(p[0], p[1])+1)
			}
			if c.On[p[0]] && c.On[p[1]] {
				x.Set(i, 1+lists+k, 1)
			}
		}
		y[i] = c.N
		total += c.N
	}
	m, err := FitPoisson(y, x, nil, nil)
	if err != nil {
		return 0, err
	}
	return total + math.Exp(m.Coef[0]), nil
}
