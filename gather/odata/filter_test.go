package odata

import (
	"testing"
	"time"
)

func TestParseFilter(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"a eq 1":                         "(a eq 1)",
		"a eq 1 or b eq 2 and c eq 3":    "((a eq 1) or ((b eq 2) and (c eq 3)))",
		"not a eq 1 and b":               "(not ((a eq 1)) and b)",
		"a add 1 mul 2 gt -3":            "((a add (1 mul 2)) gt -3)",
		"contains(a/b, 'it''s')":         "contains(a/b,'it''s')",
		"a in ('x', 'y')":                "(a in ('x','y'))",
		"d lt 2026-01-31":                "(d lt 2026-01-31)",
		"d le 2026-01-31T08:00:00+03:00": "(d le 2026-01-31T08:00:00+03:00)",
		"a eq null or b ne true":         "((a eq null) or (b ne true))",
		"now() gt d":                     "(now() gt d)",
		"  ( ( a ) )  ":                  "a",
	} {
		e, err := parseFilter(text)
		if err != nil || e.String() != want {
			t.Errorf("%q is %v %v, want %q", text, e, err, want)
		}
	}
	for _, text := range []string{"", "a eq", "eq 1", "a eq 1 b", "a eq 'x", "a in 1", "a in (1", "contains(a)", "contains(a,b,c)", "now(1)", "a/", "1 2", "a eq 1)", "#", "2026-13-01 eq a"} {
		if e, err := parseFilter(text); err == nil {
			t.Errorf("%q is taken for %v", text, e)
		}
	}
}

func FuzzFilter(f *testing.F) {
	for _, s := range []string{"a eq 1 and not (b ne 'x''y') or contains(c/d,'e') and f in (1,2,null)", "date(a) le 2026-01-31 and hour(b) add 1 gt 2.5e3", "((((a))))", "-1 eq -2026-01-01T00:00:00Z"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e, err := parseFilter(s)
		if err != nil {
			return
		}
		once := e.String()
		again, err := parseFilter(once)
		if err != nil && len(once) <= maxFilter && !nests(e, 20) {
			t.Fatalf("%q was written as %q, which is refused: %v", s, once, err)
		}
		if err == nil && again.String() != once {
			t.Fatalf("%q, then %q", once, again.String())
		}
		e.evaluate(time.Unix(0, 0), func(e *expr) value { return value{kind: text, s: e.path[0]} })
	})
}

// nests tells whether an expression is deeper than n: written out it has brackets
// that it may not have had.
func nests(e *expr, n int) bool {
	if n == 0 {
		return true
	}
	for _, a := range e.args {
		if nests(a, n-1) {
			return true
		}
	}
	return false
}
