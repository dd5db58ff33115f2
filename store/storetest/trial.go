package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"dtm"
	"dtm/event"
)

// trials: test records are kept with their draft and nowhere else, and go with it.
func trials(t *testing.T, d Dialect) {
	now := time.Date(2026, 5, 1, 8, 0, 0, 0, time.UTC)
	place := d.Place(t)
	s, err := d.Open(place, Operation, func() time.Time { return now })
	must(t, err)
	f := dtm.Form{ID: "f", Version: "1", Title: "F", Titles: dtm.Text{dtm.French: "F fr"}, Hash: "md5:1", XForm: []byte("<a/>"), Source: []byte("x"), SourceName: "f.xlsx"}
	_, err = s.ReceiveTrial(ctx, "f", submission(1), nil)
	wantKind(t, err, dtm.NotFound)
	draft, err := s.SaveDraft(ctx, f)
	must(t, err)
	if list, err := s.Drafts(ctx); err != nil || draft.TitleIn(dtm.French) != "F fr" || len(list) != 1 || list[0].TitleIn(dtm.French) != "F fr" {
		t.Errorf("titles of a draft: %v, listed %+v, %v", draft.Titles, list, err)
	}
	one := submission(1)
	one.Form, one.Expected, one.Attachments = "f", []string{"a.jpg", "b.jpg"}, []dtm.Attachment{{Name: "a.jpg", Type: "image/jpeg", Size: 1, Hash: "sha256:a"}}
	photo := dtm.Media{Name: "a.jpg", Type: "image/jpeg", Hash: "sha256:a", Data: []byte("a")}
	got, err := s.ReceiveTrial(ctx, "f", one, []dtm.Media{photo})
	must(t, err)
	if !got.New || got.Seq != 0 {
		t.Errorf("receipt %+v", got)
	}
	one.Attachments = append(one.Attachments, dtm.Attachment{Name: "b.jpg", Type: "image/jpeg", Size: 2, Hash: "sha256:b"})
	late := dtm.Media{Name: "b.jpg", Type: "image/jpeg", Hash: "sha256:b", Data: []byte("bb")}
	if got, err = s.ReceiveTrial(ctx, "f", one, []dtm.Media{{Name: "a.jpg", Data: []byte("x")}, late}); err != nil || got.New {
		t.Errorf("again: %+v %v", got, err)
	}
	for _, m := range []dtm.Media{photo, late} {
		if got, err := s.TrialMedia(ctx, "f", one.ID, m.Name); err != nil || !cmp.Equal(got, m) {
			t.Errorf("file %s: %+v %v", m.Name, got, err)
		}
	}
	_, err = s.TrialMedia(ctx, "f", one.ID, "c.jpg")
	wantKind(t, err, dtm.NotFound)
	other := one
	other.XML = []byte("<data>other</data>")
	_, err = s.ReceiveTrial(ctx, "f", other, nil)
	wantKind(t, err, dtm.Conflict)
	list, err := s.Trials(ctx, "f")
	must(t, err)
	want := one
	want.Received, want.State, want.Device = now, "received", ""
	if diff := cmp.Diff([]dtm.Submission{want}, list, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}

	// In no list, no count and no event.
	if _, n, err := s.Submissions(ctx, dtm.SubmissionFilter{}); err != nil || n != 0 {
		t.Errorf("%d submissions, %v", n, err)
	}
	if n, err := s.CountSubmissions(ctx, dtm.SubmissionQuery{Form: "f"}); err != nil || n != 0 {
		t.Errorf("%d in the stream, %v", n, err)
	}
	for _, e := range allEvents(t, s) {
		if e.Name != dtm.DraftSaved {
			t.Errorf("a trial is logged as %s", e.Name)
		}
	}

	// The newest are kept.
	for i := range dtm.MaxTrials {
		_, err := s.ReceiveTrial(ctx, "f", submission(i+2), []dtm.Media{photo})
		must(t, err)
	}
	_, err = s.TrialMedia(ctx, "f", one.ID, "a.jpg") // gone with its record
	wantKind(t, err, dtm.NotFound)
	list, err = s.Trials(ctx, "f")
	must(t, err)
	if len(list) != dtm.MaxTrials || list[0].ID != submission(dtm.MaxTrials+1).ID || list[len(list)-1].ID != submission(2).ID {
		t.Errorf("%d are kept, from %s to %s", len(list), list[0].ID, list[len(list)-1].ID)
	}
	if all, err := s.Drafts(ctx); err != nil || len(all) != 1 || all[0].Trials != dtm.MaxTrials || all[0].Token != draft.Token || all[0].XForm != nil {
		t.Errorf("drafts %+v %v", all, err)
	}

	// A code ends by itself, is withdrawn, is renewed.
	if !draft.Until.Equal(now.AddDate(0, 0, dtm.DraftTrialDays)) {
		t.Errorf("until %v", draft.Until)
	}
	now = draft.Until
	_, err = s.DraftByToken(ctx, draft.Token)
	wantKind(t, err, dtm.Forbidden)
	renewed, err := s.RenewDraft(ctx, "f")
	must(t, err)
	if renewed.Token == draft.Token {
		t.Error("the code is the same")
	}
	_, err = s.DraftByToken(ctx, draft.Token)
	wantKind(t, err, dtm.Forbidden)
	_, err = s.DraftByToken(ctx, renewed.Token)
	must(t, err)
	must(t, s.EndDraft(ctx, "f"))
	_, err = s.DraftByToken(ctx, renewed.Token)
	wantKind(t, err, dtm.Forbidden)
	_, err = s.RenewDraft(ctx, "g")
	wantKind(t, err, dtm.NotFound)
	wantKind(t, s.EndDraft(ctx, "g"), dtm.NotFound)
	if again, err := s.SaveDraft(ctx, f); err != nil || again.Token != renewed.Token || !again.Until.After(now) {
		t.Errorf("saved again: %v %v", again.Until, err)
	}

	// Restarted, they are there; published, they are gone.
	must(t, s.Close())
	s, err = d.Open(place, Operation, func() time.Time { return now })
	must(t, err)
	defer s.Close()
	if list, err := s.Trials(ctx, "f"); err != nil || len(list) != dtm.MaxTrials {
		t.Errorf("%d after a restart, %v", len(list), err)
	}
	g := f
	g.ID = "g"
	wantKind(t, s.PublishDraft(ctx, g), dtm.NotFound)
	_, err = s.Form(ctx, "g", "")
	wantKind(t, err, dtm.NotFound) // nothing half-done
	must(t, s.PublishDraft(event.WithActor(ctx, "user:m@example.org"), f))
	_, err = s.Form(ctx, "f", "1")
	must(t, err)
	_, err = s.Draft(ctx, "f")
	wantKind(t, err, dtm.NotFound)
	if n := d.Query(t, place, `SELECT count(*) FROM trial`)[0]; n != "0" {
		t.Errorf("%s test records outlive their draft", n)
	}
	if n := d.Query(t, place, `SELECT count(*) FROM trial_media`)[0]; n != "0" {
		t.Errorf("%s files of test records outlive their draft", n)
	}
	events := allEvents(t, s)
	if last := names(events)[len(events)-2:]; !cmp.Equal(last, []string{dtm.FormPublished, dtm.DraftDeleted}) {
		t.Errorf("the log ends with %v", last)
	}
	// Other content under a published version: nothing happens to the draft.
	f.Hash, f.XForm = "md5:2", []byte("<b/>")
	_, err = s.SaveDraft(ctx, f)
	must(t, err)
	wantKind(t, s.PublishDraft(ctx, f), dtm.Conflict)
	_, err = s.Draft(ctx, "f")
	must(t, err)
}

