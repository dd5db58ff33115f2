package report

import (
	"context"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"dtm"
	"dtm/disseminate/chart"
	"dtm/disseminate/maps"
	"dtm/disseminate/overview"
	"dtm/locale"
)

// Compose makes the document of a report from guarded figures. base draws its map.
// NotFound when there is nothing to report, or no such point or partner; otherwise
// the errors of the figures.
func Compose(ctx context.Context, figures dtm.Figures, op *dtm.Operation, base *maps.Base, r dtm.Report, l dtm.Lang) (Document, error) {
	if err := r.Check(op); err != nil {
		return Document{}, err
	}
	w := &writer{ctx: ctx, figures: figures, op: op, base: base, r: r, l: locale.Known(l), period: r.Period()}
	w.when = locale.Period(w.l, w.period)
	var d Document
	switch r.Product {
	case dtm.ReportMonthly:
		o := w.overview(overview.Filter{From: r.Month, To: r.Month})
		if w.err != nil {
			return Document{}, w.err
		}
		return FromOverview(o, op, base, figures.Catalogue())
	case dtm.ReportWeekly:
		d = w.weekly()
	case dtm.ReportPoint:
		d = w.point()
	case dtm.ReportAnnual:
		d = w.annual()
	case dtm.ReportPartner:
		d = w.partner()
	case dtm.ReportStranded:
		d = w.stranded()
	}
	return d, w.err
}

// writer asks for figures and says them. After the first error it asks no more.
type writer struct {
	ctx     context.Context
	figures dtm.Figures
	op      *dtm.Operation
	base    *maps.Base
	r       dtm.Report
	l       dtm.Lang
	period  dtm.Period
	when    string   // the period in words
	used    []string // indicators asked for
	err     error
}

func (w *writer) say(key string, args ...any) string { return locale.Say(w.l, key, args...) }

// none ends the report: there is nothing to tell.
func (w *writer) none() Document {
	if w.err == nil {
		w.err = dtm.Errorf(dtm.NotFound, "there is nothing recorded of %s for the report %s", w.when, w.r.Name()).Coded("report.none", w.when)
	}
	return Document{}
}

func (w *writer) overview(f overview.Filter) *overview.Overview {
	if w.err != nil {
		return &overview.Overview{Lang: w.l, Empty: true}
	}
	o, err := overview.Build(w.ctx, w.figures, w.op, f, w.l)
	if err != nil {
		w.err = err
		return &overview.Overview{Lang: w.l, Empty: true}
	}
	return o
}

// begin begins the document with the state of the figures.
func (w *writer) begin(title, subtitle string) Document {
	release, err := w.figures.Release(w.ctx)
	if err != nil && w.err == nil {
		w.err = err
	}
	return begin(w.l, w.op, release, w.period.To.AddDate(0, 0, -1), w.r.Product, title, subtitle)
}

// end adds the small print.
func (w *writer) end(d Document, method, limit string) Document {
	release, err := w.figures.Release(w.ctx)
	if err != nil && w.err == nil {
		w.err = err
	}
	d.Notes = notes(w.l, w.op, method, limit, w.figures.Catalogue(), w.used, release)
	return d
}

// table asks one question.
func (w *writer) table(id string, p dtm.Period, where map[string][]string, by ...string) dtm.Table {
	if w.err != nil {
		return dtm.Table{}
	}
	t, err := w.figures.Table(w.ctx, dtm.Query{Indicator: id, Period: p, Where: where, By: by})
	var e *dtm.Error
	if errors.As(err, &e) && e.Code == "release.days" {
		return dtm.Table{} // a release holds the days of its own month: of others nothing is said
	}
	if err != nil {
		w.err = err
		return dtm.Table{}
	}
	w.use(id)
	return t
}

func (w *writer) use(ids ...string) {
	for _, id := range ids {
		if !slices.Contains(w.used, id) {
			w.used = append(w.used, id)
		}
	}
}

// history asks for the months up to the report's last, at most n, as far as there are
// data.
func (w *writer) history(id string, n int, where map[string][]string) (dtm.Table, []dtm.Month) {
	if w.err != nil {
		return dtm.Table{}, nil
	}
	span, err := w.figures.Span(w.ctx)
	if err != nil {
		w.err = err
		return dtm.Table{}, nil
	}
	last := w.r.Last()
	from := last.Add(1 - n)
	if first := dtm.MonthOf(span.From); !span.From.IsZero() && from.Before(first) {
		from = first
	}
	if last.Before(from) {
		return dtm.Table{}, nil
	}
	p := dtm.Months(from, last)
	return w.table(id, p, where, "month"), p.Months()
}

