package serve

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"dtm"
)

func TestStatus(t *testing.T) {
	t.Parallel()
	for k, want := range map[dtm.Kind]int{dtm.Internal: 500, dtm.Invalid: 400, dtm.NotFound: 404, dtm.Conflict: 409, dtm.Forbidden: 403,
		dtm.Unauthenticated: 401, dtm.TooLarge: 413, dtm.Unsupported: 415, dtm.Unavailable: 503, dtm.Gone: 410, dtm.TooMany: 429, dtm.Kind(250): 500} {
		if got := Status(k); got != want {
			t.Errorf("Status(%d) = %d, want %d", k, got, want)
		}
	}
}

// logged collects a log that several goroutines write.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// whole is a server with all middleware round the given routes.
func whole(t *testing.T, routes func(mux *http.ServeMux)) (*httptest.Server, *logged, *Metrics) {
	t.Helper()
	mux := http.NewServeMux()
	m := NewMetrics()
	routes(mux)
	Health(mux, m)
	log := &logged{}
	s := httptest.NewServer(Chain(mux, Patient(time.Second), Identify, Observe(slog.New(slog.NewJSONHandler(log, nil)), m),
		Recover(Problem), Security(DefaultCSP), SameOrigin(Problem), Compress()))
	t.Cleanup(s.Close)
	return s, log, m
}

func get(t *testing.T, s *httptest.Server, path string, header ...string) (*http.Response, string) {
	t.Helper()
	return send(t, s, "GET", path, nil, header...)
}

func send(t *testing.T, s *httptest.Server, method, path string, b io.Reader, header ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequest(method, s.URL+path, b)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := s.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(text)
}

func TestErrorWriters(t *testing.T) {
	t.Parallel()
	secret := errors.New("SELECT secret FROM person")
	fails := map[string]error{
		"invalid":  dtm.Errorf(dtm.Invalid, "month 13 does not exist").At("row 7").Coded("month.invalid", 13),
		"internal": &dtm.Error{Kind: dtm.Internal, Msg: "secret", Err: secret},
		"foreign":  secret,
		"later":    dtm.Errorf(dtm.Unavailable, "try again later: %w", secret),
	}
	s, _, _ := whole(t, func(mux *http.ServeMux) {
		for name, err := range fails {
			fn := func(w http.ResponseWriter, r *http.Request) error { return err }
			mux.Handle("GET /json/"+name, Handle(Problem, fn))
			mux.Handle("GET /xml/"+name, Handle(OpenRosa(func(_ *http.Request, err error) string { return dtm.Public(err) + " <é>" }), fn))
			mux.Handle("GET /html/"+name, Handle(HTML(func(w http.ResponseWriter, r *http.Request, status int, err error) error {
				w.WriteHeader(status)
				_, e := fmt.Fprintf(w, "<p>%d</p>", status)
				return e
			}), fn))
			mux.Handle("GET /broken/"+name, Handle(HTML(func(http.ResponseWriter, *http.Request, int, error) error {
				return errors.New("template broken")
			}), fn))
		}
	})
	for name, want := range map[string]int{"invalid": 400, "internal": 500, "foreign": 500, "later": 503} {
		for _, family := range []string{"json", "xml", "html", "broken"} {
			res, body := get(t, s, "/"+family+"/"+name)
			if res.StatusCode != want || body == "" || strings.Contains(body, "SELECT") && name != "later" {
				t.Errorf("%s %s: %d %s", family, name, res.StatusCode, body)
			}
			if res.Header.Get("Cache-Control") != "no-store" || (want == 503) != (res.Header.Get("Retry-After") != "") {
				t.Errorf("%s %s: headers %v", family, name, res.Header)
			}
		}
	}
	res, body := get(t, s, "/json/invalid")
	var p problem
	if err := json.Unmarshal([]byte(body), &p); err != nil || res.Header.Get("Content-Type") != "application/problem+json" ||
		p.Status != 400 || p.Code != "month.invalid" || p.Where != "row 7" || p.Detail != "row 7: month 13 does not exist" || p.ID != res.Header.Get("X-Request-Id") {
		t.Errorf("problem = %+v %v", p, err)
	}
	_, body = get(t, s, "/xml/invalid")
	var x openRosaResponse
	if err := xml.Unmarshal([]byte(body), &x); err != nil || x.Message.Nature != "error" || x.Message.Text != "row 7: month 13 does not exist <é>" {
		t.Errorf("OpenRosa answer = %+v %v", x, err)
	}
}

