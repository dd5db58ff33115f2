package xform

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"

	"dtm"
)

// Bounds of a submission's XML: far above any form, far below what exhausts.
const (
	maxDepth = 64
	maxAttrs = 64
	maxNodes = 200_000
)

// visitor is told of elements as they open and close; text is what stands
// directly in the element, all of it, when it has no child elements.
type visitor interface {
	open(e xml.StartElement, depth int) error
	close(name xml.Name, text []byte, leaf bool, depth int) error
}

func invalid(d *xml.Decoder, format string, a ...any) *dtm.Error {
	line, col := d.InputPos()
	return dtm.Errorf(dtm.Invalid, format, a...).At(fmt.Sprintf("line %d, column %d", line, col)).Coded("xml.invalid")
}

// walk reads one document and tells v. Its errors are Invalid and name line and
// column: not well-formed, a DOCTYPE, an entity, a second root, an attribute
// twice, too deep, too many.
func walk(doc []byte, v visitor) error {
	d := xml.NewDecoder(bytes.NewReader(doc))
	d.CharsetReader = func(label string, _ io.Reader) (io.Reader, error) {
		return nil, fmt.Errorf("the encoding %q is not accepted; send UTF-8", label)
	}
	var text []byte
	depth, nodes, roots := 0, 0, 0
	leaf := false
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			var se *xml.SyntaxError
			if errors.As(err, &se) {
				return invalid(d, "the XML is not well-formed: %s", se.Msg)
			}
			return invalid(d, "the XML cannot be read: %v", err)
		}
		switch t := tok.(type) {
		case xml.Directive:
			return invalid(d, "a DOCTYPE or other declaration is not accepted")
		case xml.StartElement:
			depth++
			nodes++
			switch {
			case depth == 1:
				if roots++; roots > 1 {
					return invalid(d, "a second root element <%s>: a submission has one", t.Name.Local)
				}
			case depth > maxDepth:
				return invalid(d, "elements are nested more than %d deep", maxDepth)
			case nodes > maxNodes:
				return invalid(d, "more than %d elements", maxNodes)
			}
			if len(t.Attr) > maxAttrs {
				return invalid(d, "<%s> has more than %d attributes", t.Name.Local, maxAttrs)
			}
			for i, a := range t.Attr {
				for _, b := range t.Attr[:i] {
					if a.Name == b.Name {
						return invalid(d, "<%s> has the attribute %s twice", t.Name.Local, a.Name.Local)
					}
				}
			}
			if err := v.open(t, depth); err != nil {
				return err
			}
			text, leaf = text[:0], true
		case xml.EndElement:
			if err := v.close(t.Name, text, leaf, depth); err != nil {
				return err
			}
			text, leaf = text[:0], false
			depth--
		case xml.CharData:
			if depth == 0 && len(bytes.TrimSpace(t)) > 0 {
				return invalid(d, "text outside the root element")
			}
			if leaf {
				text = append(text, t...)
			}
		}
	}
	if roots == 0 {
		return invalid(d, "there is no root element")
	}
	return nil
}
