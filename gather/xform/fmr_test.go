package xform_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"dtm"
	"dtm/gather/xform"
	"dtm/gather/xlsform"
	"dtm/operation"
)

func fmr(t testing.TB) (*dtm.Operation, *xlsform.Form) {
	t.Helper()
	op, err := operation.Pack("djibouti")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range op.Forms {
		if f.File == "forms/fmr.xlsx" {
			form, warnings, err := xlsform.Read(f.File, f.Data)
			if err != nil || len(warnings) > 0 {
				t.Fatalf("fmr.xlsx: %v %v", err, warnings)
			}
			return op, form
		}
	}
	t.Fatal("the pack has no fmr.xlsx")
	return nil, nil
}

// TestFMRLists keeps the choices of the form and the code lists of the pack equal:
// a code that only one of them has would be flagged for ever.
func TestFMRLists(t *testing.T) {
	t.Parallel()
	op, form := fmr(t)
	for _, name := range []string{"direction", "flow_type", "country", "reason", "transport", "collection_mode"} {
		list, choices := op.Lists[name], form.ChoiceList(name)
		if choices == nil || len(choices.Choices) != len(list.Codes) {
			t.Errorf("%s: the form has %v, the pack %d codes", name, choices, len(list.Codes))
			continue
		}
		for i, c := range choices.Choices {
			code := list.Codes[i]
			for l, header := range map[dtm.Lang]string{dtm.English: "English (en)", dtm.French: "French (fr)", dtm.Arabic: "Arabic (ar)"} {
				if c.Name != code.Code || c.Label.In(header) != strings.ReplaceAll(code.Label[l], "’", "'") {
					t.Errorf("%s %d: the form has %s %q, the pack %s %q", name, i, c.Name, c.Label.In(header), code.Code, code.Label[l])
				}
			}
		}
	}
	for _, v := range op.Lists["vulnerability"].Codes {
		found := false
		form.Root.Walk(func(n *xlsform.Node) {
			found = found || strings.HasSuffix(n.HXL, "+v_"+v.Code+"+vulnerable") || strings.Contains(n.HXL, "v_"+v.Code)
		})
		if !found {
			t.Errorf("the form does not count %s", v.Code)
		}
	}
}

// TestValidateFMR asks ODK Validate, the jar inside the pyxform package.
func TestValidateFMR(t *testing.T) {
	t.Parallel()
	_, form := fmr(t)
	xml, err := xform.Write(form)
	if err != nil {
		t.Fatal(err)
	}
	odkValidate(t, "fmr", xml)
}

func odkValidate(t *testing.T, name string, xml []byte) {
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
	file := filepath.Join(t.TempDir(), name+".xml")
	if err := os.WriteFile(file, xml, 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := exec.Command("java", "-jar", strings.TrimSpace(string(out)), file).CombinedOutput()
	if err != nil || !bytes.Contains(got, []byte("Xform is valid")) && !bytes.Contains(got, []byte("XForm is valid")) {
		t.Errorf("ODK Validate on %s: %v\n%s", name, err, got)
	}
}

// TestStable: the same form gives the same bytes, for phones tell a new version
// by them.
func TestStable(t *testing.T) {
	t.Parallel()
	var first []byte
	for range 30 {
		_, form := fmr(t)
		out, err := xform.Write(form)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = out
		}
		if !bytes.Equal(first, out) {
			t.Fatal("the form was written in two ways")
		}
	}
}

// TestFMRComplete fills the form in as a phone does and finds nothing to remark.
func TestFMRComplete(t *testing.T) {
	t.Parallel()
	op, form := fmr(t)
	in, err := xform.Read(form, group(answers("total", "7", "vulnerable_seen", "yes", "v_uac", "1", "photo", "1.jpg"),
		map[string]string{"nationality": "ETH", "men": "3", "women": "1", "boys": "2", "girls": "0", "not_known": "0"},
		map[string]string{"nationality": "SOM", "men": "0", "women": "1", "boys": "0", "girls": "0", "not_known": "0"}))
	if err != nil {
		t.Fatal(err)
	}
	rows, flags := xform.Movements(op, form, in)
	if len(rows) != 4 || len(flags)+len(in.Flags) > 0 || len(in.Files) != 1 {
		t.Errorf("%d rows, flags %v %v, files %v", len(rows), in.Flags, flags, in.Files)
	}
}
