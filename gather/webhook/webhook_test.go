package webhook_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"dtm"
	"dtm/gather/webhook"
	"dtm/store/sqlite"
)

// receiver is the other side: a real server that answers as it is told to, and
// keeps what it took.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	answer func(w http.ResponseWriter, r *http.Request) bool // false: answered, not taken
	taken  []webhook.Message
	seen   int
	bad    []string
}

func newReceiver(t *testing.T, secret *string) *receiver {
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, err := io.ReadAll(q.Body)
		r.mu.Lock()
		r.seen++
		answer := r.answer
		r.mu.Unlock()
		if answer != nil && !answer(w, q) {
			return
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		if err == nil {
			err = webhook.Verify(*secret, q.Header.Get(webhook.SignatureHeader), body, time.Now(), time.Minute)
		}
		var m webhook.Message
		if err == nil {
			err = json.Unmarshal(body, &m)
		}
		if err == nil && (m.Event != q.Header.Get("DTM-Event") || m.ID != q.Header.Get("DTM-Delivery") || q.Header.Get("Content-Type") != "application/json") {
			err = fmt.Errorf("headers %v", q.Header)
		}
		if err != nil {
			r.bad = append(r.bad, err.Error())
		}
		r.taken = append(r.taken, m)
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) set(f func(w http.ResponseWriter, q *http.Request) bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = f
}

// submissions are the ids taken, with how often each was.
func (r *receiver) submissions() map[string]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := map[string]int{}
	for _, x := range r.taken {
		m[x.Submission]++
	}
	return m
}

func status(code int) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(code)
		return false
	}
}

type house struct {
	t    *testing.T
	db   *sqlite.DB
	file string
	n    int
}

func newHouse(t *testing.T) *house {
	h := &house{t: t, file: filepath.Join(t.TempDir(), "dtm.db")}
	h.open()
	t.Cleanup(func() { h.db.Close() })
	return h
}

func (h *house) open() {
	h.t.Helper()
	db, err := sqlite.Open(context.Background(), h.file, sqlite.Options{Operation: "test"})
	if err != nil {
		h.t.Fatal(err)
	}
	h.db = db
}

func (h *house) receive(form string, n int) {
	h.t.Helper()
	for range n {
		h.n++
		id := fmt.Sprintf("uuid:%04d", h.n)
		_, err := h.db.Receive(context.Background(), dtm.Submission{ID: id, Form: form, Version: "1", DeviceID: "collect:secret",
			XML: []byte(`<data><name>Somebody ` + id + `</name></data>`), Flags: []dtm.Flag{{Rule: "point.unknown", Note: "Somebody"}}})
		if err != nil {
			h.t.Fatal(err)
		}
	}
}

// send runs a sender until stop is called.
func (h *house) send(set ...func(*webhook.Sender)) (stop func()) {
	s := &webhook.Sender{Operation: "test", Log: h.db, Submissions: h.db, Queue: h.db,
		First: 10 * time.Millisecond, Longest: 50 * time.Millisecond, Every: 10 * time.Millisecond, Timeout: 150 * time.Millisecond,
		Failed: func(err error) { h.t.Error(err) }}
	for _, f := range set {
		f(s)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.Run(ctx)
	}()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			<-ended
		})
	}
	h.t.Cleanup(stop)
	return stop
}

func (h *house) add(url string, set ...func(*dtm.Webhook)) dtm.Webhook {
	h.t.Helper()
	w := dtm.Webhook{URL: url, Allow: []string{"127.0.0.1"}}
	for _, f := range set {
		f(&w)
	}
	w, err := h.db.AddWebhook(context.Background(), w)
	if err != nil {
		h.t.Fatal(err)
	}
	return w
}

func (h *house) only() dtm.Webhook {
	h.t.Helper()
	list, err := h.db.Webhooks(context.Background())
	if err != nil || len(list) != 1 {
		h.t.Fatalf("webhooks = %v, %v", list, err)
	}
	return list[0]
}

func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within 10 s", what)
		}
	}
}

// once fails the test unless every one of n submissions was taken once.
func once(t *testing.T, r *receiver, n int) {
	t.Helper()
	m := r.submissions()
	if len(m) != n {
		t.Errorf("%d submissions told, want %d", len(m), n)
	}
	for id, times := range m {
		if times != 1 {
			t.Errorf("%s was told %d times", id, times)
		}
	}
	if len(r.bad) > 0 {
		t.Errorf("bad messages: %v", r.bad)
	}
}

