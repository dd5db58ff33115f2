package web_test

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"dtm"
	"dtm/analyse/warehouse"
	"dtm/check"
	"dtm/operation"
	"dtm/web"
)

// Journeys are completed from what is published, and what others counted stands beside
// ours: small counts of theirs as hidden as our own, and no sum of places beside a whole.
func TestJourneys(t *testing.T) {
	t.Parallel()
	op, err := operation.Pack("djibouti")
	if err != nil {
		t.Fatal(err)
	}
	b := history(op)
	for i, next := range []string{"SAU", "", "UNK"} { // one side known; neither
		m := dtm.Movement{Source: next + "x", Observed: time.Date(2022, 12, 1, 0, 0, 0, 0, time.UTC), MonthOnly: true, Point: "yoboki", Direction: "incoming", Previous: "ETH", Next: next, Breakdown: dtm.BySexAge, Sex: "male", Age: "adults", People: 400 + 10*i}
		b.Submissions = append(b.Submissions, warehouse.Submission{Source: m.Source, Facts: dtm.Facts{Movements: []dtm.Movement{m}}})
	}
	_, db := office(t)
	count := func(m time.Month, place string, people int64) dtm.Outside {
		return dtm.Outside{Series: "yemen_arrivals", Place: place, Month: dtm.Month{Year: 2022, Month: m}, People: people, Source: "report " + m.String()}
	}
	s := factsServed(t, op, b, time.Date(2023, 1, 3, 0, 0, 0, 0, time.UTC), func(o *web.Options) { o.Outsides = db })
	page := func(path string) (string, *goquery.Document) {
		t.Helper()
		resp, body := get(t, s.URL+path)
		doc, err := goquery.NewDocumentFromReader(strings.NewReader(body))
		if err != nil || resp.StatusCode != 200 {
			t.Fatal(path, resp.Status, err)
		}
		return doc.Find("main").Text(), doc
	}
	if text, _ := page("/en/network/"); !strings.Contains(text, "can be shown here beside “Departures observed in Obock region”") {
		t.Errorf("nothing says how counts of others come here: %.900s", text)
	}
	if _, err := db.ImportOutside(t.Context(), "a.csv", []dtm.Outside{count(10, "Al-Aarah", 257), count(11, "Al-Aarah", 7), count(12, "Al-Aarah", 300), count(12, "Al-Azaf", 77), {Series: "elsewhere", Month: dtm.Month{Year: 2022, Month: 12}, People: 4242, Source: "x"}}); err != nil {
		t.Fatal(err)
	}
	text, doc := page("/en/network/?from=2022-12&to=2022-12")
	for _, want := range []string{"goes from Ethiopia to Yemen", "830 one of them", "≈", "Departures observed in Obock region: ", "Arrivals counted in Yemen: 377 · December 2022", "Counted at: Al-Aarah, Al-Azaf", "report October", "<10"} {
		if !strings.Contains(text, want) {
			t.Errorf("lacks %q: %.2500s", want, text)
		}
	}
	if strings.Contains(text, "4,242") || doc.Find(".panel svg").Length() != 4 {
		t.Error("a series that nothing is declared for is shown, or a chart is missing")
	}
	if n := doc.Find("#months-yemen_arrivals, [aria-labelledby=list-months-yemen_arrivals] tbody tr").Length(); n < 3 {
		t.Errorf("%d months", n)
	}
	doc.Find("[aria-labelledby=list-months-yemen_arrivals] tbody tr").Each(func(_ int, row *goquery.Selection) {
		if strings.HasPrefix(row.Text(), "November") && strings.Contains(strings.TrimPrefix(row.Text(), "November 2022"), "7%") {
			t.Errorf("the share gives a small count away: %s", row.Text())
		}
	})
	if text, _ := page("/fr/network/?from=2017-01&to=2017-01"); !strings.Contains(text, "Choisissez d’autres mois") {
		t.Errorf("a month without movements: %.600s", text)
	}
}

// late are arrivals of a steady trickle: nine tenths of a day's people on the day, the
// rest two days later.
type late struct{ today time.Time }

func (l late) Late(_ context.Context, p dtm.Period) ([]dtm.Arrived, error) {
	var out []dtm.Arrived
	for d := p.From; d.Before(l.today); d = d.AddDate(0, 0, 1) {
		out = append(out, dtm.Arrived{Day: d, Late: 0, People: 90})
		if d.AddDate(0, 0, 2).Before(l.today) {
			out = append(out, dtm.Arrived{Day: d, Late: 2, People: 10})
		}
	}
	return out, nil
}

