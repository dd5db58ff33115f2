package storetest

import (
	"testing"
	"time"

	"dtm"
	"dtm/event"
)

// glasses: access in an emergency lasts three hours, is judged once and by somebody
// else; what is said about it is sealed with the person, and goes with them.
func glasses(t *testing.T, d Dialect) {
	s, place := d.open(t)
	p := person(t, s, "name", "Amina")
	r := referral("g", "health")
	r.Person = p.ID
	none := referral("n", "health")
	_, err := s.OpenReferrals(ctx, []dtm.Referral{r, none})
	must(t, err)
	doctor, judge := event.WithActor(ctx, "user:doctor@example.org"), event.WithActor(ctx, "user:judge@example.org")
	for _, c := range []struct {
		referral, reason string
		want             dtm.Kind
	}{{"g", "  short  ", dtm.Invalid}, {"nowhere", "she bleeds and cannot speak", dtm.NotFound}, {"n", "she bleeds and cannot speak", dtm.Conflict}} {
		_, err := s.BreakGlass(doctor, "doctor@example.org", c.referral, c.reason)
		wantKind(t, err, c.want)
	}
	const reason, verdict = "Planted Amina bleeds and cannot speak", "Planted, rightly"
	g, err := s.BreakGlass(doctor, "Doctor@example.org", "g", reason)
	must(t, err)
	if g.Until.Sub(g.At) != dtm.GlassFor {
		t.Errorf("%+v", g)
	}
	open, err := s.BrokenGlass(ctx, "doctor@example.org")
	must(t, err)
	if len(open) != 1 || open[0].Referral != "g" || open[0].Reason != reason {
		t.Errorf("open %+v", open)
	}
	if other, err := s.BrokenGlass(ctx, "judge@example.org"); err != nil || len(other) != 0 {
		t.Errorf("somebody else's: %+v, %v", other, err)
	}
	wantKind(t, s.ReviewGlass(doctor, g.ID, true, ""), dtm.Forbidden)
	wantKind(t, s.ReviewGlass(judge, "nothing", true, ""), dtm.NotFound)
	must(t, s.ReviewGlass(judge, g.ID, true, verdict))
	wantKind(t, s.ReviewGlass(judge, g.ID, false, ""), dtm.Conflict)
	list, err := s.GlassToReview(ctx, time.Now().Add(-time.Hour))
	must(t, err)
	if len(list) != 1 || list[0].Reviewed == nil || !list[0].Right || list[0].Verdict != verdict || list[0].Reviewer != "user:judge@example.org" {
		t.Errorf("%+v", list)
	}
	if n := d.Query(t, place, `SELECT count(*) FROM glass WHERE reason LIKE '%Planted%' OR verdict LIKE '%Planted%' OR instr(words, 'Planted') > 0 OR instr(said, 'Planted') > 0`); n[0] != "0" {
		t.Error("in clear")
	}
	second, err := s.BreakGlass(doctor, "doctor@example.org", "g", reason)
	must(t, err)
	must(t, s.ErasePerson(judge, p.ID, dtm.EraseAsked))
	list, err = s.GlassToReview(ctx, time.Now().Add(-time.Hour))
	must(t, err)
	if len(list) != 2 || list[0].ID != second.ID || list[0].Reason != "" || list[1].Verdict != "" {
		t.Errorf("after the erasure: %+v", list)
	}
	must(t, s.ReviewGlass(judge, second.ID, false, "says more"))
	_, err = s.BreakGlass(doctor, "doctor@example.org", "g", reason)
	wantKind(t, err, dtm.Gone)
	want := map[string]int{dtm.GlassBroken: 2, dtm.GlassReviewed: 2}
	for _, e := range allEvents(t, s) {
		want[e.Name]--
		if e.Name == dtm.GlassBroken && (e.Subject != "g" || e.Actor != "user:doctor@example.org") {
			t.Errorf("%+v", e)
		}
	}
	if want[dtm.GlassBroken] != 0 || want[dtm.GlassReviewed] != 0 {
		t.Errorf("events %v", want)
	}
}
