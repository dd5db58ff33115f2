package watch

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestCompleteByHand(t *testing.T) {
	m, err := Complete([]Journey{{From: "ETH", To: "YEM", Observed: 60}, {From: "ETH", To: "DJI", Observed: 20}, {From: "SOM", To: "YEM", Observed: 20},
		{From: "ETH", To: "UNK", Observed: 8}, {From: "", To: "DJI", Observed: 5}, {From: "UNK", To: "unknown", Observed: 3}, {From: "KEN", To: "", Observed: 2}})
	if err != nil || m.Known != 100 || m.Half != 13 || m.Left != 5 || len(m.Journeys) != 3 {
		t.Fatalf("%+v, %v", m, err)
	}
	// 8 from Ethiopia go 6 to 2; 5 to Djibouti come from Ethiopia, the only one that goes there.
	want := map[string]float64{"ETHYEM": 66, "ETHDJI": 27, "SOMYEM": 20}
	for _, j := range m.Journeys {
		if math.Abs(j.Completed-want[j.From+j.To]) > 1e-6 {
			t.Errorf("%+v, want %v", j, want[j.From+j.To])
		}
	}
	if m, err := Complete(nil); err != nil || m.Journeys != nil {
		t.Errorf("%+v, %v", m, err)
	}
}

// Nobody is lost or made: completed journeys add up to what is known of one side or both.
func TestCompleteKeepsTotals(t *testing.T) {
	places := []string{"ETH", "SOM", "DJI", "YEM", "SAU", "", "UNK"}
	for seed := range 200 {
		r := rand.New(rand.NewPCG(uint64(seed), 8)) //nolint:gosec // repeats
		var list []Journey
		all := 0.0
		for range 1 + r.IntN(20) {
			j := Journey{From: places[r.IntN(len(places))], To: places[r.IntN(len(places))], Observed: float64(r.IntN(500))}
			list, all = append(list, j), all+j.Observed
		}
		m, err := Complete(list)
		if err != nil {
			t.Fatal(seed, err)
		}
		sum := 0.0
		for _, j := range m.Journeys {
			sum += j.Completed
			if j.Completed < 0 || blank(j.From) || blank(j.To) {
				t.Fatalf("%d: %+v", seed, j)
			}
		}
		if math.Abs(sum-m.Known-m.Half) > 1e-4*(1+all) || math.Abs(m.Known+m.Half+m.Left-all) > 1e-6 {
			t.Fatalf("%d: %v of %+v", seed, sum, m)
		}
	}
}
