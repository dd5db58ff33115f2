package report_test

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"github.com/ledongthuc/pdf"

	"dtm"
	"dtm/disseminate/report"
	"dtm/locale"
)

// cache is kept between runs: making the machine code takes half a minute, under
// the race detector many minutes, so that another process makes it.
const cache = "../../.cache/typst"

func warm() error {
	cmd := exec.Command("go", "run", "./internal/assets", "-warm", ".cache/typst")
	cmd.Dir = "../.."
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("the PDF engine cannot be prepared: %w: %s", err, out)
	}
	return nil
}

// press is started by the first test that prints.
var press = report.NewPress(cache)

func TestMain(m *testing.M) {
	report.Work()
	if err := warm(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	if err := press.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// printed makes the PDF and keeps it in a file; with DTM_LOOK=FOLDER it is kept
// there, to be looked at.
func printed(t *testing.T, d report.Document) (data []byte, file string) {
	t.Helper()
	data, err := report.Print(t.Context(), press, d)
	if err != nil {
		t.Fatal(err)
	}
	dir := os.Getenv("DTM_LOOK")
	if dir == "" {
		dir = t.TempDir()
	}
	file = filepath.Join(dir, strings.NewReplacer("/", "-", " ", "-").Replace(t.Name())+".pdf")
	if err := os.WriteFile(file, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return data, file
}

// tool runs a poppler program.
func tool(t *testing.T, name string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is missing: install poppler-utils", name)
		}
		t.Skipf("%s is missing: install poppler-utils", name)
	}
	var stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v: %s", name, err, stderr.String())
	}
	return string(out)
}

// texts are all texts of a document, once each, but for the alternative ones.
func texts(d report.Document) []string {
	var out []string
	var walk func(v reflect.Value, name string)
	walk = func(v reflect.Value, name string) {
		switch v.Kind() {
		case reflect.String:
			if s := v.String(); s != "" && name != "Alt" && name != "Lang" && name != "Author" && name != "Page" && name != "Product" && !slices.Contains(out, s) {
				out = append(out, s)
			}
		case reflect.Struct:
			if v.Type() != reflect.TypeFor[time.Time]() {
				for i := range v.NumField() {
					if n := v.Type().Field(i).Name; n != "Said" { // is in Text
						walk(v.Field(i), n)
					}
				}
			}
		case reflect.Slice:
			if v.Type() != reflect.TypeFor[[]byte]() {
				for i := range v.Len() {
					walk(v.Index(i), name)
				}
			}
		}
	}
	walk(reflect.ValueOf(d), "")
	return out
}

// letters is s without spaces and marks of direction: lines may break anywhere.
// Poppler gives the ligature of lam and alif the wrong way round: both ways are
// made one.
func letters(s string) string {
	for _, alif := range []string{"ا", "أ", "إ", "آ"} {
		s = strings.ReplaceAll(s, "ل"+alif, alif+"ل")
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, s)
}

// words looks for every word of s in all, in any order: poppler mixes up lines
// that have both directions or fall into two columns. It also tears a letter from
// its vowel sign, so that words with one are passed over.
func words(t *testing.T, all, s string) {
	t.Helper()
	for _, w := range strings.Fields(s) {
		w = strings.TrimFunc(w, unicode.IsPunct)
		if w == "" || strings.ContainsFunc(w, func(r rune) bool { return unicode.Is(unicode.Mn, r) }) {
			continue
		}
		if !strings.Contains(all, letters(w)) {
			t.Errorf("%q of %q is not in the PDF", w, s)
		}
	}
}

var languages = locale.Languages

