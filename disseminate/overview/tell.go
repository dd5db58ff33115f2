package overview

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"dtm"
	"dtm/disseminate/chart"
	"dtm/locale"
)

// Teller names codes, writes figures and draws tables in a language, the same on a page
// and in a report.
type Teller struct {
	Op   *dtm.Operation
	Lang dtm.Lang
	When string // the period in words
}

func (s Teller) say(key string, args ...any) string { return locale.Say(s.Lang, key, args...) }

// Number writes a figure as it is published: a number, its round neighbour, a mark.
func (s Teller) Number(t dtm.Table, f dtm.Figure) string {
	write := func(v float64) string {
		if t.Indicator.Unit == "percent" {
			return locale.Percent(s.Lang, t.Indicator.Round(v), t.Indicator.Digits(v))
		}
		return locale.Number(s.Lang, t.Indicator.Round(v), t.Indicator.Digits(v))
	}
	switch {
	case f.Value != nil:
		return write(*f.Value)
	case f.Suppressed && f.About != nil:
		return chart.About + write(*f.About)
	case f.Suppressed:
		return s.Withheld(t)
	}
	return s.say("chart.missing")
}

// Withheld is the mark of what is withheld: "<10" only where that is true of each.
func (s Teller) Withheld(t dtm.Table) string {
	if company(t) {
		return s.say("chart.kept")
	}
	return Suppressed(s.Op)
}

// lists are the code lists of dimensions that are not called like theirs.
var lists = map[string]string{"previous": "country", "next": "country", "nationality": "country", "origin": "country", "final": "country", "age_band": "age", "reach": "yes_no", "knows_help": "yes_no", "wants_help": "yes_no", "counted": "yes_no", "incident": "event_type"}

// Label names a dimension's code.
func (s Teller) Label(dim, code string) string {
	switch dim {
	case "point":
		if p, ok := s.Op.Point(code); ok {
			return p.Name.In(s.Lang)
		}
		return s.say("word.unknown_point")
	case "region", "area":
		if a, ok := s.Op.Area(code); ok {
			return a.Name.In(s.Lang)
		}
		return s.say("word.unknown")
	case "programme", "referred":
		if i := slices.IndexFunc(s.Op.Programmes, func(p dtm.Programme) bool { return p.Code == code }); i >= 0 {
			return s.Op.Programmes[i].Name.In(s.Lang)
		}
	case "month":
		if m, err := dtm.ParseMonth(code); err == nil {
			return locale.Month(s.Lang, m)
		}
	}
	if isUnknown(code) {
		return s.say("word.unknown")
	}
	list := lists[dim]
	if list == "" {
		list = dim
	}
	return s.Op.Lists[list].Label(code, s.Lang)
}

// Dimension names a dimension: the head of a column.
func (s Teller) Dimension(dim string) string { return s.say("report.dim." + dim) }

// Unit says what a table's figures are.
func (s Teller) Unit(t dtm.Table) string {
	if key := "report.unit." + strings.ReplaceAll(t.Indicator.Unit, "/", "_"); locale.Has(key) {
		return s.say(key)
	}
	return t.Indicator.Unit
}

// Than says how many more or fewer something is.
func (s Teller) Than(d float64, when, now, by, before string) string {
	switch {
	case d > 0:
		return s.say("report.find.more", when, now, by, before)
	case d < 0:
		return s.say("report.find.less", when, now, by, before)
	}
	return s.say("report.find.same", when, now, before)
}

// Remarks are what must stand with the figures.
func (s Teller) Remarks(tables ...dtm.Table) []string {
	var out []string
	for _, t := range tables {
		for _, n := range t.Notes {
			if text := n.Text.In(s.Lang); text != "" && !slices.Contains(out, text) {
				out = append(out, text)
			}
		}
	}
	return out
}

// Panel puts a chart under what it says: found is the finding, title what is measured.
// last, where it is given, stands for the period at the end of the subtitle.
func (s Teller) Panel(c chart.Chart, found, title, last string, tables ...dtm.Table) Panel {
	if last == "" {
		last = s.When
	}
	p := Panel{Title: found, Subtitle: locale.List(s.Lang, title, s.Unit(tables[0]), last), Chart: c, Notes: s.Remarks(tables...), Company: slices.ContainsFunc(tables, company)}
	if found == title {
		p.Subtitle = locale.List(s.Lang, s.Unit(tables[0]), last)
	}
	p.Alt = found + ". " + p.Subtitle + "."
	for _, t := range tables {
		p.Indicators = append(p.Indicators, t.Indicator.ID)
	}
	p.Table = c.Table()
	return p
}

