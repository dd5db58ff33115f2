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

// Once parts rows of history into those that count and those that describe the same
// people again: rows by nationality, where the month has rows by sex and age.
func Once(records []*Record) (main, again []*Record) {
	has := map[dtm.Month]bool{}
	for _, x := range records {
		if len(x.Rows) > 0 && x.Rows[0].Breakdown != dtm.ByNationality {
			has[dtm.MonthOf(x.Observed)] = true
		}
	}
	for _, x := range records {
		if len(x.Rows) > 0 && x.Rows[0].Breakdown == dtm.ByNationality && has[dtm.MonthOf(x.Observed)] {
			again = append(again, x)
		} else {
			main = append(main, x)
		}
	}
	return main, again
}

// Months looks at imported history, of which only the month is known: rows that make
// their month, months without sex and age, codes that begin to be used otherwise,
// spellings, months unlike their season.
func (r Rules) Months(op *dtm.Operation, records []*Record, apart Apart) []Finding {
	monthly := func(list []*Record) (rows []monthRow) {
		for _, x := range list {
			if x.monthly() {
				rows = append(rows, monthRow{x, dtm.MonthOf(x.Observed), x.people()})
			}
		}
		return rows
	}
	main, again := Once(records)
	rows, other := monthly(main), monthly(again)
	totals := map[dtm.Month]int{}
	for _, x := range rows {
		totals[x.month] += x.people
	}
	all := slices.Concat(rows, other)
	var said []monthRow // of single days too: only what is written in them is looked at
	for _, x := range records {
		if len(x.Rows) > 0 {
			said = append(said, monthRow{Record: x})
		}
	}
	out := append(r.cells(rows, totals), r.unknownMonths(rows, totals)...)
	out = append(out, r.coding(rows, slices.Sorted(maps.Keys(coded)))...)
	out = append(out, r.coding(other, []string{"nat"})...)
	out = append(out, r.written(op, said)...)
	out = append(out, r.gaps(rows)...)
	out = append(out, r.unsaid(op, rows, all, totals)...)
	out = append(out, r.small(op, rows)...)
	out = append(out, r.twice(all)...)
	out = append(out, r.split(rows, other)...)
	out = append(out, r.asked(rows)...)
	out = append(out, r.closed(op, rows)...)
	return sorted(append(out, r.seasonal(rows, apart)...))
}

type monthRow struct {
	*Record
	month  dtm.Month
	people int
}

func months(of map[dtm.Month]int) []dtm.Month {
	return slices.SortedFunc(maps.Keys(of), func(a, b dtm.Month) int { return a.First().Compare(b.First()) })
}

func (r Rules) cells(rows []monthRow, totals map[dtm.Month]int) []Finding {
	const rule = "month.cell"
	times, off := r.limit(rule, "times")
	share, _ := r.limit(rule, "share")
	least, _ := r.limit(rule, "people")
	if off {
		return nil
	}
	by := map[string][]monthRow{}
	for _, x := range rows {
		by[x.Point] = append(by[x.Point], x)
	}
	var out []Finding
	for _, list := range by {
		slices.SortFunc(list, func(a, b monthRow) int { return cmp.Or(cmp.Compare(b.people, a.people), cmp.Compare(a.ID, b.ID)) })
		for i, x := range list {
			if i+1 == len(list) || float64(x.people) < least {
				break
			}
			next := float64(list[i+1].people)
			if float64(x.people) < times*next {
				break // the rest is smaller still
			}
			if float64(x.people) >= share*float64(totals[x.month]) {
				out = append(out, Finding{Rule: rule, Record: x.ID, Subject: x.Point, Day: x.Observed, Text: x.Row(), Seen: float64(x.people), Usual: next})
			}
		}
	}
	return out
}

func (r Rules) unknownMonths(rows []monthRow, totals map[dtm.Month]int) []Finding {
	const rule = "month.unknown"
	most, off := r.limit(rule, "share")
	unknown := map[dtm.Month]int{}
	for _, x := range rows {
		unknown[x.month] += x.unknown()
	}
	var out []Finding
	for m, n := range unknown {
		if share := float64(n) / float64(totals[m]); !off && totals[m] > 0 && share >= most {
			out = append(out, Finding{Rule: rule, Day: m.First(), Seen: share, Usual: most})
		}
	}
	return out
}

// coded are the answers of a row of which it is watched how often nothing is said.
var coded = map[string]func(m *dtm.Movement) string{
	"movement":  func(m *dtm.Movement) string { return m.Direction },
	"flow_type": func(m *dtm.Movement) string { return m.FlowType },
	"route":     func(m *dtm.Movement) string { return m.Route },
	"subroute":  func(m *dtm.Movement) string { return m.Subroute },
	"previous":  func(m *dtm.Movement) string { return m.Previous },
	"next":      func(m *dtm.Movement) string { return m.Next },
	"nat":       func(m *dtm.Movement) string { return m.Nationality },
	"sex":       func(m *dtm.Movement) string { return m.Sex },
	"age":       func(m *dtm.Movement) string { return m.Age },
	"reason":    func(m *dtm.Movement) string { return strings.Join(m.Reasons, " ") },
	"transport": func(m *dtm.Movement) string { return strings.Join(m.Transports, " ") },
}

