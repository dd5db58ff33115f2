package stat

import (
	"math"
	"testing"
)

func TestIndependenceOnHairAndEyes(t *testing.T) {
	// Hair by eye colour of 592 students (Snee 1974).
	f, err := Independence([][]float64{{68, 20, 15, 5}, {119, 84, 54, 29}, {26, 17, 14, 14}, {7, 94, 10, 16}})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "LR", f.LR, 146.4435785, 10)
	near(t, "Pearson", f.Pearson, 138.2898416, 10)
	if f.DF != 9 {
		t.Errorf("df %d", f.DF)
	}
	for i, row := range [][]float64{{40.13513514, 39.22297297, 16.96621622, 11.675675676}, {106.28378378, 103.86824324, 44.92905405, 30.918918919}, {26.38513514, 25.78547297, 11.15371622, 7.675675676}, {47.19594595, 46.12331081, 19.95101351, 13.729729730}} {
		for j, want := range row {
			near(t, "cell", f.Expected[i][j], want, 10)
		}
	}
}

func TestIPFWithAStructuralZero(t *testing.T) {
	f, err := IPF([][]float64{{40, 35, 30, 0}, {25, 60, 20, 10}, {15, 5, 80, 30}}, []float64{150, 120, 160}, []float64{90, 130, 150, 60})
	if err != nil {
		t.Fatal(err)
	}
	for i, row := range [][]float64{{51.92277678, 56.950596332, 41.12662688, 0}, {22.05622807, 66.355174946, 18.63481770, 12.95377928}, {16.02099514, 6.694228722, 90.23855541, 47.04622072}} {
		for j, want := range row {
			if math.Abs(f.Table[i][j]-want) > 5e-9 {
				t.Errorf("cell %d,%d: %.10g, want %.10g", i, j, f.Table[i][j], want)
			}
		}
	}
	for _, k := range []struct {
		seed       [][]float64
		rows, cols []float64
	}{
		{[][]float64{{0, 0}, {1, 1}}, []float64{1, 1}, []float64{1, 1}},
		{[][]float64{{1, 0}, {0, 1}}, []float64{3, 1}, []float64{1, 3}},
		{[][]float64{{1, 1}}, []float64{3}, []float64{1, 1}},
	} {
		if _, err := IPF(k.seed, k.rows, k.cols); err == nil {
			t.Errorf("%v: no error", k)
		}
	}
}

func TestBalance(t *testing.T) {
	b, err := Balance([]float64{100, 40, 50}, []float64{1, 1, 1}, [][]float64{{1, -1, -1}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{96 + 2.0/3, 43 + 1.0/3, 53 + 1.0/3} {
		near(t, "flow", b.Flows[i], want, 10)
	}
	near(t, "residual", b.Residual[0], 10, 10)
	near(t, "z", b.Z[0], 10/math.Sqrt(3), 10)
	// One that was not observed is what the others leave.
	b, err = Balance([]float64{100, 40, math.NaN()}, []float64{1, 1, 1}, [][]float64{{1, -1, -1}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "unobserved", b.Flows[2], 60, 5)
	if !math.IsNaN(b.Z[0]) {
		t.Error("a residual of what was not observed")
	}
	// None below 0: 2 in, 10 and 1 out with little trust in the 2nd.
	b, err = Balance([]float64{2, 10, 1}, []float64{1, 1, 100}, [][]float64{{1, -1, -1}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if b.Flows[2] != 0 || math.Abs(b.Flows[0]-6) > 1e-9 || math.Abs(b.Flows[1]-6) > 1e-9 {
		t.Errorf("flows %v", b.Flows)
	}
}

func TestRecapture(t *testing.T) {
	e, v, err := Chapman(200, 150, 45, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "Chapman", e.Estimate, 658.8043478, 10)
	near(t, "variance", v, 4966.843553, 10)
	// Hepatitis A in Taiwan, 271 cases on three lists (Chao and others 2001).
	cells := []Recapture{
		{[]bool{true, true, true}, 28}, {[]bool{true, true, false}, 21}, {[]bool{true, false, true}, 17}, {[]bool{true, false, false}, 69},
		{[]bool{false, true, true}, 18}, {[]bool{false, true, false}, 55}, {[]bool{false, false, true}, 63},
	}
	n, err := LogLinear(cells, nil)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "independent", n, 388.4834948, 9)
	n, err = LogLinear(cells, [][2]int{{0, 1}, {0, 2}, {1, 2}})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "two by two", n, 1312.764706, 9)
	for _, k := range []struct{ a, b, m, want float64 }{{135, 122, 49, 333.56}, {135, 126, 45, 374.4782609}, {122, 126, 46, 331.3617021}} {
		e, _, err := Chapman(k.a, k.b, k.m, 0.95)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "pair", e.Estimate, k.want, 10)
	}
	// The example of Wikipedia's "Mark and recapture": about 28 turtles.
	if e, _, err = Chapman(10, 15, 5, 0.95); err != nil || math.Abs(e.Estimate-(11.*16/6-1)) > 1e-12 || int(e.Estimate) != 28 {
		t.Error(e, err)
	}
}

func TestChainLadderOnRAA(t *testing.T) {
	// Reinsurance claims of 1981 to 1990 (Mack 1994; the example of the ChainLadder package).
	n, err := ChainLadder([][]float64{
		{5012, 8269, 10907, 11805, 13539, 16181, 18009, 18608, 18662, 18834},
		{106, 4285, 5396, 10666, 13782, 15599, 15496, 16169, 16704},
		{3410, 8992, 13873, 16141, 18735, 22214, 22863, 23466},
		{5655, 11555, 15766, 21266, 23425, 26083, 27067},
		{1092, 9565, 15836, 22169, 25955, 26180},
		{1513, 6445, 11702, 12935, 15852},
		{557, 4020, 10946, 12314},
		{1351, 6947, 13112},
		{3133, 5395},
		{2063},
	})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "still to come", n.Missing, 52135, 5)
	near(t, "standard error", n.TotalSE, 26909, 5)
}
