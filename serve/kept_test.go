package serve

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"dtm"
)

// keeping is a server of one kept page that says how often it was made.
type keeping struct {
	*httptest.Server
	made  atomic.Int64
	state atomic.Pointer[string]
	now   atomic.Int64 // seconds
	page  func(w http.ResponseWriter, r *http.Request)
}

func newKeeping(t *testing.T) *keeping {
	k := &keeping{}
	first := "1"
	k.state.Store(&first)
	kept := Keep(func(context.Context) (string, error) { return *k.state.Load(), nil }, func() time.Time { return time.Unix(k.now.Load(), 0) })
	h := kept.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := k.made.Add(1)
		if k.page != nil {
			k.page(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, "%s %d %s", r.URL.Path, n, strings.Repeat("x", 3000))
	}))
	k.Server = httptest.NewServer(Chain(h, Compress()))
	t.Cleanup(k.Close)
	return k
}

// get asks with the headers given, as pairs; the body is uncompressed.
func (k *keeping) get(t *testing.T, path string, header ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequest("GET", k.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept-Encoding", "gzip")
	for i := 0; i < len(header); i += 2 {
		if r.Header.Set(header[i], header[i+1]); header[i] == "Host" {
			r.Host = header[i+1]
		}
	}
	res, err := k.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var in io.Reader = res.Body
	if res.Header.Get("Content-Encoding") == "gzip" {
		if in, err = gzip.NewReader(res.Body); err != nil {
			t.Fatal(err)
		}
	}
	b, err := io.ReadAll(in)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(b)
}

func TestKept(t *testing.T) {
	k := newKeeping(t)
	res, first := k.get(t, "/a")
	if res.Header.Get("Content-Encoding") != "gzip" || res.Header.Get("Vary") != "Accept-Encoding" || res.Header.Get("Cache-Control") != "no-cache" || !strings.HasPrefix(first, "/a 1 ") {
		t.Fatalf("first answer: %v %.20s", res.Header, first)
	}
	if _, again := k.get(t, "/a"); again != first || k.made.Load() != 1 {
		t.Errorf("asked again it was made %d times", k.made.Load())
	}
	tag := res.Header.Get("ETag")
	res, body := k.get(t, "/a", "If-None-Match", `W/"other", `+tag)
	if res.StatusCode != http.StatusNotModified || body != "" || res.Header.Get("ETag") != tag {
		t.Errorf("what the client has: %d with %d bytes, tag %s", res.StatusCode, len(body), res.Header.Get("ETag"))
	}
	for i, x := range [][]string{{"/b"}, {"/a?q=1"}, {"/a", "Host", "other.example.org"}, {"/a", "X-Forwarded-Proto", "https"}, {"/a", "Cookie", "dtm=x"},
		{"/a", "Authorization", "Bearer x"}, {"/a", "Accept-Encoding", "identity"}, {"/a", "Range", "bytes=0-9"}} {
		if k.get(t, x[0], x[1:]...); k.made.Load() != int64(i)+2 {
			t.Errorf("%v: made %d times, want %d", x, k.made.Load(), i+2)
		}
	}
	n := k.made.Load()
	for i, change := range []func(){func() { s := "2"; k.state.Store(&s) }, func() { k.now.Add(int64(keptFor / time.Second)) }} {
		change()
		if _, anew := k.get(t, "/a"); anew == first || k.made.Load() != n+int64(i)+1 {
			t.Errorf("change %d: not made anew", i)
		}
	}
}

func TestKeptNot(t *testing.T) {
	for name, page := range map[string]func(w http.ResponseWriter, r *http.Request){
		"not found": func(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) },
		"no-store": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "private, no-store")
			fmt.Fprint(w, "mine")
		},
		"a cookie": func(w http.ResponseWriter, r *http.Request) {
			http.SetCookie(w, &http.Cookie{Name: "a", Value: "b"})
			fmt.Fprint(w, "mine")
		},
		"large": func(w http.ResponseWriter, r *http.Request) {
			for i := range 1 << 17 { // does not compress below the limit
				fmt.Fprintf(w, "%x ", uint32(i)*2654435761)
			}
		},
	} {
		k := newKeeping(t)
		k.page = page
		_, first := k.get(t, "/")
		res, second := k.get(t, "/")
		if k.made.Load() != 2 || first != second || len(first) == 0 {
			t.Errorf("%s: made %d times", name, k.made.Load())
		}
		if name == "not found" && res.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", name, res.StatusCode)
		}
	}
}

func TestKeptTogether(t *testing.T) {
	k := newKeeping(t)
	proceed := make(chan struct{})
	k.page = func(w http.ResponseWriter, r *http.Request) {
		<-proceed
		fmt.Fprint(w, strings.Repeat("y", 3000))
	}
	var wg sync.WaitGroup
	var whole atomic.Int64
	for range 50 {
		wg.Go(func() {
			if res, body := k.get(t, "/"); res.StatusCode == http.StatusOK && len(body) == 3000 {
				whole.Add(1)
			}
		})
	}
	for k.made.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	close(proceed)
	wg.Wait()
	if whole.Load() != 50 || k.made.Load() >= 50 {
		t.Errorf("%d of 50 got it, made %d times", whole.Load(), k.made.Load())
	}
}

// Who asked first goes away: whoever waits with them is answered all the same.
func TestKeptFirstGone(t *testing.T) {
	k := newKeeping(t)
	first := make(chan struct{})
	handle := Handle(Problem, func(w http.ResponseWriter, r *http.Request) error {
		if k.made.Load() == 1 {
			close(first)
			<-r.Context().Done()
			return r.Context().Err()
		}
		fmt.Fprint(w, "whole")
		return nil
	})
	k.page = handle.ServeHTTP
	ctx, leave := context.WithCancel(context.Background())
	r, err := http.NewRequestWithContext(ctx, "GET", k.URL+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	gone := make(chan error, 1)
	go func() {
		_, err := k.Client().Do(r)
		gone <- err
	}()
	<-first
	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() {
			if res, body := k.get(t, "/"); res.StatusCode != http.StatusOK || body != "whole" {
				t.Errorf("who waited got %d %q", res.StatusCode, body)
			}
		})
	}
	time.Sleep(20 * time.Millisecond)
	leave()
	wg.Wait()
	if <-gone == nil {
		t.Error("who left was answered")
	}
}

// An error is each reader's own: it is told to none of the others.
func TestKeptError(t *testing.T) {
	k := newKeeping(t)
	handle := Handle(Problem, func(w http.ResponseWriter, r *http.Request) error {
		if k.made.Load() == 1 {
			return dtm.Errorf(dtm.Unavailable, "not now")
		}
		fmt.Fprint(w, "whole")
		return nil
	})
	k.page = handle.ServeHTTP
	if res, _ := k.get(t, "/"); res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" {
		t.Errorf("first: %d", res.StatusCode)
	}
	if res, body := k.get(t, "/"); res.StatusCode != http.StatusOK || body != "whole" {
		t.Errorf("second: %d %q", res.StatusCode, body)
	}
}
