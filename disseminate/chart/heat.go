package chart

import (
	"math"
	"strconv"

	"dtm/disseminate/chart/draw"
)

// Heat is a table of origin by destination whose cells are shaded by value.
// Suppressed cells are hatched, missing ones empty. Where the width does not
// carry the columns, the pairs are drawn as a ranking instead.
type Heat struct {
	Head
	Axis    string    `json:"axis"`   // what the rows are: "From"
	Across  string    `json:"across"` // what the columns are: "To"
	Rows    []string  `json:"rows"`
	Columns []string  `json:"columns"`
	Cells   [][]Cell  `json:"cells"`            // by row, then column
	Totals  *HeatSums `json:"totals,omitempty"` // nil: none drawn
	Measure string    `json:"measure"`          // what the values are: "Movements"
}

// HeatSums are the totals of rows and columns, as guard lets them out.
type HeatSums struct {
	Rows    []Cell `json:"rows"`
	Columns []Cell `json:"columns"`
	All     Cell   `json:"all"`
	Label   string `json:"label,omitempty"` // of the row and column in the table; "": Σ
}

func (h *HeatSums) label() string {
	if h.Label == "" {
		return "Σ"
	}
	return h.Label
}

func (h Heat) cell(r, c int) Cell {
	if r < len(h.Cells) && c < len(h.Cells[r]) {
		return h.Cells[r][c]
	}
	return Cell{}
}

func at(list []Cell, i int) Cell {
	if i < len(list) {
		return list[i]
	}
	return Cell{}
}

// Table has one row a row; with Totals a last column and a last row.
func (h Heat) Table() Table {
	t := Table{Columns: append([]string{h.Axis + " \\ " + h.Across}, h.Columns...)}
	if h.Totals != nil {
		t.Columns = append(t.Columns, h.Totals.label())
	}
	for r, name := range h.Rows {
		row := []Field{text(name)}
		for c := range h.Columns {
			row = append(row, figure(h.cell(r, c)))
		}
		if h.Totals != nil {
			row = append(row, figure(at(h.Totals.Rows, r)))
		}
		t.Rows = append(t.Rows, row)
	}
	if h.Totals != nil {
		row := []Field{text(h.Totals.label())}
		for c := range h.Columns {
			row = append(row, figure(at(h.Totals.Columns, c)))
		}
		t.Rows = append(t.Rows, append(row, figure(h.Totals.All)))
	}
	return t
}

// SVG draws the table.
func (h Heat) SVG(o Options) []byte {
	o = o.fill()
	if len(h.Rows) == 0 || len(h.Columns) == 0 {
		s := open(h.Head, o)
		s.note(o.Words.Missing)
		return s.close("heat")
	}
	labels := make([]string, len(h.Rows))
	for i, r := range h.Rows {
		labels[i] = draw.Clean(r)
	}
	left := min(draw.Widest(labels, 13, false), o.Width*0.3) + 10
	hi, figures, totals := 0.0, 0.0, 0.0
	withheld := false
	for r := range h.Rows {
		for c := range h.Columns {
			hi = max(hi, top(h.cell(r, c)))
			figures = max(figures, h.width(o, h.cell(r, c), false))
			withheld = withheld || h.cell(r, c).Suppressed
		}
	}
	if h.Totals != nil {
		for r := range h.Rows {
			totals = max(totals, h.width(o, at(h.Totals.Rows, r), true)+10)
		}
		for c := range h.Columns {
			figures = max(figures, h.width(o, at(h.Totals.Columns, c), true))
		}
		totals = max(totals, h.width(o, h.Totals.All, true)+10, draw.Width(o.Words.Total, 12, true)+10)
	}
	n := float64(len(h.Columns))
	cell := min((o.Width-left-totals)/n, 110)
	if cell < figures+6 || cell < 30 || totals > o.Width*0.35 {
		return h.ranking(o)
	}
	s := open(h.Head, o)
	if withheld {
		s.legend([]swatch{{o.Words.Withheld, s.hatched(draw.Suppressed), false}})
	}
	s.columns(h, left, cell, totals)
	const tall = 30.0
	for r, name := range labels {
		mid := s.y + tall/2
		for k, l := range lines(name, left-10) {
			s.Text(0, mid+4.5+float64(k)*13-6.5*float64(len(lines(name, left-10))-1), l, draw.Style{Size: 13 - float64(bit(len(lines(name, left-10)) > 1)), Class: "ink"})
		}
		for c, to := range h.Columns {
			v := h.cell(r, c)
			x := left + cell*float64(c)
			s.Mark(name+" → "+draw.Clean(to), o.say(v))
			st := draw.Style{Size: 12, Anchor: draw.Middle}
			f, ok := v.known()
			switch {
			case v.Suppressed:
				s.Rect(x+1, s.y+1, cell-2, tall-2, s.hatched(draw.Suppressed))
				st.Bold, st.Halo = true, true
				s.Text(x+cell/2, mid+4.2, o.Words.Suppressed, st)
			case ok:
				step := draw.Step(f, hi)
				s.Rect(x+1, s.y+1, cell-2, tall-2, draw.Shape{Class: "q" + strconv.Itoa(step), Fill: draw.Sequence[step]})
				st.Fill, st.Class = draw.OnSequence(step), "on-q"+strconv.Itoa(step)
				s.Text(x+cell/2, mid+4.2, o.say(v), st)
			default:
				s.Rect(x+1, s.y+1, cell-2, tall-2, draw.Shape{Class: "empty", Fill: draw.Empty})
				st.Class = "mute"
				s.Text(x+cell/2, mid+4.2, "–", st)
			}
			s.EndMark()
		}
		if h.Totals != nil {
			s.Text(left+cell*n+totals-2, mid+4.2, o.say(at(h.Totals.Rows, r)), draw.Style{Size: 12, Bold: true, Anchor: draw.End})
		}
		s.y += tall
	}
	if h.Totals != nil {
		s.Line(0, s.y+2, left+cell*n+totals, s.y+2, draw.Shape{Class: "axis", Stroke: draw.Axis})
		s.Text(0, s.y+20, draw.Fit(o.Words.Total, 13, true, left-10), draw.Style{Bold: true})
		for c := range h.Columns {
			s.Text(left+cell*(float64(c)+0.5), s.y+20, o.say(at(h.Totals.Columns, c)), draw.Style{Size: 12, Bold: true, Anchor: draw.Middle})
		}
		s.Text(left+cell*n+totals-2, s.y+20, o.say(h.Totals.All), draw.Style{Size: 12, Bold: true, Anchor: draw.End})
		s.y += 26
	}
	return s.close("heat")
}

