//go:build !race

// A release holds its reports; starting the PDF engine under the race detector takes
// minutes.

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite" // to spoil data behind the store's back

	"dtm"
	"dtm/analyse/release"
	"dtm/disseminate/report"
	"dtm/gather/bulk"
	"dtm/locale"
)

// people are two data managers with their password file.
const passwordOfAll = "a long enough password"

// released makes a folder with the phones' groups of two months and the registry
// rows of the month before them, and a password file for a@ and b@example.org.
func released(t *testing.T) (data, password string) {
	t.Helper()
	data = filepath.Join(t.TempDir(), "data")
	dtmRun(t, "init", "-data", data)
	password = filepath.Join(t.TempDir(), "password")
	write(t, password, passwordOfAll+"\n")
	for _, who := range []string{"a", "b"} {
		dtmRun(t, "user", "add", "-data", data, "-email", who+"@example.org", "-role", "manager", "-password-file", password)
	}
	file := filepath.Join(t.TempDir(), "august.csv")
	write(t, file, "month,fmp,movement,previous,next,sex,age,n,reason_economic\n2026-08,Obock,outgoing,ETH,SAU,male,adults,310,1\n2026-08,Dikhil,incoming,ETH,DJI,female,children,7,0\n2026-08,Galafi (DJI),incoming,ETH,DJI,male,adults,520,1\n")
	dtmRun(t, "import", "movements", "-data", data, file)
	send(t, data, time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC), 8, demoSeed)
	return data, password
}

// copied is the folder as it comes back from its backup.
func copied(t *testing.T, data string) string {
	t.Helper()
	file, to := filepath.Join(t.TempDir(), "backup.tar.gz"), filepath.Join(t.TempDir(), "other", "data")
	dtmRun(t, "backup", "-data", data, "-out", file)
	dtmRun(t, "restore", "-data", to, file)
	return to
}

// spoil runs a statement on a folder's store behind its back, protections removed.
func spoil(t *testing.T, data, statement string, args ...any) {
	t.Helper()
	r, err := unguarded(t, data).Exec(statement, args...)
	if err != nil {
		t.Fatal(err)
	}
	if n, _ := r.RowsAffected(); n != 1 {
		t.Fatalf("%s changed %d rows", statement, n)
	}
}

