package report_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/ledongthuc/pdf"

	"dtm"
	"dtm/disseminate/maps"
	"dtm/disseminate/report"
	"dtm/locale"
)

// more are figures of what only the other products say; all invented.
const more = `
people_present_average
372
people_present_average month
2022-10-01 341
2022-11-01 357
2022-12-01 372
people_present_average region
DJ04 201
DJ05 71
DJ02 57
DJ03 42
DJ06 <
people_present_average sex
male 316
female 56
people_present_average age
adults 335
children 37
people_present_peak
438
site_arrivals
1006
site_departures
989
site_arrivals region
DJ04 548
DJ05 198
site_departures region
DJ04 534
DJ05 192
sites_counted
4
site_days_counted
124
site_need_share_pct need
food 81.2
water 78
shelter 32
need_share_pct need
food 77
health 53
water <
point_need_share_pct need
health 67
return_wish_share_pct go_back
yes <
no 28
unaccompanied_children region
DJ04 74
DJ03 <
total_movements region
DJ04 400
DJ03 314
total_movements previous
ETH 13000
YEM 900
total_movements next
SAU 9000
YEM 4000
total_movements month,point
2022-11-01,obock 3011
2022-12-01,obock 3557
2022-11-01,yoboki 4000
2022-12-01,yoboki 4312
2022-12-01,balho <
daily_average month
2022-11-01 607.8
2022-12-01 617.9
daily_average point
obock 114.7
yoboki 139
coverage_days_pct
93
coverage_days_pct point
obock 100
yoboki 93
previous_share_pct previous
ETH 91
YEM 6
reason_share_pct month
2022-11-01 4.8
2022-12-01 5.1
vulnerability_share_pct vulnerability
pregnant 2
returns_from_yemen month
2022-11-01 500
2022-12-01 583
`

// week has days from 19 September to 11 December 2022; the last is not observed.
func whole() figures {
	f := read(month)
	for k, v := range read(more) {
		f[k] = v
	}
	for d := time.Date(2022, 9, 19, 0, 0, 0, 0, time.UTC); d.Before(time.Date(2022, 12, 11, 0, 0, 0, 0, time.UTC)); d = d.AddDate(0, 0, 1) {
		v := float64(500 + d.YearDay()%7*37)
		f["total_movements day"] = append(f["total_movements day"], dtm.Figure{Keys: []string{d.Format(time.DateOnly)}, Value: &v})
	}
	return f
}

// everything is one report of each product, with the most pages it may have.
var everything = map[dtm.Report]int{
	{Product: dtm.ReportMonthly, Month: dtm.Month{Year: 2022, Month: 12}}:            5,
	{Product: dtm.ReportWeekly, Week: time.Date(2022, 12, 5, 0, 0, 0, 0, time.UTC)}:  1,
	{Product: dtm.ReportPoint, Of: "obock", Month: dtm.Month{Year: 2022, Month: 12}}: 4,
	{Product: dtm.ReportAnnual, Year: 2022}:                                          8,
	{Product: dtm.ReportPartner, Of: "all", Month: dtm.Month{Year: 2022, Month: 12}}: 8,
	{Product: dtm.ReportStranded, Month: dtm.Month{Year: 2022, Month: 12}}:           3,
	{Product: dtm.ReportTables, Month: dtm.Month{Year: 2022, Month: 12}}:             20,
}

// everybody is the operation of the samples with a partner whose brief has every part.
func everybody(t testing.TB) *dtm.Operation {
	op := operation(t)
	op.Partners = []dtm.Partner{{Code: "all", Name: text("The Partner", "Le Partenaire", "الشريك"), Brief: dtm.BriefParts}, {Code: "none", Name: text("Nobody", "Personne", "لا أحد")}}
	label := func(list string, codes ...[4]string) {
		l := dtm.CodeList{Name: list}
		for _, c := range codes {
			l.Codes = append(l.Codes, dtm.Code{Code: c[0], Label: text(c[1], c[2], c[3])})
		}
		op.Lists[list] = l
	}
	label("need", [4]string{"food", "Food", "Nourriture", "غذاء"}, [4]string{"water", "Drinking water", "Eau potable", "مياه الشرب"}, [4]string{"shelter", "Shelter or shade", "Abri ou ombre", "مأوى أو ظل"}, [4]string{"health", "Health care", "Soins de santé", "رعاية صحية"})
	label("go_back", [4]string{"yes", "Yes, in any case", "Oui, dans tous les cas", "نعم، في كل الأحوال"}, [4]string{"no", "No, does not want to", "Non, ne le souhaite pas", "لا، لا يرغب"})
	label("sex", [4]string{"male", "Male", "Homme", "ذكر"}, [4]string{"female", "Female", "Femme", "أنثى"}, [4]string{"unknown", "Unknown", "Inconnu", "غير معروف"})
	label("age", [4]string{"adults", "Adults", "Adultes", "بالغون"}, [4]string{"children", "Children", "Enfants", "أطفال"}, [4]string{"unknown", "Unknown", "Inconnu", "غير معروف"})
	label("vulnerability", [4]string{"pregnant", "Pregnant women", "Femmes enceintes", "حوامل"})
	op.Points[0].Role = []dtm.Dated{{Value: "exit"}}
	op.Points[0].Status = []dtm.Dated{{From: time.Date(2018, 5, 1, 0, 0, 0, 0, time.UTC), Value: "open"}}
	return op
}

