package maps

import (
	"math"
	"sort"
	"strconv"
	"strings"

	"github.com/paulmach/orb"

	"dtm"
	"dtm/disseminate/chart"
	"dtm/disseminate/chart/draw"
)

// Colours of the ground, quieter than any mark.
const (
	sea    = "#e6eff5"
	land   = "#f4f2ed"
	region = "#ffffff"
	border = "#aab4bd"
)

// picture is a map while it is drawn.
type picture struct {
	b *Base
	s Spec
	c *draw.Canvas
	f frame
	y float64 // how far down the legend is

	home    area
	shapes  []outline // of Base.areas, px
	placed  []spot
	loose   []spot
	drawn   []stream
	lost    []stream
	far     map[string]orb.Point // countries beyond the frame that flows use
	anchors map[string]orb.Point // of neighbours, by country and place
	courses [][2]orb.Point       // straight lines of the arrows placed so far

	anchorsOf  map[int][]orb.Point
	anchorList []orb.Point
	sites      map[int][]site // where in a neighbour an anchor may be
	taken      []box
	tags       []tag
	numbered   int
	hi         float64 // largest point
	flowHi     float64
	flowMost   float64
	scaleBox   box
	plain      bool // points are there for their names alone
}

// SVG draws the map. The same spec gives the same bytes.
func (b *Base) SVG(s Spec) []byte {
	p := &picture{b: b, s: fill(s), far: map[string]orb.Point{}, anchors: map[string]orb.Point{}, sites: map[int][]site{}, anchorsOf: map[int][]orb.Point{}}
	p.frame()
	p.c = draw.NewCanvas(p.s.ID, p.s.Width)
	p.placed, p.loose = p.spots()
	p.drawn, p.lost = p.streams()
	p.labelPoints()
	p.labelFar()
	p.labelAreas()
	p.labelFlows()

	p.ground()
	p.arrows()
	p.circles()
	p.texts()
	p.scaleBar()
	p.legend()
	alt := p.s.Alt
	if alt == "" {
		alt = p.s.Title
	}
	return p.c.Bytes(math.Ceil(p.y+2), "map", string(p.s.Lang), p.s.Title, alt)
}

func fill(s Spec) Spec {
	if !(s.Width > 0) {
		s.Width = 640
	}
	s.Width = math.Round(min(max(s.Width, 280), 2400))
	if !(s.Height > 0) {
		s.Height = math.Round(s.Width * 0.8)
		if s.Width < 480 {
			s.Height = math.Round(s.Width * 1.1)
		}
	}
	s.Height = min(max(s.Height, 200), 2400)
	if s.Country == "" {
		s.Country = "DJI"
	}
	if s.Lang == "" {
		s.Lang = dtm.English
	}
	if s.Number == nil {
		s.Number = func(v float64) string { return strconv.FormatFloat(math.Round(v*100)/100, 'f', -1, 64) }
	}
	s.Texts = s.Texts.or(s.Lang)
	return s
}

func (p *picture) frame() {
	home, ok := p.b.area(p.s.Country)
	bound := home.bound
	if !ok || len(home.shape) == 0 { // a base without that country: everything it has
		first := true
		for _, a := range p.b.areas {
			if len(a.shape) == 0 {
				continue
			}
			if first {
				bound, first = a.bound, false
				home = a
			} else {
				bound = bound.Union(a.bound)
			}
		}
	}
	p.home = home
	p.f = newFrame(bound, p.s.Width, p.s.Height)
	for _, a := range p.b.areas {
		p.shapes = append(p.shapes, p.f.draw(a.shape))
	}
	km, label := p.scale()
	p.scaleBox = box{6, p.f.h - 34, max(km, draw.Width(label, 11, false)) + 14, 30}
	if p.s.Lang.RTL() {
		p.scaleBox.x = p.f.w - p.scaleBox.w - 6
	}
	p.taken = append(p.taken, p.scaleBox)
}

// scale is a round length of at most a fifth of the width, in px, and its label.
func (p *picture) scale() (px float64, label string) {
	per := p.f.kilometres()
	km := 1.0
	for _, k := range []float64{1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000} {
		if k*per <= p.f.w/5 {
			km = k
		}
	}
	return km * per, p.s.Number(km) + " " + draw.Clean(p.s.Texts.Kilometre)
}

