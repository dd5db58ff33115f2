package xlsform_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"dtm/gather/xlsform"
)

// pyxform converts the forms of a folder and answers in JSON, by file.
const pyxform = `
import json, sys, pathlib
from pyxform.xls2xform import convert
out = {}
for p in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    try:
        r = convert(xlsform=p.read_bytes() if p.suffix == ".xlsx" else p.read_text(encoding="utf-8"), form_name="data", file_type=p.suffix)
        out[p.name] = {"xml": r.xform}
    except Exception as e:
        out[p.name] = {"error": type(e).__name__ + ": " + str(e)}
json.dump(out, sys.stdout)
`

func python(t *testing.T, args ...string) []byte {
	t.Helper()
	program := os.Getenv("DTM_TEST_PYTHON")
	if program == "" {
		program = filepath.Join("..", "..", ".cache", "py", "bin", "python")
	}
	var stderr bytes.Buffer
	cmd := exec.Command(program, args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("the Python environment of the tests (make tools): %v\n%s", err, &stderr)
		}
		t.Skipf("the Python environment of the tests (make tools): %v", err)
	}
	return out
}

// odkValidate asks ODK Validate about the XForms of a folder: by file, why it
// refuses it, "" when it does not.
func odkValidate(t *testing.T, dir string) map[string]string {
	t.Helper()
	jar := strings.TrimSpace(string(python(t, "-c", "import pyxform.validators.odk_validate as v; print(v.ODK_VALIDATE_PATH)")))
	files, _ := filepath.Glob(filepath.Join(dir, "*.xml"))
	said, err := exec.Command("java", append([]string{"-jar", jar}, files...)...).CombinedOutput()
	if len(said) == 0 {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, part := range strings.Split(string(said), "Validating: ")[1:] {
		name, rest, _ := strings.Cut(part, "\n")
		if !strings.Contains(strings.ToLower(rest), "xform is valid") {
			out[filepath.Base(strings.TrimSpace(name))] = flat(rest)
		}
	}
	return out
}

// ownBooks are forms that only a workbook can hold.
var ownBooks = map[string]func(f *excelize.File) error{
	"merged_header.xlsx": func(f *excelize.File) error {
		return errors.Join(f.SetSheetRow("survey", "A1", &[]any{"type", "name", "label", "hint"}), f.MergeCell("survey", "C1", "D1"), f.SetSheetRow("survey", "A2", &[]any{"text", "a", "A"}))
	},
	"blank_rows.xlsx": func(f *excelize.File) error {
		style, err := f.NewStyle(&excelize.Style{Font: &excelize.Font{Bold: true}})
		return errors.Join(err, f.SetSheetRow("survey", "A1", &[]any{"type", "name", "label"}), f.SetSheetRow("survey", "A4", &[]any{"text", "a", "A"}), f.SetSheetRow("survey", "A9", &[]any{"text", "b", "B"}), f.SetCellStyle("survey", "A10", "F300", style), f.SetCellValue("survey", "B200", "   "))
	},
	"blank_column.xlsx": func(f *excelize.File) error {
		return errors.Join(f.SetSheetRow("survey", "A1", &[]any{"type", nil, "name", "label"}), f.SetSheetRow("survey", "A2", &[]any{"text", "a note", "a", "A", nil, nil, "another note"}))
	},
	"cells_of_all_kinds.xlsx": func(f *excelize.File) error {
		return errors.Join(f.SetSheetRow("survey", "A1", &[]any{"type", "name", "label", "default", "required", "constraint"}),
			f.SetSheetRow("survey", "A2", &[]any{"integer", "a", 12, 7, true, ". > 1"}), f.SetSheetRow("survey", "A3", &[]any{"decimal", "b", 1.5, 2.25, false, nil}), f.SetSheetRow("survey", "A4", &[]any{"text", "c", "C\nin lines", "\u00a0x\u00a0", nil, nil}))
	},
	"sheets_of_notes.xlsx": func(f *excelize.File) error {
		_, e1 := f.NewSheet("Read me first")
		_, e2 := f.NewSheet("_choices")
		return errors.Join(e1, e2, f.SetCellValue("Read me first", "A1", "words"), f.SetSheetRow("_choices", "A1", &[]any{"list_name", "name"}), f.SetSheetRow("survey", "A1", &[]any{"type", "name", "label"}), f.SetSheetRow("survey", "A2", &[]any{"text", "a", "A"}))
	},
	"choice_numbers.xlsx": func(f *excelize.File) error {
		_, err := f.NewSheet("choices")
		return errors.Join(err, f.SetSheetDimension("choices", "A1:C9"), f.SetSheetRow("survey", "A1", &[]any{"type", "name", "label"}), f.SetSheetRow("survey", "A2", &[]any{"select_one l", "a", "A"}),
			f.SetSheetRow("choices", "A1", &[]any{"list_name", "name", "label"}), f.SetSheetRow("choices", "A2", &[]any{"l", 1, "One"}), f.SetSheetRow("choices", "A3", &[]any{"l", 2.5, 3}), f.SetSheetRow("choices", "A4", &[]any{"l", "1.0", "Text"}))
	},
}

// ownDiffers are the own forms on which this converter and pyxform with ODK Validate
// part, and why; doc/xlsform.md says more.
var ownDiffers = map[string]string{
	"choice_column_colon.md":   "pyxform falls over it with an error of Python",
	"filter_across_repeats.md": "works with one turn; a warning here, ODK Validate tries several turns",
}

// TestInteropOwn holds own forms full of traps against pyxform and, when
// VALIDATE_OWN is set as in `make interop`, ODK Validate: refused by either and
// refused here, or taken by both and the same XForm here.
func TestInteropOwn(t *testing.T) {
	t.Parallel()
	dir, ours := t.TempDir(), t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "own"))); err != nil {
		t.Fatal(err)
	}
	for name, fill := range ownBooks {
		f := excelize.NewFile()
		if err := errors.Join(f.SetSheetName("Sheet1", "survey"), fill(f), f.SetSheetDimension("survey", "A1:H400"), f.SaveAs(filepath.Join(dir, name)), f.Close()); err != nil {
			t.Fatal(err)
		}
	}
	var theirs map[string]struct{ XML, Error string }
	if err := json.Unmarshal(python(t, "-c", pyxform, dir), &theirs); err != nil {
		t.Fatal(err)
	}
	type result struct {
		out []byte
		err error
	}
	results := map[string]result{}
	for name, p := range theirs {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		out, _, err := convert(data)
		results[name] = result{out, err}
		if err == nil {
			if err := os.WriteFile(filepath.Join(ours, name+".xml"), out, 0o600); err != nil {
				t.Fatal(err)
			}
		} else if p.XML != "" { // whether ODK Validate would have refused it too
			if err := os.WriteFile(filepath.Join(ours, name+".xml"), []byte(p.XML), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	validated := os.Getenv("VALIDATE_OWN") != ""
	var invalid map[string]string
	if validated {
		invalid = odkValidate(t, ours)
	}
	var same, refused, taken, excepted int
	for name, p := range theirs {
		r := results[name]
		differs := func(format string, a ...any) {
			if why := ownDiffers[name]; why != "" {
				excepted++
				return
			}
			t.Errorf("%s: "+format, append([]any{name}, a...)...)
		}
		var faults xlsform.Faults
		switch bad := p.Error != "" || invalid[name+".xml"] != ""; {
		case r.err != nil && (!errors.As(r.err, &faults) || slices.ContainsFunc(faults, func(f xlsform.Fault) bool { return f.Cell == "" })):
			t.Errorf("%s: refused without a cell: %v", name, r.err)
		case r.err != nil && bad:
			refused++
		case r.err != nil && !validated:
			// pyxform leaves these to ODK Validate
			if ownDiffers[name] == "" && !validatesOnly[name] {
				t.Errorf("%s: refused here only: %v", name, r.err)
			}
		case r.err != nil:
			differs("refused here only: %v", r.err)
		case bad:
			differs("taken here, refused by pyxform or ODK Validate: %s%s", p.Error, invalid[name+".xml"])
		default:
			taken++
			if a, b := canonical(t, p.XML), canonical(t, string(r.out)); a == b {
				same++
			} else {
				differs("differs from pyxform: %s", firstDifference(a, b))
			}
		}
	}
	t.Logf("%d own forms: %d refused by both, %d taken by both, %d of them the same XForm; %d differences explained; ODK Validate asked: %v", len(theirs), refused, taken, same, excepted, validated)
}

// validatesOnly are the forms that pyxform takes and ODK Validate refuses.
var validatesOnly = func() map[string]bool {
	out := map[string]bool{}
	for _, name := range strings.Fields(`cycle_by_group cycle_of_itself cycle_of_two cycle_read_only cycle_relevant cycle_required empty_group
		expression_arguments expression_axis expression_coalesce expression_equals expression_function expression_open expression_words
		name_arabic name_ethiopic reference_braces running_total select_from_question`) {
		out[name+".md"] = true
	}
	return out
}()
