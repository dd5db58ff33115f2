package web

import (
	"context"
	"errors"
	"testing"
	"time"
)

// TestComputed: who comes first is told that there is nothing yet; who comes while a newer
// state is computed is shown the last, with its time; a failure is not kept.
func TestComputed(t *testing.T) {
	p := &Pages{Options: Options{Now: time.Now, Patience: 30 * time.Millisecond}}
	ctx := t.Context()
	free, asked := make(chan struct{}), 0
	slow := func(v int) func(context.Context) (int, error) {
		return func(context.Context) (int, error) {
			asked++
			<-free
			return v, nil
		}
	}
	if _, m, err := computed(ctx, p, "x", "1", slow(1)); m.Ready || err != nil {
		t.Fatalf("before the first: %+v, %v", m, err)
	}
	free <- struct{}{}
	wait := context.WithValue(ctx, foreverKey{}, true)
	if v, m, err := computed(wait, p, "x", "1", slow(-1)); v != 1 || !m.Ready || m.Old || err != nil {
		t.Fatalf("the first: %d, %+v, %v", v, m, err)
	}
	if asked != 1 {
		t.Errorf("computed %d times for one state", asked)
	}
	if v, m, err := computed(ctx, p, "x", "2", slow(2)); v != 1 || !m.Ready || !m.Old || m.At.IsZero() || err != nil {
		t.Fatalf("while the second is made: %d, %+v, %v", v, m, err)
	}
	free <- struct{}{}
	if v, m, err := computed(wait, p, "x", "2", slow(-1)); v != 2 || m.Old || err != nil {
		t.Fatalf("the second: %d, %+v, %v", v, m, err)
	}
	bad := errors.New("no")
	for range 2 {
		if _, _, err := computed(wait, p, "y", "1", func(context.Context) (int, error) { return 0, bad }); !errors.Is(err, bad) {
			t.Fatal(err)
		}
	}
	if v, _, err := computed(wait, p, "y", "1", func(context.Context) (int, error) { return 3, nil }); v != 3 || err != nil {
		t.Fatal(v, err)
	}
}
