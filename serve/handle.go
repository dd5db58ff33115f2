package serve

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"log/slog"
	"net/http"

	"dtm"
)

// Func is a handler that says what went wrong instead of writing it.
type Func func(w http.ResponseWriter, r *http.Request) error

// ErrorWriter writes an error in the manner of its family: a page, JSON, XML.
type ErrorWriter func(w http.ResponseWriter, r *http.Request, status int, err error)

// Handle makes an http.Handler of fn. An error that is ours (Internal,
// Unavailable) is logged here and nowhere else; the answer says only what
// dtm.Public lets out. After fn has begun to answer, the connection is cut, so
// that nobody takes half an answer for a whole one.
func Handle(write ErrorWriter, fn Func) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := &started{ResponseWriter: w}
		err := fn(s, r)
		if err == nil {
			return
		}
		if r.Context().Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
			panic(http.ErrAbortHandler) // the client has gone: nobody reads an answer
		}
		status := Status(dtm.KindOf(err))
		if status >= http.StatusInternalServerError {
			logError(r, err)
		}
		if s.yes {
			panic(http.ErrAbortHandler)
		}
		w.Header().Del("ETag")
		w.Header().Set("Cache-Control", "no-store")
		if status == http.StatusServiceUnavailable {
			w.Header().Set("Retry-After", "30")
		}
		write(s, r, status, err)
	})
}

func logError(r *http.Request, err error) {
	var op string
	cause := err
	var e *dtm.Error
	if errors.As(err, &e) {
		op = e.Op
		if e.Err != nil {
			cause = e.Err
		}
	}
	slog.ErrorContext(r.Context(), "request failed", "id", RequestID(r.Context()), "method", r.Method,
		"route", r.Pattern, "op", op, "error", cause)
}

// started notes whether an answer has begun.
type started struct {
	http.ResponseWriter
	yes bool
}

func (s *started) WriteHeader(code int) {
	if code >= 200 {
		s.yes = true
	}
	s.ResponseWriter.WriteHeader(code)
}

func (s *started) Write(b []byte) (int, error) {
	s.yes = true
	return s.ResponseWriter.Write(b)
}

func (s *started) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// HTML writes errors as pages that the room of pages draws. When drawing fails
// itself, a plain sentence is sent.
func HTML(page func(w http.ResponseWriter, r *http.Request, status int, err error) error) ErrorWriter {
	return func(w http.ResponseWriter, r *http.Request, status int, err error) {
		s := &started{ResponseWriter: w}
		if e := page(s, r, status, err); e != nil {
			logError(r, e)
			if !s.yes {
				http.Error(w, dtm.Public(err), status)
			}
		}
	}
}

// problem is RFC 9457's shape. Code is the key of the message catalogues.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Code   string `json:"code,omitempty"`
	Where  string `json:"where,omitempty"`
	ID     string `json:"request_id,omitempty"`
}

// Problem writes errors as application/problem+json (RFC 9457).
func Problem(w http.ResponseWriter, r *http.Request, status int, err error) {
	p := problem{Type: "about:blank", Title: http.StatusText(status), Status: status,
		Detail: dtm.Public(err), ID: RequestID(r.Context())}
	var e *dtm.Error
	if errors.As(err, &e) && e.Kind != dtm.Internal {
		p.Code, p.Where = e.Code, e.Where
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(p)
}

// OpenRosa writes errors as OpenRosaResponse, whose message the phone shows to
// the enumerator: say gives it, in the enumerator's language.
func OpenRosa(say func(r *http.Request, err error) string) ErrorWriter {
	return func(w http.ResponseWriter, r *http.Request, status int, err error) {
		WriteOpenRosa(w, status, "error", say(r, err))
	}
}

type openRosaResponse struct {
	XMLName xml.Name `xml:"http://openrosa.org/http/response OpenRosaResponse"`
	Message struct {
		Nature string `xml:"nature,attr"`
		Text   string `xml:",chardata"`
	} `xml:"message"`
}

// WriteOpenRosa writes an OpenRosaResponse (OpenRosa 1.0 HTTP API) with one
// message; nature is "submit_success" or "error".
func WriteOpenRosa(w http.ResponseWriter, status int, nature, message string) {
	var m openRosaResponse
	m.Message.Nature, m.Message.Text = nature, message
	body, err := xml.Marshal(m)
	if err != nil {
		panic(err) // two strings can be written
	}
	w.Header().Set("Content-Type", "text/xml; charset=utf-8")
	w.WriteHeader(status)
	w.Write([]byte(xml.Header))
	w.Write(body)
}
