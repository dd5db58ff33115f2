package report

import (
	"slices"

	"dtm"
	"dtm/disseminate/overview"
	"dtm/locale"
)

// point is the profile of a flow monitoring point in a month.
func (w *writer) point() Document {
	p, _ := w.op.Point(w.r.Of)
	o := w.overview(overview.Filter{From: w.r.Month, To: w.r.Month, Point: w.r.Of})
	if w.err != nil || o.Empty {
		return w.none()
	}
	last := w.period.To.AddDate(0, 0, -1)
	name := p.Name.In(w.l)
	d := w.begin(w.say("report.point.title", name)+"\u00a0· "+o.When, w.say("report.point.subtitle", name, first(w.l, w.period), locale.Date(w.l, last)))
	d.Cells = cells(o)
	d.Facts = w.pointFacts(p)
	d.Overview = Overview{Title: w.say("page.overview"), Points: points(o)}
	draw := printer{o: o, op: w.op, base: w.base}
	d.Opening = draw.figures(narrow, "trend", "sexage")
	d.Sections = part(d.Sections, w.say("report.part.od"), nil, draw.figures(wide, "od"), nil)
	d.Sections = part(d.Sections, w.say("report.part.profile"), nil, draw.figures(narrow, "nationality", "reasons"), nil)
	history, _ := w.history("total_movements", 13, map[string][]string{"point": {p.Code}})
	daily, _ := w.history("daily_average", 13, map[string][]string{"point": {p.Code}})
	d.Sections = part(d.Sections, w.say("report.part.months"), nil, nil, w.rows(w.say("report.part.months"), "month", history, daily))
	w.use(indicators(o)...)
	return w.end(d, "method.", "limit.")
}

// pointFacts are what the register says of the point on the month's last day.
func (w *writer) pointFacts(p dtm.Point) []Term {
	day := w.period.To.AddDate(0, 0, -1)
	var out []Term
	add := func(name, text string) {
		if text != "" {
			out = append(out, Term{Name: name, Text: text})
		}
	}
	if a, ok := w.op.Area(p.Area); ok {
		add(w.say("filter.region"), a.Name.In(w.l))
	}
	dated := func(list []dtm.Dated, prefix string) string {
		i := slices.IndexFunc(list, func(x dtm.Dated) bool { return x.From.After(day) })
		if i < 0 {
			i = len(list)
		}
		if i == 0 {
			return ""
		}
		s := w.say(prefix + list[i-1].Value)
		if from := list[i-1].From; !from.IsZero() {
			s = w.say("method.since", s, locale.Date(w.l, from))
		}
		return s
	}
	add(w.say("word.role"), dated(p.Role, "role."))
	add(w.say("word.status"), dated(p.Status, "status."))
	if p.Positioned && p.Approximate {
		add(w.say("report.point.position"), w.say("point.approximate"))
	}
	t := w.table("coverage_days_pct", w.period, map[string][]string{"point": {p.Code}})
	if f := one(t); f.Value != nil && f.Numerator != nil && f.Denominator != nil {
		add(t.Indicator.Name.In(w.l), w.say("report.point.coverage", w.number(t, f), locale.Number(w.l, *f.Numerator, 0), locale.Number(w.l, *f.Denominator, 0)))
	}
	return out
}
