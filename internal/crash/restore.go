package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"dtm/store/backup"
)

// Restoring is a machine lost under load and what its shelf of backups gave back.
type Restoring struct {
	Outcome
	Backups  int           // on the shelf, made under load by the server's own clock
	Bytes    int64         // of the newest
	Took     time.Duration // making it
	Age      time.Duration // from when it was begun to the loss of the machine
	Missing  int           // acknowledged and not in it
	Oldest   time.Duration // how long before the loss the oldest of them was acknowledged: what was lost, in time
	Early    int           // of them acknowledged before the backup was begun: none may be
	Restored time.Duration // `dtm restore`
	Started  time.Duration // from its end until the server is ready
	Followed time.Duration // and until the figures have all that is stored
	Flipped  int           // bytes changed, each in a place of its own
	Verified int           // of them found by `dtm backup verify`
	Tried    int           // restores from a shelf with such a byte in a file that the restore reads
	Refused  int           // of them refused
}

// Bad says that the backup lacks what was acknowledged before it, that what was restored is
// not whole, or that a changed byte was not found.
func (r Restoring) Bad() bool {
	return r.Backups < 2 || r.Early > 0 || r.Broken || r.PhotosLost+r.Changed > 0 || r.People != r.Counted || r.Verified < r.Flipped || r.Refused < r.Tried
}

func (r Restoring) String() string {
	s := func(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }
	return fmt.Sprintf(`%d records acknowledged; %d backups made meanwhile, the newest of %.1f MB in %s, begun %s before the machine was lost
RPO: %d records were not in it, the oldest acknowledged %s before the loss; %d that were acknowledged before the backup began
RTO: restored in %s, ready %s later, figures whole after %s more
restored: %d records, %d people in them, %d counted; %d photographs lost; changed %d
%s
%d bytes changed on the shelf, one at a time: %d found by verify; %d restores tried with one, %d refused`,
		r.Acknowledged, r.Backups, float64(r.Bytes)/1e6, s(r.Took), s(r.Age), r.Missing, s(r.Oldest), r.Early, s(r.Restored), s(r.Started), s(r.Followed),
		r.Stored, r.People, r.Counted, r.PhotosLost, r.Changed, strings.TrimSpace(r.Check), r.Flipped, r.Verified, r.Tried, r.Refused)
}

// Restore runs a server under load for some time while it backs up by itself, every minute
// here and not every hour, takes its folder away, restores the newest backup with the key
// that never was on the server, and counts. Then it changes bytes on the shelf.
func (c *Campaign) Restore(ctx context.Context, load time.Duration, flips int) (r Restoring, err error) {
	if err := c.enter("dtm-restore-"); err != nil {
		return r, err
	}
	defer func() { err = c.leave(err, r.Bad()) }()
	if err := c.settle(ctx); err != nil {
		return r, err
	}
	if err := c.keepShelf(ctx); err != nil {
		return r, err
	}
	secret, shelf := c.secret(), c.shelf
	s, _, err := c.start(ctx)
	if err != nil {
		return r, err
	}
	sending, stop := context.WithCancel(ctx)
	defer stop()
	wg := c.phones(sending)
	sleep(ctx, load)
	kept := backup.Shelf{Dir: shelf}
	for end := time.Now().Add(5 * time.Minute); ctx.Err() == nil && time.Now().Before(end); sleep(ctx, time.Second) {
		if list, err := kept.List(); err == nil && len(list) >= 2 { // the first was made before anything was sent
			break
		}
	}
	lost := time.Now()
	err = errors.Join(s.Process.Kill(), ignoreKill(s.Wait()))
	stop()
	wg.Wait()
	if err != nil {
		return r, err
	}
	if err := os.RemoveAll(c.data); err != nil { // nobody has it any more
		return r, err
	}

	list, err := kept.List()
	if err != nil || len(list) < 2 {
		return r, fmt.Errorf("%d backups were made: %w", len(list), err)
	}
	newest := list[0]
	r.Backups, r.Bytes, r.Age = len(list), newest.Size, lost.Sub(newest.At)
	r.Took = time.Duration(newest.Took * float64(time.Second))
	file := filepath.Join(shelf, newest.Name())
	began := time.Now()
	if _, err := c.dtm(ctx, "restore", "-data", c.data, "-key", secret, file); err != nil {
		return r, err
	}
	r.Restored = time.Since(began)
	if s, r.Started, err = c.start(ctx); err != nil {
		return r, err
	}
	began = time.Now()
	_, err = c.dtm(ctx, "indicator", "-data", c.data, "total_movements", "-from", "2026-10") // waits for the log to be loaded
	r.Followed = time.Since(began)
	if err := errors.Join(err, s.Process.Kill(), ignoreKill(s.Wait())); err != nil {
		return r, err
	}
	if err := c.judgeRestored(ctx, newest.At, lost, &r); err != nil {
		return r, err
	}
	c.Tell("%d records acknowledged, %d restored; changing bytes", r.Acknowledged, r.Stored)
	return r, c.flip(ctx, shelf, secret, file, flips, &r)
}

