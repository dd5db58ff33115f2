// Package drawtest checks drawings in tests: SVG bytes come in, faults go out.
package drawtest

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"dtm/disseminate/chart/draw"
)

// Drawing is what the checks look at.
type Drawing struct {
	Width, Height float64
	Texts         []Text
	Rects         []Rect
	Circles       []Circle
	Marks         []Mark
	Title, Desc   string
}

// Text is a text element and the box it takes.
type Text struct {
	S              string
	X1, Y1, X2, Y2 float64
	Fill           string
	Halo           bool
}

// Rect is a rectangle with the mark it belongs to ("" outside of marks).
type Rect struct {
	X, Y, W, H  float64
	Fill, Class string
	Mark        string
	Hit         bool
}

// Circle is a circle with the mark it belongs to.
type Circle struct {
	X, Y, R float64
	Fill    string
	Mark    string
}

// Mark is a figure's group.
type Mark struct{ Label, Value, Title string }

var (
	elements = map[string]bool{"svg": true, "title": true, "desc": true, "defs": true, "pattern": true, "g": true, "rect": true, "path": true, "circle": true, "text": true}
	forbid   = []string{"style", "href", "src", "onload", "onclick"}
)

// Parse reads a drawing and reports everything that a page, usvg or a screen
// reader could not take: malformed XML, unknown elements, styles, links, a root
// without role and labels, coordinates that are not numbers.
func Parse(svg []byte) (*Drawing, error) {
	d := &Drawing{}
	dec := xml.NewDecoder(bytes.NewReader(svg))
	var stack []string
	ids := map[string]bool{}
	var mark *Mark
	markDepth := 0
	var text *Text
	var size float64
	var bold bool
	var x, y, turn float64
	var anchor string
	labelled := ""
	for {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("not well-formed: %w", err)
		}
		switch e := tok.(type) {
		case xml.StartElement:
			name := e.Name.Local
			if !elements[name] {
				return nil, fmt.Errorf("element %s does not belong into a drawing", name)
			}
			a := map[string]string{}
			for _, at := range e.Attr {
				a[at.Name.Local] = at.Value
				for _, f := range forbid {
					if strings.EqualFold(at.Name.Local, f) {
						return nil, fmt.Errorf("attribute %s does not belong into a drawing", f)
					}
				}
			}
			if id := a["id"]; id != "" {
				if ids[id] {
					return nil, fmt.Errorf("id %q occurs twice", id)
				}
				ids[id] = true
			}
			num := func(k string) float64 {
				v, err2 := strconv.ParseFloat(a[k], 64)
				if err2 != nil || math.IsNaN(v) || math.IsInf(v, 0) {
					if a[k] != "" {
						err = fmt.Errorf("%s=%q is not a number", k, a[k])
					}
					return 0
				}
				return v
			}
			switch name {
			case "svg":
				if len(stack) > 0 {
					return nil, errors.New("a drawing inside a drawing")
				}
				d.Width, d.Height = num("width"), num("height")
				if a["role"] != "img" || a["aria-labelledby"] == "" {
					return nil, errors.New("the root lacks role or aria-labelledby")
				}
				labelled = a["aria-labelledby"]
			case "g":
				if a["class"] == "mark" {
					d.Marks = append(d.Marks, Mark{Label: a["data-label"], Value: a["data-value"]})
					mark, markDepth = &d.Marks[len(d.Marks)-1], len(stack)
				}
			case "rect":
				if contains(stack, "pattern") {
					break
				}
				r := Rect{X: num("x"), Y: num("y"), W: num("width"), H: num("height"), Fill: a["fill"], Class: a["class"], Hit: a["pointer-events"] != ""}
				if mark != nil {
					r.Mark = mark.Label
				}
				d.Rects = append(d.Rects, r)
			case "circle":
				c := Circle{X: num("cx"), Y: num("cy"), R: num("r"), Fill: a["fill"]}
				if mark != nil {
					c.Mark = mark.Label
				}
				d.Circles = append(d.Circles, c)
			case "text":
				text = &Text{Fill: a["fill"], Halo: a["paint-order"] == "stroke"}
				size, bold, x, y, anchor, turn = 13, a["font-weight"] == "600", num("x"), num("y"), a["text-anchor"], 0
				if a["font-size"] != "" {
					size = num("font-size")
				}
				if t := a["transform"]; strings.HasPrefix(t, "rotate(") {
					turn, _ = strconv.ParseFloat(strings.Fields(strings.TrimPrefix(t, "rotate("))[0], 64)
				}
				text.X1 = num("letter-spacing")
			}
			if err != nil {
				return nil, err
			}
			stack = append(stack, name)
		case xml.CharData:
			s := string(e)
			switch {
			case text != nil:
				text.S += s
			case len(stack) == 2 && stack[1] == "title":
				d.Title += s
			case len(stack) == 2 && stack[1] == "desc":
				d.Desc += s
			case mark != nil && stack[len(stack)-1] == "title":
				mark.Title += s
			}
		case xml.EndElement:
			stack = stack[:len(stack)-1]
			if mark != nil && len(stack) == markDepth {
				mark = nil
			}
			if e.Name.Local == "text" {
				space := text.X1
				w := draw.Width(text.S, size, bold) + space*float64(len([]rune(text.S)))
				left := map[string]float64{"": 0, "middle": -w / 2, "end": -w}[anchor]
				text.X1, text.X2, text.Y1, text.Y2 = x+left, x+left+w, y-size*0.78, y+size*0.22
				if turn != 0 { // upright: a quarter turn either way
					sign := math.Copysign(1, turn)
					y1, y2 := y+sign*left, y+sign*(left+w)
					text.X1, text.X2 = x-size*0.78, x+size*0.22
					if sign > 0 {
						text.X1, text.X2 = x-size*0.22, x+size*0.78
					}
					text.Y1, text.Y2 = min(y1, y2), max(y1, y2)
				}
				d.Texts = append(d.Texts, *text)
				text = nil
			}
		}
	}
	for _, id := range strings.Fields(labelled) {
		if !ids[id] {
			return nil, fmt.Errorf("aria-labelledby names %q, which is not there", id)
		}
	}
	return d, nil
}

