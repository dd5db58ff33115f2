package web

import (
	"context"
	"crypto/rand"
	"net/http"
	"strings"
	"time"

	"dtm"
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

// begin signs somebody in; second tells that they gave a second factor too. A session
// that the browser has is ended: what was known before must not be worth more after it.
func (p *Pages) begin(w http.ResponseWriter, r *http.Request, email string, second bool) (token string, err error) {
	if old := p.token(r); old != "" {
		if err := p.Staff.Sessions.EndSession(r.Context(), old); err != nil {
			return "", err
		}
	}
	token = rand.Text() + rand.Text()
	now := p.Now().UTC().Truncate(time.Millisecond)
	agent := []rune(strings.ToValidUTF8(r.UserAgent(), ""))
	s := dtm.Session{Kind: dtm.SessionKindPages, Email: email, Agent: string(agent[:min(len(agent), 300)]), Created: now, Expires: now.Add(sessionIdle), Proved: now}
	if second {
		s.Second = now
	}
	if err := p.Staff.Sessions.AddSession(r.Context(), token, s); err != nil {
		return "", err
	}
	p.setCookie(w, token)
	return token, nil
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
	if now := p.Now(); now.Sub(s.Seen).Abs() >= sessionNote {
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
