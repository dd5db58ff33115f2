package web_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"dtm"
	"dtm/analyse/indicator"
	"dtm/analyse/warehouse"
	"dtm/analyse/warehouse/duckdb"
	"dtm/demo"
	"dtm/disseminate/guard"
	"dtm/gather/xform"
	"dtm/gather/xlsform"
	"dtm/operation"
	"dtm/serve"
	"dtm/web"
)

// site serves the pages over a synthetic half year, by the real engine and guard.
func site(t *testing.T, days int, change func(*dtm.Operation)) *httptest.Server {
	t.Helper()
	op, err := operation.Pack("djibouti")
	if err != nil {
		t.Fatal(err)
	}
	registry, _ := op.Form("fmr")
	form, _, err := xlsform.Read(registry.File, registry.Data)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(op)
	}
	start := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	b := warehouse.Batch{To: warehouse.Position{Seq: 1, Hash: "0123456789abcdef", At: start}}
	for n := range days {
		for _, x := range demo.Day(op, form, start, start.AddDate(0, 0, n), 3) {
			in, err := xform.Read(form, x.XML)
			if err != nil {
				t.Fatal(err)
			}
			rows, _ := xform.Movements(op, form, in)
			b.Submissions = append(b.Submissions, warehouse.Submission{Source: x.ID, Facts: dtm.Facts{Movements: rows}})
		}
	}
	return factsServed(t, op, b, start.AddDate(0, 0, max(0, days-1)))
}

// factsServed serves the pages over the batch's facts on a day.
func factsServed(t *testing.T, op *dtm.Operation, b warehouse.Batch, now time.Time, with ...func(*web.Options)) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(serve.Chain(factsPages(t, op, b, now, with...).Handler(), serve.Security(serve.DefaultCSP), serve.Compress()))
	t.Cleanup(s.Close)
	return s
}

func factsPages(t *testing.T, op *dtm.Operation, b warehouse.Batch, now time.Time, with ...func(*web.Options)) *web.Pages {
	t.Helper()
	ctx := context.Background()
	wh, err := duckdb.Open(ctx, "", op)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { wh.Close() })
	if len(b.Submissions) > 0 {
		if _, err := wh.Apply(ctx, b); err != nil {
			t.Fatal(err)
		}
	}
	e, err := indicator.New(op, wh)
	if err != nil {
		t.Fatal(err)
	}
	o := web.Options{Operation: op, Figures: guard.New(e, op), Now: func() time.Time { return now },
		Report: func(_ context.Context, _ string, r dtm.Report, l dtm.Lang) ([]byte, error) {
			return fmt.Appendf(nil, "%%PDF %s %s", r.Name(), l), nil
		}}
	for _, f := range with {
		f(&o)
	}
	o.Patience = 10 * time.Minute // a loaded machine
	p, err := web.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func get(t *testing.T, url string, header ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequest("GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	c := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(resp.Body); err != nil {
		t.Fatal(err)
	}
	return resp, b.String()
}

// key looks like a message key that was not translated.
var key = regexp.MustCompile(`\b(page|say|panel|head|filter|def|limit|method|error|word|map|empty|unit|topic|report|chart|warning|watch|outlook)\.[a-z_]+\b`)

