package main

import (
	"context"
	"fmt"
	"log/slog"
	"text/tabwriter"
	"time"

	"dtm"
	"dtm/check"
	"dtm/event"
	"dtm/locale"
)

const (
	watchEvery = time.Minute // an alert is at most that late
	watchBack  = 3           // days before today that are looked at: what a stop of the server left
)

// keepWatch raises and ends alerts about silent points, and about counts when they have
// changed, until ctx ends.
func (h *house) keepWatch(ctx context.Context) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	var last lastLook
	for started := true; ; started = false {
		if err := did(ctx, "watch", h.watch); err != nil && ctx.Err() == nil {
			slog.ErrorContext(ctx, "silent points could not be looked for; it will be tried again", "error", err)
		}
		// Who waited for the server comes first: a look at all series takes a processor
		// for seconds.
		if !started {
			if err := h.lookMeanwhile(ctx, &last); err != nil && ctx.Err() == nil {
				slog.ErrorContext(ctx, "early warning failed; it will be tried again", "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// watch looks once, after all that was received is loaded.
func (h *house) watch(ctx context.Context) error {
	if err := h.current(ctx); err != nil {
		return err
	}
	ctx = event.WithActor(ctx, event.System)
	today := h.today()
	since := today.AddDate(0, 0, -watchBack)
	list, err := h.db.Silences(ctx, since)
	if err != nil {
		return err
	}
	first := since
	var open []dtm.Silence
	for _, s := range list {
		if s.Ended == nil {
			open = append(open, s)
			if s.Day.Before(first) {
				first = s.Day
			}
		}
	}
	came, err := h.figures.PointDays(ctx, dtm.Period{From: first, To: today.AddDate(0, 0, 1)})
	if err != nil {
		return err
	}
	raise, end := check.Watch(h.op.Network(), came, open, since, h.op.Zone, h.now())
	for _, s := range raise {
		if _, err := h.db.RaiseSilence(ctx, s); err != nil {
			return err
		}
	}
	for _, s := range end {
		if err := h.db.EndSilence(ctx, s, s.Reason); err != nil && dtm.KindOf(err) != dtm.Conflict {
			return err
		}
	}
	return nil
}

func runPointSilent(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	all := fs.Bool("all", false, "those of the last 90 days that have ended too")
	lang := fs.String("lang", "en", "language: en, fr, ar")
	if _, err := c.parse(fs, 0, 0); err != nil {
		return err
	}
	h, done, err := c.open(ctx, *data)
	if err != nil {
		return err
	}
	defer done()
	if err := h.watch(ctx); err != nil {
		return err
	}
	list, err := h.db.Silences(ctx, h.today().AddDate(0, 0, -90))
	if err != nil {
		return err
	}
	l := dtm.Lang(*lang)
	w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
	n := 0
	for _, s := range list {
		if s.Ended != nil && !*all {
			continue
		}
		if n++; n == 1 {
			fmt.Fprintln(w, "alert\tpoint\tdue\tended")
		}
		ended := "-"
		switch {
		case s.Ended == nil:
		case s.Reason == "":
			ended = s.Ended.In(h.op.Zone).Format("2006-01-02 15:04") + " records came"
		default:
			ended = s.Ended.In(h.op.Zone).Format("2006-01-02 15:04") + " " + s.By + ": " + s.Reason
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", s.ID(), h.place(s.Point, l), s.Due.In(h.op.Zone).Format("2006-01-02 15:04"), ended)
	}
	if n == 0 {
		fmt.Fprintln(c.err, "no point with a plan is silent")
	}
	return w.Flush()
}

func runPointDismiss(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	reason := fs.String("reason", "", "why nothing came")
	args, err := c.parse(fs, 1, 1)
	if err != nil {
		return err
	}
	if *reason == "" {
		return wrongUse("-reason is missing: why did nothing come?")
	}
	s, err := dtm.ParseSilence(args[0])
	if err != nil {
		return err
	}
	h, done, err := c.open(ctx, *data)
	if err != nil {
		return err
	}
	defer done()
	if err := h.db.EndSilence(ctx, s, *reason); err != nil {
		return err
	}
	fmt.Fprintln(c.out, "dismissed", s.ID())
	return nil
}

var dayMarks = map[check.DayState]string{check.DayClosed: " ", check.DayFree: "-", check.DayObserved: "#", check.DaySilent: "!", check.DayPending: ".", check.DayUnknown: "?"}

func runCoverage(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	month := fs.String("month", "", "`YYYY-MM`; the month that is running when left out")
	lang := fs.String("lang", "en", "language: en, fr, ar")
	if _, err := c.parse(fs, 0, 0); err != nil {
		return err
	}
	h, done, err := c.open(ctx, *data)
	if err != nil {
		return err
	}
	defer done()
	m := dtm.MonthOf(h.today())
	if *month != "" {
		if m, err = dtm.ParseMonth(*month); err != nil {
			return err
		}
	}
	if err := h.current(ctx); err != nil {
		return err
	}
	p := dtm.Months(m, m)
	list, at, err := h.figures.Coverage(ctx, p)
	if err != nil {
		return err
	}
	delays, err := h.figures.Delays(ctx, p)
	if err != nil {
		return err
	}
	took := map[string]dtm.Delay{}
	for _, d := range delays {
		took[d.Point] = d
	}
	l := dtm.Lang(*lang)
	w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "point\tdays\texpected\tobserved\tpercent\tsilent\thours planned\thours observed\tdelay median\tdelay p90")
	line := func(name, days string, x check.PointCoverage, d dtm.Delay) {
		percent, delay, p90 := "-", "-", "-"
		if s, ok := x.Share(); ok {
			percent = locale.Number(l, s, 0)
		}
		if d.Records > 0 {
			delay, p90 = brief(d.Median), brief(d.P90)
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%s\t%d\t%s\t%s\t%s\t%s\n", name, days, x.Expected, x.Observed, percent, x.Silent, locale.Number(l, x.PlannedHours, 0), locale.Number(l, x.ObservedHours, 0), delay, p90)
	}
	for _, x := range list {
		if x.Expected == 0 && x.Records == 0 && x.Unknown == 0 {
			continue
		}
		days := ""
		for _, d := range x.Days {
			days += dayMarks[d.State]
		}
		line(h.place(x.Point, l), days, x, took[x.Point])
	}
	line("all", "", check.Total(list), took[""])
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(c.err, "# observed  ! silent  - not planned  . to come  ? only the month is known  (blank) closed; as of %s\n", at.In(h.op.Zone).Format("2006-01-02 15:04"))
	return nil
}

// brief writes a duration in its largest unit: "5 min", "3.5 h", "2.1 d".
func brief(d time.Duration) string {
	switch {
	case d < time.Hour:
		return fmt.Sprintf("%.0f min", d.Minutes())
	case d < 48*time.Hour:
		return fmt.Sprintf("%.1f h", d.Hours())
	}
	return fmt.Sprintf("%.1f d", d.Hours()/24)
}
