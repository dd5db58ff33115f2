package postgres

import (
	"context"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"dtm/store/relational"
)

// words keeps the words of a submission as a tsvector beside what else lists need.
type words struct{}

// longest is how many bytes of a word are kept: PostgreSQL takes no more than 2,046.
const longest = 1000

// split gives the words of a text, folded to small letters without accents.
func split(text string) []string {
	text = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFD.String(text))
	list := strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	for i, w := range list {
		for len(w) > longest {
			_, n := utf8.DecodeLastRuneInString(w)
			w = w[:len(w)-n]
		}
		list[i] = w
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func (words) Keep(_ func(string, ...any) error, _ int64, text string, _ bool, _ map[string]bool) (string, any, error) {
	return "words = array_to_tsvector(string_to_array(?, ' '))", strings.Join(split(text), " "), nil
}

// begun is from how many letters on a word is searched by its beginning, as in SQLite.
const begun = 4

// Find is the search for all of the words.
func (words) Find(_ context.Context, _ relational.Querier, list []string, _ bool) (from, by, condition string, arg any, err error) {
	var all []string
	for _, typed := range list {
		for _, w := range split(typed) {
			w = "'" + w + "'" // letters and digits only
			if utf8.RuneCountInString(typed) >= begun {
				w += ":*"
			}
			all = append(all, w)
		}
	}
	if len(all) == 0 {
		return "", "", "", nil, nil
	}
	return "", "", "x.words @@ CAST(? AS tsquery)", strings.Join(all, " & "), nil
}
