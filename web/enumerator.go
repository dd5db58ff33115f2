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
	Rows []enumeratorRow
	Team enumeratorRow
}

// Enumerators gives the figures of the last thirty days by device, and the team's
// medians.
type Enumerators func(ctx context.Context) ([]check.Figure, check.Figure, error)

func (p *Pages) enumerators(w http.ResponseWriter, r *http.Request) error {
	v := enumeratorsView{page: p.inside(r, "enumerators", "staff.enumerators", "/enumerators/")}
	list, team, err := p.Staff.Review.Enumerators(r.Context())
	if err != nil {
		return err
	}
	devices, err := p.Staff.Devices.Devices(r.Context())
	if err != nil {
		return err
	}
	row := func(f check.Figure) enumeratorRow {
		out := enumeratorRow{Name: f.Device, Records: f.Records, People: f.People, Complete: locale.Percent(v.Lang, 100*f.Complete, 0),
			Flagged: v.Number(f.Flagged) + " (" + locale.Percent(v.Lang, 100*f.FlaggedShare(), 0) + ")", Time: "–"}
		if f.Seconds > 0 {
			out.Time = v.T("enumerator.minutes", locale.Number(v.Lang, f.Seconds/60, 1))
		}
		return out
	}
	for _, f := range list {
		x := row(f)
		if i := slices.IndexFunc(devices, func(d dtm.Device) bool { return d.ID == f.Device }); i >= 0 {
			x.Name, x.Point = devices[i].Name, v.PointName(devices[i].Point)
		}
		v.Rows = append(v.Rows, x)
	}
	slices.SortFunc(v.Rows, func(a, b enumeratorRow) int { return strings.Compare(a.Point+a.Name, b.Point+b.Name) })
	v.Team = row(team)
	return p.show(w, http.StatusOK, "enumerators", v)
}
