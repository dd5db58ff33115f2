package stat

import (
	"math"
	"testing"
)

func TestWilson(t *testing.T) {
	for _, k := range []struct{ x, n, lo, hi float64 }{
		{81, 263, .2552885199, .366209577}, {15, 148, .06238639953, .1604872417}, {0, 20, 0, .1611251581}, {1, 29, .006113214293, .1717552188},
	} {
		i, err := Wilson(k.x, k.n, 0.95)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(i.Low-k.lo) > 5e-11 || math.Abs(i.High-k.hi) > 5e-11 {
			t.Errorf("%v of %v: %v", k.x, k.n, i)
		}
	}
	if _, err := Wilson(3, 2, 0.95); err == nil {
		t.Error("3 of 2 is a share")
	}
}

func TestDesignOnAPIStrat(t *testing.T) {
	n, s := columns(t, "stats/apistrat.csv")
	d := Design{Strata: s["stype"], Weights: n["pw"], Population: n["fpc"]}
	m, err := d.Mean(n["api00"])
	if err != nil {
		t.Fatal(err)
	}
	near(t, "mean api00", m.Value, 662.2873632, 10)
	near(t, "SE", m.SE, 9.4089408, 8)
	near(t, "deff", m.Deff, 1.20446, 5)
	total, err := d.Total(n["enroll"])
	if err != nil {
		t.Fatal(err)
	}
	near(t, "total enroll", total.Value, 3687177.5, 8)
	near(t, "SE", total.SE, 114641.72, 8)
	yes := make([]float64, len(s["awards"]))
	for i, v := range s["awards"] {
		if v == "Yes" {
			yes[i] = 1
		}
	}
	p, err := d.Share(yes)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "awards", p.Value, .63893606, 8)
	near(t, "SE", p.SE, .0344059, 6)
	i, err := p.Interval(0.95)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "low", i.Low, .5687210989, 10)
	near(t, "high", i.High, .7036757794, 10)
	b, err := d.Bootstrap(n["api00"], 2000, 1, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	// The bootstrap knows no finite population: a little wider than 1.96 standard errors.
	if half := (b.High - b.Low) / 2; half < 1.96*9.41*0.9 || half > 1.96*9.41*1.2 {
		t.Errorf("bootstrap: %v", b)
	}
	again, _ := d.Bootstrap(n["api00"], 2000, 1, 0.95)
	if again != b {
		t.Error("the same seed gives another interval")
	}
}
