package report

import (
	"slices"
	"strings"
	"time"

	"dtm"
	"dtm/disseminate/chart"
	"dtm/disseminate/maps"
	"dtm/disseminate/overview"
	"dtm/locale"
)

// Widths in pixels of the drawings that pages show: a phone's and a desk's. The
// report prints the same bytes, the former on half its width.
const (
	narrow = 358
	wide   = 640
)

// FromOverview lays an overview of one month out as a report: no figure and no
// sentence is made here. base draws the map, catalogue gives the definitions of
// the indicators that the overview says. NotFound when the month has no data.
func FromOverview(o *overview.Overview, op *dtm.Operation, base *maps.Base, catalogue []dtm.Indicator) (Document, error) {
	l := o.Lang
	say := func(key string, args ...any) string { return locale.Say(l, key, args...) }
	if o.Empty {
		return Document{}, dtm.Errorf(dtm.NotFound, "there are no movements in %s, so there is no report", o.When).Coded("report.none", o.When)
	}
	last := o.Period.To.AddDate(0, 0, -1)
	d := begin(l, op, o.Release, last, dtm.ReportMonthly, say("report.title")+"\u00a0· "+o.When, say("report.subtitle", first(l, o.Period), locale.Date(l, last)))
	d.Cells = cells(o)
	d.Overview = Overview{Title: say("page.overview"), Points: points(o)}

	p := printer{o: o, op: op, base: base}
	d.Opening = p.figures(narrow, "sexage", "reasons")
	d.Spread = Section{Title: say("report.part.spread"), Figures: p.figures(wide, "map", "trend")}
	d.Sections = p.sections()
	d.Notes = notes(l, op, "method.", "limit.", catalogue, indicators(o), o.Release)
	return d, nil
}

// cells are the overview's headlines.
func cells(o *overview.Overview) (out []Cell) {
	for _, h := range o.Headlines {
		out = append(out, Cell{Value: h.Value, Label: h.Label, Note: strings.Join(h.Notes, " · ")})
	}
	return out
}

// first writes the first day of p as it stands before the last: "1" when month
// and year are the same.
func first(l dtm.Lang, p dtm.Period) string {
	day := locale.Date(l, p.From)
	if dtm.MonthOf(p.From) == dtm.MonthOf(p.To.AddDate(0, 0, -1)) {
		day, _, _ = strings.Cut(day, " ")
	}
	return day
}

// begin is what every document begins with. last is the last day that it is about.
func begin(l dtm.Lang, op *dtm.Operation, release dtm.Release, last time.Time, product, title, subtitle string) Document {
	d := Document{
		Product:  product,
		Lang:     l,
		Date:     release.At,
		Kicker:   op.Title.In(l),
		Title:    title,
		Subtitle: subtitle,
		Author:   op.Source.In(l),
		Footer:   join(" · ", op.Source.In(l), locale.Say(l, "page.release", release.ID())),
		Words:    Words{Page: locale.Say(l, "report.page", "{page}", "{pages}")},
	}
	if d.Date.IsZero() {
		d.Date = last
	}
	if op.Synthetic {
		d.Marks = append(d.Marks, Mark{Text: locale.Say(l, "report.synthetic"), Alarm: true})
	}
	if release.Number == "" {
		d.Marks = append(d.Marks, Mark{Text: locale.Say(l, "page.provisional")})
	}
	return d
}

// points sort the overview's sentences under the reader's questions; with topics, only
// under those.
func points(o *overview.Overview, topics ...overview.Topic) []Point {
	if len(topics) == 0 {
		topics = overview.Topics
	}
	var out []Point
	for _, t := range topics {
		var said []Sentence
		for _, s := range o.Narrative {
			if s.Topic == t {
				said = append(said, Sentence{Text: s.Text, Indicators: s.Indicators})
			}
		}
		out = append(out, answer(string(t), t.Lead(o.Lang), said...)...)
	}
	return out
}

// printer draws the overview's panels.
type printer struct {
	o    *overview.Overview
	op   *dtm.Operation
	base *maps.Base
}

// figures draws those panels that the overview has.
func (p printer) figures(width float64, ids ...string) []Figure {
	var out []Figure
	for _, id := range ids {
		panel, ok := p.o.Panel(id)
		if !ok {
			continue
		}
		f := Figure{Title: panel.Title, Subtitle: panel.Subtitle, Alt: panel.Alt, Caption: strings.Join(panel.Notes, " "), Wide: width == wide}
		switch {
		case panel.Chart != nil:
			f.SVG = panel.Chart.SVG(panel.Options(p.op, p.o.Lang, width))
		case panel.Map != nil && p.base != nil:
			spec := *panel.Map
			spec.Width = width
			f.SVG = p.base.SVG(spec)
		default:
			continue
		}
		out = append(out, f)
	}
	return out
}

