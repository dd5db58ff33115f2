package main

import "testing"

func TestGrowth(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name           string
		held           []float64
		allowed, bound float64
		want           bool
	}{
		{"a leak", []float64{200, 206, 209, 216, 221, 224, 231, 236}, 1, 0, true},
		{"a leak under noise", []float64{200, 195, 215, 210, 228, 226, 240, 238}, 1, 0, true},
		{"less than allowed", []float64{200, 200.5, 201, 201.4, 202, 202.3, 203, 203.5}, 1, 0, false},
		{"garbage that comes and goes", []float64{200, 240, 205, 238, 202, 241, 207, 236}, 1, 0, false},
		{"one step, once", []float64{200, 201, 199, 240, 241, 240, 239, 240}, 1, 0, false},
		{"one step at the end, by chance", []float64{200, 200, 200, 200, 200, 200, 200, 240}, 1, 0, false},
		{"less and less", []float64{240, 236, 231, 226, 221, 215, 211, 200}, 1, 0, false},
		{"a log that fills up to its bound", []float64{10, 16, 22, 28, 34, 40, 46, 52}, 1, 64, false},
		{"a log beyond its bound", []float64{40, 46, 52, 58, 64, 70, 76, 82}, 1, 64, true},
		{"one look", []float64{200}, 1, 0, false},
	} {
		g := growthOf(c.held)
		if got := g.grows(c.held[len(c.held)-1], c.allowed, c.bound); got != c.want {
			t.Errorf("%s: grows %v, want %v (%+.2f a part, trend %+.2f)", c.name, got, c.want, g.slope, g.trend)
		}
	}
}
