package storetest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"dtm"
	"dtm/event"
)

func person(t testing.TB, s Store, fields ...string) dtm.Person {
	t.Helper()
	p := dtm.Person{Sex: "female", Age: "18-59", Fields: map[string]string{}}
	for i := 0; i < len(fields); i += 2 {
		p.Fields[fields[i]] = fields[i+1]
	}
	got, err := s.AddPerson(ctx, p)
	must(t, err)
	return got
}

func persons(t *testing.T, d Dialect) {
	s, place := d.open(t)
	p := person(t, s, "name", "Chaltu Tolasa", "phone", "77 12 34 56", "caregiver", "Aster")
	if p.Fields != nil || p.ID == "" || p.Version != 1 {
		t.Fatalf("%+v", p)
	}
	who := event.WithActor(ctx, "user:desk@example.org")
	got, err := s.OpenPerson(who, p.ID, []string{dtm.GroupIdentity}, "referral a")
	must(t, err)
	if len(got.Fields) != 1 || got.Fields["name"] != "Chaltu Tolasa" {
		t.Errorf("opened %v", got.Fields)
	}
	last := allEvents(t, s)
	if e := last[len(last)-1]; e.Name != dtm.PersonRead || e.Actor != "user:desk@example.org" || e.Subject != p.ID || strings.Contains(e.Detail, "Chaltu") || !strings.Contains(e.Detail, `"name"`) {
		t.Errorf("%+v", e)
	}
	_, err = s.OpenPerson(who, "nobody", nil, "")
	wantKind(t, err, dtm.NotFound)
	_, err = s.AddPerson(ctx, dtm.Person{Fields: map[string]string{"shoe": "44"}})
	wantKind(t, err, dtm.Invalid)
	changed, err := s.ChangePerson(who, p.ID, 1, map[string]string{"phone": "", "birth_year": "2001"})
	must(t, err)
	if changed.Version != 2 {
		t.Errorf("%+v", changed)
	}
	_, err = s.ChangePerson(who, p.ID, 1, map[string]string{"phone": "1"})
	wantKind(t, err, dtm.Conflict)
	must(t, s.Close())
	s = d.openAt(t, place)
	got, err = s.OpenPerson(who, p.ID, dtm.FieldGroups, "x")
	must(t, err)
	if len(got.Fields) != 3 || got.Fields["birth_year"] != "2001" || got.Fields["phone"] != "" {
		t.Errorf("%v", got.Fields)
	}
	// Two agencies know a person by numbers that have nothing to do with one another.
	one, err := s.Pseudonym(ctx, p.ID, "iom")
	must(t, err)
	again, err := s.Pseudonym(ctx, p.ID, "iom")
	must(t, err)
	two, err := s.Pseudonym(ctx, p.ID, "unicef")
	must(t, err)
	if one != again || one == two || len(one) != 9 {
		t.Errorf("%s %s %s", one, again, two)
	}
	must(t, s.ErasePerson(who, p.ID, "asked"))
	must(t, s.ErasePerson(who, p.ID, "asked"))
	_, err = s.OpenPerson(who, p.ID, dtm.FieldGroups, "x")
	wantKind(t, err, dtm.Gone)
	wantKind(t, s.ErasePerson(who, p.ID, "why not"), dtm.Invalid)
	wantKind(t, s.ErasePerson(who, "nobody", dtm.EraseAsked), dtm.NotFound)
	if x, err := s.Person(ctx, p.ID); err != nil || x.Erased == nil {
		t.Errorf("%+v, %v", x, err)
	}
}

func personSearch(t *testing.T, d Dialect) {
	s, place := d.open(t)
	a := person(t, s, "name", "Mohammed Abdi", "phone", "+253 77 12 34 56", "birth_year", "2004")
	b := person(t, s, "name", "Muhamad Abdi Ali", "birth_year", "2004")
	c := person(t, s, "name", "Hodan Warsame", "phone", "77123456")
	for _, x := range []struct {
		search dtm.PersonSearch
		want   []string
	}{
		{dtm.PersonSearch{Name: "mohamed"}, []string{a.ID, b.ID}}, {dtm.PersonSearch{Name: "Muhamed Ali"}, []string{b.ID}}, {dtm.PersonSearch{Phone: "0025377123456"}, []string{a.ID, c.ID}},
		{dtm.PersonSearch{Name: "Mohammed", Phone: "77123456"}, []string{a.ID}}, {dtm.PersonSearch{Name: "Nobody"}, nil}, {dtm.PersonSearch{}, nil}, {dtm.PersonSearch{BirthYear: "2004", Limit: 1}, []string{b.ID}},
	} {
		got, err := s.FindPersons(ctx, x.search)
		must(t, err)
		slices.Sort(got)
		slices.Sort(x.want)
		if !slices.Equal(got, x.want) && x.search.Limit == 0 || x.search.Limit == 1 && len(got) != 1 {
			t.Errorf("%+v: %v, want %v", x.search, got, x.want)
		}
	}
	searches := 0
	for _, e := range allEvents(t, s) {
		if e.Name == dtm.PersonSearched {
			searches++
		}
	}
	if searches != 7 {
		t.Errorf("%d searches in the log, want 7", searches)
	}
	list, err := s.Candidates(ctx, a.ID)
	must(t, err)
	if len(list) != 2 || list[0].Person != b.ID || list[1].Person != c.ID || !slices.Equal(list[1].Agree, []string{"phone"}) {
		t.Errorf("%+v", list)
	}
	must(t, s.NotSame(ctx, c.ID, a.ID, "seen both"))
	if list, err = s.Candidates(ctx, a.ID); err != nil || len(list) != 1 {
		t.Errorf("%+v, %v", list, err)
	}
	// The index does not hold what it finds.
	if n := d.Query(t, place, `SELECT count(*) FROM person_mark WHERE instr(mark, '77123456') > 0 OR instr(mark, 'mhmd') > 0`); n[0] != "0" {
		t.Error("the index is in clear")
	}
}

