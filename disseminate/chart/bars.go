package chart

import (
	"math"

	"dtm/disseminate/chart/draw"
)

// Bars ranks things by horizontal bars that start at zero, in the order given.
type Bars struct {
	Head
	Axis           string `json:"axis"`    // what the labels name: "Point"
	Measure        string `json:"measure"` // what the values are: "Movements"
	Items          []Bar  `json:"items"`
	ReferenceLabel string `json:"reference_label,omitempty"` // what Bar.Reference is: "November 2022"

	more string // what is left out, said under the bars
}

// Bar is one bar.
type Bar struct {
	Label     string `json:"label"`
	Cell      Cell   `json:"cell"`
	Note      string `json:"note,omitempty"`      // after the value: "18%", "12 of 31 days"
	Tone      Tone   `json:"tone,omitempty"`      // colour
	Unknown   bool   `json:"unknown,omitempty"`   // of unknown kind: drawn apart, hatched
	Reference Cell   `json:"reference,omitempty"` // for comparison, a thin line across
}

// Tone is the part that a bar plays.
type Tone string

const (
	Plain    Tone = ""        // dark blue
	Accented Tone = "accent"  // the one to look at
	Quiet    Tone = "context" // the rest, grey
)

func (t Tone) shape() draw.Shape {
	switch t {
	case Accented:
		return draw.Shape{Class: "accent", Fill: draw.Accent}
	case Quiet:
		return draw.Shape{Class: "context", Fill: draw.Context}
	}
	return draw.Shape{Class: "main", Fill: draw.Main}
}

