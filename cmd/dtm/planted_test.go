//go:build !race

package main

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/xuri/excelize/v2"

	"dtm"
	"dtm/gather/openrosa"
)

// hostile closes what it may stand in, is an element, a formula and a template; n tells where
// it was planted.
func hostile(n int) string {
	return fmt.Sprintf(`='"></textarea></title></script><xssprobe onx=%d>{{7*7}}`, n)
}

var (
	planting = regexp.MustCompile(`onx(?:=|\\u003[dD]|%3D|&#61;)(\d+)`)
	// computed is the same after somebody's template language took it.
	computed = regexp.MustCompile(`onx=\d+(?:>|&gt;|\\u003e)49`)
)

// inert tells what of an answer would run, or be computed, where it is opened; and which of
// the planted are in it.
func inert(kind string, b []byte) (bad []string, seen []string) {
	text := string(b)
	for _, m := range planting.FindAllStringSubmatch(text, -1) {
		seen = append(seen, m[1])
	}
	if computed.MatchString(text) {
		bad = append(bad, "a template was computed")
	}
	in := func(name string, more, found []string) {
		for _, x := range more {
			bad = append(bad, name+": "+x)
		}
		seen = append(seen, found...)
	}
	switch kind, _, _ = strings.Cut(kind, ";"); {
	case kind == "text/html":
		doc, err := goquery.NewDocumentFromReader(bytes.NewReader(b))
		if err != nil {
			return append(bad, err.Error()), seen
		}
		bad = append(bad, ran(doc)...)
	case strings.HasSuffix(kind, "json"):
		if !json.Valid(b) {
			bad = append(bad, "no JSON")
		}
	case strings.HasSuffix(kind, "xml"):
		d := xml.NewDecoder(bytes.NewReader(b))
		for {
			tok, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return append(bad, "no XML: "+err.Error()), seen
			}
			if s, ok := tok.(xml.StartElement); ok && (s.Name.Local == "xssprobe" || s.Name.Local == "script" && strings.Contains(kind, "svg")) {
				bad = append(bad, "an element "+s.Name.Local)
			}
		}
	case kind == "text/csv":
		r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(b, []byte("\ufeff"))))
		r.FieldsPerRecord = -1
		rows, err := r.ReadAll()
		if err != nil {
			return append(bad, "no CSV: "+err.Error()), seen
		}
		for _, row := range rows {
			for _, cell := range row {
				if strings.Contains(cell, "xssprobe") && strings.ContainsAny(cell[:1], "=+-@\t\r|%") {
					bad = append(bad, "a formula "+cell)
				}
			}
		}
	case strings.Contains(kind, "spreadsheetml"):
		f, err := excelize.OpenReader(bytes.NewReader(b))
		if err != nil {
			return append(bad, err.Error()), seen
		}
		defer f.Close()
		for _, sheet := range f.GetSheetList() {
			rows, err := f.GetRows(sheet)
			if err != nil {
				return append(bad, err.Error()), seen
			}
			for y, row := range rows {
				for x, v := range row {
					cell, err := excelize.CoordinatesToCellName(x+1, y+1)
					if err != nil {
						return append(bad, err.Error()), seen
					}
					if formula, err := f.GetCellFormula(sheet, cell); err != nil || formula != "" {
						bad = append(bad, "a formula "+formula)
					}
					for _, m := range planting.FindAllStringSubmatch(v, -1) {
						seen = append(seen, m[1])
					}
				}
			}
		}
	case kind == "application/zip":
		z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return append(bad, err.Error()), seen
		}
		for _, part := range z.File {
			if !filepath.IsLocal(part.Name) {
				bad = append(bad, "a path "+part.Name)
			}
			r, err := part.Open()
			if err != nil {
				return append(bad, err.Error()), seen
			}
			inside, err := io.ReadAll(r)
			r.Close()
			if err != nil {
				return append(bad, err.Error()), seen
			}
			kind := map[string]string{".csv": "text/csv", ".json": "application/json", ".xml": "text/xml"}[filepath.Ext(part.Name)]
			more, found := inert(kind, inside)
			in(part.Name, more, found)
		}
	case kind == "application/pdf":
		for _, way := range []string{"/JavaScript", "/JS ", "/Launch", "/EmbeddedFile"} {
			if bytes.Contains(b, []byte(way)) {
				bad = append(bad, way)
			}
		}
	}
	return bad, seen
}

