// Package xlsform reads XLSForms: a workbook (.xlsx) or its Markdown table comes
// in, a Form goes out, or every fault of it with the sheet and the cell.
//
// The columns and question types are those of the XLSForm standard; the column
// hxl carries the tag that says what an answer means.
package xlsform
