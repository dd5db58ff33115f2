package dtm

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Open and Closed are the states of a point.
const (
	Open   = "open"
	Closed = "closed"
)

// Since is a value that holds from a day until the next of the same list.
type Since[T any] struct {
	From  time.Time // zero: since ever
	Value T
}

// Held returns the value that holds on day t; false before the first.
func Held[T any](list []Since[T], t time.Time) (v T, ok bool) {
	for _, s := range list {
		if s.From.After(t) {
			break
		}
		v, ok = s.Value, true
	}
	return v, ok
}

// Place is where a point is.
type Place struct {
	Area        string  `json:"area,omitempty"`  // admin 1 P-code; "" when not known
	Area2       string  `json:"area2,omitempty"` // admin 2 P-code; "" when not known
	Lon         float64 `json:"lon,omitempty"`
	Lat         float64 `json:"lat,omitempty"`
	Positioned  bool    `json:"positioned,omitempty"`
	Approximate bool    `json:"approximate,omitempty"` // of the town, not of the point
}

// Crew is who observes at a point.
type Crew struct {
	Devices     []string `json:"devices,omitempty"`     // ids
	Enumerators []string `json:"enumerators,omitempty"` // e-mail addresses of users
}

// Plan is when a point is observed: the same hours on each of its days. The zero
// Plan says that nothing is planned.
type Plan struct {
	Days  Weekdays
	Start time.Duration // after midnight, in the operation's zone
	End   time.Duration // 24h at most; up to Start: of the day after
}

// Weekdays is a set of days of the week.
type Weekdays uint8

// Has tells whether the day of the week is in the set.
func (w Weekdays) Has(d time.Weekday) bool { return w&(1<<d) != 0 }

// EveryDay is the whole week.
const EveryDay Weekdays = 1<<7 - 1

// WeekdayCodes are how days of the week are written, from Sunday.
var WeekdayCodes = [...]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// String writes the days from Monday: "mon,tue,wed"; "daily" for all.
func (w Weekdays) String() string {
	if w == EveryDay {
		return "daily"
	}
	var list []string
	for i := range 7 {
		if d := time.Weekday((i + 1) % 7); w.Has(d) {
			list = append(list, WeekdayCodes[d])
		}
	}
	return strings.Join(list, ",")
}

// ParseWeekdays reads "daily", "mon,tue,wed" or "mon-fri"; "" and "none" are no day.
func ParseWeekdays(s string) (Weekdays, error) {
	s = strings.ToLower(strings.TrimSpace(s))
	switch s {
	case "daily":
		return EveryDay, nil
	case "", "none":
		return 0, nil
	}
	index := func(name string) (int, error) {
		name = strings.TrimSpace(name)
		for i, c := range WeekdayCodes {
			if name == c {
				return i, nil
			}
		}
		return 0, Errorf(Invalid, "%q is no day of the week; write daily, mon-fri, or some of mon,tue,wed,thu,fri,sat,sun", name).Coded("plan.days", name)
	}
	var w Weekdays
	for _, part := range strings.Split(s, ",") {
		first, last, span := strings.Cut(part, "-")
		a, err := index(first)
		if err != nil {
			return 0, err
		}
		b := a
		if span {
			if b, err = index(last); err != nil {
				return 0, err
			}
		}
		for i := a; ; i = (i + 1) % 7 {
			w |= 1 << i
			if i == b {
				break
			}
		}
	}
	return w, nil
}

// Duration is how long a day's observation lasts.
func (p Plan) Duration() time.Duration {
	if p.End <= p.Start {
		return p.End + 24*time.Hour - p.Start
	}
	return p.End - p.Start
}

// On tells whether the point is observed on the day.
func (p Plan) On(day time.Time) bool { return p.Days.Has(day.Weekday()) }

// Span is when the observation of a civil day (midnight UTC) begins and ends in
// the zone.
func (p Plan) Span(day time.Time, zone *time.Location) (from, to time.Time) {
	at := func(d time.Duration) time.Time {
		return time.Date(day.Year(), day.Month(), day.Day(), int(d/time.Hour), int(d%time.Hour/time.Minute), 0, 0, zone)
	}
	end := p.End
	if end <= p.Start {
		end += 24 * time.Hour
	}
	return at(p.Start), at(end)
}

// String writes the plan as it is read: "mon-fri" is given as "mon,tue,wed,thu,fri".
func (p Plan) String() string {
	if p.Days == 0 {
		return "none"
	}
	return fmt.Sprintf("%s %s-%s", p.Days, Clock(p.Start), Clock(p.End))
}

