package check

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"dtm"
)

// pace finds hours in which a device made more records than one can count groups.
// One finding a device and day.
func (r Rules) pace(list []*Record) []Finding {
	const rule = "device.pace"
	most, off := r.limit(rule, "records")
	minutes, _ := r.limit(rule, "minutes")
	if off {
		return nil
	}
	window := time.Duration(minutes * float64(time.Minute))
	var out []Finding
	from := 0
	last := time.Time{}
	for i, x := range list {
		if x.Start.IsZero() {
			continue
		}
		for list[from].Start.IsZero() || x.Start.Sub(list[from].Start) > window {
			from++
		}
		if n := i - from + 1; float64(n) > most && !x.Observed.Equal(last) {
			out = append(out, Finding{Rule: rule, Subject: x.Device, Day: x.Observed, Seen: float64(n), Usual: most})
			last = x.Observed
		}
	}
	return out
}

// night finds devices that make a large share of their records when few people move:
// the day's work written down at night, from memory.
func (r Rules) night(zone *time.Location, device string, list []*Record) []Finding {
	const rule = "device.night"
	least, off := r.limit(rule, "records")
	most, _ := r.limit(rule, "share")
	from, _ := r.limit(rule, "from")
	to, _ := r.limit(rule, "to")
	n, late := 0, 0
	for _, x := range list {
		if x.Start.IsZero() {
			continue
		}
		n++
		if h := float64(x.Start.In(zone).Hour()); from <= to && h >= from && h < to || from > to && (h >= from || h < to) {
			late++
		}
	}
	if off || float64(n) < least || float64(late)/float64(n) < most {
		return nil
	}
	return []Finding{{Rule: rule, Subject: device, Day: list[len(list)-1].Observed, Seen: float64(late) / float64(n), Usual: most}}
}

// same finds devices that write one size of group again and again.
func (r Rules) same(device string, list []*Record) []Finding {
	const rule = "device.same"
	least, off := r.limit(rule, "records")
	most, _ := r.limit(rule, "share")
	sizes := map[int]int{}
	n, top := 0, 0
	for _, x := range list {
		// Small groups are alike by nature.
		if p := x.people(); p >= 5 {
			n++
			sizes[p]++
			top = max(top, sizes[p])
		}
	}
	if off || float64(n) < least || float64(top)/float64(n) < most {
		return nil
	}
	return []Finding{{Rule: rule, Subject: device, Day: list[len(list)-1].Observed, Seen: float64(top) / float64(n), Usual: most}}
}

// Scores finds days by the two other methods that DHIS2 offers: the z score (mean and
// standard deviation of the point's days, on the scale on which the spread of a count
// does not grow with it), and the range that the days before span, widened.
func (r Rules) Scores(s Series) []Finding {
	score, offZ := r.limit("day.score", "score")
	people, _ := r.limit("day.score", "people")
	days, offR := r.limit("day.range", "days")
	times, _ := r.limit("day.range", "times")
	least, _ := r.limit("day.range", "people")
	var out []Finding
	for _, point := range slices.Sorted(maps.Keys(s)) {
		var m moments
		for _, n := range s[point] {
			m.add(stable(n))
		}
		order := slices.SortedFunc(maps.Keys(s[point]), time.Time.Compare)
		for i, d := range order {
			n := s[point][d]
			if wide := math.Sqrt(m.variance()); !offZ && m.n >= 28 && wide > 0 {
				usual := unstable(m.mean())
				if z := (stable(n) - m.mean()) / wide; math.Abs(z) > score && math.Abs(float64(n)-usual) >= people {
					out = append(out, Finding{Rule: "day.score", Subject: point, Day: d, Seen: float64(n), Usual: usual})
				}
			}
			if offR || i < int(days)/2 {
				continue
			}
			low, high := math.MaxInt, 0
			for k := i - 1; k >= 0 && d.Sub(order[k]) <= time.Duration(days)*day; k-- {
				low, high = min(low, s[point][order[k]]), max(high, s[point][order[k]])
			}
			switch v := float64(n); {
			case low > high:
			case v > times*float64(high) && v-float64(high) >= least:
				out = append(out, Finding{Rule: "day.range", Subject: point, Day: d, Seen: v, Usual: float64(high)})
			case v*times < float64(low) && float64(low)-v >= least:
				out = append(out, Finding{Rule: "day.range", Subject: point, Day: d, Seen: v, Usual: float64(low)})
			}
		}
	}
	return sorted(out)
}

// spellings names every spelling of a point other than its name, once, on the first
// month in which it stands.
func (r Rules) spellings(op *dtm.Operation, rows []monthRow) []Finding {
	const rule = "point.spelling"
	if _, off := r.limit(rule, ""); off || op == nil {
		return nil
	}
	type key struct{ point, text string }
	first, count := map[key]*Record{}, map[key]int{}
	for _, x := range rows {
		m := x.Rows[0]
		p, ok := op.Point(x.Point)
		if !ok || m.PointText == "" || m.PointText == p.Code {
			continue
		}
		proper := false
		for _, name := range p.Name {
			proper = proper || name == strings.TrimSpace(m.PointText)
		}
		if proper {
			continue
		}
		k := key{x.Point, m.PointText}
		count[k]++
		if first[k] == nil || x.Observed.Before(first[k].Observed) {
			first[k] = x.Record
		}
	}
	var out []Finding
	for k, x := range first {
		out = append(out, Finding{Rule: rule, Record: x.ID, Other: k.text, Subject: k.point, Day: x.Observed, Seen: float64(count[k])})
	}
	return out
}

