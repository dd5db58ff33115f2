package chart

import (
	"math"
	"sort"

	"dtm/disseminate/chart/draw"
)

// rank sorts bars by value, largest first, equal ones by label.
func rank(list []Bar) {
	sort.SliceStable(list, func(i, j int) bool {
		a, _ := list[i].Cell.known()
		b, _ := list[j].Cell.known()
		if a != b {
			return a > b
		}
		return list[i].Label < list[j].Label
	})
}

// Pyramid sets two sexes back to back by age, on one scale. Rows of unknown age
// and the bar of unknown sex stand apart, hatched.
type Pyramid struct {
	Head
	Axis    string       `json:"axis"` // what the rows are: "Age"
	Left    string       `json:"left"`
	Right   string       `json:"right"`
	Rows    []PyramidRow `json:"rows"`              // youngest first or last, as given from top
	Unknown *Bar         `json:"unknown,omitempty"` // sex unknown, all ages
	All     string       `json:"all,omitempty"`     // the row of Unknown in the table: "All ages"; "": Σ
}

// PyramidRow is one age group.
type PyramidRow struct {
	Label   string `json:"label"`
	Left    Cell   `json:"left"`
	Right   Cell   `json:"right"`
	Unknown bool   `json:"unknown,omitempty"` // age unknown
}

// Table has one row an age group; those of unknown sex stand in a column of
// their own, in a last row for all ages.
func (p Pyramid) Table() Table {
	t := Table{Columns: []string{p.Axis, p.Left, p.Right}}
	if p.Unknown != nil {
		t.Columns = append(t.Columns, p.Unknown.Label)
	}
	for _, r := range p.Rows {
		row := []Field{text(r.Label), figure(r.Left), figure(r.Right)}
		if p.Unknown != nil {
			row = append(row, text(""))
		}
		t.Rows = append(t.Rows, row)
	}
	if p.Unknown != nil {
		all := p.All
		if all == "" {
			all = "Σ"
		}
		t.Rows = append(t.Rows, []Field{text(all), text(""), text(""), figure(p.Unknown.Cell)})
	}
	return t
}

// SVG draws the pyramid.
func (p Pyramid) SVG(o Options) []byte {
	o = o.fill()
	s := open(p.Head, o)
	s.Mirror = false // left is left: the sides are named
	list := make([]PyramidRow, 0, len(p.Rows))
	for _, unknown := range []bool{false, true} {
		for _, r := range p.Rows {
			if r.Unknown == unknown {
				r.Label = draw.Clean(r.Label)
				list = append(list, r)
			}
		}
	}
	if len(list) == 0 {
		s.note(o.Words.Missing)
		return s.close("pyramid")
	}
	labels := make([]string, len(list))
	hi, tail, withheld := 0.0, 0.0, false
	for i, r := range list {
		labels[i] = r.Label
		hi = max(hi, top(r.Left, r.Right))
		withheld = withheld || r.Left.Suppressed || r.Right.Suppressed
		for _, c := range []Cell{r.Left, r.Right} {
			tail = max(tail, draw.Width(o.say(c), 13, true)+6)
		}
	}
	middle := math.Ceil(min(draw.Widest(labels, 13, false), s.w*0.3)) + 20
	half := (s.w - middle) / 2
	tail = min(tail, half-4)
	unit := 0.0
	if hi > 0 {
		unit = (half - tail) / hi
	}
	a, b := half, half+middle // where the bars begin
	left := draw.Wrap(draw.Clean(p.Left), 13, true, half, 2)
	right := draw.Wrap(draw.Clean(p.Right), 13, true, half, 2)
	s.y += 16 * float64(max(len(left), len(right)))
	for k, l := range left {
		s.Text(a, s.y-16*float64(len(left)-1-k), l, draw.Style{Bold: true, Anchor: draw.End})
	}
	for k, l := range right {
		s.Text(b, s.y-16*float64(len(right)-1-k), l, draw.Style{Bold: true})
	}
	s.y += 6
	const tall, thick = 30.0, 20.0
	for i, r := range list {
		if i > 0 && r.Unknown && !list[i-1].Unknown {
			s.y += 10
		}
		mid := s.y + tall/2
		for k, l := range lines(r.Label, middle-20) {
			n := float64(len(lines(r.Label, middle-20)) - 1)
			s.Text(half+middle/2, mid+4.5+13*float64(k)-6.5*n, l, draw.Style{Size: 13 - float64(bit(n > 0)), Anchor: draw.Middle})
		}
		for side, c := range []Cell{r.Left, r.Right} {
			shape := series(side)
			if r.Unknown {
				shape = s.hatched(draw.Unknown)
			}
			say, st := o.say(c), draw.Style{Bold: true}
			w := 0.0
			if v, ok := c.known(); ok {
				w = max(v, 0) * unit
			} else {
				st.Class = "mute"
				if c.Suppressed {
					w, shape = min(stub, half-tail), s.hatched(draw.Suppressed)
				} else {
					say = draw.Fit(say, 13, true, half-6)
				}
			}
			say = draw.Fit(say, 13, true, half-w-6)
			name := p.Left
			if side == 1 {
				name = p.Right
			}
			s.Mark(r.Label+", "+draw.Clean(name), o.say(c))
			if side == 0 {
				s.Rect(a-w, mid-thick/2, w, thick, shape)
				st.Anchor = draw.End
				s.Text(a-w-6, mid+4.5, say, st)
			} else {
				s.Rect(b, mid-thick/2, w, thick, shape)
				s.Text(b+w+6, mid+4.5, say, st)
			}
			s.EndMark()
		}
		s.y += tall
	}
	if u := p.Unknown; u != nil { // centred: it belongs to neither side
		name, say := draw.Clean(u.Label), o.say(u.Cell)
		mid := s.w / 2
		s.y += 26
		s.Text(mid, s.y, draw.Fit(name, 13, false, s.w), draw.Style{Anchor: draw.Middle})
		s.y += 6
		s.Mark(name, say)
		w, room := 0.0, s.w-2*(draw.Width(say, 13, true)+8)
		if v, ok := u.Cell.known(); ok {
			w = max(v, 0) * unit
			if w > room { // longer than the page at the sides' scale: broken off, and said so
				w = room
			}
			s.Rect(mid-w/2, s.y, w, thick, s.hatched(draw.Unknown))
			if w >= room {
				s.Line(mid+w/2-10, s.y-3, mid+w/2-16, s.y+thick+3, draw.Shape{Class: "edge", Stroke: draw.Ground, Width: 4})
			}
		} else if u.Cell.Suppressed {
			w = stub
			withheld = true
			s.Rect(mid-w/2, s.y, w, thick, s.hatched(draw.Suppressed))
		}
		s.Text(mid+w/2+6, s.y+thick/2+4.5, say, draw.Style{Bold: true})
		s.EndMark()
		s.y += thick + 6
	}
	if withheld {
		s.Mirror = o.RTL
		s.legend([]swatch{{o.Words.Withheld, s.hatched(draw.Suppressed), false}})
	}
	return s.close("pyramid")
}