func TestPages(t *testing.T) {
	t.Parallel()
	s := site(t, 120, func(op *dtm.Operation) { op.Synthetic = true })
	for _, l := range []string{"en", "fr", "ar"} {
		for _, path := range []string{"/", "/?from=2025-01&to=2025-04", "/?from=2025-03&region=DJ01", "/?from=2025-02&point=galafi&direction=incoming", "/indicators/", "/indicators/daily_average", "/indicators/entries_from_ethiopia", "/methods", "/warning/", "/outlook/", "/outlook/?point=obock", "/reports/", "/reports/?to=2025-02"} {
			resp, body := get(t, s.URL+"/"+l+path)
			if resp.StatusCode != http.StatusOK {
				t.Errorf("%s%s: %d", l, path, resp.StatusCode)
				continue
			}
			doc, err := goquery.NewDocumentFromReader(strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			if doc.Find("html[lang="+l+"]").Length() != 1 || doc.Find("h1").Length() != 1 || doc.Find("main").Length() != 1 || doc.Find(".synthetic").Length() != 1 {
				t.Errorf("%s%s: language, heading, main or the synthetic mark is missing", l, path)
			}
			if rtl := doc.Find("html").AttrOr("dir", ""); (rtl == "rtl") != (l == "ar") {
				t.Errorf("%s%s: dir %q", l, path, rtl)
			}
			if m := key.FindString(doc.Find("body").Text()); m != "" {
				t.Errorf("%s%s: %q is not translated", l, path, m)
			}
			if doc.Find("script:not([src^='/asset/'])").Length() > 0 || doc.Find("[style],[onclick],[onload]").Length() > 0 {
				t.Errorf("%s%s: inline script or style, which the policy forbids", l, path)
			}
			ids := map[string]bool{}
			doc.Find("[id]").Each(func(_ int, e *goquery.Selection) {
				id := e.AttrOr("id", "")
				if ids[id] {
					t.Errorf("%s%s: the id %q is there twice", l, path, id)
				}
				ids[id] = true
			})
		}
	}
}

func TestDashboardIsWhole(t *testing.T) {
	t.Parallel()
	s := site(t, 120, nil)
	_, body := get(t, s.URL+"/fr/?from=2025-03")
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"trend", "map", "od", "points", "sexage", "reasons", "nationality"} {
		p := doc.Find("#" + id + ".panel")
		if p.Find("svg[role=img]").Length() != 2 || p.Find("table tbody tr").Length() == 0 || p.Find(`a[href$=".pdf"]`).Length() > 0 || p.Find(`a[href*=".csv?"]`).Length() != 1 {
			t.Errorf("%s has not two drawings, a table and a CSV", id)
		}
	}
	if doc.Find(`a.report[href="/fr/report/2025-03.pdf"]`).Length() != 1 || doc.Find(`select[name=from] option[selected]`).AttrOr("value", "") != "2025-03" {
		t.Error("the report's link or the chosen month is missing")
	}
	if doc.Find("#map svg").First().Text() == "" || !strings.Contains(doc.Find("#map svg").First().Text(), "n’impliquent") {
		t.Error("the map has no disclaimer")
	}
	if resp, body := get(t, s.URL+"/fr/report/2025-03.pdf"); resp.Header.Get("Content-Type") != "application/pdf" || body != "%PDF 2025-03 fr" {
		t.Errorf("report: %s %q", resp.Status, body)
	}
}

// TestReportsPage: every link of the page of reports names a report, and the months that
// have movements are all there.
func TestReportsPage(t *testing.T) {
	t.Parallel()
	s := site(t, 120, nil)
	_, body := get(t, s.URL+"/fr/reports/?to=2025-02")
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	doc.Find("main li a").Each(func(_ int, a *goquery.Selection) {
		name := strings.TrimSuffix(strings.TrimPrefix(a.AttrOr("href", ""), "/fr/report/"), ".pdf")
		r, err := dtm.ParseReport(name)
		if err != nil {
			t.Errorf("%s: %v", a.AttrOr("href", ""), err)
			return
		}
		seen[r.Product]++
		if resp, body := get(t, s.URL+a.AttrOr("href", "")); resp.StatusCode != 200 || body != "%PDF "+name+" fr" {
			t.Errorf("%s: %s", name, resp.Status)
		}
	})
	for _, p := range dtm.ReportProducts {
		if seen[p] == 0 {
			t.Errorf("no %s report is linked", p)
		}
	}
	if got := doc.Find("select[name=to] option[selected]").AttrOr("value", ""); got != "2025-02" {
		t.Errorf("the month %q is chosen", got)
	}
}

