package entity

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"dtm"
	"dtm/gather/xform"
	"dtm/gather/xlsform"
)

// form is the model of an XLSForm given as Markdown, through the program's own
// conversion.
func form(t testing.TB, md string) *Model {
	t.Helper()
	f, _, err := xlsform.Read("households.md", []byte(strings.ReplaceAll(md, "\n\t\t", "\n")))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := xform.Write(f)
	if err != nil {
		t.Fatal(err)
	}
	m, err := ReadModel(f.ID, doc)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

const oneSite = `
		| survey |
		| | type | name | label | save_to |
		| | text | site | Site | |
		| | begin group | g | G | |
		| | integer | people | People | people |
		| | text | water | Water | water |
		| | end group | g | | |
		| entities |
		| | list_name | label |
		| | sites | ${site} |
		| settings |
		| | form_id | version |
		| | site | 1 |`

const repeats = `
		| survey |
		| | type | name | label | save_to |
		| | text | village | Village | villages#vname |
		| | begin repeat | house | House | |
		| | text | head | Head | houses#head |
		| | integer | size | Size | houses#size |
		| | end repeat | house | | |
		| entities |
		| | list_name | label |
		| | villages | ${village} |
		| | houses | ${head} |
		| settings |
		| | form_id | version |
		| | village | 1 |`

func lists(m *Model) string {
	var out []string
	for _, l := range m.Lists() {
		s := l.Name + ":"
		for _, p := range l.Properties {
			s += fmt.Sprint(" ", p.Name, p.Forms)
		}
		out = append(out, s)
	}
	return strings.Join(out, "; ")
}

func TestReadModel(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, md, want string }{
		{"2024.1, one entity a form", oneSite, "sites: people[site] water[site]"},
		{"2025.1, entities from repeats", repeats, "houses: head[village] size[village]; villages: vname[village]"},
		{"none", "| survey |\n| | type | name | label |\n| | text | a | A |\n| settings |\n| | form_id |\n| | a |", ""},
	} {
		if got := lists(form(t, c.md)); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	if _, err := ReadModel("x", []byte("<html><head>")); dtm.KindOf(err) != dtm.Invalid || err == nil {
		t.Errorf("broken XForm: %v", err)
	}
}

func told(list []Declared) string {
	var out []string
	for _, d := range list {
		var data []string
		for k, v := range d.Data {
			data = append(data, k+"="+v)
		}
		slices.Sort(data)
		what := ""
		if d.Create {
			what += "+"
		}
		if d.Update {
			what += "~"
		}
		out = append(out, fmt.Sprintf("%s%s/%s %q %v base %d trunk %d branch %q", what, d.List, d.ID, d.Label, data, d.Base, d.Trunk, d.Branch))
	}
	return strings.Join(out, "\n")
}

func TestDeclared(t *testing.T) {
	t.Parallel()
	site, village := form(t, oneSite), form(t, repeats)
	for _, c := range []struct {
		name      string
		m         *Model
		doc, want string
	}{
		{"created", site, `<data id="site"><site>Obock</site><g><people> 12 </people><water/></g><meta><entity dataset="sites" id="uuid:A1" create="1"><label>Obock</label></entity></meta></data>`,
			`+sites/a1 "Obock" [people=12 water=] base 0 trunk 0 branch ""`},
		{"updated offline", site, `<data id="site"><g><people>3</people></g><orx:meta xmlns:orx="http://openrosa.org/xforms"><orx:entity dataset="sites" id="a1" update="true" baseVersion="3" trunkVersion="2" branchId="B-9"/></orx:meta></data>`,
			`~sites/a1 "" [people=3] base 3 trunk 2 branch "b-9"`},
		{"another list is not the form's", site, `<data><g><people>3</people></g><meta><entity dataset="secrets" id="a1" create="1"><label>x</label></entity></meta></data>`,
			`+sites/a1 "x" [people=3] base 0 trunk 0 branch ""`},
		{"where the form declares none", site, `<data><g><people>3</people><meta><entity dataset="sites" id="a1" create="1"><label>x</label></entity></meta></g></data>`, ``},
		{"broken numbers", site, `<data><meta><entity id="a1" update="1" baseVersion="three" trunkVersion="-1"/></meta></data>`, `~sites/a1 "" [] base 0 trunk 0 branch ""`},
		{"root of another name", site, `<other><g><people>3</people></g><meta><entity id="a1" create="1"><label>x</label></entity></meta></other>`, `+sites/a1 "x" [people=3] base 0 trunk 0 branch ""`},
		{"repeats", village, `<data><village>V</village><house><head>A</head><size>1</size><meta><entity id="h1" create="1"><label>A</label></entity></meta></house>
			<house><head>B</head><size>2</size><meta><entity id="h2" create="1"><label>B</label></entity></meta></house><meta><entity id="v" create="1"><label>V</label></entity></meta></data>`,
			`+villages/v "V" [vname=V] base 0 trunk 0 branch ""
+houses/h1 "A" [head=A size=1] base 0 trunk 0 branch ""
+houses/h2 "B" [head=B size=2] base 0 trunk 0 branch ""`},
		{"repeat without its entity", village, `<data><village>V</village><house><head>A</head></house><meta><entity id="v" create="1"><label>V</label></entity></meta></data>`,
			`+villages/v "V" [vname=V] base 0 trunk 0 branch ""`},
		{"encrypted", site, `<data encrypted="yes"><meta><entity id="a1" create="1"><label>x</label></entity></meta></data>`, ``},
	} {
		got, err := c.m.Declared([]byte(c.doc))
		if err != nil || told(got) != c.want {
			t.Errorf("%s: %v\n got %s\nwant %s", c.name, err, told(got), c.want)
		}
	}
}

func FuzzDeclared(f *testing.F) {
	m := form(f, oneSite)
	f.Add([]byte(`<data id="site"><g><people>1</people></g><meta><entity id="a" create="1"><label>x</label></entity></meta></data>`))
	f.Add([]byte(`<data><meta><entity/></meta><g/></data>`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		list, err := m.Declared(doc)
		if err != nil && dtm.KindOf(err) != dtm.Invalid {
			t.Fatal(err)
		}
		for _, d := range list {
			if d.List != "sites" || len(d.Data) > 2 {
				t.Fatalf("%+v", d)
			}
		}
	})
}
