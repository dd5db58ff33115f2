package main

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestTrial: a phone lists, downloads and sends to a draft by the code that was
// printed. Its records are shown with the draft and are not among the real ones; once
// published the code is void.
func TestTrial(t *testing.T) {
	t.Parallel()
	base, dir := operated(t)
	form := `<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml"><h:head><h:title>Site</h:title><model><instance><data id="site" version="7"><name/><photo/><meta><instanceID/></meta></data></instance><bind nodeset="/data/photo" type="binary"/></model></h:head><h:body><input ref="/data/name"/><upload ref="/data/photo" mediatype="image/*"/></h:body></h:html>`
	file := filepath.Join(dir, "site.xml")
	if err := os.WriteFile(file, []byte(form), 0o600); err != nil {
		t.Fatal(err)
	}
	out := dtmRun(t, "form", "try", "-data", filepath.Join(dir, "data"), file)
	at := regexp.MustCompile(`http://\S+/v1/test/\S+/projects/1/forms/site/draft`).FindString(out)
	if !strings.HasPrefix(at, base) || !strings.Contains(out, "█") {
		t.Fatalf("no address and code below %s in:\n%s", base, out)
	}
	p := phone{t, at}
	list := p.get(at + "/formList")
	got := regexp.MustCompile(`<downloadUrl>(.*?)</downloadUrl>`).FindAllStringSubmatch(list, -1)
	if len(got) != 1 || !strings.HasPrefix(got[0][1], at) {
		t.Fatalf("the list is not the draft alone:\n%s", list)
	}
	if x := p.get(got[0][1]); x != form {
		t.Errorf("downloaded %s", x)
	}
	record := `<data id="site" version="7"><name>Fantahero</name><photo>place.jpg</photo><meta><instanceID>uuid:trial</instanceID></meta></data>`
	for range 2 { // sent again it is the same
		if code, body := p.send(record, []byte("a photo")); code != http.StatusCreated {
			t.Fatalf("sent: %d %s", code, body)
		}
	}
	if code, body := p.send(strings.Replace(record, "Fantahero", "Obock", 1), []byte("a photo")); code != http.StatusConflict {
		t.Errorf("other content: %d %s", code, body)
	}
	api := func(method, path string) (int, string) {
		t.Helper()
		r, err := http.NewRequest(method, base+"/v1/projects/1/forms/site"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.SetBasicAuth("admin@example.org", "a sentence of five words")
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(b)
	}
	if code, b := api("GET", "/draft/submissions"); code != http.StatusOK || strings.Count(b, `"instanceId":"uuid:trial"`) != 2 || strings.Count(b, "currentVersion") != 1 {
		t.Errorf("with the draft: %d %s", code, b)
	}
	if code, b := api("GET", "/draft/submissions/uuid:trial/attachments/place.jpg"); code != http.StatusOK || b != "a photo" {
		t.Errorf("its photo: %d %q", code, b)
	}
	for what, url := range map[string]string{"another form": strings.Replace(at, "/forms/site/", "/forms/fmr/", 1), "a guessed token": strings.Replace(at, "/test/", "/test/x", 1)} {
		if code, _, b := p.do("GET", url+"/formList", nil, ""); code < 400 || code >= 500 {
			t.Errorf("%s: %d %s", what, code, b)
		}
	}
	if code, b := api("POST", "/draft/publish"); code != http.StatusOK {
		t.Fatalf("published: %d %s", code, b)
	}
	if code, b := api("GET", "/submissions"); code != http.StatusOK || strings.TrimSpace(b) != "[]" {
		t.Errorf("among the real records: %d %s", code, b)
	}
	if code, _, b := p.do("GET", at+"/formList", nil, ""); code < 400 || code >= 500 {
		t.Errorf("the code of what is published: %d %s", code, b)
	}
}
