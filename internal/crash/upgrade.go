package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"dtm/internal/pgtest"
	"dtm/store/postgres"
	"dtm/store/relational"
	"dtm/store/sqlite"
	"dtm/store/sqlite/migration"
)

// firstWhole is the oldest migration whose tables hold all that the campaign sends and
// answers: before it there were no lists of referrals to be brought back.
const firstWhole = 27

// Upgraded is what upgrades that were killed led to.
type Upgraded struct {
	Outcome
	Upgrades int // of older stores
	Within   int // kills that left a store between two versions
	Copies   int // of the older store, left beside a file before a step
	Damaged  int // of them, not whole
	Short    int // upgrades that did not end at the newest version
}

// Bad also has copies that are not whole, and upgrades that did not end.
func (u Upgraded) Bad() bool { return u.Damaged+u.Short > 0 || u.Outcome.Bad() }

func (u Upgraded) String() string {
	return fmt.Sprintf("%d upgrades of older stores, %d of %d kills between two versions; %d did not end at the newest; %d copies made before, %d not whole\n%v",
		u.Upgrades, u.Within, u.Kills, u.Short, u.Copies, u.Damaged, u.Outcome)
}

// Upgrade lets phones send and a desk answer, and then starts the program on what was
// stored as an older version would have it, killing it at random moments until the store
// has the newest: again and again, from different versions.
func (c *Campaign) Upgrade(ctx context.Context, records int) (u Upgraded, err error) {
	if err := c.enter("dtm-upgrade-"); err != nil {
		return u, err
	}
	defer func() { err = c.leave(err, u.Bad()) }()
	var cluster *pgtest.Cluster
	if c.Postgres {
		if cluster, err = c.database(ctx); err != nil {
			return u, err
		}
		defer cluster.Stop()
	}
	if err := errors.Join(c.settle(ctx), c.fill(ctx, records)); err != nil {
		return u, err
	}
	if c.Postgres {
		sleep(ctx, 10*time.Second) // until the claims of the server that was killed have run out
	}
	r := rand.New(rand.NewPCG(c.Seed, 1))
	for u.Upgrades < c.Kills && ctx.Err() == nil {
		older := firstWhole + r.IntN(newest()-firstWhole)
		one := *c
		one.data = filepath.Join(c.dir, fmt.Sprintf("upgrade-%d", u.Upgrades))
		if err := c.older(ctx, &one, cluster, older); err != nil {
			return u, fmt.Errorf("a store of version %d: %w", older, err)
		}
		if err := one.upgrade(ctx, r, older, &u); err != nil {
			return u, fmt.Errorf("upgrade from version %d: %w", older, err)
		}
		u.Upgrades++
		if u.Upgrades%10 == 0 {
			c.Tell("%d upgrades, %d of %d kills between two versions", u.Upgrades, u.Within, u.Kills)
		}
		if u.Bad() {
			return u, nil // the folder is kept as it is
		}
		if err := os.RemoveAll(one.data); err != nil {
			return u, err
		}
	}
	return u, nil
}

// newest is the number of the newest migration.
func newest() int {
	list, _ := fs.Glob(migration.Files, "*.sql")
	return len(list)
}

// fill lets phones send and the desk answer until so many records were acknowledged.
func (c *Campaign) fill(ctx context.Context, records int) error {
	if err := c.care(ctx); err != nil {
		return err
	}
	sending, stop := context.WithCancel(ctx)
	defer stop()
	wg := c.phones(sending)
	wg.Go(func() { c.desk.answer(sending, "http://"+c.address, rand.New(rand.NewPCG(c.Seed, 0))) })
	err := c.live(ctx, func() bool { return c.crowd.acknowledgedSoFar() >= records }, 10*time.Minute)
	stop()
	wg.Wait()
	return err
}

var storeSetting = regexp.MustCompile(`(?m)^store = .*$`)

// older makes the folder of one: that of c, with its store as the migration older had it.
// What columns and tables came later hold is left out.
func (c *Campaign) older(ctx context.Context, one *Campaign, cluster *pgtest.Cluster, older int) error {
	if err := os.CopyFS(one.data, regular{os.DirFS(c.data)}); err != nil {
		return err
	}
	options := relational.Options{Operation: "djibouti"}
	var from, to relational.Place
	var err error
	if cluster == nil {
		for _, name := range []string{"dtm.db", "dtm.db-wal", "dtm.db-shm"} {
			if err := os.RemoveAll(filepath.Join(one.data, name)); err != nil {
				return err
			}
		}
		if from, err = sqlite.OpenPlace(ctx, filepath.Join(c.data, "dtm.db"), options); err != nil {
			return err
		}
		options.Until = older
		to, err = sqlite.OpenPlace(ctx, filepath.Join(one.data, "dtm.db"), options)
	} else {
		name := filepath.Base(one.data)
		if err := execute(ctx, cluster.Address("postgres"), `CREATE DATABASE "`+name+`"`); err != nil {
			return err
		}
		one.store = cluster.Address(name)
		file := filepath.Join(one.data, "config.toml")
		settings, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if err := os.WriteFile(file, storeSetting.ReplaceAll(settings, []byte(fmt.Sprintf("store = %q", one.store))), 0o600); err != nil {
			return err
		}
		if from, err = postgres.OpenPlace(ctx, c.store, options); err != nil {
			return err
		}
		options.Until = older
		if to, err = postgres.OpenPlace(ctx, one.store, options); err != nil {
			return errors.Join(err, from.DB.Close())
		}
	}
	if err != nil {
		return errors.Join(err, from.DB.Close())
	}
	both := shared(from.Tables, to.Tables)
	from.Tables, to.Tables = both, both
	return errors.Join(relational.Move(ctx, from, to, func(relational.Moving) {}), from.DB.Close(), to.DB.Close())
}