// keepShelf has the server back up by itself every minute, on a shelf beside its folder.
func (c *Campaign) keepShelf(ctx context.Context) error {
	public, err := exec.CommandContext(ctx, c.Program, "backup", "key", "-out", c.secret()).Output()
	if err != nil {
		return err
	}
	c.shelf = filepath.Join(c.dir, "shelf")
	return c.set(fmt.Sprintf("backup_dir = %q\nbackup_recipient = %q\nbackup_minutes = 1\n", c.shelf, strings.TrimSpace(string(public))))
}

func (c *Campaign) secret() string { return filepath.Join(c.dir, "secret") }

// set adds settings to the folder's.
func (c *Campaign) set(text string) error {
	f, err := os.OpenFile(filepath.Join(c.data, "config.toml"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString("\n" + text)
	return errors.Join(err, f.Close())
}

// judgeRestored is judge where the newest records may be missing.
func (c *Campaign) judgeRestored(ctx context.Context, begun, lost time.Time, r *Restoring) error {
	all := c.crowd.acked
	stored, _, err := contents(ctx, c.data, c.store)
	if err != nil {
		return err
	}
	there := map[string]time.Time{}
	for id, at := range all {
		if _, is := stored[id]; is {
			there[id] = at
			continue
		}
		r.Missing++
		r.Oldest = max(r.Oldest, lost.Sub(at))
		if at.Before(begun) {
			r.Early++
			c.Tell("acknowledged %s before the backup began and not in it: %s", begun.Sub(at), id)
		}
	}
	c.crowd.acked = there
	err = c.judge(ctx, &r.Outcome)
	c.crowd.acked = all
	r.Acknowledged = len(all)
	return err
}

// flip changes a bit of a byte anywhere on the shelf, has the program look, and changes it
// back. Files are drawn alike: large ones would take all.
func (c *Campaign) flip(ctx context.Context, shelf, secret, newest string, flips int, r *Restoring) error {
	kinds := map[string][]string{} // by what they are
	err := filepath.WalkDir(shelf, func(p string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			kind, _, _ := strings.Cut(filepath.Base(p), "-")
			if filepath.Dir(filepath.Dir(p)) == filepath.Join(shelf, "media") {
				kind = "media"
			}
			kinds[kind+filepath.Ext(p)] = append(kinds[kind+filepath.Ext(p)], p)
		}
		return err
	})
	if err != nil {
		return err
	}
	var names []string
	for k := range kinds {
		names = append(names, k)
	}
	slices.Sort(names)
	x := rand.New(rand.NewPCG(c.Seed, 5))
	for i := range flips {
		list := kinds[names[i%len(names)]]
		file := list[x.IntN(len(list))]
		was, err := os.ReadFile(file)
		if err != nil || len(was) == 0 {
			return fmt.Errorf("%s: %w", file, err)
		}
		at := x.IntN(len(was))
		now := slices.Clone(was)
		now[at] ^= 1 << x.IntN(8)
		if err := os.WriteFile(file, now, 0o600); err != nil {
			return err
		}
		r.Flipped++
		if _, err := c.dtm(ctx, "backup", "verify", shelf); err != nil {
			r.Verified++
		} else {
			c.Tell("not found by verify: byte %d of %s", at, file)
		}
		from := newest
		if strings.HasPrefix(filepath.Base(file), "dtm-") && filepath.Ext(file) == ".age" {
			from = file
		}
		// Lists are not read by a restore, nor older keys.
		if file == from || slices.Contains(kinds["media.age"], file) || len(kinds["keys.age"]) > 0 && file == slices.Max(kinds["keys.age"]) {
			r.Tried++
			to := filepath.Join(c.dir, "refused")
			if _, err := c.dtm(ctx, "restore", "-data", to, "-key", secret, from); err != nil {
				r.Refused++
			} else {
				c.Tell("restored with byte %d of %s changed", at, file)
			}
			if err := os.RemoveAll(to); err != nil {
				return err
			}
		}
		if err := os.WriteFile(file, was, 0o600); err != nil {
			return err
		}
		if r.Flipped%50 == 0 {
			c.Tell("%d bytes changed, %d found", r.Flipped, r.Verified)
		}
	}
	// And whole again it is whole: what was found was not something else.
	_, err = c.dtm(ctx, "backup", "verify", shelf)
	return err
}
