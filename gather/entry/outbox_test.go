package entry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"dtm"
	"dtm/gather/xform"
	"dtm/gather/xlsform"
)

// instance is a record of the registry as it travels.
func (h *house) instance(id, remark string) string {
	return fmt.Sprintf(`<data id="fmr" version="%s"><remarks>%s</remarks><meta><instanceID>%s</instanceID></meta></data>`, h.form.Version, remark, id)
}

// queue puts finished records in the outbox, each with a file, as the page does.
func (p *phone) queue(ids ...string) {
	p.t.Helper()
	for _, id := range ids {
		ask[bool](p, inStore+fmt.Sprintf(`(async () => {
			const f = (await all("form"))[0], now = Date.now();
			await within("file", "readwrite", s => done(s.put({type: "image/jpeg", data: new TextEncoder().encode("photo of " + %[1]q).buffer}, [%[1]q, "p.jpg"])));
			await within("record", "readwrite", s => done(s.put({id: %[1]q, form: f.key, formId: f.id, title: f.title, state: "queued", created: now, changed: now, finished: now, tries: 0, next: 0, error: null,
				name: %[1]q, instance: %[1]q, xml: %[2]q, files: [{name: "p.jpg", type: "image/jpeg", size: 9 + %[1]q.length}]})));
			return true;
		})()`, id, p.h.instance(id, "")))
	}
}

// again makes the page look at its outbox.
func (p *phone) again() {
	p.t.Helper()
	p.do(chromedp.Navigate(p.h.URL + "/entry/#records"))
	p.do(chromedp.Reload())
}

func (p *phone) stateIs(id, state string) {
	p.t.Helper()
	p.until(id+" "+state, fmt.Sprintf(`document.querySelector('[data-id="%s"]')?.dataset.state == %q`, id, state))
}

func isSubmission(r *http.Request) bool {
	return r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/submission")
}

// TestLostAcknowledgement: the server stores a record and the answer is lost; the
// page sends it again, byte for byte, and it is stored once.
func TestLostAcknowledgement(t *testing.T) {
	t.Parallel()
	h := setup(t)
	p := newPhone(t, h)
	p.enrol("en")
	var bodies [][]byte
	var lose atomic.Bool // the browser itself tries again on a connection it had open
	lose.Store(true)
	h.through(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if !isSubmission(r) {
			next.ServeHTTP(w, r)
			return
		}
		b, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(b))
		h.mu.Lock()
		bodies = append(bodies, regexp.MustCompile(`(?s)<data .*</data>`).Find(b))
		h.mu.Unlock()
		if lose.Load() {
			next.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		}
		next.ServeHTTP(w, r)
	})
	p.queue("uuid:lost")
	p.again()
	p.until("the failed try", `document.querySelector("[data-key='retry-uuid:lost']")`)
	if list := h.stored(); len(list) != 1 {
		t.Fatalf("%d records are stored after the lost answer", len(list))
	}
	lose.Store(false)
	p.click(`[data-key='retry-uuid:lost']`)
	p.stateIs("uuid:lost", "received")
	if list := h.stored(); len(list) != 1 || len(list[0].Attachments) != 1 {
		t.Errorf("%d records are stored after the second try: %v", len(list), list)
	}
	if c, err := h.db.Conflicts(t.Context(), "uuid:lost"); err != nil || len(c) > 0 {
		t.Errorf("the second try differed: %v %v", c, err)
	}
	if len(bodies) < 2 || len(slices.CompactFunc(slices.Clone(bodies), bytes.Equal)) != 1 || len(bodies[0]) == 0 {
		t.Errorf("tries sent %q", bodies)
	}
}

