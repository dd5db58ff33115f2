package opendata_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/xuri/excelize/v2"
)

func rowsOf(t *testing.T, body string) [][]string {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(body)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// TestFormats: CSV, JSON, XLSX and Parquet of a dataset say the same, value by value.
func TestFormats(t *testing.T) {
	t.Parallel()
	s := server(t)
	for _, at := range []string{"flows?from=2022-11&to=2022-12", "flows?from=2022-12&release=provisional", "presence?", "points?", "areas?", "codes?"} {
		t.Run(at, func(t *testing.T) {
			id, query, _ := strings.Cut(at, "?")
			_, body := get(t, s.URL+"/api/v1/"+id+".csv?"+query)
			want := rowsOf(t, body)
			if len(want) < 2 && id != "presence" {
				t.Fatalf("only %v", want)
			}
			_, body = get(t, s.URL+"/api/v1/"+id+".json?limit=10000&"+query)
			var j struct {
				Count int
				Rows  []map[string]any
			}
			if err := json.Unmarshal([]byte(body), &j); err != nil {
				t.Fatal(err)
			}
			said := func(v any) string {
				switch v := v.(type) {
				case nil:
					return ""
				case float64:
					return strconv.FormatFloat(v, 'f', -1, 64)
				case bool:
					return strconv.FormatBool(v)
				}
				return v.(string)
			}
			if len(j.Rows) != len(want)-1 || j.Count != len(j.Rows) {
				t.Fatalf("JSON has %d of %d rows, CSV %d", len(j.Rows), j.Count, len(want)-1)
			}
			for i, row := range j.Rows {
				for c, name := range want[0] {
					if got := said(row[name]); got != want[i+1][c] {
						t.Errorf("JSON row %d %s: %q, CSV %q", i, name, got, want[i+1][c])
					}
				}
			}
			_, body = get(t, s.URL+"/api/v1/"+id+".xlsx?"+query)
			f, err := excelize.OpenReader(strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			got, err := f.GetRows(id)
			if err != nil || len(got) != len(want) {
				t.Fatalf("XLSX has %d rows (%v)", len(got), err)
			}
			for i := range want {
				for c, w := range want[i] {
					v := ""
					if c < len(got[i]) {
						v = got[i][c]
					}
					if !strings.EqualFold(v, w) {
						t.Errorf("XLSX row %d column %d: %q, CSV %q", i, c, v, w)
					}
				}
			}
			_, body = get(t, s.URL+"/api/v1/"+id+".parquet?"+query)
			pf, err := parquet.OpenFile(bytes.NewReader([]byte(body)), int64(len(body)))
			if err != nil {
				t.Fatal(err)
			}
			if int(pf.NumRows()) != len(want)-1 {
				t.Errorf("Parquet has %d rows", pf.NumRows())
			}
			for c, field := range pf.Schema().Fields() {
				if field.Name() != want[0][c] {
					t.Errorf("Parquet's column %d is %s", c, field.Name())
				}
			}
			r := parquet.NewReader(pf)
			defer r.Close()
			for i := 1; i < len(want); i++ {
				row := map[string]any{}
				if err := r.Read(&row); err != nil {
					t.Fatal(err)
				}
				for c, name := range want[0] {
					if got := said(row[name]); got != want[i][c] {
						t.Errorf("Parquet row %d %s: %q, CSV %q", i, name, got, want[i][c])
					}
				}
			}
		})
	}
}

// TestFlows: four people from Ethiopia to Saudi Arabia in December are withheld.
func TestFlows(t *testing.T) {
	t.Parallel()
	s := server(t)
	_, body := get(t, s.URL+"/api/v1/flows.csv?from=2022-11&to=2022-12")
	want := "month,previous,next,value,suppressed,low,high\n2022-11,ETH,SAU,400,false,,\n"
	if !strings.HasPrefix(body, want) || !strings.Contains(body, "\n2022-12,ETH,SAU,,true,,\n") {
		t.Errorf("flows:\n%s", body)
	}
	if strings.Contains(body, ",4,") {
		t.Errorf("the small count is given:\n%s", body)
	}
}

// TestPaging: the pages together are the whole, each leading to the next.
func TestPaging(t *testing.T) {
	t.Parallel()
	s := server(t)
	_, body := get(t, s.URL+"/api/v1/codes.csv")
	whole := rowsOf(t, body)[1:]
	var got []string
	at := "/api/v1/codes.json?limit=37"
	for n := 0; at != ""; n++ {
		if n > len(whole) {
			t.Fatal("the pages do not end")
		}
		resp, body := get(t, s.URL+at)
		var page struct {
			Count int
			Next  string
			Rows  []map[string]string
		}
		if err := json.Unmarshal([]byte(body), &page); err != nil {
			t.Fatal(err)
		}
		if page.Count != len(whole) || len(page.Rows) > 37 {
			t.Fatalf("%s: %d rows of %d", at, len(page.Rows), page.Count)
		}
		if link := resp.Header.Get("Link"); (page.Next == "") != (link == "") || page.Next != "" && link != "<"+page.Next+`>; rel="next"` {
			t.Errorf("Link %q, next %q", link, page.Next)
		}
		for _, r := range page.Rows {
			got = append(got, r["list"]+" "+r["code"])
		}
		at = page.Next
	}
	if len(got) != len(whole) {
		t.Fatalf("%d rows on all pages, %d in the file", len(got), len(whole))
	}
	for i, r := range whole {
		if got[i] != r[0]+" "+r[1] {
			t.Errorf("row %d is %q, in the file %q", i, got[i], r[:2])
		}
	}
}

// TestStillHolds: an answer's ETag brings 304 while it is the same.
func TestStillHolds(t *testing.T) {
	t.Parallel()
	s := server(t)
	for _, at := range []string{"flows.csv", "points.geojson", "areas.xlsx", "codes.parquet", "catalog.jsonld"} {
		resp, _ := get(t, s.URL+"/api/v1/"+at)
		tag := resp.Header.Get("ETag")
		if again, text := get(t, s.URL+"/api/v1/"+at, "If-None-Match", tag); tag == "" || again.StatusCode != 304 || text != "" {
			t.Errorf("%s: ETag %q, %s", at, tag, again.Status)
		}
		if resp.Header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: pages of other sites may not read it", at)
		}
	}
}

func TestPlaces(t *testing.T) {
	t.Parallel()
	s := server(t)
	for _, id := range []string{"points", "areas"} {
		_, body := get(t, s.URL+"/api/v1/"+id+".geojson")
		var f struct {
			Type     string
			Features []struct {
				ID       string
				Geometry *struct {
					Type        string
					Coordinates json.RawMessage
				}
				Properties map[string]any
			}
		}
		if err := json.Unmarshal([]byte(body), &f); err != nil || f.Type != "FeatureCollection" || len(f.Features) == 0 {
			t.Fatalf("%s: %v, %d features", id, err, len(f.Features))
		}
		placed := 0
		for _, x := range f.Features {
			if x.Properties["code"] != x.ID {
				t.Errorf("%s: %s", id, x.ID)
			}
			if x.Geometry == nil {
				continue
			}
			placed++
			if id == "points" {
				var at []float64
				if err := json.Unmarshal(x.Geometry.Coordinates, &at); err != nil || at[0] < 41 || at[0] > 44 || at[1] < 10.5 || at[1] > 13 {
					t.Errorf("%s lies at %s", x.ID, x.Geometry.Coordinates)
				}
			}
		}
		if placed == 0 {
			t.Errorf("no place of %s is known", id)
		}
	}
}

func TestWrongDatasetQuestions(t *testing.T) {
	t.Parallel()
	s := server(t)
	for at, status := range map[string]int{
		"flows.json?colour=red": 400, "flows.json?limit=0": 400, "flows.json?limit=10001": 400, "flows.json?limit=1.5": 400, "flows.json?offset=-1": 400, "flows.json?limit=1&limit=2": 400, "flows.csv?hxl=yes": 400,
		"flows.csv?from=2022-13": 400, "flows.csv?point=nowhere": 400, "flows.csv?release=2022-12/2": 410, "flows.csv?release=2022-12/9": 404, "points.json?from=2022-12": 400, "flows.geojson": 404, "flows": 404,
		"flows.json?offset=99999": 200, "presence.json?point=obock": 400, "presence.json?release=2022-12/1": 200, "flows.json?limit=": 400, "flows.json?from=%202022-12": 400, "flows.json?from=2022-12&to=2022-11": 404, "flows.json?offset=1000000001": 400,
	} {
		if resp, body := get(t, s.URL+"/api/v1/"+at); resp.StatusCode != status {
			t.Errorf("%s: %s, want %d: %s", at, resp.Status, status, body)
		}
	}
}

// TestHXL: OCHA's own library reads every dataset's file and finds no fault against its
// schema.
func TestHXL(t *testing.T) {
	t.Parallel()
	python := os.Getenv("DTM_TEST_PYTHON")
	if python == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("DTM_TEST_PYTHON is not set: make tools makes the environment, .cache/py/bin/python")
		}
		t.Skip("set DTM_TEST_PYTHON to the interpreter of the test environment (make tools)")
	}
	s := server(t)
	dir := t.TempDir()
	var files []string
	for _, id := range []string{"flows", "presence", "points", "areas", "codes"} {
		for _, ext := range []string{"csv", "xlsx"} {
			_, body := get(t, s.URL+"/api/v1/"+id+"."+ext+"?hxl=1")
			name := filepath.Join(dir, id+"."+ext)
			if err := os.WriteFile(name, []byte(body), 0o644); err != nil {
				t.Fatal(err)
			}
			files = append(files, name)
		}
	}
	out, err := exec.CommandContext(t.Context(), python, append([]string{filepath.Join("..", "..", "internal", "testtool", "hxlcheck.py")}, files...)...).CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("libhxl: %v\n%s", err, out)
	}
}