func (p printer) sections() []Section {
	var out []Section
	add := func(title string, figures []Figure, tables []Table) {
		if len(figures)+len(tables) > 0 {
			out = append(out, Section{Title: locale.Say(p.o.Lang, "report.part."+title), Figures: figures, Tables: tables})
		}
	}
	ranking := p.ranking()
	var beside []Figure
	if len(ranking) == 1 && len(ranking[0].Rows) <= 24 { // more bars are taller than a page
		beside = p.figures(narrow, "points")
	}
	add("points", beside, ranking)
	add("od", p.figures(wide, "od"), nil)
	add("profile", p.figures(narrow, "nationality"), p.tables("nationality", "sexage", "reasons"))
	return out
}

// ranking is the table of points, the first the largest, with their regions.
func (p printer) ranking() []Table {
	panel, ok := p.o.Panel("points")
	bars, isBars := panel.Chart.(chart.Bars)
	if !ok || !isBars {
		return p.tables("points")
	}
	l := p.o.Lang
	t := Table{Title: p.plain(panel), Subtitle: panel.Subtitle, Columns: []Column{{Title: bars.Axis}, {Title: locale.Say(l, "filter.region")}, {Title: bars.Measure, Number: true}, {Title: locale.Say(l, "word.share"), Number: true}}}
	for i, row := range panel.Table.Text(panel.Options(p.op, l, wide)) {
		var region string
		if code, ok := p.op.ResolvePoint(row[0]); ok {
			point, _ := p.op.Point(code)
			area, _ := p.op.Area(point.Area)
			region = area.Name.In(l)
		}
		t.Rows = append(t.Rows, []string{row[0], region, row[1], bars.Items[i].Note})
	}
	return []Table{t}
}

// tables are the tables of those panels.
func (p printer) tables(ids ...string) []Table {
	var out []Table
	for _, id := range ids {
		panel, ok := p.o.Panel(id)
		if !ok {
			continue
		}
		t := Table{Title: p.plain(panel), Subtitle: panel.Subtitle, Rows: panel.Table.Text(panel.Options(p.op, p.o.Lang, wide))}
		for i, c := range panel.Table.Columns {
			t.Columns = append(t.Columns, Column{Title: c, Number: len(panel.Table.Rows) > 0 && panel.Table.Rows[0][i].Figure})
		}
		out = append(out, t)
	}
	return out
}

// plain is the panel's subject, for a table under a drawing that says the finding.
func (p printer) plain(panel overview.Panel) string {
	if key := "panel." + panel.ID + ".plain"; locale.Has(key) {
		return locale.Say(p.o.Lang, key)
	}
	return panel.Title
}

// notes are method and limits, definitions of the indicators and credits. method is
// where the catalogue of messages has its numbered texts: "method.", "report.stranded.method.".
func notes(l dtm.Lang, op *dtm.Operation, method, limit string, catalogue []dtm.Indicator, used []string, of dtm.Release) []Note {
	numbered := func(part string, more ...string) Note {
		n := Note{Title: locale.Say(l, part+"title")}
		for i := 1; ; i++ {
			key := part + string(rune('0'+i))
			if i > 9 || !locale.Has(key) {
				break
			}
			n.Text = append(n.Text, locale.Say(l, key))
		}
		n.Text = append(n.Text, more...)
		return n
	}
	var limits []string
	if op.Threshold > 1 {
		limits = append(limits, locale.Say(l, "page.suppressed", op.Threshold-1))
	}
	defined := Note{Title: locale.Say(l, "report.definitions")}
	for _, id := range used {
		i := slices.IndexFunc(catalogue, func(x dtm.Indicator) bool { return x.ID == id })
		if i < 0 {
			continue
		}
		if text := catalogue[i].Definition.In(l); text != "" {
			defined.Terms = append(defined.Terms, Term{Name: catalogue[i].Name.In(l), Text: text})
		}
	}
	credits := Note{Title: locale.Say(l, "report.credits")}
	for _, s := range []string{locale.Say(l, "report.credits.text", op.Source.In(l), op.Contact), locale.Say(l, "map.source") + ".", op.Disclaimer.In(l), stateOf(l, of)} {
		if s != "" {
			credits.Text = append(credits.Text, s)
		}
	}
	out := []Note{numbered(method), numbered(limit, limits...)}
	if len(defined.Terms) > 0 {
		out = append(out, defined)
	}
	return append(out, credits)
}

// stateOf names the state of the data and the day it was taken.
func stateOf(l dtm.Lang, r dtm.Release) string {
	s := locale.Say(l, "page.release", r.ID())
	if !r.At.IsZero() {
		s += " · " + locale.Date(l, r.At.In(time.UTC))
	}
	return s
}

// indicators are those that the overview says, once each, in its order.
func indicators(o *overview.Overview) []string {
	var out []string
	add := func(ids []string) {
		for _, id := range ids {
			if !slices.Contains(out, id) {
				out = append(out, id)
			}
		}
	}
	for _, s := range o.Narrative {
		add(s.Indicators)
	}
	for _, p := range o.Panels {
		add(p.Indicators)
	}
	return out
}

func join(sep string, parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), sep)
}
