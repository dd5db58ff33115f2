package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"dtm/internal/pgtest"
	"dtm/operation"
)

// Campaign is a series of kills.
type Campaign struct {
	Program  string
	Kills    int
	Clients  int
	Rate     float64
	Longest  time.Duration
	Seed     uint64
	Postgres bool // the store is on a database server, which is killed too
	Clocks   bool // the wall clock of the server is stepped
	Tell     func(format string, a ...any)

	dir, data string
	store     string // the address of the database
	address   string // of all the lives of the server, so that phones find it again
	crowd     *crowd
	desk      *desk
	clock     *clock
	shelf     string       // of backups, "" without
	exports   int          // tables that came whole,
	missing   int          // and what was acknowledged and is not in them
	before    func() error // the judge looks; for the test of the judge
}

// Outcome is what was seen.
type Outcome struct {
	Kills        int
	Databases    int           // kills of the database server among them
	Ready        time.Duration // the longest time from start to ready after a kill
	Acknowledged int           // records that a phone was told are received
	Screenings   int           // screenings of people to be referred, told to be received
	Done         int           // steps of referrals that somebody at the desk was told are done
	Photos       int           // of them with a photograph
	Stored       int           // records in the store
	Lost         int           // acknowledged and not there
	PhotosLost   int           // acknowledged, and the photograph missing or changed
	Changed      int           // there with other content than was sent
	People       int           // movements of the records stored
	Counted      int           // movements that the indicator says: more are doubled, fewer lost
	Exports      int           // tables taken out whole meanwhile
	Missing      int           // acknowledged before one was asked for, and not in it
	Steps        int           // steps of the wall clock
	Faults       []string      // what did not hold when the clock was right again
	Check        string        // what `dtm check` says
	Broken       bool          // and that it found a fault
}

// Bad says that something was lost, doubled or changed, or that the server was too long
// in coming back.
func (o Outcome) Bad() bool {
	return o.Broken || len(o.Faults) > 0 || o.Lost+o.PhotosLost+o.Changed+o.Missing > 0 || o.People != o.Counted || o.Stored < o.Acknowledged || o.Ready > 5*time.Second
}

func (o Outcome) String() string {
	return fmt.Sprintf("%d kills, %d of the database server; ready again within %.1f s; %d records acknowledged, %d with a photograph; %d screenings acknowledged, %d steps of their referrals; lost %d, and %d photographs; changed or doubled %d; %d records stored, %d people in them, %d counted; %d tables taken out whole, lacking %d; the clock stepped %d times%s\n%s",
		o.Kills, o.Databases, o.Ready.Seconds(), o.Acknowledged, o.Photos, o.Screenings, o.Done, o.Lost, o.PhotosLost, o.Changed, o.Stored, o.People, o.Counted, o.Exports, o.Missing, o.Steps, strings.Join(append([]string{""}, o.Faults...), "; "), o.Check)
}

