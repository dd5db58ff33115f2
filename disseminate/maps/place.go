package maps

import (
	"math"
	"sort"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/planar"

	"dtm/disseminate/chart/draw"
)

// spot is a point on the page.
type spot struct {
	Point
	at     orb.Point // px
	r      float64
	region string
	least  bool // the value is a lower bound: part of it is withheld
	vague  bool // only its region is known
	bold   int  // lines of its name
	number int  // 0: its label stands beside it; else its number in the legend
}

// stream is a flow on the page: a curve from a to b.
type stream struct {
	Flow
	a, b, c  orb.Point // ends and control point, px
	width    float64
	faint    bool
	least    bool
	from, to string // names
}

// end is one end of a flow.
type end struct {
	name    string
	at      orb.Point
	r       float64
	area    int // index of the foreign country in Base.areas; -1: a fixed place
	outside bool
}

func value(v *float64, suppressed bool) (float64, bool) {
	if suppressed || v == nil || math.IsNaN(*v) || *v < 0 || *v > 1e15 {
		return 0, false
	}
	return *v, true
}

// spots places the points; those without a usable position come back apart.
func (p *picture) spots() (placed []spot, loose []spot) {
	list := p.points()
	hi := 0.0
	for _, s := range list {
		if v, ok := value(s.Value, s.Suppressed); ok {
			hi = max(hi, v)
		}
	}
	most := min(17, p.f.w/28)
	for _, s := range list {
		if pos := (orb.Point{s.Lon, s.Lat}); s.Lon == 0 && s.Lat == 0 || !onEarth(pos) {
			s.vague = true
		} else if s.at = p.f.xy(pos); !p.f.holds(s.at, 4) {
			loose = append(loose, s)
			continue
		}
		v, ok := value(s.Value, s.Suppressed)
		switch {
		case s.Suppressed:
			s.r = 6
		case ok && v > 0:
			s.r = max(3, most*math.Sqrt(v/hi))
		default:
			s.r = 3
		}
		placed = append(placed, s)
	}
	// Largest first, so that small circles are drawn over large ones.
	sort.SliceStable(placed, func(i, j int) bool {
		if placed[i].r != placed[j].r {
			return placed[i].r > placed[j].r
		}
		return placed[i].Code < placed[j].Code
	})
	placed, vague := split(placed)
	for _, s := range vague {
		if at, ok := p.roomIn(s.region, s.r, placed); ok {
			s.at, s.Approximate = at, true
			placed = append(placed, s)
		} else {
			loose = append(loose, s)
		}
	}
	// Two points of one town would hide each other: the smaller steps aside.
	for i := range placed {
		if placed[i].vague {
			continue
		}
		for turn := 0; turn < 8; turn++ {
			clash := -1
			for j := 0; j < i; j++ {
				if planar.Distance(placed[i].at, placed[j].at) < max(4, placed[j].r-placed[i].r+2) {
					clash = j
				}
			}
			if clash < 0 {
				break
			}
			d := placed[i].r + placed[clash].r + 2
			angle := float64(turn)*math.Pi/4 + math.Pi/6
			at := orb.Point{placed[clash].at[0] + d*math.Cos(angle), placed[clash].at[1] + d*math.Sin(angle)}
			if p.f.holds(at, 8) {
				placed[i].at = at
			}
		}
	}
	p.hi = hi
	return placed, loose
}

// split parts the points whose place is known from those of which only the
// region may be.
func split(list []spot) (known, vague []spot) {
	for _, s := range list {
		if s.vague {
			vague = append(vague, s)
		} else {
			known = append(known, s)
		}
	}
	return known, vague
}

// roomIn is the place in a region that is farthest from its border and from the
// points placed so far.
func (p *picture) roomIn(code string, r float64, placed []spot) (at orb.Point, ok bool) {
	best := math.Inf(-1)
	for i, a := range p.b.areas {
		if a.code != code || a.level != 1 || p.shapes[i].empty() {
			continue
		}
		o := p.shapes[i]
		const n = 20
		for y := 0; y <= n; y++ {
			for x := 0; x <= n; x++ {
				q := orb.Point{o.bound.Min[0] + (o.bound.Max[0]-o.bound.Min[0])*float64(x)/n, o.bound.Min[1] + (o.bound.Max[1]-o.bound.Min[1])*float64(y)/n}
				if !o.contains(q) || !p.f.holds(q, 8) {
					continue
				}
				room := o.from(q)
				for _, s := range placed {
					room = min(room, planar.Distance(q, s.at)-s.r-r)
				}
				if room > best {
					best, at, ok = room, q, true
				}
			}
		}
	}
	return at, ok
}

