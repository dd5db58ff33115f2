package main

import (
	"context"
	"fmt"
	"math"
	"strconv"

	"dtm"
	"dtm/analyse/stat"
	"dtm/analyse/survey"
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

// networkPeriod reads the flags of the commands about a period's network.
func (c *call) networkPeriod(ctx context.Context, public bool) (h *house, done func(), figures dtm.Figures, p dtm.Period, format string, err error) {
	fs := c.flags()
	data := c.dataFlag(fs)
	from := fs.String("from", "", "first month, `YYYY-MM`")
	to := fs.String("to", "", "last month; the first when left out")
	shape := fs.String("format", "table", "table, csv or json")
	guarded := new(bool)
	if public {
		guarded = fs.Bool("public", false, "see only counts that are published: small ones are missing")
	}
	if _, err = c.parse(fs, 0, 0); err != nil {
		return
	}
	if p, err = dtm.ParsePeriod(*from, *to); err != nil {
		return
	}
	if h, done, err = c.open(ctx, *data); err != nil {
		return
	}
	if err = h.current(ctx); err != nil {
		done()
		return
	}
	figures, format = dtm.Figures(h.figures), *shape
	if *guarded {
		figures = h.public
	} else {
		fmt.Fprintln(c.err, "internal: from counts that are not all published")
	}
	return
}

func (h *house) pointName(code string) string {
	if p, ok := h.op.Point(code); ok {
		return p.Name.In(dtm.English)
	}
	return code
}

func runNetworkBalance(ctx context.Context, c *call) error {
	h, done, figures, p, format, err := c.networkPeriod(ctx, true)
	if err != nil {
		return err
	}
	defer done()
	b, err := watch.ReadBalance(ctx, figures, h.op, p)
	if err != nil {
		return err
	}
	var rows [][]any
	for _, x := range b.Points {
		rows = append(rows, []any{"point", h.pointName(x.Point), "", x.Observed, x.SE, x.Balanced, x.Z, x.Told()})
	}
	for _, x := range b.Roads {
		rows = append(rows, []any{"road", h.pointName(x.From), h.pointName(x.To), math.NaN(), math.NaN(), x.People, math.NaN(), false})
	}
	fmt.Fprintf(c.err, "%s; %d conditions, chi-square %.1f\n", h.op.Flow.Name.In(dtm.English), b.Conditions, b.Chi2)
	return c.write(format, []string{"of", "at", "to", "observed", "standard_error", "balanced", "z", "look"}, rows)
}

func runNetworkPersons(ctx context.Context, c *call) error {
	h, done, figures, p, format, err := c.networkPeriod(ctx, false)
	if err != nil {
		return err
	}
	defer done()
	e, err := h.persons(ctx, figures, p)
	if err != nil {
		return err
	}
	var rows [][]any
	for _, x := range e.Points {
		rows = append(rows, []any{h.pointName(x.Point), "", x.Movements, float64(x.Answered), float64(x.Before), x.People.Estimate, x.People.Low, x.People.High})
	}
	if len(e.Points) > 0 {
		rows = append(rows, []any{"all of these", "", e.Movements, math.NaN(), math.NaN(), e.People.Estimate, e.People.Low, e.People.High})
	}
	for _, x := range e.Pairs {
		rows = append(rows, []any{h.pointName(x.From), h.pointName(x.To), x.Counted, float64(x.Asked), float64(x.Again), x.People.Estimate, x.People.Low, x.People.High})
	}
	if len(rows) == 0 {
		return dtm.Errorf(dtm.NotFound, "no interview of this period says whether the person was counted before; the survey asks it (#meta+counted)")
	}
	fmt.Fprintf(c.err, "persons are an estimate beside the movements, never in their place; %.0f movements at points without answers are in none\n", e.Left)
	return c.write(format, []string{"at", "again_at", "movements", "asked", "counted_before", "persons", "low95", "high95"}, rows)
}

// persons estimates the persons behind a period's movements.
func (h *house) persons(ctx context.Context, figures dtm.Figures, p dtm.Period) (survey.Persons, error) {
	t, err := figures.Table(ctx, dtm.Query{Indicator: "total_movements", Period: p, By: []string{"point"}})
	if err != nil {
		return survey.Persons{}, err
	}
	movements := map[string]float64{}
	for _, x := range t.Figures {
		if x.Value != nil {
			movements[x.Keys[0]] += *x.Value
		}
	}
	var list []dtm.Interview
	err = h.figures.Interviews(ctx, p, func(i dtm.Interview) error {
		list = append(list, i)
		return nil
	})
	if err != nil {
		return survey.Persons{}, err
	}
	return survey.EstimatePersons(list, movements)
}

func runNetworkBeside(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	series := fs.String("series", "", "`code` of the series (default: the one that the operation declares)")
	format := fs.String("format", "table", "table, csv or json")
	public := fs.Bool("public", false, "see only counts that are published: small ones are missing")
	if _, err := c.parse(fs, 0, 0); err != nil {
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
	if *series == "" && len(h.op.Besides) == 1 {
		*series = h.op.Besides[0].Series
	}
	b, ok := h.op.Beside(*series)
	if !ok {
		return dtm.Errorf(dtm.NotFound, "the operation declares nothing to stand beside a series %q", *series)
	}
	list, err := h.db.Outside(ctx)
	if err != nil {
		return err
	}
	theirs := dtm.OutsideMonths(list, b.Series)
	if len(theirs) == 0 {
		return dtm.Errorf(dtm.NotFound, "there are no counts of %s yet; dtm import series brings them", b.Name.In(dtm.English))
	}
	figures := dtm.Figures(h.figures)
	if *public {
		figures = h.public
	} else {
		fmt.Fprintln(c.err, "internal: from counts that are not all published; use -public before passing anything on")
	}
	months, err := watch.ReadBeside(ctx, figures, b, theirs)
	if err != nil {
		return err
	}
	var rows [][]any
	for _, m := range months {
		ours := math.NaN()
		if m.Ours != nil {
			ours = *m.Ours
		}
		theirs := float64(m.People)
		if *public && m.Small(h.op.Threshold) {
			theirs = math.NaN()
		}
		rows = append(rows, []any{m.Month.String(), ours, theirs, theirs / ours, float64(m.Places)})
	}
	return c.write(*format, []string{"month", "ours", "theirs", "theirs_of_ours", "places"}, rows)
}
