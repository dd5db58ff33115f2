package check

import (
	"maps"
	"math"
	"slices"
	"time"

	"dtm"
)

// Series are the people of each point by day; a day without records is not there.
type Series map[string]map[time.Time]int

// SeriesOf adds the records up.
func SeriesOf(records []*Record) Series {
	s := Series{}
	for _, x := range records {
		if x.Point == "" || x.monthly() {
			continue
		}
		if s[x.Point] == nil {
			s[x.Point] = map[time.Time]int{}
		}
		s[x.Point][x.Observed] += x.people()
	}
	return s
}

const day = 24 * time.Hour

// stable makes the spread of a count independent of its size (Anscombe 1948).
func stable(n int) float64 { return 2 * math.Sqrt(float64(n)+3.0/8) }

func median(v []float64) float64 {
	if len(v) == 0 {
		return math.NaN()
	}
	s := slices.Sorted(slices.Values(v))
	if n := len(s); n%2 == 0 {
		return (s[n/2-1] + s[n/2]) / 2
	}
	return s[len(s)/2]
}

// deviation is the median absolute deviation from m.
func deviation(v []float64, m float64) float64 {
	d := make([]float64, len(v))
	for i, x := range v {
		d[i] = math.Abs(x - m)
	}
	return median(d)
}

// Apart gives what is regular of a series, its trend and its season of so many steps;
// what is missing of the series is NaN. package stat has it (STL); rooms without SQL
// or HTTP do not import each other. An error means that the series is too short.
type Apart func(y []float64, period int) (regular []float64, err error)

// rest is what is left of a day after what is regular, with both on the scale of
// stable.
type rest struct {
	day           time.Time
	left, regular float64
}

// rests takes a point's days apart by weeks. A series is cut where its level shifts:
// a new level is another rule's.
func (s Series) rests(apart Apart, point string, shifts []time.Time) []rest {
	days := s[point]
	order := slices.SortedFunc(maps.Keys(days), time.Time.Compare)
	var out []rest
	for len(order) > 0 {
		n := len(order)
		for len(shifts) > 0 && !shifts[0].After(order[0]) {
			shifts = shifts[1:]
		}
		if len(shifts) > 0 {
			n, _ = slices.BinarySearchFunc(order, shifts[0], time.Time.Compare)
		}
		piece := order[:n]
		order = order[n:]
		y := make([]float64, int(piece[n-1].Sub(piece[0])/day)+1)
		for i := range y {
			y[i] = math.NaN()
		}
		for _, d := range piece {
			y[int(d.Sub(piece[0])/day)] = stable(days[d])
		}
		regular, err := apart(usual(y, 7), 7)
		if err != nil {
			continue
		}
		for _, d := range piece {
			i := int(d.Sub(piece[0]) / day)
			out = append(out, rest{d, y[i] - regular[i], regular[i]})
		}
	}
	return out
}

// usual leaves days out (NaN) that are unlike both the days around them and the same
// days of the weeks around them, so that what is regular is not drawn towards them:
// beside a gap, or with another such day near by, robust weights alone do not hold it
// (Hampel 1974: median and median deviation; 3.5 as Iglewicz and Hoaglin advise). The
// few same days only have to say that it is not a market day; 2 is enough.
func usual(y []float64, period int) []float64 {
	const around, score, market = 28, 3.5, 2
	out := slices.Clone(y)
	for i, v := range y {
		if math.IsNaN(v) {
			continue
		}
		var near, week []float64
		for k := max(0, i-around); k <= min(len(y)-1, i+around); k++ {
			if k == i || math.IsNaN(y[k]) {
				continue
			}
			near = append(near, y[k])
			if (k-i)%period == 0 {
				week = append(week, y[k])
			}
		}
		if far(v, near) > score && far(v, week) > market {
			out[i] = math.NaN()
		}
	}
	return out
}

// far is how far v lies from the middle of others, in their spread; 0 if they are too
// few to say.
func far(v float64, others []float64) float64 {
	if len(others) < 4 {
		return 0
	}
	m := median(others)
	return 0.6745 * math.Abs(v-m) / max(deviation(others, m), 0.5)
}

// Outliers finds days unlike what is regular at a point, by two of the methods that
// DHIS2 offers, on what is left after trend and season: the modified z score (Iglewicz
// and Hoaglin), which single days do not move, and the z score; and by the third, the
// range that the days before span, widened.
func (r Rules) Outliers(s Series, apart Apart) []Finding {
	score, offModified := r.limit("day.outlier", "score")
	people, _ := r.limit("day.outlier", "people")
	plain, offPlain := r.limit("day.score", "score")
	least, _ := r.limit("day.score", "people")
	var out []Finding
	cuts := map[string][]time.Time{}
	for _, f := range r.Shifts(s) {
		cuts[f.Subject] = append(cuts[f.Subject], f.Day)
	}
	for _, point := range slices.Sorted(maps.Keys(s)) {
		list := s.rests(apart, point, cuts[point])
		left := make([]float64, len(list))
		var m moments
		for i, x := range list {
			left[i] = x.left
			m.add(x.left)
		}
		middle := median(left)
		wide := max(deviation(left, middle), 0.5)
		for _, x := range list {
			n, usual := float64(s[point][x.day]), unstable(x.regular)
			find := func(rule string, z, score, people float64) {
				if math.Abs(z) > score && math.Abs(n-usual) >= people {
					out = append(out, Finding{Rule: rule, Subject: point, Day: x.day, Seen: n, Usual: math.Round(usual)})
				}
			}
			if !offModified {
				find("day.outlier", 0.6745*(x.left-middle)/wide, score, people)
			}
			if !offPlain && m.n >= 28 && m.variance() > 0 {
				find("day.score", (x.left-m.mean())/math.Sqrt(m.variance()), plain, least)
			}
		}
	}
	return sorted(append(out, r.ranges(s)...))
}

