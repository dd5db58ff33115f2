package access

import (
	"context"
	"errors"
	"math"
	"sync"
	"time"

	"dtm"
)

// Bounds of guessing passwords. An address that fails for an account waits longer and
// longer before its next try there; so does one that fails for many accounts. Many
// addresses that fail for one account make strangers wait, but not an address from
// which that account has signed in: nobody can shut somebody else out for good.
const (
	freePair    = 5  // failures of an address at one account without a pause
	freeAddress = 30 // of an address at any account: an office shares one
	freeAccount = 50 // at an account from anywhere
	firstPause  = 2 * time.Second
	mostPause   = 15 * time.Minute
	forgotten   = time.Hour // after the last failure
	mostKept    = 100_000
)

// Door lets users in by address and password, and bounds how often that is tried.
// It may be used by several goroutines. The counts are kept in memory.
type Door struct {
	Users dtm.Users
	Now   func() time.Time

	mu    sync.Mutex
	tries map[string]tried
	known map[string]time.Time // account and address: signed in
}

type tried struct {
	failures int
	last     time.Time
}

// pause is how long after the last of n failures the next try may come.
func pause(n, free int) time.Duration {
	if n < free {
		return 0
	}
	return time.Duration(min(float64(mostPause), float64(firstPause)*math.Pow(2, float64(min(n-free, 30)))))
}

// SignIn is SignIn from a network address, "" when it is not known. A try that comes
// too early is not looked at: TooMany, for which Retry tells how long to wait.
func (d *Door) SignIn(ctx context.Context, email, password, address string) (dtm.User, error) {
	var u dtm.User
	err := d.bounded(email, address, func() (err error) {
		u, err = SignIn(ctx, d.Users, email, password)
		return err
	})
	return u, err
}

// Guess bounds how often an account tries something that it has to know, such as the
// number on a slip, as SignIn bounds passwords: five tries, then longer and longer pauses.
// The error of a try that was wrong is of kind NotFound; TooMany is one that came too early.
func (d *Door) Guess(account, what string, try func() error) error {
	var wrong error
	err := d.bounded(what+"\x00"+account, "", func() error {
		err := try()
		if err != nil && dtm.KindOf(err) == dtm.NotFound {
			wrong = err
			return dtm.Errorf(dtm.Unauthenticated, "wrong")
		}
		return err
	})
	if wrong != nil {
		return wrong
	}
	return err
}

// bounded lets a try through when it does not come too early; one whose error is not
// that the password or code is wrong does not count.
func (d *Door) bounded(account, address string, try func() error) error {
	now := d.Now()
	if wait := d.enter(account, address, now); wait > 0 {
		return waiting(wait)
	}
	err := try()
	if err == nil || dtm.KindOf(err) != dtm.Unauthenticated {
		d.leave(account, address, now, err == nil)
	}
	return err
}

type limit struct {
	key  string
	free int
}

func limits(email, address string) []limit {
	list := []limit{{"pair\x00" + email + "\x00" + address, freePair}}
	if address != "" {
		list = append(list, limit{"address\x00" + address, freeAddress}, limit{"account\x00" + email, freeAccount})
	}
	return list
}

// enter tells how long to wait, and counts the try as failed when it may go on: of
// a hundred at once no more than the free ones are looked at.
func (d *Door) enter(email, address string, now time.Time) (wait time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.tries == nil {
		d.tries, d.known = map[string]tried{}, map[string]time.Time{}
	}
	if len(d.tries) > mostKept {
		d.forget(now)
	}
	list := limits(email, address)
	_, welcome := d.known[list[0].key]
	for i, l := range list {
		t := d.tries[l.key]
		if now.Sub(t.last) > forgotten || i == 2 && welcome {
			continue
		}
		wait = max(wait, pause(t.failures, l.free)-now.Sub(t.last))
	}
	if wait > 0 {
		return wait
	}
	for _, l := range list {
		t := d.tries[l.key]
		if now.Sub(t.last) > forgotten {
			t.failures = 0
		}
		d.tries[l.key] = tried{t.failures + 1, now}
	}
	return 0
}

// leave takes the failure back that enter counted; whoever is in starts anew.
func (d *Door) leave(email, address string, now time.Time, in bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	list := limits(email, address)
	for _, l := range list {
		if t, ok := d.tries[l.key]; ok {
			t.failures--
			d.tries[l.key] = t
		}
	}
	if in {
		delete(d.tries, list[0].key)
		d.known[list[0].key] = now
	}
}

// forget drops what counts no more; all but the longest pauses when that is not enough.
func (d *Door) forget(now time.Time) {
	for key, t := range d.tries {
		if now.Sub(t.last) > forgotten {
			delete(d.tries, key)
		}
	}
	for key, t := range d.tries {
		if len(d.tries) > mostKept/2 && t.failures < freePair {
			delete(d.tries, key)
		}
	}
	if len(d.known) > mostKept {
		clear(d.known)
	}
}

func waiting(wait time.Duration) error {
	if wait < 2*time.Minute {
		s := int(math.Ceil(wait.Seconds()))
		return dtm.Errorf(dtm.TooMany, "too many attempts to sign in; try again in %d seconds", s).Coded("signin.wait.seconds", s)
	}
	m := int(math.Ceil(wait.Minutes()))
	return dtm.Errorf(dtm.TooMany, "too many attempts to sign in; try again in %d minutes", m).Coded("signin.wait.minutes", m)
}

// Retry is how many seconds to wait after an error of kind TooMany; 0 after others.
func Retry(err error) int {
	var e *dtm.Error
	if !errors.As(err, &e) || e.Kind != dtm.TooMany || len(e.Args) == 0 {
		return 0
	}
	n, _ := e.Args[0].(int)
	if e.Code == "signin.wait.minutes" {
		n *= 60
	}
	return n
}
