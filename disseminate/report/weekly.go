package report

import (
	"math"
	"strconv"
	"time"

	"dtm"
	"dtm/disseminate/chart"
	"dtm/disseminate/overview"
	"dtm/locale"
)

// weeks drawn in a bulletin, its own the last.
const weeks = 13

// weekdays by time.Weekday.
var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// week is a week's count. Counts of days are added up; a week with a withheld day has
// no sum, days without observation are none.
type week struct {
	monday   time.Time
	sum      float64
	days     int // observed
	withheld bool
}

func (w week) cell() chart.Cell {
	switch {
	case w.withheld:
		return chart.Withheld()
	case w.days == 0:
		return chart.Cell{}
	}
	return chart.Of(w.sum)
}

func (w week) known() bool { return !w.withheld && w.days > 0 }

// weekly is the bulletin of a week: of days the country's counts are published, not
// those of points.
func (w *writer) weekly() Document {
	monday := w.r.Week
	span, err := w.figures.Span(w.ctx)
	if err != nil {
		w.err = err
		return Document{}
	}
	from := monday.AddDate(0, 0, -7*(weeks-1))
	if first := dtm.Monday(span.From); !span.From.IsZero() && from.Before(first) {
		from = first
	}
	if span.From.IsZero() || !monday.Before(span.To) || monday.Before(from) {
		return w.none()
	}
	t := w.table("total_movements", dtm.Period{From: from, To: w.period.To}, nil, "day")
	if w.err != nil {
		return Document{}
	}
	days := map[string]dtm.Figure{}
	for _, f := range t.Figures {
		days[f.Keys[0]] = f
	}
	var list []week
	for m := from; !m.After(monday); m = m.AddDate(0, 0, 7) {
		one := week{monday: m}
		for i := range 7 {
			f, ok := days[m.AddDate(0, 0, i).Format(time.DateOnly)]
			switch {
			case !ok || f.Value == nil && !f.Suppressed:
			case f.Suppressed:
				one.withheld = true
			default:
				one.days, one.sum = one.days+1, one.sum+*f.Value
			}
		}
		list = append(list, one)
	}
	this := list[len(list)-1]
	if this.days == 0 && !this.withheld {
		return w.none()
	}
	_, n := monday.ISOWeek()
	year, _ := monday.ISOWeek()
	last := w.period.To.AddDate(0, 0, -1)
	d := w.begin(w.say("report.weekly.title")+"\u00a0· "+w.say("report.week", strconv.Itoa(n), strconv.Itoa(year)), w.say("report.subtitle", w.span(monday, last), locale.Date(w.l, last)))
	d.Overview.Title = w.say("page.overview")
	d.Cells, d.Overview.Points = w.weekSaid(list, t)

	// What is published of a month only is said of the month so far.
	month := dtm.MonthOf(this.monday)
	if end := dtm.MonthOf(last); !end.First().After(span.To.AddDate(0, 0, -1)) {
		month = end
	}
	if o := w.overview(overview.Filter{From: month, To: month}); !o.Empty {
		for _, p := range points(o, overview.Where, overview.Who, overview.Why) {
			p.Lead = w.say("report.weekly.month", p.Lead, o.When)
			d.Overview.Points = append(d.Overview.Points, p)
		}
	}
	d.Spread.Figures = append(w.weekDays(days, t), w.weekTrend(list, t)...)
	d.Notes = []Note{{Text: []string{w.say("report.weekly.method", this.days), w.say("limit.1"), w.say("limit.2")}}}
	if r := w.remarks(t); r != "" {
		d.Notes[0].Text = append(d.Notes[0].Text, r)
	}
	d.Notes[0].Text = append(d.Notes[0].Text, w.say("report.credits.text", w.op.Source.In(w.l), w.op.Contact))
	return d
}

// span writes the first of two days as it stands before the other.
func (w *writer) span(a, b time.Time) string {
	if a.Year() == b.Year() {
		if a.Month() == b.Month() {
			return first(w.l, dtm.Period{From: a, To: b.AddDate(0, 0, 1)})
		}
		return w.day(a)
	}
	return locale.Date(w.l, a)
}

