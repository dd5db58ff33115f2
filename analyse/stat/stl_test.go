package stat

import (
	"math"
	"strconv"
	"testing"

	gstat "gonum.org/v1/gonum/stat"
)

func air(t *testing.T) (map[string][]float64, []float64) {
	c, _ := columns(t, "stats/airpassengers_stl.csv")
	l := make([]float64, len(c["air"]))
	for i, v := range c["air"] {
		l[i] = math.Log(v)
	}
	return c, l
}

func TestSTLOnAirPassengers(t *testing.T) {
	c, l := air(t)
	d, err := STL(l, STLOptions{Period: 12})
	if err != nil {
		t.Fatal(err)
	}
	for i := range l {
		near(t, "seasonal "+strconv.Itoa(i), d.Seasonal[i], c["stl_seasonal"][i], 10)
		near(t, "trend "+strconv.Itoa(i), d.Trend[i], c["stl_trend"][i], 10)
		near(t, "remainder "+strconv.Itoa(i), d.Remainder[i], c["stl_rem"][i], 9)
	}
	near(t, "sd of the remainder", gstat.StdDev(d.Remainder, nil), 0.03277948143, 10)
	// The robust fit agrees to the last digit for eleven rounds of weights. In the
	// twelfth, R's partial sort is asked for its two middle places in falling order and
	// gives a scale that is 2 % above six medians: its fit leaves ours from there.
	d, err = STL(l, STLOptions{Period: 12, Seasonal: 7, Robust: true, Inner: 1, Outer: 11})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{-0.0689258680296, -0.044961389215} {
		near(t, "robust seasonal", d.Seasonal[i], want, 10)
		near(t, "robust trend", d.Trend[i], []float64{4.797235977, 4.8037640508}[i], 10)
	}
	d, err = STL(l, STLOptions{Period: 12, Seasonal: 7, Robust: true})
	if err != nil {
		t.Fatal(err)
	}
	for i := range l {
		if math.Abs(d.Seasonal[i]-c["stl7r_seasonal"][i]) > 0.003 || math.Abs(d.Trend[i]-c["stl7r_trend"][i]) > 0.003 {
			t.Errorf("robust, step %d: %v %v", i, d.Seasonal[i], d.Trend[i])
		}
	}
}