func TestTold(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.receive("fmr", 3) // before anybody asked
	var secret string
	r := newReceiver(t, &secret)
	w := h.add(r.URL + "/hook")
	secret = w.Secret
	h.send()
	h.receive("fmr", 5)
	h.receive("fms", 2)
	until(t, "7 told", func() bool { return len(r.submissions()) == 7 })
	once(t, r, 7)
	r.mu.Lock()
	m := r.taken[0]
	r.mu.Unlock()
	if m.Form != "fmr" || m.Version != "1" || m.Event != dtm.SubmissionReceived || m.Operation != "test" || m.At == "" || m.State != "flagged" || len(m.Flags) != 1 || m.Flags[0] != "point.unknown" {
		t.Errorf("message = %+v", m)
	}
	if b, _ := json.Marshal(r.taken); strings.Contains(string(b), "Somebody") || strings.Contains(string(b), "secret") {
		t.Errorf("a message says what people answered: %s", b)
	}
	until(t, "nothing waits", func() bool { return h.only().Waiting == 0 })
	if only := h.only(); only.Secret != "" || only.Last == nil || only.Last.Status != 204 {
		t.Errorf("listed = %+v", only)
	}
}

func TestFilters(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	var secret string
	r := newReceiver(t, &secret)
	secret = h.add(r.URL, func(w *dtm.Webhook) {
		w.Forms, w.Events = []string{"fms"}, []string{dtm.SubmissionReceived, dtm.SubmissionFlagged}
	}).Secret
	h.send()
	h.receive("fmr", 2)
	h.receive("fms", 1)
	for _, id := range []string{"uuid:0001", "uuid:0003"} {
		if err := h.db.Flag(context.Background(), id, []dtm.Flag{{Rule: "later"}}); err != nil {
			t.Fatal(err)
		}
	}
	until(t, "told twice", func() bool { return r.submissions()["uuid:0003"] == 2 })
	if m := r.submissions(); len(m) != 1 {
		t.Errorf("told of %v", m)
	}
}

// A server that fails, stalls and cuts connections, and then recovers, has been
// told of everything.
func TestFailsStallsRecovers(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	var secret string
	r := newReceiver(t, &secret)
	secret = h.add(r.URL).Secret
	n := 0
	r.set(func(w http.ResponseWriter, q *http.Request) bool {
		r.mu.Lock()
		n++
		turn := n
		r.mu.Unlock()
		switch turn % 4 {
		case 0:
			w.WriteHeader(503)
		case 1:
			time.Sleep(300 * time.Millisecond)
		case 2:
			panic(http.ErrAbortHandler)
		case 3:
			http.Redirect(w, q, "http://169.254.169.254/latest", http.StatusTemporaryRedirect)
		}
		return false
	})
	h.send()
	h.receive("fmr", 20)
	until(t, "8 failures", func() bool { r.mu.Lock(); defer r.mu.Unlock(); return n >= 8 })
	only := h.only()
	if only.Waiting != 20 || only.Last == nil || only.Last.Problem == "" || only.Paused != nil {
		t.Errorf("while it fails: %+v %+v", only, only.Last)
	}
	r.set(nil)
	until(t, "20 told", func() bool { return h.only().Waiting == 0 })
	once(t, r, 20)
	log, err := h.db.Deliveries(context.Background(), only.ID, 100)
	if err != nil || len(log) != 20 {
		t.Fatalf("log = %v, %v", log, err)
	}
	retried := 0
	for _, d := range log {
		if d.Done == nil || d.Problem != "" {
			t.Errorf("delivery = %+v", d)
		}
		retried += d.Attempts - 1
	}
	if retried < 8 {
		t.Errorf("%d repeats are in the log", retried)
	}
}

