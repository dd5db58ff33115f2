package openrosa_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dtm"
	"dtm/gather/openrosa"
	"dtm/internal/collect"
)

// TestRules lists what collect.md 1 asks of a server, by its numbers, each as a
// conversation with a phone. Rules with more to say have tests of their own beside
// it, TestRule11 to TestRule19.
func TestRules(t *testing.T) {
	t.Parallel()
	photo := file{"p.jpg", "p.jpg", "image/jpeg", "photo"}
	good := func(id string) []byte { return instance("fmr", "1", id, "p.jpg", "") }
	for _, c := range []struct {
		rule string
		say  func(p *phone) answer
		want int
		then func(t *testing.T, p *phone, a answer)
	}{
		{"1.1 a token in the path lets in", func(p *phone) answer { return p.get("/formList") }, 200, nil},
		{"1.1 an unknown token is 403 and asks for no password", func(p *phone) answer {
			return p.do("GET", p.srv.URL+openrosa.Path(strings.Repeat("z", 64))+"/formList", nil)
		}, 403, noPassword},
		{"1.1 a malformed token is 401 and asks for no password", func(p *phone) answer {
			return p.do("GET", p.srv.URL+openrosa.Path("zzz")+"/formList", nil)
		}, 401, noPassword},
		{"1.2 X-OpenRosa-Version 1.0 is spoken", func(p *phone) answer { return p.get("/formList", "X-OpenRosa-Version", "1.0") }, 200, nil},
		{"1.2 another version is refused", func(p *phone) answer { return p.get("/formList", "X-OpenRosa-Version", "0.9") }, 400, nil},
		{"1.2 a 12-hour Date is no fault", func(p *phone) answer { return p.get("/formList", "Date", "Tue, 24 Nov 2026 03:12:55 GMT") }, 200, nil},
		{"1.2 a Date ten years off is no fault", func(p *phone) answer { return p.get("/formList", "Date", "Sat, 24 Nov 2016 03:12:55 GMT") }, 200, nil},
		{"1.2 a Date that is none is no fault", func(p *phone) answer { return p.get("/formList", "Date", "mardi") }, 200, nil},
		{"1.2 deviceID on every address", func(p *phone) answer {
			for _, at := range []string{"/formList", "/forms/fmr.xml", "/forms/fmr/manifest", "/forms/fmr/media/a.csv"} {
				if a := p.get(at + "?deviceID=collect%3Aabc"); a.status != 200 {
					return a
				}
			}
			return p.post(good("uuid:dev"), photo)
		}, 201, func(t *testing.T, p *phone, _ answer) {
			if d := p.stored("uuid:dev").DeviceID; d != "collect:abc" {
				t.Errorf("deviceID %q", d)
			}
		}},
		{"1.2 no deviceID is no fault", func(p *phone) answer {
			typ, b := body(good("uuid:nodev"))
			return p.do("POST", p.base+"/submission", b, "Content-Type", typ)
		}, 201, nil},
		{"1.3 Basic and Digest headers are passed over", func(p *phone) answer { return p.get("/formList", "Authorization", "Basic eDp5") }, 200, nil},
		{"1.4 one form by formID", func(p *phone) answer { return p.get("/formList?formID=fmr") }, 200, func(t *testing.T, p *phone, a answer) {
			if l := parse[list](t, a); len(l.Forms) != 1 || l.Forms[0].Hash[:4] != "md5:" {
				t.Errorf("%+v", l)
			}
		}},
		{"1.5 form XML", func(p *phone) answer { return p.get("/forms/fmr.xml") }, 200, nil},
		{"1.5 manifest", func(p *phone) answer { return p.get("/forms/fmr/manifest") }, 200, nil},
		{"1.5 the hash is that of the file", func(p *phone) answer { return p.get("/forms/fmr/manifest") }, 200, func(t *testing.T, p *phone, a answer) {
			if m := parse[manifest](t, a); m.Files[0].Hash != "md5:0cc175b9c0f1b6a831c399e269772661" { // printf a | md5sum
				t.Errorf("%+v", m)
			}
		}},
		{"1.6 HEAD is 204 with the headers", func(p *phone) answer { return p.do("HEAD", p.base+"/submission", nil) }, 204, func(t *testing.T, p *phone, a answer) {
			if a.header.Get("Location") != "" || a.header.Get("Content-Type") != "" {
				t.Errorf("headers %v", a.header)
			}
		}},
		{"1.6 received is 201", func(p *phone) answer { return p.post(good("uuid:1"), photo) }, 201, func(t *testing.T, p *phone, a answer) {
			if !strings.Contains(a.body, `nature="submit_success"`) || a.message == "" {
				t.Errorf("body %s", a.body)
			}
		}},
		{"1.6 the same again is 201 and stores nothing", func(p *phone) answer {
			p.post(good("uuid:1"), photo)
			before := p.events()
			a := p.post(good("uuid:1"), photo)
			if n := p.events() - before; n != 0 {
				p.t.Errorf("%d entries more", n)
			}
			return a
		}, 201, nil},
		{"1.6 the same with a file more adds the file", func(p *phone) answer {
			p.post(good("uuid:1"))
			return p.post(good("uuid:1"), photo)
		}, 201, func(t *testing.T, p *phone, _ answer) {
			if a := p.stored("uuid:1").Attachments; len(a) != 1 {
				t.Errorf("attachments %+v", a)
			}
		}},
		{"1.6 other answers are 409 and both are kept", func(p *phone) answer {
			p.post(good("uuid:1"))
			return p.post(instance("fmr", "1", "uuid:1", "", "other"), photo)
		}, 409, func(t *testing.T, p *phone, _ answer) {
			kept, err := p.db.Conflicts(context.Background(), "uuid:1")
			if err != nil || len(kept) != 1 || len(kept[0].Attachments) != 1 || !bytes.Equal(p.stored("uuid:1").XML, good("uuid:1")) {
				t.Errorf("kept %+v, %v", kept, err)
			}
		}},
		{"1.6 an edit replaces its original", func(p *phone) answer {
			p.post(good("uuid:1"))
			return p.post(edited("uuid:2", "uuid:1"))
		}, 201, func(t *testing.T, p *phone, _ answer) {
			if a, b := p.stored("uuid:1"), p.stored("uuid:2"); a.State != "superseded" || b.Deprecates != "uuid:1" {
				t.Errorf("%s, %+v", a.State, b)
			}
		}},
		{"1.6 an edit of what never came is 404", func(p *phone) answer { return p.post(edited("uuid:2", "uuid:1")) }, 404, nil},
		{"1.6 an edit of what was edited is 409 and kept", func(p *phone) answer {
			p.post(good("uuid:1"))
			p.post(edited("uuid:2", "uuid:1"))
			return p.post(edited("uuid:3", "uuid:1"))
		}, 409, func(t *testing.T, p *phone, _ answer) {
			if kept, err := p.db.Conflicts(context.Background(), "uuid:3"); err != nil || len(kept) != 1 {
				t.Errorf("kept %+v, %v", kept, err)
			}
		}},
		{"1.6 an edit sent again is 201", func(p *phone) answer {
			p.post(good("uuid:1"))
			p.post(edited("uuid:2", "uuid:1"))
			return p.post(edited("uuid:2", "uuid:1"))
		}, 201, nil},
		{"1.6 an unknown form is 404", func(p *phone) answer { return p.post(instance("none", "1", "uuid:1", "", "")) }, 404, nil},
		{"1.6 an unknown version is 404", func(p *phone) answer { return p.post(instance("fmr", "9", "uuid:1", "", "")) }, 404, nil},
		{"1.6 chunked transfer", func(p *phone) answer {
			typ, b := body(good("uuid:1"), photo)
			return p.do("POST", p.base+"/submission", io.MultiReader(b), "Content-Type", typ)
		}, 201, nil},
		{"1.6 a file larger than the accepted length comes whole", func(p *phone) answer {
			return p.post(good("uuid:1"), file{"p.jpg", "p.jpg", "image/jpeg", strings.Repeat("x", 10_500_000)})
		}, 201, func(t *testing.T, p *phone, _ answer) {
			if a := p.stored("uuid:1").Attachments; len(a) != 1 || a[0].Size != 10_500_000 {
				t.Errorf("attachments %+v", a)
			}
		}},
		{"1.6 a missing attachment is no error and is known", func(p *phone) answer { return p.post(good("uuid:1")) }, 201, func(t *testing.T, p *phone, _ answer) {
			if e := p.stored("uuid:1").Expected; len(e) != 1 || e[0] != "p.jpg" {
				t.Errorf("expected %v", e)
			}
		}},
		{"1.6 errors speak the enumerator's language", func(p *phone) answer {
			typ, b := body(instance("none", "1", "uuid:1", "", ""))
			return p.do("POST", p.base+"/submission", b, "Content-Type", typ, "Accept-Language", "fr")
		}, 404, func(t *testing.T, p *phone, a answer) {
			if !strings.Contains(a.message, "formulaire") {
				t.Errorf("message %q", a.message)
			}
		}},
	} {
		t.Run(c.rule, func(t *testing.T) {
			t.Parallel()
			p := newPhone(t)
			p.publish("fmr", "1", dtm.Media{Name: "a.csv", Type: "text/csv", Data: []byte("a")})
			a := c.say(p)
			if a.status != c.want {
				t.Fatalf("%d, want %d: %s", a.status, c.want, a.body)
			}
			openRosa(t, c.rule, a)
			if a.status >= 400 && a.message == "" {
				t.Errorf("no message: %s", a.body)
			}
			if c.then != nil {
				c.then(t, p, a)
			}
		})
	}
}

