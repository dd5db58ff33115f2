package draw_test

import (
	"regexp"
	"testing"

	"dtm/disseminate/chart/draw"
)

// The colours that dark mode restates keep the same contrasts on their ground.
func TestDark(t *testing.T) {
	t.Parallel()
	fill := map[string]string{}
	for _, rule := range regexp.MustCompile(`((?:\.dtm-svg [^{}]+,?)+)\{(?:fill|stroke):(#[0-9a-f]+)\}`).FindAllStringSubmatch(draw.Stylesheet, -1) {
		colour := rule[2]
		if len(colour) == 4 {
			colour = "#" + colour[1:2] + colour[1:2] + colour[2:3] + colour[2:3] + colour[3:4] + colour[3:4]
		}
		for _, class := range regexp.MustCompile(`\.dtm-svg \.([a-z0-9-]+)(?:,|$)`).FindAllStringSubmatch(rule[1], -1) {
			fill[class[1]] = colour
		}
	}
	for _, c := range []struct {
		a, b string
		min  float64
	}{
		{"ink", "ground", 7}, {"mute", "ground", 4.5}, {"warm", "ground", 4.5}, {"mute", "land", 4.5}, {"mute", "region", 4.5}, {"mute", "sea", 4.5}, {"ink", "region", 4.5},
		{"main", "ground", 3}, {"accent", "ground", 3}, {"context", "ground", 3}, {"s2", "ground", 3}, {"s4", "ground", 3}, {"s5", "ground", 3},
		{"l2", "ground", 3}, {"hatch", "hatch-ground", 3}, {"axis", "ground", 3},
		{"on-q0", "q0", 4.5}, {"on-q1", "q1", 4.5}, {"on-q2", "q2", 4.5}, {"on-q3", "q3", 4.5}, {"on-q4", "q4", 4.5}, {"on-q5", "q5", 4.5},
		{"on-dark", "s1", 4.5}, {"on-light", "s3", 4.5}, {"on-light", "s4", 4.5}, {"on-light", "s5", 4.5},
	} {
		a, b := fill[c.a], fill[c.b]
		if a == "" || b == "" {
			t.Errorf("dark mode says nothing of %s or %s", c.a, c.b)
			continue
		}
		if got := draw.Contrast(a, b); got < c.min {
			t.Errorf("%s %s on %s %s: %.2f, want %g", c.a, a, c.b, b, got, c.min)
		}
	}
}
