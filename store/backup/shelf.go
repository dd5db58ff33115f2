package backup

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"filippo.io/age"
	"golang.org/x/sync/errgroup"

	"dtm"
)

// Shelf is a folder of backups, best on another disk or machine than the data:
//
//	dtm-20261128T100000Z.age        settings and store, encrypted
//	dtm-20261128T100000Z.json       its size, the hash of the file, the attachments it needs
//	media/ab/abcd....age            attachments, encrypted, each once for all backups
//	keys-20261128T100000Z.age       the keys of sealed fields, encrypted, apart
//	verified.json                   the last backup that was restored on trial, and when
//
// One process may write to a shelf at a time.
type Shelf struct {
	Dir string
	To  []age.Recipient // who can read the backups; at least one
}

// Entry is one backup of a shelf.
type Entry struct {
	At    time.Time `json:"at"`    // when it was begun, UTC, whole seconds
	Size  int64     `json:"size"`  // of the encrypted file, bytes
	Hash  string    `json:"hash"`  // hex SHA-256 of the encrypted file
	Last  int64     `json:"last"`  // the newest event in it, or an older one
	Files int       `json:"files"` // with the attachments
	Took  float64   `json:"took"`  // seconds
	Keys  string    `json:"keys"`  // hex SHA-256 of the encrypted file of keys; empty when there were none
	Media []Media   `json:"media"`
	Sum   string    `json:"sum,omitempty"` // hex SHA-256 of this list without its sum; empty in older ones

	Damaged bool `json:"-"` // the list is not what was written: only At is known
}

// Media is an attachment on the shelf: the hex SHA-256 of its content, by which it is
// named, and of the encrypted file.
type Media struct {
	Content string `json:"content"`
	Sealed  string `json:"sealed"`
}

// mediaAtOnce is how many attachments are written at once: each waits for the disk, which
// has what several wrote on it in the same time.
const mediaAtOnce = 8

const stamp = "20060102T150405Z"

// Name is the file name of an entry's backup.
func (e Entry) Name() string { return "dtm-" + e.At.UTC().Format(stamp) + ".age" }

func (e Entry) keysName() string { return "keys-" + e.At.UTC().Format(stamp) + ".age" }

func (e Entry) listName() string { return strings.TrimSuffix(e.Name(), ".age") + ".json" }

// mediaPath is where a shelf keeps the attachment of that hash.
func mediaPath(shelf, hash string) string {
	return filepath.Join(shelf, "media", hash[:2], hash+".age")
}

// Source is what a backup is made of.
type Source struct {
	Files []File                 // settings, store, whatever a whole backup needs
	Keys  []File                 // the keys of sealed fields; may be empty
	Blobs iter.Seq2[File, error] // the attachments, named blob/aa/bb/hash
	Last  int64                  // an event that the store holds already
	Also  age.Recipient          // reads settings and store too, for a trial; may be nil
}

