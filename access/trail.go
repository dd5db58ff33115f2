package access

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"dtm"
)

// sameAct is how long the same person's same act counts as one: a spreadsheet that
// asks for a table page by page, a program that polls, a page that is reloaded.
const sameAct = 10 * time.Minute

// Trail notes in the log what people took out and what was refused to them. The nil
// Trail notes nothing. It may be used by several goroutines.
type Trail struct {
	Audit dtm.Audit
	Now   func() time.Time

	mu   sync.Mutex
	last map[string]time.Time
}

// Exported notes that who takes rows out: what names the data set ("form:fmr"), how
// its format and the names of what it was narrowed by, never their values.
func (t *Trail) Exported(ctx context.Context, who, what string, how map[string]any) error {
	return t.note(ctx, who, dtm.DataExported, what, how)
}

// Refused notes that u may not do a; route is the pattern of the address.
func (t *Trail) Refused(ctx context.Context, u dtm.User, a Action, route string) error {
	return t.note(ctx, u.Email, dtm.AccessRefused, string(a), map[string]any{"role": u.Role, "route": route})
}

func (t *Trail) note(ctx context.Context, who, name, subject string, how map[string]any) error {
	if t == nil {
		return nil
	}
	detail, err := json.Marshal(how) // keys come sorted
	if err != nil {
		return err
	}
	key, now := who+"\x00"+name+"\x00"+subject+"\x00"+string(detail), t.Now()
	if t.again(key, now) {
		return nil
	}
	if err := t.Audit.Record(ctx, name, subject, string(detail)); err != nil {
		t.mu.Lock()
		delete(t.last, key)
		t.mu.Unlock()
		return err
	}
	return nil
}

// again tells whether the act was noted shortly before, and remembers it.
func (t *Trail) again(key string, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if at, ok := t.last[key]; ok && now.Sub(at) < sameAct {
		return true
	}
	if t.last == nil || len(t.last) > 10_000 {
		kept := map[string]time.Time{}
		for k, at := range t.last {
			if now.Sub(at) < sameAct {
				kept[k] = at
			}
		}
		t.last = kept
	}
	t.last[key] = now
	return false
}
