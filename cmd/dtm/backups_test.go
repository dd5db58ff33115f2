package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"dtm/store/backup"
)

// shelved is a data folder whose server writes backups to a shelf, and the file of the
// secret key.
func shelved(t *testing.T) (data, shelf, key string) {
	t.Helper()
	data, shelf, key = filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "shelf"), filepath.Join(t.TempDir(), "secret")
	dtmRun(t, "init", "-data", data)
	public := strings.TrimSpace(dtmRun(t, "backup", "key", "-out", key))
	f, err := os.OpenFile(filepath.Join(data, "config.toml"), os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := fmt.Fprintf(f, "backup_dir = %q\nbackup_recipient = %q\n", shelf, public); err != nil {
		t.Fatal(err)
	}
	return data, shelf, key
}

// TestBackupShelf: a server makes an encrypted backup by itself and restores it on
// trial; with the secret key it becomes the same operation elsewhere.
func TestBackupShelf(t *testing.T) {
	t.Parallel()
	data, shelf, key := shelved(t)
	_, stop := serving(t, data)
	out := dtmRun(t, "device", "add", "-data", data, "-name", "Obock-1", "-point", "Obock ville")
	p := phone{t, regexp.MustCompile(`http://\S+/v1/key/\S+/projects/1`).FindString(out)}
	version := regexp.MustCompile(`<data id="fmr" version="(\w+)"`).FindStringSubmatch(p.get(p.base + "/forms/fmr.xml"))[1]
	for i := range 3 {
		xml := fmt.Sprintf(`<data id="fmr" version="%s"><point>obock</point><observed>2026-11-0%d</observed><photo>place.jpg</photo><meta><instanceID>uuid:%d</instanceID></meta></data>`, version, i+1, i)
		if code, body := p.send(xml, fmt.Appendf(nil, "photo %d of a phone", i)); code != 201 {
			t.Fatal(code, body)
		}
	}
	s := backup.Shelf{Dir: shelf}
	for range 200 { // the first one is made at the start
		if list, err := s.List(); err == nil && len(list) > 0 {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	time.Sleep(1100 * time.Millisecond) // a shelf tells backups apart by the second
	said := dtmRun(t, "backup", "now", "-data", data)
	if !strings.Contains(said, "3 attachments") {
		t.Error(said)
	}
	if list := dtmRun(t, "backup", "list", "-data", data); !strings.Contains(list, "restored on trial: whole") {
		t.Error(list)
	}
	if doctor := dtmRun(t, "doctor", "-data", data); !strings.Contains(doctor, "2 on the shelf") || !strings.Contains(doctor, "restored on trial") {
		t.Error(doctor)
	}
	list, err := s.List()
	if err != nil || len(list) != 2 {
		t.Fatalf("%v %v", list, err)
	}
	if out := dtmRun(t, "backup", "verify", shelf); !strings.Contains(out, "2 backups held against their hashes, 0 damaged") {
		t.Error(out)
	}
	stop()

	file := filepath.Join(shelf, list[0].Name())
	elsewhere := filepath.Join(t.TempDir(), "elsewhere")
	if code, _, stderr := dtmTry(t, "restore", "-data", elsewhere, file); code != 1 || !strings.Contains(stderr, "-key") {
		t.Errorf("without the key: %d %s", code, stderr)
	}
	dtmRun(t, "restore", "-data", elsewhere, "-key", key, file)
	if out := dtmRun(t, "check", "-data", elsewhere); !strings.Contains(out, "submissions: 3\nattachments: 3 read back, 0 damaged") {
		t.Error(out)
	}

	// The keys of what is sealed came along from their own file; a backup that anybody
	// can read has none.
	for _, name := range []string{keysName, keyName} {
		was, err := os.ReadFile(filepath.Join(data, name))
		if is, err2 := os.ReadFile(filepath.Join(elsewhere, name)); err != nil || err2 != nil || name == keyName && string(is) != string(was) {
			t.Errorf("%s: %v %v", name, err, err2)
		}
	}
	plain, bare := filepath.Join(t.TempDir(), "plain"), filepath.Join(t.TempDir(), "bare")
	b, err := os.ReadFile(filepath.Join(data, "config.toml"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(data, "config.toml"), regexp.MustCompile(`(?m)^backup_.*\n`).ReplaceAllString(string(b), ""))
	dtmRun(t, "backup", "-data", data, "-out", plain)
	if _, err := backup.Restore(testContext(t), plain, bare, needed, nil); err != nil {
		t.Fatal(err)
	}
	if left, err := filepath.Glob(filepath.Join(bare, "key*")); err != nil || len(left) > 0 {
		t.Errorf("keys in clear: %v %v", left, err)
	}

	// What a phone sent is nowhere on the shelf in clear.
	err = filepath.WalkDir(shelf, func(p string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(p)
		if strings.Contains(string(b), "of a phone") || strings.Contains(string(b), "Obock-1") || strings.Contains(string(b), "SQLite format") {
			t.Errorf("%s can be read", p)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	if b, err = os.ReadFile(file); err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 1
	write(t, file, string(b))
	if code, _, stderr := dtmTry(t, "backup", "verify", shelf); code != 1 || !strings.Contains(stderr, list[0].Name()) {
		t.Errorf("a changed byte: %d %s", code, stderr)
	}
}

// TestDoctor: a new folder has no fault; a folder that others may read is one.
func TestDoctor(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	dtmRun(t, "init", "-data", data)
	out := dtmRun(t, "doctor", "-data", data)
	for _, what := range []string{"data folder", "disk", "clock", "store", "queue", "backups", "certificate", "webhooks", "points", "users"} {
		if !strings.Contains(out, what) {
			t.Errorf("nothing of %s:\n%s", what, out)
		}
	}
	if err := os.Chmod(data, 0o755); err != nil { //nolint:gosec // that is the fault
		t.Fatal(err)
	}
	if code, out, _ := dtmTry(t, "doctor", "-data", data); code != 1 || !strings.Contains(out, "FAULT") || !strings.Contains(out, "chmod 700") {
		t.Errorf("%d\n%s", code, out)
	}
}

func TestFindings(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 28, 10, 0, 0, 0, time.UTC)
	ago := func(d time.Duration) []backup.Entry { return []backup.Entry{{At: now.Add(-d)}} }
	for want, list := range map[time.Duration][]backup.Entry{0: nil, 20 * time.Minute: append(ago(-400*time.Hour), ago(40*time.Minute)...), 61 * time.Minute: ago(-time.Minute)} {
		if got := untilBackup(list, time.Hour, now); got != want {
			t.Errorf("%v until the next backup, want %v", got, want)
		}
	}
	if got := untilBackup(ago(2*time.Hour), time.Hour, now); got != 0 {
		t.Errorf("a backup that is overdue waits %v", got)
	}
	whole := backup.Trial{At: now.Add(-24 * time.Hour)}
	for _, c := range []struct {
		name string
		got  finding
		want level
	}{
		{"no backup", backupFinding(nil, backup.Trial{}, time.Hour, now), warning},
		{"a fresh one, tried", backupFinding(ago(30*time.Minute), whole, time.Hour, now), well},
		{"one missed", backupFinding(ago(125*time.Minute), whole, time.Hour, now), well},
		{"two missed", backupFinding(ago(135*time.Minute), whole, time.Hour, now), fault},
		{"not tried for long", backupFinding(ago(time.Minute), backup.Trial{At: now.Add(-9 * 24 * time.Hour)}, time.Hour, now), warning},
		{"a trial failed", backupFinding(ago(time.Minute), backup.Trial{At: now, Fault: "cut"}, time.Hour, now), fault},
		{"one of a clock that stood ahead", backupFinding(append(ago(-400*time.Hour), ago(135*time.Minute)...), whole, time.Hour, now), fault},
		{"certificate of a year", certificateFinding(now.AddDate(1, 0, 0), now), well},
		{"certificate of two weeks", certificateFinding(now.AddDate(0, 0, 14), now), warning},
		{"certificate that ran out", certificateFinding(now.Add(-time.Hour), now), fault},
		{"disk nearly full", finding{level: roomLevel(roomWarning - 1)}, warning},
		{"disk full", finding{level: roomLevel(roomFault - 1)}, fault},
	} {
		if c.got.level != c.want || (c.got.do == "") != (c.want == well) && c.got.what != "" {
			t.Errorf("%s: %v %q, want %v", c.name, c.got.level, c.got.do, c.want)
		}
	}
}
