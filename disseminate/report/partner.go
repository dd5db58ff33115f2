package report

import (
	"slices"
	"strings"

	"dtm"
	"dtm/disseminate/overview"
	"dtm/locale"
)

// partner is a month's brief for one partner: the month in figures, then the parts
// that its mandate asks for, as the operation's pack declares them. It holds public
// figures only.
func (w *writer) partner() Document {
	i := slices.IndexFunc(w.op.Partners, func(p dtm.Partner) bool { return p.Code == w.r.Of })
	p := w.op.Partners[i]
	o := w.overview(overview.Filter{From: w.r.Month, To: w.r.Month})
	if w.err != nil || o.Empty {
		return w.none()
	}
	last := w.period.To.AddDate(0, 0, -1)
	d := w.begin(w.say("report.partner.title", p.Name.In(w.l))+"\u00a0· "+o.When, w.say("report.subtitle", first(w.l, w.period), locale.Date(w.l, last)))
	all := cells(o)
	d.Cells = all[:min(3, len(all))]
	d.Overview = Overview{Title: w.say("page.overview"), Points: points(o, overview.HowMany, overview.Compared, overview.Where, overview.Caveat)}
	for _, name := range p.Brief {
		text, figures, tables := w.brief(name, printer{o: o, op: w.op, base: w.base})
		if len(figures)+len(tables) == 0 && len(text) == 0 {
			text = []string{w.say("report.brief.none")}
		}
		d.Sections = part(d.Sections, w.say("report.brief."+name), text, figures, tables)
	}
	w.use(indicators(o)...)
	return w.end(d, "method.", "limit.")
}

// brief is one part of a brief: dtm.BriefParts.
func (w *writer) brief(name string, draw printer) (text []string, figures []Figure, tables []Table) {
	switch name {
	case "children":
		children := map[string][]string{"age": {"children"}}
		figures = append(draw.figures(narrow, "sexage"), w.months("total_movements", children, w.say("report.brief.children.trend"), narrow)...)
		t, alone := w.table("total_movements", w.period, children, "region"), w.table("unaccompanied_children", w.period, nil, "region")
		t.Indicator.Name = spoken("report.brief.children.column")
		tables = w.rows(w.say("report.brief.children.regions"), "region", t, alone)
	case "origins":
		figures = append(draw.figures(narrow, "nationality"), w.bars(w.table("previous_share_pct", w.period, nil, "previous"), w.say("report.brief.origins.previous"), narrow)...)
		figures = append(figures, draw.figures(wide, "od")...)
	case "reasons":
		figures = append(draw.figures(narrow, "reasons"), w.months("reason_share_pct", map[string][]string{"reason": {"conflict"}}, w.say("report.brief.reasons.conflict"), narrow)...)
		figures = append(figures, w.bars(w.table("vulnerability_share_pct", w.period, nil, "vulnerability"), w.say("report.brief.reasons.vulnerable"), narrow)...)
	case "needs":
		for _, x := range []struct{ id, title string }{{"need_share_pct", "report.needs.people"}, {"site_need_share_pct", "report.needs.sites"}, {"point_need_share_pct", "report.needs.points"}} {
			figures = append(figures, w.bars(w.table(x.id, w.period, nil, "need"), w.say(x.title), narrow)...)
		}
		if len(figures) > 0 {
			text = []string{w.say("report.brief.needs.text")}
		}
	case "stranded":
		figures, text = w.presence()
		regions := w.table("people_present_average", w.period, nil, "region")
		tables = w.rows(w.say("report.part.regions"), "region", regions, w.table("site_arrivals", w.period, nil, "region"), w.table("site_departures", w.period, nil, "region"))
	case "returns":
		for _, d := range w.op.Indicators { // a return is one from a country: the pack says from which
			if d.Base == "returns" && d.Period == nil {
				figures = append(figures, w.months(d.ID, nil, d.Name.In(w.l), narrow)...)
			}
		}
		figures = append(figures, w.bars(w.table("return_wish_share_pct", w.period, nil, "go_back"), w.say("report.wish"), narrow)...)
	case "points":
		t := w.table("total_movements", w.period, nil, "point")
		tables = w.rows(w.say("report.part.points"), "point", t, w.table("daily_average", w.period, nil, "point"), w.table("coverage_days_pct", w.period, nil, "point"))
	case "statistics":
		totals, _ := w.history("total_movements", 13, nil)
		daily, _ := w.history("daily_average", 13, nil)
		active, _ := w.history("active_points", 13, nil)
		tables = w.rows(w.say("report.part.months"), "month", totals, daily, active)
		tables = append(tables, draw.tables("nationality", "sexage", "reasons")...)
		tables = append(tables, w.rows(w.say("report.brief.statistics.previous"), "previous", w.table("total_movements", w.period, nil, "previous"))...)
		tables = append(tables, w.rows(w.say("report.brief.statistics.next"), "next", w.table("total_movements", w.period, nil, "next"))...)
	}
	return text, figures, tables
}

// spoken is a message in every language that has a catalogue.
func spoken(key string) dtm.Text {
	t := dtm.Text{}
	for _, l := range append([]dtm.Lang{locale.Pseudo}, locale.Languages...) {
		t[l] = locale.Say(l, key)
	}
	return t
}

// joined writes sentences one after the other.
func joined(said []string) string { return strings.Join(said, " ") }

// listed writes a list within a sentence.
func (w *writer) listed(parts []string) string {
	return strings.Join(parts, w.say("watch.comma")+" ")
}
