// Package xform writes the XForm that phones download from an XLSForm, reads the
// instances that they send back, and turns their answers into movements by the
// form's HXL tags. XML is taken as hostile: no DOCTYPE, no entities, bounded depth
// and size, errors with line and column.
package xform