// ranges finds days outside what the days before span, widened (min-max of DHIS2).
func (r Rules) ranges(s Series) []Finding {
	const rule = "day.range"
	days, off := r.limit(rule, "days")
	times, _ := r.limit(rule, "times")
	least, _ := r.limit(rule, "people")
	if off {
		return nil
	}
	var out []Finding
	for _, point := range slices.Sorted(maps.Keys(s)) {
		order := slices.SortedFunc(maps.Keys(s[point]), time.Time.Compare)
		for i, d := range order {
			if i < int(days)/2 {
				continue
			}
			low, high := math.MaxInt, 0
			for k := i - 1; k >= 0 && d.Sub(order[k]) <= time.Duration(days)*day; k-- {
				low, high = min(low, s[point][order[k]]), max(high, s[point][order[k]])
			}
			switch v := float64(s[point][d]); {
			case low > high:
			case v > times*float64(high) && v-float64(high) >= least:
				out = append(out, Finding{Rule: rule, Subject: point, Day: d, Seen: v, Usual: float64(high)})
			case v*times < float64(low) && float64(low)-v >= least:
				out = append(out, Finding{Rule: rule, Subject: point, Day: d, Seen: v, Usual: float64(low)})
			}
		}
	}
	return out
}

// Shifts finds the days from which a point sees another level than before. Only
// days with records count: a point that falls silent is another rule's.
func (r Rules) Shifts(s Series) []Finding {
	const rule = "level.shift"
	score, off := r.limit(rule, "score")
	window, _ := r.limit(rule, "days")
	ratio, _ := r.limit(rule, "ratio")
	people, _ := r.limit(rule, "people")
	if off {
		return nil
	}
	var out []Finding
	for _, point := range slices.Sorted(maps.Keys(s)) {
		days := slices.SortedFunc(maps.Keys(s[point]), time.Time.Compare)
		y := make([]float64, len(days))
		for i, d := range days {
			y[i] = stable(s[point][d])
		}
		best, at, wide := 0.0, -1, 0
		flush := func() {
			if at >= 0 {
				w := wide
				before, after := y[max(0, at-w):at], y[at:min(len(y), at+w)]
				out = append(out, Finding{Rule: rule, Subject: point, Day: days[at], Seen: unstable(median(after)), Usual: unstable(median(before))})
			}
			best, at, wide = 0, -1, 0
		}
		for i := range days {
			if at >= 0 && i-at > wide {
				flush()
			}
			// Where counts of a day scatter, four weeks may not tell; eight do.
			for _, w := range []int{int(window), 2 * int(window)} {
				if i < w/2 || len(days)-i < w/2 {
					continue
				}
				before, after := y[max(0, i-w):i], y[i:min(len(y), i+w)]
				a, b := median(before), median(after)
				z := ranks(before, after)
				up, down := (unstable(b)+1)/(unstable(a)+1), (unstable(a)+1)/(unstable(b)+1)
				if z > score && max(up, down) >= ratio && math.Abs(unstable(b)-unstable(a)) >= people && z > best {
					best, at, wide = z, i, w
				}
			}
		}
		flush()
	}
	return sorted(out)
}

// ranks is how far the two samples stand apart (Mann and Whitney 1947, normal
// approximation): one day unlike the others does not make a level.
func ranks(a, b []float64) float64 {
	u := 0.0
	for _, x := range a {
		for _, y := range b {
			switch {
			case y > x:
				u++
			case y == x:
				u += 0.5
			}
		}
	}
	m, n := float64(len(a)), float64(len(b))
	return math.Abs(u-m*n/2) / math.Sqrt(m*n*(m+n+1)/12)
}

// unstable takes stable back.
func unstable(y float64) float64 { return max(0, y*y/4-3.0/8) }

// Silent finds runs of days on which an open point sent nothing, up to today. At a
// quiet point a run must be longer than chance gives, by the records of the eight
// weeks before. records counts a point's records by day.
func (r Rules) Silent(op *dtm.Operation, records map[string]map[time.Time]int, from, today time.Time) []Finding {
	const rule = "point.silent"
	least, off := r.limit(rule, "days")
	chance, _ := r.limit(rule, "chance")
	if off {
		return nil
	}
	var out []Finding
	for _, p := range op.Network() {
		days := records[p.Code]
		run := 0
		for d := from; !d.After(today); d = d.Add(day) {
			if days[d] > 0 || dtm.ValueAt(p.Status, d) != "open" {
				run = 0
				continue
			}
			run++
			before, known := 0, 0
			for k := run; k < run+56; k++ {
				b := d.Add(-time.Duration(k) * day)
				if b.Before(from) || dtm.ValueAt(p.Status, b) != "open" {
					break
				}
				before += days[b]
				known++
			}
			// A point that never sent is silent by the days alone.
			needed := least
			if before > 0 {
				rate := float64(before) / float64(known)
				needed = max(least, math.Ceil(-math.Log(chance)/rate))
			}
			if float64(run) == needed { // once a run, on the day it is known
				out = append(out, Finding{Rule: rule, Subject: p.Code, Day: d, Seen: float64(run), Usual: needed})
			}
		}
	}
	return sorted(out)
}