// Put makes a backup. It is on the shelf whole or not at all.
func (s Shelf) Put(ctx context.Context, now time.Time, src Source) (Entry, error) {
	began := time.Now()
	e := Entry{At: now.UTC().Truncate(time.Second), Last: src.Last}
	if len(s.To) == 0 {
		return e, dtm.Errorf(dtm.Invalid, "a shelf of backups needs a public key: settings backup_recipient; `dtm backup key` makes one")
	}
	if err := os.MkdirAll(filepath.Join(s.Dir, "media"), 0o700); err != nil {
		return e, dtm.Errorf(dtm.Unavailable, "the folder of backups cannot be written: %w", err).At(s.Dir)
	}
	known, err := s.tidy()
	if err != nil {
		return e, err
	}
	tmp, err := os.MkdirTemp(s.Dir, ".coming-")
	if err != nil {
		return e, dtm.Errorf(dtm.Unavailable, "the folder of backups cannot be written: %w", err).At(s.Dir)
	}
	defer os.RemoveAll(tmp)
	// Copied first: every attachment that the store names was durable before.
	if src.Files, err = still(ctx, src.Files, tmp); err != nil {
		return e, err
	}
	if src.Keys, err = still(ctx, src.Keys, tmp); err != nil {
		return e, err
	}
	var named strings.Builder
	var all []*Media
	coming, ending := errgroup.WithContext(ctx)
	coming.SetLimit(mediaAtOnce)
	for f, err := range src.Blobs {
		if err = errors.Join(err, ending.Err()); err != nil {
			return e, errors.Join(coming.Wait(), err)
		}
		hash := path.Base(f.Name)
		m := &Media{Content: hash, Sealed: known[hash]}
		if m.Sealed == "" {
			coming.Go(func() (err error) {
				if m.Sealed, err = s.putMedia(ending, f); err != nil {
					return dtm.Errorf(dtm.Unavailable, "attachment %s cannot be backed up: %w", hash, err).At(s.Dir)
				}
				return nil
			})
		}
		all = append(all, m)
		fmt.Fprintln(&named, hash)
	}
	if err := coming.Wait(); err != nil {
		return e, err
	}
	for _, m := range all {
		e.Media = append(e.Media, *m)
	}
	list := filepath.Join(tmp, media)
	if err := os.WriteFile(list, []byte(named.String()), 0o600); err != nil {
		return e, err
	}
	if len(src.Keys) > 0 {
		if _, e.Keys, err = s.write(filepath.Join(tmp, "keys"), filepath.Join(s.Dir, e.keysName()), nil, func(w io.Writer) error {
			_, err := Pack(ctx, w, these(src.Keys))
			return err
		}); err != nil {
			return e, err
		}
	}
	e.Size, e.Hash, err = s.write(filepath.Join(tmp, "whole"), filepath.Join(s.Dir, e.Name()), src.Also, func(w io.Writer) error {
		_, err := Pack(ctx, w, these(append(slices.Clone(src.Files), File{Name: media, Path: list})))
		return err
	})
	if err != nil {
		return e, err
	}
	e.Files = len(src.Files) + len(src.Keys) + len(e.Media)
	e.Took = time.Since(began).Seconds()
	e.Sum, err = sumOf(e)
	if err != nil {
		return e, err
	}
	return e, s.save(e.listName(), e)
}

// text is how a list is written: it is read back only if it would be written so again.
func text(v any) ([]byte, error) { return json.MarshalIndent(v, "", " ") }

// sumOf is the hash of a list that has none yet.
func sumOf(v any) (string, error) {
	b, err := text(v)
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), err
}

func these(files []File) iter.Seq2[File, error] {
	return func(yield func(File, error) bool) {
		for _, f := range files {
			if !yield(f, nil) {
				return
			}
		}
	}
}

// write makes a file of what fill writes, encrypted, durable under its name when it
// returns; size and hash are of the encrypted file.
func (s Shelf) write(tmp, to string, also age.Recipient, fill func(io.Writer) error) (int64, string, error) {
	f, err := os.OpenFile(tmp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, "", err
	}
	defer os.Remove(tmp) // after the rename there is nothing of that name
	defer f.Close()
	sum := sha256.New()
	readers := s.To
	if also != nil {
		readers = append(slices.Clone(readers), also)
	}
	w, err := seal(io.MultiWriter(f, sum), readers)
	if err != nil {
		return 0, "", err
	}
	if err := errors.Join(fill(w), w.Close()); err != nil {
		return 0, "", err
	}
	st, err := f.Stat()
	if err != nil {
		return 0, "", err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return 0, "", err
	}
	if err := os.Rename(tmp, to); err != nil {
		return 0, "", err
	}
	return st.Size(), hex.EncodeToString(sum.Sum(nil)), syncFolder(filepath.Dir(to))
}

func (s Shelf) putMedia(ctx context.Context, f File) (sealed string, err error) {
	to := mediaPath(s.Dir, path.Base(f.Name))
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return "", err
	}
	_, sealed, err = s.write(to+".coming", to, nil, func(w io.Writer) error {
		in, err := f.open(ctx)
		if err != nil {
			return err
		}
		defer in.Close()
		_, err = io.Copy(w, in)
		return err
	})
	return sealed, err
}

func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

