package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"dtm"
)

// clinical is a word of a case note: it must stay with the desk that wrote it.
const clinical = "fracture of the tibia"

// TestOfflineToOutcome is the way of a referral in a real browser: a screening form filled
// in without network for a child at risk and for somebody who is ill; both reach their
// desks; one is accepted, one rejected for a coded reason and redirected; what became of
// them comes back to the phone without a clinical word; clocks and figures are those of a
// day and two hours without network; an agreement ends, and the open page's next click is
// refused.
func TestOfflineToOutcome(t *testing.T) {
	t.Parallel()
	_, err := os.Stat(filepath.Join("..", "..", "gather", "entry", "asset", "index.html"))
	if err != nil && os.Getenv("CI") == "" {
		t.Skip("the page of the browser form is not built: make assets")
	}
	s := newScreened(t)
	ctx, db := t.Context(), s.h.db
	s.now.to(time.Time{}) // the browser's clock is the machine's
	if _, err := db.SetDesk(ctx, dtm.Desk{Code: "clinic-yoboki", Programme: "health", Partner: "drc", Name: dtm.Text{"en": "Clinic, Yoboki", "fr": "Dispensaire, Yoboki", "ar": "مستوصف، يوبوكي"}, Lat: 11.5114, Lon: 42.1064, Located: true, Services: []string{"health"}, Languages: []string{"om"}, Capacity: 4}); err != nil {
		t.Fatal(err)
	}
	day := dtm.DayOf(time.Now(), s.h.op.Zone)
	for _, partner := range []string{"iom", "drc"} {
		if _, err := db.AddAgreement(ctx, dtm.Agreement{Partner: partner, Kind: dtm.AgreementCases, Purpose: "help", Basis: "agreed", Programmes: []string{"health", "protection"}, Groups: dtm.FieldGroups, From: day.AddDate(0, 0, -1), To: day.AddDate(0, 1, 0)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.h.syncPoints(ctx, time.Now()); err != nil {
		t.Fatal(err)
	}
	background, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s.h.stop = cancel
	s.h.loading.Go(func() { s.h.keepReferrals(background) })
	base := s.server().URL
	first := s.chromium()

	// A phone at Obock.
	device, token, err := db.AddDevice(ctx, "obock-2", "obock")
	if err != nil {
		t.Fatal(err)
	}
	phone := seat{t, first, base}
	phone.do(chromedp.EmulateViewport(390, 844), chromedp.Navigate(base+"/entry/#"+token))
	phone.until("the forms", `document.querySelector("[data-key=start-screening]")`)
	phone.until("the worker", `navigator.serviceWorker.controller`)
	phone.push("[data-key=lang-en]")
	phone.push("[data-key=start-screening]")
	phone.until("the form", `document.querySelector(".question-container")`)
	phone.online(false)
	phone.do(chromedp.Reload())
	phone.screen("Female", "15", "No", true, "Protection", plantedName)
	phone.push("[data-key=another]")
	phone.screen("Male", "34", "Yes, now", false, "Health", "")
	phone.until("two records wait", `document.querySelectorAll("[data-state=queued]").length == 2`)
	if list, _, err := db.Referrals(ctx, dtm.ReferralFilter{}); err != nil || len(list) > 0 {
		t.Fatalf("without network %d referrals came in, %v", len(list), err)
	}

	// The network comes back after a day and two hours: the ill person's answer is late at
	// once, the child's has 46 hours left.
	arrived := time.Now().Add(26 * time.Hour)
	s.now.to(arrived)
	phone.online(true)
	phone.until("two records received", `document.querySelectorAll("[data-state=received]").length == 2`)
	var child, ill dtm.Referral
	s.soon("both are sent to desks", func() bool {
		list, _, err := db.Referrals(ctx, dtm.ReferralFilter{Device: &device.ID})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range list {
			if r.Programme == "protection" {
				child = r
			} else {
				ill = r
			}
		}
		return len(list) == 2 && child.State == dtm.ReferralSent && ill.State == dtm.ReferralSent
	})
	if got := toldOf([]dtm.Referral{child, ill}); got != "health sent emergency mrc-obock-health, protection sent urgent mrc-obock-protection" || !child.Guarded || !child.Alone || ill.Guarded {
		t.Fatalf("%s %+v %+v", got, child, ill)
	}
	if err := s.h.wakeReferrals(ctx); err != nil {
		t.Fatal(err)
	}
	if r, err := db.Referral(ctx, ill.ID); err != nil || r.State != dtm.ReferralSent || r.Escalation != 1 {
		t.Errorf("late on arrival: %s, level %d, %v", r.State, r.Escalation, err)
	}

	guard := s.sit(first, base, dtm.User{Email: "p@example.org", Role: dtm.RoleDesk, Partner: "iom", Desk: "mrc-obock-protection"})
	clinic := s.sit(first, base, dtm.User{Email: "h@example.org", Role: dtm.RoleDesk, Partner: "iom", Desk: "mrc-obock-health"})
	other := s.sit(first, base, dtm.User{Email: "y@example.org", Role: dtm.RoleDesk, Partner: "drc", Desk: "clinic-yoboki"})
	focal := s.sit(first, base, dtm.User{Email: "f@example.org", Role: dtm.RoleFocal})

	// Child protection sees who waits, not who it is; accepts by one tap; then opens.
	guard.do(chromedp.Navigate(base + "/en/staff/referrals/"))
	if inbox := guard.text("main"); !strings.Contains(inbox, child.Number) || !strings.Contains(inbox, "45 h left") || strings.Contains(inbox, ill.Number) || strings.Contains(inbox, plantedName) {
		t.Errorf("the inbox of child protection:\n%s", inbox)
	}
	s.now.to(arrived.Add(2 * time.Minute))
	guard.tap(`li form button[value=accept]`)
	guard.tap(`form[action$="/person"] button`)
	for _, width := range []int64{1280, 390} {
		guard.do(chromedp.EmulateViewport(width, 844))
		guard.sound(fmt.Sprintf("a person at %d px", width))
		guard.picture(fmt.Sprintf("desk-person-en-%d", width))
	}
	if said := guard.text("main"); !strings.Contains(said, plantedName) {
		t.Errorf("the child's name is not shown after acceptance:\n%s", said)
	}

	// The clinic is full and says so; it is the focal point's at once, and no more the
	// clinic's.
	s.now.to(arrived.Add(4 * time.Minute))
	clinic.do(chromedp.Navigate(base + "/en/staff/referrals/"))
	if inbox := clinic.text("main"); !strings.Contains(inbox, ill.Number) || !strings.Contains(inbox, "late by 2 h") || strings.Contains(inbox, child.Number) {
		t.Errorf("the inbox of the clinic:\n%s", inbox)
	}
	clinic.tap(`.refer a[href$="` + ill.ID + `"]`)
	ask[int](clinic, `(f => { f.closest("details").open = true; f.querySelector("select[name=reason]").value = "no_capacity"; return 0; })(document.querySelector("button[value=reject]").form)`)
	clinic.tap(`button[value=reject]`)
	if said := clinic.text("main"); strings.Contains(said, ill.Number) {
		t.Errorf("the clinic keeps what it rejected:\n%s", said)
	}
	focal.do(chromedp.Navigate(base + "/en/staff/referrals/"))
	focal.tap(`.refer a[href$="` + ill.ID + `"]`)
	if said := focal.text("main"); !strings.Contains(said, "no place") || strings.Contains(said, "voluntary return") {
		t.Errorf("the focal point is told:\n%s", said)
	}
	if first := ask[string](focal, `document.querySelector("input[name=desk]:checked").value`); first != "clinic-yoboki" {
		t.Errorf("proposed is %s, which rejected it", first)
	}
	s.now.to(arrived.Add(6 * time.Minute))
	focal.tap(`button[value=redirect]`)
	again, err := db.Referral(ctx, ill.ID)
	if err == nil {
		again, err = db.Referral(ctx, again.ReplacedBy)
	}
	if err != nil || again.State != dtm.ReferralSent || again.Desk != "clinic-yoboki" || !again.Captured.Equal(ill.Captured) || again.Escalation != 0 {
		t.Fatalf("redirected to %+v, %v", again, err)
	}
	// The other clinic is on the road without network: its answer is kept on the phone.
	other.do(chromedp.Navigate(base + "/en/staff/referrals/patrol"))
	other.online(false)
	other.push(`button[value="accept "]`)
	other.until("the answer is kept and the next is asked", `document.querySelector(".k")?.innerText.includes("Kept on this phone") && document.querySelector("button[value='complete ']")`)
	if kept := ask[string](other, `localStorage.getItem("dtm-patrol")`); !strings.Contains(kept, again.ID) || strings.Contains(kept, "Male") {
		t.Errorf("the phone keeps %s", kept)
	}
	if r, err := db.Referral(ctx, again.ID); err != nil || r.State != dtm.ReferralSent {
		t.Errorf("without network it is %s, %v: this proves nothing", r.State, err)
	}
	s.now.to(arrived.Add(8 * time.Minute))
	other.online(true)
	s.soon("the answer is sent when the network comes back", func() bool {
		r, err := db.Referral(ctx, again.ID)
		return err == nil && r.State == dtm.ReferralAccepted
	})
	other.until("the page as it is now", `localStorage.getItem("dtm-patrol") == "[]" && document.readyState == "complete" && document.querySelector(".o button")`)
	other.tap(`.o button`)
	if said := other.text("main"); !strings.Contains(said, "Neither name nor place") {
		t.Errorf("nothing was given of the person, and the page says:\n%s", said)
	}
	other.do(chromedp.Navigate(base + "/en/staff/referrals/" + again.ID))
	other.tap(`form[action$="/person"] button`)
	ask[int](other, fmt.Sprintf(`(f => { f.closest("details")?.setAttribute("open", ""); f.querySelector("[name=words]").value = %q; return 0; })(document.querySelector("button[value=note]").form)`, clinical))
	other.tap(`button[value=note]`)
	if said := other.text("main"); !strings.Contains(said, clinical) {
		t.Errorf("the note is not kept:\n%s", said)
	}
	s.now.to(arrived.Add(10 * time.Minute))
	other.do(chromedp.Navigate(base + "/en/staff/referrals/" + again.ID))
	other.tap(`.acts button[value=start]`)
	other.tap(`.acts button[value=complete]`)

	// The phone is told how far it is, and no more.
	phone.do(chromedp.Reload())
	phone.until("what became of them", fmt.Sprintf(`document.querySelector('[data-referral="%s"] b')?.textContent == "Accepted" && document.querySelector('[data-referral="%s"] b')?.textContent == "Helped"`, child.Number, again.Number))
	told := phone.text(".referrals")
	for _, never := range []string{clinical, "no place", "Yoboki", "Clinic", "Response", plantedName, "Xylophena", "DRC", "IOM"} {
		if strings.Contains(strings.ToLower(told), strings.ToLower(never)) {
			t.Errorf("the phone is told %q:\n%s", never, told)
		}
	}
	if strings.Count(told, "Accepted")+strings.Count(told, "Helped") != 2 {
		t.Errorf("the phone is told:\n%s", told)
	}

	// Figures, by hand: two people; one open; of those whose time has passed one of one was
	// helped; one of two answered in time; one of three that were sent was rejected; 26 hours
	// without network; both known to the phone.
	focal.do(chromedp.Navigate(base + "/en/staff/referrals/figures"))
	page := strings.Join(strings.Fields(focal.text("main")), " ")
	for _, want := range []string{"Referrals 2", "still open 1", "completed 100% 1 of 1", "acknowledged in time 50% 1 of 2", "1 of 3", "from phone to server 26 h 26 h", "no place 1", "until service begins 26 h not yet known 1 of 2"} {
		if !strings.Contains(page, want) {
			t.Errorf("the figures do not say %q:\n%s", want, page)
		}
	}
	for _, at := range []string{"/staff/referrals/", "/staff/referrals/figures", "/staff/referrals/waiting", "/staff/referrals/find", "/staff/desks/", "/staff/referrals/" + ill.ID} {
		focal.looks("focal-"+strings.ReplaceAll(strings.Trim(strings.ReplaceAll(at, ill.ID, "one"), "/"), "/", "-"), at)
	}
	guard.looks("desk-inbox", "/staff/referrals/")
	guard.looks("desk-patrol", "/staff/referrals/patrol")
	guard.looks("desk-referral", "/staff/referrals/"+child.ID)

	// The agreement ends while the desk's page is open: its next click is refused.
	guard.do(chromedp.Navigate(base + "/en/staff/referrals/" + child.ID))
	admin := s.sit(first, base, dtm.User{Email: "a@example.org", Role: dtm.RoleAdmin})
	admin.do(chromedp.Navigate(base + "/en/staff/agreements/"))
	ask[int](admin, `(d => { d.open = true; d.querySelector("input[name=why]").value = "misused"; return 0; })([...document.querySelectorAll("li")].find(l => l.innerText.includes("IOM") || l.innerText.includes("International Organization")).querySelector("details"))`)
	admin.tap(`details[open] button`)
	if said := admin.text("main"); admin.text(".done[role=status]") == "" {
		t.Fatalf("the agreement has not ended:\n%s", said)
	}
	guard.tap(`.acts button[value=start]`)
	if said := guard.text("main"); strings.Contains(said, child.Number) || strings.Contains(said, plantedName) {
		t.Errorf("after the agreement's end the desk is shown:\n%s", said)
	}
	if r, err := db.Referral(ctx, child.ID); err != nil || r.State != dtm.ReferralAccepted {
		t.Errorf("after the agreement's end the desk moved it to %s, %v", r.State, err)
	}
	if err := db.Verify(ctx); err != nil {
		t.Error(err)
	}
	s.searched()
}

// chromium starts a browser; others share it, each with cookies of its own.
func (s *screened) chromium() context.Context {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(browser(s.t), 4*time.Minute)
	s.t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	s.t.Cleanup(cancel)
	return ctx
}

// sit is somebody of the staff who has signed in with a second factor, in a window of
// their own.
func (s *screened) sit(first context.Context, base string, u dtm.User) seat {
	s.t.Helper()
	now := s.h.now().UTC()
	token := rand.Text() + rand.Text()
	err := s.h.db.AddUser(s.t.Context(), u, "hash")
	if err == nil {
		err = s.h.db.AddFactors(s.t.Context(), u.Email, []dtm.Factor{{ID: "app", Kind: dtm.FactorTOTP, Name: "app", Secret: []byte("sealed"), Created: now}}, "")
	}
	if err == nil {
		err = s.h.db.AddSession(s.t.Context(), token, dtm.Session{Kind: dtm.SessionKindPages, Email: u.Email, Created: now, Expires: now.Add(time.Hour), Second: now, Proved: now})
	}
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := chromedp.NewContext(first, chromedp.WithNewBrowserContext())
	s.t.Cleanup(cancel)
	p := seat{s.t, ctx, base}
	p.do(chromedp.EmulateViewport(390, 844), chromedp.Func(func(ctx context.Context, x *chromedp.Target) error {
		_, err := cdp.Call(ctx, x, network.SetCookie, network.SetCookieParams{Name: "dtm", Value: token, URL: base})
		return err
	}))
	return p
}

func (s *screened) soon(what string, done func() bool) {
	s.t.Helper()
	for range 600 {
		if done() {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	s.t.Fatalf("still not so: %s", what)
}

// until waits for an expression to be true.
func (s seat) until(what, expression string) {
	s.t.Helper()
	for range 1200 {
		if ask[bool](s, "!!("+expression+")") {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	s.t.Fatalf("%s: still not; the page says:\n%s", what, ask[string](s, `document.body.innerText`))
}

// push clicks what is there to be clicked, as a finger does: what lies over it would get
// the click.
func (s seat) push(selector string) {
	s.t.Helper()
	s.until("a way to click "+selector, fmt.Sprintf(`(() => {
		const e = document.querySelector(%q);
		e?.scrollIntoView({block: "center"});
		const r = e?.getBoundingClientRect(), hit = r && document.elementFromPoint(r.left + r.width / 2, r.top + r.height / 2);
		if (!hit || hit != e && !e.contains(hit)) return false;
		hit.dispatchEvent(new MouseEvent("mousedown", {bubbles: true}));
		hit.click();
		return true;
	})()`, selector))
}

// tap pushes what leads to another page, and waits for that page.
func (s seat) tap(selector string) {
	s.t.Helper()
	ask[int](s, `(window.left = true, 0)`)
	s.push(selector)
	for range 1200 {
		there, err := chromedp.Run(s.ctx, chromedp.Evaluate[bool](`!window.left && document.readyState == "complete"`))
		if err == nil && there {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	s.t.Fatalf("%s leads nowhere", selector)
}

// online cuts or mends the connection.
func (s seat) online(on bool) {
	s.t.Helper()
	conditions := []*network.Conditions{}
	if !on {
		conditions = append(conditions, &network.Conditions{Offline: true, DownloadThroughput: -1, UploadThroughput: -1})
	}
	off := !on
	s.do(chromedp.Func(func(ctx context.Context, x *chromedp.Target) error {
		if _, err := cdp.Call(ctx, x, network.Enable, network.EnableParams{}); err != nil {
			return err
		}
		_, err := cdp.Call(ctx, x, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{EmulateOfflineServiceWorker: &off, MatchedNetworkConditions: conditions})
		if err == nil {
			_, err = cdp.Call(ctx, x, network.OverrideNetworkState, network.OverrideNetworkStateParams{Offline: !on, DownloadThroughput: -1, UploadThroughput: -1})
		}
		return err
	}))
}

// screen fills in the screening form by what is written there. atRisk is for a child who
// is alone and at risk.
func (s seat) screen(sex, age, doctor string, atRisk bool, programme, name string) {
	s.t.Helper()
	s.until("the form", `document.querySelector(".question-container")`)
	do := func(steps string) {
		s.t.Helper()
		ask[int](s, `(async () => {
			const wait = async (f, what) => { for (let i = 0; i < 1200; i++) { const v = f(); if (v) return v; await new Promise(r => setTimeout(r, 25)); } throw new Error("no " + what + " in: " + document.body.innerText.slice(0, 3000)); };
			const question = label => wait(() => [...document.querySelectorAll(".question-container")].find(e => e.querySelector(".control-text")?.textContent.trim().startsWith(label)), label);
			const choose = async (label, option) => { const q = await question(label); (await wait(() => [...q.querySelectorAll(".value-option")].find(e => e.textContent.trim() == option), option)).querySelector("input").click(); };
			const pick = async (label, option) => { (await question(label)).querySelector("[role=combobox]").click();
				(await wait(() => [...document.querySelectorAll("[role=option]")].find(e => e.textContent.trim().startsWith(option)), option)).dispatchEvent(new MouseEvent("mousedown", {bubbles: true}));
				await wait(() => !document.querySelector("[role=option]"), "end of choosing"); };
			const enter = async label => { const i = (await question(label)).querySelector("input"); i.focus(); i.select(); };
			`+steps+`
			return 0;
		})()`)
	}
	write := func(label, text string) {
		s.t.Helper()
		do(fmt.Sprintf("await enter(%q);", label))
		s.do(chromedp.KeyEvent(text))
	}
	choose := func(pairs ...string) {
		s.t.Helper()
		steps := ""
		for i := 0; i+1 < len(pairs); i += 2 {
			steps += fmt.Sprintf("await choose(%q, %q);\n", pairs[i], pairs[i+1])
		}
		do(steps)
	}
	do(`await pick("Flow monitoring point", "Obock");`)
	choose("Does the person agree to answer?", "Yes", "Sex", sex)
	write("Age in years", age)
	if atRisk {
		choose("With whom is the child?", "Alone")
	}
	choose("Does the person need a doctor?", doctor, "What does the person lack?", "None", "Can the person reach a service", "Yes", "Is the person in danger now?", "No", "Does the person ask for asylum", "No",
		"Was the person held, sold", "No", "Was the person beaten", "No")
	if atRisk {
		choose("Is the child at risk", "Yes")
	}
	choose("Does the person want to go home", "No", "Does the person lack papers?", "No", "Does the person agree that these answers", "Yes", "Refer to", programme)
	if name != "" {
		write("Name, or a code", name)
	}
	s.push(".odk-form .footer button")
	s.until("the outbox", `location.hash == "#records" && document.querySelector(".done")`)
}
