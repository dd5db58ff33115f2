package central_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dtm"
	"dtm/access"
	"dtm/gather/central"
	"dtm/gather/openrosa"
	"dtm/gather/xform"
	"dtm/store/blob"
	"dtm/store/sqlite"
)

// changing are the requests that carry a body, as pyodk and ruODK send them.
var changing = []string{
	"POST /v1/sessions",
	"POST /v1/projects/1/datasets",
	"POST /v1/projects/1/datasets/sites/properties",
	"POST /v1/projects/1/datasets/sites/entities",
	"PATCH /v1/projects/1/datasets/sites/entities/00000000-0000-4000-8000-000000000001?force=true",
	"PATCH /v1/projects/1/forms/f",
	"POST /v1/projects/1/forms?publish=true",
	"POST /v1/projects/1/forms/f/draft",
	"POST /v1/projects/1/forms/f/submissions",
	"PUT /v1/projects/1/forms/f/submissions/uuid:1",
	"PATCH /v1/projects/1/forms/f/submissions/uuid:1",
	"POST /v1/projects/1/forms/f/submissions/uuid:1/comments",
	"POST /v1/projects/1/app-users",
}

// FuzzCentral: whatever is sent to a route that takes JSON, XML or a form, the server
// does not fall over, answers in JSON, never with its own fault, and what is stored
// can be listed afterwards. The store is in the coverage too, so run it with
// -fuzzminimizetime=1x.
func FuzzCentral(f *testing.F) {
	const form = `<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml"><h:head><h:title>f</h:title><model><instance><data id="f" version="1"><a/><meta><instanceID/></meta></data></instance><bind nodeset="/data/a" type="string"/></model></h:head><h:body><input ref="/data/a"><label>a</label></input></h:body></h:html>`
	for i, body := range []string{
		`{"email":"a@example.org","password":"a long and unlikely secret"}`,
		`{"name":"towns","approvalRequired":true}`,
		`{"name":"water-point"}`,
		`{"uuid":"00000000-0000-4000-8000-000000000002","label":"L","data":{"people":"5"}}`,
		`{"label":"M","data":{"people":"6"}}`,
		`{"state":"closing"}`,
		strings.ReplaceAll(form, `id="f"`, `id="g"`),
		strings.ReplaceAll(form, `version="1"`, `version="2"`),
		`<data id="f" version="1"><a>x</a><meta><instanceID>uuid:2</instanceID></meta></data>`,
		`<data id="f" version="1"><a>y</a><meta><deprecatedID>uuid:1</deprecatedID><instanceID>uuid:3</instanceID></meta></data>`,
		`{"reviewState":"approved"}`,
		`{"body":"a remark"}`,
		`{"displayName":"phone"}`,
	} {
		f.Add(uint8(i), []byte(body))
	}
	f.Add(uint8(3), []byte(`{"entities":[{"label":"L","data":{"people":"5"}},{"uuid":"x","label":null}],"source":{"name":"a.csv","size":-1}}`))
	f.Add(uint8(3), []byte(`{"label":"L","data":{"people":{"a":[1e999]}}}`))
	f.Add(uint8(10), []byte(`{"reviewState":"`+"\x00"+`"}`))
	f.Add(uint8(6), []byte("| survey |\n| | type | name | label |\n| | text | a | A |\n"))

	ctx := context.Background()
	dir := f.TempDir()
	db, err := sqlite.Open(ctx, filepath.Join(dir, "dtm.db"), sqlite.Options{Operation: "test"})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { db.Close() })
	blobs, err := blob.NewDisk(filepath.Join(dir, "blobs"))
	if err != nil {
		f.Fatal(err)
	}
	n := 0
	lists := &central.Datasets{Entities: db, NewID: func() string { n++; return fmt.Sprintf("00000000-0000-4000-8000-%012d", n) }}
	phones := &openrosa.Handler{Forms: db, Devices: db, Submissions: db, Blobs: blobs, Head: func(b []byte) (openrosa.Head, error) {
		x, err := xform.Head(b)
		return openrosa.Head{FormID: x.FormID, Version: x.Version, InstanceID: x.InstanceID, DeprecatedID: x.DeprecatedID}, err
	}}
	h := &central.Handler{
		Operation: &dtm.Operation{}, Sessions: db, Door: &access.Door{Users: db, Tries: db, Now: time.Now}, Users: db, Forms: db, States: db, Drafts: db, Stream: db, Submissions: db, Blobs: blobs, Reviews: db, Devices: db, Events: db, Audit: db,
		Fields: central.FieldsOf, Rand: rand.Reader, Now: time.Now, Entities: lists, MaxBody: 1 << 20,
		Convert: func(_ context.Context, name string, data []byte, fallback string) (dtm.Form, []string, error) {
			m, err := xform.ReadModel(data)
			if err != nil {
				return dtm.Form{}, nil, err
			}
			return dtm.Form{ID: m.ID, Version: m.Version, Title: m.Title, XForm: data}, nil, nil
		},
		Understand: phones.Understand,
	}
	mux := http.NewServeMux()
	h.Register(mux)
	hash, err := access.HashPassword(ctx, rand.Reader, "a long and unlikely secret")
	if err != nil {
		f.Fatal(err)
	}
	if err := db.AddUser(ctx, dtm.User{Email: "a@example.org", Role: dtm.RoleAdmin, Created: time.Now()}, hash); err != nil {
		f.Fatal(err)
	}
	token := strings.Repeat("t", 64)
	if err := db.AddSession(ctx, token, dtm.Session{Email: "a@example.org", CSRF: "c", Created: time.Now(), Expires: time.Now().Add(24 * time.Hour)}); err != nil {
		f.Fatal(err)
	}
	send := func(t testing.TB, request string, body []byte) (int, []byte) {
		t.Helper()
		method, url, _ := strings.Cut(request, " ")
		r := httptest.NewRequest(method, url, strings.NewReader(string(body)))
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("User-Agent", "pyodk v1.3.0")
		switch {
		case strings.HasSuffix(url, "/forms?publish=true"), strings.HasSuffix(url, "/draft"), strings.Contains(url, "/submissions") && method != "PATCH" && !strings.HasSuffix(url, "/comments"):
			r.Header.Set("Content-Type", "application/xml")
		default:
			r.Header.Set("Content-Type", "application/json")
		}
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		return w.Code, w.Body.Bytes()
	}
	for i, first := range []struct{ request, body string }{
		{"POST /v1/projects/1/datasets", `{"name":"sites"}`},
		{"POST /v1/projects/1/datasets/sites/properties", `{"name":"people"}`},
		{"POST /v1/projects/1/datasets/sites/entities", `{"label":"L","data":{"people":"1"}}`},
		{"POST /v1/projects/1/forms?publish=true", form},
		{"POST /v1/projects/1/forms/f/submissions", `<data id="f" version="1"><a>x</a><meta><instanceID>uuid:1</instanceID></meta></data>`},
	} {
		if code, said := send(f, first.request, []byte(first.body)); code != 200 {
			f.Fatalf("%d: %s: %d %s", i, first.request, code, said)
		}
	}
	f.Fuzz(func(t *testing.T, route uint8, body []byte) {
		request := changing[int(route)%len(changing)]
		code, said := send(t, request, body)
		if code >= 500 && code != 501 || code < 200 || !json.Valid(said) {
			t.Errorf("%s: %d %s", request, code, said)
		}
		for _, list := range []string{"GET /v1/projects/1/forms", "GET /v1/projects/1/datasets", "GET /v1/projects/1/datasets/sites/entities", "GET /v1/projects/1/forms/f/submissions", "GET /v1/projects/1/app-users"} {
			if code, said := send(t, list, nil); code != 200 || !json.Valid(said) {
				t.Fatalf("after %s: %s: %d %s", request, list, code, said)
			}
		}
	})
}
