package relational

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"dtm"
	"dtm/event"
)

var _ dtm.Flags = (*DB)(nil)

// Acts of a flag beside the names of its states.
const (
	actRaised   = "raised"
	actReopened = "reopened"
)

// mostFlags is how many flags one decision is about.
const mostFlags = 1000

const doubt = 1 // severity of a flag of which nothing is said

// Flag replaces the flags of a submission: NotFound. Flags that are there already
// change nothing and make no entry, so that a worker may check twice.
func (db *DB) Flag(ctx context.Context, id string, flags []dtm.Flag) error {
	return db.FlagAt(ctx, id, dtm.FlagPlace{}, flags)
}

// FlagAt is Flag with where and how heavy. A flag that a person has decided stays
// decided when its rule finds it again. One that is not found any more is cleared;
// confirmed, when a correction was made.
func (db *DB) FlagAt(ctx context.Context, id string, at dtm.FlagPlace, flags []dtm.Flag) error {
	text := listText(flags)
	return db.update(ctx, "store.Flag", func(t *tx) error {
		var state, old string
		var corrections int
		found, err := t.row(`
			SELECT state, flags, corrections
			FROM submission
			WHERE operation = $1 AND id = $2`, []any{t.db.operation, id}, &state, &old, &corrections)
		switch {
		case err != nil:
			return err
		case !found:
			return noSubmission(id)
		case old == text:
			return nil
		}
		actor := event.Actor(ctx)
		seq, err := t.log(dtm.SubmissionFlagged, id, actor, jsonText(map[string]any{"rules": rules(flags)}))
		if err != nil {
			return err
		}
		known, err := t.flagsOf(id)
		if err != nil {
			return err
		}
		seen := map[string]bool{}
		for _, f := range flags {
			r := dtm.Raised{ID: flagID(id, f), Rule: f.Rule, Severity: doubt, Submission: id, Point: at.Point, Day: at.Day, Path: f.Path, Note: f.Note}
			if at.Severity != nil {
				r.Severity = at.Severity(f.Rule)
			}
			if seen[r.ID] {
				continue
			}
			seen[r.ID] = true
			if state == stateSuperseded {
				continue
			}
			if err := t.raise(seq, actor, r, known[r.ID]); err != nil {
				return err
			}
		}
		gone := dtm.FlagCleared
		if corrections > 0 {
			gone = dtm.FlagConfirmed
		}
		open := 0
		for flag, k := range known {
			if k.State == dtm.FlagOpen && !seen[flag] && k.Other == "" && k.Subject == "" {
				if err := t.act(seq, k, gone, gone, actor, ""); err != nil {
					return err
				}
			}
		}
		if open, err = t.openFlags(id); err != nil {
			return err
		}
		if state == stateReceived || state == stateFlagged {
			state = stateReceived
			if open > 0 {
				state = stateFlagged
			}
		}
		return t.exec(`
			UPDATE submission
			SET flags = $3, state = $4
			WHERE operation = $1 AND id = $2`, t.db.operation, id, text, state)
	})
}

// flagID names a flag: one of a rule at a place of a submission.
func flagID(submission string, f dtm.Flag) string { return f.Rule + "|" + submission + "|" + f.Path }

func (t *tx) openFlags(submission string) (n int, err error) {
	_, err = t.row(`
		SELECT count(*)
		FROM flag INDEXED BY flag_submission
		WHERE operation = $1 AND submission = $2 AND state = 'open'`, []any{t.db.operation, submission}, &n)
	return n, err
}

