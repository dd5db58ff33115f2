package dtm

import (
	"fmt"
	"time"
)

// Month is a calendar month, the step of publication.
type Month struct {
	Year  int
	Month time.Month
}

// ParseMonth reads YYYY-MM. "2022-13" and "22-1" are errors of kind Invalid.
func ParseMonth(s string) (Month, error) {
	t, err := time.Parse("2006-01", s)
	if err != nil || len(s) != 7 {
		return Month{}, Errorf(Invalid, "%q is not a month; write YYYY-MM, for example 2022-12", s).Coded("month.invalid", s)
	}
	return Month{t.Year(), t.Month()}, nil
}

// MonthOf returns the month of t's own calendar date.
func MonthOf(t time.Time) Month { return Month{t.Year(), t.Month()} }

func (m Month) String() string { return fmt.Sprintf("%04d-%02d", m.Year, int(m.Month)) }

// First is midnight UTC of the month's first day: dates are civil dates and are
// carried as midnight UTC everywhere.
func (m Month) First() time.Time { return time.Date(m.Year, m.Month, 1, 0, 0, 0, 0, time.UTC) }

// Add returns the month n months later (earlier when n is negative).
func (m Month) Add(n int) Month { return MonthOf(m.First().AddDate(0, n, 0)) }

// Days is the number of days of the month.
func (m Month) Days() int { return int(m.Add(1).First().Sub(m.First()).Hours() / 24) }

// Before tells whether m is earlier than o.
func (m Month) Before(o Month) bool {
	return m.Year < o.Year || m.Year == o.Year && m.Month < o.Month
}

// IsZero tells whether m is unset.
func (m Month) IsZero() bool { return m == Month{} }

// Period is a span of civil days: From included, To excluded, both midnight UTC.
type Period struct{ From, To time.Time }

// Months returns the period from the first day of a to the last of b.
func Months(a, b Month) Period { return Period{a.First(), b.Add(1).First()} }

// ParsePeriod reads both ends as YYYY, YYYY-MM or YYYY-MM-DD, each inclusive:
// from 2022-01 to 2022-05 ends with 31 May. An end before the start is Invalid.
func ParsePeriod(from, to string) (Period, error) {
	a, _, err := span(from)
	if err != nil {
		return Period{}, err
	}
	if to == "" {
		to = from
	}
	_, b, err := span(to)
	if err != nil {
		return Period{}, err
	}
	if !a.Before(b) {
		return Period{}, Errorf(Invalid, "the period ends (%s) before it starts (%s)", to, from).Coded("period.reversed", from, to)
	}
	return Period{a, b}, nil
}

func span(s string) (from, to time.Time, err error) {
	for layout, step := range map[string][3]int{"2006": {1, 0, 0}, "2006-01": {0, 1, 0}, "2006-01-02": {0, 0, 1}} {
		if t, e := time.Parse(layout, s); e == nil && len(s) == len(layout) {
			return t, t.AddDate(step[0], step[1], step[2]), nil
		}
	}
	return from, to, Errorf(Invalid, "%q is not a date; write YYYY, YYYY-MM or YYYY-MM-DD", s).Coded("date.invalid", s)
}

// Days is the number of civil days of the period.
func (p Period) Days() int { return int(p.To.Sub(p.From).Hours()/24 + 0.5) }

// Months lists the months the period touches.
func (p Period) Months() []Month {
	var out []Month
	for m := MonthOf(p.From); m.First().Before(p.To); m = m.Add(1) {
		out = append(out, m)
	}
	return out
}

// WholeMonths tells whether the period starts on a first and ends on a last day.
func (p Period) WholeMonths() bool { return p.From.Day() == 1 && p.To.Day() == 1 }

// Contains tells whether the day t lies in the period.
func (p Period) Contains(t time.Time) bool { return !t.Before(p.From) && t.Before(p.To) }

// String gives the period as its inclusive ends: "2022-12", "2022-01..2022-05",
// "2022-12-05..2022-12-11".
func (p Period) String() string {
	last := p.To.AddDate(0, 0, -1)
	if !p.WholeMonths() {
		if last.Equal(p.From) {
			return p.From.Format("2006-01-02")
		}
		return p.From.Format("2006-01-02") + ".." + last.Format("2006-01-02")
	}
	a, b := MonthOf(p.From), MonthOf(last)
	if a == b {
		return a.String()
	}
	return a.String() + ".." + b.String()
}
