package watch

import (
	"math/rand/v2"
	"testing"
	"time"

	"dtm"
)

// come makes arrivals: most records come at once, others up to five days later.
func come(r *rand.Rand, from time.Time, days int) (list []dtm.Arrived) {
	for i := range days {
		by := map[int]int{}
		for range 80 + r.IntN(40) { // groups
			late := 0
			for r.Float64() < 0.25 && late < 5 {
				late++
			}
			by[late] += 1 + r.IntN(6)
		}
		for late, people := range by {
			list = append(list, dtm.Arrived{Day: from.AddDate(0, 0, i), Late: late, People: people})
		}
	}
	return list
}

// What was expected of a week at each of its days, against what came in the end.
func TestNowcastOfWeeks(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5)) //nolint:gosec // repeats
	from := time.Date(2025, 1, 6, 0, 0, 0, 0, time.UTC)
	all := come(r, from, 7*60)
	n, in80, in95, naive, off := 0.0, 0.0, 0.0, 0.0, 0.0
	for d := 7 * 12; d < 7*58; d++ {
		today := from.AddDate(0, 0, d)
		x, err := Now(all, today)
		if err != nil {
			t.Fatal(err)
		}
		w := x.ThisWeek
		if today.Weekday() == time.Monday {
			if w.Known != 0 || w.Expected != 0 {
				t.Fatalf("a week of no day: %+v", w)
			}
			w = x.LastWeek
		}
		truth := 0.0
		for _, a := range all {
			if !a.Day.Before(w.From) && a.Day.Before(w.To) {
				truth += float64(a.People)
			}
		}
		if w.Expected < w.Known || w.Lo95 > w.Lo80 || w.Lo80 < w.Known || w.Hi80 > w.Hi95 || truth < w.Known {
			t.Fatalf("%s: %+v of %v", today.Format(time.DateOnly), w, truth)
		}
		n++
		in80 += bit(truth >= w.Lo80 && truth <= w.Hi80)
		in95 += bit(truth >= w.Lo95 && truth <= w.Hi95)
		naive += truth - w.Known
		off += max(truth-w.Expected, w.Expected-truth)
	}
	t.Logf("%.0f looks: in the 80 %% interval %.1f %%, in the 95 %% one %.1f %%; error %.2f of what was missing", n, 100*in80/n, 100*in95/n, off/naive)
	if in80/n < 0.7 || in80/n > 0.95 || in95/n < 0.88 || off/naive > 0.3 {
		t.Error("not as it must be")
	}
}

func TestNowcastWithoutHistory(t *testing.T) {
	today := time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)
	if _, err := Now(nil, today); dtm.KindOf(err) != dtm.Invalid {
		t.Error(err)
	}
	r := rand.New(rand.NewPCG(1, 1)) //nolint:gosec // repeats
	if _, err := Now(come(r, today.AddDate(0, 0, -20), 20), today); dtm.KindOf(err) != dtm.Invalid {
		t.Error(err)
	}
	x, err := Now(come(r, today.AddDate(0, 0, -40), 60), today) // days to come are nobody's yet
	if err != nil || len(x.Days) != 14 || !x.ThisWeek.To.Equal(today) {
		t.Errorf("%+v, %v", x, err)
	}
}
