package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"dtm"
	"dtm/demo"
)

// seat is a browser of its own at the pages of the staff.
type seat struct {
	t    *testing.T
	ctx  context.Context
	base string
}

// seated opens a browser and signs in to the demo.
func seated(t *testing.T, base, email string) seat {
	t.Helper()
	return seatedBy(t, base, email, "a sentence of five words")
}

// seatedBy opens a browser and signs in.
func seatedBy(t *testing.T, base, email, password string) seat {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser(t))
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, time.Minute)
	t.Cleanup(cancel)
	s := seat{t, ctx, base}
	s.do(chromedp.EmulateViewport(1280, 900), chromedp.Navigate(base+"/en/staff/signin"), chromedp.SendKeys("input[name=email]", email),
		chromedp.SendKeys("input[name=password]", password+kb.Enter), chromedp.WaitReady(".out button"))
	return s
}

func (s seat) do(actions ...chromedp.Action[chromedp.Void]) {
	s.t.Helper()
	if err := chromedp.Do(s.ctx, actions...); err != nil {
		s.t.Fatal(err)
	}
}

func ask[T any](s seat, expression string) T {
	s.t.Helper()
	v, err := chromedp.Run(s.ctx, chromedp.Evaluate[T](expression, func(p *runtime.EvaluateParams) {
		yes := true
		p.AwaitPromise = &yes
	}))
	if err != nil {
		s.t.Fatal(err)
	}
	return v
}

func (s seat) text(selector string) string {
	s.t.Helper()
	return ask[string](s, fmt.Sprintf(`[...document.querySelectorAll(%q)].map(e => e.innerText).join("\n")`, selector))
}

// looks holds a page against what every page of ours keeps, and writes pictures of it
// where DTM_PICTURES says.
func (s seat) looks(name, path string) {
	s.t.Helper()
	for _, l := range []string{"en", "fr"} {
		for _, width := range []int64{390, 1280} {
			s.do(chromedp.EmulateViewport(width, 900), chromedp.Navigate(s.base+"/"+l+path))
			s.sound(fmt.Sprintf("%s in %s at %d px", path, l, width))
			s.picture(fmt.Sprintf("%s-%s-%d", name, l, width))
		}
	}
	s.do(chromedp.EmulateViewport(1280, 900))
}

// sound holds the page that is open against axe and its own width.
func (s seat) sound(where string) {
	s.t.Helper()
	axe, err := os.ReadFile(filepath.Join("..", "..", "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		s.t.Fatal(err)
	}
	if wide := ask[int](s, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); wide > 0 {
		s.t.Errorf("%s scrolls sideways by %d px", where, wide)
	}
	ask[int](s, string(axe)+`;0`)
	var found []struct {
		ID, Impact, Help string
		Nodes            []struct{ HTML string }
	}
	if err := json.Unmarshal([]byte(ask[string](s, `axe.run().then(r => JSON.stringify(r.violations))`)), &found); err != nil {
		s.t.Fatal(err)
	}
	for _, f := range found {
		if f.Impact == "serious" || f.Impact == "critical" {
			s.t.Errorf("%s: axe %s: %s\n%.300s", where, f.ID, f.Help, f.Nodes[0].HTML)
		}
	}
}

func (s seat) picture(name string) {
	s.t.Helper()
	dir := os.Getenv("DTM_PICTURES")
	if dir == "" {
		return
	}
	b, err := chromedp.Run(s.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), b, 0o644); err != nil {
		s.t.Fatal(err)
	}
}

