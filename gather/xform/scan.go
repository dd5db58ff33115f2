package xform

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"dtm"
)

// Bounds of a submission's XML: far above any form, far below what exhausts.
const (
	maxDepth = 64
	maxAttrs = 64
	maxNodes = 200_000
)

// handler is told of elements as they open and close, and of the text between.
// What it is given is only good until it returns.
type handler interface {
	// open gives the element's name without prefix; its depth is 1 for the root.
	open(name []byte, attrs []attr, depth int) error
	// text may come in pieces; references are replaced.
	text(piece []byte)
	close(depth int) error
}

// attr is an attribute: its whole name with prefix, and its text as it stands.
type attr struct{ name, raw []byte }

// value is the attribute's text as XML 1.0 (3.3.3) reads it: references are
// replaced, a line break or a tab that stands there as such is a blank.
func (a attr) value() string {
	if !bytes.ContainsAny(a.raw, "&\t\r\n") {
		return string(a.raw)
	}
	var b []byte
	for rest := a.raw; len(rest) > 0; {
		switch rest[0] {
		case '&':
			text, n, _ := reference(rest) // the scanner has checked it
			b, rest = append(b, text...), rest[max(n, 1):]
			continue
		case '\t', '\n':
			b = append(b, ' ')
		case '\r':
			if len(rest) > 1 && rest[1] == '\n' {
				rest = rest[1:]
			}
			b = append(b, ' ')
		default:
			b = append(b, rest[0])
		}
		rest = rest[1:]
	}
	return string(b)
}

// scan reads one document in one pass and keeps no tree of it. Everything that a
// phone does not send is an error of kind Invalid that names line and column: XML
// that is not well-formed, a DOCTYPE, entities, another encoding than UTF-8, a
// second root, an attribute twice, elements too deep or too many.
func scan(doc []byte, h handler) error {
	s := scanner{doc: doc, h: h}
	if i := badRune(doc); i >= 0 {
		s.pos = i
		return s.bad("the text is not UTF-8, or holds a character that XML does not allow")
	}
	if err := s.document(); err != nil {
		return err
	}
	return nil
}

type scanner struct {
	doc   []byte
	pos   int
	h     handler
	open  [maxDepth][]byte // names of the elements that are open
	depth int
	nodes int
	root  bool
	attrs [maxAttrs]attr
}

func (s *scanner) bad(format string, a ...any) error {
	pos := min(s.pos, len(s.doc))
	before := s.doc[:pos]
	start := bytes.LastIndexByte(before, '\n') + 1
	return dtm.Errorf(dtm.Invalid, format, a...).
		At(fmt.Sprintf("line %d, column %d", bytes.Count(before, []byte{'\n'})+1, utf8.RuneCount(before[start:])+1)).Coded("xml.invalid")
}

// badRune finds the first byte that is no text of XML 1.0.
func badRune(doc []byte) int {
	const high, blank = 0x8080808080808080, 0x2020202020202020
	for i := 0; i < len(doc); {
		// Eight at once: no byte beyond ASCII, and none that a blank cannot be taken
		// from without a borrow.
		if i+8 <= len(doc) {
			if eight := binary.LittleEndian.Uint64(doc[i:]); (eight|(eight-blank))&high == 0 {
				i += 8
				continue
			}
		}
		c := doc[i]
		if c < utf8.RuneSelf {
			if c < ' ' && c != '\n' && c != '\t' && c != '\r' {
				return i
			}
			i++
			continue
		}
		r, n := utf8.DecodeRune(doc[i:])
		if r == utf8.RuneError && n == 1 || r == 0xFFFE || r == 0xFFFF {
			return i
		}
		i += n
	}
	return -1
}

func (s *scanner) document() error {
	if bytes.HasPrefix(s.doc, []byte("\xef\xbb\xbf")) {
		s.pos = 3
	}
	if bytes.HasPrefix(s.doc[s.pos:], []byte("<?xml")) && s.pos+5 < len(s.doc) && blank(s.doc[s.pos+5]) {
		if err := s.declaration(); err != nil {
			return err
		}
	}
	for s.pos < len(s.doc) {
		next := bytes.IndexByte(s.doc[s.pos:], '<')
		if next < 0 {
			next = len(s.doc) - s.pos
		}
		if next > 0 {
			if err := s.characters(s.doc[s.pos : s.pos+next]); err != nil {
				return err
			}
			if s.pos >= len(s.doc) {
				break
			}
		}
		if err := s.markup(); err != nil {
			return err
		}
	}
	switch {
	case s.depth > 0:
		return s.bad("the XML ends within <%s>: it was cut off", s.open[s.depth-1])
	case !s.root:
		return s.bad("there is no root element")
	}
	return nil
}

