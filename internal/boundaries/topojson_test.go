package main

import (
	"testing"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/planar"
)

// Two squares, one beside the other, and an island of the second: arcs 0 and 2
// are their outer sides, arc 1 the border between them, arc 3 the island.
const squares = `{"type":"Topology","transform":{"scale":[0.5,0.5],"translate":[10,20]},
"objects":{"countries":{"type":"GeometryCollection","geometries":[
 {"type":"Polygon","id":"1","properties":{"name":"West"},"arcs":[[0,1]]},
 {"type":"MultiPolygon","id":"2","properties":{"name":"East"},"arcs":[[[2,-2]],[[3]]]},
 {"type":"LineString","id":"3","properties":{"name":"Road"},"arcs":[0]}]}},
"arcs":[
 [[2,2],[-2,0],[0,-2],[2,0]],
 [[2,0],[0,1],[0,1]],
 [[2,0],[2,0],[0,2],[-2,0]],
 [[10,10],[1,0],[0,1],[-1,-1]]]}`

func TestMerge(t *testing.T) {
	t.Parallel()
	top, err := decode([]byte(squares), "countries")
	if err != nil {
		t.Fatal(err)
	}
	one := func(id string) func(object) bool { return func(o object) bool { return o.ID == id } }
	for _, c := range []struct {
		name  string
		want  func(object) bool
		area  float64
		rings int
		bound orb.Bound
	}{
		{"west", one("1"), 1, 1, orb.Bound{Min: orb.Point{10, 20}, Max: orb.Point{11, 21}}},
		{"east and its island", one("2"), 1 + 0.125, 2, orb.Bound{Min: orb.Point{11, 20}, Max: orb.Point{15.5, 25.5}}},
		{"both, without the border between them", func(o object) bool { return o.ID != "3" }, 2 + 0.125, 2, orb.Bound{Min: orb.Point{10, 20}, Max: orb.Point{15.5, 25.5}}},
	} {
		m, err := top.merge(c.want)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		area := 0.0
		for _, p := range m {
			area += max(planar.Area(p), -planar.Area(p))
			if r := p[0]; r[0] != r[len(r)-1] {
				t.Errorf("%s: a ring is open", c.name)
			}
		}
		if area != c.area || len(m) != c.rings || m.Bound() != c.bound {
			t.Errorf("%s: area %g, %d rings, %v; want %g, %d, %v", c.name, area, len(m), m.Bound(), c.area, c.rings, c.bound)
		}
	}
	if _, err := top.merge(one("3")); err == nil {
		t.Error("a line was merged as a country")
	}
	if _, err := top.merge(one("4")); err == nil {
		t.Error("a country that is not there was found")
	}
	if _, err := decode([]byte(squares), "land"); err == nil {
		t.Error("a layer that is not there was found")
	}
}
