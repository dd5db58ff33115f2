package main

import (
	"context"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"dtm"
	"dtm/seal"
	"dtm/store/backup"
	"dtm/store/sqlite"
)

// TestRights: a person hears everything and who read it, has nobody read on, is erased;
// each is recorded, and nothing of it is left to be read.
func TestRights(t *testing.T) {
	t.Parallel()
	s := newScreened(t)
	base := s.server().URL
	id, list := s.send(append(plantedHarm, "health", "soon", "refer", "health direct_assistance", "person_name", plantedName, "person_phone", plantedPhone, "nationality", "ETH")...)
	at := "/en/staff/referrals/" + list[0].ID
	focal := s.visit(base, dtm.User{Email: "f@example.org", Role: dtm.RoleFocal})
	if status, body := focal.get(at); status != http.StatusOK || !strings.Contains(body, at+"/rights") {
		t.Fatalf("no way to the rights: %d", status)
	}
	if status, _ := focal.post(at+"/person", url.Values{"do": {"note"}, "group": {"health"}, "words": {"a fever"}}); status != http.StatusOK {
		t.Fatal(status)
	}
	status, body := focal.post(at+"/rights", url.Values{"do": {"export"}})
	for _, want := range []string{plantedName, plantedPhone, "asylquax", "violquax", "a fever", "Ethiopia", list[0].Number, list[1].Number, "Who read it", "Djibouti"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page for the person lacks %q", want)
		}
	}
	if status != http.StatusOK || s.count(dtm.DataExported) != 1 || strings.Contains(body, "f@example.org") {
		t.Errorf("%d, %d exports", status, s.count(dtm.DataExported))
	}
	if status, _ = focal.post(at+"/rights", url.Values{"do": {"restrict"}, "why": {"because"}}); status != http.StatusUnprocessableEntity {
		t.Errorf("no reason: %d", status)
	}
	if status, _ = focal.post(at+"/rights", url.Values{"do": {"restrict"}, "why": {dtm.RestrictDisputed}}); status != http.StatusOK || s.count(dtm.PersonRestricted) != 1 {
		t.Errorf("restrict: %d", status)
	}
	if status, body = focal.post(at+"/person", url.Values{}); status != http.StatusForbidden || strings.Contains(body, "Xylophena") {
		t.Errorf("restricted, and read: %d", status)
	}
	if _, body = focal.get(at); !strings.Contains(body, "Reading is restricted") || strings.Contains(body, "consent does not cover you") {
		t.Errorf("restricted, and the referral says why nobody is shown:\n%s", body)
	}
	if status, body = focal.post(at+"/rights", url.Values{"do": {"export"}}); status != http.StatusOK || !strings.Contains(body, plantedName) {
		t.Errorf("restricted, and not told to the person: %d", status)
	}
	if status, _ = focal.post(at+"/rights", url.Values{"do": {"release"}, "why": {dtm.RestrictDisputed}}); status != http.StatusOK {
		t.Errorf("release: %d", status)
	}
	for _, form := range []url.Values{{"do": {"erase"}, "why": {dtm.EraseAsked}, "number": {"x"}}, {"do": {"erase"}, "why": {"tired"}, "number": {list[0].Number}}} {
		if status, _ = focal.post(at+"/rights", form); status != http.StatusUnprocessableEntity {
			t.Errorf("%v: %d", form, status)
		}
	}
	if status, body = focal.post(at+"/rights", url.Values{"do": {"erase"}, "why": {dtm.EraseAsked}, "number": {list[0].Number}}); status != http.StatusOK || !strings.Contains(body, "who this person is cannot be read any more") {
		t.Fatalf("erase: %d %s", status, body)
	}
	for _, r := range list {
		if now, err := s.h.db.Referral(t.Context(), r.ID); err != nil || now.State != dtm.ReferralWithdrawn {
			t.Errorf("an open referral goes on: %+v, %v", now, err)
		}
	}
	if _, body = focal.get(at); !strings.Contains(body, "who this person is cannot be read any more") || strings.Contains(body, "consent does not cover you") {
		t.Errorf("erased, and the referral says why nobody is shown:\n%s", body)
	}
	for _, path := range []string{"/person", "/rights"} {
		if _, body = focal.post(at+path, url.Values{"do": {"export"}}); strings.Contains(body, "Xylophena") || strings.Contains(body, "a fever") || strings.Contains(body, "quax") {
			t.Errorf("%s: read after the erasure", path)
		}
	}
	manager := s.visit(base, dtm.User{Email: "m@example.org", Role: dtm.RoleManager})
	for _, path := range []string{"", "/xml"} {
		if status, body = manager.get("/en/staff/submissions/" + id + path); status != http.StatusOK || strings.Contains(body, "quax") || !strings.Contains(body, "obock") && !strings.Contains(body, "Obock") {
			t.Errorf("the submission after the erasure: %d", status)
		}
	}
	if x, person, err := s.h.db.SealedSubmission(t.Context(), id, "test"); err == nil && (person != "" || strings.Contains(string(x.XML), "quax")) {
		t.Errorf("the answers are read after the erasure: %s %s", person, x.XML)
	}
	if status, _ = focal.post(at+"/rights", url.Values{"do": {"restrict"}, "why": {dtm.RestrictAsked}}); status != http.StatusUnprocessableEntity {
		t.Errorf("restrict after the erasure: %d", status)
	}
	desk := s.visit(base, dtm.User{Email: "d@example.org", Role: dtm.RoleDesk, Partner: "iom", Desk: "mrc-obock-health"})
	if status, _ = desk.get(at + "/rights"); status != http.StatusForbidden {
		t.Errorf("a desk: %d", status)
	}
	s.searched()
}

