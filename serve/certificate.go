package serve

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
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

// ToTLS leads readers of plain HTTP to the same page at base, https://...
func ToTLS(base string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead { // what is sent is sent again in the clear by nobody
			http.Error(w, "send it to "+base, http.StatusBadRequest)
			return
		}
		http.Redirect(w, r, strings.TrimSuffix(base, "/")+r.URL.RequestURI(), http.StatusMovedPermanently)
	})
}

// Secured is a listener whose connections speak TLS.
func Secured(l net.Listener, c *tls.Config) net.Listener { return tls.NewListener(l, c) }
