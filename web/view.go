package web

import (
	"context"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"dtm"
	"dtm/locale"
)

// Viewing is what the views made for partners' mandates need.
type Viewing struct {
	// Reach is how far a user may receive figures, Of how far a partner's staff may:
	// Forbidden where no agreement stands.
	Reach func(ctx context.Context, u dtm.User) (dtm.Reach, error)
	Of    func(ctx context.Context, partner string) (dtm.Reach, error)
	// Share makes the token of a link, Shared reads it: NotFound; Gone when it is over.
	Share  func(x dtm.ViewLink) (string, error)
	Shared func(token string) (dtm.ViewLink, error)
}

type partnerView struct {
	page
	Partner, Code    string
	Partners, Months []option
	Month            string
	Panels           []viewPanel
	Reach            string // what it is narrowed to
	Refused          string
	Days             []option
	Address, Until   string // of a link that was just made
	Shared           bool   // it is looked at by a link
	Public           string
}

type viewPanel struct {
	ID, Name, Unit, Says, Definition string
	Narrow, Wide                     template.HTML
	Columns                          []string
	Keys                             int
	Rows                             [][]string
	Notes                            []string
	Release                          string
}

func (p *Pages) partner(code string) (dtm.Partner, bool) {
	i := slices.IndexFunc(p.Operation.Partners, func(x dtm.Partner) bool { return x.Code == code && len(x.View) > 0 })
	if i < 0 {
		return dtm.Partner{}, false
	}
	return p.Operation.Partners[i], true
}

// view shows a partner's staff the figures of their mandate, and the operation's own
// staff those of any partner, as that partner sees them.
func (p *Pages) view(w http.ResponseWriter, r *http.Request) error {
	return p.showView(w, r, partnerView{page: p.inside(r, "view", "view.title", "/view/")})
}

// ofPartner is the partner whose view a user looks at.
func (p *Pages) ofPartner(r *http.Request, u dtm.User) string {
	if u.Partner != "" || u.Role == dtm.RolePartner || u.Role == dtm.RoleDesk {
		return u.Partner
	}
	if code := r.FormValue("partner"); code != "" {
		return code
	}
	for _, x := range p.Operation.Partners {
		if len(x.View) > 0 {
			return x.Code
		}
	}
	return ""
}

func (p *Pages) showView(w http.ResponseWriter, r *http.Request, v partnerView) error {
	v.Code = p.ofPartner(r, v.User)
	if v.User.Partner == "" && v.User.Role != dtm.RolePartner && v.User.Role != dtm.RoleDesk {
		for _, x := range p.Operation.Partners {
			if len(x.View) > 0 {
				v.Partners = append(v.Partners, option{x.Code, x.Name.In(v.Lang), x.Code == v.Code})
			}
		}
	}
	for _, n := range dtm.ViewLinkDays {
		v.Days = append(v.Days, option{strconv.Itoa(n), v.T("view.days", n), n == 7})
	}
	return p.fillView(w, r, v)
}

// fillView asks for the tables of a view, as far as the partner's agreement reaches now.
func (p *Pages) fillView(w http.ResponseWriter, r *http.Request, v partnerView) error {
	ctx := r.Context()
	x, ok := p.partner(v.Code)
	if !ok {
		v.Refused = v.T("view.none")
		return p.show(w, http.StatusOK, "view", v)
	}
	v.Partner = x.Name.In(v.Lang)
	v.Public = p.public(v.Lang)
	reach, err := p.Staff.Viewing.Of(ctx, v.Code)
	if dtm.KindOf(err) == dtm.Forbidden && err != nil {
		v.Refused = locale.Error(v.Lang, err)
		return p.show(w, http.StatusOK, "view", v)
	}
	if err != nil {
		return err
	}
	if !reach.Everywhere {
		var names []string
		for _, code := range reach.Areas {
			names = append(names, p.areaName(v.Lang, code))
		}
		v.Reach = v.T("view.reach", together(v.Lang, names))
	}
	span, err := p.Figures.Span(ctx)
	if err != nil || span.From.IsZero() {
		v.Refused = v.T("view.nodata")
		return errorOr(err, func() error { return p.show(w, http.StatusOK, "view", v) })
	}
	m := p.latest(span)
	if asked := r.URL.Query().Get("month"); asked != "" {
		if m, err = dtm.ParseMonth(asked); err != nil {
			return err
		}
	}
	v.Month = m.String()
	for _, at := range slices.Backward(span.Months()) {
		if len(v.Months) < 36 && !p.today().Before(at) {
			v.Months = append(v.Months, option{at.String(), locale.Month(v.Lang, at), at == m})
		}
	}
	source, err := p.source(ctx, "", m)
	if err != nil {
		return err
	}
	for i, panel := range x.View {
		one, ok, err := p.viewPanel(ctx, v.page, source, panel, m, reach)
		if err != nil {
			return err
		}
		if ok {
			one.ID = "v" + strconv.Itoa(i)
			v.Panels = append(v.Panels, one)
		}
	}
	return p.show(w, http.StatusOK, "view", v)
}

