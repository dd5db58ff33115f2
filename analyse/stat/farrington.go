package stat

import (
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/mathext"
	"gonum.org/v1/gonum/stat/distuv"
)

// Threshold says how a bound is drawn from a fitted mean and dispersion.
type Threshold int

// TwoThirds takes the counts' power 2/3 for normal (Farrington and others 1996).
// NegativeBinomial takes the quantile of a negative binomial law with the fitted
// mean and dispersion (Noufaily and others 2013). NegativeBinomialMean does so from
// the upper end of the mean's own interval, so that a short history gives a wider
// bound (Salmon and others 2016).
const (
	TwoThirds Threshold = iota
	NegativeBinomial
	NegativeBinomialMean
)

// FarringtonOptions are the settings of Farrington. OriginalFarrington and
// FlexibleFarrington give the published ones.
type FarringtonOptions struct {
	Period   int     // steps in a year: 52, 12
	Years    int     // b: how many years back
	Half     int     // w: steps on either side of the same step in earlier years
	Skip     int     // the most recent steps that are left out, so that an outbreak does not hide itself
	Seasons  int     // levels of the seasonal factor; 1: only the steps around the same one are read
	Reweight float64 // residuals above this weigh less; 0: none does
	TrendP   float64 // a trend is kept if its probability is below this; 1: always, 0: never
	Bound    Threshold
	Alpha    float64 // one-sided chance of a false alarm
	MinCases float64 // no alarm unless there were so many in the last MinSteps steps, this one included
	MinSteps int
	// RelativeError takes the standard error of the mean and the probability of the
	// trend from the variance of relative residuals, in place of Pearson's. The R
	// package surveillance does so (1.20.3; predict reads the weights that were put
	// where working weights are kept). With counts well above one it makes bounds
	// too narrow: it is here to compare with that package only.
	RelativeError bool
	Offset        []float64   // log of days observed, or nil
	Covariates    [][]float64 // calendar effects, a slice for each, as long as the series
}

// OriginalFarrington are the settings of the 1996 paper for weeks. Its alpha was of
// both sides: 0.005 of one side is its 0.01.
func OriginalFarrington() FarringtonOptions {
	return FarringtonOptions{Period: 52, Years: 3, Half: 3, Skip: 3, Seasons: 1, Reweight: 1, TrendP: 0.05, Bound: TwoThirds, Alpha: 0.005, MinCases: 5, MinSteps: 4}
}

// FlexibleFarrington are the settings of the 2013 paper for weeks.
func FlexibleFarrington() FarringtonOptions {
	return FarringtonOptions{Period: 52, Years: 5, Half: 3, Skip: 26, Seasons: 10, Reweight: 2.58, TrendP: 1, Bound: NegativeBinomial, Alpha: 0.01, MinCases: 5, MinSteps: 4}
}

// Need is the number of steps of history that the first answer asks for.
func (o FarringtonOptions) Need() int { return o.Years*o.Period + o.Half }

// Farrington expects at each of the steps from..len(y)-1 (counted from 0) what a
// quasi-Poisson regression on the same season of earlier years gives: trend where it
// is significant, there are three years and it does not lead beyond what was seen,
// a seasonal factor, calendar effects, the offset; earlier outbreaks weigh less by
// their Anscombe residuals. Steps that cannot be answered for because too little was
// observed, or nothing but zeros, have NaN bounds. A history that is too short for from is
// an error.
func Farrington(y []float64, from int, o FarringtonOptions) (Bounds, error) {
	if err := o.check(y, from); err != nil {
		return Bounds{}, err
	}
	out := newBounds(len(y))
	for t := from; t < len(y); t++ {
		mean, upper, err := o.at(y, t)
		if err != nil {
			continue
		}
		out.Expected[t], out.Upper[t] = mean, upper
		recent := 0.0
		for i := max(0, t-o.MinSteps+1); i <= t; i++ {
			if !math.IsNaN(y[i]) {
				recent += y[i]
			}
		}
		out.Alarm[t] = y[t] > upper && recent >= o.MinCases
	}
	return out, nil
}

