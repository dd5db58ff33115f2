package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"

	"dtm"
	"dtm/analyse/watch"
	"dtm/locale"
)

// watchFlags are those that choose series.
type watchFlags struct {
	series, by, until, format, lang *string
	week, day, public               *bool
	where                           listFlag
	data                            *string
}

// seriesNames are short names of the series that are asked for most.
var seriesNames = map[string]string{"movements": "total_movements", "entries": "entries", "returns": "returns"}

func (c *call) watchFlags(fs *flag.FlagSet) *watchFlags {
	w := &watchFlags{
		data:   c.dataFlag(fs),
		series: fs.String("series", "movements", "movements, entries, returns or another count of the catalogue"),
		by:     fs.String("by", "", "a series for each `point` or corridor"),
		week:   fs.Bool("week", false, "weeks, Monday to Sunday; months when left out (history may know the month only)"),
		day:    fs.Bool("day", false, "days"),
		until:  fs.String("until", "", "as if the history ended with this `YYYY-MM` or YYYY-MM-DD"),
		format: fs.String("format", "table", "table, csv or json"),
		lang:   fs.String("lang", "en", "language of labels"),
		public: fs.Bool("public", false, "see only counts that are published: small ones are missing"),
	}
	fs.Bool("month", true, "months, unless -week or -day")
	fs.Var(&w.where, "where", "only these, may be repeated: `dimension=code`, several codes with commas")
	return w
}

// read gives the series asked for.
func (w *watchFlags) read(ctx context.Context, c *call) ([]watch.Series, *dtm.Operation, error) {
	a := watch.Ask{Indicator: *w.series, Step: watch.Month, By: *w.by, Where: map[string][]string{}}
	if *w.format != "table" && *w.format != "csv" && *w.format != "json" {
		return nil, nil, wrongUse("-format %q: want table, csv or json", *w.format)
	}
	if id, ok := seriesNames[a.Indicator]; ok {
		a.Indicator = id
	}
	a.Step = w.step()
	if a.By == "corridor" {
		a.By = "route"
	}
	for _, s := range w.where {
		dim, codes, ok := strings.Cut(s, "=")
		if !ok {
			return nil, nil, wrongUse("-where %q: want dimension=code", s)
		}
		a.Where[dim] = append(a.Where[dim], strings.Split(codes, ",")...)
	}
	if *w.until != "" {
		p, err := dtm.ParsePeriod(*w.until, "")
		if err != nil {
			return nil, nil, err
		}
		a.Until = p.To
	}
	h, done, err := c.open(ctx, *w.data)
	if err != nil {
		return nil, nil, err
	}
	defer done()
	if err := h.current(ctx); err != nil {
		return nil, nil, err
	}
	figures := dtm.Figures(h.figures)
	if *w.public {
		figures = h.public
	}
	list, err := watch.Read(ctx, figures, h.op, a, h.now())
	if err == nil && len(list) == 0 {
		err = dtm.Errorf(dtm.NotFound, "there are no counts to watch")
	}
	if err == nil && !*w.public {
		fmt.Fprintln(c.err, "internal: from counts that are not all published; use -public before passing anything on")
	}
	return list, h.op, err
}

func (w *watchFlags) step() watch.Step {
	switch {
	case *w.day:
		return watch.Day
	case *w.week:
		return watch.Week
	}
	return watch.Month
}

// name is what a series is called.
func (w *watchFlags) name(op *dtm.Operation, key string) string {
	switch {
	case *w.by == "":
		return locale.Say(dtm.Lang(*w.lang), "watch.all")
	case key == "":
		return locale.Say(dtm.Lang(*w.lang), "word.unknown")
	case *w.by == "point":
		if p, ok := op.Point(key); ok {
			return p.Name.In(dtm.Lang(*w.lang))
		}
		return key
	}
	return op.Lists["route"].Label(key, dtm.Lang(*w.lang))
}

func (w *watchFlags) effects(op *dtm.Operation, codes []string) string {
	var out []string
	for _, code := range codes {
		out = append(out, op.Lists["effect"].Label(code, dtm.Lang(*w.lang)))
	}
	return strings.Join(out, ", ")
}

