package boundary

import (
	"math"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/simplify"
)

// simplified thins outlines so that neighbours keep one line between them: rings are
// cut where lines meet, each line is thinned once (Douglas and Peucker, tolerance in
// degrees), whichever way and in however many rings it is walked. Rings too small for
// the tolerance are left out, but the largest of a shape stays. Positions are rounded
// to four decimals, about ten metres.
func simplified(shapes []orb.MultiPolygon, tolerance float64) []orb.MultiPolygon {
	t := &topology{ends: map[orb.Point][2]orb.Point{}, node: map[orb.Point]bool{}, thin: map[key]orb.LineString{}, by: simplify.DouglasPeucker(tolerance)}
	for _, m := range shapes {
		each(m, t.meet)
	}
	out := make([]orb.MultiPolygon, len(shapes))
	for i, m := range shapes {
		for _, p := range m {
			var q orb.Polygon
			for k, r := range p {
				if ring := t.ring(r); len(ring) >= 4 {
					q = append(q, ring)
				} else if k == 0 {
					break // an outer ring that fell to nothing takes its holes along
				}
			}
			if len(q) > 0 {
				out[i] = append(out[i], q)
			}
		}
		if len(out[i]) == 0 {
			out[i] = orb.MultiPolygon{orb.Polygon{rounded(largest(m))}}
		}
	}
	return out
}

func each(m orb.MultiPolygon, do func(orb.Ring)) {
	for _, p := range m {
		for _, r := range p {
			do(r)
		}
	}
}

func largest(m orb.MultiPolygon) orb.Ring {
	best, size := m[0][0], -1.0
	for _, p := range m {
		b := p[0].Bound()
		if s := (b.Max[0] - b.Min[0]) * (b.Max[1] - b.Min[1]); s > size {
			best, size = p[0], s
		}
	}
	return best
}

// topology knows where lines meet: positions that have other neighbours in another ring.
type topology struct {
	ends map[orb.Point][2]orb.Point // the neighbours of a position, the smaller first
	node map[orb.Point]bool
	thin map[key]orb.LineString
	by   *simplify.DouglasPeuckerSimplifier
}

// key names a line by its ends, its length and a position in it.
type key struct {
	a, b, mid orb.Point
	n         int
}

func less(a, b orb.Point) bool { return a[0] < b[0] || a[0] == b[0] && a[1] < b[1] }

func (t *topology) meet(r orb.Ring) {
	n := len(r) - 1
	for i := range n {
		pair := [2]orb.Point{r[(i+n-1)%n], r[i+1]}
		if less(pair[1], pair[0]) {
			pair[0], pair[1] = pair[1], pair[0]
		}
		if had, ok := t.ends[r[i]]; ok && had != pair {
			t.node[r[i]] = true
		} else {
			t.ends[r[i]] = pair
		}
	}
}

// ring is r thinned line by line. It begins at a node, or at its smallest position, so
// that the same ring met elsewhere is cut alike.
func (t *topology) ring(r orb.Ring) orb.Ring {
	n := len(r) - 1
	start, cut := 0, false
	for i, p := range r[:n] {
		switch node := t.node[p]; {
		case node && !cut:
			start, cut = i, true
		case node == cut && less(p, r[start]):
			start = i
		}
	}
	var out orb.LineString
	line := orb.LineString{r[start]}
	for i := 1; i <= n; i++ {
		p := r[(start+i)%n]
		line = append(line, p)
		if i < n && !t.node[p] {
			continue
		}
		thin := t.line(line)
		if len(out) > 0 {
			thin = thin[1:]
		}
		out = append(out, thin...)
		line = orb.LineString{p}
	}
	return rounded(orb.Ring(out))
}

// line thins a line between two nodes, the same both ways.
func (t *topology) line(l orb.LineString) orb.LineString {
	back := less(l[len(l)-1], l[0]) || l[0] == l[len(l)-1] && len(l) > 2 && less(l[len(l)-2], l[1])
	if back {
		l = l.Clone()
		l.Reverse()
	}
	k := key{l[0], l[len(l)-1], l[len(l)/2], len(l)}
	thin, ok := t.thin[k]
	if !ok {
		thin = t.by.LineString(l.Clone())
		if l[0] == l[len(l)-1] && len(thin) < 4 { // a whole ring falls to nothing only if it is small
			thin = ringOf(l, t.by.Threshold)
		}
		t.thin[k] = thin
	}
	thin = thin.Clone()
	if back {
		thin.Reverse()
	}
	return thin
}

// ringOf thins a closed line, which has no ends to measure from: it is halved at the
// position farthest from its start.
func ringOf(l orb.LineString, tolerance float64) orb.LineString {
	far, most := 0, -1.0
	for i, p := range l {
		if d := math.Hypot(p[0]-l[0][0], p[1]-l[0][1]); d > most {
			far, most = i, d
		}
	}
	if most < tolerance {
		return l[:1]
	}
	by := simplify.DouglasPeucker(tolerance)
	a, b := by.LineString(l[:far+1].Clone()), by.LineString(l[far:].Clone())
	return append(a, b[1:]...)
}

// rounded rounds positions and drops those that fall together.
func rounded(r orb.Ring) orb.Ring {
	out := make(orb.Ring, 0, len(r))
	for _, p := range r {
		p = orb.Point{math.Round(p[0]*1e4) / 1e4, math.Round(p[1]*1e4) / 1e4}
		if len(out) == 0 || out[len(out)-1] != p {
			out = append(out, p)
		}
	}
	return out
}
