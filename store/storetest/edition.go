package storetest

import (
	"strings"
	"testing"
	"time"

	"dtm"
	"dtm/event"
)

func editions(t *testing.T, d Dialect) {
	s, place := d.open(t)
	m := dtm.Month{Year: 2022, Month: time.December}
	of := dtm.ReportText{Month: m, N: 1, Report: "2022-12", Lang: dtm.French}
	one, two, three := event.WithActor(ctx, "user:one@example.org"), event.WithActor(ctx, "user:two@example.org"), event.WithActor(ctx, "user:three@example.org")
	w := dtm.Wording{Sentence: "how_many/1", Base: "{1} mouvements.", Words: "On a observé {1} mouvements, {2} l’été."}
	wantKind(t, s.SaveWordings(one, of, []dtm.Wording{w}), dtm.NotFound)
	_, err := s.AddEdition(one, dtm.Edition{Of: of})
	wantKind(t, err, dtm.NotFound)
	_, err = s.AddRelease(one, dtm.FrozenRelease{Month: m, N: 1, Manifest: []byte("{}"), ManifestHash: "h"})
	must(t, err)

	long := w
	long.Words = strings.Repeat("é", dtm.MaxWording+1)
	wantKind(t, s.SaveWordings(one, of, []dtm.Wording{long}), dtm.Invalid)
	other := dtm.Wording{Sentence: "where/1", Base: "x", Words: "y"}
	must(t, s.SaveWordings(one, of, []dtm.Wording{w, other}))
	n := len(allEvents(t, s))
	must(t, s.SaveWordings(two, of, []dtm.Wording{w, other})) // as they were: nothing is told
	if got := len(allEvents(t, s)); got != n {
		t.Errorf("saving the same words told %d things", got-n)
	}
	other.Words = "z"
	must(t, s.SaveWordings(two, of, []dtm.Wording{w, other}))
	list, err := s.Wordings(ctx, of)
	must(t, err)
	if len(list) != 2 || list[0].Words != w.Words || list[0].Author != "user:one@example.org" || list[0].Base != w.Base || list[1].Words != "z" || list[1].Author != "user:two@example.org" || list[1].At.IsZero() {
		t.Errorf("words that stand: %+v", list)
	}
	other.Words = "" // as generated again
	must(t, s.SaveWordings(one, of, []dtm.Wording{other}))
	if list, err = s.Wordings(ctx, of); err != nil || list[1].Words != "" || list[1].Author != "user:one@example.org" {
		t.Errorf("undone: %+v, %v", list, err)
	}
	english := of
	english.Lang = dtm.English
	if l, err := s.Wordings(ctx, english); err != nil || len(l) != 0 {
		t.Errorf("words of another language: %+v, %v", l, err)
	}

	e, err := s.AddEdition(two, dtm.Edition{Of: of, Words: list[:1], PDF: "sha256:1", PDFHash: "ph", Program: "1.0", Note: "look"})
	must(t, err)
	if e.N != 1 || e.State != dtm.StateProposed || e.Proposer != "user:two@example.org" || e.Proposed.IsZero() {
		t.Errorf("proposed %+v", e)
	}
	_, err = s.AddEdition(two, e)
	wantKind(t, err, dtm.Conflict)
	wantKind(t, s.SaveWordings(one, of, []dtm.Wording{other}), dtm.Conflict)
	must(t, s.SaveWordings(one, english, []dtm.Wording{w}))
	for _, x := range []string{"user:one@example.org", "user:two@example.org", "system"} { // who wrote, who proposed, nobody
		_, err = s.PublishEdition(event.WithActor(ctx, x), of, 1)
		wantKind(t, err, dtm.Forbidden)
	}
	_, err = s.PublishEdition(three, of, 1) // before its figures
	wantKind(t, err, dtm.Conflict)
	_, err = s.PublishEdition(three, of, 2)
	wantKind(t, err, dtm.NotFound)
	_, err = s.ReturnEdition(three, of, 1, " ")
	wantKind(t, err, dtm.Invalid)
	e, err = s.ReturnEdition(three, of, 1, "say it more plainly")
	must(t, err)
	if e.State != dtm.StateReturned || e.Reason != "say it more plainly" || e.Decider != "user:three@example.org" || e.Decided == nil {
		t.Errorf("returned %+v", e)
	}
	_, err = s.PublishRelease(two, m, 1)
	must(t, err)
	_, err = s.PublishEdition(three, of, 1)
	wantKind(t, err, dtm.Conflict)
	_, err = s.AddEdition(one, dtm.Edition{Of: of, Words: list[:1], PDF: "sha256:2", PDFHash: "ph2", Program: "1.0"})
	must(t, err)
	e, err = s.PublishEdition(three, of, 2)
	must(t, err)
	if e.State != dtm.StatePublished || e.N != 2 || e.PDF != "sha256:2" || len(e.Words) != 1 || e.Words[0].Words != w.Words || !e.Words[0].At.Equal(list[0].At) {
		t.Errorf("published %+v", e)
	}

	must(t, s.Close())
	s = d.openAt(t, place)
	all, err := s.Editions(ctx, m, 1)
	must(t, err)
	if len(all) != 2 || all[0].N != 2 || all[0].State != dtm.StatePublished || all[1].State != dtm.StateReturned || all[1].Note != "look" {
		t.Errorf("editions: %+v", all)
	}
	got := strings.Join(names(allEvents(t, s)), " ")
	if want := "release.proposed wording.saved wording.saved wording.saved edition.proposed wording.saved edition.returned release.published edition.proposed edition.published"; got != want {
		t.Errorf("log: %s", got)
	}
	if last := allEvents(t, s); last[len(last)-1].Subject != "2022-12/1 2022-12 fr" || !strings.Contains(last[len(last)-1].Detail, `"ph2"`) {
		t.Errorf("entry %+v", last[len(last)-1])
	}
	for _, x := range []string{`UPDATE wording SET words = 'x'`, `DELETE FROM wording`, `UPDATE edition SET pdf = 'x'`, `DELETE FROM edition`, `UPDATE edition_state SET state = 'published'`, `DELETE FROM edition_state`} {
		if err := d.Protected(t, place, x); err == nil {
			t.Errorf("%s was done", x)
		}
	}
	must(t, s.Verify(ctx))
}
