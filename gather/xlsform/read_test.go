package xlsform_test

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"dtm"
	"dtm/gather/xform"
	"dtm/gather/xlsform"
)

// TestFaults: each fault names the cell that its author must change.
func TestFaults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, form string
		want       string // cells and codes
	}{
		{"several at once", `
| survey |
| | type | name | label | relevant |
| | txt | a | A | |
| | text | b c | B | |
| | text | d | | |
| | text | e | E | ${f} = 1 |
`, "survey!A2 survey.type; survey!B3 name.invalid; survey!C4 survey.no_label; survey!D5 ref.unknown"},
		{"no survey", "\n| choices |\n| | list_name | name | label |\n| | a | b | c |\n| settings |\n| | form_id |\n| | x |\n", "survey!A1 survey.missing"},
		{"misspelt sheet", "\n| surveys |\n| | type | name | label |\n| | text | a | A |\n| settings |\n| | form_id |\n| | x |\n", "survey!A1 survey.missing"},
		{"no type column", "\n| survey |\n| | name | label |\n| | a | A |\n", "survey!A1 survey.no_type_column"},
		{"no name", "\n| survey |\n| | type | name | label |\n| | text | | A |\n", "survey!B2 name.missing"},
		{"name twice", "\n| survey |\n| | type | name | label |\n| | text | a | A |\n| | text | a | A |\n", "survey!B3 name.twice"},
		{"group not ended", "\n| survey |\n| | type | name | label |\n| | begin_group | g | G |\n| | text | a | A |\n", "survey!A2 survey.not_ended"},
		{"end without begin", "\n| survey |\n| | type | name | label |\n| | text | a | A |\n| | end_repeat | | |\n", "survey!A3 survey.end"},
		{"crossed ends", "\n| survey |\n| | type | name | label |\n| | begin_group | g | G |\n| | begin_repeat | r | R |\n| | text | a | A |\n| | end_group | | |\n", "survey!A5 survey.end_other"},
		{"unknown list", "\n| survey |\n| | type | name | label |\n| | select_one colour | a | A |\n| choices |\n| | list_name | name | label |\n| | color | red | Red |\n", "survey!A2 select.list"},
		{"choice twice and unnamed", "\n| survey |\n| | type | name | label |\n| | select_one c | a | A |\n| choices |\n| | list_name | name | label |\n| | c | red | Red |\n| | c | red | Red |\n| | c | | Blue |\n", "choices!B3 choices.twice; choices!B4 choices.no_name"},
		{"blank in a choice of select_multiple", "\n| survey |\n| | type | name | label |\n| | select_multiple c | a | A |\n| choices |\n| | list_name | name | label |\n| | c | dark red | Red |\n", "choices!B2 choices.blank"},
		{"reference not closed", "\n| survey |\n| | type | name | label |\n| | text | a | Hello ${a |\n", "survey!C2 ref.syntax"},
		{"blank in a reference", "\n| survey |\n| | type | name | label |\n| | text | a | Hello ${ a } |\n", "survey!C2 ref.syntax"},
		{"reference to two rows", "\n| survey |\n| | type | name | label |\n| | begin_group | g | G |\n| | text | a | A |\n| | end_group | | |\n| | text | a | A |\n| | note | n | ${a} |\n", "survey!C6 ref.twice"},
		{"column twice under two names", "\n| survey |\n| | type | name | value | label |\n| | text | a | b | A |\n", "survey!C1 header.alias"},
		{"bad parameter", "\n| survey |\n| | type | name | label | parameters |\n| | range | a | A | start=1 end=x |\n| | image | b | B | max-pixels |\n", "survey!D2 range.number; survey!D3 parameters.syntax"},
		{"file with a wrong ending", "\n| survey |\n| | type | name | label |\n| | select_one_from_file a.txt | a | A |\n", "survey!A2 select.file"},
		{"two files of one name", "\n| survey |\n| | type | name | label |\n| | select_one_from_file a.csv | a | A |\n| | select_one_from_file a.xml | b | B |\n", "survey!A3 instance.source"},
		{"trigger that is not shown", "\n| survey |\n| | type | name | label | calculation | trigger |\n| | calculate | a | | 1 | |\n| | text | b | B | now() | ${a} |\n", "survey!E3 trigger.hidden"},
		{"save_to without entities", "\n| survey |\n| | type | name | label | save_to |\n| | text | a | A | p |\n", "survey!D2 entities.none"},
		{"entity without label", "\n| survey |\n| | type | name | label |\n| | text | a | A |\n| entities |\n| | list_name |\n| | trees |\n", "entities!A2 entities.no_label"},
		{"media of no kind", "\n| survey |\n| | type | name | label | media::smell |\n| | text | a | A | x.png |\n", "survey!D2 media.kind"},
		{"group with nothing to show", "\n| survey |\n| | type | name | label | calculation |\n| | begin_group | g | G | |\n| | calculate | a | | 1 |\n| | end_group | | | |\n", "survey!A2 survey.empty_group"},
		{"brackets and quotation marks", "\n| survey |\n| | type | name | label | relevant | constraint | repeat_count |\n| | text | a | A | selected(${n}, 'x' | . = \"y' | |\n| | integer | n | N | | | |\n| | begin_repeat | r | R | | | 1 + (2 |\n| | text | b | B | | | |\n| | end_repeat | | | | | |\n", "survey!D2 expression.open; survey!E2 expression.open; survey!F4 expression.open"},
		{"no XPath", "\n| survey |\n| | type | name | label | relevant |\n| | text | a | A | |\n| | text | b | B | when ${a} |\n| | text | c | C | ${a} == 1 |\n| | text | d | D | if(${a}, 1) |\n| | text | e | E | uppercase(${a}) = 'A' |\n| | text | f | F | count(//a) > 1 |\n| | text | g | G | $a = 1 |\n", "survey!D3 expression.open; survey!D4 expression.open; survey!D5 expression.open; survey!D6 expression.function; survey!D7 expression.axis; survey!D8 expression.open"},
		{"depends on itself", "\n| survey |\n| | type | name | label | relevant | calculation |\n| | text | a | A | ${b} = 1 | |\n| | calculate | b | | | ${c} + 1 |\n| | calculate | c | | | ${a} + 1 |\n| | begin_group | g | G | ${h} = 1 | |\n| | text | h | H | | |\n| | end_group | | | | |\n", "survey!D2 expression.cycle; survey!D5 expression.cycle"},
		{"choices from what is in no repeat", "\n| survey |\n| | type | name | label |\n| | text | a | A |\n| | select_one ${a} | b | B |\n", "survey!A3 select.no_repeat"},
		{"a name that Collect cannot read", "\n| survey |\n| | type | name | label |\n| | text | اسم | A |\n", "survey!B2 name.letters"},
		{"bad form name", "\n| survey |\n| | type | name | label |\n| | text | a | A |\n| settings |\n| | name |\n| | 1 a |\n", "settings!A2 name.form"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, _, err := xlsform.Read("f.md", []byte(tt.form))
			var faults xlsform.Faults
			if !errors.As(err, &faults) {
				t.Fatalf("not refused by cells: %v", err)
			}
			var got []string
			for _, f := range faults {
				got = append(got, f.Where()+" "+f.Code)
				if f.Msg == "" || strings.Contains(f.Msg, "%!") {
					t.Errorf("message %q", f.Msg)
				}
			}
			if diff := cmp.Diff(tt.want, strings.Join(got, "; ")); diff != "" {
				t.Errorf("%s\n%v", diff, err)
			}
			var e *dtm.Error
			if !errors.As(err, &e) || e.Kind != dtm.Invalid || e.Where == "" {
				t.Errorf("as *dtm.Error: %+v", e)
			}
			if lines := strings.Split(err.Error(), "\n"); len(lines) != len(faults) || !strings.HasPrefix(lines[0], faults[0].Where()+": ") {
				t.Errorf("printed as %q", err)
			}
		})
	}
}

