package duckdb

import (
	"context"
	"time"

	"dtm"
	"dtm/analyse/warehouse"
)

// merge brings the staged facts into the tables.
func (w *Warehouse) merge(ctx context.Context, s *warehouse.Stage) error {
	steps := []func(context.Context, *warehouse.Stage) error{
		w.mergeSubmissions,
		w.mergeHistory,
		w.insertFacts,
		w.sumUp,
		w.markMain,
		w.order,
		w.recordOutcome,
	}
	for _, step := range steps {
		if err := step(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// mergeSubmissions takes out what the staged submissions said before and what the
// instances they replace said. Most submissions are new; then nothing is looked
// through.
func (w *Warehouse) mergeSubmissions(ctx context.Context, s *warehouse.Stage) error {
	if len(s.Submitted) == 0 {
		return nil
	}
	if len(s.Replaced) > 0 {
		if err := w.exec(ctx, `
			INSERT INTO replaced (operation, source)
			SELECT DISTINCT $1, source FROM stage_replaced
			ON CONFLICT DO NOTHING`, w.op.Code); err != nil {
			return err
		}
	}
	// The key's index finds the known ones among the new: looking them up by a
	// join would read every submission there ever was, several times a second.
	r, err := w.writer.ExecContext(ctx, `
		INSERT INTO submission (operation, source)
		SELECT DISTINCT $1, source FROM stage_submission
		ON CONFLICT DO NOTHING`, w.op.Code)
	if err != nil {
		return err
	}
	added, err := r.RowsAffected()
	if err != nil {
		return err
	}
	if int(added) < len(s.Submitted) || len(s.Replaced) > 0 {
		s.Mixed = true // perhaps: touched says
		for _, text := range []string{`
			CREATE OR REPLACE TEMP TABLE void AS
			SELECT source FROM stage_submission UNION SELECT source FROM stage_replaced`, `
			INSERT INTO sum_up
			SELECT DISTINCT month FROM fact WHERE source IN (SELECT source FROM void)`, `
			INSERT INTO touched
			SELECT DISTINCT f.month, c.point, c.point_text
			FROM fact f
			JOIN cell c ON c.cell = f.cell
			WHERE f.source IN (SELECT source FROM void) AND c.breakdown <> 'full'`, `
			DELETE FROM fact WHERE source IN (SELECT source FROM void)`, `
			DELETE FROM fact_vulnerability WHERE source IN (SELECT source FROM void)`, `
			DELETE FROM arrival WHERE source IN (SELECT source FROM void)`,
		} {
			if err := w.exec(ctx, text); err != nil {
				return err
			}
		}
	}
	if len(s.Arrivals) > 0 {
		if err := w.exec(ctx, `
			INSERT INTO arrival (operation, source, observed, point, point_text, device, received, hour, delay, positioned, lon, lat)
			SELECT a.operation, a.source, a.observed, a.point, a.point_text, a.device, a.received, a.hour, a.delay, a.positioned, a.lon, a.lat
			FROM stage_arrival a
			WHERE NOT EXISTS (SELECT 1 FROM replaced r WHERE r.operation = a.operation AND r.source = a.source)`); err != nil {
			return err
		}
	}
	return w.exec(ctx, `
		DELETE FROM stage
		WHERE chunk = -1 AND source IN (
			SELECT r.source FROM replaced r JOIN stage_submission t ON r.source = t.source WHERE r.operation = $1)`, w.op.Code)
}

// mergeHistory compares imported rows with those that have the same key, drops
// the unchanged from the stage and takes the changed out of the facts.
func (w *Warehouse) mergeHistory(ctx context.Context, s *warehouse.Stage) error {
	if len(s.Outcomes) == 0 {
		return nil
	}
	if err := w.exec(ctx, `
		CREATE OR REPLACE TEMP TABLE known AS
		SELECT s.number, m.source, m.month, m.people, m.assessed,
			m.people = s.people AND m.assessed = s.assessed AS same
		FROM fact m
		JOIN stage s ON s.source = m.source
		WHERE m.operation = $1 AND s.chunk >= 0`, w.op.Code); err != nil {
		return err
	}
	before := map[string]warehouse.Stood{}
	if err := w.each(ctx, func(scan func(...any) error) error {
		var source string
		var b warehouse.Stood
		err := scan(&source, &b.People, &b.Assessed)
		before[source] = b
		return err
	}, `SELECT source, people, assessed FROM known`); err != nil {
		return err
	}
	s.Count(before)
	if len(before) == 0 {
		return nil
	}
	for _, text := range []string{`
		INSERT INTO sum_up SELECT DISTINCT month FROM known WHERE NOT same`, `
		DELETE FROM fact WHERE source IN (SELECT source FROM known WHERE NOT same)`, `
		DELETE FROM fact_vulnerability WHERE source IN (SELECT source FROM known WHERE NOT same)`, `
		DELETE FROM stage WHERE number IN (SELECT number FROM known WHERE same)`,
	} {
		if err := w.exec(ctx, text); err != nil {
			return err
		}
	}
	return nil
}

// insertFacts adds what is left in the stage to the facts and to the rollups.
// Rows by nationality are added as not main; markMain decides.
func (w *Warehouse) insertFacts(ctx context.Context, s *warehouse.Stage) error {
	if len(s.Facts) == 0 {
		return nil
	}
	texts := []string{`
		INSERT INTO fact
		SELECT $1, s.source, s.observed, s.month, s.month_only, s.cell, s.people, s.assessed, c.breakdown <> 'nationality'
		FROM stage s
		JOIN cell c ON c.cell = s.cell`, `
		INSERT INTO fact_month
		SELECT $1, s.month, s.month_only, s.cell, CAST(sum(s.people) AS bigint), c.breakdown <> 'nationality'
		FROM stage s
		JOIN cell c ON c.cell = s.cell
		GROUP BY s.month, s.month_only, s.cell, c.breakdown`, `
		INSERT INTO point_day
		SELECT DISTINCT $1, s.observed, s.month, c.point, c.point_text, c.region
		FROM stage s
		JOIN cell c ON c.cell = s.cell
		WHERE NOT s.month_only`, `
		INSERT INTO fact_vulnerability
		SELECT $1, s.source, s.observed, s.month, s.month_only, s.cell, v.code, v.people, s.people
		FROM stage_vulnerability v
		JOIN stage s ON s.number = v.number`,
	}
	for _, text := range texts {
		if err := w.exec(ctx, text, w.op.Code); err != nil {
			return err
		}
	}
	return w.answers(ctx, len(s.Cells), s.FirstCell)
}

// answers adds the answers of the sets that cells from number first on name.
func (w *Warehouse) answers(ctx context.Context, cells int, first int32) error {
	if cells == 0 {
		return nil
	}
	for list, of := range map[string]string{"reason": "reason_set", "transport": "transport_set"} {
		if err := w.exec(ctx, `
			INSERT INTO answer_set (list, answer_set, code)
			SELECT DISTINCT $1, t.answers, unnest(string_split(t.answers, ' '))
			FROM (SELECT DISTINCT `+of+` AS answers FROM cell WHERE `+of+` <> '' AND cell >= $2) t
			ON CONFLICT DO NOTHING`, list, first); err != nil {
			return err
		}
	}
	return nil
}

// markMain decides for the touched months and points whether rows by nationality
// count in totals: only where there is no row by sex and age, which describes the
// same people. It looks at what is there, not at what came first, so that the
// order of imports does not matter.
func (w *Warehouse) markMain(ctx context.Context, s *warehouse.Stage) error {
	if !s.Mixed {
		return nil
	}
	for _, text := range []string{`
		INSERT INTO touched
		SELECT DISTINCT s.month, c.point, c.point_text
		FROM stage s
		JOIN cell c ON c.cell = s.cell
		WHERE c.breakdown <> 'full'`, `
		CREATE OR REPLACE TEMP TABLE place AS
		SELECT t.month, t.point, t.point_text, bool_or(c.breakdown = 'sex_age') AS has_sex_age
		FROM (SELECT DISTINCT month, point, point_text FROM touched) t
		JOIN cell c ON c.point = t.point AND c.point_text = t.point_text
		JOIN fact_month f ON f.cell = c.cell AND f.month = t.month
		GROUP BY t.month, t.point, t.point_text`, `
		CREATE OR REPLACE TEMP TABLE flip AS
		SELECT DISTINCT p.month, c.cell, NOT p.has_sex_age AS main
		FROM place p
		JOIN cell c ON c.point = p.point AND c.point_text = p.point_text AND c.breakdown = 'nationality'
		JOIN fact_month f ON f.cell = c.cell AND f.month = p.month
		WHERE f.main = p.has_sex_age`, `
		UPDATE fact
		SET main = f.main
		FROM flip f
		WHERE fact.month = f.month AND fact.cell = f.cell`, `
		UPDATE fact_month
		SET main = f.main
		FROM flip f
		WHERE fact_month.month = f.month AND fact_month.cell = f.cell`,
	} {
		if err := w.exec(ctx, text); err != nil {
			return err
		}
	}
	return nil
}

// order makes fact_month short again after much was imported: what has the same
// month and cell becomes one row, and months lie together, so that a page about
// one month does not read the others. It waits until half as much has been added
// as there was, so that an import of any length orders each row a few times.
func (w *Warehouse) order(ctx context.Context, s *warehouse.Stage) error {
	added := 0
	for _, by := range []map[time.Time]int{w.deltas, s.Months} {
		for _, n := range by {
			added += n
		}
	}
	if added < orderAfter {
		return nil
	}
	var rows int
	if err := w.writer.QueryRowContext(ctx, `SELECT CAST(count(*) AS integer) FROM fact_month`).Scan(&rows); err != nil || added < rows/3 {
		return err
	}
	for _, text := range []string{`
		CREATE OR REPLACE TEMP TABLE ordered AS
		SELECT operation, month, month_only, cell, CAST(sum(people) AS bigint) AS people, main
		FROM fact_month
		GROUP BY operation, month, month_only, cell, main
		ORDER BY month, cell`, `
		DELETE FROM fact_month`, `
		INSERT INTO fact_month SELECT * FROM ordered`, `
		DROP TABLE ordered`,
	} {
		if err := w.exec(ctx, text); err != nil {
			return err
		}
	}
	for m := range w.deltas {
		s.SumUp = append(s.SumUp, m)
	}
	for m := range s.Months {
		s.SumUp = append(s.SumUp, m)
	}
	return nil
}

// sumUp makes the rollups of a month again from the facts where rows were taken
// out or changed their part, and where many small additions have gathered.
func (w *Warehouse) sumUp(ctx context.Context, s *warehouse.Stage) error {
	for m, n := range s.Months {
		if before := w.deltas[m]; before > 0 && before+n > sumUpAfter {
			if err := w.exec(ctx, `INSERT INTO sum_up VALUES (CAST($1 AS date))`, m.Format(time.DateOnly)); err != nil {
				return err
			}
		}
	}
	if err := w.each(ctx, func(scan func(...any) error) error {
		var m time.Time
		err := scan(&m)
		s.SumUp = append(s.SumUp, dtm.MonthOf(m).First())
		return err
	}, `SELECT DISTINCT month FROM sum_up`); err != nil {
		return err
	}
	if len(s.SumUp) == 0 {
		return nil
	}
	for _, text := range []string{`
		DELETE FROM fact_month WHERE month IN (SELECT month FROM sum_up)`, `
		DELETE FROM point_day WHERE month IN (SELECT month FROM sum_up)`, `
		INSERT INTO fact_month
		SELECT operation, month, month_only, cell, CAST(sum(people) AS bigint), main
		FROM fact
		WHERE month IN (SELECT month FROM sum_up)
		GROUP BY operation, month, month_only, cell, main`, `
		INSERT INTO point_day
		SELECT DISTINCT operation, observed, month, point, point_text, region
		FROM movement
		WHERE NOT month_only AND month IN (SELECT month FROM sum_up)`,
	} {
		if err := w.exec(ctx, text); err != nil {
			return err
		}
	}
	return nil
}

func (w *Warehouse) recordOutcome(ctx context.Context, s *warehouse.Stage) error {
	for _, o := range s.Outcomes {
		if err := w.exec(ctx, `
			INSERT INTO outcome (operation, chunk, row_count, added, unchanged, changed)
			VALUES ($1, $2, $3, $4, $5, $6)`,
			w.op.Code, o.Chunk, o.Rows, o.Added, o.Unchanged, o.Changed); err != nil {
			return err
		}
	}
	return nil
}