// unsaidCode tells whether a code says nothing.
func unsaidCode(code string) bool {
	switch strings.ToLower(code) {
	case "", "undefined", dtm.Unknown, "unk", "ooo":
		return true
	}
	return false
}

// coding finds, for each watched answer, the months from which nothing is said of
// another share of the people, and stays so: splits of the series with the largest
// difference of medians, six months to each side at least, then the same in the parts.
func (r Rules) coding(rows []monthRow, answers []string) []Finding {
	const rule, side = "month.coding", 6
	least, off := r.limit(rule, "shift")
	if off || len(rows) == 0 {
		return nil
	}
	totals := map[dtm.Month]int{}
	for _, x := range rows {
		totals[x.month] += x.people
	}
	list := months(totals)
	var out []Finding
	for _, name := range answers {
		count := map[dtm.Month]int{}
		for _, x := range rows {
			for i := range x.Rows {
				if unsaidCode(coded[name](&x.Rows[i])) {
					count[x.month] += x.Rows[i].People
				}
			}
		}
		share := make([]float64, len(list))
		for i, m := range list {
			if totals[m] > 0 {
				share[i] = float64(count[m]) / float64(totals[m])
			}
		}
		var parts func(from, to int)
		parts = func(from, to int) {
			steps := map[int]float64{}
			best, at, jump := 0.0, -1, 0.0
			for i := from + side; i+side <= to; i++ {
				steps[i] = math.Abs(median(share[i:i+side]) - median(share[i-side:i]))
				best = max(best, steps[i])
			}
			// Among splits that are about as good the one at which the share itself steps.
			for i := from + side; i+side <= to; i++ {
				if d := math.Abs(share[i] - share[i-1]); steps[i] >= 0.9*best && d > jump {
					at, jump = i, d
				}
			}
			if at < 0 || best < least {
				return
			}
			out = append(out, Finding{Rule: rule, Subject: name, Day: list[at].First(), Seen: median(share[at : at+side]), Usual: median(share[at-side : at])})
			parts(from, at)
			parts(at, to)
		}
		parts(0, len(list))
	}
	return out
}

// unsaid names months in which a share of the people came from, went to or were of
// nobody says what country, or moved for no reason that the lists know; and those with
// movements within the country, which are neither entries nor exits.
func (r Rules) unsaid(op *dtm.Operation, rows, all []monthRow, totals map[dtm.Month]int) []Finding {
	var out []Finding
	for _, x := range []struct {
		rule string
		rows []monthRow
		is   func(*dtm.Movement) bool
	}{
		{"month.origin", rows, func(m *dtm.Movement) bool { return unsaidCode(m.Previous) }},
		{"month.destination", rows, func(m *dtm.Movement) bool { return unsaidCode(m.Next) }},
		{"month.reason", rows, func(m *dtm.Movement) bool { return len(m.Reasons) == 0 }},
		{"month.nationality", all, func(m *dtm.Movement) bool { return m.Breakdown != dtm.BySexAge && unsaidCode(m.Nationality) }},
		{"month.within", rows, func(m *dtm.Movement) bool { return op != nil && m.Previous == op.Country && m.Next == op.Country }},
	} {
		most, off := r.limit(x.rule, "share")
		if off {
			continue
		}
		count := map[dtm.Month]int{}
		for _, row := range x.rows {
			if x.is(&row.Rows[0]) {
				count[row.month] += row.people
			}
		}
		for m, n := range count {
			if share := float64(n) / float64(max(1, totals[m])); share >= most && n > 0 {
				out = append(out, Finding{Rule: x.rule, Day: m.First(), Seen: float64(n), Usual: float64(totals[m])})
			}
		}
	}
	return out
}

// small counts the rows of a month that are of so few people that they are not
// published as they are.
func (r Rules) small(op *dtm.Operation, rows []monthRow) []Finding {
	const rule = "month.small"
	least, off := r.limit(rule, "share")
	if off || op == nil {
		return nil
	}
	few, all := map[dtm.Month]int{}, map[dtm.Month]int{}
	for _, x := range rows {
		all[x.month]++
		if x.people > 0 && x.people < op.Threshold {
			few[x.month]++
		}
	}
	var out []Finding
	for m, n := range few {
		if float64(n) >= least*float64(all[m]) {
			out = append(out, Finding{Rule: rule, Day: m.First(), Seen: float64(n), Usual: float64(all[m])})
		}
	}
	return out
}

// twice names rows that describe one cell of a month a second time: a month's sums have
// one row for each. The importer numbers them behind the row's identity.
func (r Rules) twice(rows []monthRow) []Finding {
	const rule = "row.twice"
	if _, off := r.limit(rule, ""); off {
		return nil
	}
	var out []Finding
	for _, x := range rows {
		if _, n, again := strings.Cut(x.ID, "."); again && n != "0" {
			out = append(out, Finding{Rule: rule, Record: x.ID, Subject: x.Point, Day: x.Observed, Text: x.Row(), Seen: float64(x.people)})
		}
	}
	return out
}

