package serve

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/klauspost/compress/gzhttp"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"dtm"
)

// Middleware wraps a handler.
type Middleware func(http.Handler) http.Handler

// Chain puts middleware round h, the first one outermost.
func Chain(h http.Handler, m ...Middleware) http.Handler {
	for i := len(m) - 1; i >= 0; i-- {
		h = m[i](h)
	}
	return h
}

type requestID struct{}

// RequestID returns the id that the request got, for logs and error answers.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestID{}).(string)
	return id
}

// Identify gives every request an id, which is answered in X-Request-Id. An id
// that a client sends is not taken over: it could forge lines of the log.
func Identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var b [8]byte
		rand.Read(b[:])
		id := hex.EncodeToString(b[:])
		w.Header().Set("X-Request-Id", id)
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), requestID{}, id)))
	})
}

// recorder notes what was answered.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (r *recorder) WriteHeader(code int) {
	if r.status == 0 && code >= 200 {
		r.status = code
	}
	r.ResponseWriter.WriteHeader(code)
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	n, err := r.ResponseWriter.Write(b)
	r.bytes += int64(n)
	return n, err
}

func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// Observe writes a line of the access log for each request and counts it in m;
// either may be nil. The line holds the route and not the path, because paths
// hold tokens; no address, no query and no header either: nothing of a person.
func Observe(log *slog.Logger, m *Metrics) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			start := time.Now()
			rec := &recorder{ResponseWriter: w}
			finished := false
			ctx, span := otel.Tracer("dtm").Start(r.Context(), "request", trace.WithSpanKind(trace.SpanKindServer))
			if span.IsRecording() {
				r = r.WithContext(ctx)
			}
			defer func() {
				status := rec.status
				if !finished {
					status = 499 // cut: the client went, or the answer broke off
				} else if status == 0 {
					status = http.StatusOK
				}
				took := time.Since(start)
				if span.IsRecording() {
					traceRequest(span, r, status)
				}
				span.End()
				if m != nil {
					m.observe(r.Method, r.Pattern, status, took)
				}
				if log != nil {
					log.LogAttrs(r.Context(), slog.LevelInfo, "request",
						slog.String("id", RequestID(r.Context())), slog.String("method", method(r.Method)), slog.String("route", r.Pattern),
						slog.Int("status", status), slog.Int64("bytes", rec.bytes), slog.Duration("took", took))
				}
			}()
			next.ServeHTTP(rec, r)
			finished = true
		})
	}
}

// traceRequest names the span of a request by its route, for the reason for which
// Observe does so. What a client says of an outer trace is not taken over.
func traceRequest(span trace.Span, r *http.Request, status int) {
	span.SetName(cmp.Or(r.Pattern, "no route"))
	span.SetAttributes(attribute.String("http.request.method", method(r.Method)), attribute.String("http.route", r.Pattern), attribute.Int("http.response.status_code", status))
	if status >= http.StatusInternalServerError {
		span.SetStatus(codes.Error, "")
	}
}

// Recover answers a panic with write and logs it with its stack. The panic by
// which a handler cuts its connection is let through.
func Recover(write ErrorWriter) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s := &started{ResponseWriter: w}
			defer func() {
				p := recover()
				if p == nil {
					return
				}
				if p == http.ErrAbortHandler {
					panic(p)
				}
				slog.ErrorContext(r.Context(), "panic", "id", RequestID(r.Context()), "method", r.Method,
					"route", r.Pattern, "panic", p, "stack", string(debug.Stack()))
				if s.yes {
					panic(http.ErrAbortHandler)
				}
				write(s, r, http.StatusInternalServerError, &dtm.Error{Kind: dtm.Internal})
			}()
			next.ServeHTTP(s, r)
		})
	}
}

// DefaultCSP lets a page use what comes from its own server, and nothing else.
const DefaultCSP = "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// Security sets the headers that tell browsers to trust as little as possible.
// A handler that needs more (a page to be embedded, WebAssembly) sets its own.
func Security(csp string) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h := w.Header()
			h.Set("Content-Security-Policy", csp)
			h.Set("X-Content-Type-Options", "nosniff")
			h.Set("Referrer-Policy", "same-origin")
			h.Set("Cross-Origin-Opener-Policy", "same-origin")
			h.Set("Permissions-Policy", "camera=(self), geolocation=(self), microphone=(self), interest-cohort=()")
			if Secure(r) {
				h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
			}
			next.ServeHTTP(w, r)
		})
	}
}

// Secure tells whether the request came by TLS, here or at the proxy in front.
// The header can be forged; it is used for nothing that gives a right.
func Secure(r *http.Request) bool {
	return r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https"
}

// SameOrigin refuses requests that change something and come from another site's
// page. Phones send none of the headers by which browsers tell, and pass.
func SameOrigin(write ErrorWriter) Middleware {
	c := http.NewCrossOriginProtection()
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if err := c.Check(r); err != nil {
				write(w, r, http.StatusForbidden, dtm.Errorf(dtm.Forbidden,
					"this request was sent by a page of another site; open the page here and try again").Coded("request.cross_origin"))
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

// Compress sends answers of a kilobyte or more gzipped to those who accept it.
// ETags must be weak (W/"...") then: the bytes differ, the content does not.
func Compress() Middleware {
	wrap, err := gzhttp.NewWrapper(gzhttp.MinSize(1024), gzhttp.CompressionLevel(5))
	if err != nil {
		panic(err) // the options are constants
	}
	return func(next http.Handler) http.Handler { return wrap(next) }
}

// MaxBody refuses bodies of more than n bytes: reading past the limit gives
// *http.MaxBytesError, which BodyError explains.
func MaxBody(n int64) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Body != nil && r.Body != http.NoBody {
				r.Body = http.MaxBytesReader(w, r.Body, n)
			}
			next.ServeHTTP(w, r)
		})
	}
}

// Announced refuses a request that says its body has more than n bytes, before any of it
// is read: whoever announces that much means harm, or is told at once.
func Announced(n int64, write ErrorWriter) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.ContentLength > n {
				w.Header().Set("Connection", "close") // the rest is not to be read either
				err := BodyError(&http.MaxBytesError{Limit: n})
				write(w, r, Status(dtm.KindOf(err)), err)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

// BodyError explains an error of reading a request's body: over the limit
// (TooLarge), cut off or stalled (Invalid). An *dtm.Error stays itself.
func BodyError(err error) error {
	var own *dtm.Error
	if err == nil || errors.As(err, &own) {
		return err
	}
	var over *http.MaxBytesError
	if errors.As(err, &over) {
		return (&dtm.Error{Kind: dtm.TooLarge, Err: err,
			Msg: fmt.Sprintf("what was sent is larger than %d bytes, the most that is taken at once; send less", over.Limit)}).
			Coded("request.too_large", over.Limit)
	}
	return (&dtm.Error{Kind: dtm.Invalid, Err: err,
		Msg: "what was sent broke off before its end; send it again"}).Coded("request.cut_off")
}
