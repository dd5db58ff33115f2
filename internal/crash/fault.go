package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// Failed is what faults of the disk led to.
type Failed struct {
	Outcome
	Full   int // lives in which the disk was full for a write of the store
	Synced int // lives in which a sync of the store failed
	Went   int // lives that went on after a sync that failed
}

// Bad also has a program that went on.
func (f Failed) Bad() bool { return f.Went > 0 || f.Outcome.Bad() }

func (f Failed) String() string {
	return fmt.Sprintf("the disk was full in %d lives, a sync failed in %d: the program went on after %d of them\n%v", f.Full, f.Synced, f.Went, f.Outcome)
}

// Fail lets the disk fail under the store, by strace: a life of the server is one fault.
// From some write on there is no room, or one sync fails.
func (c *Campaign) Fail(ctx context.Context) (f Failed, err error) {
	if err := c.enter("dtm-fault-"); err != nil {
		return f, err
	}
	defer func() { err = c.leave(err, f.Bad()) }()
	if err := c.settle(ctx); err != nil {
		return f, err
	}
	r := rand.New(rand.NewPCG(c.Seed, 1))
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	wg := c.phones(ctx)
	for f.Kills < c.Kills && ctx.Err() == nil {
		if err := c.fault(ctx, r, f.Kills%2 == 0, &f); err != nil {
			return f, fmt.Errorf("after %d faults: %w", f.Kills, err)
		}
		f.Kills++
		if f.Kills%20 == 0 {
			c.Tell("%d faults, %d records acknowledged", f.Kills, c.crowd.acknowledgedSoFar())
		}
		// A life without faults, in which phones get on.
		s, ready, err := c.start(ctx)
		if err != nil {
			return f, err
		}
		f.Ready = max(f.Ready, ready)
		sleep(ctx, 300*time.Millisecond)
		if err := errors.Join(s.Process.Kill(), ignoreKill(s.Wait())); err != nil {
			return f, err
		}
	}
	stop()
	wg.Wait()
	return f, c.judge(context.WithoutCancel(ctx), &f.Outcome)
}

// injected is what strace writes beside a call that it made fail.
var injected = []byte("(INJECTED)")

// fault is a life of the server with one.
func (c *Campaign) fault(ctx context.Context, r *rand.Rand, full bool, f *Failed) error {
	what := fmt.Sprintf("inject=fsync,fdatasync:error=EIO:when=%d", 1+r.IntN(100))
	if full {
		what = fmt.Sprintf("inject=pwrite64:error=ENOSPC:when=%d+", 1+r.IntN(200))
	}
	log := filepath.Join(c.dir, "fault")
	file := filepath.Join(c.data, "dtm.db")
	s := exec.CommandContext(ctx, "strace", "-f", "-qq", "-e", "trace=pwrite64,fsync,fdatasync", "-e", what, "-s", "0", "-o", log,
		"-P", file, "-P", file+"-wal", c.Program, "serve", "-data", c.data, "-listen", c.address)
	var said bytes.Buffer
	s.Stderr = &said
	if err := s.Start(); err != nil {
		return fmt.Errorf("strace is needed: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Wait() }()
	hit := func() bool {
		b, _ := os.ReadFile(log)
		return bytes.Contains(b, injected)
	}
	began, last := time.Now(), 20*time.Second
	var alone bool // it ended by itself
	for time.Since(began) < last && ctx.Err() == nil && !alone {
		select {
		case <-ended:
			alone = true
		case <-time.After(100 * time.Millisecond):
		}
		if last == 20*time.Second && hit() { // now it has some time to end, or to say no
			last = time.Since(began) + 3*time.Second
		}
	}
	switch {
	case !hit():
	case full:
		f.Full++
	default:
		f.Synced++
		if !alone {
			f.Went++
			c.Tell("the program went on after a sync that failed: %s\n%s", what, said.Bytes())
		}
	}
	if alone {
		return nil
	}
	pid, err := c.owner()
	if err == nil {
		err = syscall.Kill(pid, syscall.SIGKILL)
	}
	<-ended
	return err
}
