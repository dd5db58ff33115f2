package xform_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dtm"
	"dtm/gather/xform"
)

const plainSubmission = `<?xml version='1.0' ?><data id="fmr" version="2026112301" xmlns:orx="http://openrosa.org/xforms">
  <point>obock</point>
  <remarks>a &lt; b &#x26; c</remarks>
  <orx:meta><orx:instanceID>uuid:1</orx:instanceID><orx:deprecatedID> uuid:0 </orx:deprecatedID></orx:meta>
</data>`

func TestHead(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, doc string
		want      xform.HeadInfo
	}{
		{"plain", plainSubmission, xform.HeadInfo{FormID: "fmr", Version: "2026112301", InstanceID: "uuid:1", DeprecatedID: "uuid:0"}},
		{"byte order mark", "\ufeff" + plainSubmission, xform.HeadInfo{FormID: "fmr", Version: "2026112301", InstanceID: "uuid:1", DeprecatedID: "uuid:0"}},
		{"no prefix, single quotes, empty elements", `<d id='a'><q/><meta><instanceID>x</instanceID></meta></d>`, xform.HeadInfo{FormID: "a", InstanceID: "x"}},
		{"references and CDATA", `<d id="a&amp;b"><meta><instanceID>u<![CDATA[<>]]>&#233;</instanceID></meta></d>`, xform.HeadInfo{FormID: "a&b", InstanceID: "u<>é"}},
		{"meta within a group is not the form's", `<d id="a"><g><meta><instanceID>no</instanceID></meta></g><meta><instanceID>yes</instanceID></meta></d>`, xform.HeadInfo{FormID: "a", InstanceID: "yes"}},
		{
			"encrypted", `<data xmlns="http://opendatakit.org/submissions" encrypted="yes" id="f" version="2"><base64EncryptedKey>x</base64EncryptedKey><meta xmlns="http://openrosa.org/xforms"><instanceID>uuid:2</instanceID></meta><encryptedXmlFile>submission.xml.enc</encryptedXmlFile></data>`,
			xform.HeadInfo{FormID: "f", Version: "2", InstanceID: "uuid:2", Encrypted: true},
		},
		{"comments and instructions", "<!-- a --><?p q?><d id='a'><!----><meta><instanceID>x<!-- y --></instanceID></meta></d>\n<!-- z -->", xform.HeadInfo{FormID: "a", InstanceID: "x"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := xform.Head([]byte(tt.doc))
			if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
				t.Errorf("%v %s", err, diff)
			}
		})
	}
}

// TestHeadRefuses: what no phone sends is refused with its place.
func TestHeadRefuses(t *testing.T) {
	t.Parallel()
	body := func(s string) string { return `<d id="a">` + s + `<meta><instanceID>x</instanceID></meta></d>` }
	tests := []struct{ name, doc, where, says string }{
		{"nothing", "", "line 1, column 1", "no root"},
		{"blanks only", " \n ", "line 2, column 2", "no root"},
		{"cut off", "<d id=\"a\">\n <q>1</q>\n <meta><instan", "line 3, column 15", "cut off"},
		{"cut off in an element", "<d id=\"a\">\n <q>1", "line 2, column 6", "cut off"},
		{"wrong end", "<d id=\"a\">\n <q>1</p></d>", "line 2, column 6", "</p> stands where <q>"},
		{"DOCTYPE", "<?xml version=\"1.0\"?>\n<!DOCTYPE d [<!ENTITY e \"x\">]><d id=\"a\"/>", "line 2, column 1", "DOCTYPE"},
		{"entity", body("\n<q>&e;</q>"), "line 2, column 4", "entity &e;"},
		{"entity in an attribute", `<d id="&e;"/>`, "line 1, column 8", "entity &e;"},
		{"bare ampersand", body("<q>a & b</q>"), "line 1, column 16", "&amp;"},
		{"character 0", body("<q>&#0;</q>"), "line 1, column 14", "entity &#0;"},
		{"half a pair", body("<q>&#xD800;</q>"), "line 1, column 14", "&#xD800;"},
		{"two roots", "<d id=\"a\"/>\n<e/>", "line 2, column 1", "second root"},
		{"text after the root", "<d id=\"a\"/>\n x", "line 2, column 2", "outside"},
		{"attribute twice", `<d id="a" id="b"/>`, "line 1, column 11", "twice"},
		{"attribute without quotes", `<d id=a/>`, "line 1, column 7", "quotation"},
		{"attributes run together", `<d id="a"version="b"/>`, "line 1, column 10", "broken"},
		{"< in an attribute", `<d id="<"/>`, "line 1, column 8", "holds <"},
		{"other encoding", "<?xml version='1.0' encoding='ISO-8859-1'?><d id='a'/>", "line 1, column 1", "UTF-8"},
		{"other version", "<?xml version='1.1'?><d id='a'/>", "line 1, column 1", "1.0"},
		{"declaration twice", "<d id='a'><?xml version='1.0'?></d>", "line 1, column 11", "beginning"},
		{"Latin 1", "<d id=\"a\">caf\xe9</d>", "line 1, column 14", "UTF-8"},
		{"UTF-16", "\xff\xfe<\x00d\x00", "line 1, column 1", "UTF-8"},
		{"control character", body("<q>\x01</q>"), "line 1, column 14", "character"},
		{"]]>", body("<q>]]></q>"), "line 1, column 14", "]]>"},
		{"-- in a comment", body("<!-- a -- b -->"), "line 1, column 26", "--"},
		{"too deep", strings.Repeat("<d id='a'>", 65), "line 1, column 641", "deep"},
		{"too many attributes", "<d id='a'" + manyAttributes(64) + "/>", "line 1, column", "attributes"},
		{"too many elements", "<d id='a'>" + strings.Repeat("<q/>", 200_000) + "</d>", "line 1, column", "elements"},
		{"name begins with a digit", "<d id='a'><1/></d>", "line 1, column 11", "name"},
		{"no form id", "<d><meta><instanceID>x</instanceID></meta></d>", "root element", "which form"},
		{"no instance id", "<d id='a'><meta/></d>", "<meta>", "instanceID"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := xform.Head([]byte(tt.doc))
			var e *dtm.Error
			if !errors.As(err, &e) || e.Kind != dtm.Invalid || !strings.HasPrefix(e.Where, tt.where) || !strings.Contains(e.Msg, tt.says) {
				t.Errorf("got %v, want %s and %q", err, tt.where, tt.says)
			}
		})
	}
}

