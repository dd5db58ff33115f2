package main

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"dtm"
	"dtm/analyse/watch"
	"dtm/event"
	"dtm/locale"
)

// looks are the series that early warning judges, by step.
var looks = map[watch.Step][]string{watch.Day: {"", "point"}, watch.Week: {"", "point", "route"}, watch.Month: {"", "point", "route"}}

// lookEvery is the least time between two looks at counts while records come in.
const lookEvery = 15 * time.Minute

// look judges the latest counts and keeps the alerts that follow.
func (h *house) look(ctx context.Context) (raised, cleared int, err error) {
	if err := h.current(ctx); err != nil {
		return 0, 0, err
	}
	ctx = event.WithActor(ctx, event.System)
	for _, step := range watch.Steps {
		var found []dtm.Alert
		var looked dtm.Period
		for _, by := range looks[step] {
			list, err := watch.Read(ctx, h.figures, h.op, watch.Ask{Indicator: "total_movements", Step: step, By: by}, h.now())
			if err != nil {
				return raised, cleared, err
			}
			f, p, err := watch.Alerts(list, by, watch.Settings{}, h.now())
			if err != nil {
				return raised, cleared, err
			}
			found = append(found, f...)
			if p.From.IsZero() {
				continue
			}
			if looked.From.IsZero() || p.From.Before(looked.From) {
				looked.From = p.From
			}
			if p.To.After(looked.To) {
				looked.To = p.To
			}
		}
		if looked.From.IsZero() {
			continue
		}
		r, c, err := h.db.RaiseAlerts(ctx, string(step), looked.From, looked.To, found)
		raised, cleared = raised+r, cleared+c
		if err != nil {
			return raised, cleared, err
		}
	}
	return raised, cleared, nil
}

// lookMeanwhile looks at counts when they have changed and the last look is a while
// ago. A fact that comes between two looks is seen by the next, or at night.
func (h *house) lookMeanwhile(ctx context.Context, last *lastLook) error {
	now := h.now()
	if now.Sub(last.at) < lookEvery {
		return nil
	}
	r, err := h.figures.Release(ctx)
	if err != nil || r.Seq == last.seq {
		return err
	}
	basis := fmt.Sprint(r.Seq, " ", h.today().Format(time.DateOnly))
	if last.at.IsZero() { // the program started: it may have looked at these counts before
		c, err := h.db.Computed(ctx, lookName)
		if err != nil {
			return err
		}
		if c.Basis == basis {
			last.at, last.seq = now, r.Seq
			return nil
		}
	}
	raised, cleared, err := h.look(ctx)
	if err != nil {
		return err
	}
	if last.at.IsZero() { // forecasts that came due while no server ran
		if _, err := h.archive(ctx); err != nil {
			return err
		}
	}
	last.at, last.seq = now, r.Seq
	if err := h.db.KeepComputed(ctx, dtm.Computed{Name: lookName, Basis: basis, At: now}); err != nil {
		return err
	}
	if raised+cleared > 0 {
		slog.InfoContext(ctx, "early warning", "raised", raised, "cleared", cleared)
	}
	return nil
}

// lookName is under which the last look is noted.
const lookName = "look"

type lastLook struct {
	at  time.Time
	seq int64
}

// alertSeries names what an alert is about.
func alertSeries(op *dtm.Operation, a dtm.Alert, l dtm.Lang) string {
	switch a.By {
	case "":
		return locale.Say(l, "watch.all")
	case "point":
		if p, ok := op.Point(a.Key); ok {
			return p.Name.In(l)
		}
		return a.Key
	}
	return op.Lists[a.By].Label(a.Key, l)
}

