package openrosa_test

import (
	"bytes"
	"encoding/xml"
	"io"
	"strings"

	"dtm"
	"dtm/gather/openrosa"
)

// head reads what the protocol needs, for these tests; the program uses the room
// that knows forms.
func head(b []byte) (openrosa.Head, error) {
	var h openrosa.Head
	d := xml.NewDecoder(bytes.NewReader(b))
	var path []string
	for {
		tok, err := d.Token()
		if err == io.EOF {
			if len(path) > 0 || h == (openrosa.Head{}) {
				return h, dtm.Errorf(dtm.Invalid, "no element").At("1:1")
			}
			return h, nil
		}
		if err != nil {
			line, col := d.InputPos()
			return h, dtm.Errorf(dtm.Invalid, "%v", err).At(strings.Join([]string{itoa(line), itoa(col)}, ":"))
		}
		switch v := tok.(type) {
		case xml.Directive:
			return h, dtm.Errorf(dtm.Invalid, "a document type is not allowed").At("<!DOCTYPE")
		case xml.StartElement:
			if len(path) == 0 {
				for _, a := range v.Attr {
					switch a.Name.Local {
					case "id":
						h.FormID = a.Value
					case "version":
						h.Version = a.Value
					case "encrypted":
						h.Encrypted = a.Value == "yes"
					}
				}
			}
			path = append(path, v.Name.Local)
		case xml.EndElement:
			path = path[:len(path)-1]
		case xml.CharData:
			if len(path) == 3 && path[1] == "meta" {
				switch path[2] {
				case "instanceID":
					h.InstanceID += strings.TrimSpace(string(v))
				case "deprecatedID":
					h.DeprecatedID += strings.TrimSpace(string(v))
				}
			}
		}
	}
}

func itoa(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + itoa(n%10)
}

// photos names what the element photo holds.
func photos(_ dtm.Form, b []byte) []string {
	_, after, ok := strings.Cut(string(b), "<photo>")
	if !ok {
		return nil
	}
	name, _, _ := strings.Cut(after, "</photo>")
	if name == "" {
		return nil
	}
	return []string{name}
}