func blank(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

// declaration reads <?xml ... ?>.
func (s *scanner) declaration() error {
	end := bytes.Index(s.doc[s.pos:], []byte("?>"))
	if end < 0 {
		return s.bad("the XML declaration is not closed")
	}
	text := string(s.doc[s.pos : s.pos+end])
	if v, given := pseudo(text, "version"); !given || v != "1.0" {
		return s.bad("the XML version %q is not accepted; send 1.0", v)
	}
	if v, given := pseudo(text, "encoding"); given && !strings.EqualFold(v, "utf-8") && !strings.EqualFold(v, "us-ascii") {
		return s.bad("the encoding %q is not accepted; send UTF-8", v)
	}
	s.pos += end + 2
	return nil
}

// pseudo reads an attribute of the XML declaration.
func pseudo(text, name string) (string, bool) {
	_, rest, found := strings.Cut(text, name)
	rest = strings.TrimLeft(rest, " \t\r\n")
	if !found || !strings.HasPrefix(rest, "=") {
		return "", false
	}
	rest = strings.TrimLeft(rest[1:], " \t\r\n")
	if rest == "" || rest[0] != '"' && rest[0] != '\'' {
		return "", true
	}
	v, _, _ := strings.Cut(rest[1:], rest[:1])
	return v, true
}

// characters takes text between tags.
func (s *scanner) characters(text []byte) error {
	if s.depth == 0 {
		if i := bytes.IndexFunc(text, func(r rune) bool { return r != ' ' && r != '\n' && r != '\t' && r != '\r' }); i >= 0 {
			s.pos += i
			return s.bad("text outside the root element")
		}
		s.pos += len(text)
		return nil
	}
	if i := bytes.IndexByte(text, ']'); i < 0 {
		// As nearly always.
	} else if i = bytes.Index(text, []byte("]]>")); i >= 0 {
		s.pos += i
		return s.bad("]]> stands in the text")
	}
	for len(text) > 0 {
		amp := bytes.IndexByte(text, '&')
		if amp < 0 {
			s.h.text(text)
			s.pos += len(text)
			return nil
		}
		if amp > 0 {
			s.h.text(text[:amp])
			s.pos += amp
			text = text[amp:]
		}
		out, n, ok := reference(text)
		if !ok {
			return s.badReference(text)
		}
		s.h.text(out)
		s.pos += n
		text = text[n:]
	}
	return nil
}

func (s *scanner) badReference(text []byte) error {
	end := bytes.IndexByte(text[:min(len(text), 40)], ';')
	if end < 0 {
		return s.bad("the XML is not well-formed: write & as &amp;")
	}
	return s.bad("the entity %s is not accepted", text[:end+1])
}

var (
	ampersand, less, greater, quote, apostrophe = []byte("&"), []byte("<"), []byte(">"), []byte(`"`), []byte("'")
)

// reference reads &amp; and its like at the start of text: what it stands for,
// and its length.
func reference(text []byte) (out []byte, n int, ok bool) {
	end := bytes.IndexByte(text[:min(len(text), 12)], ';')
	if end < 2 {
		return nil, 0, false
	}
	name := text[1:end]
	switch string(name) {
	case "amp":
		return ampersand, end + 1, true
	case "lt":
		return less, end + 1, true
	case "gt":
		return greater, end + 1, true
	case "quot":
		return quote, end + 1, true
	case "apos":
		return apostrophe, end + 1, true
	}
	if name[0] != '#' || len(name) < 2 {
		return nil, 0, false
	}
	digits, base := string(name[1:]), 10
	if digits[0] == 'x' {
		digits, base = digits[1:], 16
	}
	code, err := strconv.ParseUint(digits, base, 32)
	r := rune(code)
	if err != nil || code > unicode.MaxRune || r >= 0xD800 && r < 0xE000 || r < ' ' && r != '\n' && r != '\t' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
		return nil, 0, false
	}
	return utf8.AppendRune(nil, r), end + 1, true
}

