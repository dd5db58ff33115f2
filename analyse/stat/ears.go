package stat

import (
	"math"

	gstat "gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Bounds are a method's answer for every step of a series. NaN stands where the
// method had nothing to say; Alarm is false there.
type Bounds struct {
	Expected []float64
	Upper    []float64
	Alarm    []bool
}

func newBounds(n int) Bounds { return Bounds{nans(n), nans(n), make([]bool, n)} }

// EARSMethod is one of the rules of the Early Aberration Reporting System.
type EARSMethod int

// The rules: C1 looks at the seven steps before, C2 leaves two steps between. C3
// and C3Mean lower C2's bound by what C2 exceeded 1 by in the two steps before.
// They differ in what the bound is measured from: C3Mean takes the baseline's mean,
// as the paper has it; C3 takes the count itself, as the R package surveillance
// computes it, so that its alarm says that the two steps before were too high
// together.
const (
	C1 EARSMethod = iota + 1
	C2
	C3
	C3Mean
)

// EARS compares each count with the mean and deviation of seven steps before it
// (Hutwagner and others 2003; Fricker, Hegler and Dunfee 2008). alpha is the chance of
// a false alarm per step under a normal law, 0.001 by custom. A baseline with fewer
// than five observations answers nothing. Where the baseline does not vary at all
// the bound is its mean, and to C3 a count above it is as much as one at C2's bound.
// It needs 8 steps (C1), 10 (C2) or 12 (C3).
func EARS(y []float64, m EARSMethod, alpha float64) (Bounds, error) {
	if err := counts(y); err != nil {
		return Bounds{}, err
	}
	if !(alpha > 0 && alpha < 1) {
		return Bounds{}, invalid("alpha", "alpha is %v: want a chance between 0 and 1", alpha)
	}
	need := map[EARSMethod]int{C1: 8, C2: 10, C3: 12, C3Mean: 12}[m]
	if need == 0 {
		return Bounds{}, invalid("method", "there is no rule C%d", int(m))
	}
	if len(y) < need {
		return Bounds{}, invalid("short", "the history has %d steps; this method needs %d", len(y), need)
	}
	z := distuv.UnitNormal.Quantile(1 - alpha)
	lag := 1
	if m != C1 {
		lag = 3
	}
	mean, sd, score := nans(len(y)), nans(len(y)), nans(len(y))
	for t := lag + 6; t < len(y); t++ {
		base := known(y[t-lag-6 : t-lag+1])
		if len(base) < 5 {
			continue
		}
		mean[t], sd[t] = gstat.MeanStdDev(base, nil)
		switch {
		case sd[t] > 0:
			score[t] = (y[t] - mean[t]) / sd[t]
		case y[t] > mean[t]:
			score[t] = z
		case !math.IsNaN(y[t]):
			score[t] = 0
		}
	}
	out := newBounds(len(y))
	for t := range y {
		up := z
		if m >= C3 {
			if t < 11 {
				continue
			}
			for i := 1; i <= 2; i++ {
				if s := score[t-i]; !math.IsNaN(s) {
					up -= max(0, s-1)
				}
			}
		}
		out.Expected[t] = mean[t]
		out.Upper[t] = mean[t] + sd[t]*up
		if m == C3 {
			out.Upper[t] = max(0, y[t]+sd[t]*up)
		}
		out.Alarm[t] = y[t] > out.Upper[t]
	}
	return out, nil
}
