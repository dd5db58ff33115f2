package relational

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"

	"dtm"
	"dtm/event"
)

var _ dtm.Corrections = (*DB)(nil)

// verdict gives a submission a state and tells who and why; 0 when it has it already
// or, unless forced, when a review has given it another than received or flagged.
func (t *tx) verdict(submission, to, why, actor string, force bool) (int64, error) {
	var was string
	found, err := t.row(`
		SELECT state
		FROM submission
		WHERE operation = $1 AND id = $2`, []any{t.db.operation, submission}, &was)
	switch {
	case err != nil:
		return 0, err
	case !found:
		return 0, noSubmission(submission)
	case was == stateSuperseded:
		return 0, dtm.Errorf(dtm.Conflict, "submission %s was replaced by a later edit; review that one", submission).Coded("review.superseded", submission)
	case was == to, !force && was != stateReceived && was != stateFlagged:
		return 0, nil
	}
	if err := t.exec(`
		UPDATE submission
		SET state = $3
		WHERE operation = $1 AND id = $2`, t.db.operation, submission, to); err != nil {
		return 0, err
	}
	seq, err := t.log(dtm.SubmissionReviewed, submission, actor, jsonText(map[string]any{"from": was, "to": to}))
	if err != nil {
		return 0, err
	}
	return seq, t.say(seq, submission, was, to, actor, why)
}

func (t *tx) say(seq int64, submission, from, to, actor, why string) error {
	return t.exec(`
		INSERT INTO verdict (operation, seq, submission, state_from, state_to, actor, at, why)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`, t.db.operation, seq, submission, from, to, actor, timeText(t.now), why)
}

// corrected is the detail of the entry that records a correction: which answers, not
// what they say.
type corrected struct {
	Number int      `json:"number"`
	Base   int      `json:"base"`
	Paths  []string `json:"paths"`
	SHA256 string   `json:"sha256"` // of the changes as stored
}

// verifyCorrections holds stored corrections against the entries that recorded them.
func (db *DB) verifyCorrections(ctx context.Context, last int64) error {
	const op = "store.Verify"
	rows, err := db.read.QueryContext(ctx, `
		SELECT e.seq, e.subject, e.detail, coalesce(c.changes, ''), coalesce(c.number, -1)
		FROM event e
		LEFT JOIN correction c ON c.operation = e.operation AND c.seq = e.seq AND c.submission = e.subject
		WHERE e.operation = $1 AND e.name IN ($2, $3) AND e.seq <= $4
		ORDER BY e.seq`, db.operation, dtm.SubmissionCorrected, dtm.CorrectionRefused, last)
	if err != nil {
		return failure(op, err)
	}
	defer rows.Close()
	for rows.Next() {
		var seq int64
		var id, detail, changes string
		var number int
		if err := rows.Scan(&seq, &id, &detail, &changes, &number); err != nil {
			return failure(op, err)
		}
		var d corrected
		sum := sha256.Sum256([]byte(changes))
		if err := json.Unmarshal([]byte(detail), &d); err != nil || d.Number != number || d.SHA256 != hex.EncodeToString(sum[:]) {
			return dtm.Errorf(dtm.Conflict, "entry %d of the audit log records a correction of submission %s which is not what is stored; compare it with a backup", seq, id).
				Coded("event.content.correction", seq, id)
		}
	}
	return failure(op, rows.Err())
}

