package dtm

import "math"

// Kilometres is the great-circle distance between two positions in degrees
// (haversine, mean radius of the earth 6,371.009 km).
func Kilometres(lat1, lon1, lat2, lon2 float64) float64 {
	const radius, degree = 6371.009, math.Pi / 180
	a := math.Pow(math.Sin((lat2-lat1)*degree/2), 2) + math.Cos(lat1*degree)*math.Cos(lat2*degree)*math.Pow(math.Sin((lon2-lon1)*degree/2), 2)
	return 2 * radius * math.Asin(math.Sqrt(min(1, a)))
}
