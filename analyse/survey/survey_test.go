package survey

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"dtm"
	"dtm/analyse/stat"
)

// asked makes interviews of days that differ: who is asked on one day resembles the
// others of that day.
func asked(r *rand.Rand, points, days, each int, p float64) (list []dtm.Interview) {
	from := time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
	for k := range points {
		for d := range days {
			today := p
			if r.Float64() < 0.5 {
				today = p * 1.6
			} else {
				today = p * 0.4
			}
			for range each {
				i := dtm.Interview{Where: dtm.Where{Point: fmt.Sprint("p", k)}, Observed: from.AddDate(0, 0, d), WantsHelp: "no", Consent: "yes"}
				if r.Float64() < today {
					i.WantsHelp = "yes"
				}
				list = append(list, i)
			}
		}
	}
	return list
}

func find(t *testing.T, id string) Question {
	t.Helper()
	q, err := Find(id)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// Design-based intervals hold the truth nearly as often as they say where days differ;
// Wilson's, which knows no days, does not.
func TestCoverage(t *testing.T) {
	design, boot, wilson, n := 0.0, 0.0, 0.0, 0.0
	in := func(i stat.Interval) float64 {
		if i.Low <= 0.3 && 0.3 <= i.High {
			return 1
		}
		return 0
	}
	for seed := range 200 {
		r := rand.New(rand.NewPCG(uint64(seed), 3)) //nolint:gosec // repeats
		x, err := Estimate(asked(r, 3, 12, 10, 0.3), find(t, "wants_help"), nil)
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(x.Shares, func(s Share) bool { return s.Code == "yes" })
		s := x.Shares[i]
		n++
		design, boot, wilson = design+in(s.Design), boot+in(s.Bootstrap), wilson+in(s.Wilson)
	}
	t.Logf("95 %% intervals with the truth: linearised %.1f %%, bootstrap %.1f %%, Wilson %.1f %%", 100*design/n, 100*boot/n, 100*wilson/n)
	if design/n < 0.9 || boot/n < 0.87 || wilson/n > design/n {
		t.Error("not as it must be")
	}
}

func TestWeights(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1)) //nolint:gosec // repeats
	var list []dtm.Interview
	for k, p := range []float64{0.1, 0.9} {
		for _, i := range asked(r, 1, 10, 20, p/1.6) {
			i.Point = fmt.Sprint("p", k)
			list = append(list, i)
		}
	}
	list = append(list, dtm.Interview{Where: dtm.Where{Point: "p0"}, Consent: "no"}, dtm.Interview{Where: dtm.Where{Point: "p0"}, Before: "yes"}, dtm.Interview{Where: dtm.Where{Point: "p9"}, Observed: list[0].Observed, WantsHelp: "yes"}, dtm.Interview{Where: dtm.Where{Point: "p0"}})
	q := find(t, "wants_help")
	plain, err := Estimate(list, q, nil)
	if err != nil || plain.Answered != 401 || plain.Points != 3 || plain.Left != 0 {
		t.Fatalf("%+v, %v", plain, err)
	}
	value := func(x Result) Share {
		return x.Shares[slices.IndexFunc(x.Shares, func(s Share) bool { return s.Code == "yes" })]
	}
	if s := value(plain); !slices.Contains(s.Caveats, Unweighted) || !slices.Contains(s.Caveats, Lonely) {
		t.Errorf("caveats %v", s.Caveats)
	}
	// Nine tenths of the people pass at the point where few ask for help.
	weighed, err := Estimate(list, q, map[string]float64{"p0": 9000, "p1": 1000})
	if err != nil || weighed.Left != 1 || weighed.Answered != 400 {
		t.Fatalf("%+v, %v", weighed, err)
	}
	a, b := value(plain).Value, value(weighed).Value
	by := map[string][2]float64{}
	for _, i := range list {
		if i.WantsHelp != "" && i.Point != "p9" {
			x := by[i.Point]
			x[1]++
			if i.WantsHelp == "yes" {
				x[0]++
			}
			by[i.Point] = x
		}
	}
	want := 0.9*by["p0"][0]/by["p0"][1] + 0.1*by["p1"][0]/by["p1"][1]
	if math.Abs(b-want) > 1e-12 || b >= a {
		t.Errorf("weighted %v, want %v; plain %v", b, want, a)
	}
	if s := value(weighed); slices.Contains(s.Caveats, Unweighted) || s.Design.Low > b || s.Design.High < b {
		t.Errorf("%+v", s)
	}
}

func TestLittle(t *testing.T) {
	q := find(t, "difficulty")
	if x, err := Estimate(nil, q, nil); err != nil || x.Shares != nil {
		t.Errorf("%+v, %v", x, err)
	}
	x, err := Estimate([]dtm.Interview{{Where: dtm.Where{Point: "p"}, Difficulties: []string{"heat", "thirst"}}}, q, nil)
	if err != nil || len(x.Shares) != 2 || !math.IsNaN(x.Shares[0].Design.Low) || x.Shares[0].Value != 1 || !slices.Contains(x.Shares[0].Caveats, NoDesign) || !slices.Contains(x.Shares[0].Caveats, Few) {
		t.Errorf("%+v, %v", x, err)
	}
	if _, err := Find("tea"); dtm.KindOf(err) != dtm.NotFound {
		t.Error(err)
	}
}
