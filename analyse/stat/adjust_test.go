package stat

import (
	"math"
	"math/rand/v2"
	"testing"
)

// By hand: 100 = 40 + 50 misses by 10 with an error of √3.
func TestAdjustByHand(t *testing.T) {
	a, err := Adjust([]float64{100, 40, 50}, []float64{1, 1, 1}, [][]float64{{1, -1, -1}})
	if err != nil {
		t.Fatal(err)
	}
	z := 10 / math.Sqrt(3)
	for i, want := range []float64{-10. / 3, 10. / 3, 10. / 3} {
		sign := []float64{1, -1, -1}[i]
		if math.Abs(a.Change[i]-want) > 1e-9 || math.Abs(a.Z[i]-sign*z) > 1e-9 {
			t.Errorf("flow %d: change %v, z %v; want %v, %v", i, a.Change[i], a.Z[i], want, sign*z)
		}
	}
	if a.Conditions != 1 || math.Abs(a.Chi2-z*z) > 1e-9 {
		t.Errorf("%d conditions, chi2 %v", a.Conditions, a.Chi2)
	}
	// A road that nobody saw joins two points: what they saw must agree, and a third
	// point behind another such road is under no condition.
	a, err = Adjust([]float64{30, math.NaN(), 20, 7, math.NaN()}, []float64{4, 0, 4, 4, 0}, [][]float64{{1, -1, 0, 0, 0}, {0, 1, -1, 0, 0}, {0, 0, 0, 1, -1}})
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(a.Change[0]+5) > 1e-9 || math.Abs(a.Change[2]-5) > 1e-9 || math.Abs(a.Z[0]-10/math.Sqrt(8)) > 1e-9 || !math.IsNaN(a.Z[3]) || !math.IsNaN(a.Change[1]) || a.Conditions != 1 {
		t.Errorf("%+v", a)
	}
}

// Adjust and Balance are two ways to the same flows where none would go below 0, and the
// test statistics of flows that are right are standard normal.
func TestAdjustAgreesWithBalance(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	over, all := 0, 0
	for range 400 {
		// A chain of points with two branches, all seen: a + b = c = d + e.
		truth := []float64{300 + 300*r.Float64(), 300 + 300*r.Float64(), 0, 0, 0}
		truth[2] = truth[0] + truth[1]
		truth[3] = truth[2] * (0.3 + 0.4*r.Float64())
		truth[4] = truth[2] - truth[3]
		var y, v []float64
		for _, x := range truth {
			s := 5 + 10*r.Float64()
			y, v = append(y, x+s*r.NormFloat64()), append(v, s*s)
		}
		cond := [][]float64{{1, 1, -1, 0, 0}, {0, 0, 1, -1, -1}}
		a, err := Adjust(y, v, cond)
		if err != nil {
			t.Fatal(err)
		}
		b, err := Balance(y, v, cond, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := range y {
			if math.Abs(y[i]+a.Change[i]-b.Flows[i]) > 1e-6 {
				t.Fatalf("flow %d: %v by one way, %v by the other", i, y[i]+a.Change[i], b.Flows[i])
			}
			if all++; math.Abs(a.Z[i]) > 1.96 {
				over++
			}
		}
	}
	if share := float64(over) / float64(all); share < 0.03 || share > 0.075 {
		t.Errorf("%.3f of right flows beyond 1.96, want about 0.05", share)
	}
}
