package stat

import (
	"math"
	"slices"
)

// STLOptions are the settings of STL; zero values stand for the paper's defaults.
// Windows are odd numbers of steps, or of years for Seasonal.
type STLOptions struct {
	Period                                     int
	Seasonal                                   int // 0: periodic, the season is the same in every year
	SeasonalDegree                             int
	Trend, LowPass                             int
	Robust                                     bool
	Inner, Outer                               int
	SeasonalJump, TrendJump, LowPassJump       int // smoothed at every so many steps, between them by lines; 0: a tenth of the window
	TrendDegreeConstant, LowPassDegreeConstant bool
}

// Decomposition is a series taken apart: Seasonal + Trend + Remainder is the series.
// The remainder of a missing observation is missing.
type Decomposition struct{ Seasonal, Trend, Remainder, Weights []float64 }

// STL takes a series apart by local regression (Cleveland, Cleveland, McRae and
// Terpenning 1990). It needs two full years and an observation in each season of
// two years; what is missing is given no weight.
func STL(y []float64, o STLOptions) (Decomposition, error) {
	n, np := len(y), o.Period
	if np < 2 {
		return Decomposition{}, invalid("period", "a year of %d steps has no seasons", np)
	}
	if n < 2*np+1 {
		return Decomposition{}, invalid("short", "the history has %d steps; this method needs %d", n, 2*np+1)
	}
	filled, weight, err := interpolated(y, np)
	if err != nil {
		return Decomposition{}, err
	}
	periodic := o.Seasonal == 0
	if periodic {
		o.Seasonal, o.SeasonalDegree = 10*n+1, 0
	}
	o.Seasonal = odd(max(3, o.Seasonal))
	if o.Trend == 0 {
		o.Trend = odd(int(math.Ceil(1.5 * float64(np) / (1 - 1.5/float64(o.Seasonal)))))
	}
	if o.LowPass == 0 {
		o.LowPass = odd(np)
	}
	o.Trend, o.LowPass = odd(max(3, o.Trend)), odd(max(3, o.LowPass))
	for _, j := range []struct{ jump, window *int }{{&o.SeasonalJump, &o.Seasonal}, {&o.TrendJump, &o.Trend}, {&o.LowPassJump, &o.LowPass}} {
		if *j.jump == 0 {
			*j.jump = int(math.Ceil(float64(*j.window) / 10))
		}
	}
	if o.Inner == 0 {
		o.Inner = 2
		if o.Robust {
			o.Inner = 1
		}
	}
	if o.Outer == 0 && o.Robust {
		o.Outer = 15
	}
	tdeg, ldeg := 1, 1
	if o.TrendDegreeConstant {
		tdeg = 0
	}
	if o.LowPassDegreeConstant {
		ldeg = 0
	}
	season, trend := make([]float64, n), make([]float64, n)
	var rw []float64
	missing := slices.Contains(weight, 0)
	if missing {
		rw = slices.Clone(weight)
	}
	work := make([]float64, n)
	for outer := 0; ; outer++ {
		for range o.Inner {
			for i := range y {
				work[i] = filled[i] - trend[i]
			}
			cycle := cycles(work, np, o.Seasonal, o.SeasonalDegree, o.SeasonalJump, rw)
			low := loess(moving(moving(moving(cycle, np), np), 3), o.LowPass, ldeg, o.LowPassJump, nil)
			for i := range y {
				season[i] = cycle[np+i] - low[i]
				work[i] = filled[i] - season[i]
			}
			trend = loess(work, o.Trend, tdeg, o.TrendJump, rw)
		}
		if outer >= o.Outer {
			break
		}
		rw = bisquare(filled, season, trend, weight)
	}
	if periodic {
		for j := range np {
			sum, k := 0.0, 0
			for i := j; i < n; i += np {
				sum += season[i]
				k++
			}
			for i := j; i < n; i += np {
				season[i] = sum / float64(k)
			}
		}
	}
	d := Decomposition{season, trend, make([]float64, n), rw}
	for i := range y {
		d.Remainder[i] = y[i] - season[i] - trend[i]
	}
	return d, nil
}

func odd(n int) int {
	if n%2 == 0 {
		return n + 1
	}
	return n
}

// interpolated fills what is missing with lines, and gives it weight 0.
func interpolated(y []float64, np int) (filled, weight []float64, err error) {
	filled, weight = slices.Clone(y), make([]float64, len(y))
	last := -1
	for i, v := range y {
		if math.IsInf(v, 0) {
			return nil, nil, invalid("negative", "value %d is %v: want a count of 0 or more, or missing", i+1, v)
		}
		if math.IsNaN(v) {
			continue
		}
		weight[i] = 1
		for k := last + 1; k < i; k++ {
			if last < 0 {
				filled[k] = v
			} else {
				filled[k] = y[last] + (v-y[last])*float64(k-last)/float64(i-last)
			}
		}
		last = i
	}
	if last < 0 {
		return nil, nil, invalid("missing", "the history has no observations")
	}
	for k := last + 1; k < len(y); k++ {
		filled[k] = y[last]
	}
	for j := range np {
		seen := 0
		for i := j; i < len(y); i += np {
			seen += int(weight[i])
		}
		if seen < 2 {
			return nil, nil, invalid("season", "season %d of the year was observed %d times; want 2 or more", j+1, seen)
		}
	}
	return filled, weight, nil
}

