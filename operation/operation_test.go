package operation_test

import (
	"encoding/csv"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"dtm"
	"dtm/operation"
)

func TestDjibouti(t *testing.T) {
	t.Parallel()
	op, err := operation.Pack("djibouti")
	if err != nil {
		t.Fatal(err)
	}
	if len(op.Points) != 22 || len(op.Areas) != 26 || len(op.Programmes) != 5 || len(op.Partners) != 9 || len(op.Desks) != 6 {
		t.Errorf("points %d, areas %d, programmes %d, partners %d, desks %d", len(op.Points), len(op.Areas), len(op.Programmes), len(op.Partners), len(op.Desks))
	}
	for _, p := range op.Points {
		if len(p.Role) == 0 || len(p.Status) == 0 {
			t.Errorf("%s has no role or no status", p.Code)
		}
		if p.Positioned && (p.Lon < 41.7 || p.Lon > 43.5 || p.Lat < 10.9 || p.Lat > 12.75 || !p.Approximate) {
			t.Errorf("%s lies at %g, %g (approximate: %v)", p.Code, p.Lon, p.Lat, p.Approximate)
		}
	}
	day := time.Date(2019, 3, 1, 0, 0, 0, 0, time.UTC)
	if p, _ := op.Point("tadjourah"); dtm.ValueAt(p.Status, day) == "open" || dtm.ValueAt(p.Status, day.AddDate(1, 0, 0)) != "open" {
		t.Error("Tadjourah opens in September 2019")
	}
}

// TestAreasAreOfficial holds the pack's P-codes against the COD-AB list.
func TestAreasAreOfficial(t *testing.T) {
	t.Parallel()
	op, err := operation.Pack("djibouti")
	if err != nil {
		t.Fatal(err)
	}
	rows := readShared(t, "data/COD_AB_DJI_pcodes.csv")
	official := map[string]string{}
	for _, r := range rows[2:] {
		official[r[2]] = strings.TrimPrefix(r[4], "DJI")
	}
	if len(official) != len(op.Areas) {
		t.Errorf("%d official areas, %d in the pack", len(official), len(op.Areas))
	}
	for _, a := range op.Areas {
		if parent, ok := official[a.Code]; !ok || parent != a.Parent {
			t.Errorf("%s under %q: the official list has %q, %v", a.Code, a.Parent, parent, ok)
		}
	}
}

// TestRealNames resolves every spelling of a point and a country in the real files.
func TestRealNames(t *testing.T) {
	t.Parallel()
	op, err := operation.Pack("djibouti")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{"DJI_dmg_2018_2022.csv", "DJI_nat_2018_2022.csv"} {
		rows := readShared(t, "data/movements/"+f)
		col := map[string]int{}
		for i, h := range rows[0] {
			col[h] = i
		}
		seen := map[string]bool{}
		for _, r := range rows[1:] {
			name := r[col["fmp"]]
			if seen[name] {
				continue
			}
			seen[name] = true
			if _, ok := op.ResolvePoint(name); ok != (name != "") {
				t.Errorf("%s: %q resolves: %v", f, name, ok)
			}
		}
		for _, c := range []string{"previous", "next", "nat"} {
			i, ok := col[c]
			for _, r := range rows[1:] {
				if ok && !op.Lists["country"].Has(r[i]) {
					t.Errorf("%s: no country %q", f, r[i])
				}
			}
		}
	}
}

// TestChangeBasis: the dated basis gives every reproducible published change.
func TestChangeBasis(t *testing.T) {
	t.Parallel()
	op, err := operation.Pack("djibouti")
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, r := range readShared(t, "data/movements/published.csv")[1:] {
		if r[1] != "change_on_previous_month_pct" || r[4] != "yes" {
			continue
		}
		m, err := dtm.ParseMonth(r[0])
		if err != nil {
			t.Fatal(err)
		}
		want := "total"
		if strings.HasPrefix(r[5], "change of calendar daily averages") {
			want = "daily_average"
		}
		if got := dtm.ValueAt(op.ChangeBasis, m.First()); got != want {
			t.Errorf("%s: basis %s, published by %s", r[0], got, want)
		}
		checked++
	}
	if checked < 10 {
		t.Errorf("only %d published changes checked", checked)
	}
}

