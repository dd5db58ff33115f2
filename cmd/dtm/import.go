package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/sync/errgroup"

	"dtm"
	"dtm/check"
	"dtm/event"
	"dtm/gather/bulk"
	"dtm/locale"
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
	if err := h.current(ctx); err != nil {
		return err
	}
	before := time.Now()
	stopLoading := h.loadMeanwhile(ctx)
	show, end := c.progress("reading "+filepath.Base(name), st.Size(), before)
	run, looked, err := h.bringIn(event.WithActor(ctx, event.System), bulk.Source{Name: filepath.Base(name), Data: f, Size: st.Size()}, nil, show, func(string) {
		end()
		stopLoading()
	})
	end()
	stopLoading()
	if err != nil {
		return err
	}
	if run.Rejects != "" {
		if err := h.copyBlob(ctx, run.Rejects, c.path(*rejects)); err != nil {
			return err
		}
	}
	c.importSummary(run, looked, *rejects)
	return nil
}

// Stages of an import after its rows are stored.
const (
	stageLoading = "loading"
	stageRules   = "rules"
)

// bringIn imports a registry file: rows are stored, loaded, and all imported history is
// looked at by the rules. What cannot be read is kept beside it, with reasons worded by
// say. stage is told when reading is over, and what follows. say and stage may be nil.
func (h *house) bringIn(ctx context.Context, src bulk.Source, say func(error) string, show func(bulk.Progress), stage func(string)) (dtm.Imported, looked, error) {
	before := time.Now()
	var rejected *os.File
	defer func() {
		if rejected != nil {
			rejected.Close()
			os.Remove(rejected.Name())
		}
	}()
	sum, err := bulk.Import(ctx, h.op, src, h.db, bulk.Options{
		Now: time.Now, Progress: show, Say: say,
		Rejects: func() (io.Writer, error) {
			var err error
			rejected, err = os.CreateTemp(h.dir, "rejects-*.csv")
			return rejected, err
		},
	})
	if err != nil {
		return dtm.Imported{}, looked{}, err
	}
	if stage != nil {
		stage(stageLoading)
	}
	// What the rules say of single rows does not wait for the facts.
	rules, read := h.forms.rules(), (*scanned)(nil)
	g, both := errgroup.WithContext(ctx)
	g.Go(func() error { return h.current(both) })
	g.Go(func() (err error) {
		read, err = h.scan(both, rules, ever)
		return err
	})
	if err := g.Wait(); err != nil {
		return dtm.Imported{}, looked{}, err
	}
	o := dtm.Outcome{Rows: sum.Rows, Accepted: sum.Accepted, Rejected: sum.Rejected, People: sum.People, Breakdown: sum.Breakdown, First: sum.First, Last: sum.Last,
		Chunks: slices.Compact(slices.Sorted(slices.Values(sum.Chunks))), Flags: sum.Flags, Notes: sum.Notes}
	if err := h.becameOf(ctx, &o, sum.ChunksNew > 0); err != nil {
		return dtm.Imported{}, looked{}, err
	}
	if rejected != nil {
		if _, err := rejected.Seek(0, io.SeekStart); err != nil {
			return dtm.Imported{}, looked{}, err
		}
		if o.Rejects, _, err = h.blobs.Put(ctx, rejected); err != nil {
			return dtm.Imported{}, looked{}, err
		}
	}
	if stage != nil {
		stage(stageRules)
	}
	l, err := h.raiseFound(ctx, rules, read)
	if err != nil {
		return dtm.Imported{}, looked{}, err
	}
	o.Found, o.Seconds = l.Counts, time.Since(before).Seconds()
	run, err := h.db.AddImport(ctx, src.Name, o)
	return run, l, err
}

// becameOf adds up what loading made of the file's chunks.
func (h *house) becameOf(ctx context.Context, o *dtm.Outcome, fresh bool) error {
	if !fresh {
		// The outcomes are those of the run that stored these chunks.
		o.Unchanged = o.Accepted
		return nil
	}
	for _, hash := range o.Chunks {
		x, err := h.loader.Outcome(ctx, hash)
		if err != nil {
			return err
		}
		o.Added += x.Added
		o.Unchanged += x.Unchanged
		o.Changed += x.Changed
	}
	return nil
}

// copyBlob writes an attachment to a file.
func (h *house) copyBlob(ctx context.Context, address, path string) error {
	from, err := h.blobs.Open(ctx, address)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from)
	return errors.Join(err, to.Close())
}

