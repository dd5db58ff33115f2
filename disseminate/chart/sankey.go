package chart

import (
	"math"
	"slices"

	"dtm/disseminate/chart/draw"
)

// Sankey shows how many go from where to where: a bar for each origin on one side, for
// each destination on the other, and a ribbon for each pair, as wide as its count. A
// withheld pair is a hatched ribbon of one width, whatever it hides.
type Sankey struct {
	Head
	From    string `json:"from"`    // what stands on the first side
	To      string `json:"to"`      // what stands on the second
	Measure string `json:"measure"` // what the values are
	Links   []Link `json:"links"`
}

// Link is one pair.
type Link struct {
	From string `json:"from"`
	To   string `json:"to"`
	Cell Cell   `json:"cell"`
}

// Table has one row a pair.
func (c Sankey) Table() Table {
	t := Table{Columns: []string{c.From, c.To, c.Measure}}
	for _, l := range c.Links {
		t.Rows = append(t.Rows, []Field{text(l.From), text(l.To), figure(l.Cell)})
	}
	return t
}

// end is a bar on a side.
type end struct {
	name    string
	sum     float64
	about   bool
	hidden  bool // something of it is withheld: the sum is not all
	y, tall float64
	used    float64
}

// mostEnds are the bars on a side; the rest is in the table.
const mostEnds = 7

