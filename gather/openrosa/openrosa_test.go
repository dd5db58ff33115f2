package openrosa_test

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"unicode"

	"dtm"
	"dtm/gather/openrosa"
)

// The names of these tests are the numbers of the protocol notes (collect.md 1).

type list struct {
	XMLName xml.Name `xml:"http://openrosa.org/xforms/xformsList xforms"`
	Forms   []struct {
		FormID      string `xml:"formID"`
		Name        string `xml:"name"`
		Version     string `xml:"version"`
		Hash        string `xml:"hash"`
		DownloadURL string `xml:"downloadUrl"`
		ManifestURL string `xml:"manifestUrl"`
	} `xml:"xform"`
}

type manifest struct {
	XMLName xml.Name `xml:"http://openrosa.org/xforms/xformsManifest manifest"`
	Files   []struct {
		Filename    string `xml:"filename"`
		Hash        string `xml:"hash"`
		DownloadURL string `xml:"downloadUrl"`
	} `xml:"mediaFile"`
}

func parse[T any](t testing.TB, a answer) (v T) {
	t.Helper()
	if a.status != 200 {
		t.Fatalf("status %d: %s", a.status, a.body)
	}
	if err := xml.Unmarshal([]byte(a.body), &v); err != nil {
		t.Fatalf("%v: %s", err, a.body)
	}
	return v
}

// openRosa fails the test unless the answer is one that Collect takes for
// OpenRosa's.
func openRosa(t testing.TB, what string, a answer) {
	t.Helper()
	if a.header.Get("X-OpenRosa-Version") != "1.0" || a.header.Get("X-OpenRosa-Accept-Content-Length") != "10000000" ||
		a.header.Get("Date") == "" || a.header.Get("Content-Language") == "" {
		t.Errorf("%s: headers %v", what, a.header)
	}
	if a.status != 204 && a.header.Get("Content-Type") != "text/xml; charset=utf-8" {
		t.Errorf("%s: content type %q", what, a.header.Get("Content-Type"))
	}
}

func TestRule11Addresses(t *testing.T) {
	t.Parallel()
	p := newPhone(t)
	p.publish("fmr", "1")
	other := "A" + strings.Repeat("b", 63)
	if other == p.token {
		t.Fatal("impossible")
	}
	for _, c := range []struct {
		name, base string
		want       int
	}{
		{"good", p.base, 200},
		{"unknown token", p.srv.URL + openrosa.Path(other), 403},
		{"malformed token", p.srv.URL + openrosa.Path("short"), 401},
		{"token with a slash", p.srv.URL + openrosa.Path(p.token[:63]+"%2F"), 401},
		{"token too long", p.srv.URL + openrosa.Path(p.token+"x"), 401},
		{"other project", p.srv.URL + "/v1/key/" + p.token + "/projects/2", 404},
	} {
		a := p.do("GET", c.base+"/formList", nil)
		if a.status != c.want {
			t.Errorf("%s: %d %s", c.name, a.status, a.body)
		}
		openRosa(t, c.name, a)
		if a.status != 200 && a.message == "" {
			t.Errorf("%s: no message for the enumerator: %s", c.name, a.body)
		}
		if c.want == 200 {
			continue
		}
		// The same at the door of submissions, where nothing may come in.
		typ, b := body(instance("fmr", "1", "uuid:door", "", ""))
		if a := p.do("POST", c.base+"/submission", b, "Content-Type", typ); a.status != c.want {
			t.Errorf("%s: POST %d", c.name, a.status)
		}
		if a := p.do("HEAD", c.base+"/submission", nil); a.status != c.want {
			t.Errorf("%s: HEAD %d", c.name, a.status)
		}
	}
	if err := p.db.RevokeDevice(context.Background(), p.dev.ID); err != nil {
		t.Fatal(err)
	}
	if a := p.get("/formList"); a.status != 403 || !strings.Contains(a.message, "withdrawn") {
		t.Errorf("revoked: %d %s", a.status, a.body)
	}
	if p.count() != 0 {
		t.Error("somebody without a device stored a submission")
	}
}

