package xform_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dtm"
	"dtm/gather/xform"
	"dtm/gather/xlsform"
	"dtm/operation"
)

// TestModel: the tree of an XForm is that of the form that it was written from.
func TestModel(t *testing.T) {
	t.Parallel()
	op, err := operation.Pack("djibouti")
	if err != nil {
		t.Fatal(err)
	}
	sources := map[string][]byte{op.Forms[0].File: op.Forms[0].Data}
	folder := filepath.Join("..", "..", "..", "shared", "data", "xlsform", "real")
	list, err := os.ReadDir(folder)
	if err != nil && os.Getenv("CI") != "" {
		t.Fatal(err)
	}
	for _, e := range list {
		if strings.HasSuffix(e.Name(), ".xlsx") {
			b, err := os.ReadFile(filepath.Join(folder, e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			sources[e.Name()] = b
		}
	}
	read := 0
	for name, data := range sources {
		f, _, err := xlsform.Read(name, data)
		if err != nil {
			continue // one is meant to be refused
		}
		doc, err := xform.Write(f)
		if err != nil {
			continue
		}
		m, err := xform.ReadModel(doc)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		read++
		if m.FormID != f.ID || m.Version != f.Version || m.Root.Name != f.Root.Name {
			t.Errorf("%s: %s %s %s", name, m.FormID, m.Version, m.Root.Name)
		}
		want := map[string]*xlsform.Node{}
		f.Root.Walk(func(n *xlsform.Node) {
			want[n.Path()] = n
			g := m.Field(n.Path())
			if g == nil {
				if n.Kind == xlsform.Question && n.Tag == "" && n.Bind["type"] == "" {
					return // of the phone's own: an action, not a node
				}
				if _, out := map[string]bool{"audit": true, "csv-external": true, "xml-external": true}[n.Type]; !out {
					t.Errorf("%s: %s (%s) is not in the model", name, n.Path(), n.Type)
				}
				return
			}
			if g.Repeat != (n.Kind == xlsform.Repeat) {
				t.Errorf("%s: %s: repeat %v", name, n.Path(), g.Repeat)
			}
			if kind := map[string]string{"select_one": "one", "select_multiple": "multiple", "rank": "rank"}[n.Type]; kind != "" && g.Select != kind {
				t.Errorf("%s: %s: select %q, want %q", name, n.Path(), g.Select, kind)
			}
			if n.Attachment() != (g.Type == "binary") {
				t.Errorf("%s: %s: type %q", name, n.Path(), g.Type)
			}
			for _, k := range []string{"relevant", "required", "constraint", "calculate"} {
				if n.Bind[k] != "" && g.Bind[k] == "" {
					t.Errorf("%s: %s: no %s", name, n.Path(), k)
				}
			}
		})
		m.Root.Walk(func(g *xform.Field) {
			if want[g.Path()] == nil && !g.Meta && g.Leaf() && g.Entity == nil && g.Name != "label" {
				t.Errorf("%s: %s is in the model only", name, g.Path())
			}
		})
	}
	if read < 1 || len(list) > 0 && read < 7 {
		t.Errorf("only %d forms were read", read)
	}
}

func TestModelRefuses(t *testing.T) {
	t.Parallel()
	for name, doc := range map[string]string{
		"nothing":          "",
		"words":            "hello",
		"cut off":          "<h:html xmlns:h='x'><h:head>",
		"no instance":      "<html><head><model/></head></html>",
		"doctype":          "<!DOCTYPE html><html><head><model><instance><data/></instance></model></head></html>",
		"deep":             strings.Repeat("<a>", 200) + strings.Repeat("</a>", 200),
		"two roots":        "<html><head><model><instance><data/></instance></model></head></html><html/>",
		"unknown entity":   "<html><head><title>&x;</title></head></html>",
		"unclosed in head": "<html><head><model></head></html>",
	} {
		if _, err := xform.ReadModel([]byte(doc)); err == nil || dtm.KindOf(err) != dtm.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzReadModel(f *testing.F) {
	f.Add([]byte("<h:html xmlns='http://www.w3.org/2002/xforms' xmlns:h='http://www.w3.org/1999/xhtml'><h:head><h:title>T</h:title><model><instance><data id='f'><a/><r><b/></r></data></instance><bind nodeset='/data/a' type='int'/></model></h:head><h:body><input ref='/data/a'/><group ref='/data/r'><repeat nodeset='/data/r'><input ref='/data/r/b'/></repeat></group></h:body></h:html>"))
	f.Fuzz(func(t *testing.T, doc []byte) {
		m, err := xform.ReadModel(doc)
		if err != nil {
			if dtm.KindOf(err) != dtm.Invalid {
				t.Fatal(err)
			}
			return
		}
		m.Root.Walk(func(g *xform.Field) {
			if m.Field(g.Path()) == nil {
				t.Fatalf("%s is lost", g.Path())
			}
		})
	})
}
