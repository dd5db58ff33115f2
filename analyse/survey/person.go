package survey

import (
	"cmp"
	"math"
	"slices"

	"dtm"
	"dtm/analyse/stat"

	"gonum.org/v1/gonum/stat/distuv"
)

// First is how many of a point's movements were of people whom no other point had
// counted in the days before.
type First struct {
	Point     string
	Movements float64
	Answered  int // respondents who said whether they had been counted
	Before    int // of them, who had been
	Share     stat.Interval
	People    stat.Interval // first counted here; NaN ends where the answers give no error
	Caveats   []string      // of the share, as package survey has them
}

// Pair is the estimate of those on the way between two points: counted at From, and met
// again among the respondents at To (Chapman 1951).
type Pair struct {
	From, To  string
	Counted   float64 // at From
	Asked     int     // at To
	Again     int     // of them, who had been counted at From
	People    stat.Interval
	PeopleVar float64
}

// Persons is an estimate of the persons behind the movements of a period: a second
// figure with an interval, never in place of movements.
type Persons struct {
	Points    []First // the largest first
	Movements float64 // of Points
	People    stat.Interval
	Pairs     []Pair
	Left      float64 // movements of points where nobody answered: in no estimate
}

// Least answers for an estimate of a pair: with fewer the interval says nothing.
const leastAsked, leastAgain = 30, 5

// EstimatePersons takes from each point's movements the share of people who say that
// another point counted them in the days before: persons = n (1 − p), its variance n² that
// of p by the point-days of the interviews (delta method); the sum's is the sum of theirs,
// with a normal interval. Who comes back later is counted anew.
func EstimatePersons(list []dtm.Interview, movements map[string]float64) (Persons, error) {
	var out Persons
	q, err := Find("counted")
	if err != nil {
		return out, err
	}
	by := map[string][]dtm.Interview{}
	for _, x := range list {
		if x.Complete() && (x.Counted == "yes" || x.Counted == "no") {
			by[x.Point] = append(by[x.Point], x)
		}
	}
	variance := 0.0
	nan := math.NaN()
	out.People = stat.Interval{Estimate: nan, Low: nan, High: nan}
	total := 0.0
	points := make([]string, 0, len(movements))
	for p := range movements {
		points = append(points, p)
	}
	slices.Sort(points)
	for _, p := range points {
		n := movements[p]
		if !(n > 0) {
			continue
		}
		if p == "" || len(by[p]) == 0 {
			out.Left += n
			continue
		}
		r, err := Estimate(by[p], q, nil)
		if err != nil {
			return out, err
		}
		x := First{Point: p, Movements: n, Answered: r.Answered}
		yes := Share{N: r.Answered, SE: nan, Design: stat.Interval{Estimate: nan, Low: nan, High: nan}}
		if yes.Wilson, err = stat.Wilson(0, float64(r.Answered), Level); err != nil {
			return out, err
		}
		for _, s := range r.Shares {
			if s.Code == "yes" {
				yes = s
			}
		}
		x.Before, x.Caveats, x.Share = yes.Yes, yes.Caveats, yes.Design
		z := distuv.UnitNormal.Quantile(0.5 + Level/2)
		se := yes.SE
		if math.IsNaN(x.Share.Low) || !(se > 0) { // one day, or all alike: as if drawn one by one
			x.Share = yes.Wilson
			se = (yes.Wilson.High - yes.Wilson.Low) / (2 * z)
		}
		x.Share.Estimate = float64(x.Before) / float64(x.Answered)
		x.People = stat.Interval{Estimate: n * (1 - x.Share.Estimate), Low: n * (1 - x.Share.High), High: n * (1 - x.Share.Low)}
		total += x.People.Estimate
		variance += n * n * se * se
		out.Movements += n
		out.Points = append(out.Points, x)
	}
	if len(out.Points) > 0 {
		d := distuv.UnitNormal.Quantile(0.5+Level/2) * math.Sqrt(variance)
		out.People = stat.Interval{Estimate: total, Low: max(0, total-d), High: min(out.Movements, total+d)}
	}
	slices.SortStableFunc(out.Points, func(a, b First) int { return cmp.Compare(b.Movements, a.Movements) })
	for _, to := range out.Points {
		again := map[string]int{}
		for _, x := range by[to.Point] {
			if x.CountedAt != "" && x.CountedAt != to.Point && x.Counted == "yes" {
				again[x.CountedAt]++
			}
		}
		for _, from := range points {
			m := again[from]
			if m < leastAgain || to.Answered < leastAsked || float64(m) > movements[from] {
				continue
			}
			e, v, err := stat.Chapman(movements[from], float64(to.Answered), float64(m), Level)
			if err != nil {
				return out, err
			}
			out.Pairs = append(out.Pairs, Pair{From: from, To: to.Point, Counted: movements[from], Asked: to.Answered, Again: m, People: e, PeopleVar: v})
		}
	}
	return out, nil
}
