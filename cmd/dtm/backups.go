package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"filippo.io/age"

	"dtm"
	"dtm/store/backup"
	"dtm/store/sqlite"
)

// trialEvery is how often a backup is restored on trial.
const trialEvery = 7 * 24 * time.Hour

// backups is the shelf of this installation; Unsupported when none is set.
func (h *house) backups() (backup.Shelf, error) {
	s := backup.Shelf{Dir: h.config.BackupDir}
	if s.Dir == "" {
		return s, dtm.Errorf(dtm.Unsupported, "no folder of backups is set: backup_dir and backup_recipient in config.toml; `dtm backup key` makes a key")
	}
	if !filepath.IsAbs(s.Dir) {
		s.Dir = filepath.Join(h.dir, s.Dir)
	}
	var err error
	if s.To, err = backup.Recipients(h.config.BackupRecipient); err != nil {
		return s, err
	}
	if len(s.To) == 0 {
		return s, dtm.Errorf(dtm.Invalid, "backup_dir is set but no backup_recipient: backups on a shelf are always encrypted; `dtm backup key` makes a key")
	}
	return s, nil
}

// keepBackups puts a backup on the shelf every hour and tries one every week, until
// ctx ends. After a start it waits for what is left of the hour.
func (h *house) keepBackups(ctx context.Context) {
	if h.config.BackupDir == "" {
		return
	}
	s, err := h.backups()
	if err != nil {
		slog.ErrorContext(ctx, "there will be no backups", "error", err)
		return
	}
	every := max(time.Minute, time.Duration(h.config.BackupMinutes)*time.Minute)
	for {
		list, err := s.List()
		if err != nil {
			slog.ErrorContext(ctx, "the shelf of backups cannot be read", "error", err)
		}
		pause := time.NewTimer(untilBackup(list, every, h.now()))
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return
		}
		if err := did(ctx, "backup", func(ctx context.Context) error { _, err := h.backUp(ctx, s); return err }); err != nil && ctx.Err() == nil {
			slog.ErrorContext(ctx, "the backup failed; it will be tried again in a minute", "error", err)
			select {
			case <-time.After(time.Minute):
			case <-ctx.Done():
			}
		}
	}
}

// untilBackup is how long to wait for the next backup after those of list, the newest
// first. One dated ahead was made while the clock stood ahead: the time until it would be
// without backups.
func untilBackup(list []backup.Entry, every time.Duration, now time.Time) time.Duration {
	for _, e := range list {
		if !e.At.After(now.Add(every)) {
			return max(0, e.At.Add(every).Sub(now))
		}
	}
	return 0
}

// backUp makes a backup, restores it on trial when the last trial is a week ago, and
// lets go what is not kept.
func (h *house) backUp(ctx context.Context, s backup.Shelf) (backup.Entry, error) {
	h.shelving.Lock()
	defer h.shelving.Unlock()
	last, err := s.LastTrial()
	if err != nil {
		return backup.Entry{}, err
	}
	src, err := h.backupSource(ctx)
	if err != nil {
		return backup.Entry{}, err
	}
	// The key of a trial lives in memory and dies with it: what stays on the shelf can
	// be read with the offline key alone, since nobody else has ever had this one.
	var id *age.X25519Identity
	if h.now().Sub(last.At).Abs() >= trialEvery { // or was tried by a clock that stood ahead
		if id, err = age.GenerateX25519Identity(); err != nil {
			return backup.Entry{}, err
		}
		src.Also = id.Recipient()
	}
	e, err := s.Put(ctx, h.now(), src)
	if err != nil {
		return e, err
	}
	if id != nil {
		began := time.Now()
		fault := h.tryBackup(ctx, s, e, id)
		if ctx.Err() != nil {
			return e, ctx.Err()
		}
		t := backup.Trial{Backup: e.At, At: h.now().UTC(), Took: time.Since(began).Seconds()}
		if fault != nil {
			t.Fault = fault.Error()
			slog.ErrorContext(ctx, "a backup restored on trial is not whole", "backup", e.Name(), "error", fault)
		}
		if err := s.Tried(t); err != nil {
			return e, err
		}
	}
	_, err = s.Prune(h.now())
	return e, err
}