// write prints rows by the wanted format. head names columns; values are strings,
// float64 or bool.
func (c *call) write(format string, head []string, rows [][]any) error {
	text := func(v any) string {
		switch v := v.(type) {
		case float64:
			if math.IsNaN(v) {
				return ""
			}
			return strconv.FormatFloat(math.Round(v*100)/100, 'f', -1, 64)
		case bool:
			return strconv.FormatBool(v)
		}
		return fmt.Sprint(v)
	}
	switch format {
	case "json":
		list := []map[string]any{}
		for _, r := range rows {
			o := map[string]any{}
			for i, h := range head {
				o[h] = r[i]
				if f, ok := r[i].(float64); ok {
					o[h] = nil
					if !math.IsNaN(f) && !math.IsInf(f, 0) {
						o[h] = math.Round(f*100) / 100
					}
				}
			}
			list = append(list, o)
		}
		e := json.NewEncoder(c.out)
		e.SetIndent("", " ")
		return e.Encode(list)
	case "csv":
		w := csv.NewWriter(c.out)
		all := [][]string{head}
		for _, r := range rows {
			var line []string
			for _, v := range r {
				line = append(line, text(v))
			}
			all = append(all, line)
		}
		return w.WriteAll(all)
	}
	w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, strings.Join(head, "\t"))
	for _, r := range rows {
		var line []string
		for _, v := range r {
			s := text(v)
			switch v := v.(type) {
			case float64:
				if math.Abs(v) >= 10 {
					s = strconv.FormatFloat(math.Round(v), 'f', 0, 64)
				}
			case bool:
				s = map[bool]string{true: "ALARM", false: "-"}[v]
			}
			if s == "" {
				s = "."
			}
			line = append(line, s)
		}
		fmt.Fprintln(w, strings.Join(line, "\t"))
	}
	return w.Flush()
}

func methodFlag(fs *flag.FlagSet) (method *string, alpha *float64) {
	var names []string
	for _, m := range watch.Methods {
		names = append(names, string(m))
	}
	return fs.String("method", "auto", "one of "+strings.Join(names, ", ")+"; auto goes by the length of the history"),
		fs.Float64("alpha", 0, "chance of a false alarm per step and series (default 0.01 for farrington on weeks and months, 0.001 for the others)")
}

func runWarning(ctx context.Context, c *call) error {
	fs := c.flags()
	w := c.watchFlags(fs)
	method, alpha := methodFlag(fs)
	all := fs.Bool("all", false, "every step, not only the last one")
	if _, err := c.parse(fs, 0, 0); err != nil {
		return err
	}
	list, op, err := w.read(ctx, c)
	if err != nil {
		return err
	}
	set := watch.Settings{Method: watch.Method(*method), Alpha: *alpha}
	var rows [][]any
	for _, s := range list {
		from := s.Len() - 1
		if *all {
			from = 0
		}
		for t := from; t < s.Len(); t++ {
			j, err := s.Judge(t, set)
			if err != nil {
				return err
			}
			m := string(j.Method)
			switch {
			case math.IsNaN(s.Counts[t]):
				m = locale.Say(dtm.Lang(*w.lang), "watch.unobserved")
			case m == "":
				m = locale.Say(dtm.Lang(*w.lang), "watch.none")
			}
			rows = append(rows, []any{w.name(op, s.Key), s.Step.Name(s.Starts[t]), s.Counts[t], s.Days[t], j.Expected, j.Upper, j.Alarm, m, w.effects(op, s.Effects(t))})
		}
	}
	return c.write(*w.format, []string{"series", "step", "observed", "days", "expected", "bound", "alarm", "method", "calendar"}, rows)
}

func runWarningBacktest(ctx context.Context, c *call) error {
	fs := c.flags()
	w := c.watchFlags(fs)
	method, alpha := methodFlag(fs)
	synthetic := fs.Bool("synthetic", false, "on invented weeks (-day: days) with surges that were put in, in place of a data folder")
	if _, err := c.parse(fs, 0, 0); err != nil {
		return err
	}
	set := watch.Settings{Method: watch.Method(*method), Alpha: *alpha}
	if *synthetic {
		step := watch.Week
		if *w.day {
			step = watch.Day
		}
		return c.trial(step, set, *w.format)
	}
	list, op, err := w.read(ctx, c)
	if err != nil {
		return err
	}
	var all watch.Backtest
	planted := []watch.Planted{{Factor: 1.5}, {Factor: 2}, {Factor: 3}}
	var rows [][]any
	for _, s := range list {
		b, err := s.Backtest(set)
		if err != nil {
			return err
		}
		all = all.Add(b)
		for _, r := range b.Raised {
			rows = append(rows, []any{w.name(op, r.Key), s.Step.Name(r.Start), r.Observed, r.Expected, r.Upper, string(r.Method), stood(s, r), w.effects(op, r.Effects)})
		}
		stride := 1
		switch s.Step {
		case watch.Week:
			stride = 6
		case watch.Day:
			stride = 28
		}
		for i, p := range planted {
			q, err := s.Plant(set, p.Factor, 3, stride)
			if err != nil {
				return err
			}
			planted[i] = p.Add(q)
		}
	}
	if err := c.write(*w.format, []string{"series", "step", "observed", "expected", "bound", "method", "stood", "calendar"}, rows); err != nil {
		return err
	}
	fmt.Fprintf(c.err, "%d steps judged (%.1f years of one series): %d alarms, %.2f a year and series; %d stood alone, %.2f a year and series\n",
		all.Tested, all.Years, len(all.Raised), all.PerYear(), all.Alone, all.AlonePerYear())
	for _, p := range planted {
		if p.Surges > 0 {
			fmt.Fprintf(c.err, "surges of three steps that multiply by %g: %d of %d found, %.2f steps after they began\n", p.Factor, p.Found, p.Surges, orZero(p.Delay()))
		}
	}
	return nil
}

