package access

import (
	"crypto/rand"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"dtm"
	"dtm/store/sqlite"
)

func doorOf(t *testing.T, now *time.Time) (*Door, string) {
	t.Helper()
	const right = "correct horse battery"
	hash, err := HashPassword(t.Context(), rand.Reader, right)
	if err != nil {
		t.Fatal(err)
	}
	return &Door{Users: one{user: dtm.User{Email: "a@example.org", Role: dtm.RoleManager}, hash: hash}, Tries: counter(t, filepath.Join(t.TempDir(), "dtm.db"), now), Now: func() time.Time { return *now }}, right
}

func counter(t *testing.T, file string, now *time.Time) *sqlite.DB {
	t.Helper()
	db, err := sqlite.Open(t.Context(), file, sqlite.Options{Operation: "test", Now: func() time.Time { return *now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// enters tells whether a try may go on; it is counted as wrong.
func enters(t *testing.T, d *Door, email, address string, now time.Time) bool {
	t.Helper()
	wait, err := d.enter(t.Context(), limits(email, address), now)
	if err != nil {
		t.Fatal(err)
	}
	return wait == 0
}

// TestDoor: pauses grow, the right password does not open during one, opens after it,
// and an attacker's failures do not keep the account's owner out.
func TestDoor(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 28, 8, 0, 0, 0, time.UTC)
	d, right := doorOf(t, &now)
	try := func(password, from string) error {
		_, err := d.SignIn(t.Context(), "a@example.org", password, from)
		return err
	}
	if err := try(right, "10.0.0.1"); err != nil {
		t.Fatal(err)
	}
	last := 0
	for n := range 10 {
		err := try("wrong password", "203.0.113.9")
		if n < freePair {
			if dtm.KindOf(err) != dtm.Unauthenticated {
				t.Fatalf("failure %d: %v", n, err)
			}
			continue
		}
		wait := Retry(err)
		if dtm.KindOf(err) != dtm.TooMany || wait <= last || wait > int(mostPause.Seconds()) {
			t.Fatalf("failure %d: wait %d after %d: %v", n, wait, last, err)
		}
		if err := try(right, "203.0.113.9"); dtm.KindOf(err) != dtm.TooMany {
			t.Fatalf("the right password opens during the pause: %v", err)
		}
		if err := try(right, "10.0.0.1"); err != nil {
			t.Fatalf("the owner is kept out: %v", err)
		}
		last = wait
		now = now.Add(time.Duration(wait) * time.Second)
		if err := try("wrong password", "203.0.113.9"); dtm.KindOf(err) != dtm.Unauthenticated {
			t.Fatalf("after the pause: %v", err)
		}
	}
	now = now.Add(mostPause)
	if err := try(right, "203.0.113.9"); err != nil {
		t.Fatalf("the right password after the pause: %v", err)
	}
	if err := try("wrong password", "203.0.113.9"); dtm.KindOf(err) != dtm.Unauthenticated {
		t.Errorf("who got in does not start anew: %v", err)
	}
}

// TestDoorFromManyAddresses: many addresses at one account make strangers wait, and
// not where the account has signed in; one address at many accounts has to wait too.
func TestDoorFromManyAddresses(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 28, 8, 0, 0, 0, time.UTC)
	d, right := doorOf(t, &now)
	if _, err := d.SignIn(t.Context(), "a@example.org", right, "10.0.0.1"); err != nil {
		t.Fatal(err)
	}
	for n := range freeAccount {
		enters(t, d, "a@example.org", fmt.Sprint("198.51.100.", n), now)
	}
	if enters(t, d, "a@example.org", "192.0.2.1", now) {
		t.Error("a stranger goes on after many failures from everywhere")
	}
	if _, err := d.SignIn(t.Context(), "a@example.org", right, "10.0.0.1"); err != nil {
		t.Errorf("the owner is kept out by strangers: %v", err)
	}
	for n := range freeAddress {
		enters(t, d, fmt.Sprint(n, "@example.org"), "192.0.2.7", now)
	}
	if enters(t, d, "b@example.org", "192.0.2.7", now) {
		t.Error("one address goes through a list of accounts without a pause")
	}
	if !enters(t, d, "b@example.org", "192.0.2.8", now) {
		t.Error("another address has to wait for it")
	}
}

// TestDoorRestarts: a server that begins anew knows what was tried; one whose clock went
// back, or had stood ahead, keeps nobody out for it.
func TestDoorRestarts(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 28, 8, 0, 0, 0, time.UTC)
	d, right := doorOf(t, &now)
	file := filepath.Join(t.TempDir(), "dtm.db")
	first := counter(t, file, &now)
	d.Tries = first
	for range freePair {
		if !enters(t, d, "a@example.org", "192.0.2.1", now) {
			t.Fatal("a free try has to wait")
		}
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	d.Tries = counter(t, file, &now)
	if enters(t, d, "a@example.org", "192.0.2.1", now) {
		t.Error("a restart gives more tries")
	}
	if now = now.Add(-time.Minute); enters(t, d, "a@example.org", "192.0.2.1", now) {
		t.Error("a clock that went back by a minute gives more tries")
	}
	if now = now.AddDate(0, -1, 0); !enters(t, d, "a@example.org", "192.0.2.1", now) {
		t.Error("a clock that had stood ahead by a month keeps somebody out")
	}
	if _, err := d.SignIn(t.Context(), "a@example.org", right, "192.0.2.1"); err != nil {
		t.Error(err)
	}
}

// TestDoorAtOnce: of many tries at the same moment no more than the free ones are
// looked at.
func TestDoorAtOnce(t *testing.T) {
	t.Parallel()
	now := time.Now().UTC().Truncate(time.Millisecond)
	d, _ := doorOf(t, &now)
	var looked atomic.Int32
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if enters(t, d, "a@example.org", "192.0.2.1", now) {
				looked.Add(1)
			}
		})
	}
	wg.Wait()
	if looked.Load() != freePair {
		t.Errorf("%d tries were looked at", looked.Load())
	}
}
