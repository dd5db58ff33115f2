package stat

import (
	"bufio"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"
)

// answersOfR reads what R says of invented series and tables: testdata/r/answers.csv,
// made by answers.R beside it. The key is set and what.
func answersOfR(t *testing.T) map[string][]float64 {
	t.Helper()
	f, err := os.Open("testdata/r/answers.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	out := map[string][]float64{}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		part := strings.SplitN(lines.Text(), ",", 3)
		var list []float64
		for _, s := range strings.Fields(part[2]) {
			v, err := strconv.ParseFloat(s, 64)
			if err != nil && s != "NA" {
				t.Fatal(err)
			} else if err != nil {
				v = math.NaN()
			}
			list = append(list, v)
		}
		out[part[0]+" "+part[1]] = list
	}
	if len(out) < 200 || lines.Err() != nil {
		t.Fatal(len(out), lines.Err())
	}
	return out
}

func allNear(t *testing.T, what string, got, want []float64, digits int) {
	t.Helper()
	if len(got) != len(want) || len(want) == 0 {
		t.Errorf("%s: %d values, want %d", what, len(got), len(want))
		return
	}
	for i := range want {
		near(t, what+" "+strconv.Itoa(i+1), got[i], want[i], digits)
	}
}

func flags(alarm []bool) []float64 {
	out := make([]float64, len(alarm))
	for i, a := range alarm {
		if a {
			out[i] = 1
		}
	}
	return out
}

func TestWarningAgainstR(t *testing.T) {
	t.Parallel()
	a := answersOfR(t)
	for _, s := range []string{"usual", "many", "few", "calm"} {
		y := a[s+" y"]
		n := len(y)
		tail := func(what string, b Bounds, err error, k, digits int) {
			t.Helper()
			if err != nil {
				t.Fatal(s, what, err)
			}
			allNear(t, s+" "+what+" upper", b.Upper[n-k:], a[s+" "+what+" upper"], digits)
			allNear(t, s+" "+what+" alarm", flags(b.Alarm[n-k:]), a[s+" "+what+" alarm"], 1)
		}
		for m, name := range map[EARSMethod]string{C1: "C1", C2: "C2", C3: "C3"} {
			b, err := EARS(y, m, 0.001)
			tail(name, b, err, 104, 9)
		}
		b, sums, err := CUSUM(y, 208, 1.04, 2.26)
		if err != nil {
			t.Fatal(err)
		}
		allNear(t, s+" cusum", sums[208:], a[s+" cusum"], 9)
		allNear(t, s+" cusum alarm", flags(b.Alarm[208:]), a[s+" cusum alarm"], 1)
		o := OriginalFarrington()
		o.Years, o.Alpha, o.MinCases, o.RelativeError = 4, 0.05, 0, true
		b, err = Farrington(y, n-52, o)
		tail("farrington", b, err, 52, 7)
		for bound, name := range map[Threshold]string{NegativeBinomial: "nbPlugin", NegativeBinomialMean: "muan", TwoThirds: "delta"} {
			o := FlexibleFarrington()
			o.Bound, o.MinCases, o.RelativeError = bound, 0, true
			b, err := Farrington(y, n-52, o)
			tail(name, b, err, 52, 7)
			if bound == TwoThirds && err == nil {
				allNear(t, s+" flexible expected", b.Expected[n-52:], a[s+" flexible expected"], 7)
			}
		}
	}
}

