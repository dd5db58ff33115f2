package indicator

import (
	"flag"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dtm"
)

var update = flag.Bool("update", false, "write the golden files")

func f(v float64) *float64 { return &v }

func TestPrintGolden(t *testing.T) {
	t.Parallel()
	op := &dtm.Operation{
		Points: []dtm.Point{{Code: "obock", Name: dtm.Text{dtm.English: "Obock", dtm.French: "Obock-ville"}}},
		Lists:  map[string]dtm.CodeList{"sex": {Codes: []dtm.Code{{Code: "male", Label: dtm.Text{dtm.English: "Male", dtm.French: "Homme"}}}}},
	}
	p, err := dtm.ParsePeriod("2022-12", "")
	if err != nil {
		t.Fatal(err)
	}
	table := dtm.Table{
		ID:        "abc",
		Indicator: dtm.Indicator{ID: "daily_average", Name: dtm.Text{dtm.English: "Daily average", dtm.French: "Moyenne journalière"}, Unit: "movements/day"},
		Query:     dtm.Query{Indicator: "daily_average", Period: p, Where: map[string][]string{"previous": {"ETH"}}},
		By:        []string{"point", "sex"},
		Figures: []dtm.Figure{
			{Keys: []string{"", "male"}, Value: nil, Numerator: f(3)},
			{Keys: []string{"obock", "male"}, Value: f(1234567.5), Numerator: f(38271592.5), Denominator: f(31)},
			{Keys: []string{"obock", "other"}, Value: f(0.43), Numerator: f(13.33), Denominator: f(31)},
			{Keys: []string{"obock", "unknown"}, Value: f(3), Numerator: f(93), Denominator: f(31), Suppressed: true},
		},
		Basis:   "calendar_days:31",
		Notes:   []dtm.Note{{Code: "n", Text: dtm.Text{dtm.English: "A caveat.", dtm.French: "Une réserve."}}},
		Release: dtm.Release{Seq: 12, Hash: "0123456789abcdef"},
	}
	one := table
	one.By, one.Figures = nil, []dtm.Figure{{Value: f(-0.2)}}
	one.Indicator.Unit = "percent"
	none := table
	none.Figures = nil
	for name, c := range map[string]struct {
		t      dtm.Table
		format string
		lang   dtm.Lang
	}{
		"table_en": {table, "table", dtm.English}, "table_fr": {table, "table", dtm.French},
		"csv": {table, "csv", dtm.English}, "json": {table, "json", dtm.English},
		"one_table": {one, "table", dtm.French}, "one_csv": {one, "csv", dtm.English}, "one_json": {one, "json", dtm.English},
		"none_table": {none, "table", dtm.French}, "none_csv": {none, "csv", dtm.English}, "none_json": {none, "json", dtm.English},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var b strings.Builder
			if err := Print(&b, c.t, c.format, op, c.lang); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("testdata", name+".golden")
			if *update {
				if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), b.String()); d != "" {
				t.Errorf("-want +got\n%s", d)
			}
			if strings.Contains(b.String(), "93") && c.format == "csv" {
				t.Error("a suppressed figure shows its numerator")
			}
		})
	}
	if err := Print(&strings.Builder{}, table, "pdf", op, dtm.English); dtm.KindOf(err) != dtm.Invalid {
		t.Errorf("an unknown format: %v, want Invalid", err)
	}
}

func TestFormat(t *testing.T) {
	t.Parallel()
	whole := dtm.Indicator{Unit: "movements"}
	share := dtm.Indicator{Unit: "percent", Decimals: 1}
	for _, c := range []struct {
		i    dtm.Indicator
		v    float64
		lang dtm.Lang
		want string
	}{
		{whole, 0, dtm.English, "0"},
		{whole, 999, dtm.French, "999"},
		{whole, 1000, dtm.English, "1,000"},
		{whole, 952004, dtm.French, "952\u202f004"},
		{whole, -1234567, dtm.English, "-1,234,567"},
		{whole, -0.4, dtm.English, "0"},
		{whole, 0.5, dtm.English, "1"},
		{share, 97.33, dtm.French, "97,3"},
		{share, math.Nextafter(0.05, 0), dtm.English, "0.1"},
	} {
		if got := Format(c.i, c.v, c.lang); got != c.want {
			t.Errorf("%v in %s: %q, want %q", c.v, c.lang, got, c.want)
		}
	}
}
