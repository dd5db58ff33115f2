package dtm

import (
	"context"
	"time"
)

// Tried is what is known of tries of one kind: as one account, from one address.
type Tried struct {
	Failures int
	Last     time.Time // of them
	Right    time.Time // when a try was last right; zero: never
	Until    time.Time // it is forgotten then
}

// Tries counts what was tried and failed, for all servers on a store together.
type Tries interface {
	// CountTries gives what is known under the keys to decide, and keeps what decide
	// returns, while no other server counts. What decide does not return stays as it is; a
	// zero Tried is forgotten at once. Keys are stored hashed.
	CountTries(ctx context.Context, keys []string, decide func(known map[string]Tried) (keep map[string]Tried)) error
	// Tries returns what is known under the keys; what is not known is zero.
	Tries(ctx context.Context, keys []string) (map[string]Tried, error)
}

// Spent remembers what is good once, for all servers on a store together.
type Spent interface {
	// Spend uses a token up, which need not be remembered after until: Conflict when it was
	// used before. Tokens are stored hashed.
	Spend(ctx context.Context, token string, until time.Time) error
}
