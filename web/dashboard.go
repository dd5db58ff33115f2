package web

import (
	"fmt"
	"html/template"
	"net/http"
	"slices"

	"dtm"
	"dtm/disseminate/overview"
	"dtm/locale"
)

// Widths of the two drawings of a chart, in px: one for phones, one for the rest.
const (
	narrow = 358
	wide   = 540
)

type dashboardView struct {
	page
	O       *overview.Overview
	First   []overview.Headline // the three that a reader came for
	More    []overview.Headline
	Panels  []panelView
	Form    form
	Report  string // address, "" when there is none
	Active  string // the filter in words
	Public  string // the note on small counts
	Heading string
}

type panelView struct {
	overview.Panel
	Narrow, Wide template.HTML
	Columns      []string
	Rows         [][]string
	CSV, SVGLink string
	Definition   string
}

type form struct {
	Months                     []option
	Points, Regions, Direction []option
	From, To                   string
}

type option struct {
	Value, Label string
	Selected     bool
}

func (p *Pages) overview(r *http.Request) (*overview.Overview, dtm.Lang, error) {
	l, err := p.lang(r)
	if err != nil {
		return nil, l, err
	}
	f, err := overview.ParseFilter(p.Operation, r.URL.Query())
	if err != nil {
		return nil, l, err
	}
	if f, err = p.chosen(r.Context(), f); err != nil {
		return nil, l, err
	}
	o, err := overview.Build(r.Context(), p.Figures, p.Operation, f, l)
	return o, l, err
}

func (p *Pages) dashboard(w http.ResponseWriter, r *http.Request) error {
	if l, err := p.lang(r); err == nil {
		release, err := p.Figures.Release(r.Context())
		if err != nil {
			return err
		}
		if fresh(w, r, p.tag(release, l)) {
			return nil
		}
	}
	o, l, err := p.overview(r)
	if err != nil {
		return err
	}
	f := o.Filter
	v := dashboardView{page: p.page(l, "dashboard", locale.Say(l, "page.dashboard")+" · "+p.Operation.Name.In(l), "/", r.URL.Query()), O: o, Form: p.form(o, l)}
	v.Release = o.Release.ID()
	v.Heading = locale.Say(l, "page.dashboard.title", p.Operation.Name.In(l))
	v.Public = p.public(l)
	n := min(3, len(o.Headlines))
	v.First, v.More = o.Headlines[:n], o.Headlines[n:]
	q := f.Query().Encode()
	for _, panel := range o.Panels {
		v.Panels = append(v.Panels, panelView{Panel: panel,
			Narrow: p.drawing(panel, l, narrow, panel.ID+"-n"), Wide: p.drawing(panel, l, wide, panel.ID+"-w"),
			Columns: panel.Table.Columns, Rows: panel.Table.Text(panel.Options(p.Operation, l, wide)),
			CSV: "/" + string(l) + "/data/" + panel.ID + ".csv?" + q, SVGLink: "/" + string(l) + "/data/" + panel.ID + ".svg?" + q,
			Definition: "/" + string(l) + "/indicators/" + panel.Indicators[0]})
	}
	if p.Options.Report != nil && f.From == f.To && !f.Narrowed() && !o.Empty {
		v.Report = "/" + string(l) + "/report/" + f.From.String() + ".pdf"
	}
	v.Active = p.active(o, l)
	return p.show(w, http.StatusOK, "dashboard", v)
}

// tag changes when the page can: with the figures, with the day (a running month
// is averaged over the days there have been) and with the program.
func (p *Pages) tag(release dtm.Release, l dtm.Lang) string {
	return fmt.Sprintf(`W/"%s-%s-%s-%x"`, release.ID(), l, p.Now().In(p.Operation.Zone).Format("20060102"), p.started.Unix())
}

// public says which counts are not published; "" when all are.
func (p *Pages) public(l dtm.Lang) string {
	if p.Operation.Threshold <= 1 {
		return ""
	}
	return locale.Say(l, "page.suppressed", p.Operation.Threshold-1)
}

// drawing is inline SVG: made by us, every text in it escaped.
func (p *Pages) drawing(panel overview.Panel, l dtm.Lang, width float64, id string) template.HTML {
	return template.HTML(panel.SVG(p.base, panel.Options(p.Operation, l, width), id)) //nolint:gosec // our own drawing
}

func (p *Pages) active(o *overview.Overview, l dtm.Lang) string {
	s := o.When
	if a, ok := p.Operation.Area(o.Filter.Region); ok {
		s += " · " + a.Name.In(l)
	}
	if pt, ok := p.Operation.Point(o.Filter.Point); ok {
		s += " · " + pt.Name.In(l)
	}
	if o.Filter.Direction != "" {
		s += " · " + p.Operation.Lists["direction"].Label(o.Filter.Direction, l)
	}
	return s
}

func (p *Pages) form(o *overview.Overview, l dtm.Lang) form {
	f := form{From: o.Filter.From.String(), To: o.Filter.To.String()}
	if !o.Span.From.IsZero() {
		months := slices.DeleteFunc(o.Span.Months(), func(m dtm.Month) bool {
			return p.today().Before(m) && o.Filter.To.Before(m) // a wrong date, not a month to choose
		})
		for _, m := range []dtm.Month{o.Filter.From, o.Filter.To} {
			if !slices.Contains(months, m) {
				months = append(months, m) // what is chosen is shown as chosen, with data or without
			}
		}
		slices.SortFunc(months, func(a, b dtm.Month) int { return b.First().Compare(a.First()) })
		for _, m := range months {
			f.Months = append(f.Months, option{Value: m.String(), Label: locale.Month(l, m)})
		}
	}
	all := func(what string) []option { return []option{{"", locale.Say(l, "filter.all."+what), false}} }
	f.Points, f.Regions, f.Direction = all("point"), all("region"), all("direction")
	for _, pt := range p.Operation.Network() {
		f.Points = append(f.Points, option{pt.Code, pt.Name.In(l), pt.Code == o.Filter.Point})
	}
	for _, a := range p.Operation.Areas {
		if a.Level == 1 {
			f.Regions = append(f.Regions, option{a.Code, a.Name.In(l), a.Code == o.Filter.Region})
		}
	}
	for _, c := range p.Operation.Lists["direction"].Codes {
		f.Direction = append(f.Direction, option{c.Code, c.Label.In(l), c.Code == o.Filter.Direction})
	}
	return f
}
