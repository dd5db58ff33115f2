package check

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"dtm"
)

// Months looks at imported history, of which only the month is known: rows that
// make their month, months without sex and age, codes that begin to be used
// otherwise.
func (r Rules) Months(op *dtm.Operation, records []*Record) []Finding {
	var rows []monthRow
	totals := map[dtm.Month]int{}
	for _, x := range records {
		if !x.monthly() {
			continue
		}
		m := monthRow{x, dtm.MonthOf(x.Observed), x.people()}
		rows = append(rows, m)
		totals[m.month] += m.people
	}
	out := append(r.cells(rows, totals), r.unknownMonths(rows, totals)...)
	out = append(out, r.coding(rows, totals)...)
	out = append(out, r.spellings(op, rows)...)
	out = append(out, r.gaps(rows)...)
	out = append(out, r.unsaid(rows, totals)...)
	out = append(out, r.asked(rows)...)
	return sorted(append(out, r.seasonal(rows)...))
}

type monthRow struct {
	*Record
	month  dtm.Month
	people int
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
				out = append(out, Finding{Rule: rule, Record: x.ID, Subject: x.Point, Day: x.Observed, Seen: float64(x.people), Usual: next})
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

// coded are the shares that are watched for a change of coding.
var coded = map[string]func(m *dtm.Movement) bool{
	"direction": func(m *dtm.Movement) bool { return m.Direction == "undefined" || m.Direction == "" },
	"sex":       func(m *dtm.Movement) bool { return m.Sex == dtm.Unknown },
	"next":      func(m *dtm.Movement) bool { return m.Next == dtm.UnknownCountry || m.Next == dtm.OtherCountry },
	"reason":    func(m *dtm.Movement) bool { return len(m.Reasons) == 0 },
}

// coding finds, for each watched share, the month from which it stays at another
// level: the split of the series with the largest difference of medians, six months
// to each side at least.
func (r Rules) coding(rows []monthRow, totals map[dtm.Month]int) []Finding {
	const rule, side = "month.coding", 6
	least, off := r.limit(rule, "shift")
	if off {
		return nil
	}
	months := slices.SortedFunc(maps.Keys(totals), func(a, b dtm.Month) int { return a.First().Compare(b.First()) })
	var out []Finding
	for _, name := range slices.Sorted(maps.Keys(coded)) {
		count := map[dtm.Month]int{}
		for _, x := range rows {
			for i := range x.Rows {
				if coded[name](&x.Rows[i]) {
					count[x.month] += x.Rows[i].People
				}
			}
		}
		share := make([]float64, len(months))
		for i, m := range months {
			if totals[m] > 0 {
				share[i] = float64(count[m]) / float64(totals[m])
			}
		}
		best, at := 0.0, -1
		for i := side; i+side <= len(months); i++ {
			step := math.Abs(median(share[i:i+side]) - median(share[i-side:i]))
			// Among equal splits the one at which the share itself steps.
			if step += math.Abs(share[i]-share[i-1]) / 1000; step > best {
				best, at = step, i
			}
		}
		if at >= 0 && best >= least {
			out = append(out, Finding{Rule: rule, Subject: name, Day: months[at].First(), Seen: median(share[at : at+side]), Usual: median(share[at-side : at])})
		}
	}
	return out
}
