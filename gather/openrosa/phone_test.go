package openrosa_test

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"path/filepath"
	"strings"
	"testing"

	"dtm"
	"dtm/gather/openrosa"
	"dtm/serve"
	"dtm/store/blob"
	"dtm/store/sqlite"
)

// phone is a client that does what ODK Collect does, against a server of real
// rooms: SQLite, files, net/http on a loopback port.
type phone struct {
	t     testing.TB
	db    *sqlite.DB
	blobs *blob.Disk
	h     *openrosa.Handler
	srv   *httptest.Server
	base  string // OpenRosa base of the device, with the server's address
	token string
	dev   dtm.Device

	blobDir string
}

func newPhone(t testing.TB, set ...func(*openrosa.Handler)) *phone {
	t.Helper()
	ctx := context.Background()
	dir := t.TempDir()
	db, err := sqlite.Open(ctx, filepath.Join(dir, "dtm.db"), sqlite.Options{Operation: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	blobs, err := blob.NewDisk(filepath.Join(dir, "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	p := &phone{t: t, db: db, blobs: blobs, blobDir: filepath.Join(dir, "blobs")}
	if p.dev, p.token, err = db.AddDevice(ctx, "phone 1", "OBK"); err != nil {
		t.Fatal(err)
	}
	p.h = &openrosa.Handler{Forms: db, Devices: db, Submissions: db, Blobs: blobs, Head: head, Expected: photos}
	for _, f := range set {
		f(p.h)
	}
	mux := http.NewServeMux()
	p.h.Register(mux)
	p.srv = httptest.NewServer(serve.Chain(mux, serve.Patient(5e9), serve.Identify, serve.Observe(nil, nil),
		serve.Recover(serve.Problem), serve.Security(serve.DefaultCSP), serve.Compress()))
	t.Cleanup(p.srv.Close)
	p.base = p.srv.URL + openrosa.Path(p.token)
	return p
}

// publish publishes a form with one photo question.
func (p *phone) publish(id, version string, media ...dtm.Media) {
	p.t.Helper()
	err := p.db.Publish(context.Background(), dtm.Form{ID: id, Version: version, Title: "Registre " + id,
		XForm: []byte(fmt.Sprintf("<h:html xmlns:h=\"http://www.w3.org/1999/xhtml\"><h:head><h:title>%s %s</h:title></h:head></h:html>", id, version)),
		Media: media})
	if err != nil {
		p.t.Fatal(err)
	}
}

// instance is what a phone sends: a filled form.
func instance(form, version, id, photo, note string) []byte {
	return []byte(fmt.Sprintf(`<?xml version='1.0' ?><data id="%s" version="%s" xmlns:orx="http://openrosa.org/xforms"><note>%s</note><photo>%s</photo><orx:meta><orx:instanceID>%s</orx:instanceID></orx:meta></data>`,
		form, version, note, photo, id))
}

// file is a part of a request.
type file struct{ field, name, typ, content string }

// body writes parts as Collect does: the answers first, files after.
func body(xmlFile []byte, files ...file) (contentType string, b *bytes.Buffer) {
	b = &bytes.Buffer{}
	w := multipart.NewWriter(b)
	part := func(field, name, typ string, content []byte) {
		h := textproto.MIMEHeader{}
		// OkHttp writes UTF-8 as it is and escapes quotation marks.
		d := `form-data; name="` + strings.ReplaceAll(field, `"`, "%22") + `"`
		if name != "" {
			d += `; filename="` + strings.ReplaceAll(name, `"`, "%22") + `"`
		}
		h.Set("Content-Disposition", d)
		if typ != "" {
			h.Set("Content-Type", typ)
		}
		p, _ := w.CreatePart(h)
		p.Write(content)
	}
	if xmlFile != nil {
		part("xml_submission_file", "instance.xml", "text/xml; charset=utf-8", xmlFile)
	}
	for _, f := range files {
		part(f.field, f.name, f.typ, []byte(f.content))
	}
	w.Close()
	return w.FormDataContentType(), b
}

// answer is what came back.
type answer struct {
	status  int
	header  http.Header
	body    string
	message string
}

func (p *phone) do(method, url string, b io.Reader, header ...string) answer {
	p.t.Helper()
	r, err := http.NewRequest(method, url, b)
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("X-OpenRosa-Version", "1.0")
	r.Header.Set("Date", "Mon, 23 Nov 2026 03:12:55 GMT+03:00") // Collect's own, not that of RFC 9110
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := p.srv.Client().Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	a := answer{status: res.StatusCode, header: res.Header, body: string(text)}
	var m struct {
		XMLName xml.Name `xml:"http://openrosa.org/http/response OpenRosaResponse"`
		Message string   `xml:"message"`
	}
	if xml.Unmarshal(text, &m) == nil {
		a.message = m.Message
	}
	return a
}

func (p *phone) get(path string, header ...string) answer {
	p.t.Helper()
	return p.do("GET", p.base+path, nil, header...)
}

func (p *phone) post(x []byte, files ...file) answer {
	p.t.Helper()
	typ, b := body(x, files...)
	return p.do("POST", p.base+"/submission?deviceID=collect%3Aabc", b, "Content-Type", typ)
}

func (p *phone) stored(id string) dtm.Submission {
	p.t.Helper()
	s, err := p.db.Submission(context.Background(), id)
	if err != nil {
		p.t.Fatal(err)
	}
	return s
}

func (p *phone) count() int {
	p.t.Helper()
	_, n, err := p.db.Submissions(context.Background(), dtm.SubmissionFilter{Limit: 1})
	if err != nil {
		p.t.Fatal(err)
	}
	return n
}

func TestPhoneSendsPhoto(t *testing.T) {
	t.Parallel()
	p := newPhone(t)
	p.publish("fmr", "1")

	if a := p.do("HEAD", p.base+"/submission", nil); a.status != 204 || a.body != "" || a.header.Get("X-OpenRosa-Version") != "1.0" {
		t.Fatalf("HEAD /submission = %d %q %v", a.status, a.body, a.header)
	}
	x := instance("fmr", "1", "uuid:1", "é ب.jpg", "ok")
	photo := file{"é ب.jpg", "é ب.jpg", "image/jpeg", strings.Repeat("J", 70_000)}
	if a := p.post(x, photo); a.status != 201 || a.message == "" {
		t.Fatalf("first = %d %s", a.status, a.body)
	}
	s := p.stored("uuid:1")
	if !bytes.Equal(s.XML, x) || s.Device != p.dev.ID || s.DeviceID != "collect:abc" || s.Form != "fmr" || s.Version != "1" {
		t.Errorf("stored %+v", s)
	}
	if len(s.Attachments) != 1 || s.Attachments[0].Name != photo.name || s.Attachments[0].Type != "image/jpeg" || s.Attachments[0].Size != 70_000 {
		t.Fatalf("attachments %+v", s.Attachments)
	}
	f, err := p.blobs.Open(context.Background(), s.Attachments[0].Hash)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if b, _ := io.ReadAll(f); string(b) != photo.content {
		t.Error("the photo is not what was sent")
	}

	events, _ := p.db.Events(context.Background(), 0, 1000)
	if a := p.post(x, photo); a.status != 201 {
		t.Errorf("again = %d %s", a.status, a.body)
	}
	if again, _ := p.db.Events(context.Background(), 0, 1000); len(again) != len(events) || p.count() != 1 {
		t.Errorf("the repeat stored something: %v", again[len(events):])
	}

	other := instance("fmr", "1", "uuid:1", "é ب.jpg", "changed")
	if a := p.post(other, photo); a.status != 409 || !strings.Contains(a.message, "uuid:1") {
		t.Errorf("other content = %d %s", a.status, a.body)
	}
	kept, err := p.db.Conflicts(context.Background(), "uuid:1")
	if err != nil || len(kept) != 1 || !bytes.Equal(kept[0].XML, other) || !bytes.Equal(p.stored("uuid:1").XML, x) {
		t.Errorf("not both versions are kept: %v %v", kept, err)
	}
	if err := p.db.Verify(context.Background()); err != nil {
		t.Error(err)
	}
}
