package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"dtm"
	"dtm/serve"
)

// TestHostileRequests: what is announced as larger than anything that is taken is refused
// before it is read, at every address that takes something; a compressed body is not
// unpacked; numbers of slips cannot be tried out; what somebody typed is no formula in a
// table that a spreadsheet opens.
func TestHostileRequests(t *testing.T) {
	t.Parallel()
	s := newScreened(t)
	ctx := t.Context()
	server := s.server()
	base := server.URL
	admin := s.visit(base, dtm.User{Email: "a@example.org", Role: dtm.RoleAdmin})
	_, token, err := s.h.db.AddDevice(ctx, "=cmd|' /C calc'!A0", "obock")
	if err != nil {
		t.Fatal(err)
	}

	pages, err := s.h.pages()
	if err != nil {
		t.Fatal(err)
	}
	inner, ok := pages.(*http.ServeMux)
	if !ok {
		t.Fatalf("the pages are a %T", pages)
	}
	tried := 0
	for _, p := range append(patterns(s.h.mux(serve.NewMetrics(), guarded(pages))), patterns(inner)...) {
		method, path, ok := strings.Cut(p, " ")
		if !ok || method == "GET" || strings.HasPrefix(path, "/fr/") || strings.HasPrefix(path, "/ar/") {
			continue
		}
		path = strings.ReplaceAll(regexp.MustCompile(`\{\w+(\.\.\.)?\}`).ReplaceAllStringFunc(path, func(x string) string {
			switch x {
			case "{project}":
				return "1"
			case "{token}":
				return token
			}
			return "none"
		}), "{$}", "")
		c, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(c, "%s %s HTTP/1.1\r\nHost: x\r\nX-OpenRosa-Version: 1.0\r\nCookie: dtm=%s\r\nAuthorization: Bearer %s\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\na=", method, path, admin.Jar.(jar)[0].Value, admin.Jar.(jar)[0].Value, int64(1)<<40)
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		c.Close() // a server that waits for the rest must not be waited for
		if err != nil {
			t.Fatalf("%s: no answer before the whole is sent: %v", p, err)
		}
		if resp.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("%s: a terabyte is answered %d", p, resp.StatusCode)
		}
		tried++
	}
	if tried < 90 {
		t.Errorf("only %d addresses were tried", tried)
	}

	// Compressed: taken as it is, which is nothing.
	before, err := s.h.db.Last(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := io.CopyN(z, zeroes{}, 64<<20); err != nil {
		t.Fatal(err)
	}
	z.Close()
	for path, kind := range map[string]string{"/v1/key/" + token + "/projects/1/submission": "multipart/form-data; boundary=b", "/v1/sessions": "application/json", "/v1/projects/1/forms": "application/xml", "/v1/projects/1/app-users": "application/json", "/en/staff/devices/": "application/x-www-form-urlencoded"} {
		r, err := http.NewRequest("POST", base+path, bytes.NewReader(packed.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", kind)
		r.Header.Set("Content-Encoding", "gzip")
		r.Header.Set("X-OpenRosa-Version", "1.0")
		r.Header.Set("Authorization", "Bearer "+admin.Jar.(jar)[0].Value)
		resp, err := admin.Do(r)
		if status, body := admin.read(resp, err); status < 400 || status >= 500 {
			t.Errorf("%s, compressed: %d %.200s", path, status, body)
		}
	}
	if after, err := s.h.db.Last(ctx); err != nil || after != before {
		t.Errorf("%d entries of the log are new, %v", after-before, err)
	}

	// Numbers of slips.
	day := dtm.DayOf(s.now.now(), s.h.op.Zone)
	if _, err := s.h.db.AddAgreement(ctx, dtm.Agreement{Partner: "iom", Kind: dtm.AgreementCases, Purpose: "p", Programmes: []string{"protection"}, Groups: dtm.FieldGroups, From: day, To: day}); err != nil {
		t.Fatal(err)
	}
	_, list := s.send("health", "soon", "refer", "health", "person_name", plantedName)
	desk := s.visit(base, dtm.User{Email: "d@example.org", Role: dtm.RoleDesk, Partner: "iom", Desk: "mrc-obock-protection"})
	guess := func(v *visitor, number string) int {
		status, _ := v.post("/en/staff/glass/", url.Values{"number": {number}, "reason": {"bleeds at our door"}})
		return status
	}
	refused := 0
	for n := range 60 { // one a second, for a minute
		if status := guess(desk, fmt.Sprintf("%08d", n)); status == http.StatusTooManyRequests {
			refused++
		} else if status != http.StatusUnprocessableEntity {
			t.Fatalf("%d", status)
		}
		s.now.to(s.now.now().Add(time.Second))
	}
	if looked := 60 - refused; looked > 10 {
		t.Errorf("%d numbers could be tried in a minute", looked)
	}
	if status := guess(desk, list[0].Number); status != http.StatusTooManyRequests || s.count(dtm.GlassBroken) != 0 {
		t.Errorf("who guesses comes upon one: %d", status)
	}
	if status := guess(s.visit(base, dtm.User{Email: "e@example.org", Role: dtm.RoleDesk, Partner: "iom", Desk: "mrc-obock-protection"}), list[0].Number); status != http.StatusSeeOther {
		t.Errorf("a colleague who knows the number: %d", status)
	}

	// Tables for spreadsheets.
	manager := s.visit(base, dtm.User{Email: "m@example.org", Role: dtm.RoleManager})
	if code, answer := (phone{t, base + "/v1/key/" + token + "/projects/1"}).send(string(s.instance("uuid:formula", "point", " =1+1", "observed", "2026-11-28")), nil); code != http.StatusCreated {
		t.Fatal(code, answer)
	}
	if err := s.h.current(ctx); err != nil {
		t.Fatal(err)
	}
	events, err := s.h.db.Events(ctx, 0, 10000)
	if err == nil {
		err = s.h.read(ctx, events)
	}
	if err != nil {
		t.Fatal(err)
	}
	_, text := manager.get("/en/staff/submissions/list.csv")
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || !strings.Contains(text, "'=cmd|") {
		t.Fatalf("the planted name is not in the table: %v\n%s", err, text)
	}
	for _, row := range rows {
		for _, cell := range row {
			if regexp.MustCompile(`^[\s\x00-\x1f\x{feff}]*[=+\-@|%]`).MatchString(cell) && !regexp.MustCompile(`^-?[0-9.]+$`).MatchString(cell) {
				t.Errorf("a spreadsheet computes %q", cell)
			}
		}
	}
}

// zeroes is a stream without an end.
type zeroes struct{}

func (zeroes) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}
