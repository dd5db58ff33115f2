package warehousetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dtm"
	"dtm/analyse/indicator"
	"dtm/analyse/warehouse"
)

func civil(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

// runRegister checks that facts and figures follow the dated register of points.
func runRegister(t *testing.T, open Open) {
	// A point gets another role from a day: entries change from that day on, and not
	// before; undone, they are what they were.
	t.Run("Role", func(t *testing.T) {
		t.Parallel()
		op, log := Operation(), NewLog()
		w := open(t, op)
		l := log.Loader(op, w)
		e, err := indicator.New(op, w)
		if err != nil {
			t.Fatal(err)
		}
		entries := func(period string, by ...string) string {
			t.Helper()
			from, to, _ := strings.Cut(period, "..")
			p, err := dtm.ParsePeriod(from, to)
			if err != nil {
				t.Fatal(err)
			}
			tab, err := e.Table(t.Context(), dtm.Query{Indicator: "entries_from_bel", Period: p, By: by})
			if err != nil {
				t.Fatal(err)
			}
			var out []string
			for _, f := range tab.Figures {
				out = append(out, strings.TrimSpace(strings.Join(f.Keys, " ")+fmt.Sprintf(" %g", *f.Value)))
			}
			return strings.Join(out, ", ")
		}
		for d := civil("2024-01-01"); d.Before(civil("2024-04-01")); d = d.AddDate(0, 0, 1) {
			day := d.Format(time.DateOnly)
			log.Submit("gate"+day, "", row("GATE", day, "male", 2))
			log.Submit("road"+day, "", row("ROAD", day, "male", 5))
		}
		MustCatchUp(t, l)
		const before = "2024-01 217, 2024-02 203, 2024-03 217"
		if got := entries("2024-01..2024-03", "month"); got != before {
			t.Fatalf("before: %s", got)
		}
		seq := log.Change(dtm.PointChange{Point: "ROAD", Kind: dtm.PointRoleSet, From: civil("2024-02-11"), Role: dtm.RoleExit})
		MustCatchUp(t, l)
		if got, want := entries("2024-01..2024-03", "month"), "2024-01 217, 2024-02 108, 2024-03 62"; got != want {
			t.Errorf("from 11 February: %s, want %s", got, want)
		}
		if got, want := entries("2024-02-10..2024-02-11", "day"), "2024-02-10 7, 2024-02-11 2"; got != want {
			t.Errorf("by day: %s, want %s", got, want)
		}
		// What comes later counts by the role of its day too.
		log.Submit("late", "", row("ROAD", "2024-02-10", "female", 100))
		log.Submit("late2", "", row("ROAD", "2024-02-12", "female", 100))
		MustCatchUp(t, l)
		if got, want := entries("2024-02"), "208"; got != want {
			t.Errorf("with late records: %s, want %s", got, want)
		}
		log.Change(dtm.PointChange{Point: "ROAD", Kind: dtm.PointUndone, Undoes: seq})
		MustCatchUp(t, l)
		if got, want := entries("2024-01..2024-03", "month"), "2024-01 217, 2024-02 403, 2024-03 217"; got != want {
			t.Errorf("undone: %s, want %s", got, want)
		}
	})

	// A point that closes in the middle of a month is no drop of the panel's trend.
	t.Run("Panel", func(t *testing.T) {
		t.Parallel()
		op, log := Operation(), NewLog()
		w := open(t, op)
		l := log.Loader(op, w)
		e, err := indicator.New(op, w)
		if err != nil {
			t.Fatal(err)
		}
		panel := func() string {
			t.Helper()
			tab, err := e.Table(t.Context(), dtm.Query{Indicator: "panel_movements", Period: dtm.Months(dtm.Month{Year: 2024, Month: 1}, dtm.Month{Year: 2024, Month: 3})})
			if err != nil {
				t.Fatal(err)
			}
			out := tab.Basis
			for _, f := range tab.Figures {
				out += fmt.Sprintf(" %g", *f.Value)
			}
			return out
		}
		for d := civil("2024-01-01"); d.Before(civil("2024-04-01")); d = d.AddDate(0, 0, 1) {
			day := d.Format(time.DateOnly)
			log.Submit("gate"+day, "", row("GATE", day, "male", 2))
			if d.Before(civil("2024-03-04")) {
				log.Submit("road"+day, "", row("ROAD", day, "male", 5))
			}
		}
		MustCatchUp(t, l)
		if got, want := panel(), "constant_panel:2 217 203 77"; got != want {
			t.Fatalf("nothing said: %s, want %s", got, want)
		}
		log.Change(dtm.PointChange{Point: "ROAD", Kind: dtm.PointOpened, From: civil("2020-01-01")})
		log.Change(dtm.PointChange{Point: "ROAD", Kind: dtm.PointClosed, From: civil("2024-03-04")})
		MustCatchUp(t, l)
		if got, want := panel(), "constant_panel:1 62 58 62"; got != want {
			t.Errorf("closed from 4 March: %s, want %s", got, want)
		}
	})

	// However changes and facts come in turn, the facts are those of a fresh load.
	t.Run("AsFresh", func(t *testing.T) {
		t.Parallel()
		for seed := range uint64(3) {
			r := rand.New(rand.NewPCG(seed, 9))
			op, log := Operation(), NewLog()
			w := open(t, op)
			l := log.Loader(op, w)
			l.Limit = 7
			var changes []int64
			codes := []string{"GATE", "ROAD", "PORT", "WELL"}
			for i := range 60 {
				day := civil("2022-01-15").AddDate(0, 0, r.IntN(120))
				code := codes[r.IntN(len(codes))]
				c := dtm.PointChange{Point: code, From: civil("2022-02-01").AddDate(0, 0, r.IntN(80))}
				switch r.IntN(8) {
				case 0:
					c.Kind, c.Role = dtm.PointRoleSet, dtm.Roles[r.IntN(4)]
					changes = append(changes, log.Change(c))
				case 1:
					c.Kind, c.Place = dtm.PointMoved, &dtm.Place{Area: []string{"AL01", "AL02", ""}[r.IntN(3)]}
					changes = append(changes, log.Change(c))
				case 2:
					if len(changes) > 0 {
						c.Kind, c.Undoes = dtm.PointUndone, changes[r.IntN(len(changes))]
						log.Change(c)
					}
				case 3:
					m := row("", day.Format(time.DateOnly), "male", 1+r.IntN(9))
					m.PointText = []string{"Old Mill", "The Gate", "Road"}[r.IntN(3)]
					m.Source += m.PointText
					log.Import(m)
				default:
					m := row(code, day.Format(time.DateOnly), "female", 1+r.IntN(9))
					m.Vulnerable = []dtm.Vulnerable{{Code: "medical", People: 1}}
					log.Submit(fmt.Sprint(i), "", m)
				}
				if i == 40 {
					changes = append(changes, log.Change(dtm.PointChange{Point: "WELL", Kind: dtm.PointAliased, Alias: "Old mill"}))
				}
				if r.IntN(4) == 0 {
					MustCatchUp(t, l)
				}
			}
			MustCatchUp(t, l)
			fresh := Operation()
			f := open(t, fresh)
			MustCatchUp(t, log.Loader(fresh, f))
			if d := cmp.Diff(Facts(t, f), Facts(t, w)); d != "" {
				t.Errorf("seed %d: facts differ from a fresh load:\n%s", seed, d)
			}
		}
	})
}

// runArrivals checks what is told of how records came.
func runArrivals(t *testing.T, open Open) {
	op, log := Operation(), NewLog()
	w := open(t, op)
	l := log.Loader(op, w)
	delays := map[string]int{"a": 10, "b": 20, "c": 30, "d": 120, "e": -1}
	hours := map[string]int{"a": 6, "b": 6, "c": 7, "d": -1, "e": 9}
	l.Arrival = func(_ context.Context, s dtm.Submission, rows []dtm.Movement) *warehouse.Arrival {
		return &warehouse.Arrival{Device: "phone-" + s.ID[:1], Observed: rows[0].Observed, Point: rows[0].Point, Received: rows[0].Observed.Add(time.Duration(hours[s.ID]+1) * time.Hour),
			Hour: hours[s.ID], Delay: delays[s.ID], Positioned: s.ID != "a", Lon: 42.5, Lat: 11.5}
	}
	for _, id := range []string{"a", "b", "c"} {
		log.Submit(id, "", row("GATE", "2024-01-05", "male", 1))
	}
	log.Submit("d", "", row("GATE", "2024-01-06", "male", 1))
	log.Submit("e", "", row("ROAD", "2024-01-06", "male", 0))
	log.Import(row("PORT", "2024-01-06", "male", 7)) // history does not arrive
	MustCatchUp(t, l)
	e, err := indicator.New(op, w)
	if err != nil {
		t.Fatal(err)
	}
	january := dtm.Months(dtm.Month{Year: 2024, Month: 1}, dtm.Month{Year: 2024, Month: 1})
	check := func(what string, got any, err error, want any) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s:\n%s", what, d)
		}
	}
	at := func(day string, hour int) time.Time { return civil(day).Add(time.Duration(hour) * time.Hour) }
	days, err := e.PointDays(t.Context(), january)
	check("days", days, err, []dtm.PointDay{
		{Point: "GATE", Day: civil("2024-01-05"), Records: 3, Hours: 2, First: at("2024-01-05", 7), Last: at("2024-01-05", 8)},
		{Point: "GATE", Day: civil("2024-01-06"), Records: 1, First: civil("2024-01-06"), Last: civil("2024-01-06")},
		{Point: "ROAD", Day: civil("2024-01-06"), Records: 1, Hours: 1, First: at("2024-01-06", 10), Last: at("2024-01-06", 10)},
	})
	senders, err := e.Senders(t.Context(), dtm.Period{From: civil("2024-01-06"), To: civil("2024-01-07")})
	check("senders", senders, err, []dtm.Sender{
		{Point: "GATE", Device: "phone-d", Records: 1, Days: 1, Last: civil("2024-01-06")},
		{Point: "ROAD", Device: "phone-e", Records: 1, Days: 1, Last: at("2024-01-06", 10)},
	})
	took, err := e.Delays(t.Context(), january)
	check("delays", took, err, []dtm.Delay{
		{Records: 4, Median: 25 * time.Minute, P90: 93 * time.Minute},
		{Point: "GATE", Records: 4, Median: 25 * time.Minute, P90: 93 * time.Minute},
	})
	late, err := e.Late(t.Context(), january)
	check("late", late, err, []dtm.Arrived{{Day: civil("2024-01-05"), People: 3}, {Day: civil("2024-01-06"), People: 1}})
	seen, err := e.Sightings(t.Context(), "GATE", january, 2)
	check("sightings", seen, err, []dtm.Sighting{
		{Submission: "d", Device: "phone-d", Day: civil("2024-01-06"), Received: civil("2024-01-06"), Lon: 42.5, Lat: 11.5},
		{Submission: "c", Device: "phone-c", Day: civil("2024-01-05"), Received: at("2024-01-05", 8), Lon: 42.5, Lat: 11.5},
	})
	// What the pages show and the indicator is one figure. Imported days count, though
	// nothing arrived.
	covered, asOf, err := e.Coverage(t.Context(), january)
	if err != nil {
		t.Fatal(err)
	}
	table, err := e.Table(t.Context(), dtm.Query{Indicator: "coverage_days_pct", Period: january, By: []string{"point"}})
	if err != nil || !asOf.Equal(table.Release.At) || len(table.Figures) == 0 {
		t.Errorf("coverage as of %s, the indicator as of %s: %+v, %v", asOf, table.Release.At, table.Figures, err)
	}
	for _, x := range covered {
		i := slices.IndexFunc(table.Figures, func(f dtm.Figure) bool { return f.Keys[0] == x.Point })
		share, ok := x.Share()
		if ok != (i >= 0) || ok && (*table.Figures[i].Value != share || *table.Figures[i].Denominator != float64(x.Expected)) {
			t.Errorf("%s: %d of %d days, %v%%; the indicator has %+v", x.Point, x.Observed, x.Expected, share, table.Figures)
		}
		if x.Point == "PORT" && (x.Observed != 1 || x.Records != 0) {
			t.Errorf("an imported day: %+v", x)
		}
	}
	none, err := e.Delays(t.Context(), dtm.Period{From: civil("2025-01-01"), To: civil("2025-02-01")})
	check("no delays", none, err, []dtm.Delay(nil))
	// What is replaced has not arrived.
	log.Submit("f", "d", row("ROAD", "2024-01-06", "male", 1))
	MustCatchUp(t, l)
	seen, err = e.Sightings(t.Context(), "GATE", january, 1)
	if err != nil || len(seen) != 1 || seen[0].Submission != "c" {
		t.Errorf("after a replacement: %+v, %v", seen, err)
	}
}