// shared are the tables of the older store, with those of its columns that are still there.
func shared(now, older []relational.Table) (list []relational.Table) {
	for _, t := range older {
		i := slices.IndexFunc(now, func(n relational.Table) bool { return n.Name == t.Name })
		if i < 0 {
			continue
		}
		t.Columns = slices.DeleteFunc(slices.Clone(t.Columns), func(x relational.Column) bool {
			return !slices.ContainsFunc(now[i].Columns, func(n relational.Column) bool { return n.Name == x.Name })
		})
		list = append(list, t)
	}
	return list
}

func execute(ctx context.Context, address, statement string) error {
	k, err := pgx.Connect(ctx, address)
	if err != nil {
		return err
	}
	_, err = k.Exec(ctx, statement)
	return errors.Join(err, k.Close(ctx))
}

// upgrade starts the program on an older store and kills it, until the store is of the
// newest version and it has been killed once more; then it looks what is there.
func (c *Campaign) upgrade(ctx context.Context, r *rand.Rand, older int, u *Upgraded) error {
	for kills := 0; kills < 12; kills++ {
		s := exec.CommandContext(ctx, c.Program, "serve", "-data", c.data, "-listen", c.address)
		if err := s.Start(); err != nil {
			return err
		}
		sleep(ctx, time.Duration(r.Int64N(int64(c.Longest))))
		if err := errors.Join(s.Process.Kill(), ignoreKill(s.Wait())); err != nil {
			return err
		}
		u.Kills++
		version, err := c.version(ctx)
		if err != nil {
			return err
		}
		if version == newest() {
			break
		}
		if version > older {
			u.Within++
		}
	}
	s, ready, err := c.start(ctx)
	if err != nil {
		return err
	}
	u.Ready = max(u.Ready, ready)
	if err := errors.Join(s.Process.Kill(), ignoreKill(s.Wait())); err != nil {
		return err
	}
	version, err := c.version(ctx)
	if err != nil {
		return err
	}
	if version != newest() {
		u.Short++
	}
	var seen Outcome
	if err := errors.Join(c.judge(ctx, &seen), c.judgeReferrals(ctx, &seen)); err != nil {
		return err
	}
	u.add(seen)
	return c.copies(ctx, u)
}

// add adds what was seen of one store; what the program itself says of the last one stays.
func (o *Outcome) add(x Outcome) {
	for _, n := range []struct{ into, more *int }{
		{&o.Acknowledged, &x.Acknowledged}, {&o.Screenings, &x.Screenings}, {&o.Done, &x.Done}, {&o.Photos, &x.Photos}, {&o.Stored, &x.Stored},
		{&o.Lost, &x.Lost}, {&o.PhotosLost, &x.PhotosLost}, {&o.Changed, &x.Changed}, {&o.People, &x.People}, {&o.Counted, &x.Counted},
	} {
		*n.into += *n.more
	}
	o.Check, o.Broken = x.Check, o.Broken || x.Broken
}

// version is the newest migration that the store has.
func (c *Campaign) version(ctx context.Context) (int, error) {
	if c.store != "" {
		return count(ctx, "pgx", c.store, `SELECT count(*) FROM migration`)
	}
	return count(ctx, "sqlite", filepath.Join(c.data, "dtm.db"), `SELECT count(*) FROM migration`)
}

func count(ctx context.Context, driver, place, query string) (n int, err error) {
	db, err := sql.Open(driver, place)
	if err != nil {
		return 0, err
	}
	return n, errors.Join(db.QueryRowContext(ctx, query).Scan(&n), db.Close())
}

// copies looks at those left beside the file before a step: each is what it is named for,
// with every submission.
func (c *Campaign) copies(ctx context.Context, u *Upgraded) error {
	list, err := filepath.Glob(filepath.Join(c.data, "dtm.db.before-????"))
	if err != nil {
		return err
	}
	all, err := count(ctx, "sqlite", filepath.Join(c.data, "dtm.db"), `SELECT count(*) FROM submission`)
	if len(list) > 0 && err != nil {
		return err
	}
	for _, file := range list {
		u.Copies++
		steps, err1 := count(ctx, "sqlite", file, `SELECT count(*) FROM migration`)
		has, err2 := count(ctx, "sqlite", file, `SELECT count(*) FROM submission`)
		sound, err3 := count(ctx, "sqlite", file, `SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'`)
		if err := errors.Join(err1, err2, err3); err != nil || has != all || sound != 1 || fmt.Sprintf("%04d", steps+1) != file[strings.LastIndexByte(file, '-')+1:] {
			u.Damaged++
			c.Tell("%s: %d steps, %d of %d submissions, %v", file, steps, has, all, err)
		}
	}
	return nil
}
