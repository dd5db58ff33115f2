package main

import (
	"encoding/csv"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"dtm"
	"dtm/analyse/load"
	"dtm/analyse/warehouse/duckdb"
	"dtm/demo"
	"dtm/event"
	"dtm/gather/bulk"
)

// filled is a data folder with some days of every form of the pack, and accounts.
func filled(t *testing.T, days int) string {
	t.Helper()
	data := filepath.Join(t.TempDir(), "data")
	dtmRun(t, "init", "-data", data)
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte("a sentence of five words\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for email, role := range map[string]string{"amina@example.org": dtm.RoleManager, "hassan@example.org": dtm.RoleSupervisor} {
		dtmRun(t, "user", "add", "-data", data, "-email", email, "-role", role, "-password-file", password)
	}
	h, done, err := (&call{env: testEnv, dir: t.TempDir()}).open(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	d, _, err := h.db.AddDevice(t.Context(), "phone", "obock")
	if err != nil {
		t.Fatal(err)
	}
	send := func(form, version string, list []demo.Instance) {
		t.Helper()
		for _, x := range list {
			if _, err := h.db.Receive(event.WithActor(t.Context(), "device:"+d.ID), dtm.Submission{ID: x.ID, Form: form, Version: version, Device: d.ID, XML: x.XML, Received: x.At.Add(time.Hour)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	first := time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
	fmr, err := h.forms.form(t.Context(), "fmr", "")
	if err != nil {
		t.Fatal(err)
	}
	forms, err := h.demoForms(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for n := range days {
		send("fmr", fmr.Version, demo.Day(h.op, fmr, first, first.AddDate(0, 0, n), 5))
		for f, invent := range forms {
			send(f.ID, f.Version, invent.Day(first.AddDate(0, 0, n), 5))
		}
	}
	if err := h.current(t.Context()); err != nil {
		t.Fatal(err)
	}
	return data
}

// reader is somebody who has signed in.
type reader struct {
	t    *testing.T
	base string
	c    *http.Client
}

func signedIn(t *testing.T, base, email string) reader {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	r := reader{t, base, &http.Client{Jar: jar}}
	if code, body := r.post("/en/staff/signin", "email", email, "password", "a sentence of five words"); code != http.StatusOK || !strings.Contains(body, email) {
		t.Fatalf("signing in: %d", code)
	}
	return r
}

func (r reader) done(resp *http.Response, err error) (int, string) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

func (r reader) get(path string) (int, string) {
	r.t.Helper()
	return r.done(r.c.Get(r.base + path))
}

func (r reader) post(path string, fields ...string) (int, string) {
	r.t.Helper()
	v := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		v.Add(fields[i], fields[i+1])
	}
	req, err := http.NewRequest("POST", r.base+path, strings.NewReader(v.Encode()))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", r.base)
	return r.done(r.c.Do(req))
}

var tags = regexp.MustCompile(`<[^>]*>`)

// TestWorkshop asks as an analyst does: every indicator by its default, a table with
// chart, map, SQL and CSV, views kept, shared, deleted and brought back, SQL over rows
// for those who may see them and over published figures for the others.
func TestWorkshop(t *testing.T) {
	t.Parallel()
	data := filled(t, 12)
	base, _ := serving(t, data)
	amina, desk := signedIn(t, base, "amina@example.org"), signedIn(t, base, "hassan@example.org")
	at := "/en/staff/workshop/"
	const question = "?indicator=total_movements&by=point&from=2026-09"
	_, page := amina.get(at + question)
	for _, want := range []string{"<svg", "GROUP BY point", "table.csv?", "Internal: counts of few people", "Ali Sabieh"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %q", want)
		}
	}
	if n := strings.Count(page, "<svg"); n < 3 {
		t.Errorf("%d drawings, want a chart for wide and narrow and a map", n)
	}
	// The CSV is the table of the page.
	_, text := amina.get(at + "table.csv" + question)
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(rows) < 8 {
		t.Fatalf("%d rows of CSV: %v", len(rows), err)
	}
	// The SQL behind it gives the same, when it is asked.
	sum := 0
	for _, r := range rows[1:] {
		var n int
		fmt.Sscan(r[2], &n)
		sum += n
	}
	_, answer := amina.post(at+"sql", "sql", "SELECT sum(people) AS total FROM movement WHERE main AND observed < DATE '2026-10-01'", "csv", "1")
	if answer != fmt.Sprintf("total\n%d\n", sum) {
		t.Errorf("SQL says %q, the table adds up to %d", answer, sum)
	}
	if code, page := amina.post(at+"sql", "sql", "SELECT * FROM read_csv('/etc/passwd')"); code != 200 || !strings.Contains(page, "read_csv") || strings.Contains(page, "root:") {
		t.Errorf("a file: %d", code)
	}
	if _, page := amina.post("/fr/staff/workshop/sql", "sql", "DROP TABLE fact"); !strings.Contains(page, "Seul SELECT est possible") {
		t.Error("a fault is not said in French")
	}
	// Who may not see small counts gets guarded figures, and published ones by SQL.
	small := at + "?indicator=total_movements&by=day&by=point&from=2026-09"
	_, all := amina.get(small)
	_, some := desk.get(small)
	if strings.Contains(all, "&lt;10") || !strings.Contains(some, "&lt;10") && !strings.Contains(some, `role="alert"`) || strings.Contains(some, "Internal: counts") {
		t.Errorf("the desk is shown small counts, or the manager is not: %s", tags.ReplaceAllString(some, " "))
	}
	code, guarded := desk.get(at + "table.csv?indicator=total_movements&by=day&by=point&from=2026-09")
	if code == http.StatusOK && !strings.Contains(guarded, "suppressed") { // or guard does not answer it at all
		t.Error("the desk's CSV has no suppressed figure")
	}
	if _, page := desk.post(at+"sql", "sql", "SELECT * FROM movement"); !strings.Contains(page, "There is no view movement here") {
		t.Errorf("the desk asks rows: %s", tags.ReplaceAllString(page, " "))
	}
	if _, page := desk.post(at+"sql", "sql", "SELECT count(*) AS n FROM figure", "csv", "1"); page != "n\n0\n" {
		t.Errorf("published figures, of which there are none: %q", page)
	}
	log := dtmRun(t, "query", "-data", data, "-format", "csv", "SELECT count(*) AS n FROM interview WHERE asked = 1")
	if log == "n\n0\n" || !strings.HasPrefix(log, "n\n") {
		t.Errorf("interviews: %q", log)
	}
	if seat := seated(t, base, "amina@example.org"); !t.Failed() {
		seat.looks("workshop", "/staff/workshop/"+question)
		seat.looks("workshop-time", "/staff/workshop/?indicator=people_present&by=day&by=site&from=2026-09")
		seat.looks("needs", "/staff/needs/?month=2026-09")
		seat.looks("definitions", "/indicators/")
		seat.looks("definition", "/indicators/need_share_pct")
	}
	// Views.
	amina.post(at+"views", "do", "save", "query", question[1:], "name", "Points of September", "shared", "1")
	if _, page := desk.get(at); !strings.Contains(page, "Points of September") || !strings.Contains(page, "shared by amina@example.org") {
		t.Error("a shared view is not seen")
	}
	desk.post(at+"views", "do", "delete", "id", "1", "name", "Points of September")
	if _, page := amina.get(at); !strings.Contains(page, "Points of September") {
		t.Error("somebody else deleted it")
	}
	amina.post(at+"views", "do", "rename", "id", "1", "name", "September", "shared", "")
	if _, page := desk.get(at); strings.Contains(page, ">September<") {
		t.Error("it is shared no longer, and seen")
	}
	if _, page := amina.post(at+"views", "do", "delete", "id", "1", "name", "September"); !strings.Contains(page, "“September” is deleted.") || strings.Contains(page, ">September</a>") {
		t.Error("not deleted, or not said")
	}
	if _, page := amina.post(at+"views", "do", "restore", "id", "1"); !strings.Contains(page, ">September</a>") {
		t.Error("not brought back")
	}
	if code, _ := amina.post(at+"views", "do", "save", "query", question[1:], "name", "September"); code != http.StatusConflict {
		t.Errorf("the same name twice: %d", code)
	}
	for bad, code := range map[string]int{"?indicator=nothing&from=2026-09": 200, "?indicator=entries&from=September": 200, "?indicator=entries&from=2026-09&where=x": 200, "table.csv?from=2026-09": 400, "?indicator=total_movements&by=colour&from=2026-09": 200} {
		if got, page := amina.get(at + bad); got != code || code == 200 && strings.Contains(bad, "entries") && !strings.Contains(page, `role="alert"`) {
			t.Errorf("%s: %d", bad, got)
		}
	}
	// Needs.
	_, page = amina.get("/fr/staff/needs/?month=2026-09")
	for _, want := range []string{"Toutes les régions", "Obock", "Assistance directe", "Retour humanitaire volontaire"} {
		if !strings.Contains(page, want) {
			t.Errorf("needs: no %q", want)
		}
	}
	if code, _ := (reader{t, base, http.DefaultClient}).get("/en/staff/workshop/table.csv" + question); code != http.StatusUnauthorized && code != http.StatusOK {
		t.Errorf("without signing in: %d", code)
	} else if _, body := (reader{t, base, http.DefaultClient}).get("/en/staff/workshop/table.csv" + question); strings.Contains(body, "movements,") {
		t.Error("the table is given to who has not signed in")
	}
	// Every indicator, as everybody sees it, has a definition with its SQL and opens here.
	for _, id := range regexp.MustCompile(`href="/en/indicators/([a-z_]+)"`).FindAllStringSubmatch(func() string { _, b := amina.get("/en/indicators/"); return b }(), -1) {
		if code, body := amina.get("/en/indicators/" + id[1]); code != 200 || !strings.Contains(body, "SELECT ") {
			t.Errorf("definition of %s: %d", id[1], code)
		}
		if code, body := amina.get(at + "?indicator=" + id[1] + "&from=2026-09"); code != 200 || strings.Contains(body, `role="alert"`) && !strings.HasPrefix(id[1], "returns") {
			t.Errorf("%s in the workshop: %d %s", id[1], code, tags.ReplaceAllString(body, " "))
		}
	}
}

// TestRebuild: a warehouse made anew says what the one before it said; an interrupted
// rebuild goes on.
func TestRebuild(t *testing.T) {
	t.Parallel()
	data := filled(t, 4)
	const all = "SELECT (SELECT sum(people) FROM movement) AS m, (SELECT count(*) FROM interview) AS i, (SELECT sum(people) FROM presence) AS p, (SELECT count(*) FROM need) AS n"
	before := dtmRun(t, "query", "-data", data, all)
	out := dtmRun(t, "warehouse", "rebuild", "-data", data)
	if !strings.Contains(out, "rebuilt from") {
		t.Errorf("rebuild says %q", out)
	}
	if after := dtmRun(t, "query", "-data", data, all); after != before {
		t.Errorf("after: %s\nbefore: %s", after, before)
	}
	// Half of one is there.
	h, done, err := (&call{env: testEnv, dir: t.TempDir()}).open(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	half, err := halfRebuild(t, h)
	done()
	if err != nil || half == 0 {
		t.Fatal(half, err)
	}
	if out := dtmRun(t, "warehouse", "rebuild", "-data", data); !strings.Contains(out, fmt.Sprintf("going on after entry %d", half)) {
		t.Errorf("an interrupted rebuild: %q", out)
	}
	if after := dtmRun(t, "query", "-data", data, all); after != before {
		t.Errorf("after going on: %s\nbefore: %s", after, before)
	}
	if _, err := os.Stat(filepath.Join(data, rebuildFile)); err == nil {
		t.Error("the other file is left")
	}
}

// halfRebuild begins a rebuild and stops in the middle of the log.
func halfRebuild(t *testing.T, h *house) (int64, error) {
	t.Helper()
	wh, err := duckdb.Open(t.Context(), filepath.Join(h.dir, rebuildFile), h.op)
	if err != nil {
		return 0, err
	}
	defer wh.Close()
	last, err := h.db.Last(t.Context())
	if err != nil {
		return 0, err
	}
	l := &load.Loader{Operation: h.op, Events: logUntil{h.db, last / 2}, Submissions: h.db, Chunks: h.db, Warehouse: wh, Register: h.followRegister, Arrival: h.forms.arrival,
		DecodeChunk: bulk.Decode, DecodeSubmission: h.forms.facts}
	r, err := l.CatchUp(t.Context())
	return r.To.Seq, err
}