func (p *picture) labelAreas() {
	st := draw.Style{Size: 10, Class: "mute", Space: 0.6}
	if p.s.Lang.RTL() {
		st.Space = 0 // Arabic letters join
	}
	for i, a := range p.b.areas {
		if a.level != 1 || p.shapes[i].empty() {
			continue
		}
		name := p.name(a.code)
		twin := false // a point of that name says it already
		for _, s := range p.placed {
			twin = twin || s.region == a.code && strings.HasPrefix(dtm.Fold(s.Label), dtm.Fold(name))
		}
		if !twin {
			p.labelArea(p.shapes[i], p.f.xy(a.at), upper(name), st, within)
		}
	}
	st = draw.Style{Size: 12, Class: "mute", Space: st.Space * 2.5}
	if p.f.w < 480 {
		st.Size = 11
	}
	for i, a := range p.b.areas {
		if a.level != 0 || a.code == p.home.code || p.shapes[i].empty() {
			continue
		}
		p.labelArea(p.shapes[i], visible(p.shapes[i].shape, p.f), upper(p.name(a.code)), st, about)
	}
	if name := draw.Clean(p.s.Texts.Sea); name != "" {
		p.labelArea(p.water(), orb.Point{p.f.w * 0.85, p.f.h * 0.5}, name, draw.Style{Size: 11, Class: "mute", Italic: true}, nearby)
	}
}

// upper writes a name in capitals, as areas are on maps; scripts without
// capitals stay.
func upper(s string) string { return strings.ToUpper(s) }

// visible is a point well inside the part of a shape that the frame shows.
func visible(m orb.MultiPolygon, f frame) orb.Point {
	at := inner(m)
	return orb.Point{min(max(at[0], 40), f.w-40), min(max(at[1], 16), f.h-16)}
}

// water is the frame less every land, as one polygon with the lands as holes.
func (p *picture) water() outline {
	q := orb.Polygon{orb.Ring{{-9, -9}, {p.f.w + 9, -9}, {p.f.w + 9, p.f.h + 9}, {-9, p.f.h + 9}, {-9, -9}}}
	for i, a := range p.b.areas {
		if a.level == 0 {
			for _, poly := range p.shapes[i].shape {
				q = append(q, poly[0])
			}
		}
	}
	return newOutline(orb.MultiPolygon{q})
}

func (p *picture) ground() {
	p.c.Rect(0, 0, p.f.w, p.f.h, draw.Shape{Class: "sea", Fill: sea})
	for _, level := range []int{0, 1} {
		for i, a := range p.b.areas {
			if a.level != level || p.shapes[i].empty() {
				continue
			}
			sh := draw.Shape{Class: "land border", Fill: land, Stroke: border, Width: 0.8}
			if a.level == 1 || a.code == p.home.code {
				sh.Class, sh.Fill = "region border", region
				sh.Stroke = "#c3ccd4"
			}
			p.c.Path(path(p.shapes[i].shape), sh)
		}
	}
	for i, a := range p.b.areas { // the country's own border above its regions'
		if a.code == p.home.code && a.level == 0 {
			p.c.Path(path(p.shapes[i].shape), draw.Shape{Class: "border", Stroke: "#6b7884", Width: 1.3})
		}
	}
	p.c.Rect(0.5, 0.5, p.f.w-1, p.f.h-1, draw.Shape{Class: "border", Stroke: border})
}

func path(m orb.MultiPolygon) string {
	var b strings.Builder
	for _, p := range m {
		for _, r := range p {
			for i, pt := range r {
				if i == 0 {
					b.WriteByte('M')
				} else {
					b.WriteByte('L')
				}
				b.WriteString(draw.Num(pt[0]))
				b.WriteByte(' ')
				b.WriteString(draw.Num(pt[1]))
			}
			b.WriteByte('Z')
		}
	}
	return b.String()
}

func (p *picture) arrows() {
	for i := len(p.drawn) - 1; i >= 0; i-- { // the largest last, on top
		s := p.drawn[i]
		label := draw.Clean(s.Label)
		if label == "" {
			label = s.from + " → " + s.to
		}
		p.c.Mark(label, p.say(s.amount()))
		if s.Suppressed {
			p.c.Path("M"+draw.Num(s.a[0])+" "+draw.Num(s.a[1])+"Q"+draw.Num(s.c[0])+" "+draw.Num(s.c[1])+" "+draw.Num(s.b[0])+" "+draw.Num(s.b[1]),
				draw.Shape{Class: "context-line", Stroke: draw.Mute, Width: 1.4, Dash: "3 3"})
			_, d := s.on(1)
			p.c.Poly([][2]float64{{s.b[0], s.b[1]}, {s.b[0] - d[0]*7 - d[1]*3.5, s.b[1] - d[1]*7 + d[0]*3.5}, {s.b[0] - d[0]*7 + d[1]*3.5, s.b[1] - d[1]*7 - d[0]*3.5}}, true,
				draw.Shape{Class: "context", Fill: draw.Mute})
		} else {
			sh := draw.Shape{Class: "accent", Fill: draw.Accent, Opacity: 0.8}
			if s.faint {
				sh.Opacity = 0.5
			}
			p.c.Poly(s.ribbon(), true, sh)
		}
		p.c.EndMark()
	}
}

