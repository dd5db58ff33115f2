package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"dtm"
	"dtm/check"
	"dtm/locale"
	"dtm/web"
)

// tally is how a rule fares: how often it was right, by those who looked.
type tally struct{ open, confirmed, dismissed, cleared int }

func (t tally) all() int { return t.open + t.confirmed + t.dismissed + t.cleared }

// agreed is the share of decided flags in which people agreed with the rule; -1: none
// was decided.
func (t tally) agreed() float64 {
	if t.confirmed+t.dismissed == 0 {
		return -1
	}
	return float64(t.confirmed) / float64(t.confirmed+t.dismissed)
}

func (h *house) tallies(ctx context.Context) (map[string]tally, error) {
	counts, err := h.db.FlagCounts(ctx, dtm.Month{})
	out := map[string]tally{}
	for _, c := range counts {
		t := out[c.Rule]
		switch c.State {
		case dtm.FlagOpen:
			t.open += c.N
		case dtm.FlagConfirmed:
			t.confirmed += c.N
		case dtm.FlagDismissed:
			t.dismissed += c.N
		case dtm.FlagCleared:
			t.cleared += c.N
		}
		out[c.Rule] = t
	}
	return out, err
}

func agreedText(l dtm.Lang, t tally) string {
	if t.agreed() < 0 {
		return "-"
	}
	return locale.Percent(l, 100*t.agreed(), 0)
}

func runRuleList(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	lang := fs.String("lang", "en", "language: en, fr, ar")
	if _, err := c.parse(fs, 0, 0); err != nil {
		return err
	}
	h, done, err := c.open(ctx, *data)
	if err != nil {
		return err
	}
	defer done()
	tallies, err := h.tallies(ctx)
	if err != nil {
		return err
	}
	built, used := check.Built(), h.forms.rules()
	l := dtm.Lang(*lang)
	w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "rule\tseverity\tstate\tflags\topen\tagreed\tsays")
	for _, id := range built.IDs() {
		state := "on"
		if _, ok := used[id]; !ok {
			state = "off"
		}
		t := tallies[id]
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%s\t%s\n", id, built[id].Severity, state, t.all(), t.open, agreedText(l, t), locale.Say(l, "rule."+id))
	}
	return w.Flush()
}

func runRuleShow(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	lang := fs.String("lang", "en", "language: en, fr")
	args, err := c.parse(fs, 1, 1)
	if err != nil {
		return err
	}
	h, done, err := c.open(ctx, *data)
	if err != nil {
		return err
	}
	defer done()
	r, ok := check.Built()[args[0]]
	if !ok {
		return dtm.Errorf(dtm.NotFound, "there is no rule %q; `dtm rule list` names them", args[0])
	}
	used, on := h.forms.rules()[r.ID]
	tallies, err := h.tallies(ctx)
	if err != nil {
		return err
	}
	l := dtm.Lang(*lang)
	t := tallies[r.ID]
	fmt.Fprintf(c.out, "%s: %s\n%s\nseverity: %s, looks at: %s, looked after by: %s, in use: %v\n", r.ID, locale.Say(l, "rule."+r.ID), r.Explain.In(l), r.Severity, r.Scope, r.Owner, on)
	for _, name := range limits(r) {
		v := r.Limit[name]
		if on && used.Limit[name] != v {
			fmt.Fprintf(c.out, "limit %s: %s (the program's: %s)\n", name, number(used.Limit[name]), number(v))
			continue
		}
		fmt.Fprintf(c.out, "limit %s: %s\n", name, number(v))
	}
	fmt.Fprintf(c.out, "flags: %d, of them open: %d, confirmed: %d, dismissed: %d, no longer found: %d; reviewers agreed: %s\n", t.all(), t.open, t.confirmed, t.dismissed, t.cleared, agreedText(l, t))
	list, err := h.db.RuleSwitches(ctx)
	if err != nil {
		return err
	}
	for _, s := range list {
		if s.Rule == r.ID {
			fmt.Fprintf(c.out, "switched on %s by %s: %s\n", s.At.In(h.op.Zone).Format("2006-01-02 15:04"), s.Actor, s.Why)
		}
	}
	return nil
}

