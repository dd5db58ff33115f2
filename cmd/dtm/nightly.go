package main

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"dtm"
	"dtm/check"
	"dtm/event"
)

// nightlyHour is when the rules over series run, by the clock of the operation: the
// day's records are in, nobody is at the desk.
const nightlyHour = 2

// nightlyDays is how far back they look: what comes late is seen too.
const nightlyDays = 70

// nightly runs the rules over series every night, until ctx ends.
func (h *house) nightly(ctx context.Context) {
	for {
		now := h.now().In(h.op.Zone)
		next := time.Date(now.Year(), now.Month(), now.Day(), nightlyHour, 0, 0, 0, h.op.Zone)
		if !next.After(now) {
			next = next.AddDate(0, 0, 1)
		}
		pause := time.NewTimer(next.Sub(now))
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return
		}
		h.retain(ctx)
		today := h.today()
		raised, cleared, err := h.raise(ctx, dtm.Period{From: today.AddDate(0, 0, -nightlyDays), To: today.AddDate(0, 0, 1)})
		if err == nil {
			var p looked
			p, err = h.raiseHistory(ctx)
			raised, cleared = raised+p.Raised, cleared+p.Cleared
		}
		if err != nil && ctx.Err() == nil {
			slog.ErrorContext(ctx, "the nightly rules failed; they run again tomorrow", "error", err)
			continue
		}
		slog.InfoContext(ctx, "nightly rules", "raised", raised, "cleared", cleared)
		if _, _, err := h.look(ctx); err != nil && ctx.Err() == nil {
			slog.ErrorContext(ctx, "early warning failed; it runs again tomorrow", "error", err)
		}
		if _, err := h.archive(ctx); err != nil && ctx.Err() == nil {
			slog.ErrorContext(ctx, "forecasts could not be kept; it is tried again tomorrow", "error", err)
		}
	}
}

// raise keeps as flags what the rules over series find in a period, and clears what
// they do not find any more. Rules of single records ran on arrival.
func (h *house) raise(ctx context.Context, p dtm.Period) (raised, cleared int, err error) {
	ctx, end := span(ctx, "rules")
	defer func() { end(err) }()
	rules := h.forms.rules()
	findings, _, err := h.findings(ctx, rules, p)
	if err != nil {
		return 0, 0, err
	}
	var list []string
	for id, r := range check.Built() { // those switched off too: their flags are cleared
		if r.Scope != "record" && r.Scope != "form" && r.Scope != "month" { // months are raiseHistory's
			list = append(list, id)
		}
	}
	slices.Sort(list)
	var found []dtm.Raised
	for _, f := range findings {
		if slices.Contains(list, f.Rule) {
			found = append(found, h.asFlag(ctx, rules, f))
		}
	}
	return h.db.RaiseSeries(event.WithActor(ctx, event.System), list, p.From, p.To, found)
}

// asFlag is a finding as the queue keeps it.
func (h *house) asFlag(ctx context.Context, rules check.Rules, f check.Finding) dtm.Raised {
	out := dtm.Raised{Rule: f.Rule, Severity: rules.Severity(f.Rule).Rank(), Subject: f.Subject, Day: f.Day, Other: f.Other, Note: measured(f)}
	if out.Subject == "" {
		out.Subject = f.Day.Format("2006-01")
	}
	if p, ok := h.op.Point(f.Subject); ok {
		out.Point = p.Code
	}
	out.ID = f.Rule + "|" + f.Subject + "|" + f.Day.Format(time.DateOnly)
	if f.Text != "" {
		out.ID += "|" + f.Text
	}
	if f.Record != "" {
		out.ID = f.Rule + "|" + f.Record + "|"
		if _, err := h.db.Submission(ctx, f.Record); err == nil { // else a row of history
			out.Submission = f.Record
		}
	}
	return out
}
