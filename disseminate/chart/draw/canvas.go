package draw

import (
	"bytes"
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Font is the family list of every drawing.
const Font = "Inter, 'Noto Sans Arabic', 'Noto Sans Ethiopic', sans-serif"

// Canvas collects the elements of one drawing. The zero value is not useful:
// NewCanvas.
type Canvas struct {
	// Mirror reflects what is drawn while it is set about the vertical middle of
	// the width, for languages written from right to left. Letters are not
	// reflected: text keeps its direction and swaps its anchor.
	Mirror bool

	body  bytes.Buffer
	id    string
	width float64
	hatch [3]bool
}

// NewCanvas starts a drawing of the given width in pixels. id becomes the prefix
// of every id inside the drawing; characters that an id cannot hold are dropped.
func NewCanvas(id string, width float64) *Canvas {
	var b strings.Builder
	for _, r := range id {
		if r < 0x80 && (unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == '_') && b.Len() < 64 {
			b.WriteRune(r)
		}
	}
	clean := b.String()
	if clean == "" || !unicode.IsLetter(rune(clean[0])) {
		clean = "c" + clean
	}
	return &Canvas{id: clean, width: width}
}

// ID is the cleaned prefix.
func (c *Canvas) ID() string { return c.id }

// Anchor says which part of a text its x is.
type Anchor uint8

const (
	Start  Anchor = iota // left end, when not mirrored
	Middle               // middle
	End                  // right end, when not mirrored
)

// Style is how a text is set. The zero value is 13 px regular in Ink.
type Style struct {
	Size   float64 // 0: 13
	Bold   bool
	Anchor Anchor
	Class  string // "": ink
	Fill   string // "": the class's own colour
	Halo   bool   // outlined with the ground, for text over lines
	Italic bool
	Space  float64 // letter spacing in px
	Turn   float64 // degrees, clockwise, about (x, y)
}

// Height is the size with its default.
func (s Style) height() float64 {
	if s.Size == 0 {
		return 13
	}
	return s.Size
}

// Text writes s with its baseline at y. Nothing is written for an empty string.
func (c *Canvas) Text(x, y float64, s string, st Style) {
	s = Clean(s)
	if s == "" {
		return
	}
	anchor := st.Anchor
	if c.Mirror {
		x = c.width - x
		anchor = [...]Anchor{End, Middle, Start}[anchor]
		st.Turn = -st.Turn
	}
	class, fill := st.Class, st.Fill
	if class == "" && fill == "" {
		class = "ink"
	}
	if fill == "" {
		fill = map[string]string{"ink": Ink, "mute": Mute, "warm": Warm}[class]
		if fill == "" {
			fill = Ink
		}
	}
	if st.Halo {
		class = strings.TrimSpace(class + " halo")
	}
	c.raw(`<text x="`, Num(x), `" y="`, Num(y), `"`)
	if class != "" {
		c.raw(` class="`, class, `"`)
	}
	c.raw(` fill="`, fill, `"`)
	if st.height() != 13 {
		c.raw(` font-size="`, Num(st.height()), `"`)
	}
	if st.Bold {
		c.raw(` font-weight="600"`)
	}
	if st.Italic {
		c.raw(` font-style="italic"`)
	}
	if st.Space != 0 {
		c.raw(` letter-spacing="`, Num(st.Space), `"`)
	}
	if anchor != Start {
		c.raw(` text-anchor="`, [...]string{"", "middle", "end"}[anchor], `"`)
	}
	if st.Halo {
		c.raw(` stroke="`, Ground, `" stroke-width="3" stroke-linejoin="round" paint-order="stroke"`)
	}
	if st.Turn != 0 {
		c.raw(` transform="rotate(`, Num(st.Turn), ` `, Num(x), ` `, Num(y), `)"`)
	}
	c.raw(`>`, Escape(mixed(s)), `</text>`)
}

// Shape is the look of an area or a line.
type Shape struct {
	Class   string
	Fill    string // "": none
	Stroke  string // "": none
	Width   float64
	Dash    string
	Opacity float64 // 0: 1
	Round   float64 // radius of a rectangle's corners
	Cap     string  // line cap and join: "round" or ""
}

func (c *Canvas) shape(s Shape) {
	if s.Class != "" {
		c.raw(` class="`, s.Class, `"`)
	}
	fill := s.Fill
	if fill == "" {
		fill = "none"
	}
	c.raw(` fill="`, fill, `"`)
	if s.Stroke != "" {
		c.raw(` stroke="`, s.Stroke, `"`)
		if s.Width != 0 && s.Width != 1 {
			c.raw(` stroke-width="`, Num(s.Width), `"`)
		}
		if s.Dash != "" {
			c.raw(` stroke-dasharray="`, s.Dash, `"`)
		}
		if s.Cap != "" {
			c.raw(` stroke-linecap="`, s.Cap, `" stroke-linejoin="round"`)
		}
	}
	if s.Opacity != 0 && s.Opacity != 1 {
		c.raw(` opacity="`, Num(s.Opacity), `"`)
	}
}

// Rect draws a rectangle; one without area is left out.
func (c *Canvas) Rect(x, y, w, h float64, s Shape) {
	if w <= 0 || h <= 0 {
		return
	}
	if c.Mirror {
		x = c.width - x - w
	}
	c.raw(`<rect x="`, Num(x), `" y="`, Num(y), `" width="`, Num(w), `" height="`, Num(h), `"`)
	if s.Round > 0 {
		c.raw(` rx="`, Num(math.Min(s.Round, w/2)), `"`)
	}
	c.shape(s)
	c.raw(`/>`)
}

// Line draws a straight line.
func (c *Canvas) Line(x1, y1, x2, y2 float64, s Shape) {
	if c.Mirror {
		x1, x2 = c.width-x1, c.width-x2
	}
	c.raw(`<path d="M`, Num(x1), ` `, Num(y1), `L`, Num(x2), ` `, Num(y2), `"`)
	c.shape(s)
	c.raw(`/>`)
}

// Circle draws a circle.
func (c *Canvas) Circle(x, y, r float64, s Shape) {
	if c.Mirror {
		x = c.width - x
	}
	c.raw(`<circle cx="`, Num(x), `" cy="`, Num(y), `" r="`, Num(r), `"`)
	c.shape(s)
	c.raw(`/>`)
}

// Path draws path data as it is; Mirror does not apply.
func (c *Canvas) Path(d string, s Shape) {
	c.raw(`<path d="`, d, `"`)
	c.shape(s)
	c.raw(`/>`)
}

// Poly draws a line through the points, closed when close.
func (c *Canvas) Poly(points [][2]float64, closed bool, s Shape) {
	var b strings.Builder
	for i, p := range points {
		x := p[0]
		if c.Mirror {
			x = c.width - x
		}
		b.WriteString([...]string{"L", "M"}[bit(i == 0)])
		b.WriteString(Num(x) + " " + Num(p[1]))
	}
	if closed {
		b.WriteString("Z")
	}
	c.Path(b.String(), s)
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Mark opens the group of one figure's drawing. label and value are what a
// tooltip shows: as a title element for the pointer, as data-label and
// data-value for a script. EndMark closes it.
func (c *Canvas) Mark(label, value string) {
	label, value = Shorten(Clean(label)), Shorten(Clean(value))
	c.raw(`<g class="mark" data-label="`, Escape(label), `" data-value="`, Escape(value), `"><title>`, Escape(label))
	if value != "" {
		c.raw(` · `, Escape(value))
	}
	c.raw(`</title>`)
}

// EndMark closes the group that Mark opened.
func (c *Canvas) EndMark() { c.raw("</g>") }

// Group opens a plain group with a class; EndMark closes it.
func (c *Canvas) Group(class string) { c.raw(`<g class="`, class, `">`) }

// Nest puts another drawing of the same width, its root first, at the height y, and gives
// its own height; 0 when it is no drawing of ours.
func (c *Canvas) Nest(y float64, svg []byte) float64 {
	m := root.FindSubmatch(svg)
	if m == nil {
		return 0
	}
	height, err := strconv.ParseFloat(string(m[1]), 64)
	if err != nil {
		return 0
	}
	c.raw(`<svg y="`, Num(y), `" `, strings.TrimSpace(string(svg[len("<svg"):])))
	return height
}

var root = regexp.MustCompile(`^<svg [^>]*\bheight="([0-9.]+)"`)

// Hatches: kinds of texture, for what has no exact value.
type Hatch uint8

const (
	Suppressed Hatch = iota // withheld: too few people
	Unknown                 // observed, but of unknown kind
	Fine                    // withheld, on small marks
)

// Fill returns the paint of a hatch, a reference to a pattern in the drawing.
func (c *Canvas) Fill(h Hatch) string {
	c.hatch[h] = true
	return "url(#" + c.id + [...]string{"-hs", "-hu", "-hf"}[h] + ")"
}

func (c *Canvas) raw(parts ...string) {
	for _, p := range parts {
		c.body.WriteString(p)
	}
}

// Bytes closes the drawing: the root element with its title and description,
// which are what a screen reader says, and everything drawn so far. class is
// added to the root's class.
func (c *Canvas) Bytes(height float64, class, lang, title, desc string) []byte {
	var b bytes.Buffer
	w := func(parts ...string) {
		for _, p := range parts {
			b.WriteString(p)
		}
	}
	w(`<svg xmlns="http://www.w3.org/2000/svg" class="dtm-svg `, class, `" viewBox="0 0 `, Num(c.width), ` `, Num(height),
		`" width="`, Num(c.width), `" height="`, Num(height), `" role="img" aria-labelledby="`, c.id, `-t `, c.id, `-d"`)
	if lang = langTag(lang); lang != "" {
		w(` lang="`, lang, `"`)
	}
	// On a page written from right to left an inherited direction would turn every
	// text-anchor round; usvg does not inherit one. Both draw from left to right.
	w(` direction="ltr" font-family="`, Font, `" font-size="13">`)
	w(`<title id="`, c.id, `-t">`, Escape(Clean(title)), `</title><desc id="`, c.id, `-d">`, Escape(Clean(desc)), `</desc>`)
	if c.hatch != [3]bool{} {
		w(`<defs>`)
		for i, used := range c.hatch {
			if used {
				w(`<pattern id="`, c.id, [...]string{"-hs", "-hu", "-hf"}[i], `"`, patterns[i], `</pattern>`)
			}
		}
		w(`</defs>`)
	}
	b.Write(c.body.Bytes())
	w("</svg>\n")
	return b.Bytes()
}

var patterns = [...]string{
	` width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="6" height="6" class="hatch-ground" fill="#ffffff"/><path d="M0 0V6" class="hatch" stroke="#52606d" stroke-width="3"/>`,
	` width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(-45)"><rect width="5" height="5" class="hatch-ground" fill="#ffffff"/><path d="M0 0V5" class="hatch" stroke="#84919d" stroke-width="2.4"/>`,
	` width="3" height="3" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="3" height="3" class="hatch-ground" fill="#ffffff"/><path d="M0 0V3" class="hatch" stroke="#52606d" stroke-width="2"/>`,
}

func langTag(s string) string {
	for _, r := range s {
		if !(r == '-' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9') {
			return ""
		}
	}
	return s
}

// Num writes a coordinate with at most one decimal, the precision of a page.
func Num(f float64) string {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return "0"
	}
	s := strconv.FormatFloat(f, 'f', 1, 64)
	s = strings.TrimSuffix(s, ".0")
	if s == "-0" {
		return "0"
	}
	return s
}

// Clean makes a label safe to draw: one line of valid UTF-8 of at most 2000
// bytes, without control characters and without the characters that change text
// direction, which could make a label read as another one.
func Clean(s string) string {
	if len(s) > 2000 {
		s = strings.ToValidUTF8(s[:2000], "") + "…"
	}
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	bad := func(r rune) bool {
		return r < 0x20 || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 ||
			r == 0xfffe || r == 0xffff || r == 0x2028 || r == 0x2029 || r == 0xfeff
	}
	if strings.IndexFunc(s, bad) < 0 {
		return s
	}
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\r' || r == '\t' || r == 0x2028 || r == 0x2029:
			return ' '
		case bad(r):
			return -1
		}
		return r
	}, s))
}

