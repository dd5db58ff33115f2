package stat

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/optimize"
	gstat "gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// ETSForm names a model of exponential smoothing by its components: Error 'A' or
// 'M', Trend 'N' or 'A' (Damped: Ad), Season 'N', 'A' or 'M' with Period steps.
// Multiplicative trends are left out: they run away within months. So is an
// additive error with a multiplicative season, whose variance has no bound.
type ETSForm struct {
	Error, Trend byte
	Damped       bool
	Season       byte
	Period       int
}

func (f ETSForm) String() string {
	d := ""
	if f.Damped {
		d = "d"
	}
	return fmt.Sprintf("ETS(%c,%c%s,%c)", f.Error, f.Trend, d, f.Season)
}

// ETS is a fitted model (Hyndman, Koehler, Ord and Snyder 2008).
type ETS struct {
	Form                    ETSForm
	Alpha, Beta, Gamma, Phi float64 // Beta and Gamma of the state form: b' = φb + βe
	Level, Trend            float64 // after the last step
	Season                  []float64
	LogLik                  float64 // but for a constant, as in R: AIC = -2 LogLik + 2 k
	AIC, AICc               float64
	Sigma2                  float64
	Fitted                  []float64 // one step ahead

	pars []float64 // the optimiser's, to begin a later fit from
}

// admissible tells whether the family holds this form.
func (f ETSForm) admissible(positive bool) error {
	switch {
	case f.Error != 'A' && f.Error != 'M', f.Trend != 'N' && f.Trend != 'A', f.Season != 'N' && f.Season != 'A' && f.Season != 'M', f.Damped && f.Trend == 'N':
		return invalid("form", "there is no model %s", f)
	case f.Error == 'A' && f.Season == 'M':
		return invalid("form.variance", "%s has no bound on its variance", f)
	case (f.Error == 'M' || f.Season == 'M') && !positive:
		return invalid("form.zeros", "%s needs values above 0", f)
	case f.Season != 'N' && f.Period < 2:
		return invalid("period", "a year of %d steps has no seasons", f.Period)
	}
	return nil
}

// etsState runs a model over a series.
type etsState struct {
	form                    ETSForm
	alpha, beta, gamma, phi float64
	l, b                    float64
	s                       []float64 // s[i%m] is the season of step i
}

// next is the mean of step i, and its level part.
func (e *etsState) next(i int) (mean, q float64) {
	q = e.l
	if e.form.Trend == 'A' {
		q += e.phi * e.b
	}
	switch e.form.Season {
	case 'A':
		return q + e.s[i%e.form.Period], q
	case 'M':
		return q * e.s[i%e.form.Period], q
	}
	return q, q
}

// learn takes in the value y of step i; a missing one leaves the expected course.
func (e *etsState) learn(i int, y, mean, q float64) {
	if math.IsNaN(y) {
		if e.form.Trend == 'A' {
			e.b *= e.phi
		}
		e.l = q
		return
	}
	p, season := y, 0.0
	switch e.form.Season {
	case 'A':
		season = e.s[i%e.form.Period]
		p = y - season
	case 'M':
		season = e.s[i%e.form.Period]
		p = y / season
	}
	e.l = q + e.alpha*(p-q)
	if e.form.Trend == 'A' {
		e.b = e.phi*e.b + e.beta*(p-q)
	}
	switch e.form.Season {
	case 'A':
		e.s[i%e.form.Period] = season + e.gamma*(y-q-season)
	case 'M':
		e.s[i%e.form.Period] = season + e.gamma*(y/q-season)
	}
}

// run returns -2 log likelihood but for a constant, and the squared relative or
// absolute errors' sum. fitted may be nil.
func (e *etsState) run(y, fitted []float64) (lik, sse float64, n int) {
	logs := 0.0
	for i, v := range y {
		mean, q := e.next(i)
		if fitted != nil {
			fitted[i] = mean
		}
		if !math.IsNaN(v) {
			d := v - mean
			if e.form.Error == 'M' {
				if mean <= 0 {
					return math.Inf(1), math.Inf(1), 0
				}
				d /= mean
				logs += math.Log(mean)
			}
			if e.form.Season == 'M' && (q <= 0 || e.s[i%e.form.Period] <= 0) {
				return math.Inf(1), math.Inf(1), 0
			}
			sse += d * d
			n++
		}
		e.learn(i, v, mean, q)
	}
	return float64(n)*math.Log(max(sse, 1e-300)) + 2*logs, sse, n
}

