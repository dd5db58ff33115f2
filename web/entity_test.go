package web_test

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"dtm"
)

// TestEntityPages: an entity is added, changed with the other's change respected, and
// removed; a file is compared first, changes by difference, and leaves what somebody
// changed since; the register's list is not changed here.
func TestEntityPages(t *testing.T) {
	t.Parallel()
	s, db := office(t)
	ctx := t.Context()
	for _, l := range []dtm.EntityList{{Name: "sites", Properties: []dtm.EntityProperty{{Name: "region"}, {Name: "kind"}}}, {Name: "points"}} {
		if err := db.DeclareEntityList(ctx, l); err != nil {
			t.Fatal(err)
		}
	}
	c := visitor(t, s, dtm.RoleManager)
	const at = "/en/staff/entities/sites/"
	if status, body := send(t, c, s.URL+at, url.Values{"label": {"  "}, "p:kind": {"camp"}}); status != http.StatusUnprocessableEntity || !strings.Contains(body, `value="camp"`) {
		t.Errorf("without a label: %d", status)
	}
	for _, label := range []string{"Ali Addeh", "Holl-Holl"} {
		if status, _ := send(t, c, s.URL+at, url.Values{"label": {label}, "p:region": {"DJ03"}}); status != http.StatusOK {
			t.Fatalf("adding: %d", status)
		}
	}
	list, _, err := db.Entities(ctx, dtm.EntityFilter{List: "sites"})
	if err != nil || len(list) != 2 {
		t.Fatalf("%+v, %v", list, err)
	}
	one := s.URL + at + list[0].ID
	if status, _ := send(t, c, one, url.Values{"base": {"1"}, "label": {"Ali Addeh"}, "p:region": {"DJ03"}, "p:kind": {"camp"}}); status != http.StatusOK {
		t.Errorf("changing: %d", status)
	}
	if status, body := send(t, c, one, url.Values{"base": {"1"}, "label": {"Late words"}}); status != http.StatusConflict || !strings.Contains(body, "Late words") {
		t.Errorf("a change of what was changed meanwhile: %d", status)
	}
	if _, body := send(t, c, one, nil); !strings.Contains(body, "Versions: 2") || !strings.Contains(body, "manager@example.org") {
		t.Error("the history is not told")
	}
	if _, body := send(t, c, s.URL+at+"?q=holl", nil); strings.Contains(body, "Ali Addeh") || !strings.Contains(body, "Holl-Holl") {
		t.Error("the search finds something else")
	}

	upload := func(fields map[string]string, file string) (int, *goquery.Document) {
		t.Helper()
		var b bytes.Buffer
		w := multipart.NewWriter(&b)
		for k, v := range fields {
			w.WriteField(k, v)
		}
		if file != "" {
			part, err := w.CreateFormFile("file", "sites.csv")
			if err != nil {
				t.Fatal(err)
			}
			io.WriteString(part, file)
		}
		w.Close()
		resp, err := c.Post(s.URL+at+"upload", w.FormDataContentType(), &b)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		doc, err := goquery.NewDocumentFromReader(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, doc
	}
	for file, want := range map[string]string{"name,region\nx,y\n": "label", "label,region\nA,B\n,C\n": "Line 3", "label\n\"open": "Line", "\xff\xfe": "UTF-8", "name,label\n1,a\n1,b\n": "twice"} {
		if status, doc := upload(nil, file); status != http.StatusUnprocessableEntity || !strings.Contains(doc.Find("[role=alert]").Text(), want) {
			t.Errorf("%q: %d %s", file, status, doc.Find("[role=alert]").Text())
		}
	}
	// the first has another version by now than the file, the second changes, one is new
	file := "\ufeffname;label;__version;region;kind;beds\n" + list[0].ID + ";Ali Addeh;1;DJ03;town;\n" + list[1].ID + ";Holl-Holl;1;DJ03;camp;\n;Markazi;;DJ05;camp;7\n"
	status, doc := upload(map[string]string{"delete": "yes"}, file)
	if text := doc.Find(".checked").Text(); status != http.StatusOK || !strings.Contains(text, "New: 1. Changed: 1. Removed: 0. The same: 0.") || !strings.Contains(text, "left as they are: 1") {
		t.Fatalf("preview: %d %s", status, text)
	}
	if _, n, _ := db.Entities(ctx, dtm.EntityFilter{List: "sites"}); n != 2 {
		t.Error("changed before it was agreed to")
	}
	status, doc = upload(map[string]string{"carried": doc.Find("input[name=carried]").AttrOr("value", ""), "name": "sites.csv", "apply": "yes"}, "")
	if status != http.StatusOK || !strings.Contains(doc.Find("[role=status]").Text(), "New: 1. Changed: 1.") {
		t.Fatalf("applied: %d", status)
	}
	for id, want := range map[string]string{list[0].ID: "camp", list[1].ID: "camp"} {
		if e, err := db.Entity(ctx, "sites", id); err != nil || e.Current.Data["kind"] != want || e.Current.Data["region"] != "DJ03" {
			t.Errorf("%s is %+v, %v", id, e.Current, err)
		}
	}
	if l, err := db.EntityList(ctx, "sites"); err != nil || l.Count != 3 || len(l.Properties) != 3 {
		t.Errorf("the list is %+v, %v", l, err)
	}
	if status, _ := send(t, c, one, url.Values{"base": {"2"}, "do": {"delete"}}); status != http.StatusOK {
		t.Errorf("removing: %d", status)
	}
	if e, err := db.Entity(ctx, "sites", list[0].ID); err != nil || e.Deleted == nil {
		t.Errorf("still there: %v", err)
	}
	if status, _ := send(t, c, s.URL+"/en/staff/entities/points/", url.Values{"label": {"x"}}); status != http.StatusBadRequest {
		t.Errorf("the register's list: %d", status)
	}
	if status, _ := send(t, visitor(t, s, dtm.RoleSupervisor), s.URL+at, url.Values{"label": {"x"}}); status != http.StatusForbidden {
		t.Errorf("a supervisor changes a list: %d", status)
	}
}

// TestWebhookPage: added with its key shown once, tried, removed; addresses that are
// not public are refused with the reason; nobody but an administrator gets there.
func TestWebhookPage(t *testing.T) {
	t.Parallel()
	s, db := office(t)
	const at = "/en/staff/webhooks/"
	if status, _ := send(t, visitor(t, s, dtm.RoleManager), s.URL+at, nil); status != http.StatusForbidden {
		t.Errorf("a data manager: %d", status)
	}
	c := visitor(t, s, dtm.RoleAdmin)
	for _, bad := range []string{"http://127.0.0.1/x", "nonsense", "https://u:p@example.org/"} {
		if status, body := send(t, c, s.URL+at, url.Values{"url": {bad}}); status != http.StatusUnprocessableEntity || !strings.Contains(body, `role="alert"`) {
			t.Errorf("%s: %d", bad, status)
		}
	}
	_, body := send(t, c, s.URL+at, url.Values{"url": {"https://example.org/told"}, "flagged": {"yes"}})
	list, err := db.Webhooks(t.Context())
	if err != nil || len(list) != 1 || len(list[0].Events) != 2 {
		t.Fatalf("%+v, %v", list, err)
	}
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	secret := doc.Find("section.done code").Text()
	if len(secret) < 20 {
		t.Errorf("the key is %q", secret)
	}
	if _, body := send(t, c, s.URL+at, nil); strings.Contains(body, secret) || !strings.Contains(body, "https://example.org/told") {
		t.Error("the key is shown again, or the address is not")
	}
	if _, body := send(t, c, s.URL+at+list[0].ID, url.Values{"do": {"test"}}); !strings.Contains(body, "the answer was 204") {
		t.Error("the test's answer is not told")
	}
	if status, _ := send(t, c, s.URL+at+list[0].ID, url.Values{"do": {"remove"}}); status != http.StatusOK {
		t.Errorf("removing: %d", status)
	}
	if list, _ := db.Webhooks(t.Context()); len(list) != 0 {
		t.Error("still there")
	}
}
