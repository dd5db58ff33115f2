//go:build !race

package main

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/xuri/excelize/v2"

	"dtm"
	"dtm/analyse/release"
	"dtm/serve"
)

// planted are the small counts of TestNoOtherWay. Everything in its month is four
// orders of magnitude larger than life, the threshold too, so that a planted count is
// told from every other number wherever it stands: in a drawing, a page, a table.
var planted = map[string]int{
	"at a point": 73_331, "of a pair": 61_717, "of a cell of sex and age": 54_127, "of a reason": 38_923, "of a nationality": 47_293,
}

const plantedThreshold = 100_000

// plantedMonth are the registry's two files.
func plantedMonth() (bySexAge, byNationality string) {
	type row struct {
		point, movement, previous, next, sex, age, nat string
		n                                              int
		conflict                                       bool
	}
	rows := []row{
		{"Obock", "outgoing", "ETH", "YEM", "male", "adults", "ETH", 6_150_003, false},
		{"Obock", "incoming", "YEM", "ETH", "male", "adults", "ETH", 2_310_009, false},
		{"Galafi (DJI)", "incoming", "ETH", "DJI", "male", "adults", "ETH", 4_420_027, false},
		{"Galafi (DJI)", "incoming", "ETH", "SAU", "female", "adults", "ETH", 1_870_081, false},
		{"Galafi (DJI)", "incoming", "SOM", "DJI", "male", "adults", "SOM", planted["of a pair"], false},
		{"Galafi (DJI)", "incoming", "SOM", "SAU", "male", "adults", "SOM", 940_243, false},
		{"Dikhil", "incoming", "ETH", "DJI", "male", "adults", "ETH", 3_330_729, false},
		{"Dikhil", "incoming", "ETH", "DJI", "female", "children", "ETH", planted["of a cell of sex and age"], false},
		{"Yoboki", "incoming", "ETH", "DJI", "male", "adults", "ETH", 2_122_187, false},
		{"Yoboki", "incoming", "ETH", "DJI", "male", "adults", "ETH", planted["of a reason"], true},
		{"Yoboki", "outgoing", "DJI", "ETH", "male", "adults", "ERI", planted["of a nationality"], false},
		{"Yoboki", "outgoing", "DJI", "ETH", "male", "children", "DJI", 806_561, false},
		{"Loyada", "incoming", "ETH", "DJI", "male", "adults", "ETH", planted["at a point"], false},
	}
	var a, b strings.Builder
	a.WriteString("month,fmp,movement,previous,next,sex,age,n,reason_economic,reason_conflict\n")
	b.WriteString("month,fmp,movement,previous,next,nat,n,reason_economic,reason_conflict\n")
	for _, r := range rows {
		economic, conflict := 1, 0
		if r.conflict {
			economic, conflict = 0, 1
		}
		fmt.Fprintf(&a, "2022-12,%s,%s,%s,%s,%s,%s,%d,%d,%d\n", r.point, r.movement, r.previous, r.next, r.sex, r.age, r.n, economic, conflict)
		fmt.Fprintf(&b, "2022-12,%s,%s,%s,%s,%s,%d,%d,%d\n", r.point, r.movement, r.previous, r.next, r.nat, r.n, economic, conflict)
	}
	fmt.Fprintf(&a, "2022-11,Obock,outgoing,ETH,YEM,male,adults,5000001,1,0\n")
	fmt.Fprintf(&b, "2022-11,Obock,outgoing,ETH,YEM,ETH,5000001,1,0\n")
	return a.String(), b.String()
}

// filters are what a reader may choose on a page or of the API.
var filters = []string{"", "&point=obock", "&point=loyada", "&point=galafi", "&point=yoboki", "&region=DJ01", "&region=DJ05", "&direction=incoming", "&direction=outgoing", "&point=yoboki&direction=outgoing", "&region=DJ02&direction=incoming"}

