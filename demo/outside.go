package demo

import (
	"math"
	"math/rand/v2"

	"dtm"
)

// Outside invents what others count across the sea of those who leave the coast: by month,
// at two landing places, later ones missing now and then.
func Outside(months []dtm.Month, seed uint64) []dtm.Outside {
	var out []dtm.Outside
	for _, m := range months {
		r := rand.New(rand.NewPCG(seed, uint64(m.First().Unix())))
		for _, x := range []struct {
			place string
			share float64
		}{{"Al-Aarah", 300}, {"Al-Azaf", 90}} {
			n := x.share * season(m.First().AddDate(0, 0, 14)) * math.Exp(0.25*r.NormFloat64())
			if r.IntN(9) == 0 {
				continue // not reported
			}
			out = append(out, dtm.Outside{Series: "yemen_arrivals", Place: x.place, Month: m, People: int64(n), Source: "synthetic"})
		}
	}
	return out
}
