package central

import (
	"bytes"
	"encoding/xml"
	"regexp"

	"dtm"
)

// rootTag finds the start of the main instance's root element.
var rootTag = regexp.MustCompile(`<(?:\w+:)?instance(?:\s[^<>]*)?>\s*(<[^<>]+>)`)

var versionAttribute = regexp.MustCompile(`\s(?:\w+:)?version\s*=\s*(?:"[^"]*"|'[^']*')`)

// named gives the form another version: in the XForm, because a phone sends back
// what stands there.
func named(f dtm.Form, version string) (dtm.Form, error) {
	at := rootTag.FindSubmatchIndex(f.XForm)
	if at == nil {
		return f, dtm.Errorf(dtm.Invalid, "the form's main instance was not found, so that its version cannot be changed; set it in the sheet settings").Coded("form.version")
	}
	tag := f.XForm[at[2]:at[3]]
	var text bytes.Buffer
	if err := xml.EscapeText(&text, []byte(version)); err != nil {
		return f, err
	}
	attribute := []byte(` version="` + text.String() + `"`)
	changed := versionAttribute.ReplaceAll(tag, nil)
	end := bytes.LastIndexByte(changed, '>')
	if end > 0 && changed[end-1] == '/' {
		end--
	}
	changed = bytes.Join([][]byte{changed[:end], attribute, changed[end:]}, nil)
	f.XForm = bytes.Join([][]byte{f.XForm[:at[2]], changed, f.XForm[at[3]:]}, nil)
	f.Version, f.Hash = version, dtm.FileHash(f.XForm)
	return f, nil
}
