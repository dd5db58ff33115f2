package central_test

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"dtm"
	"dtm/access"
	"dtm/gather/central"
	"dtm/store/sqlite"
)

// TestManyAtOnce: a table program opens forty connections with the right password and
// is let in on each; a stranger's forty guesses are not all looked at.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	db, err := sqlite.Open(ctx, filepath.Join(t.TempDir(), "dtm.db"), sqlite.Options{Operation: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	hash, err := access.HashPassword(ctx, rand.Reader, "a sentence of five words")
	if err != nil {
		t.Fatal(err)
	}
	if err := db.AddUser(ctx, dtm.User{Email: "a@example.org", Role: dtm.RoleAdmin, Created: time.Now()}, hash); err != nil {
		t.Fatal(err)
	}
	h := &central.Handler{Operation: &dtm.Operation{}, Sessions: db, Door: &access.Door{Users: db, Tries: db, Now: time.Now}, Users: db, Forms: db, States: db, Rand: rand.Reader, Now: time.Now}
	mux := http.NewServeMux()
	h.Register(mux)
	ask := func(from, password string) map[int]int {
		var mu sync.Mutex
		var all sync.WaitGroup
		codes := map[int]int{}
		for range 40 {
			all.Go(func() {
				r := httptest.NewRequest("GET", "/v1/users/current", nil)
				r.RemoteAddr = from
				r.SetBasicAuth("a@example.org", password)
				w := httptest.NewRecorder()
				mux.ServeHTTP(w, r)
				mu.Lock()
				codes[w.Code]++
				mu.Unlock()
			})
		}
		all.Wait()
		return codes
	}
	if codes := ask("192.0.2.1:1", "a sentence of five words"); codes[200] != 40 {
		t.Errorf("with the right password, answered %v", codes)
	}
	for n := range 8 {
		codes := ask("192.0.2.2:1", "a guess, "+string(rune('a'+n)))
		if codes[200] > 0 || n > 5 && codes[429] != 40 {
			t.Errorf("guess %d, answered %v", n, codes)
		}
	}
}
