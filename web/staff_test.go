package web_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dtm"
	"dtm/access"
	"dtm/operation"
	"dtm/serve"
	"dtm/store/blob"
	"dtm/store/sqlite"
	"dtm/web"
)

const password = "a sentence of five words"

// office serves the staff's pages over a real store with a user of each role. Answers
// and forms are read by the program, which has tests of its own with these pages.
func office(t *testing.T) (*httptest.Server, *sqlite.DB) {
	t.Helper()
	ctx := t.Context()
	op, err := operation.Pack("djibouti")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	db, err := sqlite.Open(ctx, filepath.Join(dir, "dtm.db"), sqlite.Options{Operation: op.Code, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	blobs, err := blob.NewDisk(filepath.Join(dir, "blob"))
	if err != nil {
		t.Fatal(err)
	}
	hash, err := access.HashPassword(ctx, rand.Reader, password)
	if err != nil {
		t.Fatal(err)
	}
	for _, role := range []string{dtm.RoleAdmin, dtm.RoleManager, dtm.RoleSupervisor, dtm.RoleEnumerator, dtm.RolePartner} {
		if err := db.AddUser(ctx, dtm.User{Email: role + "@example.org", Role: role}, hash); err != nil {
			t.Fatal(err)
		}
	}
	p, err := web.New(web.Options{Operation: op, Now: time.Now, Staff: &web.Staff{
		Sessions: serve.Sessions(false), Users: db, Forms: db, Devices: db, Submissions: db, Blobs: blobs, Events: db, Readings: db, Replacement: db.Replacement,
		Answers: func(_ context.Context, s dtm.Submission, _ dtm.Lang) ([]web.Answer, error) {
			return []web.Answer{{Path: "/data/a", Label: "The answer", Value: string(s.XML)}}, nil
		},
		Name:         func(context.Context, dtm.Submission) string { return "" },
		HashPassword: func(ctx context.Context, s string) (string, error) { return access.HashPassword(ctx, rand.Reader, s) },
		Phone: func(token string, _ dtm.Lang) (string, string, string, error) {
			return "http://dtm.example.org/" + token, "settings " + token, "http://dtm.example.org/entry/" + token, nil
		},
		Paper: func(_ context.Context, f dtm.Form, l dtm.Lang) ([]byte, error) {
			return []byte("%PDF of " + f.ID + " in " + string(l)), nil
		},
		Check: func(_ context.Context, name string, data []byte, _ []dtm.Media, _ dtm.Lang) (dtm.Form, []web.Remark, error) {
			if !bytes.HasPrefix(data, []byte("form")) {
				return dtm.Form{}, []web.Remark{{Where: "survey!A1", Text: "no <form>", Fault: true}}, nil
			}
			return dtm.Form{ID: "f", Version: "1", Title: "The form", Hash: "md5:" + string(data), XForm: data, Source: data, SourceName: name}, nil, nil
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(serve.Chain(p.Handler(), serve.Security(serve.DefaultCSP), serve.SameOrigin(serve.Problem)))
	t.Cleanup(s.Close)
	return s, db
}

// visitor is a browser with cookies, signed in unless the role is "".
func visitor(t *testing.T, s *httptest.Server, role string) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &http.Client{Jar: jar}
	if role != "" {
		if status, body := send(t, c, s.URL+"/en/staff/signin", url.Values{"email": {role + "@example.org"}, "password": {password}}); status != http.StatusOK {
			t.Fatalf("%s cannot sign in: %d %s", role, status, body)
		}
	}
	return c
}

func send(t *testing.T, c *http.Client, to string, form url.Values) (int, string) {
	t.Helper()
	var resp *http.Response
	var err error
	if form == nil {
		resp, err = c.Get(to)
	} else {
		resp, err = c.PostForm(to, form)
	}
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

// TestBehindSignIn: every page asks who has not signed in to do so, and lets in the
// roles that may, no other.
func TestBehindSignIn(t *testing.T) {
	t.Parallel()
	s, db := office(t)
	if err := db.Publish(t.Context(), dtm.Form{ID: "f", Version: "1", Title: "The form", XForm: []byte("<x/>"), SourceName: "f.xlsx"}); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Receive(t.Context(), dtm.Submission{ID: "uuid:1", Form: "f", Version: "1", XML: []byte("<data/>")}); err != nil {
		t.Fatal(err)
	}
	staff := []string{dtm.RoleAdmin, dtm.RoleManager, dtm.RoleSupervisor}
	everybody := append([]string{dtm.RoleEnumerator, dtm.RolePartner}, staff...)
	for path, may := range map[string][]string{
		"/": everybody, "/submissions/": staff, "/submissions/uuid:1": staff, "/submissions/uuid:1/xml": staff, "/forms/": staff, "/forms/f/paper.pdf": staff,
		"/devices/": staff, "/users/": staff[:1], "/log": staff[:1],
	} {
		if status, body := send(t, visitor(t, s, ""), s.URL+"/en/staff"+path, nil); status != http.StatusOK || !strings.Contains(body, `type="password"`) {
			t.Errorf("%s for a stranger: %d, no form to sign in", path, status)
		}
		for _, role := range everybody {
			want := http.StatusForbidden
			for _, m := range may {
				if m == role {
					want = http.StatusOK
				}
			}
			if status, body := send(t, visitor(t, s, role), s.URL+"/fr/staff"+path, nil); status != want || strings.Contains(body, `type="password"`) && path != "/users/" {
				t.Errorf("%s for %s: %d, want %d", path, role, status, want)
			}
		}
	}
}

// TestSignIn: a wrong password says so and keeps the address; a link that leads
// elsewhere is not followed; who is closed out while signed in is out at once.
func TestSignIn(t *testing.T) {
	t.Parallel()
	s, db := office(t)
	c := visitor(t, s, "")
	status, body := send(t, c, s.URL+"/fr/staff/signin", url.Values{"email": {"Manager@example.org"}, "password": {"wrong password"}})
	if status != http.StatusUnauthorized || !strings.Contains(body, `value="manager@example.org"`) || !strings.Contains(body, "role=\"alert\"") {
		t.Errorf("wrong password: %d", status)
	}
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for to, want := range map[string]string{"/staff/forms/": "/fr/staff/forms/", "https://elsewhere.example": "/fr/staff/", "//elsewhere.example": "/fr/staff/", "/staff/signout": "/fr/staff/", "": "/fr/staff/"} {
		resp, err := c.PostForm(s.URL+"/fr/staff/signin", url.Values{"email": {"manager@example.org"}, "password": {password}, "to": {to}})
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if got := resp.Header.Get("Location"); resp.StatusCode != http.StatusSeeOther || got != want {
			t.Errorf("to %q: %d %q, want %q", to, resp.StatusCode, got, want)
		}
	}
	if status, _ := send(t, c, s.URL+"/fr/staff/", nil); status != http.StatusOK {
		t.Fatalf("signed in: %d", status)
	}
	if err := db.DisableUser(t.Context(), "manager@example.org"); err != nil {
		t.Fatal(err)
	}
	if status, _ := send(t, c, s.URL+"/fr/staff/", nil); status != http.StatusSeeOther {
		t.Errorf("a closed account still sees the desk: %d", status)
	}
	other := visitor(t, s, dtm.RoleAdmin)
	r, err := http.NewRequest("POST", s.URL+"/en/staff/users/", strings.NewReader("email=x%40example.org&role=admin&password=a+long+enough+password"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	resp, err := other.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if _, _, err := db.User(t.Context(), "x@example.org"); resp.StatusCode != http.StatusForbidden || dtm.KindOf(err) != dtm.NotFound {
		t.Errorf("another site's page added a user: %d", resp.StatusCode)
	}
}

// TestDevices: a device is added with a code, told apart from one of the same name,
// and shut out.
func TestDevices(t *testing.T) {
	t.Parallel()
	s, db := office(t)
	c := visitor(t, s, dtm.RoleSupervisor)
	at := s.URL + "/en/staff/devices/"
	if status, body := send(t, c, at, url.Values{"name": {"Obock-1"}, "point": {"obock"}}); status != http.StatusOK || !strings.Contains(body, "data:image/png;base64,") || !strings.Contains(body, "http://dtm.example.org/entry/") {
		t.Fatalf("added: %d", status)
	}
	if status, body := send(t, c, at, url.Values{"name": {"Obock-1"}}); status != http.StatusConflict || !strings.Contains(body, `value="Obock-1"`) {
		t.Errorf("the same name: %d", status)
	}
	if status, _ := send(t, c, at, url.Values{"name": {" "}}); status != http.StatusUnprocessableEntity {
		t.Errorf("no name: %d", status)
	}
	if status, _ := send(t, c, at, url.Values{"name": {"x"}, "point": {"nowhere"}}); status != http.StatusBadRequest && status != http.StatusUnprocessableEntity {
		t.Errorf("no such point: %d", status)
	}
	list, err := db.Devices(t.Context())
	if err != nil || len(list) != 1 || list[0].Point != "obock" {
		t.Fatal(list, err)
	}
	if status, _ := send(t, c, at+list[0].ID+"/revoke", url.Values{}); status != http.StatusOK {
		t.Errorf("revoked: %d", status)
	}
	if list, _ = db.Devices(t.Context()); list[0].Revoked == nil {
		t.Error("it is not shut out")
	}
	events, err := db.Events(t.Context(), 0, 100)
	if err != nil || events[len(events)-1].Actor != "user:supervisor@example.org" || events[len(events)-1].Name != dtm.DeviceRevoked {
		t.Errorf("the log says %+v %v", events[len(events)-1], err)
	}
}

// TestForms: faults are listed by cell; a good form is shown before it is published,
// and what is published is what was shown.
func TestForms(t *testing.T) {
	t.Parallel()
	s, db := office(t)
	c := visitor(t, s, dtm.RoleManager)
	upload := func(fields map[string]string, file string) (int, string) {
		var b bytes.Buffer
		w := multipart.NewWriter(&b)
		for k, v := range fields {
			if err := w.WriteField(k, v); err != nil {
				t.Fatal(err)
			}
		}
		if file != "" {
			part, err := w.CreateFormFile("form", `C:\forms\f.xlsx`)
			if err != nil {
				t.Fatal(err)
			}
			part.Write([]byte(file))
		}
		w.Close()
		resp, err := c.Post(s.URL+"/en/staff/forms/", w.FormDataContentType(), &b)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(body)
	}
	if status, body := upload(nil, "bad"); status != http.StatusUnprocessableEntity || !strings.Contains(body, "survey!A1") || !strings.Contains(body, "no &lt;form&gt;") {
		t.Errorf("a bad form: %d", status)
	}
	if status, body := upload(nil, "form 1"); status != http.StatusOK || !strings.Contains(body, `name="carried" value="Zm9ybSAx"`) {
		t.Errorf("a good form: %d", status)
	}
	if list, _ := db.Forms(t.Context()); len(list) != 0 {
		t.Error("published without being asked to")
	}
	publish := map[string]string{"carried": "Zm9ybSAx", "name": "f.xlsx", "publish": "yes"}
	if status, _ := upload(publish, ""); status != http.StatusOK {
		t.Errorf("published: %d", status)
	}
	f, err := db.Form(t.Context(), "f", "")
	if err != nil || string(f.Source) != "form 1" || f.SourceName != "f.xlsx" {
		t.Errorf("published %q %q: %v", f.Source, f.SourceName, err)
	}
	publish["carried"] = "Zm9ybSAy"
	if status, body := upload(publish, ""); status != http.StatusConflict || !strings.Contains(body, "other content") {
		t.Errorf("the same version with other content: %d", status)
	}
	publish["carried"] = "?"
	if status, _ := upload(publish, ""); status != http.StatusBadRequest && status != http.StatusUnprocessableEntity {
		t.Errorf("a damaged page: %d", status)
	}
}

// TestSubmissionPage: flags stand with their answers, what was refused is set
// beside what was kept, and nobody's file runs in the page.
func TestSubmissionPage(t *testing.T) {
	t.Parallel()
	s, db := office(t)
	ctx := t.Context()
	first := dtm.Submission{ID: "uuid:1", Form: "f", Version: "1", XML: []byte("<data>one</data>"), Flags: []dtm.Flag{{Rule: "answers.sum", Path: "/data/a", Note: "3, not 4"}}, Expected: []string{"photo.jpg"}}
	if _, err := db.Receive(ctx, first); err != nil {
		t.Fatal(err)
	}
	first.XML = []byte("<data>two</data>")
	if _, err := db.Receive(ctx, first); dtm.KindOf(err) != dtm.Conflict {
		t.Fatal(err)
	}
	_, body := send(t, visitor(t, s, dtm.RoleSupervisor), s.URL+"/en/staff/submissions/uuid:1", nil)
	for _, want := range []string{"The total is not the sum of its parts", "3, not 4", "&lt;data&gt;one&lt;/data&gt;", "&lt;data&gt;two&lt;/data&gt;", "photo.jpg", "has not arrived"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if status, _ := send(t, visitor(t, s, dtm.RoleSupervisor), s.URL+"/en/staff/submissions/uuid:2", nil); status != http.StatusNotFound {
		t.Errorf("no such submission: %d", status)
	}
}