func (p *picture) circles() {
	for _, s := range p.placed {
		say := ""
		if !p.plain {
			say = p.say(s.amount())
		}
		p.c.Mark(s.Label, say)
		p.circle(s.at, s.r, s.Point, s.vague)
		p.c.EndMark()
	}
}

func (p *picture) circle(at orb.Point, r float64, pt Point, vague bool) {
	_, known := value(pt.Value, pt.Suppressed)
	switch {
	case pt.Suppressed:
		p.c.Circle(at[0], at[1], r, draw.Shape{Class: "axis", Fill: p.c.Fill(draw.Fine), Stroke: draw.Mute})
	case known && *pt.Value > 0 && vague:
		p.c.Circle(at[0], at[1], r, draw.Shape{Class: "s2 edge", Fill: draw.Series[1], Stroke: draw.Ground, Opacity: 0.92})
	case known && *pt.Value > 0:
		p.c.Circle(at[0], at[1], r, draw.Shape{Class: "main edge", Fill: draw.Main, Stroke: draw.Ground, Opacity: 0.92})
	default:
		p.c.Circle(at[0], at[1], r, draw.Shape{Class: "ground axis", Fill: draw.Ground, Stroke: draw.Axis, Width: 1.2})
	}
	if pt.Approximate {
		p.c.Circle(at[0], at[1], r+2.8, draw.Shape{Class: "main-line", Stroke: draw.Main, Dash: "2 2"})
	}
}

func (p *picture) texts() {
	for _, t := range p.tags {
		if t.lined {
			p.c.Line(t.line[0][0], t.line[0][1], t.line[1][0], t.line[1][1], draw.Shape{Class: "axis", Stroke: draw.Axis})
		}
		for i, l := range t.lines {
			st := t.style
			if st.Size == 0 {
				st.Size, st.Bold = 12, i < t.bold
			}
			st.Anchor, st.Halo = t.anch, true
			p.c.Text(t.x, t.y+t.lead*float64(i), l, st)
		}
	}
}

func (p *picture) scaleBar() {
	px, label := p.scale()
	x, y := p.scaleBox.x+6, p.f.h-12.0
	p.c.Poly([][2]float64{{x, y - 5}, {x, y}, {x + px, y}, {x + px, y - 5}}, false, draw.Shape{Class: "axis", Stroke: draw.Ink, Width: 1.2})
	p.c.Text(x, y-8, label, draw.Style{Size: 11, Halo: true})
}

// say writes a figure for people.
func (p *picture) say(a amount) string {
	if a.suppressed {
		return p.s.Texts.Suppressed
	}
	n, ok := value(a.value, false)
	if !ok {
		return p.s.Texts.Missing
	}
	say := p.s.Number(n)
	if a.about {
		say = chart.About + say
	}
	if a.least {
		say = "≥ " + say
	}
	return say
}

func (p *picture) number(v float64) string { return p.s.Number(v) }

func sorted(m map[string]orb.Point) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

// table lists flows, then points. Spec.Table.
func (s Spec) table() chart.Table {
	p := &picture{b: &Base{}, s: fill(s)}
	t := chart.Table{Columns: []string{p.s.Texts.From, p.s.Texts.To, p.s.Texts.Flow}}
	for _, f := range p.flows() {
		t.Rows = append(t.Rows, []chart.Field{
			{Text: p.called(f.From)}, {Text: p.called(f.To)},
			{Figure: true, Cell: chart.Cell{Value: f.Value, Suppressed: f.Suppressed, About: f.About}},
		})
	}
	for _, pt := range p.points() {
		t.Rows = append(t.Rows, []chart.Field{
			{Text: pt.Label}, {Text: ""},
			{Figure: true, Cell: chart.Cell{Value: pt.Value, Suppressed: pt.Suppressed, About: pt.About}},
		})
	}
	return t
}