// ran tells what a browser would run of what was planted.
func ran(doc *goquery.Document) (bad []string) {
	if n := doc.Find("xssprobe").Length(); n > 0 {
		bad = append(bad, fmt.Sprint(n, " elements"))
	}
	doc.Find("*").Each(func(_ int, x *goquery.Selection) {
		for _, a := range x.Nodes[0].Attr {
			switch v := strings.ToLower(strings.TrimSpace(a.Val)); {
			case strings.HasPrefix(a.Key, "on"):
				bad = append(bad, "an attribute "+a.Key)
			case slices.Contains([]string{"href", "src", "action", "formaction", "xlink:href"}, a.Key) && (strings.HasPrefix(v, "javascript:") || strings.HasPrefix(v, "data:text") || strings.HasPrefix(v, "vbscript:")):
				bad = append(bad, a.Key+" "+v)
			}
		}
		if name := goquery.NodeName(x); (name == "script" || name == "style") && strings.Contains(x.Text(), "xssprobe") {
			bad = append(bad, "within "+name)
		}
	})
	return bad
}

// proper are what fields take that take no words.
var proper = map[string]string{"code": "zz-probe", "lat": "11.5", "lon": "43.1", "capacity": "5", "people": "10", "from": "2026-11-28", "to": "2027-11-28", "url": "https://example.org/hook", "bound": "5", "enumerators": "2", "email": "x@example.org", "until": "0", "start": "06:00", "end": "18:00"}

// ending are forms that end what the walk needs, or whose fields are no words to be kept.
var ending = regexp.MustCompile(`signout|signin|/second|/account/|invitation|/stop/|/users/\{|/revoke|/discard|/undo|/withdraw|/retention|/log/signed|/workshop/sql|/state$|/silence|/referrals/find|/areas/`)

