package chart_test

import (
	"bytes"
	"flag"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"dtm"
	"dtm/disseminate/chart"
)

var update = flag.Bool("update", false, "write the golden drawings anew")

func some(v ...float64) []chart.Cell {
	out := make([]chart.Cell, len(v))
	for i, f := range v {
		switch {
		case math.IsNaN(f): // no observation
		case f < 0:
			out[i] = chart.Withheld()
		default:
			out[i] = chart.Of(f)
		}
	}
	return out
}

var none = math.NaN()

func english(v float64) string { return group(v, ",", ".") }
func french(v float64) string  { return group(v, "\u202f", ",") }

func group(v float64, sep, point string) string {
	s := strconv.FormatFloat(math.Abs(v), 'f', -1, 64)
	whole, rest, _ := strings.Cut(s, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + sep + whole[i:]
	}
	if rest != "" {
		whole += point + rest
	}
	if v < 0 {
		return "−" + whole
	}
	return whole
}

func options(l dtm.Lang, width float64) chart.Options {
	o := chart.Options{Width: width, Lang: l, Number: english, Titled: true}
	if l == dtm.French {
		o.Number = french
	}
	return o
}

func say(l dtm.Lang, en, fr, ar string) string {
	return dtm.Text{dtm.English: en, dtm.French: fr, dtm.Arabic: ar}.In(l)
}

func steps(l dtm.Lang) []chart.Step {
	months := strings.Fields(say(l, "Dec Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec",
		"déc. janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.",
		"ديسمبر يناير فبراير مارس أبريل مايو يونيو يوليو أغسطس سبتمبر أكتوبر نوفمبر ديسمبر"))
	out := make([]chart.Step, len(months))
	for i, m := range months {
		out[i] = chart.Step{Label: m, Group: "2022", Name: m + " 2022"}
		if i == 0 {
			out[i].Group, out[i].Name = "2021", m+" 2021"
		}
	}
	return out
}

// days are two months of days, some withheld, some without observation.
func days() (out []chart.Day) {
	for i := range 60 {
		d := chart.Day{At: time.Date(2022, 11, 1+i, 0, 0, 0, 0, time.UTC)}
		d.Name = d.At.Format("2 January 2006")
		switch {
		case i%17 == 3:
			d.Cell = chart.Withheld()
		case i%13 != 5:
			d.Cell = chart.Of(float64((i * 37) % 211))
		}
		out = append(out, d)
	}
	return out
}

