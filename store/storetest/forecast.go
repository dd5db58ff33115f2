package storetest

import (
	"testing"
	"time"

	"dtm"
)

// forecasts: kept once for a series and origin, and never changed.
func forecasts(t *testing.T, d Dialect) {
	s, place := d.open(t)
	origin := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	make3 := func(by, key string, origin time.Time, mean float64) (list []dtm.Forecast) {
		for k := range 3 {
			list = append(list, dtm.Forecast{Step: "month", By: by, Key: key, Origin: origin, Target: origin.AddDate(0, k, 0), Ahead: k + 1, Release: "provisional-9-ab", Model: "theta", Mean: mean, Lo80: mean - 10, Hi80: mean + 10.5, Lo95: mean - 20, Hi95: mean + 20})
		}
		return list
	}
	keep := func(list []dtm.Forecast, want int) {
		t.Helper()
		n, err := s.KeepForecasts(ctx, list)
		must(t, err)
		if n != want {
			t.Errorf("kept %d, want %d", n, want)
		}
	}
	keep(append(make3("", "", origin, 100), make3("point", "obock", origin, 50)...), 6)
	keep(append(make3("", "", origin, 999), make3("point", "galafi", origin, 70)...), 3)
	keep(make3("", "", origin.AddDate(0, 1, 0), 120), 3)
	keep(nil, 0)
	must(t, s.Close())
	s = d.openAt(t, place)
	list, err := s.Forecasts(ctx, "month")
	must(t, err)
	if len(list) != 12 {
		t.Fatalf("%d forecasts", len(list))
	}
	if f := list[0]; !f.Origin.Equal(origin.AddDate(0, 1, 0)) || f.Mean != 120 {
		t.Errorf("the latest origin is not first: %+v", f)
	}
	if f := list[3]; f.By != "" || f.Mean != 100 || f.Hi80 != 110.5 || f.Ahead != 1 || f.Made.IsZero() || f.Release != "provisional-9-ab" || f.Model != "theta" {
		t.Errorf("what was kept first: %+v", f)
	}
	if list, err := s.Forecasts(ctx, "week"); err != nil || list != nil {
		t.Errorf("of weeks: %v, %v", list, err)
	}
	for _, statement := range []string{`UPDATE forecast SET mean = 1`, `DELETE FROM forecast`} {
		if err := d.Protected(t, place, statement); err == nil {
			t.Errorf("%s was allowed", statement)
		}
	}
	if events := allEvents(t, s); len(events) != 3 || events[0].Name != dtm.ForecastsKept || events[0].Subject != "month/2026-12-01" {
		t.Errorf("events %v", names(events))
	}
}
