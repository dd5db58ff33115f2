package storetest

import (
	"slices"
	"testing"
	"time"

	"dtm"
	"dtm/event"
)

func alertOf(by, key string, day time.Time, observed float64) dtm.Alert {
	return dtm.Alert{ID: dtm.AlertID("week", by, key, day), Kind: dtm.AlertCount, Step: "week", By: by, Key: key, Day: day,
		Observed: observed, Expected: 60.5, Bound: 85.25, Method: "c2", Effects: []string{"ramadan"}}
}

func acts(t *testing.T, s Store, id string) (list []string) {
	t.Helper()
	entries, err := s.AlertHistory(ctx, id)
	must(t, err)
	for _, e := range entries {
		list = append(list, e.Act)
	}
	return list
}

// alerts: raised once, raised anew when they return, decided with who and why, undone.
func alerts(t *testing.T, d Dialect) {
	s, place := d.open(t)
	week := func(n int) time.Time { return time.Date(2026, 11, 2+7*n, 0, 0, 0, 0, time.UTC) }
	look := func(found ...dtm.Alert) [2]int {
		t.Helper()
		raised, cleared, err := s.RaiseAlerts(ctx, "week", week(0), week(3), found)
		must(t, err)
		return [2]int{raised, cleared}
	}
	one := func(id string) dtm.Alert {
		t.Helper()
		list, err := s.Alerts(ctx, dtm.AlertFilter{IDs: []string{id}})
		must(t, err)
		if len(list) != 1 {
			t.Fatalf("%s: %+v", id, list)
		}
		return list[0]
	}
	a, b, c := alertOf("point", "obock", week(0), 120), alertOf("", "", week(2), 400), alertOf("point", "galafi", week(1), 90)
	if got := look(a, b, c); got != [2]int{3, 0} {
		t.Fatalf("raised, cleared: %v", got)
	}
	last := len(allEvents(t, s))
	if got := look(a, b, c); got != [2]int{} || len(allEvents(t, s)) != last {
		t.Errorf("the same again: %v, %d events", got, len(allEvents(t, s))-last)
	}
	if x := one(a.ID); x.State != dtm.FlagOpen || x.Times != 1 || !x.Holds || x.Observed != 120 || x.Expected != 60.5 || x.Bound != 85.25 || x.Method != "c2" || !slices.Equal(x.Effects, a.Effects) || !x.Day.Equal(a.Day) || x.Seq == 0 || x.Raised.IsZero() {
		t.Errorf("as kept: %+v", x)
	}
	// A late record changes the figures, not the alert.
	a.Observed = 125
	if got := look(a, b, c); got != [2]int{} || one(a.ID).Observed != 125 || len(allEvents(t, s)) != last {
		t.Errorf("figures: %v, %+v", got, one(a.ID))
	}
	// Other steps and other days are not looked at.
	if raised, cleared, err := s.RaiseAlerts(ctx, "day", week(0), week(3), nil); err != nil || raised+cleared != 0 {
		t.Errorf("another step: %d, %d, %v", raised, cleared, err)
	}
	if raised, cleared, err := s.RaiseAlerts(ctx, "week", week(3), week(9), nil); err != nil || raised+cleared != 0 {
		t.Errorf("other days: %d, %d, %v", raised, cleared, err)
	}

	amina, boris := event.WithActor(ctx, "user:amina@example.org"), event.WithActor(ctx, "user:boris@example.org")
	_, err := s.DecideAlerts(amina, dtm.AlertDecision{IDs: []string{a.ID}, State: dtm.FlagDismissed})
	wantKind(t, err, dtm.Invalid)
	_, err = s.DecideAlerts(amina, dtm.AlertDecision{IDs: []string{a.ID}, State: dtm.FlagDismissed, Reason: "other", Note: " "})
	wantKind(t, err, dtm.Invalid)
	_, err = s.DecideAlerts(amina, dtm.AlertDecision{IDs: []string{a.ID}, State: dtm.FlagDismissed, Reason: "nobody_passed"}) // of silent points
	wantKind(t, err, dtm.Invalid)
	_, err = s.DecideAlerts(amina, dtm.AlertDecision{IDs: []string{a.ID, "week/all/1999-01-04"}, State: dtm.FlagConfirmed})
	wantKind(t, err, dtm.NotFound)
	if one(a.ID).State != dtm.FlagOpen {
		t.Error("half of a refused decision was kept")
	}
	done, err := s.DecideAlerts(amina, dtm.AlertDecision{IDs: []string{a.ID, b.ID}, State: dtm.FlagDismissed, Reason: "calendar", Note: "the feast"})
	must(t, err)
	if done.Alerts != 2 || done.Passed != 0 || done.Last != done.First+1 {
		t.Errorf("done %+v", done)
	}
	if x := one(a.ID); x.State != dtm.FlagDismissed || x.Reason != "calendar" || x.Note != "the feast" || x.Actor != "user:amina@example.org" || !x.Ended() {
		t.Errorf("dismissed: %+v", x)
	}
	if x, err := s.DecideAlerts(boris, dtm.AlertDecision{IDs: []string{a.ID}, State: dtm.FlagConfirmed}); err != nil || x.Passed != 1 || x.First != 0 {
		t.Errorf("decided meanwhile: %+v, %v", x, err)
	}
	if got := look(a, b, c); got != [2]int{} || one(a.ID).State != dtm.FlagDismissed {
		t.Errorf("a dismissed alert that holds is raised again: %v", got)
	}
	must(t, s.CommentAlert(boris, a.ID, " I saw it "))
	wantKind(t, s.CommentAlert(boris, a.ID, " "), dtm.Invalid)
	wantKind(t, s.CommentAlert(boris, "week/all/1999-01-04", "x"), dtm.NotFound)

	// Only who decided takes it back, and only what nobody has decided since.
	if x, err := s.UndoAlerts(boris, done.First, done.Last); err != nil || x.Alerts != 0 {
		t.Errorf("another's decision undone: %+v, %v", x, err)
	}
	if x, err := s.DecideAlerts(boris, dtm.AlertDecision{IDs: []string{b.ID}, State: dtm.FlagOpen}); err != nil || x.Alerts != 1 {
		t.Errorf("opened again: %+v, %v", x, err)
	}
	if x, err := s.UndoAlerts(amina, done.First, done.Last); err != nil || x.Alerts != 1 || x.Passed != 1 || one(a.ID).State != dtm.FlagOpen || one(a.ID).Reason != "" {
		t.Errorf("undone: %+v, %v, %+v", x, err, one(a.ID))
	}
	if x, err := s.UndoAlerts(amina, done.First, done.Last); err != nil || x.Alerts != 0 || x.Passed != 2 {
		t.Errorf("undone twice: %+v, %v", x, err)
	}
	if got := acts(t, s, a.ID); !slices.Equal(got, []string{"raised", "dismissed", "commented", "undone"}) {
		t.Errorf("history %v", got)
	}
	_, err = s.AlertHistory(ctx, "week/all/1999-01-04")
	wantKind(t, err, dtm.NotFound)

	// What is not found any more is cleared; decided ones keep what was decided. What
	// returns is raised anew, whatever was decided before.
	_, err = s.DecideAlerts(amina, dtm.AlertDecision{IDs: []string{c.ID}, State: dtm.FlagConfirmed, Note: "the road from Mille"})
	must(t, err)
	if got := look(b); got != [2]int{0, 2} || one(a.ID).State != dtm.FlagCleared || one(c.ID).State != dtm.FlagConfirmed || one(c.ID).Holds {
		t.Errorf("cleared: %v, %+v, %+v", got, one(a.ID), one(c.ID))
	}
	last = len(allEvents(t, s))
	if got := look(b); got != [2]int{} || len(allEvents(t, s)) != last {
		t.Errorf("cleared twice: %v", got)
	}
	must(t, s.Close())
	s = d.openAt(t, place)
	if got := look(a, b, c); got != [2]int{2, 0} || one(a.ID).State != dtm.FlagOpen || one(c.ID).State != dtm.FlagOpen || one(c.ID).Times != 2 || one(c.ID).Note != "" {
		t.Errorf("returned: %v, %+v", got, one(c.ID))
	}
	list, err := s.Alerts(ctx, dtm.AlertFilter{States: []string{dtm.FlagOpen}, Since: week(1)})
	must(t, err)
	if len(list) != 2 || list[0].ID != b.ID || list[1].ID != c.ID {
		t.Errorf("filtered: %+v", list)
	}
	want := []string{"alert.raised", "alert.raised", "alert.raised", "alert.dismissed", "alert.dismissed", "alert.commented", "alert.reopened", "alert.undone", "alert.confirmed", "alert.cleared", "alert.cleared", "alert.raised", "alert.raised"}
	if got := names(allEvents(t, s)); !slices.Equal(got, want) {
		t.Errorf("events %v", got)
	}
	must(t, s.Verify(ctx))
}

