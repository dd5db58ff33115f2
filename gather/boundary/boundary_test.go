package boundary_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/planar"

	"dtm"
	"dtm/disseminate/maps"
	"dtm/gather/boundary"
	"dtm/operation"
)

func pack(t testing.TB) *dtm.Operation {
	t.Helper()
	op, err := operation.Pack("djibouti")
	if err != nil {
		t.Fatal(err)
	}
	return op
}

// feature is a GeoJSON feature whose shape is given as JSON.
type feature struct {
	Type       string         `json:"type"`
	Properties map[string]any `json:"properties"`
	Geometry   any            `json:"geometry"`
}

func collect(list ...feature) []byte {
	for i := range list {
		list[i].Type = "Feature"
	}
	b, err := json.Marshal(map[string]any{"type": "FeatureCollection", "features": list})
	if err != nil {
		panic(err)
	}
	return b
}

// official is a file of level 1 as COD-AB has it (older names of properties), of the
// pack's own outlines.
func official(t testing.TB, op *dtm.Operation) []feature {
	t.Helper()
	var doc struct {
		Features []struct {
			Properties map[string]any
			Geometry   any
		}
	}
	if err := json.Unmarshal(op.Boundaries, &doc); err != nil {
		t.Fatal(err)
	}
	var out []feature
	for _, f := range doc.Features {
		if f.Properties["level"] == 1.0 {
			code := f.Properties["code"].(string)
			out = append(out, feature{Properties: map[string]any{"ADM0_EN": "Djibouti", "ADM0_PCODE": "DJ", "ADM1_PCODE": code, "ADM1_EN": f.Properties["name_en"], "ADM1_FR": f.Properties["name_fr"], "validOn": "2022-12-06"}, Geometry: f.Geometry})
		}
	}
	if len(out) != 6 {
		t.Fatalf("the pack has %d regions", len(out))
	}
	return out
}

func square(x, y, side float64) any {
	return map[string]any{"type": "Polygon", "coordinates": [][][2]float64{{{x, y}, {x + side, y}, {x + side, y + side}, {x, y + side}, {x, y}}}}
}

func file(list ...feature) []boundary.File {
	return []boundary.File{{Name: "dji_adm1.geojson", Data: collect(list...)}}
}

func said(list []*dtm.Error) []string {
	var out []string
	for _, e := range list {
		out = append(out, strings.TrimPrefix(e.Code, "boundary.")+" @ "+e.Where)
	}
	return out
}

// TestSame: the pack's own regions, published as COD-AB does, change nothing: not a
// code, not a name, not what a map shows; the second level stays.
func TestSame(t *testing.T) {
	t.Parallel()
	op := pack(t)
	r := boundary.Check(op, file(official(t, op)...), nil, false)
	if len(r.Faults) > 0 || r.Atlas == nil || len(r.Added)+len(r.Missing)+len(r.Renamed) > 0 || !r.Kept || r.Read[1] != 6 {
		t.Fatalf("%v, %+v", said(r.Faults), r)
	}
	if len(r.Doubts) > 0 {
		t.Errorf("doubts: %v", r.Doubts)
	}
	if len(r.Atlas.Areas) != len(op.Areas) {
		t.Errorf("%d areas, want %d", len(r.Atlas.Areas), len(op.Areas))
	}
	for _, a := range op.Areas {
		if b, ok := r.Atlas.Area(a.Code); !ok || fmt.Sprint(a) != fmt.Sprint(b) {
			t.Errorf("%+v became %+v", a, b)
		}
	}
	base, err := maps.Parse(r.Atlas.Boundaries)
	if err != nil {
		t.Fatal(err)
	}
	was, err := maps.Parse(op.Boundaries)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range op.Points {
		if a, b := was.RegionAt(p.Lon, p.Lat), base.RegionAt(p.Lon, p.Lat); p.Positioned && a != b {
			t.Errorf("%s lies in %s, was in %s", p.Code, b, a)
		}
	}
}

