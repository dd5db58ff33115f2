package web_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"dtm"
	"dtm/event"
	"dtm/operation"
	"dtm/web"
)

func alarm(step, by, key string, day time.Time, observed float64) dtm.Alert {
	return dtm.Alert{ID: dtm.AlertID(step, by, key, day), Kind: dtm.AlertCount, Step: step, By: by, Key: key, Day: day, Observed: observed, Expected: 1000, Bound: 1500, Method: "farrington", Effects: []string{"ramadan"}}
}

// The inbox: who may look, who may decide; a decision is told and can be taken back;
// what is missing is asked for and what was typed is kept.
func TestAlertInbox(t *testing.T) {
	t.Parallel()
	s, db := office(t)
	ctx := t.Context()
	month := time.Date(2022, 12, 1, 0, 0, 0, 0, time.UTC)
	a, b := alarm("month", "point", "obock", month, 2900), alarm("month", "", "", month, 3100)
	if _, _, err := db.RaiseAlerts(event.WithActor(ctx, event.System), "month", month, month.AddDate(0, 1, 0), []dtm.Alert{a, b}); err != nil {
		t.Fatal(err)
	}
	day := time.Now().UTC().Truncate(24 * time.Hour)
	silent := dtm.Silence{Point: "galafi", Day: day, Due: day.Add(16 * time.Hour)}
	if _, err := db.RaiseSilence(ctx, silent); err != nil {
		t.Fatal(err)
	}
	at := s.URL + "/en/staff/alerts/"
	for _, role := range []string{dtm.RoleEnumerator, dtm.RolePartner} {
		if status, _ := send(t, visitor(t, s, role), at, nil); status != http.StatusForbidden {
			t.Errorf("%s: %d", role, status)
		}
	}
	c := visitor(t, s, dtm.RoleManager)
	page := func(path string, form url.Values, want int) *goquery.Document {
		t.Helper()
		status, body := send(t, c, path, form)
		doc, err := goquery.NewDocumentFromReader(strings.NewReader(body))
		if err != nil || status != want {
			t.Fatalf("%s: %d, %v", path, status, err)
		}
		return doc
	}
	doc := page(at, nil, 200)
	text := doc.Find("main").Text()
	for _, want := range []string{"Obock", "2,900 movements (December 2022); 1,000 expected, at most 1,500", "Nothing came of", "Ramadan", "3 alerts", "open (3)", "Galafi (1)"} {
		if !strings.Contains(text, want) {
			t.Errorf("the inbox lacks %q: %.900s", want, text)
		}
	}
	if n := page(at+"?kind=silent", nil, 200).Find(".pick>li").Length(); n != 1 {
		t.Errorf("silent points: %d", n)
	}
	if text := page(at+"?state=dismissed", nil, 200).Find(".empty").Text(); !strings.Contains(text, "Clear the filter") {
		t.Errorf("empty: %q", text)
	}
	if desk := page(s.URL+"/en/staff/", nil, 200); desk.Find("nav a[href='/en/staff/alerts/']").Length() == 0 {
		t.Error("no way to the inbox from the menu")
	}
	// Without a choice, without a reason, with one of another kind.
	for _, form := range []url.Values{{"do": {"confirmed"}}, {"do": {"dismissed"}, "alert": {a.ID}, "why": {"typed"}}, {"do": {"dismissed"}, "alert": {a.ID}, "reason": {"nobody_passed"}, "why": {"typed"}}} {
		doc := page(at, form, http.StatusUnprocessableEntity)
		if doc.Find("[role=alert]").Length() != 1 || form.Has("why") && doc.Find("input[name=why]").AttrOr("value", "") != "typed" {
			t.Errorf("%v: %.300s", form, doc.Find("main").Text())
		}
	}
	doc = page(at, url.Values{"do": {"dismissed"}, "alert": {b.ID}, "reason": {"calendar"}, "why": {"the feast"}, "query": {"kind=month"}}, 200)
	undo := doc.Find("#undo").Closest("form")
	if !strings.Contains(doc.Find("[role=status]").Text(), "1 alert decided") || undo.Length() != 1 || doc.Find("select[name=kind] option[selected]").AttrOr("value", "") != "month" {
		t.Errorf("after a decision: %.300s", doc.Find("main").Text())
	}
	if text := page(at+"?state=dismissed", nil, 200).Find(".pick").Text(); !strings.Contains(text, "Feast or season · the feast") {
		t.Errorf("dismissed: %q", text)
	}
	form := url.Values{}
	undo.Find("input").Each(func(_ int, in *goquery.Selection) { form.Set(in.AttrOr("name", ""), in.AttrOr("value", "")) })
	if text := page(at+"undo", form, 200).Find("[role=status]").Text(); !strings.Contains(text, "taken back") {
		t.Errorf("undone: %q", text)
	}
	// One alert: comment, confirm, history.
	one := s.URL + "/en/staff/alerts/" + a.ID
	page(one, url.Values{"comment": {" "}}, http.StatusUnprocessableEntity)
	page(one, url.Values{"comment": {"seen from the road"}}, 200)
	page(at, url.Values{"do": {"confirmed"}, "alert": {a.ID}, "one": {a.ID}, "why": {"boats"}}, 200)
	text = page(one, nil, 200).Find("main").Text()
	for _, want := range []string{"Obock", "December 2022", "confirmed", "boats", "seen from the road", "manager@example.org", "Regression on earlier years"} {
		if !strings.Contains(text, want) {
			t.Errorf("the alert lacks %q: %.900s", want, text)
		}
	}
	page(s.URL+"/fr/staff/alerts/month/point:obock/1999-01-01", nil, http.StatusNotFound)
	if text := page(s.URL+"/fr/staff/alerts/"+silent.Alert().ID, nil, 200).Find("main").Text(); !strings.Contains(text, "Personne n’est passé") {
		t.Errorf("a silent point: %.600s", text)
	}
	page(s.URL+"/en/staff/alerts/backtest?step=hour", nil, http.StatusBadRequest)
	page(s.URL+"/en/staff/alerts/backtest?place=point:nowhere", nil, http.StatusNotFound)
	if text := page(s.URL+"/en/staff/alerts/backtest", nil, 200).Find(".empty").Text(); !strings.Contains(text, "seven steps") {
		t.Errorf("a back-test of nothing: %q", text)
	}
}

