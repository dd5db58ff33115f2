//go:build !race

package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/PuerkitoBio/goquery"
	"github.com/xuri/excelize/v2"

	"dtm"
	"dtm/locale"
)

// figureTold is a figure in one of its forms: a value, or withheld; roughly is the round number
// that may stand for it then.
type figureTold struct {
	value    float64
	withheld bool
	roughly  *float64
}

func (x figureTold) String() string {
	switch {
	case x.roughly != nil:
		return fmt.Sprintf("withheld, about %v", *x.roughly)
	case x.withheld:
		return "withheld"
	}
	return fmt.Sprint(x.value)
}

// poolFigure is a figure to draw by lot: a cell of a panel, in a language, under a filter.
type poolFigure struct {
	lang              dtm.Lang
	filter            string // "", "&point=obock"
	panel, indicator  string
	by                string // of the API; "": the indicator's own split
	keys              []string
	row, column, mark string // labels: of the table's row, of its column, of the drawing's mark
	want              figureTold
	low, high         *float64
}

// same is a walk over one release's forms, each asked for once.
type same struct {
	t     *testing.T
	h     *house
	mux   http.Handler
	asked map[string][]byte
	texts map[string][]string       // of PDF, by lines
	rows  map[dtm.Lang][]printedRow // of the PDF of tables
	pages map[string]*goquery.Document
}

func (s *same) get(at string) []byte {
	s.t.Helper()
	if b, ok := s.asked[at]; ok {
		return b
	}
	w := httptest.NewRecorder()
	s.mux.ServeHTTP(w, httptest.NewRequest("GET", at, nil))
	if w.Code != http.StatusOK {
		s.t.Fatalf("%s: %d %.300s", at, w.Code, w.Body)
	}
	s.asked[at] = w.Body.Bytes()
	return s.asked[at]
}

// read reads what people read: 2,410, ≈ 650, <10, *.
func read(l dtm.Lang, text string) (figureTold, error) {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) || r == '%' || r == '٪':
			return -1
		case r >= '٠' && r <= '٩':
			return r - '٠' + '0'
		case r == '٫':
			return '.'
		case r == '٬':
			return -1
		}
		return r
	}, text)
	if text == "*" || strings.HasPrefix(text, "<") {
		return figureTold{withheld: true}, nil
	}
	near, rough := strings.CutPrefix(text, "≈")
	if l == dtm.French {
		near = strings.ReplaceAll(near, ",", ".")
	} else {
		near = strings.ReplaceAll(near, ",", "")
	}
	v, err := strconv.ParseFloat(near, 64)
	if rough {
		return figureTold{withheld: true, roughly: &v}, err
	}
	return figureTold{value: v}, err
}

