package stat

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Interval is an estimate with the ends of its confidence interval.
type Interval struct{ Estimate, Low, High float64 }

// Wilson is the score interval of x of n (Wilson 1927), for a simple random sample.
func Wilson(x, n, level float64) (Interval, error) {
	if !(n > 0) || x < 0 || x > n || math.IsInf(n, 0) {
		return Interval{}, invalid("proportion", "%v of %v is no share", x, n)
	}
	if !(level > 0 && level < 1) {
		return Interval{}, invalid("level", "a level of %v is none: want one between 0 and 1, such as 0.95", level)
	}
	z := distuv.UnitNormal.Quantile(0.5 + level/2)
	p := x / n
	d := 1 + z*z/n
	mid := (p + z*z/(2*n)) / d
	half := z / d * math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	return Interval{p, max(0, mid-half), min(1, mid+half)}, nil
}
