package maps_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"math"
	"math/rand"
	"os"
	"strings"
	"testing"

	"dtm"
	"dtm/disseminate/chart/draw/drawtest"
	"dtm/disseminate/maps"
)

func check(t *testing.T, b *maps.Base, s maps.Spec) *drawtest.Drawing {
	t.Helper()
	svg := b.SVG(s)
	d, err := drawtest.Parse(svg)
	if err != nil {
		t.Fatalf("%v\n%s", err, svg)
	}
	for _, f := range d.Faults() {
		t.Error(f)
	}
	if !bytes.Equal(svg, b.SVG(s)) {
		t.Error("two drawings of one map differ")
	}
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	if _, err := w.Write(svg); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if len(svg) > 60<<10 || z.Len() > 20<<10 {
		t.Errorf("the map has %d bytes, %d compressed; 61440 and 20480 are allowed", len(svg), z.Len())
	}
	return d
}

func TestSampleFaults(t *testing.T) {
	t.Parallel()
	b := base(t)
	for _, l := range []dtm.Lang{dtm.English, dtm.French, dtm.Arabic} {
		for _, w := range []float64{280, 358, 480, 640, 1000} {
			t.Run(fmt.Sprint(l, w), func(t *testing.T) {
				check(t, b, sample(l, w))
				check(t, b, region(sample(l, w)))
			})
		}
	}
}

// TestRandom draws crowded and absurd maps: nothing overlaps or leaves the
// picture, and no withheld value shows.
func TestRandom(t *testing.T) {
	t.Parallel()
	b := base(t)
	r := rand.New(rand.NewSource(20221231))
	secret := 7654321.0
	words := []string{"Obock", "Ali Sabieh (Ancienne Gare)", "<script>", "نقطة 12", "", "Wwwwwwwwwwwwwwwwwwwwwwwwwwwwwww", "PK9", "Guelileh", "Dikhil"}
	for i := 0; i < 60 && !t.Failed(); i++ {
		s := maps.Spec{ID: "x", Title: "t", Width: []float64{280, 358, 640, 900}[r.Intn(4)], Lang: []dtm.Lang{"en", "fr", "ar"}[r.Intn(3)], Texts: maps.Texts{Disclaimer: "d", Sea: "Gulf"}}
		if r.Intn(3) == 0 {
			s.Aggregate = maps.Region
		}
		places := []string{"ETH", "SOM", "YEM", "ERI", "SAU", "KEN", "DJI", "UNK", "DJ01", "DJ04"}
		for k := 0; k < r.Intn(30); k++ {
			p := maps.Point{Code: fmt.Sprint("p", k), Label: words[r.Intn(len(words))], Lon: 41.7 + r.Float64()*1.8, Lat: 10.9 + r.Float64()*1.9, Approximate: r.Intn(2) == 0}
			v := math.Floor(math.Exp(r.Float64() * 10))
			p.Value = &v
			switch r.Intn(8) {
			case 0:
				p.Value = nil
			case 1:
				p.Value, p.Suppressed = &secret, true
			case 2:
				p.Lon, p.Lat = 0, 0
			case 5:
				p.Lon, p.Lat, p.Region = 0, 0, []string{"DJ01", "DJ04", "DJ99"}[r.Intn(3)]
			case 3:
				p.Lon, p.Lat = 43.29, 11.96
			case 4:
				p.Lon, p.Lat = math.NaN(), 99
			}
			s.Points = append(s.Points, p)
			places = append(places, p.Code)
		}
		for k := 0; k < r.Intn(60); k++ {
			f := maps.Flow{From: places[r.Intn(len(places))], To: places[r.Intn(len(places))]}
			v := math.Floor(math.Exp(r.Float64() * 10))
			f.Value = &v
			if r.Intn(6) == 0 {
				f.Value, f.Suppressed = &secret, true
			}
			s.Flows = append(s.Flows, f)
		}
		check(t, b, s)
		shown := string(b.SVG(s))
		for _, row := range s.Table().Records("<10") {
			shown += strings.Join(row, "|")
		}
		if strings.Contains(shown, "7654321") {
			t.Error("the map shows a withheld value")
		}
		if t.Failed() {
			t.Logf("map %d: %+v", i, s)
		}
	}
}