// points are the spec's points, added up to regions when asked.
func (p *picture) points() []spot {
	var out []spot
	for _, pt := range p.s.Points {
		pt.Label = draw.Clean(pt.Label)
		if pt.Label == "" {
			pt.Label = draw.Clean(pt.Code)
		}
		region := pt.Region
		if region == "" {
			region = p.b.RegionAt(pt.Lon, pt.Lat)
		}
		out = append(out, spot{Point: pt, region: region})
	}
	if p.s.Aggregate != Region {
		return out
	}
	var sums []spot
	at := map[string]int{}
	for _, s := range out {
		a, ok := p.b.area(s.region)
		if !ok {
			s.Lon, s.Lat = 0, 0 // its region is not known, so it has no place here
			sums = append(sums, s)
			continue
		}
		i, ok := at[a.code]
		if !ok {
			i = len(sums)
			at[a.code] = i
			sums = append(sums, spot{Point: Point{Code: a.code, Label: p.name(a.code), Lon: a.at[0], Lat: a.at[1], Region: a.code}, region: a.code})
		}
		sums[i].hold(sums[i].amount().add(s.amount()))
	}
	return sums
}

// amount is a figure or a sum of figures.
type amount struct {
	value      *float64
	suppressed bool
	about      bool // a round neighbour of a withheld figure is in it
	least      bool // part of it is withheld
}

func (s *spot) amount() amount { return amount{s.Value, s.Suppressed, s.About, s.least} }

func (s *spot) hold(a amount) {
	s.Value, s.Suppressed, s.About, s.least = a.value, a.suppressed, a.about, a.least
}

func (s *stream) amount() amount { return amount{s.Value, s.Suppressed, s.About, s.least} }

func (s *stream) hold(a amount) {
	s.Value, s.Suppressed, s.About, s.least = a.value, a.suppressed, a.about, a.least
}

// add adds a figure to a sum. A withheld part makes the sum a lower bound, and
// the sum withheld when there is no known part.
func (a amount) add(f amount) amount {
	if f.suppressed {
		if a.value == nil {
			return amount{suppressed: true}
		}
		a.suppressed, a.least = false, true
		return a
	}
	n, ok := value(f.value, false)
	if !ok {
		return a
	}
	if a.value != nil {
		n += *a.value
	}
	return amount{value: &n, about: a.about || f.about, least: a.least || a.suppressed}
}

// name is what the reader calls a code.
func (p *picture) name(code string) string {
	if n := draw.Clean(p.s.Names[code]); n != "" {
		return n
	}
	if a, ok := p.b.area(code); ok {
		if n := draw.Clean(a.name.In(p.s.Lang)); n != "" {
			return n
		}
	}
	return draw.Clean(code)
}

// end resolves a flow's end: a placed point, a region, the country itself, a
// neighbour in the frame or a country beyond it.
func (p *picture) end(code string) (end, bool) {
	for _, s := range p.placed {
		if s.Code == code {
			return end{name: s.Label, at: s.at, r: s.r, area: -1}, true
		}
	}
	for _, pt := range p.s.Points { // a point without a place of its own stands for its region
		if pt.Code != code {
			continue
		}
		region := pt.Region
		if region == "" {
			region = p.b.RegionAt(pt.Lon, pt.Lat)
		}
		if a, ok := p.b.area(region); ok {
			for _, s := range p.placed {
				if s.Code == region {
					return end{name: s.Label, at: s.at, r: s.r, area: -1}, true
				}
			}
			return end{name: draw.Clean(pt.Label), at: p.f.xy(a.at), r: 4, area: -1}, true
		}
		return end{}, false
	}
	for i, a := range p.b.areas {
		if a.code != code {
			continue
		}
		e := end{name: p.name(code), at: p.f.xy(a.at), r: 4, area: -1}
		if a.level == 0 && code != p.s.Country {
			e.area = i
			if p.shapes[i].empty() {
				e.area, e.outside = -1, true
				e.at = p.f.edge(e.at, 18)
			}
		}
		return e, true
	}
	return end{}, false
}

