package sqlite

import (
	"context"
	"dtm"
	"path/filepath"
	"testing"
)

func TestSmoke(t *testing.T) {
	ctx := context.Background()
	db, err := Open(ctx, filepath.Join(t.TempDir(), "a b?.db"), Options{Operation: "x"})
	if err != nil {
		t.Fatal(err)
	}
	r, err := db.Receive(ctx, dtm.Submission{ID: "uuid:1", Form: "f", XML: []byte("<a/>"), Attachments: []dtm.Attachment{{Name: "p.jpg", Hash: "sha256:x", Size: 3}}})
	t.Log(r, err)
	r, err = db.Receive(ctx, dtm.Submission{ID: "uuid:1", Form: "f", XML: []byte("<a/>")})
	t.Log(r, err)
	r, err = db.Receive(ctx, dtm.Submission{ID: "uuid:1", Form: "f", XML: []byte("<b/>")})
	t.Log(r, err)
	s, err := db.Submission(ctx, "uuid:1")
	t.Log(s, err)
	l, n, err := db.Submissions(ctx, dtm.SubmissionFilter{})
	t.Log(len(l), n, err)
	d, tok, err := db.AddDevice(ctx, "A", "")
	t.Log(d, tok, len(tok), err)
	t.Log(db.DeviceByToken(ctx, tok))
	t.Log(db.DeviceByToken(ctx, "nope"))
	t.Log(db.Verify(ctx))
	t.Log(db.Publish(ctx, dtm.Form{ID: "f", Version: "1", XForm: []byte("x")}))
	t.Log(db.Forms(ctx))
	t.Log(db.Close())
}
