package stat

import "math"

// Regular is what is usual of a series of counts on a scale on which their spread does
// not grow with them: its trend and a season that is the same in every cycle, by
// robust STL, so that single values unlike the others do not bend it. What the series
// lacks is missing (NaN); Regular gives a value there too. What is left of the series
// after it is what the outlier methods for seasonal data look at (WHO and DHIS2 warn
// of using them on the series itself). Its errors are STL's.
func Regular(y []float64, period int) ([]float64, error) {
	d, err := STL(y, STLOptions{Period: period, Robust: true})
	if err != nil {
		return nil, err
	}
	out := make([]float64, len(y))
	for i := range y {
		out[i] = d.Seasonal[i] + d.Trend[i]
		if math.IsNaN(out[i]) || math.IsInf(out[i], 0) {
			return nil, invalid("gap", "value %d cannot be told from its neighbours", i+1)
		}
	}
	return out, nil
}
