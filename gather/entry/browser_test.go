package entry_test

import (
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// needed skips a test whose tool is absent, but never in CI.
func needed(t *testing.T, ok bool, what string) {
	t.Helper()
	if ok {
		return
	}
	if os.Getenv("CI") != "" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// phone is a browser with a profile on disk, which outlives it.
type phone struct {
	t       *testing.T
	h       *house
	profile string
	ctx     context.Context
	allowed string // origin of the house
	flags   []chromedp.ExecAllocatorOption
}

func newPhone(t *testing.T, h *house, flags ...chromedp.ExecAllocatorOption) *phone {
	t.Helper()
	_, err := os.Stat(filepath.Join("asset", "index.html"))
	needed(t, err == nil, "the page is not built: make assets")
	p := &phone{t: t, h: h, profile: t.TempDir(), allowed: h.URL, flags: flags}
	p.open()
	return p
}

// open starts the browser with what the profile holds.
func (p *phone) open() {
	p.t.Helper()
	path, err := exec.LookPath("chromium")
	needed(p.t, err == nil, "Debian's package chromium is missing: make tools")
	o := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.UserDataDir(p.profile))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), append(o, p.flags...)...)
	p.t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx, chromedp.WithListener(p.heard))
	p.t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 90*time.Second)
	p.t.Cleanup(cancel)
	p.ctx = ctx
	p.do(chromedp.EmulateViewport(390, 844), call(network.Enable, network.EnableParams{}))
	p.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, browser.SetPermission, browser.SetPermissionParams{Permission: &browser.PermissionDescriptor{Name: "geolocation"}, Setting: "granted"})
		return err
	}))
	p.at(11.9636, 43.2885)
}

// at puts the phone somewhere, known to 6 m.
func (p *phone) at(lat, lon float64) {
	p.t.Helper()
	accuracy := 6.0
	p.do(call(emulation.SetGeolocationOverride, emulation.SetGeolocationOverrideParams{Latitude: &lat, Longitude: &lon, Accuracy: &accuracy}))
}

// heard fails the test for an address of another host, and for what goes wrong in
// the page's own program.
func (p *phone) heard(ev any) {
	switch e := ev.(type) {
	case *network.EventRequestWillBeSent:
		u := e.Request.URL
		if !strings.HasPrefix(u, p.allowed+"/") && !strings.HasPrefix(u, "blob:") && !strings.HasPrefix(u, "data:") && u != "about:blank" {
			p.t.Errorf("the page asked another host: %s", u)
		}
	case *runtime.EventExceptionThrown:
		p.t.Errorf("the page's program failed: %s %s", e.ExceptionDetails.Text, e.ExceptionDetails.Exception.Description)
	}
}

// shut ends the browser as its owner would.
func (p *phone) shut() {
	p.t.Helper()
	if err := chromedp.Cancel(p.ctx); err != nil {
		p.t.Fatal(err)
	}
}

func (p *phone) do(a ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, a...); err != nil {
		p.t.Fatal(err)
	}
}

func call[P, R any](c cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, c, params)
		return err
	})
}

// network cuts or mends the connection of the device.
func (p *phone) network(on bool) {
	p.t.Helper()
	conditions := []*network.Conditions{}
	if !on {
		conditions = append(conditions, &network.Conditions{Offline: true, DownloadThroughput: -1, UploadThroughput: -1})
	}
	off := !on
	p.do(call(network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{EmulateOfflineServiceWorker: &off, MatchedNetworkConditions: conditions}),
		call(network.OverrideNetworkState, network.OverrideNetworkStateParams{Offline: !on, DownloadThroughput: -1, UploadThroughput: -1}))
}

// ask evaluates an expression on the page, a promise's value included.
func ask[T any](p *phone, expression string) T {
	p.t.Helper()
	v, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](expression, func(e *runtime.EvaluateParams) {
		yes := true
		e.AwaitPromise = &yes
	}))
	if err != nil {
		p.t.Fatalf("%v\n%.400s", err, expression)
	}
	return v
}

// patience is long because the machine may be busy with other tests.
const patience = time.Minute

// until waits for an expression to be true.
func (p *phone) until(what, expression string) {
	p.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		if ask[bool](p, "!!("+expression+")") {
			return
		}
		if time.Now().After(end) {
			p.t.Fatalf("%s: still not after %v; the page says:\n%s", what, patience, ask[string](p, `document.body.innerText`))
		}
	}
}

// click waits until the element is there to be clicked, and clicks it where it is: what
// lies over it would get the click, as it would of a finger.
func (p *phone) click(selector string) {
	p.t.Helper()
	p.until("a way to click "+selector, `(() => {
		const e = document.querySelector(`+"`"+selector+"`"+`);
		e?.scrollIntoView({block: "center"});
		const r = e?.getBoundingClientRect(), hit = r && document.elementFromPoint(r.left + r.width / 2, r.top + r.height / 2);
		if (!hit || hit != e && !e.contains(hit)) return false;
		hit.dispatchEvent(new MouseEvent("mousedown", {bubbles: true}));
		hit.click();
		return true;
	})()`)
}

