package bulk

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/xuri/excelize/v2"

	"dtm"
)

// unzipLimit bounds what an XLSX file may unpack to.
const unzipLimit = 2 << 30

type workbook struct {
	rows   *excelize.Rows
	file   *excelize.File
	sheet  string
	line   int
	width  int
	fields [][]byte
}

// openXLSX reads the first sheet whose first row is a registry header; the first
// sheet of all when none is, so that the error names what is missing.
func openXLSX(name string, in io.Reader) (records, error) {
	f, err := excelize.OpenReader(in, excelize.Options{RawCellValue: true, UnzipSizeLimit: unzipLimit, UnzipXMLSizeLimit: 64 << 20})
	switch {
	case errors.Is(err, zip.ErrFormat), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, dtm.Errorf(dtm.Invalid, "the file is damaged or no Excel workbook (%v); export it again as .xlsx or .csv", err).At(name).Coded("import.damaged")
	case err != nil:
		return nil, dtm.Errorf(dtm.Invalid, "the file is damaged or no Excel workbook (%v); export it again as .xlsx or .csv", err).At(name).Coded("import.damaged")
	}
	sheets := f.GetSheetList()
	if len(sheets) == 0 {
		return nil, errors.Join(dtm.Errorf(dtm.Invalid, "the workbook has no sheet").At(name).Coded("import.no_sheet"), f.Close())
	}
	chosen := sheets[0]
	for _, s := range sheets {
		if header, err := firstRow(f, s); err == nil {
			if _, err := columnsOf(name, header); err == nil {
				chosen = s
				break
			}
		}
	}
	rows, err := f.Rows(chosen)
	if err != nil {
		_ = f.Close() // the first error says more
		return nil, dtm.Errorf(dtm.Invalid, "the sheet %q cannot be read: %w", chosen, err).At(name).Coded("import.sheet", chosen)
	}
	return &workbook{rows: rows, file: f, sheet: chosen}, nil
}

func firstRow(f *excelize.File, sheet string) ([]string, error) {
	rows, err := f.Rows(sheet)
	if err != nil {
		return nil, err
	}
	w := workbook{rows: rows, sheet: sheet}
	rec, err := w.next()
	if err == nil {
		err = rows.Close()
	}
	return texts(rec.fields), err
}

func (w *workbook) next() (record, error) {
	for w.rows.Next() {
		w.line++
		cells, err := w.rows.Columns(excelize.Options{RawCellValue: true})
		if err != nil {
			return record{line: w.line}, dtm.Errorf(dtm.Invalid, "the row cannot be read: %w", err).At(fmt.Sprintf("%s!%d", w.sheet, w.line)).Coded("import.row")
		}
		if strings.TrimSpace(strings.Join(cells, "")) == "" {
			continue // a spreadsheet's empty rows say nothing
		}
		if w.width == 0 {
			w.width = len(cells)
		}
		for len(cells) > w.width && strings.TrimSpace(cells[len(cells)-1]) == "" {
			cells = cells[:len(cells)-1]
		}
		w.fields = w.fields[:0]
		for _, c := range cells {
			w.fields = append(w.fields, []byte(c))
		}
		for len(w.fields) < w.width { // empty cells at the end are not stored
			w.fields = append(w.fields, nil)
		}
		return record{line: w.line, fields: w.fields}, nil
	}
	if err := w.rows.Error(); err != nil {
		return record{line: w.line}, err
	}
	return record{line: w.line}, io.EOF
}

// from1904 tells whether the workbook counts days from 1904, as those of old
// Macintosh programs do.
func (w *workbook) from1904() bool {
	p, err := w.file.GetWorkbookProps()
	return err == nil && p.Date1904 != nil && *p.Date1904
}

func (w *workbook) notes() []*dtm.Error {
	if n := w.file.SheetCount; n > 1 {
		return []*dtm.Error{dtm.Errorf(dtm.Invalid, "the workbook has %d sheets; %q was read", n, w.sheet).Coded("import.sheets", n, w.sheet)}
	}
	return nil
}

// close removes what was unpacked to a temporary file.
func (w *workbook) close() error { return errors.Join(w.rows.Close(), w.file.Close()) }
