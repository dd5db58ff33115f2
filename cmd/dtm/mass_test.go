//go:build !race

package main

import (
	"cmp"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	gocmp "github.com/google/go-cmp/cmp"

	"dtm"
	"dtm/serve"
)

// assigned are values that nobody may set by naming a column, beside those that every other
// column is given: real ones, because what is no code is refused anyway.
var assigned = map[string]string{
	"state": "completed", "partner": "wfp", "agency_id": "wfp", "desk": "mrc-obock-return", "programme": "vhr", "role": "admin", "guarded": "0", "alone": "0", "restricted": "1", "erased": "2020-01-01T00:00:00.000Z",
	"disabled": "2020-01-01T00:00:00.000Z", "consent_overridden": "1", "received": "2020-01-01T00:00:00.000Z", "priority": "emergency", "operation": planted21, "revoked": "2020-01-01T00:00:00.000Z", "sex": "female", "age": "60+",
}

// planted21 is what the other columns are given.
const planted21 = "massquax"

// fixed are the columns that no form of these pages changes of a row that is there: what
// a request would have to name to become somebody else's, or to jump a state.
var fixed = map[string][]string{
	"referral": {"id", "submission", "person", "device", "received", "captured", "guarded", "alone", "programme", "priority", "sex", "age", "point", "number"}, "person": {"id", "created", "sex", "age", "erased"},
	"consent": {"id", "person", "recipient", "wording", "given", "actor"}, "staff": {"email", "role", "partner", "created"}, "submission": {"id", "form", "version", "device", "received", "deprecates"}, "device": {"id", "created"}, "agreement": {"id", "partner", "created", "author"}, "desk": {"code", "partner", "programme"},
}

