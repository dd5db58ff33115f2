package web_test

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
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

func browser(t *testing.T, flags ...chromedp.ExecAllocatorOption) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	needed(t, err == nil, "Debian's package chromium is missing: make tools")
	o := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.UserDataDir(t.TempDir()))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), append(o, flags...)...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	limit := 3 * time.Minute
	if everyView() {
		limit = time.Hour
	}
	ctx, cancel = context.WithTimeout(ctx, limit)
	t.Cleanup(cancel)
	return ctx
}

func everyView() bool { return os.Getenv("DTM_EVERY_VIEW") != "" }

type finding struct {
	ID     string
	Impact string
	Help   string
	Nodes  []struct{ HTML string }
}

// TestInBrowser: in a real browser, on a phone and a desk, in each language, no
// page scrolls sideways and axe finds nothing. Width, dark mode and no script take turns
// over pages and languages; with DTM_EVERY_VIEW set each page is seen in all of them.
func TestInBrowser(t *testing.T) {
	axe, err := os.ReadFile(filepath.Join("..", "node_modules", "axe-core", "axe.min.js"))
	needed(t, err == nil, "axe-core is missing: make tools")
	s := site(t, 120, nil)
	ctx := browser(t)
	pages := []string{"/?from=2025-03", "/indicators/", "/indicators/daily_average", "/methods", "/about", "/warning/", "/outlook/", "/reports/", "/?from=2019-01", "/network/?from=2025-03",
		"/flows/?from=2025-03", "/points/?from=2025-03", "/profile/?from=2025-03", "/needs/?from=2025-03", "/stranded/?from=2025-03", "/returns/?from=2025-03", "/referrals/?from=2025-03",
		"/points/obock?from=2025-03", "/points/obock?from=2019-01", "/regions/DJ05?from=2025-03", "/chart/flows-sankey?from=2025-03", "/chart/points-months?from=2025-03", "/embed/flows-days?from=2025-03", "/chart/warning", "/embed/network?from=2025-03"}
	type view struct {
		width          int64
		dark, noscript bool
	}
	turns := []view{{width: 1280}, {width: 768, dark: true}, {width: 390, noscript: true}, {width: 1280, dark: true}, {width: 390}, {width: 768}, {width: 390, dark: true}}
	for k, l := range []string{"en", "fr", "ar"} {
		for i, path := range pages {
			views := []view{turns[(i+2*k)%len(turns)]}
			if everyView() {
				views = turns
			}
			for _, v := range views {
				at := fmt.Sprintf("%s%s at %d px", l, path, v.width)
				scheme := "light"
				if v.dark {
					scheme, at = "dark", at+", dark"
				}
				look := chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
					_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
					return err
				})
				script := func(off bool) chromedp.Action[chromedp.Void] {
					return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
						_, err := cdp.Call(ctx, t, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: off})
						return err
					})
				}
				// axe is a script: it runs once the page is there without its own.
				if err := chromedp.Do(ctx, chromedp.EmulateViewport(v.width, 900), look, script(v.noscript), chromedp.Navigate(s.URL+"/"+l+path), script(false)); err != nil {
					t.Fatalf("%s: %v", at, err)
				}
				scroll := ask[int](t, ctx, `document.documentElement.scrollWidth`)
				client := ask[int](t, ctx, `document.documentElement.clientWidth`)
				hidden := ask[bool](t, ctx, `[...document.querySelectorAll(".panel")].some(p => [...p.querySelectorAll("svg")].filter(s => s.getBoundingClientRect().width > 0).length != 1)`)
				if scroll > client {
					t.Errorf("%s scrolls sideways: %d px wide", at, scroll)
				}
				if hidden {
					t.Errorf("%s: a chart is shown twice or not at all", at)
				}
				if v.noscript != (ask[int](t, ctx, `document.querySelectorAll(".tip").length`) == 0) && !strings.HasPrefix(path, "/embed/") {
					t.Errorf("%s: whether the script ran is not as it should be", at)
				}
				ask[int](t, ctx, string(axe)+`;0`)
				var found []finding
				if err := json.Unmarshal([]byte(ask[string](t, ctx, `axe.run({resultTypes: ["violations"]}).then(r => JSON.stringify(r.violations))`)), &found); err != nil {
					t.Fatal(err)
				}
				for _, f := range found {
					t.Errorf("%s: axe %s (%s): %s\n%.300s", at, f.ID, f.Impact, f.Help, f.Nodes[0].HTML)
				}
			}
		}
	}
}