func readShared(t *testing.T, path string) [][]string {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "..", "shared", path))
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("real material is missing: ", err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// TestSecondOperation loads an invented country from a folder: no code knows it.
func TestSecondOperation(t *testing.T) {
	t.Parallel()
	op, err := operation.Load(os.DirFS("testdata/ruritania"))
	if err != nil {
		t.Fatal(err)
	}
	if op.Code != "ruritania" || op.Country != "RUR" || len(op.Points) != 2 || op.Zone.String() != "Europe/Vienna" {
		t.Errorf("got %+v", op)
	}
	if code, ok := op.ResolvePoint("  ZENDA-brücke "); !ok || code != "zenda" {
		t.Errorf("alias resolves to %q, %v", code, ok)
	}
}

// TestFaults breaks the invented pack in one place at a time.
func TestFaults(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file, old, new string
		want           string
	}{
		"code":                       {"operation.toml", `code = "ruritania"`, `code = "Ruritania!"`, "operation.toml:2: code"},
		"country":                    {"operation.toml", `"RUR"`, `"RU"`, "operation.toml:3: country"},
		"language":                   {"operation.toml", `["en", "de"]`, `["en", "deutsch"]`, `operation.toml:4: languages: "deutsch"`},
		"language twice":             {"operation.toml", `["en", "de"]`, `["en", "de", "en"]`, `operation.toml:4: languages: "en"`},
		"no language":                {"operation.toml", `["en", "de"]`, `[]`, "operation.toml:4: languages"},
		"threshold":                  {"operation.toml", "threshold = 5", "threshold = 0", "operation.toml:7: threshold"},
		"basis dates descend":        {"operation.toml", `basis = "total"`, "from = \"2022-02\"\nbasis = \"total\"\n[[change_basis]]\nfrom = \"2021-02\"\nbasis = \"daily_average\"", "operation.toml:12: change_basis: dates must ascend"},
		"basis date":                 {"operation.toml", `basis = "total"`, "from = \"2022-14\"\nbasis = \"total\"", `operation.toml:9: "2022-14"`},
		"baseline reversed":          {"operation.toml", `[name]`, "[baseline]\nfrom = \"2021\"\nto = \"2020\"\nname = { en = \"b\", de = \"b\" }\n[name]", "operation.toml:12: baseline"},
		"baseline without name":      {"operation.toml", `[name]`, "[baseline]\nfrom = \"2021\"\n[name]", `operation.toml:12: baseline.name: the text in "en"`},
		"level":                      {"areas.csv", "RU01,2,", "RU01,two,", "areas.csv:4: level"},
		"no parent":                  {"areas.csv", "RU0101,RU01", "RU0101,", "areas.csv:4: the area"},
		"parent of the wrong level":  {"areas.csv", "RU01,2,", "RU01,3,", "areas.csv:4: the parent"},
		"P-code not of its parent":   {"areas.csv", "RU0101,RU01", "RV0101,RU01", "areas.csv:4: the P-code"},
		"area without name":          {"areas.csv", "Zenda Stadt", "", `areas.csv:4: RU0101: the text in "de"`},
		"region is a district":       {"points.csv", "RU01,RU0101", "RU0101,RU0101", "points.csv:2: the P-code \"RU0101\" is of level 2"},
		"district elsewhere":         {"points.csv", "RU01,RU0101", "RU02,RU0101", "points.csv:2: the area"},
		"longitude alone":            {"points.csv", "49.2", "", "points.csv:2: lat"},
		"latitude beyond the pole":   {"points.csv", "49.2", "94.2", "points.csv:2: lat"},
		"not a number":               {"points.csv", "49.2", "NaN", "points.csv:2: lat"},
		"approximate":                {"points.csv", "yes", "roughly", "points.csv:2: approximate"},
		"point without code":         {"points.csv", "strelsau,", ",", "points.csv:3: the code is missing"},
		"stray quotation mark":       {"points.csv", "Strelsau,,", "Stre\"lsau,,", "points.csv:3: "},
		"alias twice":                {"point_aliases.csv", "strelsau,Hauptstadt", "zenda,ZENDA-brucke", "point_aliases.csv:3: the alias"},
		"alias empty":                {"point_aliases.csv", "Hauptstadt", "--", "point_aliases.csv:3"},
		"alias of no point":          {"point_aliases.csv", "strelsau,", "streslau,", "point_aliases.csv:3: there is no point"},
		"status of no point":         {"point_status.csv", "strelsau,", "streslau,", "point_status.csv:4: there is no point"},
		"status unknown":             {"point_status.csv", "closed", "shut", "point_status.csv:3: status"},
		"two on one day":             {"point_status.csv", "2021-06-01", "2020-01-01", "point_status.csv:3"},
		"header twice":               {"partners.csv", "en,de", "en,en", "partners.csv:1: the column"},
		"partner without code":       {"partners.csv", "relief,", ",", "partners.csv:2: the code is missing"},
		"programme without name":     {"programmes.csv", "Hilfe", "", `programmes.csv:2: aid: the text in "de"`},
		"code missing":               {"codes/sex.csv", "female,", ",", "codes/sex.csv:3: the code is missing"},
		"rolls up to nothing":        {"codes/age.csv", "Kinder,children", "Kinder,child", "codes/age.csv:3"},
		"indicator without id":       {"indicators.toml", `id = "zenda_entries"`, "", "indicators.toml:1"},
		"indicator without name":     {"indicators.toml", `de = "Ankünfte in Zenda"`, "", `indicators.toml:1: zenda_entries.name`},
		"indicator twice":            {"indicators.toml", "[[indicator]]", "[[indicator]]\nid = \"zenda_entries\"\nbase = \"entries\"\n[indicator.name]\nen = \"x\"\nde = \"x\"\n[indicator.definition]\nen = \"x\"\nde = \"x\"\n[[indicator]]", `indicators.toml:11: the indicator "zenda_entries" is on line 2`},
		"indicator's period":         {"indicators.toml", `base = "entries"`, "base = \"entries\"\nfrom = \"2020-13\"", "indicators.toml:4"},
		"indicator's setting":        {"indicators.toml", "where =", "were =", "indicators.toml:4: unknown setting"},
		"boundaries":                 {"boundaries.geojson", `"level": 0`, `"level": `, "boundaries.geojson:2: not JSON"},
		"settings syntax":            {"operation.toml", `country = "RUR"`, `country = `, "operation.toml:3"},
		"unknown setting":            {"operation.toml", `contact =`, `kontact =`, "operation.toml:6: unknown setting"},
		"time zone":                  {"operation.toml", "Europe/Vienna", "Europe/Strelsau", "operation.toml:5: zone"},
		"language missing":           {"operation.toml", `en = "Ruritania"`, ``, `operation.toml:12: name: the text in "en"`},
		"basis":                      {"operation.toml", `basis = "total"`, `basis = "median"`, "operation.toml:9: change_basis"},
		"P-code twice":               {"areas.csv", "RU02,", "RU01,", "areas.csv:3"},
		"parent unknown":             {"areas.csv", "RU0101,RU01", "RU0101,RU09", "areas.csv:4"},
		"point in no area":           {"points.csv", "RU02", "RU07", `points.csv:3: the P-code "RU07"`},
		"bad longitude":              {"points.csv", "13.1", "east", "points.csv:2: lon"},
		"point twice":                {"points.csv", "strelsau,", "zenda,", "points.csv:3"},
		"alias of two points":        {"point_aliases.csv", "strelsau,Hauptstadt", "strelsau,Zenda Brücke", "point_aliases.csv:3"},
		"role without point":         {"point_roles.csv", "strelsau,", "streslau,", "point_roles.csv:3"},
		"role unknown":               {"point_roles.csv", "entry", "portal", "point_roles.csv:2"},
		"dates descend":              {"point_status.csv", "2021-06-01", "2019-06-01", "point_status.csv:3"},
		"date impossible":            {"point_status.csv", "2021-06-01", "2021-06-31", "point_status.csv:3"},
		"code twice":                 {"codes/sex.csv", "female,", "male,", "codes/sex.csv:3"},
		"label missing":              {"codes/sex.csv", "Männlich", "", "codes/sex.csv:2"},
		"column missing":             {"partners.csv", "code,", "kode,", "partners.csv:1"},
		"too few fields":             {"partners.csv", ",Hilfswerk", "", "partners.csv:2"},
		"indicator without base":     {"indicators.toml", `base = "entries"`, ``, `indicators.toml:1: indicator "zenda_entries": the base`},
		"indicator of unknown place": {"indicators.toml", "zenda\"]", "senda\"]", `indicators.toml:4: indicator "zenda_entries": point has no code "senda"`},
		"effect without label":       {"calendar.csv", "carnival,2021", "lent,2021", `calendar.csv:2: effect "lent"`},
		"effect reversed":            {"calendar.csv", "2021-02-16", "2021-02-01", "calendar.csv:2: the effect ends"},
		"effect half yearly":         {"calendar.csv", "03-15", "2021-03-15", "calendar.csv:3: to"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pack := ruritania(t)
			old := string(pack[c.file].Data)
			if !strings.Contains(old, c.old) {
				t.Fatalf("%s does not hold %q", c.file, c.old)
			}
			pack[c.file].Data = []byte(strings.Replace(old, c.old, c.new, 1))
			_, err := operation.Load(pack)
			if dtm.KindOf(err) != dtm.Invalid || !strings.Contains(err.Error(), c.want) {
				t.Errorf("want Invalid naming %q, got:\n%v", c.want, err)
			}
		})
	}
	t.Run("no fault", func(t *testing.T) {
		t.Parallel()
		if _, err := operation.Load(ruritania(t)); err != nil {
			t.Errorf("the unbroken pack has faults: %v", err)
		}
	})
	t.Run("every fault at once", func(t *testing.T) {
		t.Parallel()
		pack := ruritania(t)
		delete(pack, "areas.csv")
		delete(pack, "codes/age.csv")
		_, err := operation.Load(pack)
		for _, want := range []string{"areas.csv: the file is missing", "codes/age.csv: the file is missing", "points.csv:2"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("want %q in:\n%v", want, err)
			}
		}
	})
}

func ruritania(t *testing.T) fstest.MapFS {
	t.Helper()
	out := fstest.MapFS{}
	dir := os.DirFS("testdata/ruritania")
	err := fs.WalkDir(dir, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(dir, p)
		out[p] = &fstest.MapFile{Data: b}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return maps.Clone(out)
}
