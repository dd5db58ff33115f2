package web_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/pquerna/otp/totp"

	"dtm"
	"dtm/access"
	"dtm/analyse/indicator"
	"dtm/analyse/warehouse/duckdb"
	"dtm/gather/entity"
	"dtm/gather/webhook"
	"dtm/operation"
	"dtm/seal"
	"dtm/serve"
	"dtm/store/blob"
	"dtm/store/sqlite"
	"dtm/web"
)

const password = "a sentence of five words"

// office serves the staff's pages over a real store with a user of each role. Answers
// and forms are read by the program, which has tests of its own with these pages.
func office(t *testing.T, change ...func(*web.Staff)) (*httptest.Server, *sqlite.DB) {
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
	for _, role := range dtm.StaffRoles {
		if err := db.AddUser(ctx, dtm.User{Email: role + "@example.org", Role: role}, hash); err != nil {
			t.Fatal(err)
		}
	}
	return serving(t, op, db, blobs, change...), db
}

// nothingCounted are the figures of an operation without facts, for all tests.
var nothingCounted = sync.OnceValue(func() *indicator.Engine {
	op, err := operation.Pack("djibouti")
	if err != nil {
		panic(err)
	}
	wh, err := duckdb.Open(context.Background(), "", op)
	if err != nil {
		panic(err)
	}
	e, err := indicator.New(op, wh)
	if err != nil {
		panic(err)
	}
	return e
})

// serving begins to serve a store's pages, as the program does when it starts.
func serving(t *testing.T, op *dtm.Operation, db *sqlite.DB, blobs *blob.Disk, change ...func(*web.Staff)) *httptest.Server {
	t.Helper()
	door := &access.Door{Users: db, Tries: db, Now: time.Now}
	listen := httptest.NewUnstartedServer(nil)
	staff := &web.Staff{
		Sessions: db, Door: door, Users: db, Accounts: db, Agreements: db, Origin: "http://" + listen.Listener.Addr().String(),
		Seconds:       &access.Seconds{Factors: db, Door: door, Spent: db, Key: testKey, Issuer: "dtm", Rand: rand.Reader, Now: time.Now},
		CheckPassword: func(password, email string) error { return access.CheckPassword(password, email) }, Forms: db, Drafts: db, States: db, History: db, Devices: db, DeviceCare: db, Submissions: db, Blobs: blobs, Events: db, Audit: db, Trail: &access.Trail{Audit: db, Now: time.Now}, Review: reviewing(db), Alerting: &web.Alerting{Alerts: db, Figures: nothingCounted()}, Surveying: &web.Surveying{Interviews: nothingCounted(), Figures: nothingCounted()}, Planning: &web.Planning{Figures: nothingCounted(), Arrivals: arrivals{}, Capacities: db}, Points: network(op, db), Readings: db, Entities: db, Webhooks: db, CheckWebhook: func(url string) error { return webhook.CheckURL(url, nil) }, TryWebhook: func(context.Context, string) (int, error) { return 204, nil },
		EntityCSV: func(_ context.Context, w io.Writer, l dtm.EntityList) error {
			return entity.WriteCSV(w, l, nil, false, dtm.EntityScope{})
		}, Replacement: db.Replacement,
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
		Check: func(_ context.Context, name string, data []byte, media []dtm.Media, _ dtm.Lang) (dtm.Form, []web.Remark, error) {
			if !bytes.HasPrefix(data, []byte("form")) {
				return dtm.Form{}, []web.Remark{{Where: "survey!A1", Text: "no <form>", Fault: true}}, nil
			}
			_, version, _ := strings.Cut(string(data), " ") // "form 1", "form 1 x": other content, the same version
			version, _, _ = strings.Cut(version, " ")
			return dtm.Form{ID: "f", Version: version, Title: "The form", Hash: "md5:" + string(data), XForm: data, Source: data, SourceName: name, Media: media}, nil, nil
		},
		Trial: func(d dtm.Draft, _ dtm.Lang) (string, string, string, error) {
			return "http://dtm.example.org/trial/" + d.Token, "settings " + d.Token, "http://dtm.example.org/entry/try#" + d.Token, nil
		},
		ReadTrials: func(_ context.Context, _ dtm.Form, list []dtm.Submission, _ dtm.Lang) ([]web.Trial, error) {
			out := make([]web.Trial, len(list))
			for i, s := range list {
				out[i].Answers = []web.Answer{{Path: "/data/a", Label: "The answer", Value: string(s.XML)}}
				out[i].Flags = []dtm.Flag{{Rule: "answer.required", Path: "/data/a"}}
			}
			return out, nil
		},
		Compare: func(_ context.Context, a, b dtm.Form, _ dtm.Lang) ([]web.Change, error) {
			if string(a.Source) == string(b.Source) {
				return nil, nil
			}
			return []web.Change{{Kind: "altered", Place: "/data/a", Label: "How <many>?", What: "label English (en)", Before: string(a.Source), After: string(b.Source)}, {Kind: "added", Place: "/data/b", Label: "New one", After: "integer"}}, nil
		},
		Questions: func(_ context.Context, f dtm.Form, _ string, _ dtm.Lang) ([]web.Question, []string, string, error) {
			return []web.Question{{Name: "a", Type: "integer", Label: "How <many>?", Required: true}}, nil, "", nil
		},
		Wants: func(_ context.Context, f dtm.Form) ([]web.Wanted, error) {
			out := []web.Wanted{{Name: "points.csv", From: "list"}, {Name: "towns.csv"}}
			for _, m := range f.Media {
				if m.Name == "towns.csv" {
					out[1].From, out[1].Size = "form", int64(len(m.Data))
				}
			}
			return out, nil
		},
	}
	for _, f := range change {
		f(staff)
	}
	p, err := web.New(web.Options{Operation: op, Figures: nothingCounted(), Now: time.Now, Patience: 10 * time.Minute, Staff: staff})
	if err != nil {
		t.Fatal(err)
	}
	s := listen
	s.Config.Handler = serve.Chain(p.Handler(), serve.Security(serve.DefaultCSP), serve.SameOrigin(serve.Problem))
	s.Start()
	t.Cleanup(s.Close)
	return s
}