// TestHeaders: columns are known by any of their names, in any case, and texts by
// their language.
func TestHeaders(t *testing.T) {
	t.Parallel()
	f, _, err := xlsform.Read("x/Some Form.md", []byte(`
| SURVEY |
| | Type | NAME | Label::English (en) | label :: French (fr) | Relevance | Read Only | Constraint Message::French (fr) | HXL | Image::French (fr) | bind::odk:length |
| | Integer | n | Number | Nombre | 1 = 1 | Yes | Non | #affected +f +adults | n.png | 5 |
| | select one from l or specify other | s | S | | | | | | | |
| Choices |
| | List Name | Value | Caption |
| | l | a | A |
| settings |
| | form_title | default_language |
| | T | French (fr) |
`))
	if err != nil {
		t.Fatal(err)
	}
	n := f.Root.Nodes[0]
	if f.ID != "Some Form" || f.Title != "T" || f.DefaultLanguage != "French (fr)" || n.Type != "integer" || n.Label.In("French (fr)") != "Nombre" || n.Label.In("English (en)") != "Number" ||
		n.HXL != "#affected+adults+f" || n.ConstraintMessage.In("French (fr)") != "Non" || n.Media[0].File.In("French (fr)") != "n.png" {
		t.Errorf("%+v\n%+v", f, n)
	}
	if diff := cmp.Diff(map[string]string{"type": "int", "relevant": "1 = 1", "readonly": "true()", "odk:length": "5"}, n.Bind); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"English (en)", "French (fr)"}, f.Languages); diff != "" {
		t.Error(diff)
	}
	if s := f.Root.Nodes[1]; !s.Other || s.List != "l" || f.Root.Nodes[2].Name != "s_other" || len(f.ChoiceList("l").Choices) != 2 {
		t.Errorf("%+v", s)
	}
}

