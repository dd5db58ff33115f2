package watch

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"dtm"
)

// Two entries lead to one point, and that to the coast: 60 + 40 = 100 = 100. What one point
// does not see shows at that point.
func TestBalanceOfRoads(t *testing.T) {
	links := []dtm.Link{{From: "north", To: "middle"}, {From: "south", To: "middle"}, {From: "middle", To: "coast"}}
	if got := inOrder(links); len(got) != 4 || got[2] != "middle" || got[3] != "coast" {
		t.Fatalf("order %v", got)
	}
	points := func(north, south, middle, coast float64) []Passing {
		var out []Passing
		for i, n := range []float64{north, south, middle, coast} {
			out = append(out, Passing{Point: inOrder(links)[i], Observed: n, SE: 10})
		}
		return out
	}
	b, err := Balance(points(600, 400, 1000, 1000), links)
	if err != nil {
		t.Fatal(err)
	}
	if b.Conditions != 2 || b.Chi2 > 1e-9 || math.Abs(b.Roads[0].People-600) > 1e-3 {
		t.Errorf("what fits is changed: %+v", b)
	}
	b, err = Balance(points(600, 400, 700, 1000), links)
	if err != nil {
		t.Fatal(err)
	}
	worst := 0
	for i, x := range b.Points {
		if math.Abs(x.Z) > math.Abs(b.Points[worst].Z) {
			worst = i
		}
	}
	if b.Points[worst].Point != "middle" || !b.Points[worst].Told() || b.Points[worst].Z > 0 {
		t.Errorf("300 who passed the middle uncounted: %+v", b.Points)
	}
	if got := b.Points[0].Balanced + b.Points[1].Balanced; math.Abs(got-b.Points[3].Balanced) > 1e-3 {
		t.Errorf("%.3f set out and %.3f arrive", got, b.Points[3].Balanced)
	}
	// The middle is closed: only the ends are held against each other.
	b, err = Balance(points(600, 400, math.NaN(), 900), links)
	if err != nil {
		t.Fatal(err)
	}
	if b.Conditions != 1 || !math.IsNaN(b.Points[2].Z) || math.Abs(b.Points[2].Balanced-b.Points[3].Balanced) > 0.1 {
		t.Errorf("%+v", b)
	}
	// Counts and errors of very different size on one network.
	wide := points(4000, 45, 4100, 3900)
	wide[1].SE, wide[0].SE = 7, 400
	if b, err = Balance(wide, links); err != nil || math.Abs(b.Points[1].Balanced-45) > 1 {
		t.Errorf("%+v, %v", b, err)
	}
	if b, err = Balance(points(600, math.NaN(), math.NaN(), 900), links); err != nil || b.Conditions != 0 {
		t.Errorf("an entry that nobody watches leaves nothing to conserve: %+v, %v", b, err)
	}
}

// TestBalanceOfMany: of more points than the equations are for, it says so and asks nothing.
func TestBalanceOfMany(t *testing.T) {
	t.Parallel()
	op := &dtm.Operation{}
	for i := range 300 { // there are very many ways from the first to the last
		op.Links = append(op.Links, dtm.Link{From: fmt.Sprint(i), To: fmt.Sprint(i + 1)}, dtm.Link{From: fmt.Sprint(i), To: fmt.Sprint(i + 2)})
	}
	_, err := ReadBalance(t.Context(), nil, op, dtm.Period{})
	if dtm.KindOf(err) != dtm.NotFound || !strings.Contains(err.Error(), "302 points") {
		t.Errorf("%v, want NotFound that names 302 points", err)
	}
}
