package watch

import (
	"math"
	"slices"
	"time"

	"dtm"
	"dtm/analyse/stat"

	"gonum.org/v1/gonum/stat/distuv"
)

// Model names a way to look ahead.
type Model string

// Models. The seasonal naive one expects what was counted in the same step a year
// ago: what every other has to beat. Both is the mean of ETS and Theta.
const (
	SeasonalNaive Model = "seasonal_naive"
	ETS           Model = "ets"
	Theta         Model = "theta"
	Both          Model = "both"
)

var models = []Model{SeasonalNaive, ETS, Theta, Both}

// Score is how a model did over the rolling origin.
type Score struct {
	Model Model
	MAE   float64 // mean absolute error over all origins and horizons
	Ratio float64 // of that to the seasonal naive one's; NaN where that has none
	// Coverage80 and Coverage95 are the shares of counts that lay in the interval.
	Coverage80, Coverage95 float64
	N                      int // forecasts held against a count
}

// Past is a forecast made from what was known before, and what came.
type Past struct {
	Origin     time.Time // first step ahead's start is Origin plus Ahead-1 steps
	At         time.Time
	Ahead      int
	Mean       float64
	Lo80, Hi80 float64
	Observed   float64
}

// Outlook is what is expected of the steps to come.
type Outlook struct {
	Series   Series
	Model    Model
	Form     string // of ETS, as last chosen
	Starts   []time.Time
	Forecast stat.Forecast
	Scores   []Score // of all models, the chosen one's first
	Past     []Past  // of the chosen model, one step ahead
	// Origins is how often the history was cut off and looked ahead from; 0: it is too
	// short for that, and the model was taken untried.
	Origins int
}