// ways are the addresses of each route that anybody may ask for, or somebody with the
// least right to: how every figure of the month leaves. A route that is not here fails
// the test.
func ways(catalogue []dtm.Indicator) map[string][]string {
	var ids, data, figures, workshop []string
	for _, i := range catalogue {
		ids = append(ids, i.ID)
		for _, by := range append([]string{""}, i.By...) {
			for _, where := range []string{"", "direction%3Dincoming"} {
				workshop = append(workshop, "?from=2022-12&to=2022-12&indicator="+i.ID+"&by="+by+"&where="+where)
			}
		}
		for _, ext := range []string{"csv", "json"} {
			for _, f := range filters {
				for _, period := range []string{"from=2022-12", "from=2022-11&to=2022-12"} {
					figures = append(figures, i.ID+"/figures."+ext+"?"+period+f)
				}
			}
			for _, by := range []string{"month", "point", "region", "direction", "previous", "next"} {
				if slices.Contains(i.By, by) {
					for _, f := range []string{"", "&region=DJ05", "&direction=incoming"} {
						figures = append(figures, i.ID+"/figures."+ext+"?from=2022-11&to=2022-12&by="+by+f, i.ID+"/figures."+ext+"?from=2022-12&release=provisional&by="+by+f)
					}
				}
			}
		}
	}
	for _, panel := range []string{"trend", "map", "points", "sexage", "reasons", "od", "nationality"} {
		for _, ext := range []string{"csv", "svg"} {
			for _, f := range filters {
				data = append(data, "/en/data/"+panel+"."+ext+"?from=2022-12"+f)
			}
		}
	}
	places := map[string][]string{"points": {"obock", "loyada", "galafi", "yoboki", "dikhil"}, "regions": {"DJ01", "DJ02", "DJ05"}}
	var place []string
	for kind, codes := range places {
		for _, code := range codes {
			place = append(place, "/en/"+kind+"/"+code+"?from=2022-12", "/fr/"+kind+"/"+code+"?from=2022-11&to=2022-12")
		}
	}
	subject := func(name string) []string {
		return []string{"/en/" + name + "/?from=2022-12", "/fr/" + name + "/?from=2022-11&to=2022-12", "/en/" + name + "/?from=2022-12&release=provisional"}
	}
	var charts, embeds []string
	for _, panel := range []string{"trend", "map", "flows-ways", "flows-sankey", "flows-directions", "flows-days", "points-months", "profile-pyramid", "profile-transport", "profile-vulnerable", "profile-alone", "returns-months-returns-from-yemen"} {
		for _, f := range filters {
			charts, embeds = append(charts, "/en/chart/"+panel+"?from=2022-12"+f), append(embeds, "/en/embed/"+panel+"?from=2022-12"+f)
			data = append(data, "/en/data/"+panel+".csv?from=2022-12"+f)
		}
		data = append(data, "/en/data/"+panel+".svg?from=2022-12", "/en/data/"+panel+".png?from=2022-12")
	}
	for _, panel := range []string{"warning", "warning?point=yoboki", "warning?point=loyada", "outlook", "outlook?step=week", "archive", "network?from=2022-12", "network?from=2022-11&to=2022-12", "network-yemen_arrivals"} {
		id, q, _ := strings.Cut(panel, "?")
		charts, embeds = append(charts, "/en/chart/"+panel), append(embeds, "/fr/embed/"+panel)
		for _, ext := range []string{".csv?", ".svg?", ".png?"} {
			data = append(data, "/en/data/"+id+ext+q)
		}
	}
	sheets := []string{"", "$metadata", "points", "areas", "codes", "presence", "flows", "flows/$count", "flows?release=provisional"}
	for _, f := range filters {
		for _, by := range []string{"", "&by=month", "&by=point", "&by=region", "&by=direction", "&by=previous", "&by=next"} {
			sheets = append(sheets, "figures?from=2022-12"+f+by)
		}
		sheets = append(sheets, "flows?from=2022-12"+f, "flows?from=2022-11&to=2022-12"+f)
	}
	each := func(before string, list []string, after string) (out []string) {
		for _, s := range list {
			out = append(out, before+s+after)
		}
		return out
	}
	parts := []string{"manifest.json", release.PartFigures, release.PartWithheld, release.PartPattern, release.PartCells, release.PartFacts, release.PartMonths, release.PartChecks, "report-en.pdf", "report-fr.pdf"}
	w := map[string][]string{
		"/":                                  {"/"},
		"GET /":                              {"/nothing"},
		"GET /{$}":                           {"/"},
		"GET /LANG/{$}":                      append(each("/en/?from=2022-12", filters, ""), "/fr/", "/ar/", "/en/?from=2022-12&release=provisional", "/en/?from=2022-11&to=2022-12"),
		"GET /LANG/about":                    {"/en/about"},
		"GET /LANG/chart/{id}":               charts,
		"GET /LANG/embed/{id}":               embeds,
		"GET /LANG/flows/{$}":                append(subject("flows"), each("/en/flows/?from=2022-12", filters, "")...),
		"GET /LANG/points/{$}":               subject("points"),
		"GET /LANG/points/{code}":            place,
		"GET /LANG/regions/{code}":           place,
		"GET /LANG/profile/{$}":              subject("profile"),
		"GET /LANG/needs/{$}":                subject("needs"),
		"GET /LANG/stranded/{$}":             subject("stranded"),
		"GET /LANG/returns/{$}":              subject("returns"),
		"GET /LANG/referrals/{$}":            subject("referrals"),
		"GET /LANG/methods":                  {"/en/methods"},
		"GET /LANG/network/{$}":              {"/en/network/", "/fr/network/?from=2022-12&to=2022-12", "/en/network/?from=2022-11&to=2022-12"},
		"GET /LANG/data/{$}":                 {"/en/data/"},
		"GET /LANG/data/{file}":              data,
		"GET /LANG/indicators/{$}":           {"/en/indicators/"},
		"GET /LANG/indicators/{id}":          each("/en/indicators/", ids, ""),
		"GET /LANG/outlook/{$}":              {"/en/outlook/", "/en/outlook/?step=week", "/en/outlook/?step=week&by=point", "/en/outlook/?by=route", "/en/outlook/?point=yoboki"},
		"GET /LANG/outlook/archive/{$}":      {"/en/outlook/archive/", "/en/outlook/archive/?by=point"},
		"GET /LANG/outlook/archive.csv":      {"/en/outlook/archive.csv", "/en/outlook/archive.csv?by=point"},
		"GET /LANG/staff/account/app":        {"/en/staff/account/app"},
		"GET /LANG/staff/invitation/{token}": {"/en/staff/invitation/none"},
		"GET /LANG/staff/second":             {"/en/staff/second"},
		"GET /LANG/staff/needs/{$}":          {"/en/staff/needs/?month=2022-12"},
		"GET /LANG/staff/workshop/{$}":       each("/en/staff/workshop/", workshop, ""),
		"GET /LANG/staff/workshop/table.csv": each("/en/staff/workshop/table.csv", workshop, ""),
		"GET /s/{token}":                     {"/s/none"},
		"GET /LANG/shared/{token}":           {"/en/shared/none"},
		"GET /LANG/staff/view/{$}":           {"/en/staff/view/?month=2022-12"},
		"GET /LANG/stop/{token}":             {"/en/stop/none"},
		"GET /LANG/staff/subscriptions/{$}":  {"/en/staff/subscriptions/"},
		"GET /LANG/warning/{$}":              {"/en/warning/", "/en/warning/?by=route", "/en/warning/?point=yoboki"},
		"GET /LANG/releases/{$}":             {"/en/releases/"},
		"GET /LANG/releases/{month}/{n}":     {"/en/releases/2022-12/1"},
		"GET /LANG/report/{file}": {"/en/report/2022-12.pdf", "/fr/report/2022-12.pdf", "/en/report/2022-12.pdf?release=provisional", "/en/report/annual-2022.pdf", "/en/report/stranded-2022-12.pdf", "/en/report/tables-2022-12.pdf", "/en/report/weekly-2022-W50.pdf",
			"/en/report/point-yoboki-2022-12.pdf", "/en/report/point-loyada-2022-12.pdf", "/en/report/partner-unicef-2022-12.pdf", "/en/report/partner-insd-2022-12.pdf", "/en/report/partner-unhcr-2022-12.pdf", "/en/report/partner-iom-2022-12.pdf"},
		"GET /LANG/reports/{$}":            {"/en/reports/", "/en/reports/?to=2022-12"},
		"GET /LANG/staff/signin":           {"/en/staff/signin"},
		"GET /staff/{rest...}":             {"/staff/"},
		"GET /asset/{file...}":             {"/asset/none"},
		"GET /api/v1/":                     {"/api/v1/none"},
		"GET /api/v1/{$}":                  {"/api/v1/"},
		"GET /api/v1/catalog.jsonld":       {"/api/v1/catalog.jsonld"},
		"GET /api/v1/openapi.json":         {"/api/v1/openapi.json"},
		"GET /v3/displacement/{list}":      {"/v3/displacement/country-list", "/v3/displacement/operation-list", "/v3/displacement/admin0?Admin0Pcode=DJI", "/v3/displacement/admin1?Admin0Pcode=DJI", "/v3/displacement/admin2?Admin0Pcode=DJI"},
		"GET /api/v1/odata.pbids":          {"/api/v1/odata.pbids"},
		"GET /api/v1/odata.odc":            {"/api/v1/odata.odc"},
		"GET /api/v1/odata/{rest...}":      each("/api/v1/odata/", sheets, ""),
		"GET /api/v1/indicators":           {"/api/v1/indicators"},
		"GET /api/v1/indicators/{id}":      each("/api/v1/indicators/", ids, ""),
		"GET /api/v1/releases":             {"/api/v1/releases"},
		"GET /api/v1/releases/{month}/{n}": {"/api/v1/releases/2022-12/1"},
		"GET /healthz":                     {"/healthz"},
		"GET /readyz":                      {"/readyz"},
		"GET /metrics":                     {"/metrics"},
		// Forms of the browser: nothing of what was counted.
		"GET /entry": {"/entry"}, "GET /entry/{$}": {"/entry/"}, "GET /entry/try": {"/entry/try"}, "GET /entry/sw.js": {"/entry/sw.js"},
		"GET /entry/asset/{file}": {"/entry/asset/none"}, "GET /entry/manifest.webmanifest": {"/entry/manifest.webmanifest"},
		"/v1/test/{token}/projects/{project}/forms/{form}/draft/{rest...}": {"/v1/test/none/projects/1/forms/none/draft/formList"},
		// With the least right.
		"GET /LANG/staff/{$}": {"/en/staff/"}, "GET /LANG/staff/account/{$}": {"/en/staff/account/"},
		"GET /v1/sessions/restore": {"/v1/sessions/restore"}, "GET /v1/users/current": {"/v1/users/current"},
	}
	for _, id := range []string{"flows", "presence", "points", "areas", "codes"} {
		for _, format := range []string{"json", "csv", "xlsx", "parquet", "geojson"} {
			if format == "geojson" && id != "points" && id != "areas" {
				continue
			}
			at := "/api/v1/" + id + "." + format
			w["GET "+at] = []string{at}
			if id == "flows" {
				w["GET "+at] = append(each(at+"?limit=10000&from=2022-12", filters, ""), at+"?from=2022-11&to=2022-12", at+"?from=2022-12&release=provisional", at+"?limit=10000")
			}
		}
	}
	for _, i := range catalogue {
		for _, ext := range []string{"xlsx", "parquet"} {
			figures = append(figures, i.ID+"/figures."+ext+"?from=2022-12")
			if slices.Contains(i.By, "point") {
				figures = append(figures, i.ID+"/figures."+ext+"?from=2022-12&by=point", i.ID+"/figures."+ext+"?from=2022-12&release=provisional&by=point")
			}
		}
	}
	w["GET /api/v1/indicators/{id}/{figures}"] = each("/api/v1/indicators/", figures, "")
	w["GET /LANG/releases/{month}/{n}/{file}"] = each("/en/releases/2022-12/1/", parts, "")
	w["GET /api/v1/releases/{month}/{n}/{part}"] = each("/api/v1/releases/2022-12/1/", parts, "")
	return w
}

