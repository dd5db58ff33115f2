package web_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"dtm"
	"dtm/check"
	"dtm/store/sqlite"
	"dtm/web"
)

// reviewing is the review over a store; the answer of a submission is its XML.
func reviewing(db *sqlite.DB) *web.Reviewing {
	return &web.Reviewing{
		Reviews: db, Corrections: db, Flags: db, Questions: db, Rules: check.Built, Switches: db.RuleSwitches, Switch: db.SwitchRule, Settled: func(context.Context) error { return nil },
		Enumerators: func(context.Context) ([]check.Figure, check.Figure, web.Made, error) {
			return []check.Figure{{Device: "phone-of-obock", Records: 1234, Complete: 0.5, Seconds: 90}, {Device: "another", Records: 4321}}, check.Figure{Records: 2777}, web.Made{At: time.Now(), Ready: true}, nil
		},
		Fields: func(_ context.Context, s dtm.Submission, changes []dtm.Change, _ dtm.Lang) ([]web.Field, error) {
			f := web.Field{Path: "/data/a", Form: "/data/a", Label: "The answer", Value: string(s.XML), Kind: "text"}
			for _, c := range changes {
				f.Value = c.Now
			}
			return []web.Field{f}, nil
		},
		Correct: func(ctx context.Context, id string, base int, why string, changes []dtm.Change) (dtm.Correction, error) {
			return db.Correct(ctx, id, dtm.Correction{Base: base, Why: why, Changes: changes})
		},
	}
}

