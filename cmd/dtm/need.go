package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"dtm"
	"dtm/analyse/watch"
	"dtm/event"
)

// needs are what is expected of programmes in the next months against what they can
// serve.
func (h *house) needs(ctx context.Context) ([]watch.Planned, error) {
	list, err := watch.Read(ctx, h.figures, h.op, watch.Ask{Indicator: "total_movements", Step: watch.Month}, h.now())
	if err != nil || len(list) == 0 {
		return nil, err
	}
	s := list[0]
	look, err := s.Look(watch.Ahead[watch.Month])
	if err != nil {
		return nil, err
	}
	needs, err := watch.ReadNeeds(ctx, h.figures, dtm.Period{From: s.Starts[0], To: s.Of(s.Len() - 1).To})
	if err != nil {
		return nil, err
	}
	capacities, err := h.db.Capacities(ctx)
	if err != nil {
		return nil, err
	}
	return watch.Plan(look, needs, capacities), nil
}

func runOutlookNeeds(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	format := fs.String("format", "table", "table, csv or json")
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
	list, err := h.needs(ctx)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return dtm.Errorf(dtm.NotFound, "no screening has found anybody in need of a programme yet")
	}
	fmt.Fprintln(c.err, "internal: from counts that are not all published")
	var rows [][]any
	for _, x := range list {
		rows = append(rows, []any{x.Programme, dtm.MonthOf(x.Target).String(), x.Expected, x.Lo80, x.Hi80, x.Lo95, x.Hi95, x.Capacity, x.Gap(), x.Exceeds})
	}
	return c.write(*format, []string{"programme", "month", "expected", "low80", "high80", "low95", "high95", "capacity", "gap", "chance_exceeded"}, rows)
}

func runOutlookCapacity(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	from := fs.String("from", "", "first `day` that it holds for; today when left out")
	as := fs.String("as", "", "`email` of the user who declares; left out: whoever owns the data folder")
	note := fs.String("note", "", "why, by whom")
	args, err := c.parse(fs, 0, 2)
	if err != nil {
		return err
	}
	h, done, err := c.open(ctx, *data)
	if err != nil {
		return err
	}
	defer done()
	if len(args) == 0 {
		list, err := h.db.Capacities(ctx)
		if err != nil {
			return err
		}
		for _, x := range list {
			people := strconv.Itoa(x.People) + " a month"
			if x.People == dtm.Undeclared {
				people = "not known"
			}
			fmt.Fprintf(c.out, "%s\t%s\t%s\t%s\t%s\n", x.Programme, x.From.Format(time.DateOnly), people, x.Actor, x.Note)
		}
		if len(list) == 0 {
			fmt.Fprintln(c.err, "nothing is declared; dtm outlook capacity -data DIR PROGRAMME PEOPLE")
		}
		return nil
	}
	if len(args) != 2 {
		return wrongUse("want a programme and how many people a month, or - when that is not known any more")
	}
	known := false
	for _, p := range h.op.Programmes {
		known = known || p.Code == args[0]
	}
	if !known {
		return dtm.Errorf(dtm.NotFound, "there is no programme %q", args[0])
	}
	x := dtm.Capacity{Programme: args[0], From: h.today(), People: dtm.Undeclared, Note: *note}
	if args[1] != "-" {
		if x.People, err = strconv.Atoi(args[1]); err != nil || x.People < 0 {
			return wrongUse("%q is no number of people", args[1])
		}
	}
	if *from != "" {
		if x.From, err = time.Parse(time.DateOnly, *from); err != nil {
			return wrongUse("-from %q is no day", *from)
		}
	}
	if *as == "" {
		ctx = event.WithActor(ctx, "operator")
	} else if ctx, err = h.acting(ctx, *as); err != nil {
		return err
	}
	if err := h.db.DeclareCapacity(ctx, x); err != nil {
		return err
	}
	fmt.Fprintln(c.out, "declared", args[0], args[1], "from", x.From.Format(time.DateOnly))
	return nil
}
