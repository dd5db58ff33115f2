package dtm

import (
	"context"
	"time"
)

// Events of accounts. That a password or code was wrong is recorded by Audit.
const (
	UserInvited       = "user.invited"
	UserReset         = "user.reset" // invited to choose a new password
	UserChanged       = "user.changed"
	UserOpened        = "user.opened" // after it was closed
	PasswordChanged   = "user.password"
	FactorAdded       = "user.factor_added"
	FactorRemoved     = "user.factor_removed"
	FactorUsed        = "user.second" // the second factor was given
	IdentityLinked    = "user.identity_linked"
	SignInRefused     = "user.refused"
	SecondRefused     = "user.second_refused"
	SecondFactorReset = "user.factors_reset" // by an administrator, for somebody who lost theirs
)

// Kinds of invitations.
const (
	InviteNew   = "new"   // to open an account
	InviteReset = "reset" // to choose a new password; second factors stay
)

// InviteFor is how long an invitation is good.
const InviteFor = 24 * time.Hour

// Invitation lets somebody open an account or choose a new password, once. Its token
// is kept hashed.
type Invitation struct {
	Kind    string
	Email   string
	Role    string
	Partner string
	Desk    string
	Inviter string // actor
	Created time.Time
	Expires time.Time
}

// Kinds of second factors.
const (
	FactorTOTP     = "totp"     // an app's codes
	FactorPasskey  = "passkey"  // a key on a phone or stick
	FactorRecovery = "recovery" // one of some codes on paper
)

// Factor is a second way in which a user proves who they are. Secret is sealed, hashed
// or public, by its kind; what it means is package access's.
type Factor struct {
	ID      string
	Kind    string
	Name    string
	Secret  []byte
	Step    int64 // of the latest code taken: it is good once
	Created time.Time
	Used    *time.Time
}

// Accounts keeps what users sign in with besides the password.
type Accounts interface {
	// Invite records an invitation; one of the same address and kind is void then.
	// Conflict when a new one's address has an account, NotFound when a reset's has none.
	Invite(ctx context.Context, token string, i Invitation) error
	// Invitation: NotFound when there is none, it was used or is over.
	Invitation(ctx context.Context, token string) (Invitation, error)
	// Accept uses it up: the account is opened, or its password replaced and all its
	// sessions ended. NotFound as above.
	Accept(ctx context.Context, token, passwordHash string) (User, error)
	// SetPassword replaces the hash and ends all sessions but one: NotFound.
	SetPassword(ctx context.Context, email, passwordHash, exceptSession string) error
	// ChangeUser replaces role, partner and desk, and ends the user's sessions: NotFound.
	ChangeUser(ctx context.Context, u User) error
	// EnableUser opens a closed account again: NotFound.
	EnableUser(ctx context.Context, email string) error
	// RevokeSessions ends all of a user's sessions, those that are being begun too.
	RevokeSessions(ctx context.Context, email string) error

	// Factors lists a user's second factors, oldest first.
	Factors(ctx context.Context, email string) ([]Factor, error)
	// AddFactors adds some at once. Other sessions end.
	AddFactors(ctx context.Context, email string, list []Factor, exceptSession string) error
	// UseFactor notes a use: Conflict when step is not after the latest one. A nil
	// secret leaves it. A recovery code is used up: NotFound the second time.
	UseFactor(ctx context.Context, email, id string, step int64, secret []byte) error
	// RemoveFactor removes one, with "" all. Other sessions end. NotFound.
	RemoveFactor(ctx context.Context, email, id, exceptSession string) error

	// IdentityOf is the account that an identity elsewhere is linked to: NotFound.
	IdentityOf(ctx context.Context, issuer, subject string) (email string, err error)
	// LinkIdentity: Conflict when it is linked already, to whomever.
	LinkIdentity(ctx context.Context, issuer, subject, email string) error
}