// recent sends the demo's groups of yesterday by two devices more.
func recent(t *testing.T, data string) {
	t.Helper()
	h, done, err := (&call{env: testEnv, dir: t.TempDir()}).open(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	form, err := h.forms.form(t.Context(), "fmr", "")
	if err != nil {
		t.Fatal(err)
	}
	var phones []dtm.Device
	for _, name := range []string{"dikhil-1", "yoboki-1"} {
		d, _, err := h.db.AddDevice(t.Context(), name, strings.TrimSuffix(name, "-1"))
		if err != nil {
			t.Fatal(err)
		}
		phones = append(phones, d)
	}
	day := h.today().AddDate(0, 0, -1)
	for i, x := range demo.Day(h.op, form, day, day, 9) {
		if _, err := h.db.Receive(t.Context(), dtm.Submission{ID: x.ID, Form: form.ID, Version: form.Version, Device: phones[i%2].ID, Received: x.At, XML: x.XML}); err != nil {
			t.Fatal(err)
		}
	}
}

// TestTwoCorrectOne: two people have one record open and correct it. One wins; the
// other sees the difference with what they typed, may save it upon the other's, and
// the log tells both.
func TestTwoCorrectOne(t *testing.T) {
	t.Parallel()
	data, ids := reviewed(t)
	dir := t.TempDir()
	password := filepath.Join(dir, "password")
	if err := os.WriteFile(password, []byte("a sentence of five words\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for email, role := range map[string]string{"amina@example.org": dtm.RoleManager, "hassan@example.org": dtm.RoleSupervisor, "boss@example.org": dtm.RoleAdmin} {
		dtmRun(t, "user", "add", "-data", data, "-email", email, "-role", role, "-password-file", password)
	}
	dtmRun(t, "review", "correct", "-data", data, "-why", "spoilt for the test", ids[1], "/data/block[1]/men=900")
	recent(t, data)
	base, stop := serving(t, data)
	amina, hassan := seated(t, base, "amina@example.org"), seated(t, base, "hassan@example.org")
	at := "/en/staff/review/" + ids[0]
	for _, s := range []seat{amina, hassan} {
		s.do(chromedp.Navigate(base+at), chromedp.WaitVisible("#correct"))
	}
	men := `input[name="f:/data/block[1]/men"]`
	correct := func(s seat, selector, value, why string) {
		t.Helper()
		s.do(chromedp.SetValue(selector, value), chromedp.SetValue("#correct input[name=why]", why), chromedp.Click("#correct button"))
	}
	correct(amina, men, "83", "counted again from the list")
	amina.do(chromedp.WaitVisible(".done[role=status]"))
	correct(hassan, men, "77", "the driver said seventy-seven")
	hassan.do(chromedp.WaitVisible("#other"))
	seen := hassan.text("section.remarks")
	for _, want := range []string{"amina@example.org", "counted again from the list", "83", "77"} {
		if !strings.Contains(seen, want) {
			t.Errorf("the second does not see %q:\n%s", want, seen)
		}
	}
	if got := ask[string](hassan, fmt.Sprintf(`document.querySelector(%q).value`, men)); got != "77" {
		t.Errorf("what the second typed is gone: %q", got)
	}
	hassan.picture("conflict-en-1280")
	hassan.do(chromedp.EmulateViewport(390, 900))
	hassan.picture("conflict-en-390")
	if got := amina.text(".story"); strings.Contains(got, "77") {
		t.Errorf("the first was overwritten: %s", got)
	}
	// Upon the other's: now it is taken.
	hassan.do(chromedp.SetValue("#correct input[name=why]", "seventy-seven, amina agrees"), chromedp.Click("#correct button"), chromedp.WaitVisible(".done[role=status]"))
	story := hassan.text(".story")
	for _, want := range []string{"Correction 1", "Correction 2", "refused", "the driver said seventy-seven", "seventy-seven, amina agrees"} {
		if !strings.Contains(story, want) {
			t.Errorf("the story does not tell %q:\n%s", want, story)
		}
	}
	boss := seated(t, base, "boss@example.org")
	boss.do(chromedp.Navigate(base + "/en/staff/log"))
	log := boss.text("main")
	for _, want := range []string{"correction refused: another came before it", "submission corrected", "amina@example.org", "hassan@example.org"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log does not tell %q:\n%s", want, log)
		}
	}
	amina.looks("record", "/staff/review/"+ids[0])

	// The queue by keys: the spoilt record is dismissed, and that is taken back.
	amina.do(chromedp.Navigate(base+"/en/staff/review/?rule=group.large"), chromedp.WaitVisible("#queue .pick"))
	amina.do(chromedp.KeyEvent("j"), chromedp.KeyEvent("d"), chromedp.WaitVisible("#undo"))
	if got := amina.text(".done"); !strings.Contains(got, "Decided: 1 flag.") {
		t.Errorf("after the key: %s", got)
	}
	amina.do(chromedp.KeyEvent("u"))
	amina.do(chromedp.WaitVisible(".pick"))
	if got := amina.text(".done"); !strings.Contains(got, "Taken back: 1") {
		t.Errorf("after undoing: %s", got)
	}
	amina.looks("queue", "/staff/review/")
	amina.looks("rules", "/staff/rules/")
	amina.looks("enumerators", "/staff/enumerators/")
	amina.do(chromedp.Navigate(base + "/en/staff/enumerators/"))
	if got := amina.text(".team"); !strings.Contains(got, "dikhil-1") || !strings.Contains(got, "Middle of the team") || !strings.Contains(got, "min") || !strings.Contains(got, "100%") {
		t.Errorf("figures of the team: %s", got)
	}
	// Rejecting asks for the reason; with one the record leaves the figures.
	amina.do(chromedp.Navigate(base+"/en/staff/review/?rule=group.large"), chromedp.Click(".tick input"), chromedp.Click("button[value=rejected]"))
	amina.do(chromedp.WaitVisible(".fault"))
	amina.do(chromedp.Click(".tick input"), chromedp.SetValue("#queue input[name=why]", "spoilt for the test"), chromedp.Click("button[value=rejected]"), chromedp.WaitVisible("#undo"))
	stop()
	if out := dtmRun(t, "review", "show", "-data", data, ids[1]); !strings.Contains(out, "rejected") {
		t.Errorf("rejected on the page: %s", out)
	}
	dtmRun(t, "check", "-data", data)
}
