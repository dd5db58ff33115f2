//go:build !race

package main

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dtm"
	"dtm/event"
	"dtm/serve"
)

// rows are all rows of the store by table, each as "column=value" joined, and all names of
// columns.
func (s *screened) rows(besides ...string) (tables map[string][]string, columns []string) {
	s.t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(s.h.dir, storeName)+"?mode=ro")
	if err != nil {
		s.t.Fatal(err)
	}
	defer db.Close()
	query := func(q string, each func(names []string, v []any)) {
		list, err := db.Query(q)
		if err != nil {
			s.t.Fatal(q, err)
		}
		defer list.Close()
		names, err := list.Columns()
		if err != nil {
			s.t.Fatal(err)
		}
		for list.Next() {
			v, at := make([]any, len(names)), make([]any, len(names))
			for i := range v {
				at[i] = &v[i]
			}
			if err := list.Scan(at...); err != nil {
				s.t.Fatal(err)
			}
			each(names, v)
		}
		if err := list.Err(); err != nil {
			s.t.Fatal(q, err)
		}
	}
	var names []string
	query(`SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND sql NOT LIKE 'CREATE VIRTUAL%'`, func(_ []string, v []any) { names = append(names, v[0].(string)) })
	tables = map[string][]string{}
	for _, name := range names {
		query(`SELECT name FROM pragma_table_info('`+name+`')`, func(_ []string, v []any) { columns = append(columns, v[0].(string)) })
		if slices.Contains(besides, name) {
			continue
		}
		query(`SELECT * FROM "`+name+`"`, func(names []string, v []any) {
			var b strings.Builder
			for i, n := range names {
				if x, ok := v[i].([]byte); ok {
					v[i] = string(x)
				}
				fmt.Fprintf(&b, "%s=%v|", n, v[i])
			}
			tables[name] = append(tables[name], b.String())
		})
		slices.Sort(tables[name])
	}
	slices.Sort(columns)
	return tables, slices.Compact(columns)
}

// inhabited is a house with two partners: IOM's clinic, which has accepted somebody and
// written about them, and UNHCR's desk, to which somebody else was sent; with an account,
// a list, a draft, subscriptions and views besides.
type inhabited struct {
	*screened
	base           string
	theirs, ours   dtm.Referral // the clinic's, UNHCR's
	clinic, unhcr  *visitor
	partner        *visitor
	focal, manager *visitor
	admin          *visitor
	ids            []string // of everything that somebody could name
	submission     string
	device, token  string
}