// TestPublishSameFigure: two hundred figures of one release, drawn by lot, have the same
// value, or are withheld alike, in the page's table, its CSV and its drawing, in the
// API's JSON, CSV, XLSX and OData, and in the PDF of the month's tables; those that the
// monthly report or a point's profile says, there too.
func TestPublishSameFigure(t *testing.T) {
	t.Parallel()
	data := publishedMonth(t)
	inside(t, data, func(_ context.Context, h *house) {
		mux, err := h.publicSite()
		if err != nil {
			t.Fatal(err)
		}
		s := &same{t: t, h: h, mux: mux, asked: map[string][]byte{}, texts: map[string][]string{}, rows: map[dtm.Lang][]printedRow{}, pages: map[string]*goquery.Document{}}
		pool := s.pool()
		const wanted = 200
		if len(pool) < wanted {
			t.Fatalf("there are only %d figures to draw from", len(pool))
		}
		seed := uint64(time.Now().UnixNano())
		t.Logf("drawn with the seed %d of %d figures", seed, len(pool))
		lot := rand.New(rand.NewPCG(seed, 0))
		lot.Shuffle(len(pool), func(i, k int) { pool[i], pool[k] = pool[k], pool[i] })
		forms, withheld, printed := map[string]int{}, 0, 0
		for _, f := range pool[:wanted] {
			if f.want.withheld {
				withheld++
			}
			var roughly *float64
			for form, got := range s.forms(f) {
				forms[form]++
				if form == "PDF of a report" {
					printed++
				}
				alike := got.withheld == f.want.withheld && (got.withheld || got.value == f.want.value)
				if r := got.roughly; r != nil {
					// The round number lies where the API says the figure lies, of those that
					// have bounds (which are not rounded), and is the same wherever it is told.
					alike = alike && (f.low == nil || *r >= math.Floor(*f.low) && *r <= math.Ceil(*f.high)) && (roughly == nil || *roughly == *r)
					roughly = r
				}
				if !alike {
					t.Errorf("%s %s %s %v: %s in JSON, %s in %s", f.lang, f.filter, f.panel, f.keys, f.want, got, form)
				}
			}
		}
		t.Logf("figures found by form: %v; %d withheld", forms, withheld)
		for _, form := range []string{"page", "CSV of the page", "SVG", "CSV", "XLSX", "OData", "PDF"} {
			if forms[form] != wanted {
				t.Errorf("%s: %d of %d figures", form, forms[form], wanted)
			}
		}
		if withheld < 10 || printed < 50 {
			t.Errorf("%d withheld, %d in other reports: this proves little", withheld, printed)
		}
	})
}

// pool are all figures of the month's panels, with what JSON says of them.
func (s *same) pool() (out []poolFigure) {
	filters := []string{"", "&direction=incoming", "&direction=outgoing", "&region=DJ03", "&region=DJ05", "&region=DJ06"}
	for _, p := range []string{"obock", "galafi", "dikhil", "yoboki", "loyada"} {
		filters = append(filters, "&point="+p)
	}
	for _, filter := range filters {
		for panel, x := range map[string]struct{ indicator, by string }{"points": {"total_movements", "point"}, "od": {"origin_destination", ""}, "sexage": {"sex_age_share_pct", ""}, "reasons": {"reason_share_pct", ""}} {
			if panel == "points" && strings.HasPrefix(filter, "&point") {
				continue // one bar
			}
			var answer struct {
				By      []string
				Release string
				Figures []struct {
					Keys       map[string]string
					Value      *float64
					Suppressed bool
					Low, High  *float64
				}
			}
			if err := json.Unmarshal(s.get("/api/v1/indicators/"+x.indicator+"/figures.json?from=2022-12"+filter+by(x.by)), &answer); err != nil || answer.Release != "2022-12/1" {
				s.t.Fatalf("%v: release %q", err, answer.Release)
			}
			for _, f := range answer.Figures {
				if f.Value == nil && !f.Suppressed {
					continue
				}
				p := poolFigure{filter: filter, panel: panel, indicator: x.indicator, by: x.by, want: figureTold{withheld: f.Suppressed}, low: f.Low, high: f.High}
				if f.Value != nil {
					p.want.value = *f.Value
				}
				for _, d := range answer.By {
					p.keys = append(p.keys, f.Keys[d])
				}
				for _, l := range s.h.op.Languages {
					p.lang = l
					s.label(&p)
					out = append(out, p)
				}
			}
		}
	}
	return out
}

func by(s string) string {
	if s == "" {
		return ""
	}
	return "&by=" + s
}

// label gives a figure the names by which its language knows it.
func (s *same) label(p *poolFigure) {
	country := func(code string) string { return s.h.op.Lists["country"].Label(code, p.lang) }
	switch p.panel {
	case "points":
		point, ok := s.h.op.Point(p.keys[0])
		if !ok {
			s.t.Fatalf("no point %v", p.keys)
		}
		p.row = point.Name.In(p.lang)
	case "od":
		p.row, p.column = country(p.keys[0]), country(p.keys[1])
		p.mark = p.column
	case "sexage":
		p.row = locale.Say(p.lang, map[string]string{"male adults": "word.men", "female adults": "word.women", "male children": "word.boys", "female children": "word.girls"}[strings.Join(p.keys, " ")])
	case "reasons":
		p.row = s.h.op.Lists["reason"].Label(p.keys[0], p.lang)
	}
}

