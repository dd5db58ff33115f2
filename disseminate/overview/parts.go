package overview

import (
	"slices"
	"strings"
	"time"

	"dtm"
	"dtm/disseminate/chart"
	"dtm/locale"
)

// flowHeads are the movements of the period and those that the operation names.
func (b *building) flowHeads() {
	total := b.table("total_movements", b.o.Period, nil)
	h := Headline{ID: "total_movements", Value: b.value(total), Label: b.say("head.total")}
	month := b.o.Filter.From == b.o.Filter.To
	before := locale.Month(b.l, b.o.Filter.From.Add(-1))
	if month && b.o.Change != nil {
		h.Notes = append(h.Notes, b.change(*b.o.Change, before))
	}
	if b.err == nil && len(total.Figures) > 0 {
		b.headline(h)
		if !b.o.Filter.Narrowed() {
			b.derived(month, before)
		}
	}
}

// placeHeads are the movements at one place, and how many of the days planned they
// stand on.
func (b *building) placeHeads() {
	b.flowHeads()
	b.figure("daily_average")
	if f, ok := single(b.some("coverage_days_pct", b.o.Period, nil)); ok && f.Denominator != nil && f.Numerator != nil {
		b.headline(Headline{ID: "coverage_days_pct", Value: locale.Percent(b.l, *f.Value, 0), Label: b.say("head.covered"),
			Notes: []string{b.say("head.covered.of", locale.Number(b.l, *f.Numerator, 0), locale.Number(b.l, *f.Denominator, 0))}})
	}
	if b.o.Filter.Point == "" {
		b.figure("active_points")
	}
}

func (b *building) pointHeads() {
	b.figure("active_points")
	b.figure("coverage_days_pct")
	b.figure("daily_average_per_point")
}

func (b *building) profileHeads() {
	b.figure("unaccompanied_children")
	b.figure("unknown_sex_age_share_pct")
	b.figure("interviews")
}

func (b *building) needHeads() {
	b.figure("people_screened", b.say("head.screened"))
}

func (b *building) strandedHeads() {
	b.figure("people_present_average", b.say("report.stranded.note.average"))
	b.figure("sites_counted")
	b.figure("site_arrivals", b.say("report.stranded.note.arrivals"))
}

func (b *building) returnHeads() {
	for _, d := range b.op.Indicators { // a return is one from a country: the pack says from which
		if d.Base == "returns" && d.Period == nil {
			b.figure(d.ID)
		}
	}
}

func (b *building) referralHeads() {
	b.figure("people_screened", b.say("head.screened"))
}

// pair is an origin and a destination, both known.
type pair struct {
	from, to string
	dtm.Figure
}

// ways are the largest pairs of countries, as a ranking and as ribbons.
func (b *building) ways() {
	t := b.table("origin_destination", b.o.Period, nil, "previous", "next")
	if b.err != nil || len(t.Figures) == 0 {
		return
	}
	arrow := " → "
	if b.l.RTL() {
		arrow = " ← "
	}
	var pairs []pair
	for _, f := range Ranked(t.Figures) {
		if f.Value != nil && *f.Value == 0 {
			continue
		}
		pairs = append(pairs, pair{b.label("country", f.Keys[0]), b.label("country", f.Keys[1]), f})
	}
	if len(pairs) == 0 {
		return
	}
	rank := chart.Bars{Axis: b.say("panel.ways.axis"), Measure: b.say("word.movements")}
	sankey := chart.Sankey{From: b.say("word.from"), To: b.say("word.to"), Measure: b.say("word.movements")}
	all, total := 0.0, b.table("total_movements", b.o.Period, nil)
	if f, ok := single(total); ok {
		all = *f.Value
	}
	title, ribbons := b.say("panel.ways.plain"), b.say("panel.od.plain")
	for i, p := range pairs {
		cell := chart.FromFigure(p.Figure)
		if i < mostRanked {
			bar := chart.Bar{Label: p.from + arrow + p.to, Cell: cell, Unknown: isUnknown(p.Keys[0]) || isUnknown(p.Keys[1])}
			if p.Value != nil && all > 0 {
				bar.Note = b.whole(*p.Value / all * 100)
			}
			rank.Items = append(rank.Items, bar)
		}
		sankey.Links = append(sankey.Links, chart.Link{From: p.from, To: p.to, Cell: cell})
	}
	if top := pairs[0]; top.Value != nil && all > 0 {
		title = b.say("panel.ways", top.from, top.to, b.whole(*top.Value/all*100))
		rank.Items[0].Tone = chart.Accented
	}
	from, known := map[string]float64{}, true
	for _, p := range pairs {
		if p.Value == nil {
			known = false
			break
		}
		from[p.from] += *p.Value
	}
	if first := largest(from); known && all > 0 && first != "" {
		ribbons = b.say("panel.sankey", b.whole(from[first]/all*100), first)
	}
	sub := b.say("panel.od.sub", b.o.When)
	b.add(Panel{ID: "flows-ways", Title: title, Subtitle: sub, Chart: rank}, t)
	b.add(Panel{ID: "flows-sankey", Title: ribbons, Subtitle: sub, Chart: sankey}, t)
}

