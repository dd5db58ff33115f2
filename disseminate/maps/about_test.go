package maps_test

import (
	"strings"
	"testing"

	"dtm"
	"dtm/disseminate/chart"
)

// TestAbout: a round neighbour of a withheld figure is told as one wherever the map
// writes it: at points, on arrows, in tooltips, in sums by region and in the table.
func TestAbout(t *testing.T) {
	t.Parallel()
	b := base(t)
	s := sample(dtm.English, 900)
	s.Points[1].Value, s.Points[1].About = of(4300), true // Yoboki, in the region of Dikhil
	s.Flows[6].Value, s.Flows[6].About = of(3200), true
	svg := string(b.SVG(s))
	for _, want := range []string{chart.About + "4,300", chart.About + "3,200"} {
		if n := strings.Count(svg, want); n < 2 {
			t.Errorf("%q stands %d times in the drawing, not as label and tooltip", want, n)
		}
	}
	if bare := strings.ReplaceAll(svg, chart.About, "≈"); strings.Contains(bare, ">4,300<") || strings.Contains(bare, ">3,200<") {
		t.Error("a figure that is only near stands as if it were exact")
	}
	marked := 0
	for _, row := range s.Table().Rows {
		if row[2].Cell.About {
			marked++
		}
	}
	if marked != 2 {
		t.Errorf("%d rows of the table are marked, not 2", marked)
	}
	s.Flows[6].About = false
	if svg := string(b.SVG(region(s))); !strings.Contains(svg, chart.About) {
		t.Error("the sum of a region with such a figure is told as exact")
	}
}
