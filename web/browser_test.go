package web_test

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

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
	ctx, cancel = context.WithTimeout(ctx, 3*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

type finding struct {
	ID     string
	Impact string
	Help   string
	Nodes  []struct{ HTML string }
}

// TestInBrowser: in a real browser, on a phone and a desk, in each language, no
// page scrolls sideways and axe finds nothing serious.
func TestInBrowser(t *testing.T) {
	axe, err := os.ReadFile(filepath.Join("..", "node_modules", "axe-core", "axe.min.js"))
	needed(t, err == nil, "axe-core is missing: make tools")
	s := site(t, 120, nil)
	ctx := browser(t)
	for _, l := range []string{"en", "fr", "ar"} {
		for _, path := range []string{"/?from=2025-03", "/indicators/", "/indicators/daily_average", "/methods", "/?from=2019-01"} {
			for _, width := range []int64{390, 1280} {
				if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, 900), chromedp.Navigate(s.URL+"/"+l+path)); err != nil {
					t.Fatalf("%s%s at %d: %v", l, path, width, err)
				}
				scroll := ask[int](t, ctx, `document.documentElement.scrollWidth`)
				client := ask[int](t, ctx, `document.documentElement.clientWidth`)
				hidden := ask[bool](t, ctx, `[...document.querySelectorAll(".panel")].some(p => [...p.querySelectorAll("svg")].filter(s => s.getBoundingClientRect().width > 0).length != 1)`)
				ask[int](t, ctx, string(axe)+`;0`)
				raw := ask[string](t, ctx, `axe.run().then(r => JSON.stringify(r.violations))`)
				if scroll > client {
					t.Errorf("%s%s at %d px scrolls sideways: %d px wide", l, path, width, scroll)
				}
				if hidden {
					t.Errorf("%s%s at %d px: a chart is shown twice or not at all", l, path, width)
				}
				var found []finding
				if err := json.Unmarshal([]byte(raw), &found); err != nil {
					t.Fatal(err)
				}
				for _, f := range found {
					if f.Impact == "serious" || f.Impact == "critical" {
						t.Errorf("%s%s at %d px: axe %s (%s): %s\n%.300s", l, path, width, f.ID, f.Impact, f.Help, f.Nodes[0].HTML)
					}
				}
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