// TestWithoutScript: with JavaScript switched off every chart is drawn, every table
// opens, the filter works by its button, and the figures are those of the page
// with script.
func TestWithoutScript(t *testing.T) {
	s := site(t, 120, nil)
	figures := `JSON.stringify([...document.querySelectorAll(".value,.panel tbody td")].map(e => e.textContent))`
	with := browser(t)
	if err := chromedp.Do(with, chromedp.EmulateViewport(390, 844), chromedp.Navigate(s.URL+"/fr/?from=2025-03")); err != nil {
		t.Fatal(err)
	}
	want := ask[string](t, with, figures)
	ctx := browser(t)
	off := chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	})
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(390, 844), off, chromedp.Navigate(s.URL+"/fr/?from=2025-03")); err != nil {
		t.Fatal(err)
	}
	if ask[int](t, ctx, `document.querySelectorAll(".tip").length`) != 0 {
		t.Fatal("the script ran: this proves nothing")
	}
	if got := ask[string](t, ctx, figures); got != want || len(want) < 500 {
		t.Errorf("without script:\n%s\nwith:\n%s", got, want)
	}
	if n := ask[int](t, ctx, `[...document.querySelectorAll(".draw.narrow svg")].filter(s => s.getBoundingClientRect().height > 50).length`); n != 7 {
		t.Errorf("%d charts of 7 are drawn", n)
	}
	if err := chromedp.Do(ctx, chromedp.Click("#points summary"), chromedp.WaitVisible("#points table"),
		chromedp.SetValue("select[name=point]", "galafi"), chromedp.Click(".filter button"), chromedp.WaitReady(`option[value=galafi][selected]`)); err != nil {
		t.Fatal(err)
	}
	if at := ask[string](t, ctx, `location.search`); !strings.Contains(at, "from=2025-03") || !strings.Contains(at, "point=galafi") {
		t.Errorf("the filter leads to %s", at)
	}
}