// markup reads what begins with <.
func (s *scanner) markup() error {
	rest := s.doc[s.pos:]
	switch {
	case len(rest) < 2:
		return s.bad("the XML ends after <: it was cut off")
	case rest[1] == '/':
		return s.end()
	case rest[1] == '?':
		if len(rest) > 5 && strings.EqualFold(string(rest[2:5]), "xml") && !name(rest[5]) {
			return s.bad("the XML declaration stands at the very beginning, once")
		}
		at := s.pos
		s.pos += 2
		if target := s.word(); target == nil || s.pos < len(s.doc) && !blank(s.doc[s.pos]) && s.doc[s.pos] != '?' {
			s.pos = at
			return s.bad("the XML is not well-formed: <? is not followed by a name")
		}
		return s.skip("?>", "a processing instruction is not closed")
	case bytes.HasPrefix(rest, []byte("<!--")):
		start := s.pos
		s.pos += 4
		if err := s.skip("-->", "a comment is not closed"); err != nil {
			return err
		}
		if bytes.Contains(s.doc[start+4:s.pos-3], []byte("--")) || s.doc[s.pos-4] == '-' && s.pos-4 >= start+4 {
			return s.bad("a comment may not hold --")
		}
		return nil
	case bytes.HasPrefix(rest, []byte("<![CDATA[")):
		if s.depth == 0 {
			return s.bad("text outside the root element")
		}
		start := s.pos + 9
		if err := s.skip("]]>", "a CDATA section is not closed"); err != nil {
			return err
		}
		s.h.text(s.doc[start : s.pos-3])
		return nil
	case rest[1] == '!':
		return s.bad("a DOCTYPE or other declaration is not accepted")
	}
	return s.start()
}

func (s *scanner) skip(to, why string) error {
	i := bytes.Index(s.doc[s.pos:], []byte(to))
	if i < 0 {
		return s.bad("%s", why)
	}
	s.pos += i + len(to)
	return nil
}

// name tells the ASCII characters of names; beginnings are checked apart.
func name(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == '.' || c == ':' || c >= utf8.RuneSelf
}

// word reads a name at the scanner's place; it is empty when there is none.
func (s *scanner) word() []byte {
	start := s.pos
	pos, all, colons := start, byte(0), 0
	for pos < len(s.doc) {
		c := s.doc[pos]
		if !named[c] {
			break
		}
		if c == ':' {
			colons++
		}
		all |= c
		pos++
	}
	s.pos = pos
	w := s.doc[start:pos]
	if len(w) == 0 {
		return nil
	}
	if all >= utf8.RuneSelf {
		for i, r := range string(w) {
			if r >= utf8.RuneSelf && !unicode.Is(nameStart, r) && (i == 0 || !unicode.Is(nameMore, r)) {
				s.pos = start
				return nil
			}
		}
	}
	if c := w[0]; c >= '0' && c <= '9' || c == '-' || c == '.' || c == ':' || w[len(w)-1] == ':' || colons > 1 {
		s.pos = start
		return nil
	}
	return w
}

// named tells which bytes can be part of a name.
var named = func() (t [256]bool) {
	for c := range t {
		t[c] = name(byte(c))
	}
	return t
}()

// nameStart and nameMore are the characters of names beyond ASCII, by XML 1.0,
// fifth edition.
var (
	nameStart = &unicode.RangeTable{
		R16: []unicode.Range16{{0xC0, 0xD6, 1}, {0xD8, 0xF6, 1}, {0xF8, 0x2FF, 1}, {0x370, 0x37D, 1}, {0x37F, 0x1FFF, 1}, {0x200C, 0x200D, 1}, {0x2070, 0x218F, 1}, {0x2C00, 0x2FEF, 1}, {0x3001, 0xD7FF, 1}, {0xF900, 0xFDCF, 1}, {0xFDF0, 0xFFFD, 1}},
		R32: []unicode.Range32{{0x10000, 0xEFFFF, 1}},
	}
	nameMore = &unicode.RangeTable{R16: []unicode.Range16{{0xB7, 0xB7, 1}, {0x300, 0x36F, 1}, {0x203F, 0x2040, 1}}}
)

func (s *scanner) blanks() bool {
	start := s.pos
	for s.pos < len(s.doc) && blank(s.doc[s.pos]) {
		s.pos++
	}
	return s.pos > start
}

