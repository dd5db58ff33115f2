package overview

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"dtm"
	"dtm/locale"
)

// Binder ties sentences to the figures that they say.
type Binder struct {
	Teller
	Month  dtm.Month   // that the sentences are about
	Tables []dtm.Table // guarded figures: what the sentences were made from, and splits of them
}

// Bound is a generated sentence with marks, {1}, {2}, in place of its figures. A writer
// may put other words around the marks; what they stand for is the release's.
type Bound struct {
	ID      string // "how_many/1"
	Lead    string // the question that it answers
	Text    string // as generated
	Base    string // the same, with marks
	Figures []BoundFigure

	of *binding
}

// BoundFigure is a figure in its place.
type BoundFigure struct {
	Mark  string // "{1}"
	Value string // "19 156", as it is published
	Name  string // "Movements observed · Obock"
}

// Kinds of findings about words.
const (
	Differs = "differs"  // a number that is no figure the sentence is about
	Kept    = "withheld" // a number for what guard withholds
	NoMark  = "mark"     // a mark that stands for no figure
)

// Finding is what is to be told to the writer of a sentence.
type Finding struct {
	Kind   string
	Number string // as it was typed
	Name   string // of the figure that it would have to be; "": of none
	Value  string // of that figure; "" when it is withheld
}

// binding is what the sentences of one set of indicators may say.
type binding struct {
	b     *Binder
	names []string // with digits in them
	list  []candidate
}

// candidate is a published figure.
type candidate struct {
	name     string
	value    string   // as it is published
	said     []string // the ways in which a text writes it, without signs and percent
	labels   []string // what it is of; all of them have to be named
	withheld bool
}

var mark = regexp.MustCompile(`\{(\d{1,2})\}`)

// Bind puts marks in place of the figures of a generated sentence. Years, and digits in
// names, are no figures.
func (b *Binder) Bind(id, lead, text string, indicators []string) Bound {
	of := &binding{b: b, names: digitNames(b.Op, b.Lang), list: b.candidates(indicators)}
	out := Bound{ID: id, Lead: lead, Text: text, of: of}
	var base strings.Builder
	last, used := 0, map[int]bool{}
	for _, at := range of.numbers(text) {
		n := text[at[0]:at[1]]
		f := BoundFigure{Mark: "{" + strconv.Itoa(len(out.Figures)+1) + "}", Value: n}
		if i := of.candidate(text, n, at[0], used); i >= 0 {
			f.Name, used[i] = of.list[i].name, true
		} else if len(of.list) > 0 {
			f.Name, _, _ = strings.Cut(of.list[0].name, " · ") // computed from its figures
		}
		out.Figures = append(out.Figures, f)
		base.WriteString(text[last:at[0]] + f.Mark)
		last = at[1]
	}
	out.Base = base.String() + text[last:]
	return out
}

// candidate is the figure that a number of a text most probably is, -1 for none: one that
// the text names, before those that it names too but that other numbers are already; of
// two equal ones that whose name stands nearer.
func (of *binding) candidate(text, n string, at int, used map[int]bool) int {
	best, least := -1, 0
	for i, c := range of.list {
		if !slices.Contains(c.said, n) {
			continue
		}
		const apart = 1 << 20 // farther than any text is long
		d, named := of.far(text, c.labels, at)
		if !named {
			d = 2 * apart
		} else if used[i] {
			d += apart
		}
		if best < 0 || d < least {
			best, least = i, d
		}
	}
	return best
}

// Carry puts words that were written around the figures of another sentence around those
// of this one: false when one of the figures is not in it. Figures are the same when they
// have the same name, in the order in which it occurs.
func (s Bound) Carry(from Bound, words string) (string, bool) {
	ordinal := func(list []BoundFigure, i int) (n int) {
		for _, f := range list[:i] {
			if f.Name == list[i].Name {
				n++
			}
		}
		return n
	}
	kept := true
	out := mark.ReplaceAllStringFunc(words, func(m string) string {
		i := slices.IndexFunc(from.Figures, func(f BoundFigure) bool { return f.Mark == m })
		if i < 0 {
			kept = false
			return m
		}
		for k, f := range s.Figures {
			if f.Name == from.Figures[i].Name && ordinal(s.Figures, k) == ordinal(from.Figures, i) {
				return f.Mark
			}
		}
		kept = false
		return m
	})
	return out, kept
}