func formVersions(t *testing.T, d Dialect) {
	s, _ := d.open(t)
	_, err := s.FormVersions(ctx, "fmr")
	wantKind(t, err, dtm.NotFound)
	for i, who := range []string{"user:a@example.org", "user:b@example.org"} {
		must(t, s.Publish(event.WithActor(ctx, who), dtm.Form{ID: "fmr", Version: fmt.Sprint(i + 1), Title: "F", Titles: dtm.Text{dtm.French: "F fr"}, Hash: "md5:1", XForm: []byte("<a/>"), Source: []byte("x"), SourceName: "f.xlsx"}))
	}
	for i := range 3 {
		_, err := s.Receive(ctx, submission(i))
		must(t, err)
	}
	list, err := s.FormVersions(ctx, "fmr")
	must(t, err)
	for _, v := range list {
		if v.TitleIn(dtm.French) != "F fr" || v.TitleIn(dtm.Arabic) != "F" {
			t.Errorf("titles of version %s: %v", v.Version, v.Titles)
		}
	}
	if len(list) != 2 || list[0].Version != "2" || list[0].By != "user:b@example.org" || list[0].Submissions != 0 || !list[0].Last.IsZero() ||
		list[1].Version != "1" || list[1].Submissions != 3 || list[1].Last.IsZero() || list[1].Seq != 1 || list[1].SourceName != "f.xlsx" || list[1].Published.IsZero() {
		t.Errorf("%+v", list)
	}
}

