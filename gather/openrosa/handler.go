package openrosa

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"dtm"
	"dtm/serve"
)

// Head is what the protocol needs to know of a submission.
type Head struct {
	FormID       string
	Version      string
	InstanceID   string
	DeprecatedID string // of the instance that this one replaces
	Encrypted    bool   // the answers are in an encrypted attachment
}

// Handler answers phones. The fields above the line are required.
type Handler struct {
	Forms       dtm.Forms
	Devices     dtm.Devices
	Submissions dtm.Submissions
	Blobs       dtm.Blobs
	// Head reads the head of a submission; its error is Invalid and names the
	// place. It must refuse what is not well-formed or meant to exhaust.
	Head func(xml []byte) (Head, error)

	// -----

	// Expected names the attachments that a submission's answers mention; nil:
	// none.
	Expected func(form dtm.Form, xml []byte) []string
	// Media returns a form's attachments as they are now (a list of points grows);
	// nil: as published. For a list of forms it is given forms as Forms.Forms
	// returns them, without the content of their attachments, and only the number
	// of attachments counts.
	Media func(ctx context.Context, form dtm.Form) ([]dtm.Media, error)
	// States says which forms are closed; nil: none. What it says may be a second
	// old.
	States dtm.FormStates
	// Entities are the lists that forms read as NAME.csv; nil: none.
	Entities dtm.Entities
	// Reads names the files that a form reads beside its own attachments; nil:
	// none. It is called with forms as Forms.Forms returns them.
	Reads func(ctx context.Context, form dtm.Form) []string
	// Scope is the part of entity lists that a device gets; nil: all of them.
	Scope func(device dtm.Device) dtm.EntityScope
	// Base is the server's public address, "https://dtm.example.org"; when empty
	// it is the address that the phone used.
	Base string
	// Lang is spoken when the phone asks for no language we have; English when
	// empty.
	Lang dtm.Lang
	// AcceptLength is the size in bytes above which a phone is asked to split a
	// submission's attachments over several requests; 10 MB when 0.
	AcceptLength int64
	// MaxRequest is the size in bytes above which a request is refused; a single
	// large file comes whole, so it is well above AcceptLength. 200 MB when 0.
	MaxRequest int64
	// MaxXML is the size in bytes above which the answers alone are refused; 8 MB
	// when 0.
	MaxXML int64

	// Saw is told when a device is heard through another app than before; nil: nobody
	// is.
	Saw func(device, app string)

	// Trial serves one form that is being tried, below TrialPath: Forms then gives
	// that one, and Devices knows its token.
	Trial bool

	versions versions
	states   states
}

const (
	defaultAcceptLength = 10_000_000
	defaultMaxRequest   = 200 << 20
	defaultMaxXML       = 8 << 20
	maxParts            = 1000
)

// Path is the OpenRosa base of a device: what is set as server in ODK Collect,
// after the server's address.
func Path(token string) string { return "/v1/key/" + token + "/projects/1" }

// TrialPath is the OpenRosa base for trying a draft of a form, as in ODK Central.
func TrialPath(token, form string) string {
	return "/v1/test/" + token + "/projects/1/forms/" + url.PathEscape(form) + "/draft"
}

// Register adds the protocol's routes to mux, in the URL shape of ODK Central.
func (h *Handler) Register(mux *http.ServeMux) {
	base := "/v1/key/{token}/projects/{project}"
	if h.Trial {
		base = "/v1/test/{token}/projects/{project}/forms/{form}/draft"
	}
	mux.Handle("GET "+base+"/formList", h.route(h.formList))
	mux.Handle("GET "+base+"/forms/{file}", h.route(h.form))
	mux.Handle("GET "+base+"/forms/{id}/manifest", h.route(h.manifest))
	mux.Handle("GET "+base+"/forms/{id}/media/{name}", h.route(h.media))
	mux.Handle("GET "+base+"/datasets/{list}/integrity", h.route(h.integrity))
	mux.Handle("GET "+base+"/submission", h.route(h.ready)) // HEAD too
	mux.Handle("POST "+base+"/submission", h.route(h.submit))
}

// route admits devices only and speaks OpenRosa, in errors too.
func (h *Handler) route(fn func(http.ResponseWriter, *http.Request, dtm.Device) error) http.Handler {
	return serve.Handle(serve.OpenRosa(h.say), func(w http.ResponseWriter, r *http.Request) error {
		h.headers(w, r)
		if v := r.Header.Get("X-OpenRosa-Version"); v != "" && v != "1.0" {
			return dtm.Errorf(dtm.Invalid, "this server speaks OpenRosa 1.0, not %q", v).Coded("openrosa.version", v)
		}
		token := r.PathValue("token")
		if !tokenShaped(token) {
			return dtm.Errorf(dtm.Unauthenticated,
				"the address set in this app is not complete; scan the code again").Coded("device.malformed")
		}
		device, err := h.Devices.DeviceByToken(r.Context(), token)
		if err != nil {
			return err
		}
		if app := App(r.UserAgent()); h.Saw != nil && app != "" && app != device.App {
			h.Saw(device.ID, app)
		}
		if p := r.PathValue("project"); p != "1" {
			return dtm.Errorf(dtm.NotFound, "there is no project %q on this server; scan the code again", p).Coded("project.unknown", p)
		}
		return fn(w, r, device)
	})
}

// headers sets what every OpenRosa answer carries, errors included.
func (h *Handler) headers(w http.ResponseWriter, r *http.Request) {
	head := w.Header()
	head["X-OpenRosa-Version"] = []string{"1.0"} // clients compare without regard to case; the written form is the documented one
	head["X-OpenRosa-Accept-Content-Length"] = []string{strconv.FormatInt(or(h.AcceptLength, defaultAcceptLength), 10)}
	head.Set("Content-Language", string(h.lang(r)))
	head.Set("Content-Type", contentType)
	head.Set("Vary", "Accept-Language")
}

const contentType = "text/xml; charset=utf-8"

func or(n, otherwise int64) int64 {
	if n > 0 {
		return n
	}
	return otherwise
}

// tokenShaped tells whether s can be a token: ours, or one of ODK Central.
func tokenShaped(s string) bool {
	if len(s) != 64 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-_!$", c) >= 0) {
			return false
		}
	}
	return true
}

// ready answers the question that precedes each submission: 204 and nothing
// else, or Collect takes the server for something different.
func (h *Handler) ready(w http.ResponseWriter, r *http.Request, _ dtm.Device) error {
	w.Header().Del("Content-Type")
	w.WriteHeader(http.StatusNoContent)
	return nil
}