func noPassword(t *testing.T, _ *phone, a answer) {
	if a.header.Get("WWW-Authenticate") != "" {
		t.Error("Collect would ask the enumerator for a password")
	}
}

func edited(id, of string) []byte {
	return bytes.Replace(instance("fmr", "1", id, "", ""), []byte("</orx:meta>"), []byte("<orx:deprecatedID>"+of+"</orx:deprecatedID></orx:meta>"), 1)
}

func (p *phone) events() int64 {
	p.t.Helper()
	n, err := p.db.Last(context.Background())
	p.must(err)
	return n
}

// Ids of forms may hold anything: every address of the list leads to the form, as
// it is and through a client that writes it anew.
func TestRule14EncodedIDs(t *testing.T) {
	t.Parallel()
	p := newPhone(t)
	ids := []string{"a b", "a/b", "é", "نموذج", "a%2Fb", "a?b=c&d", "a#b", "a+b", "a;b", "a..b", "a.xml", "<&>\"'"}
	for _, id := range ids {
		p.publish(id, "v/1 é", dtm.Media{Name: "liste é/ب.csv", Type: "text/csv", Data: []byte("x")})
	}
	l := parse[list](t, p.get("/formList"))
	if len(l.Forms) != len(ids) {
		t.Fatalf("%d forms are listed, want %d", len(l.Forms), len(ids))
	}
	for _, f := range l.Forms {
		u, err := url.Parse(f.DownloadURL)
		p.must(err)
		for _, address := range []string{f.DownloadURL, u.String()} {
			if a := p.do("GET", address, nil); a.status != 200 || !strings.HasPrefix(a.body, "<h:html") {
				t.Errorf("%q: %s: %d %s", f.FormID, address, a.status, a.body)
			}
		}
		m := p.do("GET", f.ManifestURL, nil)
		if m.status != 200 {
			t.Errorf("%q: %s: %d", f.FormID, f.ManifestURL, m.status)
			continue
		}
		if a := p.do("GET", parse[manifest](t, m).Files[0].DownloadURL, nil); a.status != 200 || a.body != "x" {
			t.Errorf("%q: file: %d %s", f.FormID, a.status, a.body)
		}
	}
}

