package odata_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/md5"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"dtm"
	"dtm/demo"
	"dtm/gather/odata"
	"dtm/gather/xform"
	"dtm/gather/xlsform"
	"dtm/operation"
	"dtm/serve"
	"dtm/store/blob"
	"dtm/store/sqlite"
)

// service is the handler over a real store, mounted as the API mounts it.
type service struct {
	*httptest.Server
	db    *sqlite.DB
	blobs dtm.Blobs
	sent  int
}

func open(t testing.TB) *service {
	t.Helper()
	dir := t.TempDir()
	db, err := sqlite.Open(t.Context(), filepath.Join(dir, "dtm.db"), sqlite.Options{Operation: "djibouti", Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	blobs, err := blob.NewDisk(filepath.Join(dir, "blob"))
	if err != nil {
		t.Fatal(err)
	}
	h := &odata.Handler{Stream: db, Submissions: db, Blobs: blobs, Devices: db, Audit: db, Now: time.Now,
		Tags: func(context.Context, string) (map[string]string, error) {
			return map[string]string{"/data/point": "#loc+fmp+code"}, nil
		}}
	say := func(w http.ResponseWriter, r *http.Request, status int, err error) {
		w.WriteHeader(status)
		fmt.Fprintf(w, "%v", err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /v1/projects/1/forms/{file}/{rest...}", serve.Handle(say, func(w http.ResponseWriter, r *http.Request) error {
		file, rest := r.PathValue("file"), r.PathValue("rest")
		if form, ok := strings.CutSuffix(file, ".svc"); ok {
			return h.Form(w, r, form, rest)
		}
		return h.CSV(w, r, file)
	}))
	s := &service{Server: httptest.NewServer(mux), db: db, blobs: blobs}
	t.Cleanup(s.Close)
	return s
}

// fmr fills the service with days of invented groups.
func fmr(t testing.TB, days int) *service {
	t.Helper()
	s := open(t)
	op, err := operation.Pack("djibouti")
	if err != nil {
		t.Fatal(err)
	}
	registry, _ := op.Form("fmr")
	form, _, err := xlsform.Read(registry.File, registry.Data)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := xform.Write(form)
	if err != nil {
		t.Fatal(err)
	}
	s.publish(t, form.ID, form.Version, string(doc))
	d, _, err := s.db.AddDevice(t.Context(), "Obock-1", "obock")
	if err != nil {
		t.Fatal(err)
	}
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for n := range days {
		for i, x := range demo.Day(op, form, start, start.AddDate(0, 0, n), 5) {
			sub := dtm.Submission{ID: x.ID, Form: form.ID, Version: form.Version, Received: x.At, XML: x.XML}
			if i%2 == 0 {
				sub.Device, sub.DeviceID = d.ID, "collect:1"
			}
			if _, err := s.db.Receive(t.Context(), sub); err != nil {
				t.Fatal(err)
			}
			s.sent++
		}
	}
	return s
}

func (s *service) publish(t testing.TB, id, version, doc string) {
	t.Helper()
	sum := md5.Sum([]byte(doc))
	if err := s.db.Publish(t.Context(), dtm.Form{ID: id, Version: version, Title: id, Hash: "md5:" + hex.EncodeToString(sum[:]), XForm: []byte(doc)}); err != nil {
		t.Fatal(err)
	}
}

func (s *service) get(t testing.TB, path string, header ...string) (*http.Response, []byte) {
	t.Helper()
	r, err := http.NewRequest("GET", s.URL+path, nil)
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
	return resp, b
}

type row = map[string]any

type page struct {
	Context string `json:"@odata.context"`
	Next    string `json:"@odata.nextLink"`
	Count   *int   `json:"@odata.count"`
	Value   []row  `json:"value"`
}

func (s *service) table(t testing.TB, table, query string) page {
	t.Helper()
	path := "/v1/projects/1/forms/fmr.svc/" + table
	if query != "" {
		path += "?" + query
	}
	resp, b := s.get(t, path)
	var p page
	if err := json.Unmarshal(b, &p); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %v %.300s", path, resp.Status, err, b)
	}
	if !strings.HasSuffix(p.Context, ".svc/$metadata#"+strings.Split(table, "(")[0]) && !strings.Contains(table, "(") {
		t.Errorf("context %q", p.Context)
	}
	return p
}

func same(t *testing.T, what string, got, want []row) {
	t.Helper()
	if len(got) == 0 && len(want) == 0 {
		return
	}
	a, _ := json.Marshal(got)
	b, _ := json.Marshal(want)
	if !bytes.Equal(a, b) {
		t.Errorf("%s: %d rows, want %d:\n%.400s\n%.400s", what, len(got), len(want), a, b)
	}
}

