package xlsform

import "dtm"

// xls answers for the workbooks of Excel 97 to 2003.
func xls(name string, _ []byte) ([]sheet, error) {
	return nil, dtm.Errorf(dtm.Unsupported, "this is a workbook of Excel 97 to 2003 (.xls, whatever its name says); save it as .xlsx").At(name).Coded("form.xls")
}
