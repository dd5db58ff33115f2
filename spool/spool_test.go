package spool

import (
	"io"
	"os"
	"testing"
)

// TestUnnamed: what was written is read again, and the folder is empty all the while.
func TestUnnamed(t *testing.T) {
	dir := t.TempDir()
	f, err := Unnamed(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString("kept"); err != nil {
		t.Fatal(err)
	}
	if list, err := os.ReadDir(dir); err != nil || len(list) > 0 {
		t.Errorf("%v %v", list, err)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(f); err != nil || string(b) != "kept" {
		t.Errorf("%q %v", b, err)
	}
	if _, err := Unnamed(dir + "/none"); err == nil {
		t.Error("a file in a folder that is not there")
	}
}
