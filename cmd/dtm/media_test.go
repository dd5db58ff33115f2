package main

import (
	"bytes"
	"context"
	"image"
	"image/jpeg"
	"io"
	"io/fs"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"dtm"
	"dtm/gather/openrosa"
	"dtm/serve"
)

// published publishes an XLSForm as its manager does, and gives its version.
func (s *screened) published(manager *visitor, id string, sheets map[string][][]string) string {
	s.t.Helper()
	file := filepath.Join(s.t.TempDir(), id+".xlsx")
	workbook(s.t, file, sheets)
	book, err := os.ReadFile(file)
	if err != nil {
		s.t.Fatal(err)
	}
	r, err := http.NewRequest("POST", manager.base+"/v1/projects/1/forms?publish=true&ignoreWarnings=true", bytes.NewReader(book))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
	r.Header.Set("Authorization", "Bearer "+manager.Jar.(jar)[0].Value)
	if status, body := manager.read(manager.Do(r)); status != http.StatusOK {
		s.t.Fatalf("%d %s", status, body)
	}
	f, err := s.h.db.Form(s.t.Context(), id, "")
	if err != nil {
		s.t.Fatal(err)
	}
	return f.Version
}

// sent is what a phone sends: answers and files, each with the type it says.
func (s *screened) sent(base, token, xml string, files ...[3]string) (int, string) {
	s.t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	part := func(name, kind, data string) {
		quoted := strings.NewReplacer("\\", "\\\\", `"`, "%22").Replace(name)
		x, err := w.CreatePart(textproto.MIMEHeader{"Content-Disposition": {`form-data; name="` + quoted + `"; filename="` + quoted + `"`}, "Content-Type": {kind}})
		if err != nil {
			s.t.Fatal(err)
		}
		io.WriteString(x, data)
	}
	part("xml_submission_file", "text/xml", xml)
	for _, f := range files {
		part(f[0], f[1], f[2])
	}
	if err := w.Close(); err != nil {
		s.t.Fatal(err)
	}
	r, err := http.NewRequest("POST", base+openrosa.Path(token)+"/submission", &b)
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", w.FormDataContentType())
	r.Header.Set("X-OpenRosa-Version", "1.0")
	return (&visitor{t: s.t}).read(http.DefaultClient.Do(r))
}

// TestMedia: what phones send is given as what it is, never as what it says it is: pictures
// are shown on ground of their own, everything else is kept as a file; nobody sees it who
// has not signed in. Where and by whose camera a picture was taken is nowhere: not in what
// is given, not in the folder.
func TestMedia(t *testing.T) {
	t.Parallel()
	s := newScreened(t)
	base := s.server().URL
	manager := s.visit(base, dtm.User{Email: "m@example.org", Role: dtm.RoleManager})
	version := s.published(manager, "probe", map[string][][]string{
		"survey":   {{"type", "name", "label"}, {"image", "photo", "Photo"}, {"image", "drawn", "Drawn"}, {"file", "page", "Page"}, {"file", "list", "List"}},
		"settings": {{"form_title", "form_id"}, {"Probe", "probe"}},
	})
	_, token, err := s.h.db.AddDevice(t.Context(), "probe", "obock")
	if err != nil {
		t.Fatal(err)
	}
	var plain bytes.Buffer
	if err := jpeg.Encode(&plain, image.NewGray(image.Rect(0, 0, 16, 16)), nil); err != nil {
		t.Fatal(err)
	}
	const where = "11.5886N,43.1456E"
	exif := "Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x00\x00\x00\x00\x00" + where
	shot := "\xff\xd8\xff\xe1\x00" + string(rune(len(exif)+2)) + exif + string(plain.Bytes()[2:])
	if _, err := jpeg.Decode(strings.NewReader(shot)); err != nil {
		t.Fatal(err)
	}
	const script = `<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(2)</script></svg>`
	const id = "uuid:00000000-0000-4000-8000-00000000000a"
	xml := `<data id="probe" version="` + version + `"><photo>p.jpg</photo><drawn>drawn.jpg</drawn><page>page.html</page><list>a"b.csv</list><meta><instanceID>` + id + `</instanceID></meta></data>`
	files := [][3]string{{"p.jpg", "image/jpeg", shot}, {"drawn.jpg", "image/jpeg", script}, {"page.html", "text/html", script}, {`a"b.csv`, "image/svg+xml", script}}
	for range 2 { // the phone was not answered, and sends it all again
		if status, body := s.sent(base, token, xml, files...); status != http.StatusCreated {
			t.Fatal(status, body)
		}
	}
	got, err := s.h.db.Submission(t.Context(), id)
	if err != nil || len(got.Attachments) != len(files) {
		t.Fatalf("%d files are kept, %v", len(got.Attachments), err)
	}
	for _, f := range files {
		for _, at := range []string{"/en/staff/submissions/" + id + "/attachments/", "/v1/projects/1/forms/probe/submissions/" + id + "/attachments/"} {
			path := base + at + url.PathEscape(f[0])
			r, err := http.NewRequest("GET", path, nil)
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(at, "/v1/") {
				r.Header.Set("Authorization", "Bearer "+manager.Jar.(jar)[0].Value)
			}
			res, err := manager.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(res.Body)
			res.Body.Close()
			if err != nil || res.StatusCode != http.StatusOK {
				t.Fatal(path, res.StatusCode, err)
			}
			h := res.Header
			inline := strings.HasPrefix(h.Get("Content-Disposition"), "inline")
			if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Content-Security-Policy") != "sandbox; default-src 'none'" || !inline && !strings.HasPrefix(h.Get("Content-Disposition"), "attachment") || h.Get("Set-Cookie") != "" {
				t.Errorf("%s: %v", path, h)
			}
			if inline && (f[0] != "p.jpg" || h.Get("Content-Type") != "image/jpeg") {
				t.Errorf("%s is shown as %s", path, h.Get("Content-Type"))
			}
			if bytes.Contains(b, []byte(where)) {
				t.Errorf("%s says where it was taken", path)
			}
			if f[0] == "p.jpg" && !bytes.Equal(b, plain.Bytes()) {
				t.Errorf("%s: another picture of %d bytes", path, len(b))
			}
			if res, err := http.Get(path); err != nil || res.StatusCode == http.StatusOK && !strings.HasSuffix(res.Request.URL.Path, "/signin") {
				t.Errorf("a stranger gets %s: %v", path, err)
			}
		}
	}
	searched := 0
	err = filepath.WalkDir(s.h.dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(p)
		if bytes.Contains(b, []byte(where)) {
			t.Errorf("%s says where it was taken", p)
		}
		searched++
		return err
	})
	if err != nil || searched < 5 {
		t.Errorf("%d files were searched, %v", searched, err)
	}
}

