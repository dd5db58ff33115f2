package odata

import (
	"math"
	"strconv"
	"strings"
)

// geo is a position, a line or an area.
type geo struct {
	kind   string // "Point", "LineString", "Polygon"
	points [][4]float64
	has    [][2]bool // altitude, accuracy
}

// parseGeo reads "lat lon alt acc; lat lon alt acc; ..." as XForms have it.
func parseGeo(kind, s string) (geo, bool) {
	g := geo{kind: map[string]string{"geopoint": "Point", "geotrace": "LineString", "geoshape": "Polygon"}[kind]}
	for _, part := range strings.Split(s, ";") {
		f := strings.Fields(part)
		if len(f) == 0 {
			continue
		}
		if len(f) < 2 {
			return g, false
		}
		var p [4]float64
		var has [2]bool
		for i := range min(4, len(f)) {
			v, err := strconv.ParseFloat(f[i], 64)
			if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
				return g, false
			}
			p[i] = v
			if i > 1 {
				has[i-2] = true
			}
		}
		if math.Abs(p[0]) > 90 || math.Abs(p[1]) > 180 {
			return g, false
		}
		g.points, g.has = append(g.points, p), append(g.has, has)
	}
	switch g.kind {
	case "Point":
		return g, len(g.points) == 1
	case "LineString":
		return g, len(g.points) >= 2
	}
	return g, len(g.points) >= 3
}

func (g geo) append(b []byte, wkt bool) []byte {
	if wkt {
		b = append(append(b, '"'), strings.ToUpper(g.kind)...)
		b = append(b, ' ', '(')
		if g.kind == "Polygon" {
			b = append(b, '(')
		}
		for i, p := range g.points {
			if i > 0 {
				b = append(b, ',')
			}
			b = g.coordinates(b, p, g.has[i], ' ')
		}
		if g.kind == "Polygon" {
			b = append(b, ')')
		}
		return append(b, ')', '"')
	}
	b = append(append(append(b, `{"type":"`...), g.kind...), `","coordinates":`...)
	switch g.kind {
	case "Point":
		b = append(b, '[')
		b = append(g.coordinates(b, g.points[0], g.has[0], ','), ']')
		b = append(b, `,"properties":{"accuracy":`...)
		if g.has[0][1] {
			b = strconv.AppendFloat(b, g.points[0][3], 'f', -1, 64)
		} else {
			b = append(b, "null"...)
		}
		return append(b, '}', '}')
	case "Polygon":
		b = append(b, '[')
	}
	b = append(b, '[')
	for i, p := range g.points {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '[')
		b = append(g.coordinates(b, p, g.has[i], ','), ']')
	}
	b = append(b, ']')
	if g.kind == "Polygon" {
		b = append(b, ']')
	}
	b = append(b, `,"properties":{"accuracy":[`...)
	for i, p := range g.points {
		if i > 0 {
			b = append(b, ',')
		}
		if g.has[i][1] {
			b = strconv.AppendFloat(b, p[3], 'f', -1, 64)
		} else {
			b = append(b, "null"...)
		}
	}
	return append(b, `]}}`...)
}

func (g geo) coordinates(b []byte, p [4]float64, has [2]bool, sep byte) []byte {
	b = strconv.AppendFloat(b, p[1], 'f', -1, 64)
	b = strconv.AppendFloat(append(b, sep), p[0], 'f', -1, 64)
	if has[0] {
		b = strconv.AppendFloat(append(b, sep), p[2], 'f', -1, 64)
	}
	return b
}
