package sqlite

import (
	"context"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"dtm/store/relational"
)

// words keeps the words of submissions in an FTS5 index.
type words struct{}

// Keep also notes the words themselves, for searches by their beginning.
func (words) Keep(exec func(string, ...any) error, doc int64, text string, before bool, learnt map[string]bool) (string, any, error) {
	if before {
		if err := exec(`DELETE FROM submission_text WHERE rowid = $1`, doc); err != nil {
			return "", nil, err
		}
	}
	text = folded(text)
	err := exec(`
		INSERT INTO submission_text (rowid, words)
		VALUES ($1, $2)`, doc, text)
	for _, w := range strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		if err != nil || learnt[w] || utf8.RuneCountInString(w) < begun {
			continue
		}
		learnt[w] = true
		err = exec(`
			INSERT INTO reading_word (word)
			VALUES ($1)
			ON CONFLICT (word) DO NOTHING`, w)
	}
	return "", nil, err
}

// begun is from how many letters on a word is searched by its beginning. Shorter
// beginnings are of too many words.
const begun = 4

// folded is a text as words are searched: small letters without accents. The index's own
// folding leaves Arabic letters with a hamza as they are.
func folded(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFD.String(s))
}

// mostWords is how many words of one beginning are asked for each by itself.
const mostWords = 100

// begin lists the words that begin so; none when there are too many.
func begin(ctx context.Context, q relational.Querier, start string) ([]string, error) {
	rows, err := q.QueryContext(ctx, `
		SELECT word
		FROM reading_word
		WHERE word >= $1 AND word < $2
		LIMIT $3`, start, start+"\U0010ffff", mostWords+1)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []string
	for rows.Next() {
		var w string
		if err := rows.Scan(&w); err != nil {
			return nil, err
		}
		list = append(list, w)
	}
	if len(list) > mostWords {
		list = nil
	}
	return list, rows.Err()
}

// Find is the search in words: all of them, from four letters on by their beginning.
func (words) Find(ctx context.Context, q relational.Querier, list []string, walk bool) (from, by, condition string, arg any, err error) {
	match := make([]string, len(list))
	for i, typed := range list {
		w := folded(typed)
		match[i] = `"` + w + `"`
		if utf8.RuneCountInString(w) >= begun {
			known, err := begin(ctx, q, w)
			if err != nil {
				return "", "", "", nil, err
			}
			if match[i] += "*"; len(known) > 0 {
				match[i] = `"` + strings.Join(known, `" OR "`) + `"`
			}
		}
		if typed != w && strings.ContainsFunc(typed, func(r rune) bool { return unicode.Is(unicode.Arabic, r) }) {
			match[i] += ` OR "` + typed + `"*` // as it was indexed before it was folded
		}
		match[i] = "(" + match[i] + ")"
	}
	arg = strings.Join(match, " AND ")
	switch {
	case len(list) == 0:
		return "", "", "", nil, nil
	case walk: // submissions are numbered for it in their order
		return `submission_text t CROSS JOIN submission_reading x ON x.doc = t.rowid`, "t.rowid", "submission_text MATCH ?", arg, nil
	}
	return "", "", "x.doc IN (SELECT rowid FROM submission_text WHERE submission_text MATCH ?)", arg, nil
}