// TestPages: a table is the same whole and in pages of any size.
func TestPages(t *testing.T) {
	t.Parallel()
	s := fmr(t, 5)
	for _, table := range []string{"Submissions", "Submissions.block"} {
		all := s.table(t, table, "$count=true")
		if all.Count == nil || *all.Count != len(all.Value) || table == "Submissions" && len(all.Value) != s.sent {
			t.Fatalf("%s: %d rows of %d, count %v", table, len(all.Value), s.sent, all.Count)
		}
		for _, top := range []int{3, 7, 100, len(all.Value) - 1, len(all.Value), len(all.Value) + 1} {
			var joined []row
			next := fmt.Sprintf("$top=%d&$count=true", top)
			for next != "" {
				p := s.table(t, table, next)
				if *p.Count != len(all.Value) || len(p.Value) > top || len(p.Value) == 0 {
					t.Fatalf("%s by %d: %d rows, count %d", table, top, len(p.Value), *p.Count)
				}
				joined = append(joined, p.Value...)
				if next = p.Next; next != "" {
					u, err := url.Parse(next)
					if err != nil {
						t.Fatal(err)
					}
					next = u.RawQuery
				}
			}
			same(t, fmt.Sprintf("%s by %d", table, top), joined, all.Value)
		}
		same(t, "skipped", s.table(t, table, "$skip=5&$top=4").Value, all.Value[5:9])
		if p := s.table(t, table, "$top=0&$count=true"); len(p.Value) != 0 || *p.Count != len(all.Value) || p.Next != "" {
			t.Errorf("count only: %+v", p)
		}
		if p := s.table(t, table, fmt.Sprintf("$skip=%d", len(all.Value)+5)); len(p.Value) != 0 {
			t.Errorf("skipped beyond the end: %d", len(p.Value))
		}
	}
}

