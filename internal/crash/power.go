package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// traced are the calls that change files, and those that must not happen because the
// replay does not know them.
const traced = "openat,write,pwrite64,writev,pwritev,pwritev2,fsync,fdatasync,ftruncate,fallocate,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,link,linkat,copy_file_range,sendfile,splice"

// Power is a series of power cuts. The program runs once, under strace, while phones
// send to it; then its calls are replayed on a disk that forgets what was not synced,
// up to as many moments as there are cuts, and at each the program must come up with
// every record that a phone had been told is received by then.
type Power struct {
	Program string
	Cuts    int
	Records int
	Clients int
	Seed    uint64
	Tell    func(format string, a ...any)
}

// Lost is what the cuts took.
type Lost struct {
	Cuts         int
	Acknowledged int // records, at the last cut
	Records      int // acknowledged and gone, over all cuts
	Photos       int
	Broken       int // cuts after which the program or its check failed
	With         int // cuts that took anything
}

func (l Lost) String() string {
	return fmt.Sprintf("%d power cuts, %d records acknowledged at the last: %d cuts took something: %d records, %d photographs; after %d the program did not come up whole",
		l.Cuts, l.Acknowledged, l.With, l.Records, l.Photos, l.Broken)
}

// Run runs the campaign; it needs strace.
func (p *Power) Run(ctx context.Context) (lost Lost, err error) {
	if p.Program, err = filepath.Abs(p.Program); err != nil {
		return lost, err
	}
	dir, err := os.MkdirTemp("", "dtm-power-")
	if err != nil {
		return lost, err
	}
	defer os.RemoveAll(dir)
	c := &Campaign{Program: p.Program, Tell: p.Tell, dir: dir, data: filepath.Join(dir, "data")}
	if err := c.settle(ctx); err != nil {
		return lost, err
	}
	before := filepath.Join(dir, "before")
	if err := os.CopyFS(before, regular{os.DirFS(c.data)}); err != nil {
		return lost, err
	}
	told, err := p.trace(ctx, c, filepath.Join(dir, "trace"))
	if err != nil {
		return lost, err
	}
	p.Tell("%d records acknowledged; replaying", len(told))
	return p.replay(ctx, c, before, filepath.Join(dir, "trace"), told)
}

// acknowledged is a record and when the phone had its answer.
type acknowledged struct {
	record
	at float64
}

// trace runs the server under strace until enough records are acknowledged.
func (p *Power) trace(ctx context.Context, c *Campaign, file string) ([]acknowledged, error) {
	s := exec.CommandContext(ctx, "strace", "-f", "-ttt", "-y", "-xx", "-s", "16777216", "-e", "trace="+traced, "-o", file,
		c.Program, "serve", "-data", c.data, "-listen", c.address)
	if err := s.Start(); err != nil {
		return nil, fmt.Errorf("strace is needed: %w", err)
	}
	if err := c.ready(ctx); err != nil {
		return nil, err
	}
	var mu sync.Mutex
	var told []acknowledged
	sending, stop := context.WithCancel(ctx)
	defer stop()
	var wg sync.WaitGroup
	for i := range p.Clients {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(p.Seed, uint64(i)))
			for sending.Err() == nil {
				rec := c.crowd.make(r)
				if !c.crowd.send(sending, rec) {
					continue
				}
				at := float64(time.Now().UnixMicro()) / 1e6
				mu.Lock()
				told = append(told, acknowledged{rec, at})
				if len(told) >= p.Records {
					stop()
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	// strace itself takes no signal while it writes to a file.
	pid, err := c.owner()
	if err != nil {
		return told, err
	}
	return told, errors.Join(syscall.Kill(pid, syscall.SIGKILL), ignoreKill(s.Wait()))
}

// owner is the process that works on the data folder.
func (c *Campaign) owner() (pid int, err error) {
	b, err := os.ReadFile(filepath.Join(c.data, "lock"))
	if err == nil {
		_, err = fmt.Sscanf(string(b), "pid %d", &pid)
	}
	return pid, err
}

// ready waits until the server answers.
func (c *Campaign) ready(ctx context.Context) error {
	for range 6000 {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if c.isReady() {
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return errors.New("the server was not ready after a minute")
}

// replay cuts the power at moments spread over the trace.
func (p *Power) replay(ctx context.Context, c *Campaign, before, trace string, told []acknowledged) (Lost, error) {
	var l Lost
	count := 0
	err := p.operations(trace, c.data, func(op) error { count++; return nil })
	if err != nil {
		return l, err
	}
	r := rand.New(rand.NewPCG(p.Seed, 7))
	cuts := make([]int, p.Cuts)
	for i := range cuts {
		cuts[i] = r.IntN(count)
	}
	slices.Sort(cuts)
	d, err := newDisk(before)
	if err != nil {
		return l, err
	}
	n := 0
	err = p.operations(trace, c.data, func(o op) error {
		for len(cuts) > 0 && cuts[0] == n {
			cuts = cuts[1:]
			if err := p.cut(ctx, c, d, o.at, told, r, &l); err != nil {
				return err
			}
		}
		n++
		return d.do(o)
	})
	return l, err
}

func (p *Power) operations(trace, root string, each func(op) error) error {
	f, err := os.Open(trace)
	if err != nil {
		return err
	}
	defer f.Close()
	return readTrace(f, root, each)
}

// cut lets the power fail at a moment and looks what the program makes of the rest.
func (p *Power) cut(ctx context.Context, c *Campaign, d *disk, at float64, told []acknowledged, r *rand.Rand, l *Lost) error {
	dir, err := os.MkdirTemp(c.dir, "cut-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := d.fail(dir, r); err != nil {
		return err
	}
	l.Cuts++
	l.Acknowledged = 0
	was := *l
	said, err := c.dtm(ctx, "check", "-data", dir)
	if err != nil {
		l.Broken++
		p.Tell("cut %d: %s", l.Cuts, strings.TrimSpace(said))
	}
	stored, photos, err := contents(ctx, dir, "")
	if err != nil {
		l.Broken++
		p.Tell("cut %d: %v", l.Cuts, err)
	}
	for _, a := range told {
		if a.at >= at {
			continue
		}
		l.Acknowledged++
		if stored[a.id] != a.xml {
			l.Records++
		}
		if a.photo != "" && photos[a.id] != a.photo {
			l.Photos++
		}
	}
	if l.Records+l.Photos+l.Broken > was.Records+was.Photos+was.Broken {
		l.With++
	}
	if l.Cuts%20 == 0 {
		p.Tell("%v", *l)
	}
	return ctx.Err()
}
