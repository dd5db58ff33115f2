package indicator

import (
	"fmt"
	"io/fs"
	"regexp"
	"strings"
	"sync"
)

var anyMarker = regexp.MustCompile(`/\*.*?\*/`)

// lintAll holds every text of the catalogue against the rules, once.
var lintAll = sync.OnceValue(func() error {
	files, err := fs.Glob(queries, "query/*.sql")
	if err != nil {
		return err
	}
	for _, f := range files {
		data, err := queries.ReadFile(f)
		if err != nil {
			return err
		}
		if faults := Lint(string(data)); len(faults) > 0 {
			return fmt.Errorf("%s is not of the subset that both databases read alike: %s", f, strings.Join(faults, ", "))
		}
	}
	return nil
})

// rules are what DuckDB and PostgreSQL read differently, or one of them not at
// all, and what a text shared over many operations may not do. A rule gives the
// places of a text that may break it and tells which of them do.
var rules = []struct {
	name   string
	place  *regexp.Regexp
	breaks func(body string, at []int) bool
}{
	{"division without a cast", regexp.MustCompile(`/\s*`), func(body string, at []int) bool {
		return !hasPrefix(body[at[1]:], "CAST(")
	}},
	{"sum or avg without a cast", regexp.MustCompile(`(?i)\b(?:sum|avg)\(`), func(body string, at []int) bool {
		return !strings.HasSuffix(strings.ToUpper(body[:at[0]]), "CAST(")
	}},
	{"order by without nulls", regexp.MustCompile(`(?i)order by[^\n)]*`), func(body string, at []int) bool {
		for key := range strings.SplitSeq(body[at[0]:at[1]], ",") {
			if !strings.Contains(strings.ToUpper(key), "NULLS ") {
				return true
			}
		}
		return false
	}},
	{"only one engine has it", regexp.MustCompile(`(?i)\b(?:to_char|qualify|group by all|exclude|date_part|strftime|unnest|list_\w+|string_split)\b|::`), always},
	{"a clock", regexp.MustCompile(`(?i)\bnow\(|current_date|current_timestamp|clock_timestamp`), always},
	{"something else than reading", regexp.MustCompile(`(?i)\b(?:insert|update|delete|create|drop|alter|copy|attach|pragma|set)\b`), always},
	{"all columns", regexp.MustCompile(`(?i)select\s+\*|\w\.\*`), always},
	{"more than one statement", regexp.MustCompile(`;`), always},
}

func always(string, []int) bool { return true }

func hasPrefix(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// Lint gives the faults of a text of the catalogue: what DuckDB and PostgreSQL would
// read differently, or what does more than read. New refuses a catalogue with any.
func Lint(text string) []string {
	body := comment.ReplaceAllString(text, "")
	body = anyMarker.ReplaceAllString(body, "")
	var out []string
	for _, r := range rules {
		for _, at := range r.place.FindAllStringIndex(body, -1) {
			if r.breaks(body, at) {
				out = append(out, r.name)
			}
		}
	}
	if !strings.Contains(body, "operation = $1") {
		out = append(out, "not filtered by operation")
	}
	return out
}
