package stat

import (
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Design says how a sample was drawn. Each slice has an element for each
// respondent, or is nil: no strata, every respondent alone, equal weights, drawn
// from endless many. Of a flow monitoring survey the stratum is the point and the
// cluster the point-day.
type Design struct {
	Strata, Clusters []string
	Weights          []float64
	Population       []float64 // clusters in the respondent's stratum, for the finite population correction
	Lonely           Lonely
}

// Lonely says what to do with a stratum of which one cluster was drawn.
type Lonely int

// LonelyFails refuses. LonelyAdjusts takes its distance from the mean over all
// strata, which is too wide rather than too narrow. LonelyCertain gives it no variance.
const (
	LonelyFails Lonely = iota
	LonelyAdjusts
	LonelyCertain
)

// Estimate is a mean, share or total with its sampling error.
type Estimate struct {
	Value, SE float64
	Deff      float64 // variance by that of a simple random sample of as many; NaN where that is 0
	N         int     // respondents who answered
	DF        int     // clusters less strata
	share     bool
}

// frame is a checked design.
type surveyFrame struct {
	stratum, cluster []int // of each respondent
	of               []int // stratum of each cluster
	weights          []float64
	population       []float64 // of each stratum; +Inf
	drawn            []int     // clusters of each stratum
	lonely           Lonely
}

func (d Design) frame(n int) (*surveyFrame, error) {
	if n == 0 {
		return nil, invalid("missing", "the history has no observations")
	}
	for _, k := range []int{len(d.Strata), len(d.Clusters), len(d.Weights), len(d.Population)} {
		if k != 0 && k != n {
			return nil, invalid("lengths", "%d values, %d of what belongs to them: want as many of each", n, k)
		}
	}
	f := &surveyFrame{stratum: make([]int, n), cluster: make([]int, n), weights: make([]float64, n), lonely: d.Lonely}
	strata := map[string]int{}
	type key struct {
		stratum int
		name    string
	}
	clusters := map[key]int{}
	for i := range n {
		name := ""
		if d.Strata != nil {
			name = d.Strata[i]
		}
		s, ok := strata[name]
		if !ok {
			s = len(strata)
			strata[name] = s
			f.population = append(f.population, math.Inf(1))
			f.drawn = append(f.drawn, 0)
		}
		f.stratum[i] = s
		k := key{s, ""}
		if d.Clusters != nil {
			k.name = d.Clusters[i]
		}
		c, ok := clusters[k]
		if d.Clusters == nil || !ok {
			c = len(f.of)
			clusters[k] = c
			f.of = append(f.of, s)
			f.drawn[s]++
		}
		f.cluster[i] = c
		f.weights[i] = 1
		if d.Weights != nil {
			f.weights[i] = d.Weights[i]
		}
		if w := f.weights[i]; !(w >= 0) || math.IsInf(w, 0) {
			return nil, invalid("weight", "weight %d is %v: want 0 or more", i+1, w)
		}
		if d.Population != nil {
			f.population[s] = d.Population[i]
		}
	}
	for s, p := range f.population {
		if p < float64(f.drawn[s]) {
			return nil, invalid("population", "%d clusters were drawn of %v", f.drawn[s], p)
		}
	}
	return f, nil
}

func (f *surveyFrame) df() int { return len(f.of) - len(f.drawn) }

// variance is that of the total of z: between clusters within strata, with the
// finite population correction (Wolter 2007, chapter 6).
func (f *surveyFrame) variance(z []float64) (float64, error) {
	sum := make([]float64, len(f.of))
	for i, v := range z {
		sum[f.cluster[i]] += v
	}
	mean, all := make([]float64, len(f.drawn)), 0.0
	for c, v := range sum {
		mean[f.of[c]] += v / float64(f.drawn[f.of[c]])
		all += v / float64(len(sum))
	}
	v := 0.0
	for c, x := range sum {
		s := f.of[c]
		n := float64(f.drawn[s])
		rest := 1 - n/f.population[s]
		if n == 1 {
			if rest == 0 || f.lonely == LonelyCertain {
				continue
			}
			if f.lonely == LonelyFails {
				return 0, invalid("lonely", "a stratum has one cluster only: its variance cannot be told")
			}
			v += rest * (x - all) * (x - all)
			continue
		}
		v += rest * n / (n - 1) * (x - mean[s]) * (x - mean[s])
	}
	return v, nil
}

// Mean estimates the mean of y, linearised (Taylor). Who did not answer is a domain:
// the mean is of those who did, and the design keeps all.
func (d Design) Mean(y []float64) (Estimate, error) { return d.ratio(y, false) }

// Share estimates the share of those for whom yes is 1; 0 is no, NaN no answer.
func (d Design) Share(yes []float64) (Estimate, error) {
	for i, v := range yes {
		if v != 0 && v != 1 && !math.IsNaN(v) {
			return Estimate{}, invalid("answer", "answer %d is %v: want 0, 1 or missing", i+1, v)
		}
	}
	return d.ratio(yes, true)
}

func (d Design) ratio(y []float64, share bool) (Estimate, error) {
	f, err := d.frame(len(y))
	if err != nil {
		return Estimate{}, err
	}
	total, weight, n := 0.0, 0.0, 0
	for i, v := range y {
		if !math.IsNaN(v) && f.weights[i] > 0 {
			total += f.weights[i] * v
			weight += f.weights[i]
			n++
		}
	}
	if weight == 0 {
		return Estimate{}, invalid("missing", "the history has no observations")
	}
	e := Estimate{Value: total / weight, N: n, DF: f.df(), share: share}
	z := make([]float64, len(y))
	for i, v := range y {
		if !math.IsNaN(v) {
			z[i] = f.weights[i] * (v - e.Value) / weight
		}
	}
	v, err := f.variance(z)
	if err != nil {
		return Estimate{}, err
	}
	e.SE = math.Sqrt(v)
	e.Deff = v / f.simple(y, e.Value, weight, n)
	return e, nil
}

// simple is the variance of a mean from a simple random sample of n, drawn without
// replacement from as many as the weights sum to.
func (f *surveyFrame) simple(y []float64, mean, weight float64, n int) float64 {
	s := 0.0
	for i, v := range y {
		if !math.IsNaN(v) {
			s += f.weights[i] * (v - mean) * (v - mean)
		}
	}
	s *= float64(n) / (float64(n) - 1) / weight
	v := s / float64(n)
	if weight > float64(n) {
		v *= 1 - float64(n)/weight
	}
	if v == 0 {
		return math.NaN()
	}
	return v
}

// Total estimates the total of y over the population that the weights stand for.
func (d Design) Total(y []float64) (Estimate, error) {
	f, err := d.frame(len(y))
	if err != nil {
		return Estimate{}, err
	}
	z := make([]float64, len(y))
	e := Estimate{DF: f.df()}
	weight := 0.0
	for i, v := range y {
		if !math.IsNaN(v) {
			z[i] = f.weights[i] * v
			e.Value += z[i]
			e.N++
			weight += f.weights[i]
		}
	}
	v, err := f.variance(z)
	if err != nil {
		return Estimate{}, err
	}
	e.SE = math.Sqrt(v)
	if weight > 0 {
		e.Deff = v / (weight * weight * f.simple(y, e.Value/weight, weight, e.N))
	}
	return e, nil
}

// Interval is Student's, on the logit for a share. Of a share of none or all it is
// Wilson's, with the effective number of respondents where a design effect is known.
func (e Estimate) Interval(level float64) (Interval, error) {
	if !(level > 0 && level < 1) {
		return Interval{}, invalid("level", "a level of %v is none: want one between 0 and 1, such as 0.95", level)
	}
	if e.DF < 1 {
		return Interval{}, invalid("lonely", "a stratum has one cluster only: its variance cannot be told")
	}
	t := distuv.StudentsT{Sigma: 1, Nu: float64(e.DF)}.Quantile(0.5 + level/2)
	if !e.share {
		return Interval{e.Value, e.Value - t*e.SE, e.Value + t*e.SE}, nil
	}
	p := e.Value
	if p <= 0 || p >= 1 || e.SE == 0 {
		n := float64(e.N)
		if e.Deff > 1 {
			n /= e.Deff
		}
		return Wilson(p*n, n, level)
	}
	l, s := math.Log(p/(1-p)), e.SE/(p*(1-p))
	back := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
	return Interval{p, back(l - t*s), back(l + t*s)}, nil
}

// Bootstrap draws n_h-1 clusters with replacement in each stratum, rounds times, and
// weighs those drawn by n_h/(n_h-1) (Rao and Wu 1988): the interval is between the
// quantiles of the mean. The same seed gives the same interval.
func (d Design) Bootstrap(y []float64, rounds int, seed uint64, level float64) (Interval, error) {
	f, err := d.frame(len(y))
	if err != nil {
		return Interval{}, err
	}
	e, err := d.Mean(y)
	if err != nil {
		return Interval{}, err
	}
	if rounds < 100 {
		return Interval{}, invalid("rounds", "%d rounds are too few: want 100 or more", rounds)
	}
	num, den := make([]float64, len(f.of)), make([]float64, len(f.of))
	for i, v := range y {
		if !math.IsNaN(v) {
			num[f.cluster[i]] += f.weights[i] * v
			den[f.cluster[i]] += f.weights[i]
		}
	}
	in := make([][]int, len(f.drawn))
	for c, s := range f.of {
		in[s] = append(in[s], c)
	}
	r := rand.New(rand.NewPCG(seed, 0x64746d)) //nolint:gosec // reproducible, nothing secret
	var means []float64
	for range rounds {
		a, b := 0.0, 0.0
		for _, list := range in {
			n := len(list)
			if n == 1 {
				a, b = a+num[list[0]], b+den[list[0]]
				continue
			}
			k := float64(n) / float64(n-1)
			for range n - 1 {
				c := list[r.IntN(n)]
				a, b = a+k*num[c], b+k*den[c]
			}
		}
		if b > 0 {
			means = append(means, a/b)
		}
	}
	slices.Sort(means)
	at := func(p float64) float64 { return means[min(int(p*float64(len(means))), len(means)-1)] }
	return Interval{e.Value, at((1 - level) / 2), at((1 + level) / 2)}, nil
}
