package relational

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"dtm"
	"dtm/event"
)

var _ dtm.Alerts = (*DB)(nil)

// What becomes of an alert.
const (
	alertRaised    = "raised"
	alertCleared   = "cleared"
	alertCommented = "commented"
	alertReopened  = "reopened"
	alertUndone    = "undone"
)

var alertEvents = map[string]string{
	alertRaised: dtm.AlertRaised, alertCleared: dtm.AlertCleared, dtm.FlagConfirmed: dtm.AlertConfirmed, dtm.FlagDismissed: dtm.AlertDismissed,
	alertCommented: dtm.AlertCommented, alertReopened: dtm.AlertReopened, alertUndone: dtm.AlertUndone,
}

var silenceEvents = map[string]string{alertRaised: dtm.SilenceRaised, alertCleared: dtm.SilenceBroken, dtm.FlagDismissed: dtm.SilenceDismissed}

type alertDetail struct {
	From   string `json:"from,omitempty"`
	To     string `json:"to,omitempty"`
	Code   string `json:"code,omitempty"`
	Due    string `json:"due,omitempty"`
	Reason string `json:"reason,omitempty"`
}

const alertColumns = `
	a.id, a.kind, a.step, a.series_by, a.series_key, a.day, a.observed, a.expected, a.bound, a.method, a.effects, a.due,
	a.state, a.reason, a.note, a.holds, a.times, a.raised, a.seq, a.changed, a.actor`

func scanAlert(scan func(...any) error) (dtm.Alert, error) {
	var a dtm.Alert
	var day, effects, due, raised, changed string
	err := scan(&a.ID, &a.Kind, &a.Step, &a.By, &a.Key, &day, &a.Observed, &a.Expected, &a.Bound, &a.Method, &effects, &due,
		&a.State, &a.Reason, &a.Note, &a.Holds, &a.Times, &raised, &a.Seq, &changed, &a.Actor)
	if err == nil {
		a.Day, err = time.Parse(time.DateOnly, day)
	}
	if err == nil {
		err = json.Unmarshal([]byte(effects), &a.Effects)
	}
	if err == nil && due != "" {
		a.Due, err = textTime(due)
	}
	if err == nil {
		a.Raised, err = textTime(raised)
	}
	if err == nil {
		a.Changed, err = textTime(changed)
	}
	return a, err
}

// Alerts lists alerts, the latest day first.
func (db *DB) Alerts(ctx context.Context, f dtm.AlertFilter) ([]dtm.Alert, error) {
	const op = "store.Alerts"
	where, args := `a.operation = $1`, []any{db.operation}
	in := func(column string, list []string) {
		var places []string
		for _, x := range list {
			args = append(args, x)
			places = append(places, fmt.Sprintf("$%d", len(args)))
		}
		where += ` AND ` + column + ` IN (` + strings.Join(places, ", ") + `)`
	}
	if len(f.States) > 0 {
		in("a.state", f.States)
	}
	if len(f.IDs) > 0 {
		in("a.id", f.IDs)
	}
	if !f.Since.IsZero() {
		args = append(args, f.Since.Format(time.DateOnly))
		where += fmt.Sprintf(` AND a.day >= $%d`, len(args))
	}
	rows, err := db.read.QueryContext(ctx, `
		SELECT`+alertColumns+`
		FROM alert a
		WHERE `+where+`
		ORDER BY a.day DESC, a.seq DESC, a.id`, args...)
	if err != nil {
		return nil, failure(op, err)
	}
	defer rows.Close()
	var list []dtm.Alert
	for rows.Next() {
		a, err := scanAlert(rows.Scan)
		if err != nil {
			return nil, failure(op, err)
		}
		list = append(list, a)
	}
	return list, failure(op, rows.Err())
}

