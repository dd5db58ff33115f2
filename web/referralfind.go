package web

import (
	"net/http"

	"dtm"
	"dtm/access"
	"dtm/event"
	"dtm/locale"
)

// knownRow is a person as the search shows them: their referrals, not who they are.
type knownRow struct {
	Who  string
	Rows []referralRow
}

type findView struct {
	page
	Asked   bool
	Asking  dtm.PersonSearch
	Found   []knownRow
	More    bool
	Message string
}

// mostFound is how many persons a search shows; a question that more answer to says too
// little.
const mostFound = 20

// findPerson asks the register by name, telephone, year of birth or case code. What is
// asked is posted, so that no name stands in an address; the search is recorded. Who
// somebody is is opened from the referral, which is recorded too.
func (p *Pages) findPerson(w http.ResponseWriter, r *http.Request) error {
	ctx, u := event.WithActor(r.Context(), actor(r)), member(r.Context())
	if u.Role != dtm.RoleFocal {
		return dtm.Errorf(dtm.Forbidden, "the register is searched by the focal point").Coded("referral.who")
	}
	v := findView{page: p.inside(r, "referrals", "find.title", "/referrals/find"), Asked: r.Method == http.MethodPost}
	if !v.Asked {
		return p.show(w, http.StatusOK, "referralfind", v)
	}
	value := func(name string) string { return trimmed(r.PostFormValue(name), 200) }
	v.Asking = dtm.PersonSearch{Name: value("name"), BirthYear: value("birth_year"), Phone: value("phone"), CaseCode: value("case_code"), Limit: mostFound + 1}
	if v.Asking.Name+v.Asking.BirthYear+v.Asking.Phone+v.Asking.CaseCode == "" {
		v.Message, v.Asked = locale.Say(v.Lang, "find.empty"), false
		return p.show(w, http.StatusBadRequest, "referralfind", v)
	}
	ids, err := p.Staff.Referring.Persons.FindPersons(ctx, v.Asking)
	if err != nil {
		return err
	}
	if v.More = len(ids) > mostFound; v.More {
		ids = ids[:mostFound]
	}
	a, err := p.asker(ctx, u)
	if err != nil {
		return err
	}
	scope := a.Scope(access.ReadReferrals)
	desks, _, err := p.deskMap(ctx)
	if err != nil {
		return err
	}
	for _, id := range ids {
		list, _, err := p.Staff.Referring.Referrals.Referrals(ctx, dtm.ReferralFilter{Within: &scope, Person: &id, Limit: 5})
		if err != nil {
			return err
		}
		var f knownRow
		for _, x := range list {
			row := p.referralRow(v.page, x, desks)
			f.Who, f.Rows = row.Who, append(f.Rows, row)
		}
		if len(f.Rows) > 0 {
			v.Found = append(v.Found, f)
		}
	}
	return p.show(w, http.StatusOK, "referralfind", v)
}
