package web

import (
	"context"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"dtm"
	"dtm/analyse/watch"
	"dtm/disseminate/chart"
	"dtm/disseminate/maps"
	"dtm/disseminate/overview"
	"dtm/locale"
)

// framed is a chart or the map with everything that stands with it: every chart of the
// public pages is shown in one frame.
type framed struct {
	overview.Panel
	Broad        bool // takes the whole width of the page
	Narrow, Wide template.HTML
	Columns      []string
	Rows         [][]string
	CSV, SVGLink string
	PNG          string // "" where no pictures are painted
	Definition   string
	Link         string // its own page
	Whole        string // the same, with the site's address
	Cite, Embed  string
	period       string // of its file, where that is not the page's
}

// origin is what the files, the address and the citation of a panel need beside it.
type origin struct {
	op            *dtm.Operation
	base          *maps.Base
	query         url.Values // of its address: the filter, and the release where one is asked for
	site          string     // "https://dtm.example.org"
	section, back string     // of the menu; the path of the page that shows it
	release       string
	frozen        bool
	releases      bool   // the address may ask for a release
	period        string // in the names of its files
}

func (s shown) origin(panel string) origin {
	o := origin{op: s.source.Operation, base: s.base, query: s.query(), site: s.site, section: "dashboard", back: "/",
		release: s.Release.ID(), frozen: s.source.Frozen != nil, releases: true, period: s.Period.String()}
	if of := overview.SubjectOf(panel); of != "" {
		o.section, o.back = string(of), "/"+string(of)+"/"
	}
	return o
}

// frames are the panels of an overview in their frames, two beside each other where there
// is room. One left alone before a broad one is broad too.
func (p *Pages) frames(s shown, l dtm.Lang) []framed {
	wider := make([]bool, len(s.Panels))
	beside := 0
	for i, panel := range s.Panels {
		switch panel.Chart.(type) {
		case chart.Multiples, chart.Calendar:
			wider[i] = true
			if beside%2 == 1 {
				wider[i-1] = true
			}
			beside = 0
		default:
			beside++
		}
	}
	var out []framed
	for i, panel := range s.Panels {
		f := p.frame(s.origin(panel.ID), panel, l, map[bool]float64{false: wide, true: broad}[wider[i]])
		f.Broad = wider[i]
		out = append(out, f)
	}
	return out
}

// frame puts a panel in its frame, drawn broader where the page has room.
func (p *Pages) frame(o origin, panel overview.Panel, l dtm.Lang, width float64) framed {
	q := ""
	if e := o.query.Encode(); e != "" {
		q = "?" + e
	}
	at := "/" + string(l)
	f := framed{Panel: panel, Columns: panel.Table.Columns, Rows: panel.Table.Text(panel.Options(o.op, l, width)),
		CSV: at + "/data/" + panel.ID + ".csv" + q, SVGLink: at + "/data/" + panel.ID + ".svg" + q, Link: at + "/chart/" + panel.ID + q}
	if p.Picture != nil {
		f.PNG = at + "/data/" + panel.ID + ".png" + q
	}
	drawing := func(width float64, id string) template.HTML {
		return template.HTML(panel.SVG(o.base, panel.Options(o.op, l, width), panel.ID+id)) //nolint:gosec // our own drawing, every text in it escaped
	}
	f.Narrow, f.Wide = drawing(narrow, "-n"), drawing(width, "-w")
	f.Whole = o.site + f.Link
	if len(panel.Indicators) > 0 {
		f.Definition = at + "/indicators/" + panel.Indicators[0]
	}
	source := o.op.Source.In(l)
	if _, who, ok := strings.Cut(source, locale.Say(l, "word.colon")+" "); ok { // "Source: ..."
		source = who
	}
	f.Cite = source + ". " + panel.Title + ". " + panel.Subtitle + ". " + locale.Say(l, "page.release", o.release) + ". " + f.Whole +
		" (" + locale.Say(l, "chart.read", locale.Date(l, p.Now().In(p.Operation.Zone))) + ")"
	f.Embed = fmt.Sprintf(`<iframe src="%s" title="%s" width="100%%" height="560" style="border:0" loading="lazy"></iframe>`,
		template.HTMLEscapeString(o.site+at+"/embed/"+panel.ID+q), template.HTMLEscapeString(panel.Title))
	return f
}

// alone is the panel of a chart that no overview has.
func (p *Pages) alone(id string, c chart.Chart, title, subtitle, release string, l dtm.Lang, indicators ...string) overview.Panel {
	subtitle = strings.TrimSuffix(subtitle, ".") // citations go on after it
	return overview.Panel{ID: id, Title: title, Subtitle: subtitle, Alt: title + ". " + subtitle + ".", Chart: c, Table: c.Table(),
		Source: p.Operation.Source.In(l) + " · " + release, Indicators: indicators}
}

