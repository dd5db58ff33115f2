package watch

import (
	"math"
	"slices"
	"time"

	"gonum.org/v1/gonum/stat/distuv"
)

func zOf(alpha float64) float64 { return distuv.UnitNormal.Quantile(1 - alpha) }

func median(x []float64) float64 {
	x = slices.Clone(x)
	slices.Sort(x)
	n := len(x)
	return (x[(n-1)/2] + x[n/2]) / 2
}

// Raised is an alarm that was, or would have been, raised.
type Raised struct {
	Key             string
	Start           time.Time
	Observed        float64
	Expected, Upper float64
	Method          Method
	Effects         []string // of the calendar that touch the step
	// Alone: the steps beside it are within their bounds. The last step never is: what
	// follows it is not known.
	Alone bool
}

// Backtest is what a setting would have raised over a history, each step judged by
// what was known before it.
type Backtest struct {
	Tested  int     // steps that could be judged
	Years   float64 // of steps
	Raised  []Raised
	Alone   int
	Methods map[Method]int // how many steps each judged
}

// PerYear is the number of alarms per year of one series.
func (b Backtest) PerYear() float64 { return rate(len(b.Raised), b.Years) }

// AlonePerYear counts those that the next step did not repeat: false alarms, as far
// as a history without a record of what happened can tell.
func (b Backtest) AlonePerYear() float64 { return rate(b.Alone, b.Years) }

func rate(n int, years float64) float64 {
	if years == 0 {
		return 0
	}
	return float64(n) / years
}

// Backtest judges every step of the series.
func (s Series) Backtest(set Settings) (Backtest, error) { return s.BacktestFrom(0, set) }

// BacktestFrom judges the steps from one on.
func (s Series) BacktestFrom(from int, set Settings) (Backtest, error) {
	out := Backtest{Methods: map[Method]int{}}
	all := make([]Judgement, s.Len())
	for t := max(0, from-1); t < len(all); t++ {
		var err error
		if all[t], err = s.Judge(t, set); err != nil {
			return out, err
		}
	}
	for t, j := range all {
		if t < from || j.Method == "" || math.IsNaN(s.Counts[t]) {
			continue
		}
		out.Tested++
		out.Methods[j.Method]++
		if !j.Alarm {
			continue
		}
		r := Raised{Key: s.Key, Start: s.Starts[t], Observed: s.Counts[t], Expected: j.Expected, Upper: j.Upper, Method: j.Method, Effects: s.Effects(t), Alone: true}
		if t+1 == len(all) || all[t+1].Alarm || math.IsNaN(s.Counts[t+1]) || t > 0 && all[t-1].Alarm {
			r.Alone = false
		}
		if r.Alone {
			out.Alone++
		}
		out.Raised = append(out.Raised, r)
	}
	out.Years = float64(out.Tested) / float64(s.Step.Period())
	return out, nil
}

// Judgements judges every step.
func (s Series) Judgements(set Settings) ([]Judgement, error) {
	out := make([]Judgement, s.Len())
	for t := range out {
		var err error
		if out[t], err = s.Judge(t, set); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Add joins the back-tests of several series.
func (b Backtest) Add(o Backtest) Backtest {
	m := map[Method]int{}
	for _, x := range []Backtest{b, o} {
		for k, n := range x.Methods {
			m[k] += n
		}
	}
	return Backtest{b.Tested + o.Tested, b.Years + o.Years, append(slices.Clone(b.Raised), o.Raised...), b.Alone + o.Alone, m}
}

// Planted is how surges that were added to a history are found.
type Planted struct {
	Factor   float64
	Surges   int
	Found    int
	Delays   []int // steps until the first alarm, of those found
	Duration int
}

// Add joins what was found in several series.
func (p Planted) Add(o Planted) Planted {
	p.Surges += o.Surges
	p.Found += o.Found
	p.Delays = append(slices.Clone(p.Delays), o.Delays...)
	return p
}

// Share of the surges that were found.
func (p Planted) Share() float64 {
	if p.Surges == 0 {
		return 0
	}
	return float64(p.Found) / float64(p.Surges)
}

// Delay is the mean number of steps between a surge's first and its alarm.
func (p Planted) Delay() float64 {
	sum := 0
	for _, d := range p.Delays {
		sum += d
	}
	if len(p.Delays) == 0 {
		return math.NaN()
	}
	return float64(sum) / float64(len(p.Delays))
}

// Plant multiplies counts over some steps by a factor, one surge at a time at every
// stride-th step that can be judged, and looks when it is found. A step that is an
// alarm without it is no place for one.
func (s Series) Plant(set Settings, factor float64, duration, stride int) (Planted, error) {
	return s.PlantFrom(0, set, factor, duration, stride)
}

// PlantFrom is Plant over the steps from one on.
func (s Series) PlantFrom(from int, set Settings, factor float64, duration, stride int) (Planted, error) {
	out := Planted{Factor: factor, Duration: duration}
	for t := from; t+duration <= s.Len(); t += stride {
		quiet, judged := true, true
		for i := t; i < t+duration; i++ {
			j, err := s.Judge(i, set)
			if err != nil {
				return out, err
			}
			quiet = quiet && !j.Alarm
			judged = judged && j.Method != "" && !math.IsNaN(s.Counts[i])
		}
		if !quiet || !judged {
			continue
		}
		out.Surges++
		with := s
		with.Counts = slices.Clone(s.Counts)
		for i := t; i < t+duration; i++ {
			with.Counts[i] = math.Round(s.Counts[i] * factor)
		}
		for i := t; i < t+duration; i++ {
			j, err := with.Judge(i, set)
			if err != nil {
				return out, err
			}
			if j.Alarm {
				out.Found++
				out.Delays = append(out.Delays, i-t)
				break
			}
		}
	}
	return out, nil
}