// save writes a small JSON file durably.
func (s Shelf) save(name string, v any) error {
	b, err := text(v)
	if err != nil {
		return err
	}
	tmp := filepath.Join(s.Dir, ".coming-"+name)
	f, err := os.OpenFile(tmp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(tmp, filepath.Join(s.Dir, name)); err != nil {
		return err
	}
	return syncFolder(s.Dir)
}

// List returns the whole backups of the shelf, the newest first. One whose list is not
// what was written is among them, as damaged.
func (s Shelf) List() ([]Entry, error) {
	names, err := filepath.Glob(filepath.Join(s.Dir, "dtm-*.json"))
	if err != nil {
		return nil, err
	}
	var list []Entry
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		at, err := begun(name)
		if err != nil {
			return nil, err
		}
		list = append(list, readEntry(b, at))
	}
	slices.SortFunc(list, func(a, b Entry) int { return b.At.Compare(a.At) })
	return list, nil
}

// Newest is when the newest backup was begun, by its name alone: a list has a line for every
// attachment. One dated after now, by a clock that stood ahead, does not count. The zero
// time when there is none.
func (s Shelf) Newest(now time.Time) (at time.Time, err error) {
	names, err := filepath.Glob(filepath.Join(s.Dir, "dtm-*.json"))
	for _, name := range names {
		this, err := begun(name)
		if err != nil {
			return at, err
		}
		if this.After(at) && !this.After(now) {
			at = this
		}
	}
	return at, err
}

// begun reads the name of a backup's list.
func begun(name string) (time.Time, error) {
	at, err := time.Parse("dtm-"+stamp+".json", filepath.Base(name))
	if err != nil {
		return at, dtm.Errorf(dtm.Invalid, "this is no name of a backup: %w", err).At(name)
	}
	return at, nil
}

// readEntry reads the list of the backup begun at a time.
func readEntry(b []byte, at time.Time) Entry {
	var e Entry
	err := json.Unmarshal(b, &e)
	again, err2 := text(e)
	bare := e
	bare.Sum = ""
	sum, err3 := sumOf(bare)
	if errors.Join(err, err2, err3) != nil || !bytes.Equal(b, again) || e.Sum != "" && e.Sum != sum || !e.At.Equal(at) {
		return Entry{At: at, Damaged: true}
	}
	return e
}

// tidy removes what a backup that was cut short has left, and maps the attachments on
// the shelf to the hashes of their encrypted files.
func (s Shelf) tidy() (map[string]string, error) {
	list, err := s.List()
	if err != nil {
		return nil, err
	}
	known := map[string]string{}
	whole := map[string]bool{}
	for _, e := range list {
		whole[e.Name()] = true
		for _, m := range e.Media {
			if known[m.Content] != "" {
				continue
			}
			if _, err := os.Stat(mediaPath(s.Dir, m.Content)); err == nil {
				known[m.Content] = m.Sealed
			}
		}
	}
	left, err := filepath.Glob(filepath.Join(s.Dir, ".coming-*"))
	if err != nil {
		return nil, err
	}
	files, err := filepath.Glob(filepath.Join(s.Dir, "dtm-*.age"))
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		if !whole[filepath.Base(f)] {
			left = append(left, f)
		}
	}
	for _, f := range left {
		if err := os.RemoveAll(f); err != nil {
			return nil, err
		}
	}
	return known, nil
}

// Hold compares an entry's files with the hashes written when they were made: a
// changed byte is Conflict, a missing file NotFound, and the file is named. It needs no
// key.
func (s Shelf) Hold(ctx context.Context, e Entry) error {
	if e.Damaged {
		return errDamaged().At(filepath.Join(s.Dir, e.listName()))
	}
	if err := hold(ctx, filepath.Join(s.Dir, e.Name()), e.Hash); err != nil {
		return err
	}
	if e.Keys != "" {
		if err := hold(ctx, filepath.Join(s.Dir, e.keysName()), e.Keys); err != nil && dtm.KindOf(err) != dtm.NotFound {
			return err // keys are let go before the rest
		}
	}
	for _, m := range e.Media {
		if err := hold(ctx, mediaPath(s.Dir, m.Content), m.Sealed); err != nil {
			return err
		}
	}
	return nil
}

func hold(ctx context.Context, file, hash string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return dtm.Errorf(dtm.NotFound, "a file of the backup is missing").At(file)
	}
	if err != nil {
		return err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return err
	}
	if hex.EncodeToString(sum.Sum(nil)) != hash {
		return errDamaged().At(file)
	}
	return nil
}

func errDamaged() *dtm.Error {
	return dtm.Errorf(dtm.Conflict, "this file is not what was written: it is damaged or was changed")
}