// workbook makes an .xlsx file of tables.
func workbook(t testing.TB, fill func(f *excelize.File)) []byte {
	t.Helper()
	f := excelize.NewFile()
	if err := f.SetSheetName("Sheet1", "survey"); err != nil {
		t.Fatal(err)
	}
	for i, row := range [][]any{{"type", "name", "label", "default", "required"}, {"date", "d", "D", nil, nil}, {}, {"integer", "n", "N", nil, nil}, {"text", "t", "T", nil, nil}} {
		if err := f.SetSheetRow("survey", fmt.Sprintf("A%d", i+1), &row); err != nil {
			t.Fatal(err)
		}
	}
	if fill != nil {
		fill(f)
	}
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestCells: what a workbook stores as numbers is read as its author sees it.
func TestCells(t *testing.T) {
	t.Parallel()
	data := workbook(t, func(f *excelize.File) {
		for cell, v := range map[string]any{"D2": time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC), "E2": true, "D4": 44624, "E4": false, "D5": 2.50} {
			if err := f.SetCellValue("survey", cell, v); err != nil {
				t.Fatal(err)
			}
		}
	})
	f, _, err := xlsform.Read("misleading.xls", data)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, n := range f.Root.Nodes {
		got = append(got, n.Name+" "+n.Default+" "+n.Bind["required"])
	}
	if diff := cmp.Diff([]string{"d 2026-11-23 true()", "n 44624 false()", "t 2.5 "}, got); diff != "" {
		t.Error(diff)
	}
	// A row number counts blank rows.
	bad := workbook(t, func(f *excelize.File) {
		if err := f.SetCellValue("survey", "A5", "txt"); err != nil {
			t.Fatal(err)
		}
	})
	if _, _, err := xlsform.Read("f.xlsx", bad); err == nil || !strings.HasPrefix(err.Error(), "survey!A5: ") {
		t.Error(err)
	}
}