// A repeated upload of large files costs a read, no room and no entry of the log.
func TestRule16RepeatsAreCheap(t *testing.T) {
	t.Parallel()
	p := newPhone(t)
	p.publish("fmr", "1")
	x := instance("fmr", "1", "uuid:cheap", "", "")
	var files []file
	for i := range 8 {
		name := fmt.Sprint(i, ".jpg")
		files = append(files, file{name, name, "image/jpeg", strings.Repeat(string(rune('a'+i)), 1_000_000)})
	}
	if a := p.post(x, files...); a.status != 201 {
		t.Fatal(a.body)
	}
	size := func() (n int64) {
		// What the folder of attachments holds, temporary files included.
		return p.blobBytes()
	}
	before, events := size(), p.events()
	if before < 8_000_000 {
		t.Fatalf("%d bytes of attachments", before)
	}
	for range 5 {
		if a := p.post(x, files...); a.status != 201 {
			t.Fatal(a.body)
		}
	}
	if size() != before || p.events() != events || len(p.stored("uuid:cheap").Attachments) != 8 {
		t.Errorf("the repeats took %d bytes and %d entries", size()-before, p.events()-events)
	}
}

// Everything of a form's download is cheap to ask for again.
func TestRule15NotModified(t *testing.T) {
	t.Parallel()
	p := newPhone(t)
	p.publish("fmr", "1", dtm.Media{Name: "a.csv", Type: "text/csv", Data: []byte("a")})
	for _, path := range []string{"/formList", "/forms/fmr.xml", "/forms/fmr.xml?version=1", "/forms/fmr/manifest", "/forms/fmr/media/a.csv"} {
		a := p.get(path)
		if a.status != 200 || a.header.Get("ETag") == "" {
			t.Errorf("%s: %d %v", path, a.status, a.header)
		}
		again := p.get(path, "If-None-Match", a.header.Get("ETag"))
		if again.status != 304 || again.body != "" || again.header.Get("X-OpenRosa-Version") != "1.0" {
			t.Errorf("%s again: %d %q", path, again.status, again.body)
		}
		if other := p.get(path, "If-None-Match", `W/"other"`); other.status != 200 {
			t.Errorf("%s with another ETag: %d", path, other.status)
		}
	}
}

