package event

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"dtm"
)

func entries(n int) (list []dtm.Event) {
	prev := ""
	for i := range n {
		e := dtm.Event{Seq: int64(i + 1), At: time.Date(2026, 1, 1, 0, 0, i, 5e6, time.UTC), Name: "n", Subject: "s", Actor: "a", Detail: "{}", Prev: prev}
		e.Hash = Hash(prev, e)
		prev = e.Hash
		list = append(list, e)
	}
	return list
}

const knownHash = "343d1e644c952861dc1618baf9268753dff4558537d5f673a070e782a58181e7"

// The hash of a fixed entry, computed apart from this program (python3 hashlib),
// so that a changed rule is noticed: old logs would not verify any more.
func TestHashKnown(t *testing.T) {
	t.Parallel()
	e := dtm.Event{Seq: 7, At: time.Date(2026, 11, 23, 10, 20, 30, 456789000, time.FixedZone("EAT", 3*3600)),
		Name: "submission.received", Subject: "uuid:é", Actor: "device:1", Detail: `{"form":"fmr"}`}
	if got := Hash("abc", e); got != knownHash {
		t.Errorf("hash = %s, want %s", got, knownHash)
	}
}

func TestChain(t *testing.T) {
	t.Parallel()
	walk := func(list []dtm.Event) error {
		var c Chain
		for _, e := range list {
			var err error
			if c, err = c.Next(e); err != nil {
				return err
			}
		}
		return nil
	}
	if err := walk(entries(5)); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(l []dtm.Event) []dtm.Event{
		"name":     func(l []dtm.Event) []dtm.Event { l[2].Name = "x"; return l },
		"subject":  func(l []dtm.Event) []dtm.Event { l[2].Subject = "x"; return l },
		"actor":    func(l []dtm.Event) []dtm.Event { l[2].Actor = "x"; return l },
		"detail":   func(l []dtm.Event) []dtm.Event { l[2].Detail = "{ }"; return l },
		"time":     func(l []dtm.Event) []dtm.Event { l[2].At = l[2].At.Add(time.Millisecond); return l },
		"boundary": func(l []dtm.Event) []dtm.Event { l[2].Name, l[2].Subject = "ns", ""; return l },
		"rehashed": func(l []dtm.Event) []dtm.Event { l[2].Name = "x"; l[2].Hash = Hash(l[2].Prev, l[2]); return l },
		"swapped":  func(l []dtm.Event) []dtm.Event { l[2], l[3] = l[3], l[2]; return l },
		"left out": func(l []dtm.Event) []dtm.Event { return append(l[:2], l[3:]...) },
		"doubled":  func(l []dtm.Event) []dtm.Event { return append(l[:3], l[2:]...) },
		"number":   func(l []dtm.Event) []dtm.Event { l[2].Seq = 9; return l },
	} {
		if err := walk(spoil(entries(5))); err == nil || dtm.KindOf(err) != dtm.Conflict || !strings.Contains(err.Error(), "entry") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestActor(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	if got := Actor(ctx); got != System {
		t.Errorf("nobody is %q", got)
	}
	if got := Actor(WithActor(ctx, "user:a@example.org")); got != "user:a@example.org" {
		t.Errorf("actor = %q", got)
	}
}

// book is a log in memory that grows.
type book struct {
	mu   sync.Mutex
	list []dtm.Event
	grew chan struct{}
	fail int // so many reads fail
}

func newBook(n int) *book { return &book{list: entries(n), grew: make(chan struct{})} }

func (b *book) grow(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.list = entries(n)
	close(b.grew)
	b.grew = make(chan struct{})
}

func (b *book) Events(_ context.Context, after int64, limit int) ([]dtm.Event, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail > 0 {
		b.fail--
		return nil, errors.New("log away")
	}
	rest := b.list[min(int(after), len(b.list)):]
	return rest[:min(limit, len(rest))], nil
}

func (b *book) Wait(ctx context.Context, after int64) error {
	for {
		b.mu.Lock()
		n, grew := len(b.list), b.grew
		b.mu.Unlock()
		if int64(n) > after {
			return nil
		}
		select {
		case <-grew:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (b *book) Last(context.Context) (int64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return int64(len(b.list)), nil
}

func (b *book) Verify(context.Context) error { return nil }

func TestFollow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(context.Background())
		b := newBook(7)
		b.fail = 2
		var done []int64
		var attempts []int
		var at []time.Duration
		start := time.Now()
		failures := 0
		ended := make(chan error)
		go func() {
			ended <- Follow(ctx, b, 2, func(_ context.Context, batch []dtm.Event) error {
				if batch[0].Seq == 6 && failures < 4 {
					failures++
					return errors.New("not yet")
				}
				for _, e := range batch {
					done = append(done, e.Seq)
				}
				return nil
			}, Following{Batch: 3, First: time.Second, Longest: 3 * time.Second, Failed: func(_ error, n int, _ Span) {
				attempts = append(attempts, n)
				at = append(at, time.Since(start))
			}})
		}()
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(done) != 5 || done[0] != 3 || done[4] != 7 {
			t.Errorf("done = %v, want 3 to 7 once and in order", done)
		}
		// Two failures of the log (pauses 1, 2), then four of the handler from
		// the beginning again (1, 2, 3, 3): never longer than the longest.
		wantAt := []time.Duration{0, 1, 3, 4, 6, 9}
		for i := range wantAt {
			wantAt[i] *= time.Second
		}
		if len(at) != len(wantAt) {
			t.Fatalf("failures at %v (%v)", at, attempts)
		}
		for i := range at {
			if at[i] != wantAt[i] {
				t.Errorf("failure %d at %v, want %v", i, at[i], wantAt[i])
			}
		}
		before := time.Now()
		b.grow(9)
		synctest.Wait()
		if len(done) != 7 || done[6] != 9 || time.Since(before) != 0 {
			t.Errorf("after growing: %v, %v later", done, time.Since(before))
		}
		stop()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("ended with %v", err)
		}
	})
}
