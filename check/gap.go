package check

import (
	"maps"
	"slices"

	"dtm"
)

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

// asked finds vulnerabilities that nobody was counted with for months on end, and then
// many, or the other way round: the question was not asked, and its zeros say nothing.
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
		run, many := 0, 0 // months in a row with hardly anybody, months with many before them
		since := dtm.Month{}
		for _, m := range order {
			n := counts[code][m]
			if float64(n) >= people {
				if float64(run) >= least {
					out = append(out, Finding{Rule: rule, Subject: code, Day: m.First(), Seen: float64(n), Usual: float64(run)})
				}
				run, many = 0, many+1
				continue
			}
			if run == 0 {
				since = m
			}
			if run++; float64(run) == least && float64(many) >= least {
				out = append(out, Finding{Rule: rule, Subject: code, Day: since.First(), Usual: float64(many)})
			}
		}
	}
	return out
}