// TestRelease: a month is frozen by one person, published by another, comes out of a
// backup on another folder bit for bit, and whatever is tampered with there is named.
func TestRelease(t *testing.T) {
	t.Parallel()
	data, password := released(t)

	if code, out, stderr := dtmTry(t, "release", "create", "-data", data, "-month", dtm.MonthOf(time.Now()).String()); code != 1 || !strings.Contains(out, "stop") || !strings.Contains(out, "is not over") {
		t.Errorf("a month that is not over: exit %d\n%s%s", code, out, stderr)
	}
	out := dtmRun(t, "release", "create", "-data", data, "-month", "2026-09", "-note", "the first", "-as", "a@example.org", "-password-file", password)
	for _, want := range []string{"proposed 2026-09/1", "The month is over", "is a published figure"} {
		if !strings.Contains(out, want) {
			t.Errorf("create lacks %q:\n%s", want, out)
		}
	}
	if code, _, stderr := dtmTry(t, "release", "approve", "-data", data, "2026-09/1", "-as", "a@example.org", "-password-file", password); code != 1 || !strings.Contains(stderr, "another person") {
		t.Errorf("approved by its creator: exit %d, %s", code, stderr)
	}
	if code, _, _ := dtmTry(t, "report", "-data", data, "-month", "2026-09", "-release", "2026-09/1", "-out", filepath.Join(t.TempDir(), "x.pdf")); code != 1 {
		t.Error("a proposed release is quoted")
	}
	dtmRun(t, "release", "approve", "-data", data, "2026-09", "-as", "b@example.org", "-password-file", password)
	if out := dtmRun(t, "release", "verify", "-data", data, "2026-09/1"); !strings.Contains(out, "equal byte for byte") {
		t.Errorf("verify:\n%s", out)
	}

	// The report is the one of the release, and made again it is the same.
	pdf := filepath.Join(t.TempDir(), "r.pdf")
	if out := dtmRun(t, "report", "-data", data, "-month", "2026-09", "-lang", "fr", "-out", pdf); !strings.Contains(out, "release 2026-09/1,") {
		t.Errorf("report: %s", out)
	}
	inside(t, data, func(ctx context.Context, h *house) {
		s, err := h.shelf.Source(ctx, "latest", dtm.Month{Year: 2026, Month: 9})
		if err != nil {
			t.Fatal(err)
		}
		// Every product can be made from a release, which holds the days of its month only.
		_, base, err := h.printer.start(h, s.Operation)
		if err != nil {
			t.Fatal(err)
		}
		made := 0
		for _, r := range family(s.Operation, dtm.Month{Year: 2026, Month: 9}) {
			if _, err := report.Compose(ctx, s.Figures, s.Operation, base, r, dtm.French); err == nil {
				made++
			} else if dtm.KindOf(err) != dtm.NotFound {
				t.Errorf("%s of a release: %v", r.Name(), err)
			}
		}
		if made < len(dtm.ReportProducts) {
			t.Errorf("only %d reports can be made from a release", made)
		}
		again, err := h.makeReport(ctx, s, dtm.Report{Product: dtm.ReportMonthly, Month: dtm.Month{Year: 2026, Month: 9}}, dtm.French)
		if err != nil {
			t.Fatal(err)
		}
		kept, err := os.ReadFile(pdf)
		if err != nil || !bytes.Equal(kept, again) {
			t.Errorf("the report made again has %d bytes, the kept one %d (%v)", len(again), len(kept), err)
		}
	})

	other := copied(t, data)
	if a, b := dtmRun(t, "release", "verify", "-data", data, "2026-09/1"), dtmRun(t, "release", "verify", "-data", other, "2026-09/1"); a != b {
		t.Errorf("here and there:\n%s%s", a, b)
	}

	// More arrives; the release stays what it was.
	total := []string{"indicator", "-data", data, "total_movements", "-from", "2026-09", "-format", "csv"}
	was := dtmRun(t, append(total, "-release", "2026-09/1")...)
	send(t, data, time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC), 2, demoSeed+1)
	if now := dtmRun(t, append(total, "-release", "2026-09/1")...); now != was || dtmRun(t, total...) == was {
		t.Errorf("the release changed, or nothing did:\n%s%s", was, now)
	}
	dtmRun(t, "review", "reject", "-data", data, "-why", "counted at the next point too", "-as", "a@example.org", sourceOf(t, data))
	if out := dtmRun(t, "release", "verify", "-data", data, "2026-09/1"); !strings.Contains(out, "equal byte for byte") {
		t.Errorf("verify after a review:\n%s", out)
	}
	out = dtmRun(t, "release", "create", "-data", data, "-month", "2026-09", "-as", "b@example.org", "-password-file", password)
	for _, want := range []string{"proposed 2026-09/2", "changed since release 2026-09/1", "records received since", "1 record rejected in review · counted at the next point too", "total_movements", "Release 2026-09/1 had"} {
		if !strings.Contains(out, want) {
			t.Errorf("the second release lacks %q:\n%s", want, out)
		}
	}
	dtmRun(t, "release", "approve", "-data", data, "2026-09/2", "-as", "a@example.org", "-password-file", password)
	if latest := dtmRun(t, append(total, "-release", "latest")...); latest == was || !strings.Contains(latest, "2026-09/2") {
		t.Errorf("latest: %s", latest)
	}
	if out := dtmRun(t, "release", "diff", "-data", data, "2026-09/1", "2026-09/2"); !strings.Contains(out, "records received since") {
		t.Errorf("diff:\n%s", out)
	}
	dtmRun(t, "release", "withdraw", "-data", data, "2026-09/2", "-reason", "counted twice", "-as", "a@example.org", "-password-file", password)
	if code, _, stderr := dtmTry(t, append(total, "-release", "2026-09/2")...); code != 1 || !strings.Contains(stderr, "counted twice") {
		t.Errorf("withdrawn: exit %d, %s", code, stderr)
	}
	if latest := dtmRun(t, append(total, "-release", "latest")...); latest != was {
		t.Errorf("latest after withdrawing: %s", latest)
	}
	tamper(t, other)
}

// sourceOf is a record whose people are in release 2026-09/1.
func sourceOf(t *testing.T, data string) (id string) {
	t.Helper()
	inside(t, data, func(ctx context.Context, h *house) {
		r, err := h.db.FrozenRelease(ctx, dtm.Month{Year: 2026, Month: 9}, 1)
		if err != nil {
			t.Fatal(err)
		}
		f, err := h.unpack(ctx, r)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range f.facts.Facts {
			if x.People > 0 {
				id = x.Source
			}
		}
	})
	return id
}

