package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/schollz/progressbar/v3"

	"dtm/analyse/load"
	"dtm/analyse/warehouse/duckdb"
	"dtm/gather/bulk"
)

// rebuildFile is the warehouse that is being made beside the one in use.
const rebuildFile = "facts.rebuild.duckdb"

// runRebuild makes the warehouse anew from the log: beside the one in use, which stays
// whole until the new one is complete, and takes its place at once. A rebuild that was
// interrupted goes on where it stood.
func runRebuild(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	anew := fs.Bool("anew", false, "begin at the start of the log, also when a rebuild was interrupted")
	if _, err := c.parse(fs, 0, 0); err != nil {
		return err
	}
	h, done, err := c.open(ctx, *data)
	if err != nil {
		return err
	}
	defer done()
	if h.config.Warehouse != "" { // one there is; it is emptied and filled in place
		if err := h.facts.Reset(ctx); err != nil {
			return err
		}
		return c.reload(ctx, h, h.facts)
	}
	path := filepath.Join(h.dir, rebuildFile)
	if *anew {
		if err := removeWarehouse(path); err != nil {
			return err
		}
	}
	wh, err := duckdb.Open(ctx, path, h.op)
	if err != nil {
		return err
	}
	if err := c.reload(ctx, h, wh); err != nil {
		return errors.Join(err, wh.Close())
	}
	if err := wh.Close(); err != nil {
		return err
	}
	// The house's own is closed, the new one put in its place by one renaming.
	if err := h.facts.Close(); err != nil {
		return err
	}
	old := filepath.Join(h.dir, "facts.duckdb")
	if err := os.Remove(old + ".wal"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.Rename(path, old); err != nil {
		return err
	}
	h.facts, err = h.openFacts(ctx)
	return err
}

// reload brings a new warehouse up to the end of the log, with a bar.
func (c *call) reload(ctx context.Context, h *house, wh load.Warehouse) error {
	from, err := wh.Position(ctx)
	if err != nil {
		return err
	}
	last, err := h.db.Last(ctx)
	if err != nil {
		return err
	}
	if from.Seq > 0 {
		fmt.Fprintf(c.out, "going on after entry %d of %d\n", from.Seq, last)
	}
	bar := progressbar.NewOptions64(last, progressbar.OptionSetWriter(c.err), progressbar.OptionSetDescription("rebuilding"), progressbar.OptionThrottle(200*time.Millisecond), progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(true))
	began := time.Now()
	l := &load.Loader{
		Operation: h.op, Events: h.db, Submissions: h.db, Chunks: h.db, Warehouse: wh, Register: h.followRegister, Arrival: h.forms.arrival,
		DecodeChunk: bulk.Decode, DecodeSubmission: h.forms.facts,
	}
	sum, err := l.CatchUpTelling(ctx, func(r load.Result) { _ = bar.Set64(r.To.Seq) })
	if err != nil {
		return err
	}
	_ = bar.Finish()
	fmt.Fprintln(c.err)
	fmt.Fprintf(c.out, "rebuilt from %d entries: %d submissions, %d rows, %d without facts, in %s\n", sum.Events, sum.Submissions, sum.Rows, len(sum.Problems), time.Since(began).Round(10*time.Millisecond))
	return nil
}

func removeWarehouse(path string) error {
	for _, p := range []string{path, path + ".wal"} {
		if err := os.Remove(p); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}
