package chart_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// script measures every text of every drawing as the browser set it. The box of
// a text is its line's; what letters fill of it is about the middle 60%.
const script = `document.fonts.ready.then(() => {
  const probe = f => { const s = document.createElement('span'); s.style.font = '40px ' + f; s.textContent = 'mmmiii019'; document.body.append(s); const w = s.getBoundingClientRect().width; s.remove(); return w };
  const out = {inter: probe('Inter, monospace') === probe('Inter, serif'), arabic: (() => { const w = f => { const s = document.createElement('span'); s.style.font = '40px ' + f; s.textContent = 'السعودية'; document.body.append(s); const r = s.getBoundingClientRect().width; s.remove(); return r }; return Math.abs(w("'Noto Sans Arabic'") - 144.1) < 1.5 })(), texts: 0, faults: []};
  for (const svg of document.querySelectorAll('svg')) {
    const name = svg.parentNode.dataset.name, frame = svg.getBoundingClientRect(), boxes = [];
    for (const t of svg.querySelectorAll('text')) {
      const r = t.getBoundingClientRect(), tall = r.height > r.width * 1.5 && t.hasAttribute('transform');
      const b = tall ? {l: r.left + r.width * .2, r: r.right - r.width * .2, t: r.top, b: r.bottom} : {l: r.left, r: r.right, t: r.top + r.height * .22, b: r.bottom - r.height * .2};
      out.texts++;
      if (b.l < frame.left - 1 || b.r > frame.right + 1 || b.t < frame.top - 1 || b.b > frame.bottom + 1) out.faults.push(name + ': "' + t.textContent + '" leaves the drawing');
      for (const o of boxes) if (b.l + 1 < o.r && o.l + 1 < b.r && b.t + 1 < o.b && o.t + 1 < b.b) out.faults.push(name + ': "' + t.textContent + '" lies on "' + o.s + '"');
      b.s = t.textContent; boxes.push(b);
    }
  }
  const pre = document.createElement('pre'); pre.id = 'result'; pre.textContent = JSON.stringify(out); document.body.append(pre);
})`

// TestBrowser lets Chromium set the golden drawings of charts and maps, on a page
// written from left to right and on one from right to left: no text lies on
// another or leaves its drawing. This is what our own widths are held against.
func TestBrowser(t *testing.T) {
	t.Parallel()
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("chromium is not installed; apt-get install chromium")
		}
		t.Skip("chromium is not installed; apt-get install chromium")
	}
	for _, dir := range []string{"ltr", "rtl"} {
		t.Run(dir, func(t *testing.T) {
			var page bytes.Buffer
			fmt.Fprintf(&page, `<!doctype html><meta charset="utf-8"><body dir="%s">`, dir)
			files, err := filepath.Glob("testdata/*.svg")
			if err != nil {
				t.Fatal(err)
			}
			more, err := filepath.Glob("../maps/testdata/*.svg")
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range append(files, more...) {
				svg, err := os.ReadFile(f)
				if err != nil {
					t.Fatal(err)
				}
				fmt.Fprintf(&page, "<div data-name=%q>%s</div>", filepath.Base(f), svg)
			}
			fmt.Fprintf(&page, "<script>%s</script>", script)
			file := filepath.Join(t.TempDir(), "page.html")
			if err := os.WriteFile(file, page.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
			defer cancel()
			cmd := exec.CommandContext(ctx, chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
				"--disable-background-networking", "--disable-component-update", "--disable-sync", "--user-data-dir="+t.TempDir(),
				"--virtual-time-budget=5000", "--dump-dom", "file://"+file)
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			dom, err := cmd.Output()
			if err != nil {
				t.Fatalf("chromium: %v\n%s", err, stderr.String())
			}
			_, rest, ok := strings.Cut(string(dom), `<pre id="result">`)
			raw, _, ok2 := strings.Cut(rest, "</pre>")
			if !ok || !ok2 {
				t.Fatal("the page gave no result")
			}
			var result struct {
				Inter, Arabic bool
				Texts         int
				Faults        []string
			}
			if err := json.Unmarshal([]byte(html.UnescapeString(raw)), &result); err != nil {
				t.Fatal(err)
			}
			if !result.Inter || !result.Arabic {
				msg := "the fonts Inter and Noto Sans Arabic are not installed; apt-get install fonts-inter fonts-noto-core"
				if os.Getenv("CI") == "true" {
					t.Fatal(msg)
				}
				t.Skip(msg)
			}
			if result.Texts < 1000 {
				t.Errorf("only %d texts were measured", result.Texts)
			}
			for _, f := range result.Faults {
				t.Error(f)
			}
			t.Logf("%d texts of %d drawings", result.Texts, len(files)+len(more))
		})
	}
}
