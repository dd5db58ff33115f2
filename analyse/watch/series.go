package watch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"dtm"
)

// Step is the length of time that one count is of.
type Step string

// Steps of a series.
const (
	Day   Step = "day"
	Week  Step = "week" // Monday to Sunday
	Month Step = "month"
)

// Steps lists them, the longest first.
var Steps = []Step{Month, Week, Day}

// Period is the number of steps in a year; one of days has 52 whole weeks, so that a
// day is held against the same weekday.
func (s Step) Period() int {
	switch s {
	case Day:
		return 364
	case Week:
		return 52
	}
	return 12
}

func (s Step) start(t time.Time) time.Time {
	switch s {
	case Day:
		return t
	case Week:
		return t.AddDate(0, 0, -(int(t.Weekday())+6)%7)
	}
	return dtm.MonthOf(t).First()
}

func (s Step) next(t time.Time) time.Time {
	switch s {
	case Day:
		return t.AddDate(0, 0, 1)
	case Week:
		return t.AddDate(0, 0, 7)
	}
	return t.AddDate(0, 1, 0)
}

// Of is the span of the step that starts on a day.
func (s Step) Of(start time.Time) dtm.Period { return dtm.Period{From: start, To: s.next(start)} }

// Name writes a step that starts on t: "2022-12", "2022-W48", "2022-12-05".
func (s Step) Name(t time.Time) string {
	switch s {
	case Day:
		return t.Format(time.DateOnly)
	case Week:
		y, w := t.ISOWeek()
		return itoa(y, 4) + "-W" + itoa(w, 2)
	}
	return dtm.MonthOf(t).String()
}

func itoa(n, width int) string {
	b := []byte(strings.Repeat("0", width))
	for i := width - 1; i >= 0; i-- {
		b[i] = byte('0' + n%10)
		n /= 10
	}
	return string(b)
}

// Ask says which series are wanted.
type Ask struct {
	Indicator string // a count: "total_movements", "entries", "returns"
	Step      Step
	By        string // "", "point" or "route" (the corridor)
	Where     map[string][]string
	Until     time.Time // the last step is the one before this day; zero: the last that is over
}

// Series is a count over time. Counts that were not observed, or that are withheld,
// are NaN. Days are those with observations; where history knows the month only, all.
type Series struct {
	Key      string // code of the point or corridor; "" for all
	Step     Step
	Starts   []time.Time
	Counts   []float64
	Days     []float64
	Withheld []bool
	effects  []dtm.CalendarEffect
	shares   *shares
}

// shares of a series' steps in the calendar's effects, made once: every judgement asks
// for them.
type shares struct {
	once sync.Once
	list [][]float64
}

// Len is the number of steps.
func (s Series) Len() int { return len(s.Counts) }

