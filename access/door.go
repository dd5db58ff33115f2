package access

import (
	"context"
	"errors"
	"math"
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
	forgotten   = time.Hour           // after the last failure
	remembered  = 30 * 24 * time.Hour // from where an account has signed in
)

// Door lets users in by address and password, and bounds how often that is tried.
// It may be used by several goroutines. The counts are kept in the store: servers that
// share it count together, and a restart forgets nothing.
type Door struct {
	Users dtm.Users
	Tries dtm.Tries
	Now   func() time.Time
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
	err := d.bounded(ctx, email, address, func() (err error) {
		u, err = SignIn(ctx, d.Users, email, password)
		return err
	})
	return u, err
}

// Guess bounds how often an account tries something that it has to know, such as the
// number on a slip, as SignIn bounds passwords: five tries, then longer and longer pauses.
// The error of a try that was wrong is of kind NotFound; TooMany is one that came too early.
func (d *Door) Guess(ctx context.Context, account, what string, try func() error) error {
	var wrong error
	err := d.bounded(ctx, what+"\x00"+account, "", func() error {
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
func (d *Door) bounded(ctx context.Context, account, address string, try func() error) error {
	now := d.Now()
	list := limits(account, address)
	wait, err := d.enter(ctx, list, now)
	if err != nil {
		return err
	}
	if wait > 0 {
		return waiting(wait)
	}
	err = try()
	if err == nil || dtm.KindOf(err) != dtm.Unauthenticated {
		err = errors.Join(err, d.leave(context.WithoutCancel(ctx), list, now, err == nil))
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

func keysOf(list []limit) (keys []string) {
	for _, l := range list {
		keys = append(keys, l.key)
	}
	return keys
}

// counts tells whether failures still do. What failed in a time to come did so by a clock
// that stood ahead: it would keep somebody out until then.
func counts(t dtm.Tried, now time.Time) bool {
	return t.Failures > 0 && now.Sub(t.Last) <= forgotten && !t.Last.After(now.Add(dtm.ClockSkew))
}

// waitFor is how long the next try has to wait.
func waitFor(list []limit, known map[string]dtm.Tried, now time.Time) (wait time.Duration) {
	right := known[list[0].key].Right
	welcome := !right.IsZero() && now.Sub(right) <= remembered && !right.After(now.Add(dtm.ClockSkew))
	for i, l := range list {
		if t := known[l.key]; counts(t, now) && !(i == 2 && welcome) {
			wait = max(wait, pause(t.Failures, l.free)-max(0, now.Sub(t.Last)))
		}
	}
	return wait
}

// enter tells how long to wait, and counts the try as failed when it may go on: of
// a hundred at once no more than the free ones are looked at. Who has to wait costs no
// write.
func (d *Door) enter(ctx context.Context, list []limit, now time.Time) (wait time.Duration, err error) {
	known, err := d.Tries.Tries(ctx, keysOf(list))
	if err != nil {
		return 0, err
	}
	if wait = waitFor(list, known, now); wait > 0 {
		return wait, nil
	}
	return wait, d.Tries.CountTries(ctx, keysOf(list), func(known map[string]dtm.Tried) map[string]dtm.Tried {
		if wait = waitFor(list, known, now); wait > 0 {
			return nil
		}
		keep := map[string]dtm.Tried{}
		for key, t := range known {
			if !counts(t, now) {
				t.Failures = 0
			}
			t.Failures, t.Last = t.Failures+1, now
			if until := now.Add(forgotten); t.Right.IsZero() || t.Until.Before(until) {
				t.Until = until
			}
			keep[key] = t
		}
		return keep
	})
}

// leave takes the failure back that enter counted; whoever is in starts anew.
func (d *Door) leave(ctx context.Context, list []limit, now time.Time, in bool) error {
	return d.Tries.CountTries(ctx, keysOf(list), func(known map[string]dtm.Tried) map[string]dtm.Tried {
		for key, t := range known {
			if t.Failures--; t.Failures <= 0 {
				t.Failures, t.Last = 0, time.Time{}
			}
			if t.Failures == 0 && t.Right.IsZero() {
				t = dtm.Tried{}
			}
			known[key] = t
		}
		if in {
			known[list[0].key] = dtm.Tried{Right: now, Until: now.Add(remembered)}
		}
		return known
	})
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
