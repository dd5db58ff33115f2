package stat

import (
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Poisson is a fitted log-linear model of counts, log E(y) = offset + x·b, with
// variance Dispersion times the mean (McCullagh and Nelder 1989, chapters 6 and 9).
type Poisson struct {
	Coef       []float64
	Cov        *mat.SymDense // of Coef for Dispersion 1
	Dispersion float64       // Pearson's; not below 0, not bounded at 1
	Fitted     []float64
	Hat        []float64 // leverages
	Deviance   float64
	DF         int // observations with a weight less coefficients
}

// FitPoisson fits by iteratively reweighted least squares. x is the design without
// offset, a row for each count; offset and weights may be nil. Counts that are
// missing are left out. A design that cannot be told apart, or a fit that does
// not settle (all counts 0), is an error.
func FitPoisson(y []float64, x *mat.Dense, offset, weights []float64) (*Poisson, error) {
	if err := counts(y); err != nil {
		return nil, err
	}
	n, p := x.Dims()
	if n != len(y) || offset != nil && len(offset) != n || weights != nil && len(weights) != n {
		return nil, invalid("lengths", "%d values, %d of what belongs to them: want as many of each", len(y), n)
	}
	w := make([]float64, n)
	used, total := 0, 0.0
	for i := range y {
		w[i] = 1
		if weights != nil {
			w[i] = weights[i]
		}
		if math.IsNaN(y[i]) || offset != nil && (math.IsNaN(offset[i]) || math.IsInf(offset[i], 0)) {
			w[i] = 0
		}
		if w[i] > 0 {
			used++
			total += y[i]
		}
	}
	if used < p || used == 0 {
		return nil, invalid("few", "%d observations cannot give %d coefficients", used, p)
	}
	if total == 0 {
		return nil, invalid("zeros", "the history holds only zeros: nothing can be expected from it")
	}
	off := func(i int) float64 {
		if offset == nil || w[i] == 0 {
			return 0
		}
		return offset[i]
	}
	m := &Poisson{Coef: make([]float64, p), Fitted: make([]float64, n), Hat: make([]float64, n), DF: used - p}
	eta := make([]float64, n)
	for i := range y {
		if w[i] > 0 {
			eta[i] = math.Log(y[i] + 0.1)
		}
	}
	deviance := func() float64 {
		d := 0.0
		for i := range y {
			if w[i] == 0 {
				continue
			}
			mu := math.Exp(eta[i])
			t := mu - y[i]
			if y[i] > 0 {
				t += y[i] * math.Log(y[i]/mu)
			}
			d += 2 * w[i] * t
		}
		return d
	}
	var chol mat.Cholesky
	last := math.Inf(1)
	settled := false
	work := make([]float64, n) // weights of the last step
	for step := 0; step < 100 && !settled; step++ {
		xwx := mat.NewSymDense(p, nil)
		xwz := mat.NewVecDense(p, nil)
		for i := range y {
			if w[i] == 0 {
				continue
			}
			mu := math.Exp(eta[i])
			wi := w[i] * mu
			work[i] = wi
			z := eta[i] - off(i) + (y[i]-mu)/mu
			for a := 0; a < p; a++ {
				xa := x.At(i, a)
				if xa == 0 {
					continue
				}
				xwz.SetVec(a, xwz.AtVec(a)+wi*xa*z)
				for b := a; b < p; b++ {
					xwx.SetSym(a, b, xwx.At(a, b)+wi*xa*x.At(i, b))
				}
			}
		}
		if !chol.Factorize(xwx) || chol.Cond() > 1e13 {
			return nil, invalid("collinear", "the explanations cannot be told apart in these observations")
		}
		var b mat.VecDense
		if err := chol.SolveVecTo(&b, xwz); err != nil {
			return nil, invalid("collinear", "the explanations cannot be told apart in these observations")
		}
		for i := range y {
			eta[i] = min(off(i)+mat.Dot(x.RowView(i), &b), 700)
		}
		copy(m.Coef, b.RawVector().Data)
		d := deviance()
		if math.IsNaN(d) {
			return nil, invalid("unsettled", "the fit does not settle")
		}
		settled = math.Abs(d-last) < 1e-8*(math.Abs(d)+0.1)
		last = d
	}
	if !settled {
		return nil, invalid("unsettled", "the fit does not settle")
	}
	m.Deviance = last
	// Errors are those of the last step's weights, as elsewhere: figures agree with R's
	// to ten digits so.
	xwx := mat.NewSymDense(p, nil)
	pearson := 0.0
	for i := range y {
		mu := math.Exp(eta[i])
		m.Fitted[i] = mu
		if w[i] == 0 {
			continue
		}
		pearson += work[i] * (y[i] - mu) * (y[i] - mu) / (mu * mu)
		for a := 0; a < p; a++ {
			for b := a; b < p; b++ {
				xwx.SetSym(a, b, xwx.At(a, b)+work[i]*x.At(i, a)*x.At(i, b))
			}
		}
	}
	if m.DF > 0 {
		m.Dispersion = pearson / float64(m.DF)
	} else {
		m.Dispersion = math.NaN()
	}
	m.Cov = mat.NewSymDense(p, nil)
	if !chol.Factorize(xwx) {
		return nil, invalid("collinear", "the explanations cannot be told apart in these observations")
	}
	if err := chol.InverseTo(m.Cov); err != nil {
		return nil, invalid("collinear", "the explanations cannot be told apart in these observations")
	}
	for i := range y {
		m.Hat[i] = work[i] * mat.Inner(x.RowView(i), m.Cov, x.RowView(i))
	}
	return m, nil
}

// At predicts for a row of the design: the mean, and the standard error of its
// logarithm for dispersion phi.
func (m *Poisson) At(row []float64, offset, phi float64) (mean, se float64) {
	v := mat.NewVecDense(len(row), row)
	return math.Exp(offset + mat.Dot(v, mat.NewVecDense(len(m.Coef), m.Coef))), math.Sqrt(phi * mat.Inner(v, m.Cov, v))
}

// P is the two-sided probability of a coefficient as far from zero as coefficient i,
// for a dispersion phi that was estimated: Student's, of DF degrees.
func (m *Poisson) P(i int, phi float64) float64 {
	return 2 * distuv.StudentsT{Sigma: 1, Nu: float64(max(m.DF, 1))}.Survival(math.Abs(m.Coef[i])/math.Sqrt(phi*m.Cov.At(i, i)))
}
