package bulk

import (
	"strconv"
	"strings"
	"time"

	"dtm"
)

// dated is what a date says.
type dated struct {
	day       int64 // since 1970-01-01
	monthOnly bool
	err       *dtm.Error
}

func (r *reader) date(field []byte) dated {
	if d, ok := r.dates[string(field)]; ok {
		return d
	}
	d := readDate(clean(string(field)), r.cols.monthly, r.from04)
	if len(r.dates) < many {
		r.dates[string(field)] = d
	}
	return d
}

// readDate reads a month (2022-12, 2022/12, 12/2022, Dec-22, décembre 2022), a day
// (2022-12-31, 2022/12/31, with a time or not) or a spreadsheet's number of days.
// A first day in a column of months stands for the month. 01/02/2022 is refused:
// it is another day in another country.
func readDate(s string, monthly, from04 bool) dated {
	if m, ok := readMonth(s); ok {
		return sane(m.First(), true, s)
	}
	day, _, _ := strings.Cut(s, "T")
	day, _, _ = strings.Cut(day, " ")
	for _, layout := range []string{"2006-01-02", "2006/01/02"} {
		if t, err := time.Parse(layout, day); err == nil {
			return sane(t, monthly && t.Day() == 1, s)
		}
	}
	if serial, err := strconv.ParseFloat(s, 64); err == nil && serial >= 20_000 && serial < 80_000 {
		// Spreadsheets count days from 30 December 1899, some from 1 January 1904.
		t := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)
		if from04 {
			t = time.Date(1904, 1, 1, 0, 0, 0, 0, time.UTC)
		}
		t = t.AddDate(0, 0, int(serial))
		return sane(t, monthly && t.Day() == 1, s)
	}
	for _, layout := range []string{"2/1/2006", "1/2/2006", "2/1/06", "1/2/06", "2.1.2006", "2-1-2006", "1-2-2006"} {
		if _, err := time.Parse(layout, day); err == nil {
			return dated{err: dtm.Errorf(dtm.Invalid, "%q can be read as day/month or month/day; write YYYY-MM-DD", s).Coded("import.day_ambiguous", s)}
		}
	}
	return dated{err: dtm.Errorf(dtm.Invalid, "%q is not a month (YYYY-MM) or a day (YYYY-MM-DD)", short(s, 40)).Coded("import.day_unknown", short(s, 40))}
}

// months by the first letters that tell them apart in English and French, folded;
// the longer first.
var months = []struct {
	name  string
	month time.Month
}{
	{"janvier", 1}, {"january", 1}, {"janv", 1}, {"jan", 1}, {"fevrier", 2}, {"february", 2}, {"fevr", 2}, {"fev", 2}, {"feb", 2},
	{"mars", 3}, {"march", 3}, {"mar", 3}, {"avril", 4}, {"april", 4}, {"avr", 4}, {"apr", 4}, {"mai", 5}, {"may", 5},
	{"juin", 6}, {"june", 6}, {"jun", 6}, {"juillet", 7}, {"july", 7}, {"juil", 7}, {"jul", 7}, {"aout", 8}, {"august", 8}, {"aug", 8},
	{"septembre", 9}, {"september", 9}, {"sept", 9}, {"sep", 9}, {"octobre", 10}, {"october", 10}, {"oct", 10},
	{"novembre", 11}, {"november", 11}, {"nov", 11}, {"decembre", 12}, {"december", 12}, {"dec", 12},
}

func readMonth(s string) (dtm.Month, bool) {
	for _, layout := range []string{"2006-1", "2006/1", "1/2006", "1-2006"} {
		if t, err := time.Parse(layout, s); err == nil {
			return dtm.MonthOf(t), true
		}
	}
	// A spreadsheet that opens 2022-12 saves it as Dec-22 or déc.-22.
	folded := dtm.Fold(strings.ReplaceAll(s, ".", ""))
	for _, m := range months {
		digits, ok := strings.CutPrefix(folded, m.name)
		if !ok {
			continue
		}
		year, err := strconv.Atoi(digits)
		switch {
		case err != nil || len(digits) != 2 && len(digits) != 4:
			continue
		case len(digits) == 2:
			year += 2000
		}
		return dtm.Month{Year: year, Month: m.month}, true
	}
	return dtm.Month{}, false
}

// sane refuses years in which no flow was monitored: a slip of the pen would
// stretch every series.
func sane(t time.Time, monthOnly bool, s string) dated {
	if y := t.Year(); y < 2004 || y > 2100 {
		return dated{err: dtm.Errorf(dtm.Invalid, "%q: flow monitoring began in 2004", s).Coded("import.day_early", s)}
	}
	return dated{day: dayNumber(t), monthOnly: monthOnly}
}
