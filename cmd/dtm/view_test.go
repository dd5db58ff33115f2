package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"dtm"
)

// TestPartnerViews: each of the eight partners has a view whose every table is published;
// a link shows it without an account until it is over or the agreement has ended.
func TestPartnerViews(t *testing.T) {
	t.Parallel()
	d := newTold(t)
	d.on("2023-01-05 10:00")
	for _, code := range []string{"onars", "insd", "unicef", "unhcr", "wfp", "unops", "icrc", "drc"} {
		tables := 0
		for _, p := range d.op.Partners {
			if p.Code != code {
				continue
			}
			for _, x := range p.View {
				m := dtm.Month{Year: 2022, Month: time.December}
				if _, err := d.public.Table(t.Context(), dtm.Query{Indicator: x.Indicator, Period: dtm.Months(m.Add(1-x.Months), m), By: x.By, Where: x.Where}); err != nil {
					t.Errorf("%s %+v: %v", code, x, err)
				}
				tables++
			}
		}
		if tables < 4 {
			t.Errorf("%s has %d tables", code, tables)
		}
	}
	pages, err := d.pages()
	if err != nil {
		t.Fatal(err)
	}
	ask := func(path string) (int, string) {
		w := httptest.NewRecorder()
		guarded(pages).ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w.Code, w.Body.String()
	}
	token, err := d.shareView(dtm.ViewLink{Partner: "unicef", Until: d.clock().Add(24 * time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	code, body := ask("/en/shared/" + token + "?month=2022-12")
	if code != 200 || !strings.Contains(body, "UNICEF") || strings.Count(body, `class="panel"`) < 4 || strings.Contains(body, "/staff/view/") {
		t.Errorf("%d\n%.3000s", code, body)
	}
	flipped := []byte(token)
	flipped[len(flipped)/2] ^= 1
	if code, _ := ask("/en/shared/" + string(flipped)); code != 404 {
		t.Errorf("a token that was changed: %d", code)
	}
	d.on("2023-01-06 10:01")
	if code, body := ask("/en/shared/" + token); code != http.StatusGone || strings.Contains(body, `class="panel"`) {
		t.Errorf("when it is over: %d", code)
	}
	token, err = d.shareView(dtm.ViewLink{Partner: "unicef", Until: d.clock().Add(24 * time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	list, err := d.db.Agreements(t.Context(), "unicef")
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	if err := d.db.EndAgreement(t.Context(), list[0].ID, "test"); err != nil {
		t.Fatal(err)
	}
	if code, body := ask("/en/shared/" + token); code != 200 || strings.Contains(body, `class="panel"`) {
		t.Errorf("when the agreement has ended: %d", code)
	}
	// An agreement about one region shows that region alone.
	day := func(y int) time.Time { return time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC) }
	if _, err := d.db.AddAgreement(t.Context(), dtm.Agreement{Partner: "unops", Kind: dtm.AgreementFigures, Purpose: "x", Areas: []string{"DJ01"}, From: day(2022), To: day(2024)}); err != nil {
		t.Fatal(err)
	}
	if token, err = d.shareView(dtm.ViewLink{Partner: "unops", Until: d.clock().Add(24 * time.Hour)}); err != nil {
		t.Fatal(err)
	}
	code, body = ask("/en/shared/" + token + "?month=2022-12")
	if code != 200 || !strings.Contains(body, "5,000") || strings.Contains(body, "2,500") || strings.Contains(body, "7,507") {
		t.Errorf("one region: %d\n%.3000s", code, body)
	}
}
