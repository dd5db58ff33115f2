package check

import (
	"slices"
	"time"

	"dtm"
)

// DayState is what became of a point's day.
type DayState string

// States of a day.
const (
	DayClosed   DayState = "closed"   // the point was not open
	DayFree     DayState = "free"     // open, but not planned
	DayObserved DayState = "observed" // records came
	DaySilent   DayState = "silent"   // expected, over, and nothing came
	DayPending  DayState = "pending"  // not over yet, or still to come
	DayUnknown  DayState = "unknown"  // expected, but history knows only the month
)

// CoveredDay is a cell of the calendar.
type CoveredDay struct {
	Day      time.Time
	State    DayState
	Expected bool // the plan, or without one that the point is open, has it observed
	Records  int
	Hours    int           // in which records were begun
	History  bool          // imported: observed, but how many records came is not known
	Planned  time.Duration // 0: no hours are planned
}

// PointCoverage is what was expected of a point in a period and what came.
type PointCoverage struct {
	Point         string
	Days          []CoveredDay
	Expected      int // days that were expected and are over, or have records
	Observed      int // of those, with records
	Silent        int // of those, without
	Unknown       int // days that were expected, of which history knows only the month
	Extra         int // days with records that were not expected
	Records       int
	PlannedHours  float64 // of the days expected and over
	ObservedHours float64 // of those, hours in which records were begun
}

// Share is the observed part of the expected days in percent; false when none was
// expected, or when of some of them nothing is known.
func (c PointCoverage) Share() (float64, bool) {
	if c.Expected == 0 || c.Unknown > 0 {
		return 0, false
	}
	return 100 * float64(c.Observed) / float64(c.Expected), true
}

// Expected tells whether the register has the point observed on the day: the planned
// days of an open point, every day of one without a plan.
func Expected(pt *dtm.Point, day time.Time) bool {
	plan := pt.PlanAt(day)
	return pt.OpenOn(day) && (plan.Days == 0 || plan.On(day))
}

// Coverage lays what came of each point's days against what was expected of them. A
// day is over an hour after the planned end, without a plan at midnight. Months of a
// point in vague are known as months only: of their days without records nothing is
// known. This is the one definition of coverage: pages, commands and the indicator
// coverage_days_pct give what it gives.
func Coverage(points []dtm.Point, came []dtm.PointDay, vague map[string][]dtm.Month, p dtm.Period, zone *time.Location, now time.Time) []PointCoverage {
	by, days := map[string][]dtm.PointDay{}, max(0, p.Days())
	for _, d := range came {
		if d.Day.Before(p.From) || !d.Day.Before(p.To) {
			continue
		}
		if by[d.Point] == nil {
			by[d.Point] = make([]dtm.PointDay, days)
		}
		by[d.Point][dayOf(p, d.Day)] = d
	}
	out := make([]PointCoverage, 0, len(points))
	for i := range points {
		pt := &points[i]
		c := PointCoverage{Point: pt.Code, Days: make([]CoveredDay, 0, days)}
		at, months := by[pt.Code], vague[pt.Code]
		for d := p.From; d.Before(p.To); d = d.AddDate(0, 0, 1) {
			var day dtm.PointDay
			if at != nil {
				day = at[dayOf(p, d)]
			}
			c.add(pt, d, day, slices.Contains(months, dtm.MonthOf(d)), zone, now)
		}
		out = append(out, c)
	}
	return out
}

// dayOf is which day of a period a day is; both begin at midnight UTC.
func dayOf(p dtm.Period, day time.Time) int { return int(day.Sub(p.From) / (24 * time.Hour)) }

