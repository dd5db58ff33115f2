package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
)

// Several is one and then two servers on one PostgreSQL behind a proxy, under the same
// phones and readers; at the end one of the two is killed in the middle.
type Several struct {
	Campaign
	Rounds  int           // of one server and of two, in alternation
	Span    time.Duration // of a round
	Readers int           // who are signed in and ask for pages at once
}

// Rate is what was seen in the rounds of as many servers, a second.
type Rate struct{ Submissions, Pages float64 }

// Seen is what was seen of several servers.
type Seen struct {
	Outcome
	One, Two  Rate
	Killed    Rate // in the round in which one of the two is killed in the middle
	Readers   int
	SignedOut int // readers whom a server did not know any more
	Refused   int // requests of readers that were answered neither 200 nor at all
}

// Bad is Outcome's, or that somebody was signed out.
func (s Seen) Bad() bool { return s.Outcome.Bad() || s.SignedOut > 0 }

func (s Seen) String() string {
	line := func(name string, r Rate) string {
		return fmt.Sprintf("%-28s %8.0f submissions/s %8.0f pages/s\n", name, r.Submissions, r.Pages)
	}
	return line("one server", s.One) + line("two servers", s.Two) + line("two, one killed in the middle", s.Killed) +
		fmt.Sprintf("two against one: submissions %.2f, pages %.2f\n%d readers, signed out %d, answered with a fault or not at all %d times\n%v",
			s.Two.Submissions/s.One.Submissions, s.Two.Pages/s.One.Pages, s.Readers, s.SignedOut, s.Refused, s.Outcome)
}

// proxy sends each request to the next server that is there, as a load balancer does
// that asks /readyz.
type proxy struct {
	to   []*httputil.ReverseProxy
	urls []string
	up   []atomic.Bool
	next atomic.Uint64
}

func newProxy(addresses []string) *proxy {
	p := &proxy{up: make([]atomic.Bool, len(addresses))}
	for i, a := range addresses {
		u := &url.URL{Scheme: "http", Host: a}
		r := httputil.NewSingleHostReverseProxy(u)
		r.Transport = &http.Transport{MaxIdleConnsPerHost: 128}
		r.ErrorHandler = func(w http.ResponseWriter, r *http.Request, _ error) {
			if r.Context().Err() == nil { // it was the server that went, not who asked
				p.up[i].Store(false)
			}
			w.WriteHeader(http.StatusBadGateway)
		}
		p.to, p.urls = append(p.to, r), append(p.urls, u.String())
	}
	return p
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for range p.to {
		if i := int(p.next.Add(1) % uint64(len(p.to))); p.up[i].Load() {
			p.to[i].ServeHTTP(w, r)
			return
		}
	}
	w.WriteHeader(http.StatusServiceUnavailable)
}

// watch asks the servers that may be used whether they are ready, until ctx ends.
func (p *proxy) watch(ctx context.Context, may func(i int) bool) {
	for ctx.Err() == nil {
		for i, u := range p.urls {
			res, err := http.Get(u + "/readyz")
			if err == nil {
				res.Body.Close()
			}
			p.up[i].Store(may(i) && err == nil && res.StatusCode == http.StatusOK)
		}
		sleep(ctx, 100*time.Millisecond)
	}
}