// one is the figure of a table that is not split.
func one(t dtm.Table) dtm.Figure {
	if len(t.Figures) == 1 {
		return t.Figures[0]
	}
	return dtm.Figure{}
}

// number writes a figure as it is published: a number, its round neighbour, a mark.
func (w *writer) number(t dtm.Table, f dtm.Figure) string {
	write := func(v float64) string {
		if t.Indicator.Unit == "percent" {
			return locale.Percent(w.l, t.Indicator.Round(v), t.Indicator.Digits(v))
		}
		return locale.Number(w.l, t.Indicator.Round(v), t.Indicator.Digits(v))
	}
	switch {
	case f.Value != nil:
		return write(*f.Value)
	case f.Suppressed && f.About != nil:
		return chart.About + write(*f.About)
	case f.Suppressed:
		return w.withheld(t)
	}
	return w.say("chart.missing")
}

// withheld is the mark of what is withheld: "<10" only where that is true of each.
func (w *writer) withheld(t dtm.Table) string {
	if company(t) {
		return w.say("chart.kept")
	}
	return overview.Suppressed(w.op)
}

func company(t dtm.Table) bool {
	return slices.ContainsFunc(t.Notes, func(n dtm.Note) bool { return n.Code == dtm.NoteCompany })
}

// options are how the table's figures are drawn.
func (w *writer) options(width float64, tables ...dtm.Table) chart.Options {
	return overview.Panel{Company: slices.ContainsFunc(tables, company)}.Options(w.op, w.l, width)
}

// remarks are what must stand with the figures.
func (w *writer) remarks(tables ...dtm.Table) string {
	var out []string
	for _, t := range tables {
		for _, n := range t.Notes {
			if s := n.Text.In(w.l); s != "" && !slices.Contains(out, s) {
				out = append(out, s)
			}
		}
	}
	return strings.Join(out, " ")
}

// lists are the code lists of dimensions that are not called like theirs.
var lists = map[string]string{"previous": "country", "next": "country", "nationality": "country", "origin": "country", "final": "country", "age_band": "age"}

// label names a dimension's code.
func (w *writer) label(dim, code string) string {
	switch dim {
	case "point":
		if p, ok := w.op.Point(code); ok {
			return p.Name.In(w.l)
		}
		return w.say("word.unknown_point")
	case "region", "area":
		if a, ok := w.op.Area(code); ok {
			return a.Name.In(w.l)
		}
		return w.say("word.unknown")
	case "month":
		if m, err := dtm.ParseMonth(code); err == nil {
			return locale.Month(w.l, m)
		}
	}
	if unknown(code) {
		return w.say("word.unknown")
	}
	list := lists[dim]
	if list == "" {
		list = dim
	}
	return w.op.Lists[list].Label(code, w.l)
}

func unknown(code string) bool {
	return code == "" || code == dtm.Unknown || code == dtm.UnknownCountry
}

// dimension names a dimension: the head of a column.
func (w *writer) dimension(dim string) string { return w.say("report.dim." + dim) }

// most of the bars of a drawing.
const mostBars = 10

// bars draws a table split by one dimension, the largest first. It has no drawing when
// the table is empty.
func (w *writer) bars(t dtm.Table, title string, width float64) []Figure {
	dim := ""
	if len(t.By) == 1 {
		dim = t.By[0]
	}
	if w.err != nil || len(t.Figures) == 0 || dim == "" {
		return nil
	}
	c := chart.Bars{Axis: w.dimension(dim), Measure: t.Indicator.Name.In(w.l)}
	found := ""
	for i, f := range overview.Ranked(t.Figures) {
		if i == mostBars {
			break
		}
		cell := chart.FromFigure(f)
		if f.Value != nil {
			cell = chart.Of(t.Indicator.Round(*f.Value))
			if *f.Value == 0 {
				continue // what nobody named says nothing
			}
			if found == "" && !unknown(f.Keys[0]) {
				found = w.say("report.find.most", w.label(dim, f.Keys[0]), w.number(t, f))
			}
		}
		c.Items = append(c.Items, chart.Bar{Label: w.label(dim, f.Keys[0]), Cell: cell, Unknown: unknown(f.Keys[0])})
	}
	if len(c.Items) == 0 {
		return nil
	}
	if found == "" {
		found = title
	}
	return []Figure{w.figure(c, found, title, width, t)}
}

// figure draws a chart under what it says.
func (w *writer) figure(c chart.Chart, found, title string, width float64, tables ...dtm.Table) Figure {
	sub := title + ", " + w.unit(tables[0]) + ", " + w.when
	return Figure{Title: found, Subtitle: sub, Alt: found + ". " + sub + ".", Caption: w.remarks(tables...), SVG: c.SVG(w.options(width, tables...)), Wide: width == wide}
}