// anchor is where in the neighbour i a flow to or from the place at begins:
// inside the country, clear of its border and of the frame, as near as leaves
// the arrow a length of its own, apart from the anchors before and crossing as
// few arrows as may be. The two directions of a pair share theirs.
func (p *picture) anchor(i int, place string, at orb.Point) orb.Point {
	key := p.b.areas[i].code + " " + place
	if q, ok := p.anchors[key]; ok {
		return q
	}
	length := 0.2 * min(p.f.w, p.f.h)
	pull := 0.0 // towards the middle of the country, beyond what every site has
	if place == p.home.code {
		length, pull = 0.42*min(p.f.w, p.f.h), 0.3
	}
	far := p.f.xy(p.b.areas[i].at)
	best, cost := p.f.edge(p.f.xy(p.b.areas[i].at), 18), math.Inf(1)
	for _, c := range p.sitesOf(i) {
		q, c := c.at, c.cost+math.Abs(planar.Distance(c.at, at)-length)+pull*min(planar.Distance(c.at, far), 400)
		if c >= cost {
			continue
		}
		for _, o := range p.anchorList {
			if gap := planar.Distance(o, q); gap < 30 {
				c += (30 - gap) * 1.5
			}
		}
		for _, o := range p.courses {
			if cross(q, at, o[0], o[1]) {
				c += 45
			}
		}
		for _, s := range p.placed { // not through a third point
			if s.Code != place && toLine(s.at, q, at) < s.r+6 {
				c += 30
			}
		}
		if c < cost {
			best, cost = q, c
		}
	}
	// For a long arrow an anchor of that country that is hardly farther serves as
	// well: fewer ends. Short ones have their own, where people cross the border.
	for _, q := range p.anchorsOf[i] {
		if place != p.home.code && planar.Distance(best, at) < 0.3*min(p.f.w, p.f.h) {
			break
		}
		clear := planar.Distance(q, at) < planar.Distance(best, at)*1.3+12 && planar.Distance(q, at) > length*0.6
		for _, s := range p.placed {
			clear = clear && (s.Code == place || toLine(s.at, q, at) >= s.r+6)
		}
		if clear {
			best = q
		}
	}
	p.anchorsOf[i] = append(p.anchorsOf[i], best)
	p.anchors[key] = best
	p.anchorList = append(p.anchorList, best)
	return best
}

// site is a place in a neighbour where an anchor may be, and what speaks against
// it whatever the flow.
type site struct {
	at   orb.Point
	cost float64
}

func (p *picture) sitesOf(i int) []site {
	if list, ok := p.sites[i]; ok {
		return list
	}
	var list []site
	far := p.f.xy(p.b.areas[i].at)
	step := max(8, p.f.w/64)
	for y := 16.0; y <= p.f.h-16; y += step {
		for x := 16.0; x <= p.f.w-16; x += step {
			q := orb.Point{x, y}
			if !p.shapes[i].contains(q) {
				continue
			}
			// What lies towards the middle of the country is where people come from.
			c := 0.08 * min(planar.Distance(q, far), 400)
			if clear := p.shapes[i].from(q); clear < 22 {
				c += (22 - clear) * 2
			}
			if clear := p.fromHome(q); clear < 44 {
				c += (44 - clear) * 1.5
			}
			if p.scaleBox.contains(q) {
				c += 60
			}
			list = append(list, site{q, c})
		}
	}
	p.sites[i] = list
	return list
}

// fromHome is the distance to the country that fills the frame.
func (p *picture) fromHome(q orb.Point) float64 {
	for i, a := range p.b.areas {
		if a.code == p.home.code && !p.shapes[i].empty() {
			return p.shapes[i].from(q)
		}
	}
	return math.Inf(1)
}

// cross tells whether the segments ab and cd cross.
func cross(a, b, c, d orb.Point) bool {
	side := func(p, q, r orb.Point) float64 { return (q[0]-p[0])*(r[1]-p[1]) - (q[1]-p[1])*(r[0]-p[0]) }
	return side(a, b, c)*side(a, b, d) < 0 && side(c, d, a)*side(c, d, b) < 0
}

