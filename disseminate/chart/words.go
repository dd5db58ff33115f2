package chart

import "dtm"

// Words are the chart's own words in the reader's language.
type Words struct {
	Suppressed string // "<10"
	Withheld   string // legend: "fewer than 10, withheld"
	Missing    string // "no data"
	Total      string // "Total"
	NotZero    string // "The scale does not start at zero."
	Other      string // "others": what a narrow drawing leaves out
}

// spoken are the words used where Options.Words has none. The threshold of 10 is
// in them: an operation with another one gives its own.
var spoken = map[dtm.Lang]Words{
	dtm.English: {"<10", "fewer than 10, withheld", "no data", "Total", "The scale does not start at zero.", "others"},
	dtm.French:  {"<10", "moins de 10, non publié", "pas de données", "Total", "L’échelle ne commence pas à zéro.", "autres"},
	dtm.Arabic:  {"<10", "أقل من 10، محجوب", "لا توجد بيانات", "المجموع", "لا يبدأ المقياس من الصفر.", "أخرى"},
}

// or fills empty words from the language's, else from the English ones.
func (w Words) or(l dtm.Lang) Words {
	def, ok := spoken[l]
	if !ok {
		def = spoken[dtm.English]
	}
	for _, f := range []struct {
		word *string
		def  string
	}{
		{&w.Suppressed, def.Suppressed}, {&w.Withheld, def.Withheld}, {&w.Missing, def.Missing},
		{&w.Total, def.Total}, {&w.NotZero, def.NotZero}, {&w.Other, def.Other},
	} {
		if *f.word == "" {
			*f.word = f.def
		}
	}
	return w
}
