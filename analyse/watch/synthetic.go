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

// Invent makes days or weeks of counts with a season, a slow trend, more variance than
// chance, days not observed, days of the week that differ, and a fast that moves
// through the year; in the last years it puts a surge of four weeks (of days: two) by
// the factor about once in half a year. The mean is that of a full step. The same seed
// gives the same series.
func Invent(step Step, seed uint64, years int, mean, factor float64, calendar []dtm.CalendarEffect) Invented {
	r := rand.New(rand.NewPCG(seed, 2018)) //nolint:gosec // reproducible, nothing secret
	s := Series{Step: step, effects: calendar, shares: &shares{}}
	at := time.Date(2018, 1, 1, 0, 0, 0, 0, time.UTC)
	year, week := step.Period(), step.Period()/52
	n := years * year
	var surges [][2]int
	for t := 3*year + (10+r.IntN(10))*week; t+surgeSteps(step) < n; t += (20 + r.IntN(12)) * week {
		surges = append(surges, [2]int{t, t + surgeSteps(step)})
	}
	full := 7.0 / float64(week)
	for i := range n {
		s.Starts = append(s.Starts, at)
		days := full
		if r.IntN(12) == 0 {
			days = float64(2+r.IntN(5)) * full / 7
			if step == Day {
				days = 0
			}
		}
		m := mean * days / full * (1 + 0.35*math.Sin(2*math.Pi*float64(i)/float64(year))) * math.Exp(0.0015*float64(i)/float64(week))
		if step == Day && at.Weekday() == time.Friday {
			m *= 0.6
		}
		s.Counts, s.Days, s.Withheld = append(s.Counts, 0), append(s.Days, days), append(s.Withheld, false)
		for _, e := range calendar {
			if e.Code == "ramadan" {
				m *= 1 - 0.4*float64(e.Days(s.Of(i)))/full
			}
		}
		for _, x := range surges {
			if i >= x[0] && i < x[1] {
				m *= factor
			}
		}
		// Negative binomial of variance 4 times the mean, as a Poisson of gamma means.
		const phi = 4
		if at = step.next(at); days == 0 {
			s.Counts[i] = math.NaN()
			continue
		}
		l := distuv.Gamma{Alpha: m / (phi - 1), Beta: 1.0 / (phi - 1), Src: r}.Rand()
		s.Counts[i] = distuv.Poisson{Lambda: l, Src: r}.Rand()
	}
	return Invented{s, surges}
}

// surgeSteps is how long a surge lasts.
func surgeSteps(step Step) int {
	if step == Day {
		return 14
	}
	return 4
}

// Tally is how a setting did on invented series.
type Tally struct {
	Planted
	False int     // alarms in quiet steps
	Quiet float64 // years of them
}

// FalsePerYear is the number of false alarms per quiet year.
func (t Tally) FalsePerYear() float64 { return rate(t.False, t.Quiet) }

// Trial tests a setting on n invented series of days or weeks: of seven years and 300
// people in a week, or of five years and 60 a day.
func Trial(step Step, set Settings, n int, factor float64, calendar []dtm.CalendarEffect) (Tally, error) {
	out := Tally{Planted: Planted{Factor: factor, Duration: surgeSteps(step)}}
	years, mean := 7, 300.0
	if step == Day {
		years, mean = 5, 60
	}
	for seed := range n {
		if err := Invent(step, uint64(seed), years, mean, factor, calendar).test(set, &out); err != nil { //nolint:gosec // small
			return out, err
		}
	}
	return out, nil
}

// test judges the steps after the first three years. As many steps after a surge as it
// had are neither quiet nor its own.
func (v Invented) test(set Settings, out *Tally) error {
	in := func(t int) (surge int, inside bool) {
		for k, x := range v.Surges {
			if t >= x[0] && t < x[1]+surgeSteps(v.Step) {
				return k, t < x[1]
			}
		}
		return -1, false
	}
	found := map[int]bool{}
	out.Surges += len(v.Surges)
	year := v.Step.Period()
	for t := 3*year + 4*year/52; t < v.Len(); t++ {
		j, err := v.Judge(t, set)
		if err != nil {
			return err
		}
		k, inside := in(t)
		switch {
		case k < 0:
			out.Quiet += 1 / float64(year)
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
