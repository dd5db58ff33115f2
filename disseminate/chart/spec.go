package chart

import (
	"math"
	"strconv"
	"strings"

	"dtm"
	"dtm/disseminate/chart/draw"
)

// Chart is a specification that can be drawn and tabled.
type Chart interface {
	// SVG draws the chart. The same specification and options give the same bytes.
	SVG(o Options) []byte
	// Table gives the chart's figures as rows.
	Table() Table
}

var _ = []Chart{Bars{}, Stacked{}, Trend{}, Heat{}, Pyramid{}, Multiples{}, Sankey{}, Calendar{}}

// Cell is one figure: a value, a withheld value (Suppressed) or, with neither,
// no observation.
type Cell struct {
	Value      *float64 `json:"value"`
	Suppressed bool     `json:"suppressed,omitempty"`
	About      bool     `json:"about,omitempty"` // Value is a round neighbour of one that is withheld
}

// Of is a known figure.
func Of(v float64) Cell { return Cell{Value: &v} }

// Withheld is a suppressed figure.
func Withheld() Cell { return Cell{Suppressed: true} }

// FromFigure takes over an indicator's figure.
func FromFigure(f dtm.Figure) Cell {
	if f.Suppressed && f.About != nil {
		return Cell{Value: f.About, About: true}
	}
	if f.Suppressed {
		return Withheld()
	}
	return Cell{Value: f.Value}
}

// known returns the value only when it may and can be drawn: no count or rate
// has more than fifteen digits, the most that a float64 holds exactly.
func (c Cell) known() (float64, bool) {
	if c.Suppressed || c.Value == nil || math.IsNaN(*c.Value) || math.Abs(*c.Value) > 1e15 {
		return 0, false
	}
	return *c.Value, true
}

// Head is what every chart has.
type Head struct {
	ID       string   `json:"id"`                 // prefix of the ids in the drawing; unique on its page
	Title    string   `json:"title"`              // the finding in a sentence
	Subtitle string   `json:"subtitle,omitempty"` // measure, unit, period, coverage
	Alt      string   `json:"alt,omitempty"`      // alternative text; "": the subtitle
	Source   string   `json:"source,omitempty"`   // credit line, release
	Notes    []string `json:"notes,omitempty"`    // caveats, one line each
}

// Headed is the chart with another head.
func Headed(c Chart, h Head) Chart {
	switch x := c.(type) {
	case Bars:
		x.Head = h
		return x
	case Stacked:
		x.Head = h
		return x
	case Trend:
		x.Head = h
		return x
	case Heat:
		x.Head = h
		return x
	case Pyramid:
		x.Head = h
		return x
	case Multiples:
		x.Head = h
		return x
	case Sankey:
		x.Head = h
		return x
	case Calendar:
		x.Head = h
		return x
	}
	return c
}

// Options say for whom a chart is drawn. The zero value draws in English, 640 px
// wide, without the title.
type Options struct {
	Width  float64              // px; 0: 640; never below 280
	Lang   dtm.Lang             // "": English
	RTL    bool                 // labels on the right; implied by Lang
	Titled bool                 // draw title, subtitle, notes and source into the picture (embed, e-mail, download)
	Number func(float64) string // nil: no grouping, at most two decimals
	// Percent writes a share, 0 to 1; nil: "42%", in French "42 %".
	Percent func(float64) string
	Words   Words // empty ones are filled in Lang if that is English, French or Arabic, else in English
}

func (o Options) fill() Options {
	if !(o.Width > 0) {
		o.Width = 640
	}
	o.Width = math.Round(min(max(o.Width, 280), 2400))
	o.RTL = o.RTL || o.Lang.RTL()
	if o.Lang == "" {
		o.Lang = dtm.English
	}
	if o.Number == nil {
		o.Number = func(v float64) string { return strconv.FormatFloat(math.Round(v*100)/100, 'f', -1, 64) }
	}
	if o.Percent == nil {
		sign := "%"
		if o.Lang == dtm.French {
			sign = "\u202f%"
		}
		o.Percent = func(v float64) string { return strconv.FormatFloat(math.Round(v*100), 'f', 0, 64) + sign }
	}
	o.Words = o.Words.or(o.Lang)
	return o
}

// others says that n more are in the table.
func (o Options) others(n int) string { return "+" + o.Number(float64(n)) + " " + o.Words.Other }

// About stands before a number that is only near.
const About = "≈\u2009"

// say writes a figure for people.
func (o Options) say(c Cell) string {
	if c.Suppressed {
		return o.Words.Suppressed
	}
	if v, ok := c.known(); ok && c.About {
		return About + o.Number(v)
	} else if ok {
		return o.Number(v)
	}
	return o.Words.Missing
}

// Table is a chart's figures as rows. The first column names the row.
type Table struct {
	Columns []string
	Rows    [][]Field
}

// Field is a field of a Table: a text, or a figure when Figure is set.
type Field struct {
	Text   string
	Figure bool
	Cell   Cell
}

func text(s string) Field { return Field{Text: s} }
func figure(c Cell) Field { return Field{Figure: true, Cell: c} }

