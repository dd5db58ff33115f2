package maps_test

import (
	"bytes"
	"flag"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"dtm"
	"dtm/disseminate/maps"
)

var update = flag.Bool("update", false, "write the golden drawings anew")

func base(t testing.TB) *maps.Base {
	t.Helper()
	raw, err := os.ReadFile("../../operation/djibouti/boundaries.geojson")
	if err != nil {
		t.Fatal(err)
	}
	b, err := maps.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func of(v float64) *float64 { return &v }

func number(l dtm.Lang) func(float64) string {
	return func(v float64) string {
		s := strconv.FormatFloat(math.Round(v), 'f', 0, 64)
		sep := ","
		if l == dtm.French {
			sep = "\u202f"
		}
		for i := len(s) - 3; i > 0; i -= 3 {
			s = s[:i] + sep + s[i:]
		}
		return s
	}
}

// sample is an invented month at real places.
func sample(l dtm.Lang, width float64) maps.Spec {
	say := func(en, fr, ar string) string {
		return dtm.Text{dtm.English: en, dtm.French: fr, dtm.Arabic: ar}.In(l)
	}
	return maps.Spec{
		ID: "flows", Width: width, Lang: l, Number: number(l),
		Title: say("Most movements lead from Ethiopia to Obock and Yemen", "La plupart des mouvements mènent d’Éthiopie à Obock et au Yémen", "معظم الحركات من إثيوبيا إلى أوبوك واليمن"),
		Points: []maps.Point{
			{Code: "obock", Label: "Obock", Lon: 43.2906, Lat: 11.9631, Approximate: true, Value: of(3557)},
			{Code: "yoboki", Label: "Yoboki", Lon: 42.1064, Lat: 11.5114, Approximate: true, Value: of(4312)},
			{Code: "tadjourah", Label: "Tadjourah", Lon: 42.8844, Lat: 11.7853, Approximate: true, Value: of(3020)},
			{Code: "alisabieh", Label: "Ali Sabieh (Ancienne Gare)", Lon: 42.7125, Lat: 11.1558, Approximate: true, Value: of(2888)},
			{Code: "dikhil", Label: "Dikhil", Lon: 42.3739, Lat: 11.1086, Approximate: true, Value: of(2404)},
			{Code: "galafi", Label: "Galafi", Lon: 41.8361, Lat: 11.7158, Value: of(890)},
			{Code: "balho", Label: "Balho", Lon: 42.1956, Lat: 12.0583, Approximate: true, Suppressed: true},
			{Code: "hollholl", Label: "Holl Holl", Lon: 42.9294, Lat: 11.3103, Approximate: true, Value: of(1620)},
			{Code: "loyada", Label: "Loyada", Lon: 43.2528, Lat: 11.4611, Approximate: true, Value: of(65)},
			{Code: "kalakanley", Label: "Kalakanley", Lon: 43.2528, Lat: 11.4611, Approximate: true, Value: of(120)},
			{Code: "guelileh", Label: "Guelileh", Lon: 42.62, Lat: 11.13, Approximate: true, Value: of(700)},
			{Code: "fontehero", Label: "Fontehero", Lon: 43.27, Lat: 11.985, Approximate: true, Value: of(1544)},
			{Code: "pk51", Label: "PK51", Value: of(312)},
			{Code: "pk9", Label: "PK9", Region: "DJ02", Value: of(210)},
		},
		Flows: []maps.Flow{
			{From: "ETH", To: "galafi", Value: of(800)}, {From: "ETH", To: "yoboki", Value: of(3900)},
			{From: "ETH", To: "dikhil", Value: of(2100)}, {From: "ETH", To: "alisabieh", Value: of(2500)},
			{From: "ETH", To: "balho", Suppressed: true}, {From: "SOM", To: "loyada", Value: of(40)},
			{From: "obock", To: "YEM", Value: of(3100)}, {From: "YEM", To: "obock", Value: of(1430)},
			{From: "tadjourah", To: "SAU", Value: of(1200)}, {From: "hollholl", To: "DJI", Value: of(300)},
			{From: "obock", To: "ETH", Value: of(700)}, {From: "UNK", To: "dikhil", Value: of(31)},
			{From: "dikhil", To: "tadjourah", Value: of(900)}, {From: "tadjourah", To: "obock", Value: of(1700)},
		},
		Texts: maps.Texts{
			Disclaimer: say("Names and boundaries shown do not imply official endorsement or acceptance by IOM.", "Les noms et frontières figurant sur cette carte n’impliquent ni reconnaissance ni acceptation officielle de la part de l’OIM.", "لا تعني الأسماء والحدود المبينة موافقة رسمية."),
			Source:     say("Boundaries: Natural Earth. Figures invented for tests.", "Limites\u202f: Natural Earth. Chiffres inventés pour les essais.", "الحدود: Natural Earth. أرقام مخترعة للاختبار."),
			Movements:  say("Movements at a point", "Mouvements à un PSF", "الحركات في النقطة"), Flow: say("Movements between places", "Mouvements entre lieux", "الحركات بين الأماكن"),
			Approximate: say("approximate position", "position approximative", "موقع تقريبي"), Somewhere: say("only the region is known", "seule la région est connue", "المنطقة فقط معروفة"), Withheld: say("fewer than 10, withheld", "moins de 10, non publié", "أقل من 10، محجوب"),
			Unplaced: say("Not on the map", "Hors de la carte", "خارج الخريطة"), Kilometre: say("km", "km", "كم"), Sea: say("Gulf of Aden", "Golfe d’Aden", "خليج عدن"),
		},
	}
}

func region(s maps.Spec) maps.Spec {
	s.Aggregate = maps.Region
	return s
}

func TestGolden(t *testing.T) {
	t.Parallel()
	b := base(t)
	for _, l := range []dtm.Lang{dtm.English, dtm.French, dtm.Arabic} {
		for _, w := range []float64{358, 640} {
			for name, s := range map[string]maps.Spec{"flows": sample(l, w), "regions": region(sample(l, w))} {
				file := filepath.Join("testdata", name+"-"+string(l)+"-"+strconv.Itoa(int(w))+".svg")
				got := b.SVG(s)
				if *update {
					if err := os.MkdirAll("testdata", 0o755); err != nil {
						t.Fatal(err)
					}
					if err := os.WriteFile(file, got, 0o644); err != nil {
						t.Fatal(err)
					}
					continue
				}
				want, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(got, want) {
					t.Errorf("%s differs; look at the drawing, then run go test ./disseminate/maps -update", file)
				}
			}
		}
	}
}

// TestDots: every record stands on the map or is counted as beyond it, points keep
// their names and no number.
func TestDots(t *testing.T) {
	t.Parallel()
	b := base(t)
	for _, l := range []dtm.Lang{dtm.English, dtm.Arabic} {
		svg, outside := b.Dots(maps.Spec{ID: "d", Title: "Where", Lang: l, Width: 358, Points: []maps.Point{{Code: "obock", Label: "Obock", Lon: 43.29, Lat: 11.96}}},
			[]maps.Dot{{Lon: 43.2, Lat: 11.9, Count: 40, Label: "a", Value: "40"}, {Lon: 42.2, Lat: 11.2, Count: 1, Label: "b", Value: "1"}, {Lon: 2.3, Lat: 48.8, Count: 7, Label: "c"}})
		if outside != 7 {
			t.Errorf("%s: %d beyond the map", l, outside)
		}
		text := string(svg)
		if strings.Count(text, `class="mark"`) != 3 || !strings.Contains(text, ">Obock<") || strings.Contains(text, "no data") {
			t.Errorf("%s: %s", l, text)
		}
	}
}
