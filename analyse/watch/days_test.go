package watch

import (
	"math"
	"testing"
	"time"
)

// Days that were made up, with surges of two weeks that were put in.
func TestBacktestOnInventedDays(t *testing.T) {
	for _, k := range []struct {
		method          Method
		series          int
		found, a, delay float64
	}{{Auto, 1, 0.75, 3, 4}, {Recent, 3, 0.75, 3, 4}, {C2, 3, 0.7, 8, 3}, {CUSUM, 3, 0.5, 40, 5}, {STL, 2, 0.3, 15, 5}} {
		began := time.Now()
		tally, err := Trial(Day, Settings{Method: k.method}, k.series, 1.6, pack(t).Calendar)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d of %d surges x1.6 found, after %.2f days, %.2f false alarms a year; %v", k.method, tally.Found, tally.Surges, tally.Delay(), tally.FalsePerYear(), time.Since(began))
		if tally.Share() < k.found || tally.FalsePerYear() > k.a || tally.Delay() > k.delay {
			t.Errorf("%s: worse than it was", k.method)
		}
	}
}

// A Friday with fewer people is expected: the same count raises nothing on another day
// and an alarm there.
func TestDaysOfTheWeek(t *testing.T) {
	s := Invent(Day, 5, 4, 80, 1, nil).Series
	friday, other := math.NaN(), 0.0
	for i := s.Len() - 7; i < s.Len(); i++ {
		if s.Days[i] == 0 {
			continue
		}
		j, err := s.Judge(i, Settings{})
		if err != nil || j.Method != Farrington {
			t.Fatal(j, err)
		}
		if s.Starts[i].Weekday() == time.Friday {
			friday = j.Expected
		} else {
			other = max(other, j.Expected)
		}
	}
	if !(friday < 0.75*other) {
		t.Errorf("expected on a Friday %v, on another day %v", friday, other)
	}
	if j, err := s.Judge(s.Len()-1, Settings{Method: STL}); err != nil || j.Method != STL {
		t.Error(j, err)
	}
}