// raise keeps a flag that a rule found; was is what stood under its id, nil: nothing.
func (t *tx) raise(seq int64, actor string, r dtm.Raised, was *dtm.Raised) error {
	if was != nil {
		if was.State != dtm.FlagCleared {
			return nil
		}
		if err := t.exec(`
			UPDATE flag
			SET note = $3
			WHERE operation = $1 AND id = $2`, t.db.operation, r.ID, r.Note); err != nil {
			return err
		}
		return t.act(seq, was, actRaised, dtm.FlagOpen, actor, "")
	}
	if err := t.exec(`
		INSERT INTO flag (operation, id, rule, severity, submission, subject, point, day, path, note, other, state, raised, changed)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'open', $12, $12)`,
		t.db.operation, r.ID, r.Rule, r.Severity, r.Submission, r.Subject, r.Point, dayText(r.Day), r.Path, r.Note, r.Other, seq); err != nil {
		return err
	}
	if err := t.tell(seq, r.ID, actRaised, actor, ""); err != nil {
		return err
	}
	return t.count(dtm.FlagOpen, &r, 1)
}

// act gives a flag a state and tells it.
func (t *tx) act(seq int64, f *dtm.Raised, act, state, actor, why string) error {
	if err := t.exec(`
		UPDATE flag
		SET state = $3, changed = $4
		WHERE operation = $1 AND id = $2`, t.db.operation, f.ID, state, seq); err != nil {
		return err
	}
	if err := t.tell(seq, f.ID, act, actor, why); err != nil {
		return err
	}
	if err := t.count(f.State, f, -1); err != nil {
		return err
	}
	return t.count(state, f, 1)
}

func (t *tx) tell(seq int64, flag, act, actor, why string) error {
	return t.exec(`
		INSERT INTO flag_entry (operation, seq, flag, act, actor, at, why)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`, t.db.operation, seq, flag, act, actor, timeText(t.now), why)
}

func (t *tx) count(state string, f *dtm.Raised, by int) error {
	return t.exec(`
		INSERT INTO flag_count (operation, state, severity, rule, point, n)
		VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (operation, state, severity, rule, point) DO UPDATE SET n = flag_count.n + excluded.n`,
		t.db.operation, state, f.Severity, f.Rule, f.Point, by)
}

const flagColumns = `
	f.id, f.rule, f.severity, f.submission, f.subject, f.point, f.day, f.path, f.note, f.other, f.state, f.raised, f.changed`

func scanFlag(scan func(...any) error) (dtm.Raised, error) {
	var r dtm.Raised
	var day string
	err := scan(&r.ID, &r.Rule, &r.Severity, &r.Submission, &r.Subject, &r.Point, &day, &r.Path, &r.Note, &r.Other, &r.State, &r.Seq, &r.Changed)
	if err == nil && day != "" {
		r.Day, err = time.Parse(time.DateOnly, day)
	}
	return r, err
}

func dayText(d time.Time) string {
	if d.IsZero() {
		return ""
	}
	return d.Format(time.DateOnly)
}

// flagsOf are those of a submission by id.
func (t *tx) flagsOf(submission string) (map[string]*dtm.Raised, error) {
	return t.flags(`INDEXED BY flag_submission`, `f.submission = $2`, submission)
}

