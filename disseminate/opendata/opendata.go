package opendata

import (
	"embed"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"dtm"
	"dtm/serve"
)

//go:embed openapi.json
var files embed.FS

// API answers under /api/v1/.
type API struct {
	Operation *dtm.Operation
	Figures   dtm.Figures // guarded: what they give goes out
	Releases  Releases    // nil: all figures are provisional
}

// Register adds the addresses to mux. Errors are application/problem+json.
func (a *API) Register(mux *http.ServeMux) {
	for pattern, fn := range map[string]serve.Func{
		"GET /api/v1/{$}":                         a.start,
		"GET /api/v1/openapi.json":                a.openapi,
		"GET /api/v1/indicators":                  a.indicators,
		"GET /api/v1/indicators/{id}":             a.indicator,
		"GET /api/v1/indicators/{id}/{figures}":   a.figures,
		"GET /api/v1/releases":                    a.releases,
		"GET /api/v1/releases/{month}/{n}":        a.release,
		"GET /api/v1/releases/{month}/{n}/{part}": a.part,
		"GET /api/v1/": func(http.ResponseWriter, *http.Request) error {
			return dtm.Errorf(dtm.NotFound, "there is no such address; /api/v1/openapi.json lists them").Coded("notfound")
		},
	} {
		mux.Handle(pattern, open(serve.Handle(serve.Problem, fn)))
	}
}

// open lets pages of other sites read what is public.
func open(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		next.ServeHTTP(w, r)
	})
}

// start says whose data this is, what state it is in and where to go on.
func (a *API) start(w http.ResponseWriter, r *http.Request) error {
	span, err := a.Figures.Span(r.Context())
	if err != nil {
		return err
	}
	release, err := a.Figures.Release(r.Context())
	if err != nil {
		return err
	}
	out := struct {
		Operation   string     `json:"operation"`
		Title       dtm.Text   `json:"title"`
		Synthetic   bool       `json:"synthetic"`
		Source      dtm.Text   `json:"source"`
		Contact     string     `json:"contact,omitempty"`
		Threshold   int        `json:"threshold"`
		Period      string     `json:"period,omitempty"`
		Release     string     `json:"release"`
		ReleasedAt  *time.Time `json:"release_at,omitempty"`
		Indicators  string     `json:"indicators"`
		Releases    string     `json:"releases"`
		Description string     `json:"description"`
	}{a.Operation.Code, a.Operation.Title, a.Operation.Synthetic, a.Operation.Source, a.Operation.Contact, a.Operation.Threshold,
		"", release.ID(), nil, "/api/v1/indicators", "/api/v1/releases", "/api/v1/openapi.json"}
	if !span.From.IsZero() {
		out.Period = span.String()
	}
	if !release.At.IsZero() {
		out.ReleasedAt = &release.At
	}
	return a.json(w, r, release, out)
}

func (a *API) openapi(w http.ResponseWriter, _ *http.Request) error {
	b, err := files.ReadFile("openapi.json")
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	_, err = w.Write(b)
	return err
}

// json writes v, whole before the first byte goes out.
func (a *API) json(w http.ResponseWriter, r *http.Request, release dtm.Release, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if same(w, r, release) {
		return nil
	}
	w.Header().Set("Content-Type", "application/json")
	_, err = w.Write(append(b, '\n'))
	return err
}

// same sets the headers by which a client may ask whether an answer still holds;
// true: it does, and that was answered.
func same(w http.ResponseWriter, r *http.Request, release dtm.Release) bool {
	tag := fmt.Sprintf(`W/"%s"`, release.ID())
	w.Header().Set("ETag", tag)
	w.Header().Set("Cache-Control", "no-cache")
	for _, have := range strings.Split(r.Header.Get("If-None-Match"), ",") {
		if strings.TrimSpace(have) == tag {
			w.WriteHeader(http.StatusNotModified)
			return true
		}
	}
	return false
}
