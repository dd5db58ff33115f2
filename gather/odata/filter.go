package odata

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"dtm"
)

// expr is a part of $filter or $orderby (OData 4.01, URL conventions, 5.1.1): an
// operator or function with its parts, a path or a value.
type expr struct {
	op   string // "eq", "and", "contains", "path", "value" ...
	args []*expr
	path []string // of "path": names without slashes
	val  value    // of "value"
	at   int      // place in the text, from 1
	node *node    // of "path", once bound: a question
	sys  string   // of "path", once bound: a column of the program
}

// Bounds of a filter: nobody writes more by hand.
const (
	maxFilter = 8192
	maxNested = 60
	maxParts  = 500
)

var comparisons = []string{"eq", "ne", "gt", "ge", "lt", "le"}

// functions with the number of arguments they take.
var functions = map[string]int{
	"contains": 2, "startswith": 2, "endswith": 2, "tolower": 1, "toupper": 1, "trim": 1, "length": 1, "concat": 2, "indexof": 2,
	"year": 1, "month": 1, "day": 1, "hour": 1, "minute": 1, "second": 1, "date": 1, "now": 0, "round": 1, "floor": 1, "ceiling": 1,
}

type parser struct {
	text  string
	pos   int
	deep  int
	parts int
}

// parseFilter reads a $filter. Its error is Invalid and names the place.
func parseFilter(text string) (*expr, error) {
	p := &parser{text: text}
	if len(text) > maxFilter {
		return nil, p.bad("$filter is longer than %d characters", maxFilter)
	}
	e, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.skip(); p.pos < len(p.text) {
		return nil, p.bad("$filter: %q is left over", p.rest())
	}
	return e, nil
}

func (p *parser) bad(format string, a ...any) error {
	return dtm.Errorf(dtm.Invalid, format, a...).At("character " + strconv.Itoa(utf8.RuneCountInString(p.text[:min(p.pos, len(p.text))])+1)).Coded("odata.filter")
}

func (p *parser) rest() string {
	r := []rune(p.text[p.pos:])
	return string(r[:min(len(r), 20)])
}

func (p *parser) skip() {
	for p.pos < len(p.text) && (p.text[p.pos] == ' ' || p.text[p.pos] == '\t' || p.text[p.pos] == '\n' || p.text[p.pos] == '\r') {
		p.pos++
	}
}

// word looks at the next name without taking it.
func (p *parser) word() string {
	p.skip()
	i := p.pos
	for i < len(p.text) {
		r, n := utf8.DecodeRuneInString(p.text[i:])
		if !(r == '_' || r == '$' || r == '.' || r == '@' || unicode.IsLetter(r) || unicode.IsDigit(r)) {
			break
		}
		i += n
	}
	return p.text[p.pos:i]
}

// take takes the next word when it is one of those, blanks around it.
func (p *parser) take(words ...string) (string, bool) {
	w := p.word()
	for _, x := range words {
		if w == x {
			p.pos += len(w)
			return w, true
		}
	}
	return "", false
}

func (p *parser) sign(c byte) bool {
	if p.skip(); p.pos < len(p.text) && p.text[p.pos] == c {
		p.pos++
		return true
	}
	return false
}

// made counts the parts of an expression, so that none grows without end.
func (p *parser) made(e *expr) (*expr, error) {
	if p.parts++; p.parts > maxParts {
		return nil, p.bad("$filter has more than %d parts", maxParts)
	}
	return e, nil
}

func (p *parser) binary(next func() (*expr, error), words ...string) (*expr, error) {
	left, err := next()
	for err == nil {
		p.skip()
		at := p.pos + 1
		op, ok := p.take(words...)
		if !ok {
			return left, nil
		}
		var right *expr
		if right, err = next(); err == nil {
			left, err = p.made(&expr{op: op, args: []*expr{left, right}, at: at})
		}
	}
	return nil, err
}

func (p *parser) or() (*expr, error) {
	if p.deep++; p.deep > maxNested {
		return nil, p.bad("$filter has more than %d brackets in one another", maxNested)
	}
	defer func() { p.deep-- }()
	return p.binary(func() (*expr, error) { return p.binary(p.comparison, "and") }, "or")
}

func (p *parser) comparison() (*expr, error) {
	left, err := p.sum()
	if err != nil {
		return nil, err
	}
	p.skip()
	at := p.pos + 1
	if op, ok := p.take(comparisons...); ok {
		right, err := p.sum()
		if err != nil {
			return nil, err
		}
		return p.made(&expr{op: op, args: []*expr{left, right}, at: at})
	}
	if _, ok := p.take("in"); ok {
		if !p.sign('(') {
			return nil, p.bad("after in stands a list in brackets, ('a','b')")
		}
		e := &expr{op: "in", args: []*expr{left}, at: at}
		for {
			v, err := p.sum()
			if err != nil {
				return nil, err
			}
			if e.args = append(e.args, v); len(e.args) > maxParts {
				return nil, p.bad("$filter has more than %d parts", maxParts)
			}
			if p.sign(')') {
				return p.made(e)
			}
			if !p.sign(',') {
				return nil, p.bad("the list after in is not closed by a bracket")
			}
		}
	}
	return left, nil
}

