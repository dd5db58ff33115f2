//go:build !race

// Making the release starts the PDF engine.

package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestPublishHDX: the package has what the Humanitarian Data Exchange asks of a data set,
// names its files and no others, and OCHA's own library finds no fault in those.
func TestPublishHDX(t *testing.T) {
	t.Parallel()
	data, out := publishedMonth(t), filepath.Join(t.TempDir(), "hdx")
	if code, _, stderr := dtmTry(t, "publish", "hdx", "-data", data, "-out", out); code != 2 || !strings.Contains(stderr, "sends nothing") {
		t.Errorf("without -dry-run: %d %s", code, stderr)
	}
	code, said, stderr := dtmTry(t, "publish", "hdx", "-data", data, "-dry-run", "-release", "2022-12", "-out", out)
	if code != 0 || !strings.Contains(said, "nothing was sent") || !strings.Contains(stderr, "maintainer") {
		t.Fatalf("%d %s %s", code, said, stderr)
	}
	b, err := os.ReadFile(filepath.Join(out, "package.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]any
	if err := json.Unmarshal(b, &all); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"name", "title", "notes", "dataset_source", "private", "owner_org", "maintainer", "dataset_date", "data_update_frequency", "groups", "license_id", "license_other", "methodology", "methodology_other", "caveats", "tags", "subnational", "resources"} {
		if v, ok := all[name]; !ok || v == "" && name != "maintainer" {
			t.Errorf("%s is %v", name, v)
		}
	}
	var p struct {
		Date      string `json:"dataset_date"`
		Groups    []struct{ Name string }
		Resources []struct {
			Name, Description, Format, Upload string
			URLType                           string `json:"url_type"`
			ResourceType                      string `json:"resource_type"`
			Size                              int64
		}
	}
	if err := json.Unmarshal(b, &p); err != nil || len(p.Groups) != 1 || p.Groups[0].Name != "dji" || p.Date != "[2022-11-01T00:00:00 TO 2022-12-31T23:59:59]" {
		t.Errorf("%v %+v", err, p)
	}
	list, err := os.ReadDir(out)
	if err != nil || len(list) != len(p.Resources)+1 || len(p.Resources) < 8 {
		t.Fatalf("%v: %d files, %d resources", err, len(list), len(p.Resources))
	}
	var tagged []string
	for _, r := range p.Resources {
		st, err := os.Stat(filepath.Join(out, r.Upload))
		if err != nil || st.Size() != r.Size || r.Size == 0 || r.Name != r.Upload || r.Format == "" || r.URLType != "upload" || r.ResourceType != "file.upload" || !strings.Contains(r.Description, "2022-12/1") {
			t.Errorf("%v: %+v", err, r)
		}
		if r.Format == "CSV" || r.Format == "XLSX" {
			tagged = append(tagged, filepath.Join(out, r.Upload))
		}
	}
	if b, err := os.ReadFile(filepath.Join(out, "djibouti-flows.csv")); err != nil || !strings.Contains(string(b), "2022-12,ETH,SAU,2698,false") {
		t.Errorf("the flows: %v\n%s", err, b)
	}
	python := os.Getenv("DTM_TEST_PYTHON")
	if python == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("DTM_TEST_PYTHON is not set: make tools makes the environment, .cache/py/bin/python")
		}
		t.Skip("set DTM_TEST_PYTHON to the interpreter of the test environment (make tools)")
	}
	found, err := exec.CommandContext(t.Context(), python, append([]string{filepath.Join("..", "..", "internal", "testtool", "hxlcheck.py")}, tagged...)...).CombinedOutput()
	if err != nil || len(found) > 0 {
		t.Errorf("libhxl: %v\n%s", err, found)
	}
}
