package openrosa_test

import (
	"context"
	"encoding/csv"
	"encoding/xml"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"dtm"
	"dtm/gather/entity"
	"dtm/gather/openrosa"
)

// withSites is a phone whose form reads sites.csv from an entity list.
func withSites(t *testing.T) *phone {
	t.Helper()
	p := newPhone(t, func(h *openrosa.Handler) {
		h.Reads = func(_ context.Context, f dtm.Form) []string { return entity.Reads(f.XForm) }
		h.Scope = func(d dtm.Device) dtm.EntityScope { return dtm.EntityScope{Point: d.Point, Region: "DJ01"} }
	})
	p.h.Entities = p.db
	p.must(p.db.DeclareEntityList(context.Background(), dtm.EntityList{Name: "sites", Properties: []dtm.EntityProperty{{Name: "region"}, {Name: "point"}, {Name: "eau"}}}))
	p.must(p.db.Publish(context.Background(), dtm.Form{ID: "follow up/é", Version: "1", Title: "Follow-up",
		XForm: []byte(`<h:html xmlns:h="http://www.w3.org/1999/xhtml"><h:head><model><instance id="sites" src="jr://file-csv/sites.csv"/><instance id="x" src="jr://file-csv/other.csv"/></model></h:head></h:html>`)}))
	return p
}

func (p *phone) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *phone) site(id string, after int, label string, data map[string]string) {
	p.t.Helper()
	p.must(p.db.ChangeEntities(context.Background(), dtm.EntityWork{Changes: []dtm.EntityChange{{List: "sites", ID: id, After: after,
		Version: &dtm.EntityVersion{Label: label, Data: data}}}}))
}

func (p *phone) remove(id string, after int) {
	p.t.Helper()
	p.must(p.db.ChangeEntities(context.Background(), dtm.EntityWork{Changes: []dtm.EntityChange{{List: "sites", ID: id, After: after, Deleted: true}}}))
}

type entityManifest struct {
	XMLName xml.Name `xml:"http://openrosa.org/xforms/xformsManifest manifest"`
	Files   []struct {
		Type         string `xml:"type,attr"`
		Filename     string `xml:"filename"`
		Hash         string `xml:"hash"`
		DownloadURL  string `xml:"downloadUrl"`
		IntegrityURL string `xml:"integrityUrl"`
	} `xml:"mediaFile"`
}

func (p *phone) sites() (hash, download, integrity string) {
	p.t.Helper()
	l := parse[list](p.t, p.get("/formList"))
	if len(l.Forms) != 1 || l.Forms[0].ManifestURL == "" {
		p.t.Fatalf("list = %+v", l)
	}
	m := parse[entityManifest](p.t, p.do("GET", l.Forms[0].ManifestURL, nil))
	if len(m.Files) != 1 {
		p.t.Fatalf("manifest = %+v", m)
	}
	f := m.Files[0]
	if f.Type != "entityList" || f.Filename != "sites.csv" || !strings.HasPrefix(f.Hash, "md5:") || len(f.Hash) != 36 ||
		f.IntegrityURL != p.base+"/datasets/sites/integrity" {
		p.t.Fatalf("file = %+v", f)
	}
	return f.Hash, f.DownloadURL, f.IntegrityURL
}

func rows(t testing.TB, a answer) string {
	t.Helper()
	all, err := csv.NewReader(strings.NewReader(a.body)).ReadAll()
	if err != nil || a.status != 200 {
		t.Fatalf("%d %v %s", a.status, err, a.body)
	}
	var out []string
	for _, r := range all {
		out = append(out, strings.Join(r, "|"))
	}
	return strings.Join(out, "\n")
}

