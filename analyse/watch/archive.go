package watch

import (
	"math"
	"slices"
	"time"

	"dtm"
)

// Ahead is how many steps are looked ahead to.
var Ahead = map[Step]int{Week: 4, Month: 3}

// Grace is how long after the end of a step its forecast waits: records of its last
// days are still on their way.
var Grace = map[Step]time.Duration{Week: 24 * time.Hour, Month: 3 * 24 * time.Hour}

// Forecasts are an outlook as the archive keeps it.
func (o Outlook) Forecasts(by, release string) []dtm.Forecast {
	var out []dtm.Forecast
	for k, at := range o.Starts {
		f := o.Forecast
		out = append(out, dtm.Forecast{Step: string(o.Series.Step), By: by, Key: o.Series.Key, Origin: o.Starts[0], Target: at, Ahead: k + 1, Release: release, Model: string(o.Model), Form: o.Form,
			Mean: round(f.Mean[k]), Lo80: round(f.Lo80[k]), Hi80: round(f.Hi80[k]), Lo95: round(f.Lo95[k]), Hi95: round(f.Hi95[k])})
	}
	return out
}

// Told is an archived forecast with what came.
type Told struct {
	dtm.Forecast
	Observed float64 // NaN: not known yet, withheld, or not observed
	// After: it was made when its step was over already (history that was imported
	// late), so that it is no forecast.
	After bool
}

// Known tells whether the forecast can be held against a count.
func (t Told) Known() bool { return !math.IsNaN(t.Observed) && !t.After }

// Error is what came less what was expected.
func (t Told) Error() float64 { return t.Observed - t.Mean }

// Within tells whether the count lay in the interval of 80 or 95 %.
func (t Told) Within(level int) bool {
	if level == 95 {
		return t.Observed >= t.Lo95 && t.Observed <= t.Hi95
	}
	return t.Observed >= t.Lo80 && t.Observed <= t.Hi80
}

// Hold holds archived forecasts against the series by what their keys are codes of.
// Counts are as they would be had every day been observed: that is what was forecast.
func Hold(list []dtm.Forecast, series map[string][]Series) []Told {
	out := make([]Told, 0, len(list))
	for _, f := range list {
		t := Told{Forecast: f, Observed: math.NaN()}
		i := slices.IndexFunc(series[f.By], func(s Series) bool { return s.Key == f.Key })
		if i >= 0 {
			s := series[f.By][i]
			t.After = f.Made.After(Step(f.Step).Of(f.Target).To)
			if k, ok := s.At(f.Target); ok {
				t.Observed = s.rates()[k]
			}
		}
		out = append(out, t)
	}
	return out
}

// Record is how archived forecasts did.
type Record struct {
	N          int     // held against a count
	MAE        float64 // mean absolute error
	In80, In95 float64 // shares in the intervals
}

// ScoreOf adds archived forecasts up.
func ScoreOf(list []Told) Record {
	var r Record
	for _, t := range list {
		if !t.Known() {
			continue
		}
		r.N++
		r.MAE += math.Abs(t.Error())
		r.In80 += bit(t.Within(80))
		r.In95 += bit(t.Within(95))
	}
	if n := float64(r.N); n > 0 {
		r.MAE, r.In80, r.In95 = r.MAE/n, r.In80/n, r.In95/n
	}
	return r
}