// Look looks h steps ahead. Every model is tried from each step of the history on,
// with nothing known after it; the one with the least mean absolute error is taken,
// the seasonal naive one too if it is the best. Models see logarithms of rates per full
// step, so that nothing below 0 is expected. Intervals are the model's own, widened or
// narrowed by what its past errors (relative to its standard errors) say of them once
// there are ten: their 80 % quantile in place of the normal law's, and of forty the
// 95 % one.
func (s Series) Look(h int) (Outlook, error) {
	if s.Step == Day {
		return Outlook{}, dtm.Errorf(dtm.Invalid, "%q is no step to look ahead by: want week or month", s.Step).Coded("watch.step.ahead", string(s.Step))
	}
	if h < 1 || h > 2*s.Step.Period() {
		return Outlook{}, dtm.Errorf(dtm.Invalid, "%d steps ahead: want 1 to %d", h, 2*s.Step.Period()).Coded("watch.ahead", h, 2*s.Step.Period())
	}
	logs := make([]float64, s.Len())
	known := 0
	for i, v := range s.rates() {
		logs[i] = math.Log1p(v)
		if !math.IsNaN(v) {
			known++
		}
	}
	if known < 12 {
		return Outlook{}, dtm.Errorf(dtm.Invalid, "the history has %d steps; this method needs %d", known, 12).Coded("stat.short", known, 12)
	}
	l := &looking{s: s, logs: logs, h: h, period: s.Step.Period(), z: map[Model][][]float64{}}
	past := map[Model][]Past{}
	sums := map[Model]*Score{}
	out := Outlook{Series: s}
	// From the first two years on, or two fifths of a short history; of a long one the
	// last 104 steps.
	first := max(min(2*l.period+1, max(12, s.Len()*2/5)), s.Len()-104)
	for t := first; t < s.Len(); t++ {
		f := l.all(t)
		if f == nil {
			continue
		}
		out.Origins++
		// Held against the same counts: a step that one model cannot expect counts for none.
		for k := 0; k < h && t+k < s.Len(); k++ {
			y := s.rates()[t+k]
			if math.IsNaN(y) {
				continue
			}
			whole := true
			for _, m := range models {
				whole = whole && !math.IsNaN(f[m].mean[k])
			}
			for _, m := range models {
				if !whole && (m == SeasonalNaive || math.IsNaN(f[m].mean[k])) {
					continue
				}
				lo80, hi80 := l.ends(m, f[m], k, 0.8, t)
				lo95, hi95 := l.ends(m, f[m], k, 0.95, t)
				mean := math.Expm1(f[m].mean[k])
				if whole {
					if sums[m] == nil {
						sums[m] = &Score{Model: m}
					}
					c := sums[m]
					c.N++
					c.MAE += math.Abs(y - mean)
					c.Coverage80 += bit(y >= lo80 && y <= hi80)
					c.Coverage95 += bit(y >= lo95 && y <= hi95)
				}
				if k == 0 {
					past[m] = append(past[m], Past{Origin: s.Starts[t], At: s.Starts[t], Ahead: 1, Mean: mean, Lo80: lo80, Hi80: hi80, Observed: y})
				}
			}
		}
		l.remember(t, f)
	}
	for _, m := range models {
		if c := sums[m]; c != nil {
			n := float64(c.N)
			c.MAE /= n
			c.Coverage80 /= n
			c.Coverage95 /= n
			out.Scores = append(out.Scores, *c)
		}
	}
	for i := range out.Scores {
		out.Scores[i].Ratio = math.NaN()
		if naive := sums[SeasonalNaive]; naive != nil && naive.MAE > 0 {
			out.Scores[i].Ratio = out.Scores[i].MAE / naive.MAE
		}
	}
	slices.SortStableFunc(out.Scores, func(a, b Score) int {
		switch {
		case a.MAE < b.MAE:
			return -1
		case a.MAE > b.MAE:
			return 1
		}
		return 0
	})
	out.Model = Theta
	if len(out.Scores) > 0 {
		out.Model = out.Scores[0].Model
	}
	f := l.all(s.Len())
	if f == nil {
		return Outlook{}, dtm.Errorf(dtm.Invalid, "the history has %d steps; this method needs %d", known, 12).Coded("stat.short", known, 12)
	}
	// The seasonal naive one knows nothing of a step that was not counted a year ago: then
	// the next best that knows all steps is taken.
	for _, c := range out.Scores {
		if !slices.ContainsFunc(f[c.Model].mean, math.IsNaN) {
			out.Model = c.Model
			break
		}
	}
	out.Past, out.Form = past[out.Model], l.form()
	g := f[out.Model]
	out.Forecast.Method = string(out.Model)
	for k := range h {
		out.Starts = append(out.Starts, s.Of(s.Len()+k).From)
		out.Forecast.Mean = append(out.Forecast.Mean, math.Expm1(g.mean[k]))
		lo80, hi80 := l.ends(out.Model, g, k, 0.8, s.Len())
		lo95, hi95 := l.ends(out.Model, g, k, 0.95, s.Len())
		out.Forecast.Lo80, out.Forecast.Hi80 = append(out.Forecast.Lo80, lo80), append(out.Forecast.Hi80, hi80)
		out.Forecast.Lo95, out.Forecast.Hi95 = append(out.Forecast.Lo95, min(lo95, lo80)), append(out.Forecast.Hi95, max(hi95, hi80))
	}
	return out, nil
}

