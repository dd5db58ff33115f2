package relational

import (
	"context"
	"time"

	"dtm"
	"dtm/event"
)

var _ dtm.Forecasts = (*DB)(nil)

// KeepForecasts keeps forecasts of series and origins that have none yet.
func (db *DB) KeepForecasts(ctx context.Context, list []dtm.Forecast) (int, error) {
	kept := 0
	err := db.update(ctx, "store.KeepForecasts", func(t *tx) error {
		kept = 0
		type series struct{ step, origin, by, key string }
		had := map[series]bool{}
		var subjects []string
		count, release := map[string]int{}, ""
		for _, f := range list {
			s := series{f.Step, f.Origin.Format(time.DateOnly), f.By, f.Key}
			has, known := had[s]
			if !known {
				var err error
				if has, err = t.row(`
					SELECT 1
					FROM forecast
					WHERE operation = $1 AND step = $2 AND origin = $3 AND series_by = $4 AND series_key = $5
					LIMIT 1`, []any{t.db.operation, s.step, s.origin, s.by, s.key}, new(int)); err != nil {
					return err
				}
				had[s] = has
			}
			if has {
				continue
			}
			if err := t.exec(`
				INSERT INTO forecast (operation, step, origin, series_by, series_key, target, ahead, seq, made, data_release, model, form, mean, lo80, hi80, lo95, hi95)
				VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`,
				t.db.operation, s.step, s.origin, s.by, s.key, f.Target.Format(time.DateOnly), f.Ahead, t.chain.Seq+1, timeText(t.now), f.Release, f.Model, f.Form,
				f.Mean, f.Lo80, f.Hi80, f.Lo95, f.Hi95); err != nil {
				return err
			}
			kept++
			subject := s.step + "/" + s.origin
			if count[subject]++; count[subject] == 1 {
				subjects = append(subjects, subject)
			}
			release = f.Release
		}
		for _, s := range subjects {
			if _, err := t.log(dtm.ForecastsKept, s, event.Actor(ctx), jsonText(map[string]any{"forecasts": count[s], "release": release})); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return kept, nil
}

// Forecasts lists those of a step, the latest origin first.
func (db *DB) Forecasts(ctx context.Context, step string) ([]dtm.Forecast, error) {
	const op = "store.Forecasts"
	rows, err := db.read.QueryContext(ctx, `
		SELECT step, series_by, series_key, origin, target, ahead, made, data_release, model, form, mean, lo80, hi80, lo95, hi95
		FROM forecast
		WHERE operation = $1 AND step = $2
		ORDER BY origin DESC, series_by, series_key, target`, db.operation, step)
	if err != nil {
		return nil, failure(op, err)
	}
	defer rows.Close()
	var list []dtm.Forecast
	for rows.Next() {
		var f dtm.Forecast
		var origin, target, made string
		err := rows.Scan(&f.Step, &f.By, &f.Key, &origin, &target, &f.Ahead, &made, &f.Release, &f.Model, &f.Form, &f.Mean, &f.Lo80, &f.Hi80, &f.Lo95, &f.Hi95)
		if err == nil {
			f.Origin, err = time.Parse(time.DateOnly, origin)
		}
		if err == nil {
			f.Target, err = time.Parse(time.DateOnly, target)
		}
		if err == nil {
			f.Made, err = textTime(made)
		}
		if err != nil {
			return nil, failure(op, err)
		}
		list = append(list, f)
	}
	return list, failure(op, rows.Err())
}
