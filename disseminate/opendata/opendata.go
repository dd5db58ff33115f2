package opendata

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"dtm"
	"dtm/serve"
)

// API answers under /api/v1/.
type API struct {
	Operation *dtm.Operation
	Figures   dtm.Figures // guarded: what they give goes out
	Releases  Releases    // nil: all figures are provisional
	Now       func() time.Time
	// OData answers for the sheets below root, an address that ends in a slash; nil: they
	// are not to be had that way.
	OData func(w http.ResponseWriter, r *http.Request, root, rest string) error
	// Base is the public address of the server, https://dtm.example.org; "": the one that
	// was asked.
	Base string
}

// Register adds the addresses to mux. Errors are application/problem+json.
func (a *API) Register(mux *http.ServeMux) {
	handle := func(pattern string, fn serve.Func) {
		mux.Handle("GET /api/v1/"+pattern, open(serve.Handle(serve.Problem, fn)))
	}
	for _, r := range a.routes() {
		if r.match == "" {
			r.match = r.path
		}
		if r.fn != nil { // another address answers for it
			handle(r.match, r.fn)
		}
	}
	handle("", nothing)
	a.registerDTM(mux)
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
		Datasets    []string   `json:"datasets"`
		Description string     `json:"description"`
	}{a.Operation.Code, a.Operation.Title, a.Operation.Synthetic, a.Operation.Source, a.Operation.Contact, a.Operation.Threshold,
		"", release.ID(), nil, "/api/v1/indicators", "/api/v1/releases", nil, "/api/v1/openapi.json"}
	for _, d := range datasets {
		out.Datasets = append(out.Datasets, "/api/v1/"+d.id+".json")
	}
	if !span.From.IsZero() {
		out.Period = span.String()
	}
	if !release.At.IsZero() {
		out.ReleasedAt = &release.At
	}
	return a.json(w, r, release, out)
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

// send answers with bytes under an ETag of their own.
func send(w http.ResponseWriter, r *http.Request, media string, b []byte) error {
	sum := sha256.Sum256(b)
	tag := `"` + hex.EncodeToString(sum[:12]) + `"`
	w.Header().Set("ETag", tag)
	w.Header().Set("Cache-Control", "no-cache")
	for _, have := range strings.Split(r.Header.Get("If-None-Match"), ",") {
		if have = strings.TrimPrefix(strings.TrimSpace(have), "W/"); have == tag {
			w.WriteHeader(http.StatusNotModified)
			return nil
		}
	}
	w.Header().Set("Content-Type", media)
	_, err := w.Write(b)
	return err
}

// today is the day in the operation's zone.
func (a *API) today() time.Time {
	y, m, d := a.Now().In(a.Operation.Zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}