func TestOutlookAgainstR(t *testing.T) {
	t.Parallel()
	a := answersOfR(t)
	for _, s := range []string{"rising", "falling", "plain"} {
		y := a[s+" y"]
		f, err := Theta(y, 12, 6)
		if err != nil {
			t.Fatal(err)
		}
		allNear(t, s+" theta mean", f.Mean, a[s+" theta mean"], 4)
		allNear(t, s+" theta lower", f.Lo95, a[s+" theta lower"], 4)
		allNear(t, s+" theta upper", f.Hi95, a[s+" theta upper"], 4)
		for _, form := range []ETSForm{{'A', 'N', false, 'N', 1}, {'A', 'A', false, 'N', 1}, {'A', 'A', false, 'A', 12}, {'M', 'A', false, 'M', 12}, {'M', 'N', false, 'M', 12}} {
			name := s + " " + string([]byte{form.Error, form.Trend, form.Season})
			p, fit := a[name+" par"], a[name+" fit"]
			var season []float64
			for k := len(a[name+" season"]) - 1; k >= 0; k-- {
				season = append(season, a[name+" season"][k])
			}
			zero := func(v float64) float64 {
				if math.IsNaN(v) {
					return 0
				}
				return v
			}
			m, err := RunETS(y, form, p[0], zero(p[1]), zero(p[2]), 1, p[3], zero(p[4]), season)
			if err != nil {
				t.Fatal(name, err)
			}
			near(t, name+" likelihood", m.LogLik, fit[0], 7)
			near(t, name+" variance", m.Sigma2, fit[2], 6)
			f := m.Forecast(6)
			allNear(t, name+" mean", f.Mean, a[name+" mean"], 6)
			allNear(t, name+" lower", f.Lo95, a[name+" lower"], 5)
			allNear(t, name+" upper", f.Hi95, a[name+" upper"], 5)
			own, err := FitETS(y, form, nil)
			if err != nil {
				t.Fatal(name, err)
			}
			t.Logf("%s: likelihood %.4f, R's %.4f", name, own.LogLik, fit[0])
			if own.LogLik < fit[0]-1e-4 {
				t.Errorf("%s: likelihood %.4f, R found %.4f", name, own.LogLik, fit[0])
			}
		}
		l := make([]float64, len(y))
		for i, v := range y {
			l[i] = math.Log(v)
		}
		d, err := STL(l, STLOptions{Period: 12})
		if err != nil {
			t.Fatal(err)
		}
		allNear(t, s+" stl seasonal", d.Seasonal[:12], a[s+" stl seasonal"], 8)
		allNear(t, s+" stl trend", d.Trend, a[s+" stl trend"], 9)
		allNear(t, s+" stl remainder", d.Remainder, a[s+" stl remainder"], 6)
		if d, err = STL(l, STLOptions{Period: 12, Seasonal: 13}); err != nil {
			t.Fatal(err)
		}
		allNear(t, s+" stl13 seasonal", d.Seasonal, a[s+" stl13 seasonal"], 7)
		h, err := FitHoltWinters(y, 12, s != "plain")
		if err != nil {
			t.Fatal(err)
		}
		want := a[s+" holt-winters"]
		t.Logf("%s: Holt-Winters %.4f %.4f %.4f, SSE %.4f; R %.4f %.4f %.4f, %.4f", s, h.Alpha, h.Beta, h.Gamma, h.SSE, want[0], want[1], want[2], want[3])
		if h.SSE > want[3]*(1+1e-6) {
			t.Errorf("%s: Holt-Winters leaves %.6f, R %.6f", s, h.SSE, want[3])
		}
	}
}

// square cuts a list of numbers into rows.
func square(list []float64, columns int) (out [][]float64) {
	for ; len(list) > 0; list = list[columns:] {
		out = append(out, list[:columns])
	}
	return out
}

func TestTablesAgainstR(t *testing.T) {
	t.Parallel()
	a := answersOfR(t)
	for k := 1; k <= 6; k++ {
		s := fmt.Sprintf("table%d ", k)
		columns := int(a[s+"size"][1])
		fit, err := IPF(square(a[s+"seed"], columns), a[s+"rows"], a[s+"columns"])
		if err != nil {
			t.Fatal(s, err)
		}
		for i, want := range square(a[s+"fit"], columns) {
			allNear(t, fmt.Sprintf("%srow %d", s, i+1), fit.Table[i], want, 8)
		}
	}
	for k := 1; k <= 3; k++ {
		s := fmt.Sprintf("independence%d ", k)
		fit, err := Independence(square(a[s+"table"], 4))
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range square(a[s+"fit"], 4) {
			allNear(t, s+"fit", fit.Expected[i], want, 9)
		}
		allNear(t, s+"tests", []float64{fit.LR, fit.Pearson, float64(fit.DF)}, a[s+"tests"], 9)
	}
}

