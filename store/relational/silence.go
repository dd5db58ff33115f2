package relational

import (
	"context"
	"time"

	"dtm"
	"dtm/event"
)

var _ dtm.Silences = (*DB)(nil)

// Silences lists the alerts for days from since on, and the open ones, the newest
// first.
func (db *DB) Silences(ctx context.Context, since time.Time) ([]dtm.Silence, error) {
	const op = "store.Silences"
	rows, err := db.read.QueryContext(ctx, `
		SELECT`+alertColumns+`
		FROM alert a
		WHERE a.operation = $1 AND a.kind = 'silent' AND (a.day >= $2 OR a.state IN ('open', 'confirmed'))
		ORDER BY a.seq DESC`, db.operation, dayText(since))
	if err != nil {
		return nil, failure(op, err)
	}
	defer rows.Close()
	var list []dtm.Silence
	for rows.Next() {
		a, err := scanAlert(rows.Scan)
		if err != nil {
			return nil, failure(op, err)
		}
		list = append(list, silenceOf(a))
	}
	return list, failure(op, rows.Err())
}

func silenceOf(a dtm.Alert) dtm.Silence {
	s := dtm.Silence{Point: a.Key, Day: a.Day, Due: a.Due, Seq: a.Seq, Raised: a.Raised}
	if !a.Ended() {
		return s
	}
	s.Ended, s.By = &a.Changed, a.Actor
	if a.State == dtm.FlagDismissed {
		if s.Reason = a.Note; s.Reason == "" {
			s.Reason = a.Reason
		}
	}
	return s
}

// RaiseSilence records an alert unless the point and day have had one.
func (db *DB) RaiseSilence(ctx context.Context, s dtm.Silence) (bool, error) {
	raised := false
	err := db.update(ctx, "store.RaiseSilence", func(t *tx) error {
		a := s.Alert()
		was, err := t.alert(a.ID)
		if raised = err == nil && was.ID == ""; !raised {
			return err
		}
		return t.raiseAlert(a, was, "", event.Actor(ctx))
	})
	return raised && err == nil, err
}

// EndSilence ends an open alert.
func (db *DB) EndSilence(ctx context.Context, s dtm.Silence, reason string) error {
	return db.update(ctx, "store.EndSilence", func(t *tx) error {
		was, err := t.alert(s.Alert().ID)
		switch {
		case err != nil:
			return err
		case was.ID == "":
			return dtm.Errorf(dtm.NotFound, "there is no alert %q; `dtm point silent` lists them", s.ID()).Coded("silence.none", s.ID())
		case was.Ended():
			return dtm.Errorf(dtm.Conflict, "the alert %q has ended already", s.ID()).Coded("silence.ended", s.ID())
		}
		now, act, code := was, alertCleared, ""
		now.State, now.Holds = dtm.FlagCleared, false
		if reason != "" {
			now.State, act, code = dtm.FlagDismissed, dtm.FlagDismissed, "other"
		}
		now.Reason, now.Note = code, reason
		_, err = t.actOn(now, was, act, event.Actor(ctx), code, reason)
		return err
	})
}
