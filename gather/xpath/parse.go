package xpath

import (
	"slices"
	"strconv"
	"strings"
)

// Bounds of an expression as written. Real ones stay under 4 kB and 30 levels.
const (
	maxLength = 64 << 10
	maxDepth  = 200
)

// Expr is an expression that was understood. Goroutines may share it.
type Expr struct {
	src   string
	root  expr
	calls []*call
	paths []*path
	refs  []string
}

// String is the expression as written.
func (e *Expr) String() string { return e.src }

// Calls lists the names of the functions it calls, each once.
func (e *Expr) Calls() (out []string) {
	for _, c := range e.calls {
		if !slices.Contains(out, c.name) {
			out = append(out, c.name)
		}
	}
	return out
}

// Axis is one that phones do not have (they have child, parent, self and attribute),
// as the expression uses it; "" when it uses none.
func (e *Expr) Axis() string {
	for _, p := range e.paths {
		for _, s := range p.steps {
			switch {
			case s.axis == "child" || s.axis == "parent" || s.axis == "self" || s.axis == "attribute":
			case s.axis == "descendant-or-self" && s.test == "node()":
				return "//"
			default:
				return s.axis + "::"
			}
		}
	}
	return ""
}

// Known tells whether phones have a function of that name, also when it is not
// computed here.
func Known(name string) bool {
	_, ok := functions[name]
	return ok || slices.Contains(elsewhere, name)
}

// Functions lists the names of all functions that are computed here, sorted.
func Functions() (out []string) {
	for n := range functions {
		out = append(out, n)
	}
	slices.Sort(out)
	return out
}

// Parse understands an expression, whose functions need not be known. Its error is
// of kind Invalid and names the character.
func Parse(src string) (*Expr, error) { return parse(src, false) }

// ParseForm understands an expression as XLSForms write it, with ${name}; it is
// for checking and cannot be evaluated where it refers to a name.
func ParseForm(src string) (*Expr, error) { return parse(src, true) }

func parse(src string, refs bool) (*Expr, error) {
	if len(src) > maxLength {
		return nil, fault(src, maxLength, "length", "the expression is longer than %d characters", maxLength)
	}
	tokens, err := lex(src, refs)
	if err != nil {
		return nil, err
	}
	p := &parser{tokens: tokens, out: &Expr{src: src}}
	root, err := p.binary(0)
	if err != nil {
		return nil, err
	}
	if p.peek().kind != tokenEnd {
		return nil, p.unexpected("an operator or the end")
	}
	p.out.root = root
	return p.out, nil
}

type parser struct {
	tokens []token
	i      int
	depth  int
	preds  int // predicates that are open
	out    *Expr
}

func (p *parser) peek() token { return p.tokens[p.i] }

func (p *parser) is(kind tokenKind, text string) bool {
	t := p.tokens[p.i]
	return t.kind == kind && t.text == text
}

func (p *parser) sign(text string) bool {
	if p.is(tokenSign, text) {
		p.i++
		return true
	}
	return false
}

func (p *parser) unexpected(want string) error {
	t := p.peek()
	if t.kind == tokenEnd {
		return fault(p.out.src, t.at, "end", "the expression ends where %s should stand", want)
	}
	return fault(p.out.src, t.at, "syntax", "%q stands where %s should stand", t.text, want)
}

func (p *parser) need(text string) error {
	if p.sign(text) {
		return nil
	}
	return p.unexpected(text)
}

func (p *parser) deeper() error {
	if p.depth++; p.depth > maxDepth {
		return fault(p.out.src, p.peek().at, "depth", "the expression is nested more than %d deep", maxDepth)
	}
	return nil
}

// levels are the binary operators, the weakest first.
var levels = [][]string{{"or"}, {"and"}, {"=", "!="}, {"<", "<=", ">", ">="}, {"+", "-"}, {"*", "div", "mod"}}

func (p *parser) binary(level int) (expr, error) {
	if level == len(levels) {
		return p.unary()
	}
	left, err := p.binary(level + 1)
	if err != nil {
		return nil, err
	}
	for n := 0; ; n++ {
		t := p.peek()
		if t.kind != tokenOperator || !slices.Contains(levels[level], t.text) {
			return left, nil
		}
		p.i++
		right, err := p.binary(level + 1)
		if err != nil {
			return nil, err
		}
		b := &binary{op: t.text, left: left, right: right, at: t.at}
		b.loose = (t.text == "and" || t.text == "or") && !truthful(right)
		left = b
	}
}

