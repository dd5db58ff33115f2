package web_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
)

// TestSubjects: every subject and place has its page in each language, and every chart on
// it a finding, a table, CSV, SVG, a page of its own with a citation and an address to
// embed, where nothing runs and any site may frame it.
func TestSubjects(t *testing.T) {
	t.Parallel()
	s := site(t, 120, nil)
	key := regexp.MustCompile(`\b(?:subject|panel|place|report|word|chart)\.[a-z]+`)
	pages := map[string]int{"/flows/": 6, "/points/": 4, "/profile/": 5, "/points/obock": 5, "/regions/DJ05": 6, "/returns/": 2, "/needs/": 0, "/stranded/": 0, "/referrals/": 0}
	seen := map[string]bool{}
	for _, l := range []string{"en", "fr", "ar"} {
		for path, least := range pages {
			resp, body := get(t, s.URL+"/"+l+path+"?from=2025-03")
			if resp.StatusCode != http.StatusOK {
				t.Fatalf("%s%s: %s", l, path, resp.Status)
			}
			d, err := goquery.NewDocumentFromReader(strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			if k := key.FindString(d.Find("main").Text()); k != "" {
				t.Errorf("%s%s shows the key %q", l, path, k)
			}
			panels := d.Find(".panel")
			if panels.Length() < least || least == 0 && (panels.Length() > 0 || d.Find(".empty").Length() != 1) {
				t.Errorf("%s%s: %d charts, at least %d expected; none and a word about it where nothing was recorded", l, path, panels.Length(), least)
			}
			panels.Each(func(_ int, p *goquery.Selection) {
				id, _ := p.Attr("id")
				rows := p.Find("tbody tr").Length()
				if strings.TrimSpace(p.Find("h2").Text()) == "" || rows == 0 || p.Find("svg[role=img] title").Length() == 0 {
					t.Errorf("%s%s#%s lacks title, table or drawing", l, path, id)
				}
				if l != "en" || seen[id] {
					return
				}
				seen[id] = true
				p.Find(".links a").Each(func(_ int, a *goquery.Selection) {
					to, _ := a.Attr("href")
					resp, body := get(t, s.URL+to)
					if resp.StatusCode != http.StatusOK {
						t.Fatalf("%s: %s", to, resp.Status)
					}
					switch {
					case strings.Contains(to, ".csv"):
						if n := strings.Count(strings.TrimSpace(body), "\n"); n != rows {
							t.Errorf("%s has %d rows, the table on the page %d", to, n, rows)
						}
					case strings.Contains(to, "/chart/"):
						if !strings.Contains(body, "/en/embed/"+id) || !strings.Contains(body, "IOM") {
							t.Errorf("%s has no address to embed, or no citation", to)
						}
						resp, body := get(t, s.URL+strings.Replace(to, "/chart/", "/embed/", 1))
						if resp.StatusCode != http.StatusOK || strings.Contains(body, "<script") || !strings.Contains(resp.Header.Get("Content-Security-Policy"), "frame-ancestors *") {
							t.Errorf("%s cannot be embedded: %s", to, resp.Status)
						}
					}
				})
			})
		}
	}
	if len(seen) < 15 {
		t.Errorf("only %d charts were looked at", len(seen))
	}
	for _, path := range []string{"/en/points/nowhere", "/en/regions/DJ99", "/en/regions/DJ", "/en/chart/flows-none", "/en/data/flows-days.png"} {
		if resp, _ := get(t, s.URL+path); resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s", path, resp.Status)
		}
	}
}
