package relational

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"math"
	"strconv"

	"dtm"
)

var _ dtm.SubmissionStream = (*DB)(nil)

// streamBatch is how many submissions go out at once: enough to keep a reader
// busy, few enough for a small machine's memory.
const streamBatch = 500

// streamWhere is the condition of a query with its arguments.
func (db *DB) streamWhere(ctx context.Context, r Querier, q dtm.SubmissionQuery) (string, []any, error) {
	where, args := `s.operation = $1 AND s.form = $2 AND s.state <> $3`, []any{db.operation, q.Form, stateSuperseded}
	bound := func(condition string, v any) {
		args = append(args, v)
		where += " AND " + condition + " $" + strconv.Itoa(len(args))
	}
	if q.Before > 0 {
		bound("s.seq <", q.Before)
	}
	if !q.From.IsZero() {
		bound("s.received >=", timeText(q.From))
	}
	if !q.To.IsZero() {
		bound("s.received <", timeText(q.To))
	}
	if q.Among == nil {
		return where, args, nil
	}
	f, err := db.finding(ctx, r, *q.Among, args...)
	if err != nil {
		return "", nil, err
	}
	return where + ` AND s.seq IN (SELECT x.seq FROM ` + f.from + ` WHERE ` + f.where() + `)`, f.args, nil
}

// Stream gives submissions in batches. The rows are read by one connection in one
// transaction, so what is written meanwhile is not seen.
func (db *DB) Stream(ctx context.Context, q dtm.SubmissionQuery, f func([]dtm.Streamed) error) error {
	const op = "store.Stream"
	t, err := db.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return failure(op, err)
	}
	defer t.Rollback()
	where, args, err := db.streamWhere(ctx, t, q)
	if err != nil {
		return failure(op, err)
	}
	text := `/* long */
		SELECT s.seq, s.id, s.version, s.device, s.device_id, s.received, s.deprecates, s.state, s.expected, s.xml
		FROM submission s
		WHERE ` + where + `
		ORDER BY s.seq DESC`
	if q.Limit > 0 || q.Skip > 0 {
		limit := q.Limit
		if limit <= 0 {
			limit = math.MaxInt64
		}
		args = append(args, limit, max(0, q.Skip))
		text += ` LIMIT $` + strconv.Itoa(len(args)-1) + ` OFFSET $` + strconv.Itoa(len(args))
	}
	rows, err := t.QueryContext(ctx, text, args...)
	if err != nil {
		return failure(op, err)
	}
	defer rows.Close()
	batch := make([]dtm.Streamed, 0, streamBatch)
	var raw sql.RawBytes
	var arena []byte // of the batch's XML: one piece of memory instead of hundreds
	send := func() error {
		if len(batch) == 0 {
			return nil
		}
		if err := db.complete(ctx, t, batch); err != nil {
			return failure(op, err)
		}
		err := f(batch)
		batch, arena = make([]dtm.Streamed, 0, streamBatch), make([]byte, 0, len(arena)+len(arena)/8)
		return err
	}
	for rows.Next() {
		s := dtm.Streamed{Submission: dtm.Submission{Form: q.Form}}
		var at, expected string
		if err := rows.Scan(&s.Seq, &s.ID, &s.Version, &s.Device, &s.DeviceID, &at, &s.Deprecates, &s.State, &expected, &raw); err != nil {
			return failure(op, err)
		}
		if s.Received, err = textTime(at); err != nil {
			return failure(op, err)
		}
		if expected != "[]" {
			if err := json.Unmarshal([]byte(expected), &s.Expected); err != nil {
				return failure(op, err)
			}
		}
		begin := len(arena)
		arena = append(arena, raw...)
		s.XML = arena[begin:len(arena):len(arena)]
		if batch = append(batch, s); len(batch) == streamBatch {
			if err := send(); err != nil {
				return err
			}
		}
	}
	if err := rows.Err(); err != nil {
		return failure(op, err)
	}
	return send()
}

// complete counts attachments and edits of those that have any.
func (db *DB) complete(ctx context.Context, t *sql.Tx, batch []dtm.Streamed) error {
	for i := range batch {
		s := &batch[i]
		if len(s.Expected) > 0 {
			err := t.QueryRowContext(ctx, `
				SELECT count(*)
				FROM attachment
				WHERE operation = $1 AND submission = $2`, db.operation, s.ID).Scan(&s.Present)
			if err != nil {
				return err
			}
		}
		s.Root = s.ID
		for before := s.Deprecates; before != ""; s.Edits++ {
			s.Root = before
			err := t.QueryRowContext(ctx, `
				SELECT deprecates
				FROM submission
				WHERE operation = $1 AND id = $2`, db.operation, before).Scan(&before)
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// CountSubmissions counts the submissions of a query.
func (db *DB) CountSubmissions(ctx context.Context, q dtm.SubmissionQuery) (int, error) {
	where, args, err := db.streamWhere(ctx, db.read, q)
	if err != nil {
		return 0, failure("store.CountSubmissions", err)
	}
	var n int
	err = db.read.QueryRowContext(ctx, `SELECT count(*) FROM submission s WHERE `+where, args...).Scan(&n)
	return n, failure("store.CountSubmissions", err)
}

// Replacement is the id of the edit that replaced a submission: NotFound.
func (db *DB) Replacement(ctx context.Context, id string) (string, error) {
	var by string
	err := db.read.QueryRowContext(ctx, `
		SELECT id
		FROM submission
		WHERE operation = $1 AND deprecates = $2 AND deprecates <> ''`, db.operation, id).Scan(&by)
	if errors.Is(err, sql.ErrNoRows) {
		return "", dtm.Errorf(dtm.NotFound, "no edit replaced submission %s", id).Coded("submission.current", id)
	}
	return by, failure("store.Replacement", err)
}

// Versions returns every version of a form, newest first: NotFound.
func (db *DB) Versions(ctx context.Context, form string) ([]dtm.Form, error) {
	const op = "store.Versions"
	rows, err := db.read.QueryContext(ctx, `
		SELECT id, version, title, titles, hash, published, source_name, xform
		FROM form
		WHERE operation = $1 AND id = $2
		ORDER BY seq DESC`, db.operation, form)
	if err != nil {
		return nil, failure(op, err)
	}
	list, err := scanForms(rows)
	if err != nil {
		return nil, failure(op, err)
	}
	if len(list) == 0 {
		return nil, dtm.Errorf(dtm.NotFound, "there is no form %q", form).Coded("form.unknown", form)
	}
	return list, nil
}
