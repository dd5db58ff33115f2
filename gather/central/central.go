package central

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"dtm"
	"dtm/access"
	"dtm/event"
	"dtm/serve"
)

// Handler answers /v1 in the shape of ODK Central's API. All fields but those below
// the line are required.
type Handler struct {
	Operation   *dtm.Operation
	Sessions    dtm.Sessions
	Door        *access.Door // by which users sign in
	Users       dtm.Users
	Forms       dtm.Forms
	States      dtm.FormStates
	Drafts      dtm.Drafts
	Stream      dtm.SubmissionStream
	Submissions dtm.Submissions
	Blobs       dtm.Blobs
	Reviews     dtm.Reviews
	Devices     dtm.Devices
	Events      dtm.Events
	Audit       dtm.Audit
	// Convert reads an XLSForm or an XForm and gives the form as it would be
	// published, with warnings; fallback is its id when the form names none. Its
	// error is Invalid when the form has faults.
	Convert func(ctx context.Context, name string, data []byte, fallback string) (dtm.Form, []string, error)
	// Understand fills in what a submission's XML says of itself: form, version, id,
	// the instance that it replaces, attachments to expect. As for phones.
	Understand func(ctx context.Context, s *dtm.Submission) error
	// Fields describes a form's questions.
	Fields func(f dtm.Form) ([]Field, error)
	Rand   io.Reader
	Now    func() time.Time

	// -----

	// OData and CSV answer for tables, once the user was found to be allowed; nil:
	// 501.
	OData func(w http.ResponseWriter, r *http.Request, form, rest string) error
	CSV   func(w http.ResponseWriter, r *http.Request, form string) error
	// Media gives a form's files as phones get them; nil: as published.
	Media func(ctx context.Context, form dtm.Form) ([]dtm.Media, error)
	// Entities answers for entity lists; nil: there are none.
	Entities *Datasets
	// EntityTable answers OData of an entity list; nil: 501.
	EntityTable func(w http.ResponseWriter, r *http.Request, list, rest string) error
	// Points answers for the register of points; nil: 404.
	Points *Points
	// Trail notes exports and refusals; nil: they are not noted.
	Trail *access.Trail
	// PasswordSuffices refuses users who have, or must have, a second factor: programs
	// give none. nil: everybody's password does.
	PasswordSuffices func(ctx context.Context, u dtm.User) error
	// Secure says that sessions' cookies go by TLS only.
	Secure bool
	// MaxBody is the largest request in bytes; 100 MB when 0.
	MaxBody int64

	known basics
}

// Field is a question as the API lists it.
type Field struct {
	Path     string `json:"path"`
	Name     string `json:"name"`
	Type     string `json:"type"`
	Binary   *bool  `json:"binary"`
	Multiple *bool  `json:"selectMultiple"`
}

const base = "/v1/projects/{project}"