func (c *call) importSummary(i dtm.Imported, l looked, rejects string) {
	w := c.out
	fmt.Fprintf(w, "read      %9d rows, %d movements, %s..%s, split by %s\n", i.Rows, i.People, day(i.First), day(i.Last), breakdownName[i.Breakdown])
	fmt.Fprintf(w, "stored    %9d rows\n", i.Accepted)
	fmt.Fprintf(w, "added     %9d\nunchanged %9d\nchanged   %9d\n", i.Added, i.Unchanged, i.Changed)
	fmt.Fprintf(w, "rejected  %9d", i.Rejected)
	if i.Rejected > 0 {
		fmt.Fprintf(w, " (see %s)", rejects)
	}
	fmt.Fprintln(w)
	for _, rule := range byCount(i.Flags) {
		fmt.Fprintf(w, "flagged   %9d %s\n", i.Flags[rule], rule)
	}
	for _, n := range i.Notes {
		fmt.Fprintln(w, "note:", n)
	}
	if len(l.Counts) > 0 {
		fmt.Fprintf(w, "rules over all imported history, %d rows: %d flags raised, %d cleared\n", l.Rows, l.Raised, l.Cleared)
		rules := check.Built()
		for _, id := range rules.IDs() {
			if n := l.Counts[id]; n > 0 {
				fmt.Fprintf(w, "found     %9d %s (%s): %s\n", n, id, rules[id].Severity, locale.Say(dtm.English, "rule."+id))
			}
		}
	}
	fmt.Fprintf(w, "import %d, in %.1f s; dtm import undo takes it back\n", i.Seq, i.Seconds)
}

// runImportPublished keeps figures that were published elsewhere, to compare.
func runImportPublished(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	args, err := c.parse(fs, 1, 1)
	if err != nil {
		return err
	}
	h, done, err := c.open(ctx, *data)
	if err != nil {
		return err
	}
	defer done()
	f, err := os.Open(c.path(args[0]))
	if err != nil {
		return dtm.Errorf(dtm.NotFound, "the file cannot be read: %w", err).At(args[0])
	}
	defer f.Close()
	p, err := h.publish(event.WithActor(ctx, event.System), filepath.Base(args[0]), f)
	if err != nil {
		return err
	}
	for _, fault := range p.Faults {
		fmt.Fprintln(c.err, fault)
	}
	fmt.Fprintf(c.out, "%d figures read, %d rows left out; %d can be compared with the records, %d of them differ:\n", p.Read, len(p.Faults), p.Compared, len(p.Differ))
	w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
	for _, d := range p.Differ {
		found := "nothing"
		if d.Known {
			found = strconv.FormatFloat(d.Computed, 'f', d.Decimals, 64)
		}
		fmt.Fprintf(w, "%s\t%s\tpublished %s\tcomputed %s\t%s\n", locale.Period(dtm.English, d.Period), d.Indicator, strconv.FormatFloat(d.Value, 'f', d.Decimals, 64), found, d.Source)
	}
	return w.Flush()
}

// quoted is what came of a file of published figures.
type quoted struct {
	Seq            int64
	Read, Compared int
	Faults         []error
	Differ         []check.Compared
}

// publish keeps published figures and compares all of them with the records.
func (h *house) publish(ctx context.Context, file string, r io.Reader) (quoted, error) {
	list, faults, err := dtm.ReadReferences(file, r)
	if err != nil {
		return quoted{}, err
	}
	p := quoted{Read: len(list), Faults: faults}
	if p.Seq, err = h.db.ImportReferences(ctx, file, list); err != nil {
		return p, err
	}
	if err := h.current(ctx); err != nil {
		return p, err
	}
	compared, err := h.compareReferences(ctx, ever)
	if err != nil {
		return p, err
	}
	p.Compared = len(compared)
	units := h.forms.rules()["month.reference"].Limit["units"]
	for _, c := range compared {
		if c.Differs(units) {
			p.Differ = append(p.Differ, c)
		}
	}
	_, err = h.raiseHistory(ctx)
	return p, err
}

func runImportList(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	if _, err := c.parse(fs, 0, 0); err != nil {
		return err
	}
	h, done, err := c.open(ctx, *data)
	if err != nil {
		return err
	}
	defer done()
	list, err := h.db.ImportRuns(ctx)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "import\tfile\twhen\tby\trows\trejected\tmonths\tstate")
	for _, i := range list {
		state := "stands"
		if i.Withdrawn != nil {
			state = "taken back: " + i.Withdrawn.Why
		}
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%d\t%d\t%s..%s\t%s\n", i.Seq, i.File, i.At.In(h.op.Zone).Format("2006-01-02 15:04"), i.Actor, i.Rows, i.Rejected, day(i.First), day(i.Last), state)
	}
	return w.Flush()
}

func runImportUndo(ctx context.Context, c *call) error {
	h, done, args, r, err := c.openReview(ctx, 1, 1, nil)
	if err != nil {
		return err
	}
	defer done()
	seq, err := strconv.ParseInt(args[0], 10, 64)
	if err != nil {
		return wrongUse("%q is no import; `dtm import list` names them", args[0])
	}
	if strings.TrimSpace(*r.why) == "" {
		return wrongUse("-why is missing: who reads it in a year has nothing else")
	}
	if ctx, err = h.acting(ctx, *r.as); err != nil {
		return err
	}
	i, err := h.takeBack(ctx, seq, *r.why)
	if err == nil {
		fmt.Fprintf(c.out, "the rows of %s are out of the figures; importing the file again brings them back\n", i.File)
	}
	return err
}

// takeBack takes an import out of the figures, and the flags that only it had.
func (h *house) takeBack(ctx context.Context, seq int64, why string) (dtm.Imported, error) {
	i, err := h.db.WithdrawImport(ctx, seq, why)
	if err != nil {
		return i, err
	}
	if err := h.current(ctx); err != nil {
		return i, err
	}
	_, err = h.raiseHistory(ctx)
	return i, err
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
