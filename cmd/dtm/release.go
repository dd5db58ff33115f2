package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"dtm"
	"dtm/access"
	"dtm/analyse/release"
	"dtm/event"
	"dtm/web"
)

// person adds the flags by which a person says who they are.
type person struct{ email, file *string }

func (c *call) person(fs *flag.FlagSet) person {
	return person{fs.String("as", "", "`address` you sign in with"), fs.String("password-file", "", "`file` whose first line is your password")}
}

// signIn returns a context in which that person acts, if they may create releases.
func (c *call) signIn(ctx context.Context, h *house, p person) (context.Context, error) {
	if *p.email == "" || *p.file == "" {
		return nil, wrongUse("-as EMAIL and -password-file F are needed: a person answers for this")
	}
	b, err := os.ReadFile(c.path(*p.file))
	if err != nil {
		return nil, dtm.Errorf(dtm.Invalid, "the password file cannot be read: %w", err)
	}
	password, _, _ := strings.Cut(string(b), "\n")
	u, err := access.SignIn(ctx, h.db, strings.ToLower(*p.email), strings.TrimRight(password, "\r"))
	if err == nil {
		err = access.Decide(u, access.CreateReleases)
	}
	if err != nil {
		return nil, err
	}
	return event.WithActor(ctx, "user:"+u.Email), nil
}

// releaseNamed finds a release by its number, or the last of a month.
func (h *house) releaseNamed(ctx context.Context, s string) (dtm.FrozenRelease, error) {
	if m, err := dtm.ParseMonth(s); err == nil {
		list, err := h.db.FrozenReleases(ctx)
		if err != nil {
			return dtm.FrozenRelease{}, err
		}
		for _, r := range list {
			if r.Month == m {
				return h.db.FrozenRelease(ctx, m, r.N)
			}
		}
		return dtm.FrozenRelease{}, dtm.Errorf(dtm.NotFound, "there is no release of %s", m).Coded("release.unknown", m.String())
	}
	m, n, err := dtm.ParseReleaseNumber(s)
	if err != nil {
		return dtm.FrozenRelease{}, err
	}
	return h.db.FrozenRelease(ctx, m, n)
}

func runReleaseCreate(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	month := fs.String("month", "", "`month` to freeze, for example 2022-12")
	note := fs.String("note", "", "what readers of the release should know")
	dry := fs.Bool("check", false, "make the checks only")
	who := c.person(fs)
	if _, err := c.parse(fs, 0, 0); err != nil {
		return err
	}
	if *month == "" {
		return wrongUse("-month is missing: which month?")
	}
	m, err := dtm.ParseMonth(*month)
	if err != nil {
		return err
	}
	h, done, err := c.open(ctx, *data)
	if err != nil {
		return err
	}
	defer done()
	if *who.email != "" {
		if ctx, err = c.signIn(ctx, h, who); err != nil {
			return err
		}
	}
	at, end := c.steps()
	f, err := h.freeze(ctx, m, at)
	end()
	if err != nil {
		return err
	}
	h.printChecks(c.out, f.checks)
	h.printChanges(c.out, f.changes, mostChanged)
	if release.Worst(f.checks) == release.Stop {
		fmt.Fprintf(c.err, "dtm release create: %s cannot be frozen like this\n", m)
		return errSaid
	}
	if *dry {
		return nil
	}
	r, err := h.propose(ctx, f, *note)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "\nproposed %s: %d movements in %d rows, %d figures, up to event %d\n%s\nA second person approves it: dtm release approve -data %s %s -as EMAIL -password-file F\n",
		r.Number, f.manifest.Total, f.manifest.Facts, f.manifest.Shown, r.Seq, r.ManifestHash, *data, r.Number)
	return nil
}

func (h *house) printChecks(w io.Writer, list []release.Check) {
	for _, x := range list {
		fmt.Fprintf(w, "%-5s %s\n", x.Verdict, web.CheckText(dtm.English, x))
		for _, i := range x.Items {
			fmt.Fprintf(w, "        %s\n", web.ItemText(h.op, h.public, dtm.English, x, i))
		}
	}
}