// TestSpellings: every way in which COD-AB has named its properties says the same.
func TestSpellings(t *testing.T) {
	t.Parallel()
	op := pack(t)
	list := official(t, op)
	var want string
	for style, names := range map[string]func(code, en, fr string) map[string]any{
		"upper case": func(code, en, fr string) map[string]any {
			return map[string]any{"ADM1_PCODE": code, "ADM1_EN": en, "ADM1_FR": fr, "ADM0_PCODE": "DJ"}
		},
		"lower case": func(code, en, fr string) map[string]any {
			return map[string]any{"adm1_pcode": code, "adm1_name": fr, "adm1_name1": en, "adm1_name2": nil, "lang": "fr", "lang1": "en", "adm0_pcode": "DJ", "iso3": "DJI", "valid_on": "2022-12-06"}
		},
		"of services": func(code, en, fr string) map[string]any {
			return map[string]any{"admin1Pcode": code, "admin1Name_en": en, "admin1Name_fr": fr, "admin0Pcode": "DJ"}
		},
		"our own": func(code, en, fr string) map[string]any {
			return map[string]any{"code": code, "level": 1, "name_en": en, "name_fr": fr}
		},
	} {
		var renamed []feature
		for _, f := range list {
			renamed = append(renamed, feature{Properties: names(f.Properties["ADM1_PCODE"].(string), "The "+f.Properties["ADM1_EN"].(string), "Région "+f.Properties["ADM1_FR"].(string)), Geometry: f.Geometry})
		}
		r := boundary.Check(op, file(renamed...), nil, true)
		if r.Atlas == nil {
			t.Fatalf("%s: %v", style, r.Faults)
		}
		got := fmt.Sprint(r.Atlas.Areas)
		if want == "" {
			want = got
		}
		a, _ := r.Atlas.Area("DJ01")
		if got != want || a.Name[dtm.English] != "The Obock" || a.Name[dtm.French] != "Région Obock" || a.Name[dtm.Arabic] != "أوبوك" || len(r.Renamed) != 12 {
			t.Errorf("%s: %v, %+v, %d renamed", style, a, r.Renamed, len(r.Renamed))
		}
		if kept := boundary.Check(op, file(renamed...), nil, false); kept.Atlas == nil || fmt.Sprint(kept.Atlas.Areas) != fmt.Sprint(op.Areas) {
			t.Errorf("%s: names were taken unasked", style)
		}
	}
}