func TestSurveysAgainstR(t *testing.T) {
	t.Parallel()
	a := answersOfR(t)
	words := func(list []float64) (out []string) {
		for _, v := range list {
			out = append(out, strconv.Itoa(int(v)))
		}
		return out
	}
	for k := 1; k <= 4; k++ {
		s := fmt.Sprintf("survey%d ", k)
		d := Design{Strata: words(a[s+"h"]), Clusters: words(a[s+"c"]), Weights: a[s+"w"]}
		m, err := d.Mean(a[s+"y"])
		if err != nil {
			t.Fatal(err)
		}
		allNear(t, s+"mean", []float64{m.Value, m.SE, m.Deff}, a[s+"mean"], 8)
		if m, err = d.Total(a[s+"y"]); err != nil {
			t.Fatal(err)
		}
		allNear(t, s+"total", []float64{m.Value, m.SE}, a[s+"total"], 8)
		if m, err = d.Share(a[s+"yes"]); err != nil {
			t.Fatal(err)
		}
		i, err := m.Interval(0.95)
		if err != nil {
			t.Fatal(err)
		}
		allNear(t, s+"share", []float64{m.Value, m.SE, m.Deff, i.Low, i.High}, a[s+"share"], 8)
	}
	for key, want := range a {
		part := strings.Fields(key)
		if part[0] != "wilson" {
			continue
		}
		var v [3]float64
		for i := range v {
			v[i], _ = strconv.ParseFloat(part[i+1], 64)
		}
		i, err := Wilson(v[0], v[1], v[2])
		if err != nil {
			t.Fatal(err)
		}
		allNear(t, key, []float64{i.Low, i.High}, want, 9)
	}
}

// TestDaysAgainstR: days observed as the offset, so that a point that was closed for a
// part of the week is expected to see fewer.
func TestDaysAgainstR(t *testing.T) {
	t.Parallel()
	a := answersOfR(t)
	for _, s := range []string{"days1", "days2"} {
		y := a[s+" y"]
		n := len(y)
		for bound, name := range map[Threshold]string{NegativeBinomial: "nbPlugin", TwoThirds: "delta"} {
			o := FlexibleFarrington()
			o.Bound, o.MinCases, o.RelativeError = bound, 0, true
			for _, d := range a[s+" days"] {
				o.Offset = append(o.Offset, math.Log(d))
			}
			b, err := Farrington(y, n-52, o)
			if err != nil {
				t.Fatal(err)
			}
			allNear(t, s+" "+name+" upper", b.Upper[n-52:], a[s+" "+name+" upper"], 7)
			allNear(t, s+" "+name+" alarm", flags(b.Alarm[n-52:]), a[s+" "+name+" alarm"], 1)
			if bound == TwoThirds {
				allNear(t, s+" expected", b.Expected[n-52:], a[s+" expected"], 7)
			}
		}
	}
}

// TestNetworksAgainstR: flows balanced by another program's quadratic programming
// (Goldfarb and Idnani), where some of them would fall below 0.
func TestNetworksAgainstR(t *testing.T) {
	t.Parallel()
	a := answersOfR(t)
	held := 0
	for k := 1; k <= 8; k++ {
		s := fmt.Sprintf("balance%d ", k)
		y := a[s+"y"]
		got, err := Balance(y, a[s+"variance"], square(a[s+"conserve"], len(y)), a[s+"stock"])
		if err != nil {
			t.Fatal(s, err)
		}
		for i, want := range a[s+"flows"] {
			if want == 0 {
				held++
			}
			if math.Abs(got.Flows[i]-want) > 1e-6 {
				t.Errorf("%sflow %d: %.9g, want %.9g", s, i+1, got.Flows[i], want)
			}
		}
	}
	if held == 0 {
		t.Error("no flow is held at 0: half of the method is not tried")
	}
}

