package backup

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// What is kept: every backup of two days, then the last of each day for a month, then
// the last of each month for a year. The keys of sealed fields are kept for a month
// only, so that who was erased cannot be read from any backup after it.
const (
	keepAll     = 48 * time.Hour
	keepDaily   = 31 * 24 * time.Hour
	keepMonthly = 366 * 24 * time.Hour

	// KeysForgotten is how long after an erasure the last backup holds the key.
	KeysForgotten = keepDaily
)

// Keep says which backups stay: list is the newest first, and the answer has an
// element for each. The newest always stays.
func Keep(list []Entry, now time.Time) []bool {
	stay := make([]bool, len(list))
	seen := map[string]bool{}
	for i, e := range list {
		age := now.Sub(e.At)
		slot := ""
		switch {
		case age <= keepAll:
			slot = e.At.Format(time.RFC3339)
		case age <= keepDaily:
			slot = e.At.Format(time.DateOnly)
		case age <= keepMonthly:
			slot = e.At.Format("2006-01")
		}
		stay[i] = i == 0 || slot != "" && !seen[slot]
		seen[slot] = true
	}
	return stay
}

// Prune removes the backups that Keep lets go and the attachments that no other needs,
// and returns how many backups went.
func (s Shelf) Prune(now time.Time) (int, error) {
	list, err := s.List()
	if err != nil {
		return 0, err
	}
	needed := map[string]bool{}
	gone, known := 0, true // which attachments are needed
	var errs []error
	for i, stays := range Keep(list, now) {
		if (list[i].Keys != "" || list[i].Damaged) && i > 0 && (!stays || now.Sub(list[i].At) > KeysForgotten) {
			if err := os.Remove(filepath.Join(s.Dir, list[i].keysName())); err != nil && !errors.Is(err, fs.ErrNotExist) {
				errs = append(errs, err)
			}
		}
		if stays {
			known = known && !list[i].Damaged
			for _, m := range list[i].Media {
				needed[m.Content] = true
			}
			continue
		}
		// The list first: without it the backup is not on the shelf.
		errs = append(errs, os.Remove(filepath.Join(s.Dir, list[i].listName())), os.Remove(filepath.Join(s.Dir, list[i].Name())))
		gone++
	}
	if gone == 0 || !known {
		return gone, errors.Join(errs...)
	}
	err = filepath.WalkDir(filepath.Join(s.Dir, "media"), func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if !needed[strings.TrimSuffix(d.Name(), ".age")] {
			return os.Remove(p)
		}
		return nil
	})
	return gone, errors.Join(append(errs, err)...)
}

// Trial is the last backup that was restored on trial.
type Trial struct {
	Backup time.Time `json:"backup"`
	At     time.Time `json:"at"`
	Took   float64   `json:"took"`          // seconds
	Fault  string    `json:"fault"`         // empty: it was whole
	Sum    string    `json:"sum,omitempty"` // hex SHA-256 of this without its sum

	Damaged bool `json:"-"` // what was noted is not what was written: nothing is known of a trial
}

// Tried records a trial.
func (s Shelf) Tried(t Trial) (err error) {
	if t.Sum, err = sumOf(t); err != nil {
		return err
	}
	return s.save(trialName, t)
}

const trialName = "verified.json"

// LastTrial returns the last trial; the zero one when there was none, and only that it is
// damaged when that cannot be known.
func (s Shelf) LastTrial() (t Trial, err error) {
	b, err := os.ReadFile(filepath.Join(s.Dir, trialName))
	if errors.Is(err, fs.ErrNotExist) {
		return t, nil
	}
	if err != nil {
		return t, err
	}
	bad := json.Unmarshal(b, &t)
	again, err := text(t)
	if err != nil {
		return t, err
	}
	noted := t.Sum
	t.Sum = ""
	sum, err := sumOf(t)
	if bad != nil || !bytes.Equal(b, again) || noted != "" && noted != sum {
		return Trial{Damaged: true}, err
	}
	return t, err
}