func (o FarringtonOptions) check(y []float64, from int) error {
	if err := counts(y); err != nil {
		return err
	}
	switch {
	case o.Period < 2 || o.Years < 1 || o.Half < 0 || o.Skip < 0 || o.Seasons < 1:
		return invalid("farrington", "want a year of two steps or more, one year back or more, one season or more")
	case 2*o.Half+1 > o.Period || o.Seasons > 1 && o.Period-2*o.Half-1 < o.Seasons-1:
		return invalid("seasons", "a year of %d steps has no room for %d seasons", o.Period, o.Seasons)
	case !(o.Alpha > 0 && o.Alpha < 1):
		return invalid("alpha", "alpha is %v: want a chance between 0 and 1", o.Alpha)
	case from < o.Need() || from >= len(y):
		return invalid("short", "the history has %d steps; this method needs %d", len(y), max(from, o.Need())+1)
	case o.Offset != nil && len(o.Offset) != len(y):
		return invalid("lengths", "%d values, %d of what belongs to them: want as many of each", len(y), len(o.Offset))
	}
	for _, c := range o.Covariates {
		if len(c) != len(y) {
			return invalid("lengths", "%d values, %d of what belongs to them: want as many of each", len(y), len(c))
		}
	}
	return nil
}

// season gives the level of the seasonal factor of the step d steps before the
// present one: 0 for those around the same time of the year; the rest of each year
// is cut into equal parts, the first ones a step longer where they do not divide.
// -1: not read.
func (o FarringtonOptions) season(d int) int {
	years := (d + o.Half) / o.Period
	within := d - years*o.Period // -Half .. Period-Half-1
	if years > 0 && within >= -o.Half && within <= o.Half || years == 0 && within <= o.Half {
		return 0
	}
	if o.Seasons == 1 {
		return -1
	}
	rest, parts := o.Period-2*o.Half-1, o.Seasons-1
	// Forward in time from the window of the year before.
	k := o.Period - within - o.Half - 1
	size, longer := rest/parts, rest%parts
	if k < longer*(size+1) {
		return 1 + k/(size+1)
	}
	return 1 + longer + (k-longer*(size+1))/size
}

// at answers for the step t.
func (o FarringtonOptions) at(y []float64, t int) (mean, upper float64, err error) {
	var steps, levels []int
	for d := o.Years*o.Period + o.Half; d > o.Skip; d-- {
		if s := o.season(d); s >= 0 && t-d >= 0 && !math.IsNaN(y[t-d]) {
			steps, levels = append(steps, t-d), append(levels, s)
		}
	}
	seen := make([]bool, o.Seasons)
	for _, s := range levels {
		seen[s] = true
	}
	if !seen[0] {
		return 0, 0, invalid("few", "%d observations cannot give %d coefficients", 0, 1)
	}
	column := make([]int, o.Seasons) // of the design, for levels seen after the first
	p := 1
	for s := 1; s < o.Seasons; s++ {
		if seen[s] {
			column[s] = p
			p++
		}
	}
	// A calendar effect that never varied in the reference explains nothing.
	var effects []int
	for k, c := range o.Covariates {
		lo, hi := math.Inf(1), math.Inf(-1)
		for _, i := range steps {
			lo, hi = min(lo, c[i]), max(hi, c[i])
		}
		if hi > lo {
			effects = append(effects, k)
		}
	}
	row := func(i, level int, trend bool) []float64 {
		r := make([]float64, p, p+len(effects)+1)
		r[0] = 1
		if level > 0 {
			r[column[level]] = 1
		}
		for _, k := range effects {
			r = append(r, o.Covariates[k][i])
		}
		if trend {
			r = append(r, float64(i-t)/float64(o.Period))
		}
		return r
	}
	obs := make([]float64, len(steps))
	var offset []float64
	most := 0.0 // in the measure of the present step
	for k, i := range steps {
		obs[k] = y[i]
		rate := y[i]
		if o.Offset != nil {
			offset = append(offset, o.Offset[i])
			rate *= math.Exp(o.Offset[t] - o.Offset[i])
		}
		if !math.IsNaN(rate) && !math.IsInf(rate, 0) {
			most = max(most, rate)
		}
	}
	now := 0.0
	if o.Offset != nil {
		if now = o.Offset[t]; math.IsNaN(now) || math.IsInf(now, 0) {
			return 0, 0, invalid("missing", "the history has no observations")
		}
	}
	// fit gives the model, its dispersion, and the one its standard errors rest on.
	fit := func(trend bool) (*Poisson, float64, float64, error) {
		x := mat.NewDense(len(steps), len(row(t, 0, trend)), nil)
		for k, i := range steps {
			x.SetRow(k, row(i, levels[k], trend))
		}
		m, err := FitPoisson(obs, x, offset, nil)
		if err != nil {
			return nil, 0, 0, err
		}
		var w []float64
		phi := atLeast1(m.Dispersion)
		if o.Reweight > 0 {
			w = reweighted(obs, m, phi, o.Reweight)
			if m, err = FitPoisson(obs, x, offset, w); err != nil {
				return nil, 0, 0, err
			}
			phi = atLeast1(m.Dispersion)
		}
		of := phi
		if o.RelativeError && w != nil {
			of = 0
			for i, mu := range m.Fitted {
				of += w[i] * (obs[i] - mu) * (obs[i] - mu) / (mu * mu) / float64(m.DF)
			}
		}
		return m, phi, of, nil
	}
	var m *Poisson
	var phi, of float64
	trend := o.TrendP > 0 && o.Years >= 3
	if trend {
		m, phi, of, err = fit(true)
		if err == nil {
			mean, _ = m.At(row(t, 0, true), now, of)
			trend = mean <= most && (o.TrendP >= 1 || m.P(len(m.Coef)-1, of) < o.TrendP)
		} else {
			trend = false
		}
	}
	if !trend {
		if m, phi, of, err = fit(false); err != nil && len(effects) > 0 {
			effects = nil // an effect that stands for a season
			m, phi, of, err = fit(false)
		}
		if err != nil {
			return 0, 0, err
		}
	}
	mean, se := m.At(row(t, 0, trend), now, of)
	return mean, o.Bound.upper(mean, se, phi, o.Alpha), nil
}