// Clock writes a time of day: "06:00".
func Clock(d time.Duration) string {
	return fmt.Sprintf("%02d:%02d", int(d/time.Hour), int(d%time.Hour/time.Minute))
}

// ParseClock reads "06:00" to "24:00".
func ParseClock(s string) (time.Duration, error) {
	h, m, ok := strings.Cut(strings.TrimSpace(s), ":")
	hours, err1 := strconv.Atoi(h)
	minutes, err2 := strconv.Atoi(m)
	if !ok || err1 != nil || err2 != nil || hours < 0 || minutes < 0 || minutes > 59 || hours*60+minutes > 24*60 {
		return 0, Errorf(Invalid, "%q is not a time of day; write for example 06:00", s).Coded("plan.clock", s)
	}
	return time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute, nil
}

// NewPlan reads a plan from its days and hours ("06:00", "18:00"); hours that end
// before they start run over midnight.
func NewPlan(days, start, end string) (Plan, error) {
	w, err := ParseWeekdays(days)
	if err != nil || w == 0 {
		return Plan{}, err
	}
	a, err := ParseClock(start)
	if err != nil {
		return Plan{}, err
	}
	b, err := ParseClock(end)
	if err != nil {
		return Plan{}, err
	}
	if a == 24*time.Hour {
		a = 0
	}
	if b == 0 {
		b = 24 * time.Hour
	}
	return Plan{w, a, b}, nil
}

type planText struct {
	Days  string `json:"days"`
	Start string `json:"start,omitempty"`
	End   string `json:"end,omitempty"`
}

// MarshalJSON writes the plan as people do.
func (p Plan) MarshalJSON() ([]byte, error) {
	if p.Days == 0 {
		return json.Marshal(planText{Days: "none"})
	}
	return json.Marshal(planText{p.Days.String(), Clock(p.Start), Clock(p.End)})
}

// UnmarshalJSON reads it.
func (p *Plan) UnmarshalJSON(b []byte) error {
	var t planText
	err := json.Unmarshal(b, &t)
	if err == nil {
		*p, err = NewPlan(t.Days, t.Start, t.End)
	}
	return err
}

// PlaceAt is where the point was on the day.
func (p *Point) PlaceAt(day time.Time) Place {
	if v, ok := Held(p.Places, day); ok {
		return v
	}
	if len(p.Places) > 0 {
		return p.Places[0].Value // before it was there: the nearest that is known
	}
	return Place{p.Area, p.Area2, p.Lon, p.Lat, p.Positioned, p.Approximate}
}

// NameAt is the point's name on the day.
func (p *Point) NameAt(day time.Time) Text {
	if v, ok := Held(p.Names, day); ok {
		return v
	}
	if len(p.Names) > 0 {
		return p.Names[0].Value
	}
	return p.Name
}

// PlanAt is when the point is observed on the day; the zero Plan when it is not
// known.
func (p *Point) PlanAt(day time.Time) Plan {
	v, _ := Held(p.Plans, day)
	return v
}

// CrewAt is who observes on the day.
func (p *Point) CrewAt(day time.Time) Crew {
	v, _ := Held(p.Crews, day)
	return v
}

// OpenOn tells whether the point is open on the day. A point of which nothing is
// said is.
func (p *Point) OpenOn(day time.Time) bool {
	return len(p.Status) == 0 || ValueAt(p.Status, day) == Open
}

// OpenThroughout tells whether the point is open on every day of the period.
func (p *Point) OpenThroughout(period Period) bool {
	if !p.OpenOn(period.From) {
		return false
	}
	for _, d := range p.Status {
		if d.Value != Open && d.From.After(period.From) && d.From.Before(period.To) {
			return false
		}
	}
	return true
}

// ParsePosition reads a latitude and a longitude in degrees.
func ParsePosition(lat, lon string) (y, x float64, err error) {
	read := func(s string, limit float64) float64 {
		v, e := strconv.ParseFloat(strings.Replace(strings.TrimSpace(s), ",", ".", 1), 64)
		if (e != nil || !(math.Abs(v) <= limit)) && err == nil {
			err = Errorf(Invalid, "%q is no position; write degrees, for example 11.5950 and 43.1480", s).Coded("point.degrees", s)
		}
		return v
	}
	y, x = read(lat, 90), read(lon, 180)
	return y, x, err
}