func limits(r check.Rule) (out []string) {
	for name := range r.Limit {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// readLimits reads name=value pairs.
func readLimits(list []string) (map[string]float64, error) {
	out := map[string]float64{}
	for _, s := range list {
		name, value, ok := strings.Cut(s, "=")
		v, err := strconv.ParseFloat(value, 64)
		if !ok || err != nil {
			return nil, wrongUse("%q is not LIMIT=NUMBER", s)
		}
		out[name] = v
	}
	return out, nil
}

// runRuleTry runs one rule over history as it is and as it would be, and changes
// nothing.
func runRuleTry(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	from := fs.String("from", "", "first `month`, YYYY-MM; three months ago when left out")
	to := fs.String("to", "", "last `month`; the running one when left out")
	show := fs.Int("show", 10, "how many findings are shown")
	lang := fs.String("lang", "en", "language: en, fr, ar")
	args, err := c.parse(fs, 1, -1)
	if err != nil {
		return err
	}
	h, done, err := c.open(ctx, *data)
	if err != nil {
		return err
	}
	defer done()
	limit, err := readLimits(args[1:])
	if err != nil {
		return err
	}
	last := dtm.MonthOf(h.now().In(h.op.Zone))
	first := last.Add(-3)
	if *from != "" {
		if first, err = dtm.ParseMonth(*from); err != nil {
			return err
		}
	}
	if *to != "" {
		if last, err = dtm.ParseMonth(*to); err != nil {
			return err
		}
	}
	tried, err := h.tryRule(ctx, args[0], limit, dtm.Months(first, last))
	if err != nil {
		return err
	}
	found, n := tried.Found, tried.Records
	was := "the rule is off now"
	if tried.On {
		was = fmt.Sprintf("as it is in use: %d", tried.Now)
	}
	rate := 0.0
	if n > 0 {
		rate = 1000 * float64(len(found)) / float64(n)
	}
	l := dtm.Lang(*lang)
	fmt.Fprintf(c.out, "%s to %s, %d records: %d findings, %s in a thousand (%s). Nothing was changed.\n", first, last, n, len(found), locale.Number(l, rate, 1), was)
	w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
	for i, f := range found {
		if i == *show {
			fmt.Fprintf(w, "and %d more\n", len(found)-i)
			break
		}
		fmt.Fprintf(w, "%s\t%s\t%s\tseen %s\tusual %s\n", dayOf(f.Day), h.place(f.Subject, l), f.Record, locale.Number(l, f.Seen, -1), locale.Number(l, f.Usual, -1))
	}
	return w.Flush()
}

// tryRule runs one rule over a period as it would be with other limits, and as it is in
// use; nothing is changed. Rules about months look at imported history alone.
func (h *house) tryRule(ctx context.Context, id string, limit map[string]float64, p dtm.Period) (web.Tried, error) {
	would, err := check.Built().With([]dtm.RuleSwitch{{Rule: id, On: true, Limit: limit}})
	if err != nil {
		return web.Tried{}, err
	}
	scope := would[id].Scope
	if scope == "form" {
		return web.Tried{}, dtm.Errorf(dtm.Unsupported, "%s is found by the reader of forms and has nothing to try", id).Coded("rule.form")
	}
	if err := h.current(ctx); err != nil {
		return web.Tried{}, err
	}
	run := func(r check.Rule) ([]check.Finding, int, error) {
		if scope == "month" {
			past, err := h.history(ctx, check.Rules{id: r}, p)
			return past.found, past.rows, err
		}
		return h.findings(ctx, check.Rules{id: r}, p)
	}
	var t web.Tried
	if t.Found, t.Records, err = run(would[id]); err != nil {
		return t, err
	}
	used, on := h.forms.rules()[id]
	if t.On = on; !on {
		return t, nil
	}
	now, _, err := run(used)
	t.Now = len(now)
	return t, err
}

// useRule switches a rule, with limits of the operation's own or none.
func (h *house) useRule(ctx context.Context, s dtm.RuleSwitch) error {
	if _, err := check.Built().With([]dtm.RuleSwitch{s}); err != nil {
		return err
	}
	if err := h.db.SwitchRule(ctx, s); err != nil {
		return err
	}
	return h.readRules(ctx)
}

func runRuleOn(ctx context.Context, c *call) error  { return c.switchRule(ctx, true) }
func runRuleOff(ctx context.Context, c *call) error { return c.switchRule(ctx, false) }

func (c *call) switchRule(ctx context.Context, on bool) error {
	most := 1
	if on {
		most = -1
	}
	h, done, args, r, err := c.openReview(ctx, 1, most, nil)
	if err != nil {
		return err
	}
	defer done()
	if strings.TrimSpace(*r.why) == "" {
		return wrongUse("-why is missing: who reads it in a year has nothing else")
	}
	s := dtm.RuleSwitch{Rule: args[0], On: on, Why: *r.why}
	if s.Limit, err = readLimits(args[1:]); err != nil {
		return err
	}
	if ctx, err = h.acting(ctx, *r.as); err != nil {
		return err
	}
	if err := h.useRule(ctx, s); err != nil {
		return err
	}
	state := "off"
	if on {
		state = "on"
	}
	fmt.Fprintf(c.out, "%s is %s for what comes from now on; `dtm quality -raise` looks at a month again\n", args[0], state)
	return nil
}
