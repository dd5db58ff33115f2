package main

import (
	"encoding/json"
	"fmt"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/simplify"
)

// topology is the part of TopoJSON (github.com/topojson/topojson-specification)
// that world-atlas uses: quantised, delta-encoded arcs and (multi)polygons.
type topology struct {
	objects []object
	arcs    []orb.LineString
}

type object struct {
	ID         string `json:"id"`
	Type       string `json:"type"`
	Properties struct {
		Name string `json:"name"`
	} `json:"properties"`
	Arcs json.RawMessage `json:"arcs"`
}

func decode(raw []byte, layer string) (*topology, error) {
	var doc struct {
		Transform struct{ Scale, Translate [2]float64 }
		Objects   map[string]struct{ Geometries []object }
		Arcs      [][][2]float64
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		return nil, err
	}
	t := &topology{objects: doc.Objects[layer].Geometries}
	if len(t.objects) == 0 {
		return nil, fmt.Errorf("no layer %q in the topology", layer)
	}
	for _, a := range doc.Arcs {
		var line orb.LineString
		x, y := 0.0, 0.0
		for _, d := range a {
			x, y = x+d[0], y+d[1]
			line = append(line, orb.Point{
				x*doc.Transform.Scale[0] + doc.Transform.Translate[0],
				y*doc.Transform.Scale[1] + doc.Transform.Translate[1],
			})
		}
		t.arcs = append(t.arcs, line)
	}
	return t, nil
}

// simplify thins every arc once; the ends of an arc stay, so that rings close
// and neighbours meet.
func (t *topology) simplify(tolerance float64) {
	s := simplify.DouglasPeucker(tolerance)
	for i, a := range t.arcs {
		if len(a) > 8 || a[0] != a[len(a)-1] { // small islands keep their shape
			t.arcs[i] = s.LineString(a)
		}
	}
}

// merge returns the union of the wanted objects: borders between two of them
// occur twice in the rings, once each way, and are dropped.
func (t *topology) merge(want func(object) bool) (orb.MultiPolygon, error) {
	var rings [][]int
	count, found := map[int]int{}, 0
	for _, o := range t.objects {
		if !want(o) {
			continue
		}
		found++
		var polys [][][]int
		switch o.Type {
		case "Polygon":
			var p [][]int
			if err := json.Unmarshal(o.Arcs, &p); err != nil {
				return nil, err
			}
			polys = [][][]int{p}
		case "MultiPolygon":
			if err := json.Unmarshal(o.Arcs, &polys); err != nil {
				return nil, err
			}
		default:
			return nil, fmt.Errorf("geometry %q is not a polygon", o.Type)
		}
		for _, p := range polys {
			rings = append(rings, p...)
			for _, r := range p {
				for _, a := range r {
					count[index(a)]++
				}
			}
		}
	}
	if found == 0 {
		return nil, fmt.Errorf("not in the atlas")
	}
	var out orb.MultiPolygon
	var loose []orb.LineString
	for _, r := range rings {
		shared := false
		for _, a := range r {
			shared = shared || count[index(a)] > 1
		}
		if shared {
			for _, a := range r {
				if count[index(a)] == 1 {
					loose = append(loose, t.arc(a))
				}
			}
			continue
		}
		var ring orb.Ring
		for _, a := range r {
			ring = join(ring, t.arc(a))
		}
		out = place(out, ring)
	}
	for len(loose) > 0 {
		ring := orb.Ring(loose[0])
		loose = loose[1:]
		for ring[0] != ring[len(ring)-1] {
			next := -1
			for i, l := range loose {
				if l[0] == ring[len(ring)-1] {
					next = i
				}
			}
			if next < 0 {
				return nil, fmt.Errorf("a merged ring does not close")
			}
			ring = join(ring, loose[next])
			loose = append(loose[:next], loose[next+1:]...)
		}
		out = place(out, ring)
	}
	return out, nil
}

// place adds a ring as a polygon of its own. None of the countries kept has a
// hole in the box, so every ring is an outer one.
func place(m orb.MultiPolygon, r orb.Ring) orb.MultiPolygon { return append(m, orb.Polygon{r}) }

func index(a int) int {
	if a < 0 {
		return ^a
	}
	return a
}

// arc is the line of an arc reference: a negative one is the arc reversed.
func (t *topology) arc(a int) orb.LineString {
	line := t.arcs[index(a)].Clone()
	if a < 0 {
		line.Reverse()
	}
	return line
}

func join(r orb.Ring, l orb.LineString) orb.Ring {
	if len(r) > 0 {
		l = l[1:]
	}
	return append(r, l...)
}