// flags are those of a condition by id. index is for SQLite's planner, which without
// it takes an operation to have ten flags and reads them all.
func (t *tx) flags(index, where string, args ...any) (map[string]*dtm.Raised, error) {
	s, err := t.stmt(t.ctx, `SELECT`+flagColumns+` FROM flag f `+index+` WHERE f.operation = $1 AND `+where)
	if err != nil {
		return nil, err
	}
	rows, err := s.QueryContext(t.ctx, append([]any{t.db.operation}, args...)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[string]*dtm.Raised{}
	for rows.Next() {
		r, err := scanFlag(rows.Scan)
		if err != nil {
			return nil, err
		}
		out[r.ID] = &r
	}
	return out, rows.Err()
}

// RaiseSeries keeps what rules over series found, in one entry of the log, and none
// when nothing is new. A flag about a submission counts among the submission's.
func (db *DB) RaiseSeries(ctx context.Context, list []string, from, to time.Time, found []dtm.Raised) (raised, cleared int, err error) {
	return db.raiseAll(ctx, "store.RaiseSeries", "", list, from, to, found)
}

// RaiseHistory is RaiseSeries among the flags that are of no submission.
func (db *DB) RaiseHistory(ctx context.Context, list []string, from, to time.Time, found []dtm.Raised) (raised, cleared int, err error) {
	return db.raiseAll(ctx, "store.RaiseHistory", ` AND f.submission = ''`, list, from, to, found)
}

func (db *DB) raiseAll(ctx context.Context, op, among string, list []string, from, to time.Time, found []dtm.Raised) (raised, cleared int, err error) {
	err = db.update(ctx, op, func(t *tx) error {
		raised, cleared = 0, 0
		known := map[string]*dtm.Raised{}
		for _, rule := range list {
			for _, state := range []string{dtm.FlagOpen, dtm.FlagCleared, dtm.FlagConfirmed, dtm.FlagDismissed} {
				m, err := t.flags(`INDEXED BY flag_rule`, `f.state = $2 AND f.rule = $3 AND f.day >= $4 AND f.day < $5`+among, state, rule, dayText(from), dayText(to))
				if err != nil {
					return err
				}
				for id, k := range m {
					known[id] = k
				}
			}
		}
		seen := map[string]bool{}
		var fresh []dtm.Raised
		for _, r := range found {
			if !seen[r.ID] && (known[r.ID] == nil || known[r.ID].State == dtm.FlagCleared) {
				fresh = append(fresh, r)
			}
			seen[r.ID] = true
		}
		var gone []*dtm.Raised
		for id, k := range known {
			if k.State == dtm.FlagOpen && !seen[id] {
				gone = append(gone, k)
			}
		}
		if len(fresh)+len(gone) == 0 {
			return nil
		}
		slices.SortFunc(gone, func(a, b *dtm.Raised) int { return strings.Compare(a.ID, b.ID) })
		raised, cleared = len(fresh), len(gone)
		actor := event.Actor(ctx)
		seq, err := t.log(dtm.FlagsRaised, dayText(from), actor, jsonText(map[string]any{"raised": raised, "cleared": cleared, "to": dayText(to)}))
		if err != nil {
			return err
		}
		touched := map[string]bool{}
		for i := range fresh {
			if err := t.raise(seq, actor, fresh[i], known[fresh[i].ID]); err != nil {
				return err
			}
			touched[fresh[i].Submission] = true
		}
		for _, k := range gone {
			if err := t.act(seq, k, dtm.FlagCleared, dtm.FlagCleared, actor, ""); err != nil {
				return err
			}
			touched[k.Submission] = true
		}
		delete(touched, "")
		for id := range touched {
			n, err := t.openFlags(id)
			if err != nil {
				return err
			}
			from, to := stateReceived, stateFlagged
			if n == 0 {
				from, to = stateFlagged, stateReceived
			}
			if err := t.exec(`
				UPDATE submission
				SET state = $3
				WHERE operation = $1 AND id = $2 AND state = $4`, t.db.operation, id, to, from); err != nil {
				return err
			}
		}
		return nil
	})
	return raised, cleared, err
}

// Queue lists flags, the heaviest first, then by point, then the oldest.
func (db *DB) Queue(ctx context.Context, f dtm.FlagFilter) ([]dtm.Raised, error) {
	const op = "store.Queue"
	where, args, index := []string{"f.operation = $1"}, []any{db.operation}, ""
	bound := func(condition string, v ...any) {
		for _, x := range v {
			args = append(args, x)
			condition = strings.Replace(condition, "?", "$"+strconv.Itoa(len(args)), 1)
		}
		where = append(where, condition)
	}
	switch {
	case f.Submission != "":
		index = "INDEXED BY flag_submission"
		bound("f.submission = ?", f.Submission)
		if f.State != "" {
			bound("f.state = ?", f.State)
		}
	case f.State == "":
		bound("f.state = ?", dtm.FlagOpen)
	default:
		bound("f.state = ?", f.State)
	}
	if f.Month != (dtm.Month{}) {
		if index == "" {
			index = "INDEXED BY flag_day"
		}
		from, to := monthDays(f.Month)
		bound("f.day >= ? AND f.day < ?", from, to)
	}
	if f.Severity != nil {
		bound("f.severity = ?", *f.Severity)
	}
	if f.Point != nil {
		bound("f.point = ?", *f.Point)
	}
	if f.Rule != "" {
		bound("f.rule = ?", f.Rule)
	}
	if a := f.After; a != nil {
		bound("(f.severity, f.point, f.raised, f.id) > (?, ?, ?, ?)", a.Severity, a.Point, a.Seq, a.ID)
	}
	if f.Limit <= 0 {
		f.Limit = 50
	}
	args = append(args, f.Limit)
	rows, err := db.read.QueryContext(ctx, `
		SELECT`+flagColumns+`
		FROM flag f `+index+`
		WHERE `+strings.Join(where, " AND ")+`
		ORDER BY f.severity, f.point, f.raised, f.id
		LIMIT $`+strconv.Itoa(len(args)), args...)
	if err != nil {
		return nil, failure(op, err)
	}
	defer rows.Close()
	var out []dtm.Raised
	for rows.Next() {
		r, err := scanFlag(rows.Scan)
		if err != nil {
			return nil, failure(op, err)
		}
		out = append(out, r)
	}
	return out, failure(op, rows.Err())
}

// monthDays are the first day of a month and the day after its last.
func monthDays(m dtm.Month) (from, to string) {
	p := dtm.Months(m, m)
	return dayText(p.From), dayText(p.From.AddDate(0, 1, 0))
}

// FlagCounts counts flags: all of them from sums that are kept.
func (db *DB) FlagCounts(ctx context.Context, m dtm.Month) ([]dtm.FlagCount, error) {
	const op = "store.FlagCounts"
	query, args := `
		SELECT state, severity, rule, point, n
		FROM flag_count
		WHERE operation = $1 AND n <> 0`, []any{db.operation}
	if m != (dtm.Month{}) {
		from, to := monthDays(m)
		query, args = `
			SELECT state, severity, rule, point, count(*)
			FROM flag INDEXED BY flag_day
			WHERE operation = $1 AND state IN ($2, $3, $4, $5) AND day >= $6 AND day < $7
			GROUP BY state, severity, rule, point`, []any{db.operation, dtm.FlagOpen, dtm.FlagConfirmed, dtm.FlagDismissed, dtm.FlagCleared, from, to}
	}
	rows, err := db.read.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, failure(op, err)
	}
	defer rows.Close()
	var out []dtm.FlagCount
	for rows.Next() {
		var c dtm.FlagCount
		if err := rows.Scan(&c.State, &c.Severity, &c.Rule, &c.Point, &c.N); err != nil {
			return nil, failure(op, err)
		}
		out = append(out, c)
	}
	return out, failure(op, rows.Err())
}

