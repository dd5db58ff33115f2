package serve

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"

	"dtm"
)

// Files is a certificate in two files, read again when they change.
type Files struct {
	cert, key string

	mu     sync.Mutex
	looked time.Time
	at     time.Time // of the newer file
	last   *tls.Certificate
}

// lookAgain is how long files are taken to be as they were.
const lookAgain = 10 * time.Second

// NewFiles reads a certificate with its chain, and its key, both PEM.
func NewFiles(cert, key string) (*Files, error) {
	f := &Files{cert: cert, key: key}
	return f, f.read(time.Now())
}

func (f *Files) read(now time.Time) error {
	var newest time.Time
	for _, name := range []string{f.cert, f.key} {
		st, err := os.Stat(name)
		if err != nil {
			return err
		}
		if st.ModTime().After(newest) {
			newest = st.ModTime()
		}
	}
	f.looked = now
	if f.last != nil && newest.Equal(f.at) {
		return nil
	}
	c, err := tls.LoadX509KeyPair(f.cert, f.key)
	if err != nil {
		return fmt.Errorf("%s and %s: %w", f.cert, f.key, err)
	}
	f.at, f.last = newest, &c
	return nil
}

// Config is for a listener.
func (f *Files) Config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		f.mu.Lock()
		defer f.mu.Unlock()
		if now := time.Now(); now.Sub(f.looked) > lookAgain {
			if err := f.read(now); err != nil { // half written, perhaps: the one before still serves
				slog.Warn("the certificate cannot be read again", "error", err)
				f.looked = now
			}
		}
		return f.last, nil
	}}
}

// Issued has certificates for the domains issued by an ACME directory, "" for that of
// Let's Encrypt, and kept in a folder. client asks the directory; nil: as usual.
func Issued(domains []string, email, directory, folder string, client *http.Client) *autocert.Manager {
	return &autocert.Manager{
		Prompt: autocert.AcceptTOS, HostPolicy: autocert.HostWhitelist(domains...), Cache: autocert.DirCache(folder), Email: email,
		Client: &acme.Client{DirectoryURL: directory, HTTPClient: client, UserAgent: "dtm"},
	}
}

// programs are the beginnings of addresses that phones and programs ask, not readers: what
// they send with each request, a token or a password, must not go in the clear unnoticed
// because somebody leads them on each time.
var programs = []string{"/v1/", "/v3/", "/api/", "/entry/device", "/entry/desk", "/entry/records", "/entry/answers", "/healthz", "/readyz", "/metrics"}

// ToTLS leads readers of plain HTTP to the same page at base, https://..., and refuses
// programs, and whoever sends something.
func ToTLS(base string) http.Handler {
	base = strings.TrimSuffix(base, "/")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		program := r.Header.Get("Authorization") != "" || r.Method != http.MethodGet && r.Method != http.MethodHead ||
			slices.ContainsFunc(programs, func(p string) bool { return strings.HasPrefix(r.URL.Path, p) })
		if program {
			Problem(w, r, http.StatusBadRequest, dtm.Errorf(dtm.Invalid, "this is answered by https only, at %s; what was sent came in the clear: change the address, and the password or code that went with it", base).Coded("request.plain", base))
			return
		}
		http.Redirect(w, r, base+r.URL.RequestURI(), http.StatusMovedPermanently)
	})
}

// Secured is a listener whose connections speak TLS.
func Secured(l net.Listener, c *tls.Config) net.Listener { return tls.NewListener(l, c) }