// given finds planted counts, and the month's total without one of them, as they are
// written in any of the languages.
type given map[string]written

// written is a number as it is written: its groups of digits, and a search for them with
// what may stand between. The search is slow, and most texts lack one of the groups.
type written struct {
	groups []string
	with   *regexp.Regexp
}

func (w written) in(text string) bool {
	for _, g := range w.groups {
		if !strings.Contains(text, g) {
			return false
		}
	}
	return w.with.MatchString(text)
}

func newGiven(total int) given {
	g := given{}
	for what, n := range planted {
		for name, v := range map[string]int{"the count " + what: n, "all but the count " + what: total - n} {
			s := fmt.Sprint(v)
			var groups []string
			for len(s) > 3 {
				groups = append([]string{s[len(s)-3:]}, groups...)
				s = s[:len(s)-3]
			}
			groups = append([]string{s}, groups...)
			g[name] = written{groups, regexp.MustCompile(`(^|[^0-9a-f.])` + strings.Join(groups, "") + `($|[^0-9a-f])|` +
				`(^|[^0-9a-f,.\x{202f}\x{a0}])` + strings.Join(groups, `(?:[,.\x{202f}\x{a0}\x{2009} ]|&nbsp;|&#160;|&#8239;)`) + `($|[^0-9a-f])`)}
		}
	}
	return g
}

