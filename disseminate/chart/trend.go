package chart

import (
	"math"
	"strings"

	"dtm/disseminate/chart/draw"
)

// Trend shows months (or days, weeks) from left to right as lines over the same
// steps, with the number of active points underneath. A month without
// observation is a gap in the line on a pale ground; a withheld one is hatched.
type Trend struct {
	Head
	Axis     string   `json:"axis"` // what the steps are: "Month"
	Steps    []Step   `json:"steps"`
	Lines    []Line   `json:"lines"`              // at most six
	Band     *Range   `json:"band,omitempty"`     // expected range
	Baseline *Level   `json:"baseline,omitempty"` // comparison period, dashed
	Strip    *Strip   `json:"strip,omitempty"`    // active points under the steps
	Floating bool     `json:"floating,omitempty"` // the scale need not start at zero; the drawing then says so
	Height   float64  `json:"height,omitempty"`   // of the plot in px; 0: 220
	Marks    []Moment `json:"marks,omitempty"`    // events named above the plot
}

// Step is one month.
type Step struct {
	Label string `json:"label"` // short, under the axis: "Dec"
	Group string `json:"group"` // second row, once for neighbours that share it: "2022"
	Name  string `json:"name"`  // whole, for tooltip and table: "December 2022"
}

// Line is one series of a Trend: a cell per step.
type Line struct {
	Label    string `json:"label"`
	Cells    []Cell `json:"cells"`
	Tone     Tone   `json:"tone,omitempty"`
	Forecast int    `json:"forecast,omitempty"` // from this step on the cells are expected, not observed: dashed; 0: none
}

func (l Line) cell(i int) Cell {
	if i < len(l.Cells) {
		return l.Cells[i]
	}
	return Cell{}
}

// Range is a band between two series: an expected range, a confidence interval.
type Range struct {
	Label string     `json:"label"` // names the level: "expected, 95%"
	Low   []*float64 `json:"low"`
	High  []*float64 `json:"high"`
}

// at gives both ends of step i; not ok where one is missing.
func (r *Range) at(i int) (lo, hi float64, ok bool) {
	if r == nil || i >= len(r.Low) || i >= len(r.High) {
		return 0, 0, false
	}
	lo, a := Cell{Value: r.Low[i]}.known()
	hi, b := Cell{Value: r.High[i]}.known()
	return min(lo, hi), max(lo, hi), a && b
}

// Level is a horizontal line: the mean of the baseline period.
type Level struct {
	Label string `json:"label"`
	Cell  Cell   `json:"cell"`
}

// Strip is a row of small bars with numbers under the steps.
type Strip struct {
	Label string `json:"label"` // "Active points"
	Cells []Cell `json:"cells"`
}

func (p *Strip) cell(i int) Cell {
	if p == nil || i >= len(p.Cells) {
		return Cell{}
	}
	return p.Cells[i]
}

// Moment is an event at a step.
type Moment struct {
	Step  int    `json:"step"`
	Label string `json:"label"`
}

// Table has one row a step.
func (t Trend) Table() Table {
	out := Table{Columns: []string{t.Axis}}
	for _, l := range t.Lines {
		out.Columns = append(out.Columns, l.Label)
	}
	if t.Band != nil {
		out.Columns = append(out.Columns, t.Band.Label+" ≥", t.Band.Label+" ≤")
	}
	if t.Strip != nil {
		out.Columns = append(out.Columns, t.Strip.Label)
	}
	for i, step := range t.Steps {
		row := []Field{text(step.name())}
		for _, l := range t.Lines {
			row = append(row, figure(l.cell(i)))
		}
		if t.Band != nil {
			lo, hi, ok := t.Band.at(i)
			if ok {
				row = append(row, figure(Of(lo)), figure(Of(hi)))
			} else {
				row = append(row, figure(Cell{}), figure(Cell{}))
			}
		}
		if t.Strip != nil {
			row = append(row, figure(t.Strip.cell(i)))
		}
		out.Rows = append(out.Rows, row)
	}
	return out
}

func (s Step) name() string {
	if s.Name != "" {
		return s.Name
	}
	return strings.TrimSpace(s.Label + " " + s.Group)
}

// frame is the plot of a trend: where steps and values fall.
type frame struct {
	left, right, top, bottom float64
	n                        int
	lo, hi                   float64
}