// samples are invented figures of the kinds that a month's report draws.
func samples(l dtm.Lang) map[string]chart.Chart {
	f := func(v float64) *float64 { return &v }
	source := say(l, "Source: IOM DTM Djibouti, invented figures for tests.", "Source : OIM DTM Djibouti, chiffres inventés pour les essais.", "المصدر: أرقام مخترعة للاختبار.")
	source = strings.ReplaceAll(source, "Source :", "Source\u202f:")
	sub := func(en, fr, ar string) string { return say(l, en, fr, ar) }
	age := []string{sub("0–4", "0–4 ans", "0–4"), sub("5–17", "5–17 ans", "5–17"), sub("18–59", "18–59 ans", "18–59"), sub("60 and over", "60 ans et plus", "60 فأكثر"), sub("Age unknown", "Âge inconnu", "العمر غير معروف")}
	women, men, unknown := sub("Women and girls", "Femmes et filles", "النساء والفتيات"), sub("Men and boys", "Hommes et garçons", "الرجال والفتيان"), sub("Sex unknown", "Sexe inconnu", "الجنس غير معروف")
	return map[string]chart.Chart{
		"bars": chart.Bars{
			Head: chart.Head{ID: "points", Source: source,
				Title:    sub("Yoboki and Obock saw two of five movements", "Yoboki et Obock concentrent deux mouvements sur cinq", "سجّلت يوبوكي وأوبوك حركتين من كل خمس"),
				Subtitle: sub("Movements observed by point, December 2022, 9 active points", "Mouvements observés par PSF, décembre 2022, 9 PSF actifs", "الحركات المرصودة حسب النقطة، ديسمبر 2022")},
			Axis: "Point", Measure: sub("Movements", "Mouvements", "الحركات"), ReferenceLabel: sub("November 2022", "novembre 2022", "نوفمبر 2022"),
			Items: []chart.Bar{
				{Label: "Yoboki", Cell: chart.Of(4312), Note: "23%", Tone: chart.Accented, Reference: chart.Of(3900)},
				{Label: "Obock", Cell: chart.Of(3557), Note: "19%", Reference: chart.Of(4100)},
				{Label: "Tadjourah", Cell: chart.Of(3020), Note: "16%", Reference: chart.Of(2800)},
				{Label: "Ali Sabieh (Ancienne Gare)", Cell: chart.Of(2888), Note: "15%", Reference: chart.Of(2888)},
				{Label: "Dikhil", Cell: chart.Of(2404), Note: "13%"},
				{Label: "Holl Holl", Cell: chart.Of(1620), Note: "8%"},
				{Label: "Galafi", Cell: chart.Of(890), Note: "5%", Tone: chart.Quiet},
				{Label: "Balho", Cell: chart.Withheld()},
				{Label: "Loyada", Cell: chart.Cell{}},
				{Label: sub("Point not recorded", "Point non indiqué", "نقطة غير مسجلة"), Cell: chart.Of(265), Unknown: true},
			},
		},
		"stacked": chart.Stacked{
			Head: chart.Head{ID: "ages", Source: source,
				Title:    sub("Four in five people on the move are men", "Quatre personnes sur cinq sont des hommes", "أربعة من كل خمسة رجال"),
				Subtitle: sub("Movements by age and sex, December 2022", "Mouvements par âge et sexe, décembre 2022", "الحركات حسب العمر والجنس، ديسمبر 2022")},
			Axis: "Age", Series: []string{women, men, unknown}, UnknownSeries: 3, TotalLabel: "Total",
			Rows: []chart.Row{
				{Label: age[0], Cells: some(120, 131, 0)},
				{Label: age[1], Cells: some(1240, 2120, 40)},
				{Label: age[2], Cells: some(2480, 12230, 300)},
				{Label: age[3], Cells: some(-1, 88, -1)},
				{Label: age[4], Cells: some(12, 45, 350), Unknown: true},
			},
		},
		"share": chart.Stacked{
			Head: chart.Head{ID: "share", Source: source, Title: sub("Children are a larger share at Obock", "La part des enfants est plus forte à Obock", "نسبة الأطفال أعلى في أوبوك")},
			Axis: "Point", Series: []string{age[0], age[1], age[2], age[3], age[4]}, UnknownSeries: 5, Mode: chart.Share,
			Rows: []chart.Row{
				{Label: "Obock", Cells: some(220, 731, 2200, 60, 120)},
				{Label: "Yoboki", Cells: some(100, 400, 3700, 112, 10)},
				{Label: "Ali Sabieh (Ancienne Gare)", Cells: some(-1, 300, 2560, -1, 0)},
			},
		},
		"group": chart.Stacked{
			Head: chart.Head{ID: "group", Source: source, Title: sub("Men outnumber women in every age group", "Les hommes sont plus nombreux à tout âge", "الرجال أكثر في كل فئة")},
			Axis: "Age", Series: []string{women, men, unknown}, UnknownSeries: 3, Mode: chart.Group,
			Rows: []chart.Row{
				{Label: age[1], Cells: some(1240, 2120, 40)},
				{Label: age[2], Cells: some(2480, 12230, 300)},
				{Label: age[3], Cells: some(-1, 88, none)},
			},
		},
		"trend": chart.Trend{
			Head: chart.Head{ID: "trend", Source: source,
				Title:    sub("Movements stayed above the pre-COVID mean all year", "Les mouvements restent au-dessus de la moyenne d’avant la COVID-19", "بقيت الحركات فوق المتوسط"),
				Subtitle: sub("Movements observed a month, December 2021 to December 2022", "Mouvements observés par mois, de décembre 2021 à décembre 2022", "الحركات المرصودة شهرياً")},
			Axis: sub("Month", "Mois", "الشهر"), Steps: steps(l),
			Lines:    []chart.Line{{Label: sub("Movements", "Mouvements", "الحركات"), Cells: some(14210, 13876, 15020, 17230, 21080, 19800, none, 12400, none, none, 16320, 17140, 19156)}},
			Band:     &chart.Range{Label: sub("expected range, 95%", "intervalle attendu à 95\u202f%", "المدى المتوقع 95%"), Low: lows(11000, 13), High: lows(18500, 13)},
			Baseline: &chart.Level{Label: sub("2019 monthly mean", "Moyenne mensuelle 2019", "متوسط 2019"), Cell: chart.Of(12630)},
			Strip:    &chart.Strip{Label: sub("Active points", "Points actifs", "النقاط النشطة"), Cells: some(9, 9, 10, 10, 10, 9, 0, 7, 0, 0, 8, 9, 9)},
			Marks:    []chart.Moment{{Step: 6, Label: sub("Points closed", "PSF fermés", "إغلاق النقاط")}},
		},
		"lines": chart.Trend{
			Head: chart.Head{ID: "lines", Source: source, Title: sub("On a constant panel the rise is smaller", "À panel constant, la hausse est plus faible", "على أساس ثابت الارتفاع أقل")},
			Axis: "Month", Steps: steps(l), Floating: true,
			Lines: []chart.Line{
				{Label: sub("All points", "Tous les PSF", "كل النقاط"), Cells: some(14210, 13876, 15020, 17230, 21080, 19800, 18400, 17400, 16800, 16000, 16320, 17140, 19156), Forecast: 11},
				{Label: sub("Constant panel", "Panel constant", "نقاط ثابتة"), Cells: some(13210, 12876, 13020, 15230, 17080, -1, 15400, 14400, 14800, 14000, 14320, 14140, 14156)},
			},
		},
		"heat": chart.Heat{
			Head: chart.Head{ID: "od", Source: source, Title: sub("Most people left Ethiopia for Saudi Arabia", "La plupart vont d’Éthiopie vers l’Arabie saoudite", "معظمهم من إثيوبيا إلى السعودية"), Subtitle: sub("Movements by country of departure and of destination", "Mouvements par pays de départ et de destination", "حسب بلد المغادرة والوجهة")},
			Axis: sub("From", "De", "من"), Across: sub("To", "Vers", "إلى"), Measure: "Movements",
			Rows:    []string{sub("Ethiopia", "Éthiopie", "إثيوبيا"), sub("Somalia", "Somalie", "الصومال"), sub("Yemen", "Yémen", "اليمن"), "Djibouti"},
			Columns: []string{"Djibouti", sub("Ethiopia", "Éthiopie", "إثيوبيا"), sub("Saudi Arabia", "Arabie saoudite", "السعودية"), sub("Yemen", "Yémen", "اليمن"), sub("United Arab Emirates", "Émirats arabes unis", "الإمارات"), sub("Unknown", "Inconnu", "غير معروف")},
			Cells: [][]chart.Cell{
				some(1205, none, 9820, 1410, -1, 220),
				some(310, -1, 102, 88, none, -1),
				some(45, 1730, -1, none, none, 12),
				some(none, 3120, 640, 230, 18, 31),
			},
			Totals: &chart.HeatSums{Rows: some(12662, 509, 1790, 4039), Columns: some(1560, 4856, 10565, 1728, 25, 266), All: chart.Of(19000)},
		},
		"pyramid": chart.Pyramid{
			Head: chart.Head{ID: "pyramid", Source: source, Title: sub("Four in five people on the move are men", "Quatre personnes sur cinq sont des hommes", "أربعة من كل خمسة رجال")},
			Axis: "Age", Left: women, Right: men,
			Rows: []chart.PyramidRow{
				{Label: age[3], Left: chart.Withheld(), Right: chart.Of(88)},
				{Label: age[2], Left: chart.Of(2480), Right: chart.Of(12230)},
				{Label: age[1], Left: chart.Of(1240), Right: chart.Of(2120)},
				{Label: age[0], Left: chart.Of(120), Right: chart.Cell{}},
				{Label: age[4], Left: chart.Of(210), Right: chart.Of(620), Unknown: true},
			},
			Unknown: &chart.Bar{Label: unknown, Cell: chart.Of(690)},
		},
		"multiples": chart.Multiples{
			Head: chart.Head{ID: "multiples", Source: source, Title: sub("Obock rises while Galafi falls silent", "Obock augmente, Galafi se tait", "أوبوك ترتفع وغالافي صامتة")},
			Axis: "Month", Steps: steps(l),
			Panels: []chart.Panel{
				{Label: "Obock", Note: sub("31 of 31 days", "31 jours sur 31", "31 من 31 يوماً"), Cells: some(2210, 2876, 2020, 3230, 4080, 3800, 2400, 2400, 2800, 3000, 3320, 3140, 3557), Band: &chart.Range{Label: sub("expected, 95%", "attendu, 95\u202f%", "متوقع 95%"), Low: lows(2000, 13), High: lows(3800, 13)}},
				{Label: "Yoboki", Cells: some(3210, 2876, 3020, 3230, none, none, 3400, 3400, -1, 3000, 3320, 4140, 4312)},
				{Label: "Galafi", Cells: some(900, 870, none, 40, none, 200, none, none, none, none, none, none, none)},
				{Label: "Ali Sabieh (Ancienne Gare)", Cells: some(1210, 1876, 1020, 1230, 1080, 1800, 1400, 1400, 1800, 1000, 2320, 2140, 2888)},
				{Label: "Loyada", Cells: some(-1, -1, none, none, none, none, none, none, none, none, none, none, none)},
			},
		},
		"sankey": chart.Sankey{
			Head: chart.Head{ID: "sankey", Source: source, Title: sub("Most came from Ethiopia", "La plupart venaient d’Éthiopie", "جاء معظمهم من إثيوبيا"), Subtitle: sub("Movements, December 2022", "Mouvements, décembre 2022", "الحركات، ديسمبر 2022")},
			From: sub("From", "De", "من"), To: sub("To", "Vers", "إلى"), Measure: sub("Movements", "Mouvements", "الحركات"),
			Links: []chart.Link{{From: "Ethiopia", To: "Saudi Arabia", Cell: chart.Of(4607)}, {From: "Ethiopia", To: "Yemen", Cell: chart.Of(3575)}, {From: "Ethiopia", To: "Djibouti", Cell: chart.Of(2452)},
				{From: "Yemen", To: "Ethiopia", Cell: chart.Of(355)}, {From: "Somalia", To: "Djibouti", Cell: chart.Withheld()}, {From: "Eritrea", To: "Yemen", Cell: chart.Cell{Value: f(40), About: true}}, {From: "Sudan", To: "Yemen"}},
		},
		"calendar": chart.Calendar{
			Head: chart.Head{ID: "calendar", Source: source, Title: sub("Most on 5 December", "Le plus le 5 décembre", "الأكثر في 5 ديسمبر"), Subtitle: sub("Movements by day", "Mouvements par jour", "الحركات حسب اليوم")},
			Axis: sub("Day", "Jour", "اليوم"), Measure: sub("movements", "mouvements", "حركة"), Weekdays: [7]string{sub("Mo", "lu", "ن"), sub("Tu", "ma", "ث"), sub("We", "me", "ر"), sub("Th", "je", "خ"), sub("Fr", "ve", "ج"), sub("Sa", "sa", "س"), sub("Su", "di", "ح")},
			Months: []chart.MonthName{{First: time.Date(2022, 11, 1, 0, 0, 0, 0, time.UTC), Name: sub("November 2022", "novembre 2022", "نوفمبر 2022")}, {First: time.Date(2022, 12, 1, 0, 0, 0, 0, time.UTC), Name: sub("December 2022", "décembre 2022", "ديسمبر 2022")}},
			Days:   days(),
		},
		"empty": chart.Bars{Head: chart.Head{ID: "empty", Title: sub("No movements were recorded in this period", "Aucun mouvement enregistré sur la période", "لم تُسجل حركات")}},
		"one":   chart.Trend{Head: chart.Head{ID: "one", Title: "One month"}, Steps: steps(l)[:1], Lines: []chart.Line{{Label: "x", Cells: []chart.Cell{{Value: f(12)}}}}},
	}
}