// Correct adds a correction made on number c.Base: NotFound, Invalid, Conflict. A
// refused one is stored too, with its own entry of the log.
func (db *DB) Correct(ctx context.Context, submission string, c dtm.Correction) (dtm.Correction, error) {
	if strings.TrimSpace(c.Why) == "" {
		return c, noReason()
	}
	if len(c.Changes) == 0 {
		return c, dtm.Errorf(dtm.Invalid, "no answer was changed").Coded("correction.empty")
	}
	var refused error
	err := db.update(ctx, "store.Correct", func(t *tx) error {
		refused = nil
		var last int
		var state string
		found, err := t.row(`
			SELECT corrections, state
			FROM submission
			WHERE operation = $1 AND id = $2`, []any{t.db.operation, submission}, &last, &state)
		switch {
		case err != nil:
			return err
		case !found:
			return noSubmission(submission)
		case state == stateSuperseded:
			return dtm.Errorf(dtm.Conflict, "submission %s was replaced by a later edit; review that one", submission).Coded("review.superseded", submission)
		}
		c.Actor, c.At = event.Actor(ctx), t.now
		paths := make([]string, len(c.Changes))
		for i, x := range c.Changes {
			paths[i] = x.Path
		}
		name := dtm.SubmissionCorrected
		if c.Number = last + 1; c.Base != last {
			c.Number, name = 0, dtm.CorrectionRefused
			refused = dtm.Errorf(dtm.Conflict, "somebody else has corrected this record meanwhile (correction %d); look at the difference and decide again", last).
				Coded("correction.conflict")
		}
		text := jsonText(c.Changes)
		sum := sha256.Sum256([]byte(text))
		if c.Seq, err = t.log(name, submission, c.Actor, jsonText(corrected{c.Number, c.Base, paths, hex.EncodeToString(sum[:])})); err != nil {
			return err
		}
		if err := t.exec(`
			INSERT INTO correction (operation, submission, seq, number, base, actor, at, why, changes)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
			t.db.operation, submission, c.Seq, c.Number, c.Base, c.Actor, timeText(c.At), c.Why, text); err != nil || refused != nil {
			return err
		}
		if err := t.exec(`
			UPDATE submission
			SET corrections = $3, state = $4
			WHERE operation = $1 AND id = $2`, t.db.operation, submission, c.Number, dtm.StateCorrected); err != nil || state == dtm.StateCorrected {
			return err
		}
		return t.say(c.Seq, submission, state, dtm.StateCorrected, c.Actor, c.Why)
	})
	if err == nil {
		err = refused
	}
	return c, err
}

// Corrections lists those of a submission, refused ones too, oldest first.
func (db *DB) Corrections(ctx context.Context, submission string) ([]dtm.Correction, error) {
	const op = "store.Corrections"
	rows, err := db.read.QueryContext(ctx, `
		SELECT seq, number, base, actor, at, why, changes
		FROM correction
		WHERE operation = $1 AND submission = $2
		ORDER BY seq`, db.operation, submission)
	if err != nil {
		return nil, failure(op, err)
	}
	defer rows.Close()
	var out []dtm.Correction
	for rows.Next() {
		var c dtm.Correction
		var at, changes string
		err := rows.Scan(&c.Seq, &c.Number, &c.Base, &c.Actor, &at, &c.Why, &changes)
		if err == nil {
			c.At, err = textTime(at)
		}
		if err == nil {
			err = json.Unmarshal([]byte(changes), &c.Changes)
		}
		if err != nil {
			return nil, failure(op, err)
		}
		out = append(out, c)
	}
	return out, failure(op, rows.Err())
}

// Standing is what review had made of a submission at event upTo; 0: by now. Of a
// moment before the first review the state is that of its arrival.
func (db *DB) Standing(ctx context.Context, submission string, upTo int64) (dtm.Standing, error) {
	const op = "store.Standing"
	var s dtm.Standing
	list, err := db.Corrections(ctx, submission)
	if err != nil {
		return s, err
	}
	for _, c := range list {
		if c.Number > 0 && (upTo == 0 || c.Seq <= upTo) {
			s.Number = c.Number
			s.Changes = append(s.Changes, c.Changes...)
		}
	}
	verdicts, err := db.Verdicts(ctx, submission)
	if err != nil {
		return s, err
	}
	s.State = stateReceived
	for _, v := range verdicts {
		if upTo == 0 || v.Seq <= upTo {
			s.State = v.To
		}
	}
	if upTo == 0 {
		err := db.read.QueryRowContext(ctx, `
			SELECT state
			FROM submission
			WHERE operation = $1 AND id = $2`, db.operation, submission).Scan(&s.State)
		if err != nil {
			return s, failure(op, err)
		}
	}
	return s, nil
}

// Verdicts lists the changes of a submission's state, oldest first.
func (db *DB) Verdicts(ctx context.Context, submission string) ([]dtm.Verdict, error) {
	const op = "store.Verdicts"
	rows, err := db.read.QueryContext(ctx, `
		SELECT seq, state_from, state_to, actor, at, why
		FROM verdict
		WHERE operation = $1 AND submission = $2
		ORDER BY seq`, db.operation, submission)
	if err != nil {
		return nil, failure(op, err)
	}
	defer rows.Close()
	var out []dtm.Verdict
	for rows.Next() {
		var v dtm.Verdict
		var at string
		err := rows.Scan(&v.Seq, &v.From, &v.To, &v.Actor, &at, &v.Why)
		if err == nil {
			v.At, err = textTime(at)
		}
		if err != nil {
			return nil, failure(op, err)
		}
		out = append(out, v)
	}
	return out, failure(op, rows.Err())
}