// Text gives the rows as a page shows them, figures by o.Number.
func (t Table) Text(o Options) [][]string {
	o = o.fill()
	return t.rows(func(c Cell) string { return o.say(c) })
}

// Records gives the rows for a CSV file: figures as plain numbers with a decimal
// point, suppressed ones as the given word ("<10"), missing ones empty; what stands for
// a suppressed one as a round number has the sign of it (≈650), so that nobody takes it
// for the count. Texts that a spreadsheet would read as a formula begin with an apostrophe.
func (t Table) Records(suppressed string) [][]string {
	rows := t.rows(func(c Cell) string {
		if c.Suppressed {
			return suppressed
		}
		v, ok := c.known()
		switch n := strconv.FormatFloat(v, 'f', -1, 64); {
		case !ok:
			return ""
		case c.About:
			return strings.TrimSpace(About) + n
		default:
			return n
		}
	})
	for i, row := range t.Rows {
		for j, f := range row {
			if !f.Figure && strings.ContainsAny(firstByte(f.Text), "=+-@\t\r") {
				rows[i][j] = "'" + f.Text
			}
		}
	}
	return rows
}

func firstByte(s string) string {
	if s == "" {
		return ""
	}
	return s[:1]
}

func (t Table) rows(say func(Cell) string) [][]string {
	out := make([][]string, len(t.Rows))
	for i, row := range t.Rows {
		out[i] = make([]string, len(row))
		for j, f := range row {
			out[i][j] = f.Text
			if f.Figure {
				out[i][j] = say(f.Cell)
			}
		}
	}
	return out
}

// sheet is a chart while it is drawn: the canvas and how far down it is.
type sheet struct {
	*draw.Canvas
	o Options
	h Head
	w float64
	y float64
}

func open(h Head, o Options) *sheet {
	s := &sheet{Canvas: draw.NewCanvas(h.ID, o.Width), o: o, h: h, w: o.Width}
	s.Mirror = o.RTL
	if o.Titled {
		s.paragraph(h.Title, draw.Style{Size: 17, Bold: true}, 22, 4)
		s.paragraph(h.Subtitle, draw.Style{Class: "mute"}, 18, 4)
		s.y += 10
	}
	return s
}

// paragraph sets a wrapped text at the current height and moves below it.
func (s *sheet) paragraph(t string, st draw.Style, leading float64, lines int) {
	if t = draw.Clean(t); t == "" {
		return
	}
	size := st.Size
	if size == 0 {
		size = 13
	}
	for _, l := range draw.Wrap(t, size, st.Bold, s.w, lines) {
		s.y += leading
		s.Text(0, s.y-leading*0.25, l, st)
	}
}

func (s *sheet) close(kind string) []byte {
	s.Mirror = s.o.RTL
	if s.o.Titled {
		s.y += 6
		for _, n := range s.h.Notes {
			s.paragraph(n, draw.Style{Size: 11, Class: "mute"}, 16, 3)
		}
		s.paragraph(s.h.Source, draw.Style{Size: 11, Class: "mute"}, 16, 3)
	}
	alt := s.h.Alt
	if alt == "" {
		alt = s.h.Subtitle
	}
	return s.Bytes(math.Ceil(s.y+2), kind, string(s.o.Lang), s.h.Title, alt)
}

// Framed puts a drawing that has no titles of its own, a map, between those of a chart.
func Framed(h Head, o Options, drawing []byte) []byte {
	o = o.fill()
	o.Titled = true
	s := open(h, o)
	s.y += s.Nest(s.y, drawing)
	return s.close("map")
}

// note writes a small line under the drawing.
func (s *sheet) note(t string) {
	s.paragraph(t, draw.Style{Size: 11, Class: "mute"}, 16, 2)
}

// swatch is an entry of a legend.
type swatch struct {
	label string
	shape draw.Shape
	line  bool
}

// legend sets swatches in rows and moves below them.
func (s *sheet) legend(list []swatch) {
	if len(list) == 0 {
		return
	}
	const size, box, gap = 12.0, 12.0, 16.0
	x := 0.0
	s.y += 16
	for _, e := range list {
		label := draw.Fit(draw.Clean(e.label), size, false, s.w-box-6)
		w := box + 6 + draw.Width(label, size, false)
		if x > 0 && x+w > s.w {
			x = 0
			s.y += 20
		}
		if e.line {
			s.Line(x, s.y-4, x+box, s.y-4, e.shape)
		} else {
			s.Rect(x, s.y-10, box, box, e.shape)
		}
		s.Text(x+box+6, s.y, label, draw.Style{Size: size, Class: "mute"})
		x += w + gap
	}
	s.y += 12
}

// series is the shape of the i-th of at most six categories; the rest are grey.
func series(i int) draw.Shape {
	i = min(i, len(draw.Series)-1)
	return draw.Shape{Class: "s" + strconv.Itoa(i+1), Fill: draw.Series[i]}
}

func (s *sheet) hatched(h draw.Hatch) draw.Shape {
	return draw.Shape{Class: "axis", Fill: s.Fill(h), Stroke: draw.Axis, Width: 0.8}
}

// stub is the length of a withheld bar: the same whatever it hides.
const stub = 14.0