// flagged puts n flagged submissions into the store, spread over points and rules.
func flagged(t *testing.T, db *sqlite.DB, n int) {
	t.Helper()
	rules := []string{"answers.sum", "group.large", "position.far", "interview.fast", "duplicate.point"}
	points := []string{"obock", "yoboki", "dikhil", "galafi", "ali-sabieh", "tadjourah", "balho", "loyada"}
	work := make(chan int)
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			for i := range work {
				id := fmt.Sprintf("uuid:%06d", i)
				if _, err := db.Receive(t.Context(), dtm.Submission{ID: id, Form: "f", Version: "1", XML: []byte("<data/>")}); err != nil {
					t.Error(err)
				}
				at := dtm.FlagPlace{Point: points[i%len(points)], Day: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, i%300), Severity: func(string) int { return i % 3 }}
				if err := db.FlagAt(t.Context(), id, at, []dtm.Flag{{Rule: rules[i%len(rules)], Note: "12 / 3"}}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i := range n {
		work <- i
	}
	close(work)
	wg.Wait()
}

// TestReviewPages: who may look, who may decide; a decision names what it is about, is
// told, and can be taken back; pages follow each other without a gap or a double.
func TestReviewPages(t *testing.T) {
	t.Parallel()
	s, db := office(t)
	flagged(t, db, 120)
	at := s.URL + "/en/staff/review/"
	decide := url.Values{"do": {"dismissed"}, "flag": {"group.large|uuid:000001|"}}
	for _, role := range []string{dtm.RoleEnumerator, dtm.RolePartner} {
		c := visitor(t, s, role)
		for _, path := range []string{"review/", "review/uuid:000001", "rules/", "enumerators/"} {
			if status, _ := send(t, c, s.URL+"/en/staff/"+path, nil); status != http.StatusForbidden {
				t.Errorf("%s opens %s: %d", role, path, status)
			}
		}
		if status, _ := send(t, c, at, decide); status != http.StatusForbidden {
			t.Errorf("%s decides: %d", role, status)
		}
	}
	c := visitor(t, s, dtm.RoleSupervisor)
	seen := map[string]bool{}
	for next, pages := at, 0; next != "" && pages < 9; pages++ {
		_, body := send(t, c, next, nil)
		for _, part := range strings.Split(body, `name="flag" value="`)[1:] {
			id, _, _ := strings.Cut(part, `"`)
			if seen[id] {
				t.Errorf("%s comes twice", id)
			}
			seen[id] = true
		}
		next = ""
		if i := strings.Index(body, `rel="next"`); i > 0 {
			from := strings.LastIndex(body[:i], `href="`) + len(`href="`)
			to := strings.Index(body[from:], `"`)
			next = s.URL + strings.ReplaceAll(body[from:from+to], "&amp;", "&")
		}
	}
	if len(seen) != 120 {
		t.Errorf("%d flags on all pages", len(seen))
	}
	if status, body := send(t, c, at, url.Values{"do": {"dismissed"}}); status != http.StatusUnprocessableEntity || !strings.Contains(body, "Choose at least one flag") {
		t.Errorf("nothing chosen: %d", status)
	}
	if status, body := send(t, c, at, url.Values{"do": {"rejected"}, "flag": decide["flag"]}); status != http.StatusUnprocessableEntity || !strings.Contains(body, "Say why") {
		t.Errorf("rejected without a reason: %d", status)
	}
	if _, body := send(t, c, at, decide); !strings.Contains(body, "Decided: 1 flag. Records that changed their state: 1.") {
		t.Error("a decision is not told")
	}
	if _, body := send(t, c, at, decide); !strings.Contains(body, "Somebody else had decided 1 of them") {
		t.Error("a decision too many is not told")
	}
	if v, err := db.Verdicts(t.Context(), "uuid:000001"); err != nil || len(v) != 1 || v[0].Actor != "user:supervisor@example.org" || v[0].To != dtm.StateConfirmed {
		t.Errorf("verdicts: %+v, %v", v, err)
	}
	record := s.URL + "/en/staff/review/uuid:000002"
	if status, body := send(t, c, record+"/correct", url.Values{"base": {"0"}, "has": {"/data/a"}, "f:/data/a": {"<b>new"}}); status != http.StatusUnprocessableEntity || !strings.Contains(body, "&lt;b&gt;new") || !strings.Contains(body, "Say why") {
		t.Errorf("without a reason: %d, and what was typed is there: %v", status, strings.Contains(body, "&lt;b&gt;new"))
	}
	if status, _ := send(t, c, record+"/correct", url.Values{"base": {"0"}, "has": {"/data/a"}, "f:/data/a": {"<b>new"}, "why": {"because"}}); status != http.StatusOK {
		t.Errorf("corrected: %d", status)
	}
	if status, body := send(t, c, record+"/correct", url.Values{"base": {"0"}, "has": {"/data/a"}, "f:/data/a": {"other"}, "why": {"late"}}); status != http.StatusConflict || !strings.Contains(body, "Somebody was faster") || !strings.Contains(body, "other") {
		t.Errorf("made on what is no more: %d", status)
	}
	if got, err := db.Submission(t.Context(), "uuid:000002"); err != nil || string(got.XML) != "<data/>" {
		t.Errorf("what was sent: %s, %v", got.XML, err)
	}
}

// TestReviewSpeed: with DTM_REVIEW_FLAGS=100000 the pages of the review are measured
// over as many open flags.
func TestReviewSpeed(t *testing.T) {
	n, _ := strconv.Atoi(os.Getenv("DTM_REVIEW_FLAGS"))
	if n == 0 {
		t.Skip("a measurement: DTM_REVIEW_FLAGS=100000 runs it")
	}
	s, db := office(t)
	began := time.Now()
	flagged(t, db, n)
	t.Logf("%d flagged submissions in %.1f s", n, time.Since(began).Seconds())
	c := visitor(t, s, dtm.RoleManager)
	after := url.QueryEscape(fmt.Sprintf("1~obock~%d~x", n))
	for _, path := range []string{"review/", "review/?point=obock", "review/?rule=position.far", "review/?severity=doubt&point=galafi&rule=group.large", "review/?state=dismissed", "review/?after=" + after, "review/uuid:000777", "rules/"} {
		var took []time.Duration
		for range 60 {
			start := time.Now()
			if status, _ := send(t, c, s.URL+"/en/staff/"+path, nil); status != http.StatusOK {
				t.Fatalf("%s: %d", path, status)
			}
			took = append(took, time.Since(start))
		}
		slices.Sort(took)
		p95 := took[len(took)*95/100]
		t.Logf("%-60s median %5.1f ms, p95 %5.1f ms", path, float64(took[len(took)/2].Microseconds())/1000, float64(p95.Microseconds())/1000)
		if p95 > 150*time.Millisecond {
			t.Errorf("%s: p95 %v", path, p95)
		}
	}
	list, err := db.Queue(t.Context(), dtm.FlagFilter{Limit: 50})
	if err != nil {
		t.Fatal(err)
	}
	form := url.Values{"do": {"dismissed"}}
	for _, f := range list {
		form.Add("flag", f.ID)
	}
	start := time.Now()
	send(t, c, s.URL+"/en/staff/review/", form)
	t.Logf("fifty decided at once, and the page after: %d ms", time.Since(start).Milliseconds())
}