// panel is the one of an address, with what belongs to it: NotFound.
func (p *Pages) panel(r *http.Request, id string) (origin, overview.Panel, dtm.Lang, error) {
	l, err := p.lang(r)
	if err != nil {
		return origin{}, overview.Panel{}, l, err
	}
	missing := dtm.Errorf(dtm.NotFound, "there is no such file").Coded("notfound")
	if page := p.galleries()[strings.SplitN(id, "-", 2)[0]]; page != nil {
		g, err := page(r.WithContext(context.WithValue(r.Context(), foreverKey{}, true)))
		if err != nil {
			return g.origin, overview.Panel{}, l, err
		}
		i := slices.IndexFunc(g.Charts, func(f *framed) bool { return f.ID == id })
		if i < 0 {
			return g.origin, overview.Panel{}, l, missing
		}
		if of := g.Charts[i].period; of != "" {
			g.origin.period = of
		}
		return g.origin, g.Charts[i].Panel, l, nil
	}
	s, l, err := p.shown(r, overview.SubjectOf(id), nil)
	if err != nil {
		return origin{}, overview.Panel{}, l, err
	}
	panel, ok := s.Panel(id)
	if !ok {
		return origin{}, panel, l, missing
	}
	return s.origin(id), panel, l, nil
}

// gallery is what a page shows whose charts are of no overview, each in its frame.
type gallery struct {
	origin origin
	Charts []*framed
}

// hang adds a panel, over the whole width of the page.
func (g *gallery) hang(p *Pages, panel overview.Panel, l dtm.Lang) *framed {
	f := p.frame(g.origin, panel, l, broad)
	f.Broad = true
	g.Charts = append(g.Charts, &f)
	return &f
}

// galleries are the pages with such charts, by the first word of their names.
func (p *Pages) galleries() map[string]func(*http.Request) (gallery, error) {
	list := map[string]func(*http.Request) (gallery, error){
		"warning": func(r *http.Request) (gallery, error) { v, err := p.warningView(r); return v.gallery, err },
		"outlook": func(r *http.Request) (gallery, error) { v, err := p.outlookView(r); return v.gallery, err },
		"network": func(r *http.Request) (gallery, error) { v, err := p.networkView(r); return v.gallery, err },
	}
	if p.Forecasts != nil {
		list["archive"] = func(r *http.Request) (gallery, error) { v, err := p.archiveView(r); return v.gallery, err }
	}
	return list
}

type chartView struct {
	page
	C      framed
	Back   string
	Public string
	State  string // what may become of its figures; "" when nothing may
}

func (p *Pages) chartView(r *http.Request, at string) (chartView, error) {
	o, panel, l, err := p.panel(r, r.PathValue("id"))
	if err != nil {
		return chartView{}, err
	}
	v := chartView{page: p.page(l, o.section, panel.Title, at+panel.ID, r.URL.Query()), C: p.frame(o, panel, l, broad), Public: p.public(l)}
	v.Release, v.Frozen = o.release, o.frozen
	switch {
	case o.frozen:
	case o.releases:
		v.State = v.T("chart.state")
	default:
		v.State = v.T("chart.follows")
	}
	v.Back = v.Link(o.back)
	if e := o.query.Encode(); e != "" {
		v.Back += "?" + e
	}
	return v, nil
}

// chartPage is the page of one chart: what links and citations lead to.
func (p *Pages) chartPage(w http.ResponseWriter, r *http.Request) error {
	v, err := p.chartView(r, "/chart/")
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-cache")
	return p.show(w, http.StatusOK, "chart", v)
}

// embedCSP lets any site frame what holds no form, no cookie and no script.
const embedCSP = "default-src 'none'; style-src 'self' 'unsafe-inline'; font-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors *"

// embed is a chart alone, for the frame of another site's page.
func (p *Pages) embed(w http.ResponseWriter, r *http.Request) error {
	v, err := p.chartView(r, "/embed/")
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("Content-Security-Policy", embedCSP)
	return p.show(w, http.StatusOK, "embed", v)
}

// expect adds the expected range to the months of the points, once it was computed.
func (p *Pages) expect(ctx context.Context, o *overview.Overview) error {
	i := slices.IndexFunc(o.Panels, func(x overview.Panel) bool { return x.ID == "points-months" })
	if i < 0 {
		return nil
	}
	set, made, err := p.warnings(ctx)
	if err != nil || !made.Ready {
		return err
	}
	c := o.Panels[i].Chart.(chart.Multiples)
	months := dtm.Months(o.Filter.To.Add(1-len(c.Steps)), o.Filter.To).Months()
	for k := range c.Panels {
		n := slices.IndexFunc(set.points.series, func(s watch.Series) bool { return s.Key == c.Panels[k].Code })
		if n < 0 {
			continue
		}
		band := &chart.Range{Label: locale.Say(o.Lang, "panel.pointmonths.band")}
		for _, m := range months {
			at := slices.IndexFunc(set.points.series[n].Starts, func(t time.Time) bool { return dtm.MonthOf(t) == m })
			var low, high *float64
			if at >= 0 {
				if j := set.points.judged[n][at]; value(j.Upper) != nil {
					low, high = value(j.Expected), value(j.Upper)
				}
			}
			band.Low, band.High = append(band.Low, low), append(band.High, high)
		}
		c.Panels[k].Band = band
	}
	o.Panels[i].Chart = c
	return nil
}