// cycles smooths the series of each season, one year beyond either end.
func cycles(y []float64, np, window, degree, jump int, rw []float64) []float64 {
	out := make([]float64, len(y)+2*np)
	for j := range np {
		var sub, w []float64
		for i := j; i < len(y); i += np {
			sub = append(sub, y[i])
			if rw != nil {
				w = append(w, rw[i])
			}
		}
		k := len(sub)
		s := loess(sub, window, degree, jump, w)
		before, ok := local(sub, window, degree, 0, 1, min(window, k), w)
		if !ok {
			before = s[0]
		}
		after, ok := local(sub, window, degree, float64(k+1), max(1, k-window+1), k, w)
		if !ok {
			after = s[k-1]
		}
		out[j] = before
		for m, v := range s {
			out[(m+1)*np+j] = v
		}
		out[(k+1)*np+j] = after
	}
	return out
}

// moving is the running mean over n values.
func moving(y []float64, n int) []float64 {
	out := make([]float64, len(y)-n+1)
	sum := 0.0
	for i, v := range y {
		sum += v
		if i >= n {
			sum -= y[i-n]
		}
		if i >= n-1 {
			out[i-n+1] = sum / float64(n)
		}
	}
	return out
}

// loess smooths y at every jump-th place and draws lines between.
func loess(y []float64, window, degree, jump int, rw []float64) []float64 {
	n := len(y)
	out := make([]float64, n)
	if n < 2 {
		copy(out, y)
		return out
	}
	jump = min(jump, n-1)
	half := (window + 1) / 2
	span := func(i int) (int, int) { // of place i, counted from 1
		switch {
		case window >= n:
			return 1, n
		case i < half:
			return 1, window
		case i >= n-half+1:
			return n - window + 1, n
		}
		return i - half + 1, window + i - half
	}
	left, right := 0, 0
	set := func(i int) {
		v, ok := local(y, window, degree, float64(i), left, right, rw)
		if !ok {
			v = y[i-1]
		}
		out[i-1] = v
	}
	line := func(a, b int) {
		for k := a + 1; k < b; k++ {
			out[k-1] = out[a-1] + (out[b-1]-out[a-1])/float64(b-a)*float64(k-a)
		}
	}
	last := 0
	for i := 1; i <= n; i += jump {
		left, right = span(i)
		set(i)
		if last > 0 {
			line(last, i)
		}
		last = i
	}
	if last != n {
		set(n)
		line(last, n)
	}
	return out
}

// local is the weighted regression at x over the places left..right, counted from 1.
func local(y []float64, window, degree int, x float64, left, right int, rw []float64) (float64, bool) {
	n := len(y)
	h := max(x-float64(left), float64(right)-x)
	if window > n {
		h += float64((window - n) / 2)
	}
	w := make([]float64, right-left+1)
	a := 0.0
	for k := range w {
		r := math.Abs(float64(left+k) - x)
		if r > 0.999*h {
			continue
		}
		w[k] = 1
		if r > 0.001*h {
			c := r / h
			c = 1 - c*c*c
			w[k] = c * c * c
		}
		if rw != nil {
			w[k] *= rw[left+k-1]
		}
		a += w[k]
	}
	if a <= 0 {
		return 0, false
	}
	for k := range w {
		w[k] /= a
	}
	if h > 0 && degree > 0 {
		a = 0
		for k := range w {
			a += w[k] * float64(left+k)
		}
		c := 0.0
		for k := range w {
			d := float64(left+k) - a
			c += w[k] * d * d
		}
		if math.Sqrt(c) > 0.001*float64(n-1) {
			b := (x - a) / c
			for k := range w {
				w[k] *= b*(float64(left+k)-a) + 1
			}
		}
	}
	v := 0.0
	for k := range w {
		v += w[k] * y[left+k-1]
	}
	return v, true
}

// bisquare weighs what lies far from the fit less.
func bisquare(y, season, trend, weight []float64) []float64 {
	r := make([]float64, len(y))
	var of []float64
	for i := range y {
		r[i] = math.Abs(y[i] - season[i] - trend[i])
		if weight[i] > 0 {
			of = append(of, r[i])
		}
	}
	slices.Sort(of)
	n := len(of)
	scale := 3 * (of[n/2] + of[n-n/2-1])
	out := make([]float64, len(y))
	for i := range y {
		switch {
		case r[i] <= 0.001*scale:
			out[i] = 1
		case r[i] <= 0.999*scale:
			c := r[i] / scale
			out[i] = (1 - c*c) * (1 - c*c)
		}
		out[i] *= weight[i]
	}
	return out
}
