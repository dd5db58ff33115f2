package web

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"dtm"
	"dtm/disseminate/maps"
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
	Panels  []framed
	Form    form
	Report  string // address, "" when there is none
	Active  string // the filter in words
	Public  string // the note on small counts
	Heading string
	Coming  []string  // what is still expected of the running month
	State   *standing // release or provisional; nil: there are no releases
	Asked   string    // release that the address asks for
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

// shown is an overview with what it was made from.
type shown struct {
	*overview.Overview
	source dtm.Source
	base   *maps.Base
	asked  string // as the address has it
	site   string // "https://dtm.example.org"
}

// choose picks the source of a request, with the filter's period filled in.
func (p *Pages) choose(r *http.Request) (dtm.Source, overview.Filter, error) {
	asked := r.URL.Query().Get("release")
	f, err := overview.ParseFilter(p.Operation, r.URL.Query())
	if err != nil {
		return dtm.Source{}, f, err
	}
	s, err := p.source(r.Context(), asked, f.To)
	if err != nil {
		return s, f, err
	}
	if s.Frozen != nil && f.From.IsZero() {
		f.From, f.To = s.Frozen.Month, s.Frozen.Month
	}
	if s.Frozen == nil {
		f, err = p.chosen(r.Context(), f)
	}
	return s, f, err
}

func (p *Pages) overview(r *http.Request) (shown, dtm.Lang, error) { return p.shown(r, "", nil) }

// shown builds the overview of an address, or one of its subjects; narrow may change
// what the address chose.
func (p *Pages) shown(r *http.Request, of overview.Subject, narrow func(*overview.Filter)) (shown, dtm.Lang, error) {
	l, err := p.lang(r)
	if err != nil {
		return shown{}, l, err
	}
	source, f, err := p.choose(r)
	if err != nil {
		return shown{}, l, err
	}
	if narrow != nil {
		narrow(&f)
	}
	s := shown{source: source, asked: r.URL.Query().Get("release"), site: siteOf(r)}
	if s.base, err = p.bases.Of(source.Operation); err != nil {
		return s, l, err
	}
	if of == "" {
		s.Overview, err = overview.Build(r.Context(), source.Figures, source.Operation, f, l)
	} else {
		s.Overview, err = overview.BuildSubject(r.Context(), source.Figures, source.Operation, f, l, of)
	}
	if err == nil && of == overview.Points && source.Frozen == nil {
		err = p.expect(r.Context(), s.Overview)
	}
	return s, l, err
}

// query is the address's own: the filter, and the release where one is asked for.
func (s shown) query() url.Values {
	q := s.Filter.Query()
	if s.asked != "" {
		q.Set("release", s.asked)
	}
	return q
}

func (p *Pages) dashboard(w http.ResponseWriter, r *http.Request) error {
	if l, err := p.lang(r); err == nil {
		source, _, err := p.choose(r)
		if err != nil {
			return err
		}
		tag, err := p.tag(r.Context(), source, l)
		if err != nil {
			return err
		}
		if fresh(w, r, tag) {
			return nil
		}
	}
	o, l, err := p.overview(r)
	if err != nil {
		return err
	}
	f := o.Filter
	v := dashboardView{page: p.page(l, "dashboard", locale.Say(l, "page.dashboard")+" · "+p.Operation.Name.In(l), "/", r.URL.Query()), O: o.Overview, Form: p.form(o.Overview, l), Asked: o.asked}
	v.Release, v.Frozen = o.Release.ID(), o.source.Frozen != nil
	if v.State, err = p.standing(r.Context(), o.source, l); err != nil {
		return err
	}
	v.Heading = locale.Say(l, "page.dashboard.title", p.Operation.Name.In(l))
	v.Public = p.public(l)
	n := min(3, len(o.Headlines))
	v.First, v.More = o.Headlines[:n], o.Headlines[n:]
	v.Panels = p.frames(o, l)
	if p.Options.Report != nil && f.From == f.To && !f.Narrowed() && !o.Empty {
		v.Report = "/" + string(l) + "/report/" + f.From.String() + ".pdf"
		if o.asked != "" {
			v.Report += "?" + url.Values{"release": {o.Release.ID()}}.Encode()
			if o.source.Frozen == nil {
				v.Report = "/" + string(l) + "/report/" + f.From.String() + ".pdf?release=" + dtm.ReleaseProvisional
			}
		}
	}
	if v.Coming, err = p.comingMonth(r.Context(), o, l); err != nil {
		return err
	}
	v.Active = p.active(o.Overview, l)
	return p.show(w, http.StatusOK, "dashboard", v)
}

// tag changes when the page can: with the figures, with the releases there are, with
// the day (a running month is averaged over the days there have been) and with the
// program.
func (p *Pages) tag(ctx context.Context, s dtm.Source, l dtm.Lang) (string, error) {
	release, err := s.Figures.Release(ctx)
	if err != nil {
		return "", err
	}
	state, err := p.standing(ctx, s, l)
	if err != nil {
		return "", err
	}
	beside := ""
	if state != nil {
		beside = state.Newer + state.Latest
	}
	return fmt.Sprintf(`W/"%s-%s-%s-%s-%x"`, release.ID(), beside, l, p.Now().In(p.Operation.Zone).Format("20060102"), p.started.Unix()), nil
}

// public says which counts are not published; "" when all are.
func (p *Pages) public(l dtm.Lang) string {
	if p.Operation.Threshold <= 1 {
		return ""
	}
	return locale.Say(l, "page.suppressed", p.Operation.Threshold-1)
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
	for _, a := range p.Operation.Atlas().Areas {
		if a.Level == 1 {
			f.Regions = append(f.Regions, option{a.Code, a.Name.In(l), a.Code == o.Filter.Region})
		}
	}
	for _, c := range p.Operation.Lists["direction"].Codes {
		f.Direction = append(f.Direction, option{c.Code, c.Label.In(l), c.Code == o.Filter.Direction})
	}
	return f
}
