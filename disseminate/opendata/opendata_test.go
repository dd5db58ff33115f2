package opendata_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dtm"
	"dtm/analyse/indicator"
	"dtm/analyse/release"
	"dtm/analyse/warehouse"
	"dtm/analyse/warehouse/duckdb"
	"dtm/disseminate/guard"
	"dtm/disseminate/opendata"
	"dtm/gather/bulk"
	"dtm/gather/odata"
	"dtm/operation"
)

type rows struct {
	op     *dtm.Operation
	chunks []warehouse.Chunk
}

func (r *rows) AddChunk(_ context.Context, c dtm.Chunk) (bool, error) {
	m, err := bulk.Decode(r.op, c.Data)
	r.chunks = append(r.chunks, warehouse.Chunk{Hash: c.Hash, Rows: m})
	return true, err
}

const registry = "month,fmp,movement,previous,next,sex,age,n,reason_economic,reason_conflict\n" +
	"2022-11,Obock,outgoing,ETH,SAU,male,adults,400,1,0\n" +
	"2022-12,Obock,outgoing,ETH,SAU,male,adults,4,0,1\n" +
	"2022-12,Galafi (DJI),incoming,ETH,DJI,female,adults,500,1,0\n" +
	"2022-12,Dikhil,incoming,ETH,DJI,male,children,300,1,0\n" +
	"2022-12,Yoboki,incoming,ETH,DJI,male,adults,77,1,0\n"

// server answers over the registry by the real engine and guard.
func server(t *testing.T) *httptest.Server {
	t.Helper()
	ctx := context.Background()
	op, err := operation.Pack("djibouti")
	if err != nil {
		t.Fatal(err)
	}
	wh, err := duckdb.Open(ctx, "", op)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { wh.Close() })
	r := &rows{op: op}
	at := time.Date(2023, 1, 5, 0, 0, 0, 0, time.UTC)
	if _, err := bulk.Import(ctx, op, bulk.Source{Name: "f.csv", Data: bytes.NewReader([]byte(registry))}, r, bulk.Options{Now: func() time.Time { return at }}); err != nil {
		t.Fatal(err)
	}
	var present []warehouse.Submission // four in one region are withheld, and forty with them
	for i, c := range []struct {
		region, site string
		people       int
	}{{"DJ01", "Fantahero", 60}, {"DJ05", "Airolaf", 4}, {"DJ06", "Khor", 40}} {
		present = append(present, warehouse.Submission{Source: fmt.Sprint("uuid:", i), Facts: dtm.Facts{Presence: &dtm.Presence{Where: dtm.Where{Site: c.site, Region: c.region}, Observed: time.Date(2022, 12, 7, 0, 0, 0, 0, time.UTC),
			People: []dtm.Present{{Nationality: "ETH", Sex: "male", Age: "adults", People: c.people}}, Arrived: dtm.NotRecorded, Left: dtm.NotRecorded}}})
	}
	if _, err := wh.Apply(ctx, warehouse.Batch{To: warehouse.Position{Seq: 1, Hash: "0123456789abcdef", At: at}, Chunks: r.chunks, Submissions: present}); err != nil {
		t.Fatal(err)
	}
	e, err := indicator.New(op, wh)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	a := &opendata.API{Operation: op, Figures: guard.New(e, op), Releases: december(op, e), Now: func() time.Time { return at }}
	sheets := &odata.Sheets{Space: "dtm.djibouti", Now: a.Now}
	for _, x := range a.Sheets() {
		y := odata.Sheet{Name: x.Name, Rows: x.Rows}
		for _, c := range x.Columns {
			y.Columns = append(y.Columns, odata.SheetColumn{Name: c.Name, Kind: c.Kind})
		}
		sheets.List = append(sheets.List, y)
	}
	a.OData = sheets.Serve
	a.Register(mux)
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// shelf holds one published release, of December 2022, and one that was withdrawn.
type shelf struct {
	list  []dtm.FrozenRelease
	live  dtm.Source
	parts map[string][]byte
}

func december(op *dtm.Operation, e dtm.Figures) *shelf {
	at := time.Date(2023, 1, 6, 0, 0, 0, 0, time.UTC)
	of := func(n int, state string) dtm.FrozenRelease {
		m := dtm.Month{Year: 2022, Month: time.December}
		return dtm.FrozenRelease{Release: dtm.Release{Number: dtm.ReleaseNumber(m, n)}, Month: m, N: n, State: state, Published: &at, Creator: "user:somebody@example.org",
			Manifest: []byte(`{"release":"2022-12"}`), ManifestHash: "abc", Reason: "doubled"}
	}
	s := &shelf{list: []dtm.FrozenRelease{of(2, dtm.StateWithdrawn), of(1, dtm.StatePublished)}, parts: map[string][]byte{"figures.csv": []byte("indicator\n")}}
	s.live = dtm.Source{Figures: guard.New(e, op), Operation: op}
	return s
}

