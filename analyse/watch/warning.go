package watch

import (
	"math"

	"dtm"
	"dtm/analyse/stat"

	gstat "gonum.org/v1/gonum/stat"
)

// Method names the rule that a bound is from.
type Method string

// Methods of early warning. Auto takes flexible Farrington as soon as there are three
// years before. Until then it is EARS on weeks (C2) and months (C1); days have Recent,
// and C2 while there are less than eight weeks.
const (
	Auto       Method = "auto"
	Farrington Method = "farrington"
	C1         Method = "c1"
	C2         Method = "c2"
	C3         Method = "c3"
	CUSUM      Method = "cusum"
	STL        Method = "stl"
	// Recent is Farrington's regression over the last eight weeks of days in place of
	// years: a factor for each day of the week, a trend, the last week left out.
	Recent Method = "recent"
)

// Methods lists them.
var Methods = []Method{Auto, Farrington, C1, C2, C3, CUSUM, STL, Recent}

// Settings of a warning.
type Settings struct {
	Method Method
	Alpha  float64 // chance of a false alarm per step and series; 0: 0.01 for Farrington on weeks and months, 0.001 for the others
	Least  float64 // a smaller count raises no alarm; 0: 10
}

func (s Settings) filled() (Settings, error) {
	if s.Method == "" {
		s.Method = Auto
	}
	known := false
	for _, m := range Methods {
		known = known || m == s.Method
	}
	if !known {
		return s, dtm.Errorf(dtm.Invalid, "there is no method %q", s.Method).Coded("watch.method", string(s.Method))
	}
	if s.Alpha < 0 || s.Alpha >= 1 {
		return s, dtm.Errorf(dtm.Invalid, "alpha is %v: want a chance between 0 and 1", s.Alpha).Coded("watch.alpha", s.Alpha)
	}
	if s.Least <= 0 {
		s.Least = 10
	}
	return s, nil
}

func (s Settings) alpha(other float64) float64 {
	if s.Alpha > 0 {
		return s.Alpha
	}
	return other
}

// Judgement is what was expected of one step. Method is "" where nothing could be.
type Judgement struct {
	Expected, Upper float64
	Method          Method
	Alarm           bool
}

// Judge says what was to be expected of step t by all that was known before it, and
// whether its count is above.
func (s Series) Judge(t int, set Settings) (Judgement, error) {
	set, err := set.filled()
	if err != nil {
		return Judgement{}, err
	}
	out := Judgement{Expected: math.NaN(), Upper: math.NaN()}
	if s.Days[t] <= 0 {
		return out, nil
	}
	order := []Method{set.Method}
	if set.Method == Auto {
		order = map[Step][]Method{Month: {Farrington, C1}, Week: {Farrington, C2}, Day: {Farrington, Recent, C2}}[s.Step]
	}
	for _, m := range order {
		mean, upper := s.bound(t, m, set)
		if !math.IsNaN(upper) {
			out.Expected, out.Upper, out.Method = mean, upper, m
			out.Alarm = s.Counts[t] > upper && s.Counts[t] >= set.Least
			break
		}
	}
	return out, nil
}

// bound is NaN where the method cannot answer: too short a history is none to it.
func (s Series) bound(t int, m Method, set Settings) (mean, upper float64) {
	nan := math.NaN()
	switch m {
	case Farrington, Recent:
		o := s.farrington(t)
		if m == Recent {
			if o = s.recent(t); s.Step != Day {
				return nan, nan
			}
		}
		if o.Years < 3 || t < o.Need() {
			return nan, nan
		}
		o.Alpha = set.alpha(0.01)
		if s.Step == Day { // there are 365 chances in a year
			o.Alpha = set.alpha(0.001)
		}
		b, err := stat.Farrington(s.Counts[:t+1], t, o)
		if err != nil {
			return nan, nan
		}
		return b.Expected[t], b.Upper[t]
	case STL:
		return s.remainder(t, set.alpha(0.001))
	}
	// The others know no offset: they see rates of full steps.
	from := max(0, t-104)
	y := s.rates()[from : t+1]
	k := len(y) - 1
	share := s.Days[t] / s.full(t)
	var b stat.Bounds
	var err error
	switch m {
	case C1:
		b, err = stat.EARS(y, stat.C1, set.alpha(0.001))
	case C2:
		b, err = stat.EARS(y, stat.C2, set.alpha(0.001))
	case C3:
		b, err = stat.EARS(y, stat.C3Mean, set.alpha(0.001))
	case CUSUM:
		start := k - 13
		if start < 8 {
			return nan, nan
		}
		b, err = s.cusum(y, start)
	}
	if err != nil || b.Upper == nil || math.IsNaN(b.Upper[k]) {
		return nan, nan
	}
	mean = b.Expected[k] * share
	upper = b.Upper[k] * share
	if m != CUSUM {
		// No count varies less than chance lets it.
		upper = max(upper, mean+zOf(set.alpha(0.001))*math.Sqrt(mean))
	}
	return mean, upper
}

