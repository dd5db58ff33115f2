package boundary

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/paulmach/orb"
	"github.com/peterstace/simplefeatures/geom"
)

// geometry is a GeoJSON geometry before its coordinates are looked at.
type geometry struct {
	Type        string
	Coordinates json.RawMessage
}

// polygons reads the outlines of a feature; a fault is noted at the place and gives
// none. left is how many positions may still be read.
func (g *geometry) polygons(f *faults, where string, left *int) orb.MultiPolygon {
	var rings [][][][]float64 // polygons of rings of positions
	var err error
	switch {
	case g == nil:
		f.add(where, "geometry.none", nil, "the feature has no geometry")
		return nil
	case g.Type == "Polygon":
		rings = make([][][][]float64, 1)
		err = json.Unmarshal(g.Coordinates, &rings[0])
	case g.Type == "MultiPolygon":
		err = json.Unmarshal(g.Coordinates, &rings)
	default:
		f.add(where, "geometry.type", []any{g.Type}, "the geometry is %q; an area is a Polygon or a MultiPolygon")
		return nil
	}
	if err != nil {
		f.add(where, "coordinates", nil, "the coordinates are not those of a polygon: lists of rings of positions, a position being longitude and latitude")
		return nil
	}
	var out orb.MultiPolygon
	for i, p := range rings {
		var poly orb.Polygon
		for k, r := range p {
			ring, ok := readRing(f, where, place(i, k, len(rings)), r, left)
			if !ok {
				return nil
			}
			poly = append(poly, ring)
		}
		if len(poly) > 0 {
			out = append(out, poly)
		}
	}
	if len(out) == 0 {
		f.add(where, "geometry.none", nil, "the feature has no geometry")
		return nil
	}
	if bad, ok := crossing(out); ok {
		f.add(where, "crosses", []any{bad}, "the outline crosses itself, or its parts overlap, at or near longitude and latitude %s; repair it, for example with \"Fix geometries\" of QGIS")
		return nil
	}
	return out
}

// place names a ring within a geometry, from 1: "2.1" is the outer ring of the second
// part.
func place(part, ring, parts int) string {
	if parts > 1 {
		return fmt.Sprintf("%d.%d", part+1, ring+1)
	}
	return fmt.Sprint(ring + 1)
}

func readRing(f *faults, where, which string, r [][]float64, left *int) (orb.Ring, bool) {
	if *left -= len(r); *left < 0 {
		f.add("", "large.positions", []any{mostPositions}, "the files hold more than %d positions; simplify the outlines first")
		return nil, false
	}
	ring := make(orb.Ring, 0, len(r))
	for _, p := range r {
		if len(p) < 2 {
			f.add(where, "coordinates", nil, "the coordinates are not those of a polygon: lists of rings of positions, a position being longitude and latitude")
			return nil, false
		}
		x, y := p[0], p[1]
		switch {
		case math.Abs(x) > 360 || math.Abs(y) > 360:
			f.add(where, "metres", []any{number(x), number(y)}, "the position %s, %s is no longitude and latitude in degrees: the file is in another coordinate system; export it as WGS 84 (EPSG:4326)")
			return nil, false
		case !(math.Abs(x) <= 180) || !(math.Abs(y) <= 90):
			f.add(where, "range", []any{number(x), number(y)}, "the position %s, %s is not on Earth: longitude comes first, from -180 to 180, then latitude, from -90 to 90")
			return nil, false
		}
		ring = append(ring, orb.Point{x, y})
	}
	switch {
	case len(ring) < 4:
		f.add(where, "ring.short", []any{which, len(ring)}, "ring %s has %d positions; a ring needs at least four, the last being the first again")
		return nil, false
	case ring[0] != ring[len(ring)-1]:
		f.add(where, "ring.open", []any{which}, "ring %s is not closed: its last position is not its first")
		return nil, false
	}
	return ring, true
}

func number(v float64) string { return strconv.FormatFloat(math.Round(v*1e4)/1e4, 'f', -1, 64) }

var near = regexp.MustCompile(`at or near \{([^}]*)\}`)

// crossing tells whether a shape is none that can lie on a map (OGC Simple Features):
// rings that cross themselves or each other, holes outside, parts that overlap; and
// near which position.
func crossing(m orb.MultiPolygon) (string, bool) {
	err := features(m).Validate()
	if err == nil {
		return "", false
	}
	if found := near.FindStringSubmatch(err.Error()); found != nil {
		return strings.ReplaceAll(found[1], " ", ", "), true
	}
	at := m.Bound().Center()
	return number(at[0]) + ", " + number(at[1]), true
}

// features is the shape as package geom has it.
func features(m orb.MultiPolygon) geom.MultiPolygon {
	parts := make([]geom.Polygon, 0, len(m))
	for _, p := range m {
		rings := make([]geom.LineString, 0, len(p))
		for _, r := range p {
			xy := make([]float64, 0, 2*len(r))
			for _, pt := range r {
				xy = append(xy, pt[0], pt[1])
			}
			rings = append(rings, geom.NewLineString(geom.NewSequence(xy, geom.DimXY)))
		}
		parts = append(parts, geom.NewPolygon(rings))
	}
	return geom.NewMultiPolygon(parts)
}

// shapeOf is a shape of package geom as ours; parts that are no polygons are left out.
func shapeOf(g geom.Geometry) orb.MultiPolygon {
	var out orb.MultiPolygon
	add := func(p geom.Polygon) {
		var poly orb.Polygon
		for i := range p.NumRings() {
			s := p.DumpRings()[i].Coordinates()
			ring := make(orb.Ring, 0, s.Length())
			for k := range s.Length() {
				xy := s.GetXY(k)
				ring = append(ring, orb.Point{xy.X, xy.Y})
			}
			poly = append(poly, ring)
		}
		if len(poly) > 0 {
			out = append(out, poly)
		}
	}
	switch {
	case g.IsPolygon():
		add(g.MustAsPolygon())
	case g.IsMultiPolygon():
		m := g.MustAsMultiPolygon()
		for i := range m.NumPolygons() {
			add(m.PolygonN(i))
		}
	}
	return out
}
