package dtm

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Products are the kinds of reports.
const (
	ReportMonthly  = "monthly"  // the flow monitoring report of a month
	ReportWeekly   = "weekly"   // a week's bulletin of one page
	ReportPoint    = "point"    // a month at one flow monitoring point
	ReportAnnual   = "annual"   // a year's review
	ReportPartner  = "partner"  // a month's figures for one partner's mandate
	ReportStranded = "stranded" // a month's presence of stranded migrants at sites
	ReportTables   = "tables"   // every table of a month's movements, by place
)

// ReportProducts lists them.
var ReportProducts = []string{ReportMonthly, ReportWeekly, ReportPoint, ReportAnnual, ReportPartner, ReportStranded, ReportTables}

// Report names one report: its name is the last part of its permanent address.
type Report struct {
	Product string
	Month   Month     // of monthly, point, partner, stranded, tables
	Year    int       // of annual
	Week    time.Time // of weekly: its Monday
	Of      string    // code of the point or the partner
}

var (
	weekName = regexp.MustCompile(`^(\d{4})-W(\d{2})$`)
	yearName = regexp.MustCompile(`^\d{4}$`)
)

// ParseReport reads a name: "2022-12", "weekly-2022-W48", "point-obock-2022-12",
// "annual-2022", "partner-unicef-2022-12", "stranded-2022-12", "tables-2022-12". Invalid for any other.
// Whether there is such a point or partner is not looked at.
func ParseReport(name string) (Report, error) {
	bad := Errorf(Invalid, "%q is no report; names are 2022-12, weekly-2022-W48, point-CODE-2022-12, annual-2022, partner-CODE-2022-12, stranded-2022-12, tables-2022-12", name).Coded("report.name", name)
	product, rest, _ := strings.Cut(name, "-")
	r := Report{Product: product}
	switch product {
	case ReportWeekly:
		monday, err := ParseWeek(rest)
		if err != nil {
			return Report{}, bad
		}
		r.Week = monday
		return r, nil
	case ReportAnnual:
		y, err := strconv.Atoi(rest)
		if err != nil || !yearName.MatchString(rest) || y < 1 {
			return Report{}, bad
		}
		r.Year = y
		return r, nil
	case ReportPoint, ReportPartner:
		cut := len(rest) - len("-2022-12")
		if cut < 1 || rest[cut] != '-' {
			return Report{}, bad
		}
		r.Of, rest = rest[:cut], rest[cut+1:]
	case ReportStranded, ReportTables:
	default:
		r.Product, rest = ReportMonthly, name
	}
	m, err := ParseMonth(rest)
	if err != nil || m.String() != rest {
		return Report{}, bad
	}
	r.Month = m
	return r, nil
}

// ParseWeek reads "2022-W48" as the Monday that the ISO week begins with: Invalid.
func ParseWeek(s string) (time.Time, error) {
	bad := Errorf(Invalid, "%q is not a week; write year and ISO week, for example 2022-W48", s).Coded("week.invalid", s)
	part := weekName.FindStringSubmatch(s)
	if part == nil {
		return time.Time{}, bad
	}
	year, _ := strconv.Atoi(part[1])
	week, _ := strconv.Atoi(part[2])
	// The fourth of January lies in the first week of every year.
	fourth := time.Date(year, time.January, 4, 0, 0, 0, 0, time.UTC)
	monday := Monday(fourth).AddDate(0, 0, 7*(week-1))
	if y, w := monday.ISOWeek(); year < 1 || y != year || w != week {
		return time.Time{}, bad
	}
	return monday, nil
}

// Monday is the first day of the week of t.
func Monday(t time.Time) time.Time { return t.AddDate(0, 0, -(int(t.Weekday())+6)%7) }

// WeekName writes the week of t, "2022-W48".
func WeekName(t time.Time) string {
	y, w := t.ISOWeek()
	return fmt.Sprintf("%04d-W%02d", y, w)
}

// Name writes the report's name; ParseReport reads it back.
func (r Report) Name() string {
	switch r.Product {
	case ReportWeekly:
		return "weekly-" + WeekName(r.Week)
	case ReportAnnual:
		return fmt.Sprintf("annual-%04d", r.Year)
	case ReportPoint, ReportPartner:
		return r.Product + "-" + r.Of + "-" + r.Month.String()
	case ReportStranded, ReportTables:
		return r.Product + "-" + r.Month.String()
	}
	return r.Month.String()
}

// Period is the time that the report is about.
func (r Report) Period() Period {
	switch r.Product {
	case ReportWeekly:
		return Period{From: r.Week, To: r.Week.AddDate(0, 0, 7)}
	case ReportAnnual:
		return Months(Month{r.Year, time.January}, Month{r.Year, time.December})
	}
	return Months(r.Month, r.Month)
}

// Last is the month of the report's last day: that of the release it is made from.
func (r Report) Last() Month { return MonthOf(r.Period().To.AddDate(0, 0, -1)) }

// Check tells whether the operation has what the report is of: NotFound.
func (r Report) Check(op *Operation) error {
	switch r.Product {
	case ReportPoint:
		if _, ok := op.Point(r.Of); !ok {
			return Errorf(NotFound, "there is no point %q", r.Of).Coded("report.point", r.Of)
		}
	case ReportPartner:
		if !slices.ContainsFunc(op.Partners, func(p Partner) bool { return p.Code == r.Of && len(p.Brief) > 0 }) {
			return Errorf(NotFound, "there is no partner %q that a brief is made for", r.Of).Coded("report.partner", r.Of)
		}
	}
	return nil
}