func (s *shelf) Source(_ context.Context, asked string, m dtm.Month) (dtm.Source, error) {
	switch {
	case asked == "provisional", asked == "" && m != s.list[1].Month:
		return s.live, nil
	case asked == "2022-12/2":
		return dtm.Source{}, dtm.Errorf(dtm.Gone, "withdrawn: doubled")
	case asked != "" && asked != "latest" && asked != "2022-12/1":
		return dtm.Source{}, dtm.Errorf(dtm.NotFound, "there is no release %s", asked)
	}
	return dtm.Source{Figures: release.Named(s.live.Figures, s.list[1]), Operation: s.live.Operation, Frozen: &s.list[1]}, nil
}

func (s *shelf) FrozenReleases(context.Context) ([]dtm.FrozenRelease, error) { return s.list, nil }

func (s *shelf) FrozenRelease(_ context.Context, m dtm.Month, n int) (dtm.FrozenRelease, error) {
	for _, r := range s.list {
		if r.Month == m && r.N == n {
			return r, nil
		}
	}
	return dtm.FrozenRelease{}, dtm.Errorf(dtm.NotFound, "there is no release")
}

func (s *shelf) Part(_ context.Context, _ dtm.FrozenRelease, name string) ([]byte, error) {
	if b, ok := s.parts[name]; ok {
		return b, nil
	}
	return nil, dtm.Errorf(dtm.NotFound, "there is no part %s", name)
}

// TestReleases: answers name their release, older and withdrawn ones can be asked
// for, nobody's name and no fact goes out.
func TestReleases(t *testing.T) {
	t.Parallel()
	s := server(t)
	figures := "/api/v1/indicators/total_movements/figures.csv?from=2022-12"
	for path, want := range map[string]struct {
		status     int
		has, hasnt string
	}{
		figures:                                  {200, "2022-12,881,,,movements,,2022-12/1", "provisional"},
		figures + "&release=latest":              {200, ",2022-12/1", "provisional"},
		figures + "&release=provisional":         {200, "provisional-1-", "2022-12/1"},
		figures + "&release=2022-12/2":           {410, "doubled", ""},
		figures + "&release=2022-12/3":           {404, "", ""},
		figures + "&release=a&release=b":         {400, "", ""},
		"/api/v1/releases":                       {200, `"release":"2022-12/2","month":"2022-12","state":"withdrawn"`, "somebody"},
		"/api/v1/releases/2022-12/1":             {200, `"manifest":{"release":"2022-12"}`, "somebody"},
		"/api/v1/releases/2022-12/9":             {404, "", ""},
		"/api/v1/releases/2022-12/x":             {400, "", ""},
		"/api/v1/releases/2022-12/1/figures.csv": {200, "indicator", ""},
		"/api/v1/releases/2022-12/2/figures.csv": {410, "doubled", ""},
		"/api/v1/releases/2022-12/1/facts.csv":   {404, "", ""},
	} {
		resp, body := get(t, s.URL+path)
		if resp.StatusCode != want.status || !strings.Contains(body, want.has) || want.hasnt != "" && strings.Contains(body, want.hasnt) {
			t.Errorf("%s: %s %s", path, resp.Status, body)
		}
	}
}

