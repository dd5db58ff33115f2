package watch

import (
	"context"
	"maps"
	"math"
	"slices"
	"time"

	"dtm"

	"gonum.org/v1/gonum/stat/distuv"
)

// rateMonths is how many of the last months with screenings tell how many people need a
// programme.
const rateMonths = 12

// Need is how many people were found to need a programme, by month (its first day).
type Need struct {
	Programme string
	People    map[time.Time]float64
}

// Planned is what is expected to be asked of a programme in a month to come.
type Planned struct {
	Programme  string
	Target     time.Time
	Movements  float64 // expected
	Rate       float64 // people in need found for each movement observed
	Months     int     // that the rate rests on
	People     float64 // of these months
	Expected   float64 // people in need
	Lo80, Hi80 float64
	Lo95, Hi95 float64
	Capacity   float64 // declared; NaN: not
	Exceeds    float64 // chance that more are in need than can be served; NaN: no capacity is declared
}

// Gap is what is expected beyond the capacity; below 0 what is left of it.
func (p Planned) Gap() float64 { return p.Expected - p.Capacity }

// Plan holds what is expected of programmes against what they can serve. A programme's
// rate is people found in need of it for each movement observed, over the last twelve
// months of the outlook's series in which anybody was screened, but the first ever. The uncertainty is that
// of the forecast, of the rate, and of the count itself, added up on logarithms; counts
// vary more than chance (a quasi-Poisson dispersion over the months, at least 1).
// Screening as it was is taken to go on: who is not met is not expected.
func Plan(o Outlook, needs []Need, capacities []dtm.Capacity) []Planned {
	s := o.Series
	rates := s.rates()
	screened := map[time.Time]bool{}
	for _, n := range needs {
		for m, people := range n.People {
			screened[m] = screened[m] || people > 0
		}
	}
	var months []int
	begun := time.Time{} // the month in which screening began may not be whole
	if len(screened) > 1 {
		for m, found := range screened {
			if found && (begun.IsZero() || m.Before(begun)) {
				begun = m
			}
		}
	}
	for i := s.Len() - 1; i >= 0 && len(months) < rateMonths; i-- {
		if screened[s.Starts[i]] && rates[i] > 0 && !s.Starts[i].Equal(begun) {
			months = append(months, i)
		}
	}
	var out []Planned
	z := func(level float64) float64 { return distuv.UnitNormal.Quantile(0.5 + level/2) }
	for _, n := range needs {
		people, moved := 0.0, 0.0
		for _, i := range months {
			people += n.People[s.Starts[i]]
			moved += rates[i]
		}
		if people == 0 {
			continue
		}
		rate := people / moved
		phi := 1.0
		if k := len(months); k > 1 {
			x2 := 0.0
			for _, i := range months {
				d := n.People[s.Starts[i]] - rate*rates[i]
				x2 += d * d / (rate * rates[i])
			}
			phi = max(1, x2/float64(k-1))
		}
		for k, at := range o.Starts {
			f := o.Forecast
			e := f.Mean[k] * rate
			spread := (math.Log1p(f.Hi80[k]) - math.Log1p(f.Lo80[k])) / 2 / z(0.8)
			sd := math.Sqrt(spread*spread + phi/people + phi/math.Max(e, 1))
			p := Planned{Programme: n.Programme, Target: at, Movements: f.Mean[k], Rate: rate, Months: len(months), People: people, Expected: e, Capacity: math.NaN(), Exceeds: math.NaN(),
				Lo80: e * math.Exp(-z(0.8)*sd), Hi80: e * math.Exp(z(0.8)*sd), Lo95: e * math.Exp(-z(0.95)*sd), Hi95: e * math.Exp(z(0.95)*sd)}
			if c, ok := dtm.CapacityOn(capacities, n.Programme, at.AddDate(0, 1, -1)); ok {
				p.Capacity = float64(c)
				p.Exceeds = 1
				if c > 0 && e > 0 {
					p.Exceeds = distuv.UnitNormal.Survival((math.Log(float64(c)) - math.Log(e)) / sd)
				}
			}
			out = append(out, p)
		}
	}
	return out
}

// ReadNeeds asks the figures how many people were found to need each programme, by
// month.
func ReadNeeds(ctx context.Context, f dtm.Figures, p dtm.Period) ([]Need, error) {
	t, err := f.Table(ctx, dtm.Query{Indicator: "people_by_programme", Period: p, By: []string{"month", "programme"}})
	if err != nil {
		return nil, err
	}
	by := map[string]Need{}
	for _, x := range t.Figures {
		code, month := x.Keys[1], x.Keys[0]
		if x.Value == nil || code == "" || code == "none" || code == "unknown" {
			continue
		}
		m, err := dtm.ParseMonth(month[:len("2006-01")])
		if err != nil {
			return nil, err
		}
		if by[code].People == nil {
			by[code] = Need{code, map[time.Time]float64{}}
		}
		by[code].People[m.First()] += *x.Value
	}
	var out []Need
	for _, code := range slices.Sorted(maps.Keys(by)) {
		out = append(out, by[code])
	}
	return out, nil
}