// TestEditBetweenPages: a submission that is edited while a reader is in the middle
// of its turns takes nothing else away.
func TestEditBetweenPages(t *testing.T) {
	t.Parallel()
	s := fmr(t, 3)
	all := s.table(t, "Submissions.block", "").Value
	turns := map[any]int{}
	for _, b := range all {
		turns[b["__Submissions-id"]]++
	}
	n := 1
	for ; n < len(all) && (turns[all[n-1]["__Submissions-id"]] < 2 || all[n]["__Submissions-id"] != all[n-1]["__Submissions-id"]); n++ {
	}
	if n == len(all) {
		t.Fatal("no submission has two turns")
	}
	first := s.table(t, "Submissions.block", fmt.Sprintf("$top=%d", n))
	id := all[n-1]["__Submissions-id"].(string)
	old, err := s.db.Submission(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	edit := dtm.Submission{ID: "uuid:edit", Form: old.Form, Version: old.Version, Deprecates: id, XML: []byte(strings.ReplaceAll(string(old.XML), id, "uuid:edit"))}
	if _, err := s.db.Receive(t.Context(), edit); err != nil {
		t.Fatal(err)
	}
	var want []row
	for _, b := range all[n:] {
		if b["__Submissions-id"] != id {
			want = append(want, b)
		}
	}
	u, err := url.Parse(first.Next)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("$top", "10000")
	same(t, "after the edit", s.table(t, "Submissions.block", q.Encode()).Value, want)
}

func at(r row, path ...string) any {
	var v any = r
	for _, p := range path {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[p]
	}
	return v
}

// TestFilter: what a filter gives is what a reader would pick from the whole.
func TestFilter(t *testing.T) {
	t.Parallel()
	s := fmr(t, 12)
	all := s.table(t, "Submissions", "").Value
	num := func(r row, path ...string) float64 {
		if s, ok := at(r, path...).(string); ok { // a calculation is a text
			f, _ := strconv.ParseFloat(s, 64)
			return f
		}
		f, _ := at(r, path...).(float64)
		return f
	}
	str := func(r row, path ...string) string { v, _ := at(r, path...).(string); return v }
	for filter, want := range map[string]func(row) bool{
		"total gt 20": func(r row) bool { return num(r, "total") > 20 },
		"total ge 5 and total lt 9 or point eq 'galafi'":        func(r row) bool { n := num(r, "total"); return n >= 5 && n < 9 || str(r, "point") == "galafi" },
		"not (point eq 'obock')":                                func(r row) bool { return str(r, "point") != "obock" },
		"point in ('obock','yoboki')":                           func(r row) bool { p := str(r, "point"); return p == "obock" || p == "yoboki" },
		"route/direction ne 'outgoing'":                         func(r row) bool { return str(r, "route", "direction") != "outgoing" },
		"observed ge 2026-01-10 and observed lt 2026-01-12":     func(r row) bool { d := str(r, "observed"); return d >= "2026-01-10" && d < "2026-01-12" },
		"day(observed) eq 5":                                    func(r row) bool { return strings.HasSuffix(str(r, "observed"), "-05") },
		"contains(reason,'conflict')":                           func(r row) bool { return strings.Contains(str(r, "reason"), "conflict") },
		"startswith(tolower(point),'ali')":                      func(r row) bool { return strings.HasPrefix(str(r, "point"), "ali") },
		"remarks eq null":                                       func(r row) bool { return at(r, "remarks") == nil },
		"remarks ne null":                                       func(r row) bool { return at(r, "remarks") != nil },
		"remarks gt 'a'":                                        func(r row) bool { return str(r, "remarks") > "a" && at(r, "remarks") != nil },
		"total add 5 gt 20 mul 2":                               func(r row) bool { return num(r, "total")+5 > 40 },
		"total mod 2 eq 0":                                      func(r row) bool { return int(num(r, "total"))%2 == 0 && at(r, "total") != nil },
		"__system/submitterName eq 'Obock-1'":                   func(r row) bool { return str(r, "__system", "submitterName") == "Obock-1" },
		"__system/submissionDate lt 2026-01-04T12:00:00Z":       func(r row) bool { return str(r, "__system", "submissionDate") < "2026-01-04T12:00:00.000Z" },
		"year(__system/submissionDate) eq 2026 and total gt 30": func(r row) bool { return num(r, "total") > 30 },
		"__system/reviewState eq null":                          func(r row) bool { return at(r, "__system", "reviewState") == nil },
		"length(point) gt 6":                                    func(r row) bool { return len(str(r, "point")) > 6 },
		"point eq 'no''where'":                                  func(row) bool { return false },
		"meta/instanceID eq '" + str(all[3], "__id") + "'":      func(r row) bool { return r["__id"] == all[3]["__id"] },
	} {
		var picked []row
		for _, r := range all {
			if want(r) {
				picked = append(picked, r)
			}
		}
		p := s.table(t, "Submissions", url.Values{"$filter": {filter}, "$count": {"true"}}.Encode())
		same(t, filter, p.Value, picked)
		if *p.Count != len(picked) {
			t.Errorf("%s: count %d, want %d", filter, *p.Count, len(picked))
		}
		if len(picked) > 3 {
			q := url.Values{"$filter": {filter}, "$top": {"3"}}.Encode()
			one := s.table(t, "Submissions", q)
			same(t, filter+", first page", one.Value, picked[:3])
			u, _ := url.Parse(one.Next)
			same(t, filter+", second page", s.table(t, "Submissions", u.RawQuery).Value, picked[3:min(6, len(picked))])
		}
	}
	blocks := s.table(t, "Submissions.block", "").Value
	var picked []row
	points := map[any]string{}
	for _, r := range all {
		points[r["__id"]] = str(r, "point")
	}
	for _, b := range blocks {
		if num(b, "men") > 5 && points[b["__Submissions-id"]] == "obock" {
			picked = append(picked, b)
		}
	}
	same(t, "a repeat by its own and an outer answer", s.table(t, "Submissions.block", url.Values{"$filter": {"men gt 5 and $root/Submissions/point eq 'obock'"}}.Encode()).Value, picked)
	if len(picked) == 0 {
		t.Error("nothing to tell")
	}
}

func TestOrderAndSelect(t *testing.T) {
	t.Parallel()
	s := fmr(t, 10)
	all := s.table(t, "Submissions", "").Value
	want := slices.Clone(all)
	slices.SortStableFunc(want, func(a, b row) int {
		if c := strings.Compare(a["point"].(string), b["point"].(string)); c != 0 {
			return c
		}
		return strings.Compare(b["observed"].(string), a["observed"].(string))
	})
	order := url.Values{"$orderby": {"point asc, observed desc"}, "$top": {"5"}, "$count": {"true"}}.Encode()
	first := s.table(t, "Submissions", order)
	same(t, "in order", first.Value, want[:5])
	u, _ := url.Parse(first.Next)
	second := s.table(t, "Submissions", u.RawQuery)
	same(t, "in order, next page", second.Value, want[5:10])
	if *first.Count != len(all) {
		t.Errorf("count %d", *first.Count)
	}
	for _, r := range s.table(t, "Submissions", "$select=point,route/previous,__id&$top=3").Value {
		if len(r) != 3 || len(r["route"].(map[string]any)) != 1 || r["point"] == nil || r["__id"] == nil {
			t.Errorf("picked %v", r)
		}
	}
	for _, r := range s.table(t, "Submissions", "$select=route&$top=3").Value {
		if len(r) != 1 || len(r["route"].(map[string]any)) < 4 {
			t.Errorf("a group: %v", r)
		}
	}
}

// TestExpand: repeats inside are the rows of their own table.
func TestExpand(t *testing.T) {
	t.Parallel()
	s := fmr(t, 10)
	var inside []row
	for _, r := range s.table(t, "Submissions", "$expand=*").Value {
		for _, b := range r["block"].([]any) {
			inside = append(inside, b.(map[string]any))
		}
	}
	same(t, "blocks", inside, s.table(t, "Submissions.block", "").Value)
	plain := s.table(t, "Submissions", "$top=1").Value[0]
	link, _ := plain["block@odata.navigationLink"].(string)
	if !strings.HasPrefix(link, "Submissions('uuid:") || !strings.HasSuffix(link, "')/block") {
		t.Fatalf("link %q", link)
	}
	one := s.table(t, link, "")
	if len(one.Value) == 0 || one.Value[0]["__Submissions-id"] != plain["__id"] {
		t.Errorf("by its link: %v", one.Value)
	}
	same(t, "one submission", s.table(t, fmt.Sprintf("Submissions('%s')", plain["__id"]), "").Value, []row{plain})
}

// TestMetadata: every column of the rows is declared, with a type that its values
// have.
func TestMetadata(t *testing.T) {
	t.Parallel()
	s := fmr(t, 3)
	resp, b := s.get(t, "/v1/projects/1/forms/fmr.svc/$metadata")
	var doc struct {
		Schemas []struct {
			Namespace string `xml:"Namespace,attr"`
			Entities  []struct {
				Name       string `xml:"Name,attr"`
				Properties []struct {
					Name string `xml:"Name,attr"`
					Type string `xml:"Type,attr"`
				} `xml:"Property"`
				Links []struct {
					Name string `xml:"Name,attr"`
				} `xml:"NavigationProperty"`
			} `xml:"EntityType"`
			Sets []struct {
				Name string `xml:"Name,attr"`
				Type string `xml:"EntityType,attr"`
			} `xml:"EntityContainer>EntitySet"`
		} `xml:"DataServices>Schema"`
	}
	if err := xml.Unmarshal(b, &doc); err != nil || resp.Header.Get("OData-Version") != "4.0" || len(doc.Schemas) != 2 {
		t.Fatalf("%v %v\n%s", err, resp.Header, b)
	}
	types := map[string]map[string]string{}
	for _, e := range doc.Schemas[1].Entities {
		types[e.Name] = map[string]string{}
		for _, p := range e.Properties {
			types[e.Name][p.Name] = p.Type
		}
		for _, l := range e.Links {
			types[e.Name][l.Name+"@odata.navigationLink"] = "link"
		}
	}
	_, list := s.get(t, "/v1/projects/1/forms/fmr.svc")
	for _, set := range doc.Schemas[1].Sets {
		if !strings.Contains(string(list), `"url":"`+set.Name+`"`) {
			t.Errorf("the service document lacks %s", set.Name)
		}
		for _, r := range s.table(t, set.Name, "").Value {
			for k, v := range r {
				declared, ok := types[set.Name][k]
				if !ok {
					t.Fatalf("%s.%s is not declared", set.Name, k)
				}
				switch v.(type) {
				case float64:
					ok = declared == "Edm.Int64" || declared == "Edm.Decimal"
				case string:
					ok = strings.HasPrefix(declared, "Edm.") && declared != "Edm.Int64" || declared == "link"
				case map[string]any:
					ok = !strings.HasPrefix(declared, "Edm.") || strings.HasPrefix(declared, "Edm.Geography")
				}
				if !ok {
					t.Errorf("%s.%s is %s, and %T came", set.Name, k, declared, v)
				}
			}
		}
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	s := fmr(t, 1)
	for path, want := range map[string]int{
		"fmr.svc/Submissions?$apply=x":                                                      http.StatusUnsupportedMediaType,
		"fmr.svc/Submissions?$expand=block":                                                 http.StatusUnsupportedMediaType,
		"fmr.svc/Submissions?$format=xml":                                                   http.StatusUnsupportedMediaType,
		"fmr.svc/Submissions?$expand=*&$select=point":                                       http.StatusUnsupportedMediaType,
		"fmr.svc/Submissions?$orderby=point&$skiptoken=01e30":                               http.StatusBadRequest,
		"fmr.svc/Submissions?$skiptoken=junk":                                               http.StatusBadRequest,
		"fmr.svc/Submissions?$top=-1":                                                       http.StatusBadRequest,
		"fmr.svc/Submissions?$top=x":                                                        http.StatusBadRequest,
		"fmr.svc/Submissions?$count=maybe":                                                  http.StatusBadRequest,
		"fmr.svc/Submissions?$select=nothing":                                               http.StatusBadRequest,
		"fmr.svc/Submissions?$orderby=nothing":                                              http.StatusBadRequest,
		"fmr.svc/Submissions?$filter=" + url.QueryEscape("nothing eq 1"):                    http.StatusBadRequest,
		"fmr.svc/Submissions?$filter=" + url.QueryEscape("total eq"):                        http.StatusBadRequest,
		"fmr.svc/Submissions?$filter=" + url.QueryEscape("(total eq 1"):                     http.StatusBadRequest,
		"fmr.svc/Submissions?$filter=" + url.QueryEscape("point eq 'x"):                     http.StatusBadRequest,
		"fmr.svc/Submissions?$filter=" + url.QueryEscape("geo.distance(a,b) lt 1"):          http.StatusUnsupportedMediaType,
		"fmr.svc/Submissions?$filter=" + url.QueryEscape(strings.Repeat("(", 500)):          http.StatusBadRequest,
		"fmr.svc/Submissions?$filter=" + url.QueryEscape(strings.Repeat("not ", 500)):       http.StatusBadRequest,
		"fmr.svc/Submissions?$filter=" + url.QueryEscape(strings.Repeat("1 eq 1 or ", 900)): http.StatusBadRequest,
		"fmr.svc/Nothing":                             http.StatusNotFound,
		"none.svc/Submissions":                        http.StatusNotFound,
		"fmr.svc/Submissions('uuid:none')":            http.StatusNotFound,
		"none/submissions.csv.zip":                    http.StatusNotFound,
		"fmr/submissions.csv.zip?attachments=perhaps": http.StatusBadRequest,
	} {
		if resp, b := s.get(t, "/v1/projects/1/forms/"+path); resp.StatusCode != want {
			t.Errorf("%.90s: %d, want %d: %.200s", path, resp.StatusCode, want, b)
		}
	}
}

func TestUnchanged(t *testing.T) {
	t.Parallel()
	s := fmr(t, 2)
	for _, path := range []string{"/v1/projects/1/forms/fmr.svc/Submissions?$top=3", "/v1/projects/1/forms/fmr/submissions.csv.zip"} {
		resp, _ := s.get(t, path)
		tag := resp.Header.Get("ETag")
		if again, b := s.get(t, path, "If-None-Match", tag); again.StatusCode != http.StatusNotModified || len(b) > 0 || tag == "" {
			t.Errorf("%s: %d with %q", path, again.StatusCode, tag)
		}
		if _, err := s.db.Receive(t.Context(), dtm.Submission{ID: "uuid:new" + path[len(path)-3:], Form: "fmr", Version: "x", XML: []byte("<data id='fmr'/>")}); err != nil {
			t.Fatal(err)
		}
		if again, _ := s.get(t, path, "If-None-Match", tag); again.StatusCode != http.StatusOK {
			t.Errorf("%s: %d after a new submission", path, again.StatusCode)
		}
	}
}

const odd = `<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml" xmlns:jr="http://openrosa.org/javarosa"><h:head><h:title>Odd</h:title><model>
<instance><data id="odd" version="%s"><a.b/><a_b/><where/><line/><shape/><n/><d/><when/><many/><pic/><outer jr:template=""><inner jr:template=""><x/></inner><y/></outer>%s<meta><instanceID/></meta></data></instance>
<bind nodeset="/data/where" type="geopoint"/><bind nodeset="/data/line" type="geotrace"/><bind nodeset="/data/shape" type="geoshape"/><bind nodeset="/data/n" type="int"/><bind nodeset="/data/d" type="decimal"/><bind nodeset="/data/when" type="dateTime"/><bind nodeset="/data/pic" type="binary"/></model></h:head>
<h:body><select ref="/data/many"/><group ref="/data/outer"><repeat nodeset="/data/outer"><input ref="/data/outer/y"/><group ref="/data/outer/inner"><repeat nodeset="/data/outer/inner"><input ref="/data/outer/inner/x"/></repeat></group></repeat></group></h:body></h:html>`

// TestOdd: answers of every type, also those that do not fit; versions; edits;
// encryption; names that OData does not allow.
func TestOdd(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.publish(t, "odd", "1", fmt.Sprintf(odd, "1", "<old/>"))
	s.publish(t, "odd", "2", fmt.Sprintf(odd, "2", "<fresh/>"))
	send := func(id, version, deprecates, body string, extra ...func(*dtm.Submission)) {
		t.Helper()
		x := dtm.Submission{ID: id, Form: "odd", Version: version, Deprecates: deprecates, XML: []byte(`<data id="odd" version="` + version + `">` + body + `<meta><instanceID>` + id + `</instanceID></meta></data>`)}
		for _, f := range extra {
			f(&x)
		}
		if _, err := s.db.Receive(t.Context(), x); err != nil {
			t.Fatal(err)
		}
	}
	hash, size, err := s.blobs.Put(t.Context(), strings.NewReader("a picture"))
	if err != nil {
		t.Fatal(err)
	}
	send("uuid:1", "1", "", `<a.b>=1+1</a.b><a_b>other</a_b><where>11.5 43.1 20 4.5</where><line>11 43 0 0;11.5 43.5 0 0</line><shape>11 43 0 0;11.5 43.5 0 0;11 44 0 0;11 43 0 0</shape><n>007</n><d>.50</d><when>2026-01-02T03:04:05.000+03:00</when><many>b a</many><pic>p.jpg</pic><old>was</old><outer><inner><x>1</x></inner><inner><x>2</x></inner><y>é "q", ب</y></outer><outer><y/></outer>`,
		func(x *dtm.Submission) {
			x.Expected = []string{"p.jpg"}
			x.Attachments = []dtm.Attachment{{Name: "p.jpg", Type: "image/jpeg", Size: size, Hash: hash}}
		})
	send("uuid:2", "2", "", `<a.b>line
break</a.b><where>nowhere</where><n>many</n><d>1e400</d><when>soon</when><unknown><deep>1</deep></unknown><fresh>now</fresh>`)
	send("uuid:3", "2", "", `<a.b>first</a.b>`)
	send("uuid:4", "2", "uuid:3", `<a.b>-5</a.b>`)
	if _, err := s.db.Receive(t.Context(), dtm.Submission{ID: "uuid:5", Form: "odd", Version: "2", XML: []byte(`<data id="odd" version="2" encrypted="yes" xmlns="http://opendatakit.org/submissions"><base64EncryptedKey>x</base64EncryptedKey></data>`)}); err != nil {
		t.Fatal(err)
	}
	var p page
	_, b := s.get(t, "/v1/projects/1/forms/odd.svc/Submissions?$expand=*")
	if err := json.Unmarshal(b, &p); err != nil || len(p.Value) != 4 {
		t.Fatalf("%v %s", err, b)
	}
	by := map[any]row{}
	for _, r := range p.Value {
		by[r["__id"]] = r
	}
	text := func(id string, path ...string) string { b, _ := json.Marshal(at(by[id], path...)); return string(b) }
	for _, c := range [][3]string{
		{"uuid:1", "a_b", `"=1+1"`}, {"uuid:1", "a_b_2", `"other"`},
		{"uuid:1", "where", `{"coordinates":[43.1,11.5,20],"properties":{"accuracy":4.5},"type":"Point"}`},
		{"uuid:1", "line", `{"coordinates":[[43,11,0],[43.5,11.5,0]],"properties":{"accuracy":[0,0]},"type":"LineString"}`},
		{"uuid:1", "n", "7"}, {"uuid:1", "d", "0.5"}, {"uuid:1", "when", `"2026-01-02T03:04:05.000+03:00"`}, {"uuid:1", "many", `"b a"`}, {"uuid:1", "old", `"was"`}, {"uuid:1", "fresh", "null"},
		{"uuid:2", "a_b", `"line\nbreak"`}, {"uuid:2", "where", "null"}, {"uuid:2", "n", "null"}, {"uuid:2", "d", "null"}, {"uuid:2", "fresh", `"now"`}, {"uuid:2", "outer", "[]"},
		{"uuid:3", "a_b", `"-5"`},
	} {
		if got := text(c[0], c[1]); got != c[2] {
			t.Errorf("%s %s = %s, want %s", c[0], c[1], got, c[2])
		}
	}
	if text("uuid:3", "__system", "edits") != "1" || text("uuid:1", "__system", "attachmentsPresent") != "1" || text("uuid:5", "__system", "status") != `"notDecrypted"` || text("uuid:5", "a_b") != "null" {
		t.Errorf("of the program: %s %s %s", text("uuid:3", "__system"), text("uuid:1", "__system"), text("uuid:5", "__system"))
	}
	for _, id := range []string{"uuid:3", "uuid:4"} {
		_, b = s.get(t, "/v1/projects/1/forms/odd.svc/Submissions('"+id+"')")
		if err := json.Unmarshal(b, &p); err != nil || len(p.Value) != 1 || at(p.Value[0], "__system", "edits") != 1.0 || p.Value[0]["a_b"] != "-5" {
			t.Errorf("an edited one by %s: %s", id, b)
		}
	}
	_, b = s.get(t, "/v1/projects/1/forms/odd.svc/Submissions.outer.inner")
	if err := json.Unmarshal(b, &p); err != nil || len(p.Value) != 2 || p.Value[0]["__Submissions-outer-id"] == nil {
		t.Errorf("a repeat in a repeat: %v %s", err, b)
	}
	_, b = s.get(t, "/v1/projects/1/forms/odd.svc/Submissions?$wkt=true&$filter="+url.QueryEscape("n eq 7"))
	if !bytes.Contains(b, []byte(`"where":"POINT (43.1 11.5 20)"`)) || !bytes.Contains(b, []byte(`"LINESTRING (43 11 0,43.5 11.5 0)"`)) {
		t.Errorf("as text: %s", b)
	}

	files := s.zip(t, "/v1/projects/1/forms/odd/submissions.csv.zip?splitSelectMultiples=true")
	main := records(t, files["odd.csv"])
	value := func(id, column string) string {
		k, c := slices.Index(main[0], "KEY"), slices.Index(main[0], column)
		for _, r := range main[1:] {
			if r[k] == id && c >= 0 {
				return r[c]
			}
		}
		return "no such cell"
	}
	for _, c := range [][3]string{
		{"uuid:1", "a_b", "'=1+1"}, {"uuid:1", "where-Latitude", "11.5"}, {"uuid:1", "where-Accuracy", "4.5"}, {"uuid:1", "n", "007"}, {"uuid:1", "many/a", "1"}, {"uuid:2", "many/a", ""}, {"uuid:2", "n", "many"},
		{"uuid:2", "a_b", "line\nbreak"}, {"uuid:3", "a_b", "-5"}, {"uuid:3", "Edits", "1"}, {"uuid:1", "old", "was"}, {"uuid:5", "Status", "notDecrypted"},
	} {
		if got := value(c[0], c[1]); got != c[2] {
			t.Errorf("%s %s = %q, want %q", c[0], c[1], got, c[2])
		}
	}
	inner := records(t, files["odd-outer-inner.csv"])
	outer := records(t, files["odd-outer.csv"])
	if len(inner) != 3 || len(outer) != 3 || string(files["media/p.jpg"]) != "a picture" {
		t.Errorf("repeats %v %v, media %q", outer, inner, files["media/p.jpg"])
	}
	if k := slices.Index(outer[0], "KEY"); inner[1][slices.Index(inner[0], "PARENT_KEY")] != outer[1][k] && inner[1][slices.Index(inner[0], "PARENT_KEY")] != outer[2][k] {
		t.Error("the keys do not lead from a turn to the one around it")
	}
	resp, b := s.get(t, "/v1/projects/1/forms/odd/submissions.csv?splitSelectMultiples=true")
	if !bytes.Equal(b, files["odd.csv"]) || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/csv") {
		t.Errorf("the table alone is another one: %s", b)
	}
	files = s.zip(t, "/v1/projects/1/forms/odd/submissions.csv.zip?attachments=false&raw=true&deletedFields=false")
	if _, ok := files["media/p.jpg"]; ok || !bytes.Contains(files["odd.csv"], []byte(",=1+1,")) || bytes.Contains(files["odd.csv"], []byte("was")) {
		t.Errorf("without attachments, raw, without old columns:\n%s", files["odd.csv"])
	}
}

func (s *service) zip(t testing.TB, path string) map[string][]byte {
	t.Helper()
	resp, b := s.get(t, path)
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %s", path, resp.Status, b)
	}
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if files[f.Name], err = io.ReadAll(r); err != nil {
			t.Fatalf("%s: %v", f.Name, err) // checks sizes and sum
		}
	}
	return files
}