func get(t *testing.T, url string, header ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequest("GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
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
	return resp, string(b)
}

func TestFigures(t *testing.T) {
	t.Parallel()
	s := server(t)
	for path, want := range map[string][]string{
		"total_movements/figures.csv?from=2022-12":                        {"period,value,numerator,denominator,unit,basis,release", "2022-12,881,,,movements,,2022-12/1"},
		"total_movements/figures.csv?from=2022-11&to=2022-12&by=month":    {"period,month,value", "2022-11..2022-12,2022-11,400,", "2022-11..2022-12,2022-12,881,"},
		"total_movements/figures.csv?from=2022-12&by=point":               {"2022-12,galafi,500,", "2022-12,dikhil,300,", "2022-12,obock,suppressed,,,", "2022-12,yoboki,suppressed,,,"},
		"total_movements/figures.csv?from=2022-12&point=obock":            {"2022-12,suppressed,,,"},
		"total_movements/figures.csv?from=2022-12&direction=incoming":     {"2022-12,suppressed,,,"},
		"daily_average/figures.csv?from=2022-12":                          {"2022-12,28,881,31,movements/day,calendar_days:31"},
		"change_on_previous_month_pct/figures.csv?from=2022-12":           {"2022-12,120,"},
		"change_on_previous_month_pct/figures.csv?from=2022-12&by=point":  {"2022-12,obock,suppressed,,,percent"},
		"reason_share_pct/figures.csv?from=2022-12":                       {"period,reason,value", "2022-12,conflict,suppressed,,,"},
		"total_movements/figures.csv?from=2019-01":                        {"period,value"},
		"entries_from_ethiopia/figures.csv?from=2022-12":                  {"2022-12,suppressed,,,"}, // 881 less 877 are the four
		"origin_destination/figures.csv?from=2022-12&direction=incoming":  {"period,previous,next,value", "2022-12,ETH,DJI,suppressed,"},
		"sex_age_share_pct/figures.csv?from=2022-11":                      {"2022-11,male,adults,100,400,400,percent"},
		"active_points/figures.csv?from=2022-12&by=region&region=DJ01&to": {"2022-12,DJ01,1,"},
	} {
		resp, body := get(t, s.URL+"/api/v1/indicators/"+path)
		if resp.StatusCode != 200 || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/csv") || resp.Header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: %s %s", path, resp.Status, body)
			continue
		}
		for _, w := range want {
			if !strings.Contains(body, w) {
				t.Errorf("%s lacks %q:\n%s", path, w, body)
			}
		}
		if strings.Contains(body, ",4,") || strings.Contains(body, "877") || strings.Contains(body, "0.45") {
			t.Errorf("%s gives the small count away:\n%s", path, body)
		}
	}
}

// TestSameInBoth: JSON and CSV hold the same figures.
func TestSameInBoth(t *testing.T) {
	t.Parallel()
	s := server(t)
	_, list := get(t, s.URL+"/api/v1/indicators")
	var all struct {
		Indicators []struct {
			ID      string
			By      []string
			Figures string
		}
	}
	if err := json.Unmarshal([]byte(list), &all); err != nil || len(all.Indicators) < 20 {
		t.Fatal(err, len(all.Indicators))
	}
	asked, suppressed := 0, 0
	needs := map[string]bool{}
	for _, i := range all.Indicators {
		for _, by := range append(i.By, "") {
			q := "?from=2022-12"
			if by != "" {
				q += "&by=" + by
			}
			resp, body := get(t, s.URL+i.Figures+q)
			if resp.StatusCode == 404 && strings.Contains(body, "indicator.require") && by != "previous" {
				needs[i.ID] = true // says so; the operation's own are made of it
				continue
			}
			if resp.StatusCode != 200 {
				t.Errorf("%s%s: %s", i.Figures, q, body)
				continue
			}
			var j struct {
				By      []string
				Release string
				Figures []struct {
					Keys       map[string]string
					Value      *json.Number
					Suppressed bool
				}
			}
			if err := json.Unmarshal([]byte(body), &j); err != nil {
				t.Fatal(err)
			}
			_, text := get(t, s.URL+strings.Replace(i.Figures, ".json", ".csv", 1)+q)
			r, err := csv.NewReader(strings.NewReader(text)).ReadAll()
			if err != nil || len(r) != len(j.Figures)+1 || j.Release == "" {
				t.Fatalf("%s%s: %v, %d and %d figures", i.ID, q, err, len(r)-1, len(j.Figures))
			}
			for n, f := range j.Figures {
				row := r[n+1]
				for k, d := range j.By {
					if row[k+1] != f.Keys[d] {
						t.Errorf("%s%s: %v and %v", i.ID, q, row, f)
					}
				}
				want := ""
				switch {
				case f.Suppressed:
					want = "suppressed"
					suppressed++
				case f.Value != nil:
					want = f.Value.String()
				}
				if row[len(j.By)+1] != want {
					t.Errorf("%s%s: %v and %v", i.ID, q, row, f)
				}
				asked++
			}
		}
	}
	if len(needs) != 2 || !needs["returns"] || !needs["returns_change_pct"] {
		t.Errorf("%v cannot be asked for without a country", needs)
	}
	if asked < 50 || suppressed == 0 {
		t.Errorf("%d figures, %d suppressed: this proves little", asked, suppressed)
	}
}

