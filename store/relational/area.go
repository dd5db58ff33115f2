package relational

import (
	"context"

	"dtm"
	"dtm/event"
)

var _ dtm.AreaVersions = (*DB)(nil)

// AreaVersions lists the replacements of the areas up to event seq, oldest first; 0: all.
func (db *DB) AreaVersions(ctx context.Context, seq int64) ([]dtm.AreaVersion, error) {
	const op = "store.AreaVersions"
	entries, err := db.events(ctx, op, ` INDEXED BY event_area
		WHERE operation = $1 AND name >= 'areas.' AND name < 'areas/' AND name = $2 AND ($3 = 0 OR seq <= $3)
		ORDER BY seq`, db.operation, dtm.AreasReplaced, seq)
	if err != nil {
		return nil, err
	}
	var list []dtm.AreaVersion
	for _, e := range entries {
		v, err := dtm.ReadAreaVersion(e)
		if err != nil {
			return nil, failure(op, err)
		}
		list = append(list, v)
	}
	return list, nil
}

// ReplaceAreas adds a version: Conflict when there is one after seen.
func (db *DB) ReplaceAreas(ctx context.Context, v dtm.AreaVersion, seen int) (dtm.AreaVersion, error) {
	err := db.update(ctx, "store.ReplaceAreas", func(t *tx) error {
		var n int
		_, err := t.row(`
			SELECT count(*)
			FROM event INDEXED BY event_area
			WHERE operation = $1 AND name >= 'areas.' AND name < 'areas/' AND name = $2`, []any{t.db.operation, dtm.AreasReplaced}, &n)
		if err != nil {
			return err
		}
		if n != seen {
			return dtm.Errorf(dtm.Conflict, "somebody replaced the areas meanwhile (version %d); look again, then repeat it", n).Coded("area.meanwhile", n)
		}
		v.N, v.At, v.Actor = n+1, t.now, event.Actor(ctx)
		v.Seq, err = t.log(dtm.AreasReplaced, "areas", v.Actor, v.Detail())
		return err
	})
	return v, err
}
