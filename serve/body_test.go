package serve

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestReadAll(t *testing.T) {
	for _, n := range []int64{0, 1, small - 1, small, small + 1, 3 * small} {
		for _, limit := range []int64{1, small - 1, small, small + 1, 3 * small} {
			body := strings.Repeat("x", int(n))
			got, err := ReadAll(context.Background(), strings.NewReader(body), limit)
			var large *http.MaxBytesError
			switch {
			case n > limit && !errors.As(err, &large):
				t.Errorf("%d bytes of at most %d: %v, want too large", n, limit, err)
			case n <= limit && (err != nil || !bytes.Equal(got, []byte(body))):
				t.Errorf("%d bytes of at most %d: read %d, %v", n, limit, len(got), err)
			}
		}
	}
}

// TestBodies: two large bodies fill the room, a third waits until one has ended,
// a small one never waits, and a reader that has gone away is let go.
func TestBodies(t *testing.T) {
	const limit = 2 << 20
	reading, end := make(chan error), make(chan bool)
	h := Bodies(2 * limit)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := ReadAll(r.Context(), r.Body, limit)
		reading <- err
		<-end
	}))
	send := func(ctx context.Context, n int) {
		r := httptest.NewRequest("POST", "/", strings.NewReader(strings.Repeat("x", n)))
		go h.ServeHTTP(httptest.NewRecorder(), r.WithContext(ctx))
	}
	for range 2 {
		send(context.Background(), limit)
		if err := <-reading; err != nil {
			t.Fatal(err)
		}
	}
	send(context.Background(), limit)
	select {
	case <-reading:
		t.Fatal("a third large body was read beside two")
	case <-time.After(50 * time.Millisecond):
	}
	gone, cancel := context.WithCancel(context.Background())
	send(gone, limit)
	cancel()
	if err := <-reading; !errors.Is(err, context.Canceled) {
		t.Fatalf("who went away was answered %v", err)
	}
	end <- true
	send(context.Background(), 1000)
	if err := <-reading; err != nil {
		t.Fatal(err)
	}
	end <- true
	end <- true // one of the first two ends
	if err := <-reading; err != nil {
		t.Fatalf("the third: %v", err)
	}
	end <- true
	end <- true
}
