package dtm

import (
	"context"
	"time"
)

// CapacityDeclared is the event of a capacity. The subject is the programme.
const CapacityDeclared = "programme.capacity"

// Capacity is how many people a programme can serve in a month, as it was declared for
// the time from a day on.
type Capacity struct {
	Programme string
	From      time.Time // civil day
	People    int       // a month; Undeclared takes the declaration back
	Note      string
	Actor     string
	At        time.Time
	Seq       int64
}

// Undeclared says that nobody knows the capacity from a day on.
const Undeclared = -1

// CapacityOn is what holds for a programme on a day: of the declarations that begin then
// or earlier the one that begins last, of two for one day the later. False when there is
// none.
func CapacityOn(list []Capacity, programme string, day time.Time) (int, bool) {
	var best *Capacity
	for i := range list {
		c := &list[i]
		if c.Programme != programme || c.From.After(day) {
			continue
		}
		if best == nil || c.From.After(best.From) || c.From.Equal(best.From) && c.Seq > best.Seq {
			best = c
		}
	}
	if best == nil || best.People == Undeclared {
		return 0, false
	}
	return best.People, true
}

// Capacities keeps what was declared. Nothing is overwritten.
type Capacities interface {
	// DeclareCapacity: Invalid when the number is below Undeclared.
	DeclareCapacity(ctx context.Context, c Capacity) error
	// Capacities lists all declarations, oldest first.
	Capacities(ctx context.Context) ([]Capacity, error)
}
