package maps_test

import (
	"testing"

	"dtm"
)

func BenchmarkSVG(b *testing.B) {
	m := base(b)
	s := sample(dtm.English, 640)
	for b.Loop() {
		m.SVG(s)
	}
}
