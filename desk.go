package dtm

import (
	"context"
	"time"
)

// Events of desks.
const (
	DeskSet      = "desk.set"      // added or changed
	DeskCapacity = "desk.capacity" // places, pause
	DeskVerified = "desk.verified"
)

// NoLimit is the capacity of a desk that takes everybody.
const NoLimit = -1

// Desk is the team that answers referrals: one programme of one agency at one place.
// Nobody is addressed by name: any of its members answers.
type Desk struct {
	Code      string // "obock-health"
	Programme string
	Partner   string // code of the agency
	Area      string // admin 1 P-code that it serves; "" for the whole country
	Name      Text
	Address   Text
	Phone     string // of the team, not of a person
	Lat, Lon  float64
	Located   bool     // Lat and Lon are set
	Services  []string // codes of the operation's list "need"
	Languages []string // that are spoken: ISO 639-1
	Open      Plan     // days and hours
	MinAge    int      // years; 0: from birth
	MaxAge    int      // years; 0: without limit
	Sex       string   // "female", "male"; "" both
	Consulate bool     // of a state, or tells one
	Closed    bool

	Capacity int        // persons that may be taken on at a time; NoLimit
	Taken    int        // that are taken on now
	Paused   string     // why it takes nobody on now; "" it does
	Until    *time.Time // end of the pause; nil: until somebody ends it
	Verified time.Time  // somebody of the desk last said that this entry is right
	Version  int
}

// Free is how many persons the desk can take on now; NoLimit.
func (d Desk) Free() int {
	if d.Capacity == NoLimit {
		return NoLimit
	}
	return max(0, d.Capacity-d.Taken)
}

// PausedAt tells whether the desk takes nobody on at a time.
func (d Desk) PausedAt(t time.Time) bool {
	return d.Paused != "" && (d.Until == nil || t.Before(*d.Until))
}

// Stale is how old the last word of a desk on its entry may be.
const Stale = 30 * 24 * time.Hour

// Desks keeps the service directory.
type Desks interface {
	Desks(ctx context.Context) ([]Desk, error)
	// Desk: NotFound.
	Desk(ctx context.Context, code string) (Desk, error)
	// SetDesk adds a desk or changes what the directory says of it; capacity and pause
	// of a known one stay. Invalid; Conflict when d.Version is not the current one (0
	// for a new desk).
	SetDesk(ctx context.Context, d Desk) (Desk, error)
	// SetCapacity is the desk's own word: places and pause, which also verifies its
	// entry. Fewer places than are taken send nobody away.
	SetCapacity(ctx context.Context, code string, capacity int, paused string, until *time.Time) (Desk, error)
	// VerifyDesk notes that somebody of the desk found its entry right.
	VerifyDesk(ctx context.Context, code string) error
}