func newInhabited(t *testing.T) *inhabited {
	t.Helper()
	s := newScreened(t)
	ctx, db := event.WithActor(t.Context(), "user:f@example.org"), s.h.db
	w := &inhabited{screened: s, base: s.server().URL}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := db.SetDesk(ctx, dtm.Desk{Code: "unhcr-obock", Programme: "health", Partner: "unhcr", Name: dtm.Text{"en": "UNHCR, Obock"}, Capacity: 5})
	must(err)
	day := dtm.DayOf(s.now.now(), s.h.op.Zone)
	for _, partner := range []string{"iom", "unhcr"} {
		_, err = db.AddAgreement(ctx, dtm.Agreement{Partner: partner, Kind: dtm.AgreementCases, Purpose: "p", Basis: "b", Programmes: []string{"health", "protection"}, Groups: dtm.FieldGroups, From: day, To: day.AddDate(0, 0, 9)})
		must(err)
	}
	said := append(plantedHarm, "health", "soon", "refer", "health", "person_name", plantedName, "person_phone", plantedPhone)
	id, list := s.send(said...)
	w.theirs, w.submission = list[slices.IndexFunc(list, func(r dtm.Referral) bool { return r.Programme == "health" })], id
	_, more := s.send("health", "soon", "refer", "health", "person_name", "Somebody Else")
	w.ours, _, err = db.Act(ctx, more[0].ID, dtm.DoerFocal, dtm.Do{Action: dtm.ReferralCancel, Version: more[0].Version, Reason: "wrong_person"})
	if err != nil { // no such reason: what counts is that the clinic does not have it
		w.ours = more[0]
	}
	made := dtm.Referral{ID: "unhcrs-own", Programme: "health", Priority: dtm.Normal, State: dtm.ReferralSubmitted, Version: 1, Person: more[0].Person, Received: s.now.now()}
	_, err = db.OpenReferrals(ctx, []dtm.Referral{made})
	must(err)
	w.ours, _, err = db.Act(ctx, made.ID, dtm.DoerFocal, dtm.Do{Action: dtm.ReferralSend, Version: 1, Desk: "unhcr-obock"})
	must(err)

	w.clinic = s.visit(w.base, dtm.User{Email: "clinic@example.org", Role: dtm.RoleDesk, Partner: "iom", Desk: "mrc-obock-health"})
	w.unhcr = s.visit(w.base, dtm.User{Email: "unhcr@example.org", Role: dtm.RoleDesk, Partner: "unhcr", Desk: "unhcr-obock"})
	w.partner = s.visit(w.base, dtm.User{Email: "partner@example.org", Role: dtm.RolePartner, Partner: "unhcr"})
	w.focal = s.visit(w.base, dtm.User{Email: "f@example.org", Role: dtm.RoleFocal})
	w.manager = s.visit(w.base, dtm.User{Email: "m@example.org", Role: dtm.RoleManager})
	w.admin = s.visit(w.base, dtm.User{Email: "a@example.org", Role: dtm.RoleAdmin})
	at := "/en/staff/referrals/" + w.theirs.ID
	for path, form := range map[string]url.Values{"": {"do": {"accept"}, "version": {fmt.Sprint(w.theirs.Version)}}} {
		if status, body := w.clinic.post(at+path, form); status != http.StatusSeeOther {
			t.Fatalf("%d %s", status, body)
		}
	}
	if status, body := w.clinic.post(at+"/person", url.Values{"do": {"note"}, "group": {"health"}, "words": {"quinine given"}}); status != http.StatusOK || !strings.Contains(body, "quinine given") {
		t.Fatal(status)
	}
	slip, err := db.NewSlip(ctx, w.theirs.ID, s.now.now().AddDate(0, 0, 5))
	must(err)
	view, err := db.SaveView(ctx, dtm.SavedView{Owner: "clinic@example.org", Name: "ours", Query: "indicator=entries"})
	must(err)
	sub, err := db.AddSubscription(ctx, dtm.Subscription{Owner: "clinic@example.org", Lang: "en", Channel: "email", Kind: "figure", Of: "entries", Rule: "any", Pace: "weekly"})
	must(err)
	d, token, err := db.AddDevice(ctx, "obock-9", "obock")
	must(err)
	w.device, w.token = d.ID, token
	consents, err := db.ConsentsOf(ctx, w.theirs.Person)
	must(err)
	sessions, err := db.SessionsOf(ctx, "clinic@example.org")
	must(err)
	w.ids = []string{w.theirs.ID, w.theirs.Person, w.theirs.Number, w.ours.ID, w.submission, slip, fmt.Sprint(view), sub.ID, d.ID, consents[0].ID, sessions[0].ID,
		"clinic@example.org", "mrc-obock-health", "iom", "screening", "obock", "1", "2026-11", "none", "fmr", "points"}
	for _, r := range list {
		w.ids = append(w.ids, r.ID)
	}
	return w
}

