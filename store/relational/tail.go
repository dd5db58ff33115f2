package relational

import (
	"slices"
	"sync"

	"dtm"
)

// tailKept is how many of the newest entries of the log stay in memory: those who
// follow the log are rarely further behind.
const tailKept = 4096

// tail is the end of the log as this process has committed it. Entries never change,
// so what is here need not be read again.
type tail struct {
	mu   sync.RWMutex
	list []dtm.Event // one after the other by Seq
}

// add takes entries that have been committed, oldest first.
func (t *tail) add(list []dtm.Event) {
	if len(list) == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if n := len(t.list); n > 0 && t.list[n-1].Seq+1 != list[0].Seq {
		t.list = nil // somebody else has written meanwhile
	}
	if len(t.list)+len(list) > 2*tailKept {
		t.list = append(t.list[:0], t.list[max(0, len(t.list)-tailKept):]...)
	}
	t.list = append(t.list, list...)
}

// after returns up to limit entries after seq; false when it does not know the first
// of them.
func (t *tail) after(seq int64, limit int) ([]dtm.Event, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	n := len(t.list)
	if n == 0 || seq+1 < t.list[0].Seq || seq >= t.list[n-1].Seq || limit <= 0 {
		return nil, false
	}
	first := int(seq + 1 - t.list[0].Seq)
	last := min(n, first+limit)
	return slices.Clone(t.list[first:last]), true
}