// TestLargeRecord: 15 MB travel in two requests with their progress shown; when the
// second is cut, only what was in it is sent again.
func TestLargeRecord(t *testing.T) {
	t.Parallel()
	h := setup(t)
	p := newPhone(t, h)
	p.enrol("en")
	const size = 5_000_000
	ask[bool](p, inStore+fmt.Sprintf(`(async () => {
		const f = (await all("form"))[0], now = Date.now(), files = ["1.jpg", "2.jpg", "3.jpg"].map(name => ({name, type: "image/jpeg", size: %[1]d}));
		for (const [i, x] of files.entries()) await within("file", "readwrite", s => done(s.put({type: x.type, data: new Uint8Array(%[1]d).fill(i + 65).buffer}, ["uuid:large", x.name])));
		await within("record", "readwrite", s => done(s.put({id: "uuid:large", form: f.key, formId: f.id, title: f.title, state: "queued", created: now, changed: now, finished: now, tries: 0, next: 0, error: null,
			name: "large", instance: "uuid:large", xml: %[2]q, files})));
		return true;
	})()`, size, h.instance("uuid:large", "")))
	var requests []string
	held := make(chan struct{})
	h.through(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if !isSubmission(r) {
			next.ServeHTTP(w, r)
			return
		}
		b, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(b))
		var names []string
		for _, m := range regexp.MustCompile(`filename="(\d)\.jpg"|name="(\*isIncomplete\*)"`).FindAllSubmatch(b, -1) {
			names = append(names, string(m[1])+string(m[2]))
		}
		h.mu.Lock()
		requests = append(requests, strings.Join(names, " "))
		n := len(requests)
		h.mu.Unlock()
		if n == 2 {
			<-held
			http.Error(w, "", http.StatusBadGateway)
			return
		}
		next.ServeHTTP(w, r)
	})
	p.again()
	p.until("progress beyond the first request", `document.querySelector("[data-progress]")?.value > 0.6`)
	p.stateIs("uuid:large", "sending")
	close(held)
	// The page tries again by itself, after a pause that a click would shorten.
	p.stateIs("uuid:large", "received")
	if want := []string{"1 2 *isIncomplete*", "3", "3"}; !slices.Equal(requests, want) {
		t.Errorf("requests held %q, want %q", requests, want)
	}
	list := h.stored()
	if len(list) != 1 || len(list[0].Attachments) != 3 {
		t.Fatalf("stored are %v", list)
	}
	for _, a := range list[0].Attachments {
		if a.Size != size {
			t.Errorf("%s has %d bytes", a.Name, a.Size)
		}
	}
}

// TestWithoutTLS: where the address is plain http, as on a field office's own
// network, the page says that it needs the network, and works with it.
func TestWithoutTLS(t *testing.T) {
	t.Parallel()
	h := setup(t)
	p := newPhone(t, h, chromedp.Flag("host-resolver-rules", "MAP dtm.test 127.0.0.1"))
	p.allowed = strings.Replace(h.URL, "127.0.0.1", "dtm.test", 1)
	p.do(chromedp.Navigate(p.allowed + "/entry/#" + h.token))
	p.until("forms", `document.querySelector("[data-key^=start]")`)
	if ask[bool](p, `isSecureContext`) {
		t.Fatal("the address counts as secure: this proves nothing")
	}
	p.until("the warning", `document.body.innerText.includes("cannot work without network")`)
	p.speak("ar")
	p.click(`[data-key^=start]`)
	p.fill(2, photo(t, "p.jpg", 3))
	p.finish()
	p.until("received", `document.querySelector("[data-state=received]")`)
	if list := h.stored(); len(list) != 1 || len(list[0].Attachments) != 1 || !strings.HasPrefix(list[0].DeviceID, "dtm-entry:") {
		t.Errorf("stored are %v", list)
	}
}

// add publishes one more form.
func (h *house) add(name string, source []byte) {
	h.t.Helper()
	f, _, err := xlsform.Read(name, source)
	if err != nil {
		h.t.Fatal(err)
	}
	xml, err := xform.Write(f)
	if err != nil {
		h.t.Fatal(err)
	}
	if err := h.db.Publish(h.t.Context(), dtm.Form{ID: f.ID, Version: f.Version, Title: f.Title, Titles: f.TitleText(), XForm: xml, Source: source, SourceName: name, Published: time.Now()}); err != nil {
		h.t.Fatal(err)
	}
}