// weekSaid are the headline figures and what they say.
func (w *writer) weekSaid(list []week, t dtm.Table) ([]Cell, []Point) {
	this := list[len(list)-1]
	count := func(v float64) string { return locale.Number(w.l, math.Round(v), 0) }
	total := Cell{Value: w.withheld(t), Label: w.say("head.total"), Note: w.say("report.weekly.days", this.days)}
	var many, compared []string
	if this.known() {
		total.Value = count(this.sum)
		many = append(many, w.say("report.weekly.total", this.sum, this.days))
	}
	cells := []Cell{total}
	// Weeks of fewer days are compared by the day.
	average := func(x week) float64 { return x.sum / float64(x.days) }
	if this.known() {
		cells = append(cells, Cell{Value: count(average(this)), Label: w.say("head.daily"), Note: w.say("head.daily_basis", this.days)})
	}
	compare := func(key string, than float64) string {
		p := 100 * (average(this) - than) / than
		r := math.Round(p)
		switch {
		case r > 0:
			return w.say(key+"more", locale.Percent(w.l, r, 0))
		case r < 0:
			return w.say(key+"less", locale.Percent(w.l, -r, 0))
		}
		return w.say(key + "same")
	}
	if n := len(list); n > 1 && this.known() && list[n-2].known() {
		before := list[n-2]
		cells = append(cells, Cell{Value: count(before.sum), Label: w.say("report.weekly.before"), Note: w.say("report.weekly.days", before.days)})
		compared = append(compared, compare("report.weekly.change.", average(before)))
	}
	usual, days, held := 0.0, 0, false
	for _, x := range list[max(0, len(list)-5) : len(list)-1] {
		usual, days, held = usual+x.sum, days+x.days, held || x.withheld
	}
	if len(list) >= 5 && days > 0 && !held && this.known() {
		cells = append(cells, Cell{Value: count(usual / float64(days)), Label: w.say("report.weekly.usual"), Note: w.say("head.daily_basis", days)})
		compared = append(compared, compare("report.weekly.against.", usual/float64(days)))
	}
	var points []Point
	for _, p := range []struct {
		topic overview.Topic
		said  []string
	}{{overview.HowMany, many}, {overview.Compared, compared}} {
		if len(p.said) > 0 {
			points = append(points, Point{Lead: p.topic.Lead(w.l), Text: joined(p.said)})
		}
	}
	return cells, points
}

// weekDays draws the days beside the same days of the week before.
func (w *writer) weekDays(days map[string]dtm.Figure, t dtm.Table) []Figure {
	c := chart.Bars{Axis: w.dimension("day"), Measure: w.say("word.movements"), ReferenceLabel: w.say("report.weekly.before")}
	most, when := -1.0, time.Time{}
	for i := range 7 {
		day := w.r.Week.AddDate(0, 0, i)
		f, before := days[day.Format(time.DateOnly)], days[day.AddDate(0, 0, -7).Format(time.DateOnly)]
		if f.Value != nil && *f.Value > most {
			most, when = *f.Value, day
		}
		c.Items = append(c.Items, chart.Bar{Label: w.say("weekday."+weekdays[day.Weekday()]) + " " + strconv.Itoa(day.Day()), Cell: chart.FromFigure(f), Reference: chart.FromFigure(before)})
	}
	title := w.say("report.weekly.bydays")
	found := title
	if most > 0 {
		found = w.say("report.find.most", w.say("weekday."+weekdays[when.Weekday()])+", "+w.day(when), locale.Number(w.l, most, 0))
	}
	return []Figure{w.figure(c, found, title, narrow, t)}
}

// weekTrend draws the weeks up to the bulletin's.
func (w *writer) weekTrend(list []week, t dtm.Table) []Figure {
	if len(list) < 2 {
		return nil
	}
	c := chart.Trend{Axis: w.say("report.dim.week"), Lines: []chart.Line{{Label: w.say("word.movements")}}, Strip: &chart.Strip{Label: w.say("report.weekly.observed")}}
	for _, x := range list {
		y, n := x.monday.ISOWeek()
		c.Steps = append(c.Steps, chart.Step{Label: strconv.Itoa(n), Group: strconv.Itoa(y), Name: w.say("report.week", strconv.Itoa(n), strconv.Itoa(y))})
		c.Lines[0].Cells = append(c.Lines[0].Cells, x.cell())
		c.Strip.Cells = append(c.Strip.Cells, chart.Of(float64(x.days)))
	}
	title := w.say("report.weekly.byweeks")
	found := title
	if this, before := list[len(list)-1], list[len(list)-2]; this.known() && before.known() {
		by := this.sum - before.sum
		found = w.tell().Than(by, w.say("report.weekly.this"), locale.Number(w.l, this.sum, 0), locale.Number(w.l, math.Abs(by), 0), w.say("report.weekly.thebefore"))
	}
	return []Figure{w.figure(c, found, title, narrow, t)}
}