func lines(name string, w float64) []string {
	if draw.Width(name, 13, false) <= w {
		return []string{name}
	}
	return draw.Wrap(name, 12, false, w, 2)
}

// width is what a figure needs in its cell.
func (h Heat) width(o Options, c Cell, bold bool) float64 {
	if _, ok := c.known(); !ok && !c.Suppressed && !bold {
		return 8
	}
	return draw.Width(o.say(c), 12, bold || c.Suppressed)
}

// columns sets the heads of the columns: in up to three lines where their words
// fit, else turned upright.
func (s *sheet) columns(h Heat, left, cell, totals float64) {
	upright, most := false, 1
	heads := make([][]string, len(h.Columns))
	for c, name := range h.Columns {
		name = draw.Clean(name)
		heads[c] = draw.Wrap(name, 12, false, cell-4, 3)
		most = max(most, len(heads[c]))
		for _, l := range heads[c] {
			if len(l) >= len("…") && l[len(l)-len("…"):] == "…" {
				upright = true
			}
		}
	}
	s.y += 14
	s.Text(0, s.y, draw.Fit(draw.Clean(h.Axis)+" ↓", 12, false, left-10), draw.Style{Size: 12, Class: "mute"})
	across := "→ " + draw.Clean(h.Across)
	if s.o.RTL {
		across = draw.Clean(h.Across) + " ←"
	}
	s.Text(left+2, s.y, draw.Fit(across, 12, false, s.w-left-2), draw.Style{Size: 12, Class: "mute"})
	s.y += 6
	if upright {
		tall := 0.0
		for c, name := range h.Columns {
			name = draw.Fit(draw.Clean(name), 12, false, 120)
			heads[c] = []string{name}
			tall = max(tall, draw.Width(name, 12, false))
		}
		s.y += math.Ceil(tall) + 6
		for c := range h.Columns {
			s.Text(left+cell*(float64(c)+0.5)+4, s.y-4, heads[c][0], draw.Style{Size: 12, Turn: -90})
		}
	} else {
		s.y += float64(most)*14 + 4
		for c := range h.Columns {
			for k, l := range heads[c] {
				s.Text(left+cell*(float64(c)+0.5), s.y-6-14*float64(len(heads[c])-1-k), l, draw.Style{Size: 12, Anchor: draw.Middle})
			}
		}
	}
	if h.Totals != nil {
		s.Text(left+cell*float64(len(h.Columns))+totals-2, s.y-6, draw.Fit(s.o.Words.Total, 12, true, totals-8), draw.Style{Size: 12, Bold: true, Anchor: draw.End})
	}
}

// ranking draws the pairs as bars, largest first, those withheld last: what a
// phone can show of a matrix. Pairs beyond the twelfth are in the table only, and
// the drawing says how many they are.
func (h Heat) ranking(o Options) []byte {
	var known, withheld []Bar
	arrow := " → "
	if o.RTL {
		arrow = " ← "
	}
	for r, from := range h.Rows {
		for c, to := range h.Columns {
			v := h.cell(r, c)
			b := Bar{Label: draw.Clean(from) + arrow + draw.Clean(to), Cell: v}
			if f, ok := v.known(); ok && f != 0 {
				known = append(known, b)
			} else if v.Suppressed {
				withheld = append(withheld, b)
			}
		}
	}
	rank(known)
	list := append(known, withheld...)
	const most = 12
	b := Bars{Head: h.Head, Axis: h.Axis, Measure: h.Measure}
	if len(list) > most {
		b.more = o.others(len(list) - most)
		list = list[:most]
	}
	b.Items = list
	return b.SVG(o)
}