// TestFaults: each fault is named at its feature and property, and stops the file.
func TestFaults(t *testing.T) {
	t.Parallel()
	op := pack(t)
	ring := func(p ...[2]float64) any {
		return map[string]any{"type": "Polygon", "coordinates": [][][2]float64{p}}
	}
	set := func(i int, k string, v any) func([]feature) []feature {
		return func(l []feature) []feature { l[i].Properties[k] = v; return l }
	}
	shape := func(i int, g any) func([]feature) []feature {
		return func(l []feature) []feature { l[i].Geometry = g; return l }
	}
	second := func(code, up string) func([]feature) []feature {
		return func(l []feature) []feature {
			return append(l, feature{Properties: map[string]any{"ADM1_PCODE": up, "ADM2_PCODE": code, "ADM2_EN": "X"}, Geometry: square(42.5, 11.3, 0.1)})
		}
	}
	for name, c := range map[string]struct {
		change func([]feature) []feature
		want   string
	}{
		"P-code twice":    {set(3, "ADM1_PCODE", "DJ02"), "pcode.twice @ dji_adm1.geojson: feature 4, ADM1_PCODE"},
		"P-code empty":    {set(2, "ADM1_PCODE", " "), "pcode.empty @ dji_adm1.geojson: feature 3, ADM1_PCODE"},
		"P-code a number": {set(2, "ADM1_PCODE", 3), "pcode.empty @ dji_adm1.geojson: feature 3, ADM1_PCODE"},
		"P-code no code":  {set(2, "ADM1_PCODE", "DJ 03!"), "pcode.form @ dji_adm1.geojson: feature 3, ADM1_PCODE"},
		"no P-code": {func(l []feature) []feature {
			delete(l[5].Properties, "ADM1_PCODE")
			delete(l[5].Properties, "ADM0_PCODE")
			return l
		}, "pcode.missing @ dji_adm1.geojson: feature 6"},
		"another country":   {set(0, "ADM1_PCODE", "ET01"), "pcode.country @ dji_adm1.geojson: feature 1, ADM1_PCODE"},
		"another level":     {set(0, "ADM1_PCODE", "DJ0115"), "level @ dji_adm1.geojson: feature 1, ADM1_PCODE"},
		"level 2 loose":     {second("DJ0911", "DJ09"), "parent @ dji_adm1.geojson: feature 7, ADM2_PCODE"},
		"level 2 misplaced": {second("DJ0911", "DJ03"), "parent.prefix @ dji_adm1.geojson: feature 7, ADM2_PCODE"},
		"not closed":        {shape(1, ring([2]float64{42, 11}, [2]float64{43, 11}, [2]float64{43, 12}, [2]float64{42, 12})), "ring.open @ dji_adm1.geojson: feature 2"},
		"too short":         {shape(1, ring([2]float64{42, 11}, [2]float64{43, 11}, [2]float64{42, 11})), "ring.short @ dji_adm1.geojson: feature 2"},
		"a bow tie":         {shape(1, ring([2]float64{42, 11}, [2]float64{43, 12}, [2]float64{42, 12}, [2]float64{43, 11}, [2]float64{42, 11})), "crosses @ dji_adm1.geojson: feature 2"},
		"all one place":     {shape(1, ring([2]float64{42, 11}, [2]float64{42, 11}, [2]float64{42, 11}, [2]float64{42, 11})), "crosses @ dji_adm1.geojson: feature 2"},
		"metres":            {shape(4, square(250000, 1290000, 1000)), "metres @ dji_adm1.geojson: feature 5"},
		"off Earth":         {shape(4, square(42, 89.5, 1)), "range @ dji_adm1.geojson: feature 5"},
		"a line":            {shape(0, map[string]any{"type": "LineString", "coordinates": [][2]float64{{42, 11}, {43, 12}}}), "geometry.type @ dji_adm1.geojson: feature 1"},
		"no geometry":       {shape(0, nil), "geometry.none @ dji_adm1.geojson: feature 1"},
		"half positions":    {shape(0, map[string]any{"type": "Polygon", "coordinates": [][][]float64{{{42}, {43}, {44}, {42}}}}), "coordinates @ dji_adm1.geojson: feature 1"},
		"deep coordinates":  {shape(0, map[string]any{"type": "Polygon", "coordinates": json.RawMessage(strings.Repeat("[", 900) + strings.Repeat("]", 900))}), "coordinates @ dji_adm1.geojson: feature 1"},
		"wrong way round": {func(l []feature) []feature {
			for i := range l {
				l[i].Geometry = square(11.3+float64(i)/100, 42.5, 0.005)
			}
			return l
		}, "swapped @ dji_adm1.geojson"},
		"elsewhere": {func(l []feature) []feature {
			for i := range l {
				l[i].Geometry = square(2+float64(i)/100, 48, 0.005)
			}
			return l
		}, "elsewhere @ dji_adm1.geojson"},
		"two countries": {func(l []feature) []feature {
			for range 2 {
				l = append(l, feature{Properties: map[string]any{"ADM0_PCODE": "DJ"}, Geometry: square(42, 11, 1)})
			}
			return l
		}, "country.twice @ dji_adm1.geojson: feature 8, ADM0_PCODE"},
	} {
		r := boundary.Check(op, file(c.change(official(t, op))...), nil, false)
		if got := said(r.Faults); r.Atlas != nil || !slices.Contains(got, c.want) {
			t.Errorf("%s: %v, want %s", name, got, c.want)
		}
	}
	for name, c := range map[string]struct{ data, want string }{
		"no JSON":         {"PCODE,NAME\nDJ01,Obock\n", "json @ x"},
		"half of it":      {`{"type":"FeatureCollection","features":[{"type":"Fea`, "json @ x"},
		"no collection":   {`{"type":"Topology","objects":{}}`, "empty @ x"},
		"no features":     {`{"type":"FeatureCollection","features":[]}`, "empty @ x"},
		"in UTM":          {`{"type":"FeatureCollection","crs":{"type":"name","properties":{"name":"urn:ogc:def:crs:EPSG::32638"}},"features":[{}]}`, "crs @ x"},
		"no P-codes":      {`{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"name":"Obock","id":1},"geometry":null}]}`, "pcode.none @ x"},
		"a deep bomb":     {strings.Repeat(`{"features":[`, 200_000), "json @ x"},
		"no feature":      {`{"type":"FeatureCollection","features":[3,{"properties":{"ADM1_PCODE":"DJ01"}}]}`, "feature @ x: feature 1"},
		"many features":   {`{"type":"FeatureCollection","features":[` + strings.TrimSuffix(strings.Repeat("{},", 5001), ",") + `]}`, "large.features @ x"},
		"level 2 alone":   {string(collect(feature{Properties: map[string]any{"ADM1_PCODE": "DJ01", "ADM2_PCODE": "DJ0115"}, Geometry: square(43, 12, 0.1)})), "parent @ x: feature 1, ADM2_PCODE"},
		"level 3 alone":   {string(collect(feature{Properties: map[string]any{"ADM3_PCODE": "DJ011501"}, Geometry: square(43, 12, 0.1)})), "level.one @ "},
		"country alone":   {string(collect(feature{Properties: map[string]any{"ADM0_PCODE": "DJ"}, Geometry: square(42, 11, 1)})), "level.one @ "},
		"a broken zip":    {"PK\x03\x04 and nothing", "zip @ x"},
		"with a mark":     {"\xef\xbb\xbf{}", "empty @ x"},
		"an empty upload": {"", "json @ x"},
	} {
		r := boundary.Check(op, []boundary.File{{Name: "x", Data: []byte(c.data)}}, nil, false)
		if got := said(r.Faults); r.Atlas != nil || !slices.Contains(got, c.want) {
			t.Errorf("%s: %v, want %s", name, got, c.want)
		}
	}
	// A file in another projection has as many faults as features: they are summed up.
	var many []feature
	for i := range 300 {
		many = append(many, feature{Properties: map[string]any{"ADM1_PCODE": fmt.Sprintf("DJ%02d", i)}, Geometry: square(250000, 1290000, 1000)})
	}
	if r := boundary.Check(op, file(many...), nil, false); len(r.Faults) > 25 || said(r.Faults)[len(r.Faults)-1] != "more @ " {
		t.Errorf("%d faults: %v", len(r.Faults), said(r.Faults))
	}
}