// mostChanged are printed of the figures that changed where there is more to print.
const mostChanged = 20

// printChanges prints at most most figures that changed; 0: all.
func (h *house) printChanges(w io.Writer, c *release.Changes, most int) {
	if c == nil {
		return
	}
	if c.None() {
		fmt.Fprintf(w, "\nnothing differs from release %s\n", c.Since)
		return
	}
	fmt.Fprintf(w, "\nchanged since release %s\n", c.Since)
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	if len(c.Points) > 0 {
		fmt.Fprintln(t, "point\trows added\tremoved\tchanged\tmovements were\tare")
		for _, p := range c.Points {
			fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%s\t%s\n", h.place(p.Point, dtm.English), p.Added, p.Removed, p.Changed, count(p.Was), count(p.Is))
		}
	}
	if len(c.Figures) > 0 {
		fmt.Fprintln(t, "indicator\tby\tof\twas\tis\t")
		list := slices.Clone(c.Figures)
		if most > 0 && len(list) > most { // those of the whole month first
			slices.SortStableFunc(list, func(a, b release.FigureChange) int { return cmp.Compare(len(a.By), len(b.By)) })
			list = list[:most]
		}
		for _, f := range list {
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t\n", f.Indicator, f.By, f.Keys, f.Was, f.Is)
		}
	}
	t.Flush()
	if most > 0 && len(c.Figures) > most {
		fmt.Fprintf(w, "and %d more: dtm release diff\n", len(c.Figures)-most)
	}
	for _, r := range c.Reasons {
		fmt.Fprintf(w, "why: %s\n", web.ReasonText(dtm.English, r, true))
	}
}

func count(n *int64) string {
	if n == nil {
		return release.Withheld
	}
	return fmt.Sprint(*n)
}

func runReleaseList(ctx context.Context, c *call) error {
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
	list, err := h.db.FrozenReleases(ctx)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		fmt.Fprintln(c.err, "no release yet: `dtm release create` freezes a month")
		return nil
	}
	w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "release\tstate\tcreated\tby\tapproved by\thash")
	for _, r := range list {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", r.Number, r.State, r.Created.In(h.op.Zone).Format(time.DateOnly), who(r.Creator), who(r.Approver), r.ManifestHash[:16])
	}
	return w.Flush()
}

func who(actor string) string { return strings.TrimPrefix(actor, "user:") }

func runReleaseShow(ctx context.Context, c *call) error {
	return c.withRelease(ctx, nil, func(ctx context.Context, h *house, r dtm.FrozenRelease) error {
		f, err := h.unpack(ctx, r)
		if err != nil {
			return err
		}
		fmt.Fprintf(c.out, "release %s: %s\nhash %s\nevents up to %d, %s\n%d movements in %d rows; %d figures, %d withheld\ncreated %s by %s with dtm %s\n",
			r.Number, r.State, r.ManifestHash, r.Seq, r.At.In(h.op.Zone).Format(time.RFC3339), f.manifest.Total, f.manifest.Facts, f.manifest.Shown, f.manifest.Withheld,
			r.Created.In(h.op.Zone).Format(time.RFC3339), who(r.Creator), r.Program)
		if r.Published != nil {
			fmt.Fprintf(c.out, "published %s by %s\n", r.Published.In(h.op.Zone).Format(time.RFC3339), who(r.Approver))
		}
		if r.Withdrawn != nil {
			fmt.Fprintf(c.out, "withdrawn %s by %s: %s\n", r.Withdrawn.In(h.op.Zone).Format(time.RFC3339), who(r.Withdrew), r.Reason)
		}
		if r.Note != "" {
			fmt.Fprintf(c.out, "note: %s\n", r.Note)
		}
		fmt.Fprintln(c.out)
		for _, p := range f.manifest.Parts {
			fmt.Fprintf(c.out, "%s  %s (%d bytes)\n", p.SHA256, p.Name, p.Size)
		}
		fmt.Fprintln(c.out)
		h.printChecks(c.out, f.checks)
		h.printChanges(c.out, f.changes, mostChanged)
		return nil
	})
}