// TestSameFigures: what the page's table says, the CSV says.
func TestSameFigures(t *testing.T) {
	t.Parallel()
	s := site(t, 33, nil) // two days of February: small cells
	_, body := get(t, s.URL+"/en/?from=2025-02")
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	suppressed := 0
	doc.Find(".panel").Each(func(_ int, p *goquery.Selection) {
		href, _ := p.Find(`a[href*=".csv?"]`).Attr("href")
		_, text := get(t, s.URL+href)
		rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		var page [][]string
		p.Find("tbody tr").Each(func(_ int, tr *goquery.Selection) {
			var row []string
			tr.Find("th,td").Each(func(_ int, c *goquery.Selection) { row = append(row, strings.ReplaceAll(c.Text(), ",", "")) })
			page = append(page, row)
		})
		if len(page) != len(rows)-1 {
			t.Fatalf("%s: %d rows on the page, %d in the CSV", href, len(page), len(rows)-1)
		}
		for i, row := range page {
			for j, field := range row {
				in := strings.ReplaceAll(rows[i+1][j], ",", "")
				if in == "<10" || in == "n<10" || in == "*" {
					suppressed++
				}
				if field != in && !(in == "" && field == "no data") {
					t.Errorf("%s row %d: %q on the page, %q in the CSV", href, i+1, field, in)
				}
			}
			if rows[i+1][len(row)] != "2025-02" {
				t.Errorf("%s: period %v", href, rows[i+1])
			}
		}
	})
	if suppressed == 0 {
		t.Error("no small cell in the test's data: it proves nothing of suppression")
	}
}

// TestFirstOfTwo: of a parameter that is said twice the first counts, in pages, files
// and charts alike (doc/asvs.md, 34).
func TestFirstOfTwo(t *testing.T) {
	t.Parallel()
	s := site(t, 40, nil)
	main := func(path string) string {
		_, body := get(t, s.URL+path)
		if i := strings.Index(body, "<main"); i >= 0 {
			body = body[i:strings.Index(body, "</main>")]
			if i := strings.Index(body, `<aside class="cite"`); i >= 0 {
				body = body[:i]
			}
		}
		return regexp.MustCompile(`(href|action|value)="[^"]*"`).ReplaceAllString(body, "")
	}
	for _, path := range []string{"/en/", "/fr/flows/", "/en/points/obock", "/en/profile/"} {
		one, other, both := main(path+"?from=2025-01"), main(path+"?from=2025-02"), main(path+"?from=2025-01&from=2025-02")
		if one == other {
			t.Errorf("%s is the same for two months: this proves nothing", path)
		}
		if both != one {
			t.Errorf("%s: two months are not answered as the first alone", path)
		}
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	s := site(t, 40, nil)
	for name, c := range map[string]struct {
		path, header string
		status       int
		want         string
	}{
		"month 13":               {"/fr/?from=2025-13", "", 400, "n’est pas un mois"},
		"reversed":               {"/en/?from=2025-02&to=2025-01", "", 400, "ends"},
		"thousands of years":     {"/en/?from=2025-02&to=9943-01", "", 400, "at most"},
		"unknown point":          {"/en/?point=%3Cscript%3Ealert(1)%3C/script%3E", "", 400, "&lt;script&gt;"},
		"month 13, English":      {"/en/?from=2025-13", "", 400, "is not a month"},
		"month 13, Arabic":       {"/ar/?from=2025-13", "", 400, "ليس شهرًا"},
		"hostile month":          {"/fr/?from=%22%3E%3Cscript%3Ealert(1)%3C/script%3E", "", 400, "&lt;script&gt;"},
		"unknown region, CSV":    {"/fr/data/points.csv?region=ET", "", 400, "<html"},
		"unknown direction":      {"/en/?direction=up", "", 400, "up"},
		"a region that is none":  {"/ar/?region=DJ99", "", 400, "DJ99"},
		"report of no month":     {"/fr/report/latest.pdf", "", 400, "latest"},
		"unknown asset":          {"/asset/app.css", "fr", 404, "n’existe pas"},
		"out of the folder":      {"/asset/..%2f..%2fweb.go", "", 404, "no such page"},
		"unknown page":           {"/fr/nowhere", "", 404, "n’existe pas"},
		"unknown page, language": {"/nowhere", "ar", 404, "لا توجد صفحة"},
		"unknown language":       {"/de/", "", 404, "no such page"},
		"unknown indicator":      {"/en/indicators/nothing", "", 404, "nothing"},
		"unknown panel":          {"/en/data/nothing.csv", "", 404, "no such page"},
		"drawing":                {"/en/data/points.svg?from=2025-01", "", 200, "<svg"},
		"no data in the month":   {"/fr/?from=2019-01", "", 200, "Aucun mouvement pour ce choix"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			resp, body := get(t, s.URL+c.path, "Accept-Language", c.header)
			if resp.StatusCode != c.status || !strings.Contains(body, c.want) || strings.Contains(body, "<script>") {
				t.Errorf("%d, want %d and %q in:\n%.2000s", resp.StatusCode, c.status, c.want, body)
			}
			if resp.Header.Get("Content-Security-Policy") == "" {
				t.Error("no content security policy")
			}
		})
	}
	for header, want := range map[string]string{"fr-DJ,fr;q=0.8": "/fr/", "so,ar;q=0.7": "/ar/", "": "/en/"} {
		if resp, _ := get(t, s.URL+"/", "Accept-Language", header); resp.StatusCode != 302 || resp.Header.Get("Location") != want {
			t.Errorf("%q: %d to %s", header, resp.StatusCode, resp.Header.Get("Location"))
		}
	}
	resp, _ := get(t, s.URL+"/en/")
	if again, _ := get(t, s.URL+"/en/", "If-None-Match", resp.Header.Get("ETag")); again.StatusCode != http.StatusNotModified {
		t.Errorf("unchanged page: %d", again.StatusCode)
	}
}

