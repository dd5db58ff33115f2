package watch

import (
	"encoding/csv"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"dtm"
	"dtm/operation"
)

// real reads the months of 2018 to 2022 that lie beside the project; they are IOM's
// and no part of it. by is a column, or "" for all.
func real(t *testing.T, by string) []Series {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for d := dir; d != filepath.Dir(d); d = filepath.Dir(d) {
		f, err := os.Open(filepath.Join(d, "shared", "data", "movements", "DJI_dmg_2018_2022.csv"))
		if err != nil {
			continue
		}
		defer f.Close()
		rows, err := csv.NewReader(f).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		col := func(name string) int { return slices.Index(rows[0], name) }
		b := &reading{ask: Ask{Step: Month}, period: dtm.Months(dtm.Month{Year: 2018, Month: 1}, dtm.Month{Year: 2022, Month: 12}), effects: pack(t).Calendar, of: map[string]*Series{}}
		for _, r := range rows[1:] {
			m, err := dtm.ParseMonth(r[col("month")])
			if err != nil {
				t.Fatal(err)
			}
			n, err := strconv.ParseFloat(r[col("n")], 64)
			if err != nil {
				t.Fatal(err)
			}
			key := ""
			if by != "" {
				key = r[col(by)]
			}
			s := b.series(key)
			i := b.index(m.First())
			if math.IsNaN(s.Counts[i]) {
				s.Counts[i] = 0
			}
			s.Counts[i] += n
		}
		return b.done()
	}
	if os.Getenv("CI") != "" {
		t.Fatal("shared/data is not beside the project")
	}
	t.Skip("shared/data is not beside the project")
	return nil
}

func pack(t *testing.T) *dtm.Operation {
	t.Helper()
	op, err := operation.Pack("djibouti")
	if err != nil {
		t.Fatal(err)
	}
	return op
}

// The back-test on the months of 2018 to 2022. Nothing tells which of its alarms were
// true: an alarm that stands alone is taken for a false one.
func TestBacktestOnRealMonths(t *testing.T) {
	for _, k := range []struct {
		by    string
		alone float64 // at most, per year and series
		found float64 // of surges of three months that double the counts, at least
	}{{"", 0.25, 0.6}, {"fmp", 0.5, 0.45}, {"route", 0.25, 0.3}} {
		var all Backtest
		planted := Planted{Factor: 2}
		for _, s := range real(t, k.by) {
			b, err := s.Backtest(Settings{})
			if err != nil {
				t.Fatal(err)
			}
			all = all.Add(b)
			p, err := s.Plant(Settings{}, 2, 3, 1)
			if err != nil {
				t.Fatal(err)
			}
			planted = planted.Add(p)
		}
		t.Logf("by %q: %d months judged %v, %d alarms (%.2f a year and series), %d alone (%.2f); of surges x2 for three months %d of %d found, after %.2f months",
			k.by, all.Tested, all.Methods, len(all.Raised), all.PerYear(), all.Alone, all.AlonePerYear(), planted.Found, planted.Surges, planted.Delay())
		if all.AlonePerYear() > k.alone || planted.Share() < k.found || planted.Delay() > 1 {
			t.Errorf("by %q: worse than it was", k.by)
		}
		if k.by == "" && (len(all.Raised) != 3 || Month.Name(all.Raised[0].Start) != "2022-05") {
			t.Errorf("alarms of all points: %v", all.Raised)
		}
	}
}

// The rolling origin on the months of 2018 to 2022: less error than the seasonal naive
// forecast, and 70 to 90 % of counts in the 80 % interval.
func TestOutlookOnRealMonths(t *testing.T) {
	for _, by := range []string{"", "route", "fmp"} {
		var errs, naive, in80, in95, n float64
		for _, s := range real(t, by) {
			o, err := s.Look(3)
			if dtm.KindOf(err) == dtm.Invalid {
				continue // too short
			}
			if err != nil {
				t.Fatal(err)
			}
			for i, c := range o.Scores {
				w := float64(c.N)
				if i == 0 {
					errs, in80, in95, n = errs+w*c.MAE, in80+w*c.Coverage80, in95+w*c.Coverage95, n+w
				}
				if c.Model == SeasonalNaive {
					naive += w * c.MAE
				}
				if by == "" {
					t.Logf("%-15s mean absolute error %.0f, %.2f of the seasonal naive; in the 80 %% interval %.0f %%, in the 95 %% one %.0f %%, of %d", c.Model, c.MAE, c.Ratio, 100*c.Coverage80, 100*c.Coverage95, c.N)
				}
			}
		}
		t.Logf("by %q: error %.2f of the seasonal naive; in the 80 %% interval %.1f %%, in the 95 %% one %.1f %%, of %v", by, errs/naive, 100*in80/n, 100*in95/n, n)
		if errs >= naive || in80/n < 0.7 || in80/n > 0.9 {
			t.Errorf("by %q: not as it must be", by)
		}
	}
}

// Weeks that were made up, with surges that were put in.
func TestBacktestOnInventedWeeks(t *testing.T) {
	for _, k := range []struct {
		method          Method
		found, a, delay float64
	}{{Auto, 0.85, 1, 1}, {C2, 0.4, 4, 1}} {
		tally, err := Trial(Week, Settings{Method: k.method}, 3, 1.5, pack(t).Calendar)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d of %d surges x1.5 found, after %.2f weeks, %.2f false alarms a year", k.method, tally.Found, tally.Surges, tally.Delay(), tally.FalsePerYear())
		if tally.Share() < k.found || tally.FalsePerYear() > k.a || tally.Delay() > k.delay {
			t.Errorf("%s: worse than it was", k.method)
		}
	}
}

// Weeks have too many seasons for the models: they are taken out first.
func TestOutlookOnInventedWeeks(t *testing.T) {
	s := Invent(Week, 3, 5, 400, 1, nil).Series
	o, err := s.Look(4)
	if err != nil {
		t.Fatal(err)
	}
	c := o.Scores[0]
	t.Logf("%s: %.2f of the seasonal naive, %.0f %% in the 80 %% interval of %d", c.Model, c.Ratio, 100*c.Coverage80, c.N)
	if c.Ratio >= 1 || c.Coverage80 < 0.7 || c.Coverage80 > 0.9 {
		t.Errorf("%+v", c)
	}
}