// The running month has its expected count beside it, and nothing else has.
func TestRunningMonthExpectsLateRecords(t *testing.T) {
	t.Parallel()
	op, err := operation.Pack("djibouti")
	if err != nil {
		t.Fatal(err)
	}
	today := time.Date(2025, 2, 20, 12, 0, 0, 0, time.UTC)
	b := warehouse.Batch{To: warehouse.Position{Seq: 1, Hash: "0123456789abcdef", At: today}}
	arrivals, _ := late{today.Truncate(24 * time.Hour)}.Late(t.Context(), dtm.Period{From: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), To: today})
	for i, a := range arrivals {
		id := fmt.Sprint(i)
		b.Submissions = append(b.Submissions, warehouse.Submission{Source: id, Facts: dtm.Facts{Movements: []dtm.Movement{{Source: id, Observed: a.Day, Point: "obock", Direction: "outgoing", Previous: "ETH", Next: "YEM", Breakdown: dtm.Full, Nationality: "ETH", Sex: "male", Age: "adults", People: int(a.People)}}}})
	}
	s := factsServed(t, op, b, today, func(o *web.Options) { o.Late = late{today.Truncate(24 * time.Hour)}.Late })
	_, body := get(t, s.URL+"/en/")
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	// 19 days of 100, of which the last two lack 10 each.
	if text := doc.Find(".coming").Text(); !strings.Contains(text, "≈\u202f1,900") || !strings.Contains(text, "19 February 2025") || !strings.Contains(text, "90%") {
		t.Errorf("%q", text)
	}
	if total := doc.Find(".heads .value").First().Text(); total != "1,880" {
		t.Errorf("the count itself is %s", total)
	}
	for _, path := range []string{"/en/?from=2025-01&to=2025-01", "/en/?from=2025-01&to=2025-02", "/en/?point=obock", "/en/?direction=outgoing"} {
		if _, body := get(t, s.URL+path); strings.Contains(body, `class="coming"`) {
			t.Errorf("%s has an estimate", path)
		}
	}
}

// What is said of the network inside: who may see it, and what to do where there is
// nothing.
func TestStaffNetwork(t *testing.T) {
	t.Parallel()
	var imports web.Importing
	s, db := office(t, func(st *web.Staff) { st.Import = &imports })
	imports = web.Importing{Runs: db, Outside: db, Now: func() (web.Underway, bool) { return web.Underway{}, false },
		Compared: func(context.Context) ([]check.Compared, error) { return nil, nil }}
	c := visitor(t, s, dtm.RoleManager)
	status, body := send(t, c, s.URL+"/en/staff/network/", nil)
	if status != 200 || !strings.Contains(body, "Persons behind the movements") {
		t.Errorf("%d", status)
	}
	if _, err := db.ImportOutside(t.Context(), "a.csv", []dtm.Outside{{Series: "yemen_arrivals", Month: dtm.Month{Year: 2020, Month: 7}, People: 257, Source: "report"}}); err != nil {
		t.Fatal(err)
	}
	status, body = send(t, c, s.URL+"/en/staff/imports/", nil)
	if status != 200 || !strings.Contains(body, "Arrivals counted in Yemen: 1 count · July 2020") {
		t.Errorf("imports: %d", status)
	}
	list, _ := db.Outside(t.Context())
	if status, _ = send(t, c, s.URL+"/en/staff/imports/series", url.Values{"seq": {fmt.Sprint(list[0].Seq)}}); status != 200 {
		t.Errorf("take back: %d", status)
	}
	if list, _ = db.Outside(t.Context()); len(list) != 0 {
		t.Errorf("%+v", list)
	}
	if status, body = send(t, c, s.URL+"/fr/staff/imports/series", url.Values{"seq": {"1"}}); status != 404 || !strings.Contains(body, "déjà été retirés") {
		t.Errorf("twice: %d", status)
	}
}

// A record dated in the future does not
// move a page there.
func TestLatestMonthHasBegun(t *testing.T) {
	t.Parallel()
	op, err := operation.Pack("djibouti")
	if err != nil {
		t.Fatal(err)
	}
	b := history(op)
	m := dtm.Movement{Source: "wrong", Observed: time.Date(2031, 12, 1, 0, 0, 0, 0, time.UTC), Point: "obock", Previous: "ETH", Next: "YEM", Breakdown: dtm.Full, People: 900}
	b.Submissions = append(b.Submissions, warehouse.Submission{Source: "wrong", Facts: dtm.Facts{Movements: []dtm.Movement{m}}})
	s := factsServed(t, op, b, time.Date(2023, 1, 3, 0, 0, 0, 0, time.UTC))
	_, body := get(t, s.URL+"/en/network/")
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if from := doc.Find("select[name=from] option[selected]").Text(); from != "December 2022" {
		t.Errorf("the page is of %s", from)
	}
	if strings.Contains(doc.Find("select").Text(), "2031") {
		t.Error("a month to come can be chosen")
	}
}