// Bars draws a table split by one dimension, the largest first, at most so many. There is
// none when the table has nothing to show.
func (s Teller) Bars(t dtm.Table, title string, most int) (Panel, bool) {
	if len(t.Figures) == 0 || len(t.By) != 1 {
		return Panel{}, false
	}
	dim := t.By[0]
	c := chart.Bars{Axis: t.Indicator.Name.In(s.Lang), Measure: s.Unit(t)}
	if locale.Has("report.dim." + dim) {
		c.Axis, c.Measure = s.Dimension(dim), t.Indicator.Name.In(s.Lang)
	}
	found := ""
	for i, f := range Ranked(t.Figures) {
		if i == most {
			break
		}
		cell := chart.FromFigure(f)
		if f.Value != nil {
			cell = chart.Of(t.Indicator.Round(*f.Value))
			if *f.Value == 0 {
				continue // what nobody named says nothing
			}
			if found == "" && !isUnknown(f.Keys[0]) {
				found = s.say("report.find.most", s.Label(dim, f.Keys[0]), s.Number(t, f))
			}
		}
		c.Items = append(c.Items, chart.Bar{Label: s.Label(dim, f.Keys[0]), Cell: cell, Unknown: isUnknown(f.Keys[0])})
	}
	if len(c.Items) == 0 {
		return Panel{}, false
	}
	if found == "" {
		found = title
	}
	return s.Panel(c, found, title, "", t), true
}

// Months draws tables split by months, a line each, over the months given. There is none
// of a single month, and none of nothing.
func (s Teller) Months(months []dtm.Month, title string, lines []string, tables ...dtm.Table) (Panel, bool) {
	given := slices.ContainsFunc(tables, func(t dtm.Table) bool { return len(t.Figures) > 0 })
	if len(months) < 2 || !given {
		return Panel{}, false
	}
	c := chart.Trend{Axis: s.say("word.month")}
	for _, m := range months {
		c.Steps = append(c.Steps, chart.Step{Label: locale.ShortMonth(s.Lang, m), Group: strconv.Itoa(m.Year), Name: locale.Month(s.Lang, m)})
	}
	for i, t := range tables {
		at := byMonth(t)
		line := chart.Line{Label: t.Indicator.Name.In(s.Lang)}
		if i < len(lines) {
			line.Label = lines[i]
		}
		for _, m := range months {
			cell := chart.Cell{}
			if f, ok := at[m.String()]; ok {
				cell = chart.FromFigure(f)
				if f.Value != nil {
					cell = chart.Of(t.Indicator.Round(*f.Value))
				}
			}
			line.Cells = append(line.Cells, cell)
		}
		c.Lines = append(c.Lines, line)
	}
	t := tables[0]
	at, last := byMonth(t), months[len(months)-1]
	now, before := at[last.String()], at[last.Add(-1).String()]
	found := title
	if now.Value != nil {
		when := locale.Month(s.Lang, last)
		if len(lines) > 0 {
			when = lines[0] + " · " + when
		}
		found = s.say("report.find.now", when, s.Number(t, now))
		if before.Value != nil && t.Indicator.Unit != "percent" && !running(t) {
			d := t.Indicator.Round(*now.Value) - t.Indicator.Round(*before.Value)
			found = s.Than(d, when, s.Number(t, now), locale.Number(s.Lang, math.Abs(d), t.Indicator.Digits(d)), locale.Month(s.Lang, last.Add(-1)))
		}
	}
	return s.Panel(c, found, title, s.say("report.by_month"), tables...), true
}

func byMonth(t dtm.Table) map[string]dtm.Figure {
	at := map[string]dtm.Figure{}
	for _, f := range t.Figures {
		at[f.Keys[0][:min(7, len(f.Keys[0]))]] = f
	}
	return at
}

// PointMonths draws each point's months on one scale, the largest point first: cells is
// split by month and point, totals by point.
func (s Teller) PointMonths(months []dtm.Month, title string, cells, totals dtm.Table) (Panel, bool) {
	if len(cells.Figures) == 0 || len(months) < 2 {
		return Panel{}, false
	}
	c := chart.Multiples{Axis: s.say("word.month")}
	for _, m := range months {
		c.Steps = append(c.Steps, chart.Step{Label: locale.ShortMonth(s.Lang, m), Group: strconv.Itoa(m.Year), Name: locale.Month(s.Lang, m)})
	}
	at := map[[2]string]dtm.Figure{}
	for _, f := range cells.Figures {
		at[[2]string{f.Keys[0], f.Keys[1]}] = f
	}
	for _, f := range Ranked(totals.Figures) {
		if f.Keys[0] == "" {
			continue
		}
		p := chart.Panel{Label: s.Label("point", f.Keys[0]), Code: f.Keys[0]}
		for _, m := range months {
			p.Cells = append(p.Cells, chart.FromFigure(at[[2]string{m.String(), f.Keys[0]}]))
		}
		c.Panels = append(c.Panels, p)
	}
	if len(c.Panels) == 0 {
		return Panel{}, false
	}
	return s.Panel(c, title, s.say("word.movements"), "", cells), true
}