// TestFormattedBlanks: cells that hold nothing but a format, of which web
// spreadsheets make 26,000 a sheet, cost nothing and move nothing.
func TestFormattedBlanks(t *testing.T) {
	data := workbook(t, func(f *excelize.File) {
		style, err := f.NewStyle(&excelize.Style{Font: &excelize.Font{Bold: true}})
		if err != nil {
			t.Fatal(err)
		}
		if err := f.SetCellStyle("survey", "A1", "Z1000", style); err != nil {
			t.Fatal(err)
		}
		for cell, v := range map[string]any{"D2": time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC), "E5": true, "H900": "a note"} {
			if err := f.SetCellValue("survey", cell, v); err != nil {
				t.Fatal(err)
			}
		}
	})
	var form *xlsform.Form
	allocs := testing.AllocsPerRun(1, func() {
		var err error
		if form, _, err = xlsform.Read("f", data); err != nil {
			t.Fatal(err)
		}
	})
	if d, x := form.Root.Nodes[0], form.Root.Nodes[2]; len(form.Root.Nodes) != 3 || d.Default != "2026-11-23" || x.Name != "t" || x.Bind["required"] != "true()" {
		t.Errorf("%+v\n%+v", d, x)
	}
	if allocs > 60_000 {
		t.Errorf("%v allocations for a form of four rows", allocs)
	}
}

// TestFiles: a file is known by its content, and one that is no form is an error
// that says so.
func TestFiles(t *testing.T) {
	t.Parallel()
	good := workbook(t, nil)
	tests := []struct {
		name string
		data []byte
		kind dtm.Kind
		says string
	}{
		{"empty.xlsx", nil, dtm.Invalid, "empty"},
		{"blank.md", []byte(" \n"), dtm.Invalid, "empty"},
		{"cut.xlsx", good[:len(good)/2], dtm.Invalid, "damaged"},
		{"picture.xlsx", []byte("\x89PNG\r\n\x1a\n"), dtm.Unsupported, "neither"},
		{"plain.md", []byte("| one |"), dtm.Unsupported, "neither"},
		{"table.md", []byte("a | b | c | d | e | f"), dtm.Unsupported, "no table"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, _, err := xlsform.Read(tt.name, tt.data)
			var e *dtm.Error
			if !errors.As(err, &e) || e.Kind != tt.kind || e.Where != tt.name || !strings.Contains(e.Msg, tt.says) {
				t.Errorf("%+v", err)
			}
		})
	}
}

// TestWarnings: what the author should know does not stop the form.
func TestWarnings(t *testing.T) {
	t.Parallel()
	_, warnings, err := xlsform.Read("f.md", []byte(`
| survey |
| | type | name | label::English (en) | label::French (fr) | label::Frnch | hint::English (en) |
| | image | a | A | | X | H |
| | text | B | B | B | X | |
| | text | b | B | B | X | |
| | begin_repeat | r | | | | |
| | text | q | Q | Q | X | |
| | end_repeat | | | | | |
| setings |
| | form_id |
| | x |
`))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, w := range warnings {
		got = append(got, w.Code)
	}
	if diff := cmp.Diff("sheet.misspelt image.large name.case repeat.no_label language.column language.gap language.code", strings.Join(got, " ")); diff != "" {
		t.Errorf("%s\n%v", diff, warnings)
	}
}

// TestDefaultInWords: a default that phones would compute but cannot is remarked, not
// refused: it may be words.
func TestDefaultInWords(t *testing.T) {
	t.Parallel()
	for words, says := range map[string]string{"two - three words": `"words" stands where`, "n(one)": "no function n()", "a//b - c": "do not have //", "1 + 1": ""} {
		_, warnings, err := xlsform.Read("f.md", []byte("| survey |\n| | type | name | label | default |\n| | text | a | A | "+words+" |\n"))
		if err != nil {
			t.Fatal(err)
		}
		var french, english string
		for _, w := range warnings {
			french, english = french+w.In(dtm.French), english+w.In(dtm.English)
		}
		if (says == "") != (english == "") || !strings.Contains(english, says) || english != "" && french == english {
			t.Errorf("%s: %q, %q", words, english, french)
		}
	}
}