// Register adds the routes to mux.
func (h *Handler) Register(mux *http.ServeMux) {
	open := func(pattern string, fn serve.Func) { mux.Handle(pattern, h.handle(fn)) }
	route := func(pattern string, a access.Action, fn serve.Func) { open(pattern, h.behind(a, fn)) }
	open("POST /v1/sessions", h.signIn)
	route("DELETE /v1/sessions/{token}", "", h.signOut)
	route("GET /v1/sessions/restore", "", h.restoreSession)
	route("GET /v1/users/current", "", h.currentUser)
	route("GET /v1/users", access.ManageUsers, h.users)
	route("GET /v1/audits", access.ReadLog, h.audits)
	route("GET /v1/projects", access.ReadSubmissions, h.projects)
	route("GET "+base, access.ReadSubmissions, h.project)
	route("GET "+base+"/forms", access.ReadSubmissions, h.forms)
	route("POST "+base+"/forms", access.PublishForms, h.createForm)
	route("GET "+base+"/forms/{form}", access.ReadSubmissions, h.form)
	route("PATCH "+base+"/forms/{form}", access.PublishForms, h.changeForm)
	route("GET "+base+"/forms/{form}/versions", access.ReadSubmissions, h.versions)
	route("GET "+base+"/forms/{form}/fields", access.ReadSubmissions, h.fields)
	route("GET "+base+"/forms/{form}/attachments", access.ReadSubmissions, h.formAttachments)
	route("GET "+base+"/forms/{form}/attachments/{name}", access.ReadSubmissions, h.formAttachment)
	route("POST "+base+"/forms/{form}/assignments/{role}/{actor}", access.ManageDevices, h.assign)
	route("GET "+base+"/forms/{form}/assignments", access.ReadSubmissions, h.noAssignments)
	route("GET "+base+"/forms/{form}/draft", access.PublishForms, h.draft)
	route("POST "+base+"/forms/{form}/draft", access.PublishForms, h.saveDraft)
	route("DELETE "+base+"/forms/{form}/draft", access.PublishForms, h.deleteDraft)
	route("GET "+base+"/forms/{form}/draft/fields", access.PublishForms, h.draftFields)
	route("GET "+base+"/forms/{form}/draft/attachments", access.PublishForms, h.draftAttachments)
	route("POST "+base+"/forms/{form}/draft/attachments/{name}", access.PublishForms, h.addDraftAttachment)
	route("DELETE "+base+"/forms/{form}/draft/attachments/{name}", access.PublishForms, h.deleteDraftAttachment)
	route("GET "+base+"/forms/{form}/draft/submissions", access.PublishForms, h.trials)
	route("GET "+base+"/forms/{form}/draft/submissions/{id}/attachments/{name}", access.PublishForms, h.trialMedia)
	route("POST "+base+"/forms/{form}/draft/publish", access.PublishForms, h.publishDraft)
	route("GET "+base+"/forms/{form}/submissions", access.ReadSubmissions, h.submissions)
	route("POST "+base+"/forms/{form}/submissions", access.SendSubmissions, h.createSubmission)
	route("GET "+base+"/forms/{form}/submissions/keys", access.ReadSubmissions, h.noKeys)
	route("GET "+base+"/forms/{form}/submissions/submitters", access.ReadSubmissions, h.submitters)
	route("GET "+base+"/forms/{form}/submissions/{id}", access.ReadSubmissions, h.submission)
	route("PUT "+base+"/forms/{form}/submissions/{id}", access.ReviewSubmissions, h.editSubmission)
	route("PATCH "+base+"/forms/{form}/submissions/{id}", access.ReviewSubmissions, h.review)
	route("GET "+base+"/forms/{form}/submissions/{id}/attachments", access.ReadSubmissions, h.attachments)
	route("GET "+base+"/forms/{form}/submissions/{id}/attachments/{name}", access.ReadSubmissions, h.attachment)
	route("POST "+base+"/forms/{form}/submissions/{id}/attachments/{name}", access.SendSubmissions, h.addAttachment)
	route("GET "+base+"/forms/{form}/submissions/{id}/comments", access.ReadSubmissions, h.comments)
	route("POST "+base+"/forms/{form}/submissions/{id}/comments", access.ReviewSubmissions, h.addComment)
	route("GET "+base+"/forms/{form}/submissions/{id}/versions", access.ReadSubmissions, h.submissionVersions)
	// A form's tables: FORM.svc/TABLE. ServeMux has no pattern for a suffix.
	route("GET "+base+"/forms/{form}/{rest...}", access.ExportData, h.tables)
	route("GET "+base+"/app-users", access.ManageDevices, h.appUsers)
	route("POST "+base+"/app-users", access.ManageDevices, h.addAppUser)
	route("DELETE "+base+"/app-users/{actor}", access.ManageDevices, h.deleteAppUser)
	if h.Points != nil {
		h.pointRoutes(route)
	}
	if h.Entities != nil {
		h.Entities.Table = h.behind(access.ExportData, h.entityTables)
		h.Entities.Register(mux, base, func(fn serve.Func) http.Handler { return h.handle(h.byMethod(fn)) })
		route("GET "+base+"/datasets/{name}/{rest...}", access.ExportData, h.entityTables)
	}
}

// byMethod asks for the right to read what is read and to review what is changed.
func (h *Handler) byMethod(fn serve.Func) serve.Func {
	read, change := h.behind(access.ReadSubmissions, fn), h.behind(access.ReviewSubmissions, fn)
	return func(w http.ResponseWriter, r *http.Request) error {
		if r.Method == http.MethodGet {
			return read(w, r)
		}
		return change(w, r)
	}
}

func (h *Handler) handle(fn serve.Func) http.Handler {
	limit := h.MaxBody
	if limit == 0 {
		limit = 100 << 20
	}
	return serve.MaxBody(limit)(serve.Handle(Problem, fn))
}

