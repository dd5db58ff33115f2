package storetest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"dtm"
	"dtm/event"
	"dtm/refer"
)

// Programmes are those that the suite's stores know.
var Programmes = []dtm.Programme{{Code: "health"}, {Code: "protection"}, {Code: "vhr", Return: true}}

// Redact takes what stands in <name> out of a submission of the form "screening".
func Redact(_ context.Context, form, _ string, xml []byte) ([]byte, bool, error) {
	a, b := bytes.Index(xml, []byte("<name>")), bytes.Index(xml, []byte("</name>"))
	if form != "screening" || a < 0 || b < a+len("<name>")+1 {
		return xml, false, nil
	}
	return slices.Concat(xml[:a+len("<name>")], xml[b:]), true, nil
}

func desk(code, programme string, capacity int) dtm.Desk {
	return dtm.Desk{Code: code, Programme: programme, Partner: "iom", Name: dtm.Text{"en": code}, Capacity: capacity}
}

func desks(t *testing.T, d Dialect) {
	s, place := d.open(t)
	plan, err := dtm.NewPlan("mon-fri", "08:00", "16:00")
	must(t, err)
	want := dtm.Desk{Code: "obock-health", Programme: "health", Partner: "iom", Area: "DJ01", Name: dtm.Text{"en": "Clinic", "fr": "Clinique"}, Address: dtm.Text{"en": "Road 1"}, Phone: "77", Lat: 11.9, Lon: 43.2, Located: true,
		Services: []string{"health"}, Languages: []string{"om", "am"}, Open: plan, MinAge: 1, MaxAge: 90, Sex: "female", Capacity: 12}
	got, err := s.SetDesk(ctx, want)
	must(t, err)
	if want.Version = 1; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	_, err = s.SetDesk(ctx, dtm.Desk{Code: "Ünfit", Programme: "health", Partner: "iom"})
	wantKind(t, err, dtm.Invalid)
	want.Version = 0
	_, err = s.SetDesk(ctx, want)
	wantKind(t, err, dtm.Conflict)
	until := time.Now().Add(time.Hour).UTC().Truncate(time.Millisecond)
	got, err = s.SetCapacity(event.WithActor(ctx, "user:d@example.org"), "obock-health", 3, "flood", &until)
	must(t, err)
	if got.Capacity != 3 || got.Paused != "flood" || !got.Until.Equal(until) || got.Verified.IsZero() || got.Version != 2 {
		t.Errorf("%+v", got)
	}
	_, err = s.SetCapacity(ctx, "nowhere", 1, "", nil)
	wantKind(t, err, dtm.NotFound)
	_, err = s.SetCapacity(ctx, "obock-health", -2, "", nil)
	wantKind(t, err, dtm.Invalid)
	// What the directory says changes; the desk's own word stays.
	got.Closed, got.Capacity = true, 99
	got, err = s.SetDesk(ctx, got)
	must(t, err)
	if !got.Closed || got.Capacity != 3 || got.Paused != "flood" {
		t.Errorf("%+v", got)
	}
	must(t, s.VerifyDesk(ctx, "obock-health"))
	must(t, s.Close())
	s = d.openAt(t, place)
	list, err := s.Desks(ctx)
	must(t, err)
	if len(list) != 1 || !list[0].Closed || list[0].Version != 3 {
		t.Errorf("%+v", list)
	}
	if n := names(allEvents(t, s)); !slices.Equal(n, []string{dtm.DeskSet, dtm.DeskCapacity, dtm.DeskSet, dtm.DeskVerified}) {
		t.Errorf("events %v", n)
	}
}

func referral(id, programme string) dtm.Referral {
	at := time.Date(2026, 11, 28, 6, 0, 0, 0, time.UTC)
	return dtm.Referral{ID: id, Submission: "uuid:1", Device: "d1", Point: "obock", Programme: programme, State: dtm.ReferralSubmitted, Version: 1, Priority: dtm.Urgent, Captured: at, Received: at.Add(time.Hour), Changed: at.Add(time.Hour),
		Preview: dtm.Preview{Sex: "male", Age: "5-17", Needs: []string{"health"}, Lang: "om", Alone: true, Contact: "safe", SeenAt: at}}
}

