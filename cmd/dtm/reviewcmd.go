package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"dtm"
	"dtm/event"
	"dtm/locale"
)

// reviewer is what the commands of a review share: who speaks, and why.
type reviewer struct {
	as, why *string
}

func (c *call) openReview(ctx context.Context, least, most int, more func(add func(name, value, usage string) *string)) (h *house, done func(), args []string, r reviewer, err error) {
	fs := c.flags()
	data := c.dataFlag(fs)
	r.as = fs.String("as", "", "`email` of the user who decides; left out: whoever owns the data folder")
	r.why = fs.String("why", "", "the reason, for who reads it in a year")
	if more != nil {
		more(func(name, value, usage string) *string { return fs.String(name, value, usage) })
	}
	if args, err = c.parse(fs, least, most); err != nil {
		return nil, nil, nil, r, err
	}
	h, done, err = c.open(ctx, *data)
	return h, done, args, r, err
}

// acting is ctx with the user who decides; the user must be there and be let in.
func (h *house) acting(ctx context.Context, email string) (context.Context, error) {
	if email == "" {
		return event.WithActor(ctx, "operator"), nil
	}
	u, _, err := h.db.User(ctx, email)
	if err == nil && u.Disabled != nil {
		err = dtm.Errorf(dtm.Forbidden, "the account of %s is closed", email)
	}
	return event.WithActor(ctx, "user:"+u.Email), err
}

func runReviewList(ctx context.Context, c *call) error {
	var state, point, rule, lang, limit *string
	h, done, _, _, err := c.openReview(ctx, 0, 0, func(add func(name, value, usage string) *string) {
		state = add("state", dtm.FlagOpen, "open, cleared, confirmed, dismissed")
		point = add("point", "", "code of a `point`")
		rule = add("rule", "", "one `rule`")
		lang = add("lang", "en", "language: en, fr, ar")
		limit = add("limit", "50", "how many at most")
	})
	if err != nil {
		return err
	}
	defer done()
	f := dtm.FlagFilter{State: *state, Rule: *rule}
	if *point != "" {
		f.Point = point
	}
	if _, err := fmt.Sscan(*limit, &f.Limit); err != nil {
		return wrongUse("-limit %s is no number", *limit)
	}
	if err := h.current(ctx); err != nil {
		return err
	}
	list, err := h.db.Queue(ctx, f)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		fmt.Fprintln(c.err, "no flag is like that")
		return nil
	}
	l := dtm.Lang(*lang)
	w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "severity\tpoint\tday\trule\tnote\tsubmission")
	for _, x := range list {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", severityName(x.Severity), h.place(x.Point, l), dayOf(x.Day), locale.Say(l, "rule."+x.Rule), x.Note, x.Submission)
	}
	return w.Flush()
}

func severityName(rank int) string { return []string{"fault", "doubt", "note"}[min(max(rank, 0), 2)] }

func dayOf(d time.Time) string {
	if d.IsZero() {
		return ""
	}
	return d.Format(time.DateOnly)
}

// runReviewShow prints what review knows of a submission, and its answers as corrected.
func runReviewShow(ctx context.Context, c *call) error {
	var lang *string
	h, done, args, _, err := c.openReview(ctx, 1, 1, func(add func(name, value, usage string) *string) { lang = add("lang", "en", "language: en, fr, ar") })
	if err != nil {
		return err
	}
	defer done()
	if err := h.current(ctx); err != nil {
		return err
	}
	s, err := h.db.Submission(ctx, args[0])
	if err != nil {
		return err
	}
	now, at, err := h.corrected(ctx, s)
	if err != nil {
		return err
	}
	l := dtm.Lang(*lang)
	w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
	fmt.Fprintf(w, "submission\t%s\nstate\t%s\ncorrection\t%d\n", s.ID, at.State, at.Number)
	flags, err := h.db.Queue(ctx, dtm.FlagFilter{Submission: s.ID, Limit: 1000})
	if err != nil {
		return err
	}
	for _, f := range flags {
		fmt.Fprintf(w, "flag %s\t%s %s %s\n", f.State, locale.Say(l, "rule."+f.Rule), f.Path, f.Note)
	}
	verdicts, err := h.db.Verdicts(ctx, s.ID)
	if err != nil {
		return err
	}
	for _, v := range verdicts {
		fmt.Fprintf(w, "%s\t%s → %s by %s: %s\n", v.At.In(h.op.Zone).Format("2006-01-02 15:04"), v.From, v.To, v.Actor, v.Why)
	}
	list, err := h.db.Corrections(ctx, s.ID)
	if err != nil {
		return err
	}
	for _, x := range list {
		name := fmt.Sprintf("correction %d", x.Number)
		if x.Number == 0 {
			name = "refused"
		}
		for _, ch := range x.Changes {
			fmt.Fprintf(w, "%s\t%s: %q → %q by %s: %s\n", name, ch.Path, ch.Was, ch.Now, x.Actor, x.Why)
		}
	}
	questions, err := h.db.QuestionsOf(ctx, s.ID)
	if err != nil {
		return err
	}
	for _, q := range questions {
		fmt.Fprintf(w, "asked\t%s\nanswered\t%s\n", q.Body, q.Answer)
	}
	fields, err := h.fields(ctx, now, l)
	if err != nil {
		return err
	}
	for _, f := range fields {
		if !f.Head && f.Value != "" {
			fmt.Fprintf(w, "%s\t%s\n", f.Path, f.Value)
		}
	}
	return w.Flush()
}

