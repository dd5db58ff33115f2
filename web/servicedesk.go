package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"dtm"
	"dtm/event"
	"dtm/locale"
)

type deskRow struct {
	dtm.Desk
	Title, Agency, ProgrammeName, Places, Hours, Speaks, State, Verified string
	Mine, Stale, Never                                                   bool
	CapacityText                                                         string
}

type desksView struct {
	page
	Rows          []deskRow
	Message, Done string
}

// serviceDesks is the service directory. A desk keeps its own places.
func (p *Pages) serviceDesks(w http.ResponseWriter, r *http.Request) error {
	return p.showDesks(w, r, http.StatusOK, "", "")
}

func (p *Pages) showDesks(w http.ResponseWriter, r *http.Request, status int, message, done string) error {
	u, now := member(r.Context()), p.Now()
	v := desksView{page: p.inside(r, "desks", "desk.title", "/desks/"), Message: message, Done: done}
	_, list, err := p.deskMap(r.Context())
	if err != nil {
		return err
	}
	for _, d := range list {
		row := deskRow{Desk: d, Title: d.Name.In(v.Lang), Agency: v.Partner(d.Partner), ProgrammeName: v.Programme(d.Programme), Places: v.T("desk.places.none"), Verified: v.T("desk.never"), Never: d.Verified.IsZero(), Mine: u.Role == dtm.RoleFocal || u.Desk == d.Code, Stale: now.Sub(d.Verified) > dtm.Stale}
		if d.Capacity != dtm.NoLimit {
			row.Places, row.CapacityText = v.T("desk.places.of", d.Free(), d.Capacity), strconv.Itoa(d.Capacity)
		}
		if d.Open.Days != 0 {
			row.Hours = v.plan(d.Open)
		}
		var speaks []string
		for _, l := range d.Languages {
			speaks = append(speaks, v.T("language."+l))
		}
		row.Speaks = together(v.Lang, speaks)
		if !d.Verified.IsZero() {
			row.Verified = v.T("desk.verified", v.When(d.Verified))
		}
		switch {
		case d.Closed:
			row.State = v.T("desk.why.closed")
		case d.PausedAt(now):
			row.State = v.T("desk.paused", d.Paused)
			if d.Until != nil {
				row.State = v.T("desk.paused.until", d.Paused, v.When(*d.Until))
			}
		}
		v.Rows = append(v.Rows, row)
	}
	// A desk finds its own entry first.
	slices.SortStableFunc(v.Rows, func(a, b deskRow) int {
		switch {
		case a.Mine == b.Mine:
			return 0
		case a.Mine:
			return -1
		}
		return 1
	})
	return p.show(w, status, "desks", v)
}

// keepDesk takes a desk's word on its places and pause.
func (p *Pages) keepDesk(w http.ResponseWriter, r *http.Request) error {
	u, code := member(r.Context()), r.PathValue("code")
	ctx, l := event.WithActor(r.Context(), actor(r)), p.guess(r)
	if u.Role != dtm.RoleFocal && u.Desk != code {
		return dtm.Errorf(dtm.NotFound, "there is no desk %q of yours", code).Coded("desk.unknown", code)
	}
	d, err := p.Staff.Referring.Desks.Desk(ctx, code)
	if err != nil {
		return err
	}
	if r.PostFormValue("do") == "confirm" {
		if err := p.Staff.Referring.Desks.VerifyDesk(ctx, code); err != nil {
			return err
		}
		return p.showDesks(w, r, http.StatusOK, "", locale.Say(l, "desk.confirmed", d.Name.In(l)))
	}
	capacity := dtm.NoLimit
	if s := strings.TrimSpace(r.PostFormValue("capacity")); s != "" {
		if capacity, err = strconv.Atoi(s); err != nil || capacity < 0 || capacity > 999_999 {
			return p.showDesks(w, r, http.StatusBadRequest, locale.Say(l, "error.desk.capacity"), "")
		}
	}
	if err := tooLong(r, map[string]int{"pause": 100}); err != nil {
		return p.showDesks(w, r, http.StatusBadRequest, locale.Error(l, err), "")
	}
	var until *time.Time
	if days, err := strconv.Atoi(r.PostFormValue("until")); err == nil && days > 0 && days <= 31 {
		// the morning after so many days: whoever comes on duty finds the desk open
		day := dtm.DayOf(p.Now(), p.Operation.Zone).AddDate(0, 0, days)
		at := time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, p.Operation.Zone)
		until = &at
	}
	if _, err := p.Staff.Referring.Desks.SetCapacity(ctx, code, capacity, strings.TrimSpace(r.PostFormValue("pause")), until); err != nil {
		return err
	}
	return p.showDesks(w, r, http.StatusOK, "", locale.Say(l, "desk.kept", d.Name.In(l)))
}