func lows(v float64, n int) []*float64 {
	out := make([]*float64, n)
	for i := range out {
		x := v * (1 + 0.1*math.Sin(float64(i)/2))
		out[i] = &x
	}
	return out
}

var widths = []float64{358, 640}
var languages = []dtm.Lang{dtm.English, dtm.French, dtm.Arabic}

func TestGolden(t *testing.T) {
	t.Parallel()
	for _, l := range languages {
		for name, c := range samples(l) {
			for _, w := range widths {
				file := filepath.Join("testdata", name+"-"+string(l)+"-"+strconv.Itoa(int(w))+".svg")
				got := c.SVG(options(l, w))
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
					t.Errorf("%s differs; look at the drawing, then run go test ./disseminate/chart -update", file)
				}
			}
		}
	}
}

// TestWidestLabelIsWhole: the column of labels is as wide as the widest of them,
// which must not lose its end to the rounding of that width.
func TestWidestLabelIsWhole(t *testing.T) {
	t.Parallel()
	for _, label := range []string{"رجال", "نساء", "أولاد", "Ali Sabieh", "Hommes", "Women", "Insécurité", "علي صبيح", "Obock"} {
		for _, l := range []dtm.Lang{dtm.English, dtm.Arabic} {
			b := chart.Bars{Items: []chart.Bar{{Label: label, Cell: chart.Of(5)}}}
			if svg := string(b.SVG(chart.Options{Lang: l})); strings.Contains(svg, "…") {
				t.Errorf("%s in %s is cut", label, l)
			}
		}
	}
}
