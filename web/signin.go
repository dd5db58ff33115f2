package web

import (
	"net/http"
	"strings"

	"dtm"
	"dtm/access"
	"dtm/locale"
)

type signInView struct {
	page
	Email, To, Message string
}

// signIn shows the form and takes what was typed in it.
func (p *Pages) signIn(w http.ResponseWriter, r *http.Request) error {
	l, err := p.lang(r)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	v := signInView{page: p.page(l, "staff", locale.Say(l, "signin.title"), "/staff/signin", nil), To: onward(r.FormValue("to"))}
	if r.Method != http.MethodPost {
		return p.show(w, http.StatusOK, "signin", v)
	}
	v.Email = strings.ToLower(strings.TrimSpace(r.PostFormValue("email")))
	u, err := access.SignIn(r.Context(), p.Staff.Users, v.Email, r.PostFormValue("password"))
	if dtm.KindOf(err) == dtm.Unauthenticated && err != nil {
		v.Message = locale.Error(l, err)
		return p.show(w, http.StatusUnauthorized, "signin", v)
	}
	if err != nil {
		return err
	}
	// A session id known before signing in must not be worth more after it.
	if err := p.Staff.Sessions.RenewToken(r.Context()); err != nil {
		return err
	}
	p.Staff.Sessions.Put(r.Context(), sessionEmail, u.Email)
	http.Redirect(w, r, "/"+string(l)+v.To, http.StatusSeeOther)
	return nil
}

// onward is the path after the language where a person goes on after signing in: of
// these pages, whatever the address said.
func onward(to string) string {
	if !strings.HasPrefix(to, "/staff/") || strings.HasPrefix(to, "/staff/sign") || strings.ContainsAny(to, "\\\r\n") {
		return "/staff/"
	}
	return to
}

func (p *Pages) signOut(w http.ResponseWriter, r *http.Request) error {
	if err := p.Staff.Sessions.Destroy(r.Context()); err != nil {
		return err
	}
	http.Redirect(w, r, "/"+string(p.guess(r))+"/staff/signin", http.StatusSeeOther)
	return nil
}