func act(t testing.TB, s Store, id string, as dtm.Doer, do dtm.Do) dtm.Referral {
	t.Helper()
	r, err := s.Referral(ctx, id)
	must(t, err)
	do.Version = r.Version
	got, _, err := s.Act(ctx, id, as, do)
	must(t, err)
	return got
}

func referrals(t *testing.T, d Dialect) {
	s, place := d.open(t)
	for _, x := range []dtm.Desk{desk("h1", "health", 1), desk("h2", "health", dtm.NoLimit), desk("r", "vhr", dtm.NoLimit)} {
		_, err := s.SetDesk(ctx, x)
		must(t, err)
	}
	list := []dtm.Referral{referral("a", "health"), referral("b", "health")}
	list[1].Guarded, list[1].Priority, list[1].Programme = true, dtm.Emergency, "vhr"
	for _, want := range []int{2, 0} {
		n, err := s.OpenReferrals(ctx, list)
		must(t, err)
		if n != want {
			t.Fatalf("opened %d, want %d", n, want)
		}
	}
	a, err := s.Referral(ctx, "a")
	must(t, err)
	want := list[0]
	want.Number = a.Number
	if fmt.Sprint(a) != fmt.Sprint(want) || len(a.Number) != 9 {
		t.Errorf("got  %+v\nwant %+v", a, want)
	}
	if got, err := s.ReferralByNumber(ctx, strings.ToLower(a.Number[:4]+"-"+a.Number[4:])); err != nil || got.ID != "a" {
		t.Errorf("by number: %+v, %v", got, err)
	}
	_, err = s.ReferralByNumber(ctx, "000000000")
	wantKind(t, err, dtm.NotFound)
	_, err = s.Referral(ctx, "zzz")
	wantKind(t, err, dtm.NotFound)
	// The hard rule stands within the transaction.
	_, _, err = s.Act(ctx, "b", dtm.DoerFocal, dtm.Do{Action: dtm.ReferralSend, Version: 1, Desk: "r"})
	wantKind(t, err, dtm.Forbidden)
	_, _, err = s.Act(ctx, "a", dtm.DoerFocal, dtm.Do{Action: dtm.ReferralSend, Version: 1, Desk: "nowhere"})
	wantKind(t, err, dtm.NotFound)
	act(t, s, "a", dtm.DoerFocal, dtm.Do{Action: dtm.ReferralSend, Desk: "h1"})
	act(t, s, "a", dtm.DoerDesk, dtm.Do{Action: dtm.ReferralReject, Reason: "no_capacity", Words: "Amina is known to us"})
	r, err := s.Referral(ctx, "a")
	must(t, err)
	got, next, err := s.Act(event.WithActor(ctx, "user:f@example.org"), "a", dtm.DoerFocal, dtm.Do{Action: dtm.ReferralRedirect, Version: r.Version, Desk: "h2"})
	must(t, err)
	if got.State != dtm.ReferralRedirected || next == nil || got.ReplacedBy != next.ID || next.Replaces != "a" || next.State != dtm.ReferralSent || next.Desk != "h2" || next.Number == a.Number {
		t.Fatalf("%+v, %+v", got, next)
	}
	must(t, s.Close())
	s = d.openAt(t, place)
	h, err := s.ReferralHistory(ctx, "a")
	must(t, err)
	var steps []string
	for _, e := range h {
		steps = append(steps, fmt.Sprint(e.Action, ">", e.To, ":", e.Reason))
	}
	if x := strings.Join(steps, " "); x != "submit>submitted: send>sent: reject>rejected:no_capacity redirect>redirected:" || h[3].Actor != "user:f@example.org" {
		t.Errorf("history %s", x)
	}
	// The words of a rejection are sealed: neither the log nor the file has them.
	if n := d.Query(t, place, `SELECT count(*) FROM referral_step WHERE instr(words, 'Amina') > 0 OR instr(reason, 'Amina') > 0`); n[0] != "0" {
		t.Error("words in clear")
	}
	for _, e := range allEvents(t, s) {
		if strings.Contains(e.Detail, "Amina") {
			t.Errorf("words in the log: %s", e.Detail)
		}
	}
	for _, c := range []struct {
		f    dtm.ReferralFilter
		want int
	}{
		{dtm.ReferralFilter{}, 3}, {dtm.ReferralFilter{Open: true}, 2}, {dtm.ReferralFilter{Desks: []string{"h2"}}, 1}, {dtm.ReferralFilter{Desks: []string{}}, 0}, {dtm.ReferralFilter{States: []dtm.ReferralState{dtm.ReferralSent, dtm.ReferralRedirected}}, 2},
		{dtm.ReferralFilter{Programme: ptr("vhr")}, 1}, {dtm.ReferralFilter{Device: ptr("d1")}, 3}, {dtm.ReferralFilter{Person: ptr("")}, 0}, {dtm.ReferralFilter{Submission: ptr("uuid:1"), Point: ptr("obock"), Limit: 1}, 3},
	} {
		list, total, err := s.Referrals(ctx, c.f)
		must(t, err)
		if total != c.want || c.f.Limit == 0 && len(list) != c.want {
			t.Errorf("%+v: %d of %d, want %d", c.f, len(list), total, c.want)
		}
	}
	list, _, err = s.Referrals(ctx, dtm.ReferralFilter{})
	must(t, err)
	if list[0].ID != "b" || list[2].ID != "a" {
		t.Errorf("the most pressing is not first: %v", list)
	}
	// Figures are made of the same values, without what nobody reads for them.
	bare, n, err := s.Referrals(ctx, dtm.ReferralFilter{Figured: true, ReceivedSince: list[1].Received})
	must(t, err)
	byReceived := func(a, b dtm.Referral) int {
		return cmp.Or(a.Received.Compare(b.Received), strings.Compare(a.Programme, b.Programme), strings.Compare(string(a.State), string(b.State)))
	}
	slices.SortFunc(bare, byReceived)
	whole := slices.SortedFunc(slices.Values(list), byReceived)
	if n != 3 || len(bare) != 3 {
		t.Fatalf("for figures: %d, %+v", n, bare)
	}
	for i, x := range whole {
		want := dtm.Referral{Device: x.Device, Point: x.Point, Programme: x.Programme, Desk: x.Desk, State: x.State, Reason: x.Reason, Priority: x.Priority, Captured: x.Captured, Received: x.Received, Sent: x.Sent, Acknowledged: x.Acknowledged, Answered: x.Answered, Started: x.Started, Ended: x.Ended}
		if !reflect.DeepEqual(bare[i], want) {
			t.Errorf("for figures: %+v, want %+v", bare[i], want)
		}
	}
	// Who waits where: one with a desk, one without; what was redirected is counted once.
	late := list[1].Received.AddDate(1, 0, 0)
	counts, err := s.Waiting(ctx, nil, late)
	must(t, err)
	want2 := []dtm.Waiting{{Point: "obock", Programme: "vhr", State: dtm.ReferralSubmitted, N: 1, Late: 1}, {Point: "obock", Desk: "h2", Programme: "health", State: dtm.ReferralSent, N: 1, Late: 1}}
	if !slices.Equal(counts, want2) {
		t.Errorf("waiting %+v, want %+v", counts, want2)
	}
	if counts, err = s.Waiting(ctx, nil, list[1].Received); err != nil || len(counts) != 2 || counts[0].Late+counts[1].Late != 0 {
		t.Errorf("nobody is late on arrival: %+v, %v", counts, err)
	}
	if counts, err = s.Waiting(ctx, &dtm.ReferralScope{IDs: []string{next.ID}}, late); err != nil || len(counts) != 1 || counts[0] != want2[1] {
		t.Errorf("within a scope: %+v, %v", counts, err)
	}
	if counts, err = s.Waiting(ctx, &dtm.ReferralScope{}, late); err != nil || len(counts) != 0 {
		t.Errorf("an empty scope shows %+v, %v", counts, err)
	}
}

