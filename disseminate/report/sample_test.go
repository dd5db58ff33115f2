package report_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"dtm"
	"dtm/disseminate/maps"
	"dtm/disseminate/overview"
	"dtm/disseminate/report"
)

// month is a month's figures as text: an indicator and its dimensions, then one
// line a figure. All are invented, near the size of real ones.
const month = `
total_movements
19156
total_movements point
obock 3557
yoboki 4312
tadjourah 3020
alisabieh 2888
dikhil 2404
galafi 890
balho <
hollholl 1620
loyada 65
guelileh 400
total_movements month
2021-12-01 9692
2022-01-01 12011
2022-02-01 13870
2022-03-01 15102
2022-04-01 16339
2022-05-01 20882
2022-06-01 22363
2022-07-01 20214
2022-08-01 19163
2022-09-01 18773
2022-10-01 18990
2022-11-01 18234
2022-12-01 19156
active_points
11
active_points month
2021-12-01 9
2022-01-01 9
2022-02-01 9
2022-03-01 10
2022-04-01 10
2022-05-01 11
2022-06-01 11
2022-07-01 11
2022-08-01 10
2022-09-01 11
2022-10-01 11
2022-11-01 11
2022-12-01 11
daily_average
617.9
change_on_previous_month_pct
5.06
baseline_change_pct
-5.5
origin_destination previous,next
ETH DJI 9100
ETH YEM 3410
YEM ETH 704
YEM DJI 1639
ETH SAU 1200
DJI ETH 3044
SOM DJI 40
UNK DJI <
destination_share_pct next
DJI 56.3
ETH 19.6
YEM 17.8
SAU 6.3
sex_age_share_pct sex,age
male,adults 71.2
female,adults 20.4
male,children 4.9
female,children 2.1
unknown,unknown 1.4
reason_share_pct reason
economic 78.4
return 14.2
conflict 5.1
health 1.6
family <
nationality_share_pct nationality
ETH 97.3
SOM 1.5
YEM 0.8
OOO 0.4
obock_movements
3557
obock_share_pct
18.6
entries_from_ethiopia
13830
entries_from_ethiopia_change_pct
4.0
returns_from_yemen
583
`

// figures answers from month.
type figures map[string][]dtm.Figure

func read(text string) figures {
	f := figures{}
	var key string
	for line := range strings.Lines(strings.TrimSpace(text)) {
		words := strings.Fields(line)
		last := words[len(words)-1]
		var v float64
		if n, _ := fmt.Sscan(last, &v); n == 0 && last != "<" {
			key = strings.Join(words, " ")
			continue
		}
		fig := dtm.Figure{Keys: strings.FieldsFunc(strings.Join(words[:len(words)-1], ","), func(r rune) bool { return r == ',' })}
		if last == "<" {
			fig.Suppressed = true
		} else {
			fig.Value = &v
		}
		f[key] = append(f[key], fig)
	}
	return f
}

var catalogue = func() []dtm.Indicator {
	var out []dtm.Indicator
	for _, id := range []string{"total_movements", "daily_average", "active_points", "change_on_previous_month_pct", "baseline_change_pct", "origin_destination", "destination_share_pct", "sex_age_share_pct", "reason_share_pct", "nationality_share_pct"} {
		words := strings.ReplaceAll(id, "_", " ")
		out = append(out, dtm.Indicator{ID: id, Name: dtm.Text{"en": words, "fr": words + " (fr)", "ar": "مؤشر " + words}, Decimals: 0, Unit: map[bool]string{true: "percent", false: "movements"}[strings.HasSuffix(id, "_pct")],
			Definition: dtm.Text{
				"en": "Movements recorded at the points in the period, added up over all points that were active; a group that passes two points is counted at both.",
				"fr": "Mouvements enregistrés aux points pendant la période, additionnés sur tous les points actifs ; un groupe qui passe par deux points est compté aux deux.",
				"ar": "التنقلات المسجلة في النقاط خلال الفترة، مجموعة على جميع النقاط النشطة.",
			}})
	}
	return out
}()

