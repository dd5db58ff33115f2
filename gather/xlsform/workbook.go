package xlsform

import (
	"archive/zip"
	"bytes"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"

	"dtm"
)

// sheet is a table whose first row is the header.
type sheet struct {
	name string
	rows []line
	bare bool // every cell needs a header (Markdown); in workbooks others are notes
}

// line is one row with its number in the sheet, from 1.
type line struct {
	n     int
	cells []string
}

// Limits on what a workbook may unpack to: a form is small.
const (
	unzipLimit = 64 << 20
	maxRows    = 20_000
	maxColumns = 1_000
	maxCells   = 1_000_000
	maxText    = 32_767
	maxBlank   = 1_000 // blank rows in a row after which a sheet is over
)

// sheets reads all sheets, in order, whatever the file is called.
func sheets(name string, data []byte) ([]sheet, error) {
	switch {
	case len(bytes.TrimSpace(data)) == 0:
		return nil, dtm.Errorf(dtm.Invalid, "the file is empty").At(name).Coded("form.empty")
	case bytes.HasPrefix(data, []byte("PK\x03\x04")):
		return xlsx(name, data)
	case bytes.HasPrefix(data, []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")):
		return xls(name, data)
	case utf8.Valid(data) && bytes.Count(data, []byte("|")) >= 5:
		return markdown(name, string(bytes.TrimPrefix(data, []byte("\ufeff"))))
	}
	return nil, dtm.Errorf(dtm.Unsupported, "this is no form: neither an Excel workbook (.xlsx, .xls) nor a Markdown table").At(name).Coded("form.format")
}

func damaged(name string, err error) *dtm.Error {
	return dtm.Errorf(dtm.Invalid, "the workbook is damaged or cut off (%w); open it and save it again", err).At(name).Coded("form.damaged")
}

func large(name string) *dtm.Error {
	return dtm.Errorf(dtm.TooLarge, "the workbook is larger than any form: at most %d rows and %d columns a sheet", maxRows, maxColumns).At(name).Coded("form.large", maxRows, maxColumns)
}

func xlsx(name string, data []byte) (out []sheet, err error) {
	// The library may fall over a workbook made to harm; that is the file's fault.
	defer func() {
		if r := recover(); r != nil {
			out, err = nil, damaged(name, fmt.Errorf("%v", r))
		}
	}()
	if z, err := zip.NewReader(bytes.NewReader(data), int64(len(data))); err == nil {
		var size uint64
		for _, e := range z.File {
			size += min(e.UncompressedSize64, unzipLimit)
		}
		if size >= unzipLimit {
			return nil, large(name)
		}
	}
	f, err := excelize.OpenReader(bytes.NewReader(data), excelize.Options{UnzipSizeLimit: unzipLimit, UnzipXMLSizeLimit: unzipLimit, RawCellValue: true})
	if err != nil {
		return nil, damaged(name, err)
	}
	defer f.Close()
	f.Pkg.Range(func(part, content any) bool {
		if name, _ := part.(string); strings.HasPrefix(name, "xl/worksheets/") {
			if xml, ok := content.([]byte); ok {
				f.Pkg.Store(part, withContent(xml))
			}
		}
		return true
	})
	var total int
	titles := f.GetSheetList()
	for _, title := range titles {
		if len(titles) > 1 && !slices.Contains(known, strings.ToLower(strings.TrimSpace(title))) && title != stringsSheet {
			out = append(out, sheet{name: title}) // of no use but for its name, which may be misspelt
			continue
		}
		rows, err := f.Rows(title)
		if err != nil {
			return nil, damaged(name, err)
		}
		s := sheet{name: title}
		for n, blank := 1, 0; rows.Next() && blank < maxBlank; n++ {
			cells, err := rows.Columns(excelize.Options{RawCellValue: true})
			if err != nil {
				return nil, damaged(name, err)
			}
			total += len(cells)
			if n > maxRows || len(cells) > maxColumns || total > maxCells {
				return nil, large(name)
			}
			if s.add(n, cells) {
				blank = 0
			} else {
				blank++
			}
		}
		if err := rows.Close(); err != nil {
			return nil, damaged(name, err)
		}
		for _, l := range s.rows {
			for i, text := range l.cells {
				if mayDiffer(text) {
					l.cells[i] = number(f, title, cellName(i, l.n), text)
				}
			}
		}
		out = append(out, s)
	}
	return out, nil
}

// withContent is a sheet's XML without the cells that hold nothing but a format. Forms
// made in web spreadsheets carry some 100,000 of them, which would take ten times
// longer to read than the form. XML in which a cell does not say its place, or with
// comments or CDATA, stays as it is.
func withContent(sheet []byte) []byte {
	if bytes.Contains(sheet, []byte("<!")) {
		return sheet
	}
	out := make([]byte, 0, len(sheet)/4)
	kept := 0 // up to where the sheet is copied or left out
	for at := 0; ; {
		i := bytes.Index(sheet[at:], []byte("<c "))
		if i < 0 {
			return append(out, sheet[kept:]...)
		}
		start := at + i
		end := bytes.IndexByte(sheet[start:], '>')
		if end < 0 || !bytes.Contains(sheet[start:start+end], []byte(` r="`)) {
			return sheet
		}
		at = start + end + 1
		empty := sheet[at-2] == '/'
		if !empty && bytes.HasPrefix(sheet[at:], []byte("</c>")) {
			empty, at = true, at+len("</c>")
		}
		if empty {
			out, kept = append(out, sheet[kept:start]...), at
		}
	}
}

// mayDiffer tells a cell's text that may be a truth value, a date or a long
// fraction; to look these up costs more than to read the sheet.
func mayDiffer(s string) bool {
	if s == "0" || s == "1" {
		return true
	}
	return len(s) >= 3 && strings.Trim(s, "+-0123456789.eE") == "" && (len(s) >= 5 || strings.ContainsAny(s, ".eE"))
}

// number writes a cell's number as its author sees it: a truth value, a date, or
// a number without a tail of zeros. Text that looks like a number stays.
func number(f *excelize.File, sheet, cell, text string) string {
	typ, err := f.GetCellType(sheet, cell)
	if err != nil {
		return text
	}
	switch typ {
	case excelize.CellTypeBool:
		if text == "1" {
			return "TRUE"
		}
		return "FALSE"
	case excelize.CellTypeUnset, excelize.CellTypeNumber, excelize.CellTypeFormula:
	default:
		return text
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return text
	}
	if id, err := f.GetCellStyle(sheet, cell); err == nil && id != 0 {
		if style, err := f.GetStyle(id); err == nil && isDate(style) {
			return date(v, text)
		}
	}
	return plain(v)
}

func plain(v float64) string {
	if v == math.Trunc(v) && math.Abs(v) < 1e15 {
		return strconv.FormatInt(int64(v), 10)
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

func date(v float64, text string) string {
	t, err := excelize.ExcelDateToTime(v, false)
	if err != nil {
		return text
	}
	t = t.Round(time.Second)
	switch {
	case v < 1:
		return t.Format("15:04:05")
	case t.Hour() == 0 && t.Minute() == 0 && t.Second() == 0:
		return t.Format("2006-01-02")
	}
	return t.Format("2006-01-02 15:04:05")
}

// isDate tells styles that show a date or a time.
func isDate(s *excelize.Style) bool {
	if s.CustomNumFmt != nil {
		return datePattern(*s.CustomNumFmt)
	}
	return dateFormat(s.NumFmt)
}

// dateFormat tells the built-in number formats that show a date or a time.
func dateFormat(n int) bool { return n >= 14 && n <= 22 || n >= 45 && n <= 47 }

// datePattern tells patterns that hold a year, a day, an hour or seconds.
func datePattern(pattern string) bool {
	bare := strings.Builder{}
	quoted, bracket := false, false
	for _, c := range strings.ToLower(pattern) {
		switch {
		case c == '"':
			quoted = !quoted
		case c == '[':
			bracket = true
		case c == ']':
			bracket = false
		case !quoted && !bracket:
			bare.WriteRune(c)
		}
	}
	return strings.ContainsAny(bare.String(), "ydhs") && !strings.Contains(bare.String(), "general")
}

// add keeps a row that is not blank.
func (s *sheet) add(n int, cells []string) bool {
	filled := false
	for i := range cells {
		// No-break blanks and signs that XML does not know come in by copying.
		cells[i] = strings.TrimSpace(strings.Map(func(r rune) rune {
			switch {
			case r == '\u00a0':
				return ' '
			case r == '\r' || r < ' ' && r != '\t' && r != '\n' || r == '\ufffe' || r == '\uffff':
				return -1
			}
			return r
		}, cells[i]))
		filled = filled || cells[i] != ""
	}
	if filled {
		s.rows = append(s.rows, line{n, cells})
	}
	return filled
}

// markdown reads the table form of an XLSForm: a line `| survey |` starts a
// sheet, the lines below it leave the first column empty. Rows are numbered as a
// workbook of the same tables would have them.
func markdown(name, text string) ([]sheet, error) {
	var out []sheet
	for _, l := range strings.Split(text, "\n") {
		l = strings.TrimSpace(l)
		if !strings.HasPrefix(l, "|") {
			continue
		}
		last := strings.LastIndexByte(l, '|')
		if last == 0 {
			continue
		}
		cells := splitRow(l[1:last]) // what follows the last pipe is a remark
		if ruling(cells) {
			continue
		}
		if title := strings.TrimSpace(cells[0]); title != "" {
			out = append(out, sheet{name: title, bare: true})
		}
		if len(out) == 0 {
			continue
		}
		s := &out[len(out)-1]
		if len(s.rows) > maxRows || len(cells) > maxColumns {
			return nil, large(name)
		}
		s.add(len(s.rows)+1, cells[1:])
	}
	if len(out) == 0 {
		return nil, dtm.Errorf(dtm.Unsupported, "this is no form: the text holds no table with a sheet's name in its first column").At(name).Coded("form.no_table")
	}
	return out, nil
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

// ruling tells a table's ruling line, |---|---|.
func ruling(cells []string) bool {
	dashes := false
	for _, c := range cells {
		c = strings.TrimSpace(c)
		if strings.Trim(c, "-:") != "" {
			return false
		}
		dashes = dashes || c != ""
	}
	return dashes
}
