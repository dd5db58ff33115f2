package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"text/tabwriter"
	"time"

	"dtm"
	"dtm/analyse/stat"
	"dtm/check"
	"dtm/gather/xform"
	"dtm/locale"
)

// record is what the quality rules see of a submission.
func record(s dtm.Submission, in *xform.Instance, rows []dtm.Movement) *check.Record {
	c := in.Circumstances()
	r := &check.Record{ID: s.ID, Device: s.Device, Slot: c.Slot, Start: c.Start, End: c.End, Received: s.Received, Rows: rows, Stated: c.Stated, Answers: c.Answers}
	if r.Device == "" {
		r.Device = s.DeviceID
	}
	if len(rows) > 0 {
		r.Point, r.Observed = rows[0].Point, rows[0].Observed
	}
	if c.Positioned {
		r.Position = &check.Position{Lat: c.Lat, Lon: c.Lon, Accuracy: c.Accuracy}
	}
	return r
}

// quality flags what rules about a single record find and reading it did not. Notes
// are left to the overviews: they ask nobody to look.
func (c *formCache) quality(s dtm.Submission, in *xform.Instance, rows []dtm.Movement, already []dtm.Flag) []dtm.Flag {
	if len(rows) == 0 {
		return nil
	}
	var out []dtm.Flag
	rules := c.rules()
	for _, f := range rules.One(c.op, check.FrameOf(c.op), record(s, in, rows)) {
		said := slices.ContainsFunc(already, func(g dtm.Flag) bool { return g.Rule == f.Rule })
		if said || rules[f.Rule].Severity == check.Note {
			continue
		}
		out = append(out, dtm.Flag{Rule: f.Rule, Note: measured(f)})
	}
	return out
}

// measured says what a rule measured, in figures that need no translation.
func measured(f check.Finding) string {
	n := compared(f)
	if n != "" && f.Text != "" {
		n += " · "
	}
	return n + f.Text
}

func compared(f check.Finding) string {
	switch f.Rule {
	case "position.far":
		return fmt.Sprintf("%.0f km > %.0f km", f.Seen, f.Usual)
	case "interview.fast":
		return fmt.Sprintf("%.0f s < %.0f s", f.Seen, f.Usual)
	case "group.large", "vulnerable.exceeds", "answers.sum":
		return fmt.Sprintf("%.0f / %.0f", f.Seen, f.Usual)
	}
	if f.Usual != 0 {
		return figure(f.Seen) + " / " + figure(f.Usual)
	}
	if f.Seen > 1 {
		return figure(f.Seen)
	}
	return ""
}