// FlagHistory lists the entries of a submission's flags, or of one flag.
func (db *DB) FlagHistory(ctx context.Context, submission, flag string) ([]dtm.FlagEntry, error) {
	const op = "store.FlagHistory"
	where, arg := `e.flag IN (SELECT f.id FROM flag f INDEXED BY flag_submission WHERE f.operation = $1 AND f.submission = $2)`, submission
	if flag != "" {
		where, arg = `e.flag = $2`, flag
	}
	rows, err := db.read.QueryContext(ctx, `
		SELECT e.seq, e.flag, e.act, e.actor, e.at, e.why
		FROM flag_entry e
		WHERE e.operation = $1 AND `+where+`
		ORDER BY e.seq, e.flag`, db.operation, arg)
	if err != nil {
		return nil, failure(op, err)
	}
	defer rows.Close()
	var out []dtm.FlagEntry
	for rows.Next() {
		var e dtm.FlagEntry
		var at string
		err := rows.Scan(&e.Seq, &e.Flag, &e.Act, &e.Actor, &at, &e.Why)
		if err == nil {
			e.At, err = textTime(at)
		}
		if err != nil {
			return nil, failure(op, err)
		}
		out = append(out, e)
	}
	return out, failure(op, rows.Err())
}

// FlaggedByDevice counts flagged submissions of each device.
func (db *DB) FlaggedByDevice(ctx context.Context, since time.Time) (map[string]int, error) {
	const op = "store.FlaggedByDevice"
	rows, err := db.read.QueryContext(ctx, `
		SELECT s.device, count(DISTINCT s.id)
		FROM submission s
		JOIN flag f INDEXED BY flag_submission ON f.operation = s.operation AND f.submission = s.id AND f.state IN ('open', 'confirmed')
		WHERE s.operation = $1 AND s.received >= $2
		GROUP BY s.device`, db.operation, timeText(since))
	if err != nil {
		return nil, failure(op, err)
	}
	defer rows.Close()
	out := map[string]int{}
	for rows.Next() {
		var device string
		var n int
		if err := rows.Scan(&device, &n); err != nil {
			return nil, failure(op, err)
		}
		out[device] = n
	}
	return out, failure(op, rows.Err())
}

