package web

import (
	"context"
	"html/template"
	"net/http"
	"strings"
	"unicode/utf8"

	"dtm"
	"dtm/access"
	"dtm/event"
	"dtm/locale"
)

type accountView struct {
	page
	Role, Partner string
	Need          bool // the role must have a second factor, and there is none
	Factors       []factorRow
	Paper         int // codes on paper that are left
	Sessions      []sessionRow
	Others        int
	Message, Done string
	Codes         []string // on paper, shown this once
	Passkeys      bool     // the address is one for which browsers keep them
	NoPassword    bool     // signs in elsewhere only
	token         string   // of the session that has just begun, "" when it is the request's
}

type factorRow struct{ ID, Name, What, Added, Used string }

type sessionRow struct {
	ID, What, Began, Seen, Ends string
	Current                     bool
}

// account shows what a user signs in with, and their sessions.
func (p *Pages) account(w http.ResponseWriter, r *http.Request) error {
	return p.showAccount(w, r, http.StatusOK, accountView{})
}

func (p *Pages) showAccount(w http.ResponseWriter, r *http.Request, status int, v accountView) error {
	ctx := r.Context()
	v.page = p.inside(r, "account", "account.title", "/account/")
	v.Role = v.RoleName(v.User.Role)
	v.Partner = p.partnerName(v.page, v.User.Partner)
	own := current(ctx)
	if v.token != "" {
		s, err := p.Staff.Sessions.Session(ctx, v.token)
		if err != nil {
			return err
		}
		own = s
	}
	list, err := p.Staff.Sessions.SessionsOf(ctx, v.User.Email)
	if err != nil {
		return err
	}
	for _, s := range list {
		row := sessionRow{ID: s.ID, What: program(s.Agent), Began: v.When(s.Created), Seen: v.Ago(&s.Seen), Ends: v.When(s.Expires), Current: s.ID == own.ID}
		if s.Kind == dtm.SessionKindAPI {
			row.What = v.T("account.api")
		}
		if row.What == "" {
			row.What = v.T("account.unknown")
		}
		if !row.Current {
			v.Others++
		}
		v.Sessions = append(v.Sessions, row)
	}
	factors, err := p.Staff.Accounts.Factors(ctx, v.User.Email)
	if err != nil {
		return err
	}
	for _, f := range factors {
		if f.Kind == dtm.FactorRecovery {
			v.Paper++
			continue
		}
		row := factorRow{ID: f.ID, Name: f.Name, What: v.T("second." + f.Kind), Added: v.When(f.Created)}
		if f.Used != nil {
			row.Used = v.Ago(f.Used)
		}
		v.Factors = append(v.Factors, row)
	}
	v.Need = len(factors) == 0 && access.NeedsSecond(v.User.Role)
	_, hash, err := p.Staff.Users.User(ctx, v.User.Email)
	if err != nil {
		return err
	}
	v.NoPassword, v.Passkeys = hash == "", access.Passkeys(p.origin(r))
	return p.show(w, status, "account", v)
}

// refused is an error that is the user's to mend: said on the page.
func refused(err error) bool {
	if err == nil {
		return false
	}
	k := dtm.KindOf(err)
	return k == dtm.Invalid || k == dtm.Unauthenticated || k == dtm.Conflict || k == dtm.TooMany || k == dtm.NotFound
}

// changePassword takes a new password beside the one of now.
func (p *Pages) changePassword(w http.ResponseWriter, r *http.Request) error {
	ctx, u := event.WithActor(r.Context(), actor(r)), member(r.Context())
	_, err := p.Staff.Door.SignIn(ctx, u.Email, r.PostFormValue("password"), client(r))
	var hash string
	if err == nil {
		hash, err = p.newPassword(ctx, r.PostFormValue("new"), u.Email)
	}
	if err == nil {
		err = p.Staff.Accounts.SetPassword(ctx, u.Email, hash, current(ctx).ID)
	}
	if refused(err) {
		return p.showAccount(w, r, http.StatusUnprocessableEntity, accountView{Message: locale.Error(p.guess(r), err)})
	}
	if err != nil {
		return err
	}
	token, err := p.begin(w, r, u.Email, !current(ctx).Second.IsZero())
	if err != nil {
		return err
	}
	return p.showAccount(w, r, http.StatusOK, accountView{token: token, Done: locale.Say(p.guess(r), "account.password.done")})
}

