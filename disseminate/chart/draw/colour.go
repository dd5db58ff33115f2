package draw

import "math"

// Colours of charts and maps on white. Text colours keep a contrast of at least
// 4.5:1 and marks of at least 3:1 with the ground (WCAG 2.2, 1.4.3 and 1.4.11);
// a test computes it.
const (
	Ink     = "#1b2733" // text
	Deep    = "#0a0f14" // text on a coloured mark
	Mute    = "#52606d" // secondary text
	Rule    = "#d9dee3" // grid lines
	Axis    = "#6b7884" // the zero line
	Ground  = "#ffffff"
	Main    = "#134b73" // what matters
	Accent  = "#d55e00" // alarm or the present value (Okabe-Ito vermillion)
	Warm    = "#a84300" // accent as text
	Context = "#84919d" // the rest
	Band    = "#d3e0ea" // expected range
	Empty   = "#f1f3f5" // no observation
)

// Series are the colours of up to six categories, in order: dark and mid blue
// differ by lightness, the others are from Tol's and Okabe-Ito's colour-blind
// safe sets.
var Series = [...]string{Main, "#4a90bf", Accent, "#008f7f", "#9c79a4", "#63707c"}

// Sequence are the six steps from few to many. Every step carries dark or white
// text at 4.5:1 (OnSequence).
var Sequence = [...]string{"#eff4f8", "#d3e2ed", "#a6c8df", "#74aacf", "#20659a", "#0e3a5c"}

// OnSequence is the text colour for step i of Sequence.
func OnSequence(i int) string {
	if i >= 4 {
		return Ground
	}
	return Ink
}

// On is the text colour for a mark of the given colour.
func On(mark string) string {
	if Contrast(mark, Ground) >= 4.5 {
		return Ground
	}
	return Deep
}

// Step returns the step of Sequence for v in 0..top. Steps grow with the square
// root of v, since counts of movements are skewed.
func Step(v, top float64) int {
	if top <= 0 || v <= 0 {
		return 0
	}
	n := int(math.Ceil(math.Sqrt(v/top)*float64(len(Sequence)))) - 1
	return min(max(n, 0), len(Sequence)-1)
}

// Contrast is the WCAG contrast ratio, 1 to 21, of two colours written #rrggbb.
func Contrast(a, b string) float64 {
	la, lb := luminance(a), luminance(b)
	if la < lb {
		la, lb = lb, la
	}
	return (la + 0.05) / (lb + 0.05)
}

// luminance follows WCAG 2.2, "relative luminance".
func luminance(hex string) float64 {
	l := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		c := float64(digit(hex[1+2*i])*16+digit(hex[2+2*i])) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		l += weight * c
	}
	return l
}

func digit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	}
	return int(c-'A') + 10
}

// Stylesheet is what a page may add to its own style sheet: tabular figures, the
// mark under the pointer, and the colours of dark mode. Without it every drawing
// is complete, in its light colours.
const Stylesheet = `.dtm-svg{max-width:100%;height:auto;font-variant-numeric:tabular-nums}
.dtm-svg .mark:hover>*,.dtm-svg .mark.on>*{filter:brightness(1.15)}
@media (prefers-color-scheme:dark){` + dark + `}
`

// dark restates the classes for a dark ground (#10171e). The steps of Sequence
// turn round: on a dark page the many are the light ones.
const dark = `
.dtm-svg .ink{fill:#e8edf2}.dtm-svg .mute{fill:#a9b6c2}.dtm-svg .warm{fill:#ff9a56}
.dtm-svg .halo{stroke:#10171e}.dtm-svg .ground{fill:#10171e}.dtm-svg .edge{stroke:#10171e}
.dtm-svg .rule{stroke:#2c3843}.dtm-svg .axis{stroke:#8a97a3}.dtm-svg .empty{fill:#1a242e}.dtm-svg .band{fill:#23394b}
.dtm-svg .main,.dtm-svg .s1{fill:#6fb1de}.dtm-svg .s2{fill:#3a76a3}.dtm-svg .accent,.dtm-svg .s3{fill:#f08a3c}
.dtm-svg .s4{fill:#2fb8a6}.dtm-svg .s5{fill:#b79bbd}.dtm-svg .context,.dtm-svg .s6{fill:#8a97a3}
.dtm-svg .main-line,.dtm-svg .l1{stroke:#6fb1de}.dtm-svg .l2{stroke:#4f93c4}.dtm-svg .accent-line,.dtm-svg .l3{stroke:#f08a3c}
.dtm-svg .l4{stroke:#2fb8a6}.dtm-svg .l5{stroke:#b79bbd}.dtm-svg .context-line,.dtm-svg .l6{stroke:#8a97a3}
.dtm-svg .sea{fill:#15222d}.dtm-svg .land{fill:#212b34}.dtm-svg .region{fill:#33414d}.dtm-svg .border{stroke:#55636f}
.dtm-svg .q0{fill:#1a2a37}.dtm-svg .q1{fill:#1f3d53}.dtm-svg .q2{fill:#275775}.dtm-svg .q3{fill:#3a76a3}.dtm-svg .q4{fill:#6fb1de}.dtm-svg .q5{fill:#b5dcf5}
.dtm-svg .on-q0,.dtm-svg .on-q1,.dtm-svg .on-q2,.dtm-svg .on-q3{fill:#fff}.dtm-svg .on-q4,.dtm-svg .on-q5{fill:#0a0f14}.dtm-svg .ink-line{stroke:#e8edf2}
.dtm-svg .on-dark,.dtm-svg .on-light{fill:#0a0f14}.dtm-svg .s2~.on-light{fill:#fff}
.dtm-svg .hatch{stroke:#c3cdd6}.dtm-svg .hatch-ground{fill:#10171e}
`
