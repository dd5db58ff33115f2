package watch

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"dtm"

	"gonum.org/v1/gonum/stat/distuv"
)

// months with screenings of a share of those who pass, with more variance than chance.
func planned(r *rand.Rand, n int) (Series, Need) {
	s := Series{Step: Month, shares: &shares{}}
	need := Need{Programme: "health", People: map[time.Time]float64{}}
	at := time.Date(2022, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range n {
		moved := math.Round(5000 * math.Exp(0.1*math.Sin(float64(i)/2)+0.1*r.NormFloat64()))
		s.Starts, s.Counts, s.Days, s.Withheld = append(s.Starts, at), append(s.Counts, moved), append(s.Days, float64(dtm.MonthOf(at).Days())), append(s.Withheld, false)
		l := distuv.Gamma{Alpha: moved * 0.02 / 2, Beta: 0.5, Src: r}.Rand() // dispersion 3
		need.People[at] = distuv.Poisson{Lambda: l, Src: r}.Rand()
		at = at.AddDate(0, 1, 0)
	}
	return s, need
}

// Intervals of needs hold what came about as often as they say.
func TestPlanCovers(t *testing.T) {
	in80, in95, n := 0.0, 0.0, 0.0
	for seed := range 60 {
		r := rand.New(rand.NewPCG(uint64(seed), 9)) //nolint:gosec // repeats
		s, need := planned(r, 40)
		short := s
		short.Starts, short.Counts, short.Days, short.Withheld = s.Starts[:37], s.Counts[:37], s.Days[:37], s.Withheld[:37]
		o, err := short.Look(3)
		if err != nil {
			t.Fatal(err)
		}
		known := Need{Programme: need.Programme, People: map[time.Time]float64{}}
		for _, m := range short.Starts {
			known.People[m] = need.People[m]
		}
		for _, p := range Plan(o, []Need{known}, nil) {
			came := need.People[p.Target]
			n++
			in80 += bit(came >= p.Lo80 && came <= p.Hi80)
			in95 += bit(came >= p.Lo95 && came <= p.Hi95)
			if !math.IsNaN(p.Capacity) || p.Months != 12 || p.Lo95 > p.Lo80 || p.Lo80 > p.Expected || p.Expected > p.Hi80 || p.Hi80 > p.Hi95 {
				t.Fatalf("%+v", p)
			}
		}
	}
	t.Logf("of %.0f: in the 80 %% interval %.1f %%, in the 95 %% one %.1f %%", n, 100*in80/n, 100*in95/n)
	if in80/n < 0.7 || in80/n > 0.92 || in95/n < 0.88 {
		t.Error("not as it must be")
	}
}

func TestPlanAgainstCapacity(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 9)) //nolint:gosec // repeats
	s, need := planned(r, 36)
	o, err := s.Look(3)
	if err != nil {
		t.Fatal(err)
	}
	from := s.Starts[0]
	list := Plan(o, []Need{need, {Programme: "vhr"}}, []dtm.Capacity{{Programme: "health", From: from, People: 100, Seq: 1}, {Programme: "health", From: o.Starts[1], People: 1000, Seq: 2}, {Programme: "health", From: o.Starts[2], People: 0, Seq: 3}})
	if len(list) != 3 { // a programme that nobody was found to need is not planned for
		t.Fatalf("%+v", list)
	}
	if p := list[0]; p.Capacity != 100 || p.Exceeds < 0.3 || p.Exceeds > 0.8 || math.Abs(p.Gap()-(p.Expected-100)) > 1e-9 {
		t.Errorf("%+v", p)
	}
	if p := list[1]; p.Capacity != 1000 || p.Exceeds > 1e-3 {
		t.Errorf("%+v", p)
	}
	if p := list[2]; p.Capacity != 0 || p.Exceeds != 1 {
		t.Errorf("%+v", p)
	}
	if list := Plan(o, nil, nil); list != nil {
		t.Errorf("%+v", list)
	}
}