func TestRule12Headers(t *testing.T) {
	t.Parallel()
	p := newPhone(t)
	p.publish("fmr", "1", dtm.Media{Name: "a.csv", Type: "text/csv", Data: []byte("a")})
	for _, path := range []string{"/formList", "/forms/fmr.xml", "/forms/fmr/manifest", "/submission", "/forms/none.xml", "/formList?deviceID=collect%3Ax"} {
		openRosa(t, path, p.get(path))
		a := p.do("HEAD", p.base+path, nil)
		openRosa(t, "HEAD "+path, a)
		if a.body != "" {
			t.Errorf("HEAD %s has a body", path)
		}
	}
	openRosa(t, "POST", p.post(instance("fmr", "1", "uuid:h", "", "")))
	openRosa(t, "bad POST", p.post([]byte("<")))
	if a := p.get("/formList", "X-OpenRosa-Version", "2.0"); a.status != 400 || a.message == "" {
		t.Errorf("version 2.0: %d %s", a.status, a.body)
	}
}

func TestRule12AcceptLength(t *testing.T) {
	t.Parallel()
	p := newPhone(t, func(h *openrosa.Handler) { h.AcceptLength = 5_000_000 })
	if got := p.do("HEAD", p.base+"/submission", nil).header.Get("X-OpenRosa-Accept-Content-Length"); got != "5000000" {
		t.Errorf("accept length = %s", got)
	}
}

func TestRule14FormList(t *testing.T) {
	t.Parallel()
	p := newPhone(t)
	if got := parse[list](t, p.get("/formList")); len(got.Forms) != 0 {
		t.Errorf("forms of a new server: %+v", got)
	}
	p.publish("fmr", "1")
	p.publish("fmr", "2", dtm.Media{Name: "points.csv", Type: "text/csv", Data: []byte("code\nOBK\n")})
	p.publish("é & <ب>/x", "v 1+é")
	err := p.db.Publish(context.Background(), dtm.Form{ID: "untitled", Version: "", XForm: []byte("<x/>")})
	if err != nil {
		t.Fatal(err)
	}

	a := p.get("/formList")
	got := parse[list](t, a)
	if len(got.Forms) != 3 {
		t.Fatalf("forms = %+v", got)
	}
	hash := regexp.MustCompile(`^md5:[0-9a-f]{32}$`)
	for _, f := range got.Forms {
		if f.FormID == "" || f.Name == "" || !hash.MatchString(f.Hash) || !strings.HasPrefix(f.DownloadURL, p.srv.URL+"/") {
			t.Errorf("entry %+v would make Collect drop the list", f)
		}
		form := p.do("GET", f.DownloadURL+"&deviceID=collect%3Ax", nil)
		if form.status != 200 || !strings.HasPrefix(form.body, "<") {
			t.Errorf("%s: %d %s", f.DownloadURL, form.status, form.body)
		}
		if (f.ManifestURL != "") != (f.FormID == "fmr") {
			t.Errorf("%s: manifest %q", f.FormID, f.ManifestURL)
		}
	}
	for _, f := range got.Forms {
		if f.FormID == "fmr" && f.Version != "2" {
			t.Errorf("the list has version %s", f.Version)
		}
	}
	if one := parse[list](t, p.get("/formList?formID=fmr")); len(one.Forms) != 1 || one.Forms[0].FormID != "fmr" {
		t.Errorf("?formID=fmr: %+v", one)
	}
	if none := parse[list](t, p.get("/formList?formID=none")); len(none.Forms) != 0 {
		t.Errorf("?formID=none: %+v", none)
	}

	etag := a.header.Get("ETag")
	if again := p.get("/formList", "If-None-Match", etag); etag == "" || again.status != 304 || again.body != "" {
		t.Errorf("with the ETag: %d", again.status)
	}
	p.publish("new", "1")
	if changed := p.get("/formList", "If-None-Match", etag); changed.status != 200 {
		t.Errorf("after a change: %d", changed.status)
	}
}