// TestStoredScriptsWalk: into every field of every form that somebody of the staff can write
// into, and into what a phone sends, a form says and a program is called, stands something
// hostile; then every page that links lead to, for each role, and the exports are looked at.
// On the way: no page of the staff may be kept by a browser, and no address holds a name, a
// number of a telephone or a session.
func TestStoredScriptsWalk(t *testing.T) {
	t.Parallel()
	a := newAttack(t)
	ctx := t.Context()
	a.h.background = ctx // of an import
	n := 0
	next := func() string { n++; return hostile(n) }
	a.agent = next()
	for _, role := range a.roles {
		a.who[role] = a.session(role+"@example.org", a.agent)
	}
	base := a.server().URL
	manager := &visitor{t: t, base: base, email: "manager@example.org"}
	a.again(manager)
	version := a.published(manager, "probe", map[string][][]string{
		"survey":   {{"type", "name", "label", "hint"}, {"text", "words", next(), next()}, {"select_one l", "one", next(), ""}, {"image", "photo", "Photo", ""}},
		"choices":  {{"list_name", "name", "label"}, {"l", "a", next()}, {"l", "b", "b"}},
		"settings": {{"form_title", "form_id"}, {next(), "probe"}},
	})
	_, token, err := a.h.db.AddDevice(ctx, next(), "obock")
	if err != nil {
		t.Fatal(err)
	}
	const id = "uuid:00000000-0000-4000-8000-0000000000ff"
	name := strings.NewReplacer("/", "", `"`, "", "\\", "").Replace(next()) + ".jpg" // folders are cut off names
	if status, body := a.sent(base, token, `<data id="probe" version="`+version+`"><words>`+html.EscapeString(next())+`</words><one>a</one><photo>`+html.EscapeString(name)+`</photo><meta><instanceID>`+id+`</instanceID></meta></data>`, [3]string{name, "image/jpeg", next()}); status != http.StatusCreated {
		t.Fatal(status, body)
	}
	a.send("health", "emergency", "refer", "health", "person_name", html.EscapeString(html.EscapeString(next())), "person_phone", plantedPhone)
	_, referrals := a.send("health", "soon", "refer", "health", "person_name", plantedName, "person_phone", plantedPhone)
	refresh := func() {
		t.Helper()
		if err := a.h.current(ctx); err != nil {
			t.Fatal(err)
		}
		events, err := a.h.db.Events(ctx, 0, 10000)
		if err == nil {
			err = a.h.read(ctx, events)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	refresh()

	forms := a.crawl(2, func(string, string, string, *httptest.ResponseRecorder, *goquery.Document) {})
	written, fields := 0, 0
	for _, f := range forms {
		if f.method != "POST" || len(f.free) == 0 || f.files || ending.MatchString(f.pattern) || strings.HasSuffix(f.pattern, "/rights") {
			continue
		}
		var words []string
		for _, name := range f.free {
			if v, ok := proper[name]; ok {
				if f.fields.Get(name) == "" {
					f.fields.Set(name, v)
				}
			} else {
				words = append(words, name)
			}
		}
		f.free = words
		for name := range f.fields {
			if v, ok := proper[name]; ok && f.fields.Get(name) == "" {
				f.fields.Set(name, v)
			}
		}
		send := func(into []string) bool {
			form := maps.Clone(f.fields)
			for _, name := range into {
				form.Set(name, next())
			}
			w := a.ask(f.role, "POST", f.action, form)
			if w.Code >= 500 {
				t.Errorf("%s %q: %d %.200s", f.pattern, into, w.Code, w.Body)
			}
			if w.Code < 400 {
				written++
				fields += len(into)
				return true
			}
			return false
		}
		if !send(f.free) {
			for _, name := range f.free {
				send([]string{name})
			}
		}
	}
	bearer := func(path, body string) {
		t.Helper()
		r := httptest.NewRequest("POST", path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+a.who[dtm.RoleManager])
		w := httptest.NewRecorder()
		if a.handler.ServeHTTP(w, r); w.Code != http.StatusOK {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	quoted := func() string {
		b, err := json.Marshal(next())
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	bearer("/v1/projects/1/forms/probe/submissions/"+id+"/comments", `{"body":`+quoted()+`}`)
	bearer("/v1/projects/1/datasets", `{"name":"probes"}`)
	bearer("/v1/projects/1/datasets/probes/properties", `{"name":"words"}`)
	bearer("/v1/projects/1/datasets/probes/entities", `{"uuid":"00000000-0000-4000-8000-0000000000e0","label":`+quoted()+`,"data":{"words":`+quoted()+`}}`)
	for _, x := range []struct {
		role, path string
		form       url.Values
	}{
		{dtm.RoleManager, "/en/staff/review/" + id + "/correct", url.Values{"base": {"0"}, "has": {"/data/words"}, "f:/data/words": {next()}, "why": {next()}}},
		{dtm.RoleManager, "/en/staff/review/" + id + "/ask", url.Values{"question": {next()}}},
		{dtm.RoleManager, "/en/staff/review/" + id + "/state", url.Values{"do": {"confirm"}, "why": {next()}}},
		{dtm.RoleFocal, "/en/staff/referrals/" + referrals[0].ID + "/person", url.Values{"do": {"note"}, "group": {"health"}, "words": {next()}}},
		{dtm.RoleDesk, "/en/staff/glass/", url.Values{"number": {referrals[0].Number}, "reason": {next() + " and bleeds"}}},
		{dtm.RoleManager, "/en/staff/workshop/views", url.Values{"name": {next()}, "query": {"indicator=total_movements&from=2022-12"}}},
	} {
		if w := a.ask(x.role, "POST", x.path, x.form); w.Code >= 500 {
			t.Errorf("%s: %d %.200s", x.path, w.Code, w.Body)
		}
	}
	var file bytes.Buffer
	m := multipart.NewWriter(&file)
	_ = m.WriteField("kind", "movements")
	part, err := m.CreateFormFile("file", "x"+strings.ReplaceAll(next(), "/", "")+".csv")
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(part, "month,fmp,movement,previous,next,sex,age,n,reason_economic,reason_conflict\n2022-12,\"%s\",incoming,ETH,DJI,male,adults,12,1,0\n", strings.ReplaceAll(next(), `"`, `""`))
	m.Close()
	r := httptest.NewRequest("POST", "/en/staff/imports/", &file)
	r.Header.Set("Content-Type", m.FormDataContentType())
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.AddCookie(&http.Cookie{Name: "dtm", Value: a.who[dtm.RoleManager]})
	w := httptest.NewRecorder()
	a.handler.ServeHTTP(w, r)
	if w.Code != http.StatusSeeOther {
		t.Errorf("an import: %d %.300s", w.Code, w.Body)
	}
	refresh()

	seen, answers := map[string]int{}, 0
	private := []string{plantedName, url.QueryEscape(plantedName), "Xylophena", plantedPhone}
	for _, token := range a.who {
		if token != "" {
			private = append(private, token)
		}
	}
	look := func(role, target string, w *httptest.ResponseRecorder) {
		answers++
		h := w.Header()
		if w.Code >= 500 {
			t.Errorf("%s as %q: %d %.200s", target, role, w.Code, w.Body)
		}
		if h.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(h.Get("Content-Security-Policy"), "default-src") {
			t.Errorf("%s as %q: %v", target, role, h)
		}
		bad, found := inert(h.Get("Content-Type"), w.Body.Bytes())
		for _, b := range bad {
			t.Errorf("%s as %q (%s): %.200s", target, role, h.Get("Content-Type"), b)
		}
		for _, n := range found {
			seen[n]++
		}
	}
	a.crawl(3, func(role, target, pattern string, w *httptest.ResponseRecorder, doc *goquery.Document) {
		look(role, target, w)
		if strings.Contains(pattern, "/staff/") && w.Code == http.StatusOK && !strings.Contains(w.Header().Get("Cache-Control"), "no-store") {
			t.Errorf("%s as %q may be kept: %q", target, role, w.Header().Get("Cache-Control"))
		}
		addresses := []string{w.Header().Get("Location")}
		if doc != nil {
			doc.Find("[href],[src],[action]").Each(func(_ int, x *goquery.Selection) {
				addresses = append(addresses, x.AttrOr("href", ""), x.AttrOr("src", ""), x.AttrOr("action", ""))
			})
		}
		for _, at := range addresses {
			for _, p := range private {
				if p != "" && strings.Contains(at, p) {
					t.Errorf("%s as %q has an address with %q: %s", target, role, p, at)
				}
			}
		}
	})
	at := "/v1/projects/1/forms/probe"
	for _, target := range []string{"/v1/projects", "/v1/projects/1/forms", at, at + ".xml", at + ".xlsx", at + "/versions", at + "/fields", at + "/attachments", at + "/submissions", at + "/submissions/" + id, at + "/submissions/" + id + "/attachments", at + "/submissions/" + id + "/attachments/" + url.PathEscape(name), at + "/submissions/" + id + ".xml", at + "/submissions/" + id + "/comments", at + "/submissions/" + id + "/versions",
		at + ".svc", at + ".svc/$metadata", at + ".svc/Submissions", at + ".svc/Submissions?%24filter=x", at + "/submissions.csv", at + "/submissions.csv.zip", "/v1/projects/1/app-users", "/v1/users", "/v1/audits", "/v1/projects/1/datasets", "/v1/projects/1/points", "/v1/users/current",
		"/en/staff/submissions/answers.zip?form=probe", "/en/staff/submissions/list.csv", "/en/staff/forms/probe/paper.pdf", "/en/staff/submissions/" + id + "/xml", "/en/staff/log"} {
		for _, role := range []string{dtm.RoleManager, dtm.RoleAdmin} {
			look(role, target, a.ask(role, "GET", target, nil))
		}
	}
	for _, list := range ways(a.h.public.Catalogue()) {
		if target := list[0]; !strings.Contains(target, "/report/") && !strings.Contains(target, "/data/") {
			look("", target, a.ask("", "GET", target, nil))
		}
	}
	for _, target := range []string{"/formList", "/forms/probe.xml", "/forms/probe/manifest"} {
		target = openrosa.Path(token) + target
		look("", target, a.ask("", "GET", target, nil))
	}
	t.Logf("%d planted, %d forms with %d fields taken, %d answers, %d of the planted met", n, written, fields, answers, len(seen))
	if written < 15 || len(seen) < 15 || answers < 500 {
		t.Errorf("%d forms were taken, %d of the planted were met in %d answers: that proves little", written, len(seen), answers)
	}
	w = a.ask(dtm.RoleManager, "POST", "/en/staff/signout", url.Values{})
	if got := w.Header().Get("Clear-Site-Data"); !strings.Contains(got, `"cache"`) {
		t.Errorf("signing out clears %q", got)
	}
}

// sqlish are texts that are SQL to whoever puts a statement together of them.
var sqlish = []string{`' OR 1=1 --`, `"; DROP TABLE person; --`, `x' UNION SELECT hash FROM user --`, "\x00'\xff"}

// engines are words that only an engine's own message has.
var engines = regexp.MustCompile(`(?i)SQL logic error|SQLITE_|syntax error at|near "|no such (?:column|table)|unrecognized token|Binder Error|Parser Error|Catalog Error|Conversion Error|invalid byte sequence|pq:|pgconn|goroutine \d|\.go:\d+`)

// named are the parameters that the program's source reads, wherever.
func named(t *testing.T) []string {
	t.Helper()
	reads := regexp.MustCompile(`(?:\.Get|FormValue|\.Has|take|optional|TrimSpace\(q\.Get)\("([a-zA-Z_$]+)"\)`)
	seen := map[string]bool{}
	for _, glob := range []string{"../../web/*.go", "../../disseminate/opendata/*.go", "../../gather/odata/*.go", "../../gather/central/*.go", "../../gather/openrosa/*.go"} {
		files, err := filepath.Glob(glob)
		if err != nil || len(files) < 5 {
			t.Fatal(glob, err)
		}
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range reads.FindAllStringSubmatch(string(b), -1) {
				seen[m[1]] = true
			}
		}
	}
	for _, n := range []string{"$filter", "$orderby", "$top", "$skip", "$select", "$expand", "$count", "$search", "$apply", "$format", "$skiptoken", "$wkt"} {
		seen[n] = true
	}
	return slices.Sorted(maps.Keys(seen))
}

// tables are the rows of every table of the store, hashed.
func (a *attack) tables(t *testing.T) map[string]string {
	t.Helper()
	db := unguarded(t, a.h.dir)
	list, err := db.Query(`SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name`)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for list.Next() {
		var name string
		if err := list.Scan(&name); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	list.Close()
	out := map[string]string{}
	for _, name := range names {
		rows, err := db.Query(`SELECT * FROM "` + name + `"`)
		if err != nil {
			t.Fatal(name, err)
		}
		columns, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		sum, count := sha256.New(), 0
		for rows.Next() {
			values, into := make([]any, len(columns)), make([]any, len(columns))
			for i := range values {
				into[i] = &values[i]
			}
			if err := rows.Scan(into...); err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(sum, "%v\n", values)
			count++
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		rows.Close()
		out[name] = fmt.Sprintf("%d rows, %x", count, sum.Sum(nil)[:8])
	}
	return out
}

// TestInjectionWalk: SQL in every parameter that a link or a form has, in every name that the
// source reads, and in every place of every route: never an error of ours, never a word of an
// engine, and asking changes no row but the log's.
func TestInjectionWalk(t *testing.T) {
	t.Parallel()
	a := newAttack(t)
	a.send("health", "emergency", "refer", "health", "person_name", plantedName, "person_phone", plantedPhone)
	if err := a.h.current(t.Context()); err != nil {
		t.Fatal(err)
	}
	asked := 0
	judge := func(what string, w *httptest.ResponseRecorder) {
		asked++
		if w.Code >= 500 && w.Code != http.StatusNotImplemented {
			t.Errorf("%.300s: %d %.200s", what, w.Code, w.Body)
		}
		if m := engines.Find(w.Body.Bytes()); m != nil {
			t.Errorf("%.300s answers with %q", what, m)
		}
	}
	forms := a.crawl(1, func(string, string, string, *httptest.ResponseRecorder, *goquery.Document) {})
	before := a.tables(t)
	parameters := 0
	for _, f := range forms {
		if f.method != "GET" {
			continue
		}
		for name := range f.fields {
			parameters++
			for _, s := range sqlish {
				q := maps.Clone(f.fields)
				q.Set(name, s)
				path, _, _ := strings.Cut(f.action, "?")
				judge("GET "+path+"?"+q.Encode(), a.ask(f.role, "GET", path+"?"+q.Encode(), nil))
			}
		}
	}
	all := url.Values{}
	for _, name := range named(t) {
		all.Set(name, sqlish[2])
	}
	routes := a.routed(func(name string) string {
		return map[string]string{"project": "1", "month": "2022-12", "n": "1", "form": "fmr", "id": "fmr", "code": "obock"}[name]
	})
	for _, route := range routes {
		method, path, _ := strings.Cut(route, " ")
		if method != "GET" || strings.Contains(path, "/report/") {
			continue
		}
		for _, role := range []string{dtm.RoleManager, dtm.RoleFocal} {
			judge(route+"?"+all.Encode(), a.ask(role, "GET", path+"?"+all.Encode(), nil))
		}
	}
	for _, s := range sqlish {
		for _, route := range a.routed(func(name string) string {
			if name == "project" {
				return "1"
			}
			return url.PathEscape(s)
		}) {
			method, path, _ := strings.Cut(route, " ")
			if !strings.Contains(path, "%") || method != "GET" {
				continue
			}
			role := dtm.RoleAdmin
			if strings.Contains(path, "/referrals/") || strings.Contains(path, "/desks/") {
				role = dtm.RoleFocal
			}
			judge(route, a.ask(role, "GET", path, nil))
		}
	}
	if len(all) < 60 || parameters < 60 || asked < 900 {
		t.Errorf("only %d names, %d parameters of links and forms, %d questions", len(all), parameters, asked)
	}
	after := a.tables(t)
	for name, rows := range before {
		if after[name] != rows && !slices.Contains([]string{"event", "checkpoint"}, name) { // reading is noted
			t.Errorf("asking changed %s: %s, then %s", name, rows, after[name])
		}
	}
	if len(after) != len(before) {
		t.Errorf("%d tables, then %d", len(before), len(after))
	}

	// And in what is sent: rows may come, none may go, and nobody's account changes.
	questions := asked
	for _, f := range forms {
		if f.method != "POST" || f.files || ending.MatchString(f.pattern) && !strings.Contains(f.pattern, "signin") && !strings.Contains(f.pattern, "/referrals/find") {
			continue
		}
		for name := range f.fields {
			for _, s := range sqlish {
				form := maps.Clone(f.fields)
				form.Set(name, s)
				judge("POST "+f.action+" "+form.Encode(), a.ask(f.role, "POST", f.action, form))
			}
		}
	}
	for _, route := range a.routed(func(name string) string {
		if name == "project" {
			return "1"
		}
		return url.PathEscape(sqlish[0])
	}) {
		method, path, _ := strings.Cut(route, " ")
		if method == "GET" || !strings.Contains(path, "%") || strings.Contains(path, "signout") {
			continue
		}
		for _, role := range []string{dtm.RoleAdmin, dtm.RoleFocal} {
			judge(route, a.ask(role, method, path, url.Values{"name": {sqlish[1]}, "do": {sqlish[1]}, "reason": {sqlish[1]}}))
		}
	}
	sent := a.tables(t)
	count := func(rows string) (n int) {
		fmt.Sscan(rows, &n)
		return n
	}
	for name, rows := range after {
		if count(sent[name]) < count(rows) && name != "session" && name != "draft" || slices.Contains([]string{"user", "users"}, name) && count(sent[name]) < count(rows) {
			t.Errorf("sending took rows of %s: %s, then %s", name, rows, sent[name])
		}
	}
	if len(sent) != len(after) {
		t.Errorf("%d tables, then %d", len(after), len(sent))
	}
	t.Logf("%d names, %d parameters of links and forms, %d questions, %d sent, %d tables", len(all), parameters, questions, asked-questions, len(after))
}
