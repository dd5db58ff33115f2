package web

import (
	"cmp"
	"html/template"
	"net/http"
	"slices"

	"dtm"
	"dtm/access"
	"dtm/disseminate/maps"
	"dtm/locale"
)

// waitRow is how many wait at a place or for a desk, and how far it is with them.
type waitRow struct {
	Name, Note              string
	ToSend, ToAnswer, Taken int
	Stuck, Late, All        int
	code                    string
}

func (w *waitRow) add(x dtm.Waiting) {
	w.All += x.N
	w.Late += x.Late
	switch x.State {
	case dtm.ReferralSubmitted:
		w.ToSend += x.N
	case dtm.ReferralSent, dtm.ReferralAcknowledged:
		w.ToAnswer += x.N
	case dtm.ReferralAccepted, dtm.ReferralInService:
		w.Taken += x.N
	default:
		w.Stuck += x.N
	}
}

type waitingView struct {
	page
	Total        waitRow
	Places       []waitRow
	Desks        []waitRow
	Narrow, Wide template.HTML
}

// waiting shows who waits where: counts by the place where people were met and by the
// desk that was asked. No row names anybody, and the map is by region.
func (p *Pages) waiting(w http.ResponseWriter, r *http.Request) error {
	ctx, u := r.Context(), member(r.Context())
	v := waitingView{page: p.inside(r, "referrals", "waiting.title", "/referrals/waiting")}
	a, err := p.asker(ctx, u)
	if err != nil {
		return err
	}
	scope := a.Scope(access.ReadReferrals)
	list, err := p.Staff.Referring.Referrals.Waiting(ctx, &scope, p.Now())
	if err != nil {
		return err
	}
	desks, _, err := p.deskMap(ctx)
	if err != nil {
		return err
	}
	places, teams, regions := map[string]*waitRow{}, map[string]*waitRow{}, map[string]float64{}
	row := func(m map[string]*waitRow, code, name, note string) *waitRow {
		if m[code] == nil {
			m[code] = &waitRow{Name: name, Note: note, code: code}
		}
		return m[code]
	}
	for _, x := range list {
		v.Total.add(x)
		name, note := v.T("waiting.nowhere"), ""
		if pt, ok := p.Operation.Point(x.Point); ok {
			name = pt.Name.In(v.Lang)
			if area, ok := p.Operation.Area(pt.Area); ok && area.Name.In(v.Lang) != name {
				note = area.Name.In(v.Lang)
			}
			regions[pt.Area] += float64(x.N)
		}
		row(places, x.Point, name, note).add(x)
		name, note = v.T("waiting.nodesk"), ""
		if d, ok := desks[x.Desk]; ok {
			name, note = d.Name.In(v.Lang), v.T("desk.places.none")
			if d.Capacity != dtm.NoLimit {
				note = v.T("desk.places.of", d.Free(), d.Capacity)
			}
			if d.PausedAt(p.Now()) {
				note = v.T("desk.paused", d.Paused)
			}
		}
		row(teams, x.Desk, name, note).add(x)
	}
	v.Places, v.Desks = waitRows(places), waitRows(teams)
	if base := p.ground(); base != nil && len(regions) > 0 {
		v.Narrow, v.Wide = p.regionMap(v.page, base, "wait-n", 360, regions), p.regionMap(v.page, base, "wait-w", 900, regions)
	}
	return p.show(w, http.StatusOK, "waiting", v)
}

// waitRows puts first where most are late, then where most wait.
func waitRows(m map[string]*waitRow) (list []waitRow) {
	for _, x := range m {
		list = append(list, *x)
	}
	slices.SortFunc(list, func(a, b waitRow) int {
		return cmp.Or(cmp.Compare(b.Late, a.Late), cmp.Compare(b.All, a.All), cmp.Compare(a.code, b.code))
	})
	return list
}

// regionMap draws counts at the middle of each region: positions of people in need are
// drawn no finer.
func (p *Pages) regionMap(g page, base *maps.Base, id string, width float64, regions map[string]float64) template.HTML {
	title := g.T("waiting.map")
	m := maps.Spec{ID: id, Title: title, Alt: title, Country: p.Operation.Country, Lang: g.Lang, Width: width, Names: map[string]string{},
		Number: func(x float64) string { return locale.Number(g.Lang, x, 0) }, Texts: maps.Texts{Disclaimer: p.Operation.Disclaimer.In(g.Lang), Movements: g.T("waiting.people")}}
	for _, a := range p.Operation.Atlas().Areas {
		m.Names[a.Code] = a.Name.In(g.Lang)
	}
	for code, n := range regions {
		a, ok := p.Operation.Area(code)
		if !ok {
			continue
		}
		m.Points = append(m.Points, maps.Point{Code: code, Label: a.Name.In(g.Lang), Region: code, Value: &n})
	}
	slices.SortFunc(m.Points, func(a, b maps.Point) int { return cmp.Compare(a.Code, b.Code) })
	return template.HTML(base.SVG(m)) //nolint:gosec // our own drawing, texts escaped
}

type waitTable struct {
	page
	Title, ID string
	Rows      []waitRow
}

// Table is one of the two tables with its heading.
func (v waitingView) Table(title, id string, rows []waitRow) waitTable {
	return waitTable{v.page, title, id, rows}
}