// forms reads the figure in every form it has; one that it is not found in fails.
func (s *same) forms(f poolFigure) map[string]figureTold {
	s.t.Helper()
	out := map[string]figureTold{}
	l, q := string(f.lang), "?from=2022-12"+f.filter
	take := func(form, text string) {
		s.t.Helper()
		x, err := read(f.lang, text)
		if err != nil {
			s.t.Errorf("%s %s %s %v: %q in %s is no figure", f.lang, f.filter, f.panel, f.keys, text, form)
			return
		}
		out[form] = x
	}
	// The page: the row of the panel's table, the column of its head.
	page := s.pages[l+q]
	if page == nil {
		var err error
		if page, err = goquery.NewDocumentFromReader(bytes.NewReader(s.get("/" + l + "/" + q))); err != nil {
			s.t.Fatal(err)
		}
		s.pages[l+q] = page
	}
	at := 1
	page.Find("#" + f.panel + " thead th").Each(func(i int, h *goquery.Selection) {
		if f.column != "" && i > 0 && h.Text() == f.column {
			at = i
		}
	})
	page.Find("#" + f.panel + " tbody tr").Each(func(_ int, r *goquery.Selection) {
		if r.Find("th").Text() == f.row {
			take("page", r.Children().Eq(at).Text())
		}
	})
	rows, err := csv.NewReader(bytes.NewReader(s.get("/" + l + "/data/" + f.panel + ".csv" + q))).ReadAll()
	if err != nil {
		s.t.Fatal(err)
	}
	for _, r := range rows[1:] {
		if r[0] == f.row {
			text := r[at]
			if f.lang == dtm.French {
				text = strings.ReplaceAll(text, ".", ",") // the file has decimal points in every language
			}
			take("CSV of the page", text)
		}
	}
	svg, err := goquery.NewDocumentFromReader(bytes.NewReader(s.get("/" + l + "/data/" + f.panel + ".svg" + q)))
	if err != nil {
		s.t.Fatal(err)
	}
	svg.Find(".mark").Each(func(_ int, m *goquery.Selection) {
		label := m.AttrOr("data-label", "")
		if label == f.row || f.column != "" && strings.HasPrefix(label, f.row+" ") && strings.HasSuffix(label, " "+f.column) {
			text, _, _ := strings.Cut(m.AttrOr("data-value", ""), " · ")
			take("SVG", text)
		}
	})
	s.programs(f, q, out)
	s.printed(f, out)
	s.tabled(f, take)
	return out
}

// programs reads the forms of the API.
func (s *same) programs(f poolFigure, q string, out map[string]figureTold) {
	s.t.Helper()
	at := "/api/v1/indicators/" + f.indicator + "/figures"
	q += by(f.by)
	rows, err := csv.NewReader(bytes.NewReader(s.get(at + ".csv" + q))).ReadAll()
	if err != nil {
		s.t.Fatal(err)
	}
	n := len(f.keys)
	for _, r := range rows[1:] {
		if strings.Join(r[1:1+n], "|") == strings.Join(f.keys, "|") {
			v, err := strconv.ParseFloat(r[1+n], 64)
			if err != nil && r[1+n] != "suppressed" {
				s.t.Errorf("CSV: %v", r)
			}
			out["CSV"] = figureTold{value: v, withheld: r[1+n] == "suppressed"}
		}
	}
	book, err := excelize.OpenReader(bytes.NewReader(s.get(at + ".xlsx" + q)))
	if err != nil {
		s.t.Fatal(err)
	}
	defer book.Close()
	if rows, err = book.GetRows("figures"); err != nil {
		s.t.Fatal(err)
	}
	for _, r := range rows[1:] {
		if strings.Join(r[:n], "|") == strings.Join(f.keys, "|") {
			v, err := strconv.ParseFloat(r[n], 64)
			if err != nil && r[n] != "" {
				s.t.Errorf("XLSX: %v", r)
			}
			out["XLSX"] = figureTold{value: v, withheld: strings.EqualFold(r[n+1], "true") && r[n] == ""}
		}
	}
	var odata struct {
		Value []struct {
			Key        string
			Value      *float64
			Suppressed bool
		}
	}
	ask := url.Values{"$filter": {"key eq '" + strings.Join(f.keys, "|") + "'"}, "indicator": {f.indicator}}
	if err := json.Unmarshal(s.get("/api/v1/odata/figures"+q+"&"+ask.Encode()), &odata); err != nil {
		s.t.Fatal(err)
	}
	if len(odata.Value) == 1 {
		x := figureTold{withheld: odata.Value[0].Suppressed}
		if v := odata.Value[0].Value; v != nil {
			x.value, x.withheld = *v, false
		}
		out["OData"] = x
	}
}