func composed(t testing.TB, op *dtm.Operation, f dtm.Figures, r dtm.Report, l dtm.Lang) (report.Document, error) {
	t.Helper()
	raw, err := os.ReadFile("../../operation/djibouti/boundaries.geojson")
	if err != nil {
		t.Fatal(err)
	}
	base, err := maps.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return report.Compose(context.Background(), f, op, base, r, l)
}

func TestProducts(t *testing.T) {
	t.Parallel()
	for r, most := range everything {
		if r.Product == dtm.ReportMonthly {
			continue // has tests of its own
		}
		for _, l := range languages {
			t.Run(r.Product+" "+string(l), func(t *testing.T) {
				t.Parallel()
				d, err := composed(t, everybody(t), whole(), r, l)
				if err != nil {
					t.Fatal(err)
				}
				data, file := printed(t, d)
				laidOut(t, file, most, 0.15)
				all := letters(tool(t, "pdftotext", "-raw", file, "-"))
				for _, s := range texts(d) {
					if l.RTL() {
						words(t, all, s)
					} else if !strings.Contains(all, letters(s)) {
						t.Errorf("%q is not in the PDF", s)
					}
				}
				for _, f := range strings.Split(strings.TrimSpace(tool(t, "pdffonts", file)), "\n")[2:] {
					if !regexp.MustCompile(`^[A-Z]{6}\+(Inter|Vazirmatn)-\w+\s.*\syes yes yes\s`).MatchString(f) {
						t.Errorf("a glyph is missing, or a font is not embedded: %s", f)
					}
				}
				tagged(t, d, data)
			})
		}
	}
}

// tagged looks at what a screen reader follows: language, title, one first heading, each
// figure with its alternative text, each table.
func tagged(t *testing.T, d report.Document, data []byte) {
	t.Helper()
	r, err := pdf.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	root := r.Trailer().Key("Root")
	if got := root.Key("Lang").Text(); got != string(d.Lang) {
		t.Errorf("the PDF says that it is in %q", got)
	}
	if !root.Key("MarkInfo").Key("Marked").Bool() {
		t.Error("the PDF is not tagged")
	}
	tags := map[string]int{}
	var alts []string
	var tree func(v pdf.Value)
	tree = func(v pdf.Value) {
		switch v.Kind() {
		case pdf.Array:
			for i := range v.Len() {
				tree(v.Index(i))
			}
		case pdf.Dict:
			tags[v.Key("S").Name()]++
			if alt := v.Key("Alt").Text(); alt != "" {
				alts = append(alts, alt)
			}
			tree(v.Key("K"))
		}
	}
	tree(root.Key("StructTreeRoot").Key("K"))
	figures, tables := slices.Concat(d.Opening, d.Spread.Figures), 0
	for _, s := range d.Sections {
		figures, tables = append(figures, s.Figures...), tables+len(s.Tables)
	}
	if tags["H1"] != 1 || tags["Figure"] != len(figures) || tags["Table"] != tables {
		t.Errorf("%d first headings, %d figures, %d tables are tagged; the document has 1, %d, %d", tags["H1"], tags["Figure"], tags["Table"], len(figures), tables)
	}
	for _, f := range figures {
		if !slices.Contains(alts, f.Alt) {
			t.Errorf("no alternative text %q", f.Alt)
		}
	}
}

