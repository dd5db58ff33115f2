package backup_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"iter"
	mrand "math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"dtm"
	"dtm/store/backup"
	"dtm/store/blob"
)

// folder is a data folder in miniature: settings, store, keys and attachments.
func folder(t *testing.T, attachments int) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	put(t, filepath.Join(dir, "config.toml"), []byte("operation = \"djibouti\"\n"))
	store := make([]byte, 300_000)
	_, _ = rand.Read(store)
	put(t, filepath.Join(dir, "dtm.db"), store)
	put(t, filepath.Join(dir, "keys.db"), []byte("the keys of sealed fields"))
	for i := range attachments {
		attach(t, dir, fmt.Appendf(nil, "photograph %d", i))
	}
	put(t, filepath.Join(dir, "blob", "coming", "half"), []byte("half"))
	return dir
}

func attach(t *testing.T, dir string, content []byte) string {
	t.Helper()
	sum := sha256.Sum256(content)
	h := hex.EncodeToString(sum[:])
	put(t, filepath.Join(dir, "blob", h[:2], h[2:4], h), content)
	return h
}

func put(t *testing.T, file string, b []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// tree is every file below dir but those still coming.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.Contains(p, "coming") {
			return err
		}
		b, err := os.ReadFile(p)
		rel, _ := filepath.Rel(dir, p)
		all[rel] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func same(t *testing.T, a, b map[string]string) {
	t.Helper()
	for n, v := range a {
		if b[n] != v {
			t.Errorf("%s differs", n)
		}
	}
	if len(a) != len(b) {
		t.Errorf("%d files, want %d", len(b), len(a))
	}
}

func source(dir string) backup.Source {
	return backup.Source{
		Files: []backup.File{{Name: "config.toml", Path: filepath.Join(dir, "config.toml")}, {Name: "dtm.db", Copy: copied(filepath.Join(dir, "dtm.db"))}},
		Keys:  []backup.File{{Name: "keys.db", Path: filepath.Join(dir, "keys.db")}},
		Blobs: attachments(dir),
	}
}

// attachments are those of the folder that are not still coming.
func attachments(dir string) iter.Seq2[backup.File, error] {
	return func(yield func(backup.File, error) bool) {
		d, err := blob.Shared(filepath.Join(dir, "blob"))
		if err != nil {
			yield(backup.File{}, err)
			return
		}
		for a, err := range d.Each(context.Background()) {
			if !yield(backup.Attachment(strings.TrimPrefix(a, "sha256:"), func(ctx context.Context) (io.ReadSeekCloser, error) { return d.Open(ctx, a) }), err) {
				return
			}
		}
	}
}

var need = []string{"config.toml", "dtm.db"}

