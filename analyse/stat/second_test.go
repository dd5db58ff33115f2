package stat

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// Second opinions: numbers that a program other than R gives (statsmodels 0.14 and
// scipy, or the formula of the paper written out apart), on series that the oracles
// before do not hold.

// nile is the yearly flow of the Nile at Aswan, 1871 to 1970, in 10^8 m³ (Cobb 1978).
var nile = []float64{
	1120, 1160, 963, 1210, 1160, 1160, 813, 1230, 1370, 1140, 995, 935, 1110, 994, 1020, 960, 1180, 799, 958, 1140,
	1100, 1210, 1150, 1250, 1260, 1220, 1030, 1100, 774, 840, 874, 694, 940, 833, 701, 916, 692, 1020, 1050, 969,
	831, 726, 456, 824, 702, 1120, 1100, 832, 764, 821, 768, 845, 864, 862, 698, 845, 744, 796, 1040, 759,
	781, 865, 845, 944, 984, 897, 822, 1010, 771, 676, 649, 846, 812, 742, 801, 1040, 860, 874, 848, 890,
	744, 749, 838, 1050, 918, 986, 797, 923, 975, 815, 1020, 906, 901, 1170, 912, 746, 919, 718, 714, 740,
}

// The likelihoods of these two forms written out and maximised by scipy over
// smoothing and first level.
func TestETSOnTheNile(t *testing.T) {
	t.Parallel()
	for _, k := range []struct {
		form                ETSForm
		alpha, level, twice float64 // twice the likelihood, with the sign that AIC has
	}{
		{ETSForm{Error: 'A', Trend: 'N', Season: 'N'}, 0.245728109367, 805.316263918, 1452.78103664},
		{ETSForm{Error: 'M', Trend: 'N', Season: 'N'}, 0.151219876902, 838.939541907, 1452.30190603},
	} {
		m, err := FitETS(nile, k.form, nil)
		if err != nil {
			t.Fatal(err)
		}
		near(t, k.form.String()+" alpha", m.Alpha, k.alpha, 3)
		near(t, k.form.String()+" level", m.Level, k.level, 4)
		near(t, k.form.String()+" likelihood", -2*m.LogLik, k.twice, 8)
	}
}

// wave is a series that any program can make: a trend, a year and a noise that is none.
func wave() []float64 {
	y := make([]float64, 96)
	for i := range y {
		y[i] = 100 + 0.5*float64(i) + 20*math.Sin(2*math.Pi*float64(i)/12) + float64(i*7919%101-50)/10
	}
	return y
}

func TestSTLAgainstStatsmodels(t *testing.T) {
	t.Parallel()
	for _, k := range []struct {
		name     string
		o        STLOptions
		seasonal [4]float64 // at 0, 1, 47, 95
		trend    [3]float64 // at 0, 47, 95
		sd       float64
	}{
		{"plain", STLOptions{Period: 12, Seasonal: 7, SeasonalDegree: 1, Trend: 23, LowPass: 13, Inner: 2, SeasonalJump: 1, TrendJump: 1, LowPassJump: 1},
			[4]float64{-0.273741071613, 8.572050534017, -10.698811102710, -7.732453883338}, [3]float64{98.348858196205, 123.326402911730, 147.308141237602}, 1.94915911968161},
		{"robust", STLOptions{Period: 12, Seasonal: 13, SeasonalDegree: 1, Trend: 21, LowPass: 13, Robust: true, Inner: 5, Outer: 15, SeasonalJump: 1, TrendJump: 1, LowPassJump: 1},
			[4]float64{4.810664370479, 5.829288606942, -9.272201171056, -5.819615750106}, [3]float64{102.820520121258, 123.336100780461, 144.593413027200}, 3.6818947119730385},
	} {
		d, err := STL(wave(), k.o)
		if err != nil {
			t.Fatal(err)
		}
		for i, at := range []int{0, 1, 47, 95} {
			near(t, k.name+" seasonal", d.Seasonal[at], k.seasonal[i], 9)
		}
		for i, at := range []int{0, 47, 95} {
			near(t, k.name+" trend", d.Trend[at], k.trend[i], 9)
		}
		mean, ss := 0.0, 0.0
		for _, r := range d.Remainder {
			mean += r / float64(len(d.Remainder))
		}
		for _, r := range d.Remainder {
			ss += (r - mean) * (r - mean)
		}
		near(t, k.name+" remainder", math.Sqrt(ss/float64(len(d.Remainder)-1)), k.sd, 8)
	}
}

