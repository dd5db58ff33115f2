package main

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"dtm"
	"dtm/serve"
)

// domains are those that certificates are got for.
func (h *house) domains() []string {
	return strings.FieldsFunc(h.config.ACME, func(r rune) bool { return r == ',' || r == ' ' })
}

// drain is how this server leaves its load balancer.
func (h *house) drain() *serve.Drain {
	h.draining.Do(func() { h.drained = serve.NewDrain(time.Duration(h.config.Drain) * time.Second) })
	return h.drained
}

// secured is l, with TLS when the settings say so, and the redirect to it until ctx ends.
func (h *house) secured(ctx context.Context, l net.Listener) (net.Listener, error) {
	var plain http.Handler = serve.ToTLS(h.baseURL())
	switch {
	case len(h.domains()) > 0:
		m := serve.Issued(h.domains(), h.config.ACMEMail, h.config.ACMEFrom, filepath.Join(h.dir, "acme"), nil)
		plain = m.HTTPHandler(plain)
		l = serve.Secured(l, m.TLSConfig())
	case h.config.TLSCert != "" || h.config.TLSKey != "":
		f, err := serve.NewFiles(h.config.TLSCert, h.config.TLSKey)
		if err != nil {
			return nil, dtm.Errorf(dtm.Invalid, "the certificate cannot be read: %w; tls_cert is the certificate with its chain, tls_key its key, both PEM", err).At("tls_cert")
		}
		l = serve.Secured(l, f.Config())
	default:
		return l, nil
	}
	if h.config.HTTP == "" {
		return l, nil
	}
	from, err := net.Listen("tcp", h.config.HTTP)
	if err != nil {
		return nil, dtm.Errorf(dtm.Unavailable, "cannot listen on %s: %w", h.config.HTTP, err).At("http_listen")
	}
	go func() {
		if err := serve.Run(ctx, from, plain, time.Second); err != nil {
			slog.Error("plain http is not led to https any more", "error", err)
		}
	}()
	return l, nil
}
