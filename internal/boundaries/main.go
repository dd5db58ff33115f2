// Command boundaries makes the base map of operation/djibouti: open boundary
// files come in, operation/djibouti/boundaries.geojson goes out. It runs at
// development time only; its output is committed.
//
//	go run ./internal/boundaries -geo ../shared/data/geo -out operation/djibouti/boundaries.geojson
//
// What it does, in this order: joins the six regions by name to their P-codes;
// decodes the neighbours from TopoJSON, Somaliland merged into Somalia as on
// maps of the United Nations; simplifies border by border, so that two
// neighbours keep the same line; clips to a box around Djibouti; adds, for
// countries beyond the box, the point that arrows run towards.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/clip"
	"github.com/paulmach/orb/planar"
)

// box is what is kept, in degrees: more than any frame around Djibouti shows.
var box = orb.Bound{Min: orb.Point{39.0, 8.6}, Max: orb.Point{46.4, 15.2}}

// tolerance of the simplification in degrees: 0.001 is about 110 m, a quarter of a pixel
// of a map of Djibouti 640 px wide.
const tolerance = 0.001

type name struct{ en, fr, ar string }

// region joins a region's name in Natural Earth to its P-code (COD-AB, valid
// from 6 December 2022) and its names.
var regions = []struct {
	from, code string
	name       name
}{
	{"Obock", "DJ01", name{"Obock", "Obock", "أوبوك"}},
	{"Tadjourah", "DJ02", name{"Tadjourah", "Tadjourah", "تاجورة"}},
	{"Dikhil", "DJ03", name{"Dikhil", "Dikhil", "دخيل"}},
	{"Djibouti", "DJ04", name{"Djibouti", "Djibouti", "جيبوتي"}},
	{"Ali Sabieh", "DJ05", name{"Ali Sabieh", "Ali Sabieh", "علي صبيح"}},
	{"Arta", "DJ06", name{"Arta", "Arta", "عرتا"}},
}

// countries by their ISO 3166-1 numeric code in world-atlas. Drawn ones are
// polygons; the others are the point that arrows run towards.
var countries = []struct {
	id    string
	code  string
	drawn bool
	name  name
}{
	{"262", "DJI", true, name{"Djibouti", "Djibouti", "جيبوتي"}},
	{"231", "ETH", true, name{"Ethiopia", "Éthiopie", "إثيوبيا"}},
	{"232", "ERI", true, name{"Eritrea", "Érythrée", "إريتريا"}},
	{"706", "SOM", true, name{"Somalia", "Somalie", "الصومال"}},
	{"887", "YEM", true, name{"Yemen", "Yémen", "اليمن"}},
	{"682", "SAU", false, name{"Saudi Arabia", "Arabie saoudite", "السعودية"}},
	{"784", "ARE", false, name{"United Arab Emirates", "Émirats arabes unis", "الإمارات العربية المتحدة"}},
	{"512", "OMN", false, name{"Oman", "Oman", "عُمان"}},
	{"634", "QAT", false, name{"Qatar", "Qatar", "قطر"}},
	{"414", "KWT", false, name{"Kuwait", "Koweït", "الكويت"}},
	{"048", "BHR", false, name{"Bahrain", "Bahreïn", "البحرين"}},
	{"404", "KEN", false, name{"Kenya", "Kenya", "كينيا"}},
	{"729", "SDN", false, name{"Sudan", "Soudan", "السودان"}},
	{"728", "SSD", false, name{"South Sudan", "Soudan du Sud", "جنوب السودان"}},
	{"800", "UGA", false, name{"Uganda", "Ouganda", "أوغندا"}},
	{"834", "TZA", false, name{"Tanzania", "Tanzanie", "تنزانيا"}},
	{"818", "EGY", false, name{"Egypt", "Égypte", "مصر"}},
	{"434", "LBY", false, name{"Libya", "Libye", "ليبيا"}},
	{"422", "LBN", false, name{"Lebanon", "Liban", "لبنان"}},
	{"760", "SYR", false, name{"Syria", "Syrie", "سوريا"}},
	{"368", "IRQ", false, name{"Iraq", "Irak", "العراق"}},
	{"148", "TCD", false, name{"Chad", "Tchad", "تشاد"}},
	{"710", "ZAF", false, name{"South Africa", "Afrique du Sud", "جنوب أفريقيا"}},
}