func (g given) in(text string) []string {
	var out []string
	for what, w := range g {
		if w.in(text) {
			out = append(out, what)
		}
	}
	return out
}

// TestNoOtherWay walks every address that anybody may ask for, found from the router
// itself, over a month with planted small counts, and every command that prints what is
// published: none gives one away.
func TestNoOtherWay(t *testing.T) {
	t.Parallel()
	pack := filepath.Join(t.TempDir(), "pack")
	if err := os.CopyFS(pack, os.DirFS(filepath.Join("..", "..", "operation", "djibouti"))); err != nil {
		t.Fatal(err)
	}
	settings := filepath.Join(pack, "operation.toml")
	b, err := os.ReadFile(settings)
	if err != nil {
		t.Fatal(err)
	}
	raised := regexp.MustCompile(`(?m)^threshold = \d+`).ReplaceAllString(string(b), fmt.Sprint("threshold = ", plantedThreshold))
	if raised == string(b) {
		t.Fatal("the pack has no threshold")
	}
	write(t, settings, raised)
	data := filepath.Join(t.TempDir(), "data")
	dtmRun(t, "init", "-data", data, "-operation", pack)
	password := filepath.Join(t.TempDir(), "password")
	write(t, password, passwordOfAll+"\n")
	for _, who := range []string{"a", "b"} {
		dtmRun(t, "user", "add", "-data", data, "-email", who+"@example.org", "-role", "manager", "-password-file", password)
	}
	bySexAge, byNationality := plantedMonth()
	for name, text := range map[string]string{"a.csv": bySexAge, "b.csv": byNationality} {
		file := filepath.Join(t.TempDir(), name)
		write(t, file, text)
		dtmRun(t, "import", "movements", "-data", data, file)
	}
	total := 0
	if _, err := fmt.Sscan(value(t, data, "total_movements", "2022-12", ""), &total); err != nil {
		t.Fatal(err)
	}
	find := newGiven(total)
	// The search finds what is there: unguarded, everything is.
	bare := ""
	for _, by := range []string{"point", "previous,next", "sex,age", "nationality"} {
		bare += dtmRun(t, "indicator", "-data", data, "total_movements", "-from", "2022-12", "-by", by)
	}
	bare += dtmRun(t, "indicator", "-data", data, "reason_share_pct", "-from", "2022-12", "-format", "csv")
	if found := find.in(bare); len(found) < len(planted) {
		t.Fatalf("of the planted counts only %q are in the figures that are not guarded", found)
	}
	dtmRun(t, "release", "create", "-data", data, "-month", "2022-12", "-as", "a@example.org", "-password-file", password)
	dtmRun(t, "release", "approve", "-data", data, "2022-12", "-as", "b@example.org", "-password-file", password)

	inside(t, data, func(ctx context.Context, h *house) {
		walkAll(ctx, t, h, find)
	})
	asked := 0
	commands := [][]string{{"warning"}, {"warning", "-by", "point"}, {"outlook"}, {"outlook", "-by", "point"}}
	for _, c := range commands {
		code, out, _ := dtmTry(t, append(append(slices.Clone(c), "-data", data), "-public")...)
		if found := find.in(out); len(found) > 0 {
			t.Errorf("dtm %q (exit %d) gives away %q:\n%s", c, code, found, out)
		}
	}
	for _, by := range []string{"", "point", "region", "direction", "previous", "next", "nationality", "sex", "age", "sex,age", "previous,next", "point,direction", "point,nationality", "route"} {
		for _, id := range []string{"total_movements", "entries", "daily_average", "movement_share_pct", "origin_destination", "sex_age_share_pct", "nationality_share_pct", "reason_share_pct", "unknown_sex_age_share_pct"} {
			args := []string{"indicator", "-data", data, id, "-from", "2022-12", "-public", "-format", "csv"}
			if by != "" {
				args = append(args, "-by", by)
			}
			code, out, _ := dtmTry(t, args...)
			if found := find.in(out); len(found) > 0 {
				t.Errorf("dtm %q gives away %q:\n%s", args, found, out)
			}
			if code == 0 {
				asked++
			}
		}
	}
	if asked < 50 {
		t.Errorf("only %d of the commands were answered", asked)
	}
	reported(t, data, find)
	questioned(t, data, find)
}