func local(name []byte) []byte { return name[bytes.IndexByte(name, ':')+1:] }

// start reads an opening tag.
func (s *scanner) start() error {
	at := s.pos
	s.pos++
	tag := s.word()
	if tag == nil {
		s.pos = at
		return s.bad("the XML is not well-formed: < is not followed by a name")
	}
	switch s.nodes++; {
	case s.depth == 0 && s.root:
		s.pos = at
		return s.bad("a second root element <%s>: a submission has one", tag)
	case s.depth == maxDepth:
		s.pos = at
		return s.bad("elements are nested more than %d deep", maxDepth)
	case s.nodes > maxNodes:
		s.pos = at
		return s.bad("more than %d elements", maxNodes)
	}
	n := 0
	for {
		spaced := s.blanks()
		if s.pos >= len(s.doc) {
			return s.bad("the XML ends within <%s>: it was cut off", tag)
		}
		if c := s.doc[s.pos]; c == '>' || c == '/' {
			break
		}
		here := s.pos
		a := attr{name: s.word()}
		switch {
		case a.name == nil || !spaced:
			s.pos = here
			return s.bad("the XML is not well-formed: the tag <%s> is broken", tag)
		case n == maxAttrs:
			s.pos = here
			return s.bad("<%s> has more than %d attributes", tag, maxAttrs)
		}
		s.blanks()
		if s.pos >= len(s.doc) || s.doc[s.pos] != '=' {
			return s.bad("the attribute %s of <%s> has no value", a.name, tag)
		}
		s.pos++
		s.blanks()
		if s.pos >= len(s.doc) || s.doc[s.pos] != '"' && s.doc[s.pos] != '\'' {
			return s.bad("the value of the attribute %s of <%s> is not in quotation marks", a.name, tag)
		}
		q := s.doc[s.pos]
		s.pos++
		end := bytes.IndexByte(s.doc[s.pos:], q)
		if end < 0 {
			return s.bad("the value of the attribute %s of <%s> is not closed", a.name, tag)
		}
		a.raw = s.doc[s.pos : s.pos+end]
		for i, c := range a.raw {
			if c == '<' {
				s.pos += i
				return s.bad("the value of the attribute %s of <%s> holds <", a.name, tag)
			}
			if c == '&' {
				if _, _, ok := reference(a.raw[i:]); !ok {
					s.pos += i
					return s.badReference(a.raw[i:])
				}
			}
		}
		s.pos += end + 1
		for _, b := range s.attrs[:n] {
			if bytes.Equal(a.name, b.name) {
				s.pos = here
				return s.bad("<%s> has the attribute %s twice", tag, a.name)
			}
		}
		s.attrs[n] = a
		n++
	}
	closed := s.doc[s.pos] == '/'
	if closed {
		s.pos++
		if s.pos >= len(s.doc) || s.doc[s.pos] != '>' {
			return s.bad("the XML is not well-formed: the tag <%s> is broken", tag)
		}
	}
	s.pos++
	s.root = true
	s.open[s.depth] = tag
	s.depth++
	if err := s.h.open(local(tag), s.attrs[:n], s.depth); err != nil {
		return err
	}
	if closed {
		err := s.h.close(s.depth)
		s.depth--
		return err
	}
	return nil
}

// end reads a closing tag.
func (s *scanner) end() error {
	at := s.pos
	s.pos += 2
	if s.depth > 0 { // as nearly always: what is open, closed without a blank
		if open, rest := s.open[s.depth-1], s.doc[s.pos:]; len(rest) > len(open) && rest[len(open)] == '>' && string(rest[:len(open)]) == string(open) {
			s.pos += len(open) + 1
			err := s.h.close(s.depth)
			s.depth--
			return err
		}
	}
	tag := s.word()
	s.blanks()
	if tag == nil || s.pos >= len(s.doc) || s.doc[s.pos] != '>' {
		s.pos = at
		return s.bad("the XML is not well-formed: a closing tag is broken")
	}
	if s.depth == 0 || !bytes.Equal(s.open[s.depth-1], tag) {
		s.pos = at
		if s.depth == 0 {
			return s.bad("</%s> closes nothing", tag)
		}
		return s.bad("</%s> stands where <%s> must be closed", tag, s.open[s.depth-1])
	}
	s.pos++
	err := s.h.close(s.depth)
	s.depth--
	return err
}
