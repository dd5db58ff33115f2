package survey

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"dtm"
)

// People walk from one point to the next, some turn off and some join; each day some of
// those who pass are asked. The intervals hold the true numbers about as often as they say.
func TestPersonsOfInventedWalks(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 5))
	const rounds = 60
	inAll, inPair, pairs := 0, 0, 0
	for range rounds {
		const days = 40
		var list []dtm.Interview
		movements := map[string]float64{}
		first, onWay := 0.0, 0.0
		for d := range days {
			at := time.Date(2026, 3, 1+d, 0, 0, 0, 0, time.UTC)
			a, joined := 60+r.IntN(40), 20+r.IntN(20)
			var passing []bool // at the coast: counted before
			for range a {
				movements["inland"]++
				first++
				if r.Float64() < 0.7 {
					passing = append(passing, true)
				}
			}
			for range joined {
				first++
				passing = append(passing, false)
			}
			movements["coast"] += float64(len(passing))
			onWay += float64(joined)
			r.Shuffle(len(passing), func(i, j int) { passing[i], passing[j] = passing[j], passing[i] })
			ask := func(point, counted, where string) {
				list = append(list, dtm.Interview{Where: dtm.Where{Point: point}, Source: fmt.Sprint(len(list)), Observed: at, Consent: "yes", Counted: counted, CountedAt: where})
			}
			for range 5 {
				ask("inland", "no", "")
			}
			for _, before := range passing[:9] {
				if before {
					ask("coast", "yes", "inland")
				} else {
					ask("coast", "no", "")
				}
			}
		}
		movements["elsewhere"] = 77 // nobody was asked there
		e, err := EstimatePersons(list, movements)
		if err != nil {
			t.Fatal(err)
		}
		if e.Left != 77 || e.Movements != movements["inland"]+movements["coast"] || len(e.Points) != 2 {
			t.Fatalf("%+v", e)
		}
		if e.People.Low <= first && first <= e.People.High {
			inAll++
		}
		for _, p := range e.Pairs {
			pairs++
			// All on the way: those counted inland, who went on or turned off, and who joined:
			// as if who turned off went on, which the estimate supposes.
			if n := movements["inland"] + onWay*movements["inland"]/(movements["coast"]-onWay); p.From == "inland" && p.To == "coast" && p.People.Low <= n && n <= p.People.High {
				inPair++
			}
		}
	}
	t.Logf("95 %% intervals held %d and %d of %d", inAll, inPair, rounds)
	if inAll < rounds*90/100 {
		t.Errorf("the interval of all persons held the truth in %d of %d", inAll, rounds)
	}
	if pairs != rounds || inPair < rounds*88/100 {
		t.Errorf("%d pairs, the interval held in %d", pairs, inPair)
	}
	e, err := EstimatePersons([]dtm.Interview{{Consent: "no", Counted: "yes"}}, map[string]float64{"coast": 10})
	if err != nil || len(e.Points) != 0 || e.Left != 10 {
		t.Errorf("nobody answered: %+v, %v", e, err)
	}
}
