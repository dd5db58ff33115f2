package web

import (
	"net/http"
	"strconv"
	"strings"

	"dtm"
	"dtm/access"
	"dtm/event"
	"dtm/locale"
	"dtm/serve"
)

type signInView struct {
	page
	Email, To, Message string
	Passkeys           bool   // the address is one for which browsers keep them
	SignOn             string // the name of the house that vouches for users, "" when none does
}

// signIn shows the form and takes what was typed in it.
func (p *Pages) signIn(w http.ResponseWriter, r *http.Request) error {
	l, err := p.lang(r)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	if r.Method != http.MethodPost {
		return p.showSignIn(w, r, http.StatusOK, signInView{})
	}
	var v signInView
	v.Email = strings.ToLower(strings.TrimSpace(r.PostFormValue("email")))
	u, err := p.Staff.Door.SignIn(r.Context(), v.Email, r.PostFormValue("password"), serve.Client(r))
	if err != nil && (dtm.KindOf(err) == dtm.Unauthenticated || dtm.KindOf(err) == dtm.TooMany) {
		return p.refuseSignIn(w, r, v, v.Email, err)
	}
	if err != nil {
		return err
	}
	if _, err := p.begin(w, r, u.Email, false); err != nil {
		return err
	}
	http.Redirect(w, r, "/"+string(l)+onward(r.PostFormValue("to")), http.StatusSeeOther)
	return nil
}

func (p *Pages) showSignIn(w http.ResponseWriter, r *http.Request, status int, v signInView) error {
	l := p.guess(r)
	v.page, v.To = p.page(l, "staff", locale.Say(l, "signin.title"), "/staff/signin", nil), onward(r.FormValue("to"))
	v.Passkeys = access.Passkeys(p.origin(r))
	if p.Staff.SignOn != nil {
		v.SignOn = p.Staff.SignOn.Name
	}
	return p.show(w, status, "signin", v)
}

// refuseSignIn says why, and records it: of whom only when the account exists, because
// what is typed as an address may be a password.
func (p *Pages) refuseSignIn(w http.ResponseWriter, r *http.Request, v signInView, email string, err error) error {
	if n := access.Retry(err); n > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(n))
	} else {
		who := "unknown"
		if _, _, err := p.Staff.Users.User(r.Context(), email); err == nil {
			who = email
		}
		if err := p.Staff.Audit.Record(event.WithActor(r.Context(), "stranger"), dtm.SignInRefused, who, "{}"); err != nil {
			return err
		}
	}
	v.Message = locale.Error(p.guess(r), err)
	return p.showSignIn(w, r, serve.Status(dtm.KindOf(err)), v)
}

// onward is the path after the language where a person goes on after signing in: of
// these pages, whatever the address said.
func onward(to string) string {
	if !strings.HasPrefix(to, "/staff/") || strings.HasPrefix(to, "/staff/sign") || strings.HasPrefix(to, "/staff/second") || strings.ContainsAny(to, "\\\r\n") {
		return "/staff/"
	}
	return to
}

func (p *Pages) signOut(w http.ResponseWriter, r *http.Request) error {
	if err := p.Staff.Sessions.EndSession(r.Context(), p.token(r)); err != nil {
		return err
	}
	p.setCookie(w, "")
	w.Header().Set("Clear-Site-Data", `"cache"`) // not the storage: phones keep records in it that are not sent yet
	http.Redirect(w, r, "/"+string(p.guess(r))+"/staff/signin", http.StatusSeeOther)
	return nil
}
