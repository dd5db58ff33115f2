package main

import (
	"context"
	crand "crypto/rand"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/PuerkitoBio/goquery"

	"dtm"
	"dtm/demo"
	"dtm/event"
	"dtm/gather/xlsform"
	"dtm/internal/inside"
	"dtm/operation"
	"dtm/store/sqlite"
)

// screener writes screenings of people who need a doctor, as a phone does.
type screener struct{ form *demo.Form }

func readScreening(op *dtm.Operation, published []byte) (*screener, error) {
	v := screeningVersion.FindSubmatch(published)
	packed, ok := op.Form("screening")
	if v == nil || !ok {
		return nil, fmt.Errorf("there is no screening form, or none with a version")
	}
	form, _, err := xlsform.Read(packed.File, packed.Data)
	if err != nil {
		return nil, err
	}
	form.Version = string(v[1])
	f, err := demo.NewForm(op, form)
	return &screener{f}, err
}

// write gives the screening of somebody with this name.
func (s *screener) write(id, name string, now time.Time) string {
	return string(s.form.Fill(id, now.UTC(), map[string]string{"point": "obock", "consent": "yes", "share": "yes", "sex": "male", "age": "25", "nationality": "ETH", "health": "soon", "need": "health", "reach": "yes",
		"danger": "no", "asylum": "no", "forced": "no", "violence": "no", "go_home": "no", "papers": "no", "refer": "health", "language": "om", "person_name": name, "safe": "yes"}))
}

// act is what somebody at the desk was told is done.
type act struct {
	referral string
	action   dtm.ReferralAction
}

// desk is somebody who answers what comes to the health desk, on the page.
type desk struct {
	client    *http.Client
	mu        sync.Mutex
	transport http.RoundTripper
	told      map[act]int
}

const deskUser = "desk@example.org"

// open opens the store, with what is sealed.
func (c *Campaign) open(ctx context.Context) (*sqlite.DB, error) {
	op, err := operation.Pack("djibouti")
	if err != nil {
		return nil, err
	}
	return inside.Open(ctx, c.data, c.store, op)
}