// reported reads the files that dtm report writes.
func reported(t *testing.T, data string, find given) {
	t.Helper()
	for _, of := range [][]string{
		{"-month", "2022-12", "-lang", "fr"}, {"-month", "2022-12", "-release", "provisional"}, {"-product", dtm.ReportPoint, "-month", "2022-12", "-point", "loyada"},
	} {
		file := filepath.Join(t.TempDir(), "report.pdf")
		dtmRun(t, append([]string{"report", "-data", data, "-out", file}, of...)...)
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		text := readable(t, "application/pdf", b)
		if len(text) < 200 {
			t.Errorf("dtm report %q says %q", of, text)
		}
		if found := find.in(text); len(found) > 0 {
			t.Errorf("dtm report %q gives away %q", of, found)
		}
	}
}

// questioned asks in SQL for every published figure, and for what sums of them leave
// over.
func questioned(t *testing.T, data string, find given) {
	t.Helper()
	const rest = `SELECT w.indicator, p."by", w.value - sum(p.value) AS rest FROM figure w JOIN figure p ON p.indicator = w.indicator AND p.month = w.month
		WHERE w."by" = '' AND p."by" <> '' GROUP BY w.indicator, p."by", w.value`
	for _, text := range []string{`SELECT * FROM figure`, `SELECT indicator, keys, numerator, denominator, value * denominator / 100 AS people FROM figure`, rest} {
		for _, format := range []string{"csv", "json", "table"} {
			out := dtmRun(t, "query", "-data", data, "-public", "-limit", "100000", "-format", format, text)
			if strings.Count(out, "\n") < 20 {
				t.Errorf("dtm query answers %q with %q", text, out)
			}
			if found := find.in(out); len(found) > 0 {
				t.Errorf("dtm query -format %s %q gives away %q", format, text, found)
			}
		}
	}
}

