package relational

import (
	"context"
	"database/sql"
	"errors"

	"dtm"
)

var _ dtm.Checkpoints = (*DB)(nil)

// AddCheckpoint keeps a signed head of the log.
func (db *DB) AddCheckpoint(ctx context.Context, c dtm.Checkpoint) error {
	return db.update(ctx, "store.AddCheckpoint", func(t *tx) error {
		return t.exec(`
			INSERT INTO checkpoint (operation, seq, at, note)
			VALUES ($1, $2, $3, $4)
			ON CONFLICT (operation, seq) DO NOTHING`, t.db.operation, c.Seq, timeText(c.At), c.Note)
	})
}

const checkpointQuery = `
	SELECT seq, at, note
	FROM checkpoint
	WHERE operation = $1`

func scanCheckpoint(scan func(...any) error) (c dtm.Checkpoint, err error) {
	var at string
	if err = scan(&c.Seq, &at, &c.Note); err == nil {
		c.At, err = textTime(at)
	}
	return c, err
}

// Checkpoints lists those after an entry, oldest first.
func (db *DB) Checkpoints(ctx context.Context, after int64, limit int) ([]dtm.Checkpoint, error) {
	const op = "store.Checkpoints"
	rows, err := db.read.QueryContext(ctx, checkpointQuery+` AND seq > $2
		ORDER BY seq
		LIMIT $3`, db.operation, after, limit)
	if err != nil {
		return nil, failure(op, err)
	}
	defer rows.Close()
	var list []dtm.Checkpoint
	for rows.Next() {
		c, err := scanCheckpoint(rows.Scan)
		if err != nil {
			return nil, failure(op, err)
		}
		list = append(list, c)
	}
	return list, failure(op, rows.Err())
}

// LastCheckpoint is the newest.
func (db *DB) LastCheckpoint(ctx context.Context) (dtm.Checkpoint, error) {
	c, err := scanCheckpoint(db.read.QueryRowContext(ctx, checkpointQuery+`
		ORDER BY seq DESC
		LIMIT 1`, db.operation).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return dtm.Checkpoint{}, nil
	}
	return c, failure("store.LastCheckpoint", err)
}
