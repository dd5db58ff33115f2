package odata

import (
	"cmp"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

type valueKind uint8

const (
	null valueKind = iota
	text
	num
	boolean
	date    // a civil day
	instant // a moment
)

// value is what a part of an expression comes to.
type value struct {
	kind valueKind
	s    string
	f    float64
	b    bool
	t    time.Time
}

func (v value) String() string {
	switch v.kind {
	case text:
		return "'" + strings.ReplaceAll(v.s, "'", "''") + "'"
	case num:
		return strconv.FormatFloat(v.f, 'f', -1, 64)
	case boolean:
		return strconv.FormatBool(v.b)
	case date:
		return v.t.Format(time.DateOnly)
	case instant:
		return v.t.Format("2006-01-02T15:04:05.999999999Z07:00")
	}
	return "null"
}

// true tells whether a condition holds; null does not.
func (v value) true() bool { return v.kind == boolean && v.b }

// typed reads an answer by the type of its question.
func typed(n *node, s []byte) value {
	if s == nil {
		return value{}
	}
	str := string(s)
	switch n.field.Type {
	case "int", "decimal":
		if f, err := strconv.ParseFloat(str, 64); err == nil && !math.IsNaN(f) {
			return value{kind: num, f: f}
		}
	case "date", "dateTime":
		if v, ok := timeValue(str); ok {
			return v
		}
	case "boolean":
		if b, err := strconv.ParseBool(str); err == nil {
			return value{kind: boolean, b: b}
		}
	}
	return value{kind: text, s: str}
}

// compare orders two values; ok is false when they cannot be compared. Nothing is
// less than everything, so that a sorted column begins with its gaps.
func compare(a, b value) (c int, ok bool) {
	if a.kind == null || b.kind == null {
		return cmp.Compare(min(a.kind, 1), min(b.kind, 1)), a.kind == b.kind
	}
	if a.kind != b.kind {
		a, b = alike(a, b)
	}
	if a.kind != b.kind {
		return cmp.Compare(a.kind, b.kind), false
	}
	switch a.kind {
	case num:
		return cmp.Compare(a.f, b.f), true
	case boolean:
		switch {
		case a.b == b.b:
			return 0, true
		case a.b:
			return 1, true
		}
		return -1, true
	case date, instant:
		return a.t.Compare(b.t), true
	}
	return cmp.Compare(a.s, b.s), true
}

// alike makes two values of one kind where that is meant: a day is its first
// moment, a text that holds a number or a date is one.
func alike(a, b value) (value, value) {
	switch {
	case a.kind == date && b.kind == instant:
		a.kind = instant
	case a.kind == instant && b.kind == date:
		b.kind = instant
	case a.kind == text:
		a = read(a.s, b.kind, a)
	case b.kind == text:
		b = read(b.s, a.kind, b)
	}
	if a.kind == date && b.kind == instant || a.kind == instant && b.kind == date {
		a.kind, b.kind = instant, instant
	}
	return a, b
}

func read(s string, as valueKind, otherwise value) value {
	switch as {
	case num:
		if f, err := strconv.ParseFloat(strings.TrimSpace(s), 64); err == nil && !math.IsNaN(f) {
			return value{kind: num, f: f}
		}
	case date, instant:
		if v, ok := timeValue(s); ok {
			return v
		}
	case boolean:
		if b, err := strconv.ParseBool(s); err == nil {
			return value{kind: boolean, b: b}
		}
	}
	return otherwise
}

// evaluate computes an expression for a row. What cannot be computed is null.
func (e *expr) evaluate(now time.Time, get func(*expr) value) value {
	arg := func(i int) value { return e.args[i].evaluate(now, get) }
	truth := func(b bool) value { return value{kind: boolean, b: b} }
	switch e.op {
	case "value":
		return e.val
	case "path":
		return get(e)
	case "and":
		return truth(arg(0).true() && arg(1).true())
	case "or":
		return truth(arg(0).true() || arg(1).true())
	case "not":
		return truth(!arg(0).true())
	case "in":
		a := arg(0)
		for i := range e.args[1:] {
			if c, ok := compare(a, arg(i+1)); ok && c == 0 {
				return truth(true)
			}
		}
		return truth(false)
	case "eq", "ne", "gt", "ge", "lt", "le":
		a, b := arg(0), arg(1)
		c, ok := compare(a, b)
		if a.kind == null || b.kind == null { // only eq and ne know of null
			return truth(e.op == "eq" && ok || e.op == "ne" && !ok)
		}
		switch e.op {
		case "eq":
			return truth(ok && c == 0)
		case "ne":
			return truth(!ok || c != 0)
		case "gt":
			return truth(ok && c > 0)
		case "ge":
			return truth(ok && c >= 0)
		case "lt":
			return truth(ok && c < 0)
		}
		return truth(ok && c <= 0)
	case "add", "sub", "mul", "div", "mod":
		a, b := read2(arg(0)), read2(arg(1))
		if a.kind != num || b.kind != num {
			return value{}
		}
		f := map[string]func() float64{"add": func() float64 { return a.f + b.f }, "sub": func() float64 { return a.f - b.f }, "mul": func() float64 { return a.f * b.f },
			"div": func() float64 { return a.f / b.f }, "mod": func() float64 { return math.Mod(a.f, b.f) }}[e.op]()
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return value{}
		}
		return value{kind: num, f: f}
	case "now":
		return value{kind: instant, t: now}
	}
	return e.call(arg)
}

