package serve

import (
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"
)

// Sessions returns the sessions of staff pages; a program makes one for its life.
// They are kept in memory, by the hash of their token: a restart signs everybody
// out. A session ends after 30 minutes without a request and after 12 hours in
// any case. secure says that the pages come by TLS; the cookie then is sent by
// nothing else. Whoever signs somebody in calls RenewToken first, and Destroy at
// the end.
func Sessions(secure bool) *scs.SessionManager {
	s := scs.New()
	s.HashTokenInStore = true
	s.Lifetime = 12 * time.Hour
	s.IdleTimeout = 30 * time.Minute
	s.Cookie.Name = "dtm"
	if secure {
		s.Cookie.Name = "__Host-dtm"
	}
	s.Cookie.Path = "/"
	s.Cookie.Secure = secure
	s.Cookie.HttpOnly = true
	s.Cookie.SameSite = http.SameSiteLaxMode
	s.Cookie.Persist = false
	return s
}
