package dtm

import (
	"context"
	"strings"
	"time"
)

// Names of the events of silent points. The subject is the silence's id.
const (
	SilenceRaised    = "silence.raised"    // a planned day of a point ended and nothing had come
	SilenceBroken    = "silence.broken"    // records of that day came after all
	SilenceDismissed = "silence.dismissed" // somebody said why there are none
)

// Silence is an alert: a point of which a planned day brought nothing. It is raised
// once for a point and day, and ends when records come or when it is dismissed.
type Silence struct {
	Point  string
	Day    time.Time
	Due    time.Time // when its records should have come at the latest
	Seq    int64     // of the event that raised it
	Raised time.Time
	Ended  *time.Time
	By     string // who ended it
	Reason string // why it was dismissed; "" when records came
}

// ID is how the log names it: "obock/2026-11-28".
func (s Silence) ID() string { return s.Point + "/" + s.Day.Format(time.DateOnly) }

// ParseSilence reads an id: Invalid.
func ParseSilence(id string) (Silence, error) {
	point, day, ok := strings.Cut(id, "/")
	d, err := time.Parse(time.DateOnly, day)
	if !ok || err != nil || point == "" {
		return Silence{}, Errorf(Invalid, "%q is no alert; write POINT/DAY, for example obock/2026-11-28", id).Coded("silence.id", id)
	}
	return Silence{Point: point, Day: d}, nil
}

// Silences keeps the alerts about silent points.
type Silences interface {
	// Silences lists those raised for days from since on, the newest first; open ones
	// whatever their day.
	Silences(ctx context.Context, since time.Time) ([]Silence, error)
	// RaiseSilence records an alert unless the point and day have had one; it tells
	// whether they had not.
	RaiseSilence(ctx context.Context, s Silence) (bool, error)
	// EndSilence ends an open alert, reason "" because records came: NotFound when it
	// was never raised, Conflict when it has ended.
	EndSilence(ctx context.Context, s Silence, reason string) error
}
