package openrosa_test

import (
	"bytes"
	"context"
	"encoding/xml"
	"mime"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dtm"
	"dtm/gather/openrosa"
	"dtm/store/blob"
	"dtm/store/sqlite"
)

// Whatever is posted: the handler does not fall over, answers with a status that
// the protocol has and a message, stores what it says it stored and nothing else.
// The store is in the coverage too, so run it with -fuzzminimizetime=1x.
func FuzzSubmission(f *testing.F) {
	typ, b := body(instance("fmr", "1", "uuid:1", "p.jpg", "x"), file{"p.jpg", "p.jpg", "image/jpeg", "photo"})
	_, params, err := mime.ParseMediaType(typ)
	if err != nil {
		f.Fatal(err)
	}
	boundary := params["boundary"]
	good := strings.ReplaceAll(b.String(), boundary, "B")
	const form = "multipart/form-data; boundary=B"
	f.Add(form, []byte(good))
	f.Add(form, []byte(good[:len(good)/2]))
	f.Add(form, []byte(strings.ReplaceAll(good, "\r\n", "\n")))
	f.Add(form, []byte(strings.ReplaceAll(good, "form-data", "attachment")))
	f.Add(form, []byte(strings.Replace(good, "text/xml", "multipart/mixed; boundary=C", 1)))
	f.Add(form, []byte(strings.Replace(good, "<note>", "<!DOCTYPE x><note>", 1)))
	f.Add(form, []byte(strings.ReplaceAll(good, "p.jpg", "../../\x00p\xff%22.jpg")))
	f.Add("multipart/form-data", []byte(good))
	f.Add("multipart/form-data; boundary=\"\"", []byte(good))
	f.Add("text/xml", []byte("<data/>"))
	f.Add(form, []byte("--B\r\nContent-Disposition: form-data; name=\"xml_submission_file\"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<data=20id=3D\"fmr\"/>\r\n--B--"))

	ctx := context.Background()
	dir := f.TempDir()
	db, err := sqlite.Open(ctx, filepath.Join(dir, "dtm.db"), sqlite.Options{Operation: "test"})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { db.Close() })
	blobs, err := blob.NewDisk(filepath.Join(dir, "blobs"))
	if err != nil {
		f.Fatal(err)
	}
	if err := db.Publish(ctx, dtm.Form{ID: "fmr", Version: "1", XForm: []byte("<x/>")}); err != nil {
		f.Fatal(err)
	}
	_, token, err := db.AddDevice(ctx, "fuzz", "")
	if err != nil {
		f.Fatal(err)
	}
	h := &openrosa.Handler{Forms: db, Devices: db, Submissions: db, Blobs: blobs, Head: head, Expected: photos, MaxRequest: 1 << 20}
	mux := http.NewServeMux()
	h.Register(mux)

	f.Fuzz(func(t *testing.T, contentType string, b []byte) {
		_, before, err := db.Submissions(ctx, dtm.SubmissionFilter{Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest("POST", openrosa.Path(token)+"/submission", bytes.NewReader(b))
		r.Header.Set("Content-Type", contentType)
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		var m struct {
			XMLName xml.Name `xml:"http://openrosa.org/http/response OpenRosaResponse"`
			Message string   `xml:"message"`
		}
		if err := xml.Unmarshal(w.Body.Bytes(), &m); err != nil || m.Message == "" {
			t.Fatalf("answer %d %q is no OpenRosa message: %v", w.Code, w.Body, err)
		}
		list, after, err := db.Submissions(ctx, dtm.SubmissionFilter{Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		switch w.Code {
		case 201:
			if after > before && len(list[0].XML) == 0 {
				t.Error("a submission without content was stored")
			}
			for _, a := range list[0].Attachments {
				if f, err := blobs.Open(ctx, a.Hash); err != nil {
					t.Errorf("attachment %q: %v", a.Name, err)
				} else {
					f.Close()
				}
				if strings.ContainsAny(a.Name, "/") || a.Name == ".." || a.Name == "" {
					t.Errorf("attachment name %q", a.Name)
				}
			}
		case 400, 404, 409, 413, 415:
			if after != before {
				t.Errorf("answered %d and stored it", w.Code)
			}
		default:
			t.Errorf("status %d: %s", w.Code, w.Body)
		}
		files, err := os.ReadDir(filepath.Join(dir, "blobs", "coming"))
		if err != nil || len(files) > 0 {
			t.Errorf("half-written files are left: %v %v", files, err)
		}
	})
}