// behind lets in who may do a, with their name in the context for the log.
func (h *Handler) behind(a access.Action, fn serve.Func) serve.Func {
	return func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("Cache-Control", "private, no-store")
		u, err := h.user(r)
		if err != nil {
			return err
		}
		ctx := event.WithActor(context.WithValue(r.Context(), userKey{}, u), "user:"+u.Email)
		if a != "" {
			if err := access.Decide(u, a); err != nil {
				if dtm.KindOf(err) == dtm.Forbidden {
					err = cmp.Or(h.Trail.Refused(ctx, u, a, r.Pattern), err)
				}
				return err
			}
		}
		if p := r.PathValue("project"); p != "" && p != "1" {
			return dtm.Errorf(dtm.NotFound, "there is no project %q; this server has project 1", p).Coded("project.unknown", p)
		}
		return fn(w, r.WithContext(ctx))
	}
}

type userKey struct{}

// asker is the user of the request.
func asker(r *http.Request) dtm.User {
	u, _ := r.Context().Value(userKey{}).(dtm.User)
	return u
}

// problem is the shape of ODK Central's errors.
type problem struct {
	Code    float64 `json:"code"`
	Message string  `json:"message"`
	Details any     `json:"details,omitempty"`
}

// Problem writes an error as ODK Central does: its code is the status with a decimal
// that says which case of it.
func Problem(w http.ResponseWriter, r *http.Request, status int, err error) {
	var e *dtm.Error
	code := ""
	if errors.As(err, &e) {
		code = e.Code
	}
	p := problem{Message: dtm.Public(err)}
	switch kind := dtm.KindOf(err); {
	case kind == dtm.Unauthenticated:
		status, p.Code = http.StatusUnauthorized, 401.2
	case kind == dtm.Forbidden:
		p.Code = 403.1
	case kind == dtm.NotFound && code == "form.version_unknown":
		p.Code = 404.6
	case kind == dtm.NotFound && code == "submission.deprecated_unknown":
		p.Code = 404.5
	case kind == dtm.NotFound:
		p.Code = 404.1
	case kind == dtm.Conflict && code == "submission.conflict":
		p.Code = 409.1
	case kind == dtm.Conflict && (code == "submission.superseded" || code == "submission.not_current" || code == "review.superseded"):
		p.Code = 409.9
	case kind == dtm.Conflict && code == "form.closed":
		p.Code = 409.2
	case kind == dtm.Conflict && code == "form.conflict":
		p.Code = 409.6
	case kind == dtm.Conflict:
		p.Code = 409.3
	case kind == dtm.Unsupported && (strings.HasPrefix(code, "odata.") || code == "central.not_here"):
		status, p.Code = http.StatusNotImplemented, 501.1
	case kind == dtm.Invalid && code == "form.warnings":
		p.Code = 400.16
	case kind == dtm.Invalid && strings.HasPrefix(code, "form."):
		p.Code = 400.15
	case kind == dtm.Invalid && code == "json.malformed":
		p.Code = 400.1
	case kind == dtm.Invalid:
		p.Code = 400.8
	case status == http.StatusInternalServerError:
		p.Code = 500.1
	default:
		p.Code = float64(status) + 0.1
	}
	if e != nil && e.Kind != dtm.Internal {
		p.Details = map[string]any{"code": e.Code, "where": e.Where, "arguments": e.Args}
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(p)
}

// actorID is an actor's number in this API. Clients want numbers; ours are names.
func (h *Handler) actorID(actor string) int {
	if h.Entities != nil {
		return h.Entities.Actor(actor)
	}
	return (&Datasets{}).Actor(actor)
}

// span reads limit and offset.
func span(r *http.Request) (limit, offset int, err error) {
	for key, into := range map[string]*int{"limit": &limit, "offset": &offset} {
		if s := r.URL.Query().Get(key); s != "" {
			n, e := strconv.Atoi(s)
			if e != nil || n < 0 {
				return 0, 0, dtm.Errorf(dtm.Invalid, "%s takes a whole number, 0 or more, not %q", key, s).At(key).Coded("central.number", key, s)
			}
			*into = n
		}
	}
	return limit, offset, nil
}

// Sizes in bytes of what is read whole into memory: a request may be larger only when
// its body goes to disk.
const (
	maxJSON = 1 << 20
	maxXML  = 8 << 20 // answers, as for phones
	maxForm = 16 << 20
)

func read(r *http.Request, most int64) ([]byte, error) {
	b, err := serve.ReadAll(r.Context(), r.Body, most)
	if err != nil {
		return nil, serve.BodyError(err)
	}
	return b, nil
}

func readJSON(r *http.Request, into any) error {
	b, err := read(r, maxJSON)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, into); err != nil {
		return dtm.Errorf(dtm.Invalid, "the request is not the JSON that is expected here: %w", err).Coded("json.malformed")
	}
	return nil
}
