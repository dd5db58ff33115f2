package report

import (
	"encoding/json"
	"strings"
	"testing"
)

// A number, and the number of a release with letters in it, stay whole where text runs from
// right to left; words without a number are left alone.
func TestIsolated(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"الإصدار provisional-23869-979c5e67": "الإصدار [provisional-23869-979c5e67]",
		"الإصدار 2026-10/1 · 29 نوفمبر 2026": "الإصدار [2026-10/1] · [29] نوفمبر [2026]",
		"أقل من 10: <10":                     "أقل من [10]: [<10]",
		"2,485، أي 22%":                      "[2,485]، أي [22%]",
		"(من 1 إلى 9.5)":                     "(من [1] إلى [9.5])",
		"+18% أو \u22123.4":                  "[+18%] أو [\u22123.4]",
		"Natural Earth (DTM)":                "Natural Earth (DTM)",
	} {
		in, err := json.Marshal(map[string]any{"text": []string{text}, "file": "map-1.svg"})
		if err != nil {
			t.Fatal(err)
		}
		out, err := isolated(in)
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			Text []string
			File string
		}
		if err := json.Unmarshal(out, &got); err != nil {
			t.Fatal(err)
		}
		if s := strings.NewReplacer("\u2066", "[", "\u2069", "]").Replace(got.Text[0]); s != want || got.File != "map-1.svg" {
			t.Errorf("%q became %q, want %q; file %s", text, s, want, got.File)
		}
	}
}