// largest is the name with most; of equal ones the first by name.
func largest(sums map[string]float64) string {
	best := ""
	for name, v := range sums {
		if best == "" || v > sums[best] || v == sums[best] && name < best {
			best = name
		}
	}
	return best
}

// directions are movements in and out by month.
func (b *building) directions() {
	p := b.recent()
	var tables []dtm.Table
	var lines []string
	for _, c := range b.op.Lists["direction"].Codes {
		if d := b.o.Filter.Direction; d != "" && d != c.Code || len(tables) == 4 {
			continue
		}
		t := b.some("total_movements", p, map[string][]string{"direction": {c.Code}}, "month")
		if len(t.Figures) > 0 {
			tables, lines = append(tables, t), append(lines, c.Label.In(b.l))
		}
	}
	if b.err != nil || len(tables) == 0 {
		return
	}
	if panel, ok := b.tell().Months(p.Months(), b.say("panel.directions"), lines, tables...); ok {
		panel.ID = "flows-directions"
		b.add(panel, tables...)
	}
}

// days are the movements of each day of the whole operation: of a place none are
// published. A frozen release has those of its own month.
func (b *building) days() {
	if b.o.Filter.Narrowed() {
		return
	}
	const back = 12
	last := b.o.Filter.To
	p := dtm.Months(last.Add(1-back), last)
	if p.From.Before(b.o.Span.From) {
		p = dtm.Months(dtm.MonthOf(b.o.Span.From), last)
	}
	t := b.some("total_movements", p, nil, "day")
	if b.err == nil && len(t.Figures) == 0 {
		p = dtm.Months(last, last)
		t = b.some("total_movements", p, nil, "day")
	}
	if b.err != nil || len(t.Figures) == 0 {
		return
	}
	at := map[string]dtm.Figure{}
	for _, f := range t.Figures {
		at[f.Keys[0]] = f
	}
	c := chart.Calendar{Axis: b.tell().Dimension("day"), Measure: lower(b.say("word.movements"))}
	for i := range c.Weekdays {
		c.Weekdays[i] = b.say("weekday.short." + string(rune('1'+i)))
	}
	end := p.To
	if now := b.o.Release.At; !b.o.Until.IsZero() && now.Before(end) {
		end = time.Date(b.o.Until.Year(), b.o.Until.Month(), b.o.Until.Day()+1, 0, 0, 0, 0, time.UTC)
	}
	most, when := -1.0, ""
	for _, m := range p.Months() {
		c.Months = append(c.Months, chart.MonthName{First: m.First(), Name: locale.Month(b.l, m)})
	}
	for d := p.From; d.Before(end); d = d.AddDate(0, 0, 1) {
		day := chart.Day{At: d, Name: locale.Date(b.l, d)}
		if f, ok := at[d.Format(time.DateOnly)]; ok {
			day.Cell = chart.FromFigure(f)
			if f.Value != nil && *f.Value > most {
				most, when = *f.Value, day.Name
			}
		}
		c.Days = append(c.Days, day)
	}
	title := b.say("panel.days.plain")
	if most >= 0 {
		title = b.say("panel.days", when, locale.Number(b.l, most, 0))
	}
	b.add(Panel{ID: "flows-days", Title: title, Subtitle: b.say("panel.days.sub", locale.Period(b.l, p)), Chart: c}, t)
}

