package operation

import (
	"io/fs"
	"time"

	"dtm"
)

const calendarFile = "calendar.csv"

// calendar reads the spans of days in which movements differ; a pack may have none.
// A day is a date, or month and day for what comes every year.
func (l *loader) calendar() {
	if _, err := fs.Stat(l.fs, calendarFile); err != nil {
		return
	}
	for _, r := range l.table(calendarFile, "effect", "from", "to") {
		e := dtm.CalendarEffect{Code: r.get("effect")}
		if !l.op.Lists["effect"].Has(e.Code) {
			l.fault(calendarFile, r.line, "effect %q: codes/effect.csv has no such code", e.Code)
		}
		from, to := r.get("from"), r.get("to")
		if a, err := time.Parse("01-02", from); err == nil {
			b, err := time.Parse("01-02", to)
			if err != nil {
				l.fault(calendarFile, r.line, "to %q: want month and day, as from has it", to)
			}
			e.From, e.To, e.Yearly = a, b, true
		} else if e.From, e.To = l.date(calendarFile, r.line, from), l.date(calendarFile, r.line, to); e.To.Before(e.From) {
			l.fault(calendarFile, r.line, "the effect ends (%s) before it starts (%s)", to, from)
		}
		l.op.Calendar = append(l.op.Calendar, e)
	}
}
