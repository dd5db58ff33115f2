package dtm

import (
	"context"
	"time"
)

// Computed is a result that takes long to compute, as it was last.
type Computed struct {
	Name  string // of what
	Basis string // what it was computed from: with another basis it would be another
	At    time.Time
	Body  []byte
}

// Computations keeps such results until they are computed again, also over a restart.
// Nothing is lost with them.
type Computations interface {
	// Computed returns the one of a name; an empty one when there is none.
	Computed(ctx context.Context, name string) (Computed, error)
	// KeepComputed replaces the one of its name.
	KeepComputed(ctx context.Context, c Computed) error
}
