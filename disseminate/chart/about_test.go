package chart_test

import (
	"strings"
	"testing"

	"dtm"
	"dtm/disseminate/chart"
)

// TestAbout: a round neighbour of a withheld figure is told as one on the drawing, not
// in the table alone; a sum and a share that it is in are near as well.
func TestAbout(t *testing.T) {
	t.Parallel()
	near := func(v float64) chart.Cell { return chart.Cell{Value: &v, About: true} }
	steps := []chart.Step{{Label: "Oct", Group: "2022"}, {Label: "Nov", Group: "2022"}, {Label: "Dec", Group: "2022"}}
	for name, c := range map[string]struct {
		chart chart.Chart
		want  []string
		never []string
	}{
		"the last of a trend":    {chart.Trend{Steps: steps, Lines: []chart.Line{{Cells: []chart.Cell{chart.Of(50), chart.Of(60), near(140)}}}}, []string{"≈\u2009140"}, []string{">140<"}},
		"the highest of a trend": {chart.Trend{Steps: steps, Lines: []chart.Line{{Cells: []chart.Cell{chart.Of(50), near(140), chart.Of(60)}}}}, []string{"≈\u2009140"}, []string{">140<"}},
		"a sum":                  {chart.Stacked{Series: []string{"a", "b"}, Mode: chart.Stack, Rows: []chart.Row{{Label: "x", Cells: []chart.Cell{chart.Of(50), near(140)}}}}, []string{"≈\u2009140", "≈\u2009190"}, []string{">140<", ">190<"}},
		"shares":                 {chart.Stacked{Series: []string{"a", "b"}, Mode: chart.Share, Rows: []chart.Row{{Label: "x", Cells: []chart.Cell{chart.Of(50), near(150)}}}}, []string{"≈\u200975%", "≈\u200925%"}, []string{">75%<", ">25%<"}},
	} {
		svg := string(c.chart.SVG(chart.Options{Lang: dtm.English, Width: 640}))
		for _, w := range c.want {
			if !strings.Contains(svg, ">"+w+"<") {
				t.Errorf("%s: no label %q", name, w)
			}
		}
		for _, n := range c.never {
			if strings.Contains(svg, n) {
				t.Errorf("%s: %q stands as if it were exact", name, n)
			}
		}
	}
}