// FuzzMarkdown: any text is read without falling over; what is accepted can be
// written, and every fault names a cell.
func FuzzMarkdown(f *testing.F) {
	f.Add("| survey |\n| | type | name | label |\n| | text | a | ${a} |\n")
	f.Add("| survey |\n| | type | name | label::fr | repeat_count |\n| | begin_repeat | r | R | 1 + ${a} |\n| | select_one c or_other | a | A | |\n| | end_repeat | | | |\n| choices |\n| | list_name | name | media::image |\n| | c | x | y |\n")
	f.Add("| survey |\n| | type | name | label | save_to | parameters |\n| | range | a | A | p | start=1 end=9 tick_interval=2 |\n| entities |\n| | list_name | label | entity_id |\n| | e | ${a} | ${a} |\n")
	f.Add("| survey |\n| | type | name | label | trigger | calculation |\n| | begin loop over c | l | L | | |\n| | text | a | %(label)s | | |\n| | end loop | | | | |\n| | text | b | instance('c')/root/item[name=${b}]/label | ${b} | pulldata('f','a','b',${b}) |\n| choices |\n| | list name | name | label |\n| | c | x | X |\n")
	f.Fuzz(func(t *testing.T, md string) { tryForm(t, []byte(md)) })
}

// FuzzWorkbook: a workbook of any content is a form, faults or an error. With
// whole the bytes are the file, else the XML of its sheet.
func FuzzWorkbook(f *testing.F) {
	file := workbook(f, nil)
	f.Add(file, true)
	f.Add([]byte(`<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>type</t></is></c><c r="B1" t="str"><v>name</v></c></row><row r="3"><c r="A3" t="b"><v>1</v></c><c r="B3" s="0"><v>44624.5</v></c></row></sheetData></worksheet>`), false)
	f.Fuzz(func(t *testing.T, data []byte, whole bool) {
		if !whole {
			data = withSheet(t, file, data)
		}
		tryForm(t, data)
	})
}

