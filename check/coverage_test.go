package check_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"dtm"
	"dtm/check"
)

func on(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

var eat = time.FixedZone("EAT", 3*3600)

func planned(code, days, from, to string) dtm.Point {
	p, err := dtm.NewPlan(days, from, to)
	if err != nil {
		panic(err)
	}
	return dtm.Point{Code: code, Status: []dtm.Dated{{From: on("2024-01-01"), Value: dtm.Open}}, Plans: []dtm.Since[dtm.Plan]{{Value: p}}}
}

// TestSilentToday: an alert comes an hour after the planned end, not before, not for
// days that are free or on which the point is closed, and not when records came.
func TestSilentToday(t *testing.T) {
	t.Parallel()
	gate := planned("gate", "daily", "06:00", "18:00")
	closed := planned("closed", "daily", "06:00", "18:00")
	closed.Status = append(closed.Status, dtm.Dated{From: on("2024-06-05"), Value: dtm.Closed})
	night := planned("night", "daily", "18:00", "06:00")
	free := planned("free", "mon-fri", "06:00", "18:00") // 8 June 2024 is a Saturday
	unplanned := dtm.Point{Code: "unplanned"}
	points := []dtm.Point{gate, closed, night, free, unplanned}
	day := on("2024-06-08")
	at := func(hour, minute int) time.Time { return time.Date(2024, 6, 8, hour, minute, 0, 0, eat) }
	for _, c := range []struct {
		name string
		now  time.Time
		came []dtm.PointDay
		want []string
	}{
		{"while it is observed", at(12, 0), nil, nil},
		{"at its end", at(18, 0), nil, nil},
		{"just before", at(18, 59), nil, nil},
		{"an hour after", at(19, 0), nil, []string{"gate/2024-06-08"}},
		{"records came", at(19, 0), []dtm.PointDay{{Point: "gate", Day: day, Records: 1}}, nil},
		{"records of another point", at(19, 0), []dtm.PointDay{{Point: "closed", Day: day, Records: 1}}, []string{"gate/2024-06-08"}},
		{"the night ends the day after", at(24+6, 59), nil, []string{"gate/2024-06-08"}},
		{"and is over an hour later", at(24+7, 0), nil, []string{"gate/2024-06-08", "night/2024-06-08"}},
	} {
		var got []string
		for _, s := range check.SilentToday(points, c.came, day, eat, c.now) {
			got = append(got, s.ID())
		}
		if len(got) != len(c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
			continue
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%s: %q, want %q", c.name, got, c.want)
			}
		}
	}
}