// The bounds of the smoothing parameters, those of the forecast package.
const (
	lowest, highest = 1e-4, 0.9999
	phiLow, phiHigh = 0.8, 0.98
	mostETSSeasons  = 24 // more would be more parameters than months
)

// unpack turns unbounded numbers into a state before the first step.
func (f ETSForm) unpack(x, scale []float64) *etsState {
	e := &etsState{form: f, phi: 1}
	k := 0
	take := func(lo, hi float64) float64 {
		v := lo + (hi-lo)/(1+math.Exp(-x[k]))
		k++
		return v
	}
	e.alpha = take(lowest, highest)
	if f.Trend == 'A' {
		e.beta = take(lowest, max(e.alpha, 2*lowest))
	}
	if f.Season != 'N' {
		e.gamma = take(lowest, max(1-e.alpha, 2*lowest))
	}
	if f.Damped {
		e.phi = take(phiLow, phiHigh)
	}
	state := func() float64 {
		v := x[k] * scale[k]
		k++
		return v
	}
	e.l = state()
	if f.Trend == 'A' {
		e.b = state()
	}
	if f.Season != 'N' {
		e.s = make([]float64, f.Period)
		sum := 0.0
		for j := range f.Period - 1 {
			e.s[j] = state()
			if f.Season == 'M' {
				e.s[j]++
			}
			sum += e.s[j]
		}
		e.s[f.Period-1] = -sum
		if f.Season == 'M' {
			e.s[f.Period-1] = float64(f.Period) - sum
		}
	}
	return e
}

// begin gives a first guess: classical seasons, a line through the first steps.
func (f ETSForm) begin(y []float64) (x, scale []float64) {
	m := 1
	season := []float64{0}
	work := slices.Clone(y)
	if f.Season != 'N' {
		m = f.Period
		season = classical(y, m, f.Season == 'M')
		for i := range work {
			if f.Season == 'M' {
				work[i] /= season[i%m]
			} else {
				work[i] -= season[i%m]
			}
		}
	}
	var t, v []float64
	for i := 0; i < len(work) && len(v) < max(10, 2*m); i++ {
		if !math.IsNaN(work[i]) {
			t, v = append(t, float64(i+1)), append(v, work[i])
		}
	}
	a, b := gstat.LinearRegression(t, v, nil, false)
	all := known(y)
	sd := max(gstat.StdDev(all, nil), 1e-8)
	logit := func(p float64) float64 { return math.Log(p / (1 - p)) }
	add := func(p, s float64) { x, scale = append(x, p), append(scale, s) }
	add(logit(0.4), 1)
	if f.Trend == 'A' {
		add(logit(0.1), 1)
	}
	if f.Season != 'N' {
		add(logit(0.05), 1)
	}
	if f.Damped {
		add(logit(0.9), 1)
	}
	if f.Trend == 'N' {
		a, b = gstat.Mean(v, nil), 0
	}
	if a+b <= 0 && (f.Error == 'M' || f.Season == 'M') {
		a, b = gstat.Mean(v, nil), 0
	}
	add(a/sd, sd)
	if f.Trend == 'A' {
		add(b/sd*10, sd/10)
	}
	if f.Season != 'N' {
		for j := range m - 1 {
			if f.Season == 'M' {
				add((season[j]-1)*5, 0.2)
			} else {
				add(season[j]/sd, sd)
			}
		}
	}
	return x, scale
}

// classical gives the seasons of a decomposition by a centred running mean: they
// average 1 (ratios) or 0 (differences). A season that was never seen is neutral.
func classical(y []float64, m int, ratio bool) []float64 {
	sum, n := make([]float64, m), make([]float64, m)
	half := m / 2
	for i := half; i+half < len(y); i++ {
		mean := 0.0
		for k := -half; k <= half; k++ {
			w := 1.0
			if m%2 == 0 && (k == -half || k == half) {
				w = 0.5
			}
			mean += w * y[i+k]
		}
		mean /= float64(m)
		d := y[i] - mean
		if ratio {
			d = y[i] / mean
		}
		if !math.IsNaN(d) && !math.IsInf(d, 0) {
			sum[i%m] += d
			n[i%m]++
		}
	}
	neutral := 0.0
	if ratio {
		neutral = 1
	}
	out, total := make([]float64, m), 0.0
	for j := range out {
		out[j] = neutral
		if n[j] > 0 {
			out[j] = sum[j] / n[j]
		}
		total += out[j]
	}
	for j := range out {
		if ratio {
			out[j] = max(out[j]/(total/float64(m)), 0.01)
		} else {
			out[j] -= total / float64(m)
		}
	}
	return out
}

