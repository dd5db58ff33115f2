package watch

import (
	"math"
	"time"

	"dtm"
	"dtm/analyse/stat"
)

// A reporting triangle has rows of days and columns of days late.
const (
	lateDays   = 15 // later ones are taken for the last
	lateWeeks  = 10 // whole weeks that tell how records come
	lateLeast  = 21 // days that are needed
	weekOfDays = 7
)

// Coming is what is known of a span of days, and what is expected when all is in.
type Coming struct {
	From, To   time.Time // To is not included: the last day that is over, at most
	Known      float64
	Expected   float64
	SE         float64
	Lo80, Hi80 float64
	Lo95, Hi95 float64
}

// Nowcast is what is still to come of late records.
type Nowcast struct {
	ThisWeek, LastWeek Coming // ThisWeek is empty on a Monday
	Days               []Coming
	Month              Coming // the running month, its days that are over; empty on its first
	// Arrived[d] is the share of people whose record has come by d days after theirs.
	Arrived []float64
}

// LatePeriod is the period of which Now wants the arrivals.
func LatePeriod(today time.Time) dtm.Period {
	return dtm.Period{From: Week.start(today).AddDate(0, 0, -weekOfDays*lateWeeks), To: today}
}

// Now completes the days of this week, the last and the running month by the chain ladder: how many more
// came after one, two ... days of the days of the last ten weeks. A day of which nothing
// has come yet is expected to stay empty. today is the running day, which is not over.
func Now(list []dtm.Arrived, today time.Time) (Nowcast, error) {
	p := LatePeriod(today)
	n := p.Days()
	come := make([][]float64, n)
	for i := range come {
		come[i] = make([]float64, min(lateDays, n-i))
	}
	first := n
	for _, a := range list {
		i := int(a.Day.Sub(p.From).Hours()/24 + 0.5)
		if i < 0 || i >= n || a.Late >= n-i { // came today: the day is not over
			continue
		}
		come[i][min(a.Late, len(come[i])-1)] += float64(a.People)
		first = min(first, i)
	}
	if come = come[first:]; len(come) < lateLeast {
		return Nowcast{}, dtm.Errorf(dtm.Invalid, "records of %d days have come; this needs %d", len(come), lateLeast).Coded("nowcast.short", len(come), lateLeast)
	}
	for _, row := range come {
		for d := 1; d < len(row); d++ {
			row[d] += row[d-1]
		}
	}
	c, err := stat.ChainLadder(come)
	if err != nil {
		return Nowcast{}, err
	}
	out := Nowcast{}
	day := func(k int) time.Time { return p.From.AddDate(0, 0, first+k) }
	span := func(from, to int) Coming {
		from, to = max(0, from), min(to, len(come))
		if from >= to {
			return Coming{From: day(from), To: day(max(from, to))}
		}
		var rows []int
		for k := from; k < to; k++ {
			rows = append(rows, k)
		}
		x := Coming{From: day(from), To: day(to)}
		x.Known, x.Expected, x.SE, x.Lo80, x.Hi80 = c.Sum(rows, 0.8)
		_, _, _, x.Lo95, x.Hi95 = c.Sum(rows, 0.95)
		return x
	}
	monday := int(Week.start(today).Sub(day(0)).Hours()/24 + 0.5)
	out.LastWeek, out.ThisWeek = span(monday-weekOfDays, monday), span(monday, len(come))
	out.Month = span(int(dtm.MonthOf(today).First().Sub(day(0)).Hours()/24+0.5), len(come))
	for k := max(0, len(come)-2*weekOfDays); k < len(come); k++ {
		out.Days = append(out.Days, span(k, k+1))
	}
	// What had come by d days, of what had come in the end.
	share := 1.0
	out.Arrived = make([]float64, lateDays)
	out.Arrived[lateDays-1] = 1
	for d := lateDays - 2; d >= 0; d-- {
		if f := c.Factors[d]; f > 0 && !math.IsInf(f, 0) {
			share /= f
		}
		out.Arrived[d] = share
	}
	return out, nil
}