// testKey stands for the key file, the same over the restarts of a test.
var testKey = func() seal.Key {
	text, err := seal.NewFile(rand.Reader)
	if err != nil {
		panic(err)
	}
	k, err := seal.ReadFile(text)
	if err != nil {
		panic(err)
	}
	return k
}()

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
	if access.NeedsSecond(role) {
		secondStep(t, c, s.URL, role+"@example.org")
	}
	return c
}

// onPaper are the codes of those who have a second factor, by server and address.
var onPaper sync.Map

// secondStep gives the second factor of one who has signed in; the first time it adds
// an app and keeps the codes on paper.
func secondStep(t *testing.T, c *http.Client, base, email string) {
	t.Helper()
	if list, ok := onPaper.Load(base + email); ok {
		codes := list.([]string)
		onPaper.Store(base+email, codes[1:])
		if status, body := send(t, c, base+"/en/staff/second", url.Values{"code": {codes[0]}}); status != http.StatusOK {
			t.Fatalf("the code on paper was not taken: %d %s", status, body)
		}
		return
	}
	_, codes := addApp(t, c, base)
	onPaper.Store(base+email, codes)
}

// addApp adds an app with codes to the account that has signed in.
func addApp(t *testing.T, c *http.Client, base string) (secret string, codes []string) {
	t.Helper()
	_, body := send(t, c, base+"/en/staff/account/app", nil)
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	secret = doc.Find("code.long").Text()
	code, err := totp.GenerateCode(secret, time.Now())
	if err != nil {
		t.Fatalf("no secret in the page: %v\n%s", err, body)
	}
	status, body := send(t, c, base+"/en/staff/account/app", url.Values{"pending": {doc.Find("input[name=pending]").AttrOr("value", "")}, "code": {code}, "name": {"telephone"}})
	if doc, err = goquery.NewDocumentFromReader(strings.NewReader(body)); err != nil || status != http.StatusOK {
		t.Fatalf("the app was not added: %d %v %s", status, err, body)
	}
	doc.Find(".paper code").Each(func(_ int, x *goquery.Selection) { codes = append(codes, x.Text()) })
	if len(codes) != 10 {
		t.Fatalf("%d codes on paper", len(codes))
	}
	return secret, codes
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
	everybody := append([]string{dtm.RoleEnumerator, dtm.RolePartner, dtm.RoleAuditor}, staff...)
	for path, may := range map[string][]string{
		"/": everybody, "/submissions/": staff, "/submissions/uuid:1": staff, "/submissions/uuid:1/xml": staff, "/forms/": staff, "/forms/f/paper.pdf": staff,
		"/devices/": staff, "/users/": staff[:1], "/log": {dtm.RoleAdmin, dtm.RoleAuditor},
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
			if status, body := send(t, visitor(t, s, role), s.URL+"/fr/staff"+path, nil); status != want || strings.Contains(body, `type="password"`) {
				t.Errorf("%s for %s: %d, want %d", path, role, status, want)
			}
		}
	}
}

// TestNoted: who takes rows out and who is refused stands in the log, once for the
// same again, and the log shows one kind alone.
func TestNoted(t *testing.T) {
	t.Parallel()
	s, db := office(t)
	manager, partner, admin := visitor(t, s, dtm.RoleManager), visitor(t, s, dtm.RolePartner), visitor(t, s, dtm.RoleAdmin)
	for range 3 {
		if status, _ := send(t, manager, s.URL+"/en/staff/submissions/list.csv?q=somebody&point=obock", nil); status != http.StatusOK {
			t.Fatalf("the list: %d", status)
		}
		if status, _ := send(t, partner, s.URL+"/fr/staff/submissions/?q=somebody", nil); status != http.StatusForbidden {
			t.Fatalf("a partner reads submissions: %d", status)
		}
	}
	if status, _ := send(t, visitor(t, s, ""), s.URL+"/en/staff/submissions/", nil); status != http.StatusOK {
		t.Fatalf("a stranger: %d", status)
	}
	for what, want := range map[string]string{
		"data":   `user:manager@example.org data.exported submissions {"as":"csv","options":["point","q"]}`,
		"access": `user:partner@example.org access.refused submission.read {"role":"partner","route":"GET /fr/staff/submissions/{$}"}`,
	} {
		list, err := db.FindEvents(t.Context(), dtm.EventFilter{Name: what})
		if err != nil || len(list) != 1 {
			t.Fatalf("%s: %+v, %v", what, list, err)
		}
		if e := list[0]; e.Actor+" "+e.Name+" "+e.Subject+" "+e.Detail != want {
			t.Errorf("noted %+v, want %s", e, want)
		}
	}
	_, body := send(t, admin, s.URL+"/en/staff/log?what=data", nil)
	if !strings.Contains(body, "data exported") || strings.Contains(body, "account opened") {
		t.Errorf("the log of exports: %s", body)
	}
	if _, body := send(t, admin, s.URL+"/en/staff/log?what=webhook", nil); !strings.Contains(body, "nothing of this kind") {
		t.Error("an empty log does not say so")
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
	r, err := http.NewRequest("POST", s.URL+"/en/staff/users/", strings.NewReader("email=x%40example.org&role=admin"))
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
	if resp.StatusCode != http.StatusForbidden {
		t.Errorf("another site's page invited a user: %d", resp.StatusCode)
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
