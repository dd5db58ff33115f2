package xform

import "dtm/gather/xpath"

// Document reads a submission, whatever its form, as a tree of elements under a
// document node; attributes keep their prefixes. XML that is not well-formed or is
// hostile is an error of kind Invalid.
func Document(doc []byte) (*xpath.Node, error) { return readTree(doc) }