// TestMassAssignment: every form of the pages behind sign-in, as focal point, desk,
// manager and administrator, and what programs send, posted with the name of every column
// of the store beside its own fields. No value of these is kept anywhere, and nothing of a
// row that is there is changed that a form does not change.
func TestMassAssignment(t *testing.T) {
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
	outer := w.h.mux(serve.NewMetrics(), guarded(pages))
	route := func(method, path string) string {
		r, err := http.NewRequest(method, w.base+path, nil)
		if err != nil {
			return ""
		}
		_, p := inner.Handler(r)
		if p == "" || p == "GET /" {
			_, p = outer.Handler(r)
		}
		return p
	}
	pick := func(name string) map[string][]string {
		out := map[string][]string{}
		tables, _ := w.rows()
		for _, row := range tables[name] {
			var keep []string
			for _, cell := range strings.Split(row, "|") {
				if column, _, _ := strings.Cut(cell, "="); slices.Contains(fixed[name], column) {
					keep = append(keep, cell)
				}
			}
			out[keep[0]] = keep
		}
		return out
	}
	before := map[string]map[string][]string{}
	for name := range fixed {
		before[name] = pick(name)
		if len(before[name]) == 0 {
			t.Fatalf("there is no %s to change", name)
		}
	}
	_, columns := w.rows()
	columns = append(columns, "agency_id", "consent_overridden", "reviewState", "deviceId", "submitterId", "createdAt", "actorId", "projectId")
	extras := func(known func(string) bool, add func(k, v string)) {
		for _, c := range columns {
			if known(c) {
				continue
			}
			v, ok := assigned[c]
			if !ok {
				v = planted21
			}
			add(c, v)
		}
	}

	// The forms of a page, filled in.
	posted, taken, tried := map[string]bool{}, map[string]bool{}, 0
	post := func(v *visitor, from, body string) {
		doc, err := goquery.NewDocumentFromReader(strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		doc.Find(`form[method="post"]`).Each(func(_ int, f *goquery.Selection) {
			action := f.AttrOr("action", from)
			p := route("POST", action)
			if !strings.HasPrefix(action, "/en/staff/") || strings.Contains(p, "signout") || strings.Contains(p, "/second") || strings.Contains(p, "account") {
				return
			}
			buttons := f.Find("button[name]")
			for n := range max(1, min(4, buttons.Length())) {
				fields := url.Values{}
				f.Find("input[name], select[name], textarea[name]").Each(func(_ int, x *goquery.Selection) {
					name, value, kind := x.AttrOr("name", ""), x.AttrOr("value", ""), x.AttrOr("type", "")
					switch {
					case goquery.NodeName(x) == "select":
						if value = x.Find("option[selected]").AttrOr("value", ""); value == "" {
							value = x.Find(`option:not([value=""])`).AttrOr("value", "")
						}
					case goquery.NodeName(x) == "textarea":
						value = "Some words of it"
					case kind == "radio" && fields.Has(name), kind == "file":
						return
					case value != "":
					case kind == "date":
						value = "2026-11-28"
					case kind == "number":
						value = "3"
					case kind == "email":
						value = "new@example.org"
					case kind == "url":
						value = "https://example.org/hook"
					default:
						value = "Some words"
					}
					fields.Add(name, value)
				})
				do := ""
				if buttons.Length() > 0 {
					b := buttons.Eq(n)
					do = b.AttrOr("value", "")
					fields.Set(b.AttrOr("name", ""), do)
				}
				key := strings.TrimSpace(p + " " + cmp.Or(do, fields.Get("do")))
				if posted[key] {
					continue
				}
				posted[key] = true
				own := func(c string) bool {
					return fields.Has(c) || c == "reason" || c == "words" || c == "to" || c == "lang" || c == "name" || c == "step"
				}
				extras(own, func(k, v string) { fields.Set(k, v) })
				status, _ := v.post(action, fields)
				tried++
				if status < 400 {
					taken[key] = true
				}
				if status >= 500 && status != http.StatusServiceUnavailable { // built without the engine of PDFs
					t.Errorf("%s: %d", key, status)
				}
			}
		})
	}
	crawl := func(v *visitor, first ...string) {
		seen, met, todo := map[string]bool{}, map[string]int{}, first
		for len(todo) > 0 {
			at := todo[0]
			todo = todo[1:]
			if p := route("GET", at); seen[at] || met[p] > 1 || p == "" {
				continue
			} else {
				met[p]++
			}
			seen[at] = true
			status, body := v.get(at)
			if status != http.StatusOK || !strings.Contains(body, "<html") {
				continue
			}
			for _, m := range regexp.MustCompile(`href="(/en/staff/[^"#]*)"`).FindAllStringSubmatch(body, -1) {
				if !strings.Contains(m[1], "workshop") && !strings.Contains(m[1], "planning") && !strings.Contains(m[1], "survey") && !strings.Contains(m[1], "network") && !strings.Contains(m[1], "coverage") && !strings.Contains(m[1], "needs") {
					todo = append(todo, strings.ReplaceAll(m[1], "&amp;", "&"))
				}
			}
			post(v, at, body)
		}
	}
	ours := "/en/staff/referrals/" + w.ours.ID
	for _, of := range []struct {
		v  *visitor
		at string
	}{{w.unhcr, ours}, {w.clinic, "/en/staff/referrals/" + w.theirs.ID}, {w.focal, ours}} {
		if status, body := of.v.post(of.at+"/person", url.Values{}); status == http.StatusOK {
			post(of.v, of.at+"/person", body)
		}
	}
	crawl(w.unhcr, "/en/staff/", ours)
	crawl(w.clinic, "/en/staff/", "/en/staff/referrals/"+w.theirs.ID)
	crawl(w.focal, "/en/staff/", ours)
	crawl(w.manager, "/en/staff/", "/en/staff/review/"+w.submission)
	crawl(w.admin, "/en/staff/", "/en/staff/users/")

	// What programs send.
	for _, of := range [][3]string{
		{"POST", "/v1/projects/1/datasets", `{"name":"wells"}`}, {"POST", "/v1/projects/1/datasets/wells/properties", `{"name":"depth"}`},
		{"POST", "/v1/projects/1/datasets/wells/entities", `{"uuid":"11111111-1111-4111-8111-111111111111","label":"Well","data":{"depth":"3"}}`},
		{"PATCH", "/v1/projects/1/datasets/wells/entities/11111111-1111-4111-8111-111111111111?force=true", `{"label":"A well"}`},
		{"POST", "/v1/projects/1/forms/screening/submissions/" + w.submission + "/comments", `{"body":"seen"}`},
		{"PATCH", "/v1/projects/1/forms/screening/submissions/" + w.submission, `{"reviewState":"hasIssues"}`},
		{"PATCH", "/v1/projects/1/forms/screening", `{"state":"open"}`}, {"POST", "/v1/projects/1/app-users", `{"displayName":"one more"}`},
	} {
		body := map[string]any{}
		if err := json.Unmarshal([]byte(of[2]), &body); err != nil {
			t.Fatal(err)
		}
		extras(func(c string) bool { _, ok := body[c]; return ok }, func(k, v string) { body[k] = v })
		b, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		r, err := http.NewRequest(of[0], w.base+of[1], strings.NewReader(string(b)))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+w.manager.Jar.(jar)[0].Value)
		resp, err := w.manager.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode >= 500 || resp.StatusCode < 400 && strings.Contains(string(answer), planted21) {
			t.Errorf("%s %s: %d %s", of[0], of[1], resp.StatusCode, answer)
		}
		tried++
		if resp.StatusCode < 400 {
			taken[of[0]+" "+of[1]] = true
		}
	}

	tables, _ := w.rows()
	for name, rows := range tables {
		for _, row := range rows {
			if i := strings.Index(row, planted21); i >= 0 {
				t.Errorf("%s keeps what was planted: %.300s", name, row[max(0, i-100):])
			}
		}
	}
	for name, was := range before {
		now := pick(name)
		for id, cells := range was {
			if d := gocmp.Diff(cells, now[id]); d != "" {
				t.Errorf("of %s:\n%s", name, d)
			}
		}
	}
	if r, err := w.h.db.Referral(t.Context(), w.theirs.ID); err != nil || r.State == dtm.ReferralCompleted || r.Desk == "mrc-obock-return" {
		t.Errorf("%+v, %v", r, err)
	}
	var names []string
	for k := range taken {
		names = append(names, k)
	}
	slices.Sort(names)
	t.Logf("%d forms and messages were sent, %d kinds were taken: %s", tried, len(taken), strings.Join(names, ", "))
	if len(taken) < 25 {
		t.Errorf("only %d of %d were taken: this proves little", len(taken), tried)
	}
}