func (f ETSForm) smoothing() int {
	k := 1
	if f.Trend == 'A' {
		k++
	}
	if f.Season != 'N' {
		k++
	}
	if f.Damped {
		k++
	}
	return k
}

func (f ETSForm) states() int {
	k := 1
	if f.Trend == 'A' {
		k++
	}
	if f.Season != 'N' {
		k += f.Period - 1
	}
	return k
}

// need is how many observations a form must be given.
func (f ETSForm) need() int {
	n := f.smoothing() + f.states() + 4
	if f.Season != 'N' {
		n = max(n, 2*f.Period)
	}
	return n
}

// FitETS fits one form by maximum likelihood, smoothing parameters and first states
// together. Missing values are passed over. from, if given, is an earlier fit of the
// same form to begin at.
func FitETS(y []float64, f ETSForm, from *ETS) (*ETS, error) {
	all := known(y)
	positive := len(all) > 0
	for i, v := range all {
		if math.IsInf(v, 0) {
			return nil, invalid("negative", "value %d is %v: want a count of 0 or more, or missing", i+1, v)
		}
		positive = positive && v > 0
	}
	if f.Season == 'N' {
		f.Period = 1
	}
	if err := f.admissible(positive); err != nil {
		return nil, err
	}
	if f.Period > mostETSSeasons {
		return nil, invalid("seasons.many", "a year of %d steps has too many seasons for this model; take the seasons out first", f.Period)
	}
	if len(all) < f.need() {
		return nil, invalid("short", "the history has %d steps; this method needs %d", len(all), f.need())
	}
	if slices.Min(all) == slices.Max(all) {
		return f.constant(y, all[0]), nil
	}
	x, scale := f.begin(y)
	if from != nil && from.Form == f && len(from.pars) == len(x) {
		for i := range x {
			x[i] = from.pars[i]
			if i >= f.smoothing() {
				x[i] /= scale[i]
			}
		}
	}
	fn := func(x []float64) float64 {
		lik, _, _ := f.unpack(x, scale).run(y, nil)
		if math.IsNaN(lik) || math.IsInf(lik, 1) || lik > 1e10 {
			return 1e10
		}
		return lik
	}
	x = minimise(fn, x)
	if from == nil {
		for _, alpha := range []float64{-2.5, 2} {
			other, _ := f.begin(y)
			other[0] = alpha
			if other = minimise(fn, other); fn(other) < fn(x)-1e-9 {
				x = other
			}
		}
	}
	return f.unpack(x, scale).fitted(y, x, scale)
}

// RunETS runs a model with known parameters over a series; level, trend and season
// are those before the first step, season in the order of the steps.
func RunETS(y []float64, f ETSForm, alpha, beta, gamma, phi, level, trend float64, season []float64) (*ETS, error) {
	if f.Season == 'N' {
		f.Period = 1
	} else if len(season) != f.Period {
		return nil, invalid("lengths", "%d values, %d of what belongs to them: want as many of each", f.Period, len(season))
	}
	e := &etsState{form: f, alpha: alpha, beta: beta, gamma: gamma, phi: phi, l: level, b: trend, s: slices.Clone(season)}
	return e.fitted(y, nil, nil)
}

// fitted runs the state over the series, which it is spent by.
func (e *etsState) fitted(y, x, scale []float64) (*ETS, error) {
	f := e.form
	out := &ETS{Form: f, Alpha: e.alpha, Beta: e.beta, Gamma: e.gamma, Phi: e.phi, Fitted: make([]float64, len(y))}
	lik, sse, n := e.run(y, out.Fitted)
	if math.IsInf(lik, 0) || math.IsNaN(lik) || lik >= 1e10 {
		return nil, invalid("unsettled", "the fit does not settle")
	}
	out.Level, out.Trend, out.Season = e.l, e.b, e.turned(len(y))
	out.score(lik, sse, n)
	out.pars = slices.Clone(x)
	for i := f.smoothing(); i < len(x); i++ {
		out.pars[i] *= scale[i]
	}
	return out, nil
}

// turned gives the seasons in the order of the steps that follow n.
func (e *etsState) turned(n int) []float64 {
	if e.form.Season == 'N' {
		return nil
	}
	out := make([]float64, e.form.Period)
	for j := range out {
		out[j] = e.s[(n+j)%e.form.Period]
	}
	return out
}

func (m *ETS) score(lik, sse float64, n int) {
	k := float64(m.Form.smoothing() + m.Form.states() + 1)
	m.LogLik = -lik / 2
	m.AIC = lik + 2*k
	m.AICc = m.AIC + 2*k*(k+1)/(float64(n)-k-1)
	if float64(n)-k-1 <= 0 {
		m.AICc = math.Inf(1)
	}
	m.Sigma2 = sse / max(float64(n)-(k-1), 1)
}