// printed finds the figure in the month's report, or in the profile of the point that
// the filter names: the line that begins with its label says it.
func (s *same) printed(f poolFigure, out map[string]figureTold) {
	s.t.Helper()
	name := "2022-12"
	if p, ok := strings.CutPrefix(f.filter, "&point="); ok {
		name = "point-" + p + "-2022-12"
	} else if f.filter != "" {
		return
	}
	if f.lang.RTL() {
		return // what lies on one line is not told by the words' order in the file
	}
	at := "/" + string(f.lang) + "/report/" + name + ".pdf"
	lines := s.texts[at]
	if lines == nil {
		file := filepath.Join(s.t.TempDir(), "a.pdf")
		write(s.t, file, string(s.get(at)))
		text, err := exec.CommandContext(s.t.Context(), "pdftotext", "-layout", file, "-").Output()
		if err != nil {
			s.t.Fatal(err)
		}
		lines = strings.Split(strings.Map(func(r rune) rune {
			if r != '\n' && unicode.IsSpace(r) {
				return ' '
			}
			return r
		}, string(text)), "\n")
		s.texts[at] = lines
	}
	want := "*"
	if !f.want.withheld {
		want = strings.Map(func(r rune) rune {
			if unicode.IsSpace(r) {
				return ' '
			}
			return r
		}, locale.Number(f.lang, f.want.value, -1))
	}
	for _, line := range lines {
		for rest := line; ; {
			_, after, ok := strings.Cut(rest, f.row+" ")
			if !ok {
				break
			}
			rest = after
			for _, word := range strings.Fields(strings.ReplaceAll(after, "≈ ", "≈")) {
				if f.want.withheld && (word == "*" || strings.HasPrefix(word, "≈")) {
					out["PDF of a report"] = f.want
					return
				}
			}
			if !f.want.withheld && strings.Contains(" "+after+" ", " "+want+" ") {
				out["PDF of a report"] = f.want
				return
			}
		}
	}
	s.t.Errorf("%s: no line says %q of %s", at, want, f.row)
}

// printedRow is a row of a table as the tags of a PDF have it.
type printedRow struct {
	names string // of its part, table and row
	says  string
}

// tabled reads the figure from the PDF of the month's tables as a screen reader does: by the
// tags of its headings, tables, rows and cells. From right to left the reader that is used
// here loses letters of ligatures: there the row is the one that stands where the English
// report has it, and no letter of its names is another.
func (s *same) tabled(f poolFigure, take func(form, text string)) {
	s.t.Helper()
	in := f
	if f.lang.RTL() {
		in.lang = dtm.English
		s.label(&in)
	}
	for _, l := range []dtm.Lang{in.lang, f.lang} {
		if s.rows[l] == nil {
			s.rows[l] = s.tags(l)
		}
	}
	rows, names := s.rows[in.lang], s.names(in)
	i := slices.IndexFunc(rows, func(r printedRow) bool { return r.names == names })
	if i < 0 {
		s.t.Errorf("%s: the tables have no row %q", in.lang, names)
		return
	}
	if f.lang.RTL() {
		if len(s.rows[f.lang]) != len(rows) {
			s.t.Fatalf("the tables have %d rows in %s, %d in %s", len(s.rows[f.lang]), f.lang, len(rows), in.lang)
		}
		left := []rune(s.names(f))
		for _, r := range s.rows[f.lang][i].names {
			k := slices.Index(left, r)
			if k < 0 {
				s.t.Errorf("%s: the row of %q is called %q", f.lang, s.names(f), s.rows[f.lang][i].names)
				return
			}
			left = slices.Delete(left, k, k+1)
		}
	}
	take("PDF", s.rows[f.lang][i].says)
}