// withSheet replaces the XML of a workbook's first sheet.
func withSheet(t testing.TB, file, sheet []byte) []byte {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range r.File {
		to, err := w.Create(f.Name)
		if err != nil {
			t.Fatal(err)
		}
		if f.Name == "xl/worksheets/sheet1.xml" {
			_, err = to.Write(sheet)
		} else {
			from, e := f.Open()
			if e != nil {
				t.Fatal(e)
			}
			_, err = io.Copy(to, from)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestHostile: a file made to harm is refused, soon and in little memory.
func TestHostile(t *testing.T) {
	row := func(cells ...string) string { return "| | " + strings.Join(cells, " | ") + " |\n" }
	head := "| survey |\n" + row("type", "name", "label", "calculation")
	var refs, deep, repeats, languages, loops, long strings.Builder
	for i := range 9_000 {
		refs.WriteString(row("text", fmt.Sprintf("question_with_a_name_%d", i), fmt.Sprintf("${qvestion_with_a_nam_%d}", i), ""))
	}
	for i := range 5_000 {
		deep.WriteString(row("begin_group", fmt.Sprintf("g%d", i), "G", ""))
	}
	for i := range 40 {
		repeats.WriteString(row("begin_group", fmt.Sprintf("g%d", i), "G", "") + row("begin_repeat", fmt.Sprintf("r%d", i), "R", ""))
	}
	languages.WriteString("| survey |\n| | type | name ")
	for i := range 900 {
		fmt.Fprintf(&languages, "| label::l%d ", i)
	}
	languages.WriteString("|\n")
	for i := range 900 {
		languages.WriteString("| | text | q" + fmt.Sprint(i) + strings.Repeat(" | ", i) + "| x" + strings.Repeat(" | ", 900-i) + "\n")
	}
	for i := range 8 {
		loops.WriteString(row("begin loop over c", fmt.Sprintf("l%d", i), "L", ""))
	}
	loops.WriteString(row("text", "q", "Q", "") + strings.Repeat(row("end loop", "", "", ""), 8) + "| choices |\n" + row("list_name", "name", "label"))
	for i := range 100 {
		loops.WriteString(row("c", fmt.Sprintf("n%d", i), "N"))
	}
	long.WriteString(row("text", "a", strings.Repeat("${a} instance('x')/root/item[name='y'] ", 800), ""))
	tests := []struct {
		name string
		data []byte
		kind dtm.Kind // Internal: taken
	}{
		{"unknown references", []byte(head + refs.String()), dtm.Invalid},
		{"groups within groups", []byte(head + deep.String()), dtm.Invalid},
		{"repeats within repeats", []byte(head + repeats.String()), dtm.Invalid},
		{"languages", []byte(languages.String()), dtm.Invalid},
		{"loops within loops", []byte(head + loops.String()), dtm.Invalid},
		{"a long text", []byte(head + long.String()), dtm.Internal},
		{"a text too long", []byte(head + row("text", "a", strings.Repeat("${a} ", 1<<20), "")), dtm.Invalid},
		{"rows", []byte(head + strings.Repeat(row("text", "", "", ""), 30_000)), dtm.TooLarge},
		{"a sheet of 200 MB", withSheet(t, workbook(t, nil), append([]byte(`<worksheet><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>`), bytes.Repeat([]byte("a"), 200<<20)...)), dtm.TooLarge},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			f, _, err := xlsform.Read("f", tt.data)
			if err == nil {
				_, err = xform.Write(f)
			}
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			if took > 5*time.Second {
				t.Errorf("took %v", took)
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > 600<<20 {
				t.Errorf("used %d MB", used>>20)
			}
			if (err == nil) != (tt.kind == dtm.Internal) || err != nil && dtm.KindOf(err) != tt.kind {
				t.Errorf("%.200v", err)
			}
			t.Logf("%v, %d MB", took, (after.TotalAlloc-before.TotalAlloc)>>20)
		})
	}
}

func tryForm(t *testing.T, data []byte) {
	form, _, err := xlsform.Read("f", data)
	var faults xlsform.Faults
	switch {
	case errors.As(err, &faults):
		for _, one := range faults {
			if one.Cell == "" || one.Sheet == "" {
				t.Errorf("a fault without a cell: %+v", one)
			}
		}
		return
	case err != nil:
		if k := dtm.KindOf(err); k == dtm.Internal {
			t.Fatal(err)
		}
		return
	}
	out, err := xform.Write(form)
	if err != nil {
		t.Fatal(err)
	}
	d := xml.NewDecoder(bytes.NewReader(out))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil && strings.Contains(err.Error(), "invalid XML name") && bytes.IndexFunc(out, func(r rune) bool { return r > 127 }) >= 0 {
			// The standard library has the names of an older edition of XML.
			if _, err := xform.Head(out); err != nil && !strings.Contains(err.Error(), "root element") {
				t.Fatal(err)
			}
			return
		} else if err != nil {
			t.Fatalf("what was written is no XML: %v\n%s", err, out)
		}
	}
}

// TestFMR: the form of the pack has no fault and nothing to remark, a missing
// translation least of all.
func TestFMR(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(filepath.Join("..", "..", "operation", "djibouti", "forms", "fmr.xlsx"))
	if err != nil {
		t.Fatal(err)
	}
	f, warnings, err := xlsform.Read("fmr.xlsx", data)
	if err != nil || len(warnings) > 0 {
		t.Fatalf("%v %v", err, warnings)
	}
	if f.ID != "fmr" || f.Version == "" || len(f.Languages) != 3 || f.DefaultLanguage != "English (en)" {
		t.Errorf("%+v", f)
	}
	if diff := cmp.Diff([]string{"points.csv"}, f.ExternalFiles()); diff != "" {
		t.Error(diff)
	}
	f.Root.Walk(func(n *xlsform.Node) {
		for _, x := range []struct {
			what string
			t    xlsform.Texts
		}{{"label", n.Label}, {"hint", n.Hint}, {"constraint message", n.ConstraintMessage}} {
			if len(x.t) > 0 && len(x.t) != 3 {
				t.Errorf("the %s of %s is in %d languages", x.what, n.Name, len(x.t))
			}
		}
		if n.Bind["constraint"] != "" && len(n.ConstraintMessage) == 0 {
			t.Errorf("%s has a constraint without a message", n.Name)
		}
	})
}
