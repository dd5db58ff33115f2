package dtm

import (
	"context"
	"time"
)

// Events of sessions.
const (
	SignedIn         = "user.signed_in"
	SessionsEnded    = "user.sessions_ended" // by their owner: one, or all but the one in use
	SessionKindPages = "pages"
	SessionKindAPI   = "api"
)

// Session is a user's right to ask for a while without the password.
type Session struct {
	ID      string // names it to its owner; not the token, which is not kept
	Kind    string // SessionKindPages or SessionKindAPI
	Email   string
	CSRF    string // what a browser must send besides its cookie
	Agent   string // the browser or program that began it, as it called itself
	Created time.Time
	Expires time.Time
	Seen    time.Time // latest use that was noted
	Second  time.Time // when the second factor was given; zero: it was not
	Proved  time.Time // when the user last gave the password or a second factor
	Armed   bool      // the user has a second factor, now
}

// ClockSkew is how far the clocks of servers on one store may differ. What is dated further
// ahead was made while a clock stood ahead.
const ClockSkew = 5 * time.Minute

// Sessions keeps sessions by their tokens, which are stored hashed.
type Sessions interface {
	// AddSession begins one: token is at least 32 random bytes as text. An empty Kind
	// is SessionKindAPI.
	AddSession(ctx context.Context, token string, s Session) error
	// Session finds it: Unauthenticated when there is none, when it has expired, when
	// its user is disabled or all their sessions were ended after it began.
	Session(ctx context.Context, token string) (Session, error)
	// ProlongSession notes that it was used now and moves its end.
	ProlongSession(ctx context.Context, token string, expires time.Time) error
	// ProveSession notes that the user has just proved again who they are.
	ProveSession(ctx context.Context, token string) error
	// EndSession forgets it; none is no error.
	EndSession(ctx context.Context, token string) error
	// SessionsOf lists those of a user that have not expired, newest first.
	SessionsOf(ctx context.Context, email string) ([]Session, error)
	// EndSessions forgets one of a user's sessions by its ID, with "" all of them but
	// the one whose ID is except.
	EndSessions(ctx context.Context, email, id, except string) error
}
