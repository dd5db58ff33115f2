package report

import (
	"math"
	"strings"

	"dtm"
	"dtm/disseminate/overview"
	"dtm/locale"
)

// stranded is the update on those who are present at sites: a stock, never added to
// flows. Sites are added up by region: where vulnerable people stay is told no finer.
func (w *writer) stranded() Document {
	average := w.table("people_present_average", w.period, nil)
	if f := one(average); w.err != nil || f.Value == nil && !f.Suppressed {
		return w.none()
	}
	last := w.period.To.AddDate(0, 0, -1)
	d := w.begin(w.say("report.stranded.title")+"\u00a0· "+w.when, w.say("report.stranded.subtitle", first(w.l, w.period), locale.Date(w.l, last)))
	sites := w.table("sites_counted", w.period, nil)
	counted := w.table("site_days_counted", w.period, nil)
	for _, c := range []struct{ id, note string }{{"people_present_average", "report.stranded.note.average"}, {"site_arrivals", "report.stranded.note.arrivals"}, {"site_departures", "report.stranded.note.departures"}} {
		t := w.table(c.id, w.period, nil)
		if f := one(t); f.Value != nil || f.Suppressed {
			d.Cells = append(d.Cells, Cell{Value: w.number(t, f), Label: t.Indicator.Name.In(w.l), Note: w.say(c.note)})
		}
	}
	regions := w.table("people_present_average", w.period, nil, "region")
	needs := w.table("site_need_share_pct", w.period, nil, "need")
	d.Overview = Overview{Title: w.say("page.overview"), Points: w.strandedSaid(average, sites, counted, regions, needs)}

	d.Sections = part(d.Sections, w.say("report.part.present"), nil, append(w.months("people_present_average", nil, average.Indicator.Name.In(w.l), narrow), w.bars(regions, w.say("report.stranded.byregion"), narrow)...), nil)
	arrivals, departures := w.table("site_arrivals", w.period, nil, "region"), w.table("site_departures", w.period, nil, "region")
	sex, age := w.table("people_present_average", w.period, nil, "sex"), w.table("people_present_average", w.period, nil, "age")
	who := append(w.bars(sex, w.say("report.stranded.bysex"), narrow), w.bars(age, w.say("report.stranded.byage"), narrow)...)
	d.Sections = part(d.Sections, w.say("report.part.who"), nil, who, nil)
	d.Sections = part(d.Sections, w.say("report.part.needs"), nil, append(w.bars(needs, w.say("report.needs.sites"), narrow), w.bars(w.table("return_wish_share_pct", w.period, nil, "go_back"), w.say("report.wish"), narrow)...), nil)
	d.Sections = part(d.Sections, w.say("report.part.regions"), nil, nil, w.rows(w.say("report.part.regions"), "region", regions, arrivals, departures))
	return w.end(d, "report.stranded.method.", "report.stranded.limit.")
}

// strandedSaid says how many, more or fewer than before, where, what they lack.
func (w *writer) strandedSaid(average, sites, counted, regions, needs dtm.Table) []Point {
	var out []Point
	add := func(topic, lead, indicator string, said ...string) {
		var list []Sentence
		for _, s := range said {
			list = append(list, Sentence{Text: s, Indicators: strings.Fields(indicator)})
		}
		out = append(out, answer(topic, lead, list...)...)
	}
	now := one(average)
	if s, n := one(sites), one(counted); now.Value != nil && s.Value != nil && n.Value != nil {
		add("how_many", overview.HowMany.Lead(w.l), "people_present_average sites_counted site_days_counted", w.say("report.stranded.many", average.Indicator.Round(*now.Value), int(*s.Value), int(*n.Value)))
	}
	m := w.r.Month.Add(-1)
	t := w.table("people_present_average", dtm.Months(m, m), nil)
	if before := one(t); now.Value != nil && before.Value != nil {
		d := average.Indicator.Round(*now.Value) - average.Indicator.Round(*before.Value)
		switch by := math.Abs(d); {
		case d > 0:
			add("compared", overview.Compared.Lead(w.l), "people_present_average", w.say("report.stranded.more", by, locale.Month(w.l, m), w.number(t, before)))
		case d < 0:
			add("compared", overview.Compared.Lead(w.l), "people_present_average", w.say("report.stranded.less", by, locale.Month(w.l, m), w.number(t, before)))
		default:
			add("compared", overview.Compared.Lead(w.l), "people_present_average", w.say("report.stranded.same", locale.Month(w.l, m)))
		}
	}
	add("where", overview.Where.Lead(w.l), "people_present_average", w.first(regions, "region", "report.stranded.where", 4)...)
	add("needs", w.say("report.part.needs"), "site_need_share_pct", w.first(needs, "need", "report.stranded.needs", 4)...)
	return out
}

// first says the largest figures of a table in one sentence.
func (w *writer) first(t dtm.Table, dim, key string, most int) []string {
	var parts []string
	for _, f := range overview.Ranked(t.Figures) {
		if len(parts) == most || f.Value == nil || t.Indicator.Round(*f.Value) == 0 {
			break
		}
		if !unknown(f.Keys[0]) {
			parts = append(parts, w.label(dim, f.Keys[0])+"\u00a0"+w.number(t, f))
		}
	}
	if len(parts) == 0 {
		return nil
	}
	return []string{w.say(key, w.listed(parts))}
}

// presence is what other products say of stranded migrants: months and regions.
func (w *writer) presence() ([]Figure, []string) {
	t := w.table("people_present_average", w.period, nil, "region")
	if w.err != nil || len(t.Figures) == 0 {
		return nil, nil
	}
	figures := append(w.months("people_present_average", nil, t.Indicator.Name.In(w.l), narrow), w.bars(t, w.say("report.stranded.byregion"), narrow)...)
	return figures, []string{w.say("report.stranded.stock")}
}