func (f frame) step() float64       { return (f.right - f.left) / float64(max(f.n, 1)) }
func (f frame) x(i int) float64     { return f.left + f.step()*(float64(i)+0.5) }
func (f frame) y(v float64) float64 { return f.bottom - (v-f.lo)/(f.hi-f.lo)*(f.bottom-f.top) }

// box is a place that is taken by a label.
type box struct{ x, y, w, h float64 }

func (b box) meets(list []box) bool {
	for _, o := range list {
		if b.x < o.x+o.w && o.x < b.x+b.w && b.y < o.y+o.h && o.y < b.y+b.h {
			return true
		}
	}
	return false
}

func (l Line) tone(i, n int) (fill, stroke draw.Shape) {
	switch {
	case l.Tone == Accented:
		fill = draw.Shape{Class: "accent", Fill: draw.Accent}
		stroke = draw.Shape{Class: "accent-line", Stroke: draw.Accent, Width: 2.4, Cap: "round"}
	case l.Tone == Quiet:
		fill = draw.Shape{Class: "context", Fill: draw.Context}
		stroke = draw.Shape{Class: "context-line", Stroke: draw.Context, Width: 1.6, Cap: "round"}
	case n == 1:
		fill = draw.Shape{Class: "main", Fill: draw.Main}
		stroke = draw.Shape{Class: "main-line", Stroke: draw.Main, Width: 2.4, Cap: "round"}
	default:
		fill = series(i)
		stroke = draw.Shape{Class: "l" + fill.Class[1:], Stroke: fill.Fill, Width: 2.4, Cap: "round"}
	}
	return fill, stroke
}

// SVG draws the trend. Time runs from left to right in every language.
func (t Trend) SVG(o Options) []byte {
	o = o.fill()
	s := open(t.Head, o)
	s.trend(t)
	return s.close("trend")
}

func (s *sheet) trend(t Trend) {
	o := s.o
	if len(t.Steps) == 0 || len(t.Lines) == 0 {
		s.note(o.Words.Missing)
		return
	}
	n := len(t.Steps)
	lo, hi, known := math.Inf(1), math.Inf(-1), false
	see := func(v float64) { lo, hi, known = min(lo, v), max(hi, v), true }
	gap, withheld := false, false
	for i := range t.Steps {
		empty := true
		for _, l := range t.Lines {
			c := l.cell(i)
			if v, ok := c.known(); ok {
				see(v)
				empty = false
			} else if c.Suppressed {
				withheld, empty = true, false
			}
		}
		gap = gap || empty
		if a, b, ok := t.Band.at(i); ok {
			see(a)
			see(b)
		}
	}
	level, hasLevel := 0.0, false
	if t.Baseline != nil {
		if level, hasLevel = t.Baseline.Cell.known(); hasLevel {
			see(level)
		}
	}
	if !known {
		lo, hi = 0, 1
	}
	if !t.Floating {
		lo, hi = min(lo, 0), max(hi, 0)
	}
	height := t.Height
	if !(height >= 80) {
		height = 220
	}
	marks := ticks(lo, hi, max(2, int(height/50)))
	lo, hi = marks[0], marks[len(marks)-1]

	var key []swatch
	if len(t.Lines) > 1 {
		for i, l := range t.Lines {
			_, stroke := l.tone(i, len(t.Lines))
			stroke.Width = 3
			key = append(key, swatch{l.Label, stroke, true})
		}
	}
	if t.Band != nil {
		key = append(key, swatch{t.Band.Label, draw.Shape{Class: "band", Fill: draw.Band}, false})
	}
	if hasLevel {
		key = append(key, swatch{joined(draw.Clean(t.Baseline.Label), o.say(t.Baseline.Cell)), levelShape, true})
	}
	if gap {
		key = append(key, swatch{o.Words.Missing, draw.Shape{Class: "empty", Fill: draw.Empty, Stroke: draw.Rule}, false})
	}
	if withheld {
		key = append(key, swatch{o.Words.Withheld, s.hatched(draw.Suppressed), false})
	}
	s.legend(key)
	s.Mirror = false // time is not mirrored; neither is its scale

	names := make([]string, len(marks))
	for i, m := range marks {
		names[i] = o.Number(m)
	}
	f := frame{left: draw.Widest(names, 12, false) + 8, right: s.w - 4, n: n, lo: lo, hi: hi}
	f.top = s.y + 24 // room for the label of a value at the top
	f.top += t.moments(s, f)
	f.bottom = f.top + height

	for i, m := range marks {
		y := f.y(m)
		shape := draw.Shape{Class: "rule", Stroke: draw.Rule}
		if m == 0 {
			shape = draw.Shape{Class: "axis", Stroke: draw.Axis}
		}
		s.Line(f.left, y, f.right, y, shape)
		s.Text(f.left-8, y+4, names[i], draw.Style{Size: 12, Class: "mute", Anchor: draw.End})
	}
	t.grounds(s, f)
	t.band(s, f)
	if hasLevel {
		s.Line(f.left, f.y(level), f.right, f.y(level), levelShape)
	}
	for i := len(t.Lines) - 1; i >= 0; i-- { // the first line on top
		t.line(s, f, i)
	}
	t.values(s, f)
	s.y = f.bottom
	s.steps(t.Steps, f)
	t.strip(s, f)
	t.hits(s, f)
	if t.Floating && lo != 0 {
		s.Mirror = o.RTL
		s.note(o.Words.NotZero)
	}
}