// withRelease opens the data folder and the release of the one argument; more adds
// flags.
func (c *call) withRelease(ctx context.Context, more func(*flag.FlagSet), do func(context.Context, *house, dtm.FrozenRelease) error) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	if more != nil {
		more(fs)
	}
	args, err := c.parse(fs, 1, 1)
	if err != nil {
		return err
	}
	h, done, err := c.open(ctx, *data)
	if err != nil {
		return err
	}
	defer done()
	r, err := h.releaseNamed(ctx, args[0])
	if err != nil {
		return err
	}
	return do(ctx, h, r)
}

func runReleaseApprove(ctx context.Context, c *call) error {
	var p person
	return c.withRelease(ctx, func(fs *flag.FlagSet) { p = c.person(fs) }, func(ctx context.Context, h *house, r dtm.FrozenRelease) error {
		ctx, err := c.signIn(ctx, h, p)
		if err != nil {
			return err
		}
		if r, err = h.approve(ctx, r); err != nil {
			return err
		}
		fmt.Fprintf(c.out, "published %s\n", r.Number)
		return nil
	})
}

// approve publishes a release whose parts are what its manifest says.
func (h *house) approve(ctx context.Context, r dtm.FrozenRelease) (dtm.FrozenRelease, error) {
	if err := r.Approvable(event.Actor(ctx)); err != nil {
		return r, err
	}
	if _, err := h.unpack(ctx, r); err != nil {
		return r, err
	}
	return h.db.PublishRelease(ctx, r.Month, r.N)
}

func runReleaseWithdraw(ctx context.Context, c *call) error {
	var p person
	var reason *string
	return c.withRelease(ctx, func(fs *flag.FlagSet) {
		p = c.person(fs)
		reason = fs.String("reason", "", "why: readers will see it")
	}, func(ctx context.Context, h *house, r dtm.FrozenRelease) error {
		ctx, err := c.signIn(ctx, h, p)
		if err != nil {
			return err
		}
		if r, err = h.db.WithdrawRelease(ctx, r.Month, r.N, *reason); err != nil {
			return err
		}
		fmt.Fprintf(c.out, "withdrew %s\n", r.Number)
		return nil
	})
}

func runReleaseVerify(ctx context.Context, c *call) error {
	return c.withRelease(ctx, nil, func(ctx context.Context, h *house, r dtm.FrozenRelease) error {
		v, err := h.verify(ctx, r)
		if err != nil {
			return err
		}
		for _, g := range v.Good {
			fmt.Fprintln(c.out, "ok   ", g)
		}
		for _, f := range v.Faults {
			fmt.Fprintln(c.err, "FAULT", f)
		}
		if len(v.Faults) > 0 {
			fmt.Fprintf(c.err, "release %s does not verify\n", r.Number)
			return errSaid
		}
		fmt.Fprintf(c.out, "release %s verifies: %s\n", r.Number, r.ManifestHash)
		return nil
	})
}

func runReleaseDiff(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	args, err := c.parse(fs, 2, 2)
	if err != nil {
		return err
	}
	h, done, err := c.open(ctx, *data)
	if err != nil {
		return err
	}
	defer done()
	a, errA := h.releaseNamed(ctx, args[0])
	b, errB := h.releaseNamed(ctx, args[1])
	if err := errors.Join(errA, errB); err != nil {
		return err
	}
	d, err := h.difference(ctx, a, b)
	if err != nil {
		return err
	}
	h.printChanges(c.out, d, 0)
	return nil
}

// difference compares two releases of one month: Invalid for two months.
func (h *house) difference(ctx context.Context, a, b dtm.FrozenRelease) (*release.Changes, error) {
	if a.Month != b.Month {
		return nil, dtm.Errorf(dtm.Invalid, "%s and %s are of different months; compare two releases of one", a.Number, b.Number).Coded("release.months", a.Number, b.Number)
	}
	is, err := h.unpack(ctx, b)
	if err != nil {
		return nil, err
	}
	return h.compare(ctx, a, is)
}