// TestPositions: what the form library would draw on a map of others is taken as
// numbers, in the form that phones send.
func TestPositions(t *testing.T) {
	t.Parallel()
	h := setup(t)
	h.add("places.md", []byte(`
| survey |
| | type | name | label::English (en) | label::French (fr) | appearance |
| | geopoint | spot | Spot | Endroit | placement-map |
| | geotrace | road | Road | Route | |
| | geoshape | camp | Camp | Camp | |
| settings |
| | form_id | form_title | version |
| | places | Places | 1 |
`))
	p := newPhone(t, h)
	p.enrol("fr")
	p.click(`[data-key=start-places]`)
	for i, n := range []int{1, 2, 3} { // as few points as make an answer
		for k := range n {
			p.at(12+float64(k)/100, 43+float64(k*k)/100)
			p.click(fmt.Sprintf(`.question-container:nth-child(%d) .position button.main`, i+1))
			p.until("the position", fmt.Sprintf(`!document.querySelector(".question-container:nth-child(%d) .position button.main").disabled`, i+1))
		}
		p.until("as many positions", fmt.Sprintf(`document.querySelectorAll(".question-container:nth-child(%d) .position li").length == %d`, i+1, n))
	}
	p.until("words in French", `document.querySelector(".position").innerText.includes("Précision")`)
	p.finish()
	p.until("received", `document.querySelector("[data-state=received]")`)
	const a, b, c = "12.0 43.0 0.0 6.0", "12.01 43.01 0.0 6.0", "12.02 43.04 0.0 6.0"
	xml := string(h.stored()[0].XML)
	for _, want := range []string{"<spot>" + a + "</spot>", "<road>" + a + ";" + b + "</road>", "<camp>" + a + ";" + b + ";" + c + ";" + a + "</camp>"} {
		if !strings.Contains(xml, want) {
			t.Errorf("%s is not in %s", want, xml)
		}
	}
}