// gaps names months without rows between a point's first and last, a run at a time.
func (r Rules) gaps(rows []monthRow) []Finding {
	const rule = "month.gap"
	if _, off := r.limit(rule, ""); off {
		return nil
	}
	has := map[string]map[dtm.Month]bool{}
	for _, x := range rows {
		if x.Point == "" {
			continue
		}
		if has[x.Point] == nil {
			has[x.Point] = map[dtm.Month]bool{}
		}
		has[x.Point][x.month] = true
	}
	var out []Finding
	for point, months := range has {
		list := slices.SortedFunc(maps.Keys(months), func(a, b dtm.Month) int { return a.First().Compare(b.First()) })
		for i := 1; i < len(list); i++ {
			n := 0
			for m := list[i-1].Add(1); m != list[i]; m = m.Add(1) {
				n++
			}
			if n > 0 {
				out = append(out, Finding{Rule: rule, Subject: point, Day: list[i-1].Add(1).First(), Seen: float64(n)})
			}
		}
	}
	return out
}

// unsaid names months in which a share of the people went nobody says where, or for no
// reason that the lists know.
func (r Rules) unsaid(rows []monthRow, totals map[dtm.Month]int) []Finding {
	var out []Finding
	for rule, is := range map[string]func(*dtm.Movement) bool{"month.destination": coded["next"], "month.reason": coded["reason"]} {
		most, off := r.limit(rule, "share")
		if off {
			continue
		}
		count := map[dtm.Month]int{}
		for _, x := range rows {
			if is(&x.Rows[0]) {
				count[x.month] += x.people
			}
		}
		for m, n := range count {
			if share := float64(n) / float64(max(1, totals[m])); share >= most && n > 0 {
				out = append(out, Finding{Rule: rule, Day: m.First(), Seen: float64(n), Usual: share})
			}
		}
	}
	return out
}

// asked finds vulnerabilities that nobody was counted with for months on end, and then
// many: the question was not asked before, and its zeros say nothing.
func (r Rules) asked(rows []monthRow) []Finding {
	const rule = "month.asked"
	least, off := r.limit(rule, "months")
	people, _ := r.limit(rule, "people")
	if off {
		return nil
	}
	counts, months := map[string]map[dtm.Month]int{}, map[dtm.Month]bool{}
	for _, x := range rows {
		months[x.month] = true
		for _, v := range x.Rows[0].Vulnerable {
			if counts[v.Code] == nil {
				counts[v.Code] = map[dtm.Month]int{}
			}
			counts[v.Code][x.month] += v.People
		}
	}
	order := slices.SortedFunc(maps.Keys(months), func(a, b dtm.Month) int { return a.First().Compare(b.First()) })
	var out []Finding
	for _, code := range slices.Sorted(maps.Keys(counts)) {
		run := 0
		for _, m := range order {
			n := counts[code][m]
			if float64(n) >= people && float64(run) >= least {
				out = append(out, Finding{Rule: rule, Subject: code, Day: m.First(), Seen: float64(n), Usual: float64(run)})
			}
			if float64(n) < people {
				run++
			} else {
				run = 0
			}
		}
	}
	return out
}

// seasonal finds months of a point that are unlike its season: what is left of the
// count after the level of the two years around it and the month's usual distance from
// that level, by modified z score. It takes three years.
func (r Rules) seasonal(rows []monthRow) []Finding {
	const rule = "month.outlier"
	score, off := r.limit(rule, "score")
	least, _ := r.limit(rule, "people")
	if off {
		return nil
	}
	series := map[string]map[dtm.Month]int{}
	for _, x := range rows {
		if series[x.Point] == nil {
			series[x.Point] = map[dtm.Month]int{}
		}
		series[x.Point][x.month] += x.people
	}
	var out []Finding
	for _, point := range slices.Sorted(maps.Keys(series)) {
		list := slices.SortedFunc(maps.Keys(series[point]), func(a, b dtm.Month) int { return a.First().Compare(b.First()) })
		if len(list) < 36 || point == "" {
			continue
		}
		y := make([]float64, len(list))
		for i, m := range list {
			y[i] = stable(series[point][m])
		}
		level := make([]float64, len(y))
		off := map[time.Month][]float64{}
		for i := range y {
			level[i] = median(y[max(0, i-12):min(len(y), i+13)])
			off[list[i].Month] = append(off[list[i].Month], y[i]-level[i])
		}
		rest := make([]float64, len(y))
		for i := range y {
			rest[i] = y[i] - level[i] - median(off[list[i].Month])
		}
		m := median(rest)
		wide := max(deviation(rest, m), 0.5)
		for i := range rest {
			usual := unstable(level[i] + median(off[list[i].Month]))
			n := float64(series[point][list[i]])
			if z := 0.6745 * (rest[i] - m) / wide; math.Abs(z) > score && math.Abs(n-usual) >= least {
				out = append(out, Finding{Rule: rule, Subject: point, Day: list[i].First(), Seen: n, Usual: usual})
			}
		}
	}
	slices.SortFunc(out, func(a, b Finding) int { return cmp.Or(a.Day.Compare(b.Day), cmp.Compare(a.Subject, b.Subject)) })
	return out
}
