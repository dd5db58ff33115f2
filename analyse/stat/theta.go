package stat

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/optimize"
	gstat "gonum.org/v1/gonum/stat"
)

// Theta is the forecast of Assimakopoulos and Nikolopoulos (2000) in the form of
// Hyndman and Billah (2003): simple exponential smoothing with half the slope of the
// series as drift. A series whose autocorrelation at the season is significant at
// 90 % has its multiplicative seasons taken out first; one with zeros or below, its
// additive ones.
func Theta(y []float64, period, h int) (Forecast, error) {
	all := known(y)
	n := len(y)
	if len(all) < 4 {
		return Forecast{}, invalid("short", "the history has %d steps; this method needs %d", len(all), 4)
	}
	work, _, err := interpolated(y, 1)
	if err != nil {
		return Forecast{}, err
	}
	var season []float64
	ratio := slices.Min(all) > 0
	if period > 1 && n > 2*period && seasonal(work, period) {
		season = classical(work, period, ratio)
		for i := range work {
			if ratio {
				work[i] /= season[i%period]
			} else {
				work[i] -= season[i%period]
			}
		}
	}
	alpha, level, sse := ses(work)
	t := make([]float64, n)
	for i := range t {
		t[i] = float64(i)
	}
	_, slope := gstat.LinearRegression(t, work, nil, false)
	drift := slope / 2
	sigma2 := sse / max(float64(n)-2, 1)
	mean, se := make([]float64, h), make([]float64, h)
	for i := range h {
		mean[i] = level + drift*(float64(i)+(1-math.Pow(1-alpha, float64(n)))/alpha)
		if season != nil {
			if ratio {
				mean[i] *= season[(n+i)%period]
			} else {
				mean[i] += season[(n+i)%period]
			}
		}
		se[i] = math.Sqrt(sigma2 * (float64(i)*alpha*alpha + 1))
	}
	return intervals("Theta", mean, se), nil
}

// seasonal tests the autocorrelation at lag m against Bartlett's bound.
func seasonal(y []float64, m int) bool {
	mean := gstat.Mean(y, nil)
	c0 := 0.0
	for _, v := range y {
		c0 += (v - mean) * (v - mean)
	}
	if c0 == 0 {
		return false
	}
	r := func(k int) float64 {
		c := 0.0
		for i := k; i < len(y); i++ {
			c += (y[i] - mean) * (y[i-k] - mean)
		}
		return c / c0
	}
	sum := 1.0
	for k := 1; k < m; k++ {
		sum += 2 * r(k) * r(k)
	}
	return math.Abs(r(m)) > 1.6448536269514722*math.Sqrt(sum/float64(len(y)))
}

// ses fits simple exponential smoothing by least squares, first level included: for a
// given alpha the errors are linear in it, so that only alpha is searched for.
func ses(y []float64) (alpha, level, sse float64) {
	run := func(a float64) (l, s float64) {
		// error_i = u_i - v_i·l0, with v_i = (1-a)^i
		var uv, vv float64
		u, v := 0.0, 1.0
		for _, x := range y {
			uv += (x - u) * v
			vv += v * v
			u, v = u+a*(x-u), v*(1-a)
		}
		l = uv / vv
		for _, x := range y {
			e := x - l
			s += e * e
			l += a * e
		}
		return l, s
	}
	best := math.Inf(1)
	for a := 0.02; a < 1; a += 0.04 { // the sum may have two valleys
		if _, s := run(a); s < best {
			alpha, best = a, s
		}
	}
	lo, hi := max(alpha-0.04, 1e-4), min(alpha+0.04, 0.9999)
	const golden = 0.6180339887498949
	for range 80 {
		a, b := hi-golden*(hi-lo), lo+golden*(hi-lo)
		_, sa := run(a)
		_, sb := run(b)
		if sa <= sb {
			hi = b
		} else {
			lo = a
		}
	}
	alpha = (lo + hi) / 2
	level, sse = run(alpha)
	return alpha, level, sse
}

// HoltWinters is the classical smoothing of level, slope and seasons by least
// squares (Winters 1960), begun from a decomposition of the first two years.
type HoltWinters struct {
	Alpha, Beta, Gamma float64
	SSE                float64
	Level, Trend       float64
	Season             []float64 // of the steps that follow
}

// FitHoltWinters fits it; multiplicative says that seasons are ratios.
func FitHoltWinters(y []float64, period int, multiplicative bool) (*HoltWinters, error) {
	if period < 2 {
		return nil, invalid("period", "a year of %d steps has no seasons", period)
	}
	if len(y) < 2*period+3 {
		return nil, invalid("short", "the history has %d steps; this method needs %d", len(y), 2*period+3)
	}
	for i, v := range y {
		if math.IsNaN(v) || math.IsInf(v, 0) || multiplicative && v <= 0 {
			return nil, invalid("value", "value %d is %v: this method needs every value, above 0 where seasons are ratios", i+1, v)
		}
	}
	first := y[:2*period]
	season := classical(first, period, multiplicative)
	// Trend of the first two years: the centred mean, with a line through it.
	var t, v []float64
	for i := period / 2; i+period/2 < len(first); i++ {
		m := 0.0
		for k := -(period / 2); k <= period/2; k++ {
			w := 1.0
			if period%2 == 0 && (k == -(period/2) || k == period/2) {
				w = 0.5
			}
			m += w * first[i+k]
		}
		t, v = append(t, float64(len(t)+1)), append(v, m/float64(period))
	}
	level, trend := gstat.LinearRegression(t, v, nil, false)
	run := func(a, b, g float64) *HoltWinters {
		h := &HoltWinters{Alpha: a, Beta: b, Gamma: g, Level: level, Trend: trend, Season: slices.Clone(season)}
		for i := period; i < len(y); i++ {
			s := &h.Season[i%period]
			fit := h.Level + h.Trend + *s
			if multiplicative {
				fit = (h.Level + h.Trend) * *s
			}
			e := y[i] - fit
			h.SSE += e * e
			old := h.Level
			if multiplicative {
				h.Level = a*y[i] / *s + (1-a)*(old+h.Trend)
				h.Trend = b*(h.Level-old) + (1-b)*h.Trend
				*s = g*y[i]/h.Level + (1-g)**s
			} else {
				h.Level = a*(y[i]-*s) + (1-a)*(old+h.Trend)
				h.Trend = b*(h.Level-old) + (1-b)*h.Trend
				*s = g*(y[i]-h.Level) + (1-g)**s
			}
		}
		return h
	}
	p := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
	logit := func(p float64) float64 { return math.Log(p / (1 - p)) }
	fn := func(x []float64) float64 { return math.Log(run(p(x[0]), p(x[1]), p(x[2])).SSE + 1e-300) }
	x := []float64{logit(0.3), logit(0.1), logit(0.1)}
	for range 3 {
		r, _ := optimize.Minimize(optimize.Problem{Func: fn}, x, &optimize.Settings{MajorIterations: 600, Converger: &optimize.FunctionConverge{Relative: 1e-15, Absolute: 1e-14, Iterations: 60}}, &optimize.NelderMead{SimplexSize: 0.3})
		if r != nil && r.F <= fn(x) {
			x = r.X
		}
	}
	h := run(p(x[0]), p(x[1]), p(x[2]))
	turned := make([]float64, period)
	for j := range turned {
		turned[j] = h.Season[(len(y)+j)%period]
	}
	h.Season = turned
	return h, nil
}
