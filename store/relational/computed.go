package relational

import (
	"context"
	"database/sql"
	"errors"

	"dtm"
)

var _ dtm.Computations = (*DB)(nil)

// Computed returns the result of a name; an empty one when there is none.
func (db *DB) Computed(ctx context.Context, name string) (dtm.Computed, error) {
	const op = "store.Computed"
	c := dtm.Computed{Name: name}
	var at string
	err := db.read.QueryRowContext(ctx, `
		SELECT basis, at, body
		FROM computed
		WHERE operation = $1 AND name = $2`, db.operation, name).Scan(&c.Basis, &at, &c.Body)
	if errors.Is(err, sql.ErrNoRows) {
		return dtm.Computed{}, nil
	}
	if err == nil {
		c.At, err = textTime(at)
	}
	return c, failure(op, err)
}

// KeepComputed replaces the result of a name.
func (db *DB) KeepComputed(ctx context.Context, c dtm.Computed) error {
	return db.update(ctx, "store.KeepComputed", func(t *tx) error {
		return t.exec(`
			INSERT INTO computed (operation, name, basis, at, body)
			VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (operation, name) DO UPDATE SET basis = excluded.basis, at = excluded.at, body = excluded.body`,
			t.db.operation, c.Name, c.Basis, timeText(c.At), blob(c.Body))
	})
}
