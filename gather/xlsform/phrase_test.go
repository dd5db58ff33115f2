package xlsform_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"dtm/gather/xlsform"
)

// edited changes cells of a workbook's sheet.
func edited(t testing.TB, data []byte, change func(set func(cell, text string), rows [][]string, x *excelize.File)) []byte {
	t.Helper()
	x, err := excelize.OpenReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	rows, err := x.GetRows("strings")
	if err != nil {
		t.Fatal(err)
	}
	change(func(cell, text string) {
		if err := x.SetCellStr("strings", cell, text); err != nil {
			t.Fatal(err)
		}
	}, rows, x)
	var b bytes.Buffer
	if err := x.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func at(t testing.TB, col, row int) string {
	t.Helper()
	s, err := excelize.CoordinatesToCellName(col, row)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// words are what a translator might write: any script, line ends, what looks like a
// formula or a number, with the references of the text.
func words(r *rand.Rand, text string) string {
	of := []string{"Maxaad", "u baahan", "tahay?", "ምን", "ያስፈልጋል", "=1+1", "+252", "-", "0", "2026-01-01", "a|b", "<b>", "&amp;", "\n", "’", "«x»", "${", "é", "TRUE", "'"}
	var out []string
	for range 1 + r.IntN(6) {
		if w := of[r.IntN(len(of))]; w != "${" {
			out = append(out, w)
		}
	}
	for _, m := range xlsform.Ref.FindAllString(text, -1) {
		out = slices.Insert(out, r.IntN(len(out)+1), m)
	}
	s := strings.TrimSpace(strings.Join(out, " "))
	if s == "" {
		return "x"
	}
	return s
}

// TestStringsRoundTrip: whatever is written into a translators' sheet comes back in
// the form, word for word but for blanks and quotation marks, which every XLSForm has
// simplified; and nothing else of the form changes.
func TestStringsRoundTrip(t *testing.T) {
	t.Parallel()
	plain := func(s string) string {
		return strings.Join(strings.Fields(strings.NewReplacer("‘", "'", "’", "'", "“", `"`, "”", `"`).Replace(s)), " ")
	}
	files, err := filepath.Glob("../../operation/djibouti/forms/*.xlsx")
	if err != nil || len(files) < 6 {
		t.Fatal(files, err)
	}
	for i, file := range files {
		if i%2 == 0 {
			continue // half of them: event, fms, screening
		}
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		form, _, err := xlsform.Read(file, source)
		if err != nil {
			t.Fatal(err)
		}
		langs := []string{"Somali (so)", "Amharic (am)"}
		sheet, err := xlsform.Strings(form, langs)
		if err != nil {
			t.Fatal(err)
		}
		r := rand.New(rand.NewPCG(5, uint64(i)))
		want := map[string]map[string]string{langs[0]: {}, langs[1]: {}}
		filled := edited(t, sheet, func(set func(string, string), rows [][]string, _ *excelize.File) {
			for n, row := range rows[1:] {
				for k, l := range langs {
					w := words(r, row[2])
					want[l][row[0]] = w
					set(at(t, 6+k, n+2), w)
				}
			}
		})
		list, err := xlsform.ReadStrings("s.xlsx", filled, form)
		if err != nil {
			t.Fatal(err)
		}
		out, err := xlsform.Translate(file, source, form, list, "9")
		if err != nil {
			t.Fatal(err)
		}
		after, warnings, err := xlsform.Read(file, out)
		if err != nil || len(warnings) > 0 {
			t.Fatalf("%s: %v %v", file, err, warnings)
		}
		n := 0
		for _, p := range after.Phrases() {
			for _, l := range langs {
				n++
				if got := p.Texts.In(l); plain(got) != plain(want[l][p.Key]) {
					t.Errorf("%s %s in %s: %q became %q", file, p.Key, l, want[l][p.Key], got)
				}
			}
		}
		if n != 2*len(form.Phrases()) || n < 100 {
			t.Errorf("%s: %d translations of %d texts", file, n, len(form.Phrases()))
		}
		for _, c := range xlsform.Diff(form, after) {
			if c.What != "version" && c.What != "languages" && !strings.HasSuffix(c.What, langs[0]) && !strings.HasSuffix(c.What, langs[1]) {
				t.Errorf("%s: something else changed: %+v", file, c)
			}
		}
		// Again over the translated form: the sheet is filled in already, and writing it
		// back changes nothing.
		again, err := xlsform.Strings(after, langs)
		if err != nil {
			t.Fatal(err)
		}
		if list, err = xlsform.ReadStrings("s.xlsx", again, after); err != nil {
			t.Fatal(err)
		}
		same, err := xlsform.Translate(file, out, after, list, "")
		if err != nil {
			t.Fatal(err)
		}
		twice, _, err := xlsform.Read(file, same)
		if err != nil {
			t.Fatal(err)
		}
		if d := xlsform.Diff(after, twice); len(d) > 0 {
			t.Errorf("%s: a second time changes %v", file, d[0])
		}
	}
}

const translatable = `
| survey |
| | type | name | label::English (en) | label::French (fr) |
| | integer | age | Age | Âge |
| | note | old | You are ${age}, yes ${age}. | Vous avez ${age} ans. |
| | select_one yn | ok | OK? | OK ? |
| choices |
| | list_name | name | label::English (en) | label::French (fr) |
| | yn | yes | Yes | Oui |
| settings |
| | form_title | form_id | version |
| | Title | f | 1 |
`

// TestStringsFaults: what is wrong in a sheet is said with its cell.
func TestStringsFaults(t *testing.T) {
	t.Parallel()
	form, _, err := xlsform.Read("f.md", []byte(translatable))
	if err != nil {
		t.Fatal(err)
	}
	sheet, err := xlsform.Strings(form, []string{"Somali (so)"})
	if err != nil {
		t.Fatal(err)
	}
	good := map[int]string{2: "Magac", 3: "Da'da", 4: "Waa ${age}, haa ${age}.", 5: "Haye?", 6: "Haa"} // by row
	for _, c := range []struct {
		name   string
		change func(set func(string, string), x *excelize.File)
		want   []string
	}{
		{"nothing wrong", func(func(string, string), *excelize.File) {}, nil},
		{"empty", func(set func(string, string), _ *excelize.File) { set("E3", " ") }, []string{"strings!E3 strings.empty"}},
		{"changed since", func(set func(string, string), _ *excelize.File) { set("D5", "D'accord ?") }, []string{"strings!D5 strings.changed"}},
		{"blanks may differ", func(set func(string, string), _ *excelize.File) { set("C5", " OK?  ") }, nil},
		{"reference lost", func(set func(string, string), _ *excelize.File) { set("E4", "Waa ${age}.") }, []string{"strings!E4 strings.lost"}},
		{"reference misspelt", func(set func(string, string), _ *excelize.File) { set("E4", "Waa ${agee} ${age}") }, []string{"strings!E4 strings.lost", "strings!E4 strings.added"}},
		{"reference broken", func(set func(string, string), _ *excelize.File) { set("E4", "Waa ${age} ${age} ${ age") }, []string{"strings!E4 strings.added"}},
		{"reference where there was none", func(set func(string, string), _ *excelize.File) { set("E3", "${age}") }, []string{"strings!E3 strings.added"}},
		{"extra row", func(set func(string, string), _ *excelize.File) { set("A7", "survey/data/gone#label"); set("E7", "x") }, []string{"strings!A7 strings.extra"}},
		{"row twice", func(set func(string, string), _ *excelize.File) { set("A7", "survey/data/age#label"); set("E7", "x") }, []string{"strings!A7 strings.twice"}},
		{"row missing", func(_ func(string, string), x *excelize.File) { _ = x.RemoveRow("strings", 6) }, []string{"strings strings.missing"}},
		{"rows moved", func(_ func(string, string), x *excelize.File) {
			_ = x.DuplicateRowTo("strings", 3, 7)
			_ = x.RemoveRow("strings", 3)
		}, nil},
		{"column missing", func(_ func(string, string), x *excelize.File) { _ = x.RemoveCol("strings", "D") }, []string{"strings!A1 strings.column"}},
		{"nothing filled in", func(_ func(string, string), x *excelize.File) { _ = x.RemoveCol("strings", "E") }, []string{"strings!A1 strings.none"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			data := edited(t, sheet, func(set func(string, string), _ [][]string, x *excelize.File) {
				for row, w := range good {
					set(at(t, 5, row), w)
				}
				c.change(set, x)
			})
			_, err := xlsform.ReadStrings("s.xlsx", data, form)
			var got []string
			var faults xlsform.Faults
			if errors.As(err, &faults) {
				for _, f := range faults {
					got = append(got, f.Where()+" "+f.Code)
					if f.In("fr") == f.Msg {
						t.Errorf("no French for %q", f.Msg)
					}
				}
			} else if err != nil {
				t.Fatal(err)
			}
			if fmt.Sprint(got) != fmt.Sprint(c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
	if _, err := xlsform.ReadStrings("s.xlsx", []byte("PK\x03\x04junk"), form); err == nil {
		t.Error("a damaged workbook is read")
	}
	if _, err := xlsform.Translate("f.md", []byte(translatable), form, nil, ""); err == nil {
		t.Error("a Markdown table cannot be written into")
	}
}

// TestTranslateHeaders: new columns are called as the form calls its own, so that the
// others mean what they meant.
func TestTranslateHeaders(t *testing.T) {
	t.Parallel()
	for name, head := range map[string][]string{
		"two colons": {"type", "name", "label::English (en)"},
		"one colon":  {"type", "name", "label:English (en)", "bind:relevant"},
		"languages":  {"type", "name", "caption"},
	} {
		x := excelize.NewFile()
		_ = x.SetSheetName("Sheet1", "survey")
		_ = x.SetSheetRow("survey", "A1", &head)
		_ = x.SetSheetRow("survey", "A2", &[]string{"text", "a", "A word"})
		var b bytes.Buffer
		if err := x.Write(&b); err != nil {
			t.Fatal(err)
		}
		x.Close()
		form, _, err := xlsform.Read("f.xlsx", b.Bytes())
		if err != nil {
			t.Fatal(name, err)
		}
		list := []xlsform.Translation{{Lang: "Somali (so)", Words: map[string]string{"survey/data/a#label": "Eray"}}}
		out, err := xlsform.Translate("f.xlsx", b.Bytes(), form, list, "")
		if err != nil {
			t.Fatal(name, err)
		}
		after, _, err := xlsform.Read("f.xlsx", out)
		if err != nil {
			t.Fatal(name, err)
		}
		label := after.Root.Child("a").Label
		if label.In("Somali (so)") != "Eray" || !slices.ContainsFunc(label, func(x xlsform.Text) bool { return x.Words == "A word" }) {
			t.Errorf("%s: %+v", name, after.Root.Child("a").Label)
		}
	}
}