func TestWilsonAgainstStatsmodels(t *testing.T) {
	t.Parallel()
	for _, k := range []struct{ x, n, level, lo, hi float64 }{
		{5, 50, 0.95, 0.0434757649318904, 0.21360231437479657}, {5, 50, 0.8, 0.057729471476846296, 0.16771280430926488},
		{263, 263, 0.95, 0.9856039655993807, 1}, {7, 9, 0.95, 0.45258896910698887, 0.9367748928821533}, {7, 9, 0.8, 0.5660581495362462, 0.9037618177900597},
		{500, 1000, 0.8, 0.47975350990729065, 0.5202464900927093},
	} {
		i, err := Wilson(k.x, k.n, k.level)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "low", i.Low, k.lo, 12)
		near(t, "high", i.High, k.hi, 12)
	}
}

// The regression under Farrington's method, with days observed as offset and weights.
func TestPoissonAgainstStatsmodels(t *testing.T) {
	t.Parallel()
	const n = 30
	y, offset, weights, x := make([]float64, n), make([]float64, n), make([]float64, n), mat.NewDense(n, 2, nil)
	for i := range n {
		y[i] = float64(i*37%11 + i/5)
		offset[i] = math.Log(float64(20 + i*13%11))
		weights[i] = 1 + 0.25*float64(i%3)
		x.SetRow(i, []float64{1, float64(i) / 10})
	}
	p, err := FitPoisson(y, x, offset, weights)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "constant", p.Coef[0], -1.609241267893, 10)
	near(t, "slope", p.Coef[1], 0.255274696163, 10)
	near(t, "deviance", p.Deviance, 49.14912779999772, 10)
	// Of the step before the last: statsmodels was told to go on for longer.
	near(t, "dispersion", p.Dispersion, 1.5333131040869856, 8)
	near(t, "variance of the constant", p.Cov.At(0, 0), 0.017372682674, 8)
	near(t, "covariance", p.Cov.At(0, 1), -0.008324166423, 8)
	near(t, "variance of the slope", p.Cov.At(1, 1), 0.005035988758, 8)
}

// Two strata of clusters of unequal size, by Taylor's formula written out.
func TestDesignOfClusters(t *testing.T) {
	t.Parallel()
	d := Design{
		Strata:   []string{"A", "A", "A", "A", "A", "A", "A", "A", "B", "B", "B", "B", "B", "B"},
		Clusters: []string{"1", "1", "2", "2", "3", "3", "3", "4", "5", "5", "6", "6", "7", "7"},
		Weights:  []float64{10, 12, 9, 11, 10, 10, 8, 13, 20, 18, 22, 21, 19, 20},
	}
	m, err := d.Mean([]float64{1, 0, 1, 1, 0, 1, 1, 0, 0, 0, 1, 1, 0, 1})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "share", m.Value, 0.5467980295566502, 12)
	near(t, "standard error", m.SE, 0.18472888300320037, 12)
}

// The claims of Taylor and Ashe (1983), the example of Mack (1993): in thousands,
// 18,681 are still to come with a standard error of 2,447.
func TestChainLadderOnTaylorAshe(t *testing.T) {
	t.Parallel()
	n, err := ChainLadder([][]float64{
		{357848, 1124788, 1735330, 2218270, 2745596, 3319994, 3466336, 3606286, 3833515, 3901463},
		{352118, 1236139, 2170033, 3353322, 3799067, 4120063, 4647867, 4914039, 5339085},
		{290507, 1292306, 2218525, 3235179, 3985995, 4132918, 4628910, 4909315},
		{310608, 1418858, 2195047, 3757447, 4029929, 4381982, 4588268},
		{443160, 1136350, 2128333, 2897821, 3402672, 3873311},
		{396132, 1333217, 2180715, 2985752, 3691712},
		{440832, 1288463, 2419861, 3483130},
		{359480, 1421128, 2864498},
		{376686, 1363294},
		{344014},
	})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "still to come", n.Missing/1000, 18681, 5)
	near(t, "standard error", n.TotalSE/1000, 2447, 4)
}
