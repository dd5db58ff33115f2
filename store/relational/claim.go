package relational

import "context"

// Claim takes a piece of work by its name for this process, when no other one on the
// same store has it: false when another has. It holds until release is called or the
// process has ended for some seconds; lost is closed when it was lost all the same, and
// whoever works then stops. Work is such that a step done twice does no harm.
func (db *DB) Claim(ctx context.Context, name string) (release func(), lost <-chan struct{}, ok bool, err error) {
	if db.engine.Claim == nil {
		return func() {}, nil, true, nil
	}
	release, lost, ok, err = db.engine.Claim(ctx, name)
	return release, lost, ok, failure("store.Claim", err)
}