func errorOr(err error, otherwise func() error) error {
	if err != nil {
		return err
	}
	return otherwise()
}

// viewPanel asks for one table; false where it may not be told within the reach.
func (p *Pages) viewPanel(ctx context.Context, g page, s dtm.Source, x dtm.ViewPanel, m dtm.Month, reach dtm.Reach) (out viewPanel, ok bool, err error) {
	figures := s.Figures
	if x.Months > 1 {
		figures = p.Figures // a release holds its own month
	}
	where := map[string][]string{}
	for d, codes := range x.Where {
		where[d] = codes
	}
	placed := slices.Contains(x.By, "region") || slices.Contains(x.By, "point")
	if !reach.Everywhere && !placed {
		where["region"] = reach.Areas
	}
	t, err := figures.Table(ctx, dtm.Query{Indicator: x.Indicator, Period: dtm.Months(m.Add(1-x.Months), m), By: x.By, Where: where})
	if dtm.KindOf(err) == dtm.Invalid && err != nil && !reach.Everywhere {
		return out, false, nil // not published by region
	}
	if err != nil {
		return out, false, err
	}
	if placed && !reach.Everywhere {
		t.Figures = slices.DeleteFunc(slices.Clone(t.Figures), func(f dtm.Figure) bool {
			for i, d := range t.By {
				region := f.Keys[i]
				if d == "point" {
					pt, _ := p.Operation.Point(region)
					region = pt.Area
				}
				if (d == "point" || d == "region") && !reach.Covers(region) {
					return true
				}
			}
			return false
		})
	}
	l, i := g.Lang, t.Indicator
	v := workshopView{page: g, ID: x.Indicator, Name: i.Name.In(l), Unit: unit(i, l)}
	for d, codes := range x.Where {
		for _, code := range codes {
			v.Name += " · " + p.Staff.Workshop.Label(d, code, l)
			v.ID += code
		}
	}
	for _, d := range x.By { // series are told apart by what they are split by
		v.ID += d
		if d != "month" {
			v.Name += " · " + p.Staff.Workshop.Word(d, l)
		}
	}
	out = viewPanel{Name: v.Name, Unit: v.Unit, Says: i.Definition.In(l), Definition: g.Link("/indicators/" + url.PathEscape(i.ID)), Release: t.Release.ID()}
	out.Columns, out.Keys, out.Rows = p.tabled(l, t, v.Unit)
	v.Columns = out.Columns
	out.Narrow, out.Wide = p.workshopChart(t, &v, narrow), p.workshopChart(t, &v, broad)
	for _, n := range t.Notes {
		out.Notes = append(out.Notes, n.Text.In(l))
	}
	return out, true, nil
}

// shareView makes a link that shows the view without an account for some days.
func (p *Pages) shareView(w http.ResponseWriter, r *http.Request) error {
	v := partnerView{page: p.inside(r, "view", "view.title", "/view/")}
	n, _ := strconv.Atoi(r.PostFormValue("days"))
	if !slices.Contains(dtm.ViewLinkDays, n) {
		return dtm.Errorf(dtm.Invalid, "a link is good for 1, 7 or 30 days").Coded("view.days")
	}
	code := p.ofPartner(r, v.User)
	if _, ok := p.partner(code); !ok {
		return dtm.Errorf(dtm.NotFound, "there is no such page").Coded("notfound")
	}
	if _, err := p.Staff.Viewing.Of(r.Context(), code); err != nil {
		return err
	}
	until := p.Now().Add(time.Duration(n) * 24 * time.Hour)
	token, err := p.Staff.Viewing.Share(dtm.ViewLink{Partner: code, Until: until})
	if err != nil {
		return err
	}
	if err := p.Staff.Trail.Exported(by(r), "user:"+v.User.Email, "view.link", map[string]any{"partner": code, "days": n}); err != nil {
		return err
	}
	v.Address, v.Until = p.Staff.Origin+v.Link("/shared/"+token), v.When(until)
	return p.showView(w, r, v)
}

// sharedView shows a partner's view to whom a link was given, until it is over or the
// partner's agreement has ended.
func (p *Pages) sharedView(w http.ResponseWriter, r *http.Request) error {
	l, err := p.lang(r)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("X-Robots-Tag", "noindex")
	x, err := p.Staff.Viewing.Shared(r.PathValue("token"))
	if err != nil {
		return err
	}
	v := partnerView{page: p.page(l, "view", locale.Say(l, "view.title"), "/shared/"+r.PathValue("token"), r.URL.Query()), Code: x.Partner, Shared: true}
	v.Until = v.When(x.Until)
	return p.fillView(w, r, v)
}
