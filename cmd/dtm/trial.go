package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"time"

	"dtm"
	"dtm/gather/openrosa"
	"dtm/gather/photo"
	"dtm/gather/xform"
)

// trial answers a phone that tries a draft, as the protocol would for a form that is
// published.
func (h *house) trial(w http.ResponseWriter, r *http.Request) {
	d, err := h.db.DraftByToken(r.Context(), r.PathValue("token"))
	if err == nil && d.ID != r.PathValue("form") {
		err = dtm.Errorf(dtm.NotFound, "this code is for another form").Coded("form.unknown", r.PathValue("form"))
	}
	t := &tried{h: h, draft: d, err: err, files: map[string][]byte{}}
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
	settings, err := openrosa.Settings(base, d.TitleIn(dtm.Lang(*lang))+" (test)", "")
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "draft of %s version %s\n%s\n\n", d.ID, d.Version, base)
	fmt.Fprintln(c.out, "In ODK Collect: add a project, scan this code. What is sent from it is a test record: kept with the draft, counted nowhere, erased when the draft is published or discarded.")
	fmt.Fprintf(c.out, "The code ends on %s.\n", d.Until.In(h.op.Zone).Format(time.DateOnly))
	c.code(settings)
	return nil
}

// tried is one draft to the protocol: its only form, its token a device, its records
// kept apart. err is why there is none. It lives as long as one request.
type tried struct {
	h     *house
	draft dtm.Draft
	err   error
	files map[string][]byte // what the request brought, by hash
}

func (t *tried) form() dtm.Form {
	f := t.draft.Form
	f.Published = t.draft.Updated
	return f
}

func (t *tried) Publish(context.Context, dtm.Form) error {
	return dtm.Errorf(dtm.Unsupported, "a draft is not published by a phone")
}

func (t *tried) Forms(context.Context) ([]dtm.Form, error) { return []dtm.Form{t.form()}, t.err }

func (t *tried) Form(_ context.Context, id, version string) (dtm.Form, error) {
	if t.err != nil {
		return dtm.Form{}, t.err
	}
	if f := t.form(); id == f.ID && (version == "" || version == f.Version) {
		return f, nil
	}
	return dtm.Form{}, dtm.Errorf(dtm.NotFound, "the draft has changed since; get the form again").Coded("form.unknown", id)
}

func (t *tried) AddDevice(context.Context, string, string) (dtm.Device, string, error) {
	return dtm.Device{}, "", dtm.Errorf(dtm.Unsupported, "a draft has no devices")
}

func (t *tried) DeviceByToken(context.Context, string) (dtm.Device, error) {
	return dtm.Device{ID: "draft:" + t.draft.ID, Name: t.draft.Title}, t.err
}

func (t *tried) Devices(context.Context) ([]dtm.Device, error) { return nil, nil }

func (t *tried) RevokeDevice(context.Context, string) error {
	return dtm.Errorf(dtm.Unsupported, "a draft has no devices")
}

func (t *tried) Receive(ctx context.Context, s dtm.Submission) (dtm.Receipt, error) {
	var files []dtm.Media
	for _, a := range s.Attachments {
		if data, ok := t.files[a.Hash]; ok {
			files = append(files, dtm.Media{Name: a.Name, Type: a.Type, Hash: a.Hash, Data: data})
		}
	}
	return t.h.db.ReceiveTrial(ctx, t.draft.ID, s, files)
}

func (t *tried) Submission(ctx context.Context, id string) (dtm.Submission, error) {
	list, err := t.h.db.Trials(ctx, t.draft.ID)
	if err != nil {
		return dtm.Submission{}, err
	}
	for _, s := range list {
		if s.ID == id {
			return s, nil
		}
	}
	return dtm.Submission{}, dtm.Errorf(dtm.NotFound, "there is no test record %s", id).Coded("trial.unknown", id)
}

func (t *tried) Submissions(ctx context.Context, _ dtm.SubmissionFilter) ([]dtm.Submission, int, error) {
	list, err := t.h.db.Trials(ctx, t.draft.ID)
	return list, len(list), err
}

func (t *tried) Conflicts(context.Context, string) ([]dtm.Submission, error) { return nil, nil }

func (t *tried) Flag(context.Context, string, []dtm.Flag) error { return nil }

// Put holds a test record's file for Receive, which keeps it with the record. Of one
// too large to be kept it takes the measure only.
func (t *tried) Put(_ context.Context, r io.Reader) (string, int64, error) {
	sum := sha256.New()
	r = photo.Bare(r) // as what is sent in earnest
	head, err := io.ReadAll(io.LimitReader(io.TeeReader(r, sum), dtm.MaxTrialMedia+1))
	if err != nil {
		return "", 0, err
	}
	rest, err := io.Copy(sum, r)
	hash := "sha256:" + hex.EncodeToString(sum.Sum(nil))
	if len(head) <= dtm.MaxTrialMedia {
		t.files[hash] = head
	}
	return hash, int64(len(head)) + rest, err
}

func (t *tried) Open(context.Context, string) (io.ReadSeekCloser, error) {
	return nil, dtm.Errorf(dtm.NotFound, "no phone asks for the photos of test records")
}
