package central_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"dtm"
	"dtm/event"
	"dtm/gather/central"
	"dtm/serve"
	"dtm/store/sqlite"
)

type datasets struct {
	t   *testing.T
	db  *sqlite.DB
	srv *httptest.Server
}

func newDatasets(t *testing.T) *datasets {
	t.Helper()
	db, err := sqlite.Open(context.Background(), filepath.Join(t.TempDir(), "dtm.db"), sqlite.Options{Operation: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	mux := http.NewServeMux()
	n := 0
	h := &central.Datasets{Entities: db, NewID: func() string { n++; return fmt.Sprintf("00000000-0000-4000-8000-%012d", n) }}
	h.Register(mux, "/v1/projects/{project}", func(do serve.Func) http.Handler {
		return serve.Handle(serve.Problem, func(w http.ResponseWriter, r *http.Request) error {
			return do(w, r.WithContext(event.WithActor(r.Context(), "user:manager@example.org")))
		})
	})
	d := &datasets{t: t, db: db, srv: httptest.NewServer(mux)}
	t.Cleanup(d.srv.Close)
	return d
}

// ask sends a request, fails the test unless the status is as wanted, and reads a
// JSON answer into out when there is one.
func (d *datasets) ask(want int, method, path, body string, out any, header ...string) string {
	d.t.Helper()
	r, err := http.NewRequest(method, d.srv.URL+"/v1/projects/1/datasets"+path, strings.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	r.Header.Set("User-Agent", "pyodk v1.3.0")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		d.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	if res.StatusCode != want {
		d.t.Fatalf("%s %s %s: %d %s, want %d", method, path, body, res.StatusCode, text, want)
	}
	if out != nil {
		if err := json.Unmarshal(text, out); err != nil {
			d.t.Fatalf("%s %s: %v: %s", method, path, err, text)
		}
	}
	return string(text)
}

// thing is what pyodk's models of entities require.
type thing struct {
	UUID      string
	CreatorID int
	CreatedAt string
	Conflict  *string
	Current   struct {
		Label       string
		Current     bool
		CreatedAt   string
		CreatorID   int
		UserAgent   string
		Version     int
		Data        map[string]string
		BaseVersion *int
	} `json:"currentVersion"`
}

func TestDatasets(t *testing.T) {
	t.Parallel()
	d := newDatasets(t)
	var list []map[string]any
	if d.ask(200, "GET", "", "", &list); len(list) != 0 {
		t.Errorf("lists of a new server: %v", list)
	}
	var one map[string]any
	d.ask(200, "POST", "", `{"name":"sites","approvalRequired":false}`, &one)
	if one["name"] != "sites" || one["projectId"] != 1.0 || one["approvalRequired"] != false || one["createdAt"] == "" {
		t.Errorf("created = %v", one)
	}
	d.ask(409, "POST", "", `{"name":"sites"}`, nil)
	d.ask(400, "POST", "", `{"name":"a b"}`, nil)
	d.ask(400, "POST", "", `not JSON`, nil)
	d.ask(200, "POST", "/sites/properties", `{"name":"région"}`, nil)
	d.ask(200, "POST", "/sites/properties", `{"name":"water-point"}`, nil)
	d.ask(409, "POST", "/sites/properties", `{"name":"région"}`, nil)
	d.ask(400, "POST", "/sites/properties", `{"name":"__x"}`, nil)
	d.ask(404, "POST", "/none/properties", `{"name":"x"}`, nil)
	d.ask(404, "GET", "/none", "", nil)
	d.ask(404, "GET", "/none/entities", "", nil)
	var whole struct {
		Properties []struct {
			Name, OdataName, PublishedAt string
			Forms                        []string
		}
	}
	d.ask(200, "GET", "/sites", "", &whole)
	if p := whole.Properties; len(p) != 2 || p[0].Name != "région" || p[1].OdataName != "water_point" || p[0].Forms == nil || p[0].PublishedAt == "" {
		t.Errorf("properties = %+v", p)
	}
	d.ask(200, "GET", "", "", &list, "X-Extended-Metadata", "true")
	if len(list) != 1 || list[0]["entities"] != 0.0 || list[0]["conflicts"] != 0.0 {
		t.Errorf("extended = %v", list)
	}
}

func TestEntities(t *testing.T) {
	t.Parallel()
	d := newDatasets(t)
	d.ask(200, "POST", "", `{"name":"sites"}`, nil)
	d.ask(200, "POST", "/sites/properties", `{"name":"region"}`, nil)
	d.ask(200, "POST", "/sites/properties", `{"name":"people"}`, nil)
	const at = "/sites/entities"

	var e thing
	d.ask(200, "POST", at, `{"uuid":"UUID:ABC","label":"Obock","data":{"region":"DJ01","people":12}}`, &e)
	if e.UUID != "abc" || e.Current.Version != 1 || !e.Current.Current || e.Current.UserAgent != "pyodk v1.3.0" || e.Current.Data["people"] != "12" || e.Conflict != nil || e.CreatorID == 0 {
		t.Errorf("created = %+v", e)
	}
	d.ask(409, "POST", at, `{"uuid":"abc","label":"again","data":{}}`, nil)
	d.ask(400, "POST", at, `{"data":{}}`, nil)
	d.ask(400, "POST", at, `{"label":"x","data":{"other":"1"}}`, nil)
	d.ask(400, "POST", at, `{"label":"x","data":{"people":{"a":1}}}`, nil)
	d.ask(200, "POST", at, `{"entities":[{"label":"A","data":{"region":"DJ02"}},{"label":"B","data":{}}],"source":{"name":"sites.csv","size":3}}`, nil)
	// One bad entity and none is made; the answer says which.
	if s := d.ask(400, "POST", at, `{"entities":[{"label":"C"},{"label":"D","data":{"other":"x"}}],"source":{"name":"x"}}`, nil); !strings.Contains(s, "entities[1]") {
		t.Errorf("the answer does not name the place: %s", s)
	}
	d.ask(409, "POST", at, `{"entities":[{"uuid":"z","label":"C"},{"uuid":"z","label":"D"}],"source":{"name":"x"}}`, nil)
	var list []thing
	d.ask(200, "GET", at, "", &list)
	if len(list) != 3 || list[0].Current.Label != "Obock" || list[0].Current.Data != nil {
		t.Errorf("list = %+v", list)
	}
	if d.ask(200, "GET", at+"?limit=1&offset=1", "", &list); len(list) != 1 || list[0].Current.Label != "A" {
		t.Errorf("page = %+v", list)
	}

	d.ask(409, "PATCH", at+"/abc", `{"label":"X"}`, nil)
	d.ask(409, "PATCH", at+"/abc?baseVersion=2", `{"label":"X"}`, nil)
	d.ask(200, "PATCH", at+"/abc?baseVersion=1", `{"data":{"people":"13"}}`, &e)
	if e.Current.Version != 2 || e.Current.Label != "Obock" || e.Current.Data["region"] != "DJ01" || e.Current.Data["people"] != "13" || *e.Current.BaseVersion != 1 {
		t.Errorf("changed = %+v", e)
	}
	d.ask(200, "PATCH", at+"/abc?force=True", `{"label":"Obock 2"}`, &e) // as Python writes it
	d.ask(200, "PATCH", at+"/abc", `{"data":{"region":""}}`, &e, "If-Match", `"3"`)
	d.ask(404, "PATCH", at+"/none?force=true", `{"label":"X"}`, nil)
	d.ask(400, "PATCH", at+"/abc?force=true", `{"label":" "}`, nil)
	if d.ask(200, "GET", at+"/uuid:abc", "", &e); e.Current.Version != 4 || e.Current.Label != "Obock 2" || e.Current.Data["region"] != "" {
		t.Errorf("entity = %+v", e)
	}

	var versions []struct {
		Version      int
		Current      bool
		DataReceived map[string]string
	}
	d.ask(200, "GET", at+"/abc/versions", "", &versions)
	if len(versions) != 4 || !versions[3].Current || versions[2].Current || fmt.Sprint(versions[2].DataReceived) != "map[label:Obock 2]" {
		t.Errorf("versions = %+v", versions)
	}
	if s := strings.TrimSpace(d.ask(200, "GET", at+"/abc/diffs", "", nil)); s != `[[{"old":"12","new":"13","propertyName":"people"}],[{"old":"Obock","new":"Obock 2","propertyName":"label"}],[{"old":"DJ01","new":"","propertyName":"region"}]]` {
		t.Errorf("diffs = %s", s)
	}

	csv := d.ask(200, "GET", "/sites/entities.csv", "", nil)
	if lines := strings.Split(strings.TrimSpace(csv), "\n"); len(lines) != 4 || lines[0] != "__id,label,region,people,__createdAt,__creatorId,__creatorName,__updates,__updatedAt,__version" ||
		!strings.Contains(csv, "user:manager@example.org") {
		t.Errorf("csv = %s", csv)
	}

	d.ask(200, "DELETE", at+"/abc", "", nil)
	d.ask(404, "DELETE", at+"/abc", "", nil)
	d.ask(404, "GET", at+"/abc", "", nil)
	if d.ask(200, "GET", at+"?deleted=true", "", &list); len(list) != 1 || list[0].UUID != "abc" {
		t.Errorf("deleted = %+v", list)
	}
	var audits []struct{ Action string }
	d.ask(200, "GET", at+"/abc/audits", "", &audits)
	if len(audits) != 5 || audits[0].Action != "entity.delete" || audits[4].Action != "entity.create" {
		t.Errorf("audits = %+v", audits)
	}
	d.ask(200, "POST", at+"/abc/restore", "", nil)
	d.ask(200, "GET", at+"/abc", "", &e)
}

func TestResolve(t *testing.T) {
	t.Parallel()
	d := newDatasets(t)
	d.ask(200, "POST", "", `{"name":"sites"}`, nil)
	err := d.db.ChangeEntities(context.Background(), dtm.EntityWork{Changes: []dtm.EntityChange{{List: "sites", ID: "a", Conflict: dtm.HardConflict,
		Version: &dtm.EntityVersion{Label: "A"}}}})
	if err != nil {
		t.Fatal(err)
	}
	var e thing
	if d.ask(200, "GET", "/sites/entities/a", "", &e); e.Conflict == nil || *e.Conflict != "hard" {
		t.Errorf("entity = %+v", e)
	}
	var list []map[string]any
	if d.ask(200, "GET", "", "", &list, "X-Extended-Metadata", "true"); list[0]["conflicts"] != 1.0 {
		t.Errorf("list = %v", list)
	}
	if d.ask(200, "PATCH", "/sites/entities/a?resolve=true&baseVersion=1", "", &e); e.Conflict != nil || e.Current.Version != 1 {
		t.Errorf("resolved = %+v", e)
	}
}

// Forced changes at once are all made, one after the other.
func TestForcedAtOnce(t *testing.T) {
	t.Parallel()
	d := newDatasets(t)
	d.ask(200, "POST", "", `{"name":"sites"}`, nil)
	d.ask(200, "POST", "/sites/properties", `{"name":"n"}`, nil)
	d.ask(200, "POST", "/sites/entities", `{"uuid":"a","label":"A","data":{}}`, nil)
	var wg sync.WaitGroup
	for i := range 5 {
		wg.Go(func() {
			r, err := http.NewRequest("PATCH", d.srv.URL+"/v1/projects/1/datasets/sites/entities/a?force=true", strings.NewReader(fmt.Sprintf(`{"data":{"n":"%d"}}`, i)))
			if err != nil {
				t.Error(err)
				return
			}
			res, err := http.DefaultClient.Do(r)
			if err != nil || res.StatusCode != 200 {
				t.Errorf("%v %v", res, err)
				return
			}
			res.Body.Close()
		})
	}
	wg.Wait()
	if v, err := d.db.EntityVersions(context.Background(), "sites", "a"); err != nil || len(v) != 6 {
		t.Errorf("%d versions, %v", len(v), err)
	}
}
