package maps

import (
	"math"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/planar"

	"dtm/disseminate/chart/draw"
)

// box is a place that a label takes, in px.
type box struct{ x, y, w, h float64 }

func (b box) contains(p orb.Point) bool {
	return p[0] >= b.x && p[0] <= b.x+b.w && p[1] >= b.y && p[1] <= b.y+b.h
}

func (b box) meets(o box) bool {
	return b.x < o.x+o.w && o.x < b.x+b.w && b.y < o.y+o.h && o.y < b.y+b.h
}

func (b box) meetsCircle(at orb.Point, r float64) bool {
	dx := at[0] - min(max(at[0], b.x), b.x+b.w)
	dy := at[1] - min(max(at[1], b.y), b.y+b.h)
	return dx*dx+dy*dy < r*r
}

// tag is a label that has found its place: lines of text, centred in x.
type tag struct {
	lines []string
	bold  int     // so many lines are bold
	x, y  float64 // of the first baseline
	style draw.Style
	lead  float64
	line  [2]orb.Point // leader, when lined
	lined bool
	anch  draw.Anchor
}

// free tells whether a box lies in the frame and off everything placed.
func (p *picture) free(b box, own int) bool {
	if b.x < 3 || b.y < 3 || b.x+b.w > p.f.w-3 || b.y+b.h > p.f.h-3 {
		return false
	}
	for _, o := range p.taken {
		if b.meets(o) {
			return false
		}
	}
	for i, s := range p.placed {
		r := s.r + 1
		if s.Approximate {
			r += 3
		}
		if i == own {
			r = s.r
		}
		if b.meetsCircle(s.at, r) {
			return false
		}
	}
	return true
}

// covered counts how much of the arrows lies under a box: the fewer, the better.
func (p *picture) covered(b box) float64 {
	n := 0.0
	for _, s := range p.drawn {
		for i := 0; i <= 20; i++ {
			if at, _ := s.on(float64(i) / 20); b.contains(at) {
				n += 0.5 + s.width/8
			}
		}
	}
	return n
}

// labelPoints gives every point its name and figure, largest first: beside the
// circle, else a little off with a leader, else the name alone, else a number
// that the legend explains.
func (p *picture) labelPoints() {
	for i := range p.placed {
		s := &p.placed[i]
		name := draw.Wrap(s.Label, 12, true, min(120, p.f.w*0.3), 2)
		s.bold = len(name)
		if !p.plain && p.place(i, append(name[:len(name):len(name)], p.say(s.amount()))) || p.place(i, name) {
			continue
		}
		p.numbered++
		s.number, s.bold = p.numbered, 1
		if !p.place(i, []string{p.number(float64(s.number))}) {
			s.number = p.numbered // the legend still tells it
		}
	}
}

func (p *picture) place(i int, lines []string) bool {
	s := p.placed[i]
	w := 0.0
	for k, l := range lines {
		w = max(w, draw.Width(l, 12, k < s.bold))
	}
	h := 14 * float64(len(lines))
	r := s.r + 3
	if s.Approximate {
		r += 3
	}
	best, score := tag{}, math.Inf(1)
	var take box
	for ring, d := range []float64{0, 9, 22} {
		for k := 0; k < 16; k++ {
			angle := float64(k) * math.Pi / 8
			cx, cy := math.Cos(angle), math.Sin(angle)
			// The box touches the circle on the side that faces it.
			x := s.at[0] + (r+d)*cx - w/2 + w/2*clampUnit(cx*1.5)
			y := s.at[1] + (r+d)*cy - h/2 + h/2*clampUnit(cy*1.5)
			b := box{x - 2, y - 1, w + 4, h + 2}
			if !p.free(b, i) {
				continue
			}
			c := p.covered(b) + float64(ring)*2.5
			if k%4 != 0 {
				c += 0.3 // beside, above or below reads best
			}
			if k == 4 || k == 12 {
				c += 0.2
			}
			if c < score-1e-9 {
				anch, tx := draw.Middle, x+w/2
				if cx > 0.4 {
					anch, tx = draw.Start, x
				} else if cx < -0.4 {
					anch, tx = draw.End, x+w
				}
				best = tag{lines: lines, bold: s.bold, x: tx, y: y + 11, lead: 14, anch: anch}
				if ring == 2 {
					best.lined = true
					best.line = [2]orb.Point{{s.at[0] + s.r*cx, s.at[1] + s.r*cy}, {s.at[0] + (r+d-2)*cx, s.at[1] + (r+d-2)*cy}}
				}
				score, take = c, b
			}
		}
	}
	if math.IsInf(score, 0) {
		return false
	}
	p.taken = append(p.taken, take)
	p.tags = append(p.tags, best)
	return true
}