func merge(t *testing.T, d Dialect) {
	s, _ := d.open(t)
	a, b := person(t, s, "name", "Amina Ali", "phone", "77000001"), person(t, s, "name", "Amina Ali")
	r := referral("r", "health")
	r.Person = b.ID
	_, err := s.OpenReferrals(ctx, []dtm.Referral{r})
	must(t, err)
	_, err = s.AddCaseNote(ctx, dtm.CaseNote{Person: b.ID, Group: dtm.GroupHealth, Words: "fever"})
	must(t, err)
	_, err = s.GiveConsent(ctx, dtm.Consent{Person: b.ID, Recipient: "iom", Groups: []string{"need"}, Wording: "1", Lang: "om", How: dtm.ConsentSigned, Of: dtm.ConsentVitalInterest, Reason: "unconscious", Second: "user:b@example.org", Actor: "user:a@example.org"})
	must(t, err)
	wantKind(t, s.Merge(ctx, b.ID, a.ID, ""), dtm.Invalid)
	wantKind(t, s.Merge(ctx, b.ID, b.ID, "x"), dtm.Invalid)
	wantKind(t, s.Merge(ctx, b.ID, "nobody", "x"), dtm.NotFound)
	must(t, s.Merge(ctx, b.ID, a.ID, "same slip"))
	wantKind(t, s.Merge(ctx, b.ID, a.ID, "again"), dtm.Conflict)
	if got, err := s.Referral(ctx, "r"); err != nil || got.Person != a.ID {
		t.Errorf("%+v, %v", got, err)
	}
	notes, err := s.CaseNotes(ctx, a.ID, []string{dtm.GroupHealth}, "x")
	must(t, err)
	list, err := s.ConsentsOf(ctx, a.ID)
	must(t, err)
	if len(notes) != 1 || notes[0].Words != "fever" || len(list) != 1 || list[0].Reason != "unconscious" {
		t.Errorf("%+v %+v", notes, list)
	}
	if got, err := s.FindPersons(ctx, dtm.PersonSearch{Name: "Amina"}); err != nil || !slices.Equal(got, []string{a.ID}) {
		t.Errorf("%v, %v", got, err)
	}
	must(t, s.ErasePerson(ctx, a.ID, "asked"))
	_, err = s.CaseNotes(ctx, a.ID, []string{dtm.GroupHealth}, "x")
	wantKind(t, err, dtm.Gone)
}

// sealed: a cell whose byte was flipped, that was moved to another row or taken from
// another field does not open, and is never given.
func sealed(t *testing.T, d Dialect) {
	for name, spoil := range map[string]func(place, a, b string){
		"a byte": func(place, a, _ string) {
			d.Exec(t, place, `UPDATE person_field SET sealed = CAST(substr(sealed, 1, length(sealed) - 1) || char(1) AS BLOB) WHERE person = $1 AND field = 'name'`, a)
		},
		"another row": func(place, a, b string) {
			d.Exec(t, place, `UPDATE person_field SET sealed = (SELECT sealed FROM person_field WHERE person = $2 AND field = 'name') WHERE person = $1 AND field = 'name'`, a, b)
		},
		"another field": func(place, a, _ string) {
			d.Exec(t, place, `UPDATE person_field SET sealed = (SELECT sealed FROM person_field WHERE person = $1 AND field = 'phone') WHERE person = $1 AND field = 'name'`, a)
		},
	} {
		s, place := d.open(t)
		a, b := person(t, s, "name", "Amina Planted", "phone", "77999999"), person(t, s, "name", "Hodan Planted")
		if n := d.Query(t, place, `SELECT count(*) FROM person_field WHERE instr(sealed, 'Planted') > 0 OR instr(sealed, '77999999') > 0`); n[0] != "0" {
			t.Error("in clear")
		}
		spoil(place, a.ID, b.ID)
		got, err := s.OpenPerson(ctx, a.ID, []string{dtm.GroupIdentity}, "x")
		if err == nil || dtm.KindOf(err) != dtm.Conflict || got.Fields != nil {
			t.Errorf("%s: %v, %v", name, got.Fields, err)
		}
	}
}

