package relational

import (
	"context"
	"time"

	"dtm"
	"dtm/event"
)

var _ dtm.Capacities = (*DB)(nil)

// DeclareCapacity keeps what was declared.
func (db *DB) DeclareCapacity(ctx context.Context, c dtm.Capacity) error {
	if c.People < dtm.Undeclared || c.Programme == "" || c.From.IsZero() {
		return dtm.Errorf(dtm.Invalid, "a capacity is a programme, a day and 0 or more people a month").Coded("capacity.invalid")
	}
	return db.update(ctx, "store.DeclareCapacity", func(t *tx) error {
		from := c.From.Format(time.DateOnly)
		seq, err := t.log(dtm.CapacityDeclared, c.Programme, event.Actor(ctx), jsonText(map[string]any{"from": from, "people": c.People}))
		if err != nil {
			return err
		}
		return t.exec(`
			INSERT INTO capacity (operation, seq, programme, from_day, people, note, actor, at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`, t.db.operation, seq, c.Programme, from, c.People, c.Note, event.Actor(ctx), timeText(t.now))
	})
}

// Capacities lists all declarations, oldest first.
func (db *DB) Capacities(ctx context.Context) ([]dtm.Capacity, error) {
	const op = "store.Capacities"
	rows, err := db.read.QueryContext(ctx, `
		SELECT seq, programme, from_day, people, note, actor, at
		FROM capacity
		WHERE operation = $1
		ORDER BY seq`, db.operation)
	if err != nil {
		return nil, failure(op, err)
	}
	defer rows.Close()
	var list []dtm.Capacity
	for rows.Next() {
		var c dtm.Capacity
		var from, at string
		err := rows.Scan(&c.Seq, &c.Programme, &from, &c.People, &c.Note, &c.Actor, &at)
		if err == nil {
			c.From, err = time.Parse(time.DateOnly, from)
		}
		if err == nil {
			c.At, err = textTime(at)
		}
		if err != nil {
			return nil, failure(op, err)
		}
		list = append(list, c)
	}
	return list, failure(op, rows.Err())
}