func key(t *testing.T) (backup.Key, []age.Recipient, []age.Identity) {
	t.Helper()
	k, err := backup.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	to, err := backup.Recipients(k.Recipient)
	if err != nil {
		t.Fatal(err)
	}
	ids, err := backup.Identities(strings.NewReader("# secret\n" + k.Identity + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	return k, to, ids
}

func restore(t *testing.T, file string, ids []age.Identity) (string, error) {
	t.Helper()
	to := filepath.Join(t.TempDir(), "new")
	_, err := backup.Restore(context.Background(), file, to, need, ids)
	return to, err
}

func TestFileThereAndBack(t *testing.T) {
	t.Parallel()
	dir := folder(t, 5)
	_, to, ids := key(t)
	for name, to := range map[string][]age.Recipient{"plain": nil, "sealed": to} {
		file := filepath.Join(t.TempDir(), name)
		if _, err := backup.WriteFile(context.Background(), file, source(dir), to); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if clear := bytes.HasPrefix(b, []byte{0x1f, 0x8b}); clear != (to == nil) {
			t.Errorf("%s: gzip in clear: %v", name, clear)
		}
		new, err := restore(t, file, ids)
		if err != nil {
			t.Fatal(err)
		}
		same(t, tree(t, dir), tree(t, new))
	}
}

func TestNeedsItsKey(t *testing.T) {
	t.Parallel()
	dir := folder(t, 1)
	_, to, _ := key(t)
	_, _, other := key(t)
	file := filepath.Join(t.TempDir(), "sealed")
	if _, err := backup.WriteFile(context.Background(), file, source(dir), to); err != nil {
		t.Fatal(err)
	}
	for want, ids := range map[string][]age.Identity{"-key": nil, "another key": other} {
		new, err := restore(t, file, ids)
		if dtm.KindOf(err) != dtm.Invalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%v", err)
		}
		if _, err := os.Stat(new); err == nil {
			t.Error("a folder is left")
		}
	}
}

// Whatever byte of an encrypted backup is changed, wherever it is cut: it is not taken.
func TestChangedByte(t *testing.T) {
	t.Parallel()
	dir := folder(t, 3)
	_, to, ids := key(t)
	file := filepath.Join(t.TempDir(), "sealed")
	if _, err := backup.WriteFile(context.Background(), file, source(dir), to); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	r := mrand.New(mrand.NewPCG(1, 2))
	try := func(what string, b []byte) {
		bad := filepath.Join(t.TempDir(), "bad")
		put(t, bad, b)
		if _, err := restore(t, bad, ids); dtm.KindOf(err) != dtm.Invalid {
			t.Errorf("%s: taken: %v", what, err)
		}
	}
	for i := range 200 {
		at := r.IntN(len(whole))
		if i < 100 { // the head is where a format has its tolerance
			at = r.IntN(400)
		}
		b := bytes.Clone(whole)
		b[at] ^= byte(1 + r.IntN(255))
		try(fmt.Sprintf("byte %d of %d", at, len(whole)), b)
	}
	for range 20 {
		n := r.IntN(len(whole))
		try(fmt.Sprintf("cut at %d", n), whole[:n])
	}
	try("longer", append(bytes.Clone(whole), 0))
}

func TestShelf(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	dir := folder(t, 4)
	_, to, ids := key(t)
	s := backup.Shelf{Dir: filepath.Join(t.TempDir(), "shelf"), To: to}
	at := time.Date(2026, 11, 28, 10, 0, 0, 0, time.UTC)
	first, err := s.Put(ctx, at, source(dir))
	if err != nil {
		t.Fatal(err)
	}
	old := tree(t, s.Dir)
	added := attach(t, dir, []byte("one more"))
	second, err := s.Put(ctx, at.Add(time.Hour), source(dir))
	if err != nil {
		t.Fatal(err)
	}
	// Attachments are written once for all backups.
	for name, content := range tree(t, s.Dir) {
		if strings.HasPrefix(name, "media") && !strings.Contains(name, added) && old[name] != content {
			t.Errorf("%s was written again", name)
		}
	}
	list, err := s.List()
	if err != nil || len(list) != 2 || !list[0].At.Equal(second.At) || len(list[0].Media) != 5 || len(list[1].Media) != 4 {
		t.Fatalf("%v %+v", err, list)
	}
	if newest, err := s.Newest(second.At); err != nil || !newest.Equal(second.At) {
		t.Errorf("the newest is of %v: %v", newest, err)
	}
	for _, e := range list {
		if err := s.Hold(ctx, e); err != nil {
			t.Error(err)
		}
	}
	new, err := restore(t, filepath.Join(s.Dir, second.Name()), ids)
	if err != nil {
		t.Fatal(err)
	}
	same(t, tree(t, dir), tree(t, new))
	if new, err = restore(t, filepath.Join(s.Dir, first.Name()), ids); err != nil {
		t.Fatal(err)
	}
	if got := tree(t, new); len(got) != len(tree(t, dir))-1 {
		t.Errorf("the first backup holds %d files", len(got))
	}

	// A byte changed in any file that the first backup needs is found without a key.
	for name, content := range tree(t, s.Dir) {
		if !strings.HasSuffix(name, ".age") || strings.Contains(name, added) || name == second.Name() || strings.HasPrefix(name, "keys-20261128T11") {
			continue
		}
		b := []byte(content)
		b[len(b)/2] ^= 1
		put(t, filepath.Join(s.Dir, name), b)
		if err := s.Hold(ctx, first); dtm.KindOf(err) != dtm.Conflict || !strings.Contains(err.Error(), filepath.Base(name)) {
			t.Errorf("%s changed: %v", name, err)
		}
		put(t, filepath.Join(s.Dir, name), []byte(content))
	}

	// So is any byte of what lies beside them; and nothing of it keeps the next from being made.
	if err := s.Tried(backup.Trial{Backup: first.At, At: at}); err != nil {
		t.Fatal(err)
	}
	for name, content := range tree(t, s.Dir) {
		if !strings.HasSuffix(name, ".json") {
			continue
		}
		for i := 0; i < len(content); i += 3 {
			b := []byte(content)
			b[i] ^= byte(1 << (i % 8))
			put(t, filepath.Join(s.Dir, name), b)
			list, err := s.List()
			trial, err2 := s.LastTrial()
			if err != nil || err2 != nil || len(list) != 2 {
				t.Fatal(name, i, err, err2, len(list))
			}
			found := trial.Damaged
			for _, e := range list {
				found = found || dtm.KindOf(s.Hold(ctx, e)) == dtm.Conflict
			}
			if !found {
				t.Fatalf("%s: byte %d was changed: %q", name, i, b)
			}
		}
		if _, err := s.Put(ctx, at.Add(2*time.Hour), source(dir)); err != nil {
			t.Error(name, err)
		}
		if n, err := s.Prune(at.Add(2 * time.Hour)); n != 0 || err != nil {
			t.Error(n, err)
		}
		for old := range tree(t, s.Dir) {
			if strings.Contains(old, "20261128T12") {
				if err := os.Remove(filepath.Join(s.Dir, old)); err != nil {
					t.Fatal(err)
				}
			}
		}
		put(t, filepath.Join(s.Dir, name), []byte(content))
	}
	if err := s.Hold(ctx, first); err != nil {
		t.Error(err)
	}
}

// What the trial key opens is the trial's backup, and not the attachments.
func TestTrial(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	dir := folder(t, 2)
	_, to, _ := key(t)
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	s := backup.Shelf{Dir: filepath.Join(t.TempDir(), "shelf"), To: to}
	src := source(dir)
	src.Also = id.Recipient()
	e, err := s.Put(ctx, time.Now(), src)
	if err != nil {
		t.Fatal(err)
	}
	media, err := s.Try(ctx, e, t.TempDir(), need, id)
	if err != nil || len(media) != 2 {
		t.Errorf("%v %v", media, err)
	}
	if _, err := restore(t, filepath.Join(s.Dir, e.Name()), []age.Identity{id}); dtm.KindOf(err) != dtm.Invalid {
		t.Errorf("the trial's key opens the attachments: %v", err)
	}
	if last, err := s.LastTrial(); err != nil || !last.At.IsZero() {
		t.Errorf("%+v %v", last, err)
	}
	want := backup.Trial{Backup: e.At, At: e.At, Took: 1}
	if err := s.Tried(want); err != nil {
		t.Fatal(err)
	}
	if last, err := s.LastTrial(); err != nil || last != want {
		t.Errorf("%+v %v", last, err)
	}
}

// A year of hours: 48 of the last two days, a day for a month, a month for a year; what
// went took its attachments along, and no key is older than a month.
func TestPrune(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	now := time.Date(2026, 11, 28, 10, 30, 0, 0, time.UTC)
	var hours []backup.Entry
	for i := range 24 * 500 {
		hours = append(hours, backup.Entry{At: now.Add(-time.Duration(i) * time.Hour)})
	}
	kept := 0
	for _, k := range backup.Keep(hours, now) {
		if k {
			kept++
		}
	}
	if kept < 49+29+11 || kept > 49+31+13 {
		t.Errorf("%d kept", kept)
	}

	dir := folder(t, 0)
	_, to, _ := key(t)
	s := backup.Shelf{Dir: filepath.Join(t.TempDir(), "shelf"), To: to}
	for _, days := range []int{400, 100, 40, 20, 1, 0} {
		was := attach(t, dir, fmt.Appendf(nil, "of %d days ago", days))
		if _, err := s.Put(ctx, now.AddDate(0, 0, -days), source(dir)); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(filepath.Join(dir, "blob", was[:2], was[2:4], was)); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := s.Prune(now); err != nil || n != 1 {
		t.Fatalf("%d went, %v", n, err)
	}
	names := tree(t, s.Dir)
	count := func(begin string) (n int) {
		for name := range names {
			if strings.HasPrefix(name, begin) && strings.HasSuffix(name, ".age") {
				n++
			}
		}
		return n
	}
	if count("dtm-") != 5 || count("keys-") != 3 || count("media/") != 5 {
		t.Errorf("left: %d backups, %d of keys, %d attachments", count("dtm-"), count("keys-"), count("media/"))
	}
	list, err := s.List()
	if err != nil || len(list) != 5 {
		t.Fatal(list, err)
	}
	for _, e := range list {
		if err := s.Hold(ctx, e); err != nil {
			t.Error(err)
		}
	}
}

// A backup cut short is not on the shelf, and the next one clears it away.
func TestCutShort(t *testing.T) {
	t.Parallel()
	dir := folder(t, 3)
	_, to, _ := key(t)
	s := backup.Shelf{Dir: filepath.Join(t.TempDir(), "shelf"), To: to}
	gone, stop := context.WithCancel(context.Background())
	src := source(dir)
	src.Blobs = func(yield func(backup.File, error) bool) {
		for f, err := range attachments(dir) {
			if !yield(f, err) {
				return
			}
			stop()
		}
	}
	if _, err := s.Put(gone, time.Now(), src); err == nil {
		t.Fatal("no error")
	}
	put(t, filepath.Join(s.Dir, "dtm-20260101T000000Z.age"), []byte("half"))
	if list, err := s.List(); err != nil || len(list) != 0 {
		t.Fatalf("%v %v", list, err)
	}
	if _, err := s.Put(context.Background(), time.Now(), source(dir)); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(s.Dir, "dtm-20260101T000000Z.age")); err == nil {
		t.Error("what was cut short is left")
	}
}

func FuzzRestore(f *testing.F) {
	dir := f.TempDir()
	for _, n := range need {
		if err := os.WriteFile(filepath.Join(dir, n), []byte(n), 0o600); err != nil {
			f.Fatal(err)
		}
	}
	file := filepath.Join(f.TempDir(), "plain")
	src := source(dir)
	src.Keys = nil
	if _, err := backup.WriteFile(context.Background(), file, src, nil); err != nil {
		f.Fatal(err)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte("age-encryption.org/v1\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		in := t.TempDir()
		bad := filepath.Join(in, "b")
		put(t, bad, b)
		to := filepath.Join(in, "new")
		_, err := backup.Restore(context.Background(), bad, to, need, nil)
		if _, there := os.Stat(to); (err == nil) != (there == nil) {
			t.Errorf("%v, and the folder: %v", err, there)
		}
	})
}

// copied stands for the store's own way of making a still copy of itself.
func copied(file string) func(context.Context, string) error {
	return func(_ context.Context, to string) error {
		b, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		return os.WriteFile(to, b, 0o600)
	}
}
