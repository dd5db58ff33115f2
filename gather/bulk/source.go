package bulk

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/charmap"
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

// records gives the rows of a file one by one; the slice is overwritten by the
// next call. line is the row's number in the file, the header being 1.
type records interface {
	next() (rec []string, line int, err error)
	notes() []string
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
	b := bufio.NewReaderSize(in, 1<<20)
	head, err := b.Peek(4096)
	if err != nil && !errors.Is(err, io.EOF) && len(head) == 0 {
		return nil, dtm.Errorf(dtm.Invalid, "the file cannot be read: %w", err).At(name)
	}
	switch {
	case len(bytes.TrimSpace(bytes.TrimPrefix(head, []byte("\ufeff")))) == 0:
		return nil, dtm.Errorf(dtm.Invalid, "the file is empty; export the registry again").At(name).Coded("import.empty")
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return openXLSX(name, b)
	case bytes.HasPrefix(head, []byte{0xd0, 0xcf, 0x11, 0xe0}):
		return nil, dtm.Errorf(dtm.Unsupported, "this is an old Excel file (.xls); save it as .xlsx or .csv").At(name).Coded("import.xls")
	case bytes.HasPrefix(head, []byte("%PDF")):
		return nil, dtm.Errorf(dtm.Unsupported, "this is a PDF; the registry comes as .csv or .xlsx").At(name).Coded("import.format")
	}
	var text io.Reader = b
	encoding := ""
	switch order, ok := utf16Order(head); {
	case ok:
		text, encoding = transform.NewReader(b, unicode.UTF16(order, unicode.UseBOM).NewDecoder()), "UTF-16"
	case bytes.IndexByte(head, 0) >= 0:
		return nil, dtm.Errorf(dtm.Unsupported, "this is neither a CSV nor an XLSX file").At(name).Coded("import.format")
	default:
		if bytes.HasPrefix(head, []byte("\ufeff")) {
			if _, err := b.Discard(3); err != nil {
				return nil, err
			}
		}
	}
	tb := bufio.NewReaderSize(text, 1<<20)
	first, _ := tb.Peek(64 << 10) // what is there; errors come back on reading
	if i := bytes.IndexByte(first, '\n'); i >= 0 {
		first = first[:i]
	}
	c := csv.NewReader(tb)
	c.Comma = separator(first)
	c.ReuseRecord, c.LazyQuotes, c.FieldsPerRecord = true, true, -1
	return &csvRecords{name: name, csv: c, encoding: encoding}, nil
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
func separator(header []byte) rune {
	best, most := ',', 0
	for _, s := range []rune{',', ';', '\t'} {
		if n := bytes.Count(header, []byte(string(s))); n > most {
			best, most = s, n
		}
	}
	return best
}

type csvRecords struct {
	name     string
	csv      *csv.Reader
	encoding string
	latin    int // rows that were not UTF-8
}

func (c *csvRecords) next() ([]string, int, error) {
	rec, err := c.csv.Read()
	line, _ := c.csv.FieldPos(0)
	if err != nil {
		var pe *csv.ParseError
		if errors.As(err, &pe) {
			return nil, pe.Line, nil // the row alone is bad
		}
		return nil, line, err
	}
	foreign := false
	for i, f := range rec {
		if !utf8.ValidString(f) {
			s, err := charmap.Windows1252.NewDecoder().String(f)
			if err != nil {
				return nil, line, nil
			}
			rec[i], foreign = s, true
		}
	}
	if foreign {
		c.latin++
	}
	return rec, line, nil
}

func (c *csvRecords) notes() []string {
	var out []string
	if c.encoding != "" {
		out = append(out, "the file is "+c.encoding+"; it was read as such")
	}
	if c.latin > 0 {
		out = append(out, fmt.Sprintf("%d rows are not UTF-8; they were read as Latin-1 (Windows-1252)", c.latin))
	}
	return out
}

// unzipLimit bounds what an XLSX file may unpack to.
const unzipLimit = 2 << 30

type xlsxRecords struct {
	rows  *excelize.Rows
	file  *excelize.File
	sheet string
	line  int
	width int
}

func openXLSX(name string, in io.Reader) (records, error) {
	f, err := excelize.OpenReader(in, excelize.Options{RawCellValue: true, UnzipSizeLimit: unzipLimit, UnzipXMLSizeLimit: 64 << 20})
	if err != nil {
		return nil, dtm.Errorf(dtm.Invalid, "the workbook is damaged or cut off (%v); export it again", err).At(name).Coded("import.damaged")
	}
	sheet := f.GetSheetName(0)
	rows, err := f.Rows(sheet)
	if err != nil {
		return nil, dtm.Errorf(dtm.Invalid, "the sheet %q cannot be read: %w", sheet, err).At(name)
	}
	return &xlsxRecords{rows: rows, file: f, sheet: sheet}, nil
}

func (x *xlsxRecords) next() ([]string, int, error) {
	for x.rows.Next() {
		x.line++
		cells, err := x.rows.Columns(excelize.Options{RawCellValue: true})
		if err != nil {
			return nil, x.line, dtm.Errorf(dtm.Invalid, "row %d: %w", x.line, err).At(fmt.Sprintf("%s!%d", x.sheet, x.line))
		}
		if strings.TrimSpace(strings.Join(cells, "")) == "" {
			continue // a spreadsheet's empty rows say nothing
		}
		if x.width == 0 {
			x.width = len(cells)
		}
		for len(cells) < x.width { // empty cells at the end are not stored
			cells = append(cells, "")
		}
		for len(cells) > x.width && cells[len(cells)-1] == "" {
			cells = cells[:len(cells)-1]
		}
		return cells, x.line, nil
	}
	if err := x.rows.Error(); err != nil {
		return nil, x.line, err
	}
	return nil, x.line, io.EOF
}

func (x *xlsxRecords) notes() []string {
	if n := x.file.SheetCount; n > 1 {
		return []string{fmt.Sprintf("the workbook has %d sheets; the first, %q, was read", n, x.sheet)}
	}
	return nil
}
