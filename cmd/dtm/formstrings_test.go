package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
)

// TestFormStrings: the sheet goes out, comes back filled in, and the form is published
// with its new language; a fault is named by its row, and nothing is written.
func TestFormStrings(t *testing.T) {
	t.Parallel()
	data := real(t)
	dir := t.TempDir()
	sheet, form := filepath.Join(dir, "so.xlsx"), filepath.Join(dir, "event.xlsx")
	if out := dtmRun(t, "form", "strings", "-data", data, "-to", "so", "-out", sheet, "event"); !strings.Contains(out, "Somali (so)") {
		t.Error(out)
	}
	x, err := excelize.OpenFile(sheet)
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	rows, err := x.GetRows("strings")
	if err != nil {
		t.Fatal(err)
	}
	for i, row := range rows[1:] {
		cell, _ := excelize.CoordinatesToCellName(len(rows[0]), i+2)
		if err := x.SetCellStr("strings", cell, "so: "+row[2]); err != nil {
			t.Fatal(err)
		}
	}
	if err := x.Save(); err != nil {
		t.Fatal(err)
	}
	if out := dtmRun(t, "form", "strings", "-data", data, "-in", sheet, "-version", "2099010101", "-out", form, "event"); !strings.Contains(out, "2099010101, now also in Somali (so)") {
		t.Error(out)
	}
	dtmRun(t, "form", "publish", "-data", data, form)
	if out := dtmRun(t, "form", "diff", "-data", data, "event"); !strings.Contains(out, "Somali (so)") {
		t.Error(out)
	}
	if err := x.SetCellStr("strings", "F5", ""); err != nil {
		t.Fatal(err)
	}
	if err := x.Save(); err != nil {
		t.Fatal(err)
	}
	never := filepath.Join(dir, "never.xlsx")
	code, _, stderr := dtmTry(t, "form", "strings", "-in", sheet, "-lang", "fr", "-out", never, form)
	if _, err := os.Stat(never); code != 1 || !strings.Contains(stderr, "strings!F5: la traduction manque") || err == nil {
		t.Errorf("exit %d, %s", code, stderr)
	}
	if code, _, _ := dtmTry(t, "form", "strings", "-to", "martian", "-out", never, form); code != 2 {
		t.Errorf("a language without a code: exit %d", code)
	}
}