// Shorten cuts what a tooltip cannot use: more than 200 characters.
func Shorten(s string) string {
	n := 0
	for i := range s {
		if n++; n > 200 {
			return s[:i] + "…"
		}
	}
	return s
}

// Escape writes s for XML text and attribute values.
func Escape(s string) string { return escaper.Replace(s) }

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;")

// mixed prepares a text that mixes Arabic with digits, punctuation or Latin.
// First-strong isolates order it alike in a browser and in usvg, which knows no
// direction attribute. Signs that Noto Sans Arabic lacks are written in signs
// that it has: usvg takes one font for a text or, failing that, none.
func mixed(s string) string {
	arabic, other := false, false
	for _, r := range s {
		switch {
		case unicode.Is(unicode.Arabic, r) && !unicode.IsDigit(r):
			arabic = true
		case r != ' ':
			other = true
		}
	}
	if !arabic || !other {
		return s
	}
	return "\u2068" + strings.TrimSpace(lacking.Replace(s)) + "\u2069"
}

// The single guillemet turns with the direction of the text.
var lacking = strings.NewReplacer("→", "›", "←", "›", "↓", "", "↑", "", "≥", ">=", "≤", "<=")

// Hit draws an unseen rectangle that takes the pointer, so that a column of a
// line chart has a tooltip over its whole height.
func (c *Canvas) Hit(x, y, w, h float64) {
	if c.Mirror {
		x = c.width - x - w
	}
	c.raw(`<rect x="`, Num(x), `" y="`, Num(y), `" width="`, Num(w), `" height="`, Num(h), `" fill="none" pointer-events="all"/>`)
}