// numbers are the places of the numbers in a text that are figures.
func (of *binding) numbers(text string) [][]int {
	var names [][2]int
	for _, n := range of.names {
		for from := 0; ; {
			i := strings.Index(text[from:], n)
			if i < 0 {
				break
			}
			names = append(names, [2]int{from + i, from + i + len(n)})
			from += i + len(n)
		}
	}
	years := map[string]bool{}
	for _, m := range []dtm.Month{of.b.Month, of.b.Month.Add(-1), of.b.Month.Add(-12)} {
		years[strconv.Itoa(m.Year)] = true
	}
	return slices.DeleteFunc(numeral.FindAllStringIndex(text, -1), func(at []int) bool {
		return years[text[at[0]:at[1]]] || slices.ContainsFunc(names, func(n [2]int) bool { return at[0] < n[1] && n[0] < at[1] })
	})
}

// candidates are the figures of the indicators in every split that is known, those that
// are not split first.
func (b *Binder) candidates(indicators []string) []candidate {
	var out []candidate
	for _, id := range indicators {
		for _, t := range b.Tables {
			if t.Indicator.ID != id {
				continue
			}
			for _, f := range t.Figures {
				c := candidate{name: t.Indicator.Name.In(b.Lang), value: b.Number(t, f), withheld: f.Suppressed && f.About == nil}
				for i, k := range f.Keys {
					if label := b.Label(t.By[i], k); label != "" {
						c.labels = append(c.labels, label)
					}
				}
				c.name = strings.Join(append([]string{c.name}, c.labels...), " · ")
				say := func(v float64, digits int) {
					c.said = append(c.said, numeral.FindAllString(locale.Number(b.Lang, math.Abs(v), digits), -1)...)
				}
				if v := f.Value; v != nil {
					say(t.Indicator.Round(*v), t.Indicator.Digits(*v))
					if t.Indicator.Unit == "percent" {
						say(dtm.Indicator{}.Round(*v), 0)
					}
					for _, n := range []*float64{f.Numerator, f.Denominator} {
						if n != nil {
							say(*n, 0)
						}
					}
				} else if f.About != nil {
					say(*f.About, 0)
				}
				out = append(out, c)
			}
		}
	}
	slices.SortStableFunc(out, func(x, y candidate) int { return len(x.labels) - len(y.labels) })
	return out
}

// named tells whether a text names all labels.
func (of *binding) named(text string, labels []string) bool {
	_, ok := of.far(text, labels, 0)
	return ok
}

// far is how far from a place of the text the farthest of the labels stands; not ok when
// one is not there.
func (of *binding) far(text string, labels []string, at int) (int, bool) {
	text = strings.ToLower(text)
	most := 0
	for _, label := range labels {
		d, ok := of.distance(text, strings.ToLower(label), at)
		if !ok {
			return 0, false
		}
		most = max(most, d)
	}
	return most, true
}

// distance is how far from a place a name stands as words of its own: men are not in
// Yemen. Arabic joins articles and particles to what they stand before.
func (of *binding) distance(text, name string, at int) (int, bool) {
	least, found := 0, false
	for from := 0; ; {
		i := strings.Index(text[from:], name)
		if i < 0 {
			return least, found
		}
		start, end := from+i, from+i+len(name)
		left, _ := utf8.DecodeLastRuneInString(text[:start])
		right, _ := utf8.DecodeRuneInString(text[end:])
		from = end
		if !of.b.Lang.RTL() && (unicode.IsLetter(left) || unicode.IsLetter(right)) {
			continue
		}
		d := max(start-at, at-end, 0)
		if !found || d < least {
			least, found = d, true
		}
	}
}

