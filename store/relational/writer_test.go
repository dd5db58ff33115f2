package relational_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dtm"
	"dtm/store/relational"
	"dtm/store/sqlite"
)

func open(t testing.TB) *sqlite.DB {
	t.Helper()
	db, err := sqlite.Open(context.Background(), filepath.Join(t.TempDir(), "dtm.db"), sqlite.Options{Operation: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// A write that fails after it has made entries leaves no gap in the chain, alone
// or among others.
func TestFailAfterEntry(t *testing.T) {
	t.Parallel()
	db := open(t)
	ctx := context.Background()
	mine := errors.New("mine")
	fail := func(tx *relational.Tx) error {
		if _, err := tx.Log("x", "fails", "system", "{}"); err != nil {
			return err
		}
		if _, err := tx.Log("x", "fails", "system", "{}"); err != nil {
			return err
		}
		return mine
	}
	if err := db.Update(ctx, "test", fail); !errors.Is(err, mine) {
		t.Fatalf("alone: %v", err)
	}
	var wg sync.WaitGroup
	for c := range 32 {
		wg.Go(func() {
			for i := range 20 {
				if (c+i)%3 == 0 {
					if err := db.Update(ctx, "test", fail); !errors.Is(err, mine) {
						t.Errorf("among others: %v", err)
					}
					continue
				}
				err := db.Update(ctx, "test", func(tx *relational.Tx) error {
					_, err := tx.Log("x", "stays", "system", "{}")
					return err
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if err := db.Verify(ctx); err != nil {
		t.Error(err)
	}
	list, err := db.Events(ctx, 0, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		if e.Subject != "stays" {
			t.Fatalf("entry %d is of a write that failed", e.Seq)
		}
	}
}

// A full disk refuses writes with Unavailable, keeps answering reads, loses
// nothing acknowledged, and takes writes again when there is room.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	db := open(t)
	ctx := context.Background()
	send := func(n int) error {
		_, err := db.Receive(ctx, dtm.Submission{ID: fmt.Sprint("uuid:", n), XML: make([]byte, 3000)})
		return err
	}
	if err := send(0); err != nil {
		t.Fatal(err)
	}
	limit := func(pages int) {
		t.Helper()
		err := db.Update(ctx, "test", func(tx *relational.Tx) error {
			_, err := tx.Row(fmt.Sprintf(`PRAGMA max_page_count = %d`, pages), nil, new(int))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	var size int
	if err := db.Pool().QueryRow(`PRAGMA page_count`).Scan(&size); err != nil {
		t.Fatal(err)
	}
	limit(size + 40)
	var mu sync.Mutex
	acknowledged, refused := map[int]bool{0: true}, 0
	var wg sync.WaitGroup
	for c := range 16 {
		wg.Go(func() {
			for i := range 20 {
				n := 1 + c*20 + i
				err := send(n)
				mu.Lock()
				switch {
				case err == nil:
					acknowledged[n] = true
				case dtm.KindOf(err) == dtm.Unavailable:
					refused++
				default:
					t.Error(err)
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if refused == 0 || len(acknowledged) < 5 {
		t.Fatalf("%d acknowledged, %d refused: the disk was not full", len(acknowledged), refused)
	}
	for n := range acknowledged {
		if _, err := db.Submission(ctx, fmt.Sprint("uuid:", n)); err != nil {
			t.Errorf("%d: %v", n, err)
		}
	}
	if _, total, err := db.Submissions(ctx, dtm.SubmissionFilter{Limit: 1}); err != nil || total != len(acknowledged) {
		t.Errorf("%d stored, %d acknowledged, %v", total, len(acknowledged), err)
	}
	limit(1 << 20)
	if err := send(1_000_000); err != nil {
		t.Errorf("with room again: %v", err)
	}
	if err := db.Verify(ctx); err != nil {
		t.Error(err)
	}
}

// Full durability is a setting that is lost easily: hold it.
func TestSettings(t *testing.T) {
	t.Parallel()
	db := open(t)
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "10000"} {
		var got string
		err := db.Update(context.Background(), "test", func(tx *relational.Tx) error {
			_, err := tx.Row(`PRAGMA `+pragma, nil, &got)
			return err
		})
		if err != nil || got != want {
			t.Errorf("%s = %q, want %q (%v)", pragma, got, want, err)
		}
	}
	if _, err := db.Pool().Exec(`DELETE FROM device`); err == nil {
		t.Error("the reading pool can write")
	}
}

// The log is copied back while writers go on, and does not grow without end.
func TestLogStaysSmall(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	file := filepath.Join(t.TempDir(), "dtm.db")
	db, err := sqlite.Open(ctx, file, sqlite.Options{Operation: "test"})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	xml := make([]byte, 16_000)
	var wg sync.WaitGroup
	for c := range 16 {
		wg.Go(func() {
			for i := range 400 { // 100 MB in all
				if _, err := db.Receive(ctx, dtm.Submission{ID: fmt.Sprintf("uuid:%d-%d", c, i), XML: xml}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	log, err := os.Stat(file + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	if log.Size() > 64<<20 {
		t.Errorf("the log has %d MB", log.Size()>>20)
	}
	if whole, err := os.Stat(file); err != nil || whole.Size() < 50<<20 {
		t.Errorf("little was copied back: %v %v", whole.Size(), err)
	}
}

func BenchmarkReceive(b *testing.B) {
	db := open(b)
	xml := make([]byte, 2000)
	var mu sync.Mutex
	n := 0
	b.SetParallelism(16) // times GOMAXPROCS
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			mu.Lock()
			n++
			id := fmt.Sprintf("uuid:%08x-%d", uint32(n)*2654435761, n) // as scattered as real ones
			mu.Unlock()
			if _, err := db.Receive(context.Background(), dtm.Submission{ID: id, Form: "f", Version: "1", XML: xml}); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

// What Events gives from memory is what the file has, whatever failed meanwhile; a
// verification reads the file.
func TestTail(t *testing.T) {
	t.Parallel()
	db := open(t)
	ctx := context.Background()
	var wg sync.WaitGroup
	for i := range 3 * relational.TailKept / 10 {
		wg.Go(func() {
			_ = db.Update(ctx, "test", func(t *relational.Tx) error {
				for range 10 {
					if _, err := t.Log("x", strconv.Itoa(i), "system", "{}"); err != nil {
						return err
					}
				}
				if i%7 == 0 {
					return errors.New("no")
				}
				return nil
			})
		})
	}
	wg.Wait()
	last, err := db.Last(ctx)
	if err != nil || last < 2*relational.TailKept {
		t.Fatal(last, err)
	}
	kept, tail := db.Tail()
	if _, ok := tail(last-relational.TailKept/2, 10); !ok {
		t.Error("the newest entries are not in memory")
	}
	if kept > 2*relational.TailKept {
		t.Errorf("%d entries are kept", kept)
	}
	for _, c := range [][2]int64{{0, 50}, {last - 5000, 10_000}, {last - relational.TailKept, 30}, {last - 100, 100}, {last - 1, 5}, {last, 5}, {last + 9, 5}} {
		got, err := db.Events(ctx, c[0], int(c[1]))
		if err != nil {
			t.Fatal(err)
		}
		want, err := db.Written(ctx, c[0], int(c[1]))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("after %d: %s", c[0], diff)
		}
		for i := range got {
			got[i] = dtm.Event{} // a reader's own
		}
	}
	if err := db.Verify(ctx); err != nil {
		t.Error(err)
	}
}

// A write without a savepoint of its own that fails among others undoes itself alone:
// the others are there once, in an unbroken log.
func TestFailUnguarded(t *testing.T) {
	t.Parallel()
	db := open(t)
	ctx := context.Background()
	entry := func(i int, fail bool) func(*relational.Tx) error {
		return func(t *relational.Tx) error {
			if _, err := t.Log("x", strconv.Itoa(i), "system", "{}"); err != nil {
				return err
			}
			if fail {
				return errors.New("no")
			}
			return nil
		}
	}
	ran := make([]int, 60)
	jobs := make([]*relational.Job, len(ran))
	for i := range jobs {
		fn := entry(i, i%10 == 3)
		jobs[i] = relational.NewJob(i%2 == 1, func(t *relational.Tx) error { ran[i]++; return fn(t) })
	}
	blocked := make(chan struct{})
	started := make(chan struct{})
	go func() { // holds the writer until all wait, so that they are one group
		_ = db.Update(ctx, "test", func(*relational.Tx) error { close(started); <-blocked; return nil })
	}()
	<-started
	for _, j := range jobs {
		if err := db.Hand(ctx, j); err != nil {
			t.Fatal(err)
		}
	}
	close(blocked)
	want := map[string]bool{}
	for i, j := range jobs {
		if err := j.Done(); (err != nil) != (i%10 == 3) {
			t.Errorf("job %d: %v", i, err)
		}
		if i%10 != 3 {
			want[strconv.Itoa(i)] = true
		}
	}
	for i, n := range ran {
		if most := 1 + i%2; n == 0 || n > most {
			t.Errorf("job %d ran %d times, at most %d are allowed", i, n, most)
		}
	}
	list, err := db.Written(ctx, 0, 1000)
	if err != nil || len(list) != len(want) {
		t.Fatalf("%d entries, want %d: %v", len(list), len(want), err)
	}
	for _, e := range list {
		if !want[e.Subject] {
			t.Errorf("entry %s", e.Subject)
		}
		delete(want, e.Subject)
	}
	if err := db.Verify(ctx); err != nil {
		t.Error(err)
	}
}
