package watch

import (
	"math"
	"math/rand/v2"
	"time"

	"dtm"

	"gonum.org/v1/gonum/stat/distuv"
)

// Invented is a made-up series with the surges that were put into it.
type Invented struct {
	Series
	Surges [][2]int // first step and the one after the last
}

// Invent makes weeks of counts with a season, a slow trend, more variance than chance,
// days not observed, and a fast that moves through the year; in the last years it
// puts a surge of four weeks by the factor about once in half a year. The same seed gives the
// same series.
func Invent(seed uint64, years int, mean, factor float64, calendar []dtm.CalendarEffect) Invented {
	r := rand.New(rand.NewPCG(seed, 2018)) //nolint:gosec // reproducible, nothing secret
	s := Series{Step: Week, effects: calendar}
	at := time.Date(2018, 1, 1, 0, 0, 0, 0, time.UTC)
	n := years * 52
	var surges [][2]int
	for t := 3*52 + 10 + r.IntN(10); t+4 < n; t += 20 + r.IntN(12) {
		surges = append(surges, [2]int{t, t + 4})
	}
	for i := range n {
		s.Starts = append(s.Starts, at)
		days := 7.0
		if r.IntN(12) == 0 {
			days = float64(2 + r.IntN(5))
		}
		m := mean * days / 7 * (1 + 0.35*math.Sin(2*math.Pi*float64(i)/52)) * math.Exp(0.0015*float64(i))
		s.Counts, s.Days, s.Withheld = append(s.Counts, 0), append(s.Days, days), append(s.Withheld, false)
		for _, e := range calendar {
			if e.Code == "ramadan" {
				m *= 1 - 0.4*float64(e.Days(s.Of(i)))/7
			}
		}
		for _, x := range surges {
			if i >= x[0] && i < x[1] {
				m *= factor
			}
		}
		// Negative binomial of variance 4 times the mean, as a Poisson of gamma means.
		const phi = 4
		l := distuv.Gamma{Alpha: m / (phi - 1), Beta: 1.0 / (phi - 1), Src: r}.Rand()
		s.Counts[i] = distuv.Poisson{Lambda: l, Src: r}.Rand()
		at = at.AddDate(0, 0, 7)
	}
	return Invented{s, surges}
}

// Tally is how a setting did on invented series.
type Tally struct {
	Planted
	False int     // alarms in quiet weeks
	Quiet float64 // years of them
}

// FalsePerYear is the number of false alarms per quiet year.
func (t Tally) FalsePerYear() float64 { return rate(t.False, t.Quiet) }

// Trial tests a setting on n invented series of seven years.
func Trial(set Settings, n int, factor float64, calendar []dtm.CalendarEffect) (Tally, error) {
	out := Tally{Planted: Planted{Factor: factor, Duration: 4}}
	for seed := range n {
		if err := Invent(uint64(seed), 7, 300, factor, calendar).test(set, &out); err != nil { //nolint:gosec // small
			return out, err
		}
	}
	return out, nil
}

// test judges the weeks after the first three years. The four weeks after a surge are
// neither quiet nor its own.
func (v Invented) test(set Settings, out *Tally) error {
	in := func(t int) (surge int, inside bool) {
		for k, x := range v.Surges {
			if t >= x[0] && t < x[1]+4 {
				return k, t < x[1]
			}
		}
		return -1, false
	}
	found := map[int]bool{}
	out.Surges += len(v.Surges)
	for t := 3*52 + 4; t < v.Len(); t++ {
		j, err := v.Judge(t, set)
		if err != nil {
			return err
		}
		k, inside := in(t)
		switch {
		case k < 0:
			out.Quiet += 1.0 / 52
			if j.Alarm {
				out.False++
			}
		case inside && j.Alarm && !found[k]:
			found[k] = true
			out.Found++
			out.Delays = append(out.Delays, t-v.Surges[k][0])
		}
	}
	return nil
}
