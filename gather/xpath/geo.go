package xpath

import (
	"math"
	"strconv"
	"strings"
)

// earth is the equator's radius in metres, as phones take it.
const earth = 6378100

type position struct{ lat, lon float64 }

// positions reads "lat lon alt acc; lat lon ..." or the nodes of a set.
func positions(v Value) (out []position, ok bool) {
	texts := []string{v.String()}
	if v.Type == TypeNodes && len(v.nodes) > 1 {
		texts = texts[:0]
		for _, n := range v.nodes {
			texts = append(texts, n.String())
		}
	}
	for _, t := range texts {
		for one := range strings.SplitSeq(t, ";") {
			parts := strings.Fields(one)
			if len(parts) == 0 {
				continue
			}
			if len(parts) < 2 {
				return nil, false
			}
			lat, e1 := strconv.ParseFloat(parts[0], 64)
			lon, e2 := strconv.ParseFloat(parts[1], 64)
			if e1 != nil || e2 != nil || !(math.Abs(lat) <= 90) || !(math.Abs(lon) <= 180) {
				return nil, false
			}
			out = append(out, position{lat, lon})
		}
	}
	return out, true
}

func radians(d float64) float64 { return d * math.Pi / 180 }

// distance is the great-circle length of a line in metres, by the haversine.
func distance(p []position) (sum float64) {
	for i := 1; i < len(p); i++ {
		a, b := p[i-1], p[i]
		h := math.Pow(math.Sin(radians(b.lat-a.lat)/2), 2) + math.Cos(radians(a.lat))*math.Cos(radians(b.lat))*math.Pow(math.Sin(radians(b.lon-a.lon)/2), 2)
		sum += 2 * earth * math.Asin(math.Sqrt(min(h, 1)))
	}
	return sum
}

// area is that of a polygon on the sphere in square metres: Chamberlain and
// Duquette, "Some algorithms for polygons on a sphere", 2007.
func area(p []position) (sum float64) {
	if len(p) > 1 && p[0] == p[len(p)-1] {
		p = p[:len(p)-1]
	}
	if len(p) < 3 {
		return 0
	}
	for i := range p {
		a, b := p[i], p[(i+1)%len(p)]
		sum += radians(b.lon-a.lon) * (2 + math.Sin(radians(a.lat)) + math.Sin(radians(b.lat)))
	}
	return math.Abs(sum * earth * earth / 2)
}

// inside tells whether a position lies in a polygon, by counting crossings.
func inside(at position, p []position) (in bool) {
	for i, j := 0, len(p)-1; i < len(p); j, i = i, i+1 {
		a, b := p[i], p[j]
		if (a.lon > at.lon) != (b.lon > at.lon) && at.lat < (b.lat-a.lat)*(at.lon-a.lon)/(b.lon-a.lon)+a.lat {
			in = !in
		}
	}
	return in
}