// TestFormsOfTheOperation: each form of the pack opens, in each language.
func TestFormsOfTheOperation(t *testing.T) {
	t.Parallel()
	h := setup(t)
	files, err := filepath.Glob(filepath.Join("..", "..", "operation", "*", "forms", "*.xlsx"))
	if err != nil || len(files) == 0 {
		t.Fatal(err, files)
	}
	for _, f := range files {
		if filepath.Base(f) == "fmr.xlsx" { // there already, with its points
			continue
		}
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		h.add(f, b)
	}
	published, err := h.db.Forms(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	titles := map[string][]string{}
	for _, f := range published {
		for _, l := range []string{"ar", "en", "fr"} {
			titles[l] = append(titles[l], f.Titles[dtm.Lang(l)])
		}
	}
	p := newPhone(t, h)
	p.enrol("en")
	// The list is in each language at once, and without network too.
	listed := func() {
		t.Helper()
		for _, l := range []string{"ar", "fr", "en"} {
			p.speak(l)
			got := strings.Split(ask[string](p, `[...document.querySelectorAll(".cards h2")].map(e => e.textContent).join("\n")`), "\n")
			slices.Sort(got)
			if want := slices.Sorted(slices.Values(titles[l])); !slices.Equal(got, want) {
				t.Errorf("the list in %s: %q, want %q", l, got, want)
			}
		}
	}
	listed()
	p.network(false)
	h.stop()
	p.do(chromedp.Reload())
	p.until("forms", `document.querySelector("[data-key^=start]")`)
	listed()
	h.restart()
	p.network(true)
	links := ask[string](p, `[...document.querySelectorAll("[data-key^=start]")].map(e => e.dataset.key).join(" ")`)
	if n := len(strings.Fields(links)); n != len(files) {
		t.Errorf("%d forms of %d are listed", n, len(files))
	}
	for _, key := range strings.Fields(links) {
		p.click(`[data-key="` + key + `"]`)
		p.until(key, `document.querySelector(".question-container")`)
		for _, l := range []string{"ar", "fr", "en"} {
			p.speak(l)
			if got := ask[string](p, `document.querySelector("h1").textContent`); !slices.Contains(titles[l], got) {
				t.Errorf("%s in %s is called %q", key, l, got)
			}
			if s := ask[string](p, `document.querySelector(".question-container label")?.textContent ?? ""`); l == "ar" && !regexp.MustCompile(`\p{Arabic}`).MatchString(s) {
				t.Errorf("%s asks in Arabic: %q", key, s)
			}
		}
		p.click(`[data-key=back]`)
		p.until("the list", `document.querySelector("[data-key^=start]")`)
	}
}

// TestTwoTabs: two tabs that get their network back at once send each record once.
func TestTwoTabs(t *testing.T) {
	t.Parallel()
	h := setup(t)
	p := newPhone(t, h)
	p.enrol("fr")
	p.network(false)
	h.stop()
	ids := []string{"uuid:a", "uuid:b", "uuid:c", "uuid:d", "uuid:e", "uuid:f"}
	p.queue(ids...)
	p.again()
	ctx, cancel := chromedp.NewContext(p.ctx)
	t.Cleanup(cancel)
	other := &phone{t: t, h: h, ctx: ctx, allowed: h.URL}
	other.do(chromedp.Navigate(h.URL + "/entry/#records"))
	other.until("all waiting", `document.querySelectorAll("[data-state=queued]").length == 6`)
	// Failed often: the next try would be a quarter of an hour away, but for the
	// network that comes back.
	ask[bool](p, inStore+`(async () => {
		for (const r of await all("record")) await within("record", "readwrite", s => done(s.put({...r, tries: 9, next: Date.now() + 900_000})));
		return true;
	})()`)
	h.restart()
	p.network(true)
	ask[bool](other, `dispatchEvent(new Event("online"))`)
	for _, tab := range []*phone{p, other} {
		tab.until("all received", `document.querySelectorAll("[data-state=received]").length == 6`)
	}
	if h.posts != 6 || len(h.stored()) != 6 {
		t.Errorf("6 records took %d requests and are stored as %d", h.posts, len(h.stored()))
	}
}

// TestConflict: the server holds other answers under the number; the person is told
// in the language of the page, can try again, and loses nothing but by deleting.
func TestConflict(t *testing.T) {
	t.Parallel()
	h := setup(t)
	p := newPhone(t, h)
	p.enrol("fr")
	if _, err := h.db.Receive(t.Context(), dtm.Submission{ID: "uuid:same", Form: "fmr", Version: h.form.Version, XML: []byte(h.instance("uuid:same", "other"))}); err != nil {
		t.Fatal(err)
	}
	p.queue("uuid:same", "uuid:fine")
	p.again()
	p.stateIs("uuid:same", "refused")
	p.stateIs("uuid:fine", "received") // one that is refused holds up no other
	said := func() string { return ask[string](p, `document.querySelector("[data-state=refused]").innerText`) }
	if s := said(); !strings.Contains(s, "Un envoi portant le même numéro existe déjà") {
		t.Errorf("the person is told %q", s)
	}
	p.speak("ar")
	if s := said(); !strings.Contains(s, "لدى المكتب إجابات أخرى") {
		t.Errorf("in Arabic the person is told %q", s)
	}
	p.click(`[data-key='delete-uuid:same']`)
	p.click(`dialog button.main`) // the safe answer comes first
	p.until("the question gone", `!document.querySelector("dialog")`)
	p.stateIs("uuid:same", "refused")
	p.click(`[data-key='delete-uuid:same']`)
	p.click(`dialog button.danger`)
	p.until("the record gone", `!document.querySelector("[data-id='uuid:same']")`)
	if n := ask[int](p, inStore+`all("file").then(f => f.length)`); n != 0 {
		t.Errorf("%d files of records that are gone or received are kept", n)
	}
}

// TestRemarks: what the checks found, and photos that are missing, are shown in the
// language of the page, and the photo is sent again.
func TestRemarks(t *testing.T) {
	t.Parallel()
	h := setup(t)
	p := newPhone(t, h)
	p.enrol("en")
	p.queue("uuid:odd")
	p.again()
	p.stateIs("uuid:odd", "received")
	if err := h.db.Flag(t.Context(), "uuid:odd", []dtm.Flag{{Rule: "group.empty", Path: "/data/block/men"}, {Rule: "not.known.yet"}}); err != nil {
		t.Fatal(err)
	}
	p.again()
	p.stateIs("uuid:odd", "remarks")
	for lang, want := range map[string][]string{"en": {"Nobody was counted", "Men", "The office will look"}, "fr": {"Hommes", "Le bureau examinera"}, "ar": {"رجال", "سينظر المكتب"}} {
		p.speak(lang)
		s := ask[string](p, `document.querySelector("[data-state=remarks]").innerText`)
		for _, w := range want {
			if !strings.Contains(s, w) {
				t.Errorf("%s: %q is not in %q", lang, w, s)
			}
		}
	}
}

// TestDevices: a device that is withdrawn keeps its records and says so; with a new
// code they are sent.
func TestDevices(t *testing.T) {
	t.Parallel()
	h := setup(t)
	p := newPhone(t, h)
	p.enrol("en")
	if err := h.db.RevokeDevice(t.Context(), "Obock 1"); err != nil {
		t.Fatal(err)
	}
	p.queue("uuid:kept")
	p.again()
	p.until("the warning", `document.body.innerText.includes("no longer accepts this device")`)
	p.stateIs("uuid:kept", "queued")
	var err error
	if _, h.token, err = h.db.AddDevice(t.Context(), "Obock 2", "obock"); err != nil {
		t.Fatal(err)
	}
	ask[bool](p, `location.hash = "#`+h.token+`", true`)
	p.click(`dialog button.danger`)
	p.until("enrolled", `document.querySelector(".device")?.textContent == "Obock 2"`)
	p.do(chromedp.Navigate(h.URL + "/entry/#records"))
	p.stateIs("uuid:kept", "received")

	// A code that nobody gave out.
	ask[bool](p, `location.hash = "#`+strings.Repeat("x", 64)+`", true`)
	p.click(`dialog button.danger`)
	time.Sleep(300 * time.Millisecond)
	if n := ask[string](p, inStore+`within("setting", "readonly", s => done(s.get("token")))`); n != h.token {
		t.Errorf("an unknown code replaced the good one: %q", n)
	}
}

// TestDraft: what is typed is there again after a reload, with its photo, is the
// same record when it is finished, and is open in one tab only.
func TestDraft(t *testing.T) {
	t.Parallel()
	h := setup(t)
	p := newPhone(t, h)
	p.enrol("ar")
	p.click(`[data-key^=start]`)
	p.fill(9, photo(t, "p.png", 7))
	for end := time.Now().Add(10 * time.Second); !ask[bool](p, inStore+`all("record").then(r => r.length == 1 && r[0].files.length == 1 && r[0].xml.includes("<men>9</men>"))`); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the draft is not kept")
		}
	}
	was := ask[string](p, inStore+`all("record").then(r => /<instanceID>(.*?)<\/instanceID>/.exec(r[0].xml)[1])`)
	p.do(chromedp.Navigate(h.URL + "/entry/#forms"))
	p.do(chromedp.Reload())
	p.click(`[data-key^=open-]`)
	p.until("the draft", `document.querySelector(".preview-captured-image img")`)
	ctx, cancel := chromedp.NewContext(p.ctx)
	t.Cleanup(cancel)
	other := &phone{t: t, h: h, ctx: ctx, allowed: h.URL}
	other.do(chromedp.Navigate(h.URL + "/entry/"))
	other.click(`[data-key^=open-]`)
	other.until("the refusal", `document.querySelector("[role=alert]") && !document.querySelector(".question-container")`)
	cancel()
	p.finish()
	p.until("received", `document.querySelector("[data-state=received]")`)
	list := h.stored()
	if len(list) != 1 || list[0].ID != was || list[0].Deprecates != "" || len(list[0].Attachments) != 1 || !bytes.Contains(list[0].XML, []byte("<men>9</men>")) {
		t.Errorf("stored are %v; the draft was %s", list, was)
	}
}