// referralTable walks every state and action through the store.
func referralTable(t *testing.T, d Dialect) {
	s, _ := d.open(t)
	for _, x := range []dtm.Desk{desk("h", "health", dtm.NoLimit)} {
		_, err := s.SetDesk(ctx, x)
		must(t, err)
	}
	n, done := 0, 0
	for _, from := range dtm.ReferralStates {
		for _, a := range dtm.ReferralActions {
			n++
			r := referral(fmt.Sprint("r", n), "health")
			r.State, r.Desk, r.Ended = from, "h", ptr(time.Now())
			_, err := s.OpenReferrals(ctx, []dtm.Referral{r})
			must(t, err)
			to, who, ok := refer.Leads(from, a)
			do := dtm.Do{Action: a, Version: 1, Desk: "h", Words: "w", Second: "user:b@example.org"}
			if k := refer.Reasons(a); len(k) > 0 {
				do.Reason = k[0]
			}
			as := dtm.DoerFocal
			if ok {
				as = who[0]
			}
			got, _, err := s.Act(ctx, r.ID, as, do)
			if !ok {
				wantKind(t, err, dtm.Conflict)
				if is, err := s.Referral(ctx, r.ID); err != nil || is.State != from || is.Version != 1 {
					t.Errorf("%s, %s: refused and changed: %+v, %v", from, a, is, err)
				}
				continue
			}
			must(t, err)
			if done++; got.State != to {
				t.Errorf("%s, %s: %s, want %s", from, a, got.State, to)
			}
			if is, err := s.Referral(ctx, r.ID); err != nil || is.State != to || is.Version != 2 {
				t.Errorf("%s, %s: stored %+v, %v", from, a, is, err)
			}
		}
	}
	t.Logf("%d pairs, %d done", n, done)
}