// DecideFlags gives open flags a state. Submissions follow: rejected ones leave the
// figures, and a flagged one of which no flag is open any more is confirmed.
func (db *DB) DecideFlags(ctx context.Context, d dtm.Decision) (dtm.Done, error) {
	state := d.State
	switch {
	case d.State == dtm.StateRejected:
		state = dtm.FlagConfirmed
		if strings.TrimSpace(d.Why) == "" {
			return dtm.Done{}, noReason()
		}
	case d.State != dtm.FlagDismissed && d.State != dtm.FlagConfirmed:
		return dtm.Done{}, dtm.Errorf(dtm.Invalid, "a flag is dismissed or confirmed, its record rejected, not %q", d.State).Coded("review.decision", d.State)
	}
	if len(d.Flags) > mostFlags {
		return dtm.Done{}, dtm.Errorf(dtm.Invalid, "%d flags at once; the most is %d", len(d.Flags), mostFlags).Coded("review.many", len(d.Flags), mostFlags)
	}
	var done dtm.Done
	err := db.update(ctx, "store.DecideFlags", func(t *tx) error {
		done = dtm.Done{}
		actor := event.Actor(ctx)
		note := func(seq int64) {
			if done.First == 0 {
				done.First = seq
			}
			done.Last = max(done.Last, seq)
		}
		by := map[string][]*dtm.Raised{}
		var order []string
		for _, id := range slices.Compact(slices.Sorted(slices.Values(d.Flags))) {
			m, err := t.flags(``, `f.id = $2`, id)
			if err != nil {
				return err
			}
			f := m[id]
			if f == nil {
				return dtm.Errorf(dtm.NotFound, "there is no flag %s", id).Coded("review.flag")
			}
			if f.State != dtm.FlagOpen {
				done.Passed++
				continue
			}
			key := f.Submission
			if key == "" {
				key = "\x00" + f.ID
			}
			if by[key] == nil {
				order = append(order, key)
			}
			by[key] = append(by[key], f)
		}
		for _, key := range order {
			id := by[key][0].Submission
			if d.State == dtm.StateRejected && id != "" {
				// All that is open on a rejected record is settled with it.
				m, err := t.flags(`INDEXED BY flag_submission`, `f.submission = $2 AND f.state = 'open'`, id)
				if err != nil {
					return err
				}
				by[key] = by[key][:0]
				for _, flag := range slices.Sorted(maps.Keys(m)) {
					by[key] = append(by[key], m[flag])
				}
			}
			names := make([]string, len(by[key]))
			for i, f := range by[key] {
				names[i] = f.Rule
			}
			subject := id
			if subject == "" {
				subject = by[key][0].ID
			}
			seq, err := t.log(dtm.FlagDecided, subject, actor, jsonText(map[string]any{"to": state, "rules": names}))
			if err != nil {
				return err
			}
			note(seq)
			for _, f := range by[key] {
				if err := t.act(seq, f, state, state, actor, d.Why); err != nil {
					return err
				}
				done.Flags++
			}
			if id == "" {
				continue
			}
			to := d.State
			if d.State != dtm.StateRejected {
				n, err := t.openFlags(id)
				if err != nil {
					return err
				}
				if n > 0 {
					continue
				}
				to = dtm.StateConfirmed
			}
			changed, err := t.verdict(id, to, d.Why, actor, d.State == dtm.StateRejected)
			if err != nil {
				return err
			}
			if changed > 0 {
				note(changed)
				done.Submissions++
			}
		}
		return nil
	})
	return done, err
}

