package sqlite

import "context"

// Last returns the sequence number of the newest event, 0 when there is none.
func (db *DB) Last(ctx context.Context) (int64, error) {
	head, err := db.head(ctx)
	return head.Seq, err
}
