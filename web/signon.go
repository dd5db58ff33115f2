package web

import (
	"net/http"

	"dtm"
	"dtm/event"
	"dtm/locale"
)

// awayCookie binds a browser to the sign-in that it began at the other house.
const awayCookie = "dtm-away"

func (p *Pages) away(w http.ResponseWriter, value string) {
	c := &http.Cookie{Name: awayCookie, Value: value, Path: "/", HttpOnly: true, Secure: p.Staff.Secure, SameSite: http.SameSiteLaxMode, MaxAge: 600}
	if p.Staff.Secure {
		c.Name = "__Host-" + awayCookie
	}
	if value == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

// signOn sends a browser to the house that vouches for users.
func (p *Pages) signOn(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Cache-Control", "no-store")
	address, browser, err := p.Staff.SignOn.Begin(r.Context(), "/"+string(p.guess(r))+onward(r.FormValue("to")))
	if err != nil {
		return err
	}
	p.away(w, browser)
	http.Redirect(w, r, address, http.StatusSeeOther)
	return nil
}

// signedOn takes it back. An identity that is not linked yet is linked to the account
// of its address when the house has checked that address; it never opens an account.
func (p *Pages) signedOn(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Cache-Control", "no-store")
	ctx, browser := r.Context(), ""
	for _, name := range []string{awayCookie, "__Host-" + awayCookie} {
		if c, err := r.Cookie(name); err == nil {
			browser = c.Value
		}
	}
	p.away(w, "")
	id, to, err := p.Staff.SignOn.End(ctx, r.URL.Query(), browser)
	if refused(err) {
		return p.refuseSignIn(w, r, signInView{}, "", err)
	}
	if err != nil {
		return err
	}
	email, err := p.Staff.Accounts.IdentityOf(ctx, id.Issuer, id.Subject)
	if dtm.KindOf(err) == dtm.NotFound && err != nil && id.Verified && id.Email != "" {
		u, _, e := p.Staff.Users.User(ctx, id.Email)
		if e == nil {
			email, err = u.Email, p.Staff.Accounts.LinkIdentity(event.WithActor(ctx, "user:"+u.Email), id.Issuer, id.Subject, u.Email)
		}
	}
	if err == nil {
		var u dtm.User
		if u, _, err = p.Staff.Users.User(ctx, email); err == nil && u.Disabled != nil {
			err = dtm.Errorf(dtm.NotFound, "this account is closed").Coded("signon.unknown")
		}
	}
	if refused(err) {
		return p.refuseSignIn(w, r, signInView{}, "", dtm.Errorf(dtm.Unauthenticated, "%s", locale.Say(dtm.English, "error.signon.unknown")).Coded("signon.unknown"))
	}
	if err != nil {
		return err
	}
	if _, err := p.begin(w, r, email, id.Second); err != nil {
		return err
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}