func TestListsAgainstR(t *testing.T) {
	t.Parallel()
	a := answersOfR(t)
	for k := 1; k <= 4; k++ {
		s := fmt.Sprintf("lists%d ", k)
		var cells []Recapture
		for i, n := range a[s+"n"] {
			i++
			cells = append(cells, Recapture{On: []bool{i&1 != 0, i&2 != 0, i&4 != 0}, N: n})
		}
		for _, m := range []struct {
			formula string
			pairs   [][2]int
		}{{"n ~ a + b + c", nil}, {"n ~ a * b + c", [][2]int{{0, 1}}}, {"n ~ (a + b + c)^2", [][2]int{{0, 1}, {0, 2}, {1, 2}}}} {
			got, err := LogLinear(cells, m.pairs)
			if err != nil {
				t.Fatal(err)
			}
			near(t, s+m.formula, got, a[s+m.formula][0], 8)
		}
	}
}

// TestTrianglesAgainstR: what the chain ladder expects still to come is what a Poisson
// regression on both sides of the triangle expects.
func TestTrianglesAgainstR(t *testing.T) {
	t.Parallel()
	a := answersOfR(t)
	for k := 1; k <= 3; k++ {
		s := fmt.Sprintf("triangle%d ", k)
		left := a[s+"y"]
		var triangle [][]float64
		for n := int(a[s+"size"][0]); n > 0; n-- {
			row := make([]float64, n)
			sum := 0.0
			for i, v := range left[:n] {
				sum += v
				row[i] = sum
			}
			triangle, left = append(triangle, row), left[n:]
		}
		got, err := ChainLadder(triangle)
		if err != nil {
			t.Fatal(err)
		}
		near(t, s+"to come", got.Missing, a[s+"to come"][0], 9)
	}
}

// TestRecaptureAgainstR: for several sets, R's estimate, variance and interval; and over
// all that can be met twice of a population of known size, weighed by R's hypergeometric
// probabilities, the estimate is that size and the variance its own (Chapman 1951, Seber
// 1970: neither is biased where the two counts are not fewer than the population).
func TestRecaptureAgainstR(t *testing.T) {
	t.Parallel()
	a := answersOfR(t)
	for k := 1; k <= 6; k++ {
		set := fmt.Sprint("recapture", k, " ")
		n := a[set+"counts"]
		mean, variance := 0.0, 0.0
		for i, m := range a[set+"twice"] {
			e, v, err := Chapman(n[0], n[1], m, 0.95)
			if err != nil {
				t.Fatal(err)
			}
			p := a[set+"probability"][i]
			mean, variance = mean+p*e.Estimate, variance+p*v
		}
		near(t, set+"mean", mean, a[set+"population"][0], 8)
		near(t, set+"mean variance", variance, a[set+"variance"][0], 7)
		var estimates, variances, low, high []float64
		for _, m := range a[set+"seen"] {
			e, v, err := Chapman(n[0], n[1], m, 0.95)
			if err != nil {
				t.Fatal(err)
			}
			estimates, variances, low, high = append(estimates, e.Estimate), append(variances, v), append(low, e.Low), append(high, e.High)
		}
		allNear(t, set+"estimate", estimates, a[set+"estimate"], 9)
		allNear(t, set+"variance", variances, a[set+"seber"], 9)
		allNear(t, set+"low", low, a[set+"low"], 9)
		allNear(t, set+"high", high, a[set+"high"], 9)
	}
}