// truthful tells an expression that is true or false by itself.
func truthful(e expr) bool {
	switch e := e.(type) {
	case *binary:
		return !e.loose && !slices.Contains([]string{"+", "-", "*", "div", "mod"}, e.op)
	case *call:
		return e.f != nil && e.f.truth
	}
	return false
}

func (p *parser) unary() (expr, error) {
	minus := 0
	for p.is(tokenOperator, "-") {
		p.i++
		minus++
	}
	e, err := p.union()
	if err != nil || minus == 0 {
		return e, err
	}
	return &negative{e, minus%2 == 1}, nil
}

func (p *parser) union() (expr, error) {
	e, err := p.path()
	if err != nil || !p.is(tokenOperator, "|") {
		return e, err
	}
	u := &union{at: p.peek().at, of: []expr{e}}
	for p.is(tokenOperator, "|") {
		p.i++
		next, err := p.path()
		if err != nil {
			return nil, err
		}
		u.of = append(u.of, next)
	}
	return u, nil
}

var nodeTypes = []string{"node", "text", "comment", "processing-instruction"}

// filter tells whether a path begins with an expression, not with a step.
func (p *parser) filter() bool {
	t := p.peek()
	switch t.kind {
	case tokenNumber, tokenLiteral, tokenVariable, tokenRef:
		return true
	case tokenSign:
		return t.text == "("
	case tokenName:
		return p.tokens[p.i+1].kind == tokenSign && p.tokens[p.i+1].text == "(" && !slices.Contains(nodeTypes, t.text)
	}
	return false
}

