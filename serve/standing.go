package serve

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Standing is a check that may have to wait for other work, as a question waits for a
// database that is busy: that is no reason to send readers away. It gives the outcome of
// the last one that ended, when the one that is asked for now has not ended within wait;
// only the first is waited for, as long as its asker does. One that is under way for longer
// than most has failed: what does not answer for so long is not there.
func Standing(c Check, wait, most time.Duration) Check {
	s := &standing{do: c.Do, name: c.Name, wait: wait, most: most}
	c.Do = s.ask
	return c
}

type standing struct {
	do         func(context.Context) error
	name       string
	wait, most time.Duration

	mu    sync.Mutex
	known bool          // one has ended
	last  error         // what it gave
	now   chan struct{} // closed when the one under way ends; nil: none is
}

func (s *standing) ask(ctx context.Context) error {
	s.mu.Lock()
	if s.now == nil {
		s.now = make(chan struct{})
		go s.run(context.WithoutCancel(ctx), s.now)
	}
	ended, known := s.now, s.known
	s.mu.Unlock()
	var late <-chan time.Time
	if known {
		t := time.NewTimer(s.wait)
		defer t.Stop()
		late = t.C
	}
	select {
	case <-ended:
	case <-late:
	case <-ctx.Done():
		if !known {
			return ctx.Err()
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

// run asks once. A question that does not heed its context is not waited for.
func (s *standing) run(ctx context.Context, ended chan struct{}) {
	ctx, cancel := context.WithTimeout(ctx, s.most)
	defer cancel()
	answer := make(chan error, 1)
	go func() { answer <- s.do(ctx) }()
	var err error
	select {
	case err = <-answer:
	case <-ctx.Done():
		err = fmt.Errorf("%s has not answered for %v: %w", s.name, s.most, ctx.Err())
	}
	s.mu.Lock()
	s.known, s.last, s.now = true, err, nil
	s.mu.Unlock()
	close(ended)
}
