package warehousetest

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"dtm"
)

// dataDir is where the real history lies, outside the project: it may not be
// copied into it. Tests run in the folder of their package.
const dataDir = "../../../../shared/data/movements"

// NeedData returns the folder of the real history. A machine without it skips;
// under CI it fails.
func NeedData(t testing.TB) string {
	t.Helper()
	if _, err := os.Stat(filepath.Join(dataDir, "published.csv")); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("the real history is not at %s: %v", dataDir, err)
		}
		t.Skipf("the real history is not at %s", dataDir)
	}
	return dataDir
}

// Djibouti is enough of the operation to reproduce what was published: the points
// of the history with their regions, the coastal exit points, and how changes on
// the previous month were computed.
func Djibouti() *dtm.Operation {
	day := func(y, m int) time.Time { return time.Date(y, time.Month(m), 1, 0, 0, 0, 0, time.UTC) }
	role := func(r string) []dtm.Dated { return []dtm.Dated{{Value: r}} }
	op := &dtm.Operation{
		Code:     "djibouti",
		Country:  "DJI",
		Baseline: dtm.Baseline{Period: dtm.Months(dtm.Month{Year: 2019, Month: 3}, dtm.Month{Year: 2020, Month: 2})},
		ChangeBasis: []dtm.Dated{
			{Value: "total"},
			{From: day(2020, 7), Value: "daily_average"},
			{From: day(2022, 1), Value: "total"},
		},
		Areas: []dtm.Area{{Code: "DJ01", Level: 1}, {Code: "DJ02", Level: 1}},
		Indicators: []dtm.DerivedIndicator{
			{ID: "obock_movements", Base: "total_movements", Where: map[string][]string{"region": {"DJ01"}}},
			{ID: "obock_share_pct", Base: "movement_share_pct", Where: map[string][]string{"region": {"DJ01"}}},
			{ID: "obock_yemen_to_ethiopia", Base: "total_movements", Where: map[string][]string{"region": {"DJ01"}, "previous": {"YEM"}, "next": {"ETH"}}},
			{ID: "entries_from_ethiopia", Base: "entries", Where: map[string][]string{"previous": {"ETH"}}},
			{ID: "entries_from_ethiopia_change_pct", Base: "entries_change_pct", Where: map[string][]string{"previous": {"ETH"}}},
			{ID: "returns_from_yemen", Base: "returns", Where: map[string][]string{"previous": {"YEM"}}},
			{ID: "returns_from_yemen_change_pct", Base: "returns_change_pct", Where: map[string][]string{"previous": {"YEM"}}},
		},
	}
	p := dtm.Months(dtm.Month{Year: 2019, Month: 3}, dtm.Month{Year: 2020, Month: 2})
	op.Indicators = append(op.Indicators, dtm.DerivedIndicator{ID: "pre_covid_daily_average", Base: "daily_average", Period: &p})
	for _, e := range []struct{ code, name, area, role string }{
		{"OBO", "Obock", "DJ01", dtm.RoleExit}, {"TAD", "Tadjourah", "DJ02", dtm.RoleExit},
		{"FON", "Fontehero", "DJ01", dtm.RoleTransit}, {"GOD", "Godoria", "DJ01", dtm.RoleTransit},
		{"YOB", "Yoboki", "", dtm.RoleTransit}, {"ALI", "Ali-Sabieh (Ancienne Gare)", "", dtm.RoleEntry},
		{"DIK", "Dikhil", "", dtm.RoleTransit}, {"GAL", "Galafi (DJI)", "", dtm.RoleEntry}, {"BAL", "Balho", "", dtm.RoleEntry},
		{"HOL", "Holl Holl", "", dtm.RoleTransit}, {"GUE", "Gueliléh", "", dtm.RoleEntry}, {"GUA", "Guaherre", "", dtm.RoleTransit},
		{"ARO", "Ar Oussa", "", dtm.RoleTransit}, {"PK9", "PK9", "", dtm.RoleTransit}, {"BAD", "Badaf", "", dtm.RoleTransit},
		{"ORO", "Orobor", "", dtm.RoleTransit}, {"LOY", "Loyada", "", dtm.RoleEntry}, {"ASS", "Assamo", "", dtm.RoleEntry},
		{"KAL", "Kalakanley", "", dtm.RoleTransit}, {"PK51", "PK51", "", dtm.RoleTransit}, {"ADD", "Ali Adde", "", dtm.RoleTransit},
		{"ISS", "Issy", "", dtm.RoleTransit},
	} {
		op.Points = append(op.Points, dtm.Point{Code: e.code, Name: dtm.Text{dtm.English: e.name}, Area: e.area, Role: role(e.role)})
	}
	return op
}

// History reads a file of the consolidated registry, by sex and age or by
// nationality: enough of it for these tests; package bulk is the importer.
func History(t testing.TB, op *dtm.Operation, name string) []dtm.Movement {
	t.Helper()
	rows, err := history(op, filepath.Join(NeedData(t), name))
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func history(op *dtm.Operation, path string) (out []dtm.Movement, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	r := csv.NewReader(f)
	head, err := r.Read()
	if err != nil {
		return nil, err
	}
	at := map[string]int{}
	for i, h := range head {
		at[h] = i
	}
	for {
		rec, err := r.Read()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		get := func(c string) string {
			if i, ok := at[c]; ok {
				return rec[i]
			}
			return ""
		}
		month, err := dtm.ParseMonth(get("month"))
		if err != nil {
			return nil, err
		}
		n, err := strconv.Atoi(get("n"))
		if err != nil {
			return nil, err
		}
		point, _ := op.ResolvePoint(get("fmp"))
		m := dtm.Movement{
			Observed: month.First(), MonthOnly: true, Point: point, PointText: get("fmp"),
			Route: get("route"), Subroute: get("subroute"), Direction: get("movement"),
			Origin: get("origin"), Previous: get("previous"), Next: get("next"), Final: get("final"),
			Nationality: get("nat"), Sex: get("sex"), Age: get("age"), People: n,
			Breakdown: dtm.BySexAge,
		}
		if _, ok := at["nat"]; ok {
			m.Breakdown = dtm.ByNationality
		}
		for _, h := range head {
			if code, ok := strings.CutPrefix(h, "reason_"); ok && get(h) == "1" {
				m.Reasons = append(m.Reasons, code)
			}
		}
		sort.Strings(m.Reasons)
		if u := get("uac"); u != "" {
			k, err := strconv.Atoi(u)
			if err != nil {
				return nil, err
			}
			m.Vulnerable = []dtm.Vulnerable{{Code: "uac", People: k}}
		}
		key := m
		key.People, key.Vulnerable = 0, nil
		m.Source = fmt.Sprint(key)
		out = append(out, m)
	}
}
