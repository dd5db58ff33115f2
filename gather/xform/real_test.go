package xform_test

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"dtm/gather/xform"
	"dtm/gather/xlsform"
)

// shared finds a file of the folder beside the project that holds the outside
// test data.
func shared(t testing.TB, parts ...string) string {
	t.Helper()
	file := filepath.Join(append([]string{"..", "..", "..", "shared"}, parts...)...)
	if _, err := os.Stat(file); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("the outside test data is missing: %v", err)
		}
		t.Skipf("the outside test data is missing: %v", err)
	}
	return file
}

// TestRealForms converts forms from practice, asks ODK Validate about each
// result, and holds two of them against the XForm that ODK made.
func TestRealForms(t *testing.T) {
	t.Parallel()
	tests := []struct {
		file    string
		refused string // the one fault, "" when the form converts
		oracle  string // XForm that ODK made of the same form
	}{
		{file: "kobo_followup_round1.xlsx"},
		{file: "kobo_followup_round2.xlsx"},
		{file: "kobo_repeat_group.xlsx"},
		{file: "odk_all_question_types.xlsx", oracle: "all-question-types-v2024091201-3.xml"},
		{file: "odk_socio_economic.xlsx", oracle: "socio-economic-survey-v20240515.xml"},
		{file: "pyxform_spec_test.xlsx"},
		{file: "unhcr_surveydesigner.xlsx", refused: "64"},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(shared(t, "data", "xlsform", "real", tt.file))
			if err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			f, warnings, err := xlsform.Read(tt.file, data)
			if tt.refused != "" {
				t.Logf("read in %v: %v", time.Since(start), err)
				var faults xlsform.Faults
				if !errors.As(err, &faults) || !slices.ContainsFunc(faults, func(f xlsform.Fault) bool {
					return f.Sheet == "survey" && strings.TrimLeft(f.Cell, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == tt.refused
				}) {
					t.Fatalf("the form has a fault in row %s, and this was found: %v", tt.refused, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			out, err := xform.Write(f)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("converted in %v, %d bytes, warnings: %v", time.Since(start), len(out), warnings)
			odkValidate(t, map[string][]byte{strings.TrimSuffix(tt.file, ".xlsx"): out})
			if tt.oracle == "" {
				return
			}
			want, err := os.ReadFile(shared(t, "data", "xlsform", "real", tt.oracle))
			if err != nil {
				t.Fatal(err)
			}
			// ODK's are of an older converter, which left out lists that no question
			// uses; the root's version comes from the server.
			ours := map[string]int{}
			for _, l := range strings.Split(canonical(t, string(out)), "\n") {
				ours[strings.TrimSpace(l)]++
			}
			for _, l := range strings.Split(canonical(t, string(want)), "\n") {
				if l = strings.TrimSpace(l); ours[l] == 0 && !strings.HasPrefix(l, "<:data ") {
					t.Errorf("ODK has %s, ours has not", l)
				}
				ours[l]--
			}
		})
	}
}

// BenchmarkReal converts each form from practice, from the bytes of the workbook to
// the XForm or to the faults: at most 100 ms each.
func BenchmarkReal(b *testing.B) {
	files, _ := filepath.Glob(filepath.Join(shared(b, "data", "xlsform", "real"), "*.xlsx"))
	for _, file := range files {
		b.Run(filepath.Base(file), func(b *testing.B) {
			data, err := os.ReadFile(file)
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				f, _, err := xlsform.Read("f", data)
				if err != nil {
					continue // finding the faults takes its time too
				}
				if _, err := xform.Write(f); err != nil {
					b.Fatal(err)
				}
			}
			if each := b.Elapsed() / time.Duration(b.N); each > 100*time.Millisecond {
				b.Errorf("%v a conversion", each)
			}
		})
	}
}

// canonical writes XML with sorted attributes and without blanks that only lay it
// out.
func canonical(t testing.TB, s string) string {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(s))
	var b strings.Builder
	depth := 0
	for {
		tok, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			return b.String()
		}
		if err != nil {
			t.Fatalf("not XML: %v\n%s", err, s)
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			attrs := make([]string, len(tok.Attr))
			for i, a := range tok.Attr {
				attrs[i] = fmt.Sprintf(" %s:%s=%q", a.Name.Space, a.Name.Local, a.Value)
			}
			slices.Sort(attrs)
			fmt.Fprintf(&b, "\n%s<%s:%s%s>", strings.Repeat(" ", depth), tok.Name.Space, tok.Name.Local, strings.Join(attrs, ""))
			depth++
		case xml.EndElement:
			depth--
		case xml.CharData:
			if text := strings.Join(strings.Fields(string(tok)), " "); text != "" {
				fmt.Fprintf(&b, "\n%s%q", strings.Repeat(" ", depth), text)
			}
		}
	}
}
