package bulk

import (
	"bytes"
	"fmt"
	"io"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"dtm"
)

const (
	maxRecord = 1 << 20 // bytes of one row: registry rows have a few hundred
	maxLines  = 20      // lines that a quoted field may span
)

// scanner cuts text into records. It differs from encoding/csv where that would
// lose rows: there, a quotation mark that is never closed takes the rest of the
// file for one field; here it spoils its own line.
type scanner struct {
	name  string
	in    io.Reader
	comma byte
	width int // columns of the header; 0 before it is read
	line  int // of the last line given
	latin int // lines that were not UTF-8

	buf     []byte
	r, w    int // what of buf is not consumed
	end     error
	fields  [][]byte
	scratch []byte // fields with doubled quotation marks, undone
}

// next gives a record; its fields hold until the next call. The record is torn
// when a quotation mark is not closed: then its one field is the whole line.
func (s *scanner) next() (record, error) {
	for {
		n, err := s.lineEnd(0)
		if err != nil {
			return record{line: s.line}, err
		}
		s.line++
		at := s.line
		first := s.text(s.buf[s.r : s.r+n])
		if len(first) == 0 {
			s.r += n
			continue
		}
		if s.split(first, false) {
			s.r += n
			return s.record(at), nil
		}
		if n, lines, ok := s.further(n); ok {
			s.r += n
			s.line += lines
			return s.record(at), nil
		}
		first = s.text(s.buf[s.r : s.r+n]) // looking further may have moved it
		s.r += n
		s.fields = append(s.fields[:0], first)
		return record{line: at, fields: s.fields, torn: true}, nil
	}
}

func (s *scanner) record(line int) record {
	if s.width == 0 {
		s.width = len(s.fields)
	}
	return record{line: line, fields: s.fields}
}

// further takes in the lines that follow until the quoted field ends. It says no
// when that does not give a whole row: the mark was a slip of the pen.
func (s *scanner) further(n int) (end, lines int, ok bool) {
	for lines < maxLines && n < maxRecord {
		m, err := s.lineEnd(n)
		if err != nil {
			return 0, 0, false
		}
		n = m
		lines++
		if s.split(s.text(s.buf[s.r:s.r+n]), true) {
			return n, lines, s.width == 0 || len(s.fields) == s.width
		}
	}
	return 0, 0, false
}

// lineEnd finds the end, line feed included, of the line that begins from bytes
// ahead.
func (s *scanner) lineEnd(from int) (int, error) {
	seen := from
	for {
		if i := bytes.IndexByte(s.buf[s.r+seen:s.w], '\n'); i >= 0 {
			return seen + i + 1, nil
		}
		seen = s.w - s.r
		switch {
		case s.end == io.EOF && seen > from:
			return seen, nil
		case s.end != nil:
			return 0, s.end
		case seen-from > maxRecord:
			return 0, dtm.Errorf(dtm.Invalid, "a line of more than %d bytes: this is not a table of registry rows", maxRecord).At(fmt.Sprintf("%s:%d", s.name, s.line+1)).Coded("import.line", maxRecord)
		}
		s.fill()
	}
}

func (s *scanner) fill() {
	if s.r > 0 && s.w == len(s.buf) {
		copy(s.buf, s.buf[s.r:s.w])
		s.r, s.w = 0, s.w-s.r
	}
	if s.w == len(s.buf) {
		s.buf = append(s.buf, make([]byte, max(256<<10, len(s.buf)))...)
	}
	n, err := s.in.Read(s.buf[s.w:])
	s.w += n
	s.end = err
}

// text is a line without its end, in UTF-8.
func (s *scanner) text(b []byte) []byte {
	b = bytes.TrimSuffix(bytes.TrimSuffix(b, []byte("\n")), []byte("\r"))
	if utf8.Valid(b) {
		return b
	}
	s.latin++
	u, err := charmap.Windows1252.NewDecoder().Bytes(b)
	if err != nil {
		return bytes.ToValidUTF8(b, []byte("\ufffd"))
	}
	return u
}

// split cuts b at the separators; false when a quoted field does not end. A single
// mark in the middle of a quoted field is text, unless strict.
func (s *scanner) split(b []byte, strict bool) (closed bool) {
	s.fields, s.scratch = s.fields[:0], s.scratch[:0]
	for {
		if len(b) > 0 && b[0] == '"' {
			field, rest, more, closed := s.unquote(b[1:], strict)
			if !closed {
				return false
			}
			s.fields = append(s.fields, field)
			if !more {
				return true
			}
			b = rest
			continue
		}
		i := bytes.IndexByte(b, s.comma)
		if i < 0 {
			s.fields = append(s.fields, b)
			return true
		}
		s.fields = append(s.fields, b[:i])
		b = b[i+1:]
	}
}

// unquote reads a quoted field, in which doubled marks are one.
func (s *scanner) unquote(b []byte, strict bool) (field, rest []byte, more, closed bool) {
	plain := true
	for i := 0; ; i++ {
		n := bytes.IndexByte(b[i:], '"')
		if n < 0 {
			return nil, nil, false, false
		}
		i += n
		switch {
		case i+1 == len(b):
			return s.undouble(b[:i], plain), nil, false, true
		case b[i+1] == s.comma:
			return s.undouble(b[:i], plain), b[i+2:], true, true
		case b[i+1] == '"':
			plain = false
			i++
		case strict:
			return nil, nil, false, false
		}
	}
}

func (s *scanner) undouble(b []byte, plain bool) []byte {
	if plain {
		return b
	}
	from := len(s.scratch)
	for i := 0; i < len(b); i++ {
		s.scratch = append(s.scratch, b[i])
		if b[i] == '"' && i+1 < len(b) && b[i+1] == '"' {
			i++
		}
	}
	return s.scratch[from:len(s.scratch):len(s.scratch)]
}

func (s *scanner) notes() []*dtm.Error {
	if s.latin == 0 {
		return nil
	}
	return []*dtm.Error{dtm.Errorf(dtm.Invalid, "%d lines are not UTF-8; they were read as Latin-1 (Windows-1252)", s.latin).Coded("import.latin", s.latin)}
}

func (s *scanner) close() error { return nil }

// returns gives the line ends of old Macintosh files, a carriage return alone, as
// line feeds.
type returns struct{ r io.Reader }

func (m returns) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	for i, b := range p[:n] {
		if b == '\r' {
			p[i] = '\n'
		}
	}
	return n, err
}
