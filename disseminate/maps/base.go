package maps

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/planar"

	"dtm"
)

// Base is a parsed base map. It is not changed by drawing and may be shared.
type Base struct {
	areas []area
}

// area is a country (level 0) or a region (level 1). One without polygons is
// only a direction: the middle of a country beyond the map.
type area struct {
	code  string
	level int
	name  dtm.Text
	shape orb.MultiPolygon // longitude, latitude
	at    orb.Point        // an inner point, or the far middle
	bound orb.Bound
}

// Parse reads a GeoJSON FeatureCollection (RFC 7946) of countries and regions:
// Polygon, MultiPolygon or Point features with the properties code (ISO 3166-1
// alpha-3 or P-code), level (0 country, 1 region) and name_en, name_fr ... or
// name. Positions are longitude and latitude in degrees (WGS 84). Features of
// deeper levels are left out. Errors are of kind Invalid and name the feature.
func Parse(geojson []byte) (*Base, error) {
	var doc struct {
		Type     string
		Features []struct {
			Properties map[string]any
			Geometry   *struct {
				Type        string
				Coordinates json.RawMessage
			}
		}
	}
	if err := json.Unmarshal(geojson, &doc); err != nil {
		return nil, dtm.Errorf(dtm.Invalid, "the boundaries are not GeoJSON: %w", err).Coded("maps.json")
	}
	if doc.Type != "FeatureCollection" || len(doc.Features) == 0 {
		return nil, dtm.Errorf(dtm.Invalid, "the boundaries are not a GeoJSON FeatureCollection with features").Coded("maps.empty")
	}
	b := &Base{}
	seen := map[string]bool{}
	for i, f := range doc.Features {
		bad := func(format string, args ...any) error {
			return dtm.Errorf(dtm.Invalid, format, args...).At("feature " + strconv.Itoa(i+1)).Coded("maps.feature")
		}
		code, _ := f.Properties["code"].(string)
		if code == "" {
			return nil, bad("a boundary needs the property code: an ISO 3166-1 alpha-3 code or a P-code")
		}
		level, ok := f.Properties["level"].(float64)
		if !ok || level < 0 || level != math.Trunc(level) {
			return nil, bad("%s needs the property level: 0 for a country, 1 for a region", code)
		}
		if level > 1 {
			continue
		}
		if seen[code] {
			return nil, bad("%s occurs twice", code)
		}
		seen[code] = true
		a := area{code: code, level: int(level), name: dtm.Text{}}
		for k, v := range f.Properties {
			if s, ok := v.(string); ok && strings.HasPrefix(k, "name_") {
				a.name[dtm.Lang(strings.TrimPrefix(k, "name_"))] = s
			} else if ok && k == "name" && a.name[dtm.English] == "" {
				a.name[dtm.English] = s
			}
		}
		if f.Geometry == nil {
			return nil, bad("%s has no geometry", code)
		}
		var err error
		switch f.Geometry.Type {
		case "Polygon":
			var p orb.Polygon
			err = json.Unmarshal(f.Geometry.Coordinates, &p)
			a.shape = orb.MultiPolygon{p}
		case "MultiPolygon":
			err = json.Unmarshal(f.Geometry.Coordinates, &a.shape)
		case "Point":
			err = json.Unmarshal(f.Geometry.Coordinates, &a.at)
			if err == nil && !onEarth(a.at) {
				err = errRange
			}
		default:
			return nil, bad("%s has the geometry %q; a boundary is a Polygon or MultiPolygon, a direction a Point", code, f.Geometry.Type)
		}
		if err != nil {
			return nil, bad("the coordinates of %s cannot be read: %v", code, err)
		}
		if f.Geometry.Type != "Point" {
			if err := check(a.shape); err != nil {
				return nil, bad("%s: %v", code, err)
			}
			a.bound = a.shape.Bound()
			a.at = inner(a.shape)
		}
		b.areas = append(b.areas, a)
	}
	return b, nil
}

var (
	errRange = dtm.Errorf(dtm.Invalid, "a position is not a longitude from -180 to 180 and a latitude from -85 to 85")
	errRing  = dtm.Errorf(dtm.Invalid, "a ring needs at least four positions")
)

// onEarth keeps to the latitudes that the projection can draw.
func onEarth(p orb.Point) bool {
	return p[0] >= -180 && p[0] <= 180 && p[1] >= -85 && p[1] <= 85
}

func check(m orb.MultiPolygon) error {
	if len(m) == 0 {
		return errRing
	}
	for _, p := range m {
		if len(p) == 0 {
			return errRing
		}
		for _, r := range p {
			if len(r) < 4 {
				return errRing
			}
			for _, pt := range r {
				if !onEarth(pt) {
					return errRange
				}
			}
		}
	}
	return nil
}

// inner is a point well inside the largest part of m: of a grid of points in it,
// the one farthest from its border.
func inner(m orb.MultiPolygon) orb.Point {
	var big orb.Polygon
	size := -1.0
	for _, p := range m {
		if a := math.Abs(planar.Area(p)); a > size {
			big, size = p, a
		}
	}
	o := newOutline(orb.MultiPolygon{big})
	b := o.bound
	best, at := -1.0, b.Center()
	const n = 24
	for i := 1; i < n; i++ {
		for j := 1; j < n; j++ {
			p := orb.Point{b.Min[0] + (b.Max[0]-b.Min[0])*float64(i)/n, b.Min[1] + (b.Max[1]-b.Min[1])*float64(j)/n}
			if !o.contains(p) {
				continue
			}
			if d := o.from(p); d > best {
				best, at = d, p
			}
		}
	}
	return at
}

func (b *Base) area(code string) (area, bool) {
	for _, a := range b.areas {
		if a.code == code {
			return a, true
		}
	}
	return area{}, false
}

// RegionAt returns the code of the region that holds the position or, since
// coasts and borders are simplified, of the nearest within 6 km of it; "" when
// there is none.
func (b *Base) RegionAt(lon, lat float64) string {
	p := orb.Point{lon, lat}
	const near = 6.0 / 111 // degrees
	code, best := "", near
	for _, a := range b.areas {
		if a.level != 1 || len(a.shape) == 0 || !a.bound.Pad(near).Contains(p) {
			continue
		}
		if planar.MultiPolygonContains(a.shape, p) {
			return a.code
		}
		if d := planar.DistanceFrom(a.shape, p); d < best {
			code, best = a.code, d
		}
	}
	return code
}
