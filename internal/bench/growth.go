package main

import (
	"cmp"
	"math"
	"slices"
)

// growth is how something went over the equal parts of a load.
type growth struct {
	slope float64 // a part: the middle of the slopes between all pairs (Theil & Sen)
	trend float64 // how sure it is, in standard deviations (Mann & Kendall's test); above 0: up
}

// growthOf looks at what was held at the end of each part.
func growthOf(v []float64) growth {
	var slopes []float64
	ups, n := 0, len(v)
	for i := range v {
		for j := i + 1; j < n; j++ {
			slopes = append(slopes, (v[j]-v[i])/float64(j-i))
			ups += cmp.Compare(v[j], v[i])
		}
	}
	if len(slopes) == 0 {
		return growth{}
	}
	slices.Sort(slopes)
	g := growth{slope: slopes[len(slopes)/2]}
	if len(slopes)%2 == 0 {
		g.slope = (g.slope + slopes[len(slopes)/2-1]) / 2
	}
	if ups != 0 {
		spread := math.Sqrt(float64(n*(n-1)*(2*n+5)) / 18)
		g.trend = (float64(ups) - math.Copysign(1, float64(ups))) / spread
	}
	return g
}

// sure is the 95 percent point of the standard normal distribution, on one side.
const sure = 1.645

// grows tells whether there is more with every part, by more than allowed and not by
// chance. What stays under a bound that it was given may fill up to it.
func (g growth) grows(last, allowed, bound float64) bool {
	return g.slope > allowed && g.trend > sure && last > bound
}