func TestEveryTextIsThere(t *testing.T) {
	t.Parallel()
	for _, l := range languages {
		t.Run(string(l), func(t *testing.T) {
			t.Parallel()
			d := sample(t, l)
			_, file := printed(t, d)
			whole := tool(t, "pdftotext", "-raw", file, "-")
			all := letters(whole)
			for _, s := range texts(d) {
				if l.RTL() {
					words(t, all, s)
				} else if !strings.Contains(all, letters(s)) {
					t.Errorf("%q is not in the PDF", s)
				}
			}
			if page := strings.NewReplacer("{page}", "2", "{pages}", "4").Replace(d.Words.Page); !l.RTL() && !strings.Contains(whole, page) {
				t.Errorf("no %q", page)
			}
		})
	}
}

func TestFrench(t *testing.T) {
	t.Parallel()
	_, file := printed(t, sample(t, dtm.French))
	got := tool(t, "pdftotext", "-raw", file, "-")
	// Poppler writes every kind of space as a plain one.
	for _, s := range []string{"19 156", "13 830", "décembre 2022", "du 1er au 31 décembre 2022", "Éthiopie", "Démonstration : tous", "+5 %"} {
		if !strings.Contains(got, s) {
			t.Errorf("no %q", s)
		}
	}
	for _, english := range []string{"Limits", "Credits", "Movements", "December", "Page 1 of", "<nil>", "Definitions"} {
		if strings.Contains(got, english) {
			t.Errorf("%q is left in English", english)
		}
	}
}

func TestAccessible(t *testing.T) {
	t.Parallel()
	for _, l := range languages {
		t.Run(string(l), func(t *testing.T) {
			t.Parallel()
			d := sample(t, l)
			data, file := printed(t, d)
			info := tool(t, "pdfinfo", file)
			for _, line := range []string{`Tagged:\s+yes`, `Title:\s+` + regexp.QuoteMeta(d.Title), `Page size:\s+595.\d+ x 841.\d+ pts \(A4\)`, `CreationDate:.*Jan  9 .*2023`} {
				if !regexp.MustCompile(line).MatchString(info) {
					t.Errorf("pdfinfo has no %s:\n%s", line, info)
				}
			}
			r, err := pdf.NewReader(bytes.NewReader(data), int64(len(data)))
			if err != nil {
				t.Fatal(err)
			}
			root := r.Trailer().Key("Root")
			if got := root.Key("Lang").Text(); got != string(l) {
				t.Errorf("the PDF says that it is in %q", got)
			}
			tags := map[string]int{}
			var alts []string
			var tree func(v pdf.Value)
			tree = func(v pdf.Value) {
				if v.Kind() == pdf.Array {
					for i := range v.Len() {
						tree(v.Index(i))
					}
					return
				}
				if v.Kind() != pdf.Dict {
					return
				}
				tags[v.Key("S").Name()]++
				if alt := v.Key("Alt").Text(); alt != "" {
					alts = append(alts, alt)
				}
				tree(v.Key("K"))
			}
			tree(root.Key("StructTreeRoot").Key("K"))
			figures := slices.Concat(d.Opening, d.Spread.Figures)
			tables, rows := 0, 0
			for _, s := range d.Sections {
				figures = append(figures, s.Figures...)
				tables += len(s.Tables)
				for _, table := range s.Tables {
					rows += 1 + len(table.Rows)
				}
			}
			for tag, n := range map[string]int{"Figure": len(figures), "Table": tables, "TR": rows, "H1": 1, "H2": 2 + len(d.Sections) + len(d.Notes), "H3": len(figures) + tables} {
				if tags[tag] != n {
					t.Errorf("%d %s are tagged, the document has %d", tags[tag], tag, n)
				}
			}
			for _, f := range figures {
				if !slices.Contains(alts, f.Alt) {
					t.Errorf("no alternative text %q in %q", f.Alt, alts)
				}
			}
			if tags["TH"] == 0 || tags["TD"] == 0 {
				t.Error("cells of tables are not tagged")
			}
			var marks []string
			var walk func(o pdf.Outline)
			walk = func(o pdf.Outline) {
				marks = append(marks, o.Title)
				for _, c := range o.Child {
					walk(c)
				}
			}
			walk(r.Outline())
			for _, s := range d.Sections {
				if !slices.Contains(marks, s.Title) {
					t.Errorf("no bookmark %q in %q", s.Title, marks)
				}
			}
		})
	}
}

