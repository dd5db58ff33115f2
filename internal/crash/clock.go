package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"dtm/store/backup"
)

// clock is the wall clock of the lives of the server: the machine's and so many seconds.
// What counts time that passed (CLOCK_MONOTONIC) is left alone, as when somebody sets a
// clock, or a machine comes up with an empty battery.
type clock struct {
	mu    sync.Mutex
	off   time.Duration
	set   func(seconds int64) error // of the life that runs; nil: none does
	steps int                       // under a server
}

// step sets the clock, of the life that runs and of those to come.
func (k *clock) step(off time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.off = off
	if k.set != nil && k.set(int64(off/time.Second)) == nil {
		k.steps++
	}
}

// wander steps the clock forwards and back by minutes, hours and days until ctx ends, at
// random moments.
func (k *clock) wander(ctx context.Context, r *rand.Rand, every time.Duration) {
	for {
		sleep(ctx, time.Duration(r.Int64N(int64(every))))
		if ctx.Err() != nil {
			return
		}
		k.step(offset(r))
	}
}

// aftermath is what must hold when the clock has been everywhere. A year ahead every
// referral that somebody should have seen to has been escalated or has expired; and when
// the clock is right again the server backs up, though its shelf has backups of a time to
// come. It returns what does not hold.
func (c *Campaign) aftermath(ctx context.Context) (faults []string, err error) {
	const year = 366 * 24 * time.Hour
	c.clock.step(year)
	waking, life := -1, 3*time.Second
	if c.Postgres {
		life = 15 * time.Second // the work of a server that was killed is taken up after twelve
	}
	for lives := 0; waking != 0 && lives < 20; lives++ {
		if err := c.live(ctx, func() bool { return false }, life); err != nil {
			return nil, err
		}
		db, err := c.open(ctx)
		if err != nil {
			return nil, err
		}
		list, err := db.Waking(ctx, time.Now().Add(year), 1000)
		if err = errors.Join(err, db.Close()); err != nil {
			return nil, err
		}
		waking = len(list)
	}
	if waking != 0 {
		faults = append(faults, fmt.Sprintf("clocks of %d referrals were not looked at", waking))
	}
	if c.clock.step(0); c.Postgres {
		return faults, nil
	}
	now, shelf, made := time.Now().Truncate(time.Second), backup.Shelf{Dir: c.shelf}, false
	err = c.live(ctx, func() bool {
		list, err := shelf.List()
		made = err == nil && slices.ContainsFunc(list, func(e backup.Entry) bool { return !e.At.Before(now) && e.At.Before(time.Now()) })
		return made
	}, time.Minute)
	if !made {
		faults = append(faults, "the server backs up no more")
	}
	return faults, err
}

// live lets the server live until enough is true, or so long.
func (c *Campaign) live(ctx context.Context, enough func() bool, longest time.Duration) error {
	s, _, err := c.start(ctx)
	if err != nil {
		return err
	}
	for began := time.Now(); time.Since(began) < longest && !enough(); {
		sleep(ctx, 50*time.Millisecond)
	}
	return errors.Join(s.Process.Kill(), ignoreKill(s.Wait()))
}

// offset is where a clock may stand: by minutes, hours or days, before or behind, or right.
func offset(r *rand.Rand) time.Duration {
	n := time.Duration(r.IntN(41) - 20)
	return n * []time.Duration{0, time.Minute, time.Hour, 24 * time.Hour}[r.IntN(4)]
}
