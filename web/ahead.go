package web

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"dtm"
)

// ahead keeps results that take long: each is computed beside the requests, one after
// the other, when what it rests on has changed, and shown as it was last meanwhile.
type ahead struct {
	mu    sync.Mutex
	turn  sync.Mutex // held by the one that is computed: requests have the other processors
	known map[string]*result
	made  atomic.Int64 // how many results there were
}

// result is the last of its name.
type result struct {
	tag     string // of what it was computed from
	at      time.Time
	made    bool
	value   any
	err     error         // of the last try
	running chan struct{} // closed when the one that is being computed is there; nil: none is
	began   time.Time     // when that was
}

// firstPatience is how long a reader waits for a result that was never computed. One who
// can be shown the last waits a thirtieth of it.
const firstPatience = 3 * time.Second

// Made says of what time a result is that was computed ahead of its readers.
type Made struct {
	At    time.Time
	Ready bool // there is one
	Old   bool // a newer one is being computed
}

// computed gives the result of a name for a state of what it rests on: the last one,
// while that of the state is being computed.
func computed[T any](ctx context.Context, p *Pages, name, tag string, compute func(context.Context) (T, error)) (v T, m Made, err error) {
	a := &p.ahead
	a.mu.Lock()
	if a.known == nil {
		a.known = map[string]*result{}
	}
	r := a.known[name]
	if r == nil {
		r = &result{}
		a.known[name] = r
	}
	if r.made && r.tag == tag {
		v, m = r.value.(T), Made{At: r.at, Ready: true}
		a.mu.Unlock()
		return v, m, nil
	}
	running, idle := r.running, r.running == nil
	if idle {
		running = make(chan struct{})
		r.running, r.began = running, time.Now()
	}
	patience := p.Patience
	if patience == 0 {
		patience = firstPatience
	}
	if brief := patience / 30; r.made {
		patience = brief
	} else { // who comes later waits with the first
		patience = max(brief, patience-time.Since(r.began))
	}
	a.mu.Unlock()
	if idle {
		p.beside(ctx, func(ctx context.Context) {
			a.turn.Lock()
			at := p.Now()
			v, err := compute(ctx)
			a.turn.Unlock()
			if err != nil && ctx.Err() == nil && dtm.KindOf(err) == dtm.Internal {
				slog.WarnContext(ctx, "what is computed ahead of readers failed; the next one tries again", "what", name, "error", err)
			}
			a.mu.Lock()
			if r.err = err; err == nil {
				r.tag, r.at, r.value, r.made = tag, at, v, true
			}
			r.running = nil
			a.mu.Unlock()
			a.made.Add(1)
			close(running)
		})
	}
	if forever(ctx) {
		select {
		case <-running:
		case <-ctx.Done():
			return v, m, ctx.Err()
		}
	} else {
		late := time.NewTimer(patience)
		defer late.Stop()
		select {
		case <-running:
		case <-late.C:
		case <-ctx.Done():
			return v, m, ctx.Err()
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if r.running == nil && r.err != nil {
		return v, m, r.err
	}
	if r.made {
		v, m = r.value.(T), Made{At: r.at, Ready: true, Old: r.tag != tag}
	}
	return v, m, nil
}

// beside runs a function beside the request that asks for it, which does not end it.
func (p *Pages) beside(ctx context.Context, f func(context.Context)) {
	if p.Go != nil {
		p.Go(f)
		return
	}
	ctx = context.WithoutCancel(ctx)
	go f(ctx)
}

type foreverKey struct{}

// forever tells whether who asks waits until the result is there.
func forever(ctx context.Context) bool { return ctx.Value(foreverKey{}) != nil }

// Prepare computes what pages show that takes long, unless it is there for the data as
// they are, and returns when it is. Before each of it between is called, which may wait.
func (p *Pages) Prepare(ctx context.Context, between func(context.Context)) error {
	ctx = context.WithValue(ctx, foreverKey{}, true)
	for _, prepare := range []func(context.Context) error{p.preparePlanning, p.prepareOutlooks, p.prepareWarning} {
		between(ctx)
		if err := prepare(ctx); err != nil {
			return err
		}
	}
	return nil
}