func consents(t *testing.T, d Dialect) {
	s, _ := d.open(t)
	p := person(t, s, "name", "Amina", "phone", "77000001")
	who := event.WithActor(ctx, "user:focal@example.org")
	c := dtm.Consent{Person: p.ID, Recipient: "unicef", Groups: []string{dtm.GroupIdentity}, Wording: "2026-11", Lang: "om", How: dtm.ConsentWitnessed, Of: dtm.ConsentOfPerson}
	bad := c
	bad.Wording = ""
	_, err := s.GiveConsent(who, bad)
	wantKind(t, err, dtm.Invalid)
	c, err = s.GiveConsent(who, c)
	must(t, err)
	if c.Actor != "user:focal@example.org" || c.Given.IsZero() {
		t.Errorf("%+v", c)
	}
	_, err = s.OpenPerson(event.WithActor(ctx, "user:saw@unicef.example"), p.ID, []string{dtm.GroupIdentity}, "r")
	must(t, err)
	_, err = s.OpenPerson(event.WithActor(ctx, "user:other@unicef.example"), p.ID, []string{dtm.GroupContact}, "r")
	must(t, err)
	saw, err := s.WithdrawConsent(who, c.ID, "asked")
	must(t, err)
	if !slices.Equal(saw, []string{"user:saw@unicef.example"}) {
		t.Errorf("saw %v", saw)
	}
	_, err = s.WithdrawConsent(who, "none", "asked")
	wantKind(t, err, dtm.NotFound)
	list, err := s.ConsentsOf(ctx, p.ID)
	must(t, err)
	if len(list) != 1 || list[0].Withdrawn == nil || !slices.Equal(list[0].Groups, c.Groups) {
		t.Errorf("%+v", list)
	}

	// Vital interest waits for a second person, of whom it is about and not erased.
	waits := func(want ...string) {
		t.Helper()
		list, err := s.WaitingConsents(ctx)
		must(t, err)
		var got []string
		for _, c := range list {
			if !c.Waits() || c.Actor != "user:focal@example.org" || c.Given.IsZero() {
				t.Errorf("%+v", c)
			}
			got = append(got, c.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("waiting %v, want %v", got, want)
		}
	}
	vital := dtm.Consent{Person: p.ID, Recipient: "unicef", Groups: []string{dtm.GroupIdentity}, Wording: "1", Lang: "en", How: dtm.ConsentWitnessed, Of: dtm.ConsentVitalInterest, Reason: "bleeds"}
	waits()
	one, err := s.GiveConsent(who, vital)
	must(t, err)
	gone := person(t, s, "name", "Gone")
	vital.Person = gone.ID
	two, err := s.GiveConsent(who, vital)
	must(t, err)
	waits(one.ID, two.ID)
	_, err = s.ConfirmConsent(who, one.ID)
	wantKind(t, err, dtm.Forbidden)
	_, err = s.ConfirmConsent(event.WithActor(ctx, "user:second@example.org"), one.ID)
	must(t, err)
	waits(two.ID)
	must(t, s.ErasePerson(who, gone.ID, dtm.EraseAsked))
	waits()
}

// words of a referral's steps are read under whoever the person was when they were
// written: nobody, one who was merged, the one they were merged into. An erasure takes all.
func words(t *testing.T, d Dialect) {
	s, place := d.open(t)
	_, err := s.SetDesk(ctx, desk("h", "health", dtm.NoLimit))
	must(t, err)
	from, into := person(t, s, "name", "Amina"), person(t, s, "name", "Amina")
	r := referral("a", "health")
	r.Person = from.ID
	held := referral("b", "health")
	held.State = dtm.ReferralHeld
	_, err = s.OpenReferrals(ctx, []dtm.Referral{r, held})
	must(t, err)
	said := func(id string, want ...string) {
		t.Helper()
		got, err := s.ReferralWords(event.WithActor(ctx, "user:f@example.org"), id, "test")
		must(t, err)
		history, err := s.ReferralHistory(ctx, id)
		must(t, err)
		var list []string
		for _, e := range history {
			if w := got[e.Seq]; w != "" {
				list = append(list, w)
			}
		}
		if !slices.Equal(list, want) {
			t.Errorf("%s: %q, want %q", id, list, want)
		}
	}
	act(t, s, "a", dtm.DoerFocal, dtm.Do{Action: dtm.ReferralSend, Desk: "h", Words: "Planted one"})
	said("a", "Planted one")
	must(t, s.Merge(ctx, from.ID, into.ID, "same slip"))
	said("a", "Planted one")
	act(t, s, "a", dtm.DoerDesk, dtm.Do{Action: dtm.ReferralReject, Reason: "other", Words: "Planted two"})
	said("a", "Planted one", "Planted two")
	act(t, s, "b", dtm.DoerFocal, dtm.Do{Action: dtm.ReferralConsent, Reason: "vital_interest", Words: "Planted three", Second: "user:s@example.org"})
	said("b", "Planted three")
	if n := d.Query(t, place, `SELECT count(*) FROM referral_step WHERE words IS NOT NULL AND words <> 'Planted one'`); n[0] != "3" {
		t.Errorf("%s steps have words", n[0])
	}
	reads, err := s.ReadsOf(ctx, into.ID)
	must(t, err)
	if len(reads) != 3 || reads[0].Actor != "user:f@example.org" {
		t.Errorf("reading is recorded as %+v", reads)
	}
	must(t, s.ErasePerson(ctx, into.ID, dtm.EraseAsked))
	said("a")
}

func cases(t *testing.T, d Dialect) {
	s, place := d.open(t)
	_, err := s.SetDesk(ctx, desk("v", "vhr", dtm.NoLimit))
	must(t, err)
	p, q := person(t, s, "name", "Amina"), person(t, s, "name", "Ali")
	_, err = s.AddCaseNote(ctx, dtm.CaseNote{Person: p.ID, Group: dtm.GroupHealth, Words: " "})
	wantKind(t, err, dtm.Invalid)
	for _, g := range []string{dtm.GroupHealth, dtm.GroupProtection} {
		_, err = s.AddCaseNote(event.WithActor(ctx, "user:d@example.org"), dtm.CaseNote{Person: p.ID, Group: g, Desk: "h", Words: "Planted " + g})
		must(t, err)
	}
	notes, err := s.CaseNotes(ctx, p.ID, []string{dtm.GroupHealth}, "x")
	must(t, err)
	if len(notes) != 1 || notes[0].Words != "Planted health" || notes[0].Actor != "user:d@example.org" {
		t.Errorf("%+v", notes)
	}
	if n := d.Query(t, place, `SELECT count(*) FROM case_note WHERE instr(sealed, 'Planted') > 0`); n[0] != "0" {
		t.Error("in clear")
	}
	r := referral("v1", "vhr")
	r.Person, r.Guarded = p.ID, false
	_, err = s.OpenReferrals(ctx, []dtm.Referral{r})
	must(t, err)
	step := dtm.ReturnStep{Referral: "v1", Step: "counselling", Outcome: "done", On: time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC)}
	wantKind(t, s.DoReturnStep(ctx, step), dtm.Conflict) // not accepted yet
	act(t, s, "v1", dtm.DoerFocal, dtm.Do{Action: dtm.ReferralSend, Desk: "v"})
	act(t, s, "v1", dtm.DoerDesk, dtm.Do{Action: dtm.ReferralAccept})
	must(t, s.DoReturnStep(ctx, step))
	wantKind(t, s.DoReturnStep(ctx, step), dtm.Conflict)
	step.Step = "documents"
	wantKind(t, s.DoReturnStep(ctx, step), dtm.Conflict) // fitness comes first
	step.Step, step.Outcome = "fitness", "refused"
	must(t, s.DoReturnStep(ctx, step))
	step.Step, step.Outcome = "documents", "done"
	wantKind(t, s.DoReturnStep(ctx, step), dtm.Conflict) // who is not fit does not travel
	step.Step = "party"
	wantKind(t, s.DoReturnStep(ctx, step), dtm.Invalid)
	if list, err := s.ReturnStepsOf(ctx, "v1"); err != nil || len(list) != 2 || list[1].Outcome != "refused" {
		t.Errorf("%+v, %v", list, err)
	}
	must(t, s.LinkFamily(ctx, dtm.FamilyLink{Person: p.ID, Other: q.ID, Relation: "parent"}))
	wantKind(t, s.LinkFamily(ctx, dtm.FamilyLink{Person: p.ID, Other: p.ID, Relation: "parent"}), dtm.Invalid)
	wantKind(t, s.LinkFamily(ctx, dtm.FamilyLink{Person: p.ID, Other: "nobody", Relation: "parent"}), dtm.NotFound)
	a, err := s.FamilyOf(ctx, p.ID)
	must(t, err)
	b, err := s.FamilyOf(ctx, q.ID)
	must(t, err)
	if len(a) != 1 || a[0].Relation != "parent" || len(b) != 1 || b[0].Relation != "child" || b[0].Other != p.ID {
		t.Errorf("%+v %+v", a, b)
	}
}