// A panic is a 500 with an id; an answer that broke off is cut, not passed off as
// whole.
func TestPanicAndCut(t *testing.T) {
	t.Parallel()
	s, log, _ := whole(t, func(mux *http.ServeMux) {
		mux.HandleFunc("GET /panic", func(http.ResponseWriter, *http.Request) { panic("secret value") })
		mux.Handle("GET /half", Handle(Problem, func(w http.ResponseWriter, _ *http.Request) error {
			w.Header().Set("Content-Type", "text/plain")
			w.Write(bytes.Repeat([]byte("x"), 10_000))
			return errors.New("store gone")
		}))
	})
	res, body := get(t, s, "/panic")
	if res.StatusCode != 500 || strings.Contains(body, "secret") || !strings.Contains(body, res.Header.Get("X-Request-Id")) {
		t.Errorf("panic: %d %s", res.StatusCode, body)
	}
	r, err := s.Client().Get(s.URL + "/half")
	if err == nil {
		_, err = io.ReadAll(r.Body)
		r.Body.Close()
	}
	if err == nil {
		t.Error("half an answer came as a whole one")
	}
	if !strings.Contains(log.String(), `"status":499`) {
		t.Errorf("log: %s", log)
	}
}

// The access log and the metrics hold no token, query, address or header.
func TestNothingPersonalLogged(t *testing.T) {
	t.Parallel()
	s, log, _ := whole(t, func(mux *http.ServeMux) {
		mux.HandleFunc("GET /v1/key/{token}/formList", func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("ok")) })
	})
	get(t, s, "/v1/key/CANARYTOKEN/formList?name=CANARYNAME", "User-Agent", "CANARYAGENT", "X-Request-Id", "CANARYID", "Referer", "CANARYREF")
	get(t, s, "/CANARYPATH")
	send(t, s, "CANARYVERB", "/x", nil)
	_, metrics := get(t, s, "/metrics")
	for what, text := range map[string]string{"log": log.String(), "metrics": metrics} {
		if strings.Contains(text, "CANARY") || strings.Contains(text, "127.0.0.1") {
			t.Errorf("%s: %s", what, text)
		}
		if !strings.Contains(text, "GET /v1/key/{token}/formList") {
			t.Errorf("%s does not name the route: %s", what, text)
		}
	}
	line := strings.SplitN(log.String(), "\n", 2)[0]
	if !strings.Contains(line, `"status":200`) || !strings.Contains(line, `"bytes":2`) {
		t.Errorf("line = %s", line)
	}
}

func TestSecurityHeaders(t *testing.T) {
	t.Parallel()
	s, _, _ := whole(t, func(mux *http.ServeMux) {
		mux.HandleFunc("POST /change", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(204) })
	})
	res, _ := get(t, s, "/healthz")
	for name, want := range map[string]string{"Content-Security-Policy": "object-src 'none'", "X-Content-Type-Options": "nosniff",
		"Referrer-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin"} {
		if !strings.Contains(res.Header.Get(name), want) {
			t.Errorf("%s = %q", name, res.Header.Get(name))
		}
	}
	if csp := res.Header.Get("Content-Security-Policy"); strings.Contains(csp, "unsafe-inline") {
		t.Errorf("CSP = %s", csp)
	}
	if res.Header.Get("Strict-Transport-Security") != "" {
		t.Error("HSTS is sent over plain HTTP")
	}
	if res, _ := get(t, s, "/healthz", "X-Forwarded-Proto", "https"); res.Header.Get("Strict-Transport-Security") == "" {
		t.Error("no HSTS behind TLS")
	}
	for _, c := range []struct {
		name, key, value string
		want             int
	}{
		{"a phone", "X-OpenRosa-Version", "1.0", 204},
		{"own page", "Sec-Fetch-Site", "same-origin", 204},
		{"other site", "Sec-Fetch-Site", "cross-site", 403},
		{"sibling", "Sec-Fetch-Site", "same-site", 403},
		{"other origin", "Origin", "https://evil.example", 403},
		{"no origin", "Origin", "null", 403},
	} {
		if res, body := send(t, s, "POST", "/change", nil, c.key, c.value); res.StatusCode != c.want {
			t.Errorf("%s: %d %s", c.name, res.StatusCode, body)
		}
	}
}

func TestCompress(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("displacement ", 1000)
	s, _, _ := whole(t, func(mux *http.ServeMux) {
		mux.HandleFunc("GET /long", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("ETag", `W/"1"`)
			w.Header().Set("Content-Type", "text/plain")
			http.ServeContent(w, r, "", time.Time{}, strings.NewReader(long))
		})
	})
	res, body := get(t, s, "/long", "Accept-Encoding", "gzip")
	if res.Header.Get("Content-Encoding") != "gzip" || len(body) > len(long)/10 {
		t.Fatalf("%d bytes, %v", len(body), res.Header)
	}
	z, err := gzip.NewReader(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(z); err != nil || string(got) != long {
		t.Errorf("unpacked %d bytes, %v", len(got), err)
	}
	if res, body := get(t, s, "/long", "Accept-Encoding", "identity"); body != long || res.Header.Get("Content-Encoding") != "" {
		t.Errorf("plain: %d bytes, %v", len(body), res.Header)
	}
	if res, _ := get(t, s, "/long", "Accept-Encoding", "gzip", "If-None-Match", res.Header.Get("ETag")); res.StatusCode != 304 {
		t.Errorf("with the ETag: %d", res.StatusCode)
	}
}