// AlertHistory lists the entries of an alert, oldest first: NotFound.
func (db *DB) AlertHistory(ctx context.Context, id string) ([]dtm.AlertEntry, error) {
	const op = "store.AlertHistory"
	rows, err := db.read.QueryContext(ctx, `
		SELECT seq, act, state, actor, at, reason, note
		FROM alert_entry
		WHERE operation = $1 AND alert = $2
		ORDER BY seq`, db.operation, id)
	if err != nil {
		return nil, failure(op, err)
	}
	defer rows.Close()
	var list []dtm.AlertEntry
	for rows.Next() {
		var e dtm.AlertEntry
		var at string
		err := rows.Scan(&e.Seq, &e.Act, &e.State, &e.Actor, &at, &e.Reason, &e.Note)
		if err == nil {
			e.At, err = textTime(at)
		}
		if err != nil {
			return nil, failure(op, err)
		}
		list = append(list, e)
	}
	if err := rows.Err(); err != nil {
		return nil, failure(op, err)
	}
	if len(list) == 0 {
		return nil, noAlert(id)
	}
	return list, nil
}

func noAlert(id string) error {
	return dtm.Errorf(dtm.NotFound, "there is no alert %q; `dtm alert list` shows them", id).Coded("alert.none", id)
}

// alert reads one; ID is "" when there is none.
func (t *tx) alert(id string) (dtm.Alert, error) {
	list, err := t.alerts(`a.id = $2`, id)
	if err != nil || len(list) == 0 {
		return dtm.Alert{}, err
	}
	return list[0], nil
}

