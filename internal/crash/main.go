// Command crash kills the program at random moments, again and again, while phones send
// to it, and then looks whether anything that was acknowledged is lost or is there
// twice.
//
//	go run ./internal/crash -kills 1000 -clients 16
//
// The phones are ours and do what Collect does: they send a record with its photograph
// until it is acknowledged, the same bytes each time. Some never hear the answer and
// send again; some send what was acknowledged long ago. Meanwhile somebody backs up,
// freezes a month, asks for figures and a report, and takes all records out.
//
//	go run ./internal/crash -clocks -kills 200
//
// The wall clock of the server is stepped forwards and back as well, by up to twenty days.
// At the end it is a year ahead, when no deadline may have been missed or met twice, and
// then right, when backups must go on.
//
//	go run ./internal/crash -postgres -kills 1000
//
// The same with the store on a PostgreSQL server of its own, which is killed too while
// the program goes on.
//
//	go run ./internal/crash -upgrades 50
//
// What was stored is laid into tables as an older version had them, and the program is
// started on it and killed at random moments until they are of the newest version: nothing
// may be missing, and the copies that were made before steps must be whole. With -postgres
// for PostgreSQL.
//
//	go run ./internal/crash -instances 2
//
// One server and two on one PostgreSQL behind a proxy, by turns, and one of the two killed
// in the middle: what they take in and give out, and that nobody is signed out.
//
//	go run ./internal/crash -faults 200
//
// The disk under the store is full from some write on, or one sync fails: what was
// acknowledged must be there, and after a sync that failed the program must end by itself.
//
//	go run ./internal/crash -cuts 200
//
//	go run ./internal/crash -restore 150s -clients 32 -rate 2
//
// The server backs up by itself under load, and its machine is lost: its folder is gone, and
// the newest backup is restored with the offline key. What was acknowledged and is not in it
// is counted, and how long it takes until the server is ready. Then bytes are changed
// anywhere on the shelf: each must be found.
//
// What the kernel was handed is not lost by a kill, but by a power cut it is: -cuts runs
// the program once under strace, and replays what it did to its files on a disk that
// keeps for sure only what was synced.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	var c Campaign
	flag.IntVar(&c.Kills, "kills", 20, "how often the server is killed")
	flag.IntVar(&c.Clients, "clients", 16, "phones that send at once")
	flag.Float64Var(&c.Rate, "rate", 10, "records a second that a phone makes; 0: as many as it can")
	flag.DurationVar(&c.Longest, "longest", 1500*time.Millisecond, "longest life of the server after it is ready")
	flag.Uint64Var(&c.Seed, "seed", uint64(time.Now().UnixNano()), "of the moments and the records")
	flag.StringVar(&c.Program, "bin", "bin/dtm", "the program")
	flag.BoolVar(&c.Postgres, "postgres", false, "keep the store on a PostgreSQL server, which is killed too")
	flag.BoolVar(&c.Clocks, "clocks", false, "step the wall clock of the server forwards and back meanwhile")
	restore := flag.Duration("restore", 0, "lose the machine after so long under load, and restore its newest backup, instead of kills")
	flips := flag.Int("flips", 100, "bytes changed on the shelf of backups after -restore")
	faults := flag.Int("faults", 0, "faults of the disk instead of kills")
	upgrades := flag.Int("upgrades", 0, "upgrades of older stores that are killed, instead of kills")
	instances := flag.Int("instances", 0, "2: two servers on one database behind a proxy, against one")
	span := flag.Duration("span", 10*time.Second, "of a round with -instances; there are three of one server and three of two")
	cuts := flag.Int("cuts", 0, "power cuts instead of kills")
	records := flag.Int("records", 1500, "records sent before the power is cut, or the first upgrade")
	flag.Parse()
	c.Tell = func(format string, a ...any) { fmt.Printf(format+"\n", a...) }
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	switch {
	case *restore > 0:
		o, err := c.Restore(ctx, *restore, *flips)
		end(o, o.Bad(), err)
	case *faults > 0:
		c.Kills = *faults
		o, err := c.Fail(ctx)
		end(o, o.Bad(), err)
	case *upgrades > 0:
		c.Kills = *upgrades
		o, err := c.Upgrade(ctx, *records)
		end(o, o.Bad(), err)
	case *instances == 2:
		c.Rate = 0
		s := Several{Campaign: c, Rounds: 3, Span: *span, Readers: 8}
		o, err := s.Run(ctx)
		end(o, o.Bad(), err)
	case *cuts > 0:
		p := Power{Program: c.Program, Cuts: *cuts, Records: *records, Clients: c.Clients, Seed: c.Seed, Tell: c.Tell}
		o, err := p.Run(ctx)
		end(o, o.With > 0, err)
	default:
		o, err := c.Run(ctx)
		end(o, o.Bad(), err)
	}
}

// end says what was seen, and exits with 1 when it was bad.
func end(seen fmt.Stringer, bad bool, err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "crash:", err)
		os.Exit(1)
	}
	fmt.Println(seen)
	if bad {
		os.Exit(1)
	}
}