// silentAlerts: silent points are in the same inbox, and both ways to decide see the
// same.
func silentAlerts(t *testing.T, d Dialect) {
	s, _ := d.open(t)
	day := time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC)
	x := dtm.Silence{Point: "obock", Day: day, Due: day.Add(16 * time.Hour)}
	raised, err := s.RaiseSilence(ctx, x)
	must(t, err)
	id := x.Alert().ID
	list, err := s.Alerts(ctx, dtm.AlertFilter{})
	must(t, err)
	if !raised || len(list) != 1 || list[0].ID != id || list[0].Kind != dtm.AlertSilent || list[0].Key != "obock" || !list[0].Due.Equal(x.Due) || list[0].State != dtm.FlagOpen {
		t.Fatalf("inbox %+v", list)
	}
	// A look at counts does not touch it.
	if _, cleared, err := s.RaiseAlerts(ctx, "day", day, day.AddDate(0, 0, 1), nil); err != nil || cleared != 0 {
		t.Errorf("cleared by a look at counts: %d, %v", cleared, err)
	}
	done, err := s.DecideAlerts(event.WithActor(ctx, "user:m@example.org"), dtm.AlertDecision{IDs: []string{id}, State: dtm.FlagDismissed, Reason: "no_access"})
	must(t, err)
	silences, err := s.Silences(ctx, day)
	must(t, err)
	if len(silences) != 1 || silences[0].Ended == nil || silences[0].Reason != "no_access" || silences[0].By != "user:m@example.org" {
		t.Errorf("dismissed in the inbox: %+v", silences)
	}
	wantKind(t, s.EndSilence(ctx, x, ""), dtm.Conflict)
	if u, err := s.UndoAlerts(event.WithActor(ctx, "user:m@example.org"), done.First, done.Last); err != nil || u.Alerts != 1 {
		t.Errorf("undone: %+v, %v", u, err)
	}
	// Confirmed: somebody knows. It ends when records come.
	_, err = s.DecideAlerts(ctx, dtm.AlertDecision{IDs: []string{id}, State: dtm.FlagConfirmed})
	must(t, err)
	if silences, err = s.Silences(ctx, day.AddDate(0, 0, 9)); err != nil || len(silences) != 1 || silences[0].Ended != nil {
		t.Errorf("confirmed: %+v, %v", silences, err)
	}
	must(t, s.EndSilence(ctx, x, ""))
	if list, err = s.Alerts(ctx, dtm.AlertFilter{States: []string{dtm.FlagCleared}}); err != nil || len(list) != 1 {
		t.Errorf("ended: %+v, %v", list, err)
	}
	if got := acts(t, s, id); !slices.Equal(got, []string{"raised", "dismissed", "undone", "confirmed", "cleared"}) {
		t.Errorf("history %v", got)
	}
	if got := names(allEvents(t, s)); !slices.Equal(got, []string{"silence.raised", "silence.dismissed", "alert.undone", "alert.confirmed", "silence.broken"}) {
		t.Errorf("events %v", got)
	}
}
