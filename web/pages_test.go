package web_test

import (
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"dtm"
)

// TestMethodsSayWhatThePackSays: points with the role and status of the day, the
// baseline, the dated basis of change and the threshold are on the page.
func TestMethodsSayWhatThePackSays(t *testing.T) {
	t.Parallel()
	var op *dtm.Operation
	s := site(t, 3, func(o *dtm.Operation) { op = o }) // the site's day is in January 2025
	for l, want := range map[dtm.Lang][]string{
		dtm.English: {"March 2019 to February 2020", "totals, from May 2022 on", "daily averages over calendar days, from June 2020 on", "Counts of 1 to 9 people"},
		dtm.French:  {"mars 2019 à février 2020", "les totaux, à partir de mai 2022", "à partir de juin 2020", "1 à 9 personnes"},
		dtm.Arabic:  {"من مارس 2019 إلى فبراير 2020", "اعتبارًا من مايو 2022"},
	} {
		resp, body := get(t, s.URL+"/"+string(l)+"/methods")
		doc, err := goquery.NewDocumentFromReader(strings.NewReader(body))
		if err != nil || resp.StatusCode != 200 {
			t.Fatal(err, resp.Status)
		}
		text := doc.Find("main").Text()
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("%s: %q is missing", l, w)
			}
		}
		rows := map[string][]string{}
		doc.Find("tbody tr").Each(func(_ int, tr *goquery.Selection) {
			var row []string
			tr.Find("td").Each(func(_ int, td *goquery.Selection) { row = append(row, td.Text()) })
			rows[tr.Find("th").Text()] = row
		})
		if len(rows) != len(op.Points) {
			t.Errorf("%s: %d points of %d", l, len(rows), len(op.Points))
		}
		for _, p := range op.Points {
			if len(rows[p.Name.In(l)]) != 4 {
				t.Errorf("%s: %s is %v", l, p.Name.In(l), rows[p.Name.In(l)])
			}
		}
		if l == dtm.English {
			for name, want := range map[string]string{"Obock": "Obock exit open May 2018", "Guelileh": "closed February 2021"} {
				if got := strings.Join(rows[name], " "); !strings.HasSuffix(got, want) {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
		}
	}
}

// TestEmptyChoice: where nothing was recorded the page says so, offers a way on,
// and the form shows what was chosen.
func TestEmptyChoice(t *testing.T) {
	t.Parallel()
	s := site(t, 40, nil)
	for l, want := range map[string]string{"en": "clear the filter", "fr": "effacez le filtre", "ar": "امسح التصفية"} {
		_, body := get(t, s.URL+"/"+l+"/?from=2019-01&to=2019-03&region=DJ02")
		doc, err := goquery.NewDocumentFromReader(strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if text := doc.Find(".empty").Text(); !strings.Contains(text, want) || strings.Contains(text, "dtm import") {
			t.Errorf("%s: %q", l, text)
		}
		for name, value := range map[string]string{"from": "2019-01", "to": "2019-03", "region": "DJ02"} {
			if got := doc.Find("select[name="+name+"] option[selected]").AttrOr("value", ""); got != value {
				t.Errorf("%s: %s shows %q, not %q", l, name, got, value)
			}
		}
		if doc.Find(`.filter a[href="/`+l+`/"]`).Length() != 1 {
			t.Errorf("%s: no way to clear the filter", l)
		}
	}
}

// TestBarePack: an operation that declares neither baseline nor indicators nor
// boundaries nor a threshold has whole pages, which say nothing of them.
func TestBarePack(t *testing.T) {
	t.Parallel()
	s := site(t, 40, func(o *dtm.Operation) {
		o.Baseline, o.Indicators, o.ChangeBasis, o.Boundaries, o.Threshold = dtm.Baseline{}, nil, nil, nil, 0
		o.Languages = []dtm.Lang{dtm.English}
	})
	for _, path := range []string{"/en/?from=2025-01", "/en/?from=2025-01&point=obock", "/en/methods", "/en/about", "/en/indicators/"} {
		resp, body := get(t, s.URL+path)
		if resp.StatusCode != 200 {
			t.Errorf("%s: %s", path, resp.Status)
		}
		for _, bad := range []string{"baseline is", "COVID", "Obock region", "to -1", "Français", "The change on the previous month compares"} {
			if strings.Contains(body, bad) {
				t.Errorf("%s says %q", path, bad)
			}
		}
	}
	if resp, _ := get(t, s.URL+"/fr/"); resp.StatusCode != 404 {
		t.Errorf("a language that is not offered: %s", resp.Status)
	}
	_, body := get(t, s.URL+"/en/?from=2025-01")
	if doc, err := goquery.NewDocumentFromReader(strings.NewReader(body)); err != nil || doc.Find("#map svg").Length() != 0 || doc.Find("#map tbody tr").Length() == 0 {
		t.Error("without boundaries the map's panel has its table and no drawing")
	}
}

// TestAbout: a reader learns how to cite, with the release that is shown.
func TestAbout(t *testing.T) {
	t.Parallel()
	s := site(t, 3, func(o *dtm.Operation) { o.Synthetic = true })
	for _, l := range []string{"en", "fr", "ar"} {
		resp, body := get(t, s.URL+"/"+l+"/about")
		doc, err := goquery.NewDocumentFromReader(strings.NewReader(body))
		if err != nil || resp.StatusCode != 200 {
			t.Fatal(err, resp.Status)
		}
		if cite := doc.Find("blockquote").Text(); !strings.Contains(cite, "DTM") || !strings.Contains(cite, "provisional-1-01234567") {
			t.Errorf("%s: cite %q", l, cite)
		}
		if doc.Find("h1").Length() != 1 || doc.Find(".synthetic").Length() != 1 || key.MatchString(doc.Find("body").Text()) || strings.Contains(doc.Find("body").Text(), "about.") {
			t.Errorf("%s: heading, synthetic mark or a translation is missing", l)
		}
		if doc.Find(`footer a[aria-current][href="/`+l+`/about"]`).Length() != 1 {
			t.Errorf("%s: no way here from the foot of a page", l)
		}
		if resp.Header.Get("Set-Cookie") != "" {
			t.Errorf("%s: a cookie, which the page says there is not", l)
		}
	}
}
