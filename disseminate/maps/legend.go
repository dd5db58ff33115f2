package maps

import (
	"math"
	"strings"

	"github.com/paulmach/orb"

	"dtm/disseminate/chart/draw"
)

// legend explains the marks below the map, then lists what has no place on it,
// then says disclaimer and source.
func (p *picture) legend() {
	p.y = p.f.h + 8
	p.c.Mirror = p.s.Lang.RTL()
	x, base := 0.0, p.y+24.0
	next := func(w float64) { // wraps a group to the next row
		if x > 0 && x+w > p.f.w {
			x, base = 0, base+40
		}
	}
	const size, gap = 11.0, 22.0
	text := func(at float64, s string) { p.c.Text(at, base+4, s, draw.Style{Size: size, Class: "mute"}) }

	if p.hi > 0 {
		title := draw.Fit(draw.Clean(p.s.Texts.Movements), size, false, p.f.w-10)
		samples := scaleSamples(p.hi)
		most := min(17, p.f.w/28)
		w := draw.Width(title, size, false) + 8
		for _, v := range samples {
			w += 2*max(3, most*math.Sqrt(v/p.hi)) + 5 + draw.Width(p.number(v), size, false) + 10
		}
		next(w)
		text(x, title)
		at := x + draw.Width(title, size, false) + 8
		if w > p.f.w {
			base += 30
			at = 0
		}
		for _, v := range samples {
			r := max(3, most*math.Sqrt(v/p.hi))
			p.c.Circle(at+r, base, r, draw.Shape{Class: "main edge", Fill: draw.Main, Stroke: draw.Ground, Opacity: 0.92})
			at += 2*r + 5
			text(at, p.number(v))
			at += draw.Width(p.number(v), size, false) + 10
		}
		x = at + gap - 10
	}
	if p.flowHi > 0 {
		title := draw.Fit(draw.Clean(p.s.Texts.Flow), size, false, p.f.w-10)
		samples := scaleSamples(p.flowHi)
		w := draw.Width(title, size, false) + 8
		for _, v := range samples {
			w += 34 + 5 + draw.Width(p.number(v), size, false) + 10
		}
		next(w)
		text(x, title)
		at := x + draw.Width(title, size, false) + 8
		if w > p.f.w {
			base += 26
			at = 0
		}
		for _, v := range samples {
			a, b := orb.Point{at, base}, orb.Point{at + 34, base}
			s := stream{a: a, b: b, c: orb.Point{at + 17, base}, width: max(1.2, p.flowMost*v/p.flowHi)}
			p.c.Poly(s.ribbon(), true, draw.Shape{Class: "accent", Fill: draw.Accent, Opacity: 0.8})
			at += 34 + 5
			text(at, p.number(v))
			at += draw.Width(p.number(v), size, false) + 10
		}
		x = at + gap - 10
	}
	approximate, vague, withheld, missing, flows := false, false, false, false, false
	for _, s := range p.placed {
		approximate = approximate || s.Approximate && !s.vague
		vague = vague || s.vague
		withheld = withheld || s.Suppressed
		_, known := value(s.Value, s.Suppressed)
		missing = missing || !known && !s.Suppressed
	}
	for _, s := range p.drawn {
		flows = flows || s.Suppressed
	}
	entry := func(label string, mark func(at float64)) {
		label = draw.Fit(draw.Clean(label), size, false, p.f.w-44)
		w := 38 + draw.Width(label, size, false)
		if x > 0 && x+w > p.f.w {
			x, base = 0, base+24
		}
		mark(x)
		text(x+38, label)
		x += w + gap
	}
	if approximate || vague || withheld || missing || flows {
		x, base = 0, base+28
		if p.hi == 0 && p.flowHi == 0 {
			base -= 28
		}
	}
	if approximate {
		entry(p.s.Texts.Approximate, func(at float64) {
			one := 1.0
			p.circle(orb.Point{at + 17, base}, 4, Point{Value: &one, Approximate: true}, false)
		})
	}
	if vague {
		entry(p.s.Texts.Somewhere, func(at float64) {
			one := 1.0
			p.circle(orb.Point{at + 17, base}, 4, Point{Value: &one, Approximate: true}, true)
		})
	}
	if withheld || flows {
		entry(p.s.Texts.Withheld, func(at float64) {
			if withheld {
				p.circle(orb.Point{at + 6, base}, 6, Point{Suppressed: true}, false)
			}
			if flows {
				p.c.Line(at+14, base, at+34, base, draw.Shape{Class: "context-line", Stroke: draw.Mute, Width: 1.4, Dash: "3 3"})
			}
		})
	}
	if missing {
		entry(p.s.Texts.Missing, func(at float64) { p.circle(orb.Point{at + 17, base}, 3, Point{}, false) })
	}
	p.y = base + 16
	if p.hi == 0 && p.flowHi == 0 && !approximate && !vague && !withheld && !missing && !flows {
		p.y = p.f.h + 4
	}

	var parts []string
	for _, s := range p.placed {
		if s.number > 0 {
			parts = append(parts, p.number(float64(s.number))+" "+s.Label+" "+p.say(s.amount()))
		}
	}
	p.paragraph(strings.Join(parts, " · "), 6)
	parts = nil
	for _, s := range p.loose {
		if _, known := value(s.Value, s.Suppressed); known || s.Suppressed {
			parts = append(parts, s.Label+" "+p.say(s.amount()))
		}
	}
	for _, f := range p.lost {
		parts = append(parts, f.from+" → "+f.to+" "+p.say(f.amount()))
	}
	if len(parts) > 0 {
		p.paragraph(p.s.Texts.Unplaced+" – "+strings.Join(parts, " · "), 6)
	}
	p.paragraph(p.s.Texts.Disclaimer, 6)
	p.paragraph(p.s.Texts.Source, 4)
}

func (p *picture) paragraph(s string, lines int) {
	if s = draw.Clean(s); s == "" {
		return
	}
	for _, l := range draw.Wrap(s, 11, false, p.f.w, lines) {
		p.y += 15
		p.c.Text(0, p.y-3, l, draw.Style{Size: 11, Class: "mute"})
	}
	p.y += 3
}

// scaleSamples are two round values of at most hi: about the largest and a
// quarter of it.
func scaleSamples(hi float64) []float64 {
	p := math.Pow(10, math.Floor(math.Log10(hi)))
	big := p
	for _, m := range []float64{1, 2, 5} {
		if m*p <= hi*1.0001 {
			big = m * p
		}
	}
	if big < 4 {
		return []float64{big}
	}
	return []float64{big / 5, big}
}