func (c *PointCoverage) add(pt *dtm.Point, d time.Time, came dtm.PointDay, vague bool, zone *time.Location, now time.Time) {
	day := CoveredDay{Day: d, Records: came.Records, Hours: came.Hours, History: came.History && came.Records == 0, Expected: Expected(pt, d)}
	over := dueAt(pt, d, zone)
	if plan := pt.PlanAt(d); day.Expected && plan.Days != 0 {
		day.Planned = plan.Duration()
	}
	switch {
	case came.Records > 0 || came.History:
		day.State = DayObserved
	case !pt.OpenOn(d):
		day.State = DayClosed
	case !day.Expected:
		day.State = DayFree
	case vague:
		day.State = DayUnknown
	case now.Before(over):
		day.State = DayPending
	default:
		day.State = DaySilent
	}
	c.Records += came.Records
	switch {
	case day.Expected && day.State == DayObserved:
		c.Expected++
		c.Observed++
		if day.History {
			break // which hours is not known
		}
		c.PlannedHours += day.Planned.Hours()
		if day.Planned > 0 {
			c.ObservedHours += min(float64(came.Hours), day.Planned.Hours())
		}
	case day.State == DaySilent:
		c.Expected++
		c.Silent++
		c.PlannedHours += day.Planned.Hours()
	case day.State == DayUnknown:
		c.Unknown++
	case day.State == DayObserved:
		c.Extra++
	}
	c.Days = append(c.Days, day)
}

// grace is how long after the planned end records may still be on their way.
const grace = time.Hour

// dueAt is when the records of a day should have come.
func dueAt(pt *dtm.Point, d time.Time, zone *time.Location) time.Time {
	if plan := pt.PlanAt(d); plan.Days != 0 {
		_, end := plan.Span(d, zone)
		return end.Add(grace)
	}
	return time.Date(d.Year(), d.Month(), d.Day()+1, 0, 0, 0, 0, zone)
}

// Total adds points up.
func Total(list []PointCoverage) PointCoverage {
	var t PointCoverage
	for _, c := range list {
		t.Expected += c.Expected
		t.Observed += c.Observed
		t.Silent += c.Silent
		t.Unknown += c.Unknown
		t.Extra += c.Extra
		t.Records += c.Records
		t.PlannedHours += c.PlannedHours
		t.ObservedHours += c.ObservedHours
	}
	return t
}

// SilentToday gives the points of which a planned day ended an hour ago or more
// without a record: the alert of the same evening. Only points with a plan can be
// told silent on the day; for others a run of days without records is needed (rule
// point.silent). Days are looked at from since on; a day that ends later is not over.
func SilentToday(points []dtm.Point, came []dtm.PointDay, since time.Time, zone *time.Location, now time.Time) []dtm.Silence {
	has := map[string]map[time.Time]bool{}
	for _, d := range came {
		if has[d.Point] == nil {
			has[d.Point] = map[time.Time]bool{}
		}
		has[d.Point][d.Day] = d.Records > 0
	}
	var out []dtm.Silence
	for i := range points {
		pt := &points[i]
		for d := since; !d.After(now); d = d.AddDate(0, 0, 1) {
			plan := pt.PlanAt(d)
			if !plan.On(d) || !pt.OpenOn(d) || has[pt.Code][d] {
				continue
			}
			if due := dueAt(pt, d, zone); !now.Before(due) {
				out = append(out, dtm.Silence{Point: pt.Code, Day: d, Due: due})
			}
		}
	}
	return out
}

// Watch says which alerts about silent points to raise and which to end: those of
// days that records came for meanwhile, and those that the register does not plan
// any more (Reason says so).
func Watch(points []dtm.Point, came []dtm.PointDay, open []dtm.Silence, since time.Time, zone *time.Location, now time.Time) (raise, end []dtm.Silence) {
	raise = SilentToday(points, came, since, zone, now)
	for _, s := range open {
		arrived, planned := false, false
		for _, d := range came {
			arrived = arrived || d.Point == s.Point && d.Day.Equal(s.Day) && d.Records > 0
		}
		for i := range points {
			if p := &points[i]; p.Code == s.Point {
				planned = p.OpenOn(s.Day) && p.PlanAt(s.Day).On(s.Day)
			}
		}
		switch {
		case arrived:
			s.Reason = ""
			end = append(end, s)
		case !planned:
			s.Reason = NoLongerPlanned
			end = append(end, s)
		}
	}
	return raise, end
}

// NoLongerPlanned is the reason of an alert that ends because the register says now
// that the day was not planned or the point not open.
const NoLongerPlanned = "not planned"
