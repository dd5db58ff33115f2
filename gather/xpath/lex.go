package xpath

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

type tokenKind uint8

const (
	tokenEnd tokenKind = iota
	tokenNumber
	tokenLiteral
	tokenName     // NCName, QName, prefix:* or * as a name test
	tokenOperator // and or mod div * + - = != < <= > >= |
	tokenSign     // ( ) [ ] . .. @ , :: / //
	tokenVariable
	tokenRef // ${name} of an XLSForm
)

type token struct {
	kind tokenKind
	text string // of a literal what stands between the marks
	at   int
}

// lex takes an expression apart by XPath 1.0, section 3.7. refs admits ${name}.
func lex(src string, refs bool) ([]token, error) {
	var out []token
	for i := 0; i < len(src); {
		c := src[i]
		if c == ' ' || c == '\t' || c == '\n' || c == '\r' {
			i++
			continue
		}
		t := token{at: i}
		two := ""
		if i+1 < len(src) {
			two = src[i : i+2]
		}
		switch {
		case c == '"' || c == '\'':
			end := strings.IndexByte(src[i+1:], c)
			if end < 0 {
				return nil, fault(src, i, "quote", "the quotation mark %c is not closed", c)
			}
			t.kind, t.text = tokenLiteral, src[i+1:i+1+end]
			i += end + 2
		case digit(c) || c == '.' && len(two) == 2 && digit(two[1]):
			n := i
			for n < len(src) && digit(src[n]) {
				n++
			}
			if n < len(src) && src[n] == '.' {
				for n++; n < len(src) && digit(src[n]); n++ {
				}
			}
			t.kind, t.text = tokenNumber, src[i:n]
			i = n
		case two == "::" || two == "//" || two == "..":
			t.kind, t.text = tokenSign, two
			i += 2
		case two == "!=" || two == "<=" || two == ">=":
			t.kind, t.text = tokenOperator, two
			i += 2
		case strings.IndexByte("()[].@,/", c) >= 0:
			t.kind, t.text = tokenSign, src[i:i+1]
			i++
		case strings.IndexByte("+-=<>|", c) >= 0:
			t.kind, t.text = tokenOperator, src[i:i+1]
			i++
		case c == '*':
			t.kind, t.text = tokenName, "*"
			if operand(out) {
				t.kind = tokenOperator
			}
			i++
		case c == '$' && refs && two == "${":
			end := strings.IndexByte(src[i:], '}')
			if end < 3 {
				return nil, fault(src, i, "reference", "the reference ${ is not closed")
			}
			t.kind, t.text = tokenRef, src[i+2:i+end]
			i += end + 1
		case c == '$':
			n := nameEnd(src, i+1)
			if n == i+1 || refs {
				return nil, fault(src, i, "sign", "$ has no meaning here but in ${name}")
			}
			t.kind, t.text = tokenVariable, src[i+1:n]
			i = n
		default:
			n := nameEnd(src, i)
			if n == i {
				r, _ := utf8.DecodeRuneInString(src[i:])
				return nil, fault(src, i, "sign", "the sign %q has no meaning here", r)
			}
			t.text = src[i:n]
			t.kind = tokenName
			if operand(out) && (t.text == "and" || t.text == "or" || t.text == "mod" || t.text == "div") {
				t.kind = tokenOperator
			} else if n+1 < len(src) && src[n] == ':' && src[n+1] != ':' {
				if src[n+1] == '*' {
					t.text, n = src[i:n+2], n+2
				} else if m := nameEnd(src, n+1); m > n+1 {
					t.text, n = src[i:m], m
				}
			}
			i = n
		}
		out = append(out, t)
	}
	return append(out, token{at: len(src)}), nil
}

// operand tells whether what was read last is complete, so that a name or * after
// it is an operator.
func operand(out []token) bool {
	if len(out) == 0 {
		return false
	}
	switch t := out[len(out)-1]; t.kind {
	case tokenOperator:
		return false
	case tokenSign:
		return t.text == ")" || t.text == "]" || t.text == "." || t.text == ".."
	}
	return true
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

// nameEnd returns where the NCName at i ends, i when there is none.
func nameEnd(s string, i int) int {
	for n := i; n < len(s); {
		r, size := utf8.DecodeRuneInString(s[n:])
		if r != '_' && !unicode.IsLetter(r) && (n == i || r != '-' && r != '.' && r != 0xB7 && !unicode.IsDigit(r) && !unicode.Is(unicode.M, r)) {
			return n
		}
		n += size
	}
	return len(s)
}