// closed names the months in which a point has rows and was open on none of the days.
func (r Rules) closed(op *dtm.Operation, rows []monthRow) []Finding {
	const rule = "point.closed"
	if _, off := r.limit(rule, ""); off || op == nil {
		return nil
	}
	type cell struct {
		point string
		month dtm.Month
	}
	people := map[cell]int{}
	for _, x := range rows {
		people[cell{x.Point, x.month}] += x.people
	}
	var out []Finding
	for c, n := range people {
		p, ok := op.Point(c.point)
		if !ok || len(p.Status) == 0 {
			continue
		}
		open := false
		for d := c.month.First(); dtm.MonthOf(d) == c.month && !open; d = d.AddDate(0, 0, 1) {
			open = dtm.ValueAt(p.Status, d) == "open"
		}
		if !open {
			out = append(out, Finding{Rule: rule, Subject: c.point, Day: c.month.First(), Seen: float64(n)})
		}
	}
	return out
}

// split names the points and months of which the rows by nationality add up to another
// number than those by sex and age.
func (r Rules) split(rows, other []monthRow) []Finding {
	const rule = "month.split"
	if _, off := r.limit(rule, ""); off || len(other) == 0 {
		return nil
	}
	type cell struct {
		point string
		month dtm.Month
	}
	main, again, has := map[cell]int{}, map[cell]int{}, map[dtm.Month]bool{}
	for _, x := range rows {
		main[cell{x.Point, x.month}] += x.people
	}
	for _, x := range other {
		again[cell{x.Point, x.month}] += x.people
		has[x.month] = true
	}
	for c := range main {
		if _, ok := again[c]; !ok && has[c.month] {
			again[c] = 0
		}
	}
	var out []Finding
	for c, n := range again {
		if n != main[c] {
			out = append(out, Finding{Rule: rule, Subject: c.point, Day: c.month.First(), Seen: float64(n), Usual: float64(main[c])})
		}
	}
	return out
}

// seasonal finds months of a point that are unlike its season: the modified z score of
// what is left after trend and season. It takes two years and a month; before that,
// months outside what the point's others span (min-max).
func (r Rules) seasonal(rows []monthRow, apart Apart) []Finding {
	series := map[string]map[dtm.Month]int{}
	for _, x := range rows {
		if x.Point == "" {
			continue
		}
		if series[x.Point] == nil {
			series[x.Point] = map[dtm.Month]int{}
		}
		series[x.Point][x.month] += x.people
	}
	score, off := r.limit("month.outlier", "score")
	least, _ := r.limit("month.outlier", "people")
	var out []Finding
	for _, point := range slices.Sorted(maps.Keys(series)) {
		list := months(series[point])
		first, last := list[0], list[len(list)-1]
		var y []float64
		var at []dtm.Month
		for m := first; !last.Before(m); m = m.Add(1) {
			v := math.NaN()
			if n, ok := series[point][m]; ok {
				v = stable(n)
			}
			y, at = append(y, v), append(at, m)
		}
		regular, err := apart(y, 12)
		if err != nil {
			out = append(out, r.monthRanges(point, series[point])...)
			continue
		}
		var left []float64
		for i := range y {
			if !math.IsNaN(y[i]) {
				left = append(left, y[i]-regular[i])
			}
		}
		middle := median(left)
		wide := max(deviation(left, middle), 0.5)
		for i := range y {
			if off || math.IsNaN(y[i]) {
				continue
			}
			n, usual := float64(series[point][at[i]]), unstable(regular[i])
			if z := 0.6745 * (y[i] - regular[i] - middle) / wide; math.Abs(z) > score && math.Abs(n-usual) >= least {
				out = append(out, Finding{Rule: "month.outlier", Subject: point, Day: at[i].First(), Seen: n, Usual: math.Round(usual)})
			}
		}
	}
	return out
}

// monthRanges finds months of a short history beyond what its other months span.
func (r Rules) monthRanges(point string, series map[dtm.Month]int) []Finding {
	const rule = "month.range"
	times, off := r.limit(rule, "times")
	least, _ := r.limit(rule, "people")
	list := months(series)
	if off || len(list) < 6 {
		return nil
	}
	var out []Finding
	for _, m := range list {
		high := 0
		for _, o := range list {
			if o != m {
				high = max(high, series[o])
			}
		}
		if v := float64(series[m]); v > times*float64(high) && v-float64(high) >= least {
			out = append(out, Finding{Rule: rule, Subject: point, Day: m.First(), Seen: v, Usual: float64(high)})
		}
	}
	return out
}

// early tells whether a month's row is of a month that was not over, or not begun, when
// it came.
func (x *Record) early(zone *time.Location) bool {
	return !x.Received.IsZero() && dtm.MonthOf(x.Received.In(zone)).Before(dtm.MonthOf(x.Observed))
}