// TestUpdate: a new version of the page is offered, not forced, and loses neither
// the form that is open nor the queue.
func TestUpdate(t *testing.T) {
	t.Parallel()
	h := setup(t)
	p := newPhone(t, h)
	p.enrol("en")
	var newer atomic.Bool
	h.through(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.URL.Path != "/entry/sw.js" || !newer.Load() {
			if isSubmission(r) {
				http.Error(w, "", http.StatusServiceUnavailable)
				return
			}
			next.ServeHTTP(w, r)
			return
		}
		rec := httptest.NewRecorder()
		next.ServeHTTP(rec, r)
		for k, v := range rec.Header() {
			w.Header()[k] = v
		}
		w.Write(bytes.Replace(rec.Body.Bytes(), []byte(`"version":"`), []byte(`"version":"0`), 1))
	})
	p.queue("uuid:waits")
	p.again()
	p.stateIs("uuid:waits", "queued")
	newer.Store(true)
	p.do(chromedp.Reload())
	p.click(`[data-key=update]`)
	p.until("the new version", `caches.keys && (caches.keys().then(k => window.versions = k.filter(n => n.startsWith("dtm-entry-0")).length), window.versions)`)
	p.stateIs("uuid:waits", "queued")
	p.until("one version kept", `(caches.keys().then(k => window.left = k.length), window.left == 1)`)
	h.through(nil)
	p.click(`[data-key=send]`)
	p.stateIs("uuid:waits", "received")
}