// TestWrongYear: a group written down under next year's date does not move the
// front page into the future, and no reader is offered a month to come.
func TestWrongYear(t *testing.T) {
	t.Parallel()
	const days = 200 // of which some, by the demo's planted faults, are dated 2026
	s := site(t, days, nil)
	for _, l := range []string{"en", "fr", "ar"} {
		_, body := get(t, s.URL+"/"+l+"/")
		doc, err := goquery.NewDocumentFromReader(strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		months := doc.Find("select[name=from] option")
		if got := months.First().AttrOr("value", ""); got != "2025-07" || months.Length() != 7 {
			t.Errorf("%s: %d months are offered, the last %s", l, months.Length(), got)
		}
		if got := doc.Find("select[name=to] option[selected]").AttrOr("value", ""); got != "2025-07" {
			t.Errorf("%s: opens on %q", l, got)
		}
		_, csv := get(t, s.URL+"/"+l+"/data/points.csv")
		if !strings.Contains(csv, ",2025-07,") || strings.Contains(csv, ",2026-") {
			t.Errorf("%s: the CSV is of another month:\n%.300s", l, csv)
		}
	}
	if resp, body := get(t, s.URL+"/en/?from=2026-03"); resp.StatusCode != 200 || strings.Contains(body, "No movements recorded yet") || !strings.Contains(body, `class="panel"`) {
		t.Errorf("what is dated 2026 cannot be looked at: %d; or no fault was planted, and this proves nothing", resp.StatusCode)
	}
}

func TestNoData(t *testing.T) {
	t.Parallel()
	s := site(t, 0, nil)
	for l, want := range map[string]string{"en": "dtm import movements", "fr": "dtm import movements", "ar": "dtm import movements"} {
		if resp, body := get(t, s.URL+"/"+l+"/"); resp.StatusCode != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: %d", l, resp.StatusCode)
		}
	}
}