// The protocol has one name for a form: it is in a language that the request asks for,
// else in that of the device, else as the form calls itself.
func TestRule14Titles(t *testing.T) {
	t.Parallel()
	p := newPhone(t)
	err := p.db.Publish(context.Background(), dtm.Form{ID: "fmr", Version: "1", Title: "Registry", XForm: []byte("<x/>"),
		Titles: dtm.Text{dtm.English: "Registry", dtm.French: "Registre", dtm.Arabic: "سجل", "so": "Diiwaan <1>"}})
	if err != nil {
		t.Fatal(err)
	}
	p.publish("other", "1")
	named := func(base, accept string) string {
		t.Helper()
		var header []string
		if accept != "" {
			header = []string{"Accept-Language", accept}
		}
		a := p.do("GET", base+"/formList", nil, header...)
		l := parse[list](t, a)
		if len(l.Forms) != 2 || l.Forms[1].Name != "Registre other" || a.header.Get("Vary") == "" {
			t.Errorf("%q: %+v %v", accept, l, a.header)
		}
		if strings.Contains(a.body, "dtm") && strings.Contains(a.body, "form-list") {
			t.Errorf("a phone gets what it does not know: %s", a.body)
		}
		return l.Forms[0].Name
	}
	_, token, err := p.db.NewDevice(context.Background(), dtm.Device{Name: "arabic", Lang: dtm.Arabic})
	if err != nil {
		t.Fatal(err)
	}
	arabic := p.srv.URL + openrosa.Path(token)
	for accept, want := range map[string][2]string{
		"": {"Registry", "سجل"}, "fr": {"Registre", "Registre"}, "fr-DJ,fr;q=0.9,en;q=0.8": {"Registre", "Registre"},
		"am, so;q=0.5": {"Diiwaan <1>", "Diiwaan <1>"}, "am": {"Registry", "سجل"}, "*": {"Registry", "سجل"}, "no language; at all": {"Registry", "سجل"}, "en": {"Registry", "Registry"},
	} {
		if got := [2]string{named(p.base, accept), named(arabic, accept)}; got != want {
			t.Errorf("asked for %q: %q, want %q", accept, got, want)
		}
	}
	var all struct {
		Forms []struct {
			Name   string `xml:"http://openrosa.org/xforms/xformsList name"`
			Titles []struct {
				Lang string `xml:"http://www.w3.org/XML/1998/namespace lang,attr"`
				Text string `xml:",chardata"`
			} `xml:"urn:dtm:form-list title"`
		} `xml:"xform"`
	}
	a := p.get("/formList?titles=all", "Accept-Language", "fr")
	if err := xml.Unmarshal([]byte(a.body), &all); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(all); got != "{[{Registre [{ar سجل} {en Registry} {fr Registre} {so Diiwaan <1>}]} {Registre other []}]}" {
		t.Errorf("all titles: %s", got)
	}
}

// A store that fails must not look like an operation without forms: phones would
// delete theirs.
func TestRule14FailureIsNoEmptyList(t *testing.T) {
	t.Parallel()
	p := newPhone(t, func(h *openrosa.Handler) {
		h.Media = func(context.Context, dtm.Form) ([]dtm.Media, error) { return nil, errors.New("no points today") }
	})
	p.publish("fmr", "1")
	a := p.get("/formList")
	if a.status != 500 || a.message == "" || strings.Contains(a.body, "points today") {
		t.Errorf("%d %s", a.status, a.body)
	}
}

