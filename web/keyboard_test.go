package web_test

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestByKeyboardInBrowser: with the Tab key alone everything on a page that can be used
// is reached, in the order of the page, each shows where the focus is and lies in the
// window, nothing holds the focus; Enter opens what is folded and follows a link.
func TestByKeyboardInBrowser(t *testing.T) {
	s := site(t, 120, nil)
	ctx := browser(t)
	// Numbers what can be used, in the order of the page; what is folded away is not.
	const number = `(() => {let n = 0;
		for (const e of document.querySelectorAll("a[href],button,input:not([type=hidden]),select,textarea,summary,[tabindex='0']"))
			if (e.checkVisibility({visibilityProperty: true}) && !e.disabled) e.dataset.n = ++n;
		return n})()`
	const here = `(() => {const e = document.activeElement;
		if (!e || e === document.body || !e.dataset.n) return "0";
		const s = getComputedStyle(e), r = e.getBoundingClientRect(), what = " " + e.outerHTML.slice(0, 120);
		if (s.outlineStyle === "none" || parseFloat(s.outlineWidth) < 2) return e.dataset.n + " has no mark of the focus:" + what;
		if (r.bottom < 0 || r.top > innerHeight || r.right < 0 || r.left > innerWidth) return e.dataset.n + " lies outside the window:" + what;
		return e.dataset.n})()`
	for _, c := range []struct {
		path  string
		width int64
	}{
		{"/en/?from=2025-03", 1280}, {"/ar/?from=2025-03", 390}, {"/fr/flows/?from=2025-03", 390}, {"/en/points/obock?from=2025-03", 1280},
		{"/fr/chart/flows-sankey?from=2025-03", 768}, {"/en/reports/", 390}, {"/ar/indicators/daily_average", 1280}, {"/en/network/?from=2025-03", 390},
	} {
		if err := chromedp.Do(ctx, chromedp.EmulateViewport(c.width, 900), chromedp.Navigate(s.URL+c.path)); err != nil {
			t.Fatal(err)
		}
		all := ask[int](t, ctx, number)
		if all < 10 {
			t.Fatalf("%s: %d things can be used: the page is not what this test thinks", c.path, all)
		}
		for n := 1; n <= all; n++ {
			if err := chromedp.Do(ctx, chromedp.KeyEvent(kb.Tab)); err != nil {
				t.Fatal(err)
			}
			if got := ask[string](t, ctx, here); got != fmt.Sprint(n) {
				t.Errorf("%s at %d px, Tab %d of %d: %s", c.path, c.width, n, all, got)
				break
			}
		}
	}
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(1280, 900), chromedp.Navigate(s.URL+"/en/?from=2025-03"), chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(kb.Enter)); err != nil {
		t.Fatal(err)
	}
	if at := ask[string](t, ctx, `document.activeElement.tagName`); at != "MAIN" {
		t.Errorf("the first key leads to %s, not past the menu", at)
	}
	if err := chromedp.Do(ctx, chromedp.Focus("#points summary"), chromedp.KeyEvent(kb.Enter), chromedp.WaitVisible("#points table")); err != nil {
		t.Fatal(err)
	}
}
