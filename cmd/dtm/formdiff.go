package main

import (
	"context"
	"fmt"
	"text/tabwriter"

	"dtm"
	"dtm/gather/xlsform"
)

// runFormDiff prints what changed between two versions of a form; without versions,
// between the current one and the one before it.
func runFormDiff(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	args, err := c.parse(fs, 1, 3)
	if err != nil {
		return err
	}
	if len(args) == 2 {
		return wrongUse("name two versions, or none for the last two")
	}
	h, done, err := c.open(ctx, *data)
	if err != nil {
		return err
	}
	defer done()
	versions, err := h.db.Versions(ctx, args[0])
	if err != nil {
		return err
	}
	var from, to string
	switch {
	case len(args) == 3:
		from, to = args[1], args[2]
	case len(versions) < 2:
		fmt.Fprintf(c.err, "form %s has one version, %s\n", args[0], versions[0].Version)
		return nil
	default:
		from, to = versions[1].Version, versions[0].Version
	}
	changes, err := h.forms.diff(ctx, args[0], from, to)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.err, "%s: %s to %s\n", args[0], from, to)
	if len(changes) == 0 {
		fmt.Fprintln(c.err, "nothing changed")
		return nil
	}
	w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "change\twhere\twhat\tbefore\tafter")
	for _, x := range changes {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", x.Kind, x.Path, x.What, x.Before, x.After)
	}
	return w.Flush()
}

// diff compares two published versions. A form that was published as an XForm has no
// XLSForm to compare: Unsupported.
func (c *formCache) diff(ctx context.Context, id, from, to string) ([]xlsform.Change, error) {
	a, err := c.form(ctx, id, from)
	if err != nil {
		return nil, err
	}
	b, err := c.form(ctx, id, to)
	if err != nil {
		return nil, err
	}
	if a == nil || b == nil {
		return nil, dtm.Errorf(dtm.Unsupported, "form %s was published as an XForm, which cannot be compared; publish its XLSForm", id).Coded("form.no_source")
	}
	return xlsform.Diff(a, b), nil
}
