package access

import (
	"slices"
	"time"

	"dtm"
)

// Reach is how far a user may receive figures in views and subscriptions: the operation's
// own staff everywhere, a partner's as its agreements about figures say that stand now.
// Forbidden where none does; Unauthenticated or Forbidden as for the role.
func Reach(u dtm.User, agreements []dtm.Agreement, now time.Time, zone *time.Location) (dtm.Reach, error) {
	if err := Decide(u, ReceiveFigures); err != nil {
		return dtm.Reach{}, err
	}
	if u.Partner == "" && u.Role != dtm.RolePartner && u.Role != dtm.RoleDesk {
		return dtm.Reach{Everywhere: true, Raised: Decide(u, ReadSubmissions) == nil}, nil
	}
	var r dtm.Reach
	stands := false
	for _, a := range agreements {
		if a.Kind != dtm.AgreementFigures || a.Partner != u.Partner || u.Partner == "" || !a.Stands(now, zone) {
			continue
		}
		stands = true
		if len(a.Areas) == 0 {
			r.Everywhere = true
		}
		r.Areas = append(r.Areas, a.Areas...)
	}
	if !stands {
		return r, dtm.Errorf(dtm.Forbidden, "no agreement about figures with your institution is in force; what is published stands open to everybody").Coded("access.figures")
	}
	if r.Everywhere {
		r.Areas = nil
	}
	slices.Sort(r.Areas)
	r.Areas = slices.Compact(r.Areas)
	return r, nil
}
