package release

import (
	"slices"
	"time"

	"dtm"
	"dtm/analyse/warehouse"
	"dtm/check"
)

// Verdicts of checks.
const (
	OK   = "ok"
	Look = "look" // somebody has to look at it before approving
	Stop = "stop" // the month cannot be frozen like this
)

// Check is what was looked at before a month is frozen. Its sentence is the message
// "release.check."+ID+"."+Verdict with Args.
type Check struct {
	ID      string `json:"id"`
	Verdict string `json:"verdict"`
	Args    []any  `json:"args,omitempty"`
	Items   []Item `json:"items,omitempty"`
}

// Item is one thing that a check names; what it means is the check's:
// message "release.item."+ID with Name and the numbers.
type Item struct {
	Name  string `json:"name"` // code of a point, number of a release, month, sentence
	Was   int64  `json:"was,omitempty"`
	Is    int64  `json:"is,omitempty"`
	Label string `json:"label,omitempty"` // what to say for Name, when it is no code
}

// Worst is the gravest verdict.
func Worst(list []Check) string {
	worst := OK
	for _, c := range list {
		if c.Verdict == Stop || c.Verdict == Look && worst == OK {
			worst = c.Verdict
		}
	}
	return worst
}

// Over stops a month that was not over at the last event: its figures would be those
// of part of it.
func Over(op *dtm.Operation, at time.Time, m dtm.Month) Check {
	if at.In(op.Zone).Before(time.Date(m.Year, m.Month+1, 1, 0, 0, 0, 0, op.Zone)) {
		return Check{ID: "over", Verdict: Stop, Args: []any{m.String()}}
	}
	return Check{ID: "over", Verdict: OK}
}

// Coverage names the points that were expected in the month and have no movements, or
// fewer observed days than expected ones where days are known; and counts the movements
// that are under no known point.
func Coverage(op *dtm.Operation, f warehouse.Frozen) []Check {
	month := f.Month.String()
	people := map[string]int64{}
	monthOnly := map[string]bool{}
	var nowhere, total int64
	for _, x := range f.Months {
		if x.Month != month {
			continue
		}
		c := f.Cells[x.Cell]
		people[c.Point] += x.People
		monthOnly[c.Point] = monthOnly[c.Point] || x.MonthOnly
		if x.Main {
			total += x.People
			if c.Point == "" {
				nowhere += x.People
			}
		}
	}
	days := map[string]map[string]bool{}
	for _, d := range f.Days {
		if d.Observed[:7] == month {
			if days[d.Point] == nil {
				days[d.Point] = map[string]bool{}
			}
			days[d.Point][d.Observed] = true
		}
	}
	c := Check{ID: "coverage", Verdict: OK}
	var expected, observed int64
	for _, p := range op.Network() {
		var open, seen int64
		for d := f.Month.First(); d.Before(f.Month.Add(1).First()); d = d.AddDate(0, 0, 1) {
			if !check.Expected(&p, d) {
				continue
			}
			open++
			if days[p.Code][d.Format(time.DateOnly)] {
				seen++
			}
		}
		if open == 0 {
			continue
		}
		switch {
		case seen == 0 && !monthOnly[p.Code]:
			c.Items = append(c.Items, Item{Name: p.Code, Is: 0, Was: open})
		case !monthOnly[p.Code] && seen < open:
			c.Items = append(c.Items, Item{Name: p.Code, Is: seen, Was: open})
		}
		expected++
		if seen > 0 || monthOnly[p.Code] {
			observed++
		}
	}
	c.Args = []any{expected}
	if len(c.Items) > 0 {
		c.Verdict, c.Args = Look, []any{observed, expected}
	}
	placed := Check{ID: "placed", Verdict: OK, Args: []any{total}}
	if nowhere > 0 {
		placed = Check{ID: "placed", Verdict: Look, Args: []any{nowhere, total}}
	}
	return []Check{c, placed}
}

// Flags is the verdict on flags of the month that nobody has decided on.
func Flags(faults, doubts int64) Check {
	if faults+doubts > 0 {
		return Check{ID: "flags", Verdict: Look, Args: []any{faults, doubts}}
	}
	return Check{ID: "flags", Verdict: OK}
}

// Published is a month's total as the latest published release has it.
type Published struct {
	Month   dtm.Month
	Release string
	Total   int64
}

// Totals compares the total with that of the month's release before and with that of
// the month before, and names the earlier months whose totals are no longer those
// that were published. It gives the latter as changes too.
func Totals(f warehouse.Frozen, published []Published) ([]Check, []MonthChange) {
	total := Total(f, f.Month)
	was := map[dtm.Month]Published{}
	for _, p := range published {
		was[p.Month] = p
	}
	out := []Check{{ID: "total", Verdict: OK, Args: []any{total}}}
	if total == 0 {
		out[0] = Check{ID: "total", Verdict: Stop, Args: []any{f.Month.String()}}
	}
	if p, ok := was[f.Month]; ok {
		c := Check{ID: "previous", Verdict: OK, Args: []any{p.Release, p.Total}}
		if p.Total != total {
			c = Check{ID: "previous", Verdict: Look, Args: []any{p.Release, p.Total, total, total - p.Total}}
		}
		out = append(out, c)
	}
	if before := Total(f, f.Month.Add(-1)); before > 0 && total > 0 {
		change := 100 * float64(total-before) / float64(before)
		c := Check{ID: "month_before", Verdict: OK, Args: []any{before, total, float64(int64(change*10)) / 10}}
		if change > 50 || change < -50 {
			c.Verdict = Look
		}
		out = append(out, c)
	}
	var changed []MonthChange
	for _, p := range published {
		if now := Total(f, p.Month); p.Month.Before(f.Month) && now != p.Total {
			changed = append(changed, MonthChange{p.Month.String(), p.Release, p.Total, now})
		}
	}
	slices.SortFunc(changed, func(a, b MonthChange) int {
		if a.Month < b.Month {
			return -1
		}
		return 1
	})
	c := Check{ID: "months", Verdict: OK}
	for _, x := range changed {
		c.Verdict = Look
		c.Items = append(c.Items, Item{Name: x.Month, Label: x.Release, Was: x.Was, Is: x.Is})
	}
	return append(out, c), changed
}

// Text is the verdict on sentences whose numbers are no published figure.
func Text(sentences int, unbacked []string) Check {
	c := Check{ID: "text", Verdict: OK, Args: []any{int64(sentences)}}
	for _, s := range unbacked {
		c.Verdict = Stop
		c.Items = append(c.Items, Item{Name: s})
	}
	return c
}

// References compares the figures that were published of the month outside this
// program with what the facts give; each item says both as they would be printed.
func References(list []Item, compared int) Check {
	if len(list) == 0 {
		return Check{ID: "reference", Verdict: OK, Args: []any{int64(compared)}}
	}
	return Check{ID: "reference", Verdict: Look, Args: []any{int64(len(list)), int64(compared)}, Items: list}
}

// Narrow stops a month of which, beside what was published of it before, so many
// changes of fewer than threshold people could be computed.
func Narrow(open, threshold int) Check {
	if open > 0 {
		return Check{ID: "difference", Verdict: Stop, Args: []any{int64(open), int64(threshold)}}
	}
	return Check{ID: "difference", Verdict: OK}
}