func contains(list []string, s string) bool {
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}

// Faults lists what a reader would stumble over: texts that leave the drawing,
// texts that lie on each other, rectangles outside, text too faint for white.
func (d *Drawing) Faults() []string {
	var out []string
	fault := func(format string, a ...any) { out = append(out, fmt.Sprintf(format, a...)) }
	const slack = 0.6
	for i, t := range d.Texts {
		if t.X1 < -slack || t.Y1 < -slack || t.X2 > d.Width+slack || t.Y2 > d.Height+slack {
			fault("%q leaves the drawing: %.1f,%.1f to %.1f,%.1f of %.0f x %.0f", t.S, t.X1, t.Y1, t.X2, t.Y2, d.Width, d.Height)
		}
		for _, o := range d.Texts[:i] {
			if t.X1+slack < o.X2 && o.X1+slack < t.X2 && t.Y1+slack < o.Y2 && o.Y1+slack < t.Y2 {
				fault("%q lies on %q at %.1f,%.1f", t.S, o.S, t.X1, t.Y1)
			}
		}
		if c := d.ground(t); draw.Contrast(t.Fill, c) < 4.5 {
			fault("%q has a contrast of only %.1f on %s", t.S, draw.Contrast(t.Fill, c), c)
		}
	}
	for _, r := range d.Rects {
		if r.X < -slack || r.Y < -slack || r.X+r.W > d.Width+slack || r.Y+r.H > d.Height+slack {
			fault("a rectangle leaves the drawing: %.1f,%.1f %.1f x %.1f", r.X, r.Y, r.W, r.H)
		}
	}
	return out
}

// ground is the colour behind the middle of a text: the last rectangle there, or
// the page. Hatches count as the white halo that text on them has.
func (d *Drawing) ground(t Text) string {
	c := draw.Ground
	x, y := (t.X1+t.X2)/2, (t.Y1+t.Y2)/2
	for _, r := range d.Rects {
		if r.Hit || t.Halo || !strings.HasPrefix(r.Fill, "#") {
			continue
		}
		if x >= r.X && x <= r.X+r.W && y >= r.Y && y <= r.Y+r.H {
			c = r.Fill
		}
	}
	return c
}