// names are those of the figure's part, table and row in the tables of the month.
func (s *same) names(f poolFigure) string {
	s.t.Helper()
	place := locale.Say(f.lang, "report.tables.whole")
	if dim, code, ok := strings.Cut(strings.TrimPrefix(f.filter, "&"), "="); ok {
		name := s.h.op.Lists["direction"].Label(code, f.lang)
		if a, ok := s.h.op.Area(code); ok && dim == "region" {
			name = a.Name.In(f.lang)
		} else if p, ok := s.h.op.Point(code); ok && dim == "point" {
			name = p.Name.In(f.lang)
		}
		place = locale.Say(f.lang, "report.tables."+dim, name)
	}
	i, err := s.h.public.Indicator(f.indicator)
	if err != nil {
		s.t.Fatal(err)
	}
	table, row := i.Name.In(f.lang), []string{f.row}
	switch f.panel {
	case "points":
		table += " · " + locale.Say(f.lang, "report.dim.point")
	case "od":
		row = append(row, f.column)
	case "sexage":
		row = []string{s.h.op.Lists["sex"].Label(f.keys[0], f.lang), s.h.op.Lists["age"].Label(f.keys[1], f.lang)}
	}
	return unspaced(append([]string{place, table}, row...)...)
}

// unspaced joins texts without their spaces, which the end of a line takes.
func unspaced(list ...string) string {
	for i, text := range list {
		list[i] = strings.Map(func(r rune) rune {
			if unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) {
				return -1
			}
			return r
		}, text)
	}
	return strings.Join(list, "|")
}

var tagged = regexp.MustCompile(`^( *)(?:"(.*)"|([A-Z][A-Za-z0-9]*).*)$`)

// tags reads the tables of the PDF by its tags: each row's names, after the headings of the
// second and the third level that it stands under, and what its last cell says.
func (s *same) tags(l dtm.Lang) (out []printedRow) {
	s.t.Helper()
	file := filepath.Join(s.t.TempDir(), "tables.pdf")
	write(s.t, file, string(s.get("/"+string(l)+"/report/tables-2022-12.pdf")))
	text, err := exec.CommandContext(s.t.Context(), "pdfinfo", "-struct-text", file).Output()
	if err != nil {
		s.t.Fatal(err)
	}
	said := map[string]string{} // of H2 and H3
	var open string
	var depth int // of the tag that is open
	var row []string
	end := func() {
		if n := len(row); n > 1 {
			out = append(out, printedRow{unspaced(append([]string{said["H2"], said["H3"]}, row[:n-1]...)...), row[n-1]})
		}
		row = nil
	}
	for _, line := range strings.Split(string(text), "\n") {
		m := tagged.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		tag := m[3]
		if tag != "" && len(m[1]) <= depth { // what was open has ended
			open = ""
		}
		switch {
		case tag == "H2" || tag == "H3":
			end()
			open, said[tag], depth = tag, "", len(m[1])
		case tag == "TR":
			end()
		case tag == "TD" || tag == "TH":
			open, row, depth = "T", append(row, ""), len(m[1])
		case tag != "": // within what is open, or of no interest
		case open == "T":
			row[len(row)-1] += m[2]
		case open != "":
			said[open] += m[2]
		}
	}
	end()
	return out
}