// TestLooks: in each language, on a phone and a desk, axe finds nothing serious in
// any state of the page, and nothing scrolls sideways.
func TestLooks(t *testing.T) {
	axe, err := os.ReadFile(filepath.Join("..", "..", "node_modules", "axe-core", "axe.min.js"))
	needed(t, err == nil, "axe-core is missing: make tools")
	h := setup(t)
	h.add("plain.md", []byte(`
| survey |
| | type | name | label::English (en) | label::French (fr) | label::Arabic (ar) | required |
| | text | word | Word | Mot | كلمة | yes |
| settings |
| | form_id | form_title | version |
| | plain | Plain | 1 |
`))
	p := newPhone(t, h)
	look := func(what string) {
		t.Helper()
		for _, l := range []string{"en", "fr", "ar"} {
			p.speak(l)
			for _, width := range []int64{390, 1280} {
				p.do(chromedp.EmulateViewport(width, 844))
				p.until("the page at rest", `document.getAnimations().every(a => a.playState != "running")`)
				if ask[bool](p, `document.documentElement.scrollWidth > document.documentElement.clientWidth`) {
					t.Errorf("%s in %s at %d px scrolls sideways", what, l, width)
				}
				if want := map[bool]string{true: "rtl", false: "ltr"}[l == "ar"]; ask[string](p, `getComputedStyle(document.querySelector("main")).direction`) != want {
					t.Errorf("%s in %s is not %s", what, l, want)
				}
				if !ask[bool](p, `!!window.axe`) {
					ask[int](p, string(axe)+`;0`)
				}
				var found []struct {
					ID, Impact, Help string
					Nodes            []struct{ HTML string }
				}
				if err := json.Unmarshal([]byte(ask[string](p, `axe.run().then(r => JSON.stringify(r.violations))`)), &found); err != nil {
					t.Fatal(err)
				}
				for _, f := range found {
					if f.Impact == "serious" || f.Impact == "critical" {
						t.Errorf("%s in %s at %d px: axe %s (%s): %s\n%.300s", what, l, width, f.ID, f.Impact, f.Help, f.Nodes[0].HTML)
					}
				}
			}
		}
	}
	p.do(chromedp.Navigate(h.URL + "/entry/"))
	p.until("enrolment", `document.querySelector("#code")`)
	look("enrolment")
	p.enrol("en")
	look("forms")
	p.click(`#nav a:nth-child(2)`)
	p.until("no record", `document.querySelector(".empty")`)
	look("no record")
	h.through(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if isSubmission(r) {
			http.Error(w, "", http.StatusConflict)
			return
		}
		next.ServeHTTP(w, r)
	})
	p.queue("uuid:refused")
	p.again()
	p.stateIs("uuid:refused", "refused")
	look("records")
	fails := func(form string, words map[string]string) {
		p.do(chromedp.Navigate(h.URL + "/entry/#forms"))
		p.click(`[data-key=start-` + form + `]`)
		p.until("form", `document.querySelector(".question-container")`)
		p.click(`.odk-form .footer button`)
		p.until("what is missing", `document.querySelector(".form-error-message")`)
		look(form + " with errors")
		for lang, want := range words {
			p.speak(lang)
			p.until(want, `document.querySelector(".question-container.highlight .validation-message").textContent.trim() == "`+want+`"`)
		}
	}
	fails("fmr", map[string]string{"en": "Choose the point.", "fr": "Choisissez le point.", "ar": "اختر النقطة."}) // the form's own words
	fails("plain", map[string]string{"en": "An answer is needed here.", "fr": "Une réponse est nécessaire ici.", "ar": "الإجابة مطلوبة هنا."})
}

