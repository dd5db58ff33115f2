package xlsform_test

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dtm"
	"dtm/gather/xform"
	"dtm/gather/xlsform"
)

func testdata(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestXLS: an Excel 97 workbook gives the same XForm as the Markdown of the same
// cells, whatever the file is called.
func TestXLS(t *testing.T) {
	t.Parallel()
	var got [2]string
	for i, file := range []string{"form.xls", "form.md"} {
		f, _, err := xlsform.Read("form.xlsx", testdata(t, file))
		if err != nil {
			t.Fatal(err)
		}
		out, err := xform.Write(f)
		if err != nil {
			t.Fatal(err)
		}
		got[i] = string(out)
	}
	if diff := cmp.Diff(got[1], got[0]); diff != "" {
		t.Error(diff)
	}
}

// TestXLSCells: dates, times, fractions and letters of any script.
func TestXLSCells(t *testing.T) {
	t.Parallel()
	f, _, err := xlsform.Read("cells.xls", testdata(t, "cells.xls"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, n := range f.Root.Nodes {
		got = append(got, n.Default)
	}
	// The program that wrote the file gave its formula no result.
	if diff := cmp.Diff([]string{"2026-11-23", "2.5", "0.0000001", "44624", "07:30:00", "2026-11-23 07:30:00", "", "à ٣ 😀", "-12.25", "123456789012"}, got); diff != "" {
		t.Error(diff)
	}
}

// TestXLSDamaged: a file that is cut off or whose chains run in rings is an error.
func TestXLSDamaged(t *testing.T) {
	t.Parallel()
	whole := testdata(t, "cells.xls")
	for n := 8; n < len(whole); n += 97 {
		if _, _, err := xlsform.Read("cut.xls", whole[:n]); err != nil && dtm.KindOf(err) == dtm.Internal {
			t.Fatalf("cut at %d: %v", n, err)
		}
	}
	ring := append([]byte(nil), whole...)
	for at := 512; at+4 <= len(ring); at += 4 {
		binary.LittleEndian.PutUint32(ring[at:], 1)
	}
	if _, _, err := xlsform.Read("ring.xls", ring); dtm.KindOf(err) != dtm.Invalid {
		t.Error(err)
	}
}

// FuzzXLS: any bytes under the sign of a compound file are a form, faults or an
// error.
func FuzzXLS(f *testing.F) {
	f.Add(testdata(f, "cells.xls"))
	f.Fuzz(func(t *testing.T, data []byte) {
		tryForm(t, append([]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), data[min(8, len(data)):]...))
	})
}
