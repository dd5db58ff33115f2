package draw

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Width is the width in pixels of s set in Inter (Arabic: Noto Sans Arabic) at
// size pixels, in semi-bold when bold. Digits count as the widest digit, as
// tabular figures do, so the result is never below the drawn width by more than
// kerning; characters outside the table count generously.
func Width(s string, size float64, bold bool) float64 {
	w := 0
	before := false // the letter before joins this one
	for i, r := range s {
		if forms, ok := letter(r); ok {
			after := false // the letter after is joined
			if forms[2] > 0 {
				for _, n := range s[i+utf8.RuneLen(r):] {
					if unicode.Is(unicode.Mn, n) {
						continue
					}
					next, ok := letter(n)
					after = ok && next[1] > 0
					break
				}
			}
			form := int(forms[2*bit(after)+bit(before)])
			if bold {
				form = form * 108 / 100
			}
			w += form
			before = forms[2] > 0
			continue
		}
		if !unicode.Is(unicode.Mn, r) {
			before = false
		}
		w += advance(r, bold)
	}
	return float64(w) * size / 1000
}

// letter gives the widths of an Arabic letter's forms: alone, final, initial,
// medial.
func letter(r rune) ([4]int16, bool) {
	if r < 0x621 || r > 0x64a || arabicForms[r-0x621][0] == 0 {
		return [4]int16{}, false
	}
	return arabicForms[r-0x621], true
}

func advance(r rune, bold bool) int {
	latin, punct := &regularLatin, &regularPunct
	digit := 646
	if bold {
		latin, punct, digit = &semiLatin, &semiPunct, 672
	}
	w := -1
	switch {
	case r >= '0' && r <= '9':
		return digit
	case r >= 0x20 && r <= 0x24f:
		w = int(latin[r-0x20])
	case r >= 0x2010 && r <= 0x2044:
		w = int(punct[r-0x2010])
	case r >= 0x600 && r <= 0x6ff:
		w = int(arabic[r-0x600])
		if bold {
			w = w * 108 / 100
		}
	case r == 0x2190 || r == 0x2192:
		return 954
	case r == 0x2212 || r == 0x2264 || r == 0x2265:
		return 673
	}
	switch {
	case unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Cf, r):
		return 0
	case w > 0:
		return w
	case unicode.Is(unicode.Space, r):
		return 300
	case r >= 0x1200 && r <= 0x139f, unicode.Is(unicode.Latin, r), unicode.Is(unicode.Cyrillic, r), unicode.Is(unicode.Greek, r):
		return 820
	default:
		return 1100 // ideographs, emoji, whatever a label may hold
	}
}

// Fit returns s when it is at most max pixels wide, else its beginning with an
// ellipsis. What does not even leave room for the ellipsis gives "".
func Fit(s string, size float64, bold bool, max float64) string {
	if Width(s, size, bold) <= max {
		return s
	}
	room := max - Width("…", size, bold)
	if room < 0 {
		return ""
	}
	w, cut := 0.0, 0
	for i, r := range s {
		w += float64(advance(r, bold)) * size / 1000
		if w > room {
			break
		}
		cut = i + utf8.RuneLen(r)
	}
	for cut > 0 { // a letter at the end may be wider than in the middle of a word
		head := strings.TrimRightFunc(s[:cut], unicode.IsSpace) + "…"
		if Width(head, size, bold) <= max {
			return head
		}
		_, n := utf8.DecodeLastRuneInString(s[:cut])
		cut -= n
	}
	return "…"
}

// Wrap breaks s at spaces into at most lines lines of at most max pixels; a word
// that is too long for a line is broken, and what does not fit ends in an
// ellipsis. No-break spaces do not break. The result is never empty.
func Wrap(s string, size float64, bold bool, max float64, lines int) []string {
	words := strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == '\t' || r == '\n' || r == '\r' })
	var out []string
	line := ""
	for i, w := range words {
		next := w
		if line != "" {
			next = line + " " + w
		}
		if Width(next, size, bold) <= max {
			line = next
			continue
		}
		if len(out) == lines-1 { // the last line takes the rest, cut
			if line != "" {
				next = line + " " + strings.Join(words[i:], " ")
			} else {
				next = strings.Join(words[i:], " ")
			}
			return append(out, Fit(next, size, bold, max))
		}
		if line != "" {
			out = append(out, line)
		}
		line = w
		if Width(w, size, bold) > max {
			line = Fit(w, size, bold, max)
			if len(out) < lines-1 {
				out, line = append(out, line), ""
			}
		}
	}
	if line != "" || len(out) == 0 {
		out = append(out, line)
	}
	if len(out) > lines {
		out = out[:lines]
	}
	return out
}

// Widest is the width of the widest string.
func Widest(list []string, size float64, bold bool) float64 {
	w := 0.0
	for _, s := range list {
		w = max(w, Width(s, size, bold))
	}
	return w
}