func TestFonts(t *testing.T) {
	t.Parallel()
	for _, l := range languages {
		_, file := printed(t, sample(t, l))
		lines := strings.Split(strings.TrimSpace(tool(t, "pdffonts", file)), "\n")[2:]
		if len(lines) == 0 {
			t.Errorf("%s: no fonts", l)
		}
		for _, f := range lines {
			if !regexp.MustCompile(`^[A-Z]{6}\+(Inter|Vazirmatn)-\w+\s.*\syes yes yes\s`).MatchString(f) {
				t.Errorf("%s: not embedded, not a subset, without its letters or of another family: %s", l, f)
			}
		}
	}
}

// word is a word on a page, in points from the page's upper left corner.
type word struct {
	Left   float64 `xml:"xMin,attr"`
	Top    float64 `xml:"yMin,attr"`
	Right  float64 `xml:"xMax,attr"`
	Bottom float64 `xml:"yMax,attr"`
	Text   string  `xml:",chardata"`
}

const (
	width, height          = 595.3, 841.9
	side, footerTop, slack = 45.0, 841.9 - 19*2.835, 3.0 // margins of the template; marks of direction in drawings count as letters
)

func pages(t *testing.T, file string) [][]word {
	t.Helper()
	out := tool(t, "pdftotext", "-bbox", file, "-")
	var all [][]word
	d := xml.NewDecoder(strings.NewReader(out))
	d.Strict = false
	for {
		token, err := d.Token()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		if s, ok := token.(xml.StartElement); ok {
			switch s.Name.Local {
			case "page":
				all = append(all, nil)
			case "word":
				var w word
				if err := d.DecodeElement(&w, &s); err != nil {
					t.Fatal(err)
				}
				all[len(all)-1] = append(all[len(all)-1], w)
			}
		}
	}
}

// laidOut checks what may not happen on any page of any report: at most so many pages,
// the last filled to at least that part.
func laidOut(t *testing.T, file string, most int, least float64) {
	t.Helper()
	all := pages(t, file)
	if len(all) > most {
		t.Errorf("%d pages, expected at most %d", len(all), most)
	}
	for n, words := range all {
		end := 0.0
		for _, w := range words {
			if w.Left < side-slack || w.Right > width-side+slack || w.Top < 0 || w.Bottom > height-15 {
				t.Errorf("page %d: %q leaves the margins: %.0f to %.0f, %.0f to %.0f", n+1, w.Text, w.Left, w.Right, w.Top, w.Bottom)
			}
			if w.Bottom < footerTop {
				end = max(end, w.Bottom)
			}
		}
		if full := end / footerTop; n < len(all)-1 && full < 0.6 {
			t.Errorf("page %d of %d ends at %.0f%% of its height", n+1, len(all), 100*full)
		} else if full < least {
			t.Errorf("the last page ends at %.0f%% of its height", 100*full)
		}
	}
}

// longer makes every text about 40% longer, as a translation may.
func longer(d report.Document) report.Document {
	var walk func(v reflect.Value, name string)
	walk = func(v reflect.Value, name string) {
		switch v.Kind() {
		case reflect.String:
			s := v.String()
			if s == "" || name == "Lang" || name == "Value" || name == "Page" || name == "Product" || !strings.ContainsFunc(s, unicode.IsLetter) {
				return
			}
			var more []string
			words := strings.Fields(s)
			for i, n := 0, len([]rune(s))*2/5; n > 0 && i < 1000; i++ {
				w := []rune(words[i%len(words)])
				w = w[:min(len(w), n)]
				more = append(more, string(w))
				n -= len(w) + 1
			}
			v.SetString(s + " " + strings.Join(more, " "))
		case reflect.Struct:
			if v.Type() != reflect.TypeFor[time.Time]() {
				for i := range v.NumField() {
					if n := v.Type().Field(i).Name; n != "Said" { // is in Text
						walk(v.Field(i), n)
					}
				}
			}
		case reflect.Slice:
			if v.Type() != reflect.TypeFor[[]byte]() {
				for i := range v.Len() {
					walk(v.Index(i), name)
				}
			}
		}
	}
	walk(reflect.ValueOf(&d).Elem(), "")
	return d
}

