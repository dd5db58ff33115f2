package chart

import (
	"math"
	"strconv"
	"time"

	"dtm/disseminate/chart/draw"
)

// Calendar shows a count of each day as the shade of its place in a calendar: weeks
// from Monday to Sunday, a block a month. A day without observation is empty, a withheld
// one hatched.
type Calendar struct {
	Head
	Axis     string      `json:"axis"`     // what the rows of the table are: "Day"
	Measure  string      `json:"measure"`  // what the values are
	Weekdays [7]string   `json:"weekdays"` // short, from Monday
	Days     []Day       `json:"days"`     // in order
	Months   []MonthName `json:"months"`   // those drawn, in order
}

// Day is one day.
type Day struct {
	At   time.Time `json:"at"`
	Name string    `json:"name"` // whole, for tooltip and table
	Cell Cell      `json:"cell"`
}

// MonthName is a block's heading.
type MonthName struct {
	First time.Time `json:"first"` // its first day
	Name  string    `json:"name"`
}

// Table has one row a day.
func (c Calendar) Table() Table {
	t := Table{Columns: []string{c.Axis, c.Measure}}
	for _, d := range c.Days {
		t.Rows = append(t.Rows, []Field{text(d.Name), figure(d.Cell)})
	}
	return t
}

// weekday counts from Monday.
func weekday(t time.Time) int { return (int(t.Weekday()) + 6) % 7 }

// SVG draws the blocks, as many beside each other as the width carries.
func (c Calendar) SVG(o Options) []byte {
	o = o.fill()
	s := open(c.Head, o)
	if len(c.Days) == 0 || len(c.Months) == 0 {
		s.note(o.Words.Missing)
		return s.close("calendar")
	}
	hi, withheld, gap := 0.0, false, false
	by := map[string]Day{}
	for _, d := range c.Days {
		hi = max(hi, top(d.Cell))
		_, ok := d.Cell.known()
		withheld = withheld || d.Cell.Suppressed
		gap = gap || !ok && !d.Cell.Suppressed
		by[d.At.Format(time.DateOnly)] = d
	}
	c.scale(s, hi)
	var key []swatch
	if gap {
		key = append(key, swatch{o.Words.Missing, draw.Shape{Class: "empty", Fill: draw.Empty, Stroke: draw.Rule}, false})
	}
	if withheld {
		key = append(key, swatch{o.Words.Withheld, s.hatched(draw.Suppressed), false})
	}
	s.legend(key)
	s.Mirror = false // time runs from left to right
	const between, least = 24.0, 150.0
	n := max(1, min(4, int((s.w+between)/(least+between)), len(c.Months)))
	wide := (s.w - between*float64(n-1)) / float64(n)
	wide = min(wide, 420)
	cell := wide / 7
	tall := min(cell, 44)
	for k := 0; k < len(c.Months); k += n {
		deepest := 0.0
		for j, m := range c.Months[k:min(k+n, len(c.Months))] {
			col := float64(j)
			if o.RTL { // blocks are read from the right, each from the left
				col = float64(n - 1 - j)
			}
			x := (wide + between) * col
			y := s.y + 20
			near, anchor := x, draw.Start
			if o.RTL {
				near, anchor = x+wide, draw.End
			}
			s.Text(near, y, draw.Fit(draw.Clean(m.Name), 13, true, wide), draw.Style{Bold: true, Anchor: anchor})
			y += 16
			for i, name := range c.Weekdays {
				s.Text(x+cell*(float64(i)+0.5), y, draw.Fit(draw.Clean(name), 10, false, cell-1), draw.Style{Size: 10, Class: "mute", Anchor: draw.Middle})
			}
			y += 5
			row := 0
			for at := m.First; at.Month() == m.First.Month(); at = at.AddDate(0, 0, 1) {
				i := weekday(at)
				if i == 0 && at.Day() > 1 {
					row++
				}
				if d, ok := by[at.Format(time.DateOnly)]; ok {
					c.day(s, d, hi, x+cell*float64(i), y+tall*float64(row), cell, tall)
				}
			}
			deepest = max(deepest, y+tall*float64(row+1))
		}
		s.y = math.Ceil(deepest) + 8
	}
	return s.close("calendar")
}

func (c Calendar) day(s *sheet, d Day, hi, x, y, wide, tall float64) {
	o, number := s.o, strconv.Itoa(d.At.Day())
	s.Mark(draw.Clean(d.Name), o.say(d.Cell))
	st := draw.Style{Size: 10, Anchor: draw.Middle}
	v, ok := d.Cell.known()
	switch {
	case d.Cell.Suppressed:
		s.Rect(x+0.75, y+0.75, wide-1.5, tall-1.5, s.hatched(draw.Suppressed))
		st.Halo, st.Bold = true, true
	case ok:
		step := draw.Step(v, hi)
		s.Rect(x+0.75, y+0.75, wide-1.5, tall-1.5, draw.Shape{Class: "q" + strconv.Itoa(step), Fill: draw.Sequence[step]})
		st.Fill, st.Class = draw.OnSequence(step), "on-q"+strconv.Itoa(step)
	default:
		s.Rect(x+0.75, y+0.75, wide-1.5, tall-1.5, draw.Shape{Class: "empty", Fill: draw.Empty})
		st.Class = "mute"
	}
	said := o.say(d.Cell)
	if (ok || d.Cell.Suppressed) && tall >= 36 && draw.Width(said, 12, true)+4 <= wide { // room for both
		s.Text(x+5, y+12, number, draw.Style{Size: 9, Fill: st.Fill, Class: st.Class, Halo: st.Halo})
		st.Size, st.Bold = 12, true
		s.Text(x+wide/2, y+tall/2+9, said, st)
	} else {
		s.Text(x+wide/2, y+tall/2+3.5, number, st)
	}
	s.EndMark()
}

// scale draws the shades from none to the most.
func (c Calendar) scale(s *sheet, hi float64) {
	zero := s.o.Number(0)
	s.y += 16
	s.Text(0, s.y, zero, draw.Style{Size: 12, Class: "mute"})
	x := draw.Width(zero, 12, false) + 6
	for i, fill := range draw.Sequence {
		s.Rect(x, s.y-10, 20, 12, draw.Shape{Class: "q" + strconv.Itoa(i), Fill: fill})
		x += 20
	}
	s.Text(x+6, s.y, draw.Fit(s.o.Number(hi)+" "+draw.Clean(c.Measure), 12, false, s.w-x-6), draw.Style{Size: 12, Class: "mute"})
	s.y += 4
}
