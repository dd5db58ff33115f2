// Package report makes the documents that an operation publishes: a Document of
// figures, sentences, drawings and tables, all of them words in the reader's
// language, comes in; a tagged PDF goes out.
//
//	report.Work() // first of all in main: the engine is this program again
//	press := report.NewPress(cacheDir)
//	pdf, err := report.Print(ctx, press, document)
//
// The templates (folder template) are Typst and hold the layout only: no text of
// the reader's, no rule about figures. What the document does not give is not
// printed. The same document gives the same bytes.
package report
