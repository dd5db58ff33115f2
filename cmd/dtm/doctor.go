package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"golang.org/x/sys/unix"

	"dtm"
	"dtm/store/backup"
)

// finding is what the doctor says of one thing.
type finding struct {
	what  string
	level level
	says  string
	do    string // what helps; "" when nothing is wrong
}

type level int

const (
	well level = iota
	advice
	warning
	fault
)

func (l level) String() string { return [...]string{"ok", "advice", "warning", "FAULT"}[l] }

// runDoctor looks at what an operation dies of: disk, clock, backups, certificate, work
// that waits, points that are silent. A fault makes it exit with 1.
func runDoctor(ctx context.Context, c *call) error {
	flags := c.flags()
	data := c.dataFlag(flags)
	if _, err := c.parse(flags, 0, 0); err != nil {
		return err
	}
	h, done, err := c.open(ctx, *data)
	if err != nil {
		return err
	}
	defer done()
	now := h.now()
	w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	worst := well
	for _, look := range []func(context.Context, time.Time) (finding, error){
		h.seeFolder, h.seeDisk, h.seeClock, h.seeStore, h.seeMedia, h.seeQueue, h.seeBackups, h.seeCertificate, h.seeWebhooks, h.seePoints, h.seeUsers, h.seeGlass, h.seeSeconds,
	} {
		f, err := look(ctx, now)
		if err != nil {
			return err
		}
		worst = max(worst, f.level)
		fmt.Fprintf(w, "%s\t%s\t%s\n", f.level, f.what, f.says)
		if f.do != "" {
			fmt.Fprintf(w, "\t\t→ %s\n", f.do)
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if worst == fault {
		return errSaid
	}
	return nil
}

func (h *house) seeFolder(context.Context, time.Time) (finding, error) {
	st, err := os.Stat(h.dir)
	if err != nil {
		return finding{}, err
	}
	f := finding{what: "data folder", says: fmt.Sprintf("%s, mode %v", h.dir, st.Mode().Perm())}
	if st.Mode().Perm()&0o077 != 0 {
		f.level, f.do = fault, "others on this machine can read it: chmod 700 "+h.dir
	}
	return f, nil
}

// Room on a disk below which there is a warning, and a fault.
const (
	roomWarning = 2 << 30
	roomFault   = 500 << 20
)

// room is the space left for dir, in bytes.
func room(dir string) (int64, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, err
	}
	return int64(s.Bavail) * s.Bsize, nil
}

func (h *house) seeDisk(context.Context, time.Time) (finding, error) {
	f := finding{what: "disk"}
	dirs := []string{h.dir}
	if h.config.Media != "" {
		if dir := mediaDir(h.dir, h.config); dir != "" {
			dirs = append(dirs, dir)
		}
	}
	if s, err := h.backups(); err == nil {
		dirs = append(dirs, s.Dir)
	}
	var says []string
	for _, dir := range dirs {
		free, err := room(dir)
		if errors.Is(err, fs.ErrNotExist) {
			continue // nothing was backed up yet
		}
		if err != nil {
			return f, err
		}
		says = append(says, fmt.Sprintf("%.1f GB free for %s", float64(free)/1e9, dir))
		if l := roomLevel(free); l > f.level {
			f.level, f.do = l, "make room: when the disk is full, phones are told to keep their records and try again"
		}
	}
	f.says = strings.Join(says, ", ")
	return f, nil
}

func roomLevel(free int64) level {
	switch {
	case free < roomFault:
		return fault
	case free < roomWarning:
		return warning
	}
	return well
}

func (h *house) seeClock(ctx context.Context, now time.Time) (finding, error) {
	f := finding{what: "clock", says: now.In(h.op.Zone).Format("2006-01-02 15:04:05 MST")}
	last, err := h.db.Last(ctx)
	if err != nil {
		return f, err
	}
	if last > 0 {
		newest, err := h.db.Events(ctx, last-1, 1)
		if err != nil {
			return f, err
		}
		if len(newest) == 1 && newest[0].At.After(now.Add(time.Minute)) {
			f.level, f.says = fault, f.says+fmt.Sprintf("; the newest entry of the log is of %s", newest[0].At.In(h.op.Zone).Format("2006-01-02 15:04"))
			f.do = "the clock went back: set it, and look at what was recorded meanwhile"
			return f, nil
		}
	}
	var t unix.Timex
	state, err := unix.Adjtimex(&t)
	if err == nil && (state == unix.TIME_ERROR || t.Status&unix.STA_UNSYNC != 0) {
		f.level, f.says = advice, f.says+"; nothing keeps it right"
		f.do = "install a time service, for example systemd-timesyncd: dates of submissions are held against this clock"
	}
	return f, nil
}

// walWarning is the size of the write-ahead log that says that it is not taken over.
const walWarning = 1 << 30

func (h *house) seeStore(ctx context.Context, _ time.Time) (finding, error) {
	f := finding{what: "store"}
	if err := h.db.Ready(ctx); err != nil {
		f.level, f.says, f.do = fault, err.Error(), "restore a backup into a new folder and compare"
		return f, nil
	}
	if h.config.Store != "" {
		f.says = "PostgreSQL; its disk and backups are looked after there"
		return f, nil
	}
	st, err := os.Stat(filepath.Join(h.dir, storeName))
	if err != nil {
		return f, err
	}
	f.says = fmt.Sprintf("%.1f MB", float64(st.Size())/1e6)
	if wal, err := os.Stat(filepath.Join(h.dir, storeName+"-wal")); err == nil && wal.Size() > walWarning {
		f.level, f.says = warning, f.says+fmt.Sprintf(", write-ahead log %.1f MB", float64(wal.Size())/1e6)
		f.do = "something reads without end; start the server again"
	}
	return f, nil
}

// seeMedia writes to where photos and attachments are kept, and reads it back.
func (h *house) seeMedia(ctx context.Context, _ time.Time) (finding, error) {
	f := finding{what: "attachments", says: mediaDir(h.dir, h.config)}
	if f.says == "" {
		f.says = h.config.Media + ", writes and reads"
	}
	if err := h.blobs.Try(ctx); err != nil {
		f.level, f.says, f.do = fault, err.Error(), "phones cannot send photographs, and keep them: mend the store of attachments"
		return f, nil
	}
	if u, err := url.Parse(h.config.S3Endpoint); mediaDir(h.dir, h.config) == "" && err == nil && u.Scheme == "http" {
		if ip := net.ParseIP(u.Hostname()); ip == nil || !ip.IsLoopback() {
			f.level, f.do = warning, "photographs go over the network in clear: s3_endpoint = \"https://...\""
		}
	}
	return f, nil
}

// queueWarning is how many entries of the log may wait for the warehouse.
const queueWarning = 10_000

func (h *house) seeQueue(ctx context.Context, _ time.Time) (finding, error) {
	f := finding{what: "queue"}
	last, err := h.db.Last(ctx)
	if err != nil {
		return f, err
	}
	p, err := h.facts.Position(ctx)
	if err != nil {
		return f, err
	}
	wait := last - p.Seq
	f.says = fmt.Sprintf("%d of %d entries of the log wait for the warehouse", wait, last)
	if wait > queueWarning {
		f.level, f.do = warning, "figures lag behind; look at the log of the server for what stops loading"
	}
	return f, nil
}

func (h *house) seeBackups(_ context.Context, now time.Time) (finding, error) {
	s, err := h.backups()
	if dtm.KindOf(err) == dtm.Unsupported {
		return finding{"backups", advice, "none are made", "set backup_dir and backup_recipient in config.toml; `dtm backup key` makes a key"}, nil
	}
	if err != nil {
		return finding{"backups", fault, err.Error(), "mend config.toml and start the server again"}, nil
	}
	list, err := s.List()
	if err != nil {
		return finding{}, err
	}
	t, err := s.LastTrial()
	if err != nil {
		return finding{}, err
	}
	return backupFinding(list, t, time.Duration(h.config.BackupMinutes)*time.Minute, now), nil
}

// backupFinding judges a shelf: two backups missed are a fault, and so is a trial that
// failed; no trial for eight days is a warning.
func backupFinding(list []backup.Entry, t backup.Trial, every time.Duration, now time.Time) finding {
	f := finding{what: "backups"}
	list = slices.DeleteFunc(slices.Clone(list), func(e backup.Entry) bool { return e.At.After(now.Add(every)) }) // made while the clock stood ahead
	if len(list) == 0 {
		f.level, f.says, f.do = warning, "there is none on the shelf up to now", "`dtm backup now` makes the first; the server makes one an hour"
		return f
	}
	age := now.Sub(list[0].At).Round(time.Minute)
	f.says = fmt.Sprintf("%d on the shelf, the newest %v old", len(list), age)
	switch {
	case age > 2*every+10*time.Minute:
		f.level, f.do = fault, "the server has made none for too long: look at its log, and at the disk of the shelf"
	case slices.ContainsFunc(list, func(e backup.Entry) bool { return e.Damaged }):
		f.level, f.says, f.do = fault, f.says+"; the list of one is damaged", "`dtm backup verify` names the file"
	case t.Fault != "":
		f.level, f.says, f.do = fault, f.says+"; the last one restored on trial is not whole: "+t.Fault, "`dtm backup verify` names the file; the next trial may be forced by removing verified.json"
	case now.Sub(t.At) > 8*24*time.Hour:
		f.level, f.do = warning, "none was restored on trial for eight days"
	default:
		f.says += fmt.Sprintf(", restored on trial %v ago", now.Sub(t.At).Round(time.Hour))
	}
	return f
}

// seeCertificate asks the public address for its certificate.
func (h *house) seeCertificate(ctx context.Context, now time.Time) (finding, error) {
	f := finding{what: "certificate"}
	u, err := url.Parse(h.config.BaseURL)
	if h.config.BaseURL == "" || err != nil || u.Scheme != "https" {
		f.level, f.says = advice, "no public address with https is set"
		f.do = "phones want one: base_url = \"https://...\" in config.toml"
		return f, nil
	}
	address := u.Host
	if u.Port() == "" {
		address = net.JoinHostPort(u.Hostname(), "443")
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	conn, err := (&tls.Dialer{Config: &tls.Config{MinVersion: tls.VersionTLS12}}).DialContext(ctx, "tcp", address)
	if err != nil {
		f.level, f.says, f.do = fault, err.Error(), "phones cannot send: mend the certificate or the way to "+address
		return f, nil
	}
	defer conn.Close()
	return certificateFinding(conn.(*tls.Conn).ConnectionState().PeerCertificates[0].NotAfter, now), nil
}

func certificateFinding(until, now time.Time) finding {
	f := finding{what: "certificate", says: "good until " + until.UTC().Format("2006-01-02 15:04 MST")}
	switch left := until.Sub(now); {
	case left < 3*24*time.Hour:
		f.level = fault
	case left < 21*24*time.Hour:
		f.level = warning
	}
	if f.level > well {
		f.do = "renew it: phones refuse one that has run out"
	}
	return f
}

func (h *house) seeWebhooks(ctx context.Context, _ time.Time) (finding, error) {
	f := finding{what: "webhooks"}
	list, err := h.db.Webhooks(ctx)
	if err != nil {
		return f, err
	}
	paused, waiting := 0, 0
	for _, w := range list {
		waiting += w.Waiting
		if w.Paused != nil {
			paused++
		}
	}
	f.says = fmt.Sprintf("%d, %d messages wait", len(list), waiting)
	if paused > 0 {
		f.level, f.says, f.do = warning, f.says+fmt.Sprintf(", %d paused after days of failure", paused), "`dtm webhook list` says why, `dtm webhook resume` goes on"
	}
	return f, nil
}

func (h *house) seePoints(ctx context.Context, now time.Time) (finding, error) {
	f := finding{what: "points"}
	list, err := h.db.Silences(ctx, now)
	if err != nil {
		return f, err
	}
	silent := map[string]bool{}
	for _, s := range list {
		if s.Ended == nil {
			silent[s.Point] = true
		}
	}
	f.says = fmt.Sprintf("%d silent", len(silent))
	if len(silent) > 0 {
		f.level, f.do = warning, "`dtm point silent` names them"
	}
	return f, nil
}

func (h *house) seeUsers(ctx context.Context, _ time.Time) (finding, error) {
	f := finding{what: "users"}
	list, err := h.db.Users(ctx)
	if err != nil {
		return f, err
	}
	admins := 0
	for _, u := range list {
		if u.Role == dtm.RoleAdmin && u.Disabled == nil {
			admins++
		}
	}
	f.says = fmt.Sprintf("%d, of them %d administrators", len(list), admins)
	if admins == 0 {
		f.level, f.do = advice, "`dtm user add -role admin` makes the first"
	}
	return f, nil
}

// seconds is how long passing on without consent may wait for a second person: it is for
// emergencies, which are answered within a day.
const seconds = 24 * time.Hour

// seeSeconds: passing on without consent does not wait for a second person for long.
func (h *house) seeSeconds(ctx context.Context, now time.Time) (finding, error) {
	f := finding{what: "second persons"}
	list, err := h.db.WaitingConsents(ctx)
	late := 0
	for _, c := range list {
		if now.Sub(c.Given) > seconds {
			late++
		}
	}
	f.says = fmt.Sprintf("passing on without consent waits %d times for a second focal point", len(list))
	if late > 0 {
		f.level, f.says = warning, fmt.Sprintf("%s, %d times for longer than a day", f.says, late)
		f.do = "a focal point who did not ask for it confirms it, or it is withdrawn, at " + h.baseURL() + "/en/staff/referrals/"
	}
	return f, err
}

// seeGlass: access taken in an emergency is judged by the end of the next day.
func (h *house) seeGlass(ctx context.Context, now time.Time) (finding, error) {
	f := finding{what: "emergencies"}
	list, err := h.db.GlassToReview(ctx, now)
	waits, late := 0, 0
	for _, g := range list {
		if g.Reviewed == nil {
			waits++
			if now.After(dtm.GlassJudgedBy(g, h.op.Zone)) {
				late++
			}
		}
	}
	f.says = fmt.Sprintf("%d accesses taken in an emergency wait to be judged", waits)
	if late > 0 {
		f.level, f.says = warning, fmt.Sprintf("%s, %d of them longer than until the end of the next day", f.says, late)
		f.do = "a focal point or an auditor judges them at " + h.baseURL() + "/en/staff/glass/queue"
	}
	return f, err
}
