package sqlite

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"dtm"
	"dtm/event"
)

var _ dtm.Silences = (*DB)(nil)

type silenceDetail struct {
	Due    string `json:"due,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// Silences lists the alerts for days from since on, and the open ones, the newest
// first.
func (db *DB) Silences(ctx context.Context, since time.Time) ([]dtm.Silence, error) {
	const op = "sqlite.Silences"
	rows, err := db.read.QueryContext(ctx, `
		SELECT seq, at, name, subject, actor, detail
		FROM event
		WHERE operation = $1 AND name >= 'silence.' AND name < 'silence/'
		ORDER BY subject, seq`, db.operation)
	if err != nil {
		return nil, failure(op, err)
	}
	defer rows.Close()
	var list []dtm.Silence
	for rows.Next() {
		var seq int64
		var at, name, subject, actor, detail string
		if err := rows.Scan(&seq, &at, &name, &subject, &actor, &detail); err != nil {
			return nil, failure(op, err)
		}
		when, err := textTime(at)
		if err != nil {
			return nil, failure(op, err)
		}
		var d silenceDetail
		if err := json.Unmarshal([]byte(detail), &d); err != nil {
			return nil, failure(op, err)
		}
		if name == dtm.SilenceRaised {
			s, err := dtm.ParseSilence(subject)
			if err == nil {
				s.Due, err = textTime(d.Due)
			}
			if err != nil {
				return nil, failure(op, err)
			}
			s.Seq, s.Raised = seq, when
			list = append(list, s)
			continue
		}
		s := &list[len(list)-1] // its raising comes before, under the same subject
		s.Ended, s.By, s.Reason = &when, actor, d.Reason
	}
	if err := rows.Err(); err != nil {
		return nil, failure(op, err)
	}
	list = slices.DeleteFunc(list, func(s dtm.Silence) bool { return s.Ended != nil && s.Day.Before(since) })
	slices.SortFunc(list, func(a, b dtm.Silence) int { return int(b.Seq - a.Seq) })
	return list, nil
}

// RaiseSilence records an alert unless the point and day have had one.
func (db *DB) RaiseSilence(ctx context.Context, s dtm.Silence) (bool, error) {
	raised := false
	err := db.update(ctx, "sqlite.RaiseSilence", func(t *tx) error {
		last, err := t.silence(s.ID())
		if err != nil || last != "" {
			return err
		}
		raised = true
		_, err = t.log(dtm.SilenceRaised, s.ID(), event.Actor(ctx), jsonText(silenceDetail{Due: timeText(s.Due)}))
		return err
	})
	return raised && err == nil, err
}

// EndSilence ends an open alert.
func (db *DB) EndSilence(ctx context.Context, s dtm.Silence, reason string) error {
	return db.update(ctx, "sqlite.EndSilence", func(t *tx) error {
		last, err := t.silence(s.ID())
		switch {
		case err != nil:
			return err
		case last == "":
			return dtm.Errorf(dtm.NotFound, "there is no alert %q; `dtm point silent` lists them", s.ID()).Coded("silence.none", s.ID())
		case last != dtm.SilenceRaised:
			return dtm.Errorf(dtm.Conflict, "the alert %q has ended already", s.ID()).Coded("silence.ended", s.ID())
		}
		name := dtm.SilenceBroken
		if reason != "" {
			name = dtm.SilenceDismissed
		}
		_, err = t.log(name, s.ID(), event.Actor(ctx), jsonText(silenceDetail{Reason: reason}))
		return err
	})
}

// silence is the latest entry about an alert, "" when there is none.
func (t *tx) silence(id string) (name string, err error) {
	_, err = t.row(`
		SELECT name
		FROM event
		WHERE operation = $1 AND subject = $2 AND name >= 'silence.' AND name < 'silence/'
		ORDER BY seq DESC
		LIMIT 1`, []any{t.db.operation, id}, &name)
	return name, err
}
