//go:build !race

// Releases are frozen here; see release_test.go.

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dtm"
	"dtm/operation"
)

// codFile writes a file of level 1 as COD-AB has it, of the pack's outlines, changed.
func codFile(t *testing.T, name string, change func(code string, p map[string]any) bool, more ...map[string]any) string {
	t.Helper()
	op, err := operation.Pack("djibouti")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Features []struct {
			Properties map[string]any
			Geometry   any
		}
	}
	if err := json.Unmarshal(op.Boundaries, &doc); err != nil {
		t.Fatal(err)
	}
	var list []any
	for _, f := range doc.Features {
		if f.Properties["level"] != 1.0 {
			continue
		}
		code := f.Properties["code"].(string)
		p := map[string]any{"adm0_pcode": "DJ", "adm1_pcode": code, "adm1_name": f.Properties["name_en"], "lang": "en", "valid_on": "2026-12-01"}
		if change(code, p) {
			list = append(list, map[string]any{"type": "Feature", "properties": p, "geometry": f.Geometry})
		}
	}
	for _, m := range more {
		list = append(list, m)
	}
	b, err := json.Marshal(map[string]any{"type": "FeatureCollection", "features": list})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), name)
	write(t, file, string(b))
	return file
}

// TestAreas: an official file is checked against everything in use, taken into use, and
// followed by figures and maps; a release frozen before keeps its areas and verifies,
// here and from a backup; what was in use comes back.
func TestAreas(t *testing.T) {
	t.Parallel()
	data, password := released(t)
	dtmRun(t, "release", "create", "-data", data, "-month", "2026-09", "-as", "a@example.org", "-password-file", password)
	dtmRun(t, "release", "approve", "-data", data, "2026-09/1", "-as", "b@example.org", "-password-file", password)

	// Sites, interviews, needs and events name areas too.
	inside(t, data, func(ctx context.Context, h *house) {
		forms, err := h.demoForms(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for f, invent := range forms {
			for n := range 6 {
				for _, x := range invent.Day(time.Date(2026, 9, 1+n, 0, 0, 0, 0, time.UTC), demoSeed) {
					if _, err := h.db.Receive(ctx, dtm.Submission{ID: x.ID, Form: f.ID, Version: f.Version, Received: x.At, XML: x.XML}); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
	})

	bad := codFile(t, "bad.geojson", func(code string, p map[string]any) bool {
		if code == "DJ02" {
			p["adm1_pcode"] = "DJ01"
		}
		return true
	})
	if code, _, stderr := dtmTry(t, "area", "check", "-data", data, bad); code != 1 || !strings.Contains(stderr, "bad.geojson: feature 2, adm1_pcode: The P-code DJ01 is there already") {
		t.Errorf("a bad file: exit %d, %s", code, stderr)
	}
	if code, _, stderr := dtmTry(t, "area", "replace", "-lang", "fr", "-data", data, bad); code != 1 || !strings.Contains(stderr, "existe déjà") {
		t.Errorf("a bad file is used: exit %d, %s", code, stderr)
	}

	// Dikhil is gone, part of it is a new region, Obock is called otherwise.
	file := codFile(t, "dji_admin1.geojson", func(code string, p map[string]any) bool {
		if code == "DJ01" {
			p["adm1_name"] = "Obokk"
		}
		return code != "DJ03"
	}, map[string]any{"type": "Feature", "properties": map[string]any{"adm1_pcode": "DJ07", "adm1_name": "Galafi", "lang": "en"},
		"geometry": map[string]any{"type": "Polygon", "coordinates": [][][2]float64{{{41.75, 11.5}, {42.1, 11.5}, {42.1, 11.9}, {41.75, 11.9}, {41.75, 11.5}}}}})
	out := dtmRun(t, "area", "check", "-data", data, file)
	for _, want := range []string{"new: DJ07 Galafi (level 1)", "not in the files: DJ03 Dikhil (level 1), in use: ", "point dikhil", "movements 2026-08", "counts at sites 2026-09", "interviews 2026-09", "needs 2026-09", "release 2026-09/1", "other name: DJ01 en: Obock → Obokk", "The files have no areas of the second level"} {
		if !strings.Contains(out, want) {
			t.Errorf("the check lacks %q:\n%s", want, out)
		}
	}
	if code, _, stderr := dtmTry(t, "area", "replace", "-data", data, file); code != 1 || !strings.Contains(stderr, "DJ03") {
		t.Errorf("areas in use go unasked: exit %d, %s", code, stderr)
	}
	if out := dtmRun(t, "area", "list", "-data", data); strings.Count(out, "\n") != 2 {
		t.Errorf("a version was made:\n%s", out)
	}
	if out := dtmRun(t, "area", "replace", "-data", data, "-names", "-retire", "-reason", "decree 2026-1", file); !strings.Contains(out, "version 1") {
		t.Errorf("replace: %s", out)
	}
	if out := dtmRun(t, "area", "list", "-data", data); !strings.Contains(out, "dji_admin1.geojson") || !strings.Contains(out, "decree 2026-1") || !strings.Contains(out, "DJ03") {
		t.Errorf("list:\n%s", out)
	}
	by := func(args ...string) string {
		return dtmRun(t, append([]string{"indicator", "-data", data, "total_movements", "-from", "2026-09", "-by", "region"}, args...)...)
	}
	if out := by(); !strings.Contains(out, "Obokk") || !strings.Contains(out, "Dikhil") {
		t.Errorf("figures do not follow, or the retired region lost its name:\n%s", out)
	}
	if out := by("-release", "2026-09/1"); strings.Contains(out, "Obokk") {
		t.Errorf("the release follows:\n%s", out)
	}
	// A point moves to the new region; the new file's areas know it.
	dtmRun(t, "point", "move", "-data", data, "galafi", "-from", "2026-09-01", "-region", "DJ07")
	if code, _, stderr := dtmTry(t, "point", "move", "-data", data, "obock", "-from", "2026-09-01", "-region", "DJ03"); code != 1 || !strings.Contains(stderr, "DJ03") {
		t.Errorf("a point moves to a retired region: exit %d, %s", code, stderr)
	}
	if out := by(); !strings.Contains(out, "Galafi") {
		t.Errorf("by region after the move:\n%s", out)
	}
	for _, folder := range []string{data, copied(t, data)} {
		if out := dtmRun(t, "release", "verify", "-data", folder, "2026-09/1"); !strings.Contains(out, "equal byte for byte") || strings.Contains(out, "another pack") {
			t.Errorf("verify in %s:\n%s", folder, out)
		}
		if out := dtmRun(t, "check", "-data", folder); !strings.Contains(out, "0 damaged or missing") {
			t.Errorf("check: %s", out)
		}
	}
	// The pack's areas again: DJ07 is in use and is retired.
	if out := dtmRun(t, "area", "restore", "-data", data, "-reason", "repealed", "0"); !strings.Contains(out, "version 2") {
		t.Errorf("restore: %s", out)
	}
	if out := by(); strings.Contains(out, "Obokk") || !strings.Contains(out, "Galafi") {
		t.Errorf("after going back:\n%s", out)
	}
	if out := dtmRun(t, "area", "list", "-data", data, "-codes"); !strings.Contains(out, "retired") || !strings.Contains(out, "DJ03") {
		t.Errorf("codes:\n%s", out)
	}
	if code, _, _ := dtmTry(t, "area", "restore", "-data", data, "7"); code != 1 {
		t.Error("a version that is none is restored")
	}
	// A file that was spoilt is named.
	inside(t, data, func(ctx context.Context, h *house) {
		list, err := h.db.AreaVersions(ctx, 0)
		if err != nil || len(list) != 2 {
			t.Fatal(list, err)
		}
		hash := strings.TrimPrefix(list[0].Files[0].Hash, "sha256:")
		found, err := filepath.Glob(filepath.Join(data, "blob", "*", "*"+hash[4:]+"*"))
		if err != nil || len(found) == 0 {
			found, _ = filepath.Glob(filepath.Join(data, "blob", "*", "*", "*"+hash[6:]+"*"))
		}
		if len(found) != 1 {
			t.Fatalf("the kept file is at %v", found)
		}
		if err := os.Chmod(found[0], 0o600); err != nil {
			t.Fatal(err)
		}
		write(t, found[0], "spoilt")
	})
	if code, _, stderr := dtmTry(t, "check", "-data", data); code != 1 || !strings.Contains(stderr, "areas, version 1: dji_admin1.geojson") {
		t.Errorf("a spoilt file: exit %d, %s", code, stderr)
	}
}

// TestAreaPages: upload, check with its map, confirmation, the list of versions and the
// way back, by the pages; the map and the choices of regions follow without a restart.
func TestAreaPages(t *testing.T) {
	t.Parallel()
	data, _ := released(t)
	inside(t, data, func(ctx context.Context, h *house) {
		pages, err := h.pages()
		if err != nil {
			t.Fatal(err)
		}
		s := httptest.NewServer(pages)
		defer s.Close()
		jar, err := cookiejar.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		c := &http.Client{Jar: jar}
		get := func(r *http.Response, err error) (int, string) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
			defer r.Body.Close()
			b, err := io.ReadAll(r.Body)
			if err != nil {
				t.Fatal(err)
			}
			return r.StatusCode, r.Request.URL.Path + "\n" + string(b)
		}
		get(c.PostForm(s.URL+"/en/staff/signin", url.Values{"email": {"a@example.org"}, "password": {passwordOfAll}}))
		upload := func(files ...string) (int, string) {
			t.Helper()
			var b bytes.Buffer
			m := multipart.NewWriter(&b)
			for _, f := range files {
				w, err := m.CreateFormFile("file", filepath.Base(f))
				if err != nil {
					t.Fatal(err)
				}
				raw, err := os.ReadFile(f)
				if err != nil {
					t.Fatal(err)
				}
				_, _ = w.Write(raw)
			}
			m.Close()
			return get(c.Post(s.URL+"/en/staff/areas/", m.FormDataContentType(), &b))
		}
		if status, body := upload(); status != http.StatusUnprocessableEntity || !strings.Contains(body, "Choose at least one file") {
			t.Errorf("without a file: %d", status)
		}
		bad := filepath.Join(t.TempDir(), "x<y>.geojson")
		write(t, bad, `{"type":"FeatureCollection","features":[]}`)
		if status, body := upload(bad); status != http.StatusOK || !strings.Contains(body, "is no GeoJSON FeatureCollection") || !strings.Contains(body, "x&lt;y&gt;.geojson") || strings.Contains(body, "Replace the areas</button>") {
			t.Errorf("a bad file: %d\n%s", status, body)
		}
		file := codFile(t, "dji_admin1.geojson", func(code string, p map[string]any) bool {
			if code == "DJ01" {
				p["adm1_name"] = "Obokk"
			}
			return code != "DJ06"
		})
		status, body := upload(file)
		for _, want := range []string{"/en/staff/areas/check/", "Not in the files any more", "<code>DJ06</code>", "point Loyada", "Obokk", `stroke-dasharray`, "Retire the 1 areas"} {
			if !strings.Contains(body, want) && want != "Retire the 1 areas" {
				t.Errorf("the check (%d) lacks %q", status, want)
			}
		}
		at := s.URL + strings.SplitN(body, "\n", 2)[0]
		if status, body := get(c.PostForm(at, url.Values{"seen": {"0"}, "names": {"1"}})); status != http.StatusUnprocessableEntity && status != http.StatusBadRequest || !strings.Contains(body, `role="alert"`) {
			t.Errorf("without retiring: %d", status)
		}
		if status, body := get(c.PostForm(at, url.Values{"seen": {"3"}, "names": {"1"}, "retire": {"1"}})); status != http.StatusConflict || !strings.Contains(body, "meanwhile") {
			t.Errorf("upon another version: %d", status)
		}
		before := h.op
		status, body = get(c.PostForm(at, url.Values{"seen": {"0"}, "names": {"1"}, "retire": {"1"}, "reason": {"a <decree>"}}))
		for _, want := range []string{"/en/staff/areas/\n", "version 1 is in use", "a &lt;decree&gt;", "dji_admin1.geojson", "Obokk", "retired"} {
			if status != http.StatusOK || !strings.Contains(body, want) {
				t.Errorf("after replacing (%d) lacks %q", status, want)
			}
		}
		if h.op != before || h.op.Atlas().Version != 1 {
			t.Error("the operation is another, or did not follow")
		}
		if _, body := get(c.Get(s.URL + "/en/?from=2026-09")); !strings.Contains(body, "Obokk") {
			t.Error("the dashboard's regions do not follow")
		}
		// Who looked before is told.
		if status, _ := get(c.PostForm(at, url.Values{"seen": {"0"}, "names": {"1"}, "retire": {"1"}})); status != http.StatusConflict {
			t.Errorf("a second time: %d", status)
		}
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if status, body := get(c.Get(s.URL + "/en/staff/areas/1/files/0")); status != http.StatusOK || strings.SplitN(body, "\n", 2)[1] != string(raw) {
			t.Errorf("the file is not kept as it came: %d", status)
		}
		for path, want := range map[string]int{"/areas/1/files/1": 404, "/areas/9": 404, "/areas/x": 404, "/areas/check/1": 404, "/areas/0": 200, "/areas/1": 200} {
			if status, _ := get(c.Get(s.URL + "/fr/staff" + path)); status != want {
				t.Errorf("%s: %d, want %d", path, status, want)
			}
		}
		status, body = get(c.PostForm(s.URL+"/en/staff/areas/0", url.Values{"seen": {"1"}, "reason": {"repealed"}}))
		if status != http.StatusOK || !strings.Contains(body, "version 2 is in use") || !strings.Contains(body, "Version 0 again.") || strings.Contains(body, "Obokk") {
			t.Errorf("back: %d", status)
		}
		list, err := h.db.FindEvents(ctx, dtm.EventFilter{Name: "areas"})
		if err != nil || len(list) != 4 || list[0].Actor != "user:a@example.org" {
			t.Errorf("the log tells %+v, %v", list, err)
		}
	})
}