func manyAttributes(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, " a%d=''", i)
	}
	return b.String()
}

// headByTree finds the head by the standard library's reader, as a second
// opinion.
func headByTree(doc []byte) (xform.HeadInfo, error) {
	var h xform.HeadInfo
	d := xml.NewDecoder(bytes.NewReader(doc))
	var stack []string
	var text []byte
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			return h, nil
		}
		if err != nil {
			return h, err
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			stack = append(stack, tok.Name.Local)
			text = nil
			if len(stack) == 1 {
				for _, a := range tok.Attr {
					if a.Name.Space == "" && a.Name.Local == "id" {
						h.FormID = strings.TrimSpace(a.Value)
					}
				}
			}
		case xml.CharData:
			text = append(text, tok...)
		case xml.EndElement:
			if len(stack) == 3 && stack[1] == "meta" && stack[2] == "instanceID" && strings.TrimSpace(string(text)) != "" {
				h.InstanceID = strings.TrimSpace(string(text))
			}
			stack = stack[:len(stack)-1]
			text = nil
		}
	}
}

// FuzzHead: what Head accepts is XML for the standard library too, and says the
// same there.
func FuzzHead(f *testing.F) {
	f.Add([]byte(plainSubmission))
	f.Add([]byte(`<d id="a&amp;b"><meta><instanceID>u<![CDATA[<>]]>&#233;</instanceID></meta></d>`))
	f.Add([]byte("<?xml version='1.0' encoding='utf-8'?><!-- c --><d id='a'/>"))
	f.Fuzz(func(t *testing.T, doc []byte) {
		got, err := xform.Head(doc)
		if err != nil {
			if dtm.KindOf(err) != dtm.Invalid {
				t.Fatalf("%v", err)
			}
			return
		}
		want, err := headByTree(doc)
		if err != nil && strings.Contains(err.Error(), "invalid XML name") && bytes.IndexFunc(doc, func(r rune) bool { return r > 127 }) >= 0 {
			return // the standard library has the names of an older edition of XML
		}
		if err != nil {
			t.Fatalf("accepted, and the standard library says: %v", err)
		}
		// The standard library leaves line breaks and tabs in attributes as they are.
		blanks := strings.NewReplacer("\n", " ", "\t", " ", "\r", " ").Replace
		if blanks(got.FormID) != strings.TrimSpace(blanks(want.FormID)) {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})
}

// BenchmarkHead shows that the receive path has room: one core, 2 kB.
func BenchmarkHead(b *testing.B) {
	doc := []byte(`<?xml version='1.0' ?><data id="fmr" version="1" xmlns:orx="http://openrosa.org/xforms">` +
		strings.Repeat("<group><question_name>an answer of a few words</question_name><n>12</n></group>", 22) +
		`<orx:meta><orx:instanceID>uuid:52f27f39-2d3b-4b43-a1a3-5d1ef3f0a3f7</orx:instanceID></orx:meta></data>`)
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := xform.Head(doc); err != nil {
			b.Fatal(err)
		}
	}
}