// enrol opens the link that the office gives, and waits until all is on the device.
func (p *phone) enrol(lang string) {
	p.t.Helper()
	p.do(chromedp.Navigate(p.h.URL + "/entry/#" + p.h.token))
	p.until("forms", `document.querySelector("[data-key^=start]")`)
	p.until("worker", `navigator.serviceWorker.controller`)
	if at := ask[string](p, `location.href`); strings.Contains(at, p.h.token) {
		p.t.Errorf("the code stays in the address: %s", at)
	}
	p.speak(lang)
}

func (p *phone) speak(lang string) {
	p.t.Helper()
	p.click(`[data-key=lang-` + lang + `]`)
	p.until("language", `document.documentElement.lang == "`+lang+`" && document.querySelector("#main").lang == "`+lang+`"`)
}

// help is what tests do in a form as a person would, by what is written there.
const help = `
	const wait = async (f, what) => { for (let i = 0; i < 400; i++) { const v = f(); if (v) return v; await new Promise(r => setTimeout(r, 25)); } throw new Error("no " + what + " in: " + document.body.innerText.slice(0, 2000)); };
	const question = label => wait(() => [...document.querySelectorAll(".question-container")].find(e => e.querySelector(".control-text")?.textContent.trim().startsWith(label)), label);
	const choose = async (label, option) => { const q = await question(label); (await wait(() => [...q.querySelectorAll(".value-option")].find(e => e.textContent.trim() == option), option)).querySelector("input").click(); };
	const pick = async (label, option) => { (await question(label)).querySelector("[role=combobox]").click();
		(await wait(() => [...document.querySelectorAll("[role=option]")].find(e => e.textContent.trim().startsWith(option)), option)).dispatchEvent(new MouseEvent("mousedown", {bubbles: true}));
		await wait(() => !document.querySelector("[role=option]"), "end of choosing"); };
	const number = async (label, n) => { const i = (await question(label)).querySelector("input"); i.focus(); i.select(); return i.id; };
`

// fill answers the registry in Arabic: men, and a photo.
func (p *phone) fill(men int, photo string) {
	p.t.Helper()
	p.until("form", `document.querySelector(".question-container")`)
	id := ask[string](p, `(async () => {`+help+`
		await pick("نقطة رصد التدفق", "Obock");
		await choose("كيف عرفت ذلك؟", "ملاحظة مباشرة");
		await choose("الاتجاه عند النقطة", "مغادرون");
		await choose("نوع التدفق", "نحو شبه الجزيرة العربية");
		await pick("البلد التالي", "اليمن");
		await choose("لماذا يتنقلون؟", "أسباب اقتصادية");
		return number("رجال");
	})()`)
	p.do(chromedp.KeyEvent(fmt.Sprint(men)))
	p.until("number", fmt.Sprintf(`document.getElementById(%q).value == "%d"`, id, men))
	p.do(chromedp.SetUploadFiles(`.choose-image-button + input[type=file]`, []string{photo}, chromedp.NodeReady))
	p.until("photo", `document.querySelector(".preview-captured-image img")`)
}

func (p *phone) finish() {
	p.t.Helper()
	p.click(`.odk-form .footer button`)
	p.until("outbox", `location.hash == "#records" && document.querySelector(".done")`)
}

// photo makes a picture that is like no other.
func photo(t *testing.T, name string, shade uint8) string {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, 640, 480))
	for y := range 480 {
		for x := range 640 {
			m.Set(x, y, color.RGBA{uint8(x) ^ shade, uint8(y), shade, 255})
		}
	}
	f, err := os.Create(filepath.Join(t.TempDir(), name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := jpeg.Encode(f, m, nil); err != nil {
		t.Fatal(err)
	}
	return f.Name()
}

// kept are the addresses, as in the blob store, of the files of all records on the
// device.
func (p *phone) kept() []string {
	p.t.Helper()
	raw := ask[string](p, inStore+`(async () => {
		const out = [];
		for (const f of await all("file")) out.push("sha256:" + [...new Uint8Array(await crypto.subtle.digest("SHA-256", f.data))].map(b => b.toString(16).padStart(2, "0")).join(""));
		return JSON.stringify(out);
	})()`)
	var out []string
	if err := json.Unmarshal([]byte(raw), &out); err != nil {
		p.t.Fatal(err)
	}
	return out
}

// inStore reads and writes what the page keeps.
const inStore = `
	var done = r => new Promise((ok, no) => { r.onsuccess = () => ok(r.result); r.onerror = () => no(r.error); });
	var within = async (store, mode, fn) => { const db = await done(indexedDB.open("dtm-entry")); try { return await fn(db.transaction(store, mode).objectStore(store)); } finally { db.close(); } };
	var all = store => within(store, "readonly", s => done(s.getAll()));
`
