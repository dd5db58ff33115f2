package serve

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// Drain is the way of a server out of a load balancer: told to end, it says at /readyz
// that it is not ready and goes on answering until the balancer has seen it.
type Drain struct {
	leaving atomic.Bool
	rest    time.Duration
}

// NewDrain is for a balancer that sees within rest that a server is not ready.
func NewDrain(rest time.Duration) *Drain { return &Drain{rest: rest} }

// Check is for Health.
func (d *Drain) Check() Check {
	return Check{Name: "leaving", Quiet: true, Do: func(context.Context) error {
		if d.leaving.Load() {
			return errors.New("the server has been told to end")
		}
		return nil
	}}
}

// Serve runs serve with a context that ends rest after ctx does.
func (d *Drain) Serve(ctx context.Context, serve func(context.Context) error) error {
	on, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	go func() {
		select {
		case <-ctx.Done():
		case <-on.Done():
			return
		}
		d.leaving.Store(true)
		select {
		case <-time.After(d.rest):
			end()
		case <-on.Done():
		}
	}()
	return serve(on)
}
