// Package odata gives submissions to programs that read tables: OData 4.0 in the
// subset and shape of ODK Central, which pyodk, ruODK, Excel and Power BI read, and
// CSV in a zip. Submissions come in as a stream of what phones sent, rows go out as
// they are read: memory does not grow with their number.
//
// Beyond ODK Central, $filter, $orderby and $select take the form's own questions.
//
// Sheets are tables of other rooms, held in memory, for programs that expect OData 4.0
// itself.
//
// Who may read is decided before; this package checks nothing of that.
package odata
