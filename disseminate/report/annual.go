package report

import (
	"strconv"
	"time"

	"dtm"
	"dtm/disseminate/overview"
	"dtm/locale"
)

// annual is the review of a year. A year that is not over is reviewed up to its last
// month with data.
func (w *writer) annual() Document {
	span, err := w.figures.Span(w.ctx)
	if err != nil {
		w.err = err
		return Document{}
	}
	from, to := dtm.Month{Year: w.r.Year, Month: time.January}, dtm.Month{Year: w.r.Year, Month: time.December}
	if span.From.IsZero() || !w.period.From.Before(span.To) || !span.From.Before(w.period.To) {
		return w.none()
	}
	if first := dtm.MonthOf(span.From); from.Before(first) {
		from = first
	}
	// The months that have movements: the span of all facts may be longer.
	months := w.table("total_movements", dtm.Months(from, to), nil, "month")
	if w.err != nil || len(months.Figures) == 0 {
		return w.none()
	}
	to = from
	for _, f := range months.Figures {
		if m, err := dtm.ParseMonth(f.Keys[0]); err == nil && to.Before(m) {
			to = m
		}
	}
	w.period = dtm.Months(from, to)
	w.when = locale.Period(w.l, w.period)
	o := w.overview(overview.Filter{From: from, To: to})
	if w.err != nil || o.Empty {
		return w.none()
	}
	year := strconv.Itoa(w.r.Year)
	d := w.begin(w.say("report.annual.title")+"\u00a0· "+year, w.say("report.annual.subtitle", o.When))
	d.Words.Contents = w.say("report.contents")
	d.Cells = cells(o)
	d.Overview = Overview{Title: w.say("page.overview"), Points: points(o)}
	if p, ok := w.against(from, to); ok {
		d.Overview.Points = append(d.Overview.Points[:min(1, len(d.Overview.Points))], append([]Point{p}, d.Overview.Points[min(1, len(d.Overview.Points)):]...)...)
	}
	draw := printer{o: o, op: w.op, base: w.base}
	d.Spread = Section{Title: w.say("report.part.spread"), Figures: draw.figures(wide, "map", "trend")}
	totals := w.table("total_movements", w.period, nil, "month")
	daily := w.table("daily_average", w.period, nil, "month")
	active := w.table("active_points", w.period, nil, "month")
	d.Sections = part(d.Sections, w.say("report.part.months"), nil, nil, w.rows(w.say("report.part.months"), "month", totals, daily, active))
	d.Sections = part(d.Sections, w.say("report.part.points"), nil, w.multiples(), draw.ranking())
	d.Sections = part(d.Sections, w.say("report.part.od"), nil, draw.figures(wide, "od"), nil)
	d.Opening = draw.figures(narrow, "points", "sexage")
	d.Sections = part(d.Sections, w.say("report.part.profile"), nil, draw.figures(narrow, "nationality", "reasons"), nil)
	stranded, text := w.presence()
	d.Sections = part(d.Sections, w.say("report.part.stranded"), text, stranded, nil)
	w.use(indicators(o)...)
	return w.end(d, "method.", "limit.")
}

// against compares with the same months a year before, where all of them are known.
func (w *writer) against(from, to dtm.Month) (Point, bool) {
	now := one(w.table("total_movements", w.period, nil))
	t := w.table("total_movements", dtm.Months(from.Add(-12), to.Add(-12)), nil)
	before := one(t)
	months := w.table("total_movements", dtm.Months(from.Add(-12), to.Add(-12)), nil, "month")
	if now.Value == nil || before.Value == nil || *before.Value == 0 || len(months.Figures) != len(w.period.Months()) {
		return Point{}, false
	}
	change := (dtm.Indicator{}).Round(100 * (*now.Value - *before.Value) / *before.Value)
	key := "report.annual.same"
	switch {
	case change > 0:
		key = "report.annual.more"
	case change < 0:
		key, change = "report.annual.less", -change
	}
	said := Sentence{Text: w.say(key, locale.Percent(w.l, change, 0), strconv.Itoa(w.r.Year-1), w.number(t, before)), Indicators: []string{"total_movements"}}
	return answer("year", overview.Compared.Lead(w.l), said)[0], true
}

// multiples draw each point's months on one scale.
func (w *writer) multiples() []Figure {
	t := w.table("total_movements", w.period, nil, "month", "point")
	if w.err != nil || len(t.Figures) == 0 {
		return nil
	}
	p, ok := w.tell().PointMonths(w.period.Months(), w.say("report.annual.multiples"), t, w.table("total_movements", w.period, nil, "point"))
	if !ok || w.err != nil {
		return nil
	}
	return []Figure{w.print(p, wide)}
}
