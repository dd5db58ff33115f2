package xform_test

import (
	"bytes"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dtm"
	"dtm/gather/xform"
	"dtm/gather/xlsform"
	"dtm/operation"
)

// packForms are those that come with the pack for Djibouti.
var packForms = []string{"assessment", "event", "fmr", "fms", "presence", "screening"}

// packed reads a form of the pack, which must give no warnings.
func packed(t testing.TB, name string) (*dtm.Operation, *xlsform.Form) {
	t.Helper()
	op, err := operation.Pack("djibouti")
	if err != nil {
		t.Fatal(err)
	}
	f, ok := op.Form(name)
	if !ok {
		t.Fatalf("the pack has no form %s", name)
	}
	form, warnings, err := xlsform.Read(f.File, f.Data)
	if err != nil || len(warnings) > 0 {
		t.Fatalf("%s: %v %v", f.File, err, warnings)
	}
	return op, form
}

var packLanguages = map[dtm.Lang]string{dtm.English: "English (en)", dtm.French: "French (fr)", dtm.Arabic: "Arabic (ar)"}

// TestPackWords: every question, hint, message and choice of every form is there in
// three languages, and who is stopped by the form is told why.
func TestPackWords(t *testing.T) {
	t.Parallel()
	op, _ := packed(t, "fmr")
	if len(op.Forms) != len(packForms) {
		t.Errorf("%d forms, %d are tested", len(op.Forms), len(packForms))
	}
	for _, name := range packForms {
		_, form := packed(t, name)
		// English also: the default language is named.
		title := form.TitleText()
		for l := range packLanguages {
			if title[l] == "" || l != dtm.English && title[l] == title[dtm.English] {
				t.Errorf("%s has no title in %s: %v", name, l, title)
			}
		}
		whole := func(where string, words xlsform.Texts) {
			for _, l := range packLanguages {
				if words.In(l) == "" {
					t.Errorf("%s %s has no text in %s", name, where, l)
				}
			}
		}
		form.Root.Walk(func(n *xlsform.Node) {
			if n.Made || n.Kind == xlsform.Question && n.Tag == "" { // made, or not shown
				return
			}
			whole(n.Name, n.Label)
			if len(n.Hint) > 0 {
				whole(n.Name+" (hint)", n.Hint)
			}
			if n.Bind["required"] != "" && (name != "fmr" || len(n.RequiredMessage) > 0) {
				whole(n.Name+" (required)", n.RequiredMessage)
			}
			if n.Bind["constraint"] != "" {
				whole(n.Name+" (constraint)", n.ConstraintMessage)
			}
		})
		for _, l := range form.Lists {
			for _, c := range l.Choices {
				whole(l.Name+"/"+c.Name, c.Label)
			}
		}
	}
}