// stood says how long an alarm did.
func stood(s watch.Series, r watch.Raised) string {
	switch {
	case r.Alone:
		return "alone"
	case r.Start.Equal(s.Starts[s.Len()-1]):
		return "last step"
	}
	return "more than one step"
}

func orZero(v float64) float64 {
	if math.IsNaN(v) {
		return 0
	}
	return v
}

// trial prints how methods do on invented weeks or days.
func (c *call) trial(step watch.Step, set watch.Settings, format string) error {
	op, err := loadOperation("djibouti")
	if err != nil {
		return err
	}
	methods := []watch.Method{set.Method}
	if set.Method == watch.Auto {
		methods = []watch.Method{watch.Auto, watch.C1, watch.C2, watch.C3, watch.CUSUM, watch.STL}
	}
	series, heads := 4, []string{"method", "factor", "surges", "found", "delay_weeks", "false_alarms_a_year", "quiet_years"}
	if step == watch.Day {
		series, heads[4] = 1, "delay_days"
	}
	var rows [][]any
	for _, m := range methods {
		for _, factor := range []float64{1.3, 1.5, 2} {
			set.Method = m
			t, err := watch.Trial(step, set, series, factor, op.Calendar)
			if err != nil {
				return err
			}
			rows = append(rows, []any{string(m), factor, float64(t.Surges), float64(t.Found), t.Delay(), t.FalsePerYear(), t.Quiet})
		}
	}
	return c.write(format, heads, rows)
}

func runOutlook(ctx context.Context, c *call) error {
	fs := c.flags()
	w := c.watchFlags(fs)
	ahead := fs.Int("ahead", 0, "`steps` to look ahead (default 3 months, 4 weeks)")
	past := fs.Bool("past", false, "what would have been expected of each past step, one step ahead, and what came")
	scores := fs.Bool("scores", false, "how each model did over the rolling origin")
	if _, err := c.parse(fs, 0, 0); err != nil {
		return err
	}
	list, op, err := w.read(ctx, c)
	if err != nil {
		return err
	}
	h := *ahead
	if h == 0 {
		h = 3
		if *w.week {
			h = 4
		}
	}
	head := []string{"series", "step", "expected", "low80", "high80", "low95", "high95", "model"}
	if *past {
		head = []string{"series", "step", "expected", "low80", "high80", "observed", "error", "model"}
	}
	if *scores {
		head = []string{"series", "model", "mean_absolute_error", "of_seasonal_naive", "in_80_pct", "in_95_pct", "forecasts"}
	}
	var rows [][]any
	for _, s := range list {
		name := w.name(op, s.Key)
		o, err := s.Look(h)
		if dtm.KindOf(err) == dtm.Invalid {
			if *ahead > 0 && len(list) == 1 {
				return err
			}
			fmt.Fprintf(c.err, "%s: %s\n", name, locale.Error(dtm.Lang(*w.lang), err))
			continue
		}
		if err != nil {
			return err
		}
		switch {
		case *scores:
			for _, x := range o.Scores {
				rows = append(rows, []any{name, string(x.Model), x.MAE, x.Ratio, 100 * x.Coverage80, 100 * x.Coverage95, float64(x.N)})
			}
		case *past:
			for _, x := range o.Past {
				rows = append(rows, []any{name, s.Step.Name(x.At), x.Mean, x.Lo80, x.Hi80, x.Observed, x.Observed - x.Mean, string(o.Model)})
			}
		default:
			for k, at := range o.Starts {
				f := o.Forecast
				rows = append(rows, []any{name, s.Step.Name(at), f.Mean[k], f.Lo80[k], f.Hi80[k], f.Lo95[k], f.Hi95[k], string(o.Model)})
			}
		}
	}
	return c.write(*w.format, head, rows)
}
