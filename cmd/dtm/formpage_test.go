package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"image/png"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"dtm/internal/collect"
)

// desk is a browser of the staff, signed in as the administrator.
type desk struct {
	t    *testing.T
	ctx  context.Context
	base string
}

func newDesk(t *testing.T, base string) *desk {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser(t))
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 3*time.Minute)
	t.Cleanup(cancel)
	d := &desk{t, ctx, base}
	d.do(chromedp.EmulateViewport(390, 844))
	d.open("/en/staff/signin")
	d.do(chromedp.SetValue("input[name=email]", "admin@example.org"), chromedp.SetValue("input[name=password]", "a sentence of five words"))
	d.press(".fields button")
	d.until("signed in", `document.querySelector("form.out")`)
	return d
}

func (d *desk) do(a ...chromedp.Action[chromedp.Void]) {
	d.t.Helper()
	if err := chromedp.Do(d.ctx, a...); err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) open(path string) {
	d.t.Helper()
	d.do(chromedp.Navigate(d.base + path))
}

func (d *desk) ask(expression string) string {
	d.t.Helper()
	v, err := chromedp.Run(d.ctx, chromedp.Evaluate[string](expression, func(p *runtime.EvaluateParams) {
		yes := true
		p.AwaitPromise = &yes
	}))
	if err != nil {
		d.t.Fatalf("%v\n%.300s", err, expression)
	}
	return v
}

// until waits for an expression to be true.
func (d *desk) until(what, expression string) {
	d.t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		v, err := chromedp.Run(d.ctx, chromedp.Evaluate[string](`String(!!(`+expression+`))`))
		if err == nil && v == "true" { // while a page is left there is none to ask
			return
		}
		if time.Now().After(end) {
			d.t.Fatalf("%s: still not after a minute (%v); the page says:\n%s", what, err, d.ask(`document.body.innerText`))
		}
	}
}

// press clicks what sends a form and waits for another page.
func (d *desk) press(selector string) {
	d.t.Helper()
	d.ask(`document.documentElement.dataset.old = "yes"`)
	d.do(chromedp.Click(selector))
	d.until("another page", `!document.documentElement.dataset.old && document.readyState == "complete"`)
}

func (d *desk) choose(file string) {
	d.t.Helper()
	d.do(chromedp.SetUploadFiles("input[name=form]", []string{file}, chromedp.NodeReady))
}

func (d *desk) says(words ...string) {
	d.t.Helper()
	text := strings.ReplaceAll(d.ask(`document.querySelector("main").innerText`), "\u202f", " ")
	for _, w := range words {
		if !strings.Contains(text, w) {
			d.t.Errorf("the page does not say %q:\n%s", w, text)
		}
	}
}

// scan reads a code from the screen as a phone's camera would: from its picture.
func (d *desk) scan(selector string) string {
	d.t.Helper()
	src := d.ask(`document.querySelector("` + selector + `").src`)
	raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(src, "data:image/png;base64,"))
	if err != nil {
		d.t.Fatal(err)
	}
	picture, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		d.t.Fatal(err)
	}
	m, err := gozxing.NewBinaryBitmapFromImage(picture)
	if err != nil {
		d.t.Fatal(err)
	}
	// A picture, no photograph: searched for as in one, some codes are not found.
	r, err := qrcode.NewQRCodeReader().Decode(m, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_PURE_BARCODE: true})
	if err != nil {
		d.t.Fatalf("the code cannot be read: %v", err)
	}
	return r.GetText()
}

// server is the address that a scanned code sets, after the code was held against
// Collect's schema.
func (d *desk) server(code string) string {
	d.t.Helper()
	text, err := collect.Unpack(code)
	if err != nil {
		d.t.Fatalf("%v in %.80s", err, code)
	}
	if f := collect.Faults(text); len(f) > 0 {
		d.t.Errorf("Collect would not take the code: %v", f)
	}
	var s struct {
		General struct {
			ServerURL string `json:"server_url"`
		}
	}
	if err := json.Unmarshal(text, &s); err != nil {
		d.t.Fatal(err)
	}
	return s.General.ServerURL
}

