package web

import (
	"net/http"

	"dtm"
	"dtm/locale"
)

type invitationView struct {
	page
	dtm.Invitation
	Token         string
	Role, Partner string
	Message       string
}

// invitation shows what somebody is invited to, and takes the password that they choose.
// One that was used, one that is over and one that never was are answered alike.
func (p *Pages) invitation(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer") // the address is the key
	l, token := p.guess(r), r.PathValue("token")
	i, err := p.Staff.Accounts.Invitation(r.Context(), token)
	if err != nil {
		return err
	}
	v := invitationView{page: p.page(l, "staff", locale.Say(l, "invitation.title."+i.Kind), "/staff/invitation/"+token, nil), Invitation: i, Token: token}
	v.Role, v.Partner = v.RoleName(i.Role), p.partnerName(v.page, i.Partner)
	if r.Method != http.MethodPost {
		return p.show(w, http.StatusOK, "invitation", v)
	}
	hash, err := p.newPassword(r.Context(), r.PostFormValue("password"), i.Email)
	if dtm.KindOf(err) == dtm.Invalid && err != nil {
		v.Message = locale.Error(l, err)
		return p.show(w, http.StatusUnprocessableEntity, "invitation", v)
	}
	if err != nil {
		return err
	}
	u, err := p.Staff.Accounts.Accept(r.Context(), token, hash)
	if err != nil {
		return err
	}
	if _, err := p.begin(w, r, u.Email, false); err != nil { // a second factor is asked for as ever
		return err
	}
	http.Redirect(w, r, "/"+string(l)+"/staff/account/", http.StatusSeeOther)
	return nil
}

// partnerName is a partner's in the page's language.
func (p *Pages) partnerName(g page, code string) string {
	for _, x := range p.Operation.Partners {
		if x.Code == code {
			return x.Name.In(g.Lang)
		}
	}
	return code
}
