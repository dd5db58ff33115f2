package duckdb

import (
	"context"
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
	var fresh []warehouse.Cell
	var months []time.Time
	err := w.tx(ctx, func() (err error) {
		fresh, months, err = w.merger().Follow(ctx, before, w.pack, w.cells)
		return err
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
