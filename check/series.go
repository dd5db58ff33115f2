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

// Outliers finds days that are unlike the same weekdays around them.
func (r Rules) Outliers(s Series) []Finding {
	const rule = "day.outlier"
	score, off := r.limit(rule, "score")
	around, _ := r.limit(rule, "days")
	people, _ := r.limit(rule, "people")
	if off {
		return nil
	}
	var out []Finding
	for _, point := range slices.Sorted(maps.Keys(s)) {
		days := s[point]
		for d, n := range days {
			// The level is that of the same weekdays; the spread, for which those are
			// few, that of all days around.
			var level, spread, raw []float64
			for k := -2 * int(around); k <= 2*int(around); k++ {
				v, ok := days[d.Add(time.Duration(k)*day)]
				if !ok || k == 0 {
					continue
				}
				if k%7 == 0 {
					level = append(level, stable(v))
					raw = append(raw, float64(v))
				}
				if k >= -int(around) && k <= int(around) {
					spread = append(spread, stable(v))
				}
			}
			if len(level) < 6 || len(spread) < 10 {
				continue
			}
			m, wide := median(level), max(deviation(spread, median(spread)), 0.5)
			usual := median(raw)
			if z := 0.6745 * (stable(n) - m) / wide; math.Abs(z) > score && math.Abs(float64(n)-usual) >= people {
				out = append(out, Finding{Rule: rule, Subject: point, Day: d, Seen: float64(n), Usual: usual})
			}
		}
	}
	return sorted(out)
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
		best, at := 0.0, -1
		flush := func() {
			if at >= 0 {
				w := int(window)
				before, after := y[max(0, at-w):at], y[at:min(len(y), at+w)]
				out = append(out, Finding{Rule: rule, Subject: point, Day: days[at], Seen: unstable(median(after)), Usual: unstable(median(before))})
			}
			best, at = 0, -1
		}
		for i := range days {
			if at >= 0 && i-at > int(window) {
				flush()
			}
			w := int(window)
			if i < w/2 || len(days)-i < w/2 {
				continue
			}
			before, after := y[max(0, i-w):i], y[i:min(len(y), i+w)]
			a, b := median(before), median(after)
			z := ranks(before, after)
			up, down := (unstable(b)+1)/(unstable(a)+1), (unstable(a)+1)/(unstable(b)+1)
			if z > score && max(up, down) >= ratio && math.Abs(unstable(b)-unstable(a)) >= people && z > best {
				best, at = z, i
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
