package serve

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// issue writes a certificate for 127.0.0.1, signed by itself, and returns it.
func issue(t *testing.T, cert, key string, serial int64) *x509.Certificate {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	as := &x509.Certificate{SerialNumber: big.NewInt(serial), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, as, as, k.Public(), k)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(b), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// HTTP/2 over TLS by our own files, also after they were renewed; while one is half
// written, by the one before.
func TestFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	if _, err := NewFiles(cert, key); err == nil {
		t.Fatal("files that are not there are taken")
	}
	first := issue(t, cert, key, 1)
	f, err := NewFiles(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- Run(ctx, Secured(plain, f.Config()), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write([]byte(r.Proto))
		}), time.Second)
	}()
	ask := func(trust *x509.Certificate) (serial int64, proto string) {
		t.Helper()
		pool := x509.NewCertPool()
		pool.AddCert(trust)
		c := &http.Client{Transport: &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: pool}}}
		defer c.CloseIdleConnections()
		res, err := c.Get("https://" + plain.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		return res.TLS.PeerCertificates[0].SerialNumber.Int64(), res.Proto
	}
	if n, proto := ask(first); n != 1 || proto != "HTTP/2.0" {
		t.Errorf("certificate %d, %s", n, proto)
	}
	later := func() {
		f.mu.Lock()
		f.looked = time.Time{}
		f.mu.Unlock()
	}
	whole, err := os.ReadFile(cert)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(cert, whole[:50], 0o600); err != nil {
		t.Fatal(err)
	}
	later()
	if n, _ := ask(first); n != 1 {
		t.Errorf("while it is half written: certificate %d", n)
	}
	second := issue(t, cert, key, 2)
	later()
	if n, _ := ask(second); n != 2 {
		t.Errorf("after it was renewed: certificate %d", n)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// Readers are led to https; programs, and who sends something, are refused: what they say
// of themselves with each request would go in the clear for ever and nobody would notice.
func TestToTLS(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		method, path, authorization string
		want                        int
	}{
		{"GET", "/fr/?from=2026-10", "", 301}, {"HEAD", "/", "", 301}, {"GET", "/en/staff/signin", "", 301}, {"GET", "/entry/", "", 301},
		{"POST", "/en/staff/signin", "", 400}, {"TRACE", "/", "", 400}, {"GET", "/fr/", "Bearer x", 400},
		{"GET", "/v1/key/secret/projects/1/formList", "", 400}, {"GET", "/api/v1/flows.csv", "", 400}, {"GET", "/v3/displacement/country-list", "", 400}, {"GET", "/entry/device", "", 400}, {"GET", "/metrics", "", 400},
	} {
		w, r := httptest.NewRecorder(), httptest.NewRequest(c.method, "http://other.example"+c.path, nil)
		if c.authorization != "" {
			r.Header.Set("Authorization", c.authorization)
		}
		ToTLS("https://dtm.example.org/").ServeHTTP(w, r)
		to := w.Header().Get("Location")
		if w.Code != c.want || c.want == 301 && to != "https://dtm.example.org"+c.path || c.want == 400 && (to != "" || !strings.Contains(w.Body.String(), "https://dtm.example.org")) {
			t.Errorf("%s %s: %d to %q: %s", c.method, c.path, w.Code, to, w.Body)
		}
	}
}

// A server that is told to end says so at /readyz and answers until the balancer has
// seen it.
func TestDrain(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := NewDrain(700 * time.Millisecond)
	mux := http.NewServeMux()
	Health(mux, nil, d.Check())
	mux.HandleFunc("/page", func(http.ResponseWriter, *http.Request) {})
	ctx, end := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- d.Serve(ctx, func(ctx context.Context) error { return Run(ctx, l, mux, time.Second) })
	}()
	status := func(path string) int {
		res, err := http.Get("http://" + l.Addr().String() + path)
		if err != nil {
			return 0
		}
		defer res.Body.Close()
		return res.StatusCode
	}
	if got := status("/readyz"); got != 200 {
		t.Errorf("before: %d", got)
	}
	told := time.Now()
	end()
	for time.Since(told) < 500*time.Millisecond && status("/readyz") != 503 {
		time.Sleep(5 * time.Millisecond)
	}
	if ready, page := status("/readyz"), status("/page"); ready != 503 || page != 200 {
		t.Errorf("while it leaves: %d, page %d", ready, page)
	}
	if err := <-ended; err != nil || time.Since(told) < 700*time.Millisecond {
		t.Errorf("ended after %v: %v", time.Since(told), err)
	}
	if got := status("/page"); got != 0 {
		t.Errorf("afterwards: %d", got)
	}
}