// sound holds the page against axe and looks whether it scrolls sideways, on a phone
// and a desk.
func (d *desk) sound(what string) {
	d.t.Helper()
	axe, err := os.ReadFile(filepath.Join("..", "..", "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		d.t.Fatal("axe-core is missing: make tools")
	}
	for _, width := range []int64{1280, 390} {
		d.do(chromedp.EmulateViewport(width, 844))
		if s := d.ask(`String(document.documentElement.scrollWidth - document.documentElement.clientWidth)`); s != "0" {
			d.t.Errorf("%s at %d px scrolls sideways by %s", what, width, s)
		}
		d.ask(string(axe) + `;""`)
		if s := d.ask(`axe.run().then(r => r.violations.filter(v => v.impact == "serious" || v.impact == "critical").map(v => v.id + ": " + v.nodes[0].html).join("\n"))`); s != "" {
			d.t.Errorf("%s at %d px: %s", what, width, s)
		}
	}
}

// TestFormPage: in a browser, a workbook with faults names their cells before anything is
// sent; a good one is saved, scanned, tried by a phone and in the browser, published
// and closed.
func TestFormPage(t *testing.T) {
	t.Parallel()
	base, dir := operated(t)
	file := func(name string, version string, first []string) string {
		at := filepath.Join(dir, name)
		workbook(t, at, map[string][][]string{"survey": {{"type", "name", "label::English (en)", "label::French (fr)", "relevant", "constraint"}, first, {"text", "remark", "Remark", "Remarque", ""}},
			"settings": {{"form_id", "form_title", "version"}, {"site", "Site visit", version}}})
		return at
	}
	good := file("good.xlsx", "1", []string{"integer", "people", "How many people?", "Combien de personnes ?", "", ". < 10"})
	bad := file("bad.xlsx", "1", []string{"intger", "two words", "How many?", "Combien ?", "${nothing} = 1"})
	d := newDesk(t, base)

	d.open("/fr/staff/forms/")
	d.choose(bad) // nothing is pressed
	d.until("faults while the file is chosen", `document.querySelector("#live .cells")`)
	d.says("survey!A2", "survey!B2", "survey!E2", "n’est pas")
	d.sound("faults while a file is chosen")
	d.press("main .fields button")
	d.says("survey!A2", "survey!B2", "survey!E2")
	d.choose(good)
	d.until("no fault", `document.querySelector("#live .good")`)
	d.press("main .fields button")
	d.says("Site visit", "non publié", "Le brouillon est enregistré")

	// A phone that scans the code gets the draft alone, and what it sends is no record.
	at := d.server(d.scan("#try .code"))
	p := phone{t, at}
	list := p.get(at + "/formList")
	if got := regexp.MustCompile(`<formID>(.*?)</formID>`).FindAllStringSubmatch(list, -1); len(got) != 1 || got[0][1] != "site" {
		t.Fatalf("the phone's list:\n%s", list)
	}
	if code, body := p.send(`<data id="site" version="1"><people>12</people><remark>from the phone</remark><meta><instanceID>uuid:phone</instanceID></meta></data>`, nil); code != http.StatusCreated {
		t.Fatalf("sent: %d %s", code, body)
	}
	form := d.ask(`location.pathname`)
	d.open(form)
	d.says("Fiches d’essai : 1")
	d.ask(`document.querySelector("details.trial").open = true; ""`)
	d.says("Combien de personnes ?", "12", "from the phone", "remarques : 1") // 12 is not < 10
	d.sound("a form with a draft")

	// So does the browser's form.
	if _, err := os.Stat(filepath.Join("..", "..", "gather", "entry", "asset", "try.html")); err != nil {
		t.Fatal("the page that tries a draft is not built: make assets")
	}
	try := d.ask(`document.querySelector("#try a.button").href`)
	d.do(chromedp.Navigate(try))
	d.until("the form", `document.querySelector(".question-container input")`)
	d.ask(`(i => { i.focus(); i.select(); })(document.querySelector(".question-container input")); ""`)
	d.do(chromedp.KeyEvent("7"))
	d.until("the number", `document.querySelector(".question-container input").value == "7"`)
	d.ask(`document.querySelector(".odk-form .footer button").click(); ""`)
	d.until("sent", `document.querySelector("[data-key=sent]")`)
	d.open(form)
	d.says("Fiches d’essai : 2")

	d.press("#publish .go button")
	d.says("Le formulaire est publié", "ouvert")
	for what, address := range map[string]string{"the phone's code": at + "/formList", "the browser's": strings.Replace(at, "/v1/test/", "/v1/key/", 1) + "/formList"} {
		if code, _, _ := p.do("GET", address, nil, ""); code < 400 || code >= 500 {
			t.Errorf("%s of what is published: %d", what, code)
		}
	}
	d.open("/fr/staff/submissions/?form=site")
	if text := d.ask(`document.querySelector("main").innerText`); strings.Contains(text, "uuid:phone") {
		t.Error("a test record is among the records")
	}

	// A next version is compared and published; the form is closed.
	d.open(form)
	d.choose(file("next.xlsx", "2", []string{"integer", "people", "How many people are there?", "Combien de personnes ?", ""}))
	d.until("no fault", `document.querySelector("#live .good")`)
	d.press("#send .fields button")
	d.press(`#draft a[href*="diff"]`)
	d.says("How many people?", "How many people are there?", "English (en)")
	d.sound("a comparison")
	d.open(form + "questions?draft=yes")
	d.says("Combien de personnes ?", "nombre entier")
	d.open(form)
	d.press("#publish .go button")
	d.ask(`[...document.querySelectorAll("#state details")].find(e => e.querySelector("[value=closed]")).open = true; ""`)
	d.press(`#state form:has([value=closed]) button`)
	d.says("Le formulaire est fermé")
	d.sound("a form with versions")
	token := devicesToken(t, dir)
	if code, body := (phone{t, base + "/v1/key/" + token + "/projects/1"}).send(`<data id="site" version="2"><people>1</people><meta><instanceID>uuid:late</instanceID></meta></data>`, nil); code != http.StatusConflict {
		t.Errorf("sent to a closed form: %d %s", code, body)
	}
}

// devicesToken adds a device by the command line.
func devicesToken(t *testing.T, dir string) string {
	t.Helper()
	out := dtmRun(t, "device", "add", "-data", filepath.Join(dir, "data"), "-name", "late")
	return regexp.MustCompile(`/v1/key/([^/]+)/`).FindStringSubmatch(out)[1]
}

// TestDevicePage: a device is added in a browser without script, its codes are scanned
// from the sheet, which is one page on A4 and on A6; it is heard, moved and shut out.
func TestDevicePage(t *testing.T) {
	t.Parallel()
	base, _ := operated(t)
	d := newDesk(t, base)
	off := func(yes bool) chromedp.Action[chromedp.Void] {
		return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			_, err := cdp.Call(ctx, t, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: yes})
			return err
		})
	}
	d.do(off(true))
	d.open("/fr/staff/devices/")
	d.says("Aucun appareil")
	d.do(chromedp.SetValue("input[name=name]", "Obock-1"), chromedp.SetValue("select[name=point]", "obock"), chromedp.SetValue("select[name=lang]", "ar"))
	d.press("main .fields button")
	d.do(off(false))
	d.says("Obock-1", "For the enumerator", "Pour l’enquêteur", "لجامع البيانات")
	at := d.server(d.scan(".sheet .code"))
	entry := d.scan(".sheet .code.small")
	if token := regexp.MustCompile(`/v1/key/([^/]+)/`).FindStringSubmatch(at); token == nil || entry != base+"/entry/#"+token[1] {
		t.Errorf("the codes lead to %s and %s", at, entry)
	}
	d.sound("the sheet")
	plain := strings.NewReplacer("\n", "", "-", "") // a line that ends in a hyphen is taken for a word cut in two
	for name, size := range map[string][2]float64{"A4": {8.27, 11.69}, "A6": {4.13, 5.83}} {
		var pdf []byte
		d.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			r, err := cdp.Call(ctx, t, page.PrintToPDF, page.PrintToPDFParams{PaperWidth: size[0], PaperHeight: size[1]})
			pdf = r.Data
			return err
		}))
		file := filepath.Join(t.TempDir(), name+".pdf")
		if err := os.WriteFile(file, pdf, 0o600); err != nil {
			t.Fatal(err)
		}
		info, err := exec.Command("pdfinfo", file).Output()
		if err != nil || !regexp.MustCompile(`Pages:\s+1\n`).Match(info) {
			t.Errorf("%s: %v\n%s", name, err, info)
		}
		text, err := exec.Command("pdftotext", file, "-").Output()
		if err != nil || !strings.Contains(plain.Replace(string(text)), plain.Replace(at)) || bytes.Contains(text, []byte("admin@example.org")) {
			t.Errorf("%s: the address is missing or more than the sheet is printed: %v\n%s", name, err, text)
		}
	}

	// The phone calls, and says with what.
	r, err := http.NewRequest("GET", at+"/formList", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("User-Agent", "org.odk.collect.android/v2025.2.3 Dalvik/2.1.0 (Linux; U; Android 12)")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("the phone's list: %s", resp.Status)
	}
	d.open("/en/staff/devices/")
	d.press(".rows .who")
	device := d.ask(`location.pathname`)
	for end := time.Now().Add(time.Minute); !strings.Contains(d.ask(`document.body.innerText`), "ODK Collect v2025.2.3") && time.Now().Before(end); {
		d.open(device)
	}
	d.says("ODK Collect v2025.2.3", "Obock", "just now")
	d.do(chromedp.SetValue("select[name=point]", "galafi"))
	d.press("form[action$=move] button")
	d.says("The device is moved", "Galafi", "Obock")
	d.sound("a device")
	d.ask(`document.querySelector("details.act").open = true; ""`)
	d.do(chromedp.SetValue("input[name=reason]", "lost"))
	d.press("form[action$=revoke] button")
	d.says("shut out", "lost")
	resp, err = http.Get(at + "/formList")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusForbidden {
		t.Errorf("shut out, it is answered %s", resp.Status)
	}
	d.open("/en/staff/log")
	text := d.ask(`document.querySelector("main").innerText`)
	for _, want := range []string{"device admitted", "device moved", "device shut out"} {
		if !slices.Contains(strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\t' }), want) {
			t.Errorf("the log does not say %q", want)
		}
	}
}