func (f figures) Catalogue() []dtm.Indicator { return catalogue }
func (f figures) Indicator(id string) (dtm.Indicator, error) {
	for _, i := range catalogue {
		if i.ID == id {
			return i, nil
		}
	}
	return dtm.Indicator{ID: id}, nil
}
func (f figures) Table(_ context.Context, q dtm.Query) (dtm.Table, error) {
	i, err := f.Indicator(q.Indicator)
	by := q.By
	if len(by) == 0 {
		for key := range f {
			if id, dims, _ := strings.Cut(key, " "); id == q.Indicator && strings.HasSuffix(id, "_share_pct") && dims != "" {
				by = strings.Split(dims, ",")
			}
		}
	}
	key := strings.TrimSpace(q.Indicator + " " + strings.Join(by, ","))
	return dtm.Table{Indicator: i, Query: q, By: by, Figures: f[key], Basis: "total"}, err
}
func (f figures) Span(context.Context) (dtm.Period, error) {
	return dtm.ParsePeriod("2018-01", "2022-12")
}
func (f figures) Release(context.Context) (dtm.Release, error) {
	return dtm.Release{Number: "", Seq: 4711, Hash: "1a2b3c4d5e6f", At: time.Date(2023, 1, 9, 8, 0, 0, 0, time.UTC)}, nil
}

func text(en, fr, ar string) dtm.Text { return dtm.Text{"en": en, "fr": fr, "ar": ar} }