func clampUnit(v float64) float64 { return min(max(v, -1), 1) }

// How strictly an area's name keeps to it.
const (
	within = iota // begins, and ends, in it
	about         // has its middle in it
	nearby        // as within, and not far from the wanted place
)

// labelArea sets a name inside an area where nothing lies, as near as can be to
// its inner point. The name of an area too small for it stands close by; one
// without any free place is left out, as may happen on a phone.
func (p *picture) labelArea(shape outline, at orb.Point, name string, st draw.Style, how int) {
	if name == "" {
		return
	}
	w := draw.Width(name, st.Size, st.Bold) + st.Space*float64(len([]rune(name)))
	h := st.Size + 2
	best, score := box{}, math.Inf(1)
	for y := 4.0; y < p.f.h-h-4; y += 8 {
		for x := 4.0; x < p.f.w-w-4; x += 8 {
			b := box{x, y, w, h}
			mid := orb.Point{x + w/2, y + h/2}
			c := planar.Distance(mid, at) / 12
			if c > score || how == nearby && c*12 > p.f.w/4 || !p.free(b, -1) {
				continue
			}
			ok := true
			for _, q := range []orb.Point{{x, mid[1]}, mid, {x + w, mid[1]}} {
				if in := shape.contains(q); !in && (how != about || q == mid) {
					ok = false
				}
			}
			if !ok && (how != within || planar.Distance(mid, at) > 34) {
				continue
			}
			if !ok {
				c += 40
			}
			if c += p.covered(b) * 2; c < score {
				best, score = b, c
			}
		}
	}
	if math.IsInf(score, 0) {
		return
	}
	p.taken = append(p.taken, best)
	p.tags = append(p.tags, tag{lines: []string{name}, x: best.x + w/2, y: best.y + st.Size*0.86, style: st, anch: draw.Middle})
}

// labelFar names the countries beyond the frame at the end of their arrows.
func (p *picture) labelFar() {
	for _, name := range sorted(p.far) {
		at := p.far[name]
		fit := draw.Fit(name, 11, false, p.f.w*0.4)
		w, h := draw.Width(fit, 11, false), 13.0
		best, score := box{}, math.Inf(1)
		for dy := -40.0; dy <= 40; dy += 4 {
			for dx := -1.0; dx <= 1; dx += 0.25 {
				b := box{at[0] - w/2 + dx*(w/2+10), at[1] - h/2 + dy, w, h}
				if !p.free(b, -1) {
					continue
				}
				c := p.covered(b)*2 + math.Abs(dy)/10 + math.Abs(dx)
				if c < score {
					best, score = b, c
				}
			}
		}
		if !math.IsInf(score, 0) {
			p.taken = append(p.taken, best)
			p.tags = append(p.tags, tag{lines: []string{fit}, x: best.x + w/2, y: best.y + 10, style: draw.Style{Size: 11, Class: "mute", Italic: true}, anch: draw.Middle})
		}
	}
}

// labelFlows writes the figures of the largest flows on their arrows.
func (p *picture) labelFlows() {
	for i := range p.drawn {
		s := &p.drawn[i]
		if i >= 8 || s.Suppressed {
			break
		}
		say := p.say(s.amount())
		w := draw.Width(say, 11, true)
		for _, t := range []float64{0.45, 0.35, 0.55, 0.25, 0.65, 0.15} {
			at, d := s.on(t)
			done := false
			for _, off := range []float64{1, -1, 0} {
				o := off * (s.width/2 + 9 + math.Abs(d[1])*w/2.4)
				b := box{at[0] - d[1]*o - w/2 - 2, at[1] + d[0]*o - 7, w + 4, 14}
				if p.free(b, -1) {
					p.taken = append(p.taken, b)
					p.tags = append(p.tags, tag{lines: []string{say}, x: b.x + b.w/2, y: b.y + 11, style: draw.Style{Size: 11, Bold: true, Class: "warm"}, anch: draw.Middle})
					done = true
					break
				}
			}
			if done {
				break
			}
		}
	}
}
