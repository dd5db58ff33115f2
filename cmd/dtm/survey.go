package main

import (
	"context"
	"fmt"
	"strings"

	"dtm"
	"dtm/analyse/survey"
	"dtm/locale"
)

func runSurvey(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	from := fs.String("from", "", "first month, `YYYY-MM`; the last three when left out")
	to := fs.String("to", "", "last month; the running one when left out")
	weights := fs.String("weights", "movements", "movements (respondents stand for those of their point) or none")
	lang := fs.String("lang", "en", "language: en, fr, ar")
	format := fs.String("format", "table", "table, csv or json")
	args, err := c.parse(fs, 0, 1)
	if err != nil {
		return err
	}
	if *weights != "movements" && *weights != "none" {
		return wrongUse("-weights %q: want movements or none", *weights)
	}
	if len(args) == 0 {
		for _, q := range survey.Questions {
			fmt.Fprintln(c.out, q.ID)
		}
		return nil
	}
	q, err := survey.Find(args[0])
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
	last := dtm.MonthOf(h.today())
	if *to != "" {
		if last, err = dtm.ParseMonth(*to); err != nil {
			return err
		}
	}
	first := last.Add(-2)
	if *from != "" {
		if first, err = dtm.ParseMonth(*from); err != nil {
			return err
		}
	}
	period := dtm.Months(first, last)
	var list []dtm.Interview
	if err := h.figures.Interviews(ctx, period, func(i dtm.Interview) error {
		list = append(list, i)
		return nil
	}); err != nil {
		return err
	}
	var movements map[string]float64
	if *weights == "movements" {
		t, err := h.figures.Table(ctx, dtm.Query{Indicator: "total_movements", Period: period, By: []string{"point"}})
		if err != nil {
			return err
		}
		movements = map[string]float64{}
		for _, x := range t.Figures {
			if x.Value != nil {
				movements[x.Keys[0]] += *x.Value
			}
		}
	}
	x, err := survey.Estimate(list, q, movements)
	if err != nil {
		return err
	}
	l := dtm.Lang(*lang)
	if x.Left > 0 {
		fmt.Fprintln(c.err, locale.Say(l, "survey.left", x.Left))
	}
	if x.Answered == 0 {
		return dtm.Errorf(dtm.NotFound, "nobody answered this question from %s to %s", first, last)
	}
	var rows [][]any
	for _, s := range x.Shares {
		rows = append(rows, []any{h.op.Lists[q.List].Label(s.Code, l), 100 * s.Value, 100 * s.Design.Low, 100 * s.Design.High, 100 * s.Bootstrap.Low, 100 * s.Bootstrap.High, 100 * s.Wilson.Low, 100 * s.Wilson.High, float64(s.Yes), float64(s.N), s.Deff, caveats(s, l)})
	}
	fmt.Fprintln(c.err, locale.Say(l, "survey.honest"))
	return c.write(*format, []string{"answer", "percent", "low95", "high95", "bootstrap_low", "bootstrap_high", "wilson_low", "wilson_high", "yes", "answered", "deff", "caveats"}, rows)
}

// caveats writes what to be careful of with a figure.
func caveats(s survey.Share, l dtm.Lang) string {
	var out []string
	for _, c := range s.Caveats {
		out = append(out, locale.Say(l, "survey.caveat."+c))
	}
	return strings.Join(out, " ")
}
