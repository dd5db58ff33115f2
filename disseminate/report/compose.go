package report

import (
	"context"
	"errors"
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
	case dtm.ReportTables:
		d = w.tables()
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

// tell names codes and writes figures as the pages do.
func (w *writer) tell() overview.Teller {
	return overview.Teller{Op: w.op, Lang: w.l, When: w.when}
}

func (w *writer) number(t dtm.Table, f dtm.Figure) string { return w.tell().Number(t, f) }
func (w *writer) label(dim, code string) string           { return w.tell().Label(dim, code) }
func (w *writer) dimension(dim string) string             { return w.tell().Dimension(dim) }
func (w *writer) withheld(t dtm.Table) string             { return w.tell().Withheld(t) }

// remarks are what must stand with the figures.
func (w *writer) remarks(tables ...dtm.Table) string {
	return strings.Join(w.tell().Remarks(tables...), " ")
}

func unknown(code string) bool {
	return code == "" || code == dtm.Unknown || code == dtm.UnknownCountry
}

// most of the bars of a drawing.
const mostBars = 10

// bars draws a table split by one dimension, the largest first. It has no drawing when
// the table is empty.
func (w *writer) bars(t dtm.Table, title string, width float64) []Figure {
	p, ok := w.tell().Bars(t, title, mostBars)
	if w.err != nil || !ok {
		return nil
	}
	return []Figure{w.print(p, width)}
}

// print draws a panel.
func (w *writer) print(p overview.Panel, width float64) Figure {
	return Figure{Title: p.Title, Subtitle: p.Subtitle, Alt: p.Alt, Caption: strings.Join(p.Notes, " "), SVG: p.Chart.SVG(p.Options(w.op, w.l, width)), Wide: width == wide}
}

// figure draws a chart under what it says.
func (w *writer) figure(c chart.Chart, found, title string, width float64, tables ...dtm.Table) Figure {
	return w.print(w.tell().Panel(c, found, title, "", tables...), width)
}

// months draws an indicator over the months up to the report's last. Nothing is drawn
// of a single month.
func (w *writer) months(id string, where map[string][]string, title string, width float64) []Figure {
	t, months := w.history(id, 13, where)
	p, ok := w.tell().Months(months, title, nil, t)
	if w.err != nil || !ok {
		return nil
	}
	return []Figure{w.print(p, width)}
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