func noReason() error {
	return dtm.Errorf(dtm.Invalid, "say why: who reads it in a year has nothing else").At("why").Coded("review.why")
}

// UndoReview takes back what the actor decided in the events from first to last.
func (db *DB) UndoReview(ctx context.Context, first, last int64) (dtm.Done, error) {
	var done dtm.Done
	err := db.update(ctx, "store.UndoReview", func(t *tx) error {
		done = dtm.Done{}
		actor := event.Actor(ctx)
		if last-first > 4*mostFlags {
			return dtm.Errorf(dtm.Invalid, "too many events to take back at once").Coded("review.undo_many")
		}
		m, err := t.flags(`INDEXED BY flag_changed`, `f.changed >= $2 AND f.changed <= $3 AND f.state IN ('confirmed', 'dismissed')
			AND EXISTS (SELECT 1 FROM flag_entry e WHERE e.operation = f.operation AND e.seq = f.changed AND e.flag = f.id AND e.actor = $4)`, first, last, actor)
		if err != nil {
			return err
		}
		type change struct {
			id, from, to string
		}
		s, err := t.stmt(t.ctx, `
			SELECT v.submission, v.state_from, v.state_to
			FROM verdict v
			JOIN submission s ON s.operation = v.operation AND s.id = v.submission AND s.state = v.state_to
			WHERE v.operation = $1 AND v.seq >= $2 AND v.seq <= $3 AND v.actor = $4
			  AND NOT EXISTS (SELECT 1 FROM verdict w WHERE w.operation = v.operation AND w.submission = v.submission AND w.seq > v.seq)
			ORDER BY v.seq`)
		if err != nil {
			return err
		}
		rows, err := s.QueryContext(t.ctx, t.db.operation, first, last, actor)
		if err != nil {
			return err
		}
		var changes []change
		for rows.Next() {
			var c change
			if err := rows.Scan(&c.id, &c.from, &c.to); err != nil {
				rows.Close()
				return err
			}
			if c.to != dtm.StateCorrected { // a correction is taken back by another one
				changes = append(changes, c)
			}
		}
		rows.Close()
		if err := rows.Err(); err != nil {
			return err
		}
		if len(m)+len(changes) == 0 {
			return dtm.Errorf(dtm.Conflict, "there is nothing to take back: somebody has decided anew since, or it was taken back already").Coded("review.undone")
		}
		seq, err := t.log(dtm.ReviewUndone, strconv.FormatInt(first, 10), actor, jsonText(map[string]any{"last": last, "flags": len(m), "submissions": len(changes)}))
		if err != nil {
			return err
		}
		for _, id := range slices.Sorted(maps.Keys(m)) {
			if err := t.act(seq, m[id], actReopened, dtm.FlagOpen, actor, ""); err != nil {
				return err
			}
		}
		done = dtm.Done{First: seq, Last: seq, Flags: len(m), Submissions: len(changes)}
		for _, c := range changes {
			if done.Last, err = t.verdict(c.id, c.from, "", actor, true); err != nil {
				return err
			}
		}
		return nil
	})
	return done, err
}
