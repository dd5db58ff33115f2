package xform_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dtm"
	"dtm/gather/xform"
	"dtm/gather/xlsform"
)

func form(t testing.TB, md string) *xlsform.Form {
	t.Helper()
	f, _, err := xlsform.Read("f.md", []byte(md))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

const household = `
| survey |
| | type         | name   | label  | relevant      | hxl |
| | text         | head   | Head   |               | #contact+name |
| | integer      | extra  | Extra  | ${head} = 'x' | |
| | begin_repeat | member | Member |               | |
| | text         | name   | Name   |               | |
| | begin_group  | body   | Body   |               | |
| | integer      | age    | Age    |               | #affected+age |
| | end_group    |        |        |               | |
| | begin_repeat | job    | Job    |               | |
| | text         | title  | Title  |               | |
| | end_repeat   |        |        |               | |
| | end_repeat   |        |        |               | |
| | image        | photo  | Photo  |               | |
| | audit        |        |        |               | |
| settings |
| | instance_name |
| | ${head}       |
`

func rules(flags []dtm.Flag) string {
	var out []string
	for _, f := range flags {
		out = append(out, f.Rule+" "+f.Path)
	}
	return strings.Join(out, "; ")
}

// told writes answers with their turns, for comparison.
func told(a *xform.Answers) string {
	var b strings.Builder
	var each func(a *xform.Answers)
	each = func(a *xform.Answers) {
		if a.Repeat != nil {
			b.WriteString(a.Repeat.Name)
		}
		b.WriteString("{")
		for _, x := range a.List {
			b.WriteString(x.Node.Name + "=" + x.Value + " ")
		}
		for _, t := range a.Turns {
			each(t)
		}
		b.WriteString("}")
	}
	each(a)
	return b.String()
}

func TestRead(t *testing.T) {
	t.Parallel()
	f := form(t, household)
	tests := []struct{ name, doc, answers, flags string }{
		{
			"nested turns", `<data id="f"><head> A &amp; B </head><member><name>x</name><body><age>3</age></body><job><title>j1</title></job><job><title>j2</title></job></member><member><name>y</name><body><age/></body></member><photo>1.jpg</photo><meta><audit>audit.csv</audit><instanceID>u</instanceID><instanceName>N</instanceName></meta></data>`,
			"{head=A & B photo=1.jpg member{name=x age=3 job{title=j1 }job{title=j2 }}member{name=y age= }}", "",
		},
		{
			"unknown and missing", `<data id="f"><hat/><member><name>x</name><body><age>3</age><shoe>4</shoe></body></member><photo/><meta><instanceID>u</instanceID></meta></data>`,
			"{photo= member{name=x age=3 }}", "answer.unknown /data/hat; answer.unknown /data/member/body/shoe; answer.missing /data/head",
		},
		{
			"twice and misshapen", `<data id="f"><head>a</head><head>b</head><photo><x/></photo><meta><instanceID>u</instanceID></meta></data>`,
			"{head=a head=b }", "answer.twice /data/head; answer.shape /data/photo",
		},
		{
			"another root and a missing group", `<other id="f"><head>a</head><member><name>x</name></member><photo/><meta><instanceID>u</instanceID></meta></other>`,
			"{head=a photo= member{name=x }}", "answer.root /other; answer.missing /data/member/body",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in, err := xform.Read(f, []byte(tt.doc))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.answers, told(in.Root)); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tt.flags, rules(in.Flags)); diff != "" {
				t.Error(diff)
			}
			if in.InstanceID != "u" {
				t.Errorf("instance id %q", in.InstanceID)
			}
		})
	}
	t.Run("names", func(t *testing.T) {
		t.Parallel()
		in, err := xform.Read(f, []byte(tests[0].doc))
		if err != nil || in.InstanceName != "N" || in.FormID != "f" {
			t.Errorf("%v %+v", err, in)
		}
		if diff := cmp.Diff([]string{"1.jpg", "audit.csv"}, xform.Files(f, []byte(tests[0].doc))); diff != "" {
			t.Error(diff)
		}
		a := in.Root.List[0]
		if a.Node.Path() != "/data/head" || a.Node.HXL != "#contact+name" || a.Node.Type != "text" {
			t.Errorf("%+v", a.Node)
		}
	})
	t.Run("encrypted", func(t *testing.T) {
		t.Parallel()
		doc := `<data xmlns="http://opendatakit.org/submissions" encrypted="yes" id="f"><base64EncryptedKey>k</base64EncryptedKey><meta xmlns="http://openrosa.org/xforms"><instanceID>u</instanceID></meta><media><file>1.jpg.enc</file></media><media><file>2.jpg.enc</file></media><encryptedXmlFile>submission.xml.enc</encryptedXmlFile></data>`
		in, err := xform.Read(f, []byte(doc))
		if err != nil || len(in.Flags) > 0 || !in.Encrypted {
			t.Errorf("%v %+v", err, in)
		}
		if diff := cmp.Diff([]string{"1.jpg.enc", "2.jpg.enc", "submission.xml.enc"}, xform.Files(f, []byte(doc))); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("hostile", func(t *testing.T) {
		t.Parallel()
		_, err := xform.Read(f, []byte("<!DOCTYPE x><data/>"))
		if dtm.KindOf(err) != dtm.Invalid || xform.Files(f, []byte("<a><b></a>")) != nil {
			t.Error(err)
		}
	})
	t.Run("flags are bounded", func(t *testing.T) {
		t.Parallel()
		in, err := xform.Read(f, []byte(`<data id="f">`+strings.Repeat("<hat/>", 5000)+`</data>`))
		if err != nil || len(in.Flags) > 200 {
			t.Errorf("%v %d", err, len(in.Flags))
		}
	})
}

// FuzzRead: any XML is read without falling over, and what is read is what Head
// reads.
func FuzzRead(f *testing.F) {
	hh := form(f, household)
	f.Add([]byte(`<data id="f"><head>A</head><member><name>x</name><body><age>3</age></body><job><title>j</title></job></member><photo>1</photo><meta><instanceID>u</instanceID></meta></data>`))
	f.Add([]byte(`<data id="f"><meta><meta><instanceID>u</instanceID></meta></meta><member><member/></member></data>`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		in, err := xform.Read(hh, doc)
		if err != nil {
			if dtm.KindOf(err) != dtm.Invalid {
				t.Fatal(err)
			}
			return
		}
		if head, err := xform.Head(doc); err == nil && head != in.HeadInfo {
			t.Errorf("Head says %+v, Read %+v", head, in.HeadInfo)
		}
		in.Root.Each(func(a xform.Answer, among *xform.Answers) {
			if got := len(a.Node.Repeats()); (got > 0) != (among.Repeat != nil) {
				t.Errorf("%s lies among answers of %v", a.Node.Path(), among.Repeat)
			}
		})
	})
}
