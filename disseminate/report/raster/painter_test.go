package raster_test

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"dtm"
	"dtm/disseminate/chart"
	"dtm/disseminate/report"
	"dtm/disseminate/report/raster"
)

// cache is kept between runs, as that of the PDF engine is.
const cache = "../../../.cache/typst"

var shared = sync.OnceValues(func() (*raster.Painter, error) { return report.NewPainter(cache) })

func painter(t *testing.T) *raster.Painter {
	t.Helper()
	p, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// painted is the picture of a drawing; with DTM_LOOK=FOLDER it is kept there.
func painted(t *testing.T, p *raster.Painter, svg []byte) ([]byte, image.Image) {
	t.Helper()
	b, err := p.PNG(t.Context(), svg)
	if err != nil {
		t.Fatal(err)
	}
	if look := os.Getenv("DTM_LOOK"); look != "" {
		if err := os.WriteFile(filepath.Join(look, strings.ReplaceAll(t.Name(), "/", "-")+".png"), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	m, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return b, m
}

// ink is how many pixels of a part of a picture are not white, and how many colours the
// part has.
func ink(m image.Image, in image.Rectangle) (pixels, colours int) {
	met := map[color.Color]bool{}
	for y := in.Min.Y; y < in.Max.Y; y++ {
		for x := in.Min.X; x < in.Max.X; x++ {
			c := m.At(x, y)
			if r, g, b, a := c.RGBA(); a != 0xffff {
				return -1, 0
			} else if r != 0xffff || g != 0xffff || b != 0xffff {
				pixels++
			}
			met[c] = true
		}
	}
	return pixels, len(met)
}

func bars(last chart.Cell, source string) chart.Bars {
	return chart.Bars{Head: chart.Head{ID: "b", Title: "Obock counted the most", Subtitle: "Movements, December 2022", Source: source},
		Items: []chart.Bar{{Label: "Obock", Cell: chart.Of(1204)}, {Label: "Galafi", Cell: chart.Of(433)}, {Label: "Loyada", Cell: last}}}
}

var titled = chart.Options{Width: 640, Titled: true}

func TestPicture(t *testing.T) {
	t.Parallel()
	p := painter(t)
	svg := bars(chart.Of(77), "Source: X").SVG(titled)
	first, m := painted(t, p, svg)
	if w := m.Bounds().Dx(); w != 2*(640+32) {
		t.Errorf("%d pixels wide", w)
	}
	if pixels, colours := ink(m, m.Bounds()); pixels < 20_000 || colours < 20 {
		t.Errorf("%d pixels of %d colours: blank, or not on white", pixels, colours)
	}
	_, without := painted(t, p, bars(chart.Of(77), "").SVG(titled))
	if m.Bounds().Dy() <= without.Bounds().Dy() {
		t.Error("the source takes no room")
	}
	foot := image.Rect(0, m.Bounds().Dy()-80, m.Bounds().Dx(), m.Bounds().Dy())
	if pixels, _ := ink(m, foot); pixels < 200 {
		t.Errorf("the source is not in the picture: %d pixels", pixels)
	}
	other, err := report.NewPainter(cache)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { other.Close() })
	if again, _ := painted(t, other, svg); !bytes.Equal(first, again) {
		t.Error("another painter paints other bytes")
	}
}

// A picture shows what its drawing shows: of a withheld figure nothing, whatever it is.
func TestWithheldIsNotPainted(t *testing.T) {
	t.Parallel()
	p := painter(t)
	seven, eight := 7.0, 8.0
	a, _ := painted(t, p, bars(chart.Cell{Value: &seven, Suppressed: true}, "").SVG(titled))
	b, _ := painted(t, p, bars(chart.Cell{Value: &eight, Suppressed: true}, "").SVG(titled))
	if !bytes.Equal(a, b) {
		t.Error("the pictures of two withheld figures differ")
	}
	c, _ := painted(t, p, bars(chart.Of(7), "").SVG(titled))
	d, _ := painted(t, p, bars(chart.Of(8), "").SVG(titled))
	if bytes.Equal(a, c) || bytes.Equal(c, d) {
		t.Error("the pictures of published figures do not differ: nothing would be seen of a leak")
	}
}

// Letters are painted, not boxes: two words of the same length differ.
func TestScripts(t *testing.T) {
	t.Parallel()
	p := painter(t)
	for name, words := range map[string][2]string{"Latin": {"été à", "ète â"}, "Arabic": {"جيبوتي", "جيبورب"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var list [2][]byte
			for i, w := range words {
				o := titled
				if name == "Arabic" {
					o.Lang = dtm.Arabic
				}
				c := bars(chart.Of(1), "")
				c.Title = w
				var m image.Image
				list[i], m = painted(t, p, c.SVG(o))
				if pixels, _ := ink(m, image.Rect(0, 0, m.Bounds().Dx(), 70)); pixels < 300 {
					t.Errorf("the title %q has %d pixels", w, pixels)
				}
			}
			if bytes.Equal(list[0], list[1]) {
				t.Error("two words look the same")
			}
		})
	}
}

func TestBounds(t *testing.T) {
	t.Parallel()
	p := painter(t)
	box := func(size string) string {
		return `<svg xmlns="http://www.w3.org/2000/svg" class="c" viewBox="0 0 ` + size + `" width="1" height="1"><rect width="9" height="9" fill="#123456"/></svg>`
	}
	for name, c := range map[string]struct {
		svg  string
		kind dtm.Kind
	}{
		"no drawing":     {"<html>", dtm.Invalid},
		"no size":        {`<svg xmlns="http://www.w3.org/2000/svg"></svg>`, dtm.Invalid},
		"broken":         {box("90 90")[:100], dtm.Internal},
		"broad and high": {box("90000 90000"), dtm.TooLarge},
		"long":           {box("90 90") + strings.Repeat(" ", 2<<20), dtm.TooLarge},
	} {
		if b, err := p.PNG(t.Context(), []byte(c.svg)); dtm.KindOf(err) != c.kind || err == nil {
			t.Errorf("%s: %d bytes, %v", name, len(b), err)
		}
	}
	b, err := p.PNG(t.Context(), []byte(box("1500 2500"))) // twice as fine would be too large
	if err != nil {
		t.Fatal(err)
	}
	if c, err := png.DecodeConfig(bytes.NewReader(b)); err != nil || c.Width != 1532 {
		t.Errorf("a large drawing is painted %d wide: %v", c.Width, err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.PNG(ended, []byte(box("91 91"))); err != nil && dtm.KindOf(err) != dtm.Unavailable {
		t.Errorf("nobody waits any more: %v", err)
	}
	if _, err := raster.New([]byte("\x00asm\x01\x00\x00\x00"), nil, ""); dtm.KindOf(err) != dtm.Unsupported {
		t.Errorf("another build: %v", err)
	}
}

func TestPaintersTurns(t *testing.T) {
	t.Parallel()
	p, err := report.NewPainter(cache)
	if err != nil {
		t.Fatal(err)
	}
	var list [12][]byte
	var wg sync.WaitGroup
	for i := range list {
		wg.Go(func() {
			b, err := p.PNG(t.Context(), bars(chart.Of(float64(i%3)), "").SVG(titled))
			if err != nil {
				t.Error(err)
			}
			list[i] = b
		})
	}
	wg.Wait()
	for i := range list {
		if !bytes.Equal(list[i], list[i%3]) {
			t.Errorf("picture %d is another's", i)
		}
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if _, err := p.PNG(t.Context(), bars(chart.Of(99), "").SVG(titled)); dtm.KindOf(err) != dtm.Unavailable {
		t.Errorf("closed: %v", err)
	}
}