func TestLayout(t *testing.T) {
	t.Parallel()
	for _, l := range languages {
		t.Run(string(l), func(t *testing.T) {
			t.Parallel()
			_, file := printed(t, sample(t, l))
			laidOut(t, file, 5, 0.25)
		})
		t.Run("longer texts "+string(l), func(t *testing.T) {
			t.Parallel()
			d := longer(sample(t, l))
			_, file := printed(t, d)
			laidOut(t, file, 8, 0.25)
			all := letters(tool(t, "pdftotext", "-raw", file, "-"))
			for _, s := range texts(d) {
				words(t, all, s)
			}
		})
	}
}

func TestSame(t *testing.T) {
	t.Parallel()
	want := map[dtm.Lang][]byte{}
	for _, l := range languages {
		want[l], _ = printed(t, sample(t, l))
	}
	var wg sync.WaitGroup
	for i := range 12 {
		wg.Go(func() {
			l := languages[i%len(languages)]
			got, err := report.Print(t.Context(), press, sample(t, l))
			if err != nil || !bytes.Equal(got, want[l]) {
				t.Errorf("%s: %v, or other bytes than before", l, err)
			}
		})
	}
	wg.Wait()
	fresh := report.NewPress(cache)
	got, err := report.Print(t.Context(), fresh, sample(t, dtm.French))
	if err != nil || !bytes.Equal(got, want[dtm.French]) {
		t.Errorf("a fresh engine: %v, or other bytes", err)
	}
	if err := fresh.Close(); err != nil {
		t.Error(err)
	}
}

