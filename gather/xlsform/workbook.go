package xlsform

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"

	"dtm"
)

// sheet is a table whose first row is the header.
type sheet struct {
	name string
	rows []line
}

// line is one row with its number in the sheet, from 1.
type line struct {
	n     int
	cells []string
}

// Limits on what a workbook may unpack to: a form is small.
const (
	unzipLimit = 256 << 20
	maxRows    = 100_000
	maxColumns = 500
)

// sheets reads all sheets, in order, whatever the file is called.
func sheets(name string, data []byte) ([]sheet, error) {
	switch {
	case len(bytes.TrimSpace(data)) == 0:
		return nil, dtm.Errorf(dtm.Invalid, "the file is empty").At(name).Coded("form.empty")
	case bytes.HasPrefix(data, []byte("PK\x03\x04")):
		return xlsx(name, data)
	case bytes.HasPrefix(data, []byte{0xd0, 0xcf, 0x11, 0xe0}):
		return nil, dtm.Errorf(dtm.Unsupported, "this is an old Excel file (.xls, whatever its name says); save it as .xlsx").At(name).Coded("form.xls")
	case utf8.Valid(data) && bytes.IndexByte(data, '|') >= 0:
		return markdown(string(data)), nil
	}
	return nil, dtm.Errorf(dtm.Unsupported, "this is neither an XLSX workbook nor a Markdown table").At(name).Coded("form.format")
}

func xlsx(name string, data []byte) ([]sheet, error) {
	f, err := excelize.OpenReader(bytes.NewReader(data), excelize.Options{UnzipSizeLimit: unzipLimit, UnzipXMLSizeLimit: unzipLimit, RawCellValue: true})
	if err != nil {
		return nil, dtm.Errorf(dtm.Invalid, "the workbook is damaged or cut off (%v); save it again", err).At(name).Coded("form.damaged")
	}
	defer f.Close()
	var out []sheet
	for _, title := range f.GetSheetList() {
		rows, err := f.Rows(title)
		if err != nil {
			return nil, dtm.Errorf(dtm.Invalid, "the sheet %q cannot be read: %w", title, err).At(name)
		}
		s := sheet{name: title}
		for n := 1; rows.Next(); n++ {
			cells, err := rows.Columns(excelize.Options{RawCellValue: true})
			if err != nil {
				return nil, dtm.Errorf(dtm.Invalid, "%w", err).At(fmt.Sprintf("%s, %s!%d", name, title, n))
			}
			if n > maxRows || len(cells) > maxColumns {
				return nil, dtm.Errorf(dtm.TooLarge, "the sheet %q has more than %d rows or %d columns", title, maxRows, maxColumns).At(name)
			}
			s.add(n, cells)
		}
		if err := rows.Close(); err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

// add keeps a row that is not blank.
func (s *sheet) add(n int, cells []string) {
	empty := true
	for i := range cells {
		cells[i] = strings.Trim(strings.ReplaceAll(cells[i], "\u00a0", " "), " \t\r\n")
		empty = empty && cells[i] == ""
	}
	if !empty {
		s.rows = append(s.rows, line{n, cells})
	}
}

// markdown reads the table form of an XLSForm: a line `| survey |` starts a
// sheet, the lines below it leave the first column empty. Row numbers are those
// a workbook would have.
func markdown(text string) []sheet {
	var out []sheet
	for _, l := range strings.Split(text, "\n") {
		l = strings.TrimSpace(l)
		if !strings.HasPrefix(l, "|") {
			continue
		}
		cells := splitRow(strings.TrimSuffix(l[1:], "|"))
		if rule(cells) {
			continue
		}
		if name := strings.TrimSpace(cells[0]); name != "" {
			out = append(out, sheet{name: name})
			if len(cells) == 1 || strings.TrimSpace(strings.Join(cells[1:], "")) == "" {
				continue
			}
		}
		if len(out) == 0 {
			continue
		}
		s := &out[len(out)-1]
		s.add(len(s.rows)+1, cells[1:])
	}
	return out
}

// splitRow cuts at pipes that are not escaped.
func splitRow(l string) []string {
	var cells []string
	var b strings.Builder
	for i := 0; i < len(l); i++ {
		switch {
		case l[i] == '\\' && i+1 < len(l) && l[i+1] == '|':
			b.WriteByte('|')
			i++
		case l[i] == '|':
			cells = append(cells, b.String())
			b.Reset()
		default:
			b.WriteByte(l[i])
		}
	}
	return append(cells, b.String())
}

// rule tells a table's ruling line, |---|---|.
func rule(cells []string) bool {
	any := false
	for _, c := range cells {
		c = strings.TrimSpace(c)
		if strings.Trim(c, "-:") != "" {
			return false
		}
		any = any || c != ""
	}
	return any
}