// referralPlaces: of many who accept at once only as many win as there are places, and
// a place comes back when its referral ends.
func referralPlaces(t *testing.T, d Dialect) {
	s, _ := d.open(t)
	_, err := s.SetDesk(ctx, desk("h", "health", 3))
	must(t, err)
	const many = 20
	for i := range many {
		_, err := s.OpenReferrals(ctx, []dtm.Referral{referral(fmt.Sprint("r", i), "health")})
		must(t, err)
		act(t, s, fmt.Sprint("r", i), dtm.DoerFocal, dtm.Do{Action: dtm.ReferralSend, Desk: "h"})
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	var won []string
	for i := range many {
		wg.Go(func() {
			id := fmt.Sprint("r", i)
			_, _, err := s.Act(ctx, id, dtm.DoerDesk, dtm.Do{Action: dtm.ReferralAccept, Version: 2})
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won = append(won, id)
				return
			}
			var known *dtm.Error
			if !errors.As(err, &known) || known.Kind != dtm.Conflict || known.Code != "referral.full" {
				t.Errorf("%s: %v", id, err)
			}
		})
	}
	wg.Wait()
	if len(won) != 3 {
		t.Fatalf("%d were accepted at a desk with 3 places", len(won))
	}
	taken := func(want int) {
		t.Helper()
		x, err := s.Desk(ctx, "h")
		must(t, err)
		if x.Taken != want {
			t.Errorf("%d places are taken, want %d", x.Taken, want)
		}
	}
	taken(3)
	act(t, s, won[0], dtm.DoerDesk, dtm.Do{Action: dtm.ReferralStart})
	taken(3)
	act(t, s, won[0], dtm.DoerDesk, dtm.Do{Action: dtm.ReferralComplete})
	act(t, s, won[1], dtm.DoerFocal, dtm.Do{Action: dtm.ReferralWithdraw, Reason: "person_asked"})
	act(t, s, won[2], dtm.DoerDesk, dtm.Do{Action: dtm.ReferralMiss, Reason: "not_found"})
	taken(0)
}