// toLine is the distance of p from the segment ab.
func toLine(p, a, b orb.Point) float64 {
	dx, dy := b[0]-a[0], b[1]-a[1]
	t := 0.0
	if l := dx*dx + dy*dy; l > 0 {
		t = min(max(((p[0]-a[0])*dx+(p[1]-a[1])*dy)/l, 0), 1)
	}
	return planar.Distance(p, orb.Point{a[0] + t*dx, a[1] + t*dy})
}

// streams places the flows, largest first; those whose ends cannot be drawn come
// back apart.
func (p *picture) streams() (drawn []stream, loose []stream) {
	hi := 0.0
	list := p.flows()
	bySize(list) // the largest choose their course first
	for _, f := range list {
		st := f
		a, ok1 := p.end(f.From)
		b, ok2 := p.end(f.To)
		st.from, st.to = p.called(f.From), p.called(f.To)
		v, known := value(f.Value, f.Suppressed)
		if !ok1 || !ok2 || f.From == f.To || a.at == b.at && a.area < 0 && b.area < 0 {
			if known && v > 0 || f.Suppressed {
				loose = append(loose, st)
			}
			continue
		}
		if !known && !f.Suppressed || known && v == 0 {
			continue
		}
		switch {
		case a.area >= 0 && b.area >= 0:
			a.at = p.anchor(a.area, p.home.code, p.f.xy(p.home.at))
			b.at = p.anchor(b.area, p.home.code, p.f.xy(p.home.at))
		case a.area >= 0 && b.outside:
			a.at = p.anchor(a.area, p.home.code, p.f.xy(p.home.at))
		case b.area >= 0 && a.outside:
			b.at = p.anchor(b.area, p.home.code, p.f.xy(p.home.at))
		case a.area >= 0:
			a.at = p.anchor(a.area, f.To, b.at)
		case b.area >= 0:
			b.at = p.anchor(b.area, f.From, a.at)
		}
		through := (a.area >= 0 || a.outside) && (b.area >= 0 || b.outside)
		p.courses = append(p.courses, [2]orb.Point{a.at, b.at})
		for _, e := range []end{a, b} {
			if e.outside {
				p.far[e.name] = e.at
			}
		}
		st.a, st.b = toward(a.at, b.at, a.r+2), toward(b.at, a.at, b.r+3)
		st.c = p.bend(st.a, st.b)
		if through {
			st.c = p.via(st.a, st.b)
		}
		hi = max(hi, v)
		drawn = append(drawn, st)
	}
	most := min(11, p.f.w/48)
	for i := range drawn {
		v, ok := value(drawn[i].Value, drawn[i].Suppressed)
		drawn[i].width = 1.4
		if ok {
			drawn[i].width = max(1.2, most*v/hi)
			drawn[i].faint = v < hi*0.08
		}
	}
	p.flowHi, p.flowMost = hi, most
	if len(drawn) > maxFlows {
		loose = append(loose, drawn[maxFlows:]...)
		drawn = drawn[:maxFlows]
	}
	return drawn, loose
}

// bySize sorts flows by value, largest first, withheld ones last.
func bySize(list []stream) {
	sort.SliceStable(list, func(i, j int) bool {
		a, _ := value(list[i].Value, list[i].Suppressed)
		b, _ := value(list[j].Value, list[j].Suppressed)
		if a != b {
			return a > b
		}
		return list[i].From+" "+list[i].To < list[j].From+" "+list[j].To
	})
}

// maxFlows is how many arrows a reader can tell apart at the very most; what is
// beyond is in the table.
const maxFlows = 40

// called names a flow's end even when it has no place.
func (p *picture) called(code string) string {
	for _, s := range p.placed {
		if s.Code == code {
			return s.Label
		}
	}
	for _, pt := range p.s.Points {
		if pt.Code == code && draw.Clean(pt.Label) != "" {
			return draw.Clean(pt.Label)
		}
	}
	return p.name(code)
}

