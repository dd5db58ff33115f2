package warehousetest

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dtm"
	"dtm/analyse/indicator"
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
