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

// TestHard: days unlike the others are found where a smooth line would bend to them,
// beside a gap and beside another; a level that scatters is found from eight weeks; and
// a group seen twice although its composition is a common one, by where it goes and why.
func TestHard(t *testing.T) {
	t.Parallel()
	rules, missed := check.Built(), 0
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 12))
		// The sum of a few groups each: its spread is that of its size.
		scattered := func(level float64) int { return int(level * math.Exp(0.8*r.NormFloat64())) }
		days, last := map[time.Time]int{}, someday.AddDate(0, 0, 150)
		for k := range 364 {
			if d := someday.AddDate(0, 0, k); k <= 150 || k > 159 {
				days[d] = scattered(60)
			}
		}
		first, second := someday.AddDate(0, 0, 260), someday.AddDate(0, 0, 262)
		days[last], days[first], days[second] = 900, 900, 3000
		found := map[time.Time]bool{}
		for _, f := range rules.Outliers(check.Series{"a": days}, stat.Regular) {
			found[f.Day] = found[f.Day] || f.Rule == "day.outlier"
		}
		for _, d := range []time.Time{last, first, second} {
			if !found[d] {
				missed++
				t.Logf("seed %d: %s with %d people is not found", seed, d.Format("01-02"), days[d])
			}
		}
		from, shifted := someday.AddDate(0, 0, 180), map[time.Time]int{}
		for k := range 364 {
			d, level := someday.AddDate(0, 0, k), 20.
			if !d.Before(from) {
				level = 75
			}
			if r.IntN(4) > 0 {
				shifted[d] = scattered(level)
			}
		}
		list := rules.Shifts(check.Series{"a": shifted})
		if len(list) != 1 || list[0].Day.Sub(from).Abs() > 14*24*time.Hour {
			t.Errorf("seed %d: a level of 20 that becomes 75: %+v", seed, list)
		}
	}
	if missed > 3 { // of 60: the gap may follow days that rise
		t.Errorf("%d days unlike the others are not found", missed)
	}
	group := func(id, point string, at time.Time, reason string) *check.Record {
		return &check.Record{ID: id, Point: point, Observed: at.Truncate(24 * time.Hour), Start: at, End: at.Add(time.Minute), Received: at.Add(time.Hour),
			Rows: []dtm.Movement{{Point: point, People: 15, Sex: "male", Age: "adults", Nationality: "ETH", Previous: "ETH", Next: "YEM", Reasons: []string{reason}}}}
	}
	var records []*check.Record
	for k := range 50 { // one a week, at two points in turn
		records = append(records, group(fmt.Sprint(k), []string{"a", "b"}[k%2], someday.AddDate(0, 0, 7*k).Add(8*time.Hour), "economic"))
	}
	at := someday.AddDate(0, 0, 100).Add(8 * time.Hour)
	records = append(records, group("once", "a", at, "conflict"), group("twice", "b", at.Add(12*time.Hour), "conflict"))
	var twice []string
	for _, f := range rules.Duplicates(records) {
		twice = append(twice, f.Record)
	}
	if !slices.Equal(twice, []string{"twice"}) {
		t.Errorf("seen twice: %v", twice)
	}
}