// The bulletin has one page in any language, also when its texts are longer.
func TestWeeklyStaysOnOnePage(t *testing.T) {
	t.Parallel()
	for _, l := range languages {
		d, err := composed(t, everybody(t), whole(), dtm.Report{Product: dtm.ReportWeekly, Week: time.Date(2022, 12, 5, 0, 0, 0, 0, time.UTC)}, l)
		if err != nil {
			t.Fatal(err)
		}
		if l == dtm.English {
			// Six of the seven days were observed, each of 500 + 37 x (day of the year mod 7).
			sum := 0
			for day := 339; day <= 344; day++ {
				sum += 500 + day%7*37
			}
			if want := locale.Number(l, float64(sum), 0); d.Cells[0].Value != want || d.Cells[0].Note != "6 days observed" {
				t.Errorf("the week's total is %q of %q, want %q of 6 days", d.Cells[0].Value, d.Cells[0].Note, want)
			}
		}
		_, file := printed(t, longer(d))
		if n := len(pages(t, file)); n != 1 {
			t.Errorf("%s: %d pages", l, n)
		}
	}
}

func TestWithheldDay(t *testing.T) {
	t.Parallel()
	f := whole()
	days := f["total_movements day"]
	days[len(days)-2] = dtm.Figure{Keys: days[len(days)-2].Keys, Suppressed: true}
	d, err := composed(t, everybody(t), f, dtm.Report{Product: dtm.ReportWeekly, Week: time.Date(2022, 12, 5, 0, 0, 0, 0, time.UTC)}, dtm.English)
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Cells) != 1 || d.Cells[0].Value != "<10" {
		t.Errorf("a week with a withheld day has the figures %+v", d.Cells)
	}
}

