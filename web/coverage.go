package web

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"dtm"
	"dtm/check"
	"dtm/locale"
)

type coverageCell struct{ State, Mark, Says string }

type coverageRow struct {
	Name, Href                                       string
	Cells                                            []coverageCell
	Expected, Observed, Silent                       int
	Share, PlannedHours, ObservedHours, Delay, Worst string
	Senders                                          []senderRow
}

type senderRow struct {
	Device, Last  string
	Records, Days int
}

type coverageView struct {
	page
	Month, Older, Newer string
	AsOf                string
	Days                []int
	Rows                []coverageRow
	Total               coverageRow
	Key                 []coverageCell
	Delayed             bool // a delay is known
	History             bool // there is no record by day
}

var dayMarks = map[check.DayState]string{check.DayClosed: "", check.DayFree: "–", check.DayObserved: "●", check.DaySilent: "!", check.DayPending: "·", check.DayUnknown: "?"}

// coverage is the calendar of the network: what was expected of each point's days and
// what came.
func (p *Pages) coverage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	m, now := dtm.MonthOf(p.civilToday()), dtm.MonthOf(p.civilToday())
	if q := r.URL.Query().Get("month"); q != "" {
		var err error
		if m, err = dtm.ParseMonth(q); err != nil {
			return err
		}
	}
	v := coverageView{page: p.inside(r, "coverage", "coverage.title", "/coverage/"), Month: locale.Month(p.guess(r), m), Older: m.Add(-1).String()}
	if m.Before(now) {
		v.Newer = m.Add(1).String()
	}
	n, period := p.Staff.Points, dtm.Months(m, m)
	list, at, err := n.Coverage(ctx, period)
	if err != nil {
		return err
	}
	delays, err := n.Arrivals.Delays(ctx, period)
	if err != nil {
		return err
	}
	senders, err := n.Arrivals.Senders(ctx, period)
	if err != nil {
		return err
	}
	names, err := p.deviceNames(ctx)
	if err != nil {
		return err
	}
	took, sent := map[string]dtm.Delay{}, map[string][]senderRow{}
	for _, d := range delays {
		took[d.Point] = d
	}
	for _, s := range senders {
		sent[s.Point] = append(sent[s.Point], senderRow{cmp.Or(names[s.Device], s.Device, v.T("coverage.device.unknown")), v.When(s.Last), s.Records, s.Days})
	}
	for d := range m.Days() {
		v.Days = append(v.Days, d+1)
	}
	v.AsOf, v.History = v.When(at), true
	for _, c := range list {
		if c.Expected == 0 && c.Records == 0 && c.Unknown == 0 && !slices.ContainsFunc(c.Days, func(d check.CoveredDay) bool { return d.State == check.DayPending }) {
			continue
		}
		v.History = v.History && c.Records == 0
		row := v.coverageRow(c, took[c.Point])
		row.Name, row.Href, row.Senders = v.PointName(c.Point), v.Link("/staff/points/"+url.PathEscape(c.Point)), sent[c.Point]
		for _, d := range c.Days {
			says := v.Day(d.Day) + v.T("word.colon") + " " + v.T("coverage.day."+string(d.State))
			if d.Records > 0 {
				says += " · " + v.T("coverage.records", d.Records)
			}
			row.Cells = append(row.Cells, coverageCell{string(d.State), dayMarks[d.State], says})
		}
		v.Rows = append(v.Rows, row)
	}
	slices.SortStableFunc(v.Rows, func(a, b coverageRow) int { return cmp.Compare(a.Name, b.Name) })
	v.Delayed = took[""].Records > 0
	all := check.Total(list)
	v.Total = v.coverageRow(all, took[""])
	for _, s := range []check.DayState{check.DayObserved, check.DaySilent, check.DayPending, check.DayFree, check.DayClosed, check.DayUnknown} {
		if s == check.DayUnknown && all.Unknown == 0 {
			continue
		}
		v.Key = append(v.Key, coverageCell{string(s), dayMarks[s], v.T("coverage.day." + string(s))})
	}
	return p.show(w, http.StatusOK, "coverage", v)
}

func (g page) coverageRow(c check.PointCoverage, d dtm.Delay) coverageRow {
	row := coverageRow{Expected: c.Expected, Observed: c.Observed, Silent: c.Silent, Share: "–", PlannedHours: "–", ObservedHours: "–", Delay: "–", Worst: "–"}
	if s, ok := c.Share(); ok {
		row.Share = g.T("coverage.percent", locale.Number(g.Lang, s, 0))
	}
	if c.PlannedHours > 0 {
		row.PlannedHours, row.ObservedHours = locale.Number(g.Lang, c.PlannedHours, 0), locale.Number(g.Lang, c.ObservedHours, 0)
	}
	if d.Records > 0 {
		row.Delay, row.Worst = g.span(d.Median), g.span(d.P90)
	}
	return row
}

// span writes a duration in the unit that people read.
func (g page) span(d time.Duration) string {
	switch {
	case d < time.Hour:
		return g.T("span.minutes", strconv.Itoa(int(d.Minutes()+0.5)))
	case d < 48*time.Hour:
		return g.T("span.hours", locale.Number(g.Lang, d.Hours(), 1))
	}
	return g.T("span.days", locale.Number(g.Lang, d.Hours()/24, 1))
}
