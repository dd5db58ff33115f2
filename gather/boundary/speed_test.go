package boundary_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"dtm/gather/boundary"
)

// TestLarge: areas of 300,000 positions, as COD-AB draws a coast, are checked while
// somebody waits for the page, and the map made of them stays small.
func TestLarge(t *testing.T) {
	op := pack(t)
	var list []feature
	const across, each = 6, 12_000
	for i := range across {
		for k := range 4 {
			x, y := 41.9+0.22*float64(i), 11+0.36*float64(k)
			var ring [][2]float64
			for n := range each {
				a := 2 * math.Pi * float64(n) / each
				r := 0.1 + 0.0003*math.Sin(300*a)
				ring = append(ring, [2]float64{x + r*math.Cos(a), y + r*math.Sin(a)})
			}
			ring = append(ring, ring[0])
			list = append(list, feature{Properties: map[string]any{"ADM1_PCODE": fmt.Sprintf("DJ%02d", 4*i+k)}, Geometry: map[string]any{"type": "Polygon", "coordinates": [][][2]float64{ring}}})
		}
	}
	files := file(list...)
	began := time.Now()
	r := boundary.Check(op, files, nil, false)
	if r.Atlas == nil {
		t.Fatal(r.Faults)
	}
	took := time.Since(began)
	t.Logf("%d KB of %d positions checked in %v; the map has %d KB", len(files[0].Data)>>10, across*4*each, took, len(r.Atlas.Boundaries)>>10)
	if len(r.Atlas.Boundaries) > 400<<10 || took > time.Minute {
		t.Errorf("%v, %d bytes", took, len(r.Atlas.Boundaries))
	}
}
