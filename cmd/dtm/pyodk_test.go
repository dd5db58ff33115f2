package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
)

// python is the test-only environment with pyodk.
func python(t *testing.T) string {
	t.Helper()
	p := os.Getenv("DTM_TEST_PYTHON")
	if p == "" {
		p, _ = filepath.Abs(filepath.Join("..", "..", ".cache", "py", "bin", "python"))
	}
	if _, err := exec.LookPath(p); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("the Python environment with pyodk is missing: make tools")
		}
		t.Skip("the Python environment with pyodk is missing: make tools")
	}
	return p
}

// workbook writes an XLSForm.
func workbook(t *testing.T, file string, sheets map[string][][]string) {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	for name, rows := range sheets {
		if _, err := f.NewSheet(name); err != nil {
			t.Fatal(err)
		}
		for i, r := range rows {
			for k, v := range r {
				cell, err := excelize.CoordinatesToCellName(k+1, i+1)
				if err != nil {
					t.Fatal(err)
				}
				if err := f.SetCellStr(name, cell, v); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if err := f.DeleteSheet("Sheet1"); err != nil {
		t.Fatal(err)
	}
	if err := f.SaveAs(file); err != nil {
		t.Fatal(err)
	}
}

// operated starts the program on a new data folder with a manager.
func operated(t *testing.T) (base, dir string) {
	t.Helper()
	dir = t.TempDir()
	data := filepath.Join(dir, "data")
	must := func(args ...string) {
		t.Helper()
		var out strings.Builder
		c := &call{args: args, dir: dir, env: func(string) string { return "" }, out: &out, err: &out}
		if code := run(context.Background(), c); code != 0 {
			t.Fatalf("dtm %s: %d\n%s", strings.Join(args, " "), code, out.String())
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "password"), []byte("a sentence of five words\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	must("init", "-data", data)
	must("user", "add", "-data", data, "-email", "admin@example.org", "-role", "admin", "-password-file", "password")
	base, _ = serving(t, data)
	return base, dir
}

// TestPyODK: the unmodified client does everything that it can.
func TestPyODK(t *testing.T) {
	py := python(t)
	base, dir := operated(t)
	survey := [][]string{{"type", "name", "label"}, {"text", "name", "Name"}, {"integer", "count", "Count"}, {"image", "photo", "Photo"}, {"begin_repeat", "person", "Person"}, {"integer", "age", "Age"}, {"end_repeat"}}
	workbook(t, filepath.Join(dir, "site.xlsx"), map[string][][]string{"survey": survey, "settings": {{"form_id", "form_title", "version"}, {"site", "Site", "1"}}})
	workbook(t, filepath.Join(dir, "site2.xlsx"), map[string][][]string{"survey": append(survey, []string{"select_one_from_file towns.csv", "town", "Town"}), "settings": {{"form_id", "form_title", "version"}, {"site", "Site", "2"}}})
	workbook(t, filepath.Join(dir, "bad.xlsx"), map[string][][]string{"survey": {{"type", "name", "label"}, {"select_one nothing", "a", "A"}}})
	if err := os.WriteFile(filepath.Join(dir, "towns.csv"), []byte("name,label\nobock,Obock\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, "pyodk.toml")
	if err := os.WriteFile(config, []byte("[central]\nbase_url = \""+base+"\"\nusername = \"admin@example.org\"\npassword = \"a sentence of five words\"\ndefault_project_id = 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(py, filepath.Join("testdata", "client.py"), config, base, dir)
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "every call of pyodk answered") {
		t.Fatalf("%v\n%s", err, out[max(0, len(out)-3000):])
	}
}

// TestRuODK: what ruODK 1.5 asks when it reads, as it asks it: Basic on each call,
// and its own heads.
func TestRuODK(t *testing.T) {
	base, _ := operated(t)
	ask := func(path string, header ...string) (int, http.Header, []byte) {
		t.Helper()
		r, err := http.NewRequest("GET", base+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte("admin@example.org:a sentence of five words")))
		r.Header.Set("Accept", "application/json, text/xml, application/xml, */*")
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, resp.Header, b
	}
	for _, c := range []struct{ path, kind string }{
		{"/v1/projects", "application/json"},
		{"/v1/projects/1", "application/json"},
		{"/v1/projects/1/forms", "application/json"},
		{"/v1/projects/1/forms/fmr", "application/json"},
		{"/v1/projects/1/forms/fmr.xml", "application/xml"},
		{"/v1/projects/1/forms/fmr/fields?odata=true", "application/json"},
		{"/v1/projects/1/forms/fmr/submissions", "application/json"},
		{"/v1/projects/1/forms/fmr/submissions/keys", "application/json"},
		{"/v1/projects/1/forms/fmr/submissions/submitters", "application/json"},
		{"/v1/projects/1/forms/fmr/submissions.csv.zip?attachments=true", "application/zip"},
		{"/v1/projects/1/forms/fmr.svc", "application/json"},
		{"/v1/projects/1/forms/fmr.svc/$metadata", "application/xml"},
		{"/v1/projects/1/forms/fmr.svc/Submissions?$count=true&$wkt=false", "application/json"},
		{"/v1/projects/1/forms/fmr.svc/Submissions.block", "application/json"},
		{"/v1/projects/1/datasets", "application/json"},
		{"/v1/projects/1/datasets/points", "application/json"},
		{"/v1/projects/1/datasets/points/entities", "application/json"},
		{"/v1/projects/1/datasets/points/entities.csv", "text/csv"},
		{"/v1/projects/1/datasets/points.svc", "application/json"},
		{"/v1/projects/1/datasets/points.svc/$metadata", "application/xml"},
		{"/v1/projects/1/datasets/points.svc/Entities", "application/json"},
		{"/v1/users", "application/json"},
		{"/v1/users/current", "application/json"},
		{"/v1/audits", "application/json"},
	} {
		code, h, b := ask(c.path, "X-Extended-Metadata", "true")
		if code != http.StatusOK || !strings.HasPrefix(h.Get("Content-Type"), c.kind) || len(b) == 0 {
			t.Errorf("%s: %d %s %.200s", c.path, code, h.Get("Content-Type"), b)
		}
	}
	for path, want := range map[string]float64{
		"/v1/projects/2": 404.1, "/v1/projects/1/forms/none": 404.1, "/v1/projects/1/forms/fmr.svc/Submissions?$apply=x": 501.1,
		"/v1/projects/1/forms/fmr.svc/Submissions?$filter=x": 400.8,
	} {
		code, _, b := ask(path)
		var p struct{ Code float64 }
		if err := json.Unmarshal(b, &p); err != nil || p.Code != want || code != int(want) {
			t.Errorf("%s: %d %s, want %v", path, code, b, want)
		}
	}
	if code, _, b := ask("/v1/projects", "Authorization", "Bearer nothing"); code != http.StatusUnauthorized || !strings.Contains(string(b), "401.2") {
		t.Errorf("a wrong token: %d %s", code, b)
	}
	if code, _, _ := ask("/v1/projects", "Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte("admin@example.org:wrong"))); code != http.StatusUnauthorized {
		t.Errorf("a wrong password: %d", code)
	}
}

// TestEditNeedsReview: who may only send cannot replace what is there, whichever way
// the edit is sent, nor can an edit of one form replace a record of another.
func TestEditNeedsReview(t *testing.T) {
	base, dir := operated(t)
	var out strings.Builder
	c := &call{args: []string{"user", "add", "-data", filepath.Join(dir, "data"), "-email", "e@example.org", "-role", "enumerator", "-password-file", "password"}, dir: dir, env: func(string) string { return "" }, out: &out, err: &out}
	if code := run(context.Background(), c); code != 0 {
		t.Fatal(out.String())
	}
	ask := func(who, method, path, body string) (int, string) {
		t.Helper()
		r, err := http.NewRequest(method, base+"/v1/projects/1/forms/"+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.SetBasicAuth(who+"@example.org", "a sentence of five words")
		r.Header.Set("Content-Type", "application/xml")
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
	form := func(id string) string {
		return `<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml"><h:head><h:title>T</h:title><model><instance><data id="` + id + `" version="1"><a/><meta><instanceID/></meta></data></instance></model></h:head><h:body><input ref="/data/a"/></h:body></h:html>`
	}
	for _, id := range []string{"one", "two"} {
		if code, b := ask("admin", "POST", "../forms?publish=true", form(id)); code != http.StatusOK {
			t.Fatalf("form %s: %d %s", id, code, b)
		}
	}
	record := func(form, id, deprecates string) string {
		return `<data id="` + form + `" version="1"><a>1</a><meta><instanceID>` + id + `</instanceID><deprecatedID>` + deprecates + `</deprecatedID></meta></data>`
	}
	for _, step := range []struct {
		what, who, method, path, body string
		want                          int
	}{
		{"an enumerator sends", "e", "POST", "one/submissions", record("one", "uuid:1", ""), 200},
		{"an enumerator edits by sending", "e", "POST", "one/submissions", record("one", "uuid:2", "uuid:1"), 403},
		{"an enumerator edits", "e", "PUT", "one/submissions/uuid:1", record("one", "uuid:2", "uuid:1"), 403},
		{"an enumerator reads", "e", "GET", "one/submissions", "", 403},
		{"an edit by another form", "admin", "POST", "two/submissions", record("two", "uuid:3", "uuid:1"), 404},
		{"nothing to review", "admin", "PATCH", "one/submissions/uuid:1", `{}`, 200},
		{"approved", "admin", "PATCH", "one/submissions/uuid:1", `{"reviewState":"approved"}`, 200},
		{"nothing to review again", "admin", "PATCH", "one/submissions/uuid:1", `{}`, 200},
		{"an edit", "admin", "POST", "one/submissions", record("one", "uuid:2", "uuid:1"), 200},
		{"too much", "admin", "POST", "one/submissions", "<data>" + strings.Repeat("x", 9<<20) + "</data>", 413},
	} {
		code, b := ask(step.who, step.method, step.path, step.body)
		if code != step.want {
			t.Errorf("%s: %d, want %d: %.300s", step.what, code, step.want, b)
		}
		if step.what == "nothing to review again" && !strings.Contains(b, `"reviewState":"approved"`) {
			t.Errorf("%s: %s", step.what, b)
		}
	}
}