// TestCompare: a region that is split off, one that is gone, another name; what is in
// use is retired and keeps its name, what is not goes.
func TestCompare(t *testing.T) {
	t.Parallel()
	op := pack(t)
	list := slices.DeleteFunc(official(t, op), func(f feature) bool {
		return f.Properties["ADM1_PCODE"] == "DJ03" || f.Properties["ADM1_PCODE"] == "DJ06"
	})
	for _, code := range []string{"DJ07"} {
		list = append(list, feature{Properties: map[string]any{"ADM1_PCODE": code, "ADM1_EN": "New Dikhil", "ADM1_FR": "Nouveau Dikhil"}, Geometry: square(41.9, 11, 0.4)})
	}
	uses := map[string][]dtm.AreaUse{"DJ03": {{Kind: "point", Name: "dikhil"}, {Kind: "fact", Name: "2022-12"}}, "DJ0312": {{Kind: "point", Name: "dikhil"}}}
	r := boundary.Check(op, file(list...), uses, false)
	if r.Atlas == nil {
		t.Fatal(r.Faults)
	}
	if len(r.Added) != 1 || r.Added[0].Code != "DJ07" || r.Added[0].Name != "New Dikhil" {
		t.Errorf("added %+v", r.Added)
	}
	var gone []string
	for _, m := range r.InUse() {
		gone = append(gone, m.Code)
	}
	if !slices.Equal(gone, []string{"DJ03", "DJ0312"}) || len(r.Missing) != 7 { // DJ03, its four, DJ06, its one
		t.Errorf("gone %v of %+v", gone, r.Missing)
	}
	if a, ok := r.Atlas.Area("DJ03"); !ok || !a.Retired || a.Name[dtm.Arabic] != "دخيل" {
		t.Errorf("DJ03 is %+v", a)
	}
	if _, ok := r.Atlas.Area("DJ06"); ok {
		t.Error("DJ06, which nobody uses, is kept")
	}
	if a, _ := r.Atlas.Area("DJ07"); a.Name[dtm.Arabic] == "" || a.Name[dtm.French] != "Nouveau Dikhil" || a.Retired {
		t.Errorf("DJ07 is %+v", a)
	}
	// Taken into use, the next file may bring DJ03 back.
	op.FollowAtlas(r.Atlas)
	back := boundary.Check(op, file(official(t, pack(t))...), uses, false)
	if back.Atlas == nil || len(back.Added) != 2 || back.Added[0].Code != "DJ03" || len(back.InUse()) != 0 {
		t.Fatalf("back: %v, %+v", back.Faults, back)
	}
	if a, _ := back.Atlas.Area("DJ03"); a.Retired {
		t.Error("DJ03 is still retired")
	}
	if _, err := maps.Parse(r.Atlas.Boundaries); err != nil {
		t.Error(err)
	}
	// A retired area takes no new point.
	reg := dtm.NewRegister(op.Points, nil)
	c := dtm.PointChange{Point: "obock", Kind: dtm.PointMoved, Place: &dtm.Place{Area: "DJ03"}, From: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	if err := reg.Check(op, c, c.From); dtm.KindOf(err) != dtm.Invalid {
		t.Errorf("a point moves to a retired area: %v", err)
	}
}

// TestPoints: a point that lies in another area than the register says is named, with
// where it lies and how far off.
func TestPoints(t *testing.T) {
	t.Parallel()
	op := pack(t)
	points := slices.Clone(op.Points)
	for i := range points {
		if points[i].Code == "galafi" {
			points[i].Area, points[i].Area2, points[i].Approximate = "DJ01", "", false
		}
		if points[i].Code == "obock" {
			points[i].Lon, points[i].Lat = 44.2, 12.3 // at sea
		}
	}
	op.Follow(points)
	r := boundary.Check(op, file(official(t, op)...), nil, false)
	if got := said(r.Doubts); !slices.Equal(got, []string{"point.outside @ ", "point.elsewhere @ "}) && !slices.Equal(got, []string{"point.elsewhere @ ", "point.outside @ "}) {
		t.Fatalf("doubts: %v", r.Doubts)
	}
	for _, d := range r.Doubts {
		if d.Code == "boundary.point.elsewhere" && (d.Args[0] != "Galafi (galafi)" || d.Args[3] != "DJ03") {
			t.Errorf("%v", d.Args)
		}
	}
}

// TestArchive: the zip that HDX offers is read as it is; what it says of sizes is not
// believed.
func TestArchive(t *testing.T) {
	t.Parallel()
	op := pack(t)
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	put := func(name string, data []byte) {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	put("dji/dji_admin1.geojson", collect(official(t, op)...))
	put("dji/dji_adminpoints.geojson", []byte(`{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"adm1_pcode":"DJ01"},"geometry":{"type":"Point","coordinates":[43,12]}}]}`))
	put("dji/readme.txt", []byte("x"))
	put("__MACOSX/dji_admin1.geojson", []byte("x"))
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	r := boundary.Check(op, []boundary.File{{Name: "dji.zip", Data: b.Bytes()}}, nil, false)
	if r.Atlas == nil || r.Read[1] != 6 || !slices.Equal(said(r.Doubts), []string{"passed.over @ dji_adminpoints.geojson"}) {
		t.Errorf("%v, %v, %v", r.Faults, r.Doubts, r.Read)
	}
	b.Reset()
	z = zip.NewWriter(&b)
	put("bomb.geojson", make([]byte, boundary.MostBytes+1))
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if r := boundary.Check(op, []boundary.File{{Name: "bomb.zip", Data: b.Bytes()}}, nil, false); !slices.Equal(said(r.Faults), []string{"large.bytes @ bomb.zip"}) {
		t.Errorf("a bomb of %d bytes: %v", b.Len(), said(r.Faults))
	}
}

// TestNeighbours: however finely two neighbours' common line is drawn, thinning keeps it
// one line, and areas keep their size.
func TestNeighbours(t *testing.T) {
	t.Parallel()
	op := pack(t)
	// Two halves of a wavy country, and an island.
	wave := func(n int) (line [][2]float64) {
		for i := range n + 1 {
			y := 11 + 1.5*float64(i)/float64(n)
			line = append(line, [2]float64{42.5 + 0.05*math.Sin(40*y) + 0.0003*math.Sin(900*y), y})
		}
		return line
	}
	mid := wave(3000)
	back := slices.Clone(mid)
	slices.Reverse(back)
	west := append(slices.Clone(mid), [2]float64{41.8, 12.5}, [2]float64{41.8, 11}, mid[0])
	east := append(slices.Clone(back), [2]float64{43.3, 11}, [2]float64{43.3, 12.5}, back[0])
	poly := func(r [][2]float64) any { return map[string]any{"type": "Polygon", "coordinates": [][][2]float64{r}} }
	r := boundary.Check(op, file(
		feature{Properties: map[string]any{"ADM1_PCODE": "DJ01"}, Geometry: poly(west)},
		feature{Properties: map[string]any{"ADM1_PCODE": "DJ02"}, Geometry: poly(east)},
		feature{Properties: map[string]any{"ADM1_PCODE": "DJ03"}, Geometry: square(43.35, 12, 0.0002)},
	), nil, false)
	if r.Atlas == nil {
		t.Fatal(r.Faults)
	}
	var doc struct {
		Features []struct {
			Properties struct {
				Code  string
				Level int
			}
			Geometry struct{ Coordinates json.RawMessage }
		}
	}
	if err := json.Unmarshal(r.Atlas.Boundaries, &doc); err != nil {
		t.Fatal(err)
	}
	edges, area, positions := map[[2]orb.Point]int{}, map[string]float64{}, 0
	for _, f := range doc.Features {
		var m orb.MultiPolygon
		if f.Properties.Level > 1 || f.Properties.Level == 0 && f.Properties.Code != "DJI" || json.Unmarshal(f.Geometry.Coordinates, &m) != nil {
			continue
		}
		area[f.Properties.Code] = math.Abs(planar.Area(m))
		if f.Properties.Level != 1 {
			continue
		}
		for _, p := range m {
			for _, ring := range p {
				positions += len(ring)
				for i := 1; i < len(ring); i++ {
					a, b := ring[i-1], ring[i]
					if b[0] < a[0] || b[0] == a[0] && b[1] < a[1] {
						a, b = b, a
					}
					edges[[2]orb.Point{a, b}]++
				}
			}
		}
	}
	shared := 0
	for _, n := range edges {
		if n == 2 {
			shared++
		}
	}
	if shared < 50 || shared != len(edges)-3-3-4 { // but for the outer sides and the island
		t.Errorf("%d of %d lines are shared", shared, len(edges))
	}
	if positions > 2000 || math.Abs(area["DJI"]-1.5*1.5) > 0.001 || math.Abs(area["DJ01"]+area["DJ02"]-area["DJI"]) > 1e-6+area["DJ03"] {
		t.Errorf("%d positions, areas %v", positions, area)
	}
}

// FuzzCheck: whatever comes, it is faulted or makes areas that can be drawn.
func FuzzCheck(f *testing.F) {
	op := pack(f)
	f.Add([]byte(`{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"ADM1_PCODE":"DJ01","ADM1_EN":"x"},"geometry":{"type":"Polygon","coordinates":[[[42,11],[43,11],[43,12],[42,11]]]}}]}`))
	f.Add([]byte(`{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"adm2_pcode":"DJ0101","adm1_pcode":"DJ01","lang":"fr","adm2_name":"é"},"geometry":{"type":"MultiPolygon","coordinates":[[[[42,11,3],[43,11],[43,12],[42,11]]]]}},{"properties":{"adm1_pcode":"DJ01"},"geometry":{"type":"Polygon","coordinates":[[[42,11],[43,11],[43,12],[42,11]]]}}]}`))
	f.Add([]byte("PK\x03\x04"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := boundary.Check(op, []boundary.File{{Name: "f", Data: data}}, nil, true)
		if (r.Atlas == nil) != (len(r.Faults) > 0) {
			t.Fatalf("%v, atlas %v", r.Faults, r.Atlas)
		}
		if r.Atlas == nil {
			return
		}
		if _, err := maps.Parse(r.Atlas.Boundaries); err != nil {
			t.Fatalf("%v\n%s", err, r.Atlas.Boundaries)
		}
		for _, a := range r.Atlas.Areas {
			for _, l := range op.Languages {
				if a.Name[l] == "" {
					t.Fatalf("%s has no name in %s", a.Code, l)
				}
			}
		}
	})
}