// hire lets the health desk of Obock be answered, while no server runs.
func (c *Campaign) hire(ctx context.Context) (_ *desk, err error) {
	ctx = event.WithActor(ctx, event.System)
	db, err := c.open(ctx)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	today := time.Now().UTC().Truncate(24 * time.Hour)
	if _, err = db.AddAgreement(ctx, dtm.Agreement{Partner: "iom", Kind: dtm.AgreementCases, Purpose: "crash", Basis: "crash", Programmes: []string{"health"}, Groups: dtm.FieldGroups, From: today.AddDate(-1, 0, 0), To: today.AddDate(1, 0, 0)}); err != nil {
		return nil, err
	}
	if err := employ(ctx, db, crand.Reader); err != nil {
		return nil, err
	}
	d := &desk{told: map[act]int{}}
	d.client = &http.Client{Timeout: 30 * time.Second, Transport: d, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return d, d.enter(ctx, db, time.Now())
}

// enter signs in by the clock of the server to come.
func (d *desk) enter(ctx context.Context, db *sqlite.DB, now time.Time) error {
	transport, err := inside.SignIn(ctx, db, dtm.User{Email: deskUser, Role: dtm.RoleDesk, Partner: "iom", Desk: "mrc-obock-health"}, now)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.transport = transport
	return err
}

// RoundTrip asks as who is signed in now.
func (d *desk) RoundTrip(r *http.Request) (*http.Response, error) {
	d.mu.Lock()
	t := d.transport
	d.mu.Unlock()
	return t.RoundTrip(r)
}

// signIn signs in anew while no server runs: a session ends when the clock goes past its
// end, or back before its beginning.
func (d *desk) signIn(ctx context.Context, c *Campaign) error {
	ctx = event.WithActor(ctx, event.System)
	db, err := c.open(ctx)
	if err != nil {
		return err
	}
	return errors.Join(d.enter(ctx, db, time.Now().Add(c.clock.off)), db.Close())
}

// answer takes from the inbox what can be done with one button, until ctx ends.
func (d *desk) answer(ctx context.Context, base string, r *rand.Rand) {
	for ctx.Err() == nil {
		if !d.once(ctx, base, r) {
			sleep(ctx, 50*time.Millisecond)
		}
	}
}

func (d *desk) once(ctx context.Context, base string, r *rand.Rand) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/en/staff/referrals/", nil)
	if err != nil {
		return false
	}
	res, err := d.client.Do(req)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	page, err := goquery.NewDocumentFromReader(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		return false
	}
	forms := page.Find("form.taps")
	if forms.Length() == 0 {
		return false
	}
	form := forms.Eq(r.IntN(forms.Length()))
	path := form.AttrOr("action", "")
	what := act{path[strings.LastIndexByte(path, '/')+1:], dtm.ReferralAction(form.Find("button").First().AttrOr("value", ""))}
	body := url.Values{"version": {form.Find("input[name=version]").AttrOr("value", "")}, "do": {string(what.action)}}
	if req, err = http.NewRequestWithContext(ctx, http.MethodPost, base+path, strings.NewReader(body.Encode())); err != nil {
		return false
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	done, err := d.client.Do(req)
	if err != nil {
		return false
	}
	defer done.Body.Close()
	if _, err := io.Copy(io.Discard, done.Body); err != nil || done.StatusCode != http.StatusSeeOther || !strings.HasPrefix(done.Header.Get("Location"), "/en/staff/referrals/") {
		return false // not done, or sent to sign in
	}
	d.mu.Lock()
	d.told[what]++
	d.mu.Unlock()
	return true
}

// judgeReferrals holds what phones and desk were told against the referrals that are there:
// each acknowledged screening has one, with the name as it was sent, and each step once.
func (c *Campaign) judgeReferrals(ctx context.Context, o *Outcome) error {
	// The last screenings are followed by whoever asks next.
	if _, err := c.dtm(ctx, "referral", "list", "-data", c.data); err != nil {
		return err
	}
	ctx = event.WithActor(ctx, event.System)
	db, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	steps := map[act]int{}
	for id, rec := range c.crowd.sent {
		if rec.name == "" {
			continue
		}
		list, _, err := db.Referrals(ctx, dtm.ReferralFilter{Submission: &id})
		if err != nil {
			return err
		}
		if len(list) > 1 {
			o.Changed++
			c.Tell("doubled: %d referrals of %s", len(list), id)
		}
		if _, told := c.crowd.acked[id]; told {
			o.Screenings++
			if len(list) == 0 {
				o.Lost++
				c.Tell("lost: the referral of %s", id)
			}
		}
		if len(list) == 0 {
			continue
		}
		s, person, err := db.SealedSubmission(ctx, id, "crash")
		if err != nil || string(s.XML) != rec.xml || person != list[0].Person || list[0].Programme != "health" {
			o.Changed++
			c.Tell("changed: %s, %v", id, err)
		}
		history, err := db.ReferralHistory(ctx, list[0].ID)
		if err != nil {
			return err
		}
		for _, h := range history {
			if strings.Contains(h.Actor, deskUser) || h.Action == dtm.ReferralExpire {
				steps[act{h.Referral, h.Action}]++
			}
		}
	}
	if err := escalations(ctx, db, steps); err != nil {
		return err
	}
	for what, n := range c.desk.told {
		o.Done += n
		if steps[what] != n {
			o.Lost++
			c.Tell("%s of %s: told %d times, there %d times", what.action, what.referral, n, steps[what])
		}
	}
	for what, n := range steps {
		if n > 1 {
			o.Changed++
			c.Tell("%s of %s is there %d times", what.action, what.referral, n)
		}
	}
	return nil
}

// escalations adds those of each level in the log.
func escalations(ctx context.Context, log dtm.Events, steps map[act]int) error {
	for after := int64(0); ; {
		batch, err := log.Events(ctx, after, 1000)
		if err != nil || len(batch) == 0 {
			return err
		}
		for _, e := range batch {
			if e.Name == dtm.ReferralEscalated {
				steps[act{e.Subject, dtm.ReferralAction(e.Name + e.Detail)}]++
			}
		}
		after = batch[len(batch)-1].Seq
	}
}
