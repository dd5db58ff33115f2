package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"

	"dtm"
	"dtm/gather/openrosa"
	"dtm/gather/xform"
)

// trials keeps what phones sent while trying drafts: apart from the real records,
// the newest of each draft, until the program ends.
type trials struct {
	mu   sync.Mutex
	sent map[string][]dtm.Submission // by the draft's token, newest first
}

// maxTrials is how many test records of a draft are kept.
const maxTrials = 100

func (t *trials) of(token string) []dtm.Submission {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.sent[token])
}

// trial answers a phone that tries a draft, as the protocol would for a form that is
// published.
func (h *house) trial(w http.ResponseWriter, r *http.Request) {
	d, err := h.db.DraftByToken(r.Context(), r.PathValue("token"))
	if err == nil && d.ID != r.PathValue("form") {
		err = dtm.Errorf(dtm.NotFound, "this code is for another form").Coded("form.unknown", r.PathValue("form"))
	}
	t := tried{h: h, draft: d, err: err}
	phone := &openrosa.Handler{Forms: t, Devices: t, Submissions: t, Blobs: t, Head: head, Trial: true, Base: h.config.BaseURL, Lang: h.op.Languages[0], MaxRequest: h.config.MaxUpload << 20,
		Expected: func(f dtm.Form, xml []byte) []string {
			m, err := xform.ReadModel(f.XForm)
			if err != nil {
				return nil
			}
			return xform.FilesOf(m, xml)
		},
		Entities: h.db, Reads: h.forms.reads}
	mux := http.NewServeMux()
	phone.Register(mux)
	mux.ServeHTTP(w, r)
}

// runFormTry saves a draft of a form and prints how phones try it.
func runFormTry(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	lang := langFlag(fs)
	args, err := c.parse(fs, 1, -1)
	if err != nil {
		return err
	}
	h, done, err := c.open(ctx, *data)
	if err != nil {
		return err
	}
	defer done()
	source, media, err := c.formFiles(args)
	if err != nil {
		return err
	}
	form, err := c.formOf(ctx, args[0], source, media, dtm.Lang(*lang))
	if err != nil {
		return err
	}
	d, err := h.db.SaveDraft(ctx, form)
	if err != nil {
		return err
	}
	base := h.baseURL() + openrosa.TrialPath(d.Token, d.ID)
	settings, err := openrosa.Settings(base, d.Title+" (test)", "")
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "draft of %s version %s\n%s\n\n", d.ID, d.Version, base)
	fmt.Fprintln(c.out, "In ODK Collect: add a project, scan this code. What is sent from it is kept apart from the records, and only until the server stops.")
	c.code(settings)
	return nil
}

// tried is one draft to the protocol: its only form, its token a device, its records
// kept apart. err is why there is none.
type tried struct {
	h     *house
	draft dtm.Draft
	err   error
}

func (t tried) form() dtm.Form {
	f := t.draft.Form
	f.Published = t.draft.Updated
	return f
}

func (t tried) Publish(context.Context, dtm.Form) error {
	return dtm.Errorf(dtm.Unsupported, "a draft is not published by a phone")
}

func (t tried) Forms(context.Context) ([]dtm.Form, error) { return []dtm.Form{t.form()}, t.err }

func (t tried) Form(_ context.Context, id, version string) (dtm.Form, error) {
	if t.err != nil {
		return dtm.Form{}, t.err
	}
	if f := t.form(); id == f.ID && (version == "" || version == f.Version) {
		return f, nil
	}
	return dtm.Form{}, dtm.Errorf(dtm.NotFound, "the draft has changed since; get the form again").Coded("form.unknown", id)
}

func (t tried) AddDevice(context.Context, string, string) (dtm.Device, string, error) {
	return dtm.Device{}, "", dtm.Errorf(dtm.Unsupported, "a draft has no devices")
}

func (t tried) DeviceByToken(context.Context, string) (dtm.Device, error) {
	return dtm.Device{ID: "draft:" + t.draft.ID, Name: t.draft.Title}, t.err
}

func (t tried) Devices(context.Context) ([]dtm.Device, error) { return nil, nil }

func (t tried) RevokeDevice(context.Context, string) error {
	return dtm.Errorf(dtm.Unsupported, "a draft has no devices")
}

func (t tried) Receive(_ context.Context, s dtm.Submission) (dtm.Receipt, error) {
	t.h.trials.mu.Lock()
	defer t.h.trials.mu.Unlock()
	if t.h.trials.sent == nil {
		t.h.trials.sent = map[string][]dtm.Submission{}
	}
	list := t.h.trials.sent[t.draft.Token]
	if i := slices.IndexFunc(list, func(x dtm.Submission) bool { return x.ID == s.ID }); i >= 0 {
		if !bytes.Equal(list[i].XML, s.XML) {
			return dtm.Receipt{}, dtm.Errorf(dtm.Conflict, "test record %s was sent before with other content", s.ID).Coded("submission.conflict", s.ID)
		}
		for _, a := range s.Attachments {
			if !slices.ContainsFunc(list[i].Attachments, func(b dtm.Attachment) bool { return a.Name == b.Name }) {
				list[i].Attachments = append(list[i].Attachments, a)
			}
		}
		return dtm.Receipt{}, nil
	}
	s.Received, s.State = t.h.now(), "received"
	t.h.trials.sent[t.draft.Token] = append([]dtm.Submission{s}, list[:min(len(list), maxTrials-1)]...)
	return dtm.Receipt{New: true}, nil
}

func (t tried) Submission(_ context.Context, id string) (dtm.Submission, error) {
	for _, s := range t.h.trials.of(t.draft.Token) {
		if s.ID == id {
			return s, nil
		}
	}
	return dtm.Submission{}, dtm.Errorf(dtm.NotFound, "there is no test record %s", id).Coded("submission.unknown", id)
}

func (t tried) Submissions(context.Context, dtm.SubmissionFilter) ([]dtm.Submission, int, error) {
	list := t.h.trials.of(t.draft.Token)
	return list, len(list), nil
}

func (t tried) Conflicts(context.Context, string) ([]dtm.Submission, error) { return nil, nil }

func (t tried) Flag(context.Context, string, []dtm.Flag) error { return nil }

// Put takes a test record's photo for granted: what it shows is not kept.
func (t tried) Put(_ context.Context, r io.Reader) (string, int64, error) {
	sum := sha256.New()
	n, err := io.Copy(sum, r)
	return "sha256:" + hex.EncodeToString(sum.Sum(nil)), n, err
}

func (t tried) Open(context.Context, string) (io.ReadSeekCloser, error) {
	return nil, errors.Join(dtm.Errorf(dtm.NotFound, "photos of test records are not kept"))
}
