package web

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"dtm"
	"dtm/check"
	"dtm/locale"
	"dtm/serve"
)

type ruleRow struct {
	ID, Words, Explain, Level, Owner, Scope, Test string
	Limits                                        []limitRow
	On, Own                                       bool // in use; with limits of the operation's own
	Flags, Open                                   int
	Decided                                       int
	Agreed                                        string
	Href, Queue                                   string
}

type limitRow struct {
	Name, Value, Built string
}

type rulesView struct {
	page
	Rows []ruleRow
}

// tally is how a rule fares.
type tally struct{ all, open, confirmed, dismissed int }

func (p *Pages) tallies(ctx context.Context) (map[string]tally, error) {
	counts, err := p.Staff.Review.Flags.FlagCounts(ctx, dtm.Month{})
	out := map[string]tally{}
	for _, c := range counts {
		t := out[c.Rule]
		t.all += c.N
		switch c.State {
		case dtm.FlagOpen:
			t.open += c.N
		case dtm.FlagConfirmed:
			t.confirmed += c.N
		case dtm.FlagDismissed:
			t.dismissed += c.N
		}
		out[c.Rule] = t
	}
	return out, err
}

func decimal(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

func (p *Pages) ruleRow(g page, x check.Rule, t tally) ruleRow {
	used, on := p.Staff.Review.Rules()[x.ID]
	row := ruleRow{ID: x.ID, Words: g.Rule(x.ID), Explain: x.Explain.In(g.Lang), Level: string(x.Severity), Owner: g.T("owner." + strings.ReplaceAll(x.Owner, " ", "_")), Scope: g.T("rule.scope." + x.Scope), Test: x.Test, On: on,
		Href: g.Link("/staff/rules/" + x.ID), Queue: g.Link("/staff/review/?rule=" + x.ID)}
	for name, n := range x.Limit {
		l := limitRow{name, decimal(n), decimal(n)}
		if on && used.Limit[name] != n {
			row.Own, l.Value = true, decimal(used.Limit[name])
		}
		row.Limits = append(row.Limits, l)
	}
	slices.SortFunc(row.Limits, func(a, b limitRow) int { return cmp.Compare(a.Name, b.Name) })
	row.Flags, row.Open, row.Decided = t.all, t.open, t.confirmed+t.dismissed
	if row.Decided > 0 {
		row.Agreed = locale.Percent(g.Lang, 100*float64(t.confirmed)/float64(row.Decided), 0)
	}
	return row
}

// rules shows the quality rules with how they fare.
func (p *Pages) rules(w http.ResponseWriter, r *http.Request) error {
	v := rulesView{page: p.inside(r, "review", "rules.title", "/rules/")}
	by, err := p.tallies(r.Context())
	if err != nil {
		return err
	}
	built := check.Built()
	for _, id := range built.IDs() {
		v.Rows = append(v.Rows, p.ruleRow(v.page, built[id], by[id]))
	}
	slices.SortStableFunc(v.Rows, func(a, b ruleRow) int { return cmp.Compare(b.Flags, a.Flags) })
	return p.show(w, http.StatusOK, "rules", v)
}

type triedRow struct{ Where, When, Seen, Href string }

type ruleView struct {
	page
	Row      ruleRow
	Form     bool // found by the reader of forms: nothing to try
	From, To string
	Limits   []limitRow // as typed, or as in use
	Months   []option
	Ends     []option
	Tried    bool
	Found    int
	Rate     string
	Records  int
	Was      string
	Rows     []triedRow
	More     int
	Story    []switchRow
	Message  string
	Why      string
}

type switchRow struct {
	When, Who, Why string
	On             bool
	Limits         string
}

// triedRows is how many findings of a trial are shown.
const triedRows = 50

func (p *Pages) ruleView(r *http.Request) (ruleView, map[string]float64, error) {
	id := r.PathValue("id")
	x, ok := check.Built()[id]
	if !ok {
		return ruleView{}, nil, dtm.Errorf(dtm.NotFound, "there is no rule %q", id).Coded("quality.rule.none", id)
	}
	v := ruleView{page: p.inside(r, "review", "rules.title", "/rules/"+id), Form: x.Scope == "form"}
	by, err := p.tallies(r.Context())
	if err != nil {
		return v, nil, err
	}
	v.Row = p.ruleRow(v.page, x, by[id])
	v.Title, v.Limits = v.Row.Words, v.Row.Limits
	limit := map[string]float64{}
	for i, l := range v.Limits {
		v.Limits[i].Value = cmp.Or(strings.TrimSpace(strings.ReplaceAll(r.FormValue("limit."+l.Name), ",", ".")), l.Value)
		if limit[l.Name], err = strconv.ParseFloat(v.Limits[i].Value, 64); err != nil {
			return v, nil, dtm.Errorf(dtm.Invalid, "%q is no number", v.Limits[i].Value).Coded("rule.number", v.Limits[i].Value)
		}
	}
	list, err := p.Staff.Review.Switches(r.Context())
	if err != nil {
		return v, nil, err
	}
	for _, s := range list {
		if s.Rule == id {
			row := switchRow{When: v.When(s.At), Who: v.Who(s.Actor), Why: s.Why, On: s.On}
			for name, n := range s.Limit {
				row.Limits += " · " + v.T("rule.limit."+name) + v.T("word.colon") + " " + decimal(n)
			}
			v.Story = append(v.Story, row)
		}
	}
	now := dtm.MonthOf(p.Now().In(p.Operation.Zone))
	first := now.Add(-3)
	if x.Scope == "month" && p.Figures != nil {
		if span, err := p.Figures.Span(r.Context()); err == nil && !span.From.IsZero() {
			first = dtm.MonthOf(span.From)
		}
	}
	v.From, v.To = cmp.Or(r.FormValue("from"), first.String()), cmp.Or(r.FormValue("to"), now.String())
	return v, limit, nil
}

// rule shows one rule, what it would find with other limits, and its switches.
func (p *Pages) rule(w http.ResponseWriter, r *http.Request) error {
	v, limit, err := p.ruleView(r)
	if err != nil && v.Row.ID == "" {
		return err
	}
	if err != nil {
		v.Message = locale.Error(v.Lang, err)
		return p.show(w, serve.Status(dtm.KindOf(err)), "rule", v)
	}
	if r.FormValue("try") == "" || v.Form {
		return p.show(w, http.StatusOK, "rule", v)
	}
	period, err := dtm.ParsePeriod(v.From, v.To)
	if err == nil {
		err = p.tryRule(r, &v, limit, period)
	}
	if err != nil {
		if k := dtm.KindOf(err); k != dtm.Invalid && k != dtm.Unsupported {
			return err
		}
		v.Message = locale.Error(v.Lang, err)
		return p.show(w, http.StatusUnprocessableEntity, "rule", v)
	}
	return p.show(w, http.StatusOK, "rule", v)
}

func (p *Pages) tryRule(r *http.Request, v *ruleView, limit map[string]float64, period dtm.Period) error {
	t, err := p.Staff.Review.Try(r.Context(), v.Row.ID, limit, period)
	if err != nil {
		return err
	}
	v.Tried, v.Found, v.Records = true, len(t.Found), t.Records
	v.Was = v.T("rule.try.off")
	if t.On {
		v.Was = v.T("rule.try.now", v.Number(t.Now))
	}
	if t.Records > 0 {
		v.Rate = locale.Number(v.Lang, 1000*float64(v.Found)/float64(t.Records), 1)
	}
	for i, f := range t.Found {
		if i == triedRows {
			v.More = v.Found - i
			break
		}
		row := triedRow{Where: f.Subject, Seen: p.Staff.Review.Measured(f)}
		if pt, ok := p.Operation.Point(f.Subject); ok {
			row.Where = pt.Name.In(v.Lang)
		}
		if !f.Day.IsZero() {
			row.When = locale.Date(v.Lang, f.Day)
		}
		if f.Record != "" && strings.Contains(f.Record, ":") { // a submission, "uuid:..."
			row.Href = v.Link("/staff/review/" + url.PathEscape(f.Record))
		}
		v.Rows = append(v.Rows, row)
	}
	return nil
}

// switchRule puts a rule in use with the limits that were typed, or out of use.
func (p *Pages) switchRule(w http.ResponseWriter, r *http.Request) error {
	v, limit, err := p.ruleView(r)
	if err != nil && v.Row.ID == "" {
		return err
	}
	if err == nil {
		s := dtm.RuleSwitch{Rule: v.Row.ID, On: r.PostFormValue("do") == "on", Why: r.PostFormValue("why")}
		if s.On {
			s.Limit = limit
			for _, l := range v.Limits {
				if l.Value == l.Built {
					delete(s.Limit, l.Name) // the program's own
				}
			}
		}
		err = p.Staff.Review.Switch(by(r), s)
	}
	if err != nil {
		if dtm.KindOf(err) != dtm.Invalid {
			return err
		}
		v.Message, v.Why = locale.Error(v.Lang, err), r.PostFormValue("why")
		return p.show(w, http.StatusUnprocessableEntity, "rule", v)
	}
	http.Redirect(w, r, v.Row.Href, http.StatusSeeOther)
	return nil
}
