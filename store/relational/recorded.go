package relational

import (
	"context"

	"dtm"
)

var _ dtm.Recorded = (*DB)(nil)

// arrivedBytes is how much of answers is read at once, a little more than.
const arrivedBytes = 1 << 20

const arrivedQuery = `
	SELECT ` + submissionColumns + `
	FROM submission s INDEXED BY submission_seq
	WHERE s.operation = $1 AND s.seq BETWEEN $2 AND $3
	ORDER BY s.seq`

// Arrived returns the submissions that the entries first to last record, in their
// order and without attachments, or as many of them as are a megabyte together.
func (db *DB) Arrived(ctx context.Context, first, last int64) ([]dtm.Submission, error) {
	const op = "store.Arrived"
	rows, err := db.arrived.QueryContext(ctx, db.operation, first, last)
	if err != nil {
		return nil, failure(op, err)
	}
	defer rows.Close()
	var list []dtm.Submission
	size := 0
	for size < arrivedBytes && rows.Next() {
		s, err := scanSubmission(rows.Scan)
		if err != nil {
			return nil, failure(op, err)
		}
		list, size = append(list, s), size+len(s.XML)
	}
	return list, failure(op, rows.Err())
}