// deviceCare: a device moves and its history stays; a new code voids the old one; a
// reason is kept.
func deviceCare(t *testing.T, d Dialect) {
	s, place := d.open(t)
	who := event.WithActor(ctx, "user:s@example.org")
	a, token, err := s.NewDevice(who, dtm.Device{ID: "forged", Name: " Obock 1 ", Point: "obock", Lang: dtm.French, App: "forged"})
	must(t, err)
	if a.ID == "forged" || a.Name != "Obock 1" || a.App != "" {
		t.Errorf("added %+v", a)
	}
	must(t, s.MoveDevice(who, a.ID, "obock")) // nothing
	must(t, s.MoveDevice(who, "Obock 1", "tadjourah"))
	wantKind(t, s.MoveDevice(who, "nobody", "obock"), dtm.NotFound)
	got, err := s.DeviceByToken(ctx, token)
	must(t, err)
	if got.Point != "tadjourah" || got.Lang != dtm.French {
		t.Errorf("moved %+v", got)
	}
	posts, err := s.DevicePosts(ctx, a.ID)
	must(t, err)
	if len(posts) != 2 || posts[0].Point != "tadjourah" || posts[1].Point != "obock" || posts[0].By != "user:s@example.org" || posts[1].Seq != 1 || posts[0].Seq != 2 || posts[0].At.IsZero() {
		t.Errorf("posts %+v", posts)
	}
	if err := d.Protected(t, place, `UPDATE device_post SET point = 'x'`); err == nil {
		t.Error("where a device was can be changed")
	}

	renewed, second, err := s.RenewDevice(who, a.ID)
	must(t, err)
	if renewed.ID != a.ID || second == token {
		t.Errorf("renewed %+v", renewed)
	}
	_, err = s.DeviceByToken(ctx, token)
	wantKind(t, err, dtm.Forbidden)
	_, err = s.DeviceByToken(ctx, second)
	must(t, err)
	_, _, err = s.RenewDevice(who, "nobody")
	wantKind(t, err, dtm.NotFound)

	s.SawApp(a.ID, "ODK Collect v2025.2.3")
	app := ""
	for deadline := time.Now().Add(5 * time.Second); app == ""; time.Sleep(time.Millisecond) {
		x, err := s.Device(ctx, "Obock 1")
		must(t, err)
		if app = x.App; time.Now().After(deadline) {
			t.Fatal("the app was never noted")
		}
	}
	if app != "ODK Collect v2025.2.3" {
		t.Errorf("app %q", app)
	}
	for i := range 3 {
		x := submission(i)
		x.Device, x.Version = a.ID, fmt.Sprint(1+i/2)
		_, err := s.Receive(ctx, x)
		must(t, err)
	}
	uses, err := s.DeviceUses(ctx, a.ID)
	must(t, err)
	if len(uses) != 2 || uses[0].Version != "2" || uses[0].Submissions != 1 || uses[1].Submissions != 2 || uses[1].Form != "fmr" || uses[1].Last.IsZero() {
		t.Errorf("uses %+v", uses)
	}

	must(t, s.WithdrawDevice(who, a.ID, "lost on the road"))
	got, err = s.Device(ctx, a.ID)
	must(t, err)
	if got.Revoked == nil || got.Reason != "lost on the road" {
		t.Errorf("withdrawn %+v", got)
	}
	for _, err := range []error{s.WithdrawDevice(who, a.ID, ""), s.MoveDevice(who, a.ID, "obock")} {
		wantKind(t, err, dtm.NotFound)
	}
	_, _, err = s.RenewDevice(who, a.ID)
	wantKind(t, err, dtm.NotFound)
	_, err = s.Device(ctx, "Obock 1") // a name is of devices in use
	wantKind(t, err, dtm.NotFound)
	for _, e := range allEvents(t, s) {
		if e.Name == dtm.DeviceRevoked && e.Detail != "{}" {
			t.Errorf("what somebody typed is in the log: %s", e.Detail)
		}
	}
}
