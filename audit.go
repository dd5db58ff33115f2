package dtm

import (
	"context"
	"time"
)

// Names of events that tell of what changed nothing.
const (
	DataExported  = "data.exported"  // rows left, as a file or a table
	AccessRefused = "access.refused" // somebody who had signed in asked for what their role does not include
)

// Acts lists them.
var Acts = []string{DataExported, AccessRefused, SignInRefused, SecondRefused, WarehouseAsked}

// EventFilter says which entries of the log are looked for; zero fields do not matter.
type EventFilter struct {
	Name          string    // of the event, or how it begins up to a full stop: "point" finds "point.role"
	From, To      time.Time // From is included, To is not
	Until         int64     // the newest entry that may be found
	Limit, Offset int
}

// Audit notes what was done that changed nothing, and finds entries of the log.
type Audit interface {
	// Record adds an entry by the actor of ctx; detail is JSON without personal data.
	Record(ctx context.Context, name, subject, detail string) error
	// FindEvents gives the entries that the filter finds, newest first.
	FindEvents(ctx context.Context, f EventFilter) ([]Event, error)
	// LastChange is the number of the newest entry that is none of Acts; 0 when there
	// is none.
	LastChange(ctx context.Context) (int64, error)
}

// Checkpoint is a signed head of the log: who has one can tell whether what the log held
// then is still in it.
type Checkpoint struct {
	Seq  int64
	At   time.Time
	Note string // text and signature, as in package event
}

// Checkpoints keeps them.
type Checkpoints interface {
	// AddCheckpoint keeps one; another one at the same entry changes nothing.
	AddCheckpoint(ctx context.Context, c Checkpoint) error
	// Checkpoints lists up to limit of those after an entry, oldest first.
	Checkpoints(ctx context.Context, after int64, limit int) ([]Checkpoint, error)
	// LastCheckpoint is the newest; the zero one when there is none.
	LastCheckpoint(ctx context.Context) (Checkpoint, error)
}
