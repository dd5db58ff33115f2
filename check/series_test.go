package check_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"dtm"
	"dtm/analyse/stat"
	"dtm/check"
)

// weeks is a point's year with a week and a trend of its own.
func weeks(seed uint64) map[time.Time]int {
	r := rand.New(rand.NewPCG(seed, 11))
	out := map[time.Time]int{}
	for k := range 364 {
		level := 200 + 60*math.Sin(2*math.Pi*float64(k)/364) + 80*float64(k%7)/6
		out[someday.AddDate(0, 0, k)] = int(level + 12*r.NormFloat64())
	}
	return out
}

// TestSeries: rules over days and months find what is planted in them, on the day on
// which it is, and leave a series with a season and a trend alone.
func TestSeries(t *testing.T) {
	t.Parallel()
	rules := check.Built()
	on := func(list []check.Finding, rule string) (days []string) {
		for _, f := range list {
			if f.Rule == rule {
				days = append(days, f.Day.Format("01-02"))
			}
		}
		return days
	}
	for seed := range uint64(20) {
		if got := rules.Outliers(check.Series{"a": weeks(seed)}, stat.Regular); len(got) > 1 {
			t.Errorf("seed %d: an ordinary year has %d days unlike the others: %+v", seed, len(got), got)
		}
		// The day is ordinary for the busiest day of the week at the year's height, and far
		// too many for the quietest at its lowest: only the remainder tells.
		days := weeks(seed)
		at := someday.AddDate(0, 0, 273)
		days[at] = 340
		list := rules.Outliers(check.Series{"a": days}, stat.Regular)
		for _, rule := range []string{"day.outlier", "day.score"} {
			if got := on(list, rule); !slices.Contains(got, at.Format("01-02")) {
				t.Errorf("seed %d: %s found %v, want %s", seed, rule, got, at.Format("01-02"))
			}
		}
		days = weeks(seed)
		days[at] = 1500
		if got := on(rules.Outliers(check.Series{"a": days}, stat.Regular), "day.range"); !slices.Equal(got, []string{at.Format("01-02")}) {
			t.Errorf("seed %d: day.range found %v", seed, got)
		}
	}
	// device.pace: forty-one groups within an hour are more than one can count.
	var records []*check.Record
	for k := range 45 {
		at := someday.Add(9*time.Hour + time.Duration(k)*70*time.Second)
		records = append(records, &check.Record{ID: fmt.Sprint(k), Device: "d", Point: "a", Observed: someday, Start: at, End: at.Add(time.Minute), Received: at.Add(time.Hour), Answers: fmt.Sprint(k),
			Rows: []dtm.Movement{{Point: "a", People: 3 + k%2, Sex: "male", Age: "adults", Observed: someday}}})
	}
	if got := on(rules.Devices(register(), records), "device.pace"); len(got) != 1 {
		t.Errorf("device.pace found %v", got)
	}
	if got := on(rules.Devices(register(), records[:40]), "device.pace"); len(got) != 0 {
		t.Errorf("device.pace found forty: %v", got)
	}
	// month.range and month.split: ten months of which one is ten times the others, and one
	// that the rows by nationality count otherwise.
	row := func(id string, k, n int, b dtm.Breakdown) *check.Record {
		m := dtm.Month{Year: 2026, Month: time.Month(1 + k)}.First()
		return &check.Record{ID: id, Point: "a", Observed: m, Imported: true, Rows: []dtm.Movement{{Source: id, Point: "a", PointText: "a", Observed: m, MonthOnly: true, Breakdown: b, People: n, Sex: "male", Age: "adults", Previous: "ETH", Next: "YEM", Nationality: "ETH", Reasons: []string{"economic"}}}}
	}
	records = nil
	for k := range 10 {
		n, nat := 400+k, 400+k
		if k == 6 {
			n, nat = 4000, 4000
		}
		if k == 3 {
			nat--
		}
		records = append(records, row(fmt.Sprint("s", k), k, n, dtm.BySexAge), row(fmt.Sprint("n", k), k, nat, dtm.ByNationality))
	}
	list := rules.Months(register(), records, stat.Regular)
	if got := on(list, "month.range"); !slices.Equal(got, []string{"07-01"}) {
		t.Errorf("month.range found %v", got)
	}
	if got := on(list, "month.split"); !slices.Equal(got, []string{"04-01"}) {
		t.Errorf("month.split found %v", got)
	}
}