// Run runs the rounds in a temporary folder, removed when nothing bad was seen.
func (s *Several) Run(ctx context.Context) (o Seen, err error) {
	if err := s.enter("dtm-several-"); err != nil {
		return o, err
	}
	defer func() { err = s.leave(err, o.Bad()) }()
	cluster, err := s.database(ctx)
	if err != nil {
		return o, err
	}
	defer cluster.Stop()
	k, err := pgx.Connect(ctx, s.store)
	if err != nil {
		return o, err
	}
	_, err = k.Exec(ctx, "CREATE DATABASE keys")
	if err = errors.Join(err, k.Close(ctx)); err != nil {
		return o, err
	}
	if _, err := s.dtm(ctx, "init", "-data", s.data, "-store", s.store); err != nil {
		return o, err
	}
	data := []string{s.data, filepath.Join(s.dir, "second")}
	if err := share(data, fmt.Sprintf("media = %q\nkeys = %q\n", filepath.Join(s.data, "blob"), cluster.Address("keys"))); err != nil {
		return o, err
	}
	addresses := make([]string, 2)
	for i := range addresses {
		if addresses[i], err = freeAddress(); err != nil {
			return o, err
		}
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	p := newProxy(addresses)
	front := &http.Server{Handler: p}
	if s.address, err = freeAddress(); err != nil {
		return o, err
	}
	front.Addr = s.address
	go func() { _ = front.ListenAndServe() }()
	defer front.Close()
	var both atomic.Bool
	both.Store(true)
	go p.watch(ctx, func(i int) bool { return i == 0 || both.Load() })

	one := s.Campaign
	servers := make([]*exec.Cmd, 2)
	begin := func(i int) error {
		one.data, one.address = data[i], addresses[i]
		servers[i], _, err = one.start(ctx)
		return err
	}
	end := func(i int) {
		if servers[i] != nil {
			_ = servers[i].Process.Kill()
			_ = servers[i].Wait()
			servers[i] = nil
		}
	}
	defer end(0)
	defer end(1)
	for i := range data {
		if err := begin(i); err != nil {
			return o, err
		}
	}
	if s.crowd, err = s.phonesOf(ctx); err != nil {
		return o, err
	}
	readers, err := s.signIn(ctx)
	if err != nil {
		return o, err
	}
	o.Readers = s.Readers

	round := func(rate *Rate, n float64, during func() error) error {
		ctx, stop := context.WithTimeout(ctx, s.Span)
		defer stop()
		began, before := time.Now(), s.crowd.acknowledgedSoFar()
		s.Seed++
		wg := s.phones(ctx)
		var pages atomic.Int64
		for _, r := range readers {
			wg.Go(func() { r.read(ctx, "http://"+s.address, &pages) })
		}
		err := during()
		wg.Wait()
		took := time.Since(began).Seconds()
		rate.Submissions += float64(s.crowd.acknowledgedSoFar()-before) / took / n
		rate.Pages += float64(pages.Load()) / took / n
		return err
	}
	nothing := func() error { return nil }
	for range s.Rounds {
		for _, two := range []bool{false, true} {
			both.Store(two)
			sleep(ctx, 300*time.Millisecond) // the proxy takes notice
			rate := &o.One
			if two {
				rate = &o.Two
			}
			if err := round(rate, float64(s.Rounds), nothing); err != nil {
				return o, err
			}
		}
	}
	err = round(&o.Killed, 1, func() error {
		sleep(ctx, s.Span/2)
		end(0)
		o.Kills++
		return nil
	})
	if err != nil {
		return o, err
	}
	// Everybody is still known to the one that is left.
	for _, r := range readers {
		r.once(ctx, "http://"+s.address)
		o.SignedOut += r.signedOut
		o.Refused += r.refused
	}
	stop()
	end(1)
	return o, s.judge(context.WithoutCancel(ctx), &o.Outcome)
}

// share gives the folders the same settings and the same key.
func share(data []string, more string) error {
	settings, err := os.ReadFile(filepath.Join(data[0], "config.toml"))
	if err != nil {
		return err
	}
	key, err := os.ReadFile(filepath.Join(data[0], "key"))
	if err != nil {
		return err
	}
	for _, d := range data {
		if err := errors.Join(os.MkdirAll(d, 0o700), os.WriteFile(filepath.Join(d, "config.toml"), append(bytes.Clone(settings), more...), 0o600), os.WriteFile(filepath.Join(d, "key"), key, 0o600)); err != nil {
			return err
		}
	}
	return nil
}

// reader is somebody who is signed in and asks for pages.
type reader struct {
	token              string
	signedOut, refused int
}

const password = "correct horse battery staple 7"

// signIn makes users and signs them in by the proxy, whichever server answers.
func (s *Several) signIn(ctx context.Context) ([]*reader, error) {
	words := filepath.Join(s.dir, "password")
	if err := os.WriteFile(words, []byte(password+"\n"), 0o600); err != nil {
		return nil, err
	}
	var all []*reader
	for i := range s.Readers {
		email := fmt.Sprintf("reader%d@example.org", i)
		if _, err := s.dtm(ctx, "user", "add", "-data", s.data, "-email", email, "-role", "enumerator", "-password-file", words); err != nil {
			return nil, err
		}
		b, err := json.Marshal(map[string]string{"email": email, "password": password})
		if err != nil {
			return nil, err
		}
		res, err := http.Post("http://"+s.address+"/v1/sessions", "application/json", bytes.NewReader(b))
		if err != nil {
			return nil, err
		}
		var in struct{ Token string }
		err = json.NewDecoder(res.Body).Decode(&in)
		res.Body.Close()
		if err != nil || in.Token == "" {
			return nil, fmt.Errorf("%s cannot sign in: %d, %w", email, res.StatusCode, err)
		}
		all = append(all, &reader{token: in.Token})
	}
	return all, nil
}

// read asks for public pages, and now and then who one is, until ctx ends.
func (r *reader) read(ctx context.Context, base string, pages *atomic.Int64) {
	paths := []string{"/en/", "/fr/", "/en/about", "/api/v1/points.json"}
	for n := 0; ctx.Err() == nil; n++ {
		if n%8 == 0 {
			r.once(ctx, base)
		}
		if ok := r.get(ctx, base+paths[rand.IntN(len(paths))]); ok == http.StatusOK {
			pages.Add(1)
		} else if ctx.Err() == nil {
			r.refused++
			sleep(ctx, 20*time.Millisecond)
		}
	}
}

// once asks who one is.
func (r *reader) once(ctx context.Context, base string) {
	switch code := r.get(ctx, base+"/v1/users/current"); {
	case code == http.StatusUnauthorized:
		r.signedOut++
	case code != http.StatusOK && ctx.Err() == nil:
		r.refused++
	}
}

func (r *reader) get(ctx context.Context, url string) int {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0
	}
	req.Header.Set("Authorization", "Bearer "+r.token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return 0
	}
	return res.StatusCode
}
