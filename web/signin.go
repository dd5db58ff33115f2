package web

import (
	"net/http"
	"strconv"
	"strings"

	"dtm"
	"dtm/access"
	"dtm/locale"
	"dtm/serve"
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
	u, err := p.Staff.Door.SignIn(r.Context(), v.Email, r.PostFormValue("password"), serve.Client(r))
	if err != nil && (dtm.KindOf(err) == dtm.Unauthenticated || dtm.KindOf(err) == dtm.TooMany) {
		if n := access.Retry(err); n > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(n))
		}
		v.Message = locale.Error(l, err)
		return p.show(w, serve.Status(dtm.KindOf(err)), "signin", v)
	}
	if err != nil {
		return err
	}
	if err := p.begin(w, r, u.Email); err != nil {
		return err
	}
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
	if err := p.Staff.Sessions.EndSession(r.Context(), p.token(r)); err != nil {
		return err
	}
	p.setCookie(w, "")
	http.Redirect(w, r, "/"+string(p.guess(r))+"/staff/signin", http.StatusSeeOther)
	return nil
}
