package relational

import (
	"context"
	"maps"
	"slices"

	"dtm"
	"dtm/event"
)

var _ dtm.Reviews = (*DB)(nil)

// AddComment keeps what somebody wrote: NotFound.
func (db *DB) AddComment(ctx context.Context, submission, body string) (dtm.Comment, error) {
	c := dtm.Comment{Body: body, Actor: event.Actor(ctx)}
	err := db.update(ctx, "store.AddComment", func(t *tx) error {
		found, err := t.row(`
			SELECT 1
			FROM submission
			WHERE operation = $1 AND id = $2`, []any{t.db.operation, submission}, new(int))
		if err != nil {
			return err
		}
		if !found {
			return noSubmission(submission)
		}
		c.Created = t.now
		if err := t.exec(`
			INSERT INTO submission_comment (operation, submission, seq, actor, created, body)
			VALUES ($1, $2, $3, $4, $5, $6)`,
			t.db.operation, submission, t.chain.Seq+1, c.Actor, timeText(t.now), body); err != nil {
			return err
		}
		_, err = t.log(dtm.SubmissionCommented, submission, c.Actor, "{}")
		return err
	})
	return c, err
}

// Comments returns those of a submission, newest first.
func (db *DB) Comments(ctx context.Context, submission string) ([]dtm.Comment, error) {
	const op = "store.Comments"
	rows, err := db.read.QueryContext(ctx, `
		SELECT body, actor, created
		FROM submission_comment
		WHERE operation = $1 AND submission = $2
		ORDER BY seq DESC`, db.operation, submission)
	if err != nil {
		return nil, failure(op, err)
	}
	defer rows.Close()
	var list []dtm.Comment
	for rows.Next() {
		var c dtm.Comment
		var at string
		err := rows.Scan(&c.Body, &c.Actor, &at)
		if err == nil {
			c.Created, err = textTime(at)
		}
		if err != nil {
			return nil, failure(op, err)
		}
		list = append(list, c)
	}
	return list, failure(op, rows.Err())
}

var reviewStates = []string{stateReceived, stateFlagged, dtm.StateConfirmed, dtm.StateCorrected, dtm.StateRejected}

// Review gives a submission a state: NotFound, Invalid, Conflict. The same state
// again makes no entry. What is open of the flags of a record that is confirmed was no
// fault, of one that is rejected it was.
func (db *DB) Review(ctx context.Context, submission, state, why string) error {
	if !slices.Contains(reviewStates, state) {
		return dtm.Errorf(dtm.Invalid, "a review says received, flagged, confirmed, corrected or rejected, not %q", state).Coded("review.state", state)
	}
	return db.update(ctx, "store.Review", func(t *tx) error {
		actor := event.Actor(ctx)
		seq, err := t.verdict(submission, state, why, actor, true)
		if err != nil || seq == 0 {
			return err
		}
		fate := map[string]string{dtm.StateConfirmed: dtm.FlagDismissed, dtm.StateRejected: dtm.FlagConfirmed}[state]
		if fate == "" {
			return nil
		}
		known, err := t.flagsOf(submission)
		if err != nil {
			return err
		}
		for _, id := range slices.Sorted(maps.Keys(known)) {
			if f := known[id]; f.State == dtm.FlagOpen {
				if err := t.act(seq, f, fate, fate, actor, why); err != nil {
					return err
				}
			}
		}
		return nil
	})
}