// figure writes whole numbers whole, others with two digits after the point.
func figure(v float64) string {
	if v == math.Trunc(v) {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

// runQuality prints what the rules find in a month: those about records, and those
// that compare records, devices and days.
func runQuality(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	month := fs.String("month", "", "`YYYY-MM`; the month that is running when left out")
	lang := fs.String("lang", "en", "language: en, fr, ar")
	all := fs.Bool("all", false, "every finding, not only how many of each rule")
	raise := fs.Bool("raise", false, "keep what the rules over series find as flags for the review, as is done every night")
	if _, err := c.parse(fs, 0, 0); err != nil {
		return err
	}
	h, done, err := c.open(ctx, *data)
	if err != nil {
		return err
	}
	defer done()
	m := dtm.MonthOf(time.Now().In(h.op.Zone))
	if *month != "" {
		if m, err = dtm.ParseMonth(*month); err != nil {
			return err
		}
	}
	if err := h.current(ctx); err != nil {
		return err
	}
	if *raise {
		raised, cleared, err := h.raise(ctx, dtm.Months(m, m))
		if err != nil {
			return err
		}
		past, err := h.raiseHistory(ctx)
		if err == nil {
			fmt.Fprintf(c.err, "%s and imported history: %d flags raised, %d cleared; dtm review list shows them\n", m, raised+past.Raised, cleared+past.Cleared)
		}
		return err
	}
	findings, n, err := h.findings(ctx, h.forms.rules(), dtm.Months(m, m))
	if err != nil {
		return err
	}
	l := dtm.Lang(*lang)
	rules := h.forms.rules()
	w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
	count := map[string]int{}
	for _, f := range findings {
		count[f.Rule]++
	}
	if *all {
		fmt.Fprintln(w, "rule\tday\twhere\trecord\tcompared with\tseen\tusual")
		for _, f := range findings {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", locale.Say(l, "rule."+f.Rule), f.Day.Format(time.DateOnly), h.place(f.Subject, l), f.Record, f.Other,
				locale.Number(l, f.Seen, -1), locale.Number(l, f.Usual, -1))
		}
		return w.Flush()
	}
	fmt.Fprintf(c.err, "%s: %d records\n", m, n)
	if len(findings) == 0 {
		fmt.Fprintln(c.err, "nothing was found")
		return nil
	}
	fmt.Fprintln(w, "findings\tseverity\tlooked after by\trule")
	for _, id := range rules.IDs() {
		if count[id] > 0 {
			fmt.Fprintf(w, "%d\t%s\t%s\t%s\n", count[id], rules[id].Severity, rules[id].Owner, locale.Say(l, "rule."+id))
		}
	}
	return w.Flush()
}

// place is a point's name; what is no point stays.
func (h *house) place(subject string, l dtm.Lang) string {
	if p, ok := h.op.Point(subject); ok {
		return p.Name.In(l)
	}
	return subject
}

// before is how much earlier than a period rules look, to know what is usual.
const before = 70 * 24 * time.Hour

// observed are the records of groups seen in [from, to), as review has left them:
// corrected, and without those that were rejected.
func (h *house) observed(ctx context.Context, from, to time.Time) ([]*check.Record, error) {
	// What was observed in the period came then or within the year after.
	return h.records(ctx, dtm.SubmissionQuery{From: from, To: to.AddDate(1, 0, 0)}, from, to)
}

// observedOn are those of them whose day was in the period when they came: fewer are read.
// A correction of the day into it is left out.
func (h *house) observedOn(ctx context.Context, from, to time.Time) ([]*check.Record, error) {
	days := dtm.SubmissionSearch{FromDay: from.Format(time.DateOnly), ToDay: to.AddDate(0, 0, -1).Format(time.DateOnly)}
	return h.records(ctx, dtm.SubmissionQuery{Among: &days}, from, to)
}

// records are those of [from, to) among what a query finds, of all forms.
func (h *house) records(ctx context.Context, q dtm.SubmissionQuery, from, to time.Time) ([]*check.Record, error) {
	forms, err := h.db.Forms(ctx)
	if err != nil {
		return nil, err
	}
	var records []*check.Record
	for _, f := range forms {
		q.Form = f.ID
		err := h.db.Stream(ctx, q, func(list []dtm.Streamed) error {
			for i := range list {
				s := list[i].Submission
				form, err := h.forms.form(ctx, s.Form, s.Version)
				if err != nil {
					return err
				}
				if form == nil || s.State == dtm.StateRejected {
					continue // published as an XForm, it counts nobody
				}
				if s.State == dtm.StateCorrected {
					if s, _, err = h.corrected(ctx, s); err != nil {
						return err
					}
				}
				in, err := xform.Read(form, s.XML)
				if err != nil {
					continue // flagged when it came
				}
				rows, _ := xform.Movements(h.op, form, in)
				if len(rows) > 0 && !rows[0].Observed.Before(from) && rows[0].Observed.Before(to) {
					records = append(records, record(s, in, rows))
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return records, nil
}

// findings runs every rule over the submissions observed in a period, and the months
// of imported history that it touches. It gives the number of records too.
func (h *house) findings(ctx context.Context, rules check.Rules, p dtm.Period) ([]check.Finding, int, error) {
	frame := check.FrameOf(h.op)
	records, err := h.observed(ctx, p.From.Add(-before), p.To)
	if err != nil {
		return nil, 0, err
	}
	var out []check.Finding
	n := 0
	days := map[string]map[time.Time]int{}
	var inside []*check.Record
	for _, r := range records {
		if days[r.Point] == nil {
			days[r.Point] = map[time.Time]int{}
		}
		days[r.Point][r.Observed]++
		if p.Contains(r.Observed) {
			n++
			inside = append(inside, r)
			out = append(out, rules.One(h.op, frame, r)...)
		}
	}
	series := check.SeriesOf(records)
	today := time.Now().In(h.op.Zone)
	until := p.To.AddDate(0, 0, -1)
	if t := time.Date(today.Year(), today.Month(), today.Day(), 0, 0, 0, 0, time.UTC); t.Before(until) {
		until = t
	}
	for _, list := range [][]check.Finding{rules.Duplicates(inside), rules.Devices(h.op, inside), rules.Outliers(series, stat.Regular), rules.Shifts(series), rules.Silent(h.op, days, p.From.Add(-before), until)} {
		for _, f := range list {
			if p.Contains(f.Day) {
				out = append(out, f)
			}
		}
	}
	past, err := h.history(ctx, rules, p)
	if err != nil {
		return nil, 0, err
	}
	out = append(out, past.found...)
	slices.SortStableFunc(out, func(a, b check.Finding) int {
		if c := slices.Index(rules.IDs(), a.Rule) - slices.Index(rules.IDs(), b.Rule); c != 0 {
			return c
		}
		return a.Day.Compare(b.Day)
	})
	return out, n + past.rows, nil
}
