package entry

import (
	"context"
	"embed"
	"encoding/json"
	"io/fs"
	"mime"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"dtm"
	"dtm/serve"
)

//go:embed asset
var assets embed.FS

// csp lets the page use its own server and nothing else: no map tiles, no fonts, no
// scripts of others. The form library computes in WebAssembly, sets styles, and
// makes photos smaller in a worker of its own making.
const csp = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' blob: data:; media-src 'self' blob:; font-src 'self'; " +
	"connect-src 'self'; worker-src 'self' blob:; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Handler answers the page. All fields are required.
type Handler struct {
	Devices     dtm.Devices
	Submissions dtm.Submissions
	// Title names the operation, for the icon on the home screen.
	Title dtm.Text
	// Lang is that of the icon's name.
	Lang dtm.Lang
	// Questions of the office to the device; nil: none are asked.
	Questions dtm.Questions
	// Figures are what the device did in the last thirty days, beside the team's
	// medians; false: nothing yet. nil: they are not shown.
	Figures func(ctx context.Context, device string) (own, team Figures, ok bool, err error)
	// PointName names a point in every language.
	PointName func(code string) dtm.Text
	// Referrals are what the device is told of the referrals that its screenings opened;
	// nil: nothing. ProgrammeName names a programme in every language.
	Referrals     func(ctx context.Context, device string) ([]dtm.ReferralFeedback, error)
	ProgrammeName func(code string) dtm.Text
}

// Path is the address of the page for a device. The token stands after the #, which
// browsers do not send: it is in no log.
func Path(token string) string { return "/entry/#" + token }

// TrialPath is the address of the page that tries a draft of a form.
func TrialPath(token, form string) string {
	return "/entry/try#" + token + "/" + url.PathEscape(form)
}

// Register adds the page's routes to mux.
func (h *Handler) Register(mux *http.ServeMux) {
	route := func(pattern string, fn serve.Func) {
		mux.Handle(pattern, serve.Chain(serve.Handle(serve.Problem, fn), serve.Security(csp)))
	}
	route("GET /entry", func(w http.ResponseWriter, r *http.Request) error {
		http.Redirect(w, r, "/entry/", http.StatusMovedPermanently)
		return nil
	})
	route("GET /entry/{$}", func(w http.ResponseWriter, r *http.Request) error { return file(w, r, "index.html", false) })
	route("GET /entry/try", func(w http.ResponseWriter, r *http.Request) error { return file(w, r, "try.html", false) })
	// The worker's own file must be asked for each time, or an update never comes.
	route("GET /entry/sw.js", func(w http.ResponseWriter, r *http.Request) error { return file(w, r, "sw.js", false) })
	route("GET /entry/asset/{file}", func(w http.ResponseWriter, r *http.Request) error { return file(w, r, r.PathValue("file"), true) })
	route("GET /entry/manifest.webmanifest", h.manifest)
	route("GET /entry/device", h.device)
	route("POST /entry/records", h.records)
	route("GET /entry/desk", h.desk)
	route("POST /entry/answers", h.answer)
}

func file(w http.ResponseWriter, r *http.Request, name string, named bool) error {
	b, err := fs.ReadFile(assets, path.Join("asset", path.Base(name)))
	if err != nil && !named {
		return dtm.Errorf(dtm.Unavailable, "this program was built without the page for data entry: run make assets, then build it again").Coded("entry.noassets")
	}
	if err != nil {
		return dtm.Errorf(dtm.NotFound, "there is no such file").Coded("notfound")
	}
	w.Header().Set("Content-Type", contentType(name))
	w.Header().Set("Cache-Control", "no-cache")
	if named { // the name holds a hash of the content
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	w.Write(b)
	return nil
}

// contentType does not depend on the machine's own list of types.
func contentType(name string) string {
	switch ext := path.Ext(name); ext {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".wasm":
		return "application/wasm"
	case ".woff2":
		return "font/woff2"
	default:
		return mime.TypeByExtension(ext)
	}
}

type iconJSON struct {
	Src     string `json:"src"`
	Sizes   string `json:"sizes"`
	Type    string `json:"type"`
	Purpose string `json:"purpose"`
}

// manifest makes the page installable.
func (h *Handler) manifest(w http.ResponseWriter, r *http.Request) error {
	names := map[string]string{}
	b, err := assets.ReadFile("asset/icons.json")
	if err == nil {
		err = json.Unmarshal(b, &names)
	}
	if err != nil {
		return dtm.Errorf(dtm.Unavailable, "this program was built without the page for data entry: run make assets, then build it again").Coded("entry.noassets")
	}
	icon := func(name, size, purpose string) iconJSON {
		return iconJSON{"/entry/asset/" + names[name], size + "x" + size, "image/png", purpose}
	}
	w.Header().Set("Content-Type", "application/manifest+json")
	w.Header().Set("Cache-Control", "no-cache")
	return json.NewEncoder(w).Encode(map[string]any{
		"id": "/entry/", "start_url": "/entry/", "scope": "/entry/", "display": "standalone",
		"name": h.Title.In(h.Lang), "short_name": "DTM", "lang": string(h.Lang),
		"background_color": "#f1f3f5", "theme_color": "#0b3c5d",
		"icons": []iconJSON{icon("192", "192", "any"), icon("512", "512", "any"), icon("maskable", "512", "maskable")},
	})
}

// admitted finds the device by its token, which comes in a header so that it is in
// no address.
func (h *Handler) admitted(r *http.Request) (dtm.Device, error) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok || token == "" {
		return dtm.Device{}, dtm.Errorf(dtm.Unauthenticated, "the request names no device (Authorization: Bearer TOKEN); open the link of this device again").Coded("device.unnamed")
	}
	return h.Devices.DeviceByToken(r.Context(), token)
}

type deviceJSON struct {
	Name      string   `json:"name"`
	Point     dtm.Text `json:"point,omitempty"`
	Operation dtm.Text `json:"operation"`
}

func (h *Handler) device(w http.ResponseWriter, r *http.Request) error {
	d, err := h.admitted(r)
	if err != nil {
		return err
	}
	out := deviceJSON{Name: d.Name, Operation: h.Title}
	if d.Point != "" {
		out.Point = h.PointName(d.Point)
	}
	return write(w, out)
}

func write(w http.ResponseWriter, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Write(b)
	return nil
}

// moment is the form of times in answers.
const moment = time.RFC3339
