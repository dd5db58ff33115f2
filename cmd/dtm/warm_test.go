package main

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestCalm: what can wait does while pages are asked for, and no longer.
func TestCalm(t *testing.T) {
	t.Parallel()
	c := &call{env: testEnv, dir: t.TempDir(), out: &strings.Builder{}, err: &strings.Builder{}}
	h, err := c.makeHouse(t.Context(), filepath.Join(t.TempDir(), "data"), "djibouti", true, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.close() })
	pages := h.counted(http.NotFoundHandler())
	done := make(chan struct{})
	go func() {
		h.calm(t.Context(), time.Minute)
		close(done)
	}()
	for range 12 {
		pages.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/en/", nil))
		time.Sleep(calmEvery / 4)
		select {
		case <-done:
			t.Fatal("readers were not waited for")
		default:
		}
	}
	select {
	case <-done:
	case <-time.After(readersLatest):
		t.Error("nobody reads, and it still waits")
	}
}
