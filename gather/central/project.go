package central

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"dtm"
)

type projectJSON struct {
	ID          int     `json:"id"`
	Name        string  `json:"name"`
	Description *string `json:"description"`
	Archived    *bool   `json:"archived"`
	Key         *int    `json:"keyId"`
	Created     string  `json:"createdAt"`
	Updated     *string `json:"updatedAt"`
	Deleted     *string `json:"deletedAt"`
	AppUsers    *int    `json:"appUsers,omitempty"`
	Forms       *int    `json:"forms,omitempty"`
	Last        *string `json:"lastSubmission,omitempty"`
}

// theProject is the operation: there is one to a server.
func (h *Handler) theProject(r *http.Request) (projectJSON, error) {
	p := projectJSON{ID: 1, Name: h.Operation.Title.In(dtm.English), Created: "2017-05-01T00:00:00.000Z"}
	if first, err := h.Events.Events(r.Context(), 0, 1); err != nil {
		return p, err
	} else if len(first) > 0 {
		p.Created = instant(first[0].At)
	}
	if !extended(r) {
		return p, nil
	}
	forms, err := h.Forms.Forms(r.Context())
	if err != nil {
		return p, err
	}
	devices, err := h.Devices.Devices(r.Context())
	if err != nil {
		return p, err
	}
	last, _, err := h.Submissions.Submissions(r.Context(), dtm.SubmissionFilter{Limit: 1})
	if err != nil {
		return p, err
	}
	n, open := len(forms), 0
	for _, d := range devices {
		if d.Revoked == nil {
			open++
		}
	}
	p.Forms, p.AppUsers = &n, &open
	if len(last) > 0 {
		at := instant(last[0].Received)
		p.Last = &at
	}
	return p, nil
}

func (h *Handler) projects(w http.ResponseWriter, r *http.Request) error {
	p, err := h.theProject(r)
	if err != nil {
		return err
	}
	return answer(w, []projectJSON{p})
}

func (h *Handler) project(w http.ResponseWriter, r *http.Request) error {
	p, err := h.theProject(r)
	if err != nil {
		return err
	}
	return answer(w, p)
}

type appUserJSON struct {
	ID      int     `json:"id"`
	Type    string  `json:"type"`
	Name    string  `json:"displayName"`
	Created string  `json:"createdAt"`
	Updated *string `json:"updatedAt"`
	Deleted *string `json:"deletedAt"`
	Token   *string `json:"token"` // shown once: later it says only that there is one
	Project int     `json:"projectId"`
}

func (h *Handler) appUserJSON(d dtm.Device, token string) appUserJSON {
	out := appUserJSON{ID: h.actorID("device:" + d.ID), Type: "field_key", Name: d.Name, Created: instant(d.Created), Project: 1}
	if d.Revoked == nil {
		out.Token = &token
	}
	return out
}

// kept stands for a token that is stored as a hash only.
const kept = "shown-once"

func (h *Handler) appUsers(w http.ResponseWriter, r *http.Request) error {
	list, err := h.Devices.Devices(r.Context())
	if err != nil {
		return err
	}
	out := []appUserJSON{}
	for _, d := range list {
		out = append(out, h.appUserJSON(d, kept))
	}
	return answer(w, out)
}

func (h *Handler) addAppUser(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Name  string `json:"displayName"`
		Point string `json:"point"` // ours: where it is used
	}
	if err := readJSON(r, &body); err != nil {
		return err
	}
	if body.Point != "" {
		code, ok := h.Operation.ResolvePoint(body.Point)
		if !ok {
			return dtm.Errorf(dtm.Invalid, "there is no point %q", body.Point).At("point").Coded("point.none", body.Point)
		}
		body.Point = code
	}
	d, token, err := h.Devices.AddDevice(r.Context(), body.Name, body.Point)
	if err != nil {
		return err
	}
	return answer(w, h.appUserJSON(d, token))
}

// device finds the one of a number.
func (h *Handler) device(r *http.Request, id string) (dtm.Device, error) {
	list, err := h.Devices.Devices(r.Context())
	if err != nil {
		return dtm.Device{}, err
	}
	i := slices.IndexFunc(list, func(d dtm.Device) bool { return id == itoa(h.actorID("device:"+d.ID)) })
	if i < 0 {
		return dtm.Device{}, dtm.Errorf(dtm.NotFound, "there is no device %s in use", id).Coded("device.none", id)
	}
	return list[i], nil
}

func (h *Handler) deleteAppUser(w http.ResponseWriter, r *http.Request) error {
	d, err := h.device(r, r.PathValue("actor"))
	if err != nil {
		return err
	}
	if err := h.Devices.RevokeDevice(r.Context(), d.ID); err != nil {
		return err
	}
	return success(w)
}

// assign: every device gets every form; an assignment to one that is there is granted
// already.
func (h *Handler) assign(w http.ResponseWriter, r *http.Request) error {
	if _, err := h.Forms.Form(r.Context(), r.PathValue("form"), ""); err != nil {
		return err
	}
	if _, err := h.device(r, r.PathValue("actor")); err != nil {
		return err
	}
	return success(w)
}

func (h *Handler) noAssignments(w http.ResponseWriter, _ *http.Request) error {
	return answer(w, []any{})
}

type logJSON struct {
	Actor   int             `json:"actorId"`
	Action  string          `json:"action"`
	Acted   string          `json:"actee"`
	Details json.RawMessage `json:"details"`
	At      string          `json:"loggedAt"`
}

// audits gives the log, newest first. The filter is asked before the page is cut:
// limit and offset count what it finds.
func (h *Handler) audits(w http.ResponseWriter, r *http.Request) error {
	limit, offset, err := span(r)
	if err != nil {
		return err
	}
	if limit == 0 || limit > 1000 {
		limit = 1000
	}
	f := dtm.EventFilter{Name: r.URL.Query().Get("action"), Limit: limit, Offset: offset}
	for key, into := range map[string]*time.Time{"start": &f.From, "end": &f.To} {
		if s := r.URL.Query().Get(key); s != "" {
			if *into, err = time.Parse(time.RFC3339, s); err != nil {
				return dtm.Errorf(dtm.Invalid, "%s takes a time like 2026-11-24T06:12:03Z, not %q", key, s).At(key).Coded("central.time", key, s)
			}
		}
	}
	list, err := h.Audit.FindEvents(r.Context(), f)
	if err != nil {
		return err
	}
	out := []logJSON{}
	for _, e := range list {
		out = append(out, logJSON{h.actorID(e.Actor), e.Name, e.Subject, json.RawMessage(e.Detail), instant(e.At)})
	}
	return answer(w, out)
}

// cutSuffix cuts one of the suffixes.
func cutSuffix(s string, suffixes ...string) (string, string) {
	for _, x := range suffixes {
		if cut, ok := strings.CutSuffix(s, x); ok {
			return cut, x
		}
	}
	return s, ""
}
