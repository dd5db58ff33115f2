package stat

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"dtm"

	"gonum.org/v1/gonum/stat/distuv"
)

// poisson draws a series of counts with a yearly season; some are missing.
func poisson(r *rand.Rand, n, period int, mean, missing float64) []float64 {
	y := make([]float64, n)
	for i := range y {
		m := mean * (1 + 0.3*math.Sin(2*math.Pi*float64(i)/float64(period)))
		y[i] = distuv.Poisson{Lambda: m, Src: r}.Rand()
		if r.Float64() < missing {
			y[i] = math.NaN()
		}
	}
	return y
}

func source(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 7)) } //nolint:gosec // tests repeat

// Whatever counts come in, a method answers with finite bounds or with words.
func TestAnyCounts(t *testing.T) {
	r := source(1)
	o := OriginalFarrington()
	o.Period, o.Years, o.Half, o.Skip = 12, 3, 1, 1
	for range 60 {
		n := r.IntN(90)
		y := poisson(r, n, 12, math.Exp(r.Float64()*8-2), r.Float64()*0.5)
		if r.IntN(5) == 0 {
			for i := range y {
				y[i] = 0
			}
		}
		words := func(what string, err error) bool {
			var e *dtm.Error
			if err != nil && (!errors.As(err, &e) || e.Kind != dtm.Invalid || e.Error() == "") {
				t.Errorf("%s: %v", what, err)
			}
			return err == nil
		}
		sound := func(what string, b Bounds) {
			for i := range y {
				if math.IsInf(b.Upper[i], 0) || b.Alarm[i] && (math.IsNaN(y[i]) || math.IsNaN(b.Upper[i])) {
					t.Errorf("%s, step %d of %v: bound %v alarm %v", what, i, y, b.Upper[i], b.Alarm[i])
				}
			}
		}
		for _, m := range []EARSMethod{C1, C2, C3, C3Mean} {
			if b, err := EARS(y, m, 0.001); words("EARS", err) {
				sound("EARS", b)
			}
		}
		for _, bound := range []Threshold{TwoThirds, NegativeBinomial, NegativeBinomialMean} {
			o.Bound = bound
			if b, err := Farrington(y, o.Need(), o); words("Farrington", err) {
				sound("Farrington", b)
			}
		}
		if _, _, err := CUSUM(y, n/2, 1.04, 2.26); err != nil {
			words("CUSUM", err)
		}
		if d, err := STL(y, STLOptions{Period: 12, Robust: r.IntN(2) == 0}); words("STL", err) {
			for i := range y {
				if !math.IsNaN(y[i]) && math.Abs(d.Seasonal[i]+d.Trend[i]+d.Remainder[i]-y[i]) > 1e-6*(1+y[i]) {
					t.Errorf("STL parts do not sum at %d", i)
				}
			}
		}
		if f, err := Theta(y, 12, 3); words("Theta", err) {
			for i := range 3 {
				if !(f.Lo95[i] <= f.Lo80[i] && f.Lo80[i] <= f.Mean[i] && f.Mean[i] <= f.Hi80[i] && f.Hi80[i] <= f.Hi95[i]) {
					t.Errorf("Theta intervals %v", f)
				}
			}
		}
	}
}

// The offset makes a point that was open half the days no drop and no surge: the
// expected count is half, and the bound less.
func TestOffsetOfDaysObserved(t *testing.T) {
	r := source(2)
	y := poisson(r, 260, 52, 80, 0)
	off := make([]float64, len(y))
	for i := range off {
		days := 7.0
		if i%5 == 0 {
			days = 3
			y[i] = math.Round(y[i] * 3 / 7)
		}
		off[i] = math.Log(days)
	}
	o := FlexibleFarrington()
	o.Years, o.Offset = 3, off
	b, err := Farrington(y, 200, o)
	if err != nil {
		t.Fatal(err)
	}
	alarms := 0
	for i := 200; i < len(y); i++ {
		if b.Alarm[i] {
			alarms++
		}
		if i%5 == 0 && i%52 > 3 && !(b.Expected[i] < 60) {
			t.Errorf("week %d of 3 days: expected %v", i, b.Expected[i])
		}
	}
	if alarms > 3 {
		t.Errorf("%d alarms in 60 quiet weeks", alarms)
	}
}