func TestRule15FormManifestMedia(t *testing.T) {
	t.Parallel()
	csv := []byte("code,name\nOBK,Obock\n")
	p := newPhone(t)
	p.publish("fmr", "1", dtm.Media{Name: "points é.csv", Type: "text/csv", Data: csv}, dtm.Media{Name: "logo", Data: []byte{0x89, 0}})
	p.publish("fmr", "2")

	a := p.get("/forms/fmr.xml?version=1")
	if a.status != 200 || !strings.Contains(a.body, "fmr 1") || a.header.Get("ETag") == "" {
		t.Errorf("version 1: %d %s", a.status, a.body)
	}
	if a := p.get("/forms/fmr.xml"); !strings.Contains(a.body, "fmr 2") {
		t.Errorf("current: %s", a.body)
	}
	if a := p.get("/forms/fmr.xml?version=1", "If-None-Match", a.header.Get("ETag")); a.status != 304 {
		t.Errorf("with the ETag: %d", a.status)
	}
	m := parse[manifest](t, p.get("/forms/fmr/manifest?version=1"))
	if len(m.Files) != 2 {
		t.Fatalf("manifest = %+v", m)
	}
	for _, f := range m.Files {
		if f.Filename == "" || !strings.HasPrefix(f.Hash, "md5:") || !strings.HasPrefix(f.DownloadURL, p.srv.URL+"/") {
			t.Errorf("entry %+v would make Collect refuse the manifest", f)
		}
		a := p.do("GET", f.DownloadURL, nil)
		switch f.Filename {
		case "points é.csv":
			if a.body != string(csv) || a.header.Get("Content-Type") != "text/csv" {
				t.Errorf("csv: %d %q %v", a.status, a.body, a.header)
			}
		default:
			if a.body != "\x89\x00" || a.header.Get("Content-Type") != "application/octet-stream" {
				t.Errorf("logo: %d %q %v", a.status, a.body, a.header)
			}
		}
		if again := p.do("GET", f.DownloadURL, nil, "If-None-Match", a.header.Get("ETag")); again.status != 304 {
			t.Errorf("%s with the ETag: %d", f.Filename, again.status)
		}
	}
	if m := parse[manifest](t, p.get("/forms/fmr/manifest")); len(m.Files) != 0 {
		t.Errorf("manifest of a form without attachments = %+v", m)
	}
	for _, path := range []string{"/forms/none.xml", "/forms/fmr.xml?version=9", "/forms/fmr", "/forms/none/manifest", "/forms/fmr/media/none.csv", "/forms/fmr/media/..%2F..%2Fpasswd"} {
		if a := p.get(path); a.status != 404 || a.message == "" {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
}

// A form's attachments may be made anew at each request: list, manifest and file
// must agree.
func TestRule15GeneratedMedia(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	points := "OBK\n"
	p := newPhone(t, func(h *openrosa.Handler) {
		h.Media = func(_ context.Context, f dtm.Form) ([]dtm.Media, error) {
			mu.Lock()
			defer mu.Unlock()
			return append([]dtm.Media{{Name: "points.csv", Type: "text/csv", Data: []byte(points)}}, f.Media...), nil
		}
	})
	p.publish("fmr", "1")
	l := parse[list](t, p.get("/formList"))
	if len(l.Forms) != 1 || l.Forms[0].ManifestURL == "" {
		t.Fatalf("list = %+v", l)
	}
	before := parse[manifest](t, p.do("GET", l.Forms[0].ManifestURL, nil))
	mu.Lock()
	points += "FAG\n"
	mu.Unlock()
	after := parse[manifest](t, p.do("GET", l.Forms[0].ManifestURL, nil))
	if before.Files[0].Hash == after.Files[0].Hash {
		t.Error("the hash does not follow the content")
	}
	if a := p.do("GET", after.Files[0].DownloadURL, nil); a.body != "OBK\nFAG\n" {
		t.Errorf("file = %q", a.body)
	}
}

func TestRule16Ready(t *testing.T) {
	t.Parallel()
	p := newPhone(t)
	for _, method := range []string{"HEAD", "GET"} {
		a := p.do(method, p.base+"/submission?deviceID=x", nil)
		if a.status != 204 || a.body != "" || a.header.Get("Location") != "" {
			t.Errorf("%s: %d %q", method, a.status, a.body)
		}
		openRosa(t, method, a)
	}
}

func TestRule16Split(t *testing.T) {
	t.Parallel()
	p := newPhone(t)
	p.publish("fmr", "1")
	x := instance("fmr", "1", "uuid:split", "1.jpg", "")
	incomplete := file{"*isIncomplete*", "", "", "yes"}
	for i, files := range [][]file{
		{{"1.jpg", "1.jpg", "image/jpeg", "one"}, incomplete},
		{{"2.jpg", "2.jpg", "image/jpeg", "two"}, incomplete},
		{{"2.jpg", "2.jpg", "image/jpeg", "two"}, incomplete}, // an upload that starts again
		{{"3.jpg", "3.jpg", "image/jpeg", "three"}},
	} {
		if a := p.post(x, files...); a.status != 201 {
			t.Fatalf("request %d: %d %s", i, a.status, a.body)
		}
	}
	s := p.stored("uuid:split")
	if len(s.Attachments) != 3 || p.count() != 1 {
		t.Errorf("attachments = %+v", s.Attachments)
	}
	for _, a := range s.Attachments {
		if strings.Contains(a.Name, "isIncomplete") {
			t.Error("the mark of a split submission was stored as a file")
		}
	}
}

func TestRule16Names(t *testing.T) {
	t.Parallel()
	p := newPhone(t)
	p.publish("fmr", "1")
	for i, c := range []struct {
		name        string
		field, file string
		mentioned   string
		want        string
	}{
		{"plain", "1700.jpg", "1700.jpg", "1700.jpg", "1700.jpg"},
		{"French", "café été.jpg", "café été.jpg", "café été.jpg", "café été.jpg"},
		{"Arabic", "صورة.jpg", "صورة.jpg", "صورة.jpg", "صورة.jpg"},
		{"emoji", "😀.jpg", "😀.jpg", "😀.jpg", "😀.jpg"},
		{"quotation mark", `a"b.jpg`, `a"b.jpg`, `a"b.jpg`, `a"b.jpg`},
		{"spaces", "a b  c.jpg", "a b  c.jpg", "a b  c.jpg", "a b  c.jpg"},
		{"not mentioned", "audit.csv", "audit.csv", "", "audit.csv"},
		{"Latin-1", "caf\xe9.jpg", "caf\xe9.jpg", "café.jpg", "café.jpg"},
		{"field is the name", "p.jpg", "blob", "p.jpg", "p.jpg"},
		{"climbing", "../../etc/passwd", "../../etc/passwd", "", "passwd"},
		{"control characters", "a\u0085\u009fb.jpg", "a\u0085\u009fb.jpg", "", "ab.jpg"},
		{"other folders", `..\..\boot.ini`, `..\..\boot.ini`, "", "boot.ini"},
	} {
		id := fmt.Sprint("uuid:name", i)
		a := p.post(instance("fmr", "1", id, c.mentioned, ""), file{c.field, c.file, "image/jpeg", "x"})
		if a.status != 201 {
			t.Errorf("%s: %d %s", c.name, a.status, a.body)
			continue
		}
		if s := p.stored(id); len(s.Attachments) != 1 || s.Attachments[0].Name != c.want {
			t.Errorf("%s: attachments %+v, want %q", c.name, s.Attachments, c.want)
		}
	}
	// A name of no use is no reason to lose the submission.
	if a := p.post(instance("fmr", "1", "uuid:dots", "", ""), file{"..", "..", "image/jpeg", "x"}); a.status != 201 || len(p.stored("uuid:dots").Attachments) != 0 {
		t.Errorf("..: %d %s", a.status, a.body)
	}
}

// Missing attachments are no error: what is expected is noted.
func TestRule16Missing(t *testing.T) {
	t.Parallel()
	p := newPhone(t)
	p.publish("fmr", "1")
	if a := p.post(instance("fmr", "1", "uuid:m", "later.jpg", "")); a.status != 201 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if s := p.stored("uuid:m"); len(s.Expected) != 1 || s.Expected[0] != "later.jpg" || len(s.Attachments) != 0 {
		t.Errorf("stored = %+v", s)
	}
}

func TestRule16Edits(t *testing.T) {
	t.Parallel()
	p := newPhone(t)
	p.publish("fmr", "1")
	edit := func(id, of string) []byte {
		return bytes.Replace(instance("fmr", "1", id, "", ""), []byte("</orx:meta>"), []byte("<orx:deprecatedID>"+of+"</orx:deprecatedID></orx:meta>"), 1)
	}
	for _, c := range []struct {
		name string
		xml  []byte
		want int
	}{
		{"edit without original", edit("uuid:2", "uuid:1"), 404},
		{"original", instance("fmr", "1", "uuid:1", "", ""), 201},
		{"edit", edit("uuid:2", "uuid:1"), 201},
		{"edit again", edit("uuid:2", "uuid:1"), 201},
		{"rival edit", edit("uuid:3", "uuid:1"), 409},
		{"edit of the edit", edit("uuid:4", "uuid:2"), 201},
	} {
		if a := p.post(c.xml); a.status != c.want || a.message == "" {
			t.Errorf("%s: %d %s", c.name, a.status, a.body)
		}
	}
}

func TestRule16UnknownForm(t *testing.T) {
	t.Parallel()
	p := newPhone(t)
	p.publish("fmr", "1")
	for _, c := range []struct{ name, form, version, says string }{
		{"form", "fms", "1", "fms"},
		{"version", "fmr", "9", "9"},
	} {
		a := p.post(instance(c.form, c.version, "uuid:u", "", ""), file{"p.jpg", "p.jpg", "image/jpeg", "x"})
		if a.status != 404 || !strings.Contains(a.message, c.says) {
			t.Errorf("%s: %d %s", c.name, a.status, a.body)
		}
	}
	// The form is published, the phone tries again: it is not remembered as unknown.
	p.publish("fms", "1")
	if a := p.post(instance("fms", "1", "uuid:u", "", "")); a.status != 201 {
		t.Errorf("after publishing: %d %s", a.status, a.body)
	}
	// An old version is taken after a new one is published.
	p.publish("fmr", "2")
	if a := p.post(instance("fmr", "1", "uuid:old", "", "")); a.status != 201 || p.stored("uuid:old").Version != "1" {
		t.Errorf("old version: %d %s", a.status, a.body)
	}
}

// What the answers say is never a reason to refuse.
func TestRule16AnyAnswer(t *testing.T) {
	t.Parallel()
	p := newPhone(t)
	p.publish("fmr", "1")
	for i, note := range []string{"", "-5", "31/13/2022", "&lt;script&gt;", "'; DROP TABLE submission;--", "😀 é ب", strings.Repeat("x", 500_000), "<unknown><deep/></unknown>", "<![CDATA[<&>]]>"} {
		id := fmt.Sprint("uuid:a", i)
		x := instance("fmr", "1", id, "", note)
		if a := p.post(x); a.status != 201 {
			t.Errorf("%.30q: %d %s", note, a.status, a.body)
		} else if !bytes.Equal(p.stored(id).XML, x) {
			t.Errorf("%.30q: not stored as sent", note)
		}
	}
}

func TestRule16BadRequests(t *testing.T) {
	t.Parallel()
	p := newPhone(t, func(h *openrosa.Handler) { h.MaxRequest, h.MaxXML = 300_000, 100_000 })
	p.publish("fmr", "1")
	good := instance("fmr", "1", "uuid:bad", "", "")
	typ, whole := body(good, file{"p.jpg", "p.jpg", "image/jpeg", strings.Repeat("x", 5000)})
	cut := whole.String()[:whole.Len()-2000]
	post := func(typ, b string) answer {
		return p.do("POST", p.base+"/submission", strings.NewReader(b), "Content-Type", typ)
	}
	entities := `<?xml version="1.0"?><!DOCTYPE data [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]><data id="fmr" version="1"><n>&b;</n><meta><instanceID>uuid:bad</instanceID></meta></data>`
	external := `<?xml version="1.0"?><!DOCTYPE data [<!ENTITY x SYSTEM "file:///etc/passwd">]><data id="fmr" version="1"><n>&x;</n><meta><instanceID>uuid:bad</instanceID></meta></data>`
	two := func() answer {
		typ, b := body(good, file{"xml_submission_file", "b.xml", "text/xml", string(good)})
		return p.do("POST", p.base+"/submission", b, "Content-Type", typ)
	}
	many := func() answer {
		files := make([]file, 1001)
		for i := range files {
			files[i] = file{"x", "", "", ""}
		}
		return p.post(good, files...)
	}
	for _, c := range []struct {
		name string
		send func() answer
		want int
		says string
	}{
		{"no XML part", func() answer { return p.post(nil, file{"p.jpg", "p.jpg", "image/jpeg", "x"}) }, 400, "xml_submission_file"},
		{"two XML parts", two, 400, "xml_submission_file"},
		{"empty body", func() answer { return post(typ, "") }, 400, ""},
		{"not multipart", func() answer { return post("text/xml", string(good)) }, 415, "multipart"},
		{"no boundary", func() answer { return post("multipart/form-data", string(good)) }, 415, "multipart"},
		{"cut off", func() answer { return post(typ, cut) }, 400, "broke off"},
		{"bad head of a part", func() answer { return p.post(good, file{"a\x01", "a\x01", "image/jpeg", "x"}) }, 400, "part"},
		{"too many parts", many, 400, "1,000"},
		{"empty XML", func() answer { return p.post([]byte("")) }, 400, ""},
		{"no XML", func() answer { return p.post([]byte("hello")) }, 400, ""},
		{"unclosed", func() answer { return p.post([]byte("<data id=\"fmr\">\n<a>\n</b></data>")) }, 400, "3:"},
		{"UTF-16", func() answer { return p.post([]byte("\xff\xfe<\x00d\x00/\x00>\x00")) }, 400, ""},
		{"no form id", func() answer {
			return p.post([]byte("<data version=\"1\"><meta><instanceID>uuid:x</instanceID></meta></data>"))
		}, 400, "id"},
		{"no instance id", func() answer { return p.post([]byte("<data id=\"fmr\" version=\"1\"><meta/></data>")) }, 400, "meta/instanceID"},
		{"entities", func() answer { return p.post([]byte(entities)) }, 400, "DOCTYPE"},
		{"external entity", func() answer { return p.post([]byte(external)) }, 400, "DOCTYPE"},
		{"long XML", func() answer { return p.post(instance("fmr", "1", "uuid:bad", "", strings.Repeat("x", 110_000))) }, 413, "100,000"},
		{"long request", func() answer { return p.post(good, file{"p.jpg", "p.jpg", "image/jpeg", strings.Repeat("x", 400_000)}) }, 413, "300,000"},
		{"long request in pieces", func() answer {
			typ, b := body(good, file{"p.jpg", "p.jpg", "image/jpeg", strings.Repeat("x", 400_000)})
			return p.do("POST", p.base+"/submission", io.MultiReader(b), "Content-Type", typ) // of unknown length: chunked
		}, 413, "300,000"},
	} {
		a := c.send()
		if a.status != c.want || a.message == "" || !strings.Contains(a.message, c.says) {
			t.Errorf("%s: %d %s", c.name, a.status, a.body)
		}
		openRosa(t, c.name, a)
	}
	if p.count() != 0 {
		t.Errorf("%d submissions were stored", p.count())
	}
	if a := p.post(good); a.status != 201 {
		t.Errorf("good: %d %s", a.status, a.body)
	}
	for _, method := range []string{"PUT", "DELETE", "PATCH"} {
		if a := p.do(method, p.base+"/submission", nil); a.status != 405 {
			t.Errorf("%s: %d", method, a.status)
		}
	}
}

func TestRule16Chunked(t *testing.T) {
	t.Parallel()
	p := newPhone(t)
	p.publish("fmr", "1")
	photo := strings.Repeat("J", 3_000_000)
	typ, b := body(instance("fmr", "1", "uuid:c", "", ""), file{"p.jpg", "p.jpg", "image/jpeg", photo})
	a := p.do("POST", p.base+"/submission", io.MultiReader(b), "Content-Type", typ)
	if a.status != 201 || p.stored("uuid:c").Attachments[0].Size != int64(len(photo)) {
		t.Errorf("%d %s", a.status, a.body)
	}
}

// Attachments before the answers are unusual and no fault.
func TestRule16FilesFirst(t *testing.T) {
	t.Parallel()
	p := newPhone(t)
	p.publish("fmr", "1")
	typ, b := body(nil, file{"p.jpg", "p.jpg", "image/jpeg", "x"}, file{"xml_submission_file", "i.xml", "text/xml", string(instance("fmr", "1", "uuid:f", "p.jpg", ""))})
	a := p.do("POST", p.base+"/submission", b, "Content-Type", typ)
	if a.status != 201 || len(p.stored("uuid:f").Attachments) != 1 {
		t.Errorf("%d %s", a.status, a.body)
	}
}

func TestRule16Languages(t *testing.T) {
	t.Parallel()
	p := newPhone(t)
	p.publish("fmr", "1")
	arabic := func(s string) bool {
		return strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Arabic, r) })
	}
	for _, c := range []struct{ accept, lang string }{
		{"", "en"}, {"fr", "fr"}, {"fr-DJ,fr;q=0.9,en;q=0.8", "fr"}, {"ar", "ar"}, {"ar-DJ, fr;q=0.5", "ar"},
		{"so, fr;q=0.5", "fr"}, {"so", "en"}, {"nonsense;;;", "en"}, {"*", "en"},
	} {
		typ, b := body(instance("fmr", "1", "uuid:l", "", ""))
		a := p.do("POST", p.base+"/submission", b, "Content-Type", typ, "Accept-Language", c.accept)
		bad := p.get("/forms/none.xml", "Accept-Language", c.accept)
		if got := a.header.Get("Content-Language"); got != c.lang || bad.header.Get("Content-Language") != c.lang {
			t.Errorf("%q: language %s, want %s", c.accept, got, c.lang)
		}
		for _, m := range []string{a.message, bad.message} {
			if arabic(m) != (c.lang == "ar") || m == "" {
				t.Errorf("%q: message %q", c.accept, m)
			}
		}
		if (c.lang == "fr") != strings.Contains(bad.message, "formulaire") || !strings.Contains(bad.message, "none") {
			t.Errorf("%q: message %q", c.accept, bad.message)
		}
	}
	french := newPhone(t, func(h *openrosa.Handler) { h.Lang = dtm.French })
	if a := french.get("/forms/none.xml"); a.header.Get("Content-Language") != "fr" {
		t.Error("the operation's language is not spoken to a phone that asks for none")
	}
}

