package main

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"dtm"
	"dtm/serve"
)

// attack is the program with somebody of each role in it, walked by its own links and forms.
type attack struct {
	*screened
	handler      http.Handler // all that a request passes
	outer, inner *http.ServeMux
	who          map[string]string // role -> token of a session; "" is a stranger
	roles        []string
	agent        string
}

// asked is a form of a page, or a link with a query.
type asked struct {
	role, method, pattern, action string
	fields                        url.Values // with what stands in them
	free                          []string   // those into which one writes
	files                         bool
}

func newAttack(t *testing.T) *attack {
	t.Helper()
	s := newScreened(t)
	pages, err := s.h.pages()
	if err != nil {
		t.Fatal(err)
	}
	a := &attack{screened: s, inner: pages.(*http.ServeMux), outer: s.h.mux(serve.NewMetrics(), guarded(pages)), who: map[string]string{"": ""}}
	a.handler = serve.Chain(a.outer, serve.Identify, serve.Recover(serve.Problem), serve.Security(serve.DefaultCSP), serve.Bodies(largeBodies))
	day := dtm.DayOf(s.now.now(), s.h.op.Zone)
	if _, err := s.h.db.AddAgreement(t.Context(), dtm.Agreement{Partner: "iom", Kind: dtm.AgreementCases, Purpose: "p", Programmes: []string{"health"}, Groups: dtm.FieldGroups, From: day, To: day}); err != nil {
		t.Fatal(err)
	}
	for _, role := range []string{dtm.RoleManager, dtm.RoleFocal, dtm.RoleDesk, dtm.RolePartner, dtm.RoleAuditor, dtm.RoleAdmin} {
		u := dtm.User{Email: role + "@example.org", Role: role}
		switch role {
		case dtm.RoleDesk:
			u.Partner, u.Desk = "iom", "mrc-obock-health"
		case dtm.RolePartner:
			u.Partner = "unicef"
		}
		a.who[role] = a.visit("", u).Jar.(jar)[0].Value
		a.roles = append(a.roles, role)
	}
	return a
}

// pattern is the route of an address.
func (a *attack) pattern(r *http.Request) string {
	_, p := a.outer.Handler(r)
	if p == "/" {
		_, p = a.inner.Handler(r)
	}
	return p
}

// ask sends a request; a form when there is one.
func (a *attack) ask(role, method, target string, form url.Values) *httptest.ResponseRecorder {
	var r *http.Request
	if form != nil {
		r = httptest.NewRequest(method, target, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	} else {
		r = httptest.NewRequest(method, target, nil)
	}
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("User-Agent", a.agent)
	if token := a.who[role]; token != "" {
		r.AddCookie(&http.Cookie{Name: "dtm", Value: token})
		if strings.HasPrefix(target, "/v1/") {
			r.Header.Set("Authorization", "Bearer "+token)
		}
	}
	w := httptest.NewRecorder()
	a.handler.ServeHTTP(w, r)
	return w
}

// crawl follows the links and filters of the pages in English as each role, most of one kind
// at most, and gives every form that it met once. each is shown every answer.
func (a *attack) crawl(most int, each func(role, target, pattern string, w *httptest.ResponseRecorder, doc *goquery.Document)) []asked {
	a.t.Helper()
	var found []asked
	known, forms := map[string]int{}, map[string]bool{}
	for _, role := range append([]string{""}, a.roles...) {
		queue := []string{"/en/", "/en/staff/", "/en/staff/account/"}
		if role == "" {
			queue = []string{"/en/", "/api/v1/", "/en/staff/signin"}
		}
		for len(queue) > 0 {
			target := queue[0]
			queue = queue[1:]
			u, err := url.Parse(target)
			if err != nil || u.Host != "" || u.Scheme != "" || strings.HasPrefix(u.Path, "/fr/") || strings.HasPrefix(u.Path, "/ar/") || strings.HasPrefix(u.Path, "/asset/") || strings.HasPrefix(u.Path, "/entry/") || !strings.HasPrefix(u.Path, "/") {
				continue
			}
			if role != "" && !strings.HasPrefix(u.Path, "/en/staff/") {
				continue // a stranger has been there
			}
			pattern := a.pattern(&http.Request{Method: "GET", URL: u, Host: "x"})
			var names []string
			for n := range u.Query() {
				names = append(names, n)
			}
			slices.Sort(names)
			key := role + " " + pattern + " " + strings.Join(names, " ")
			if known[key]++; known[key] > most || strings.Contains(pattern, "/report/") {
				continue
			}
			if len(names) > 0 && !forms["GET "+pattern+fmt.Sprint(names)] {
				forms["GET "+pattern+fmt.Sprint(names)] = true
				found = append(found, asked{role: role, method: "GET", pattern: pattern, action: u.Path, fields: u.Query(), free: names})
			}
			w := a.ask(role, "GET", u.RequestURI(), nil)
			var doc *goquery.Document
			if strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
				if doc, err = goquery.NewDocumentFromReader(strings.NewReader(w.Body.String())); err != nil {
					a.t.Fatal(err)
				}
			}
			each(role, target, pattern, w, doc)
			if to := w.Header().Get("Location"); to != "" {
				queue = append(queue, to)
			}
			if doc == nil {
				continue
			}
			doc.Find("a[href]").Each(func(_ int, x *goquery.Selection) {
				if to, err := u.Parse(x.AttrOr("href", "")); err == nil {
					to.Fragment = ""
					queue = append(queue, to.String())
				}
			})
			doc.Find("form").Each(func(_ int, x *goquery.Selection) {
				f := formOf(x)
				to, err := u.Parse(f.action)
				if err != nil {
					return
				}
				f.role, f.action = role, to.RequestURI()
				f.pattern = a.pattern(&http.Request{Method: f.method, URL: to, Host: "x"})
				var names []string
				for n := range f.fields {
					names = append(names, n)
				}
				slices.Sort(names)
				if k := f.method + " " + f.pattern + fmt.Sprint(names, f.free); !forms[k] {
					forms[k] = true
					found = append(found, f)
				}
				if f.method == "GET" {
					queue = append(queue, to.Path+"?"+f.fields.Encode())
				}
			})
		}
	}
	return found
}

