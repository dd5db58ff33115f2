package stat

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// Adjustment is how flows have to change so that conditions hold.
type Adjustment struct {
	Change []float64 // of each flow; NaN where it was not observed
	// Z is the change in its standard errors: the measurement test (Mah and Tamhane
	// 1982). NaN where no condition bears on the flow.
	Z []float64
	// Conditions is how many independent ones the observed flows are under; Chi2 their
	// residuals by their errors, a chi-square of as many degrees if all flows are right.
	Conditions int
	Chi2       float64
}

// Adjust gives the least change of observed flows, weighed by their variances, so that
// every row of conserve times the flows can be 0. A flow that is NaN was not observed
// and may be anything: conditions are first combined so that none of those is in them
// (the projection of Crowe, García Campos and Hrymak 1983). Unlike Balance it lets flows
// go below 0, which the test asks for.
func Adjust(flows, variance []float64, conserve [][]float64) (Adjustment, error) {
	n, k := len(flows), len(conserve)
	if n == 0 || k == 0 {
		return Adjustment{}, invalid("missing", "the history has no observations")
	}
	if len(variance) != n {
		return Adjustment{}, invalid("lengths", "%d values, %d of what belongs to them: want as many of each", n, len(variance))
	}
	var seen, unseen []int
	for i, y := range flows {
		switch {
		case math.IsNaN(y):
			unseen = append(unseen, i)
		case !(variance[i] > 0) || math.IsInf(variance[i], 0):
			return Adjustment{}, invalid("variance", "variance %d is %v: want 0 or more", i+1, variance[i])
		default:
			seen = append(seen, i)
		}
	}
	out := Adjustment{Change: make([]float64, n), Z: make([]float64, n)}
	for i := range n {
		out.Change[i], out.Z[i] = math.NaN(), math.NaN()
	}
	if len(seen) == 0 {
		return out, nil
	}
	part := func(cols []int) (*mat.Dense, error) {
		a := mat.NewDense(k, len(cols), nil)
		for r, row := range conserve {
			if len(row) != n {
				return nil, invalid("lengths", "%d values, %d of what belongs to them: want as many of each", n, len(row))
			}
			for j, c := range cols {
				a.Set(r, j, row[c])
			}
		}
		return a, nil
	}
	a, err := part(seen)
	if err != nil {
		return out, err
	}
	if len(unseen) > 0 {
		u, err := part(unseen)
		if err != nil {
			return out, err
		}
		var svd mat.SVD
		if !svd.Factorize(u, mat.SVDFull) {
			return out, invalid("balance", "no flows of 0 and more meet these conditions")
		}
		rank := svd.Rank(1e-9)
		if rank == k {
			return out, nil // every condition has something in it that nobody saw
		}
		var left mat.Dense
		svd.UTo(&left)
		var reduced mat.Dense
		reduced.Mul(left.Slice(0, k, rank, k).T(), a)
		a = &reduced
	}
	rows, cols := a.Dims()
	// Scaled by the errors: B = A·V½, so that what follows is in standard errors.
	b := mat.NewDense(rows, cols, nil)
	y := mat.NewVecDense(cols, nil)
	for j, i := range seen {
		s := math.Sqrt(variance[i])
		y.SetVec(j, flows[i]/s)
		for r := range rows {
			b.Set(r, j, a.At(r, j)*s)
		}
	}
	var svd mat.SVD
	if !svd.Factorize(b, mat.SVDThin) {
		return out, invalid("balance", "no flows of 0 and more meet these conditions")
	}
	out.Conditions = svd.Rank(1e-9)
	var right mat.Dense // its first columns span what the conditions see
	svd.VTo(&right)
	for j, i := range seen {
		change, seen2 := 0.0, 0.0
		for c := range out.Conditions {
			along := 0.0
			for m := range cols {
				along += right.At(m, c) * y.AtVec(m)
			}
			change -= right.At(j, c) * along
			seen2 += right.At(j, c) * right.At(j, c)
			if j == 0 {
				out.Chi2 += along * along
			}
		}
		out.Change[i] = change * math.Sqrt(variance[i])
		if seen2 > 1e-9 {
			out.Z[i] = -change / math.Sqrt(seen2)
		}
	}
	return out, nil
}