// tamper spoils one thing in a copy of the folder, each time another, and expects
// verify to name it.
func tamper(t *testing.T, data string) {
	t.Helper()
	var source, part, manifest string
	var xml, rows []byte
	inside(t, data, func(ctx context.Context, h *house) {
		r, err := h.db.FrozenRelease(ctx, dtm.Month{Year: 2026, Month: 9}, 1)
		if err != nil {
			t.Fatal(err)
		}
		f, err := h.unpack(ctx, r)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range f.facts.Facts {
			s, err := h.db.Submission(ctx, x.Source)
			if err != nil {
				t.Fatal(err)
			}
			now := bytes.ReplaceAll(s.XML, fmt.Appendf(nil, ">%d<", x.People), fmt.Appendf(nil, ">%d<", x.People+1))
			if x.People > 0 && !bytes.Equal(now, s.XML) {
				source, xml = x.Source, now
				break
			}
		}
		chunks, err := h.db.Chunks(ctx)
		if err != nil || len(chunks) != 1 {
			t.Fatal(chunks, err)
		}
		c, err := h.db.Chunk(ctx, chunks[0].Hash)
		if err != nil {
			t.Fatal(err)
		}
		list, err := bulk.Decode(h.op, c.Data)
		if err != nil {
			t.Fatal(err)
		}
		list[0].People++
		rows = bulk.Encode(h.op, list)
		part, manifest = r.Parts[release.PartFacts], string(r.Manifest)
	})
	var m release.Manifest
	if err := json.Unmarshal([]byte(manifest), &m); err != nil {
		t.Fatal(err)
	}
	m.Total++
	forged, err := m.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		do   func(t *testing.T, data string)
		want []string
	}{
		"a fact at its source": {func(t *testing.T, data string) {
			spoil(t, data, `UPDATE submission SET xml = ? WHERE id = ?`, xml, source)
		}, []string{source, "facts.csv:", "the log says"}},
		"imported rows and the manifest": {func(t *testing.T, data string) {
			spoil(t, data, `UPDATE chunk SET data = ?`, rows)
			spoil(t, data, `UPDATE release SET manifest = ?, manifest_hash = ?`, forged, release.Hash(forged))
		}, []string{"august.csv", "were changed", "months.csv:", "manifest.json", release.Hash(forged)}},
		"a part and an event": {func(t *testing.T, data string) {
			file := filepath.Join(data, "blob", part[7:9], part[9:11], part[7:])
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			b[len(b)/2] ^= 1
			write(t, file, string(b))
			spoil(t, data, `UPDATE event SET detail = '{"form":"other"}' WHERE seq = 20`)
		}, []string{"facts.csv", "damaged", part, "entry 20"}},
	} {
		other := copied(t, data)
		c.do(t, other)
		code, out, stderr := dtmTry(t, "release", "verify", "-data", other, "2026-09/1")
		if code != 1 || !strings.Contains(stderr, "does not verify") {
			t.Errorf("%s: exit %d\n%s%s", name, code, out, stderr)
		}
		for _, w := range c.want {
			if !strings.Contains(stderr, w) {
				t.Errorf("%s: %q is not named:\n%s%s", name, w, out, stderr)
			}
		}
	}
}

// TestPartsHaveWords: each part of a release is named on its page.
func TestPartsHaveWords(t *testing.T) {
	t.Parallel()
	for _, part := range append(release.FactParts, release.PartFigures, release.PartWithheld, release.PartPattern) {
		if key := "release.part." + strings.TrimSuffix(part, ".csv"); !locale.Has(key) {
			t.Errorf("%s has no words: %s", part, key)
		}
	}
}