// constant is the fit of a series that never changed.
func (f ETSForm) constant(y []float64, v float64) *ETS {
	m := &ETS{Form: ETSForm{Error: 'A', Trend: 'N', Season: 'N', Period: 1}, Alpha: lowest, Phi: 1, Level: v, Fitted: make([]float64, len(y)), AICc: math.Inf(-1), AIC: math.Inf(-1)}
	for i := range m.Fitted {
		m.Fitted[i] = v
	}
	return m
}

// minimise goes downhill by BFGS on differences and finishes by Nelder and Mead's
// simplex, which passes the places where the first stands still.
func minimise(fn func([]float64) float64, x []float64) []float64 {
	best, at := fn(x), slices.Clone(x)
	grad := func(g, x []float64) {
		for i := range x {
			h := 1e-6 * max(math.Abs(x[i]), 1)
			old := x[i]
			x[i] = old + h
			up := fn(x)
			x[i] = old - h
			g[i] = (up - fn(x)) / (2 * h)
			x[i] = old
		}
	}
	p := optimize.Problem{Func: fn, Grad: grad}
	take := func(r *optimize.Result) bool {
		if r != nil && r.F < best {
			better := best-r.F > 1e-7*(math.Abs(best)+1)
			best, at = r.F, slices.Clone(r.X)
			return better
		}
		return false
	}
	for range 4 {
		// Either may stop with an error at a place it cannot leave; what it found counts.
		r, _ := optimize.Minimize(p, at, &optimize.Settings{GradientThreshold: 1e-6, MajorIterations: 200, Converger: &optimize.FunctionConverge{Relative: 1e-12, Absolute: 1e-10, Iterations: 8}}, &optimize.BFGS{})
		take(r)
		if len(x) > 6 {
			break
		}
		r, _ = optimize.Minimize(optimize.Problem{Func: fn}, at, &optimize.Settings{MajorIterations: 100 * len(x), Converger: &optimize.FunctionConverge{Relative: 1e-13, Absolute: 1e-11, Iterations: 40}}, &optimize.NelderMead{SimplexSize: 0.1})
		if !take(r) {
			break
		}
	}
	return at
}

// SelectETS fits every form of the family that the series allows and returns the one
// of least AICc. period 1 means no seasons.
func SelectETS(y []float64, period int) (*ETS, error) {
	all := known(y)
	positive := len(all) > 0
	for _, v := range all {
		positive = positive && v > 0
	}
	var best *ETS
	var why error
	for _, season := range []byte{'N', 'A', 'M'} {
		if season != 'N' && (period < 2 || period > mostETSSeasons) {
			continue
		}
		for _, err := range []byte{'A', 'M'} {
			for _, trend := range []string{"N", "A", "Ad"} {
				f := ETSForm{Error: err, Trend: trend[0], Damped: len(trend) > 1, Season: season, Period: period}
				if f.Season == 'N' {
					f.Period = 1
				}
				if f.admissible(positive) != nil {
					continue
				}
				m, e := FitETS(y, f, nil)
				if e != nil {
					if why == nil {
						why = e
					}
					continue
				}
				if best == nil || m.AICc < best.AICc {
					best = m
				}
			}
		}
	}
	if best == nil {
		return nil, why
	}
	return best, nil
}

// Forecast is what is expected of the steps to come, with intervals.
type Forecast struct {
	Mean         []float64
	Lo80, Hi80   []float64
	Lo95, Hi95   []float64
	Method       string
	StandardErrs []float64
}

func intervals(method string, mean, se []float64) Forecast {
	f := Forecast{Mean: mean, Method: method, StandardErrs: se}
	z80, z95 := distuv.UnitNormal.Quantile(0.9), distuv.UnitNormal.Quantile(0.975)
	for i, m := range mean {
		f.Lo80, f.Hi80 = append(f.Lo80, m-z80*se[i]), append(f.Hi80, m+z80*se[i])
		f.Lo95, f.Hi95 = append(f.Lo95, m-z95*se[i]), append(f.Hi95, m+z95*se[i])
	}
	return f
}