// TestValuesOfMarks: pointer and arrow keys show the value that the mark has, in
// the frame of the screen, and Escape and leaving take it away.
func TestValuesOfMarks(t *testing.T) {
	s := site(t, 120, nil)
	ctx := browser(t)
	shown := `(() => {const t = document.querySelector(".tip.shown"), on = document.querySelectorAll(".mark.on"); if (!t) return on.length ? "on without tip" : "";
		const r = t.getBoundingClientRect(); if (r.left < 0 || r.right > innerWidth || r.top < 0 || r.bottom > innerHeight) return "outside: " + JSON.stringify(r);
		return on.length != 1 ? "several" : t.textContent == on[0].dataset.label + on[0].dataset.value ? t.textContent : "another: " + t.textContent})()`
	for _, l := range []string{"en", "fr", "ar"} {
		if err := chromedp.Do(ctx, chromedp.EmulateViewport(390, 844), chromedp.Navigate(s.URL+"/"+l+"/?from=2025-03"), chromedp.Focus("#points .narrow")); err != nil {
			t.Fatal(err)
		}
		if got := ask[string](t, ctx, shown); got != "" {
			t.Errorf("%s: %q before any key", l, got)
		}
		var seen []string
		for _, k := range []string{kb.ArrowRight, kb.ArrowRight, kb.End, kb.End, kb.ArrowLeft, kb.Home} {
			if err := chromedp.Do(ctx, chromedp.KeyEvent(k)); err != nil {
				t.Fatal(err)
			}
			seen = append(seen, ask[string](t, ctx, shown))
		}
		first := ask[string](t, ctx, `(m => m.dataset.label + m.dataset.value)(document.querySelector("#points .narrow .mark"))`)
		last := ask[string](t, ctx, `(m => m.dataset.label + m.dataset.value)([...document.querySelectorAll("#points .narrow .mark")].at(-1))`)
		if seen[0] != first || seen[1] == first || seen[2] != last || seen[3] != last || seen[4] == last || seen[5] != first || first == last {
			t.Errorf("%s: keys show %q", l, seen)
		}
		if err := chromedp.Do(ctx, chromedp.KeyEvent(kb.Escape)); err != nil {
			t.Fatal(err)
		}
		if got := ask[string](t, ctx, shown); got != "" {
			t.Errorf("%s: Escape leaves %q", l, got)
		}
		for _, panel := range []string{"trend", "map", "od", "points"} {
			// a spot that belongs to a mark, once the page has come to rest
			at := ask[[]float64](t, ctx, `(async () => {
				const draw = document.querySelector("#`+panel+` .narrow");
				draw.scrollIntoView({block: "center"});
				for (let i = 0; i < 3; i++) await new Promise(requestAnimationFrame);
				const d = draw.getBoundingClientRect();
				for (let y = Math.max(d.top, 80); y < Math.min(d.bottom, innerHeight); y += 3) for (let x = d.left; x < d.right; x += 3)
					if (document.elementFromPoint(x, y)?.closest(".mark")) return [x, y];
				return [];
			})()`)
			if len(at) == 0 {
				t.Errorf("%s %s: no mark can be pointed at", l, panel)
				continue
			}
			if err := chromedp.Do(ctx, chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, at[0], at[1])); err != nil {
				t.Fatal(err)
			}
			if got := ask[string](t, ctx, shown); got == "" || strings.HasPrefix(got, "outside") || strings.HasPrefix(got, "another") || got == "several" || got == "on without tip" {
				t.Errorf("%s %s: the pointer shows %q", l, panel, got)
			}
			if err := chromedp.Do(ctx, chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, 0, 0)); err != nil {
				t.Fatal(err)
			}
			if got := ask[string](t, ctx, shown); got != "" {
				t.Errorf("%s %s: leaving keeps %q", l, panel, got)
			}
		}
	}
}

// TestFirstView: HTML, style, font and drawings of the first view, as they travel.
func TestFirstView(t *testing.T) {
	t.Parallel()
	s := site(t, 180, nil)
	for _, l := range []string{"en", "fr", "ar"} {
		total := 0
		seen := map[string]bool{}
		var fetch func(url string)
		fetch = func(url string) {
			if seen[url] {
				return
			}
			seen[url] = true
			r, err := http.NewRequest("GET", s.URL+url, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Accept-Encoding", "gzip")
			resp, err := http.DefaultTransport.RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			b, err := io.ReadAll(resp.Body)
			if err != nil || resp.StatusCode != http.StatusOK {
				t.Fatalf("%s: %v %s", url, err, resp.Status)
			}
			total += len(b)
			text := string(b)
			if resp.Header.Get("Content-Encoding") == "gzip" {
				z, err := gzip.NewReader(strings.NewReader(text))
				if err != nil {
					t.Fatal(err)
				}
				plain, err := io.ReadAll(z)
				if err != nil {
					t.Fatal(err)
				}
				text = string(plain)
			}
			if strings.HasSuffix(url, ".woff2") {
				return
			}
			for _, m := range regexp.MustCompile(`(?:href="|src="|url\()(/asset/[^")]+)`).FindAllStringSubmatch(text, -1) {
				fetch(m[1])
			}
		}
		fetch("/" + l + "/?from=2025-03")
		t.Logf("%s: %d bytes in %d answers", l, total, len(seen))
		if total > 100_000 {
			t.Errorf("%s: the first view takes %d bytes", l, total)
		}
	}
}

// ask evaluates an expression on the page, a promise's value included.
func ask[T any](t *testing.T, ctx context.Context, expression string) T {
	t.Helper()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, func(p *runtime.EvaluateParams) {
		yes := true
		p.AwaitPromise = &yes
	}))
	if err != nil {
		t.Fatal(err)
	}
	return v
}
