package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"dtm"
	"dtm/analyse/indicator"
)

// listFlag collects a flag that may be given several times.
type listFlag []string

func (l *listFlag) String() string     { return strings.Join(*l, " ") }
func (l *listFlag) Set(s string) error { *l = append(*l, s); return nil }

func runIndicator(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	from := fs.String("from", "", "first year, month or day: 2022, 2022-12 or 2022-12-05")
	to := fs.String("to", "", "last year, month or day, included (default: the same as -from)")
	by := fs.String("by", "", "split by `dimensions`, with commas: "+strings.Join(indicator.Dimensions(), ", "))
	format := fs.String("format", "table", "table, csv or json")
	lang := fs.String("lang", "en", "language of labels")
	public := fs.Bool("public", false, "suppress small cells, as in everything that is published")
	asked := fs.String("release", "provisional", "`number` of a release, or latest: its published figures")
	var where listFlag
	fs.Var(&where, "where", "only these, may be repeated: `dimension=code`, several codes with commas")
	args, err := c.parse(fs, 1, 1)
	if err != nil {
		return err
	}
	if *from == "" {
		return wrongUse("-from is missing: which month?")
	}
	if !slices.Contains([]string{"table", "csv", "json"}, *format) {
		return wrongUse("-format %q: want table, csv or json", *format)
	}
	q := dtm.Query{Indicator: args[0], Where: map[string][]string{}}
	if q.Period, err = dtm.ParsePeriod(*from, *to); err != nil {
		return err
	}
	if *by != "" {
		q.By = strings.Split(*by, ",")
	}
	for _, w := range where {
		dim, codes, ok := strings.Cut(w, "=")
		if !ok {
			return wrongUse("-where %q: want dimension=code", w)
		}
		q.Where[dim] = append(q.Where[dim], strings.Split(codes, ",")...)
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
	op := h.op
	if *public {
		figures = h.public
	}
	if *asked != dtm.ReleaseProvisional {
		s, err := h.shelf.Source(ctx, *asked, dtm.MonthOf(q.Period.To.AddDate(0, 0, -1)))
		if err != nil {
			return err
		}
		figures, op, *public = s.Figures, s.Operation, true
	}
	t, err := figures.Table(ctx, q)
	if err != nil {
		return err
	}
	if err := indicator.Print(c.out, t, *format, op, dtm.Lang(*lang)); err != nil {
		return err
	}
	if !*public && t.Indicator.Counts && slices.ContainsFunc(t.Figures, func(f dtm.Figure) bool {
		return f.People > 0 && f.People < int64(h.op.Threshold)
	}) {
		fmt.Fprintf(c.err, "internal: counts under %d are shown; use -public before passing them on\n", h.op.Threshold)
	}
	return nil
}

// catalogue is of a data folder's operation, or of a pack when there is none.
func (c *call) catalogue(ctx context.Context, data, pack string) (dtm.Figures, func(), error) {
	if data != "" && pack == "" {
		h, done, err := c.open(ctx, data)
		if err != nil {
			return nil, nil, err
		}
		return h.figures, done, nil
	}
	if pack == "" {
		pack = "djibouti"
	}
	op, err := loadOperation(pack)
	if err != nil {
		return nil, nil, err
	}
	e, err := indicator.New(op, nil)
	return e, func() {}, err
}

func runIndicatorList(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	pack := fs.String("operation", "", "an operation `pack`, when there is no data folder (default djibouti)")
	lang := fs.String("lang", "en", "language")
	if _, err := c.parse(fs, 0, 0); err != nil {
		return err
	}
	figures, done, err := c.catalogue(ctx, *data, *pack)
	if err != nil {
		return err
	}
	defer done()
	w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
	for _, i := range figures.Catalogue() {
		fmt.Fprintf(w, "%s\t%s\t%s\n", i.ID, i.Unit, i.Name.In(dtm.Lang(*lang)))
	}
	return w.Flush()
}

func runIndicatorShow(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	pack := fs.String("operation", "", "an operation `pack`, when there is no data folder (default djibouti)")
	lang := fs.String("lang", "en", "language")
	args, err := c.parse(fs, 1, 1)
	if err != nil {
		return err
	}
	figures, done, err := c.catalogue(ctx, *data, *pack)
	if err != nil {
		return err
	}
	defer done()
	i, err := figures.Indicator(args[0])
	if err != nil {
		return err
	}
	l := dtm.Lang(*lang)
	w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
	for _, row := range [][2]string{
		{"indicator", i.ID}, {"name", i.Name.In(l)}, {"definition", i.Definition.In(l)}, {"formula", i.Formula.In(l)}, {"unit", i.Unit},
		{"denominator", i.Denominator.In(l)}, {"unknown and missing", i.Missing.In(l)}, {"split by", strings.Join(i.By, ", ")}, {"source", i.Source.In(l)},
	} {
		if row[1] != "" {
			fmt.Fprintf(w, "%s\t%s\n", row[0], strings.Join(strings.Fields(row[1]), " "))
		}
	}
	return w.Flush()
}
