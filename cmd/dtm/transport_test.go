package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// spoken sends bytes as they are and gives all that is answered until the server closes or
// is silent.
func spoken(t *testing.T, addr, what string) string {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, what); err != nil {
		t.Fatal(err)
	}
	_ = c.(*net.TCPConn).CloseWrite() // what was sent is all there is
	c.SetReadDeadline(time.Now().Add(20 * time.Second))
	b, err := io.ReadAll(c)
	if err != nil && len(b) == 0 {
		t.Fatalf("%q is not answered: %v", what, err)
	}
	return string(b)
}

var statusLine = regexp.MustCompile(`(?m)^HTTP/1\.[01] (\d+)`)

// TestSmuggling: what two readers could take for one request or for two is refused, or is
// the last that its connection is heard for; what was hidden in it is never answered.
// The server is the program's, spoken to by bare sockets.
func TestSmuggling(t *testing.T) {
	t.Parallel()
	base, _ := serving(t, real(t))
	addr := strings.TrimPrefix(base, "http://")
	const hidden = "GET /nothing/CANARY HTTP/1.1\r\nHost: x\r\n\r\n" // by itself 404
	if s := statusLine.FindAllString(spoken(t, addr, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"+hidden), -1); len(s) != 2 {
		t.Fatalf("two requests of one connection are not answered at all: %q", s)
	}
	post := func(head, body string) string {
		return "POST /v1/sessions HTTP/1.1\r\nHost: x\r\n" + head + "\r\n" + body
	}
	chunked := "0\r\n\r\n" + hidden
	length := func(n int) string { return fmt.Sprintf("Content-Length: %d\r\n", n) }
	const te = "Transfer-Encoding: chunked\r\n"
	for name, c := range map[string]struct {
		what string
		want string // statuses of the one answer
	}{
		// A length and pieces: net/http reads the pieces, as RFC 9112 6.1 asks, and the connection ends.
		"length, then pieces":           {post(length(len(chunked))+te, chunked), "400"},
		"pieces, then length":           {post(te+length(len(chunked)), chunked), "400"},
		"length of nothing, pieces":     {post(length(0)+te, chunked), "400"},
		"pieces alone":                  {post(te, chunked), "400"},
		"pieces in HTTP/1.0":            {"POST /v1/sessions HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n" + te + length(5) + "\r\n" + chunked, "400"},
		"pieces twice":                  {post(te+te, chunked), "501"},
		"pieces, also otherwise":        {post("Transfer-Encoding: chunked, identity\r\n"+length(3), chunked), "501"},
		"pieces of another kind":        {post("Transfer-Encoding: xchunked\r\n"+length(3), chunked), "501"},
		"pieces with a tab":             {post("Transfer-Encoding:\tchunked\x0b\r\n"+length(3), chunked), "400 501"},
		"pieces, a space before":        {post("Transfer-Encoding : chunked\r\n"+length(3), chunked), "400"},
		"pieces folded":                 {post("Transfer-Encoding:\r\n chunked\r\n"+length(3), chunked), "400 501"},
		"two lengths":                   {post(length(0)+length(len(hidden)), hidden), "400"},
		"two lengths in a list":         {post("Content-Length: 0, "+fmt.Sprint(len(hidden))+"\r\n", hidden), "400"},
		"a length with a sign":          {post("Content-Length: +0\r\n", hidden), "400"},
		"a negative length":             {post("Content-Length: -1\r\n", hidden), "400"},
		"a length in hexadecimal":       {post("Content-Length: 0x0\r\n", hidden), "400"},
		"an empty length":               {post("Content-Length: \r\n", hidden), "400"},
		"a length folded":               {post("Content-Length: 0\r\n 5\r\n", hidden), "400"},
		"a length, a space before":      {post("Content-Length : 0\r\n", hidden), "400"},
		"a line feed in a piece":        {post(te, "1\nx\n0\n\n"+hidden), "400"},
		"a line feed in a piece's tail": {post(te, "1;a\nb\r\nx\r\n0\r\n\r\n"+hidden), "400"},
		"a carriage return in a value":  {post("X: a\rTransfer-Encoding: chunked\r\n"+length(2), "{}"), "400"},
		"a nought in a value":           {post("X: a\x00b\r\n"+length(2), "{}"), "400"},
		"two hosts":                     {"GET /healthz HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", "400"},
		"no host":                       {"GET /healthz HTTP/1.1\r\n\r\n", "400"},
		"a line that is no field":       {"GET /healthz HTTP/1.1\r\nHost: x\r\nGET /nothing/CANARY HTTP/1.1\r\n\r\n", "400"},
		"a first line that is folded":   {"GET /healthz HTTP/1.1\r\n Host: x\r\nHost: x\r\n\r\n", "400"},
		"HTTP/1.1 with a tail":          {"GET /healthz HTTP/1.1x\r\nHost: x\r\n\r\n", "400"},
		"a method with a space":         {" GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", "400"},
	} {
		got := spoken(t, addr, c.what)
		all := statusLine.FindAllStringSubmatch(got, -1)
		if len(all) != 1 || !strings.Contains(c.want, all[0][1]) {
			t.Errorf("%s: answered %q, want once %s\n%.300s", name, all, c.want, got)
		}
	}
	// A folded value, and a head of bare line feeds, are one request each (RFC 9112 2.2, 5.2)
	// with nothing hidden in it.
	for name, c := range map[string]string{
		"a fold":         "GET /healthz HTTP/1.1\r\nHost: x\r\nX: a\r\n Content-Length: 90\r\n\r\n",
		"bare line feed": "GET /healthz HTTP/1.1\nHost: x\n\n",
	} {
		if s := statusLine.FindAllStringSubmatch(spoken(t, addr, c), -1); len(s) != 1 {
			t.Errorf("%s: %q", name, s)
		}
	}
	shut(t, base)
}

// shut asks for what a server must not have: methods that echo, its inside, its folders.
func shut(t *testing.T, base string) {
	t.Helper()
	addr := strings.TrimPrefix(base, "http://")
	for _, path := range []string{"/", "/en/", "/healthz", "/v1/projects", "/api/v1/", "/asset/x", "/entry/", "*"} {
		for _, method := range []string{"TRACE", "TRACK", "DEBUG", "CONNECT"} {
			got := spoken(t, addr, method+" "+path+" HTTP/1.1\r\nHost: x\r\nX-Canary: CANARYECHO\r\nConnection: close\r\n\r\n")
			if s := statusLine.FindStringSubmatch(got); s == nil || s[1] < "400" || strings.Contains(got, "CANARYECHO") {
				t.Errorf("%s %s: %.300s", method, path, got)
			}
		}
	}
	listing := regexp.MustCompile(`(?i)<pre>|index of|<a href="[^"/]*">[^<]*\.(go|js|css|db|toml)</a>`)
	for _, path := range []string{"/debug/pprof/", "/debug/pprof/heap", "/debug/pprof/goroutine?debug=2", "/debug/vars", "/debug/requests", "/.git/HEAD", "/.git/config", "/.env", "/.htaccess", "/config.toml", "/dtm.db", "/keys.db", "/key", "/backup", "/server-status", "/admin", "/phpmyadmin",
		"/asset", "/asset/", "/asset/..%2f..%2fgo.mod", "/asset/%2e%2e/%2e%2e/key", "/entry/asset", "/entry/asset/", "/entry/asset/..%2f..%2fkey", "/en/data/..%2f..%2fkey", "/en/report/..%2f..%2fkey", "/en/releases/2022-12/1/..%2fkey", "/staff/..%2f..%2fkey", "//etc/passwd", "/..%2f..%2fetc%2fpasswd"} {
		r, err := http.NewRequest("GET", base+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if at := res.Request.URL.Path; res.StatusCode == http.StatusOK && !strings.HasSuffix(at, "/staff/signin") || listing.Match(b) || bytes.Contains(b, []byte("goroutine ")) || bytes.Contains(b, []byte("root:x")) {
			t.Errorf("%s: %d at %s: %.300s", path, res.StatusCode, at, b)
		}
	}
}

// TestPlainAndTLS: the program with a certificate of its own. By https everything says that
// it wants nothing else for a year; older TLS is refused; by http readers are led to https,
// and what phones and programs send is refused, not led on.
func TestPlainAndTLS(t *testing.T) {
	t.Parallel()
	data := real(t)
	free := func() string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		return l.Addr().String()
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	as := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, as, as, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir, https, plain := t.TempDir(), free(), free()
	cert, own := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for name, b := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, own: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(b), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	device := regexp.MustCompile(`/v1/key/\S+/projects/1`).FindString(dtmRun(t, "device", "add", "-data", data, "-name", "Obock-1", "-point", "obock"))
	ctx, cancel := context.WithCancel(t.Context())
	var stderr lines
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, &call{args: []string{"serve", "-data", data, "-listen", https, "-tls-cert", cert, "-tls-key", own, "-http-listen", plain}, dir: dir, env: testEnv, out: io.Discard, err: &stderr})
	}()
	defer func() {
		cancel()
		if code := <-ended; code != 0 {
			t.Errorf("the server ended with %d: %s", code, stderr.String())
		}
	}()
	for i := 0; !strings.Contains(stderr.String(), "https://"+https); i++ {
		if i > 400 {
			t.Fatalf("the server did not start: %s", stderr.String())
		}
		time.Sleep(50 * time.Millisecond)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	c := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer c.CloseIdleConnections()
	ask := func(method, url string) (*http.Response, string) {
		t.Helper()
		r, err := http.NewRequest(method, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := c.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res, string(b)
	}
	// Of each family, good and refused: every answer.
	for _, path := range []string{"/", "/en/", "/en/nothing", "/en/staff/signin", "/en/staff/", "/staff/", "/asset/none", "/healthz", "/metrics", "/api/v1/", "/api/v1/points.csv", "/api/v1/none", "/v3/displacement/country-list", "/v1/projects", "/entry/", "/entry/device", device + "/formList", device + "/forms/none", "/v1/key/none/projects/1/formList", "//en/", "/en/embed/trend", "/s/none"} {
		res, _ := ask("GET", "https://"+https+path)
		if got := res.Header.Get("Strict-Transport-Security"); got != "max-age=31536000; includeSubDomains" {
			t.Errorf("%s (%d): Strict-Transport-Security %q", path, res.StatusCode, got)
		}
		if got := res.Header.Get("X-Content-Type-Options"); got != "nosniff" {
			t.Errorf("%s (%d): X-Content-Type-Options %q", path, res.StatusCode, got)
		}
		csp := res.Header.Get("Content-Security-Policy")
		for _, want := range []string{"base-uri 'none'", "default-src"} {
			if !strings.Contains(csp, want) {
				t.Errorf("%s (%d): Content-Security-Policy %q lacks %s", path, res.StatusCode, csp, want)
			}
		}
		if got := res.Header.Get("Referrer-Policy"); got != "same-origin" && got != "no-referrer" {
			t.Errorf("%s (%d): Referrer-Policy %q", path, res.StatusCode, got)
		}
	}
	for version, good := range map[uint16]bool{tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		conn, err := tls.Dial("tcp", https, &tls.Config{RootCAs: pool, MinVersion: version, MaxVersion: version})
		if (err == nil) != good {
			t.Errorf("%s: %v", tls.VersionName(version), err)
		}
		if err == nil {
			conn.Close()
		}
	}
	// A weak cipher of TLS 1.2 is refused too.
	if conn, err := tls.Dial("tcp", https, &tls.Config{RootCAs: pool, MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA, tls.TLS_ECDHE_ECDSA_WITH_RC4_128_SHA, tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA}}); err == nil {
		conn.Close()
		t.Error("a weak cipher is taken")
	}
	// Sent in the clear to the port of TLS: no page, no answer to what was asked.
	conn, err := net.Dial("tcp", https)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "GET /en/ HTTP/1.1\r\nHost: x\r\n\r\n")
	line, _ := bufio.NewReader(conn).ReadString('\n')
	conn.Close()
	if strings.Contains(line, " 200 ") || strings.Contains(line, " 30") {
		t.Errorf("in the clear to the port of TLS: %q", line)
	}
	for _, x := range []struct {
		method, path string
		want         int
	}{
		{"GET", "/fr/?from=2022-12", 301}, {"GET", "/en/staff/signin", 301}, {"HEAD", "/entry/", 301},
		{"POST", "/en/staff/signin", 400}, {"GET", device + "/formList", 400}, {"HEAD", device + "/submission", 400}, {"POST", device + "/submission", 400},
		{"POST", "/v1/sessions", 400}, {"GET", "/v1/projects", 400}, {"GET", "/api/v1/points.csv", 400},
	} {
		res, body := ask(x.method, "http://"+plain+x.path)
		to := res.Header.Get("Location")
		if res.StatusCode != x.want || x.want == 301 && to != "https://"+https+x.path || x.want == 400 && (to != "" || strings.Contains(body, "obock")) {
			t.Errorf("%s %s in the clear: %d to %q: %s", x.method, x.path, res.StatusCode, to, body)
		}
	}
}