func read2(v value) value {
	if v.kind == text {
		return read(v.s, num, value{})
	}
	return v
}

// call computes a function.
func (e *expr) call(arg func(int) value) value {
	a := arg(0)
	if a.kind == null {
		if len(e.args) == 2 && (e.op == "contains" || e.op == "startswith" || e.op == "endswith") {
			return value{kind: boolean}
		}
		return value{}
	}
	str := func(v value) string {
		if v.kind == text {
			return v.s
		}
		return strings.Trim(v.String(), "'")
	}
	switch e.op {
	case "contains", "startswith", "endswith":
		f := map[string]func(string, string) bool{"contains": strings.Contains, "startswith": strings.HasPrefix, "endswith": strings.HasSuffix}[e.op]
		b := arg(1)
		return value{kind: boolean, b: b.kind != null && f(str(a), str(b))}
	case "indexof":
		i := strings.Index(str(a), str(arg(1)))
		if i > 0 {
			i = utf8.RuneCountInString(str(a)[:i])
		}
		return value{kind: num, f: float64(i)}
	case "concat":
		return value{kind: text, s: str(a) + str(arg(1))}
	case "tolower":
		return value{kind: text, s: strings.ToLower(str(a))}
	case "toupper":
		return value{kind: text, s: strings.ToUpper(str(a))}
	case "trim":
		return value{kind: text, s: strings.TrimSpace(str(a))}
	case "length":
		return value{kind: num, f: float64(utf8.RuneCountInString(str(a)))}
	case "round", "floor", "ceiling":
		a = read2(a)
		if a.kind != num {
			return value{}
		}
		return value{kind: num, f: map[string]func(float64) float64{"round": math.Round, "floor": math.Floor, "ceiling": math.Ceil}[e.op](a.f)}
	}
	if a.kind == text {
		a = read(a.s, instant, a)
	}
	if a.kind != date && a.kind != instant {
		return value{}
	}
	n := 0
	switch e.op {
	case "date":
		y, m, d := a.t.Date()
		return value{kind: date, t: time.Date(y, m, d, 0, 0, 0, 0, time.UTC)}
	case "year":
		n = a.t.Year()
	case "month":
		n = int(a.t.Month())
	case "day":
		n = a.t.Day()
	case "hour":
		n = a.t.Hour()
	case "minute":
		n = a.t.Minute()
	case "second":
		n = a.t.Second()
	}
	return value{kind: num, f: float64(n)}
}
