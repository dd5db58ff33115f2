package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"dtm"
	"dtm/disseminate/overview"
	"dtm/locale"
	"dtm/serve"
)

type subjectView struct {
	page
	O       *overview.Overview
	Heading string
	Text    string
	Active  string // the period, and what else is chosen
	First   []overview.Headline
	More    []overview.Headline
	Panels  []framed
	Form    form
	To      string // where the form leads
	Places  bool   // the form offers places and direction
	Asked   string
	State   *standing
	Public  string
	// Of the page of all points.
	Points, Closed, Regions []placeLink
	// Of the page of one place.
	Place   bool
	Facts   [][2]string
	Parent  *placeLink // the region of a point, or all points
	Report  string
	Days    string // where the days are
	LastSay string // the last month with records, when this one has none
	Last    string
}

type placeLink struct{ Name, Href, Note string }

// subject is the page of one part of what is known.
func (p *Pages) subject(of overview.Subject) serve.Func {
	return func(w http.ResponseWriter, r *http.Request) error {
		unplaced := func(f *overview.Filter) { f.Point, f.Region, f.Direction = "", "", "" }
		if of == overview.Flows {
			unplaced = nil
		}
		v, s, err := p.subjectView(r, of, "/"+string(of)+"/", unplaced)
		if err != nil {
			return err
		}
		v.Heading, v.Text, v.Places = v.T("subject."+string(of)), v.T("subject."+string(of)+".text"), of == overview.Flows
		v.Title = v.T("subject.title", v.Heading, p.Operation.Name.In(v.Lang))
		if of == overview.Points {
			p.listPlaces(&v, s)
		}
		return p.show(w, http.StatusOK, "subject", v)
	}
}

// subjectView is what all pages of subjects have; section is that of the menu.
func (p *Pages) subjectView(r *http.Request, of overview.Subject, to string, narrow func(*overview.Filter)) (subjectView, shown, error) {
	s, l, err := p.shown(r, of, narrow)
	if err != nil {
		return subjectView{}, s, err
	}
	section := string(of)
	if of == overview.PlacePoint || of == overview.PlaceRegion {
		section = string(overview.Points)
	}
	v := subjectView{page: p.page(l, section, "", to, r.URL.Query()), O: s.Overview, Form: p.form(s.Overview, l), To: to, Asked: s.asked, Public: p.public(l)}
	v.Release, v.Frozen = s.Release.ID(), s.source.Frozen != nil
	v.Active = p.active(s.Overview, l)
	n := min(3, len(s.Headlines))
	v.First, v.More = s.Headlines[:n], s.Headlines[n:]
	v.Panels = p.frames(s, l)
	v.State, err = p.standing(r.Context(), s.source, l)
	return v, s, err
}

// period is the query of the period alone, for links from place to place.
func (s shown) period() string {
	q := url.Values{}
	for _, k := range []string{"from", "to", "release"} {
		if x := s.query().Get(k); x != "" {
			q.Set(k, x)
		}
	}
	if len(q) == 0 {
		return ""
	}
	return "?" + q.Encode()
}

// listPlaces names all points and regions, those without movements in the period too.
func (p *Pages) listPlaces(v *subjectView, s shown) {
	day := s.Period.To.AddDate(0, 0, -1)
	count := map[string]int{}
	for _, pt := range p.Operation.Network() {
		count[pt.Area]++
		note := ""
		if a, ok := p.Operation.Area(pt.Area); ok {
			note = a.Name.In(v.Lang)
		}
		link := placeLink{pt.Name.In(v.Lang), v.Link("/points/" + url.PathEscape(pt.Code) + s.period()), note}
		if dtm.ValueAt(pt.Status, day) == dtm.Closed {
			v.Closed = append(v.Closed, link)
		} else {
			v.Points = append(v.Points, link)
		}
	}
	for _, a := range p.Operation.Atlas().Areas {
		if a.Level == 1 && count[a.Code] > 0 {
			v.Regions = append(v.Regions, placeLink{a.Name.In(v.Lang), v.Link("/regions/" + url.PathEscape(a.Code) + s.period()), v.T("place.region.sub", count[a.Code])})
		}
	}
	for _, list := range [][]placeLink{v.Points, v.Closed, v.Regions} {
		slices.SortFunc(list, func(a, b placeLink) int { return strings.Compare(a.Name, b.Name) })
	}
}