// TestErasedStaysErased: a phone that sends a screening again after the person was erased,
// the same, with other answers, or as an edit, is answered as ever, and brings nobody
// back: nothing of what it sent is kept, nobody is added, nothing is opened.
func TestErasedStaysErased(t *testing.T) {
	t.Parallel()
	s := newScreened(t)
	ctx := t.Context()
	d, token, err := s.h.db.AddDevice(ctx, "obock-2", "obock")
	if err != nil {
		t.Fatal(err)
	}
	s.phone = d.ID
	p := phone{t, s.server().URL + "/v1/key/" + token + "/projects/1"}
	send := func(want int, xml []byte) {
		t.Helper()
		if code, answer := p.send(string(xml), nil); code != want {
			t.Errorf("answered %d, want %d: %s", code, want, answer)
		}
	}
	const id, edit = "uuid:00000000-0000-4000-8000-0000000000aa", "uuid:00000000-0000-4000-8000-0000000000ab"
	said := append(plantedHarm, "health", "soon", "refer", "health", "person_name", plantedName, "person_phone", plantedPhone)
	first := s.instance(id, said...)
	edited := strings.Replace(string(s.instance(edit, append(said, "health", "emergency", "refer", "health direct_assistance")...)), "<instanceID>", "<deprecatedID>"+id+"</deprecatedID><instanceID>", 1)
	send(http.StatusCreated, first)
	list := s.of(id)
	if len(list) == 0 || list[0].Person == "" {
		t.Fatalf("%+v", list)
	}
	if err := s.h.erase(ctx, list[0].Person, dtm.EraseAsked); err != nil {
		t.Fatal(err)
	}
	_, before, err := s.h.db.Referrals(ctx, dtm.ReferralFilter{})
	if err != nil {
		t.Fatal(err)
	}
	send(http.StatusCreated, first)
	send(http.StatusConflict, s.instance(id, append(said, "need", "food")...))
	send(http.StatusCreated, []byte(edited))
	for _, id := range []string{id, edit} {
		s.of(id)
		if x, _, err := s.h.db.SealedSubmission(ctx, id, "test"); dtm.KindOf(err) != dtm.Gone || strings.Contains(string(x.XML), "quax") {
			t.Errorf("%s: the answers are back: %v %s", id, err, x.XML)
		}
	}
	if x, err := s.h.db.Submission(ctx, edit); err != nil || !strings.Contains(string(x.XML), "emergency") || strings.Contains(string(x.XML), "quax") {
		t.Errorf("what is not personal in the edit: %s, %v", x.XML, err)
	}
	if _, n, err := s.h.db.Referrals(ctx, dtm.ReferralFilter{}); err != nil || n != before {
		t.Errorf("%d referrals, then %d, %v", before, n, err)
	}
	if found, err := s.h.db.FindPersons(ctx, dtm.PersonSearch{Name: plantedName}); err != nil || len(found) > 0 {
		t.Errorf("found: %v, %v", found, err)
	}
	if n := s.count(dtm.PersonAdded); n != 1 {
		t.Errorf("%d persons were added", n)
	}
	// The log followed anew, as after a restore.
	if err := s.h.db.KeepScreenings(ctx, nil, 0); err != nil {
		t.Fatal(err)
	}
	events, err := s.h.db.Events(ctx, 0, 10000)
	if err == nil {
		err = s.h.followScreenings(ctx, events)
	}
	if n := s.count(dtm.PersonAdded); err != nil || n != 1 {
		t.Errorf("followed anew: %d persons, %v", n, err)
	}
	s.searched()
}