// Fingerprint is the same for the same counts of the same steps.
func (s Series) Fingerprint() string {
	h := sha256.New()
	fmt.Fprint(h, s.Key, s.Step, s.Len())
	if s.Len() > 0 {
		fmt.Fprint(h, s.Starts[0].Unix())
	}
	for i := range s.Counts {
		fmt.Fprint(h, " ", s.Counts[i], s.Days[i], s.Withheld[i])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Of is the span of step i; steps after the last are the ones to come.
func (s Series) Of(i int) dtm.Period {
	from := s.Starts[min(i, len(s.Starts)-1)]
	for range max(0, i-len(s.Starts)+1) {
		from = s.Step.next(from)
	}
	return dtm.Period{From: from, To: s.Step.next(from)}
}

func (s Series) full(i int) float64 { return float64(s.Of(i).Days()) }

// Effects are the codes of the calendar's effects that touch step i.
func (s Series) Effects(i int) []string {
	var out []string
	for _, e := range s.effects {
		if e.Days(s.Of(i)) > 0 && !slices.Contains(out, e.Code) {
			out = append(out, e.Code)
		}
	}
	return out
}

// covariates are those of the calendar, and the days of the week of days.
func (s Series) covariates() [][]float64 {
	if s.Step == Day {
		return append(s.calendar(), s.weekdays()...)
	}
	return s.calendar()
}

// calendar gives the shares of each step's days in the effects that move through the
// year. Those that come on the same days every year are a part of the season.
func (s Series) calendar() [][]float64 {
	s.shares.once.Do(func() { s.shares.list = s.inEffects() })
	return s.shares.list
}

func (s Series) inEffects() [][]float64 {
	byCode := map[string][]float64{}
	for _, e := range s.effects {
		if e.Yearly {
			continue
		}
		c := byCode[e.Code]
		if c == nil {
			c = make([]float64, s.Len())
			byCode[e.Code] = c
		}
		for i := range c {
			c[i] += float64(e.Days(s.Of(i))) / s.full(i)
		}
	}
	codes := make([]string, 0, len(byCode))
	for code := range byCode {
		codes = append(codes, code)
	}
	slices.Sort(codes)
	var out [][]float64
	for _, code := range codes {
		out = append(out, byCode[code])
	}
	return out
}

// weekdays are 1 on each day of the week but Monday.
func (s Series) weekdays() [][]float64 {
	var out [][]float64
	for d := range 7 {
		if time.Weekday(d) == time.Monday {
			continue
		}
		c := make([]float64, s.Len())
		for i, at := range s.Starts {
			if at.Weekday() == time.Weekday(d) {
				c[i] = 1
			}
		}
		out = append(out, c)
	}
	return out
}

// offset is the log of days observed; missing where there were none.
func (s Series) offset() []float64 {
	out := make([]float64, s.Len())
	for i, d := range s.Days {
		out[i] = math.Log(d)
		if d <= 0 {
			out[i] = math.NaN()
		}
	}
	return out
}

// rates are the counts as they would be had every day been observed.
func (s Series) rates() []float64 {
	out := make([]float64, s.Len())
	for i, c := range s.Counts {
		out[i] = c * s.full(i) / s.Days[i]
		if s.Days[i] <= 0 {
			out[i] = math.NaN()
		}
	}
	return out
}

// Read asks the figures for the series, sorted by key. A series begins with its
// first count; what is not over by now is left out.
func Read(ctx context.Context, f dtm.Figures, op *dtm.Operation, a Ask, now time.Time) ([]Series, error) {
	if !slices.Contains(Steps, a.Step) {
		return nil, dtm.Errorf(dtm.Invalid, "%q is no step: want day, week or month", a.Step).Coded("watch.step", string(a.Step))
	}
	if a.By != "" && a.By != "point" && a.By != "route" {
		return nil, dtm.Errorf(dtm.Invalid, "%q: want point or corridor", a.By).Coded("watch.by", a.By)
	}
	ind, err := f.Indicator(a.Indicator)
	if err != nil {
		return nil, err
	}
	if !ind.Counts || ind.Unit != "movements" {
		return nil, dtm.Errorf(dtm.Invalid, "%s is no count of movements", a.Indicator).Coded("watch.count", a.Indicator)
	}
	span, err := f.Span(ctx)
	if err != nil || span.From.IsZero() {
		return nil, err
	}
	today := now.In(op.Zone)
	end := time.Date(today.Year(), today.Month(), today.Day(), 0, 0, 0, 0, time.UTC)
	if !a.Until.IsZero() && a.Until.Before(end) {
		end = a.Until
	}
	if span.To.Before(end) {
		// The last day with a record may lie within a step that is over.
		if over := a.Step.next(a.Step.start(span.To.AddDate(0, 0, -1))); over.Before(end) {
			end = over
		}
	}
	end = a.Step.start(end)
	if !span.From.Before(end) {
		return nil, nil
	}
	p := dtm.Period{From: a.Step.start(span.From), To: end}
	grain := "day"
	if a.Step == Month {
		grain = "month"
	}
	by := []string{grain}
	if a.By != "" {
		by = append(by, a.By)
	}
	counts, err := f.Table(ctx, dtm.Query{Indicator: a.Indicator, Period: p, By: by, Where: a.Where})
	if err != nil {
		return nil, err
	}
	// Days belong to places: those of a corridor are those of all points.
	where := map[string][]string{}
	for _, dim := range []string{"point", "region"} {
		if w := a.Where[dim]; w != nil {
			where[dim] = w
		}
	}
	daysBy := by
	if a.By == "route" {
		daysBy = by[:1]
	}
	days, err := f.Table(ctx, dtm.Query{Indicator: "daily_average_observed_days", Period: p, By: daysBy, Where: where})
	if err != nil {
		return nil, err
	}
	b := &reading{ask: a, period: p, effects: op.Calendar, of: map[string]*Series{}}
	b.counts(counts)
	b.days(days)
	return b.done(), nil
}

type reading struct {
	ask     Ask
	period  dtm.Period
	effects []dtm.CalendarEffect
	of      map[string]*Series
}

// place is the key and step of a figure; by is in the order step, place.
func (b *reading) place(t dtm.Table, f dtm.Figure) (key string, step time.Time, ok bool) {
	for i, dim := range t.By {
		if dim == "month" || dim == "day" {
			day := f.Keys[i]
			if len(day) == len("2006-01") {
				day += "-01"
			}
			at, err := time.Parse(time.DateOnly, day[:min(len(day), 10)])
			if err != nil {
				return "", step, false
			}
			step = b.ask.Step.start(at)
		} else {
			key = f.Keys[i]
		}
	}
	return key, step, b.period.Contains(step)
}

func (b *reading) index(step time.Time) int {
	switch days := int(step.Sub(b.period.From).Hours()/24 + 0.5); b.ask.Step {
	case Day:
		return days
	case Week:
		return days / 7
	}
	return (step.Year()-b.period.From.Year())*12 + int(step.Month()) - int(b.period.From.Month())
}

func (b *reading) series(key string) *Series {
	s := b.of[key]
	if s == nil {
		s = &Series{Key: key, Step: b.ask.Step, effects: b.effects, shares: &shares{}}
		for t := b.period.From; t.Before(b.period.To); t = s.Step.next(t) {
			s.Starts = append(s.Starts, t)
			s.Counts = append(s.Counts, math.NaN())
			s.Days = append(s.Days, 0)
			s.Withheld = append(s.Withheld, false)
		}
		b.of[key] = s
	}
	return s
}

func (b *reading) counts(t dtm.Table) {
	for _, f := range t.Figures {
		key, step, ok := b.place(t, f)
		if !ok {
			continue
		}
		s, i := b.series(key), b.index(step)
		switch {
		case f.Suppressed:
			s.Withheld[i] = true
		case f.Value != nil:
			if math.IsNaN(s.Counts[i]) {
				s.Counts[i] = 0
			}
			s.Counts[i] += *f.Value
		}
	}
}

func (b *reading) days(t dtm.Table) {
	for _, f := range t.Figures {
		key, step, ok := b.place(t, f)
		if !ok || f.Denominator == nil {
			continue
		}
		list := []*Series{b.of[key]}
		if b.ask.By == "route" {
			list = nil
			for _, s := range b.of {
				list = append(list, s)
			}
		}
		for _, s := range list {
			if s == nil {
				continue
			}
			i := b.index(step)
			s.Days[i] += *f.Denominator
			// A day on which nobody passed is a count too.
			if math.IsNaN(s.Counts[i]) && f.Value != nil && *f.Value == 0 {
				s.Counts[i] = 0
			}
		}
	}
}

func (b *reading) done() []Series {
	var out []Series
	for _, s := range b.of {
		first := s.Len()
		for i := range s.Counts {
			if s.Withheld[i] {
				s.Counts[i] = math.NaN()
			}
			if !math.IsNaN(s.Counts[i]) && s.Days[i] <= 0 {
				s.Days[i] = s.full(i)
			}
			if first == s.Len() && (!math.IsNaN(s.Counts[i]) || s.Withheld[i]) {
				first = i
			}
		}
		if first == s.Len() {
			continue
		}
		out = append(out, Series{s.Key, s.Step, s.Starts[first:], s.Counts[first:], s.Days[first:], s.Withheld[first:], s.effects, &shares{}})
	}
	slices.SortFunc(out, func(a, b Series) int { return strings.Compare(a.Key, b.Key) })
	return out
}