func TestNothingToReport(t *testing.T) {
	t.Parallel()
	for r := range everything {
		if _, err := composed(t, everybody(t), read("none\n0\n"), r, dtm.French); dtm.KindOf(err) != dtm.NotFound {
			t.Errorf("%s of nothing: %v", r.Name(), err)
		}
	}
	for _, name := range []string{"point-nowhere-2022-12", "partner-nobody-2022-12", "partner-none-2022-12", "annual-1999", "weekly-2030-W01"} {
		r, err := dtm.ParseReport(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := composed(t, everybody(t), whole(), r, dtm.French); dtm.KindOf(err) != dtm.NotFound {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// pseudo gives everything that an operation or a definition says a text in the pseudo
// language.
func pseudo(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			pseudo(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				pseudo(v.Field(i))
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			pseudo(v.Index(i))
		}
	case reflect.Map:
		if m, ok := v.Interface().(dtm.Text); ok {
			if m != nil && m[dtm.English] != "" {
				m[locale.Pseudo] = "‹" + m[dtm.English] + "›"
			}
			return
		}
		for _, k := range v.MapKeys() {
			pseudo(v.MapIndex(k))
		}
	}
}

// marked finds what is between ‹ and › and holds none of them.
var marked = regexp.MustCompile(`‹[^‹›]*›`)

// foreign are the words of s that come from no catalogue.
func foreign(s string) []string {
	for {
		next := marked.ReplaceAllString(s, " ")
		if next == s {
			break
		}
		s = next
	}
	var out []string
	for _, w := range strings.Fields(s) {
		if strings.ContainsFunc(w, unicode.IsLetter) && !strings.HasPrefix(w, "provisional-") && !strings.Contains(w, "@") {
			out = append(out, w)
		}
	}
	return out
}

var drawnText = regexp.MustCompile(`<(?:text|tspan|title|desc)[^>]*>([^<]+)<`)

// Every word of every product is from a catalogue: in the document, in its drawings and
// in what the template sets.
func TestPseudoLanguage(t *testing.T) {
	t.Parallel()
	op := everybody(t)
	pseudo(reflect.ValueOf(op))
	f := pseudoFigures{whole()}
	for r := range everything {
		t.Run(r.Product, func(t *testing.T) {
			t.Parallel()
			d, err := composed(t, op, f, r, locale.Pseudo)
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			for _, s := range texts(d) {
				n++
				if w := foreign(s); len(w) > 0 {
					t.Errorf("%q is in no catalogue, in %q", w, s)
				}
			}
			figures := slices.Concat(d.Opening, d.Spread.Figures)
			for _, s := range d.Sections {
				figures = append(figures, s.Figures...)
			}
			for _, f := range figures {
				// A message may be broken over lines: they follow each other.
				var said []string
				for _, m := range drawnText.FindAllStringSubmatch(string(f.SVG), -1) {
					n++
					said = append(said, html.UnescapeString(m[1]))
				}
				w := slices.DeleteFunc(foreign(strings.Join(said, " ")), func(w string) bool {
					return slices.Contains([]string{"OBOCK", "TADJOURAH", "DIKHIL", "DJIBOUTI", "ARTA", "km"}, w) // the boundaries' own names, a unit
				})
				if len(w) > 0 {
					t.Errorf("%q is in no catalogue, in the drawing %q", w, f.Title)
				}
			}
			if n < 20 {
				t.Errorf("only %d texts were looked at", n)
			}
			_, file := printed(t, d)
			all := strings.Join(strings.Fields(tool(t, "pdftotext", "-raw", file, "-")), " ")
			// Lines of drawings are broken within a message: only what the template sets
			// itself is looked for, which is one word on every page.
			for _, s := range []string{"Page ", "Contents", "Table of"} {
				if strings.Contains(all, s) && !strings.Contains(all, "‹"+s) {
					t.Errorf("the template says %q", s)
				}
			}
		})
	}
}

// pseudoFigures have their definitions in the pseudo language too.
type pseudoFigures struct{ figures }

func (p pseudoFigures) Catalogue() []dtm.Indicator {
	var out []dtm.Indicator
	for _, i := range catalogue {
		i.Name = dtm.Text{dtm.English: i.Name["en"], locale.Pseudo: "‹" + i.Name["en"] + "›"}
		i.Definition = dtm.Text{dtm.English: i.Definition["en"], locale.Pseudo: "‹" + i.Definition["en"] + "›"}
		out = append(out, i)
	}
	return out
}

func (p pseudoFigures) Table(ctx context.Context, q dtm.Query) (dtm.Table, error) {
	t, err := p.figures.Table(ctx, q)
	name := t.Indicator.Name["en"]
	if name == "" {
		name = q.Indicator
	}
	t.Indicator.Name = dtm.Text{locale.Pseudo: "‹" + name + "›"}
	return t, err
}

// keeper keeps what a template is compiled from.
type keeper struct{ files map[string][]byte }

func (k *keeper) Compile(_ context.Context, main string, files map[string][]byte) ([]byte, error) {
	k.files = map[string][]byte{"main": []byte(main)}
	for name, b := range files {
		k.files[name] = b
	}
	return nil, nil
}

// TestUA1: the native compiler, which refuses what PDF/UA-1 does not allow, compiles
// every product in every language.
func TestUA1(t *testing.T) {
	t.Parallel()
	python := os.Getenv("DTM_TEST_PYTHON")
	if python == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("DTM_TEST_PYTHON is not set: make tools makes the environment, .cache/py/bin/python")
		}
		t.Skip("set DTM_TEST_PYTHON to the interpreter of the test environment (make tools)")
	}
	dir := t.TempDir()
	type job struct{ Root, Main, Out string }
	var jobs []job
	for r := range everything {
		for _, l := range languages {
			d, err := composed(t, everybody(t), whole(), r, l)
			if err != nil {
				t.Fatal(err)
			}
			var k keeper
			if _, err := report.Print(t.Context(), &k, d); err != nil {
				t.Fatal(err)
			}
			root := filepath.Join(dir, r.Product+"-"+string(l))
			for name, b := range k.files {
				file := filepath.Join(root, name)
				if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, b, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			jobs = append(jobs, job{root, filepath.Join(root, string(k.files["main"])), filepath.Join(root, "out.pdf")})
		}
	}
	list, err := json.Marshal(jobs)
	if err != nil {
		t.Fatal(err)
	}
	fonts, err := filepath.Abs("asset")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), python, "-c", `
import json, sys, typst
for job in json.load(sys.stdin):
    try:
        typst.compile(job["Main"], output=job["Out"], root=job["Root"], font_paths=[sys.argv[1]], ignore_system_fonts=True, format="pdf", pdf_standards=["ua-1"])
    except Exception as e:
        print(job["Main"], e)
`, fonts)
	cmd.Stdin = bytes.NewReader(list)
	out, err := cmd.CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Fatalf("not PDF/UA-1: %v\n%s", err, out)
	}
	for _, j := range jobs {
		b, err := os.ReadFile(j.Out)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(b, []byte("pdfuaid")) {
			t.Errorf("%s is not marked as PDF/UA-1", j.Out)
		}
	}
	fmt.Fprintf(t.Output(), "%d documents compiled as PDF/UA-1\n", len(jobs))
}
