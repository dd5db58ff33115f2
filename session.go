package dtm

import (
	"context"
	"time"
)

// SignedIn is the event of a session that began by the API.
const SignedIn = "user.signed_in"

// Session is a user's right to ask for a while without the password.
type Session struct {
	Email   string
	CSRF    string // what a browser must send besides its cookie
	Created time.Time
	Expires time.Time
}

// Sessions keeps sessions by their tokens, which are stored hashed.
type Sessions interface {
	// AddSession begins one: token is at least 32 random bytes as text.
	AddSession(ctx context.Context, token string, s Session) error
	// Session finds it: Unauthenticated when there is none or it has expired.
	Session(ctx context.Context, token string) (Session, error)
	// EndSession forgets it; none is no error.
	EndSession(ctx context.Context, token string) error
}