// The public page: confirmed alerts about published counts, with the counts as guard
// gives them; no others, and nothing of what was expected.
func TestPublicAlerts(t *testing.T) {
	t.Parallel()
	op, err := operation.Pack("djibouti")
	if err != nil {
		t.Fatal(err)
	}
	_, db := office(t)
	ctx := t.Context()
	month := time.Date(2022, 12, 1, 0, 0, 0, 0, time.UTC)
	all := []dtm.Alert{alarm("month", "point", "obock", month, 1), alarm("month", "", "", month, 1), alarm("month", "point", "galafi", month, 99)}
	if _, _, err := db.RaiseAlerts(ctx, "month", month, month.AddDate(0, 1, 0), all); err != nil {
		t.Fatal(err)
	}
	s := factsServed(t, op, history(op), time.Date(2023, 1, 3, 0, 0, 0, 0, time.UTC), func(o *web.Options) { o.Alerts = db })
	rows := func() (list []string) {
		t.Helper()
		_, body := get(t, s.URL+"/en/warning/")
		doc, err := goquery.NewDocumentFromReader(strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		doc.Find("#list-confirmed").Closest("section").Find("tbody tr").Each(func(_ int, tr *goquery.Selection) {
			list = append(list, tr.Find("th").Text()+" "+tr.Find("td").Eq(1).Text())
		})
		for _, secret := range []string{"1,500", "99"} {
			if strings.Contains(doc.Find("#list-confirmed").Closest("section").Text(), secret) {
				t.Errorf("the page tells %s", secret)
			}
		}
		return list
	}
	if list := rows(); list != nil {
		t.Errorf("open alerts are published: %v", list)
	}
	if _, err := db.DecideAlerts(ctx, dtm.AlertDecision{IDs: []string{all[0].ID, all[2].ID}, State: dtm.FlagConfirmed, Note: "for us alone"}); err != nil {
		t.Fatal(err)
	}
	if list := rows(); len(list) != 1 || !strings.HasPrefix(list[0], "Obock") || slices.Contains(list, "Obock 1") {
		t.Errorf("published: %v", list)
	}
	// What does not hold any more is not shown either.
	if _, _, err := db.RaiseAlerts(ctx, "month", month, month.AddDate(0, 1, 0), nil); err != nil {
		t.Fatal(err)
	}
	if list := rows(); list != nil {
		t.Errorf("cleared: %v", list)
	}
}
