package serve

import (
	"context"
	"errors"
	"testing"
	"time"
)

// TestStanding: a check gives what the last one gave while the next one waits, a failure
// too, and fails when one is under way for too long.
func TestStanding(t *testing.T) {
	t.Parallel()
	answers := make(chan error)
	c := Standing(Check{Name: "warehouse", Do: func(context.Context) error { return <-answers }}, time.Millisecond, time.Hour)
	ask := func() error { return c.Do(t.Context()) }

	asked := make(chan error)
	go func() { asked <- ask() }()
	select {
	case err := <-asked:
		t.Fatalf("nothing is known yet, and it said %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	answers <- nil
	if err := <-asked; err != nil {
		t.Fatal(err)
	}
	for range 3 { // one is under way, and none has ended since
		if err := ask(); err != nil {
			t.Fatalf("busy: %v", err)
		}
	}
	gone := errors.New("gone")
	answers <- gone
	for err := ask(); !errors.Is(err, gone); err = ask() {
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := ask(); !errors.Is(err, gone) {
		t.Errorf("gone, and busy: %v", err)
	}
	close(answers)

	never := Standing(Check{Name: "warehouse", Do: func(context.Context) error { select {} }}, time.Millisecond, 10*time.Millisecond)
	if err := never.Do(t.Context()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("silent for longer than allowed: %v", err)
	}
}
