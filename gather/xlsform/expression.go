package xlsform

import (
	"regexp"
	"strings"
)

// ncName is a name of XML 1.0 (fifth edition) without its colon.
const (
	nameStart = `A-Z_a-z\x{C0}-\x{D6}\x{D8}-\x{F6}\x{F8}-\x{2FF}\x{370}-\x{37D}\x{37F}-\x{1FFF}\x{200C}\x{200D}\x{2070}-\x{218F}\x{2C00}-\x{2FEF}\x{3001}-\x{D7FF}\x{F900}-\x{FDCF}\x{FDF0}-\x{FFFD}\x{10000}-\x{EFFFF}`
	ncName    = `[` + nameStart + `][` + nameStart + `\-.0-9\x{B7}\x{300}-\x{36F}\x{203F}\x{2040}]*`
)

var (
	// xmlName is the name of an element; one prefix is allowed.
	xmlName = regexp.MustCompile(`^` + ncName + `(?::` + ncName + `)?$`)
	// Ref finds ${name} and ${last-saved#name}: group 1 is the prefix, group 2 the
	// name.
	Ref = regexp.MustCompile(`\$\{(last-saved#)?(` + ncName + `)\}`)
	// refLike finds what was meant as a reference, well written or not.
	refLike = regexp.MustCompile(`\$\{[^}]+\}|\$\{[^}]*$`)
	refOnly = regexp.MustCompile(`^\$\{(last-saved#)?(` + ncName + `)\}$`)
)

// HasRef tells whether a text holds a well-written ${name}.
func HasRef(s string) bool { return strings.Contains(s, "${") && Ref.MatchString(s) }

// OnlyRef returns the name when a text is one ${name} and nothing else.
func OnlyRef(s string) (string, bool) {
	m := refOnly.FindStringSubmatch(s)
	if m == nil {
		return "", false
	}
	return m[2], true
}

// refNames lists the names that a text refers to. ok is false when something
// looks like a reference and is none: a blank or a stray sign within, no end.
func refNames(s string) (names []string, ok bool) {
	if len(s) < 3 || !strings.Contains(s, "${") {
		return nil, true
	}
	for _, m := range refLike.FindAllString(s, -1) {
		parts := refOnly.FindStringSubmatch(m)
		if parts == nil {
			return names, false
		}
		names = append(names, parts[2])
	}
	return names, true
}

// TokenKind says what a token of an expression is.
type TokenKind uint8

// Kinds of token, in the order in which they are tried: a number before an
// operator, a function before a plain name.
const (
	TokenOther TokenKind = iota
	TokenDateTime
	TokenDate
	TokenTime
	TokenNumber
	TokenMath
	TokenCompare
	TokenBool
	TokenUnion
	TokenOpen
	TokenClose
	TokenBracket
	TokenParent
	TokenSelf
	TokenSlash
	TokenLiteral
	TokenComma
	TokenSpace
	TokenRef
	TokenFunction
	TokenPredicate // name[
	TokenPredicateEnd
	TokenScheme // jr://
	TokenName
)

var tokenPatterns = []string{
	TokenDateTime:     `-?\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[+-]\d{2}:\d{2}|Z)?`,
	TokenDate:         `-?\d{4}-\d{2}-\d{2}`,
	TokenTime:         `\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[+-]\d{2}:\d{2}|Z)?`,
	TokenNumber:       `-?\d+\.\d*|-?\.\d+|-?\d+`,
	TokenMath:         `[*+\-]| mod | div `,
	TokenCompare:      `!=|<=|>=|=|<|>`,
	TokenBool:         ` and | or `,
	TokenUnion:        `\|`,
	TokenOpen:         `\(`,
	TokenClose:        `\)`,
	TokenBracket:      `[\[{}]`,
	TokenParent:       `\.\.`,
	TokenSelf:         `\.`,
	TokenSlash:        `/`,
	TokenLiteral:      `"[^"]*"|'[^']*'`,
	TokenComma:        `,`,
	TokenSpace:        `\s+`,
	TokenRef:          `\$\{(?:last-saved#)?` + ncName + `\}`,
	TokenFunction:     ncName + `(?::` + ncName + `)?\(`,
	TokenPredicate:    ncName + `(?::` + ncName + `)?\[`,
	TokenPredicateEnd: `\]`,
	TokenScheme:       ncName + `://`,
	TokenName:         ncName + `(?::` + ncName + `)?`,
}

var tokenPattern = func() *regexp.Regexp {
	parts := make([]string, 0, len(tokenPatterns))
	for _, p := range tokenPatterns[1:] {
		parts = append(parts, "("+p+")")
	}
	return regexp.MustCompile(`^(?:` + strings.Join(parts, "|") + `)`)
}()

// Token is one piece of an expression.
type Token struct {
	Kind       TokenKind
	Start, End int // bytes
}

// Tokens takes an expression apart. It accepts any text: what is no XPath is
// TokenOther.
func Tokens(s string) []Token {
	var out []Token
	for at := 0; at < len(s); {
		m := tokenPattern.FindStringSubmatchIndex(s[at:])
		t := Token{TokenOther, at, at + 1}
		if m != nil && m[1] > 0 {
			for g := 1; g*2 < len(m); g++ {
				if m[g*2] >= 0 {
					t = Token{TokenKind(g), at, at + m[1]}
					break
				}
			}
		}
		out = append(out, t)
		at = t.End
	}
	return out
}

// dynamic tells a default that phones must compute (an operator, a function, a
// reference) from one that is the answer itself. A hyphen in a date or position
// is no operator.
func dynamic(text, questionType string) bool {
	if text == "" {
		return false
	}
	hyphenated := false
	switch questionType {
	case "date", "dateTime", "geopoint", "geotrace", "geoshape":
		hyphenated = true
	}
	for _, t := range Tokens(text) {
		switch t.Kind {
		case TokenMath:
			if hyphenated && text[t.Start:t.End] == "-" {
				return false
			}
			return true
		case TokenUnion, TokenRef, TokenFunction:
			return true
		}
	}
	return false
}