// Areas of circles are to each other as the movements.
func TestCircleAreas(t *testing.T) {
	t.Parallel()
	d := check(t, base(t), maps.Spec{ID: "x", Title: "t", Width: 640, Points: []maps.Point{
		{Code: "a", Label: "a", Lon: 42.2, Lat: 11.5, Value: of(4000)},
		{Code: "b", Label: "b", Lon: 42.9, Lat: 11.8, Value: of(1000)},
		{Code: "c", Label: "c", Lon: 43.2, Lat: 12.1, Value: of(2000)},
	}})
	r := map[string]float64{}
	for _, c := range d.Circles {
		r[c.Mark] = c.R
	}
	if math.Abs(r["a"]*r["a"]/(r["b"]*r["b"])-4) > 0.15 || math.Abs(r["a"]*r["a"]/(r["c"]*r["c"])-2) > 0.08 {
		t.Errorf("radii %v are not the roots of 4:1:2", r)
	}
}

// A withheld figure is drawn the same whatever it hides.
func TestWithheldGeometry(t *testing.T) {
	t.Parallel()
	b := base(t)
	draw := func(v float64) []byte {
		s := sample(dtm.English, 640)
		s.Points[6].Value = &v
		s.Flows[4].Value = &v
		return append(b.SVG(s), b.SVG(region(s))...)
	}
	if !bytes.Equal(draw(1), draw(9)) {
		t.Error("the map depends on withheld values")
	}
}

// Added up to regions, no circle stands where a point is, and the sums are those
// of the points.
func TestRegions(t *testing.T) {
	t.Parallel()
	b := base(t)
	s := sample(dtm.English, 640)
	d := check(t, b, region(s))
	got := map[string]string{}
	for _, m := range d.Marks {
		got[m.Label] = m.Value
	}
	for label, want := range map[string]string{
		"Obock":     "5,101",   // Obock 3557 + Fontehero 1544
		"Dikhil":    "7,606",   // Yoboki 4312 + Dikhil 2404 + Galafi 890
		"Tadjourah": "≥ 3,230", // Tadjourah 3020 + PK9 210, Balho withheld
		"Arta":      "185",     // Loyada 65 + Kalakanley 120
		"Yoboki":    "",
		"Loyada":    "",
	} {
		if got[label] != want {
			t.Errorf("%s: %q, want %q", label, got[label], want)
		}
	}
	for _, c := range check(t, b, s).Circles {
		for _, o := range d.Circles {
			if c.Mark != "" && o.Mark != "" && math.Hypot(c.X-o.X, c.Y-o.Y) < 1 {
				t.Errorf("the region's circle of %s stands at %s", o.Mark, c.Mark)
			}
		}
	}
	exact := check(t, b, s)
	at := map[string]drawtest.Circle{}
	for _, c := range exact.Circles {
		at[c.Mark] = c
	}
	if at["Yoboki"].X >= at["Tadjourah"].X || at["Obock"].Y >= at["Dikhil"].Y {
		t.Error("west is not left or north is not up")
	}
}

func TestRegionAt(t *testing.T) {
	t.Parallel()
	b := base(t)
	for _, c := range []struct {
		name     string
		lon, lat float64
		want     string
	}{
		{"Obock town, on the coast", 43.2906, 11.9631, "DJ01"},
		{"Balho, at the border", 42.1956, 12.0583, "DJ02"},
		{"Galafi, at the border", 41.8361, 11.7158, "DJ03"},
		{"Djibouti city", 43.145, 11.56, "DJ04"},
		{"Ali Sabieh", 42.7125, 11.1558, "DJ05"},
		{"Arta", 42.84, 11.52, "DJ06"},
		{"Loyada", 43.2528, 11.4611, "DJ06"},
		{"Addis Ababa", 38.75, 9.03, ""},
	} {
		if got := b.RegionAt(c.lon, c.lat); got != c.want {
			t.Errorf("%s lies in %q, want %q", c.name, got, c.want)
		}
	}
}

