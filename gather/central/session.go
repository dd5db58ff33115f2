package central

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"dtm"
	"dtm/access"
	"dtm/serve"
)

// sessionFor is how long a session lasts, as in ODK Central.
const sessionFor = 24 * time.Hour

// cookie names the session of a browser.
func (h *Handler) cookie() string {
	if h.Secure {
		return "__Host-session"
	}
	return "session"
}

// setCookie gives or takes back a browser's session. What takes it back needs the same
// flags: without Secure a browser does not touch a cookie named __Host-.
func (h *Handler) setCookie(w http.ResponseWriter, c http.Cookie) {
	c.Name, c.Path, c.HttpOnly, c.Secure, c.SameSite = h.cookie(), "/", true, h.Secure, http.SameSiteStrictMode
	http.SetCookie(w, &c)
}

func (h *Handler) secret() (string, error) {
	var b [48]byte
	if _, err := io.ReadFull(h.Rand, b[:]); err != nil {
		return "", &dtm.Error{Kind: dtm.Internal, Op: "central.secret", Err: err}
	}
	return base64.RawURLEncoding.EncodeToString(b[:]), nil
}

// signIn begins a session: {"email", "password"}.
func (h *Handler) signIn(w http.ResponseWriter, r *http.Request) error {
	var body struct{ Email, Password string }
	if err := readJSON(r, &body); err != nil {
		return err
	}
	u, err := h.Door.SignIn(r.Context(), strings.ToLower(strings.TrimSpace(body.Email)), body.Password, serve.Client(r))
	if err == nil {
		err = h.suffices(r, u)
	}
	if err != nil {
		return err
	}
	token, err := h.secret()
	if err != nil {
		return err
	}
	csrf, err := h.secret()
	if err != nil {
		return err
	}
	now := h.Now().UTC().Truncate(time.Millisecond)
	s := dtm.Session{Kind: dtm.SessionKindAPI, Email: u.Email, Agent: r.UserAgent(), CSRF: csrf, Created: now, Expires: now.Add(sessionFor)}
	if err := h.Sessions.AddSession(r.Context(), token, s); err != nil {
		return err
	}
	h.setCookie(w, http.Cookie{Value: token, Expires: s.Expires})
	w.Header().Set("Cache-Control", "no-store")
	return answer(w, map[string]any{"token": token, "csrf": csrf, "createdAt": instant(s.Created), "expiresAt": instant(s.Expires)})
}

func (h *Handler) restoreSession(w http.ResponseWriter, r *http.Request) error {
	token := h.token(r)
	s, err := h.Sessions.Session(r.Context(), token)
	if err != nil {
		return err
	}
	return answer(w, map[string]any{"csrf": s.CSRF, "createdAt": instant(s.Created), "expiresAt": instant(s.Expires)})
}

// signOut ends the session of the token in the address, or one's own as "current".
func (h *Handler) signOut(w http.ResponseWriter, r *http.Request) error {
	token := r.PathValue("token")
	if token == "current" {
		token = h.token(r)
	}
	s, err := h.Sessions.Session(r.Context(), token)
	if err != nil {
		return dtm.Errorf(dtm.NotFound, "there is no such session").Coded("session.unknown")
	}
	if s.Email != asker(r).Email {
		return dtm.Errorf(dtm.Forbidden, "this session is somebody else's").Coded("session.other")
	}
	if err := h.Sessions.EndSession(r.Context(), token); err != nil {
		return err
	}
	h.setCookie(w, http.Cookie{MaxAge: -1})
	return success(w)
}

// token is the session's that came with the request, "" when none did.
func (h *Handler) token(r *http.Request) string {
	if t, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		return strings.TrimSpace(t)
	}
	if c, err := r.Cookie(h.cookie()); err == nil && r.Header.Get("Authorization") == "" {
		return c.Value
	}
	return ""
}

