package central

import (
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"dtm"
	"dtm/access"
	"dtm/gather/xform"
	"dtm/serve"
)

type submissionJSON struct {
	ID           string          `json:"instanceId"`
	Name         *string         `json:"instanceName"`
	Submitter    int             `json:"submitterId"`
	SubmitterOut *actorJSON      `json:"submitter,omitempty"`
	Device       *string         `json:"deviceId"`
	Agent        *string         `json:"userAgent"`
	Review       *string         `json:"reviewState"`
	Created      string          `json:"createdAt"`
	Updated      *string         `json:"updatedAt"`
	Current      *versionOut     `json:"currentVersion,omitempty"`
	Attachments  *[]attachedJSON `json:"attachments,omitempty"`
}

type actorJSON struct {
	ID   int    `json:"id"`
	Type string `json:"type"`
	Name string `json:"displayName"`
}

type versionOut struct {
	ID        string  `json:"instanceId"`
	Name      *string `json:"instanceName"`
	Current   bool    `json:"current"`
	Created   string  `json:"createdAt"`
	Submitter int     `json:"submitterId"`
	Device    *string `json:"deviceId"`
	Agent     *string `json:"userAgent"`
	Form      string  `json:"formVersion,omitempty"`
}

type attachedJSON struct {
	Name   string `json:"name"`
	Exists bool   `json:"exists"`
}

// reviewWord is ODK Central's word for a state of ours, and stateOf ours for theirs.
func reviewWord(s dtm.Submission) string {
	switch s.State {
	case "flagged":
		return "hasIssues"
	case dtm.StateConfirmed:
		return "approved"
	case dtm.StateRejected:
		return "rejected"
	case dtm.StateCorrected:
		return "edited"
	}
	if s.Deprecates != "" {
		return "edited"
	}
	return ""
}

var stateOf = map[string]string{"hasIssues": "flagged", "approved": dtm.StateConfirmed, "rejected": dtm.StateRejected, "edited": dtm.StateCorrected, "received": "received"}

func (h *Handler) submitter(s dtm.Submission) string {
	if s.Device != "" {
		return "device:" + s.Device
	}
	return "user:"
}

func (h *Handler) submissionJSON(s dtm.Submission) submissionJSON {
	out := submissionJSON{ID: s.ID, Submitter: h.actorID(h.submitter(s)), Device: given(s.DeviceID), Review: given(reviewWord(s)), Created: instant(s.Received)}
	out.Current = &versionOut{ID: s.ID, Current: true, Created: out.Created, Submitter: out.Submitter, Device: out.Device, Form: s.Version}
	return out
}

// find returns the newest version of a submission, by its own id or that of one it
// replaced: in ODK Central the first id stands for all.
func (h *Handler) find(r *http.Request) (dtm.Submission, error) {
	ctx := r.Context()
	s, err := h.Submissions.Submission(ctx, r.PathValue("id"))
	if err != nil {
		return s, err
	}
	if s.Form != r.PathValue("form") {
		return s, dtm.Errorf(dtm.NotFound, "form %q has no submission %s", r.PathValue("form"), s.ID).Coded("submission.unknown", s.ID)
	}
	for s.State == "superseded" {
		next, err := h.Stream.Replacement(ctx, s.ID)
		if err != nil {
			return s, err
		}
		if s, err = h.Submissions.Submission(ctx, next); err != nil {
			return s, err
		}
	}
	return s, nil
}