// TestRecordsOfOthers: a device learns of its own records only.
func TestRecordsOfOthers(t *testing.T) {
	t.Parallel()
	h := setup(t)
	ctx := context.Background()
	other, otherToken, err := h.db.AddDevice(ctx, "other", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.db.Receive(ctx, dtm.Submission{ID: "uuid:theirs", Form: "fmr", Version: h.form.Version, Device: other.ID, XML: []byte(h.instance("uuid:theirs", "")), Expected: []string{"p.jpg"}}); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		token, body string
		status      int
		ids         []string
	}{
		"own":          {otherToken, `{"ids":["uuid:theirs","uuid:none"]}`, 200, []string{"uuid:theirs"}},
		"another's":    {h.token, `{"ids":["uuid:theirs"]}`, 200, nil},
		"none":         {h.token, `{}`, 200, nil},
		"unknown":      {strings.Repeat("a", 64), `{"ids":[]}`, 403, nil},
		"no token":     {"", `{"ids":[]}`, 401, nil},
		"no JSON":      {h.token, `ids`, 400, nil},
		"too large":    {h.token, `{"ids":["` + strings.Repeat("x", 70_000) + `"]}`, 413, nil},
		"too many":     {h.token, `{"ids":[` + strings.Repeat(`"x",`, 200) + `"x"]}`, 400, nil},
		"other shapes": {h.token, `{"ids":"x"}`, 400, nil},
	} {
		t.Run(name, func(t *testing.T) {
			r, _ := http.NewRequest("POST", h.URL+"/entry/records", strings.NewReader(c.body))
			if c.token != "" {
				r.Header.Set("Authorization", "Bearer "+c.token)
			}
			resp, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			var got struct {
				Records []struct {
					ID      string
					Missing []string
				}
			}
			if resp.StatusCode != c.status {
				t.Fatalf("status %d", resp.StatusCode)
			}
			if c.status != 200 {
				return
			}
			if err := json.NewDecoder(resp.Body).Decode(&got); err != nil {
				t.Fatal(err)
			}
			var ids []string
			for _, g := range got.Records {
				ids = append(ids, g.ID)
				if !slices.Equal(g.Missing, []string{"p.jpg"}) {
					t.Errorf("%s lacks %v", g.ID, g.Missing)
				}
			}
			if !slices.Equal(ids, c.ids) {
				t.Errorf("told of %v", ids)
			}
		})
	}
}

// TestFirstView: list and outbox come with little; the whole that is kept for work
// without network has a bound; every answer carries the policy.
func TestFirstView(t *testing.T) {
	t.Parallel()
	_, err := os.Stat(filepath.Join("asset", "index.html"))
	needed(t, err == nil, "the page is not built: make assets")
	h := setup(t)
	sizes := map[string]int{}
	fetch := func(url string) {
		if _, seen := sizes[url]; seen {
			return
		}
		r, _ := http.NewRequest("GET", h.URL+url, nil)
		r.Header.Set("Accept-Encoding", "gzip")
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != 200 {
			t.Fatalf("%s: %s %v", url, resp.Status, err)
		}
		sizes[url] = len(b)
		if p := resp.Header.Get("Content-Security-Policy"); !strings.Contains(p, "connect-src 'self';") || strings.Contains(p, "unsafe-eval' ") || strings.Contains(p, "http") {
			t.Errorf("%s: policy %q", url, p)
		}
	}
	page, err := os.ReadFile(filepath.Join("asset", "index.html"))
	if err != nil {
		t.Fatal(err)
	}
	main, first := "", 0
	for _, m := range regexp.MustCompile(`(?:href|src)="(/entry/asset/[^"]+\.(?:js|css))"`).FindAllSubmatch(page, -1) {
		fetch(string(m[1]))
		if strings.HasSuffix(string(m[1]), ".js") {
			main = filepath.Base(string(m[1]))
		}
	}
	script, err := os.ReadFile(filepath.Join("asset", main))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?:from|import)"/?(?:\.|entry/asset)/([^"]+\.js)"`).FindAllSubmatch(script, -1) {
		fetch("/entry/asset/" + string(m[1]))
	}
	for _, n := range sizes {
		first += n
	}
	worker, err := os.ReadFile(filepath.Join("asset", "sw.js"))
	if err != nil {
		t.Fatal(err)
	}
	var shell struct{ Files []string }
	if err := json.Unmarshal([]byte(regexp.MustCompile(`\{"version.*?\]\}`).FindString(string(worker))), &shell); err != nil {
		t.Fatal(err)
	}
	for _, f := range shell.Files {
		fetch(f)
	}
	whole := 0
	for _, n := range sizes {
		whole += n
	}
	t.Logf("first view %d bytes of script and style, the whole %d in %d files", first, whole, len(sizes))
	if first > 40_000 || first < 5_000 || whole > 850_000 {
		t.Errorf("first view %d bytes of script and style, the whole %d", first, whole)
	}
}
