package xpath

import (
	"encoding/base64"
	"math"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// function is one that expressions call; lazy ones look after their arguments.
type function struct {
	min, max int  // of arguments; max -1 for any
	truth    bool // it is true or false
	eager    func(c *context, x *call, a []Value) (Value, error)
	lazy     func(c *context, x *call) (Value, error)
}

// fits says what is wrong with a number of arguments; "" when nothing is.
func (f *function) fits(name string, n int) (format string, a []any) {
	switch {
	case n >= f.min && (f.max < 0 || n <= f.max):
		return "", nil
	case f.max < 0:
		return "%s() takes at least %d arguments, not %d", []any{name, f.min, n}
	case f.max == 0:
		return "%s() takes no argument, not %d", []any{name, n}
	case f.min == f.max && f.min == 1:
		return "%s() takes 1 argument, not %d", []any{name, n}
	case f.min == f.max:
		return "%s() takes %d arguments, not %d", []any{name, f.min, n}
	}
	return "%s() takes %d to %d arguments, not %d", []any{name, f.min, f.max, n}
}

// elsewhere are the functions of Collect and Enketo that are not computed here:
// signatures, other calendars, searches in a file.
var elsewhere = strings.Fields(`date-bikram-sambat depend enclosed-area encrypt extract-signed format-number hex intersects is-null relevant search thousandsep version`)

// functions by name; filled in init because their bodies refer to it.
var functions map[string]*function

func init() {
	text := func(n, m int, f func(a []Value) string) *function {
		return &function{min: n, max: m, eager: func(_ *context, _ *call, a []Value) (Value, error) { return String(f(a)), nil }}
	}
	truth := func(n, m int, f func(a []Value) bool) *function {
		return &function{min: n, max: m, truth: true, eager: func(_ *context, _ *call, a []Value) (Value, error) { return Bool(f(a)), nil }}
	}
	number := func(n, m int, f func(a []Value) float64) *function {
		return &function{min: n, max: m, eager: func(_ *context, _ *call, a []Value) (Value, error) { return Number(f(a)), nil }}
	}
	math1 := func(f func(float64) float64) *function {
		return number(1, 1, func(a []Value) float64 { return f(a[0].Number()) })
	}
	// measure is one that Collect computes by another formula and the engine rounds.
	measure := func(most int, f func(a []Value) float64) *function {
		return &function{min: 1, max: most, eager: func(c *context, _ *call, a []Value) (Value, error) {
			c.run.used |= UsedDisputed
			return Number(f(a)), nil
		}}
	}
	// own is a function of the node itself when it has no argument.
	own := func(f func(Value) Value) *function {
		return &function{max: 1, eager: func(c *context, _ *call, a []Value) (Value, error) {
			if len(a) == 0 {
				return f(Nodes([]*Node{c.node})), nil
			}
			return f(a[0]), nil
		}}
	}
	first := func(f func(n *Node) string) *function {
		return own(func(v Value) Value {
			if len(v.nodes) == 0 {
				return String("")
			}
			return String(f(v.nodes[0]))
		})
	}
	functions = map[string]*function{
		// XPath 1.0, section 4
		"last":     {eager: func(c *context, _ *call, _ []Value) (Value, error) { return Number(float64(c.size)), nil }},
		"position": {max: 1, eager: positionOf},
		"count": {min: 1, max: 1, eager: func(c *context, x *call, a []Value) (Value, error) {
			c.hidden(a[0].nodes)
			return Number(float64(len(a[0].nodes))), x.nodes(c, a[0])
		}},
		"id":              {min: 1, max: 1, eager: func(*context, *call, []Value) (Value, error) { return Nodes(nil), nil }}, // forms have no DTD
		"local-name":      first(func(n *Node) string { return n.Name[strings.IndexByte(n.Name, ':')+1:] }),
		"name":            first(func(n *Node) string { return n.Name }),
		"namespace-uri":   first(func(*Node) string { return "" }),
		"string":          own(func(v Value) Value { return String(v.String()) }),
		"number":          own(func(v Value) Value { return Number(v.Number()) }),
		"string-length":   own(func(v Value) Value { return Number(float64(utf8.RuneCountInString(v.String()))) }),
		"normalize-space": own(func(v Value) Value { return String(strings.Join(strings.FieldsFunc(v.String(), space), " ")) }),
		"concat":          text(0, -1, func(a []Value) string { return strings.Join(each(a), "") }),
		"starts-with":     truth(2, 2, func(a []Value) bool { return strings.HasPrefix(a[0].String(), a[1].String()) }),
		"ends-with":       truth(2, 2, func(a []Value) bool { return strings.HasSuffix(a[0].String(), a[1].String()) }),
		"contains":        truth(2, 2, func(a []Value) bool { return strings.Contains(a[0].String(), a[1].String()) }),
		"substring-before": text(2, 2, func(a []Value) string {
			b, _, found := strings.Cut(a[0].String(), a[1].String())
			return map[bool]string{true: b}[found]
		}),
		"substring-after": text(2, 2, func(a []Value) string { _, b, _ := strings.Cut(a[0].String(), a[1].String()); return b }),
		"substring":       text(2, 3, substring),
		"translate":       text(3, 3, translate),
		"boolean": {min: 1, max: 1, truth: true, eager: func(c *context, _ *call, a []Value) (Value, error) {
			return Bool(c.truth(a[0])), nil
		}},
		"not": {min: 1, max: 1, truth: true, eager: func(c *context, _ *call, a []Value) (Value, error) {
			return Bool(!c.truth(a[0])), nil
		}},
		"true":    truth(0, 0, func([]Value) bool { return true }),
		"false":   truth(0, 0, func([]Value) bool { return false }),
		"lang":    truth(1, 1, func([]Value) bool { return false }), // answers have no xml:lang
		"sum":     {min: 1, max: 1, eager: sum},
		"floor":   math1(math.Floor),
		"ceiling": math1(math.Ceil),
		"round":   {min: 1, max: 2, eager: round},

		// ODK XForms specification, "XPath Functions"
		"selected": truth(2, 2, func(a []Value) bool {
			return slices.Contains(strings.Fields(a[0].String()), strings.TrimSpace(a[1].String()))
		}),
		"is-selected": truth(2, 2, func(a []Value) bool {
			return slices.Contains(strings.Fields(a[0].String()), strings.TrimSpace(a[1].String()))
		}),
		"selected-at":         text(2, 2, selectedAt),
		"count-selected":      number(1, 1, func(a []Value) float64 { return float64(len(strings.Fields(a[0].String()))) }),
		"count-non-empty":     {min: 1, max: 1, eager: countNonEmpty},
		"jr:choice-name":      {min: 2, max: 2, eager: choiceName},
		"jr:itext":            {min: 1, max: 1, eager: itext},
		"indexed-repeat":      {min: 3, max: -1, eager: indexedRepeat},
		"instance":            {min: 1, max: 1, eager: instance},
		"current":             {eager: func(c *context, _ *call, _ []Value) (Value, error) { return Nodes([]*Node{c.current}), nil }},
		"pulldata":            {min: 4, max: 4, eager: pulldata},
		"if":                  {min: 3, max: 3, lazy: ifElse},
		"coalesce":            {min: 2, max: 2, lazy: coalesce},
		"once":                {min: 1, max: 1, lazy: once},
		"boolean-from-string": truth(1, 1, func(a []Value) bool { s := strings.ToLower(a[0].String()); return s == "true" || s == "1" }),
		"regex":               {min: 2, max: 2, truth: true, eager: regex},
		"uuid":                {max: 1, eager: uuid},
		"random":              {eager: random},
		"randomize":           {min: 1, max: 2, eager: randomize},
		"property":            {min: 1, max: 1, eager: property},
		"int":                 math1(math.Trunc),
		"pow":                 number(2, 2, func(a []Value) float64 { return math.Pow(a[0].Number(), a[1].Number()) }),
		"log":                 math1(math.Log),
		"log10":               math1(math.Log10),
		"abs":                 math1(math.Abs),
		"sqrt":                math1(math.Sqrt),
		"exp":                 math1(math.Exp),
		"exp10":               math1(func(f float64) float64 { return math.Pow(10, f) }),
		"sin":                 math1(math.Sin),
		"cos":                 math1(math.Cos),
		"tan":                 math1(math.Tan),
		"asin":                math1(math.Asin),
		"acos":                math1(math.Acos),
		"atan":                math1(math.Atan),
		"atan2":               number(2, 2, func(a []Value) float64 { return math.Atan2(a[0].Number(), a[1].Number()) }),
		"pi":                  number(0, 0, func([]Value) float64 { return math.Pi }),
		"min":                 {min: 1, max: -1, eager: extreme},
		"max":                 {min: 1, max: -1, eager: extreme},
		"join":                text(1, -1, func(a []Value) string { return strings.Join(each(a[1:]), a[0].String()) }),
		"substr":              text(2, 3, substr),
		"checklist":           {min: 2, max: -1, truth: true, eager: checklist},
		"weighted-checklist":  {min: 2, max: -1, truth: true, eager: checklist},
		"digest":              {min: 2, max: 3, eager: digest},
		"base64-decode":       text(1, 1, decode),
		"area":                measure(1, func(a []Value) float64 { p, ok := positions(a[0]); return orNaN(area(p), ok) }),
		"distance":            measure(-1, distanceOf),
		"geofence":            truth(2, 2, geofence),
		"today": {eager: func(c *context, _ *call, _ []Value) (Value, error) {
			c.run.used |= UsedClock
			return String(isoDate(c.env.Now)), nil
		}},
		"now": {eager: func(c *context, _ *call, _ []Value) (Value, error) {
			c.run.used |= UsedClock
			return String(isoTime(c.env.Now)), nil
		}},
		"date":              {min: 1, max: 1, eager: date},
		"date-time":         {min: 1, max: 1, eager: date},
		"decimal-date-time": {min: 1, max: 1, eager: decimalDate},
		"decimal-time":      number(1, 1, func(a []Value) float64 { f, ok := timeOfDay(a[0].String()); return orNaN(f, ok) }),
		"format-date":       {min: 2, max: 2, eager: formatted},
		"format-date-time":  {min: 2, max: 2, eager: formatted},
	}
}

func space(r rune) bool { return r == ' ' || r == '\t' || r == '\r' || r == '\n' }

func orNaN(f float64, ok bool) float64 {
	if !ok {
		return math.NaN()
	}
	return f
}

// nodes is an error when an argument is no node-set.
func (x *call) nodes(c *context, v Value) error {
	if v.Type != TypeNodes {
		return x.bad(c, "the argument is no path")
	}
	return nil
}

// each lists the texts of arguments; a node-set gives those of its nodes.
func each(a []Value) (out []string) {
	for _, v := range a {
		if v.Type != TypeNodes {
			out = append(out, v.String())
			continue
		}
		for _, n := range v.nodes {
			out = append(out, n.String())
		}
	}
	return out
}

// positionOf is position(), or a node's place among those of its name.
func positionOf(c *context, _ *call, a []Value) (Value, error) {
	if len(a) == 0 {
		return Number(float64(c.pos)), nil
	}
	if len(a[0].nodes) == 0 {
		return Number(math.NaN()), nil
	}
	n, pos := a[0].nodes[0], 1
	before, _ := n.siblings()
	for _, b := range before {
		if b.Name == n.Name {
			pos++
		}
	}
	return Number(float64(pos)), nil
}

// hidden notes nodes that were not asked: Collect leaves them out of the set, the
// engine counts them as blank.
func (c *context) hidden(nodes []*Node) {
	for _, n := range nodes {
		for p := n; p != nil; p = p.Parent {
			if p.Hidden {
				c.run.used |= UsedDisputed
				return
			}
		}
	}
}

// sum adds the nodes that have an answer, as Collect does, which passes over words
// too; the engine makes NaN of either.
func sum(c *context, x *call, a []Value) (Value, error) {
	total := 0.0
	for _, n := range a[0].nodes {
		s := n.String()
		f := toNumber(s)
		if math.IsNaN(f) {
			c.run.used |= UsedDisputed
		}
		if s != "" {
			total += f
		}
	}
	return Number(total), x.nodes(c, a[0])
}

// extreme is the least or the greatest; with a blank or a word it is no number, as
// in XPath 3.0. Collect passes over these, and begins max() at 0.
func extreme(c *context, x *call, a []Value) (Value, error) {
	f := math.Min
	if x.name == "max" {
		f = math.Max
	}
	best := math.NaN()
	numbers, others := 0, 0
	for i, s := range each(a) {
		n := toNumber(s)
		if math.IsNaN(n) {
			others++
		} else {
			numbers++
		}
		if i == 0 {
			best = n
		} else {
			best = f(best, n)
		}
	}
	if numbers > 0 && (others > 0 || x.name == "max" && best < 0) {
		c.run.used |= UsedDisputed
	}
	return Number(best), nil
}

// round is to the nearest, halves upwards; with places, those of the point. The
// engine takes halves below zero downwards.
func round(c *context, _ *call, a []Value) (Value, error) {
	f, scale := a[0].Number(), 1.0
	if len(a) > 1 {
		places := math.Trunc(a[1].Number())
		if math.IsNaN(places) || math.Abs(places) > 30 {
			return Number(math.NaN()), nil
		}
		scale = math.Pow(10, places)
	}
	if f < 0 && math.Floor(f*scale)+0.5 == f*scale {
		c.run.used |= UsedDisputed
	}
	return Number(math.Floor(f*scale+0.5) / scale), nil
}

// substring counts characters from 1 and rounds: section 4.2.
func substring(a []Value) string {
	from := math.Floor(a[1].Number() + 0.5)
	to := math.Inf(1)
	if len(a) > 2 {
		to = from + math.Floor(a[2].Number()+0.5)
	}
	var b strings.Builder
	at := 1.0
	for _, r := range a[0].String() {
		if at >= from && at < to {
			b.WriteRune(r)
		}
		at++
	}
	return b.String()
}

// substr counts from 0, from the end when negative; the end is not included.
func substr(a []Value) string {
	r := []rune(a[0].String())
	at := func(v Value) int {
		f := v.Number()
		if math.IsNaN(f) {
			return 0
		}
		if f < 0 {
			f += float64(len(r))
		}
		return int(max(0, min(f, float64(len(r)))))
	}
	from, to := at(a[1]), len(r)
	if len(a) > 2 {
		to = at(a[2])
	}
	return string(r[from:max(from, to)])
}

func translate(a []Value) string {
	from, to := []rune(a[1].String()), []rune(a[2].String())
	place := make(map[rune]int, len(from))
	for i, r := range from {
		if _, ok := place[r]; !ok {
			place[r] = i
		}
	}
	return strings.Map(func(r rune) rune {
		i, ok := place[r]
		switch {
		case !ok:
			return r
		case i < len(to):
			return to[i]
		}
		return -1
	}, a[0].String())
}

func selectedAt(a []Value) string {
	all, i := strings.Fields(a[0].String()), a[1].Number()
	if !(i >= 0 && i < float64(len(all))) {
		return ""
	}
	return all[int(i)]
}

func countNonEmpty(c *context, x *call, a []Value) (Value, error) {
	n := 0
	for _, node := range a[0].nodes {
		if node.String() != "" {
			n++
		}
	}
	return Number(float64(n)), x.nodes(c, a[0])
}

func choiceName(c *context, _ *call, a []Value) (Value, error) {
	c.run.used |= UsedDevice
	if c.env.Choice != nil {
		if s, ok := c.env.Choice(a[0].String(), a[1].String()); ok {
			return String(s), nil
		}
	}
	return String(""), nil
}

func itext(c *context, _ *call, a []Value) (Value, error) {
	c.run.used |= UsedDevice
	if c.env.Itext == nil {
		return String(""), nil
	}
	return String(c.env.Itext(a[0].String())), nil
}

// indexedRepeat is a node of the turn that the indices name.
func indexedRepeat(c *context, x *call, a []Value) (Value, error) {
	if len(a)%2 == 0 {
		return Value{}, x.bad(c, "give a question, then a repeat and a number for each level")
	}
	for _, i := range append([]int{0}, odd(len(a))...) {
		if err := x.nodes(c, a[i]); err != nil {
			return Value{}, err
		}
	}
	var turn *Node
	for i := 1; i < len(a); i += 2 {
		var in []*Node
		for _, n := range a[i].nodes {
			if turn == nil || n.under(turn) {
				in = append(in, n)
			}
		}
		k := a[i+1].Number()
		if !(k >= 1 && k <= float64(len(in))) {
			return Nodes(nil), nil
		}
		turn = in[int(k)-1]
	}
	var out []*Node
	for _, n := range a[0].nodes {
		if n.under(turn) {
			out = append(out, n)
		}
	}
	return Nodes(out), c.spend(len(a[0].nodes)*4, x.at)
}

func odd(n int) (out []int) {
	for i := 1; i < n; i += 2 {
		out = append(out, i)
	}
	return out
}

func (n *Node) under(above *Node) bool {
	for ; n != nil; n = n.Parent {
		if n == above {
			return true
		}
	}
	return false
}

func instance(c *context, _ *call, a []Value) (Value, error) {
	var n *Node
	if c.env.Instance != nil {
		n = c.env.Instance(a[0].String())
	}
	if n == nil {
		c.run.used |= UsedLost
		return Nodes(nil), nil
	}
	return Nodes([]*Node{n}), nil
}

// pulldata is a column of the row whose key has a value, "" when there is none.
func pulldata(c *context, x *call, a []Value) (Value, error) {
	v, err := instance(c, x, a[:1])
	if err != nil || len(v.nodes) == 0 {
		return String(""), err
	}
	column, key, value := a[1].String(), a[2].String(), a[3].String()
	root := v.nodes[0]
	if len(root.Children) == 0 {
		return String(""), nil
	}
	for _, item := range root.Children[0].Children {
		if err := c.spend(1+len(item.Children), x.at); err != nil {
			return Value{}, err
		}
		if k := item.Child(key); k != nil && k.Value == value {
			if n := item.Child(column); n != nil {
				return String(n.Value), nil
			}
			return String(""), nil
		}
	}
	return String(""), nil
}

func ifElse(c *context, x *call) (Value, error) {
	v, err := x.args[0].eval(c)
	if err != nil {
		return Value{}, err
	}
	if c.truth(v) {
		return x.args[1].eval(c)
	}
	return x.args[2].eval(c)
}

func coalesce(c *context, x *call) (v Value, err error) {
	for _, a := range x.args {
		if v, err = a.eval(c); err != nil || v.String() != "" {
			return v, err
		}
	}
	return v, nil
}

// once keeps the answer that is there.
func once(c *context, x *call) (Value, error) {
	c.run.used |= UsedDevice
	if s := c.current.String(); s != "" {
		return String(s), nil
	}
	return x.args[0].eval(c)
}

// regex tells whether the whole text is of a pattern.
func regex(c *context, x *call, a []Value) (Value, error) {
	p := a[1].String()
	if len(p) > 2000 {
		return Value{}, x.bad(c, "the pattern is longer than 2000 characters")
	}
	if err := c.spend(len(p), x.at); err != nil {
		return Value{}, err
	}
	re := x.re
	if re == nil {
		var err error
		if re, err = compile(p); err != nil {
			return Value{}, x.bad(c, "the pattern %q is not understood", p)
		}
	}
	text := a[0].String()
	if re.whole.MatchString(text) {
		return Bool(true), nil
	}
	if re.part.MatchString(text) {
		c.run.used |= UsedDisputed // a part of it is enough for the engine
	}
	return Bool(false), nil
}

// pattern is one that the whole text must be of, or a part.
type pattern struct{ whole, part *regexp.Regexp }

func compile(p string) (*pattern, error) {
	part, err := regexp.Compile(p) // first: a stray bracket may fit the one put around it
	if err != nil {
		return nil, err
	}
	whole, err := regexp.Compile(`^(?:` + p + `)$`)
	if err != nil {
		return nil, err
	}
	return &pattern{whole, part}, nil
}

func uuid(c *context, x *call, a []Value) (Value, error) {
	c.run.used |= UsedChance
	if c.env.UUID == nil {
		return Value{}, x.bad(c, "there is no source of chance")
	}
	id := c.env.UUID()
	if len(a) == 1 {
		n := a[0].Number()
		if !(n >= 0 && n <= 1000) {
			return Value{}, x.bad(c, "the length is 0 to 1000")
		}
		for len(id) < int(n) {
			id += c.env.UUID()
		}
		id = strings.ReplaceAll(id, "-", "")[:min(int(n), len(strings.ReplaceAll(id, "-", "")))]
	}
	return String(id), nil
}

func random(c *context, x *call, _ []Value) (Value, error) {
	c.run.used |= UsedChance
	if c.env.Random == nil {
		return Value{}, x.bad(c, "there is no source of chance")
	}
	return Number(c.env.Random()), nil
}

// randomize reorders nodes: the inside-out shuffle of Fisher and Yates with the
// generator of Park and Miller, as the ODK XForms specification says. Without a seed
// that is a number the order stays: it is chance, or a digest that programs cut
// differently.
func randomize(c *context, x *call, a []Value) (Value, error) {
	if err := x.nodes(c, a[0]); err != nil {
		return Value{}, err
	}
	in := a[0].nodes
	if len(a) == 1 || math.IsNaN(a[1].Number()) || math.Abs(a[1].Number()) > 1<<53 {
		c.run.used |= UsedChance
		return Nodes(in), nil
	}
	const modulus = 2147483647
	seed := int64(a[1].Number()) % modulus
	if seed <= 0 {
		seed += modulus - 1
	}
	out := make([]*Node, len(in))
	for i, n := range in {
		seed = seed * 16807 % modulus
		j := int(float64(seed-1) / (modulus - 1) * float64(i+1))
		out[i] = out[j]
		out[j] = n
	}
	return Nodes(out), nil
}

func property(c *context, _ *call, a []Value) (Value, error) {
	c.run.used |= UsedDevice
	if c.env.Property == nil {
		return String(""), nil
	}
	return String(c.env.Property(a[0].String())), nil
}

// checklist tells whether the number, or the weight, of what holds lies between
// two bounds; -1 is no bound.
func checklist(c *context, x *call, a []Value) (Value, error) {
	least, most := a[0].Number(), a[1].Number()
	total := 0.0
	values := a[2:]
	if x.name == "checklist" {
		for _, v := range c.truths(values) {
			if v {
				total++
			}
		}
		return Bool((least < 0 || total >= least) && (most < 0 || total <= most)), nil
	}
	if least < 0 || most < 0 {
		c.run.used |= UsedDisputed // to Collect -1 is a bound here
	}
	var yes []bool
	var weight []float64
	for i := 0; i+1 < len(values); i += 2 {
		yes = append(yes, c.truths(values[i:i+1])...)
		for _, s := range each(values[i+1 : i+2]) {
			weight = append(weight, toNumber(s))
		}
	}
	if len(yes) != len(weight) || len(values)%2 == 1 {
		return Value{}, x.bad(c, "there are %d values and %d weights", len(yes), len(weight))
	}
	for i, v := range yes {
		if v {
			total += weight[i]
		}
	}
	return Bool((least < 0 || total >= least) && (most < 0 || total <= most)), nil
}

// truths are those of values: as numbers above 0. Collect takes any word and any
// number but 0 for true.
func (c *context) truths(a []Value) (out []bool) {
	for _, v := range a {
		if v.Type == TypeBool {
			out = append(out, v.yes)
			continue
		}
		for _, s := range each([]Value{v}) {
			f := toNumber(s)
			if yes := f > 0; yes != (s != "" && f != 0) {
				c.run.used |= UsedDisputed
			}
			out = append(out, f > 0)
		}
	}
	return out
}

func decode(a []Value) string {
	b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(a[0].String()))
	if err != nil {
		return ""
	}
	return strings.ToValidUTF8(string(b), "\uFFFD")
}

