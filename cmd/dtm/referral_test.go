package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"dtm"
	"dtm/event"
	"dtm/gather/xform"
	"dtm/gather/xlsform"
	"dtm/refer"
)

// Planted, to be looked for in everything that is written.
const (
	plantedName  = "Xylophena Quartzmann"
	plantedPhone = "77 64 83 19"
)

// screened sends screenings in by the way that phones' submissions take.
type screened struct {
	t     *testing.T
	h     *house
	form  *xlsform.Form
	model *xform.Model
	phone string
	now   *clock
	n     int
}

func newScreened(t *testing.T) *screened {
	t.Helper()
	data := filepath.Join(t.TempDir(), "data")
	s := &screened{t: t, now: &clock{}}
	s.now.to(time.Date(2026, 11, 28, 6, 0, 0, 0, time.UTC))
	c := &call{env: testEnv, dir: t.TempDir(), out: &strings.Builder{}, err: &strings.Builder{}}
	var err error
	if s.h, err = c.makeHouse(t.Context(), data, "djibouti", true, s.now.now); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.h.close() })
	if err := s.h.firstDesks(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s.form, err = s.h.forms.form(t.Context(), "screening", ""); err != nil {
		t.Fatal(err)
	}
	doc, err := xform.Write(s.form)
	if err != nil {
		t.Fatal(err)
	}
	if s.model, err = xform.ReadModel(doc); err != nil {
		t.Fatal(err)
	}
	d, _, err := s.h.db.AddDevice(t.Context(), "obock-1", "obock")
	if err != nil {
		t.Fatal(err)
	}
	s.phone = d.ID
	return s
}

// instance is a screening with answers by the questions' names; what the form computes
// is computed.
func (s *screened) instance(id string, pairs ...string) []byte {
	s.t.Helper()
	a := map[string]string{"point": "obock", "observed": "2026-11-28", "consent": "yes", "share": "yes", "sex": "male", "age": "25", "nationality": "ETH", "health": "no", "need": "none", "reach": "yes", "danger": "no", "asylum": "no", "forced": "no", "violence": "no",
		"go_home": "no", "papers": "no", "end": "2026-11-28T05:30:00.000Z", "instanceID": id}
	for i := 0; i+1 < len(pairs); i += 2 {
		a[pairs[i]] = pairs[i+1]
	}
	write := func(made map[string]string) []byte {
		var b strings.Builder
		var level func(n *xform.Node)
		level = func(n *xform.Node) {
			v := a[n.Name]
			if made != nil && len(n.Children) == 0 && n.Name != "instanceID" {
				v = made[n.Path]
			}
			attr := ""
			if n == s.model.Root {
				attr = fmt.Sprintf(` id="screening" version="%s"`, s.form.Version)
			}
			b.WriteString("<" + n.Name + attr + ">" + v)
			for _, c := range n.Children {
				level(c)
			}
			b.WriteString("</" + n.Name + ">")
		}
		level(s.model.Root)
		return []byte(b.String())
	}
	env := xform.Env{Now: s.now.now()}
	made := xform.Computed(s.model, write(nil), env)
	for k, v := range made {
		name := k[strings.LastIndexByte(k, '/')+1:]
		if _, given := a[name]; !given {
			a[name] = v
		}
	}
	return write(made)
}

func (s *screened) send(pairs ...string) (id string, referrals []dtm.Referral) {
	s.t.Helper()
	s.n++
	id = fmt.Sprintf("uuid:00000000-0000-4000-8000-%012d", s.n)
	if _, err := s.h.db.Receive(s.t.Context(), dtm.Submission{ID: id, Form: "screening", Version: s.form.Version, Device: s.phone, XML: s.instance(id, pairs...)}); err != nil {
		s.t.Fatal(err)
	}
	return id, s.of(id)
}