// flows are the spec's flows; with Aggregate their points become regions and
// equal pairs one flow. Equal pairs are added up in any case.
func (p *picture) flows() []stream {
	region := map[string]string{}
	if p.s.Aggregate == Region {
		for _, s := range (&picture{b: p.b, s: Spec{Points: p.s.Points}}).points() {
			if _, ok := p.b.area(s.region); ok {
				region[s.Code] = s.region
			}
		}
	}
	var out []stream
	at := map[[2]string]int{}
	for _, f := range p.s.Flows {
		if r, ok := region[f.From]; ok {
			f.From = r
		}
		if r, ok := region[f.To]; ok {
			f.To = r
		}
		key := [2]string{f.From, f.To}
		i, ok := at[key]
		if !ok {
			at[key] = len(out)
			if f.Suppressed {
				f.Value = nil
			}
			out = append(out, stream{Flow: f})
			continue
		}
		o := &out[i]
		o.hold(o.amount().add(amount{value: f.Value, suppressed: f.Suppressed, about: f.About}))
		o.Label = ""
	}
	return out
}

// toward moves a by d towards b, at most to a third of the way.
func toward(a, b orb.Point, d float64) orb.Point {
	l := planar.Distance(a, b)
	if l == 0 {
		return a
	}
	t := min(d/l, 1.0/3)
	return orb.Point{a[0] + (b[0]-a[0])*t, a[1] + (b[1]-a[1])*t}
}

// bend is the control point of the curve from a to b: to the right of the
// course, so that a flow and its return keep apart; less where the frame ends.
func (p *picture) bend(a, b orb.Point) orb.Point {
	dx, dy := b[0]-a[0], b[1]-a[1]
	for _, k := range []float64{0.2, 0.14, 0.08, 0} {
		c := orb.Point{(a[0]+b[0])/2 - dy*k, (a[1]+b[1])/2 + dx*k}
		if p.f.holds(c, 6) {
			return c
		}
	}
	return orb.Point{(a[0] + b[0]) / 2, (a[1] + b[1]) / 2}
}

// via is the control point of a flow between two other countries: it was seen in
// this one, so its curve leads through it, a little to the right of the middle.
func (p *picture) via(a, b orb.Point) orb.Point {
	home := p.f.xy(p.home.at)
	dx, dy := b[0]-a[0], b[1]-a[1]
	home = orb.Point{home[0] - dy*0.05, home[1] + dx*0.05}
	return orb.Point{2*home[0] - (a[0]+b[0])/2, 2*home[1] - (a[1]+b[1])/2}
}

// on is the position at t, 0 to 1, and the direction there, of unit length.
func (s stream) on(t float64) (at, dir orb.Point) {
	u := 1 - t
	at = orb.Point{
		u*u*s.a[0] + 2*u*t*s.c[0] + t*t*s.b[0],
		u*u*s.a[1] + 2*u*t*s.c[1] + t*t*s.b[1],
	}
	dir = orb.Point{
		2*u*(s.c[0]-s.a[0]) + 2*t*(s.b[0]-s.c[0]),
		2*u*(s.c[1]-s.a[1]) + 2*t*(s.b[1]-s.c[1]),
	}
	l := math.Hypot(dir[0], dir[1])
	if l == 0 {
		return at, orb.Point{1, 0}
	}
	return at, orb.Point{dir[0] / l, dir[1] / l}
}

func (s stream) length() float64 { return planar.Distance(s.a, s.b) }

// head is the length of the arrowhead.
func (s stream) head() float64 { return min(max(8, s.width*1.5), s.length()*0.6) }

// ribbon is the outline of the arrow: shaft and head in one shape, so that a
// faded one has no seam.
func (s stream) ribbon() [][2]float64 {
	n := 12
	if s.length() > 300 || planar.Distance(s.c, s.a)+planar.Distance(s.c, s.b) > 1.2*s.length() {
		n = 24
	}
	stop := 1 - s.head()/max(s.length(), 1)
	var left, right [][2]float64
	for i := 0; i <= n; i++ {
		at, d := s.on(stop * float64(i) / float64(n))
		h := s.width / 2
		left = append(left, [2]float64{at[0] - d[1]*h, at[1] + d[0]*h})
		right = append(right, [2]float64{at[0] + d[1]*h, at[1] - d[0]*h})
	}
	at, d := s.on(stop)
	h := max(4, s.width*0.95)
	out := append(left, [2]float64{at[0] - d[1]*h, at[1] + d[0]*h}, [2]float64{s.b[0], s.b[1]}, [2]float64{at[0] + d[1]*h, at[1] - d[0]*h})
	for i := len(right) - 1; i >= 0; i-- {
		out = append(out, right[i])
	}
	return out
}
