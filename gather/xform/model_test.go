package xform_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dtm"
	"dtm/gather/xform"
	"dtm/gather/xlsform"
)

const handWritten = `<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml" xmlns:jr="http://openrosa.org/javarosa" xmlns:odk="http://www.opendatakit.org/xforms" xmlns:entities="http://www.opendatakit.org/xforms/entities" xmlns:orx="http://openrosa.org/xforms">
<h:head><h:title>By hand</h:title><model>
<instance><data id="hand" orx:version="7"><who>nobody</who><kinds/><photo/>
 <rep jr:template=""><age/></rep><rep><age/></rep>
 <orx:meta><orx:instanceID/><entity dataset="people" id="" create="1"><label/></entity></orx:meta></data></instance>
<instance id="file" src="jr://file-csv/points.csv"/>
<instance id="kind"><root><item><name>a</name></item></root></instance>
<bind nodeset="/data/who" type="xsd:string" required="true()" entities:saveto="who"/>
<bind id="b1" nodeset="/data/kinds" type="string" jr:constraintMsg="no"/>
<bind nodeset="/data/rep/age" type="xsd:integer" constraint=". &lt; 120"/>
<bind nodeset="/data/orx:meta/entity/label" calculate="/data/who"/>
<submission base64RsaPublicKey="KEY"/>
</model></h:head><h:body><input ref="who"/><select bind="b1"><itemset nodeset="instance('kind')/root/item"><value ref="name"/></itemset></select>
<upload mediatype="image/*" ref="/data/photo"/><group ref="/data/rep"><repeat nodeset="/data/rep" jr:count="3"><input ref="age"/></repeat></group></h:body></h:html>`

func TestReadModelByHand(t *testing.T) {
	t.Parallel()
	m, err := xform.ReadModel([]byte(handWritten))
	if err != nil {
		t.Fatal(err)
	}
	if m.ID != "hand" || m.Version != "7" || m.Title != "By hand" || m.PublicKey != "KEY" {
		t.Errorf("head: %q %q %q %q", m.ID, m.Version, m.Title, m.PublicKey)
	}
	for path, want := range map[string]string{"/data/who": "string", "/data/kinds": "select", "/data/photo": "binary", "/data/rep/age": "int"} {
		if n := m.Node(path); n == nil || n.Type != want || n.Control == "" {
			t.Errorf("%s: %+v, want type %s and a control", path, n, want)
		}
	}
	rep := m.Node("/data/rep")
	if rep.Kind != xform.Repeat || rep.Count != "3" || len(rep.Children) != 1 || m.Node("/data/rep/age").InRepeat() != rep {
		t.Errorf("the repeat: %+v", rep)
	}
	who := m.Node("/data/who")
	if who.Default != "nobody" || who.SaveTo != "who" || who.Bind.Required != "true()" {
		t.Errorf("who: %+v", who)
	}
	if len(m.Entities) != 1 || m.Entities[0].List != "people" || !m.Entities[0].Create || m.Entities[0].Update || m.Entities[0].LabelFrom != "/data/who" {
		t.Errorf("entities: %+v", m.Entities)
	}
	if l := m.List("file"); l == nil || l.Src != "jr://file-csv/points.csv" {
		t.Errorf("file: %+v", l)
	}
	if l := m.List("kind"); l == nil || l.Items == nil {
		t.Errorf("kind: %+v", l)
	}
}

// TestReadModelAgrees: the tree of a form's XForm is that of its XLSForm.
func TestReadModelAgrees(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("../../operation/djibouti/forms/*.xlsx")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no forms: %v", err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			f, _, err := xlsform.Read(filepath.Base(path), data)
			if err != nil {
				t.Fatal(err)
			}
			out, err := xform.Write(f)
			if err != nil {
				t.Fatal(err)
			}
			m, err := xform.ReadModel(out)
			if err != nil {
				t.Fatal(err)
			}
			if m.ID != f.ID || m.Version != f.Version || m.Title != f.Title {
				t.Errorf("head: %q %q %q", m.ID, m.Version, m.Title)
			}
			f.Root.WalkAll(func(n *xlsform.Node) {
				got := m.Node(strings.ReplaceAll(n.Path(), "orx:", ""))
				switch {
				case got == nil && (n.Kind == xlsform.Repeat || n.Kind == xlsform.Question && n.Control == nil):
				case got == nil && n.Kind == xlsform.Question:
					t.Errorf("%s is not in the tree", n.Path())
				case got != nil && n.Kind == xlsform.Repeat && got.Kind != xform.Repeat:
					t.Errorf("%s is no repeat", n.Path())
				case got != nil && (n.Bind["relevant"] == "") != (got.Bind.Relevant == ""):
					t.Errorf("%s: relevant %q, %q", n.Path(), n.Bind["relevant"], got.Bind.Relevant)
				}
			})
		})
	}
}

func FuzzReadModel(f *testing.F) {
	f.Add([]byte(handWritten))
	f.Add([]byte(`<html><head><model><instance><a><b/><b><c/></b></a></instance><bind/><bind nodeset="../../x"/></model></head></html>`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		m, err := xform.ReadModel(doc)
		var e *dtm.Error
		switch {
		case err != nil && (!errors.As(err, &e) || e.Kind != dtm.Invalid || e.Where == ""):
			t.Fatalf("not an Invalid error with a place: %v", err)
		case err == nil && (m.Root == nil || m.Nodes[0] != m.Root || bytes.Count([]byte(m.Root.Path), []byte("/")) != 1):
			t.Fatalf("a tree without its root: %+v", m)
		}
	})
}
