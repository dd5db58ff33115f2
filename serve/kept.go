package serve

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net/http"
	"strings"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/sync/singleflight"
)

// What is kept at most: so many answers, none larger, none longer. The time bounds what
// hangs on the clock and on nothing else.
const (
	keptAnswers = 256
	keptBytes   = 256 << 10
	keptFor     = 20 * time.Second
)

// Kept keeps whole answers, compressed, for readers who ask for the same thing again
// while what it rests on is the same; of many who ask at once one is answered anew, and
// the others get what that one gets. It is for pages that are the same for everybody:
// whoever sends a cookie or a key is answered anew.
type Kept struct {
	state   func(context.Context) (string, error)
	now     func() time.Time
	answers *lru.Cache[string, *answer]
	asked   singleflight.Group
}

// Keep makes a store of answers. State names what all of them rest on: equal names give
// equal answers. When it fails, nothing is kept and the handler says what is wrong.
func Keep(state func(context.Context) (string, error), now func() time.Time) *Kept {
	answers, err := lru.New[string, *answer](keptAnswers)
	if err != nil {
		panic(err) // the size is a constant
	}
	return &Kept{state: state, now: now, answers: answers}
}

// answer is one as it went out. It is a http.ResponseWriter while it is made.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
	state  string
	made   time.Time
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(code int) {
	if a.status == 0 && code >= 200 {
		a.status = code
	}
}

func (a *answer) Write(b []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(b)
}

// keepable tells whether others may get the same.
func (a *answer) keepable() bool {
	c := a.header.Get("Cache-Control")
	return a.status == http.StatusOK && a.body.Len() <= keptBytes && a.header.Get("Set-Cookie") == "" &&
		!strings.Contains(c, "no-store") && !strings.Contains(c, "private")
}

// send writes the answer, or that the client has it already.
func (a *answer) send(w http.ResponseWriter, r *http.Request) {
	maps.Copy(w.Header(), a.header)
	if tag := a.header.Get("ETag"); a.status == http.StatusOK && tag != "" && sameTag(r.Header.Get("If-None-Match"), tag) {
		for _, h := range []string{"Content-Encoding", "Content-Type", "Content-Length"} {
			w.Header().Del(h)
		}
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.WriteHeader(max(a.status, http.StatusOK))
	w.Write(a.body.Bytes())
}

// sameTag compares weakly, as RFC 9110 13.1.2 has it.
func sameTag(have, tag string) bool {
	for h := range strings.SplitSeq(have, ",") {
		if strings.TrimPrefix(strings.TrimSpace(h), "W/") == strings.TrimPrefix(tag, "W/") {
			return true
		}
	}
	return false
}

// Wrap keeps the answers of next, which are the same for everybody who asks for an
// address, under whatever name of this server.
func (k *Kept) Wrap(next http.Handler) http.Handler {
	compressed := Compress()(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !common(r) {
			next.ServeHTTP(w, r)
			return
		}
		state, err := k.state(r.Context())
		if err != nil {
			next.ServeHTTP(w, r)
			return
		}
		key := r.Host + " " + r.RequestURI
		if Secure(r) {
			key = "s " + key
		}
		if a, ok := k.answers.Get(key); ok && a.state == state && k.now().Sub(a.made) < keptFor {
			a.send(w, r)
			return
		}
		a, mine := &answer{}, false
		for !mine && a.status == 0 { // cut: who was first has gone, another is
			v, _, _ := k.asked.Do(key+" "+state, func() (any, error) {
				mine = true
				a := k.make(compressed, r, state)
				if a.keepable() {
					k.answers.Add(key, a)
				}
				return a, nil
			})
			a = v.(*answer)
		}
		switch {
		case mine && a.status == 0:
			panic(http.ErrAbortHandler)
		case !mine && !a.keepable():
			next.ServeHTTP(w, r) // what went wrong for another is not this reader's
		default:
			a.send(w, r)
		}
	})
}

// common tells whether a request is one that anybody may have sent.
func common(r *http.Request) bool {
	h := r.Header
	return r.Method == http.MethodGet && h.Get("Cookie") == "" && h.Get("Authorization") == "" && h.Get("Range") == "" &&
		strings.Contains(h.Get("Accept-Encoding"), "gzip")
}

// make has the answer made; one that was cut has no status.
func (k *Kept) make(h http.Handler, r *http.Request, state string) *answer {
	a := &answer{header: http.Header{}, state: state, made: k.now()}
	asked := r.Clone(r.Context())
	asked.Header.Del("If-None-Match") // others want all of it
	func() {
		defer func() {
			if p := recover(); p != nil {
				if p != http.ErrAbortHandler {
					panic(p)
				}
				a.status, a.header = 0, http.Header{}
			}
		}()
		h.ServeHTTP(a, asked)
		a.WriteHeader(http.StatusOK)
	}()
	if a.keepable() {
		if a.header.Get("ETag") == "" {
			sum := sha256.Sum256(a.body.Bytes())
			a.header.Set("ETag", `W/"`+hex.EncodeToString(sum[:12])+`"`)
		}
		if a.header.Get("Cache-Control") == "" {
			a.header.Set("Cache-Control", "no-cache")
		}
	}
	return a
}