// submissions lists those of a form, newest first; all of them unless limit says
// less.
func (h *Handler) submissions(w http.ResponseWriter, r *http.Request) error {
	form := r.PathValue("form")
	if _, err := h.Forms.Form(r.Context(), form, ""); err != nil {
		return err
	}
	limit, offset, err := span(r)
	if err != nil {
		return err
	}
	out := []submissionJSON{}
	err = h.Stream.Stream(r.Context(), dtm.SubmissionQuery{Form: form, Limit: limit, Skip: offset}, func(list []dtm.Streamed) error {
		for _, s := range list {
			x := h.submissionJSON(s.Submission)
			x.ID = s.Root // the first id stands for all versions
			if extended(r) {
				x.SubmitterOut = &actorJSON{x.Submitter, "field_key", s.Device}
			}
			out = append(out, x)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return answer(w, out)
}

// submission answers submissions/ID and submissions/ID.xml.
func (h *Handler) submission(w http.ResponseWriter, r *http.Request) error {
	id, suffix := cutSuffix(r.PathValue("id"), ".xml")
	r.SetPathValue("id", id)
	s, err := h.find(r)
	if err != nil {
		return err
	}
	if suffix == ".xml" {
		w.Header().Set("Content-Type", "application/xml; charset=utf-8")
		_, err := w.Write(s.XML)
		return err
	}
	out := h.submissionJSON(s)
	out.ID = id
	return answer(w, out)
}

// createSubmission takes XML as a phone would send it.
func (h *Handler) createSubmission(w http.ResponseWriter, r *http.Request) error {
	return h.receive(w, r, "")
}

// editSubmission takes the XML of a later version, whose deprecatedID names the one
// that it replaces.
func (h *Handler) editSubmission(w http.ResponseWriter, r *http.Request) error {
	s, err := h.find(r)
	if err != nil {
		return err
	}
	return h.receive(w, r, s.ID)
}

func (h *Handler) receive(w http.ResponseWriter, r *http.Request, replaces string) error {
	ctx := r.Context()
	body, err := read(r, maxXML)
	if err != nil {
		return err
	}
	s := dtm.Submission{XML: body, DeviceID: r.URL.Query().Get("deviceID")}
	if err := h.Understand(ctx, &s); err != nil {
		return err
	}
	if s.Form != r.PathValue("form") {
		return dtm.Errorf(dtm.Invalid, "this submission is of form %q, not %q", s.Form, r.PathValue("form")).Coded("submission.other_form", s.Form, r.PathValue("form"))
	}
	if s.Deprecates != "" { // an edit, whichever way it is sent
		if err := access.Decide(asker(r), access.ReviewSubmissions); err != nil {
			return err
		}
	}
	if replaces != "" && s.Deprecates != replaces {
		return dtm.Errorf(dtm.Conflict, "the edit names %q as what it replaces, and the current version is %q", s.Deprecates, replaces).Coded("submission.not_current", s.Deprecates, replaces)
	}
	if replaces != "" {
		// What the new answers still name stays with them.
		old, err := h.Submissions.Submission(ctx, replaces)
		if err != nil {
			return err
		}
		for _, a := range old.Attachments {
			if slices.Contains(s.Expected, a.Name) {
				s.Attachments = append(s.Attachments, a)
			}
		}
	}
	if _, err := h.Submissions.Receive(ctx, s); err != nil {
		return err
	}
	if s, err = h.Submissions.Submission(ctx, s.ID); err != nil {
		return err
	}
	return answer(w, h.submissionJSON(s))
}

// review gives a submission a state: {"reviewState": "approved"}.
func (h *Handler) review(w http.ResponseWriter, r *http.Request) error {
	var body map[string]json.RawMessage
	if err := readJSON(r, &body); err != nil {
		return err
	}
	var word *string
	given, asked := body["reviewState"]
	if asked {
		if err := json.Unmarshal(given, &word); err != nil {
			return dtm.Errorf(dtm.Invalid, "the request is not the JSON that is expected here: reviewState is a text or null").At("reviewState").Coded("json.malformed")
		}
	}
	s, err := h.find(r)
	if err != nil {
		return err
	}
	if !asked { // nothing to change
		return answer(w, h.submissionJSON(s))
	}
	state := "received"
	if word != nil {
		known := false
		if state, known = stateOf[*word]; !known {
			return dtm.Errorf(dtm.Invalid, "reviewState is approved, hasIssues, rejected, edited or null, not %q", *word).At("reviewState").Coded("review.state", *word)
		}
	}
	if err := h.Reviews.Review(r.Context(), s.ID, state, ""); err != nil {
		return err
	}
	if s, err = h.Submissions.Submission(r.Context(), s.ID); err != nil {
		return err
	}
	return answer(w, h.submissionJSON(s))
}

func (h *Handler) attachments(w http.ResponseWriter, r *http.Request) error {
	s, err := h.find(r)
	if err != nil {
		return err
	}
	return answer(w, attached(s))
}

func attached(s dtm.Submission) []attachedJSON {
	out := []attachedJSON{}
	for _, e := range s.Expected {
		out = append(out, attachedJSON{e, slices.ContainsFunc(s.Attachments, func(a dtm.Attachment) bool { return a.Name == e })})
	}
	for _, a := range s.Attachments {
		if !slices.Contains(s.Expected, a.Name) {
			out = append(out, attachedJSON{a.Name, true})
		}
	}
	return out
}

func (h *Handler) attachment(w http.ResponseWriter, r *http.Request) error {
	s, err := h.find(r)
	if err != nil {
		return err
	}
	name := r.PathValue("name")
	i := slices.IndexFunc(s.Attachments, func(a dtm.Attachment) bool { return a.Name == name })
	if i < 0 {
		return dtm.Errorf(dtm.NotFound, "submission %s has no file %q", s.ID, name).Coded("submission.file", s.ID, name)
	}
	a := s.Attachments[i]
	f, err := h.Blobs.Open(r.Context(), a.Hash)
	if err != nil {
		return err
	}
	defer f.Close()
	giveAttachment(w, r, a.Name, a.Type, s.Received, f)
	return nil
}

// giveAttachment answers with a file that a phone sent, which runs nowhere.
func giveAttachment(w http.ResponseWriter, r *http.Request, name, kind string, at time.Time, f io.ReadSeeker) {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Security-Policy", "sandbox; default-src 'none'")
	http.ServeContent(w, r, "", at, f)
}

// addAttachment adds a file that the answers name.
func (h *Handler) addAttachment(w http.ResponseWriter, r *http.Request) error {
	ctx, name := r.Context(), r.PathValue("name")
	s, err := h.find(r)
	if err != nil {
		return err
	}
	if !slices.Contains(s.Expected, name) {
		return dtm.Errorf(dtm.NotFound, "the answers of submission %s name no file %q", s.ID, name).Coded("submission.file", s.ID, name)
	}
	hash, size, err := h.Blobs.Put(ctx, r.Body)
	if err != nil {
		return serve.BodyError(err)
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind == "application/octet-stream" || kind == "*/*" {
		if kind, _, err = mime.ParseMediaType(mime.TypeByExtension(path.Ext(name))); err != nil {
			kind = "application/octet-stream"
		}
	}
	again := dtm.Submission{ID: s.ID, Form: s.Form, Version: s.Version, Deprecates: s.Deprecates, XML: s.XML, Expected: s.Expected,
		Attachments: []dtm.Attachment{{Name: name, Type: kind, Size: size, Hash: hash}}}
	if _, err := h.Submissions.Receive(ctx, again); err != nil {
		return err
	}
	return success(w)
}

type commentJSON struct {
	Body    string     `json:"body"`
	Actor   int        `json:"actorId"`
	Created string     `json:"createdAt"`
	Who     *actorJSON `json:"actor,omitempty"`
}

func (h *Handler) commentJSON(c dtm.Comment, more bool) commentJSON {
	out := commentJSON{Body: c.Body, Actor: h.actorID(c.Actor), Created: instant(c.Created)}
	if more {
		out.Who = &actorJSON{out.Actor, "user", strings.TrimPrefix(c.Actor, "user:")}
	}
	return out
}

func (h *Handler) comments(w http.ResponseWriter, r *http.Request) error {
	s, err := h.find(r)
	if err != nil {
		return err
	}
	list, err := h.Reviews.Comments(r.Context(), s.ID)
	if err != nil {
		return err
	}
	out := []commentJSON{}
	for _, c := range list {
		out = append(out, h.commentJSON(c, extended(r)))
	}
	return answer(w, out)
}

const maxComment = 10_000

func (h *Handler) addComment(w http.ResponseWriter, r *http.Request) error {
	var body struct{ Body string }
	if err := readJSON(r, &body); err != nil {
		return err
	}
	if t := strings.TrimSpace(body.Body); t == "" || len(t) > maxComment {
		return dtm.Errorf(dtm.Invalid, "a comment has 1 to %d characters", maxComment).At("body").Coded("comment.length", maxComment)
	}
	s, err := h.find(r)
	if err != nil {
		return err
	}
	c, err := h.Reviews.AddComment(r.Context(), s.ID, body.Body)
	if err != nil {
		return err
	}
	return answer(w, h.commentJSON(c, false))
}

// submissionVersions lists what a submission was, newest first.
func (h *Handler) submissionVersions(w http.ResponseWriter, r *http.Request) error {
	s, err := h.find(r)
	if err != nil {
		return err
	}
	out := []versionOut{}
	for current := true; ; current = false {
		v := h.submissionJSON(s).Current
		v.Current = current
		out = append(out, *v)
		if s.Deprecates == "" {
			return answer(w, out)
		}
		if s, err = h.Submissions.Submission(r.Context(), s.Deprecates); err != nil {
			return err
		}
	}
}

func (h *Handler) submitters(w http.ResponseWriter, r *http.Request) error {
	devices, err := h.Devices.Devices(r.Context())
	if err != nil {
		return err
	}
	names := map[string]string{}
	for _, d := range devices {
		names[d.ID] = d.Name
	}
	seen, out := map[string]bool{}, []actorJSON{}
	err = h.Stream.Stream(r.Context(), dtm.SubmissionQuery{Form: r.PathValue("form")}, func(list []dtm.Streamed) error {
		for _, s := range list {
			if who := h.submitter(s.Submission); !seen[who] {
				seen[who] = true
				out = append(out, actorJSON{h.actorID(who), "field_key", names[s.Device]})
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return answer(w, out)
}

// noKeys: keys managed by the server are not kept here.
func (h *Handler) noKeys(w http.ResponseWriter, _ *http.Request) error { return answer(w, []any{}) }

// FieldsOf lists a form's questions as the API does.
func FieldsOf(f dtm.Form) ([]Field, error) {
	m, err := xform.ReadModel(f.XForm)
	if err != nil {
		return nil, err
	}
	yes := true
	out := []Field{}
	for _, n := range m.Nodes {
		if n == m.Root {
			continue
		}
		_, below, _ := strings.Cut(strings.TrimPrefix(n.Path, "/"), "/")
		x := Field{Path: "/" + below, Name: n.Name, Type: n.Type}
		switch {
		case n.Kind == xform.Repeat:
			x.Type = "repeat"
		case n.Kind == xform.Group:
			x.Type = "structure"
		case n.Type == "select1":
			x.Type = "string"
		case n.Multiple():
			x.Type, x.Multiple = "string", &yes
		case n.Binary():
			x.Binary = &yes
		}
		out = append(out, x)
	}
	return out, nil
}