func walkAll(ctx context.Context, t *testing.T, h *house, find given) {
	t.Helper()
	if err := h.db.AddUser(ctx, dtm.User{Email: "partner@example.org", Role: dtm.RolePartner}, "x"); err != nil {
		t.Fatal(err)
	}
	now := h.now().UTC()
	token := rand.Text() + rand.Text()
	if err := h.db.AddSession(ctx, token, dtm.Session{Kind: dtm.SessionKindPages, Email: "partner@example.org", Created: now, Expires: now.Add(time.Hour), Second: now, Proved: now}); err != nil {
		t.Fatal(err)
	}
	pages, err := h.pages()
	if err != nil {
		t.Fatal(err)
	}
	inner, ok := pages.(*http.ServeMux)
	if !ok {
		t.Fatalf("the pages are a %T", pages)
	}
	mux := h.mux(serve.NewMetrics(), guarded(pages))
	known := ways(h.public.Catalogue())
	met := map[string]bool{}
	for _, p := range append(patterns(mux), patterns(inner)...) {
		p = regexp.MustCompile(`^(\S+ )/(en|fr|ar)(/.*)$`).ReplaceAllString(p, "${1}/LANG${3}")
		if method, _, ok := strings.Cut(p, " "); ok && method != "GET" || met[p] {
			continue
		}
		met[p] = true
		open := h.may(t, mux, p, "") == 'y' || h.may(t, mux, p, dtm.RolePartner) == 'y'
		if _, listed := known[p]; open && !listed {
			t.Errorf("%s may be asked for by anybody: say in ways() with which addresses it gives figures", p)
		}
	}
	answered, length, painted := 0, 0, 0
	for p, list := range known {
		if !met[p] {
			t.Errorf("%s is no route any more", p)
		}
		for _, at := range list {
			u, err := url.Parse(at)
			if err != nil {
				t.Fatal(err)
			}
			for _, signed := range []bool{false, true} {
				if signed && !strings.Contains(p, "staff") && !strings.Contains(p, "/v1/") {
					continue
				}
				r := httptest.NewRequest("GET", u.String(), nil)
				if signed {
					r.AddCookie(&http.Cookie{Name: "dtm", Value: token})
					r.Header.Set("Authorization", "Bearer "+token)
				}
				w := httptest.NewRecorder()
				mux.ServeHTTP(w, r)
				if w.Code == http.StatusOK {
					answered++
				}
				if w.Code >= 500 {
					t.Errorf("%s: %d %s", at, w.Code, w.Body)
				}
				if drawing, ok := strings.CutSuffix(u.Path, ".png"); ok && w.Code == http.StatusOK {
					painted++
					samePicture(ctx, t, h, mux, drawing+".svg?"+u.RawQuery, w.Body.Bytes())
				}
				text := readable(t, w.Header().Get("Content-Type"), w.Body.Bytes())
				length += len(text)
				if found := find.in(text); len(found) > 0 {
					t.Errorf("%s gives away %q", at, found)
				}
			}
		}
	}
	t.Logf("%d routes, %d answers with %d characters were searched for %d numbers", len(known), answered, length, len(find))
	if answered < 500 {
		t.Errorf("only %d addresses were answered", answered)
	}
	if painted < 8 {
		t.Errorf("only %d pictures were painted", painted)
	}
}

