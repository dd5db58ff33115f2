package main

import (
	"context"
	"fmt"
	"strconv"

	"dtm"
	"dtm/analyse/stat"
	"dtm/analyse/watch"
)

func runNetwork(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	from := fs.String("from", "", "first month, `YYYY-MM`")
	to := fs.String("to", "", "last month; the first when left out")
	format := fs.String("format", "table", "table, csv or json")
	public := fs.Bool("public", false, "see only counts that are published: small ones are missing")
	if _, err := c.parse(fs, 0, 0); err != nil {
		return err
	}
	p, err := dtm.ParsePeriod(*from, *to)
	if err != nil {
		return err
	}
	h, done, err := c.open(ctx, *data)
	if err != nil {
		return err
	}
	defer done()
	if err := h.current(ctx); err != nil {
		return err
	}
	figures := dtm.Figures(h.figures)
	if *public {
		figures = h.public
	}
	m, err := watch.ReadMatrix(ctx, figures, p, nil)
	if err != nil {
		return err
	}
	if len(m.Journeys) == 0 {
		return dtm.Errorf(dtm.NotFound, "no movement of this period says where it came from and where it goes")
	}
	var rows [][]any
	for _, j := range m.Journeys {
		rows = append(rows, []any{h.op.Lists["country"].Label(j.From, dtm.English), h.op.Lists["country"].Label(j.To, dtm.English), j.Observed, j.Completed})
	}
	fmt.Fprintf(c.err, "%.0f movements with both sides; %.0f with one, spread over the other; %.0f with neither, in no row\n", m.Known, m.Half, m.Left)
	if !*public {
		fmt.Fprintln(c.err, "internal: from counts that are not all published; use -public before passing anything on")
	}
	return c.write(*format, []string{"from", "to", "observed", "completed"}, rows)
}

func runNetworkTwice(_ context.Context, c *call) error {
	fs := c.flags()
	args, err := c.parse(fs, 3, 3)
	if err != nil {
		return err
	}
	var n [3]float64
	for i, a := range args {
		if n[i], err = strconv.ParseFloat(a, 64); err != nil {
			return wrongUse("%q is no number", a)
		}
	}
	e, variance, err := stat.Chapman(n[0], n[1], n[2], 0.95)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "%.1f persons, 95 %% interval %.1f to %.1f, variance %.1f\n", e.Estimate, e.Low, e.High, variance)
	fmt.Fprintln(c.err, "an estimate of persons beside the movements, never in their place; both counts must have had the same chance to meet everybody")
	return nil
}
