package main

import (
	"crypto/rand"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dtm"
	"dtm/access"
	"dtm/serve"
)

var update = flag.Bool("update", false, "write the golden files anew")

// patterns are the addresses that a mux knows, as they were registered. The standard
// library lists them nowhere: they are read from its index.
func patterns(mux *http.ServeMux) []string {
	seen := map[string]bool{}
	index := reflect.ValueOf(mux).Elem().FieldByName("index")
	add := func(list reflect.Value) {
		for i := range list.Len() {
			seen[list.Index(i).Elem().FieldByName("str").String()] = true
		}
	}
	add(index.FieldByName("multis"))
	for at := index.FieldByName("segments").MapRange(); at.Next(); {
		add(at.Value())
	}
	var out []string
	for p := range seen {
		out = append(out, p)
	}
	slices.Sort(out)
	return out
}

// TestRoutes: who may ask for what, of every address of the program, found by asking:
// each address as a stranger and with each role. A new address appears here before it
// can be forgotten in the table of who may do what.
func TestRoutes(t *testing.T) {
	t.Parallel()
	data := real(t)
	h, done, err := (&call{dir: t.TempDir(), env: testEnv, out: os.Stderr, err: os.Stderr}).open(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	hash, err := access.HashPassword(t.Context(), rand.Reader, "a sentence of five words")
	if err != nil {
		t.Fatal(err)
	}
	for _, role := range dtm.StaffRoles {
		if err := h.db.AddUser(t.Context(), dtm.User{Email: role + "@example.org", Role: role}, hash); err != nil {
			t.Fatal(err)
		}
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
	byLanguage := map[string][]string{}
	var all []string
	for _, p := range append(patterns(mux), patterns(inner)...) {
		if m := regexp.MustCompile(`^(\S+ )/(en|fr|ar)(/.*)$`).FindStringSubmatch(p); m != nil {
			byLanguage[m[2]] = append(byLanguage[m[2]], m[1]+m[3])
			p = m[1] + "/LANG" + m[3]
		}
		all = append(all, p)
	}
	for l, list := range byLanguage {
		if d := cmp.Diff(byLanguage["en"], list); d != "" {
			t.Errorf("the pages in %s are others than in English:\n%s", l, d)
		}
	}
	slices.Sort(all)
	all = slices.Compact(all)
	if len(all) < 100 {
		t.Fatalf("only %d addresses were found", len(all))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# Who may ask for what, found by asking; written by `go test ./cmd/dtm -run TestRoutes -update`.\n")
	fmt.Fprintf(&b, "# . everybody   y may   n refused   s has to sign in, or name a device\n# columns: a stranger, %s\n\n", strings.Join(dtm.StaffRoles, ", "))
	for _, p := range all {
		var row strings.Builder
		for _, role := range append([]string{""}, dtm.StaffRoles...) {
			row.WriteByte(h.may(t, mux, p, role))
		}
		marks := row.String()
		if marks[0] == 'y' {
			if strings.Trim(marks, "y") != "" {
				t.Errorf("%s: a stranger may what somebody with an account may not: %s", p, marks)
			}
			marks = strings.ReplaceAll(marks, "y", ".")
		}
		fmt.Fprintf(&b, "%s  %s\n", marks, p)
	}
	golden := filepath.Join("testdata", "routes.golden")
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(b.String(), "\n")); d != "" {
		t.Errorf("who may ask for what has changed (- before, + now); when that is meant: go test ./cmd/dtm -run TestRoutes -update\n%s", d)
	}
}

// may asks for an address of nothing that exists.
func (h *house) may(t *testing.T, mux http.Handler, pattern, role string) byte {
	t.Helper()
	method, path, ok := strings.Cut(pattern, " ")
	if !ok {
		method, path = "GET", pattern
	}
	path = strings.ReplaceAll(strings.Replace(path, "/LANG", "/en", 1), "{$}", "")
	path = regexp.MustCompile(`\{(\w+)(\.\.\.)?\}`).ReplaceAllStringFunc(path, func(s string) string {
		switch strings.Trim(s, "{.}") {
		case "month":
			return "2022-12"
		case "n", "project":
			return "1"
		}
		return "none"
	})
	r := httptest.NewRequest(method, path, nil)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if method == "POST" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if role != "" {
		token, now := rand.Text()+rand.Text(), h.now().UTC()
		s := dtm.Session{Kind: dtm.SessionKindPages, Email: role + "@example.org", Created: now, Expires: now.Add(time.Hour), Second: now, Proved: now}
		if err := h.db.AddSession(t.Context(), token, s); err != nil {
			t.Fatal(err)
		}
		r.AddCookie(&http.Cookie{Name: "dtm", Value: token})
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	switch to := w.Header().Get("Location"); {
	case strings.HasSuffix(path, "/staff/signin"), strings.HasSuffix(path, "/staff/second") && w.Code == http.StatusUnauthorized:
		return 'y' // it refuses the password or code, not who gives it
	case w.Code == http.StatusUnauthorized, w.Code == http.StatusSeeOther && strings.Contains(to, "/staff/signin") && !strings.Contains(path, "signout"):
		return 's'
	case w.Code == http.StatusForbidden:
		return 'n'
	case w.Code >= 500 && w.Code != http.StatusNotImplemented:
		t.Errorf("%s as %q: %d %.300s", pattern, role, w.Code, w.Body)
	}
	return 'y'
}
