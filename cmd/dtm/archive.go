package main

import (
	"context"
	"fmt"
	"time"

	"dtm"
	"dtm/analyse/watch"
	"dtm/event"
)

// archive keeps the forecasts that follow the steps which are over, of all points, each
// point and each corridor: from guarded figures, so that they may be shown. Those that
// are kept already are not made again.
func (h *house) archive(ctx context.Context) (kept int, err error) {
	if err := h.current(ctx); err != nil {
		return 0, err
	}
	release, err := h.public.Release(ctx)
	if err != nil {
		return 0, err
	}
	for _, step := range []watch.Step{watch.Month, watch.Week} {
		had, err := h.db.Forecasts(ctx, string(step))
		if err != nil {
			return kept, err
		}
		known := map[string]bool{}
		at := func(by, key string, origin time.Time) string { return by + ":" + key + origin.Format(time.DateOnly) }
		for _, f := range had {
			known[at(f.By, f.Key, f.Origin)] = true
		}
		var list []dtm.Forecast
		for _, by := range []string{"", "point", "route"} {
			series, err := watch.Read(ctx, h.public, h.op, watch.Ask{Indicator: "total_movements", Step: step, By: by}, h.now())
			if err != nil && dtm.KindOf(err) == dtm.Invalid { // days of a point or corridor are not published
				continue
			}
			if err != nil {
				return kept, err
			}
			for _, s := range series {
				origin := s.Of(s.Len()).From
				if by != "" && s.Key == "" || known[at(by, s.Key, origin)] || h.now().Sub(origin) < watch.Grace[step] {
					continue
				}
				o, err := s.Look(watch.Ahead[step])
				if err != nil && dtm.KindOf(err) == dtm.Invalid { // too short, or nothing but zeros
					continue
				}
				if err != nil {
					return kept, err
				}
				list = append(list, o.Forecasts(by, release.ID())...)
			}
		}
		n, err := h.db.KeepForecasts(event.WithActor(ctx, event.System), list)
		kept += n
		if err != nil {
			return kept, err
		}
	}
	return kept, nil
}

func runOutlookArchive(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	week := fs.Bool("week", false, "weeks; months when left out")
	by := fs.String("by", "", "those of each `point` or corridor")
	format := fs.String("format", "table", "table, csv or json")
	keep := fs.Bool("keep", true, "keep the forecasts that are due first, as is done every night")
	if _, err := c.parse(fs, 0, 0); err != nil {
		return err
	}
	h, done, err := c.open(ctx, *data)
	if err != nil {
		return err
	}
	defer done()
	if *keep {
		n, err := h.archive(ctx)
		if err != nil {
			return err
		}
		if n > 0 {
			fmt.Fprintf(c.err, "%d forecasts kept\n", n)
		}
	}
	step := watch.Month
	if *week {
		step = watch.Week
	}
	dim := *by
	if dim == "corridor" {
		dim = "route"
	}
	list, err := h.db.Forecasts(ctx, string(step))
	if err != nil {
		return err
	}
	series, err := watch.Read(ctx, h.public, h.op, watch.Ask{Indicator: "total_movements", Step: step, By: dim}, h.now())
	if err != nil {
		return err
	}
	var mine []dtm.Forecast
	for _, f := range list {
		if f.By == dim {
			mine = append(mine, f)
		}
	}
	told := watch.Hold(mine, map[string][]watch.Series{dim: series})
	var rows [][]any
	for _, t := range told {
		state := "-"
		switch {
		case t.After:
			state = "made afterwards"
		case t.Known() && t.Within(80):
			state = "80"
		case t.Known() && t.Within(95):
			state = "95"
		case t.Known():
			state = "outside"
		}
		rows = append(rows, []any{alertSeries(h.op, dtm.Alert{By: t.By, Key: t.Key}, dtm.English), step.Name(t.Target), float64(t.Ahead), t.Made.In(h.op.Zone).Format(time.DateOnly), t.Mean, t.Lo80, t.Hi80, t.Lo95, t.Hi95, t.Observed, state, t.Model, t.Release})
	}
	if err := c.write(*format, []string{"series", "step", "ahead", "made", "expected", "low80", "high80", "low95", "high95", "observed", "within", "model", "release"}, rows); err != nil {
		return err
	}
	if r := watch.ScoreOf(told); r.N > 0 {
		fmt.Fprintf(c.err, "%d held against a count: mean absolute error %.0f, %.0f %% in the 80 %% interval, %.0f %% in the 95 %% one\n", r.N, r.MAE, 100*r.In80, 100*r.In95)
	}
	return nil
}

// nowcast completes this week and the last with what is still to arrive.
func (h *house) nowcast(ctx context.Context) (watch.Nowcast, error) {
	list, err := h.figures.Late(ctx, watch.LatePeriod(h.today()))
	if err != nil {
		return watch.Nowcast{}, err
	}
	return watch.Now(list, h.today())
}

func runOutlookNow(ctx context.Context, c *call) error {
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
	n, err := h.nowcast(ctx)
	if err != nil {
		return err
	}
	row := func(name string, x watch.Coming) []any {
		return []any{name, x.Known, x.Expected, x.Lo80, x.Hi80, x.Lo95, x.Hi95}
	}
	var rows [][]any
	for _, d := range n.Days {
		rows = append(rows, row(d.From.Format(time.DateOnly), d))
	}
	rows = append(rows, row("week "+watch.Week.Name(n.LastWeek.From), n.LastWeek))
	if n.ThisWeek.From.Before(n.ThisWeek.To) {
		rows = append(rows, row("week "+watch.Week.Name(n.ThisWeek.From)+", days that are over", n.ThisWeek))
	}
	return c.write(*format, []string{"of", "arrived", "expected", "low80", "high80", "low95", "high95"}, rows)
}
