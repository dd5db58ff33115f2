package warehousetest

import (
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"dtm"
	"dtm/analyse/indicator"
)

const (
	bySexAge      = "DJI_dmg_2018_2022.csv"
	byNationality = "DJI_nat_2018_2022.csv"
)

// Published loads the real history for op, which is the operation in Djibouti, and
// compares every figure that IOM published and that the files can give.
func Published(t *testing.T, open Open, op *dtm.Operation) {
	dmg, nat := History(t, op, bySexAge), History(t, op, byNationality)
	year := func(a, b int) dtm.Period {
		return dtm.Months(dtm.Month{Year: a, Month: 1}, dtm.Month{Year: b, Month: 12})
	}
	filled := func(t *testing.T, files ...[]dtm.Movement) *indicator.Engine {
		log, w := NewLog(), open(t, op)
		for _, f := range files {
			for part := range slices.Chunk(f, 1000) {
				log.Import(part...)
			}
		}
		MustCatchUp(t, log.Loader(op, w))
		e, err := indicator.New(op, w)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	one := func(t *testing.T, e *indicator.Engine, q dtm.Query) float64 {
		t.Helper()
		tab, err := e.Table(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if len(tab.Figures) != 1 || tab.Figures[0].Value == nil {
			t.Fatalf("%v: want one figure, got %+v %+v", q, tab.Figures, tab.Notes)
		}
		return *tab.Figures[0].Value
	}

	for name, files := range map[string][][]dtm.Movement{
		"sex and age first": {dmg, nat}, "nationality first": {nat, dmg},
		"sex and age alone": {dmg}, "nationality alone": {nat},
	} {
		t.Run("Total "+name, func(t *testing.T) {
			t.Parallel()
			e := filled(t, files...)
			if got := one(t, e, dtm.Query{Indicator: "total_movements", Period: year(2018, 2022)}); got != 952004 {
				t.Errorf("total %v, want 952004", got)
			}
			tab, err := e.Table(t.Context(), dtm.Query{Indicator: "total_movements", Period: year(2018, 2022), By: []string{"nationality"}})
			if err != nil {
				t.Fatal(err)
			}
			var sum float64
			for _, f := range tab.Figures {
				sum += *f.Value
			}
			want := 952004.0
			if len(files) == 1 && name == "sex and age alone" {
				want = 0
				if len(tab.Notes) == 0 {
					t.Error("no note says that nationality was not recorded")
				}
			}
			if sum != want {
				t.Errorf("by nationality the parts add up to %v, want %v", sum, want)
			}
			both, err := e.Table(t.Context(), dtm.Query{Indicator: "total_movements", Period: year(2018, 2022), By: []string{"nationality", "sex"}})
			if err != nil {
				t.Fatal(err)
			}
			if len(both.Figures) != 0 || len(both.Notes) == 0 {
				t.Errorf("nationality and sex together: %d figures and %d notes; the files do not hold them together", len(both.Figures), len(both.Notes))
			}
		})
	}

	t.Run("Figures", func(t *testing.T) {
		t.Parallel()
		e := filled(t, dmg, nat)
		f, err := os.Open(filepath.Join(NeedData(t), "published.csv"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		records, err := csv.NewReader(f).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		matched, other := 0, 0
		for _, r := range records[1:] {
			period, id, value, reproducible := r[0], r[1], r[2], r[4] == "yes"
			got, err := published(t, e, period, id, value)
			switch {
			case reproducible && err != nil:
				t.Errorf("%s %s: published %s: %v", period, id, value, err)
			case reproducible && !same(got, value):
				t.Errorf("%s %s: published %s, computed %v", period, id, value, got)
			case reproducible:
				matched++
			default:
				other++
				if err != nil {
					t.Logf("not reproducible: %s %s: published %s: %v", period, id, value, err)
				} else {
					t.Logf("not reproducible: %s %s: published %s, computed %v", period, id, value, got)
				}
			}
		}
		t.Logf("%d published figures matched, %d are marked not reproducible", matched, other)
		if matched != 91 {
			t.Errorf("matched %d figures, want the 91 that are marked reproducible", matched)
		}
	})
}

// published asks for a figure of the list and rounds it as it was published.
func published(t *testing.T, e *indicator.Engine, period, id, value string) (float64, error) {
	from, to, _ := strings.Cut(period, "..")
	p, err := dtm.ParsePeriod(from, to)
	if err != nil {
		return 0, err
	}
	// In April 2020 the published share of men includes the people of unknown sex.
	if id == "sex_age_share_pct:male_adult" && period == "2020-04" {
		id += "+unknown"
	}
	tab, err := e.Table(t.Context(), dtm.Query{Indicator: id, Period: p})
	if err != nil {
		return 0, err
	}
	if len(tab.Figures) != 1 || tab.Figures[0].Value == nil {
		return 0, fmt.Errorf("%d figures, notes %v", len(tab.Figures), tab.Notes)
	}
	_, decimals, _ := strings.Cut(value, ".")
	i := dtm.Indicator{Decimals: len(decimals)}
	return i.Round(*tab.Figures[0].Value), nil
}

func same(got float64, value string) bool {
	want, err := strconv.ParseFloat(strings.TrimPrefix(value, ">"), 64)
	return err == nil && math.Abs(got-want) < 1e-9
}