func TestMaxBody(t *testing.T) {
	t.Parallel()
	s, _, _ := whole(t, func(mux *http.ServeMux) {
		mux.Handle("POST /", MaxBody(1000)(Handle(Problem, func(w http.ResponseWriter, r *http.Request) error {
			_, err := io.ReadAll(r.Body)
			return BodyError(err)
		})))
	})
	for n, want := range map[int]int{0: 200, 1000: 200, 1001: 413, 100_000: 413} {
		body := strings.Repeat("x", n)
		if res, _ := send(t, s, "POST", "/", strings.NewReader(body)); res.StatusCode != want {
			t.Errorf("%d bytes: %d", n, res.StatusCode)
		}
		if res, _ := send(t, s, "POST", "/", io.MultiReader(strings.NewReader(body))); res.StatusCode != want {
			t.Errorf("%d bytes in pieces: %d", n, res.StatusCode)
		}
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	broken := false
	mux := http.NewServeMux()
	Health(mux, nil, Check{Name: "store", Do: func(context.Context) error { return nil }}, Check{Name: "warehouse", Do: func(context.Context) error {
		if broken {
			return errors.New("secret cause")
		}
		return nil
	}})
	ask := func(path string) (int, string) {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		return w.Code, w.Body.String()
	}
	if code, _ := ask("/readyz"); code != 200 {
		t.Errorf("ready: %d", code)
	}
	broken = true
	if code, body := ask("/readyz"); code != 503 || !strings.Contains(body, "warehouse") || strings.Contains(body, "store") || strings.Contains(body, "secret") {
		t.Errorf("not ready: %d %s", code, body)
	}
	if code, _ := ask("/healthz"); code != 200 {
		t.Errorf("healthz: %d", code)
	}
}

// start runs a real server by Run and returns its address and what ends it.
func start(t *testing.T, h http.Handler, grace time.Duration) (addr string, stop func() error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- Run(ctx, l, h, grace) }()
	var once sync.Once
	stop = func() (err error) {
		once.Do(func() {
			cancel()
			err = <-ended
		})
		return err
	}
	t.Cleanup(func() { stop() })
	return l.Addr().String(), stop
}

// A request under way at the end is finished; a new one finds nobody.
func TestShutdown(t *testing.T) {
	t.Parallel()
	entered, leave := make(chan bool), make(chan bool)
	addr, stop := start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		entered <- true
		<-leave
		w.Write([]byte("done"))
	}), 10*time.Second)
	got := make(chan string, 1)
	go func() {
		res, err := http.Get("http://" + addr)
		if err != nil {
			got <- err.Error()
			return
		}
		defer res.Body.Close()
		b, _ := io.ReadAll(res.Body)
		got <- string(b)
	}()
	<-entered
	ended := make(chan error, 1)
	go func() { ended <- stop() }()
	for range 1000 { // until the listener is closed
		c, err := net.Dial("tcp", addr)
		if err != nil {
			break
		}
		c.Close()
		time.Sleep(time.Millisecond)
	}
	leave <- true
	if s := <-got; s != "done" {
		t.Errorf("the request under way got %q", s)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestShutdownOverGrace(t *testing.T) {
	t.Parallel()
	entered := make(chan bool)
	addr, stop := start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		entered <- true
		<-r.Context().Done()
	}), 50*time.Millisecond)
	go http.Get("http://" + addr)
	<-entered
	if err := stop(); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("err = %v", err)
	}
}

// A connection that sends no whole head within five seconds is closed.
func TestSlowHead(t *testing.T) {
	t.Parallel()
	addr, _ := start(t, http.NotFoundHandler(), time.Second)
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ")
	c.SetReadDeadline(time.Now().Add(headerTime + 5*time.Second))
	if _, err := bufio.NewReader(c).ReadString(0); !errors.Is(err, io.EOF) {
		t.Errorf("the connection is still open: %v", err)
	}
}

// A bad link that moves is waited for, far longer than one step; one that stands
// still is cut.
func TestPatient(t *testing.T) {
	t.Parallel()
	const step = 600 * time.Millisecond
	result := make(chan error, 1)
	s := httptest.NewServer(Patient(step)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err == nil {
			time.Sleep(2 * step) // work after the body must not be cut
			err = r.Context().Err()
		}
		fmt.Fprintf(w, "%d", len(b))
		result <- err
	})))
	t.Cleanup(s.Close)
	for _, c := range []struct {
		name  string
		pause time.Duration
		ok    bool
	}{{"slow", step / 10, true}, {"still", 3 * step, false}} {
		in, out := io.Pipe()
		go func() {
			for range 20 { // slow: two steps in all
				time.Sleep(c.pause)
				if _, err := out.Write([]byte("x")); err != nil {
					break
				}
			}
			out.Close()
		}()
		res, err := s.Client().Post(s.URL, "text/plain", in)
		if err == nil {
			res.Body.Close()
		}
		in.Close()
		if err := <-result; (err == nil) != c.ok {
			t.Errorf("%s: the server's body ended with %v", c.name, err)
		}
	}
}
