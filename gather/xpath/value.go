package xpath

import (
	"math"
	"strconv"
	"strings"
)

// Type of a value.
type Type uint8

// Types of XPath 1.0.
const (
	TypeString Type = iota
	TypeNumber
	TypeBool
	TypeNodes
)

// Value is what an expression comes to.
type Value struct {
	Type  Type
	str   string
	num   float64
	yes   bool
	nodes []*Node // in document order, each once
}

// String makes a value of a text.
func String(s string) Value { return Value{Type: TypeString, str: s} }

// Number makes a value of a number.
func Number(f float64) Value { return Value{Type: TypeNumber, num: f} }

// Bool makes a value of a truth.
func Bool(b bool) Value { return Value{Type: TypeBool, yes: b} }

// Nodes makes a value of nodes in document order, each once.
func Nodes(n []*Node) Value { return Value{Type: TypeNodes, nodes: n} }

// Nodes are those of a node-set, else nil.
func (v Value) Nodes() []*Node { return v.nodes }

// String is string(): XPath 1.0, section 4.2.
func (v Value) String() string {
	switch v.Type {
	case TypeNumber:
		return format(v.num)
	case TypeBool:
		if v.yes {
			return "true"
		}
		return "false"
	case TypeNodes:
		if len(v.nodes) == 0 {
			return ""
		}
		return v.nodes[0].String()
	}
	return v.str
}

// Number is number(), section 4.4; a date or time is its days since 1970.
func (v Value) Number() float64 {
	switch v.Type {
	case TypeNumber:
		return v.num
	case TypeBool:
		if v.yes {
			return 1
		}
		return 0
	}
	return toNumber(v.String())
}

// Bool is boolean(), section 4.3.
func (v Value) Bool() bool {
	switch v.Type {
	case TypeNumber:
		return v.num != 0 && !math.IsNaN(v.num)
	case TypeBool:
		return v.yes
	case TypeNodes:
		return len(v.nodes) > 0
	}
	return v.str != ""
}

// Truth is Bool, and whether all programs take it so: of nodes XPath asks whether
// there is one, Collect whether the first has an answer that is not 0.
func (v Value) Truth() (yes, sure bool) {
	yes = v.Bool()
	if v.Type == TypeNodes && yes {
		s := v.nodes[0].String()
		return yes, s != "" && toNumber(s) != 0
	}
	return yes, true
}

// format writes a number without an exponent.
func format(f float64) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	case f == 0:
		return "0"
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// toNumber reads an optional minus and digits with a point; else the days of a
// date, else NaN.
func toNumber(s string) float64 {
	s = strings.Trim(s, " \t\r\n")
	if s == "" {
		return math.NaN()
	}
	i, digits, points := 0, 0, 0
	if s[0] == '-' {
		i = 1
	}
	for ; i < len(s); i++ {
		switch {
		case digit(s[i]):
			digits++
		case s[i] == '.':
			points++
		default:
			if d, ok := parseDate(s, nil); ok {
				return d
			}
			return math.NaN()
		}
	}
	if digits == 0 || points > 1 {
		return math.NaN()
	}
	f, _ := strconv.ParseFloat(s, 64)
	return f
}
