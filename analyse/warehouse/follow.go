package warehouse

import (
	"context"
	"time"
)

// Follow moves facts to the cells, regions and roles that their points have on their
// days now. before is the pack that they were made with, nil when it is not known;
// known are the numbers of the cells. It gives the cells that are new, to be numbered
// on from len(known), and the months that were summed up again.
func (m Merger) Follow(ctx context.Context, before, after *Pack, known map[Cell]int32) (fresh []Cell, months []time.Time, err error) {
	if moves := Recast(before, after, known); len(moves) > 0 {
		if fresh, months, err = m.move(ctx, moves, known); err != nil {
			return nil, nil, err
		}
	}
	for _, p := range Moved(before, after) {
		for _, table := range []string{"interview", "need"} {
			if _, err := m.Exec(ctx, `
				UPDATE `+table+` SET region = $1, role = $2
				WHERE point = $3 AND observed >= CAST($4 AS date) AND observed < CAST($5 AS date) AND (region <> $1 OR role <> $2)`,
				p.Region, p.Role, p.Point, p.From.Format(time.DateOnly), p.Until.Format(time.DateOnly)); err != nil {
				return nil, nil, err
			}
		}
	}
	_, err = m.Exec(ctx, `UPDATE load_position SET fingerprint = $1`, after.Fingerprint())
	return fresh, months, err
}

func (m Merger) move(ctx context.Context, moves []Move, known map[Cell]int32) (fresh []Cell, months []time.Time, err error) {
	for _, t := range []struct{ name, definition string }{
		{"move", `(number INTEGER, cell INTEGER, since DATE, until DATE)`},
		{"recast", `(cell INTEGER, since DATE, until DATE, to_cell INTEGER)`},
	} {
		if err := m.Temp(ctx, t.name, t.definition); err != nil {
			return nil, nil, err
		}
	}
	if err := m.Fill(ctx, "move", []string{"number", "cell", "since", "until"}, len(moves), func(i int) []any {
		return []any{int32(i), moves[i].Cell, moves[i].From, moves[i].Until}
	}); err != nil {
		return nil, nil, err
	}
	var used []Move
	err = m.Each(ctx, func(scan func(...any) error) error {
		var i int32
		err := scan(&i)
		if err == nil {
			used = append(used, moves[i])
		}
		return err
	}, `
		SELECT DISTINCT m.number
		FROM move m
		JOIN fact f ON f.cell = m.cell AND f.observed >= m.since AND f.observed < m.until`)
	if err != nil || len(used) == 0 {
		return nil, nil, err
	}
	fresh, to := NewCells(used, known)
	if err := m.AppendCells(ctx, fresh, int32(len(known))); err != nil {
		return nil, nil, err
	}
	if err := m.Fill(ctx, "recast", []string{"cell", "since", "until", "to_cell"}, len(used), func(i int) []any {
		return []any{used[i].Cell, used[i].From, used[i].Until, to[i]}
	}); err != nil {
		return nil, nil, err
	}
	if err := m.Each(ctx, func(scan func(...any) error) error {
		var at time.Time
		err := scan(&at)
		months = append(months, month(at))
		return err
	}, `
		SELECT DISTINCT f.month
		FROM fact f
		JOIN recast r ON f.cell = r.cell AND f.observed >= r.since AND f.observed < r.until`); err != nil {
		return nil, nil, err
	}
	if err := all(ctx, m, `
		UPDATE fact
		SET cell = r.to_cell
		FROM recast r
		WHERE fact.cell = r.cell AND fact.observed >= r.since AND fact.observed < r.until`, `
		UPDATE fact_vulnerability
		SET cell = r.to_cell
		FROM recast r
		WHERE fact_vulnerability.cell = r.cell AND fact_vulnerability.observed >= r.since AND fact_vulnerability.observed < r.until`,
	); err != nil {
		return nil, nil, err
	}
	if err := m.Stamp(ctx, months); err != nil {
		return nil, nil, err
	}
	return fresh, months, m.SumUp(ctx, months)
}