// farrington are the settings for as many years as step t has before it. Months are
// fewer: one on either side, four seasons, and the three last months left out. Days
// have ten on either side, and a factor for each day of the week.
func (s Series) farrington(t int) stat.FarringtonOptions {
	o := stat.FlexibleFarrington()
	switch s.Step {
	case Month:
		o.Period, o.Half, o.Skip, o.Seasons = 12, 1, 3, 4
	case Day:
		o.Period, o.Half, o.Skip = Day.Period(), 10, 182
	}
	most := 5
	if s.Step == Day { // three years of days are observations enough
		most = 3
	}
	o.Years = min(most, (t-o.Half)/o.Period)
	o.TrendP = 0.05
	o.MinCases = 0
	o.Offset = s.offset()[:t+1]
	for _, c := range s.covariates() {
		o.Covariates = append(o.Covariates, c[:t+1])
	}
	return o
}

// recent are the settings of Recent: its years are weeks, its seasons their days.
func (s Series) recent(t int) stat.FarringtonOptions {
	o := stat.FlexibleFarrington()
	o.Period, o.Years, o.Half, o.Skip, o.Seasons = 7, 8, 0, 7, 7
	o.TrendP, o.MinCases = 0.05, 0
	o.Offset = s.offset()[:t+1]
	for _, c := range s.calendar() {
		o.Covariates = append(o.Covariates, c[:t+1])
	}
	return o
}

// cusum standardises by the spread that was seen, so that counts which vary more than
// chance do not add up to alarms.
func (s Series) cusum(y []float64, start int) (stat.Bounds, error) {
	var base []float64
	for _, v := range y[:start] {
		if !math.IsNaN(v) {
			base = append(base, v)
		}
	}
	if len(base) < 5 {
		return stat.Bounds{}, nil
	}
	m, v := gstat.MeanVariance(base, nil)
	phi := max(1, v/max(m, 1e-9))
	scaled := make([]float64, len(y))
	for i := range y {
		scaled[i] = y[i] / phi
	}
	b, _, err := stat.CUSUM(scaled, start, 1.04, 2.26)
	if err != nil {
		return b, err
	}
	for i := range b.Upper {
		b.Upper[i] *= phi
		b.Expected[i] *= phi
	}
	return b, nil
}

// remainder is the rule on what STL leaves of the logarithm: more than z times the
// remainders' usual size (1.4826 times their median) is above.
func (s Series) remainder(t int, alpha float64) (mean, upper float64) {
	nan := math.NaN()
	p := s.Step.Period()
	from := 0
	if s.Step == Day { // the season is the week's; what the year does is in the trend
		p, from = 7, max(0, t-Day.Period())
	}
	if t-from < 2*p+1 {
		return nan, nan
	}
	rates := s.rates()[from : t+1]
	logs := make([]float64, len(rates))
	for i, v := range rates {
		logs[i] = math.Log1p(v)
	}
	last := len(logs) - 1
	logs[last] = nan // it shall not explain itself
	d, err := stat.STL(logs, stat.STLOptions{Period: p, Robust: true})
	if err != nil {
		return nan, nan
	}
	var size []float64
	for _, r := range d.Remainder[:last] {
		if !math.IsNaN(r) {
			size = append(size, math.Abs(r))
		}
	}
	if len(size) < p {
		return nan, nan
	}
	share := s.Days[t] / s.full(t)
	at := d.Seasonal[last] + d.Trend[last]
	sd := 1.4826 * median(size)
	return share * math.Expm1(at), share * math.Expm1(at+zOf(alpha)*sd)
}