func main() {
	geo := flag.String("geo", "../shared/data/geo", "folder of the boundary files")
	out := flag.String("out", "operation/djibouti/boundaries.geojson", "file to write")
	flag.Parse()
	if err := run(*geo, *out); err != nil {
		fmt.Fprintln(os.Stderr, "boundaries:", err)
		os.Exit(1)
	}
}

func run(geo, out string) error {
	raw, err := os.ReadFile(filepath.Join(geo, "world-atlas-countries-10m.topo.json"))
	if err != nil {
		return err
	}
	atlas, err := decode(raw, "countries")
	if err != nil {
		return err
	}
	atlas.simplify(tolerance)
	fc := collection{Type: "FeatureCollection"}
	for _, c := range countries {
		var m orb.MultiPolygon
		if c.code == "SOM" {
			m, err = atlas.merge(func(o object) bool { return o.ID == c.id || o.Properties.Name == "Somaliland" })
		} else {
			m, err = atlas.merge(func(o object) bool { return o.ID == c.id })
		}
		if err != nil {
			return fmt.Errorf("%s: %w", c.code, err)
		}
		if !c.drawn {
			centre, _ := planar.CentroidArea(m)
			fc.add(feature(orb.Point{round(centre[0], 1), round(centre[1], 1)}, c.code, 0, c.name))
			continue
		}
		fc.add(feature(rounded(clip.MultiPolygon(box, m), 4), c.code, 0, c.name))
	}

	raw, err = os.ReadFile(filepath.Join(geo, "ne-dji-adm1.geojson"))
	if err != nil {
		return err
	}
	var adm1 struct{ Features []source }
	if err := json.Unmarshal(raw, &adm1); err != nil {
		return fmt.Errorf("ne-dji-adm1.geojson: %w", err)
	}
	for _, r := range regions {
		var m orb.MultiPolygon
		for _, f := range adm1.Features {
			list, err := f.polygons()
			if err != nil {
				return fmt.Errorf("ne-dji-adm1.geojson: %w", err)
			}
			for _, p := range list {
				if owner(f.Properties.Name, p) == r.from {
					m = append(m, p)
				}
			}
		}
		if len(m) == 0 {
			return fmt.Errorf("ne-dji-adm1.geojson has no region %q", r.from)
		}
		fc.add(feature(rounded(m, 4), r.code, 1, r.name))
	}
	b, err := json.Marshal(fc)
	if err != nil {
		return err
	}
	fmt.Printf("%s: %d features, %d bytes\n", out, len(fc.Features), len(b))
	return os.WriteFile(out, append(b, '\n'), 0o644)
}

// owner is the region a polygon of Natural Earth belongs to. The one feature
// without a name holds two groups of islands: the Seven Brothers, off Obock, and
// Moucha and Maskali, which the city of Djibouti administers.
func owner(name string, p orb.Polygon) string {
	if name != "" {
		return name
	}
	if p.Bound().Center()[1] > 12 {
		return "Obock"
	}
	return "Djibouti"
}

func round(v float64, digits int) float64 {
	p := math.Pow(10, float64(digits))
	return math.Round(v*p) / p
}

// rounded rounds every coordinate and drops points that fall together and rings
// that fall to nothing.
func rounded(m orb.MultiPolygon, digits int) orb.MultiPolygon {
	var out orb.MultiPolygon
	for _, p := range m {
		var q orb.Polygon
		for _, ring := range p {
			var r orb.Ring
			for _, pt := range ring {
				pt = orb.Point{round(pt[0], digits), round(pt[1], digits)}
				if len(r) == 0 || r[len(r)-1] != pt {
					r = append(r, pt)
				}
			}
			if len(r) >= 4 {
				q = append(q, r)
			} else if len(q) == 0 {
				break
			}
		}
		if len(q) > 0 {
			out = append(out, q)
		}
	}
	return out
}