func operation(t testing.TB) *dtm.Operation {
	t.Helper()
	base, err := dtm.ParsePeriod("2019-03", "2020-02")
	if err != nil {
		t.Fatal(err)
	}
	op := &dtm.Operation{
		Code: "djibouti", Country: "DJI", Name: text("Djibouti", "Djibouti", "جيبوتي"),
		Title:      text("Displacement Tracking Matrix · Djibouti", "Matrice de suivi des déplacements · Djibouti", "مصفوفة تتبع النزوح · جيبوتي"),
		Contact:    "dtm@example.org",
		Source:     text("IOM Djibouti, DTM", "OIM Djibouti, DTM", "المنظمة الدولية للهجرة، جيبوتي"),
		Disclaimer: text("Names and boundaries shown do not imply official endorsement or acceptance by IOM.", "Les noms et frontières figurant sur cette carte n’impliquent ni reconnaissance ni acceptation officielle de la part de l’OIM.", "لا تعني الأسماء والحدود المبينة موافقة رسمية."),
		Threshold:  10, Synthetic: true,
		Areas: []dtm.Area{
			{Code: "DJ04", Level: 1, Name: text("Obock", "Obock", "أوبوك")}, {Code: "DJ05", Level: 1, Name: text("Tadjourah", "Tadjourah", "تاجورة")},
			{Code: "DJ03", Level: 1, Name: text("Dikhil", "Dikhil", "دخيل")}, {Code: "DJ02", Level: 1, Name: text("Ali Sabieh", "Ali Sabieh", "علي صبيح")}, {Code: "DJ06", Level: 1, Name: text("Arta", "Arta", "عرتا")},
		},
		Lists: map[string]dtm.CodeList{},
		Indicators: []dtm.DerivedIndicator{
			{ID: "obock_movements", Base: "total_movements", Where: map[string][]string{"region": {"DJ04"}}, Name: text("Obock", "Obock", "أوبوك")},
			{ID: "obock_share_pct", Base: "movement_share_pct", Where: map[string][]string{"region": {"DJ04"}}, Name: text("Share of Obock", "Part d’Obock", "حصة أوبوك")},
			{ID: "entries_from_ethiopia", Base: "entries", Where: map[string][]string{"previous": {"ETH"}}, Name: text("Entries from Ethiopia", "Entrées en provenance d’Éthiopie", "الدخول من إثيوبيا")},
			{ID: "entries_from_ethiopia_change_pct", Base: "entries_change_pct", Where: map[string][]string{"previous": {"ETH"}}, Name: text("Change", "Variation", "التغير")},
			{ID: "returns_from_yemen", Base: "returns", Where: map[string][]string{"previous": {"YEM"}}, Name: text("Spontaneous returns from Yemen", "Retours spontanés du Yémen", "العودة التلقائية من اليمن")},
		},
	}
	op.Baseline.Period = base
	op.Baseline.Name = text("pre-COVID average (March 2019 to February 2020)", "moyenne d’avant la COVID-19 (mars 2019 à février 2020)", "متوسط ما قبل كوفيد")
	for _, p := range []struct {
		code, en, ar, area string
		lon, lat           float64
	}{
		{"obock", "Obock", "أوبوك", "DJ04", 43.2906, 11.9631}, {"yoboki", "Yoboki", "يوبوكي", "DJ03", 42.1064, 11.5114}, {"tadjourah", "Tadjourah", "تاجورة", "DJ05", 42.8844, 11.7853},
		{"alisabieh", "Ali Sabieh (Ancienne Gare)", "علي صبيح (المحطة القديمة)", "DJ02", 42.7125, 11.1558}, {"dikhil", "Dikhil", "دخيل", "DJ03", 42.3739, 11.1086},
		{"galafi", "Galafi", "غلافي", "DJ03", 41.8361, 11.7158}, {"balho", "Balho", "بلهو", "DJ05", 42.1956, 12.0583}, {"hollholl", "Holl Holl", "هول هول", "DJ02", 42.9294, 11.3103},
		{"loyada", "Loyada", "لويادا", "DJ06", 43.2528, 11.4611}, {"guelileh", "Guelileh", "جليلة", "DJ02", 42.62, 11.13},
	} {
		op.Points = append(op.Points, dtm.Point{Code: p.code, Name: text(p.en, p.en, p.ar), Area: p.area, Lon: p.lon, Lat: p.lat, Positioned: true, Approximate: true})
	}
	list := func(name string, codes ...[4]string) {
		l := dtm.CodeList{Name: name}
		for _, c := range codes {
			l.Codes = append(l.Codes, dtm.Code{Code: c[0], Label: text(c[1], c[2], c[3])})
		}
		op.Lists[name] = l
	}
	list("country", [4]string{"DJI", "Djibouti", "Djibouti", "جيبوتي"}, [4]string{"ETH", "Ethiopia", "Éthiopie", "إثيوبيا"}, [4]string{"YEM", "Yemen", "Yémen", "اليمن"}, [4]string{"SAU", "Saudi Arabia", "Arabie saoudite", "السعودية"},
		[4]string{"SOM", "Somalia", "Somalie", "الصومال"}, [4]string{"ERI", "Eritrea", "Érythrée", "إريتريا"}, [4]string{"OOO", "Other", "Autre", "أخرى"}, [4]string{"UNK", "Not known", "Inconnu", "غير معروف"})
	list("reason", [4]string{"economic", "Economic", "Économique", "اقتصادي"}, [4]string{"return", "Return to habitual residence", "Retour à la résidence habituelle", "العودة إلى محل الإقامة المعتاد"},
		[4]string{"conflict", "Conflict", "Conflit", "نزاع"}, [4]string{"health", "Health", "Santé", "صحة"}, [4]string{"family", "Family", "Famille", "عائلة"})
	list("sex", [4]string{"unknown", "Unknown", "Inconnu", "غير معروف"})
	list("age", [4]string{"unknown", "Unknown", "Inconnu", "غير معروف"})
	return op
}

// sample is the report of month in language l.
func sample(t testing.TB, l dtm.Lang) report.Document {
	t.Helper()
	op := operation(t)
	o, err := overview.Build(t.Context(), read(month), op, overview.Filter{}, l)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile("../../operation/djibouti/boundaries.geojson")
	if err != nil {
		t.Fatal(err)
	}
	base, err := maps.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	d, err := report.FromOverview(o, op, base, catalogue)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
