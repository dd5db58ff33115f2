package postgres_test

import (
	"crypto/rand"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"dtm"
	"dtm/access"
)

// TestTwoDoors: an attacker who asks two servers on one database by turns, or at once,
// has no more tries than at one, and whoever they let in is let in by both.
func TestTwoDoors(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	a, b, _ := two(t)
	const right = "correct horse battery"
	hash, err := access.HashPassword(ctx, rand.Reader, right)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.AddUser(ctx, dtm.User{Email: "a@example.org", Role: dtm.RoleManager}, hash); err != nil {
		t.Fatal(err)
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	clock := func() time.Time { return now }
	doors := []*access.Door{{Users: a, Tries: a, Now: clock}, {Users: b, Tries: b, Now: clock}}
	const free = 5
	for _, try := range []func(d *access.Door) error{
		func(d *access.Door) error {
			_, err := d.SignIn(ctx, "a@example.org", "wrong password", "192.0.2.1")
			return err
		},
		func(d *access.Door) error {
			return d.Guess(ctx, "a@example.org", "number", func() error { return dtm.Errorf(dtm.NotFound, "no") })
		},
	} {
		var looked, waits atomic.Int32
		var wg sync.WaitGroup
		for n := range 4 * free {
			wg.Go(func() {
				switch err := try(doors[n%2]); {
				case dtm.KindOf(err) == dtm.TooMany:
					waits.Add(1)
				case dtm.KindOf(err) == dtm.Unauthenticated || dtm.KindOf(err) == dtm.NotFound:
					looked.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if looked.Load() != free || waits.Load() != 3*free {
			t.Errorf("%d tries were looked at, %d had to wait", looked.Load(), waits.Load())
		}
	}
	for _, d := range doors {
		if _, err := d.SignIn(ctx, "a@example.org", right, "192.0.2.1"); dtm.KindOf(err) != dtm.TooMany {
			t.Errorf("let in during the pause: %v", err)
		}
	}
	if _, err := doors[0].SignIn(ctx, "a@example.org", right, "198.51.100.1"); err != nil {
		t.Error(err)
	}
	until := now.Add(time.Minute)
	if err := a.Spend(ctx, "answer", until); err != nil {
		t.Fatal(err)
	}
	if err := b.Spend(ctx, "answer", until); dtm.KindOf(err) != dtm.Conflict {
		t.Errorf("what was used at one server is good at the other: %v", err)
	}
}
