package web_test

import (
	"context"
	"fmt"
	"math"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"dtm"
	"dtm/analyse/warehouse"
	"dtm/operation"
)

// history is five years of months: Obock's last one trebles; Galafi has so few that they
// are withheld, and Dikhil's with them.
func history(op *dtm.Operation) warehouse.Batch {
	b := warehouse.Batch{To: warehouse.Position{Seq: 1, Hash: "0123456789abcdef", At: time.Date(2023, 1, 3, 0, 0, 0, 0, time.UTC)}}
	for i, m := range dtm.Months(dtm.Month{Year: 2018, Month: 1}, dtm.Month{Year: 2022, Month: 12}).Months() {
		n := 1000 + int(200*math.Sin(float64(i)/12*2*math.Pi)) + i*37%61
		if i == 59 {
			n *= 3
		}
		for point, people := range map[string]int{"obock": n, "dikhil": 40, "galafi": 3 + i%5} {
			b.Submissions = append(b.Submissions, warehouse.Submission{Source: fmt.Sprintf("%s-%d", point, i), Facts: dtm.Facts{Movements: []dtm.Movement{{
				Source: fmt.Sprintf("%s-%d", point, i), Observed: m.First(), MonthOnly: true, Point: point, PointText: point, Direction: "outgoing",
				Previous: "ETH", Next: "YEM", Breakdown: dtm.BySexAge, Sex: "male", Age: "adults", People: people}}}})
		}
	}
	return b
}

// TestShortHistory: where there is too little to look ahead from, the page says so.
func TestShortHistory(t *testing.T) {
	t.Parallel()
	op, err := operation.Pack("djibouti")
	if err != nil {
		t.Fatal(err)
	}
	b := history(op)
	b.Submissions = b.Submissions[len(b.Submissions)-15:] // five months
	p := factsPages(t, op, b, time.Date(2023, 1, 3, 0, 0, 0, 0, time.UTC))
	if err := p.Prepare(t.Context(), func(context.Context) {}); err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(p.Handler())
	t.Cleanup(s.Close)
	if resp, body := get(t, s.URL+"/en/outlook/"); resp.StatusCode != 200 || !strings.Contains(body, "too short to look ahead") {
		t.Errorf("%s: %.900s", resp.Status, body)
	}
}

func TestWarningAndOutlook(t *testing.T) {
	t.Parallel()
	op, err := operation.Pack("djibouti")
	if err != nil {
		t.Fatal(err)
	}
	s := factsServed(t, op, history(op), time.Date(2023, 1, 3, 0, 0, 0, 0, time.UTC))
	page := func(path string) (string, *goquery.Document) {
		resp, body := get(t, s.URL+path)
		doc, err := goquery.NewDocumentFromReader(strings.NewReader(body))
		if err != nil || resp.StatusCode != 200 {
			t.Fatal(err, path, resp.Status)
		}
		return doc.Find("main").Text(), doc
	}
	text, doc := page("/en/warning/?point=obock")
	for _, want := range []string{"above the expected range", "December 2022", "No alert is confirmed", "How often it is right"} {
		if !strings.Contains(text, want) {
			t.Errorf("the warning lacks %q: %.600s", want, text)
		}
	}
	if doc.Find(".panel svg").Length() != 2 || doc.Find("nav.wide a[aria-current=page][href='/en/warning/']").Length() != 1 {
		t.Error("the chart, or where the reader is, is missing")
	}
	text, _ = page("/fr/outlook/?point=obock")
	for _, want := range []string{"janvier 2023", "mars 2023", "Perspectives", "Dans les 80 sur 100"} {
		if !strings.Contains(text, want) {
			t.Errorf("the outlook lacks %q", want)
		}
	}
	// What guard withholds is not there to be judged, nor to be looked ahead from.
	for _, path := range []string{"/en/warning/?point=galafi", "/en/outlook/?point=galafi"} {
		text, doc := page(path)
		if doc.Find("svg title").Length() > 0 && !strings.Contains(text, "<10") && !strings.Contains(text, "withheld") {
			t.Errorf("%s draws withheld counts: %.400s", path, text)
		}
		doc.Find(".listed tbody tr").Each(func(_ int, tr *goquery.Selection) {
			if th := tr.Find("th").Text(); strings.Contains(th, "Galafi") || strings.Contains(th, "Dikhil") {
				t.Errorf("%s tells of withheld counts: %s", path, tr.Text())
			}
		})
	}
	if resp, _ := get(t, s.URL+"/en/warning/?point=nowhere"); resp.StatusCode != 404 {
		t.Errorf("an unknown point: %d", resp.StatusCode)
	}
	if text, _ := page("/en/warning/?point=pk9"); !strings.Contains(text, "no published months") {
		t.Errorf("a point without counts: %.300s", text)
	}
}