func (p *parser) sum() (*expr, error) {
	return p.binary(func() (*expr, error) { return p.binary(p.unary, "mul", "div", "mod") }, "add", "sub")
}

func (p *parser) unary() (*expr, error) {
	p.skip()
	at := p.pos + 1
	if p.deep++; p.deep > maxNested {
		return nil, p.bad("$filter has more than %d brackets in one another", maxNested)
	}
	defer func() { p.deep-- }()
	if _, ok := p.take("not"); ok {
		a, err := p.comparison()
		if err != nil {
			return nil, err
		}
		return p.made(&expr{op: "not", args: []*expr{a}, at: at})
	}
	return p.primary()
}

func (p *parser) primary() (*expr, error) {
	p.skip()
	at := p.pos + 1
	if p.pos >= len(p.text) {
		return nil, p.bad("$filter ends where a name or a value should stand")
	}
	switch c := p.text[p.pos]; {
	case c == '(':
		p.pos++
		e, err := p.or()
		if err != nil {
			return nil, err
		}
		if !p.sign(')') {
			return nil, p.bad("a bracket is not closed")
		}
		return e, nil
	case c == '\'':
		s, err := p.quoted()
		if err != nil {
			return nil, err
		}
		return p.made(&expr{op: "value", val: value{kind: text, s: s}, at: at})
	case c == '-' || c >= '0' && c <= '9':
		v, err := p.literal()
		if err != nil {
			return nil, err
		}
		return p.made(&expr{op: "value", val: v, at: at})
	}
	w := p.word()
	if w == "" {
		return nil, p.bad("%q cannot stand here", p.rest())
	}
	p.pos += len(w)
	if n, ok := functions[w]; ok && p.sign('(') {
		e := &expr{op: w, at: at}
		for !p.sign(')') {
			if len(e.args) > 0 && !p.sign(',') {
				return nil, p.bad("%s() is not closed by a bracket", w)
			}
			a, err := p.or()
			if err != nil {
				return nil, err
			}
			if e.args = append(e.args, a); len(e.args) > n {
				break
			}
		}
		if len(e.args) != n {
			return nil, p.bad("%s() takes %d values", w, n)
		}
		return p.made(e)
	}
	switch w {
	case "null":
		return p.made(&expr{op: "value", at: at})
	case "true", "false":
		return p.made(&expr{op: "value", val: value{kind: boolean, b: w == "true"}, at: at})
	}
	e := &expr{op: "path", path: []string{w}, at: at}
	for p.pos < len(p.text) && p.text[p.pos] == '/' {
		p.pos++
		w := p.word()
		if w == "" || len(e.path) > maxNested {
			return nil, p.bad("a path ends in /")
		}
		p.pos += len(w)
		e.path = append(e.path, w)
	}
	if p.pos < len(p.text) && p.text[p.pos] == '(' {
		return nil, dtm.Errorf(dtm.Unsupported, "there is no function %s()", w).Coded("odata.function", w)
	}
	return p.made(e)
}

// quoted reads 'a text with ” doubled'.
func (p *parser) quoted() (string, error) {
	var b strings.Builder
	for p.pos++; p.pos < len(p.text); p.pos++ {
		if p.text[p.pos] != '\'' {
			b.WriteByte(p.text[p.pos])
			continue
		}
		if p.pos+1 < len(p.text) && p.text[p.pos+1] == '\'' {
			b.WriteByte('\'')
			p.pos++
			continue
		}
		p.pos++
		return b.String(), nil
	}
	return "", p.bad("a quotation mark is not closed")
}

// literal reads a number, a date, a time or both.
func (p *parser) literal() (value, error) {
	i := p.pos + 1
	for i < len(p.text) && strings.IndexByte("0123456789.:+-TZeE", p.text[i]) >= 0 {
		i++
	}
	s := p.text[p.pos:i]
	v, ok := timeValue(s)
	if !ok {
		f, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return value{}, p.bad("%q is neither a number nor a date; dates are written 2026-01-31 or 2026-01-31T08:00:00Z, texts in quotation marks", s)
		}
		v = value{kind: num, f: f}
	}
	p.pos = i
	return v, nil
}

// timeValue reads a date, a time of day or a time stamp.
func timeValue(s string) (value, bool) {
	if t, err := time.Parse(time.DateOnly, s); err == nil && len(s) == 10 {
		return value{kind: date, t: t}, true
	}
	if len(s) > 10 && s[10] == 'T' {
		if t, ok := moment(s); ok {
			return value{kind: instant, t: t}, true
		}
	}
	return value{}, false
}

// String writes the expression as parseFilter reads it.
func (e *expr) String() string {
	switch e.op {
	case "path":
		return strings.Join(e.path, "/")
	case "value":
		return e.val.String()
	case "not":
		return "not (" + e.args[0].String() + ")"
	case "in":
		list := make([]string, len(e.args)-1)
		for i, a := range e.args[1:] {
			list[i] = a.String()
		}
		return "(" + e.args[0].String() + " in (" + strings.Join(list, ",") + "))"
	}
	if _, ok := functions[e.op]; ok {
		list := make([]string, len(e.args))
		for i, a := range e.args {
			list[i] = a.String()
		}
		return e.op + "(" + strings.Join(list, ",") + ")"
	}
	return "(" + e.args[0].String() + " " + e.op + " " + e.args[1].String() + ")"
}
