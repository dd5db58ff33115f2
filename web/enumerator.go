package web

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"dtm"
	"dtm/check"
	"dtm/locale"
)

// enumeratorRow is what a device did beside the team's medians.
type enumeratorRow struct {
	Name, Point             string
	Records, People         int
	Complete, Flagged, Time string
	Href                    string
}

type enumeratorsView struct {
	page
	Rows    []enumeratorRow
	Team    enumeratorRow
	Made    string // of when the figures are
	Refresh bool   // they are being counted
}

// Enumerators gives the figures of the last thirty days by device, the team's medians,
// and of when they are.
type Enumerators func(ctx context.Context) ([]check.Figure, check.Figure, Made, error)

func (p *Pages) enumerators(w http.ResponseWriter, r *http.Request) error {
	v := enumeratorsView{page: p.inside(r, "enumerators", "staff.enumerators", "/enumerators/")}
	var made Made
	var err error
	if v.Rows, v.Team, made, err = p.figures(r.Context(), v.page, func(string) bool { return true }); err != nil {
		return err
	}
	if v.Made, v.Refresh = v.T("page.making"), !made.Ready; made.Ready {
		v.Made = v.T("page.asof", v.When(made.At))
	}
	return p.show(w, http.StatusOK, "enumerators", v)
}

// figures are those of some devices, by point and name, and the team's medians.
func (p *Pages) figures(ctx context.Context, g page, of func(device string) bool) (rows []enumeratorRow, middle enumeratorRow, made Made, err error) {
	list, team, made, err := p.Staff.Review.Enumerators(ctx)
	if err != nil || !made.Ready {
		return nil, middle, made, err
	}
	devices, err := p.Staff.Devices.Devices(ctx)
	if err != nil {
		return nil, middle, made, err
	}
	row := func(f check.Figure) enumeratorRow {
		out := enumeratorRow{Name: f.Device, Records: f.Records, People: f.People, Complete: locale.Percent(g.Lang, 100*f.Complete, 0),
			Flagged: g.Number(f.Flagged) + " (" + locale.Percent(g.Lang, 100*f.FlaggedShare(), 0) + ")", Time: "–"}
		if f.Seconds > 0 {
			out.Time = g.T("enumerator.minutes", locale.Number(g.Lang, f.Seconds/60, 1))
		}
		return out
	}
	for _, f := range list {
		if !of(f.Device) {
			continue
		}
		x := row(f)
		if i := slices.IndexFunc(devices, func(d dtm.Device) bool { return d.ID == f.Device }); i >= 0 {
			x.Name, x.Point = devices[i].Name, g.PointName(devices[i].Point)
		}
		rows = append(rows, x)
	}
	slices.SortFunc(rows, func(a, b enumeratorRow) int { return strings.Compare(a.Point+a.Name, b.Point+b.Name) })
	return rows, row(team), made, nil
}

// ownView is what an enumerator sees of the points that they are assigned to.
type ownView struct {
	Points []string
	Rows   []enumeratorRow
	Team   enumeratorRow
}

// own are the figures of the devices that a user works with: those of the points whose
// crew they are in today. nil for who is no enumerator.
func (p *Pages) own(ctx context.Context, g page) (*ownView, error) {
	if g.User.Role != dtm.RoleEnumerator || p.Staff.Review == nil {
		return nil, nil
	}
	v, with := &ownView{}, map[string]bool{}
	for _, pt := range p.Operation.Network() {
		if crew := pt.CrewAt(p.civilToday()); slices.Contains(crew.Enumerators, g.User.Email) {
			v.Points = append(v.Points, pt.Name.In(g.Lang))
			for _, d := range crew.Devices {
				with[d] = true
			}
		}
	}
	var err error
	v.Rows, v.Team, _, err = p.figures(ctx, g, func(d string) bool { return with[d] })
	return v, err
}

// teamTable is the table of figures, on whichever page.
type teamTable struct {
	page
	Label string
	Rows  []enumeratorRow
	Team  enumeratorRow
}

// Table is the table of figures under a label.
func (g page) Table(label string, rows []enumeratorRow, team enumeratorRow) teamTable {
	return teamTable{g, label, rows, team}
}