func TestRestart(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	var secret string
	r := newReceiver(t, &secret)
	secret = h.add(r.URL).Secret
	r.set(status(500))
	stop := h.send()
	h.receive("fmr", 10)
	until(t, "a failure", func() bool { r.mu.Lock(); defer r.mu.Unlock(); return r.seen > 2 })
	stop()
	h.receive("fmr", 10) // while nobody sends
	if err := h.db.Close(); err != nil {
		t.Fatal(err)
	}
	h.open()
	r.set(nil)
	h.send()
	until(t, "20 told", func() bool { return len(r.submissions()) == 20 })
	once(t, r, 20)
}

// Failing for too long pauses a webhook visibly; resumed, it is told of all.
func TestPause(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	var secret string
	r := newReceiver(t, &secret)
	w := h.add(r.URL)
	secret = w.Secret
	r.set(status(500))
	var mu sync.Mutex
	var ahead time.Duration
	clock := func(s *webhook.Sender) {
		s.Now = func() time.Time { mu.Lock(); defer mu.Unlock(); return time.Now().Add(ahead) }
	}
	stop := h.send(clock)
	h.receive("fmr", 3)
	until(t, "failures", func() bool { r.mu.Lock(); defer r.mu.Unlock(); return r.seen > 2 })
	if h.only().Paused != nil {
		t.Fatal("paused at once")
	}
	mu.Lock()
	ahead = 73 * time.Hour
	mu.Unlock()
	until(t, "paused", func() bool { return h.only().Paused != nil })
	if c := h.only().Cause; !strings.Contains(c, "72 hours") || !strings.Contains(c, "500") {
		t.Errorf("cause = %q", c)
	}
	r.mu.Lock()
	seen := r.seen
	r.mu.Unlock()
	time.Sleep(200 * time.Millisecond)
	r.mu.Lock()
	if r.seen > seen {
		t.Error("a paused webhook is still called")
	}
	r.mu.Unlock()
	r.set(nil)
	stop() // the sender's clock is the store's again
	h.send()
	if err := h.db.ResumeWebhook(context.Background(), w.ID); err != nil {
		t.Fatal(err)
	}
	until(t, "told after resuming", func() bool { return len(r.submissions()) == 3 })
}

func TestGone(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	var secret string
	r := newReceiver(t, &secret)
	h.add(r.URL)
	r.set(status(410))
	h.send()
	h.receive("fmr", 1)
	until(t, "paused", func() bool { return h.only().Paused != nil })
}

// One message that the other side does not take holds nothing up.
func TestOnePoisoned(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	var secret string
	r := newReceiver(t, &secret)
	w := h.add(r.URL)
	secret = w.Secret
	poisoned := fmt.Sprintf("%s-%d", w.ID, w.Since+2)
	r.set(func(rw http.ResponseWriter, q *http.Request) bool {
		if q.Header.Get("DTM-Delivery") == poisoned {
			rw.WriteHeader(422)
			return false
		}
		return true
	})
	h.send()
	h.receive("fmr", 10)
	until(t, "9 told", func() bool { return len(r.submissions()) == 9 })
	until(t, "one waits", func() bool { return h.only().Waiting == 1 })
	if only := h.only(); only.Paused != nil {
		t.Errorf("webhook = %+v", only)
	}
}

// A name may lead to a public address when it is added and to a private one when
// it is called: what counts is where the connection goes.
func TestPrivateAddressesAreNotCalled(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	var secret string
	r := newReceiver(t, &secret)
	s := &webhook.Sender{Operation: "test", Log: h.db, Submissions: h.db, Queue: h.db}
	_, port, _ := strings.Cut(strings.TrimPrefix(r.URL, "http://"), ":")
	for _, w := range []dtm.Webhook{
		{ID: "1", URL: "http://localhost:" + port, Allow: []string{"10.0.0.0/8"}},
		{ID: "2", URL: "https://localhost:" + port},
		{ID: "3", URL: "https://127.0.0.1:" + port},
		{ID: "4", URL: "https://[::ffff:127.0.0.1]:" + port},
	} {
		if _, err := s.Ping(context.Background(), w); err == nil || !strings.Contains(err.Error(), "public Internet") {
			t.Errorf("%s: %v", w.URL, err)
		}
	}
	if r.seen != 0 {
		t.Errorf("%d requests reached a private address", r.seen)
	}
	secret = "s"
	if code, err := s.Ping(context.Background(), dtm.Webhook{ID: "5", URL: r.URL, Secret: "s", Allow: []string{"127.0.0.0/8"}}); code != 204 || err != nil || len(r.bad) > 0 {
		t.Errorf("allowed: %d, %v, %v", code, err, r.bad)
	}
}

