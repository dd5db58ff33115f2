package web

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/url"
	"strings"
	"time"

	"dtm"
	"dtm/event"
)

// A session ends after half an hour without a request, and after twelve hours in any
// case. It outlives a restart of the program: the store has it, by the token's hash.
const (
	sessionIdle = 30 * time.Minute
	sessionMost = 12 * time.Hour
	sessionNote = time.Minute // how often its use is written down
)

// cookie names the session. By TLS the browser sends it to nothing else.
func (p *Pages) cookie() string {
	if p.Staff.Secure {
		return "__Host-dtm"
	}
	return "dtm"
}

func (p *Pages) token(r *http.Request) string {
	c, err := r.Cookie(p.cookie())
	if err != nil {
		return ""
	}
	return c.Value
}

func (p *Pages) setCookie(w http.ResponseWriter, token string) {
	c := &http.Cookie{Name: p.cookie(), Value: token, Path: "/", HttpOnly: true, Secure: p.Staff.Secure, SameSite: http.SameSiteLaxMode}
	if token == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

// begin signs somebody in. A session that the browser has is ended: what was known
// before signing in must not be worth more after it.
func (p *Pages) begin(w http.ResponseWriter, r *http.Request, email string) error {
	if old := p.token(r); old != "" {
		if err := p.Staff.Sessions.EndSession(r.Context(), old); err != nil {
			return err
		}
	}
	token, now := rand.Text()+rand.Text(), p.Now().UTC().Truncate(time.Millisecond)
	agent := []rune(strings.ToValidUTF8(r.UserAgent(), ""))
	s := dtm.Session{Kind: dtm.SessionKindPages, Email: email, Agent: string(agent[:min(len(agent), 300)]), Created: now, Expires: now.Add(sessionIdle)}
	if err := p.Staff.Sessions.AddSession(r.Context(), token, s); err != nil {
		return err
	}
	p.setCookie(w, token)
	return nil
}

// session is that of the request; an empty one when there is none.
func (p *Pages) session(ctx context.Context, r *http.Request) (dtm.Session, error) {
	token := p.token(r)
	if token == "" {
		return dtm.Session{}, nil
	}
	s, err := p.Staff.Sessions.Session(ctx, token)
	if err != nil && dtm.KindOf(err) == dtm.Unauthenticated || err == nil && s.Kind != dtm.SessionKindPages {
		return dtm.Session{}, nil
	}
	if err != nil {
		return dtm.Session{}, err
	}
	if now := p.Now(); now.Sub(s.Seen) >= sessionNote {
		ends := now.Add(sessionIdle)
		if most := s.Created.Add(sessionMost); ends.After(most) {
			ends = most
		}
		if err := p.Staff.Sessions.ProlongSession(ctx, token, ends); err != nil {
			return dtm.Session{}, err
		}
	}
	return s, nil
}

type accountView struct {
	page
	Role     string
	Sessions []sessionRow
	Others   int
}

type sessionRow struct {
	ID, What, Began, Seen, Ends string
	Current                     bool
}

// account shows a user's own sessions.
func (p *Pages) account(w http.ResponseWriter, r *http.Request) error {
	v := accountView{page: p.inside(r, "account", "account.title", "/account/")}
	v.Role = v.RoleName(v.User.Role)
	own, err := p.session(r.Context(), r)
	if err != nil {
		return err
	}
	list, err := p.Staff.Sessions.SessionsOf(r.Context(), v.User.Email)
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
	return p.show(w, http.StatusOK, "account", v)
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
	own, err := p.session(r.Context(), r)
	if err != nil {
		return err
	}
	id, except := r.PostFormValue("session"), ""
	if id == "" {
		except = own.ID
	}
	if err := p.Staff.Sessions.EndSessions(event.WithActor(r.Context(), actor(r)), member(r.Context()).Email, id, except); err != nil {
		return err
	}
	http.Redirect(w, r, "/"+url.PathEscape(string(p.guess(r)))+"/staff/account/", http.StatusSeeOther)
	return nil
}
