// Package locale says things in the reader's language: message keys, numbers,
// months and errors come in, prose in English, French or Arabic goes out.
//
// The catalogues are message/LANG.json: a key with a text, or with the plural
// forms that the language has (CLDR), chosen by the first argument that is a number. {0}, {1} stand
// for the arguments, {0:de} for one after the French de; numbers are written as
// the language does.
package locale

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/number"

	"dtm"
)

//go:embed message/*.json
var files embed.FS

// Languages are those with a catalogue.
var Languages = []dtm.Lang{dtm.English, dtm.French, dtm.Arabic}

// Pseudo is no reader's language: every message is the English one between ‹ and ›, so
// that a test of a page or a report finds what does not come from the catalogue.
const Pseudo dtm.Lang = "qps"

type entry map[string]string // plural form -> text; "other" alone without forms

var catalogues = read()

// Digits are Latin in Arabic too, as in the charts: one figure looks the same in
// every language.
var tags = map[dtm.Lang]language.Tag{dtm.English: language.BritishEnglish, dtm.French: language.French, dtm.Arabic: language.MustParse("ar-u-nu-latn"), Pseudo: language.BritishEnglish}

var printers = map[dtm.Lang]*message.Printer{}

func init() {
	for l, t := range tags {
		printers[l] = message.NewPrinter(t)
	}
}

func read() map[dtm.Lang]map[string]entry {
	out := map[dtm.Lang]map[string]entry{}
	for _, l := range Languages {
		b, err := files.ReadFile("message/" + string(l) + ".json")
		if err != nil {
			panic(err)
		}
		var raw map[string]any
		if err := json.Unmarshal(b, &raw); err != nil {
			panic(fmt.Errorf("message/%s.json: %w", l, err))
		}
		out[l] = map[string]entry{}
		for k, v := range raw {
			switch v := v.(type) {
			case string:
				out[l][k] = entry{"other": v}
			case map[string]any:
				e := entry{}
				for form, text := range v {
					e[form], _ = text.(string)
				}
				out[l][k] = e
			}
		}
	}
	out[Pseudo] = map[string]entry{}
	for k, e := range out[dtm.English] {
		marked := entry{}
		for form, text := range e {
			marked[form] = "‹" + text + "›"
		}
		out[Pseudo][k] = marked
	}
	return out
}

// Known returns l when there is a catalogue for it, else English.
func Known(l dtm.Lang) dtm.Lang {
	if _, ok := catalogues[l]; ok {
		return l
	}
	return dtm.English
}

// Match picks the best of the offered languages for an Accept-Language header.
func Match(header string, offered []dtm.Lang) dtm.Lang {
	var list []language.Tag
	for _, l := range offered {
		list = append(list, language.Make(string(l)))
	}
	if len(list) == 0 {
		return dtm.English
	}
	wanted, _, err := language.ParseAcceptLanguage(header)
	if err != nil || len(wanted) == 0 {
		return offered[0]
	}
	_, i, _ := language.NewMatcher(list).Match(wanted...)
	return offered[i]
}

// Say gives the message of key in l with its arguments; the key itself when there
// is none, which a test keeps from happening.
func Say(l dtm.Lang, key string, args ...any) string {
	l = Known(l)
	e, ok := catalogues[l][key]
	if !ok {
		return key
	}
	text := e["other"]
	if len(e) > 1 {
		for _, a := range args {
			if n, isNumber := float(a); isNumber {
				if t, has := e[form(l, n)]; has {
					text = t
				}
				break
			}
		}
	}
	return hole.ReplaceAllStringFunc(text, func(h string) string {
		part := hole.FindStringSubmatch(h)
		i, err := strconv.Atoi(part[1])
		if err != nil || i >= len(args) {
			return h
		}
		s := ""
		switch a := args[i].(type) {
		case dtm.Word:
			s = Say(l, string(a))
		case dtm.At:
			s = Place(l, string(a))
		default:
			if n, isNumber := float(a); isNumber {
				s = Number(l, n, -1)
			} else {
				s = fmt.Sprint(a)
			}
		}
		return elided(part[2], s)
	})
}

// List puts items one after the other, with the comma of l between them.
func List(l dtm.Lang, items ...string) string {
	return strings.Join(items, Say(l, "word.comma")+" ")
}

// counted are parts of places that are counted, as the Where of errors names them.
var counted = regexp.MustCompile(`\b(character|column|feature|line) (\d+)`)

// Place says the Where of an error: names of files, sheets, cells and elements stay as
// they are.
func Place(l dtm.Lang, where string) string {
	return counted.ReplaceAllStringFunc(where, func(s string) string {
		what, n, _ := strings.Cut(s, " ")
		return Say(l, "place."+what, n)
	})
}

// hole is where an argument goes: {0}, or in French {0:de}, {0:De}.
var hole = regexp.MustCompile(`\{(\d+)(?::([Dd]e))?\}`)