func runAlertList(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	state := fs.String("state", dtm.FlagOpen, "open, confirmed, dismissed, cleared or all")
	kind := fs.String("kind", "", "count or silent")
	lang := fs.String("lang", "en", "language: en, fr, ar")
	format := fs.String("format", "table", "table, csv or json")
	show := fs.String("id", "", "the history of one `alert`")
	look := fs.Bool("look", true, "judge the latest counts first")
	if _, err := c.parse(fs, 0, 0); err != nil {
		return err
	}
	states := []string{dtm.FlagOpen, dtm.FlagConfirmed, dtm.FlagDismissed, dtm.FlagCleared}
	if *state != "all" && !slices.Contains(states, *state) {
		return wrongUse("-state %q: want %s or all", *state, strings.Join(states, ", "))
	}
	h, done, err := c.open(ctx, *data)
	if err != nil {
		return err
	}
	defer done()
	l := dtm.Lang(*lang)
	if *show != "" {
		return c.alertHistory(ctx, h, *show, l)
	}
	if *look {
		if err := h.watch(ctx); err != nil {
			return err
		}
		if _, _, err := h.look(ctx); err != nil {
			return err
		}
	}
	f := dtm.AlertFilter{}
	if *state != "all" {
		f.States = []string{*state}
	}
	list, err := h.db.Alerts(ctx, f)
	if err != nil {
		return err
	}
	var rows [][]any
	for _, a := range list {
		if *kind != "" && a.Kind != *kind {
			continue
		}
		observed, expected, bound := a.Observed, a.Expected, a.Bound
		if a.Kind == dtm.AlertSilent {
			observed, expected, bound = math.NaN(), math.NaN(), math.NaN()
		}
		why := a.Note
		if a.Reason != "" {
			why = strings.TrimSuffix(locale.Say(l, "alert.reason."+a.Reason)+": "+a.Note, ": ")
		}
		rows = append(rows, []any{a.ID, alertSeries(h.op, a, l), observed, expected, bound, a.State, a.Actor, why})
	}
	if len(rows) == 0 && *format == "table" {
		fmt.Fprintln(c.err, "no alert is like that")
		return nil
	}
	return c.write(*format, []string{"alert", "series", "observed", "expected", "bound", "state", "by", "note"}, rows)
}

func (c *call) alertHistory(ctx context.Context, h *house, id string, l dtm.Lang) error {
	list, err := h.db.AlertHistory(ctx, id)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
	for _, e := range list {
		why := e.Note
		if e.Reason != "" {
			why = strings.TrimSuffix(locale.Say(l, "alert.reason."+e.Reason)+": "+e.Note, ": ")
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", e.At.In(h.op.Zone).Format("2006-01-02 15:04"), locale.Say(l, "alert.act."+e.Act), e.Actor, why)
	}
	return w.Flush()
}

func runAlertConfirm(ctx context.Context, c *call) error {
	return c.decideAlerts(ctx, dtm.FlagConfirmed)
}

func runAlertDismiss(ctx context.Context, c *call) error {
	return c.decideAlerts(ctx, dtm.FlagDismissed)
}

func runAlertReopen(ctx context.Context, c *call) error { return c.decideAlerts(ctx, dtm.FlagOpen) }

func (c *call) decideAlerts(ctx context.Context, state string) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	as := fs.String("as", "", "`email` of the user who decides; left out: whoever owns the data folder")
	note := fs.String("note", "", "what is known of it, for who reads it in a year")
	reason := ""
	if state == dtm.FlagDismissed {
		fs.StringVar(&reason, "reason", "", "of a count: "+strings.Join(dtm.AlertReasons[dtm.AlertCount], ", ")+"; of a silent point: "+strings.Join(dtm.AlertReasons[dtm.AlertSilent], ", "))
	}
	ids, err := c.parse(fs, 1, 1000)
	if err != nil {
		return err
	}
	if state == dtm.FlagDismissed && reason == "" {
		return wrongUse("-reason is missing: why is it dismissed?")
	}
	h, done, err := c.open(ctx, *data)
	if err != nil {
		return err
	}
	defer done()
	if ctx, err = h.acting(ctx, *as); err != nil {
		return err
	}
	did, err := h.db.DecideAlerts(ctx, dtm.AlertDecision{IDs: ids, State: state, Reason: reason, Note: *note})
	if err != nil {
		return err
	}
	word := state
	if state == dtm.FlagOpen {
		word = "open again"
	}
	fmt.Fprintf(c.out, "%d %s\n", did.Alerts, word)
	if did.Passed > 0 {
		fmt.Fprintf(c.err, "%d passed over: their state is another one already\n", did.Passed)
	}
	return nil
}