// Run runs the campaign in a temporary folder, removed when nothing bad was seen. When ctx
// ends it is judged by the kills until then.
func (c *Campaign) Run(ctx context.Context) (o Outcome, err error) {
	if err := c.enter("dtm-crash-"); err != nil {
		return o, err
	}
	defer func() { err = c.leave(err, o.Bad()) }()
	var cluster *pgtest.Cluster
	if c.Postgres {
		if cluster, err = c.database(ctx); err != nil {
			return o, err
		}
		defer cluster.Stop()
	}
	if err := c.settle(ctx); err != nil {
		return o, err
	}
	if err := c.care(ctx); err != nil {
		return o, err
	}
	if c.Clocks && !c.Postgres {
		if err := c.keepShelf(ctx); err != nil {
			return o, err
		}
	}
	r := rand.New(rand.NewPCG(c.Seed, 1))
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	wg := c.phones(ctx)
	wg.Go(func() { c.desk.answer(ctx, "http://"+c.address, rand.New(rand.NewPCG(c.Seed, 0))) })
	for o.Kills < c.Kills && ctx.Err() == nil {
		if c.Clocks {
			if err := c.desk.signIn(ctx, c); err != nil && ctx.Err() == nil {
				return o, err
			}
		}
		s, ready, err := c.start(ctx)
		if ctx.Err() != nil {
			break // ended early: what there is is judged
		}
		if err != nil {
			return o, fmt.Errorf("after %d kills: %w", o.Kills, err)
		}
		o.Ready = max(o.Ready, ready)
		life, cancel := context.WithCancel(ctx)
		var meanwhile sync.WaitGroup
		// A command that was carried out without the server, because it was dead already, has
		// the folder until it is gone itself.
		done := func() { cancel(); meanwhile.Wait() }
		if o.Kills%2 == 0 {
			now := rand.New(rand.NewPCG(c.Seed, r.Uint64()))
			meanwhile.Go(func() { c.office(life, now) })
		}
		if c.Clocks && o.Kills%3 != 0 {
			now := rand.New(rand.NewPCG(c.Seed, r.Uint64()))
			meanwhile.Go(func() { c.clock.wander(life, now, c.Longest/2) })
		}
		sleep(ctx, time.Duration(r.Int64N(int64(c.Longest))))
		if c.Postgres && r.IntN(2) == 0 {
			if err := c.crashDatabase(ctx, cluster, r, &o); err != nil && ctx.Err() == nil {
				done()
				return o, err
			}
		}
		err = errors.Join(s.Process.Kill(), ignoreKill(s.Wait()))
		done()
		if err != nil && ctx.Err() == nil {
			return o, err
		}
		o.Kills++
		if o.Kills%50 == 0 {
			c.Tell("%d kills, %d records acknowledged, ready within %.1f s", o.Kills, c.crowd.acknowledgedSoFar(), o.Ready.Seconds())
		}
	}
	stop()
	wg.Wait()
	o.Exports, o.Missing, o.Steps = c.exports, c.missing, c.clock.steps
	if c.before != nil {
		if err := c.before(); err != nil {
			return o, err
		}
	}
	ctx = context.WithoutCancel(ctx)
	if c.Clocks {
		if o.Faults, err = c.aftermath(ctx); err != nil {
			return o, err
		}
	}
	if err := c.judge(ctx, &o); err != nil {
		return o, err
	}
	return o, c.judgeReferrals(ctx, &o)
}

// care lets phones send screenings too, and somebody answer at a desk.
func (c *Campaign) care(ctx context.Context) (err error) {
	if c.desk, err = c.hire(ctx); err != nil {
		return err
	}
	s, _, err := c.start(ctx)
	if err != nil {
		return err
	}
	defer func() {
		_ = s.Process.Kill()
		_ = s.Wait()
	}()
	res, err := http.Get(strings.TrimSuffix(c.crowd.url, "/submission") + "/forms/screening.xml")
	if err != nil {
		return err
	}
	defer res.Body.Close()
	form, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	op, err := operation.Pack("djibouti")
	if err != nil {
		return err
	}
	c.crowd.screening, err = readScreening(op, form)
	return err
}

// database makes an empty one on a server of its own.
func (c *Campaign) database(ctx context.Context) (*pgtest.Cluster, error) {
	cluster, err := pgtest.New(true)
	if err != nil {
		return nil, err
	}
	if err = cluster.Start(); err == nil {
		err = execute(ctx, cluster.Address("postgres"), "CREATE DATABASE dtm")
	}
	if err != nil {
		cluster.Stop()
		return nil, err
	}
	c.store = cluster.Address("dtm")
	return cluster, nil
}

// crashDatabase kills the database server under the program, which goes on by itself when
// it is back.
func (c *Campaign) crashDatabase(ctx context.Context, cluster *pgtest.Cluster, r *rand.Rand, o *Outcome) error {
	cluster.Crash()
	sleep(ctx, time.Duration(r.Int64N(int64(300*time.Millisecond))))
	if err := cluster.Start(); err != nil {
		return err
	}
	back := time.Now()
	if err := c.ready(ctx); err != nil {
		return err
	}
	o.Ready = max(o.Ready, time.Since(back))
	o.Kills++
	o.Databases++
	sleep(ctx, time.Duration(r.Int64N(int64(c.Longest))))
	return nil
}

func ignoreKill(err error) error {
	var exit *exec.ExitError
	if errors.As(err, &exit) && !exit.Exited() {
		return nil
	}
	return err
}