var levelShape = draw.Shape{Class: "axis", Stroke: draw.Axis, Width: 1.6, Dash: "2 4", Cap: "round"}

// moments names events above the plot, one line each when they would meet, and
// returns the height they take.
func (t Trend) moments(s *sheet, f frame) float64 {
	var taken []box
	down := 0.0
	for _, m := range t.Marks {
		if m.Step < 0 || m.Step >= f.n {
			continue
		}
		label := draw.Fit(draw.Clean(m.Label), 11, false, f.right-f.left)
		w := draw.Width(label, 11, false)
		x := min(max(f.x(m.Step)-w/2, f.left), f.right-w)
		b := box{x - 4, s.y, w + 8, 14}
		for b.meets(taken) {
			b.y += 15
		}
		taken = append(taken, b)
		down = max(down, b.y-s.y+16)
		s.Text(x, b.y+11, label, draw.Style{Size: 11, Class: "mute"})
	}
	if down > 0 {
		for i, m := range t.Marks {
			if m.Step >= 0 && m.Step < f.n && i < len(taken) {
				s.Line(f.x(m.Step), s.y+down, f.x(m.Step), f.top+down, draw.Shape{Class: "axis", Stroke: draw.Axis, Dash: "1 3"})
			}
		}
	}
	return down
}

// grounds shades the steps without observation and hatches the withheld ones.
func (t Trend) grounds(s *sheet, f frame) {
	for i := range t.Steps {
		empty, withheld := true, false
		for _, l := range t.Lines {
			c := l.cell(i)
			_, ok := c.known()
			empty = empty && !ok && !c.Suppressed
			withheld = withheld || c.Suppressed
		}
		x := f.left + f.step()*float64(i)
		if empty {
			s.Rect(x, f.top, f.step(), f.bottom-f.top, draw.Shape{Class: "empty", Fill: draw.Empty})
		}
		if withheld {
			w := min(f.step()*0.7, 18)
			s.Rect(f.x(i)-w/2, f.bottom-22, w, 22, s.hatched(draw.Suppressed))
		}
	}
}

func (t Trend) band(s *sheet, f frame) {
	for from := 0; from < f.n; {
		var up, down [][2]float64
		i := from
		for ; i < f.n; i++ {
			lo, hi, ok := t.Band.at(i)
			if !ok {
				break
			}
			up = append(up, [2]float64{f.x(i), f.y(hi)})
			down = append(down, [2]float64{f.x(i), f.y(lo)})
		}
		if len(up) == 1 { // a lone step still has a width
			x, w := up[0][0], f.step()*0.3
			up = [][2]float64{{x - w, up[0][1]}, {x + w, up[0][1]}}
			down = [][2]float64{{x - w, down[0][1]}, {x + w, down[0][1]}}
		}
		if len(up) > 0 {
			for k := len(down) - 1; k >= 0; k-- {
				up = append(up, down[k])
			}
			s.Poly(up, true, draw.Shape{Class: "band", Fill: draw.Band})
		}
		from = i + 1
	}
}