func (p *parser) path() (expr, error) {
	if err := p.deeper(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	out := &path{at: p.peek().at, inner: p.preds > 0}
	switch {
	case p.filter():
		e, err := p.primary()
		if err != nil {
			return nil, err
		}
		preds, err := p.predicates()
		if err != nil {
			return nil, err
		}
		if len(preds) == 0 && !p.is(tokenSign, "/") && !p.is(tokenSign, "//") {
			return e, nil
		}
		out.from, out.fromPreds = e, preds
		if !p.is(tokenSign, "/") && !p.is(tokenSign, "//") {
			p.out.paths = append(p.out.paths, out)
			return out, nil
		}
	case p.is(tokenSign, "/"):
		out.absolute = true
		if !p.step(1) {
			p.i++
			p.out.paths = append(p.out.paths, out)
			return out, nil
		}
	case p.is(tokenSign, "//"):
		out.absolute = true
	default:
		s, err := p.oneStep()
		if err != nil {
			return nil, err
		}
		out.steps = append(out.steps, s)
	}
	for {
		switch {
		case p.sign("//"):
			out.steps = append(out.steps, &step{axis: "descendant-or-self", test: "node()"})
		case p.sign("/"):
		default:
			p.out.paths = append(p.out.paths, out)
			return out, nil
		}
		s, err := p.oneStep()
		if err != nil {
			return nil, err
		}
		out.steps = append(out.steps, s)
	}
}

// step tells whether a step stands ahead tokens further.
func (p *parser) step(ahead int) bool {
	t := p.tokens[min(p.i+ahead, len(p.tokens)-1)]
	return t.kind == tokenName || t.kind == tokenSign && (t.text == "." || t.text == ".." || t.text == "@")
}

var axes = []string{"ancestor", "ancestor-or-self", "attribute", "child", "descendant", "descendant-or-self", "following", "following-sibling", "namespace", "parent", "preceding", "preceding-sibling", "self"}

func (p *parser) oneStep() (*step, error) {
	s := &step{axis: "child", test: "node()"}
	var err error
	switch {
	case p.sign("."):
		s.axis = "self"
		if s.preds, err = p.predicates(); err != nil { // XPath 1.0 has none here; phones allow them
			return nil, err
		}
		return s, nil
	case p.sign(".."):
		s.axis = "parent"
		if s.preds, err = p.predicates(); err != nil {
			return nil, err
		}
		return s, nil
	case p.sign("@"):
		s.axis = "attribute"
	case p.peek().kind == tokenName && p.tokens[p.i+1].kind == tokenSign && p.tokens[p.i+1].text == "::":
		s.axis = p.peek().text
		if !slices.Contains(axes, s.axis) {
			return nil, fault(p.out.src, p.peek().at, "axis", "there is no axis %q", s.axis)
		}
		p.i += 2
	}
	t := p.peek()
	if t.kind != tokenName {
		return nil, p.unexpected("a name, a value or (")
	}
	p.i++
	s.test = t.text
	if p.is(tokenSign, "(") {
		if !slices.Contains(nodeTypes, t.text) {
			p.i--
			return nil, p.unexpected("the name of a node")
		}
		p.i++
		if t.text == "processing-instruction" && p.peek().kind == tokenLiteral {
			p.i++
		}
		if err := p.need(")"); err != nil {
			return nil, err
		}
		s.test = t.text + "()"
	} else if i := strings.IndexByte(s.test, ':'); i >= 0 && s.axis != "attribute" {
		s.prefix, s.test = s.test[:i], s.test[i+1:]
	}
	s.preds, err = p.predicates()
	return s, err
}

func (p *parser) predicates() (out []expr, err error) {
	for p.sign("[") {
		p.preds++
		e, err := p.nested()
		p.preds--
		if err != nil {
			return nil, err
		}
		if err := p.need("]"); err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

func (p *parser) nested() (expr, error) {
	if err := p.deeper(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	return p.binary(0)
}

func (p *parser) primary() (expr, error) {
	t := p.peek()
	p.i++
	switch t.kind {
	case tokenNumber:
		f, err := strconv.ParseFloat(t.text, 64)
		if err != nil && f == 0 {
			return nil, fault(p.out.src, t.at, "number", "%s is no number", t.text)
		}
		return literal{Number(f)}, nil
	case tokenLiteral:
		return literal{String(t.text)}, nil
	case tokenVariable:
		return &variable{t.text, t.at}, nil
	case tokenRef:
		p.out.refs = append(p.out.refs, t.text)
		return &variable{t.text, t.at}, nil
	case tokenSign: // (
		e, err := p.nested()
		if err != nil {
			return nil, err
		}
		return e, p.need(")")
	}
	p.i++ // (
	c := &call{name: t.text, at: t.at, src: p.out.src}
	if !p.sign(")") {
		for {
			e, err := p.nested()
			if err != nil {
				return nil, err
			}
			c.args = append(c.args, e)
			if p.sign(")") {
				break
			}
			if err := p.need(","); err != nil {
				return nil, err
			}
		}
	}
	if f, ok := functions[c.name]; ok {
		c.f = f
		if format, a := f.fits(c.name, len(c.args)); format != "" {
			return nil, fault(p.out.src, t.at, "arguments", format, a...)
		}
	}
	if c.name == "indexed-repeat" {
		for i, a := range c.args {
			if path, ok := a.(*path); ok && (i == 0 || i%2 == 1) {
				path.whole = true
			}
		}
	}
	if l, ok := c.last(); ok && c.name == "regex" {
		c.re, _ = compile(l) // else it is said when it is evaluated
	}
	p.out.calls = append(p.out.calls, c)
	return c, nil
}

// last is the last argument when it is a text that stands there.
func (x *call) last() (string, bool) {
	if len(x.args) == 0 {
		return "", false
	}
	l, ok := x.args[len(x.args)-1].(literal)
	return l.v.str, ok && l.v.Type == TypeString
}

// Reference is a path of an expression, for finding what it depends on.
type Reference struct {
	Absolute bool
	Steps    []string // "..", "." , a name or "*"
	Inner    bool     // within a predicate, where it stands at another node
}

// References lists the paths into the form itself; those into lists are left out.
func (e *Expr) References() (out []Reference) {
	for _, p := range e.paths {
		r := Reference{Absolute: p.absolute, Inner: p.inner}
		if p.from != nil {
			c, ok := p.from.(*call)
			if !ok || c.name != "current" {
				continue
			}
			r.Inner = false
		}
		for _, s := range p.steps {
			switch {
			case s.axis == "parent":
				r.Steps = append(r.Steps, "..")
			case s.axis == "self":
				r.Steps = append(r.Steps, ".")
			case s.axis == "child" && s.test != "node()":
				r.Steps = append(r.Steps, s.test)
			default:
				r.Inner = true // by its name only
				if s.test != "node()" && s.axis != "attribute" {
					r.Steps = append(r.Steps, s.test)
				}
			}
		}
		out = append(out, r)
	}
	return out
}