// dtm runs a command of the program.
func (c *Campaign) dtm(ctx context.Context, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, c.Program, args...).CombinedOutput()
	if err != nil {
		err = fmt.Errorf("dtm %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return string(out), err
}

// start starts the server and returns when it is ready.
func (c *Campaign) start(ctx context.Context) (*exec.Cmd, time.Duration, error) {
	began := time.Now()
	s := exec.CommandContext(ctx, c.Program, "serve", "-data", c.data, "-listen", c.address)
	said, err := s.StderrPipe()
	if err != nil {
		return nil, 0, err
	}
	begin := s.Start
	if c.Clocks {
		begin = func() error { return c.clock.start(s) }
	}
	if err := begin(); err != nil {
		return nil, 0, err
	}
	lines := make(chan string, 100)
	go func() {
		in := bufio.NewScanner(said)
		for in.Scan() {
			select {
			case lines <- in.Text():
			default:
			}
		}
		close(lines)
	}()
	for time.Since(began) < time.Minute {
		if c.isReady() {
			return s, time.Since(began), nil
		}
		time.Sleep(5 * time.Millisecond)
	}
	_ = s.Process.Kill()
	_ = s.Wait()
	var all []string
	for l := range lines {
		all = append(all, l)
	}
	return nil, 0, fmt.Errorf("the server was not ready after a minute: %s", strings.Join(all, "\n"))
}

func (c *Campaign) isReady() bool {
	res, err := http.Get("http://" + c.address + "/readyz")
	if err != nil {
		return false
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
	return res.StatusCode == http.StatusOK
}

var screeningVersion = regexp.MustCompile(`id="screening" version="([^"]+)"`)

var keyed = regexp.MustCompile(`http://\S+(/v1/key/\S+/projects/1)`)

// enter takes a temporary folder.
func (c *Campaign) enter(name string) (err error) {
	if c.Program, err = filepath.Abs(c.Program); err != nil {
		return err
	}
	if c.dir, err = os.MkdirTemp("", name); err != nil {
		return err
	}
	c.data, c.clock = filepath.Join(c.dir, "data"), &clock{}
	return nil
}

// leave removes the folder, unless something bad was seen in it.
func (c *Campaign) leave(err error, bad bool) error {
	if err == nil && !bad {
		return os.RemoveAll(c.dir)
	}
	c.Tell("seed %d, folder kept: %s", c.Seed, c.dir)
	return err
}

// phones lets all phones send until ctx ends.
func (c *Campaign) phones(ctx context.Context) *sync.WaitGroup {
	var wg sync.WaitGroup
	for i := range c.Clients {
		wg.Go(func() { c.crowd.phone(ctx, rand.New(rand.NewPCG(c.Seed, uint64(i)+2)), c.Rate) })
	}
	return &wg
}

// settle makes the folder, chooses an address and enrols who will use it.
func (c *Campaign) settle(ctx context.Context) (err error) {
	args := []string{"init", "-data", c.data}
	if c.store != "" {
		args = append(args, "-store", c.store)
	}
	if _, err = c.dtm(ctx, args...); err != nil {
		return err
	}
	if c.address, err = freeAddress(); err != nil {
		return err
	}
	c.crowd, err = c.enrol(ctx)
	return err
}

// enrol gives the phones their address and the form's version.
func (c *Campaign) enrol(ctx context.Context) (*crowd, error) {
	s, _, err := c.start(ctx)
	if err != nil {
		return nil, err
	}
	defer func() {
		_ = s.Process.Kill()
		_ = s.Wait()
	}()
	return c.phonesOf(ctx)
}

// phonesOf enrols the phones with a server that runs.
func (c *Campaign) phonesOf(ctx context.Context) (*crowd, error) {
	out, err := c.dtm(ctx, "device", "add", "-data", c.data, "-name", "crowd", "-point", "obock")
	if err != nil {
		return nil, err
	}
	m := keyed.FindStringSubmatch(out)
	if m == nil {
		return nil, fmt.Errorf("no address in %s", out)
	}
	base := "http://" + c.address + m[1]
	res, err := http.Get(base + "/forms/fmr.xml")
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	form, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	v := regexp.MustCompile(`<data id="fmr" version="([^"]+)"`).FindSubmatch(form)
	if v == nil {
		return nil, fmt.Errorf("no version in the form: %d", res.StatusCode)
	}
	return newCrowd(base+"/submission", string(v[1])), nil
}
