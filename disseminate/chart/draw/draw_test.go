package draw_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"dtm/disseminate/chart/draw"
	"dtm/disseminate/chart/draw/drawtest"
)

func TestContrast(t *testing.T) {
	t.Parallel()
	if c := draw.Contrast("#000000", "#ffffff"); c < 20.99 || c > 21.01 {
		t.Fatalf("black on white is 21:1, not %.2f", c)
	}
	if c := draw.Contrast("#777777", "#ffffff"); c < 4.47 || c > 4.49 { // WCAG's own example of just too faint
		t.Fatalf("#777777 on white is 4.48:1, not %.2f", c)
	}
	for _, c := range []string{draw.Ink, draw.Mute, draw.Warm} {
		for _, g := range []string{draw.Ground, draw.Empty} {
			if draw.Contrast(c, g) < 4.5 {
				t.Errorf("text %s on %s: %.2f", c, g, draw.Contrast(c, g))
			}
		}
	}
	for _, c := range append([]string{draw.Main, draw.Accent, draw.Context, draw.Axis}, draw.Series[:]...) {
		if draw.Contrast(c, draw.Ground) < 3 {
			t.Errorf("mark %s on white: %.2f", c, draw.Contrast(c, draw.Ground))
		}
	}
	for _, c := range draw.Series {
		if draw.Contrast(c, draw.On(c)) < 4.5 {
			t.Errorf("text on %s: %.2f", c, draw.Contrast(c, draw.On(c)))
		}
	}
	for i, c := range draw.Sequence {
		if draw.Contrast(c, draw.OnSequence(i)) < 4.5 {
			t.Errorf("text on step %d: %.2f", i, draw.Contrast(c, draw.OnSequence(i)))
		}
		if i > 0 && draw.Contrast(c, draw.Ground) <= draw.Contrast(draw.Sequence[i-1], draw.Ground) {
			t.Errorf("step %d is not darker than the one before", i)
		}
	}
}

// Widths as Chromium 156 measured them at 100 px with tabular figures in Inter
// 4.0 and Noto Sans Arabic; ours may be up to 2% wider, never narrower by more
// than a pixel.
func TestWidth(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		s    string
		bold bool
		want float64
	}{
		{"19,156", false, 351.4},
		{"19,156", true, 364.3},
		{"Ali Sabieh (Ancienne Gare)", true, 1297.0},
		{"Movements observed by point", false, 1434.4},
		{"Émirats arabes unis", false, 923.2},
		{"position approximative", false, 1067.2},
		{"السعودية", false, 360.3},
		{"الحركات المرصودة حسب النقطة", false, 1282.4},
		{"أقل من 10، محجوب", false, 839.8},
	} {
		if got := draw.Width(c.s, 100, c.bold); got < c.want-1 || got > c.want*1.02 {
			t.Errorf("Width(%q, 100, %v) = %.1f, measured %.1f", c.s, c.bold, got, c.want)
		}
	}
}

func TestClean(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Obock\nville":           "Obock ville",
		"a\x00b":                 "ab",
		"\u202egnirts\u202c":     "gnirts",
		"Djibouti\u202f: fin":    "Djibouti\u202f: fin",
		string([]byte{0xff, 65}): "\uFFFDA",
	} {
		if got := draw.Clean(in); got != want {
			t.Errorf("Clean(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzLabel(f *testing.F) {
	for _, s := range []string{"Obock", `</text><script>alert(1)</script>`, `" onload="x`, "&amp;<10", "\x00\xff", "نقطة 12 (أ)", strings.Repeat("W", 5000), "a\u0301b", "]]>", "\ufffe"} {
		f.Add(s, 80.0)
	}
	f.Fuzz(func(t *testing.T, s string, max float64) {
		c := draw.NewCanvas(s, 300)
		c.Mark(s, s)
		c.Text(10, 20, s, draw.Style{})
		c.EndMark()
		d, err := drawtest.Parse(c.Bytes(100, "test", s, s, s))
		if err != nil {
			t.Fatal(err)
		}
		if len(d.Marks) != 1 || len(d.Texts) > 1 {
			t.Fatalf("a label made elements: %d marks, %d texts", len(d.Marks), len(d.Texts))
		}
		if !(max >= 0 && max < 5000) {
			return
		}
		clean := draw.Clean(s)
		if fit := draw.Fit(clean, 13, false, max); fit != "" && draw.Width(fit, 13, false) > max+0.01 && fit != "…" || !utf8.ValidString(fit) {
			t.Fatalf("Fit(%q, %g) = %q is %g wide", clean, max, fit, draw.Width(fit, 13, false))
		}
		lines := draw.Wrap(clean, 13, false, max, 3)
		if len(lines) == 0 || len(lines) > 3 {
			t.Fatalf("Wrap gave %d lines", len(lines))
		}
		for _, l := range lines {
			if draw.Width(l, 13, false) > max+0.01 && l != "…" {
				t.Fatalf("Wrap(%q, %g): %q is %g wide", clean, max, l, draw.Width(l, 13, false))
			}
		}
	})
}
