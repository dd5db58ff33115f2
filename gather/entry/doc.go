// Package entry is the form in the browser, for those without the app: an
// installable page that works without network. The page goes out, with what became
// of a device's records; the records themselves come in by package openrosa, as
// those of phones do.
package entry