// placePage is the page of one point or one region.
func (p *Pages) placePage(of overview.Subject) serve.Func {
	return func(w http.ResponseWriter, r *http.Request) error {
		code := r.PathValue("code")
		pt, isPoint := p.Operation.Point(code)
		area, isArea := p.Operation.Area(code)
		if of == overview.PlacePoint && !isPoint || of == overview.PlaceRegion && (!isArea || area.Level != 1) {
			return dtm.Errorf(dtm.NotFound, "there is no such page").Coded("notfound")
		}
		to, where := "/regions/"+url.PathEscape(code), map[string][]string{"region": {code}}
		if of == overview.PlacePoint {
			to, where = "/points/"+url.PathEscape(code), map[string][]string{"point": {code}}
		}
		v, s, err := p.subjectView(r, of, to, func(f *overview.Filter) {
			*f = overview.Filter{From: f.From, To: f.To}
			if of == overview.PlacePoint {
				f.Point = code
			} else {
				f.Region = code
			}
		})
		if err != nil {
			return err
		}
		v.Place, v.Active = true, s.When
		v.Days = v.Link("/flows/" + s.period() + "#flows-days")
		v.Parent = &placeLink{v.T("subject.points"), v.Link("/points/" + s.period()), ""}
		if of == overview.PlacePoint {
			p.pointFacts(&v, s, pt)
		} else {
			v.Heading = area.Name.In(v.Lang)
			for _, x := range p.Operation.Network() {
				if x.Area == code {
					v.Points = append(v.Points, placeLink{x.Name.In(v.Lang), v.Link("/points/" + url.PathEscape(x.Code) + s.period()), ""})
				}
			}
			v.Text = v.T("place.region.sub", len(v.Points))
		}
		v.Title = v.T("subject.title", v.Heading, p.Operation.Name.In(v.Lang))
		if len(s.Headlines) == 0 && !s.NoData {
			v.O.Empty = true
			if err := p.lastSeen(r, &v, s, where); err != nil {
				return err
			}
		}
		return p.show(w, http.StatusOK, "subject", v)
	}
}

// pointFacts are what is fixed about a point on the last day of the period.
func (p *Pages) pointFacts(v *subjectView, s shown, pt dtm.Point) {
	day := s.Period.To.AddDate(0, 0, -1)
	v.Heading = pt.Name.In(v.Lang)
	if a, ok := p.Operation.Area(pt.Area); ok {
		v.Text = v.T("place.point.sub", a.Name.In(v.Lang))
		v.Parent = &placeLink{a.Name.In(v.Lang), v.Link("/regions/" + url.PathEscape(a.Code) + s.period()), ""}
	}
	if role := dtm.ValueAt(pt.Role, day); role != "" {
		v.Facts = append(v.Facts, [2]string{v.T("word.role"), v.T("role." + role)})
	}
	if state := dtm.ValueAt(pt.Status, day); state != "" {
		text := v.T("status." + state)
		if from := since(v.Lang, pt.Status, day); from != "" {
			text += " · " + v.T("word.since") + " " + from
		}
		v.Facts = append(v.Facts, [2]string{v.T("word.status"), text})
	}
	if p.Options.Report != nil && s.Filter.From == s.Filter.To && len(s.Headlines) > 0 {
		name := dtm.Report{Product: dtm.ReportPoint, Month: s.Filter.To, Of: pt.Code}.Name()
		v.Report = v.Link("/report/" + name + ".pdf")
		if s.asked != "" {
			v.Report += "?" + url.Values{"release": {s.asked}}.Encode()
		}
	}
}

// lastSeen finds the last month before the period's end in which movements were recorded
// at the place.
func (p *Pages) lastSeen(r *http.Request, v *subjectView, s shown, where map[string][]string) error {
	first, last := dtm.MonthOf(s.Span.From), s.Filter.To
	if !first.Before(last) {
		return nil
	}
	t, err := s.source.Figures.Table(r.Context(), dtm.Query{Indicator: "total_movements", Period: dtm.Months(first, last), Where: where, By: []string{"month"}})
	if err != nil {
		return err
	}
	var seen dtm.Month
	for _, f := range t.Figures {
		if m, err := dtm.ParseMonth(f.Keys[0]); err == nil && (f.Suppressed || f.Value != nil && *f.Value > 0) && (seen.IsZero() || seen.Before(m)) {
			seen = m
		}
	}
	if !seen.IsZero() {
		v.LastSay = v.T("place.empty.last", locale.Month(v.Lang, seen))
		v.Last = v.Link(v.To + "?" + url.Values{"from": {seen.String()}, "to": {seen.String()}}.Encode())
	}
	return nil
}