func (t *tx) alerts(where string, args ...any) ([]dtm.Alert, error) {
	s, err := t.stmt(t.ctx, `SELECT`+alertColumns+` FROM alert a WHERE a.operation = $1 AND `+where)
	if err != nil {
		return nil, err
	}
	rows, err := s.QueryContext(t.ctx, append([]any{t.db.operation}, args...)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []dtm.Alert
	for rows.Next() {
		a, err := scanAlert(rows.Scan)
		if err != nil {
			return nil, err
		}
		list = append(list, a)
	}
	return list, rows.Err()
}

// keep writes an alert as it is.
func (t *tx) keepAlert(a dtm.Alert) error {
	due := ""
	if !a.Due.IsZero() {
		due = timeText(a.Due)
	}
	if a.Effects == nil {
		a.Effects = []string{}
	}
	return t.exec(`
		INSERT INTO alert (operation, id, kind, step, series_by, series_key, day, observed, expected, bound, method, effects, due, state, reason, note, holds, times, raised, seq, changed, actor)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)
		ON CONFLICT (operation, id) DO UPDATE SET
		  observed = excluded.observed, expected = excluded.expected, bound = excluded.bound, method = excluded.method, effects = excluded.effects,
		  state = excluded.state, reason = excluded.reason, note = excluded.note, holds = excluded.holds, times = excluded.times,
		  raised = excluded.raised, seq = excluded.seq, changed = excluded.changed, actor = excluded.actor`,
		t.db.operation, a.ID, a.Kind, a.Step, a.By, a.Key, a.Day.Format(time.DateOnly), a.Observed, a.Expected, a.Bound, a.Method, jsonText(a.Effects), due,
		a.State, a.Reason, a.Note, a.Holds, a.Times, timeText(a.Raised), a.Seq, timeText(a.Changed), a.Actor)
}

// actOn records what became of an alert. What it is from now on is in a; was is what it
// was. The entry carries reason and note of the act.
func (t *tx) actOn(a, was dtm.Alert, act, actor, reason, note string) (int64, error) {
	name, subject := alertEvents[act], a.ID
	if a.Kind == dtm.AlertSilent && silenceEvents[act] != "" {
		name, subject = silenceEvents[act], strings.TrimPrefix(a.ID, dtm.AlertSilent+"/")
	}
	d := alertDetail{From: was.State, To: a.State, Code: reason}
	if a.State == was.State {
		d.From, d.To = "", ""
	}
	if a.Kind == dtm.AlertSilent {
		d.Reason = note
		if act == alertRaised {
			d.Due = timeText(a.Due)
		}
	}
	if act == alertCommented {
		d.Reason = ""
	}
	seq, err := t.log(name, subject, actor, jsonText(d))
	if err != nil {
		return 0, err
	}
	if a.State != was.State || act == alertRaised {
		a.Changed, a.Actor = t.now, actor
	}
	if act == alertRaised {
		a.Raised, a.Seq = t.now, seq
	}
	if err := t.keepAlert(a); err != nil {
		return 0, err
	}
	return seq, t.exec(`
		INSERT INTO alert_entry (operation, alert, seq, act, state, actor, at, reason, note, was_state, was_reason, was_note)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		t.db.operation, a.ID, seq, act, a.State, actor, timeText(t.now), reason, note, was.State, was.Reason, was.Note)
}

// raiseAlert raises one that is new or that did not hold.
func (t *tx) raiseAlert(a, was dtm.Alert, note, actor string) error {
	a.State, a.Reason, a.Note, a.Holds, a.Times = dtm.FlagOpen, "", "", true, was.Times+1
	_, err := t.actOn(a, was, alertRaised, actor, "", note)
	return err
}

// RaiseAlerts keeps what a look at counts found.
func (db *DB) RaiseAlerts(ctx context.Context, step string, from, to time.Time, found []dtm.Alert) (raised, cleared int, err error) {
	for _, a := range found {
		if a.Kind != dtm.AlertCount || a.Step != step || a.ID == "" || a.Day.Before(from) || !a.Day.Before(to) {
			return 0, 0, dtm.Errorf(dtm.Internal, "alert %q is not of a %s within the days looked at", a.ID, step)
		}
	}
	err = db.update(ctx, "store.RaiseAlerts", func(t *tx) error {
		raised, cleared = 0, 0
		actor := event.Actor(ctx)
		list, err := t.alerts(`a.kind = 'count' AND a.step = $2 AND a.day >= $3 AND a.day < $4`, step, from.Format(time.DateOnly), to.Format(time.DateOnly))
		if err != nil {
			return err
		}
		known := map[string]dtm.Alert{}
		for _, a := range list {
			known[a.ID] = a
		}
		for _, f := range found {
			was := known[f.ID]
			delete(known, f.ID)
			if was.ID == "" || !was.Holds {
				raised++
				if err := t.raiseAlert(f, was, fmt.Sprintf("%.0f > %.0f", f.Observed, f.Bound), actor); err != nil {
					return err
				}
				continue
			}
			if was.Observed == f.Observed && was.Expected == f.Expected && was.Bound == f.Bound && was.Method == f.Method {
				continue
			}
			now := was
			now.Observed, now.Expected, now.Bound, now.Method, now.Effects = f.Observed, f.Expected, f.Bound, f.Method, f.Effects
			if err := t.keepAlert(now); err != nil {
				return err
			}
		}
		for _, was := range list {
			if _, left := known[was.ID]; !left || !was.Holds {
				continue
			}
			cleared++
			now := was
			now.Holds = false
			if now.State == dtm.FlagOpen {
				now.State = dtm.FlagCleared
			}
			if _, err := t.actOn(now, was, alertCleared, actor, "", ""); err != nil {
				return err
			}
		}
		return nil
	})
	return raised, cleared, err
}

// DecideAlerts gives alerts a state.
func (db *DB) DecideAlerts(ctx context.Context, d dtm.AlertDecision) (dtm.AlertsDone, error) {
	var done dtm.AlertsDone
	err := db.update(ctx, "store.DecideAlerts", func(t *tx) error {
		done = dtm.AlertsDone{}
		actor := event.Actor(ctx)
		for _, id := range d.IDs {
			was, err := t.alert(id)
			if err != nil {
				return err
			}
			if was.ID == "" {
				return noAlert(id)
			}
			if err := d.Check(was.Kind); err != nil {
				return err
			}
			decided := was.State == dtm.FlagConfirmed || was.State == dtm.FlagDismissed
			if d.State == dtm.FlagOpen && !decided || d.State != dtm.FlagOpen && was.State != dtm.FlagOpen {
				done.Passed++
				continue
			}
			now, act := was, d.State
			now.State, now.Reason, now.Note = d.State, "", strings.TrimSpace(d.Note)
			if d.State == dtm.FlagDismissed {
				now.Reason = d.Reason
			}
			if d.State == dtm.FlagOpen {
				act = alertReopened
			}
			seq, err := t.actOn(now, was, act, actor, now.Reason, now.Note)
			if err != nil {
				return err
			}
			if done.First == 0 {
				done.First = seq
			}
			done.Last = seq
			done.Alerts++
		}
		return nil
	})
	if err != nil {
		return dtm.AlertsDone{}, err
	}
	return done, nil
}

// CommentAlert keeps what somebody wrote.
func (db *DB) CommentAlert(ctx context.Context, id, text string) error {
	text = strings.TrimSpace(text)
	if text == "" {
		return dtm.Errorf(dtm.Invalid, "the comment is empty").Coded("alert.comment")
	}
	return db.update(ctx, "store.CommentAlert", func(t *tx) error {
		a, err := t.alert(id)
		if err != nil {
			return err
		}
		if a.ID == "" {
			return noAlert(id)
		}
		_, err = t.actOn(a, a, alertCommented, event.Actor(ctx), "", text)
		return err
	})
}

// UndoAlerts takes back what the actor decided in the events from first to last.
func (db *DB) UndoAlerts(ctx context.Context, first, last int64) (dtm.AlertsDone, error) {
	var done dtm.AlertsDone
	err := db.update(ctx, "store.UndoAlerts", func(t *tx) error {
		done = dtm.AlertsDone{}
		actor := event.Actor(ctx)
		list, err := t.undoable(first, last, actor)
		if err != nil {
			return err
		}
		for _, u := range list {
			was, err := t.alert(u.alert)
			if err != nil {
				return err
			}
			if u.later {
				done.Passed++
				continue
			}
			now := was
			now.State, now.Reason, now.Note = u.state, u.reason, u.note
			if !now.Holds && now.State == dtm.FlagOpen && now.Kind == dtm.AlertCount {
				now.State = dtm.FlagCleared // the count is within by now
			}
			seq, err := t.actOn(now, was, alertUndone, actor, "", "")
			if err != nil {
				return err
			}
			if done.First == 0 {
				done.First = seq
			}
			done.Last = seq
			done.Alerts++
		}
		return nil
	})
	if err != nil {
		return dtm.AlertsDone{}, err
	}
	return done, nil
}

type undoneAlert struct {
	alert, state, reason, note string
	later                      bool // somebody has decided anew since
}

func (t *tx) undoable(first, last int64, actor string) ([]undoneAlert, error) {
	s, err := t.stmt(t.ctx, `
		SELECT e.alert, e.was_state, e.was_reason, e.was_note, EXISTS (
			SELECT 1
			FROM alert_entry x
			WHERE x.operation = e.operation AND x.alert = e.alert AND x.seq > e.seq AND x.act NOT IN ('commented', 'cleared'))
		FROM alert_entry e
		WHERE e.operation = $1 AND e.seq >= $2 AND e.seq <= $3 AND e.actor = $4 AND e.act IN ('confirmed', 'dismissed', 'reopened')
		ORDER BY e.seq`)
	if err != nil {
		return nil, err
	}
	rows, err := s.QueryContext(t.ctx, t.db.operation, first, last, actor)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []undoneAlert
	for rows.Next() {
		var u undoneAlert
		if err := rows.Scan(&u.alert, &u.state, &u.reason, &u.note, &u.later); err != nil {
			return nil, err
		}
		list = append(list, u)
	}
	return list, rows.Err()
}
