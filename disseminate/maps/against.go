package maps

import (
	"math"

	"dtm/disseminate/chart/draw"
)

// Against draws the areas of b with, dashed, the regions' outlines as they were in
// another base, and the points of s by name. Flows are not drawn.
func (b *Base) Against(was *Base, s Spec) []byte {
	p := b.plain(s)
	p.frame()
	p.c = draw.NewCanvas(p.s.ID, p.s.Width)
	p.placed, p.loose = p.spots()
	p.labelPoints()
	p.labelAreas()
	p.ground()
	for _, a := range was.areas {
		if shape := p.f.draw(a.shape); a.level == 1 && !shape.empty() {
			p.c.Path(path(shape.shape), draw.Shape{Class: "accent-line", Stroke: draw.Accent, Width: 1.4, Dash: "4 3"})
		}
	}
	p.circles()
	p.texts()
	p.scaleBar()
	p.y = p.f.h + 6
	p.c.Mirror = p.s.Lang.RTL()
	p.paragraph(p.s.Texts.Disclaimer, 6)
	alt := p.s.Alt
	if alt == "" {
		alt = p.s.Title
	}
	return p.c.Bytes(math.Ceil(p.y+2), "map", string(p.s.Lang), p.s.Title, alt)
}
