package relational

import (
	"context"
	"strconv"
	"time"

	"dtm"
	"dtm/event"
)

var _ dtm.References = (*DB)(nil)

// ImportReferences adds published figures; those that are there as they are change
// nothing.
func (db *DB) ImportReferences(ctx context.Context, file string, list []dtm.Reference) (seq int64, err error) {
	err = db.update(ctx, "store.ImportReferences", func(t *tx) error {
		seq = 0
		var fresh []dtm.Reference
		for _, r := range list {
			var value float64
			var decimals, atLeast int
			found, err := t.row(`
				SELECT value, decimals, at_least
				FROM reference
				WHERE operation = $1 AND first_day = $2 AND indicator = $3 AND end_day = $4 AND source = $5`,
				[]any{t.db.operation, dayText(r.Period.From), r.Indicator, dayText(r.Period.To), r.Source}, &value, &decimals, &atLeast)
			if err != nil {
				return err
			}
			if !found || value != r.Value || decimals != r.Decimals || atLeast == 1 != r.AtLeast {
				fresh = append(fresh, r)
			}
		}
		if len(fresh) == 0 {
			return nil
		}
		n, err := t.log(dtm.ReferencesImported, file, event.Actor(ctx), jsonText(map[string]any{"figures": fresh}))
		if err != nil {
			return err
		}
		seq = n
		for _, r := range fresh {
			if err := t.exec(`
				INSERT INTO reference (operation, indicator, first_day, end_day, source, value, decimals, at_least, seq)
				VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
				ON CONFLICT (operation, first_day, indicator, end_day, source) DO UPDATE
				SET value = $6, decimals = $7, at_least = $8, seq = $9`,
				t.db.operation, r.Indicator, dayText(r.Period.From), dayText(r.Period.To), r.Source, r.Value, r.Decimals, r.AtLeast, seq); err != nil {
				return err
			}
		}
		return nil
	})
	return seq, err
}

// References lists those of periods that begin in p.
func (db *DB) References(ctx context.Context, p dtm.Period) ([]dtm.Reference, error) {
	const op = "store.References"
	rows, err := db.read.QueryContext(ctx, `
		SELECT indicator, first_day, end_day, source, value, decimals, at_least, seq
		FROM reference
		WHERE operation = $1 AND first_day >= $2 AND first_day < $3
		ORDER BY first_day, indicator, end_day, source`, db.operation, dayText(p.From), dayText(p.To))
	if err != nil {
		return nil, failure(op, err)
	}
	defer rows.Close()
	var out []dtm.Reference
	for rows.Next() {
		var r dtm.Reference
		var from, to string
		err := rows.Scan(&r.Indicator, &from, &to, &r.Source, &r.Value, &r.Decimals, &r.AtLeast, &r.Seq)
		if err == nil {
			r.Period.From, err = time.Parse(time.DateOnly, from)
		}
		if err == nil {
			r.Period.To, err = time.Parse(time.DateOnly, to)
		}
		if err != nil {
			return nil, failure(op, err)
		}
		out = append(out, r)
	}
	return out, failure(op, rows.Err())
}

// WithdrawReferences takes back what an event brought.
func (db *DB) WithdrawReferences(ctx context.Context, seq int64) error {
	return db.update(ctx, "store.WithdrawReferences", func(t *tx) error {
		n, err := t.change(`
			DELETE FROM reference
			WHERE operation = $1 AND seq = $2`, t.db.operation, seq)
		if err != nil {
			return err
		}
		if n == 0 {
			return dtm.Errorf(dtm.NotFound, "event %d brought no published figures, or they were taken back", seq).Coded("reference.none")
		}
		_, err = t.log(dtm.ReferencesWithdrawn, strconv.FormatInt(seq, 10), event.Actor(ctx), jsonText(map[string]any{"figures": n}))
		return err
	})
}
