package check_test

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"dtm"
	"dtm/check"
	"dtm/gather/bulk"
	"dtm/operation"
)

// memory keeps the chunks of an import.
type memory struct{ chunks []dtm.Chunk }

func (m *memory) AddChunk(_ context.Context, c dtm.Chunk) (bool, error) {
	m.chunks = append(m.chunks, c)
	return true, nil
}

// history are the real rows of 2018 to 2022 as records.
func history(t *testing.T) (*dtm.Operation, []*check.Record) {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "..", "shared", "data", "movements", "DJI_dmg_2018_2022.csv"))
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("real material is missing: ", err)
	}
	defer f.Close()
	op, err := operation.Pack("djibouti")
	if err != nil {
		t.Fatal(err)
	}
	var m memory
	if _, err := bulk.Import(t.Context(), op, bulk.Source{Name: "f.csv", Data: f}, &m, bulk.Options{Now: time.Now}); err != nil {
		t.Fatal(err)
	}
	var out []*check.Record
	for _, c := range m.chunks {
		rows, err := bulk.Decode(op, c.Data)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			out = append(out, &check.Record{ID: r.Source, Point: r.Point, Observed: r.Observed, Received: c.Imported, Rows: []dtm.Movement{r}})
		}
	}
	return op, out
}

// TestHistory: the known problems of the real data (README there) are found and
// named, and little else.
func TestHistory(t *testing.T) {
	t.Parallel()
	op, records := history(t)
	rules, frame := check.Built(), check.FrameOf(op)
	found := map[string][]string{}
	for _, f := range rules.Months(op, records) {
		found[f.Rule] = append(found[f.Rule], f.Day.Format("2006-01")+" "+f.Subject)
	}
	same := 0
	for _, x := range records {
		m := x.Rows[0]
		if m.Previous == m.Next && len(m.Previous) == 3 && m.Previous != "DJI" && m.Previous != "OOO" && m.Previous != "UNK" {
			same++
		}
		for _, f := range rules.One(op, frame, x) {
			found[f.Rule] = append(found[f.Rule], f.Day.Format("2006-01")+" "+f.Subject)
		}
	}
	for rule, want := range map[string][]string{
		"month.cell":   {"2019-07 badaf"},                    // 12,592 people in one row, 44 % of the month
		"month.coding": {"2020-04 sex", "2022-01 direction"}, // sex and age from then on; undefined in half of 2022
		"point.blank":  {"2020-10 "},                         // four movements without a point
	} {
		if !slices.Equal(found[rule], want) {
			t.Errorf("%s: %q, want %q", rule, found[rule], want)
		}
		delete(found, rule)
	}
	if list := found["month.unknown"]; len(list) != 27 || list[0] != "2018-01 " || list[26] != "2020-03 " {
		t.Errorf("months without sex and age: %q", list)
	}
	if n := len(found["route.same"]); n != same || n == 0 {
		t.Errorf("%d rows come from where they go, want %d", n, same)
	}
	delete(found, "month.unknown")
	delete(found, "route.same")
	// Spellings of the README, each once with its point.
	if list := found["point.spelling"]; len(list) == 0 {
		t.Error("no spelling is found")
	}
	said := map[string]bool{}
	for _, f := range rules.Months(op, records) {
		if f.Rule == "point.spelling" {
			said[f.Other] = true
		}
	}
	for _, text := range []string{"Ali-Sabieh (Ancienne Gare)", "Galafi (DJI)", "Gueliléh"} {
		if !said[text] {
			t.Errorf("the spelling %q is not found", text)
		}
	}
	t.Logf("spellings: %q", slices.Sorted(maps.Keys(said)))
	gaps := map[string]float64{}
	for _, f := range rules.Months(op, records) {
		switch f.Rule {
		case "month.gap":
			gaps[f.Subject] += f.Seen
		case "month.asked":
			t.Logf("asked: %+v", f)
		case "month.outlier":
			t.Logf("unlike its season: %s %s %.0f, usual %.0f", f.Day.Format("2006-01"), f.Subject, f.Seen, f.Usual)
		}
	}
	for point, n := range map[string]float64{"galafi": 38, "loyada": 38, "obock": 14} {
		if gaps[point] != n {
			t.Errorf("%s: %v months without rows, want %v", point, gaps[point], n)
		}
	}
	for rule, list := range found {
		t.Logf("%-20s %d", rule, len(list))
	}
	for _, rule := range []string{"point.spelling", "month.gap", "month.destination", "month.reason", "month.asked", "month.outlier"} {
		if len(found[rule]) == 0 {
			t.Errorf("%s finds nothing", rule)
		}
		delete(found, rule)
	}
	if len(found) > 0 {
		t.Errorf("found too: %q", found)
	}
}