// newPassword is the hash of a password that is good for the account.
func (p *Pages) newPassword(ctx context.Context, password, email string) (string, error) {
	if err := p.Staff.CheckPassword(password, email); err != nil {
		return "", err
	}
	return p.Staff.HashPassword(ctx, password)
}

type appView struct {
	page
	access.SetUp
	Code    template.URL
	Name    string
	Message string
}

// newApp shows the code that an app scans.
func (p *Pages) newApp(w http.ResponseWriter, r *http.Request) error {
	set, err := p.Staff.Seconds.Begin(member(r.Context()).Email)
	if err != nil {
		return err
	}
	return p.showApp(w, r, http.StatusOK, appView{SetUp: set})
}

func (p *Pages) showApp(w http.ResponseWriter, r *http.Request, status int, v appView) error {
	v.page = p.inside(r, "account", "second.app.title", "/account/app")
	c, err := codeOf("", v.Address, "")
	if err != nil {
		return err
	}
	v.Code = c.Code
	return p.show(w, status, "app", v)
}

// addApp takes the first code that the app shows.
func (p *Pages) addApp(w http.ResponseWriter, r *http.Request) error {
	ctx, u := event.WithActor(r.Context(), actor(r)), member(r.Context())
	name, back := trimmed(r.PostFormValue("name"), 60), r.PostFormValue("pending")
	if name == "" {
		name = locale.Say(p.guess(r), "second.totp")
	}
	codes, err := p.Staff.Seconds.Confirm(ctx, u.Email, name, back, r.PostFormValue("code"), current(ctx).ID)
	if dtm.KindOf(err) == dtm.Unauthenticated && err != nil {
		v := appView{Name: name, Message: locale.Say(p.guess(r), "second.app.wrong")}
		if v.SetUp, err = p.Staff.Seconds.Again(u.Email, back); err == nil {
			return p.showApp(w, r, http.StatusUnprocessableEntity, v)
		}
	}
	return p.added(w, r, codes, err)
}

// added shows the account after a second factor was added, with what is to be written
// down. The session was begun with less: its token changes.
func (p *Pages) added(w http.ResponseWriter, r *http.Request, codes []string, err error) error {
	if refused(err) {
		return p.showAccount(w, r, http.StatusUnprocessableEntity, accountView{Message: locale.Error(p.guess(r), err)})
	}
	if err != nil {
		return err
	}
	token, err := p.begin(w, r, member(r.Context()).Email, true)
	if err != nil {
		return err
	}
	return p.showAccount(w, r, http.StatusOK, accountView{token: token, Done: locale.Say(p.guess(r), "second.added"), Codes: codes})
}

// askPasskey gives a script what to ask the browser for: a new passkey.
func (p *Pages) askPasskey(w http.ResponseWriter, r *http.Request) error {
	a, err := p.Staff.Seconds.AskNew(r.Context(), p.origin(r), member(r.Context()).Email)
	if err != nil {
		return err
	}
	return writeJSON(w, a)
}

// addPasskey takes the browser's answer.
func (p *Pages) addPasskey(w http.ResponseWriter, r *http.Request) error {
	ctx, u := event.WithActor(r.Context(), actor(r)), member(r.Context())
	name := trimmed(r.PostFormValue("name"), 60)
	if name == "" {
		name = program(r.UserAgent())
	}
	codes, err := p.Staff.Seconds.AddPasskey(ctx, p.origin(r), u.Email, name, r.PostFormValue("id"), []byte(r.PostFormValue("answer")), current(ctx).ID)
	return p.added(w, r, codes, err)
}

