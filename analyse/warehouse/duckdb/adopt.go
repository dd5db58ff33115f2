package duckdb

import (
	"context"
	"database/sql/driver"
	"time"

	"dtm"
	"dtm/analyse/warehouse"
)

// Adopt makes the facts follow the operation's points as the register has them now.
// It tells whether the warehouse had to be emptied, because names mean something
// else: then the log is to be loaded from its start.
func (w *Warehouse) Adopt(ctx context.Context, op *dtm.Operation) (emptied bool, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	before := w.pack
	w.op, w.pack = op, warehouse.NewPack(op)
	switch warehouse.Adopt(before.Fingerprint(), w.pack) {
	case warehouse.Recasted:
		err = w.recast(ctx, before)
	case warehouse.Anew:
		emptied, err = true, w.reset(ctx)
	}
	if err != nil {
		w.pack = before
	}
	return emptied, wrap("Adopt", err)
}

// recast moves facts to the cells of the regions and roles that their points have
// on their days now; before is the pack that they were made with, nil when it is
// not known.
func (w *Warehouse) recast(ctx context.Context, before *warehouse.Pack) error {
	moves := warehouse.Recast(before, w.pack, w.cells)
	var fresh []warehouse.Cell
	var months []time.Time
	err := w.tx(ctx, func() error {
		var err error
		if len(moves) > 0 {
			fresh, months, err = w.move(ctx, moves)
		}
		if err != nil {
			return err
		}
		return w.exec(ctx, `UPDATE load_position SET fingerprint = $1`, w.pack.Fingerprint())
	})
	if err != nil {
		return err
	}
	n := int32(len(w.cells))
	for i, c := range fresh {
		w.cells[c] = n + int32(i)
	}
	for _, m := range months {
		delete(w.deltas, m)
	}
	return nil
}

// move returns the cells that are new and the months that were summed up again.
func (w *Warehouse) move(ctx context.Context, moves []warehouse.Move) (fresh []warehouse.Cell, months []time.Time, err error) {
	for _, text := range []string{
		`CREATE OR REPLACE TEMP TABLE move (number INTEGER, cell INTEGER, since DATE, until DATE)`,
		`CREATE OR REPLACE TEMP TABLE recast (cell INTEGER, since DATE, until DATE, to_cell INTEGER)`,
		`CREATE OR REPLACE TEMP TABLE sum_up (month DATE)`,
	} {
		if err := w.exec(ctx, text); err != nil {
			return nil, nil, err
		}
	}
	if err := w.writeMoves(ctx, moves); err != nil {
		return nil, nil, err
	}
	var used []warehouse.Move
	err = w.each(ctx, func(scan func(...any) error) error {
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
	fresh, to := warehouse.NewCells(used, w.cells)
	if err := w.writeRecast(ctx, fresh, used, to); err != nil {
		return nil, nil, err
	}
	for _, text := range []string{`
		INSERT INTO sum_up
		SELECT DISTINCT f.month
		FROM fact f
		JOIN recast r ON f.cell = r.cell AND f.observed >= r.since AND f.observed < r.until`, `
		UPDATE fact
		SET cell = r.to_cell
		FROM recast r
		WHERE fact.cell = r.cell AND fact.observed >= r.since AND fact.observed < r.until`, `
		UPDATE fact_vulnerability
		SET cell = r.to_cell
		FROM recast r
		WHERE fact_vulnerability.cell = r.cell AND fact_vulnerability.observed >= r.since AND fact_vulnerability.observed < r.until`,
	} {
		if err := w.exec(ctx, text); err != nil {
			return nil, nil, err
		}
	}
	s := &warehouse.Stage{}
	if err := w.sumUp(ctx, s); err != nil {
		return nil, nil, err
	}
	return fresh, s.SumUp, nil
}

func (w *Warehouse) writeMoves(_ context.Context, moves []warehouse.Move) error {
	return w.writer.Raw(func(conn any) error {
		return appendRows(conn.(driver.Conn), "temp", "move", func(add func(...driver.Value) error) error {
			for i, m := range moves {
				if err := add(int32(i), m.Cell, m.From, m.Until); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

func (w *Warehouse) writeRecast(_ context.Context, fresh []warehouse.Cell, moves []warehouse.Move, to []int32) error {
	return w.writer.Raw(func(conn any) error {
		c := conn.(driver.Conn)
		if err := w.appendCells(c, fresh, int32(len(w.cells))); err != nil {
			return err
		}
		return appendRows(c, "temp", "recast", func(add func(...driver.Value) error) error {
			for i, m := range moves {
				if err := add(m.Cell, m.From, m.Until, to[i]); err != nil {
					return err
				}
			}
			return nil
		})
	})
}
