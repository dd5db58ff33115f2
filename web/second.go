package web

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"dtm"
	"dtm/access"
	"dtm/event"
	"dtm/locale"
	"dtm/serve"
)

// provedFor is how long after giving the password or a second factor a user may do
// what cannot be undone, or what shows who people are to the outside.
const provedFor = 10 * time.Minute

type secondView struct {
	page
	To, Message string
	Passkey     bool // the user has one
	App         bool // or codes
	Password    bool // it may be given instead, to prove oneself again
}

// gate says what it takes to come through.
type gate struct {
	action  access.Action // "" for everybody who has signed in
	half    bool          // the password is enough, also when there is a second factor
	unarmed bool          // those come too who still have to add a second factor
	proven  bool          // the user has just proved who they are
}

func client(r *http.Request) string { return serve.Client(r) }

// origin is the address that the pages are open at: the one that was configured; on the
// machine itself also localhost, because passkeys know no numbers.
func (p *Pages) origin(r *http.Request) string {
	u, err := url.Parse(p.Staff.Origin)
	if host := (&url.URL{Host: r.Host}).Hostname(); host == "localhost" && (err != nil || u.Hostname() == "" || u.Hostname() == "127.0.0.1") {
		return "http://" + r.Host
	}
	return p.Staff.Origin
}

func writeJSON(w http.ResponseWriter, v any) error {
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(v)
}

// second asks for the second factor, after the password or to prove oneself again.
func (p *Pages) second(w http.ResponseWriter, r *http.Request) error {
	return p.showSecond(w, r, http.StatusOK, "")
}

func (p *Pages) showSecond(w http.ResponseWriter, r *http.Request, status int, message string) error {
	l, s := p.guess(r), current(r.Context())
	title := "second.title"
	v := secondView{To: onward(r.FormValue("to")), Message: message, Password: !s.Armed || !s.Second.IsZero()}
	if v.Password {
		title = "second.again"
	}
	v.page = p.page(l, "staff", locale.Say(l, title), "/staff/second", nil)
	list, err := p.Staff.Accounts.Factors(r.Context(), s.Email)
	if err != nil {
		return err
	}
	for _, f := range list {
		v.Passkey = v.Passkey || f.Kind == dtm.FactorPasskey
		v.App = v.App || f.Kind != dtm.FactorPasskey
	}
	return p.show(w, status, "second", v)
}

// giveSecond takes a code, a passkey's answer or, from whom is in already, the password.
func (p *Pages) giveSecond(w http.ResponseWriter, r *http.Request) error {
	ctx, u, s := event.WithActor(r.Context(), actor(r)), member(r.Context()), current(r.Context())
	full := !s.Armed || !s.Second.IsZero()
	var err error
	switch code, answer := r.PostFormValue("code"), r.PostFormValue("answer"); {
	case answer != "":
		_, err = p.Staff.Seconds.ByPasskey(ctx, p.Staff.Users, p.origin(r), u.Email, r.PostFormValue("id"), []byte(answer))
	case full && r.PostFormValue("password") != "":
		_, err = p.Staff.Door.SignIn(ctx, u.Email, r.PostFormValue("password"), client(r))
	default:
		err = p.Staff.Seconds.Check(ctx, u.Email, code, client(r))
	}
	if refused(err) {
		if dtm.KindOf(err) == dtm.Unauthenticated {
			if err := p.Staff.Audit.Record(ctx, dtm.SecondRefused, u.Email, "{}"); err != nil {
				return err
			}
		}
		status := serve.Status(dtm.KindOf(err))
		return p.showSecond(w, r, status, locale.Error(p.guess(r), err))
	}
	if err != nil {
		return err
	}
	if full {
		err = p.Staff.Sessions.ProveSession(ctx, p.token(r))
	} else {
		_, err = p.begin(w, r, u.Email, true)
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/"+string(p.guess(r))+onward(r.PostFormValue("to")), http.StatusSeeOther)
	return nil
}

// askSecond gives a script what to ask the browser for: one of the user's passkeys.
func (p *Pages) askSecond(w http.ResponseWriter, r *http.Request) error {
	a, err := p.Staff.Seconds.AskFor(r.Context(), p.origin(r), member(r.Context()).Email)
	if err != nil {
		return err
	}
	return writeJSON(w, a)
}

// askSignIn does the same for a stranger: any passkey of this site.
func (p *Pages) askSignIn(w http.ResponseWriter, r *http.Request) error {
	a, err := p.Staff.Seconds.AskFor(r.Context(), p.origin(r), "")
	if err != nil {
		return err
	}
	return writeJSON(w, a)
}

// signInPasskey takes a passkey instead of address and password: who holds it has
// proved to it that it is theirs.
func (p *Pages) signInPasskey(w http.ResponseWriter, r *http.Request) error {
	u, err := p.Staff.Seconds.ByPasskey(r.Context(), p.Staff.Users, p.origin(r), "", r.PostFormValue("id"), []byte(r.PostFormValue("answer")))
	if refused(err) {
		return p.refuseSignIn(w, r, signInView{}, "", err)
	}
	if err != nil {
		return err
	}
	if _, err := p.begin(w, r, u.Email, true); err != nil {
		return err
	}
	http.Redirect(w, r, "/"+string(p.guess(r))+onward(r.PostFormValue("to")), http.StatusSeeOther)
	return nil
}

// here is the page to come back to: the one that was asked for, or the one that the
// form was on.
func here(r *http.Request) string {
	_, path, _ := strings.Cut(strings.TrimPrefix(r.URL.RequestURI(), "/"), "/")
	if r.Method == http.MethodGet {
		return "/" + path
	}
	if u, err := url.Parse(r.Referer()); err == nil && u.Host == r.Host {
		_, path, _ = strings.Cut(strings.TrimPrefix(u.RequestURI(), "/"), "/")
		return onward("/" + path)
	}
	return "/staff/"
}
