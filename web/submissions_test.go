package web_test

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"dtm"
)

// TestSubmissionSearch: filters, pages in both directions, counts, map and CSV agree
// on what is found, and a record opened from a list leads to its neighbours in it.
func TestSubmissionSearch(t *testing.T) {
	t.Parallel()
	s, db := office(t)
	ctx := t.Context()
	d, _, err := db.AddDevice(ctx, "=cmd|Obock-1", "obock")
	if err != nil {
		t.Fatal(err)
	}
	var kept []dtm.Reading
	for i := range 130 {
		x := dtm.Submission{ID: fmt.Sprintf("uuid:%04d", i), Form: "f", Version: "1", XML: []byte("<data/>"), Device: d.ID, Received: time.Date(2026, 3, 1, i, 0, 0, 0, time.UTC)}
		if i%13 == 0 {
			x.Flags = []dtm.Flag{{Rule: "position.far"}}
		}
		r, err := db.Receive(ctx, x)
		if err != nil {
			t.Fatal(err)
		}
		kept = append(kept, dtm.Reading{Seq: r.Seq, Point: "obock", Day: "2026-03-01", Positioned: i%2 == 0, Lat: 11.9, Lon: 43.2, Name: fmt.Sprint("record ", i), Words: "Éthiopie"})
	}
	last, err := db.Last(ctx)
	if err != nil {
		t.Fatal(err)
	}
	c := visitor(t, s, dtm.RoleManager)
	page := func(path string) *goquery.Document {
		t.Helper()
		status, body := send(t, c, s.URL+path, nil)
		if status != http.StatusOK {
			t.Fatalf("%s: %d", path, status)
		}
		doc, err := goquery.NewDocumentFromReader(strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		return doc
	}
	const list = "/en/staff/submissions/"
	if text := page(list).Find("main").Text(); !strings.Contains(text, "not in the list’s search yet: 130") {
		t.Error("the page does not say what is not read yet")
	}
	if err := db.KeepReadings(ctx, kept, nil, last); err != nil {
		t.Fatal(err)
	}
	names := func(doc *goquery.Document) (out []string) {
		doc.Find(".rows .who").Each(func(_ int, x *goquery.Selection) { out = append(out, x.Text()) })
		return out
	}
	var all []string
	at := list + "?q=ethiop&point=obock"
	var pages [][]string
	for at != "" {
		doc := page(at)
		if got := doc.Find(".found strong").Text(); got != "Submissions: 130" {
			t.Fatalf("%s: %s", at, got)
		}
		pages = append(pages, names(doc))
		all = append(all, names(doc)...)
		next := doc.Find(`a[rel=next]`).AttrOr("href", "")
		if next == "" {
			back := page(doc.Find(`a[rel=prev]`).AttrOr("href", ""))
			if !slices.Equal(names(back), pages[len(pages)-2]) {
				t.Error("the page before is another than it was")
			}
		}
		at = next
	}
	if len(all) != 130 || all[0] != "record 129" || all[129] != "record 0" || len(pages) != 3 {
		t.Errorf("%d on %d pages: %v", len(all), len(pages), all)
	}
	for query, want := range map[string]string{
		"state=flagged": "Submissions: 10", "rule=position.far": "Submissions: 10", "device=" + d.ID + "&form=f": "Submissions: 130", "q=uuid:0007": "Submissions: 1",
		"q=nothing": "", "form=g": "", "from=2026-03-02&to=2026-03-03": "Submissions: 48", "from=2026-03-01&to=2026-03-01&dates=observed": "Submissions: 130",
	} {
		if got := page(list + "?" + query).Find(".found strong").Text(); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	if status, body := send(t, c, s.URL+list+"?from=yesterday", nil); status != http.StatusUnprocessableEntity || !strings.Contains(body, "2026-11-23") {
		t.Errorf("a day that is none: %d", status)
	}
	doc := page(list + "?state=flagged")
	second := doc.Find(".rows a").Eq(1).AttrOr("href", "")
	doc = page(second)
	if got := doc.Find("a[rel=prev]").AttrOr("href", "") + " " + doc.Find("a[rel=next]").AttrOr("href", ""); !strings.Contains(got, "0117?state=flagged") || !strings.Contains(got, "0091?state=flagged") {
		t.Errorf("neighbours in the list: %s", got)
	}
	if page(list+"map?q=ethiop").Find("svg .mark").Length() == 0 || page(list+"map?q=ethiop").Find("tbody tr").Length() != 1 {
		t.Error("the map shows no dot, or its table no place")
	}
	_, body := send(t, c, s.URL+list+"list.csv?state=flagged", nil)
	rows, err := csv.NewReader(strings.NewReader(body)).ReadAll()
	if err != nil || len(rows) != 11 || rows[1][4] != "'=cmd|Obock-1" || rows[1][11] != "position.far" {
		t.Errorf("csv: %v %v", err, rows)
	}
	if status, _ := send(t, visitor(t, s, dtm.RoleSupervisor), s.URL+list+"list.csv", nil); status != http.StatusForbidden {
		t.Errorf("a supervisor exports rows: %d", status)
	}
	if doc := page(list + url.PathEscape("f") + "/uuid:0007"); !strings.Contains(doc.Find("main").Text(), "uuid:0007") {
		t.Error("the address by form and id leads elsewhere")
	}
}

// TestSubmissionHistory: versions lead to each other, and the log's entries are told
// in words with who made them.
func TestSubmissionHistory(t *testing.T) {
	t.Parallel()
	s, db := office(t)
	ctx := t.Context()
	for _, x := range []dtm.Submission{
		{ID: "uuid:a", Form: "f", Version: "1", XML: []byte("<a/>")},
		{ID: "uuid:b", Deprecates: "uuid:a", Form: "f", Version: "1", XML: []byte("<b/>")},
	} {
		if _, err := db.Receive(ctx, x); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Flag(ctx, "uuid:b", []dtm.Flag{{Rule: "answers.sum"}}); err != nil {
		t.Fatal(err)
	}
	list, err := db.Events(ctx, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.KeepReadings(ctx, nil, list, list[len(list)-1].Seq); err != nil {
		t.Fatal(err)
	}
	c := visitor(t, s, dtm.RoleSupervisor)
	_, body := send(t, c, s.URL+"/en/staff/submissions/uuid:a", nil)
	if !strings.Contains(body, "A later edit replaced these answers.") || !strings.Contains(body, `href="/en/staff/submissions/uuid:b"`) {
		t.Error("the replaced version does not lead to the latest")
	}
	_, body = send(t, c, s.URL+"/en/staff/submissions/uuid:b", nil)
	for _, want := range []string{"Versions: 2", "submission flagged: The total is not the sum of its parts", "submission received", "the program"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}
