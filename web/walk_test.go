package web_test

import (
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"dtm"
)

// TestWalk: every page that an administrator reaches by links from the desk, one of a
// kind, on a phone and a desk: axe finds nothing, nothing scrolls sideways, the menu
// marks where one is. Pages that are added later are met by their links.
func TestWalk(t *testing.T) {
	axe, err := os.ReadFile(filepath.Join("..", "node_modules", "axe-core", "axe.min.js"))
	needed(t, err == nil, "axe-core is missing: make tools")
	s, db := office(t)
	ctx := t.Context()
	if err := db.Publish(ctx, dtm.Form{ID: "f", Version: "1", Title: "The form", Hash: "md5:a", XForm: []byte("<x/>"), Source: []byte("form"), SourceName: "f.xlsx"}); err != nil {
		t.Fatal(err)
	}
	d, _, err := db.AddDevice(ctx, "Obock-1", "obock")
	if err != nil {
		t.Fatal(err)
	}
	if err := db.DeclareEntityList(ctx, dtm.EntityList{Name: "sites", Properties: []dtm.EntityProperty{{Name: "region"}}}); err != nil {
		t.Fatal(err)
	}
	v := dtm.EntityVersion{Label: "Ali Addeh", Data: map[string]string{"region": "DJ03"}}
	if err := db.ChangeEntities(ctx, dtm.EntityWork{Changes: []dtm.EntityChange{{List: "sites", ID: "11111111-1111-4111-8111-111111111111", Version: &v}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := db.AddWebhook(ctx, dtm.Webhook{URL: "https://example.org/told", Events: []string{dtm.SubmissionReceived}}); err != nil {
		t.Fatal(err)
	}
	r, err := db.Receive(ctx, dtm.Submission{ID: "uuid:1", Form: "f", Version: "1", Device: d.ID, XML: []byte("<data/>"), Flags: []dtm.Flag{{Rule: "answers.sum", Path: "/data/a", Note: "3, not 4"}}})
	if err != nil {
		t.Fatal(err)
	}
	log, err := db.Events(ctx, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.KeepReadings(ctx, []dtm.Reading{{Seq: r.Seq, Point: "obock", Enumerator: "amina", Day: "2026-11-23", Positioned: true, Lat: 11.96, Lon: 43.29, Name: "obock 1"}}, log, log[len(log)-1].Seq); err != nil {
		t.Fatal(err)
	}

	tab := browser(t)
	if err := chromedp.Do(tab, chromedp.Navigate(s.URL+"/en/staff/signin"), chromedp.SetValue("input[name=email]", "admin@example.org"),
		chromedp.SetValue("input[name=password]", password), chromedp.Click("main button"), chromedp.WaitVisible(".out")); err != nil {
		t.Fatal(err)
	}
	// One page of a kind: what differs by an identifier or a filter is the same page.
	kind := regexp.MustCompile(`[0-9a-f]{8}[0-9a-f-]*|uuid:[^/]*|/points/[a-z0-9-]+|/rules/[a-z.]+`)
	seen := map[string]bool{}
	var walked []string
	start := time.Now()
	todo := []string{"/en/staff/", "/fr/staff/submissions/", "/fr/staff/account/", "/en/staff/signin"}
queue:
	for len(todo) > 0 {
		at := todo[0]
		todo = todo[1:]
		for _, width := range []int64{1280, 390} {
			err := chromedp.Do(tab, chromedp.EmulateViewport(width, 900), chromedp.Navigate(s.URL+at))
			if err != nil && strings.Contains(err.Error(), "ERR_ABORTED") {
				continue queue // it is a file that is downloaded, not a page
			}
			if err != nil {
				t.Fatalf("%s at %d: %v", at, width, err)
			}
			ask[int](t, tab, string(axe)+`;0`)
			raw := ask[string](t, tab, `axe.run({resultTypes: ["violations"]}).then(r => JSON.stringify(r.violations))`)
			var found []finding
			if err := json.Unmarshal([]byte(raw), &found); err != nil {
				t.Fatal(err)
			}
			for _, f := range found {
				t.Errorf("%s at %d px: axe %s (%s): %s\n%.300s", at, width, f.ID, f.Impact, f.Help, f.Nodes[0].HTML)
			}
			if wide := ask[int](t, tab, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); wide > 0 {
				t.Errorf("%s at %d px scrolls sideways by %d px", at, width, wide)
			}
		}
		walked = append(walked, at)
		links := ask[[]string](t, tab, `[...document.querySelectorAll("a[href]")].filter(a => a.origin == location.origin && !a.hasAttribute("download") && a.hash == "").map(a => a.pathname + a.search)`)
		for _, to := range links {
			path, _, _ := strings.Cut(to, "?")
			if k := kind.ReplaceAllString(path, "…"); strings.HasPrefix(to, "/en/staff/") && !seen[k] && !file.MatchString(to) {
				seen[k] = true
				todo = append(todo, to)
			}
		}
	}
	for _, want := range []string{"/en/staff/", "/en/staff/submissions/", "/en/staff/submissions/map", "/en/staff/submissions/uuid:1", "/en/staff/entities/sites/", "/en/staff/webhooks/", "/en/staff/account/", "/en/staff/log", "/en/staff/users/"} {
		if !slices.ContainsFunc(walked, func(at string) bool { p, _, _ := strings.Cut(at, "?"); at, _ = url.PathUnescape(p); return at == want }) {
			t.Errorf("no link leads to %s", want)
		}
	}
	t.Logf("%d pages at two widths in %v: %s", len(walked), time.Since(start), strings.Join(walked, " "))
}

// file is what a link downloads instead of showing.
var file = regexp.MustCompile(`/(xml|list\.csv|answers\.zip|signout)(\?|$)|\.(csv|zip|xml|xlsx|svg|pdf|json|png)(\?|$)|/attachments/`)