func atLeast1(phi float64) float64 {
	if phi > 1 {
		return phi
	}
	return 1
}

// reweighted gives the weights of the 1996 paper: an observation whose standardised
// Anscombe residual s exceeds limit weighs 1/s², the rest 1, all scaled to sum to
// their number.
func reweighted(y []float64, m *Poisson, phi, limit float64) []float64 {
	w := make([]float64, len(y))
	sum := 0.0
	for i := range y {
		mu := m.Fitted[i]
		s := 1.5 * (math.Pow(y[i], 2.0/3)*math.Pow(mu, -1.0/6) - math.Sqrt(mu)) / math.Sqrt(phi*max(1-m.Hat[i], 1e-9))
		w[i] = 1
		if s > limit {
			w[i] = 1 / (s * s)
		}
		sum += w[i]
	}
	for i := range w {
		w[i] *= float64(len(y)) / sum
	}
	return w
}

// upper is the bound that a count passes with chance alpha; se is of the mean's log.
func (b Threshold) upper(mean, se, phi, alpha float64) float64 {
	z := distuv.UnitNormal.Quantile(1 - alpha)
	switch b {
	case NegativeBinomial:
		return negBinomialQuantile(1-alpha, mean, phi)
	case NegativeBinomialMean:
		return negBinomialQuantile(1-alpha, mean*math.Exp(z*se), phi)
	}
	tau := phi + mean*se*se
	return mean * math.Pow(max(0, 1+2.0/3*z*math.Sqrt(tau/mean)), 1.5)
}

// negBinomialQuantile is the smallest whole k with P(Y <= k) >= p for a negative
// binomial law of the given mean and variance phi times the mean; phi 1 is Poisson's.
func negBinomialQuantile(p, mean, phi float64) float64 {
	if math.IsNaN(mean) || math.IsInf(mean, 0) {
		return mean
	}
	cdf := func(k float64) float64 {
		if k < 0 {
			return 0
		}
		if phi <= 1+1e-9 {
			return distuv.Poisson{Lambda: max(mean, 1e-300)}.CDF(k)
		}
		return mathext.RegIncBeta(mean/(phi-1), k+1, 1/phi)
	}
	lo, hi := -1.0, math.Ceil(mean+1)
	for cdf(hi) < p {
		lo, hi = hi, 2*hi+1
	}
	for hi-lo > 1 {
		if mid := math.Floor((lo + hi) / 2); cdf(mid) >= p {
			hi = mid
		} else {
			lo = mid
		}
	}
	return hi
}