func runReviewConfirm(ctx context.Context, c *call) error { return c.verdict(ctx, dtm.StateConfirmed) }
func runReviewReject(ctx context.Context, c *call) error  { return c.verdict(ctx, dtm.StateRejected) }

func (c *call) verdict(ctx context.Context, state string) error {
	h, done, args, r, err := c.openReview(ctx, 1, -1, nil)
	if err != nil {
		return err
	}
	defer done()
	if state == dtm.StateRejected && strings.TrimSpace(*r.why) == "" {
		return wrongUse("-why is missing: a record is not rejected without a reason")
	}
	if ctx, err = h.acting(ctx, *r.as); err != nil {
		return err
	}
	for _, id := range args {
		if err := h.db.Review(ctx, id, state, *r.why); err != nil {
			return err
		}
		fmt.Fprintf(c.out, "%s: %s\n", id, state)
	}
	return h.current(ctx)
}

// runReviewCorrect changes answers: PATH=VALUE.
func runReviewCorrect(ctx context.Context, c *call) error {
	var base *string
	h, done, args, r, err := c.openReview(ctx, 2, -1, func(add func(name, value, usage string) *string) {
		base = add("base", "", "`number` of the correction that you looked at; the last one when left out")
	})
	if err != nil {
		return err
	}
	defer done()
	if strings.TrimSpace(*r.why) == "" {
		return wrongUse("-why is missing: a record is not corrected without a reason")
	}
	var changes []dtm.Change
	for _, a := range args[1:] {
		path, value, ok := strings.Cut(a, "=")
		if !ok {
			return wrongUse("%q is not PATH=VALUE", a)
		}
		changes = append(changes, dtm.Change{Path: path, Now: value})
	}
	if err := h.current(ctx); err != nil {
		return err
	}
	at, err := h.db.Standing(ctx, args[0], 0)
	if err != nil {
		return err
	}
	n := at.Number
	if *base != "" {
		if _, err := fmt.Sscan(*base, &n); err != nil {
			return wrongUse("-base %s is no number", *base)
		}
	}
	if ctx, err = h.acting(ctx, *r.as); err != nil {
		return err
	}
	made, err := h.correct(ctx, args[0], n, *r.why, changes)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "%s: correction %d\n", args[0], made.Number)
	for _, x := range made.Changes {
		fmt.Fprintf(c.out, "%s: %q → %q\n", x.Path, x.Was, x.Now)
	}
	flags, err := h.db.Queue(ctx, dtm.FlagFilter{Submission: args[0], State: dtm.FlagOpen, Limit: 1000})
	if err != nil {
		return err
	}
	for _, f := range flags {
		fmt.Fprintf(c.err, "still flagged: %s %s %s\n", locale.Say(dtm.English, "rule."+f.Rule), f.Path, f.Note)
	}
	return nil
}

func runReviewAsk(ctx context.Context, c *call) error {
	h, done, args, r, err := c.openReview(ctx, 2, 2, nil)
	if err != nil {
		return err
	}
	defer done()
	if ctx, err = h.acting(ctx, *r.as); err != nil {
		return err
	}
	q, err := h.db.Ask(ctx, args[0], args[1])
	if err != nil {
		return err
	}
	devices, err := h.db.Devices(ctx)
	if err != nil {
		return err
	}
	name := q.Device
	if i := slices.IndexFunc(devices, func(d dtm.Device) bool { return d.ID == q.Device }); i >= 0 {
		name = devices[i].Name
	}
	fmt.Fprintf(c.out, "question %d goes to %s\n", q.Seq, name)
	return nil
}