func TestCoverage(t *testing.T) {
	t.Parallel()
	p := planned("gate", "mon-fri", "06:00", "18:00")
	p.Status = append(p.Status, dtm.Dated{From: on("2024-06-13"), Value: dtm.Closed})
	came := []dtm.PointDay{
		{Point: "gate", Day: on("2024-06-10"), Records: 5, Hours: 4}, // Monday
		{Point: "gate", Day: on("2024-06-09"), Records: 2, Hours: 2}, // Sunday: not planned
		{Point: "gate", Day: on("2024-06-14"), Records: 1, Hours: 1}, // closed
	}
	now := time.Date(2024, 6, 12, 12, 0, 0, 0, eat)
	c := check.Coverage([]dtm.Point{p}, came, nil, dtm.Period{From: on("2024-06-08"), To: on("2024-06-16")}, eat, now)[0]
	want := []check.DayState{check.DayFree, check.DayObserved, check.DayObserved, check.DaySilent, check.DayPending, check.DayClosed, check.DayObserved, check.DayClosed}
	for i, d := range c.Days {
		if d.State != want[i] {
			t.Errorf("%s is %s, want %s", d.Day.Format(time.DateOnly), d.State, want[i])
		}
	}
	if share, ok := c.Share(); c.Expected != 2 || c.Observed != 1 || c.Silent != 1 || c.Extra != 2 || c.Records != 8 || c.PlannedHours != 24 || c.ObservedHours != 4 || !ok || share != 50 {
		t.Errorf("%+v, %v", c, share)
	}
	// Without a plan, open days are expected; their hours are not.
	bare := dtm.Point{Code: "gate"}
	c = check.Coverage([]dtm.Point{bare}, came, nil, dtm.Period{From: on("2024-06-09"), To: on("2024-06-12")}, eat, now)[0]
	if c.Expected != 3 || c.Observed != 2 || c.PlannedHours != 0 || c.ObservedHours != 0 {
		t.Errorf("without a plan: %+v", c)
	}
	// Of a month that history knows as a month, days without records are not known: no
	// share is given. Imported days are observed, without records or hours.
	june := map[string][]dtm.Month{"gate": {dtm.MonthOf(on("2024-06-01"))}}
	c = check.Coverage([]dtm.Point{bare}, came, june, dtm.Period{From: on("2024-06-09"), To: on("2024-06-12")}, eat, now)[0]
	if _, ok := c.Share(); ok || c.Unknown != 1 || c.Silent != 0 || c.Observed != 2 || c.Days[2].State != check.DayUnknown {
		t.Errorf("of a month known as a month: %+v", c)
	}
	c = check.Coverage([]dtm.Point{p}, []dtm.PointDay{{Point: "gate", Day: on("2024-06-10"), History: true}}, nil, dtm.Period{From: on("2024-06-10"), To: on("2024-06-12")}, eat, now)[0]
	if c.Expected != 2 || c.Observed != 1 || c.Records != 0 || c.PlannedHours != 12 || !c.Days[0].History {
		t.Errorf("imported: %+v", c)
	}
}

// However the register and the records lie: every day has one state, the sums are
// those of the days, and a day on which the point is closed is never silent.
func TestCoverageSums(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(7, 8))
	for range 200 {
		p := dtm.Point{Code: "gate", Status: []dtm.Dated{{From: on("2024-01-01").AddDate(0, 0, r.IntN(20)), Value: dtm.Open}}}
		if r.IntN(2) == 0 {
			p.Status = append(p.Status, dtm.Dated{From: on("2024-01-21").AddDate(0, 0, r.IntN(20)), Value: dtm.Closed})
		}
		if r.IntN(2) == 0 {
			p.Plans = []dtm.Since[dtm.Plan]{{From: on("2024-01-10"), Value: dtm.Plan{Days: dtm.Weekdays(1 + r.IntN(127)), Start: 6 * time.Hour, End: time.Duration(1+r.IntN(24)) * time.Hour}}}
		}
		var came []dtm.PointDay
		for i := range 40 {
			if r.IntN(3) == 0 {
				came = append(came, dtm.PointDay{Point: "gate", Day: on("2024-01-01").AddDate(0, 0, i), Records: 1 + r.IntN(5), Hours: r.IntN(12)})
			}
		}
		now := on("2024-01-01").Add(time.Duration(r.IntN(40*24)) * time.Hour)
		c := check.Coverage([]dtm.Point{p}, came, nil, dtm.Period{From: on("2024-01-01"), To: on("2024-02-10")}, eat, now)[0]
		n := map[check.DayState]int{}
		for _, d := range c.Days {
			n[d.State]++
			if d.State == check.DaySilent && (!p.OpenOn(d.Day) || d.Day.After(now)) || d.Records > 0 != (d.State == check.DayObserved) {
				t.Fatalf("%s of %+v is %s", d.Day, p, d.State)
			}
		}
		if len(c.Days) != 40 || c.Silent != n[check.DaySilent] || c.Observed+c.Extra != n[check.DayObserved] || c.Expected != c.Observed+c.Silent || c.ObservedHours > c.PlannedHours {
			t.Fatalf("%+v, %v", c, n)
		}
		for _, s := range check.SilentToday([]dtm.Point{p}, came, on("2024-01-01"), eat, now) {
			if d := c.Days[int(s.Day.Sub(on("2024-01-01")).Hours()/24)]; d.State != check.DaySilent {
				t.Fatalf("an alert for %s, which is %s", s.ID(), d.State)
			}
		}
	}
}
