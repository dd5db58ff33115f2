package chart_test

import (
	"testing"

	"dtm"
)

func BenchmarkSVG(b *testing.B) {
	for name, c := range samples(dtm.English) {
		b.Run(name, func(b *testing.B) {
			o := options(dtm.English, 640)
			for b.Loop() {
				c.SVG(o)
			}
		})
	}
}