// Forecast looks h steps ahead. The variance is exact for normal errors: for additive
// errors and for multiplicative ones with additive components by the book's table 6.1
// and section 6.3; with multiplicative seasons by carrying the first two moments of
// level and season together from step to step (section 6.4).
func (m *ETS) Forecast(h int) Forecast {
	e := m.state()
	mean, se := make([]float64, h), make([]float64, h)
	for i := range h {
		v, q := e.next(i)
		mean[i] = v
		e.learn(i, math.NaN(), v, q)
	}
	var v []float64
	if m.Form.Season == 'M' {
		v = m.moments(h)
	} else {
		v = m.variances(mean)
	}
	for i := range h {
		se[i] = math.Sqrt(max(v[i], 0))
	}
	return intervals(m.Form.String(), mean, se)
}

func (m *ETS) state() *etsState {
	return &etsState{form: m.Form, alpha: m.Alpha, beta: m.Beta, gamma: m.Gamma, phi: m.Phi, l: m.Level, b: m.Trend, s: slices.Clone(m.Season)}
}

// variances are those of additive components: what an error of one step adds to the
// j-th after it is c_j.
func (m *ETS) variances(mean []float64) []float64 {
	h := len(mean)
	c := make([]float64, h)
	phi := 0.0
	for j := 1; j < h; j++ {
		phi += math.Pow(m.Phi, float64(j))
		c[j] = m.Alpha
		if m.Form.Trend == 'A' {
			c[j] += m.Beta * phi
		}
		if m.Form.Season == 'A' && j%m.Form.Period == 0 {
			c[j] += m.Gamma
		}
	}
	v := make([]float64, h)
	if m.Form.Error == 'A' {
		sum := 1.0
		for i := range h {
			if i > 0 {
				sum += c[i] * c[i]
			}
			v[i] = m.Sigma2 * sum
		}
		return v
	}
	theta := make([]float64, h)
	for i := range h {
		theta[i] = mean[i] * mean[i]
		for j := 1; j <= i; j++ {
			theta[i] += m.Sigma2 * c[j] * c[j] * theta[i-j]
		}
		v[i] = (1+m.Sigma2)*theta[i] - mean[i]*mean[i]
	}
	return v
}

// moments are the variances of a model with multiplicative error and season. With x
// for level and trend and z for the seasons, both follow x' = (F+Gε)x, so that
// u = x⊗z follows u' = (A + Bε + Cε²)u, and its mean and second moments are known.
func (m *ETS) moments(h int) []float64 {
	f1, g1, w1 := mat.NewDense(1, 1, []float64{1}), mat.NewDense(1, 1, []float64{m.Alpha}), []float64{1}
	x := []float64{m.Level}
	if m.Form.Trend == 'A' {
		f1 = mat.NewDense(2, 2, []float64{1, m.Phi, 0, m.Phi})
		g1 = mat.NewDense(2, 2, []float64{m.Alpha, m.Alpha * m.Phi, m.Beta, m.Beta * m.Phi})
		w1 = []float64{1, m.Phi}
		x = append(x, m.Trend)
	}
	n := m.Form.Period
	f2, g2 := mat.NewDense(n, n, nil), mat.NewDense(n, n, nil)
	for j := range n { // z[0] is the season of the next step; after it that goes to the end
		f2.Set(j, (j+1)%n, 1)
	}
	g2.Set(n-1, 0, m.Gamma)
	var a, b, b2, c mat.Dense
	a.Kronecker(f1, f2)
	b.Kronecker(f1, g2)
	b2.Kronecker(g1, f2)
	b.Add(&b, &b2)
	c.Kronecker(g1, g2)
	k := len(x) * n
	u := mat.NewVecDense(k, nil)
	w := mat.NewVecDense(k, nil)
	for i := range x {
		w.SetVec(i*n, w1[i])
		for j := range n {
			u.SetVec(i*n+j, x[i]*m.Season[j])
		}
	}
	s := mat.NewDense(k, k, nil)
	s.Outer(1, u, u)
	out := make([]float64, h)
	v := m.Sigma2
	sandwich := func(l, r *mat.Dense) *mat.Dense {
		var t, o mat.Dense
		t.Mul(l, s)
		o.Mul(&t, r.T())
		return &o
	}
	var mean mat.Dense // A + σ²C
	mean.Scale(v, &c)
	mean.Add(&mean, &a)
	for i := range h {
		mu := mat.Dot(w, u)
		out[i] = (1+v)*mat.Inner(w, s, w) - mu*mu
		next := sandwich(&a, &a)
		for _, p := range []struct {
			k    float64
			l, r *mat.Dense
		}{{v, &b, &b}, {v, &a, &c}, {v, &c, &a}, {3 * v * v, &c, &c}} {
			t := sandwich(p.l, p.r)
			t.Scale(p.k, t)
			next.Add(next, t)
		}
		s = next
		var nu mat.VecDense
		nu.MulVec(&mean, u)
		u = &nu
	}
	return out
}