// formOf reads a form as a browser would send it.
func formOf(x *goquery.Selection) asked {
	f := asked{method: strings.ToUpper(x.AttrOr("method", "get")), action: x.AttrOr("action", ""), fields: url.Values{}}
	x.Find("input[name],textarea[name],select[name],button[name]").Each(func(_ int, e *goquery.Selection) {
		name, value := e.AttrOr("name", ""), e.AttrOr("value", "")
		_, checked := e.Attr("checked")
		switch kind := goquery.NodeName(e) + " " + e.AttrOr("type", ""); kind {
		case "input checkbox", "input radio":
			if !checked {
				if f.fields.Has(name) || kind == "input checkbox" {
					return
				}
			}
		case "input file":
			f.files = true
			return
		case "input hidden", "input date", "input number", "input month", "input time", "input datetime-local":
		case "select ":
			if value = e.Find("option[selected]").AttrOr("value", ""); value == "" {
				e.Find("option[value]").EachWithBreak(func(_ int, o *goquery.Selection) bool {
					value = o.AttrOr("value", "")
					return value == ""
				})
			}
		case "button submit", "button ", "button button":
			if f.fields.Has(name) {
				return
			}
		default:
			if goquery.NodeName(e) == "textarea" {
				value = e.Text()
			}
			f.free = append(f.free, name)
		}
		f.fields.Add(name, value)
	})
	return f
}

// routed are all addresses of the program, with what stands for a value filled in: several of
// them when it is of several kinds.
func (a *attack) routed(fill func(name string) string) []string {
	var out []string
	for _, p := range append(patterns(a.outer), patterns(a.inner)...) {
		method, path, ok := strings.Cut(p, " ")
		if !ok {
			method, path = "GET", p
		}
		if strings.HasPrefix(path, "/fr/") || strings.HasPrefix(path, "/ar/") {
			continue
		}
		out = append(out, method+" "+pathValue.ReplaceAllStringFunc(strings.ReplaceAll(path, "{$}", ""), func(s string) string { return fill(strings.Trim(s, "{.}")) }))
	}
	return out
}

var pathValue = regexp.MustCompile(`\{(\w+)(\.\.\.)?\}`)

// session is one of somebody whose browser calls itself agent.
func (a *attack) session(email, agent string) string {
	a.t.Helper()
	token, now := rand.Text()+rand.Text(), a.now.now().UTC()
	if err := a.h.db.AddSession(a.t.Context(), token, dtm.Session{Kind: dtm.SessionKindPages, Email: email, Agent: agent, Created: now, Expires: now.Add(12 * time.Hour), Second: now, Proved: now}); err != nil {
		a.t.Fatal(err)
	}
	return token
}
