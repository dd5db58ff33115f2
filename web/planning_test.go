package web_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"dtm"
	"dtm/operation"
	"dtm/web"
)

// Planning: who may look and declare; a capacity is kept with who and when, and what is
// wrong is said with what was typed.
func TestPlanning(t *testing.T) {
	t.Parallel()
	s, db := office(t)
	at := s.URL + "/en/staff/planning/"
	c := visitor(t, s, dtm.RoleManager)
	status, body := send(t, c, at, nil)
	for _, want := range []string{"Records of 0 days have come", "No screening has found anybody", "Nothing is declared yet"} {
		if status != 200 || !strings.Contains(body, want) {
			t.Errorf("%d: lacks %q", status, want)
		}
	}
	for _, form := range []url.Values{{"programme": {"health"}, "from": {"2026-12-01"}, "people": {"many"}}, {"programme": {"tea"}, "from": {"2026-12-01"}, "people": {"3"}}, {"programme": {"health"}, "from": {"soon"}, "people": {"3"}}, {"programme": {"health"}, "from": {"2026-12-01"}, "people": {"-1"}}} {
		form.Set("note", "typed")
		if status, body := send(t, c, at, form); status != http.StatusUnprocessableEntity || !strings.Contains(body, `value="typed"`) {
			t.Errorf("%v: %d", form, status)
		}
	}
	if status, body = send(t, c, at, url.Values{"programme": {"health"}, "from": {"2026-12-01"}, "people": {"120"}, "note": {"two teams"}}); status != 200 || !strings.Contains(body, "120 people a month") || !strings.Contains(body, "two teams") {
		t.Errorf("declared: %d", status)
	}
	list, err := db.Capacities(t.Context())
	if err != nil || len(list) != 1 || list[0].People != 120 || list[0].Actor != "user:manager@example.org" {
		t.Errorf("%+v, %v", list, err)
	}
	if status, _ := send(t, visitor(t, s, dtm.RoleSupervisor), at, url.Values{"programme": {"health"}, "from": {"2026-12-01"}, "people": {"1"}}); status != http.StatusForbidden {
		t.Errorf("a supervisor declares: %d", status)
	}
	if status, body := send(t, c, s.URL+"/fr/staff/planning/needs.csv", nil); status != 200 || !strings.HasPrefix(body, "programme,month,") {
		t.Errorf("csv: %d %.80s", status, body)
	}
}

// The archive shows what was expected as it was, beside the published count.
func TestForecastArchive(t *testing.T) {
	t.Parallel()
	op, err := operation.Pack("djibouti")
	if err != nil {
		t.Fatal(err)
	}
	_, db := office(t)
	var list []dtm.Forecast
	made := time.Now() // as the store stamps it: after these steps
	for k, m := range []time.Month{11, 12} {
		at := time.Date(2022, m, 1, 0, 0, 0, 0, time.UTC)
		list = append(list, dtm.Forecast{Step: "month", By: "point", Key: "obock", Origin: at, Target: at, Ahead: 1, Release: "2022-1" + fmt.Sprint(k), Model: "theta", Mean: 1100, Lo80: 1000, Hi80: 1200, Lo95: 900, Hi95: 1300})
	}
	list = append(list, dtm.Forecast{Step: "month", By: "point", Key: "galafi", Origin: made, Target: time.Date(2022, 12, 1, 0, 0, 0, 0, time.UTC), Ahead: 1, Model: "theta"})
	if _, err := db.KeepForecasts(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	s := factsServed(t, op, history(op), time.Date(2023, 1, 3, 0, 0, 0, 0, time.UTC), func(o *web.Options) { o.Forecasts = stamped{db, time.Date(2022, 11, 2, 0, 0, 0, 0, time.UTC)} })
	page := func(path string) string {
		t.Helper()
		resp, body := get(t, s.URL+path)
		doc, err := goquery.NewDocumentFromReader(strings.NewReader(body))
		if err != nil || resp.StatusCode != 200 {
			t.Fatal(path, resp.Status, err)
		}
		return doc.Find("main").Text()
	}
	text := page("/en/outlook/archive/?place=point:obock")
	for _, want := range []string{"November 2022", "outside", "2 held against a count", "2022-11", "0%"} {
		if !strings.Contains(text, want) {
			t.Errorf("the archive lacks %q: %.900s", want, text)
		}
	}
	// What is withheld is not known, here too.
	if text := page("/fr/outlook/archive/?place=point:galafi"); !strings.Contains(text, "pas encore connu") {
		t.Errorf("a withheld count: %.600s", text)
	}
	if text := page("/en/outlook/archive/?place=point:nowhere"); !strings.Contains(text, "No forecast is kept") {
		t.Errorf("no series: %.300s", text)
	}
	if _, body := get(t, s.URL+"/en/outlook/archive.csv"); strings.Count(body, "\n") != 4 || !strings.Contains(body, "month,point,obock,2022-12-01,1,") {
		t.Errorf("csv: %s", body)
	}
	if text := page("/en/outlook/?step=week"); !strings.Contains(text, "no published") {
		t.Errorf("weeks of history that knows months: %.300s", text)
	}
	if resp, _ := get(t, s.URL+"/en/outlook/?step=day"); resp.StatusCode != 400 {
		t.Errorf("days: %d", resp.StatusCode)
	}
}

// stamped is the archive with forecasts made at a time.
type stamped struct {
	kept dtm.Forecasts
	at   time.Time
}

func (s stamped) KeepForecasts(ctx context.Context, list []dtm.Forecast) (int, error) {
	return s.kept.KeepForecasts(ctx, list)
}

func (s stamped) Forecasts(ctx context.Context, step string) ([]dtm.Forecast, error) {
	list, err := s.kept.Forecasts(ctx, step)
	for i := range list {
		list[i].Made = s.at
	}
	return list, err
}