// TestFormsAreBounded: no page takes more than a form can hold, and what takes files has a
// bound of its own; net/http would write the rest to the disk without end.
func TestFormsAreBounded(t *testing.T) {
	t.Parallel()
	inside(t, real(t), func(_ context.Context, h *house) {
		pages, err := h.pages()
		if err != nil {
			t.Fatal(err)
		}
		mux := h.mux(serve.NewMetrics(), guarded(pages))
		asked := 0
		for _, p := range patterns(pages.(*http.ServeMux)) {
			path, ok := strings.CutPrefix(p, "POST /en/")
			if !ok {
				continue
			}
			path = "/en/" + regexp.MustCompile(`\{(\w+)(\.\.\.)?\}`).ReplaceAllString(strings.ReplaceAll(path, "{$}", ""), "none")
			for _, known := range []bool{true, false} {
				const most = 1 << 30
				body := &gulped{r: io.MultiReader(strings.NewReader("--b\r\nContent-Disposition: form-data; name=\"email\"; filename=\"x\"\r\n\r\n"), io.LimitReader(endless{}, most))}
				r, err := http.NewRequest("POST", path, body)
				if err != nil {
					t.Fatal(err)
				}
				r.Header.Set("Content-Type", "multipart/form-data; boundary=b")
				if r.ContentLength = -1; known {
					r.ContentLength = most
				}
				w := answered(mux, r)
				if body.n > 4<<20 || body.n > 0 && known {
					t.Errorf("%s (length known: %v) reads %d bytes and answers %d", p, known, body.n, w)
				}
				if w != http.StatusRequestEntityTooLarge && w != http.StatusSeeOther { // a stranger is sent to sign in before files are looked at
					t.Errorf("%s (length known: %v): %d", p, known, w)
				}
				if w == http.StatusRequestEntityTooLarge {
					asked++
				}
			}
		}
		if asked < 100 {
			t.Errorf("only %d were refused for their size", asked)
		}
	})
}

type endless struct{}

func (endless) Read(b []byte) (int, error) { return len(b), nil }

// gulped tells how much was read.
type gulped struct {
	r io.Reader
	n int64
}

func (c *gulped) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += int64(n)
	return n, err
}

func answered(h http.Handler, r *http.Request) int {
	w := httptest.NewRecorder()
	r.RequestURI = r.URL.RequestURI()
	h.ServeHTTP(w, r)
	return w.Code
}