// SVG draws the ribbons.
func (c Sankey) SVG(o Options) []byte {
	o = o.fill()
	s := open(c.Head, o)
	sides := [2][]end{}
	for _, l := range c.Links {
		v, known := l.Cell.known()
		if !known && !l.Cell.Suppressed {
			continue
		}
		for side, name := range [2]string{draw.Clean(l.From), draw.Clean(l.To)} {
			i := slices.IndexFunc(sides[side], func(e end) bool { return e.name == name })
			if i < 0 {
				i, sides[side] = len(sides[side]), append(sides[side], end{name: name})
			}
			e := &sides[side][i]
			e.sum += max(v, 0)
			e.about = e.about || l.Cell.About
			e.hidden = e.hidden || l.Cell.Suppressed
		}
	}
	left := 0
	for side := range sides {
		slices.SortStableFunc(sides[side], func(a, b end) int {
			switch {
			case a.sum > b.sum:
				return -1
			case a.sum < b.sum:
				return 1
			}
			return 0
		})
		left = max(left, len(sides[side])-mostEnds)
		sides[side] = sides[side][:min(mostEnds, len(sides[side]))]
	}
	find := func(side int, name string) *end {
		i := slices.IndexFunc(sides[side], func(e end) bool { return e.name == name })
		if i < 0 {
			return nil
		}
		return &sides[side][i]
	}
	type ribbon struct {
		a, b *end
		cell Cell
		wide float64
	}
	var list []ribbon
	all, withheld := 0.0, false
	for _, l := range c.Links {
		a, b := find(0, draw.Clean(l.From)), find(1, draw.Clean(l.To))
		v, known := l.Cell.known()
		if a == nil || b == nil || !known && !l.Cell.Suppressed || known && v <= 0 {
			continue
		}
		list = append(list, ribbon{a: a, b: b, cell: l.Cell})
		all += max(v, 0)
		withheld = withheld || l.Cell.Suppressed
	}
	if len(list) == 0 {
		s.note(o.Words.Missing)
		return s.close("sankey")
	}
	const thin, tall, thick = 6.0, 300.0, 12.0 // of a withheld ribbon; of all; of a bar
	unit := 0.0
	if all > 0 {
		unit = tall / all
	}
	for i := range list {
		r := &list[i]
		v, ok := r.cell.known()
		if r.wide = thin; ok {
			r.wide = max(v*unit, 0.8)
		}
		r.a.tall += r.wide
		r.b.tall += r.wide
	}
	room := 0.0
	for _, ends := range sides {
		for _, e := range ends {
			room = max(room, draw.Width(e.name, 13, true))
		}
	}
	room = math.Ceil(min(max(room, 60), s.w*0.3)) + 8
	x0, x1 := room, s.w-room
	s.y += 16
	s.Text(x0+thick, s.y, draw.Fit(draw.Clean(c.From), 12, false, (x1-x0)/2-thick-6), draw.Style{Size: 12, Class: "mute"})
	s.Text(x1-thick, s.y, draw.Fit(draw.Clean(c.To), 12, false, (x1-x0)/2-thick-6), draw.Style{Size: 12, Class: "mute", Anchor: draw.End})
	s.y += 10
	first, bottom := s.y, 0.0
	heights := [2]float64{}
	const slot, gap = 30.0, 8.0 // a name and its number need so much
	for side := range sides {
		for i := range sides[side] {
			heights[side] += max(sides[side][i].tall, slot) + gap
		}
		bottom = max(bottom, heights[side])
	}
	for side := range sides {
		y := first + (bottom-heights[side])/2
		for i := range sides[side] {
			e := &sides[side][i]
			took := max(e.tall, slot)
			e.y = y + (took-e.tall)/2
			y += took + gap
		}
	}
	slices.SortStableFunc(list, func(a, b ribbon) int { // in the order of the bars, so that ribbons cross little
		if a.a.y != b.a.y {
			return int(math.Copysign(1, a.a.y-b.a.y))
		}
		if a.b.y != b.b.y {
			return int(math.Copysign(1, a.b.y-b.b.y))
		}
		return 0
	})
	across := func(x float64) float64 {
		if s.Mirror {
			return s.w - x
		}
		return x
	}
	arrow := " → "
	if s.Mirror {
		arrow = " ← "
	}
	for _, r := range list {
		rank := slices.IndexFunc(sides[0], func(e end) bool { return e.name == r.a.name })
		shape := series(min(rank, len(draw.Series)-1))
		shape.Opacity = 0.55
		if r.cell.Suppressed {
			shape = s.hatched(draw.Suppressed)
		}
		ya, yb := r.a.y+r.a.used, r.b.y+r.b.used
		r.a.used += r.wide
		r.b.used += r.wide
		xa, xb := across(x0+thick), across(x1-thick)
		mid := (xa + xb) / 2
		s.Mark(r.a.name+arrow+r.b.name, o.say(r.cell))
		n := draw.Num
		s.Path("M"+n(xa)+" "+n(ya)+"C"+n(mid)+" "+n(ya)+" "+n(mid)+" "+n(yb)+" "+n(xb)+" "+n(yb)+
			"L"+n(xb)+" "+n(yb+r.wide)+"C"+n(mid)+" "+n(yb+r.wide)+" "+n(mid)+" "+n(ya+r.wide)+" "+n(xa)+" "+n(ya+r.wide)+"Z", shape)
		s.EndMark()
	}
	for side, ends := range sides {
		for i, e := range ends {
			x, at, anchor := x0, x0-8, draw.End
			shape := series(min(i, len(draw.Series)-1))
			if side == 1 {
				x, at, anchor, shape = x1-thick, x1+8, draw.Start, draw.Shape{Class: "context", Fill: draw.Context}
			}
			s.Mark(e.name, c.sum(o, e))
			s.Rect(x, e.y, thick, max(e.tall, 1), shape)
			mid := e.y + e.tall/2
			s.Text(at, mid-2, draw.Fit(e.name, 13, true, room-8), draw.Style{Bold: true, Anchor: anchor})
			s.Text(at, mid+13, draw.Fit(c.sum(o, e), 12, false, room-8), draw.Style{Size: 12, Class: "mute", Anchor: anchor})
			s.EndMark()
		}
	}
	s.y = first + bottom
	if withheld {
		s.legend([]swatch{{o.Words.Withheld, s.hatched(draw.Suppressed), false}})
	}
	if left > 0 {
		s.note(o.others(left))
	}
	return s.close("sankey")
}

// sum says what a bar is of: of one with something withheld no total, which would give
// that away.
func (c Sankey) sum(o Options, e end) string {
	if e.hidden {
		return ""
	}
	v := e.sum
	return o.say(Cell{Value: &v, About: e.about})
}
