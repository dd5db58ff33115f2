package web

import (
	"net/http"
	"slices"

	"dtm"
	"dtm/access"
	"dtm/event"
	"dtm/locale"
)

// patrolShown is how many people the small page lists: on a bad line each counts.
const patrolShown = 25

type patrolTap struct{ Action, Reason, Label string }

type patrolRow struct {
	referralRow
	Needs  string
	Taps   []patrolTap
	After  []patrolTap // what can be answered once the first tap is kept
	Next   int         // version that the referral has then
	Ours   bool        // taken on: the person can be looked for
	Where  string
	Opened []fieldRow // name and where the person can be found
	Shut   string     // why nothing was opened
}

type patrolView struct {
	page
	Desk          *dtm.Desk
	Rows          []patrolRow
	More          int
	Message, Done string
	Now           string
}

// patrol is the inbox of those who go out to meet people: a page of a few kilobytes that
// needs no script. With one, an answer given without network is kept on the phone and
// sent when it comes back.
func (p *Pages) patrol(w http.ResponseWriter, r *http.Request) error {
	done := ""
	if a := r.URL.Query().Get("done"); slices.Contains(dtm.ReferralActions, dtm.ReferralAction(a)) {
		done = locale.Say(p.guess(r), "referral.done."+a)
	}
	return p.showPatrol(w, r, http.StatusOK, "", done)
}

func (p *Pages) showPatrol(w http.ResponseWriter, r *http.Request, status int, message, done string) error {
	ctx, u := event.WithActor(r.Context(), actor(r)), member(r.Context())
	v := patrolView{page: p.inside(r, "referrals", "patrol.title", "/referrals/patrol"), Message: message, Done: done, Now: locale.Date(p.guess(r), p.Now().In(p.Operation.Zone)) + " " + p.Now().In(p.Operation.Zone).Format("15:04")}
	desks, _, err := p.deskMap(ctx)
	if err != nil {
		return err
	}
	d, ok := desks[u.Desk]
	if !ok || u.Role != dtm.RoleDesk {
		return p.show(w, status, "patrol", v)
	}
	v.Desk = &d
	a, err := p.asker(ctx, u)
	if err != nil {
		return err
	}
	scope := a.Scope(access.ReadReferrals)
	// Those who were taken on come first: they are being looked for.
	var list []dtm.Referral
	for _, states := range [][]dtm.ReferralState{deskInbox[1], deskInbox[0]} {
		f := dtm.ReferralFilter{Within: &scope, Desks: []string{u.Desk}, States: states, Limit: max(1, patrolShown-len(list))}
		some, total, err := p.Staff.Referring.Referrals.Referrals(ctx, f)
		if err != nil {
			return err
		}
		some = some[:min(len(some), patrolShown-len(list))]
		list, v.More = append(list, some...), v.More+total-len(some)
	}
	opened := ""
	if r.Method == http.MethodPost {
		opened = r.PostFormValue("open")
	}
	for _, x := range list {
		row := patrolRow{referralRow: p.referralRow(v.page, x, nil), Taps: v.patrolTaps(x.State), Next: x.Version + 1, Ours: x.State.Accepted(), Where: v.PointName(x.Point)}
		var needs []string
		for _, n := range x.Needs {
			needs = append(needs, p.Operation.Lists["need"].Label(n, v.Lang))
		}
		row.Needs = together(v.Lang, needs)
		if !row.Ours {
			row.After = v.patrolTaps(dtm.ReferralAccepted)
		}
		if x.ID == opened {
			if err := p.whereabouts(r, &v, &row, x); err != nil {
				return err
			}
		}
		v.Rows = append(v.Rows, row)
	}
	return p.show(w, status, "patrol", v)
}

// patrolTaps are the answers on the road, from a state: each is one tap.
func (v patrolView) patrolTaps(s dtm.ReferralState) (list []patrolTap) {
	tap := func(a dtm.ReferralAction, reason, label string) {
		list = append(list, patrolTap{string(a), reason, v.T(label)})
	}
	switch s {
	case dtm.ReferralSent, dtm.ReferralAcknowledged:
		tap(dtm.ReferralAccept, "", "patrol.accept")
		tap(dtm.ReferralReject, "no_capacity", "patrol.full")
		tap(dtm.ReferralReject, "out_of_area", "patrol.away")
	case dtm.ReferralAccepted:
		tap(dtm.ReferralComplete, "", "patrol.helped")
		tap(dtm.ReferralMiss, "not_found", "patrol.notfound")
		tap(dtm.ReferralMiss, "moved_on", "patrol.movedon")
	case dtm.ReferralInService:
		tap(dtm.ReferralComplete, "", "patrol.helped")
	}
	return list
}

// whereabouts opens the name and the place of a person who was taken on, as far as
// agreement and consent go; it is recorded as any opening is.
func (p *Pages) whereabouts(r *http.Request, v *patrolView, row *patrolRow, x dtm.Referral) error {
	ctx, u := event.WithActor(r.Context(), actor(r)), member(r.Context())
	may, err := p.mayOf(ctx, u, x)
	if err != nil {
		return err
	}
	may = slices.DeleteFunc(may, func(g string) bool { return g != dtm.GroupIdentity && g != dtm.GroupContact })
	if len(may) == 0 {
		row.Shut = v.T("person.closed")
		return nil
	}
	person, err := p.Staff.Referring.Persons.OpenPerson(ctx, x.Person, may, "referral "+x.Number)
	if err != nil {
		return err
	}
	for _, f := range []string{"name", "case_code", "spot", "phone", "contact_note"} {
		value := person.Fields[f]
		if value == "" || f == "phone" && x.Contact == "not_safe" {
			continue
		}
		row.Opened = append(row.Opened, fieldRow{f, v.T("person.field." + f), p.fieldSaid(v.page, f, value)})
	}
	if len(row.Opened) == 0 {
		row.Shut = v.T("patrol.nothing")
	}
	return nil
}

// patrolForm is the form of a row's answers.
type patrolForm struct {
	At      string
	Version int
	Taps    []patrolTap
}

// Form is the form by which a row is answered when the referral has a version.
func (v patrolView) Form(row patrolRow, version int, taps []patrolTap) patrolForm {
	return patrolForm{v.Link("/staff/referrals/" + row.ID), version, taps}
}
