package relational

import (
	"context"
	"strconv"

	"dtm"
	"dtm/event"
)

var _ dtm.Outsides = (*DB)(nil)

// ImportOutside adds counts that others made; those that are there as they are change
// nothing.
func (db *DB) ImportOutside(ctx context.Context, file string, list []dtm.Outside) (seq int64, err error) {
	err = db.update(ctx, "store.ImportOutside", func(t *tx) error {
		seq = 0
		var fresh []dtm.Outside
		for _, x := range list {
			var people int64
			var source string
			found, err := t.row(`
				SELECT people, source
				FROM outside
				WHERE operation = $1 AND series = $2 AND month = $3 AND place = $4`,
				[]any{t.db.operation, x.Series, x.Month.String(), x.Place}, &people, &source)
			if err != nil {
				return err
			}
			if !found || people != x.People || source != x.Source {
				fresh = append(fresh, x)
			}
		}
		if len(fresh) == 0 {
			return nil
		}
		n, err := t.log(dtm.OutsideImported, file, event.Actor(ctx), jsonText(map[string]any{"counts": fresh}))
		if err != nil {
			return err
		}
		seq = n
		for _, x := range fresh {
			if err := t.exec(`
				INSERT INTO outside (operation, series, month, place, people, source, seq)
				VALUES ($1, $2, $3, $4, $5, $6, $7)
				ON CONFLICT (operation, series, month, place) DO UPDATE
				SET people = $5, source = $6, seq = $7`,
				t.db.operation, x.Series, x.Month.String(), x.Place, x.People, x.Source, seq); err != nil {
				return err
			}
		}
		return nil
	})
	return seq, err
}

// Outside lists all counts by series, month and place.
func (db *DB) Outside(ctx context.Context) ([]dtm.Outside, error) {
	const op = "store.Outside"
	rows, err := db.read.QueryContext(ctx, `
		SELECT series, month, place, people, source, seq
		FROM outside
		WHERE operation = $1
		ORDER BY series, month, place`, db.operation)
	if err != nil {
		return nil, failure(op, err)
	}
	defer rows.Close()
	var out []dtm.Outside
	for rows.Next() {
		var x dtm.Outside
		var month string
		err := rows.Scan(&x.Series, &month, &x.Place, &x.People, &x.Source, &x.Seq)
		if err == nil {
			x.Month, err = dtm.ParseMonth(month)
		}
		if err != nil {
			return nil, failure(op, err)
		}
		out = append(out, x)
	}
	return out, failure(op, rows.Err())
}

// WithdrawOutside takes back what an event brought.
func (db *DB) WithdrawOutside(ctx context.Context, seq int64) error {
	return db.update(ctx, "store.WithdrawOutside", func(t *tx) error {
		n, err := t.change(`
			DELETE FROM outside
			WHERE operation = $1 AND seq = $2`, t.db.operation, seq)
		if err != nil {
			return err
		}
		if n == 0 {
			return dtm.Errorf(dtm.NotFound, "event %d brought no counts made by others, or they were taken back", seq).Coded("outside.none")
		}
		_, err = t.log(dtm.OutsideWithdrawn, strconv.FormatInt(seq, 10), event.Actor(ctx), jsonText(map[string]any{"counts": n}))
		return err
	})
}