func records(t testing.TB, b []byte) [][]string {
	t.Helper()
	all, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
	if err != nil {
		t.Fatalf("%v\n%s", err, b)
	}
	return all
}

// TestCSV: the tables are those of OData.
func TestCSV(t *testing.T) {
	t.Parallel()
	s := fmr(t, 16)
	files := s.zip(t, "/v1/projects/1/forms/fmr/submissions.csv.zip?hxl=true")
	for name, table := range map[string]string{"fmr.csv": "Submissions", "fmr-block.csv": "Submissions.block"} {
		all := records(t, files[name])
		rows := s.table(t, table, "").Value
		if len(all) != len(rows)+2 {
			t.Fatalf("%s has %d lines for %d rows", name, len(all), len(rows))
		}
		key := slices.Index(all[0], "KEY")
		for i, r := range rows {
			line := all[i+2]
			if line[key] != r["__id"] {
				t.Fatalf("%s line %d is %s, want %s", name, i, line[key], r["__id"])
			}
			for c, header := range all[0] {
				v := at(r, strings.Split(header, "-")...)
				if s, ok := v.(string); ok && line[c] != s {
					t.Errorf("%s %s: %q, want %q", name, header, line[c], s)
				}
			}
		}
	}
	if all := records(t, files["fmr.csv"]); all[1][slices.Index(all[0], "point")] != "#loc+fmp+code" {
		t.Errorf("tags: %v", all[1])
	}
	some := records(t, s.zip(t, "/v1/projects/1/forms/fmr/submissions.csv.zip?groupPaths=false&$filter="+url.QueryEscape("point eq 'obock'"))["fmr.csv"])
	if !slices.Contains(some[0], "direction") {
		t.Errorf("headers %v", some[0])
	}
	for _, r := range some[1:] {
		if r[slices.Index(some[0], "point")] != "obock" {
			t.Errorf("filtered: %v", r)
		}
	}
}

