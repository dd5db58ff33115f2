package chart

import (
	"slices"

	"dtm/disseminate/chart/draw"
)

// Mode is how the series of a row share it.
type Mode string

const (
	Stack Mode = ""      // end to end: the row's length is its total
	Group Mode = "group" // one bar each, on one scale
	Share Mode = "share" // end to end, every row stretched to the whole
)

// Stacked shows rows split by at most six series: age by sex, months by region.
type Stacked struct {
	Head
	Axis   string   `json:"axis"`   // what the rows are: "Age"
	Series []string `json:"series"` // at most six; the rest share a grey
	// UnknownSeries is 1 + the index of the series of unknown kind, drawn
	// hatched; 0: none.
	UnknownSeries int    `json:"unknown_series,omitempty"`
	Rows          []Row  `json:"rows"`
	Mode          Mode   `json:"mode,omitempty"`
	TotalLabel    string `json:"total_label,omitempty"` // column of totals in the table; "": none
}

// Row is one row of a Stacked: a cell per series.
type Row struct {
	Label   string `json:"label"`
	Cells   []Cell `json:"cells"`
	Total   *Cell  `json:"total,omitempty"`   // nil: the sum, when every cell is known
	Unknown bool   `json:"unknown,omitempty"` // a row of unknown kind: set apart
}

func (r Row) cell(i int) Cell {
	if i < len(r.Cells) {
		return r.Cells[i]
	}
	return Cell{}
}

// total is the row's total when one can be told: given, or the sum of cells none
// of which is withheld. A sum beside a withheld cell would say too much.
func (r Row) total() (Cell, bool) {
	if r.Total != nil {
		return *r.Total, true
	}
	sum, any := 0.0, false
	for _, c := range r.Cells {
		if c.Suppressed {
			return Cell{}, false
		}
		if v, ok := c.known(); ok {
			sum, any = sum+v, true
		}
	}
	return Cell{Value: &sum, About: r.about()}, any
}

// about tells whether a cell is only near: then so are the sum and every share.
func (r Row) about() bool { return slices.ContainsFunc(r.Cells, func(c Cell) bool { return c.About }) }

