package maps

import (
	"math"
	"slices"
	"strings"

	"github.com/paulmach/orb"

	"dtm/disseminate/chart/draw"
)

// Dot is a place with how many records were made there.
type Dot struct {
	Lon, Lat float64
	Count    int
	Label    string // said under the pointer, with Value
	Value    string
}

// plain is a picture of places without figures.
func (b *Base) plain(s Spec) *picture {
	p := &picture{b: b, s: fill(s), plain: true, far: map[string]orb.Point{}, anchors: map[string]orb.Point{}, sites: map[int][]site{}, anchorsOf: map[int][]orb.Point{}}
	p.s.Points = slices.Clone(p.s.Points)
	for i := range p.s.Points {
		p.s.Points[i].Value = nil
	}
	p.s.Flows = nil
	return p
}

// Dots draws records where they were made, on the base map with the points of s
// by name. A dot's area grows with its count. Flows are not drawn. outside is how
// many records lie beyond the frame.
func (b *Base) Dots(s Spec, dots []Dot) (svg []byte, outside int) {
	p := b.plain(s)
	p.frame()
	p.c = draw.NewCanvas(p.s.ID, p.s.Width)
	p.placed, p.loose = p.spots()
	p.labelPoints()
	p.labelAreas()
	p.ground()
	p.circles()
	most := 1
	for _, d := range dots {
		most = max(most, d.Count)
	}
	for _, d := range dots { // largest first: the small ones stay in sight
		at := p.f.xy(orb.Point{d.Lon, d.Lat})
		if !p.f.holds(at, 0) {
			outside += d.Count
			continue
		}
		r := 3 + 11*math.Sqrt(float64(d.Count)/float64(most))
		if most == 1 {
			r = 4.5
		}
		p.c.Mark(d.Label, d.Value)
		p.c.Circle(at[0], at[1], r, draw.Shape{Class: "main edge", Fill: draw.Main, Stroke: draw.Ground, Opacity: 0.75})
		p.c.EndMark()
	}
	p.texts()
	p.scaleBar()
	p.y = p.f.h + 6
	p.c.Mirror = p.s.Lang.RTL()
	var numbered []string
	for _, s := range p.placed {
		if s.number > 0 {
			numbered = append(numbered, p.number(float64(s.number))+" "+s.Label)
		}
	}
	p.paragraph(strings.Join(numbered, " · "), 6)
	p.paragraph(p.s.Texts.Disclaimer, 6)
	alt := p.s.Alt
	if alt == "" {
		alt = p.s.Title
	}
	return p.c.Bytes(math.Ceil(p.y+2), "map", string(p.s.Lang), p.s.Title, alt), outside
}
