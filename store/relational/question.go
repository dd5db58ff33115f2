package relational

import (
	"context"
	"database/sql"
	"strings"
	"unicode/utf8"

	"dtm"
	"dtm/event"
	"strconv"
	"time"
)

var _ dtm.Questions = (*DB)(nil)

const longestQuestion = 1000 // characters; an answer's too

func askable(body, at string) error {
	if n := utf8.RuneCountInString(strings.TrimSpace(body)); n == 0 || n > longestQuestion {
		return dtm.Errorf(dtm.Invalid, "a question or an answer has 1 to %d characters", longestQuestion).At(at).Coded("question.length", longestQuestion)
	}
	return nil
}

// Ask sends a question to the device that sent a submission. The log does not hold
// the text.
func (db *DB) Ask(ctx context.Context, submission, body string) (dtm.Question, error) {
	q := dtm.Question{Submission: submission, Body: strings.TrimSpace(body), Actor: event.Actor(ctx)}
	if err := askable(body, "question"); err != nil {
		return q, err
	}
	err := db.update(ctx, "store.Ask", func(t *tx) error {
		found, err := t.row(`
			SELECT device
			FROM submission
			WHERE operation = $1 AND id = $2`, []any{t.db.operation, submission}, &q.Device)
		switch {
		case err != nil:
			return err
		case !found:
			return noSubmission(submission)
		case q.Device == "":
			return dtm.Errorf(dtm.Invalid, "no device sent submission %s: there is nobody to ask", submission).Coded("question.nobody")
		}
		q.At = t.now
		if q.Seq, err = t.log(dtm.EnumeratorAsked, submission, q.Actor, jsonText(map[string]any{"device": q.Device})); err != nil {
			return err
		}
		return t.exec(`
			INSERT INTO question (operation, seq, submission, device, body, actor, at)
			VALUES ($1, $2, $3, $4, $5, $6, $7)`, t.db.operation, q.Seq, submission, q.Device, q.Body, q.Actor, timeText(q.At))
	})
	return q, err
}

// QuestionsTo lists those of a device without an answer, oldest first.
func (db *DB) QuestionsTo(ctx context.Context, device string) ([]dtm.Question, error) {
	list, err := db.questions(ctx, "store.QuestionsTo", `q.device = $2 AND q.answered IS NULL ORDER BY q.seq`, device)
	if err != nil {
		return nil, err
	}
	fresh := false
	for i := range list {
		fresh = fresh || list[i].Seen == nil
	}
	if fresh {
		err = db.update(ctx, "store.QuestionsTo", func(t *tx) error {
			return t.exec(`
				UPDATE question
				SET seen = $3
				WHERE operation = $1 AND device = $2 AND seen IS NULL AND answered IS NULL`, t.db.operation, device, timeText(t.now))
		})
	}
	return list, err
}

// QuestionsOf lists those of a submission, oldest first.
func (db *DB) QuestionsOf(ctx context.Context, submission string) ([]dtm.Question, error) {
	return db.questions(ctx, "store.QuestionsOf", `q.submission = $2 ORDER BY q.seq`, submission)
}

// mostAnswers is how many answers a list of recent ones has.
const mostAnswers = 20

// Answered lists questions that were answered since, the newest answer first.
func (db *DB) Answered(ctx context.Context, since time.Time) ([]dtm.Question, error) {
	return db.questions(ctx, "store.Answered", `q.answered >= $2 ORDER BY q.answered DESC LIMIT `+strconv.Itoa(mostAnswers), timeText(since))
}

func (db *DB) questions(ctx context.Context, op, where, arg string) ([]dtm.Question, error) {
	rows, err := db.read.QueryContext(ctx, `
		SELECT q.seq, q.submission, coalesce(x.name, ''), q.device, q.body, q.actor, q.at, q.seen, q.answer, q.answered, q.answer_seq
		FROM question q
		JOIN submission s ON s.operation = q.operation AND s.id = q.submission
		LEFT JOIN submission_reading x ON x.operation = s.operation AND x.seq = s.seq
		WHERE q.operation = $1 AND `+where, db.operation, arg)
	if err != nil {
		return nil, failure(op, err)
	}
	defer rows.Close()
	var out []dtm.Question
	for rows.Next() {
		var q dtm.Question
		var at string
		var seen, answered sql.NullString
		err := rows.Scan(&q.Seq, &q.Submission, &q.Name, &q.Device, &q.Body, &q.Actor, &at, &seen, &q.Answer, &answered, &q.AnswerSeq)
		if err == nil {
			q.At, err = textTime(at)
		}
		if err == nil {
			q.Seen, err = optionalTime(seen)
		}
		if err == nil {
			q.Answered, err = optionalTime(answered)
		}
		if err != nil {
			return nil, failure(op, err)
		}
		out = append(out, q)
	}
	return out, failure(op, rows.Err())
}

// Answer keeps what the enumerator says to a question: NotFound, Invalid, Conflict.
func (db *DB) Answer(ctx context.Context, device string, seq int64, body string) error {
	if err := askable(body, "answer"); err != nil {
		return err
	}
	body = strings.TrimSpace(body)
	return db.update(ctx, "store.Answer", func(t *tx) error {
		var submission, old string
		var answered sql.NullString
		found, err := t.row(`
			SELECT submission, answer, answered
			FROM question
			WHERE operation = $1 AND seq = $2 AND device = $3`, []any{t.db.operation, seq, device}, &submission, &old, &answered)
		switch {
		case err != nil:
			return err
		case !found:
			return dtm.Errorf(dtm.NotFound, "there is no question %d for this device", seq).Coded("question.unknown")
		case answered.Valid && old == body:
			return nil
		case answered.Valid:
			return dtm.Errorf(dtm.Conflict, "question %d has another answer already", seq).Coded("question.answered")
		}
		at, err := t.log(dtm.EnumeratorAnswered, submission, "device:"+device, jsonText(map[string]any{"question": seq}))
		if err != nil {
			return err
		}
		return t.exec(`
			UPDATE question
			SET answer = $3, answered = $4, answer_seq = $5
			WHERE operation = $1 AND seq = $2`, t.db.operation, seq, body, timeText(t.now), at)
	})
}