// TestTenants: two thousand requests by lot, of a desk, an account for figures and a
// device of another partner, at every address of the program, with the ids of what is a
// clinic's: none changes a row that is not their own, and none tells who the person is.
func TestTenants(t *testing.T) {
	t.Parallel()
	w := newInhabited(t)
	pages, err := w.h.pages()
	if err != nil {
		t.Fatal(err)
	}
	inner, ok := pages.(*http.ServeMux)
	if !ok {
		t.Fatalf("the pages are a %T", pages)
	}
	if err := w.h.db.AddUser(t.Context(), dtm.User{Email: dtm.RoleDesk + "@example.org", Role: dtm.RoleDesk, Partner: "unhcr", Desk: "unhcr-obock"}, "x"); err != nil {
		t.Fatal(err)
	}
	outer := w.h.mux(serve.NewMetrics(), guarded(pages))
	var all, sharp []string
	for _, p := range append(patterns(outer), patterns(inner)...) {
		method, path, _ := strings.Cut(p, " ")
		// Public pages have nothing to change; other languages are the same handlers.
		if strings.HasPrefix(path, "/fr/") || strings.HasPrefix(path, "/ar/") || method == "GET" && strings.HasPrefix(path, "/en/") && !strings.Contains(path, "/staff/") || strings.HasSuffix(path, "/signout") || strings.HasSuffix(path, "/signin") || path == "/v1/sessions" || strings.Contains(path, "account/password") || strings.HasPrefix(path, "/entry") && method == "GET" {
			continue
		}
		all = append(all, p)
		if !strings.HasPrefix(p, "GET ") && w.h.may(t, outer, p, dtm.RoleDesk) == 'y' { // where a role does not stop it, ids must
			sharp = append(sharp, p)
		}
	}
	// What is UNHCR's own may change: their desk, their referral, their account and sessions.
	own := func(row string) bool {
		for _, mine := range []string{"unhcr-obock", w.ours.ID, "unhcr@example.org", "partner@example.org", "=desk@example.org", w.device} {
			if strings.Contains(row, mine) {
				return true
			}
		}
		return false
	}
	kept := func() map[string][]string {
		tables, _ := w.rows("event", "session", "computed", "tries") // tries have no name: whom they bound is tried in access
		for name := range tables {
			tables[name] = slices.DeleteFunc(tables[name], own)
		}
		return tables
	}
	before := kept()
	if len(before["case_note"]) == 0 || len(before["consent"]) == 0 || len(before["referral"]) < 2 || len(before["slip"]) == 0 {
		t.Fatalf("there is nothing of the clinic's to change: %v", before)
	}
	lot := rand.New(rand.NewPCG(7, 22))
	any := func(list ...string) string { return list[lot.IntN(len(list))] }
	fields := []string{"do", "version", "reason", "desk", "programme", "state", "step", "day", "group", "words", "consent", "recipient", "id", "right", "verdict", "number", "why", "open", "tap", "session", "factor", "name", "email", "role", "partner", "capacity", "paused", "query", "seq", "point", "back", "wording", "lang", "how", "of", "second", "url", "kind", "channel", "person", "other", "to", "answer"}
	values := append(slices.Clone(w.ids), "accept", "reject", "acknowledge", "start", "complete", "withdraw", "redirect", "send", "close", "reopen", "cancel", "note", "confirm", "consent", "restrict", "release", "erase", "export", "merge", "stop", "pause", "resume", "delete", "yes", "no",
		"2", "3", "4", "no_capacity", "person_asked", "asked", "health", "protection", "identity", "unhcr", "unhcr-obock", "vital_interest", "witnessed", "admin", "accept ", "x")
	answered := map[int]int{}
	for range 2000 {
		at := any(all...)
		if lot.IntN(2) == 0 {
			at = any(sharp...)
		}
		method, path, ok := strings.Cut(at, " ")
		if !ok {
			method, path = "GET", method
		}
		if lot.IntN(10) == 0 {
			method = any("POST", "PUT", "PATCH", "DELETE")
		}
		path = strings.ReplaceAll(regexp.MustCompile(`\{\w+(\.\.\.)?\}`).ReplaceAllStringFunc(path, func(x string) string {
			if x == "{project}" {
				return "1"
			}
			if x == "{token}" && strings.HasPrefix(path, "/v1/key") {
				return w.token
			}
			if x == "{code}" {
				return any("mrc-obock-health", "unhcr-obock", "obock")
			}
			return url.PathEscape(any(w.ids...))
		}), "{$}", "")
		form := url.Values{}
		for range 1 + lot.IntN(6) {
			form.Add(any(fields...), any(values...))
		}
		v := []*visitor{w.unhcr, w.unhcr, w.partner}[lot.IntN(3)]
		body, kind := form.Encode(), "application/x-www-form-urlencoded"
		if strings.HasPrefix(path, "/v1/") || strings.HasPrefix(path, "/entry/") {
			b, err := json.Marshal(map[string]string{any(fields...): any(values...), "reviewState": "approved", "state": "closed", "label": "x"})
			if err != nil {
				t.Fatal(err)
			}
			body, kind = string(b), "application/json"
		} else if method == "GET" {
			path += "?" + body
		}
		r, err := http.NewRequest(method, w.base+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", kind)
		switch {
		case strings.HasPrefix(path, "/entry/"):
			r.Header.Set("Authorization", "Bearer "+w.token)
		case strings.HasPrefix(path, "/v1/"):
			r.Header.Set("Authorization", "Bearer "+v.Jar.(jar)[0].Value)
		}
		resp, err := v.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		answered[resp.StatusCode]++
		if resp.StatusCode >= 500 && resp.StatusCode != http.StatusNotImplemented {
			t.Errorf("%s %s %s: %d %.300s", method, path, body, resp.StatusCode, b)
		}
		for _, planted := range []string{"Xylophena", "Quartzmann", plantedPhone, "quinine", "asylquax"} {
			if bytes.Contains(b, []byte(planted)) {
				t.Errorf("%s %s %s gives %q away", method, path, body, planted)
			}
		}
		if resp.StatusCode == http.StatusSeeOther && strings.Contains(resp.Header.Get("Location"), "/signin") { // they ended their own session
			w.again(v)
		}
	}
	for name, rows := range kept() {
		if d := cmp.Diff(before[name], rows); d != "" {
			t.Errorf("%s of others has changed:\n%s", name, d)
		}
	}
	t.Logf("answered: %v", answered)
	if answered[http.StatusOK] < 150 || answered[http.StatusSeeOther] < 5 {
		t.Error("too few requests were taken: this proves little")
	}
	// The lot would have found it: the clinic's own requests do change rows.
	if status, _ := w.clinic.post("/en/staff/referrals/"+w.theirs.ID, url.Values{"do": {"start"}, "version": {"3"}}); status != http.StatusSeeOther {
		t.Fatal(status)
	}
	if cmp.Equal(before["referral"], kept()["referral"]) {
		t.Error("a change of the clinic's own is not seen")
	}
}

// keysOf are the keys of a JSON text, with where they stand.
func keysOf(v any, at string, into map[string]bool) {
	switch x := v.(type) {
	case map[string]any:
		for k, v := range x {
			if regexp.MustCompile(`[0-9a-f]{8}-|@example|^/`).MatchString(k) {
				k = "*"
			}
			into[at+k] = true
			keysOf(v, at+k+".", into)
		}
	case []any:
		for _, v := range x {
			keysOf(v, at, into)
		}
	}
}

// TestKeys: which keys the JSON has that each role may ask for, and somebody without an
// account, of every address that answers with JSON: kept as a golden file, in which a new
// key is seen before it leaves.
func TestKeys(t *testing.T) {
	t.Parallel()
	w := newInhabited(t)
	ctx := t.Context()
	if err := w.h.current(ctx); err != nil {
		t.Fatal(err)
	}
	pages, err := w.h.pages()
	if err != nil {
		t.Fatal(err)
	}
	visitors := map[string]*visitor{"desk": w.unhcr, "partner": w.partner, "focal": w.focal, "manager": w.manager, "admin": w.admin, "-": {t: t, base: w.base}}
	for _, role := range []string{dtm.RoleSupervisor, dtm.RoleEnumerator, dtm.RoleAuditor} {
		visitors[role] = w.visit(w.base, dtm.User{Email: role + "@example.org", Role: role})
	}
	visitors["-"].CheckRedirect = w.focal.CheckRedirect
	bearer := func(v *visitor) string {
		if j, ok := v.Jar.(jar); ok {
			return j[0].Value
		}
		return ""
	}
	ask := func(v *visitor, method, path, token, body string) (status int, kind string, b []byte) {
		t.Helper()
		r, err := http.NewRequest(method, w.base+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		if body != "" {
			r.Header.Set("Content-Type", "application/json")
		}
		resp, err := v.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if b, err = io.ReadAll(resp.Body); err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, resp.Header.Get("Content-Type"), b
	}
	for _, of := range [][3]string{
		{"POST", "/v1/projects/1/datasets", `{"name":"wells"}`}, {"POST", "/v1/projects/1/datasets/wells/properties", `{"name":"depth"}`},
		{"POST", "/v1/projects/1/datasets/wells/entities", `{"uuid":"11111111-1111-4111-8111-111111111111","label":"Well","data":{"depth":"3"}}`},
		{"PATCH", "/v1/projects/1/datasets/wells/entities/11111111-1111-4111-8111-111111111111?force=true", `{"label":"A well"}`},
		{"POST", "/v1/projects/1/forms/screening/submissions/" + w.submission + "/comments", `{"body":"seen"}`},
		{"PATCH", "/v1/projects/1/forms/screening/submissions/" + w.submission, `{"reviewState":"hasIssues"}`},
		{"POST", "/v1/projects/1/forms/screening/draft?ignoreWarnings=true", ""},
	} {
		if status, _, b := ask(w.manager, of[0], of[1], bearer(w.manager), of[2]); status != http.StatusOK {
			t.Fatalf("%s %s: %d %s", of[0], of[1], status, b)
		}
	}
	if status, _, _ := ask(w.unhcr, "GET", "/v1/audits", bearer(w.unhcr), ""); status != http.StatusForbidden { // a refusal, so that the log has one whoever asks for it first
		t.Fatal(status)
	}
	month := map[string]string{"project": "1", "form": "screening", "id": w.submission, "name": "wells", "uuid": "11111111-1111-4111-8111-111111111111", "code": "obock", "list": "country-list", "month": "2026-11", "n": "1", "figures": "figures.json", "file": "none", "rest": "none", "token": w.token}
	var lines []string
	for _, p := range patterns(w.h.mux(serve.NewMetrics(), guarded(pages))) {
		method, path, _ := strings.Cut(p, " ")
		// What the program says of itself is golden elsewhere, or a file; tables have the form's keys.
		if method != "GET" || strings.Contains(path, "openapi") || strings.Contains(path, "catalog.jsonld") || strings.Contains(path, "webmanifest") || strings.Contains(path, "odata") {
			continue
		}
		at := strings.ReplaceAll(regexp.MustCompile(`\{\w+(\.\.\.)?\}`).ReplaceAllStringFunc(path, func(x string) string {
			name := strings.Trim(x, "{.}")
			if name == "id" && strings.Contains(path, "indicators") {
				return "total_movements"
			}
			return month[name]
		}), "{$}", "")
		byKeys := map[string][]string{}
		for role, v := range visitors {
			token := bearer(v)
			if strings.HasPrefix(path, "/entry/") {
				token = w.token
			}
			status, kind, b := ask(v, method, at, token, "")
			if status != http.StatusOK || !strings.Contains(kind, "json") {
				continue
			}
			var x any
			if err := json.Unmarshal(b, &x); err != nil {
				t.Errorf("%s as %s: %v", at, role, err)
			}
			for _, planted := range []string{"Xylophena", plantedPhone, "quax", "quinine"} {
				if bytes.Contains(b, []byte(planted)) {
					t.Errorf("%s as %s gives %q away", at, role, planted)
				}
			}
			keys := map[string]bool{}
			keysOf(x, "", keys)
			var list []string
			for k := range keys {
				list = append(list, k)
			}
			slices.Sort(list)
			byKeys[strings.Join(list, " ")] = append(byKeys[strings.Join(list, " ")], role)
		}
		for keys, roles := range byKeys {
			slices.Sort(roles)
			who := strings.Join(roles, " ")
			if len(roles) == len(visitors) {
				who = "everybody"
			}
			lines = append(lines, fmt.Sprintf("%s\n  %s\n  %s\n", path, who, keys))
		}
	}
	slices.Sort(lines)
	text := "# Which keys the JSON of each address has, by who asks (- is somebody without an account);\n# written by `go test ./cmd/dtm -run TestKeys -update`.\n\n" + strings.Join(lines, "\n")
	if len(lines) < 30 {
		t.Errorf("only %d addresses answered with JSON", len(lines))
	}
	golden := filepath.Join("testdata", "keys.golden")
	if *update {
		if err := os.WriteFile(golden, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(text, "\n")); d != "" {
		t.Errorf("other keys than before (- before, + now); when that is meant: go test ./cmd/dtm -run TestKeys -update\n%s", d)
	}
}