// line draws one series: a run of neighbouring values is a line, a value between
// two gaps a dot. The part from Forecast on is dashed.
func (t Trend) line(s *sheet, f frame, k int) {
	l := t.Lines[k]
	fill, stroke := l.tone(k, len(t.Lines))
	var run [][2]float64
	flush := func(dashed bool) {
		sh := stroke
		if dashed {
			sh.Dash = "1 5"
		}
		if len(run) > 1 {
			s.Poly(run, false, sh)
		}
	}
	last := -1
	for i := range t.Steps {
		v, ok := l.cell(i).known()
		if !ok {
			flush(l.Forecast > 0 && last >= l.Forecast)
			run = nil
			continue
		}
		_, before := l.cell(i - 1 + bit(i == 0)).known()
		before = before && i > 0
		_, after := l.cell(i + 1).known()
		after = after && i+1 < f.n
		if l.Forecast > 0 && i == l.Forecast && len(run) > 0 { // the dashes begin at the last observation
			flush(false)
			run = run[len(run)-1:]
		}
		run = append(run, [2]float64{f.x(i), f.y(v)})
		if !before && !after {
			s.Circle(f.x(i), f.y(v), 3, fill)
		}
		last = i
	}
	flush(l.Forecast > 0 && last >= l.Forecast)
	if last >= 0 {
		v, _ := l.cell(last).known()
		r := 3.5
		if k == 0 {
			r = 4.5
		}
		if k == 0 && l.Tone == Plain && len(t.Lines) == 1 && last == f.n-1 {
			fill = draw.Shape{Class: "accent", Fill: draw.Accent} // the present value
		}
		fill.Stroke, fill.Width = draw.Ground, 1.5
		fill.Class += " edge"
		s.Circle(f.x(last), f.y(v), r, fill)
	}
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// values labels the last value of every line, and of a single line also the
// highest, where there is room.
func (t Trend) values(s *sheet, f frame) {
	var taken []box
	put := func(i int, c Cell, st draw.Style) {
		v, _ := c.known()
		say := s.o.say(c)
		w := draw.Width(say, st.Size, st.Bold)
		x := min(max(f.x(i)-w/2, f.left), s.w-w-1)
		for _, y := range []float64{f.y(v) - 9, f.y(v) + 19, f.y(v) - 24, f.y(v) + 34} {
			b := box{x - 3, y - st.Size, w + 6, st.Size + 3}
			if b.y < f.top-22 || y > f.bottom-3 || b.meets(taken) {
				continue
			}
			taken = append(taken, b)
			s.Text(x, y, say, st)
			return
		}
	}
	for k, l := range t.Lines {
		last, peak := -1, -1
		for i := range t.Steps {
			if v, ok := l.cell(i).known(); ok {
				last = i
				if p, has := l.cell(max(peak, 0)).known(); peak < 0 || has && v > p {
					peak = i
				}
			}
		}
		if last < 0 {
			continue
		}
		v, _ := l.cell(last).known()
		st := draw.Style{Size: 13, Bold: true, Halo: true}
		if len(t.Lines) == 1 && last == f.n-1 {
			st.Class = "warm"
		}
		if k > 2 {
			continue // more would be a table
		}
		put(last, l.cell(last), st)
		if p, _ := l.cell(peak).known(); len(t.Lines) == 1 && peak != last && p > v {
			put(peak, l.cell(peak), draw.Style{Size: 12, Halo: true})
		}
	}
	for i := range t.Steps {
		for _, l := range t.Lines {
			if l.cell(i).Suppressed {
				w := draw.Width(s.o.Words.Suppressed, 11, true)
				x := min(max(f.x(i)-w/2, f.left), s.w-w-1)
				b := box{x, f.bottom - 40, w, 14}
				if !b.meets(taken) {
					taken = append(taken, b)
					s.Text(x, f.bottom-28, s.o.Words.Suppressed, draw.Style{Size: 11, Bold: true, Class: "mute", Halo: true})
				}
				break
			}
		}
	}
}

// every places labels of the given widths, centred on their steps but inside the
// drawing, and returns their middles and the smallest distance between labelled
// steps at which they keep apart. The last step is always labelled.
func (s *sheet) every(widths []float64, f frame) (mid []float64, k int) {
	mid = make([]float64, len(widths))
	for i, w := range widths {
		mid[i] = min(max(f.x(i), w/2), s.w-w/2-1)
	}
	for k = 1; k < len(widths); k++ {
		ok := true
		for i := len(widths) - 1; i-k >= 0 && ok; i -= k {
			ok = mid[i]-widths[i]/2 >= mid[i-k]+widths[i-k]/2+5
		}
		if ok {
			return mid, k
		}
	}
	return mid, max(len(widths), 1)
}

// steps labels the axis and moves below it.
func (s *sheet) steps(list []Step, f frame) {
	widths, grouped := make([]float64, len(list)), false
	labels := make([]string, len(list))
	for i, st := range list {
		labels[i] = draw.Fit(draw.Clean(st.Label), 12, false, 110)
		widths[i] = draw.Width(labels[i], 12, false)
		grouped = grouped || draw.Clean(st.Group) != ""
	}
	mid, k := s.every(widths, f)
	for i := len(list) - 1; i >= 0; i -= k {
		s.Line(f.x(i), s.y, f.x(i), s.y+4, draw.Shape{Class: "axis", Stroke: draw.Axis})
		s.Text(mid[i], s.y+17, labels[i], draw.Style{Size: 12, Class: "mute", Anchor: draw.Middle})
	}
	s.y += 22
	if !grouped {
		return
	}
	var taken []box
	for i := len(list); i > 0; { // from the right, so that the present year has its place
		from := i - 1
		for from > 0 && draw.Clean(list[from-1].Group) == draw.Clean(list[i-1].Group) {
			from--
		}
		label := draw.Fit(draw.Clean(list[i-1].Group), 12, true, s.w/2)
		w := draw.Width(label, 12, true)
		x := f.left + f.step()*float64(from) + 2
		if span := f.step() * float64(i-from); w+4 > span { // a short group may lean to the left
			x = f.left + f.step()*float64(i) - w - 6
		}
		if b := (box{x - 4, s.y, w + 8, 14}); label != "" && x >= 0 && x+w <= s.w && !b.meets(taken) {
			taken = append(taken, b)
			s.Text(x, s.y+13, label, draw.Style{Size: 12, Class: "mute", Bold: true})
			if from > 0 {
				tick := f.left + f.step()*float64(from)
				s.Line(tick, f.bottom, tick, s.y+14, draw.Shape{Class: "rule", Stroke: draw.Rule})
			}
		}
		i = from
	}
	s.y += 18
}

// strip draws the number of active points under every step.
func (t Trend) strip(s *sheet, f frame) {
	if t.Strip == nil {
		return
	}
	s.y += 8
	s.Mirror = s.o.RTL
	s.paragraph(t.Strip.Label, draw.Style{Size: 12, Class: "mute", Bold: true}, 16, 2)
	s.Mirror = false
	hi := top(t.Strip.Cells...)
	const tall = 18.0
	widths, says := make([]float64, f.n), make([]string, f.n)
	for i := range says {
		says[i] = "–"
		if _, ok := t.Strip.cell(i).known(); ok || t.Strip.cell(i).Suppressed {
			says[i] = s.o.say(t.Strip.cell(i))
		}
		widths[i] = draw.Width(says[i], 12, false)
	}
	mid, k := s.every(widths, f)
	base := s.y + 6 + tall
	w := min(max(f.step()*0.6, 2), 26)
	for i := range says {
		v, ok := t.Strip.cell(i).known()
		if ok && hi > 0 {
			s.Rect(f.x(i)-w/2, base-max(v, 0)/hi*tall, w, max(v, 0)/hi*tall, draw.Shape{Class: "context", Fill: draw.Context})
		} else if t.Strip.cell(i).Suppressed {
			s.Rect(f.x(i)-w/2, base-6, w, 6, s.hatched(draw.Suppressed))
		}
	}
	s.Line(f.left, base, f.right, base, draw.Shape{Class: "axis", Stroke: draw.Axis})
	for i := f.n - 1; i >= 0; i -= k {
		s.Text(mid[i], base+14, says[i], draw.Style{Size: 12, Anchor: draw.Middle})
	}
	s.y = base + 18
}

// hits puts an unseen column over every step that carries the tooltip.
func (t Trend) hits(s *sheet, f frame) {
	for i, step := range t.Steps {
		var parts []string
		for _, l := range t.Lines {
			say := s.o.say(l.cell(i))
			if len(t.Lines) > 1 {
				say = draw.Clean(l.Label) + " " + say
			}
			parts = append(parts, say)
		}
		if lo, hi, ok := t.Band.at(i); ok {
			parts = append(parts, draw.Clean(t.Band.Label)+" "+s.o.Number(lo)+"–"+s.o.Number(hi))
		}
		if t.Strip != nil {
			parts = append(parts, draw.Clean(t.Strip.Label)+" "+s.o.say(t.Strip.cell(i)))
		}
		s.Mark(step.name(), strings.Join(parts, " · "))
		s.Hit(f.left+f.step()*float64(i), f.top, f.step(), f.bottom-f.top)
		s.EndMark()
	}
}