// unit says what a table's figures are.
func (w *writer) unit(t dtm.Table) string {
	if key := "report.unit." + strings.ReplaceAll(t.Indicator.Unit, "/", "_"); locale.Has(key) {
		return w.say(key)
	}
	return t.Indicator.Unit
}

// months draws an indicator over the months up to the report's last. Nothing is drawn
// of a single month.
func (w *writer) months(id string, where map[string][]string, title string, width float64) []Figure {
	t, months := w.history(id, 13, where)
	if w.err != nil || len(months) < 2 || len(t.Figures) == 0 {
		return nil
	}
	at := map[string]dtm.Figure{}
	for _, f := range t.Figures {
		at[f.Keys[0][:min(7, len(f.Keys[0]))]] = f
	}
	c := chart.Trend{Axis: w.say("word.month"), Lines: []chart.Line{{Label: t.Indicator.Name.In(w.l)}}}
	for _, m := range months {
		c.Steps = append(c.Steps, chart.Step{Label: locale.ShortMonth(w.l, m), Group: strconv.Itoa(m.Year), Name: locale.Month(w.l, m)})
		cell := chart.Cell{}
		if f, ok := at[m.String()]; ok {
			cell = chart.FromFigure(f)
			if f.Value != nil {
				cell = chart.Of(t.Indicator.Round(*f.Value))
			}
		}
		c.Lines[0].Cells = append(c.Lines[0].Cells, cell)
	}
	last := months[len(months)-1]
	now, before := at[last.String()], at[last.Add(-1).String()]
	found := title
	if now.Value != nil {
		found = w.say("report.find.now", locale.Month(w.l, last), w.number(t, now))
		if before.Value != nil && t.Indicator.Unit != "percent" {
			d := t.Indicator.Round(*now.Value) - t.Indicator.Round(*before.Value)
			found = w.than(d, locale.Month(w.l, last), w.number(t, now), locale.Number(w.l, math.Abs(d), t.Indicator.Digits(d)), locale.Month(w.l, last.Add(-1)))
		}
	}
	f := w.figure(c, found, title, width, t)
	f.Subtitle = title + ", " + w.unit(t) + ", " + w.say("report.by_month")
	f.Alt = found + ". " + f.Subtitle + "."
	return []Figure{f}
}

// than says how many more or fewer something is.
func (w *writer) than(d float64, when, now, by, before string) string {
	switch {
	case d > 0:
		return w.say("report.find.more", when, now, by, before)
	case d < 0:
		return w.say("report.find.less", when, now, by, before)
	}
	return w.say("report.find.same", when, now, before)
}

// rows makes a table of one dimension with several indicators beside each other: the
// order is that of the first.
func (w *writer) rows(title, dim string, tables ...dtm.Table) []Table {
	if w.err != nil || len(tables) == 0 || len(tables[0].Figures) == 0 {
		return nil
	}
	out := Table{Title: title, Subtitle: w.when, Columns: []Column{{Title: w.dimension(dim)}}, Caption: w.remarks(tables...), Broad: len(tables) > 1}
	for _, t := range tables {
		out.Columns = append(out.Columns, Column{Title: t.Indicator.Name.In(w.l), Number: true})
	}
	figures := overview.Ranked(tables[0].Figures)
	if dim == "month" {
		figures = slices.Clone(tables[0].Figures)
		slices.SortFunc(figures, func(a, b dtm.Figure) int { return strings.Compare(a.Keys[0], b.Keys[0]) })
	}
	for _, f := range figures {
		row := []string{w.label(dim, f.Keys[0])}
		for i, t := range tables {
			at := f
			if i > 0 {
				at = keyed(t, f.Keys[0])
			}
			row = append(row, w.number(t, at))
		}
		out.Rows = append(out.Rows, row)
	}
	return []Table{out}
}

// keyed is the figure of a table split by one dimension.
func keyed(t dtm.Table, key string) dtm.Figure {
	for _, f := range t.Figures {
		if len(f.Keys) == 1 && f.Keys[0] == key {
			return f
		}
	}
	return dtm.Figure{}
}

// part adds a section that has something to show.
func part(list []Section, title string, text []string, figures []Figure, tables []Table) []Section {
	if len(figures)+len(tables)+len(text) == 0 {
		return list
	}
	return append(list, Section{Title: title, Text: text, Figures: figures, Tables: tables})
}

// day writes a day without its year.
func (w *writer) day(t time.Time) string {
	s := locale.Date(w.l, t)
	return strings.TrimSuffix(s, " "+strconv.Itoa(t.Year()))
}