// TestCutOff: a stream that fails cuts the connection, so that nobody takes half a
// table for a whole one.
func TestCutOff(t *testing.T) {
	t.Parallel()
	s := fmr(t, 3)
	h := &odata.Handler{Stream: failing{s.db}, Submissions: s.db, Blobs: s.blobs, Devices: s.db, Audit: s.db, Now: time.Now}
	server := httptest.NewServer(serve.Handle(func(w http.ResponseWriter, _ *http.Request, status int, _ error) { w.WriteHeader(status) }, func(w http.ResponseWriter, r *http.Request) error {
		if strings.HasSuffix(r.URL.Path, "zip") {
			return h.CSV(w, r, "fmr")
		}
		return h.Form(w, r, "fmr", "Submissions")
	}))
	defer server.Close()
	for _, path := range []string{"/", "/x.zip"} {
		resp, err := http.Get(server.URL + path)
		if err != nil {
			continue
		}
		_, err = io.ReadAll(resp.Body)
		resp.Body.Close()
		if err == nil && resp.StatusCode == http.StatusOK {
			t.Errorf("%s: a whole answer of half a table", path)
		}
	}
}

// TestSpool: what is set aside while an archive is made has no name that would stay in
// the folder of a process that is killed.
func TestSpool(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	s := fmr(t, 1)
	seen := 0
	h := &odata.Handler{Stream: watching{s.db, func() {
		seen++
		if list, err := os.ReadDir(dir); err != nil || len(list) > 0 {
			t.Errorf("while the archive is made: %v %v", list, err)
		}
	}}, Submissions: s.db, Blobs: s.blobs, Devices: s.db, Audit: s.db, Now: time.Now}
	w := httptest.NewRecorder()
	if err := h.CSV(w, httptest.NewRequest(http.MethodGet, "/x.zip", nil), "fmr"); err != nil || seen == 0 {
		t.Fatal(seen, err)
	}
	z, err := zip.NewReader(bytes.NewReader(w.Body.Bytes()), int64(w.Body.Len()))
	if err != nil || len(z.File) < 2 {
		t.Fatalf("nothing was set aside: %v", err)
	}
}

type watching struct {
	*sqlite.DB
	look func()
}

func (x watching) Stream(ctx context.Context, q dtm.SubmissionQuery, fn func([]dtm.Streamed) error) error {
	return x.DB.Stream(ctx, q, func(list []dtm.Streamed) error {
		x.look()
		return fn(list)
	})
}

type failing struct{ *sqlite.DB }

func (f failing) Stream(ctx context.Context, q dtm.SubmissionQuery, fn func([]dtm.Streamed) error) error {
	if err := f.DB.Stream(ctx, q, fn); err != nil {
		return err
	}
	return errors.New("the disk is gone")
}
