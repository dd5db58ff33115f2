package bulk

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"dtm"
)

// Source is a registry file. Name is what errors call it.
type Source struct {
	Name string
	Data io.Reader
	Size int64 // in bytes; 0 when not known
}

// record is a row of a file. line is its number there, the header's being 1.
type record struct {
	line   int
	fields [][]byte
	torn   bool // cannot be cut into fields
}

// records gives the rows of a file one by one; what it gives is overwritten by the
// next call. The first row is the header.
type records interface {
	next() (record, error)
	notes() []*dtm.Error
	close() error
}

// counter counts what is read, for progress.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// open recognises the file by its first bytes, not by its name.
func open(name string, in io.Reader) (records, error) {
	b := bufio.NewReaderSize(in, 64<<10)
	head, err := b.Peek(4096)
	if err != nil && !errors.Is(err, io.EOF) && len(head) == 0 {
		return nil, dtm.Errorf(dtm.Invalid, "the file cannot be read: %w", err).At(name).Coded("import.unread")
	}
	switch {
	case len(bytes.TrimSpace(bytes.TrimPrefix(head, []byte("\ufeff")))) == 0:
		return nil, dtm.Errorf(dtm.Invalid, "the file is empty; export the registry again").At(name).Coded("import.empty")
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return openXLSX(name, b)
	case bytes.HasPrefix(head, []byte{0xd0, 0xcf, 0x11, 0xe0}):
		return nil, dtm.Errorf(dtm.Unsupported, "this is an old Excel file (.xls) or one with a password; save it as .xlsx without one, or as .csv").At(name).Coded("import.xls")
	case bytes.HasPrefix(head, []byte("%PDF")):
		return nil, dtm.Errorf(dtm.Unsupported, "this is a PDF; the registry comes as .csv or .xlsx").At(name).Coded("import.pdf")
	}
	var text io.Reader = b
	var encoding *dtm.Error
	switch order, ok := utf16Order(head); {
	case ok:
		text, encoding = transform.NewReader(b, unicode.UTF16(order, unicode.UseBOM).NewDecoder()), dtm.Errorf(dtm.Invalid, "the file is UTF-16; it was read as such").Coded("import.utf16")
	case notText(head):
		return nil, dtm.Errorf(dtm.Unsupported, "this is neither a CSV nor an XLSX file").At(name).Coded("import.format")
	default:
		if bytes.HasPrefix(head, []byte("\ufeff")) {
			if _, err := b.Discard(3); err != nil {
				return nil, err
			}
		}
	}
	tb := bufio.NewReaderSize(text, 64<<10)
	first, _ := tb.Peek(64 << 10) // what is there; errors come back on reading
	end := bytes.IndexByte(first, '\n')
	text = tb
	if cr := bytes.IndexByte(first, '\r'); end < 0 && cr >= 0 {
		end, text = cr, returns{tb}
	}
	if end >= 0 {
		first = first[:end]
	}
	t := &textFile{scanner: scanner{name: name, in: text, comma: separator(first)}, encoding: encoding}
	return t, nil
}

// textFile is a scanner that knows its file's encoding.
type textFile struct {
	scanner
	encoding *dtm.Error // a note; nil: UTF-8
}

func (t *textFile) notes() []*dtm.Error {
	if t.encoding != nil {
		return append([]*dtm.Error{t.encoding}, t.scanner.notes()...)
	}
	return t.scanner.notes()
}

// notText tells what no text file has: control characters other than those of
// lines and tabs.
func notText(head []byte) bool {
	return bytes.ContainsFunc(head, func(r rune) bool { return r < ' ' && r != '\n' && r != '\r' && r != '\t' && r != '\f' })
}

// utf16Order tells UTF-16 by its mark, or by every other byte being zero.
func utf16Order(head []byte) (unicode.Endianness, bool) {
	switch {
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}):
		return unicode.LittleEndian, true
	case bytes.HasPrefix(head, []byte{0xfe, 0xff}):
		return unicode.BigEndian, true
	case len(head) < 4:
		return unicode.LittleEndian, false
	case head[0] != 0 && head[1] == 0 && head[2] != 0 && head[3] == 0:
		return unicode.LittleEndian, true
	case head[0] == 0 && head[1] != 0 && head[2] == 0 && head[3] != 0:
		return unicode.BigEndian, true
	}
	return unicode.LittleEndian, false
}

// separator is the one that the header row has most of.
func separator(header []byte) byte {
	best, most := byte(','), 0
	for _, s := range []byte{',', ';', '\t'} {
		if n := bytes.Count(header, []byte{s}); n > most {
			best, most = s, n
		}
	}
	return best
}
