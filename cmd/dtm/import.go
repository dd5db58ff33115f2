package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/schollz/progressbar/v3"

	"dtm"
	"dtm/event"
	"dtm/gather/bulk"
)

func runImport(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	rejects := fs.String("rejects", "", "`file` for rows that cannot be read (default: FILE.rejects.csv)")
	args, err := c.parse(fs, 1, 1)
	if err != nil {
		return err
	}
	h, done, err := c.open(ctx, *data)
	if err != nil {
		return err
	}
	defer done()
	name := args[0]
	f, err := os.Open(c.path(name))
	if err != nil {
		return dtm.Errorf(dtm.NotFound, "the file cannot be read: %w", err).At(name)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return err
	}
	if *rejects == "" {
		*rejects = name + ".rejects.csv"
	}
	var rejected *os.File
	defer func() {
		if rejected != nil {
			rejected.Close()
		}
	}()
	if err := h.current(ctx); err != nil {
		return err
	}
	before := time.Now()
	stopLoading := h.loadMeanwhile(ctx)
	show, end := c.progress("reading "+filepath.Base(name), st.Size(), before)
	sum, err := bulk.Import(event.WithActor(ctx, "system"), h.op, bulk.Source{Name: filepath.Base(name), Data: f, Size: st.Size()}, h.db, bulk.Options{
		Now:      time.Now,
		Progress: show,
		Rejects: func() (io.Writer, error) {
			rejected, err = os.Create(c.path(*rejects))
			return rejected, err
		},
	})
	end()
	stopLoading()
	if err != nil {
		return err
	}
	if err := h.current(ctx); err != nil {
		return err
	}
	return c.importSummary(ctx, h, sum, *rejects, time.Since(before))
}

func (c *call) importSummary(ctx context.Context, h *house, sum bulk.Summary, rejects string, took time.Duration) error {
	var added, unchanged, changed int
	counted := map[string]bool{}
	for _, hash := range sum.Chunks {
		o, err := h.loader.Outcome(ctx, hash)
		if err != nil {
			return err
		}
		if counted[hash] {
			continue
		}
		counted[hash] = true
		added += o.Added
		unchanged += o.Unchanged
		changed += o.Changed
	}
	if sum.ChunksNew == 0 {
		// The outcomes are those of the run that stored these chunks.
		added, unchanged, changed = 0, sum.Accepted, 0
	}
	w := c.out
	fmt.Fprintf(w, "read      %9d rows, %d movements, %s..%s, split by %s\n", sum.Rows, sum.People, day(sum.First), day(sum.Last), breakdownName[sum.Breakdown])
	fmt.Fprintf(w, "stored    %9d rows\n", sum.Accepted)
	fmt.Fprintf(w, "added     %9d\nunchanged %9d\nchanged   %9d\n", added, unchanged, changed)
	fmt.Fprintf(w, "rejected  %9d", sum.Rejected)
	if sum.Rejected > 0 {
		fmt.Fprintf(w, " (see %s)", rejects)
	}
	fmt.Fprintln(w)
	for _, rule := range byCount(sum.Flags) {
		fmt.Fprintf(w, "flagged   %9d %s\n", sum.Flags[rule], rule)
	}
	for _, n := range sum.Notes {
		fmt.Fprintln(w, "note:", n)
	}
	fmt.Fprintf(w, "in %.1f s\n", took.Seconds())
	return nil
}

var breakdownName = map[dtm.Breakdown]string{dtm.Full: "nationality, sex and age", dtm.BySexAge: "sex and age", dtm.ByNationality: "nationality"}

func day(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Format("2006-01")
}

// byCount lists rules, the most frequent first.
func byCount(m map[string]int) []string {
	return slices.SortedFunc(maps.Keys(m), func(a, b string) int {
		return cmp.Or(cmp.Compare(m[b], m[a]), cmp.Compare(a, b))
	})
}

// progress draws a bar on a terminal and writes a plain line every five seconds
// elsewhere.
func (c *call) progress(what string, size int64, start time.Time) (show func(bulk.Progress), end func()) {
	if c.tty {
		bar := progressbar.NewOptions64(size, progressbar.OptionSetWriter(c.err), progressbar.OptionSetWidth(max(10, min(40, c.width-70))),
			progressbar.OptionSetDescription(what), progressbar.OptionShowBytes(true), progressbar.OptionSetPredictTime(true),
			progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
		return func(p bulk.Progress) {
			bar.Describe(fmt.Sprintf("%s: %d rows, %.0f rows/s", what, p.Rows, float64(p.Rows)/time.Since(start).Seconds()))
			_ = bar.Set64(min(p.Read, size)) // a bar that cannot be drawn does not stop the work
		}, func() { _ = bar.Finish() }
	}
	last := start
	return func(p bulk.Progress) {
		if time.Since(last) < 5*time.Second {
			return
		}
		last = time.Now()
		rate := float64(p.Rows) / time.Since(start).Seconds()
		left := ""
		if p.Size > 0 && p.Read > 0 {
			left = fmt.Sprintf(", %.0f %%, about %s left", 100*float64(p.Read)/float64(p.Size),
				(time.Duration(float64(time.Since(start)) * float64(p.Size-p.Read) / float64(p.Read))).Round(time.Second))
		}
		fmt.Fprintf(c.err, "%s: %d rows, %.0f rows/s%s\n", what, p.Rows, rate, left)
	}, func() {}
}
