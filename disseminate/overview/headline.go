package overview

import (
	"math"
	"slices"
	"strings"

	"dtm"
	"dtm/disseminate/chart"
	"dtm/locale"
)

func (b *building) value(t dtm.Table) string {
	f, ok := single(t)
	switch {
	case ok:
		return b.number(t, *f.Value)
	case f.Suppressed && f.About != nil:
		return chart.About + b.number(t, *f.About)
	case f.Suppressed:
		return b.say("release.withheld")
	}
	return b.say("chart.missing")
}

// headlines makes the figures on top and the sentences that say them.
func (b *building) headlines(total dtm.Table) {
	month := b.o.Filter.From == b.o.Filter.To
	before := locale.Month(b.l, b.o.Filter.From.Add(-1))
	h := Headline{ID: "total_movements", Value: b.value(total), Label: b.say("head.total")}
	if f, ok := single(total); ok {
		key := "say.total"
		if !month {
			key = "say.total_span"
		}
		b.sentence(HowMany, b.say(key, *f.Value, b.o.When, b.scope()), "total_movements")
	}
	daily := b.table("daily_average", b.o.Period, nil)
	if month && b.o.Change != nil {
		h.Notes = append(h.Notes, b.change(*b.o.Change, before))
		b.compared(before)
	}
	b.headline(h)
	d := Headline{ID: "daily_average", Value: b.value(daily), Label: b.say("head.daily")}
	if f, ok := single(daily); ok && f.Denominator != nil {
		days := int(*f.Denominator)
		b.sentence(HowMany, b.say("say.daily", b.number(daily, *f.Value), days), "daily_average")
		d.Notes = append(d.Notes, b.say("head.daily_basis", days))
	}
	if !b.op.Baseline.Period.From.IsZero() && !b.o.Filter.Narrowed() {
		base := b.table("baseline_change_pct", b.o.Period, nil)
		if f, ok := single(base); ok {
			name := b.op.Baseline.Name.In(b.l)
			d.Notes = append(d.Notes, b.say("head.baseline", b.signed(*f.Value), name))
			b.sentence(Compared, b.say("say.baseline."+direction(*f.Value), b.whole(math.Abs(*f.Value)), name), "baseline_change_pct")
		}
	}
	b.headline(d)
	if !b.o.Until.IsZero() {
		b.sentence(Caveat, b.say("say.running", locale.Date(b.l, b.o.Until)), "daily_average")
	}
	if b.o.Filter.Point == "" {
		active := b.table("active_points", b.o.Period, nil)
		if f, ok := single(active); ok {
			h := Headline{ID: "active_points", Value: b.number(active, *f.Value), Label: b.say("head.points")}
			// How much of what was planned the count stands on; history by month cannot say.
			if c, ok := single(b.table("coverage_days_pct", b.o.Period, nil)); ok && c.Denominator != nil {
				h.Notes = append(h.Notes, b.say("head.coverage", locale.Number(b.l, *c.Value, 0), locale.Number(b.l, *c.Denominator, 0)))
			}
			b.headline(h)
			b.sentence(HowMany, b.say("say.points", *f.Value), "active_points")
		}
	}
	if !b.o.Filter.Narrowed() {
		b.derived(month, before)
	}
}

// scope says where movements were observed, as the filter has it.
func (b *building) scope() string {
	f := b.o.Filter
	s := b.say("scope.all")
	if p, ok := b.op.Point(f.Point); ok {
		s = b.say("scope.point", p.Name.In(b.l))
	} else if a, ok := b.op.Area(f.Region); ok {
		s = b.say("scope.region", a.Name.In(b.l))
	}
	if f.Direction != "" {
		s += " (" + lower(b.op.Lists["direction"].Label(f.Direction, b.l)) + ")"
	}
	return s
}

// running tells whether the period of the table is not over.
func running(t dtm.Table) bool {
	return slices.ContainsFunc(t.Notes, func(n dtm.Note) bool { return n.Code == "period.running" })
}

// previousMonth asks how the last month compares with the one before it, since
// headline, sentence and trend must say the same. The total of a month that is not
// over is not compared with that of a whole one.
func (b *building) previousMonth() {
	t := b.table("change_on_previous_month_pct", dtm.Months(b.o.Filter.To, b.o.Filter.To), nil)
	if running(t) {
		b.o.Until = b.o.Release.At
		if b.op.Zone != nil {
			b.o.Until = b.o.Until.In(b.op.Zone)
		}
	}
	f, ok := single(t)
	if !ok || basis(t.Basis) == "total" && running(t) {
		return
	}
	b.o.Change, b.o.ChangeBasis = f.Value, basis(t.Basis)
}