// user finds who asks: by a session's token, or by address and password with each
// request.
func (h *Handler) user(r *http.Request) (dtm.User, error) {
	if email, password, ok := r.BasicAuth(); ok {
		u, err := h.known.user(r, h.Users, h.Door, strings.ToLower(strings.TrimSpace(email)), password, h.Now())
		if err == nil {
			err = h.suffices(r, u)
		}
		return u, err
	}
	token := h.token(r)
	if token == "" {
		return dtm.User{}, dtm.Errorf(dtm.Unauthenticated, "sign in first").Coded("signin.first")
	}
	s, err := h.Sessions.Session(r.Context(), token)
	if err != nil {
		return dtm.User{}, err
	}
	byCookie := r.Header.Get("Authorization") == ""
	if byCookie && r.Method != http.MethodGet && r.Method != http.MethodHead && r.Header.Get("X-Requested-With") != "XMLHttpRequest" &&
		subtle.ConstantTimeCompare([]byte(r.FormValue("__csrf")), []byte(s.CSRF)) != 1 {
		return dtm.User{}, dtm.Errorf(dtm.Unauthenticated, "this request lacks the session's csrf token").Coded("session.csrf")
	}
	u, _, err := h.Users.User(r.Context(), s.Email)
	if err != nil {
		return dtm.User{}, err
	}
	if u.Disabled != nil {
		return dtm.User{}, dtm.Errorf(dtm.Unauthenticated, "this account is closed").Coded("session.closed")
	}
	if s.Second.IsZero() {
		err = h.suffices(r, u)
	}
	return u, err
}

// suffices refuses those for whom a password is not enough.
func (h *Handler) suffices(r *http.Request, u dtm.User) error {
	if h.PasswordSuffices == nil {
		return nil
	}
	return h.PasswordSuffices(r.Context(), u)
}

// basics remembers for some minutes which address and password were found right:
// checking a password takes a quarter of a second of a processor, and tables are read
// with one at every request. It forgets when the stored hash changes. Programs ask
// many things at once: who does so with the same words waits for one check, which is
// one try at the door.
type basics struct {
	checks singleflight.Group
	mu     sync.Mutex
	key    []byte
	right  map[[sha256.Size]byte]time.Time
}

const (
	basicFor = 5 * time.Minute
	maxBasic = 1000
)

func (b *basics) user(r *http.Request, users dtm.Users, door *access.Door, email, password string, now time.Time) (dtm.User, error) {
	u, hash, err := users.User(r.Context(), email)
	if err != nil && dtm.KindOf(err) != dtm.NotFound {
		return dtm.User{}, err
	}
	b.mu.Lock()
	if b.key == nil {
		b.key = make([]byte, 32)
		rand.Read(b.key)
		b.right = map[[sha256.Size]byte]time.Time{}
	}
	key := b.key
	b.mu.Unlock()
	mac := hmac.New(sha256.New, key)
	for _, part := range []string{email, password, hash} {
		mac.Write([]byte(part))
		mac.Write([]byte{0})
	}
	var id [sha256.Size]byte
	mac.Sum(id[:0])
	b.mu.Lock()
	until, ok := b.right[id]
	b.mu.Unlock()
	if err == nil && ok && now.Before(until) && u.Disabled == nil {
		return u, nil
	}
	from := serve.Client(r)
	in, err, _ := b.checks.Do(string(id[:])+from, func() (any, error) {
		// One who goes away does not take the answer of the others along.
		u, err := door.SignIn(context.WithoutCancel(r.Context()), email, password, from)
		if err != nil {
			return dtm.User{}, err
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		if len(b.right) >= maxBasic {
			clear(b.right)
		}
		b.right[id] = now.Add(basicFor)
		return u, nil
	})
	return in.(dtm.User), err
}

type userJSON struct {
	ID      int     `json:"id"`
	Type    string  `json:"type"`
	Name    string  `json:"displayName"`
	Email   string  `json:"email"`
	Created string  `json:"createdAt"`
	Updated *string `json:"updatedAt"`
	Deleted *string `json:"deletedAt"`
}

func (h *Handler) userJSON(u dtm.User) userJSON {
	return userJSON{ID: h.actorID("user:" + u.Email), Type: "user", Name: u.Email, Email: u.Email, Created: instant(u.Created), Deleted: optionalInstant(u.Disabled)}
}

func (h *Handler) currentUser(w http.ResponseWriter, r *http.Request) error {
	return answer(w, h.userJSON(asker(r)))
}

func (h *Handler) users(w http.ResponseWriter, r *http.Request) error {
	list, err := h.Users.Users(r.Context())
	if err != nil {
		return err
	}
	out := []userJSON{}
	for _, u := range list {
		if u.Disabled == nil {
			out = append(out, h.userJSON(u))
		}
	}
	return answer(w, out)
}
