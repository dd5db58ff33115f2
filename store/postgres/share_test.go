package postgres_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"dtm"
	"dtm/store/postgres"
	"dtm/store/storetest"
)

// two opens two stores on one database, as two servers do.
func two(t *testing.T) (a, b *postgres.DB, at string) {
	t.Helper()
	at = place(t)
	for _, db := range []**postgres.DB{&a, &b} {
		var err error
		if *db, err = postgres.Open(t.Context(), at, postgres.Options{Operation: storetest.Operation}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = (*db).Close() })
	}
	return a, b, at
}

// What one server writes the other knows at once: devices, sessions, the log.
func TestTwoServers(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	a, b, _ := two(t)
	d, token, err := a.AddDevice(ctx, "Obock-1", "obock")
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if got, err := b.DeviceByToken(ctx, token); err != nil || got.ID != d.ID {
			t.Fatal(got, err)
		}
	}
	if err := a.MoveDevice(ctx, d.ID, "galafi"); err != nil {
		t.Fatal(err)
	}
	if got, err := b.DeviceByToken(ctx, token); err != nil || got.Point != "galafi" {
		t.Errorf("moved at the other server: %+v %v", got, err)
	}
	if err := a.RevokeDevice(ctx, d.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := b.DeviceByToken(ctx, token); dtm.KindOf(err) != dtm.Forbidden {
		t.Errorf("revoked at the other server: %v", err)
	}

	last, err := a.Last(ctx)
	if err != nil {
		t.Fatal(err)
	}
	woken := make(chan time.Duration, 1)
	go func() {
		start := time.Now()
		if err := b.Wait(ctx, last); err == nil {
			woken <- time.Since(start)
		}
	}()
	time.Sleep(50 * time.Millisecond)
	if err := a.Record(ctx, "test", "x", "{}"); err != nil {
		t.Fatal(err)
	}
	select {
	case <-woken:
	case <-time.After(5 * time.Second):
		t.Error("the other server is not told of an entry")
	}

	// Both write at once, every other submission to both: one of the two is new, the
	// log is whole.
	const each = 100
	var wg sync.WaitGroup
	var mu sync.Mutex
	fresh := 0
	for i, db := range []*postgres.DB{a, b} {
		for c := range 4 {
			wg.Go(func() {
				for n := range each {
					id := fmt.Sprintf("uuid:%d-%d-%d", i, c, n)
					if n%2 == 1 {
						id = fmt.Sprintf("uuid:both-%d-%d", c, n)
					}
					r, err := db.Receive(ctx, dtm.Submission{ID: id, Form: "f", Version: "1", XML: []byte("<data>" + id[len(id)-2:] + "</data>")})
					if err != nil {
						t.Error(err)
						return
					}
					if r.New {
						mu.Lock()
						fresh++
						mu.Unlock()
					}
				}
			})
		}
	}
	wg.Wait()
	if want := 4*each/2*2 + 4*each/2; fresh != want {
		t.Errorf("%d are new, want %d", fresh, want)
	}
	if err := b.Verify(ctx); err != nil {
		t.Error(err)
	}
	x, err1 := a.Events(ctx, 0, 10_000)
	y, err2 := b.Events(ctx, 0, 10_000)
	if err1 != nil || err2 != nil || len(x) != len(y) || len(x) != fresh+4 {
		t.Errorf("%d and %d entries, want %d: %v %v", len(x), len(y), fresh+4, err1, err2)
	}
}

// A piece of work is one server's at a time; when that has gone, or was thought to have,
// another takes over and the first is told.
func TestClaim(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	a, b, at := two(t)
	release, _, ok, err := a.Claim(ctx, "readings")
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	if _, _, ok, err := b.Claim(ctx, "readings"); ok || err != nil {
		t.Fatal("both have it", err)
	}
	if r, _, ok, err := b.Claim(ctx, "webhooks"); !ok || err != nil {
		t.Fatal("other work is not free", err)
	} else {
		r()
	}
	release()
	_, lost, ok, err := b.Claim(ctx, "readings")
	if err != nil || !ok {
		t.Fatal("what was given back is not free", ok, err)
	}
	if _, err := raw(t, at).Exec(`UPDATE work_claim SET until = now() - INTERVAL '1 second'`); err != nil {
		t.Fatal(err)
	}
	if _, _, ok, err := a.Claim(ctx, "readings"); err != nil || !ok {
		t.Fatal("a claim that has ended is not free", err)
	}
	select {
	case <-lost:
	case <-time.After(10 * time.Second):
		t.Error("who lost a claim is not told")
	}
	// Many at once: one gets it.
	var wg sync.WaitGroup
	var mu sync.Mutex
	got := map[*postgres.DB]int{}
	for i := range 16 {
		wg.Go(func() {
			db := a
			if i%2 == 0 {
				db = b
			}
			_, _, ok, err := db.Claim(ctx, "nightly")
			if err != nil {
				t.Error(err)
			}
			if ok {
				mu.Lock()
				got[db]++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if len(got) != 1 { // the same server may ask again for what it has
		t.Errorf("%d servers got it", len(got))
	}
}

// Submissions that are stored together: one that belongs to another operation is refused,
// those sent twice are one, all others are stored.
func TestGroupWithRefused(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	a, _, at := two(t)
	other, err := postgres.Open(ctx, at, postgres.Options{Operation: "other"})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	send := func(db *postgres.DB, n int) (dtm.Receipt, error) {
		return db.Receive(ctx, dtm.Submission{ID: fmt.Sprintf("uuid:%d", n), Form: "f", Version: "1", XML: []byte("<data/>"),
			Attachments: []dtm.Attachment{{Name: "a.jpg", Hash: "sha256:a"}}})
	}
	if _, err := send(other, 7); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	fresh, elsewhere := 0, 0
	for c := range 32 {
		wg.Go(func() {
			for i := range 10 {
				r, err := send(a, (c/2)*10+i) // by two clients each
				mu.Lock()
				var e *dtm.Error
				switch {
				case errors.As(err, &e) && e.Code == "submission.elsewhere":
					elsewhere++
				case err != nil:
					t.Error(err)
				case r.New:
					fresh++
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if fresh != 159 || elsewhere != 2 {
		t.Errorf("%d are new, %d refused; want 159 and 2", fresh, elsewhere)
	}
	if list, err := a.Events(ctx, 0, 1000); err != nil || len(list) != 2*159 {
		t.Errorf("%d entries, %v", len(list), err)
	}
	if err := a.Verify(ctx); err != nil {
		t.Error(err)
	}
}
