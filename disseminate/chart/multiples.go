package chart

import (
	"dtm/disseminate/chart/draw"
)

// Multiples is one small trend a panel, over the same steps and on one scale
// unless Free. Panels stand in rows of as many as the width carries.
type Multiples struct {
	Head
	Axis   string  `json:"axis"` // what the steps are: "Month"
	Steps  []Step  `json:"steps"`
	Panels []Panel `json:"panels"`
	Free   bool    `json:"free,omitempty"` // each panel has its own scale; FreeNote says so
	// FreeNote is the sentence under the drawing when Free is set.
	FreeNote string `json:"free_note,omitempty"`
}

// Panel is one small trend.
type Panel struct {
	Label string `json:"label"`
	Code  string `json:"code,omitempty"` // of what it shows; not drawn
	Cells []Cell `json:"cells"`
	Note  string `json:"note,omitempty"` // coverage: "310 of 365 days"
	Band  *Range `json:"band,omitempty"` // expected range
}

// Table has one row a step and one column a panel.
func (m Multiples) Table() Table {
	t := Table{Columns: []string{m.Axis}}
	for _, p := range m.Panels {
		t.Columns = append(t.Columns, p.Label)
	}
	for i, step := range m.Steps {
		row := []Field{text(step.name())}
		for _, p := range m.Panels {
			row = append(row, figure(at(p.Cells, i)))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// mostPanels are drawn, the first ones; the rest is in the table.
const mostPanels = 24

// SVG draws the panels.
func (m Multiples) SVG(o Options) []byte {
	o = o.fill()
	s := open(m.Head, o)
	if len(m.Steps) == 0 || len(m.Panels) == 0 {
		s.note(o.Words.Missing)
		return s.close("multiples")
	}
	left := len(m.Panels) - mostPanels
	m.Panels = m.Panels[:min(mostPanels, len(m.Panels))]
	gap, withheld := false, false
	all := 0.0
	for _, p := range m.Panels {
		for i := range m.Steps {
			c := at(p.Cells, i)
			_, ok := c.known()
			gap = gap || !ok && !c.Suppressed
			withheld = withheld || c.Suppressed
			_, hi, _ := p.Band.at(i)
			all = max(all, top(c), hi)
		}
	}
	var key []swatch
	for _, p := range m.Panels {
		if p.Band != nil {
			key = append(key, swatch{p.Band.Label, draw.Shape{Class: "band", Fill: draw.Band}, false})
			break
		}
	}
	if gap {
		key = append(key, swatch{o.Words.Missing, draw.Shape{Class: "empty", Fill: draw.Empty, Stroke: draw.Rule}, false})
	}
	if withheld {
		key = append(key, swatch{o.Words.Withheld, s.hatched(draw.Suppressed), false})
	}
	s.legend(key)
	s.Mirror = false
	n := max(1, min(4, int((s.w+24)/(150+24)), len(m.Panels)))
	w := (s.w - 24*float64(n-1)) / float64(n)
	const head, plot = 40.0, 74.0
	first, last := m.Steps[0], m.Steps[len(m.Steps)-1]
	for k, p := range m.Panels {
		col := float64(k % n)
		if o.RTL { // panels are read from the right, each from the left
			col = float64(n-1) - col
		}
		x := (w + 24) * col
		hi := all
		if m.Free {
			hi = top(p.Cells...)
			for i := range m.Steps {
				_, b, _ := p.Band.at(i)
				hi = max(hi, b)
			}
		}
		if hi <= 0 {
			hi = 1
		}
		f := frame{left: x, right: x + w, top: s.y + head, bottom: s.y + head + plot, n: len(m.Steps), hi: hi}
		m.panel(s, p, f)
		a, b := draw.Clean(first.name()), draw.Clean(last.name())
		if len(m.Steps) == 1 {
			a = ""
		}
		for _, short := range [][2]string{{first.Label + " " + first.Group, last.Label + " " + last.Group}, {first.Label, last.Label}} {
			if draw.Width(a, 11, false)+draw.Width(b, 11, false)+10 > w {
				a, b = draw.Clean(short[0]), draw.Clean(short[1])
			}
		}
		a, b = draw.Fit(a, 11, false, w/2-5), draw.Fit(b, 11, false, w/2-5)
		s.Text(x, f.bottom+14, a, draw.Style{Size: 11, Class: "mute"})
		s.Text(x+w, f.bottom+14, b, draw.Style{Size: 11, Class: "mute", Anchor: draw.End})
		if k%n == n-1 || k == len(m.Panels)-1 {
			s.y = f.bottom + 30
		}
	}
	s.Mirror = o.RTL
	if left > 0 {
		s.note(o.others(left))
	}
	if m.Free {
		s.note(m.FreeNote)
	}
	return s.close("multiples")
}

func (m Multiples) panel(s *sheet, p Panel, f frame) {
	w := f.right - f.left
	last := at(p.Cells, len(m.Steps)-1)
	st := draw.Style{Size: 13, Bold: true, Class: "warm", Anchor: draw.End}
	if _, ok := last.known(); !ok {
		st.Size, st.Bold, st.Class = 12, false, "mute"
	}
	value := draw.Fit(s.o.say(last), st.Size, st.Bold, w*0.65)
	label := draw.Fit(draw.Clean(p.Label), 13, true, w-draw.Width(value, st.Size, st.Bold)-8)
	note := draw.Fit(draw.Clean(p.Note), 11, false, w)
	near, far, anchor := f.left, f.right, draw.Start
	if s.o.RTL {
		near, far, anchor, st.Anchor = f.right, f.left, draw.End, draw.Start
	}
	s.Text(near, f.top-24, label, draw.Style{Bold: true, Anchor: anchor})
	s.Text(far, f.top-24, value, st)
	s.Text(near, f.top-9, note, draw.Style{Size: 11, Class: "mute", Anchor: anchor})
	t := Trend{Steps: m.Steps, Lines: []Line{{Label: p.Label, Cells: p.Cells}}, Band: p.Band}
	s.Line(f.left, f.bottom, f.right, f.bottom, draw.Shape{Class: "axis", Stroke: draw.Axis})
	t.grounds(s, f)
	t.band(s, f)
	t.line(s, f, 0)
	t.hits(s, f)
}
