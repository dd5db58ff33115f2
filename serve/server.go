package serve

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// How long one step of a connection may take. A phone with a bad link may take
// half an hour for ten megabytes, so no limit is on the whole of a request.
const (
	headerTime = 5 * time.Second  // for the head of a request
	stepTime   = 60 * time.Second // for the next bytes in, and for a piece out
	idleTime   = 2 * time.Minute  // between two requests
)

// Run serves h on l until ctx ends, then takes no more connections and gives
// running requests grace to finish. It returns nil after an orderly end.
func Run(ctx context.Context, l net.Listener, h http.Handler, grace time.Duration) error {
	s := &http.Server{
		Handler:           Unambiguous(Patient(stepTime)(h)),
		ReadHeaderTimeout: headerTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(slog.Default().Handler(), slog.LevelWarn),
	}
	failed := make(chan error, 1)
	go func() { failed <- s.Serve(l) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	err := s.Shutdown(end)
	if err != nil {
		s.Close()
	}
	if e := <-failed; !errors.Is(e, http.ErrServerClosed) {
		err = errors.Join(err, e)
	}
	return err
}

// Patient lets a request and its answer take as long as they move: each read of
// the body and each write of the answer gets step, then the connection is cut.
func Patient(step time.Duration) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			rc := http.NewResponseController(w)
			body, hasBody := r.Body, r.Body != nil && r.Body != http.NoBody
			if hasBody {
				r.Body = &patientBody{ReadCloser: body, rc: rc, step: step}
			}
			next.ServeHTTP(&patientWriter{ResponseWriter: w, rc: rc, step: step}, r)
			if hasBody {
				// The server reads on for a while to keep the connection.
				rc.SetReadDeadline(time.Now().Add(headerTime))
			}
		})
	}
}

type patientBody struct {
	io.ReadCloser
	rc   *http.ResponseController
	step time.Duration
	done bool
}

func (b *patientBody) Read(p []byte) (int, error) {
	if b.done {
		return b.ReadCloser.Read(p)
	}
	b.rc.SetReadDeadline(time.Now().Add(b.step))
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF {
		// Otherwise the deadline would end the handler's context while it works.
		b.done = true
		b.rc.SetReadDeadline(time.Time{})
	}
	return n, err
}

type patientWriter struct {
	http.ResponseWriter
	rc   *http.ResponseController
	step time.Duration
	at   time.Time // of the last deadline
}

func (w *patientWriter) Write(p []byte) (int, error) {
	// Moving the deadline costs a system call's worth: not for every line.
	if now := time.Now(); now.Sub(w.at) > w.step/10 {
		w.rc.SetWriteDeadline(now.Add(w.step))
		w.at = now
	}
	return w.ResponseWriter.Write(p)
}

func (w *patientWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