// compared says the month against the one before, the same a year before, and the
// points that were active in both months where others came or went.
func (b *building) compared(before string) {
	v := *b.o.Change
	b.sentence(Compared, b.say("say.change."+direction(v), b.whole(math.Abs(v)), before, b.say("basis."+b.o.ChangeBasis)), "change_on_previous_month_pct")
	b.panelChange(before)
	year := b.table("change_on_previous_year_pct", b.o.Period, nil)
	if f, ok := single(year); ok && !running(year) {
		b.sentence(Compared, b.say("say.year."+direction(*f.Value), b.whole(math.Abs(*f.Value)), locale.Month(b.l, b.o.Filter.From.Add(-12))), "change_on_previous_year_pct")
	}
}

func (b *building) panelChange(before string) {
	if b.o.Filter.Point != "" || b.o.ChangeBasis != "total" {
		return
	}
	both := dtm.Months(b.o.Filter.To.Add(-1), b.o.Filter.To)
	active := b.table("active_points", both, nil, "month")
	panel := b.table("panel_movements", both, nil, "month")
	was, is := at(active, b.o.Filter.To.Add(-1)), at(active, b.o.Filter.To)
	if was == nil || is == nil || *was == *is {
		return
	}
	if was, is := at(panel, b.o.Filter.To.Add(-1)), at(panel, b.o.Filter.To); was != nil && is != nil && *was > 0 {
		v := 100 * (*is - *was) / *was
		b.sentence(Compared, b.say("say.panel."+direction(v), b.whole(math.Abs(v)), before), "change_on_previous_month_pct", "panel_movements")
	}
}

// at is the value of a month in a table split by months.
func at(t dtm.Table, m dtm.Month) *float64 {
	for _, f := range t.Figures {
		if f.Keys[0] == m.String() {
			return f.Value
		}
	}
	return nil
}

// change writes "+5% on November 2022".
func (b *building) change(v float64, before string) string {
	if direction(v) == "same" {
		return b.say("head.same", before)
	}
	return b.say("head.change", b.signed(v), before)
}

// direction says whether a change, rounded as published, is one.
func direction(v float64) string {
	switch r := (dtm.Indicator{}).Round(v); {
	case r > 0:
		return "more"
	case r < 0:
		return "less"
	}
	return "same"
}

func basis(s string) string {
	if strings.HasPrefix(s, "total") {
		return "total"
	}
	return "daily_average"
}

// derived adds the operation's own counts: with their share of all when the pack
// declares one for the same filter, with their change when it declares that.
func (b *building) derived(month bool, before string) {
	find := func(bases []string, where map[string][]string) string {
		for _, d := range b.op.Indicators {
			for _, base := range bases {
				if d.Base == base && d.Period == nil && sameWhere(d.Where, where) {
					return d.ID
				}
			}
		}
		return ""
	}
	for _, d := range b.op.Indicators {
		if d.Period != nil || d.Base != "total_movements" && d.Base != "entries" && d.Base != "returns" {
			continue
		}
		t := b.table(d.ID, b.o.Period, nil)
		f, ok := single(t)
		if !ok {
			continue
		}
		ids := []string{d.ID}
		h := Headline{ID: d.ID, Value: b.number(t, *f.Value), Label: d.Name.In(b.l)}
		if id := find([]string{"movement_share_pct"}, d.Where); id != "" {
			s := b.table(id, b.o.Period, nil)
			if v, ok := single(s); ok {
				h.Notes = append(h.Notes, b.say("head.of_all", b.whole(*v.Value)))
				ids = append(ids, id)
			}
		}
		if id := find([]string{d.Base + "_change_pct"}, d.Where); id != "" && month {
			s := b.table(id, b.o.Period, nil)
			if v, ok := single(s); ok && !running(s) {
				h.Notes = append(h.Notes, b.change(*v.Value, before))
				ids = append(ids, id)
			}
		}
		if b.err != nil {
			return
		}
		b.headline(h)
		said := h.Value
		if len(h.Notes) > 0 {
			said += " (" + strings.Join(h.Notes, b.comma()) + ")"
		}
		b.sentence(Where, b.say("say.derived", h.Label, said), ids...)
	}
}

func (b *building) comma() string {
	if b.l == dtm.Arabic {
		return "، "
	}
	return ", "
}

func sameWhere(a, c map[string][]string) bool {
	if len(a) != len(c) {
		return false
	}
	for k, v := range a {
		if strings.Join(v, " ") != strings.Join(c[k], " ") {
			return false
		}
	}
	return true
}