func TestRule18Encrypted(t *testing.T) {
	t.Parallel()
	p := newPhone(t)
	p.publish("fmr", "1")
	x := []byte(`<?xml version="1.0"?><data xmlns="http://opendatakit.org/submissions" encrypted="yes" id="fmr" version="1"><base64EncryptedKey>AA==</base64EncryptedKey><meta xmlns="http://openrosa.org/xforms"><instanceID>uuid:e</instanceID></meta><encryptedXmlFile>submission.xml.enc</encryptedXmlFile><base64EncryptedElementSignature>BB==</base64EncryptedElementSignature></data>`)
	a := p.post(x, file{"submission.xml.enc", "submission.xml.enc", "application/octet-stream", "\x00\x01"})
	if a.status != 201 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if s := p.stored("uuid:e"); !bytes.Equal(s.XML, x) || len(s.Attachments) != 1 {
		t.Errorf("stored = %+v", s)
	}
}

// Behind a proxy, addresses are those of the proxy.
func TestBase(t *testing.T) {
	t.Parallel()
	p := newPhone(t, func(h *openrosa.Handler) { h.Base = "https://dtm.example.org/" })
	p.publish("fmr", "1")
	if l := parse[list](t, p.get("/formList")); !strings.HasPrefix(l.Forms[0].DownloadURL, "https://dtm.example.org/v1/key/") {
		t.Errorf("address = %s", l.Forms[0].DownloadURL)
	}
	q := newPhone(t)
	q.publish("fmr", "1")
	l := parse[list](t, q.get("/formList", "X-Forwarded-Proto", "https"))
	if u, err := url.Parse(l.Forms[0].DownloadURL); err != nil || u.Scheme != "https" {
		t.Errorf("address = %s", l.Forms[0].DownloadURL)
	}
}

// The same instance from 32 connections at once is stored once, and everybody
// hears 201.
func TestSameAtOnce(t *testing.T) {
	t.Parallel()
	p := newPhone(t)
	p.publish("fmr", "1")
	x := instance("fmr", "1", "uuid:once", "p.jpg", "")
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			typ, b := body(x, file{"p.jpg", "p.jpg", "image/jpeg", "photo"})
			r, err := http.NewRequest("POST", p.base+"/submission", b)
			if err != nil {
				t.Error(err)
				return
			}
			r.Header.Set("Content-Type", typ)
			res, err := p.srv.Client().Do(r)
			if err != nil {
				t.Error(err)
				return
			}
			res.Body.Close()
			if res.StatusCode != 201 {
				t.Errorf("status %d", res.StatusCode)
			}
		})
	}
	wg.Wait()
	events, err := p.db.Events(context.Background(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, e := range events {
		if e.Name == dtm.SubmissionReceived || e.Name == dtm.AttachmentReceived {
			n++
		}
	}
	if p.count() != 1 || n != 2 {
		t.Errorf("%d stored, %d entries", p.count(), n)
	}
}
