package dtm

import (
	"context"
	"slices"
	"strings"
	"time"
)

// Names of the events of alerts about counts. The subject is the alert's id. Alerts
// about silent points are raised and ended by the events in silence.go.
const (
	AlertRaised    = "alert.raised"    // a count left its expected range, or did so anew
	AlertCleared   = "alert.cleared"   // it is within by now: records were added, corrected or rejected
	AlertConfirmed = "alert.confirmed" // somebody says that it is real
	AlertDismissed = "alert.dismissed" // somebody says why it is none
	AlertReopened  = "alert.reopened"
	AlertCommented = "alert.commented"
	AlertUndone    = "alert.undone"
)

// Kinds of alerts.
const (
	AlertCount  = "count"  // a count left its expected range
	AlertSilent = "silent" // a planned day of a point brought nothing
)

// AlertReasons are the codes of why an alert is dismissed, by kind.
var AlertReasons = map[string][]string{
	AlertCount:  {"calendar", "known_event", "more_observed", "data_error", "by_chance", "other"},
	AlertSilent: {"closed", "no_access", "nobody_passed", "device", "other"},
}

// Alert is a signal with its fate. Its states are those of a flag: FlagOpen,
// FlagCleared, FlagConfirmed, FlagDismissed.
type Alert struct {
	ID   string // "week/point:obock/2026-11-16", "silent/obock/2026-11-28"
	Kind string
	Step string    // "day", "week" or "month" that it is about
	By   string    // what Key is a code of: "" (all points), "point", "route"
	Key  string    // code
	Day  time.Time // first of the step

	// Of a count: as it was last looked at.
	Observed, Expected, Bound float64
	Method                    string
	Effects                   []string // of the calendar

	Due time.Time // of a silent point: when its records should have come

	State   string
	Reason  string // code of why it was dismissed
	Note    string // what was said with the decision
	Holds   bool   // found by the last look
	Times   int    // how often it was raised: it may end and return
	Raised  time.Time
	Seq     int64     // of the event that raised it last
	Changed time.Time // when it got its state
	Actor   string    // and from whom
}

// Ended tells whether nothing is left to be done about it.
func (a Alert) Ended() bool { return a.State == FlagCleared || a.State == FlagDismissed }

// AlertID names an alert about a count: AlertID("week", "point", "obock", day).
func AlertID(step, by, key string, day time.Time) string {
	series := "all"
	if by != "" {
		series = by + ":" + key
	}
	return step + "/" + series + "/" + day.Format(time.DateOnly)
}

// Alert is the silence as the inbox holds it.
func (s Silence) Alert() Alert {
	return Alert{ID: AlertSilent + "/" + s.ID(), Kind: AlertSilent, Step: "day", By: "point", Key: s.Point, Day: s.Day, Due: s.Due}
}

// AlertEntry is one line of an alert's history.
type AlertEntry struct {
	Seq    int64
	Act    string // raised, cleared, confirmed, dismissed, reopened, commented, undone
	State  string // that it has since
	Actor  string
	At     time.Time
	Reason string
	Note   string // of a raising: what was counted, "120 > 85"
}

// AlertFilter narrows a list; zero values mean any.
type AlertFilter struct {
	States []string
	Since  time.Time // about days from then on
	IDs    []string
}

// AlertDecision is what a person makes of alerts.
type AlertDecision struct {
	IDs    []string
	State  string // FlagConfirmed, FlagDismissed; FlagOpen takes either back
	Reason string // a code of AlertReasons, of dismissed ones
	Note   string // demanded with the reason "other"
}

// Check says what is wrong with a decision about alerts of a kind: Invalid.
func (d AlertDecision) Check(kind string) error {
	switch d.State {
	case FlagConfirmed, FlagOpen:
		return nil
	case FlagDismissed:
	default:
		return Errorf(Invalid, "an alert is confirmed, dismissed or opened again, not %q", d.State).Coded("alert.state", d.State)
	}
	if !slices.Contains(AlertReasons[kind], d.Reason) {
		return Errorf(Invalid, "why is it dismissed? One of %s", strings.Join(AlertReasons[kind], ", ")).Coded("alert.reason")
	}
	if d.Reason == "other" && strings.TrimSpace(d.Note) == "" {
		return Errorf(Invalid, "write what the other reason is").Coded("alert.note")
	}
	return nil
}

// AlertsDone is what a decision changed: the events that tell, by which it can be
// undone.
type AlertsDone struct {
	First, Last int64 // 0: nothing changed
	Alerts      int
	Passed      int // that had another state meanwhile
}

// Alerts keeps signals and what people made of them.
type Alerts interface {
	// RaiseAlerts keeps what a look at the counts of a step on days within [from, to)
	// found. What is there already is not raised again, whatever was decided of it; what
	// was not found by the last look and is now is raised anew. Those of these days that
	// are not found any more do not hold; open ones are cleared.
	RaiseAlerts(ctx context.Context, step string, from, to time.Time, found []Alert) (raised, cleared int, err error)
	// Alerts lists alerts, the latest day first.
	Alerts(ctx context.Context, f AlertFilter) ([]Alert, error)
	// AlertHistory lists the entries of an alert, oldest first: NotFound.
	AlertHistory(ctx context.Context, id string) ([]AlertEntry, error)
	// DecideAlerts: NotFound, and Invalid as AlertDecision.Check says. Alerts that are
	// not open, or to be opened are, are passed over.
	DecideAlerts(ctx context.Context, d AlertDecision) (AlertsDone, error)
	// CommentAlert keeps what somebody wrote: NotFound; Invalid when it is empty.
	CommentAlert(ctx context.Context, id, text string) error
	// UndoAlerts takes back what this actor decided in the events from first to last, as
	// far as nobody has decided anew since.
	UndoAlerts(ctx context.Context, first, last int64) (AlertsDone, error)
}