// TestReleasePages: a month goes through the pages of the staff to those of everybody,
// and the API; nobody's name and no fact is public.
func TestReleasePages(t *testing.T) {
	t.Parallel()
	data, _ := released(t)
	inside(t, data, func(ctx context.Context, h *house) {
		if err := h.current(ctx); err != nil {
			t.Fatal(err)
		}
		mux, err := h.routes()
		if err != nil {
			t.Fatal(err)
		}
		s := httptest.NewServer(mux)
		defer s.Close()
		person := func(email string) *http.Client {
			jar, err := cookiejar.New(nil)
			if err != nil {
				t.Fatal(err)
			}
			c := &http.Client{Jar: jar}
			if email != "" {
				fetched(t, c, s.URL+"/en/staff/signin", url.Values{"email": {email}, "password": {passwordOfAll}}, 200)
			}
			return c
		}
		a, b, anybody := person("a@example.org"), person("b@example.org"), person("")
		has := func(body string, want ...string) {
			t.Helper()
			for _, w := range want {
				if !strings.Contains(body, w) {
					t.Errorf("%q is not in %s", w, body)
				}
			}
		}
		has(fetched(t, anybody, s.URL+"/en/releases/", nil, 200), "No month has been released yet")
		has(fetched(t, anybody, s.URL+"/en/?from=2026-09", nil, 200), "Provisional: figures may still change")
		has(fetched(t, a, s.URL+"/en/staff/releases/", nil, 200), "September 2026")
		has(fetched(t, a, s.URL+"/fr/staff/releases/check?month=2026-09", nil, 200), "Le mois est terminé", "Figer et proposer")
		has(fetched(t, a, s.URL+"/en/staff/releases/", url.Values{"month": {"2026-09"}, "note": {"<b>first</b>"}}, 200), "Release 2026-09/1", "Another data manager or administrator has to approve it", "&lt;b&gt;first")
		fetched(t, anybody, s.URL+"/en/releases/2026-09/1", nil, 404) // what is proposed is not public
		has(fetched(t, a, s.URL+"/en/staff/releases/2026-09/1/approve", url.Values{}, 409), "another person")
		has(fetched(t, a, s.URL+"/en/staff/releases/", url.Values{"month": {"2026-09"}}, 409), "approve it or withdraw it first")
		has(fetched(t, b, s.URL+"/en/staff/releases/2026-09/1/approve", url.Values{}, 200), "approved by b@example.org")

		public := fetched(t, anybody, s.URL+"/en/releases/2026-09/1", nil, 200)
		has(public, "Release 2026-09/1", "report-fr.pdf", "SHA-256")
		if strings.Contains(public, "example.org\"") || strings.Contains(public, "a@example.org") || strings.Contains(public, `href="/en/releases/2026-09/1/facts.csv"`) {
			t.Error("the public page says too much")
		}
		for path, status := range map[string]int{"facts.csv": 404, "operation.json": 404, "figures.csv": 200, "report-fr.pdf": 200} {
			fetched(t, anybody, s.URL+"/en/releases/2026-09/1/"+path, nil, status)
		}
		manifest := fetched(t, anybody, s.URL+"/en/releases/2026-09/1/manifest.json", nil, 200)
		has(public, release.Hash([]byte(manifest)))
		var m release.Manifest
		if err := json.Unmarshal([]byte(manifest), &m); err != nil {
			t.Fatal(err)
		}
		for _, p := range m.Parts {
			if p.Public && release.Hash([]byte(fetched(t, anybody, s.URL+"/fr/releases/2026-09/1/"+p.Name, nil, 200))) != p.SHA256 {
				t.Errorf("%s is not what the manifest says", p.Name)
			}
		}
		page := fetched(t, anybody, s.URL+"/en/?from=2026-09", nil, 200)
		has(page, "frozen, published on", "Release 2026-09/1")
		if strings.Contains(page, "Provisional") {
			t.Error("a released month is called provisional")
		}
		has(fetched(t, anybody, s.URL+"/fr/?release=latest", nil, 200), "septembre 2026", "figée")
		has(fetched(t, anybody, s.URL+"/en/?from=2026-09&release=provisional", nil, 200), "Provisional")
		has(fetched(t, anybody, s.URL+"/en/?from=2026-08", nil, 200), "Provisional", "The latest release is September 2026")
		has(fetched(t, anybody, s.URL+"/en/data/points.csv?from=2026-09", nil, 200), "2026-09/1")
		has(fetched(t, anybody, s.URL+"/en/?from=2026-10&release=2026-09/1", nil, 404), "ends with 2026-09")
		fetched(t, anybody, s.URL+"/en/?release=2031-01/1", nil, 404)
		fetched(t, anybody, s.URL+"/en/?release=x", nil, 400)
		has(fetched(t, anybody, s.URL+"/api/v1/releases/2026-09/1", nil, 200), `"release":"2026-09/1"`, m.Parts[0].SHA256)
		has(fetched(t, anybody, s.URL+"/api/v1/indicators/total_movements/figures.csv?from=2026-09", nil, 200), "2026-09/1")

		has(fetched(t, a, s.URL+"/fr/staff/releases/2026-09/1/withdraw", url.Values{"reason": {""}}, 409), "Dites pourquoi")
		has(fetched(t, a, s.URL+"/en/staff/releases/2026-09/1/withdraw", url.Values{"reason": {"counted twice"}}, 200), "Withdrawn: counted twice")
		has(fetched(t, anybody, s.URL+"/en/?from=2026-09&release=2026-09/1", nil, 410), "counted twice")
		has(fetched(t, anybody, s.URL+"/en/releases/2026-09/1", nil, 200), "Withdrawn: counted twice")
		fetched(t, anybody, s.URL+"/en/releases/2026-09/1/figures.csv", nil, 410)
		has(fetched(t, anybody, s.URL+"/en/?from=2026-09", nil, 200), "Provisional")
	})
}

// fetched gets a page, or sends a form, and wants a status.
func fetched(t *testing.T, c *http.Client, address string, form url.Values, status int) string {
	t.Helper()
	var r *http.Response
	var err error
	if form == nil {
		r, err = c.Get(address)
	} else {
		r, err = c.PostForm(address, form)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	if r.StatusCode != status {
		t.Errorf("%s: %s, want %d", address, r.Status, status)
	}
	return string(b)
}