func bit(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// ahead are logarithms expected, with standard errors.
type ahead struct{ mean, se []float64 }

type looking struct {
	s      Series
	logs   []float64
	h      int
	period int
	ets    *stat.ETS
	picked int // steps the form was chosen on
	// z[m][k] are absolute errors k+1 steps ahead in standard errors, and since when
	// they are known.
	z     map[Model][][]float64
	since map[Model][][]int
}

func (l *looking) form() string {
	if l.ets == nil {
		return ""
	}
	return l.ets.Form.String()
}

// all looks ahead from step t, which is not known, by every model.
func (l *looking) all(t int) map[Model]ahead {
	y := l.logs[:t]
	e, err := l.fit(y)
	if err != nil {
		return nil
	}
	period := l.period
	season := make([]float64, 0)
	if period > 24 { // too many seasons for the models: taken out first
		season, y = l.deseason(y)
		period = 1
		if e, err = l.fit(y); err != nil {
			return nil
		}
	}
	ef := e.Forecast(l.h)
	tf, err := stat.Theta(y, period, l.h)
	if err != nil {
		return nil
	}
	out := map[Model]ahead{SeasonalNaive: l.naive(t), ETS: {ef.Mean, ef.StandardErrs}, Theta: {tf.Mean, tf.StandardErrs}}
	both := ahead{}
	for k := range l.h {
		if len(season) > 0 {
			ef.Mean[k] += season[k]
			tf.Mean[k] += season[k]
		}
		both.mean = append(both.mean, (ef.Mean[k]+tf.Mean[k])/2)
		both.se = append(both.se, (ef.StandardErrs[k]+tf.StandardErrs[k])/2)
	}
	out[Both] = both
	return out
}

// deseason takes the seasons of STL out and gives those to come; with less than two
// years and an observation in each there are none.
func (l *looking) deseason(y []float64) (next, rest []float64) {
	next = make([]float64, l.h)
	d, err := stat.STL(y, stat.STLOptions{Period: l.period, Robust: true})
	if err != nil {
		return next, y
	}
	rest = slices.Clone(y)
	for i := range rest {
		rest[i] -= d.Seasonal[i]
	}
	for k := range next {
		next[k] = d.Seasonal[len(y)-l.period+k%l.period]
	}
	return next, rest
}

// naive expects the rate of the same step a year before; its errors are those it made.
func (l *looking) naive(t int) ahead {
	a := ahead{make([]float64, l.h), make([]float64, l.h)}
	sum, n := 0.0, 0.0
	for i := l.period; i < t; i++ {
		if d := l.logs[i] - l.logs[i-l.period]; !math.IsNaN(d) {
			sum += d * d
			n++
		}
	}
	se := math.NaN()
	if n > 0 {
		se = math.Sqrt(max(sum/n, 1e-6))
	}
	for k := range l.h {
		i := t + k - l.period
		for i >= t {
			i -= l.period
		}
		a.mean[k], a.se[k] = math.NaN(), se
		if i >= 0 {
			a.mean[k] = l.logs[i]
		}
	}
	return a
}

// fit fits ETS, choosing its form anew when the history has grown by a year.
func (l *looking) fit(y []float64) (*stat.ETS, error) {
	period := l.period
	if period > 24 {
		period = 1
	}
	if l.ets != nil && len(y)-l.picked < l.period {
		if m, err := stat.FitETS(y, l.ets.Form, l.ets); err == nil {
			l.ets = m
			return m, nil
		}
	}
	m, err := stat.SelectETS(y, period)
	if err != nil {
		return nil, err
	}
	l.ets, l.picked = m, len(y)
	return m, nil
}

// remember keeps the errors of what was expected from step t on.
func (l *looking) remember(t int, f map[Model]ahead) {
	if l.since == nil {
		l.since = map[Model][][]int{}
	}
	for _, m := range models {
		if l.z[m] == nil {
			l.z[m], l.since[m] = make([][]float64, l.h), make([][]int, l.h)
		}
		for k := 0; k < l.h && t+k < len(l.logs); k++ {
			z := math.Abs(l.logs[t+k]-f[m].mean[k]) / f[m].se[k]
			if !math.IsNaN(z) && !math.IsInf(z, 0) {
				l.z[m][k] = append(l.z[m][k], z)
				l.since[m][k] = append(l.since[m][k], t+k)
			}
		}
	}
}

// ends of the interval of step k ahead at a level, by the errors known before step t.
func (l *looking) ends(m Model, a ahead, k int, level float64, t int) (lo, hi float64) {
	z := distuv.UnitNormal.Quantile(0.5 + level/2)
	if l.z[m] != nil {
		var seen []float64
		for i, v := range l.z[m][k] {
			if l.since[m][k][i] < t {
				seen = append(seen, v)
			}
		}
		slices.Sort(seen)
		// The quantile that leaves the wanted share inside for one more error. Where the
		// errors are too few to have one so far out, their 80 % quantile is stretched as
		// the normal law's would be: the largest of thirty says little of one in twenty.
		at := func(level float64) float64 { return seen[int(math.Ceil(level*float64(len(seen)+1)))-1] }
		switch {
		case len(seen) >= 2*int(math.Ceil(1/(1-level))):
			z = at(level)
		case len(seen) >= 10:
			z *= at(0.8) / distuv.UnitNormal.Quantile(0.9)
		}
	}
	return max(0, math.Expm1(a.mean[k]-z*a.se[k])), math.Expm1(min(a.mean[k]+z*a.se[k], 40))
}