func TestHostileTexts(t *testing.T) {
	t.Parallel()
	hostile := []string{`#panic("x")`, `#image("a.png")`, `*bold* _it_`, "= Heading", "$x^2$", `\u{41} \`, "`raw`", "<label> @ref", "// comment", `"quoted" 'single'`, "<svg/onload=alert(1)>", "{page} {0}", "~--- ..."}
	d := sample(t, dtm.English)
	d.Sections = append(d.Sections, report.Section{Title: hostile[0], Text: hostile, Tables: []report.Table{{Title: hostile[3], Columns: []report.Column{{Title: hostile[2]}}}}})
	for _, h := range hostile {
		last := &d.Sections[len(d.Sections)-1].Tables[0]
		last.Rows = append(last.Rows, []string{h})
	}
	d.Cells[0].Label, d.Marks[0].Text, d.Footer = hostile[1], hostile[4], hostile[5]
	_, file := printed(t, d)
	all := letters(tool(t, "pdftotext", "-raw", file, "-"))
	for _, h := range hostile {
		if n := strings.Count(all, letters(h)); n < 2 {
			t.Errorf("%q stands %d times in the PDF, expected at least 2", h, n)
		}
	}
}

func TestManyPoints(t *testing.T) {
	t.Parallel()
	d := sample(t, dtm.English)
	table := &d.Sections[0].Tables[0]
	d.Sections[0].Figures = nil
	for i := range 120 {
		table.Rows = append(table.Rows, []string{fmt.Sprintf("Point number %d with a long name", i), "Tadjourah", "1,234", "0%"})
	}
	table.Rows = append(table.Rows, []string{"All points", "", "167,236", "100%"})
	table.Total = true
	_, file := printed(t, d)
	laidOut(t, file, 9, 0.25)
	heads := 0
	for p := range len(pages(t, file)) {
		text := tool(t, "pdftotext", "-f", fmt.Sprint(p+1), "-l", fmt.Sprint(p+1), "-layout", file, "-")
		if regexp.MustCompile(`(?m)^ *Point +Region +Movements +Share`).MatchString(text) {
			heads++
		} else if strings.Contains(text, "Point number") {
			t.Errorf("page %d has rows of the table without its head", p+1)
		}
	}
	if heads < 3 {
		t.Errorf("the head stands on %d pages", heads)
	}
}

// Parts that a month does not have leave no trace.
func TestLess(t *testing.T) {
	t.Parallel()
	for name, cut := range map[string]func(d *report.Document){
		"no opening figures": func(d *report.Document) { d.Opening = nil },
		"one opening figure": func(d *report.Document) { d.Opening = d.Opening[:1] },
		"no map":             func(d *report.Document) { d.Spread.Figures = d.Spread.Figures[1:] },
		"no marks":           func(d *report.Document) { d.Marks = nil },
		"one headline":       func(d *report.Document) { d.Cells = d.Cells[:1] },
		"five headlines":     func(d *report.Document) { d.Cells = d.Cells[:5] },
		"eight headlines":    func(d *report.Document) { d.Cells = append(d.Cells, d.Cells[:2]...) },
		"long value":         func(d *report.Document) { d.Cells[2].Value = "1,234,567,890,123" },
		"short overview":     func(d *report.Document) { d.Overview.Points = d.Overview.Points[:1] },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := sample(t, dtm.English)
			cut(&d)
			_, file := printed(t, d)
			for n, words := range pages(t, file) {
				for _, w := range words {
					if w.Left < side-slack || w.Right > width-side+slack || w.Bottom > height-15 {
						t.Errorf("page %d: %q leaves the margins", n+1, w.Text)
					}
				}
			}
		})
	}
	t.Run("title only", func(t *testing.T) {
		t.Parallel()
		_, file := printed(t, report.Document{Product: dtm.ReportMonthly, Lang: "en", Title: "Nothing but a title", Date: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC), Words: report.Words{Page: "{page}"}})
		if got := len(pages(t, file)); got != 1 {
			t.Errorf("%d pages", got)
		}
	})
}

func TestInvalid(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil func(d *report.Document)
		where string
	}{
		"no language":      {func(d *report.Document) { d.Lang = "" }, "lang"},
		"no title":         {func(d *report.Document) { d.Title = "" }, "title"},
		"no date":          {func(d *report.Document) { d.Date = time.Time{} }, "date"},
		"no page number":   {func(d *report.Document) { d.Words.Page = "Page" }, "words.page"},
		"no alt text":      {func(d *report.Document) { d.Opening[0].Alt = "" }, "figure 1"},
		"no drawing":       {func(d *report.Document) { d.Spread.Figures[0].SVG = nil }, "figure 3"},
		"not SVG":          {func(d *report.Document) { d.Spread.Figures[0].SVG = []byte("<svg") }, "figure/3.svg"},
		"ragged table":     {func(d *report.Document) { d.Sections[0].Tables[0].Rows[0] = []string{"x"} }, "row 1"},
		"unknown language": {func(d *report.Document) { d.Lang = "klingon" }, "house.typ"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := sample(t, dtm.English)
			c.spoil(&d)
			_, err := report.Print(t.Context(), press, d)
			if dtm.KindOf(err) != dtm.Invalid || !strings.Contains(err.Error(), c.where) {
				t.Errorf("got %v, want an error of kind Invalid that names %s", err, c.where)
			}
		})
	}
}

func BenchmarkMonthly(b *testing.B) {
	if err := press.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	for _, l := range languages {
		d := sample(b, l)
		b.Run(string(l), func(b *testing.B) {
			i := 0
			for b.Loop() {
				i++
				d.Subtitle = fmt.Sprint(i) // never the very same document
				if _, err := report.Print(b.Context(), press, d); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