func distanceOf(a []Value) float64 {
	var all []position
	for _, v := range a {
		p, ok := positions(v)
		if !ok {
			return math.NaN()
		}
		all = append(all, p...)
	}
	return distance(all)
}

func geofence(a []Value) bool {
	at, ok := positions(a[0])
	fence, fine := positions(a[1])
	return ok && fine && len(at) == 1 && len(fence) > 2 && inside(at[0], fence)
}

// date reads days since 1970 or a text as a date, or a time when it holds one.
func date(c *context, x *call, a []Value) (Value, error) {
	s := strings.TrimSpace(a[0].String())
	t, ok := toTime(c, a[0])
	switch {
	case !ok:
		c.run.used |= UsedDisputed // the engine writes "Invalid Date"
		return String(""), nil
	case a[0].Type == TypeNumber && a[0].num != math.Trunc(a[0].num), strings.Contains(s, "T"):
		return String(isoTime(t.In(zoneOf(c)))), nil
	}
	return String(isoDate(t)), nil
}

func decimalDate(c *context, _ *call, a []Value) (Value, error) {
	t, ok := toTime(c, a[0])
	return Number(orNaN(float64(t.UnixMilli())/day, ok)), nil
}

func formatted(c *context, x *call, a []Value) (Value, error) {
	t, ok := toTime(c, a[0])
	if !ok {
		return String(""), nil
	}
	return formatDate(c, x, t.In(zoneOf(c)), a[1].String())
}