func (s *screened) of(submission string) []dtm.Referral {
	s.t.Helper()
	if err := s.h.catchUpReferrals(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	list, _, err := s.h.db.Referrals(s.t.Context(), dtm.ReferralFilter{Submission: &submission})
	if err != nil {
		s.t.Fatal(err)
	}
	return list
}

func toldOf(list []dtm.Referral) string {
	var out []string
	for _, r := range list {
		out = append(out, fmt.Sprintf("%s %s %s %s", r.Programme, r.State, r.Priority, r.Desk))
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

// TestScreeningToDesk: an urgent child-protection case and a health case arrive at the
// right desks; what was named is sealed; without consent nothing but the need stays.
func TestScreeningToDesk(t *testing.T) {
	t.Parallel()
	s := newScreened(t)
	ctx := t.Context()
	_, child := s.send("age", "15", "child_with", "alone", "child_risk", "yes", "refer", "protection", "person_name", plantedName, "person_phone", plantedPhone, "language", "om", "spot", "11.97 43.29 0 8")
	if got := toldOf(child); got != "protection sent urgent mrc-obock-protection" || !child[0].Guarded || !child[0].Alone || child[0].Lang != "om" {
		t.Fatalf("%s %+v", got, child)
	}
	_, sick := s.send("health", "emergency", "refer", "health direct_assistance", "need", "food", "slip", "0000016J")
	if got := toldOf(sick); got != "direct_assistance sent emergency mrc-obock-assistance, health sent emergency mrc-obock-health" {
		t.Fatal(got)
	}
	if n := []string{sick[0].Number, sick[1].Number}; !slices.Contains(n, "0000016JD") {
		t.Errorf("the slip's number is lost: %v", n)
	}
	p, err := s.h.db.OpenPerson(ctx, child[0].Person, dtm.FieldGroups, "test")
	if err != nil || p.Fields["name"] != plantedName || p.Fields["phone"] != plantedPhone || p.Fields["spot"] != "11.97 43.29 0 8" || p.Age != "5-17" {
		t.Fatalf("%+v, %v", p, err)
	}
	list, err := s.h.db.ConsentsOf(ctx, child[0].Person)
	if err != nil || len(list) != 1 || list[0].Of != dtm.ConsentBestInterest || list[0].Wording != "screening "+s.form.Version {
		t.Errorf("%+v, %v", list, err)
	}
	if g := refer.Covers(list, "iom", "protection", s.now.now()); !slices.Contains(g, dtm.GroupProtection) || slices.Contains(g, dtm.GroupHealth) {
		t.Errorf("covers %v", g)
	}
	id, held := s.send("share", "no", "health", "soon", "person_name", plantedName)
	if got := toldOf(held); got != "health held_no_consent urgent " || held[0].Person != "" {
		t.Errorf("%s", got)
	}
	if _, _, err := s.h.db.SealedSubmission(ctx, id, "test"); dtm.KindOf(err) != dtm.Gone { // without consent the answers on protection are kept by nobody
		t.Errorf("%v", err)
	}
	// Followed again, nothing is opened twice.
	if err := s.h.db.KeepScreenings(ctx, nil, 0); err != nil {
		t.Fatal(err)
	}
	events, err := s.h.db.Events(ctx, 0, 10000)
	if err != nil {
		t.Fatal(err)
	}
	before, _, err := s.h.db.Referrals(ctx, dtm.ReferralFilter{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.h.followScreenings(ctx, events); err != nil {
		t.Fatal(err)
	}
	if after, _, err := s.h.db.Referrals(ctx, dtm.ReferralFilter{}); err != nil || len(after) != len(before) {
		t.Errorf("%d referrals, then %d, %v", len(before), len(after), err)
	}
	if err := s.h.db.Verify(ctx); err != nil {
		t.Error(err)
	}
	s.searched()
}

// searched looks for what was planted in every file of the data folder.
func (s *screened) searched() {
	s.t.Helper()
	files := 0
	err := filepath.WalkDir(s.h.dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		files++
		for _, planted := range []string{plantedName, "Xylophena", "Quartzmann", plantedPhone, "77648319"} {
			if strings.Contains(string(b), planted) {
				s.t.Errorf("%s holds %q in clear", filepath.Base(p), planted)
			}
		}
		return nil
	})
	if err != nil || files < 5 {
		s.t.Fatalf("%d files, %v", files, err)
	}
}

// TestSilentFailures: the eight ways in which a published exchange of referrals between
// two systems loses or distorts them without a word (refer-and-protect 1.1), each tried
// here.
func TestSilentFailures(t *testing.T) {
	t.Parallel()
	s := newScreened(t)
	ctx := event.WithActor(t.Context(), "user:focal@example.org")
	db := s.h.db
	fresh := func() dtm.Referral {
		t.Helper()
		_, list := s.send("health", "soon", "refer", "health", "person_name", plantedName)
		return list[0]
	}
	t.Run("1 several persons match: no first one is taken", func(t *testing.T) {
		fresh()
		fresh()
		ids, err := db.FindPersons(ctx, dtm.PersonSearch{Name: plantedName})
		if err != nil || len(ids) < 2 {
			t.Fatalf("%v, %v", ids, err)
		}
		list, err := db.Candidates(ctx, ids[0])
		if err != nil || len(list) == 0 {
			t.Errorf("the match is not shown to anybody: %v, %v", list, err)
		}
		if p, err := db.Person(ctx, ids[0]); err != nil || p.MergedInto != "" {
			t.Errorf("merged without a person: %+v, %v", p, err)
		}
	})
	t.Run("2 a number that cannot be read is not dropped", func(t *testing.T) {
		_, list := s.send("health", "soon", "refer", "health", "slip", "what?", "age", "about 20")
		if len(list) != 1 || list[0].Number == "" || !list[0].Guarded {
			t.Errorf("%+v", list)
		}
		for _, r := range list { // an age that is no number may be a child's: guarded, and still referred
			if r.State != dtm.ReferralSent {
				t.Errorf("%+v", r)
			}
		}
	})
	t.Run("3 an agency is not lost by how its code is written", func(t *testing.T) {
		_, err := db.SetDesk(ctx, dtm.Desk{Code: "MRC-Obock-Health", Programme: "health", Partner: "IOM"})
		if err == nil || dtm.KindOf(err) != dtm.Invalid {
			t.Errorf("a second spelling of a desk: %v", err)
		}
		r := fresh()
		if _, _, err := db.Act(ctx, r.ID, dtm.DoerFocal, dtm.Do{Action: dtm.ReferralSend, Version: r.Version, Desk: "Mrc-Obock-Health"}); err == nil {
			t.Error("sent to a desk that is not there")
		}
	})
	t.Run("4 nobody is put in for a contact that is missing", func(t *testing.T) {
		r := fresh()
		p, err := db.OpenPerson(ctx, r.Person, []string{dtm.GroupContact, dtm.GroupFamily}, "test")
		if err != nil || len(p.Fields) != 0 {
			t.Errorf("%v, %v", p.Fields, err)
		}
	})
	t.Run("5 a programme that is not known becomes no other one", func(t *testing.T) {
		_, list := s.send("health", "soon", "refer", "health legal_aid")
		if got := toldOf(list); got != "health sent urgent mrc-obock-health" {
			t.Errorf("%s", got)
		}
		guarded := dtm.Referral{ID: "guarded", Programme: "legal_aid", Guarded: true, State: dtm.ReferralSubmitted, Version: 1, Priority: dtm.Normal, Received: s.now.now()}
		if _, err := db.SetDesk(ctx, dtm.Desk{Code: "legal", Programme: "legal_aid", Partner: "drc"}); err != nil {
			t.Fatal(err)
		}
		if _, err := db.OpenReferrals(ctx, []dtm.Referral{guarded}); err != nil {
			t.Fatal(err)
		}
		if _, _, err := db.Act(ctx, "guarded", dtm.DoerFocal, dtm.Do{Action: dtm.ReferralSend, Version: 1, Desk: "legal"}); err == nil || dtm.KindOf(err) != dtm.Forbidden {
			t.Errorf("a guarded person was sent to a programme that nobody knows: %v", err)
		}
	})
	t.Run("6 an answer that is not known is no acceptance", func(t *testing.T) {
		r := fresh()
		for _, a := range []dtm.ReferralAction{"approved", "Accept", "accepted", ""} {
			if _, _, err := db.Act(ctx, r.ID, dtm.DoerDesk, dtm.Do{Action: a, Version: r.Version}); err == nil || dtm.KindOf(err) != dtm.Conflict {
				t.Errorf("%q: %v", a, err)
			}
		}
		if got, err := db.Referral(ctx, r.ID); err != nil || got.State != dtm.ReferralSent {
			t.Errorf("%+v, %v", got, err)
		}
	})
	t.Run("7 a withdrawn consent is known everywhere at once", func(t *testing.T) {
		r := fresh()
		if _, err := db.OpenPerson(event.WithActor(t.Context(), "user:desk@iom.example"), r.Person, []string{dtm.GroupIdentity}, "referral"); err != nil {
			t.Fatal(err)
		}
		list, err := db.ConsentsOf(ctx, r.Person)
		if err != nil || len(list) != 1 || len(refer.Covers(list, "iom", "health", s.now.now())) == 0 {
			t.Fatalf("%+v, %v", list, err)
		}
		saw, err := db.WithdrawConsent(ctx, list[0].ID, "asked")
		if err != nil || !slices.Contains(saw, "user:desk@iom.example") {
			t.Errorf("nobody is told: %v, %v", saw, err)
		}
		if list, err = db.ConsentsOf(ctx, r.Person); err != nil || len(refer.Covers(list, "iom", "health", s.now.now())) != 0 {
			t.Errorf("it still covers: %+v, %v", list, err)
		}
	})
	t.Run("8 what comes after the decision is told back", func(t *testing.T) {
		r := fresh()
		for _, a := range []dtm.ReferralAction{dtm.ReferralAccept, dtm.ReferralStart, dtm.ReferralComplete} {
			now, err := db.Referral(ctx, r.ID)
			if err != nil {
				t.Fatal(err)
			}
			if _, _, err := db.Act(ctx, r.ID, dtm.DoerDesk, dtm.Do{Action: a, Version: now.Version}); err != nil {
				t.Fatal(err)
			}
			list, err := s.h.feedback(ctx, s.phone)
			if err != nil {
				t.Fatal(err)
			}
			i := slices.IndexFunc(list, func(f dtm.ReferralFeedback) bool { return f.Number == r.Number })
			want := map[dtm.ReferralAction]string{dtm.ReferralAccept: "accepted", dtm.ReferralStart: "accepted", dtm.ReferralComplete: "helped"}[a]
			if i < 0 || list[i].Outcome != want {
				t.Errorf("after %s the enumerator is told %+v, want %s", a, list, want)
			}
		}
	})
}

// TestReferralClocks: nothing dies silently. What nobody acknowledges is escalated twice
// and comes back to the focal point.
func TestReferralClocks(t *testing.T) {
	t.Parallel()
	s := newScreened(t)
	ctx := context.Background()
	_, list := s.send("health", "emergency", "refer", "health")
	for _, c := range []struct {
		hours int
		want  string
	}{{1, "sent 0"}, {25, "sent 1"}, {49, "sent 2"}, {71, "sent 2"}, {73, "expired 2"}, {1000, "expired 2"}} {
		s.now.to(time.Date(2026, 11, 28, 6, 0, 0, 0, time.UTC).Add(time.Duration(c.hours) * time.Hour))
		if err := s.h.wakeReferrals(ctx); err != nil {
			t.Fatal(err)
		}
		r, err := s.h.db.Referral(ctx, list[0].ID)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(r.State, " ", r.Escalation); got != c.want {
			t.Errorf("after %d hours: %s, want %s", c.hours, got, c.want)
		}
		if r.State == dtm.ReferralExpired && !refer.Queued(r, s.now.now()) {
			t.Error("nobody has to do anything about it")
		}
	}
}