// pointMonths are the months of each point on one scale, with the days that it was
// watched.
func (b *building) pointMonths() {
	p := b.recent()
	cells, totals := b.table("total_movements", p, nil, "month", "point"), b.table("total_movements", p, nil, "point")
	covered := b.some("coverage_days_pct", p, nil, "point")
	if b.err != nil {
		return
	}
	panel, ok := b.tell().PointMonths(p.Months(), b.say("panel.pointmonths.plain"), cells, totals)
	if !ok {
		return
	}
	c := panel.Chart.(chart.Multiples)
	for i, x := range c.Panels {
		for _, f := range covered.Figures {
			if f.Keys[0] == x.Code && f.Numerator != nil && f.Denominator != nil {
				c.Panels[i].Note = b.say("panel.pointmonths.days", locale.Number(b.l, *f.Numerator, 0), locale.Number(b.l, *f.Denominator, 0))
			}
		}
	}
	panel.ID, panel.Chart = "points-months", c
	if last := locale.Month(b.l, b.o.Filter.To); len(c.Panels) > 0 {
		up := 0
		for _, x := range c.Panels {
			n := len(x.Cells)
			if n > 1 && x.Cells[n-1].Value != nil && x.Cells[n-2].Value != nil && *x.Cells[n-1].Value > *x.Cells[n-2].Value {
				up++
			}
		}
		if b.o.Until.IsZero() && b.o.Filter.To.Before(dtm.MonthOf(b.o.Release.At)) {
			panel.Title = b.say("panel.pointmonths", up, locale.Number(b.l, float64(len(c.Panels)), 0), last)
		}
	}
	panel.Subtitle = b.say("panel.pointmonths.sub", locale.Period(b.l, p))
	panel.Alt = panel.Title + ". " + panel.Subtitle + "."
	b.add(panel, cells)
}

// pyramid sets men and boys against women and girls.
func (b *building) pyramid() {
	t := b.table("sex_age_share_pct", b.o.Period, nil)
	if b.err != nil || len(t.Figures) == 0 || !slices.Equal(t.By, []string{"sex", "age"}) {
		return
	}
	at := map[[2]string]chart.Cell{}
	unknown := chart.Cell{}
	sum, seen, hidden := 0.0, false, false
	women := 0.0
	for _, f := range t.Figures {
		cell := chart.FromFigure(f)
		if f.Value != nil {
			cell = chart.Of(t.Indicator.Round(*f.Value))
		}
		sex, age := f.Keys[0], f.Keys[1]
		if isUnknown(sex) {
			seen, hidden = true, hidden || f.Value == nil
			if f.Value != nil {
				sum += *f.Value
			}
			continue
		}
		if sex == "female" && f.Value != nil {
			women += *f.Value
		}
		at[[2]string{sex, age}] = cell
	}
	if len(at) == 0 {
		return
	}
	if unknown = chart.Of(t.Indicator.Round(sum)); hidden {
		unknown = chart.Withheld()
	}
	c := chart.Pyramid{Axis: b.say("word.age"), Left: b.say("word.male") + " (%)", Right: b.say("word.female") + " (%)", All: b.say("panel.pyramid.all")}
	for _, age := range []string{"adults", "children", dtm.Unknown} {
		left, one := at[[2]string{"male", age}]
		right, two := at[[2]string{"female", age}]
		if one || two {
			c.Rows = append(c.Rows, chart.PyramidRow{Label: b.label("age", age), Left: left, Right: right, Unknown: age == dtm.Unknown})
		}
	}
	if seen {
		c.Unknown = &chart.Bar{Label: b.say("panel.pyramid.unknown"), Cell: unknown}
	}
	title := b.say("panel.sexage.plain")
	if women > 0 && !slices.ContainsFunc(t.Figures, func(f dtm.Figure) bool { return f.Keys[0] == "female" && f.Value == nil }) {
		title = b.say("panel.pyramid", b.whole(women))
	}
	b.add(Panel{ID: "profile-pyramid", Title: title, Subtitle: b.say("panel.sexage.sub", b.o.When), Chart: c}, t)
}

func (b *building) transport()  { b.bars("profile-transport", "transport_share_pct", nil) }
func (b *building) vulnerable() { b.bars("profile-vulnerable", "vulnerability_share_pct", nil) }
func (b *building) alone()      { b.months("profile-alone", "unaccompanied_children") }

// asked is what people said in interviews.
func (b *building) asked() {
	for _, x := range []struct{ id, indicator string }{{"destination", "intended_destination_share_pct"}, {"company", "company_share_pct"}, {"payment", "payment_share_pct"},
		{"difficulties", "difficulty_share_pct"}, {"education", "education_share_pct"}, {"work", "employment_share_pct"}} {
		b.bars("profile-"+x.id, x.indicator, nil)
	}
}

// returned are the returns that the operation names, by month and by point.
func (b *building) returned() {
	for _, d := range b.op.Indicators {
		if d.Base == "returns" && d.Period == nil {
			name := strings.ReplaceAll(d.ID, "_", "-")
			b.months("returns-months-"+name, d.ID)
			b.bars("returns-points-"+name, d.ID, nil, "point")
			b.bars("returns-next-"+name, d.ID, nil, "next")
		}
	}
}
