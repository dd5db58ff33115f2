package relational

import (
	"context"
	"database/sql"

	"dtm"
	"dtm/event"
)

var _ dtm.PointRegister = (*DB)(nil)

// PointChanges lists the changes of points up to event seq, oldest first; 0: all. Their
// index is named: the planner would rather walk the whole log.
func (db *DB) PointChanges(ctx context.Context, seq int64) ([]dtm.PointChange, error) {
	const op = "store.PointChanges"
	rows, err := db.read.QueryContext(ctx, `
		SELECT seq, at, name, subject, actor, detail
		FROM event INDEXED BY event_point
		WHERE operation = $1 AND name >= 'point.' AND name < 'point/' AND ($2 = 0 OR seq <= $2)
		ORDER BY seq`, db.operation, seq)
	if err != nil {
		return nil, failure(op, err)
	}
	defer rows.Close()
	var list []dtm.PointChange
	for rows.Next() {
		var e dtm.Event
		var at string
		if err := rows.Scan(&e.Seq, &at, &e.Name, &e.Subject, &e.Actor, &e.Detail); err != nil {
			return nil, failure(op, err)
		}
		if e.At, err = textTime(at); err != nil {
			return nil, failure(op, err)
		}
		c, err := dtm.ReadPointChange(e)
		if err != nil {
			return nil, failure(op, err)
		}
		list = append(list, c)
	}
	return list, failure(op, rows.Err())
}

// ChangePoint adds a change: Conflict when there is one after seen.
func (db *DB) ChangePoint(ctx context.Context, c dtm.PointChange, seen int64) (dtm.PointChange, error) {
	err := db.update(ctx, "store.ChangePoint", func(t *tx) error {
		var last sql.NullInt64
		_, err := t.row(`
			SELECT max(seq)
			FROM event INDEXED BY event_point
			WHERE operation = $1 AND name >= 'point.' AND name < 'point/'`, []any{t.db.operation}, &last)
		if err != nil {
			return err
		}
		if last.Int64 > seen {
			return dtm.Errorf(dtm.Conflict, "somebody changed the points meanwhile (event %d); look again, then repeat the change", last.Int64).
				Coded("point.meanwhile")
		}
		c.At, c.Actor = t.now, event.Actor(ctx)
		c.Seq, err = t.log(c.Kind, c.Point, c.Actor, c.Detail())
		return err
	})
	return c, err
}