// elided puts the French de before s, d’ before a vowel.
func elided(de, s string) string {
	if de == "" {
		return s
	}
	if r, _ := utf8.DecodeRuneInString(s); strings.ContainsRune("aàâeéèêiîoôuAÀÂEÉÈÊIÎOÔU", r) {
		return de[:1] + "’" + s
	}
	return de + " " + s
}

// Has tells whether the key is in the catalogues.
func Has(key string) bool { _, ok := catalogues[dtm.English][key]; return ok }

func float(a any) (float64, bool) {
	switch n := a.(type) {
	case int:
		return float64(n), true
	case int64:
		return float64(n), true
	case float64:
		return n, true
	}
	return 0, false
}

var forms = map[plural.Form]string{plural.Zero: "zero", plural.One: "one", plural.Two: "two", plural.Few: "few", plural.Many: "many", plural.Other: "other"}

func form(l dtm.Lang, n float64) string {
	i := int(math.Abs(n))
	if float64(i) != math.Abs(n) {
		return "other"
	}
	if i >= 1_000_000 { // the rules look at the last six digits, and whether there are more
		i = 1_000_000 + i%1_000_000
	}
	return forms[plural.Cardinal.MatchPlural(tags[l], i, 0, 0, 0, 0)]
}

// Number writes v with that many decimals; -1: as many as it needs, two at most.
func Number(l dtm.Lang, v float64, decimals int) string {
	l = Known(l)
	o := []number.Option{number.MaxFractionDigits(2)}
	if decimals >= 0 {
		o = []number.Option{number.MaxFractionDigits(decimals), number.MinFractionDigits(decimals)}
	}
	s := printers[l].Sprint(number.Decimal(v, o...))
	if l == dtm.French {
		// One kind of space between thousands, whatever the release of CLDR.
		s = strings.ReplaceAll(s, "\u00a0", "\u202f")
	}
	return s
}

// Percent writes a percentage, 12.5 as "12.5%" or "12,5 %".
func Percent(l dtm.Lang, v float64, decimals int) string {
	n := Number(l, v, decimals)
	switch Known(l) {
	case dtm.French:
		return n + "\u202f%"
	case dtm.Arabic:
		return n + "%"
	}
	return n + "%"
}

var months = map[dtm.Lang][]string{
	dtm.English: {"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"},
	dtm.French:  {"janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"},
	dtm.Arabic:  {"يناير", "فبراير", "مارس", "أبريل", "مايو", "يونيو", "يوليو", "أغسطس", "سبتمبر", "أكتوبر", "نوفمبر", "ديسمبر"},
}

var shortMonths = map[dtm.Lang][]string{
	dtm.English: {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"},
	dtm.French:  {"janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."},
	dtm.Arabic:  months[dtm.Arabic],
}

func init() {
	for _, names := range []map[dtm.Lang][]string{months, shortMonths} {
		for _, m := range names[dtm.English] {
			names[Pseudo] = append(names[Pseudo], "‹"+m+"›")
		}
	}
}

// Month writes "December 2022".
func Month(l dtm.Lang, m dtm.Month) string {
	return months[Known(l)][int(m.Month)-1] + " " + strconv.Itoa(m.Year)
}

// ShortMonth writes "Dec".
func ShortMonth(l dtm.Lang, m dtm.Month) string { return shortMonths[Known(l)][int(m.Month)-1] }

// Date writes "1 November 2026", "1er novembre 2026".
func Date(l dtm.Lang, t time.Time) string {
	day := strconv.Itoa(t.Day())
	if Known(l) == dtm.French && t.Day() == 1 {
		day = "1er"
	}
	return day + " " + Month(l, dtm.MonthOf(t))
}

// Period writes a month, a span of months or of days.
func Period(l dtm.Lang, p dtm.Period) string {
	last := p.To.AddDate(0, 0, -1)
	if !p.WholeMonths() {
		if last.Equal(p.From) {
			return Date(l, last)
		}
		return Say(l, "period.span", Date(l, p.From), Date(l, last))
	}
	a, b := dtm.MonthOf(p.From), dtm.MonthOf(last)
	if a == b {
		return Month(l, a)
	}
	if a.Year == b.Year {
		return Say(l, "period.span", months[Known(l)][int(a.Month)-1], Month(l, b))
	}
	return Say(l, "period.span", Month(l, a), Month(l, b))
}

// Error says an error to a user in their language: the catalogue's text for its
// code, else its own English, else that something went wrong.
func Error(l dtm.Lang, err error) string {
	var e *dtm.Error
	if !errors.As(err, &e) || e.Kind == dtm.Internal {
		return Say(l, "error.internal")
	}
	text := ""
	if e.Code != "" && Has("error."+e.Code) {
		text = Say(l, "error."+e.Code, e.Args...)
	} else {
		text = e.Msg
	}
	if e.Where != "" && e.Where != text {
		return Place(l, e.Where) + Say(l, "word.colon") + " " + text
	}
	return text
}

// Keys lists the keys of a catalogue, for tests and translators.
func Keys(l dtm.Lang) []string {
	var out []string
	for k := range catalogues[l] {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}
