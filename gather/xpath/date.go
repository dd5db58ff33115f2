package xpath

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

const day = 24 * 60 * 60 * 1000.0 // milliseconds

// Layouts of ISO 8601 as phones write them.
var layouts = []string{"2006-01-02T15:04:05.999Z07:00", "2006-01-02T15:04:05Z07:00", "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05.999", "2006-01-02T15:04"}

// parseTime reads a date or a time of a day; without a zone it is of zone, UTC when
// that is nil.
func parseTime(s string, zone *time.Location) (time.Time, bool) {
	if len(s) < 8 || len(s) > 40 || !digit(s[0]) {
		return time.Time{}, false
	}
	if zone == nil {
		zone = time.UTC
	}
	if !strings.Contains(s, "T") {
		parts := strings.Split(s, "-") // phones take one digit too
		if len(parts) != 3 || len(parts[0]) != 4 || len(parts[1]) > 2 || len(parts[2]) > 2 {
			return time.Time{}, false
		}
		y, e1 := strconv.Atoi(parts[0])
		m, e2 := strconv.Atoi(parts[1])
		d, e3 := strconv.Atoi(parts[2])
		t := time.Date(y, time.Month(m), d, 0, 0, 0, 0, zone)
		return t, e1 == nil && e2 == nil && e3 == nil && t.Day() == d && int(t.Month()) == m
	}
	for _, l := range layouts {
		if t, err := time.ParseInLocation(l, s, zone); err == nil {
			return t, true
		}
	}
	if i := strings.LastIndexAny(s, "+-"); i > 10 && len(s)-i == 3 { // "+03"
		return parseTime(s+":00", zone)
	}
	return time.Time{}, false
}

// parseDate reads a date or time as days since 1970. A date alone counts whole
// days, whatever the zone.
func parseDate(s string, zone *time.Location) (float64, bool) {
	if !strings.Contains(s, "T") {
		zone = nil
	}
	t, ok := parseTime(s, zone)
	return float64(t.UnixMilli()) / day, ok
}

func zoneOf(c *context) *time.Location { return c.env.Now.Location() }

// isoDate and isoTime write as phones do.
func isoDate(t time.Time) string { return t.Format("2006-01-02") }
func isoTime(t time.Time) string { return t.Format("2006-01-02T15:04:05.000-07:00") }

// toTime understands an argument as a time: a text in ISO 8601, or days since 1970.
func toTime(c *context, v Value) (time.Time, bool) {
	if v.Type != TypeNumber {
		if t, ok := parseTime(strings.TrimSpace(v.String()), zoneOf(c)); ok {
			return t, true
		}
	}
	f := v.Number()
	if math.IsNaN(f) || math.Abs(f) > 3_000_000 {
		return time.Time{}, false
	}
	if f == math.Trunc(f) { // whole days are of the calendar
		t := time.UnixMilli(int64(f * day)).UTC()
		return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, zoneOf(c)), true
	}
	return time.UnixMilli(int64(math.Round(f * day))).In(zoneOf(c)), true
}

// formatDate fills a pattern: ODK XForms specification, format-date.
func formatDate(c *context, x *call, t time.Time, pattern string) (Value, error) {
	var b strings.Builder
	for i := 0; i < len(pattern); i++ {
		if pattern[i] != '%' || i+1 == len(pattern) {
			b.WriteByte(pattern[i])
			continue
		}
		i++
		switch pattern[i] {
		case '%':
			b.WriteByte('%')
		case 'Y':
			fmt.Fprintf(&b, "%04d", t.Year())
		case 'y':
			fmt.Fprintf(&b, "%02d", t.Year()%100)
		case 'm':
			fmt.Fprintf(&b, "%02d", int(t.Month()))
		case 'n':
			fmt.Fprint(&b, int(t.Month()))
		case 'b':
			b.WriteString(t.Format("Jan"))
			c.run.used |= UsedDevice // months are named in the phone's language
		case 'd':
			fmt.Fprintf(&b, "%02d", t.Day())
		case 'e':
			fmt.Fprint(&b, t.Day())
		case 'H':
			fmt.Fprintf(&b, "%02d", t.Hour())
		case 'h':
			fmt.Fprint(&b, t.Hour())
		case 'M':
			fmt.Fprintf(&b, "%02d", t.Minute())
		case 'S':
			fmt.Fprintf(&b, "%02d", t.Second())
		case '3':
			fmt.Fprintf(&b, "%03d", t.Nanosecond()/1e6)
		case 'a':
			b.WriteString(t.Format("Mon"))
			c.run.used |= UsedDevice
		case 'A':
			b.WriteString(t.Format("Monday"))
			c.run.used |= UsedDevice
		case 'B':
			b.WriteString(t.Format("January"))
			c.run.used |= UsedDevice
		case 'W':
			_, week := t.ISOWeek()
			fmt.Fprintf(&b, "%02d", week)
		case 'j':
			fmt.Fprintf(&b, "%03d", t.YearDay())
		case 'w':
			fmt.Fprint(&b, int(t.Weekday()))
		case 'Z':
			b.WriteString(t.Format("-0700"))
		default:
			return Value{}, x.bad(c, "the pattern %q holds %%%c, which is not known", pattern, pattern[i])
		}
	}
	return String(b.String()), nil
}

// timeOfDay is the part of a day that "14:30:00.000+03:00" names.
func timeOfDay(s string) (float64, bool) {
	s = strings.TrimSpace(s)
	if len(s) > 40 {
		return 0, false
	}
	if i := strings.IndexByte(s, 'T'); i >= 0 {
		s = s[i+1:]
	}
	if i := strings.IndexAny(s, "+-Z"); i > 0 {
		s = s[:i]
	}
	for _, l := range []string{"15:04:05", "15:04"} {
		if t, err := time.Parse(l, s); err == nil {
			return float64(t.Sub(t.Truncate(24*time.Hour)).Milliseconds()) / day, true
		}
	}
	return 0, false
}
