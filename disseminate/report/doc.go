// Package report makes the documents that an operation publishes: a Document of
// figures, sentences, drawings and tables, all in the reader's language, comes
// in; a tagged PDF goes out.
package report
