package guard

import (
	"maps"
	"slices"
	"strings"
	"time"

	"dtm"
)

// need is one count that a figure is made of.
type need struct {
	month dtm.Month
	at    map[string]string // codes of the dimensions; "day" among them
}

// question is a table with what is needed to find the counts behind its figures.
type question struct {
	t        dtm.Table
	cube     *cube
	where    map[string][]string
	baseline dtm.Period
	sexes    []string // codes

	release string // that the figures are of
	months  map[dtm.Month]*Pattern
	later   bool // a month was counted in another state of the data
	unknown bool // a figure is not what its counts add up to
}

// ask reads what a table was asked with. Invalid: no such table is published.
func (g *Guard) ask(t dtm.Table) (*question, error) {
	q := &question{t: t, release: t.Release.ID(), months: map[dtm.Month]*Pattern{}, baseline: g.op.Baseline.Period, where: maps.Clone(t.Indicator.Fixed)}
	if q.where == nil {
		q.where = map[string][]string{}
	}
	for d, codes := range t.Query.Where {
		if len(codes) > 0 {
			q.where[d] = codes
		}
	}
	for _, c := range g.op.Lists["sex"].Codes {
		q.sexes = append(q.sexes, c.Code)
	}
	dims := slices.Concat(t.By, slices.Collect(maps.Keys(q.where)))
	for _, c := range t.Cells {
		dims = append(dims, slices.Collect(maps.Keys(c))...)
	}
	if t.Indicator.Share || t.Indicator.Kind == "share_answers" || t.Indicator.Kind == "answers" { // its whole is of the same people
		dims = append(dims, t.Indicator.Default...)
	}
	if t.Indicator.Kind == "ratio" {
		dims = append(dims, "sex", "age")
	}
	dims = slices.DeleteFunc(dims, func(d string) bool { return d == "month" })
	if !t.Query.Period.WholeMonths() {
		dims = append(dims, "day")
	}
	slices.Sort(dims)
	dims = slices.Compact(dims)
	var ok bool
	if q.cube, ok = g.cubeFor(t.Indicator, dims); !ok {
		return nil, dtm.Errorf(dtm.Invalid, "%s is not published by %s together: smaller counts could be computed from it", t.Indicator.ID, strings.Join(dims, ", ")).
			Coded("guard.undeclared", t.Indicator.ID, strings.Join(dims, ", "))
	}
	return q, nil
}

// steps are the spans that a period is the sum of: months, or days where single days
// are asked for.
func (q *question) steps(p dtm.Period, at map[string]string) []need {
	var out []need
	if _, given := at["day"]; given || !slices.Contains(q.cube.dims, "day") || p.WholeMonths() {
		for _, m := range p.Months() {
			out = append(out, need{m, at})
		}
		return out
	}
	for d := p.From; d.Before(p.To); d = d.AddDate(0, 0, 1) {
		a := maps.Clone(at)
		a["day"] = d.Format(time.DateOnly)
		out = append(out, need{dtm.MonthOf(d), a})
	}
	return out
}

// span is the period that a figure is of.
func (q *question) span(keys []string) (dtm.Period, error) {
	for i, d := range q.t.By {
		layout := map[string]string{"month": "2006-01", "day": time.DateOnly}[d]
		if layout == "" {
			continue
		}
		at, err := time.Parse(layout, keys[i])
		if err != nil {
			return dtm.Period{}, err
		}
		p := dtm.Period{From: at, To: at.AddDate(0, 0, 1)}
		if d == "month" {
			p = dtm.Months(dtm.MonthOf(at), dtm.MonthOf(at))
			// A period may begin and end within a month.
			p.From, p.To = later(p.From, q.t.Query.Period.From), earlier(p.To, q.t.Query.Period.To)
		}
		return p, nil
	}
	return q.t.Query.Period, nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// asked are the codes that a figure is of, one map for each count that it adds up.
// without leaves dimensions out: those that divide a whole.
func (q *question) asked(keys []string, without []string) []map[string]string {
	list := []map[string]string{{}}
	cross := func(d string, codes []string) {
		var out []map[string]string
		for _, at := range list {
			for _, c := range codes {
				a := maps.Clone(at)
				a[d] = c
				out = append(out, a)
			}
		}
		list = out
	}
	for i, d := range q.t.By {
		switch {
		case slices.Contains(without, d) || d == "month":
		default:
			cross(d, []string{keys[i]})
		}
	}
	for _, d := range slices.Sorted(maps.Keys(q.where)) {
		if _, given := list[0][d]; !given && !slices.Contains(without, d) {
			cross(d, q.where[d])
		}
	}
	if q.t.Points != nil {
		cross("point", q.t.Points)
	}
	if len(without) == 0 && len(q.t.Cells) > 0 {
		var out []map[string]string
		for _, at := range list {
			for _, c := range q.t.Cells {
				a := maps.Clone(at)
				maps.Copy(a, c)
				out = append(out, a)
			}
		}
		list = out
	}
	return list
}

// part is one side of a figure: the counts that it adds up. now and then of a
// change, numerator and denominator of a share.
type part []need

// parts finds the counts that a figure is made of.
func (q *question) parts(f dtm.Figure) ([]part, error) {
	p, err := q.span(f.Keys)
	if err != nil {
		return nil, err
	}
	of := func(p dtm.Period, without ...string) part {
		var out part
		for _, at := range q.asked(f.Keys, without) {
			out = append(out, q.steps(p, at)...)
		}
		return out
	}
	i := q.t.Indicator
	switch i.Kind {
	case "change_previous_month":
		return []part{of(p), of(dtm.Period{From: p.From.AddDate(0, -1, 0), To: p.To.AddDate(0, -1, 0)})}, nil
	case "change_previous_year":
		return []part{of(p), of(dtm.Period{From: p.From.AddDate(0, -12, 0), To: p.To.AddDate(0, -12, 0)})}, nil
	case "change_baseline":
		return []part{of(p), of(q.baseline)}, nil
	case "share_of_all":
		return []part{of(p), q.steps(p, map[string]string{})}, nil
	case "ratio": // not known by sex or age, beside all
		if i.Of != "unknown" {
			return nil, dtm.Errorf(dtm.Invalid, "%s is not published: nobody has said what it is made of", i.ID).Coded("guard.undeclared", i.ID, "")
		}
		var not part
		for _, at := range q.asked(f.Keys, nil) {
			for _, sex := range append(q.sexes, "") {
				a := maps.Clone(at)
				a["sex"] = sex
				if sex == dtm.Unknown || sex == "" {
					not = append(not, q.steps(p, a)...)
					continue
				}
				for _, age := range []string{dtm.Unknown, ""} {
					a := maps.Clone(a)
					a["age"] = age
					not = append(not, q.steps(p, a)...)
				}
			}
		}
		return []part{not, of(p)}, nil
	case "share_within", "share_answers":
		return []part{of(p), of(p, i.Default...)}, nil
	}
	switch i.Kind {
	case "count", "average_calendar", "average_observed", "average_per_point", "panel", "vulnerable", "answers", "coded", "stock_average":
		return []part{of(p)}, nil
	}
	return nil, dtm.Errorf(dtm.Invalid, "%s is not published: nobody has said what it is made of", i.ID).Coded("guard.undeclared", i.ID, "")
}
