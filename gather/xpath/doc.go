// Package xpath reads and evaluates the expressions of forms: XPath 1.0 and the
// functions of the ODK XForms specification. In go the text of an expression and a
// tree of answers with the time, lists and chance it may use; out come a value, or
// an error that names the place in the expression. Work, depth and lengths are
// bounded: expressions come from forms that strangers wrote.
package xpath