func TestCheckURL(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		url   string
		allow []string
		ok    bool
	}{
		{"https://example.org/hook?key=1", nil, true},
		{"https://example.org:8443", nil, true},
		{"HTTPS://EXAMPLE.ORG", nil, true},
		{"https://[2606:4700::1111]/", nil, true},
		{"http://example.org", nil, false},
		{"http://10.1.2.3/x", []string{"10.1.0.0/16"}, true},
		{"http://10.2.2.3/x", []string{"10.1.0.0/16"}, false},
		{"http://127.0.0.1:9", []string{"127.0.0.1"}, true},
		{"https://127.0.0.1", nil, false}, {"https://10.0.0.1", nil, false}, {"https://192.168.1.1", nil, false},
		{"https://172.16.0.1", nil, false}, {"https://169.254.169.254/latest", nil, false}, {"https://100.64.0.1", nil, false},
		{"https://0.0.0.0", nil, false}, {"https://[::1]", nil, false}, {"https://[fe80::1]", nil, false}, {"https://[fd00::1]", nil, false},
		{"https://[64:ff9b::7f00:1]", nil, false}, {"https://[2002:7f00:1::]", nil, false}, {"https://[::ffff:10.0.0.1]", nil, false},
		{"https://[::127.0.0.1]", nil, false},
		{"https://224.0.0.1", nil, false}, {"https://255.255.255.255", nil, false}, {"https://198.18.0.1", nil, false},
		{"https://user:pass@example.org", nil, false}, {"https://example.org/#x", nil, false},
		{"ftp://example.org", nil, false}, {"file:///etc/passwd", nil, false}, {"example.org", nil, false}, {"", nil, false}, {"https://", nil, false},
		{"https:example.org", nil, false}, {"http://x", []string{"not a network"}, false},
	} {
		if err := webhook.CheckURL(c.url, c.allow); (err == nil) != c.ok {
			t.Errorf("%s %v: %v", c.url, c.allow, err)
		}
	}
}

func TestVerify(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	body := []byte(`{"id":"1"}`)
	good := webhook.Sign("secret", now, body)
	// The sum is that of: printf '1800000000.{"id":"1"}' | openssl dgst -sha256 -hmac secret
	if want := "t=1800000000,v1=" + opensslSum; good != want {
		t.Errorf("signature %s, want %s", good, want)
	}
	for _, c := range []struct {
		name, secret, signature, body string
		now                           time.Time
		ok                            bool
	}{
		{"good", "secret", good, string(body), now, true},
		{"late", "secret", good, string(body), now.Add(4 * time.Minute), true},
		{"too late", "secret", good, string(body), now.Add(6 * time.Minute), false},
		{"from the future", "secret", good, string(body), now.Add(-6 * time.Minute), false},
		{"other secret", "secret2", good, string(body), now, false},
		{"other body", "secret", good, `{"id":"2"}`, now, false},
		{"other time", "secret", strings.Replace(good, "t=18", "t=19", 1), string(body), now, false},
		{"second sum", "secret", good + ",v1=00", string(body), now, true},
		{"no sum", "secret", "t=1800000000", string(body), now, false},
		{"empty", "secret", "", string(body), now, false},
		{"not hexadecimal", "secret", "t=1800000000,v1=xyz", string(body), now, false},
	} {
		if err := webhook.Verify(c.secret, c.signature, []byte(c.body), c.now, 5*time.Minute); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func FuzzVerify(f *testing.F) {
	f.Add("t=1,v1=00", []byte("x"))
	f.Add("t=,v1=", []byte(""))
	f.Fuzz(func(t *testing.T, signature string, body []byte) {
		if webhook.Verify("secret", signature, body, time.Unix(1, 0), time.Hour) == nil && !strings.Contains(signature, strings.SplitN(webhook.Sign("secret", time.Unix(1, 0), body), "v1=", 2)[1]) &&
			!strings.Contains(signature, "v1=") {
			t.Errorf("%q was accepted", signature)
		}
	})
}

const opensslSum = "2c569bb21eb28d328381bd12465ed2de5a805b1890bb26238d53ab3b433cf2ca"
