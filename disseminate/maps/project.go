package maps

import (
	"math"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/clip"
	"github.com/paulmach/orb/planar"
)

// frame is the picture's window on the world: Mercator, north up.
type frame struct {
	w, h   float64
	scale  float64 // px per radian
	cx, cy float64 // projected middle
	lat    float64 // middle latitude in radians, for the scale bar
}

func mercator(p orb.Point) (x, y float64) {
	lat := p[1] * math.Pi / 180
	return p[0] * math.Pi / 180, math.Log(math.Tan(math.Pi/4 + lat/2))
}

// newFrame shows bound with a margin for the neighbours on every side.
func newFrame(b orb.Bound, w, h float64) frame {
	x1, y1 := mercator(b.Min)
	x2, y2 := mercator(b.Max)
	f := frame{w: w, h: h, cx: (x1 + x2) / 2, cy: (y1 + y2) / 2, lat: b.Center()[1] * math.Pi / 180}
	const fill = 0.7 // of the frame's width or height is the country's
	f.scale = fill * min(w/max(x2-x1, 1e-9), h/max(y2-y1, 1e-9))
	return f
}

func (f frame) xy(p orb.Point) orb.Point {
	x, y := mercator(p)
	return orb.Point{f.w/2 + (x-f.cx)*f.scale, f.h/2 - (y-f.cy)*f.scale}
}

// kilometres is how many px one kilometre is at the middle of the map, on a
// sphere of 6371 km.
func (f frame) kilometres() float64 { return f.scale / (6371 * math.Cos(f.lat)) }

func (f frame) holds(p orb.Point, inset float64) bool {
	return p[0] >= inset && p[1] >= inset && p[0] <= f.w-inset && p[1] <= f.h-inset
}

// draw projects a shape, cuts it to the frame and thins it to the page's
// precision: positions less than half a pixel from the one before are left out.
func (f frame) draw(m orb.MultiPolygon) outline {
	out := make(orb.MultiPolygon, 0, len(m))
	for _, p := range m {
		var q orb.Polygon
		for _, r := range p {
			ring := make(orb.Ring, 0, len(r))
			for _, pt := range r {
				ring = append(ring, f.xy(pt))
			}
			q = append(q, ring)
		}
		q = clip.Polygon(orb.Bound{Max: orb.Point{f.w, f.h}}, q)
		var thin orb.Polygon
		for _, r := range q {
			var t orb.Ring
			for _, pt := range r {
				if len(t) == 0 || math.Hypot(pt[0]-t[len(t)-1][0], pt[1]-t[len(t)-1][1]) >= 0.5 {
					t = append(t, pt)
				}
			}
			if len(t) >= 4 {
				thin = append(thin, t)
			} else if len(thin) == 0 {
				break
			}
		}
		if len(thin) > 0 {
			out = append(out, thin)
		}
	}
	return newOutline(out)
}

// outline is a shape on the page. It keeps its bound, since planar works it out
// anew for every question and labels ask thousands.
type outline struct {
	shape orb.MultiPolygon
	bound orb.Bound
}

func newOutline(m orb.MultiPolygon) outline { return outline{m, m.Bound()} }

func (o outline) empty() bool { return len(o.shape) == 0 }

// contains tells whether p lies inside by the even-odd rule over all rings.
func (o outline) contains(p orb.Point) bool {
	if o.empty() || !o.bound.Contains(p) {
		return false
	}
	in := false
	for _, poly := range o.shape {
		for _, r := range poly {
			for i := 1; i < len(r); i++ {
				a, b := r[i-1], r[i]
				if (a[1] > p[1]) != (b[1] > p[1]) && p[0] < (b[0]-a[0])*(p[1]-a[1])/(b[1]-a[1])+a[0] {
					in = !in
				}
			}
		}
	}
	return in
}

// from is the distance of p from the border.
func (o outline) from(p orb.Point) float64 { return planar.DistanceFrom(o.shape, p) }

// edge is where the ray from the middle of the frame towards p leaves it.
func (f frame) edge(p orb.Point, inset float64) orb.Point {
	dx, dy := p[0]-f.w/2, p[1]-f.h/2
	t := math.Inf(1)
	if dx != 0 {
		t = min(t, (f.w/2-inset)/math.Abs(dx))
	}
	if dy != 0 {
		t = min(t, (f.h/2-inset)/math.Abs(dy))
	}
	if math.IsInf(t, 0) {
		t = 0
	}
	return orb.Point{f.w/2 + dx*t, f.h/2 + dy*t}
}