func TestWrongQuestions(t *testing.T) {
	t.Parallel()
	s := server(t)
	for path, want := range map[string]struct {
		status int
		text   string
	}{
		"/indicators/nothing":                                                          {404, "nothing"},
		"/indicators/nothing/figures.csv?from=2022-12":                                 {404, "nothing"},
		"/indicators/total_movements/figures.xml?from=2022-12":                         {404, "figures.json"},
		"/indicators/total_movements/other.csv?from=2022-12":                           {404, "figures.json"},
		"/indicators/total_movements/figures.csv":                                      {400, "from=2022-01"},
		"/indicators/total_movements/figures.csv?to=2022-12":                           {400, "from=2022-01"},
		"/indicators/total_movements/figures.csv?from=2022-13":                         {400, "2022-13"},
		"/indicators/total_movements/figures.csv?from=2022-12&to=2022-01":              {404, "before it starts"},
		"/indicators/total_movements/figures.csv?from=2022-12&point=x":                 {400, "not a code"},
		"/indicators/total_movements/figures.csv?from=2022-12&by=sex":                  {400, "month, point"},
		"/indicators/total_movements/figures.csv?from=2022-12&previous=ETH":            {400, "no parameter"},
		"/indicators/total_movements/figures.csv?from=2022-12&point=a&point=b":         {400, "2 times"},
		"/indicators/sex_age_share_pct:male_adult/figures.csv?from=2022-12":            {404, "sex_age_share_pct:male_adult"},
		"/indicators/change_on_previous_month_pct/figures.csv?from=2022-01&to=2022-12": {404, "one month"},
		"/somewhere": {404, "openapi.json"},
	} {
		resp, body := get(t, s.URL+"/api/v1"+path)
		var p struct {
			Status int
			Detail string
		}
		if err := json.Unmarshal([]byte(body), &p); err != nil || resp.StatusCode != want.status || p.Status != want.status || resp.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %s %q, want %d", path, resp.Status, body, want.status)
		} else if !strings.Contains(p.Detail, want.text) {
			t.Errorf("%s: %q lacks %q", path, p.Detail, want.text)
		}
	}
	r, err := http.Post(s.URL+"/api/v1/indicators", "application/json", strings.NewReader("{}"))
	if err != nil || r.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("a write: %v %v", r.Status, err)
	}
}

func TestStartAndUnchanged(t *testing.T) {
	t.Parallel()
	s := server(t)
	resp, body := get(t, s.URL+"/api/v1/")
	for _, w := range []string{`"period":"2022-11..2022-12"`, `"release":"provisional-1-01234567"`, `"threshold":10`} {
		if !strings.Contains(body, w) {
			t.Errorf("%q is not in %s", w, body)
		}
	}
	if again, text := get(t, s.URL+"/api/v1/", "If-None-Match", resp.Header.Get("ETag")); again.StatusCode != http.StatusNotModified || text != "" {
		t.Errorf("unchanged: %s %q", again.Status, text)
	}
}

var update = flag.Bool("update", false, "write what is served over testdata/openapi.json")

// TestDescription: what is served is the golden file, every address that it describes
// answers, and every parameter that it describes is taken.
func TestDescription(t *testing.T) {
	t.Parallel()
	s := server(t)
	_, served := get(t, s.URL+"/api/v1/openapi.json")
	golden := filepath.Join("testdata", "openapi.json")
	if *update {
		if err := os.WriteFile(golden, []byte(served), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if served != string(b) {
		t.Errorf("what is served differs from %s; look at it and run go test ./disseminate/opendata -run Description -update", golden)
	}
	var doc struct {
		Paths map[string]map[string]struct {
			Parameters []struct {
				Name, In string
				Example  any
			}
			Responses map[string]struct{ Content map[string]any }
		}
	}
	if err := json.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	for path, methods := range doc.Paths {
		op := methods["get"]
		query := []string{}
		for _, p := range op.Parameters {
			switch {
			case p.In == "path":
				path = strings.ReplaceAll(path, "{"+p.Name+"}", fmt.Sprint(p.Example))
			case p.Example != nil:
				query = append(query, url.QueryEscape(p.Name)+"="+url.QueryEscape(fmt.Sprint(p.Example)))
			default:
				query = append(query, p.Name+"=")
			}
		}
		resp, body := get(t, s.URL+path+"?"+strings.Join(query, "&"))
		kind, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")
		if _, ok := op.Responses["200"].Content[kind]; resp.StatusCode != 200 || !ok {
			t.Errorf("%s: %s %s %s", path, resp.Status, kind, body)
		}
	}
	if len(doc.Paths) != 38 {
		t.Errorf("%d addresses are described", len(doc.Paths))
	}
}