// TestErasureOutlivesBackups: after an erasure the person cannot be read from the live
// data, nor from any backup of the shelf once the promised date has come, whatever the age
// of the backup and with the key of the backups in hand. Before that date the shelf holds
// the key: the promise is neither too early nor idle.
func TestErasureOutlivesBackups(t *testing.T) {
	t.Parallel()
	s := newScreened(t)
	ctx := t.Context()
	pair, err := backup.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	ids, err := backup.Identities(strings.NewReader(pair.Identity))
	if err != nil {
		t.Fatal(err)
	}
	s.h.config.BackupDir, s.h.config.BackupRecipient = filepath.Join(t.TempDir(), "shelf"), pair.Recipient
	shelf, err := s.h.backups()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(shelf.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := shelf.Tried(backup.Trial{At: s.now.now().AddDate(1, 0, 0)}); err != nil { // no trials here
		t.Fatal(err)
	}
	_, list := s.send("health", "soon", "refer", "health", "person_name", plantedName, "person_phone", plantedPhone)
	person := list[0].Person
	put := func() {
		t.Helper()
		if _, err := s.h.backUp(ctx, shelf); err != nil {
			t.Fatal(err)
		}
	}
	step := func(d time.Duration) { s.now.to(s.now.now().Add(d)) }
	put()
	step(time.Hour)
	if err := s.h.erase(ctx, person, dtm.EraseAsked); err != nil {
		t.Fatal(err)
	}
	p, err := s.h.db.Person(ctx, person)
	if err != nil {
		t.Fatal(err)
	}
	by := s.h.forgotten(*p.Erased)
	if readable, err := anywhere(ctx, t, shelf, person, ids); err != nil || !readable {
		t.Errorf("the shelf should hold the key still, or this test proves nothing: %v, %v", readable, err)
	}
	if _, err := s.h.db.OpenPerson(ctx, person, dtm.FieldGroups, "x"); err == nil || dtm.KindOf(err) != dtm.Gone {
		t.Errorf("live: %v", err)
	}
	for s.now.now().Before(by) { // the shelf goes on
		step(11 * 24 * time.Hour)
		put()
	}
	if readable, err := anywhere(ctx, t, shelf, person, ids); err != nil || readable {
		t.Errorf("after %v the person is read from a backup: %v", by, err)
	}
	// The backup with the person's cells in it is there all the same, and a restore of it
	// takes the newest keys.
	entries, err := shelf.List()
	if err != nil {
		t.Fatal(err)
	}
	oldest := entries[len(entries)-1]
	if !oldest.At.Before(*p.Erased) {
		t.Errorf("no backup older than the erasure is left: %v", oldest.At)
	}
	to := filepath.Join(t.TempDir(), "restored")
	if _, err := backup.Restore(ctx, filepath.Join(shelf.Dir, oldest.Name()), to, needed, ids); err != nil {
		t.Fatal(err)
	}
	c := &call{args: nil, dir: t.TempDir(), env: testEnv, folders: folders{}}
	h, done, err := c.open(ctx, to)
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	if then, err := h.db.Person(ctx, person); err != nil || then.Erased != nil {
		t.Errorf("the old backup should not know of the erasure: %+v, %v", then, err)
	}
	if got, err := h.db.OpenPerson(ctx, person, dtm.FieldGroups, "x"); err == nil || dtm.KindOf(err) != dtm.Gone || got.Fields != nil {
		t.Errorf("read from an old backup: %+v, %v", got, err)
	}
	if _, _, err := h.db.SealedSubmission(ctx, list[0].Submission, "x"); err == nil || dtm.KindOf(err) != dtm.Gone {
		t.Errorf("the answers are read from an old backup: %v", err)
	}
}

// anywhere tells whether any store on a shelf with any keys on it gives the person away.
func anywhere(ctx context.Context, t *testing.T, s backup.Shelf, person string, ids []age.Identity) (bool, error) {
	t.Helper()
	keys, err := filepath.Glob(filepath.Join(s.Dir, "keys-*.age"))
	if err != nil {
		return false, err
	}
	list, err := s.List()
	if err != nil {
		return false, err
	}
	for _, e := range list {
		for _, k := range keys {
			// A shelf of this backup and these keys alone.
			alone := t.TempDir()
			for _, name := range []string{e.Name(), filepath.Base(k)} {
				if err := os.Link(filepath.Join(s.Dir, name), filepath.Join(alone, name)); err != nil {
					return false, err
				}
			}
			to := filepath.Join(t.TempDir(), "data")
			if _, err := backup.Restore(ctx, filepath.Join(alone, e.Name()), to, needed, ids); err != nil {
				return false, err
			}
			h := &house{dir: to}
			b, err := os.ReadFile(h.keyFile())
			if err != nil {
				return false, err
			}
			key, err := seal.ReadFile(string(b))
			if err != nil {
				return false, err
			}
			db, err := sqlite.Open(ctx, filepath.Join(to, storeName), sqlite.Options{Operation: "djibouti", Keys: filepath.Join(to, keysName), Seal: key})
			if err != nil {
				return false, err
			}
			got, err := db.OpenPerson(ctx, person, dtm.FieldGroups, "x")
			db.Close()
			if err == nil && got.Fields["name"] != "" {
				return true, nil
			}
		}
	}
	return false, nil
}

// TestRetention: the schedule's dry run changes nothing; carried out it erases who is due
// and records how many; the page shows the same.
func TestRetention(t *testing.T) {
	t.Parallel()
	s := newScreened(t)
	ctx := t.Context()
	_, list := s.send("health", "soon", "refer", "health", "person_name", plantedName)
	_, young := s.send("health", "soon", "refer", "health", "person_name", plantedName)
	r := list[0]
	for _, do := range []dtm.Do{{Action: dtm.ReferralWithdraw, Reason: "person_asked"}} {
		do.Version = r.Version
		var err error
		if r, _, err = s.h.db.Act(ctx, r.ID, dtm.DoerFocal, do); err != nil {
			t.Fatal(err)
		}
	}
	s.now.to(s.now.now().AddDate(0, 0, 731))
	for range 2 {
		got, err := s.h.retention(ctx, false)
		if err != nil || got[0].Due != 1 || got[0].Held != 1 || got[1].Due != 2 || got[0].Gone != 0 {
			t.Fatalf("%+v, %v", got, err)
		}
	}
	if p, err := s.h.db.Person(ctx, r.Person); err != nil || p.Erased != nil {
		t.Fatalf("a dry run erased: %+v, %v", p, err)
	}
	s.h.retain(ctx) // the setting says no
	base := s.server().URL
	auditor := s.visit(base, dtm.User{Email: "a@example.org", Role: dtm.RoleAuditor})
	if status, body := auditor.get("/en/staff/retention/"); status != http.StatusOK || !strings.Contains(body, "730 days") || strings.Contains(body, "Erase what is due") {
		t.Errorf("the page: %d", status)
	}
	if status, _ := auditor.post("/en/staff/retention/", url.Values{}); status != http.StatusForbidden {
		t.Errorf("an auditor erases: %d", status)
	}
	focal := s.visit(base, dtm.User{Email: "f@example.org", Role: dtm.RoleFocal})
	if status, body := focal.post("/en/staff/retention/", url.Values{}); status != http.StatusOK || !strings.Contains(body, "Erased: 2") {
		t.Errorf("carried out: %d", status)
	}
	if s.count(dtm.RetentionDone) != 1 || s.count(dtm.PersonErased) != 1 {
		t.Error("not recorded")
	}
	if _, err := s.h.db.OpenPerson(ctx, r.Person, dtm.FieldGroups, "x"); err == nil || dtm.KindOf(err) != dtm.Gone {
		t.Errorf("%v", err)
	}
	if p, err := s.h.db.OpenPerson(ctx, young[0].Person, dtm.FieldGroups, "x"); err != nil || p.Fields["name"] != plantedName {
		t.Errorf("somebody with an open referral went: %v", err)
	}
}
