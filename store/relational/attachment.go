package relational

import (
	"context"

	"dtm"
)

// EachAttachment calls f with every attachment that has arrived and the submission it
// belongs to, and stops at f's error.
func (db *DB) EachAttachment(ctx context.Context, f func(submission string, a dtm.Attachment) error) error {
	const op = "store.EachAttachment"
	rows, err := db.read.QueryContext(ctx, `
		SELECT submission, name, type, size, hash
		FROM attachment
		WHERE operation = $1
		ORDER BY submission, name`, db.operation)
	if err != nil {
		return failure(op, err)
	}
	defer rows.Close()
	for rows.Next() {
		var of string
		var a dtm.Attachment
		if err := rows.Scan(&of, &a.Name, &a.Type, &a.Size, &a.Hash); err != nil {
			return failure(op, err)
		}
		if err := f(of, a); err != nil {
			return err
		}
	}
	return failure(op, rows.Err())
}
