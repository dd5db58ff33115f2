package web

import (
	"context"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"dtm"
	"dtm/analyse/watch"
	"dtm/disseminate/chart"
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
	Definition   string
	Link         string // its own page
	Whole        string // the same, with the site's address
	Cite, Embed  string
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
		f := p.frame(s, panel, l, map[bool]float64{false: wide, true: broad}[wider[i]])
		f.Broad = wider[i]
		out = append(out, f)
	}
	return out
}

// frame puts a panel in its frame, drawn broader where the page has room.
func (p *Pages) frame(s shown, panel overview.Panel, l dtm.Lang, width float64) framed {
	q := ""
	if e := s.query().Encode(); e != "" {
		q = "?" + e
	}
	at := "/" + string(l)
	f := framed{Panel: panel, Columns: panel.Table.Columns, Rows: panel.Table.Text(panel.Options(s.source.Operation, l, width)),
		CSV: at + "/data/" + panel.ID + ".csv" + q, SVGLink: at + "/data/" + panel.ID + ".svg" + q, Link: at + "/chart/" + panel.ID + q}
	f.Narrow, f.Wide = s.drawing(panel, l, narrow, panel.ID+"-n"), s.drawing(panel, l, width, panel.ID+"-w")
	f.Whole = s.site + f.Link
	if len(panel.Indicators) > 0 {
		f.Definition = at + "/indicators/" + panel.Indicators[0]
	}
	source := s.source.Operation.Source.In(l)
	if _, who, ok := strings.Cut(source, locale.Say(l, "word.colon")+" "); ok { // "Source: ..."
		source = who
	}
	f.Cite = source + ". " + panel.Title + ". " + panel.Subtitle + ". " + locale.Say(l, "page.release", s.Release.ID()) + ". " + f.Whole +
		" (" + locale.Say(l, "chart.read", locale.Date(l, p.Now().In(p.Operation.Zone))) + ")"
	f.Embed = fmt.Sprintf(`<iframe src="%s" title="%s" width="100%%" height="560" style="border:0" loading="lazy"></iframe>`,
		template.HTMLEscapeString(s.site+at+"/embed/"+panel.ID+q), template.HTMLEscapeString(panel.Title))
	return f
}

// panel is the one of an address, with what it was made from: NotFound.
func (p *Pages) panel(r *http.Request, id string) (shown, overview.Panel, dtm.Lang, error) {
	s, l, err := p.shown(r, overview.SubjectOf(id), nil)
	if err != nil {
		return s, overview.Panel{}, l, err
	}
	panel, ok := s.Panel(id)
	if !ok {
		return s, panel, l, dtm.Errorf(dtm.NotFound, "there is no such file").Coded("notfound")
	}
	return s, panel, l, nil
}

type chartView struct {
	page
	C      framed
	Back   string
	Public string
}

func (p *Pages) chartView(r *http.Request, at string) (chartView, error) {
	s, panel, l, err := p.panel(r, r.PathValue("id"))
	if err != nil {
		return chartView{}, err
	}
	section := "dashboard"
	back := "/"
	if of := overview.SubjectOf(panel.ID); of != "" {
		section, back = string(of), "/"+string(of)+"/"
	}
	v := chartView{page: p.page(l, section, panel.Title, at+panel.ID, r.URL.Query()), C: p.frame(s, panel, l, broad), Public: p.public(l)}
	v.Release, v.Frozen = s.Release.ID(), s.source.Frozen != nil
	v.Back = v.Link(back)
	if e := s.query().Encode(); e != "" {
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