// Table has one row a bar.
func (b Bars) Table() Table {
	t := Table{Columns: []string{b.Axis, b.Measure}}
	if b.ReferenceLabel != "" {
		t.Columns = append(t.Columns, b.ReferenceLabel)
	}
	for _, i := range b.Items {
		row := []Field{text(i.Label), figure(i.Cell)}
		if b.ReferenceLabel != "" {
			row = append(row, figure(i.Reference))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// mostBars are drawn, more than a reader follows; the rest is in the table.
const mostBars = 60

// SVG draws the bars.
func (b Bars) SVG(o Options) []byte {
	o = o.fill()
	s := open(b.Head, o)
	items := make([]Bar, 0, len(b.Items))
	for _, unknown := range []bool{false, true} { // the unknown last
		for _, i := range b.Items {
			if i.Unknown == unknown {
				i.Label, i.Note = draw.Clean(i.Label), draw.Clean(i.Note)
				items = append(items, i)
			}
		}
	}
	if len(items) == 0 {
		s.note(o.Words.Missing)
		return s.close("bars")
	}
	if left := len(items) - mostBars; left > 0 {
		items = items[:mostBars]
		b.more = o.others(left)
	}
	labels := make([]string, len(items))
	hi, lo, tail, withheld, reference := 0.0, 0.0, 0.0, false, false
	for k, i := range items {
		labels[k] = i.Label
		v, ok := i.Cell.known()
		hi, lo = max(hi, v), min(lo, v)
		if r, has := i.Reference.known(); has && ok && b.ReferenceLabel != "" {
			hi, lo, reference = max(hi, r), min(lo, r), true
		}
		w := draw.Width(o.say(i.Cell), 13, true)
		if i.Note != "" {
			w += 6 + draw.Width(i.Note, 12, false)
		}
		tail = max(tail, w)
		withheld = withheld || i.Cell.Suppressed
	}
	if reference {
		s.legend([]swatch{{b.ReferenceLabel, draw.Shape{Class: "ink-line", Stroke: draw.Ink, Width: 2}, true}})
	}
	tail = math.Ceil(min(tail, s.w*0.45))
	g := rows(labels, s.w)
	left, head := g.left, 0.0
	if lo < 0 { // the values of negative bars stand left of them
		tail = min(tail, math.Floor((s.w-left)*0.33))
		head = tail + 6
	}
	room := s.w - left - head - tail - 8
	if lo < 0 && withheld { // their bars go right of the zero line whatever the scale
		room -= stub
	}
	unit := 0.0
	if hi-lo > 0 {
		unit = room / (hi - lo)
	}
	zero := left + head - lo*unit
	first := s.y
	s.y += 2
	for k, i := range items {
		if k > 0 && i.Unknown && !items[k-1].Unknown {
			s.y += 10
		}
		say := o.say(i.Cell)
		s.Mark(i.Label, joined(say, i.Note))
		s.rowLabel(g, i.Label)
		mid := s.y + g.bar()
		end, left := zero, zero
		switch v, ok := i.Cell.known(); {
		case i.Cell.Suppressed:
			end += stub
			s.Rect(zero, mid-g.thick/2, stub, g.thick, s.hatched(draw.Suppressed))
		case ok:
			shape := i.Tone.shape()
			if i.Unknown {
				shape = s.hatched(draw.Unknown)
			}
			w := math.Abs(v) * unit
			if v < 0 {
				left -= w
			} else {
				end += w
			}
			s.Rect(left, mid-g.thick/2, w, g.thick, shape)
			if r, has := i.Reference.known(); has && reference {
				x := zero + r*unit
				s.Line(x, mid-g.thick/2-3, x, mid+g.thick/2+3, draw.Shape{Class: "edge", Stroke: draw.Ground, Width: 4})
				s.Line(x, mid-g.thick/2-3, x, mid+g.thick/2+3, draw.Shape{Class: "ink-line", Stroke: draw.Ink, Width: 2})
				end, left = max(end, x), min(left, x)
			}
		}
		st := draw.Style{Bold: true}
		if _, ok := i.Cell.known(); !ok {
			st = draw.Style{Class: "mute", Bold: i.Cell.Suppressed}
		}
		say = draw.Fit(say, 13, st.Bold, tail)
		w := draw.Width(say, 13, st.Bold)
		if v, _ := i.Cell.known(); v < 0 {
			st.Anchor = draw.End
			s.Text(left-6, mid+4.5, say, st)
		} else {
			s.Text(end+6, mid+4.5, say, st)
			if i.Note != "" {
				s.Text(end+6+w+6, mid+4.5, draw.Fit(i.Note, 12, false, tail-w-5), draw.Style{Size: 12, Class: "mute"})
			}
		}
		s.EndMark()
		s.y += g.step
	}
	if !g.above {
		s.Line(zero, first, zero, s.y, draw.Shape{Class: "axis", Stroke: draw.Axis})
	}
	if withheld {
		s.legend([]swatch{{o.Words.Withheld, s.hatched(draw.Suppressed), false}})
	}
	s.note(b.more)
	return s.close("bars")
}

func joined(a, b string) string {
	if b == "" {
		return a
	}
	return a + " · " + b
}

// grid is how labelled rows share the width: labels beside their bars, or above
// them when the page is narrow and the labels are long.
type grid struct {
	left  float64 // where bars begin
	step  float64 // from row to row
	thick float64 // of a bar
	above bool
	lines int
}

func rows(labels []string, w float64) grid {
	widest := draw.Widest(labels, 13, false)
	limit := w * 0.36
	switch {
	case widest <= limit:
		return grid{left: widest + 10, step: 28, thick: 18, lines: 1}
	case w < 480:
		return grid{left: 0, step: 44, thick: 14, above: true, lines: 1}
	}
	return grid{left: limit + 10, step: 36, thick: 18, lines: 2}
}

// bar is the middle of the bar below the top of its row.
func (g grid) bar() float64 {
	if g.above {
		return 28
	}
	return g.step / 2
}

// rowLabel sets the label of the row that starts at the current height.
func (s *sheet) rowLabel(g grid, label string) { s.rowLabelAt(g, label, s.y+g.bar()) }

// rowLabelAt sets it about the given middle.
func (s *sheet) rowLabelAt(g grid, label string, mid float64) {
	if g.above {
		s.Text(0, s.y+14, draw.Fit(label, 13, false, s.w), draw.Style{})
		return
	}
	// The widest label is as wide as its column, but for the rounding of a sum.
	lines := draw.Wrap(label, 13, false, g.left-10+0.01, g.lines)
	y := mid + 4.5 - float64(len(lines)-1)*8
	for _, l := range lines {
		s.Text(0, y, l, draw.Style{})
		y += 16
	}
}