// A calendar effect that is declared is learnt: what comes every Ramadan is no alarm.
func TestCalendarEffect(t *testing.T) {
	r := source(3)
	n := 52 * 6
	y, ramadan := poisson(r, n, 52, 60, 0), make([]float64, n)
	for i := range y {
		year := i / 52
		if at := i - (year*52 + 30 - year*2 + 1); at >= 0 && at < 4 {
			ramadan[i] = 1
			y[i] = math.Round(y[i] * 2.5)
		}
	}
	alarms := func(o FarringtonOptions) int {
		b, err := Farrington(y, 52*4, o)
		if err != nil {
			t.Fatal(err)
		}
		k := 0
		for i, a := range b.Alarm {
			if a && ramadan[i] == 1 {
				k++
			}
		}
		return k
	}
	o := FlexibleFarrington()
	o.Years = 3
	without := alarms(o)
	o.Covariates = [][]float64{ramadan}
	if with := alarms(o); with >= without || with > 1 {
		t.Errorf("%d alarms with the effect declared, %d without", with, without)
	}
}

// Rare false alarms: on Poisson counts, quantiles hold what alpha says.
func TestNegativeBinomialQuantile(t *testing.T) {
	for _, mean := range []float64{0.3, 4, 77, 300} {
		for _, phi := range []float64{1, 1.5, 9} {
			for _, p := range []float64{0.5, 0.9, 0.99} {
				k := negBinomialQuantile(p, mean, phi)
				sum := 0.0
				at := math.Exp(-mean)
				size := mean / (phi - 1)
				if phi > 1 {
					at = math.Pow(phi, -size)
				}
				j := 0.0
				for ; sum+at < p; j++ {
					sum += at
					if phi > 1 {
						at *= (size + j) / (j + 1) * (phi - 1) / phi
					} else {
						at *= mean / (j + 1)
					}
					if j > 1e5 {
						t.Fatalf("mean %v phi %v does not end", mean, phi)
					}
				}
				if math.Pow(phi, -size) > 0 && k != j { // not where the first term underflows
					t.Errorf("mean %v phi %v p %v: %v, want %v", mean, phi, p, k, j)
				}
			}
		}
	}
}

// Balanced flows conserve, are not below 0, and a balanced input is left alone.
func TestBalanceConserves(t *testing.T) {
	r := source(4)
	a := [][]float64{{1, 1, -1, -1, 0, 0}, {0, 0, 1, 0, -1, -1}}
	for range 200 {
		y, v := make([]float64, 6), make([]float64, 6)
		for i := range y {
			y[i] = math.Floor(r.Float64() * 300 * float64(r.IntN(2)))
			v[i] = y[i] + 1
		}
		b, err := Balance(y, v, a, nil)
		if err != nil {
			t.Fatal(err)
		}
		for k, row := range a {
			s := 0.0
			for i, c := range row {
				s += c * b.Flows[i]
				if b.Flows[i] < 0 {
					t.Fatalf("flow below 0: %v", b.Flows)
				}
			}
			if math.Abs(s) > 1e-5 {
				t.Fatalf("node %d misses by %v: %v of %v", k, s, b.Flows, y)
			}
		}
		again, err := Balance(b.Flows, v, a, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := range again.Flows {
			if math.Abs(again.Flows[i]-b.Flows[i]) > 1e-5 {
				t.Fatalf("balancing twice differs: %v %v", again.Flows, b.Flows)
			}
		}
	}
}

// A design of one stratum, equal weights and single respondents is a simple random
// sample; clusters of copies have the design effect of their size.
func TestDesignReduces(t *testing.T) {
	r := source(5)
	y := make([]float64, 80)
	for i := range y {
		y[i] = r.NormFloat64()
	}
	e, err := Design{}.Mean(y)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(e.Deff-1) > 1e-9 {
		t.Errorf("deff %v", e.Deff)
	}
	var many []float64
	var names []string
	for i, v := range y {
		for range 4 {
			many, names = append(many, v), append(names, string(rune('A'+i)))
		}
	}
	c, err := Design{Clusters: names}.Mean(many)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(c.SE-e.SE) > 1e-9 {
		t.Errorf("copies change the error: %v %v", c.SE, e.SE)
	}
	if c.Deff < 3.9 || c.Deff > 4.1 {
		t.Errorf("deff of fourfold copies %v", c.Deff)
	}
	if _, err := (Design{Strata: []string{"a", "a", "b"}}).Mean([]float64{1, 2, 3}); err == nil {
		t.Error("a lonely cluster has a variance")
	}
}