func TestRule17SettingsSchema(t *testing.T) {
	t.Parallel()
	p := newPhone(t)
	for _, l := range []dtm.Lang{"", dtm.English, dtm.French, dtm.Arabic} {
		code, err := openrosa.Settings(p.base, "Projet «é»", l)
		p.must(err)
		text, err := collect.Unpack(code)
		p.must(err)
		if f := collect.Faults(text); len(f) > 0 {
			t.Errorf("%q: %v", l, f)
		}
		var s struct {
			General struct {
				ServerURL string `json:"server_url"`
			}
		}
		p.must(json.Unmarshal(text, &s))
		// What the code says leads to the list of forms.
		if a := p.do("GET", s.General.ServerURL+"/formList", nil); a.status != 200 {
			t.Errorf("%s: %d", s.General.ServerURL, a.status)
		}
		if len(code) > 600 {
			t.Errorf("%d characters make a code that old cameras cannot read", len(code))
		}
	}
	for _, bad := range []string{`{}`, `{"general":{"server_url":1},"admin":{}}`, `{"general":{"autosend":"yes"},"admin":{}}`, `{"general":{"x":"y"},"admin":{}}`} {
		if len(collect.Faults([]byte(bad))) == 0 {
			t.Errorf("%s is found without fault", bad)
		}
	}
}

func (p *phone) blobBytes() (n int64) {
	p.t.Helper()
	err := filepath.WalkDir(p.blobDir, func(_ string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		n += info.Size()
		return err
	})
	p.must(err)
	return n
}