func screenings(t *testing.T, d Dialect) {
	now := time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC)
	place := d.Place(t)
	s, err := d.Open(place, Operation, func() time.Time { return now })
	must(t, err)
	defer s.Close()
	xml := func(id, name string) dtm.Submission {
		return dtm.Submission{ID: id, Form: "screening", Version: "1", Device: "d1", XML: []byte(`<data id="screening"><name>` + name + `</name><x>` + id + `</x></data>`)}
	}
	one := xml("uuid:1", "Chaltu Tolasa")
	for _, isNew := range []bool{true, false} {
		r, err := s.Receive(ctx, one)
		must(t, err)
		if r.New != isNew {
			t.Fatalf("new %v", r.New)
		}
	}
	// Another name under the same id is another content, though what may be read is equal.
	_, err = s.Receive(ctx, xml("uuid:1", "Somebody Else"))
	wantKind(t, err, dtm.Conflict)
	kept, err := s.Conflicts(ctx, "uuid:1")
	must(t, err)
	got, err := s.Submission(ctx, "uuid:1")
	must(t, err)
	if len(kept) != 1 || strings.Contains(string(kept[0].XML)+string(got.XML), "Chaltu") || strings.Contains(string(kept[0].XML), "Somebody") || !strings.Contains(string(got.XML), "<x>uuid:1</x>") {
		t.Errorf("%s\n%v", got.XML, kept)
	}
	if err := s.Verify(ctx); err != nil {
		t.Errorf("the log does not verify: %v", err)
	}
	whole, person, err := s.SealedSubmission(event.WithActor(ctx, "user:f@example.org"), "uuid:1", "test")
	must(t, err)
	if !bytes.Equal(whole.XML, one.XML) || person == "" {
		t.Errorf("%q %s", person, whole.XML)
	}
	if n := names(allEvents(t, s)); n[len(n)-1] != dtm.SubmissionOpened {
		t.Errorf("opening is no event: %v", n)
	}
	_, err = s.Receive(ctx, xml("uuid:2", "Refused Consent"))
	must(t, err)
	r := referral("a", "health")
	r.Person, r.Number = person, "0000016JD"
	w := []dtm.ScreeningWork{
		{Submission: "uuid:1", Person: &dtm.Person{ID: person, Sex: "female", Age: "18-59", Fields: map[string]string{"name": "Chaltu Tolasa"}}, Referrals: []dtm.Referral{r},
			Consents: []dtm.Consent{{ID: "c", Person: person, Recipient: "programme:health", Groups: []string{"need"}, Wording: "1", Lang: "om", How: dtm.ConsentWitnessed, Of: dtm.ConsentOfPerson, Actor: "device:d1", Given: now}}},
		{Submission: "uuid:2", Referrals: []dtm.Referral{{ID: "held", Programme: "health", State: dtm.ReferralHeld, Version: 1, Priority: dtm.Normal, Received: now}}},
	}
	for range 2 {
		must(t, s.KeepScreenings(ctx, w, 7))
	}
	if at, err := s.ReferralsDone(ctx); err != nil || at != 7 {
		t.Errorf("done %d, %v", at, err)
	}
	_, _, err = s.SealedSubmission(ctx, "uuid:2", "test")
	wantKind(t, err, dtm.Gone)
	list, total, err := s.Referrals(ctx, dtm.ReferralFilter{})
	must(t, err)
	if total != 2 || list[0].Number != "0000016JD" {
		t.Errorf("%+v", list)
	}
	// The slip's number, once taken, is not given twice.
	r.ID = "b"
	_, err = s.OpenReferrals(ctx, []dtm.Referral{r})
	must(t, err)
	if b, err := s.Referral(ctx, "b"); err != nil || b.Number == "0000016JD" || b.Number == "" {
		t.Errorf("%+v, %v", b, err)
	}
	// Clocks: nothing wakes in time; a level is noted once; what is expired is listed.
	wake, err := s.Waking(ctx, now, 10)
	must(t, err)
	if len(wake) != 0 {
		t.Errorf("woke %v", wake)
	}
	now = now.Add(80 * time.Hour)
	wake, err = s.Waking(ctx, now, 10)
	must(t, err)
	if len(wake) != 2 {
		t.Errorf("woke %v", wake)
	}
	before := len(allEvents(t, s))
	for range 3 {
		must(t, s.Escalate(ctx, "a", 1))
	}
	if n := len(allEvents(t, s)); n != before+1 {
		t.Errorf("%d events for one level", n-before)
	}
	if wake, err = s.Waking(ctx, now, 10); err != nil || len(wake) != 1 {
		t.Errorf("woke %v, %v", wake, err)
	}
}

