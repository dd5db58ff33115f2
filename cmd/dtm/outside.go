package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"dtm"
	"dtm/event"
)

// seriesBrought is what came of a file of counts made by others.
type seriesBrought struct {
	Seq        int64
	Read       int
	Faults     []error
	Undeclared []string // series that nothing is declared to stand beside
}

// bringSeries keeps counts that others made. Rows without a series belong to the one
// that is named, or to the only one that the operation declares.
func (h *house) bringSeries(ctx context.Context, file string, r io.Reader, series string) (seriesBrought, error) {
	if series == "" && len(h.op.Besides) == 1 {
		series = h.op.Besides[0].Series
	}
	list, faults, err := dtm.ReadOutside(file, r, series)
	if err != nil {
		return seriesBrought{}, err
	}
	out := seriesBrought{Read: len(list), Faults: faults}
	seen := map[string]bool{}
	for _, x := range list {
		if _, ok := h.op.Beside(x.Series); !ok && !seen[x.Series] {
			out.Undeclared = append(out.Undeclared, x.Series)
		}
		seen[x.Series] = true
	}
	out.Seq, err = h.db.ImportOutside(ctx, file, list)
	return out, err
}

func runImportSeries(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	series := fs.String("series", "", "`code` of the series that rows without one belong to (default: the one that the operation declares)")
	undo := fs.Int64("undo", 0, "take back what an `event` brought")
	args, err := c.parse(fs, 0, 1)
	if err != nil {
		return err
	}
	if (*undo == 0) != (len(args) == 1) {
		return wrongUse("want a FILE, or -undo with the event that an import printed")
	}
	h, done, err := c.open(ctx, *data)
	if err != nil {
		return err
	}
	defer done()
	ctx = event.WithActor(ctx, event.System)
	if *undo > 0 {
		if err := h.db.WithdrawOutside(ctx, *undo); err != nil {
			return err
		}
		fmt.Fprintln(c.out, "taken back")
		return nil
	}
	f, err := os.Open(c.path(args[0]))
	if err != nil {
		return dtm.Errorf(dtm.NotFound, "the file cannot be read: %w", err).At(args[0])
	}
	defer f.Close()
	b, err := h.bringSeries(ctx, filepath.Base(args[0]), f, *series)
	if err != nil {
		return err
	}
	for _, fault := range b.Faults {
		fmt.Fprintln(c.err, fault)
	}
	for _, s := range b.Undeclared {
		fmt.Fprintf(c.err, "note: the operation's pack declares nothing to show the series %q beside; it is kept and not shown\n", s)
	}
	if b.Seq == 0 {
		fmt.Fprintf(c.out, "%d counts read, %d rows left out; nothing is new\n", b.Read, len(b.Faults))
		return nil
	}
	fmt.Fprintf(c.out, "%d counts read, %d rows left out; dtm import series -undo %d takes them back\n", b.Read, len(b.Faults), b.Seq)
	return nil
}