// samePicture holds a picture against the drawing at the same address, which is read: it
// shows nothing else.
func samePicture(ctx context.Context, t *testing.T, h *house, mux http.Handler, at string, picture []byte) {
	t.Helper()
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest("GET", at, nil))
	want, err := h.picture(ctx, w.Body.Bytes())
	if err != nil || !bytes.Equal(want, picture) {
		t.Errorf("the picture is not that of %s: %v", at, err)
	}
	if c, err := png.DecodeConfig(bytes.NewReader(picture)); err != nil || c.Width < 600 || c.Height < 100 {
		t.Errorf("the picture of %s: %+v, %v", at, c, err)
	}
}

// readable is the text of an answer; that of a PDF by another's program.
func readable(t *testing.T, kind string, b []byte) string {
	t.Helper()
	switch {
	case kind == "image/png":
		return ""
	case strings.Contains(kind, "spreadsheetml"):
		f, err := excelize.OpenReader(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		var out strings.Builder
		for _, sheet := range f.GetSheetList() {
			rows, err := f.GetRows(sheet)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintln(&out, rows)
		}
		// And what no cell shows: properties, remarks, hidden parts.
		parts, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range parts.File {
			r, err := part.Open()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(&out, r); err != nil {
				t.Fatal(err)
			}
			out.WriteString("\n")
			r.Close()
		}
		return out.String()
	case strings.Contains(kind, "parquet"):
		r := parquet.NewReader(bytes.NewReader(b))
		defer r.Close()
		var out strings.Builder
		for range r.NumRows() {
			row := map[string]any{}
			if err := r.Read(&row); err != nil {
				t.Fatal(err)
			}
			fmt.Fprintln(&out, row)
		}
		return out.String()
	}
	if !strings.HasPrefix(kind, "application/pdf") {
		return string(b)
	}
	file := filepath.Join(t.TempDir(), "a.pdf")
	write(t, file, string(b))
	out, err := exec.CommandContext(t.Context(), "pdftotext", "-raw", file, "-").Output()
	if err != nil {
		t.Fatalf("pdftotext: %v", err)
	}
	return string(out)
}