// TestPackLists keeps the choices of the forms and the code lists of the pack equal:
// a code that only one of them has would be flagged for ever.
func TestPackLists(t *testing.T) {
	t.Parallel()
	op, _ := packed(t, "fmr")
	want := map[string][]dtm.Code{}
	for name, l := range op.Lists {
		want[name] = l.Codes
	}
	for _, a := range op.Areas {
		list := map[int]string{1: "region", 2: "area"}[a.Level]
		want[list] = append(want[list], dtm.Code{Code: a.Code, Label: a.Name, Extra: map[string]string{"region": a.Parent}})
	}
	for _, p := range op.Programmes {
		want["programme"] = append(want["programme"], dtm.Code{Code: p.Code, Label: p.Name})
	}
	for _, p := range op.Partners {
		want["partner"] = append(want["partner"], dtm.Code{Code: p.Code, Label: p.Name})
	}
	shared := 0
	for _, name := range packForms {
		_, form := packed(t, name)
		for _, l := range form.Lists {
			codes := want[l.Name]
			if codes == nil {
				continue
			}
			shared++
			if len(l.Choices) < len(codes) || len(l.Choices) > len(codes) && l.Name != "partner" { // which says others too
				t.Errorf("%s, %s: %d choices, the pack has %d", name, l.Name, len(l.Choices), len(codes))
				continue
			}
			for i, code := range codes {
				c := l.Choices[i]
				for lang, header := range packLanguages {
					if c.Name != code.Code || c.Label.In(header) != strings.ReplaceAll(code.Label[lang], "’", "'") {
						t.Errorf("%s, %s %d: the form has %s %q, the pack %s %q", name, l.Name, i, c.Name, c.Label.In(header), code.Code, code.Label[lang])
					}
				}
				if l.Name == "area" && (len(c.Extra) != 1 || c.Extra[0] != (xlsform.Column{Name: "region", Value: code.Extra["region"]})) {
					t.Errorf("%s, area %s: %v, of region %s", name, c.Name, c.Extra, code.Extra["region"])
				}
			}
		}
	}
	if shared < 25 {
		t.Errorf("only %d lists are shared with the pack", shared)
	}
	_, form := packed(t, "fmr")
	for _, v := range op.Lists["vulnerability"].Codes {
		found := false
		form.Root.Walk(func(n *xlsform.Node) { found = found || strings.Contains(n.HXL, "+v_"+v.Code) })
		if !found {
			t.Errorf("the registry does not count %s", v.Code)
		}
	}
}

// TestPackCounts: only the registry counts people who pass. What the others count
// is a stock, which nobody may add to a flow.
func TestPackCounts(t *testing.T) {
	t.Parallel()
	for _, name := range packForms {
		op, form := packed(t, name)
		var doc bytes.Buffer
		var write func(n *xlsform.Node)
		write = func(n *xlsform.Node) {
			doc.WriteString("<" + n.Name + ">")
			for _, c := range n.Nodes {
				write(c)
			}
			switch {
			case n.Type == "integer":
				doc.WriteString("3")
			case n.Type == "date":
				doc.WriteString("2026-11-20")
			}
			doc.WriteString("</" + n.Name + ">")
		}
		write(form.Root)
		in, err := xform.Read(form, doc.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if rows, _ := xform.Movements(op, form, in); len(rows) > 0 != (name == "fmr") {
			t.Errorf("%s gives %d rows of movements", name, len(rows))
		}
		if tags := slices.Collect(maps.Values(form.Tags())); !slices.Contains(tags, "#date+observed") {
			t.Errorf("%s has no day of observation: %v", name, tags)
		}
	}
}

// TestValidatePack asks ODK Validate, the jar inside the pyxform package.
func TestValidatePack(t *testing.T) {
	t.Parallel()
	forms := map[string][]byte{}
	for _, name := range packForms {
		_, form := packed(t, name)
		xml, err := xform.Write(form)
		if err != nil {
			t.Fatal(err)
		}
		forms[name] = xml
	}
	odkValidate(t, forms)
}

// odkValidate hands forms, by their names, to one run of ODK Validate.
func odkValidate(t *testing.T, forms map[string][]byte) {
	t.Helper()
	python := os.Getenv("DTM_TEST_PYTHON")
	if python == "" {
		python = filepath.Join("..", "..", ".cache", "py", "bin", "python")
	}
	out, err := exec.Command(python, "-c", "import pyxform.validators.odk_validate as v; print(v.ODK_VALIDATE_PATH)").Output()
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("the Python environment of the tests is missing (make tools): %v", err)
		}
		t.Skip("the Python environment of the tests is missing (make tools)")
	}
	args := []string{"-jar", strings.TrimSpace(string(out))}
	dir := t.TempDir()
	for name, xml := range forms {
		file := filepath.Join(dir, name+".xml")
		if err := os.WriteFile(file, xml, 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, file)
	}
	got, err := exec.Command("java", args...).CombinedOutput()
	if valid := bytes.Count(bytes.ToLower(got), []byte("xform is valid")); err != nil || valid != len(forms) {
		t.Errorf("ODK Validate finds %d of %d forms valid: %v\n%s", valid, len(forms), err, got)
	}
}
