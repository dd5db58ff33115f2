package relational

import (
	"context"

	"dtm"
)

// came is how many submissions came, when the last did, and its number.
type came struct {
	n    int
	last string
	seq  int64
}

// tallies are those by device, form and version.
type tallies map[[3]string]came

func (c tallies) add(device, form, version, received string, seq int64) {
	at := [3]string{device, form, version}
	c[at] = came{c[at].n + 1, max(c[at].last, received), max(c[at].seq, seq)}
}

// tally adds what was read for the first time to what is kept.
func (t *tx) tally(all tallies) error {
	for at, x := range all {
		if err := t.later(`
			INSERT INTO submission_tally (operation, device, form, version, n, last, seq)
			VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (operation, device, form, version) DO UPDATE SET n = submission_tally.n + excluded.n,
			  last = CASE WHEN excluded.last > submission_tally.last THEN excluded.last ELSE submission_tally.last END,
			  seq = CASE WHEN excluded.seq > submission_tally.seq THEN excluded.seq ELSE submission_tally.seq END`,
			t.db.operation, at[0], at[1], at[2], x.n, x.last, x.seq); err != nil {
			return err
		}
	}
	return nil
}

// tallied are the sums that are kept and, each by itself, the submissions that came
// since, as a table for a query of which $1 is the operation.
const tallied = `(
		SELECT device, form, version, n, last, seq
		FROM submission_tally
		WHERE operation = $1
		UNION ALL
		SELECT device, form, version, 1, received, seq
		FROM submission INDEXED BY submission_seq
		WHERE operation = $1 AND seq > coalesce((SELECT seq FROM reading_done WHERE operation = $1), 0))`

// counted counts the submissions of a form, of a device or of both, from sums.
func (db *DB) counted(ctx context.Context, q Querier, f dtm.SubmissionFilter) (n int, err error) {
	of := &finding{args: []any{db.operation}, walk: "TRUE"}
	for column, v := range map[string]*string{"form": f.Form, "device": f.Device} {
		if v != nil {
			of.and(column + " = " + of.bind(*v))
		}
	}
	err = q.QueryRowContext(ctx, `
		SELECT CAST(coalesce(sum(n), 0) AS BIGINT)
		FROM `+tallied+` y
		WHERE `+of.where(), of.args...).Scan(&n)
	return n, err
}