// Fill puts the figures in place of the marks. Unknown marks stay.
func (s Bound) Fill(words string) string {
	if s.of != nil {
		words = Typeset(s.of.b.Lang, words)
	}
	return mark.ReplaceAllStringFunc(words, func(m string) string {
		for _, f := range s.Figures {
			if f.Mark == m {
				return f.Value
			}
		}
		return m
	})
}

// Check reads the numbers of a writer's words: each has to be one of the sentence's
// figures, or the published figure, in a split of the sentence's indicators, of what the
// words name. Numbers written in letters are not read.
func (s Bound) Check(words string) []Finding {
	var out []Finding
	for _, m := range mark.FindAllString(words, -1) {
		if !slices.ContainsFunc(s.Figures, func(f BoundFigure) bool { return f.Mark == m }) {
			out = append(out, Finding{Kind: NoMark, Number: m})
		}
	}
	// What is typed is read as it would be printed.
	text := Typeset(s.of.b.Lang, mark.ReplaceAllString(words, "\x00"))
	for _, at := range s.of.numbers(text) {
		n := text[at[0]:at[1]]
		if slices.ContainsFunc(s.Figures, func(f BoundFigure) bool { return f.Value == n }) ||
			slices.ContainsFunc(s.of.list, func(c candidate) bool { return !c.withheld && slices.Contains(c.said, n) && s.of.named(text, c.labels) }) {
			continue
		}
		near, found := s.of.nearest(text, at[0])
		switch {
		case found && near.withheld:
			out = append(out, Finding{Kind: Kept, Number: n, Name: near.name})
		case found:
			out = append(out, Finding{Kind: Differs, Number: n, Name: near.name, Value: near.value})
		case len(s.Figures) > 0:
			f := s.lost(words)
			out = append(out, Finding{Kind: Differs, Number: n, Name: f.Name, Value: f.Value})
		default:
			out = append(out, Finding{Kind: Differs, Number: n})
		}
	}
	return out
}

// nearest is the figure of what the text names closest to a place, else one of the whole
// that is withheld.
func (of *binding) nearest(text string, at int) (candidate, bool) {
	var best candidate
	least, found := 0, false
	for _, c := range of.list {
		if len(c.labels) == 0 {
			continue
		}
		if d, ok := of.far(text, c.labels, at); ok && (!found || d < least) {
			best, least, found = c, d, true
		}
	}
	if !found {
		if i := slices.IndexFunc(of.list, func(c candidate) bool { return len(c.labels) == 0 && c.withheld }); i >= 0 {
			return of.list[i], true
		}
	}
	return best, found
}

// lost is the figure whose place a number probably took: the first of those whose mark
// the words have no more, else the first.
func (s Bound) lost(words string) BoundFigure {
	for _, f := range s.Figures {
		if !strings.Contains(words, f.Mark) {
			return f
		}
	}
	return s.Figures[0]
}

// Typeset is a writer's text as it is printed: of one line; in French with the space that
// does not break before high punctuation and percent, and between thousands.
func Typeset(l dtm.Lang, s string) string {
	s = strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case unicode.IsControl(r) && r != 0:
			return -1
		}
		return r
	}, s))
	for strings.Contains(s, "  ") {
		s = strings.ReplaceAll(s, "  ", " ")
	}
	if l != dtm.French {
		return s
	}
	s = thousands.ReplaceAllStringFunc(s, func(n string) string { return strings.NewReplacer(" ", "\u202f", "\u00a0", "\u202f").Replace(n) })
	s = strings.NewReplacer("« ", "«\u202f", " »", "\u202f»", "«\u00a0", "«\u202f", "\u00a0»", "\u202f»").Replace(s)
	return high.ReplaceAllString(s, "\u202f$1")
}

var (
	thousands = regexp.MustCompile(`\b\d{1,3}(?:[ \x{a0}]\d{3})+\b`)
	high      = regexp.MustCompile(`[ \x{a0}]([;:!?%])`)
)