// forgotten: of a person who was erased, and of an original that was kept long enough,
// nothing personal is kept when a phone sends it again, edits it, or sends other answers.
func forgotten(t *testing.T, d Dialect) {
	now := time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC)
	place := d.Place(t)
	s, err := d.Open(place, Operation, func() time.Time { return now })
	must(t, err)
	defer s.Close()
	screening := func(id, before, name, open string) dtm.Submission {
		return dtm.Submission{ID: id, Deprecates: before, Form: "screening", Version: "1", Device: "d1", XML: []byte(`<data id="screening"><name>` + name + `</name><x>` + open + `</x></data>`)}
	}
	receive := func(x dtm.Submission) string {
		t.Helper()
		_, err := s.Receive(ctx, x)
		must(t, err)
		_, person, err := s.SealedSubmission(ctx, x.ID, "test")
		if err != nil {
			return fmt.Sprint(dtm.KindOf(err))
		}
		return person
	}
	erased, old := screening("uuid:1", "", "Planted One", "a"), screening("uuid:2", "", "Planted Two", "a")
	person, other := receive(erased), receive(old)
	must(t, s.KeepScreenings(ctx, []dtm.ScreeningWork{
		{Submission: "uuid:1", Person: &dtm.Person{ID: person, Fields: map[string]string{"name": "Planted One"}}}, {Submission: "uuid:2", Person: &dtm.Person{ID: other, Fields: map[string]string{"name": "Planted Two"}}},
	}, 2))
	must(t, s.ErasePerson(ctx, person, dtm.EraseAsked))
	if n, err := s.OriginalsDue(ctx, now.Add(time.Hour), true); err != nil || n != 1 {
		t.Fatalf("%d originals, %v", n, err)
	}
	for _, x := range []dtm.Submission{erased, screening("uuid:1e", "uuid:1", "Planted Three", "b"), screening("uuid:1ee", "uuid:1e", "Planted Four", "c")} {
		if got := receive(x); got != fmt.Sprint(dtm.Gone) {
			t.Errorf("%s after the erasure: %s", x.ID, got)
		}
	}
	for _, x := range []dtm.Submission{old, screening("uuid:2e", "uuid:2", "Planted Five", "b")} {
		if got := receive(x); got != other {
			t.Errorf("%s after its time: %s", x.ID, got)
		}
		if whole, _, err := s.SealedSubmission(ctx, x.ID, "test"); err != nil || strings.Contains(string(whole.XML), "Planted") {
			t.Errorf("%s after its time: %s, %v", x.ID, whole.XML, err)
		}
	}
	_, err = s.Receive(ctx, screening("uuid:1", "", "Planted Six", "z"))
	wantKind(t, err, dtm.Conflict)
	if n := d.Query(t, place, `SELECT count(*), coalesce(max(length(sealed)), -1), count(DISTINCT person) FROM submission_sealed`); n[0] != "5" || n[1] != "0" || n[2] != "2" {
		t.Errorf("kept: %v", n)
	}
	if n := d.Query(t, place, `SELECT count(*) FROM person`); n[0] != "2" {
		t.Errorf("%v persons", n)
	}
}

func slips(t *testing.T, d Dialect) {
	now := time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC)
	place := d.Place(t)
	s, err := d.Open(place, Operation, func() time.Time { return now })
	must(t, err)
	defer s.Close()
	_, err = s.NewSlip(ctx, "a", now.Add(time.Hour))
	wantKind(t, err, dtm.NotFound)
	_, err = s.OpenReferrals(ctx, []dtm.Referral{referral("a", "health")})
	must(t, err)
	token, err := s.NewSlip(ctx, "a", now.Add(time.Hour))
	must(t, err)
	if len(token) != 32 {
		t.Errorf("a token of %d signs", len(token))
	}
	if id, err := s.SlipReferral(ctx, token); err != nil || id != "a" {
		t.Errorf("%q, %v", id, err)
	}
	_, err = s.SlipReferral(ctx, strings.Repeat("0", 32))
	wantKind(t, err, dtm.NotFound)
	if n := d.Query(t, place, `SELECT count(*) FROM slip WHERE token_hash = $1`, token); n[0] != "0" {
		t.Error("the token is in clear")
	}
	now = now.Add(time.Hour)
	_, err = s.SlipReferral(ctx, token)
	wantKind(t, err, dtm.Gone)
}
