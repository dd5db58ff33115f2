package relational

import (
	"context"
	"time"

	"dtm"
)

var _ dtm.Retention = (*DB)(nil)

// personsDue are those of whom nothing has happened since $2, with whether something
// holds them back.
const personsDue = `
	SELECT p.id AS id, CASE WHEN p.restricted <> 0 OR coalesce(o.open, 0) > 0 THEN 1 ELSE 0 END AS held, coalesce(o.last, p.created) AS last
	FROM person p
	LEFT JOIN (
	  SELECT person, max(changed) AS last, sum(1 - terminal) AS open
	  FROM referral
	  WHERE operation = $1
	  GROUP BY person) o ON o.person = p.id
	WHERE p.operation = $1 AND p.erased IS NULL AND p.merged_into = '' AND p.created < $2 AND (o.last IS NULL OR o.last < $2)
	  AND NOT EXISTS (SELECT 1 FROM case_note n WHERE n.operation = p.operation AND n.person = p.id AND n.at >= $2)`

// PersonsDue lists persons of whom nothing has happened for long.
func (db *DB) PersonsDue(ctx context.Context, before time.Time, limit int) (list []string, total, held int, err error) {
	const op = "store.PersonsDue"
	err = db.read.QueryRowContext(ctx, `
		SELECT count(*) - coalesce(sum(held), 0), coalesce(sum(held), 0)
		FROM (`+personsDue+`) due`, db.operation, timeText(before)).Scan(&total, &held)
	if err != nil {
		return nil, 0, 0, failure(op, err)
	}
	list, err = db.texts(ctx, op, `
		SELECT id
		FROM (`+personsDue+`) due
		WHERE held = 0
		ORDER BY last, id
		LIMIT $3`, db.operation, timeText(before), limit)
	return list, total, held, err
}

// OriginalsDue counts or removes the sealed originals of submissions received before.
func (db *DB) OriginalsDue(ctx context.Context, before time.Time, del bool) (n int, err error) {
	const op = "store.OriginalsDue"
	const which = `operation = $1 AND submission IN (SELECT id FROM submission WHERE operation = $1 AND received < $2)`
	if !del {
		err = db.read.QueryRowContext(ctx, `
			SELECT count(*)
			FROM submission_sealed
			WHERE length(sealed) > 0 AND `+which, db.operation, timeText(before)).Scan(&n)
		return n, failure(op, err)
	}
	err = db.update(ctx, op, func(t *tx) error {
		gone, err := t.forgetOriginals(which, db.operation, timeText(before))
		n = int(gone)
		return err
	})
	return n, err
}

// SlipsDue counts or deletes the codes of slips that expired before.
func (db *DB) SlipsDue(ctx context.Context, before time.Time, del bool) (n int, err error) {
	const op = "store.SlipsDue"
	const which = `
		FROM slip
		WHERE operation = $1 AND expires < $2`
	if !del {
		err = db.read.QueryRowContext(ctx, `SELECT count(*)`+which, db.operation, timeText(before)).Scan(&n)
		return n, failure(op, err)
	}
	err = db.update(ctx, op, func(t *tx) error {
		gone, err := t.change(`DELETE`+which, db.operation, timeText(before))
		n = int(gone)
		return err
	})
	return n, err
}