func TestRule19EntityList(t *testing.T) {
	t.Parallel()
	p := withSites(t)
	p.site("a", 0, "Obock, «camp» é", map[string]string{"region": "DJ01", "eau": "oui"})
	p.site("b", 0, "Dikhil", map[string]string{"region": "DJ02"})
	p.site("c", 0, "Everywhere", nil)
	p.site("d", 0, "Harbour", map[string]string{"point": "OBK"})
	p.site("e", 0, "Elsewhere", map[string]string{"point": "YBK", "region": "DJ01"})
	hash, download, integrity := p.sites()
	a := p.do("GET", download, nil)
	const head = "name|label|__version|region|point|eau"
	if got, want := rows(t, a), head+"\na|Obock, «camp» é|1|DJ01||oui\nc|Everywhere|1|||\nd|Harbour|1||OBK|"; got != want {
		t.Errorf("sent:\n%s\nwant:\n%s", got, want)
	}
	openRosaHeaders(t, a)
	if !strings.HasPrefix(a.header.Get("Content-Type"), "text/csv") {
		t.Errorf("content type %s", a.header.Get("Content-Type"))
	}

	// Cheap when nothing changed, also when something changed elsewhere.
	p.site("b", 1, "Dikhil 2", map[string]string{"region": "DJ02"})
	if h, _, _ := p.sites(); h != hash {
		t.Error("a change in another region changes this device's hash")
	}
	if again := p.do("GET", download, nil, "If-None-Match", a.header.Get("ETag")); again.status != 304 || again.body != "" {
		t.Errorf("with the ETag: %d %s", again.status, again.body)
	}
	p.site("a", 1, "Obock", map[string]string{"region": "DJ01", "eau": "non"})
	if h, _, _ := p.sites(); h == hash {
		t.Error("a change does not change the hash")
	}
	again := p.do("GET", download, nil, "If-None-Match", a.header.Get("ETag"))
	if got := rows(t, again); !strings.Contains(got, "a|Obock|2|DJ01||non") {
		t.Errorf("after a change: %s", got)
	}

	// By difference.
	since := a.header.Get("DTM-Position")
	diff := p.do("GET", download+"&since="+since, nil)
	if got, want := rows(t, diff), head+"|__deleted\nb||||||true\na|Obock|2|DJ01||non|false"; got != want {
		t.Errorf("difference:\n%s\nwant:\n%s", got, want)
	}
	p.remove("c", 1)
	p.site("a", 2, "Obock", map[string]string{"region": "DJ02"}) // moved away
	diff = p.do("GET", download+"&since="+diff.header.Get("DTM-Position"), nil)
	if got, want := rows(t, diff), head+"|__deleted\nc||||||true\na||||||true"; got != want {
		t.Errorf("difference:\n%s\nwant:\n%s", got, want)
	}
	if none := p.do("GET", download+"&since="+diff.header.Get("DTM-Position"), nil); rows(t, none) != head+"|__deleted" {
		t.Errorf("no difference: %s", none.body)
	}
	if bad := p.do("GET", download+"&since=yesterday", nil); bad.status != 400 || bad.message == "" {
		t.Errorf("since=yesterday: %d", bad.status)
	}

	// Integrity: what the phone has and the list has not.
	q := p.do("GET", integrity+"?deviceID=x&id="+url.QueryEscape("a,c,d,unknown"), nil)
	openRosa(t, "integrity", q)
	var got struct {
		XMLName  xml.Name `xml:"data"`
		Entities []struct {
			ID      string `xml:"id,attr"`
			Deleted string `xml:"deleted"`
		} `xml:"entities>entity"`
	}
	if err := xml.Unmarshal([]byte(q.body), &got); err != nil {
		t.Fatal(err)
	}
	said := map[string]string{}
	for _, e := range got.Entities {
		said[e.ID] = e.Deleted
	}
	if want := fmt.Sprint(map[string]string{"a": "true", "c": "true", "d": "false"}); fmt.Sprint(said) != want {
		t.Errorf("integrity = %v, want %v", said, want)
	}
	if a := p.get("/datasets/none/integrity?id=a"); a.status != 404 || a.message == "" {
		t.Errorf("integrity of no list: %d", a.status)
	}
	if a := p.get("/datasets/sites/integrity"); a.status != 200 || strings.Contains(a.body, "<entity ") {
		t.Errorf("integrity of nothing: %d %s", a.status, a.body)
	}
}

// A form's own attachment of a list's name is what the form's author meant.
func TestRule19OwnAttachment(t *testing.T) {
	t.Parallel()
	p := withSites(t)
	p.must(p.db.Publish(context.Background(), dtm.Form{ID: "follow up/é", Version: "2", Title: "Follow-up",
		XForm: []byte(`<x><instance id="sites" src="jr://file-csv/sites.csv"/></x>`),
		Media: []dtm.Media{{Name: "sites.csv", Type: "text/csv", Data: []byte("name,label\nz,Z\n")}}}))
	l := parse[list](t, p.get("/formList"))
	m := parse[entityManifest](t, p.do("GET", l.Forms[0].ManifestURL, nil))
	if len(m.Files) != 1 || m.Files[0].Type != "" {
		t.Fatalf("manifest = %+v", m)
	}
	if a := p.do("GET", m.Files[0].DownloadURL, nil); a.body != "name,label\nz,Z\n" {
		t.Errorf("sent %q", a.body)
	}
}

func openRosaHeaders(t testing.TB, a answer) {
	t.Helper()
	if a.header.Get("X-OpenRosa-Version") != "1.0" {
		t.Errorf("headers %v", a.header)
	}
}