// tryBackup restores a backup into a folder of its own and looks whether it could be
// lived on: the log whole to the event it promises, every attachment there.
func (h *house) tryBackup(ctx context.Context, s backup.Shelf, e backup.Entry, id age.Identity) error {
	dir, err := os.MkdirTemp(s.Dir, ".coming-trial-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	media, err := s.Try(ctx, e, dir, needed, id)
	if err != nil {
		return err
	}
	db, err := sqlite.Open(ctx, filepath.Join(dir, storeName), sqlite.Options{Operation: h.op.Code, Now: h.now})
	if err != nil {
		return err
	}
	defer db.Close()
	if err := db.Verify(ctx); err != nil {
		return err
	}
	last, err := db.Last(ctx)
	if err != nil {
		return err
	}
	if last < e.Last {
		return dtm.Errorf(dtm.Conflict, "the backup ends at event %d and should hold %d", last, e.Last)
	}
	have := map[string]bool{}
	for _, m := range media {
		have["sha256:"+m] = true
	}
	return db.EachAttachment(ctx, func(id string, a dtm.Attachment) error {
		if !have[a.Hash] {
			return dtm.Errorf(dtm.Conflict, "attachment %s of %s is not in the backup", a.Name, id)
		}
		return nil
	})
}

// newestBackup is when the newest backup was begun, in seconds since 1970.
func (h *house) newestBackup(context.Context) (int64, error) {
	s, err := h.backups()
	if err != nil {
		return 0, err
	}
	at, err := s.Newest(h.now())
	if err != nil || at.IsZero() {
		return -1, err
	}
	return at.Unix(), nil
}

// lastTrial is when a backup was last found whole.
func (h *house) lastTrial(context.Context) (int64, error) {
	s, err := h.backups()
	if err != nil {
		return 0, err
	}
	t, err := s.LastTrial()
	if err != nil || t.At.IsZero() || t.Fault != "" {
		return -1, err
	}
	return t.At.Unix(), nil
}

func runBackupNow(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	if _, err := c.parse(fs, 0, 0); err != nil {
		return err
	}
	h, done, err := c.open(ctx, *data)
	if err != nil {
		return err
	}
	defer done()
	s, err := h.backups()
	if err != nil {
		return err
	}
	e, err := h.backUp(ctx, s)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "wrote %s: %d files, %d bytes and %d attachments, up to event %d or later, in %.1f s\n",
		filepath.Join(s.Dir, e.Name()), e.Files, e.Size, len(e.Media), e.Last, e.Took)
	return nil
}

func runBackupList(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	if _, err := c.parse(fs, 0, 0); err != nil {
		return err
	}
	h, done, err := c.open(ctx, *data)
	if err != nil {
		return err
	}
	defer done()
	s, err := h.backups()
	if err != nil {
		return err
	}
	list, err := s.List()
	if err != nil {
		return err
	}
	if len(list) == 0 {
		fmt.Fprintf(c.out, "no backup in %s yet; the server makes one every %d minutes, `dtm backup now` at once\n", s.Dir, h.config.BackupMinutes)
		return nil
	}
	t, err := s.LastTrial()
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "begun\tMB\tattachments\tup to event\tseconds\t")
	for _, e := range list {
		note := ""
		switch {
		case e.Damaged:
			note = "its list is damaged"
		case e.At.Equal(t.Backup):
			note = "restored on trial: whole"
			if t.Fault != "" {
				note = "restored on trial: " + t.Fault
			}
		}
		fmt.Fprintf(w, "%s\t%.1f\t%d\t%d\t%.1f\t%s\n", e.At.In(h.op.Zone).Format("2006-01-02 15:04"), float64(e.Size)/1e6, len(e.Media), e.Last, e.Took, note)
	}
	return w.Flush()
}

// runBackupVerify holds every file of a shelf against the hash it was written with.
func runBackupVerify(ctx context.Context, c *call) error {
	fs := c.flags()
	args, err := c.parse(fs, 1, 1)
	if err != nil {
		return err
	}
	s := backup.Shelf{Dir: c.path(args[0])}
	list, err := s.List()
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return dtm.Errorf(dtm.NotFound, "there is no backup in this folder").At(args[0])
	}
	bad := 0
	for _, e := range list {
		if err := s.Hold(ctx, e); err != nil {
			bad++
			fmt.Fprintf(c.err, "%s: %v\n", e.Name(), err)
		}
	}
	fmt.Fprintf(c.out, "%d backups held against their hashes, %d damaged\n", len(list), bad)
	t, err := s.LastTrial()
	if err != nil {
		return err
	}
	if t.Damaged {
		bad++
		fmt.Fprintln(c.err, "verified.json: this file is not what was written; the server restores its next backup on trial and writes it anew")
	}
	if bad > 0 {
		return errSaid
	}
	return nil
}