func TestParseErrors(t *testing.T) {
	t.Parallel()
	ring := `[[[43,11],[43,12],[42,12],[43,11]]]`
	feature := func(props, geometry string) string {
		return `{"type":"FeatureCollection","features":[{"type":"Feature","properties":` + props + `,"geometry":` + geometry + `}]}`
	}
	polygon := `{"type":"Polygon","coordinates":` + ring + `}`
	for name, c := range map[string]struct{ in, want string }{
		"no JSON":       {"DJI", "not GeoJSON"},
		"no features":   {`{"type":"FeatureCollection","features":[]}`, "not a GeoJSON FeatureCollection"},
		"no code":       {feature(`{"level":0}`, polygon), "needs the property code"},
		"no level":      {feature(`{"code":"DJI"}`, polygon), "needs the property level"},
		"half a level":  {feature(`{"code":"DJI","level":0.5}`, polygon), "needs the property level"},
		"no geometry":   {feature(`{"code":"DJI","level":0}`, `null`), "has no geometry"},
		"a line":        {feature(`{"code":"DJI","level":0}`, `{"type":"LineString","coordinates":[[1,2],[3,4]]}`), "LineString"},
		"text":          {feature(`{"code":"DJI","level":0}`, `{"type":"Polygon","coordinates":"x"}`), "cannot be read"},
		"open ring":     {feature(`{"code":"DJI","level":0}`, `{"type":"Polygon","coordinates":[[[1,2],[3,4]]]}`), "four positions"},
		"metres":        {feature(`{"code":"DJI","level":0}`, `{"type":"Polygon","coordinates":[[[300000,1200000],[300000,1300000],[200000,1200000],[300000,1200000]]]}`), "longitude"},
		"point in feet": {feature(`{"code":"SAU","level":0}`, `{"type":"Point","coordinates":[4000,20]}`), "longitude"},
		"twice": {strings.Replace(feature(`{"code":"DJI","level":0}`, polygon), `"features":[`,
			`"features":[{"type":"Feature","properties":{"code":"DJI","level":0},"geometry":`+polygon+`},`, 1), "twice"},
	} {
		_, err := maps.Parse([]byte(c.in))
		if err == nil || dtm.KindOf(err) != dtm.Invalid || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an Invalid error with %q", name, err, c.want)
		}
	}
	if _, err := maps.Parse([]byte(feature(`{"code":"DJI","level":0,"name":"Djibouti"}`, polygon))); err != nil {
		t.Errorf("a plain country: %v", err)
	}
}

// The file of the pack: what a map of Djibouti needs, small enough to embed.
func TestPackBoundaries(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../operation/djibouti/boundaries.geojson")
	if err != nil {
		t.Fatal(err)
	}
	if len(raw) > 120<<10 {
		t.Errorf("boundaries.geojson has %d bytes", len(raw))
	}
	for _, code := range []string{"DJI", "ETH", "ERI", "SOM", "YEM", "SAU", "DJ01", "DJ02", "DJ03", "DJ04", "DJ05", "DJ06"} {
		if bytes.Count(raw, []byte(`"code":"`+code+`"`)) != 1 {
			t.Errorf("%s does not occur once", code)
		}
	}
	// Hargeisa is in Somalia: Somaliland is merged.
	s := sample(dtm.English, 640)
	s.Country = "SOM"
	s.Points = []maps.Point{{Code: "h", Label: "Hargeisa", Lon: 44.065, Lat: 9.56, Value: of(1)}}
	s.Flows = nil
	check(t, base(t), s)
}

func FuzzParse(f *testing.F) {
	raw, err := os.ReadFile("../../operation/djibouti/boundaries.geojson")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add([]byte(`{"type":"FeatureCollection","features":[{"properties":{"code":"A","level":0},"geometry":{"type":"MultiPolygon","coordinates":[[[[1,2],[1,3],[2,3],[1,2]]]]}}]}`))
	f.Add([]byte(`{"type":"FeatureCollection","features":[{"properties":{"code":"A","level":0},"geometry":{"type":"Polygon","coordinates":[[[1,2],[1,2],[1,2],[1,2]]]}}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		b, err := maps.Parse(raw)
		if err != nil {
			if dtm.KindOf(err) != dtm.Invalid {
				t.Fatalf("%v is not Invalid", err)
			}
			return
		}
		s := sample(dtm.English, 300)
		s.Points, s.Flows = s.Points[:3], s.Flows[:3]
		if _, err := drawtest.Parse(b.SVG(s)); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzLabels(f *testing.F) {
	b := base(f)
	f.Add(`</text><script>alert(1)</script>`, "نقطة", 43.0, 11.5, 12.0)
	f.Add("\x00\xff\u202e", strings.Repeat("W", 500), math.NaN(), math.Inf(1), math.MaxFloat64)
	f.Fuzz(func(t *testing.T, a, z string, lon, lat, v float64) {
		s := maps.Spec{ID: a, Title: z, Width: 300, Points: []maps.Point{{Code: a, Label: z, Lon: lon, Lat: lat, Value: &v}}, Flows: []maps.Flow{{From: a, To: "YEM", Value: &v}, {From: z, To: a, Suppressed: true}},
			Texts: maps.Texts{Disclaimer: a, Source: z, Sea: a}}
		if _, err := drawtest.Parse(b.SVG(s)); err != nil {
			t.Fatal(err)
		}
	})
}
