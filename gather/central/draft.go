package central

import (
	"bytes"
	"mime"
	"net/http"
	"path"
	"time"

	"dtm"
)

func (h *Handler) answerDraft(w http.ResponseWriter, d dtm.Draft) error {
	out := formOut{Project: 1, ID: d.ID, Name: d.Title, Titles: d.Titles, Version: d.Version, State: dtm.FormOpen, Created: instant(d.Created), DraftToken: &d.Token}
	out.Hash = d.Hash[min(len("md5:"), len(d.Hash)):]
	if d.Updated.After(d.Created) {
		at := instant(d.Updated)
		out.Updated = &at
	}
	return answer(w, out)
}

func (h *Handler) draft(w http.ResponseWriter, r *http.Request) error {
	d, err := h.Drafts.Draft(r.Context(), r.PathValue("form"))
	if err != nil {
		return err
	}
	return h.answerDraft(w, d)
}

// saveDraft takes a new draft; without a body the published version becomes one.
func (h *Handler) saveDraft(w http.ResponseWriter, r *http.Request) error {
	ctx, id := r.Context(), r.PathValue("form")
	var f dtm.Form
	var err error
	if r.ContentLength == 0 {
		f, err = h.Forms.Form(ctx, id, "")
	} else {
		f, err = h.sent(r, id)
	}
	if err != nil {
		return err
	}
	if f.ID != id {
		return dtm.Errorf(dtm.Invalid, "this form calls itself %q, not %q; set form_id in the sheet settings", f.ID, id).Coded("form.other_id", f.ID, id)
	}
	if _, err := h.Drafts.SaveDraft(ctx, f); err != nil {
		return err
	}
	return success(w)
}

func (h *Handler) deleteDraft(w http.ResponseWriter, r *http.Request) error {
	if err := h.Drafts.DeleteDraft(r.Context(), r.PathValue("form")); err != nil {
		return err
	}
	return success(w)
}

func (h *Handler) draftFields(w http.ResponseWriter, r *http.Request) error {
	d, err := h.Drafts.Draft(r.Context(), r.PathValue("form"))
	if err != nil {
		return err
	}
	return h.answerFields(w, d.Form)
}

func (h *Handler) draftAttachments(w http.ResponseWriter, r *http.Request) error {
	d, err := h.Drafts.Draft(r.Context(), r.PathValue("form"))
	if err != nil {
		return err
	}
	at := instant(d.Updated)
	return answer(w, mediaOut(d.Media, &at))
}

func (h *Handler) addDraftAttachment(w http.ResponseWriter, r *http.Request) error {
	data, err := read(r, maxForm)
	if err != nil {
		return err
	}
	name := r.PathValue("name")
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind == "application/octet-stream" || kind == "*/*" {
		kind = mime.TypeByExtension(path.Ext(name))
	}
	if err := h.Drafts.DraftMedia(r.Context(), r.PathValue("form"), name, &dtm.Media{Name: name, Type: kind, Hash: dtm.FileHash(data), Data: data}); err != nil {
		return err
	}
	return success(w)
}

func (h *Handler) deleteDraftAttachment(w http.ResponseWriter, r *http.Request) error {
	if err := h.Drafts.DraftMedia(r.Context(), r.PathValue("form"), r.PathValue("name"), nil); err != nil {
		return err
	}
	return success(w)
}

// publishDraft makes the draft the current version, with ?version= under another
// name.
func (h *Handler) publishDraft(w http.ResponseWriter, r *http.Request) error {
	ctx, id := r.Context(), r.PathValue("form")
	d, err := h.Drafts.Draft(ctx, id)
	if err != nil {
		return err
	}
	f := d.Form
	if v := r.URL.Query().Get("version"); v != "" && v != f.Version {
		if f, err = named(f, v); err != nil {
			return err
		}
	}
	if err := h.Drafts.PublishDraft(ctx, f); err != nil {
		return err
	}
	return success(w)
}

// trials lists what phones sent while trying the draft.
func (h *Handler) trials(w http.ResponseWriter, r *http.Request) error {
	d, err := h.Drafts.Draft(r.Context(), r.PathValue("form"))
	if err != nil {
		return err
	}
	list, err := h.Drafts.Trials(r.Context(), d.ID)
	if err != nil {
		return err
	}
	out := []submissionJSON{}
	for _, s := range list {
		x := h.submissionJSON(s)
		files := attached(s)
		x.Attachments = &files
		out = append(out, x)
	}
	return answer(w, out)
}

// trialMedia gives a file of a test record.
func (h *Handler) trialMedia(w http.ResponseWriter, r *http.Request) error {
	m, err := h.Drafts.TrialMedia(r.Context(), r.PathValue("form"), r.PathValue("id"), r.PathValue("name"))
	if err != nil {
		return err
	}
	giveAttachment(w, r, m.Name, m.Type, time.Time{}, bytes.NewReader(m.Data))
	return nil
}