// changeFactor removes a second factor, or replaces the codes on paper.
func (p *Pages) changeFactor(w http.ResponseWriter, r *http.Request) error {
	ctx, u, l := event.WithActor(r.Context(), actor(r)), member(r.Context()), p.guess(r)
	v := accountView{Done: locale.Say(l, "second.removed")}
	var err error
	if id := r.PostFormValue("factor"); id != "" {
		list, e := p.Staff.Accounts.Factors(ctx, u.Email)
		if e != nil {
			return e
		}
		left := 0
		for _, f := range list {
			if f.Kind != dtm.FactorRecovery && f.ID != id {
				left++
			}
		}
		switch {
		case left == 0 && access.NeedsSecond(u.Role):
			err = dtm.Errorf(dtm.Invalid, "your role needs a second factor: add another one before you remove this one").Coded("second.last")
		case left == 0:
			err = p.Staff.Accounts.RemoveFactor(ctx, u.Email, "", current(ctx).ID) // the codes on paper too
		default:
			err = p.Staff.Accounts.RemoveFactor(ctx, u.Email, id, current(ctx).ID)
		}
	} else {
		v.Done = locale.Say(l, "second.paper.done")
		v.Codes, err = p.Staff.Seconds.Recovery(ctx, u.Email, current(ctx).ID)
	}
	if refused(err) {
		return p.showAccount(w, r, http.StatusUnprocessableEntity, accountView{Message: locale.Error(l, err)})
	}
	if err != nil {
		return err
	}
	token, err := p.begin(w, r, u.Email, !current(ctx).Second.IsZero())
	if err != nil {
		return err
	}
	v.token = token
	return p.showAccount(w, r, http.StatusOK, v)
}

func trimmed(s string, most int) string {
	r := []rune(strings.TrimSpace(strings.ToValidUTF8(s, "")))
	return string(r[:min(len(r), most)])
}

// tooLong refuses text that is longer than its field takes, in signs: a browser keeps to
// that by itself, other senders need not. It is not cut, because what is cut is lost. A
// line's end counts once, as browsers count it.
func tooLong(r *http.Request, most map[string]int) error {
	for name, n := range most {
		if utf8.RuneCountInString(strings.ReplaceAll(r.PostFormValue(name), "\r\n", "\n")) > n {
			return dtm.Errorf(dtm.Invalid, "%s is longer than %d characters", name, n).Coded("text.long", n)
		}
	}
	return nil
}

// program is a browser and its system, from how it calls itself.
func program(agent string) string {
	name, system := "", ""
	for _, x := range [][2]string{{"Edg/", "Edge"}, {"OPR/", "Opera"}, {"SamsungBrowser/", "Samsung Internet"}, {"Firefox/", "Firefox"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"}} {
		if strings.Contains(agent, x[0]) {
			name = x[1]
			break
		}
	}
	for _, x := range []string{"Android", "iPhone", "iPad", "Windows", "Mac OS", "Linux"} {
		if strings.Contains(agent, x) {
			system = x
			break
		}
	}
	switch {
	case name != "" && system != "":
		return name + " · " + system
	case name+system != "":
		return name + system
	}
	short := []rune(agent)
	return string(short[:min(len(short), 40)])
}

// endSessions ends one of the user's own sessions, or all others.
func (p *Pages) endSessions(w http.ResponseWriter, r *http.Request) error {
	own := current(r.Context())
	id, except := r.PostFormValue("session"), ""
	if id == "" {
		except = own.ID
	}
	if err := p.Staff.Sessions.EndSessions(event.WithActor(r.Context(), actor(r)), member(r.Context()).Email, id, except); err != nil {
		return err
	}
	http.Redirect(w, r, "/"+string(p.guess(r))+"/staff/account/", http.StatusSeeOther)
	return nil
}