// Table has one row a row and one column a series.
func (c Stacked) Table() Table {
	t := Table{Columns: append([]string{c.Axis}, c.Series...)}
	if c.TotalLabel != "" {
		t.Columns = append(t.Columns, c.TotalLabel)
	}
	for _, r := range c.Rows {
		row := []Field{text(r.Label)}
		for i := range c.Series {
			row = append(row, figure(r.cell(i)))
		}
		if c.TotalLabel != "" {
			total, ok := r.total()
			if !ok {
				total = Cell{}
			}
			row = append(row, figure(total))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func (s *sheet) seriesShape(c Stacked, i int) draw.Shape {
	if i == c.UnknownSeries-1 {
		return s.hatched(draw.Unknown)
	}
	return series(i)
}

// SVG draws the rows.
func (c Stacked) SVG(o Options) []byte {
	o = o.fill()
	s := open(c.Head, o)
	list := make([]Row, 0, len(c.Rows))
	for _, unknown := range []bool{false, true} {
		for _, r := range c.Rows {
			if r.Unknown == unknown {
				r.Label = draw.Clean(r.Label)
				list = append(list, r)
			}
		}
	}
	if len(list) == 0 || len(c.Series) == 0 {
		s.note(o.Words.Missing)
		return s.close("stacked")
	}
	var key []swatch
	for i, name := range c.Series {
		key = append(key, swatch{name, s.seriesShape(c, i), false})
	}
	withheld := false
	labels := make([]string, len(list))
	for k, r := range list {
		labels[k] = r.Label
		for i := range c.Series {
			withheld = withheld || r.cell(i).Suppressed
		}
	}
	if withheld {
		key = append(key, swatch{o.Words.Withheld, s.hatched(draw.Suppressed), false})
	}
	s.legend(key)
	g := rows(labels, s.w)
	if c.Mode == Group {
		c.grouped(s, list, g)
	} else {
		c.stacked(s, list, g)
	}
	return s.close("stacked")
}

func (c Stacked) stacked(s *sheet, list []Row, g grid) {
	o := s.o
	sub := draw.Width(o.Words.Suppressed, 11, true) + 9
	tail := 0.0
	sums, stubs := make([]float64, len(list)), make([]float64, len(list))
	for k, r := range list {
		for i := range c.Series {
			if v, ok := r.cell(i).known(); ok {
				sums[k] += max(v, 0)
			} else if r.cell(i).Suppressed {
				stubs[k] += sub
			}
		}
		if t, ok := r.total(); ok {
			tail = max(tail, draw.Width(o.say(t), 13, true)+6)
		}
	}
	if c.Mode == Share {
		tail = 0
	}
	room := s.w - g.left - tail - 2
	if limit := room / float64(len(c.Series)+1); sub > limit { // many withheld cells on a narrow page
		for k := range stubs {
			stubs[k] *= limit / sub
		}
		sub = limit
	}
	unit := -1.0
	for k := range list {
		if sums[k] > 0 {
			if u := (room - stubs[k]) / sums[k]; unit < 0 || u < unit {
				unit = u
			}
		}
	}
	for k, r := range list {
		if k > 0 && r.Unknown && !list[k-1].Unknown {
			s.y += 10
		}
		if c.Mode == Share && sums[k] > 0 {
			unit = (room - stubs[k]) / sums[k]
		}
		s.rowLabel(g, r.Label)
		mid, x := s.y+g.bar(), g.left
		for i, name := range c.Series {
			cell := r.cell(i)
			v, ok := cell.known()
			if !ok && !cell.Suppressed || ok && v <= 0 {
				continue
			}
			say, w, shape := o.say(cell), max(v, 0)*unit, s.seriesShape(c, i)
			st := draw.Style{Size: 12, Anchor: draw.Middle, Fill: onSeries(i), Class: onClass(i)}
			if cell.Suppressed {
				w, shape = sub, s.hatched(draw.Suppressed)
			} else if c.Mode == Share && stubs[k] == 0 { // beside a withheld cell the whole is not known
				say = o.Percent(v / sums[k])
				if r.about() {
					say = About + say
				}
			}
			if cell.Suppressed || i == c.UnknownSeries-1 {
				st = draw.Style{Size: 11, Bold: true, Anchor: draw.Middle, Halo: true}
			}
			s.Mark(r.Label+", "+draw.Clean(name), shareSay(c.Mode, o, cell, say))
			s.Rect(x, mid-g.thick/2, max(w-1, min(w, 0.5)), g.thick, shape)
			room := 8.0
			if cell.Suppressed {
				room = 4
			}
			if draw.Width(say, st.Size, st.Bold)+room <= w {
				s.Text(x+w/2, mid+4.2, say, st)
			}
			s.EndMark()
			x += w
		}
		if t, ok := r.total(); ok && c.Mode == Stack {
			s.Text(x+6, mid+4.5, o.say(t), draw.Style{Bold: true})
		} else if !ok && x == g.left {
			s.Text(x+6, mid+4.5, draw.Fit(o.Words.Missing, 13, false, room-6), draw.Style{Class: "mute"})
		}
		s.y += g.step
	}
}

// shareSay gives the tooltip both the share and the count.
func shareSay(m Mode, o Options, c Cell, say string) string {
	if m == Share && say != o.say(c) {
		return o.say(c) + " · " + say
	}
	return say
}

func (c Stacked) grouped(s *sheet, list []Row, g grid) {
	o, n := s.o, float64(len(c.Series))
	hi, tail := 0.0, 0.0
	for _, r := range list {
		for i := range c.Series {
			hi = max(hi, top(r.cell(i)))
			tail = max(tail, draw.Width(o.say(r.cell(i)), 12, true)+6)
		}
	}
	room, unit := s.w-g.left-tail-2, 0.0
	if hi > 0 {
		unit = room / hi
	}
	const thick, pitch = 13.0, 16.0
	first := s.y
	for k, r := range list {
		if k > 0 && r.Unknown && !list[k-1].Unknown {
			s.y += 10
		}
		y := s.y + 4
		if g.above {
			y = s.y + 20
			s.rowLabel(g, r.Label)
		} else {
			s.rowLabelAt(g, r.Label, y+n*pitch/2-1)
		}
		for i, name := range c.Series {
			cell := r.cell(i)
			say := o.say(cell)
			s.Mark(r.Label+", "+draw.Clean(name), say)
			w, st := 0.0, draw.Style{Size: 12, Bold: true}
			if v, ok := cell.known(); ok {
				w = max(v, 0) * unit
				s.Rect(g.left, y, w, thick, s.seriesShape(c, i))
			} else {
				st.Class = "mute"
				if cell.Suppressed {
					w = stub
					s.Rect(g.left, y, w, thick, s.hatched(draw.Suppressed))
				}
			}
			s.Text(g.left+w+6, y+thick-2.5, say, st)
			s.EndMark()
			y += pitch
		}
		s.y = max(y+6, s.y+g.step)
	}
	if !g.above {
		s.Line(g.left, first, g.left, s.y, draw.Shape{Class: "axis", Stroke: draw.Axis})
	}
}

// onSeries is the text colour on a series' mark, and its class: dark or light,
// whichever keeps 4.5:1.
func onSeries(i int) string { return draw.On(draw.Series[min(i, len(draw.Series)-1)]) }

func onClass(i int) string {
	if onSeries(i) == draw.Ground {
		return "on-dark"
	}
	return "on-light"
}
